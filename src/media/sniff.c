/**
 * @file sniff.c  Packets as they are sent and received, for a capture
 *
 * The ring is one of samples: a packet is a head and its bytes, filled up to
 * a whole sample.  What does not fit is counted and lost; the media thread
 * neither allocates nor calls the system here but for the time.
 */
#include <stdatomic.h>
#include "priv.h"
#include "sniff.h"

enum {
	LOOK_MS = 50,
	ROOM = 2 << 20,          /* samples: some seconds of a hundred calls */
};

struct head {
	uint64_t time_us;
	uint32_t len;
	uint8_t tx, rtcp;
	struct sa local, peer;
};

enum { SNIFFED_MAX = PACKET_MAX + 256 };

/* As it is in the ring: as many samples as it needs */
union sniffed {
	struct {
		struct head h;
		uint8_t p[SNIFFED_MAX + 1];
	} b;
	int16_t v[(sizeof(struct head) + SNIFFED_MAX + 2) / sizeof(int16_t)];
};

struct sniff {
	struct ring *ring;
	bool clear;
	_Atomic uint64_t lost;
	union sniffed got;        /* main's                                   */
};


/* Of a whole record */
static size_t samples(size_t len)
{
	return (offsetof(union sniffed, b.p) + len + 1) / sizeof(int16_t);
}


static void destructor(void *arg)
{
	struct sniff *s = arg;

	ring_free(s->ring);
}


int sniff_alloc(struct sniff **sp, bool clear)
{
	struct sniff *s = mem_zalloc(sizeof(*s), destructor);
	int err;

	if (!s)
		return ENOMEM;

	s->clear = clear;
	err = ring_alloc(&s->ring, ROOM);
	if (err) {
		mem_deref(s);
		return err;
	}

	*sp = s;

	return 0;
}


static void sniff_put(struct sniff *s, const struct transport *t, bool tx,
		      bool rtcp, const struct sa *peer, const uint8_t *p,
		      size_t len)
{
	union sniffed r;

	if (len > SNIFFED_MAX || ring_space(s->ring) < samples(len)) {
		atomic_fetch_add(&s->lost, 1);
		return;
	}

	r.b.h.time_us = clock_wall_us();
	r.b.h.len = (uint32_t)len;
	r.b.h.tx = tx;
	r.b.h.rtcp = rtcp;
	r.b.h.local = t->local;
	if (rtcp && !t->mux)
		sa_set_port(&r.b.h.local, sa_port(&t->local) + 1);
	r.b.h.peer = *peer;
	memcpy(r.b.p, p, len);
	r.b.p[len] = 0;

	/* in one go: who reads finds it whole or not at all */
	(void)ring_write(s->ring, r.v, samples(len));
}


void transport_sniff(const struct transport *t, bool clear, bool tx, bool rtcp,
		     const struct sa *peer, const uint8_t *p, size_t len)
{
	struct sniff *s = t->sniff ? *t->sniff : NULL;

	if (s && clear == s->clear)
		sniff_put(s, t, tx, rtcp, peer, p, len);
}


unsigned sniff_drain(struct sniff *s, media_packet_h *h, void *arg)
{
	union sniffed *r = &s->got;
	unsigned n;

	for (n = 0; ring_fill(s->ring); n++) {

		const size_t head = samples(0);
		struct media_packet mp;

		(void)ring_read(s->ring, r->v, head);
		(void)ring_read(s->ring, r->v + head,
				samples(r->b.h.len) - head);

		mp.time_us = r->b.h.time_us;
		mp.tx = r->b.h.tx;
		mp.rtcp = r->b.h.rtcp;
		mp.local = r->b.h.local;
		mp.peer = r->b.h.peer;
		mp.p = r->b.p;
		mp.len = r->b.h.len;
		h(&mp, arg);
	}

	return n;
}


uint64_t sniff_lost(const struct sniff *s)
{
	return s ? atomic_load(&s->lost) : 0;
}


/* Main ------------------------------------------------------------------- */

static void swap(void *arg)
{
	struct media *m = arg;

	m->eng->sniff = m->sniff;
}


static void drain(void *arg)
{
	struct media *m = arg;

	timer_start(&m->sniff_tmr, LOOK_MS, drain, m);
	(void)sniff_drain(m->sniff, m->sniff_h, m->sniff_arg);
}


int media_sniff(struct media *m, bool clear, media_packet_h *h, void *arg)
{
	struct sniff *old, *fresh = NULL;
	int err;

	assert_main();

	if (h) {
		err = sniff_alloc(&fresh, clear);
		if (err)
			return err;
	}

	old = m->sniff;
	m->sniff = fresh;
	media_run(m, swap, m);

	/* the media thread has let go of it */
	if (old) {
		(void)sniff_drain(old, m->sniff_h, m->sniff_arg);
		mem_deref(old);
	}

	m->sniff_h = h;
	m->sniff_arg = arg;
	if (h)
		timer_start(&m->sniff_tmr, LOOK_MS, drain, m);
	else
		timer_cancel(&m->sniff_tmr);

	return 0;
}


uint64_t media_sniff_lost(const struct media *m)
{
	return m->sniff ? sniff_lost(m->sniff) : 0;
}
