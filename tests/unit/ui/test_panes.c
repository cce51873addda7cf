/**
 * @file test_panes.c  Every pane at several sizes, on a canvas
 */
#include "offhook/clock.h"
#include "screen_rig.h"


static int setup(void **state)
{
	struct screen_rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	screen_setup(r);
	/* as nothing is kept, and nothing is new */
	fclose(screen_file(r, "accounts"));
	screen_open(r);
	*state = r;

	return 0;
}


static void test_idle(void **state)
{
	struct screen_rig *f = *state;

	screen_has(f, 80, 24, " offhook");
	screen_has(f, 80, 24, "no calls");
	screen_has(f, 80, 24, " ? help  d dial  : command");
	screen_has(f, 40, 10, " ? help");
	screen_hasnt(f, 40, 10, "\u2500");
	/* below what it needs it still says something, and nothing breaks */
	for (int w = 1; w < 60; w += 7) {
		for (int h = 1; h < 16; h++)
			(void)screen_paint(f, w, h);
	}
	(void)screen_paint(f, 300, 100);
}


static void test_call(void **state)
{
	struct screen_rig *f = *state;
	unsigned id;

	id = fake_incoming("sip:bob@example.com");
	screen_has(f, 80, 24, "INCOMING CALL");
	screen_has(f, 80, 24, "[a] answer   [r] reject   [b] busy");
	screen_has(f, 40, 10, "bob@example.com");
	/* every choice stands there, on the smallest screen as well */
	screen_has(f, 60, 16, "[f] redirect [s] hush");
	screen_has(f, 40, 10, "[a] answer [r] reject [b] busy");
	screen_has(f, 40, 10, "[f] redirect [s] hush");
	assert_int_equal(f->t->popup_keyc, 5);
	assert_int_equal(f->t->popup_keys[4].y,
			 f->t->popup_keys[0].y + 1);

	fake_state(id, CALL_ACTIVE, 200);
	screen_hasnt(f, 80, 24, "INCOMING CALL");
	screen_has(f, 80, 24, "1 bob@example.com");
	screen_has(f, 80, 24, "ACTIVE");
	screen_has(f, 80, 24, "0-9 digits  h hang up  x hold");
	screen_has(f, 40, 10, "ACTIVE");

	fake_quality(id, 3);
	screen_key(f, "i");
	screen_has(f, 100, 40, "loss");
	screen_hasnt(f, 100, 40, "no calls");
	screen_key(f, "Esc");

	screen_key(f, "5");
	assert_string_equal(fake_asked(), "call_dtmf 1 5");
	screen_has(f, 80, 24, "sent 5");
	fake_digits(id, "42");
	screen_has(f, 80, 24, "received 42");

	screen_key(f, "h");
	assert_non_null(strstr(fake_asked(), "hangup 1"));
	fake_state(id, CALL_ENDED, 200);
	screen_has(f, 80, 24, "no calls");
	screen_has(f, 80, 24, "it is over");
}


static void test_guard(void **state)
{
	struct screen_rig *f = *state;

	clock_fake_start(1000000000000);
	(void)fake_incoming("sip:bob@example.com");
	fake_fail(0, "");
	(void)screen_paint(f, 80, 24);
	/* a key on its way when the call came is no answer */
	screen_key(f, "a");
	assert_null(strstr(fake_asked(), "answer"));
	clock_fake_set(1000400000000);
	screen_key(f, "q");
	assert_false(line_open(f->t->line));
	screen_key(f, "r");
	assert_non_null(strstr(fake_asked(), "reject 1"));
	clock_fake_stop();
}


static void test_line(void **state)
{
	struct screen_rig *f = *state;

	screen_key(f, ":");
	screen_type(f, "ho");
	screen_has(f, 80, 24, "hold   ");
	screen_has(f, 80, 24, "ho");
	screen_key(f, "Tab");
	assert_string_equal(line_text(f->t->line), "hold ");
	screen_key(f, "C-u");
	screen_type(f, "nonsense");
	screen_has(f, 80, 24, "nonsense");
	screen_key(f, "Enter");
	screen_has(f, 80, 24, "there is no command 'nonsense'");
	/* wrong usage: the line is there again to be mended */
	assert_string_equal(line_text(f->t->line), "nonsense");
	screen_key(f, "Esc");
	assert_false(line_open(f->t->line));

	screen_key(f, "7");
	assert_string_equal(line_text(f->t->line), "dial 7");
	screen_has(f, 80, 24, "TARGET: ");
	screen_has(f, 40, 10, "dial 7");
	screen_key(f, "Esc");

	/* more than a screen holds */
	screen_key(f, ":");
	for (int i = 0; i < 300; i++)
		screen_type(f, "x");
	screen_has(f, 80, 24, "xxxx");
	screen_has(f, 20, 5, "xxxx");
	assert_true(f->t->canvas.cursor_x >= 0);
	screen_key(f, "Esc");
}


