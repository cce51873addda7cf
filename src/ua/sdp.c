/**
 * @file sdp.c  Reading session descriptions (RFC 8866)
 *
 * Ours and not libre's: its reader ignores host names silently, takes
 * numbers that wrap, and its session object mixes reading, negotiation and
 * writing.  Two passes: count the media lines and their formats, then fill.
 * Pure: no state, no I/O.  Nothing here may trust a length or a number
 * before it was checked.
 */
#include <arpa/inet.h>
#include "offhook/text.h"
#include "sdp.h"


struct reader {
	struct desc *d;
	unsigned fmtc;           /* formats used so far                     */
	struct sa addr;          /* of the session                          */
	enum media_dir dir;
	struct pl printv[DESC_PRINT_MAX];
	unsigned printc;
	struct pl setup, ufrag, pwd;
	bool origin;
	struct pl groupv[DESC_GROUP_MAX];
	unsigned groupc;
};


static void desc_destructor(void *data)
{
	struct desc *d = data;

	mem_deref(d->fmtv);
}


static struct pl span(const char *p, size_t len)
{
	struct pl pl = { p, len };

	return pl;
}


/* Cut the next word off, without the spaces around it */
static struct pl word(struct pl *pl)
{
	struct pl w;

	while (pl->l && (*pl->p == ' ' || *pl->p == '\t'))
		pl_advance(pl, 1);

	w = span(pl->p, 0);
	while (pl->l && *pl->p != ' ' && *pl->p != '\t') {
		++w.l;
		pl_advance(pl, 1);
	}

	return w;
}


/* Cut off what stands before c; all of it when there is no c */
static struct pl before(struct pl *pl, char c)
{
	const char *e = pl->l ? memchr(pl->p, c, pl->l) : NULL;
	struct pl w = span(pl->p, e ? (size_t)(e - pl->p) : pl->l);

	pl_advance(pl, (ssize_t)(e ? w.l + 1 : w.l));

	return w;
}


static bool is(const struct pl *pl, const char *s)
{
	return text_caseeq(pl->p, pl->l, s);
}


static int number(uint32_t *v, const struct pl *pl, uint32_t max)
{
	return text_u32(v, pl->p, pl->l, max);
}


/* The numbers of an o= line may have 64 bits */
static int number64(uint64_t *v, const struct pl *pl)
{
	uint64_t n = 0;

	if (!pl->l)
		return EBADMSG;

	for (size_t i = 0; i < pl->l; i++) {
		const unsigned digit = (unsigned char)pl->p[i] - '0';

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return EBADMSG;
		n = n * 10 + digit;
	}

	*v = n;

	return 0;
}


/* A token of an m= line: visible ASCII, since we may have to send it back */
static bool token_ok(const struct pl *pl)
{
	if (!pl->l || pl->l > DESC_TOKEN_MAX)
		return false;

	for (size_t i = 0; i < pl->l; i++) {
		if (pl->p[i] <= ' ' || pl->p[i] > '~')
			return false;
	}

	return true;
}


/*
 * An address we could send to. Host names are tolerated and lead nowhere:
 * nobody resolves them in the middle of a call.
 */
static struct sa address(const struct pl *net, const struct pl *type,
			 const struct pl *host)
{
	char buf[INET6_ADDRSTRLEN];
	struct in_addr in4;
	struct in6_addr in6;
	struct sa sa;

	sa_init(&sa, AF_UNSPEC);

	if (!is(net, "IN") || text_copy(buf, sizeof(buf), host->p, host->l))
		return sa;

	if (is(type, "IP4") && 1 == inet_pton(AF_INET, buf, &in4)) {
		const uint32_t v = ntohl(in4.s_addr);

		/* multicast, reserved and broadcast */
		if (v < 0xe0000000)
			sa_set_in(&sa, v, 0);
	}
	else if (is(type, "IP6") && 1 == inet_pton(AF_INET6, buf, &in6)) {
		if (in6.s6_addr[0] != 0xff)
			sa_set_in6(&sa, in6.s6_addr, 0);
	}

	return sa;
}


