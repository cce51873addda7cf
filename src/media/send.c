/**
 * @file send.c  Samples into packets
 *
 * Media thread; owned by its flow.  Time stamps count what passes here,
 * whether it is sent or not, so a hold or a silence leaves its true length on
 * the time line.  A digit takes the place of sound while it lasts.
 */
#define LOG_MODULE "media"
#include <offhook/log.h>
#include <offhook/random.h>
#include "priv.h"
#include "red.h"


/* The packets before, in a ring */
struct spare {
	struct {
		uint32_t ts;
		size_t len;      /* 0: there is none                        */
		uint8_t data[RED_LEN_MAX];
	} v[RED_DEPTH];
	unsigned next;           /* to be overwritten: the oldest           */
};


void send_init(struct sender *s)
{
	struct {
		uint32_t ssrc, ts;
		uint16_t seq;
	} r;

	random_fill(&r, sizeof(r));

	/* far from the turn: who hears us late still guesses how far we are
	 * (RFC 3711 3.3.1) */
	s->ssrc = r.ssrc;
	s->ts = r.ts;
	s->seq = r.seq & 0x7fff;
	s->te_pt = -1;
}


static bool param_same(const struct codec_param *a,
		       const struct codec_param *b)
{
	return a->ptime_ms == b->ptime_ms && a->bitrate == b->bitrate &&
		a->complexity == b->complexity && a->fec == b->fec &&
		a->dtx == b->dtx && a->cbr == b->cbr &&
		a->stereo == b->stereo &&
		a->max_rate_hz == b->max_rate_hz;
}


/* What the peer takes beside the codec */
static int extras_start(struct sender *s, const struct media_plan *plan)
{
	s->red_pt = plan->red_send;
	s->cn_pt = plan->cn_send;

	if (!s->red_pt)
		s->spare = mem_deref(s->spare);
	else if (!s->spare)
		s->spare = mem_zalloc(sizeof(*s->spare), NULL);

	if (!s->cn_pt) {
		s->vad = mem_deref(s->vad);
	}
	else if (!s->vad) {
		s->vad = mem_zalloc(sizeof(*s->vad), NULL);
		if (s->vad)
			vad_begin(s->vad);
	}

	return (s->red_pt && !s->spare) || (s->cn_pt && !s->vad) ? ENOMEM : 0;
}


static void spare_clear(struct spare *sp)
{
	for (unsigned i = 0; sp && i < RED_DEPTH; i++)
		sp->v[i].len = 0;
}


static int16_t *part_alloc(size_t frame, const struct codec_param *prm)
{
	return mem_alloc((prm->stereo ? 2 : 1) * frame * sizeof(int16_t),
			 NULL);
}


int send_start(struct sender *s, const struct media_plan *plan)
{
	const struct codec *c = plan->codec;
	const unsigned ptime = codec_ptime(c, plan->param.ptime_ms);
	const size_t frame = c->rate_hz / 1000 * ptime;
	struct codec_enc *enc = NULL;
	int16_t *part = NULL;
	int err;

	s->pt = plan->pt_send;
	s->te_pt = plan->te_send;
	s->dtmf.clock_hz = plan->te_clock_hz ? plan->te_clock_hz
					     : c->clock_hz;

	err = extras_start(s, plan);
	if (err)
		return err;

	if (s->enc && s->codec == c && param_same(&s->param, &plan->param))
		return 0;

	err = c->enc_alloc(&enc, c, &plan->param);
	if (err)
		return err;

	part = part_alloc(frame, &plan->param);
	if (!part) {
		mem_deref(enc);
		return ENOMEM;
	}

	mem_deref(s->enc);
	mem_deref(s->part);
	spare_clear(s->spare);

	s->enc = enc;
	s->codec = c;
	s->param = plan->param;
	s->ptime_ms = s->ptime_next = ptime;
	s->frame = frame;
	s->step = c->clock_hz / 1000 * ptime;
	s->part = part;
	s->part_n = 0;
	s->sides = false;
	s->marker = true;
	level_init(&s->level, c->rate_hz);

	return 0;
}


void send_stop(struct sender *s)
{
	s->enc = mem_deref(s->enc);
	s->part = mem_deref(s->part);
	s->spare = mem_deref(s->spare);
	s->vad = mem_deref(s->vad);
	s->codec = NULL;
}


