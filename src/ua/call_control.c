/**
 * @file call_control.c  What the user wants of a call
 *
 * Each function does its part at once or says in one sentence why not; what
 * depends on the peer is told by events.  Main thread.
 */
#include <stdio.h>
#include "priv.h"
#include "caller.h"


int call_gone(const struct call *c, char *err)
{
	if (!c)
		return call_error(err, ENOTCONN, "There is no such call.");

	return call_error(err, ENOTCONN, c->finished ?
			  "Call %u has ended." : "Call %u is being hung up.",
			  c->id);
}


static bool control_free(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	}

	return true;
}


/* Does somebody at the device talk in it? */
static bool has_listener(const struct call *c)
{
	return c->state == CALL_ACTIVE && c->source == SOURCE_DEVICE &&
		call_living(c);
}


void call_hold_others(struct ua *ua, const struct call *c)
{
	char why[UA_ERR];
	struct le *le;

	if (!ua->device || !ua->config->hold_others || ua->living < 1)
		return;

	for (le = list_head(&ua->calls); le; le = le->next) {
		struct call *other = le->data;

		if (other == c || other->hold || !has_listener(other) ||
		    (c && c->room.no && other->room.no == c->room.no))
			continue;

		if (call_hold(other, why))
			log_warn("call %u: not held: %s", other->id, why);
	}
}


void call_keep_others(struct call *c)
{
	if (c)
		c->keep_others = true;
}


/* Out of an offer: the answer; without one: our own offer */
static int describe_answer(struct call *c, struct mbuf **sdp)
{
	struct ability ab;

	call_ability(c, stream_local(c->stream), &ab);

	return c->late_offer ? call_offer(sdp, c, &ab)
			     : call_answer_of(sdp, c, &ab);
}


/* It could not be answered for a reason of ours: 500, or BYE after the 200 */
static int answer_failed(struct call *c, int e, char *err)
{
	const char *why = e == EADDRINUSE ? "no free port in media-ports"
					  : strerror(e);

	call_blame(c, SIP_CAUSE_LOCAL, 500, why);
	call_ending(c, SIP_CAUSE_LOCAL, 500, why);
	call_media_close(c);

	if (sip_call_reject(c->sip, 500, NULL, NULL))
		sip_call_hangup(c->sip, 500, NULL);

	return call_error(err, e, "Call %u cannot be answered: %s.", c->id,
			  why);
}


int call_early(struct call *c, char *err)
{
	int e;

	if (!call_living(c))
		return call_gone(c, err);
	if (c->outgoing || c->state != CALL_INCOMING || c->early)
		return call_error(err, EALREADY, c->early ?
				  "Call %u has early sound already." :
				  "Call %u does not wait for an answer.",
				  c->id);
	if (c->late_offer)
		return call_error(err, ENOTSUP, "The caller of call %u does"
				  " not say where sound should go: it can"
				  " only be answered.", c->id);

	if (c->gathering)
		return call_error(err, EAGAIN, "Call %u: servers are still"
				  " asked for our addresses; try again in a"
				  " second.", c->id);

	e = call_media_open(c, sip_call_laddr(c->sip));
	if (!e)
		e = describe_answer(c, &c->early);
	if (!e) {
		c->early->pos = 0;
		e = sip_call_ring(c->sip, 183, NULL, c->early);
	}
	if (!e) {
		c->early->pos = 0;

		/* from a server of ours nobody is named who wants no sound;
		   from others a PRACK shows it, or a packet */
		c->proven = c->proven || c->vouched;
		c->remote_ring = true;
		e = call_media_apply(c, &c->next, c->next_held);
	}
	if (e) {
		call_media_close(c);
		c->early = mem_deref(c->early);
		c->started = false;
		return call_error(err, e, "Call %u gets no early sound: %s.",
				  c->id, strerror(e));
	}

	call_media_settle(c);

	return 0;
}


