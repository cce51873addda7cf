/**
 * @file answer_rules.h  Which calls `listen` takes how
 *
 * A rule is a line, "MATCHER... then ACTION...", as in
 *
 *   from=*@example.com nth=3 then code=486 reason='no time'
 *   header='X-Test: echo*' then after=2s early tone=440 for=10s
 *   method=MESSAGE then code=503
 *   echo
 *
 * all of whose matchers must hold; without `then` it is for every call.  The
 * first rule that holds decides; where none does, what `listen` itself says
 * is done.  Both kinds of words are rows of a table.  Main thread.
 */
#ifndef OFFHOOK_ANSWER_RULES_H
#define OFFHOOK_ANSWER_RULES_H

#include "offhook/app.h"

enum { ANSWER_RULES_MAX = 1000, ANSWER_LINE_MAX = 4096 };

/** A word of a rule, for help and the manual */
struct answer_word {
	const char *name;
	const char *value;       /* what stands behind the '=', "" nothing   */
	const char *summary;
};
const struct answer_word *answer_matcher(size_t i);      /* NULL ends it */
const struct answer_word *answer_action(size_t i);

struct answer_rules;

int  answer_rules_alloc(struct answer_rules **rp);       /* free: mem_deref */
/** One more line; an empty one and a comment (#) are none. err: one sentence,
 *  UA_ERR bytes. @return 0, EINVAL, ENOSPC, ENOMEM */
int  answer_rules_line(struct answer_rules *r, const char *text, size_t len,
		       char *err);
/** All lines of a file; err names the line. @return 0 or errno */
int  answer_rules_file(struct answer_rules *r, const char *path, char *err);
size_t answer_rules_count(const struct answer_rules *r);
/** The i-th: as it was written, and how often it decided. @return false:
 *  there is none */
bool answer_rules_at(const struct answer_rules *r, size_t i,
		     const char **text, uint64_t *hits);

/** What it does; NULL: there is none */
const struct answer_rule *answer_rules_act(const struct answer_rules *r,
					   size_t i);

/** What is looked at */
struct answer_subject {
	const char *method;
	const char *from, *to, *ruri;    /* URIs, or "user@host"             */
	/** First header of that name. @return 0, ENOENT */
	int (*header_h)(const char *name, char *buf, size_t sz, void *arg);
	void *arg;
};
/** The first that holds, and is counted; NULL: none. Valid as long as r */
const struct answer_rule *answer_rules_find(struct answer_rules *r,
					    const struct answer_subject *s);

/** Take calls, and other requests, by these; NULL: no more. Counted */
void answer_set_rules(struct answer *a, struct answer_rules *r);
struct answer_rules *answer_get_rules(const struct answer *a);

#endif
