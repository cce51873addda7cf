/**
 * @file rig.c  An engine driven by hand (see rig.h)
 */
#include <math.h>
#include <string.h>
#include "rig.h"


static void post_h(const struct post *p, void *arg)
{
	struct rig *r = arg;

	assert_true(r->post_count < RIG_POSTS);
	r->posts[r->post_count++] = *p;
}


struct rig *rig_new(void)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->net = calloc(RIG_NET, sizeof(*r->net));
	assert_non_null(r->net);

	media_thread = THREAD_MAIN | THREAD_MEDIA;
	timers_close();          /* a test that failed left them open */
	clock_fake_start(1000000000ULL * 5000);
	assert_int_equal(timers_open(), 0);
	assert_int_equal(engine_alloc(&r->e, post_h, r), 0);
	r->rnd = 4711;

	return r;
}


void rig_free(struct rig *r)
{
	for (unsigned i = 0; i < r->count; i++) {
		struct rig_end *end = &r->ends[i];

		flow_close(end->f);
		tap_release(&end->tap);
		if (end->tap.ring)
			ring_free(end->tap.ring);
		mem_deref(end->f);
	}

	mem_deref(r->e);
	assert_int_equal(timers_count(), 0);
	timers_close();
	clock_fake_stop();
	free(r->net);
	free(r);
}


double rig_rnd(struct rig *r)
{
	r->rnd = r->rnd * 1664525 + 1013904223;

	return (r->rnd >> 8) / 16777216.0;
}


struct sa rig_addr(unsigned no)
{
	struct sa sa;

	assert_int_equal(sa_set_str(&sa, "192.0.2.1", (uint16_t)
				    (10000 + 2 * no)), 0);

	return sa;
}


static int send_h(bool rtcp, const struct sa *dst, const uint8_t *p,
		  size_t len, void *arg)
{
	struct rig_end *end = arg;
	struct rig *r = end->r;
	int64_t delay = 0;

	if (rtcp) {
		++end->rtcp;
	}
	else {
		++end->rtp;
		end->dst = *dst;
	}
	memcpy(end->last, p, len);
	end->last_len = len;

	if (r->net_h)
		delay = r->net_h(r, end->no, rtcp, p, len);
	if (delay < 0 || end->to >= r->count)
		return 0;

	for (unsigned i = 0; i < RIG_NET; i++) {
		struct rig_packet *q = &r->net[i];

		if (q->used)
			continue;

		q->used = true;
		q->rtcp = rtcp;
		q->from = end->no;
		q->to = end->to;
		q->due_us = clock_us() + 100 + (uint64_t)delay;
		q->len = len;
		memcpy(q->p, p, len);
		return 0;
	}

	fail_msg("the network is full");

	return ENOBUFS;
}


struct flow *rig_flow(struct rig *r, unsigned to)
{
	const struct stream_conf conf = {
		.device = true, .timeout_ms = 5000,
		.dtmf_ms = 100, .dtmf_pause_ms = 70,
		.dtmf_volume = 10
	};
	struct rig_end *end = &r->ends[r->count];

	assert_true(r->count < RIG_FLOWS);
	end->r = r;
	end->no = r->count;
	end->to = to;

	assert_int_equal(flow_alloc(&end->f, 100 + r->count, &conf, NULL), 0);
	end->f->tp.send_h = send_h;
	end->f->tp.send_arg = end;
	flow_attach(end->f, r->e);
	++r->count;

	return end->f;
}


struct media_plan rig_plan(const char *codec, unsigned to)
{
	struct media_plan plan = {
		.codec = codec_find(codec),
		.te_send = 101, .te_recv = 101,
		.dir = MEDIA_SENDRECV,
		.cname = "rig",
	};

