/**
 * @file nat.c  A call and the servers that help it through NATs
 *
 * Which they are stands in the options; where they are the name service says,
 * by SRV when there is no port.  Before an offer or an answer goes out it is
 * found out what the servers, and the router, say, for which they have three
 * seconds: the call waits for that, and goes on without who does not answer.
 * After a move to another network all of it is done anew.  Main thread.
 */
#include <stdio.h>
#include <offhook/random.h>
#include "offhook/sip_locate.h"
#include "offhook/text.h"
#include "priv.h"


enum {
	ROUTER_DEAF_MS = 60000,  /* it did not answer: not asked for so long */
};

/** As it stands in an option */
struct server {
	char host[256];
	uint16_t port;           /* 0: not given                            */
	enum sip_transp tp;      /* SIP_TRANSP_NONE: any                    */
};

/** While servers are looked for */
struct ua_nat {
	struct ua *ua;
	struct sa laddr;
	struct server stun, turn;
	struct sip_helpers *find_stun, *find_turn;
	struct timer tmr;        /* the turn it ends in                     */
	struct media_nat conf;
	ua_nat_h *h;
	void *arg;
};


/* Options ---------------------------------------------------------------- */

static bool wants_ice(const struct call *c)
{
	const char *said = c->acc ? c->acc->conf.ice : "";

	if (c->acc && c->acc->conf.webrtc)
		return true;

	return said[0] ? !strcmp(said, "on") : c->ua->config->ice;
}


bool call_nat_wanted(const struct call *c)
{
	return wants_ice(c) || c->ua->config->stun_server[0] ||
		c->ua->config->port_mapping != PORTMAP_OFF;
}


/* "host", "host:port", "[v6]:port", v6 alone */
static int server_read(struct server *s, const char *text, size_t len)
{
	size_t host = 0, n = 0, at = 0;
	uint32_t v = 0;

	while (at < len && text[at] != ':')
		++at;

	if (len && text[0] == '[') {
		host = 1;
		while (host + n < len && text[host + n] != ']')
			++n;
		at = host + n + 1;
		if (at > len)
			return EINVAL;
	}
	else if (at < len && strchr(text + at + 1, ':') &&
		 strcspn(text + at + 1, ":") < len - at - 1) {
		n = at = len;
	}
	else {
		n = at;
	}

	if (!n || (at < len && (text[at] != ':' ||
	    text_u32(&v, text + at + 1, len - at - 1, 65535) || !v)))
		return EINVAL;

	s->port = (uint16_t)v;

	return text_copy(s->host, sizeof(s->host), text + host, n);
}


/* [USER@]HOST[:PORT][;transport=...] */
static int turn_read(struct ua_nat *l, const char *text)
{
	static const struct {
		const char *name;
		enum sip_transp tp;
	} v[] = {
		{ "udp", SIP_TRANSP_UDP }, { "tcp", SIP_TRANSP_TCP },
		{ "tls", SIP_TRANSP_TLS },
	};
	const size_t len = strcspn(text, ";");
	const char *tp = strstr(text + len, "transport=");
	const char *at = memrchr(text, '@', len);
	const char *host = at ? at + 1 : text;

	l->turn.tp = SIP_TRANSP_NONE;
	for (size_t i = 0; tp && i < ARRAY_SIZE(v); i++) {
		if (!strcmp(tp + strlen("transport="), v[i].name))
			l->turn.tp = v[i].tp;
	}
	if (text[len] && l->turn.tp == SIP_TRANSP_NONE)
		return EINVAL;
	if (at && text_copy(l->conf.turn_user, sizeof(l->conf.turn_user),
			    text, (size_t)(at - text)))
		return EINVAL;

	return server_read(&l->turn, host, len - (size_t)(host - text));
}


static void password_read(char *buf, size_t sz, const char *path)
{
	FILE *f = path[0] ? fopen(path, "re") : NULL;

	buf[0] = '\0';
	if (path[0] && !f)
		log_warn("turn-password-file: %s", strerror(errno));
	if (!f)
		return;

	if (fgets(buf, (int)sz, f))
		buf[strcspn(buf, "\r\n")] = '\0';
	(void)fclose(f);
}


