/**
 * @file ua/info.c  INFO and any other request in a call, or to anybody
 *
 * Keys as INFO (application/dtmf-relay and application/dtmf) come as
 * call.dtmf like those in RTP; other bodies as call.info.  Out, keys go one
 * after the other, each when the one before was answered; what a user asks
 * by hand is one request and its answer.  Main thread.
 */
#include <ctype.h>
#include "reach.h"
#include "requests.h"


enum { KEYS_MAX = 64, LINE = 64 };

/* One request asked for by hand, or the keys of a line */
struct ua_ask {
	struct ua *ua;
	struct reach *reach;
	struct sip_req *req;
	unsigned call;
	char method[32];
	char *headers, *ctype, *body;
	bool anonymous;
	ua_ask_h *h;
	void *arg;
	char keys[KEYS_MAX + 1];
	unsigned key_ms;         /* as they are told, 0: as the option says */
	unsigned key;                /* the one that is out                  */
};


/* In ----------------------------------------------------------------------- */

/* "Signal=5", "Duration=160"; or just the key */
static bool relay_parse(char *digit, int64_t *ms, const char *p, size_t len)
{
	const char *end = p + len;
	uint32_t v;

	*digit = '\0';
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;
		const char *eq = memchr(p, '=', (size_t)(stop - p));
		const char *val = eq ? eq + 1 : p;

		while (val < stop && (*val == ' ' || *val == '\t'))
			++val;

		if ((!eq && !*digit) ||
		    (eq && stop - p > 6 && !strncasecmp(p, "signal", 6))) {
			if (val < stop && strchr("0123456789*#ABCDabcd", *val)
			    && *val)
				*digit = (char)toupper((unsigned char)*val);
		}
		else if (eq && stop - p > 8 &&
			 !strncasecmp(p, "duration", 8)) {
			size_t n = 0;

			while (val + n < stop && val[n] >= '0' &&
			       val[n] <= '9')
				++n;
			if (!text_u32(&v, val, n, 60000))
				*ms = v;
		}

		p = nl ? nl + 1 : end;
	}

	return *digit != '\0';
}


static void info_tell(const struct call *c, const char *package,
		      const char *ctype,
		      const char *body, size_t len)
{
	struct event ev;
	char *whole = mem_zalloc(len + 1, NULL);

	if (!whole)
		return;

	memcpy(whole, body, len);
	call_event(&ev, EVENT_CALL_INFO, c);
	utf8_copy(ev.u.call_info.package, sizeof(ev.u.call_info.package),
		  package);
	utf8_copy(ev.u.call_info.type, sizeof(ev.u.call_info.type), ctype);
	utf8_copy(ev.u.call_info.body, sizeof(ev.u.call_info.body), whole);
	ev.u.call_info.cut = len >= sizeof(ev.u.call_info.body);
	event_publish(c->ua->bus, &ev);

	mem_deref(whole);
}


int info_request(struct ua *ua, struct call *c, struct sip_rx *rx,
		 const struct sip_info *in)
{
	char ctype[128] = "", package[64] = "", digit;
	const char *body;
	struct event ev;
	int64_t ms = EVENT_NONE;
	size_t len = 0;

	if (!c)
		return 481;

	/* RFC 6086 4.2.3: one we have not asked for */
	if (!sip_info_header(in, "Info-Package", package, sizeof(package))) {
		package[strcspn(package, "; \t")] = '\0';
		if (!sip_stack_is_able(ua->sip, SIP_AB_INFO, package))
			return 469;
	}

	body = sip_rx_body(rx, &len);
	if ((!body || !len) && !package[0])
		return 200;             /* asks whether we are there */

	if (package[0] ||
	    (!sip_rx_ctype(rx, "application", "dtmf-relay") &&
	     !sip_rx_ctype(rx, "application", "dtmf"))) {
		(void)sip_info_header(in, "Content-Type", ctype,
				      sizeof(ctype));
		info_tell(c, package, ctype, body ? body : "", len);
		return 200;
	}

	if (!relay_parse(&digit, &ms, body, len))
		return 400;

	call_event(&ev, EVENT_CALL_DTMF, c);
	ev.u.call_dtmf.digit[0] = digit;
	ev.u.call_dtmf.digit[1] = '\0';
	str_ncpy(ev.u.call_dtmf.via, "info", sizeof(ev.u.call_dtmf.via));
	ev.u.call_dtmf.duration_ms = ms;
	event_publish(ua->bus, &ev);

	return 200;
}


