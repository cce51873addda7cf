/**
 * @file app/findings.c  Why a call failed, or was poor: in plain words
 *
 * The facts are taken once (findings_facts.c); then each row of the table says
 * whether it is about this call, and what it has seen.
 * The rows stand in the order of how telling they are.  Pure.
 */
#include <math.h>
#include <stdio.h>
#include "findings_priv.h"

#define POOR_MOS 3.6

enum {
	AGAIN_MANY  = 3,         /* retransmissions that tell something      */
	SKEW_S      = 120,
	ACK_MIN_MS  = 28000,     /* who gives up for want of an ACK does so  */
	ACK_MAX_MS  = 36000,     /*   after 32 s                             */
	LATE_PCT    = 2,
	LOSS_PCT    = 3,
	DELAY_MS    = 400,
};


static double pct(uint64_t part, uint64_t all)
{
	return all ? 100.0 * (double)part / (double)all : 0.0;
}


static bool has_media(const struct facts *f)
{
	return f->r->was_active && f->r->stats_known;
}


static bool failed(const struct facts *f)
{
	return f->r->state == CALL_ENDED && (!f->r->was_active ||
		f->r->result.cause != SIP_CAUSE_NONE);
}


/* Rows ----------------------------------------------------------------------- */

typedef bool (is_h)(const struct facts *f, char *seen, size_t sz);


static bool is_resolve(const struct facts *f, char *seen, size_t sz)
{
	snprintf(seen, sz, "%s", f->r->result.reason);

	return f->r->result.cause == SIP_CAUSE_RESOLVE;
}


static bool is_tls(const struct facts *f, char *seen, size_t sz)
{
	const char *s = f->r->result.reason;

	snprintf(seen, sz, "%s", s);

	return f->r->result.cause == SIP_CAUSE_TRANSPORT &&
		(strstr(s, "TLS") || strstr(s, "ertificate"));
}


static bool is_unreachable(const struct facts *f, char *seen, size_t sz)
{
	char addr[80] = "the server";

	if (sa_isset(&f->peer, SA_ADDR))
		(void)re_snprintf(addr, sizeof(addr), "%J", &f->peer);
	snprintf(seen, sz, "%s: %s", addr, f->r->result.reason);

	return !f->r->was_active && f->r->result.cause == SIP_CAUSE_TRANSPORT;
}


static bool is_no_response(const struct facts *f, char *seen, size_t sz)
{
	char addr[80] = "the server";

	if (sa_isset(&f->peer, SA_ADDR))
		(void)re_snprintf(addr, sizeof(addr), "%J", &f->peer);
	snprintf(seen, sz, "the INVITE went to %s %u times, and nothing came "
		 "back", addr, f->tx_again + 1);

	return f->r->outgoing && !f->r->was_active && !f->responses &&
		f->r->result.cause == SIP_CAUSE_TIMEOUT;
}


static bool is_no_ack(const struct facts *f, char *seen, size_t sz)
{
	snprintf(seen, sz, "our 200 OK was sent %u times, and %s",
		 f->ok_again + 1, f->ack_came ? "the ACK came late" :
		 "no ACK came");

	return !f->r->outgoing && f->ok_again >= AGAIN_MANY;
}


static bool is_cut_at_32(const struct facts *f, char *seen, size_t sz)
{
	snprintf(seen, sz, "the other side hung up after %.0f s",
		 (double)f->r->duration_ms / 1000.0);

	return findings_doubted(f->r) && f->rx_again >= AGAIN_MANY;
}


static bool is_alg(const struct facts *f, char *seen, size_t sz)
{
	snprintf(seen, sz, "%s", f->altered);

	return f->altered[0];
}


static bool is_auth(const struct facts *f, char *seen, size_t sz)
{
	snprintf(seen, sz, "the server asked for a password %u times, and "
		 "said %u %s", f->challenges, f->r->result.code,
		 f->r->result.reason);

	/* a 403 that nobody was asked before is a decision of another kind */
	return failed(f) && f->r->result.cause == SIP_CAUSE_AUTH &&
		(f->challenges || f->r->result.code != 403);
}


