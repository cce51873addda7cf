/**
 * @file test_transform.c  Our SRTP against the vectors of its RFCs, and what
 * is remembered of packets
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/crypto.h>
#include "bytes.h"
#include "priv.h"
#include "transform.h"

enum { ROOM = 256 };

struct hex {
	_Alignas(8) uint8_t p[ROOM];
	size_t len;
};


static struct hex hex(const char *s)
{
	struct hex h = { .len = 0 };

	for (; *s; s += 2) {
		const char two[3] = { s[0], s[1], '\0' };

		assert_in_range(h.len, 0, ROOM - 1);
		h.p[h.len++] = (uint8_t)strtoul(two, NULL, 16);
	}

	return h;
}


static const struct media_suite *suite(const char *name)
{
	const struct media_suite *s = media_suite_find(name, strlen(name));

	assert_non_null(s);

	return s;
}


/* RFC 3711 B.3, RFC 6188 7.2 and 7.4 */
static void test_derive(void **state)
{
	static const struct {
		const char *suite, *key, *salt, *want_key, *want_salt, *auth;
	} v[] = {
		{ "AES_CM_128_HMAC_SHA1_80",
		  "e1f97a0d3e018be0d64fa32c06de4139",
		  "0ec675ad498afeebb6960b3aabe6",
		  "c61e7a93744f39ee10734afe3ff7a087",
		  "30cbbc08863d8c85d49db34a9ae1",
		  "cebe321f6ff7716b6fd4ab49af256a156d38baa4" },
		{ "AES_192_CM_HMAC_SHA1_80",
		  "73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1",
		  "c8522f3acd4ce86d5add78edbb11",
		  "31874736a8f1143870c26e4857d8a5b2c4a354407faadabb",
		  "2372b82d639b6d8503a47adc0a6c",
		  "355b10973cd95b9eacf4061c7e1a7151e7cfbfcb" },
		{ "AES_256_CM_HMAC_SHA1_80",
		  "f0f04914b513f2763a1b1fa130f10e29"
		  "98f6f6e43e4309d1e622a0e332b9f1b6",
		  "3b04803de51ee7c96423ab5b78d2",
		  "5ba1064e30ec51613cad926c5a28ef73"
		  "1ec7fb397f70a960653caf06554cd8c4",
		  "fa31791685ca444a9e07c6c64e93",
		  "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05" },
	};
	(void)state;

	for (size_t i = 0; i < COUNT(v); i++) {
		const struct media_suite *s = suite(v[i].suite);
		struct hex key = hex(v[i].key), salt = hex(v[i].salt);
		struct session rtp, rtcp;

		assert_int_equal(key.len, s->key_len);
		memcpy(key.p + key.len, salt.p, salt.len);
		assert_int_equal(transform_derive(&rtp, &rtcp, s, key.p), 0);
		assert_memory_equal(rtp.key, hex(v[i].want_key).p, s->key_len);
		assert_memory_equal(rtp.salt, hex(v[i].want_salt).p, 14);
		assert_memory_equal(rtp.auth, hex(v[i].auth).p, 20);
		assert_memory_not_equal(rtp.key, rtcp.key, s->key_len);
	}
}


static struct transform *of(const struct media_suite *s, const char *key,
			    const char *salt, bool out)
{
	const struct hex k = hex(key), t = hex(salt);
	struct session v = { .key = { 0 } };
	struct transform *tr;

	memcpy(v.key, k.p, k.len);
	memcpy(v.salt, t.p, t.len);
	assert_int_equal(transform_of(&tr, s, &v, &v, out), 0);

	return tr;
}


/* RFC 3711 B.2, RFC 6188 7.1 and 7.3: zeros become the key stream */
static void test_stream(void **state)
{
	static const struct { const char *suite, *key, *want; } v[] = {
		{ "AES_CM_128_HMAC_SHA1_80",
		  "2b7e151628aed2a6abf7158809cf4f3c",
		  "e03ead0935c95e80e166b16dd92b4eb4"
		  "d23513162b02d0f72a43a2fe4a5f97ab"
		  "41e95b3bb0a2e8dd477901e4fca894c0" },
		{ "AES_256_CM_HMAC_SHA1_80",
		  "57f82fe3613fd170a85ec93c40b1f092"
		  "2ec4cb0dc025b58272147cc438944a98",
		  "92bdd28a93c3f52511c677d08b5515a4"
		  "9da71b2378a854f67050756ded165bac"
		  "63c4868b7096d88421b563b8c94c9a31" },
	};
	(void)state;

	for (size_t i = 0; i < COUNT(v); i++) {
		struct transform *t = of(suite(v[i].suite), v[i].key,
					 "f0f1f2f3f4f5f6f7f8f9fafbfcfd", true);
		struct hex p = hex("800000000000000000000000");

		p.len += 48;
		assert_int_equal(transform_seal(t, false, p.p, &p.len), 0);
		assert_int_equal(p.len, 12 + 48 + 10);
		assert_memory_equal(p.p + 12, hex(v[i].want).p, 48);
		mem_deref(t);
	}
}


