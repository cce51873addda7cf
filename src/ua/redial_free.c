/**
 * @file redial_free.c  Whom we have found busy is watched until he is free
 *
 * His phone is asked which dialogs it has (RFC 4235), and tells when the last
 * of them is over: then the call is made again (RFC 5359 2.17).  A phone that
 * does not tell is called again after a time, as any other.  Main thread.
 */
#include "priv.h"
#include "offhook/sip_event.h"
#include "body.h"
#include "reach.h"
#include "redial.h"

enum {
	EXPIRES_S = 3600,
	VIGIL_MS  = 3600000,        /* then it is tried all the same         */
	LAST_MS   = 2000,           /* for the phone to hear that it is over */
};

struct vigil {
	struct call *call;
	struct reach *reach;
	struct sip_sub *sub;
	struct dialog_info *known;
	struct timer tmr;
	uint64_t began_ms;
	uint64_t due_ms;            /* when it is over: call then            */
	bool talked;                /* he has had a call since               */
	bool over;
};


static void vigil_destructor(void *arg)
{
	struct vigil *v = arg;

	timer_cancel(&v->tmr);
	mem_deref(v->reach);
	mem_deref(v->sub);
	mem_deref(v->known);
}


static void end_h(void *arg)
{
	struct vigil *v = arg;
	struct call *c = v->call;

	c->redial.vigil = mem_deref(v);
	redial_now(c);
}


static uint64_t left_ms(const struct vigil *v)
{
	const uint64_t now = clock_ms();

	return v->due_ms > now ? v->due_ms - now : 0;
}


/* The subscription is ended first */
static void leave_h(void *arg)
{
	struct vigil *v = arg;
	uint64_t ms = left_ms(v);

	if (v->sub && ms < LAST_MS)
		ms = LAST_MS;

	timer_start(&v->tmr, ms, end_h, v);
	sip_sub_end(v->sub);
}


/* On a turn of its own: we may be inside a handler of the subscription */
static void over(struct vigil *v, uint64_t ms)
{
	if (v->over)
		return;

	v->over = true;
	v->due_ms = clock_ms() + ms;
	timer_start(&v->tmr, 0, leave_h, v);
}


/*
 * Who is free as soon as he is asked, and yet was busy, may refuse everybody:
 * he is not called without a pause.
 */
static void pause_then(struct vigil *v)
{
	const uint64_t took = clock_ms() - v->began_ms;
	const uint64_t least = v->call->redial.after_ms;

	over(v, v->talked || took >= least ? 0 : least - took);
}


static bool has_calls(const struct dialog_info *d)
{
	for (unsigned i = 0; i < d->count; i++) {
		if (strcmp(d->v[i].state, "terminated"))
			return true;
	}

	return false;
}


static int notify_h(const struct sip_info *in, const char *ctype,
		    const char *body, size_t len, void *arg)
{
	struct vigil *v = arg;
	struct dialog_info *news;
	int err;
	(void)in;

	if (strncasecmp(ctype, "application/dialog-info+xml", 27))
		return ctype[0] ? 415 : 200;
	if (dialog_info_parse(&news, body, len))
		return 400;

	if (!v->known)
		v->known = mem_zalloc(sizeof(*v->known), NULL);
	err = v->known ? dialog_info_merge(v->known, news) : ENOMEM;
	mem_deref(news);

	if (err == ENOENT && v->sub && !v->over)
		(void)sip_sub_refresh(v->sub);
	else if (!err && has_calls(v->known))
		v->talked = true;
	else if (!err)
		pause_then(v);

	return 200;
}


static void state_h(const struct sip_sub_status *st, void *arg)
{
	struct vigil *v = arg;

	if (st->state != SIP_SUB_ENDED)
		return;

	v->sub = mem_deref(v->sub);
	if (v->over) {
		timer_start(&v->tmr, left_ms(v), end_h, v);
		return;
	}

	log_info("call %u: the phone does not tell when it is free: %u %s",
		 v->call->id, st->res.code, st->res.reason);
	pause_then(v);
}


static const struct sip_sub_h handlers = { state_h, notify_h };


static void late_h(void *arg)
{
	over(arg, 0);
}


static void reach_handler(const struct sip_result *err, const char *uri,
			  struct sip_ident *ident, void *arg)
{
	struct vigil *v = arg;
	const struct sip_sub_conf conf = {
		.ident = ident, .uri = uri, .event = "dialog",
		.accept = "application/dialog-info+xml",
		.expires_s = EXPIRES_S,
	};

	if (err || sip_sub_alloc(&v->sub, v->call->ua->sip, &conf, &handlers,
				 v))
		pause_then(v);
	else
		timer_start(&v->tmr, VIGIL_MS, late_h, v);
}


int redial_vigil(struct call *c)
{
	struct vigil *v = mem_zalloc(sizeof(*v), vigil_destructor);
	char why[UA_ERR];
	int err;

	if (!v)
		return ENOMEM;

	v->call = c;
	v->began_ms = clock_ms();
	err = reach_find(&v->reach, c->ua, c->peer, c->acc ?
			 c->acc->conf.name : NULL, reach_handler, v, why);
	if (err)
		mem_deref(v);
	else
		c->redial.vigil = v;

	return err;
}
