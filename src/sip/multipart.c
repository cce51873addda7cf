/**
 * @file sip/multipart.c  A body of several parts (RFC 2046, RFC 5621)
 *
 * Main thread, no state.  Gateways put their ISUP beside the SDP, emergency
 * services a location, signers a signature.  We want the SDP: when a part is
 * it, the message is narrowed to that part, so that whoever reads it later
 * sees a plain body.  Everything else stays as it came and is refused like
 * any other type we do not know.
 */
#include "priv.h"


enum {
	BOUNDARY_MAX = 70,          /* RFC 2046 5.1.1                      */
	PARTS_MAX    = 32,
	NEST_MAX     = 3,
};


struct part {
	struct pl type, subtype, params;    /* type unset: text/plain      */
	struct pl disposition, handling;
	struct pl body;
	enum coding {
		PLAIN = 0, BASE64, QUOTED, CODED,
	} coding;                           /* CODED: in a way we cannot read */
};


static struct pl pl_between(const char *p, const char *end)
{
	const struct pl pl = {p, (size_t)(end - p)};

	return pl;
}


/* The next line, without its end. @return false: there is none */
static bool line_next(struct pl *line, struct pl *rest)
{
	const char *nl;

	if (!rest->l)
		return false;

	nl = memchr(rest->p, '\n', rest->l);
	if (nl) {
		*line = pl_between(rest->p, nl);
		pl_advance(rest, (ssize_t)line->l + 1);
	}
	else {
		*line = *rest;
		pl_advance(rest, (ssize_t)rest->l);
	}

	if (line->l && line->p[line->l - 1] == '\r')
		--line->l;

	return true;
}


/* Is it the line between two parts? last: the one behind them all */
static bool is_delimiter(const struct pl *line, const struct pl *boundary,
			 bool *last)
{
	const char *p = line->p + 2 + boundary->l;
	const char *end = line->p + line->l;

	if (line->l < 2 + boundary->l || memcmp(line->p, "--", 2) ||
	    memcmp(line->p + 2, boundary->p, boundary->l))
		return false;

	*last = end - p >= 2 && !memcmp(p, "--", 2);
	if (*last)
		p += 2;

	while (p < end && (*p == ' ' || *p == '\t'))
		++p;

	return p == end;
}


static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


static void trim(struct pl *pl)
{
	while (pl->l && is_space(*pl->p))
		pl_advance(pl, 1);
	while (pl->l && is_space(pl->p[pl->l - 1]))
		--pl->l;
}


/* "a/b;c" or "a;c": what stands before and behind the first semicolon */
static void split(struct pl *head, struct pl *params, const struct pl *val)
{
	const char *semi = memchr(val->p, ';', val->l);

	*head = semi ? pl_between(val->p, semi) : *val;
	*params = semi ? pl_between(semi, val->p + val->l) :
		(struct pl)PL_INIT;
	trim(head);
}


static void part_header(struct part *part, const struct pl *line)
{
	const char *colon = memchr(line->p, ':', line->l), *slash;
	struct pl name, val, head, params;

	if (!colon)
		return;

	name = pl_between(line->p, colon);
	val = pl_between(colon + 1, line->p + line->l);
	trim(&name);
	trim(&val);
	split(&head, &params, &val);

	if (!pl_strcasecmp(&name, "Content-Type")) {
		slash = memchr(head.p, '/', head.l);
		if (!slash)
			return;
		part->type = pl_between(head.p, slash);
		part->subtype = pl_between(slash + 1, head.p + head.l);
		part->params = params;
		trim(&part->type);
		trim(&part->subtype);
	}
	else if (!pl_strcasecmp(&name, "Content-Disposition")) {
		part->disposition = head;
		(void)param_find(&params, "handling", &part->handling);
	}
	else if (!pl_strcasecmp(&name, "Content-Transfer-Encoding")) {
		if (part->coding == CODED)
			return;
		part->coding = !pl_strcasecmp(&head, "base64") ? BASE64 :
			!pl_strcasecmp(&head, "quoted-printable") ? QUOTED :
			pl_strcasecmp(&head, "7bit") &&
			pl_strcasecmp(&head, "8bit") &&
			pl_strcasecmp(&head, "binary") ? CODED : PLAIN;
	}
	else if (!pl_strcasecmp(&name, "Content-Encoding")) {
		if (pl_strcasecmp(&head, "identity"))
			part->coding = CODED;
	}
}


/* Headers, an empty line, the body. A header may go on in the next line. */
static void part_read(struct part *part, const struct pl *text)
{
	struct pl rest = *text, line, whole = PL_INIT;

	memset(part, 0, sizeof(*part));

	while (line_next(&line, &rest)) {
		if (line.l && (*line.p == ' ' || *line.p == '\t')) {
			if (whole.p)
				whole.l = (size_t)(line.p + line.l - whole.p);
			continue;
		}
		if (whole.p)
			part_header(part, &whole);
		whole = line;
		if (!line.l)
			break;
	}
	if (whole.p && whole.l)
		part_header(part, &whole);

	part->body = rest;
}


