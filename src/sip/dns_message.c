/**
 * @file sip/dns_message.c  A DNS question and its answer as bytes, RFC 1035
 *
 * Pure functions, any thread.  What is read comes from whoever answers on
 * port 53: every length is checked, a compressed name cannot run in circles,
 * and a record whose content is odd is left out, not guessed at.
 */
#include <netinet/in.h>
#include "locate.h"


enum {
	HEADER      = 12,
	LABEL_MAX   = 63,
	NAME_TEXT   = 253,          /* longest name in text                  */
	CLASS_IN    = 1,
	TYPE_SOA    = 6,
	TYPE_OPT    = 41,
	EDNS_SIZE   = 1232,         /* fits every path without fragments     */
	RECS_READ   = 256,          /* records looked at in one answer       */
	TTL_MAX_S   = 86400,
	NEGATIVE_S  = 60,           /* an absence is not believed for longer */
	NEGATIVE_DEF_S = 10,        /* when it does not say                  */
};

static const struct {
	const char *text;
	uint16_t code;
} types[] = {
	[NAME_HOST]  = {"host", 0},
	[NAME_A]     = {"A", 1},
	[NAME_AAAA]  = {"AAAA", 28},
	[NAME_SRV]   = {"SRV", 33},
	[NAME_NAPTR] = {"NAPTR", 35},
};

/* What is left to read; pos > len never */
struct bytes {
	const uint8_t *p;
	size_t len, pos;
	bool bad;
};


const char *name_type_text(enum name_type type)
{
	return types[type].text;
}


int name_answer_alloc(struct name_answer **ap, enum name_type type)
{
	struct name_answer *a;

	a = mem_zalloc(sizeof(*a) + NAME_RECS_MAX * sizeof(a->v[0]), NULL);
	if (!a)
		return ENOMEM;

	a->type = type;
	a->room = NAME_RECS_MAX;
	*ap = a;

	return 0;
}


struct name_rec *name_answer_add(struct name_answer *a)
{
	if (a->n == a->room) {
		++a->more;
		return NULL;
	}

	memset(&a->v[a->n], 0, sizeof(a->v[0]));

	return &a->v[a->n++];
}


static bool label_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9') || c == '-' || c == '_';
}


bool name_ok(const char *name)
{
	size_t len = strlen(name), label = 0, i;

	if (len && name[len - 1] == '.')
		--len;
	if (!len || len > NAME_TEXT)
		return false;

	for (i = 0; i < len; i++) {

		if (name[i] == '.') {
			if (!label)
				return false;
			label = 0;
		}
		else if (!label_char(name[i]) || ++label > LABEL_MAX) {
			return false;
		}
	}

	return label > 0;
}


/* Write ------------------------------------------------------------------- */

static uint8_t *put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;

	return p + 2;
}


static uint8_t *put_name(uint8_t *p, const char *name)
{
	while (*name) {
		const size_t n = strcspn(name, ".");

		*p++ = (uint8_t)n;
		memcpy(p, name, n);
		p += n;
		name += n + (name[n] == '.');
	}

	*p++ = 0;

	return p;
}


size_t name_question_write(uint8_t buf[DNS_QUERY_MAX], uint16_t id,
			   enum name_type type, const char *name, bool edns)
{
	uint8_t *p = buf;

	if (!name_ok(name) || !types[type].code)
		return 0;

	p = put16(p, id);
	p = put16(p, 0x0100);               /* recursion desired */
	p = put16(p, 1);
	p = put16(p, 0);
	p = put16(p, 0);
	p = put16(p, edns ? 1 : 0);

	p = put_name(p, name);
	p = put16(p, types[type].code);
	p = put16(p, CLASS_IN);

	if (edns) {
		*p++ = 0;
		p = put16(p, TYPE_OPT);
		p = put16(p, EDNS_SIZE);
		p = put16(p, 0);
		p = put16(p, 0);
		p = put16(p, 0);
	}

	return (size_t)(p - buf);
}


/* Read -------------------------------------------------------------------- */

static uint16_t get16(struct bytes *b)
{
	const uint8_t *p = b->p + b->pos;

	if (b->bad || b->len - b->pos < 2) {
		b->bad = true;
		return 0;
	}

	b->pos += 2;

	return (uint16_t)(p[0] << 8 | p[1]);
}


