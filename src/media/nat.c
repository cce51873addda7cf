/**
 * @file nat.c  What a flow does to get through NATs
 *
 * Media thread.  Before a call is agreed on nobody reads its socket, so it is
 * watched here until gathering is over; later the engine reads it and hands
 * over what is ours.  One timer: fast while something is going on, slow to
 * keep open what there is.
 */
#include "nat_priv.h"


enum {
	FAST_MS = 20,
	SLOW_MS = 250,
};


/* Sending ---------------------------------------------------------------- */

void nat_relay_out(const uint8_t *p, size_t len, void *arg)
{
	struct nat *n = arg;

	(void)nat_base_send(n, n->turn_base, &n->conf.turn, p, len);
}


static void ice_out(const struct sa *dst, unsigned via, const uint8_t *p,
		    size_t len, void *arg)
{
	struct nat *n = arg;

	if (via != ICE_RELAY) {
		(void)nat_base_send(n, via, dst, p, len);
	}
	else if (n->turn) {
		(void)turn_permit(n->turn, dst);
		(void)turn_send(n->turn, dst, p, len);
	}
}


/* What comes ------------------------------------------------------------- */

void nat_relayed_h(const struct sa *peer, uint8_t *p, size_t len,
		      void *arg)
{
	struct nat *n = arg;
	struct packet q = {
		.p = p, .len = len, .from = peer, .arrival_us = clock_us()
	};

	if (stunmsg_is(p, len)) {
		if (n->ice)
			(void)ice_recv(n->ice, peer, ICE_RELAY, p, len,
				       q.arrival_us);
	}
	else if (n->f->started) {
		flow_packet(n->f, &q);
	}
}


bool nat_packet_at(struct nat *n, unsigned base, struct packet *p)
{
	if (n->turn && n->conf.relay == RELAY_UDP && base == n->turn_base &&
	    sa_cmp(p->from, &n->conf.turn, SA_ALL) &&
	    !(sa_cmp(&n->conf.stun, &n->conf.turn, SA_ALL) &&
	      stunmsg_is(p->p, p->len) && nat_answered(n, base, p->p, p->len))) {
		turn_recv(n->turn, p->p, p->len);
		return true;
	}

	if (!stunmsg_is(p->p, p->len))
		return false;

	if (!nat_answered(n, base, p->p, p->len) && n->ice)
		(void)ice_recv(n->ice, p->from, base, p->p, p->len,
			       p->arrival_us);

	return true;
}


bool nat_packet(struct nat *n, struct packet *p)
{
	return nat_packet_at(n, 0, p);
}


static void socket_h(int flags, void *arg)
{
	struct nat *n = arg;
	struct packet *pv;
	unsigned count;
	(void)flags;

	count = transport_recv(&n->f->tp, false, n->f->eng->inbox, &pv);
	for (unsigned i = 0; i < count; i++)
		(void)nat_packet(n, &pv[i]);
}


void nat_unwatch(struct nat *n)
{
	if (n->watched)
		compat_fd_close(&n->watch);
	n->watched = false;
}


/* Where it stands -------------------------------------------------------- */

void nat_post(struct nat *n, int type, const char *text, bool relayed)
{
	struct post p = {
		.id = n->f->id, .type = type,
		.ev.type = (enum stream_event_type)type,
		.ev.relayed = relayed
	};

	str_ncpy(p.text, text, sizeof(p.text));
	n->f->eng->post_h(&p, n->f->eng->post_arg);
}


static void way_tell(struct nat *n)
{
	char text[192];
	unsigned via;
	struct sa sa;

	if (!ice_way(n->ice, &sa, &via) ||
	    (sa_cmp(&sa, &n->way, SA_ALL) && via == n->way_via))
		return;

	n->way = sa;
	n->way_via = via;
	(void)re_snprintf(text, sizeof(text), "%s port %u%s%s",
			  address_text(&sa).s, sa_port(&sa),
			  !via ? "" : via == ICE_RELAY ? ", by the relay" :
			  ", from ", !via || via == ICE_RELAY ? "" :
			  address_text(nat_base_local(n, via)).s);
	nat_post(n, STREAM_WAY, text, via == ICE_RELAY);
}


static void ice_look(struct nat *n)
{
	const enum ice_state state = ice_state(n->ice);

	if (state == ICE_CHOSEN)
		way_tell(n);
	if (state == n->ice_told)
		return;

	n->ice_told = state;

	/* who answers a check with our password is there and wants it */
	if (state == ICE_CONNECTED || state == ICE_CHOSEN)
		flow_prove_way(n->f);
	if (state == ICE_FAILED)
		nat_post(n, STREAM_NO_WAY, "no way to the other side was found",
			 false);
	if (state == ICE_LOST)
		nat_post(n, STREAM_NO_WAY, "the other side answers no checks"
			 " any more", false);
}


static void tick_h(void *arg)
{
	struct nat *n = arg;
	const uint64_t now_us = clock_us();
	bool busy;

	nat_ask_tick(n, now_us);
	if (n->turn)
		turn_tick(n->turn, now_us);
	nat_gather_look(n, now_us);

	if (n->ice && !n->f->tp.shut) {
		/* the engine reads when it has time; this is sooner */
		ice_tick(n->ice, now_us);
		ice_look(n);
	}

	busy = !n->told || (n->ice && ice_state(n->ice) != ICE_CHOSEN &&
			    ice_state(n->ice) != ICE_LOST);
	timer_start(&n->tmr, busy ? FAST_MS : SLOW_MS, tick_h, n);
}


/* For the flow ----------------------------------------------------------- */

