/**
 * @file sip/subscription.c  We subscribe, or we refer (RFC 6665, 3515)
 *
 * Main thread.  A subscription begins with a template dialog; the first
 * answer or NOTIFY makes the dialog of it, and only that one counts: what
 * another branch of a fork sends is refused with 481, as RFC 6665 4.1.2.4
 * lets us.  It has one request and one timer at a time.  The state has one
 * setter, and the user hears of it on a turn of the loop of its own.
 */
#include <offhook/random.h>
#include "sub.h"


static void refresh_h(void *arg);


const char *sip_sub_state_name(enum sip_sub_state st)
{
	static const char *const names[] = {
		"trying", "pending", "active", "waiting", "ended",
	};

	return (size_t)st < COUNTOF(names) ? names[st] : "?";
}


uint32_t event_backoff_s(unsigned tries, uint32_t told)
{
	uint32_t s = 30u << (tries < 6 ? tries : 6);

	if (s > 1800)
		s = 1800;

	/* between half and the whole, so that not all come back at once */
	s = s / 2 + random_u32() % (s / 2 + 1);

	return told > s ? told : s;
}


/* State -------------------------------------------------------------------- */

static void tell_h(void *arg)
{
	struct sip_sub *sub = arg;
	const uint64_t now = clock_ms();
	struct sip_sub_status st = {
		.state     = sub->state,
		.res       = sub->res,
		.expires_s = sub->granted_s,
	};

	if (sub->told)
		return;

	sub->told = true;
	memcpy(st.reason, sub->reason, sizeof(st.reason));
	if (sub->state != SIP_SUB_ENDED && timer_running(&sub->tmr))
		st.next_ms = sub->due_ms > now ? sub->due_ms - now : 0;

	if (sub->h.state_h)
		sub->h.state_h(&st, sub->arg);
}


void sub_state_set(struct sip_sub *sub, enum sip_sub_state state,
		      const struct sip_result *res)
{
	log_debug("subscription to %s: %s -> %s", sub->event,
		  sip_sub_state_name(sub->state), sip_sub_state_name(state));

	sub->state = state;
	if (res)
		sub->res = *res;
	else
		memset(&sub->res, 0, sizeof(sub->res));

	sub->told = false;
	timer_start(&sub->tmr_turn, 0, tell_h, sub);
}


void sub_wait(struct sip_sub *sub, uint64_t ms, timer_h *h)
{
	sub->due_ms = clock_ms() + ms;
	timer_start(&sub->tmr, ms, h, sub);
}


static void let_go(struct sip_sub *sub)
{
	timer_cancel(&sub->tmr);
	sub->req = mem_deref(sub->req);
	usage_end(&sub->use);
	if (sub->tmpl) {
		dialog_end(sub->tmpl);
		sub->tmpl = mem_deref(sub->tmpl);
	}
}


void sub_finish(struct sip_sub *sub, const struct sip_result *res)
{
	let_go(sub);
	list_unlink(&sub->le);
	sub_state_set(sub, SIP_SUB_ENDED, res);
}


static void again_h(void *arg)
{
	sub_begin(arg);
}


/* It ended without our wish: again, or for good */
void sub_lost(struct sip_sub *sub, const struct sip_result *res,
		 bool may_retry, bool at_once)
{
	uint64_t ms;

	if (sub->leaving || sub->refer || !sub->persist || !may_retry) {
		sub_finish(sub, res);
		return;
	}

	let_go(sub);

	/* at once, but not round and round */
	if (at_once && clock_ms() - sub->begun_ms > 10000) {
		sub->tries = 0;
		ms = 0;
	}
	else {
		ms = 1000ULL * event_backoff_s(sub->tries++,
					       res->retry_after_s);
	}

	sub_wait(sub, ms, again_h);
	sub_state_set(sub, SIP_SUB_WAITING, res);
}


/* Before it runs out, with room for another try (RFC 6665 4.1.2.2) */
void sub_refresh_plan(struct sip_sub *sub)
{
	uint64_t ms = 1000ULL * sub->granted_s, room;

	if (sub->refer) {
		sub_wait(sub, ms, refresh_h);
		return;
	}

	room = ms / 10;
	if (room > 60000)
		room = 60000;
	if (room < 5000)
		room = ms / 2 < 5000 ? ms / 2 : 5000;

	ms -= room;
	if (ms < 1000ULL * REFRESH_MIN_S)
		ms = 1000ULL * REFRESH_MIN_S;

	sub_wait(sub, ms, refresh_h);
}


