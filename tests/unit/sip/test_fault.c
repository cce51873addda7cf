/**
 * @file test_fault.c  Messages that go wrong on purpose, and how calls take it
 */
#include "rig.h"
#include "fault.h"


static struct {
	unsigned n;
	enum sip_fault_kind kind;
	unsigned rule;
	bool tx;
	uint16_t code;
	char method[32], callid[256], name[64];
} told;


static void told_h(const struct sip_fault_done *d, void *arg)
{
	(void)arg;

	++told.n;
	told.kind = d->kind;
	told.rule = d->rule;
	told.tx = d->tx;
	told.code = d->code;
	str_ncpy(told.method, d->method, sizeof(told.method));
	str_ncpy(told.callid, d->callid, sizeof(told.callid));
	str_ncpy(told.name, d->name, sizeof(told.name));
}


static int setup(void **state)
{
	memset(&told, 0, sizeof(told));

	return rig_setup(state) || sip_fault_listen(rig.s, told_h, NULL);
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, rig_teardown)


static unsigned add(struct sip_fault f)
{
	unsigned number = 0;

	if (!f.in)
		f.out = true;
	if (f.chance_pct < 0.5)
		f.chance_pct = 100.0;
	if (!f.bytes)
		f.bytes = 1;
	assert_int_equal(sip_fault_add(rig.s, &f, 0, &number), 0);

	return number;
}

#define ADD(...) add((struct sip_fault){ __VA_ARGS__ })


static void assert_done(unsigned seen, unsigned done)
{
	struct sip_fault_status st;

	assert_true(sip_fault_at(&st, rig.s, 0));
	assert_int_equal(st.seen, seen);
	assert_int_equal(st.done, done);
}


/* The first INVITE is lost: it comes again, and the call is well */
static void drop_out(void **state)
{
	struct peer_dialog d;
	(void)state;

	ADD(.kind = SIP_FAULT_DROP, .method = "INVITE", .requests = true,
	    .nth = 1);
	rig_call_up(&d);
	assert_done(2, 1);
	rig_wait(&told.n, 1);
	assert_int_equal(told.kind, SIP_FAULT_DROP);
	assert_int_equal(told.rule, 1);
	assert_true(told.tx);
	assert_int_equal(told.code, 0);
	assert_string_equal(told.method, "INVITE");
	assert_string_equal(told.callid, d.callid);
}


/* Their first 200 does not reach us: we ring until they say it again */
static void drop_in(void **state)
{
	const struct sip_msg *inv;
	(void)state;

	ADD(.kind = SIP_FAULT_DROP, .in = true, .method = "INVITE",
	    .code_min = 200, .code_max = 299, .times = 1);
	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 200, "t1", "", "their session\r\n");
	rig_wait(&told.n, 1);
	assert_int_equal(told.code, 200);
	assert_false(told.tx);
	assert_int_equal(rig.established, 0);
	peer_reply(rig.p, inv, 200, "t1", "", "their session\r\n");
	(void)rig_expect("ACK");
	rig_wait(&rig.established, 1);
}


/* Each second of what they send is lost, and no other */
static void every(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_call_up(&d);
	ADD(.kind = SIP_FAULT_DROP, .in = true, .method = "OPTIONS",
	    .every = 2);
	for (unsigned i = 0; i < 4; i++)
		peer_request(rig.p, &d, "OPTIONS", "", NULL);
	rig_wait(&told.n, 2);
	(void)rig_expect("200 OPTIONS");
	(void)rig_expect("200 OPTIONS");
	rig_expect_none("200 OPTIONS");
	assert_done(4, 2);
}


static void twice(void **state)
{
	const struct sip_msg *a, *b;
	(void)state;

	ADD(.kind = SIP_FAULT_DUPLICATE, .method = "INVITE",
	    .requests = true, .nth = 1);
	rig_call("our session\r\n", NULL);
	a = rig_expect("INVITE");
	b = rig_expect("INVITE");
	assert_string_equal(msg_header(a, "Via"), msg_header(b, "Via"));
	peer_reply(rig.p, a, 486, "t1", "", NULL);
	rig_assert_closed(SIP_CAUSE_STATUS, 486, true);
}


