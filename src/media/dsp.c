/**
 * @file dsp.c  The room: echo, noise, level of what the microphone captures
 *
 * Media thread; speexdsp does the hard part.  The echo canceller is given
 * what was played as long ago as it takes to come back through the buffers
 * of the device (align.c), so that its 200 ms of memory are for the room
 * alone; it takes the residual echo away only with the noise suppressor's help, which
 * is therefore on whenever it is (at 0 dB when no noise is to be suppressed).
 * In front of both a high-pass takes away rumble and hum, behind them a
 * limiter catches what the automatic gain made too loud.  That gain rises
 * while somebody speaks here and never in between, or noise would swell in
 * each pause and the next word come out too loud.
 */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <speex/speex_preprocess.h>
#include <offhook/compat.h>
#include "align.h"
#include "astray.h"
#include "cancel.h"
#include "dsp.h"
#include "duplex.h"


enum {
	FRAME_MAX = 480,
	PAST      = 25,          /* blocks: more than the canceller holds   */
	NOISE_DB  = -15,
	ECHO_DB   = -40, ECHO_BOTH_DB = -15,     /* of the residual echo    */
	AGC_LEVEL = 9000,        /* of 32768: loud speech                   */
	AGC_MAX_DB = 18,
	AGC_RISE  = 12,          /* dB a second, while somebody speaks      */
	PAUSE     = 25,          /* blocks; between words it is no pause    */
	NOISE_BLOCKS = 50,       /* of it, before anything is said of it    */
};

#define HIGH_PASS_HZ 90.0
#define LIMIT 29000.0f           /* -1 dBFS                                 */
#define FAR_LOUD 40000.0         /* mean square: -44 dBFS                   */
#define ABOVE    6.0             /* noise, in power: somebody speaks        */
#define NOISY    4.0             /* ... and below that nobody does          */
#define NOISE_KEEP 0.98
#define FLOOR_UP 1.0069          /* in a frame: noise may grow 3 dB a second */

struct dsp {
	uint32_t rate_hz;
	size_t frame;
	struct media_room conf;
	const struct canceller *how;     /* of echo                         */
	void *echo;                      /* its state; NULL: off            */
	SpeexPreprocessState *pre;       /* NULL: off                       */
	struct align *align;             /* what was played                 */
	struct astray astray;
	int16_t past[PAST][FRAME_MAX];   /* what was captured, a ring       */
	unsigned blocks;
	/* high-pass, second order */
	float b0, b1, b2, a1, a2, z1, z2;
	double floor;                    /* of the noise, mean square       */
	bool rises;                      /* the automatic gain may          */
	float limit;                     /* gain of the limiter             */
	struct duplex duplex;
	/* figures */
	double in, out;                  /* while the far end speaks        */
	double noise, noise_left;        /* while nobody does; mean squares */
	unsigned noise_blocks, quiet;    /* ever, in a row                  */
	double erle_db;
};


static void destructor(void *arg)
{
	struct dsp *d = arg;

	if (d->pre)
		speex_preprocess_state_destroy(d->pre);
	if (d->echo)
		d->how->stop(d->echo);
	mem_deref(d->align);
}


/* Butterworth, by the bilinear transform */
static void high_pass_init(struct dsp *d)
{
	const double k = tan(M_PI * HIGH_PASS_HZ / d->rate_hz);
	const double norm = 1.0 / (1.0 + M_SQRT2 * k + k * k);

	d->b0 = (float)norm;
	d->b1 = -2.0f * d->b0;
	d->b2 = d->b0;
	d->a1 = (float)(2.0 * (k * k - 1.0) * norm);
	d->a2 = (float)((1.0 - M_SQRT2 * k + k * k) * norm);
}


int dsp_alloc(struct dsp **dp, uint32_t rate_hz,
	      const struct media_room *conf)
{
	const size_t frame = rate_hz / 100;
	struct dsp *d;
	int err;

	if (rate_hz % 100 || frame < 80 || frame > FRAME_MAX)
		return EINVAL;

	d = mem_zalloc(sizeof(*d), destructor);
	if (!d)
		return ENOMEM;

	d->rate_hz = rate_hz;
	d->frame = frame;
	err = align_alloc(&d->align, rate_hz, frame);
	if (err) {
		mem_deref(d);
		return err;
	}

	d->limit = 1.0f;
	d->floor = 1e9;
	d->erle_db = NAN;
	high_pass_init(d);
	dsp_configure(d, conf);
	*dp = d;

	return 0;
}


static void echo_start(struct dsp *d, const struct canceller *how)
{
	d->how = how;
	d->echo = how->start(d->rate_hz, d->frame);
	d->in = d->out = 0.0;
	d->erle_db = NAN;
	memset(&d->astray, 0, sizeof(d->astray));
	memset(d->past, 0, sizeof(d->past));
}


static void echo_stop(struct dsp *d)
{
	/* the preprocessor looks at it */
	if (d->pre)
		(void)speex_preprocess_ctl(d->pre,
				SPEEX_PREPROCESS_SET_ECHO_STATE, NULL);
	d->how->stop(d->echo);
	d->echo = NULL;
	d->erle_db = NAN;
}