/* Our requests ------------------------------------------------------------- */

static struct dialog *sub_dialog(const struct sip_sub *sub)
{
	return sub->use.dlg ? sub->use.dlg : sub->tmpl;
}


static int head_h(struct mbuf *mb, const struct target *tg, void *arg)
{
	struct sip_sub *sub = arg;
	struct dialog *d = sub_dialog(sub);
	int err;

	if (!d || !d->stack)
		return ENOTCONN;

	err = dialog_head(d, mb, tg, sub->refer ? "REFER" : "SUBSCRIBE",
			  ++d->lseq, true);
	if (!err && !sub->refer)
		err = mbuf_printf(mb, "Event: %s\r\nExpires: %u\r\n",
				  sub->event,
				  sub->leaving ? 0 : sub->expires_s);
	if (!err && sub->accept)
		err = mbuf_printf(mb, "Accept: %s\r\n", sub->accept);
	if (!err && sub->headers)
		err = mbuf_write_str(mb, sub->headers);

	/* its id, when there are several in the dialog (RFC 3515 2.4.6) */
	if (sub->refer && sub->use.dlg)
		(void)snprintf(sub->use.id, sizeof(sub->use.id), "%u",
			       d->lseq);

	return err;
}


static void silent_h(void *arg)
{
	struct sip_sub *sub = arg;
	struct sip_result res = {
		.cause = sub->leaving ? SIP_CAUSE_NONE : SIP_CAUSE_TIMEOUT,
		.err   = sub->leaving ? 0 : ETIMEDOUT,
	};

	if (!sub->leaving)
		(void)snprintf(res.reason, sizeof(res.reason),
			       "accepted, but no notification came");
	sub_lost(sub, &res, true, false);
}


/* 2xx: the dialog is known now, if no NOTIFY has made it known before */
static int take_dialog(struct sip_sub *sub, const struct sip_msg *msg)
{
	struct event_type ev;
	struct dialog *d;
	struct pl pl;
	int err;

	if (sub->use.dlg) {
		if (dialog_match(sub->use.dlg, msg))
			dialog_refresh(sub->use.dlg, msg);
		return 0;
	}

	err = dialog_fork(&d, sub->tmpl, msg);
	if (err)
		return err;

	d->request_h = NULL;
	d->arg = NULL;
	pl_set_str(&pl, sub->event);
	err = event_parse_text(&ev, &pl) ?
		usage_begin(&sub->use, d, "NOTIFY", &ev, sub_notify_h, sub) :
		EINVAL;
	mem_deref(d);

	return err;
}


static bool no_subscription(const struct sip_msg *msg)
{
	const struct sip_hdr *h = header_find_name(msg, "Refer-Sub");

	return h && !pl_strcasecmp(&h->val, "false");
}


static void accepted(struct sip_sub *sub, const struct sip_result *res,
		     const struct sip_msg *msg)
{
	uint32_t s;
	int err;

	sub->retries = 0;

	if (sub->refer && no_subscription(msg)) {
		sub_finish(sub, NULL);
		return;
	}

	err = take_dialog(sub, msg);
	if (err) {
		struct sip_result bad = *res;

		bad.cause = SIP_CAUSE_PROTOCOL;
		bad.err = err;
		sub_lost(sub, &bad, true, false);
		return;
	}

	if (sub->refer) {
		if (!sub->granted_s)
			sub->granted_s = REFER_LIFE_S;
	}
	else {
		sub->granted_s = !header_u32(msg, "Expires", EXPIRES_MAX_S,
					     &s) ? s : sub->expires_s;
	}

	if (sub->leaving || !sub->notified || !sub->granted_s) {
		/* Timer N */
		sub_wait(sub, 64ULL * stack_t1(sub->stack), silent_h);
		return;
	}

	sub_refresh_plan(sub);
	sub_state_set(sub, sub->state == SIP_SUB_PENDING ? SIP_SUB_PENDING :
		  SIP_SUB_ACTIVE, NULL);
}


/* Responses after which trying again is of no use (RFC 6665 4.1.2.2; the
 * list of RFC 5057 5.1 and what tells that we are not wanted) */
static bool hopeless(uint16_t code)
{
	static const uint16_t v[] = {
		400, 401, 403, 404, 405, 407, 410, 413, 414, 415, 416, 420,
		421, 484, 485, 488, 489, 493, 494, 501, 505, 600, 603, 604,
		606,
	};
	size_t i;

	for (i = 0; i < COUNTOF(v); i++) {
		if (code == v[i])
			return true;
	}

	return false;
}


