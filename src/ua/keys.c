/**
 * @file keys.c  Keys and fingerprints in descriptions
 *
 * The attributes themselves, and whom we agree with on what.  What the peer
 * wrote is hostile: each number and length is checked.  A line that is
 * unprotected but carries keys is encryption for who wants it (RFC 8643);
 * one that is protected and has no keys we know is of no use.  DTLS comes
 * before SDES: its keys are seen by nobody on the way.  Pure functions.
 */
#include <stdio.h>
#include "offhook/text.h"
#include "keys.h"


enum { TAG_MAX = 999999999 };


/* Base64, strictly ------------------------------------------------------- */

static int digit64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;

	return c == '+' ? 62 : c == '/' ? 63 : -1;
}


/* Exactly n bytes; the "=" at the end may be missing, as many write it */
static int read64(uint8_t *v, size_t n, const char *p, size_t len)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t made = 0;

	while (len && p[len - 1] == '=' && len % 4 != 1)
		--len;

	if (len != (n * 8 + 5) / 6)
		return EBADMSG;

	for (size_t i = 0; i < len; i++) {
		const int d = digit64(p[i]);

		if (d < 0)
			return EBADMSG;

		bits = (bits << 6 | (uint32_t)d) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			v[made++] = (uint8_t)(bits >> have);
		}
	}

	return made == n ? 0 : EBADMSG;
}


static size_t print64(char *buf, const uint8_t *v, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t k = 0;

	for (size_t i = 0; i < n; i += 3) {
		const uint32_t b = (uint32_t)v[i] << 16 |
			(i + 1 < n ? (uint32_t)v[i + 1] << 8 : 0) |
			(i + 2 < n ? v[i + 2] : 0);

		buf[k++] = digits[b >> 18];
		buf[k++] = digits[b >> 12 & 63];
		buf[k++] = i + 1 < n ? digits[b >> 6 & 63] : '=';
		buf[k++] = i + 2 < n ? digits[b & 63] : '=';
	}

	buf[k] = '\0';

	return k;
}


/* a=crypto --------------------------------------------------------------- */

static struct pl cut(struct pl *pl, const char *stops)
{
	struct pl w = { pl->p, 0 };

	while (w.l < pl->l && !strchr(stops, pl->p[w.l]))
		++w.l;
	pl_advance(pl, (ssize_t)w.l);

	return w;
}


static void skip_blank(struct pl *pl)
{
	while (pl->l && (*pl->p == ' ' || *pl->p == '\t'))
		pl_advance(pl, 1);
}


/* "2^20" or a number; 0 would be none at all */
static int read_lifetime(const struct pl *pl)
{
	const bool power = pl->l > 2 && !memcmp(pl->p, "2^", 2);
	const size_t skip = power ? 2 : 0;
	uint32_t v;

	if (pl->l > 15 || !pl->l)
		return EBADMSG;
	if (!power) {
		for (size_t i = 0; i < pl->l; i++) {
			if (pl->p[i] < '0' || pl->p[i] > '9')
				return EBADMSG;
		}
		return 0;
	}

	return text_u32(&v, pl->p + skip, pl->l - skip, 48) ? EBADMSG : 0;
}


/* "1:4": the value and in how many bytes it stands */
static int read_mki(struct crypto_line *c, struct pl pl)
{
	struct pl value = cut(&pl, ":");
	uint32_t v, len;

	if (!pl.l || text_u32(&v, value.p, value.l, UINT32_MAX) ||
	    text_u32(&len, pl.p + 1, pl.l - 1, 128) || !len)
		return EBADMSG;
	if (len > MEDIA_MKI_MAX)
		return ENOTSUP;
	if (len < 4 && v >> (8 * len))
		return EBADMSG;

	memset(c->mki, 0, sizeof(c->mki));
	for (uint32_t i = 0; i < len && i < 4; i++)
		c->mki[len - 1 - i] = (uint8_t)(v >> (8 * i));
	c->mki_len = (uint8_t)len;

	return 0;
}


static int read_key(struct crypto_line *c, struct pl pl)
{
	static const char method[] = "inline:";
	struct pl key;
	int err;

	if (pl.l < sizeof(method) ||
	    !text_caseeq(pl.p, sizeof(method) - 1, method))
		return EBADMSG;
	pl_advance(&pl, sizeof(method) - 1);

	key = cut(&pl, "|");
	err = read64(c->key, (size_t)c->suite->key_len + c->suite->salt_len,
		     key.p, key.l);

	while (!err && pl.l) {
		struct pl part;

		pl_advance(&pl, 1);
		part = cut(&pl, "|");

		if (memchr(part.p, ':', part.l))
			err = pl.l ? EBADMSG : read_mki(c, part);
		else
			err = read_lifetime(&part);
	}

	return err;
}


