/**
 * @file screen_rig.c  The full-screen phone on a canvas, on a phone by hand
 */
#include "screen_rig.h"
#include <dirent.h>
#include <unistd.h>


void screen_setup(struct screen_rig *r)
{
	assert_int_equal(libre_init(), 0);
	assert_int_equal(timers_open(), 0);
	assert_int_equal(event_bus_alloc(&r->ph.bus), 0);
	assert_int_equal(config_alloc(&r->ph.config), 0);
	fake_reset(r->ph.bus);
	fake_accounts_reset(r->ph.bus);
	r->ph.ua = fake_ua();
	r->ph.answer = fake_answer();

	snprintf(r->dir, sizeof(r->dir), "/tmp/offhook-screen-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	snprintf(r->ph.config_dir, sizeof(r->ph.config_dir), "%s", r->dir);
}


void screen_open(struct screen_rig *r)
{
	static const struct tui_conf conf = { .end_h = NULL };
	char err[UA_ERR] = "";

	assert_int_equal(tui_alloc(&r->t, &r->ph, &conf, err), 0);
}


void screen_close(struct screen_rig *r)
{
	DIR *d = opendir(r->dir);
	struct dirent *e;
	char path[400];

	mem_deref(r->t);
	mem_deref(r->ph.capture);
	mem_deref(r->ph.history);
	mem_deref(r->ph.messages);
	mem_deref(r->ph.contacts);
	mem_deref(r->ph.config);
	mem_deref(r->ph.bus);
	timers_close();
	libre_close();

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", r->dir, e->d_name);
		(void)unlink(path);
	}
	if (d)
		closedir(d);
	(void)rmdir(r->dir);
}


int screen_teardown(void **state)
{
	struct screen_rig *r = *state;

	screen_close(r);
	free(r);

	return 0;
}


FILE *screen_file(const struct screen_rig *r, const char *name)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", r->dir, name);
	f = fopen(path, "w");
	assert_non_null(f);

	return f;
}


const char *screen_paint(struct screen_rig *r, int w, int h)
{
	size_t n = 0;

	assert_int_equal(canvas_resize(&r->t->canvas, w, h), 0);
	popup_update(r->t);
	layout_draw(r->t);

	for (int y = 0; y < h; y++) {
		canvas_row(&r->t->canvas, y, r->text + n,
			   sizeof(r->text) - n - 2);
		assert_true(text_columns(r->text + n) <= w);
		n += strlen(r->text + n);
		r->text[n++] = '\n';
	}
	r->text[n] = '\0';

	return r->text;
}


void screen_has(struct screen_rig *r, int w, int h, const char *what)
{
	if (!strstr(screen_paint(r, w, h), what))
		fail_msg("'%s' is not in\n%s", what, r->text);
}


void screen_hasnt(struct screen_rig *r, int w, int h, const char *what)
{
	if (strstr(screen_paint(r, w, h), what))
		fail_msg("'%s' is in\n%s", what, r->text);
}


void screen_key(struct screen_rig *r, const char *name)
{
	struct key k;

	assert_int_equal(key_parse(&k, name), 0);
	tui_key(r->t, &k);
}


void screen_type(struct screen_rig *r, const char *text)
{
	struct key k = { .code = KEY_CHAR };

	for (; *text; text++) {
		k.cp = (unsigned char)*text;
		tui_key(r->t, &k);
	}
}


int screen_row(const struct screen_rig *r, const char *what)
{
	const char *at = strstr(r->text, what);
	int y = 0;

	for (const char *p = r->text; at && p < at; p++)
		y += *p == '\n';

	return at ? y : -1;
}
