/**
 * @file test_keys.c  Bytes into keys, keys into command lines
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "offhook/command.h"
#include "tui/keys.h"
#include "tui/pane.h"

static char seen[1024];


static void key_handler(const struct key *k, void *arg)
{
	char name[32];
	const size_t n = strlen(seen);
	(void)arg;

	if (k->code == KEY_MOUSE)
		snprintf(seen + n, sizeof(seen) - n, "mouse%d@%d,%d ",
			 k->button, k->x, k->y);
	else if (k->code == KEY_PASTE)
		snprintf(seen + n, sizeof(seen) - n, "p%x ", k->cp);
	else if (k->code == KEY_LIGHT)
		snprintf(seen + n, sizeof(seen) - n, "light%u ", k->cp);
	else
		snprintf(seen + n, sizeof(seen) - n, "%s ",
			 key_name(k, name, sizeof(name)));
}


/* All at once, and byte by byte: the same */
static void decodes(const char *bytes, size_t len, const char *keys)
{
	struct decode d = { .len = 0 };

	seen[0] = '\0';
	decode_bytes(&d, bytes, len, key_handler, NULL);
	decode_late(&d, key_handler, NULL);
	assert_string_equal(seen, keys);
	assert_false(decode_waits(&d));

	memset(&d, 0, sizeof(d));
	seen[0] = '\0';
	for (size_t i = 0; i < len; i++)
		decode_bytes(&d, bytes + i, 1, key_handler, NULL);
	decode_late(&d, key_handler, NULL);
	assert_string_equal(seen, keys);
}

#define DECODES(bytes, keys) decodes(bytes, sizeof(bytes) - 1, keys)


static void test_decode(void **state)
{
	(void)state;

	DECODES("ab ", "a b Space ");
	DECODES("\r\n\t\x7f\x08", "Enter Enter Tab Backspace Backspace ");
	DECODES("\001\032\000", "C-a C-z C-Space ");
	DECODES("\033", "Esc ");
	DECODES("\033\033[A", "Esc Up ");
	DECODES("\033a\0331", "M-a M-1 ");
	DECODES("\033[A\033OB\033[1;5C\033[D", "Up Down C-Right Left ");
	DECODES("\033[5~\033[6~\033[1~\033[4~\033[3~\033[Z",
		"PageUp PageDown Home End Delete BackTab ");
	DECODES("\033OP\033[15~\033[24~\033[[B", "F1 F5 F12 F2 ");
	DECODES("gr\xc3\xbc\xe6\x97\xa5", "g r \u00fc \u65e5 ");
	DECODES("\xff\x80" "a", "a ");
	DECODES("\xe2\x80\xae" "b", "b ");
	DECODES("\033[M !!", "mouse0@0,0 ");
	DECODES("\033[<0;10;5M\033[<0;10;5m\033[<65;1;1M",
		"mouse0@9,4 mouse3@9,4 mouse5@0,0 ");
	DECODES("\033[200~a\r\033[201~b", "p61 p20 b ");
	DECODES("\033]11;rgb:ffff/ffff/ffff\033\\x", "light1 x ");
	DECODES("\033]11;rgb:0000/0000/0000\007x", "light0 x ");
	/* not known: swallowed */
	DECODES("\033[?1;2c\033[999~\033P1$r\033\\x", "x ");
}


/* Whatever comes, it ends and takes all */
static void test_garbage(void **state)
{
	struct decode d = { .len = 0 };
	char junk[200];
	uint32_t r = 1;
	(void)state;

	for (int n = 0; n < 2000; n++) {
		for (size_t i = 0; i < sizeof(junk); i++) {
			r = r * 1103515245 + 12345;
			junk[i] = (r >> 16) % 5 ? (char)(r >> 20) : '\033';
		}
		seen[0] = '\0';
		decode_bytes(&d, junk, sizeof(junk), key_handler, NULL);
		assert_true(d.len < DECODE_MAX);
	}
	decode_late(&d, key_handler, NULL);
}


