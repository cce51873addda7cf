/**
 * @file test_locate.c  RFC 3263 branch by branch, on a name service of text
 */
#include "zone.h"


static struct {
	unsigned done;
	uint64_t took_ms;
	bool found;
	struct sip_result res;
	struct target_list tl;
	struct target_query *q;
	bool free_inside;
} got;


static void found_h(const struct sip_result *err,
		    const struct target_list *tl, void *arg)
{
	(void)arg;

	++got.done;
	got.found = !err;
	if (err)
		got.res = *err;
	else
		got.tl = *tl;
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


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)


static void find_over(const char *uri, const char *transport)
{
	const uint64_t start = clock_ms();

	got.q = mem_deref(got.q);
	memset(&got, 0, sizeof(got));
	zone_log[0] = '\0';
	zone_asked = 0;

	assert_int_equal(target_find(&got.q, &zone_stack, uri, transport,
				     found_h, NULL), 0);
	assert_int_equal(got.done, 0);          /* never from inside */

	timers_advance(0);
	while (!got.done && clock_ms() - start <= 2 * RESOLVE_MS)
		timers_advance(10);

	assert_int_equal(got.done, 1);
	got.took_ms = clock_ms() - start;
}


static void find(const char *uri)
{
	find_over(uri, NULL);
}


/* "udp 127.0.0.1:5060\n..." */
static void assert_targets(const char *want)
{
	char text[1000] = "", one[100];
	unsigned i;

	if (!got.found)
		fail_msg("not found: %s", got.res.reason);

	for (i = 0; i < got.tl.n; i++) {
		const struct target *t = &got.tl.v[i];

		assert_non_null(t->leg);
		(void)re_snprintf(one, sizeof(one), "%s %J\n",
				  sip_transp_name(t->tp), &t->dst);
		(void)strncat(text, one, sizeof(text) - strlen(text) - 1);
	}

	assert_string_equal(text, want);
}


static void assert_failed(enum sip_cause cause, int err, const char *reason)
{
	assert_false(got.found);
	assert_string_equal(got.res.reason, reason);
	assert_string_equal(sip_cause_name(got.res.cause),
			    sip_cause_name(cause));
	assert_int_equal(got.res.err, err);
}


static const struct zone whole[] = {
	{"example.com", NAME_NAPTR, "50 50 s SIP+D2S - _sip._sctp.example.com", 0},
	{"example.com", NAME_NAPTR, "90 50 s SIP+D2T - _t.example.com", 0},
	{"example.com", NAME_NAPTR, "100 50 s SIP+D2U - _u.example.com", 0},
	{"_t.example.com", NAME_SRV, "20 1 5070 b.example.com", 0},
	{"_t.example.com", NAME_SRV, "10 1 5080 a.example.com", 0},
	{"_u.example.com", NAME_SRV, "10 1 5060 a.example.com", 0},
	{"a.example.com", NAME_HOST, "127.0.0.2", 0},
	{"a.example.com", NAME_HOST, "::1", 0},
	{"b.example.com", NAME_HOST, "127.0.0.3", 0},
	{NULL, 0, NULL, 0},
};


/* 4.1: the first service that we speak; what is of a higher order is out */
static void test_naptr(void **state)
{
	(void)state;
	zone = whole;

	find("sip:bob@example.com");
	assert_targets("TCP 127.0.0.2:5080\nTCP [::1]:5080\n"
		       "TCP 127.0.0.3:5070\n");
	assert_string_equal(zone_log, "NAPTR example.com\n"
			    "SRV _t.example.com\nhost a.example.com\n"
			    "host b.example.com\n");
	assert_false(got.tl.v[0].tp_named);
}


/* Of one order, all of them, by preference */
static void test_naptr_preference(void **state)
{
	static const struct zone z[] = {
		{"x.example", NAME_NAPTR, "10 20 s SIP+D2T - _t.x.example", 0},
		{"x.example", NAME_NAPTR, "10 10 S sip+d2u - _u.x.example", 0},
		{"_t.x.example", NAME_SRV, "1 1 5071 h.x.example", 0},
		{"_u.x.example", NAME_SRV, "1 1 5072 h.x.example", 0},
		{"h.x.example", NAME_HOST, "127.0.0.2", 0},
		{NULL, 0, NULL, 0},
	};
	(void)state;
	zone = z;

	find("sip:x.example");
	assert_targets("UDP 127.0.0.2:5072\nTCP 127.0.0.2:5071\n");
}