#define KEY16 "000102030405060708090a0b0c0d0e0f"
#define KEY32 KEY16 "101112131415161718191a1b1c1d1e1f"
#define QUID "517569642070726f2071756f"
#define RTP "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e6973" \
	"20646976697361" "20696e207061727465732074726573"
#define RTCP "81c8000d4d6172734e5450314e545032525450200000042a0000e930" \
	"4c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"

struct gcm_vector {
	const char *suite, *key;
	bool rtcp, encrypted;
	const char *plain, *sealed;
};

/* RFC 7714 16.1, 16.2, 17.1, 17.2, 17.3 */
static const struct gcm_vector gcm_vectors[] = {
	{ "AEAD_AES_128_GCM", KEY16, false, true, RTP,
	  "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd5"
	  "0d294e6f42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee439"
	  "0cce" },
	{ "AEAD_AES_256_GCM", KEY32, false, true, RTP,
	  "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab1801238"
	  "9a58e2f3b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a7"
	  "6c13" },
	{ "AEAD_AES_128_GCM", KEY16, true, true, RTCP,
	  "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32d"
	  "c676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf872"
	  "45d9eade800005d4" },
	{ "AEAD_AES_256_GCM", KEY32, true, true, RTCP,
	  "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50"
	  "a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6c"
	  "b26ac3be800005d4" },
	{ "AEAD_AES_128_GCM", KEY16, true, false, RTCP,
	  RTCP "841dd9683dd78ec92ae58790125f62b3000005d4" },
};


static void test_gcm(void **state)
{
	(void)state;

	for (size_t i = 0; i < COUNT(gcm_vectors); i++) {
		const struct gcm_vector *v = &gcm_vectors[i];
		const struct media_suite *s = suite(v->suite);
		const struct hex plain = hex(v->plain), want = hex(v->sealed);
		struct transform *in = of(s, v->key, QUID, false);
		struct transform *out = of(s, v->key, QUID, true);
		struct hex p = want;

		assert_int_equal(transform_open(in, v->rtcp, p.p, &p.len), 0);
		assert_int_equal(p.len, plain.len);
		assert_memory_equal(p.p, plain.p, plain.len);

		/* of RTCP that is not the first one we send */
		for (unsigned n = 0; v->rtcp && n < 0x5d4; n++) {
			p = plain;
			assert_int_equal(transform_seal(out, true, p.p,
							&p.len), 0);
		}
		p = plain;
		assert_int_equal(transform_seal(out, v->rtcp, p.p, &p.len), 0);
		assert_int_equal(p.len, want.len);
		if (v->encrypted)
			assert_memory_equal(p.p, want.p, want.len);
		mem_deref(in);
		mem_deref(out);
	}
}


/* Two ends of one key ---------------------------------------------------- */

