/**
 * @file edit.c  What a person types at the prompt: editing, history, Tab
 *
 * The terminal gives keys instead of lines, so that what happens meanwhile
 * takes nothing of a line that is half typed: the row of the prompt is taken
 * away, the news is written, and the row comes back as it was.  Nothing but
 * that row is ever written twice, and a character that is added at its end is
 * just written, as a screen reader wants it.  Whole lines go into a pipe from
 * which the script reads.  Main thread; never blocks.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "offhook/log.h"
#include "offhook/text.h"
#include "offhook/timer.h"
#include "tui/line.h"
#include "tui/term.h"
#include "priv.h"

enum { LATE_MS = 25, ROW_MAX = 8 * 1024 };

static const char prompt[] = "offhook> ";

struct edit {
	const struct phone *ph;
	struct output *out;
	struct line *line;
	struct decode decode;
	struct timer late;
	struct compat_fd watch;
	int fd, pipe;
	bool watched;
	bool dumb;               /* the terminal can take away no row        */
	bool shown;              /* the prompt is the last thing written     */
	bool away;               /* for a line of the log: it comes back     */
	bool told;               /* what Tab may put there has been listed   */
	char was[LINE_BYTES];    /* the text that stands there               */
	bool whole;              /* all of it, and the cursor at its end     */
};


/* The row ---------------------------------------------------------------- */

static int width(const struct edit *e)
{
	struct winsize ws;

	if (ioctl(e->fd, TIOCGWINSZ, &ws) || ws.ws_col < 20)
		return 80;

	return ws.ws_col;
}


static size_t char_len(const char *s)
{
	size_t n = *s != '\0';

	while (n && ((unsigned char)s[n] & 0xc0) == 0x80)
		++n;

	return n;
}


static int char_columns(const char *s)
{
	char ch[8];

	snprintf(ch, sizeof(ch), "%.*s", (int)char_len(s), s);

	return text_columns(ch);
}


static void add_times(struct text_buf *b, const char *s, int n)
{
	while (n-- > 0)
		text_add(b, "%s", s);
}


static void write_out(struct edit *e, struct text_buf *b)
{
	if (b->s && !b->err)
		output_write(e->out, b->s, b->len, false);
	text_buf_reset(b);
}


static void add_erase(const struct edit *e, struct text_buf *b)
{
	if (!e->dumb) {
		text_add(b, "\r\033[K");
		return;
	}

	text_add(b, "\r");
	add_times(b, " ", width(e) - 1);
	text_add(b, "\r");
}


/* The prompt and what of the text is around the cursor */
static void add_row(struct edit *e, struct text_buf *b)
{
	const char *s = line_text(e->line), *at = s + line_at(e->line), *p;
	const int room = width(e) - (int)sizeof(prompt);
	int x = 0, back = 0, before = 0;

	for (p = s; p < at; p += char_len(p))
		before += char_columns(p);
	e->whole = !*at;
	while (before > room && s < at) {
		before -= char_columns(s);
		s += char_len(s);
		e->whole = false;
	}

	text_add(b, "%s", prompt);
	for (p = s; *p && x + char_columns(p) <= room; p += char_len(p)) {
		x += char_columns(p);
		back += p >= at ? char_columns(p) : 0;
	}
	text_add(b, "%.*s", (int)(p - s), s);
	add_times(b, "\b", back);
	snprintf(e->was, sizeof(e->was), "%s", line_text(e->line));
}


void edit_show(struct edit *e)
{
	struct text_buf b = { .max = ROW_MAX };

	if (e->shown)
		return;

	add_row(e, &b);
	write_out(e, &b);
	e->shown = true;
}


void edit_hide(struct edit *e)
{
	struct text_buf b = { .max = ROW_MAX };

	if (!e->shown)
		return;

	add_erase(e, &b);
	write_out(e, &b);
	e->shown = false;
}


/* Lines of the log come between, too, when they go to the same terminal */
static void log_handler(bool before, void *arg)
{
	struct edit *e = arg;

	if (before) {
		e->away = e->shown;
		edit_hide(e);
	}
	else if (e->away) {
		e->away = false;
		edit_show(e);
	}
}


/* The text has changed. What was added at the end is added there, too */
static void update(struct edit *e)
{
	struct text_buf b = { .max = ROW_MAX };
	const char *now = line_text(e->line);
	const size_t n = strlen(e->was);

	if (!e->shown)
		return;

	if (e->whole && !now[line_at(e->line)] && !strncmp(now, e->was, n) &&
	    text_columns(now) <= width(e) - (int)sizeof(prompt)) {
		text_add(&b, "%s", now + n);
		snprintf(e->was, sizeof(e->was), "%s", now);
	}
	else {
		add_erase(e, &b);
		add_row(e, &b);
	}
	write_out(e, &b);
}


/* Suggestions ------------------------------------------------------------ */

static void hint_handler(const char *text, const char *about, void *arg)
{
	line_hint_add(arg, text, about);
}


static void targets(const char *typed, complete_h *h, void *h_arg, void *arg)
{
	const struct edit *e = arg;

	targets_offer(e->ph, e->line, typed, h, h_arg);
}


static void suggest(struct edit *e)
{
	char expects[COMPLETE_EXPECTS] = "";
	size_t from = 0;

	line_hints_clear(e->line, 0, "");
	if (!line_at(e->line))
		return;

	command_complete(e->ph, line_text(e->line), line_at(e->line), &from,
			 expects, targets, e, hint_handler, e->line);
	line_hints_from(e->line, from, expects);
}


