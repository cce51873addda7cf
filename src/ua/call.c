/**
 * @file call.c  The life of a call
 *
 * Made by ua_dial or by an INVITE, known by its number until its end has been
 * told, and freed soon after.  The call owns its SIP session and its stream.
 * Out: find the local address, open the stream, offer, INVITE.  A numeric
 * address needs no looking for and goes out at once.  Main thread.
 */
#include <stdarg.h>
#include <stdio.h>
#include <offhook/random.h>
#include "priv.h"
#include "vq.h"
#include "caller.h"
#include "sdp_own.h"


enum { OVER_MS = 50 };           /* until those that ended are freed      */


int call_error(char *buf, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(buf, UA_ERR, fmt, ap);
	va_end(ap);

	return err;
}


static void call_destructor(void *data)
{
	struct call *c = data;

	timer_cancel(&c->tmr_ring);
	timer_cancel(&c->tmr_limit);
	timer_cancel(&c->tmr_turn);
	timer_cancel(&c->tmr_probe);

	if (!c->finished && c->id)
		--c->ua->living;

	list_unlink(&c->le);
	hash_unlink(&c->he);
	mem_deref(c->target);
	mem_deref(c->enm);
	mem_deref(c->nat);
	mem_deref(c->probe);
	mem_deref(c->sip);
	if (c->stream)
		stream_close(c->stream);
	nego_reset(&c->nego);
	explicit_bzero(&c->plan.secure, sizeof(c->plan.secure));
	explicit_bzero(&c->next.secure, sizeof(c->next.secure));
	mem_deref(c->acc);
	call_wish_flush(c);
	mem_deref(c->peer);
	mem_deref(c->name);
	mem_deref(c->ring_tone);
	mem_deref(c->called);
	call_invite_drop(c);
	mem_deref(c->headers);
	mem_deref(c->caller);
	mem_deref(c->now);
	mem_deref(c->sdp_own);
	mem_deref(c->sdp_next);
	mem_deref(c->early);
	mem_deref(c->replaces);
	mem_deref(c->redial.on);
	mem_deref(c->redial.vigil);
	mem_deref(c->redirect);
	call_file_drop(c);
	mem_deref(c->play.path);
	mem_deref(c->play_old.path);
	mem_deref(c->record.path);
	mem_deref(c->record_old.path);
	mem_deref(c->vq.ltag);
	mem_deref(c->vq.rtag);
}


void call_nego_begin(struct call *c)
{
	nego_init(&c->nego, random_u32());
	call_nat_init(c);
}


int call_create(struct call **cp, struct ua *ua, bool outgoing,
		struct account *acc, const char *peer, const char *name)
{
	struct call *c;
	int err;

	c = mem_zalloc(sizeof(*c), call_destructor);
	if (!c)
		return ENOMEM;

	c->ua = ua;
	c->outgoing = outgoing;
	c->acc = mem_ref(acc);
	c->source = SOURCE_DEVICE;
	c->room.mic_db = (double)ua->config->mic_gain_db;
	c->room.speaker_db = (double)ua->config->speaker_gain_db;
	call_nego_begin(c);
	err = utf8_dup(&c->peer, peer, UA_URI);
	if (!err && name && name[0])
		err = utf8_dup(&c->name, name, EVENT_TEXT - 1);
	if (err) {
		mem_deref(c);
		return err;
	}

	/* numbers are what the user types: short, never 0 */
	do {
		++ua->next_call;
	} while (!ua->next_call || ua_call(ua, ua->next_call));

	c->id = ua->next_call;
	++ua->living;
	list_append(&ua->calls, &c->le, c);
	hash_append(ua->callh, c->id, &c->he, c);

	*cp = c;

	return 0;
}


bool call_room(const struct ua *ua)
{
	const int64_t max = ua->config->max_calls;

	return !max || ua->living < max;
}


bool call_living(const struct call *c)
{
	return c && !c->finished && !c->ending;
}


static void free_handler(void *arg)
{
	struct ua *ua = arg;

	list_flush(&ua->over);
}


/* A timer for each would cost more than what they hold for a moment */
void calls_over(struct ua *ua)
{
	if (ua->closing || !timer_running(&ua->tmr_over))
		timer_start(&ua->tmr_over, ua->closing ? 0 : OVER_MS,
			    free_handler, ua);
}


