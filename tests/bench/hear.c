/**
 * @file hear.c  What a call makes of speech from bad networks, without a call
 *
 * The same packets and the same networks as speech.c, but no socket, no phone
 * and no clock: our own media engine is driven by hand, so every run comes out
 * the same to the sample, whatever else the machine does, and many times
 * faster than it could be heard.  One recording for each network goes to
 * DIR/i.wav; JSON on stdout.
 *
 *   -m ours    a flow of ours hears it (flow.c and all below)
 *   -m order   the mark: a decoder that is given each packet in its order
 *              however late it came, in-band FEC of the packet behind a gap
 *              for its end, and the codec's own concealment for the rest
 *   -m call    two flows of ours: one plays the speech, the other hears it,
 *              and reports and asks for what is lost (-n); what goes back
 *              takes half of -R ms, and is lost as often
 */
#include <getopt.h>
#include "load.h"
#include "priv.h"

enum {
	SSRC = 0x5eec0000,
	SECONDS_MAX = 600,
	WAY_MAX = 512,
};

enum mode { OURS, ORDER, CALL };

struct heard {
	int16_t *v;
	size_t n;
	int rate;
	double offset_ms;        /* of its first sample, from the first sent */
	double end_ms;           /* of its last one, so far                 */
	double delay_ms;         /* of the jitter buffer, on average        */
	struct jitter_stats st;
	uint64_t again;          /* came because they were asked for        */
	int lost, sent;
};

/* On the way between two flows */
struct way {
	bool used, rtcp;
	unsigned to;
	uint64_t due_us;
	size_t len;
	uint8_t p[1600];
};

static struct load load;
static enum mode mode;
static bool alone, nack, brief;
static double phase_ms = -1;
static unsigned rtt_ms = 30;

static struct engine *engine;
static struct flow *flows[2];
static struct way ways[WAY_MAX];
static uint64_t begin_us;        /* the first packet goes out               */
static int16_t *spoken;
static size_t spoken_n;
static const struct net *way_net;
static const struct doom *way_fate;
static int64_t *way_at;          /* ns; of packet k, -1: lost               */
static int way_first;            /* number of the first that was sent, -1   */
static uint64_t way_state;
static int way_sent, way_lost;


static void post_h(const struct post *p, void *arg)
{
	(void)p;
	(void)arg;
}


static struct sa address(unsigned no)
{
	struct sa sa;

	(void)sa_set_str(&sa, "192.0.2.1", (uint16_t)(10000 + 2 * no));

	return sa;
}


/* The engine ------------------------------------------------------------ */

static int nowhere_h(bool rtcp, const struct sa *dst, const uint8_t *p,
		     size_t len, void *arg)
{
	(void)rtcp;
	(void)dst;
	(void)p;
	(void)len;
	(void)arg;

	return 0;
}


static struct flow *flow_new(unsigned no, transport_send_h *h)
{
	const struct stream_conf sc = { .timeout_ms = 0 };
	const struct media_conf mc = { .jitter_max_ms = 200 };
	struct media_plan plan = {
		.codec = codec_find(load.opus ? "opus" : "pcmu"),
		.te_send = -1, .te_recv = -1,
		.dir = MEDIA_SENDRECV,
		.cname = "hear",
		.param = { .ptime_ms = brief ? 10 : PTIME_MS,
			   .complexity = -1 },
		.pt_send = load.opus ? PT_OPUS : 0,
		.pt_recv = load.opus ? PT_OPUS : 0,
		.red_recv = load.back ? PT_RED : 0,
		.nack = nack,
		.rtp = address(!no), .rtcp = address(!no),
	};
	struct flow *f;

	if (load.opus && mode == CALL) {
		plan.param.bitrate = load.bitrate;
		plan.param.fec = load.fec > 0;
		plan.param.loss_pct = load.fec;
	}
	sa_set_port(&plan.rtcp, (uint16_t)(sa_port(&plan.rtp) + 1));
	if (flow_alloc(&f, 100 + no, &sc, NULL))
		fail("no flow");
	f->tp.send_h = h;
	f->tp.send_arg = f;
	flow_attach(f, engine);
	if (flow_start(f, &plan, &mc))
		fail("the flow cannot start");

	return f;
}


static void engine_open(void)
{
	media_thread = THREAD_MAIN | THREAD_MEDIA;
	clock_fake_start(5000000000000ULL);
	if (timers_open() || engine_alloc(&engine, post_h, NULL))
		fail("no engine");
}


static void engine_close(void)
{
	engine = mem_deref(engine);
	timers_close();
	clock_fake_stop();
}


