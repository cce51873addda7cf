/**
 * @file score.c  How well a recording matches what was said
 *
 * Pure functions over samples, for the self-test.  The recording is laid over
 * the original in two steps: the course of the loudness finds the place to
 * 10 ms, the waveform (or, where a codec has changed it, the loudness again,
 * in finer steps) finds it to a sample.  Then both are cut into frames and
 * compared where the original speaks: level, holes, shape of the spectrum.
 */
#include <math.h>
#include <offhook/compat.h>
#include <offhook/app.h>


enum {
	HOP_MS     = 10,        /* of the loudness course                    */
	FRAME_MS   = 20,        /* of the comparison                         */
	BANDS      = 16,        /* between 200 Hz and the lower of 3.4 kHz,
				   where every codec still has something     */
	FFT_MAX    = 2048,
};

static const double gap_db     = 25.0;   /* quieter than the original by   */
static const double active_db  = 30.0;   /* below the loudest: not speech  */
static const double band_lo_hz = 200.0;
static const double band_hi_hz = 3400.0;


static double energy(const int16_t *v, size_t n)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)v[i] * v[i];

	return n ? sum / (double)n : 0;
}


static double db(double power)
{
	return 10 * log10(power + 1);
}


/* Loudness every hop samples; free(). Its mean is taken out, so that silence
 * on both sides does not look alike. */
static double *course(const int16_t *v, size_t n, size_t hop, size_t *count)
{
	const size_t k = n / hop;
	double *c, mean = 0;

	c = calloc(k ? k : 1, sizeof(*c));
	if (!c)
		return NULL;

	for (size_t i = 0; i < k; i++) {
		c[i] = db(energy(v + i * hop, hop));
		mean += c[i];
	}

	for (size_t i = 0; i < k; i++)
		c[i] -= mean / (double)k;

	*count = k;
	return c;
}


/*
 * Correlation of a with b moved by lag. What of a lies outside b counts as not
 * matched, so that a rhythm is not mistaken for a shorter overlap.
 */
static double course_match(const double *a, size_t na, const double *b,
			   size_t nb, long lag)
{
	double ab = 0, aa = 0, bb = 0;

	for (size_t i = 0; i < na; i++) {
		const long j = (long)i + lag;

		aa += a[i] * a[i];

		if (j < 0 || j >= (long)nb)
			continue;

		ab += a[i] * b[j];
		bb += b[j] * b[j];
	}

	return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}


static double wave_match(const int16_t *a, const int16_t *b, size_t n)
{
	double ab = 0, aa = 0, bb = 0;

	for (size_t i = 0; i < n; i++) {
		ab += (double)a[i] * b[i];
		aa += (double)a[i] * a[i];
		bb += (double)b[i] * b[i];
	}

	return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}


/* The loudest second of the original: the best place for a close look */
static size_t loudest(const int16_t *v, size_t n, size_t len)
{
	size_t best = 0;
	double most = -1;

	for (size_t i = 0; i + len <= n; i += len / 4) {
		const double e = energy(v + i, len);

		if (e > most) {
			most = e;
			best = i;
		}
	}

	return best;
}


/*
 * Where ref begins in rec, in samples (may be negative).
 * @return 0, ENOMEM, ENOENT (it is not in there)
 */
static int find(long *lag, const int16_t *ref, size_t nref,
		const int16_t *rec, size_t nrec, uint32_t rate)
{
	const size_t hop = rate * HOP_MS / 1000;
	const size_t win = nref < rate ? nref : rate;
	const long reach = (long)hop * 3 / 2;
	double *a = NULL, *b = NULL, best = 0, most = 0;
	size_t na = 0, nb = 0, at;
	long coarse = 0, fine;
	int err = 0;

	a = course(ref, nref, hop, &na);
	b = course(rec, nrec, hop, &nb);
	if (!a || !b) {
		err = ENOMEM;
		goto out;
	}

	for (long l = -(long)na / 2; l < (long)nb; l++) {
		const double m = course_match(a, na, b, nb, l);

		if (m > best) {
			best = m;
			coarse = l;
		}
	}

	if (best < 0.5) {
		err = ENOENT;
		goto out;
	}

	at = loudest(ref, nref, win);
	fine = coarse * (long)hop;
	*lag = fine;

	for (long l = fine - reach; l <= fine + reach; l++) {
		const long j = (long)at + l;
		double m;

		if (j < 0 || j + (long)win > (long)nrec)
			continue;

		m = wave_match(ref + at, rec + j, win);
		if (m > most) {
			most = m;
			*lag = l;
		}
	}

	/* a waveform that a codec has rebuilt says little: keep the course */
	if (most < 0.3)
		*lag = fine;

 out:
	free(a);
	free(b);

	return err;
}