/* What changes nothing for who ignores it, and a dash in front says so */
static bool param_harmless(const struct pl *pl)
{
	return (pl->l && *pl->p == '-') ||
		(pl->l > 4 && text_caseeq(pl->p, 4, "WSH=")) ||
		text_caseeq(pl->p, pl->l, "KDR=0");
}


int crypto_read(struct crypto_line *c, const char *p, size_t len)
{
	struct pl pl = { p, len }, tag, suite, keys;
	int err;

	memset(c, 0, sizeof(*c));

	skip_blank(&pl);
	tag = cut(&pl, " \t");
	skip_blank(&pl);
	suite = cut(&pl, " \t");
	skip_blank(&pl);
	keys = cut(&pl, " \t");

	if (tag.l > 9 || text_u32(&c->tag, tag.p, tag.l, TAG_MAX) ||
	    !suite.l || !keys.l)
		return EBADMSG;

	c->suite = media_suite_find(suite.p, suite.l);
	if (!c->suite || memchr(keys.p, ';', keys.l))
		return ENOTSUP;

	err = read_key(c, keys);

	for (skip_blank(&pl); !err && pl.l; skip_blank(&pl)) {
		struct pl prm = cut(&pl, " \t");

		if (!param_harmless(&prm))
			err = ENOTSUP;
	}

	if (err)
		explicit_bzero(c->key, sizeof(c->key));

	return err;
}


int crypto_print(char *buf, size_t sz, uint32_t tag,
		 const struct media_suite *suite, const uint8_t *key)
{
	char k[4 * ((MEDIA_KEY_MAX + 2) / 3) + 1];
	int n;

	(void)print64(k, key, (size_t)suite->key_len + suite->salt_len);
	n = snprintf(buf, sz, "%u %s inline:%s", tag, suite->name, k);
	explicit_bzero(k, sizeof(k));

	return n < 0 || (size_t)n >= sz ? EOVERFLOW : 0;
}


/* a=fingerprint ---------------------------------------------------------- */

/* Those that nobody can forge, the strongest first */
static const struct {
	const char *name;
	uint8_t len;
} hashes[] = {
	{ "sha-512", 64 }, { "sha-384", 48 }, { "sha-256", 32 },
	{ "sha-224", 28 }, { "sha-1", 20 },
};


static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;

	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


/* @return index in hashes, or COUNT_OF(hashes) */
static size_t print_rank(const struct media_print *print)
{
	size_t i = 0;

	while (i < COUNT_OF(hashes) && strcmp(print->hash, hashes[i].name))
		++i;

	return i;
}


int print_read(struct media_print *print, const char *p, size_t len)
{
	struct pl pl = { p, len }, name;
	size_t i = 0;

	memset(print, 0, sizeof(*print));

	skip_blank(&pl);
	name = cut(&pl, " \t");
	skip_blank(&pl);

	while (i < COUNT_OF(hashes) &&
	       !text_caseeq(name.p, name.l, hashes[i].name))
		++i;

	if (i == COUNT_OF(hashes))
		return name.l ? ENOTSUP : EBADMSG;
	if (pl.l != hashes[i].len * 3u - 1)
		return EBADMSG;

	for (size_t k = 0; k < hashes[i].len; k++) {
		const int hi = hex(pl.p[3 * k]), lo = hex(pl.p[3 * k + 1]);

		if (hi < 0 || lo < 0 ||
		    (k + 1u < hashes[i].len && pl.p[3 * k + 2] != ':'))
			return EBADMSG;
		print->v[k] = (uint8_t)(hi << 4 | lo);
	}

	str_ncpy(print->hash, hashes[i].name, sizeof(print->hash));
	print->len = hashes[i].len;

	return 0;
}


int print_print(char *buf, size_t sz, const struct media_print *print)
{
	int n = snprintf(buf, sz, "%s ", print->hash);
	size_t at;

	if (n < 0 || (size_t)n + 3u * print->len > sz)
		return EOVERFLOW;
	at = (size_t)n;

	for (unsigned i = 0; i < print->len; i++)
		at += (size_t)snprintf(buf + at, sz - at, "%s%02X",
				       i ? ":" : "", print->v[i]);

	return 0;
}


/* Protocols -------------------------------------------------------------- */