/* What may stand there, above the prompt */
static void list(struct edit *e)
{
	const size_t n = line_hints(e->line);
	struct text_buf b = { .max = 64 * 1024 };
	const char *text, *about;

	edit_hide(e);
	for (size_t i = 0; i < n; i++) {
		text = line_hint(e->line, i, &about);
		text_add(&b, "  %-24s  %s\n", text, about);
	}
	if (!n)
		text_add(&b, "  %s\n", line_expects(e->line));
	write_out(e, &b);
	edit_show(e);
}


/* One that fits is taken; of several their beginning, then they are listed,
 * then they come one after the other */
static void tab(struct edit *e, const struct key *k)
{
	char was[LINE_BYTES];

	snprintf(was, sizeof(was), "%s", line_text(e->line));

	if (line_hints(e->line) > 1 && !e->told &&
	    line_common(e->line) <= strlen(was)) {
		e->told = true;
		list(e);
		return;
	}
	if (!line_hints(e->line)) {
		if (*line_expects(e->line))
			list(e);
		return;
	}

	if (line_key(e->line, k) == LINE_CHANGED)
		suggest(e);
	update(e);
}


/* Keys ------------------------------------------------------------------- */

static void finish(struct edit *e)
{
	if (e->watched)
		compat_fd_close(&e->watch);
	e->watched = false;
	timer_cancel(&e->late);
	if (e->pipe >= 0) {
		close(e->pipe);
		log_set_row(NULL, NULL);
	}
	e->pipe = -1;
	term_plain_end();
}


/* The line is the script's. A pipe that is full holds 64 KiB of lines that
 * nobody has had time for: this one stays */
static void enter(struct edit *e)
{
	struct text_buf b = { .max = ROW_MAX }, row = { .max = ROW_MAX };
	const char *text = line_text(e->line);

	text_add(&b, "%s\n", text);
	if (!b.s || b.err || write(e->pipe, b.s, b.len) != (ssize_t)b.len) {
		text_buf_reset(&b);
		output_write(e->out, "\a", 1, false);
		return;
	}

	/* as it was entered, all of it; one that was typed while a command
	 * ran is seen now */
	if (e->shown && !e->whole)
		add_erase(e, &row);
	if (!e->shown || !e->whole)
		text_add(&row, "%s%s", prompt, text);
	text_add(&row, "\n");
	write_out(e, &row);
	text_buf_reset(&b);

	e->shown = false;
	line_keep(e->line, text);
	line_start(e->line, "", "", false);
}


/* The shell's turn, until `fg` */
static void suspend(struct edit *e)
{
	const bool shown = e->shown;

	edit_hide(e);
	term_plain_end();
	(void)kill(0, SIGSTOP);
	(void)term_plain(e->fd);
	if (shown)
		edit_show(e);
}


static void key_handler(const struct key *k, void *arg)
{
	struct edit *e = arg;
	const bool ctrl = k->code == KEY_CHAR && k->mods == MOD_CTRL;

	if (e->pipe < 0)
		return;

	if (ctrl && k->cp == 'd' && !*line_text(e->line)) {
		finish(e);
		return;
	}
	if (ctrl && k->cp == 'z') {
		suspend(e);
		return;
	}
	if (k->code == KEY_TAB || k->code == KEY_BACKTAB) {
		tab(e, k);
		return;
	}

	e->told = false;
	switch (line_key(e->line, k)) {

	case LINE_ENTERED:
		enter(e);
		return;

	case LINE_LEFT:
		command_typing(e->ph, line_text(e->line), false);
		line_start(e->line, "", "", false);
		break;

	case LINE_CHANGED:
		command_typing(e->ph, line_text(e->line), true);
		break;

	case LINE_MOVED:
		break;

	case LINE_IGNORED:
		return;
	}

	suggest(e);
	update(e);
}


static void late(void *arg)
{
	struct edit *e = arg;

	decode_late(&e->decode, key_handler, e);
}


static void readable(int flags, void *arg)
{
	struct edit *e = arg;
	char buf[1024];
	ssize_t n;
	(void)flags;

	n = read(e->fd, buf, sizeof(buf));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		finish(e);
		return;
	}

	timer_cancel(&e->late);
	decode_bytes(&e->decode, buf, (size_t)n, key_handler, e);
	if (e->pipe >= 0 && decode_waits(&e->decode))
		timer_start(&e->late, LATE_MS, late, e);
}


/* Life ------------------------------------------------------------------- */

static void destructor(void *arg)
{
	struct edit *e = arg;

	finish(e);
	mem_deref(e->line);
	if (e->fd >= 0)
		close(e->fd);
}


int edit_alloc(struct edit **ep, const struct phone *ph, int fd,
	       struct output *out, const char *lines, int *rd)
{
	struct edit *e;
	int p[2], err;

	e = mem_zalloc(sizeof(*e), destructor);
	if (!e)
		return ENOMEM;

	e->ph = ph;
	e->out = out;
	e->fd = e->pipe = -1;
	e->dumb = !tui_term_known(getenv("TERM"));
	err = line_alloc(&e->line, lines);
	if (!err)
		err = term_plain(fd);
	if (!err && pipe2(p, O_CLOEXEC | O_NONBLOCK))
		err = errno;
	if (err) {
		mem_deref(e);
		return err;
	}

	e->pipe = p[1];
	line_start(e->line, "", "", false);
	err = compat_fd_listen(&e->watch, fd, FD_READ, readable, e);
	if (err) {
		close(p[0]);
		mem_deref(e);
		return err;
	}
	e->watched = true;
	e->fd = fd;
	if (isatty(STDERR_FILENO))
		log_set_row(log_handler, e);
	*rd = p[0];
	*ep = e;

	return 0;
}