/* What goes behind waits for the next, or for its time */
static void order(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_call_up(&d);
	ADD(.kind = SIP_FAULT_REORDER, .in = true, .method = "OPTIONS",
	    .times = 1, .by_ms = 60000);
	peer_request(rig.p, &d, "OPTIONS", "", NULL);
	rig_wait(&told.n, 1);
	rig_expect_none("200 OPTIONS");
	peer_request(rig.p, &d, "INFO", "", NULL);
	(void)peer_wait(rig.p, "200 OPTIONS", WAIT_MS);
	assert_int_equal(sip_fault_remove(rig.s, 0), 0);

	ADD(.kind = SIP_FAULT_REORDER, .in = true, .method = "OPTIONS",
	    .times = 1, .by_ms = 50);
	peer_request(rig.p, &d, "OPTIONS", "", NULL);
	(void)rig_expect("200 OPTIONS");
}


static void delay(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_call_up(&d);
	ADD(.kind = SIP_FAULT_DELAY, .in = true, .method = "OPTIONS",
	    .by_ms = 300);
	peer_request(rig.p, &d, "OPTIONS", "", NULL);
	rig_expect_none("200 OPTIONS");
	(void)rig_expect("200 OPTIONS");

	/* what is held back goes on when the rules end, at once */
	assert_int_equal(sip_fault_remove(rig.s, 1), 0);
	ADD(.kind = SIP_FAULT_DELAY, .in = true, .method = "OPTIONS",
	    .by_ms = 60000);
	peer_request(rig.p, &d, "OPTIONS", "", NULL);
	rig_wait(&told.n, 2);
	rig_expect_none("200 OPTIONS");
	assert_int_equal(sip_fault_remove(rig.s, 0), 0);
	(void)rig_expect("200 OPTIONS");
	/* and one that is never let go goes with the stack */
	ADD(.kind = SIP_FAULT_DELAY, .in = true, .by_ms = 60000);
	peer_request(rig.p, &d, "OPTIONS", "", NULL);
	rig_wait(&told.n, 3);
	assert_int_equal(sip_fault_remove(rig.s, 0), 0);
}


static void headers(void **state)
{
	const struct sip_msg *inv;
	(void)state;

	ADD(.kind = SIP_FAULT_MANGLE, .method = "INVITE", .requests = true,
	    .name = "contact", .value = "<sip:x@192.0.2.1>");
	ADD(.kind = SIP_FAULT_ADD, .method = "INVITE", .requests = true,
	    .name = "X-More", .value = "one");
	ADD(.kind = SIP_FAULT_REMOVE, .method = "INVITE", .requests = true,
	    .name = "Allow");
	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	assert_string_equal(msg_header(inv, "Contact"), "<sip:x@192.0.2.1>");
	assert_string_equal(msg_header(inv, "X-More"), "one");
	assert_string_equal(msg_header(inv, "Allow"), "");
	assert_string_equal(msg_body(inv), "our session\r\n");
	rig_wait(&told.n, 3);
	assert_string_equal(told.name, "Allow");
	peer_reply(rig.p, inv, 486, "t1", "", NULL);
	rig_assert_closed(SIP_CAUSE_STATUS, 486, true);
}


/* Noise in what comes is no news: the phone lives, and nothing hangs */
static void noise_in(void **state)
{
	struct peer_dialog d;
	(void)state;

	rig_call_up(&d);
	ADD(.kind = SIP_FAULT_CORRUPT, .in = true, .bytes = 20);
	for (unsigned i = 0; i < 200; i++)
		peer_request(rig.p, &d, "OPTIONS", "", NULL);
	rig_wait(&told.n, 200);
	assert_int_equal(sip_fault_remove(rig.s, 0), 0);
	peer_forget(rig.p);
	peer_request(rig.p, &d, "OPTIONS", "", NULL);
	(void)rig_expect("200 OPTIONS");
}


