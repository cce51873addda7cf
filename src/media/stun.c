/**
 * @file stun.c  STUN messages (RFC 8489), read and written
 *
 * Each length is checked against what is left before it is believed; after
 * MESSAGE-INTEGRITY only FINGERPRINT counts (14.5).  Pure functions.
 */
#include <stdio.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/crypto.h>
#include <offhook/random.h>
#include "bytes.h"
#include "stun.h"


#define COOKIE 0x2112a442u
#define CRC_XOR 0x5354554eu

enum { MAC_LEN = 20, V4 = 1, V6 = 2 };


static uint32_t crc(const uint8_t *p, size_t len)
{
	uint32_t c = 0xffffffff;

	while (len--) {
		c ^= *p++;
		for (unsigned i = 0; i < 8; i++)
			c = c >> 1 ^ (0xedb88320 & -(c & 1));
	}

	return ~c;
}


static void mac(uint8_t out[MAC_LEN], const uint8_t *key, size_t keylen,
		const uint8_t *p, size_t len)
{
	unsigned n = MAC_LEN;

	if (!HMAC(EVP_sha1(), key, (int)keylen, p, len, out, &n))
		memset(out, 0, MAC_LEN);
}


/* Reading ---------------------------------------------------------------- */

bool stunmsg_is(const uint8_t *p, size_t len)
{
	return len >= STUN_HEAD && p[0] <= 3 && get_u32(p + 4) == COOKIE &&
		get_u16(p + 2) == len - STUN_HEAD && !(len & 3);
}


/* @return false: nonsense */
static bool read_addr(struct sa *sa, const uint8_t *v, size_t len,
		      const uint8_t *tid, bool xored)
{
	uint8_t addr[16], key[16];
	unsigned port;

	if (!(len == 8 && v[1] == V4) && !(len == 20 && v[1] == V6))
		return false;

	put_u32(key, COOKIE);
	memcpy(key + 4, tid, STUN_TID);
	port = get_u16(v + 2) ^ (xored ? COOKIE >> 16 : 0);
	for (size_t i = 0; i < len - 4; i++)
		addr[i] = v[4 + i] ^ (xored ? key[i] : 0);

	if (len == 8)
		sa_set_in(sa, get_u32(addr), (uint16_t)port);
	else
		sa_set_in6(sa, addr, (uint16_t)port);

	return true;
}


static bool read_attr(struct stun_in *m, unsigned type, const uint8_t *v,
		      size_t n)
{
	const struct pl text = { (const char *)v, n };

	switch (type) {

	case SA_MAPPED:
		return sa_isset(&m->mapped, SA_ADDR) ||
			read_addr(&m->mapped, v, n, m->tid, false);
	case SA_XOR_MAPPED:
		return read_addr(&m->mapped, v, n, m->tid, true);
	case SA_RELAYED:
		return read_addr(&m->relayed, v, n, m->tid, true);
	case SA_ALTERNATE:
		return read_addr(&m->alternate, v, n, m->tid, false);
	case SA_PEER:
		return read_addr(&m->peer, v, n, m->tid, true);

	case SA_USERNAME: m->user = text;  return n < 513;
	case SA_REALM:    m->realm = text; return n < STUN_TEXT;
	case SA_NONCE:    m->nonce = text; return n < STUN_TEXT;
	case SA_DATA:     m->data = text;  return true;

	case SA_ERROR:
		if (n < 4 || (v[2] & 7) < 3 || (v[2] & 7) > 6 || v[3] > 99)
			return false;
		m->error = (v[2] & 7) * 100u + v[3];
		return true;

	case SA_LIFETIME:
		m->has_lifetime = n == 4;
		m->lifetime = n == 4 ? get_u32(v) : 0;
		return n == 4;

	case SA_PRIORITY:
		m->has_priority = n == 4;
		m->priority = n == 4 ? get_u32(v) : 0;
		return n == 4;

	case SA_USE:
		m->use = true;
		return true;

	case SA_CONTROLLED:
	case SA_CONTROLLING:
		if (n != 8)
			return false;
		m->controlling = type == SA_CONTROLLING;
		m->controlled = type == SA_CONTROLLED;
		m->tiebreak = (uint64_t)get_u32(v) << 32 | get_u32(v + 4);
		return true;

	default:
		if (type < 0x8000 && !m->unknown && type != SA_UNKNOWN &&
		    type != SA_CHANNEL && type != SA_TRANSPORT &&
		    type != SA_FAMILY)
			m->unknown = type;
		return true;
	}
}


int stunmsg_read(struct stun_in *m, const uint8_t *p, size_t len)
{
	unsigned type;
	size_t at;

	memset(m, 0, sizeof(*m));
	sa_init(&m->mapped, AF_UNSPEC);
	sa_init(&m->relayed, AF_UNSPEC);
	sa_init(&m->peer, AF_UNSPEC);
	sa_init(&m->alternate, AF_UNSPEC);

	if (!stunmsg_is(p, len))
		return EBADMSG;

	m->p = p;
	m->len = len;
	m->tid = p + 8;
	type = get_u16(p);
	m->cls = (enum stun_class)((type >> 7 & 2) | (type >> 4 & 1));
	m->method = (type & 0xf) | (type >> 1 & 0x70) | (type >> 2 & 0xf80);

	for (at = STUN_HEAD; at < len; ) {
		const uint8_t *v = p + at + 4;
		size_t n, padded;

		if (len - at < 4)
			return EBADMSG;
		type = get_u16(p + at);
		n = get_u16(p + at + 2);
		padded = (n + 3) & ~(size_t)3;
		if (padded > len - at - 4)
			return EBADMSG;

		if (type == SA_FINGERPRINT) {
			if (n != 4 || at + 8 != len ||
			    get_u32(v) != (crc(p, at) ^ CRC_XOR))
				return EBADMSG;
		}
		else if (type == SA_INTEGRITY) {
			if (n != MAC_LEN)
				return EBADMSG;
			if (!m->integrity)
				m->integrity = at;
		}
		else if (!m->integrity && !read_attr(m, type, v, n)) {
			return EBADMSG;
		}

		at += 4 + padded;
	}

	return 0;
}


