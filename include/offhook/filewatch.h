/**
 * @file filewatch.h  A file that others change
 *
 * The kernel says so by itself (inotify), so nobody is woken while the file
 * stays as it is.  Main thread.
 */
#ifndef OFFHOOK_FILEWATCH_H
#define OFFHOOK_FILEWATCH_H

struct filewatch;
/** It was written, put in place of another or taken away: look */
typedef void (filewatch_h)(void *arg);

/** The file need not be there, its folder must. @return 0, ENOENT, or errno of
 *  what the kernel did not give (EMFILE ...). Free: mem_deref, which the
 *  handler may do too */
int filewatch_alloc(struct filewatch **wp, const char *path, filewatch_h *h,
		    void *arg);

#endif
