/**
 * @file app/answer_words.h  Inside rules of listen: their words
 */
#ifndef OFFHOOK_APP_ANSWER_WORDS_H
#define OFFHOOK_APP_ANSWER_WORDS_H

#include "offhook/answer_rules.h"

enum { ANSWER_VALUE = 512 };

struct match;
typedef bool (match_h)(const struct match *m, const struct answer_subject *s);

struct match {
	match_h *is;
	char text[ANSWER_VALUE];    /* a pattern                                */
	char name[64];           /* of a header                              */
};

/** A row of matchers: how it is read, and held against a request */
struct matcher_row {
	struct answer_word word;
	match_h *is;             /* NULL: it counts those that came          */
	int (*take)(struct match *m, const char *value, char *err);
};

/** A row of actions */
struct action_row {
	struct answer_word word;
	int (*act)(struct answer_rule *r, const char *value, char *err);
	bool maybe;              /* the value may be left out                */
};

/** NULL: there is none of that name */
const struct matcher_row *matcher_find(const char *name);
const struct action_row *action_find(const char *name);
/** Does it ask for a method? */
bool match_is_method(const struct match *m);
/** Write why, UA_ERR bytes. @return EINVAL */
int  answer_wrong(char *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
