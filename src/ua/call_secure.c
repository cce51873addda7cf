/**
 * @file call_secure.c  A call and the protection of its sound
 *
 * What the options and the account want, and what the way of the signalling
 * allows: a key in a description is a key for all who can read it, so
 * without encryption there it stays out unless the user says otherwise.
 * Main thread.
 */
#include <stdio.h>
#include <offhook/random.h>
#include "offhook/text.h"
#include "keys.h"
#include "priv.h"
#include "sdp_own.h"


/* Most calls never need any: only those that may write them have some */
static void keys_make(struct nego *n)
{
	if (n->keyed)
		return;

	random_fill(n->key, sizeof(n->key));
	n->keyed = true;
}


static enum secure_policy policy(const struct ua *ua,
				 const struct account *acc)
{
	static const char *const words[] = {"off", "prefer", "require"};

	if (acc && acc->conf.webrtc)
		return SECURE_REQUIRE;
	for (unsigned i = 0; acc && i < COUNT_OF(words); i++) {
		if (!str_casecmp(acc->conf.media_security, words[i]))
			return (enum secure_policy)i;
	}

	return (enum secure_policy)ua->config->media_security;
}


static bool has_param(const char *uri, const char *param)
{
	const size_t len = strlen(param);

	while ((uri = strchr(uri, ';'))) {
		++uri;
		if (strlen(uri) >= len && text_caseeq(uri, len, param) &&
		    (!uri[len] || strchr(";?>", uri[len])))
			return true;
	}

	return false;
}


/* Nobody on the way to the next hop reads what we write */
static bool signalling_secure(const struct call *c)
{
	const char *hop;

	if (!c->outgoing)
		return c->signal_tls;

	hop = sip_ident_hop(c->acc ? c->acc->ident : NULL, c->peer);

	return !strncasecmp(hop, "sips:", 5) ||
		!strncasecmp(c->peer, "sips:", 5) ||
		has_param(hop, "transport=tls") ||
		(c->acc && !strcasecmp(c->acc->conf.transport, "tls"));
}


void call_secure_ability(struct call *c, struct ability *ab)
{
	const int sdes = c->ua->config->sdes;

	const bool webrtc = c->acc && c->acc->conf.webrtc;

	ab->secure.policy = policy(c->ua, c->acc);
	ab->secure.dtls = webrtc || (ab->secure.policy != SECURE_OFF &&
				     c->ua->config->dtls);
	ab->secure.sdes = !webrtc && (sdes == SDES_ALWAYS ||
		(sdes == SDES_SECURE && signalling_secure(c)));
	if (ab->secure.sdes && ab->secure.policy != SECURE_OFF)
		keys_make(&c->nego);
}


/* The user has written it himself, once: what it is to be was still worked
 * out, since that goes on in force */
static int by_hand(struct mbuf **sdp, struct call *c, const struct ability *ab)
{
	char *text = c->sdp_next;
	int err;

	if (!text)
		return 0;

	c->sdp_next = NULL;
	*sdp = mem_deref(*sdp);
	err = sdp_own_offer(sdp, text, &ab->rtp);
	mem_deref(text);

	return err;
}


/* Our certificate is made when one is named for the first time: that takes
 * longer than all the rest of a call that needs none */
int call_offer(struct mbuf **sdp, struct call *c, struct ability *ab)
{
	int err = 0;

	if (ab->secure.dtls && c->nego.keying != MEDIA_KEYS_SDES)
		err = media_print(c->ua->media, &ab->secure.print);
	if (err)
		ab->secure.dtls = false;
	if (err && !call_secure_possible(ab))
		return err;

	err = nego_offer(sdp, &c->nego, ab);

	return err ? err : by_hand(sdp, c, ab);
}


int call_answer_of(struct mbuf **sdp, struct call *c, struct ability *ab)
{
	int err = 0;

	if (c->nego.keying == MEDIA_KEYS_DTLS)
		err = media_print(c->ua->media, &ab->secure.print);

	if (!err)
		err = nego_answer(sdp, &c->nego, ab);

	return err ? err : by_hand(sdp, c, ab);
}


bool call_secure_possible(const struct ability *ab)
{
	return ab->secure.policy != SECURE_REQUIRE || ab->secure.sdes ||
		ab->secure.dtls;
}


const char *call_secure_refusal(const struct ability *ab)
{
	return ab->secure.policy == SECURE_REQUIRE ?
		"the answer has no sound that is encrypted"
		" (media-security=require)" :
		"the answer has nothing we can use";
}


/* Without keys there is no sound, and in plain there shall be none */
void call_secure_failed(struct call *c, const char *why)
{
	char err[UA_ERR];

	log_warn("call %u: %s", c->id, why);

	c->insecure = true;
	if (!call_living(c) || c->state != CALL_ACTIVE)
		return;

	call_blame(c, SIP_CAUSE_MEDIA, 0, why);
	(void)call_hangup(c, 0, NULL, err);
}


void call_secure_changed(const struct call *c, const struct media_plan *next)
{
	if (c->started && c->plan.secure.keying != MEDIA_KEYS_NONE &&
	    next->secure.keying == MEDIA_KEYS_NONE)
		log_warn("call %u: the other side has ended the encryption"
			 " of the sound", c->id);
}


const char *call_security(const struct call *c)
{
	if (!c || !c->plan.codec)
		return "";

	switch (c->plan.secure.keying) {

	case MEDIA_KEYS_SDES: return "sdes";
	case MEDIA_KEYS_DTLS: return "dtls";
	case MEDIA_KEYS_NONE: break;
	}

	return "none";
}


const char *call_suite(const struct call *c)
{
	const struct media_secure *ms = c ? &c->plan.secure : NULL;

	return ms && ms->keying == MEDIA_KEYS_SDES && ms->suite ?
		ms->suite->name : c && c->suite ? c->suite->name : "";
}


bool call_prints(const struct call *c, char *theirs, char *ours)
{
	const struct media_secure *ms = c ? &c->plan.secure : NULL;
	struct media_print own;

	theirs[0] = ours[0] = '\0';

	return ms && ms->keying == MEDIA_KEYS_DTLS && c->suite &&
		!print_print(theirs, CALL_PRINT, &ms->print) &&
		!media_print(c->ua->media, &own) &&
		!print_print(ours, CALL_PRINT, &own);
}