static int read_origin(struct reader *r, struct pl val)
{
	struct pl user = word(&val), id = word(&val), version = word(&val);
	struct pl net = word(&val), type = word(&val), addr = word(&val);

	if (r->origin || r->d->mediac || !user.l || !net.l || !type.l ||
	    !addr.l || word(&val).l)
		return EBADMSG;

	r->origin = true;

	return number64(&r->d->id, &id) ||
		number64(&r->d->version, &version) ? EBADMSG : 0;
}


static int read_connection(struct reader *r, struct pl val)
{
	struct pl net = word(&val), type = word(&val), host = word(&val);
	struct sa sa;

	if (!net.l || !type.l || !host.l || word(&val).l)
		return EBADMSG;

	/* "/ttl" belongs to multicast, which we do not speak */
	sa = address(&net, &type, &host);

	if (r->d->mediac)
		r->d->mediav[r->d->mediac - 1].addr = sa;
	else
		r->addr = sa;

	return 0;
}


static int read_media(struct reader *r, struct pl val)
{
	struct desc_media *m = &r->d->mediav[r->d->mediac];
	struct pl type = word(&val), ports = word(&val);
	struct pl port = before(&ports, '/');
	uint32_t v, count = 1;

	m->type = type;
	m->proto = word(&val);

	if (!token_ok(&m->type) || !token_ok(&m->proto) ||
	    number(&v, &port, 65535) ||
	    (ports.l && number(&count, &ports, 65535)) || !count)
		return EBADMSG;

	m->port = (uint16_t)v;
	m->addr = r->addr;
	m->dir = r->dir;
	m->setup = r->setup;
	m->ufrag = r->ufrag;
	m->pwd = r->pwd;
	sa_init(&m->rtcp_addr, AF_UNSPEC);
	m->fmtv = r->d->fmtv + r->fmtc;

	for (;;) {
		struct desc_format *f = m->fmtv + m->fmtc;
		struct pl id = word(&val);

		if (!id.l)
			break;
		if (m->fmtc == DESC_FORMATS_MAX)
			return EOVERFLOW;
		if (!token_ok(&id))
			return EBADMSG;

		f->id = id;
		f->pt = number(&v, &id, 127) ? -1 : (int)v;
		++m->fmtc;
	}

	if (!m->fmtc)
		return EBADMSG;

	r->fmtc += m->fmtc;
	++r->d->mediac;

	return 0;
}


/* By payload type; a second mention of a number in the m= line is void */
static struct desc_format *find_format(struct desc_media *m,
				       const struct pl *id)
{
	uint32_t pt;

	if (number(&pt, id, 127))
		return NULL;

	for (unsigned i = 0; i < m->fmtc; i++) {
		if (m->fmtv[i].pt == (int)pt)
			return &m->fmtv[i];
	}

	return NULL;
}


/* "98 L16/16000/2"; the first one for a number counts */
static void read_rtpmap(struct desc_media *m, struct pl val)
{
	struct pl id = word(&val), enc = word(&val);
	struct pl name = before(&enc, '/'), clock = before(&enc, '/');
	struct desc_format *f = find_format(m, &id);
	uint32_t hz, channels = 0;

	if (!f || pl_isset(&f->name) || !token_ok(&name) ||
	    number(&hz, &clock, 1000000) || !hz ||
	    (enc.l && (number(&channels, &enc, 255) || !channels)))
		return;

	f->name = name;
	f->clock_hz = hz;
	f->channels = channels;
}


static void read_fmtp(struct desc_media *m, struct pl val)
{
	struct pl id = word(&val);
	struct desc_format *f = find_format(m, &id);

	while (val.l && *val.p == ' ')
		pl_advance(&val, 1);

	if (f && val.l && !pl_isset(&f->fmtp))
		f->fmtp = val;
}


/* "pkt-loss-rle voip-metrics" (RFC 3611 5.1): is what we send wanted? */
static bool xr_wants(struct pl val)
{
	while (val.l) {
		const struct pl w = word(&val);

		if (!pl_strcasecmp(&w, "voip-metrics"))
			return true;
		if (!w.l)
			break;
	}

	return false;
}