static void conf_read(struct ua_nat *l)
{
	const struct config *conf = l->ua->config;
	const char *stun = conf->stun_server, *turn = conf->turn_server;

	l->conf.tls_verify = conf->tls_verify;
	str_ncpy(l->conf.tls_ca, conf->tls_ca, sizeof(l->conf.tls_ca));
	sa_init(&l->conf.stun, AF_UNSPEC);
	sa_init(&l->conf.turn, AF_UNSPEC);
	l->conf.relay = RELAY_NONE;

	if (stun[0] && server_read(&l->stun, stun, strlen(stun))) {
		log_warn("stun-server: \"%s\" is no HOST[:PORT]", stun);
		l->stun.host[0] = '\0';
	}
	if (!turn[0] || !l->conf.ice)
		return;

	if (turn_read(l, turn)) {
		log_warn("turn-server: \"%s\" is no"
			 " [USER@]HOST[:PORT][;transport=udp|tcp|tls]", turn);
		l->turn.host[0] = '\0';
		return;
	}

	password_read(l->conf.turn_password, sizeof(l->conf.turn_password),
		      conf->turn_password_file);
}


/* The router ------------------------------------------------------------- */

/* @return false: there is none, or it is of no use to ask it */
static bool router_find(struct sa *gw, const struct ua *ua,
			const struct sa *laddr)
{
	const char *said = ua->config->port_mapping_server;
	char host[CONFIG_STR];
	uint16_t port = 0;
	int err;

	if (ua->config->port_mapping == PORTMAP_OFF ||
	    clock_ms() < ua->router_deaf_ms)
		return false;

	if (said[0])
		return !text_addr(host, sizeof(host), &port, said,
				  strlen(said)) &&
			!sa_set_str(gw, host, port) &&
			sa_af(gw) == sa_af(laddr);

	err = portmap_gateway(gw, laddr);
	if (err && !sa_is_loopback(laddr))
		log_info("there is no router to ask for a port: %s",
			 strerror(err));

	return !err;
}


/* The next call need not wait for a router that answers nothing */
static void router_look(struct call *c)
{
	const int err = c->gathered.map_err;

	if (err == ETIMEDOUT || err == ECONNREFUSED)
		c->ua->router_deaf_ms = clock_ms() + ROUTER_DEAF_MS;
}


/* Servers ---------------------------------------------------------------- */

static void end_h(void *arg)
{
	struct ua_nat *l = arg;

	l->h(&l->conf, l->arg);
}


static void found(struct ua_nat *l)
{
	if (!l->find_stun && !l->find_turn)
		timer_start(&l->tmr, 0, end_h, l);
}


static enum media_relay relay_of(enum sip_transp tp)
{
	return tp == SIP_TRANSP_TLS ? RELAY_TLS :
		tp == SIP_TRANSP_TCP ? RELAY_TCP : RELAY_UDP;
}


static void stun_h(const struct sip_helper *v, unsigned n, const char *why,
		   void *arg)
{
	struct ua_nat *l = arg;

	if (n)
		l->conf.stun = v[0].addr;
	else
		log_warn("stun-server: %s", why);
	for (unsigned i = 1; i < n && l->conf.stunc < MEDIA_SERVERS; i++)
		l->conf.stunv[l->conf.stunc++].addr = v[i].addr;

	l->find_stun = mem_deref(l->find_stun);
	found(l);
}


static void turn_h(const struct sip_helper *v, unsigned n, const char *why,
		   void *arg)
{
	struct ua_nat *l = arg;

	if (n) {
		l->conf.turn = v[0].addr;
		l->conf.relay = relay_of(v[0].tp);
		str_ncpy(l->conf.turn_host, v[0].name,
			 sizeof(l->conf.turn_host));
	}
	else {
		log_warn("turn-server: %s", why);
	}
	for (unsigned i = 1; i < n && l->conf.turnc < MEDIA_SERVERS; i++) {
		struct media_server *s = &l->conf.turnv[l->conf.turnc++];

		s->addr = v[i].addr;
		s->relay = relay_of(v[i].tp);
		str_ncpy(s->host, v[i].name, sizeof(s->host));
	}

	l->find_turn = mem_deref(l->find_turn);
	found(l);
}


