/**
 * @file uri.c  The addresses of accounts
 *
 * Main thread; no state.  Only as much of a SIP URI as an account needs, and
 * strictly: what is accepted here is printed into requests as it stands.  A
 * message never repeats what may hold a password.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <offhook/text.h>
#include "priv.h"


enum { HOST_MAX = 253 };


static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9');
}


static const char *skip_blank(const char *p)
{
	return p + strspn(p, " \t");
}


/* @return behind `sip:` or `sips:`, or NULL */
static const char *scheme_end(const char *p)
{
	if (strlen(p) >= 4 && text_caseeq(p, 4, "sip:"))
		return p + 4;
	if (strlen(p) >= 5 && text_caseeq(p, 5, "sips:"))
		return p + 5;

	return NULL;
}


/* @return the end of an IPv6 address in brackets, or NULL */
static const char *host6_end(const char *p)
{
	const char *close = strchr(p, ']');
	char addr[INET6_ADDRSTRLEN];
	struct in6_addr in6;

	if (!close || text_copy(addr, sizeof(addr), p + 1,
				(size_t)(close - p - 1)))
		return NULL;

	return inet_pton(AF_INET6, addr, &in6) == 1 ? close + 1 : NULL;
}


static const char *host_end(const char *p)
{
	const char *end = p;

	if (*p == '[')
		return host6_end(p);

	while (is_alnum(*end) || *end == '-' || *end == '.' || *end == '_')
		++end;

	if (end == p || end - p > HOST_MAX || *p == '.' || end[-1] == '.' ||
	    *p == '-')
		return NULL;

	return end;
}


/* @return the end of host[:port], or NULL */
static const char *hostport_end(const char *p)
{
	size_t digits;
	uint32_t port;

	p = host_end(p);
	if (!p || *p != ':')
		return p;

	digits = strspn(++p, "0123456789");
	if (text_u32(&port, p, digits, 65535) || !port)
		return NULL;

	return p + digits;
}


/* @return the end of URI parameters: all that may stand within <> */
static const char *params_end(const char *p)
{
	if (*p != ';')
		return p;

	while (*p > ' ' && *p < 0x7f && !strchr("<>\"?\\^`{|}", *p))
		++p;

	return p;
}


static bool user_char_ok(char c)
{
	return is_alnum(c) || (c && strchr("-_.!~*'()%&=+$,;?/", c));
}


/* Is one of our parameters in what looks like the user part? */
static bool holds_param(const char *p, const char *end)
{
	size_t n;
	const struct account_param *prm = account_param_table(&n);

	for (; p < end; p++) {

		if (*p != ';')
			continue;

		for (size_t i = 0; i < n; i++) {
			const size_t len = strlen(prm[i].name);

			if ((size_t)(end - p) > len + 1 &&
			    p[len + 1] == '=' &&
			    text_caseeq(p + 1, len, prm[i].name))
				return true;
		}
	}

	return false;
}


static int user_check(const char *p, const char *at, char *err)
{
	if (!at || holds_param(p, at))
		return conf_error(err, EINVAL, "the account's address has no"
				  " user part; it is sip:USER@HOST");

	if (at == p)
		return conf_error(err, EINVAL, "the user part before the @"
				  " is empty; it is sip:USER@HOST");

	for (; p < at; p++) {

		if (*p == ':')
			return conf_error(err, EINVAL, "the password does not"
					  " belong in the address: write it"
					  " behind, as ;password=...");

		if (!user_char_ok(*p))
			return conf_error(err, EINVAL, "the user part of the"
					  " account's address holds a"
					  " character that must be written as"
					  " %%XX");
	}

	return 0;
}


/* Copy with the scheme in small letters */
static int uri_copy(char *dst, size_t sz, const char *p, const char *end)
{
	const int err = text_copy(dst, sz, p, (size_t)(end - p));

	if (err)
		return err;

	for (char *c = dst; *c && *c != ':'; c++)
		*c = (char)tolower((unsigned char)*c);

	return 0;
}


