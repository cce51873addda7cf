/**
 * @file extra.c  The header lines that a call of ours carries
 *
 * Who we say we are (P-Preferred-Identity, P-Asserted-Identity, Privacy; RFC
 * 3323, 3325), whether the other phone is asked to answer by itself (RFC 5373
 * and the ways of the makers of phones), and headers of the user's, in which
 * {words} stand for what is only known when the call is made.  Main thread.
 */
#include <stdio.h>
#include <offhook/random.h>
#include "priv.h"
#include "caller.h"

enum { LINES_MAX = 8192 };


/* Words -------------------------------------------------------------------- */

enum word {
	WORD_USER, WORD_HOST, WORD_AOR, WORD_NAME, WORD_ACCOUNT, WORD_TARGET,
	WORD_TARGET_USER, WORD_TARGET_HOST, WORD_CALL, WORD_TIME, WORD_UUID,
	WORDS
};

static const char *const words[WORDS] = {
	[WORD_USER]        = "user",
	[WORD_HOST]        = "host",
	[WORD_AOR]         = "aor",
	[WORD_NAME]        = "name",
	[WORD_ACCOUNT]     = "account",
	[WORD_TARGET]      = "target",
	[WORD_TARGET_USER] = "target-user",
	[WORD_TARGET_HOST] = "target-host",
	[WORD_CALL]        = "call",
	[WORD_TIME]        = "time",
	[WORD_UUID]        = "uuid",
};


static const char *word_name(size_t i, const void *arg)
{
	(void)arg;

	return i < WORDS ? words[i] : NULL;
}


/* "{word}" at p: its length, 0: no such thing stands there */
static size_t word_at(const char *p)
{
	size_t n;

	if (*p != '{')
		return 0;
	n = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz-");

	return n && p[n + 1] == '}' ? n + 2 : 0;
}


static enum word word_find(const char *p, size_t len)
{
	unsigned i;

	for (i = 0; i < WORDS; i++) {
		if (strlen(words[i]) == len && !strncmp(words[i], p, len))
			break;
	}

	return (enum word)i;
}


/* What came from a user's configuration or typing may still end no line */
static void add_clean(struct text_buf *b, const char *s)
{
	for (; *s; s++) {
		const char ch = (uint8_t)*s < ' ' || *s == 0x7f ? ' ' : *s;

		text_add_mem(b, &ch, 1);
	}
}


static void word_add(struct text_buf *b, enum word w,
		     const struct account *acc, const struct call *c)
{
	char user[128] = "", host[128] = "", now[CLOCK_ISO8601_SIZE];
	uint64_t r;

	switch (w) {

	case WORD_USER:    add_clean(b, acc ? acc->user : ""); break;
	case WORD_HOST:    add_clean(b, acc ? acc->host : ""); break;
	case WORD_AOR:     add_clean(b, acc ? acc->conf.aor : ""); break;
	case WORD_NAME:
		add_clean(b, acc ? acc->conf.display_name : "");
		break;
	case WORD_ACCOUNT: add_clean(b, acc ? acc->conf.name : ""); break;
	case WORD_TARGET:  add_clean(b, c->peer); break;

	case WORD_TARGET_USER:
	case WORD_TARGET_HOST:
		(void)sip_uri_parts(c->peer, user, sizeof(user), host,
				    sizeof(host), NULL);
		add_clean(b, w == WORD_TARGET_USER ? user : host);
		break;

	case WORD_CALL:
		text_add(b, "%u", c->id);
		break;

	case WORD_TIME:
		(void)clock_iso8601(now, clock_wall_ms());
		add_clean(b, now);
		break;

	case WORD_UUID:
		r = random_u64();
		text_add(b, "%08x-%04x-4%03x-8%03x-%012llx", random_u32(),
			 (unsigned)(r >> 48), (unsigned)(r >> 36) & 0xfff,
			 (unsigned)(r >> 24) & 0xfff, (unsigned long long)
			 (random_u64() & 0xffffffffffffULL));
		break;

	case WORDS:
		break;
	}
}


int extra_expand(char **lines, const char *headers,
		 const struct account *acc, const struct call *c, char *err)
{
	struct text_buf b = { .max = LINES_MAX };
	int e = 0;

	*lines = NULL;
	if (!headers || !headers[0])
		return 0;

	for (const char *p = headers; *p && !e; ) {
		const size_t n = word_at(p);
		const enum word w = n ? word_find(p + 1, n - 2) : WORDS;
		char shown[64];
		const char *near;

		if (!n) {
			text_add_mem(&b, p++, 1);
			continue;
		}
		if (w == WORDS) {
			(void)snprintf(shown, sizeof(shown), "%.*s",
				       (int)(n < 40 ? n - 2 : 38), p + 1);
			near = text_nearest(shown, word_name, NULL);
			e = call_error(err, EINVAL, "A header has no word"
				       " {%s}%s%s%s", shown, near ?
				       "; did you mean {" : "", near ? near :
				       "", near ? "}?" : ".");
			break;
		}
		word_add(&b, w, acc, c);
		p += n;
	}

	if (!e && b.err)
		e = call_error(err, b.err == ENOMEM ? ENOMEM : EINVAL,
			       "The headers are too long.");
	if (!e)
		e = str_dup(lines, b.s);
	text_buf_reset(&b);

	return e;
}


