/**
 * @file transfer.c  We hand a call over, or are handed over (RFC 3515, 5589)
 *
 * As transferor: the peer is asked with REFER to call somebody; what it
 * reports becomes call.transfer events, and when it has succeeded our leg is
 * hung up.  As transferee: a REFER is accepted, asked about or refused by
 * policy, and the new call's states are reported back.  Either may outlive
 * the call it began in, so each is an object of the ua's that knows calls by
 * their id.  Main thread.
 */
#include "transfer.h"


enum {
	ASK_MS       = 120000,      /* for the user to decide              */
	TRANSFERS_MAX = 64,         /* at once, both ways                  */
	OUTSIDE_MAX  = 8,           /* of them, asked about by strangers   */
};


static void tell(const struct transfer *t, const char *state, uint16_t code,
		 const char *reason, const char *cause)
{
	struct event ev;

	event_init(&ev, EVENT_CALL_TRANSFER);
	ev.call = t->call;
	str_ncpy(ev.u.call_transfer.state, state,
		 sizeof(ev.u.call_transfer.state));
	str_ncpy(ev.u.call_transfer.by, t->notifier ? "remote" : "local",
		 sizeof(ev.u.call_transfer.by));
	utf8_copy(ev.u.call_transfer.from, sizeof(ev.u.call_transfer.from),
		  t->from ? t->from : "");
	utf8_copy(ev.u.call_transfer.target,
		  sizeof(ev.u.call_transfer.target), t->target);
	if (code)
		ev.u.call_transfer.code = code;
	utf8_copy(ev.u.call_transfer.reason,
		  sizeof(ev.u.call_transfer.reason), reason);
	str_ncpy(ev.u.call_transfer.cause, cause,
		 sizeof(ev.u.call_transfer.cause));
	if (t->fresh)
		ev.u.call_transfer.new_call = t->fresh;

	event_publish(t->ua->bus, &ev);
}


static void transfer_destructor(void *arg)
{
	struct transfer *t = arg;

	timer_cancel(&t->tmr);
	list_unlink(&t->le);
	mem_deref(t->sub);
	mem_deref(t->notifier);
	mem_deref(t->event_sub);
	mem_deref(t->headers);
	mem_deref(t->target);
	mem_deref(t->from);
}


static int transfer_new(struct transfer **tp, struct ua *ua, unsigned call,
			const char *target)
{
	struct transfer *t;
	int err;

	if (list_count(&ua->transfers) >= TRANSFERS_MAX)
		return EUSERS;

	t = mem_zalloc(sizeof(*t), transfer_destructor);
	if (!t)
		return ENOMEM;

	t->ua = ua;
	t->call = call;
	list_append(&ua->transfers, &t->le, t);

	err = utf8_dup(&t->target, target, UA_URI);
	if (err)
		mem_deref(t);
	else
		*tp = t;

	return err;
}


static void gone_h(void *arg)
{
	mem_deref(arg);
}


/* Told to the last; it goes on a turn of its own */
static void transfer_over(struct transfer *t)
{
	t->over = true;
	timer_start(&t->tmr, 0, gone_h, t);
}


/* As transferor ------------------------------------------------------------ */

static void hangup_own(const struct transfer *t)
{
	struct call *c = ua_call(t->ua, t->call);
	char why[UA_ERR];

	if (c && call_living(c) && call_hangup(c, 0, NULL, why))
		log_warn("call %u: %s", t->call, why);
}


static void outcome(struct transfer *t, uint16_t code, const char *reason,
		    const char *cause)
{
	if (t->decided)
		return;

	t->decided = true;
	if (code >= 200 && code < 300) {
		tell(t, "done", code, reason, "");
		hangup_own(t);
	}
	else {
		tell(t, "failed", code, reason, cause);
	}
}


static int notify_h(const struct sip_info *in, const char *ctype,
		    const char *body, size_t len, void *arg)
{
	struct transfer *t = arg;
	struct sipfrag f;
	(void)in;

	if (strncasecmp(ctype, "message/sipfrag", 15))
		return 415;
	if (sipfrag_parse(&f, body, len))
		return 400;

	if (f.code >= 200)
		outcome(t, f.code, f.reason, "status");
	else if (f.code > 100)
		tell(t, "ringing", f.code, f.reason, "");

	return 0;
}


