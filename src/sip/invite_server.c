/**
 * @file invite_server.c  We are called
 *
 * An INVITE that is answered at once gets its 2xx and nothing else; otherwise
 * 100 follows after 200 ms, so that the caller stops sending it again.  What
 * the user wants of a ringing call: ring, answer, reject.  RFC 3261 chapters
 * 9.2, 13.3 and 15.1.2.  Main thread.
 */
#include "session.h"


enum {
	TRYING_MS      = 200,      /* 17.2.1 */
	REFRESH_T1     = 120,      /* 13.3.1.1: a minute, in T1      */
	EXPIRES_MAX    = 86400,
	RETRY_BUSY_S   = 5,
};


static void refresh_h(void *arg);


/* Before there is a call to speak of. headers: lines or "" */
static void refuse(struct leg *leg, const struct sip_msg *msg, uint16_t code,
		   const char *headers)
{
	(void)stack_reply(leg, msg, code, sip_phrase(code), headers);
}


void session_terminate(struct sip_call *c, uint16_t code)
{
	char line[SIP_URI_MAX + 16] = "";

	timer_cancel(&c->tmr_ring);
	timer_cancel(&c->tmr_expire);
	reliable_stop(c);

	if (!c->st)
		return;

	if (c->reason)
		(void)snprintf(line, sizeof(line), "Reason: %s\r\n",
			       c->reason);
	(void)session_reply(c->br, c->leg, &c->st, NULL, c->msg, code, NULL,
			    line, NULL);
	c->st = mem_deref(c->st);
	c->prov = mem_deref(c->prov);
	c->msg = mem_deref(c->msg);
}


/* 200 to the CANCEL is out */
static void cancel_h(const struct sip_msg *msg, void *arg)
{
	struct sip_call *c = arg;
	const struct sip_result res = {
		.cause = SIP_CAUSE_CANCELLED, .code = 487, .remote = true,
	};

	reason_take(&c->ended, msg);
	session_terminate(c, 487);
	session_closed(c, &res, NULL);
}


static void expire_h(void *arg)
{
	struct sip_call *c = arg;
	const struct sip_result res = {
		.cause = SIP_CAUSE_CANCELLED, .code = 487, .remote = true,
	};

	session_terminate(c, 487);
	session_closed(c, &res, NULL);
}


/* The way back is gone, and the transaction with it */
int reply_failed(struct sip_call *c, int err)
{
	struct sip_result res = {.cause = SIP_CAUSE_TRANSPORT, .err = err};

	if (!c->st) {
		(void)text_copy(res.reason, sizeof(res.reason),
				strerror(err), strlen(strerror(err)));
		session_closed_later(c, &res);
	}

	return err;
}


void refresh_start(struct sip_call *c)
{
	timer_start(&c->tmr_ring, REFRESH_T1 * session_t1(c), refresh_h, c);
}


static void refresh_h(void *arg)
{
	struct sip_call *c = arg;
	int err;

	/* a reliable one cannot come twice */
	if (!c->prov) {
		refresh_start(c);
		(void)reliable_send(c, c->prov_code, NULL, NULL);
		return;
	}

	err = strans_send(&c->st, c->prov_code, c->prov);
	if (err)
		(void)reply_failed(c, err);
	else
		refresh_start(c);
}


static void trying_h(void *arg)
{
	struct sip_call *c = arg;
	const int err = session_reply(c->br, c->leg, &c->st, NULL, c->msg,
				      100, NULL, NULL, NULL);

	c->tried = true;

	if (err)
		(void)reply_failed(c, err);
}


int sip_call_ring(struct sip_call *c, uint16_t code, const char *reason,
		  struct mbuf *sdp)
{
	struct mbuf *prov = NULL;
	int err;

	if (!c || code < 101 || code > 199 ||
	    (reason && !header_text_ok(reason)))
		return EINVAL;
	if (c->phase != PHASE_INCOMING || c->answer_due)
		return ENOTCONN;

	if (reliable_wanted(c, sdp != NULL))
		return reliable_send(c, code, reason, sdp);

	/* unreliable, it cannot bring what has to arrive */
	if (sdp) {
		struct offer o = c->br->offer;

		if (offer_send(&o, BY_1XX, true) != MEANS_PREVIEW)
			sdp = NULL;
	}

	err = session_reply(c->br, c->leg, &c->st, &prov, c->msg, code,
			    reason, NULL, sdp);
	if (err)
		return reply_failed(c, err);

