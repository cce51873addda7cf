/**
 * @file probe.c  A test of the sound device: is it heard, how loud, how late
 *
 * First nothing is played, then a sweep that is found again in what the
 * microphone captures, then a tone whose level there is measured.  Microphone
 * and loudspeaker are counted in the same cycles, so that where the sweep
 * comes back is what the way through the device takes.  The engine's half
 * runs on the media thread, the other on main.
 */
#include <math.h>
#include "priv.h"
#include "probe.h"

enum {
	BLOCK_MS  = 40,     /* the tone may come 3000 ppm off (drift.c):
			       longer, and it would measure lower     */
	LOUD_MS   = PROBE_TONE_MS + 600,     /* the tone has come by then   */
	CLIP      = 32700,
	STEP_MAX  = 24,
};

#define SWEEP_FROM_HZ 300.0
#define SWEEP_TO_HZ 3000.0
#define FADE_S 0.005
#define FULL (32768.0 * 32768.0 / 2.0)   /* a sine of full scale: 0 dBFS   */
/* energy of the best place against that of all others, not to be chance */
#define FOUND 60.0
/* the tone against what was there without it */
#define HEARD 6.0


void probe_init(struct probe *p, const struct media_probe_conf *conf)
{
	memset(p, 0, sizeof(*p));
	p->conf = *conf;
}


static double dbfs(double mean)
{
	const double db = 10.0 * log10(mean / FULL + 1e-12);

	return db > -96.0 ? db : -96.0;
}


static void begin(struct probe *p, uint32_t rate_hz)
{
	p->rate_hz = rate_hz;
	p->step = (rate_hz + PROBE_HZ / 2) / PROBE_HZ;
	p->coef = 2.0 * cos(2.0 * M_PI * p->conf.hz / rate_hz);
}


static uint64_t at_ms(const struct probe *p, unsigned ms)
{
	return (uint64_t)p->rate_hz * ms / 1000;
}


/* One more sample of the slow ones, made of step of the device's */
static void slow(int16_t *v, size_t *n, size_t max, double *acc,
		 const struct probe *p, uint64_t at, double x)
{
	*acc += x;
	if ((at + 1) % p->step)
		return;

	if (*n < max)
		v[(*n)++] = (int16_t)lrint(*acc / p->step);
	*acc = 0.0;
}


static void block_end(struct probe *p)
{
	const double power = p->s1 * p->s1 + p->s2 * p->s2 -
		p->coef * p->s1 * p->s2;
	const double tone = 2.0 * power / ((double)p->n * p->n);
	const double all = p->sum / p->n;

	if (p->heard > at_ms(p, PROBE_STALE_MS + BLOCK_MS) &&
	    p->heard <= at_ms(p, PROBE_QUIET_MS)) {
		p->quiet_tone += tone;
		p->quiet_all += all;
		++p->quiet_blocks;
	}
	else if (p->heard > at_ms(p, LOUD_MS)) {
		p->loud_tone += tone;
		p->loud_all += all;
		++p->loud_blocks;
	}

	p->s1 = p->s2 = p->sum = 0.0;
	p->n = 0;
}


void probe_hear(struct probe *p, const int16_t *v, size_t n,
		uint32_t rate_hz)
{
	if (!p->rate_hz)
		begin(p, rate_hz);

	/* another device: what was counted is of no use any more */
	if (p->rate_hz != rate_hz) {
		const struct media_probe_conf conf = p->conf;

		probe_init(p, &conf);
		begin(p, rate_hz);
	}

	for (size_t i = 0; i < n; i++) {
		const double x = v[i], s0 = x + p->coef * p->s1 - p->s2;
		const int a = abs(v[i]);

		p->s2 = p->s1;
		p->s1 = s0;
		p->sum += x * x;
		p->look_in += x * x;
		p->look_peak = a > p->look_peak ? a : p->look_peak;
		p->clipped += a >= CLIP;
		p->alive = p->alive || a;
		if (p->heard >= at_ms(p, PROBE_QUIET_MS))
			slow(p->came, &p->came_n, COUNT(p->came),
			     &p->came_acc, p, p->heard -
			     at_ms(p, PROBE_QUIET_MS), x);
		++p->heard;
		if (++p->n >= at_ms(p, BLOCK_MS))
			block_end(p);
	}
	p->look_in_n += (uint32_t)n;
}


/* What is said at that sample */
static double said_at(struct probe *p)
{
	const double amp = 32768.0 * pow(10.0, p->conf.dbfs / 20.0);
	const double length = PROBE_SWEEP_MS / 1000.0;
	const uint64_t from = at_ms(p, PROBE_QUIET_MS);
	double t, x = 0.0;

	if (p->said < from || p->conf.mute)
		return 0.0;

	t = (double)(p->said - from) / p->rate_hz;
	if (t < length) {
		const double edge = fmin(1.0, fmin(t, length - t) / FADE_S);

		x = amp * edge * sin(2.0 * M_PI * (SWEEP_FROM_HZ * t +
				(SWEEP_TO_HZ - SWEEP_FROM_HZ) * t * t /
				(2.0 * length)));
		slow(p->sent, &p->sent_n, COUNT(p->sent), &p->sent_acc, p,
		     p->said - from, x);
	}
	else if (p->said >= at_ms(p, PROBE_TONE_MS)) {
		t = (double)(p->said - at_ms(p, PROBE_TONE_MS)) / p->rate_hz;
		x = amp * fmin(1.0, t / FADE_S) *
			sin(2.0 * M_PI * p->conf.hz * t);
	}

	return x;
}


