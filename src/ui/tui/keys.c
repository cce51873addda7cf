/**
 * @file keys.c  The command line each key is bound to
 *
 * Tables of what is built in, and the user's own file before them.  Keys,
 * `?`, the hints in the last row and the manual read the same rows.  Main
 * thread.
 */
#include <stdio.h>
#include "offhook/command.h"
#include "offhook/path.h"
#include "offhook/text.h"
#include "keys.h"
#include "pane.h"

enum { KEYS_MAX = 200, FILE_MAX = 64 << 10, NAME_MAX_ = 24 };

struct keys_own {
	char section[NAME_MAX_];
	struct key key;
	char line[200];
};

struct keys {
	size_t n;
	struct keys_own v[KEYS_MAX];
};


static const struct key_row rows_incoming[] = {
	{ "a", "answer %c", "answer", "Answer the call" },
	{ "Enter", "answer %c", NULL, "Answer the call" },
	{ "r", "reject %c", "reject", "Reject it" },
	{ "b", "reject %c --code 486", "busy", "Tell the caller that you are "
	  "busy" },
	{ "f", "screen line 'redirect --call %c '", "redirect",
	  "Send the caller elsewhere" },
	{ "s", "screen hush", "hush", "Let it ring without this box" },
	{ "Esc", "screen hush", NULL, "The same" },
	{ NULL, NULL, NULL, NULL }
};

static const struct key_row rows_held[] = {
	{ "x", "resume", "resume", "Take the call off hold" },
	{ NULL, NULL, NULL, NULL }
};

static const struct key_row rows_muted[] = {
	{ "u", "unmute", "unmute", "Be heard again" },
	{ NULL, NULL, NULL, NULL }
};

static const struct key_row rows_recording[] = {
	{ "r", "record stop", "end record", "End the recording" },
	{ NULL, NULL, NULL, NULL }
};

static const struct key_row rows_calls[] = {
	{ "s", "swap", "swap", "Talk to the other of two calls" },
	{ "c", "conference %a", "conference", "Put all calls together" },
	{ "T", "transfer --to %o", "connect", "Connect this call with the "
	  "other one, and leave" },
	{ NULL, NULL, NULL, NULL }
};

static const struct key_row rows_call[] = {
	{ "h", "hangup", "hang up", "Hang up the selected call" },
	{ "x", "hold", "hold", "Put the call on hold" },
	{ "u", "mute", "mute", "Be heard no more" },
	{ "t", "screen line 'transfer '", "transfer", "Hand the call over to "
	  "somebody else" },
	{ "r", "screen line 'record call-%c.wav'", "record", "Record the call "
	  "into a file" },
	{ "n", "set noise-suppress toggle", NULL, "Noise suppression off and "
	  "on again, to hear what it does" },
	{ "0", "dtmf 0", NULL, NULL }, { "1", "dtmf 1", NULL, NULL },
	{ "2", "dtmf 2", NULL, NULL }, { "3", "dtmf 3", NULL, NULL },
	{ "4", "dtmf 4", NULL, NULL }, { "5", "dtmf 5", NULL, NULL },
	{ "6", "dtmf 6", NULL, NULL }, { "7", "dtmf 7", NULL, NULL },
	{ "8", "dtmf 8", NULL, NULL }, { "9", "dtmf 9", NULL, NULL },
	{ "*", "dtmf *", NULL, NULL }, { "#", "dtmf '#'", NULL, NULL },
	{ NULL, NULL, NULL, NULL }
};

static const struct key_row rows_idle[] = {
	{ "0", "screen line 'dial 0'", NULL, NULL },
	{ "1", "screen line 'dial 1'", NULL, NULL },
	{ "2", "screen line 'dial 2'", NULL, NULL },
	{ "3", "screen line 'dial 3'", NULL, NULL },
	{ "4", "screen line 'dial 4'", NULL, NULL },
	{ "5", "screen line 'dial 5'", NULL, NULL },
	{ "6", "screen line 'dial 6'", NULL, NULL },
	{ "7", "screen line 'dial 7'", NULL, NULL },
	{ "8", "screen line 'dial 8'", NULL, NULL },
	{ "9", "screen line 'dial 9'", NULL, NULL },
	{ "+", "screen line 'dial +'", NULL, NULL },
	{ NULL, NULL, NULL, NULL }
};

