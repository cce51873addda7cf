/**
 * @file meter.c  How loud it is, for somebody who watches
 *
 * meter_add on the media thread, only while somebody looks now and then; the
 * figures of many streams cross the door at once.
 */
#include <math.h>
#include "priv.h"


enum {
	IDLE_S = 3,              /* nobody has looked for so long           */
	FULL = 32760,            /* as loud as can be: cut, most likely     */
};


void meter_add(struct meter *m, const int16_t *v, size_t n, uint32_t rate_hz)
{
	uint64_t sum = 0;
	uint32_t peak = m->peak;

	if (!m->on)
		return;

	for (size_t i = 0; i < n; i++) {
		const uint32_t a = (uint32_t)abs(v[i]);

		sum += (uint64_t)a * a;
		if (a > peak)
			peak = a;
		m->clipped += a >= FULL;
	}

	m->sum += (double)sum;
	m->peak = peak;
	m->n += (uint32_t)n;

	if (m->n > IDLE_S * rate_hz)
		m->on = false;
}


static double dbfs(double x)
{
	return x > 0.0 ? 20.0 * log10(x / 32768.0) : -120.0;
}


bool meter_read(struct meter *m, double *rms_dbfs, double *peak_dbfs,
		uint32_t *clipped)
{
	const bool known = m->on && m->n;

	if (known) {
		*rms_dbfs = dbfs(sqrt(m->sum / m->n));
		*peak_dbfs = dbfs(m->peak);
		*clipped = m->clipped;
	}

	memset(m, 0, sizeof(*m));
	m->on = true;

	return known;
}


/* Of many streams -------------------------------------------------------- */

struct all {
	struct stream *const *sv;
	struct stream_level *lv;
	size_t n;
};


static void levels_h(void *arg)
{
	const struct all *a = arg;

	for (size_t i = 0; i < a->n; i++) {
		struct flow *f = a->sv[i]->flow;
		struct stream_level *l = &a->lv[i];

		memset(l, 0, sizeof(*l));
		l->known = meter_read(&f->meter_in, &l->in_dbfs,
				      &l->in_peak_dbfs, &l->in_clipped);
		l->known = meter_read(&f->meter_out, &l->out_dbfs,
				      &l->out_peak_dbfs, &l->out_clipped) &&
			l->known;
	}
}


void media_levels(struct media *m, struct stream *const *sv,
		  struct stream_level *lv, size_t n)
{
	struct all all = { .sv = sv, .lv = lv, .n = n };

	assert_main();

	if (n)
		media_run(m, levels_h, &all);
}