static void test_all(void **state)
{
	struct screen_rig *f = *state;
	const struct pane *p;
	const unsigned id = fake_incoming("sip:bob@example.com");

	fake_state(id, CALL_ACTIVE, 200);

	for (size_t i = 0; (p = pane_at(i)); i++) {

		assert_ptr_equal(pane_find(p->name), p);
		assert_true(p->title[0] && p->summary[0] && p->help[0]);
		assert_non_null(p->draw);
		tui_submit(f->t, "view %s", p->name);
		assert_ptr_equal(f->t->pane, p);
		(void)screen_paint(f, 80, 24);
		(void)screen_paint(f, 40, 10);
		(void)screen_paint(f, 200, 60);
		(void)screen_paint(f, 1, 1);
		for (enum act a = ACT_UP; a <= ACT_RIGHT; a++) {
			if (p->act)
				(void)p->act(f->t, tui_state(f->t, p), a, "");
			(void)screen_paint(f, 80, 24);
		}
		f->t->canvas.ascii = true;
		screen_paint(f, 80, 24);
		for (const char *s = f->text; *s; s++)
			assert_true((unsigned char)*s < 0x80);
		f->t->canvas.ascii = false;
	}

	tui_submit(f->t, "view nowhere");
	screen_has(f, 80, 24, "there is no page 'nowhere'");
}


static void test_help(void **state)
{
	struct screen_rig *f = *state;

	screen_key(f, "?");
	screen_has(f, 100, 50, "HELP for Home");
	screen_has(f, 100, 50, "h         Hang up the selected call");
	/* what does the same stands in one row */
	screen_has(f, 100, 60, "? F1      What the keys do");
	/* as many columns as there is room for: nothing is below */
	screen_has(f, 200, 60, "IN A CALL");
	assert_int_equal(screen_row(f, "IN A CALL"),
			 screen_row(f, "EVERYWHERE"));
	assert_int_equal(screen_row(f, "EVERYWHERE"), screen_row(f, "PAGES"));
	screen_hasnt(f, 200, 60, "\u2193");
	screen_has(f, 120, 40, "IN A CALL");
	assert_int_equal(screen_row(f, "IN A CALL"),
			 screen_row(f, "EVERYWHERE"));
	screen_has(f, 120, 40, "Connect this call with the other one, and "
		   "leave");
	screen_key(f, "PageDown");
	screen_hasnt(f, 100, 30, "HELP for Home");
	screen_key(f, "Esc");
	screen_has(f, 80, 24, "CALLS");
	screen_key(f, ":");
	screen_type(f, "help dial");
	screen_key(f, "Enter");
	screen_has(f, 80, 24, "usage: dial TARGET");
	/* a narrow one cuts nothing off */
	screen_hasnt(f, 40, 24, "\u2026");
	screen_has(f, 40, 24, "[--play FILE]");
	screen_key(f, "Esc");
	screen_has(f, 80, 24, "CALLS");
}


/* Keys that mean something only when there are several calls */
static void test_calls(void **state)
{
	struct screen_rig *f = *state;
	unsigned a = fake_incoming("sip:bob@example.com"), b;

	fake_state(a, CALL_ACTIVE, 200);
	screen_hasnt(f, 80, 24, "s swap");
	screen_key(f, "c");
	b = fake_incoming("sip:carol@example.com");
	screen_has(f, 80, 24, "You are in a call with bob@example.com");
	fake_state(b, CALL_ACTIVE, 200);
	screen_has(f, 80, 24, "s swap  c conference  T connect");
	screen_key(f, "c");
	assert_non_null(strstr(fake_asked(), "ua_conference 1 2"));
	screen_key(f, "i");
	for (int w = 60; w < 210; w += 30) {
		screen_has(f, w, 24, "2 carol@e");
		screen_has(f, w, 24, "<sip:");
	}
}


