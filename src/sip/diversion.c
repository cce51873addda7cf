/**
 * @file diversion.c  Who has sent a call on: Diversion and History-Info
 *
 * Diversion (RFC 5806) lists who has, the last one first.  History-Info (RFC
 * 7044) lists every address that was tried, the first one first; one with a
 * Reason among its headers was left, and a `cause` (RFC 4458) in the next one
 * says the same.  Where both came Diversion is believed, for it says it in so
 * many words.  What is sent when we send a call on has both.  Pure.
 */
#include <ctype.h>
#include "priv.h"
#include "caller.h"

enum {
	LINES_MAX = 4096,            /* of a 302                             */
	HISTORY_MAX = 16,
};


static const struct {
	uint16_t cause;
	const char *reason;
} causes[] = {
	{ 302, "unconditional" },
	{ 404, "unknown" },
	{ 408, "no-answer" },
	{ 480, "deflection" },
	{ 486, "user-busy" },
	{ 487, "deflection" },
	{ 503, "unavailable" },
	{ 600, "user-busy" },
};


static const char *reason_of(uint32_t cause)
{
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		if (causes[i].cause == cause)
			return causes[i].reason;
	}

	return "unknown";
}


static uint16_t cause_of(const char *reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		if (!strcmp(causes[i].reason, reason))
			return causes[i].cause;
	}

	return 302;
}


/* A token, or a quoted one */
static void reason_take_word(char *dst, size_t sz, const struct pl *val)
{
	size_t n = 0;

	for (size_t i = 0; i < val->l && n + 1 < sz; i++) {
		const char ch = val->p[i];

		if (isalnum((unsigned char)ch) || ch == '-')
			dst[n++] = (char)tolower((unsigned char)ch);
	}
	dst[n] = '\0';
}


static bool diversion_h(const struct pl *val, void *arg)
{
	struct sip_caller *c = arg;
	struct sip_diverter *d = &c->divertv[c->divertc];
	struct pl params = PL_INIT, v;

	if (party_take(&d->by, val, &params))
		return false;

	d->reason[0] = '\0';
	if (param_find(&params, "reason", &v) && v.p)
		reason_take_word(d->reason, sizeof(d->reason), &v);

	return ++c->divertc >= SIP_DIVERTERS;
}


/* History-Info -------------------------------------------------------------- */

struct history {
	struct sip_diverter v[HISTORY_MAX];
	unsigned n;
	struct sip_party last;       /* the entry before                     */
	bool last_left;              /* it is in v                           */
};


/* "?Reason=SIP%3Bcause%3D486": the cause, 0 none. hidden: Privacy=history */
static uint32_t history_headers(const char *text, bool *hidden)
{
	char line[256];
	uint32_t cause = 0;
	const char *p;

	*hidden = false;

	for (p = text; p && *p; ) {
		const char *end = strchr(p, '&');
		const size_t len = end ? (size_t)(end - p) : strlen(p);

		if (len > 7 && !strncasecmp(p, "Reason=", 7) && !cause) {
			if (!text_unescape_percent(line, sizeof(line), p + 7,
						   len - 7))
				(void)sip_reason_parse(line, "SIP", &cause,
						       NULL, 0);
		}
		else if (len > 8 && !strncasecmp(p, "Privacy=", 8)) {
			*hidden = true;
		}

		p = end ? end + 1 : NULL;
	}

	return cause;
}


static void history_add(struct history *h, const struct sip_party *by,
			uint32_t cause)
{
	struct sip_diverter *d;

	/* the newest are of more use than the first */
	if (h->n >= HISTORY_MAX) {
		memmove(&h->v[0], &h->v[1], sizeof(h->v[0]) * (h->n - 1));
		--h->n;
	}

	d = &h->v[h->n++];
	d->by = *by;
	(void)text_copy(d->reason, sizeof(d->reason), reason_of(cause),
			strlen(reason_of(cause)));
}


/* ";cause=486" of the URI itself */
static uint32_t uri_cause(const char *uri)
{
	const char *p = strchr(uri, ';');
	struct pl params, v;
	uint32_t cause = 0;

	if (!p)
		return 0;

	pl_set_str(&params, p);
	if (param_find(&params, "cause", &v) && v.p)
		(void)text_u32(&cause, v.p, v.l, 699);

	return cause;
}


