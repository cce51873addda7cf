/**
 * @file test_sdp.c  Reading session descriptions
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "sdp.h"


#define HEAD "v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\n"
#define CONN "c=IN IP4 192.0.2.1\r\nt=0 0\r\n"


static struct desc *must(const char *text)
{
	struct desc *d = NULL;

	assert_int_equal(0, desc_read(&d, text, strlen(text)));
	assert_non_null(d);

	return d;
}


static void refuse(int err, const char *text)
{
	struct desc *d = NULL;

	if (err != desc_read(&d, text, strlen(text)))
		fail_msg("not refused as %d: %s", err, text);
	assert_null(d);
}


static void usual(void **state)
{
	struct desc *d = must(
		"v=0\r\n"
		"o=alice 2890844526 18446744073709551615 IN IP4"
		" host.example.com\r\n"
		"s= \r\n"
		"i=a call\r\n"
		CONN
		"a=recvonly\r\n"
		"m=audio 49170 RTP/AVP 0 98 101\r\n"
		"a=rtpmap:98 opus/48000/2\r\n"
		"a=fmtp:98 useinbandfec=1;  stereo=0\r\n"
		"a=rtpmap:101 telephone-event/8000\r\n"
		"a=ptime:30\r\n"
		"a=maxptime:60\r\n"
		"a=rtcp:53020\r\n"
		"a=rtcp-mux\r\n"
		"a=rtcp-rsize\r\n"
		"m=video 51372 RTP/AVP 31 32\r\n"
		"c=IN IP6 2001:db8::1\r\n"
		"a=sendonly\r\n"
		"m=application 0 TCP/MRCPv2 1\r\n");
	const struct desc_media *m = &d->mediav[0];
	(void)state;

	assert_int_equal(2890844526, d->id);
	assert_true(UINT64_MAX == d->version);
	assert_int_equal(3, d->mediac);

	assert_int_equal(0, pl_strcmp(&m->type, "audio"));
	assert_int_equal(0, pl_strcmp(&m->proto, "RTP/AVP"));
	assert_int_equal(49170, m->port);
	assert_int_equal(3, m->fmtc);
	assert_int_equal(0, m->fmtv[0].pt);
	assert_false(pl_isset(&m->fmtv[0].name));
	assert_int_equal(98, m->fmtv[1].pt);
	assert_int_equal(0, pl_strcmp(&m->fmtv[1].name, "opus"));
	assert_int_equal(48000, m->fmtv[1].clock_hz);
	assert_int_equal(2, m->fmtv[1].channels);
	assert_int_equal(0, pl_strcmp(&m->fmtv[1].fmtp,
				      "useinbandfec=1;  stereo=0"));
	assert_int_equal(0, m->fmtv[2].channels);
	assert_int_equal(MEDIA_RECVONLY, m->dir);
	assert_int_equal(30, m->ptime_ms);
	assert_int_equal(60, m->maxptime_ms);
	assert_int_equal(53020, m->rtcp_port);
	assert_false(desc_addr_given(&m->rtcp_addr));
	assert_true(m->rtcp_mux);
	assert_true(m->rtcp_rsize);
	assert_int_equal(AF_INET, sa_af(&m->addr));

	m = &d->mediav[1];
	assert_int_equal(AF_INET6, sa_af(&m->addr));
	assert_int_equal(MEDIA_SENDONLY, m->dir);
	assert_int_equal(2, m->fmtc);
	assert_false(m->rtcp_mux);
	assert_false(m->rtcp_rsize);

	m = &d->mediav[2];
	assert_int_equal(0, m->port);
	assert_int_equal(AF_INET, sa_af(&m->addr));
	assert_int_equal(MEDIA_RECVONLY, m->dir);

	mem_deref(d);
}


static void line_ends(void **state)
{
	static const char *const texts[] = {
		"v=0\no=- 1 2 IN IP4 192.0.2.1\nm=audio 8 RTP/AVP 0\n",
		"v=0\no=- 1 2 IN IP4 192.0.2.1\nm=audio 8 RTP/AVP 0",
		"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\nm=audio 8 RTP/AVP 0",
		("v=0 \r\no=- 1 2 IN IP4 192.0.2.1 \n"
		 "m=audio 8  RTP/AVP \t0 \r\r\n\r\n\n"),
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct desc *d = must(texts[i]);

		assert_int_equal(1, d->mediac);
		assert_int_equal(8, d->mediav[0].port);
		assert_int_equal(1, d->mediav[0].fmtc);
		assert_int_equal(0, d->mediav[0].fmtv[0].pt);
		mem_deref(d);
	}
}


static void addresses(void **state)
{
	static const struct {
		const char *c;
		bool usable;
	} v[] = {
		{ "IN IP4 192.0.2.1", true },
		{ "in ip4 0.0.0.0", true },
		{ "IN IP6 ::1", true },
		{ "IN IP6 ::", true },
		{ "IN IP6 2001:db8::ffff", true },
		{ "IN IP4 phone.example.com", false },
		{ "IN IP4 224.2.1.1/127/3", false },
		{ "IN IP4 224.2.1.1", false },
		{ "IN IP4 255.255.255.255", false },
		{ "IN IP4 192.0.2.1/127", false },
		{ "IN IP4 192.0.2.256", false },
		{ "IN IP4 192.0.2", false },
		{ "IN IP4 2001:db8::1", false },
		{ "IN IP6 192.0.2.1", false },
		{ "IN IP6 ff02::1", false },
		{ "IN IP6 2001:db8:::1", false },
		{ "IN IP6 [2001:db8::1]", false },
		{ "ATM NSAP 47.0091", false },
		{ ("IN IP4 111111111111111111111111111111111111111111111111111"
		   "1111111111111111111111111111111111"), false },
	};
	(void)state;

	for (size_t i = 0; i < COUNT_OF(v); i++) {
		char text[512];
		struct desc *d;

		(void)re_snprintf(text, sizeof(text), HEAD "c=%s\r\n"
				  "m=audio 8 RTP/AVP 0\r\n", v[i].c);
		d = must(text);
		if (v[i].usable != desc_addr_given(&d->mediav[0].addr))
			fail_msg("%s", v[i].c);
		mem_deref(d);
	}
}


/* What is strange in an attribute is as if it were not there */
static void attributes(void **state)
{
	struct desc *d = must(HEAD CONN
		"a=tool:x\r\na=\r\na=:\r\na=rtpmap:0 X/1\r\n"
		"m=audio 8 RTP/AVP 0 96 96 97 200 x 98 99\r\n"
		"a=rtpmap:96 A/8000\r\n"
		"a=rtpmap:96 B/16000\r\n"
		"a=rtpmap:97\r\n"
		"a=rtpmap:97 C\r\n"
		"a=rtpmap:97 C/\r\n"
		"a=rtpmap:97 C/0\r\n"
		"a=rtpmap:97 C/4294967297\r\n"
		"a=rtpmap:97 C/-8000\r\n"
		"a=rtpmap:97 /8000\r\n"
		"a=rtpmap:97 C/8000/0\r\n"
		"a=rtpmap:98 D/8000/1 trailing\r\n"
		"a=rtpmap:200 E/8000\r\n"
		"a=rtpmap:4294967392 F/8000\r\n"
		"a=rtpmap:11 G/8000\r\n"
		"a=fmtp:99\r\n"
		"a=fmtp:97   x\r\n"
		"a=fmtp:97 y\r\n"
		"a=ptime:20.5\r\n"
		"a=ptime:4294967316\r\n"
		"a=maxptime:-1\r\n"
		"a=rtcp:0\r\n"
		"a=rtcp:70000\r\n"
		"a=rtcp:5000 IN IP4 host.example.com\r\n"
		"a=sendonly:1\r\n");
	const struct desc_media *m = &d->mediav[0];
	(void)state;

	assert_int_equal(8, m->fmtc);
	assert_int_equal(0, pl_strcmp(&m->fmtv[1].name, "A"));
	assert_int_equal(8000, m->fmtv[1].clock_hz);
	assert_false(pl_isset(&m->fmtv[2].name));
	assert_int_equal(97, m->fmtv[3].pt);
	assert_false(pl_isset(&m->fmtv[3].name));
	assert_int_equal(-1, m->fmtv[4].pt);
	assert_int_equal(-1, m->fmtv[5].pt);
	assert_false(pl_isset(&m->fmtv[4].name));
	assert_int_equal(0, pl_strcmp(&m->fmtv[6].name, "D"));
	assert_int_equal(0, pl_strcmp(&m->fmtv[3].fmtp, "x"));
	assert_false(pl_isset(&m->fmtv[7].fmtp));
	assert_false(pl_isset(&m->fmtv[0].name));
	assert_int_equal(0, m->ptime_ms);
	assert_int_equal(0, m->maxptime_ms);
	assert_int_equal(0, m->rtcp_port);

	mem_deref(d);
}


