/**
 * @file test_ice_sdp.c  ICE in descriptions: who controls, restarts, mismatch
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <stdio.h>
#include <cmocka.h>
#include "ice.h"

#define UFRAG "a=ice-ufrag:abcd\r\n"
#define PWD "a=ice-pwd:abcdefghijklmnopqrstuv\r\n"
#define HOST "a=candidate:1 1 UDP 2130706431 198.51.100.9 5000 typ host\r\n"

struct side {
	struct nego n;
	struct ability ab;
	struct media_plan plan;
};


static void side_init(struct side *s, bool ice)
{
	memset(s, 0, sizeof(*s));
	nego_init(&s->n, 1000);
	strcpy(s->n.ice_ufrag, "wxyz1234");
	strcpy(s->n.ice_pwd, "0123456789012345678901234");
	assert_int_equal(0, ability_codecs(&s->ab, "pcmu"));
	assert_int_equal(0, sa_set_str(&s->ab.rtp, "198.51.100.2", 4000));
	s->ab.dir = MEDIA_SENDRECV;
	s->ab.param.ptime_ms = 20;
	s->ab.ice.on = ice;
}


static char *text(struct mbuf *mb)
{
	char *s = NULL;

	assert_int_equal(0, mbuf_strdup(mb, &s, mb->end));
	mem_deref(mb);

	return s;
}


/* A description with these lines of the session and of the stream */
static char *describe(const char *session, const char *addr, unsigned port,
		      const char *lines)
{
	char *s = NULL;

	assert_int_equal(0, re_sdprintf(&s, "v=0\r\no=- 1 1 IN IP4 %s\r\n"
		"s=-\r\nc=IN IP4 %s\r\nt=0 0\r\n%sm=audio %u RTP/AVP 0\r\n%s",
		addr, addr, session, port, lines));

	return s;
}


static void take(struct side *s, char *desc)
{
	assert_int_equal(0, nego_take(&s->plan, NULL, &s->n, &s->ab, desc,
				      strlen(desc)));
	mem_deref(desc);
}


static char *reply(struct side *s)
{
	struct mbuf *mb = NULL;

	assert_int_equal(0, nego_answer(&mb, &s->n, &s->ab));

	return text(mb);
}


static void result(struct side *s, char *desc)
{
	struct mbuf *mb = NULL;

	assert_int_equal(0, nego_offer(&mb, &s->n, &s->ab));
	mem_deref(mb);
	assert_int_equal(0, nego_result(&s->plan, NULL, &s->n, &s->ab, desc,
					strlen(desc)));
	mem_deref(desc);
}


static void has(char *s, const char *what, bool want)
{
	if (!strstr(s, what) == want)
		fail_msg("%s in:\n%s", what, s);
	mem_deref(s);
}


/* RFC 8445 6.1.1: who offers controls, and who meets a lite agent does */
static void test_roles(void **state)
{
	struct side s;
	(void)state;

	side_init(&s, true);
	take(&s, describe("", "198.51.100.9", 5000, UFRAG PWD HOST));
	assert_true(s.plan.ice.on);
	assert_false(s.plan.ice.controlling);
	assert_int_equal(s.plan.ice.candc, 1);
	has(reply(&s), "a=ice-ufrag:wxyz1234", true);
	nego_reset(&s.n);

	side_init(&s, true);
	result(&s, describe("", "198.51.100.9", 5000, UFRAG PWD HOST));
	assert_true(s.plan.ice.on && s.plan.ice.controlling);
	nego_reset(&s.n);

	side_init(&s, true);
	take(&s, describe("a=ice-lite\r\n", "198.51.100.9", 5000,
			  UFRAG PWD HOST));
	assert_true(s.plan.ice.on && s.plan.ice.controlling);
	nego_reset(&s.n);
}


/* Who does not speak it gets no more of it than was offered */
static void test_without(void **state)
{
	struct side s;
	(void)state;

	side_init(&s, true);
	take(&s, describe("", "198.51.100.9", 5000, ""));
	assert_false(s.plan.ice.on);
	has(reply(&s), "a=ice", false);
	nego_reset(&s.n);

	side_init(&s, false);
	take(&s, describe("", "198.51.100.9", 5000, UFRAG PWD HOST));
	assert_false(s.plan.ice.on);
	has(reply(&s), "a=ice", false);
	nego_reset(&s.n);

	/* names that are too short, or have what they may not */
	side_init(&s, true);
	take(&s, describe("", "198.51.100.9", 5000, "a=ice-ufrag:abc\r\n" PWD
			  HOST));
	assert_false(s.plan.ice.on);
	take(&s, describe("", "198.51.100.9", 5000, "a=ice-ufrag:ab d\r\n" PWD
			  HOST));
	assert_false(s.plan.ice.on);
	nego_reset(&s.n);
}


