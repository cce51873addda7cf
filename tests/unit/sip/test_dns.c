/**
 * @file test_dns.c  DNS over the wire: bytes, servers that misbehave, time
 *
 * Two name servers on loopback, of our own making, in the same loop.
 */
#include <netinet/in.h>
#include "wire.h"
#include "locate.h"


/* Answers byte by byte ------------------------------------------------------ */

static struct mbuf *out;


static void u8(unsigned v)
{
	(void)mbuf_write_u8(out, (uint8_t)v);
}


static void u16(unsigned v)
{
	u8(v >> 8);
	u8(v & 0xff);
}


static void u32(uint32_t v)
{
	u16(v >> 16);
	u16(v & 0xffff);
}


static void name(const char *s)
{
	while (*s) {
		const size_t n = strcspn(s, ".");

		u8((unsigned)n);
		(void)mbuf_write_mem(out, (const uint8_t *)s, n);
		s += n + (s[n] == '.');
	}
	u8(0);
}


static void string(const char *s)
{
	u8((unsigned)strlen(s));
	(void)mbuf_write_str(out, s);
}


static void header(unsigned id, unsigned flags, unsigned an, unsigned ns)
{
	mem_deref(out);
	out = mbuf_alloc(512);
	u16(id);
	u16(flags);
	u16(1);
	u16(an);
	u16(ns);
	u16(0);
}


static void question(const char *n, unsigned type)
{
	name(n);
	u16(type);
	u16(1);
}


/* The owner is a pointer to the question, or its name */
static void rr(const char *owner, unsigned type, uint32_t ttl, unsigned len)
{
	if (owner)
		name(owner);
	else
		u16(0xc00c);
	u16(type);
	u16(1);
	u32(ttl);
	u16(len);
}


static struct name_answer *answer;


static enum name_verdict reading(enum name_type type, const char *n)
{
	answer = mem_deref(answer);
	assert_int_equal(name_answer_alloc(&answer, type), 0);

	return name_answer_read(answer, out->buf, out->end, 77, n);
}


static void test_question(void **state)
{
	static const uint8_t want[] = {
		1, 2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1,
		4, '_', 's', 'i', 'p', 4, '_', 'u', 'd', 'p', 1, 'x', 0,
		0, 33, 0, 1, 0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0,
	};
	uint8_t buf[DNS_QUERY_MAX];
	char longest[260];
	unsigned i;
	(void)state;

	assert_int_equal(name_question_write(buf, 0x102, NAME_SRV,
					     "_sip._udp.x.", true),
			 sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));

	for (i = 0; i < 253; i++)
		longest[i] = i % 50 == 49 ? '.' : 'a';
	longest[253] = '\0';
	assert_true(name_ok(longest));
	assert_in_range(name_question_write(buf, 1, NAME_A, longest, true),
			253, DNS_QUERY_MAX);

	longest[253] = 'a';
	longest[254] = '\0';
	assert_false(name_ok(longest));
	assert_false(name_ok(""));
	assert_false(name_ok("."));
	assert_false(name_ok("a..b"));
	assert_false(name_ok(".a"));
	assert_false(name_ok("a b"));
	assert_false(name_ok("a\\b"));
	memset(longest, 'a', 64);
	longest[64] = '\0';
	assert_false(name_ok(longest));
	assert_int_equal(name_question_write(buf, 1, NAME_A, "a b", true), 0);
	assert_int_equal(name_question_write(buf, 1, NAME_HOST, "a", true),
			 0);
}


