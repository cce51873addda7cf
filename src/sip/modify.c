/**
 * @file modify.c  A session is changed, or refreshed: when and by what
 *
 * What the user wants changed is remembered, the last wish only, and goes
 * out when nothing stands in its way: by re-INVITE or, if the peer allows it
 * and before the answer always, by UPDATE.  A refresh for the session timer
 * takes the same road.  Who has met a refusal for glare waits a random time
 * that depends on whose Call-ID it is.  When a change fails the session stays
 * as it was, except that 481, 408 and silence end it.  RFC 3261 chapter 14,
 * 3311.  Main thread.
 */
#include <offhook/random.h>
#include "session.h"


enum {
	TRIES_MAX   = 10,            /* of one wish, each refused for now */
	RETRY_S_MAX = 10,            /* of a Retry-After that we sit out  */
};


/* A span of steps of 10 ms, in proportion to T1 */
static uint64_t random_wait(const struct sip_call *c, unsigned from,
			    unsigned to)
{
	const unsigned steps = from + random_u32() % (to - from + 1);

	return 10ULL * steps * session_t1(c) / SIP_T1_MS;
}


static bool agreed(const struct branch *br)
{
	return br && br->offer.agreed && !br->bad;
}


/* The dialog that a change is for; NULL: there is none yet */
static struct branch *modify_branch(const struct sip_call *c)
{
	const struct le *le;

	if (c->br)
		return agreed(c->br) ? c->br : NULL;

	if (agreed(c->told_br))
		return (struct branch *)c->told_br;

	for (le = c->branches.head; le; le = le->next) {
		if (agreed(le->data))
			return le->data;
	}

	return NULL;
}


static void try_h(void *arg)
{
	modify_try(arg);
}


static void told(struct sip_call *c, const struct sip_result *res)
{
	struct modify *m = &c->mod;
	const bool own = m->own;

	m->tries = 0;
	m->own = false;
	if (!m->wanted)
		m->offer = mem_deref(m->offer);

	if (own && res->cause != SIP_CAUSE_NONE)
		se_failed(c);
	if (!own && c->h.modified_h)
		c->h.modified_h(res, c->arg);

	answer_try(c);
	modify_try(c);
}


void modify_done(struct sip_call *c, const struct sip_result *res)
{
	told(c, res);
}


static bool waits(const struct sip_call *c, const struct branch *br)
{
	switch (c->phase) {

	case PHASE_UP:
		return c->invite || c->ok || br->ack_due;

	case PHASE_CALLING:
		return false;

	case PHASE_INCOMING:
		return c->answer_due || reliable_holds(c);

	default:
		return true;
	}
}


/* What a refresh says: by UPDATE nothing, else the session as it stands */
static int refresh_prepare(struct sip_call *c, enum sip_modify *how)
{
	struct modify *m = &c->mod;

	m->offer = mem_deref(m->offer);
	*how = c->peer_update ? SIP_MODIFY_UPDATE : SIP_MODIFY_REINVITE;

	if (*how == SIP_MODIFY_UPDATE)
		return 0;
	if (!c->h.offer_h)
		return ENOSYS;

	return c->h.offer_h(&m->offer, c->arg);
}


void modify_try(struct sip_call *c)
{
	struct branch *br = modify_branch(c);
	struct modify *m = &c->mod;
	enum sip_modify how = m->how;
	int err = 0;

	if (!br || !(m->wanted || m->refresh) || m->out || c->update ||
	    timer_running(&m->tmr) || offer_open(&br->offer) || waits(c, br))
		return;

	m->own = !m->wanted;
	m->wanted = false;
	m->refresh = false;

	if (m->own)
		err = refresh_prepare(c, &how);
	else if (c->phase != PHASE_UP)
		how = SIP_MODIFY_UPDATE;

	/* its user has hung up while asked for an offer */
	if (session_down(c))
		return;

	if (!err && how == SIP_MODIFY_UPDATE)
		err = c->peer_update ? update_send(br) : ENOTSUP;
	else if (!err)
		err = reinvite_send(c);

	if (err) {
		const struct sip_result res = {
			.cause = SIP_CAUSE_LOCAL, .err = err,
		};

		told(c, &res);
	}
}