static void find(struct sip_helpers **hp, struct ua_nat *l,
		 const struct server *s, bool turn)
{
	const struct sip_helpers_conf conf = {
		.turn = turn, .host = s->host, .port = s->port,
		.tp = turn ? s->tp : SIP_TRANSP_UDP,
		.af = sa_af(&l->laddr),
	};
	int err;

	if (!s->host[0])
		return;

	err = sip_helpers_find(hp, l->ua->sip, &conf,
			       turn ? turn_h : stun_h, l);
	if (err)
		log_warn("%s-server: %s cannot be looked for: %s",
			 turn ? "turn" : "stun", s->host, strerror(err));
}


static void nat_destructor(void *arg)
{
	struct ua_nat *l = arg;

	timer_cancel(&l->tmr);
	mem_deref(l->find_stun);
	mem_deref(l->find_turn);
	explicit_bzero(&l->conf, sizeof(l->conf));
}


int ua_nat_find(struct ua_nat **np, struct ua *ua, const struct sa *laddr,
		bool ice, ua_nat_h *h, void *arg)
{
	struct ua_nat *l = mem_zalloc(sizeof(*l), nat_destructor);

	if (!l)
		return ENOMEM;

	l->ua = ua;
	l->laddr = *laddr;
	l->h = h;
	l->arg = arg;
	l->conf.ice = ice;
	if (ice)
		l->conf.basec = ua_ice_bases(l->conf.basev, MEDIA_BASES - 1,
					     ua, laddr);
	conf_read(l);
	l->conf.portmap = router_find(&l->conf.gateway, ua, laddr) ?
		(enum portmap_how)ua->config->port_mapping : PORTMAP_OFF;

	find(&l->find_stun, l, &l->stun, false);
	find(&l->find_turn, l, &l->turn, true);
	found(l);
	*np = l;

	return 0;
}


/* Gathering -------------------------------------------------------------- */

static void go_on(struct call *c)
{
	char why[UA_ERR];

	c->gathering = false;
	if (!call_living(c))
		return;

	if (c->outgoing)
		call_invite(c);
	else if (c->answer_waits && call_answer(c, why))
		log_warn("call %u: %s", c->id, why);
}


static void gather_h(const struct media_nat *conf, void *arg)
{
	struct call *c = arg;
	int err;

	if (!call_living(c) || !c->gathering || c->stream)
		return;

	err = call_media_open_with(c, &c->laddr, conf);
	c->nat = mem_deref(c->nat);
	if (err && c->outgoing)
		call_fail(c, SIP_CAUSE_LOCAL, err, err == EADDRINUSE ?
			  "no free port in media-ports" : strerror(err));
	else if (err)
		go_on(c);
}


void call_nat_begin(struct call *c, const struct sa *laddr)
{
	c->laddr = *laddr;
	c->gathering = true;
	c->nat = mem_deref(c->nat);
	if (ua_nat_find(&c->nat, c->ua, laddr, wants_ice(c), gather_h, c))
		go_on(c);
}


void call_nat_gathered(struct call *c)
{
	const struct sa before = c->gathered.mapped;
	bool same;

	stream_gathered(c->stream, &c->gathered);
	router_look(c);

	if (c->gathering) {
		go_on(c);
		return;
	}
	if (!call_living(c))
		return;

	/* asked anew after a move, or the router has changed its mind */
	same = sa_isset(&before, SA_ALL) ?
		sa_cmp(&before, &c->gathered.mapped, SA_ALL) :
		!sa_isset(&c->gathered.mapped, SA_ALL);
	if (!c->regather && same)
		return;

	if (c->nego.ice_on)
		++c->nego.ice_turn;
	if (c->state == CALL_ACTIVE)
		(void)call_reoffer(c);
	else if (c->outgoing && c->regather)
		network_call_again(c);
	c->regather = false;
}


