/**
 * @file test_srtp_judge.c  Our SRTP and libsrtp2, each with the other's packets
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <srtp2/srtp.h>
#include "bytes.h"
#include "priv.h"
#include "transform.h"

enum { SSRC = 0xcafebabe };

struct pkt {
	_Alignas(8) uint8_t p[512];
	size_t len;
};

/* As it spells the suites, in the order of our table. Not those of AES-192:
 * its packets are not the ones that the keys of RFC 6188 7.4 make, which
 * test_transform.c compares ours with */
typedef void (set_h)(srtp_crypto_policy_t *p);
static set_h *const rtp_policy[MEDIA_SUITES] = {
	srtp_crypto_policy_set_aes_gcm_256_16_auth,
	srtp_crypto_policy_set_aes_gcm_128_16_auth,
	srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
	srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32,
	NULL, NULL,
	srtp_crypto_policy_set_rtp_default,
	srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32,
};
static set_h *const rtcp_policy[MEDIA_SUITES] = {
	srtp_crypto_policy_set_aes_gcm_256_16_auth,
	srtp_crypto_policy_set_aes_gcm_128_16_auth,
	srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
	srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80,
	NULL, NULL,
	srtp_crypto_policy_set_rtp_default,
	srtp_crypto_policy_set_rtp_default,
};

/* Both ends of both */
struct pair {
	const struct media_suite *suite;
	struct transform *out, *in;
	srtp_t their_out, their_in;
};


static srtp_t theirs(unsigned i, uint8_t *key, bool out)
{
	srtp_policy_t p = { .key = key, .window_size = 1024 };
	srtp_t s;

	rtp_policy[i](&p.rtp);
	rtcp_policy[i](&p.rtcp);
	p.ssrc.type = out ? ssrc_any_outbound : ssrc_any_inbound;
	assert_int_equal(srtp_create(&s, &p), srtp_err_status_ok);

	return s;
}


static struct pair pair(unsigned i)
{
	struct pair v = { .suite = &media_suite_table()[i] };
	uint8_t key[MEDIA_KEY_MAX];

	for (unsigned b = 0; b < sizeof(key); b++)
		key[b] = (uint8_t)(rand() >> 7);
	assert_int_equal(transform_alloc(&v.out, v.suite, key, true), 0);
	assert_int_equal(transform_alloc(&v.in, v.suite, key, false), 0);
	v.their_out = theirs(i, key, true);
	v.their_in = theirs(i, key, false);

	return v;
}


static void pair_end(struct pair *v)
{
	mem_deref(v->out);
	mem_deref(v->in);
	(void)srtp_dealloc(v->their_out);
	(void)srtp_dealloc(v->their_in);
}


/* Any length of payload, also none; at times with contributors and an
 * extension */
static struct pkt rtp_packet(uint32_t ssrc, uint16_t seq)
{
	struct pkt k = { .len = 12 };
	const struct rtp h = { .seq = seq, .ts = seq * 160u, .ssrc = ssrc };
	const size_t n = (size_t)(seq % 211);

	rtp_write(k.p, &h);
	if (seq % 3 == 1) {
		k.p[0] |= 2;
		memset(k.p + k.len, 0x11, 8);
		k.len += 8;
	}
	if (seq % 5 == 1) {
		k.p[0] |= 0x10;
		memcpy(k.p + k.len, "\xbe\xde\0\1\x10\1\0\0", 8);
		k.len += 8;
	}
	for (size_t i = 0; i < n; i++)
		k.p[k.len++] = (uint8_t)(seq + 3 * i);

	return k;
}


static struct pkt rtcp_packet(uint32_t ssrc, unsigned n)
{
	struct pkt k = { .len = 8 + 4 * (n % 40) };

	memset(k.p, (int)n, k.len);
	k.p[0] = 0x81;
	k.p[1] = 200;
	k.p[2] = 0;
	k.p[3] = (uint8_t)(k.len / 4 - 1);
	put_u32(k.p + 4, ssrc);

	return k;
}


static struct pkt our_seal(struct pair *v, bool rtcp, struct pkt k)
{
	assert_int_equal(transform_seal(v->out, rtcp, k.p, &k.len), 0);

	return k;
}


static struct pkt their_seal(struct pair *v, bool rtcp, struct pkt k)
{
	int n = (int)k.len;

	assert_int_equal(rtcp ? srtp_protect_rtcp(v->their_out, k.p, &n) :
			 srtp_protect(v->their_out, k.p, &n),
			 srtp_err_status_ok);
	k.len = (size_t)n;

	return k;
}


static bool our_open(struct pair *v, bool rtcp, struct pkt k,
		     const struct pkt *want)
{
	if (transform_open(v->in, rtcp, k.p, &k.len))
		return false;
	assert_int_equal(k.len, want->len);
	assert_memory_equal(k.p, want->p, want->len);

	return true;
}


