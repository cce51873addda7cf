/**
 * @file invite_client.c  We call: INVITE, its branches, ACK
 *
 * The first INVITE may be forked on its way: each remote tag in a response is
 * a branch with a dialog of its own.  The first 2xx wins; whatever else
 * answers with 2xx gets its ACK and then BYE, for 64*T1 after the first one
 * even when the call has ended.  The ACK of a 2xx is no transaction: it is
 * kept and sent again, byte for byte, when the 2xx comes again.  RFC 3261
 * chapters 9.1, 13.2 and 14.1.  Main thread.
 */
#include "session.h"
#include "ident.h"


enum { RING_MS = 120000 };   /* when the user sets no bound */


/* ACK --------------------------------------------------------------------- */

/* 22.1: an ACK repeats the credentials of its INVITE, as they stood there */
static int credentials_write(struct mbuf *mb, const struct mbuf *sent)
{
	static const char *const names[] = {
		"Authorization:", "Proxy-Authorization:",
	};
	const char *p = (const char *)sent->buf, *end = p + sent->end;
	int err = 0;

	while (p < end && *p != '\r' && !err) {
		const char *next = memchr(p, '\n', (size_t)(end - p));
		size_t i;

		next = next ? next + 1 : end;

		for (i = 0; i < COUNTOF(names); i++) {
			const size_t len = strlen(names[i]);

			if ((size_t)(next - p) > len &&
			    !memcmp(p, names[i], len))
				err = mbuf_write_mem(mb, (const uint8_t *)p,
						     (size_t)(next - p));
		}

		p = next;
	}

	return err;
}


/* Written by hand: libre's requests choose a new Via branch each time */
static int ack_write(struct mbuf **mbp, struct branch *br,
		     const struct target *tg, const char *uri)
{
	struct mbuf *mb = mbuf_alloc(1024), *sdp = br->ack_sdp;
	const struct sip_stack *s = br->dlg->stack;
	int err;

	if (!mb)
		return ENOMEM;

	err = mbuf_printf(mb, "ACK %s SIP/2.0\r\n"
			  "Via: SIP/2.0/%s %J;branch=z9hG4bK%016llx;rport\r\n"
			  "Max-Forwards: 70\r\n",
			  uri, sip_transp_name(tg->tp),
			  leg_laddr(tg->leg, tg->tp), rand_u64());
	if (err)
		goto out;

	err = dialog_head(br->dlg, mb, tg, "ACK", br->ack_cseq, false);
	if (err)
		goto out;

	if (br->call->sent)
		err = credentials_write(mb, br->call->sent);
	if (!err)
		err = mbuf_printf(mb, "User-Agent: %s\r\n", s->user_agent);
	if (!err && sdp)
		err = mbuf_printf(mb, "Content-Type: " SIP_ACCEPT "\r\n"
				  "Content-Length: %zu\r\n\r\n%b",
				  mbuf_get_left(sdp),
				  mbuf_buf(sdp), mbuf_get_left(sdp));
	else if (!err)
		err = mbuf_write_str(mb, "Content-Length: 0\r\n\r\n");

 out:
	if (err) {
		mem_deref(mb);
		return err;
	}

	mb->pos = 0;
	*mbp = mb;

	return 0;
}


static int ack_again(struct branch *br)
{
	br->ack->pos = 0;

	return sip_send(br->ack_tg.leg->sip, NULL, br->ack_tg.tp,
			&br->ack_tg.dst, br->ack);
}


static void ack_send(struct branch *br, const struct target_list *tl)
{
	struct sip_call *c = br->call;
	char *uri = NULL, *hop = NULL;
	unsigned i;
	int err;

	err = dialog_uris(br->dlg, &uri, &hop);

	for (i = 0; i < tl->n && tl->v[i].leg && !err; i++) {

		br->ack = mem_deref(br->ack);
		br->ack_tg = tl->v[i];

		err = ack_write(&br->ack, br, &tl->v[i], uri);
		if (err || !ack_again(br))
			break;
	}

	mem_deref(uri);
	mem_deref(hop);

	if (err)
		log_info("call: no ACK: %s", strerror(err));

	br->ack_sdp = mem_deref(br->ack_sdp);
	br->ack_due = false;

	if (br->bye_due)
		branch_bye(br);

	if (br == c->br)
		reinvite_try(c);
}


