/**
 * @file app/ladder.c  Messages as arrows between parties
 *
 * One column for us and one for each address that we talked with, one line a
 * message.  Plain characters only, so that it can be mailed, and nothing that
 * a terminal would obey.  Main thread.
 */
#include <stdio.h>
#include "offhook/capture.h"
#include "offhook/clock.h"

enum {
	PARTIES = 6,             /* more share the last column               */
	GAP     = 30,            /* between two columns                      */
	ROW     = PARTIES * GAP + 2,
};

struct ladder {
	const struct capture *c;
	unsigned call;           /* 0: all                                   */
	struct sa partyv[PARTIES];
	unsigned partyc;
	bool more;               /* there were more than that                */
	struct sa us;
	uint64_t begin_us;
};


static bool belongs(const struct ladder *l, const struct capture_msg *m)
{
	return !l->call || m->call == l->call;
}


static unsigned party(struct ladder *l, const struct sa *peer)
{
	for (unsigned i = 0; i < l->partyc; i++) {
		if (sa_cmp(&l->partyv[i], peer, SA_ALL))
			return i;
	}

	if (l->partyc == PARTIES) {
		l->more = true;
		return PARTIES - 1;
	}

	l->partyv[l->partyc] = *peer;

	return l->partyc++;
}


/* Put text into the middle of a stretch of the row */
static void label_put(char *p, unsigned w, const char *text)
{
	size_t n = strlen(text);
	char safe[GAP];

	if (w < 4)
		return;

	text_escape(safe, sizeof(safe) < w - 1 ? sizeof(safe) : w - 1, text,
		    n);

	/* only characters that are one column wide */
	n = 0;
	for (const char *s = safe; *s; s++) {
		if ((unsigned char)*s < 0x80)
			safe[n++] = *s;
	}
	safe[n] = '\0';

	p += (w - n) / 2;
	memcpy(p, safe, n);
	p[-1] = ' ';
	p[n] = ' ';
}


void ladder_arrow(char *buf, size_t sz, const struct capture_msg *m,
		  unsigned w)
{
	char row[256], text[80];

	if (w < 16)
		w = 16;
	if (w > sizeof(row) - 1)
		w = sizeof(row) - 1;

	capture_label(text, sizeof(text), m);
	memset(row, ' ', w);
	row[0] = row[w - 1] = '|';
	row[w] = '\0';

	if (m->kind == CAPTURE_SIP) {
		memset(row + 1, m->again ? '.' : '-', w - 2);
		row[m->tx ? w - 2 : 1] = m->tx ? '>' : '<';
	}
	label_put(row + 2, w - 4, text);

	snprintf(buf, sz, "%s", row);
}


/* What is to be seen in it: behind the arrows */
static void remark(char *buf, size_t sz, const struct capture_msg *m)
{
	char sdp[320], method[64] = "";

	capture_sdp(sdp, sizeof(sdp), m);

	/* an answer to what? Of an INVITE it is plain */
	if (m->code && strcmp(m->method, "INVITE"))
		snprintf(method, sizeof(method), "to %s", m->method);

	snprintf(buf, sz, "%s%s%s%s%s", method, *method && *sdp ? ", " : "",
		 sdp, m->again && (*method || *sdp) ? ", " : "",
		 m->again ? "sent again" : "");
}


static void line_add(struct text_buf *b, struct ladder *l,
		     const struct capture_msg *m)
{
	const bool sip = m->kind == CAPTURE_SIP;
	const double s = (double)(m->time_us - l->begin_us) / 1e6;
	const unsigned width = l->partyc * GAP + 1;
	char row[ROW], text[512], safe[600], when[CLOCK_ISO8601_SIZE];

	memset(row, ' ', width);
	row[width] = '\0';
	for (unsigned i = 0; i <= l->partyc; i++)
		row[i * GAP] = '|';

	if (sip) {
		const unsigned k = party(l, &m->peer) + 1;
		char label[80];

		/* over those in between, its label at the far end */
		memset(row + 1, m->again ? '.' : '-', k * GAP - 1);
		row[m->tx ? k * GAP - 1 : 1] = m->tx ? '>' : '<';
		for (unsigned i = 1; i < k; i++)
			row[i * GAP] = '+';
		capture_label(label, sizeof(label), m);
		label_put(row + (k - 1) * GAP + 2, GAP - 3, label);
		remark(text, sizeof(text), m);
	}
	else {
		snprintf(text, sizeof(text), "%s", m->text);
	}

	clock_iso8601(when, m->time_us / 1000);
	text_escape(safe, sizeof(safe), text, strlen(text));
	text_add(b, "%.12s %9.3f  %s%s%s\n", when + 11, s, row,
		 *safe ? "  " : "", safe);
}


static void heads_add(struct text_buf *b, const struct ladder *l)
{
	char name[80];

	text_add(b, "%-24s", "UTC            seconds");
	(void)re_snprintf(name, sizeof(name), "%J", &l->us);
	text_add(b, "%-*s", GAP - (l->partyc ? 2 : 0), name);

	for (unsigned i = 0; i < l->partyc; i++) {
		const bool last = i + 1 == l->partyc;

		(void)re_snprintf(name, sizeof(name), "%J%s", &l->partyv[i],
				  last && l->more ? " and others" : "");
		text_add(b, "%-*s", last ? 0 : GAP, name);
	}
	text_add(b, "\n");
}


unsigned ladder_print(struct text_buf *b, const struct capture *c,
		      unsigned call)
{
	struct ladder l = { .c = c, .call = call };
	const struct capture_msg *m = NULL;
	unsigned n = 0;

	while ((m = capture_next(c, m))) {

		if (!belongs(&l, m))
			continue;

		if (!l.begin_us)
			l.begin_us = m->time_us;
		if (m->kind != CAPTURE_SIP)
			continue;

		(void)party(&l, &m->peer);
		if (!sa_isset(&l.us, SA_ADDR))
			l.us = m->local;
	}

	if (!l.begin_us)
		return 0;

	heads_add(b, &l);

	while ((m = capture_next(c, m))) {

		if (!belongs(&l, m))
			continue;

		line_add(b, &l, m);
		++n;
	}

	return n;
}
