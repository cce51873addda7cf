/**
 * @file test_ladder.c  The page of SIP messages: what each row tells
 */
#include "screen_rig.h"

static const char invite[] =
	"INVITE sip:bob@127.0.0.1 SIP/2.0\r\n"
	"Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKa\r\n"
	"From: <sip:a@x>;tag=1\r\nTo: <sip:bob@127.0.0.1>\r\n"
	"Call-ID: c1\r\nCSeq: 1 INVITE\r\n"
	"Content-Type: application/sdp\r\nContent-Length: 101\r\n\r\n"
	"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
	"t=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n";

/* Requests of their own, and what came back */
static const struct {
	bool tx;
	const char *first, *method;
} others[] = {
	{ true, "REGISTER sip:x SIP/2.0", "REGISTER" },
	{ false, "SIP/2.0 200 OK", "REGISTER" },
	{ true, "SUBSCRIBE sip:bob@x SIP/2.0", "SUBSCRIBE" },
	{ false, "NOTIFY sip:a@127.0.0.1 SIP/2.0", "NOTIFY" },
};


static int setup(void **state)
{
	const struct capture_limits lim = { 100, 1 << 20 };
	struct screen_rig *r = calloc(1, sizeof(*r));
	struct sa us, them, far;
	char text[600];

	assert_non_null(r);
	screen_setup(r);
	fclose(screen_file(r, "accounts"));
	assert_int_equal(capture_alloc(&r->ph.capture, &lim), 0);
	assert_int_equal(sa_set_str(&us, "127.0.0.1", 5060), 0);
	assert_int_equal(sa_set_str(&them, "127.0.0.1", 5080), 0);
	assert_int_equal(sa_set_str(&far, "192.0.2.9", 5061), 0);

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		snprintf(text, sizeof(text), "%s\r\nVia: SIP/2.0/TLS "
			 "127.0.0.1;branch=z9hG4bK%zu\r\nFrom: <sip:a@x>;tag=1"
			 "\r\nTo: <sip:b@x>\r\nCall-ID: o%zu\r\nCSeq: 1 %s"
			 "\r\n\r\n", others[i].first, i / 2, i / 2,
			 others[i].method);
		capture_sip(r->ph.capture, others[i].tx, SIP_TRANSP_TLS, &us,
			    &far, text, strlen(text));
	}
	for (int i = 0; i < 2; i++)
		capture_sip(r->ph.capture, true, SIP_TRANSP_UDP, &us, &them,
			    invite, sizeof(invite) - 1);
	capture_bind(r->ph.capture, "c1", 1);
	capture_note(r->ph.capture, 0, 1, "sound: opus/48000, sendrecv, dtls, "
		     "to 127.0.0.1:5000, from 127.0.0.1:4000");
	capture_note(r->ph.capture, 0, 1, "key 5 received (rtp)");
	screen_open(r);
	*state = r;

	return 0;
}


/* With a call: its own; with `a`: registration and subscriptions too */
static void test_rows(void **state)
{
	struct screen_rig *r = *state;

	fake_state(fake_incoming("sip:bob@example.com"), CALL_ACTIVE, 200);
	screen_key(r, "l");
	screen_has(r, 100, 30, "LADDER  call 1");
	screen_has(r, 100, 30, "us");
	screen_has(r, 100, 30, "127.0.0.1:5080");
	screen_has(r, 100, 30, "\u2500 INVITE \u2500");
	screen_has(r, 100, 30, "sdp pcmu");
	/* what is a retransmission says so, and is dotted */
	screen_has(r, 100, 30, "\u2504 INVITE \u2504");
	screen_has(r, 100, 30, "sent again");
	screen_has(r, 100, 30, "\u2550 rtp opus/48000 \u2550");
	screen_has(r, 100, 30, "key 5 received (rtp)");
	screen_hasnt(r, 100, 30, "REGISTER");

	screen_key(r, "a");
	screen_has(r, 100, 30, "LADDER  all");
	screen_has(r, 100, 30, "\u2500 REGISTER \u2500");
	screen_has(r, 100, 30, "\u2500 SUBSCRIBE \u2500");
	screen_has(r, 100, 30, "\u25c0\u2500");
	screen_has(r, 100, 30, "\u2500 NOTIFY \u2500");
	screen_has(r, 100, 30, "them");
	/* of several parties each row says whom it is with */
	screen_has(r, 120, 40, "192.0.2.9:5061");
	screen_has(r, 120, 40, "127.0.0.1:5080");
	for (int w = 40; w <= 200; w += 40) {
		(void)screen_paint(r, w, 24);
		r->t->canvas.ascii = true;
		(void)screen_paint(r, w, 24);
		r->t->canvas.ascii = false;
	}
}