static void test_srv(void **state)
{
	const struct name_srv *srv;
	(void)state;

	/* by an alias, whose TTL counts too; targets compressed */
	header(77, 0x8180, 4, 0);
	question("_sip._udp.x.org", 33);
	rr(NULL, 5, 30, 6);
	name("a.x");
	u8(0);
	rr("a.x.org", 33, 60, 6 + 4);
	u16(10);
	u16(20);
	u16(5060);
	u8(1);
	u8('b');
	u16(0xc016);                    /* x.org */
	rr("a.x.org", 33, 90, 6 + 1);
	u16(1);
	u16(2);
	u16(3);
	u8(0);
	rr("a.x.org", 33, 90, 6 + 3);   /* port 0: nothing is there */
	u16(1);
	u16(2);
	u16(0);
	name("c");
	assert_int_equal(reading(NAME_SRV, "_SIP._udp.X.org."), NAME_V_DONE);
	assert_int_equal(answer->state, NAME_FOUND);
	assert_int_equal(answer->n, 2);
	assert_int_equal(answer->ttl_s, 30);
	srv = &answer->v[0].u.srv;
	assert_int_equal(answer->v[0].ttl_s, 60);
	assert_int_equal(srv->priority, 10);
	assert_int_equal(srv->weight, 20);
	assert_int_equal(srv->port, 5060);
	assert_string_equal(srv->target, "b.x.org");
	assert_string_equal(answer->v[1].u.srv.target, "");
}


static void naptr(const char *flags, const char *service, const char *regexp,
		  const char *replace)
{
	rr(NULL, 35, 60, (unsigned)(4 + 3 + strlen(flags) + strlen(service) +
				    strlen(regexp) + strlen(replace) +
				    (*replace ? 2 : 1)));
	u16(100);
	u16(50);
	string(flags);
	string(service);
	string(regexp);
	name(replace);
}


static void test_naptr(void **state)
{
	char longer[100];
	(void)state;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';

	header(77, 0x8180, 5, 0);
	question("x.org", 35);
	naptr("s", "SIP+D2U", "", "_sip._udp.x.org");
	naptr("u", "E2U+sip", "!^.*$!sip:a@x.org!", "");
	naptr("s", longer, "", "x.org");              /* too long: left out */
	naptr("s", "SIP\n", "", "x.org");             /* odd */
	naptr("s", "SIP+D2T", "", "a b.org");         /* no name */
	assert_int_equal(reading(NAME_NAPTR, "x.org"), NAME_V_DONE);
	assert_int_equal(answer->n, 2);
	assert_int_equal(answer->v[0].u.naptr.order, 100);
	assert_int_equal(answer->v[0].u.naptr.pref, 50);
	assert_string_equal(answer->v[0].u.naptr.flags, "s");
	assert_string_equal(answer->v[0].u.naptr.service, "SIP+D2U");
	assert_string_equal(answer->v[0].u.naptr.replace, "_sip._udp.x.org");
	assert_string_equal(answer->v[1].u.naptr.regexp,
			    "!^.*$!sip:a@x.org!");
	assert_string_equal(answer->v[1].u.naptr.replace, "");
}


static void a_record(uint32_t ip)
{
	rr(NULL, 1, 60, 4);
	u32(ip);
}


static void test_addresses(void **state)
{
	struct sa sa;
	unsigned i;
	(void)state;

	header(77, 0x8180, 40, 0);
	question("x", 1);
	for (i = 0; i < 40; i++)
		a_record(0x0a000001 + i);
	assert_int_equal(reading(NAME_A, "x"), NAME_V_DONE);
	assert_int_equal(answer->n, NAME_RECS_MAX);
	assert_int_equal(answer->more, 40 - NAME_RECS_MAX);
	sa_set_in(&sa, 0x0a000002, 0);
	assert_true(sa_cmp(&answer->v[1].u.addr, &sa, SA_ALL));

	header(77, 0x8180, 2, 0);
	question("x", 28);
	rr(NULL, 28, 60, 16);
	u32(0x20010db8);
	u32(0);
	u32(0);
	u32(1);
	rr(NULL, 28, 60, 4);            /* too short for one */
	u32(1);
	assert_int_equal(reading(NAME_AAAA, "x"), NAME_V_DONE);
	assert_int_equal(answer->n, 1);
	(void)sa_set_str(&sa, "2001:db8::1", 0);
	assert_true(sa_cmp(&answer->v[0].u.addr, &sa, SA_ADDR));
}


static void soa(uint32_t ttl, uint32_t min)
{
	rr("org", 6, ttl, 5 + 3 + 20);
	name("ns");
	u8(0);
	name("r");
	u32(1);
	u32(2);
	u32(3);
	u32(4);
	u32(min);
}


