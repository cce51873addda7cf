/**
 * @file portmap.c  A port of ours on the router: PCP (RFC 6887), NAT-PMP (6886)
 *
 * On the thread of its loop.  One connected socket to the router, so that the
 * kernel drops what others send, and one that hears the router say that it
 * has restarted.  A request is sent again after a quarter of a second, then
 * twice as long each time: sooner than PCP asks for, since somebody waits for
 * a call; after five it is given up, and later asked once more.
 */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <offhook/clock.h>
#include <offhook/portmap.h>
#include <offhook/random.h>
#include <offhook/timer.h>
#include "portmap_msg.h"


enum {
	LIFETIME_S  = 600,       /* a call that crashed is forgotten soon    */
	LIFE_MIN_S  = 8,
	LIFE_MAX_S  = 86400,
	TRIES       = 5,
	RTO_MS      = 250,
	TRY_OTHER   = 2,         /* unanswered so often: maybe the other way */
	PAUSE_MS    = 4000,      /* never asked more often                   */
	LATER_MS    = 30000,     /* it failed: once more                     */
	LATER_MAX_S = 1800,
	NETLINK_MS  = 500,
};

struct portmap {
	struct sa local, gw;
	enum portmap_how how;
	unsigned version;        /* spoken now                               */
	bool settled;            /* ... and that is the router's             */
	int fd, heard_fd;        /* heard: -1 when it could not be opened    */
	struct compat_fd watch, heard_watch;
	bool watched, heard_watched;
	uint8_t nonce[PCP_NONCE];
	uint16_t wish;
	bool asked;              /* the router may know of us                */
	struct sa outer;         /* NAT-PMP: its address                     */
	struct sa external;      /* unset: no mapping                        */
	uint16_t pmp_port;       /* mapped, its address is not known yet     */
	uint32_t pmp_life;
	uint64_t until_ms;       /* when the mapping is over                 */
	uint32_t epoch;
	uint64_t epoch_ms, sent_ms;
	bool epoch_known;
	unsigned tries;          /* 0: nothing is asked                      */
	struct timer tmr;
	int told;                /* -1: nothing yet                          */
	struct sa told_addr;
	portmap_h *h;
	void *arg;
};


static void due_h(void *arg);


const char *portmap_error(int err)
{
	switch (err) {

	case ETIMEDOUT:
	case ECONNREFUSED:
		return "the router speaks neither PCP nor NAT-PMP";
	case EPROTONOSUPPORT:
		return "the router does not map ports";
	case EACCES:
		return "the router does not allow it";
	case ENOSPC:
	case EDQUOT:
		return "the router has no port left";
	case ENETDOWN:
		return "the router has no address itself";
	case EADDRNOTAVAIL:
		return "there is another router in between";
	default:
		return "the router answers nonsense";
	}
}


/* Sending ---------------------------------------------------------------- */