/* Everything of the last minute, in blocks and in ASCII */
static void test_plot(void **state)
{
	struct screen_rig *f = *state;
	const unsigned id = fake_incoming("sip:bob@example.com");

	fake_state(id, CALL_ACTIVE, 200);
	for (int i = 0; i < 70; i++)
		fake_quality(id, i == 40 ? 6 : 0);
	screen_has(f, 80, 24, "4.5\u2524");
	screen_has(f, 80, 24, "\u2575 1 s of loss, 6 % at ");
	screen_has(f, 120, 40, "jitter 0 ms");
	/* two rows, their scale, and sparklines where there is room */
	screen_has(f, 200, 60, "mos 4.0 good \u2585\u2585\u2585");
	screen_key(f, "i");
	screen_has(f, 80, 24, "4.5\u2524");
	screen_has(f, 80, 24, "60 s ago");
	screen_has(f, 80, 24, "Some packets were lost");
	screen_hasnt(f, 80, 24, "loss %");
	/* where there is room: what makes it, and more columns a second */
	screen_has(f, 120, 40, "loss % ");
	screen_has(f, 120, 40, "jitter ms ");
	screen_has(f, 200, 60, "6\u2524");
	screen_has(f, 200, 60, "\u2582\u2582\u2582\n");
	f->t->canvas.ascii = true;
	screen_has(f, 80, 24, "4.5|");
	screen_has(f, 80, 24, "mos    4.5|");
	for (const char *p = f->text; *p; p++)
		assert_true((unsigned char)*p < 0x80);
	f->t->canvas.ascii = false;
}


static void test_devices(void **state)
{
	struct screen_rig *f = *state;

	screen_key(f, "V");
	screen_has(f, 80, 24, "This phone has no sound");
	screen_key(f, "Esc");

	f->ph.media = fake_media();
	screen_key(f, "V");
	screen_has(f, 80, 24, "DEVICES  looking");
	screen_has(f, 80, 24, "microphone   headset");
	fake_devices_done(0);
	screen_has(f, 80, 24, "DEVICES  1 device");
	screen_has(f, 80, 24, "Headset");
	screen_has(f, 40, 10, "Headset");
	screen_has(f, 200, 60, "mic speaker");
	screen_has(f, 80, 24, "Enter use  m mic  s speaker  r ringer");
	screen_key(f, "r");
	/* the command looks whether it is there */
	fake_devices_done(0);
	assert_non_null(strstr(fake_asked(), "media_set_device 2 Headset"));

	screen_key(f, "R");
	screen_has(f, 80, 24, "looking");
	fake_devices_done(ENODEV);
	screen_has(f, 80, 24, "The devices cannot be listed");
	/* a list that comes when the screen is gone is nobody's */
	screen_key(f, "R");
	f->t = mem_deref(f->t);
	fake_devices_done(0);
	f->ph.media = NULL;
}


/* Why an account is not registered stands below it, and in the news */
static void test_accounts(void **state)
{
	struct screen_rig *f = *state;

	screen_has(f, 80, 24, "\u25cb me@example.com");
	fake_account_state(1, "registering", 0);
	screen_has(f, 80, 24, "\u25d0 me@example.com");
	fake_account_state(1, "registered", 200);
	screen_has(f, 80, 24, "\u25cf me@example.com");
	screen_has(f, 80, 24, "  registered");

	fake_account_state(1, "failed", 403);
	for (int w = 80; w <= 200; w += 60) {
		screen_has(f, w, 24, " offhook  \u2715 me@example.com");
		screen_has(f, w, 24, "not registered");
		screen_has(f, w, 24, "403 so they say");
	}
	screen_has(f, 40, 10, "403 so they say");
	screen_has(f, 40, 10, "not registered");

	/* in a call as well */
	fake_state(fake_incoming("sip:bob@example.com"), CALL_ACTIVE, 200);
	screen_has(f, 80, 24, "403 so they say");
	screen_has(f, 120, 40, "403 so they say");
	fake_account_state(1, "failed", 0);
	screen_has(f, 80, 24, "no answer");
}


