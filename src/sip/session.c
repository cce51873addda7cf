/**
 * @file session.c  The life of an INVITE session
 *
 * What is common to caller and callee: how a call begins, ends and is freed,
 * and the functions of sip_call.h that work in any phase.
 *
 * Main thread.  A call is in stack->calls while it has work to do, in
 * stack->lingering when it only waits for late 2xx or for its memory to be
 * freed; otherwise its stack is NULL and the user alone holds it.  The user
 * may free it inside any handler: then it lives until the next turn, and
 * everything here may go on using it after a handler returned.
 */
#include "session.h"


static void turn_h(void *arg);


static const char *phase_name(enum phase phase)
{
	switch (phase) {

	case PHASE_CALLING:  return "calling";
	case PHASE_INCOMING: return "incoming";
	case PHASE_ANSWERED: return "answered";
	case PHASE_UP:       return "up";
	case PHASE_DOWN:     return "down";
	}

	return "?";
}


void session_phase(struct sip_call *c, enum phase phase)
{
	static const uint8_t next[] = {
		[PHASE_CALLING]  = 1 << PHASE_UP | 1 << PHASE_DOWN,
		[PHASE_INCOMING] = 1 << PHASE_ANSWERED | 1 << PHASE_DOWN,
		[PHASE_ANSWERED] = 1 << PHASE_UP | 1 << PHASE_DOWN,
		[PHASE_UP]       = 1 << PHASE_DOWN,
		[PHASE_DOWN]     = 1 << PHASE_DOWN,
	};

	if (!(next[c->phase] & 1 << phase)) {
		log_warn("call: no way from %s to %s", phase_name(c->phase),
			 phase_name(phase));
		return;
	}

	log_debug("call %p: %s -> %s", (void *)c, phase_name(c->phase),
		  phase_name(phase));

	c->phase = phase;

	if (phase == PHASE_DOWN) {
		timer_cancel(&c->tmr_ring);
		timer_cancel(&c->tmr_expire);
		reliable_stop(c);
		modify_stop(c);
		se_stop(c);
	}
}


/* Let go of everything that needs the stack */
static void call_strip(struct sip_call *c)
{
	timer_cancel(&c->tmr_ring);
	timer_cancel(&c->tmr_wait);
	timer_cancel(&c->tmr_expire);
	timer_cancel(&c->mod.tmr);
	timer_cancel(&c->tmr_turn);
	se_stop(c);

	c->br = NULL;
	c->told_br = NULL;
	c->update = mem_deref(c->update);
	list_flush(&c->branches);
	c->invite = mem_deref(c->invite);
	c->redirect = mem_deref(c->redirect);
	c->rel = mem_deref(c->rel);
	c->answer = mem_deref(c->answer);
	c->sdp = mem_deref(c->sdp);
	c->tmpl = mem_deref(c->tmpl);
	c->sent = mem_deref(c->sent);
	c->st = mem_deref(c->st);
	c->msg = mem_deref(c->msg);
	c->ok = mem_deref(c->ok);
	c->prov = mem_deref(c->prov);
	c->mod.offer = mem_deref(c->mod.offer);
	list_unlink(&c->le);
}


static void call_destructor(void *arg)
{
	struct sip_call *c = arg;

	if (c->stack && !c->dead) {

		/* the user lets go: end on the wire first */
		mem_ref(c);
		c->orphan = true;
		memset(&c->h, 0, sizeof(c->h));

		if (c->phase != PHASE_DOWN)
			sip_call_hangup(c, 0, NULL);
		else
			session_check(c);
		return;
	}

	call_strip(c);
	mem_deref(c->callid);
	mem_deref(c->hop);
	mem_deref(c->headers);
	mem_deref(c->extra);
	mem_deref(c->reason);
	mem_deref(c->say);
	mem_deref(c->ended);
}


