/**
 * @file text_mask.c  Credentials overwritten before anybody reads them
 *
 * Any thread; no state.  Works in place on SIP messages, SDP, command lines,
 * JSON requests and lines of the accounts file, and never changes a length.
 * When in doubt it covers too much: a log that hides a harmless word is a
 * nuisance, one that shows a password is a leak.
 */
#include <string.h>
#include <offhook/text.h>


enum { URI_LOOK = 300 };        /* a longer one is looked at closely       */


/* A piece of text under the eye: everything stays before end */
struct scan {
	char *p;
	char *end;
	char quote;       /* the quote p is inside of, or 0 */
};


static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || c == '-' || c == '_';
}


static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}


static bool is_eol(char c)
{
	return c == '\r' || c == '\n' || c == '\0';
}


static char *skip_blank(char *p, const char *end)
{
	while (p < end && is_blank(*p))
		++p;

	return p;
}


/* A header goes on in the next line when that begins with a blank */
static char *skip_fold(char *p, const char *end)
{
	for (;;) {
		char *q = p = skip_blank(p, end);

		if (q < end && *q == '\r')
			++q;
		if (q < end && *q == '\n')
			++q;
		if (q == p || q == end || !is_blank(*q))
			return p;

		p = q;
	}
}


/* word: in small letters. Most differ at once: no call, no length */
static bool starts_with(const char *p, const char *end, const char *word)
{
	for (; *word; p++, word++) {
		const char c = p < end ? *p : '\0';

		if (c != *word && (c < 'A' || c > 'Z' || (c | ' ') != *word))
			return false;
	}

	return true;
}


/* Cover up to the closing quote, which may be escaped. @return behind it */
static char *mask_quoted(char *p, const char *end, char quote)
{
	while (p < end && *p != quote && !is_eol(*p)) {
		if (*p == '\\' && quote == '"' && p + 1 < end &&
		    !is_eol(p[1]))
			*p++ = 'x';
		*p++ = 'x';
	}

	return p < end && *p == quote ? p + 1 : p;
}


/* Cover up to one of the stops or the end of the line */
static char *mask_until(char *p, const char *end, const char *stops)
{
	while (p < end && !is_eol(*p) && !strchr(stops, *p)) {
		if (*p == '\\' && p + 1 < end && !is_eol(p[1]))
			*p++ = 'x';
		*p++ = 'x';
	}

	return p;
}


/*
 * The value behind `name=`, at p.  Which characters end it depends on where
 * it stands: a shell-like word, a quoted one, or a line of a file, where
 * blanks surround the sign and the value runs to the end.
 */
static char *mask_value(const struct scan *s, char *p, bool line, bool secret)
{
	static const char both[] = ";\"";

	if (p < s->end && *p != s->quote && (*p == '"' || *p == '\''))
		return mask_quoted(p + 1, s->end, *p);

	if (s->quote == '"')
		return mask_until(p, s->end, both);
	if (s->quote)
		return mask_until(p, s->end, ";'");
	if (line)
		return mask_until(p, s->end, "");

	/* a header's parameter ends at a comma, a password may contain it */
	return mask_until(p, s->end, secret ? "; \t\"'" : ";, \t\"'");
}


/* `name = value`, `name="value"`, `"name": "value"`. @return past it or p */
static char *mask_param(struct scan *s)
{
	static const struct {
		const char *name;
		bool secret;          /* ours, not a header's */
		char sign;
	} names[] = {
		{"response", false, '='}, {"rspauth", false, '='},
		{"password", true, '='}, {"ha1", true, '='},
		{"auth-in-password", true, '='},
		{"ice-pwd", false, ':'},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *p = s->p, *name_end, *sign;
		bool line, json;

		if (!starts_with(p, s->end, names[i].name))
			continue;

		p += strlen(names[i].name);
		if (p < s->end && is_name(*p))
			continue;

		/* JSON, and JSON within a JSON string */
		name_end = p;
		while (p < s->end && (*p == '"' || *p == '\\'))
			++p;
		json = p > name_end;

		sign = skip_blank(p, s->end);
		if (sign == s->end || *sign != (json ? ':' : names[i].sign))
			continue;

		p = names[i].secret ? skip_blank(sign + 1, s->end) :
			skip_fold(sign + 1, s->end);
		line = names[i].secret && !json &&
			(is_blank(sign[-1]) || p > sign + 1);

		/* the quote behind the name closed the one before it */
		if (json) {
			s->quote = 0;
			while (p < s->end && *p == '\\')
				++p;
		}

		return mask_value(s, p, line, names[i].secret);
	}

	return s->p;
}


