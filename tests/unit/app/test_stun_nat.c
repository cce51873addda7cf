/**
 * @file test_stun_nat.c  Answers of a STUN server, right and wrong
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "stun_nat.h"

static const uint8_t tid[12] = "abcdefghijkl";


static size_t head(uint8_t *p, unsigned type, unsigned len)
{
	const uint8_t h[8] = {
		(uint8_t)(type >> 8), (uint8_t)type, (uint8_t)(len >> 8),
		(uint8_t)len, 0x21, 0x12, 0xa4, 0x42,
	};

	memcpy(p, h, sizeof(h));
	memcpy(p + 8, tid, sizeof(tid));

	return 20;
}


static void reads(void **state)
{
	/* 192.0.2.1:32853, XORed as in RFC 5769 */
	static const uint8_t xored[] = {
		0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12,
		0xa6, 0x43,
	};
	static const uint8_t other[] = {
		0x80, 0x2c, 0x00, 0x08, 0x00, 0x01, 0x0d, 0x97, 192, 0, 2, 9,
	};
	struct sa mapped, alt;
	uint8_t p[100];
	size_t n;
	(void)state;

	n = head(p, 0x0101, 24);
	memcpy(p + n, xored, 12);
	memcpy(p + n + 12, other, 12);
	assert_int_equal(stun_answer_read(p, n + 24, tid, &mapped, &alt), 0);
	assert_int_equal(sa_in(&mapped), 0xc0000201);
	assert_int_equal(sa_port(&mapped), 32853);
	assert_int_equal(sa_in(&alt), 0xc0000209);
	assert_int_equal(sa_port(&alt), 3479);

	/* an old server says it plainly; who has one address names no other */
	n = head(p, 0x0101, 12);
	memcpy(p + n, other, 12);
	p[n] = 0;
	p[n + 1] = 1;
	assert_int_equal(stun_answer_read(p, n + 12, tid, &mapped, &alt), 0);
	assert_int_equal(sa_in(&mapped), 0xc0000209);
	assert_false(sa_isset(&alt, SA_ADDR));
}


static void wrong(void **state)
{
	struct sa mapped, alt;
	uint8_t p[100] = { 0 };
	size_t n = head(p, 0x0101, 12);
	(void)state;

	/* no address in it */
	p[n + 3] = 8;
	assert_int_equal(stun_answer_read(p, n + 12, tid, &mapped, &alt),
			 EBADMSG);
	/* cut off, and a length beyond the end */
	for (size_t i = 0; i < n + 12; i++)
		assert_int_equal(stun_answer_read(p, i, tid, &mapped, &alt),
				 EBADMSG);
	p[n + 3] = 200;
	assert_int_equal(stun_answer_read(p, n + 12, tid, &mapped, &alt),
			 EBADMSG);
	/* not to our question */
	p[8] ^= 1;
	assert_int_equal(stun_answer_read(p, n + 12, tid, &mapped, &alt),
			 EBADMSG);
	/* an error; a request */
	n = head(p, 0x0111, 0);
	assert_int_equal(stun_answer_read(p, n, tid, &mapped, &alt), EPROTO);
	n = head(p, 0x0001, 0);
	assert_int_equal(stun_answer_read(p, n, tid, &mapped, &alt), EBADMSG);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads),
		cmocka_unit_test(wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
