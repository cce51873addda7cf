/**
 * @file wave.c  Sounds to test codecs with, and how alike two are
 */
#include <math.h>
#include "wave.h"


static int16_t clip(double v)
{
	return v > 32767 ? 32767 : v < -32768 ? -32768 : (int16_t)lrint(v);
}


void wave_sine(int16_t *v, size_t n, uint32_t rate_hz, double hz, double amp)
{
	for (size_t i = 0; i < n; i++)
		v[i] = clip(amp * sin(2 * M_PI * hz * (double)i / rate_hz));
}


void wave_noise(int16_t *v, size_t n, double amp)
{
	uint32_t s = 1;

	for (size_t i = 0; i < n; i++) {
		s = s * 1664525u + 1013904223u;
		v[i] = clip(amp * ((double)(s >> 8) / 8388608.0 - 1.0));
	}
}


/* a two-pole resonator */
struct pole {
	double a, b, y1, y2;
};


static double ring_at(struct pole *p, double x)
{
	const double y = x + p->a * p->y1 + p->b * p->y2;

	p->y2 = p->y1;
	p->y1 = y;

	return y;
}


static void tune_to(struct pole *p, double hz, double width, double rate)
{
	const double r = exp(-M_PI * width / rate);

	p->a = 2 * r * cos(2 * M_PI * hz / rate);
	p->b = -r * r;
}


void wave_voice(int16_t *v, size_t n, uint32_t rate_hz)
{
	struct pole f1 = {0}, f2 = {0};
	double phase = 0, peak = 1;

	for (int pass = 0; pass < 2; pass++) {
		f1 = f2 = (struct pole){0};
		phase = 0;

		for (size_t i = 0; i < n; i++) {
			const double t = (double)i / rate_hz;
			const double pitch = 120 + 30 * sin(2 * M_PI * t);
			const double syllable = fmod(t, 0.4) / 0.4;
			double x = 0, y;

			phase += pitch / rate_hz;
			if (phase >= 1) {
				phase -= 1;
				x = 1;
			}
			if (syllable > 0.8)
				x = 0;

			tune_to(&f1, 600 + 150 * sin(7 * t), 80, rate_hz);
			tune_to(&f2, 1400 + 400 * sin(5 * t), 120, rate_hz);
			y = ring_at(&f1, x) + 0.5 * ring_at(&f2, x);

			if (!pass)
				peak = fmax(peak, fabs(y));
			else
				v[i] = clip(y * 12000 / peak);
		}
	}
}


double wave_snr(const int16_t *ref, const int16_t *got, size_t n)
{
	double s = 1e-9, d = 1e-9;

	for (size_t i = 0; i < n; i++) {
		const double e = (double)ref[i] - got[i];

		s += (double)ref[i] * ref[i];
		d += e * e;
	}

	return 10 * log10(s / d);
}


double wave_rms(const int16_t *v, size_t n)
{
	double s = 0;

	for (size_t i = 0; i < n; i++)
		s += (double)v[i] * v[i];

	return n ? sqrt(s / (double)n) : 0;
}
