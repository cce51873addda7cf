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


bool sip_call_moved(struct sip_call *c, struct sa *laddr)
{
	struct dialog *d = c && c->br ? c->br->dlg : NULL;
	char *uri = NULL, *hop = NULL;
	struct target_list tl;
	struct sip_result res;

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