static bool their_open(struct pair *v, bool rtcp, struct pkt k,
		       const struct pkt *want)
{
	int n = (int)k.len;

	if (rtcp ? srtp_unprotect_rtcp(v->their_in, k.p, &n) :
	    srtp_unprotect(v->their_in, k.p, &n))
		return false;
	assert_int_equal(n, want->len);
	assert_memory_equal(k.p, want->p, want->len);

	return true;
}


/* Over the turn of the numbers twice, each sent by one, opened by the other;
 * at the same time all is byte for byte the same */
static void test_both_ways(void **state)
{
	(void)state;

	for (unsigned i = 0; i < MEDIA_SUITES; i++) {
		struct pair v;

		if (!rtp_policy[i])
			continue;
		v = pair(i);

		for (uint32_t n = 1; n < 2 * 0x10000 + 500;
		     n += n % 0x10000 < 300 || n % 0x10000 > 0xff00 ? 1 : 97) {
			const struct pkt k = rtp_packet(SSRC, (uint16_t)n);
			const struct pkt a = our_seal(&v, false, k);
			const struct pkt b = their_seal(&v, false, k);

			assert_int_equal(a.len, b.len);
			assert_memory_equal(a.p, b.p, a.len);
			assert_true(our_open(&v, false, b, &k));
			assert_true(their_open(&v, false, a, &k));
		}
		pair_end(&v);
	}
}


static void test_rtcp(void **state)
{
	(void)state;

	for (unsigned i = 0; i < MEDIA_SUITES; i++) {
		struct pair v;

		if (!rtp_policy[i])
			continue;
		v = pair(i);

		for (unsigned n = 0; n < 200; n++) {
			const struct pkt k = rtcp_packet(SSRC + n % 3, n);
			const struct pkt a = our_seal(&v, true, k);
			const struct pkt b = their_seal(&v, true, k);

			assert_int_equal(a.len, b.len);
			assert_true(our_open(&v, true, b, &k));
			assert_true(their_open(&v, true, a, &k));
			/* and not twice */
			assert_false(our_open(&v, true, b, &k));
			assert_false(their_open(&v, true, a, &k));
		}
		pair_end(&v);
	}
}


/* Shuffled, doubled and lost on the way, around a turn: what the judge takes
 * we take, and nothing else */
static void test_disorder(void **state)
{
	enum { N = 2000, FIRST = 0x10000 - N / 2 };
	static struct pkt plain[N], wire[N];
	(void)state;

	for (unsigned i = 0; i < MEDIA_SUITES; i++) {
		struct pair v;

		if (!rtp_policy[i])
			continue;
		v = pair(i);
		unsigned taken = 0;

		for (unsigned n = 0; n < N; n++) {
			plain[n] = rtp_packet(SSRC, (uint16_t)(FIRST + n));
			wire[n] = their_seal(&v, false, plain[n]);
		}
		assert_true(our_open(&v, false, wire[0], &plain[0]));
		assert_true(their_open(&v, false, wire[0], &plain[0]));

		for (unsigned n = 0; n < 3 * N; n++) {
			const int at = (int)(n / 3) + rand() % 400 - 200;
			bool ours, judge;

			if (at < 0 || at >= N)
				continue;
			ours = our_open(&v, false, wire[at], &plain[at]);
			judge = their_open(&v, false, wire[at], &plain[at]);
			assert_int_equal(ours, judge);
			taken += ours;
		}
		assert_in_range(taken, N / 2, N);
		pair_end(&v);
	}
}


/* A packet with any byte changed, or cut anywhere, is refused and changes
 * nothing: the right one is taken afterwards */
static void test_tampering(void **state)
{
	(void)state;

	for (unsigned i = 0; i < 2 * MEDIA_SUITES; i++) {
		const bool rtcp = i % 2;
		const struct pkt k = rtcp ? rtcp_packet(SSRC, 9) :
			rtp_packet(SSRC, 31);
		struct pair v;
		struct pkt w;

		if (!rtp_policy[i / 2])
			continue;
		v = pair(i / 2);
		w = their_seal(&v, rtcp, k);

		for (size_t at = 0; at < w.len; at++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				struct pkt bad = w, was;

				bad.p[at] ^= (uint8_t)(1u << bit);
				was = bad;
				assert_int_not_equal(
					transform_open(v.in, rtcp, bad.p,
						       &bad.len), 0);
				assert_int_equal(bad.len, was.len);
				assert_memory_equal(bad.p, was.p, was.len);
			}
		}
		for (size_t len = 0; len < w.len; len++) {
			struct pkt bad = w;

			bad.len = len;
			assert_false(our_open(&v, rtcp, bad, &k));
		}
		/* longer than it was */
		for (unsigned more = 1; more < 40; more++) {
			struct pkt bad = w;

			bad.len += more;
			assert_false(our_open(&v, rtcp, bad, &k));
		}
		assert_true(our_open(&v, rtcp, w, &k));
		pair_end(&v);
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),
		cmocka_unit_test(test_rtcp),
		cmocka_unit_test(test_disorder),
		cmocka_unit_test(test_tampering),
	};

	srand(1);
	if (srtp_init() != srtp_err_status_ok)
		return 1;

	return cmocka_run_group_tests(tests, NULL, NULL);
}
