/**
 * @file mixer.c  The sum of several voices
 *
 * Pure; media thread.  A sum that is too loud is cut, never wrapped.
 */
#include "priv.h"


void mixer_add(int16_t *sum, const int16_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const int32_t s = (int32_t)sum[i] + v[i];

		sum[i] = (int16_t)(s > INT16_MAX ? INT16_MAX :
				   s < INT16_MIN ? INT16_MIN : s);
	}
}