static struct transform *master(const struct media_suite *s, uint8_t seed,
				bool out)
{
	uint8_t key[MEDIA_KEY_MAX];
	struct transform *t;

	for (unsigned i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(seed * 7 + i * 13);
	assert_int_equal(transform_alloc(&t, s, key, out), 0);

	return t;
}


static struct hex rtp(uint32_t ssrc, uint16_t seq)
{
	struct hex h = { .len = 12 + 20 };
	const struct rtp r = { .seq = seq, .ssrc = ssrc };

	rtp_write(h.p, &r);
	memset(h.p + 12, seq, 20);

	return h;
}


static struct hex sealed(struct transform *t, uint32_t ssrc, uint16_t seq)
{
	struct hex h = rtp(ssrc, seq);

	assert_int_equal(transform_seal(t, false, h.p, &h.len), 0);

	return h;
}


static int opened(struct transform *t, struct hex h)
{
	const struct hex want = rtp(get_u32(h.p + 8), get_u16(h.p + 2));
	const struct hex was = h;
	const int err = transform_open(t, false, h.p, &h.len);

	if (err) {
		assert_int_equal(h.len, was.len);
		assert_memory_equal(h.p, was.p, was.len);
	}
	else {
		assert_int_equal(h.len, want.len);
		assert_memory_equal(h.p, want.p, want.len);
	}

	return err;
}


/* Each packet once, in any order within the window, over the turn of the
 * numbers; nothing that is older */
static void test_window(void **state)
{
	enum { N = 3000, BACK = 1023 };
	static struct hex v[N];
	(void)state;

	for (unsigned i = 0; i < MEDIA_SUITES; i++) {
		const struct media_suite *s = &media_suite_table()[i];
		struct transform *out = master(s, 1, true);
		struct transform *in = master(s, 1, false);
		const uint16_t first = 64000;    /* turns over half way      */

		for (unsigned n = 0; n < N; n++)
			v[n] = sealed(out, 7, (uint16_t)(first + n));

		/* every second one, then those between, from the back */
		for (unsigned n = 0; n < N; n += 2)
			assert_int_equal(opened(in, v[n]), 0);
		for (int n = N - 1; n >= N - 1 - BACK; n -= 2)
			assert_int_equal(opened(in, v[n]), 0);
		assert_int_equal(opened(in, v[N - 2 - BACK]), EALREADY);
		for (unsigned n = 0; n < N; n += 7)
			assert_int_not_equal(opened(in, v[n]), 0);
		assert_int_equal(opened(in, sealed(out, 7, (uint16_t)
						   (first + N))), 0);
		mem_deref(in);
		mem_deref(out);
	}
}


/* A number is never used twice by us */
static void test_no_reuse(void **state)
{
	struct transform *out = master(suite("AEAD_AES_128_GCM"), 1, true);
	struct hex h = rtp(7, 100);
	(void)state;

	(void)sealed(out, 7, 99);
	(void)sealed(out, 7, 100);
	assert_int_equal(transform_seal(out, false, h.p, &h.len), EPROTO);
	(void)sealed(out, 8, 100);
	(void)sealed(out, 7, 101);
	mem_deref(out);
}


/* Who began near the end of its numbers is heard by who comes later, too */
static void test_late_listener(void **state)
{
	const struct media_suite *s = suite("AES_CM_128_HMAC_SHA1_80");
	struct transform *out = master(s, 1, true);
	struct transform *in = master(s, 1, false);
	struct hex early;
	(void)state;

	(void)sealed(out, 7, 65530);
	early = sealed(out, 7, 65531);
	(void)sealed(out, 7, 5);
	assert_int_equal(opened(in, sealed(out, 7, 6)), 0);
	assert_int_equal(opened(in, early), 0);
	assert_int_equal(opened(in, sealed(out, 7, 7)), 0);
	mem_deref(in);
	mem_deref(out);
}


/* It goes on where the key before was, or begins anew */
static void test_expect(void **state)
{
	const struct media_suite *s = suite("AEAD_AES_256_GCM");
	(void)state;

	for (unsigned anew = 0; anew < 2; anew++) {
		struct transform *out = master(s, 1, true);
		struct transform *in = master(s, 1, false);
		uint64_t index = 0;
		uint32_t ssrc = 0;

		for (uint32_t n = 0; !anew && n < 3 * 65536; n += 30000)
			(void)sealed(out, 7, (uint16_t)n);
		assert_false(transform_last(in, &ssrc, &index));
		transform_expect(in, 7, 2 * 65536 + 65000);
		assert_int_equal(opened(in, sealed(out, 7, anew ? 65100 :
						   200)), 0);
		assert_true(transform_last(in, &ssrc, &index));
		assert_int_equal(ssrc, 7);
		assert_int_equal(index, anew ? 65100 : 3 * 65536 + 200);
		assert_int_equal(opened(in, sealed(out, 7, anew ? 65101 :
						   201)), 0);
		mem_deref(in);
		mem_deref(out);
	}
}


/* Header extensions and contributors are no part of what is encrypted; what
 * they claim to be and are not is no RTP */
static void test_headers(void **state)
{
	(void)state;

	for (unsigned i = 0; i < MEDIA_SUITES; i++) {
		const struct media_suite *s = &media_suite_table()[i];
		struct transform *out = master(s, 1, true);
		struct transform *in = master(s, 1, false);
		struct hex plain = hex("920000010000000000000007"
				       "1111111122222222" "bede0001" "55667788"
				       "0102030405"), h = plain;

		assert_int_equal(transform_seal(out, false, h.p, &h.len), 0);
		assert_int_equal(h.len, plain.len + s->tag_len);
		assert_memory_equal(h.p, plain.p, 28);
		assert_memory_not_equal(h.p + 28, plain.p + 28, 5);
		assert_int_equal(transform_open(in, false, h.p, &h.len), 0);
		assert_int_equal(h.len, plain.len);
		assert_memory_equal(h.p, plain.p, plain.len);

		h = plain;
		h.p[23] = 9;
		assert_int_equal(transform_seal(out, false, h.p, &h.len),
				 EPROTO);
		h.len += s->tag_len;
		assert_int_equal(transform_open(in, false, h.p, &h.len),
				 EPROTO);
		for (h.len = 0; h.len < 28u + s->tag_len; h.len++) {
			size_t len = h.len;

			assert_int_equal(transform_open(in, false, h.p, &len),
					 EPROTO);
		}
		mem_deref(in);
		mem_deref(out);
	}
}


/* The identifier of a key stands where the suites put it */
static void test_mki(void **state)
{
	static const uint8_t mki[] = { 0, 0, 0, 9 };
	(void)state;

	for (unsigned i = 0; i < MEDIA_SUITES; i++) {
		const struct media_suite *s = &media_suite_table()[i];
		struct transform *out = master(s, 1, true);
		struct transform *in = master(s, 1, false);
		const size_t at = s->aead ? 0 : s->tag_len;
		struct hex h = sealed(out, 7, 1), with = h;

		transform_mki(in, mki, sizeof(mki));
		assert_int_equal(opened(in, h), EBADMSG);
		memmove(with.p + with.len - at + 4, with.p + with.len - at, at);
		memcpy(with.p + with.len - at, mki, 4);
		with.len += 4;
		h = with;
		h.p[h.len - at - 1] ^= 1;
		assert_int_equal(opened(in, h), EBADMSG);
		assert_int_equal(opened(in, with), 0);
		mem_deref(in);
		mem_deref(out);
	}
}


/* Allocations ------------------------------------------------------------ */

static unsigned allocations;

static void *count_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	++allocations;

	return malloc(n);
}


