/**
 * @file vcard.c  Contacts as others write them: vCard 2.1, 3.0 and 4.0
 *
 * RFC 6350 is written; what telephones and mail programs have written for
 * thirty years is read: folded lines, quoted-printable, values that are URIs
 * or bare numbers.  Pure; main thread.
 */
#include <ctype.h>
#include <stdio.h>
#include "offhook/app.h"
#include "offhook/text.h"

enum {
	VALUE_MAX = 1024,
	CARDS_MAX = 10000,       /* contacts                                 */
	FOLD = 74,               /* bytes of a line that is written          */
	URIS_MAX = 16,           /* of one card                              */
};

/** One property, unfolded: name and parameters in capitals */
struct property {
	char name[32];
	char params[256];        /* ";TYPE=WORK;..."                         */
	char value[VALUE_MAX];
};

struct card {
	char fn[VALUE_MAX], n[VALUE_MAX], org[VALUE_MAX], note[VALUE_MAX];
	struct {
		char uri[CONFIG_STR];
		const char *kind;
	} uris[URIS_MAX];
	size_t n_uris;
};

struct reader {
	const char *p, *end;
	struct contact_conf *v;
	size_t n, cap;
};


/* Lines -------------------------------------------------------------------- */

/* A line and those that go on with it. @return false: the end */
static bool line_next(struct reader *r, struct text_buf *b)
{
	bool first = true, soft = false;

	text_buf_reset(b);
	b->max = 64 << 10;

	while (r->p < r->end) {

		const char *nl = memchr(r->p, '\n', (size_t)(r->end - r->p));
		const char *stop = nl ? nl : r->end;
		const char *from = r->p;
		size_t n;

		if (!first && !soft && *from != ' ' && *from != '\t')
			break;
		if (!first && !soft)
			++from;

		n = (size_t)(stop - from);
		if (n && from[n - 1] == '\r')
			--n;

		/* quoted-printable goes on behind a '=' */
		soft = n && from[n - 1] == '=' && (soft ||
			memmem(from, n, "QUOTED-PRINTABLE", 16));
		text_add_mem(b, from, n - (soft ? 1 : 0));
		r->p = nl ? nl + 1 : r->end;
		first = false;
	}

	return !first;
}


static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
		c >= 'A' && c <= 'F' ? c - 'A' + 10 :
		c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


static size_t qp_decode(char *s, size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '=' && i + 2 < n + 0 && hex(s[i + 1]) >= 0 &&
		    hex(s[i + 2]) >= 0) {
			s[k++] = (char)(hex(s[i + 1]) * 16 + hex(s[i + 2]));
			i += 2;
		}
		else {
			s[k++] = s[i];
		}
	}

	return k;
}


/* What a terminal would not show becomes blanks */
static void unsafe_blank(struct text_buf *u)
{
	for (size_t i = 0; i < u->len; ) {

		uint32_t cp;
		const size_t n = text_utf8_decode(&cp, u->s + i, u->len - i);

		if (!n || text_is_unsafe(cp))
			memset(u->s + i, ' ', n ? n : 1);
		i += n ? n : 1;
	}
}


/* What a name may hold: one line of text without controls, UTF-8 */
static void value_take(char *dst, size_t sz, const char *p, size_t n)
{
	struct text_buf b = { .max = 4 * VALUE_MAX }, u = { .max = b.max };

	for (size_t i = 0; i < n; i++) {

		char c = p[i];

		if (c == '\\' && i + 1 < n) {
			c = p[++i];
			if (c == 'n' || c == 'N')
				c = ' ';
		}
		if ((unsigned char)c < 0x20 || c == 0x7f)
			c = ' ';
		text_add_mem(&b, &c, 1);
	}

	text_add_utf8(&u, b.s ? b.s : "", b.len);
	unsafe_blank(&u);
	n = u.len < sz - 1 ? u.len : sz - 1;
	/* not within a character */
	while (n && n < u.len && ((unsigned char)u.s[n] & 0xc0) == 0x80)
		--n;
	if (!u.s || text_copy(dst, sz, u.s, n))
		dst[0] = '\0';

	text_buf_reset(&b);
	text_buf_reset(&u);
}


