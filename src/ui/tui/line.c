/**
 * @file line.c  The command line: editing, history, suggestions
 *
 * The text is UTF-8 and valid at all times, since keys are characters.  The
 * history is appended to its file line by line, so that nothing is lost when
 * the phone is killed, and rewritten when it has grown too long.  Main
 * thread.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "offhook/path.h"
#include "offhook/text.h"
#include "line.h"

struct line_hint {
	char text[256];
	char about[160];
};

struct line {
	bool open, secret;
	char prompt[80];
	char s[LINE_BYTES];
	size_t len, at;
	char cut[LINE_BYTES];      /* what Ctrl-K took                         */
	size_t cut_len;

	char *path;
	char *kept[LINE_HISTORY];
	size_t n;                /* ever                                     */
	size_t in_file;
	size_t back;             /* looking at kept n - back; 0: own text    */
	char own[LINE_BYTES];      /* typed before looking back                */

	struct line_hint hints[LINE_HINTS];
	size_t hintc, from;
	char expects[160];
	int pick;                /* suggestion that stands in the text, -1   */
};


/* History ---------------------------------------------------------------- */

const char *line_kept(const struct line *l, size_t i)
{
	if (i >= l->n || i >= LINE_HISTORY)
		return NULL;

	return l->kept[(l->n - 1 - i) % LINE_HISTORY];
}


static void keep(struct line *l, const char *text, size_t len)
{
	char **slot = &l->kept[l->n % LINE_HISTORY];
	char *copy = len && len < LINE_BYTES ? strndup(text, len) : NULL;

	if (!copy)
		return;

	free(*slot);
	*slot = copy;
	++l->n;
}


/* Too long a file becomes the lines we have */
static void rewrite(struct line *l)
{
	struct text_buf b = { .max = 8 << 20 };
	const size_t n = l->n < LINE_HISTORY ? l->n : LINE_HISTORY;

	for (size_t i = n; i-- > 0;)
		text_add(&b, "%s\n", line_kept(l, i));

	if (b.s && !b.err && !path_write(l->path, b.s, b.len, 0600))
		l->in_file = n;
	text_buf_reset(&b);
}


