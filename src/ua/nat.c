/**
 * @file nat.c  A call and the servers that help it through NATs
 *
 * Which they are stands in the options; their names are looked up on a worker,
 * since nothing here may wait.  Before an offer or an answer goes out it is
 * found out what the servers say, for which they have three seconds: the call
 * waits for that, and goes on without who does not answer.  Main thread.
 */
#include <netdb.h>
#include <stdio.h>
#include <sys/random.h>
#include "offhook/text.h"
#include "offhook/worker.h"
#include "priv.h"


enum { PORT = 3478, TLS_PORT = 5349 };

/** A name and what it stands for */
struct server {
	char host[256];
	uint16_t port;
	struct sa addr;          /* unset: not looked up, or not found      */
};

struct lookup {
	struct ua *ua;
	unsigned call;
	int af;
	bool stream;
	struct server stun, turn;
	struct media_nat conf;
};


/* Options ---------------------------------------------------------------- */

static bool wants_ice(const struct call *c)
{
	const char *said = c->acc ? c->acc->conf.ice : "";

	return said[0] ? !strcmp(said, "on") : c->ua->config->ice;
}


bool call_nat_wanted(const struct call *c)
{
	return wants_ice(c) || c->ua->config->stun_server[0];
}


/* "host", "host:port", "[v6]:port", v6 alone */
static int server_read(struct server *s, const char *text, size_t len,
		       uint16_t port)
{
	size_t host = 0, n = 0, at = 0;
	uint32_t v = port;

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
static int turn_read(struct lookup *l, const char *text)
{
	const size_t len = strcspn(text, ";");
	const char *tp = strstr(text + len, "transport=");
	const char *at = memrchr(text, '@', len);
	const char *host = at ? at + 1 : text;

	tp = tp ? tp + strlen("transport=") : "udp";
	l->conf.relay = !strcmp(tp, "udp") ? RELAY_UDP :
		!strcmp(tp, "tcp") ? RELAY_TCP :
		!strcmp(tp, "tls") ? RELAY_TLS : RELAY_NONE;
	if (l->conf.relay == RELAY_NONE)
		return EINVAL;
	if (at && text_copy(l->conf.turn_user, sizeof(l->conf.turn_user),
			    text, (size_t)(at - text)))
		return EINVAL;

	return server_read(&l->turn, host, len - (size_t)(host - text),
			   l->conf.relay == RELAY_TLS ? TLS_PORT :
			   PORT);
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


static void conf_read(struct lookup *l, const struct call *c)
{
	const struct config *conf = c->ua->config;
	const char *stun = conf->stun_server, *turn = conf->turn_server;

	l->conf.ice = wants_ice(c);
	l->conf.tls_verify = conf->tls_verify;
	str_ncpy(l->conf.tls_ca, conf->tls_ca, sizeof(l->conf.tls_ca));
	sa_init(&l->stun.addr, AF_UNSPEC);
	sa_init(&l->turn.addr, AF_UNSPEC);

	if (stun[0] && server_read(&l->stun, stun, strlen(stun), PORT)) {
		log_warn("stun-server: \"%s\" is no HOST[:PORT]", stun);
		l->stun.host[0] = '\0';
	}
	if (!turn[0] || !l->conf.ice)
		return;

	if (turn_read(l, turn)) {
		log_warn("turn-server: \"%s\" is no"
			 " [USER@]HOST[:PORT][;transport=udp|tcp|tls]", turn);
		l->conf.relay = RELAY_NONE;
		l->turn.host[0] = '\0';
		return;
	}

	str_ncpy(l->conf.turn_host, l->turn.host, sizeof(l->conf.turn_host));
	password_read(l->conf.turn_password, sizeof(l->conf.turn_password),
		      conf->turn_password_file);
}


/* Names ------------------------------------------------------------------ */

/* @return true: nobody has to be asked */
static bool server_known(struct server *s)
{
	return !s->host[0] || !sa_set_str(&s->addr, s->host, s->port);
}


static void server_find(struct server *s, int af)
{
	const struct addrinfo hints = {
		.ai_family = af, .ai_socktype = SOCK_DGRAM,
	};
	struct addrinfo *res = NULL;

	if (server_known(s) || getaddrinfo(s->host, NULL, &hints, &res) ||
	    !res)
		return;

	(void)sa_set_sa(&s->addr, res->ai_addr);
	sa_set_port(&s->addr, s->port);
	freeaddrinfo(res);
}


static void find_h(void *arg)
{
	struct lookup *l = arg;

	server_find(&l->stun, l->af);
	server_find(&l->turn, l->af);
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


/* The servers are known */
static void gather(struct lookup *l, struct call *c)
{
	int err;

	if (l->stun.host[0] && sa_af(&l->stun.addr) == AF_UNSPEC)
		log_warn("stun-server: %s has no address", l->stun.host);
	if (l->turn.host[0] && sa_af(&l->turn.addr) == AF_UNSPEC) {
		log_warn("turn-server: %s has no address", l->turn.host);
		l->conf.relay = RELAY_NONE;
	}
	l->conf.stun = l->stun.addr;
	l->conf.turn = l->turn.addr;

	err = call_media_open_with(c, &c->laddr, &l->conf);
	if (err && c->outgoing)
		call_fail(c, SIP_CAUSE_LOCAL, err, err == EADDRINUSE ?
			  "no free port in media-ports" : strerror(err));
	else if (err)
		go_on(c);
}


static void lookup_destructor(void *arg)
{
	struct lookup *l = arg;

	explicit_bzero(&l->conf, sizeof(l->conf));
}


static void found_h(void *arg)
{
	struct lookup *l = arg;
	struct call *c = ua_call(l->ua, l->call);

	if (call_living(c) && c->gathering && !c->stream)
		gather(l, c);
	mem_deref(l);
}


static void drop_h(void *arg)
{
	mem_deref(arg);
}


void call_nat_begin(struct call *c, const struct sa *laddr)
{
	struct lookup *l = mem_zalloc(sizeof(*l), lookup_destructor);
	struct ua *ua = c->ua;
	bool known;

	c->laddr = *laddr;
	c->gathering = true;
	if (!l) {
		go_on(c);
		return;
	}

	l->ua = ua;
	l->call = c->id;
	l->af = sa_af(laddr);
	conf_read(l, c);

	known = server_known(&l->stun);
	known = server_known(&l->turn) && known;
	if (!known && (ua->nat_worker ||
		       !worker_alloc(&ua->nat_worker, "nat")) &&
	    !worker_post(ua->nat_worker, find_h, found_h, drop_h, l))
		return;

	gather(l, c);
	mem_deref(l);
}


void call_nat_gathered(struct call *c)
{
	stream_gathered(c->stream, &c->gathered);

	if (c->gathering)
		go_on(c);
}


/* Descriptions ----------------------------------------------------------- */

int call_nat_init(struct call *c)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/";
	struct nego *n = &c->nego;
	uint8_t r[8 + 26];

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		return EIO;

	for (size_t i = 0; i < 8; i++)
		n->ice_ufrag[i] = chars[r[i] & 63];
	for (size_t i = 0; i < 26; i++)
		n->ice_pwd[i] = chars[r[8 + i] & 63];

	return 0;
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
		ab->mux = true;
	}
	/* loopback is not behind the router */
	else if (public[0] && !sa_set_str(&sa, public, port) &&
		 sa_af(&sa) == sa_af(&ab->rtp) && !sa_is_loopback(&ab->rtp)) {
		ab->rtp = sa;
	}
}


/*
 * What servers said of the old network is of no use in the new one.  The
 * checks begin anew, under other names, from our own address; a NAT before it
 * is found by them.
 */
void call_nat_moved(struct call *c)
{
	struct media_gathered *g = &c->gathered;
	unsigned i, n = 0;

	++c->nego.ice_turn;
	stream_gathered(c->stream, g);
	sa_init(&g->mapped, AF_UNSPEC);

	for (i = 0; i < g->candc; i++) {
		if (g->candv[i].type == CAND_HOST)
			g->candv[n++] = g->candv[i];
	}
	g->candc = n;
}


void call_nat_lost(struct call *c, const char *why)
{
	log_warn("call %u: %s", c->id, why);

	/* once more from the beginning: we may have another address now */
	if (call_living(c) && c->state == CALL_ACTIVE && c->nego.ice_on &&
	    c->outgoing) {
		++c->nego.ice_turn;
		(void)call_reoffer(c);
	}
}