/* "* nack" or "96 nack" (RFC 4585 4.2); "nack pli" is of pictures */
static void read_feedback(struct desc_media *m, struct pl val)
{
	const struct pl pt = word(&val), what = word(&val);
	struct pl num = pt;
	uint32_t v;

	if (pl_strcasecmp(&what, "nack") || word(&val).l)
		return;

	if (!pl_strcmp(&pt, "*"))
		m->nack_all = true;
	else if (!number(&v, &num, 127))
		m->nack_pt[v / 64] |= 1ull << v % 64;
}


/* "53020" or "53020 IN IP4 192.0.2.1" (RFC 3605) */
static void read_rtcp(struct desc_media *m, struct pl val)
{
	struct pl port = word(&val), net = word(&val), type = word(&val);
	struct pl host = word(&val);
	uint32_t v;

	if (number(&v, &port, 65535) || !v)
		return;

	if (net.l) {
		struct sa sa = address(&net, &type, &host);

		if (!desc_addr_given(&sa))
			return;
		m->rtcp_addr = sa;
	}

	m->rtcp_port = (uint16_t)v;
}


static bool read_direction(enum media_dir *dir, const struct pl *name)
{
	static const struct {
		const char *name;
		enum media_dir dir;
	} dirs[] = {
		{ "sendrecv", MEDIA_SENDRECV },
		{ "sendonly", MEDIA_SENDONLY },
		{ "recvonly", MEDIA_RECVONLY },
		{ "inactive", MEDIA_INACTIVE },
	};

	for (size_t i = 0; i < COUNT_OF(dirs); i++) {
		if (is(name, dirs[i].name)) {
			*dir = dirs[i].dir;
			return true;
		}
	}

	return false;
}


static void collect(struct pl *v, unsigned *n, unsigned max, struct pl val)
{
	if (*n < max && val.l)
		v[(*n)++] = val;
}


/* What stands before the first m= line is for those without their own */
static void read_session(struct reader *r, const struct pl *name,
			 struct pl val)
{
	if (is(name, "fingerprint"))
		collect(r->printv, &r->printc, DESC_PRINT_MAX, val);
	else if (is(name, "setup"))
		r->setup = val;
	else if (is(name, "ice-ufrag"))
		r->ufrag = val;
	else if (is(name, "ice-pwd"))
		r->pwd = val;
	else if (is(name, "ice-lite"))
		r->d->ice_lite = true;
	else if (is(name, "group"))
		collect(r->groupv, &r->groupc, DESC_GROUP_MAX, val);
}


static void inherit(struct reader *r)
{
	for (unsigned i = 0; i < r->d->mediac; i++) {
		struct desc_media *m = &r->d->mediav[i];

		if (m->printc)
			continue;

		memcpy(m->printv, r->printv, sizeof(m->printv));
		m->printc = r->printc;
	}
}


/* Attributes never spoil a description: a strange one is as if not there */
static void read_attribute(struct reader *r, struct pl val)
{
	struct desc_media *m = r->d->mediac ?
		&r->d->mediav[r->d->mediac - 1] : NULL;
	struct pl name = before(&val, ':');
	uint32_t v;

	if (read_direction(m ? &m->dir : &r->dir, &name))
		return;
	if (!m) {
		read_session(r, &name, val);
		return;
	}

	if (is(&name, "rtpmap"))
		read_rtpmap(m, val);
	else if (is(&name, "fmtp"))
		read_fmtp(m, val);
	else if (is(&name, "ptime")) {
		if (!number(&v, &val, 1000))
			m->ptime_ms = v;
	}
	else if (is(&name, "maxptime")) {
		if (!number(&v, &val, 1000))
			m->maxptime_ms = v;
	}
	else if (is(&name, "rtcp"))
		read_rtcp(m, val);
	else if (is(&name, "rtcp-mux"))
		m->rtcp_mux = true;
	else if (is(&name, "rtcp-rsize"))
		m->rtcp_rsize = true;
	else if (is(&name, "rtcp-xr"))
		m->xr = xr_wants(val);
	else if (is(&name, "rtcp-fb"))
		read_feedback(m, val);
	else if (is(&name, "crypto"))
		collect(m->cryptov, &m->cryptoc, DESC_CRYPTO_MAX, val);
	else if (is(&name, "fingerprint"))
		collect(m->printv, &m->printc, DESC_PRINT_MAX, val);
	else if (is(&name, "setup"))
		m->setup = val;
	else if (is(&name, "ice-ufrag"))
		m->ufrag = val;
	else if (is(&name, "ice-pwd"))
		m->pwd = val;
	else if (is(&name, "ice-mismatch"))
		m->ice_mismatch = true;
	else if (is(&name, "candidate"))
		collect(m->candv, &m->candc, DESC_CAND_MAX, val);
	else if (is(&name, "mid") && token_ok(&val))
		m->mid = val;
	else if (is(&name, "bundle-only"))
		m->bundle_only = true;
}


