/**
 * @file ua/body_text.c  Bodies made of lines: message waiting, sipfrag, CPIM
 *
 * Pure functions, and what the other readers share.
 */
#include "body_priv.h"


void body_copy(char *dst, size_t sz, const char *src, size_t len)
{
	const void *nul = memchr(src, '\0', len);
	size_t n = 0;

	if (nul)
		len = (size_t)((const char *)nul - src);

	while (n < len) {
		uint32_t cp;
		size_t l = text_utf8_decode(&cp, src + n, len - n);

		if (!l || n + l >= sz)
			break;
		n += l;
	}

	memcpy(dst, src, n);
	dst[n] = '\0';
}


void body_copy_str(char *dst, size_t sz, const char *src)
{
	body_copy(dst, sz, src, strlen(src));
}


uint32_t body_u32(const char *s, uint32_t max)
{
	uint32_t v = 0;

	(void)text_u32(&v, s, strlen(s), max);

	return v;
}


static void trim(struct pl *pl)
{
	while (pl->l && (*pl->p == ' ' || *pl->p == '\t'))
		pl_advance(pl, 1);
	while (pl->l && (pl->p[pl->l - 1] == ' ' ||
			 pl->p[pl->l - 1] == '\t' ||
			 pl->p[pl->l - 1] == '\r'))
		--pl->l;
}


bool body_line(struct pl *line, struct pl *rest)
{
	const char *end;

	if (!rest->l)
		return false;

	end = memchr(rest->p, '\n', rest->l);
	line->p = rest->p;
	line->l = end ? (size_t)(end - rest->p) : rest->l;
	pl_advance(rest, (ssize_t)(line->l + (end ? 1 : 0)));
	trim(line);

	return true;
}


bool body_field(struct pl *name, struct pl *val, const struct pl *line)
{
	const char *colon = memchr(line->p, ':', line->l);

	if (!colon)
		return false;

	name->p = line->p;
	name->l = (size_t)(colon - line->p);
	val->p = colon + 1;
	val->l = line->l - name->l - 1;
	trim(name);
	trim(val);

	return true;
}


int body_element(struct mbuf *mb, const char *name, const char *text)
{
	int err;

	err = mbuf_printf(mb, "<%s>", name);
	if (!err)
		err = xml_print(mb, text);
	if (!err)
		err = mbuf_printf(mb, "</%s>\r\n", name);

	return err;
}


/* Message waiting ---------------------------------------------------------- */

/* "2/8 (0/2)" */
static int counts_parse(struct mwi_summary *m, const struct pl *val)
{
	struct pl a, b, c, d;

	if (!re_regex(val->p, val->l, "[0-9]+/[0-9]+[^(]*([0-9]+/[0-9]+)",
		      &a, &b, NULL, &c, &d)) {
		if (text_u32(&m->fresh_urgent, c.p, c.l, UINT32_MAX) ||
		    text_u32(&m->old_urgent, d.p, d.l, UINT32_MAX))
			return EBADMSG;
	}
	else if (re_regex(val->p, val->l, "[0-9]+/[0-9]+", &a, &b)) {
		return EBADMSG;
	}

	return text_u32(&m->fresh, a.p, a.l, UINT32_MAX) ||
		text_u32(&m->old, b.p, b.l, UINT32_MAX) ? EBADMSG : 0;
}


int mwi_parse(struct mwi_summary *m, const char *text, size_t len)
{
	struct pl rest = { text, len }, line, name, val;
	bool told = false;

	memset(m, 0, sizeof(*m));

	while (body_line(&line, &rest)) {

		if (!line.l)
			break;           /* message headers follow         */
		if (!body_field(&name, &val, &line))
			continue;

		if (text_caseeq(name.p, name.l, "Messages-Waiting")) {
			if (!text_caseeq(val.p, val.l, "yes") &&
			    !text_caseeq(val.p, val.l, "no"))
				return EBADMSG;
			m->waiting = text_caseeq(val.p, val.l, "yes");
			told = true;
		}
		else if (text_caseeq(name.p, name.l, "Message-Account")) {
			body_copy(m->account, sizeof(m->account), val.p,
				  val.l);
		}
		else if (text_caseeq(name.p, name.l, "Voice-Message")) {
			if (counts_parse(m, &val))
				return EBADMSG;
		}
	}

	return told ? 0 : EBADMSG;
}


int mwi_print(struct mbuf *mb, const struct mwi_summary *m)
{
	int err;

	err = mbuf_printf(mb, "Messages-Waiting: %s\r\n",
			  m->waiting ? "yes" : "no");
	if (!err && *m->account)
		err = mbuf_printf(mb, "Message-Account: %s\r\n", m->account);
	if (!err)
		err = mbuf_printf(mb, "Voice-Message: %u/%u (%u/%u)\r\n",
				  m->fresh, m->old, m->fresh_urgent,
				  m->old_urgent);

	return err;
}