/* What is not for us: unknown, no SRV behind it, a rewriting, no target */
static void test_naptr_odd(void **state)
{
	static const struct zone z[] = {
		{"x.example", NAME_NAPTR, "1 1 s SIP+D2S - _s.x.example", 0},
		{"x.example", NAME_NAPTR, "1 2 a SIP+D2U - h.x.example", 0},
		{"x.example", NAME_NAPTR, "1 3 u SIP+D2U !.*!sip:a! -", 0},
		{"x.example", NAME_NAPTR, "1 4 s SIP+D2U - -", 0},
		{"_sip._udp.x.example", NAME_SRV, "1 1 5072 h.x.example", 0},
		{"h.x.example", NAME_HOST, "127.0.0.2", 0},
		{NULL, 0, NULL, 0},
	};
	(void)state;
	zone = z;

	/* as if there were none */
	find("sip:x.example");
	assert_targets("UDP 127.0.0.2:5072\n");
	assert_int_equal(zone_count("SRV _sip._udp.x.example"), 1);
	assert_int_equal(zone_count("SRV _sip._tcp.x.example"), 1);
}


/* The NAPTR's transport stands though its SRV is missing */
static void test_naptr_no_srv(void **state)
{
	static const struct zone z[] = {
		{"x.example", NAME_NAPTR, "1 1 s SIP+D2T - _t.x.example", 0},
		{"x.example", NAME_HOST, "127.0.0.2", 0},
		{NULL, 0, NULL, 0},
	};
	(void)state;
	zone = z;

	find("sip:x.example");
	assert_targets("TCP 127.0.0.2:5060\n");
}


/* Nothing behind the lowest order: the next one that has (RFC 3263 4.1) */
static void test_naptr_next_order(void **state)
{
	static const struct zone z[] = {
		{"x.example", NAME_NAPTR, "1 1 s SIP+D2T - _t.x.example", 0},
		{"x.example", NAME_NAPTR, "2 1 s SIP+D2U - _n.x.example", 0},
		{"x.example", NAME_NAPTR, "3 1 s SIP+D2U - _u.x.example", 0},
		{"x.example", NAME_NAPTR, "4 1 s SIP+D2U - _v.x.example", 0},
		{"_n.x.example", NAME_SRV, "0 0 0 -", 0},
		{"_u.x.example", NAME_SRV, "1 1 5072 h.x.example", 0},
		{"_v.x.example", NAME_SRV, "1 1 5073 h.x.example", 0},
		{"h.x.example", NAME_HOST, "127.0.0.2", 0},
		{"x.example", NAME_HOST, "127.0.0.3", 0},
		{NULL, 0, NULL, 0},
	};
	(void)state;
	zone = z;

	find("sip:x.example");
	assert_targets("UDP 127.0.0.2:5072\n");
	assert_int_equal(zone_count("SRV _t.x.example"), 1);
	assert_int_equal(zone_count("SRV _v.x.example"), 0);
}


static const struct zone two_srv[] = {
	{"_sip._udp.x.example", NAME_SRV, "1 1 5071 u.x.example", 0},
	{"_sip._tcp.x.example", NAME_SRV, "1 1 5072 t.x.example", 0},
	{"_sips._tcp.x.example", NAME_SRV, "1 1 5073 s.x.example", 0},
	{"x.example", NAME_HOST, "127.0.0.9", 0},
	{"u.x.example", NAME_HOST, "127.0.0.2", 0},
	{"t.x.example", NAME_HOST, "127.0.0.3", 0},
	{"s.x.example", NAME_HOST, "127.0.0.4", 0},
	{NULL, 0, NULL, 0},
};


static void test_srv(void **state)
{
	(void)state;
	zone = two_srv;

	find("sip:bob@x.example");
	assert_targets("UDP 127.0.0.2:5071\nTCP 127.0.0.3:5072\n");

	/* never TLS unless it is asked for */
	assert_int_equal(zone_count("SRV _sips._tcp.x.example"), 0);

	/* a transport is given: no NAPTR, that SRV alone */
	find("sip:bob@x.example;transport=tcp");
	assert_targets("TCP 127.0.0.3:5072\n");
	assert_true(got.tl.v[0].tp_named);
	names_forget(zone_stack.names);
	find_over("sip:bob@x.example", "udp");
	assert_targets("UDP 127.0.0.2:5071\n");
	assert_string_equal(zone_log, "SRV _sip._udp.x.example\n"
			    "host u.x.example\n");

	/* a port is given: no SRV */
	names_forget(zone_stack.names);
	find("sip:bob@x.example:5090");
	assert_targets("UDP 127.0.0.9:5090\n");
	assert_string_equal(zone_log, "host x.example\n");
	find("sip:bob@x.example:5090;transport=tcp");
	assert_targets("TCP 127.0.0.9:5090\n");

	/* maddr takes the place of the host */
	find("sip:bob@y.example;maddr=x.example");
	assert_targets("UDP 127.0.0.2:5071\nTCP 127.0.0.3:5072\n");
	find("sip:bob@x.example;maddr=127.0.0.8");
	assert_targets("UDP 127.0.0.8:5060\n");
}