/* Who the server says it is, or that the caller hides */
static void test_caller(void **state)
{
	struct sip_caller who = {
		.asserted = { .uri = "sip:boss@example.com" },
		.divertc = 1,
		.divertv = {{ .by = { .name = "Front\033[2J desk",
				      .uri = "sip:101@example.com" },
			      .reason = "no-answer" }},
	};
	struct screen_rig *f = *state;
	unsigned id;

	id = fake_incoming("sip:bob@example.com");
	fake_says(id, &who, "", "");
	for (int w = 80; w <= 200; w += 60) {
		screen_has(f, w, 24, "asserted by a server: boss@example.com");
		screen_has(f, w, 24, "diverted by Front?[2J desk (no answer)");
		screen_has(f, w, 24, "[s] hush");
	}

	memset(&who.asserted, 0, sizeof(who.asserted));
	snprintf(who.privacy, sizeof(who.privacy), "id");
	screen_has(f, 80, 24, "the caller wants to stay unknown");
	screen_key(f, "s");
}


static unsigned tick_of(struct screen_rig *f, const struct pane *p)
{
	tui_submit(f->t, "view %s", p->name);
	(void)screen_paint(f, 80, 24);

	return p->tick_ms ? p->tick_ms(f->t, tui_state(f->t, p)) : 0;
}


/* Nobody is woken for what does not move: without a call no page is, with one
 * only those that show meters or times */
static void test_ticks(void **state)
{
	struct screen_rig *f = *state;
	const struct pane *p;
	unsigned id;

	for (size_t i = 0; (p = pane_at(i)); i++)
		assert_int_equal(tick_of(f, p), 0);

	id = fake_incoming("sip:bob@example.com");
	fake_state(id, CALL_ACTIVE, 200);
	for (size_t i = 0; (p = pane_at(i)); i++) {

		const bool meters = p == &pane_home || p == &pane_call;

		if (p != &pane_devices)
			assert_int_equal(tick_of(f, p), meters ? 100 : 0);
	}
	fake_state(id, CALL_ENDED, 200);
	for (size_t i = 0; (p = pane_at(i)); i++)
		assert_int_equal(tick_of(f, p), 0);
}


/* A lock, or that there is none, is never told by colour alone */
static void test_secrecy(void **state)
{
	struct screen_rig *f = *state;
	const unsigned id = fake_incoming("sip:bob@example.com");

	fake_state(id, CALL_ACTIVE, 200);
	screen_has(f, 80, 24, "pcmu 8k    no lock");
	screen_key(f, "i");
	screen_has(f, 80, 24, "no lock: who is on the way can listen");
	screen_key(f, "g");

	fake_says(id, NULL, "dtls", "AES_CM_128_HMAC_SHA1_80");
	screen_has(f, 80, 24, "\u25a3 dtls-srtp");
	screen_key(f, "i");
	screen_has(f, 80, 24, "\u25a3 dtls-srtp, AES_CM_128_HMAC_SHA1_80");
	f->t->canvas.ascii = true;
	screen_has(f, 80, 24, "@ dtls-srtp, AES_CM_128_HMAC_SHA1_80");
	f->t->canvas.ascii = false;
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_idle, setup, screen_teardown),
		cmocka_unit_test_setup_teardown(test_call, setup, screen_teardown),
		cmocka_unit_test_setup_teardown(test_guard, setup, screen_teardown),
		cmocka_unit_test_setup_teardown(test_line, setup, screen_teardown),
		cmocka_unit_test_setup_teardown(test_all, setup, screen_teardown),
		cmocka_unit_test_setup_teardown(test_help, setup, screen_teardown),
		cmocka_unit_test_setup_teardown(test_calls, setup, screen_teardown),
		cmocka_unit_test_setup_teardown(test_plot, setup, screen_teardown),
		cmocka_unit_test_setup_teardown(test_accounts, setup,
						screen_teardown),
		cmocka_unit_test_setup_teardown(test_caller, setup, screen_teardown),
		cmocka_unit_test_setup_teardown(test_secrecy, setup,
						screen_teardown),
		cmocka_unit_test_setup_teardown(test_ticks, setup,
						screen_teardown),
		cmocka_unit_test_setup_teardown(test_devices, setup,
						screen_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