static void state_h(const struct sip_sub_status *st, void *arg)
{
	struct transfer *t = arg;

	if (st->state != SIP_SUB_ENDED)
		return;

	/* accepted, and no reports were wanted or came: we cannot know more */
	if (st->res.cause == SIP_CAUSE_NONE && !st->res.code)
		outcome(t, 202, "Accepted", "");
	else
		outcome(t, st->res.code, st->res.reason,
			sip_cause_name(st->res.cause));

	transfer_over(t);
}


static const struct sip_sub_h refer_handlers = { state_h, notify_h };


static bool transferring(const struct call *c)
{
	struct le *le;

	LIST_FOREACH(&c->ua->transfers, le) {
		const struct transfer *t = le->data;

		if (t->call == c->id && t->sub && !t->decided)
			return true;
	}

	return false;
}


static int refer(struct call *c, const char *target, const char *refer_to,
		 char *err)
{
	const struct account *a = c->acc;
	char self[UA_URI] = "";
	struct sip_refer_conf conf = {
		.call     = c->sip,
		.refer_to = refer_to,
	};
	struct transfer *t;
	int e;

	if (a)
		conf.referred_by = a->conf.aor;
	else if (!account_anonymous(self, sizeof(self), c->ua,
				    stream_local(c->stream)))
		conf.referred_by = self;

	e = transfer_new(&t, c->ua, c->id, target);
	if (e)
		return call_error(err, e, "Call %u cannot be transferred: %s.",
				  c->id, strerror(e));

	e = sip_refer(&t->sub, c->ua->sip, &conf, &refer_handlers, t);
	if (e) {
		mem_deref(t);
		return call_error(err, e, "Call %u cannot be transferred: %s.",
				  c->id, strerror(e));
	}

	tell(t, "trying", 0, "", "");

	return 0;
}


static int transfer_check(const struct call *c, char *err)
{
	if (!c || !call_living(c))
		return call_gone(c, err);
	if (c->state != CALL_ACTIVE)
		return call_error(err, ENOTCONN, "Call %u is not answered yet:"
				  " only then it can be transferred.", c->id);
	if (transferring(c))
		return call_error(err, EALREADY, "Call %u is being transferred"
				  " already.", c->id);

	return 0;
}


int call_transfer(struct call *c, const char *target, char *err)
{
	char uri[UA_URI];
	struct ua_lookup l;
	int e;

	e = transfer_check(c, err);
	if (!e)
		e = target_complete(uri, sizeof(uri),
				    lookup_text(&l, c->ua, target), c->acc,
				    err);
	if (e)
		return e;

	return refer(c, uri, uri, err);
}


/* A header of a URI: all but unreserved characters are escaped (19.1.1) */
static int escape_add(struct mbuf *mb, const char *s)
{
	int err = 0;

	for (; *s && !err; s++) {
		const unsigned char ch = (unsigned char)*s;

		if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
		    (ch >= '0' && ch <= '9') || strchr("-_.!~*'()", ch))
			err = mbuf_write_u8(mb, ch);
		else
			err = mbuf_printf(mb, "%%%02X", ch);
	}

	return err;
}


int call_transfer_to(struct call *c, struct call *other, char *err)
{
	char replaces[600], *refer_to = NULL;
	struct mbuf *mb;
	int e;

	e = transfer_check(c, err);
	if (e)
		return e;
	if (c == other)
		return call_error(err, EINVAL, "Call %u cannot be handed to "
				  "itself.", c->id);
	if (!other || !call_living(other) || other->state != CALL_ACTIVE)
		return call_error(err, ENOTCONN, "The call to hand over to is "
				  "not answered.");
	if (strchr(other->peer, '?'))
		return call_error(err, EINVAL, "The address of call %u has "
				  "headers in it.", other->id);

	mb = mbuf_alloc(512);
	e = mb ? sip_call_replaces_value(other->sip, replaces,
					 sizeof(replaces)) : ENOMEM;
	if (!e)
		e = mbuf_printf(mb, "%s?Replaces=", other->peer);
	if (!e)
		e = escape_add(mb, replaces);
	if (!e) {
		mb->pos = 0;
		e = mbuf_strdup(mb, &refer_to, mb->end);
	}
	mem_deref(mb);

	if (e)
		(void)call_error(err, e, "Call %u cannot be transferred: %s.",
				 c->id, strerror(e));
	else
		e = refer(c, other->peer, refer_to, err);
	mem_deref(refer_to);

	return e;
}


/* As transferee ------------------------------------------------------------ */