static void test_addresses(void **state)
{
	static const struct zone z[] = {
		{"x.example", NAME_HOST, "::1", 0},
		{"x.example", NAME_HOST, "127.0.0.2", 0},
		{"x.example", NAME_HOST, "::1", 0},
		{"pbx", NAME_HOST, "127.0.0.3", 0},
		{"pbx.local", NAME_HOST, "127.0.0.4", 0},
		{NULL, 0, NULL, 0},
	};
	(void)state;
	zone = z;

	/* in the system's order, none twice */
	find("sip:x.example");
	assert_targets("UDP [::1]:5060\nUDP 127.0.0.2:5060\n");

	/* no DNS server knows these */
	find("sip:pbx");
	assert_targets("UDP 127.0.0.3:5060\n");
	assert_string_equal(zone_log, "host pbx\n");
	find("sip:pbx.local;transport=tcp");
	assert_targets("TCP 127.0.0.4:5060\n");
	assert_string_equal(zone_log, "host pbx.local\n");
}


/* TLS by its NAPTR for sip: too, and by nothing else for sips: */
static void test_secure(void **state)
{
	static const struct zone z[] = {
		{"x.example", NAME_NAPTR, "1 1 s SIPS+D2T - _s.x.example", 0},
		{"x.example", NAME_NAPTR, "2 1 s SIP+D2U - _u.x.example", 0},
		{"_s.x.example", NAME_SRV, "1 1 5071 h.x.example", 0},
		{"_u.x.example", NAME_SRV, "1 1 5072 h.x.example", 0},
		{"y.example", NAME_NAPTR, "1 1 s SIP+D2U - _u.x.example", 0},
		{"_sips._tcp.y.example", NAME_SRV, "1 1 5073 h.x.example", 0},
		{"h.x.example", NAME_HOST, "127.0.0.2", 0},
		{NULL, 0, NULL, 0},
	};
	(void)state;
	zone = z;

	find("sip:bob@x.example");
	assert_targets("TLS 127.0.0.2:5071\n");
	find("sips:bob@x.example");
	assert_targets("TLS 127.0.0.2:5071\n");
	find("sips:bob@y.example");
	assert_targets("TLS 127.0.0.2:5073\n");
	find("sips:bob@h.x.example:5090");
	assert_targets("TLS 127.0.0.2:5090\n");
	find("sips:bob@127.0.0.7");
	assert_targets("TLS 127.0.0.7:5061\n");
}


/* A machine that listens on one transport or family only */
static void test_legs(void **state)
{
	static const struct zone z[] = {
		{"x.example", NAME_HOST, "::1", 0},
		{"x.example", NAME_HOST, "127.0.0.2", 0},
		{"six.example", NAME_HOST, "::1", 0},
		{NULL, 0, NULL, 0},
	};
	(void)state;
	zone = z;

	list_unlink(&zone_leg6.le);
	find("sip:x.example");
	assert_targets("UDP 127.0.0.2:5060\n");
	find("sip:six.example");
	assert_failed(SIP_CAUSE_TRANSPORT, ENETUNREACH, "no way to "
		      "six.example over UDP or TCP from where we listen");

	sa_init(&zone_leg4.udp, AF_UNSPEC);
	find("sip:x.example");
	assert_targets("TCP 127.0.0.2:5060\n");
	assert_int_equal(zone_count("SRV _sip._udp.x.example"), 0);
	find("sip:127.0.0.7");
	assert_targets("TCP 127.0.0.7:5060\n");
	find("sip:127.0.0.7;transport=udp");
	assert_failed(SIP_CAUSE_LOCAL, EPROTONOSUPPORT,
		      "UDP is not spoken here: nothing listens for it");
}


static void test_denied(void **state)
{
	static const struct zone z[] = {
		{"x.example", NAME_HOST, "127.0.0.2", 0},
		{"_sip._udp.x.example", NAME_SRV, "0 0 0 -", 0},
		{"_sip._tcp.y.example", NAME_SRV, "1 1 5071 x.example", 0},
		{"_sip._udp.y.example", NAME_SRV, "0 0 0 -", 0},
		{NULL, 0, NULL, 0},
	};
	(void)state;
	zone = z;

	find("sip:x.example");
	assert_failed(SIP_CAUSE_RESOLVE, ENOENT,
		      "x.example has no SIP service over UDP");
	find("sip:y.example");
	assert_targets("TCP 127.0.0.2:5071\n");
}


