/**
 * @file sip/listen.c  Which addresses and ports we listen on
 *
 * Main thread.  What we say must leave from the address that it names, so each
 * local address is a leg of its own.  First the whole plan is made, then it is
 * opened; ports the user did not name move together when the usual one is
 * taken, but that of TLS, which moves alone.  Nothing here is kept: the legs
 * belong to the stack.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "conn.h"


enum {
	PLANS_MAX  = 64,
	PORT_TRIES = 20,
	GONE_MAX   = 16,
};

struct plan {
	struct sa addr;
	bool udp, tcp, tls;
	uint16_t udp_port, tcp_port, tls_port;   /* 0: not named           */
	bool found;                     /* not named but found by us       */
};

struct plans {
	struct plan v[PLANS_MAX];
	unsigned n;
	int af;                         /* wanted, AF_UNSPEC: all          */
	bool udp, tcp, tls;
	uint16_t port;
	int err;
};


static struct plan *plan_new(struct plans *pl, const struct sa *addr)
{
	struct plan *p;

	if (pl->n == PLANS_MAX) {
		pl->err = EOVERFLOW;
		return NULL;
	}

	p = &pl->v[pl->n++];
	memset(p, 0, sizeof(*p));
	p->addr = *addr;
	sa_set_port(&p->addr, 0);

	return p;
}


/* The same address twice is one leg, unless a protocol would be there twice */
static struct plan *plan_for(struct plans *pl, const struct sa *addr)
{
	unsigned i;

	for (i = 0; i < pl->n; i++) {
		struct plan *p = &pl->v[i];

		if (sa_cmp(&p->addr, addr, SA_ADDR) &&
		    !(pl->udp && p->udp) && !(pl->tcp && p->tcp) &&
		    !(pl->tls && p->tls))
			return p;
	}

	return plan_new(pl, addr);
}


static void plan_add(struct plans *pl, const struct sa *addr, bool found)
{
	struct plan *p = plan_for(pl, addr);

	if (!p)
		return;

	if (pl->udp) {
		p->udp = true;
		p->udp_port = pl->port;
	}
	if (pl->tcp) {
		p->tcp = true;
		p->tcp_port = pl->port;
	}
	if (pl->tls) {
		p->tls = true;
		p->tls_port = pl->port;
	}
	p->found = found;
}


static bool if_h(const char *ifname, const struct sa *sa, void *arg)
{
	struct plans *pl = arg;
	(void)ifname;

	if (pl->af != AF_UNSPEC && sa_af(sa) != pl->af)
		return false;
	if ((sa_af(sa) != AF_INET && sa_af(sa) != AF_INET6) ||
	    sa_is_linklocal(sa) || sa_is_any(sa))
		return false;

	plan_add(pl, sa, true);

	return pl->err != 0;
}


static int plans_make(struct plans *pl, const struct sip_listen_addr *addrv,
		      size_t addrc)
{
	size_t i;

	if (!addrc) {
		pl->af = AF_UNSPEC;
		pl->udp = pl->tcp = true;
		pl->port = 0;

		return net_getifaddrs(if_h, pl);
	}

	for (i = 0; i < addrc; i++) {
		const struct sip_listen_addr *la = &addrv[i];
		int err = 0;

		pl->udp = la->udp;
		pl->tcp = la->tcp;
		pl->tls = la->tls;
		pl->port = sa_port(&la->addr);
		pl->af = sa_af(&la->addr);

		if (!la->udp && !la->tcp && !la->tls)
			return EINVAL;
		if (sa_is_linklocal(&la->addr))
			return EAFNOSUPPORT;

		if (sa_is_any(&la->addr))
			err = net_getifaddrs(if_h, pl);
		else
			plan_add(pl, &la->addr, false);

		if (err || pl->err)
			return err ? err : pl->err;
	}

	return 0;
}


