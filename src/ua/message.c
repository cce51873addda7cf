/**
 * @file message.c  Text messages: MESSAGE (RFC 3428), composing (RFC 3994),
 * delivery reports (RFC 5438)
 *
 * A message out is an object of the ua's until its final answer, or until
 * the report it asked for; message.sent tells each step.  What comes in is
 * answered at once and told as message.received.  Main thread.
 */
#include <offhook/random.h>
#include "body.h"
#include "message.h"
#include "offhook/sip_caller.h"
#include "offhook/sip_rx.h"


enum {
	MESSAGES_MAX = 256,              /* under way at once              */
	UNSEEN_MAX   = 64,               /* whose report is asked for      */
	REPORT_MS    = 24 * 3600 * 1000, /* a report is waited for         */
	TYPE_MAX     = 128,
};

/** Its sender wants to be told when it was seen */
struct unseen {
	struct le le;                /* ua->unseen                           */
	char *uri;                   /* of who sent it                       */
	unsigned account;            /* id of who it was for, 0: nobody's    */
	struct cpim w;               /* body is of no use any more           */
};

struct message {
	struct le le;                /* ua->messages                         */
	struct ua *ua;
	unsigned id;
	unsigned call;               /* in its dialog, 0: outside            */
	char *text;                  /* as the user wrote it                 */
	char *ctype, *body;          /* as it is sent                        */
	char *to;                    /* URI                                  */
	char message_id[40];         /* report wanted, "" none               */
	struct reach *reach;
	struct sip_req *req;
	struct timer tmr;
	unsigned account;            /* id, 0: none                          */
	bool again;                  /* somebody sends it again              */
	bool silent;                 /* composing, reports: nobody is told   */
	bool composing;
	char *privacy;               /* lines; NULL: they may know us        */
};


static void tell(const struct message *m, const char *result,
		 const struct sip_result *res)
{
	struct event ev;

	if (m->silent)
		return;

	event_init(&ev, EVENT_MESSAGE_SENT);
	ev.call = m->call;
	ev.account = m->account;
	ev.u.message_sent.id = m->id;
	utf8_copy(ev.u.message_sent.to, sizeof(ev.u.message_sent.to), m->to);
	str_ncpy(ev.u.message_sent.result, result,
		 sizeof(ev.u.message_sent.result));
	if (res) {
		if (res->code)
			ev.u.message_sent.code = res->code;
		utf8_copy(ev.u.message_sent.reason,
			  sizeof(ev.u.message_sent.reason), res->reason);
		if (res->cause != SIP_CAUSE_NONE)
			str_ncpy(ev.u.message_sent.cause,
				 sip_cause_name(res->cause),
				 sizeof(ev.u.message_sent.cause));
	}
	utf8_copy(ev.u.message_sent.text, sizeof(ev.u.message_sent.text),
		  m->text);

	event_publish(m->ua->bus, &ev);
}


static void message_destructor(void *arg)
{
	struct message *m = arg;

	timer_cancel(&m->tmr);
	list_unlink(&m->le);
	mem_deref(m->reach);
	mem_deref(m->req);
	mem_deref(m->text);
	mem_deref(m->ctype);
	mem_deref(m->body);
	mem_deref(m->privacy);
	mem_deref(m->to);
}


static void gone_h(void *arg)
{
	mem_deref(arg);
}


/* On a turn of its own: we are inside its handler */
static void over(struct message *m)
{
	timer_start(&m->tmr, 0, gone_h, m);
}


/* Nobody was there; a refusal is an answer */
static bool may_go_later(const struct sip_result *res)
{
	switch (res->cause) {

	case SIP_CAUSE_TIMEOUT:
	case SIP_CAUSE_TRANSPORT:
	case SIP_CAUSE_RESOLVE: return true;
	default:
		return res->code == 408 || res->code == 430 ||
			res->code == 480 || res->code == 503 ||
			res->code == 504;
	}
}


