/**
 * @file sip/moved.c  The machine has other addresses, or other ways
 *
 * Main thread.  A leg whose address is gone stays, because others hold it, but
 * is not chosen any more; should the address come back, so does the leg.  What
 * a dialog knows of the way to its peer is forgotten when it leads from there,
 * or when the kernel would send from elsewhere now.
 */
#include "locate.h"
#include "conn.h"
#include "session.h"


static void list_add(char *buf, size_t sz, const struct sa *addr)
{
	const size_t n = strlen(buf);

	(void)re_snprintf(buf + n, sz - n, "%s%j", n ? " " : "", addr);
}


static void moved_h(const struct sa *addr, bool here, void *arg)
{
	struct sip_moved *m = arg;

	if (here)
		list_add(m->added, sizeof(m->added), addr);
	else
		list_add(m->removed, sizeof(m->removed), addr);
}


/* A connection that stands goes on as long as its address is there */
static bool elsewhere(const struct dialog *d)
{
	const struct target *tg = &d->flow;

	if (!tg->leg)
		return false;
	if (tg->leg->gone)
		return true;

	return !d->flow_pinned &&
		stack_leg(d->stack, &tg->dst, tg->tp) != tg->leg;
}


static bool dialog_h(struct le *le, void *arg)
{
	struct dialog *d = le->data;
	(void)arg;

	/* of calls sip_call_moved wants to know */
	d->moved = d->moved || elsewhere(d);
	if (d->moved) {
		d->flow_pinned = false;
		d->flow.leg = NULL;
	}

	return false;
}


/* Who calls cannot be answered any more; who is called can answer */
static void calls_moved(struct sip_stack *s)
{
	struct le *le;

	LIST_FOREACH(&s->calls, le) {
		struct sip_call *c = le->data;

		if (c->phase == PHASE_CALLING && c->flow.leg &&
		    c->flow.leg->gone)
			request_adrift(c->invite);

		if (c->leg && c->leg->gone && c->msg) {
			struct leg *l = stack_leg(s, &c->msg->src,
						  c->msg->tp);

			if (l) {
				c->leg = l;
				c->laddr = *leg_laddr(l, c->msg->tp);
			}
		}
	}
}


int sip_stack_moved(struct sip_stack *s, bool asleep, struct sip_moved *m)
{
	int err;

	if (!s || !m)
		return EINVAL;

	memset(m, 0, sizeof(*m));

	err = listen_again(s, moved_h, m);
	if (err)
		return err;

	names_forget(s->names);
	deads_forget(s->deads);

	/* before connections end: who hears of it looks for another way */
	(void)hash_apply(s->dialogs, dialog_h, NULL);
	strans_moved(s);
	calls_moved(s);

	conns_end(s, false, ENETDOWN, "this machine's address is gone");
	if (asleep)
		conns_end(s, true, ENETDOWN, "this machine was asleep");

	return 0;
}


bool sip_stack_has(const struct sip_stack *s, const struct sa *addr)
{
	struct le *le;

	for (le = s ? list_head(&s->legl) : NULL; le; le = le->next) {
		const struct leg *l = le->data;

		if (!l->gone && sa_cmp(&l->addr, addr, SA_ADDR))
			return true;
	}

	return false;
}


/* The INVITE is out; whoever answers it does so to where it came from */
static bool calling_moved(const struct sip_call *c, struct sa *laddr)
{
	const struct target *tg = &c->flow;
	const struct leg *l;

	if (!tg->leg)
		return false;

	l = stack_leg(c->stack, &tg->dst, tg->tp);
	if (!tg->leg->gone && (l == tg->leg || tg->tp != SIP_TRANSP_UDP))
		return false;

	sa_init(laddr, AF_UNSPEC);
	if (l)
		*laddr = l->addr;

	return true;
}


int sip_call_again(struct sip_call *c, struct mbuf *offer)
{
	if (!c || c->phase != PHASE_CALLING || !c->invite)
		return ENOTCONN;

	/* what rings there stops ringing, then rings again */
	(void)request_moved(c->invite);
	invite_cancel(c);
	c->invite = mem_deref(c->invite);

	mem_deref(c->sdp);
	c->sdp = mem_ref(offer);

	return invite_start(c);
}


bool sip_call_moved(struct sip_call *c, struct sa *laddr)
{
	struct dialog *d = c && c->br ? c->br->dlg : NULL;
	char *uri = NULL, *hop = NULL;
	struct target_list tl;
	struct sip_result res;

	if (c && c->phase == PHASE_CALLING && c->stack)
		return calling_moved(c, laddr);
	if (!d || !d->stack ||
	    !(d->moved || !sip_stack_has(d->stack, laddr)))
		return false;

	d->moved = false;
	sa_init(laddr, AF_UNSPEC);

	if (!dialog_uris(d, &uri, &hop) &&
	    !dialog_targets(d, hop, &tl, &res) && tl.n)
		*laddr = tl.v[0].leg->addr;

	mem_deref(uri);
	mem_deref(hop);

	return true;
}