/* The account's own --------------------------------------------------------- */

static bool has_word(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (word_at(p + i))
			return true;
	}

	return false;
}


int extra_split(char **plain, char **wordy, const char *header, char *err)
{
	struct text_buf b[2] = { { .max = LINES_MAX }, { .max = LINES_MAX } };
	int e = 0;

	*plain = *wordy = NULL;

	for (const char *p = header; *p; ) {
		const char *end = strstr(p, " | ");
		size_t len = end ? (size_t)(end - p) : strlen(p);
		struct text_buf *t;

		while (len && p[len - 1] == ' ')
			--len;
		t = &b[has_word(p, len)];
		if (len) {
			text_add_mem(t, p, len);
			text_add(t, "\r\n");
		}
		p = end ? end + 3 : p + strlen(p);
	}

	if (b[0].err || b[1].err)
		e = call_error(err, ENOMEM, "Out of memory.");
	if (!e && b[0].s)
		e = str_dup(plain, b[0].s);
	if (!e && b[1].s)
		e = str_dup(wordy, b[1].s);
	text_buf_reset(&b[0]);
	text_buf_reset(&b[1]);

	return e;
}


/* A call -------------------------------------------------------------------- */

static bool starts_scheme(const char *uri)
{
	return !strncasecmp(uri, "sip:", 4) || !strncasecmp(uri, "sips:", 5) ||
		!strncasecmp(uri, "tel:", 4);
}


/* A URI, a name-addr, or what stands for a URI at the account's domain */
static int party_add(struct text_buf *b, const char *header, const char *text,
		     const struct account *acc, char *err)
{
	struct sip_party p;
	char uri[UA_URI];
	int e;

	e = sip_party_parse(&p, text, strlen(text));
	if (e)
		return call_error(err, EINVAL, "%s is an address, such as"
				  " sip:bob@example.com: not \"%s\".", header,
				  text);

	e = starts_scheme(p.uri) ? 0 :
		target_complete(uri, sizeof(uri), p.uri, acc, err);
	if (e)
		return e;

	text_add(b, "%s: ", header);
	if (p.name[0]) {
		text_add(b, "\"");
		for (const char *s = p.name; *s; s++)
			text_add(b, "%s%c", strchr("\"\\", *s) ? "\\" : "",
				 *s);
		text_add(b, "\" ");
	}
	text_add(b, "<%s>\r\n", starts_scheme(p.uri) ? p.uri : uri);

	return 0;
}


static int identity_add(struct text_buf *b, const struct account *acc,
			const struct ua_dial *prm, bool anonymous, char *err)
{
	const char *pai = prm->pai ? prm->pai : acc ? acc->conf.pai : "";
	const char *ppi = acc ? acc->conf.ppi : "";
	const char *privacy = acc ? acc->conf.privacy : "";
	int e = 0;

	/* the proxy must know whom to charge (RFC 3325 9.1) */
	if (!ppi[0] && anonymous && acc)
		ppi = acc->conf.aor;
	if (!privacy[0] && anonymous)
		privacy = "id";

	if (pai[0])
		e = party_add(b, "P-Asserted-Identity", pai, acc, err);
	if (!e && ppi[0])
		e = party_add(b, "P-Preferred-Identity", ppi, acc, err);
	if (!e && privacy[0])
		text_add(b, "Privacy: %s\r\n", privacy);

	return e;
}


int extra_make(struct call *c, const struct ua_dial *prm, char *err)
{
	const struct account *acc = c->acc;
	struct text_buf b = { .max = 2 * LINES_MAX };
	char *own = NULL, *given = NULL;
	int e;

	c->anonymous = prm->anonymous || (acc && acc->conf.anonymous);

	e = identity_add(&b, acc, prm, c->anonymous, err);
	if (!e)
		e = extra_expand(&own, acc ? acc->headers : NULL, acc, c,
				 err);
	if (!e && prm->words)
		e = extra_expand(&given, prm->headers, acc, c, err);
	else if (!e && prm->headers)
		e = str_dup(&given, prm->headers);
	if (!e && prm->replaces)
		e = str_dup(&c->replaces, prm->replaces);
	if (e)
		goto out;

	if (prm->join)
		text_add(&b, "Join: %s\r\n", prm->join);

	/* the first entry of its history, so that who sends it on can tell
	   where it began (RFC 7044 9.1) */
	if (c->ua->config->history_info && !c->anonymous)
		text_add(&b, "History-Info: <%s>;index=1\r\n", c->peer);

	/* in every way that phones are known to listen to */
	if (prm->intercom)
		text_add(&b, "Answer-Mode: Auto\r\n"
			 "Call-Info: <sip:intercom@invalid>;answer-after=0\r\n"
			 "Alert-Info: <http://127.0.0.1>;"
			 "info=alert-autoanswer;delay=0\r\n");

	text_add(&b, "%s%s", own ? own : "", given ? given : "");
	e = b.err;
	if (!e && b.len)
		e = str_dup(&c->headers, b.s);
	if (e)
		call_error(err, e, "The headers do not fit: %s.",
			   strerror(e));

 out:
	text_buf_reset(&b);
	mem_deref(own);
	mem_deref(given);

	return e;
}
