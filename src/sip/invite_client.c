/**
 * @file invite_client.c  We call: INVITE and what is answered
 *
 * The first INVITE may be forked on its way; the first 2xx wins.  Whatever
 * else answers with 2xx gets its ACK and then BYE, for 64*T1 after the first
 * one even when the call has ended.  A 1xx may be reliable, and then settles
 * the offer of its branch.  What is refused may be tried again elsewhere
 * (redirect.c).  RFC 3261 chapters 9.1 and 13.2.  Main thread.
 */
#include "session.h"
#include "ident.h"


enum {
	RING_MS     = 120000,        /* when the user sets no bound */
	RETRIES_MAX = 4,             /* with a longer session time  */
};


/* Responses --------------------------------------------------------------- */

static void ring_h(void *arg)
{
	struct sip_call *c = arg;
	const struct sip_result res = {
		.cause = c->heard ? SIP_CAUSE_NO_ANSWER : SIP_CAUSE_TIMEOUT,
	};

	reason_default(c, 408, "No answer");
	invite_cancel(c);
	session_closed(c, &res, NULL);
}


/* The same preview told twice would only be work for nothing */
static bool preview_is_new(const struct sip_call *c, const struct branch *br,
			   const struct mbuf *sdp)
{
	const size_t len = mbuf_get_left(sdp);

	return !br->remote || c->told_br != br || br->remote->end != len ||
		memcmp(br->remote->buf, mbuf_buf(sdp), len) != 0;
}


/* @return true when the user was told a description */
static bool preview(struct sip_call *c, struct branch *br, struct mbuf *sdp)
{
	if (!br)
		return !session_result(c, sdp, true);
	if (!preview_is_new(c, br, sdp))
		return true;

	branch_remote(br, sdp, false);

	/* what the user cannot use is not yet a failure: the 2xx decides */
	return !session_result(c, sdp, true);
}


/*
 * The description of a 1xx. answer: for the PRACK. @return true when the user
 * was told it
 */
static bool early(struct sip_call *c, struct branch *br, struct mbuf *sdp,
		  bool rel, struct mbuf **answer)
{
	struct offer lone = c->tmpl_offer;
	struct offer *o = br ? &br->offer : &lone;

	switch (offer_recv(o, rel ? BY_1XX_REL : BY_1XX, sdp != NULL)) {

	case MEANS_PREVIEW:
		return preview(c, br, sdp);

	case MEANS_ANSWER:
		branch_remote(br, sdp, false);
		br->bad = session_result(c, sdp, true) != 0;
		break;

	case MEANS_OFFER:
		branch_remote(br, sdp, true);
		br->bad = session_answer_offer(c, answer, sdp) != 0;
		if (!br->bad)
			(void)offer_send(o, BY_PRACK, true);
		break;

	default:
		return false;
	}

	return !br->bad;
}


static void provisional(struct sip_call *c, const struct sip_msg *msg)
{
	struct mbuf *sdp = session_sdp(msg), *answer = NULL;
	struct branch *br = NULL;
	struct sip_info in;
	uint32_t rseq = 0;
	bool rel, told;

	if (c->phase != PHASE_CALLING)
		return;

	c->heard = true;

	if (msg->scode == 100)
		return;

	if (pl_isset(&msg->to.tag))
		br = branch_get(c, msg, false);

	rel = br && prack_asked(msg, &rseq);
	if (rel && !prack_order(br, rseq))
		return;

	ext_learn(c, msg);

	told = early(c, br, sdp, rel, &answer);

	/* its user may have hung up, but the peer waits for this one */
	if (rel)
		prack_send(br, msg, rseq, answer);
	mem_deref(answer);

	if (c->phase != PHASE_CALLING)
		return;

	/* nobody else is left who could do better */
	if (br && br->bad && list_count(&c->branches) == 1) {
		session_drop(c, SIP_CAUSE_MEDIA, msg->scode, msg);
		return;
	}

	if (c->h.progress_h) {
		sip_info_fill(&in, msg);
		c->h.progress_h(&in, told, c->arg);
	}

	/* RFC 6228: this one will not answer any more */
	if (msg->scode == 199 && br && !rel && c->phase == PHASE_CALLING)
		branch_forget(br);

	modify_try(c);
}


/* The SDP of the 2xx that won. @return our answer in *answer; false: it is
 *  of no use */