static void listen_to(struct flow *f, struct tap *t, int rate)
{
	memset(t, 0, sizeof(*t));
	t->layout = RECORD_THEM;
	t->rate_hz = (uint32_t)rate;
	if (ring_alloc(&t->ring, (size_t)rate * SECONDS_MAX))
		fail("no memory");
	f->tap = t;
}


/* What was heard up to now; the last turn's sound ended then */
static void take(struct heard *h, struct tap *t, double way_ms)
{
	h->v = calloc((size_t)h->rate * SECONDS_MAX, sizeof(*h->v));
	if (!h->v)
		fail("no memory");
	h->n = ring_read(t->ring, h->v, (size_t)h->rate * SECONDS_MAX);
	h->offset_ms = h->end_ms - way_ms - 1000.0 * (double)h->n / h->rate;
	tap_release(t);
	ring_free(t->ring);
}


/* Time passes, a millisecond */
static void pass(struct heard *h, const struct flow *f, const struct tap *t,
		 size_t *had, unsigned *turns)
{
	struct jitter_stats st;
	size_t n;

	timers_advance(1);
	n = ring_fill(t->ring);
	if (n == *had)
		return;

	h->end_ms = ((double)clock_us() - (double)begin_us) / 1000 +
		1000.0 * (double)(n - *had) / h->rate;
	*had = n;
	jitter_stats(f->rx.jitter, &st);
	if (st.delay_us)
		h->delay_ms += (st.delay_us / 1000.0 - h->delay_ms) /
			++*turns;
}


static void hear_ours(struct heard *h, const struct doom *fate, unsigned no)
{
	struct flow *f, *other = NULL;
	struct sa from = address(1);
	size_t had = 0;
	unsigned turns = 0;
	struct tap t;

	engine_open();
	f = flow_new(0, nowhere_h);
	if (!alone)              /* nobody is put behind its packets */
		other = flow_new(1, nowhere_h);
	listen_to(f, &t, h->rate);
	begin_us = clock_us() + 100000 + (uint64_t)(1000 *
		(phase_ms >= 0 ? phase_ms : no * 7.0 / 3 - (int)
		 (no * 7.0 / 3 / PTIME_MS) * PTIME_MS));

	for (int i = 0, ms = 0; ms < load.n * PTIME_MS + AFTER_MS; ms++) {
		for (; i < fate->n && begin_us + (uint64_t)fate->due[i].at /
		     1000 <= clock_us() + 1000; i++) {
			uint8_t b[HEADER + 2 * PAYLOAD_MAX];
			struct packet p = {
				.p = b, .from = &from, .arrival_us = begin_us +
				(uint64_t)fate->due[i].at / 1000,
			};

			p.len = load_write(&load, fate->due[i].k, SSRC, b);
			flow_packet(f, &p);
		}
		pass(h, f, &t, &had, &turns);
	}

	take(h, &t, 0);
	jitter_stats(f->rx.jitter, &h->st);
	h->lost = fate->lost;
	h->sent = load.n;
	flow_close(f);
	mem_deref(f);
	if (other) {
		flow_close(other);
		mem_deref(other);
	}
	engine_close();
}


/* The mark -------------------------------------------------------------- */

static void opus_order(struct heard *h, const bool *came)
{
	const int n = h->rate * PTIME_MS / 1000;
	int err;
	OpusDecoder *d = opus_decoder_create(h->rate, 1, &err);

	for (int k = 0; d && k < load.n; k++) {
		const struct packet_sent *p = &load.v[k];
		int16_t *v = h->v + k * n;

		if (came[k])
			err = opus_decode(d, p->data, p->len, v, n, 0);
		else if (k + 1 < load.n && came[k + 1])
			err = opus_decode(d, p[1].data, p[1].len, v, n, 1);
		else
			err = opus_decode(d, NULL, 0, v, n, 0);
		if (err != n)
			fail("cannot decode");
	}
	opus_decoder_destroy(d);
}


static void g711_order(struct heard *h, const bool *came)
{
	const int n = load.spp;
	struct plc *plc;

	if (plc_alloc(&plc, (uint32_t)h->rate))
		fail("no memory");
	for (int k = 0; k < load.n; k++) {
		int16_t *v = h->v + k * n, next[CODEC_FRAME_MAX];

		for (int i = 0; i < n; i++)
			v[i] = linear(load.v[k].data[i]);
		for (int i = 0; k + 1 < load.n && i < n; i++)
			next[i] = linear(load.v[k + 1].data[i]);
		if (came[k])
			plc_good(plc, v, (size_t)n);
		else if (k + 1 < load.n && came[k + 1])
			plc_bridge(plc, v, (size_t)n, next, (size_t)n);
		else
			plc_lost(plc, v, (size_t)n);
	}
	mem_deref(plc);
}