static void test_absent(void **state)
{
	(void)state;

	header(77, 0x8183, 0, 1);
	question("x", 33);
	soa(50, 20);
	assert_int_equal(reading(NAME_SRV, "x"), NAME_V_DONE);
	assert_int_equal(answer->state, NAME_ABSENT);
	assert_int_equal(answer->ttl_s, 20);

	header(77, 0x8180, 0, 1);
	question("x", 33);
	soa(5000, 7000);
	assert_int_equal(reading(NAME_SRV, "x"), NAME_V_DONE);
	assert_int_equal(answer->state, NAME_EMPTY);
	assert_int_equal(answer->ttl_s, 60);

	header(77, 0x8180, 0, 0);
	question("x", 33);
	assert_int_equal(reading(NAME_SRV, "x"), NAME_V_DONE);
	assert_int_equal(answer->ttl_s, 10);
}


static void test_strange(void **state)
{
	unsigned i, end;
	(void)state;

	header(78, 0x8180, 0, 0);
	question("x", 33);
	assert_int_equal(reading(NAME_SRV, "x"), NAME_V_STRANGE);
	header(77, 0x0100, 0, 0);                     /* a question */
	question("x", 33);
	assert_int_equal(reading(NAME_SRV, "x"), NAME_V_STRANGE);
	header(77, 0x8180, 0, 0);
	question("y", 33);
	assert_int_equal(reading(NAME_SRV, "x"), NAME_V_STRANGE);
	header(77, 0x8180, 0, 0);
	question("x", 1);
	assert_int_equal(reading(NAME_SRV, "x"), NAME_V_STRANGE);

	header(77, 0x8182, 0, 0);
	question("x", 33);
	assert_int_equal(reading(NAME_SRV, "x"), NAME_V_NEXT);
	assert_string_equal(answer->why, "server failure");
	header(77, 0x8181, 0, 0);
	question("x", 33);
	assert_int_equal(reading(NAME_SRV, "x"), NAME_V_NO_EDNS);
	header(77, 0x8380, 0, 0);
	question("x", 33);
	assert_int_equal(reading(NAME_SRV, "x"), NAME_V_CUT);

	/* a name that runs in circles, and forwards */
	header(77, 0x8180, 1, 0);
	question("x", 33);
	end = (unsigned)out->end;
	u16(0xc000 | end);
	assert_int_equal(reading(NAME_SRV, "x"), NAME_V_NEXT);
	out->pos = out->end = end;
	u16(0xc000 | (end + 2));
	u16(0);
	assert_int_equal(reading(NAME_SRV, "x"), NAME_V_NEXT);

	/* cut anywhere it is no answer */
	header(77, 0x8180, 1, 0);
	question("x", 33);
	rr(NULL, 33, 60, 9);
	u16(1);
	u16(1);
	u16(1);
	name("h");
	end = (unsigned)out->end;
	assert_int_equal(reading(NAME_SRV, "x"), NAME_V_DONE);
	for (i = 0; i < end; i++) {
		out->end = i;
		assert_int_not_equal(reading(NAME_SRV, "x"), NAME_V_DONE);
	}

	/* no end of labels */
	header(77, 0x8180, 1, 0);
	question("x", 33);
	for (i = 0; i < 100; i++) {
		u8(3);
		u8('a');
		u8('b');
		u8('c');
	}
	u8(0);
	assert_int_equal(reading(NAME_SRV, "x"), NAME_V_NEXT);
}