static const struct key_row rows_always[] = {
	{ "?", "view help", "help", "What the keys do" },
	{ "F1", "view help", NULL, "The same" },
	{ "d", "screen line 'dial '", "dial", "Call somebody" },
	{ ":", "screen line", "command", "Type a command" },
	{ "m", "screen line 'message '", NULL, "Write a message" },
	{ "g", "view home", NULL, "Accounts, calls, what happened" },
	{ "i", "view call", NULL, "All about the selected call" },
	{ "P", "view people", NULL, "People: contacts, and how they are" },
	{ "M", "view messages", NULL, "Messages" },
	{ "H", "view history", "history", "History: calls that were" },
	{ "l", "view ladder", "ladder", "Ladder: who said what in SIP" },
	{ ",", "view settings", NULL, "Settings: all options" },
	{ "V", "view devices", NULL, "Devices: microphone, loudspeaker, "
	  "ringer" },
	{ "L", "view log", "log", "The log" },
	{ "v", "voicemail", NULL, "Call the mailbox" },
	{ "Tab", "screen next", NULL, "The next page" },
	{ "BackTab", "screen previous", NULL, "The page before" },
	{ "Esc", "screen back", NULL, "Back to where you were" },
	{ "Enter", "screen choose", NULL, "Open what is selected" },
	{ "Up", "screen up", NULL, "Up" },
	{ "Down", "screen down", NULL, "Down" },
	{ "k", "screen up", NULL, "Up" },
	{ "j", "screen down", NULL, "Down" },
	{ "Left", "screen left", NULL, NULL },
	{ "Right", "screen right", NULL, NULL },
	{ "PageUp", "screen page-up", NULL, "A page up" },
	{ "PageDown", "screen page-down", NULL, "A page down" },
	{ "Home", "screen top", NULL, "To the first" },
	{ "End", "screen bottom", NULL, "To the last" },
	{ "/", "screen search", NULL, "Look for a text" },
	{ "M-1", "select 1", NULL, "Select call 1, and so on to Alt+9" },
	{ "M-2", "select 2", NULL, NULL }, { "M-3", "select 3", NULL, NULL },
	{ "M-4", "select 4", NULL, NULL }, { "M-5", "select 5", NULL, NULL },
	{ "M-6", "select 6", NULL, NULL }, { "M-7", "select 7", NULL, NULL },
	{ "M-8", "select 8", NULL, NULL }, { "M-9", "select 9", NULL, NULL },
	{ "C-l", "screen redraw", NULL, "Paint the screen anew" },
	{ "C-z", "screen suspend", NULL, "Back to the shell for a while; "
	  "calls go on" },
	{ "C-c", "screen line 'quit'", NULL, "Leave (asks)" },
	{ "D", "detach", "detach", "Leave the phone running, without a "
		"terminal" },
	{ "q", "screen line 'quit'", "quit", "Leave (asks)" },
	{ NULL, NULL, NULL, NULL }
};

static const struct {
	const char *name;
	const struct key_row *rows;
} whens[WHENS] = {
	[WHEN_INCOMING]  = { "incoming", rows_incoming },
	[WHEN_PANE]      = { "pane", NULL },
	[WHEN_HELD]      = { "held", rows_held },
	[WHEN_MUTED]     = { "muted", rows_muted },
	[WHEN_RECORDING] = { "recording", rows_recording },
	[WHEN_CALLS]     = { "calls", rows_calls },
	[WHEN_CALL]      = { "call", rows_call },
	[WHEN_IDLE]      = { "idle", rows_idle },
	[WHEN_ALWAYS]    = { "always", rows_always },
};


const char *key_when_name(enum key_when when)
{
	return when < WHENS ? whens[when].name : "";
}


const struct key_row *key_rows(enum key_when when)
{
	static const struct key_row none = { NULL, NULL, NULL, NULL };

	return when < WHENS && whens[when].rows ? whens[when].rows : &none;
}


/* What to bind -------------------------------------------------------------- */

static const struct keys_own *own_find(const struct keys *keys,
				       const char *section,
				       const struct key *k)
{
	/* the last one of the file counts */
	for (size_t i = keys ? keys->n : 0; i-- > 0;) {
		const struct keys_own *o = &keys->v[i];

		if (!strcmp(o->section, section) && key_same(&o->key, k))
			return o;
	}

	return NULL;
}


static const char *row_line(const struct key_row *rows, const struct key *k)
{
	struct key r;

	for (; rows && rows->key; rows++) {
		if (!key_parse(&r, rows->key) && key_same(&r, k))
			return rows->line;
	}

	return NULL;
}


const char *keys_line(const struct keys *keys, const struct key_row *pane,
		      const char *pane_name, unsigned when_bits,
		      const struct key *k)
{
	for (enum key_when w = WHEN_INCOMING; w < WHENS; w++) {

		const char *section = w == WHEN_PANE ? pane_name :
			whens[w].name;
		const struct keys_own *o;
		const char *line;

		if (!(when_bits & 1u << w))
			continue;

		o = own_find(keys, section, k);
		line = o ? o->line :
			row_line(w == WHEN_PANE ? pane : whens[w].rows, k);
		if (line)
			return *line ? line : NULL;

		/* while a call asks, other keys would hit what is behind */
		if (w == WHEN_INCOMING)
			return NULL;
	}

	return NULL;
}