static void report(struct transfer *t, uint16_t code, const char *reason)
{
	char body[160];

	(void)snprintf(body, sizeof(body), "SIP/2.0 %u %.128s\r\n", code,
		       reason && reason[0] ? reason : sip_phrase(code));

	if (code < 200)
		(void)sip_notifier_send(t->notifier, false,
					"message/sipfrag;version=2.0", body);
	else
		sip_notifier_end(t->notifier, "noresource",
				 "message/sipfrag;version=2.0", body);
}


/* The new call reports itself */
static void call_state_h(const struct event *ev, void *arg)
{
	const char *state = ev->u.call_state.state;
	struct transfer *t = arg;
	uint16_t code = 0;

	if (!t->fresh || ev->call != t->fresh || t->decided)
		return;

	if (ev->u.call_state.code != EVENT_NONE)
		code = (uint16_t)ev->u.call_state.code;

	if (!strcmp(state, "ringing") || !strcmp(state, "early")) {
		report(t, code > 100 && code < 200 ? code : 180,
		       ev->u.call_state.reason);
		tell(t, "ringing", code, ev->u.call_state.reason, "");
	}
	else if (!strcmp(state, "active")) {
		t->decided = true;
		report(t, 200, "OK");
		tell(t, "done", 200, "OK", "");
	}
	else if (!strcmp(state, "ended")) {
		t->decided = true;
		if (code < 300)
			code = 503;
		report(t, code, ev->u.call_state.reason);
		tell(t, "failed", code, ev->u.call_state.reason,
		     ev->u.call_state.cause);
	}
}


static void closed_h(const struct sip_result *res, void *arg)
{
	struct transfer *t = arg;
	(void)res;

	/* nobody wants our reports any more; the new call goes on, and the
	   user is still asked */
	t->closed = true;
	if (!t->asked)
		transfer_over(t);
}


static void refresh_h(void *arg)
{
	report(arg, 100, NULL);
}


static const struct sip_notifier_h notifier_handlers = {
	refresh_h, closed_h,
};


static void go(struct transfer *t)
{
	const struct call *old = ua_call(t->ua, t->call);
	struct ua_dial prm = {
		.target  = t->target,
		.headers = t->headers,
		.account = old && old->acc ? old->acc->conf.name : NULL,
	};
	char why[UA_ERR] = "";
	int err;

	timer_cancel(&t->tmr);
	t->asked = false;

	err = event_subscribe_type(&t->event_sub, t->ua->bus,
				   EVENT_CALL_STATE, call_state_h, t);
	if (!err)
		err = ua_dial(&t->fresh, t->ua, &prm, why);
	if (err) {
		t->decided = true;
		report(t, 503, NULL);
		tell(t, "failed", 0, why, "local");
	}
	else {
		tell(t, "accepted", 0, "", "");
	}

	if (t->closed)
		transfer_over(t);
}


static void refuse(struct transfer *t)
{
	timer_cancel(&t->tmr);
	t->asked = false;
	t->decided = true;
	report(t, 603, NULL);
	tell(t, "refused", 603, sip_phrase(603), "");
	if (t->closed)
		transfer_over(t);
}


static void undecided_h(void *arg)
{
	refuse(arg);
}


/* What the new INVITE says of where it comes from */
static int headers_make(char **hp, const struct sip_refer_to *to,
			const char *referred_by)
{
	return re_sdprintf(hp, "%s%s%s%s%s%s",
			   *referred_by ? "Referred-By: " : "", referred_by,
			   *referred_by ? "\r\n" : "",
			   *to->replaces ? "Replaces: " : "", to->replaces,
			   *to->replaces ? "\r\n" : "");
}


/* Outside of a dialog, but about a call of ours: who names it is in it, for
   nobody else knows its tags (RFC 4538) */
static struct call *target_dialog(const struct ua *ua,
				  const struct sip_info *in)
{
	struct sip_dialog_id id;
	const struct sip_call *sc;
	char value[1024];
	struct le *le;

	if (sip_info_header(in, "Target-Dialog", value, sizeof(value)) ||
	    sip_dialog_id_parse(&id, value, true))
		return NULL;

	sc = sip_call_find(ua->sip, &id);

	LIST_FOREACH(&ua->calls, le) {
		struct call *c = le->data;

		if (sc && c->sip == sc && call_living(c))
			return c;
	}

	return NULL;
}