/* Progress of a transfer --------------------------------------------------- */

int sipfrag_parse(struct sipfrag *f, const char *text, size_t len)
{
	static const char version[] = "SIP/2.0 ";
	struct pl rest = { text, len }, line;
	uint32_t code;

	memset(f, 0, sizeof(*f));

	if (!body_line(&line, &rest) ||
	    line.l < sizeof(version) - 1 + 3 ||
	    !text_caseeq(line.p, sizeof(version) - 1, version))
		return EBADMSG;

	pl_advance(&line, sizeof(version) - 1);
	if (text_u32(&code, line.p, 3, 699) || code < 100)
		return EBADMSG;

	pl_advance(&line, 3);
	if (line.l && *line.p != ' ')
		return EBADMSG;

	f->code = (uint16_t)code;
	trim(&line);
	body_copy(f->reason, sizeof(f->reason), line.p, line.l);

	return 0;
}


int sipfrag_print(struct mbuf *mb, uint16_t code, const char *reason)
{
	return mbuf_printf(mb, "SIP/2.0 %u %s\r\n", code, reason);
}


/* CPIM --------------------------------------------------------------------- */

/* "Name <uri>" or "<uri>": the URI */
static void address_copy(char *dst, size_t sz, const struct pl *val)
{
	struct pl uri;

	if (re_regex(val->p, val->l, "<[^>]+>", &uri))
		uri = *val;

	body_copy(dst, sz, uri.p, uri.l);
}


/* The next of a list with commas. @return false: there is none */
static bool list_next(struct pl *one, struct pl *rest)
{
	const char *comma;

	if (!rest->l)
		return false;

	comma = memchr(rest->p, ',', rest->l);
	one->p = rest->p;
	one->l = comma ? (size_t)(comma - rest->p) : rest->l;
	pl_advance(rest, (ssize_t)(one->l + (comma ? 1 : 0)));
	trim(one);

	return true;
}


static bool list_has(const struct pl *val, const char *word)
{
	struct pl rest = *val, one;

	while (list_next(&one, &rest)) {
		if (text_caseeq(one.p, one.l, word))
			return true;
	}

	return false;
}


/* "imdn <urn:ietf:params:imdn>": the prefix is the writer's to choose (RFC
 * 3862 4.5); without one all that follows is of that namespace */
static void namespace_take(struct cpim *c, const struct pl *val)
{
	static const char urn[] = "<urn:ietf:params:imdn>";
	struct pl prefix = *val;

	if (val->l < sizeof(urn) - 1 ||
	    !text_caseeq(val->p + val->l - (sizeof(urn) - 1),
			 sizeof(urn) - 1, urn))
		return;

	prefix.l -= sizeof(urn) - 1;
	trim(&prefix);
	if (prefix.l + 2 > sizeof(c->imdn))
		return;

	body_copy(c->imdn, sizeof(c->imdn), prefix.p, prefix.l);
	if (prefix.l)
		strcat(c->imdn, ".");
}


/* Is it that header of the namespace of reports? */
static bool is_imdn(const struct cpim *c, const struct pl *name,
		    const char *word)
{
	const size_t n = strlen(c->imdn);

	return name->l > n && text_caseeq(name->p, n, c->imdn) &&
		text_caseeq(name->p + n, name->l - n, word);
}


/* ";lang=fr Objet" */
static void subject_copy(char *dst, size_t sz, const struct pl *val)
{
	struct pl text = *val;

	if (text.l && *text.p == ';') {
		const char *sp = memchr(text.p, ' ', text.l);

		if (sp)
			pl_advance(&text, sp - text.p);
		trim(&text);
	}
	body_copy(dst, sz, text.p, text.l);
}


/* All of them or none: one that is missing would be passed by */
static bool route_take(struct cpim *c, const struct pl *val)
{
	struct pl uri;

	if (c->routec == CPIM_ROUTES || re_regex(val->p, val->l,
						 "<[^>]+>", &uri) ||
	    uri.l >= BODY_TEXT)
		return false;

	body_copy(c->routev[c->routec++], BODY_TEXT, uri.p, uri.l);

	return true;
}


static void cpim_header(struct cpim *c, const struct pl *name,
			const struct pl *val)
{
	if (text_caseeq(name->p, name->l, "From"))
		address_copy(c->from, sizeof(c->from), val);
	else if (text_caseeq(name->p, name->l, "To"))
		address_copy(c->to, sizeof(c->to), val);
	else if (text_caseeq(name->p, name->l, "DateTime"))
		body_copy(c->date, sizeof(c->date), val->p, val->l);
	else if (text_caseeq(name->p, name->l, "Subject"))
		subject_copy(c->subject, sizeof(c->subject), val);
	else if (text_caseeq(name->p, name->l, "NS"))
		namespace_take(c, val);
	else if (is_imdn(c, name, "Message-ID"))
		body_copy(c->message_id, sizeof(c->message_id), val->p,
			  val->l);
	else if (is_imdn(c, name, "Original-To"))
		address_copy(c->original, sizeof(c->original), val);
	else if (is_imdn(c, name, "Disposition-Notification")) {
		c->want_delivered = list_has(val, "positive-delivery");
		c->want_failed = list_has(val, "negative-delivery");
		c->want_displayed = list_has(val, "display");
	}
}


