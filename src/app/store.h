/**
 * @file app/store.h  A bounded file of JSON lines that grows at its end
 *
 * History and messages.  Several phones may write the same file: a line goes
 * out in one piece, whoever shortens the file keeps the others away by a lock
 * beside it.  A line that a crash cut off is skipped by readers.  Main
 * thread; nothing here waits for anybody.
 */
#ifndef OFFHOOK_APP_STORE_H
#define OFFHOOK_APP_STORE_H

#include <stdbool.h>
#include <stddef.h>

enum { STORE_LINE_MAX = 16384 };

struct store;

/** One line that is new to us, as it stands in the file */
typedef void (store_line_h)(const char *line, size_t len, void *arg);
/** What was told so far is forgotten: all lines come again */
typedef void (store_reset_h)(void *arg);

/**
 * @param path  NULL: nothing is kept beyond this run
 * @param max   lines that are kept
 * Free: mem_deref
 */
int  store_alloc(struct store **sp, const char *path, size_t max,
		 store_reset_h *reset_h, store_line_h *line_h, void *arg);
/** Nothing is read before it is needed: tell what there is, or is new */
void store_refresh(struct store *s);
/** Append a line (without its newline); line_h hears it with the next
 *  refresh. What cannot be written is kept in memory. */
void store_add(struct store *s, const char *line);
/** Take everything out, from the file too. @return 0 or errno */
int  store_clear(struct store *s);

#endif
