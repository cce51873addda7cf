/**
 * @file decode.c  Bytes of a terminal into keys
 *
 * What xterm and its many relatives, the Linux console and rxvt send; a
 * sequence that is not known is swallowed whole and does nothing.  Never
 * waits: a lone ESC is told from the beginning of a sequence by decode_late(),
 * which the caller's timer calls.  Pure; main thread.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include "offhook/text.h"
#include "keys.h"


/* Sequences -------------------------------------------------------------- */

static void tell(key_h *h, void *arg, enum key_code code, unsigned mods)
{
	const struct key k = { .code = code, .mods = mods };

	h(&k, arg);
}


static enum key_code code_of_letter(char c)
{
	switch (c) {

	case 'A': return KEY_UP;
	case 'B': return KEY_DOWN;
	case 'C': return KEY_RIGHT;
	case 'D': return KEY_LEFT;
	case 'H': return KEY_HOME;
	case 'F': return KEY_END;
	case 'Z': return KEY_BACKTAB;
	case 'M': return KEY_ENTER;
	case 'P': case 'Q': case 'R': case 'S':
		return (enum key_code)(KEY_F1 + (c - 'P'));
	default:  return KEY_NONE;
	}
}


static enum key_code code_of_number(unsigned n)
{
	static const enum key_code codes[] = {
		[1] = KEY_HOME, [2] = KEY_INSERT, [3] = KEY_DELETE,
		[4] = KEY_END, [5] = KEY_PAGE_UP, [6] = KEY_PAGE_DOWN,
		[7] = KEY_HOME, [8] = KEY_END,
		[11] = KEY_F1, [12] = KEY_F1 + 1, [13] = KEY_F1 + 2,
		[14] = KEY_F1 + 3, [15] = KEY_F1 + 4, [17] = KEY_F1 + 5,
		[18] = KEY_F1 + 6, [19] = KEY_F1 + 7, [20] = KEY_F1 + 8,
		[21] = KEY_F1 + 9, [23] = KEY_F1 + 10, [24] = KEY_F12,
	};

	return n < sizeof(codes) / sizeof(codes[0]) && codes[n] ? codes[n] :
		KEY_NONE;
}


static void mouse(unsigned b, int x, int y, bool up, key_h *h, void *arg)
{
	struct key k = { .code = KEY_MOUSE, .x = x, .y = y };

	if (b & 64)
		k.button = b & 1 ? MOUSE_WHEEL_DOWN : MOUSE_WHEEL_UP;
	else if (up || (b & 3) == 3)
		k.button = MOUSE_RELEASE;
	else
		k.button = (enum mouse_button)(b & 3);

	if (x >= 0 && y >= 0 && !(b & 32))
		h(&k, arg);
}


/* "\033]11;rgb:RRRR/GGGG/BBBB" */
static void background(const char *p, key_h *h, void *arg)
{
	struct key k = { .code = KEY_LIGHT };
	unsigned r, g, b;

	if (sscanf(p, "11;rgb:%2x%*[0-9a-fA-F]/%2x%*[0-9a-fA-F]/%2x", &r, &g,
		   &b) != 3)
		return;

	k.cp = r * 30 + g * 59 + b * 11 > 128 * 100;
	h(&k, arg);
}


/* A control sequence, from behind "ESC [" to its last byte */
static void csi(struct decode *d, const char *p, size_t n, key_h *h,
		void *arg)
{
	unsigned v[4] = { 0 }, i = 0, mods = 0;
	const char last = p[n - 1];
	const bool sgr = p[0] == '<';
	enum key_code code;

	for (size_t at = sgr; at < n - 1; at++) {
		if (p[at] == ';')
			i = i < 3 ? i + 1 : 3;
		else if (p[at] >= '0' && p[at] <= '9' && v[i] < 100000)
			v[i] = v[i] * 10 + (unsigned)(p[at] - '0');
	}

	if (sgr) {
		if (last == 'M' || last == 'm')
			mouse(v[0], (int)v[1] - 1, (int)v[2] - 1, last == 'm',
			      h, arg);
		return;
	}

	if (last == '~' && (v[0] == 200 || v[0] == 201)) {
		d->paste = v[0] == 200;
		return;
	}

	if (v[1] > 1 && v[1] <= 8) {
		const unsigned m = v[1] - 1;

		mods = (m & 1 ? MOD_SHIFT : 0u) | (m & 2 ? MOD_ALT : 0u) |
			(m & 4 ? MOD_CTRL : 0u);
	}

	code = last == '~' ? code_of_number(v[0]) : code_of_letter(last);
	if (code != KEY_NONE)
		tell(h, arg, code, mods);
}