/* RFC 8839 4.2.5: somebody in between has written another address */
static void test_mismatch(void **state)
{
	struct side s;
	(void)state;

	side_init(&s, true);
	take(&s, describe("", "203.0.113.7", 5000, UFRAG PWD HOST));
	assert_false(s.plan.ice.on);
	has(reply(&s), "a=ice-mismatch\r\n", true);
	has(reply(&s), "a=ice-ufrag", false);
	/* the sound goes where they wrote */
	assert_int_equal(sa_in(&s.plan.rtp), 0xcb007107);

	/* mended: as before */
	take(&s, describe("", "198.51.100.9", 5000, UFRAG PWD HOST));
	assert_true(s.plan.ice.on);
	has(reply(&s), "a=ice-mismatch", false);
	nego_reset(&s.n);

	/* they have seen it in our offer */
	side_init(&s, true);
	result(&s, describe("", "198.51.100.9", 5000, UFRAG PWD HOST
			    "a=ice-mismatch\r\n"));
	assert_false(s.plan.ice.on);
	nego_reset(&s.n);

	/* in an answer */
	side_init(&s, true);
	result(&s, describe("", "203.0.113.7", 5000, UFRAG PWD HOST));
	assert_false(s.plan.ice.on);
	nego_reset(&s.n);

	/* on hold in the old way; not known yet (RFC 8840 4.1.1); a name */
	side_init(&s, true);
	take(&s, describe("", "0.0.0.0", 5000, UFRAG PWD HOST));
	assert_true(s.plan.ice.on);
	take(&s, describe("", "203.0.113.7", 9, UFRAG PWD HOST));
	assert_true(s.plan.ice.on);
	take(&s, describe("", "203.0.113.7", 5000, UFRAG PWD
			  "a=candidate:1 1 UDP 2130706431 a-name.local 5000"
			  " typ host\r\n"));
	assert_true(s.plan.ice.on);
	nego_reset(&s.n);
}


/* Other names: they begin anew, and so do we, under others */
static void test_restart(void **state)
{
	char first[ICE_UFRAG_MAX];
	struct side s;
	(void)state;

	side_init(&s, true);
	take(&s, describe("", "198.51.100.9", 5000, UFRAG PWD HOST));
	strcpy(first, s.plan.ice.ufrag);
	take(&s, describe("", "198.51.100.9", 5000, UFRAG PWD HOST));
	assert_string_equal(s.plan.ice.ufrag, first);
	take(&s, describe("", "198.51.100.9", 5000, "a=ice-ufrag:other\r\n"
			  PWD HOST));
	assert_string_not_equal(s.plan.ice.ufrag, first);
	nego_reset(&s.n);
}