/* What cannot be a URI at all, without showing a password */
static int scheme_error(const char *text, char *err)
{
	char shown[CONF_SHOWN];

	(void)text_escape(shown, sizeof(shown), text, strcspn(text, ";:="));

	return conf_error(err, EINVAL, "\"%s\" is not the address of an"
			  " account; it begins with sip: or sips:, as in"
			  " sip:alice@example.com", shown);
}


int conf_aor_parse(char *aor, size_t aor_sz, char *user, size_t user_sz,
		   const char **rest, const char *text, char *err)
{
	const char *begin = skip_blank(text);
	const bool angle = *begin == '<';
	const char *p, *at, *end;
	int e;

	begin += angle;

	p = scheme_end(begin);
	if (!p)
		return scheme_error(begin, err);

	at = strpbrk(p, "@<> \t\"");
	if (at && *at != '@')
		at = NULL;

	e = user_check(p, at, err);
	if (e)
		return e;

	end = hostport_end(at + 1);
	if (!end)
		return conf_error(err, EINVAL, "behind the @ of the account's"
				  " address stands a host name, an address or"
				  " [IPv6], then perhaps :PORT from 1 to"
				  " 65535");

	if (angle) {
		end = params_end(end);
		if (*end != '>')
			return conf_error(err, EINVAL, "the account's address"
					  " does not end where it should: the"
					  " > is missing, or something before"
					  " it is wrong");
	}
	else if (*end && *end != ';' && *end != ' ' && *end != '\t') {
		return conf_error(err, EINVAL, "behind the host of the"
				  " account's address come parameters:"
				  " ;NAME=VALUE");
	}

	/* the longest that is printed besides is checked by its field */
	if (uri_copy(aor, aor_sz, begin, end) ||
	    text_unescape_percent(user, user_sz, p, (size_t)(at - p)))
		return conf_error(err, EINVAL, "the account's address is too"
				  " long, or a %% in it is not followed by two"
				  " hex digits");

	*rest = skip_blank(end + angle);

	return 0;
}


static int server_error(const char *name, const char *value, char *err)
{
	char shown[CONF_SHOWN];

	(void)text_escape(shown, sizeof(shown), value, strlen(value));

	return conf_error(err, EINVAL, "%s must be a host, HOST:PORT or a SIP"
			  " URI, not \"%s\"", name, shown);
}


int conf_server_parse(char *uri, size_t sz, const char *name,
		      const char *value, char *err)
{
	const char *begin = skip_blank(value);
	const bool angle = *begin == '<';
	const char *p, *at, *end;
	char buf[CONFIG_STR];

	begin += angle;

	p = scheme_end(begin);
	if (p) {
		at = strpbrk(p, "@<>; \t\"");
		if (at && *at == '@') {
			if (user_check(p, at, NULL))
				return server_error(name, value, err);
			p = at + 1;
		}
	}
	else {
		p = begin;
	}

	end = hostport_end(p);
	if (!end)
		return server_error(name, value, err);

	end = params_end(end);
	if (*skip_blank(end + (angle && *end == '>')) ||
	    (angle && *end != '>'))
		return server_error(name, value, err);

	if (scheme_end(begin)) {
		if (uri_copy(buf, sizeof(buf), begin, end))
			return server_error(name, value, err);
	}
	else {
		if (end - begin + 5 > (ptrdiff_t)sizeof(buf))
			return server_error(name, value, err);
		(void)snprintf(buf, sizeof(buf), "sip:%.*s",
			       (int)(end - begin), begin);
	}

	if (text_copy(uri, sz, buf, strlen(buf)))
		return server_error(name, value, err);

	return 0;
}


int conf_collector_check(const char *value, char *err)
{
	char uri[CONFIG_STR];

	if (!*value || !strcmp(value, "off"))
		return 0;
	if (!scheme_end(value))
		return conf_error(err, EINVAL, "quality-report is a SIP URI,"
				  " as in sip:collector@example.com");

	return conf_server_parse(uri, sizeof(uri), "quality-report", value,
				 err);
}
