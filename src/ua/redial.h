/**
 * @file ua/redial.h  Between the files of calls that are made again
 */
#ifndef OFFHOOK_UA_REDIAL_H
#define OFFHOOK_UA_REDIAL_H

struct call;

/* redial.c */
/** It is made again now */
void redial_now(struct call *c);

/* redial_free.c */
/** Until the other side is free or does not tell; then redial_now, never from
 *  inside. Freed with c->redial.vigil. @return 0 or errno */
int  redial_vigil(struct call *c);

#endif
