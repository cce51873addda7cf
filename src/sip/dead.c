/**
 * @file sip/dead.c  Who did not answer lately
 *
 * Main thread, owned by the stack, fixed size.  An address that refused or
 * kept silent is remembered for a while, each time it happens again for twice
 * as long; so is one that asked to be left in peace (503 with Retry-After).
 * It is not shut out: it is only tried after those of which nothing bad is
 * known.  Any other response clears it.
 */
#include "locate.h"


enum {
	DEADS_MAX   = 64,
	FIRST_MS    = 30000,
	MOST_MS     = 300000,
	PEACE_MAX_S = 3600,         /* a Retry-After is not believed beyond */
};

struct dead {
	enum sip_transp tp;
	struct sa dst;
	uint64_t until_ms;
	uint32_t span_ms;           /* how long it was put away last time   */
	char why[48];
};

struct deads {
	unsigned n;
	struct dead v[DEADS_MAX];
};


int deads_alloc(struct deads **dp)
{
	struct deads *ds = mem_zalloc(sizeof(*ds), NULL);

	if (!ds)
		return ENOMEM;

	*dp = ds;

	return 0;
}


static struct dead *dead_find(struct deads *ds, enum sip_transp tp,
			      const struct sa *dst)
{
	unsigned i;

	for (i = 0; i < ds->n; i++) {
		struct dead *d = &ds->v[i];

		if (d->tp == tp && sa_cmp(&d->dst, dst, SA_ALL))
			return d;
	}

	return NULL;
}


/* A free place, or that of whose time is over first */
static struct dead *dead_place(struct deads *ds)
{
	struct dead *d = &ds->v[0];
	unsigned i;

	if (ds->n < DEADS_MAX)
		return &ds->v[ds->n++];

	for (i = 1; i < ds->n; i++) {
		if (ds->v[i].until_ms < d->until_ms)
			d = &ds->v[i];
	}

	return d;
}


void dead_mark(struct deads *ds, enum sip_transp tp, const struct sa *dst,
	       uint32_t peace_s, const char *why)
{
	const uint64_t now = clock_ms();
	struct dead *d = dead_find(ds, tp, dst);
	uint64_t ms;

	if (!d) {
		d = dead_place(ds);
		memset(d, 0, sizeof(*d));
		d->tp = tp;
		d->dst = *dst;
	}

	if (peace_s) {
		ms = 1000ull * (peace_s < PEACE_MAX_S ? peace_s :
				PEACE_MAX_S);
	}
	else if (now < d->until_ms) {
		/* others had sent to it before they could know */
		return;
	}
	else {
		/* a long good time in between makes it a first time */
		if (!d->span_ms || now - d->until_ms > MOST_MS)
			d->span_ms = FIRST_MS;
		else if (d->span_ms < MOST_MS / 2)
			d->span_ms *= 2;
		else
			d->span_ms = MOST_MS;
		ms = d->span_ms;
	}

	d->until_ms = now + ms;
	(void)snprintf(d->why, sizeof(d->why), "%s", why);
}


void dead_clear(struct deads *ds, enum sip_transp tp, const struct sa *dst)
{
	struct dead *d = ds->n ? dead_find(ds, tp, dst) : NULL;

	if (d)
		*d = ds->v[--ds->n];
}


void deads_forget(struct deads *ds)
{
	ds->n = 0;
}


bool dead_is(struct deads *ds, enum sip_transp tp, const struct sa *dst,
	     uint32_t *left_s, const char **why)
{
	const struct dead *d = ds->n ? dead_find(ds, tp, dst) : NULL;
	const uint64_t now = clock_ms();

	if (!d || now >= d->until_ms)
		return false;

	if (left_s)
		*left_s = (uint32_t)((d->until_ms - now + 999) / 1000);
	if (why)
		*why = d->why;

	return true;
}


void dead_sort(struct deads *ds, struct target_list *tl)
{
	struct target_list last = {.n = 0};
	unsigned i, n = 0;

	if (!ds->n)
		return;

	for (i = 0; i < tl->n; i++) {
		if (dead_is(ds, tl->v[i].tp, &tl->v[i].dst, NULL, NULL))
			last.v[last.n++] = tl->v[i];
		else
			tl->v[n++] = tl->v[i];
	}

	memcpy(&tl->v[n], last.v, last.n * sizeof(last.v[0]));
}