static void malformed(void **state)
{
	(void)state;

	refuse(EBADMSG, "");
	refuse(EBADMSG, "\r\n");
	refuse(EBADMSG, "hello");
	refuse(EBADMSG, "v=1\r\n");
	refuse(EBADMSG, "v=\r\n");
	refuse(EBADMSG, "v=0\r\n");                       /* no origin */
	refuse(EBADMSG, "o=- 1 2 IN IP4 192.0.2.1\r\nv=0\r\n");
	refuse(EBADMSG, HEAD "v=0\r\n");
	refuse(EBADMSG, HEAD "o=- 1 2 IN IP4 192.0.2.1\r\n");
	refuse(EBADMSG, "v=0\r\no=- 1 IN IP4 192.0.2.1\r\n");
	refuse(EBADMSG, "v=0\r\no=- x 2 IN IP4 192.0.2.1\r\n");
	refuse(EBADMSG, "v=0\r\no=- 1 -2 IN IP4 192.0.2.1\r\n");
	refuse(EBADMSG, "v=0\r\no=- 1 18446744073709551616 IN IP4 1.2.3.4\r\n");
	refuse(EBADMSG, "v=0\r\no=- 1 2 IN IP4 192.0.2.1 more\r\n");
	refuse(EBADMSG, HEAD "c=IN IP4\r\n");
	refuse(EBADMSG, HEAD "c=IN IP4 1.2.3.4 5\r\n");
	refuse(EBADMSG, HEAD "y=0100000001\r\n");
	refuse(EBADMSG, HEAD "V=0\r\n");
	refuse(EBADMSG, HEAD "m =audio 8 RTP/AVP 0\r\n");
	refuse(EBADMSG, HEAD "\r\nm=audio 8 RTP/AVP 0\r\n");
	refuse(EBADMSG, HEAD "maudio 8 RTP/AVP 0\r\n");
	refuse(EBADMSG, HEAD "m=\r\n");
	refuse(EBADMSG, HEAD "m=audio\r\n");
	refuse(EBADMSG, HEAD "m=audio 8\r\n");
	refuse(EBADMSG, HEAD "m=audio 8 RTP/AVP\r\n");
	refuse(EBADMSG, HEAD "m=audio x RTP/AVP 0\r\n");
	refuse(EBADMSG, HEAD "m=audio -8 RTP/AVP 0\r\n");
	refuse(EBADMSG, HEAD "m=audio 65536 RTP/AVP 0\r\n");
	refuse(EBADMSG, HEAD "m=audio 4294967304 RTP/AVP 0\r\n");
	refuse(EBADMSG, HEAD "m=audio 8/x RTP/AVP 0\r\n");
	refuse(EBADMSG, HEAD "m=audio 8/0 RTP/AVP 0\r\n");
	refuse(EBADMSG, HEAD "m=aud\xffio 8 RTP/AVP 0\r\n");
	refuse(EBADMSG, HEAD "m=audio 8 RTP/\x1b[2J 0\r\n");
	refuse(EBADMSG, HEAD "m=audio8901234567890123456789012345678901234567"
	       "89012345678901234567890123456789 8 RTP/AVP 0\r\n");
}