/* Descriptions ----------------------------------------------------------- */

void call_nat_init(struct call *c)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
	struct nego *n = &c->nego;
	uint8_t r[8 + 26];

	random_fill(r, sizeof(r));
	for (size_t i = 0; i < 8; i++)
		n->ice_ufrag[i] = chars[r[i] & 63];
	for (size_t i = 0; i < 26; i++)
		n->ice_pwd[i] = chars[r[8 + i] & 63];
}


void call_nat_ability(const struct call *c, struct ability *ab)
{
	const char *public = c->ua->config->public_address;
	const uint16_t port = sa_port(&ab->rtp);
	struct sa sa;

	ab->ice.on = wants_ice(c);
	ab->ice.have = &c->gathered;

	if (sa_af(&c->gathered.mapped) == sa_af(&ab->rtp) &&
	    sa_isset(&c->gathered.mapped, SA_ALL)) {
		ab->rtp = c->gathered.mapped;
		ab->rtcp = c->gathered.mapped_rtcp;
		ab->mux = true;
	}
	/* loopback is not behind the router */
	else if (public[0] && !sa_set_str(&sa, public, port) &&
		 sa_af(&sa) == sa_af(&ab->rtp) && !sa_is_loopback(&ab->rtp)) {
		ab->rtp = sa;
	}
}


/* @return false: nobody is asked */
static bool again(struct call *c)
{
	const struct sa *local = stream_local(c->stream);
	struct sa gw, basev[MEDIA_BASES - 1];
	const unsigned n = wants_ice(c) ?
		ua_ice_bases(basev, COUNT_OF(basev), c->ua, local) : 0;

	return stream_regather(c->stream, router_find(&gw, c->ua, local) ?
			       &gw : NULL, basev, n);
}


/*
 * What servers said of the old network is of no use in the new one: they are
 * asked anew, and the peer is told when they have answered.  Meanwhile ICE
 * looks for the peer from the new address under the old names.
 */
bool call_nat_moved(struct call *c)
{
	struct media_gathered *g = &c->gathered;
	unsigned i, n = 0;

	if (c->gathering)
		return false;

	c->ua->router_deaf_ms = 0;
	c->regather = again(c);
	stream_gathered(c->stream, g);
	sa_init(&g->mapped, AF_UNSPEC);
	sa_init(&g->mapped_rtcp, AF_UNSPEC);
	for (i = 0; i < g->candc; i++) {
		if (g->candv[i].type == CAND_HOST)
			g->candv[n++] = g->candv[i];
	}
	g->candc = n;

	if (!c->regather && c->nego.ice_on)
		++c->nego.ice_turn;

	return c->regather;
}


/* Once more from the beginning, and the other side is told of it */
static void restart(struct call *c, bool asks)
{
	c->regather = asks;
	if (asks)
		return;

	stream_gathered(c->stream, &c->gathered);
	++c->nego.ice_turn;
	(void)call_reoffer(c);
}


/*
 * Once more from the beginning: we may have another address now, and a relay
 * may be gone.  Who has called tells the other side; who was called has what
 * the servers say at hand when it is asked.
 */
void call_nat_lost(struct call *c, const char *why)
{
	bool asks;

	log_warn("call %u: %s", c->id, why);

	if (!call_living(c) || c->state != CALL_ACTIVE || !c->nego.ice_on ||
	    c->regather)
		return;

	asks = again(c);
	if (c->outgoing)
		restart(c, asks);
}


/* The call's own address may be there still: ICE has chosen another one */
bool call_nat_look(struct call *c)
{
	struct sa basev[MEDIA_BASES - 1];
	unsigned n;

	if (!call_living(c) || !c->stream || c->state != CALL_ACTIVE ||
	    !c->nego.ice_on || c->regather || c->moving)
		return false;

	n = ua_ice_bases(basev, COUNT_OF(basev), c->ua,
			 stream_local(c->stream));
	if (stream_based(c->stream, basev, n))
		return false;

	log_info("call %u: the address that its sound left from is gone",
		 c->id);
	restart(c, again(c));

	return true;
}