void probe_say(struct probe *p, int16_t *v, size_t n)
{
	if (!p->rate_hz)
		return;

	for (size_t i = 0; i < n; i++) {
		const double x = v[i] + said_at(p);

		v[i] = (int16_t)lrint(fmax(-32768.0, fmin(32767.0, x)));
		p->look_out += (double)v[i] * v[i];
		++p->said;
	}
	p->look_out_n += (uint32_t)n;
}


void probe_look(struct probe *p, struct media_probe_look *l)
{
	l->ms = p->rate_hz ? (unsigned)(p->heard * 1000 / p->rate_hz) : 0;
	l->mic_dbfs = p->look_in_n ? dbfs(p->look_in / p->look_in_n) : NAN;
	l->mic_peak_dbfs = p->look_in_n ?
		20.0 * log10(p->look_peak / 32768.0 + 1e-5) : NAN;
	l->speaker_dbfs = p->look_out_n ? dbfs(p->look_out / p->look_out_n)
		: NAN;
	l->clipped = p->clipped;

	p->look_in = p->look_out = 0.0;
	p->look_in_n = p->look_out_n = 0;
	p->look_peak = 0;
}


/* Where the sweep is in what came. @return ms, NAN: nowhere */
static double sweep_find(const struct probe *p)
{
	const size_t lags = p->came_n > p->sent_n ? p->came_n - p->sent_n : 0;
	double best = 0.0, all = 0.0;
	size_t at = 0;

	for (size_t lag = 0; lag < lags; lag++) {
		double c = 0.0;

		for (size_t i = 0; i < p->sent_n; i++)
			c += (double)p->sent[i] * p->came[lag + i];
		c *= c;
		all += c;
		if (c > best) {
			best = c;
			at = lag;
		}
	}

	if (!lags || !(best > FOUND * all / (double)lags))
		return NAN;

	return 1000.0 * (double)(at * p->step) / p->rate_hz;
}


void probe_result(const struct probe *p, struct media_probe_result *r)
{
	const double quiet = p->quiet_blocks ?
		p->quiet_tone / p->quiet_blocks : 0.0;
	const double loud = p->loud_blocks ?
		p->loud_tone / p->loud_blocks : 0.0;

	r->alive = p->alive;
	r->clipped = p->clipped;
	r->noise_dbfs = p->quiet_blocks ?
		dbfs(p->quiet_all / p->quiet_blocks) : NAN;
	r->tone_dbfs = r->loop_db = r->loop_ms = NAN;
	if (p->conf.mute)
		return;

	/* one step of a sample is the least that can be heard */
	if (p->loud_blocks && loud > HEARD * quiet + 1.0) {
		r->tone_dbfs = dbfs(loud);
		r->loop_db = r->tone_dbfs - p->conf.dbfs;
	}
	r->loop_ms = sweep_find(p);
}


/* Main's half ------------------------------------------------------------ */

struct job {
	struct media *m;
	struct probe *probe;
	struct media_probe_look *look;
};


static void lend_h(void *arg)
{
	const struct job *j = arg;

	j->m->eng->probe = j->probe;
	engine_retime(j->m->eng);
}


int media_probe(struct media *m, const struct media_probe_conf *conf)
{
	struct job j = { .m = m };

	assert_main();
	if (m->probe)
		return EALREADY;
	if (!(conf->hz >= 20.0 && conf->hz <= 20000.0) ||
	    !(conf->dbfs <= 0.0))
		return EINVAL;

	j.probe = mem_zalloc(sizeof(*j.probe), NULL);
	if (!j.probe)
		return ENOMEM;

	probe_init(j.probe, conf);
	m->probe = j.probe;
	media_run(m, lend_h, &j);
	media_look(m);

	return 0;
}


static void look_h(void *arg)
{
	const struct job *j = arg;

	probe_look(j->m->eng->probe, j->look);
}


int media_probe_look(struct media *m, struct media_probe_look *l)
{
	struct job j = { .m = m, .look = l };

	assert_main();
	memset(l, 0, sizeof(*l));
	if (!m->probe)
		return ENOTCONN;

	l->err = device_ready(m->dev, &l->dev);
	media_run(m, look_h, &j);

	return 0;
}


void media_probe_end(struct media *m, struct media_probe_result *r)
{
	struct job j = { .m = m };

	assert_main();
	if (!m->probe)
		return;

	media_run(m, lend_h, &j);
	if (r)
		probe_result(m->probe, r);
	m->probe = mem_deref(m->probe);
	media_look(m);
}
