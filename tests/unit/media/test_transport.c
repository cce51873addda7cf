/**
 * @file test_transport.c  RTP's header, and real sockets on loopback
 */
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "rig.h"


static void test_header(void **state)
{
	const struct rtp h = {
		.marker = true, .pt = 111, .seq = 0xfedc, .ts = 0x01020304,
		.ssrc = 0xa0b0c0d0
	};
	uint8_t p[64] = { 0 };
	struct rtp r;
	(void)state;

	rtp_write(p, &h);
	memcpy(p + 12, "payload", 7);
	assert_int_equal(rtp_read(&r, p, 19), 0);
	assert_true(r.marker);
	assert_int_equal(r.pt, 111);
	assert_int_equal(r.seq, 0xfedc);
	assert_int_equal(r.ts, 0x01020304);
	assert_int_equal(r.ssrc, 0xa0b0c0d0);
	assert_int_equal(r.len, 7);
	assert_memory_equal(r.payload, "payload", 7);

	/* nothing is a payload, too */
	assert_int_equal(rtp_read(&r, p, 12), 0);
	assert_int_equal(r.len, 0);
	assert_int_equal(rtp_read(&r, p, 11), EBADMSG);
	p[0] = 0x40;
	assert_int_equal(rtp_read(&r, p, 19), EBADMSG);
}


static void test_header_extras(void **state)
{
	/* two CSRC, an extension of one word, three bytes of padding */
	static const uint8_t p[] = {
		0xb2, 0x00, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3,
		1, 1, 1, 1, 2, 2, 2, 2,
		0xbe, 0xde, 0, 1, 9, 9, 9, 9,
		'a', 'b', 'c', 0, 0, 3
	};
	uint8_t q[sizeof(p)];
	struct rtp r;
	(void)state;

	assert_int_equal(rtp_read(&r, p, sizeof(p)), 0);
	assert_int_equal(r.len, 3);
	assert_memory_equal(r.payload, "abc", 3);

	/* cut anywhere it reads nothing beyond its end */
	for (size_t len = 0; len < sizeof(p); len++) {
		uint8_t *exact = malloc(len ? len : 1);

		memcpy(exact, p, len);
		if (!rtp_read(&r, exact, len))
			assert_true(r.payload + r.len <= exact + len);
		free(exact);
	}

	/* padding that is none, or more than there is */
	memcpy(q, p, sizeof(p));
	q[sizeof(q) - 1] = 0;
	assert_int_equal(rtp_read(&r, q, sizeof(q)), EBADMSG);
	q[sizeof(q) - 1] = 7;
	assert_int_equal(rtp_read(&r, q, sizeof(q)), EBADMSG);
	q[sizeof(q) - 1] = 6;
	assert_int_equal(rtp_read(&r, q, sizeof(q)), 0);
	assert_int_equal(r.len, 0);

	/* an extension longer than the packet */
	memcpy(q, p, sizeof(p));
	q[22] = 0xff;
	assert_int_equal(rtp_read(&r, q, sizeof(q)), EBADMSG);
}


static struct transport open_pair(uint16_t min, uint16_t max, int expect)
{
	struct transport t;
	struct sa local;

	memset(&t, 0, sizeof(t));
	assert_int_equal(sa_set_str(&local, "127.0.0.1", 0), 0);
	assert_int_equal(transport_open(&t, &local, min, max), expect);

	return t;
}


static void test_ports(void **state)
{
	/* a range that only this test is likely to use */
	const uint16_t min = (uint16_t)(52001 + getpid() % 2000 * 4);
	struct transport a, b, c;
	(void)state;

	a = open_pair(min, (uint16_t)(min + 4), 0);
	assert_int_equal(sa_port(&a.local) % 2, 0);
	assert_in_range(sa_port(&a.local), min, min + 3);
	b = open_pair(min, (uint16_t)(min + 4), 0);
	assert_int_not_equal(sa_port(&a.local), sa_port(&b.local));

	/* two pairs are all there is */
	c = open_pair(min, (uint16_t)(min + 4), EADDRINUSE);
	assert_int_equal(c.rtp, -1);

	transport_close(&a);
	c = open_pair(min, (uint16_t)(min + 4), 0);
	assert_int_equal(sa_port(&c.local), sa_port(&a.local));
	transport_close(&b);
	transport_close(&c);

	c = open_pair(5000, 5000, EINVAL);
}


