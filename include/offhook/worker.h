/**
 * @file worker.h  A thread for what blocks
 *
 * getaddrinfo, password commands and every PortAudio call block; each kind
 * has a worker of its own. Work runs in order on the worker's thread, the
 * result is handed back on the loop thread that made the worker. The thread
 * starts with the first work. Work must touch nothing but its argument.
 */
#ifndef OFFHOOK_WORKER_H
#define OFFHOOK_WORKER_H

struct worker;

typedef void (worker_work_h)(void *arg);   /* worker thread  */
typedef void (worker_done_h)(void *arg);   /* owner's thread */

/** On a thread with a libre loop. @return 0 or errno. Free: mem_deref */
int worker_alloc(struct worker **wp, const char *name);

/**
 * Queue work; done (may be NULL) is called once work has run, or not at all
 * if the worker was freed before. When the worker is freed, work not begun is
 * given to drop (may be NULL), and so is work whose result cannot be
 * delivered any more: exactly one of done and drop is called for each post
 * that returned 0. drop runs on the owner's thread, but for work that was
 * running when the worker was freed on the worker's own: it frees arg and
 * nothing else. done may free the worker. Work runs with every signal
 * blocked; a program it starts inherits that unless it is reset.
 * Freeing waits at most 200 ms for running work, then leaves the thread to
 * end by itself. @return 0, ENOMEM, EAGAIN (256 not yet given back)
 */
int worker_post(struct worker *w, worker_work_h *work, worker_done_h *done,
		worker_done_h *drop, void *arg);

#endif
