/**
 * @file nat.c  What a flow does to get through NATs
 *
 * Media thread.  Before a call is agreed on nobody reads its socket, so it is
 * watched here until gathering is over; later the engine reads it and hands
 * over what is ours.  One timer: fast while something is going on, slow to
 * keep open what there is.
 */
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "ice.h"
#include "nat.h"
#include "priv.h"
#include "stun.h"
#include "turn.h"


enum {
	FAST_MS      = 20,
	SLOW_MS      = 250,
	GATHER_US    = 3000000,  /* servers have so long                    */
	STUN_RTO_US  = 200000,
	STUN_TRIES   = 6,
	NEXT_TRIES   = 3,        /* unanswered so often: the next server    */
	NEXT_US      = 1300000,  /* the same of a relay                     */
	REDIRECTS    = 2,        /* a relay may send us on so often         */
	KEEP_US      = 15000000, /* a NAT forgets after thirty seconds      */
};

/** A port of ours on the router: 0 sound, 1 reports */
struct map {
	struct nat *n;
	struct portmap *p;       /* NULL: not asked for                     */
	struct sa out;
	int err;                 /* EAGAIN: no answer yet                   */
};

struct nat {
	struct flow *f;
	struct media_nat conf;
	struct timer tmr;
	struct compat_fd watch;
	bool watched;
	uint64_t begin_us;
	bool told;               /* gathering is over                       */

	struct stun_out ask;     /* of the STUN server                      */
	unsigned tries;          /* 0: nothing is asked                     */
	uint64_t due_us, keep_us;
	struct sa mapped;
	unsigned stun_next;      /* of conf.stunv                           */

	struct turn *turn;
	bool turn_told, turn_checked;
	bool moved;              /* the socket is another one since         */
	unsigned turn_next, redirects;
	uint64_t turn_us;        /* begun                                   */
	uint64_t more_us;        /* what changing servers takes             */

	struct map maps[2];

	struct media_ice agreed;
	struct ice *ice;
	enum ice_state ice_told;
	struct sa way;           /* told of                                 */
	bool way_relayed;
};


/* Sending ---------------------------------------------------------------- */

static void plain_send(struct nat *n, const struct sa *dst, const uint8_t *p,
		       size_t len)
{
	(void)transport_send_raw(&n->f->tp, dst, p, len);
}


static void turn_out(const uint8_t *p, size_t len, void *arg)
{
	struct nat *n = arg;

	plain_send(n, &n->conf.turn, p, len);
}


static void ice_out(const struct sa *dst, bool relayed, const uint8_t *p,
		    size_t len, void *arg)
{
	struct nat *n = arg;

	if (!relayed) {
		plain_send(n, dst, p, len);
	}
	else if (n->turn) {
		(void)turn_permit(n->turn, dst);
		(void)turn_send(n->turn, dst, p, len);
	}
}


/* The STUN server -------------------------------------------------------- */

static void ask_begin(struct nat *n, uint64_t now_us)
{
	stunmsg_begin(&n->ask, SM_BINDING, SC_REQUEST, NULL);
	(void)stunmsg_end(&n->ask, NULL, 0, true);
	n->tries = 1;
	n->due_us = now_us + STUN_RTO_US;
	n->keep_us = now_us + KEEP_US;
	plain_send(n, &n->conf.stun, n->ask.p, n->ask.len);
}


/* The one that failed goes to the end, should all be asked again.
 * @return true: there is another one to be asked */
static bool stun_other(struct nat *n)
{
	struct media_server *v = n->conf.stunv;
	const struct sa failed = n->conf.stun;

	if (n->stun_next == n->conf.stunc)
		return false;

	++n->stun_next;
	n->conf.stun = v[0].addr;
	memmove(v, v + 1, (n->conf.stunc - 1) * sizeof(*v));
	v[n->conf.stunc - 1].addr = failed;
	n->more_us += NEXT_US;

	return true;
}


