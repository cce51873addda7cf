/**
 * @file outlook.h  What is lost lately, and what it is worth to wait for
 *
 * Media thread; part of a receiver.
 */
#ifndef OFFHOOK_MEDIA_OUTLOOK_H
#define OFFHOOK_MEDIA_OUTLOOK_H

#include "priv.h"

/** Before each block: tell the jitter buffer how far it has to look ahead */
void outlook_look(struct receiver *r, uint64_t now_us);

#endif