	assert_non_null(plan.codec);
	plan.param.ptime_ms = 20;
	plan.param.complexity = 0;
	plan.pt_send = plan.pt_recv = plan.codec->pt >= 0
		? (uint8_t)plan.codec->pt : 96;
	plan.te_clock_hz = plan.codec->clock_hz;
	plan.rtp = rig_addr(to);
	plan.rtcp = rig_addr(to);
	sa_set_port(&plan.rtcp, (uint16_t)(sa_port(&plan.rtp) + 1));

	return plan;
}


void rig_start(struct rig *r, unsigned no, const struct media_plan *plan)
{
	const struct media_conf conf = { .jitter_max_ms = 200 };

	assert_int_equal(flow_start(r->ends[no].f, plan, &conf), 0);
}


/* RTCP comes from a port of its own and by a door of its own, or with RTP */
static void deliver(struct rig *r, struct rig_packet *q)
{
	struct flow *f = r->ends[q->to].f;
	struct sa from = rig_addr(q->from);
	struct packet p = {
		.p = q->p, .len = q->len, .from = &from,
		.arrival_us = q->due_us
	};
	if (q->rtcp && !f->tp.mux) {
		sa_set_port(&from, (uint16_t)(sa_port(&from) + 1));
		flow_report_packet(f, &p);
	}
	else {
		flow_packet(f, &p);
	}
	q->used = false;
}


/* All that is due, in the order of its arrival */
static void deliver_due(struct rig *r, uint64_t now_us)
{
	for (;;) {
		struct rig_packet *first = NULL;

		for (unsigned i = 0; i < RIG_NET; i++) {
			struct rig_packet *q = &r->net[i];

			if (q->used && q->due_us <= now_us &&
			    (!first || q->due_us < first->due_us))
				first = q;
		}

		if (!first)
			return;
		deliver(r, first);
	}
}


void rig_run(struct rig *r, unsigned ms)
{
	while (ms--) {
		deliver_due(r, clock_us() + 1000);
		timers_advance(1);
	}
}


unsigned rig_posts(const struct rig *r, unsigned no, int type)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->post_count; i++) {
		if (r->posts[i].id == 100 + no && r->posts[i].type == type)
			++n;
	}

	return n;
}


const char *rig_digits(const struct rig *r, unsigned no)
{
	static char digits[RIG_POSTS + 1];
	unsigned n = 0;

	for (unsigned i = 0; i < r->post_count; i++) {
		if (r->posts[i].id == 100 + no &&
		    r->posts[i].type == STREAM_DTMF)
			digits[n++] = r->posts[i].ev.digit;
	}
	digits[n] = '\0';

	return digits;
}


void rig_listen(struct rig *r, unsigned no, unsigned seconds)
{
	struct rig_end *end = &r->ends[no];

	end->tap.layout = RECORD_STEREO;
	end->tap.rate_hz = end->f->rate_hz;
	assert_int_equal(ring_alloc(&end->tap.ring, 2 * (size_t)
				    end->f->rate_hz * seconds), 0);
	end->f->tap = &end->tap;
}


size_t rig_heard(struct rig *r, unsigned no, int16_t *heard, int16_t *said,
		 size_t max)
{
	struct rig_end *end = &r->ends[no];
	size_t n = 0;
	int16_t v[2];

	while (n < max && ring_read(end->tap.ring, v, 2) == 2) {
		if (heard)
			heard[n] = v[1];
		if (said)
			said[n] = v[0];
		++n;
	}

	return n;
}


/* Two flows that talk to each other */
struct rig *rig_call(const char *codec)
{
	struct rig *r = rig_new();
	struct media_plan a = rig_plan(codec, 1), b = rig_plan(codec, 0);

	(void)rig_flow(r, 1);
	(void)rig_flow(r, 0);
	rig_start(r, 0, &a);
	rig_start(r, 1, &b);

	return r;
}