static void rules(void **state)
{
	struct sip_fault f = {
		.kind = SIP_FAULT_DROP, .out = true, .chance_pct = 100.0,
	};
	struct sip_fault_status st;
	unsigned i, number;
	(void)state;

	assert_false(sip_fault_at(&st, rig.s, 0));
	assert_int_equal(sip_fault_remove(rig.s, 1), ENOENT);
	assert_int_equal(sip_fault_remove(rig.s, 0), 0);

	f.code_min = f.code_max = 200;
	f.requests = true;
	assert_int_equal(sip_fault_add(rig.s, &f, 1, NULL), EINVAL);
	f.requests = false;
	f.kind = SIP_FAULT_ADD;
	assert_int_equal(sip_fault_add(rig.s, &f, 1, NULL), EINVAL);
	str_ncpy(f.name, "X:Y", sizeof(f.name));
	assert_int_equal(sip_fault_add(rig.s, &f, 1, NULL), EINVAL);
	str_ncpy(f.name, "X", sizeof(f.name));
	str_ncpy(f.value, "a\r\nB: c", sizeof(f.value));
	assert_int_equal(sip_fault_add(rig.s, &f, 1, NULL), EINVAL);
	str_ncpy(f.value, "a", sizeof(f.value));
	f.out = false;
	assert_int_equal(sip_fault_add(rig.s, &f, 1, NULL), EINVAL);
	f.out = true;

	for (i = 0; i < SIP_FAULT_RULES; i++) {
		assert_int_equal(sip_fault_add(rig.s, &f, 1, &number), 0);
		assert_int_equal(number, i + 1);
	}
	assert_int_equal(sip_fault_add(rig.s, &f, 1, NULL), ENOSPC);
	assert_int_equal(sip_fault_remove(rig.s, 3), 0);
	assert_int_equal(sip_fault_remove(rig.s, 3), ENOENT);
	assert_true(sip_fault_at(&st, rig.s, 2));
	assert_int_equal(st.number, 4);
	assert_int_equal(sip_fault_remove(rig.s, 0), 0);
	assert_false(sip_fault_at(&st, rig.s, 0));

	for (i = 0; i < SIP_FAULT_KINDS; i++)
		assert_int_equal(i, sip_fault_find(sip_fault_name(i)));
	assert_int_equal(sip_fault_find("x"), SIP_FAULT_KINDS);
	assert_null(sip_fault_name(SIP_FAULT_KINDS));
}


/* The same seed, the same chances */
static void seeds(void **state)
{
	const struct sip_fault f = {
		.kind = SIP_FAULT_DROP, .in = true, .chance_pct = 40.0,
		.method = { "OPTIONS" },
	};
	struct sip_fault_status st;
	struct peer_dialog d;
	uint64_t done[3];
	(void)state;

	rig_call_up(&d);
	for (unsigned k = 0; k < 3; k++) {

		assert_int_equal(sip_fault_add(rig.s, &f, k < 2 ? 7 : 8,
					       NULL), 0);
		for (unsigned i = 0; i < 60; i++) {
			peer_request(rig.p, &d, "OPTIONS", "", NULL);
			do {
				loop_run(1);
				assert_true(sip_fault_at(&st, rig.s, 0));
			} while (st.seen <= i);
		}
		done[k] = st.done;
		assert_int_equal(sip_fault_remove(rig.s, 0), 0);
	}

	assert_int_equal(done[0], done[1]);
	assert_in_range(done[0], 8, 45);
	assert_in_range(done[2], 8, 45);
}


/* Bytes ---------------------------------------------------------------------- */