static uint32_t get32(struct bytes *b)
{
	const uint32_t high = get16(b);

	return high << 16 | get16(b);
}


/*
 * A name in text, without the last dot; the root is "". Bytes that no host
 * name has become '?', so such a name is never name_ok().  A pointer must
 * point backwards of where this name began to be read, each further back:
 * no circles.
 */
static void get_name(struct bytes *b, char text[NAME_LEN])
{
	size_t pos = b->pos, bound = b->pos, n = 0;
	bool jumped = false;

	text[0] = '\0';

	while (!b->bad) {
		size_t len, i;

		if (pos >= b->len)
			goto bad;

		len = b->p[pos];

		if ((len & 0xc0) == 0xc0) {

			if (b->len - pos < 2)
				goto bad;
			if (!jumped)
				b->pos = pos + 2;
			jumped = true;

			pos = (len & 0x3f) << 8 | b->p[pos + 1];
			if (pos >= bound)
				goto bad;
			bound = pos;
			continue;
		}

		++pos;
		if (!len)
			break;
		if (len > LABEL_MAX || b->len - pos < len ||
		    n + len + 1 > NAME_TEXT + 1)
			goto bad;

		if (n)
			text[n++] = '.';
		for (i = 0; i < len; i++) {
			const char c = (char)b->p[pos + i];

			text[n++] = label_char(c) ? c : '?';
		}
		text[n] = '\0';
		pos += len;
	}

	if (!jumped)
		b->pos = pos;

	return;

 bad:
	b->bad = true;
}


/* A character string of printable ASCII. @return false: it is something else,
 *  or too long for dst */
static bool get_string(struct bytes *b, char *dst, size_t sz)
{
	size_t len, i;
	bool ok;

	*dst = '\0';
	if (b->bad || b->pos >= b->len) {
		b->bad = true;
		return false;
	}

	len = b->p[b->pos++];
	if (b->len - b->pos < len) {
		b->bad = true;
		return false;
	}

	ok = len < sz;
	for (i = 0; i < len; i++) {
		const uint8_t c = b->p[b->pos + i];

		ok = ok && c >= ' ' && c < 0x7f;
	}

	if (ok) {
		memcpy(dst, b->p + b->pos, len);
		dst[len] = '\0';
	}
	b->pos += len;

	return ok;
}


/* The content of a record, up to b->len. @return false: leave it out */
static bool get_data(struct bytes *b, enum name_type type,
		     struct name_rec *rec)
{
	struct name_naptr *na = &rec->u.naptr;
	struct name_srv *srv = &rec->u.srv;
	const size_t left = b->len - b->pos;
	bool ok = true;

	switch (type) {

	case NAME_A:
		if (left != 4)
			return false;
		sa_set_in(&rec->u.addr, get32(b), 0);
		return true;

	case NAME_AAAA:
		if (left != 16)
			return false;
		sa_set_in6(&rec->u.addr, b->p + b->pos, 0);
		return true;

	case NAME_SRV:
		srv->priority = get16(b);
		srv->weight = get16(b);
		srv->port = get16(b);
		get_name(b, srv->target);
		return !b->bad && (!*srv->target || (name_ok(srv->target) &&
						     srv->port));

	case NAME_NAPTR:
		na->order = get16(b);
		na->pref = get16(b);
		ok = get_string(b, na->flags, sizeof(na->flags)) && ok;
		ok = get_string(b, na->service, sizeof(na->service)) && ok;
		ok = get_string(b, na->regexp, sizeof(na->regexp)) && ok;
		get_name(b, na->replace);
		return ok && !b->bad && (!*na->replace ||
					 name_ok(na->replace));

	default:
		return false;
	}
}


struct rr {
	uint16_t type, class;
	uint32_t ttl_s;
	size_t data, end;           /* where its content is                  */
};


static bool get_rr(struct bytes *b, struct rr *rr)
{
	char owner[NAME_LEN];
	size_t len;

	get_name(b, owner);
	rr->type = get16(b);
	rr->class = get16(b);
	rr->ttl_s = get32(b);
	len = get16(b);

	if (b->bad || b->len - b->pos < len)
		return false;

	/* RFC 2181 8: a TTL with the top bit is none */
	if (rr->ttl_s > INT32_MAX)
		rr->ttl_s = 0;
	if (rr->ttl_s > TTL_MAX_S)
		rr->ttl_s = TTL_MAX_S;

	rr->data = b->pos;
	rr->end = b->pos + len;
	b->pos = rr->end;

	return true;
}