static void test_failures(void **state)
{
	static const struct zone z[] = {
		{"bare.example", NAME_HOST, "EMPTY", 0},
		{"bad.example", NAME_HOST, "FAILED", 0},
		{"_sip._udp.lost.example", NAME_SRV, "1 1 1 none.example", 0},
		{NULL, 0, NULL, 0},
	};
	char uri[300];
	(void)state;
	zone = z;

	find("sip:none.example");
	assert_failed(SIP_CAUSE_RESOLVE, ENOENT,
		      "there is no such name: none.example");
	find("sip:bare.example");
	assert_failed(SIP_CAUSE_RESOLVE, ENOENT,
		      "this name has no address: bare.example");
	find("sip:bad.example");
	assert_failed(SIP_CAUSE_RESOLVE, EIO, "the name service fails "
		      "(server failure): bad.example");
	find("sip:lost.example");
	assert_failed(SIP_CAUSE_RESOLVE, ENOENT, "there is no such name: "
		      "none.example (for lost.example)");
	find("sip:a..b");
	assert_failed(SIP_CAUSE_RESOLVE, EINVAL,
		      "a..b is no name a host can have");

	strcpy(uri, "sip:");
	memset(uri + 4, 'a', 70);
	uri[74] = '\0';
	find(uri);
	assert_int_equal(got.res.err, EINVAL);

	find("sips:bob@none.example");
	assert_failed(SIP_CAUSE_RESOLVE, ENOENT,
		      "there is no such name: none.example");
	find_over("sips:bob@none.example", "udp");
	assert_failed(SIP_CAUSE_LOCAL, EPROTONOSUPPORT,
		      "sips: goes over TLS, not over UDP");
	find("sip:none.example;transport=sctp");
	assert_int_equal(got.res.cause, SIP_CAUSE_LOCAL);
	find("tel:+1");
	assert_int_equal(got.res.cause, SIP_CAUSE_LOCAL);
	assert_int_equal(zone_asked, 0);
}


/* Silence: each step has its share of the time, and all of it is bounded */
static void test_silence(void **state)
{
	static const struct zone z[] = {
		{"x.example", NAME_NAPTR, "SILENT", 0},
		{"_sip._udp.x.example", NAME_SRV, "SILENT", 0},
		{"x.example", NAME_HOST, "127.0.0.2", 0},
		{"y.example", NAME_HOST, "SILENT", 0},
		{NULL, 0, NULL, 0},
	};
	(void)state;
	zone = z;

	find("sip:x.example");
	assert_targets("UDP 127.0.0.2:5060\n");
	assert_in_range(got.took_ms, RESOLVE_MS * 2 / 3,
			RESOLVE_MS * 2 / 3 + 50);

	find("sip:y.example");
	assert_failed(SIP_CAUSE_RESOLVE, ETIMEDOUT,
		      "no answer from the name service: y.example");
	assert_in_range(got.took_ms, RESOLVE_MS, RESOLVE_MS + 50);
}


/* Machines behind the first one whose names are slow: not waited for */
static void test_grace(void **state)
{
	static const struct zone z[] = {
		{"_sip._udp.x.example", NAME_SRV, "1 1 5071 a.example", 0},
		{"_sip._udp.x.example", NAME_SRV, "2 1 5072 slow.example", 0},
		{"_sip._udp.y.example", NAME_SRV, "1 1 5072 slow.example", 0},
		{"_sip._udp.y.example", NAME_SRV, "2 1 5071 a.example", 0},
		{"a.example", NAME_HOST, "127.0.0.2", 0},
		{"slow.example", NAME_HOST, "SILENT", 0},
		{NULL, 0, NULL, 0},
	};
	(void)state;
	zone = z;

	find("sip:x.example");
	assert_targets("UDP 127.0.0.2:5071\n");
	assert_in_range(got.took_ms, 100, 600);

	/* the first one gets more time, not all of it */
	names_forget(zone_stack.names);
	find("sip:y.example");
	assert_targets("UDP 127.0.0.2:5071\n");
	assert_in_range(got.took_ms, 1000, 2100);
}


/* Memory ------------------------------------------------------------------- */