static void test_names(void **state)
{
	static const char *const names[] = {
		"a", "Enter", "Esc", "C-x", "M-1", "F1", "F12", "Space",
		"PageUp", "#", "-", "C-M-Left", "\u00fc", "C-Space",
	};
	char buf[32];
	struct key k;
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(key_parse(&k, names[i]), 0);
		assert_string_equal(key_name(&k, buf, sizeof(buf)), names[i]);
	}
	assert_int_equal(key_parse(&k, "pageup"), 0);
	assert_int_equal(k.code, KEY_PAGE_UP);
	assert_int_equal(key_parse(&k, ""), EINVAL);
	assert_int_equal(key_parse(&k, "F13"), EINVAL);
	assert_int_equal(key_parse(&k, "ab"), EINVAL);
	assert_int_equal(key_parse(&k, "X-a"), EINVAL);
	assert_int_equal(key_parse(&k, "\033"), EINVAL);
}


/* Every key of the tables is one, and is bound to a command there is */
static void test_tables(void **state)
{
	(void)state;

	for (size_t i = 0; i <= WHENS || pane_at(i - WHENS - 1); i++) {

		const struct key_row *r = i < WHENS ?
			key_rows((enum key_when)i) : i == WHENS ? NULL :
			pane_at(i - WHENS - 1)->keys;

		for (; r && r->key; r++) {
			char word[32];
			struct key k;

			assert_int_equal(key_parse(&k, r->key), 0);
			snprintf(word, sizeof(word), "%.*s",
				 (int)strcspn(r->line, " "), r->line);
			if (!command_find(word))
				fail_msg("%s: '%s' is no command", r->key,
					 word);
			assert_true(!r->hint || r->summary);
		}
	}
}


static const char *line_of(const struct keys *keys, unsigned whens,
			   const char *name)
{
	struct key k;

	assert_int_equal(key_parse(&k, name), 0);

	return keys_line(keys, NULL, "home", whens, &k);
}


static int load(struct keys **kp, const char *text, char *err)
{
	char path[] = "/tmp/offhook-keys-XXXXXX";
	const int fd = mkstemp(path);
	int e;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	e = keys_load(kp, path, err);
	unlink(path);

	return e;
}


static void test_lines(void **state)
{
	const unsigned always = 1u << WHEN_ALWAYS, pane = 1u << WHEN_PANE;
	const unsigned call = always | pane | 1u << WHEN_CALL;
	struct keys *keys = NULL;
	char err[512] = "", buf[32];
	(void)state;

	assert_int_equal(load(&keys, "", err), 0);
	assert_string_equal(line_of(keys, always, "d"),
			    "screen line 'dial '");
	assert_string_equal(line_of(keys, call, "x"), "hold");
	assert_string_equal(line_of(keys, call | 1u << WHEN_HELD, "x"),
			    "resume");
	assert_string_equal(line_of(keys, call, "5"), "dtmf 5");
	assert_null(line_of(keys, always, "F9"));
	/* the box has all keys */
	assert_null(line_of(keys, 1u << WHEN_INCOMING, "d"));
	keys = mem_deref(keys);

	assert_int_equal(load(&keys, "# mine\nF9 = print hi\nd =\n[call]\n"
			      "# = dtmf 1#\n[home]\nd = print home\n", err),
			 0);
	assert_string_equal(line_of(keys, always, "F9"), "print hi");
	assert_null(line_of(keys, always, "d"));
	assert_string_equal(line_of(keys, call, "#"), "dtmf 1#");
	assert_string_equal(line_of(keys, call, "d"), "print home");
	/* taken away: not in the hints */
	for (const struct key_row *r = key_rows(WHEN_ALWAYS); r->key; r++) {
		if (!strcmp(r->key, "d"))
			assert_string_equal(keys_bound(
				keys, WHEN_ALWAYS, "home", r, buf,
				sizeof(buf)), "");
	}
	keys = mem_deref(keys);

	assert_int_equal(load(&keys, "a = print\nb print\n", err), EINVAL);
	assert_non_null(strstr(err, ":2: write KEY = COMMAND LINE"));
	assert_int_equal(load(&keys, "nokey = print\n", err), EINVAL);
	assert_non_null(strstr(err, ":1: that is no key"));
	assert_int_equal(load(&keys, "a = nonsense\n", err), EINVAL);
	assert_non_null(strstr(err, "no such command"));
	assert_int_equal(load(&keys, "[nowhere]\n", err), EINVAL);
	assert_non_null(strstr(err, "no such section"));
	assert_null(keys);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
