/**
 * @file test_binding.c  What a registrar says it holds, and equal URIs
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "registration.h"


#define US "sip:al@192.0.2.1:5062"
#define URN "urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF"


static struct sip_msg *answer(const char *headers)
{
	struct mbuf *mb = mbuf_alloc(4096);
	struct sip_msg *msg = NULL;

	assert_int_equal(mbuf_printf(mb, "SIP/2.0 200 OK\r\n"
		"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\n"
		"From: <sip:al@h>;tag=1\r\nTo: <sip:al@h>;tag=2\r\n"
		"Call-ID: c\r\nCSeq: 1 REGISTER\r\n%s\r\n", headers), 0);
	mb->pos = 0;
	assert_int_equal(sip_msg_decode(&msg, mb), 0);
	mem_deref(mb);

	return msg;
}


static struct binding_list list;


static void read_list(const char *headers, const char *instance,
		      unsigned reg_id)
{
	const struct binding_ask ask = {
		.uri = US, .instance = instance, .reg_id = reg_id,
		.expires_s = 3600,
	};
	struct sip_msg *msg = answer(headers);

	binding_read(&list, msg, &ask);
	mem_deref(msg);
}


/* However the server writes it */
static void test_granted(void **state)
{
	static const struct {
		const char *headers;
		bool listed;
		uint32_t s;
	} v[] = {
		{"Contact: <" US ">;expires=60\r\n", true, 60},
		{"Contact: <" US ">;EXPIRES=60;q=0.5\r\n", true, 60},
		{"m: <" US ">; expires = \"61\"\r\n", true, 61},
		{"Contact: " US ";expires=62\r\n", true, 62},
		{"Contact: \"A, B\" <" US ">;q=1;expires=63\r\n", true, 63},
		{"Contact: <SIP:al@192.0.2.1:5062>;expires=64\r\n", true, 64},
		{"Contact: <sip:%61l@192.0.2.1:5062>;expires=65\r\n", true,
		 65},
		{"Contact: <" US ";x=y>;expires=66\r\n", true, 66},

		/* the header, our wish */
		{"Contact: <" US ">\r\nExpires: 70\r\n", true, 70},
		{"Contact: <" US ">;expires=71\r\nExpires: 70\r\n", true, 71},
		{"Contact: <" US ">\r\n", true, 3600},
		{"Contact: <" US ">;expires=soon\r\nExpires: 72\r\n", true,
		 72},
		{"Contact: <" US ">;expires\r\n", true, 3600},
		{"Expires: 73\r\n", false, 73},
		{"", false, 3600},
		{"Expires: never\r\n", false, 3600},

		/* numbers as large as they like */
		{"Contact: <" US ">;expires=4294967296\r\n", true, 604800},
		{"Contact: <" US ">;expires=99999999999999999999\r\n", true,
		 604800},
		{"Contact: <" US ">;expires=0\r\n", true, 0},

		/* among those of others */
		{"Contact: <sip:al@192.0.2.9>;expires=5, <" US ">;expires=80"
		 "\r\nContact: <sip:al@192.0.2.8>;expires=6\r\n", true, 80},
		{"Contact: <sip:x@192.0.2.9>;expires=5\r\n"
		 "Contact: <sip:al@198.51.100.1:1024>;expires=81\r\n", true,
		 81},
		{"Contact: <sip:al@198.51.100.1:1024>;expires=82\r\n", true,
		 82},
		{"Contact: <sip:alias@sbc.example>;expires=83\r\n", true, 83},

		/* who can tell? the one that is freshest */
		{"Contact: <sip:al@192.0.2.9>;expires=5\r\n"
		 "Contact: <sip:al@192.0.2.8>;expires=84\r\n"
		 "Contact: <sip:al@192.0.2.7>;expires=7\r\n", false, 84},
		{"Contact: <sip:a@192.0.2.9>;expires=85\r\n"
		 "Contact: <sip:b@192.0.2.8>;expires=8\r\n", false, 85},

		/* nonsense is skipped */
		{"Contact: *\r\n", false, 3600},
		{"Contact: <" US "\r\nContact: <" US ">;expires=86\r\n", true,
		 86},
		{"Contact: <mailto:al@h>;expires=4\r\nContact: <" US
		 ">;expires=87\r\n", true, 87},
	};
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++) {
		read_list(v[i].headers, NULL, 0);
		if (list.listed != v[i].listed || list.expires_s != v[i].s)
			fail_msg("%zu: %s: %d %u", i, v[i].headers,
				 list.listed, list.expires_s);
	}
}


static void test_instance(void **state)
{
	(void)state;

	/* ours though it is rewritten; theirs though it looks like ours */
	read_list("Contact: <" US ">;expires=1;+sip.instance=\"<urn:x>\"\r\n"
		  "Contact: <sip:q@198.51.100.1:9>;+sip.instance=\"<" URN
		  ">\";reg-id=2;expires=50\r\n"
		  "Contact: <sip:q@198.51.100.1:8>;reg-id=1;+sip.instance=\"<"
		  "URN:UUID:00000000-0000-1000-8000-aabbccddeeff>\""
		  ";expires=40\r\n", URN, 1);
	assert_true(list.listed);
	assert_int_equal(list.expires_s, 40);
	assert_int_equal(list.n, 3);
	assert_false(list.v[0].ours);
	assert_false(list.v[1].ours);
	assert_true(list.v[2].ours);
	assert_int_equal(list.v[1].reg_id, 2);
	assert_string_equal(list.v[1].instance, URN);
	assert_string_equal(list.v[0].uri, US);
	assert_int_equal(list.v[0].expires_s, 1);

	/* a registrar that knows none of it */
	read_list("Contact: <" US ">;expires=45\r\n", URN, 1);
	assert_true(list.listed);
	assert_int_equal(list.expires_s, 45);

	/* without reg-id it is the same instance all the same */
	read_list("Contact: <sip:q@h>;+sip.instance=\"<" URN ">\";expires=46"
		  "\r\nContact: <sip:al@h>;expires=2\r\n", URN, 0);
	assert_true(list.listed);
	assert_int_equal(list.expires_s, 46);

	/* nothing but our other flow */
	read_list("Contact: <" US ">;+sip.instance=\"<" URN ">\";reg-id=2;"
		  "expires=9\r\n", URN, 1);
	assert_false(list.listed);
	assert_int_equal(list.expires_s, 3600);
}


