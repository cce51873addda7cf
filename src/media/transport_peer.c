/**
 * @file transport_peer.c  Whom a stream hears and speaks to
 *
 * Media thread.  The first valid packet says where the peer really is, and we
 * send there too (symmetric RTP), since the address it told may be behind a
 * NAT.  Who was named in the negotiation comes before who was quicker, and who
 * is heard stays, unless it is plain that the same one has moved: it is the
 * same source, or on the same host, and not heard any more where it was.
 *
 * A transport that is fixed hears the host that was named and sends to the
 * address that was named, whatever comes from where.
 */
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "nat.h"
#include "priv.h"


enum {
	QUIET_US  = 200000,       /* silent so long: another port may be it */
	AWAY_US   = 1000000,      /* ... another host, of the same source   */
	TOLD_MAX  = 10,
};


void transport_aim(struct transport *t, const struct sa *rtp,
		   const struct sa *rtcp, bool mux)
{
	/* 0.0.0.0 is an old way to say hold; where the peer is has not
	 * changed, and it will be heard again from there */
	if (!sa_is_any(rtp)) {
		if (!sa_cmp(&t->peer, rtp, SA_ALL)) {
			t->latched = false;
			t->proven = false;
		}
		t->peer = *rtp;
	}

	t->peer_rtcp = mux ? t->peer : *rtcp;
	t->mux = mux;
}


void transport_trust(struct transport *t, bool proven)
{
	t->proven = t->proven || proven;
	t->shut = !t->proven;
}


bool transport_names(const struct transport *t, const struct sa *from)
{
	if (nat_rules(t->nat))
		return nat_knows(t->nat, from);

	return sa_cmp(from, &t->peer, SA_ALL) ||
		sa_cmp(from, &t->peer_rtcp, SA_ALL);
}


/* Not heard for us; times of arrival need not be in order */
static bool quiet(const struct transport *t, uint64_t now_us, uint64_t us)
{
	return now_us > t->heard_us && now_us - t->heard_us > us;
}


/* It is from where nothing came before. Is it our peer? */
static bool may_latch(const struct transport *t, const struct sa *from,
		      uint32_t ssrc, uint64_t now_us)
{
	if (t->fixed)
		return sa_cmp(from, &t->peer, SA_ADDR);

	if (!t->latched)
		return true;

	if (sa_cmp(from, &t->peer, SA_ALL) &&
	    !sa_cmp(&t->from, &t->peer, SA_ADDR))
		return true;

	/* a NAT has moved it, or the call was handed on behind it */
	if (sa_cmp(from, &t->from, SA_ADDR))
		return ssrc == t->ssrc || quiet(t, now_us, QUIET_US);

	/* it has changed networks */
	return ssrc == t->ssrc && quiet(t, now_us, AWAY_US);
}


static void latch(struct transport *t, const struct sa *from)
{
	if (t->latched)
		++t->changes;
	else if (sa_isset(&t->peer, SA_ALL) &&
		 !sa_cmp(from, &t->peer, SA_ALL) && t->told++ < TOLD_MAX)
		log_info("media comes from %s port %u, not %s port %u",
			 address_text(from).s, sa_port(from),
			 address_text(&t->peer).s, sa_port(&t->peer));

	t->from = *from;
	t->latched = true;
}


bool transport_accepts(struct transport *t, const struct sa *from,
		       uint32_t ssrc, uint64_t now_us)
{
	assert_media();

	/* ICE has proved who is where */
	if (nat_rules(t->nat)) {
		if (!nat_knows(t->nat, from)) {
			++t->foreign;
			return false;
		}
		t->from = *from;
		t->latched = true;
	}
	else if (!t->latched || !sa_cmp(from, &t->from, SA_ALL)) {

		if (!may_latch(t, from, ssrc, now_us)) {
			if (!t->foreign++)
				log_info("packets from %s port %u are not"
					 " heard: the peer is elsewhere",
					 address_text(from).s, sa_port(from));
			return false;
		}

		latch(t, from);
	}

	t->ssrc = ssrc;
	t->heard_us = now_us;

	return true;
}


bool transport_accepts_rtcp(const struct transport *t, const struct sa *from)
{
	if (nat_rules(t->nat))
		return nat_knows(t->nat, from);

	return sa_cmp(from, &t->peer, SA_ADDR) ||
		sa_cmp(from, &t->peer_rtcp, SA_ADDR) ||
		(t->latched && sa_cmp(from, &t->from, SA_ADDR));
}


struct address_text address_text(const struct sa *sa)
{
	struct address_text a;

	if (sa_ntop(sa, a.s, sizeof(a.s)))
		(void)strcpy(a.s, "?");

	return a;
}
