/**
 * @file term.h  The terminal: modes, bytes in, bytes out, and as it was
 *
 * What is written waits in a queue while the terminal is stopped (Ctrl-S, a
 * dead ssh): nothing here ever blocks.  However the program ends, the
 * terminal is put back: by term_close, by term_restore from a signal handler.
 * One terminal at a time.  Main thread.
 */
#ifndef OFFHOOK_TUI_TERM_H
#define OFFHOOK_TUI_TERM_H

#include "canvas.h"

struct term;

struct term_conf {
	int in_fd, out_fd;       /* borrowed: duplicated, or opened anew     */
	const char *name;        /* TERM                                     */
	int colours;             /* no more than these; -1: what it has      */
	bool light;              /* a light background                       */
	bool ask;                /* ask it for its background                */
	bool mouse;
	/** Bytes came: whole keys or parts of them */
	void (*read_h)(const char *p, size_t len, void *arg);
	/** What waited has been written */
	void (*drained_h)(void *arg);
	/** It is gone (EOF, EIO): nothing can be read or written any more.
	 *  Called once, from the loop */
	void (*lost_h)(int err, void *arg);
	void *arg;
};

/** err: one sentence, 256 bytes. @return 0, ENOTTY, ENOENT (TERM is not
 *  known or cannot move its cursor), EBUSY (there is one), ENOMEM */
int  term_open(struct term **tp, const struct term_conf *conf, char *err);
/** Puts it back as it was, waiting at most 200 ms for it to take that */
void term_close(struct term *t);

/** Back to the shell's modes, and ours again (suspend). @return errno */
void term_leave(struct term *t);
int  term_enter(struct term *t);
void term_size(const struct term *t, int *w, int *h);

/** Its background is light; all is to be painted again */
void term_set_light(struct term *t, bool light);

/** Bytes wait that it has not taken: paint later */
bool term_behind(const struct term *t);
/** Append to what is written; nothing goes out before term_flush() */
void term_put(struct term *t, const char *p, size_t len);
void term_flush(struct term *t);

/** Title of the window; text is escaped */
void term_title(struct term *t, const char *text);
/** Bell and a notice of the desktop (OSC 9, OSC 777) */
void term_notice(struct term *t, const char *title, const char *text);

/** The capabilities of terminfo that paint.c needs */
void term_move(struct term *t, int x, int y);
void term_style(struct term *t, enum style st);  /* unless it is that   */
void term_clear(struct term *t);
void term_cursor(struct term *t, bool on);
/** After bytes that moved it, or coloured it, in a way not known */
void term_forget(struct term *t);

/** Keys instead of lines, without an echo; nothing is written to it, so one
 *  that is stopped holds nobody. @return 0, ENOTTY, EBUSY ... */
int  term_plain(int fd);
/** As it was before */
void term_plain_end(void);

/** From a signal handler, or right before _exit(): async-signal-safe */
void term_restore(void);

#endif
