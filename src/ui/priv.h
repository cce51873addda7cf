/**
 * @file ui/priv.h  Inside the ui module
 */
#ifndef OFFHOOK_UI_PRIV_H
#define OFFHOOK_UI_PRIV_H

#include "offhook/ui.h"

/* output.c: lines out, never blocking the loop --------------------------- */

struct output;
typedef void (output_lost_h)(int err, void *arg);

/**
 * fd is borrowed. Free: mem_deref
 * @param h  nothing can be written any more: EPIPE (the reader is gone),
 *           ENOSPC ... Called once, also from inside output_write; or NULL
 */
int  output_alloc(struct output **op, int fd, output_lost_h *h, void *arg);
/** minor: may be dropped when the reader is slow */
void output_write(struct output *o, const char *text, size_t len, bool minor);
/** The reader is behind: give it no more than must be */
bool output_behind(const struct output *o);
/** Wait at most ms for the reader to take the rest */
void output_flush(struct output *o, uint32_t ms);

/* junit.c: results for test systems --------------------------------------- */

struct junit;
/** Free: mem_deref */
int  junit_alloc(struct junit **jp, const char *path, const char *name);
void junit_add(struct junit *j, const struct reply *r, bool failed);
int  junit_write(const struct junit *j);

/* input.c: lines in ------------------------------------------------------ */

struct input;
typedef void (input_h)(void *arg);

/** h: there may be a line now; it takes them with input_line(). fd is owned */
int  input_alloc(struct input **ip, int fd, input_h *h, void *arg);
/**
 * Next line, valid until the next call.
 * @return 0, EAGAIN (none yet, h is called), ENODATA (the end), E2BIG (too
 *         long, skipped), or the errno of a failed read
 */
int  input_line(struct input *in, const char **line, size_t *len);
unsigned input_number(const struct input *in);   /* of that line */
/** Could input_line() give something at once? */
bool input_ready(struct input *in);
bool input_ended(const struct input *in);

#endif
