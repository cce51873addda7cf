/**
 * @file load.h  Speech as packets, and what a bad network does to each of them
 *
 * What speech.c sends and what hear.c lets come is the same: packet k's fate
 * depends on the network, its seed and k alone.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <opus/opus.h>
#include "wire.h"

enum {
	PT_RED     = 121,
	SPARED     = 50,           /* packets that nothing happens to       */
	AFTER_MS   = 1500,         /* listened to beyond the end            */
};

#define MSEC 1000000LL

struct packet_sent {
	int len;
	uint8_t data[PAYLOAD_MAX];
};

struct load {
	bool opus;
	int rate, spp;             /* samples in a packet                   */
	int bitrate, fec;          /* %, that Opus expects to be lost       */
	int back;                  /* RFC 2198: each packet once more in the
				    one so much later, 0: not               */
	struct packet_sent *v;
	int n;
};

struct due {
	int64_t at;                /* ns, from the begin                    */
	int k;
};

struct net {
	double loss, burst;        /* %, mean length of a run               */
	double jitter, spike;      /* ms, % that begin a stall of so much   */
	double reorder, dup;       /* %                                     */
	double until;              /* s, 0: to the end                      */
	unsigned seed;
};

struct doom {
	struct due *due;           /* by time                               */
	int n, lost;
};


/* xorshift, 0..1 */
static inline double load_draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;

	return (double)(*state >> 11) / 9007199254740992.0;
}


/** Opus, or G.711 */
static inline void load_init(struct load *l, bool opus)
{
	l->opus = opus;
	l->rate = opus ? 48000 : 8000;
	l->spp = l->rate * PTIME_MS / 1000;
	l->bitrate = 28000;
}


static inline void load_read(struct load *l, const char *path)
{
	OpusEncoder *enc = NULL;
	size_t count = 0;
	int16_t *v = wav_load(path, l->rate, &count);
	int err;

	l->n = (int)(count / (size_t)l->spp);
	if (l->n < AFTER_MS / PTIME_MS)
		fail("no speech");

	if (l->opus) {
		enc = opus_encoder_create(l->rate, 1, OPUS_APPLICATION_VOIP,
					  &err);
		if (!enc)
			fail("no Opus");
		opus_encoder_ctl(enc, OPUS_SET_BITRATE(l->bitrate));
		opus_encoder_ctl(enc, OPUS_SET_INBAND_FEC(l->fec > 0));
		opus_encoder_ctl(enc, OPUS_SET_PACKET_LOSS_PERC(l->fec));
	}

	l->v = calloc((size_t)l->n, sizeof(*l->v));
	for (int i = 0; l->v && i < l->n; i++) {
		struct packet_sent *p = &l->v[i];

		if (enc)
			p->len = opus_encode(enc, v + i * l->spp, l->spp,
					     p->data, PAYLOAD_MAX);
		else
			for (p->len = 0; p->len < l->spp; p->len++)
				p->data[p->len] = ulaw(v[i * l->spp + p->len]);
		if (p->len <= 0)
			fail("cannot encode");
	}
	free(v);
	if (enc)
		opus_encoder_destroy(enc);
}


/** Packet k as RTP. @return bytes */
static inline size_t load_write(const struct load *l, int k, uint32_t ssrc,
				uint8_t b[HEADER + 2 * PAYLOAD_MAX])
{
	const struct packet_sent *p = &l->v[k];
	const bool red = l->back && k >= l->back;
	const int pt = l->opus ? PT_OPUS : 0;
	int at = HEADER;

	wire_header(b, red ? PT_RED : pt, !k, (uint16_t)(65000 + k),
		    (uint32_t)(k * l->spp), ssrc);
	if (red) {
		/* the one before, by its time and length, then this */
		const struct packet_sent *was = p - l->back;
		const int ago = l->back * l->spp;

		b[at++] = (uint8_t)(0x80 | pt);
		b[at++] = (uint8_t)(ago >> 6);
		b[at++] = (uint8_t)(ago << 2 | was->len >> 8);
		b[at++] = (uint8_t)was->len;
		b[at++] = (uint8_t)pt;
		memcpy(b + at, was->data, (size_t)was->len);
		at += was->len;
	}
	memcpy(b + at, p->data, (size_t)p->len);

	return (size_t)(at + p->len);
}


/** key=value,... */
static inline void net_read(struct net *n, const char *text)
{
	static const char *const keys[] = { "loss", "burst", "jitter",
		"spike", "reorder", "dup", "until", "seed", NULL };
	double *const to[] = { &n->loss, &n->burst, &n->jitter, &n->spike,
		&n->reorder, &n->dup, &n->until };
	char *copy = strdup(text), *at = copy, *value;
	int k;

	while (at && (k = getsubopt(&at, (char *const *)keys, &value)) >= 0) {
		if (k < 7)
			*to[k] = atof(value ? value : "0");
		else
			n->seed = (unsigned)atoi(value ? value : "1");
	}
	free(copy);
}


static inline int due_by_time(const void *a, const void *b)
{
	const struct due *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at ? 1 : x->k - y->k;
}


/** What the network does to each of so many packets; f is zeroed */
static inline void net_plan(struct doom *f, const struct net *n, int packets)
{
	const double leave = 1 / (n->burst < 1 ? 1 : n->burst);
	const double loss = n->loss / 100;
	const double enter = leave * loss / (1 - loss);
	uint64_t state = n->seed * 0x9e3779b97f4a7c15ULL + 1;
	double stall = 0, last = 0;
	bool bad = false;

	f->due = calloc(2 * (size_t)packets, sizeof(*f->due));
	for (int k = 0; f->due && k < packets; k++) {
		const double sent = k * PTIME_MS;
		double u[4], at = sent;

		for (int i = 0; i < 4; i++)
			u[i] = load_draw(&state);
		if (k < SPARED || (n->until > 0 && sent > 1000 * n->until)) {
			f->due[f->n++] = (struct due){ (int64_t)
				((at < last ? last : at) * MSEC), k };
			continue;
		}

		bad = n->burst <= 1 ? u[0] < loss
			: bad ? u[0] >= leave : u[0] < enter;
		if (bad) {
			++f->lost;
			continue;
		}

		if (n->spike > 0) {
			stall = u[1] < n->spike / 100 ? n->jitter
				: stall > PTIME_MS ? stall - PTIME_MS : 0;
			at += stall;
		}
		else {
			at += u[1] * n->jitter;
		}

		/* a queue keeps the order, unless it is to be lost */
		if (u[2] < n->reorder / 100)
			at += 30;
		else
			last = at = at < last ? last : at;

		f->due[f->n++] = (struct due){ (int64_t)(at * MSEC), k };
		if (u[3] < n->dup / 100)
			f->due[f->n++] = (struct due){
				(int64_t)((at + 1) * MSEC), k };
	}
	qsort(f->due, (size_t)f->n, sizeof(*f->due), due_by_time);
}

#endif
