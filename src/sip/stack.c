/**
 * @file sip/stack.c  One leg for each local address
 *
 * Main thread.  The stack owns its legs, a leg what listens there, and the
 * stack connections and transactions.  Calls and requests belong to their
 * users and are told when the stack goes.  Nothing here may be freed from
 * inside a handler: the end is always on a turn of the loop of its own.
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <offhook/random.h>
#include "locate.h"
#include "registration.h"
#include "fault.h"


enum {
	DIALOG_BUCKETS = 512,
	CLOSE_MAX_MS   = 60000,
};


static void leg_destructor(void *arg)
{
	struct leg *l = arg;

	list_unlink(&l->le);
	mem_deref(l->dgram);
	mem_deref(l->tcp_ls);
	mem_deref(l->tls_ls);
}


int leg_alloc(struct leg **lp, struct sip_stack *s, const struct sa *addr)
{
	struct leg *l = mem_zalloc(sizeof(*l), leg_destructor);

	if (!l)
		return ENOMEM;

	l->stack = s;
	l->addr = *addr;
	sa_set_port(&l->addr, 0);
	sa_init(&l->udp, AF_UNSPEC);
	sa_init(&l->tcp, AF_UNSPEC);
	sa_init(&l->tls, AF_UNSPEC);
	list_append(&s->legl, &l->le, l);

	*lp = l;

	return 0;
}


static void stack_destructor(void *arg)
{
	struct sip_stack *s = arg;

	timer_cancel(&s->close_tmr);

	event_stack_gone(s);
	registration_stack_gone(s);
	session_stack_gone(s);
	request_stack_gone(s);
	rx_stack_gone(s);
	reply_stack_gone(s);
	target_stack_gone(s);
	target_races_gone(s);
	strans_stack_gone(s);

	fault_stack_gone(s);
	mem_deref(s->keep);
	mem_deref(s->filter);
	mem_deref(s->names);
	mem_deref(s->deads);
	mem_deref(s->trans);
	mem_deref(s->stranss);
	conns_stack_gone(s);
	mem_deref(s->conns);
	list_flush(&s->legl);
	mem_deref(s->tls);
	mem_deref(s->dialogs);
	mem_deref(s->user_agent);
	mem_deref(s->ability);
	mem_deref(s->listenv);
}


int sip_stack_alloc(struct sip_stack **sp, const struct sip_stack_conf *conf,
		    const struct sip_stack_h *h, void *arg,
		    char *err, size_t errsz)
{
	struct sip_stack *s;
	int e;

	if (!sp || !conf || !h || !err || !errsz)
		return EINVAL;

	*err = '\0';

	s = mem_zalloc(sizeof(*s), stack_destructor);
	if (!s)
		return ENOMEM;

	s->h = *h;
	s->arg = arg;
	s->t1_ms = s->trans_t1_ms = conf->t1_ms == SIP_T1_MS ? 0 : conf->t1_ms;
	s->timeout_ms = 64 * stack_t1(s);
	if (conf->timeout_ms && conf->timeout_ms < s->timeout_ms)
		s->timeout_ms = conf->timeout_ms;
	s->dscp = conf->dscp;
	s->resolve_ms = conf->resolve_ms ? conf->resolve_ms : 10000;
	s->max_sessions = conf->max_sessions;
	s->tls = mem_ref(conf->tls);
	s->tag_key[0] = random_u64();
	s->tag_key[1] = random_u64();

	e = str_dup(&s->user_agent,
		    conf->user_agent && header_text_ok(conf->user_agent) ?
		    conf->user_agent : "offhook/" OFFHOOK_VERSION);
	if (!e)
		e = ability_alloc(s);
	if (!e)
		e = hash_alloc(&s->dialogs, DIALOG_BUCKETS);
	if (!e)
		e = names_alloc(&s->names, NULL);
	if (!e)
		e = deads_alloc(&s->deads);
	if (!e)
		e = sip_dns_servers_check(conf->dns_servers, err, errsz);
	if (!e)
		e = sip_stack_set_dns(s, conf->dns_servers);
	if (!e)
		e = sip_dns_hosts_check(conf->hosts, err, errsz);
	if (!e)
		e = sip_stack_set_hosts(s, conf->hosts);
	if (!e)
		e = transactions_alloc(&s->trans);
	if (!e)
		e = stranss_alloc(&s->stranss);
	if (!e)
		e = conns_alloc(&s->conns);
	if (!e)
		e = listen_open(s, conf, err, errsz);

	if (e) {
		if (!*err)
			(void)snprintf(err, errsz, "cannot start SIP: %s",
				       strerror(e));
		mem_deref(s);
		return e;
	}

	*sp = s;

	return 0;
}


const char *sip_stack_note(const struct sip_stack *s)
{
	return s ? s->note : "";
}


static void stack_closed_h(void *arg)
{
	struct sip_stack *s = arg;
	void (*h)(void *) = s->close_h;

	timer_cancel(&s->close_tmr);
	s->close_h = NULL;

	if (h)
		h(s->close_arg);
}


void stack_closing_check(struct sip_stack *s)
{
	uint64_t now, end = 0;
	struct le *le;

	if (!s || !s->closing || !s->close_h)
		return;

	for (le = list_head(&s->calls); le; le = le->next) {
		if (session_pending(le->data))
			end = UINT64_MAX;
	}

	for (le = list_head(&s->reqs); le; le = le->next) {
		const uint64_t ms = request_pending_until(le->data);

		if (ms > end)
			end = ms;
	}

	if (end > s->close_due_ms)
		end = s->close_due_ms;

	now = clock_ms();
	timer_start(&s->close_tmr, end > now ? end - now : 0, stack_closed_h,
		    s);
}


void sip_stack_close(struct sip_stack *s, uint32_t ms,
		     void (*done)(void *arg), void *arg)
{
	struct le *le;

	if (!s || s->closing)
		return;

	s->closing = true;
	s->close_h = done;
	s->close_arg = arg;
	s->close_due_ms = clock_ms() + (ms < CLOSE_MAX_MS ? ms : CLOSE_MAX_MS);

	le = list_head(&s->calls);
	while (le) {
		struct sip_call *c = le->data;

		le = le->next;
		sip_call_hangup(c, 0, NULL);
	}

	stack_closing_check(s);
}


bool sip_stack_listener(const struct sip_stack *s, size_t i, struct sa *addr,
			enum sip_transp *tp)
{
	struct le *le;

	if (!s)
		return false;

	for (le = list_head(&s->legl); le; le = le->next) {
		const struct leg *l = le->data;
		const struct sa *sav[] = {&l->udp, &l->tcp, &l->tls};
		static const enum sip_transp tpv[] = {
			SIP_TRANSP_UDP, SIP_TRANSP_TCP, SIP_TRANSP_TLS,
		};
		unsigned k;

		for (k = 0; k < COUNTOF(tpv); k++) {

			if (l->gone || !sa_isset(sav[k], SA_ADDR) || i--)
				continue;

			*addr = *sav[k];
			*tp = tpv[k];
			return true;
		}
	}

	return false;
}


/* All of 127.0.0.0/8; some releases of libre know 127.0.0.1 only */
static bool is_loopback(const struct sa *sa)
{
	return sa_af(sa) == AF_INET ? (sa_in(sa) >> 24) == 127 :
		sa_is_loopback(sa);
}