/* The beginning of a character whose rest is still to come? */
static bool begun(const char *p, size_t n)
{
	const unsigned char c = (unsigned char)*p;
	const size_t want = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;

	if (c < 0xc2 || c > 0xf4 || n >= want)
		return false;

	for (size_t i = 1; i < n; i++) {
		if (((unsigned char)p[i] & 0xc0) != 0x80)
			return false;
	}

	return true;
}


/* One byte or character that is no sequence. @return bytes, 0: more needed */
static size_t plain(struct decode *d, const char *p, size_t n, unsigned mods,
		    key_h *h, void *arg)
{
	struct key k = { .code = KEY_CHAR, .mods = mods };
	const unsigned char c = (unsigned char)*p;
	size_t len = 1;

	if (c >= 0x80) {
		len = text_utf8_decode(&k.cp, p, n);
		if (!len)
			return begun(p, n) ? 0 : 1;
		if (text_is_unsafe(k.cp))
			return len;
	}
	else if (d->paste) {
		k.cp = c == '\r' || c == '\n' || c == '\t' ? ' ' : c;
		if (k.cp < 0x20 || k.cp == 0x7f)
			return 1;
	}
	else if (c == '\r' || c == '\n') {
		k.code = KEY_ENTER;
	}
	else if (c == '\t') {
		k.code = KEY_TAB;
	}
	else if (c == 0x7f || c == 0x08) {
		k.code = KEY_BACKSPACE;
	}
	else if (c < 0x20) {
		k.cp = c ? (uint32_t)(c < 27 ? c + 'a' - 1 : c + '@') : ' ';
		k.mods |= MOD_CTRL;
	}
	else {
		k.cp = c;
	}

	if (d->paste)
		k.code = KEY_PASTE;
	h(&k, arg);

	return len;
}


/* @return bytes, 0: it is not whole yet */
static size_t escape(struct decode *d, const char *p, size_t n, key_h *h,
		     void *arg)
{
	size_t i;

	if (n < 2)
		return 0;

	if (p[1] == '[') {
		if (n >= 3 && p[2] == 'M') {
			if (n < 6)
				return 0;
			mouse((unsigned char)p[3] - 32u,
			      (unsigned char)p[4] - 33,
			      (unsigned char)p[5] - 33, false, h, arg);
			return 6;
		}
		/* the Linux console: ESC [ [ A */
		if (n >= 3 && p[2] == '[') {
			if (n < 4)
				return 0;
			if (p[3] >= 'A' && p[3] <= 'E')
				tell(h, arg, (enum key_code)
				     (KEY_F1 + (p[3] - 'A')), 0);
			return 4;
		}
		for (i = 2; i < n; i++) {
			if (p[i] >= 0x40 && p[i] <= 0x7e) {
				csi(d, p + 2, i - 1, h, arg);
				return i + 1;
			}
			/* no such byte is in a sequence: it was broken off */
			if (p[i] < 0x20)
				return i;
		}
		return 0;
	}

	if (p[1] == 'O') {
		if (n < 3)
			return 0;
		if (code_of_letter(p[2]) != KEY_NONE)
			tell(h, arg, code_of_letter(p[2]), 0);
		return 3;
	}

	/* answers to questions, ended by BEL or ESC \ */
	if (p[1] == ']' || p[1] == 'P' || p[1] == '_') {
		for (i = 2; i < n; i++) {
			if (p[i] == '\007' || p[i] == '\033') {
				char text[DECODE_MAX];

				if (p[i] == '\033' && i + 1 == n)
					return 0;
				snprintf(text, sizeof(text), "%.*s",
					 (int)(i - 2), p + 2);
				background(text, h, arg);
				return i + (p[i] == '\033' ? 2 : 1);
			}
		}
		return 0;
	}

	if (p[1] == '\033') {
		tell(h, arg, KEY_ESC, 0);
		return 1;
	}

	/* Alt and a key */
	i = plain(d, p + 1, n - 1, MOD_ALT, h, arg);

	return i ? i + 1 : 0;
}


