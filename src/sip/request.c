/**
 * @file sip/request.c  One request to its final answer
 *
 * Main thread.  Finds out where to, sends through libre's transaction, and
 * tries again where trying again is right: with credentials after a
 * challenge, at the next address after a failure of this one (RFC 3263 4.3),
 * over TCP when it is too large for UDP (RFC 3261 18.1.1).  Every wait has a
 * bound of its own; libre's name service is never used.
 *
 * The owner holds the only reference and may let go at any time, inside its
 * handler too.  The handler is never called from inside a function of ours.
 */
#include "priv.h"


enum {
	TRIES_MAX   = 5,            /* with credentials                    */
	FAILOVER_MS = 5000,         /* for an address that is not the last */
	UDP_MAX     = 1300,
	VIA_LEN     = 110,          /* what libre puts before our lines    */
};

struct request {
	struct le le;               /* stack->reqs                         */
	struct sip_stack *stack;    /* NULL: gone                          */
	struct target_list tl;
	unsigned ti;                /* the one in use                      */
	struct target_query *query;
	struct sip_request *req;    /* libre's, while it is under way      */
	struct mbuf *mb;            /* as sent, without its first lines    */
	size_t callid_pos, callid_len;
	uint32_t cseq;
	struct digest *digest;
	struct mbuf *body;
	struct timer tmr;           /* late_h or end_h                     */
	uint64_t due_ms;
	uint32_t timeout_ms;
	struct sip_result res;      /* to tell on the next turn            */
	request_head_h *head_h;
	request_resp_h *resp_h;     /* NULL: it is over                    */
	void *arg;
	unsigned tries;
	bool invite;
	bool sent;
	bool prov;                  /* INVITE: a 1xx came                  */
	bool cancelled;
	const char *ctype;          /* NULL: no body                       */
	const char *uri;
	char method[];              /* and, behind it, uri and ctype       */
};

static void try_targets(struct request *r);


static void result_set(struct sip_result *res, enum sip_cause cause, int err,
		       const char *text)
{
	memset(res, 0, sizeof(*res));
	res->cause = cause;
	res->err = err;
	(void)snprintf(res->reason, sizeof(res->reason), "%s", text);
}


static void end(struct request *r, const struct sip_result *res,
		const struct sip_msg *msg)
{
	request_resp_h *h = r->resp_h;
	struct sip_stack *s = r->stack;

	r->resp_h = NULL;
	timer_cancel(&r->tmr);
	list_unlink(&r->le);

	if (!h)
		return;

	mem_ref(r);

	r->req = mem_deref(r->req);
	r->query = mem_deref(r->query);

	h(true, res, msg, r->arg);

	mem_deref(r);
	stack_closing_check(s);
}


static void end_h(void *arg)
{
	struct request *r = arg;
	const struct sip_result res = r->res;

	end(r, &res, NULL);
}


static void end_later(struct request *r, enum sip_cause cause, int err,
		      const char *text)
{
	result_set(&r->res, cause, err, text);
	timer_start(&r->tmr, 0, end_h, r);
}


static bool last_target(const struct request *r)
{
	return r->ti + 1 >= r->tl.n;
}


/* No answer in time, from this address or at all */
static void late_h(void *arg)
{
	struct request *r = arg;
	struct sip_result res;

	if (r->cancelled) {
		result_set(&res, SIP_CAUSE_CANCELLED, ETIMEDOUT,
			   "cancelled, and the peer says nothing");
	}
	else if (!last_target(r) && clock_ms() < r->due_ms) {
		log_debug("%s: no answer, next address", r->method);
		r->req = mem_deref(r->req);
		++r->ti;
		try_targets(r);
		return;
	}
	else {
		result_set(&res, SIP_CAUSE_TIMEOUT, ETIMEDOUT, "no answer");
	}

	end(r, &res, NULL);
}


static void wait_start(struct request *r)
{
	const uint64_t now = clock_ms();
	uint64_t ms = r->due_ms > now ? r->due_ms - now : 0;

	if (!last_target(r) && ms > FAILOVER_MS)
		ms = FAILOVER_MS;

	timer_start(&r->tmr, ms, late_h, r);
}