static void test_no_descriptors(void **state)
{
	struct rlimit was, now;
	const int fd = dup(0);
	(void)state;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	now = was;
	now.rlim_cur = (rlim_t)fd;
	close(fd);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	(void)open_pair(50000, 51000, EMFILE);
	/* room for one socket only: it is given back */
	now.rlim_cur = (rlim_t)fd + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	(void)open_pair(50000, 51000, EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(dup(0), fd);
	close(fd);
}


static void loopback(const char *addr)
{
	struct transport a, b;
	struct inbox *in = NULL;
	struct packet *pv;
	struct sa local;
	uint64_t before;
	unsigned n = 0;

	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	assert_int_equal(sa_set_str(&local, addr, 0), 0);
	assert_int_equal(transport_open(&a, &local, 40000, 60000), 0);
	assert_int_equal(transport_open(&b, &local, 40000, 60000), 0);
	assert_int_equal(inbox_alloc(&in), 0);

	transport_aim(&a, &b.local, &b.local, false);
	transport_aim(&b, &a.local, &a.local, false);

	/* a hundred wait: they come in two portions, in order */
	inbox_sync(in);
	before = clock_us();
	for (unsigned i = 0; i < 100; i++) {
		const uint8_t c = (uint8_t)i;

		assert_int_equal(transport_send(&a, false, &c, 1), 0);
	}
	for (unsigned turn = 0; turn < 2; turn++) {
		const unsigned k = transport_recv(&b, false, in, &pv);

		assert_int_equal(k, turn ? 36 : 64);
		for (unsigned i = 0; i < k; i++) {
			assert_int_equal(pv[i].len, 1);
			assert_int_equal(pv[i].p[0], n++);
			assert_true(sa_cmp(pv[i].from, &a.local, SA_ALL));
			/* wall and our clock are read one after the other */
			assert_in_range(pv[i].arrival_us, before - 1000,
					clock_us());
		}
	}
	assert_int_equal(transport_recv(&b, false, in, &pv), 0);

	/* what is too large for RTP is not taken */
	uint8_t big[PACKET_MAX + 1] = { 0 };

	assert_int_equal(transport_send(&a, false, big, sizeof(big)), 0);
	assert_int_equal(transport_send(&a, false, big, PACKET_MAX), 0);
	assert_int_equal(transport_recv(&b, false, in, &pv), 1);
	assert_int_equal(pv[0].len, PACKET_MAX);

	transport_close(&a);
	transport_close(&b);
	mem_deref(in);
}


static void test_loopback(void **state)
{
	struct sa v6;
	int fd;
	(void)state;

	media_thread = THREAD_MAIN | THREAD_MEDIA;
	loopback("127.0.0.1");

	/* where there is IPv6 at all */
	assert_int_equal(sa_set_str(&v6, "::1", 0), 0);
	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (fd >= 0 && !bind(fd, &v6.u.sa, v6.len))
		loopback("::1");
	if (fd >= 0)
		close(fd);
}


static void test_nowhere(void **state)
{
	struct transport t;
	struct sa none;
	(void)state;

	memset(&t, 0, sizeof(t));
	memset(&none, 0, sizeof(none));
	t.rtp = t.rtcp = -1;
	transport_aim(&t, &none, &none, false);
	assert_int_equal(transport_send(&t, false, (const uint8_t *)"x", 1),
			 EDESTADDRREQ);
	assert_int_equal(transport_send(&t, true, (const uint8_t *)"x", 1),
			 EDESTADDRREQ);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_header_extras),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_no_descriptors),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
