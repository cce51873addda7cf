/**
 * @file incoming.c  A call that comes: whose it is and whether we take it
 *
 * Refused here, before anything rings: an unknown user (404), too many calls
 * (486), an offer we cannot use (488, 400).  What is taken is told by its
 * state; whoever listens may answer or refuse it in that moment, else it
 * rings.  Main thread.
 */
#include <offhook/random.h>
#include "priv.h"
#include "requests.h"
#include "caller.h"


/* Whose call. @return 0 or the status to refuse with */
static int find_owner(const struct account **ap, const struct ua *ua,
		      const struct sip_info *in)
{
	*ap = NULL;

	if (ua->closing)
		return 503;

	/* a person without accounts is whoever is called here */
	if (!ua_account(ua, 0))
		return 0;

	*ap = account_match(ua, in);

	return *ap ? 0 : 404;
}


static void ring_out(void *arg)
{
	struct call *c = arg;
	char why[UA_ERR];

	call_blame(c, SIP_CAUSE_NO_ANSWER, 480, "");
	if (call_reject(c, 480, NULL, why))
		log_warn("call %u: %s", c->id, why);
}


/* Can we speak with this peer at all? The answer is written later, when our
 * port is known. */
static int take_offer(struct call *c, const struct sa *laddr,
		      struct mbuf *offer)
{
	struct ability ab;

	c->late_offer = !offer;
	if (!offer)
		return 0;

	call_ability(c, laddr, &ab);

	return nego_take(&c->next, &c->next_held, &c->nego, &ab,
			 (const char *)mbuf_buf(offer), mbuf_get_left(offer));
}


/* Ours with this session, NULL: none */
static struct call *call_with(const struct ua *ua, const struct sip_call *old)
{
	struct le *le;

	if (!old)
		return NULL;

	LIST_FOREACH(&ua->calls, le) {
		struct call *c = le->data;

		if (c->sip == old && call_living(c))
			return c;
	}

	return NULL;
}


/* Why it is refused, for who reads Warning */
static void say(struct sip_call *sc, uint16_t code, const char *text)
{
	char line[120];

	if (sip_warning(line, sizeof(line), code, text))
		(void)sip_call_say(sc, line);
}


int incoming_invite(struct sip_call *sc, const struct sip_info *in,
		    struct mbuf *offer, void *arg)
{
	struct ua *ua = arg;
	const struct account *acc;
	char from[EVENT_TEXT], why[UA_ERR];
	struct call *c, *old, *joined;
	int code;

	/* that the INVITE wants to replace (RFC 3891), to join (RFC 3911) */
	old = call_with(ua, sip_call_replaces(sc));
	joined = call_with(ua, sip_call_joins(sc));

	code = find_owner(&acc, ua, in);
	if (!code && joined && ua->config->joins == JOINS_DENY)
		code = 488;
	if (!code && !call_room(ua))
		code = 486;
	if (!code && acc && !strncasecmp(acc->conf.aor, "sips:", 5) &&
	    !sip_info_sips(in)) {
		/* who is reached by sips: alone (RFC 5630 5.3) */
		code = 480;
		say(sc, 381, "SIPS Required");
	}
	if (!code && !sip_call_laddr(sc))
		code = 500;
	if (!code) {
		struct sip_call_ext ext;

		session_ext(&ext, ua, acc, NULL);
		code = sip_call_setup(sc, &ext);
	}
	if (code)
		goto refuse;

	if (call_create(&c, ua, false, (struct account *)acc, in->from_uri,
			in->from_name)) {
		code = 500;
		goto refuse;
	}

	c->signal_tls = in->tp == SIP_TRANSP_TLS;
	code = take_offer(c, sip_call_laddr(sc), offer);
	if (!code && (caller_take(c, in) || call_invite_take(c, in)))
		code = 500;
	if (code == 488)
		say(sc, c->nego.insecure ? 399 : 305, c->nego.insecure ?
		    "Media is not protected as it must be" :
		    "Incompatible media format");
	if (code) {
		/* never told, so its number is free again */
		if (ua->next_call == c->id)
			--ua->next_call;
		mem_deref(c);
		goto refuse;
	}

	c->sip = mem_ref(sc);
	if (acc)
		sip_call_set_ident(sc, acc->ident);
	else
		(void)utf8_dup(&c->called, in->to_uri, UA_URI);
	sip_call_attach(sc, &call_sip_handlers, c);

	c->begin_ms = clock_ms();
	if (ua->config->ring_timeout_ms > 0)
		timer_start(&c->tmr_ring,
			    (uint64_t)ua->config->ring_timeout_ms,
			    ring_out, c);

	if (call_nat_wanted(c))
		call_nat_begin(c, sip_call_laddr(sc));

	c->joins = joined ? joined->id : 0;
	(void)call_state_set(c, CALL_INCOMING);

	if (old && call_living(old) && call_living(c))
		transfer_take_over(c, old);

	if (joined && ua->config->joins == JOINS_ACCEPT && call_living(c) &&
	    c->state == CALL_INCOMING && call_answer(c, why))
		log_warn("call %u: %s", c->id, why);

	if (call_living(c) && c->state == CALL_INCOMING)
		(void)call_ring(c);

	return 0;

 refuse:
	log_info("call from %s refused (%d)",
		 text_escape(from, sizeof(from), in->from_uri,
			     strlen(in->from_uri)), code);

	return code;
}


int incoming_options(const struct sip_info *in, void *arg)
{
	struct ua *ua = arg;
	const struct account *acc;
	const int code = in->ruri_user[0] ? find_owner(&acc, ua, in) : 0;
	const uint16_t judged = code ? 0 : ua_judge(ua, in);

	return code ? code : judged ? judged : call_room(ua) ? 200 : 486;
}


int incoming_ability(struct mbuf **sdp, const struct sa *laddr, void *arg)
{
	struct ua *ua = arg;
	struct ability ab;
	struct nego n;
	int err;

	err = ua_ability(&ab, ua, NULL);
	if (err)
		return err;

	/* port 0: these are abilities, not an offer (RFC 3264 9) */
	ab.rtp = *laddr;
	sa_set_port(&ab.rtp, 0);

	nego_init(&n, random_u32());
	err = nego_offer(sdp, &n, &ab);
	nego_reset(&n);

	return err;
}