/* Nobody finds it any more, but who ends it may still look at it now */
static void over(struct call *c)
{
	list_unlink(&c->le);
	hash_unlink(&c->he);
	list_append(&c->ua->over, &c->le, c);
	calls_over(c->ua);
}


void call_finish(struct call *c, const struct sip_result *res)
{
	if (c->finished || redial_try(c, res))
		return;

	c->finished = true;
	--c->ua->living;
	c->result = *res;
	ending_complete(c, &c->result);
	if (!c->end_ms)
		c->end_ms = clock_ms();

	timer_cancel(&c->tmr_ring);
	timer_cancel(&c->tmr_limit);
	timer_cancel(&c->tmr_probe);
	c->redial.vigil = mem_deref(c->redial.vigil);
	c->target = mem_deref(c->target);
	c->enm = mem_deref(c->enm);
	c->nat = mem_deref(c->nat);
	c->probe = mem_deref(c->probe);

	call_media_close(c);
	conference_end(c);
	record_keep(c);
	vq_end(c);
	(void)call_state_set(c, CALL_ENDED);

	timer_cancel(&c->tmr_turn);
	over(c);
	ua_call_ended(c->ua);
}


static void fail_handler(void *arg)
{
	struct call *c = arg;
	const struct sip_result res = c->result;

	call_finish(c, &res);
}


void call_ending(struct call *c, enum sip_cause cause, uint16_t code,
		 const char *reason)
{
	struct sip_result *res = &c->result;

	memset(res, 0, sizeof(*res));
	res->cause = cause;
	res->code = code;
	UTF8_PUT(res->reason, reason ? reason : "");
	c->ending = true;
	c->end_ms = clock_ms();
	ending_complete(c, res);
}


void call_fail(struct call *c, enum sip_cause cause, int err,
	       const char *reason)
{
	if (c->finished)
		return;

	call_ending(c, cause, 0, reason);
	c->result.err = err;
	timer_start(&c->tmr_turn, 0, fail_handler, c);
}


/* A sound card takes its time to open: it has the time in which it rings */
static void expect_device(struct call *c, const struct ability *ab)
{
	uint32_t rate_hz = 0;

	for (unsigned i = 0; i < ab->codecc; i++) {
		if (ab->codecv[i]->rate_hz > rate_hz)
			rate_hz = ab->codecv[i]->rate_hz;
	}

	if (c->stream)
		stream_expect(c->stream, rate_hz);
}


void call_invite(struct call *c)
{
	struct sip_call_conf conf = { .uri = c->peer };
	struct mbuf *offer = NULL;
	struct ability ab;
	int err;

	err = ua_ident(&conf.ident, c->ua, c->acc, &c->laddr);
	if (err)
		goto out;
	conf.headers = c->headers;
	conf.anonymous = c->anonymous;
	conf.replaces = c->replaces;
	conf.ring_ms = c->ring_ms;
	conf.ext = c->ext;
	conf.redirect = c->redirects;

	call_ability(c, stream_local(c->stream), &ab);
	if (!call_secure_possible(&ab)) {
		call_fail(c, SIP_CAUSE_LOCAL, EPROTONOSUPPORT,
			  "media-security=require needs the option dtls=yes"
			  " or sdes=always");
		mem_deref(conf.ident);
		return;
	}

	if (!c->late) {
		err = call_offer(&offer, c, &ab);
	}
	if (!err && offer && c->sdp_own) {
		offer = mem_deref(offer);
		err = sdp_own_offer(&offer, c->sdp_own, &ab.rtp);
	}
	if (err)
		goto out;

	err = sip_call_connect(&c->sip, c->ua->sip, &conf, offer,
			       &call_sip_handlers, c);
	if (!err)
		expect_device(c, &ab);

 out:
	mem_deref(conf.ident);
	mem_deref(offer);
	if (err)
		call_fail(c, SIP_CAUSE_LOCAL, err,
			  err == EINVAL && c->headers ?
			  "an extra header is malformed" : strerror(err));
}


/* The local address is known: open the stream and send the INVITE */
static void call_connect(struct call *c, const struct sa *laddr)
{
	int err;

	if (call_nat_wanted(c)) {
		call_nat_begin(c, laddr);
		return;
	}

	c->laddr = *laddr;
	err = call_media_open(c, laddr);
	if (err)
		call_fail(c, SIP_CAUSE_LOCAL, err, err == EADDRINUSE ?
			  "no free port in media-ports" : strerror(err));
	else
		call_invite(c);
}


