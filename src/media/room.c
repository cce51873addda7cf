/**
 * @file room.c  A conference: each hears all others, and never itself
 *
 * Media thread.  A turn has two halves.  First every member hears its peer;
 * what it heard is brought to the conference's rate and added up.  Then each
 * speaks, and what it says has the sum without its own part mixed in: so an
 * echo of oneself is not removed but never there.  The rate is that of the
 * best member, and equals are not resampled.
 *
 * The microphone and the loudspeaker are not members: each flow meets the
 * device as it does alone, so we hear everybody and everybody hears us.
 */
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "priv.h"


struct room {
	struct le le;            /* engine's                                */
	unsigned no;
	struct list members;
	uint32_t rate_hz;        /* of this turn                            */
	size_t n;                /* samples in it                           */
	bool bound;              /* driven by the device                    */
	int32_t sum[BLOCK_MAX];
	int16_t out[BLOCK_MAX], low[BLOCK_MAX];
};

struct member {
	struct le le;
	struct room *room;
	struct flow *f;
	struct edge *edge;       /* from the flow's rate to the room's      */
	struct gain gain;
	bool spoke;              /* has a part in this turn                 */
	bool two;                /* own has a side                          */
	int16_t own_side[BLOCK_MAX];
	int16_t own[BLOCK_MAX];  /* heard, at the flow's rate,              */
	int16_t part[BLOCK_MAX]; /*   and at the room's                     */
};


static void room_destructor(void *arg)
{
	struct room *r = arg;

	list_unlink(&r->le);
}


static void member_destructor(void *arg)
{
	struct member *m = arg;

	if (!m->room)
		return;

	list_unlink(&m->le);
	mem_deref(m->edge);
	if (list_isempty(&m->room->members))
		mem_deref(m->room);
}


static struct room *room_find(const struct engine *e, unsigned no)
{
	for (struct le *le = e->rooms.head; le; le = le->next) {
		struct room *r = le->data;

		if (r->no == no)
			return r;
	}

	return NULL;
}


int room_join(struct flow *f, unsigned no)
{
	struct engine *e = f->eng;
	struct room *r = NULL;
	struct member *m;

	assert_media();

	if (f->member && f->member->room->no == no)
		return 0;

	f->member = mem_deref(f->member);
	if (!no)
		goto out;

	m = mem_zalloc(sizeof(*m), member_destructor);
	r = room_find(e, no);
	if (m && !r) {
		r = mem_zalloc(sizeof(*r), room_destructor);
		if (r) {
			r->no = no;
			list_append(&e->rooms, &r->le, r);
		}
	}
	if (!m || !r) {
		mem_deref(m);
		engine_retime(e);
		return ENOMEM;
	}

	m->room = r;
	m->f = f;
	gain_init(&m->gain);
	list_append(&r->members, &m->le, m);
	f->member = m;

 out:
	engine_retime(e);

	return 0;
}


void room_gain(struct flow *f, double db)
{
	if (f->member)
		gain_set(&f->member->gain, db);
}


bool room_bound(const struct member *m)
{
	for (struct le *le = m->room->members.head; le; le = le->next) {
		const struct member *other = le->data;

		if (other->f->started && flow_meets(other->f))
			return true;
	}

	return false;
}


/* A turn ---------------------------------------------------------------- */

void room_begin(struct room *r, unsigned ms)
{
	r->rate_hz = 0;

	for (struct le *le = r->members.head; le; le = le->next) {
		struct member *m = le->data;

		m->spoke = false;
		if (m->f->started && m->f->rate_hz > r->rate_hz)
			r->rate_hz = m->f->rate_hz;
	}

	r->n = r->rate_hz / 1000 * ms;
	memset(r->sum, 0, r->n * sizeof(*r->sum));
}


static struct edge *member_edge(struct member *m)
{
	const uint32_t flow_hz = m->f->rate_hz, room_hz = m->room->rate_hz;

	if (!edge_fits(m->edge, flow_hz, room_hz)) {
		m->edge = mem_deref(m->edge);
		if (edge_alloc(&m->edge, flow_hz, room_hz))
			log_debug("no memory to resample");
	}

	return m->edge;
}


void room_heard(struct member *m, const int16_t *v, const int16_t *side,
		size_t n)
{
	struct room *r = m->room;
	struct edge *edge;

	/* its side is for us: the others are sent one channel */
	memcpy(m->own, v, n * sizeof(*v));
	m->two = side != NULL;
	if (side)
		memcpy(m->own_side, side, n * sizeof(*side));

	if (m->f->rate_hz == r->rate_hz) {
		memcpy(m->part, v, n * sizeof(*v));
	}
	else {
		edge = member_edge(m);
		if (!edge)
			return;

		edge_push(edge, v, n);
		edge_pull(edge, m->part, r->n);
	}

	gain_run(&m->gain, m->part, r->n);
	m->spoke = true;

	for (size_t i = 0; i < r->n; i++)
		r->sum[i] += m->part[i];
}


const int16_t *room_others(struct member *m, size_t n)
{
	struct room *r = m->room;
	struct edge *edge;
	size_t k;

	if (!m->spoke)
		return NULL;

	mixer_others(r->out, r->sum, m->part, r->n);
	if (m->f->rate_hz == r->rate_hz)
		return r->out;

	edge = member_edge(m);
	if (!edge)
		return NULL;

	k = edge_in(edge, r->low, n, r->out, r->n);
	memset(r->low + k, 0, (n - k) * sizeof(*r->low));

	return r->low;
}


const int16_t *room_own(const struct member *m)
{
	return m->own;
}


const int16_t *room_own_side(const struct member *m)
{
	return m->two ? m->own_side : NULL;
}