/* Out ---------------------------------------------------------------------- */

static void ask_destructor(void *arg)
{
	struct ua_ask *a = arg;

	mem_deref(a->reach);
	mem_deref(a->req);
	mem_deref(a->headers);
	mem_deref(a->ctype);
	mem_deref(a->body);
}


static void resp_h(const struct sip_result *res, const struct sip_info *in,
		   void *arg)
{
	struct ua_ask *a = arg;

	a->req = mem_deref(a->req);
	a->h(res, in, 0, a->arg);
}


static void fail(struct ua_ask *a, int err)
{
	struct sip_result res = { .cause = SIP_CAUSE_LOCAL, .err = err };

	str_ncpy(res.reason, strerror(err), sizeof(res.reason));
	a->h(&res, NULL, a->key, a->arg);
}


static void reach_handler(const struct sip_result *err, const char *uri,
			  struct sip_ident *ident, void *arg)
{
	struct ua_ask *a = arg;
	const struct sip_req_conf conf = {
		.method = a->method, .uri = uri, .ident = ident,
		.headers = a->headers, .ctype = a->ctype, .body = a->body,
		.anonymous = a->anonymous,
	};
	int e;

	if (err) {
		a->h(err, NULL, 0, a->arg);
		return;
	}

	e = sip_req_send(&a->req, a->ua->sip, &conf, resp_h, a);
	if (e)
		fail(a, e);
}


static int dup(char **dst, const char *src)
{
	return src && src[0] ? str_dup(dst, src) : 0;
}


static int ask_new(struct ua_ask **ap, struct ua *ua, const char *method,
		   ua_ask_h *h, void *arg)
{
	struct ua_ask *a = mem_zalloc(sizeof(*a), ask_destructor);

	if (!a)
		return ENOMEM;

	a->ua = ua;
	a->h = h;
	a->arg = arg;
	str_ncpy(a->method, method, sizeof(a->method));
	*ap = a;

	return 0;
}


/* RFC 4538: who knows both tags is in the call, or was told by who is */
static int about(char **lines, const struct ua *ua,
		 const struct ua_ask_prm *prm)
{
	const struct call *c = ua_call(ua, prm->about);
	char target[UA_URI];
	struct sip_dialog_id id;
	int err = c && c->sip ? sip_call_dialog(&id, target, sizeof(target),
						c->sip) : ENOENT;

	return err ? err :
		re_sdprintf(lines, "%sTarget-Dialog: %s;local-tag=%s;"
			    "remote-tag=%s\r\n",
			    prm->headers ? prm->headers : "", id.callid,
			    id.rtag, id.ltag);
}