	mem_deref(c->prov);
	c->prov = prov;
	c->prov_code = code;
	refresh_start(c);

	return 0;
}


static int answer_now(struct sip_call *c, struct mbuf *sdp)
{
	struct offer o = c->br->offer;
	int err;

	if (offer_send(&o, BY_2XX, sdp != NULL) == MEANS_NOTHING)
		sdp = NULL;

	err = session_accept(c, &c->st, c->msg, sdp);
	if (err)
		return reply_failed(c, err);

	c->br->offer = o;
	timer_cancel(&c->tmr_ring);
	timer_cancel(&c->tmr_expire);
	reliable_stop(c);
	c->prov = mem_deref(c->prov);
	session_phase(c, PHASE_ANSWERED);

	return 0;
}


int sip_call_answer(struct sip_call *c, struct mbuf *sdp)
{
	if (!c || (!sdp && (!c->br || c->br->offer.state != OFFER_STABLE)))
		return EINVAL;
	if (c->phase != PHASE_INCOMING)
		return ENOTCONN;
	if (c->answer_due)
		return EALREADY;

	reliable_drop(c);

	if (!reliable_holds(c) && !c->update)
		return answer_now(c, sdp);

	c->answer = mem_ref(sdp);
	c->answer_due = true;

	return 0;
}


void answer_try(struct sip_call *c)
{
	if (!c->answer_due || c->phase != PHASE_INCOMING ||
	    reliable_holds(c) || c->update)
		return;

	c->answer_due = false;
	(void)answer_now(c, c->answer);
	c->answer = mem_deref(c->answer);
}


/*
 * RFC 6228 5: a proxy that has forked the call keeps our refusal to itself
 * until the other branches have answered; this tells the caller at once that
 * what we have opened is over. It may be lost, so it is no use where 1xx must
 * not be.
 */
static void early_over(struct sip_call *c, uint16_t code)
{
	const bool opened = c->rel || (c->prov && c->prov_code > 100);
	char line[64];

	if (!c->peer_199 || c->need_100rel || !opened || !c->st)
		return;

	(void)snprintf(line, sizeof(line), "Reason: SIP;cause=%u\r\n", code);
	(void)session_reply(c->br, c->leg, &c->st, NULL, c->msg, 199, NULL,
			    line, NULL);
}


int sip_call_say(struct sip_call *c, const char *lines)
{
	if (!c || !lines || !header_lines_ok(lines))
		return EINVAL;
	if (c->phase != PHASE_INCOMING)
		return ENOTCONN;

	c->say = mem_deref(c->say);

	return str_dup(&c->say, lines);
}


int sip_call_reject(struct sip_call *c, uint16_t code, const char *reason,
		    const char *headers)
{
	struct sip_result res = {.cause = SIP_CAUSE_STATUS, .code = code};
	const char *phrase = reason ? reason : sip_phrase(code);
	char *lines = NULL;
	int err = 0;

	if (!c || code < 300 || code > 699 ||
	    (reason && !header_text_ok(reason)) ||
	    (headers && !header_lines_ok(headers)))
		return EINVAL;
	if (c->phase != PHASE_INCOMING)
		return ENOTCONN;

	(void)text_copy(res.reason, sizeof(res.reason), phrase,
			strlen(phrase));

	if (c->say)
		err = re_sdprintf(&lines, "%s%s", headers ? headers : "",
				  c->say);
	if (err)
		return err;
	if (lines)
		headers = lines;

	/*
	 * As long as nothing was sent no state is owed (RFC 3261 8.2.7): a
	 * refusal that is repeated for 32 s to a stranger who never sends
	 * an ACK is his lever against us.
	 */
	if (!c->prov && !c->tried && !c->rel) {
		c->st = mem_deref(c->st);
		if (reason || headers)
			err = stack_reply(c->leg, c->msg, code, phrase,
					  headers);
		else
			err = keep_reply(c->leg, c->msg, code);
	}
	else {
		early_over(c, code);
		err = session_reply(c->br, c->leg, &c->st, NULL, c->msg, code,
				    phrase, headers, NULL);
	}
	mem_deref(lines);
	if (err)
		return reply_failed(c, err);

	reliable_stop(c);
	c->prov = mem_deref(c->prov);
	c->msg = mem_deref(c->msg);
	session_closed_later(c, &res);

	return 0;
}