static void out(struct portmap *m, const uint8_t *p, size_t len)
{
	/* what cannot be sent is not answered either */
	(void)!send(m->fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}


static void request(struct portmap *m, uint32_t lifetime)
{
	uint8_t p[PORTMAP_OUT];
	struct sa wish = m->external;

	if (m->version == PCP_VERSION) {
		if (!sa_isset(&wish, SA_ALL)) {
			sa_init(&wish, sa_af(&m->local));
			sa_set_port(&wish, m->wish);
		}
		out(m, p, pcp_write_map(p, &m->local, &wish, m->nonce,
					lifetime));
		return;
	}

	if (lifetime)
		out(m, p, pmp_write_address(p));
	out(m, p, pmp_write_map(p, sa_port(&m->local),
				sa_isset(&wish, SA_ALL) ? sa_port(&wish) :
				m->wish, lifetime));
}


static void ask(struct portmap *m)
{
	/* whom PCP tells nothing may know the older one only, and the other
	 * way round: each has its turn until one answers */
	if (m->how == PORTMAP_AUTO && !m->settled && m->tries >= TRY_OTHER &&
	    sa_af(&m->local) == AF_INET)
		m->version = m->version == PCP_VERSION ? PMP_VERSION :
			PCP_VERSION;

	timer_start(&m->tmr, (uint64_t)RTO_MS << m->tries, due_h, m);
	++m->tries;
	m->asked = true;
	m->sent_ms = clock_ms();
	request(m, LIFETIME_S);
}


/* Telling ---------------------------------------------------------------- */

static void tell(struct portmap *m, int err)
{
	struct sa sa = m->external;

	if (m->told == err && sa_cmp(&m->told_addr, &sa, SA_ALL))
		return;
	if (m->told == err && err)
		return;

	m->told = err;
	m->told_addr = sa;
	m->h(err, &sa, m->arg);
}


static void failed(struct portmap *m, int err, uint64_t again_ms)
{
	m->tries = 0;
	m->pmp_port = 0;
	sa_init(&m->external, AF_UNSPEC);
	timer_start(&m->tmr, again_ms, due_h, m);
	tell(m, err);
}


static void due_h(void *arg)
{
	struct portmap *m = arg;
	const uint64_t now = clock_ms();

	if (m->tries < TRIES) {
		ask(m);
		return;
	}

	/* the one we have is good for a while yet */
	if (sa_isset(&m->external, SA_ALL) && now + PAUSE_MS < m->until_ms) {
		m->tries = 0;
		timer_start(&m->tmr, (m->until_ms - now) / 2 + PAUSE_MS / 2,
			    due_h, m);
		return;
	}

	failed(m, ETIMEDOUT, LATER_MS);
}


/* What comes ------------------------------------------------------------- */

/* An address that somebody outside could send to */
static bool useful(const struct sa *sa, int af)
{
	if (!sa_isset(sa, SA_ALL) || sa_af(sa) != af || sa_is_any(sa) ||
	    sa_is_loopback(sa) || sa_is_linklocal(sa))
		return false;

	return af == AF_INET ? sa_in(sa) >> 28 != 0xe && sa_in(sa) >> 24 &&
		sa_in(sa) != 0xffffffff :
		sa->u.in6.sin6_addr.s6_addr[0] != 0xff;
}


static void mapped(struct portmap *m, const struct sa *sa, uint32_t life)
{
	uint64_t ms;

	if (!useful(sa, sa_af(&m->local))) {
		failed(m, EPROTO, LATER_MS);
		return;
	}

	if (life < LIFE_MIN_S)
		life = LIFE_MIN_S;
	if (life > LIFE_MAX_S)
		life = LIFE_MAX_S;

	/* at half its time, and not all at once (RFC 6887 11.2.1) */
	ms = life * 1000ull;
	m->external = *sa;
	m->until_ms = clock_ms() + ms;
	m->tries = 0;
	timer_start(&m->tmr, ms / 2 + random_u32() % (ms / 8), due_h, m);
	tell(m, 0);
}


static void pmp_complete(struct portmap *m)
{
	struct sa sa = m->outer;

	if (!m->pmp_port || !sa_isset(&sa, SA_ADDR))
		return;

	sa_set_port(&sa, m->pmp_port);
	m->pmp_port = 0;
	mapped(m, &sa, m->pmp_life);
}


/* @return true: it is asked anew in another way */
static bool other_version(struct portmap *m, const struct portmap_answer *a)
{
	const unsigned other = m->version == PCP_VERSION ? PMP_VERSION :
		PCP_VERSION;

	if (m->how != PORTMAP_AUTO || m->settled || a->result != 1 ||
	    sa_af(&m->local) != AF_INET || m->tries > TRIES)
		return false;
	if (m->version == PCP_VERSION ? a->version != PMP_VERSION :
	    a->version == PMP_VERSION)
		return false;

	m->settled = true;
	m->version = other;
	m->tries = 0;
	ask(m);

	return true;
}


/* In a version that we speak, or may be speaking */
static bool spoken(const struct portmap *m, const struct portmap_answer *a)
{
	return a->version == m->version || (m->how == PORTMAP_AUTO &&
					    !m->settled &&
					    a->version <= PCP_VERSION);
}


static bool ours(const struct portmap *m, const struct portmap_answer *a)
{
	if (a->version == PMP_VERSION && a->result && !a->internal)
		return true;

	return a->internal == sa_port(&m->local) &&
		(a->version == PMP_VERSION ||
		 !memcmp(a->nonce, m->nonce, PCP_NONCE));
}


static void refused(struct portmap *m, const struct portmap_answer *a)
{
	uint64_t again_ms = LATER_MS;

	if (a->lifetime > LATER_MS / 1000)
		again_ms = 1000ull * (a->lifetime < LATER_MAX_S ?
				      a->lifetime : LATER_MAX_S);

	/* a success of no use is a failure, too */
	failed(m, a->result ? portmap_result(a->version, a->result) : EPROTO,
	       again_ms);
}


/* @return true: it has restarted since */
static bool epoch_look(struct portmap *m, const struct portmap_answer *a)
{
	const uint64_t now = clock_ms();
	const bool anew = m->epoch_known &&
		portmap_restarted(m->epoch, a->epoch,
				  (now - m->epoch_ms) / 1000);

	m->epoch_known = true;
	m->epoch = a->epoch;
	m->epoch_ms = now;

	return anew;
}


static void answered(struct portmap *m, const struct portmap_answer *a)
{
	if (!m->tries || other_version(m, a))
		return;

	if (!spoken(m, a)) {
		/* it knows another way, but that is not wanted */
		if (a->result == 1 && !m->settled)
			failed(m, EPROTONOSUPPORT, LATER_MS);
		return;
	}

	if (a->kind == PORTMAP_ADDRESS) {
		m->settled = true;
		m->version = a->version;
		if (a->result) {
			refused(m, a);
			return;
		}
		m->outer = a->addr;
		pmp_complete(m);
		return;
	}

	if (a->kind != PORTMAP_MAP || !ours(m, a))
		return;

	m->settled = true;
	m->version = a->version;
	if (a->result || !a->lifetime || !a->external) {
		refused(m, a);
		return;
	}

	(void)epoch_look(m, a);
	if (m->version == PCP_VERSION) {
		mapped(m, &a->addr, a->lifetime);
	}
	else {
		m->pmp_port = a->external;
		m->pmp_life = a->lifetime;
		pmp_complete(m);
	}
}


static void read_h(int flags, void *arg)
{
	uint8_t p[PORTMAP_MAX + 4];
	struct portmap *m = arg;
	struct portmap_answer a;
	ssize_t n;
	(void)flags;

	n = recv(m->fd, p, sizeof(p), MSG_DONTWAIT);
	if (n < 0) {
		/* nobody listens there, and says so */
		if (errno == ECONNREFUSED && m->tries && !m->settled)
			failed(m, ECONNREFUSED, LATER_MS);
		return;
	}

	/* the last thing that is done: the handler may free us */
	if (!portmap_read(&a, p, (size_t)n))
		answered(m, &a);
}


/* A router that has restarted tells all (RFC 6886 3.2.1, 6887 14.1) */
static void heard_h(int flags, void *arg)
{
	uint8_t p[PORTMAP_MAX + 4];
	struct portmap *m = arg;
	struct portmap_answer a;
	struct sa from;
	ssize_t n;
	(void)flags;

	from.len = sizeof(from.u);
	n = recvfrom(m->heard_fd, p, sizeof(p), MSG_DONTWAIT, &from.u.sa,
		     &from.len);
	if (n < 0 || !sa_cmp(&from, &m->gw, SA_ADDR) ||
	    portmap_read(&a, p, (size_t)n) || a.kind == PORTMAP_MAP ||
	    a.result || m->tries || clock_ms() < m->sent_ms + PAUSE_MS)
		return;

	/* whoever says so, the router itself is asked */
	if (epoch_look(m, &a))
		timer_start(&m->tmr, 0, due_h, m);
}


/* Opening ---------------------------------------------------------------- */

static void heard_open(struct portmap *m)
{
	const int af = sa_af(&m->local), on = 1;
	struct sa any;
	int fd;

	fd = socket(af, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;

	/* other programs listen there too */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	(void)sa_set_str(&any, af == AF_INET6 ? "ff02::1" : "224.0.0.1",
			 PORTMAP_HEARD);
	if (af == AF_INET6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
				 sizeof(on));
		any.u.in6.sin6_scope_id = m->gw.u.in6.sin6_scope_id;
	}

	if (bind(fd, &any.u.sa, any.len) ||
	    compat_fd_listen(&m->heard_watch, fd, FD_READ, heard_h, m)) {
		(void)close(fd);
		return;
	}

	m->heard_fd = fd;
	m->heard_watched = true;
}


static int socket_open(struct portmap *m)
{
	struct sa sa = m->local;
	int err;

	sa_set_port(&sa, 0);
	m->fd = socket(sa_af(&sa), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       0);
	if (m->fd < 0)
		return errno;
	if (bind(m->fd, &sa.u.sa, sa.len) ||
	    connect(m->fd, &m->gw.u.sa, m->gw.len))
		return errno;

	err = compat_fd_listen(&m->watch, m->fd, FD_READ, read_h, m);
	m->watched = !err;

	return err;
}


static void destructor(void *arg)
{
	struct portmap *m = arg;

	timer_cancel(&m->tmr);
	/* lost on the way, it is over by itself after LIFETIME_S */
	if (m->asked && m->fd >= 0)
		request(m, 0);
	if (m->watched)
		compat_fd_close(&m->watch);
	if (m->heard_watched)
		compat_fd_close(&m->heard_watch);
	if (m->fd >= 0)
		(void)close(m->fd);
	if (m->heard_fd >= 0)
		(void)close(m->heard_fd);
}


int portmap_alloc(struct portmap **pp, const struct sa *local,
		  const struct sa *gw, enum portmap_how how, uint16_t wish,
		  portmap_h *h, void *arg)
{
	struct portmap *m;
	int err;

	if (!pp || !h || how == PORTMAP_OFF || !sa_isset(local, SA_ALL) ||
	    !sa_isset(gw, SA_ADDR) || sa_af(gw) != sa_af(local) ||
	    (how == PORTMAP_NATPMP && sa_af(local) != AF_INET))
		return EINVAL;

	m = mem_zalloc(sizeof(*m), destructor);
	if (!m)
		return ENOMEM;

	m->fd = m->heard_fd = -1;
	m->local = *local;
	m->gw = *gw;
	if (!sa_port(gw))
		sa_set_port(&m->gw, PORTMAP_PORT);
	m->how = how;
	m->version = how == PORTMAP_NATPMP ? PMP_VERSION : PCP_VERSION;
	m->wish = wish ? wish : sa_port(local);
	m->told = -1;
	m->h = h;
	m->arg = arg;
	sa_init(&m->outer, AF_UNSPEC);
	sa_init(&m->external, AF_UNSPEC);
	sa_init(&m->told_addr, AF_UNSPEC);

	random_fill(m->nonce, sizeof(m->nonce));
	err = socket_open(m);
	if (err) {
		mem_deref(m);
		return err;
	}

	heard_open(m);
	ask(m);
	*pp = m;

	return 0;
}


/* The router ------------------------------------------------------------- */

struct route_request {
	struct nlmsghdr head;
	struct rtmsg rt;
	uint8_t attrs[2 * RTA_SPACE(16)];
};


static void attr_add(struct route_request *q, unsigned short type,
		     const void *v, size_t len)
{
	struct rtattr *a = (struct rtattr *)
		((uint8_t *)q + NLMSG_ALIGN(q->head.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), v, len);
	q->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(q->head.nlmsg_len) +
				       RTA_SPACE(len));
}


