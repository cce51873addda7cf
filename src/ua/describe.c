/**
 * @file describe.c  Writing session descriptions (RFC 8866, 3264)
 *
 * Our side of an offer or an answer: the lines of the session in their
 * order, ours with its codecs, all others refused with port 0.  The version
 * of the o= line rises by one when anything else has changed and never
 * otherwise, which libre's writer cannot do.  Pure functions.
 */
#include <stdarg.h>
#include <stdio.h>
#include "ice.h"
#include "keys.h"


/* A body in the making; after the first failure nothing more is added */
struct writer {
	struct mbuf *mb;
	int err;
};

/* What stands in our line, for offers and answers alike */
struct ours {
	uint8_t numv[NEGO_CODECS];
	const struct codec *codecv[NEGO_CODECS];
	unsigned codecc;
	uint8_t tev[NEGO_CODECS + 1];
	uint32_t te_hzv[NEGO_CODECS + 1];
	unsigned tec;
	uint8_t cn, red[NEGO_REDS];      /* 0: none                         */
	enum media_dir dir;
	unsigned ptime_ms;
	bool mux, rsize, xr;
	bool nack, nack_all;             /* a=rtcp-fb: of the first, of all */
	bool sdes;                       /* a=crypto: one, or all of ours   */
	const struct media_suite *suite; /* NULL: all                       */
	uint32_t tag;
	const char *setup;               /* of DTLS, NULL: none             */
	bool ice, ice_mismatch;
	bool nowhere;                    /* c= has no address               */
};


static void __attribute__((format(printf, 2, 3)))
put(struct writer *w, const char *fmt, ...)
{
	char buf[512];
	va_list ap;
	int n;

	if (w->err)
		return;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);

	if (n < 0 || (size_t)n >= sizeof(buf))
		w->err = EOVERFLOW;
	else
		w->err = mbuf_write_mem(w->mb, (uint8_t *)buf, (size_t)n);
}


/* FNV-1a: enough to see that something has changed */
static uint64_t hash(const uint8_t *p, size_t len)
{
	uint64_t h = 0xcbf29ce484222325ull;

	while (len--)
		h = (h ^ *p++) * 0x100000001b3ull;

	return h;
}


static void put_keys(struct writer *w, const struct nego *n,
		     const struct ability *ab, const struct ours *o)
{
	const struct media_suite *const table = media_suite_table();
	char text[256];

	for (uint32_t i = 0; o->sdes && i < MEDIA_SUITES && !w->err; i++) {
		if (o->suite ? o->suite != &table[i] : table[i].quiet)
			continue;

		w->err = crypto_print(text, sizeof(text), o->suite ? o->tag :
				      i + 1, &table[i], n->key[i]);
		put(w, "a=crypto:%s\r\n", text);
	}
	explicit_bzero(text, sizeof(text));

	if (!o->setup || w->err)
		return;

	w->err = print_print(text, sizeof(text), &ab->secure.print);
	put(w, "a=fingerprint:%s\r\na=setup:%s\r\n", text, o->setup);
}


/* One copy, at least, of the first codec that it goes with */
static void put_red(struct writer *w, const struct ours *o, unsigned red)
{
	for (unsigned i = 0; i < o->codecc; i++) {
		const struct codec *c = o->codecv[i];

		if (nego_red_of(c) != red)
			continue;

		put(w, "a=rtpmap:%u red/%u", o->red[red], c->clock_hz);
		if (c->sdp_channels > 1)
			put(w, "/%u", c->sdp_channels);
		put(w, "\r\na=fmtp:%u %u/%u\r\n", o->red[red], o->numv[i],
		    o->numv[i]);
		return;
	}
}


static void put_extras(struct writer *w, const struct ours *o)
{
	if (o->cn)
		put(w, "a=rtpmap:%u CN/%u\r\n", o->cn, NARROW_HZ);

	for (unsigned red = 0; red < NEGO_REDS; red++) {
		if (o->red[red])
			put_red(w, o, red);
	}
}


