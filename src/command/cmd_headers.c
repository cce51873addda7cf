/**
 * @file cmd_headers.c  Header lines as the user gives them: --header
 *
 * Main thread.
 */
#include <ctype.h>
#include <stdio.h>
#include <strings.h>
#include "priv.h"


/* Headers the phone itself is responsible for */
static bool header_ours(const char *name)
{
	static const char *const ours[] = {
		"via", "v", "from", "f", "to", "t", "call-id", "i", "cseq",
		"contact", "m", "max-forwards", "content-length", "l",
		"content-type", "c", "route", "record-route", "require",
		"authorization", "proxy-authorization",
	};

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
		if (!strcasecmp(ours[i], name))
			return true;
	}

	return false;
}


int cmd_headers(struct cmd *x, struct text_buf *b)
{
	const struct bound *v;

	for (size_t i = 0; (v = cmd_value(x, "header", i)); i++) {

		static const char token[] = "abcdefghijklmnopqrstuvwxyz"
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~";
		const size_t n = strspn(v->s, token);
		char name[64], word[80];
		bool bad = !n || n >= sizeof(name) || v->s[n] != ':' ||
			!text_utf8_valid(v->s, strlen(v->s));

		for (const char *p = v->s; *p; p++)
			bad |= iscntrl((unsigned char)*p) && *p != '\t';

		(void)bound_name(x, v, word, sizeof(word));
		if (bad)
			return cmd_wrong(x, "bad-argument", "%s is written "
					 "'Name: value', on one line", word);

		snprintf(name, sizeof(name), "%.*s", (int)n, v->s);
		if (header_ours(name))
			return cmd_wrong(x, "bad-argument", "%s: %s is made "
					 "by the phone itself", word, name);

		text_add(b, "%s\r\n", v->s);
	}

	if (b->err)
		return cmd_wrong(x, "line-too-long", "the headers have more "
				 "than %d bytes", CMD_HEADERS_MAX);

	return 0;
}