int leg_listen(struct leg *l, enum sip_transp tp, uint16_t port)
{
	struct sa addr = l->addr;
	struct sa *got;
	int err;

	sa_set_port(&addr, port);

	switch (tp) {

	case SIP_TRANSP_UDP:
		got = &l->udp;
		err = dgram_open(&l->dgram, l, &addr, got);
		break;

	case SIP_TRANSP_TCP:
		got = &l->tcp;
		err = listener_open(&l->tcp_ls, l, tp, &addr, got);
		break;

	case SIP_TRANSP_TLS:
		got = &l->tls;
		err = listener_open(&l->tls_ls, l, tp, &addr, got);
		break;

	default:
		return EPROTONOSUPPORT;
	}

	if (err)
		sa_init(got, AF_UNSPEC);
	else if (!sa_port(&l->addr))
		sa_set_port(&l->addr, sa_port(got));

	return err;
}


int stack_tls(struct sip_stack *s, char *err, size_t errsz)
{
	const struct sip_tls_conf usual = {.verify = true};
	char names[512] = "", why[256];
	struct le *le;
	size_t n = 0;
	int e = 0;

	if (!s->tls)
		e = sip_tls_alloc(&s->tls, &usual, why, sizeof(why));

	/* of a certificate that we have to make; some do not fit: no matter */
	for (le = list_head(&s->legl); le && n < sizeof(names) - 64;
	     le = le->next) {
		const struct leg *l = le->data;

		n += (size_t)re_snprintf(names + n, sizeof(names) - n,
					 "%sIP:%j", n ? "," : "", &l->addr);
	}

	if (!e)
		e = tls_serve(s->tls, n ? names : NULL, why, sizeof(why));
	if (e && err)
		(void)snprintf(err, errsz, "%s", *why ? why : strerror(e));
	else if (e)
		log_warn("%s", *why ? why : strerror(e));

	return e;
}


int leg_serve_tls(struct leg *l)
{
	char addr[80];
	int err;

	if (l->tls_ls)
		return 0;

	err = stack_tls(l->stack, NULL, 0);
	if (err)
		return err;

	err = leg_listen(l, SIP_TRANSP_TLS, SIP_PORT_TLS);
	if (err == EADDRINUSE)
		err = leg_listen(l, SIP_TRANSP_TLS, 0);

	if (!err) {
		(void)re_snprintf(addr, sizeof(addr), "%J", &l->tls);
		log_info("listening on tls:%s%s%s", addr,
			 *l->stack->tls->pin ? ", with a certificate made for "
			 "this run: " : "", l->stack->tls->pin);
	}

	return err;
}


/* @return 0 or errno; what was tried is left in at */
static int leg_fill(struct leg *l, const struct plan *p, uint16_t port,
		    struct sa *at, enum sip_transp *tp)
{
	int err = 0;

	*at = p->addr;
	*tp = SIP_TRANSP_UDP;

	if (p->udp) {
		sa_set_port(at, p->udp_port ? p->udp_port : port);
		err = leg_listen(l, *tp, sa_port(at));
	}

	if (!err && p->tcp) {
		*tp = SIP_TRANSP_TCP;
		sa_set_port(at, p->tcp_port ? p->tcp_port : port);
		err = leg_listen(l, *tp, sa_port(at));
	}

	if (!err && p->tls) {
		*tp = SIP_TRANSP_TLS;
		sa_set_port(at, p->tls_port ? p->tls_port : SIP_PORT_TLS);
		err = leg_listen(l, *tp, sa_port(at));
		if (err == EADDRINUSE && !p->tls_port)
			err = leg_listen(l, *tp, 0);
	}

	return err;
}


static int leg_open(struct sip_stack *s, const struct plan *p, uint16_t port,
		    struct sa *at, enum sip_transp *tp)
{
	struct leg *l = NULL;
	int err;

	err = leg_alloc(&l, s, &p->addr);
	if (err)
		return err;

	l->found = p->found;

	err = leg_fill(l, p, port, at, tp);
	if (err)
		mem_deref(l);

	return err;
}


static bool plan_unnamed(const struct plan *p)
{
	return (p->udp && !p->udp_port) || (p->tcp && !p->tcp_port);
}


/*
 * Open all, the unnamed ones at port. @return 0, EAGAIN: another port must be
 * chosen, or errno with its sentence
 */
