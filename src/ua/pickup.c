/**
 * @file pickup.c  A call at somebody else's phone is taken here, or joined
 *
 * The phone is asked once which calls it has (dialog-info, RFC 4235); the one
 * that rings is taken from its caller with an INVITE that replaces the early
 * dialog (RFC 3891), as RFC 5359 2.16 does it; one that is parked there in the
 * same way (2.15); one that is joined by asking the phone (RFC 3911).  What
 * the phone says of the caller is all we have to go by, so it must name the
 * whole dialog.  A phone that is watched need not be asked: it has told.  Main
 * thread.
 */
#include <stdio.h>
#include "priv.h"
#include "offhook/sip_event.h"
#include "body.h"
#include "reach.h"
#include "watch.h"

enum { WAIT_MS = 10000 };            /* for a NOTIFY after a 2xx             */

struct ua_pickup {
	struct ua *ua;
	char *account;               /* NULL: by rule                        */
	char *uri;                   /* of the phone                         */
	enum ua_pickup_kind kind;
	struct reach *reach;
	struct sip_sub *sub;
	struct timer tmr;
	bool done;
	unsigned call;
	int err;
	char text[UA_ERR];
	ua_pickup_h *h;
	void *arg;
};


static void pickup_destructor(void *arg)
{
	struct ua_pickup *p = arg;

	timer_cancel(&p->tmr);
	mem_deref(p->reach);
	mem_deref(p->sub);
	mem_deref(p->account);
	mem_deref(p->uri);
}


/* On a turn of its own: we may be inside a handler of the subscription */
static void told_h(void *arg)
{
	struct ua_pickup *p = arg;

	p->h(p->call, p->err, p->text, p->arg);
}


static void finish(struct ua_pickup *p, unsigned call, int err)
{
	if (p->done)
		return;

	p->done = true;
	p->call = call;
	p->err = err;
	timer_start(&p->tmr, 0, told_h, p);
}


static bool meant(const struct ua_pickup *p, const struct dialog_entry *e)
{
	if (p->kind != UA_PICKUP_RINGING)
		return !strcmp(e->state, "confirmed");

	return !e->initiator && (!strcmp(e->state, "early") ||
				 !strcmp(e->state, "proceeding") ||
				 !strcmp(e->state, "trying"));
}


/* The caller's phone has the dialog the other way round; who joins asks the
 * phone itself */
static int value_make(char *buf, size_t sz, const struct ua_pickup *p,
		      const struct dialog_entry *e)
{
	const bool join = p->kind == UA_PICKUP_JOIN;
	int n;

	if (!e->callid[0] || !e->local_tag[0] || !e->remote_tag[0] ||
	    strpbrk(e->callid, " \t;,\r\n") ||
	    strpbrk(e->local_tag, " \t;,\r\n") ||
	    strpbrk(e->remote_tag, " \t;,\r\n"))
		return EBADMSG;

	n = snprintf(buf, sz, "%s;to-tag=%s;from-tag=%s%s", e->callid,
		     join ? e->local_tag : e->remote_tag,
		     join ? e->remote_tag : e->local_tag,
		     p->kind == UA_PICKUP_RINGING ? ";early-only" : "");

	return n < 0 || (size_t)n >= sz ? EOVERFLOW : 0;
}


static void take(struct ua_pickup *p, const struct dialog_entry *e)
{
	const bool join = p->kind == UA_PICKUP_JOIN;
	char value[600];
	const struct ua_dial prm = {
		.target   = join ? p->uri : e->remote_target[0] ?
			e->remote_target : e->remote_uri,
		.account  = p->account,
		.replaces = join ? NULL : value,
		.join     = join ? value : NULL,
	};
	unsigned id = 0;
	int err;

	if (!prm.target[0] || value_make(value, sizeof(value), p, e)) {
		finish(p, 0, call_error(p->text, EBADMSG, "There is a call,"
					" but the phone does not say which."));
		return;
	}

	err = ua_dial(&id, p->ua, &prm, p->text);
	finish(p, id, err);
}


