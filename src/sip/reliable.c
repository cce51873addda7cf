/**
 * @file reliable.c  Reliable provisional responses, as callee (RFC 3262)
 *
 * One at a time: it is sent again, T1 doubling, on every transport, until its
 * PRACK comes; the next one waits for that.  After 64*T1 the caller is
 * not there any more and the INVITE is refused.  Those with a description
 * hold back a 2xx.  Main thread.
 */
#include <offhook/random.h>
#include "session.h"


enum {
	RSEQ_FIRST_MAX = 0x3fffffff,
	RSEQ_MAX       = 0x7fffffff,
	WAITING_MAX    = 8,
	CSEQ_MAX       = 0x7fffffff,
};

/** One that waits for its turn */
struct waiting {
	struct le le;
	struct mbuf *sdp;
	char *reason;
	uint16_t code;
};

struct reliable {
	struct sip_call *call;
	struct list waiting;
	struct mbuf *mb;            /* the one out, as sent                */
	uint32_t rseq;              /* of the one out, or of the last      */
	uint32_t cseq;              /* of the INVITE                       */
	uint16_t code;
	bool out;                   /* not PRACKed yet                     */
	bool sdp;                   /* it has a description                */
	uint32_t wait_ms;
	uint64_t end_ms;
	struct timer tmr;
};


static void waiting_destructor(void *arg)
{
	struct waiting *w = arg;

	list_unlink(&w->le);
	mem_deref(w->sdp);
	mem_deref(w->reason);
}


static void reliable_destructor(void *arg)
{
	struct reliable *r = arg;

	timer_cancel(&r->tmr);
	list_flush(&r->waiting);
	mem_deref(r->mb);
}


static int reliable_alloc(struct sip_call *c)
{
	struct reliable *r;

	if (c->rel)
		return 0;

	r = mem_zalloc(sizeof(*r), reliable_destructor);
	if (!r)
		return ENOMEM;

	r->call = c;
	r->rseq = random_u32() & RSEQ_FIRST_MAX;
	r->cseq = c->msg->cseq.num;
	c->rel = r;

	return 0;
}


bool reliable_wanted(const struct sip_call *c, bool sdp)
{
	if (!c->peer_100rel || !ext_rel100(c))
		return false;
	if (c->need_100rel)
		return true;

	/* once begun, the order counts */
	if (c->ext.rel100 == SIP_EXT_REQUIRED || c->rel)
		return true;

	return c->ext.rel100 == SIP_EXT_SUPPORTED && sdp;
}


static void lost(struct sip_call *c)
{
	const struct sip_result res = {.cause = SIP_CAUSE_TIMEOUT};

	log_info("call: no PRACK came");
	session_terminate(c, 504);
	session_closed(c, &res, NULL);
}


static void again_h(void *arg)
{
	struct reliable *r = arg;
	struct sip_call *c = r->call;
	const uint64_t now = clock_ms();
	uint64_t left;
	int err;

	if (now >= r->end_ms) {
		lost(c);
		return;
	}

	err = strans_send(&c->st, r->code, r->mb);
	if (err) {
		(void)reply_failed(c, err);
		return;
	}

	r->wait_ms *= 2;
	left = r->end_ms - now;
	timer_start(&r->tmr, r->wait_ms < left ? r->wait_ms : left, again_h,
		    r);
}


static int send_now(struct sip_call *c, uint16_t code, const char *reason,
		    struct mbuf *sdp)
{
	struct reliable *r = c->rel;
	struct offer o = c->br->offer;
	struct mbuf *mb = NULL;
	char lines[64];
	int err;

	if (sdp && offer_send(&o, BY_1XX_REL, true) == MEANS_NOTHING)
		sdp = NULL;

	(void)snprintf(lines, sizeof(lines), "Require: 100rel\r\nRSeq: %u\r\n",
		       r->rseq + 1);

	err = session_reply(c->br, c->leg, &c->st, &mb, c->msg, code, reason,
			    lines, sdp);
	if (err)
		return reply_failed(c, err);

	c->br->offer = o;
	++r->rseq;
	r->out = true;
	r->sdp = sdp != NULL;
	r->code = code;
	mem_deref(r->mb);
	r->mb = mb;

	/* what proxies hear each minute is a new one without a description */
	c->prov = mem_deref(c->prov);
	c->prov_code = code;
	refresh_start(c);

	r->wait_ms = session_t1(c);
	r->end_ms = clock_ms() + 64 * session_t1(c);
	timer_start(&r->tmr, r->wait_ms, again_h, r);

	return 0;
}


int reliable_send(struct sip_call *c, uint16_t code, const char *reason,
		  struct mbuf *sdp)
{
	struct waiting *w;
	int err = reliable_alloc(c);

	if (err)
		return err;

	if (!c->rel->out && list_isempty(&c->rel->waiting))
		return send_now(c, code, reason, sdp);