static int plans_open(struct sip_stack *s, const struct plans *pl,
		      uint16_t port, char *err, size_t errsz)
{
	unsigned i;

	for (i = 0; i < pl->n; i++) {
		const struct plan *p = &pl->v[i];
		enum sip_transp tp;
		struct sa at;
		int e;

		e = leg_open(s, p, port, &at, &tp);
		if (!e)
			continue;

		if (e == EADDRINUSE && plan_unnamed(p) &&
		    sa_port(&at) == port) {
			list_flush(&s->legl);
			return EAGAIN;
		}

		/* an address that is not ready yet, found by ourselves */
		if (p->found && e != EADDRINUSE && e != ENOMEM) {
			log_debug("not listening on an address: %s",
				  strerror(e));
			continue;
		}

		(void)re_snprintf(err, errsz, "cannot listen on %s:%J: %s",
				  tp == SIP_TRANSP_TLS ? "tls" :
				  tp == SIP_TRANSP_TCP ? "tcp" : "udp", &at,
				  e == EADDRINUSE ?
				  "another program has this port" :
				  e == EADDRNOTAVAIL ?
				  "this machine has no such address" :
				  strerror(e));
		list_flush(&s->legl);
		return e;
	}

	return 0;
}


static uint16_t port_free(const struct sa *addr)
{
	struct sa sa = *addr;
	uint16_t port = 0;
	int fd;

	fd = socket(sa_af(&sa), SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	if (fd < 0)
		return 0;

	sa_set_port(&sa, 0);
	if (!bind(fd, &sa.u.sa, sa.len)) {
		sa.len = sizeof(sa.u);
		if (!getsockname(fd, &sa.u.sa, &sa.len))
			port = sa_port(&sa);
	}

	(void)close(fd);

	return port;
}


/* What listens has a certificate to show before the loop runs */
static int tls_ready(struct sip_stack *s, char *err, size_t errsz)
{
	struct le *le;

	for (le = list_head(&s->legl); le; le = le->next) {
		const struct leg *l = le->data;
		int e = l->tls_ls ? stack_tls(s, err, errsz) : 0;

		if (e) {
			list_flush(&s->legl);
			return e;
		}
	}

	return 0;
}


static void note_add(struct sip_stack *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void note_add(struct sip_stack *s, const char *fmt, ...)
{
	size_t n = strlen(s->note);
	va_list ap;

	if (n)
		n += (size_t)snprintf(s->note + n, sizeof(s->note) - n, "; ");

	va_start(ap, fmt);
	if (n < sizeof(s->note))
		(void)vsnprintf(s->note + n, sizeof(s->note) - n, fmt, ap);
	va_end(ap);
}


/* What is not as usual, in one line */
static void note(struct sip_stack *s, uint16_t port)
{
	const struct leg *tls = NULL;
	bool plain = false;
	struct le *le;

	for (le = list_head(&s->legl); le; le = le->next) {
		const struct leg *l = le->data;

		plain |= l->dgram || l->tcp_ls;
		if (l->tls_ls && !tls)
			tls = l;
	}

	if (plain && port != SIP_PORT)
		note_add(s, "port %u is taken, listening on %u instead",
			 SIP_PORT, port);
	if (tls && *s->tls->pin)
		note_add(s, "TLS shows a certificate made for this run, whose "
			 "tls-pin is %s", s->tls->pin);
}


/* For when the machine's addresses change */
static int conf_keep(struct sip_stack *s, const struct sip_stack_conf *conf,
		     uint16_t port)
{
	const size_t sz = conf->addrc * sizeof(*conf->addrv);

	s->port = port;
	if (!sz)
		return 0;

	s->listenv = mem_alloc(sz, NULL);
	if (!s->listenv)
		return ENOMEM;

	memcpy(s->listenv, conf->addrv, sz);
	s->listenc = conf->addrc;

	return 0;
}


int listen_open(struct sip_stack *s, const struct sip_stack_conf *conf,
		char *err, size_t errsz)
{
	struct plans *pl;
	uint16_t port = SIP_PORT;
	unsigned i;
	int e;

	pl = mem_zalloc(sizeof(*pl), NULL);
	if (!pl)
		return ENOMEM;

	e = plans_make(pl, conf->addrv, conf->addrc);
	if (!e && !pl->n)
		e = EADDRNOTAVAIL;
	if (e) {
		(void)snprintf(err, errsz, "cannot find an address to listen "
			       "on: %s", e == EAFNOSUPPORT ? "one that is "
			       "local to a link is of no use in SIP, it says "
			       "nothing without the link" : strerror(e));
		goto out;
	}

	e = plans_open(s, pl, port, err, errsz);

	for (i = 0; e == EAGAIN && i < PORT_TRIES; i++) {

		port = port_free(&pl->v[0].addr);
		if (port)
			e = plans_open(s, pl, port, err, errsz);
	}

	if (e == EAGAIN) {
		e = EADDRINUSE;
		(void)snprintf(err, errsz, "no free port to listen on");
	}
	else if (!e && list_isempty(&s->legl)) {
		e = EADDRNOTAVAIL;
		(void)snprintf(err, errsz, "no address of this machine can "
			       "be listened on");
	}
	else if (!e) {
		e = tls_ready(s, err, errsz);
		if (!e)
			e = conf_keep(s, conf, port);
		if (!e)
			note(s, port);
	}

 out:
	mem_deref(pl);

	return e;
}


/* Once more ------------------------------------------------------------------ */

static struct leg *leg_at(const struct sip_stack *s, const struct sa *addr)
{
	struct le *le;

	for (le = list_head(&s->legl); le; le = le->next) {
		struct leg *l = le->data;

		if (sa_cmp(&l->addr, addr, SA_ADDR))
			return l;
	}

	return NULL;
}


static bool planned(const struct plans *pl, const struct sa *addr)
{
	unsigned i;

	for (i = 0; i < pl->n; i++) {
		if (sa_cmp(&pl->v[i].addr, addr, SA_ADDR))
			return true;
	}

	return false;
}


static bool leg_deaf(const struct leg *l)
{
	return !l->dgram && !l->tcp_ls && !l->tls_ls;
}


static void leg_close(struct leg *l)
{
	l->dgram = mem_deref(l->dgram);
	l->tcp_ls = mem_deref(l->tcp_ls);
	l->tls_ls = mem_deref(l->tls_ls);
	sa_init(&l->udp, AF_UNSPEC);
	sa_init(&l->tcp, AF_UNSPEC);
	sa_init(&l->tls, AF_UNSPEC);
}


/* Sockets of addresses that are gone wait for them to come back; those of the
 * first ones are given up when there are many */
static void gone_limit(struct sip_stack *s)
{
	unsigned n = 0;
	struct le *le;

	for (le = list_tail(&s->legl); le; le = le->prev) {
		struct leg *l = le->data;

		if (l->gone && !leg_deaf(l) && ++n > GONE_MAX)
			leg_close(l);
	}
}


/* @return true: it is there now, and was not */
static bool leg_come(struct sip_stack *s, const struct plan *p)
{
	struct leg *l = leg_at(s, &p->addr);
	enum sip_transp tp;
	struct sa at;
	int err = 0;

	if (l && !l->gone)
		return false;

	if (!l) {
		err = leg_open(s, p, s->port, &at, &tp);
		if (err == EADDRINUSE)
			err = leg_open(s, p, 0, &at, &tp);
	}
	else if (leg_deaf(l)) {
		err = leg_fill(l, p, s->port, &at, &tp);
		if (err == EADDRINUSE) {
			leg_close(l);
			err = leg_fill(l, p, 0, &at, &tp);
		}
		if (err)
			leg_close(l);
	}

	if (err)
		log_info("not listening on a new address: %s", strerror(err));
	else if (l)
		l->gone = false;

	return !err;
}


int listen_again(struct sip_stack *s, listen_moved_h *h, void *arg)
{
	struct plans *pl;
	struct le *le;
	unsigned i;
	int err;

	pl = mem_zalloc(sizeof(*pl), NULL);
	if (!pl)
		return ENOMEM;

	err = plans_make(pl, s->listenv, s->listenc);
	if (err)
		goto out;

	for (le = list_head(&s->legl); le; le = le->next) {
		struct leg *l = le->data;

		if (!l->found || l->gone || planned(pl, &l->addr))
			continue;

		l->gone = true;
		h(&l->addr, false, arg);
	}

	for (i = 0; i < pl->n; i++) {
		if (pl->v[i].found && leg_come(s, &pl->v[i]))
			h(&pl->v[i].addr, true, arg);
	}

	gone_limit(s);

 out:
	mem_deref(pl);

	return err;
}