static void append(struct line *l, const char *text)
{
	char buf[LINE_BYTES + 1];
	const int n = snprintf(buf, sizeof(buf), "%s\n", text);
	int fd;

	if (!l->path || n <= 0 || (size_t)n >= sizeof(buf))
		return;

	if (l->in_file >= 2 * LINE_HISTORY) {
		rewrite(l);
		return;
	}

	fd = open(l->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (write(fd, buf, (size_t)n) == n)
		++l->in_file;
	close(fd);
}


static bool has_secret(const char *text)
{
	return strcasestr(text, "password=") || strcasestr(text, "ha1=") ||
		strcasestr(text, "auth-in-password");
}


void line_keep(struct line *l, const char *text)
{
	const char *last = line_kept(l, 0);

	l->back = 0;
	while (*text == ' ')
		++text;
	if (!*text || has_secret(text) || (last && !strcmp(last, text)))
		return;

	keep(l, text, strlen(text));
	append(l, text);
}


static void load(struct line *l)
{
	char *text, *p;
	size_t len;

	if (path_read(&text, &len, l->path, 4 << 20))
		return;

	for (p = text; p < text + len;) {
		const size_t n = strcspn(p, "\n");

		if (text_utf8_valid(p, n))
			keep(l, p, n);
		++l->in_file;
		p += n + 1;
	}
	free(text);
}


/* Text ------------------------------------------------------------------- */

static size_t before(const struct line *l, size_t at)
{
	while (at && ((unsigned char)l->s[--at] & 0xc0) == 0x80)
		;

	return at;
}


static size_t behind(const struct line *l, size_t at)
{
	if (at < l->len)
		++at;
	while (at < l->len && ((unsigned char)l->s[at] & 0xc0) == 0x80)
		++at;

	return at;
}


static size_t word_before(const struct line *l, size_t at)
{
	while (at && l->s[at - 1] == ' ')
		--at;
	while (at && l->s[at - 1] != ' ')
		--at;

	return at;
}


static size_t word_behind(const struct line *l, size_t at)
{
	while (at < l->len && l->s[at] == ' ')
		++at;
	while (at < l->len && l->s[at] != ' ')
		++at;

	return at;
}


static void take_out(struct line *l, size_t from, size_t to)
{
	memmove(l->s + from, l->s + to, l->len - to + 1);
	l->len -= to - from;
	l->at = from;
}


static void cut(struct line *l, size_t from, size_t to)
{
	if (to <= from)
		return;

	/* a secret is nowhere but in its line */
	if (!l->secret) {
		l->cut_len = to - from;
		memcpy(l->cut, l->s + from, l->cut_len);
	}
	take_out(l, from, to);
}


static void put_in(struct line *l, const char *p, size_t n)
{
	if (l->len + n >= LINE_BYTES)
		return;

	memmove(l->s + l->at + n, l->s + l->at, l->len - l->at + 1);
	memcpy(l->s + l->at, p, n);
	l->len += n;
	l->at += n;
}


static void set(struct line *l, const char *text)
{
	snprintf(l->s, sizeof(l->s), "%s", text);
	l->len = l->at = strlen(l->s);
}


/* Up and down: lines that begin as what was typed */
static void look(struct line *l, bool older)
{
	const size_t own = l->back ? strlen(l->own) : l->len;
	size_t i = l->back;

	if (l->secret)
		return;
	if (!l->back)
		snprintf(l->own, sizeof(l->own), "%s", l->s);

	for (;;) {
		const char *text;

		if (!older && i <= 1) {
			if (l->back)
				set(l, l->own);
			l->back = 0;
			return;
		}
		i = older ? i + 1 : i - 1;
		text = line_kept(l, i - 1);
		if (!text)
			return;
		if (!strncmp(text, l->own, own) && strcmp(text, l->s)) {
			l->back = i;
			set(l, text);
			return;
		}
	}
}


/* Suggestions ------------------------------------------------------------ */

void line_hints_clear(struct line *l, size_t from, const char *expects)
{
	l->hintc = 0;
	l->pick = -1;
	l->from = from < l->len ? from : l->len;
	snprintf(l->expects, sizeof(l->expects), "%s", expects);
}


void line_hints_from(struct line *l, size_t from, const char *expects)
{
	l->from = from < l->len ? from : l->len;
	snprintf(l->expects, sizeof(l->expects), "%s", expects);
}


void line_hint_add(struct line *l, const char *text, const char *about)
{
	struct line_hint *h;

	if (l->hintc >= LINE_HINTS || strlen(text) >= sizeof(h->text))
		return;

	h = &l->hints[l->hintc++];
	snprintf(h->text, sizeof(h->text), "%s", text);
	text_escape(h->about, sizeof(h->about), about, strlen(about));
}


size_t line_hints(const struct line *l)
{
	return l->hintc;
}


static void replace(struct line *l, const char *text, bool whole)
{
	take_out(l, l->from, l->at < l->from ? l->from : l->at);
	put_in(l, text, strlen(text));
	if (whole && l->len && l->s[l->len - 1] != '=' && l->at == l->len)
		put_in(l, " ", 1);
}


/* What all suggestions begin with */
static size_t common(const struct line *l)
{
	size_t n = strlen(l->hints[0].text);

	for (size_t i = 1; i < l->hintc; i++) {
		size_t k = 0;

		while (k < n && l->hints[i].text[k] == l->hints[0].text[k])
			++k;
		n = k;
	}
	while (n && ((unsigned char)l->hints[0].text[n] & 0xc0) == 0x80)
		--n;

	return n;
}


const char *line_hint(const struct line *l, size_t i, const char **about)
{
	*about = l->hints[i].about;

	return l->hints[i].text;
}


const char *line_expects(const struct line *l)
{
	return l->expects;
}


size_t line_common(const struct line *l)
{
	const size_t n = l->hintc ? common(l) : 0;
	const size_t typed = l->at > l->from ? l->at - l->from : 0;

	return n > typed && !strncasecmp(l->hints[0].text, l->s + l->from,
					 typed) ? l->len + n - typed : l->len;
}


static enum line_did complete(struct line *l, int step)
{
	const size_t typed = l->at > l->from ? l->at - l->from : 0;
	char text[256];
	size_t n;

	if (!l->hintc)
		return LINE_MOVED;

	if (l->hintc == 1) {
		replace(l, l->hints[0].text, true);
		return LINE_CHANGED;
	}

	n = common(l);
	if (l->pick < 0 && n > typed &&
	    !strncasecmp(l->hints[0].text, l->s + l->from, typed)) {
		snprintf(text, sizeof(text), "%.*s", (int)n,
			 l->hints[0].text);
		replace(l, text, false);
		return LINE_CHANGED;
	}

	/* one after the other; they stay until another key */
	l->pick = l->pick < 0 ? (step > 0 ? 0 : (int)l->hintc - 1) :
		(l->pick + step + (int)l->hintc) % (int)l->hintc;
	replace(l, l->hints[l->pick].text, false);

	return LINE_MOVED;
}


/* Keys ------------------------------------------------------------------- */

static enum line_did control(struct line *l, uint32_t cp)
{
	switch (cp) {

	case 'a': l->at = 0; return LINE_MOVED;
	case 'e': l->at = l->len; return LINE_MOVED;
	case 'b': l->at = before(l, l->at); return LINE_MOVED;
	case 'f': l->at = behind(l, l->at); return LINE_MOVED;
	case 'p': look(l, true); return LINE_CHANGED;
	case 'n': look(l, false); return LINE_CHANGED;
	case 'c': case 'g': return LINE_LEFT;
	case 'k': cut(l, l->at, l->len); return LINE_CHANGED;
	case 'u': cut(l, 0, l->at); return LINE_CHANGED;
	case 'w': cut(l, word_before(l, l->at), l->at); return LINE_CHANGED;
	case 'y': put_in(l, l->cut, l->cut_len); return LINE_CHANGED;
	case 'd':
		if (!l->len)
			return LINE_LEFT;
		take_out(l, l->at, behind(l, l->at));
		return LINE_CHANGED;
	default:
		return LINE_IGNORED;
	}
}


static enum line_did alt(struct line *l, const struct key *k)
{
	if (k->code == KEY_BACKSPACE) {
		cut(l, word_before(l, l->at), l->at);
		return LINE_CHANGED;
	}

	switch (k->code == KEY_CHAR ? k->cp : 0) {

	case 'b': l->at = word_before(l, l->at); return LINE_MOVED;
	case 'f': l->at = word_behind(l, l->at); return LINE_MOVED;
	case 'd':
		cut(l, l->at, word_behind(l, l->at));
		return LINE_CHANGED;
	default:  return LINE_IGNORED;
	}
}


static enum line_did typed(struct line *l, uint32_t cp)
{
	char ch[8];

	put_in(l, ch, key_utf8(ch, cp));

	return LINE_CHANGED;
}


enum line_did line_key(struct line *l, const struct key *k)
{
	if (k->code == KEY_CHAR && k->mods == MOD_CTRL)
		return control(l, k->cp);
	if (k->mods & MOD_ALT)
		return alt(l, k);

	switch (k->code) {

	case KEY_CHAR:
	case KEY_PASTE:
		return cell_width(k->cp) < 0 ? LINE_MOVED : typed(l, k->cp);

	case KEY_ENTER:   return LINE_ENTERED;
	case KEY_ESC:     return LINE_LEFT;
	case KEY_TAB:     return complete(l, 1);
	case KEY_BACKTAB: return complete(l, -1);
	case KEY_UP:      look(l, true); return LINE_CHANGED;
	case KEY_DOWN:    look(l, false); return LINE_CHANGED;
	case KEY_LEFT:
		l->at = k->mods & MOD_CTRL ? word_before(l, l->at) :
			before(l, l->at);
		return LINE_MOVED;
	case KEY_RIGHT:
		l->at = k->mods & MOD_CTRL ? word_behind(l, l->at) :
			behind(l, l->at);
		return LINE_MOVED;
	case KEY_HOME:    l->at = 0; return LINE_MOVED;
	case KEY_END:     l->at = l->len; return LINE_MOVED;

	case KEY_BACKSPACE:
		/* an empty line is left by taking away one more */
		if (!l->len)
			return LINE_LEFT;
		take_out(l, before(l, l->at), l->at);
		return LINE_CHANGED;

	case KEY_DELETE:
		take_out(l, l->at, behind(l, l->at));
		return LINE_CHANGED;

	default:
		return LINE_IGNORED;
	}
}


/* Outside ---------------------------------------------------------------- */

void line_start(struct line *l, const char *prompt, const char *text,
		bool secret)
{
	l->open = true;
	l->secret = secret;
	l->back = 0;
	snprintf(l->prompt, sizeof(l->prompt), "%s", prompt);
	set(l, text);
	line_hints_clear(l, l->len, "");
}


void line_close(struct line *l)
{
	l->open = false;
	l->prompt[0] = '\0';
	explicit_bzero(l->s, sizeof(l->s));
	l->len = l->at = 0;
	l->secret = false;
	line_hints_clear(l, 0, "");
}


bool line_open(const struct line *l)
{
	return l->open;
}


bool line_secret(const struct line *l)
{
	return l->secret;
}


const char *line_text(const struct line *l)
{
	return l->s;
}


size_t line_at(const struct line *l)
{
	return l->at;
}


int line_rows(const struct line *l, int max)
{
	int n = 1;

	if (l->open && (l->hintc || l->expects[0]))
		n += l->hintc ? (int)l->hintc : 1;

	return n < max ? n : max > 1 ? max : 1;
}


static void draw_hints(const struct line *l, const struct area *a, int x0)
{
	const int rows = a->h - 1;
	int top = 0, wide = 0;

	if (!l->hintc) {
		if (rows > 0)
			area_cut(a, x0, 1, a->w - x0, STYLE_GHOST,
				 l->expects);
		return;
	}

	if (l->pick >= rows)
		top = l->pick - rows + 1;

	for (size_t i = 0; i < l->hintc; i++) {
		const int w = text_columns(l->hints[i].text);

		wide = w > wide ? w : wide;
	}
	wide = wide < a->w / 2 ? wide : a->w / 2;

	for (int i = 0; i < rows && top + i < (int)l->hintc; i++) {

		const struct line_hint *h = &l->hints[top + i];
		const bool cur = top + i == l->pick;

		area_cut(a, x0, 1 + i, wide, STYLE_INFO, h->text);
		area_cut(a, x0 + wide + 3, 1 + i, a->w - x0 - wide - 3,
			 STYLE_DIM, h->about);
		if (cur)
			area_paint(a, x0 - 1, 1 + i, a->w - x0 + 1,
				   STYLE_SELECTED);
	}

	if (top + rows < (int)l->hintc && rows > 0)
		area_right(a, a->w, rows, STYLE_DIM, sign(a->cv, SIGN_DOWN));
}


void line_draw(const struct line *l, const struct area *a)
{
	char shown[LINE_BYTES];
	int x, room, at, skip = 0;
	size_t from = 0;

	x = area_cut(a, 1, 0, a->w > 40 ? a->w - 24 : a->w / 2, STYLE_KEY,
		     l->prompt[0] ? l->prompt :
		     sign(a->cv, SIGN_PROMPT)) + 1;
	room = a->w - x - 1;
	if (!l->open || room < 1)
		return;

	/* as much as keeps the cursor in sight */
	snprintf(shown, sizeof(shown), "%.*s", (int)l->at, l->s);
	at = l->secret ? (int)l->at : text_columns(shown);
	while (at - skip > room && from < l->at) {
		const size_t next = behind(l, from);

		snprintf(shown, sizeof(shown), "%.*s", (int)(next - from),
			 l->s + from);
		skip += l->secret ? (int)(next - from) : text_columns(shown);
		from = next;
	}

	if (l->secret) {
		for (int i = 0; i < (int)(l->len - from) && i <= room; i++)
			area_text(a, x + i, 0, STYLE_NORMAL, "*");
	}
	else {
		area_cut(a, x, 0, room + 1, STYLE_NORMAL, l->s + from);
	}

	area_cursor(a, x + at - skip, 0);
	draw_hints(l, a, x);
}


static void destructor(void *arg)
{
	struct line *l = arg;

	for (size_t i = 0; i < LINE_HISTORY; i++)
		free(l->kept[i]);
	free(l->path);
	explicit_bzero(l->s, sizeof(l->s));
}


int line_alloc(struct line **lp, const char *path)
{
	struct line *l = mem_zalloc(sizeof(*l), destructor);

	if (!l)
		return ENOMEM;

	l->pick = -1;
	if (path && *path) {
		l->path = strdup(path);
		load(l);
	}
	*lp = l;

	return 0;
}
