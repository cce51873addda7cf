/**
 * @file tsm.h  Sound made shorter or longer, at the same pitch
 *
 * Waveform-similarity overlap-add on one packet's samples.  Pure; any rate
 * from 8 to 48 kHz; media thread.
 */
#ifndef OFFHOOK_MEDIA_TSM_H
#define OFFHOOK_MEDIA_TSM_H

#include <stddef.h>
#include <stdint.h>

/**
 * Take a cycle out of the n samples, at most `most` of them. like_pct: how
 * alike what is joined must be, 0: no matter. @return samples left, n: there
 * was no place for it. side: what lies beside it (NULL: nothing) is joined at the
 * same places
 */
size_t tsm_shorten(int16_t *v, int16_t *side, size_t n, size_t most,
		   uint32_t rate_hz, unsigned like_pct);
/** The same, repeating one; at most max samples come out */
size_t tsm_lengthen(int16_t *v, int16_t *side, size_t n, size_t most,
		    size_t max, uint32_t rate_hz, unsigned like_pct);

#endif