int call_answer(struct call *c, char *err)
{
	struct mbuf *sdp = NULL;
	int e;

	if (!call_living(c))
		return call_gone(c, err);
	if (c->outgoing || c->state != CALL_INCOMING)
		return call_error(err, EALREADY, c->outgoing ?
			"Call %u goes out: the other side answers it." :
			"Call %u is answered already.", c->id);

	if (!c->keep_others && c->source == SOURCE_DEVICE && !c->joins)
		call_hold_others(c->ua, c);

	/* what servers say of us belongs into the answer */
	c->answer_waits = c->gathering;
	if (c->gathering)
		return 0;

	e = call_media_open(c, sip_call_laddr(c->sip));
	if (!e && c->early)
		sdp = mem_ref(c->early);
	else if (!e)
		e = describe_answer(c, &sdp);
	/* RFC 5373 5.3 */
	if (!e && c->caller && c->caller->answer.by_mode)
		(void)sip_call_say(c->sip, c->keep_others ?
				   "Answer-Mode: Auto\r\n" :
				   "Answer-Mode: Manual\r\n");
	if (!e)
		e = sip_call_answer(c->sip, sdp);
	mem_deref(sdp);

	/* the 200 is on its way; with a late offer the ACK brings the plan,
	   with early sound it runs already */
	if (!e && !c->late_offer && !c->early)
		e = call_media_apply(c, &c->next, c->next_held);
	if (e)
		return answer_failed(c, e, err);

	c->result.code = 200;
	UTF8_PUT(c->result.reason, "OK");
	call_answered(c);

	return 0;
}


int call_ring(struct call *c)
{
	int e;

	if (!call_living(c) || c->outgoing || c->state != CALL_INCOMING)
		return ENOTCONN;
	if (c->remote_ring)
		return 0;

	e = sip_call_ring(c->sip, 180, NULL, NULL);
	if (!e)
		c->remote_ring = true;

	return e;
}


int call_refuse(struct call *c, uint16_t code, const char *reason,
		const char *headers, char *err)
{
	int e;

	if (!call_living(c))
		return call_gone(c, err);
	if (c->outgoing || c->state != CALL_INCOMING)
		return call_error(err, ENOTCONN,
				  "Call %u does not wait for an answer.",
				  c->id);
	if (!code)
		code = 486;
	if (code < 300 || code > 699)
		return call_error(err, EINVAL, "%u is no code to refuse a"
				  " call with: 300 to 699.", code);
	if (reason && !control_free(reason))
		return call_error(err, EINVAL,
				  "The reason has control characters.");

	e = sip_call_reject(c->sip, code, reason && reason[0] ? reason : NULL,
			    headers);
	if (e)
		return call_error(err, e, "Call %u cannot be refused: %s.",
				  c->id, strerror(e));

	call_ending(c, SIP_CAUSE_STATUS, code, reason);

	return 0;
}


int call_reject(struct call *c, uint16_t code, const char *reason, char *err)
{
	return call_refuse(c, code, reason, NULL, err);
}


/* Reason header (RFC 3326); "" when there is nothing to say */
static void reason_header(char *buf, size_t sz, uint16_t code,
			  const char *text)
{
	struct text_buf b = { .max = sz - 1 };

	buf[0] = '\0';
	if (!code && !(text && text[0]))
		return;

	text_add(&b, "SIP;cause=%u", code ? code : 200);
	if (text && text[0]) {
		text_add(&b, ";text=\"");
		for (; *text; text++)
			text_add(&b, strchr("\"\\", *text) ? "\\%c" : "%c",
				 *text);
		text_add(&b, "\"");
	}

	if (!b.err)
		str_ncpy(buf, b.s, sz);
	text_buf_reset(&b);
}


