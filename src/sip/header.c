/**
 * @file sip/header.c  Header fields read and written
 *
 * Main thread, no state.  libre knows a header by a 12-bit hash of its name
 * and never compares the name, so an unknown header can pass for a known one:
 * here names are compared.  libre also splits values at commas that stand
 * inside angle brackets; here they are split by the grammar.
 */
#include "priv.h"


static const struct compact {
	char letter;
	const char *name;
} compacts[] = {
	{'a', "Accept-Contact"},   {'b', "Referred-By"},
	{'c', "Content-Type"},     {'d', "Request-Disposition"},
	{'e', "Content-Encoding"}, {'f', "From"},
	{'i', "Call-ID"},          {'j', "Reject-Contact"},
	{'k', "Supported"},        {'l', "Content-Length"},
	{'m', "Contact"},          {'o', "Event"},
	{'r', "Refer-To"},         {'s', "Subject"},
	{'t', "To"},               {'u', "Allow-Events"},
	{'v', "Via"},              {'x', "Session-Expires"},
};


static char compact_of(const char *name)
{
	size_t i;

	for (i = 0; i < COUNTOF(compacts); i++) {
		/* most differ at once */
		if ((compacts[i].name[0] | 0x20) == (name[0] | 0x20) &&
		    !strcasecmp(compacts[i].name, name))
			return compacts[i].letter;
	}

	return 0;
}