/* It was agreed on, and did not come about */
static bool is_handshake(const struct facts *f, char *seen, size_t sz)
{
	const char *s = f->r->result.reason;

	snprintf(seen, sz, "%s", s);

	return f->r->was_active && f->r->result.cause == SIP_CAUSE_MEDIA &&
		(strstr(s, "DTLS") || strstr(s, "encrypt"));
}


static bool is_security(const struct facts *f, char *seen, size_t sz)
{
	const bool ours = strstr(f->ours.proto, "SAVP") != NULL;
	const bool theirs = strstr(f->theirs.proto, "SAVP") != NULL;

	if (f->theirs_known)
		snprintf(seen, sz, "we speak %s, they speak %s",
			 f->ours_known ? f->ours.proto : "otherwise",
			 f->theirs.proto);
	else
		snprintf(seen, sz, "we offered %s, and the answer was %u",
			 f->ours.proto, f->r->result.code);

	if (!failed(f) || (f->r->result.code != 488 &&
			   f->r->result.code != 606 &&
			   f->r->result.cause != SIP_CAUSE_MEDIA))
		return false;

	return f->theirs_known && f->ours_known ? ours != theirs :
		f->theirs_known ? theirs : ours;
}


static bool is_codec(const struct facts *f, char *seen, size_t sz)
{
	const uint16_t code = f->r->result.code;

	snprintf(seen, sz, "we have %s, they have %s%s%s",
		 f->ours_known ? f->ours.codecs : "other codecs",
		 f->theirs_known ? f->theirs.codecs : "not said which",
		 f->warning[0] ? "; they say " : "", f->warning);

	return failed(f) && (f->r->result.cause == SIP_CAUSE_MEDIA ||
			     code == 488 || code == 606 || code == 415);
}


/* Media is to come from, or go to, an address that cannot be reached */
static bool is_nat(const struct facts *f, char *seen, size_t sz)
{
	const bool silent = has_media(f) && f->r->media_expected &&
		!f->r->stats.packets_received;
	char addr[80];

	if (!facts_is_public(&f->peer))
		return false;

	(void)re_snprintf(addr, sizeof(addr), "%j", &f->peer);

	if (f->theirs_known && facts_is_private(f->theirs.addr)) {
		snprintf(seen, sz, "%s says that its sound is at %s, an "
			 "address of a private network", addr,
			 f->theirs.addr);
		return silent || failed(f);
	}

	snprintf(seen, sz, "we told %s that our sound is at %s, an address "
		 "of a private network", addr, f->ours.addr);

	return silent && f->ours_known && facts_is_private(f->ours.addr);
}


static bool is_one_way(const struct facts *f, char *seen, size_t sz)
{
	const struct stream_stats *st = &f->r->stats;
	char addr[80] = "it";

	if (sa_isset(&st->remote, SA_ALL))
		(void)re_snprintf(addr, sizeof(addr), "%J", &st->remote);
	snprintf(seen, sz, "%llu packets of sound were sent to %s, and none "
		 "came", (unsigned long long)st->packets_sent, addr);

	return has_media(f) && f->r->media_expected &&
		st->packets_sent > 25 && !st->packets_received;
}


static bool is_not_heard(const struct facts *f, char *seen, size_t sz)
{
	const struct stream_stats *st = &f->r->stats;

	snprintf(seen, sz, "the other side reports that %.0f %% of our sound "
		 "does not arrive", 100.0 * st->remote_loss_256 / 256.0);

	return has_media(f) && st->remote_known &&
		st->remote_loss_256 >= 256 / 10;
}


static bool is_session_timer(const struct facts *f, char *seen, size_t sz)
{
	const char *s = f->r->result.reason;

	snprintf(seen, sz, "%s, after %.0f s of talking", *s && !f->expired ?
		 s : "the session timer has run out",
		 (double)f->r->duration_ms / 1000.0);

	return f->r->was_active && (f->expired || strstr(s, "ession timer") ||
				    strstr(s, "ession-Timer") ||
				    strstr(s, "ession expired"));
}


