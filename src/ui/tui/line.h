/**
 * @file line.h  The command line: editing, history, suggestions
 *
 * Pure but for the history file.  Main thread.
 */
#ifndef OFFHOOK_TUI_LINE_H
#define OFFHOOK_TUI_LINE_H

#include "offhook/command.h"
#include "canvas.h"
#include "keys.h"

enum {
	LINE_BYTES = 4096,         /* bytes of a line                          */
	LINE_HISTORY = 1000,     /* lines kept                               */
	LINE_HINTS = 64,         /* suggestions at a time                    */
};

enum line_did {
	LINE_IGNORED,            /* not a key of the line                    */
	LINE_MOVED,              /* the cursor, perhaps                      */
	LINE_CHANGED,            /* the text: suggestions are to be made     */
	LINE_ENTERED,            /* Enter: line_text() is to be run          */
	LINE_LEFT,               /* Esc                                      */
};

struct line;

/** path: of the history, or NULL: not kept. Free: mem_deref */
int  line_alloc(struct line **lp, const char *path);
/** Open it with this text; secret: shown as dots, never kept */
void line_start(struct line *l, const char *prompt, const char *text,
		bool secret);
void line_close(struct line *l);
bool line_open(const struct line *l);
bool line_secret(const struct line *l);
const char *line_text(const struct line *l);
/** Bytes before the cursor */
size_t line_at(const struct line *l);
enum line_did line_key(struct line *l, const struct key *k);
/** Remember it, in the file too; one with a password is not */
void line_keep(struct line *l, const char *text);
/** i: 0 is the last one. NULL: no more */
const char *line_kept(const struct line *l, size_t i);

/** Suggestions for the word from byte `from` on: begin, add each */
void line_hints_clear(struct line *l, size_t from, const char *expects);
void line_hints_from(struct line *l, size_t from, const char *expects);
void line_hint_add(struct line *l, const char *text, const char *about);
size_t line_hints(const struct line *l);
/** One of them; what it is about */
const char *line_hint(const struct line *l, size_t i, const char **about);
/** What is expected there, "" */
const char *line_expects(const struct line *l);
/** Bytes the text would have with what all of them begin with */
size_t line_common(const struct line *l);

/** targets.c: whom one may call, by what is typed of it: contacts, people one
 *  has talked to, what was dialled in kept lines */
void targets_offer(const struct phone *ph, const struct line *l,
		   const char *typed, complete_h *h, void *h_arg);

/** Prompt and text in the last row of a, suggestions below it: a is
 *  line_rows() high */
void line_draw(const struct line *l, const struct area *a);
int  line_rows(const struct line *l, int max);

#endif
