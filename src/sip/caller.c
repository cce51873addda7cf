/**
 * @file caller.c  Who calls, as the network says (RFC 3323, 3325)
 *
 * P-Asserted-Identity holds a sip: and a tel: URI at most; Remote-Party-ID is
 * what came before it and says by `party` whom it is about.  A value that
 * cannot be read is as if it had not come.  Pure.
 */
#include <ctype.h>
#include "priv.h"
#include "caller.h"


/* A quoted string is unescaped; what has no place in a line is a space */
static int name_take(char *dst, size_t sz, const struct pl *name)
{
	size_t i, n = 0;

	for (i = 0; i < name->l; i++) {
		char ch = name->p[i];

		if (ch == '\\' && i + 1 < name->l)
			ch = name->p[++i];
		if (n + 1 >= sz)
			break;
		dst[n++] = (uint8_t)ch < ' ' || ch == 0x7f ? ' ' : ch;
	}
	dst[n] = '\0';

	return 0;
}


int party_take(struct sip_party *p, const struct pl *val, struct pl *params)
{
	struct addr_parts a;
	int err;

	memset(p, 0, sizeof(*p));

	err = addr_parse(&a, val);
	if (!err)
		err = text_copy(p->uri, sizeof(p->uri), a.uri.p, a.uri.l);
	if (err) {
		p->uri[0] = '\0';
		return err;
	}

	(void)name_take(p->name, sizeof(p->name), &a.name);
	if (params)
		*params = a.params;

	return 0;
}


int sip_party_parse(struct sip_party *p, const char *text, size_t len)
{
	const struct pl pl = { .p = text, .l = len };

	return p && text ? party_take(p, &pl, NULL) : EINVAL;
}


static bool is_tel(const char *uri)
{
	return !strncasecmp(uri, "tel:", 4);
}


static bool asserted_h(const struct pl *val, void *arg)
{
	struct sip_caller *c = arg;
	struct sip_party p;

	if (party_take(&p, val, NULL))
		return false;

	if (is_tel(p.uri) && c->asserted.uri[0]) {
		if (!c->asserted_tel[0])
			(void)text_copy(c->asserted_tel,
					sizeof(c->asserted_tel), p.uri,
					strlen(p.uri));
	}
	else if (!c->asserted.uri[0]) {
		c->asserted = p;
	}
	else if (is_tel(c->asserted.uri)) {
		(void)text_copy(c->asserted_tel, sizeof(c->asserted_tel),
				c->asserted.uri, strlen(c->asserted.uri));
		c->asserted = p;
	}

	return false;
}


static bool preferred_h(const struct pl *val, void *arg)
{
	struct sip_caller *c = arg;

	return party_take(&c->preferred, val, NULL) == 0;
}


static bool remote_h(const struct pl *val, void *arg)
{
	struct sip_caller *c = arg;
	struct pl params = PL_INIT, v;
	struct sip_party p;

	if (party_take(&p, val, &params))
		return false;

	/* "called" is about us */
	if (param_find(&params, "party", &v) && v.p &&
	    !text_caseeq(v.p, v.l, "calling"))
		return false;

	c->remote = p;
	c->remote_screened = param_find(&params, "screen", &v) && v.p &&
		text_caseeq(v.p, v.l, "yes");

	/* who had it hidden then has it hidden now */
	if (!c->privacy[0] && param_find(&params, "privacy", &v) && v.p &&
	    !text_caseeq(v.p, v.l, "off"))
		(void)text_copy(c->privacy, sizeof(c->privacy), "id", 2);

	return true;
}


/* priv-values: tokens and semicolons */
static void privacy_take(struct sip_caller *c, const struct sip_msg *msg)
{
	const struct sip_hdr *h = header_find_name(msg, "Privacy");
	size_t n = 0;

	if (!h)
		return;

	for (size_t i = 0; i < h->val.l; i++) {
		const char ch = h->val.p[i];

		if (ch == ' ' || ch == '\t')
			continue;
		if (!isalnum((unsigned char)ch) && !strchr("-;", ch))
			break;
		if (n + 1 >= sizeof(c->privacy))
			break;
		c->privacy[n++] = (char)tolower((unsigned char)ch);
	}
	c->privacy[n] = '\0';

	if (!strcmp(c->privacy, "none"))
		c->privacy[0] = '\0';
}


static bool identity_h(const struct pl *val, void *arg)
{
	struct sip_caller *c = arg;

	(void)sip_passport_parse(&c->passport, val->p, val->l);

	return c->passport.readable;
}


bool sip_caller_read(struct sip_caller *c, const struct sip_info *in)
{
	const struct sip_msg *msg;

	if (!c || !in)
		return false;

	memset(c, 0, sizeof(*c));
	msg = in->msg;
	if (!msg)
		return false;

	privacy_take(c, msg);
	(void)header_values(msg, "P-Asserted-Identity", 0, asserted_h, c);
	(void)header_values(msg, "P-Preferred-Identity", 0, preferred_h, c);
	(void)header_values(msg, "Remote-Party-ID", 0, remote_h, c);
	(void)header_values(msg, "Identity", 'y', identity_h, c);
	diversion_read(c, msg);

	return c->privacy[0] || c->asserted.uri[0] || c->preferred.uri[0] ||
		c->remote.uri[0] || c->passport.there || c->divertc;
}
