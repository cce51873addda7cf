/**
 * @file test_portmap.c  PCP and NAT-PMP with a router of our own, good or bad
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include <offhook/clock.h>
#include <offhook/compat.h>
#include <offhook/portmap.h>
#include <offhook/timer.h>
#include "portmap_msg.h"

enum behaviour {
	GOOD,                    /* PCP                                      */
	OLD,                     /* NAT-PMP only, and says so                */
	DEAF_TO_PCP,             /* NAT-PMP only, and does not               */
	DENIES,
	STRANGE,                 /* a nonce of its own, then the right one   */
	LIES,                    /* an outer address that is none            */
	BABBLES,
};

/** The router: bytes by hand, so that nothing is tested by itself */
static struct router {
	enum behaviour how;
	int fd;
	struct compat_fd watch;
	struct sa addr;
	uint16_t port;           /* outer                                    */
	uint32_t life;
	unsigned asked, deleted, pmp;
	unsigned stop_at;        /* leave the loop after so many             */
	bool stop_deleted;
} r;

static struct portmap *m;
static struct timer guard;
static bool timed_out;
static unsigned told;
static int told_err;
static struct sa told_addr, local;


static void guard_h(void *arg)
{
	(void)arg;
	timed_out = true;
	re_cancel();
}


static void loop_run(void)
{
	timed_out = false;
	timer_start(&guard, 60000, guard_h, NULL);
	assert_int_equal(re_main(NULL), 0);
	timer_cancel(&guard);
	assert_false(timed_out);
}


static void told_h(int err, const struct sa *external, void *arg)
{
	(void)arg;
	++told;
	told_err = err;
	told_addr = *external;
	if (!r.stop_at && !r.stop_deleted)
		re_cancel();
}


static void answer(const struct sa *to, const uint8_t *p, size_t len)
{
	assert_true(sendto(r.fd, p, len, 0, &to->u.sa, to->len) ==
		    (ssize_t)len);
}


static void pcp(const struct sa *from, const uint8_t *q)
{
	uint8_t p[60] = { 2, 0x81, 0, 0 };

	memcpy(p + 4, q + 4, 4);
	if (q[4] | q[5] | q[6] | q[7]) {
		p[4] = (uint8_t)(r.life >> 24);
		p[5] = (uint8_t)(r.life >> 16);
		p[6] = (uint8_t)(r.life >> 8);
		p[7] = (uint8_t)r.life;
	}
	p[11] = (uint8_t)r.asked;
	memcpy(p + 24, q + 24, 18);
	p[42] = (uint8_t)(r.port >> 8);
	p[43] = (uint8_t)r.port;
	p[54] = p[55] = 0xff;
	memcpy(p + 56, "\xc0\x00\x02\x07", 4);

	if (r.how == DENIES) {
		p[3] = 2;
		memset(p + 4, 0, 4);
	}
	if (r.how == LIES)
		memcpy(p + 56, "\x7f\x00\x00\x01", 4);
	if (r.how == STRANGE) {
		p[24] ^= 1;
		answer(from, p, 60);
		p[24] ^= 1;
		p[41] ^= 1;
		answer(from, p, 60);
		p[41] ^= 1;
	}
	if (r.how == BABBLES) {
		for (size_t i = 0; i < 60; i++)
			answer(from, p, i);
		p[0] = 9;
	}
	answer(from, p, 60);
}


static void pmp(const struct sa *from, const uint8_t *q, size_t n)
{
	uint8_t p[16] = { 0, (uint8_t)(0x80 | q[1]), 0, 0, 0, 0, 0, 9 };

	if (n == 2) {
		memcpy(p + 8, "\xc0\x00\x02\x07", 4);
		answer(from, p, 12);
		return;
	}

	memcpy(p + 8, q + 4, 2);
	p[10] = (uint8_t)(r.port >> 8);
	p[11] = (uint8_t)r.port;
	memcpy(p + 12, q + 8, 4);
	answer(from, p, 16);
}