/* Of the kernel's answer */
static int route_read(struct sa *gw, const uint8_t *buf, size_t len)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)buf;
	const struct rtmsg *rt = NLMSG_DATA(h);
	const struct rtattr *a;
	bool found = false;
	uint32_t oif = 0;
	int left;

	if (!NLMSG_OK(h, len) || h->nlmsg_type != RTM_NEWROUTE ||
	    h->nlmsg_len < NLMSG_LENGTH(sizeof(*rt)))
		return ENETUNREACH;

	left = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*rt)));
	for (a = RTM_RTA(rt); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		const size_t n = RTA_PAYLOAD(a);

		if (a->rta_type == RTA_OIF && n == sizeof(oif)) {
			memcpy(&oif, RTA_DATA(a), n);
		}
		else if (a->rta_type == RTA_GATEWAY && n == 4 &&
			 rt->rtm_family == AF_INET) {
			uint32_t v;

			memcpy(&v, RTA_DATA(a), n);
			sa_set_in(gw, ntohl(v), 0);
			found = true;
		}
		else if (a->rta_type == RTA_GATEWAY && n == 16 &&
			 rt->rtm_family == AF_INET6) {
			sa_set_in6(gw, RTA_DATA(a), 0);
			found = true;
		}
	}

	if (found && sa_af(gw) == AF_INET6)
		gw->u.in6.sin6_scope_id = oif;

	return found ? 0 : ENETUNREACH;
}


