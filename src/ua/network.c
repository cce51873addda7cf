/**
 * @file network.c  Another network: who is registered registers, calls move
 *
 * The machine gets another address, or another way, or wakes up.  What listens
 * follows first, then every account whose server is reached from elsewhere
 * now, or that could not register, registers at once, and calls are told our
 * new address by re-INVITE, their sound moving with it.  A call whose peer
 * cannot be told yet is tried again when the network changes next, and after a
 * while.  Main thread.
 */
#include "offhook/netwatch.h"
#include "offhook/sip_locate.h"
#include "priv.h"
#include "requests.h"

enum {
	AGAIN_MS  = 2000,            /* a call that could not be told        */
	AGAIN_MAX = 10,
	ASLEEP_MS = 30000,           /* connections do not outlive this      */
	WATCHES_MS = 1000,           /* who is watched hears of it once the
					registrar has                        */
};


static void again_handler(void *arg);


/* @return true: it has another address now, of which the peer can be told;
 *  a call that servers are asked for first is told of when they answer */
static bool move_media(struct call *c, const struct sa *laddr)
{
	struct sa local = *laddr;
	bool waits;
	int err;

	if (c->regather)
		return false;

	if (sa_cmp(stream_local(c->stream), &local, SA_ADDR))
		return true;

	sa_set_port(&local, 0);
	err = stream_move(c->stream, &local);
	if (err) {
		log_info("call %u: its sound stays where it was: %s", c->id,
			 strerror(err));
		return false;
	}

	c->laddr = local;
	waits = call_nat_moved(c);

	return !waits;
}


/* Where the peer's sound is reached from, when its host is only a name */
static int by_media(struct sa *laddr, const struct call *c)
{
	if (!c->plan.codec || !sa_isset(&c->plan.rtp, SA_ADDR))
		return ENETUNREACH;

	return sip_stack_source(c->ua->sip, &c->plan.rtp, laddr);
}


/* Nobody has answered yet, and who does cannot reach us: call again */
void network_call_again(struct call *c)
{
	struct mbuf *offer = NULL;
	struct ability ab;
	int err = 0;

	if (!c->late) {
		call_ability(c, stream_local(c->stream), &ab);
		err = call_offer(&offer, c, &ab);
	}
	if (!err)
		err = sip_call_again(c->sip, offer);
	mem_deref(offer);

	c->moving = false;
	if (err)
		call_fail(c, SIP_CAUSE_TRANSPORT, err,
			  "the network has changed while it rang");
	else
		log_info("call %u: called again from another address", c->id);
}


/* @return true: it is called again */
static bool move_calling(struct call *c)
{
	struct sa laddr = *stream_local(c->stream);

	if (!sip_call_moved(c->sip, &laddr))
		return false;

	c->moving = true;
	if (!sa_isset(&laddr, SA_ADDR) || !sip_stack_has(c->ua->sip, &laddr))
		return false;
	if (!move_media(c, &laddr))
		return c->regather;

	network_call_again(c);

	return true;
}


/* It rings here: the answer tells where we are */
static bool move_incoming(struct call *c)
{
	struct sa laddr = *stream_local(c->stream);

	if (!sip_call_moved(c->sip, &laddr) && !c->moving)
		return false;

	c->moving = true;
	if (!sa_isset(&laddr, SA_ADDR) &&
	    sip_stack_source(c->ua->sip, &c->src, &laddr))
		return false;
	if (!sip_stack_has(c->ua->sip, &laddr))
		return false;

	(void)move_media(c, &laddr);
	log_info("call %u: rings at another address now", c->id);

	/* what was described already is told once it is answered */
	c->moving = c->early != NULL;

	return !c->moving;
}


/* @return true: the peer is being told */
static bool move(struct call *c)
{
	struct sa laddr;

	if (!call_living(c) || !c->sip || !c->stream)
		return false;
	if (c->state != CALL_ACTIVE)
		return c->outgoing ? move_calling(c) : move_incoming(c);

	laddr = *stream_local(c->stream);
	if (!sip_call_moved(c->sip, &laddr) && !c->moving)
		return false;

	c->moving = true;
	if (!sa_isset(&laddr, SA_ADDR) && by_media(&laddr, c))
		return false;
	if (!sip_stack_has(c->ua->sip, &laddr))
		return false;
	if (!move_media(c, &laddr))
		return c->regather;

	log_info("call %u: moved to another address", c->id);

	/* one from where we are no more; then it is our turn again */
	if (c->mod_busy || call_reoffer(c))
		return false;

	return true;
}