static void failed(struct message *m, const struct sip_result *res)
{
	tell(m, m->again && may_go_later(res) ? "stored" : "failed", res);
	over(m);
}


static void resp_h(const struct sip_result *res, const struct sip_info *in,
		   void *arg)
{
	struct message *m = arg;
	(void)in;

	m->req = mem_deref(m->req);

	/* it cannot know what that was */
	if (m->composing && res->code >= 400 && res->code != 408 &&
	    res->code != 480)
		composing_refused(m->ua, m->to);
	if (res->code / 100 != 2) {
		failed(m, res);
		return;
	}

	tell(m, "sent", res);

	if (m->message_id[0] && !m->silent)
		timer_start(&m->tmr, REPORT_MS, gone_h, m);
	else
		over(m);
}


static void send_failed(struct message *m, int err)
{
	struct sip_result res = { .cause = SIP_CAUSE_LOCAL, .err = err };

	str_ncpy(res.reason, strerror(err), sizeof(res.reason));
	failed(m, &res);
}


static void reach_handler(const struct sip_result *err, const char *uri,
			  struct sip_ident *ident, void *arg)
{
	struct message *m = arg;
	struct sip_req_conf conf = {
		.method = "MESSAGE", .uri = uri, .ident = ident,
		.ctype = m->ctype, .body = m->body,
		.headers = m->privacy, .anonymous = m->privacy != NULL,
	};
	int e;

	if (err) {
		failed(m, err);
		return;
	}

	e = sip_req_send(&m->req, m->ua->sip, &conf, resp_h, m);
	if (e)
		send_failed(m, e);
}


/* To whom; who writes it the headers around it say */
static void cpim_begin(struct cpim *c, const char *to)
{
	memset(c, 0, sizeof(*c));
	(void)snprintf(c->message_id, sizeof(c->message_id), "%016llx",
		       (unsigned long long)random_u64());
	str_ncpy(c->from, "im:anonymous@anonymous.invalid", sizeof(c->from));
	str_ncpy(c->to, to, sizeof(c->to));
}


/* The CPIM wrapper asks for the report */
static int wrap(struct message *m)
{
	char now[CLOCK_ISO8601_SIZE];
	struct mbuf *mb = mbuf_alloc(512);
	struct cpim c;
	int err;

	if (!mb)
		return ENOMEM;

	cpim_begin(&c, m->to);
	str_ncpy(m->message_id, c.message_id, sizeof(m->message_id));
	(void)clock_iso8601(now, clock_wall_ms());
	str_ncpy(c.date, now, sizeof(c.date));
	str_ncpy(c.ctype, "text/plain; charset=UTF-8", sizeof(c.ctype));
	c.want_delivered = true;
	c.want_failed = true;
	c.want_displayed = true;
	pl_set_str(&c.body, m->text);

	err = cpim_print(mb, &c);
	if (!err) {
		mb->pos = 0;
		err = mbuf_strdup(mb, &m->body, mb->end);
	}
	if (!err)
		err = str_dup(&m->ctype, "message/cpim");
	mem_deref(mb);

	return err;
}


static int message_new(struct message **mp, struct ua *ua, const char *to,
		       const char *text)
{
	struct message *m;
	int err;

	if (list_count(&ua->messages) >= MESSAGES_MAX)
		return EAGAIN;

	m = mem_zalloc(sizeof(*m), message_destructor);
	if (!m)
		return ENOMEM;

	m->ua = ua;
	m->id = ++ua->next_message;
	list_append(&ua->messages, &m->le, m);

	err = str_dup(&m->to, to);
	if (!err)
		err = str_dup(&m->text, text);
	if (err)
		mem_deref(m);
	else
		*mp = m;

	return err;
}


static int send_in_call(struct message *m, struct call *c)
{
	m->call = c->id;

	return sip_call_request(&m->req, c->sip, "MESSAGE", NULL, m->ctype,
				m->body, resp_h, m);
}


