/**
 * @file sip/notifier.c  They subscribe, or they refer (RFC 6665 4.2, 3515)
 *
 * Main thread.  One NOTIFY is under way at a time; what should be told
 * meanwhile replaces what waits, because only the newest state counts.  When
 * a NOTIFY fails the subscription is over: the peer has gone, or has
 * forgotten it.
 */
#include "event.h"
#include "ident.h"


enum { FETCH_LIFE_S = 32 };        /* for its only NOTIFY to be sent      */

struct notice {
	char *ctype, *body;
	bool pending;
	bool last;
	char reason[32];
};

struct sip_notifier {
	struct le le;               /* stack->notifiers                    */
	struct sip_stack *stack;    /* NULL: it is gone                    */
	struct sip_ident *ident;
	struct sip_notifier_h h;
	void *arg;
	char *peer;
	uint32_t min_s, max_s, default_s;
	struct usage use;
	bool refer;
	bool fetch;                 /* they want the state once            */

	struct request *req;
	struct notice out;          /* what req tells                      */
	struct notice next;         /* what waits                          */
	bool waits;

	uint64_t until_ms;
	struct timer tmr;           /* it runs out                         */
	struct timer tmr_turn;      /* closed_h, refresh_h                 */
	struct sip_result res;
	bool refresh;               /* to be asked for on the next turn    */
	bool closed;
};

static void send_next(struct sip_notifier *n);


static void notice_clear(struct notice *nt)
{
	nt->ctype = mem_deref(nt->ctype);
	nt->body = mem_deref(nt->body);
	memset(nt, 0, sizeof(*nt));
}


static void turn_h(void *arg)
{
	struct sip_notifier *n = arg;

	if (n->closed) {
		if (n->h.closed_h)
			n->h.closed_h(&n->res, n->arg);
	}
	else if (n->refresh) {
		n->refresh = false;
		if (n->h.refresh_h)
			n->h.refresh_h(n->arg);
	}
}


static void let_go(struct sip_notifier *n)
{
	timer_cancel(&n->tmr);
	n->req = mem_deref(n->req);
	usage_end(&n->use);
	notice_clear(&n->out);
	notice_clear(&n->next);
	n->waits = false;
}


static void finish(struct sip_notifier *n, const struct sip_result *res)
{
	if (n->closed)
		return;

	let_go(n);
	list_unlink(&n->le);
	n->closed = true;
	if (res)
		n->res = *res;
	timer_start(&n->tmr_turn, 0, turn_h, n);
}


static void expired_h(void *arg)
{
	sip_notifier_end(arg, "timeout", NULL, NULL);
}


static void life_set(struct sip_notifier *n, uint32_t expires_s)
{
	n->until_ms = clock_ms() + 1000ULL * expires_s;
	timer_start(&n->tmr, 1000ULL * expires_s, expired_h, n);
}


/* NOTIFY ------------------------------------------------------------------- */

static int head_h(struct mbuf *mb, const struct target *tg, void *arg)
{
	struct sip_notifier *n = arg;
	struct dialog *d = n->use.dlg;
	const uint64_t now = clock_ms();
	int err;

	if (!d || !d->stack)
		return ENOTCONN;

	err = dialog_head(d, mb, tg, "NOTIFY", ++d->lseq, true);
	if (err)
		return err;

	err = mbuf_printf(mb, "Event: %s%s%s\r\n", n->use.package,
			  *n->use.id ? ";id=" : "", n->use.id);
	if (err)
		return err;

	if (n->out.last)
		return mbuf_printf(mb, "Subscription-State: terminated"
				   "%s%s\r\n", *n->out.reason ?
				   ";reason=" : "", n->out.reason);

	return mbuf_printf(mb, "Subscription-State: %s;expires=%u\r\n",
			   n->out.pending ? "pending" : "active",
			   n->until_ms > now ?
			   (uint32_t)((n->until_ms - now + 999) / 1000) : 0);
}


static void resp_h(bool final, const struct sip_result *res,
		   const struct sip_msg *msg, void *arg)
{
	struct sip_notifier *n = arg;
	const bool last = n->out.last;

	if (!final)
		return;

	n->req = mem_deref(n->req);
	notice_clear(&n->out);

	if (last) {
		finish(n, NULL);
	}
	else if (!msg || msg->scode >= 300) {
		finish(n, res);
	}
	else {
		dialog_refresh(n->use.dlg, msg);
		send_next(n);
	}
}


