/**
 * @file test_srtp.c  Protected packets: known answers, and what is hostile
 */
#include <string.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "rig.h"
#include "srtp.h"

/* of RFC 3711 B.3 */
static const uint8_t master[MEDIA_KEY_MAX] = {
	0xe1, 0xf9, 0x7a, 0x0d, 0x3e, 0x01, 0x8b, 0xe0,
	0xd6, 0x4f, 0xa3, 0x2c, 0x06, 0xde, 0x41, 0x39,
	0x0e, 0xc6, 0x75, 0xad, 0x49, 0x8a, 0xfe, 0xeb,
	0xb6, 0x96, 0x0b, 0x3a, 0xab, 0xe6,
};
static const uint8_t other[MEDIA_KEY_MAX] = { 1, 2, 3, 4, 5 };


static const struct media_suite *suite(const char *name)
{
	const struct media_suite *s = media_suite_find(name, strlen(name));

	assert_non_null(s);

	return s;
}


static struct shield *shield(const struct media_suite *s, const uint8_t *tx,
			     const uint8_t *rx)
{
	struct shield *sh;

	assert_int_equal(shield_alloc(&sh), 0);
	assert_false(shield_ready(sh));
	assert_int_equal(shield_key(sh, s, tx, rx, NULL, 0, 0), 0);
	assert_true(shield_ready(sh));
	assert_ptr_equal(shield_suite(sh), s);

	return sh;
}


/* A packet of 20 bytes of sound */
struct pkt {
	_Alignas(8) uint8_t p[256];
	size_t len;
};


static struct pkt packet_of(uint32_t ssrc, uint16_t seq)
{
	const struct rtp h = { .pt = 0, .seq = seq, .ts = 160u * seq,
		.ssrc = ssrc };
	struct pkt k = { .len = 32 };

	rtp_write(k.p, &h);
	memset(k.p + 12, 0x55, 20);

	return k;
}


static struct pkt sealed(struct shield *s, uint32_t ssrc, uint16_t seq)
{
	struct pkt k = packet_of(ssrc, seq);

	assert_int_equal(shield_seal(s, false, k.p, &k.len), 0);

	return k;
}


static int opened(struct shield *s, struct pkt k)
{
	const struct pkt want = packet_of(0, 0);
	const int err = shield_open(s, false, k.p, &k.len, 0);

	if (!err) {
		assert_int_equal(k.len, want.len);
		assert_memory_equal(k.p + 12, want.p + 12, 20);
	}

	return err;
}


static void test_known_answer(void **state)
{
	/* its keys are those of RFC 3711 B.3, ROC 0 */
	static const uint8_t want[] = {
		0x80, 0x0f, 0x12, 0x34, 0xde, 0xca, 0xfb, 0xad,
		0xca, 0xfe, 0xba, 0xbe, 0x4e, 0x55, 0xdc, 0x4c,
		0xe7, 0x99, 0x78, 0xd8, 0x8c, 0xa4, 0xd2, 0x15,
		0x94, 0x9d, 0x24, 0x02, 0xb7, 0x8d, 0x6a, 0xcc,
		0x99, 0xea, 0x17, 0x9b, 0x8d, 0xbb,
	};
	struct shield *s = shield(suite("AES_CM_128_HMAC_SHA1_80"), master,
				  master);
	_Alignas(8) uint8_t p[128] = {
		0x80, 0x0f, 0x12, 0x34, 0xde, 0xca, 0xfb, 0xad,
		0xca, 0xfe, 0xba, 0xbe,
	};
	size_t len = 28;
	(void)state;

	memset(p + 12, 0xab, 16);
	assert_int_equal(shield_seal(s, false, p, &len), 0);
	assert_int_equal(len, sizeof(want));
	assert_memory_equal(p, want, sizeof(want));
	mem_deref(s);
}


/* AES-CM of RFC 3711 4.3 as OpenSSL makes it: session keys */
static void derive(uint8_t *key, size_t n, const uint8_t *k, size_t klen,
		   const uint8_t *salt, size_t slen, uint8_t label)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t iv[16] = { 0 }, zero[64] = { 0 };
	int len = 0;

	memcpy(iv, salt, slen);
	iv[7] ^= label;
	assert_int_equal(EVP_EncryptInit_ex(c, klen == 32 ?
		EVP_aes_256_ctr() : EVP_aes_128_ctr(), NULL, k, iv), 1);
	assert_int_equal(EVP_EncryptUpdate(c, key, &len, zero, (int)n), 1);
	EVP_CIPHER_CTX_free(c);
}