static void pre_settle(struct dsp *d)
{
	int noise = d->conf.noise ? NOISE_DB : 0, denoise = 1;
	int agc = d->conf.agc, max = AGC_MAX_DB, still = 0;
	int echo = ECHO_DB, both = ECHO_BOTH_DB;
	float level = AGC_LEVEL;

	(void)speex_preprocess_ctl(d->pre, SPEEX_PREPROCESS_SET_DENOISE,
				   &denoise);
	(void)speex_preprocess_ctl(d->pre, SPEEX_PREPROCESS_SET_NOISE_SUPPRESS,
				   &noise);
	(void)speex_preprocess_ctl(d->pre, SPEEX_PREPROCESS_SET_ECHO_SUPPRESS,
				   &echo);
	(void)speex_preprocess_ctl(d->pre,
				   SPEEX_PREPROCESS_SET_ECHO_SUPPRESS_ACTIVE,
				   &both);
	(void)speex_preprocess_ctl(d->pre, SPEEX_PREPROCESS_SET_ECHO_STATE,
				   d->echo && d->how->residual ?
				   d->how->residual(d->echo) : NULL);
	(void)speex_preprocess_ctl(d->pre, SPEEX_PREPROCESS_SET_AGC, &agc);
	if (!agc)
		return;
	(void)speex_preprocess_ctl(d->pre, SPEEX_PREPROCESS_SET_AGC_LEVEL,
				   &level);
	(void)speex_preprocess_ctl(d->pre, SPEEX_PREPROCESS_SET_AGC_MAX_GAIN,
				   &max);
	(void)speex_preprocess_ctl(d->pre, SPEEX_PREPROCESS_SET_AGC_INCREMENT,
				   &still);
	d->rises = false;
}


void dsp_configure(struct dsp *d, const struct media_room *conf)
{
	dsp_configure_with(d, conf, canceller(conf->canceller));
}


void dsp_configure_with(struct dsp *d, const struct media_room *conf,
			const struct canceller *how)
{
	const bool echo = conf->echo && how->start;
	const bool pre = echo || conf->noise || conf->agc;

	if (!conf->limiter)
		memset(&d->duplex, 0, sizeof(d->duplex));
	if (conf->noise != d->conf.noise)
		d->noise_blocks = 0;
	d->conf = *conf;

	if (!pre && d->pre) {
		speex_preprocess_state_destroy(d->pre);
		d->pre = NULL;
	}
	if (d->echo && (!echo || how != d->how))
		echo_stop(d);
	if (echo && !d->echo)
		echo_start(d, how);
	if (pre && !d->pre)
		d->pre = speex_preprocess_state_init((int)d->frame,
						     (int)d->rate_hz);
	if (d->pre)
		pre_settle(d);
}


void dsp_played(struct dsp *d, const int16_t *v, size_t n)
{
	align_played(d->align, v, n);
}


void dsp_missed(struct dsp *d, size_t missed)
{
	align_missed(d->align, missed);
}


static double power(const int16_t *v, size_t n)
{
	double sum = 0.0;

	for (size_t i = 0; i < n; i++)
		sum += (double)v[i] * v[i];

	return sum / (double)n;
}


static void high_pass(struct dsp *d, int16_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const float x = v[i];
		float y = d->b0 * x + d->z1;

		d->z1 = d->b1 * x - d->a1 * y + d->z2;
		d->z2 = d->b2 * x - d->a2 * y;

		if (y > 32767.0f)
			y = 32767.0f;
		if (y < -32768.0f)
			y = -32768.0f;
		v[i] = (int16_t)lrintf(y);
	}
}


/* Does somebody speak into the microphone? far: mean square of what is heard,
 * of which some may be left */
static void gain_look(struct dsp *d, double p, double far)
{
	const bool rises = p > ABOVE * d->floor && far < FAR_LOUD;
	int db = rises ? AGC_RISE : 0;

	if (rises == d->rises)
		return;

	d->rises = rises;
	(void)speex_preprocess_ctl(d->pre, SPEEX_PREPROCESS_SET_AGC_INCREMENT,
				   &db);
}


/* What the automatic gain adds, in power */
static double gain_power(const struct dsp *d)
{
	int db = 0;

	if (d->pre && d->conf.agc)
		(void)speex_preprocess_ctl(d->pre,
					   SPEEX_PREPROCESS_GET_AGC_GAIN, &db);

	return pow(10.0, db / 10.0);
}


/* How loud the room is, and how loud that is sent: p before the suppressor,
 * left behind it. What the gain adds to it is not the suppressor's fault */
static void noise_look(struct dsp *d, double p, double left, double far)
{
	double by;

	d->quiet = p < NOISY * d->floor && far < FAR_LOUD ? d->quiet + 1 : 0;
	if (d->quiet > PAUSE) {
		d->noise_blocks += d->noise_blocks < UINT_MAX;
		by = fmax(1.0 / d->noise_blocks, 1.0 - NOISE_KEEP);
		d->noise += by * (p - d->noise);
		d->noise_left += by * (left / gain_power(d) - d->noise_left);
	}
	d->floor = fmax(1.0, fmin(p, d->floor * FLOOR_UP));
}