/* @return true: it is tried again */
static bool again(struct sip_call *c, const struct sip_result *res,
		  const struct sip_msg *msg, bool update)
{
	struct modify *m = &c->mod;
	uint64_t wait_ms;

	switch (msg ? msg->scode : 0) {

	case 491:
		wait_ms = c->tmpl ? random_wait(c, 210, 400) :
			random_wait(c, 0, 200);
		break;

	case 422:
		if (!se_raise(c, msg))
			return false;
		wait_ms = 0;
		break;

	case 500: case 503:
		/* RFC 3311 5.2: an offer before the last one was answered */
		if (!res->retry_after_s || res->retry_after_s > RETRY_S_MAX)
			return false;
		wait_ms = 1000ULL * res->retry_after_s;
		break;

	case 405: case 501:
		if (!update)
			return false;
		c->peer_update = false;
		if (c->phase != PHASE_UP || m->how == SIP_MODIFY_UPDATE)
			return false;
		wait_ms = 0;
		break;

	default:
		return false;
	}

	if (++m->tries >= TRIES_MAX)
		return false;

	if (m->own)
		m->refresh = true;
	else
		m->wanted = true;
	timer_start(&m->tmr, wait_ms, try_h, c);

	return true;
}


void modify_refused(struct sip_call *c, struct branch *br,
		    const struct sip_result *res, const struct sip_msg *msg)
{
	const uint16_t code = msg ? msg->scode : 0;
	const bool update = !c->mod.out;

	c->mod.out = false;

	/* what it had begun, and nothing else */
	if ((br->offer.state == OFFER_LOCAL &&
	     br->offer.by == (update ? BY_UPDATE : BY_INVITE)) ||
	    (br->offer.state == OFFER_ASKED && !update))
		offer_cancel(&br->offer);

	if (session_down(c))
		return;

	/* 14.1: the dialog is gone, or the peer is */
	if (c->phase == PHASE_UP && code == 481) {
		struct sip_result r = *res;

		r.cause = SIP_CAUSE_STATUS;
		r.remote = true;
		session_closed(c, &r, msg);
		return;
	}

	if (c->phase == PHASE_UP && (code == 408 ||
	    (!msg && res->cause == SIP_CAUSE_TIMEOUT))) {
		session_drop(c, SIP_CAUSE_TIMEOUT, code, msg);
		return;
	}

	if (again(c, res, msg, update)) {
		answer_try(c);
		return;
	}

	told(c, res);
}


void modify_stop(struct sip_call *c)
{
	if (!c->mod.out)
		timer_cancel(&c->mod.tmr);
	c->mod.wanted = c->mod.refresh = false;
	c->update = mem_deref(c->update);
}


bool sip_call_can_update(const struct sip_call *c)
{
	return c && c->peer_update;
}


int sip_call_rename(struct sip_call *c)
{
	if (!c || c->phase != PHASE_UP || !c->br)
		return ENOTCONN;
	if (!c->peer_from_change)
		return ENOTSUP;

	return dialog_rename_us(c->br->dlg);
}


int sip_call_modify_by(struct sip_call *c, struct mbuf *offer,
		       enum sip_modify how)
{
	if (!c)
		return EINVAL;

	switch (c->phase) {

	case PHASE_UP:
	case PHASE_ANSWERED:
		break;

	case PHASE_CALLING:
	case PHASE_INCOMING:
		if (how == SIP_MODIFY_REINVITE || !modify_branch(c))
			return ENOTCONN;
		how = SIP_MODIFY_UPDATE;
		break;

	default:
		return ENOTCONN;
	}

	if (how == SIP_MODIFY_UPDATE && !c->peer_update)
		return ENOTSUP;

	mem_deref(c->mod.offer);
	c->mod.offer = mem_ref(offer);
	c->mod.how = how;
	c->mod.wanted = true;

	/* on the next turn: no handler is called from inside */
	if (!timer_running(&c->mod.tmr))
		timer_start(&c->mod.tmr, 0, try_h, c);

	return 0;
}


int sip_call_modify(struct sip_call *c, struct mbuf *offer)
{
	return sip_call_modify_by(c, offer, SIP_MODIFY_AUTO);
}