/* "item1.TEL;TYPE=work:+49..." */
static bool property_take(struct property *pr, char *s, size_t n)
{
	const char *colon = NULL, *dot, *stop;
	bool quoted = false;
	size_t len;

	for (size_t i = 0; i < n && !colon; i++) {
		if (s[i] == '"')
			quoted = !quoted;
		else if (s[i] == ':' && !quoted)
			colon = s + i;
	}
	if (!colon)
		return false;

	len = (size_t)(colon - s);
	stop = memchr(s, ';', len);
	if (!stop)
		stop = colon;
	dot = memchr(s, '.', (size_t)(stop - s));
	if (text_copy(pr->name, sizeof(pr->name), dot ? dot + 1 : s,
		      (size_t)(stop - (dot ? dot + 1 : s))))
		return false;
	if (text_copy(pr->params, sizeof(pr->params), stop,
		      (size_t)(colon - stop)))
		pr->params[0] = '\0';

	for (char *p = pr->name; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	for (char *p = pr->params; *p; p++)
		*p = (char)toupper((unsigned char)*p);

	n -= len + 1;
	if (strstr(pr->params, "QUOTED-PRINTABLE"))
		n = qp_decode(s + len + 1, n);
	value_take(pr->value, sizeof(pr->value), s + len + 1, n);

	return true;
}


/* Cards -------------------------------------------------------------------- */

static const char *kind_of(const struct property *pr)
{
	static const struct { const char *type, *kind; } t[] = {
		{ "CELL", "mobile" }, { "WORK", "work" }, { "HOME", "home" },
		{ "FAX", "fax" }, { "MOBILE", "mobile" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
		if (strstr(pr->params, t[i].type))
			return t[i].kind;
	}

	return "";
}


static void uri_add(struct card *c, const struct property *pr,
		    const char *scheme)
{
	const char *s = pr->value;
	char uri[CONFIG_STR];
	size_t k = 0;

	if (c->n_uris == URIS_MAX)
		return;

	if (!strncasecmp(s, "tel:", 4) || !strncasecmp(s, "sip:", 4) ||
	    !strncasecmp(s, "sips:", 5))
		scheme = "";
	else if (!strcmp(scheme, "impp"))
		return;

	k = (size_t)snprintf(uri, sizeof(uri), "%s", scheme);
	for (; *s && k + 1 < sizeof(uri); s++) {
		if (!strchr(" \t()\"<>", *s))
			uri[k++] = *s;
	}
	uri[k] = '\0';
	if (*s || !strchr(uri, ':') || !strchr(uri, ':')[1])
		return;

	for (size_t i = 0; i < c->n_uris; i++) {
		if (!strcmp(c->uris[i].uri, uri))
			return;
	}

	memcpy(c->uris[c->n_uris].uri, uri, k + 1);
	c->uris[c->n_uris++].kind = kind_of(pr);
}


/* "Smith;Bob;;;" is Bob Smith */
static void n_take(char *dst, size_t sz, const char *s)
{
	const size_t family = strcspn(s, ";");
	const char *given = s + family + (s[family] ? 1 : 0);
	const size_t n = strcspn(given, ";");

	snprintf(dst, sz, "%.*s%s%.*s", (int)n, given,
		 n && family ? " " : "", (int)family, s);
}


static void property_use(struct card *c, const struct property *pr)
{
	if (!strcmp(pr->name, "FN"))
		snprintf(c->fn, sizeof(c->fn), "%s", pr->value);
	else if (!strcmp(pr->name, "N"))
		n_take(c->n, sizeof(c->n), pr->value);
	else if (!strcmp(pr->name, "ORG"))
		snprintf(c->org, sizeof(c->org), "%.*s",
			 (int)strcspn(pr->value, ";"), pr->value);
	else if (!strcmp(pr->name, "NOTE"))
		snprintf(c->note, sizeof(c->note), "%s", pr->value);
	else if (!strcmp(pr->name, "TEL") && !strstr(pr->params, "FAX"))
		uri_add(c, pr, "tel:");
	else if (!strcmp(pr->name, "IMPP"))
		uri_add(c, pr, "impp");
	else if (!strcmp(pr->name, "X-SIP") ||
		 !strcmp(pr->name, "X-PHONE-SIP"))
		uri_add(c, pr, "sip:");
}


/* At most n bytes of it, not within a character */
static size_t cut(const char *s, size_t n)
{
	if (strlen(s) <= n)
		return strlen(s);

	while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
		--n;

	return n;
}


static bool taken(const struct reader *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++) {
		if (!strcasecmp(r->v[i].name, name))
			return true;
	}

	return false;
}


/* A name the file can hold, and no other contact has */
static void name_make(const struct reader *r, char name[64], const char *from,
		      const char *kind)
{
	char base[VALUE_MAX], tail[24] = "";

	/* an address is no name, but what is in it is */
	while (!strncasecmp(from, "sip:", 4) || !strncasecmp(from, "tel:", 4))
		from += 4;
	if (!strncasecmp(from, "sips:", 5))
		from += 5;
	snprintf(base, sizeof(base), "%s", from + strspn(from, " #["));
	for (char *p = base; *p; p++) {
		if (*p == '=' || *p == '@')
			*p = '-';
	}
	for (size_t n = strlen(base); n && base[n - 1] == ' '; n--)
		base[n - 1] = '\0';
	if (!base[0])
		snprintf(base, sizeof(base), "nobody");

	for (unsigned i = 1; i < 1000; i++) {

		size_t n;

		if (i > 1 && kind && *kind && i == 2)
			snprintf(tail, sizeof(tail), " (%.16s)", kind);
		else if (i > 1)
			snprintf(tail, sizeof(tail), " (%u)", i);

		n = cut(base, 63 - strlen(tail));
		while (n && base[n - 1] == ' ')
			--n;
		snprintf(name, 64, "%.*s%s", (int)n, base, tail);
		if (!taken(r, name))
			return;
	}
}


static bool writable(const struct contact_conf *cc)
{
	char value[CONFIG_STR * 2], err[CONFIG_ERR] = "";
	struct contact_conf again;

	return !contact_print(cc, value, sizeof(value)) &&
		!contact_parse(&again, cc->name, value, err);
}


static int card_end(struct reader *r, const struct card *c)
{
	const char *name = c->fn[0] ? c->fn : c->n[0] ? c->n : c->org;

	for (size_t i = 0; i < c->n_uris; i++) {

		struct contact_conf *cc;

		if (r->n >= CARDS_MAX)
			return EFBIG;

		if (r->n == r->cap) {
			const size_t cap = r->cap ? 2 * r->cap : 16;
			struct contact_conf *v;

			v = mem_reallocarray(r->v, cap, sizeof(*v), NULL);
			if (!v)
				return ENOMEM;
			r->v = v;
			r->cap = cap;
		}

		cc = &r->v[r->n];
		memset(cc, 0, sizeof(*cc));
		snprintf(cc->uri, sizeof(cc->uri), "%s", c->uris[i].uri);
		name_make(r, cc->name, name[0] ? name : c->uris[i].uri,
			  c->uris[i].kind);
		snprintf(cc->note, sizeof(cc->note), "%.*s",
			 (int)cut(c->note, sizeof(cc->note) - 1), c->note);

		/* what our own file could not hold is none */
		if (writable(cc))
			++r->n;
	}

	return 0;
}


int vcard_read(struct contact_conf **vp, size_t *np, const char *text,
	       size_t len, char *err)
{
	const size_t bom = text_bom(text, len);
	struct reader r = { .p = text + bom, .end = text + len };
	struct text_buf line = { 0 };
	struct card *c = mem_zalloc(sizeof(*c), NULL);
	struct property *pr = mem_zalloc(sizeof(*pr), NULL);
	bool inside = false, any = false;
	int e = c && pr ? 0 : ENOMEM;

	while (!e && line_next(&r, &line)) {

		if (line.err || !line.s ||
		    !property_take(pr, line.s, line.len))
			continue;

		if (!strcmp(pr->name, "BEGIN") &&
		    !strcasecmp(pr->value, "VCARD")) {
			memset(c, 0, sizeof(*c));
			inside = any = true;
		}
		else if (!strcmp(pr->name, "END") && inside) {
			e = card_end(&r, c);
			inside = false;
		}
		else if (inside) {
			property_use(c, pr);
		}
	}

	if (!e && !any) {
		snprintf(err, CONFIG_ERR, "there is no vCard in it");
		e = EINVAL;
	}
	else if (e) {
		snprintf(err, CONFIG_ERR, "%s", e == EFBIG ?
			 "there are more than 10000 contacts in it" :
			 strerror(e));
	}

	text_buf_reset(&line);
	mem_deref(c);
	mem_deref(pr);

	if (e) {
		mem_deref(r.v);
		return e;
	}

	*vp = r.v;
	*np = r.n;

	return 0;
}


/* Writing ------------------------------------------------------------------ */

static void escape_add(struct text_buf *b, const char *s)
{
	for (; *s; s++) {
		if (strchr("\\,;", *s))
			text_add(b, "\\");
		text_add_mem(b, s, 1);
	}
}


/* Folded, not within a character */
static void line_put(struct text_buf *b, const struct text_buf *line)
{
	const char *s = line->s ? line->s : "";
	size_t max = FOLD;

	for (;;) {
		const size_t n = cut(s, max);

		text_add_mem(b, s, n);
		text_add(b, "\r\n");
		s += n;
		if (!*s)
			return;
		text_add(b, " ");
		max = FOLD - 1;
	}
}


static void property_put(struct text_buf *b, const char *name,
			 const char *value, bool escaped)
{
	struct text_buf line = { .max = 8 * VALUE_MAX };

	text_add(&line, "%s:", name);
	if (escaped)
		escape_add(&line, value);
	else
		text_add(&line, "%s", value);
	line_put(b, &line);
	text_buf_reset(&line);
}


void vcard_print(struct text_buf *b, const struct contact_conf *c)
{
	const bool tel = !strncasecmp(c->uri, "tel:", 4);
	char uri[CONFIG_STR + 8];

	/* a bare number or user@host is said to be what it is */
	snprintf(uri, sizeof(uri), "%s%s", strchr(c->uri, ':') ? "" :
		 strchr(c->uri, '@') ? "sip:" : "tel:", c->uri);

	text_add(b, "BEGIN:VCARD\r\nVERSION:4.0\r\n");
	property_put(b, "FN", c->name, true);
	property_put(b, tel || !strncmp(uri, "tel:", 4) ?
		     "TEL;VALUE=uri" : "IMPP", uri, false);
	if (c->note[0])
		property_put(b, "NOTE", c->note, true);
	text_add(b, "END:VCARD\r\n");
}
