/**
 * @file sip/listen.c  Which addresses and ports we listen on
 *
 * Main thread.  libre picks the first transport of a kind whatever the route,
 * and refuses to bind 0.0.0.0, so each local address is a leg of its own with
 * a stack of its own.  First the whole plan is made, then it is opened; ports
 * the user did not name move together when the usual one is taken.  Nothing
 * here is kept: the legs belong to the stack.
 */
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "priv.h"


enum {
	PLANS_MAX  = 64,
	PORT_TRIES = 20,
	/*
	 * Hash sizes of a leg: 42 kB when idle. At 1000 calls a second, which
	 * libre remembers for 32 s, chains are 30 long: a microsecond.
	 */
	CTRANS_BUCKETS = 512,
	STRANS_BUCKETS = 1024,
	CONN_BUCKETS   = 32,
};

struct plan {
	struct sa addr;
	bool udp, tcp;
	uint16_t udp_port, tcp_port;    /* 0: not named                    */
	bool found;                     /* not named but found by us       */
};

struct plans {
	struct plan v[PLANS_MAX];
	unsigned n;
	int af;                         /* wanted, AF_UNSPEC: all          */
	bool udp, tcp;
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
static struct plan *plan_for(struct plans *pl, const struct sa *addr,
			     bool udp, bool tcp)
{
	unsigned i;

	for (i = 0; i < pl->n; i++) {
		struct plan *p = &pl->v[i];

		if (sa_cmp(&p->addr, addr, SA_ADDR) &&
		    !(udp && p->udp) && !(tcp && p->tcp))
			return p;
	}

	return plan_new(pl, addr);
}


static void plan_add(struct plans *pl, const struct sa *addr, bool found)
{
	struct plan *p = plan_for(pl, addr, pl->udp, pl->tcp);

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


static int plans_make(struct plans *pl, const struct sip_stack_conf *conf)
{
	size_t i;

	if (!conf->addrc) {
		pl->af = AF_UNSPEC;
		pl->udp = pl->tcp = true;
		pl->port = 0;

		return net_getifaddrs(if_h, pl);
	}

	for (i = 0; i < conf->addrc; i++) {
		const struct sip_listen_addr *la = &conf->addrv[i];
		int err = 0;

		pl->udp = la->udp;
		pl->tcp = la->tcp;
		pl->port = sa_port(&la->addr);
		pl->af = sa_af(&la->addr);

		if (!la->udp && !la->tcp)
			return EINVAL;

		if (sa_is_any(&la->addr))
			err = net_getifaddrs(if_h, pl);
		else
			plan_add(pl, &la->addr, false);

		if (err || pl->err)
			return err ? err : pl->err;
	}

	return 0;
}


/*
 * Where it can, libre makes its TCP listener share the port with others of
 * the same user (SO_REUSEPORT): whether it is taken must be seen by trying
 * without.
 */
static int tcp_try(const struct sa *addr)
{
	int fd, err = 0;
	const int on = 1;

	fd = socket(sa_af(addr), SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd < 0)
		return errno;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &addr->u.sa, addr->len) || listen(fd, 1))
		err = errno;

	(void)close(fd);

	return err;
}


static int transp_open(struct leg *l, enum sip_transp tp, uint16_t port)
{
	struct sa addr = l->addr;
	struct sa *got = tp == SIP_TRANSP_UDP ? &l->udp : &l->tcp;
	int err;

	sa_set_port(&addr, port);

	if (tp == SIP_TRANSP_TCP) {
		err = tcp_try(&addr);
		if (err)
			return err;
	}

	err = sip_transp_add(l->sip, tp, &addr);
	if (err)
		return err;

	err = sip_transp_laddr(l->sip, got, tp, &addr);
	if (!err && !sa_port(&l->addr))
		sa_set_port(&l->addr, sa_port(got));

	return err;
}


/* @return 0 or errno; what was tried is left in at */
static int leg_open(struct sip_stack *s, const struct plan *p, uint16_t port,
		    struct sa *at, enum sip_transp *tp)
{
	struct leg *l = NULL;
	int err;

	*at = p->addr;
	*tp = SIP_TRANSP_UDP;

	err = leg_alloc(&l, s, &p->addr, CTRANS_BUCKETS, STRANS_BUCKETS,
			CONN_BUCKETS);
	if (err)
		return err;

	if (p->udp) {
		sa_set_port(at, p->udp_port ? p->udp_port : port);
		err = transp_open(l, SIP_TRANSP_UDP, sa_port(at));
		if (err)
			goto out;
	}

	if (p->tcp) {
		*tp = SIP_TRANSP_TCP;
		sa_set_port(at, p->tcp_port ? p->tcp_port : port);
		err = transp_open(l, SIP_TRANSP_TCP, sa_port(at));
	}

 out:
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

	e = plans_make(pl, conf);
	if (!e && !pl->n)
		e = EADDRNOTAVAIL;
	if (e) {
		(void)snprintf(err, errsz, "cannot find an address to listen "
			       "on: %s", strerror(e));
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
	else if (!e && port != SIP_PORT) {
		(void)snprintf(s->note, sizeof(s->note), "port %u is taken, "
			       "listening on %u instead", SIP_PORT, port);
	}

 out:
	mem_deref(pl);

	return e;
}
