/**
 * @file test_stack.c  Listening: which addresses, which ports, and the end
 */
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include "wire.h"


static const struct sip_stack_h none;
static char err[256];


static int setup(void **state)
{
	(void)state;
	*err = '\0';

	return libre_init() || timers_open();
}


static int teardown(void **state)
{
	(void)state;

	stack = mem_deref(stack);
	assert_int_equal(timers_count(), 0);
	timers_close();
	libre_close();

	return 0;
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)


static int open_at(const char *addr, uint16_t port, bool udp, bool tcp)
{
	struct sip_listen_addr la = {.udp = udp, .tcp = tcp};
	const struct sip_stack_conf conf = {.addrv = &la, .addrc = 1};

	(void)sa_set_str(&la.addr, addr, port);

	return sip_stack_alloc(&stack, &conf, &none, NULL, err, sizeof(err));
}


/* A foreign socket on that port, or on a free one. @return its descriptor */
static int taker(int type, uint16_t *port)
{
	const int on = 1;
	struct sa sa;
	int fd;

	(void)sa_set_str(&sa, "127.0.0.1", *port);
	fd = socket(AF_INET, type, 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
#ifdef SO_REUSEPORT
	/* one that would share it with libre */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
#endif
	assert_int_equal(bind(fd, &sa.u.sa, sa.len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	sa.len = sizeof(sa.u);
	assert_int_equal(getsockname(fd, &sa.u.sa, &sa.len), 0);
	*port = sa_port(&sa);

	return fd;
}


static void test_named_port(void **state)
{
	enum sip_transp tp;
	uint16_t port = 0;
	struct sa sa;
	int fd;
	(void)state;

	fd = taker(SOCK_DGRAM, &port);
	assert_int_equal(open_at("127.0.0.1", port, true, true), EADDRINUSE);
	assert_null(stack);
	assert_non_null(strstr(err, "cannot listen on udp:127.0.0.1:"));
	assert_null(strchr(err, '\n'));
	(void)close(fd);

	fd = taker(SOCK_STREAM, &port);
	assert_int_equal(open_at("127.0.0.1", port, true, true), EADDRINUSE);
	assert_null(stack);
	assert_non_null(strstr(err, "cannot listen on tcp:127.0.0.1:"));
	(void)close(fd);

	assert_int_equal(open_at("127.0.0.1", port, true, true), 0);
	assert_string_equal(sip_stack_note(stack), "");
	assert_true(sip_stack_listener(stack, 0, &sa, &tp));
	assert_int_equal(tp, SIP_TRANSP_UDP);
	assert_int_equal(sa_port(&sa), port);
	assert_true(sip_stack_listener(stack, 1, &sa, &tp));
	assert_int_equal(tp, SIP_TRANSP_TCP);
	assert_int_equal(sa_port(&sa), port);
	assert_false(sip_stack_listener(stack, 2, &sa, &tp));
}


/* 5060 is ours or somebody's: in both cases a second stack must move */
static void test_free_port(void **state)
{
	struct sip_stack *first;
	enum sip_transp tp;
	struct sa a, b;
	(void)state;

	assert_int_equal(open_at("127.0.0.1", 0, true, true), 0);
	first = stack;
	stack = NULL;

	assert_int_equal(open_at("127.0.0.1", 0, true, true), 0);
	assert_true(sip_stack_listener(first, 0, &a, &tp));
	assert_true(sip_stack_listener(stack, 0, &a, &tp));
	assert_true(sip_stack_listener(stack, 1, &b, &tp));
	assert_int_equal(sa_port(&a), sa_port(&b));
	assert_int_not_equal(sa_port(&a), 5060);
	assert_non_null(strstr(sip_stack_note(stack), "port 5060 is taken"));

	mem_deref(first);
}


static void test_bad_address(void **state)
{
	(void)state;

	assert_int_equal(open_at("192.0.2.77", 0, true, true),
			 EADDRNOTAVAIL);
	assert_non_null(strstr(err, "no such address"));
	assert_null(stack);
	assert_int_equal(open_at("127.0.0.1", 0, false, false), EINVAL);
	assert_true(*err);
}


static void test_merged_address(void **state)
{
	struct sip_listen_addr la[2] = {{.udp = true}, {.tcp = true}};
	const struct sip_stack_conf conf = {.addrv = la, .addrc = 2};
	(void)state;

	(void)sa_set_str(&la[0].addr, "127.0.0.1", 0);
	(void)sa_set_str(&la[1].addr, "127.0.0.1", 0);
	assert_int_equal(sip_stack_alloc(&stack, &conf, &none, NULL, err,
					 sizeof(err)), 0);
	assert_int_equal(list_count(&stack->legl), 1);
}


static void test_default(void **state)
{
	const struct sip_stack_conf conf = {0};
	struct sa dst, src, sa;
	enum sip_transp tp;
	bool lo = false;
	size_t i;
	(void)state;

	assert_int_equal(sip_stack_alloc(&stack, &conf, &none, NULL, err,
					 sizeof(err)), 0);

	for (i = 0; sip_stack_listener(stack, i, &sa, &tp); i++) {
		assert_false(sa_is_linklocal(&sa));
		assert_false(sa_is_any(&sa));
		lo |= sa_is_loopback(&sa);
	}
	assert_true(lo);

	(void)sa_set_str(&dst, "127.0.0.7", 0);
	assert_int_equal(sip_stack_source(stack, &dst, &src), 0);
	assert_true(sa_is_loopback(&src));
}


static void test_legs(void **state)
{
	struct sip_listen_addr la[2] = {{.udp = true, .tcp = true},
					{.udp = true}};
	const struct sip_stack_conf conf = {.addrv = la, .addrc = 2};
	struct leg *one, *two;
	struct sip_msg msg;
	struct mbuf *mb;
	struct sa dst;
	char *s;
	(void)state;

	(void)sa_set_str(&la[0].addr, "127.0.0.1", 0);
	(void)sa_set_str(&la[1].addr, "127.0.0.2", 0);
	assert_int_equal(sip_stack_alloc(&stack, &conf, &none, NULL, err,
					 sizeof(err)), 0);
	one = list_ledata(stack->legl.head);
	two = list_ledata(stack->legl.tail);
	assert_ptr_not_equal(one, two);

	/* the leg of the same address, else the first that can */
	(void)sa_set_str(&dst, "127.0.0.2", 0);
	assert_ptr_equal(stack_leg(stack, &dst, SIP_TRANSP_UDP), two);
	assert_ptr_equal(stack_leg(stack, &dst, SIP_TRANSP_TCP), one);
	(void)sa_set_str(&dst, "127.0.0.3", 0);
	assert_ptr_equal(stack_leg(stack, &dst, SIP_TRANSP_UDP), one);
	/* from loopback nothing leaves the machine */
	(void)sa_set_str(&dst, "192.0.2.1", 0);
	assert_null(stack_leg(stack, &dst, SIP_TRANSP_UDP));
	(void)sa_set_str(&dst, "::1", 0);
	assert_null(stack_leg(stack, &dst, SIP_TRANSP_UDP));

	memset(&msg, 0, sizeof(msg));
	msg.tp = SIP_TRANSP_UDP;
	msg.dst = two->udp;
	assert_ptr_equal(stack_leg_msg(stack, &msg), two);
	/* a connection of our own: its port is another */
	msg.tp = SIP_TRANSP_TCP;
	msg.dst = one->tcp;
	sa_set_port(&msg.dst, 1);
	assert_ptr_equal(stack_leg_msg(stack, &msg), one);

	mb = mbuf_alloc(64);
	assert_int_equal(leg_contact(mb, one, SIP_TRANSP_TCP, "us",
				     false), 0);
	mb->pos = 0;
	assert_int_equal(mbuf_strdup(mb, &s, mb->end), 0);
	assert_non_null(strstr(s, "<sip:us@127.0.0.1:"));
	assert_non_null(strstr(s, ";transport=tcp>"));
	mem_deref(s);
	mem_deref(mb);
}


static void test_ipv6(void **state)
{
	struct sa dst;
	(void)state;

	if (open_at("::1", 0, true, true) == EADDRNOTAVAIL)
		skip();

	assert_non_null(stack);
	(void)sa_set_str(&dst, "::1", 0);
	assert_non_null(stack_leg(stack, &dst, SIP_TRANSP_TCP));
}


static struct {
	unsigned rx, tx;
	char text[4000];         /* of the last one received             */
} traced;


static void trace_h(bool tx, enum sip_transp tp, const struct sa *local,
		    const struct sa *peer, const char *text, size_t len,
		    void *arg)
{
	(void)tp;
	(void)arg;

	assert_true(sa_port(local) && sa_port(peer));

	if (tx) {
		++traced.tx;
		return;
	}

	++traced.rx;
	(void)re_snprintf(traced.text, sizeof(traced.text), "%b", text, len);
}


static void test_trace(void **state)
{
	struct wire *w;
	(void)state;

	assert_int_equal(wire_alloc(&w, false), 0);
	assert_int_equal(request_status(
		w, "OPTIONS sip:b@h SIP/2.0", "Authorization: Digest "
		"username=\"u\", response=\"0123456789abcdef\"\r\n", ""),
		200);
	assert_int_equal(traced.rx, 1);
	assert_int_equal(traced.tx, 1);
	assert_non_null(strstr(traced.text, "OPTIONS sip:b@h SIP/2.0"));
	assert_null(strstr(traced.text, "0123456789abcdef"));
	mem_deref(w);
}


static int trace_setup(void **state)
{
	memset(&traced, 0, sizeof(traced));
	stack_h.trace_h = trace_h;

	return wire_setup(state);
}


static bool closed;


static void close_h(void *arg)
{
	(void)arg;
	closed = true;
}


static bool is_closed(void *arg)
{
	(void)arg;

	return closed;
}


static void test_close(void **state)
{
	(void)state;

	assert_int_equal(open_at("127.0.0.1", 0, true, true), 0);
	closed = false;
	sip_stack_close(stack, 5000, close_h, NULL);
	assert_false(closed);
	assert_true(loop_until(is_closed, NULL, WAIT_MS));
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_named_port),
		TEST(test_free_port),
		TEST(test_bad_address),
		TEST(test_merged_address),
		TEST(test_default),
		TEST(test_legs),
		TEST(test_ipv6),
		TEST(test_close),
		cmocka_unit_test_setup_teardown(test_trace, trace_setup,
						wire_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
