/**
 * @file runner.c  Command lines and what comes of them
 *
 * A line runs in the first client that is not busy, so one that waits (a
 * transfer, a message) holds up no other.  They all mean the same selected
 * call: the first client knows it.  Main thread.
 */
#include <stdio.h>
#include "offhook/clock.h"
#include "offhook/text.h"
#include "tui.h"


void tui_say(struct tui *t, enum style st, const char *fmt, ...)
{
	char text[2 * SAY_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	text_escape(t->said, sizeof(t->said), text, strlen(text));
	t->said_style = st;
	t->said_ms = clock_wall_ms();
	tui_dirty(t);
}


static void reply_handler(const struct reply *r, bool failed, void *arg)
{
	struct runner *run = arg;
	struct tui *t = run->t;
	const unsigned selected = client_selected(run->client);
	char *text;
	(void)failed;

	/* what it dialled or selected, all do */
	if (selected != run->selected)
		client_choose(t->runners[0].client, selected);

	if (!reply_ok(r)) {
		tui_say(t, STYLE_BAD, "%s", reply_error_text(r));
		/* a slip is mended where it was made */
		if (run->typed && reply_exit(r) == 2 && !line_open(t->line))
			tui_line(t, run->line);
		run->typed = false;
		return;
	}

	/* keys that were sent stand with the call, who is watched has a lamp */
	if (!run->typed && (!strncmp(run->line, "dtmf ", 5) ||
			    !strncmp(run->line, "subscribe ", 10)))
		return;

	run->typed = false;
	text = reply_print(r);
	if (text && *text) {
		const size_t n = strlen(text);

		if (text[n - 1] == '\n')
			text[n - 1] = '\0';
		if (!strchr(text, '\n')) {
			tui_say(t, STYLE_NORMAL, "%s", text);
			free(text);
		}
		else {
			free(t->reply);
			t->reply = text;
			tui_show(t, &pane_reply);
		}
		text = NULL;
	}
	free(text);
	tui_dirty(t);
}


/* Commands that talk while they run: all they said is one text */
static void line_handler(const char *line, void *arg)
{
	struct runner *run = arg;
	struct tui *t = run->t;
	const size_t n = t->reply && t->pane == &pane_reply ?
		strlen(t->reply) : 0;
	const size_t len = strlen(line);
	char *s;

	if (n > REPLY_MAX)
		return;

	s = realloc(n ? t->reply : NULL, n + len + 2);
	if (!s)
		return;
	if (!n)
		free(t->reply);
	t->reply = s;
	snprintf(s + n, len + 2, "%s%s", n ? "\n" : "", line);
	tui_show(t, &pane_reply);
}


int runner_start(struct runner *run, struct tui *t)
{
	static const struct client_h h = {
		.reply_h = reply_handler,
		.line_h = line_handler,
	};

	run->t = t;

	return run->client ? 0 : client_alloc(&run->client, t->ph, &h, run);
}


/* A line that waits (transfer, message) holds up no other one */
void runner_submit(struct tui *t, const char *line, bool typed)
{
	struct runner *run = &t->runners[0];

	for (size_t i = 0; i < RUNNERS; i++) {
		if (runner_start(&t->runners[i], t))
			break;
		run = &t->runners[i];
		if (!client_busy(run->client))
			break;
	}

	if (client_busy(run->client)) {
		tui_say(t, STYLE_BAD, "too many commands wait for their end");
		return;
	}

	run->selected = client_selected(t->runners[0].client);
	if (run != &t->runners[0] && run->selected)
		client_choose(run->client, run->selected);
	run->typed = typed;
	snprintf(run->line, sizeof(run->line), "%s", line);

	if (!strncmp(line, "dtmf ", 5))
		trends_digits_out(t->trends, run->selected, line[5] == '\'' ?
				  "#" : line + 5);

	if (client_submit(run->client, line, strlen(line), NULL))
		tui_say(t, STYLE_BAD, "the line is too long");
}


void tui_submit(struct tui *t, const char *fmt, ...)
{
	char line[CLIENT_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);

	runner_submit(t, line, false);
}


void tui_run(struct tui *t, const char *line)
{
	runner_submit(t, line, false);
}


/* Of the calls that are answered: all, or the first that is not this one */
static void numbers(const struct tui *t, char *buf, size_t sz, char which,
		    unsigned call)
{
	struct call *c = NULL;
	size_t at = 0;

	buf[0] = '\0';
	while ((c = ua_call_next(t->ph->ua, c)) && at + 12 < sz) {
		if (call_state(c) != CALL_ACTIVE ||
		    (which == 'o' && (at || call_id(c) == call)))
			continue;
		at += (size_t)snprintf(buf + at, sz - at, "%s%u", at ? " " :
				       "", call_id(c));
	}
}


/* %c: the number of the call it is about, %o: another one, %a: all */
void runner_bound(struct tui *t, const char *line)
{
	const unsigned call = t->ringing ? t->ringing :
		client_selected(t->runners[0].client);
	char text[1024], v[512];
	size_t at = 0;

	for (; *line && at + sizeof(v) < sizeof(text); line++) {
		if (line[0] != '%' || !line[1] || !strchr("coa", line[1])) {
			text[at++] = *line;
			continue;
		}
		++line;
		if (*line == 'c')
			snprintf(v, sizeof(v), "%u", call);
		else
			numbers(t, v, sizeof(v), *line, call);
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s", v);
	}
	text[at] = '\0';

	runner_submit(t, text, false);
}
