/**
 * @file tones.h  What a telephone sounds like, country by country
 */
#ifndef APP_TONES_H
#define APP_TONES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tone_kind {
	TONE_RINGBACK,           /* it rings there                           */
	TONE_BUSY,
	TONE_CONGESTION,         /* it cannot be reached                     */
	TONE_WAITING,            /* another call comes while we talk         */
	TONE_DIAL,
	TONE_RING,               /* it rings here                            */
	TONE_KINDS
};

enum { TONE_RATE_HZ = 16000 };

/** "ringback": also the name of a file that takes its place */
const char *tone_name(enum tone_kind kind);
/** TONE_KINDS when there is none of that name */
enum tone_kind tone_find(const char *name);
/** Codes of the countries, "itu" first; NULL ends them */
const char *tone_country(size_t i);
/**
 * One turn of it as samples (TONE_RATE_HZ), to be heard again and again;
 * country: a code, or "auto": by the locale. free().
 * @return 0, ENOENT (no such country), ENOMEM
 */
int  tone_make(int16_t **vp, size_t *np, enum tone_kind kind,
	       const char *country);

/** Names of what it may ring with here, "bell" first; NULL ends them */
const char *tone_ring_name(size_t i);
/** One of these, with the country's cadence; "none" is silent, and any other
 *  name ENOENT. As tone_make otherwise */
int  tone_make_ring(int16_t **vp, size_t *np, const char *name,
		    const char *country);

#endif