int session_alloc(struct sip_call **cp, struct sip_stack *s, enum phase phase)
{
	struct sip_call *c = mem_zalloc(sizeof(*c), call_destructor);

	if (!c)
		return ENOMEM;

	c->stack = s;
	c->phase = phase;
	sa_init(&c->laddr, AF_UNSPEC);
	list_append(&s->calls, &c->le, c);
	++s->stats.sessions;

	*cp = c;

	return 0;
}


uint32_t session_t1(const struct sip_call *c)
{
	return stack_t1(c->stack);
}


/* Is there more to do than to await the end of an INVITE of ours? */
bool session_pending(const struct sip_call *c)
{
	const struct le *le;

	if (!c->reported || c->phase != PHASE_DOWN || c->st || c->ok)
		return true;

	for (le = c->branches.head; le; le = le->next) {
		const struct branch *br = le->data;

		if (br->bye || br->bye_due || br->ack_query)
			return true;
	}

	return false;
}


/* Late 2xx will not come any more: what is left is the user's */
static void linger_h(void *arg)
{
	struct sip_call *c = arg;

	c->linger_ms = 0;
	session_check(c);
}


/* What a late 2xx needs is an ACK and a BYE, maybe in a dialog of its own */
static void call_shrink(struct sip_call *c)
{
	struct le *le;

	c->headers = mem_deref(c->headers);
	c->extra = mem_deref(c->extra);
	c->say = mem_deref(c->say);
	session_sent_shrink(c);

	for (le = c->branches.head; le; le = le->next) {
		struct branch *br = le->data;

		br->remote = mem_deref(br->remote);
		if (br->ack)
			mbuf_trim(br->ack);
	}
}


void session_check(struct sip_call *c)
{
	struct sip_stack *s = c->stack;

	if (!s)
		return;

	if (c->invite || session_pending(c)) {
		stack_closing_check(s);
		return;
	}

	if (!c->finished) {
		c->finished = true;
		--s->stats.sessions;
		list_unlink(&c->le);
		list_append(&s->lingering, &c->le, c);
		call_shrink(c);
	}

	if (c->linger_ms) {
		const uint64_t now = clock_ms();

		timer_start(&c->tmr_wait, c->linger_ms > now ?
			    c->linger_ms - now : 0, linger_h, c);
	}
	else if (c->orphan) {
		timer_start(&c->tmr_turn, 0, turn_h, c);
	}
	else {
		call_strip(c);
		c->stack = NULL;
	}

	stack_closing_check(s);
}


static void turn_h(void *arg)
{
	struct sip_call *c = arg;

	if (!c->reported) {
		session_closed(c, &c->res, NULL);
	}
	else if (c->orphan && c->finished) {
		c->dead = true;
		mem_deref(c);
	}
}


void session_closed(struct sip_call *c, const struct sip_result *res,
		    const struct sip_msg *msg)
{
	const struct sip_call_h h = c->h;

	session_phase(c, PHASE_DOWN);

	if (c->reported)
		return;

	c->reported = true;
	timer_cancel(&c->tmr_turn);
	if (msg)
		reason_take(&c->ended, msg);
	memset(&c->h, 0, sizeof(c->h));

	if (h.closed_h) {
		const struct sip_result copy = *res;

		if (msg) {
			struct sip_info in;

			sip_info_fill(&in, msg);
			h.closed_h(&copy, &in, c->arg);
		}
		else {
			h.closed_h(&copy, NULL, c->arg);
		}
	}

	session_check(c);
}


void session_closed_later(struct sip_call *c, const struct sip_result *res)
{
	if (c->phase == PHASE_DOWN)
		return;

	session_phase(c, PHASE_DOWN);
	c->res = *res;
	timer_start(&c->tmr_turn, 0, turn_h, c);
}


void session_drop(struct sip_call *c, enum sip_cause cause, uint16_t code,
		  const struct sip_msg *msg)
{
	struct sip_result res = {.cause = cause, .code = code};

	/* it may be over already: its user hung up in a handler */
	if (session_down(c))
		return;

	if (cause == SIP_CAUSE_MEDIA)
		reason_default(c, 488, "Not Acceptable Here");

	switch (c->phase) {

	case PHASE_CALLING:
		invite_cancel(c);
		break;

	case PHASE_INCOMING:
		session_terminate(c, cause == SIP_CAUSE_MEDIA ? 488 : 500);
		break;

	default:
		branch_bye(c->br);
		break;
	}

	session_closed(c, &res, msg);
}