static void test_cache(void **state)
{
	static const struct zone z[] = {
		{"_sip._udp.x.example", NAME_SRV, "1 1 5071 a.example", 30},
		{"a.example", NAME_HOST, "127.0.0.2", 20},
		{NULL, 0, NULL, 0},
	};
	struct target_list tl;
	struct sip_result res;
	(void)state;
	zone = z;

	assert_int_equal(target_numeric(&tl, &zone_stack, "sip:x.example",
					NULL, &res), ENOENT);
	find("sip:x.example");
	assert_int_equal(zone_asked, 4);

	/* all is known: at once, the NAPTR that is not there too */
	assert_int_equal(target_numeric(&tl, &zone_stack, "sip:X.Example",
					NULL, &res), 0);
	assert_int_equal(tl.n, 1);
	assert_int_equal(sa_port(&tl.v[0].dst), 5071);

	timers_advance(9900);
	find("sip:x.example");
	assert_int_equal(zone_asked, 0);

	/* absence is believed for 10 s here */
	timers_advance(200);
	find("sip:x.example");
	assert_string_equal(zone_log, "NAPTR x.example\n"
			    "SRV _sip._tcp.x.example\n");

	/* the address for 20, SRV for 30 */
	timers_advance(10000);
	find("sip:x.example");
	assert_int_equal(zone_count("host a.example"), 1);
	assert_int_equal(zone_count("SRV _sip._udp.x.example"), 0);
	timers_advance(10000);
	find("sip:x.example");
	assert_int_equal(zone_count("SRV _sip._udp.x.example"), 1);
}


static void test_cache_trouble(void **state)
{
	static const struct zone z[] = {
		{"x.example", NAME_HOST, "FAILED", 0},
		{NULL, 0, NULL, 0},
	};
	(void)state;
	zone = z;

	find("sip:x.example:5060");
	assert_int_equal(zone_asked, 1);
	timers_advance(4900);
	find("sip:x.example:5060");
	assert_int_equal(zone_asked, 0);
	assert_int_equal(got.res.err, EIO);
	timers_advance(200);
	find("sip:x.example:5060");
	assert_int_equal(zone_asked, 1);
}


static void test_cache_bounded(void **state)
{
	struct zone z[302];
	char name[301][24], uri[40];
	unsigned i;
	(void)state;

	memset(z, 0, sizeof(z));
	for (i = 0; i < 301; i++) {
		(void)snprintf(name[i], sizeof(name[i]), "h%u.example", i);
		z[i].name = name[i];
		z[i].type = NAME_HOST;
		z[i].data = "127.0.0.2";
	}
	zone = z;

	/* the one that is used stays, the oldest of the others go */
	for (i = 0; i < 301; i++) {
		(void)snprintf(uri, sizeof(uri), "sip:h%u.example:1", i);
		find(uri);
		assert_int_equal(zone_asked, 1);
		find("sip:h0.example:1");
		assert_int_equal(zone_asked, 0);
	}

	find("sip:h300.example:1");
	assert_int_equal(zone_asked, 0);
	find("sip:h1.example:1");
	assert_int_equal(zone_asked, 1);
}


/* The same question, asked twice at a time, is one */
static void test_together(void **state)
{
	struct target_query *q[3];
	unsigned i;
	(void)state;
	zone = whole;

	for (i = 0; i < 3; i++)
		assert_int_equal(target_find(&q[i], &zone_stack,
					     "sip:example.com", NULL, found_h,
					     NULL), 0);
	q[1] = mem_deref(q[1]);
	timers_advance(50);
	assert_int_equal(got.done, 2);
	assert_int_equal(zone_asked, 4);
	mem_deref(q[0]);
	mem_deref(q[2]);
}


static void test_let_go(void **state)
{
	(void)state;
	zone = whole;

	assert_int_equal(target_find(&got.q, &zone_stack, "sip:example.com",
				     NULL, found_h, NULL), 0);
	got.q = mem_deref(got.q);
	timers_advance(50);
	assert_int_equal(got.done, 0);

	got.free_inside = true;
	assert_int_equal(target_find(&got.q, &zone_stack, "sip:example.com",
				     NULL, found_h, NULL), 0);
	timers_advance(50);
	assert_int_equal(got.done, 1);
	assert_null(got.q);

	/* the stack goes, its user does not know yet */
	names_forget(zone_stack.names);
	assert_int_equal(target_find(&got.q, &zone_stack, "sip:example.com",
				     NULL, found_h, NULL), 0);
	target_stack_gone(&zone_stack);
	timers_advance(RESOLVE_MS);
	assert_int_equal(got.done, 1);
}


/* With name servers of the user's own, addresses come by DNS too */
static void test_own_servers(void **state)
{
	static const struct zone z[] = {
		{"x.example", NAME_A, "127.0.0.2", 0},
		{"x.example", NAME_AAAA, "::1", 0},
		{"x.example", NAME_HOST, "127.0.0.9", 0},
		{"localhost", NAME_HOST, "127.0.0.1", 0},
		{NULL, 0, NULL, 0},
	};
	(void)state;
	zone = z;

	assert_int_equal(sip_stack_set_dns(&zone_stack, "192.0.2.1:5353"), 0);
	find("sip:x.example:5060");
	assert_targets("UDP [::1]:5060\nUDP 127.0.0.2:5060\n");
	assert_int_equal(zone_count("host x.example"), 0);
	find("sip:localhost");
	assert_targets("UDP 127.0.0.1:5060\n");

	assert_int_equal(sip_stack_set_dns(&zone_stack, ""), 0);
	find("sip:x.example:5060");
	assert_targets("UDP 127.0.0.9:5060\n");
	assert_int_equal(sip_stack_set_dns(&zone_stack, "nonsense"), EINVAL);
}


