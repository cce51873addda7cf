/**
 * @file test_keys.c  a=crypto and a=fingerprint, and who agrees with whom
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <cmocka.h>
#include "keys.h"

#define K30 "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"   /* RFC 4568 6.1     */

struct side {
	struct nego n;
	struct ability ab;
};


static void side_init(struct side *s, enum secure_policy policy, bool sdes,
		      bool dtls, uint8_t key)
{
	memset(s, 0, sizeof(*s));
	nego_init(&s->n, 1000);
	memset(s->n.key, key, sizeof(s->n.key));
	assert_int_equal(0, ability_codecs(&s->ab, "pcmu"));
	assert_int_equal(0, sa_set_str(&s->ab.rtp, "198.51.100.2", 4000));
	s->ab.dir = MEDIA_SENDRECV;
	s->ab.param.ptime_ms = 20;
	s->ab.secure.policy = policy;
	s->ab.secure.sdes = sdes;
	s->ab.secure.dtls = dtls;
	str_ncpy(s->ab.secure.print.hash, "sha-256",
		 sizeof(s->ab.secure.print.hash));
	s->ab.secure.print.len = 32;
	memset(s->ab.secure.print.v, key, 32);
}


static char *text(struct mbuf *mb)
{
	char *s = NULL;

	assert_int_equal(0, mbuf_strdup(mb, &s, mb->end));
	mem_deref(mb);

	return s;
}


static char *offer(struct side *s)
{
	struct mbuf *mb = NULL;

	assert_int_equal(0, nego_offer(&mb, &s->n, &s->ab));

	return text(mb);
}


static char *reply(struct side *s)
{
	struct mbuf *mb = NULL;

	assert_int_equal(0, nego_answer(&mb, &s->n, &s->ab));

	return text(mb);
}


static int crypto(struct crypto_line *c, const char *s)
{
	return crypto_read(c, s, strlen(s));
}


static void test_crypto(void **state)
{
	static const char *const bad[] = {
		"", "1", "1 AES_CM_128_HMAC_SHA1_80", "x " "AES_CM_128_HMAC_"
		"SHA1_80 inline:" K30,
		"-1 AES_CM_128_HMAC_SHA1_80 inline:" K30,
		"4294967297 AES_CM_128_HMAC_SHA1_80 inline:" K30,
		"1 AES_CM_128_HMAC_SHA1_80 outline:" K30,
		"1 AES_CM_128_HMAC_SHA1_80 inline:" K30 "AAAA",
		"1 AES_CM_128_HMAC_SHA1_80 inline:d0Rm",
		"1 AES_CM_128_HMAC_SHA1_80 inline:",
		"1 AES_CM_128_HMAC_SHA1_80 inline:!0RmdmcmVCspeEc3QGZiNWpVLFJh"
		"QX1cfHAwJSoj",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" K30 "|",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" K30 "|2^99",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" K30 "|2^20|1:",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" K30 "|2^20|:4",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" K30 "|2^20|300:1",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" K30 "|2^20|1:4|x",
	};
	static const char *const foreign[] = {
		"1 F8_128_HMAC_SHA1_80 inline:" K30,
		"1 AES_CM_128_HMAC_SHA1_80 inline:" K30 ";inline:" K30,
		"1 AES_CM_128_HMAC_SHA1_80 inline:" K30 " UNENCRYPTED_SRTP",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" K30 " KDR=5",
		"1 AES_CM_128_HMAC_SHA1_80 inline:" K30 "|2^20|1:64",
	};
	struct crypto_line c;
	char buf[256];
	(void)state;

	assert_int_equal(crypto(&c, "1 AES_CM_128_HMAC_SHA1_80 inline:" K30
				"|2^20|1:4 FEC_ORDER=FEC_SRTP"), ENOTSUP);
	assert_int_equal(crypto(&c, "7  aes_cm_128_hmac_sha1_80\tinline:" K30
				"|2^20|258:4 WSH=1024 -X=y KDR=0"), 0);
	assert_int_equal(c.tag, 7);
	assert_string_equal(c.suite->name, "AES_CM_128_HMAC_SHA1_80");
	assert_memory_equal(c.key, "wDfvg&T+)xG7@fb5jU,RaA}\\|p0%*#", 30);
	assert_int_equal(c.mki_len, 4);
	assert_memory_equal(c.mki, "\0\0\1\2", 4);
	assert_int_equal(crypto_print(buf, sizeof(buf), 7, c.suite, c.key), 0);
	assert_string_equal(buf, "7 AES_CM_128_HMAC_SHA1_80 inline:" K30);
	assert_int_equal(crypto_print(buf, 40, 7, c.suite, c.key), EOVERFLOW);

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		if (crypto(&c, bad[i]) != EBADMSG)
			fail_msg("%s", bad[i]);
	}
	for (size_t i = 0; i < COUNT_OF(foreign); i++) {
		if (crypto(&c, foreign[i]) != ENOTSUP)
			fail_msg("%s", foreign[i]);
	}

	/* every suite, and the "=" may be missing */
	for (size_t i = 0; i < MEDIA_SUITES; i++) {
		const struct media_suite *s = &media_suite_table()[i];
		uint8_t key[MEDIA_KEY_MAX];

		for (size_t k = 0; k < sizeof(key); k++)
			key[k] = (uint8_t)(251 * k + i);
		assert_int_equal(crypto_print(buf, sizeof(buf), 1, s, key), 0);
		assert_int_equal(crypto(&c, buf), 0);
		assert_ptr_equal(c.suite, s);
		assert_memory_equal(c.key, key, s->key_len + s->salt_len);
		while (buf[strlen(buf) - 1] == '=')
			buf[strlen(buf) - 1] = '\0';
		assert_int_equal(crypto(&c, buf), 0);
		assert_memory_equal(c.key, key, s->key_len + s->salt_len);
	}
}