static void ask_tick(struct nat *n, uint64_t now_us)
{
	if (!sa_isset(&n->conf.stun, SA_ALL))
		return;

	/* the way stays open, and if it has moved that is known */
	if (!n->tries && now_us > n->keep_us) {
		ask_begin(n, now_us);
	}
	else if (n->tries >= NEXT_TRIES && now_us > n->due_us &&
		 stun_other(n)) {
		ask_begin(n, now_us);
	}
	else if (n->tries == STUN_TRIES && now_us > n->due_us) {
		n->tries = 0;
	}
	else if (n->tries && now_us > n->due_us) {
		n->due_us = now_us + ((uint64_t)STUN_RTO_US << n->tries);
		++n->tries;
		plain_send(n, &n->conf.stun, n->ask.p, n->ask.len);
	}
}


static bool ask_answered(struct nat *n, const uint8_t *p, size_t len)
{
	struct stun_in m;

	if (!n->tries || memcmp(p + 8, n->ask.p + 8, STUN_TID) ||
	    stunmsg_read(&m, p, len) || m.cls != SC_SUCCESS)
		return false;

	n->tries = 0;
	if (sa_isset(&m.mapped, SA_ALL))
		n->mapped = m.mapped;

	return true;
}


/* What comes ------------------------------------------------------------- */

static void relayed_h(const struct sa *peer, uint8_t *p, size_t len,
		      void *arg)
{
	struct nat *n = arg;
	struct packet q = {
		.p = p, .len = len, .from = peer, .arrival_us = clock_us()
	};

	if (stunmsg_is(p, len)) {
		if (n->ice)
			(void)ice_recv(n->ice, peer, true, p, len,
				       q.arrival_us);
	}
	else if (n->f->started) {
		flow_packet(n->f, &q);
	}
}


bool nat_packet(struct nat *n, struct packet *p)
{
	if (n->turn && n->conf.relay == RELAY_UDP &&
	    sa_cmp(p->from, &n->conf.turn, SA_ALL) &&
	    !(sa_cmp(&n->conf.stun, &n->conf.turn, SA_ALL) &&
	      stunmsg_is(p->p, p->len) && ask_answered(n, p->p, p->len))) {
		turn_recv(n->turn, p->p, p->len);
		return true;
	}

	if (!stunmsg_is(p->p, p->len))
		return false;

	if (!ask_answered(n, p->p, p->len) && n->ice)
		(void)ice_recv(n->ice, p->from, false, p->p, p->len,
			       p->arrival_us);

	return true;
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


static void unwatch(struct nat *n)
{
	if (n->watched)
		compat_fd_close(&n->watch);
	n->watched = false;
}


/* Where it stands -------------------------------------------------------- */

static void post(struct nat *n, int type, const char *text, bool relayed)
{
	struct post p = {
		.id = n->f->id, .type = type,
		.ev.type = (enum stream_event_type)type,
		.ev.relayed = relayed
	};

	str_ncpy(p.text, text, sizeof(p.text));
	n->f->eng->post_h(&p, n->f->eng->post_arg);
}


/* Relays ----------------------------------------------------------------- */

static void turn_begin(struct nat *n)
{
	n->turn = mem_deref(n->turn);
	n->turn_told = n->turn_checked = false;
	n->turn_us = clock_us();
	if (n->conf.relay != RELAY_NONE &&
	    turn_alloc(&n->turn, &n->conf, turn_out, relayed_h, n))
		n->turn = NULL;
}


/* The next one; the one that failed goes to the end */
static void turn_rotate(struct media_nat *conf)
{
	struct media_server *v = conf->turnv, failed = {
		.addr = conf->turn, .relay = conf->relay,
	};

	str_ncpy(failed.host, conf->turn_host, sizeof(failed.host));
	conf->turn = v[0].addr;
	conf->relay = v[0].relay;
	str_ncpy(conf->turn_host, v[0].host, sizeof(conf->turn_host));
	memmove(v, v + 1, (conf->turnc - 1) * sizeof(*v));
	v[conf->turnc - 1] = failed;
}


/* From the same socket it would be refused a second time: is it there yet? */
static void turn_again(struct nat *n)
{
	if (!n->turn || turn_state(n->turn) || n->moved) {
		turn_begin(n);
		return;
	}

	n->turn_told = false;
	n->turn_checked = true;
	n->turn_us = clock_us();
	turn_check(n->turn);
}


/* The one that failed sends us to another, or there is another by name */
static bool turn_other(struct nat *n)
{
	const struct sa *alt = n->turn ? turn_alternate(n->turn) : NULL;

	if (n->told)
		return false;

	if (alt && sa_isset(alt, SA_ALL) && n->redirects < REDIRECTS) {
		++n->redirects;
		n->conf.turn = *alt;
	}
	else if (n->turn_next < n->conf.turnc) {
		++n->turn_next;
		turn_rotate(&n->conf);
	}
	else {
		return false;
	}

	n->more_us += NEXT_US;
	turn_begin(n);

	return true;
}


static void turn_look(struct nat *n, uint64_t now_us)
{
	const int state = n->turn ? turn_state(n->turn) : 0;
	char why[TURN_ERR];

	if (!state || n->turn_told)
		return;

	if (state != EAGAIN && n->turn_checked) {
		/* it has forgotten us, or its connection is gone */
		turn_begin(n);
	}
	else if (state != EAGAIN) {
		str_ncpy(why, turn_error(n->turn), sizeof(why));
		if (!turn_other(n)) {
			n->turn_told = true;
			log_warn("%s", why);
		}
		else {
			log_info("%s: the next one is asked", why);
		}
	}
	else if (now_us > n->turn_us + NEXT_US && n->turn_next <
		 n->conf.turnc && turn_other(n)) {
		log_info("the TURN server does not answer: the next one is"
			 " asked");
	}
}


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
		post(n, STREAM_GATHERED, "", false);
}