/* Who never says whether there is IPv6 holds nobody up (RFC 8305 3); IPv4 is
 * waited for, as the way out, and so are the other machines */
static void test_v6_lost(void **state)
{
	static const struct zone z[] = {
		{"x.example", NAME_A, "127.0.0.2", 0},
		{"x.example", NAME_AAAA, "SILENT", 0},
		{"y.example", NAME_A, "SILENT", 0},
		{"y.example", NAME_AAAA, "::1", 0},
		{"_sip._udp.z.example", NAME_SRV, "1 1 5071 x.example", 0},
		{"_sip._udp.z.example", NAME_SRV, "2 1 5072 y.example", 0},
		{NULL, 0, NULL, 0},
	};
	(void)state;
	zone = z;

	assert_int_equal(sip_stack_set_dns(&zone_stack, "192.0.2.1:5353"), 0);
	find("sip:x.example:5060");
	assert_targets("UDP 127.0.0.2:5060\n");
	assert_in_range(got.took_ms, 50, 100);

	find("sip:y.example:5060");
	assert_targets("UDP [::1]:5060\n");
	assert_in_range(got.took_ms, 500, 550);

	names_forget(zone_stack.names);
	find("sip:z.example");
	assert_targets("UDP 127.0.0.2:5071\nUDP [::1]:5072\n");
	assert_in_range(got.took_ms, 500, 600);
}


/* The dead ------------------------------------------------------------------ */

static void test_dead(void **state)
{
	static const struct zone z[] = {
		{"x.example", NAME_HOST, "127.0.0.2", 3600},
		{"x.example", NAME_HOST, "127.0.0.3", 3600},
		{"x.example", NAME_HOST, "127.0.0.4", 3600},
		{NULL, 0, NULL, 0},
	};
	struct deads *ds;
	struct sa sa;
	uint32_t left;
	const char *why;
	(void)state;
	zone = z;
	ds = zone_stack.deads;

	(void)sa_set_str(&sa, "127.0.0.2", 5060);
	dead_mark(ds, SIP_TRANSP_UDP, &sa, 0, "no answer");
	find("sip:x.example:5060");
	assert_targets("UDP 127.0.0.3:5060\nUDP 127.0.0.4:5060\n"
		       "UDP 127.0.0.2:5060\n");

	/* of one transport and port only */
	find("sip:x.example:5060;transport=tcp");
	assert_int_equal(sa_in(&got.tl.v[0].dst), sa_in(&sa));
	find("sip:x.example:5070");
	assert_int_equal(sa_in(&got.tl.v[0].dst), sa_in(&sa));

	/* until its time is over; the second time is longer */
	assert_true(dead_is(ds, SIP_TRANSP_UDP, &sa, &left, &why));
	assert_int_equal(left, 30);
	assert_string_equal(why, "no answer");
	timers_advance(29900);
	assert_true(dead_is(ds, SIP_TRANSP_UDP, &sa, NULL, NULL));
	dead_mark(ds, SIP_TRANSP_UDP, &sa, 0, "again");
	timers_advance(200);
	assert_false(dead_is(ds, SIP_TRANSP_UDP, &sa, NULL, NULL));
	find("sip:x.example:5060");
	assert_int_equal(sa_in(&got.tl.v[0].dst), sa_in(&sa));

	dead_mark(ds, SIP_TRANSP_UDP, &sa, 0, "no answer");
	assert_true(dead_is(ds, SIP_TRANSP_UDP, &sa, &left, NULL));
	assert_int_equal(left, 60);
	timers_advance(60000);
	dead_mark(ds, SIP_TRANSP_UDP, &sa, 0, "no answer");
	(void)dead_is(ds, SIP_TRANSP_UDP, &sa, &left, NULL);
	assert_int_equal(left, 120);

	/* success clears; then it is a first time again */
	dead_clear(ds, SIP_TRANSP_UDP, &sa);
	assert_false(dead_is(ds, SIP_TRANSP_UDP, &sa, NULL, NULL));
	dead_mark(ds, SIP_TRANSP_UDP, &sa, 0, "no answer");
	(void)dead_is(ds, SIP_TRANSP_UDP, &sa, &left, NULL);
	assert_int_equal(left, 30);

	/* Retry-After, and no more than an hour of it */
	dead_mark(ds, SIP_TRANSP_UDP, &sa, 17, "busy");
	(void)dead_is(ds, SIP_TRANSP_UDP, &sa, &left, NULL);
	assert_int_equal(left, 17);
	dead_mark(ds, SIP_TRANSP_UDP, &sa, 1000000, "busy");
	(void)dead_is(ds, SIP_TRANSP_UDP, &sa, &left, NULL);
	assert_int_equal(left, 3600);
}