/* Does it answer what we sent?  libre has compared branch and method only */
static bool response_fits(const struct request *r, const struct sip_msg *msg)
{
	const char *callid = (const char *)r->mb->buf + r->callid_pos;

	return sanity_response_ok(msg) && msg->cseq.num == r->cseq &&
		msg->callid.l == r->callid_len &&
		!memcmp(msg->callid.p, callid, r->callid_len);
}


static void auth_failed(struct request *r, const struct sip_msg *msg,
			int err)
{
	struct sip_result res;

	sip_result_status(&res, msg);
	res.cause = SIP_CAUSE_AUTH;
	res.err = err;

	(void)snprintf(res.reason, sizeof(res.reason), "%s",
		       err == EAUTH ? "the credentials were refused" :
		       err == EACCES ? "credentials are needed" :
		       err == ELOOP ? "challenged again and again" :
		       err == ENOTSUP ? "no challenge that can be answered" :
		       strerror(err));

	end(r, &res, msg);
}


/* @return true: it is sent again, or over */
static bool challenged(struct request *r, const struct sip_msg *msg)
{
	int err;

	if ((msg->scode != 401 && msg->scode != 407) || r->cancelled)
		return false;

	if (!r->digest)
		err = EACCES;
	else
		err = digest_challenge(r->digest, msg);
	if (!err && ++r->tries >= TRIES_MAX)
		err = ELOOP;

	if (err) {
		auth_failed(r, msg, err);
		return true;
	}

	if (r->invite)
		r->due_ms = clock_ms() + r->timeout_ms;
	r->prov = false;
	try_targets(r);

	return true;
}


static void final(struct request *r, const struct sip_msg *msg)
{
	struct sip_result res;

	if (!response_fits(r, msg)) {
		result_set(&res, SIP_CAUSE_PROTOCOL, EBADMSG,
			   "the response does not fit the request");
		res.remote = true;
		end(r, &res, NULL);
		return;
	}

	if (challenged(r, msg))
		return;

	digest_accepted(r->digest);

	if (msg->scode == 503 && !r->cancelled && !last_target(r)) {
		log_debug("%s: 503, next address", r->method);
		++r->ti;
		r->prov = false;
		try_targets(r);
		return;
	}

	sip_result_status(&res, msg);
	if (r->cancelled && msg->scode == 487) {
		res.cause = SIP_CAUSE_CANCELLED;
		res.remote = false;
	}

	end(r, &res, msg);
}


static void failed(struct request *r, int err)
{
	struct sip_result res;

	if (r->cancelled) {
		result_set(&res, SIP_CAUSE_CANCELLED, err, strerror(err));
	}
	else if (!last_target(r)) {
		log_debug("%s: %s, next address", r->method, strerror(err));
		++r->ti;
		r->prov = false;
		try_targets(r);
		return;
	}
	else {
		result_set(&res, err == ETIMEDOUT ? SIP_CAUSE_TIMEOUT :
			   SIP_CAUSE_TRANSPORT, err,
			   err == ETIMEDOUT ? "no answer" : strerror(err));
	}

	end(r, &res, NULL);
}


static void response_h(int err, const struct sip_msg *msg, void *arg)
{
	struct request *r = arg;
	struct sip_result res;

	if (!r->resp_h)
		return;

	if (!msg) {
		failed(r, err ? err : ECONNABORTED);
		return;
	}

	if (msg->scode >= 200) {
		final(r, msg);
		return;
	}

	if (!response_fits(r, msg)) {
		++r->stack->stats.discarded;
		return;
	}

	/* it may ring for as long as its user likes */
	if (r->invite && !r->prov) {
		r->prov = true;
		if (!r->cancelled)
			timer_cancel(&r->tmr);
		else
			stack_closing_check(r->stack);
	}

	sip_result_status(&res, msg);
	r->resp_h(false, &res, msg, r->arg);
}


