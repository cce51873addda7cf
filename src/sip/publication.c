/**
 * @file sip/publication.c  We publish our state (RFC 3903)
 *
 * Main thread.  One PUBLISH is under way at a time; the newest body wins.  The
 * entity tag of the last answer goes into the next one, and when the server
 * has lost it (412) the state is published as new.
 */
#include "event.h"


enum { EXPIRES_S = 3600, EXPIRES_MAX_S = 7 * 24 * 3600 };

struct sip_pub {
	struct le le;               /* stack->pubs                         */
	struct sip_stack *stack;    /* NULL: it is gone                    */
	struct sip_ident *ident;
	sip_pub_h *h;
	void *arg;
	char *uri, *event;
	char *ctype, *body;         /* the newest                          */
	char *etag;                 /* NULL: nothing is published          */
	uint32_t expires_s;
	uint32_t granted_s;

	struct sip_req *req;
	struct timer tmr;           /* refresh or retry                    */
	struct timer tmr_turn;
	struct sip_result res;
	unsigned tries, retries;
	bool fresh;                 /* body has not been sent              */
	bool sending_body;
	bool end_out;               /* req takes it back                   */
	bool ending, ended;
};

static void publish(struct sip_pub *p);


static void turn_h(void *arg)
{
	struct sip_pub *p = arg;

	p->h(&p->res, 0, p->arg);
}


static void due_h(void *arg)
{
	publish(arg);
}


/* Nothing more comes of it; told on a turn of its own */
static void finish(struct sip_pub *p, const struct sip_result *res)
{
	timer_cancel(&p->tmr);
	p->ended = true;
	if (res)
		p->res = *res;
	else
		memset(&p->res, 0, sizeof(p->res));
	timer_start(&p->tmr_turn, 0, turn_h, p);
}


static void retry(struct sip_pub *p, const struct sip_result *res)
{
	const uint64_t ms = 1000ULL * event_backoff_s(p->tries++,
						      res->retry_after_s);

	timer_start(&p->tmr, ms, due_h, p);
	p->h(res, ms, p->arg);
}


static void accepted(struct sip_pub *p, const struct sip_result *res,
		     const struct sip_info *in)
{
	char tag[256];
	uint64_t ms;
	uint32_t s;

	p->tries = p->retries = 0;

	p->etag = mem_deref(p->etag);
	if (p->end_out) {
		finish(p, NULL);
		return;
	}

	if (!sip_info_header(in, "SIP-ETag", tag, sizeof(tag)))
		(void)str_dup(&p->etag, tag);
	if (p->ending) {
		publish(p);
		return;
	}

	p->granted_s = !header_u32(in->msg, "Expires", EXPIRES_MAX_S, &s) &&
		s ? s : p->expires_s;

	if (p->fresh) {
		publish(p);
		return;
	}

	/* well before it runs out */
	ms = 1000ULL * p->granted_s;
	ms -= ms > 600000 ? 60000 : ms / 10;
	timer_start(&p->tmr, ms, due_h, p);
	p->h(res, ms, p->arg);
}


static bool hopeless(const struct sip_result *res)
{
	static const uint16_t v[] = {
		400, 403, 404, 405, 410, 413, 414, 415, 416, 420, 485, 488,
		489, 493, 501, 505, 600, 603, 604, 606,
	};
	size_t i;

	if (res->cause == SIP_CAUSE_AUTH)
		return true;

	for (i = 0; i < COUNTOF(v); i++) {
		if (res->code == v[i])
			return true;
	}

	return false;
}


static void resp_h(const struct sip_result *res, const struct sip_info *in,
		   void *arg)
{
	struct sip_pub *p = arg;
	uint32_t s;

	p->req = mem_deref(p->req);

	if (res->code >= 200 && res->code < 300 && in) {
		accepted(p, res, in);
		return;
	}

	if (p->sending_body)
		p->fresh = true;

	if (res->code == 412 && p->etag && p->retries++ < EVENT_RETRIES_MAX) {
		p->etag = mem_deref(p->etag);
		p->fresh = true;
		if (p->ending)
			finish(p, NULL);
		else
			publish(p);
	}
	else if (res->code == 423 && in && !p->ending &&
		 p->retries++ < EVENT_RETRIES_MAX &&
		 !header_u32(in->msg, "Min-Expires", EXPIRES_MAX_S, &s) &&
		 s > p->expires_s) {
		p->expires_s = s;
		publish(p);
	}
	else if (p->ending || hopeless(res)) {
		finish(p, res);
	}
	else {
		retry(p, res);
	}
}


