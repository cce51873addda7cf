/**
 * @file target.c  What the user typed ("bob") as a URI
 *
 * In this order: a URI; user@host; an address or host:port; digits or a word
 * at the account's domain; with no account, a host.  What cannot be called is
 * refused here, before anything is sent, with what would be right.  Main
 * thread.
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


/* "http://...", "mailto:..." and the like; "bob:secret@host" is none */
static bool is_foreign(const char *s)
{
	static const char *const schemes[] = {
		"http:", "https:", "mailto:", "callto:", "skype:", "xmpp:",
		"h323:", "im:", "pres:", "facetime:", "ws:", "wss:", "urn:",
	};
	const char *colon = strchr(s, ':');

	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		if (starts(s, schemes[i]))
			return true;
	}

	return colon && 0 == strncmp(colon, "://", 3);
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


/* "sip:user@domain" of the account */
static void at_account(struct text_buf *b, const char *user,
		       const struct account *a)
{
	const bool v6 = strchr(a->host, ':') && a->host[0] != '[';

	text_add(b, "sip:");
	user_escape(b, user);
	text_add(b, "@%s%s%s", v6 ? "[" : "", a->host, v6 ? "]" : "");
	if (a->port)
		text_add(b, ":%u", a->port);
}


/* tel:+49-30-123;ext=4 is a user at our domain (RFC 3261 19.1.6) */
static int telephone(struct text_buf *b, const char *s,
		     const struct account *a, char *err)
{
	char part[UA_URI], number[128], user[UA_URI];
	const size_t n = strcspn(s, ";");

	if (text_copy(part, sizeof(part), s, n) ||
	    !text_number(number, sizeof(number), part))
		return call_error(err, EINVAL, "tel:%.100s is no telephone"
				  " number.", s);
	if (!a)
		return call_error(err, EINVAL, "There is no account to dial"
				  " tel:%.64s with: add one (-a), or call"
				  " sip:%.64s@HOST.", number, number);

	(void)snprintf(user, sizeof(user), "%s%.300s", number, s + n);
	at_account(b, user, a);
	text_add(b, ";user=phone");

	return 0;
}


static void address(struct text_buf *b, const char *s)
{
	struct sa sa;
	const bool bare6 = *s != '[' && !sa_set_str(&sa, s, 0) &&
		sa_af(&sa) == AF_INET6;

	text_add(b, bare6 ? "sip:[%s]" : "sip:%s", s);
}


/* By what it looks like; the finer points are sip_uri_check's */
static int as_uri(struct text_buf *b, const char *s, const struct account *a,
		  char *err)
{
	char number[128];
	const bool dialled = text_number(number, sizeof(number), s) &&
		!is_address(s);

	if (starts(s, "tel:"))
		return telephone(b, s + 4, a, err);

	if (is_foreign(s))
		return call_error(err, EPROTONOSUPPORT, "%.*s: is not spoken"
				  " here, only sip:, sips: and tel: are.",
				  (int)strcspn(s, ":"), s);

	if (starts(s, "sip:") || starts(s, "sips:"))
		text_add(b, "%s", s);
	else if (strchr(s, '@'))
		text_add(b, "sip:%s", s);
	else if (dialled && !a)
		return call_error(err, EINVAL, "There is no account to dial"
				  " %.64s with: add one (-a), or call"
				  " sip:%.64s@HOST.", number, number);
	else if (dialled)
		at_account(b, number, a);
	else if (is_address(s))
		address(b, s);
	else if (strchr(s, ':'))
		text_add(b, "%s", s);
	else if (a)
		at_account(b, s, a);
	else
		text_add(b, "sip:%s", s);

	return 0;
}


/* A host is a name or an address; the last part of a name has a letter
 * (RFC 3261 25.1), and 123 is 0.0.0.123 to a resolver */
static int host_check(const char *uri, char *err)
{
	char host[128];
	struct sa sa;

	if (sip_uri_parts(uri, NULL, 0, host, sizeof(host), NULL))
		return call_error(err, EINVAL, "The host is too long.");

	if (host[strspn(host, "0123456789.")] || !sa_set_str(&sa, host, 0))
		return 0;

	return call_error(err, EINVAL, "%.64s is no host: give its name or"
			  " an address such as 192.0.2.1.", host);
}


/* What was typed without blanks around it, or what is in "Bob" <...> */
static const char *strip(const char *text, size_t *lenp)
{
	const char *open, *close;
	size_t len;

	while (*text == ' ' || *text == '\t')
		++text;
	len = strlen(text);
	while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		--len;

	open = memchr(text, '<', len);
	close = open ? memchr(open, '>', len - (size_t)(open - text)) : NULL;
	if (close && close == text + len - 1) {
		text = open + 1;
		len = (size_t)(close - text);
	}

	*lenp = len;

	return text;
}