static const char *edited(enum sip_fault_kind kind, const char *name,
			  const char *value, const char *text)
{
	static char buf[4096];
	struct sip_fault f = { .kind = kind, .bytes = 3 };
	uint64_t rng = 1234;
	struct mbuf *mb = NULL;

	str_ncpy(f.name, name, sizeof(f.name));
	str_ncpy(f.value, value, sizeof(f.value));
	assert_int_equal(fault_edit(&mb, &f, &rng, text, strlen(text)), 0);
	assert_true(mb->end < sizeof(buf));
	memcpy(buf, mb->buf, mb->end);
	buf[mb->end] = '\0';
	mem_deref(mb);

	return buf;
}


static void bytes(void **state)
{
	static const char msg[] = "OPTIONS sip:x SIP/2.0\r\nv: one\r\n"
		"Via : two\r\n folded\r\nX: y\r\n\r\nVia: body\r\n";
	const char *s;
	unsigned n = 0;
	(void)state;

	assert_string_equal(edited(SIP_FAULT_REMOVE, "Via", "", msg),
			    "OPTIONS sip:x SIP/2.0\r\nX: y\r\n\r\n"
			    "Via: body\r\n");
	assert_string_equal(edited(SIP_FAULT_MANGLE, "VIA", "z", msg),
			    "OPTIONS sip:x SIP/2.0\r\nv: z\r\n"
			    "Via : two\r\n folded\r\nX: y\r\n\r\n"
			    "Via: body\r\n");
	assert_string_equal(edited(SIP_FAULT_ADD, "Via", "z", msg),
			    "OPTIONS sip:x SIP/2.0\r\nv: one\r\n"
			    "Via : two\r\n folded\r\nX: y\r\nVia: z\r\n\r\n"
			    "Via: body\r\n");
	assert_string_equal(edited(SIP_FAULT_MANGLE, "start-line", "HELLO",
				   msg), "HELLO\r\nv: one\r\n"
			    "Via : two\r\n folded\r\nX: y\r\n\r\n"
			    "Via: body\r\n");
	assert_string_equal(edited(SIP_FAULT_REMOVE, "Nothing", "", msg), msg);
	/* what has no end, and what is nothing */
	assert_string_equal(edited(SIP_FAULT_REMOVE, "X", "", "A\r\nX: y"),
			    "A\r\n");
	assert_string_equal(edited(SIP_FAULT_ADD, "X", "y", ""), "X: y\r\n");
	assert_string_equal(edited(SIP_FAULT_CORRUPT, "", "", ""), "");

	s = edited(SIP_FAULT_MANGLE, "X", "", msg);
	assert_null(strstr(s, "X: y\r\n"));
	assert_non_null(strstr(s, "\r\nX: "));
	s = edited(SIP_FAULT_CORRUPT, "", "", msg);
	for (size_t i = 0; i < strlen(msg); i++)
		n += s[i] != msg[i];
	assert_in_range(n, 1, 3);
}


static void look(struct fault_look *l, const char *text)
{
	fault_look(l, text, strlen(text));
}


static void looks(void **state)
{
	struct fault_look l;
	(void)state;

	look(&l, "SIP/2.0 180 Ringing\r\ni: me\r\nCSEQ:  1   INVITE \r\n"
	     "\r\nCall-ID: no");
	assert_false(l.request);
	assert_int_equal(l.code, 180);
	assert_string_equal(l.method, "INVITE");
	assert_string_equal(l.callid, "me");

	look(&l, "BYE sip:x SIP/2.0\r\nCall-ID: a\r\nCSeq: 3 INVITE\r\n");
	assert_true(l.request);
	assert_int_equal(l.code, 0);
	assert_string_equal(l.method, "BYE");
	assert_string_equal(l.callid, "a");

	look(&l, "");
	assert_string_equal(l.method, "");
	look(&l, "SIP/2.0 9x\r\n");
	assert_int_equal(l.code, 9);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(drop_out),
		TEST(drop_in),
		TEST(every),
		TEST(twice),
		TEST(order),
		TEST(delay),
		TEST(headers),
		TEST(noise_in),
		TEST(rules),
		TEST(seeds),
		cmocka_unit_test(bytes),
		cmocka_unit_test(looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