static void test_dead_many(void **state)
{
	struct deads *ds;
	struct sa sa;
	unsigned i, n = 0;
	(void)state;
	ds = zone_stack.deads;

	/* the table is full: whose time is over first makes room */
	for (i = 0; i < 200; i++) {
		sa_set_in(&sa, 0x7f000100 + i, 5060);
		dead_mark(ds, SIP_TRANSP_UDP, &sa, 100 + i, "busy");
	}
	for (i = 0; i < 200; i++) {
		sa_set_in(&sa, 0x7f000100 + i, 5060);
		n += dead_is(ds, SIP_TRANSP_UDP, &sa, NULL, NULL);
	}
	assert_int_equal(n, 64);
	assert_true(dead_is(ds, SIP_TRANSP_UDP, &sa, NULL, NULL));
}


/* The decision told ----------------------------------------------------------- */

static struct {
	unsigned done;
	char text[4000];
	bool found;
	struct sip_step last;
} told;


static void located_h(const struct sip_result *err,
		      const struct sip_steps *steps, void *arg)
{
	char line[700];
	unsigned i;
	(void)arg;

	++told.done;
	told.found = !err;
	told.text[0] = '\0';
	for (i = 0; i < steps->n; i++) {
		(void)snprintf(line, sizeof(line), "%s\n",
			       sip_step_print((char[600]){0}, 600,
					      &steps->v[i]));
		(void)strncat(told.text, line,
			      sizeof(told.text) - strlen(told.text) - 1);
	}
	told.last = steps->v[steps->n - 1];
}


static void locate(const struct sip_locate_conf *conf)
{
	struct sip_locate *l = NULL;

	memset(&told, 0, sizeof(told));
	assert_int_equal(sip_locate(&l, &zone_stack, conf, located_h, NULL),
			 0);
	timers_advance(0);
	timers_advance(RESOLVE_MS);
	assert_int_equal(told.done, 1);
	mem_deref(l);
}


static void test_steps(void **state)
{
	struct sip_locate_conf conf = {.uri = "sip:bob@example.com"};
	struct sa sa;
	(void)state;
	zone = whole;

	(void)sa_set_str(&sa, "127.0.0.2", 5080);
	dead_mark(zone_stack.deads, SIP_TRANSP_TCP, &sa, 0, "no answer");
	locate(&conf);
	assert_true(told.found);
	assert_string_equal(told.text,
		"sip:bob@example.com\n"
		"NAPTR example.com: 3 records (1m)\n"
		"  order 50 preference 50 \"s\" \"SIP+D2S\" "
		"_sip._sctp.example.com (1m)\n"
		"  order 90 preference 50 \"s\" \"SIP+D2T\" _t.example.com"
		" (1m)\n"
		"  order 100 preference 50 \"s\" \"SIP+D2U\" _u.example.com"
		" (1m)\n"
		"first TCP by _t.example.com\n"
		"SRV _t.example.com: 2 records (1m)\n"
		"  priority 20 weight 1 b.example.com:5070 (1m)\n"
		"  priority 10 weight 1 a.example.com:5080 (1m)\n"
		"TCP: first a.example.com:5080, by priority and, where equal,"
		" by weight and chance\n"
		"host a.example.com: 2 records (1m)\n"
		"  127.0.0.2 (1m)\n"
		"  ::1 (1m)\n"
		"host b.example.com: 1 record (1m)\n"
		"  127.0.0.3 (1m)\n"
		"-> TCP:[::1]:5080 from ::1\n"
		"-> TCP:127.0.0.3:5070 from 127.0.0.1\n"
		"-> TCP:127.0.0.2:5080 from 127.0.0.1, tried last for 30 s:"
		" no answer\n");
	assert_int_equal(told.last.kind, SIP_STEP_TARGET);
	assert_true(told.last.dead);
	assert_true(sa_cmp(&told.last.addr, &sa, SA_ALL));

	/* again: from memory; and again afresh */
	timers_advance(20000);
	locate(&conf);
	assert_non_null(strstr(told.text, "NAPTR example.com: 3 records (3"));
	assert_non_null(strstr(told.text, "), known already\n"));
	conf.fresh = true;
	locate(&conf);
	assert_null(strstr(told.text, "known already"));

	conf.uri = "sip:127.0.0.9:5099;transport=udp";
	locate(&conf);
	assert_string_equal(told.text, "sip:127.0.0.9:5099;transport=udp\n"
			    "a numeric address, port 5099: UDP\n"
			    "-> UDP:127.0.0.9:5099 from 127.0.0.1\n");
	conf.transport = "tcp";
	locate(&conf);
	assert_non_null(strstr(told.text, "-> TCP:127.0.0.9:5099 "));
}