static bool is_lost(const struct facts *f, char *seen, size_t sz)
{
	const struct stream_stats *st = &f->r->stats;
	const double loss = pct(st->lost, st->lost + st->packets_received);

	snprintf(seen, sz, "%.1f %% of the packets never came", loss);

	return has_media(f) && st->packets_received && loss > LOSS_PCT;
}


static bool is_late(const struct facts *f, char *seen, size_t sz)
{
	const struct stream_stats *st = &f->r->stats;
	const double late = pct(st->late, st->packets_received);

	snprintf(seen, sz, "%.1f %% of the packets came too late to be "
		 "heard, with a jitter of %.0f ms", late,
		 st->jitter_us / 1000.0);

	return has_media(f) && late > LATE_PCT;
}


static bool is_delayed(const struct facts *f, char *seen, size_t sz)
{
	const struct stream_stats *st = &f->r->stats;
	const double ms = st->rtt_us / 2000.0 + st->delay_ms;

	snprintf(seen, sz, "what is said takes about %.0f ms to be heard",
		 ms);

	return has_media(f) && st->packets_received && ms > DELAY_MS;
}


static bool is_faint(const struct facts *f, char *seen, size_t sz)
{
	const struct stream_stats *st = &f->r->stats;

	snprintf(seen, sz, "packets came, but they held silence (%.0f dBFS)",
		 st->level_in_dbfs);

	return has_media(f) && st->packets_received > 250 &&
		st->level_in_dbfs < -65.0 && st->level_in_dbfs > -96.5;
}


static bool is_again(const struct facts *f, char *seen, size_t sz)
{
	snprintf(seen, sz, "we had to send %u messages again, and %u came "
		 "again", f->tx_again, f->rx_again);

	return f->responses && f->tx_again + f->rx_again >= AGAIN_MANY;
}


static bool is_skew(const struct facts *f, char *seen, size_t sz)
{
	const int64_t s = f->skew_s < 0 ? -f->skew_s : f->skew_s;

	snprintf(seen, sz, "the other side's clock is %lld s %s of ours",
		 (long long)s, f->skew_s > 0 ? "ahead" : "behind");

	return failed(f) && s > SKEW_S;
}


/* By status, when nothing above says more */
static bool code_is(const struct facts *f, char *seen, size_t sz,
		    unsigned code)
{
	snprintf(seen, sz, "the answer was %u %s%s%s", f->r->result.code,
		 f->r->result.reason, f->server[0] ? ", from " : "",
		 f->server);

	return failed(f) && f->r->outgoing && f->r->result.code == code;
}


#define CODE_IS(name, code)						\
	static bool name(const struct facts *f, char *seen, size_t sz)	\
	{								\
		return code_is(f, seen, sz, code);			\
	}

CODE_IS(is_403, 403)
CODE_IS(is_404, 404)
CODE_IS(is_480, 480)
CODE_IS(is_482, 482)
CODE_IS(is_483, 483)
CODE_IS(is_500, 500)
CODE_IS(is_503, 503)
CODE_IS(is_504, 504)