static void destructor(void *arg)
{
	struct nat *n = arg;

	timer_cancel(&n->tmr);
	nat_unwatch(n);
	for (unsigned i = 0; i < COUNT(n->maps); i++)
		mem_deref(n->maps[i].p);
	mem_deref(n->turn);
	mem_deref(n->ice);
	nat_bases_close(n);
	explicit_bzero(&n->conf, sizeof(n->conf));
	explicit_bzero(&n->agreed, sizeof(n->agreed));
}


/* From nothing, or after a move */
static int begin(struct nat *n)
{
	int base, err = 0;

	n->begin_us = clock_us();
	n->told = false;
	n->more_us = 0;
	nat_bases_open(n);

	/* a server of a family that we do not have is of no use; over a
	 * connection the system finds the way */
	if (nat_base_of(n, sa_af(&n->conf.stun), -1) < 0)
		sa_init(&n->conf.stun, AF_UNSPEC);
	base = nat_base_of(n, sa_af(&n->conf.turn), -1);
	if (base < 0)
		n->conf.relay = RELAY_NONE;
	else if (!n->turn || turn_state(n->turn))
		n->turn_base = (unsigned)base;

	/* once a call runs the engine reads */
	if (!n->f->started) {
		err = compat_fd_listen(&n->watch, n->f->tp.rtp, FD_READ,
				       socket_h, n);
		n->watched = !err;
	}
	if (err)
		return err;

	nat_ask(n, n->begin_us);
	nat_relay_again(n);
	n->moved = false;
	nat_maps_begin(n);
	timer_start(&n->tmr, FAST_MS, tick_h, n);

	return 0;
}


int nat_alloc(struct nat **np, struct flow *f, const struct media_nat *conf,
	      const struct media_conf *mc)
{
	struct nat *n;
	int err;

	assert_media();

	n = mem_zalloc(sizeof(*n), destructor);
	if (!n)
		return ENOMEM;

	n->f = f;
	n->conf = *conf;
	n->mc = *mc;
	sa_init(&n->way, AF_UNSPEC);
	nat_bases_init(n);

	err = begin(n);
	if (err)
		mem_deref(n);
	else
		*np = n;

	return err;
}


void nat_leave(struct nat *n)
{
	nat_unwatch(n);
}


void nat_arrive(struct nat *n)
{
	n->moved = true;
	if (!n->ice)
		return;

	ice_moved(n->ice);
	timer_start(&n->tmr, 0, tick_h, n);
}


bool nat_again(struct nat *n, const struct sa *gw, const struct sa *basev,
	       unsigned basec)
{
	const bool asks = sa_isset(&n->conf.stun, SA_ALL) ||
		n->conf.relay != RELAY_NONE ||
		n->conf.portmap != PORTMAP_OFF;

	if (gw)
		n->conf.gateway = *gw;
	else
		n->conf.portmap = PORTMAP_OFF;
	n->conf.basec = basec < COUNT(n->conf.basev) ? basec :
		COUNT(n->conf.basev);
	for (unsigned i = 0; i < n->conf.basec; i++)
		n->conf.basev[i] = basev[i];
	if (!asks) {
		nat_bases_open(n);
		return false;
	}

	nat_unwatch(n);
	n->stun_next = n->turn_next = n->redirects = 0;

	return !begin(n);
}


static void ours(const struct nat *n, struct ice_ours *o)
{
	for (unsigned i = 0; i < ICE_VIAS; i++)
		sa_init(&o->addrv[i], AF_UNSPEC);
	for (unsigned i = 0; i < MEDIA_BASES; i++)
		o->addrv[i] = *nat_base_local(n, i);
	if (n->turn && !turn_state(n->turn))
		o->addrv[ICE_RELAY] = *turn_relayed(n->turn);
}


int nat_agree(struct nat *n, const struct media_ice *conf)
{
	struct ice *ice = NULL;
	struct ice_ours o;
	int err;

	if (media_ice_equal(&n->agreed, conf))
		return 0;

	if (conf->on) {
		ours(n, &o);
		err = ice_alloc(&ice, conf, &o, ice_out, n);
		if (err)
			return err;
	}

	mem_deref(n->ice);
	n->ice = ice;
	n->ice_told = ICE_CHECKING;
	n->agreed = *conf;
	for (unsigned i = 0; ice && n->turn && ice_remote(ice, i); i++)
		(void)turn_permit(n->turn, ice_remote(ice, i));
	if (ice)
		timer_start(&n->tmr, 0, tick_h, n);

	return 0;
}


bool nat_rules(const struct nat *n)
{
	return n && n->ice;
}


bool nat_way(const struct nat *n)
{
	unsigned via;
	struct sa sa;

	return ice_way(n->ice, &sa, &via);
}


int nat_send(struct nat *n, const uint8_t *p, size_t len)
{
	unsigned via;
	struct sa sa;

	if (!ice_way(n->ice, &sa, &via))
		return ENOTCONN;
	if (via == ICE_RELAY)
		return n->turn ? turn_send(n->turn, &sa, p, len) : ENOTCONN;

	return nat_base_send(n, via, &sa, p, len);
}


bool nat_ways(const struct nat *n, struct media_ways *w)
{
	unsigned viav[MEDIA_PAIRS];

	if (!nat_rules(n))
		return false;

	ice_ways(n->ice, w, viav);
	for (unsigned i = 0; i < w->pairc; i++) {
		struct media_pair *p = &w->pairv[i];

		if (viav[i] != ICE_RELAY)
			p->local = *nat_base_local(n, viav[i]);
		else if (n->turn && !turn_state(n->turn))
			p->local = *turn_relayed(n->turn);
	}

	return true;
}


bool nat_knows(const struct nat *n, const struct sa *from)
{
	return ice_knows(n->ice, from);
}


void nat_end(struct nat *n)
{
	if (n->turn)
		turn_end(n->turn);
}