/* Who it is from is between us and our server (RFC 3323, 3325 9.1) */
static int privacy_lines(char **lines, const struct account *acc)
{
	const bool other = acc && acc->conf.privacy[0];

	return re_sdprintf(lines, "%s%s%sPrivacy: %s\r\n",
			   acc ? "P-Preferred-Identity: <" : "",
			   acc ? acc->conf.aor : "", acc ? ">\r\n" : "",
			   other ? acc->conf.privacy : "id");
}


int ua_message(unsigned *idp, struct ua *ua, const struct ua_message *prm,
	       char *err)
{
	const struct account *acc = NULL;
	struct call *c = NULL;
	struct message *m;
	int e;

	if (!ua || !prm || !prm->text || !err)
		return EINVAL;
	err[0] = '\0';

	if (!text_utf8_valid(prm->text, strlen(prm->text)) ||
	    strlen(prm->text) > UA_MESSAGE_MAX)
		return call_error(err, EINVAL, "A message is at most %u bytes"
				  " of UTF-8.", UA_MESSAGE_MAX);
	if (prm->call) {
		c = ua_call(ua, prm->call);
		if (!call_living(c))
			return call_gone(c, err);
	}

	e = message_new(&m, ua, c ? c->peer : prm->target, prm->text);
	if (e)
		return call_error(err, e, e == EAGAIN ? "%u messages are under"
				  " way already." : "Out of memory.",
				  MESSAGES_MAX);

	m->again = prm->again;
	if (prm->again && prm->id) {
		m->id = prm->id;
		--ua->next_message;
	}
	if (c)
		m->account = c->acc ? c->acc->id : 0;
	else if (!ua_account_named(&acc, ua, prm->account, err) && acc)
		m->account = acc->id;

	if (!c && (prm->anonymous || (acc && acc->conf.anonymous))) {
		e = privacy_lines(&m->privacy, acc);
		if (e) {
			call_error(err, e, "%s.", strerror(e));
			goto out;
		}
	}

	m->silent = prm->composing != UA_NOT_COMPOSING;
	m->composing = m->silent;
	if (m->composing) {
		const struct composing cp = {
			.active = prm->composing == UA_COMPOSING,
			.refresh_s = 90,
		};
		struct mbuf *mb = mbuf_alloc(256);

		e = mb ? composing_print(mb, &cp) : ENOMEM;
		if (!e) {
			mb->pos = 0;
			e = mbuf_strdup(mb, &m->body, mb->end);
		}
		if (!e)
			e = str_dup(&m->ctype,
				    "application/im-iscomposing+xml");
		mem_deref(mb);
	}
	else if (prm->report) {
		e = wrap(m);
	}
	else {
		e = str_dup(&m->ctype, "text/plain;charset=UTF-8");
		if (!e)
			e = str_dup(&m->body, prm->text);
	}
	if (e) {
		call_error(err, e, "%s.", strerror(e));
		goto out;
	}

	if (c) {
		e = send_in_call(m, c);
		if (e)
			call_error(err, e, "Not in call %u: %s.", c->id,
				   strerror(e));
	}
	else {
		e = reach_find(&m->reach, ua, prm->target, prm->account,
			       reach_handler, m, err);
		if (!e) {
			mem_deref(m->to);
			m->to = NULL;
			e = str_dup(&m->to, reach_uri(m->reach));
		}
	}
	if (!e && !m->composing)
		composing_sent(ua, prm->target, prm->call);

 out:
	if (!e && idp)
		*idp = m->id;
	if (e || (m->composing && composing_unwanted(ua, m->to)))
		mem_deref(m);

	return e;
}


/* In ----------------------------------------------------------------------- */

/* Whose it is, NULL: of a phone without accounts */
static const struct account *owner(const struct ua *ua, const struct call *c,
				   const struct sip_info *in)
{
	return c ? c->acc : account_match(ua, in);
}


