/**
 * @file target.c  What the user typed ("bob") as a URI
 *
 * In this order: a URI; user@host; an address or host:port; digits or a word
 * at the account's domain; with no account, a host.  Pure but for the checks
 * of sip.h.  Main thread.
 */
#include <strings.h>
#include "priv.h"


static bool starts(const char *s, const char *scheme)
{
	return 0 == strncasecmp(s, scheme, strlen(scheme));
}


/* "192.0.2.1", "[2001:db8::1]:5070", "2001:db8::1", "host:5060" */
static bool is_address(const char *s)
{
	const char *colon = strrchr(s, ':');
	struct sa sa;
	uint32_t port;

	if (*s == '[' || 0 == sa_set_str(&sa, s, 0))
		return true;

	return colon && colon != s &&
		0 == text_u32(&port, colon + 1, strlen(colon + 1), 65535);
}


/* A telephone number as people write it; separators are left out */
static bool number_clean(char *buf, size_t sz, const char *s)
{
	size_t n = 0;

	if (!strchr("+(0123456789*#", *s))
		return false;

	for (const char *p = s; *p; p++) {
		if (strchr("-. ()/", *p))
			continue;
		if (!strchr("0123456789*#", *p) && !(*p == '+' && p == s))
			return false;
		if (n + 1 >= sz)
			return false;
		buf[n++] = *p;
	}
	buf[n] = '\0';

	return n > 0;
}


/* RFC 3261 25.1: user; everything else by %HH */
static void user_escape(struct text_buf *b, const char *s)
{
	for (; *s; s++) {
		const unsigned char c = (unsigned char)*s;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || strchr("-_.!~*'()&=+$,;?/", c))
			text_add(b, "%c", c);
		else
			text_add(b, "%%%02X", c);
	}
}


static void domain_add(struct text_buf *b, const struct account *a)
{
	const bool v6 = strchr(a->host, ':') && a->host[0] != '[';

	text_add(b, "%s%s%s", v6 ? "[" : "", a->host, v6 ? "]" : "");
	if (a->port)
		text_add(b, ":%u", a->port);
}


int target_complete(char *uri, size_t sz, const char *text,
		    const struct account *a, char *err)
{
	struct text_buf b = { .max = UA_URI - 1 };
	char s[UA_URI], number[128];
	const char *open, *close;
	size_t len;
	int e;

	while (*text == ' ' || *text == '\t')
		++text;
	len = strlen(text);
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		--len;

	/* "Bob" <sip:bob@example.com> */
	open = memchr(text, '<', len);
	close = open ? memchr(open, '>', len - (size_t)(open - text)) : NULL;
	if (close && close == text + len - 1) {
		text = open + 1;
		len = (size_t)(close - text);
	}

	if (!len)
		return call_error(err, EINVAL,
				  "Nobody to call: the target is empty.");
	if (text_copy(s, sizeof(s), text, len))
		return call_error(err, EINVAL,
				  "The target is too long (at most %d bytes).",
				  UA_URI - 1);

	if (starts(s, "sip:") || starts(s, "sips:") || starts(s, "tel:"))
		text_add(&b, "%s", s);
	else if (strchr(s, '@'))
		text_add(&b, "sip:%s", s);
	else if (number_clean(number, sizeof(number), s) && a &&
		 !is_address(s)) {
		text_add(&b, "sip:");
		user_escape(&b, number);
		text_add(&b, "@");
		domain_add(&b, a);
	}
	else if (is_address(s)) {
		struct sa sa;
		const bool bare6 = *s != '[' && !sa_set_str(&sa, s, 0) &&
			sa_af(&sa) == AF_INET6;

		text_add(&b, bare6 ? "sip:[%s]" : "sip:%s", s);
	}
	else if (strchr(s, ':'))
		text_add(&b, "%s", s);        /* http: and the like */
	else if (a) {
		text_add(&b, "sip:");
		user_escape(&b, s);
		text_add(&b, "@");
		domain_add(&b, a);
	}
	else
		text_add(&b, "sip:%s", s);

	e = b.err;
	if (e)
		call_error(err, e, "The target is too long.");
	else
		e = sip_uri_check(uri, sz, b.s, err, UA_ERR);

	text_buf_reset(&b);

	return e;
}