/*
 * What becomes of a REFER. One that comes outside of our calls makes us call
 * whomever a stranger likes, at our cost: his word alone is not enough. A
 * From proves nothing unless a server of ours has brought it.
 */
static enum transfers_policy policy_of(const struct ua *ua,
				       const struct call *c,
				       const struct sip_info *in)
{
	const enum transfers_policy pol =
		(enum transfers_policy)ua->config->transfers;
	const struct account *acc = account_match(ua, in);

	if (c || pol == TRANSFERS_DENY)
		return pol;

	switch (ua->config->transfers_outside) {

	case OUTSIDE_ACCEPT:
		return pol;

	case OUTSIDE_KNOWN:
		return acc && sip_ident_serves(acc->ident, in) &&
			ua->known_h &&
			ua->known_h(in->from_uri, ua->known_arg) ? pol :
			TRANSFERS_DENY;

	case OUTSIDE_ASK:
		return TRANSFERS_ASK;

	default:
		return TRANSFERS_DENY;
	}
}


static unsigned asked_outside(const struct ua *ua)
{
	unsigned n = 0;
	struct le *le;

	LIST_FOREACH(&ua->transfers, le) {
		const struct transfer *t = le->data;

		n += t->asked && !t->call;
	}

	return n;
}


int transfer_request(struct ua *ua, struct call *named, struct sip_rx *rx,
		     const struct sip_info *in)
{
	const struct call *c = named ? named : target_dialog(ua, in);
	const struct account *acc = c ? c->acc : NULL;
	const struct sip_notifier_conf conf = {
		.ident = acc ? acc->ident : NULL, .expires_s = 180,
	};
	char value[1024], by[512] = "";
	enum transfers_policy policy;
	struct sip_refer_to to;
	struct transfer *t = NULL;
	int err;

	if (sip_info_header(in, "Refer-To", value, sizeof(value)) ||
	    sip_refer_to_parse(&to, value))
		return 400;
	if (strcmp(to.method, "INVITE"))
		return 603;
	if (ua->closing)
		return 503;
	policy = policy_of(ua, c, in);
	if (policy == TRANSFERS_DENY)
		return 603;
	if (policy == TRANSFERS_ASK && !c && asked_outside(ua) >= OUTSIDE_MAX)
		return 503;

	(void)sip_info_header(in, "Referred-By", by, sizeof(by));

	err = transfer_new(&t, ua, c ? c->id : 0, to.uri);
	if (!err)
		err = headers_make(&t->headers, &to, by);
	if (!err)
		err = utf8_dup(&t->from, in->from_uri, UA_URI);
	if (err) {
		mem_deref(t);
		return err == EUSERS ? 503 : 500;
	}

	err = sip_notifier_accept(&t->notifier, rx, &conf,
				  &notifier_handlers, t);
	if (err) {
		/* it has been refused there */
		mem_deref(t);
		return 0;
	}

	report(t, 100, NULL);

	if (policy == TRANSFERS_ASK) {
		t->asked = true;
		timer_start(&t->tmr, ASK_MS, undecided_h, t);
		tell(t, "asked", 0, "", "");
	}
	else {
		go(t);
	}

	return 0;
}


int ua_transfer_decide(struct ua *ua, unsigned call, bool accept, char *err)
{
	struct le *le;

	LIST_FOREACH(&ua->transfers, le) {
		struct transfer *t = le->data;

		if (!t->asked || (call && t->call != call))
			continue;

		if (accept)
			go(t);
		else
			refuse(t);
		return 0;
	}

	return call_error(err, ENOENT, "Nobody asks to be transferred.");
}


/* The caller of the new one has proven to know the old dialog: its tags */
void transfer_take_over(struct call *fresh, struct call *old)
{
	char why[UA_ERR];

	log_info("call %u takes the place of call %u", fresh->id, old->id);

	/* what is heard in it goes on */
	fresh->source = old->source;
	fresh->tone_hz = old->tone_hz;
	fresh->muted = old->muted;
	fresh->keep_others = true;

	/* a rule may have answered it already */
	if (fresh->state == CALL_INCOMING && call_answer(fresh, why)) {
		log_warn("call %u: %s", fresh->id, why);
		return;
	}
	if (call_living(old) && call_hangup(old, 0, NULL, why))
		log_warn("call %u: %s", old->id, why);
}


void transfer_flush(struct ua *ua)
{
	list_flush(&ua->transfers);
}