static void hear_order(struct heard *h, const struct doom *fate)
{
	bool *came = calloc((size_t)load.n + load.back + 1, sizeof(*came));

	h->n = (size_t)(load.n * PTIME_MS * (h->rate / 1000));
	h->v = calloc(h->n, sizeof(*h->v));
	if (!came || !h->v)
		fail("no memory");
	for (int i = 0; i < fate->n; i++) {
		came[fate->due[i].k] = true;
		if (load.back && fate->due[i].k >= load.back)
			came[fate->due[i].k - load.back] = true;
	}
	if (load.opus)
		opus_order(h, came);
	else
		g711_order(h, came);
	h->lost = fate->lost;
	h->sent = load.n;
	free(came);
}


/* Two of ours ----------------------------------------------------------- */

static void way_put(unsigned to, bool rtcp, uint64_t due_us,
		    const uint8_t *p, size_t len)
{
	for (unsigned i = 0; i < WAY_MAX; i++) {
		struct way *w = &ways[i];

		if (w->used || len > sizeof(w->p))
			continue;
		w->used = true;
		w->rtcp = rtcp;
		w->to = to;
		w->due_us = due_us;
		w->len = len;
		memcpy(w->p, p, len);
		return;
	}
	fail("too much is on the way");
}


/* Speech meets what the network does to packet k; what is sent again, and
 * what goes back, is lost as often, each for itself */
static int way_h(bool rtcp, const struct sa *dst, const uint8_t *p,
		 size_t len, void *arg)
{
	const unsigned to = arg == flows[0];
	uint64_t at = clock_us() + 500ULL * rtt_ms;
	const int seq = p[2] << 8 | p[3];
	static int last;
	(void)dst;

	if (to == 1 && !rtcp) {
		int k;

		if (way_first < 0) {
			way_first = last = seq;
			begin_us = clock_us();
		}
		k = (int16_t)(seq - last) + last;
		if (k > last || k == way_first) {
			last = k;
			k -= way_first;
			++way_sent;
			if (k < load.n && way_at[k] < 0) {
				++way_lost;
				return 0;
			}
			if (k < load.n)
				at += (uint64_t)(way_at[k] / 1000 -
						 1000LL * k * PTIME_MS);
			way_put(to, rtcp, at, p, len);
			return 0;
		}
	}

	if (load_draw(&way_state) * 100 < way_net->loss)
		return 0;
	way_put(to, rtcp, at + (uint64_t)(1000 * way_net->jitter *
					  load_draw(&way_state)), p, len);

	return 0;
}


static void way_deliver(uint64_t until_us)
{
	for (;;) {
		struct way *first = NULL;
		struct sa from;
		struct packet p;

		for (unsigned i = 0; i < WAY_MAX; i++) {
			struct way *w = &ways[i];

			if (w->used && w->due_us <= until_us &&
			    (!first || w->due_us < first->due_us))
				first = w;
		}
		if (!first)
			return;

		from = address(!first->to);
		p = (struct packet){ .p = first->p, .len = first->len,
			.from = &from, .arrival_us = first->due_us };
		first->used = false;
		if (first->rtcp) {
			sa_set_port(&from, (uint16_t)(sa_port(&from) + 1));
			flow_report_packet(flows[first->to], &p);
		}
		else {
			flow_packet(flows[first->to], &p);
		}
	}
}


static void hear_call(struct heard *h, const struct doom *fate,
		      const struct net *net)
{
	struct play play = { 0 };
	size_t had = 0;
	unsigned turns = 0;
	struct tap t;

	way_net = net;
	way_fate = fate;
	way_first = -1;
	way_sent = way_lost = 0;
	way_state = net->seed * 0x2545f4914f6cdd1dULL + 7;
	memset(ways, 0, sizeof(ways));
	way_at = calloc((size_t)load.n, sizeof(*way_at));
	play.v = calloc(spoken_n, sizeof(*play.v));
	if (!way_at || !play.v)
		fail("no memory");
	for (int k = 0; k < load.n; k++)
		way_at[k] = -1;
	for (int i = 0; i < fate->n; i++)
		way_at[fate->due[i].k] = fate->due[i].at;
	memcpy(play.v, spoken, spoken_n * sizeof(*play.v));
	play.n = spoken_n;

	engine_open();
	flows[0] = flow_new(0, way_h);
	flows[1] = flow_new(1, way_h);
	flow_play(flows[0], &play);
	listen_to(flows[1], &t, h->rate);
	for (int ms = 0; ms < load.n * PTIME_MS + AFTER_MS; ms++) {
		way_deliver(clock_us() + 1000);
		pass(h, flows[1], &t, &had, &turns);
	}

	take(h, &t, rtt_ms / 2.0);
	jitter_stats(flows[1]->rx.jitter, &h->st);
	h->again = flows[1]->rx.nack ? flows[1]->rx.nack->came : 0;
	h->lost = way_lost;
	h->sent = way_sent;
	for (unsigned i = 0; i < 2; i++) {
		flow_close(flows[i]);
		mem_deref(flows[i]);
	}
	engine_close();
	free(way_at);
}


