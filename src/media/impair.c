/**
 * @file impair.c  A bad network, on purpose
 *
 * For testing the other side, and ourselves: packets are lost, alone or in
 * bursts, come late, in another order, twice or damaged, by a generator that
 * a seed makes the same each time.  Outgoing packets are held here and sent
 * by a timer of the media thread; incoming ones are handed on with the time
 * at which they would have come.  What was done to a packet is told, a limited
 * number a second: with much loss in many calls it would be what main does
 * most.
 */
#include "priv.h"
#include "impair.h"

enum {
	HELD_MAX = 2000,         /* of one flow, each way                    */
	REORDER_US = 35000,      /* later than the next packet or two        */
	TWICE_US = 2000,
	TOLD_S = 50,             /* a second, of all flows together          */
	TOLD_US = 1000000 / TOLD_S,
	TOLD_AHEAD_US = 1000000, /* ... and at once                          */
};

struct item {
	struct le le;
	struct packet pk;        /* incoming: points to what follows         */
	struct sa addr;
	uint64_t due_us;
	bool rtcp;
	uint8_t p[];
};


/* Chance ------------------------------------------------------------------------ */

void impair_init(struct impair *imp, uint64_t seed)
{
	imp->rng = seed ? seed : 1;
	imp->bad[0] = imp->bad[1] = false;
}


/* xorshift64*: 0 <= x < 1 */
static double chance(struct impair *imp)
{
	imp->rng ^= imp->rng >> 12;
	imp->rng ^= imp->rng << 25;
	imp->rng ^= imp->rng >> 27;

	return (double)((imp->rng * 0x2545f4914f6cdd1dull) >> 11) /
		9007199254740992.0;
}


static bool happens(struct impair *imp, double pct)
{
	return pct > 0.0 && chance(imp) * 100.0 < pct;
}


/* Gilbert's model: losses come in bursts of a mean length */
static bool lost(struct impair *imp, unsigned dir)
{
	const struct media_fault *f = &imp->fault[dir];
	const double p = f->loss_pct / 100.0;

	if (f->burst <= 1.0)
		return happens(imp, f->loss_pct);

	if (p >= 1.0)
		return true;

	if (imp->bad[dir])
		imp->bad[dir] = chance(imp) >= 1.0 / f->burst;
	else
		imp->bad[dir] = chance(imp) < p / (f->burst * (1.0 - p));

	return imp->bad[dir];
}


void impair_fate(struct impair *imp, unsigned dir, struct fate *fate)
{
	const struct media_fault *f = &imp->fault[dir];
	struct media_fault_count *c = &imp->count[dir];

	memset(fate, 0, sizeof(*fate));
	++c->packets;

	if (lost(imp, dir)) {
		++c->lost;
		return;
	}

	fate->copies = 1;
	fate->delay_us[0] = 1000ull * f->delay_ms;
	if (f->jitter_ms)
		fate->delay_us[0] += (uint64_t)(chance(imp) * 1000.0 *
						f->jitter_ms);

	if (happens(imp, f->reorder_pct)) {
		fate->delay_us[0] += REORDER_US;
		fate->reordered = true;
		++c->reordered;
	}

	if (happens(imp, f->duplicate_pct)) {
		fate->copies = 2;
		fate->delay_us[1] = fate->delay_us[0] + TWICE_US;
		++c->duplicated;
	}

	fate->corrupt = happens(imp, f->corrupt_pct);
	c->corrupted += fate->corrupt;
}


void impair_corrupt(struct impair *imp, uint8_t *p, size_t len)
{
	const size_t bit = (size_t)(chance(imp) * 8.0 * (double)len);

	if (len)
		p[bit / 8] ^= (uint8_t)(1u << (bit & 7));
}


/* Told --------------------------------------------------------------------------- */

bool impair_tells(struct impair *imp, uint64_t now_us)
{
	if (imp->tell_us + TOLD_AHEAD_US < now_us)
		imp->tell_us = now_us - TOLD_AHEAD_US;

	if (imp->tell_us + TOLD_US > now_us) {
		++imp->untold;
		return false;
	}

	imp->tell_us += TOLD_US;

	return true;
}


static void tell(const struct transport *t, struct impair *imp,
		 const char *fault, struct fault_done *d, uint64_t now_us)
{
	if (!t->fault_h || !impair_tells(imp, now_us))
		return;

	d->fault = fault;
	d->untold = imp->untold;
	imp->untold = 0;
	t->fault_h(d, t->fault_arg);
}


static void fate_tell(const struct transport *t, struct impair *imp,
		      const struct fate *fate, unsigned dir, bool rtcp,
		      const struct sa *addr, const uint8_t *p, size_t len)
{
	const bool rtp = !rtcp && len >= RTP_HEADER && p[0] >> 6 == 2;
	struct fault_done d = {
		.out = dir == IMPAIR_OUT, .rtcp = rtcp,
		.seq = rtp ? p[2] << 8 | p[3] : -1, .remote = *addr,
	};
	const uint64_t now = clock_us();

	if (!fate->copies)
		tell(t, imp, "drop", &d, now);
	if (fate->reordered)
		tell(t, imp, "reorder", &d, now);
	if (fate->copies > 1)
		tell(t, imp, "duplicate", &d, now);
	if (fate->corrupt)
		tell(t, imp, "corrupt", &d, now);
}


/* Held --------------------------------------------------------------------------- */

