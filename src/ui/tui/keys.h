/**
 * @file keys.h  Keys: from bytes, by name, and the line each is bound to
 *
 * Main thread.
 */
#ifndef OFFHOOK_TUI_KEYS_H
#define OFFHOOK_TUI_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* decode.c: bytes into keys ---------------------------------------------- */

enum key_code {
	KEY_CHAR = 0,            /* cp                                       */
	KEY_ENTER, KEY_ESC, KEY_TAB, KEY_BACKTAB, KEY_BACKSPACE,
	KEY_UP, KEY_DOWN, KEY_LEFT, KEY_RIGHT, KEY_HOME, KEY_END,
	KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_INSERT, KEY_DELETE,
	KEY_F1, KEY_F12 = KEY_F1 + 11,
	KEY_MOUSE,               /* x, y, button                             */
	KEY_PASTE,               /* one character of a pasted text: cp       */
	KEY_LIGHT,               /* the terminal's background: cp 1 light    */
	KEY_NONE,
};

enum { MOD_ALT = 1, MOD_CTRL = 2, MOD_SHIFT = 4 };

enum mouse_button { MOUSE_LEFT, MOUSE_MIDDLE, MOUSE_RIGHT, MOUSE_RELEASE,
	MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN };

struct key {
	enum key_code code;
	uint32_t cp;
	unsigned mods;
	int x, y;
	enum mouse_button button;
};

enum { DECODE_MAX = 64 };

/** What has come of a key that is not whole yet. Zero before first use */
struct decode {
	char buf[DECODE_MAX];
	size_t len;
	bool paste;
};

typedef void (key_h)(const struct key *key, void *arg);
/** Bytes of a terminal; h once a key */
void decode_bytes(struct decode *d, const char *p, size_t len, key_h *h,
		  void *arg);
/** Nothing came for a while: a lone ESC was the key of that name */
void decode_late(struct decode *d, key_h *h, void *arg);
/** Is decode_late() to be called when nothing comes? */
bool decode_waits(const struct decode *d);

/** One character as UTF-8, not terminated. @return bytes, 1 to 4 */
size_t key_utf8(char *s, uint32_t cp);
/** "a", "Enter", "C-x", "M-1", "F2", "Space" ... @return buf */
const char *key_name(const struct key *k, char *buf, size_t sz);
/** @return 0, EINVAL: no key has that name */
int  key_parse(struct key *k, const char *name);
bool key_same(const struct key *a, const struct key *b);

/* keys.c: what they are bound to ------------------------------------------ */

/** When a binding counts; the first that does from the top wins */
enum key_when {
	WHEN_INCOMING = 0,       /* a call rings here and asks               */
	WHEN_PANE,               /* the pane shown has it in its own table   */
	WHEN_HELD,               /* the selected call is on hold by us       */
	WHEN_MUTED,
	WHEN_RECORDING,
	WHEN_CALLS,              /* ... and there is another one             */
	WHEN_CALL,               /* there is a selected call                 */
	WHEN_IDLE,               /* there is none                            */
	WHEN_ALWAYS,
	WHENS
};
/** As sections of the file of keys call them: "incoming" ... */
const char *key_when_name(enum key_when when);

/** One row: a key is a command line. "%c" in it is the number of the call, "%o"
 *  that of another one, "%a" the numbers of all that are answered */
struct key_row {
	const char *key;         /* NULL ends a table                        */
	const char *line;        /* "" : nothing                             */
	const char *hint;        /* two words for the last row; NULL: none   */
	const char *summary;     /* for `?`                                  */
};

/** The built-in rows for such a time; NULL key ends them */
const struct key_row *key_rows(enum key_when when);

struct keys;                     /* the user's own                           */
/** Sections [incoming], [call] ... of lines `KEY = COMMAND LINE`; a missing
 *  file is none. err: one sentence with file and line, 512 bytes.
 *  @return 0 or errno; free: mem_deref */
int  keys_load(struct keys **kp, const char *path, char *err);
/** The line a key is bound to now. whens: bits 1 << enum key_when that are
 *  true; pane: rows of the pane shown. @return NULL: to none */
const char *keys_line(const struct keys *keys, const struct key_row *pane,
		      const char *pane_name, unsigned whens,
		      const struct key *k);
/** The key of a built-in row as it is bound now: for hints and help.
 *  @return buf, "" when the user took it away */
const char *keys_bound(const struct keys *keys, enum key_when when,
		       const char *pane_name, const struct key_row *row,
		       char *buf, size_t sz);

#endif