static void packet_send(struct flow *f, uint8_t *p, size_t len, uint8_t pt,
			uint32_t ts, bool marker)
{
	struct sender *s = &f->tx;
	const struct rtp h = {
		.marker = marker, .pt = pt, .seq = s->seq++, .ts = ts,
		.ssrc = s->ssrc
	};
	int err;

	rtp_write(p, &h);

	err = transport_send(&f->tp, false, p, RTP_HEADER + len);
	if (err) {
		if (!s->errors++)
			log_info("RTP cannot be sent: %s", strerror(err));
		return;
	}

	++s->packets;
	s->bytes += len;
}


/* @return true: a packet went out in place of sound. *tone: v is to be that
 * of a key */
static bool digit_send(struct flow *f, int16_t *v, bool *tone)
{
	struct sender *s = &f->tx;
	struct dtmf_event ev;
	uint8_t p[RTP_HEADER + sizeof(ev.payload)];
	bool all_sent;
	enum dtmf_step step;

	*tone = false;
	if (s->dtmf.told && !s->dtmf.count && !s->dtmf.pause_ms)
		return false;

	step = dtmf_tx_step(&s->dtmf, s->ptime_ms, &ev, &all_sent);

	if (all_sent) {
		const struct stream_event told = {
			.type = STREAM_DTMF_SENT,
			.count = (unsigned)s->dtmf.taken
		};

		flow_post(f, &told);
	}

	if (step == DTMF_TONE) {
		dtmf_band_fill(&s->band, v, s->frame, ev.key, ev.marker,
			       s->codec->rate_hz);
		*tone = true;
		return false;
	}
	if (step == DTMF_SOUND || s->te_pt < 0)
		return false;

	if (step == DTMF_FIRST)
		s->te_ts = s->ts;
	s->te_ts += ev.ahead;

	memcpy(p + RTP_HEADER, ev.payload, sizeof(ev.payload));
	packet_send(f, p, sizeof(ev.payload), (uint8_t)s->te_pt, s->te_ts,
		    ev.marker);

	return true;
}


/*
 * What goes along once more, the oldest first: of the last packets as many as
 * the peer's losses call for; of an encoder that makes copies of its own, one
 * that is beyond their reach. One that was long ago (a key was pressed, there
 * was silence) is of no use any more. @return how many
 */
static unsigned spare_choose(const struct flow *f, struct red_block *b,
			     size_t len)
{
	const struct sender *s = &f->tx;
	const struct spare *sp = s->spare;
	const bool in_band = f->adapt.in_band;
	const unsigned first = in_band ? adapt_distance(&f->adapt)
				       : adapt_copies(&f->adapt);
	const unsigned last = in_band ? first : 1;
	unsigned copies, n = 0;

	for (unsigned i = first; i && i >= last; i--) {
		const unsigned at = (sp->next + RED_DEPTH - i) % RED_DEPTH;
		const uint32_t back = s->ts - sp->v[at].ts;

		if (!sp->v[at].len || back > (first + 1) * s->step)
			continue;

		b[n].pt = s->pt;
		b[n].back = back;
		b[n].p = sp->v[at].data;
		b[n].len = sp->v[at].len;
		len += b[n++].len;
	}

	/* the oldest stay behind when all together is too much */
	for (copies = n; n && len > RED_BYTES; n--)
		len -= b[copies - n].len;
	memmove(b, b + copies - n, n * sizeof(*b));

	return n;
}


/* @return bytes, with *pt what they are. The packet is kept in any case */
static size_t spare_add(struct flow *f, uint8_t *p, size_t len, uint8_t *pt)
{
	struct sender *s = &f->tx;
	struct spare *sp = s->spare;
	struct red_block b[RED_COPIES + 1] = { { 0 } };
	const unsigned n = spare_choose(f, b, len);
	uint8_t q[CODEC_BYTES_MAX];
	size_t made = 0;

	if (n) {
		b[n].pt = s->pt;
		b[n].back = 0;
		b[n].p = p;
		b[n].len = len;
		made = red_write(q, sizeof(q), b, n + 1);
	}

	sp->v[sp->next].ts = s->ts;
	sp->v[sp->next].len = len <= RED_LEN_MAX ? len : 0;
	memcpy(sp->v[sp->next].data, p, sp->v[sp->next].len);
	sp->next = (sp->next + 1) % RED_DEPTH;

	if (!made)
		return len;

	memcpy(p, q, made);
	*pt = s->red_pt;

	return made;
}