static void refused(struct sip_sub *sub, const struct sip_result *res,
		    const struct sip_msg *msg)
{
	const bool inside = sub->use.dlg && !sub->refer;
	uint32_t s;

	if (res->code == 423 && sub->retries < EVENT_RETRIES_MAX &&
	    !header_u32(msg, "Min-Expires", EXPIRES_MAX_S, &s) &&
	    s > sub->expires_s && !sub->leaving) {
		++sub->retries;
		sub->expires_s = s;
		sub_subscribe(sub);
		return;
	}

	/* the notifier has forgotten us: a new one */
	if (inside && (res->code == 481 || res->code == 408)) {
		sub_lost(sub, res, true, true);
		return;
	}

	/* it is still good until it runs out (RFC 6665 4.1.2.2) */
	if (inside && !sub->leaving && !hopeless(res->code) &&
	    sub->granted_s && sub->state == SIP_SUB_ACTIVE &&
	    ++sub->retries <= EVENT_RETRIES_MAX) {
		uint64_t ms = 1000ULL * (res->retry_after_s ?
					 res->retry_after_s : 4);
		sub_wait(sub, ms, refresh_h);
		return;
	}

	sub_lost(sub, res, res->cause != SIP_CAUSE_AUTH && !hopeless(res->code),
	     false);
}


static void resp_h(bool final, const struct sip_result *res,
		   const struct sip_msg *msg, void *arg)
{
	struct sip_sub *sub = arg;

	if (!final)
		return;

	sub->req = mem_deref(sub->req);

	if (msg && msg->scode >= 200 && msg->scode < 300)
		accepted(sub, res, msg);
	else
		refused(sub, res, msg);
}


static int request_out(struct sip_sub *sub)
{
	struct dialog *d = sub_dialog(sub);
	struct request_conf conf = {
		.method    = sub->refer ? "REFER" : "SUBSCRIBE",
		.ctype     = sub->ctype,
		.transport = sub->use.dlg ? NULL : ident_transport(sub->ident),
	};
	struct target_list tl;
	struct sip_result res;
	struct mbuf *mb = NULL;
	char *uri = NULL, *hop = NULL;
	int err;

	err = dialog_uris(d, &uri, &hop);
	if (err)
		goto out;

	if (sub->body) {
		mb = mbuf_alloc(strlen(sub->body) + 1);
		err = mb ? mbuf_write_str(mb, sub->body) : ENOMEM;
		if (err)
			goto out;
		mb->pos = 0;
	}

	conf.uri = uri;
	conf.hop = hop;
	conf.domain = dialog_domain(d, hop);
	conf.digest = d->digest;
	conf.tls = ident_tls(d->ident);
	conf.body = mb;
	if (sub->use.dlg && !dialog_targets(d, hop, &tl, &res))
		conf.targets = &tl;

	err = request_send(&sub->req, sub->stack, &conf, head_h, resp_h, sub);

 out:
	mem_deref(uri);
	mem_deref(hop);
	mem_deref(mb);

	return err;
}


void sub_subscribe(struct sip_sub *sub)
{
	struct sip_result res = {.cause = SIP_CAUSE_LOCAL};

	timer_cancel(&sub->tmr);
	res.err = sub->stack ? request_out(sub) : ESHUTDOWN;
	if (!res.err)
		return;

	(void)snprintf(res.reason, sizeof(res.reason), "%s",
		       strerror(res.err));
	sub_lost(sub, &res, res.err == ENOMEM, false);
}


static void refresh_h(void *arg)
{
	struct sip_sub *sub = arg;

	/* a transfer's time is up: nobody knows what became of it */
	if (sub->refer) {
		struct sip_result res = {.cause = SIP_CAUSE_TIMEOUT,
					 .err   = ETIMEDOUT};

		(void)snprintf(res.reason, sizeof(res.reason),
			       "no final notification came");
		sub_finish(sub, &res);
		return;
	}

	if (!sub->req)
		sub_subscribe(sub);
}


void sub_begin(struct sip_sub *sub)
{
	struct sip_result res = {.cause = SIP_CAUSE_LOCAL};
	int err;

	sub->begun_ms = clock_ms();
	sub->notified = false;
	sub->granted_s = 0;
	sub->retries = 0;
	*sub->reason = '\0';

	err = sub->stack && !sub->stack->closing ?
		ident_dialog(&sub->tmpl, sub->stack, sub->ident, sub->uri) :
		ESHUTDOWN;
	if (err) {
		res.err = err;
		(void)snprintf(res.reason, sizeof(res.reason), "%s",
			       strerror(err));
		sub_finish(sub, &res);
		return;
	}

	sub->tmpl->request_h = sub_template_request_h;
	sub->tmpl->arg = sub;

	sub_state_set(sub, SIP_SUB_TRYING, NULL);
	sub_subscribe(sub);
}


