/**
 * @file log.h  Logging
 *
 * Main, the thread the process began with, writes.  Any other thread hands a
 * fixed-size record through a ring that main drains; a full ring counts what
 * it drops and says so.  Never call from the sound callback.  Lines never go
 * to stdout.
 * What comes from outside is escaped (text_escape) before it is written.
 */
#ifndef OFFHOOK_LOG_H
#define OFFHOOK_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level {
	LOGL_ERROR = 0,  /* something was not done that should have been   */
	LOGL_WARN,       /* done, but not as asked: one clear line         */
	LOGL_INFO,       /* what a curious user wants to know (-v)         */
	LOGL_DEBUG,      /* what a developer wants to know (-vv)           */
};

/** A copy of every line, for the event `log` and for tests; main only */
typedef void (log_h)(enum log_level level, const char *module,
		     const char *text, void *arg);

/* main: log_sink.c, where lines go */

/**
 * NULL or "stderr"; "syslog[:SOCKET]", "journal[:SOCKET]" (systemd's, with
 * fields, no library needed); else a file to append to.  The old one stays
 * when it cannot be opened. @return 0 or errno
 */
int  log_open(const char *where);
void log_close(void);
/** A file that was renamed or taken away is begun anew. @return 0 or errno:
 *  the old one is written on */
int  log_reopen(void);
/** Turn the file over before it is larger than that, 0: never; and keep so
 *  many older ones, FILE.1 the youngest, at most 100 */
void log_set_limit(uint64_t bytes, unsigned keep);
enum log_format { LOG_AS_TEXT = 0, LOG_AS_JSON };
/** For stderr and files; the others have forms of their own */
void log_set_format(enum log_format format);
/** What log_open() took */
void log_where(char *buf, size_t sz);
/** Lines that were not taken: a full disk, a reader who does not read */
uint64_t log_missing(void);
int  log_fd(void);                    /* where stray output may be diverted */
/** Text of another form may be written to log_fd() */
bool log_is_plain(void);

/* main: log_level.c, which lines there are */

/** Everybody's; what log_levels_set() goes back to */
void log_set_level(enum log_level level);
/**
 * Apply "info", "sip=debug,media=warn", "warn,sip=debug": a level alone is for
 * all, wherever it stands, the others for one module.
 * @param afresh  begin with what log_set_level() said
 * @param err     what is wrong, sz bytes, or NULL
 * @return 0, EINVAL: nothing is changed
 */
int  log_levels_set(const char *text, bool afresh, char *err, size_t sz);
int  log_levels_check(const char *text, char *err, size_t sz);
enum { LOG_LEVELS_SIZE = 512 };
/** What is in force, in that form, LOG_LEVELS_SIZE bytes at most */
void log_levels_print(char *buf, size_t sz);
struct log_module {
	const char *name;                 /* LOG_MODULE                     */
	const char *summary;
};
const struct log_module *log_module_at(size_t i);   /* NULL ends it */
enum log_level log_level_of(const char *module);

/* main */
void log_set_handler(log_h *h, void *arg);
/**
 * Whoever has a half written row on the terminal that stderr is takes it away
 * before a line is written there, and puts it back after it. NULL: nobody
 */
typedef void (log_row_h)(bool before, void *arg);
void log_set_row(log_row_h *h, void *arg);
/** The same for text of another form, before and after it */
void log_row(bool before);
void log_drain(void);                 /* write what other threads left      */
/** A line whatever the levels are, that the handler does not hear */
void log_note(const char *module, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * Called by log.c, on the thread that logged, whenever a foreign thread has
 * put the first record into an empty ring; main.c makes it wake main's loop.
 */
void log_set_wake(void (*wake)(void *arg), void *arg);

/* any thread but the callback */
void log_write(enum log_level level, const char *module,
	       const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/** The most that any module says: what is above is said by nobody */
enum log_level log_get_level(void);
bool log_wanted(const char *module, enum log_level level);
const char *log_level_name(enum log_level level);

#define log_error(...) log_write(LOGL_ERROR, LOG_MODULE, __VA_ARGS__)
#define log_warn(...)  log_write(LOGL_WARN,  LOG_MODULE, __VA_ARGS__)
#define log_info(...)  log_write(LOGL_INFO,  LOG_MODULE, __VA_ARGS__)
#define log_debug(...)							\
	do {								\
		if (log_wanted(LOG_MODULE, LOGL_DEBUG))			\
			log_write(LOGL_DEBUG, LOG_MODULE, __VA_ARGS__);	\
	} while (0)

#endif