static void received(struct ua *ua, const struct call *c,
		     const struct sip_info *in, const char *ctype,
		     const char *text, size_t len)
{
	struct event ev;
	char *whole;

	composing_done(ua, in->from_uri);
	event_init(&ev, EVENT_MESSAGE_RECEIVED);
	ev.call = c ? c->id : 0;
	ev.account = account_id(owner(ua, c, in));
	utf8_copy(ev.u.message_received.from,
		  sizeof(ev.u.message_received.from), in->from_uri);
	utf8_copy(ev.u.message_received.name,
		  sizeof(ev.u.message_received.name), in->from_name);
	utf8_copy(ev.u.message_received.to, sizeof(ev.u.message_received.to),
		  in->to_uri);
	utf8_copy(ev.u.message_received.type,
		  sizeof(ev.u.message_received.type), ctype);

	/* utf8_copy wants a string: what follows a NUL is not shown */
	whole = mem_zalloc(len + 1, NULL);
	if (whole) {
		memcpy(whole, text, len);
		utf8_copy(ev.u.message_received.text,
			  sizeof(ev.u.message_received.text), whole);
		mem_deref(whole);
	}
	ev.u.message_received.cut =
		len >= sizeof(ev.u.message_received.text);

	event_publish(ua->bus, &ev);
}


/*
 * "delivered", "displayed" or "failed", to who asked for it, as whom he wrote
 * to; whether it arrives nobody is told.  It goes by whom the message says, in the
 * same order, and so to the first of them (RFC 5438 8).
 */
static void report(struct ua *ua, const struct account *acc, const char *uri,
		   const struct cpim *c, const char *status)
{
	char now[CLOCK_ISO8601_SIZE], why[UA_ERR];
	struct mbuf *mb = mbuf_alloc(512), *outer = mbuf_alloc(512);
	struct message *m = NULL;
	struct imdn i;
	struct cpim w;
	int e = mb && outer ? 0 : ENOMEM;

	memset(&i, 0, sizeof(i));
	cpim_begin(&w, c->from);
	(void)clock_iso8601(now, clock_wall_ms());

	if (!e) {
		str_ncpy(i.message_id, c->message_id, sizeof(i.message_id));
		str_ncpy(i.status, status, sizeof(i.status));
		str_ncpy(i.recipient, c->to, sizeof(i.recipient));
		str_ncpy(i.original, c->original, sizeof(i.original));
		e = imdn_print(mb, &i, now);
	}
	if (!e) {
		memcpy(w.routev, c->routev, sizeof(w.routev));
		w.routec = c->routec;
		str_ncpy(w.ctype, IMDN_TYPE, sizeof(w.ctype));
		w.body.p = (const char *)mb->buf;
		w.body.l = mb->end;
		e = cpim_print(outer, &w);
	}
	if (w.routec && (!strncasecmp(w.routev[0], "sip:", 4) ||
			 !strncasecmp(w.routev[0], "sips:", 5)))
		uri = w.routev[0];
	if (!e)
		e = message_new(&m, ua, uri, "");
	if (!e) {
		m->silent = true;
		outer->pos = 0;
		e = mbuf_strdup(outer, &m->body, outer->end);
	}
	if (!e)
		e = str_dup(&m->ctype, "message/cpim");
	if (!e)
		e = reach_find(&m->reach, ua, uri, acc ? acc->conf.name :
			       NULL, reach_handler, m, why);
	if (e) {
		log_debug("no delivery report: %s", strerror(e));
		mem_deref(m);
	}

	mem_deref(mb);
	mem_deref(outer);
}


static void unseen_destructor(void *arg)
{
	struct unseen *u = arg;

	list_unlink(&u->le);
	mem_deref(u->uri);
}


static void unseen_add(struct ua *ua, const struct account *acc,
		       const char *uri, const struct cpim *w)
{
	struct unseen *u;

	while (list_count(&ua->unseen) >= UNSEEN_MAX)
		mem_deref(list_head(&ua->unseen)->data);

	u = mem_zalloc(sizeof(*u), unseen_destructor);
	if (!u || str_dup(&u->uri, uri)) {
		mem_deref(u);
		return;
	}
	u->account = account_id(acc);
	u->w = *w;
	memset(&u->w.body, 0, sizeof(u->w.body));
	list_append(&ua->unseen, &u->le, u);
}