static const struct {
	struct finding_row row;
	is_h *is;
} rows[] = {
	{ { "name", "finding the server",
	    "the name is misspelt, has no DNS records for SIP, or the name "
	    "server is not reachable",
	    "`resolve` shows every step; try the server's IP address as "
	    "outbound" }, is_resolve },
	{ { "tls", "the TLS connection",
	    "the certificate is for another name, has expired, or is signed "
	    "by somebody this machine does not know",
	    "compare the name in the account with that in the certificate; "
	    "`doctor` shows the chain; check the clock; for a private "
	    "authority give tls-ca" }, is_tls },
	{ { "unreachable", "the way to the server",
	    "the port is closed or nobody listens there, a firewall refuses, "
	    "or there is no route",
	    "check port and transport (udp, tcp, tls) of the account; "
	    "`doctor` tries them all" }, is_unreachable },
	{ { "no-response", "the INVITE",
	    "a firewall drops SIP, the address is wrong, or the server only "
	    "speaks another transport",
	    "try transport=tcp or tls; `doctor` tells which of them answers" },
	  is_no_response },
	{ { "no-ack", "the answer",
	    "our Contact cannot be reached from there: a NAT or a proxy that "
	    "does not record its route, so the confirmation is lost",
	    "register with nat=auto, or use TCP; look at the Contact in "
	    "`ladder`" }, is_no_ack },
	{ { FINDING_CUT, "the answer",
	    "our ACK does not reach the other side: it repeats its 200 OK "
	    "and gives up after 32 s; its Contact is an address that only "
	    "it can reach",
	    "set outbound to the proxy, or use TCP" }, is_cut_at_32 },
	{ { "auth", "authentication",
	    "user or password are wrong, or the server wants another user "
	    "name for the password (auth-user)",
	    "type the password anew; ask the provider for the name to "
	    "authenticate with; check that the realm is the right server's" },
	  is_auth },
	{ { "dtls", "the way of the sound",
	    "the two agreed to encrypt the sound and could not begin: a "
	    "firewall or NAT lets no UDP through, a server on the way keeps "
	    "the handshake to itself, or the two have no keys in common",
	    "open UDP for media-ports, use ICE; where the signalling can be "
	    "trusted with the keys, sdes=always" }, is_handshake },
	{ { "security-mismatch", "the description of the sound",
	    "one side wants encrypted sound and the other cannot or may not",
	    "set media-security to prefer, or to what the other side "
	    "speaks" }, is_security },
	{ { "codec-mismatch", "the description of the sound",
	    "the two sides have no codec in common, or the server allows "
	    "only some",
	    "add pcma and pcmu to option codecs: nearly everybody has "
	    "these" }, is_codec },
	{ { "nat-address", "the way of the sound",
	    "somebody behind a NAT tells the address that it has inside",
	    "on our side use nat=auto, STUN or ICE; on theirs the server "
	    "must see to it" }, is_nat },
	{ { "one-way-audio", "the way of the sound",
	    "a firewall or NAT lets no RTP in, or the other side sends "
	    "elsewhere",
	    "open UDP for media-ports, use ICE or STUN; see with `pcap` "
	    "whether packets come at all" }, is_one_way },
	{ { "not-heard", "the way of the sound",
	    "the way from us to them loses packets: a full uplink, Wi-Fi, or "
	    "a VPN",
	    "stop uploads, use a cable, choose opus, which stands loss" },
	  is_not_heard },
	{ { "session-timer", "in the call",
	    "the refresh that both sides agreed on did not come through: a "
	    "NAT or firewall has forgotten the way in between",
	    "use keepalive and TCP, or session-timer=off" },
	  is_session_timer },
	{ { "alg", "on the way",
	    "a router with a SIP helper (ALG) changes what is sent through "
	    "it, which often breaks calls",
	    "switch SIP ALG off in the router, or use TLS, which it cannot "
	    "read" }, is_alg },
	{ { "packet-loss", "the way of the sound",
	    "the network between us drops packets: Wi-Fi, a full line, a bad "
	    "cable",
	    "use a cable, stop downloads; opus with opus-fec hides most of "
	    "it" }, is_lost },
	{ { "late-packets", "the way of the sound",
	    "packets come in bursts: Wi-Fi that saves power, a busy machine, "
	    "a VPN",
	    "raise jitter-min to 100ms, use a cable" }, is_late },
	{ { "delay", "the way of the sound",
	    "a long way, or large buffers on it",
	    "see whether the server's media relay is far away; lower "
	    "jitter-max" }, is_delayed },
	{ { "silence", "the other side",
	    "its microphone is muted, or it sends from the wrong device",
	    "ask it to check; `record` shows what comes" }, is_faint },
	{ { "retransmissions", "SIP itself",
	    "messages get lost on the way, or the server is slow",
	    "use TCP or TLS; large INVITEs over UDP are fragmented and "
	    "dropped: fewer codecs make them smaller" }, is_again },
	{ { "clock", "the clocks",
	    "one of the two clocks is wrong; certificates and nonces then "
	    "look too old",
	    "set the clock of this machine (timedatectl)" }, is_skew },
	{ { "forbidden", "the server's decision",
	    "the account may not call this number, or is not registered",
	    "look at `accounts`; ask the provider" }, is_403 },
	{ { "not-found", "the server's decision",
	    "nobody has this name or number at that server",
	    "check the number, its prefix, and which account is used" },
	  is_404 },
	{ { "not-available", "the other side",
	    "its phone is not registered, switched off, or do-not-disturb is "
	    "on",
	    "try again later" }, is_480 },
	{ { "loop", "on the way",
	    "the server sends the call back to itself",
	    "check outbound and registrar of the account" }, is_482 },
	{ { "too-many-hops", "on the way",
	    "two servers or forwards send the call to each other",
	    "check call forwarding on the other side" }, is_483 },
	{ { "server-error", "the server",
	    "the server has a fault, or did not like something in the "
	    "request",
	    "try again; send `ladder all --to FILE` to its keeper" },
	  is_500 },
	{ { "overload", "the server",
	    "the server is overloaded, in maintenance, or has no line free",
	    "try again later, or another account" }, is_503 },
	{ { "gateway-timeout", "the server",
	    "the server got no answer from the next one",
	    "try again; the number may not be served" }, is_504 },
};