	if (list_count(&c->rel->waiting) >= WAITING_MAX)
		return ENOBUFS;

	w = mem_zalloc(sizeof(*w), waiting_destructor);
	if (!w)
		return ENOMEM;

	if (reason)
		err = str_dup(&w->reason, reason);
	if (err) {
		mem_deref(w);
		return err;
	}

	w->code = code;
	w->sdp = mem_ref(sdp);
	list_append(&c->rel->waiting, &w->le, w);

	return 0;
}


bool reliable_holds(const struct sip_call *c)
{
	return c->rel && c->rel->out && c->rel->sdp;
}


void reliable_drop(struct sip_call *c)
{
	if (c->rel)
		list_flush(&c->rel->waiting);
}


/* A final response goes out: nothing is sent again, but PRACKs are served */
void reliable_stop(struct sip_call *c)
{
	if (!c->rel)
		return;

	timer_cancel(&c->rel->tmr);
	list_flush(&c->rel->waiting);
}


/* The ACK came; a PRACK may be slower */
void reliable_done(struct sip_call *c)
{
	if (c->rel && !c->rel->out)
		c->rel = mem_deref(c->rel);
}


static void next(struct sip_call *c)
{
	struct waiting *w;

	if (c->phase != PHASE_INCOMING || !c->rel || c->rel->out)
		return;

	w = list_ledata(list_head(&c->rel->waiting));
	if (!w)
		return;

	list_unlink(&w->le);
	(void)send_now(c, w->code, w->reason, w->sdp);
	mem_deref(w);
}


/* "776656 1 INVITE" */
static bool rack_parse(const struct sip_msg *msg, uint32_t *rseq,
		       uint32_t *cseq)
{
	const struct sip_hdr *hdr = header_find_name(msg, "RAck");
	const char *p, *end, *q;
	unsigned i;

	if (!hdr)
		return false;

	p = hdr->val.p;
	end = p + hdr->val.l;

	for (i = 0; i < 2; i++) {
		for (q = p; q < end && *q >= '0' && *q <= '9'; q++)
			;
		if (q == end || text_u32(i ? cseq : rseq, p, (size_t)(q - p),
					 i ? CSEQ_MAX : RSEQ_MAX))
			return false;
		for (p = q; p < end && (*p == ' ' || *p == '\t'); p++)
			;
		if (p == q)
			return false;
	}

	return end - p == 6 && !memcmp(p, "INVITE", 6);
}


/* @return the status for the PRACK; what cannot be used ends the call */
static uint16_t agree(struct branch *br, struct mbuf *sdp,
		      struct mbuf **answer, bool *useless)
{
	struct sip_call *c = br->call;
	const enum offer_means m = offer_recv(&br->offer, BY_PRACK,
					      sdp != NULL);
	int status;

	switch (m) {

	case MEANS_ANSWER:
		branch_remote(br, sdp, false);
		*useless = session_result(c, sdp, true) != 0;
		return 200;

	case MEANS_MISSING:
		*useless = true;
		return 200;

	case MEANS_OFFER:
		status = session_answer_offer(c, answer, sdp);
		if (status) {
			offer_cancel(&br->offer);
			return (uint16_t)status;
		}
		branch_remote(br, sdp, true);
		(void)offer_send(&br->offer, BY_PRACK_2XX, true);
		return 200;

	default:
		return offer_status(m) ? offer_status(m) : 200;
	}
}


void prack_recv(struct branch *br, struct leg *leg, const struct sip_msg *msg)
{
	struct sip_call *c = br->call;
	struct mbuf *answer = NULL;
	uint32_t rseq, cseq;
	bool useless = false;
	uint16_t status;

	if (!rack_parse(msg, &rseq, &cseq)) {
		(void)stack_reply(leg, msg, 400, "Bad RAck", NULL);
		return;
	}

	if (!c->rel || !c->rel->out || rseq != c->rel->rseq ||
	    cseq != c->rel->cseq) {
		(void)stack_reply(leg, msg, 481, NULL, NULL);
		return;
	}

	c->rel->out = false;
	timer_cancel(&c->rel->tmr);

	if (c->h.pracked_h)
		c->h.pracked_h(c->arg);

	status = agree(br, session_sdp(msg), &answer, &useless);

	/* hung up in a handler: the caller hears of it soon enough */
	if (session_down(c)) {
		status = 200;
		answer = mem_deref(answer);
	}

	if (status == 200)
		(void)session_reply(br, leg, NULL, NULL, msg, 200, NULL, NULL,
				    answer);
	else
		session_refuse(br, leg, msg, status);

	mem_deref(answer);

	if (useless) {
		session_drop(c, SIP_CAUSE_MEDIA, 0, NULL);
		return;
	}

	next(c);
	answer_try(c);
	modify_try(c);
}