const char *keys_bound(const struct keys *keys, enum key_when when,
		       const char *pane_name, const struct key_row *row,
		       char *buf, size_t sz)
{
	const char *section = when == WHEN_PANE ? pane_name :
		whens[when].name;
	struct key k;

	/* the user's own key for the same line is the better hint */
	for (size_t i = keys ? keys->n : 0; i-- > 0;) {
		if (!strcmp(keys->v[i].section, section) &&
		    !strcmp(keys->v[i].line, row->line))
			return key_name(&keys->v[i].key, buf, sz);
	}

	snprintf(buf, sz, "%s", row->key);
	if (!key_parse(&k, row->key) && own_find(keys, section, &k))
		buf[0] = '\0';

	return buf;
}


/* The file --------------------------------------------------------------- */

static bool section_known(const char *name)
{
	for (size_t w = 0; w < WHENS; w++) {
		if (w != WHEN_PANE && !strcmp(whens[w].name, name))
			return true;
	}

	return pane_find(name) != NULL;
}


/* "KEY = LINE". @return 0, EINVAL with why */
static int own_parse(struct keys_own *o, char *s, const char **why)
{
	const size_t n = strcspn(s, " \t");
	char *p = s + n + strspn(s + n, " \t"), word[32];
	size_t w;

	if (*p != '=') {
		*why = "write KEY = COMMAND LINE, with blanks around =";
		return EINVAL;
	}
	s[n] = '\0';
	if (key_parse(&o->key, s)) {
		*why = "that is no key; they are written as in a, Enter, "
			"PageUp, F5, C-x (Ctrl), M-x (Alt), Space";
		return EINVAL;
	}

	p += 1 + strspn(p + 1, " \t");
	if (text_copy(o->line, sizeof(o->line), p, strlen(p))) {
		*why = "the line is too long";
		return EINVAL;
	}

	w = strcspn(p, " ");
	snprintf(word, sizeof(word), "%.*s", (int)(w < 31 ? w : 31), p);
	if (w && !command_find(word)) {
		*why = "there is no such command";
		return EINVAL;
	}

	return 0;
}


static int file_line(struct keys *keys, char section[NAME_MAX_], char *s,
		     const char **why)
{
	struct keys_own *o = &keys->v[keys->n];
	size_t n = strlen(s);

	while (n && (s[n - 1] == '\r' || s[n - 1] == ' ' || s[n - 1] == '\t'))
		s[--n] = '\0';
	s += strspn(s, " \t");

	/* a lone # may be a key: "# = dtmf '#'" */
	if (!*s || (*s == '#' && strncmp(s + 1 + strspn(s + 1, " \t"), "=", 1)))
		return 0;

	if (*s == '[') {
		s[strcspn(s, "]")] = '\0';
		if (!section_known(s + 1)) {
			*why = "there is no such section; see `?` for their "
				"names";
			return EINVAL;
		}
		snprintf(section, NAME_MAX_, "%.20s", s + 1);
		return 0;
	}

	if (keys->n == KEYS_MAX) {
		*why = "there are too many keys";
		return ENOSPC;
	}

	snprintf(o->section, sizeof(o->section), "%s", section);
	if (own_parse(o, s, why))
		return EINVAL;
	++keys->n;

	return 0;
}


int keys_load(struct keys **kp, const char *path, char *err)
{
	struct keys *keys = mem_zalloc(sizeof(*keys), NULL);
	char section[NAME_MAX_] = "always", *text = NULL, *p;
	unsigned number = 0;
	size_t len;
	int e;

	if (!keys)
		return ENOMEM;

	e = path && *path ? path_read(&text, &len, path, FILE_MAX) : ENOENT;
	if (e == ENOENT)
		e = 0;
	else if (e)
		snprintf(err, 512, "%.300s: %s", path, strerror(e));

	for (p = text; !e && p && *p;) {

		const size_t n = strcspn(p, "\n");
		const bool last = !p[n];
		const char *why = "";

		++number;
		p[n] = '\0';
		e = file_line(keys, section, p, &why);
		if (e)
			snprintf(err, 512, "%.300s:%u: %s", path, number, why);
		p += last ? n : n + 1;
	}

	free(text);
	if (e) {
		mem_deref(keys);
		return e;
	}

	*kp = keys;

	return 0;
}
