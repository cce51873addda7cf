/**
 * @file sip/message.c  A message that is written plainly, decoded at once
 *
 * Main thread, no state.  libre's decoder takes every form that the grammar
 * has, with a search for each piece of each header, and most of the work of a
 * call was in it.  Nearly all messages are written in one form, though: no
 * folded lines, no quotes where none are needed, one blank where there may be
 * many.  Those are read here, each byte once or twice, into the very struct
 * that libre would have made; what is written in any other way, or is wrong,
 * is libre's as before.  So there is one meaning of a message, libre's: a
 * test and a fuzzer hold both beside each other.
 */
#include "priv.h"
#include "message.h"
#include "message_value.h"
#include "offhook/random.h"


enum {
	HEADERS_MAX  = 256,      /* more is not what is written plainly     */
	HASH_BUCKETS = 32,
};

/* the message first: who has it frees it with mem_deref */
struct message {
	struct sip_msg m;
	struct sip_hdr hdr[];
};


/* libre's number of a header: of a short name its long one's, else a hash;
 * none of what is private */
static enum sip_hdrid header_id(const char *p, size_t n)
{
	static const enum sip_hdrid brief['z' - 'a' + 1] = {
		['a' - 'a'] = SIP_HDR_ACCEPT_CONTACT,
		['b' - 'a'] = SIP_HDR_REFERRED_BY,
		['c' - 'a'] = SIP_HDR_CONTENT_TYPE,
		['d' - 'a'] = SIP_HDR_REQUEST_DISPOSITION,
		['e' - 'a'] = SIP_HDR_CONTENT_ENCODING,
		['f' - 'a'] = SIP_HDR_FROM,
		['i' - 'a'] = SIP_HDR_CALL_ID,
		['j' - 'a'] = SIP_HDR_REJECT_CONTACT,
		['k' - 'a'] = SIP_HDR_SUPPORTED,
		['l' - 'a'] = SIP_HDR_CONTENT_LENGTH,
		['m' - 'a'] = SIP_HDR_CONTACT,
		['n' - 'a'] = SIP_HDR_IDENTITY_INFO,
		['o' - 'a'] = SIP_HDR_EVENT,
		['r' - 'a'] = SIP_HDR_REFER_TO,
		['s' - 'a'] = SIP_HDR_SUBJECT,
		['t' - 'a'] = SIP_HDR_TO,
		['u' - 'a'] = SIP_HDR_ALLOW_EVENTS,
		['v' - 'a'] = SIP_HDR_VIA,
		['x' - 'a'] = SIP_HDR_SESSION_EXPIRES,
		['y' - 'a'] = SIP_HDR_IDENTITY,
	};
	uint32_t hash = 0;
	size_t i;

	if (n == 1)
		return is(*p, ALPHA) && brief[(*p | 0x20) - 'a'] ?
			brief[(*p | 0x20) - 'a'] : SIP_HDR_NONE;
	if ((*p | 0x20) == 'x' && p[1] == '-')
		return SIP_HDR_NONE;

	/* Jenkins' one at a time, of small letters */
	for (i = 0; i < n; i++) {
		hash += (uint8_t)(is(p[i], ALPHA) ? p[i] | 0x20 : p[i]);
		hash += hash << 10;
		hash ^= hash >> 6;
	}
	hash += hash << 3;
	hash ^= hash >> 11;
	hash += hash << 15;

	return (enum sip_hdrid)(hash & 0xfff);
}