/* @return NULL: there is none such */
static const struct dialog_entry *find(const struct ua_pickup *p,
				       const struct dialog_info *d)
{
	for (unsigned i = 0; d && i < d->count; i++) {
		if (meant(p, &d->v[i]))
			return &d->v[i];
	}

	return NULL;
}


static int notify_h(const struct sip_info *in, const char *ctype,
		    const char *body, size_t len, void *arg)
{
	struct ua_pickup *p = arg;
	const struct dialog_entry *e;
	struct dialog_info *d;
	(void)in;

	if (strncasecmp(ctype, "application/dialog-info+xml", 27))
		return ctype[0] ? 415 : 200;
	if (dialog_info_parse(&d, body, len))
		return 400;

	e = find(p, d);
	if (p->done)
		;
	else if (e)
		take(p, e);
	else
		finish(p, 0, call_error(p->text, ENOENT, "No call %s there.",
					p->kind == UA_PICKUP_RINGING ?
					"rings" : "is answered"));
	mem_deref(d);

	return 200;
}


static void late_h(void *arg)
{
	struct ua_pickup *p = arg;

	finish(p, 0, call_error(p->text, ETIMEDOUT, "The phone does not say"
				" which calls it has."));
}


static void state_h(const struct sip_sub_status *st, void *arg)
{
	struct ua_pickup *p = arg;

	if (p->done || st->state != SIP_SUB_ENDED)
		return;

	if (st->res.cause != SIP_CAUSE_NONE || st->res.code >= 300)
		finish(p, 0, call_error(p->text, ECONNREFUSED, "The phone"
					" does not tell its calls: %u %s",
					st->res.code, st->res.reason));
	else
		late_h(p);
}


static const struct sip_sub_h handlers = { state_h, notify_h };


static void reach_handler(const struct sip_result *err, const char *uri,
			  struct sip_ident *ident, void *arg)
{
	struct ua_pickup *p = arg;
	const struct sip_sub_conf conf = {
		.ident = ident, .uri = uri, .event = "dialog",
		.accept = "application/dialog-info+xml",
	};
	const struct dialog_entry *known;
	int e;

	if (err) {
		finish(p, 0, call_error(p->text, EHOSTUNREACH, "The phone"
					" cannot be reached: %s.",
					err->reason));
		return;
	}

	known = find(p, watch_dialogs(p->ua, uri));
	if (known && known->callid[0] && known->local_tag[0] &&
	    known->remote_tag[0]) {
		take(p, known);
		return;
	}

	e = sip_sub_alloc(&p->sub, p->ua->sip, &conf, &handlers, p);
	if (e)
		finish(p, 0, call_error(p->text, e, "%s.", strerror(e)));
	else
		timer_start(&p->tmr, WAIT_MS +
			    (uint64_t)p->ua->config->sip_timeout_ms, late_h,
			    p);
}


int ua_pickup(struct ua_pickup **pp, struct ua *ua, const char *target,
	      const char *account, enum ua_pickup_kind kind, ua_pickup_h *h,
	      void *arg, char *err)
{
	struct ua_pickup *p;
	int e;

	if (!pp || !ua || !target || !h || !err)
		return EINVAL;
	err[0] = '\0';

	p = mem_zalloc(sizeof(*p), pickup_destructor);
	if (!p)
		return call_error(err, ENOMEM, "Out of memory.");

	p->ua = ua;
	p->kind = kind;
	p->h = h;
	p->arg = arg;

	e = account && account[0] ? str_dup(&p->account, account) : 0;
	if (e)
		call_error(err, e, "Out of memory.");
	if (!e)
		e = reach_find(&p->reach, ua, target, account, reach_handler,
			       p, err);
	if (!e)
		e = str_dup(&p->uri, reach_uri(p->reach));
	if (e)
		mem_deref(p);
	else
		*pp = p;

	return e;
}
