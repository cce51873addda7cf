/**
 * @file voice.c  Noise with the rhythm and the colour of speech
 */
#include <math.h>
#include "voice.h"

static uint32_t state;


void voice_seed(uint32_t seed)
{
	state = seed;
}


double voice_random(void)
{
	state = state * 1664525 + 1013904223;

	return (state >> 8) / 8388608.0 - 1.0;
}


void voice_speak(int16_t *v, size_t n, uint32_t seed)
{
	double y = 0.0, level = 0.0, want = 0.0, pitch = 120.0, phase = 0.0;
	size_t left = 0;

	voice_seed(seed);
	for (size_t i = 0; i < n; i++) {
		double x;

		if (!left) {
			left = (size_t)(VOICE_HZ *
					(0.12 + 0.09 * (1 + voice_random())));
			want = voice_random() > -0.4
				? 0.6 + 0.4 * voice_random() : 0.0;
			pitch = 140.0 + 50.0 * voice_random();
		}
		--left;
		level += 0.002 * (want - level);
		phase += pitch / VOICE_HZ;
		if (phase >= 1.0)
			phase -= 1.0;
		x = (phase < 0.08 ? 4.0 : -0.35) + 0.7 * voice_random();
		y += 0.35 * (x - y);
		v[i] = (int16_t)lrint(4000.0 * level * y);
	}
}