int target_complete(char *uri, size_t sz, const char *text,
		    const struct account *a, char *err)
{
	struct text_buf b = { .max = UA_URI - 1 };
	char s[UA_URI];
	size_t len;
	int e;

	text = strip(text, &len);
	if (!len)
		return call_error(err, EINVAL,
				  "Nobody to call: the target is empty.");
	if (text_copy(s, sizeof(s), text, len))
		return call_error(err, EINVAL,
				  "The target is too long (at most %d bytes).",
				  UA_URI - 1);

	e = as_uri(&b, s, a, err);
	if (!e && b.err)
		e = call_error(err, b.err, "The target is too long.");
	if (!e)
		e = sip_uri_check(uri, sz, b.s, err, UA_ERR);
	if (!e)
		e = host_check(uri, err);

	text_buf_reset(&b);

	return e;
}


/* Numbers to look up ------------------------------------------------------ */

/* The number of tel:, with the country its context names; or the digits */
static bool number_of(char *buf, size_t sz, const char *s)
{
	char part[128], context[32] = "";
	const char *p;
	size_t n;

	if (!starts(s, "tel:"))
		return text_number(buf, sz, s) && !is_address(s);

	s += 4;
	n = strcspn(s, ";");
	p = strstr(s + n, ";phone-context=+");
	if (p && *s != '+' &&
	    text_copy(context, sizeof(context), p + 15,
		      strcspn(p + 15, ";")))
		return false;

	if (text_copy(part, sizeof(part), s, n) || n + 1 >= sz)
		return false;

	return snprintf(buf, sz, "%s%s", context, part) < (int)sz &&
		text_number(part, sizeof(part), buf) &&
		!text_copy(buf, sz, part, strlen(part));
}


/*
 * In the public tree only a number that begins with its country is one: the
 * digits of a neighbour are somebody else's there.  Whoever runs a tree of his
 * own knows what its digits mean.
 */
bool ua_enum_number(char *buf, size_t sz, const struct ua *ua,
		    const char *text)
{
	const char *domain = ua->config->enum_domain;
	const size_t dlen = strlen(domain);
	char s[UA_URI];
	size_t len, n;

	if (!dlen)
		return false;

	text = strip(text, &len);
	if (text_copy(s, sizeof(s), text, len) || !number_of(buf, sz, s))
		return false;

	n = strlen(buf);
	if (strspn(buf + (*buf == '+'), "0123456789") + (*buf == '+') != n)
		return false;

	return *buf == '+' || dlen < 9 ||
		0 != strcasecmp(domain + dlen - 9, "e164.arpa");
}


/* What we speak ----------------------------------------------------------- */

static const struct {
	const char *name;
	enum sip_transp tp;
} transports[] = {
	{ "udp", SIP_TRANSP_UDP },
	{ "tcp", SIP_TRANSP_TCP },
	{ "tls", SIP_TRANSP_TLS },
};


static bool spoken(const struct ua *ua, enum sip_transp want)
{
	enum sip_transp tp;
	struct sa sa;

	for (size_t i = 0; ua_listener(ua, i, &sa, &tp); i++) {
		if (tp == want)
			return true;
	}

	return false;
}


/* Value of ;transport=, "" when there is none */
static void transport_of(char *buf, size_t sz, const char *uri)
{
	const char *at = strchr(uri, '@');
	const char *p = strchr(at ? at : uri, ';');

	buf[0] = '\0';

	for (; p && *p == ';'; p += strcspn(p, ";?")) {
		++p;
		if (starts(p, "transport="))
			(void)text_copy(buf, sz, p + 10,
					strcspn(p + 10, ";?"));
	}
}


int target_spoken(const struct ua *ua, const char *uri, char *err)
{
	char name[32], all[32] = "";
	bool ok = false;

	transport_of(name, sizeof(name), uri);
	if (!name[0] && starts(uri, "sips:"))
		str_ncpy(name, "tls", sizeof(name));
	if (!name[0])
		return 0;

	for (size_t i = 0; i < COUNT_OF(transports); i++) {
		const size_t n = strlen(all);

		/* TLS listens once it is needed */
		if (transports[i].tp != SIP_TRANSP_TLS &&
		    !spoken(ua, transports[i].tp))
			continue;

		ok = ok || 0 == str_casecmp(name, transports[i].name);
		(void)snprintf(all + n, sizeof(all) - n, "%s%s",
			       n ? ", " : "", transports[i].name);
	}

	return ok ? 0 : call_error(err, EPROTONOSUPPORT, "Transport %s is not"
				   " spoken here, only %s.", name, all);
}


int target_uri(char *uri, size_t sz, const struct ua *ua, const char *text,
	       const struct account *acc, char *err)
{
	const int e = target_complete(uri, sz, text, acc, err);

	return e ? e : target_spoken(ua, uri, err);
}


int ua_target(char *uri, size_t sz, const struct ua *ua, const char *text,
	      const struct account *acc, char *err)
{
	struct ua_lookup l;

	return target_uri(uri, sz, ua, lookup_text(&l, ua, text), acc, err);
}
