/**
 * @file test_ident.c  Who we are to the network
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "ident.h"
#include "../../fake/ident.h"


static void test_refused(void **state)
{
	static const struct sip_ident_conf v[] = {
		{.aor = NULL},
		{.aor = ""},
		{.aor = "c"},
		{.aor = "sip:a b@c"},
		{.aor = "sip:c@d\r\nX: y"},
		{.aor = "sip:c@d", .name = "a\r\nb"},
		{.aor = "sip:c@d", .routev = {"nowhere"}},
		{.aor = "sip:c@d", .routev = {NULL, "tel:1"}},
		{.aor = "sip:c@d", .routev = {"sip:p?Route=x"}},
		{.aor = "sip:c@d", .serverv = {"a b"}},
		{.aor = "sip:c@d", .user = "a\nb"},
		{.aor = "sip:c@d", .headers = "X: 1\r\n\r\nINVITE"},
		{.aor = "sip:c@d", .headers = "X: 1"},
	};
	struct sip_ident *id = NULL;
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++) {
		if (sip_ident_alloc(&id, &v[i]) != EINVAL)
			fail_msg("taken: %zu", i);
	}
	assert_null(id);
	assert_int_equal(sip_ident_alloc(NULL, &v[0]), EINVAL);
	assert_int_equal(sip_ident_alloc(&id, NULL), EINVAL);
}


static void test_route(void **state)
{
	struct sip_ident *id;
	char *v[2] = {NULL};
	unsigned n = 0;
	(void)state;

	id = ident_make(.aor = "sip:al@example.com", .routev = {""});
	assert_int_equal(ident_routes(id, v, &n, 2), 0);
	assert_int_equal(n, 0);
	assert_string_equal(sip_ident_hop(id, "sip:bob@x"), "sip:bob@x");
	assert_string_equal(sip_ident_hop(NULL, "sip:bob@x"), "sip:bob@x");
	assert_string_equal(sip_ident_aor(id), "sip:al@example.com");
	assert_string_equal(sip_ident_aor(NULL), "");
	mem_deref(id);

	/* a proxy is a loose router whether its user says so or not */
	id = ident_make(.aor = "sip:al@example.com",
			.routev = {"sip:p1;transport=tcp", "sip:p2;LR"});
	assert_string_equal(sip_ident_hop(id, "sip:bob@x"),
			    "sip:p1;transport=tcp;lr");
	assert_int_equal(ident_routes(id, v, &n, 2), 0);
	assert_int_equal(n, 1);
	assert_string_equal(v[0], "<sip:p1;transport=tcp;lr>");
	id->flow = 1;
	assert_int_equal(ident_routes(id, v, &n, 2), 0);
	assert_int_equal(n, 2);
	assert_string_equal(v[1], "<sip:p2;LR>");

	/* no room is no overflow */
	assert_int_equal(ident_routes(id, v, &n, 2), 0);
	assert_int_equal(n, 2);
	mem_deref(v[0]);
	mem_deref(v[1]);
	mem_deref(id);
}


static void test_creds(void **state)
{
	static const char *const ours[] = {
		"sip:bob@example.com", "sip:bob@EXAMPLE.com:99",
		"sip:x@reg.example.net", "sips:example.com",
		"sip:evil.org;maddr=example.com",
	}, *const theirs[] = {
		"sip:bob@example.org", "sip:bob@example.com.evil.org",
		"sip:example.com@evil.org",
		"sip:bob@example.com;maddr=192.0.2.1",
		"sip:bob@example.com;maddr=",
		"sip:bob@192.0.2.1", "tel:123", "example.com", NULL,
	};
	struct sip_creds *creds = NULL;
	struct digest *d = NULL;
	struct sip_ident *id;
	size_t i;
	(void)state;

	assert_int_equal(sip_creds_alloc(&creds, "al", "secret", NULL), 0);
	id = ident_make(.aor = "sip:al@example.com", .creds = creds,
			.serverv = {"reg.example.net:5070"});

	for (i = 0; i < COUNTOF(ours); i++) {
		if (ident_creds(id, ours[i]) != creds)
			fail_msg("withheld from %s", ours[i]);
	}
	for (i = 0; i < COUNTOF(theirs); i++) {
		if (ident_creds(id, theirs[i]))
			fail_msg("given to %s", theirs[i]);
	}

	assert_int_equal(ident_digest(&d, id, theirs[0]), 0);
	assert_null(d);
	assert_int_equal(ident_digest(&d, id, ours[0]), 0);
	assert_non_null(d);
	mem_deref(d);
	mem_deref(id);

	/* the proxy is ours, and everything goes there */
	id = ident_make(.aor = "sip:al@example.com", .creds = creds,
			.routev = {"sip:proxy.example.org"});
	assert_ptr_equal(ident_creds(id, sip_ident_hop(id, "sip:bob@x")),
			 creds);
	assert_null(ident_creds(id, "sip:bob@x"));
	mem_deref(id);

	id = ident_make(.aor = "sip:al@example.com");
	assert_null(ident_creds(id, ours[0]));
	assert_null(ident_creds(NULL, ours[0]));
	mem_deref(id);
	mem_deref(creds);
}