static bool history_h(const struct pl *val, void *arg)
{
	struct history *h = arg;
	struct sip_party p;
	uint32_t cause, via;
	bool hidden;
	char *query;

	if (party_take(&p, val, NULL))
		return false;

	query = strchr(p.uri, '?');
	if (query)
		*query++ = '\0';
	cause = history_headers(query, &hidden);
	via = uri_cause(p.uri);

	if (via && h->last.uri[0] && !h->last_left)
		history_add(h, &h->last, via);

	if (hidden) {
		static const char who[] = "sip:anonymous@anonymous.invalid";

		memset(&p, 0, sizeof(p));
		memcpy(p.uri, who, sizeof(who));
	}

	h->last = p;
	h->last_left = cause != 0;
	if (cause)
		history_add(h, &p, cause);

	return false;
}


void diversion_read(struct sip_caller *c, const struct sip_msg *msg)
{
	struct history *h;

	(void)header_values(msg, "Diversion", 0, diversion_h, c);
	if (c->divertc || !header_find_name(msg, "History-Info"))
		return;

	h = mem_zalloc(sizeof(*h), NULL);
	if (!h)
		return;

	(void)header_values(msg, "History-Info", 0, history_h, h);
	while (h->n && c->divertc < SIP_DIVERTERS)
		c->divertv[c->divertc++] = h->v[--h->n];

	mem_deref(h);
}


/* Sent ---------------------------------------------------------------------- */

struct earlier {
	struct text_buf b;
	const char *name;
};


static bool earlier_h(const struct pl *val, void *arg)
{
	struct earlier *e = arg;
	struct sip_party p;

	/* only what can be read is passed on, and only while there is room */
	if (party_take(&p, val, NULL) ||
	    e->b.len + val->l + 32 > LINES_MAX / 2)
		return false;

	text_add(&e->b, "%s: ", e->name);
	text_add_mem(&e->b, val->p, val->l);
	text_add(&e->b, "\r\n");

	return false;
}


int sip_diversion_lines(char **lines, const struct sip_info *in)
{
	static const char *const names[] = { "Diversion", "History-Info" };
	struct earlier e = { .b = { .max = LINES_MAX } };
	int err;

	if (!lines || !in || !in->msg)
		return EINVAL;

	*lines = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		e.name = names[i];
		(void)header_values(in->msg, names[i], 0, earlier_h, &e);
	}

	err = e.b.err;
	if (!err && e.b.s && header_lines_ok(e.b.s))
		err = str_dup(lines, e.b.s);
	text_buf_reset(&e.b);

	return err;
}


/* The index of the last earlier entry, "" none */
static void last_index(char *buf, size_t sz, const char *earlier)
{
	const char *p = earlier;

	*buf = '\0';

	while (p && (p = strstr(p, ";index="))) {
		size_t n = strspn(p + 7, "0123456789.");

		if (n && n < sz) {
			memcpy(buf, p + 7, n);
			buf[n] = '\0';
		}
		p += 7;
	}
}


int sip_diversion_write(char **lines, const char *by, const char *target,
			const char *reason, const char *earlier)
{
	struct text_buf b = { .max = 2 * LINES_MAX };
	const char *sep, *rest = earlier ? earlier : "";
	char index[32];
	int err;

	if (!lines || !by || !target || !reason)
		return EINVAL;

	/* ours first (RFC 5806 5.2), and last in the history */
	text_add(&b, "Diversion: <%s>;reason=%s\r\n%s", by, reason, rest);

	last_index(index, sizeof(index), rest);
	sep = strchr(by, '?') ? "&" : "?";
	if (index[0])
		text_add(&b, "History-Info: <%s%sReason=SIP%%3Bcause%%3D%u>;"
			 "index=%s.1\r\nHistory-Info: <%s>;index=%s.1.1;"
			 "mp=%s.1\r\n", by, sep, cause_of(reason), index,
			 target, index, index);
	else
		text_add(&b, "History-Info: <%s%sReason=SIP%%3Bcause%%3D%u>;"
			 "index=1\r\nHistory-Info: <%s>;index=1.1;mp=1\r\n",
			 by, sep, cause_of(reason), target);

	err = b.err;
	if (!err)
		err = str_dup(lines, b.s);
	text_buf_reset(&b);

	return err;
}
