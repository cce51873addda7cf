/**
 * @file sip/request_try.c  A request on its way: this address, or the next
 *
 * Main thread.  Each try is written anew, for the transport and the address
 * it leaves from, and is a transaction of its own.  An address is given up
 * when its transport fails, when it is silent for its share of the time, and
 * when it says 503; the last one has all the time that is left (RFC 3263 4.3).
 * Who was of no use is remembered for all requests, and cleared by any answer.
 * An INVITE that rings somewhere stays there.
 */
#include "request.h"


enum {
	UDP_MAX  = 1300,            /* RFC 3261 18.1.1                      */
	VIA_LEN  = 110,             /* what stands before our lines         */
	SHARE_T1 = 10,              /* patience with one address, in T1     */
	LEAST_T1 = 4,               /* less silence proves nothing          */
};


static uint32_t t1(const struct request *r)
{
	return stack_trans_t1(r->stack);
}


static bool last(const struct request *r)
{
	return r->ti + 1 >= r->tl.n;
}


void request_drop(struct request *r)
{
	r->tx = trans_drop(r->tx);
}


void request_adrift(struct request *r)
{
	if (r && r->tx)
		trans_adrift(r->tx);
}


int request_moved(struct request *r)
{
	struct target tg;
	int err;

	if (!r || !r->tx || !r->sent)
		return ENOTCONN;

	tg = r->tl.v[r->ti];
	tg.leg = stack_leg(r->stack, &tg.dst, tg.tp);
	tg.flow = 0;
	if (!tg.leg)
		return ENETUNREACH;

	err = tg.tp == SIP_TRANSP_UDP ? 0 :
		target_open(&tg, r->tls, r->domain);
	if (err)
		return err;

	trans_move(r->tx, &tg);
	r->tl.v[r->ti] = tg;

	return 0;
}


static void mark(struct request *r, uint32_t peace_s, const char *why)
{
	const struct target *tg = &r->tl.v[r->ti];

	dead_mark(r->stack->deads, tg->tp, &tg->dst, peace_s, why);
}


void request_alive(struct request *r)
{
	const struct target *tg = &r->tl.v[r->ti];

	if (r->heard)
		return;

	r->heard = true;
	dead_clear(r->stack->deads, tg->tp, &tg->dst);
}


/* What it says of our address would be of no use there */
static bool unfit(const struct request *r, unsigned to)
{
	return r->one_family && to < r->tl.n &&
		sa_af(&r->tl.v[to].dst) != sa_af(&r->tl.v[r->ti].dst);
}


/* @return false: there is none, or it may not go there */
static bool next(struct request *r, const char *why, bool tls)
{
	unsigned to = r->ti + 1;

	++r->failed;

	/* who cannot prove himself over TLS is not believed without it */
	while (tls && to < r->tl.n && r->tl.v[to].tp != SIP_TRANSP_TLS)
		++to;

	if (to >= r->tl.n || r->cancelled || unfit(r, to))
		return false;

	log_debug("%s: %s, next address", r->method, why);

	if (r->prov)
		r->due_ms = clock_ms() + r->timeout_ms;
	r->prov = r->heard = false;
	request_drop(r);
	r->ti = to;
	request_try(r);

	return true;
}


/* 503: not now, and not for others of ours either if it says for how long.
 * What somebody has heard ring may not ring elsewhere a second time */
bool request_busy(struct request *r, uint32_t peace_s)
{
	if (peace_s)
		mark(r, peace_s, "too busy (503)");
	else
		request_alive(r);

	return !r->rang && next(r, "503", false);
}


/* "no answer (192.0.2.1:5060, UDP)", and how many there were */
static void result_fail(struct sip_result *res, const struct request *r,
			enum sip_cause cause, int err, const char *what)
{
	const struct target *tg = &r->tl.v[r->ti];
	char more[40] = "";

	memset(res, 0, sizeof(*res));
	res->cause = cause;
	res->err = err;

	if (r->failed > 1)
		(void)snprintf(more, sizeof(more), ", the last of %u",
			       r->failed);

	(void)re_snprintf(res->reason, sizeof(res->reason), "%s (%J, %s%s)",
			  what, &tg->dst, sip_transp_name(tg->tp), more);
}


void request_failed(struct request *r, int err, const char *why)
{
	const bool late = err == ETIMEDOUT && !why;
	struct sip_result res;

	if (!why)
		why = late ? "no answer" : strerror(err);

	/* whoever begins anew by the other family must not come back here */
	if (!late || clock_ms() - r->sent_ms >= LEAST_T1 * t1(r) ||
	    unfit(r, r->ti + 1))
		mark(r, 0, why);

	/* it has begun there: it may ring at both ends by now */
	if (!(r->invite && r->prov) && next(r, why, err == EPROTO))
		return;

	if (r->cancelled)
		result_fail(&res, r, SIP_CAUSE_CANCELLED, err,
			    late ? "cancelled, no answer" : why);
	else
		result_fail(&res, r, late ? SIP_CAUSE_TIMEOUT :
			    SIP_CAUSE_TRANSPORT, err, why);
	if (!r->cancelled && !r->prov && unfit(r, r->ti + 1))
		res.err = EAFNOSUPPORT;

	request_end(r, &res, NULL);
}


/* No answer in time, from this address or at all */
static void late_h(void *arg)
{
	request_failed(arg, ETIMEDOUT, NULL);
}


static void wait_start(struct request *r)
{
	const uint64_t now = clock_ms();
	uint64_t ms = r->due_ms > now ? r->due_ms - now : 0;

	/* a share for each; the last has what is left */
	if (!last(r)) {
		ms /= r->tl.n - r->ti;
		if (ms > SHARE_T1 * t1(r))
			ms = SHARE_T1 * t1(r);
	}

	timer_start(&r->tmr, ms, late_h, r);
}


/* The message -------------------------------------------------------------- */

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


/* The address ------------------------------------------------------------- */

/*
 * The way is chosen first: who writes the message may want to keep it.
 * @return 0; otherwise *local: it could not be written at all
 */
static int prepare(struct request *r, bool *local)
{
	struct target *tg = &r->tl.v[r->ti];
	int err;

	*local = false;

	err = target_open(tg, r->tls, r->domain);
	if (err)
		return err;

	err = message_write(r, tg);
	if (!err && tcp_first(r)) {
		err = target_open(tg, r->tls, r->domain);
		if (err)
			return err;

		err = message_write(r, tg);
	}

	*local = err != 0;

	return err;
}


void request_try(struct request *r)
{
	struct sip_result *res = &r->res;
	int err = ENETUNREACH;
	bool local, other = false;

	for (; r->ti < r->tl.n; r->ti++) {

		err = prepare(r, &local);
		if (local) {
			request_end_later(r, SIP_CAUSE_LOCAL, err,
					  strerror(err));
			return;
		}

		if (!err)
			err = trans_send(&r->tx, &r->tl.v[r->ti], r->method,
					 r->uri, r->mb, request_response_h,
					 r);
		if (!err) {
			r->sent = true;
			r->sent_ms = clock_ms();
			wait_start(r);
			return;
		}

		++r->failed;
		mark(r, 0, strerror(err));
		if (unfit(r, r->ti + 1)) {
			other = true;
			break;
		}
	}

	/* the last one stays the one in use */
	if (r->ti >= r->tl.n)
		r->ti = r->tl.n ? r->tl.n - 1 : 0;
	result_fail(res, r, SIP_CAUSE_TRANSPORT, other ? EAFNOSUPPORT : err,
		    strerror(err));
	request_end_later(r, res->cause, err, NULL);
}