int ua_ask(struct ua_ask **ap, struct ua *ua, const struct ua_ask_prm *prm,
	   ua_ask_h *h, void *arg, char *err)
{
	struct ua_ask *a = NULL;
	struct call *c;
	int e;

	if (!ap || !ua || !prm || !prm->method || !h || !err)
		return EINVAL;
	err[0] = '\0';

	if (strlen(prm->method) >= sizeof(a->method))
		return call_error(err, EINVAL, "The method is too long.");
	if (prm->body && prm->body[0] && (!prm->ctype || !prm->ctype[0]))
		return call_error(err, EINVAL, "A body needs its type.");

	e = ask_new(&a, ua, prm->method, h, arg);
	if (!e && prm->about)
		e = about(&a->headers, ua, prm);
	else if (!e)
		e = dup(&a->headers, prm->headers);
	if (e == ENOENT || e == ENOTCONN) {
		call_error(err, e, "Call %u has no dialog to name.",
			   prm->about);
		goto out;
	}
	a->anonymous = prm->anonymous;
	if (!e)
		e = dup(&a->ctype, prm->ctype);
	if (!e)
		e = dup(&a->body, prm->body);
	if (e) {
		call_error(err, e, "Out of memory.");
		goto out;
	}

	if (prm->call) {
		c = ua_call(ua, prm->call);
		if (!call_living(c) || !c->sip) {
			e = call_gone(c, err);
			goto out;
		}
		e = sip_call_request(&a->req, c->sip, a->method, a->headers,
				     a->ctype, a->body, resp_h, a);
		if (e)
			call_error(err, e, e == EINVAL ? "%s cannot be sent "
				   "in a call by hand." : "%s is not sent: "
				   "the call is not up.", a->method);
	}
	else {
		e = reach_find(&a->reach, ua, prm->target, prm->account,
			       reach_handler, a, err);
	}

 out:
	if (e)
		mem_deref(a);
	else
		*ap = a;

	return e;
}


/* Keys --------------------------------------------------------------------- */

static void key_resp_h(const struct sip_result *res,
		       const struct sip_info *in, void *arg);


static int key_send(struct ua_ask *a)
{
	struct call *c = ua_call(a->ua, a->call);
	char body[LINE];

	if (!call_living(c))
		return ENOTCONN;

	if (a->ua->config->dtmf_info == DTMF_INFO_RELAY)
		(void)snprintf(body, sizeof(body), "Signal=%c\r\n"
			       "Duration=%d\r\n", a->keys[a->key],
			       a->key_ms ? (int)a->key_ms :
			       (int)a->ua->config->dtmf_duration_ms);
	else
		(void)snprintf(body, sizeof(body), "%c", a->keys[a->key]);

	return sip_call_request(&a->req, c->sip, "INFO", NULL,
				a->ua->config->dtmf_info == DTMF_INFO_RELAY ?
				"application/dtmf-relay" : "application/dtmf",
				body, key_resp_h, a);
}


static void key_resp_h(const struct sip_result *res,
		       const struct sip_info *in, void *arg)
{
	struct ua_ask *a = arg;
	int e;

	a->req = mem_deref(a->req);

	if (res->code / 100 != 2) {
		a->h(res, in, a->key, a->arg);
		return;
	}

	if (!a->keys[++a->key]) {
		a->h(res, in, a->key, a->arg);
		return;
	}

	e = key_send(a);
	if (e)
		fail(a, e);
}


int call_dtmf_info(struct ua_ask **ap, struct call *c, const char *digits,
		   unsigned ms, ua_ask_h *h, void *arg, char *err)
{
	struct ua_ask *a;
	size_t n = 0;
	int e;

	if (!call_living(c))
		return call_gone(c, err);

	e = ask_new(&a, c->ua, "INFO", h, arg);
	if (e)
		return call_error(err, e, "Out of memory.");

	/* pauses mean nothing here: each key waits for its answer */
	for (; *digits; digits++) {
		if (strchr(",wW", *digits))
			continue;
		if (n == KEYS_MAX ||
		    !strchr("0123456789*#ABCDabcd", *digits)) {
			mem_deref(a);
			return call_error(err, EINVAL, "At most %d keys: 0-9 "
					  "* # A-D.", KEYS_MAX);
		}
		a->keys[n++] = (char)toupper((unsigned char)*digits);
	}

	a->call = c->id;
	a->key_ms = ms;
	e = n ? key_send(a) : EINVAL;
	if (e) {
		mem_deref(a);
		return call_error(err, e, e == EINVAL ? "No digits." :
				  "Call %u is not up.", c->id);
	}
	*ap = a;

	return 0;
}