static void maps_begin(struct nat *n)
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
static void gather_look(struct nat *n, uint64_t now_us)
{
	const bool late = now_us > n->begin_us + GATHER_US + n->more_us;
	const bool stun = sa_isset(&n->conf.stun, SA_ALL) && n->tries &&
		!sa_isset(&n->mapped, SA_ALL);
	bool turn;

	turn_look(n, now_us);
	turn = n->turn && turn_state(n->turn) == EAGAIN;

	if (n->told || ((stun || turn || maps_wait(n)) && !late))
		return;

	if (sa_isset(&n->conf.stun, SA_ALL) && !sa_isset(&n->mapped, SA_ALL))
		log_warn("the STUN server does not answer");
	if (turn)
		log_warn("the TURN server does not answer");
	if (maps_wait(n))
		log_warn("no port on the router: %s",
			 portmap_error(ETIMEDOUT));

	n->told = true;
	unwatch(n);
	post(n, STREAM_GATHERED, "", false);
}


static void way_tell(struct nat *n)
{
	char text[128];
	bool relayed;
	struct sa sa;

	if (!ice_way(n->ice, &sa, &relayed) ||
	    (sa_cmp(&sa, &n->way, SA_ALL) && relayed == n->way_relayed))
		return;

	n->way = sa;
	n->way_relayed = relayed;
	(void)re_snprintf(text, sizeof(text), "%s port %u%s",
			  address_text(&sa).s, sa_port(&sa),
			  relayed ? ", by the relay" : "");
	post(n, STREAM_WAY, text, relayed);
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
		post(n, STREAM_NO_WAY, "no way to the other side was found",
		     false);
	if (state == ICE_LOST)
		post(n, STREAM_NO_WAY, "the other side answers no checks any"
		     " more", false);
}


static void tick_h(void *arg)
{
	struct nat *n = arg;
	const uint64_t now_us = clock_us();
	bool busy;

	ask_tick(n, now_us);
	if (n->turn)
		turn_tick(n->turn, now_us);
	gather_look(n, now_us);

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
	unwatch(n);
	for (unsigned i = 0; i < COUNT(n->maps); i++)
		mem_deref(n->maps[i].p);
	mem_deref(n->turn);
	mem_deref(n->ice);
	explicit_bzero(&n->conf, sizeof(n->conf));
	explicit_bzero(&n->agreed, sizeof(n->agreed));
}