static void test_servers(void **state)
{
	struct name_servers ns;
	char err[200], addr[64];
	const char *bad;
	(void)state;

	assert_int_equal(name_servers_parse(&ns, "192.0.2.1, [2001:db8::1]:54"
					    " 192.0.2.2:5353,2001:db8::2",
					    &bad), 0);
	assert_int_equal(ns.n, 4);
	(void)re_snprintf(addr, sizeof(addr), "%J %J", &ns.v[0], &ns.v[1]);
	assert_string_equal(addr, "192.0.2.1:53 [2001:db8::1]:54");
	(void)re_snprintf(addr, sizeof(addr), "%J %J", &ns.v[2], &ns.v[3]);
	assert_string_equal(addr, "192.0.2.2:5353 [2001:db8::2]:53");

	assert_int_equal(sip_dns_servers_check("", err, sizeof(err)), 0);
	assert_int_equal(sip_dns_servers_check("1.1.1.1,2.2.2.2,3.3.3.3,"
		"4.4.4.4", err, sizeof(err)), 0);
	assert_int_equal(sip_dns_servers_check("1.1.1.1,2.2.2.2,3.3.3.3,"
		"4.4.4.4,5.5.5.5", err, sizeof(err)), EINVAL);
	assert_non_null(strstr(err, "not 5.5.5.5"));
	assert_int_equal(sip_dns_servers_check("1.1.1.1,dns.example", err,
					       sizeof(err)), EINVAL);
	assert_non_null(strstr(err, "not dns.example"));
	assert_int_equal(sip_dns_servers_check("1.1.1.1:0", err,
					       sizeof(err)), EINVAL);
	assert_int_equal(sip_dns_servers_check("1.1.1.1:99999", err,
					       sizeof(err)), EINVAL);
}


/* Servers ---------------------------------------------------------------------- */

enum manner { GOOD, MUTE, BROKEN, REFUSES, NO_EDNS, CUT, CUT_ALWAYS, FORGES };

struct server {
	struct udp_sock *us;
	struct tcp_sock *ts;
	struct tcp_conn *tc;
	struct sa addr;
	enum manner manner;
	unsigned asked, over_tcp, with_edns;
};

static struct server sv[2];
static struct name_servers all;


/* An answer with one A record; the question is taken from the query */
static void respond(struct server *s, const struct mbuf *q, bool tcp)
{
	const unsigned id = (unsigned)(q->buf[q->pos] << 8 |
				       q->buf[q->pos + 1]);
	const bool edns = q->buf[q->pos + 11] == 1;
	unsigned flags = 0x8180, an = 1;

	++s->asked;
	s->over_tcp += tcp;
	s->with_edns += edns;

	if (s->manner == BROKEN)
		flags |= 2;
	if (s->manner == REFUSES)
		flags |= 5;
	if (s->manner == NO_EDNS && edns)
		flags |= 1;
	if ((s->manner == CUT && !tcp) || s->manner == CUT_ALWAYS)
		flags |= 0x200;
	if (flags != 0x8180)
		an = 0;

	header(s->manner == FORGES ? id + 1 : id, flags, an, 0);
	question("x.example", 1);
	if (an)
		a_record(s->manner == FORGES ? 0x06060606 : 0x7f000002);
}


static void datagram_h(const struct sa *src, struct mbuf *mb, void *arg)
{
	struct server *s = arg;

	if (s->manner == MUTE) {
		++s->asked;
		return;
	}

	respond(s, mb, false);
	out->pos = 0;
	(void)udp_send(s->us, src, out);

	/* the right one comes behind */
	if (s->manner == FORGES) {
		s->manner = GOOD;
		respond(s, mb, false);
		s->manner = FORGES;
		out->pos = 0;
		(void)udp_send(s->us, src, out);
	}
}


/* In two pieces, the first of one byte */
static void stream_recv_h(struct mbuf *mb, void *arg)
{
	struct server *s = arg;
	struct mbuf *whole, *body;

	mb->pos += 2;
	respond(s, mb, true);

	body = mem_ref(out);
	whole = mbuf_alloc(body->end + 2);
	(void)mbuf_write_u16(whole, htons((uint16_t)body->end));
	(void)mbuf_write_mem(whole, body->buf, body->end);
	whole->pos = 0;
	whole->end = 1;
	(void)tcp_send(s->tc, whole);
	whole->pos = 1;
	whole->end = body->end + 2;
	(void)tcp_send(s->tc, whole);
	mem_deref(whole);
	mem_deref(body);
}


static void stream_up_h(void *arg)
{
	(void)arg;
}


static void stream_close_h(int err, void *arg)
{
	struct server *s = arg;
	(void)err;

	s->tc = mem_deref(s->tc);
}