static void test_print(void **state)
{
	static const char sha1[] = "SHA-1 4A:AD:B9:B1:3F:82:18:3B:54:02:12:"
		"DF:3E:5D:49:6B:19:E5:7C:AB";
	struct media_print p;
	char buf[256];
	(void)state;

	assert_int_equal(print_read(&p, sha1, strlen(sha1)), 0);
	assert_string_equal(p.hash, "sha-1");
	assert_int_equal(p.len, 20);
	assert_int_equal(p.v[19], 0xab);
	assert_int_equal(print_print(buf, sizeof(buf), &p), 0);
	assert_string_equal(buf + 6, sha1 + 6);
	assert_int_equal(print_print(buf, 65, &p), EOVERFLOW);

	for (size_t len = 0; len < strlen(sha1); len++)
		assert_int_not_equal(print_read(&p, sha1, len), 0);
	assert_int_equal(print_read(&p, "md5 00", 6), ENOTSUP);
	assert_int_equal(print_read(&p, "", 0), EBADMSG);
}


/* What comes of two sides that want and can this and that */
static void test_matrix(void **state)
{
	(void)state;

	for (unsigned i = 0; i < 3 * 4 * 3 * 4; i++) {
		const enum secure_policy pa = (enum secure_policy)(i % 3);
		const enum secure_policy pb = (enum secure_policy)(i / 3 % 3);
		const bool sa = i / 9 & 1, da = i / 18 & 1;
		const bool sb = i / 36 & 1, db = i / 72 & 1;
		const bool may = pa != SECURE_OFF && pb != SECURE_OFF;
		const bool must = pa == SECURE_REQUIRE || pb == SECURE_REQUIRE;
		const enum media_keying want =
			may && da && db ? MEDIA_KEYS_DTLS :
			may && sa && sb ? MEDIA_KEYS_SDES : MEDIA_KEYS_NONE;
		struct media_plan qa, qb;
		struct side a, b;
		char *o, *r;
		int code;

		side_init(&a, pa, sa, da, 'a');
		side_init(&b, pb, sb, db, 'b');

		/* what is required has a way, the call sees to that */
		if ((pa == SECURE_REQUIRE && !sa && !da) ||
		    (pb == SECURE_REQUIRE && !sb && !db))
			continue;

		o = offer(&a);
		assert_int_equal(!!strstr(o, "/SAVP"), pa == SECURE_REQUIRE);
		assert_int_equal(!!strstr(o, "a=crypto:"),
				 pa != SECURE_OFF && sa);
		assert_int_equal(!!strstr(o, "a=fingerprint:"),
				 pa != SECURE_OFF && da);
		code = nego_take(&qb, NULL, &b.n, &b.ab, o, strlen(o));

		if (want == MEDIA_KEYS_NONE && must) {
			if (code != 488)
				fail_msg("%u: taken\n%s", i, o);
			mem_deref(o);
			nego_reset(&a.n);
			nego_reset(&b.n);
			continue;
		}
		if (code)
			fail_msg("%u: %d for\n%s", i, code, o);

		r = reply(&b);
		code = nego_result(&qa, NULL, &a.n, &a.ab, r, strlen(r));
		if (code)
			fail_msg("%u: %d for\n%s", i, code, r);
		assert_int_equal(qa.secure.keying, want);
		assert_int_equal(qb.secure.keying, want);

		if (want == MEDIA_KEYS_SDES) {
			assert_string_equal(qa.secure.suite->name,
					    "AEAD_AES_256_GCM");
			assert_ptr_equal(qa.secure.suite, qb.secure.suite);
			assert_memory_equal(qa.secure.tx, qb.secure.rx, 44);
			assert_memory_equal(qa.secure.rx, qb.secure.tx, 44);
			assert_int_equal(qa.secure.tx[0], 'a');
			assert_int_equal(qa.secure.rx[0], 'b');
			assert_null(strstr(r, "a=crypto:2"));
		}
		if (want == MEDIA_KEYS_DTLS) {
			assert_true(qb.secure.active);
			assert_false(qa.secure.active);
			assert_int_equal(qa.secure.print.v[3], 'b');
			assert_int_equal(qb.secure.print.v[3], 'a');
			assert_true(qa.rtcp_mux && qb.rtcp_mux);
			assert_null(strstr(r, "a=crypto"));
		}
		mem_deref(o);
		mem_deref(r);

		/* once more, from the other side: the same is agreed */
		o = offer(&b);
		assert_int_equal(nego_take(&qa, NULL, &a.n, &a.ab, o,
					   strlen(o)), 0);
		r = reply(&a);
		{
			const struct media_secure was = qb.secure;

			assert_int_equal(nego_result(&qb, NULL, &b.n, &b.ab, r,
						     strlen(r)), 0);
			assert_true(media_secure_equal(&was, &qb.secure));
		}
		mem_deref(o);
		mem_deref(r);
		nego_reset(&a.n);
		nego_reset(&b.n);
	}
}

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n" \
	"c=IN IP4 192.0.2.1\r\nt=0 0\r\n"
