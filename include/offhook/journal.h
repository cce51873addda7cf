/**
 * @file journal.h  One file that has all of a run: lines, events, messages
 *
 * JSON lines, in order.  A run can be looked at again (`ladder FILE`), and
 * made a script that does the same and demands the same (`replay FILE`).
 * Main thread.
 */
#ifndef OFFHOOK_JOURNAL_H
#define OFFHOOK_JOURNAL_H

#include "offhook/capture.h"

struct journal;

/**
 * Write until mem_deref. The file is begun anew. c may be NULL: no messages.
 * @return 0 or errno
 */
int  journal_open(struct journal **jp, const char *path,
		  struct event_bus *bus, struct capture *c);
/** A line that was run; secrets in it are masked before */
void journal_line(struct journal *j, const char *line, bool ok,
		  const char *error, uint64_t took_ms);

/** The messages of a journal. err: one sentence, UA_ERR bytes. @return 0,
 *  EINVAL (no journal), EFBIG, ENOENT ... Free: mem_deref */
int  journal_capture(struct capture **cp, const char *path, char *err);
/** The script that does the same and demands the same. The same errors */
int  journal_script(struct text_buf *b, const char *path, char *err);
/** The same of the text of one, which is cut up. @return 0, EINVAL, ENOMEM */
int  journal_capture_text(struct capture **cp, char *text, char *err);
int  journal_script_text(struct text_buf *b, char *text, char *err);

#endif