/* From nothing, or after a move */
static int begin(struct nat *n)
{
	const int af = sa_af(&n->f->tp.local);
	int err = 0;

	n->begin_us = clock_us();
	n->told = false;
	n->tries = 0;
	n->more_us = 0;
	sa_init(&n->mapped, AF_UNSPEC);

	/* a server of the other family is of no use to this socket */
	if (sa_af(&n->conf.stun) != af)
		sa_init(&n->conf.stun, AF_UNSPEC);
	if (sa_af(&n->conf.turn) != af)
		n->conf.relay = RELAY_NONE;

	/* once a call runs the engine reads */
	if (!n->f->started) {
		err = compat_fd_listen(&n->watch, n->f->tp.rtp, FD_READ,
				       socket_h, n);
		n->watched = !err;
	}
	if (err)
		return err;

	if (sa_isset(&n->conf.stun, SA_ALL))
		ask_begin(n, n->begin_us);
	turn_again(n);
	n->moved = false;
	maps_begin(n);
	timer_start(&n->tmr, FAST_MS, tick_h, n);

	return 0;
}


int nat_alloc(struct nat **np, struct flow *f, const struct media_nat *conf)
{
	struct nat *n;
	int err;

	assert_media();

	n = mem_zalloc(sizeof(*n), destructor);
	if (!n)
		return ENOMEM;

	n->f = f;
	n->conf = *conf;
	sa_init(&n->way, AF_UNSPEC);

	err = begin(n);
	if (err)
		mem_deref(n);
	else
		*np = n;

	return err;
}


void nat_leave(struct nat *n)
{
	unwatch(n);
}


void nat_arrive(struct nat *n)
{
	n->moved = true;
	if (!n->ice)
		return;

	ice_moved(n->ice);
	timer_start(&n->tmr, 0, tick_h, n);
}


bool nat_again(struct nat *n, const struct sa *gw)
{
	const bool asks = sa_isset(&n->conf.stun, SA_ALL) ||
		n->conf.relay != RELAY_NONE ||
		n->conf.portmap != PORTMAP_OFF;

	if (gw)
		n->conf.gateway = *gw;
	else
		n->conf.portmap = PORTMAP_OFF;
	if (!asks)
		return false;

	unwatch(n);
	n->stun_next = n->turn_next = n->redirects = 0;

	return !begin(n);
}


static void cand_add(struct media_gathered *g, enum media_cand_type type,
		     const struct sa *addr, const struct sa *base)
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
	struct sa none;

	memset(g, 0, sizeof(*g));
	sa_init(&none, AF_UNSPEC);
	sa_init(&g->mapped, AF_UNSPEC);
	sa_init(&g->mapped_rtcp, AF_UNSPEC);

	cand_add(g, CAND_HOST, local, &none);
	if (sa_isset(&n->mapped, SA_ALL)) {
		g->mapped = n->mapped;
		cand_add(g, CAND_SRFLX, &n->mapped, local);
	}
	/* a port that the router keeps for all, unless another one is behind
	 * it, of which it knows nothing */
	if (!sa_isset(&n->mapped, SA_ALL) ||
	    sa_cmp(&n->mapped, &n->maps[0].out, SA_ADDR))
		map_take(g, n);
	cand_add(g, CAND_SRFLX, &n->maps[0].out, local);
	g->map_err = n->maps[0].err == EAGAIN ? ETIMEDOUT : n->maps[0].err;
	/* over a connection the relay sees another port of ours */
	if (relay && n->conf.relay == RELAY_UDP) {
		if (!sa_isset(&g->mapped, SA_ALL))
			g->mapped = *turn_mapped(n->turn);
		cand_add(g, CAND_SRFLX, turn_mapped(n->turn), local);
	}
	if (relay)
		cand_add(g, CAND_RELAY, turn_relayed(n->turn),
			 sa_isset(&n->mapped, SA_ALL) ? &n->mapped : local);
}


int nat_agree(struct nat *n, const struct media_ice *conf)
{
	struct ice *ice = NULL;
	int err;

	if (media_ice_equal(&n->agreed, conf))
		return 0;

	if (conf->on) {
		err = ice_alloc(&ice, conf, n->turn && !turn_state(n->turn),
				ice_out, n);
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
	bool relayed;
	struct sa sa;

	return ice_way(n->ice, &sa, &relayed);
}


int nat_send(struct nat *n, const uint8_t *p, size_t len)
{
	bool relayed;
	struct sa sa;

	if (!ice_way(n->ice, &sa, &relayed))
		return ENOTCONN;
	if (relayed)
		return n->turn ? turn_send(n->turn, &sa, p, len) : ENOTCONN;

	return transport_send_raw(&n->f->tp, &sa, p, len);
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