#define FP "a=fingerprint:sha-256 " \
	"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:" \
	"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n"
#define C80 "a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:" K30 "\r\n"
#define C32 "a=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:" K30 "\r\n"


/* What others offer */
static void test_offers(void **state)
{
	static const struct {
		enum secure_policy policy;
		const char *sdp;
		int code;
		enum media_keying keying;
		const char *said;        /* stands in our answer            */
	} v[] = {
		{ SECURE_PREFER, "m=audio 9000 RTP/SAVP 0\r\n" C32 C80, 0,
		  MEDIA_KEYS_SDES, "RTP/SAVP 0\r\n" },
		{ SECURE_PREFER, "m=audio 9000 RTP/SAVP 0\r\n" C32 C80, 0,
		  MEDIA_KEYS_SDES, "a=crypto:4 AES_CM_128_HMAC_SHA1_80 " },
		{ SECURE_PREFER, "m=audio 9000 RTP/SAVPF 0\r\n" C32, 0,
		  MEDIA_KEYS_SDES, "RTP/SAVPF 0\r\n" },
		{ SECURE_REQUIRE, "m=audio 9000 RTP/AVPF 0\r\n" C80, 0,
		  MEDIA_KEYS_SDES, "RTP/AVPF 0\r\n" },
		{ SECURE_REQUIRE, "m=audio 9000 RTP/AVP 0\r\n", 488, 0, "" },
		{ SECURE_PREFER, "m=audio 9000 RTP/AVP 0\r\n", 0,
		  MEDIA_KEYS_NONE, "RTP/AVP 0\r\n" },
		{ SECURE_OFF, "m=audio 9000 RTP/AVP 0\r\n" C80 FP, 0,
		  MEDIA_KEYS_NONE, "RTP/AVP 0\r\n" },
		{ SECURE_OFF, "m=audio 9000 RTP/SAVP 0\r\n" C80, 488, 0, "" },
		{ SECURE_PREFER, "m=audio 9000 RTP/SAVP 0\r\n", 488, 0, "" },
		{ SECURE_PREFER, "m=audio 9000 RTP/SAVP 0\r\n"
		  "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:short\r\n", 488,
		  0, "" },
		/* keys of SDES do not belong there */
		{ SECURE_PREFER, "m=audio 9000 UDP/TLS/RTP/SAVP 0\r\n" C80,
		  488, 0, "" },
		{ SECURE_PREFER, "m=audio 9000 UDP/TLS/RTP/SAVPF 0\r\n" FP
		  "a=setup:actpass\r\na=rtcp-mux\r\n", 0, MEDIA_KEYS_DTLS,
		  "a=setup:active\r\n" },
		{ SECURE_REQUIRE, "m=audio 9000 UDP/TLS/RTP/SAVP 0\r\n" FP
		  "a=setup:active\r\n", 0, MEDIA_KEYS_DTLS,
		  "a=setup:passive\r\n" },
		{ SECURE_PREFER, "m=audio 9000 UDP/TLS/RTP/SAVP 0\r\n" FP
		  "a=setup:holdconn\r\n", 488, 0, "" },
		/* one of two, though it comes second */
		{ SECURE_PREFER, "m=audio 9000 RTP/AVP 0\r\n"
		  "m=audio 9002 RTP/SAVP 0\r\n" C80, 0, MEDIA_KEYS_SDES,
		  "m=audio 0 RTP/AVP 0\r\n" },
		{ SECURE_OFF, "m=audio 9002 RTP/SAVP 0\r\n" C80
		  "m=audio 9000 RTP/AVP 0\r\n", 0, MEDIA_KEYS_NONE,
		  "m=audio 0 RTP/SAVP 0\r\n" },
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(v); i++) {
		struct media_plan plan;
		char sdp[1024], *r;
		struct side s;
		int code;

		side_init(&s, v[i].policy, true, true, 'k');
		(void)snprintf(sdp, sizeof(sdp), HEAD "%s", v[i].sdp);
		code = nego_take(&plan, NULL, &s.n, &s.ab, sdp, strlen(sdp));
		if (code != v[i].code)
			fail_msg("%zu: %d for %s", i, code, v[i].sdp);
		if (!code) {
			r = reply(&s);
			if (plan.secure.keying != v[i].keying ||
			    !strstr(r, v[i].said))
				fail_msg("%zu: %s", i, r);
			mem_deref(r);
		}
		nego_reset(&s.n);
	}
}