/* @return whether there is silence, and it has been dealt with */
static bool silence_send(struct flow *f, const int16_t *v)
{
	struct sender *s = &f->tx;
	uint8_t p[RTP_HEADER + NOISE_BYTES];

	if (!s->vad)
		return false;

	switch (vad_step(s->vad, v, s->frame, p + RTP_HEADER)) {

	case VAD_TELL:
		packet_send(f, p, NOISE_BYTES, s->cn_pt, s->ts, false);
		return true;

	case VAD_NOTHING:
		return true;

	default:
		return false;
	}
}


/* v, and what is beside it if the peer is to have that */
static int frame_encode(struct sender *s, uint8_t *p, size_t *len,
			const int16_t *v, const int16_t *side)
{
	if (s->param.stereo && s->codec->encode_two)
		return s->codec->encode_two(s->enc, p, len, v, side,
					    s->frame);

	return s->codec->encode(s->enc, p, len, v, s->frame);
}


static void frame_send(struct flow *f, const int16_t *v, const int16_t *side)
{
	struct sender *s = &f->tx;
	uint8_t p[RTP_HEADER + CODEC_BYTES_MAX];
	size_t len = CODEC_BYTES_MAX;
	uint8_t pt = s->pt;
	int16_t key[CODEC_FRAME_MAX];
	bool tone = false;

	if (!flow_speaks(f)) {
		s->marker = true;
	}
	else if (digit_send(f, key, &tone) ||
		 (!tone && silence_send(f, v))) {
		s->marker = true;
	}
	else if (frame_encode(s, p + RTP_HEADER, &len, tone ? key : v,
			      tone ? NULL : side) || !len) {
		s->marker = true;
	}
	else {
		if (s->spare)
			len = spare_add(f, p + RTP_HEADER, len, &pt);
		packet_send(f, p, len, pt, s->ts, s->marker);
		s->marker = false;
	}

	s->ts += s->step;
}


void send_pause(struct flow *f, uint64_t us)
{
	struct sender *s = &f->tx;

	assert_media();

	if (!s->enc)
		return;

	s->ts += (uint32_t)(us * (s->codec->clock_hz / 1000) / 1000);
	s->marker = true;
}


void send_ptime(struct sender *s, unsigned ms)
{
	if (s->codec && ms)
		s->ptime_next = codec_ptime(s->codec, ms);
}


/* Between two packets. What cannot be had stays as it is */
static void ptime_change(struct sender *s)
{
	const size_t frame = s->codec->rate_hz / 1000 * s->ptime_next;
	int16_t *part = part_alloc(frame, &s->param);

	if (!part) {
		s->ptime_next = s->ptime_ms;
		return;
	}

	mem_deref(s->part);
	s->part = part;
	s->frame = frame;
	s->ptime_ms = s->ptime_next;
	s->step = s->codec->clock_hz / 1000 * s->ptime_ms;
}


/* Part of a packet, and part of its side; where there is none there is nothing
 * between left and right */
static void part_add(struct sender *s, const int16_t *v, const int16_t *side,
		     size_t n)
{
	int16_t *beside = s->part + s->frame;

	memcpy(s->part + s->part_n, v, n * sizeof(*v));
	if (s->param.stereo) {
		if (!s->part_n)
			s->sides = false;
		if (side)
			memcpy(beside + s->part_n, side, n * sizeof(*v));
		else
			memset(beside + s->part_n, 0, n * sizeof(*v));
		s->sides = s->sides || side;
	}
	s->part_n += n;
}


void send_block(struct flow *f, const int16_t *v, const int16_t *side,
		size_t n)
{
	struct sender *s = &f->tx;

	assert_media();

	if (!s->enc)
		return;

	(void)level_add(&s->level, v, n);

	while (n) {
		size_t k;

		if (!s->part_n && s->ptime_next != s->ptime_ms)
			ptime_change(s);

		k = s->frame - s->part_n;
		if (!s->part_n && n >= s->frame) {
			frame_send(f, v, side);
			v += s->frame;
			side = side ? side + s->frame : NULL;
			n -= s->frame;
			continue;
		}

		if (k > n)
			k = n;
		part_add(s, v, side, k);
		v += k;
		side = side ? side + k : NULL;
		n -= k;

		if (s->part_n == s->frame) {
			s->part_n = 0;
			frame_send(f, s->part, s->sides ? s->part + s->frame :
				   NULL);
		}
	}
}