/* No way to where the peer says it is: rather where the INVITE went */
static void ack_back(struct branch *br)
{
	const struct target_list tl = {.v = {br->call->flow}, .n = 1};

	br->dlg->flow = br->call->flow;
	ack_send(br, &tl);
}


static void ack_target_h(const struct sip_result *res,
			 const struct target_list *tl, void *arg)
{
	struct branch *br = arg;

	br->ack_query = mem_deref(br->ack_query);

	if (!res && tl->n) {
		br->dlg->flow = tl->v[0];
		ack_send(br, tl);
	}
	else {
		ack_back(br);
	}

	session_check(br->call);
}


void branch_ack(struct branch *br, uint32_t cseq, struct mbuf *sdp)
{
	struct target_list tl;
	struct sip_result res;
	char *uri = NULL, *hop = NULL;
	int err;

	br->ack = mem_deref(br->ack);
	br->ack_query = mem_deref(br->ack_query);
	mem_deref(br->ack_sdp);
	br->ack_sdp = mem_ref(sdp);
	br->ack_cseq = cseq;
	br->ack_due = true;

	err = dialog_uris(br->dlg, &uri, &hop);
	if (!err)
		err = dialog_targets(br->dlg, hop, &tl, &res);
	if (err == ENOENT)
		err = target_find(&br->ack_query, br->dlg->stack, hop, NULL,
				  ack_target_h, br);
	else if (!err)
		ack_send(br, &tl);

	if (err)
		ack_back(br);

	mem_deref(uri);
	mem_deref(hop);
}


/* The credentials follow behind what is written now */
void session_sent(struct sip_call *c, struct mbuf *mb, const struct dialog *d)
{
	if (!d->digest)
		return;

	mem_deref(c->sent);
	c->sent = mem_ref(mb);
}


/* Branches ---------------------------------------------------------------- */

static struct branch *branch_find(const struct sip_call *c,
				  const struct sip_msg *msg)
{
	struct le *le;

	for (le = c->branches.head; le; le = le->next) {
		struct branch *br = le->data;

		if (dialog_match(br->dlg, msg))
			return br;
	}

	return NULL;
}


/* Room for one more: an early one that has not answered makes way for a 2xx */
static bool branch_room(struct sip_call *c, bool final)
{
	struct le *le;

	if (list_count(&c->branches) < SIP_BRANCHES)
		return true;

	for (le = c->branches.head; final && le; le = le->next) {
		struct branch *br = le->data;

		if (br == c->br || br->ack || br->ack_due || br->bye)
			continue;

		if (br == c->early_br)
			c->early_br = NULL;
		mem_deref(br);
		return true;
	}

	return false;
}


/* Is this where the INVITE went, by name or by address? */
static bool hop_same(const struct sip_call *c, const char *hop)
{
	struct suri a, b;
	struct sa sa;

	if (suri_parse_str(&a, hop) || suri_parse_str(&b, c->hop))
		return false;

	if (a.host.l == b.host.l && !pl_casecmp(&a.host, &b.host))
		return true;

	return !sa_set(&sa, &a.host, 0) && sa_cmp(&sa, &c->flow.dst, SA_ADDR);
}


/*
 * Where requests of the branch go.  When it is where the INVITE went no name
 * is looked up a second time; when it is not, our credentials are not for
 * whoever is there: a callee may call itself a proxy and ask for them.
 */
