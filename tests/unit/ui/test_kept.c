/**
 * @file test_kept.c  The pages of what is kept, at several sizes, and with as
 * much as there may be: 10 000 calls, 1 000 contacts, 5 000 SIP messages
 */
#include <time.h>
#include "offhook/clock.h"
#include "screen_rig.h"

enum {
	CALLS = 10000, CONTACTS = 1000, MESSAGES = 3000, SIP = 5000,
	KEYS = 20,
	/* a key is a fiftieth of a second of work at most; sanitizers and a
	 * debug build take several times as long */
	KEY_MS = 200,
};


static void contacts_write(const struct screen_rig *r, unsigned n)
{
	FILE *f = screen_file(r, "contacts");

	fprintf(f, "Bob Smith = sip:bob@example.com\n"
		"Zoë Müller = <sip:zoe@example.com>;note=front desk\n");
	for (unsigned i = 2; i < n; i++)
		fprintf(f, "Person %u = sip:p%u@company%u.example\n", i, i,
			i % 37);
	fclose(f);
}


static void history_write(const struct screen_rig *r, unsigned n)
{
	FILE *f = screen_file(r, "history");
	char when[CLOCK_ISO8601_SIZE];
	const uint64_t now = clock_wall_ms();

	for (unsigned i = 0; i < n; i++) {
		clock_iso8601(when, now - (uint64_t)(n - i) * 60000);
		if (i == n - 1)
			fprintf(f, "{\"time\":\"%s\",\"direction\":\"in\","
				"\"outcome\":\"missed\",\"peer\":"
				"\"sip:zoe@example.com\",\"text\":\"Nobody "
				"answered.\"}\n", when);
		else
			fprintf(f, "{\"time\":\"%s\",\"direction\":\"out\","
				"\"outcome\":\"answered\",\"peer\":"
				"\"sip:p%u@company%u.example\","
				"\"duration_ms\":%u,\"codec\":\"opus\","
				"\"mos\":4.3,\"text\":\"It is over.\"}\n",
				when, i % 1200, i % 37, 1000 * i);
	}
	fclose(f);
}


static void messages_write(const struct screen_rig *r, unsigned n)
{
	FILE *f = screen_file(r, "messages");
	char when[CLOCK_ISO8601_SIZE];
	const uint64_t now = clock_wall_ms();

	for (unsigned i = 0; i < n; i++) {
		clock_iso8601(when, now - (uint64_t)(n - i) * 60000);
		fprintf(f, "{\"time\":\"%s\",\"direction\":\"%s\",\"peer\":"
			"\"sip:p%u@company%u.example\",\"text\":\"number %u "
			"of them\"}\n", when, i % 3 ? "in" : "out", i % 150,
			i % 150 % 37, i);
	}
	clock_iso8601(when, now);
	fprintf(f, "{\"time\":\"%s\",\"direction\":\"in\",\"peer\":"
		"\"sip:bob@example.com\",\"text\":\"running late,\\nstart "
		"without me\"}\n", when);
	fclose(f);
}


static void capture_fill(const struct screen_rig *r, unsigned n)
{
	char text[1200];
	struct sa us, them;

	assert_int_equal(sa_set_str(&us, "127.0.0.1", 5060), 0);
	assert_int_equal(sa_set_str(&them, "127.0.0.1", 5080), 0);
	for (unsigned i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%s\r\nVia: SIP/2.0/UDP "
			 "127.0.0.1;branch=z9hG4bK%u\r\nFrom: <sip:a@x>;tag=1"
			 "\r\nTo: <sip:b@x>\r\nCall-ID: c%u\r\nCSeq: %u "
			 "OPTIONS\r\nX-Filler: %0700u\r\n\r\n", i % 2 ?
			 "SIP/2.0 200 OK" : "OPTIONS sip:b@x SIP/2.0",
			 i / 2, i / 40, i / 2, i);
		capture_sip(r->ph.capture, !(i % 2), SIP_TRANSP_UDP, &us,
			    &them, text, strlen(text));
	}
}


static int setup_of(void **state, unsigned calls, unsigned contacts,
		    unsigned messages, unsigned sip)
{
	const struct capture_limits lim = { SIP, 64 << 20 };
	struct screen_rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	screen_setup(r);
	fclose(screen_file(r, "accounts"));
	if (contacts)
		contacts_write(r, contacts);
	if (calls)
		history_write(r, calls);
	if (messages)
		messages_write(r, messages);
	assert_int_equal(contacts_alloc(&r->ph.contacts, r->dir), 0);
	assert_int_equal(history_alloc(&r->ph.history, r->ph.ua, r->ph.bus,
				       r->ph.config, r->dir), 0);
	assert_int_equal(messages_alloc(&r->ph.messages, r->ph.bus,
					r->ph.config, r->dir), 0);
	assert_int_equal(capture_alloc(&r->ph.capture, &lim), 0);
	capture_fill(r, sip);
	screen_open(r);
	*state = r;

	return 0;
}