static void assert_contact(const struct sip_ident *id, const struct leg *l,
			   enum sip_transp tp, const char *want)
{
	struct mbuf *mb = mbuf_alloc(64);

	assert_int_equal(ident_contact(mb, id, l, tp, false), 0);
	(void)mbuf_write_u8(mb, 0);
	assert_string_equal((const char *)mb->buf, want);
	mem_deref(mb);
}


static void test_contact(void **state)
{
	struct leg leg;
	struct sip_ident *id;
	(void)state;

	memset(&leg, 0, sizeof(leg));
	(void)sa_set_str(&leg.udp, "192.0.2.1", 5062);
	(void)sa_set_str(&leg.tcp, "192.0.2.1", 5064);

	id = ident_make(.aor = "sip:al@example.com");
	assert_contact(id, &leg, SIP_TRANSP_UDP, "<sip:al@192.0.2.1:5062>");
	assert_contact(id, &leg, SIP_TRANSP_TCP,
		       "<sip:al@192.0.2.1:5064;transport=tcp>");

	/* seen from behind a NAT, by this way only */
	id->flowv[0].tp = SIP_TRANSP_UDP;
	id->flowv[0].local = leg.udp;
	(void)sa_set_str(&id->flowv[0].seen, "198.51.100.7", 40000);
	assert_contact(id, &leg, SIP_TRANSP_UDP,
		       "<sip:al@198.51.100.7:40000>");
	id->flowv[0].ob = true;
	assert_contact(id, &leg, SIP_TRANSP_TCP,
		       "<sip:al@192.0.2.1:5064;transport=tcp;ob>");

	assert_int_equal(str_dup(&id->gruu, "sip:al@example.com;gr=x"), 0);
	assert_contact(id, &leg, SIP_TRANSP_UDP, "<sip:al@example.com;gr=x>");
	mem_deref(id);

	id = ident_make(.aor = "sip:example.com");
	assert_contact(id, &leg, SIP_TRANSP_UDP, "<sip:192.0.2.1:5062>");
	mem_deref(id);
	id = ident_make(.aor = "sip:al@example.com", .user = "line1");
	assert_contact(id, &leg, SIP_TRANSP_UDP,
		       "<sip:line1@192.0.2.1:5062>");
	mem_deref(id);
}


/* Whoever the next hop of a dialog is decides whether it may challenge */
static void test_dialog(void **state)
{
	static const char *const uris[] = {
		"sip:bob@example.com", "sip:bob@192.0.2.9",
	};
	struct sip_creds *creds = NULL;
	struct sip_stack stack;
	struct sip_ident *id, *other;
	size_t i;
	(void)state;

	memset(&stack, 0, sizeof(stack));
	assert_int_equal(hash_alloc(&stack.dialogs, 16), 0);
	assert_int_equal(sip_creds_alloc(&creds, "al", "secret", NULL), 0);
	id = ident_make(.aor = "sip:al@example.com", .creds = creds);
	other = ident_make(.aor = "sip:al@192.0.2.9", .creds = creds);

	for (i = 0; i < COUNTOF(uris); i++) {
		struct dialog *d = NULL;

		assert_int_equal(ident_dialog(&d, &stack, id, uris[i]), 0);
		assert_ptr_equal(d->ident, id);
		assert_int_equal(d->digest != NULL, i == 0);

		ident_apply(other, d);
		assert_ptr_equal(d->ident, other);
		assert_int_equal(d->digest != NULL, i == 1);

		ident_apply(NULL, d);
		assert_ptr_equal(d->ident, other);
		mem_deref(d);
	}

	mem_deref(id);
	mem_deref(other);
	mem_deref(creds);
	mem_deref(stack.dialogs);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_route),
		cmocka_unit_test(test_creds),
		cmocka_unit_test(test_contact),
		cmocka_unit_test(test_dialog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