/* The next line without its end; blanks at its end are nobody's intention.
 * @return 0, ENODATA (no more), EBADMSG */
static int next_line(struct pl *text, char *type, struct pl *val)
{
	struct pl line;

	if (!text->l)
		return ENODATA;

	line = before(text, '\n');
	while (line.l && strchr(" \t\r", line.p[line.l - 1]))
		--line.l;

	if (!line.l) {
		/* an empty line may only stand at the end */
		for (size_t i = 0; i < text->l; i++) {
			if (!strchr(" \t\r\n", text->p[i]))
				return EBADMSG;
		}
		return ENODATA;
	}

	if (line.l < 2 || line.p[1] != '=' ||
	    !strchr("vosiuepcbtrzkam", line.p[0]))
		return EBADMSG;

	*type = line.p[0];
	*val = span(line.p + 2, line.l - 2);

	return 0;
}


/* How much there will be; at most what the limits and the text allow */
static int count(struct pl text, unsigned *mediac, unsigned *fmtc)
{
	struct pl val;
	char type;
	int err;

	while (!(err = next_line(&text, &type, &val))) {
		unsigned words = 0;

		if (type != 'm')
			continue;

		while (words <= 3 + DESC_FORMATS_MAX && word(&val).l)
			++words;
		if (++*mediac > DESC_MEDIA_MAX || val.l)
			return EOVERFLOW;

		*fmtc += words;
	}

	return err == ENODATA ? 0 : err;
}


static int read_line(struct reader *r, char type, struct pl val)
{
	switch (type) {

	case 'o': return read_origin(r, val);
	case 'c': return read_connection(r, val);
	case 'm': return read_media(r, val);
	case 'a': read_attribute(r, val); return 0;
	case 'v': return EBADMSG;        /* one is enough */
	default:  return 0;
	}
}


int desc_read(struct desc **dp, const char *text, size_t len)
{
	struct reader r = { .dir = MEDIA_SENDRECV };
	struct pl pl = { text, len }, val;
	unsigned mediac = 0, fmtc = 0;
	char type;
	int err;

	if (!dp || !text)
		return EINVAL;

	if (len > DESC_TEXT_MAX)
		return EOVERFLOW;
	if (memchr(text, '\0', len))
		return EBADMSG;

	err = next_line(&pl, &type, &val);
	if (err || type != 'v' || !is(&val, "0"))
		return EBADMSG;

	err = count(pl, &mediac, &fmtc);
	if (err)
		return err;

	r.d = mem_zalloc(sizeof(*r.d) + mediac * sizeof(r.d->mediav[0]),
			 desc_destructor);
	if (!r.d)
		return ENOMEM;

	sa_init(&r.addr, AF_UNSPEC);

	if (fmtc) {
		r.d->fmtv = mem_zalloc(fmtc * sizeof(*r.d->fmtv), NULL);
		if (!r.d->fmtv) {
			err = ENOMEM;
			goto out;
		}
	}

	while (!(err = next_line(&pl, &type, &val))) {
		err = read_line(&r, type, val);
		if (err)
			goto out;
	}
	err = err == ENODATA ? 0 : err;

	/* Without o= it is no description; s= and t= nobody misses */
	if (!err && !r.origin)
		err = EBADMSG;
	if (!err) {
		inherit(&r);
		desc_bundle(r.d, r.groupv, r.groupc);
	}

 out:
	if (err)
		mem_deref(r.d);
	else
		*dp = r.d;

	return err;
}