/* RFC 3862 3.6: what it names must be understood, or all is left alone */
static bool understood(const struct cpim *c, const struct pl *val)
{
	static const char *const plain[] = {
		"From", "To", "cc", "DateTime", "Subject", "NS", "Require",
	};
	static const char *const imdn[] = {
		"Message-ID", "Disposition-Notification",
		"IMDN-Record-Route", "Original-To",
	};
	struct pl rest = *val, one;

	while (list_next(&one, &rest)) {
		bool found = !one.l;

		for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
			found = found || text_caseeq(one.p, one.l, plain[i]);
		for (size_t i = 0; i < ARRAY_SIZE(imdn); i++)
			found = found || is_imdn(c, &one, imdn[i]);
		if (!found)
			return false;
	}

	return true;
}


int cpim_parse(struct cpim *c, const char *text, size_t len)
{
	struct pl rest = { text, len }, line, name, val;
	bool inner = false, routes = true;

	memset(c, 0, sizeof(*c));
	(void)strcpy(c->imdn, "imdn.");

	while (body_line(&line, &rest)) {

		if (!line.l) {
			if (inner) {
				c->body = rest;
				c->routec = routes ? c->routec : 0;
				return 0;
			}
			inner = true;
			continue;
		}
		if (!body_field(&name, &val, &line))
			return EBADMSG;

		if (!inner && text_caseeq(name.p, name.l, "Require") &&
		    !understood(c, &val))
			return ENOTSUP;
		if (!inner && is_imdn(c, &name, "IMDN-Record-Route"))
			routes = routes && route_take(c, &val);
		else if (!inner)
			cpim_header(c, &name, &val);
		else if (text_caseeq(name.p, name.l, "Content-Type"))
			body_copy(c->ctype, sizeof(c->ctype), val.p, val.l);
	}

	return EBADMSG;
}


bool cpim_is_report(const struct cpim *c)
{
	return !strncasecmp(c->ctype, IMDN_TYPE, strlen(IMDN_TYPE));
}


static bool line_ok(const char *s)
{
	return !strpbrk(s, "\r\n");
}


/* Of which reports there are to be */
static int wishes_print(struct mbuf *mb, const struct cpim *c)
{
	const struct { bool wanted; const char *word; } v[] = {
		{ c->want_delivered, "positive-delivery" },
		{ c->want_failed, "negative-delivery" },
		{ c->want_displayed, "display" },
	};
	const char *before = "imdn.Disposition-Notification: ";
	int err = 0;

	for (size_t i = 0; i < ARRAY_SIZE(v) && !err; i++) {
		if (!v[i].wanted)
			continue;
		err = mbuf_printf(mb, "%s%s", before, v[i].word);
		before = ", ";
	}

	return !err && *before == ',' ? mbuf_write_str(mb, "\r\n") : err;
}


int cpim_print(struct mbuf *mb, const struct cpim *c)
{
	int err;

	if (!line_ok(c->from) || !line_ok(c->to) || !line_ok(c->date) ||
	    !line_ok(c->message_id) || !line_ok(c->ctype) ||
	    c->routec > CPIM_ROUTES)
		return EINVAL;
	for (unsigned i = 0; i < c->routec; i++) {
		if (!line_ok(c->routev[i]))
			return EINVAL;
	}

	err = mbuf_printf(mb, "From: <%s>\r\nTo: <%s>\r\n", c->from, c->to);
	if (!err && *c->date)
		err = mbuf_printf(mb, "DateTime: %s\r\n", c->date);
	if (!err && (*c->message_id || c->routec))
		err = mbuf_write_str(mb, "NS: imdn <urn:ietf:params:imdn>"
				     "\r\n");
	if (!err && *c->message_id)
		err = mbuf_printf(mb, "imdn.Message-ID: %s\r\n",
				  c->message_id);
	for (unsigned i = 0; i < c->routec && !err; i++)
		err = mbuf_printf(mb, "imdn.IMDN-Route: <%s>\r\n",
				  c->routev[i]);
	if (!err)
		err = wishes_print(mb, c);
	if (!err)
		err = mbuf_printf(mb, "\r\nContent-Type: %s\r\n%s\r\n%r",
				  *c->ctype ? c->ctype : "text/plain",
				  cpim_is_report(c) ?
				  "Content-Disposition: notification\r\n" : "",
				  &c->body);

	return err;
}