/* Those whose values libre splits at commas */
static bool is_list(enum sip_hdrid id)
{
	switch (id) {

	case SIP_HDR_ACCEPT:
	case SIP_HDR_ACCEPT_CONTACT:
	case SIP_HDR_ACCEPT_ENCODING:
	case SIP_HDR_ACCEPT_LANGUAGE:
	case SIP_HDR_ACCEPT_RESOURCE_PRIORITY:
	case SIP_HDR_ALERT_INFO:
	case SIP_HDR_ALLOW:
	case SIP_HDR_ALLOW_EVENTS:
	case SIP_HDR_AUTHENTICATION_INFO:
	case SIP_HDR_CALL_INFO:
	case SIP_HDR_CONTACT:
	case SIP_HDR_CONTENT_ENCODING:
	case SIP_HDR_CONTENT_LANGUAGE:
	case SIP_HDR_ERROR_INFO:
	case SIP_HDR_HISTORY_INFO:
	case SIP_HDR_IN_REPLY_TO:
	case SIP_HDR_P_ASSERTED_IDENTITY:
	case SIP_HDR_P_ASSOCIATED_URI:
	case SIP_HDR_P_EARLY_MEDIA:
	case SIP_HDR_P_MEDIA_AUTHORIZATION:
	case SIP_HDR_P_PREFERRED_IDENTITY:
	case SIP_HDR_P_REFUSED_URI_LIST:
	case SIP_HDR_P_VISITED_NETWORK_ID:
	case SIP_HDR_PATH:
	case SIP_HDR_PERMISSION_MISSING:
	case SIP_HDR_PROXY_REQUIRE:
	case SIP_HDR_REASON:
	case SIP_HDR_RECORD_ROUTE:
	case SIP_HDR_REJECT_CONTACT:
	case SIP_HDR_REQUEST_DISPOSITION:
	case SIP_HDR_REQUIRE:
	case SIP_HDR_RESOURCE_PRIORITY:
	case SIP_HDR_ROUTE:
	case SIP_HDR_SECURITY_CLIENT:
	case SIP_HDR_SECURITY_SERVER:
	case SIP_HDR_SECURITY_VERIFY:
	case SIP_HDR_SERVICE_ROUTE:
	case SIP_HDR_SUPPORTED:
	case SIP_HDR_TRIGGER_CONSENT:
	case SIP_HDR_UNSUPPORTED:
	case SIP_HDR_VIA:
	case SIP_HDR_WARNING:
		return true;

	default:
		return false;
	}
}


/* The first line. @return false: not plain */
static bool start(struct sip_msg *m, const char *p, const char *end)
{
	const char *q = memchr(p, ' ', (size_t)(end - p)), *r;

	r = q ? memchr(q + 1, ' ', (size_t)(end - q - 1)) : NULL;
	if (!r || q == p || r == q + 1)
		return false;

	if (end - r == 8 && !memcmp(r, " SIP/2.0", 8)) {
		m->req = true;
		piece(&m->met, p, q);
		piece(&m->ruri, q + 1, r);
		piece(&m->ver, r + 1, end);

		return span(p, q, TOKEN) == q && value_uri(&m->uri, q + 1, r);
	}

	if (q - p != 7 || memcmp(p, "SIP/2.0", 7) || r - q != 4 ||
	    q[1] == '0' || span(q + 1, r, DIGIT) != r)
		return false;

	piece(&m->ver, p, q);
	m->scode = (uint16_t)number(q + 1, r);
	piece(&m->reason, r + 1, end);

	return true;
}


/* How many headers there can be, at most. @return 0: not plain, or not all
 *  is there */
static size_t count(const char *p, const char *end, const char **body)
{
	size_t n = 0;

	for (;;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p)), *c;
		size_t commas = 0;

		/* each line is ended by both, and is not folded */
		if (!nl || nl == p || nl[-1] != '\r' ||
		    memchr(p, '\r', (size_t)(nl - p - 1)))
			return 0;

		if (nl - p == 1) {
			*body = nl + 1;
			return n;
		}

		if (*p == ' ' || *p == '\t')
			return 0;

		for (c = p; (c = memchr(c, ',', (size_t)(nl - c))); c++)
			++commas;

		n += commas ? commas + 2 : 1;
		if (n > HEADERS_MAX)
			return 0;
		p = nl + 1;
	}
}


struct filling {
	struct sip_msg *m;
	struct sip_hdr *next;
	struct pl name;
	enum sip_hdrid id;
};


