/**
 * @file log.h  Logging
 *
 * Main, the thread the process began with, writes.  Any other thread hands a
 * fixed-size record through a ring that main drains; a full ring counts what
 * it drops and says so.  Never call from the sound callback.  Lines go to
 * stderr or a file, never to stdout.
 * What comes from outside is escaped (text_escape) before it is written.
 */
#ifndef OFFHOOK_LOG_H
#define OFFHOOK_LOG_H

enum log_level {
	LOGL_ERROR = 0,  /* something was not done that should have been   */
	LOGL_WARN,       /* done, but not as asked: one clear line         */
	LOGL_INFO,       /* what a curious user wants to know (-v)         */
	LOGL_DEBUG,      /* what a developer wants to know (-vv)           */
};

/** A copy of every line, for the event `log` and for tests; main only */
typedef void (log_h)(enum log_level level, const char *module,
		     const char *text, void *arg);

/* main */
int  log_open(const char *path);      /* NULL: stderr; else append to path  */
void log_close(void);
int  log_fd(void);                    /* where stray output may be diverted */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
void log_set_handler(log_h *h, void *arg);
void log_drain(void);                 /* write what other threads left      */

/**
 * Called by log.c, on the thread that logged, whenever a foreign thread has
 * put the first record into an empty ring; main.c makes it wake main's loop.
 */
void log_set_wake(void (*wake)(void *arg), void *arg);

/* any thread but the callback */
void log_write(enum log_level level, const char *module,
	       const char *fmt, ...) __attribute__((format(printf, 3, 4)));
const char *log_level_name(enum log_level level);

#define log_error(...) log_write(LOGL_ERROR, LOG_MODULE, __VA_ARGS__)
#define log_warn(...)  log_write(LOGL_WARN,  LOG_MODULE, __VA_ARGS__)
#define log_info(...)  log_write(LOGL_INFO,  LOG_MODULE, __VA_ARGS__)
#define log_debug(...)							\
	do {								\
		if (log_get_level() >= LOGL_DEBUG)			\
			log_write(LOGL_DEBUG, LOG_MODULE, __VA_ARGS__);	\
	} while (0)

#endif