int stunmsg_check(const struct stun_in *m, const uint8_t *key, size_t keylen)
{
	uint8_t copy[STUN_MSG_MAX], want[MAC_LEN];

	if (!m->integrity || m->integrity > sizeof(copy))
		return EACCES;

	/* its length is that up to the end of this attribute */
	memcpy(copy, m->p, m->integrity);
	put_u16(copy + 2, (unsigned)(m->integrity + 4 + MAC_LEN - STUN_HEAD));
	mac(want, key, keylen, copy, m->integrity);

	return CRYPTO_memcmp(want, m->p + m->integrity + 4, MAC_LEN) ?
		EACCES : 0;
}


/* Writing ---------------------------------------------------------------- */

void stunmsg_begin(struct stun_out *o, unsigned method, enum stun_class cls,
		   const uint8_t *tid)
{
	const unsigned type = (method & 0xf) | (method & 0x70) << 1 |
		(method & 0xf80) << 2 | ((unsigned)cls & 1) << 4 |
		((unsigned)cls & 2) << 7;

	o->full = false;
	o->len = STUN_HEAD;
	put_u16(o->p, type);
	put_u16(o->p + 2, 0);
	put_u32(o->p + 4, COOKIE);

	if (tid)
		memcpy(o->p + 8, tid, STUN_TID);
	else
		random_fill(o->p + 8, STUN_TID);
}


void stunmsg_attr(struct stun_out *o, unsigned type, const void *v, size_t len)
{
	const size_t padded = (len + 3) & ~(size_t)3;

	if (o->full || padded > sizeof(o->p) - 4 - o->len) {
		o->full = true;
		return;
	}

	put_u16(o->p + o->len, type);
	put_u16(o->p + o->len + 2, (unsigned)len);
	memset(o->p + o->len + 4, 0, padded);
	if (len)
		memcpy(o->p + o->len + 4, v, len);
	o->len += 4 + padded;
	put_u16(o->p + 2, (unsigned)(o->len - STUN_HEAD));
}


void stunmsg_u32(struct stun_out *o, unsigned type, uint32_t v)
{
	uint8_t b[4];

	put_u32(b, v);
	stunmsg_attr(o, type, b, sizeof(b));
}


void stunmsg_u64(struct stun_out *o, unsigned type, uint64_t v)
{
	uint8_t b[8];

	put_u32(b, (uint32_t)(v >> 32));
	put_u32(b + 4, (uint32_t)v);
	stunmsg_attr(o, type, b, sizeof(b));
}


void stunmsg_addr(struct stun_out *o, unsigned type, const struct sa *sa)
{
	const bool v6 = sa_af(sa) == AF_INET6;
	uint8_t b[20] = { 0, v6 ? V6 : V4 };
	const size_t n = v6 ? 16 : 4;
	/* the cookie and the transaction stand in a row */
	const uint8_t *key = o->p + 4;

	put_u16(b + 2, sa_port(sa) ^ (COOKIE >> 16));
	if (v6)
		sa_in6(sa, b + 4);
	else
		put_u32(b + 4, sa_in(sa));
	for (size_t i = 0; i < n; i++)
		b[4 + i] ^= key[i];

	stunmsg_attr(o, type, b, 4 + n);
}


void stunmsg_error(struct stun_out *o, unsigned code, const char *reason)
{
	const size_t n = strlen(reason) < 60 ? strlen(reason) : 60;
	uint8_t b[64] = { 0, 0, (uint8_t)(code / 100), (uint8_t)(code % 100) };

	memcpy(b + 4, reason, n);
	stunmsg_attr(o, SA_ERROR, b, 4 + n);
}


int stunmsg_end(struct stun_out *o, const uint8_t *key, size_t keylen,
		bool fingerprint)
{
	if (key && !o->full) {
		const size_t at = o->len;
		uint8_t v[MAC_LEN] = { 0 };

		stunmsg_attr(o, SA_INTEGRITY, v, sizeof(v));
		if (!o->full)
			mac(o->p + at + 4, key, keylen, o->p, at);
	}

	if (fingerprint && !o->full) {
		const size_t at = o->len;

		stunmsg_u32(o, SA_FINGERPRINT, 0);
		if (!o->full)
			put_u32(o->p + at + 4, crc(o->p, at) ^ CRC_XOR);
	}

	return o->full ? EOVERFLOW : 0;
}


int stunmsg_long_key(uint8_t key[16], const char *user, const struct pl *realm,
		     const char *password)
{
	char text[3 * STUN_TEXT];
	const int n = snprintf(text, sizeof(text), "%s:%.*s:%s", user,
			       (int)realm->l, realm->p, password);
	unsigned len = 16;
	int err = 0;

	if (n < 0 || (size_t)n >= sizeof(text))
		err = EOVERFLOW;
	else if (EVP_Digest(text, (size_t)n, key, &len, EVP_md5(), NULL) != 1)
		err = ENOSYS;
	explicit_bzero(text, sizeof(text));

	return err;
}
