/**
 * @file app/findings_facts.c  What is known of a call that went wrong
 *
 * Its messages are walked once; what the rows of findings.c ask for is noted.
 * Pure.
 */
#include <stdio.h>
#include <time.h>
#include "findings_priv.h"


bool facts_is_private(const char *addr)
{
	struct sa sa;
	uint32_t a;

	if (sa_set_str(&sa, addr, 0) || sa_af(&sa) != AF_INET)
		return false;

	a = sa_in(&sa);

	return a >> 24 == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 ||
		a >> 22 == 0x64400000u >> 22 || a >> 16 == 0xa9fe;
}


bool facts_is_public(const struct sa *sa)
{
	char addr[64];

	if (!sa_isset(sa, SA_ADDR) || sa_is_loopback(sa))
		return false;

	(void)re_snprintf(addr, sizeof(addr), "%j", sa);

	return !facts_is_private(addr);
}


/* What is before the first stop, without blanks around it */
static struct piece before(struct piece s, const char *stops)
{
	size_t n = 0;

	while (n < s.n && !strchr(stops, s.p[n]))
		++n;
	while (n && s.p[n - 1] == ' ')
		--n;

	return (struct piece){ s.p, n };
}


static bool same(struct piece a, struct piece b)
{
	return a.n == b.n && (!a.n || !memcmp(a.p, b.p, a.n));
}


/* A box in between that changes SIP: our Via, From and To must come back as
 * they went */
static void look_altered(struct facts *f, const struct capture_msg *m)
{
	static const struct { const char *name, *stops; } headers[] = {
		{ "Via", ";" }, { "From", "" }, { "To", ">" },
	};
	const struct capture_msg *inv = f->invite;

	if (f->altered[0] || !inv || !m->code || m->cseq != inv->cseq ||
	    strcmp(m->method, "INVITE"))
		return;

	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {

		const struct piece went = before(
			wire_header(inv->text, inv->len, headers[i].name, 0),
			headers[i].stops);
		const struct piece came = before(
			wire_header(m->text, m->len, headers[i].name, 0),
			headers[i].stops);

		if (!went.p || !came.p || same(went, came))
			continue;

		snprintf(f->altered, sizeof(f->altered), "our %s '%.*s' came "
			 "back as '%.*s'", headers[i].name,
			 (int)(went.n < 50 ? went.n : 50), went.p,
			 (int)(came.n < 50 ? came.n : 50), came.p);
		return;
	}
}


/* "Sat, 13 Nov 2010 23:29:00 GMT" */
static void look_date(struct facts *f, const struct capture_msg *m)
{
	char date[64], *end;
	struct tm tm;
	time_t t;

	if (capture_header(date, sizeof(date), m, "Date", 0))
		return;

	memset(&tm, 0, sizeof(tm));
	end = strptime(date, "%a, %d %b %Y %H:%M:%S", &tm);
	if (!end)
		return;

	t = timegm(&tm);
	if (t > 0)
		f->skew_s = (int64_t)t - (int64_t)(m->time_us / 1000000);
}


/* Reason: SIP;cause=408;text="Session timer expired" */
static void look_bye(struct facts *f, const struct capture_msg *m)
{
	char why[160];

	if (m->code || strcmp(m->method, "BYE") ||
	    capture_header(why, sizeof(why), m, "Reason", 0))
		return;

	f->expired = f->expired || strstr(why, "ession timer") ||
		strstr(why, "ession expired");
}


static void look_received(struct facts *f, const struct capture_msg *m)
{
	struct wire_sdp sdp;

	f->rx_again += m->again;
	if (m->code)
		++f->responses;
	if (m->code == 401 || m->code == 407)
		++f->challenges;
	if (!m->code && !strcmp(m->method, "ACK"))
		f->ack_came = true;
	if (m->code >= 200 && !strcmp(m->method, "INVITE"))
		f->final = m;

	if (capture_header(f->server, sizeof(f->server), m, "Server", 0))
		(void)capture_header(f->server, sizeof(f->server), m,
				     "User-Agent", 0);
	(void)capture_header(f->warning, sizeof(f->warning), m, "Warning", 0);

	if (m->sdp && wire_sdp(&sdp, wire_description(m->text, m->len))) {
		f->theirs = sdp;
		f->theirs_known = true;
	}

	look_bye(f, m);
	look_altered(f, m);
	look_date(f, m);
}


static void look_sent(struct facts *f, const struct capture_msg *m)
{
	struct wire_sdp sdp;

	f->tx_again += m->again;
	if (m->again && m->code == 200 && !strcmp(m->method, "INVITE"))
		++f->ok_again;
	if (!m->code && !m->again)
		++f->requests;
	if (!m->code && !strcmp(m->method, "INVITE"))
		f->invite = m;
	look_bye(f, m);

	if (m->sdp && wire_sdp(&sdp, wire_description(m->text, m->len))) {
		f->ours = sdp;
		f->ours_known = true;
	}
}


void facts_take(struct facts *f, const struct call_record *r,
		const struct capture *c)
{
	const struct capture_msg *m = NULL;

	memset(f, 0, sizeof(*f));
	f->r = r;

	while ((m = capture_next(c, m))) {

		if (m->call != r->id || m->kind != CAPTURE_SIP)
			continue;

		f->peer = m->peer;
		if (m->tx)
			look_sent(f, m);
		else
			look_received(f, m);
	}
}
