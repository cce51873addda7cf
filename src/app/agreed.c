/**
 * @file agreed.c  What was offered in a call, and what was answered to it
 */
#include <stdio.h>
#include <string.h>
#include "offhook/agreed.h"
#include "offhook/clock.h"
#include "wire.h"

struct line {
	struct piece text;
	unsigned media;
	bool told;
};

struct lines {
	struct line v[AGREED_LINES];
	size_t n;
};


/* The pair ------------------------------------------------------------------ */

/* The same description once more: a 200 after a 183 */
static bool repeats(const struct capture_msg *m, const struct agreed *a)
{
	return a->answer && m->code && m->tx == a->answer->tx &&
		a->answer->code && m->cseq == a->answer->cseq &&
		!strcmp(m->method, a->answer->method);
}


bool agreed_find(struct agreed *a, const struct capture *c, unsigned call)
{
	const struct capture_msg *m = NULL;
	struct agreed now = { NULL, NULL };

	memset(a, 0, sizeof(*a));
	if (!c || !call)
		return false;

	while ((m = capture_next(c, m))) {

		if (m->call != call || !m->sdp || m->again ||
		    repeats(m, &now))
			continue;

		if (!now.offer || now.answer || m->tx == now.offer->tx) {
			now.offer = m;
			now.answer = NULL;
		}
		else {
			now.answer = m;
			*a = now;
		}
	}

	if (!a->offer)
		*a = now;

	return a->offer != NULL;
}


/* The lines ----------------------------------------------------------------- */

static void lines_read(struct lines *l, const struct capture_msg *m)
{
	struct piece body = { NULL, 0 };
	unsigned media = 0;

	l->n = 0;
	if (m)
		body = wire_description(m->text, m->len);

	while (body.n && l->n < AGREED_LINES) {
		const char *nl = memchr(body.p, '\n', body.n);
		const size_t whole = nl ? (size_t)(nl - body.p) + 1 : body.n;
		size_t n = whole - (nl != NULL);

		while (n && body.p[n - 1] == '\r')
			n--;
		if (n > 1 && body.p[0] == 'm' && body.p[1] == '=')
			media++;
		if (n) {
			l->v[l->n].text.p = body.p;
			l->v[l->n].text.n = n;
			l->v[l->n].media = media;
			l->v[l->n++].told = false;
		}
		body.p += whole;
		body.n -= whole;
	}
}


static bool same(struct piece a, struct piece b)
{
	return a.n == b.n && !memcmp(a.p, b.p, a.n);
}


/* What it is about: "m=", "a=ptime", "a=rtpmap:96" */
static size_t about(struct piece s)
{
	static const char *const by_payload[] = {
		"a=rtpmap:", "a=fmtp:", "a=rtcp-fb:", "a=crypto:",
	};
	size_t n = s.n < 2 ? s.n : 2;

	if (*s.p != 'a')
		return n;

	while (n < s.n && s.p[n] != ':')
		n++;
	for (size_t i = 0; i < sizeof(by_payload) / sizeof(*by_payload); i++) {
		const size_t k = strlen(by_payload[i]);

		if (k != n + 1 || k > s.n || strncmp(s.p, by_payload[i], k))
			continue;
		for (n = k; n < s.n && s.p[n] != ' '; n++)
			;
		break;
	}

	return n;
}


static bool alike(struct piece a, struct piece b)
{
	const size_t n = about(a);

	return n == about(b) && !memcmp(a.p, b.p, n);
}


/* The first one there that is not told yet */
static struct line *line_like(struct lines *l, const struct line *of,
			      bool (*like)(struct piece, struct piece))
{
	for (size_t i = 0; i < l->n; i++) {
		struct line *x = &l->v[i];

		if (!x->told && x->media == of->media &&
		    like(x->text, of->text))
			return x;
	}

	return NULL;
}


static void tell(struct line *l, enum agreed_side side, agreed_h *h, void *arg)
{
	const struct agreed_line out = {
		side, l->media, l->text.p, l->text.n,
	};

	l->told = true;
	h(&out, arg);
}


/* What is left of an m= line, or of all from there on */
static void rest(struct lines *l, unsigned media, enum agreed_side side,
		 agreed_h *h, void *arg)
{
	for (size_t i = 0; i < l->n; i++) {
		if (!l->v[i].told && l->v[i].media == media)
			tell(&l->v[i], side, h, arg);
	}
}


static unsigned medias(const struct lines *l)
{
	return l->n ? l->v[l->n - 1].media : 0;
}


static void compare(struct lines *o, struct lines *w, agreed_h *h, void *arg)
{
	const unsigned most = medias(o) > medias(w) ? medias(o) : medias(w);
	struct line *x;

	for (unsigned media = 0; media <= most; media++) {

		for (size_t i = 0; i < o->n; i++) {
			struct line *l = &o->v[i];

			if (l->media != media)
				continue;

			x = line_like(w, l, same);
			if (x) {
				x->told = true;
				tell(l, AGREED_BOTH, h, arg);
				continue;
			}

			tell(l, AGREED_OFFER, h, arg);
			x = line_like(w, l, alike);
			if (x && !line_like(o, x, same))
				tell(x, AGREED_ANSWER, h, arg);
		}
		rest(w, media, AGREED_ANSWER, h, arg);
	}
}


void agreed_compare(const struct agreed *a, agreed_h *h, void *arg)
{
	struct lines *l = mem_zalloc(2 * sizeof(*l), NULL);

	if (!l)
		return;

	lines_read(&l[0], a->offer);
	lines_read(&l[1], a->answer);
	compare(&l[0], &l[1], h, arg);
	mem_deref(l);
}


/* For people ---------------------------------------------------------------- */

const char *agreed_side_name(enum agreed_side side)
{
	static const char *const names[] = { "both", "offer", "answer" };

	return names[side];
}


static void heading(struct text_buf *b, const char *what,
		    const struct capture_msg *m)
{
	char when[CLOCK_ISO8601_SIZE], label[80], show[160];

	capture_label(label, sizeof(label), m);
	text_add(b, "%s: %s, %s of %s\n", what, m->tx ? "ours" : "theirs",
		 text_escape(show, sizeof(show), label, strlen(label)),
		 clock_iso8601(when, m->time_us / 1000));
}


static void print_h(const struct agreed_line *line, void *arg)
{
	static const char *const marks[] = { "  ", "- ", "+ " };
	struct text_buf *b = arg;
	char show[1024];

	text_add(b, "%s%s\n", marks[line->side],
		 text_escape(show, sizeof(show), line->text, line->len));
}


void agreed_print(struct text_buf *b, const struct agreed *a)
{
	heading(b, "- offer ", a->offer);
	if (a->answer)
		heading(b, "+ answer", a->answer);
	else
		text_add(b, "no answer is known\n");
	agreed_compare(a, print_h, b);
}
