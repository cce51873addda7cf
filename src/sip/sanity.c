/**
 * @file sip/sanity.c  The gate for what comes in
 *
 * Main thread, no state.  First of all that look at a request, and at a
 * response that no transaction took: what libre's decoder let through although
 * RFC 3261 does not allow it is refused (requests) or dropped (responses)
 * before anybody relies on it.  One pass over the headers; numbers are read
 * anew, because libre's wrap, and names are compared, because libre's table is
 * a hash.
 *
 * Never answer an ACK; never answer to where a Via only claims to be.
 */
#include "priv.h"


enum {
	CSEQ_MAX = 0x7fffffff,
	BODY_MAX = 65536,
};

/* Headers that may be there once */
struct census {
	const struct sip_hdr *from, *to, *callid, *cseq;
	const struct sip_hdr *maxfwd, *clen, *ctype;
	unsigned via;
	const char *flaw;
	bool frame;                 /* the flaw: where the message ends    */
};


static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}


static bool is_lws(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


static void count(struct census *c, const struct sip_hdr **slot,
		  const struct sip_hdr *hdr, const char *name, char compact)
{
	if (!header_is(hdr, name, compact)) {
		c->flaw = "Header Name Not Understood";
		c->frame = slot == &c->clen;
	}
	else if (slot && *slot) {
		c->flaw = "Repeated Header";
		c->frame = slot == &c->clen;
	}
	else if (slot)
		*slot = hdr;
}


static void census_take(struct census *c, const struct sip_msg *msg)
{
	struct le *le;

	memset(c, 0, sizeof(*c));

	for (le = list_head(&msg->hdrl); le && !c->frame; le = le->next) {
		const struct sip_hdr *h = le->data;

		switch (h->id) {

		case SIP_HDR_VIA:
			++c->via;
			count(c, NULL, h, "Via", 'v');
			break;

		case SIP_HDR_FROM:
			count(c, &c->from, h, "From", 'f');
			break;

		case SIP_HDR_TO:
			count(c, &c->to, h, "To", 't');
			break;

		case SIP_HDR_CALL_ID:
			count(c, &c->callid, h, "Call-ID", 'i');
			break;

		case SIP_HDR_CSEQ:
			count(c, &c->cseq, h, "CSeq", 0);
			break;

		case SIP_HDR_MAX_FORWARDS:
			count(c, &c->maxfwd, h, "Max-Forwards", 0);
			break;

		case SIP_HDR_CONTENT_LENGTH:
			count(c, &c->clen, h, "Content-Length", 'l');
			break;

		case SIP_HDR_CONTENT_TYPE:
			count(c, &c->ctype, h, "Content-Type", 'c');
			break;

		/* libre repeats it in replies, whatever its name */
		case SIP_HDR_RECORD_ROUTE:
			count(c, NULL, h, "Record-Route", 0);
			break;

		default:
			break;
		}
	}
}


/* On UDP the length may be missing, and what is too long is cut */
static const char *body_check(struct census *c, const struct sip_msg *msg)
{
	const struct sip_hdr *h = c->clen;
	uint32_t len;

	if (!h)
		return NULL;

	if (text_u32(&len, h->val.p, h->val.l, BODY_MAX) ||
	    len > mbuf_get_left(msg->mb)) {
		c->frame = true;
		return "Bad Content-Length";
	}

	msg->mb->end = msg->mb->pos + len;

	return NULL;
}


static bool cseq_ok(const struct sip_msg *msg, const struct pl *val)
{
	const char *p = val->p, *end = p + val->l, *q = p;
	const struct pl *met = msg->req ? &msg->met : &msg->cseq.met;
	uint32_t num;

	while (q < end && is_digit(*q))
		++q;
	if (q == end || !is_lws(*q) ||
	    text_u32(&num, p, (size_t)(q - p), CSEQ_MAX))
		return false;

	while (q < end && is_lws(*q))
		++q;

	/* methods know upper and lower case */
	return met->l && (size_t)(end - q) == met->l &&
		!memcmp(q, met->p, met->l);
}


static bool addr_ok(const struct pl *val)
{
	struct addr_parts a;
	struct suri u;

	return !addr_parse(&a, val) && !suri_parse(&u, &a.uri);
}


static bool callid_ok(const struct pl *val)
{
	size_t i;

	for (i = 0; i < val->l; i++) {
		if ((uint8_t)val->p[i] <= ' ' || val->p[i] == 0x7f)
			return false;
	}

	return val->l > 0;
}


static bool sentby_ok(const struct pl *sentby)
{
	const char *p = sentby->p, *end = p + sentby->l, *colon;
	uint32_t port;

	if (p < end && *p == '[') {
		p = memchr(p, ']', sentby->l);
		if (!p)
			return false;
	}

	colon = memchr(p, ':', (size_t)(end - p));
	if (!colon)
		return true;

	++colon;
	while (colon < end && is_lws(*colon))
		++colon;

	return !text_u32(&port, colon, (size_t)(end - colon), 65535) && port;
}


/* What every message must have. @return what is wrong, NULL: nothing */
static const char *common_check(struct census *c, const struct sip_msg *msg)
{
	const char *flaw;

	census_take(c, msg);

	if (c->frame)
		return c->flaw;

	flaw = body_check(c, msg);
	if (flaw)
		return flaw;
	if (c->flaw)
		return c->flaw;

	if (!c->via || !msg->via.sentby.l)
		return "Missing Via";
	if (!c->from)
		return "Missing From";
	if (!c->to)
		return "Missing To";
	if (!c->callid)
		return "Missing Call-ID";
	if (!c->cseq)
		return "Missing CSeq";

	if (!sentby_ok(&msg->via.sentby))
		return "Bad Via";
	if (!addr_ok(&c->from->val))
		return "Bad From";
	if (!addr_ok(&c->to->val))
		return "Bad To";
	if (!callid_ok(&c->callid->val))
		return "Bad Call-ID";
	if (!cseq_ok(msg, &c->cseq->val))
		return "Bad CSeq";

	return NULL;
}


struct contacts {
	unsigned n;
	bool bad;
};


static bool contact_h(const struct pl *val, void *arg)
{
	struct contacts *c = arg;
	struct addr_parts a;
	struct suri u;

	c->bad |= addr_parse(&a, val) || suri_parse(&u, &a.uri) || !u.sip;

	return ++c->n > 1;
}


static const char *invite_check(const struct sip_msg *msg)
{
	struct contacts c = {0};

	(void)header_values(msg, "Contact", 'm', contact_h, &c);

	if (c.n > 1)
		return "Several Contacts";
	if (c.bad)
		return "Bad Contact";

	/* inside a dialog the target we know stays */
	return c.n || pl_isset(&msg->to.tag) ? NULL : "Missing Contact";
}


static const char *request_check(struct census *c, const struct sip_msg *msg)
{
	const char *flaw = common_check(c, msg);
	uint32_t n;

	if (flaw)
		return flaw;

	if (c->maxfwd && text_u32(&n, c->maxfwd->val.p, c->maxfwd->val.l,
				  255))
		return "Bad Max-Forwards";

	if (mbuf_get_left(msg->mb) && !c->ctype)
		return "Missing Content-Type";

	if (!pl_strcmp(&msg->met, "INVITE"))
		return invite_check(msg);

	return NULL;
}


/* @return 0, or the status to refuse with */
static uint16_t ruri_check(const struct sip_msg *msg, const char **reason)
{
	struct suri u;

	*reason = NULL;

	if (suri_parse(&u, &msg->ruri)) {
		*reason = "Bad Request-URI";
		return 400;
	}

	if (!u.sip)
		return 416;

	/* somebody on the way has not kept to it (RFC 5630) */
	if (u.sips && msg->tp != SIP_TRANSP_TLS) {
		*reason = "SIPS Is For TLS Only";
		return 480;
	}

	if (u.headers.l) {
		*reason = "Headers in Request-URI";
		return 400;
	}

	return 0;
}


/* Is that in it anywhere, quoted or not? word: in small letters */
static bool mentions(const struct pl *text, const char *word)
{
	const size_t n = strlen(word);
	size_t i;

	for (i = 0; i + n <= text->l; i++) {
		if ((text->p[i] | 0x20) == *word &&
		    text_caseeq(text->p + i, n, word))
			return true;
	}

	return false;
}


/*
 * A maddr in Via tells where to send the reply: to anybody.  It is let pass
 * when it names the sender.  Else it is taken out of libre's sight, so that
 * the refusal goes back where the request came from.
 */
static bool maddr_ok(const struct sip_msg *msg)
{
	struct pl *params = (struct pl *)&msg->via.params;
	struct pl val, before, after;
	const char *p, *end;
	struct sa sa;

	if (!mentions(params, "maddr"))
		return true;

	if (!param_find(params, "maddr", &val)) {

		/* libre minds no quotes and would find one inside them */
		if (msg_param_decode(params, "maddr", &val))
			return true;

		params->l = 0;
		return false;
	}

	if (!sa_set(&sa, &val, 0) && sa_cmp(&sa, &msg->src, SA_ADDR)) {

		if (!msg_param_decode(params, "maddr", &after) &&
		    !pl_cmp(&after, &val))
			return true;
	}

	/* keep the side that has rport */
	end = params->p + params->l;
	p = val.p ? val.p : params->p;
	while (p > params->p && *p != ';')
		--p;
	before = (struct pl){.p = params->p, .l = (size_t)(p - params->p)};

	p = val.p ? val.p + val.l : end;
	after = (struct pl){.p = p, .l = (size_t)(end - p)};

	*params = param_find(&before, "rport", NULL) ||
		param_find(&after, "maddr", NULL) ? before : after;

	/* a second one: no side is safe */
	if (param_find(params, "maddr", NULL) ||
	    !msg_param_decode(params, "maddr", &val))
		params->l = 0;

	return false;
}


bool sanity_request(const struct sip_msg *msg, void *arg)
{
	struct leg *l = arg;
	const char *flaw, *reason;
	struct census c;
	char warn[80] = "";
	uint16_t code;
	bool safe;

	safe = maddr_ok(msg);
	flaw = request_check(&c, msg);
	if (!flaw && !safe)
		flaw = "Via Leads Elsewhere";

	if (flaw) {
		code = 400;
		reason = flaw;
	}
	else {
		code = ruri_check(msg, &reason);
		if (!code)
			return false;
	}

	/* without a Via nobody says where a reply should go */
	if (!pl_strcmp(&msg->met, "ACK") || !pl_isset(&msg->via.sentby)) {
		++l->stack->stats.discarded;
	}
	else {
		++l->stack->stats.refused;
		if (code == 480)
			(void)sip_warning(warn, sizeof(warn), 380,
					  "SIPS Not Allowed");
		(void)stack_reply(l, msg, code, reason, warn);
	}

	return true;
}


/* The status as it stands there: libre's number may have wrapped */
static bool status_ok(const struct sip_msg *msg)
{
	const char *p = msg->ver.p + msg->ver.l + 1;

	return !pl_strcmp(&msg->ver, "SIP/2.0") &&
		p + 3 < (const char *)msg->mb->buf + msg->mb->end &&
		*p >= '1' && *p <= '6' && is_digit(p[1]) && is_digit(p[2]) &&
		is_lws(p[3]);
}


bool sanity_response_ok(const struct sip_msg *msg)
{
	struct census c;

	if (msg->req || !status_ok(msg))
		return false;

	if (common_check(&c, msg))
		return false;

	/* more than ours: it was meant for somebody else */
	return c.via == 1;
}


bool sanity_response(const struct sip_msg *msg, void *arg)
{
	struct leg *l = arg;

	if (sanity_response_ok(msg) &&
	    sa_cmp(&msg->via.addr, leg_laddr(l, msg->tp), SA_ALL))
		return false;

	++l->stack->stats.discarded;

	return true;
}