/* In-place radix-2 transform; n a power of two */
static void fft(double *re, double *im, size_t n)
{
	for (size_t i = 1, j = 0; i < n; i++) {
		size_t bit = n >> 1;

		for (; j & bit; bit >>= 1)
			j ^= bit;
		j ^= bit;

		if (i < j) {
			const double r = re[i], m = im[i];

			re[i] = re[j];
			im[i] = im[j];
			re[j] = r;
			im[j] = m;
		}
	}

	for (size_t len = 2; len <= n; len <<= 1) {
		const double ang = -2 * M_PI / (double)len;

		for (size_t i = 0; i < n; i += len) {
			for (size_t k = 0; k < len / 2; k++) {
				const double c = cos(ang * (double)k);
				const double s = sin(ang * (double)k);
				const size_t p = i + k, q = p + len / 2;
				const double r = re[q] * c - im[q] * s;
				const double m = re[q] * s + im[q] * c;

				re[q] = re[p] - r;
				im[q] = im[p] - m;
				re[p] += r;
				im[p] += m;
			}
		}
	}
}


/* Loudness in bands of equal width on the logarithmic scale */
static void bands(double out[BANDS], const int16_t *v, size_t n, uint32_t rate)
{
	static const double step = 1.0 / BANDS;
	double re[FFT_MAX] = {0}, im[FFT_MAX] = {0};
	size_t size = 1;

	while (size < n && size < FFT_MAX)
		size <<= 1;

	for (size_t i = 0; i < n && i < size; i++)
		re[i] = v[i] * (0.5 - 0.5 * cos(2 * M_PI * (double)i /
						(double)n));

	fft(re, im, size);

	for (int k = 0; k < BANDS; k++) {
		const double ratio = band_hi_hz / band_lo_hz;
		const double lo = band_lo_hz * pow(ratio, k * step);
		const double hi = band_lo_hz * pow(ratio, (k + 1) * step);
		size_t from = (size_t)(lo * (double)size / rate);
		size_t to = (size_t)(hi * (double)size / rate);
		double sum = 0;

		if (to <= from)
			to = from + 1;
		for (size_t i = from; i < to && i < size / 2; i++)
			sum += re[i] * re[i] + im[i] * im[i];

		out[k] = db(sum / (double)(to - from) / (double)size);
	}
}


static double shape_match(const double a[BANDS], const double b[BANDS])
{
	double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;

	for (int k = 0; k < BANDS; k++) {
		ma += a[k] / BANDS;
		mb += b[k] / BANDS;
	}

	for (int k = 0; k < BANDS; k++) {
		ab += (a[k] - ma) * (b[k] - mb);
		aa += (a[k] - ma) * (a[k] - ma);
		bb += (b[k] - mb) * (b[k] - mb);
	}

	return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}


int sound_score(struct sound_score *sc, const int16_t *ref, size_t nref,
		const int16_t *rec, size_t nrec, uint32_t rate_hz)
{
	const size_t frame = rate_hz * FRAME_MS / 1000;
	double top = 0, eref = 0, erec = 0, match = 0;
	unsigned frames = 0;
	bool in_gap = false;
	long lag = 0;
	int err;

	if (!sc || !ref || !rec || rate_hz < 8000 || rate_hz > 48000 ||
	    nref < rate_hz / 2)
		return EINVAL;

	memset(sc, 0, sizeof(*sc));

	if (nrec < rate_hz / 10)
		return 0;

	err = find(&lag, ref, nref, rec, nrec, rate_hz);
	if (err == ENOENT)
		return 0;
	if (err)
		return err;

	for (size_t i = 0; i + frame <= nref; i += frame)
		top = fmax(top, db(energy(ref + i, frame)));

	for (size_t i = 0; i + frame <= nref; i += frame) {
		const double e = energy(ref + i, frame);
		const long j = (long)i + lag;
		double a[BANDS], b[BANDS], heard = 0;

		if (db(e) < top - active_db)
			continue;

		frames++;
		eref += e;

		if (j >= 0 && j + (long)frame <= (long)nrec) {
			heard = energy(rec + j, frame);
			erec += heard;

			bands(a, ref + i, frame, rate_hz);
			bands(b, rec + j, frame, rate_hz);
			match += fmax(0, shape_match(a, b));
		}

		if (db(heard) < db(e) - gap_db) {
			if (!in_gap)
				sc->gaps++;
			sc->gap_ms += FRAME_MS;
			in_gap = true;
		}
		else {
			in_gap = false;
		}
	}

	sc->aligned = true;
	sc->delay_ms = 1000.0 * (double)lag / rate_hz;
	sc->level_db = 10 * log10((erec + 1) / (eref + 1));
	sc->similarity = frames ? match / frames : 0;

	return 0;
}