/* The address the kernel would send from. @return 0 or errno */
static int route_source(const struct sa *dst, struct sa *src)
{
	struct sa to = *dst;
	int fd, err = 0;

	fd = socket(sa_af(dst), SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
	if (fd < 0)
		return errno;

	if (!sa_port(&to))
		sa_set_port(&to, SIP_PORT);

	src->len = sizeof(src->u);
	if (connect(fd, &to.u.sa, to.len) ||
	    getsockname(fd, &src->u.sa, &src->len))
		err = errno;

	(void)close(fd);

	return err;
}


const struct sa *leg_laddr(const struct leg *l, enum sip_transp tp)
{
	switch (tp) {

	case SIP_TRANSP_UDP: return &l->udp;
	case SIP_TRANSP_TCP: return &l->tcp;
	case SIP_TRANSP_TLS: return &l->tls;
	default:             return &l->addr;
	}
}


/* TLS listens once it is needed */
static bool leg_has(const struct leg *l, int af, enum sip_transp tp)
{
	return sa_af(&l->addr) == af && !l->gone &&
		(tp == SIP_TRANSP_NONE || tp == SIP_TRANSP_TLS ||
		 sa_isset(leg_laddr(l, tp), SA_ADDR));
}


/*
 * Loopback targets go by a loopback leg, without asking the kernel.  Others
 * by the leg of the address the kernel would choose; if we do not listen on
 * that one, by another which is no loopback.  The machine's own addresses can
 * be reached from loopback too.
 */
struct leg *stack_leg(const struct sip_stack *s, const struct sa *dst,
		      enum sip_transp tp)
{
	const bool lo = is_loopback(dst);
	const int af = sa_af(dst);
	struct leg *other = NULL, *local = NULL;
	struct le *le;
	struct sa src;

	if (lo)
		src = *dst;
	else if (route_source(dst, &src))
		return NULL;

	for (le = list_head(&s->legl); le; le = le->next) {
		struct leg *l = le->data;

		if (!leg_has(l, af, tp))
			continue;

		if (sa_cmp(&l->addr, &src, SA_ADDR))
			return l;

		if (is_loopback(&l->addr)) {
			if (!local)
				local = l;
		}
		else if (!other)
			other = l;
	}

	if (lo)
		return local ? local : other;

	if (!other && sa_cmp(&src, dst, SA_ADDR))
		return local;

	return other;
}


struct leg *stack_leg_msg(const struct sip_stack *s,
			  const struct sip_msg *msg)
{
	const struct conn *c = msg->tp == SIP_TRANSP_UDP ? NULL : msg->sock;
	struct leg *near = NULL;
	struct le *le;

	if (c)
		return c->leg;

	for (le = list_head(&s->legl); le; le = le->next) {
		struct leg *l = le->data;

		if (sa_cmp(leg_laddr(l, msg->tp), &msg->dst, SA_ALL))
			return l;

		/* a connection of our own leaves from a port of its own */
		if (!near && leg_has(l, sa_af(&msg->dst), msg->tp) &&
		    sa_cmp(&l->addr, &msg->dst, SA_ADDR))
			near = l;
	}

	return near;
}


int sip_stack_source(const struct sip_stack *s, const struct sa *dst,
		     struct sa *src)
{
	const struct leg *l;

	if (!s || !dst || !src)
		return EINVAL;

	l = stack_leg(s, dst, SIP_TRANSP_NONE);
	if (!l)
		return ENETUNREACH;

	*src = l->addr;

	return 0;
}


int leg_contact(struct mbuf *mb, const struct leg *l, enum sip_transp tp,
		const char *user, bool secure)
{
	return mbuf_printf(mb, "<sip%s:%s%s%J%s>", secure ? "s" : "",
			   user ? user : "", user && *user ? "@" : "",
			   leg_laddr(l, tp), secure ? "" :
			   sip_transp_param(tp));
}


void sip_stack_stats(const struct sip_stack *s, struct sip_stack_stats *st)
{
	*st = s->stats;
	st->sessions = list_count(&s->calls);
	st->requests = list_count(&s->reqs);
}