/* Down at once, up again within a second: no pumping */
static void limiter(struct dsp *d, int16_t *v, size_t n)
{
	float peak = 1.0f, want, step;

	for (size_t i = 0; i < n; i++) {
		const float a = fabsf((float)v[i]);

		if (a > peak)
			peak = a;
	}

	want = peak * d->limit > LIMIT ? LIMIT / peak :
		fminf(1.0f, d->limit + 0.01f);
	if (peak * want > LIMIT)
		want = LIMIT / peak;
	step = (want - d->limit) / (float)n;
	if (step < 0.0f) {
		d->limit = want;
		step = 0.0f;
	}

	for (size_t i = 0; i < n; i++) {
		v[i] = (int16_t)lrintf((float)v[i] * d->limit);
		d->limit += step;
	}
}


/* Echo return loss enhancement: how much of what came back is gone */
static void erle_add(struct dsp *d, double far, double in, double out)
{
	if (far < FAR_LOUD || in < 1.0)
		return;

	d->in += 0.02 * (in - d->in);
	d->out += 0.02 * (out - d->out);
	d->erle_db = 10.0 * log10((d->in + 1.0) / (d->out + 1.0));
}


/* The echo has been found elsewhere: what the canceller holds of the past is
 * made what it would be, had it always been there */
static void catch_up(struct dsp *d)
{
	int16_t far[FRAME_MAX], out[FRAME_MAX];

	for (unsigned i = PAST; i > 0; i--) {
		align_past(d->align, i, far);
		d->how->run(d->echo, d->past[(d->blocks - i) % PAST], far,
			    out);
	}
}


/* far: what was played, out: what is left. @return power of what came back */
static double echo_run(struct dsp *d, const int16_t *v, int16_t *far,
		       int16_t *out, size_t n)
{
	const double mic = power(v, n);
	struct align_figures f;

	switch (align_look(d->align, v, far)) {

	case ALIGN_MOVED:
		if (astray_rests(&d->astray)) {
			align_past(d->align, 0, far);
			catch_up(d);
		}
		/*@fallthrough@*/
	case ALIGN_THERE:
		astray_found(&d->astray);
		break;

	default:
		break;
	}

	memcpy(d->past[d->blocks++ % PAST], v, n * sizeof(*v));
	if (astray_rests(&d->astray))
		memcpy(out, v, n * sizeof(*v));
	else
		d->how->run(d->echo, v, far, out);
	align_figures(d->align, &f);
	astray_look(&d->astray, power(far, n), mic, power(out, n), f.doubt);
	if (astray_rests(&d->astray))
		align_search(d->align);

	return mic;
}


void dsp_captured(struct dsp *d, int16_t *v, size_t n, size_t delay)
{
	int16_t far[FRAME_MAX], out[FRAME_MAX];
	double before = 0.0, p, loud = 0.0;

	if (n != d->frame)
		return;

	if (d->conf.high_pass)
		high_pass(d, v, n);

	if (d->echo || d->conf.limiter)
		align_reference(d->align, delay, far);
	if (d->echo) {
		before = echo_run(d, v, far, out, n);
		memcpy(v, out, n * sizeof(*v));
	}
	if (d->echo || d->conf.limiter)
		loud = power(far, n);
	p = power(v, n);
	if (d->pre && d->conf.agc)
		gain_look(d, p, d->echo ? loud : 0.0);
	if (d->pre)
		(void)speex_preprocess_run(d->pre, v);
	noise_look(d, p, power(v, n), loud);
	if (d->echo)
		erle_add(d, loud, before, power(v, n));
	if (d->echo)
		astray_hide(&d->astray, v, n);
	if (d->conf.limiter)
		duplex_run(&d->duplex, d->conf.limiter, far, v, n);
	if (d->conf.agc)
		limiter(d, v, n);
}


/* dBFS, of a mean square; a sample is whole */
static double level(double p)
{
	return 10.0 * log10(fmax(p, 0.1) / (32768.0 * 32768.0));
}


void dsp_figures(const struct dsp *d, struct media_room_figures *f)
{
	struct align_figures a;
	int gain = 0;

	align_figures(d->align, &a);
	memset(f, 0, sizeof(*f));
	f->running = true;
	f->erle_db = d->erle_db;
	f->noise_dbfs = f->noise_less_db = NAN;
	if (d->noise_blocks >= NOISE_BLOCKS) {
		f->noise_dbfs = level(d->noise);
		if (d->pre && d->conf.noise)
			f->noise_less_db = f->noise_dbfs -
				level(d->noise_left);
	}
	f->delay_ms = (unsigned)(a.delay * 1000 / d->rate_hz);
	f->slips = a.slips;
	if (d->pre && d->conf.agc)
		(void)speex_preprocess_ctl(d->pre, SPEEX_PREPROCESS_GET_AGC_GAIN,
					   &gain);
	f->agc = d->pre && d->conf.agc;
	f->agc_db = gain;
	f->limited = d->conf.limiter && d->duplex.engaged;
}