static int request_out(struct sip_notifier *n)
{
	struct dialog *d = n->use.dlg;
	struct request_conf conf = {
		.method = "NOTIFY",
		.ctype  = n->out.ctype,
		.digest = d->digest,
		.tls    = ident_tls(d->ident),
	};
	struct target_list tl;
	struct sip_result res;
	char *uri = NULL, *hop = NULL;
	int err;

	err = dialog_uris(d, &uri, &hop);
	if (err)
		goto out;

	if (n->out.body) {
		conf.body = mbuf_alloc(strlen(n->out.body) + 1);
		err = conf.body ? mbuf_write_str(conf.body, n->out.body) :
			ENOMEM;
		if (err)
			goto out;
		conf.body->pos = 0;
	}

	conf.uri = uri;
	conf.hop = hop;
	conf.domain = dialog_domain(d, hop);
	if (!dialog_targets(d, hop, &tl, &res))
		conf.targets = &tl;

	err = request_send(&n->req, n->stack, &conf, head_h, resp_h, n);

 out:
	mem_deref(uri);
	mem_deref(hop);
	mem_deref(conf.body);

	return err;
}


static void send_next(struct sip_notifier *n)
{
	struct sip_result res = {.cause = SIP_CAUSE_LOCAL};

	if (!n->waits || n->req || n->closed)
		return;

	n->out = n->next;
	memset(&n->next, 0, sizeof(n->next));
	n->waits = false;

	res.err = n->stack ? request_out(n) : ESHUTDOWN;
	if (!res.err)
		return;

	(void)snprintf(res.reason, sizeof(res.reason), "%s",
		       strerror(res.err));
	finish(n, &res);
}


static int tell(struct sip_notifier *n, bool pending, bool last,
		const char *reason, const char *ctype, const char *body)
{
	struct notice nt = {.pending = pending, .last = last};
	int err = 0;

	if (!n || (body && !ctype) || (ctype && !header_text_ok(ctype)))
		return EINVAL;
	if (n->closed || (n->waits && n->next.last) || n->out.last)
		return ENOTCONN;

	if (reason && (!header_text_ok(reason) || strpbrk(reason, ";, \"") ||
		       strlen(reason) >= sizeof(nt.reason)))
		return EINVAL;
	if (reason)
		strcpy(nt.reason, reason);
	if (ctype && body)
		err = str_dup(&nt.ctype, ctype);
	if (!err && body)
		err = str_dup(&nt.body, body);
	if (err) {
		notice_clear(&nt);
		return err;
	}

	/* the last word carries the newest state that was not told yet */
	if (last && !body && n->waits && n->next.body) {
		nt.ctype = mem_ref(n->next.ctype);
		nt.body = mem_ref(n->next.body);
	}

	notice_clear(&n->next);
	n->next = nt;
	n->waits = true;
	send_next(n);

	return 0;
}


int sip_notifier_send(struct sip_notifier *n, bool pending,
		      const char *ctype, const char *body)
{
	if (!n)
		return EINVAL;

	return tell(n, pending, n->fetch, n->fetch ? "timeout" : NULL, ctype,
		    body);
}


void sip_notifier_end(struct sip_notifier *n, const char *reason,
		      const char *ctype, const char *body)
{
	struct sip_result res = {.cause = SIP_CAUSE_LOCAL};

	if (!n || n->closed)
		return;

	timer_cancel(&n->tmr);
	res.err = tell(n, false, true, reason, ctype, body);
	if (res.err && res.err != ENOTCONN)
		finish(n, &res);
}


const char *sip_notifier_peer(const struct sip_notifier *n)
{
	return n ? n->peer : "";
}


/* SUBSCRIBE ---------------------------------------------------------------- */

/* What they ask for, within our bounds. @return 0, EBADMSG, ERANGE: 423 */
static int expires_read(uint32_t *sp, const struct sip_notifier *n,
			const struct sip_msg *msg)
{
	uint32_t s = n->default_s;
	int err;

	err = header_u32(msg, "Expires", UINT32_MAX, &s);
	if (err && err != ENOENT)
		return EBADMSG;
	if (s && s < n->min_s && s < 3600)
		return ERANGE;

	*sp = s > n->max_s ? n->max_s : s;

	return 0;
}


static int refuse(struct sip_rx *rx, const struct sip_notifier *n, int err)
{
	char line[48];

	if (err == ERANGE) {
		(void)snprintf(line, sizeof(line), "Min-Expires: %u\r\n",
			       n->min_s);
		(void)sip_rx_reply(rx, 423, NULL, line, NULL, NULL);
	}
	else {
		(void)sip_rx_reply(rx, err == ENOMEM ? 500 : 400, NULL, NULL,
				   NULL, NULL);
	}

	return err;
}


/* 2xx with our Contact and, to a SUBSCRIBE, the time it is good for */
static int accept_reply(struct sip_notifier *n, struct sip_rx *rx,
			uint16_t code, uint32_t expires_s)
{
	struct mbuf *mb = mbuf_alloc(256);
	char *lines = NULL;
	int err;

	if (!mb)
		return ENOMEM;

	err = dialog_contact(n->use.dlg, mb, rx_leg(rx), rx_msg(rx)->tp);
	if (!err && !n->refer)
		err = mbuf_printf(mb, "Expires: %u\r\n", expires_s);
	if (!err) {
		mb->pos = 0;
		err = mbuf_strdup(mb, &lines, mb->end);
	}
	if (!err)
		err = sip_rx_reply(rx, code, NULL, lines, NULL, NULL);

	mem_deref(lines);
	mem_deref(mb);

	return err;
}