void ua_message_displayed(struct ua *ua, const char *peer)
{
	struct le *le = ua ? list_head(&ua->unseen) : NULL;

	while (le) {
		struct unseen *u = le->data;

		le = le->next;
		if (peer && strcmp(peer, u->uri))
			continue;
		report(ua, ua_account_id(ua, u->account), u->uri, &u->w,
		       "displayed");
		mem_deref(u);
	}
}


/* A report on a message of ours. @return 0, EBADMSG */
static int reported(struct ua *ua, const char *body, size_t len)
{
	struct imdn i;
	struct le *le;
	int err;

	err = imdn_parse(&i, body, len);
	if (err)
		return err;

	LIST_FOREACH(&ua->messages, le) {
		struct message *m = le->data;

		if (!m->message_id[0] || strcmp(m->message_id, i.message_id))
			continue;

		tell(m, strcmp(i.status, "delivered") &&
		     strcmp(i.status, "displayed") ? "failed" : i.status,
		     NULL);

		/* it may be displayed yet */
		if (strcmp(i.status, "delivered"))
			over(m);
		break;
	}

	return 0;
}


/* A picture, or a text in letters we do not have, reaches nobody here */
static bool readable(const struct cpim *w)
{
	return (!w->ctype[0] || !strncasecmp(w->ctype, "text/", 5)) &&
		text_utf8_valid(w->body.p, w->body.l);
}


static void cpim_take(struct ua *ua, const struct call *c,
		      const struct sip_info *in, struct cpim *w)
{
	const struct account *acc = owner(ua, c, in);

	/* a stranger could have us knock at anybody's door */
	if (!acc || !sip_ident_serves(acc->ident, in))
		w->routec = 0;

	if (cpim_is_report(w)) {
		(void)reported(ua, w->body.p, w->body.l);
		return;
	}

	received(ua, c, in, w->ctype[0] ? w->ctype : "text/plain", w->body.p,
		 w->body.l);
	if (!w->message_id[0] || ua->config->message_reports == REPORTS_NO)
		return;
	if (!readable(w)) {
		if (w->want_failed)
			report(ua, acc, in->from_uri, w, "failed");
		return;
	}
	if (w->want_delivered)
		report(ua, acc, in->from_uri, w, "delivered");
	if (w->want_displayed && ua->config->message_reports == REPORTS_YES)
		unseen_add(ua, acc, in->from_uri, w);
}


int message_request(struct ua *ua, struct call *c, struct sip_rx *rx,
		    const struct sip_info *in)
{
	char ctype[TYPE_MAX] = "";
	struct composing cp;
	const char *body;
	struct cpim w;
	size_t len = 0;
	int err = 0;

	body = sip_rx_body(rx, &len);
	(void)sip_info_header(in, "Content-Type", ctype, sizeof(ctype));

	if (!body || !len)
		return 400;
	if (len > BODY_MAX)
		return 413;

	if (sip_rx_ctype(rx, "text", "plain")) {
		if (!text_utf8_valid(body, len))
			return 400;
		received(ua, c, in, ctype, body, len);
	}
	else if (sip_rx_ctype(rx, "message", "cpim")) {
		err = cpim_parse(&w, body, len);
		if (!err)
			cpim_take(ua, c, in, &w);
	}
	else if (sip_rx_ctype(rx, "message", "imdn+xml")) {
		err = reported(ua, body, len);
	}
	else if (sip_rx_ctype(rx, "application", "im-iscomposing+xml")) {
		err = composing_parse(&cp, body, len);
		if (!err)
			composing_take(ua, c, in->from_uri, &cp);
	}
	else {
		return 415;
	}

	return err ? 400 : 200;
}


void message_flush(struct ua *ua)
{
	composing_flush(ua);
	list_flush(&ua->messages);
	list_flush(&ua->unseen);
}