static void router_h(int flags, void *arg)
{
	uint8_t q[1200] = { 0 };
	struct sa from;
	ssize_t n;
	bool delete;
	(void)flags;
	(void)arg;

	from.len = sizeof(from.u);
	n = recvfrom(r.fd, q, sizeof(q), MSG_DONTWAIT, &from.u.sa, &from.len);
	assert_true(n == 60 || n == 12 || n == 2);

	++r.asked;
	delete = n == 60 ? !(q[4] | q[5] | q[6] | q[7]) :
		n == 12 && !(q[8] | q[9] | q[10] | q[11]);
	r.deleted += delete;
	r.pmp += n == 12;

	if (n != 60) {
		pmp(&from, q, (size_t)n);
	}
	else if (r.how == OLD) {
		const uint8_t p[8] = { 0, 0x81, 0, 1 };

		answer(&from, p, sizeof(p));
	}
	else if (r.how != DEAF_TO_PCP) {
		/* where a request must say what (RFC 6887 7.1, 11.1) */
		assert_int_equal(q[0], 2);
		assert_int_equal(q[1], 1);
		assert_memory_equal(q + 18, "\xff\xff\x7f\x00\x00\x01", 6);
		assert_int_equal(q[36], 17);
		assert_int_equal(q[40] << 8 | q[41], sa_port(&local));
		pcp(&from, q);
	}

	if ((r.stop_at && r.asked >= r.stop_at) ||
	    (r.stop_deleted && delete))
		re_cancel();
}


static int setup(void **state)
{
	(void)state;

	memset(&r, 0, sizeof(r));
	told = 0;
	told_err = -1;
	r.port = 40000;
	r.life = 600;

	if (libre_init() || timers_open() ||
	    sa_set_str(&local, "127.0.0.1", 5004) ||
	    sa_set_str(&r.addr, "127.0.0.1", 0))
		return -1;

	r.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	r.addr.len = sizeof(r.addr.u);
	return r.fd < 0 || bind(r.fd, &r.addr.u.sa, sizeof(r.addr.u.in)) ||
		getsockname(r.fd, &r.addr.u.sa, &r.addr.len) ||
		compat_fd_listen(&r.watch, r.fd, FD_READ, router_h, NULL);
}


static int teardown(void **state)
{
	(void)state;

	m = mem_deref(m);
	if (r.fd >= 0) {
		compat_fd_close(&r.watch);
		(void)close(r.fd);
	}
	timers_close();
	libre_close();

	return 0;
}


static void start(enum behaviour how, enum portmap_how want)
{
	r.how = how;
	assert_int_equal(portmap_alloc(&m, &local, &r.addr, want, 0, told_h,
				       NULL), 0);
	assert_int_equal(told, 0);
}


static void told_well(void)
{
	struct sa want;

	assert_int_equal(sa_set_str(&want, "192.0.2.7", 40000), 0);
	assert_int_equal(told_err, 0);
	assert_true(sa_cmp(&told_addr, &want, SA_ALL));
}


/* Asked for, and given back */
static void test_pcp(void **state)
{
	(void)state;

	start(GOOD, PORTMAP_AUTO);
	loop_run();
	told_well();
	assert_int_equal(r.pmp, 0);

	r.stop_deleted = true;
	m = mem_deref(m);
	loop_run();
	assert_int_equal(r.deleted, 1);
}


static void test_renewed(void **state)
{
	(void)state;

	r.life = 8;
	r.stop_at = 3;           /* asked, and twice more                   */
	start(GOOD, PORTMAP_PCP);
	loop_run();
	told_well();
	assert_int_equal(told, 1);       /* the same again is no news       */
}


/* Another port after a renewal is told */
static void test_changed(void **state)
{
	(void)state;

	r.life = 8;
	start(GOOD, PORTMAP_PCP);
	loop_run();
	told_well();
	r.port = 40002;
	loop_run();
	assert_int_equal(told, 2);
	assert_int_equal(sa_port(&told_addr), 40002);
}


static void natpmp(enum behaviour how, enum portmap_how want)
{
	start(how, want);
	loop_run();
	told_well();
	assert_true(r.pmp > 0);

	r.stop_deleted = true;
	m = mem_deref(m);
	loop_run();
	assert_int_equal(r.deleted, 1);
}


static void test_natpmp(void **state)
{
	(void)state;
	natpmp(OLD, PORTMAP_NATPMP);
}


static void test_falls_back(void **state)
{
	(void)state;
	natpmp(OLD, PORTMAP_AUTO);
}


static void test_falls_back_silently(void **state)
{
	(void)state;
	natpmp(DEAF_TO_PCP, PORTMAP_AUTO);
}


static void fails(enum behaviour how, enum portmap_how want, int err)
{
	start(how, want);
	loop_run();
	assert_int_equal(told_err, err);
	assert_false(sa_isset(&told_addr, SA_ADDR));
	assert_non_null(portmap_error(err));
}