int portmap_gateway(struct sa *gw, const struct sa *local)
{
	const struct timeval tv = { .tv_usec = NETLINK_MS * 1000 };
	const bool v6 = sa_af(local) == AF_INET6;
	_Alignas(8) uint8_t buf[4096];
	struct route_request q = {
		.head = {
			.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			.nlmsg_type = RTM_GETROUTE,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.rt = {
			.rtm_family = (unsigned char)sa_af(local),
			.rtm_dst_len = v6 ? 128 : 32,
			.rtm_src_len = v6 ? 128 : 32,
		},
	};
	struct sa far;
	uint32_t v;
	ssize_t n;
	int fd, err = 0;

	if (!sa_isset(local, SA_ADDR) || sa_is_loopback(local))
		return ENETUNREACH;

	/* any far address would do; these are PCP's own (RFC 7723) */
	(void)sa_set_str(&far, v6 ? "2001:1::1" : "192.0.0.9", 0);
	if (v6) {
		attr_add(&q, RTA_DST, &far.u.in6.sin6_addr, 16);
		attr_add(&q, RTA_SRC, &local->u.in6.sin6_addr, 16);
	}
	else {
		v = htonl(sa_in(&far));
		attr_add(&q, RTA_DST, &v, 4);
		v = htonl(sa_in(local));
		attr_add(&q, RTA_SRC, &v, 4);
	}

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return errno;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (send(fd, &q, q.head.nlmsg_len, 0) < 0)
		err = errno;
	n = err ? 0 : recv(fd, buf, sizeof(buf), 0);
	if (n < 0)
		err = errno;
	(void)close(fd);

	return err ? err : route_read(gw, buf, (size_t)n);
}