/* Where its Call-ID and CSeq stand, to compare responses with */
static int marks_find(struct request *r)
{
	static const char callid[] = "\r\nCall-ID: ", cseq[] = "\r\nCSeq: ";
	const char *buf = (const char *)r->mb->buf, *end = buf + r->mb->end;
	const char *p, *q;

	p = memmem(buf, r->mb->end, callid, sizeof(callid) - 1);
	if (!p)
		return EINVAL;
	p += sizeof(callid) - 1;
	q = memchr(p, '\r', (size_t)(end - p));
	if (!q)
		return EINVAL;

	r->callid_pos = (size_t)(p - buf);
	r->callid_len = (size_t)(q - p);

	p = memmem(buf, r->mb->end, cseq, sizeof(cseq) - 1);
	if (!p)
		return EINVAL;
	p += sizeof(cseq) - 1;
	q = memchr(p, ' ', (size_t)(end - p));

	return q ? text_u32(&r->cseq, p, (size_t)(q - p), 0x7fffffff) :
		EINVAL;
}


static int message_write(struct request *r, const struct target *tg)
{
	const size_t len = r->body ? mbuf_get_left(r->body) : 0;
	const char *body = len ? (const char *)mbuf_buf(r->body) : NULL;
	char num[48];
	struct mbuf *mb;
	int err;

	mb = mbuf_alloc(1024 + len);
	if (!mb)
		return ENOMEM;

	mem_deref(r->mb);
	r->mb = mb;

	err = mbuf_write_str(mb, "Max-Forwards: 70\r\n");
	if (!err)
		err = r->head_h(mb, tg, r->arg);
	if (!err)
		err = marks_find(r);
	if (!err && r->digest)
		err = digest_write(r->digest, mb, r->method, r->uri, body,
				   len);
	if (!err)
		err = mbuf_write_str(mb, "User-Agent: ");
	if (!err)
		err = mbuf_write_str(mb, r->stack->user_agent);
	if (!err && len && r->ctype) {
		err = mbuf_write_str(mb, "\r\nContent-Type: ");
		if (!err)
			err = mbuf_write_str(mb, r->ctype);
	}
	if (!err) {
		(void)snprintf(num, sizeof(num),
			       "\r\nContent-Length: %zu\r\n\r\n", len);
		err = mbuf_write_str(mb, num);
	}
	if (!err && len)
		err = mbuf_write_mem(mb, (const uint8_t *)body, len);

	mb->pos = 0;

	return err;
}


/*
 * Too large for UDP, and nobody asked for UDP: the same address over TCP
 * comes first. @return true when it was put in
 */
static bool tcp_first(struct request *r)
{
	struct target *tg = &r->tl.v[r->ti], tcp = *tg;
	const size_t len = strlen(r->method) + strlen(r->uri) + VIA_LEN +
		r->mb->end;

	if (tg->tp != SIP_TRANSP_UDP || tg->tp_named || len <= UDP_MAX ||
	    r->tl.n == TARGETS_MAX || !sa_isset(&tg->leg->tcp, SA_ADDR))
		return false;

	tg->tp_named = true;
	tcp.tp_named = true;
	tcp.tp = SIP_TRANSP_TCP;

	memmove(tg + 1, tg, (r->tl.n - r->ti) * sizeof(*tg));
	*tg = tcp;
	++r->tl.n;

	return true;
}


static int send_to(struct request *r, const struct target *tg)
{
	char host[64];
	struct uri route;

	/* numeric: libre asks no name service */
	if (sa_ntop(&tg->dst, host, sizeof(host)))
		return EINVAL;

	memset(&route, 0, sizeof(route));
	pl_set_str(&route.scheme, "sip");
	pl_set_str(&route.host, host);
	pl_set_str(&route.params, tg->tp == SIP_TRANSP_TCP ?
		   ";transport=tcp" : ";transport=udp");
	route.port = sa_port(&tg->dst);

	return sip_request(&r->req, tg->leg->sip, true, r->method, -1,
			   r->uri, -1, &route, r->mb, 0, NULL, response_h, r);
}


/* Send to the address in use, or the next one that takes it */
static void try_targets(struct request *r)
{
	int err = ENETUNREACH;

	for (; r->ti < r->tl.n; r->ti++) {

		err = message_write(r, &r->tl.v[r->ti]);
		if (!err && tcp_first(r))
			err = message_write(r, &r->tl.v[r->ti]);
		if (err) {
			end_later(r, SIP_CAUSE_LOCAL, err, strerror(err));
			return;
		}

		err = send_to(r, &r->tl.v[r->ti]);
		if (!err) {
			r->sent = true;
			wait_start(r);
			return;
		}
	}

	/* the last one stays the one in use */
	r->ti = r->tl.n ? r->tl.n - 1 : 0;
	end_later(r, SIP_CAUSE_TRANSPORT, err, strerror(err));
}