static void stream_conn_h(const struct sa *peer, void *arg)
{
	struct server *s = arg;
	(void)peer;

	s->tc = mem_deref(s->tc);
	(void)tcp_accept(&s->tc, s->ts, stream_up_h, stream_recv_h, stream_close_h,
			 s);
}


static struct {
	unsigned done;
	enum name_state state;
	char why[64];
	unsigned n;
	struct sa addr;
	uint64_t took_ms;
	struct name_query *q;
} got;


static int setup(void **state)
{
	unsigned i;
	(void)state;

	memset(&got, 0, sizeof(got));
	memset(sv, 0, sizeof(sv));
	memset(&all, 0, sizeof(all));

	if (libre_init() || timers_open())
		return -1;

	for (i = 0; i < 2; i++) {
		unsigned tries;
		struct sa any;

		/* one port for both kinds */
		(void)sa_set_str(&any, "127.0.0.1", 0);
		for (tries = 0; !sv[i].ts && tries < 20; tries++) {
			sv[i].us = mem_deref(sv[i].us);
			if (udp_listen(&sv[i].us, &any, datagram_h, &sv[i]) ||
			    udp_local_get(sv[i].us, &sv[i].addr))
				return -1;
			(void)tcp_listen(&sv[i].ts, &sv[i].addr,
					 stream_conn_h, &sv[i]);
		}
		if (!sv[i].ts)
			return -1;
		all.v[all.n++] = sv[i].addr;
	}

	return 0;
}


static int teardown(void **state)
{
	unsigned i;
	(void)state;

	got.q = mem_deref(got.q);
	for (i = 0; i < 2; i++) {
		mem_deref(sv[i].tc);
		mem_deref(sv[i].ts);
		mem_deref(sv[i].us);
	}
	out = mem_deref(out);
	answer = mem_deref(answer);
	assert_int_equal(timers_count(), 0);
	timers_close();
	libre_close();

	return 0;
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)


static void answer_h(struct name_answer *a, void *arg)
{
	(void)arg;

	++got.done;
	got.state = a->state;
	got.n = a->n;
	if (a->n)
		got.addr = a->v[0].u.addr;
	strcpy(got.why, a->why);
	got.q = mem_deref(got.q);
}


static bool is_done(void *arg)
{
	(void)arg;

	return got.done > 0;
}


static void ask(uint32_t ms)
{
	const uint64_t start = clock_ms();

	got.done = 0;
	assert_int_equal(name_query_start(&got.q, &all, NAME_A, "x.example",
					  ms, answer_h, NULL), 0);
	assert_int_equal(got.done, 0);
	assert_true(loop_until(is_done, NULL, 5000));
	assert_int_equal(got.done, 1);
	got.took_ms = clock_ms() - start;
}


static void assert_found(void)
{
	struct sa sa;

	(void)sa_set_str(&sa, "127.0.0.2", 0);
	assert_int_equal(got.state, NAME_FOUND);
	assert_int_equal(got.n, 1);
	assert_true(sa_cmp(&got.addr, &sa, SA_ADDR));
}


static void test_good(void **state)
{
	(void)state;

	ask(3000);
	assert_found();
	assert_int_equal(sv[0].asked, 1);
	assert_int_equal(sv[0].with_edns, 1);
	assert_int_equal(sv[1].asked, 0);
}


static void test_next_server(void **state)
{
	(void)state;

	sv[0].manner = BROKEN;
	ask(3000);
	assert_found();
	assert_in_range(got.took_ms, 0, 500);

	/* all of them: told at once, each asked once more */
	sv[1].manner = REFUSES;
	ask(3000);
	assert_int_equal(got.state, NAME_FAILED);
	assert_string_equal(got.why, "refused");
	assert_in_range(got.took_ms, 0, 500);
	assert_int_equal(sv[0].asked, 2);
	assert_int_equal(sv[1].asked, 2);

	/* nobody is there */
	sv[0].us = mem_deref(sv[0].us);
	sv[1].manner = GOOD;
	ask(3000);
	assert_found();
	assert_in_range(got.took_ms, 0, 500);
}