/* Records of the wanted type; the CNAMEs that lead there count for the TTL */
static bool answers_read(struct name_answer *a, struct bytes *b,
			 unsigned count)
{
	unsigned i;

	a->ttl_s = TTL_MAX_S;

	for (i = 0; i < count; i++) {
		struct name_rec rec;
		struct bytes data;
		struct rr rr;

		if (!get_rr(b, &rr))
			return false;

		if (rr.class != CLASS_IN || i >= RECS_READ)
			continue;

		if (rr.ttl_s < a->ttl_s)
			a->ttl_s = rr.ttl_s;

		if (rr.type != types[a->type].code)
			continue;

		memset(&rec, 0, sizeof(rec));
		rec.ttl_s = rr.ttl_s;

		data = *b;
		data.pos = rr.data;
		data.len = rr.end;

		if (get_data(&data, a->type, &rec)) {
			struct name_rec *new = name_answer_add(a);

			if (new)
				*new = rec;
		}
	}

	return true;
}


/* RFC 2308: the SOA says for how long nothing is there */
static void absence_read(struct name_answer *a, struct bytes *b,
			 unsigned count)
{
	struct rr rr;
	unsigned i;

	a->ttl_s = NEGATIVE_DEF_S;

	for (i = 0; i < count && i < RECS_READ && get_rr(b, &rr); i++) {
		struct bytes data;
		uint32_t min_s;

		if (rr.type != TYPE_SOA || rr.end - rr.data < 4)
			continue;

		data = *b;
		data.len = rr.end;
		data.pos = rr.end - 4;
		min_s = get32(&data);

		a->ttl_s = min_s < rr.ttl_s ? min_s : rr.ttl_s;
		if (a->ttl_s > NEGATIVE_S)
			a->ttl_s = NEGATIVE_S;
		return;
	}
}


static enum name_verdict refused(struct name_answer *a, unsigned rcode,
				 bool edns)
{
	static const char *const texts[] = {
		[1] = "format error", [2] = "server failure",
		[4] = "no such service", [5] = "refused",
	};

	if (rcode < COUNTOF(texts) && texts[rcode])
		(void)snprintf(a->why, sizeof(a->why), "%s", texts[rcode]);
	else
		(void)snprintf(a->why, sizeof(a->why), "error %u", rcode);

	a->state = NAME_FAILED;

	return edns ? NAME_V_NO_EDNS : NAME_V_NEXT;
}


enum name_verdict name_answer_read(struct name_answer *a, const uint8_t *buf,
				   size_t len, uint16_t id, const char *name)
{
	struct bytes b = {.p = buf, .len = len};
	unsigned ancount, nscount, rcode;
	char asked[NAME_LEN];
	uint16_t flags;
	size_t n = strlen(name);

	if (get16(&b) != id || b.bad)
		return NAME_V_STRANGE;

	flags = get16(&b);
	rcode = flags & 0xf;

	/* an answer to a plain query with one question, ours */
	if ((flags & 0xf800) != 0x8000 || get16(&b) != 1) {
		if (!b.bad && (flags & 0xf800) == 0x8000 && rcode == 1)
			return refused(a, rcode, true);
		return NAME_V_STRANGE;
	}

	ancount = get16(&b);
	nscount = get16(&b);
	(void)get16(&b);
	get_name(&b, asked);

	if (n && name[n - 1] == '.')
		--n;
	if (b.bad || !text_caseeq(name, n, asked) ||
	    get16(&b) != types[a->type].code || get16(&b) != CLASS_IN ||
	    b.bad)
		return NAME_V_STRANGE;

	if (rcode == 1 || rcode == 4)
		return refused(a, rcode, true);
	if (rcode && rcode != 3)
		return refused(a, rcode, false);
	if (flags & 0x0200)
		return NAME_V_CUT;

	if (!answers_read(a, &b, ancount)) {
		(void)snprintf(a->why, sizeof(a->why), "malformed answer");
		a->state = NAME_FAILED;
		a->n = 0;
		return NAME_V_NEXT;
	}

	if (a->n) {
		a->state = NAME_FOUND;
	}
	else {
		a->state = rcode == 3 ? NAME_ABSENT : NAME_EMPTY;
		absence_read(a, &b, nscount);
	}

	return NAME_V_DONE;
}
