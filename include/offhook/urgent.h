/**
 * @file urgent.h  Threads that must run soon when they are woken
 *
 * Sound is late when a thread waits for a core that others keep busy.  A
 * thread that runs shortly and often is let in at once by a scheduler that
 * knows how shortly (Linux 6.12 and later, no privilege needed), and where the
 * system allows it the thread is also nicer to others no more.
 */
#ifndef OFFHOOK_URGENT_H
#define OFFHOOK_URGENT_H

/** What came of it */
enum urgent {
	URGENT_NO,               /* as any other thread                      */
	URGENT_SLICE,            /* a short slice was asked for; older systems
				    take no notice                           */
	URGENT_NICE,             /* and it goes before others                */
};

/** The calling thread, and those that it starts from now on */
enum urgent urgent_thread(void);

#endif
