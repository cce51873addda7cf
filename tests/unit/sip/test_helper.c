/**
 * @file test_helper.c  STUN and TURN servers by name, on a name service of text
 */
#include "zone.h"


static struct {
	unsigned done;
	char list[1000];         /* "udp 192.0.2.1:3478\n..."                */
	char why[128];
	struct sip_helpers *q;
	bool free_inside;
} got;


static void found_h(const struct sip_helper *v, unsigned n, const char *why,
		    void *arg)
{
	(void)arg;

	++got.done;
	strcpy(got.why, why);
	for (unsigned i = 0; i < n; i++) {
		char one[100];

		(void)re_snprintf(one, sizeof(one), "%s %J\n",
				  sip_transp_name(v[i].tp), &v[i].addr);
		(void)strncat(got.list, one, sizeof(got.list) -
			      strlen(got.list) - 1);
	}
	if (got.free_inside)
		got.q = mem_deref(got.q);
}


static int setup(void **state)
{
	memset(&got, 0, sizeof(got));

	return zone_setup(state);
}


static int teardown(void **state)
{
	got.q = mem_deref(got.q);

	return zone_teardown(state);
}


static void ask(bool turn, const char *host, uint16_t port,
		enum sip_transp tp, int af)
{
	const struct sip_helpers_conf conf = {
		.turn = turn, .host = host, .port = port, .tp = tp, .af = af,
	};
	const uint64_t start = clock_ms();

	got.q = mem_deref(got.q);
	memset(&got, 0, sizeof(got));
	zone_log[0] = '\0';
	names_forget(zone_stack.names);
	assert_int_equal(sip_helpers_find(&got.q, &zone_stack, &conf, found_h,
					  NULL), 0);
	assert_int_equal(got.done, 0);          /* never from inside */

	timers_advance(0);
	while (!got.done && clock_ms() - start <= 2 * RESOLVE_MS)
		timers_advance(10);
	assert_int_equal(got.done, 1);
}


static const struct zone records[] = {
	{"example.com", NAME_NAPTR, "20 10 s RELAY:turn.tcp - _t.example.com", 0},
	{"example.com", NAME_NAPTR, "10 20 s RELAY:turn.udp - _u.example.com", 0},
	{"example.com", NAME_NAPTR, "10 10 s RELAY:turn.dtls - _d.example.com", 0},
	{"example.com", NAME_NAPTR, "30 10 a RELAY:turn.tls - b.example.com", 0},
	{"example.com", NAME_NAPTR, "5 10 s SIP+D2U - _sip._udp.example.com", 0},
	{"_u.example.com", NAME_SRV, "20 0 5000 b.example.com", 0},
	{"_u.example.com", NAME_SRV, "10 0 4000 a.example.com", 0},
	{"_t.example.com", NAME_SRV, "10 0 6000 a.example.com", 0},
	{"_stun._udp.example.com", NAME_SRV, "10 0 3000 a.example.com", 0},
	{"_stun._udp.example.com", NAME_SRV, "20 0 3001 b.example.com", 0},
	{"a.example.com", NAME_HOST, "192.0.2.1", 0},
	{"a.example.com", NAME_HOST, "2001:db8::1", 0},
	{"b.example.com", NAME_HOST, "192.0.2.2", 0},
	{"_turn._udp.plain.example", NAME_SRV, "1 0 3478 a.example.com", 0},
	{"_turn._tcp.plain.example", NAME_SRV, "1 0 80 a.example.com", 0},
	{"_turns._tcp.plain.example", NAME_SRV, "1 0 443 b.example.com", 0},
	{"bare.example", NAME_HOST, "192.0.2.9", 0},
	{"_stun._udp.none.example", NAME_SRV, "0 0 0 -", 0},
	{"none.example", NAME_HOST, "192.0.2.8", 0},
	{"_stun._udp.slow.example", NAME_SRV, "SILENT", 0},
	{"slow.example", NAME_HOST, "192.0.2.7", 0},
	{NULL, NAME_HOST, NULL, 0}
};


static void test_stun(void **state)
{
	(void)state;

	zone = records;
	ask(false, "example.com", 0, SIP_TRANSP_UDP, AF_INET);
	assert_string_equal(got.list, "UDP 192.0.2.1:3000\n"
			    "UDP 192.0.2.2:3001\n");
	assert_int_equal(zone_count("NAPTR example.com"), 0);

	/* of the other family only what has it */
	ask(false, "example.com", 0, SIP_TRANSP_UDP, AF_INET6);
	assert_string_equal(got.list, "UDP [2001:db8::1]:3000\n");
}


