/**
 * @file sip/sub_notify.c  What a notifier tells us (RFC 6665 4.1.3)
 *
 * Main thread.  The first NOTIFY may be faster than the answer to our request
 * and then makes the dialog.
 */
#include "sub.h"


struct sub_state {
	struct pl word, reason;
	uint32_t expires_s, retry_s;
	bool expires_told;
};


static bool state_parse(struct sub_state *st, const struct sip_msg *msg)
{
	const struct sip_hdr *h = header_find(msg,
					      SIP_HDR_SUBSCRIPTION_STATE,
					      "Subscription-State", 0);
	const char *semi;
	struct pl params = pl_null, val;

	memset(st, 0, sizeof(*st));
	if (!h || !h->val.l)
		return false;

	st->word = h->val;
	semi = memchr(h->val.p, ';', h->val.l);
	if (semi) {
		st->word.l = (size_t)(semi - h->val.p);
		params.p = semi;
		params.l = h->val.l - st->word.l;
	}
	while (st->word.l && strchr(" \t", st->word.p[st->word.l - 1]))
		--st->word.l;

	(void)param_find(&params, "reason", &st->reason);
	if (param_find(&params, "expires", &val))
		st->expires_told = !text_u32(&st->expires_s, val.p, val.l,
					     UINT32_MAX);
	if (param_find(&params, "retry-after", &val))
		(void)text_u32(&st->retry_s, val.p, val.l, EXPIRES_MAX_S);

	return st->word.l > 0;
}


/* RFC 6665 4.1.3 */
static void terminated(struct sip_sub *sub, const struct sub_state *st)
{
	static const struct {
		const char *reason;
		bool retry, at_once;
	} v[] = {
		{"deactivated", true,  true},
		{"timeout",     true,  true},
		{"probation",   true,  false},
		{"giveup",      true,  false},
		{"rejected",    false, false},
		{"noresource",  false, false},
		{"invariant",   false, false},
	};
	struct sip_result res = {.remote = true};
	bool retry = true, at_once = false;
	size_t i;

	for (i = 0; i < COUNTOF(v); i++) {
		if (!pl_strcasecmp(&st->reason, v[i].reason)) {
			retry = v[i].retry;
			at_once = v[i].at_once;
		}
	}

	(void)text_escape(sub->reason, sizeof(sub->reason),
			  st->reason.l ? st->reason.p : "", st->reason.l);

	if (!sub->leaving && !sub->refer && sub->expires_s)
		(void)snprintf(res.reason, sizeof(res.reason),
			       "the notifier ended it%s%s",
			       *sub->reason ? ": " : "", sub->reason);

	/* a fetch, a transfer and our own end mean to end so */
	res.retry_after_s = st->retry_s;
	sub_lost(sub, &res, retry && sub->expires_s, at_once);
}


int sub_notify_h(struct sip_rx *rx, const struct sip_info *in, void *arg)
{
	struct sip_sub *sub = arg;
	const struct sip_msg *msg = rx_msg(rx);
	struct sub_state st;
	char ctype[128] = "";
	const char *body;
	size_t len = 0;
	int status = 0;
	bool active, gone;

	if (!state_parse(&st, msg))
		return 400;

	body = sip_rx_body(rx, &len);
	if (body && len && sub->h.notify_h) {
		(void)sip_info_header(in, "Content-Type", ctype,
				      sizeof(ctype));

		/* the owner may let go inside */
		mem_ref(sub);
		status = sub->h.notify_h(in, ctype, body, len, sub->arg);
		gone = mem_nrefs(sub) == 1;
		mem_deref(sub);
		if (gone)
			return status ? status : 200;
	}
	if (status >= 300)
		return status;

	sub->notified = true;
	sub->tries = 0;

	if (!pl_strcasecmp(&st.word, "terminated")) {
		terminated(sub, &st);
		return 200;
	}

	active = pl_strcasecmp(&st.word, "pending") != 0;
	if (st.expires_told && st.expires_s <= EXPIRES_MAX_S)
		sub->granted_s = st.expires_s;
	else if (!sub->granted_s)
		sub->granted_s = sub->refer ? REFER_LIFE_S : sub->expires_s;

	/* our last SUBSCRIBE is still under way: its answer plans */
	if (!sub->req && !sub->leaving)
		sub_refresh_plan(sub);

	if (!sub->leaving)
		sub_state_set(sub, active ? SIP_SUB_ACTIVE : SIP_SUB_PENDING,
			  NULL);

	return 200;
}


/* The NOTIFY that was faster than the answer to our request */
bool sub_template_request_h(const struct sip_msg *msg, void *arg)
{
	struct sip_sub *sub = arg;
	struct leg *leg = stack_leg_msg(sub->stack, msg);
	struct event_type ev, ours;
	struct dialog *d;
	struct pl pl;

	pl_set_str(&pl, sub->event);
	if (!leg || sub->use.dlg || pl_strcmp(&msg->met, "NOTIFY") ||
	    !event_parse(&ev, msg) || !event_parse_text(&ours, &pl) ||
	    pl_cmp(&ev.package, &ours.package))
		return false;

	if (dialog_fork_request(&d, sub->tmpl, leg, msg))
		return false;

	d->request_h = NULL;
	d->arg = NULL;
	if (usage_begin(&sub->use, d, "NOTIFY", &ours, sub_notify_h, sub)) {
		mem_deref(d);
		return false;
	}
	mem_deref(d);

	return usage_request(leg, sub->use.dlg, msg);
}
