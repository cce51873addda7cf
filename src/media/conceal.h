/**
 * @file conceal.h  What was lost is made up
 *
 * Media thread; part of a receiver.
 */
#ifndef OFFHOOK_MEDIA_CONCEAL_H
#define OFFHOOK_MEDIA_CONCEAL_H

#include "priv.h"

/** Make up what jf says; side: beside v, of a decoder of two channels.
 *  @return samples at the codec's rate */
size_t conceal_gap(struct receiver *r, int16_t *v, int16_t *side,
		   const struct jitter_frame *jf);
/** So much of what the codec thinks its peer's silence sounds like */
size_t conceal_silence(struct receiver *r, int16_t *v, int16_t *side,
		       uint32_t units);
/** This was decoded, in its turn: the start is bent to meet what was made up */
void conceal_heard(struct receiver *r, int16_t *v, size_t n);
/** Can struct plc be used at the rate of the codec? @return false: no memory */
bool conceal_ready(struct receiver *r);

/** Is there anything beside what was just made? */
void conceal_side(struct receiver *r, const int16_t *side, size_t n);
/** Room for n samples; what was there is void. @return false: no memory */
bool conceal_room(int16_t **vp, size_t *max, size_t n);

#endif