/* The key of a=crypto: `inline:KEY|lifetime|mki` */
static char *mask_inline(struct scan *s)
{
	if (!starts_with(s->p, s->end, "inline:"))
		return s->p;

	return mask_until(s->p + 7, s->end, "| \t;");
}


/* `Authorization: Basic ...`, `Bearer ...` */
static char *mask_token(struct scan *s)
{
	static const char *const schemes[] = {"basic", "bearer"};
	char *p = s->p;

	if (starts_with(p, s->end, "proxy-"))
		p += 6;
	if (!starts_with(p, s->end, "authorization"))
		return s->p;

	p = skip_fold(p + 13, s->end);
	if (p == s->end || *p != ':')
		return s->p;

	p = skip_fold(p + 1, s->end);

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		char *token;

		if (!starts_with(p, s->end, schemes[i]))
			continue;

		token = p + strlen(schemes[i]);
		p = skip_fold(token, s->end);
		if (p > token)
			return mask_until(p, s->end, "\"'");
	}

	return p;
}


/* The password of `sip:user:password@host` */
static char *mask_userinfo(struct scan *s)
{
	static const char stops[] = " \t\r\n<>\"'@";
	char *p = s->p, *secret, *at;

	if (starts_with(p, s->end, "sips:"))
		p += 5;
	else if (starts_with(p, s->end, "sip:"))
		p += 4;
	else
		return p;

	for (secret = p; secret < s->end && *secret != ':'; secret++) {
		if (!*secret || strchr(stops, *secret))
			return p;
	}

	for (at = secret; at < s->end && *at != '@'; at++) {
		if (!*at || strchr(" \t\r\n<>\"';?", *at))
			return p;
	}

	if (at == s->end)
		return p;

	memset(secret + 1, 'x', (size_t)(at - secret - 1));

	return at;
}


/* What a character can be the beginning of: most can be of nothing, and a
   message is looked through character by character */
enum { NAME = 1, QUOTE = 2, FIRST = 4 };

static const uint8_t kinds[256] = {
	['0' ... '9'] = NAME, ['-'] = NAME, ['_'] = NAME,
	['b' ... 'g'] = NAME, ['B' ... 'G'] = NAME,
	['j' ... 'o'] = NAME, ['J' ... 'O'] = NAME,
	['q'] = NAME, ['Q'] = NAME,
	['t' ... 'z'] = NAME, ['T' ... 'Z'] = NAME,

	/* of a name or a word that the masks know */
	['a'] = NAME | FIRST, ['A'] = NAME | FIRST,
	['h'] = NAME | FIRST, ['H'] = NAME | FIRST,
	['i'] = NAME | FIRST, ['I'] = NAME | FIRST,
	['p'] = NAME | FIRST, ['P'] = NAME | FIRST,
	['r'] = NAME | FIRST, ['R'] = NAME | FIRST,
	['s'] = NAME | FIRST, ['S'] = NAME | FIRST,

	/* where quotes begin and end */
	['"'] = QUOTE, ['\''] = QUOTE,
	['\r'] = QUOTE, ['\n'] = QUOTE, ['\0'] = QUOTE,
};