static void test_candidates(void **state)
{
	static const struct {
		const char *text;
		int err;
	} v[] = {
		{ "1 1 UDP 100 198.51.100.1 9 typ host", 0 },
		{ "1 1 udp 100 2001:db8::1 9 typ relay raddr :: rport 9", 0 },
		{ "x 1 UDP 1 198.51.100.1 65535 typ prflx ext x", 0 },
		{ "1 2 UDP 100 198.51.100.1 9 typ host", ENOTSUP },
		{ "1 1 TCP 100 198.51.100.1 9 typ host tcptype active",
		  ENOTSUP },
		{ "1 1 UDP 100 name.local 9 typ host", ENOTSUP },
		{ "1 1 UDP 100 198.51.100.1 9 typ strange", ENOTSUP },
		{ "1 1 UDP 0 198.51.100.1 9 typ host", EBADMSG },
		{ "1 1 UDP 4294967296 198.51.100.1 9 typ host", EBADMSG },
		{ "1 1 UDP 100 198.51.100.1 0 typ host", EBADMSG },
		{ "1 1 UDP 100 198.51.100.1 70000 typ host", EBADMSG },
		{ "1 0 UDP 100 198.51.100.1 9 typ host", EBADMSG },
		{ "1 1 UDP 100 198.51.100.1 9 type host", EBADMSG },
		{ "1 1 UDP 100 198.51.100.1 9 typ", EBADMSG },
		{ "", EBADMSG },
	};
	struct media_cand c;
	char buf[256];
	(void)state;

	for (size_t i = 0; i < COUNT_OF(v); i++) {
		if (cand_read(&c, v[i].text, strlen(v[i].text)) != v[i].err)
			fail_msg("%s", v[i].text);
	}

	assert_int_equal(cand_read(&c, v[0].text, strlen(v[0].text)), 0);
	assert_int_equal(cand_print(buf, sizeof(buf), &c), 0);
	assert_string_equal(buf, "1 1 UDP 100 198.51.100.1 9 typ host");
	assert_int_equal(cand_print(buf, 20, &c), EOVERFLOW);

	/* of another address of ours: not as likely to work as the first */
	c.path = 2;
	assert_int_equal(cand_print(buf, sizeof(buf), &c), 0);
	assert_string_equal(buf, "9 1 UDP 100 198.51.100.1 9 typ host");
}


static void bases(const char *first, const char *all, const char *want)
{
	struct sa v[MEDIA_BASES], av[16], sa;
	struct hostaddr hv[16];
	unsigned ac = 0, hc = 0, n;
	char text[256] = "", one[64];

	assert_int_equal(0, sa_set_str(&sa, first, 5060));
	while (*all) {
		struct hostaddr *h = &hv[hc];
		size_t len = strcspn(all, " !~?");

		memcpy(one, all, len);
		one[len] = '\0';
		assert_int_equal(0, sa_set_str(&av[ac++], one, 5060));
		memset(h, 0, sizeof(*h));
		h->addr = av[ac - 1];
		h->index = 2;
		h->deprecated = all[len] == '!';
		h->temporary = all[len] == '~';
		h->tentative = all[len] == '?';
		hc += sa_af(&h->addr) == AF_INET6;
		all += len + (h->deprecated || h->temporary || h->tentative);
		all += strspn(all, " ");
	}

	n = ice_bases(v, COUNT_OF(v), &sa, av, ac, hv, hc);
	for (unsigned i = 0; i < n; i++)
		(void)re_snprintf(text + strlen(text),
				  sizeof(text) - strlen(text), "%s%j",
				  i ? " " : "", &v[i]);
	assert_string_equal(text, want);
}


/* RFC 8445 5.1.1.1, RFC 8421 */
static void test_bases(void **state)
{
	(void)state;

	bases("192.0.2.1", "192.0.2.1", "");
	bases("192.0.2.1", "192.0.2.1 198.51.100.1 127.0.0.1 ::1",
	      "198.51.100.1");
	/* the peer is here */
	bases("127.0.0.1", "127.0.0.1 192.0.2.1", "");
	/* in turns, the first being of the one */
	bases("192.0.2.1", "192.0.2.1 192.0.2.2 192.0.2.3 2001:db8::1"
	      " 2001:db8::2", "2001:db8::1 192.0.2.2 2001:db8::2 192.0.2.3");
	bases("2001:db8::1", "192.0.2.1 2001:db8::1 2001:db8::2",
	      "192.0.2.1 2001:db8::2");
	/* about to go, not ours yet, of another time, of the link alone */
	bases("192.0.2.1", "192.0.2.1 2001:db8::1! 2001:db8::2? fe80::1"
	      " fec0::1 ::5:6 2001:db8::3",
	      "2001:db8::3");
	/* by which nobody is known again, where there is one */
	bases("192.0.2.1", "192.0.2.1 2001:db8::1 2001:db8::2~"
	      " 2001:db8:0:1::1", "2001:db8::2 2001:db8:0:1::1");
	bases("192.0.2.1", "192.0.2.1 2001:db8::1 2001:db8::2~", "2001:db8::2");
	bases("192.0.2.1", "192.0.2.1 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4"
	      " 10.0.0.5 10.0.0.6 10.0.0.7", "10.0.0.1 10.0.0.2 10.0.0.3"
	      " 10.0.0.4 10.0.0.5 10.0.0.6");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_without),
		cmocka_unit_test(test_mismatch),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_candidates),
		cmocka_unit_test(test_bases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