const struct finding_row *findings_row(size_t i)
{
	return i < ARRAY_SIZE(rows) ? &rows[i].row : NULL;
}


size_t findings_of(struct finding *v, size_t max, const struct call_record *r,
		   const struct capture *c)
{
	struct facts f;
	size_t n = 0;

	facts_take(&f, r, c);

	for (size_t i = 0; i < ARRAY_SIZE(rows) && n < max; i++) {

		v[n].seen[0] = '\0';
		if (!rows[i].is(&f, v[n].seen, sizeof(v[n].seen)))
			continue;

		v[n].name = rows[i].row.name;
		v[n].stage = rows[i].row.stage;
		v[n].usually = rows[i].row.usually;
		v[n].advice = rows[i].row.advice;
		++n;
	}

	return n;
}


bool findings_doubted(const struct call_record *r)
{
	return r->was_active && r->outgoing && r->result.remote &&
		r->duration_ms > ACK_MIN_MS && r->duration_ms < ACK_MAX_MS;
}


bool findings_wanted(const struct call_record *r)
{
	const uint16_t code = r->result.code;

	if (!r->was_active) {
		/* what people do on purpose needs no explanation */
		return r->result.cause != SIP_CAUSE_CANCELLED &&
			r->result.cause != SIP_CAUSE_NO_ANSWER &&
			r->result.cause != SIP_CAUSE_NONE && r->outgoing &&
			code != 486 && code != 600 && code != 603;
	}

	return r->result.cause != SIP_CAUSE_NONE ||
		(r->media_expected && r->stats_known &&
		 (!r->stats.packets_received ||
		  (r->mos > 0.0 && r->mos < POOR_MOS)));
}


void findings_print(char *buf, size_t sz, const struct finding *v, size_t n)
{
	size_t at;

	if (sz)
		buf[0] = '\0';
	if (!n || !sz)
		return;

	snprintf(buf, sz, "It went wrong at %s: %s. Usually %s. Try this: "
		 "%s.", v->stage, v->seen, v->usually, v->advice);

	for (size_t i = 1; i < n; i++) {
		at = strlen(buf);
		snprintf(buf + at, sz - at, "%s%s", i > 1 ? "; " :
			 " Also seen: ", v[i].seen);
	}

	at = strlen(buf);
	if (n > 1 && at + 1 < sz)
		snprintf(buf + at, sz - at, ".");
}
