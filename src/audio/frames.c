/**
 * @file frames.c  A mean and a side into left and right
 *
 * Pure; any thread.
 */
#include "priv.h"


static int16_t cut(int32_t s)
{
	return (int16_t)(s > INT16_MAX ? INT16_MAX :
			 s < INT16_MIN ? INT16_MIN : s);
}


void frames_make(int16_t *out, const int16_t *v, const int16_t *side, size_t n)
{
	if (!side) {
		for (size_t i = 0; i < n; i++)
			out[2 * i] = out[2 * i + 1] = v[i];
		return;
	}

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = cut((int32_t)v[i] + side[i]);
		out[2 * i + 1] = cut((int32_t)v[i] - side[i]);
	}
}
