/**
 * @file message_text.h  A SIP message, and two of them compared, line by line
 *
 * Main thread.
 */
#ifndef OFFHOOK_TUI_MESSAGE_TEXT_H
#define OFFHOOK_TUI_MESSAGE_TEXT_H

#include "canvas.h"

/** Lines of a text, without their ends; a NUL in it has become '?' */
struct lines {
	char *text;              /* where they are                           */
	const char **v;          /* terminated                               */
	int *len;
	int n;
};
/** @return 0, ENOMEM; free: lines_free */
int  lines_split(struct lines *l, const char *text, size_t len);
void lines_free(struct lines *l);

/**
 * In colours: first line, names of headers, session description. What is
 * longer than a row goes on in the next ones.
 * @return rows it takes at this width; top: rows above that are not shown
 */
int  message_draw(const struct area *a, const struct lines *l, int top);

/** One line of a comparison */
struct diff_line {
	char sign;               /* ' ' both, '-' the first's, '+' the second's */
	int a, b;                /* index in each, -1 none                   */
};
/**
 * The shortest way from one to the other. At most DIFF_LINES lines of each
 * are compared, the rest is told as different.
 * @return lines, in *vp (free()), -1: no memory
 */
enum { DIFF_LINES = 400 };
int  diff_lines(struct diff_line **vp, const struct lines *a,
		const struct lines *b);
/** @return rows it takes, as message_draw() */
int  diff_draw(const struct area *area, const struct diff_line *v, int n,
	       const struct lines *a, const struct lines *b, int top);

#endif
