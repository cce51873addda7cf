/**
 * @file app/doctor_nat.c  NATs and firewalls, as the doctor sees them
 *
 * First what a STUN server can tell of a NAT in between, and where UDP gets no
 * answer whether TCP would; then what a call would do: its stream is opened,
 * and what the STUN server, the relay and the router give to it is told.  Main
 * thread; what blocks is done by the worker.
 */
#include <stdio.h>
#include "doctor_priv.h"
#include "doctor_tls.h"

enum {
	WAYS_MS = 12000,
};

/* For the worker, who looks at the address alone */
struct tcp_job {
	struct sa sa;
	int err;
	struct doctor *d;
};

#define TURN_ADVICE "use ICE with a relay (options ice=yes, turn-server)"


/* What kind of NAT ------------------------------------------------------------ */

static void stun_next(struct doctor *d);


static void tcp_run(void *arg)
{
	struct tcp_job *j = arg;

	j->err = tcp_probe(&j->sa);
}


static void tcp_done(void *arg)
{
	struct tcp_job *j = arg;
	struct doctor *d = j->d;

	if (!j->err || j->err == ECONNREFUSED)
		doctor_tell(d, "nat", DOCTOR_WARN, "have UDP allowed, or use a"
			    " relay over TCP or TLS: ice=yes, turn-server=..."
			    ";transport=tcp, and transport=tcp for accounts",
			    "UDP is blocked by a firewall: the STUN server"
			    " does not answer over UDP, but is reached by TCP");
	else
		doctor_tell(d, "nat", DOCTOR_WARN, "is the server there?"
			    " try another one (--stun)", "no answer by STUN,"
			    " and none by TCP: %s", strerror(j->err));

	mem_deref(j);
	doctor_next(d);
}


static void silent(struct doctor *d)
{
	struct tcp_job *j = mem_zalloc(sizeof(*j), NULL);

	if (j) {
		j->d = d;
		j->sa = d->helperv[0].addr;
	}
	if (!j || worker_post(d->worker, tcp_run, tcp_done, doctor_drop, j)) {
		mem_deref(j);
		doctor_tell(d, "nat", DOCTOR_WARN, "UDP may be blocked, or the"
			    " STUN server is away: try another",
			    "no answer by STUN");
		doctor_next(d);
	}
}


static const char *filter_advice(const struct nat_result *res)
{
	if (res->filtering == NAT_UNKNOWN)
		return "the server has one address only: another one (--stun)"
			" may tell more";

	return "";
}


static void behind_tell(struct doctor *d, const struct nat_result *res)
{
	const bool hard = res->mapping == NAT_ADDRESS ||
		res->mapping == NAT_ADDRESS_PORT;
	char mapped[64];

	(void)re_snprintf(mapped, sizeof(mapped), "%J", &res->mapped);
	doctor_tell(d, "nat", hard ? DOCTOR_WARN : DOCTOR_PASS, hard ?
		    "STUN alone does not help here: " TURN_ADVICE :
		    filter_advice(res), "behind a NAT, seen as %s; mapping is"
		    " %s, filtering is %s", mapped,
		    nat_kind_name(res->mapping),
		    nat_kind_name(res->filtering));
}


static void nat_handler(const struct nat_result *res, void *arg)
{
	const struct nat_result r = *res;
	struct doctor *d = arg;
	char local[64];

	d->stun = mem_deref(d->stun);
	if (r.err) {
		stun_next(d);
		return;
	}

	(void)re_snprintf(local, sizeof(local), "%j", &r.local);
	if (r.behind)
		behind_tell(d, &r);
	else
		doctor_tell(d, "nat", DOCTOR_PASS, "", "no NAT: %s is our"
			    " address outside too; filtering is %s",
			    local, nat_kind_name(r.filtering));

	doctor_next(d);
}


/* The next server; with none left it was all silence */
static void stun_next(struct doctor *d)
{
	int err;

	if (d->helper == d->helperc) {
		silent(d);
		return;
	}

	err = stun_nat_start(&d->stun, &d->helperv[d->helper++].addr,
			     nat_handler, d);
	if (!err)
		return;

	doctor_tell(d, "nat", DOCTOR_WARN, "is there a network?",
		    "STUN cannot be tried: %s", strerror(err));
	doctor_next(d);
}


static void helpers_handler(const struct sip_helper *v, unsigned n,
			    const char *why, void *arg)
{
	struct doctor *d = arg;

	memcpy(d->helperv, v, n * sizeof(*v));
	d->helperc = n;
	d->helper = 0;
	if (!n)
		doctor_tell(d, "nat", DOCTOR_WARN, "check its name",
			    "no STUN server: %s", why);
	d->helpers = mem_deref(d->helpers);

	if (n)
		stun_next(d);
	else
		doctor_next(d);
}