/* @return false: there is none that could be one */
static bool boundary_of(struct pl *boundary, const struct pl *params)
{
	if (!param_find(params, "boundary", boundary))
		return false;

	if (boundary->l >= 2 && *boundary->p == '"' &&
	    boundary->p[boundary->l - 1] == '"') {
		++boundary->p;
		boundary->l -= 2;
	}

	return boundary->l && boundary->l <= BOUNDARY_MAX;
}


static bool part_is(const struct part *part, const char *type,
		    const char *subtype)
{
	return !pl_strcasecmp(&part->type, type) &&
		!pl_strcasecmp(&part->subtype, subtype);
}


/*
 * @return 0 found, ENOENT, ENOTSUP: a part that must be understood (RFC 5621
 * 3.2.1: it says so) is not. What says nothing is taken to be for somebody
 * else, though the RFC means it to be required: gateways leave it out.
 */
static int sdp_find(struct part *found, const struct pl *text,
		    const struct pl *params, unsigned depth)
{
	struct pl rest = *text, line, boundary, body = PL_INIT;
	bool inside = false, last = false, have = false;
	unsigned n = 0;

	if (depth >= NEST_MAX || !boundary_of(&boundary, params))
		return ENOENT;

	while (!last && line_next(&line, &rest)) {
		struct part part;
		int err = ENOENT;

		if (!is_delimiter(&line, &boundary, &last))
			continue;

		if (inside) {
			/* the line's end before it belongs to the delimiter */
			body.l = (size_t)(line.p - body.p);
			if (body.l && body.p[body.l - 1] == '\n')
				--body.l;
			if (body.l && body.p[body.l - 1] == '\r')
				--body.l;

			if (++n > PARTS_MAX)
				return ENOENT;

			part_read(&part, &body);
			if (!pl_strcasecmp(&part.type, "multipart"))
				err = sdp_find(&part, &part.body,
					       &part.params, depth + 1);
			else if (part_is(&part, "application", "sdp") &&
				 part.coding != CODED &&
				 (!pl_isset(&part.disposition) ||
				  !pl_strcasecmp(&part.disposition,
						 "session")))
				err = 0;
			else if (!pl_strcasecmp(&part.handling, "required"))
				err = ENOTSUP;

			if (err == ENOTSUP)
				return err;
			if (!err && !have) {
				*found = part;
				have = true;
			}
		}

		inside = !last;
		body = rest;
	}

	return have ? 0 : ENOENT;
}


static int sextet(char c)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c ? strchr(letters, c) : NULL;

	return p ? (int)(p - letters) : -1;
}


/* In place: it only becomes shorter. @return false: that is no base64 */
static bool base64_undo(char *p, size_t *len)
{
	size_t n = 0, got = 0, pads = 0;
	uint32_t word = 0;

	for (size_t i = 0; i < *len; i++) {
		const int v = sextet(p[i]);

		if (is_space(p[i]))
			continue;
		if (p[i] == '=')
			++pads;
		else if (v < 0 || pads)
			return false;
		word = word << 6 | (uint32_t)(v < 0 ? 0 : v);

		if (++got % 4)
			continue;
		for (unsigned k = 0; k < 3 - (pads < 3 ? pads : 3); k++)
			p[n++] = (char)(word >> (16 - 8 * k));
		word = 0;
	}

	*len = n;

	return got % 4 == 0 && pads < 3;
}


static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' :
		c >= 'A' && c <= 'F' ? c - 'A' + 10 :
		c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


/* "=3D", and "=" at the end of a line that goes on (RFC 2045 6.7) */
static bool quoted_undo(char *p, size_t *len)
{
	size_t n = 0;

	for (size_t i = 0; i < *len; i++) {
		size_t k = i + 1;

		if (p[i] != '=') {
			p[n++] = p[i];
			continue;
		}
		if (i + 2 < *len && hex(p[i + 1]) >= 0 &&
		    hex(p[i + 2]) >= 0) {
			p[n++] = (char)(hex(p[i + 1]) << 4 | hex(p[i + 2]));
			i += 2;
			continue;
		}
		while (k < *len && (p[k] == ' ' || p[k] == '\t' ||
				    p[k] == '\r'))
			++k;
		if (k < *len && p[k] != '\n')
			return false;
		i = k;
	}

	*len = n;

	return true;
}


int multipart_sdp(struct msg_ctype *ctyp, struct mbuf *mb)
{
	const struct pl text = {(const char *)mbuf_buf(mb),
				mbuf_get_left(mb)};
	struct pl params = ctyp->params;
	struct part part = { .body = {NULL, 0} };
	int err;

	if (!text.l || pl_strcasecmp(&ctyp->type, "multipart"))
		return ENOENT;

	trim(&params);           /* libre leaves the space in front */
	err = sdp_find(&part, &text, &params, 0);
	if (err)
		return err;

	if ((part.coding == BASE64 &&
	     !base64_undo((char *)part.body.p, &part.body.l)) ||
	    (part.coding == QUOTED &&
	     !quoted_undo((char *)part.body.p, &part.body.l)))
		return ENOENT;

	mb->pos = (size_t)((const uint8_t *)part.body.p - mb->buf);
	mb->end = mb->pos + part.body.l;
	ctyp->type = part.type;
	ctyp->subtype = part.subtype;
	ctyp->params = part.params;

	return 0;
}