static void gcm(uint8_t *out, uint8_t *tag, const uint8_t *key, size_t klen,
		const uint8_t *iv, const uint8_t *aad, const uint8_t *v,
		size_t n)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int len;

	assert_int_equal(EVP_EncryptInit_ex(c, klen == 32 ?
		EVP_aes_256_gcm() : EVP_aes_128_gcm(), NULL, key, iv), 1);
	assert_int_equal(EVP_EncryptUpdate(c, NULL, &len, aad, 12), 1);
	assert_int_equal(EVP_EncryptUpdate(c, out, &len, v, (int)n), 1);
	assert_int_equal(EVP_EncryptFinal_ex(c, out + len, &len), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, 16,
					     tag), 1);
	EVP_CIPHER_CTX_free(c);
}


/* RFC 7714 8.1: two zero bytes, SSRC, ROC, number, and the salt over it */
static void gcm_iv(uint8_t iv[12], const uint8_t *hdr, const uint8_t *salt)
{
	memset(iv, 0, 12);
	memcpy(iv + 2, hdr + 8, 4);
	memcpy(iv + 10, hdr + 2, 2);
	for (unsigned i = 0; i < 12; i++)
		iv[i] ^= salt[i];
}


/* What we send is what RFC 7714 says, by another library */
static void test_gcm_cross(void **state)
{
	static const char *const names[] = {
		"AEAD_AES_128_GCM", "AEAD_AES_256_GCM",
	};
	(void)state;

	for (unsigned i = 0; i < 2; i++) {
		const struct media_suite *m = suite(names[i]);
		uint8_t mk[MEDIA_KEY_MAX], key[32], salt[12], iv[12];
		uint8_t out[64], tag[16];
		struct pkt plain = packet_of(0xcafebabe, 4711), k = plain;
		struct shield *s;

		for (unsigned b = 0; b < sizeof(mk); b++)
			mk[b] = (uint8_t)(b * 13 + i);
		s = shield(m, mk, mk);
		derive(key, m->key_len, mk, m->key_len, mk + m->key_len, 12,
		       0);
		derive(salt, 12, mk, m->key_len, mk + m->key_len, 12, 2);

		assert_int_equal(shield_seal(s, false, k.p, &k.len), 0);
		gcm_iv(iv, plain.p, salt);
		gcm(out, tag, key, m->key_len, iv, plain.p, plain.p + 12, 20);
		assert_int_equal(k.len, 12 + 20 + 16);
		assert_memory_equal(k.p, plain.p, 12);
		assert_memory_equal(k.p + 12, out, 20);
		assert_memory_equal(k.p + 32, tag, 16);
		mem_deref(s);
	}
}


static void test_every_suite(void **state)
{
	(void)state;

	for (unsigned i = 0; i < MEDIA_SUITES; i++) {
		const struct media_suite *m = &media_suite_table()[i];
		struct shield *a = shield(m, master, other);
		struct shield *b = shield(m, other, master);
		struct shield *c = shield(m, other, other);
		const size_t tag = strstr(m->name, "GCM") ? 16 :
			strstr(m->name, "_32") ? 4 : 10;
		struct pkt k;

		assert_int_equal(i, m - media_suite_table());
		for (unsigned n = 0; n < 70000; n += n < 300 ? 1 : 101) {
			k = sealed(a, 7, (uint16_t)n);
			assert_int_equal(k.len, 32 + tag);
			assert_int_equal(opened(b, k), 0);
			assert_int_equal(opened(b, k), EBADMSG);
			assert_int_equal(opened(c, k), EBADMSG);
		}
		mem_deref(a);
		mem_deref(b);
		mem_deref(c);
	}
}