static void nul(void **state)
{
	static const char text[] = HEAD "m=audio 8 RTP/AVP 0\0\r\n";
	struct desc *d = NULL;
	(void)state;

	assert_int_equal(EBADMSG, desc_read(&d, text, sizeof(text) - 1));
	assert_null(d);
}


static void limits(void **state)
{
	struct mbuf *mb = mbuf_alloc(70000);
	struct desc *d = NULL;
	(void)state;

	assert_non_null(mb);

	/* as many formats as there are payload types, and not one more */
	mbuf_write_str(mb, HEAD "m=audio 8 RTP/AVP");
	for (unsigned i = 0; i < 128; i++)
		mbuf_printf(mb, " %u", i);
	assert_int_equal(0, desc_read(&d, (char *)mb->buf, mb->end));
	assert_int_equal(128, d->mediav[0].fmtc);
	assert_int_equal(127, d->mediav[0].fmtv[127].pt);
	d = mem_deref(d);
	mbuf_write_str(mb, " 0");
	assert_int_equal(EOVERFLOW, desc_read(&d, (char *)mb->buf, mb->end));

	/* 32 lines */
	mbuf_rewind(mb);
	mbuf_write_str(mb, HEAD);
	for (unsigned i = 0; i < 32; i++)
		mbuf_printf(mb, "m=audio %u RTP/AVP 0\n", i);
	assert_int_equal(0, desc_read(&d, (char *)mb->buf, mb->end));
	assert_int_equal(32, d->mediac);
	assert_int_equal(31, d->mediav[31].port);
	d = mem_deref(d);
	mbuf_write_str(mb, "m=audio 9 RTP/AVP 0\n");
	assert_int_equal(EOVERFLOW, desc_read(&d, (char *)mb->buf, mb->end));

	/* 64 KiB */
	mbuf_rewind(mb);
	mbuf_write_str(mb, HEAD "i=");
	while (mb->end < 65536)
		mbuf_write_u8(mb, 'x');
	assert_int_equal(0, desc_read(&d, (char *)mb->buf, mb->end));
	assert_int_equal(0, d->mediac);
	d = mem_deref(d);
	mbuf_write_u8(mb, 'x');
	assert_int_equal(EOVERFLOW, desc_read(&d, (char *)mb->buf, mb->end));

	mem_deref(mb);
}