void pump_open(struct pump *p, struct rig *r, unsigned to,
		      const char *codec, double ppm)
{
	const struct codec_param prm = { .ptime_ms = 20 };

	memset(p, 0, sizeof(*p));
	p->r = r;
	p->to = to;
	p->codec = codec_find(codec);
	assert_int_equal(p->codec->enc_alloc(&p->enc, p->codec, &prm), 0);
	p->pt = (uint8_t)p->codec->pt;
	p->ssrc = 0xabcdef01;
	p->seq = 65530;
	p->ts = 0xfffff000;
	p->step_us = 20000.0 / (1.0 + ppm * 1e-6);
	p->due_us = (double)clock_us() + 500.0;
	p->from = rig_addr(9);
}


void pump_send(struct pump *p, uint64_t at_us)
{
	const size_t n = p->codec->rate_hz / 50;
	const struct rtp h = {
		.pt = p->pt, .seq = p->seq, .ts = p->ts, .ssrc = p->ssrc
	};
	int16_t v[CODEC_FRAME_MAX];
	uint8_t b[1600];
	size_t len = sizeof(b) - RTP_HEADER;
	const struct packet pkt = {
		.p = b, .from = &p->from, .arrival_us = at_us
	};
	struct packet q = pkt;

	sine(v, n, p->at, 440.0, p->codec->rate_hz, 10000.0);
	assert_int_equal(p->codec->encode(p->enc, b + RTP_HEADER, &len, v, n),
			 0);
	rtp_write(b, &h);
	q.len = RTP_HEADER + len;
	flow_packet(p->r->ends[p->to].f, &q);

	p->at += n;
	++p->seq;
	p->ts += p->codec->clock_hz / 50;
}


void pump_run(struct pump *p, unsigned ms)
{
	while (ms--) {
		while (p->due_us <= (double)clock_us() + 1000.0) {
			pump_send(p, (uint64_t)p->due_us);
			p->due_us += p->step_us;
		}
		rig_run(p->r, 1);
	}
}


struct rig *pumped(struct pump *p, double ppm)
{
	struct rig *r = rig_new();
	struct media_plan plan = rig_plan("pcmu", 9);

	(void)rig_flow(r, RIG_FLOWS);
	rig_start(r, 0, &plan);
	pump_open(p, r, 0, "pcmu", ppm);

	return r;
}


void pump_end(struct pump *p)
{
	mem_deref(p->enc);
	rig_free(p->r);
}


static double power(const int16_t *v, size_t n, double hz, uint32_t rate_hz)
{
	const double w = 2.0 * M_PI * hz / rate_hz;
	double a = 0.0, b = 0.0;

	/* a window, so that what lies beside does not leak in */
	for (size_t i = 0; i < n; i++) {
		const double x = v[i] * (0.5 - 0.5 * cos(2.0 * M_PI *
						(double)i / (double)n));

		a += x * cos(w * (double)i);
		b += x * sin(w * (double)i);
	}

	return (a * a + b * b) / ((double)n * (double)n) * 4.0 * 4.0;
}


double goertzel(const int16_t *v, size_t n, double hz, uint32_t rate_hz)
{
	const double p = power(v, n, hz, rate_hz) / (32768.0 * 32768.0);

	return p > 1e-12 ? 10.0 * log10(p) : -120.0;
}


double purity(const int16_t *v, size_t n, double hz, uint32_t rate_hz)
{
	double all = 0.0, at = 0.0;
	const size_t block = rate_hz / 10;
	size_t blocks = 0;

	/* in pieces: a step in phase must not hide the rest */
	for (size_t i = 0; i + block <= n; i += block, blocks++) {
		double e = 0.0;

		for (size_t k = 0; k < block; k++)
			e += (double)v[i + k] * v[i + k];
		all += e / (double)block;
		at += power(v + i, block, hz, rate_hz) / 2.0;
	}

	return all > 0.0 ? at / all : 0.0;
}


void sine(int16_t *v, size_t n, size_t at, double hz, uint32_t rate_hz,
	  double amp)
{
	for (size_t i = 0; i < n; i++)
		v[i] = (int16_t)lrint(amp * sin(2.0 * M_PI * hz *
					(double)(at + i) / rate_hz));
}