/* Each way to be wrong is counted, and the next right one is heard */
static void test_hostile(void **state)
{
	struct shield *a = shield(suite("AES_CM_128_HMAC_SHA1_80"), master,
				  other);
	struct shield *b = shield(suite("AES_CM_128_HMAC_SHA1_80"), other,
				  master);
	struct shield_stats st;
	struct pkt k, first;
	(void)state;

	first = sealed(a, 7, 100);
	assert_int_equal(opened(b, first), 0);

	/* without the key, far ahead: what stops other phones for good */
	for (unsigned seq = 0; seq < 0x10000; seq += 1000) {
		k = packet_of(7, (uint16_t)seq);
		k.len += 10;
		assert_int_equal(opened(b, k), EBADMSG);
	}
	/* new sources, without the key */
	for (uint32_t ssrc = 100; ssrc < 200; ssrc++) {
		k = packet_of(ssrc, 1);
		k.len += 10;
		assert_int_equal(opened(b, k), EBADMSG);
	}
	shield_stats(b, &st);
	assert_int_equal(st.forged, 66 + 100);
	assert_int_equal(st.replayed, 0);

	assert_int_equal(opened(b, first), EBADMSG);
	shield_stats(b, &st);
	assert_int_equal(st.replayed, 1);

	/* each bit counts, each cut is seen */
	k = sealed(a, 7, 101);
	for (size_t bit = 0; bit < 8 * k.len; bit++) {
		struct pkt bad = k;

		bad.p[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_int_equal(opened(b, bad), EBADMSG);
	}
	for (size_t len = 0; len < k.len; len++) {
		struct pkt bad = k;

		bad.len = len;
		assert_int_equal(opened(b, bad), EBADMSG);
	}
	assert_int_equal(opened(b, k), 0);
	mem_deref(a);
	mem_deref(b);
}


static void test_rtcp(void **state)
{
	_Alignas(8) uint8_t p[256] = { 0x81, 201, 0, 7, 0, 0, 0, 9 }, q[256];
	struct shield *a = shield(suite("AES_CM_128_HMAC_SHA1_32"), master,
				  other);
	struct shield *b = shield(suite("AES_CM_128_HMAC_SHA1_32"), other,
				  master);
	size_t len = 32, qlen;
	(void)state;

	assert_int_equal(shield_seal(a, true, p, &len), 0);
	assert_int_equal(len, 32 + 4 + 10);      /* the long tag            */
	memcpy(q, p, len);
	qlen = len;
	assert_int_equal(shield_open(b, true, q, &qlen, 0), 0);
	assert_int_equal(qlen, 32);
	qlen = len;
	assert_int_equal(shield_open(b, true, p, &qlen, 0), EBADMSG);
	qlen = 7;
	assert_int_equal(shield_open(b, true, p, &qlen, 0), EBADMSG);
	mem_deref(a);
	mem_deref(b);
}


/* Many sources with the right key are heard, one after the other */
static void test_sources(void **state)
{
	struct shield *a = shield(suite("AEAD_AES_128_GCM"), master, other);
	struct shield *b = shield(suite("AEAD_AES_128_GCM"), other, master);
	(void)state;

	for (uint32_t ssrc = 1; ssrc < 100; ssrc++) {
		for (uint16_t n = 0; n < 3; n++)
			assert_int_equal(opened(b, sealed(a, ssrc, n)), 0);
	}
	mem_deref(a);
	mem_deref(b);
}


static void roll(struct shield *a, struct shield *b)
{
	for (unsigned n = 0; n < 0x10000 + 10; n += 10)
		assert_int_equal(opened(b, sealed(a, 7, (uint16_t)n)), 0);
	assert_int_equal(opened(b, sealed(a, 7, 40)), 0);
}


/* The same keys once more change nothing: counters go on */
static void test_same_keys(void **state)
{
	const struct media_suite *m = suite("AES_CM_128_HMAC_SHA1_80");
	struct shield *a = shield(m, master, other);
	struct shield *b = shield(m, other, master);
	(void)state;

	roll(a, b);
	assert_int_equal(shield_key(a, m, master, other, NULL, 0, 1), 0);
	assert_int_equal(shield_key(b, m, other, master, NULL, 0, 1), 0);
	assert_int_equal(opened(b, sealed(a, 7, 50)), 0);
	assert_true(shield_rolled(a));
	mem_deref(a);
	mem_deref(b);
}


/* A new key: packets of the old one are on the way; the counter may begin
 * anew, or go on as RFC 3711 says */
static void test_rekey(void **state)
{
	const struct media_suite *m = suite("AEAD_AES_256_GCM");
	static const uint8_t fresh[MEDIA_KEY_MAX] = { 9, 9, 9 };
	struct pkt late, k;
	struct shield *a, *b;
	(void)state;

	a = shield(m, master, other);
	b = shield(m, other, master);
	roll(a, b);
	late = sealed(a, 7, 60);

	assert_int_equal(shield_key(b, m, other, fresh, NULL, 0, 1000), 0);
	assert_int_equal(opened(b, late), 0);
	assert_int_equal(shield_key(a, m, fresh, other, NULL, 0, 1000), 0);
	assert_int_equal(opened(b, sealed(a, 7, 61)), 0);
	assert_int_equal(opened(b, sealed(a, 7, 62)), 0);

	/* the old key is void after a while */
	mem_deref(a);
	a = shield(m, master, other);
	k = sealed(a, 7, 70);
	assert_int_equal(shield_open(b, false, k.p, &k.len, 100000000),
			 EBADMSG);
	mem_deref(a);
	mem_deref(b);

	/* a peer whose counter goes on */
	a = shield(m, master, other);
	b = shield(m, other, master);
	roll(a, b);
	mem_deref(a);
	a = shield(m, fresh, other);
	for (unsigned n = 0; n < 0x10000 + 10; n += 10)
		(void)sealed(a, 7, (uint16_t)n);
	assert_int_equal(shield_key(b, m, other, fresh, NULL, 0, 1000), 0);
	assert_int_equal(opened(b, sealed(a, 7, 63)), 0);
	assert_int_equal(opened(b, sealed(a, 7, 64)), 0);
	mem_deref(a);
	mem_deref(b);
}


static struct media_plan secure_plan(unsigned no, bool right)
{
	struct media_plan p = rig_plan("pcmu", 1 - no);

	p.secure.keying = MEDIA_KEYS_SDES;
	p.secure.suite = suite("AEAD_AES_256_GCM");
	memcpy(p.secure.tx, no ? other : master, MEDIA_KEY_MAX);
	memcpy(p.secure.rx, no ? master : right ? other : master,
	       MEDIA_KEY_MAX);

	return p;
}


/* Two flows: heard with the key, silent and counted without */
static void test_flows(void **state)
{
	(void)state;

	for (unsigned right = 0; right < 2; right++) {
		struct rig *r = rig_new();
		struct stream_stats st;

		rig_flow(r, 1);
		rig_flow(r, 0);
		for (unsigned i = 0; i < 2; i++) {
			const struct media_plan p = secure_plan(i, right);

			rig_start(r, i, &p);
		}
		rig_run(r, 1000);

		flow_stats(r->ends[0].f, &st);
		if (right) {
			assert_in_range(st.packets_received, 45, 51);
			assert_int_equal(st.forged, 0);
		}
		else {
			assert_int_equal(st.packets_received, 0);
			assert_in_range(st.forged, 45, 55);
		}
		assert_string_equal(st.suite->name, "AEAD_AES_256_GCM");
		/* nothing of it is in plain on the wire */
		assert_int_equal(r->ends[0].last_len, 12 + 160 + 16);
		assert_memory_not_equal(r->ends[0].last + 12,
					"\xff\xff\xff\xff\xff\xff\xff\xff", 8);
		rig_free(r);
	}
}


/* A forged stream of packets neither moves the peer nor is heard */
static void test_no_move(void **state)
{
	struct rig *r = rig_new();
	struct sa evil = rig_addr(3);
	struct stream_stats st;
	(void)state;

	rig_flow(r, 1);
	rig_flow(r, 0);
	for (unsigned i = 0; i < 2; i++) {
		const struct media_plan p = secure_plan(i, true);

		rig_start(r, i, &p);
	}
	rig_run(r, 500);
	for (unsigned i = 0; i < 200; i++) {
		struct pkt k = packet_of(r->ends[1].f->tx.ssrc,
					 (uint16_t)(i * 300));
		struct packet p = {
			.p = k.p, .len = k.len + 16, .from = &evil,
			.arrival_us = clock_us()
		};

		flow_packet(r->ends[0].f, &p);
	}
	rig_run(r, 500);

	flow_stats(r->ends[0].f, &st);
	assert_int_equal(st.forged + st.replayed, 200);
	assert_int_equal(st.moves, 0);
	assert_in_range(st.packets_received, 45, 51);
	rig_free(r);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answer),
		cmocka_unit_test(test_gcm_cross),
		cmocka_unit_test(test_every_suite),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_rtcp),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_same_keys),
		cmocka_unit_test(test_rekey),
		cmocka_unit_test(test_flows),
		cmocka_unit_test(test_no_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