static bool agree(struct sip_call *c, struct branch *br,
		  const struct sip_msg *msg, struct mbuf **answer)
{
	struct mbuf *sdp = session_sdp(msg);
	enum offer_means m = offer_recv(&br->offer, BY_2XX, sdp != NULL);

	/* what was only a preview was the answer after all */
	if (m == MEANS_MISSING && br->offer.state == OFFER_LOCAL &&
	    br->remote) {
		sdp = br->remote;
		m = offer_recv(&br->offer, BY_2XX, true);
	}

	switch (m) {

	case MEANS_ANSWER:
		return !session_result(c, sdp, false);

	case MEANS_OFFER:
		if (session_answer_offer(c, answer, sdp))
			return false;
		(void)offer_send(&br->offer, BY_ACK, true);
		return true;

	case MEANS_NOTHING:
		/* settled while it was early */
		if (br->bad || !br->offer.agreed)
			return false;
		if (br->remote && (c->told_br != br || !br->remote_offer))
			return !session_result(c, br->remote, false);
		return true;

	default:
		return false;
	}
}


static void won(struct sip_call *c, struct branch *br,
		const struct sip_msg *msg, bool stray)
{
	struct mbuf *answer = NULL;
	bool agreed = false;

	timer_cancel(&c->tmr_ring);
	c->invite = mem_deref(c->invite);   /* a later try, if any */
	c->redirect = mem_deref(c->redirect);
	c->sdp = mem_deref(c->sdp);
	c->br = br;
	session_phase(c, PHASE_UP);
	ext_learn(c, msg);

	if (!stray) {
		se_response(c, msg);
		agreed = agree(c, br, msg, &answer);
	}

	branch_ack(br, msg->cseq.num, answer);
	mem_deref(answer);

	if (!agreed) {
		session_drop(c, stray ? SIP_CAUSE_PROTOCOL : SIP_CAUSE_MEDIA,
			     msg->scode, msg);
		return;
	}

	if (c->phase == PHASE_UP && c->h.established_h) {
		struct sip_info in;

		sip_info_fill(&in, msg);
		c->h.established_h(&in, c->arg);
	}

	modify_try(c);
}


static void success(struct sip_call *c, const struct sip_msg *msg)
{
	struct branch *br = branch_find(c, msg);
	bool stray;

	if (br && (br->ack || br->ack_due)) {
		if (br->ack && msg->cseq.num == br->ack_cseq)
			(void)branch_ack_again(br);
		return;
	}

	br = branch_get(c, msg, true);
	stray = !br || !dialog_usable(br->dlg);
	if (stray) {
		log_info("call: an answer without a usable dialog");
		br = branch_stray(c, msg);
	}
	if (!br) {
		if (c->phase == PHASE_CALLING && !c->invite) {
			const struct sip_result res = {
				.cause = SIP_CAUSE_PROTOCOL,
				.code = msg->scode, .remote = true,
			};

			session_closed(c, &res, msg);
		}
		return;
	}

	br->ack_due = true;

	if (!c->linger_ms)
		c->linger_ms = clock_ms() + 64 * session_t1(c);

	if (!c->br && c->phase == PHASE_CALLING) {
		won(c, br, msg, stray);
		return;
	}

	branch_ack(br, msg->cseq.num, NULL);
	branch_bye(br);

	if (c->h.forked_h) {
		struct sip_info in;

		sip_info_fill(&in, msg);
		c->h.forked_h(&in, c->arg);
	}
}


static void failure(struct sip_call *c, const struct sip_result *res,
		    const struct sip_msg *msg)
{
	struct sip_result r = *res;

	switch (msg ? msg->scode : 0) {

	case 401: case 403: case 407:
		r.cause = SIP_CAUSE_AUTH;
		break;

	case 488: case 606:
		r.cause = SIP_CAUSE_MEDIA;
		break;

	case 0:
		break;

	default:
		r.cause = SIP_CAUSE_STATUS;
		break;
	}

	list_flush(&c->branches);

	if (c->phase != PHASE_CALLING) {
		session_check(c);
		return;
	}

	if (r.code == 422 && c->retries < RETRIES_MAX && se_raise(c, msg)) {
		++c->retries;
		if (!invite_start(c))
			return;
	}

	if (!redirect_failure(c, &r, msg))
		session_closed(c, &r, msg);
}


static void invite_resp_h(bool final, const struct sip_result *res,
			  const struct sip_msg *msg, void *arg)
{
	struct sip_call *c = arg;

	if (!final) {
		if (msg)
			provisional(c, msg);
		return;
	}

	c->invite = mem_deref(c->invite);

	if (msg && msg->scode < 300) {
		success(c, msg);
		session_check(c);
	}
	else {
		failure(c, res, msg);
	}
}


bool invite_client_response(struct leg *leg, const struct sip_msg *msg)
{
	struct dialog *d;
	struct sip_call *c;

	if (msg->scode < 200 || msg->scode > 299)
		return false;

	d = dialog_find(leg->stack, msg);
	if (d && d->request_h == session_request) {
		struct branch *br = d->arg;

		c = br->call;
		if (c->tmpl && br != c->br)
			success(c, msg);
		else if (br->ack && msg->cseq.num == br->ack_cseq)
			(void)branch_ack_again(br);
		return true;
	}

	d = dialog_find_template(leg->stack, msg);
	if (!d || d->request_h)
		return false;

	success(d->arg, msg);

	return true;
}