static void test_denied(void **state)
{
	(void)state;
	fails(DENIES, PORTMAP_AUTO, EACCES);
}


static void test_lies(void **state)
{
	(void)state;
	fails(LIES, PORTMAP_AUTO, EPROTO);
}


/* PCP is wanted, and there is none */
static void test_old_only(void **state)
{
	(void)state;
	fails(OLD, PORTMAP_PCP, EPROTONOSUPPORT);
}


static void test_nobody(void **state)
{
	(void)state;

	compat_fd_close(&r.watch);
	(void)close(r.fd);
	r.fd = -1;
	fails(GOOD, PORTMAP_PCP, ECONNREFUSED);
}


/* Answers to somebody else's question are passed over */
static void test_strange(void **state)
{
	(void)state;

	start(STRANGE, PORTMAP_AUTO);
	loop_run();
	told_well();
	assert_int_equal(told, 1);
}


static void test_babbles(void **state)
{
	(void)state;
	fails(BABBLES, PORTMAP_PCP, ETIMEDOUT);
}


static void test_read(void **state)
{
	static const uint8_t pcp_ok[60] = {
		2, 0x81, 0, 0, 0, 0, 2, 0x58, 0, 0, 0, 77,
		[24] = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 17,
		[40] = 0x13, 0x8c, 0x9c, 0x40,
		[54] = 0xff, 0xff, 192, 0, 2, 7,
	};
	static const uint8_t pmp_ok[16] = {
		0, 0x81, 0, 0, 0, 0, 0, 9, 0x13, 0x8c, 0x9c, 0x40, 0, 0, 2,
		0x58,
	};
	struct portmap_answer a;
	uint8_t p[60];
	(void)state;

	assert_int_equal(portmap_read(&a, pcp_ok, 60), 0);
	assert_int_equal(a.kind, PORTMAP_MAP);
	assert_int_equal(a.lifetime, 600);
	assert_int_equal(a.epoch, 77);
	assert_int_equal(a.internal, 5004);
	assert_int_equal(a.external, 40000);
	assert_int_equal(sa_in(&a.addr), 0xc0000207);
	assert_int_equal(sa_port(&a.addr), 40000);
	for (size_t i = 0; i < 60; i++)
		assert_int_equal(portmap_read(&a, pcp_ok, i), EBADMSG);

	/* IPv6: a hole in the firewall */
	memcpy(p, pcp_ok, 60);
	p[44] = 0x20;
	assert_int_equal(portmap_read(&a, p, 60), 0);
	assert_int_equal(sa_af(&a.addr), AF_INET6);

	/* TCP was not asked for; a request is no answer */
	memcpy(p, pcp_ok, 60);
	p[36] = 6;
	assert_int_equal(portmap_read(&a, p, 60), EBADMSG);
	p[36] = 17;
	p[1] = 1;
	assert_int_equal(portmap_read(&a, p, 60), EBADMSG);

	assert_int_equal(portmap_read(&a, pmp_ok, 16), 0);
	assert_int_equal(a.internal, 5004);
	assert_int_equal(a.external, 40000);
	assert_int_equal(a.lifetime, 600);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(portmap_read(&a, pmp_ok, i), EBADMSG);
}


static void test_restarts(void **state)
{
	(void)state;

	assert_false(portmap_restarted(100, 130, 30));
	assert_false(portmap_restarted(100, 133, 30));
	assert_false(portmap_restarted(100, 99, 0));
	assert_true(portmap_restarted(100, 5, 30));
	assert_true(portmap_restarted(100, 200, 30));
	assert_true(portmap_restarted(100, 110, 600));
}


static void test_refuses(void **state)
{
	struct sa gw6;
	(void)state;

	assert_int_equal(sa_set_str(&gw6, "fe80::1", 0), 0);
	assert_int_equal(portmap_alloc(&m, &local, &gw6, PORTMAP_AUTO, 0,
				       told_h, NULL), EINVAL);
	assert_int_equal(portmap_alloc(&m, &local, &r.addr, PORTMAP_OFF, 0,
				       told_h, NULL), EINVAL);
	assert_int_equal(portmap_gateway(&gw6, &local), ENETUNREACH);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_pcp),
		T(test_renewed),
		T(test_changed),
		T(test_natpmp),
		T(test_falls_back),
		T(test_falls_back_silently),
		T(test_denied),
		T(test_lies),
		T(test_old_only),
		T(test_nobody),
		T(test_strange),
		T(test_babbles),
		T(test_refuses),
#undef T
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