int sip_call_setup(struct sip_call *c, const struct sip_call_ext *ext)
{
	if (!c || !ext || c->phase != PHASE_INCOMING || !c->msg)
		return 500;

	c->ext = *ext;
	c->ext_set = true;

	return ext_check(c, c->msg, NULL);
}


struct sip_call *sip_call_replaces(const struct sip_call *c)
{
	return c ? c->replaces : NULL;
}


struct sip_call *sip_call_joins(const struct sip_call *c)
{
	return c ? c->joins : NULL;
}


/* The first INVITE -------------------------------------------------------- */

static int taken(struct sip_call *c, const struct sip_msg *msg)
{
	struct sip_stack *s = c->stack;
	const size_t pos = msg->mb->pos, end = msg->mb->end;
	struct mbuf *offer = session_sdp(msg);
	struct sip_info in;
	int status;

	if (!s->h.invite_h)
		return 480;

	sip_info_fill(&in, msg);
	status = s->h.invite_h(c, &in, offer, s->arg);
	msg->mb->pos = pos;
	msg->mb->end = end;
	c->replaces = NULL;
	c->joins = NULL;

	return status;
}


/* The user has not taken it, or it cannot be served as it is wanted */
static void not_taken(struct sip_call *c, uint16_t code)
{
	char *lines = NULL;

	if (code == ext_check(c, c->msg, NULL))
		(void)ext_check(c, c->msg, &lines);

	(void)sip_call_reject(c, code, NULL, lines);
	mem_deref(lines);
}


static void first(struct sip_call *c, const struct sip_msg *msg)
{
	uint32_t expires;
	int status = taken(c, msg);

	if (status) {
		/* nobody to tell */
		memset(&c->h, 0, sizeof(c->h));
		not_taken(c, status < 300 || status > 699 ? 500 :
			  (uint16_t)status);
	}

	if (c->phase != PHASE_INCOMING)
		return;

	/* taken, and perhaps answered already */
	if (!c->ext_set && ext_check(c, msg, NULL)) {
		not_taken(c, ext_check(c, msg, NULL));
		return;
	}

	if (!c->prov && !c->rel)
		timer_start(&c->tmr_ring, TRYING_MS, trying_h, c);

	if (!header_u32(msg, "Expires", EXPIRES_MAX, &expires))
		timer_start(&c->tmr_expire, 1000ULL * expires, expire_h, c);
}


void invite_server_request(struct leg *leg, const struct sip_msg *msg)
{
	struct sip_stack *s = leg->stack;
	const struct sa *laddr = leg_laddr(leg, msg->tp);
	struct sip_call *c = NULL, *old = NULL, *joined = NULL;
	struct dialog *d = NULL;
	uint16_t status;
	char busy[40];
	int err;

	status = replaces_check(&old, s, msg);
	if (!status)
		status = join_check(&joined, s, msg);
	if (status) {
		refuse(leg, msg, status, NULL);
		return;
	}

	/* one that takes the place of another needs no room */
	if (s->max_sessions && s->stats.sessions >= s->max_sessions && !old) {
		(void)snprintf(busy, sizeof(busy), "Retry-After: %u\r\n",
			       RETRY_BUSY_S);
		refuse(leg, msg, 486, busy);
		return;
	}

	err = dialog_alloc_uas(&d, leg, msg);
	if (err) {
		refuse(leg, msg, err == ENOMEM ? 500 : 400, NULL);
		return;
	}

	err = session_alloc(&c, s, PHASE_INCOMING);
	if (err)
		goto out;

	c->leg = leg;
	c->callid = mem_ref(d->callid);
	c->replaces = old;
	c->joins = joined;
	if (laddr)
		c->laddr = *laddr;
	ext_learn(c, msg);

	err = branch_alloc(&c->br, c, d);
	if (err)
		goto out;
	d = NULL;

	err = strans_alloc(&c->st, leg, msg, cancel_h, c);
	if (err)
		goto out;

	c->msg = mem_ref((void *)msg);
	(void)offer_recv(&c->br->offer, BY_INVITE, session_sdp(msg) != NULL);

	first(c, msg);

	/* its user holds it now; if nobody does, it ends here */
	mem_deref(c);

	return;

 out:
	mem_deref(d);
	if (c) {
		c->dead = true;
		--s->stats.sessions;
		mem_deref(c);
	}
	refuse(leg, msg, 500, NULL);
}