static void save(const struct heard *h, const char *dir, int i)
{
	const uint32_t bytes = (uint32_t)(2 * h->n), hz = (uint32_t)h->rate;
	const uint32_t head[11] = { 0x46464952, 36 + bytes, 0x45564157,
		0x20746d66, 16, 1 | 1 << 16, hz, 2 * hz, 2 | 16 << 16,
		0x61746164, bytes };
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%d.wav", dir, i);
	f = fopen(path, "wb");
	if (!f || fwrite(head, 44, 1, f) != 1 ||
	    fwrite(h->v, 2, h->n, f) != h->n || fclose(f))
		fail("cannot write");
}


static void tell(const struct heard *h, bool first)
{
	printf("%s{\"lost_pct\": %.2f, \"offset_ms\": %.2f, "
	       "\"buffer_ms\": %.1f, \"made_up_ms\": %.0f, \"late\": %llu, "
	       "\"longer_ms\": %.0f, \"shorter_ms\": %.0f, "
	       "\"again_pct\": %.1f}", first ? "" : ", ",
	       h->sent ? 100.0 * h->lost / h->sent : 0, h->offset_ms,
	       h->delay_ms, (double)h->st.concealed_us / 1000,
	       (unsigned long long)h->st.late,
	       (double)h->st.stretched_us / 1000,
	       (double)h->st.compressed_us / 1000,
	       h->lost ? 100.0 * (double)h->again / h->lost : 0);
}


int main(int argc, char *argv[])
{
	static const char *const modes[] = { "ours", "order", "call" };
	const char *wav = NULL, *nets[64], *dir = ".";
	int opt, netc = 0;
	bool opus = false;

	while ((opt = getopt(argc, argv, "w:c:F:r:o:i:m:P:R:anB")) != -1) {
		switch (opt) {
		case 'w': wav = optarg; break;
		case 'c': opus = !strncmp(optarg, "opus", 4); break;
		case 'F': load.fec = atoi(optarg); break;
		case 'r': load.back = atoi(optarg); break;
		case 'o': dir = optarg; break;
		case 'i':
			if (netc < 64)
				nets[netc++] = optarg;
			break;
		case 'm':
			for (mode = CALL; mode && strcmp(optarg, modes[mode]);)
				--mode;
			break;
		case 'P': phase_ms = atof(optarg); break;
		case 'B': brief = true; break;
		case 'R': rtt_ms = (unsigned)atoi(optarg); break;
		case 'a': alone = true; break;
		case 'n': nack = true; break;
		default:
			fail("-w FILE.wav -i loss=%,burst=N,jitter=MS,spike=%"
			     ",reorder=%,dup=%,until=S,seed=N ... "
			     "[-c pcmu|opus] [-F LOSS] [-r BACK] [-o DIR] "
			     "[-m ours|order|call] [-P PHASE-MS] [-a: the "
			     "only call] [-B: turns of 10 ms] [-n: lost packets are asked for] "
			     "[-R RTT-MS]");
		}
	}
	if (!wav || !netc)
		fail("-w and -i");

	load_init(&load, opus);
	load_read(&load, wav);
	spoken = wav_load(wav, load.rate, &spoken_n);
	(void)libre_init();

	putchar('[');
	for (int i = 0; i < netc; i++) {
		struct heard h = { .rate = opus ? 16000 : 8000 };
		struct net net = { 0 };
		struct doom fate = { 0 };

		net_read(&net, nets[i]);
		net_plan(&fate, &net, load.n);
		if (!fate.due)
			fail("no memory");
		if (mode == OURS)
			hear_ours(&h, &fate, (unsigned)i + 1);
		else if (mode == ORDER)
			hear_order(&h, &fate);
		else
			hear_call(&h, &fate, &net);
		save(&h, dir, i);
		tell(&h, !i);
		free(h.v);
		free(fate.due);
	}
	puts("]");
	free(spoken);

	return 0;
}