int call_hangup(struct call *c, uint16_t code, const char *reason, char *err)
{
	char header[512];

	if (!c || c->finished)
		return call_gone(c, err);
	if (c->ending)
		return 0;
	if (reason && !control_free(reason))
		return call_error(err, EINVAL,
				  "The reason has control characters.");

	if (!c->outgoing && c->state == CALL_INCOMING)
		return call_reject(c, code, reason, err);

	if (!c->sip) {
		call_fail(c, SIP_CAUSE_CANCELLED, 0, NULL);
		return 0;
	}

	reason_header(header, sizeof(header), code, reason);

	call_ending(c, c->active_ms ? SIP_CAUSE_NONE : SIP_CAUSE_CANCELLED,
		    0, NULL);
	call_media_close(c);
	sip_call_hangup(c->sip, code, header[0] ? header : NULL);

	return 0;
}


/* Held or not is a wish first; the re-INVITE makes it so */
static int want_hold(struct call *c, bool hold, char *err)
{
	int e;

	if (!call_living(c))
		return call_gone(c, err);
	if (c->state != CALL_ACTIVE)
		return call_error(err, ENOTCONN,
				  "Call %u is not answered yet.", c->id);
	if (c->hold == hold)
		return call_error(err, EALREADY, hold ?
				  "Call %u is held already." :
				  "Call %u is not held.", c->id);

	c->hold = hold;

	e = call_reoffer(c);
	if (e) {
		c->hold = !hold;
		return call_error(err, e, "Call %u cannot be changed: %s.",
				  c->id, strerror(e));
	}

	/* hold is heard at once, resume when the peer agrees */
	if (hold)
		call_media_settle(c);

	return 0;
}


int call_hold(struct call *c, char *err)
{
	return want_hold(c, true, err);
}


int call_resume(struct call *c, char *err)
{
	if (call_living(c) && c->hold && !c->keep_others &&
	    c->source == SOURCE_DEVICE)
		call_hold_others(c->ua, c);

	return want_hold(c, false, err);
}


int call_mute(struct call *c, bool mute, char *err)
{
	if (!call_living(c))
		return call_gone(c, err);
	if (c->muted == mute)
		return call_error(err, EALREADY, mute ?
				  "Call %u is muted already." :
				  "Call %u is not muted.", c->id);

	c->muted = mute;
	call_media_settle(c);

	return 0;
}


static int want_source(struct call *c, enum stream_source src, double hz,
		       char *err)
{
	if (!call_living(c))
		return call_gone(c, err);

	c->source = src;
	c->tone_hz = hz;
	call_media_settle(c);

	return 0;
}


int call_stop(struct call *c, char *err)
{
	if (!call_living(c))
		return call_gone(c, err);

	call_file_stop_play(c);

	return want_source(c, SOURCE_DEVICE, 0, err);
}


int call_echo(struct call *c, bool on, char *err)
{
	return want_source(c, on ? SOURCE_ECHO : SOURCE_DEVICE, 0, err);
}


int call_tone(struct call *c, double hz, char *err)
{
	if (!(hz >= 20 && hz <= 20000))
		return call_error(err, EINVAL, "A tone has 20 to 20000 Hz.");

	return want_source(c, SOURCE_TONE, hz, err);
}


/* As the account or the options say, whatever the user has said */
uint64_t call_limit_own(const struct call *c)
{
	const int64_t ms = c->acc && c->acc->conf.call_limit_ms ?
		c->acc->conf.call_limit_ms : c->ua->config->call_limit_ms;

	return ms > 0 ? (uint64_t)ms : 0;
}


static void limit_handler(void *arg)
{
	struct call *c = arg;
	char why[UA_ERR];

	log_info("call %u: its time is over", c->id);
	c->limited = c->limit_ms == call_limit_own(c);
	(void)call_hangup(c, 0, NULL, why);
}


void call_limit(struct call *c, uint64_t ms)
{
	uint64_t passed;

	if (!call_living(c))
		return;

	c->limit_ms = ms;
	if (!ms) {
		timer_cancel(&c->tmr_limit);
		return;
	}

	if (c->state != CALL_ACTIVE)
		return;

	passed = clock_ms() - c->active_ms;
	timer_start(&c->tmr_limit, passed < ms ? ms - passed : 0,
		    limit_handler, c);
}