void doctor_nat(struct doctor *d)
{
	const char *s = d->conf.stun && *d->conf.stun ? d->conf.stun :
		d->conf.config->stun_server;
	struct sip_helpers_conf conf = {
		.tp = SIP_TRANSP_UDP, .af = AF_INET,
	};
	char host[256];
	struct sa sa;
	int err;

	if (!*s) {
		doctor_tell(d, "nat", DOCTOR_NOTE, "name a STUN server: option"
			    " stun-server, or doctor --stun", "whether there"
			    " is a NAT was not looked at");
		doctor_next(d);
		return;
	}

	if (text_addr(host, sizeof(host), &conf.port, s, strlen(s))) {
		doctor_tell(d, "nat", DOCTOR_WARN, "write ADDR or ADDR:PORT",
			    "'%s' is no STUN server", s);
		doctor_next(d);
		return;
	}

	conf.host = host;
	if (!sa_set_str(&sa, host, 0))
		conf.af = sa_af(&sa);
	err = sip_helpers_find(&d->helpers, ua_sip(d->conf.ua), &conf,
			       helpers_handler, d);
	if (err) {
		doctor_tell(d, "nat", DOCTOR_WARN, "check its name",
			    "the STUN server %s cannot be looked for: %s",
			    host, strerror(err));
		doctor_next(d);
	}
}


/* What a call would get -------------------------------------------------------- */

static const struct media_cand *cand_of(const struct media_gathered *g,
					enum media_cand_type type)
{
	for (unsigned i = 0; i < g->candc; i++) {
		if (g->candv[i].type == type)
			return &g->candv[i];
	}

	return NULL;
}


static void relay_tell(struct doctor *d, const struct media_cand *c)
{
	char addr[64];

	if (c) {
		(void)re_snprintf(addr, sizeof(addr), "%J", &c->addr);
		doctor_tell(d, "relay", DOCTOR_PASS, "", "%s gives us %s",
			    d->turn_name, addr);
	}
	else {
		doctor_tell(d, "relay", DOCTOR_FAIL, "check name, password and"
			    " transport of turn-server; over TCP or TLS it may"
			    " pass where UDP does not", "%s gives us nothing:"
			    " the log says why", d->turn_name);
	}
}


static void router_tell(struct doctor *d, const struct media_gathered *g)
{
	char addr[64];

	(void)re_snprintf(addr, sizeof(addr), "%J", &g->mapped);
	if (g->map_err)
		doctor_tell(d, "router", DOCTOR_WARN, "switch PCP or NAT-PMP on"
			    " in the router, or port-mapping off here", "%s",
			    portmap_error(g->map_err));
	else
		doctor_tell(d, "router", DOCTOR_PASS, "", "passes %s on to us",
			    addr);
}


static void ways_end(struct doctor *d)
{
	struct media_gathered g;

	timer_cancel(&d->tmr);
	stream_gathered(d->stream, &g);

	if (d->ways_turn)
		relay_tell(d, cand_of(&g, CAND_RELAY));
	if (d->ways_router)
		router_tell(d, &g);

	stream_close(d->stream);
	d->stream = NULL;
	doctor_next(d);
}


static void ways_late(void *arg)
{
	ways_end(arg);
}


static void stream_handler(const struct stream_event *ev, void *arg)
{
	struct doctor *d = arg;

	/* not from inside: the stream is closed then */
	if (ev->type == STREAM_GATHERED && d->stream)
		timer_start(&d->tmr, 0, ways_late, d);
}


static void found_handler(const struct media_nat *conf, void *arg)
{
	struct doctor *d = arg;
	const struct stream_conf sc = { .local = d->from, .nat = conf };
	int err;

	d->ways_turn = conf->relay != RELAY_NONE;
	d->ways_router = conf->portmap != PORTMAP_OFF;
	str_ncpy(d->turn_name, conf->turn_host, sizeof(d->turn_name));

	if (d->conf.config->turn_server[0] && !d->ways_turn)
		doctor_tell(d, "relay", DOCTOR_FAIL, "check its name; `resolve`"
			    " shows what DNS says", "%s is not found",
			    d->conf.config->turn_server);
	if (d->conf.config->port_mapping && !d->ways_router)
		doctor_tell(d, "router", DOCTOR_WARN, "switch option"
			    " port-mapping off", "there is no router that"
			    " could map ports");

	err = d->ways_turn || d->ways_router ?
		stream_open(&d->stream, d->conf.media, &sc, stream_handler,
			    d) : ENOENT;
	d->nat = mem_deref(d->nat);

	if (!err) {
		timer_start(&d->tmr, WAYS_MS, ways_late, d);
		return;
	}
	if (err != ENOENT)
		doctor_tell(d, "nat", DOCTOR_FAIL, "look at option media-ports",
			    "a call would have no port: %s", strerror(err));
	doctor_next(d);
}


/* Our address towards the world, whoever is there */
static int from_find(struct doctor *d)
{
	struct sa far;

	if (d->helperc)
		far = d->helperv[0].addr;
	else if (sa_set_str(&far, "192.0.0.9", 9))
		return EINVAL;

	return sip_stack_source(ua_sip(d->conf.ua), &far, &d->from);
}


void doctor_ways(struct doctor *d)
{
	const struct config *c = d->conf.config;

	if ((!c->turn_server[0] && !c->port_mapping) || from_find(d) ||
	    ua_nat_find(&d->nat, d->conf.ua, &d->from, true, found_handler,
			d))
		doctor_next(d);
}