/* A server by its own name, with a port, as an address */
static void test_named(void **state)
{
	(void)state;

	zone = records;
	ask(false, "bare.example", 0, SIP_TRANSP_UDP, AF_INET);
	assert_string_equal(got.list, "UDP 192.0.2.9:3478\n");
	assert_int_equal(zone_count("SRV _stun._udp.bare.example"), 1);

	ask(false, "example.com", 99, SIP_TRANSP_UDP, AF_INET);
	assert_string_equal(got.list, "");
	assert_int_equal(zone_count("SRV _stun._udp.example.com"), 0);
	ask(false, "bare.example", 99, SIP_TRANSP_UDP, AF_INET);
	assert_string_equal(got.list, "UDP 192.0.2.9:99\n");

	ask(true, "192.0.2.4", 0, SIP_TRANSP_TLS, AF_INET);
	assert_string_equal(got.list, "TLS 192.0.2.4:5349\n");
	ask(true, "192.0.2.4", 0, SIP_TRANSP_TLS, AF_INET6);
	assert_string_equal(got.list, "");
	assert_string_equal(got.why, "its address is of the other family");
	assert_int_equal(zone_log[0], '\0');
}


/* RFC 5928: NAPTR by order, SRV behind them; what we do not speak is left
 * out */
static void test_turn_naptr(void **state)
{
	(void)state;

	zone = records;
	ask(true, "example.com", 0, SIP_TRANSP_NONE, AF_INET);
	assert_non_null(strstr(got.list, "UDP 192.0.2.1:4000\n"
			       "UDP 192.0.2.2:5000\n"
			       "TCP 192.0.2.1:6000\n"));
	assert_non_null(strstr(got.list, "TLS 192.0.2.2:5349\n"));
	assert_int_equal(zone_count("SRV _d.example.com"), 0);
}


/* Without NAPTR: SRV of all that we speak; with a transport: of that one */
static void test_turn_srv(void **state)
{
	(void)state;

	zone = records;
	ask(true, "plain.example", 0, SIP_TRANSP_NONE, AF_INET);
	assert_string_equal(got.list, "UDP 192.0.2.1:3478\n"
			    "TCP 192.0.2.1:80\nTLS 192.0.2.2:443\n");
	assert_int_equal(zone_count("NAPTR plain.example"), 1);

	ask(true, "plain.example", 0, SIP_TRANSP_TLS, AF_INET);
	assert_string_equal(got.list, "TLS 192.0.2.2:443\n");
	assert_int_equal(zone_count("NAPTR plain.example"), 0);
	assert_int_equal(zone_count("SRV _turn._udp.plain.example"), 0);
}


static void test_nothing(void **state)
{
	(void)state;

	zone = records;
	ask(false, "none.example", 0, SIP_TRANSP_UDP, AF_INET);
	assert_string_equal(got.list, "");
	assert_non_null(strstr(got.why, "no such service"));

	ask(false, "absent.example", 0, SIP_TRANSP_UDP, AF_INET);
	assert_string_equal(got.list, "");
	assert_non_null(strstr(got.why, "absent.example"));

	ask(false, "not a name", 0, SIP_TRANSP_UDP, AF_INET);
	assert_string_equal(got.list, "");

	/* a name service that drops SRV questions costs its share of time */
	ask(false, "slow.example", 0, SIP_TRANSP_UDP, AF_INET);
	assert_string_equal(got.list, "UDP 192.0.2.7:3478\n");
}


static void test_let_go(void **state)
{
	const struct sip_helpers_conf conf = {
		.host = "example.com", .af = AF_INET, .tp = SIP_TRANSP_UDP,
	};
	(void)state;

	zone = records;
	assert_int_equal(sip_helpers_find(&got.q, &zone_stack, &conf, found_h,
					  NULL), 0);
	got.q = mem_deref(got.q);
	timers_advance(RESOLVE_MS);
	assert_int_equal(got.done, 0);

	got.free_inside = true;
	assert_int_equal(sip_helpers_find(&got.q, &zone_stack, &conf, found_h,
					  NULL), 0);
	for (unsigned i = 0; i < 100 && !got.done; i++)
		timers_advance(10);
	assert_int_equal(got.done, 1);
	assert_null(got.q);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(test_stun),
		T(test_named),
		T(test_turn_naptr),
		T(test_turn_srv),
		T(test_nothing),
		T(test_let_go),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