static void targets_h(const struct sip_result *err,
		      const struct target_list *tl, void *arg)
{
	struct request *r = arg;

	if (err) {
		end(r, err, NULL);
		return;
	}

	r->tl = *tl;
	r->query = mem_deref(r->query);
	try_targets(r);
}


static void request_destructor(void *arg)
{
	struct request *r = arg;

	timer_cancel(&r->tmr);
	list_unlink(&r->le);

	/* an INVITE of libre's is cancelled by this once it may be */
	mem_deref(r->req);
	mem_deref(r->query);
	mem_deref(r->mb);
	mem_deref(r->body);
	mem_deref(r->digest);
}


static char *append(char *p, const char **field, const char *text)
{
	const size_t n = strlen(text) + 1;

	memcpy(p, text, n);
	if (field)
		*field = p;

	return p + n;
}


int request_send(struct request **rp, struct sip_stack *s,
		 const struct request_conf *conf, request_head_h *head_h,
		 request_resp_h *resp_h, void *arg)
{
	struct request *r;
	struct sip_result res;
	char *p;
	int err;

	if (!rp || !s || !conf || !conf->method || !conf->uri || !head_h ||
	    !resp_h || (!conf->targets && !conf->hop))
		return EINVAL;

	r = mem_zalloc(sizeof(*r) + strlen(conf->method) + 1 +
		       strlen(conf->uri) + 1 +
		       (conf->ctype ? strlen(conf->ctype) + 1 : 0),
		       request_destructor);
	if (!r)
		return ENOMEM;

	p = append(r->method, NULL, conf->method);
	p = append(p, &r->uri, conf->uri);
	if (conf->ctype)
		(void)append(p, &r->ctype, conf->ctype);

	r->stack = s;
	r->invite = !strcmp(conf->method, "INVITE");
	r->digest = mem_ref(conf->digest);
	r->body = mem_ref(conf->body);
	r->timeout_ms = conf->timeout_ms ? conf->timeout_ms : s->timeout_ms;
	r->due_ms = clock_ms() + r->timeout_ms;
	r->head_h = head_h;
	r->resp_h = resp_h;
	r->arg = arg;

	if (conf->targets) {
		r->tl = *conf->targets;
		err = 0;
	}
	else {
		err = target_numeric(&r->tl, s, conf->hop, conf->transport,
				     &res);
	}

	if (err == ENOENT) {
		err = target_find(&r->query, s, conf->hop, conf->transport,
				  targets_h, r);
		if (err) {
			mem_deref(r);
			return err;
		}
	}
	else if (err) {
		r->res = res;
		timer_start(&r->tmr, 0, end_h, r);
	}

	list_append(&s->reqs, &r->le, r);
	*rp = r;

	if (!err && !r->query)
		try_targets(r);

	return 0;
}


void request_cancel(struct request *r)
{
	if (!r || !r->resp_h || r->cancelled)
		return;

	r->cancelled = true;

	if (r->req) {
		sip_request_cancel(r->req);
		timer_start(&r->tmr, SIP_64T1_MS, late_h, r);
	}
	else {
		r->query = mem_deref(r->query);
		end_later(r, SIP_CAUSE_CANCELLED, ECANCELED, "cancelled");
	}
}


/*
 * 9.1: CANCEL may go out once the peer has been heard of.  When that has not
 * been for T1, an INVITE given up keeps nobody waiting.
 */
uint64_t request_pending_until(const struct request *r)
{
	const uint32_t t1 = r->stack->t1_ms;

	if (!r->invite || !r->cancelled || r->prov)
		return UINT64_MAX;

	return r->due_ms - r->timeout_ms + (t1 ? t1 : SIP_T1_MS);
}


const struct target *request_target(const struct request *r)
{
	return r && r->sent ? &r->tl.v[r->ti] : NULL;
}


void request_stack_gone(struct sip_stack *s)
{
	struct request *r;

	while ((r = list_ledata(list_head(&s->reqs)))) {

		timer_cancel(&r->tmr);
		list_unlink(&r->le);
		r->resp_h = NULL;
		r->stack = NULL;
		r->req = mem_deref(r->req);
		r->query = mem_deref(r->query);
	}
}