static int setup_few(void **state)
{
	return setup_of(state, 5, 3, 4, 6);
}


static int setup_many(void **state)
{
	return setup_of(state, CALLS, CONTACTS, MESSAGES, SIP);
}


/* Columns beside each other on a wide screen, below on a small one */
static void test_home(void **state)
{
	struct screen_rig *r = *state;

	screen_has(r, 80, 24, "LAST  1 missed");
	screen_has(r, 80, 24, "\u2715 Zoë Müller");
	screen_has(r, 80, 24, "PEOPLE");
	screen_has(r, 80, 24, "Bob Smith: running late, start");
	assert_true(screen_row(r, "PEOPLE") == screen_row(r, "MESSAGES"));
	assert_true(screen_row(r, "PEOPLE") > screen_row(r, "LAST"));

	screen_has(r, 120, 40, "ACCOUNTS");
	assert_int_equal(screen_row(r, "ACCOUNTS"), screen_row(r, "CALLS"));
	assert_true(screen_row(r, "MESSAGES") > screen_row(r, "PEOPLE"));
	screen_has(r, 200, 60, "Person 2");

	screen_has(r, 40, 10, "LAST");
	screen_hasnt(r, 40, 10, "PEOPLE");
	for (int w = 1; w < 130; w += 9) {
		for (int h = 1; h < 42; h += 3)
			(void)screen_paint(r, w, h);
	}
}


static void click(struct screen_rig *r, const char *what)
{
	struct key k = { .code = KEY_MOUSE, .button = MOUSE_LEFT };

	k.y = screen_row(r, what);
	k.x = 4;
	if (!strcmp(what, "MESSAGES"))
		k.x = 79;
	assert_true(k.y >= 0);
	tui_key(r->t, &k);
}


static void test_click(void **state)
{
	struct screen_rig *r = *state;

	(void)screen_paint(r, 80, 24);
	click(r, "PEOPLE");
	assert_ptr_equal(r->t->pane, &pane_people);
	screen_has(r, 80, 24, "PEOPLE  3 contacts");
	screen_key(r, "g");
	(void)screen_paint(r, 80, 24);
	click(r, "MESSAGES");
	assert_ptr_equal(r->t->pane, &pane_messages);

	/* a click selects, a second one is Enter: in every list */
	screen_key(r, "P");
	(void)screen_paint(r, 80, 24);
	click(r, "Zoë Müller");
	assert_null(strstr(fake_asked(), "dial"));
	(void)screen_paint(r, 80, 24);
	click(r, "Zoë Müller");
	assert_non_null(strstr(fake_asked(), "dial Zoë Müller"));
}


/* A key behind the one that opens a page means what will stand there */
static void test_ahead(void **state)
{
	struct screen_rig *r = *state;

	(void)screen_paint(r, 80, 24);
	screen_key(r, "P");
	screen_key(r, "Enter");
	assert_non_null(strstr(fake_asked(), "dial Bob Smith"));
	screen_key(r, "H");
	screen_key(r, "Down");
	screen_key(r, "Enter");
	assert_non_null(strstr(fake_asked(), "dial sip:p"));
}


/* All of them find, and show all again, in the same way */
static void test_search(void **state)
{
	static const struct {
		const char *key, *find, *has, *hasnt;
	} v[] = {
		{ "P", "zoe", "PEOPLE  1 contact with zoe", "Bob Smith" },
		{ "H", "zoe@", "HISTORY  1 call with zoe@", "p2@" },
		{ "M", "number 2", "MESSAGES  1 talk with number 2",
		  "running" },
		{ "l", "CSeq: 1 ", "2 messages with CSeq: 1", "nothing" },
		{ ",", "packet-time", "SETTINGS  1 option with", "codecs  " },
		{ "L", "nothing like", "with 'nothing like'", "\n\n\nx" },
	};
	struct screen_rig *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		screen_key(r, v[i].key);
		screen_has(r, 80, 24, "");
		screen_key(r, "/");
		screen_has(r, 80, 24, "find");
		screen_type(r, v[i].find);
		/* before Enter */
		screen_has(r, 80, 24, v[i].has);
		screen_hasnt(r, 80, 24, v[i].hasnt);
		screen_key(r, "Enter");
		screen_has(r, 80, 24, v[i].has);
		screen_key(r, "Esc");
		screen_hasnt(r, 80, 24, v[i].has);

		/* left by Esc: nothing is hidden */
		screen_key(r, "/");
		screen_type(r, "no such thing");
		screen_hasnt(r, 80, 24, v[i].has);
		screen_key(r, "Esc");
		screen_hasnt(r, 80, 24, "with no such");
		(void)screen_paint(r, 40, 10);
		(void)screen_paint(r, 200, 60);
	}
}


