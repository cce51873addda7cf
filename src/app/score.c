/**
 * @file score.c  How well a recording matches what was said
 *
 * Pure functions over samples, for the self-test.  The recording is laid over
 * the original (align.c), both are cut into frames and compared where the
 * original speaks: level, holes, shape of the spectrum.  What was said later
 * or sooner than before is no hole, but a silence put in is one.
 */
#include <math.h>
#include <offhook/compat.h>
#include <offhook/app.h>
#include "align.h"


enum {
	FRAME_MS   = 20,        /* of the comparison                         */
	NEAR_MS    = 40,        /* a move is not known better than to        */
	HOP_MS     = 10,        /* of a silence put in                       */
	BANDS      = 16,        /* between 200 Hz and the lower of 3.4 kHz,
				   where every codec still has something     */
	FFT_MAX    = 2048,
};

static const double gap_db     = 25.0;   /* quieter than the original by   */
static const double active_db  = 30.0;   /* below the loudest: not speech  */
static const double elsewhere = 0.5;     /* alike: it lies beyond a move    */
static const double band_lo_hz = 200.0;
static const double band_hi_hz = 3400.0;


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

		out[k] = align_db(sum / (double)(to - from) / (double)size);
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


/* Near a move a frame lies on the one side of it or on the other.
 * @return the frame of the recording that belongs to the one at i of the
 * original, NULL: none */
static const int16_t *counterpart(const struct align_place *place, size_t n,
				  const int16_t *ref, size_t i, size_t frame,
				  const int16_t *rec, size_t nrec)
{
	const size_t near = frame / FRAME_MS * NEAR_MS;
	const int16_t *best = NULL;
	double most = elsewhere;
	size_t k = 0;

	while (k + 1 < n && place[k + 1].from <= i)
		++k;

	for (size_t m = k ? k - 1 : 0; m <= k + 1 && m < n; m++) {
		const long j = (long)i + place[m].lag;
		double like;

		if (j < 0 || j + (long)frame > (long)nrec ||
		    (m < k && i - place[k].from > near) ||
		    (m > k && place[m].from - i > near))
			continue;

		like = align_match(ref + i, rec + j, frame);
		if (like > most || (m == k && !best)) {
			best = rec + j;
			most = fmax(most, like);
		}
	}

	return best;
}


static double quietest(const int16_t *v, size_t n, size_t hop)
{
	double least = INFINITY;

	for (size_t i = 0; i + hop <= n; i += hop / 2)
		least = fmin(least, align_db(align_energy(v + i, hop)));

	return least;
}


/* Where what follows lies further back: is it silence that was put in, and in
 * the midst of speech? */
static bool silence_put_in(const struct align_place *place, const int16_t *ref,
			   size_t nref, const int16_t *rec, size_t nrec,
			   uint32_t rate_hz, double top)
{
	const size_t hop = rate_hz * HOP_MS / 1000;
	const long side = (long)(rate_hz * NEAR_MS / 2000);
	const long at = (long)place[1].from, put = place[1].lag - place[0].lag;
	const long j = at - side + place[0].lag;
	double said;

	if (put <= 0 || at < side || at + side > (long)nref || j < 0 ||
	    j + 2 * side + put > (long)nrec)
		return false;

	said = quietest(ref + at - side, (size_t)(2 * side), hop);

	return said > top - active_db &&
		quietest(rec + j, (size_t)(2 * side + put), hop) <
		said - gap_db;
}


static double moves_ms(const struct align_place *place, size_t n,
		       uint32_t rate_hz)
{
	double sum = 0;

	for (size_t k = 1; k < n; k++)
		sum += fabs((double)(place[k].lag - place[k - 1].lag));

	return 1000 * sum / rate_hz;
}


int sound_score(struct sound_score *sc, const int16_t *ref, size_t nref,
		const int16_t *rec, size_t nrec, uint32_t rate_hz)
{
	const size_t frame = rate_hz * FRAME_MS / 1000;
	double top = 0, eref = 0, erec = 0, match = 0;
	struct align_place *place;
	size_t places;
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

	err = align_find(&lag, ref, nref, rec, nrec, rate_hz);
	if (err == ENOENT)
		return 0;
	if (!err)
		err = align_follow(&place, &places, ref, nref, rec, nrec,
				   rate_hz, lag);
	if (err)
		return err;

	for (size_t i = 0; i + frame <= nref; i += frame)
		top = fmax(top, align_db(align_energy(ref + i, frame)));

	for (size_t i = 0; i + frame <= nref; i += frame) {
		const double e = align_energy(ref + i, frame);
		const int16_t *p;
		double a[BANDS], b[BANDS], heard = 0;

		if (align_db(e) < top - active_db)
			continue;

		frames++;
		eref += e;

		p = counterpart(place, places, ref, i, frame, rec, nrec);
		if (p) {
			heard = align_energy(p, frame);
			erec += heard;

			bands(a, ref + i, frame, rate_hz);
			bands(b, p, frame, rate_hz);
			match += fmax(0, shape_match(a, b));
		}

		if (align_db(heard) < align_db(e) - gap_db) {
			if (!in_gap)
				sc->gaps++;
			sc->gap_ms += FRAME_MS;
			in_gap = true;
		}
		else {
			in_gap = false;
		}
	}

	for (size_t k = 0; k + 1 < places; k++) {
		if (!silence_put_in(place + k, ref, nref, rec, nrec, rate_hz,
				    top))
			continue;

		sc->gaps++;
		sc->gap_ms += 1000.0 * (double)(place[k + 1].lag -
						place[k].lag) / rate_hz;
	}

	sc->aligned = true;
	sc->moved_ms = moves_ms(place, places, rate_hz);
	sc->delay_ms = 1000.0 * (double)lag / rate_hz;
	sc->level_db = 10 * log10((erec + 1) / (eref + 1));
	sc->similarity = frames ? match / frames : 0;
	free(place);

	return 0;
}
