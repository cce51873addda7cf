/**
 * @file stoi.c  Short-time objective intelligibility (Taal et al. 2011)
 */
#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "stoi.h"


enum { FRAME = 256, FFT = 512, BANDS = 15, SPAN = 30 };

typedef float complex cf;


static void fft(cf *a, int n)
{
	for (int i = 1, j = 0; i < n; i++) {
		int bit = n >> 1;

		for (; j & bit; bit >>= 1)
			j ^= bit;
		j |= bit;
		if (i < j) {
			const cf t = a[i];

			a[i] = a[j];
			a[j] = t;
		}
	}
	for (int len = 2; len <= n; len <<= 1) {
		const cf turn = cexpf(-2.0f * (float)M_PI * I / (float)len);

		for (int i = 0; i < n; i += len) {
			cf w = 1;

			for (int k = 0; k < len / 2; k++, w *= turn) {
				const cf x = a[i + k];
				const cf y = a[i + k + len / 2] * w;

				a[i + k] = x + y;
				a[i + k + len / 2] = x - y;
			}
		}
	}
}


static float hann(int i)
{
	return 0.5f - 0.5f * cosf(2 * (float)M_PI * (float)(i + 1) /
				  (FRAME + 1));
}


static void bands(float out[BANDS], const float *v)
{
	static cf a[FFT];

	memset(a, 0, sizeof(a));
	for (int i = 0; i < FRAME; i++)
		a[i] = v[i] * hann(i);
	fft(a, FFT);

	for (int j = 0; j < BANDS; j++) {
		const double mid = 150 * pow(2, j / 3.0);
		const int lo = (int)lrint(mid * pow(2, -1 / 6.0) * FFT /
					  STOI_HZ);
		const int hi = (int)lrint(mid * pow(2, 1 / 6.0) * FFT /
					  STOI_HZ);
		float sum = 0;

		for (int k = lo; k < hi; k++)
			sum += crealf(a[k] * conjf(a[k]));
		out[j] = sqrtf(sum);
	}
}


/* Correlation of a band over the last SPAN frames before m */
static double likeness(float (*x)[BANDS], float (*y)[BANDS], long m, int j)
{
	const double most = 1 + pow(10, 15 / 20.0);
	double ex = 0, ey = 0, mx = 0, my = 0, xy = 0, xx = 0, yy = 0;
	double v[SPAN], gain;

	for (int k = 0; k < SPAN; k++) {
		const double a = x[m - SPAN + k][j], b = y[m - SPAN + k][j];

		ex += a * a;
		ey += b * b;
	}
	gain = sqrt(ex / (ey + 1e-12));

	for (int k = 0; k < SPAN; k++) {
		const double a = x[m - SPAN + k][j];

		v[k] = fmin(gain * y[m - SPAN + k][j], a * most);
		mx += a / SPAN;
		my += v[k] / SPAN;
	}
	for (int k = 0; k < SPAN; k++) {
		const double a = x[m - SPAN + k][j] - mx, b = v[k] - my;

		xy += a * b;
		xx += a * a;
		yy += b * b;
	}

	return xy / (sqrt(xx * yy) + 1e-12);
}


double stoi(const float *x, const float *y, long len)
{
	const long n = (len - FRAME) / (FRAME / 2);
	float (*a)[BANDS] = calloc((size_t)n + 1, sizeof(*a));
	float (*b)[BANDS] = calloc((size_t)n + 1, sizeof(*b));
	double *e = calloc((size_t)n + 1, sizeof(*e)), loudest = 0, sum = 0;
	long kept = 0, count = 0;

	if (!a || !b || !e)
		abort();

	for (long i = 0; i < n; i++) {
		for (int k = 0; k < FRAME; k++) {
			const double v = hann(k) * x[i * (FRAME / 2) + k];

			e[i] += v * v;
		}
		loudest = fmax(loudest, e[i]);
	}
	for (long i = 0; i < n; i++) {
		if (e[i] < loudest * 1e-4)
			continue;
		bands(a[kept], x + i * (FRAME / 2));
		bands(b[kept], y + i * (FRAME / 2));
		++kept;
	}
	for (long m = SPAN; m <= kept; m++) {
		for (int j = 0; j < BANDS; j++, count++)
			sum += likeness(a, b, m, j);
	}
	free(a);
	free(b);
	free(e);

	return count ? sum / (double)count : 0;
}