/* An answer may take what was offered and nothing else */
static void test_answers(void **state)
{
	static const struct {
		const char *attr;
		int code;
	} v[] = {
		{ "RTP/SAVP 0\r\na=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:"
		  K30 "\r\n", 0 },
		{ "RTP/SAVP 0\r\na=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:"
		  K30 "\r\n", 488 },
		{ "RTP/SAVP 0\r\na=crypto:99 AES_CM_128_HMAC_SHA1_80 inline:"
		  K30 "\r\n", 488 },
		{ "RTP/SAVP 0\r\n", 488 },
		{ "RTP/AVP 0\r\n", 488 },
		{ "RTP/SAVP 0\r\n" FP "a=setup:active\r\n", 488 },
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(v); i++) {
		struct media_plan plan;
		char sdp[1024];
		struct side s;
		int code;

		side_init(&s, SECURE_REQUIRE, true, false, 'k');
		mem_deref(offer(&s));
		(void)snprintf(sdp, sizeof(sdp), HEAD "m=audio 9000 %s",
			       v[i].attr);
		code = nego_result(&plan, NULL, &s.n, &s.ab, sdp,
				   strlen(sdp));
		if (code != v[i].code)
			fail_msg("%zu: %d", i, code);
		nego_reset(&s.n);
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crypto),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_matrix),
		cmocka_unit_test(test_offers),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