/* Two letters tell nearly all words from those that a mask knows */
static char *mask_word(struct scan *s)
{
	const char second = s->end - s->p > 1 ? s->p[1] | ' ' : '\0';
	char *next;

	switch (s->p[0] | ' ') {

	case 'a':
		if (second != 'u')
			break;
		next = mask_param(s);
		return next > s->p ? next : mask_token(s);

	case 'h':
		return second == 'a' ? mask_param(s) : s->p;

	case 'i':
		if (second == 'n')
			return mask_inline(s);
		return second == 'c' ? mask_param(s) : s->p;

	case 'p':
		if (second == 'r')
			return mask_token(s);
		return second == 'a' ? mask_param(s) : s->p;

	case 'r':
		return second == 'e' || second == 's' ? mask_param(s) : s->p;

	case 's':
		return second == 'i' ? mask_userinfo(s) : s->p;
	}

	return s->p;
}


/* Does that stand before p? word: in small letters */
static bool ends_with(const char *text, const char *p, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(p - text) < n)
		return false;

	return starts_with(p - n, p, word);
}


/* Behind `sip:`: may a password follow? Seldom wrong, never about a no */
static bool may_have_password(const char *p, const char *end)
{
	const char *const stop = end - p > URI_LOOK ? p + URI_LOOK : end;
	bool colon = false;

	for (; p < stop; p++) {
		if (*p == '@')
			return colon;
		if (*p == ':')
			colon = true;
		else if (is_eol(*p) || is_blank(*p) || *p == '<' ||
			 *p == '>' || *p == '"' || *p == '\'' ||
			 (colon && (*p == ';' || *p == '?')))
			return false;
	}

	return p < end;
}


/* Whatever is covered stands behind a colon or an equals sign, and the word
 * before that is one of a few. p: at the sign */
static bool may_be_secret(const char *text, const char *p, const char *end)
{
	const char *const sign = p;

	/* folds, and the quotes of JSON */
	while (p > text && (is_blank(p[-1]) || p[-1] == '\r' ||
			    p[-1] == '\n' || p[-1] == '"' || p[-1] == '\\'))
		--p;
	if (p == text)
		return false;

	switch (p[-1] | ' ') {

	case 'e':
		return ends_with(text, p, "response") ||
			ends_with(text, p, "inline");

	case 'h':
		return ends_with(text, p, "rspauth");

	case 'd':
		return ends_with(text, p, "password") ||
			ends_with(text, p, "ice-pwd");

	case '1':
		return ends_with(text, p, "ha1");

	case 'n':
		return ends_with(text, p, "authorization");

	case 'p':
		return ends_with(text, p, "sip") &&
			may_have_password(sign + 1, end);

	case 's':
		return ends_with(text, p, "sips") &&
			may_have_password(sign + 1, end);
	}

	return false;
}


/* Nearly all messages have nothing to cover, and are looked at by their signs
 * alone */
static bool may_have_secrets(const char *text, const char *end)
{
	static const char signs[] = {':', '='};

	for (size_t i = 0; i < sizeof(signs); i++) {
		const char *p = text;

		while ((p = memchr(p, signs[i], (size_t)(end - p)))) {
			if (may_be_secret(text, p++, end))
				return true;
		}
	}

	return false;
}


void text_mask(char *text, size_t len)
{
	struct scan s = { .p = text, .end = text + len };
	char *p = text, *const end = s.end;

	if (!may_have_secrets(text, end))
		return;

	while (p < end) {
		const uint8_t kind = kinds[(uint8_t)*p];

		if (kind & FIRST) {
			char *next;

			s.p = p;
			next = mask_word(&s);
			if (next > p) {
				p = next;
				continue;
			}
		}

		if (kind & NAME) {
			while (++p < end && kinds[(uint8_t)*p] & NAME)
				;
			continue;
		}

		if (kind & QUOTE) {
			if (is_eol(*p) || *p == s.quote)
				s.quote = 0;
			else if (!s.quote)
				s.quote = *p;
		}

		++p;
	}
}
