/**
 * @file fuzz_screen.c  Bytes of a terminal: keys, a line they edit, a canvas
 *
 * Whatever a terminal sends, the line stays valid UTF-8 with its cursor
 * between characters, every key has a name that stands for it, and what is
 * painted fills the canvas exactly.
 */
#include "fuzz.h"
#include "offhook/text.h"
#include "tui/line.h"

enum { W = 37, H = 5 };


static void key_handler(const struct key *k, void *arg)
{
	struct line *l = arg;
	const char *text;
	struct key again;
	char name[32];
	size_t at;

	if (k->code <= KEY_F12) {
		key_name(k, name, sizeof(name));
		must(!key_parse(&again, name));
		must(key_same(&again, k));
	}

	switch (line_key(l, k)) {

	case LINE_ENTERED:
		line_keep(l, line_text(l));
		line_start(l, "ask", "", k->mods & MOD_ALT);
		break;
	case LINE_LEFT:
		line_close(l);
		line_start(l, "", "dial ", false);
		break;
	case LINE_CHANGED:
		line_hints_clear(l, 0, "expected");
		line_hint_add(l, "dial", "Call a person");
		line_hint_add(l, "dtmf", line_text(l));
		break;
	default:
		break;
	}

	text = line_text(l);
	at = line_at(l);
	must(at <= strlen(text));
	must(text_utf8_valid(text, strlen(text)));
	must(text_utf8_valid(text, at));
}


static void painted(const struct canvas *cv)
{
	for (int y = 0; y < cv->h; y++) {

		const struct cell *row = &cv->v[y * cv->w];
		int x = 0;

		while (x < cv->w) {
			must(row[x].width == 1 || row[x].width == 2);
			must(row[x].len &&
			     text_utf8_valid(row[x].s, row[x].len));
			if (row[x].width == 2)
				must(x + 1 < cv->w && !row[x + 1].width);
			x += row[x].width;
		}
		must(x == cv->w);
	}
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { data, size };
	struct decode d = { .len = 0 };
	struct canvas cv = { .w = 0 };
	struct line *l = NULL;
	struct area a;
	char *text;

	must(!line_alloc(&l, NULL));
	must(!canvas_resize(&cv, W, H));
	line_start(l, "", "", false);
	cv.ascii = take(&b, 1) & 1;

	while (b.left) {
		size_t n = take(&b, 1) % 32;

		n = n < b.left ? n : b.left;
		decode_bytes(&d, (const char *)b.p, n, key_handler, l);
		must(d.len < DECODE_MAX);
		b.p += n;
		b.left -= n;
		if (n & 1)
			decode_late(&d, key_handler, l);
	}

	a = canvas_area(&cv);
	line_draw(l, &a);
	painted(&cv);

	b = (struct bytes){ data, size };
	text = take_text(&b, 300);
	for (int y = 0; y < H; y++) {
		area_text(&a, y * 5 - 3, y, STYLE_NORMAL, text);
		area_cut(&a, y * 3, y, 7 + y, STYLE_OK, text);
	}
	(void)area_wrap(&a, 3, 1, 9, STYLE_BAD, text, 2);
	painted(&cv);

	free(text);
	canvas_free(&cv);
	mem_deref(l);

	return 0;
}