/* In the dialog: a refresh, or the end */
static int subscribe_h(struct sip_rx *rx, const struct sip_info *in,
		       void *arg)
{
	struct sip_notifier *n = arg;
	uint32_t s;
	int err;
	(void)in;

	err = expires_read(&s, n, rx_msg(rx));
	if (err) {
		(void)refuse(rx, n, err);
		return 0;
	}

	err = accept_reply(n, rx, 200, s);
	if (err)
		return 500;

	if (s) {
		life_set(n, s);
		n->refresh = true;
		timer_start(&n->tmr_turn, 0, turn_h, n);
	}
	else {
		sip_notifier_end(n, "timeout", NULL, NULL);
	}

	return 0;
}


static void notifier_destructor(void *arg)
{
	struct sip_notifier *n = arg;

	timer_cancel(&n->tmr_turn);
	let_go(n);
	list_unlink(&n->le);
	mem_deref(n->ident);
	mem_deref(n->peer);
}


/* REFER: its subscription has no Event of its own; in the dialog of a call
 * the second and later ones are told apart by their CSeq */
static void refer_event(struct event_type *ev, char *id, size_t sz,
			const struct dialog *d, const struct sip_msg *msg)
{
	struct le *le;

	memset(ev, 0, sizeof(*ev));
	pl_set_str(&ev->package, "refer");

	for (le = list_head(&d->usages); le; le = le->next) {
		const struct usage *u = le->data;

		if (!strcmp(u->package, "refer")) {
			(void)snprintf(id, sz, "%u", msg->cseq.num);
			pl_set_str(&ev->id, id);
			return;
		}
	}
}


static int dialog_take(struct dialog **dp, struct sip_notifier *n,
		       struct sip_rx *rx)
{
	const struct sip_msg *msg = rx_msg(rx);
	struct dialog *d = dialog_find(n->stack, msg);
	int err;

	if (d) {
		*dp = mem_ref(d);
		return 0;
	}

	err = dialog_alloc_uas(dp, rx_leg(rx), msg);
	if (!err)
		ident_apply(n->ident, *dp);

	return err;
}


int sip_notifier_accept(struct sip_notifier **np, struct sip_rx *rx,
			const struct sip_notifier_conf *conf,
			const struct sip_notifier_h *h, void *arg)
{
	const struct sip_msg *msg = rx ? rx_msg(rx) : NULL;
	struct sip_notifier *n;
	struct dialog *d = NULL;
	struct event_type ev;
	char id[16];
	uint32_t s;
	int err;

	if (!np || !rx || !conf || !h || sip_rx_answered(rx) || !rx_leg(rx))
		return EINVAL;

	n = mem_zalloc(sizeof(*n), notifier_destructor);
	if (!n)
		return ENOMEM;

	n->stack = rx_leg(rx)->stack;
	n->ident = mem_ref(conf->ident);
	n->h = *h;
	n->arg = arg;
	n->refer = !pl_strcmp(&msg->met, "REFER");
	n->min_s = conf->min_s ? conf->min_s : 60;
	n->max_s = conf->max_s ? conf->max_s : 3600;
	n->default_s = conf->expires_s ? conf->expires_s : 3600;
	list_append(&n->stack->notifiers, &n->le, n);

	err = str_dup(&n->peer, sip_rx_info(rx)->from_uri);
	if (!err)
		err = expires_read(&s, n, msg);
	if (!err)
		err = dialog_take(&d, n, rx);
	if (!err) {
		if (n->refer)
			refer_event(&ev, id, sizeof(id), d, msg);
		else if (!event_parse(&ev, msg))
			err = EBADMSG;
	}
	if (!err)
		err = usage_begin(&n->use, d, "SUBSCRIBE", &ev, subscribe_h,
				  n);
	if (err) {
		(void)refuse(rx, n, err);
		goto out;
	}

	err = accept_reply(n, rx, conf->code ? conf->code :
			   n->refer ? 202 : 200, s);
	if (err)
		goto out;

	n->fetch = !s;
	life_set(n, s ? s : FETCH_LIFE_S);

 out:
	mem_deref(d);
	if (err)
		mem_deref(n);
	else
		*np = n;

	return err;
}


void notifier_stack_gone(struct sip_stack *s)
{
	struct sip_notifier *n;

	while ((n = list_ledata(list_head(&s->notifiers)))) {
		let_go(n);
		timer_cancel(&n->tmr_turn);
		list_unlink(&n->le);
		n->closed = true;
		n->stack = NULL;
	}
}