static unsigned move_all(struct ua *ua)
{
	bool waits = false;
	unsigned n = 0;
	struct le *le;

	LIST_FOREACH(&ua->calls, le) {
		struct call *c = le->data;

		n += move(c) || call_nat_look(c);
		waits = waits || (c->moving && !c->regather);

		/* nothing more can be heard of it */
		if (c->moving && c->outgoing && c->state != CALL_ACTIVE &&
		    call_living(c) && ua->net_tries >= AGAIN_MAX)
			call_fail(c, SIP_CAUSE_TRANSPORT, ENETDOWN,
				  "the network is gone");
	}

	if (waits && ua->net_tries++ < AGAIN_MAX)
		timer_start(&ua->tmr_net, AGAIN_MS, again_handler, ua);

	return n;
}


static void again_handler(void *arg)
{
	(void)move_all(arg);
}


void network_answered(struct call *c)
{
	if (!c->moving)
		return;

	c->ua->net_tries = 0;
	timer_start(&c->ua->tmr_net, 0, again_handler, c->ua);
}


void network_told(struct call *c, const struct sip_result *res)
{
	if (res->cause == SIP_CAUSE_NONE)
		c->moving = false;
}


static void watches_handler(void *arg)
{
	watch_moved(arg);
}


static bool register_all(struct ua *ua, bool must)
{
	bool any = false;
	struct le *le;

	LIST_FOREACH(&ua->accounts, le) {
		struct account *a = le->data;

		any |= sip_reg_moved(a->reg, must);
	}

	return any;
}


static void tell(const struct ua *ua, unsigned what, uint64_t slept_ms,
		 const struct sip_moved *m, unsigned calls)
{
	struct event ev;

	event_init(&ev, EVENT_NETWORK_CHANGED);
	str_ncpy(ev.u.network_changed.cause, what & NETWATCH_RESUME ?
		 "resume" : m->added[0] || m->removed[0] ? "addresses" :
		 "routes", sizeof(ev.u.network_changed.cause));
	UTF8_PUT(ev.u.network_changed.added, m->added);
	UTF8_PUT(ev.u.network_changed.removed, m->removed);
	ev.u.network_changed.calls = calls;
	if (what & NETWATCH_RESUME)
		ev.u.network_changed.slept_ms = (int64_t)slept_ms;

	event_publish(ua->bus, &ev);
}


static void netwatch_handler(unsigned what, uint64_t slept_ms, void *arg)
{
	const bool resume = what & NETWATCH_RESUME;
	struct ua *ua = arg;
	struct sip_moved m;
	unsigned calls;
	bool regs;
	int err;

	if (ua->closing)
		return;

	err = sip_stack_moved(ua->sip, resume && slept_ms >= ASLEEP_MS, &m);
	if (err) {
		log_warn("what the network is like now is not known: %s",
			 strerror(err));
		return;
	}

	/* the system may have other name servers there */
	(void)sip_stack_set_dns(ua->sip, ua->config->dns_servers);

	regs = register_all(ua, resume);
	ua->net_tries = 0;
	calls = move_all(ua);

	if (resume || m.added[0] || m.removed[0] || regs)
		timer_start(&ua->tmr_watches, WATCHES_MS, watches_handler, ua);

	if (resume || m.added[0] || m.removed[0] || regs || calls)
		tell(ua, what, slept_ms, &m, calls);
}


int network_watch(struct ua *ua)
{
	const int err = netwatch_alloc(&ua->netwatch, netwatch_handler, ua);

	/* a sandbox without rtnetlink is no reason not to call */
	if (err)
		log_info("changes of the network are not noticed: %s",
			 strerror(err));

	return 0;
}


void network_flush(struct ua *ua)
{
	timer_cancel(&ua->tmr_net);
	timer_cancel(&ua->tmr_watches);
	ua->netwatch = mem_deref(ua->netwatch);
}