/* whole: it is a line; single: it is a value, which is looked up */
static bool put(struct filling *f, const char *p, const char *end,
		bool single, bool whole)
{
	struct sip_hdr *h = f->next++;

	/* each value of these is in the list, not their line */
	if (f->id == SIP_HDR_VIA || f->id == SIP_HDR_ROUTE)
		whole = single;

	memset(h, 0, sizeof(*h));
	h->name = f->name;
	h->id = f->id;
	piece(&h->val, p, end);

	if (single)
		hash_append(f->m->hdrht, (uint32_t)f->id, &h->he, h);
	if (whole)
		list_append(&f->m->hdrl, &h->le, h);

	return value_keep(f->m, f->id, &h->val);
}


static const char *blanks_back(const char *p, const char *end)
{
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		--end;

	return end;
}


/* A line with commas in it, of a header that is a list */
static bool split(struct filling *f, const char *p, const char *end)
{
	const char *v = p, *q;
	bool quote = false, several = false;

	for (q = p; q < end; q++) {
		const char *stop;

		if (*q == '"')
			quote = !quote;
		if (*q != ',' || quote)
			continue;

		stop = blanks_back(v, q);
		if (stop == v || !put(f, v, stop, true, false))
			return false;

		several = true;
		for (v = q + 1; v < end && (*v == ' ' || *v == '\t'); v++)
			;
		q = v - 1;
	}

	/* nothing behind the last comma: libre makes something of it */
	if (v == end || !put(f, v, end, true, !several))
		return false;

	return !several || put(f, p, end, false, true);
}


/* One header; end is before its line break. @return false: not plain */
static bool line(struct filling *f, const char *p, const char *end)
{
	const char *colon = span(p, end, TOKEN);

	if (colon == p || colon == end || *colon != ':')
		return false;

	piece(&f->name, p, colon);
	f->id = header_id(p, f->name.l);

	for (p = colon + 1; p < end && (*p == ' ' || *p == '\t'); p++)
		;
	end = blanks_back(p, end);
	if (p == end)
		return false;

	if (is_list(f->id) && memchr(p, ',', (size_t)(end - p)))
		return split(f, p, end);

	return put(f, p, end, true, true);
}


static void destructor(void *arg)
{
	struct sip_msg *m = arg;

	mem_deref(m->hdrht);
	mem_deref(m->sock);
	mem_deref(m->mb);
}


/* @return 0; EAGAIN: not plain, ask libre */
static int plain(struct sip_msg **mp, struct mbuf *mb)
{
	const char *p = (const char *)mbuf_buf(mb), *body, *nl;
	const char *end = p + mbuf_get_left(mb);
	struct filling f = {0};
	struct message *ms;
	size_t n;

	nl = memchr(p, '\n', (size_t)(end - p));
	if (!nl || nl - p < 2 || nl[-1] != '\r' ||
	    memchr(p, '\r', (size_t)(nl - p - 1)) ||
	    memchr(p, '\t', (size_t)(nl - p)))
		return EAGAIN;

	n = count(nl + 1, end, &body);
	if (!n)
		return EAGAIN;

	ms = mem_alloc(sizeof(*ms) + n * sizeof(ms->hdr[0]), destructor);
	if (!ms)
		return ENOMEM;

	memset(&ms->m, 0, sizeof(ms->m));
	f.m = &ms->m;
	f.next = ms->hdr;
	f.m->tag = random_u64();
	f.m->mb = mem_ref(mb);
	if (hash_alloc(&f.m->hdrht, HASH_BUCKETS)) {
		mem_deref(ms);
		return ENOMEM;
	}

	if (!start(f.m, p, nl - 1))
		goto odd;

	for (p = nl + 1; ; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl + 1 == body)
			break;
		if (!line(&f, p, nl - 1))
			goto odd;
	}

	mb->pos += (size_t)(body - (const char *)mbuf_buf(mb));
	*mp = f.m;

	return 0;

 odd:
	mem_deref(ms);

	return EAGAIN;
}


int message_decode(struct sip_msg **mp, struct mbuf *mb)
{
	const int err = plain(mp, mb);

	return err == EAGAIN ? sip_msg_decode(mp, mb) : err;
}


int message_plain(struct sip_msg **mp, struct mbuf *mb)
{
	return plain(mp, mb);
}