static void put_ice(struct writer *w, const struct nego *n,
		    const struct ability *ab)
{
	char ufrag[ICE_UFRAG_MAX], pwd[ICE_PWD_MAX], text[256];

	nego_ice_names(n, ufrag, pwd);
	put(w, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", ufrag, pwd);

	for (unsigned i = 0; ab->ice.have && i < ab->ice.have->candc; i++) {
		if (!cand_print(text, sizeof(text), &ab->ice.have->candv[i]))
			put(w, "a=candidate:%s\r\n", text);
	}
}


/* A router has given reports another port than the next one (RFC 3605) */
static void put_rtcp(struct writer *w, const struct ability *ab)
{
	if (sa_isset(&ab->rtcp, SA_ALL) &&
	    sa_port(&ab->rtcp) != sa_port(&ab->rtp) + 1)
		put(w, "a=rtcp:%u\r\n", sa_port(&ab->rtcp));
}


static void put_ours(struct writer *w, const struct nego *n,
		     const struct ability *ab, const struct ours *o,
		     const char *proto)
{
	char fmtp[256];

	put(w, "m=audio %u %s", sa_port(&ab->rtp), proto);
	for (unsigned i = 0; i < o->codecc; i++)
		put(w, " %u", o->numv[i]);
	for (unsigned i = 0; i < o->tec; i++)
		put(w, " %u", o->tev[i]);
	if (o->cn)
		put(w, " %u", o->cn);
	for (unsigned i = 0; i < NEGO_REDS; i++) {
		if (o->red[i])
			put(w, " %u", o->red[i]);
	}
	put(w, "\r\n");

	for (unsigned i = 0; i < o->codecc; i++) {
		const struct codec *c = o->codecv[i];

		put(w, "a=rtpmap:%u %s/%u", o->numv[i], c->sdp_name,
		    c->clock_hz);
		if (c->sdp_channels > 1)
			put(w, "/%u", c->sdp_channels);
		put(w, "\r\n");

		fmtp[0] = '\0';
		if (c->fmtp_print)
			c->fmtp_print(fmtp, sizeof(fmtp), &ab->param);
		if (fmtp[0])
			put(w, "a=fmtp:%u %s\r\n", o->numv[i], fmtp);
	}

	for (unsigned i = 0; i < o->tec; i++)
		put(w, "a=rtpmap:%u telephone-event/%u\r\n"
		    "a=fmtp:%u 0-15\r\n", o->tev[i], o->te_hzv[i], o->tev[i]);

	put_extras(w, o);

	put(w, "a=ptime:%u\r\na=%s\r\n", o->ptime_ms,
	    media_dir_name(o->dir));
	put_rtcp(w, ab);
	if (o->mux)
		put(w, "a=rtcp-mux\r\n");
	if (o->rsize)
		put(w, "a=rtcp-rsize\r\n");
	if (o->xr)
		put(w, "a=rtcp-xr:voip-metrics\r\n");
	if (o->nack && o->nack_all)
		put(w, "a=rtcp-fb:* nack\r\n");
	else if (o->nack)
		put(w, "a=rtcp-fb:%u nack\r\n", o->numv[0]);
	put_keys(w, n, ab, o);
	if (o->ice)
		put_ice(w, n, ab);
	else if (o->ice_mismatch)
		put(w, "a=ice-mismatch\r\n");
}


/* The peer's name for a line stays with it (RFC 5888 9) */
static void put_mid(struct writer *w, const struct nego_line *l)
{
	if (l->mid)
		put(w, "a=mid:%s\r\n", l->mid);
}


/* Of a group that was offered only our line stays (RFC 8843 7.3) */
static void put_group(struct writer *w, const struct nego *n)
{
	if (n->bundled && n->audio < n->linec && n->linev[n->audio].mid)
		put(w, "a=group:BUNDLE %s\r\n", n->linev[n->audio].mid);
}


/* @param rest  where what follows the o= line begins */
static void put_body(struct writer *w, const struct nego *n,
		     const struct ability *ab, const struct ours *o,
		     size_t *rest)
{
	char addr[64];
	const char *type = sa_af(&ab->rtp) == AF_INET6 ? "IP6" : "IP4";

	if (!w->err)
		w->err = sa_ntop(&ab->rtp, addr, sizeof(addr));
	if (w->err)
		return;

	put(w, "v=0\r\no=- %llu %llu IN %s %s\r\n",
	    (unsigned long long)n->id, (unsigned long long)n->version,
	    type, addr);
	*rest = w->mb->pos;
	put(w, "s=-\r\nc=IN %s %s\r\nt=0 0\r\n", type,
	    o->nowhere ? "0.0.0.0" : addr);
	put_group(w, n);

	for (unsigned i = 0; i < n->linec; i++) {
		const struct nego_line *l = &n->linev[i];

		if (i == n->audio)
			put_ours(w, n, ab, o, l->proto);
		else
			put(w, "m=%s 0 %s %s\r\n", l->type, l->proto, l->fmt);
		put_mid(w, l);
	}
}


static int describe(struct mbuf **mbp, struct nego *n,
		    const struct ability *ab, const struct ours *o)
{
	struct writer w = { .mb = mbuf_alloc(512) };
	size_t rest = 0;
	uint64_t h = 0;

	if (!w.mb)
		return ENOMEM;

	put_body(&w, n, ab, o, &rest);
	if (!w.err)
		h = hash(w.mb->buf + rest, w.mb->end - rest);

	if (!w.err && n->written && h != n->hash) {
		++n->version;
		mbuf_rewind(w.mb);
		put_body(&w, n, ab, o, &rest);
	}

	if (w.err) {
		mem_deref(w.mb);
		return w.err;
	}

	n->hash = h;
	n->written = true;
	w.mb->pos = 0;
	*mbp = w.mb;

	return 0;
}


/* A line of our own: the one we had, one that was refused, or a new one */
static int claim_line(struct nego *n, const char *proto)
{
	struct nego_line *linev, *l;
	int err;

	if (n->audio < n->linec)
		return 0;

	for (unsigned i = 0; i < n->linec; i++) {
		l = &n->linev[i];

		if (0 == str_casecmp(l->type, "audio") &&
		    proto_known(&(struct pl){ l->proto, strlen(l->proto) })) {
			char *p;

			err = str_dup(&p, proto);
			if (err)
				return err;

			mem_deref(l->proto);
			l->proto = p;
			n->audio = i;
			return 0;
		}
	}

	linev = mem_zalloc((n->linec + 1) * sizeof(*linev), NULL);
	if (!linev)
		return ENOMEM;

	if (n->linec)
		memcpy(linev, n->linev, n->linec * sizeof(*linev));
	l = &linev[n->linec];

	err = str_dup(&l->type, "audio");
	if (!err)
		err = str_dup(&l->proto, proto);
	if (!err)
		err = str_dup(&l->fmt, "0");
	if (err) {
		mem_deref(l->type);
		mem_deref(l->proto);
		mem_deref(linev);
		return err;
	}

	mem_deref(n->linev);
	n->linev = linev;
	n->audio = n->linec++;

	return 0;
}


/* A group of one (RFC 8843 7.2): who makes one for others wants it said. Once
 * an answer has come it is as it was agreed */
static int claim_group(struct nego *n)
{
	struct nego_line *l = &n->linev[n->audio];

	if (n->written)
		return 0;

	n->bundled = true;

	return l->mid ? 0 : str_dup(&l->mid, "0");
}


static void add_event(struct ours *o, struct nego *n, uint32_t clock_hz)
{
	uint8_t num;

	for (unsigned i = 0; i < o->tec; i++) {
		if (o->te_hzv[i] == clock_hz)
			return;
	}

	num = nego_te_number(n, clock_hz, NEGO_NONE);
	if (num == NEGO_NONE || o->tec == COUNT_OF(o->tev))
		return;

	o->te_hzv[o->tec] = clock_hz;
	o->tev[o->tec++] = num;
}


/* What an offer of ours says of protection. Who must have it says so in the
 * m= line; who would like it says it beside one that everybody knows (RFC
 * 8643). In mid-call it is offered as it was agreed. */
static void offer_keys(struct ours *o, const struct nego *n,
		       const struct ability *ab)
{
	if (ab->secure.policy == SECURE_OFF)
		return;

	if (n->keying != MEDIA_KEYS_DTLS)
		o->sdes = ab->secure.sdes;
	if (ab->secure.dtls && n->keying != MEDIA_KEYS_SDES) {
		o->setup = "actpass";
		o->mux = true;
	}
}


static const char *offer_proto(const struct ability *ab)
{
	if (ab->secure.policy != SECURE_REQUIRE)
		return ab->nack ? "RTP/AVPF" : "RTP/AVP";
	if (ab->secure.sdes)
		return ab->nack ? "RTP/SAVPF" : "RTP/SAVP";

	return ab->nack ? "UDP/TLS/RTP/SAVPF" : "UDP/TLS/RTP/SAVP";
}


/* In mid-call the line stays what both have agreed on */
static bool offer_nack(const struct nego *n, const struct ability *ab)
{
	struct pl proto;

	pl_set_str(&proto, n->linev[n->audio].proto);

	return proto_feedback(&proto) && (ab->nack || n->answer_nack);
}


static void add_extras(struct ours *o, struct nego *n,
		       const struct ability *ab)
{
	for (unsigned i = 0; i < o->codecc; i++) {
		const struct codec *c = o->codecv[i];

		const unsigned red = ab->red ? nego_red_of(c) : NEGO_NONE;

		if (ab->cn && c->rate_hz == NARROW_HZ)
			o->cn = PT_CN;

		if (red != NEGO_NONE && !o->red[red]) {
			const uint8_t num = nego_red_number(n, red, NEGO_NONE);

			o->red[red] = num == NEGO_NONE ? 0 : num;
		}
	}
}


int nego_offer(struct mbuf **mbp, struct nego *n, const struct ability *ab)
{
	struct ours o = {
		.dir = ab->dir, .ptime_ms = ab->param.ptime_ms,
		.mux = n->answer_mux || ab->mux || ab->ice.on,
		.ice = ab->ice.on,
		.rsize = true, .xr = true,
		/* RFC 3264 8.4: there is no such thing for IPv6; for ICE it
		   would be another address than its candidates' */
		.nowhere = ab->nowhere && !ab->ice.on &&
			sa_af(&ab->rtp) == AF_INET,
	};
	int err;

	if (!ab->codecc || !ab->param.ptime_ms)
		return EINVAL;

	err = claim_line(n, offer_proto(ab));
	if (err)
		return err;
	err = ab->bundle ? claim_group(n) : 0;
	if (err)
		return err;
	offer_keys(&o, n, ab);
	o.nack = o.nack_all = offer_nack(n, ab);

	for (unsigned i = 0; i < ab->codecc; i++) {
		const struct codec *c = ab->codecv[i];
		const uint8_t num = nego_codec_number(n, c, NEGO_NONE);

		if (num == NEGO_NONE)
			continue;
		o.codecv[o.codecc] = c;
		o.numv[o.codecc++] = num;
	}

	/* after all codecs, so that the usual numbers stay as they are; many
	 * know events at the common clock only, whatever the codec */
	for (unsigned i = 0; i < o.codecc; i++)
		add_event(&o, n, o.codecv[i]->clock_hz);
	add_event(&o, n, TE_COMMON_HZ);
	add_extras(&o, n, ab);

	return o.codecc ? describe(mbp, n, ab, &o) : EINVAL;
}


int nego_answer(struct mbuf **mbp, struct nego *n, const struct ability *ab)
{
	struct ours o = {
		.dir = n->answer_dir, .ptime_ms = n->answer_ptime_ms,
		.mux = n->answer_mux, .rsize = n->answer_rsize,
		.xr = n->answer_xr,
		.nack = n->answer_nack, .nack_all = n->answer_nack_all,
		.codecc = n->answer_codecc,
		.sdes = n->keying == MEDIA_KEYS_SDES,
		.suite = n->answer_suite, .tag = n->answer_tag,
		.ice = n->ice_on, .ice_mismatch = n->ice_mismatch,
	};

	if (n->keying == MEDIA_KEYS_DTLS)
		o.setup = n->dtls_active ? "active" : "passive";

	for (unsigned i = 0; i < n->answer_codecc; i++) {
		o.numv[i] = n->answer_num[i];
		o.codecv[i] = n->answer_codec[i];
	}

	for (unsigned i = 0; i < n->answer_tec; i++) {
		o.tev[i] = n->answer_te[i];
		o.te_hzv[i] = n->answer_te_hz[i];
	}
	o.tec = n->answer_tec;
	if (o.codecc && nego_red_of(o.codecv[0]) != NEGO_NONE)
		o.red[nego_red_of(o.codecv[0])] = n->answer_red;
	o.cn = n->answer_cn;

	return describe(mbp, n, ab, &o);
}