static void test_gruu(void **state)
{
	(void)state;

	read_list("Contact: <" US ">;pub-gruu=\"sip:al@h;gr=urn:x\";temp-gruu="
		  "\"sip:tgruu.7hs==@h;gr\";expires=30\r\n", NULL, 0);
	assert_string_equal(list.gruu, "sip:al@h;gr=urn:x");
	assert_string_equal(list.temp_gruu, "sip:tgruu.7hs==@h;gr");

	/* what may not stand in a message; what is not ours */
	read_list("Contact: <" US ">;pub-gruu=\"mailto:al@h\";temp-gruu="
		  "\"sip:a b@h\"\r\n", NULL, 0);
	assert_string_equal(list.gruu, "");
	assert_string_equal(list.temp_gruu, "");
	read_list("Contact: <" US ">\r\nContact: <sip:b@h>;pub-gruu=\""
		  "sip:b@h;gr\"\r\n", NULL, 0);
	assert_string_equal(list.gruu, "");
}


/* More than anybody keeps, and longer */
static void test_many(void **state)
{
	char headers[8000] = "", uri[600];
	size_t n = 0;
	int i;
	(void)state;

	memset(uri, 'u', sizeof(uri));
	uri[sizeof(uri) - 1] = '\0';
	n += (size_t)snprintf(headers, sizeof(headers),
			      "Contact: <sip:%s@h>\r\n", uri);
	for (i = 0; i < 40; i++)
		n += (size_t)snprintf(headers + n, sizeof(headers) - n,
				      "Contact: <sip:al@192.0.2.%d>;expires=%d"
				      "\r\n", 10 + i, 100 + i);
	(void)snprintf(headers + n, sizeof(headers) - n,
		       "Contact: <" US ">;expires=99;pub-gruu=\"sip:g@h;gr\""
		       "\r\n");

	read_list(headers, NULL, 0);
	assert_true(list.listed);
	assert_int_equal(list.expires_s, 99);
	assert_string_equal(list.gruu, "sip:g@h;gr");
	assert_int_equal(list.n, BINDINGS_MAX);
	assert_int_equal(list.more, 42 - BINDINGS_MAX);
	assert_string_equal(list.v[0].uri, "");
}


/* RFC 3261 19.1.4, its own examples among them */
static void test_equal(void **state)
{
	static const struct {
		bool same;
		const char *a, *b;
	} v[] = {
		{true, "sip:%61lice@atlanta.com;transport=TCP",
		 "sip:alice@AtLanTa.CoM;Transport=tcp"},
		{true, "sip:carol@chicago.com",
		 "sip:carol@chicago.com;newparam=5"},
		{true, "sip:carol@chicago.com;newparam=5",
		 "sip:carol@chicago.com;security=on"},
		{true, "sip:biloxi.com;transport=tcp;method=REGISTER",
		 "sip:biloxi.com;method=REGISTER;transport=tcp"},
		{false, "SIP:ALICE@AtLanTa.CoM;Transport=udp",
		 "sip:alice@AtLanTa.CoM;Transport=UDP"},
		{false, "sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"},
		{false, "sip:bob@biloxi.com",
		 "sip:bob@biloxi.com;transport=udp"},
		{false, "sip:bob@biloxi.com",
		 "sip:bob@biloxi.com:6000;transport=tcp"},
		{false, "sip:carol@chicago.com;security=on",
		 "sip:carol@chicago.com;security=off"},
		{false, "sip:bob@phone21.boxesbybob.com",
		 "sip:bob@192.0.2.4"},
		{false, "sip:a@h", "sips:a@h"},
		{false, "sip:a@h", "sip:h"},
		{true, "sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]"},
		{false, "sip:a@h;lr", "sip:a@h;lr=on"},
		{true, "sip:a@h;lr", "sip:a@h;LR"},
		{false, "tel:1", "tel:1"},
	};
	struct suri a, b;
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++) {
		assert_int_equal(suri_parse_str(&a, v[i].a), 0);
		assert_int_equal(suri_parse_str(&b, v[i].b), 0);
		if (suri_equal(&a, &b) != v[i].same ||
		    suri_equal(&b, &a) != v[i].same)
			fail_msg("%s, %s", v[i].a, v[i].b);
	}

	assert_int_equal(suri_parse_str(&a, "sip:%61l%2Fx@h"), 0);
	assert_int_equal(suri_parse_str(&b, "sip:al/x@h"), 0);
	assert_true(suri_user_equal(&a.user, &b.user));
	assert_int_equal(suri_parse_str(&b, "sip:al@h"), 0);
	assert_false(suri_user_equal(&a.user, &b.user));
	assert_int_equal(suri_parse_str(&b, "sip:AL/x@h"), 0);
	assert_false(suri_user_equal(&a.user, &b.user));
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_granted),
		cmocka_unit_test(test_instance),
		cmocka_unit_test(test_gruu),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