static void test_steps_failed(void **state)
{
	static const struct zone z[] = {
		{"x.example", NAME_NAPTR, "SILENT", 0},
		{NULL, 0, NULL, 0},
	};
	struct sip_locate_conf conf = {.uri = "sip:x.example"};
	(void)state;
	zone = z;

	locate(&conf);
	assert_false(told.found);
	assert_string_equal(told.text, "sip:x.example\n"
		"NAPTR x.example: no answer\n"
		"SRV _sip._udp.x.example: no such name (10s)\n"
		"SRV _sip._tcp.x.example: no such name (10s)\n"
		"no SRV record: the addresses of x.example, port 5060, UDP\n"
		"host x.example: no such record (10s)\n"
		"this name has no address: x.example\n");
}


/* Order ---------------------------------------------------------------------- */

static uint32_t rand_h(void *arg)
{
	uint64_t *s = arg;

	*s = *s * 6364136223846793005u + 1442695040888963407u;

	return (uint32_t)(*s >> 32);
}


static void test_weights(void **state)
{
	static const struct { uint16_t prio, weight; } v[] = {
		{20, 100}, {10, 60}, {10, 20}, {10, 20}, {10, 0}, {30, 0},
	};
	struct name_rec recs[COUNTOF(v)] = {0};
	unsigned first[COUNTOF(v)] = {0}, order[COUNTOF(v)], i, k;
	uint64_t seed = 7;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++) {
		recs[i].u.srv.priority = v[i].prio;
		recs[i].u.srv.weight = v[i].weight;
	}

	for (i = 0; i < 10000; i++) {
		unsigned seen = 0;

		order_srv(order, recs, COUNTOF(v), rand_h, &seed);
		++first[order[0]];
		for (k = 0; k < COUNTOF(v); k++)
			seen |= 1u << order[k];
		assert_int_equal(seen, 0x3f);
		assert_int_equal(order[4], 0);
		assert_int_equal(order[5], 5);
	}

	/* 60 %, 20 %, 20 %, and a small chance, not none, for weight 0 */
	assert_in_range(first[1], 5700, 6200);
	assert_in_range(first[2], 1800, 2200);
	assert_in_range(first[3], 1800, 2200);
	assert_in_range(first[4], 30, 200);
	assert_int_equal(first[0] + first[5], 0);

	/* without weights the order of the answer */
	for (i = 0; i < COUNTOF(v); i++) {
		recs[i].u.srv.priority = 1;
		recs[i].u.srv.weight = 0;
	}
	order_srv(order, recs, COUNTOF(v), rand_h, &seed);
	for (i = 0; i < COUNTOF(v); i++)
		assert_int_equal(order[i], i);
}


/* The stack's own chance is asked for */
static void test_chance(void **state)
{
	static const struct zone z[] = {
		{"_sip._udp.x.example", NAME_SRV, "1 10 5071 a.example", 0},
		{"_sip._udp.x.example", NAME_SRV, "1 10 5072 a.example", 0},
		{"a.example", NAME_HOST, "127.0.0.2", 0},
		{NULL, 0, NULL, 0},
	};
	unsigned n = 0, i;
	(void)state;
	zone = z;

	zone_rand = 10;
	find("sip:x.example");
	assert_targets("UDP 127.0.0.2:5071\nUDP 127.0.0.2:5072\n");
	zone_rand = 11;
	find("sip:x.example");
	assert_targets("UDP 127.0.0.2:5072\nUDP 127.0.0.2:5071\n");

	zone_chance = true;
	for (i = 0; i < 100; i++) {
		find("sip:x.example");
		n += sa_port(&got.tl.v[0].dst) == 5071;
	}
	assert_in_range(n, 30, 70);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_naptr),
		TEST(test_naptr_preference),
		TEST(test_naptr_odd),
		TEST(test_naptr_no_srv),
		TEST(test_naptr_next_order),
		TEST(test_srv),
		TEST(test_addresses),
		TEST(test_legs),
		TEST(test_secure),
		TEST(test_denied),
		TEST(test_failures),
		TEST(test_silence),
		TEST(test_grace),
		TEST(test_cache),
		TEST(test_cache_trouble),
		TEST(test_cache_bounded),
		TEST(test_together),
		TEST(test_let_go),
		TEST(test_own_servers),
		TEST(test_v6_lost),
		TEST(test_dead),
		TEST(test_dead_many),
		TEST(test_steps),
		TEST(test_steps_failed),
		cmocka_unit_test(test_weights),
		TEST(test_chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