static bool is_lws(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


/* Most are another: seen at the first letter, in either case */
static inline bool is_named(const struct sip_hdr *hdr, const char *name,
			    char compact)
{
	if (hdr->name.l == 1)
		return compact && (hdr->name.p[0] | 0x20) == compact;

	return hdr->name.l && (hdr->name.p[0] | 0x20) == (name[0] | 0x20) &&
		text_caseeq(hdr->name.p, hdr->name.l, name);
}


bool header_is(const struct sip_hdr *hdr, const char *name, char compact)
{
	return is_named(hdr, name, compact);
}


struct find {
	const char *name;
	char compact;
	unsigned n;
};


static bool find_h(const struct sip_hdr *hdr, const struct sip_msg *msg,
		   void *arg)
{
	const struct find *f = arg;
	(void)msg;

	return is_named(hdr, f->name, f->compact);
}


const struct sip_hdr *header_find(const struct sip_msg *msg,
				  enum sip_hdrid id, const char *name,
				  char compact)
{
	struct find f = {.name = name, .compact = compact};

	return sip_msg_hdr_apply(msg, true, id, find_h, &f);
}


const struct sip_hdr *header_find_name(const struct sip_msg *msg,
				       const char *name)
{
	const char compact = compact_of(name);
	struct le *le;

	for (le = list_head(&msg->hdrl); le; le = le->next) {
		const struct sip_hdr *hdr = le->data;

		if (is_named(hdr, name, compact))
			return hdr;
	}

	return NULL;
}


unsigned header_count(const struct sip_msg *msg, enum sip_hdrid id,
		      const char *name, char compact)
{
	unsigned n = 0;
	struct le *le;

	for (le = list_head(&msg->hdrl); le; le = le->next) {
		const struct sip_hdr *hdr = le->data;

		if (hdr->id == id && is_named(hdr, name, compact))
			++n;
	}

	return n;
}


/* One value up to its comma. @return behind it */
static const char *value_end(const char *p, const char *end)
{
	bool quote = false, angle = false;

	for (; p < end; p++) {

		if (quote) {
			if (*p == '\\' && p + 1 < end)
				++p;
			else if (*p == '"')
				quote = false;
		}
		else if (*p == '"' && !angle)
			quote = true;
		else if (*p == '<')
			angle = true;
		else if (*p == '>')
			angle = false;
		else if (*p == ',' && !angle)
			break;
	}

	return p;
}


bool header_values(const struct sip_msg *msg, const char *name, char compact,
		   header_value_h *h, void *arg)
{
	struct le *le;

	for (le = list_head(&msg->hdrl); le; le = le->next) {
		const struct sip_hdr *hdr = le->data;
		const char *p, *end;

		if (!is_named(hdr, name, compact))
			continue;

		p = hdr->val.p;
		end = p + hdr->val.l;

		while (p < end) {
			const char *stop = value_end(p, end);
			struct pl val;

			while (p < stop && is_lws(*p))
				++p;
			val.p = p;
			val.l = (size_t)(stop - p);
			while (val.l && is_lws(val.p[val.l - 1]))
				--val.l;

			/* empty list elements are nothing */
			if (val.l && h(&val, arg))
				return true;

			p = stop + 1;
		}
	}

	return false;
}


static bool has_h(const struct pl *val, void *arg)
{
	return text_caseeq(val->p, val->l, arg);
}


bool header_has(const struct sip_msg *msg, const char *name, char compact,
		const char *token)
{
	return header_values(msg, name, compact, has_h, (void *)token);
}


int header_u32(const struct sip_msg *msg, const char *name, uint32_t max,
	       uint32_t *out)
{
	const struct sip_hdr *hdr = header_find_name(msg, name);
	size_t n = 0;

	if (!hdr)
		return ENOENT;

	/* Retry-After and others may carry a comment or parameters */
	while (n < hdr->val.l && hdr->val.p[n] >= '0' && hdr->val.p[n] <= '9')
		++n;
	if (n < hdr->val.l && !is_lws(hdr->val.p[n]) &&
	    hdr->val.p[n] != ';' && hdr->val.p[n] != '(')
		return EBADMSG;

	return text_u32(out, hdr->val.p, n, max) ? EBADMSG : 0;
}


static const char *skip_lws(const char *p, const char *end)
{
	while (p < end && is_lws(*p))
		++p;

	return p;
}


/* @return the closing quote, NULL: none */
static const char *quote_end(const char *p, const char *end)
{
	for (++p; p < end; p++) {

		if (*p == '\\')
			++p;
		else if (*p == '"')
			return p;
	}

	return NULL;
}


/* Quotes in parameters must be closed */
static bool quotes_closed(const struct pl *pl)
{
	const char *p = pl->p, *end = p + pl->l;

	for (; p < end; p++) {

		if (*p == '"') {
			p = quote_end(p, end);
			if (!p)
				return false;
		}
	}

	return true;
}


int addr_parse(struct addr_parts *a, const struct pl *val)
{
	const char *p, *end, *lt, *q;

	memset(a, 0, sizeof(*a));

	if (!val->p)
		return EBADMSG;

	end = val->p + val->l;
	p = skip_lws(val->p, end);
	while (end > p && is_lws(end[-1]))
		--end;

	if (p < end && *p == '"') {
		q = quote_end(p, end);
		if (!q)
			return EBADMSG;

		a->name.p = p + 1;
		a->name.l = (size_t)(q - p - 1);

		lt = skip_lws(q + 1, end);
		if (lt == end || *lt != '<')
			return EBADMSG;
	}
	else {
		lt = memchr(p, '<', (size_t)(end - p));

		if (lt) {
			/* an addr-spec whose parameter holds a '<'? never */
			for (q = lt; q > p && is_lws(q[-1]); q--)
				;
			a->name.p = p;
			a->name.l = (size_t)(q - p);
			if (memchr(p, '"', a->name.l))
				return EBADMSG;
		}
	}

	if (lt) {
		q = memchr(lt, '>', (size_t)(end - lt));
		if (!q)
			return EBADMSG;

		a->uri.p = lt + 1;
		a->uri.l = (size_t)(q - lt - 1);
		p = skip_lws(q + 1, end);
	}
	else {
		for (q = p; q < end && *q != ';' && !is_lws(*q); q++) {
			/* these must be in brackets, RFC 3261 20.10 */
			if (*q == '?' || *q == ',')
				return EBADMSG;
		}

		a->uri.p = p;
		a->uri.l = (size_t)(q - p);
		p = skip_lws(q, end);
	}

	if (!a->uri.l)
		return EBADMSG;

	for (q = a->uri.p; q < a->uri.p + a->uri.l; q++) {
		if ((uint8_t)*q <= ' ' || *q == 0x7f || *q == '<')
			return EBADMSG;
	}

	if (p < end) {
		if (*p != ';')
			return EBADMSG;

		a->params.p = p;
		a->params.l = (size_t)(end - p);
		if (!quotes_closed(&a->params))
			return EBADMSG;
	}

	return 0;
}


struct contact {
	struct pl uri;
	int err;
};


static bool contact_h(const struct pl *val, void *arg)
{
	struct contact *c = arg;
	struct addr_parts a;

	c->err = addr_parse(&a, val);
	if (!c->err) {
		c->uri = a.uri;
		if (!pl_strcmp(&a.uri, "*"))
			c->err = EBADMSG;
	}

	return true;
}


int header_contact(const struct sip_msg *msg, struct pl *uri)
{
	struct contact c = {.err = ENOENT};

	(void)header_values(msg, "Contact", 'm', contact_h, &c);
	if (!c.err)
		*uri = c.uri;

	return c.err;
}


bool header_text_ok(const char *text)
{
	for (; text && *text; text++) {
		const uint8_t c = (uint8_t)*text;

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}

	return text != NULL;
}


int header_sdp(struct mbuf *mb, struct mbuf *sdp)
{
	if (!sdp)
		return mbuf_write_str(mb, "Content-Length: 0\r\n\r\n");

	return mbuf_printf(mb, "Content-Type: " SIP_ACCEPT "\r\n"
			   "Content-Length: %zu\r\n\r\n%b",
			   mbuf_get_left(sdp), mbuf_buf(sdp),
			   mbuf_get_left(sdp));
}


bool header_lines_ok(const char *lines)
{
	const char *p = lines;

	while (*p) {
		const char *start = p;

		/* a token is the name */
		while ((uint8_t)*p > ' ' && *p != ':' && *p != 0x7f)
			++p;
		if (p == start || *p != ':')
			return false;

		while (*p == '\t' || ((uint8_t)*p >= ' ' && *p != 0x7f))
			++p;
		if (p[0] != '\r' || p[1] != '\n')
			return false;
		p += 2;
	}

	return true;
}


int header_print_addr(struct mbuf *mb, const char *name, const char *uri)
{
	int err = 0;

	if (!header_text_ok(uri) || strpbrk(uri, "<> \""))
		return EINVAL;

	if (name && *name) {
		if (!header_text_ok(name))
			return EINVAL;

		err = mbuf_write_u8(mb, '"');
		for (; !err && *name; name++) {
			if (*name == '"' || *name == '\\')
				err = mbuf_write_u8(mb, '\\');
			if (!err)
				err = mbuf_write_u8(mb, (uint8_t)*name);
		}
		if (!err)
			err = mbuf_write_str(mb, "\" ");
	}

	if (!err)
		err = mbuf_write_u8(mb, '<');
	if (!err)
		err = mbuf_write_str(mb, uri);
	if (!err)
		err = mbuf_write_u8(mb, '>');

	return err;
}