static void test_mute(void **state)
{
	(void)state;

	sv[0].manner = MUTE;
	ask(3000);
	assert_found();
	assert_in_range(got.took_ms, 900, 2000);

	sv[1].manner = MUTE;
	ask(300);
	assert_int_equal(got.state, NAME_SILENT);
	assert_in_range(got.took_ms, 300, 1000);

	/* no server at all */
	all.n = 0;
	ask(300);
	assert_int_equal(got.state, NAME_SILENT);
	assert_string_equal(got.why, "no name server is known");
}


static void test_no_edns(void **state)
{
	(void)state;

	sv[0].manner = NO_EDNS;
	ask(3000);
	assert_found();
	assert_int_equal(sv[0].asked, 2);
	assert_int_equal(sv[0].with_edns, 1);
}


static void test_tcp(void **state)
{
	(void)state;

	sv[0].manner = CUT;
	ask(3000);
	assert_found();
	assert_int_equal(sv[0].asked, 2);
	assert_int_equal(sv[0].over_tcp, 1);

	sv[0].manner = CUT_ALWAYS;
	ask(3000);
	assert_found();                 /* the other server's */

	/* it says more, but takes no connection */
	sv[0].manner = CUT;
	sv[0].ts = mem_deref(sv[0].ts);
	ask(3000);
	assert_found();
}


static void test_forged(void **state)
{
	(void)state;

	sv[0].manner = FORGES;
	ask(3000);
	assert_found();
}


static void test_cancel(void **state)
{
	(void)state;

	assert_int_equal(name_query_start(&got.q, &all, NAME_A, "x.example",
					  3000, answer_h, NULL), 0);
	got.q = mem_deref(got.q);
	loop_run(50);
	assert_int_equal(got.done, 0);

	assert_int_equal(name_query_start(&got.q, &all, NAME_A, "no name",
					  3000, answer_h, NULL), EINVAL);
}


/* By way of what is remembered */
static void kept_h(struct name_answer *a, void *arg)
{
	struct name_ask **q = arg;

	++got.done;
	got.state = a->state;
	got.n = a->n;
	*q = mem_deref(*q);
}


static void test_names(void **state)
{
	struct names *n = NULL;
	struct name_ask *q = NULL, *late = NULL;
	(void)state;

	assert_int_equal(names_alloc(&n, &all), 0);
	assert_null(names_known(n, NAME_A, "x.example"));
	assert_int_equal(names_ask(&q, n, NAME_A, "x.example", 3000, kept_h,
				   &q), 0);
	assert_true(loop_until(is_done, NULL, 3000));
	assert_int_equal(got.state, NAME_FOUND);
	assert_non_null(names_known(n, NAME_A, "X.example."));
	assert_int_equal(names_known(n, NAME_A, "x.example")->n, 1);

	/* who does not wait so long hears silence; the answer is kept */
	names_forget(n);
	sv[0].manner = MUTE;
	got.done = 0;
	assert_int_equal(names_ask(&q, n, NAME_A, "x.example", 3000, kept_h,
				   &q), 0);
	assert_int_equal(names_ask(&late, n, NAME_A, "x.example", 50, kept_h,
				   &late), 0);
	assert_true(loop_until(is_done, NULL, 500));
	assert_int_equal(got.state, NAME_SILENT);
	got.done = 0;
	assert_true(loop_until(is_done, NULL, 3000));
	assert_int_equal(got.state, NAME_FOUND);

	/* the end, while somebody waits */
	names_forget(n);
	got.done = 0;
	assert_int_equal(names_ask(&q, n, NAME_A, "x.example", 3000, kept_h,
				   &q), 0);
	mem_deref(n);
	loop_run(50);
	assert_int_equal(got.done, 0);
	mem_deref(q);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_question),
		TEST(test_srv),
		TEST(test_naptr),
		TEST(test_addresses),
		TEST(test_absent),
		TEST(test_strange),
		TEST(test_servers),
		TEST(test_good),
		TEST(test_next_server),
		TEST(test_mute),
		TEST(test_no_edns),
		TEST(test_tcp),
		TEST(test_forged),
		TEST(test_cancel),
		TEST(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