/* Text in memory of exactly its size, so that the sanitizer sees one byte
 * too far */
static void read_exact(const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);
	struct desc *d = NULL;

	memcpy(copy, text, len);
	if (!desc_read(&d, copy, len)) {
		for (unsigned i = 0; i < d->mediac; i++) {
			assert_true(d->mediav[i].fmtc > 0);
			assert_true(d->mediav[i].fmtc <= DESC_FORMATS_MAX);
		}
	}
	mem_deref(d);
	free(copy);
}


static void mutations(void **state)
{
	static const char text[] = HEAD CONN "a=sendrecv\r\n"
		"m=audio 49170/2 RTP/AVP 0 98 101\r\n"
		"a=rtpmap:98 opus/48000/2\r\na=fmtp:98 useinbandfec=1\r\n"
		"a=rtcp:53020 IN IP4 192.0.2.9\r\na=ptime:20\r\n"
		"m=video 51372 RTP/AVP 31\nc=IN IP6 ::1\n";
	static const char odd[] = "\r\n =:/\0\xff" "09avmoc-\t";
	const size_t len = sizeof(text) - 1;
	uint32_t seed = 1;
	char copy[2 * sizeof(text)];
	(void)state;

	/* cut off anywhere */
	for (size_t i = 0; i <= len; i++)
		read_exact(text, i);

	/* every byte as every odd one */
	for (size_t i = 0; i < len; i++) {
		for (size_t k = 0; k < sizeof(odd); k++) {
			memcpy(copy, text, len);
			copy[i] = odd[k];
			read_exact(copy, len);
		}
	}

	/* pieces doubled, left out, overwritten; always the same ones */
	for (unsigned round = 0; round < 20000; round++) {
		size_t n = len;

		memcpy(copy, text, len);
		for (unsigned k = 0; k < 1 + round % 4; k++) {
			size_t from, to, cnt;

			seed = seed * 1664525 + 1013904223;
			from = (seed >> 8) % n;
			seed = seed * 1664525 + 1013904223;
			to = (seed >> 8) % n;
			cnt = (seed >> 24) % 40;
			if (from + cnt > n)
				cnt = n - from;
			if (to + cnt > n)
				cnt = n - to;
			if (seed & 64)
				memmove(copy + to, copy + from, cnt);
			else if (cnt && n > 2 * cnt) {
				memmove(copy + to, copy + to + cnt,
					n - to - cnt);
				n -= cnt;
			}
			else
				copy[to] = odd[(seed >> 16) % sizeof(odd)];
		}
		read_exact(copy, n);
	}
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual),
		cmocka_unit_test(line_ends),
		cmocka_unit_test(addresses),
		cmocka_unit_test(attributes),
		cmocka_unit_test(malformed),
		cmocka_unit_test(nul),
		cmocka_unit_test(limits),
		cmocka_unit_test(mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