static void *count_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	++allocations;

	return realloc(p, n);
}


static void count_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	free(p);
}


/* OpenSSL takes no memory for a packet, be it good or bad */
static void test_allocations(void **state)
{
	(void)state;
	assert_true(allocations > 0);

	for (unsigned i = 0; i < MEDIA_SUITES; i++) {
		const struct media_suite *s = &media_suite_table()[i];
		struct transform *out = master(s, 1, true);
		struct transform *in = master(s, 1, false);
		unsigned before;

		/* the first error of a thread makes room for errors */
		(void)opened(in, rtp(7, 1));
		before = allocations;
		for (uint16_t n = 1; n < 100; n++) {
			const struct hex h = sealed(out, 7, n);
			struct hex bad = h, rtcp = { .len = 40, .p = { 0x80 } };

			bad.p[20] ^= 1;
			assert_int_equal(opened(in, bad), EBADMSG);
			assert_int_equal(opened(in, h), 0);
			assert_int_equal(opened(in, h), EALREADY);
			assert_int_equal(transform_seal(out, true, rtcp.p,
							&rtcp.len), 0);
			assert_int_equal(transform_open(in, true, rtcp.p,
							&rtcp.len), 0);
		}
		assert_int_equal(allocations, before);
		mem_deref(in);
		mem_deref(out);
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_derive),
		cmocka_unit_test(test_stream),
		cmocka_unit_test(test_gcm),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_no_reuse),
		cmocka_unit_test(test_late_listener),
		cmocka_unit_test(test_expect),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_mki),
		cmocka_unit_test(test_allocations),
	};

	/* before the library has taken any */
	(void)CRYPTO_set_mem_functions(count_malloc, count_realloc,
				       count_free);

	return cmocka_run_group_tests(tests, NULL, NULL);
}
