/**
 * @file align.h  Where what was said lies in a recording
 *
 * Pure functions over samples of one rate.
 */
#ifndef OFFHOOK_APP_ALIGN_H
#define OFFHOOK_APP_ALIGN_H

#include <stddef.h>
#include <stdint.h>

/** From that sample of the original on it lies lag samples further on in the
 *  recording */
struct align_place {
	size_t from;
	long lag;
};

/** Mean power */
double align_energy(const int16_t *v, size_t n);
double align_db(double power);
/** -1..1: how alike two pieces are, whatever their loudness */
double align_match(const int16_t *a, const int16_t *b, size_t n);

/**
 * Where ref begins in rec, in samples (may be negative).
 * @return 0, ENOMEM, ENOENT (it is not in there)
 */
int align_find(long *lag, const int16_t *ref, size_t nref,
	       const int16_t *rec, size_t nrec, uint32_t rate);

/**
 * Follow it from there on; rate: a multiple of 8000.
 * @param placep  at least one, the first from 0; free()
 * @return 0, ENOMEM
 */
int align_follow(struct align_place **placep, size_t *np, const int16_t *ref,
		 size_t nref, const int16_t *rec, size_t nrec, uint32_t rate,
		 long lag);

#endif