bool proto_secure(const struct pl *proto, bool *dtls)
{
	static const char *const names[] = {
		"RTP/SAVP", "RTP/SAVPF", "UDP/TLS/RTP/SAVP",
		"UDP/TLS/RTP/SAVPF",
	};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (text_caseeq(proto->p, proto->l, names[i])) {
			if (dtls)
				*dtls = i >= 2;
			return true;
		}
	}

	if (dtls)
		*dtls = false;

	return false;
}


bool proto_feedback(const struct pl *proto)
{
	return proto_known(proto) && (proto->p[proto->l - 1] | 0x20) == 'f';
}


bool proto_known(const struct pl *proto)
{
	return text_caseeq(proto->p, proto->l, "RTP/AVP") ||
		text_caseeq(proto->p, proto->l, "RTP/AVPF") ||
		proto_secure(proto, NULL);
}


/* Agreeing --------------------------------------------------------------- */

/* The strongest print of the line. @return false: none of use */
static bool take_print(struct media_print *best, const struct desc_media *m)
{
	best->len = 0;

	for (unsigned i = 0; i < m->printc; i++) {
		struct media_print p;

		if (!print_read(&p, m->printv[i].p, m->printv[i].l) &&
		    (!best->len || print_rank(&p) < print_rank(best)))
			*best = p;
	}

	return best->len > 0;
}


/* Who begins the handshake (RFC 5763 5). @return false: nobody would */
static bool take_setup(bool *active, const struct nego *n,
		       const struct desc_media *m, bool offer, bool same)
{
	const struct pl *setup = &m->setup;

	if (text_caseeq(setup->p, setup->l, "holdconn"))
		return false;

	if (text_caseeq(setup->p, setup->l, "active"))
		*active = false;
	else if (text_caseeq(setup->p, setup->l, "passive"))
		*active = true;
	else if (offer)
		*active = same ? n->dtls_active : true;
	else
		*active = false;

	return true;
}


static bool take_dtls(struct media_secure *ms, struct nego *n,
		      const struct ability *ab, const struct desc_media *m,
		      bool offer)
{
	bool same;

	if (!ab->secure.dtls || !take_print(&ms->print, m))
		return false;

	same = n->keying == MEDIA_KEYS_DTLS &&
		n->peer_print.len == ms->print.len &&
		!memcmp(n->peer_print.v, ms->print.v, ms->print.len);
	if (!take_setup(&ms->active, n, m, offer, same))
		return false;

	ms->keying = MEDIA_KEYS_DTLS;
	n->dtls_active = ms->active;
	n->peer_print = ms->print;

	return true;
}


/* The strongest of the lines; in an answer it is the one that was taken */
static bool take_sdes(struct media_secure *ms, struct nego *n,
		      const struct ability *ab, const struct desc_media *m,
		      bool offer)
{
	const struct media_suite *const table = media_suite_table();
	struct crypto_line best = { 0 };

	if (!ab->secure.sdes)
		return false;

	for (unsigned i = 0; i < m->cryptoc; i++) {
		struct crypto_line c;

		if (crypto_read(&c, m->cryptov[i].p, m->cryptov[i].l))
			continue;

		/* ours had one suite for each tag */
		if (!offer && (!c.tag || c.tag > MEDIA_SUITES ||
			       c.suite != &table[c.tag - 1] ||
			       c.suite->quiet))
			continue;

		if (!best.suite || c.suite < best.suite)
			best = c;
	}

	if (!best.suite)
		return false;

	ms->keying = MEDIA_KEYS_SDES;
	ms->suite = best.suite;
	memcpy(ms->rx, best.key, sizeof(ms->rx));
	memcpy(ms->tx, n->key[best.suite - table], sizeof(ms->tx));
	memcpy(ms->rx_mki, best.mki, sizeof(ms->rx_mki));
	ms->rx_mki_len = best.mki_len;

	n->answer_tag = best.tag;
	n->answer_suite = best.suite;
	explicit_bzero(&best, sizeof(best));

	return true;
}


bool nego_take_keys(struct media_plan *plan, struct nego *n,
		    const struct ability *ab, const struct desc_media *m,
		    bool offer)
{
	struct media_secure *ms = &plan->secure;
	bool dtls, secure = proto_secure(&m->proto, &dtls);

	memset(ms, 0, sizeof(*ms));

	if (ab->secure.policy != SECURE_OFF &&
	    !take_dtls(ms, n, ab, m, offer) && !dtls)
		(void)take_sdes(ms, n, ab, m, offer);

	n->keying = ms->keying;
	if (ms->keying != MEDIA_KEYS_NONE)
		return true;

	n->insecure = n->insecure || ab->secure.policy == SECURE_REQUIRE;

	return !secure && ab->secure.policy != SECURE_REQUIRE;
}
