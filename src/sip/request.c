/**
 * @file sip/request.c  One request to its final answer
 *
 * Main thread.  Finds out where to, has it sent (request_try.c), and tries
 * again with credentials after a challenge.  Every wait has a bound of its
 * own; libre's name service is never used.
 *
 * The owner holds the only reference and may let go at any time, inside its
 * handler too.  The handler is never called from inside a function of ours.
 */
#include "request.h"


enum { TRIES_MAX = 5 };         /* with credentials */

static void result_set(struct sip_result *res, enum sip_cause cause, int err,
		       const char *text)
{
	memset(res, 0, sizeof(*res));
	res->cause = cause;
	res->err = err;
	(void)snprintf(res->reason, sizeof(res->reason), "%s", text);
}


void request_end(struct request *r, const struct sip_result *res,
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

	request_drop(r);
	r->query = mem_deref(r->query);
	r->race = mem_deref(r->race);

	h(true, res, msg, r->arg);

	mem_deref(r);
	stack_closing_check(s);
}


static void end_h(void *arg)
{
	struct request *r = arg;
	const struct sip_result res = r->res;

	request_end(r, &res, NULL);
}


void request_end_later(struct request *r, enum sip_cause cause, int err,
		       const char *text)
{
	if (text)
		result_set(&r->res, cause, err, text);
	timer_start(&r->tmr, 0, end_h, r);
}


/* Does it answer what we sent?  Branch and method are compared already */
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

	request_end(r, &res, msg);
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

	request_alive(r);
	if (r->invite)
		r->due_ms = clock_ms() + r->timeout_ms;
	r->prov = r->rang = false;
	request_try(r);

	return true;
}


static void final(struct request *r, const struct sip_msg *msg)
{
	struct sip_result res;

	if (!response_fits(r, msg)) {
		result_set(&res, SIP_CAUSE_PROTOCOL, EBADMSG,
			   "the response does not fit the request");
		res.remote = true;
		request_end(r, &res, NULL);
		return;
	}

	if (challenged(r, msg))
		return;

	digest_accepted(r->digest, msg);

	sip_result_status(&res, msg);

	if (msg->scode == 503) {
		if (request_busy(r, res.retry_after_s))
			return;
	}
	else {
		request_alive(r);
	}

	if (r->cancelled && msg->scode == 487) {
		res.cause = SIP_CAUSE_CANCELLED;
		res.remote = false;
	}

	request_end(r, &res, msg);
}


void request_response_h(int err, const char *why, const struct sip_msg *msg,
			void *arg)
{
	struct request *r = arg;
	struct sip_result res;

	if (!r->resp_h)
		return;

	if (!msg) {
		request_failed(r, err ? err : ECONNABORTED, why);
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

	request_alive(r);
	r->rang = r->rang || msg->scode > 100;

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


static void raced_h(const struct target_list *tl, void *arg)
{
	struct request *r = arg;

	r->tl = *tl;
	r->race = mem_deref(r->race);
	request_try(r);
}


/* Its addresses are known */
static void begin(struct request *r)
{
	if (target_race(&r->race, r->stack, &r->tl, r->tls, r->domain,
			raced_h, r))
		request_try(r);
}


static void targets_h(const struct sip_result *err,
		      const struct target_list *tl, void *arg)
{
	struct request *r = arg;

	if (err) {
		request_end(r, err, NULL);
		return;
	}

	r->tl = *tl;
	r->query = mem_deref(r->query);
	begin(r);
}


static void request_destructor(void *arg)
{
	struct request *r = arg;

	timer_cancel(&r->tmr);
	list_unlink(&r->le);

	/* an INVITE is cancelled by this once it may be */
	request_drop(r);
	mem_deref(r->query);
	mem_deref(r->race);
	mem_deref(r->mb);
	mem_deref(r->body);
	mem_deref(r->digest);
	mem_deref(r->tls);
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
	char domain[256], *p;
	int err;

	if (!rp || !s || !conf || !conf->method || !conf->uri || !head_h ||
	    !resp_h || (!conf->targets && !conf->hop))
		return EINVAL;

	if (conf->domain)
		str_ncpy(domain, conf->domain, sizeof(domain));
	else if (target_domain(domain, sizeof(domain), conf->hop ?
			       conf->hop : conf->uri))
		*domain = '\0';

	r = mem_zalloc(sizeof(*r) + strlen(conf->method) + 1 +
		       strlen(conf->uri) + 1 + strlen(domain) + 1 +
		       (conf->ctype ? strlen(conf->ctype) + 1 : 0),
		       request_destructor);
	if (!r)
		return ENOMEM;

	p = append(r->method, NULL, conf->method);
	p = append(p, &r->uri, conf->uri);
	p = append(p, &r->domain, domain);
	if (conf->ctype)
		(void)append(p, &r->ctype, conf->ctype);

	r->stack = s;
	r->invite = !strcmp(conf->method, "INVITE");
	r->one_family = conf->one_family;
	r->digest = mem_ref(conf->digest);
	r->tls = mem_ref(conf->tls);
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
		begin(r);

	return 0;
}


static void silent_h(void *arg)
{
	struct request *r = arg;
	struct sip_result res;

	result_set(&res, SIP_CAUSE_CANCELLED, ETIMEDOUT,
		   "cancelled, and the peer says nothing");
	request_end(r, &res, NULL);
}


void request_cancel(struct request *r)
{
	request_cancel_saying(r, NULL);
}


void request_cancel_saying(struct request *r, const char *lines)
{
	if (!r || !r->resp_h || r->cancelled)
		return;

	r->cancelled = true;

	if (r->tx) {
		trans_cancel(r->tx, lines);
		timer_start(&r->tmr, 64 * stack_trans_t1(r->stack),
			    silent_h, r);
	}
	else {
		r->query = mem_deref(r->query);
		r->race = mem_deref(r->race);
		request_end_later(r, SIP_CAUSE_CANCELLED, ECANCELED, "cancelled");
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
		request_drop(r);
		r->stack = NULL;
		r->query = mem_deref(r->query);
		r->race = mem_deref(r->race);
	}
}