struct mbuf *session_sdp(const struct sip_msg *msg)
{
	if (!mbuf_get_left(msg->mb) ||
	    !msg_ctype_cmp(&msg->ctyp, "application", "sdp"))
		return NULL;

	return msg->mb;
}


int session_result(struct sip_call *c, struct mbuf *sdp, bool early)
{
	const size_t pos = sdp->pos, end = sdp->end;
	int status = 0;

	if (c->h.result_h)
		status = c->h.result_h(sdp, early, c->arg);

	sdp->pos = pos;
	sdp->end = end;

	return status;
}


void session_named(struct sip_call *c, const struct sip_msg *msg)
{
	struct sip_info in;

	if (!c->h.peer_h)
		return;

	sip_info_fill(&in, msg);
	c->h.peer_h(&in, c->arg);
}


int session_answer_offer(struct sip_call *c, struct mbuf **answer,
			 struct mbuf *offer)
{
	const size_t pos = offer->pos, end = offer->end;
	int status = 488;

	*answer = NULL;

	if (c->h.answer_h)
		status = c->h.answer_h(answer, offer, c->arg);

	offer->pos = pos;
	offer->end = end;

	if (!status && !*answer)
		status = 500;
	if (status) {
		*answer = mem_deref(*answer);
		if (status < 300 || status > 699)
			status = 500;
	}

	return status;
}


/* Functions of sip_call.h ------------------------------------------------- */

void sip_call_attach(struct sip_call *c, const struct sip_call_h *h,
		     void *arg)
{
	if (!c || !h || c->reported)
		return;

	c->h = *h;
	c->arg = arg;
}


const struct sa *sip_call_laddr(const struct sip_call *c)
{
	return c && sa_isset(&c->laddr, SA_ADDR) ? &c->laddr : NULL;
}


const char *sip_call_id(const struct sip_call *c)
{
	return c ? c->callid : NULL;
}


const char *sip_call_reason(const struct sip_call *c)
{
	return c && c->ended ? c->ended : "";
}


bool sip_call_established(const struct sip_call *c)
{
	return c && c->phase == PHASE_UP;
}


void sip_call_hangup(struct sip_call *c, uint16_t code, const char *reason)
{
	struct sip_result res = {.cause = SIP_CAUSE_NONE};

	if (!c || c->phase == PHASE_DOWN)
		return;

	if (reason && header_text_ok(reason) && strlen(reason) < SIP_URI_MAX)
		(void)str_dup(&c->reason, reason);

	switch (c->phase) {

	case PHASE_CALLING:
		res.cause = SIP_CAUSE_CANCELLED;
		invite_cancel(c);
		break;

	case PHASE_INCOMING: {
		char line[SIP_URI_MAX + 16] = "";

		if (c->reason)
			(void)snprintf(line, sizeof(line), "Reason: %s\r\n",
				       c->reason);
		if (!sip_call_reject(c, code >= 300 && code <= 699 ?
				     code : 486, NULL, line))
			return;

		/* no answer can be given: leave the caller to its timers */
		c->st = mem_deref(c->st);
		res.cause = SIP_CAUSE_LOCAL;
		break;
	}

	default:
		branch_bye(c->br);
		break;
	}

	session_closed_later(c, &res);
}


static void call_abandon(struct sip_call *c)
{
	call_strip(c);

	c->stack = NULL;
	c->phase = PHASE_DOWN;
	c->reported = c->finished = true;
	memset(&c->h, 0, sizeof(c->h));

	if (c->orphan)
		mem_deref(c);
}


void session_stack_gone(struct sip_stack *s)
{
	while (s->calls.head)
		call_abandon(s->calls.head->data);

	while (s->lingering.head)
		call_abandon(s->lingering.head->data);
}