static int headers_make(char **hp, const struct sip_pub *p)
{
	return re_sdprintf(hp, "Event: %s\r\nExpires: %u\r\n%s%s%s",
			   p->event, p->ending ? 0 : p->expires_s,
			   p->etag ? "SIP-If-Match: " : "",
			   p->etag ? p->etag : "", p->etag ? "\r\n" : "");
}


static void publish(struct sip_pub *p)
{
	struct sip_req_conf conf = {
		.method = "PUBLISH",
		.uri    = p->uri,
		.ident  = p->ident,
	};
	struct sip_result res = {.cause = SIP_CAUSE_LOCAL};
	char *headers = NULL;

	timer_cancel(&p->tmr);
	if (p->req || p->ended)
		return;

	p->end_out = p->ending;

	/* a refresh and the end have no body (RFC 3903 4.1) */
	p->sending_body = !p->ending && (p->fresh || !p->etag);
	if (p->sending_body) {
		conf.ctype = p->ctype;
		conf.body = p->body;
		p->fresh = false;
	}

	res.err = headers_make(&headers, p);
	if (!res.err) {
		conf.headers = headers;
		res.err = p->stack ? sip_req_send(&p->req, p->stack, &conf,
						  resp_h, p) : ESHUTDOWN;
	}
	mem_deref(headers);

	if (res.err) {
		(void)snprintf(res.reason, sizeof(res.reason), "%s",
			       strerror(res.err));
		finish(p, &res);
	}
}


static void pub_destructor(void *arg)
{
	struct sip_pub *p = arg;

	timer_cancel(&p->tmr);
	timer_cancel(&p->tmr_turn);
	list_unlink(&p->le);
	mem_deref(p->req);
	mem_deref(p->ident);
	mem_deref(p->uri);
	mem_deref(p->event);
	mem_deref(p->ctype);
	mem_deref(p->body);
	mem_deref(p->etag);
}


int sip_pub_alloc(struct sip_pub **pp, struct sip_stack *s,
		  const struct sip_pub_conf *conf, sip_pub_h *h, void *arg)
{
	struct event_type ev;
	struct sip_pub *p;
	struct suri u;
	struct pl pl;
	int err;

	if (!pp || !s || !conf || !conf->ident || !conf->event || !h ||
	    (conf->uri && suri_parse_str(&u, conf->uri)))
		return EINVAL;
	pl_set_str(&pl, conf->event);
	if (!event_parse_text(&ev, &pl) || !header_text_ok(conf->event))
		return EINVAL;

	p = mem_zalloc(sizeof(*p), pub_destructor);
	if (!p)
		return ENOMEM;

	p->stack = s;
	p->ident = mem_ref(conf->ident);
	p->h = h;
	p->arg = arg;
	p->expires_s = conf->expires_s ? conf->expires_s : EXPIRES_S;
	list_append(&s->pubs, &p->le, p);

	err = str_dup(&p->uri, conf->uri ? conf->uri :
		      sip_ident_aor(conf->ident));
	if (!err)
		err = str_dup(&p->event, conf->event);

	if (err)
		mem_deref(p);
	else
		*pp = p;

	return err;
}


int sip_pub_set(struct sip_pub *p, const char *ctype, const char *body)
{
	char *c = NULL, *b = NULL;
	int err;

	if (!p || !ctype || !body || !header_text_ok(ctype))
		return EINVAL;
	if (!p->stack || p->ending)
		return ENOTCONN;

	err = str_dup(&c, ctype);
	if (!err)
		err = str_dup(&b, body);
	if (err) {
		mem_deref(c);
		return err;
	}

	mem_deref(p->ctype);
	mem_deref(p->body);
	p->ctype = c;
	p->body = b;
	p->fresh = true;
	p->ended = false;
	timer_cancel(&p->tmr_turn);

	publish(p);

	return 0;
}


void sip_pub_end(struct sip_pub *p)
{
	if (!p || p->ending)
		return;

	p->ending = true;

	/* nothing that they know of */
	if (!p->stack || (!p->etag && !p->req)) {
		finish(p, NULL);
		return;
	}

	if (!p->req)
		publish(p);
}


void pub_stack_gone(struct sip_stack *s)
{
	struct sip_pub *p;

	while ((p = list_ledata(list_head(&s->pubs)))) {
		timer_cancel(&p->tmr);
		timer_cancel(&p->tmr_turn);
		list_unlink(&p->le);
		p->req = mem_deref(p->req);
		p->stack = NULL;
		p->ended = true;
	}
}
