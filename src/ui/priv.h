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
/** At most max bytes wait; what does not fit is dropped, and h is told when
 *  it was more than statistics */
typedef void (output_full_h)(void *arg);
void output_limit(struct output *o, size_t max, output_full_h *h);
/** Drop what waits but the rest of a line that is half out; this is the last
 *  one */
void output_cut(struct output *o, const char *text, size_t len);
/** Bytes that wait */
size_t output_waiting(const struct output *o);
/** Nothing waits */
bool output_empty(const struct output *o);
/** Wait at most ms for the reader to take the rest */
void output_flush(struct output *o, uint32_t ms);

/* junit.c: results for test systems --------------------------------------- */

struct junit;
/** Free: mem_deref */
int  junit_alloc(struct junit **jp, const char *path, const char *name);
void junit_add(struct junit *j, const struct reply *r, bool failed);
int  junit_write(const struct junit *j);

/* replay.c: what was told, to be told again ------------------------------- */

struct replay;

/** Keeps the last events but statistics and log lines. Free: mem_deref */
int  replay_alloc(struct replay **rp, struct event_bus *bus);
/** The event as a JSON line with its newline; made once for all who want it.
 *  Valid until the next event. NULL: no memory */
const char *replay_line(struct replay *r, const struct event *ev,
			size_t *len);
struct replay_row {
	uint64_t seq;
	enum event_type type;
	unsigned call;
	void *packed;
	size_t len;
};
/** What a row is about */
void replay_event(struct event *ev, const struct replay_row *row);
/** The first one from that number on; NULL: there is none. *i: where it is,
 *  for replay_next() */
const struct replay_row *replay_first(const struct replay *r, uint64_t from,
				      size_t *i);
const struct replay_row *replay_next(const struct replay *r, size_t *i);
/** The oldest that is kept, 0 none */
uint64_t replay_oldest(const struct replay *r);
/** Were older ones let go? */
bool replay_dropped(const struct replay *r);

/* peer.c: one connection of the control socket ----------------------------- */

struct peer;
struct peer_conf {
	struct phone *ph;
	struct replay *replay;
	const char *token;       /* it must know it first, NULL: it need not */
};
/** fd is owned. gone_h: once, from the loop; then mem_deref */
int  peer_alloc(struct peer **pp, const struct peer_conf *conf, int fd,
		void (*gone_h)(struct peer *p, void *arg), void *arg);
/** A last word to a caller who cannot be served; never waits. fd is closed */
void peer_turn_away(int fd, const char *token, const char *text);
/** The phone ends: what is queued is dropped, what was written goes out */
void peer_stop(struct peer *p, uint32_t ms);

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

/* edit.c: what a person types at the prompt -------------------------------- */

struct edit;
/**
 * The terminal gives keys until it is freed (mem_deref), then it is as before.
 * fd is owned, once this was right
 * @param lines  where typed lines are kept, "" or NULL: nowhere
 * @param rd     lines come out here, for input_alloc(); owned by the caller
 * @return 0, ENOTTY ...
 */
int  edit_alloc(struct edit **ep, const struct phone *ph, int fd,
		struct output *out, const char *lines, int *rd);
/** The prompt, and what is typed so far */
void edit_show(struct edit *e);
/** Its row is taken away, for a line of something else */
void edit_hide(struct edit *e);

#endif
