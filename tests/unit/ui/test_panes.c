/**
 * @file test_panes.c  Every pane at several sizes, on a canvas
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include "../command/fake_ua.h"
#include "offhook/clock.h"
#include "tui/tui.h"

struct fix {
	struct phone ph;
	struct tui *t;
	char text[200000];
};


static int setup(void **state)
{
	static const struct tui_conf conf = { .end_h = NULL };
	struct fix *f = calloc(1, sizeof(*f));
	char err[UA_ERR] = "";

	assert_non_null(f);
	assert_int_equal(libre_init(), 0);
	assert_int_equal(timers_open(), 0);
	assert_int_equal(event_bus_alloc(&f->ph.bus), 0);
	assert_int_equal(config_alloc(&f->ph.config), 0);
	fake_reset(f->ph.bus);
	fake_accounts_reset(f->ph.bus);
	f->ph.ua = fake_ua();
	f->ph.answer = fake_answer();
	assert_int_equal(tui_alloc(&f->t, &f->ph, &conf, err), 0);
	*state = f;

	return 0;
}


static int teardown(void **state)
{
	struct fix *f = *state;

	mem_deref(f->t);
	mem_deref(f->ph.config);
	mem_deref(f->ph.bus);
	timers_close();
	libre_close();
	free(f);

	return 0;
}


/* @return all rows */
static const char *shown(struct fix *f, int w, int h)
{
	size_t n = 0;

	assert_int_equal(canvas_resize(&f->t->canvas, w, h), 0);
	popup_update(f->t);
	layout_draw(f->t);

	for (int y = 0; y < h; y++) {
		canvas_row(&f->t->canvas, y, f->text + n,
			   sizeof(f->text) - n - 2);
		assert_true(text_columns(f->text + n) <= w);
		n += strlen(f->text + n);
		f->text[n++] = '\n';
	}
	f->text[n] = '\0';

	return f->text;
}


static void has(struct fix *f, int w, int h, const char *what)
{
	if (!strstr(shown(f, w, h), what))
		fail_msg("'%s' is not in\n%s", what, f->text);
}


static void hasnt(struct fix *f, int w, int h, const char *what)
{
	if (strstr(shown(f, w, h), what))
		fail_msg("'%s' is in\n%s", what, f->text);
}


static void key(struct fix *f, const char *name)
{
	struct key k;

	assert_int_equal(key_parse(&k, name), 0);
	tui_key(f->t, &k);
}


static void type(struct fix *f, const char *text)
{
	struct key k = { .code = KEY_CHAR };

	for (; *text; text++) {
		k.cp = (unsigned char)*text;
		tui_key(f->t, &k);
	}
}


static void test_idle(void **state)
{
	struct fix *f = *state;

	has(f, 80, 24, " offhook");
	has(f, 80, 24, "no calls");
	has(f, 80, 24, " ? help  d dial  : command");
	has(f, 40, 10, " ? help");
	hasnt(f, 40, 10, "\u2500");
	/* below what it needs it still says something, and nothing breaks */
	for (int w = 1; w < 60; w += 7) {
		for (int h = 1; h < 16; h++)
			(void)shown(f, w, h);
	}
	(void)shown(f, 300, 100);
}


static void test_call(void **state)
{
	struct fix *f = *state;
	unsigned id;

	id = fake_incoming("sip:bob@example.com");
	has(f, 80, 24, "INCOMING CALL");
	has(f, 80, 24, "[a] answer   [r] reject   [b] busy");
	has(f, 40, 10, "bob@example.com");
	has(f, 40, 10, "[a] answer");

	fake_state(id, CALL_ACTIVE, 200);
	hasnt(f, 80, 24, "INCOMING CALL");
	has(f, 80, 24, "1 bob@example.com");
	has(f, 80, 24, "ACTIVE");
	has(f, 80, 24, "0-9 digits  h hang up  x hold");
	has(f, 40, 10, "ACTIVE");

	fake_quality(id, 3);
	key(f, "i");
	has(f, 100, 40, "loss");
	hasnt(f, 100, 40, "no calls");
	key(f, "Esc");

	key(f, "5");
	assert_string_equal(fake_asked(), "call_dtmf 1 5");
	has(f, 80, 24, "sent 5");
	fake_digits(id, "42");
	has(f, 80, 24, "received 42");

	key(f, "h");
	assert_non_null(strstr(fake_asked(), "hangup 1"));
	fake_state(id, CALL_ENDED, 200);
	has(f, 80, 24, "no calls");
	has(f, 80, 24, "it is over");
}


