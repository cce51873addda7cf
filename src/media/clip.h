/**
 * @file clip.h  A microphone that is too loud
 *
 * Pure.  Media thread.
 */
#ifndef OFFHOOK_MEDIA_CLIP_H
#define OFFHOOK_MEDIA_CLIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clip {
	uint32_t n, cut;         /* samples of this second; at the limit    */
	bool bad;                /* so was the second before                */
	unsigned still;          /* seconds until it may be said again      */
};

/** @return true: it is to be told, now and not again for half a minute */
bool clip_hear(struct clip *c, const int16_t *v, size_t n, uint32_t rate_hz);

#endif
