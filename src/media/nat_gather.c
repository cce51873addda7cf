/**
 * @file nat_gather.c  Where others may reach a flow
 *
 * Media thread.  Ports on the router, the end of gathering, and what it gave:
 * the candidates that go into a description (RFC 8445 5.1).
 */
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "nat_priv.h"


enum {
	GATHER_US = 3000000,     /* servers have so long                    */
};


/* The router ------------------------------------------------------------- */

static void map_h(int err, const struct sa *external, void *arg)
{
	struct map *m = arg;
	struct nat *n = m->n;
	const bool sound = m == n->maps;

	m->err = err;
	m->out = *external;

	if (sound && err && !(n->told && err == ETIMEDOUT))
		log_warn("no port on the router: %s", portmap_error(err));

	/* where others reach us has changed in mid-call */
	if (sound && n->told)
		nat_post(n, STREAM_GATHERED, "", false);
}


void nat_maps_begin(struct nat *n)
{
	struct sa local = n->f->tp.local;
	uint16_t wish = 0;

	for (unsigned i = 0; i < COUNT(n->maps); i++) {
		struct map *m = &n->maps[i];

		m->n = n;
		m->p = mem_deref(m->p);
		m->err = 0;
		sa_init(&m->out, AF_UNSPEC);
		sa_set_port(&local, (uint16_t)(sa_port(&n->f->tp.local) + i));

		if (n->conf.portmap == PORTMAP_OFF)
			continue;
		m->err = portmap_alloc(&m->p, &local, &n->conf.gateway,
				       n->conf.portmap, wish, map_h, m);
		if (m->err)
			log_info("no port on the router: %s",
				 strerror(m->err));
		else
			m->err = EAGAIN;
	}
}


static bool maps_wait(const struct nat *n)
{
	return n->maps[0].err == EAGAIN ||
		(n->maps[1].err == EAGAIN && !n->maps[0].err);
}


/* Gathering -------------------------------------------------------------- */

/* Is there an answer of each server that we asked, or has it had its time? */
void nat_gather_look(struct nat *n, uint64_t now_us)
{
	const bool late = now_us > n->begin_us + GATHER_US + n->more_us;
	const bool stun = nat_asks(n, now_us);
	bool turn;

	nat_relay_look(n, now_us);
	turn = n->turn && turn_state(n->turn) == EAGAIN;

	if (n->told || ((stun || turn || maps_wait(n)) && !late))
		return;

	if (sa_isset(&n->conf.stun, SA_ALL) && !n->mapped_us)
		log_warn("the STUN server does not answer");
	if (turn)
		log_warn("the TURN server does not answer");
	if (maps_wait(n))
		log_warn("no port on the router: %s",
			 portmap_error(ETIMEDOUT));

	n->told = true;
	nat_unwatch(n);
	nat_post(n, STREAM_GATHERED, "", false);
}


/* Candidates ------------------------------------------------------------- */

static void cand_add(struct media_gathered *g, enum media_cand_type type,
		     unsigned path, const struct sa *addr,
		     const struct sa *base)
{
	struct media_cand *c = &g->candv[g->candc];

	unsigned same = 0;

	if (!sa_isset(addr, SA_ALL) || g->candc == COUNT(g->candv))
		return;
	for (unsigned i = 0; i < g->candc; i++) {
		if (sa_cmp(&g->candv[i].addr, addr, SA_ALL))
			return;
		same += g->candv[i].type == type;
	}

	c->type = type;
	c->priority = ice_priority(type, same);
	c->addr = *addr;
	c->base = *base;
	c->path = path;
	++g->candc;
}


static void map_take(struct media_gathered *g, const struct nat *n)
{
	if (!sa_isset(&n->maps[0].out, SA_ALL))
		return;

	g->mapped = n->maps[0].out;
	if (sa_cmp(&n->maps[1].out, &n->maps[0].out, SA_ADDR))
		g->mapped_rtcp = n->maps[1].out;
}


void nat_gathered(const struct nat *n, struct media_gathered *g)
{
	const bool relay = n->turn && !turn_state(n->turn);
	const struct sa *local = &n->f->tp.local;
	const struct sa *mapped = &n->basev[0].mapped;
	struct sa none;

	memset(g, 0, sizeof(*g));
	sa_init(&none, AF_UNSPEC);
	sa_init(&g->mapped, AF_UNSPEC);
	sa_init(&g->mapped_rtcp, AF_UNSPEC);

	for (unsigned i = 0; i < MEDIA_BASES; i++)
		cand_add(g, CAND_HOST, i, nat_base_local(n, i), &none);
	if (sa_isset(mapped, SA_ALL)) {
		g->mapped = *mapped;
		cand_add(g, CAND_SRFLX, 0, mapped, local);
	}
	/* a port that the router keeps for all, unless another one is behind
	 * it, of which it knows nothing */
	if (!sa_isset(mapped, SA_ALL) ||
	    sa_cmp(mapped, &n->maps[0].out, SA_ADDR))
		map_take(g, n);
	cand_add(g, CAND_SRFLX, 0, &n->maps[0].out, local);
	g->map_err = n->maps[0].err == EAGAIN ? ETIMEDOUT : n->maps[0].err;
	/* over a connection the relay sees another port of ours */
	if (relay && n->conf.relay == RELAY_UDP) {
		if (!sa_isset(&g->mapped, SA_ALL) && !n->turn_base)
			g->mapped = *turn_mapped(n->turn);
		cand_add(g, CAND_SRFLX, n->turn_base, turn_mapped(n->turn),
			 nat_base_local(n, n->turn_base));
	}
	for (unsigned i = 1; i < MEDIA_BASES; i++)
		cand_add(g, CAND_SRFLX, i, &n->basev[i].mapped,
			 nat_base_local(n, i));
	if (relay) {
		mapped = &n->basev[n->turn_base].mapped;
		cand_add(g, CAND_RELAY, n->turn_base, turn_relayed(n->turn),
			 sa_isset(mapped, SA_ALL) ? mapped :
			 nat_base_local(n, n->turn_base));
	}
}