static void test_guard(void **state)
{
	struct fix *f = *state;

	clock_fake_start(1000000000000);
	(void)fake_incoming("sip:bob@example.com");
	fake_fail(0, "");
	(void)shown(f, 80, 24);
	/* a key on its way when the call came is no answer */
	key(f, "a");
	assert_null(strstr(fake_asked(), "answer"));
	clock_fake_set(1000400000000);
	key(f, "q");
	assert_false(line_open(f->t->line));
	key(f, "r");
	assert_non_null(strstr(fake_asked(), "reject 1"));
	clock_fake_stop();
}


static void test_line(void **state)
{
	struct fix *f = *state;

	key(f, ":");
	type(f, "ho");
	has(f, 80, 24, "hold   ");
	has(f, 80, 24, "ho");
	key(f, "Tab");
	assert_string_equal(line_text(f->t->line), "hold ");
	key(f, "C-u");
	type(f, "nonsense");
	has(f, 80, 24, "nonsense");
	key(f, "Enter");
	has(f, 80, 24, "there is no command 'nonsense'");
	/* wrong usage: the line is there again to be mended */
	assert_string_equal(line_text(f->t->line), "nonsense");
	key(f, "Esc");
	assert_false(line_open(f->t->line));

	key(f, "7");
	assert_string_equal(line_text(f->t->line), "dial 7");
	has(f, 80, 24, "TARGET: ");
	has(f, 40, 10, "dial 7");
	key(f, "Esc");

	/* more than a screen holds */
	key(f, ":");
	for (int i = 0; i < 300; i++)
		type(f, "x");
	has(f, 80, 24, "xxxx");
	has(f, 20, 5, "xxxx");
	assert_true(f->t->canvas.cursor_x >= 0);
	key(f, "Esc");
}


static void test_all(void **state)
{
	struct fix *f = *state;
	const struct pane *p;
	const unsigned id = fake_incoming("sip:bob@example.com");

	fake_state(id, CALL_ACTIVE, 200);

	for (size_t i = 0; (p = pane_at(i)); i++) {

		assert_ptr_equal(pane_find(p->name), p);
		assert_true(p->title[0] && p->summary[0] && p->help[0]);
		assert_non_null(p->draw);
		tui_submit(f->t, "view %s", p->name);
		assert_ptr_equal(f->t->pane, p);
		(void)shown(f, 80, 24);
		(void)shown(f, 40, 10);
		(void)shown(f, 200, 60);
		(void)shown(f, 1, 1);
		for (enum act a = ACT_UP; a <= ACT_RIGHT; a++) {
			if (p->act)
				(void)p->act(f->t, tui_state(f->t, p), a, "");
			(void)shown(f, 80, 24);
		}
		f->t->canvas.ascii = true;
		shown(f, 80, 24);
		for (const char *s = f->text; *s; s++)
			assert_true((unsigned char)*s < 0x80);
		f->t->canvas.ascii = false;
	}

	tui_submit(f->t, "view nowhere");
	has(f, 80, 24, "there is no page 'nowhere'");
}


static void test_help(void **state)
{
	struct fix *f = *state;

	key(f, "?");
	has(f, 100, 50, "HELP for Home");
	has(f, 100, 50, "h           Hang up the selected call");
	key(f, "PageDown");
	hasnt(f, 100, 30, "HELP for Home");
	key(f, "Esc");
	has(f, 80, 24, "CALLS");
	key(f, ":");
	type(f, "help dial");
	key(f, "Enter");
	has(f, 80, 24, "usage: dial TARGET");
	key(f, "Esc");
	has(f, 80, 24, "CALLS");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_idle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_call, setup, teardown),
		cmocka_unit_test_setup_teardown(test_guard, setup, teardown),
		cmocka_unit_test_setup_teardown(test_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_help, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