/* CPU of this thread, ms */
static double cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);

	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}


static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}


/* Press it again and again; the median of what a key and its paint take */
static void measure(struct screen_rig *r, const char *what, const char *key)
{
	double v[KEYS];

	for (int i = 0; i < KEYS; i++) {
		const double start = cpu_ms();

		screen_key(r, key);
		assert_int_equal(canvas_resize(&r->t->canvas, 200, 60), 0);
		layout_draw(r->t);
		v[i] = cpu_ms() - start;
	}
	qsort(v, KEYS, sizeof(v[0]), by_value);
	print_message("%-28s %-9s %6.2f ms of CPU a key, %6.2f at most\n",
		      what, key, v[KEYS / 2], v[KEYS - 1]);
	assert_true(v[KEYS / 2] < KEY_MS);
}


static void measure_list(struct screen_rig *r, const char *what,
			 const char *open, const char *letters)
{
	screen_key(r, "g");
	(void)screen_paint(r, 200, 60);
	screen_key(r, open);
	(void)screen_paint(r, 200, 60);
	measure(r, what, "Down");
	measure(r, what, "PageDown");
	measure(r, what, "PageUp");
	measure(r, what, "End");

	/* each letter looks through all */
	screen_key(r, "/");
	measure(r, what, letters);
	screen_key(r, "C-u");
	measure(r, what, "e");
	screen_key(r, "Esc");
}


static void test_many(void **state)
{
	struct screen_rig *r = *state;

	screen_has(r, 200, 60, "1 missed");
	measure(r, "home", "Down");
	measure_list(r, "history, 10 000 calls", "H", "p");
	screen_key(r, "H");
	screen_has(r, 200, 60, "HISTORY  10000 calls");
	measure_list(r, "people, 1 000 contacts", "P", "p");
	screen_key(r, "P");
	screen_has(r, 200, 60, "PEOPLE  1000 contacts");
	measure_list(r, "messages, 3 000", "M", "n");
	measure_list(r, "ladder, 5 000 SIP messages", "l", "0");
	screen_key(r, "l");
	screen_has(r, 200, 60, "5000 messages");

	/* whom to dial, out of all that is known */
	screen_key(r, "g");
	screen_key(r, "d");
	measure(r, "dial, completion", "p");
	screen_key(r, "Esc");
}


/* The place in a page stays right when it scrolls far */
static void test_scroll(void **state)
{
	struct screen_rig *r = *state;
	char want[40];

	screen_key(r, "H");
	screen_has(r, 80, 24, "\u2715 Zoë Müller");
	screen_key(r, "End");
	screen_has(r, 80, 24, "\u2191");
	screen_hasnt(r, 80, 24, "\u2715 Zoë Müller");
	screen_key(r, "Home");
	screen_has(r, 80, 24, "\u2715 Zoë Müller");

	screen_key(r, "P");
	screen_has(r, 80, 24, "Bob Smith");
	screen_key(r, "End");
	snprintf(want, sizeof(want), "Person %d", CONTACTS - 1);
	screen_has(r, 80, 24, want);

	screen_key(r, "l");
	screen_key(r, "a");
	screen_has(r, 80, 24, "5000 messages");
	screen_key(r, "Home");
	screen_has(r, 80, 24, "OPTIONS");
	screen_key(r, "Enter");
	screen_has(r, 80, 24, "z9hG4bK0");
	screen_key(r, "Right");
	screen_has(r, 80, 24, "SIP/2.0 200 OK");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_home, setup_few,
						screen_teardown),
		cmocka_unit_test_setup_teardown(test_click, setup_few,
						screen_teardown),
		cmocka_unit_test_setup_teardown(test_ahead, setup_few,
						screen_teardown),
		cmocka_unit_test_setup_teardown(test_search, setup_few,
						screen_teardown),
		cmocka_unit_test_setup_teardown(test_scroll, setup_many,
						screen_teardown),
		cmocka_unit_test_setup_teardown(test_many, setup_many,
						screen_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