/* The first INVITE -------------------------------------------------------- */

static int invite_head_h(struct mbuf *mb, const struct target *tg, void *arg)
{
	struct sip_call *c = arg;
	const struct sa *laddr = leg_laddr(tg->leg, tg->tp);
	int err;

	/* a new try ends what the last one had begun */
	list_flush(&c->branches);

	c->flow = *tg;
	if (laddr)
		c->laddr = *laddr;
	session_sent(c, mb, c->tmpl);

	err = dialog_head(c->tmpl, mb, tg, "INVITE", ++c->tmpl->lseq, true);
	if (!err)
		err = ext_write(mb, c, true);
	if (!err)
		err = se_write(mb, c, true);
	if (!err && c->tmpl->ident->headers)
		err = mbuf_write_str(mb, c->tmpl->ident->headers);
	if (!err && c->headers)
		err = mbuf_write_str(mb, c->headers);
	if (!err && c->extra)
		err = mbuf_write_str(mb, c->extra);

	return err;
}


int invite_start(struct sip_call *c)
{
	struct request_conf rc = {
		.method    = "INVITE",
		.ctype     = c->sdp ? SIP_ACCEPT : NULL,
		.body      = c->sdp,
		.one_family = c->sdp != NULL,
		.transport = ident_transport(c->tmpl->ident),
		.digest    = c->tmpl->digest,
		.tls       = ident_tls(c->tmpl->ident),
	};
	char *uri = NULL;
	int err;

	c->hop = mem_deref(c->hop);
	err = dialog_uris(c->tmpl, &uri, &c->hop);
	if (err)
		return err;

	memset(&c->tmpl_offer, 0, sizeof(c->tmpl_offer));
	(void)offer_send(&c->tmpl_offer, BY_INVITE, c->sdp != NULL);

	rc.uri = uri;
	rc.hop = c->hop;
	err = request_send(&c->invite, c->stack, &rc, invite_head_h,
			   invite_resp_h, c);
	mem_deref(uri);

	return err;
}


void invite_cancel(struct sip_call *c)
{
	char *line = NULL;

	if (c->reason)
		(void)re_sdprintf(&line, "Reason: %s\r\n", c->reason);

	request_cancel_saying(c->invite, line);
	mem_deref(line);
}


/* Extra lines of the user's, and what the INVITE replaces */
static int headers_take(struct sip_call *c, const struct sip_call_conf *conf)
{
	if (!conf->headers && !conf->replaces)
		return 0;

	return re_sdprintf(&c->headers, "%s%s%s%s",
			   conf->headers ? conf->headers : "",
			   conf->replaces ? "Require: replaces\r\n"
			   "Replaces: " : "",
			   conf->replaces ? conf->replaces : "",
			   conf->replaces ? "\r\n" : "");
}


int sip_call_connect(struct sip_call **cp, struct sip_stack *s,
		     const struct sip_call_conf *conf, struct mbuf *offer,
		     const struct sip_call_h *h, void *arg)
{
	struct sip_call *c = NULL;
	int err;

	if (!cp || !s || !conf || !conf->uri || !conf->ident || !h)
		return EINVAL;
	if ((conf->headers && !header_lines_ok(conf->headers)) ||
	    (conf->replaces && !header_text_ok(conf->replaces)))
		return EINVAL;
	if (s->closing)
		return ESHUTDOWN;

	err = session_alloc(&c, s, PHASE_CALLING);
	if (err)
		return err;

	c->h = *h;
	c->arg = arg;
	c->ring_ms = conf->ring_ms ? conf->ring_ms : RING_MS;
	c->ext = conf->ext;
	c->redirection = conf->redirect;
	c->sdp = mem_ref(offer);

	err = headers_take(c, conf);
	if (err)
		goto out;

	err = ident_dialog(&c->tmpl, s, conf->ident, conf->uri);
	if (!err && conf->anonymous)
		err = dialog_hide(c->tmpl);
	if (err)
		goto out;

	c->tmpl->arg = c;
	c->callid = mem_ref(c->tmpl->callid);

	err = invite_start(c);
	if (err)
		goto out;

	timer_start(&c->tmr_ring, c->ring_ms, ring_h, c);

 out:
	if (err) {
		/* nothing was sent: no one to tell, nothing to wait for */
		c->dead = true;
		--s->stats.sessions;
		mem_deref(c);
	}
	else {
		*cp = c;
	}

	return err;
}