/* A message in full, and over what it came */
static void test_open(void **state)
{
	struct screen_rig *r = *state;

	screen_key(r, "l");
	(void)screen_paint(r, 100, 30);
	screen_key(r, "Home");
	screen_key(r, "Enter");
	screen_has(r, 100, 30, "MESSAGE  sent to 192.0.2.9:5061 over tls");
	/* the last row tells what keys do here */
	screen_has(r, 100, 30, " Esc back  Left before  Right after  d comp");
	screen_hasnt(r, 100, 30, "Enter open");
	screen_has(r, 100, 30, " REGISTER sip:x SIP/2.0");
	for (int i = 0; i < 4; i++)
		screen_key(r, "Right");
	screen_has(r, 100, 30, " INVITE sip:bob@127.0.0.1 SIP/2.0");
	screen_key(r, "Right");
	screen_has(r, 100, 30, "(again)");
	screen_key(r, "Left");
	screen_key(r, "Esc");
	screen_has(r, 100, 30, "Enter open  a all / call  d compare");

	/* what is saved, is saved by a line that one sees */
	screen_has(r, 100, 30, "LADDER  all");
	screen_key(r, "w");
	assert_string_equal(line_text(r->t->line),
			    "ladder all --to ladder.txt");
	screen_key(r, "Esc");
	screen_key(r, "p");
	assert_string_equal(line_text(r->t->line), "pcap --past ");
	screen_key(r, "Esc");
}


/* Beside the arrows, where there is room for both; of two, which is which */
static void test_beside(void **state)
{
	struct screen_rig *r = *state;

	screen_key(r, "l");
	(void)screen_paint(r, 200, 40);
	screen_key(r, "Home");
	screen_has(r, 200, 40, "LADDER  all");
	screen_has(r, 200, 40, "MESSAGE  sent to 192.0.2.9:5061 over tls");
	screen_has(r, 200, 40, "REGISTER sip:x SIP/2.0\n");
	screen_hasnt(r, 120, 40, "REGISTER sip:x SIP/2.0");
	for (int i = 0; i < 4; i++)
		screen_key(r, "Down");
	screen_has(r, 200, 40, "m=audio 4000 RTP/AVP 0\n");
	screen_has(r, 200, 40, "Enter open");
	/* what is no message has none beside it */
	screen_key(r, "End");
	screen_hasnt(r, 200, 40, "MESSAGE");
	r->t->canvas.ascii = true;
	(void)screen_paint(r, 200, 40);
	for (const char *p = r->text; *p; p++)
		assert_true((unsigned char)*p < 0x80);
	r->t->canvas.ascii = false;

	screen_key(r, "Home");
	screen_key(r, "d");
	screen_key(r, "Down");
	screen_key(r, "d");
	screen_has(r, 80, 24, " TWO MESSAGES\n"
		   " - REGISTER sent to 192.0.2.9:5061 over tls\n"
		   " + 200 OK came from 192.0.2.9:5061 over tls\n");
	screen_key(r, "Esc");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_rows, setup, screen_teardown),
		cmocka_unit_test_setup_teardown(test_open, setup, screen_teardown),
		cmocka_unit_test_setup_teardown(test_beside, setup,
						screen_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