static void item_destructor(void *arg)
{
	struct item *it = arg;

	list_unlink(&it->le);
}


static void item_put(struct held *h, struct impair *imp, bool corrupt,
		     uint64_t due_us, bool rtcp, const struct sa *addr,
		     const uint8_t *p, size_t len)
{
	struct item *it;
	struct le *le;

	if (list_count(&h->list) >= HELD_MAX)
		return;

	it = mem_zalloc(sizeof(*it) + len, item_destructor);
	if (!it)
		return;

	it->addr = *addr;
	it->due_us = due_us;
	it->rtcp = rtcp;
	memcpy(it->p, p, len);
	if (corrupt)
		impair_corrupt(imp, it->p, len);
	it->pk.p = it->p;
	it->pk.len = len;
	it->pk.from = &it->addr;
	it->pk.arrival_us = due_us;

	/* most belong to the end */
	for (le = h->list.tail; le; le = le->prev) {
		if (((struct item *)le->data)->due_us <= due_us)
			break;
	}
	if (le)
		list_insert_after(&h->list, le, &it->le, it);
	else
		list_prepend(&h->list, &it->le, it);
}


static void items_put(struct transport *t, struct impair *imp, unsigned dir,
		      uint64_t now_us, bool rtcp, const struct sa *addr,
		      const uint8_t *p, size_t len)
{
	struct held *h = dir == IMPAIR_OUT ? &t->out : &t->in;
	struct fate fate;

	impair_fate(imp, dir, &fate);
	fate_tell(t, imp, &fate, dir, rtcp, addr, p, len);

	for (unsigned i = 0; i < fate.copies; i++)
		item_put(h, imp, fate.corrupt, now_us + fate.delay_us[i],
			 rtcp, addr, p, len);
}


static struct impair *impair_of(const struct transport *t, unsigned dir)
{
	struct impair *imp = t->impair ? *t->impair : NULL;

	return imp && imp->on[dir] ? imp : NULL;
}


static void send_due(void *arg)
{
	struct transport *t = arg;
	const uint64_t now = clock_us();
	struct le *le;

	while ((le = t->out.list.head)) {

		struct item *it = le->data;

		if (it->due_us > now) {
			timer_start(&t->out.tmr,
				    (it->due_us - now + 999) / 1000,
				    send_due, t);
			return;
		}

		(void)transport_put(t, it->rtcp, &it->addr, it->p,
				    it->pk.len);
		mem_deref(it);
	}
}


bool impair_send(struct transport *t, bool rtcp, const struct sa *dst,
		 const uint8_t *p, size_t len)
{
	struct impair *imp = impair_of(t, IMPAIR_OUT);

	if (!imp && !t->out.list.head)
		return false;

	/* behind those that wait, even when it is over */
	if (imp)
		items_put(t, imp, IMPAIR_OUT, clock_us(), rtcp, dst, p,
			  len);
	else
		item_put(&t->out, NULL, false, clock_us(), rtcp, dst, p, len);
	send_due(t);

	return true;
}


bool impair_hold(struct transport *t, bool rtcp, const struct packet *pk)
{
	struct impair *imp = impair_of(t, IMPAIR_IN);

	if (!imp)
		return false;

	items_put(t, imp, IMPAIR_IN, pk->arrival_us, rtcp, pk->from, pk->p,
		  pk->len);

	return true;
}


struct packet *impair_due(struct transport *t, bool rtcp, uint64_t now_us)
{
	t->last = mem_deref(t->last);

	for (struct le *le = t->in.list.head; le; le = le->next) {

		struct item *it = le->data;

		if (it->due_us > now_us)
			return NULL;
		if (it->rtcp != rtcp)
			continue;

		list_unlink(&it->le);
		t->last = it;

		return &it->pk;
	}

	return NULL;
}


void impair_flush(struct transport *t)
{
	timer_cancel(&t->out.tmr);
	list_flush(&t->out.list);
	list_flush(&t->in.list);
	t->last = mem_deref(t->last);
}


/* Main --------------------------------------------------------------------------- */

struct job {
	struct media *m;
	struct impair *imp;
	struct media_fault_count *count;
};


static void swap_h(void *arg)
{
	struct job *j = arg;
	struct impair *old = j->m->eng->impair;

	j->m->eng->impair = j->imp;
	j->imp = old;
}


int media_impair(struct media *m, const struct media_fault *in,
		 const struct media_fault *out, uint64_t seed)
{
	struct job j = { .m = m };

	assert_main();

	if (in || out) {
		j.imp = mem_zalloc(sizeof(*j.imp), NULL);
		if (!j.imp)
			return ENOMEM;

		impair_init(j.imp, seed);
		j.imp->on[IMPAIR_IN] = in != NULL;
		j.imp->on[IMPAIR_OUT] = out != NULL;
		if (in)
			j.imp->fault[IMPAIR_IN] = *in;
		if (out)
			j.imp->fault[IMPAIR_OUT] = *out;
	}

	media_run(m, swap_h, &j);
	mem_deref(j.imp);

	return 0;
}


static void count_h(void *arg)
{
	struct job *j = arg;
	const struct impair *imp = j->m->eng->impair;

	memset(j->count, 0, 2 * sizeof(*j->count));
	if (imp)
		memcpy(j->count, imp->count, sizeof(imp->count));
}


void media_impaired(struct media *m, struct media_fault_count count[2])
{
	struct job j = { .m = m, .count = count };

	media_run(m, count_h, &j);
}
