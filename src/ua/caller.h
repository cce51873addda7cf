/**
 * @file ua/caller.h  Who calls us, and who we say we are
 *
 * caller.c keeps what an INVITE told of its caller; extra.c writes the header
 * lines that a call of ours carries beside what SIP itself needs.
 */
#ifndef OFFHOOK_UA_CALLER_H
#define OFFHOOK_UA_CALLER_H

#include "offhook/ua.h"

/** Of an INVITE that came; NULL in a call: it told nothing of the kind */
struct caller {
	struct sip_caller told;      /* what is not to be believed is gone   */
	struct sip_auto_answer answer;
	char *earlier;               /* who has sent it on, as lines; NULL   */
};

/* caller.c */
/** Read it and keep it in the call. @return 0, ENOMEM */
int  caller_take(struct call *c, const struct sip_info *in);
/** A message in the call says who the other side is (RFC 4916, 3325): what
 *  differs from what is known is kept and told */
void caller_named(struct call *c, const struct sip_info *in);
/** He is told whom he has reached, if the account wants that */
void caller_tell(struct call *c);
/** Into the event of an incoming call */
void caller_event(struct event *ev, const struct call *c);

/* extra.c */
/** Headers of the user with {words} filled in. *lines NULL when there are
 *  none. @return 0, EINVAL (err says why), ENOMEM */
int  extra_expand(char **lines, const char *headers,
		  const struct account *acc, const struct call *c, char *err);
/** Lines of the account's own for every request, and those of them that have
 *  {words}, for calls; each with CRLF, or NULL. @return 0, EINVAL, ENOMEM */
int  extra_split(char **plain, char **words, const char *header, char *err);
/** All that a call of ours carries: who we say we are, privacy, whether the
 *  other phone is to answer by itself, headers. @return as extra_expand */
int  extra_make(struct call *c, const struct ua_dial *prm, char *err);

#endif