/* Functions of sip_event.h ------------------------------------------------- */

static void sub_destructor(void *arg)
{
	struct sip_sub *sub = arg;

	timer_cancel(&sub->tmr_turn);
	let_go(sub);
	list_unlink(&sub->le);

	mem_deref(sub->ident);
	mem_deref(sub->uri);
	mem_deref(sub->event);
	mem_deref(sub->accept);
	mem_deref(sub->headers);
	mem_deref(sub->ctype);
	mem_deref(sub->body);
}


int sub_dup(char **dst, const char *src)
{
	return src ? str_dup(dst, src) : 0;
}


int sub_new(struct sip_sub **sp, struct sip_stack *s,
		   const struct sip_sub_h *h, void *arg)
{
	struct sip_sub *sub = mem_zalloc(sizeof(*sub), sub_destructor);

	if (!sub)
		return ENOMEM;

	sub->stack = s;
	sub->h = *h;
	sub->arg = arg;
	list_append(&s->subs, &sub->le, sub);

	*sp = sub;

	return 0;
}


int sip_sub_alloc(struct sip_sub **sp, struct sip_stack *s,
		  const struct sip_sub_conf *conf,
		  const struct sip_sub_h *h, void *arg)
{
	struct event_type ev;
	struct sip_sub *sub;
	struct suri u;
	struct pl pl;
	int err;

	if (!sp || !s || !conf || !conf->ident || !conf->uri ||
	    !conf->event || !h)
		return EINVAL;

	pl_set_str(&pl, conf->event);
	if (suri_parse_str(&u, conf->uri) || !event_parse_text(&ev, &pl) ||
	    !header_text_ok(conf->event) ||
	    (conf->accept && !header_text_ok(conf->accept)) ||
	    (conf->ctype && !header_text_ok(conf->ctype)) ||
	    (conf->body && !conf->ctype) ||
	    (conf->headers && !header_lines_ok(conf->headers)) ||
	    conf->expires_s > EXPIRES_MAX_S)
		return EINVAL;
	if (s->closing)
		return ESHUTDOWN;

	err = sub_new(&sub, s, h, arg);
	if (err)
		return err;

	sub->ident = mem_ref(conf->ident);
	sub->expires_s = conf->expires_s;
	sub->persist = conf->persist;
	err = sub_dup(&sub->uri, conf->uri);
	if (!err)
		err = sub_dup(&sub->event, conf->event);
	if (!err)
		err = sub_dup(&sub->accept, conf->accept);
	if (!err)
		err = sub_dup(&sub->headers, conf->headers);
	if (!err)
		err = sub_dup(&sub->ctype, conf->ctype);
	if (!err)
		err = sub_dup(&sub->body, conf->body);
	if (err) {
		mem_deref(sub);
		return err;
	}

	sub_begin(sub);
	*sp = sub;

	return 0;
}


int sip_sub_refresh(struct sip_sub *sub)
{
	if (!sub)
		return EINVAL;
	if (sub->refer || sub->leaving || sub->state == SIP_SUB_ENDED)
		return ENOTCONN;
	if (sub->req)
		return 0;

	if (sub->state == SIP_SUB_WAITING)
		sub_begin(sub);
	else
		sub_subscribe(sub);

	return 0;
}


void sip_sub_end(struct sip_sub *sub)
{
	if (!sub || sub->state == SIP_SUB_ENDED)
		return;

	sub->leaving = true;

	/* nothing that they know of */
	if (sub->refer || !sub->use.dlg || !sub->stack) {
		sub_finish(sub, NULL);
		return;
	}

	/* one under way is let go: its answer does not matter any more */
	sub->req = mem_deref(sub->req);
	sub_subscribe(sub);
}


void sub_stack_gone(struct sip_stack *s)
{
	struct sip_sub *sub;

	while ((sub = list_ledata(list_head(&s->subs)))) {
		let_go(sub);
		timer_cancel(&sub->tmr_turn);
		list_unlink(&sub->le);
		sub->state = SIP_SUB_ENDED;
		sub->stack = NULL;
	}
}
