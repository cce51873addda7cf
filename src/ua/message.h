/**
 * @file ua/message.h  Inside messages
 */
#ifndef OFFHOOK_UA_MESSAGE_H
#define OFFHOOK_UA_MESSAGE_H

#include "priv.h"
#include "reach.h"
#include "requests.h"

struct composing;

/* composing.c */
/** A message goes out: no word that we have stopped writing */
void composing_sent(struct ua *ua, const char *target, unsigned call);
/** Whom we do not tell that we write, for he does not understand */
bool composing_unwanted(const struct ua *ua, const char *uri);
void composing_refused(struct ua *ua, const char *uri);
/** What somebody tells of his writing; events follow */
void composing_take(struct ua *ua, const struct call *c, const char *from,
		    const struct composing *cp);
/** His message is here */
void composing_done(struct ua *ua, const char *from);
void composing_flush(struct ua *ua);

#endif