void decode_bytes(struct decode *d, const char *p, size_t len, key_h *h,
		  void *arg)
{
	while (len || d->len) {

		const size_t room = sizeof(d->buf) - d->len;
		const size_t n = len < room ? len : room;
		size_t took;

		memcpy(d->buf + d->len, p, n);
		d->len += n;
		p += n;
		len -= n;

		took = d->buf[0] == '\033' ?
			escape(d, d->buf, d->len, h, arg) :
			plain(d, d->buf, d->len, 0, h, arg);

		if (!took) {
			if (!len && d->len < sizeof(d->buf))
				return;
			/* longer than any sequence: not one */
			if (!len || d->len == sizeof(d->buf))
				took = d->len;
		}

		d->len -= took;
		memmove(d->buf, d->buf + took, d->len);
	}
}


bool decode_waits(const struct decode *d)
{
	return d->len > 0;
}


void decode_late(struct decode *d, key_h *h, void *arg)
{
	if (!d->len)
		return;

	if (d->len == 1 && d->buf[0] == '\033')
		tell(h, arg, KEY_ESC, 0);
	else if (d->len == 2 && d->buf[0] == '\033' &&
		 (d->buf[1] == '[' || d->buf[1] == 'O' || d->buf[1] == ']' ||
		  d->buf[1] == 'P' || d->buf[1] == '_')) {
		const struct key k = {
			.code = KEY_CHAR, .mods = MOD_ALT,
			.cp = (unsigned char)d->buf[1],
		};

		h(&k, arg);
	}

	d->len = 0;
}


/* Names ------------------------------------------------------------------ */

static const struct {
	enum key_code code;
	const char *name;
} names[] = {
	{ KEY_ENTER, "Enter" }, { KEY_ESC, "Esc" }, { KEY_TAB, "Tab" },
	{ KEY_BACKTAB, "BackTab" }, { KEY_BACKSPACE, "Backspace" },
	{ KEY_UP, "Up" }, { KEY_DOWN, "Down" }, { KEY_LEFT, "Left" },
	{ KEY_RIGHT, "Right" }, { KEY_HOME, "Home" }, { KEY_END, "End" },
	{ KEY_PAGE_UP, "PageUp" }, { KEY_PAGE_DOWN, "PageDown" },
	{ KEY_INSERT, "Insert" }, { KEY_DELETE, "Delete" },
};


bool key_same(const struct key *a, const struct key *b)
{
	return a->code == b->code && a->mods == b->mods &&
		(a->code != KEY_CHAR || a->cp == b->cp);
}


size_t key_utf8(char *s, uint32_t cp)
{
	if (cp < 0x80) {
		s[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		s[0] = (char)(0xc0 | cp >> 6);
		s[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		s[0] = (char)(0xe0 | cp >> 12);
		s[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		s[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	s[0] = (char)(0xf0 | cp >> 18);
	s[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	s[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	s[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}


const char *key_name(const struct key *k, char *buf, size_t sz)
{
	const char *base = "?";
	char ch[8] = "", f[8];

	if (k->code == KEY_CHAR) {
		ch[key_utf8(ch, k->cp)] = '\0';
		base = k->cp == ' ' ? "Space" : ch;
	}
	else if (k->code >= KEY_F1 && k->code <= KEY_F12) {
		snprintf(f, sizeof(f), "F%d", (k->code - KEY_F1 + 1) % 100);
		base = f;
	}
	else {
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			if (names[i].code == k->code)
				base = names[i].name;
		}
	}

	snprintf(buf, sz, "%s%s%s%s", k->mods & MOD_CTRL ? "C-" : "",
		 k->mods & MOD_ALT ? "M-" : "",
		 k->mods & MOD_SHIFT ? "S-" : "", base);

	return buf;
}


int key_parse(struct key *k, const char *name)
{
	uint32_t n;
	size_t len;

	memset(k, 0, sizeof(*k));

	while (name[0] && name[1] == '-' && name[2]) {
		if (name[0] == 'C')
			k->mods |= MOD_CTRL;
		else if (name[0] == 'M')
			k->mods |= MOD_ALT;
		else if (name[0] == 'S')
			k->mods |= MOD_SHIFT;
		else
			return EINVAL;
		name += 2;
	}

	len = strlen(name);
	if (!len)
		return EINVAL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcasecmp(names[i].name, name)) {
			k->code = names[i].code;
			return 0;
		}
	}

	if ((name[0] == 'F' || name[0] == 'f') && len > 1 &&
	    !text_u32(&n, name + 1, len - 1, 12) && n) {
		k->code = (enum key_code)(KEY_F1 + (int)n - 1);
		return 0;
	}

	if (!strcasecmp(name, "Space"))
		k->cp = ' ';
	else if (text_utf8_decode(&k->cp, name, len) != len ||
		 text_is_unsafe(k->cp))
		return EINVAL;

	return 0;
}