static void target_handler(const struct sip_result *err,
			   const struct sa *laddr, void *arg)
{
	struct call *c = arg;

	c->target = mem_deref(c->target);

	if (c->finished || c->ending)
		return;

	if (err)
		call_finish(c, err);
	else
		call_connect(c, laddr);
}


/*
 * Where to. A numeric next hop gives the local address at once; a name goes
 * through the resolver.
 */
void call_start(struct call *c)
{
	const struct sip_ident *ident = c->acc ? c->acc->ident : NULL;
	const char *hop = sip_ident_hop(ident, c->peer);
	char host[128];
	uint16_t port = 0;
	struct sa dst, laddr;
	int err;

	if (0 == sip_uri_parts(hop, NULL, 0, host, sizeof(host), &port) &&
	    !strstr(hop, "maddr=") &&
	    0 == sa_set_str(&dst, host, port ? port : SIP_PORT)) {

		err = sip_stack_source(c->ua->sip, &dst, &laddr);
		if (err)
			call_fail(c, SIP_CAUSE_TRANSPORT, err, strerror(err));
		else
			call_connect(c, &laddr);
		return;
	}

	err = sip_target_find(&c->target, c->ua->sip, c->peer, ident,
			      target_handler, c);
	if (err)
		call_fail(c, SIP_CAUSE_RESOLVE, err, strerror(err));
}


int ua_dial(unsigned *idp, struct ua *ua, const struct ua_dial *prm,
	    char *err)
{
	const struct account *acc = NULL;
	char uri[UA_URI], number[32];
	struct ua_lookup l;
	const char *text;
	struct call *c;
	int e;

	if (!ua || !prm || !prm->target || !err)
		return EINVAL;

	err[0] = '\0';

	if (ua->closing)
		return call_error(err, ESHUTDOWN, "The phone is closing.");

	text = lookup_text(&l, ua, prm->target);
	e = ua_account_named(&acc, ua, prm->account && *prm->account ?
			     prm->account : l.account, err);
	if (!e)
		e = number_target(uri, sizeof(uri), number, sizeof(number), ua,
				  text, acc, err);
	if (e)
		return e;

	if (!call_room(ua))
		return call_error(err, EUSERS, "There are %u calls already"
				  " (option max-calls).", ua->living);

	if (!prm->no_hold)
		call_hold_others(ua, NULL);

	e = call_create(&c, ua, true, (struct account *)acc, uri, NULL);
	if (e)
		return call_error(err, e, "%s.", strerror(e));

	c->keep_others = prm->no_hold;
	session_ext(&c->ext, ua, acc, prm);
	c->redirects = session_redirects(ua, acc, prm);
	c->late = prm->late_offer;
	c->ring_ms = prm->ring_ms ? prm->ring_ms
				  : (uint32_t)ua->config->ring_timeout_ms;
	e = prm->sdp ? str_dup(&c->sdp_own, prm->sdp) : 0;
	if (!e)
		e = extra_make(c, prm, err);
	if (!e && (prm->codecs || prm->direction)) {
		e = call_wish(c, prm->codecs, prm->direction, err);
		call_wish_settle(c, true);
	}
	if (!e)
		e = redial_set(c, prm, err);
	if (e) {
		/* never told, so its number is free again */
		if (ua->next_call == c->id)
			--ua->next_call;
		mem_deref(c);
		return e;
	}

	if (idp)
		*idp = c->id;
	if (c->sdp_own)
		sdp_own_warn(c->id, c->sdp_own);

	str_ncpy(c->number, number, sizeof(c->number));
	c->begin_ms = clock_ms();
	(void)call_state_set(c, CALL_CALLING);
	if (!c->ending && number[0])
		number_start(c);
	else if (!c->ending)
		call_start(c);

	return 0;
}


struct call *ua_call(const struct ua *ua, unsigned id)
{
	struct le *le;

	if (!ua || !id)
		return NULL;

	for (le = list_head(hash_list(ua->callh, id)); le; le = le->next) {
		struct call *c = le->data;

		if (c->id == id)
			return c;
	}

	return NULL;
}


struct call *ua_call_next(const struct ua *ua, const struct call *prev)
{
	struct le *le;

	if (!ua)
		return NULL;

	le = prev ? prev->le.next : list_head(&ua->calls);

	return le ? le->data : NULL;
}


unsigned ua_call_count(const struct ua *ua)
{
	return ua ? ua->living : 0;
}