static void branch_flow(struct branch *br)
{
	const struct sip_call *c = br->call;
	struct dialog *d = br->dlg;
	char *uri = NULL, *hop = NULL;

	if (!c->flow.leg || dialog_uris(d, &uri, &hop))
		return;

	dialog_pin(d, c->flow.leg, c->flow.tp, &c->flow.dst, false, false);

	if (!d->flow_pinned && !strcmp(hop, c->hop))
		d->flow = c->flow;

	mem_deref(d->digest);
	d->digest = hop_same(c, hop) ? mem_ref(c->tmpl->digest) : NULL;

	mem_deref(uri);
	mem_deref(hop);
}


static struct branch *branch_get(struct sip_call *c,
				 const struct sip_msg *msg, bool final)
{
	struct branch *br = branch_find(c, msg);
	struct dialog *d;

	if (br) {
		if (dialog_update(br->dlg, msg, final))
			log_debug("call: odd response in a dialog");
		branch_flow(br);
		return br;
	}

	if (!branch_room(c, final) || dialog_fork(&d, c->tmpl, msg))
		return NULL;

	if (branch_alloc(&br, c, d)) {
		mem_deref(d);
		return NULL;
	}

	branch_flow(br);

	return br;
}


/* Responses --------------------------------------------------------------- */

static void ring_h(void *arg)
{
	struct sip_call *c = arg;
	const struct sip_result res = {
		.cause = c->heard ? SIP_CAUSE_NO_ANSWER : SIP_CAUSE_TIMEOUT,
	};

	request_cancel(c->invite);
	session_closed(c, &res, NULL);
}


/* The same preview told twice would only be work for nothing */
static bool preview_is_new(struct sip_call *c, struct branch *br,
			   const struct mbuf *sdp)
{
	const size_t len = mbuf_get_left(sdp);
	struct mbuf *copy;

	if (br->early && c->early_br == br && br->early->end == len &&
	    !memcmp(br->early->buf, mbuf_buf(sdp), len))
		return false;

	copy = mbuf_alloc(len);
	if (copy && !mbuf_write_mem(copy, mbuf_buf(sdp), len)) {
		copy->pos = 0;
		mem_deref(br->early);
		br->early = mem_ref(copy);
		c->early_br = br;
	}

	mem_deref(copy);

	return true;
}


static void provisional(struct sip_call *c, const struct sip_msg *msg)
{
	struct mbuf *sdp = session_sdp(msg);
	struct branch *br = NULL;
	struct sip_info in;

	if (c->phase != PHASE_CALLING)
		return;

	c->heard = true;

	if (msg->scode == 100)
		return;

	if (pl_isset(&msg->to.tag))
		br = branch_get(c, msg, false);

	/* an offer may not come this way (it would be unreliable), and a
	   preview the user cannot use is not yet a failure: 2xx decides */
	if (c->offer.state != OFFER_LOCAL)
		sdp = NULL;
	if (sdp && (!br || preview_is_new(c, br, sdp)) &&
	    session_result(c, sdp, true))
		sdp = NULL;

	if (c->phase != PHASE_CALLING || !c->h.progress_h)
		return;

	sip_info_fill(&in, msg);
	c->h.progress_h(&in, sdp != NULL, c->arg);
}


/* The SDP of the 2xx that won. @return our answer in *answer; false: it is
 *  of no use */
static bool agree(struct sip_call *c, const struct sip_msg *msg,
		  struct mbuf **answer)
{
	struct mbuf *sdp = session_sdp(msg);

	if (c->offer.state == OFFER_LOCAL) {
		if (!sdp)
			sdp = c->br->early;

		return sdp && !offer_step(&c->offer, OFFER_EV_RECV_ANSWER) &&
			!session_result(c, sdp, false);
	}

	return sdp && !offer_step(&c->offer, OFFER_EV_RECV_OFFER) &&
		!session_answer_offer(c, answer, sdp) &&
		!offer_step(&c->offer, OFFER_EV_SEND_ANSWER);
}


