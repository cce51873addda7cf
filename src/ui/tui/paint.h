/**
 * @file paint.h  Show a canvas: the difference to what the terminal has
 */
#ifndef OFFHOOK_TUI_PAINT_H
#define OFFHOOK_TUI_PAINT_H

#include "term.h"

struct paint {
	struct canvas shown;     /* what the terminal has                    */
	bool all;                /* nothing is known of it: show everything  */
};

/** Bytes for everything that differs, into the terminal's queue */
void paint_show(struct paint *p, struct term *t, const struct canvas *cv);
/** The terminal shows something else now */
void paint_forget(struct paint *p);
void paint_free(struct paint *p);

#endif
