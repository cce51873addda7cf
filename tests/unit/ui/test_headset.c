/**
 * @file test_headset.c  Keys of a headset, out of a pipe instead of a device
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <linux/input.h>
#include "phone_rig.h"

enum { PHONE = 169, PICKUP = 0x1bd, HANGUP = 0x1be, MICMUTE = 248 };

struct fix {
	struct phone ph;
	struct ui_headset *h;
	char dir[64], path[96];
	int fd;                  /* writer's end, -1: closed                 */
	const char *until;       /* this has been asked for                  */
	unsigned turns;
	struct timer look;
};


static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	phone_rig_open(&f->ph);
	f->ph.media = fake_media();
	f->ph.answer = fake_answer();
	strcpy(f->dir, "/tmp/offhook-headset-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/event", f->dir);
	f->fd = -1;
	*state = f;

	return 0;
}


static int teardown(void **state)
{
	struct fix *f = *state;

	timer_cancel(&f->look);
	mem_deref(f->h);
	if (f->fd >= 0)
		close(f->fd);
	(void)unlink(f->path);
	(void)rmdir(f->dir);
	phone_rig_close(&f->ph);
	free(f);

	return 0;
}


static void plug(struct fix *f)
{
	assert_int_equal(mkfifo(f->path, 0600), 0);
	/* reading, too: it can be opened before the phone does */
	f->fd = open(f->path, O_RDWR | O_NONBLOCK);
	assert_true(f->fd >= 0);
}


static void event(struct fix *f, unsigned type, unsigned code, int value)
{
	struct input_event ev = {
		.type = (uint16_t)type, .code = (uint16_t)code, .value = value,
	};

	assert_int_equal(write(f->fd, &ev, sizeof(ev)), sizeof(ev));
}


static void press(struct fix *f, unsigned code)
{
	event(f, EV_KEY, code, 1);
	event(f, EV_SYN, 0, 0);
	event(f, EV_KEY, code, 2);
	event(f, EV_KEY, code, 0);
	event(f, EV_SYN, 0, 0);
}


static void look_handler(void *arg)
{
	struct fix *f = arg;

	if (strstr(fake_asked(), f->until) || ++f->turns > 2000)
		re_cancel();
	else
		timer_start(&f->look, 5, look_handler, f);
}


/* Until that has been asked for */
static void until(struct fix *f, const char *text)
{
	f->until = text;
	f->turns = 0;
	timer_start(&f->look, 0, look_handler, f);
	assert_int_equal(re_main(NULL), 0);
	if (!strstr(fake_asked(), text))
		fail_msg("'%s' was not asked for, but '%s'", text,
			 fake_asked());
}


static void test_keys(void **state)
{
	struct fix *f = *state;
	unsigned id;

	plug(f);
	assert_int_equal(ui_headset_alloc(&f->h, &f->ph, f->path), 0);

	/* no call: nothing happens; and other keys never do anything */
	press(f, PHONE);
	press(f, MICMUTE);
	id = fake_incoming("sip:bob@example.com");
	press(f, KEY_A);
	press(f, MICMUTE);
	press(f, PHONE);
	until(f, "answer");
	fake_state(id, CALL_ACTIVE, 200);
	press(f, MICMUTE);
	until(f, "mute");
	press(f, PHONE);
	until(f, "hangup");
}


static void test_own_keys(void **state)
{
	struct fix *f = *state;

	plug(f);
	assert_int_equal(ui_headset_alloc(&f->h, &f->ph, f->path), 0);
	(void)fake_incoming("sip:bob@example.com");
	press(f, HANGUP);
	until(f, "reject");
	(void)fake_incoming("sip:carol@example.com");
	press(f, PICKUP);
	until(f, "answer");
}


/* An event in two pieces is one; rubbish is no key */
static void test_pieces(void **state)
{
	const struct input_event ev = {
		.type = EV_KEY, .code = PHONE, .value = 1
	};
	struct fix *f = *state;
	char rubbish[10 * sizeof(ev)];

	plug(f);
	assert_int_equal(ui_headset_alloc(&f->h, &f->ph, f->path), 0);
	(void)fake_incoming("sip:bob@example.com");
	memset(rubbish, 0xff, sizeof(rubbish));
	assert_int_equal(write(f->fd, rubbish, sizeof(rubbish)),
			 sizeof(rubbish));
	assert_int_equal(write(f->fd, &ev, 5), 5);
	f->until = "nothing of this";
	f->turns = 1990;
	timer_start(&f->look, 0, look_handler, f);
	assert_int_equal(re_main(NULL), 0);
	assert_null(strstr(fake_asked(), "answer"));
	assert_int_equal(write(f->fd, (const char *)&ev + 5, sizeof(ev) - 5),
			 sizeof(ev) - 5);
	until(f, "answer");
}


/* It comes later, goes, and comes back */
static void test_unplugged(void **state)
{
	struct fix *f = *state;

	assert_int_equal(ui_headset_alloc(&f->h, &f->ph, f->path), 0);
	(void)fake_incoming("sip:bob@example.com");
	plug(f);
	press(f, PHONE);
	until(f, "answer");

	assert_int_equal(close(f->fd), 0);
	assert_int_equal(unlink(f->path), 0);
	(void)fake_incoming("sip:carol@example.com");
	plug(f);
	press(f, HANGUP);
	until(f, "reject");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_own_keys, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unplugged, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