static void won(struct sip_call *c, struct branch *br,
		const struct sip_msg *msg)
{
	struct mbuf *answer = NULL;
	bool agreed;

	timer_cancel(&c->tmr_ring);
	c->invite = mem_deref(c->invite);   /* a later try, if any */
	c->br = br;
	session_phase(c, PHASE_UP);

	agreed = agree(c, msg, &answer);
	branch_ack(br, msg->cseq.num, answer);
	mem_deref(answer);

	if (!agreed) {
		session_drop(c, SIP_CAUSE_MEDIA, msg->scode, msg);
		return;
	}

	if (c->phase == PHASE_UP && c->h.established_h) {
		struct sip_info in;

		sip_info_fill(&in, msg);
		c->h.established_h(&in, c->arg);
	}
}


static void success(struct sip_call *c, const struct sip_msg *msg)
{
	struct branch *br = branch_find(c, msg);

	if (br && (br->ack || br->ack_due)) {
		if (br->ack && msg->cseq.num == br->ack_cseq)
			(void)ack_again(br);
		return;
	}

	br = branch_get(c, msg, true);
	if (!br) {
		log_info("call: an answer without a usable dialog");
		if (c->phase == PHASE_CALLING && !c->invite) {
			struct sip_result res = {
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
		won(c, br, msg);
		return;
	}

	branch_ack(br, msg->cseq.num, NULL);
	branch_bye(br);
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

	c->early_br = NULL;
	list_flush(&c->branches);

	if (c->phase == PHASE_CALLING)
		session_closed(c, &r, msg);
	else
		session_check(c);
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
		if (c->tmpl && br != c->br) {
			success(c, msg);
		}
		else if (br->ack && msg->cseq.num == br->ack_cseq) {
			(void)ack_again(br);
		}
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
	c->early_br = NULL;
	list_flush(&c->branches);
	timer_cancel(&c->tmr_ring);

	c->flow = *tg;
	if (laddr)
		c->laddr = *laddr;
	session_sent(c, mb, c->tmpl);

	err = dialog_head(c->tmpl, mb, tg, "INVITE", ++c->tmpl->lseq, true);
	if (!err)
		err = ability_write(mb, c->stack, AB_ALLOW);
	if (!err && c->tmpl->ident->headers)
		err = mbuf_write_str(mb, c->tmpl->ident->headers);
	if (!err && c->headers)
		err = mbuf_write_str(mb, c->headers);

	return err;
}


int sip_call_connect(struct sip_call **cp, struct sip_stack *s,
		     const struct sip_call_conf *conf, struct mbuf *offer,
		     const struct sip_call_h *h, void *arg)
{
	struct request_conf rc = {
		.method = "INVITE",
		.ctype  = offer ? SIP_ACCEPT : NULL,
		.body   = offer,
	};
	struct sip_call *c = NULL;
	char *uri = NULL;
	int err;

	if (!cp || !s || !conf || !conf->uri || !conf->ident || !h)
		return EINVAL;
	if (conf->headers && !header_lines_ok(conf->headers))
		return EINVAL;
	if (s->closing)
		return ESHUTDOWN;

	err = session_alloc(&c, s, PHASE_CALLING);
	if (err)
		return err;

	c->h = *h;
	c->arg = arg;
	c->ring_ms = conf->ring_ms ? conf->ring_ms : RING_MS;

	if (conf->headers) {
		err = str_dup(&c->headers, conf->headers);
		if (err)
			goto out;
	}

	err = ident_dialog(&c->tmpl, s, conf->ident, conf->uri);
	if (err)
		goto out;

	c->tmpl->arg = c;
	c->callid = mem_ref(c->tmpl->callid);

	err = dialog_uris(c->tmpl, &uri, &c->hop);
	if (err)
		goto out;

	if (offer)
		(void)offer_step(&c->offer, OFFER_EV_SEND_OFFER);

	rc.uri = uri;
	rc.hop = c->hop;
	rc.transport = ident_transport(conf->ident);
	rc.digest = c->tmpl->digest;

	err = request_send(&c->invite, s, &rc, invite_head_h, invite_resp_h,
			   c);
	if (err)
		goto out;

	timer_start(&c->tmr_ring, c->ring_ms, ring_h, c);

 out:
	mem_deref(uri);

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
