/**
 * @file script.c  Lines from a script, a pipe or a person; text or JSON out
 *
 * Takes the next line when its client is idle, so order is that of the
 * input and a failed line stops what is behind it.  Replies and events go
 * out as text or JSON lines, errors for people to stderr.  Owns its input,
 * its outputs and its client.  Main thread; never blocks.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "offhook/app.h"
#include "offhook/timer.h"
#include "offhook/text.h"
#include "priv.h"

enum { TURN_LINES = 64, PRINT_MAX = 4096 };

struct ui_script {
	struct ui_conf conf;
	const struct phone *ph;
	struct client *client;
	struct input *in;
	struct edit *edit;       /* of a person at a terminal, else NULL     */
	struct output *out, *err;
	struct timer turn;
	struct timer gone;       /* tells that the output is lost            */
	int lost;                /* why, 0: it is not                        */
	bool started, ended, stopped;
	bool prompted;           /* the prompt is the last thing printed     */
	int exit;
	char in_name[128];
	struct junit *junit;     /* NULL: nobody wants results               */
};

/* What a person wants to see */
static const event_set types_text =
	EVENT_BIT(EVENT_ACCOUNT_STATE) | EVENT_BIT(EVENT_CALL_STATE) |
	EVENT_BIT(EVENT_CALL_HOLD) | EVENT_BIT(EVENT_CALL_MEDIA) |
	EVENT_BIT(EVENT_CALL_PEER) |
	EVENT_BIT(EVENT_CALL_DTMF) | EVENT_BIT(EVENT_CALL_TRANSFER) |
	EVENT_BIT(EVENT_CALL_TONE) | EVENT_BIT(EVENT_CALL_UNHEARD) |
	EVENT_BIT(EVENT_CALL_MOVED) | EVENT_BIT(EVENT_CALL_CLIPPED) |
	EVENT_BIT(EVENT_DTMF_DONE) | EVENT_BIT(EVENT_MESSAGE_RECEIVED) |
	EVENT_BIT(EVENT_MESSAGE_SENT) | EVENT_BIT(EVENT_MESSAGE_COMPOSING) |
	EVENT_BIT(EVENT_CALL_INFO) | EVENT_BIT(EVENT_SUBSCRIPTION_STATE) |
	EVENT_BIT(EVENT_PRESENCE) | EVENT_BIT(EVENT_DIALOG) |
	EVENT_BIT(EVENT_MWI) | EVENT_BIT(EVENT_REGISTRATION) |
	EVENT_BIT(EVENT_CONFERENCE) |
	EVENT_BIT(EVENT_CALL_CONFERENCE) | EVENT_BIT(EVENT_CALL_FORKED) |
	EVENT_BIT(EVENT_CALL_PLACE) |
	EVENT_BIT(EVENT_PUBLICATION_STATE) |
	EVENT_BIT(EVENT_CALL_REDIRECT) | EVENT_BIT(EVENT_CALL_FINDING) |
	EVENT_BIT(EVENT_CALL_UPDATE) |
	EVENT_BIT(EVENT_PLAY_DONE) | EVENT_BIT(EVENT_RECORD_DONE) |
	EVENT_BIT(EVENT_SIP_FAULT);


/* A line of something else comes: the prompt is in its way */
static void hide(struct ui_script *u)
{
	if (u->edit)
		edit_hide(u->edit);
	else if (u->prompted)
		output_write(u->out, "\r\033[K", 4, false);
	u->prompted = false;
}


static void put(struct ui_script *u, const char *line, bool minor)
{
	struct text_buf b = { .max = 16 << 20 };

	hide(u);
	text_add(&b, "%s\n", line);

	if (b.s)
		output_write(u->out, b.s, b.len, minor);
	text_buf_reset(&b);
}


static void prompt(struct ui_script *u)
{
	static const char text[] = "offhook> ";

	if (!u->conf.person || u->prompted || u->stopped)
		return;

	if (u->edit)
		edit_show(u->edit);
	else
		output_write(u->out, text, sizeof(text) - 1, false);
	u->prompted = true;
}


static void again(struct ui_script *u);


/* The output is lost ----------------------------------------------------- */

static void gone(void *arg)
{
	struct ui_script *u = arg;

	if (u->conf.lost_h)
		u->conf.lost_h(u->lost, u->conf.arg);
}


/* A reader who left wants to hear no more; a full disk is told on stderr */
static void lost_handler(int err, void *arg)
{
	struct ui_script *u = arg;
	char line[200];
	int n;

	u->lost = err;
	timer_start(&u->gone, 0, gone, u);

	if (err == EPIPE)
		return;

	n = snprintf(line, sizeof(line), "error: no-output: the output "
		     "cannot be written: %s\n", strerror(err));
	if (n > 0)
		output_write(u->err, line, (size_t)n, false);
}


/* The client's handlers -------------------------------------------------- */

static void put_error(struct ui_script *u, const struct reply *r)
{
	char line[1400], text[1100];
	const char *where = reply_where(r), *s = reply_error_text(r);
	int n;

	hide(u);
	text_escape(text, sizeof(text), s, strlen(s));
	n = snprintf(line, sizeof(line), "error: %s: %s%s%s%s\n",
		     reply_token(r), text, *where ? " (" : "", where,
		     *where ? ")" : "");

	if (n > 0)
		output_write(u->err, line, (size_t)n, false);
}


static void reply_handler(const struct reply *r, bool failed, void *arg)
{
	struct ui_script *u = arg;
	char *text;

	if (u->junit)
		junit_add(u->junit, r, failed);
	if (u->conf.reply_h)
		u->conf.reply_h(r, failed, u->conf.arg);

	if (u->conf.json) {
		text = reply_json(r);
		if (text)
			put(u, text, false);
		free(text);
	}
	else {
		text = reply_print(r);
		if (text && *text) {
			const size_t n = strlen(text);

			if (text[n - 1] == '\n')
				text[n - 1] = '\0';
			put(u, text, false);
		}
		free(text);
		if (!reply_ok(r))
			put_error(u, r);
	}

	if (failed && !u->exit)
		u->exit = reply_exit(r);

	if (failed && !u->conf.keep) {
		client_flush(u->client);
		u->ended = true;
		again(u);
	}
}


static void line_handler(const char *line, void *arg)
{
	put(arg, line, false);
}


/* A call that waits for somebody to answer */
static bool rings(const struct phone *ph, const struct event *ev)
{
	return ev->type == EVENT_CALL_STATE &&
		!strcmp(ev->u.call_state.state, "incoming") &&
		ph->config->screen_bell && !(ph->answer &&
					     answer_on(ph->answer));
}


static void event_handler(const struct event *ev, void *arg)
{
	struct ui_script *u = arg;
	const bool minor = event_minor(ev->type);
	char line[PRINT_MAX], *json;

	if (u->conf.json) {
		json = event_json(ev);
		if (json)
			put(u, json, minor);
		free(json);
		return;
	}

	event_print(ev, line, sizeof(line));
	if (line[0])
		put(u, line, minor);
	if (u->edit && rings(u->ph, ev))
		output_write(u->out, "\a", 1, false);
	if (!client_busy(u->client))
		prompt(u);
}


static void idle_handler(void *arg)
{
	again(arg);
}


/* The input -------------------------------------------------------------- */

/* @return false: no line now */
static bool next_line(struct ui_script *u)
{
	char where[160];
	const char *line;
	size_t len;
	int err;

	err = input_line(u->in, &line, &len);
	if (err == EAGAIN)
		return false;

	if (err == ENODATA) {
		u->ended = true;
		return false;
	}

	u->prompted = false;
	snprintf(where, sizeof(where), "%s:%u", u->in_name,
		 input_number(u->in));

	if (err == E2BIG) {
		client_refuse(u->client, where, "line-too-long",
			      "the line is longer than 8192 bytes");
		return !u->ended;
	}
	if (err) {
		client_refuse(u->client, where, error_token(err),
			      strerror(err));
		u->ended = true;
		return false;
	}

	(void)client_submit(u->client, line, len,
			    u->conf.person ? NULL : where);

	return true;
}


static void pump(void *arg)
{
	struct ui_script *u = arg;

	if (u->stopped)
		return;

	for (unsigned n = 0; !u->ended && !client_busy(u->client); n++) {

		if (!u->in) {
			u->ended = true;
			break;
		}

		/* a reader who does not read gets no more replies */
		if (n == TURN_LINES || output_behind(u->out)) {
			timer_start(&u->turn, output_behind(u->out) ? 50 : 0,
				    pump, u);
			return;
		}

		if (!next_line(u))
			break;
	}

	/* a `quit` behind a line that waits for a peer is to be seen */
	while (!u->ended && u->in && client_yields(u->client)) {
		if (!next_line(u))
			break;
	}

	if (u->ended && !client_busy(u->client)) {
		u->stopped = true;
		u->in = mem_deref(u->in);
		u->edit = mem_deref(u->edit);
		if (u->conf.end_h)
			u->conf.end_h(client_failed(u->client), u->conf.arg);
		return;
	}

	if (!client_busy(u->client))
		prompt(u);
}


static void input_handler(void *arg)
{
	pump(arg);
}


/* Soon, but not from inside whoever asks */
static void again(struct ui_script *u)
{
	if (u->started && !u->stopped && !timer_running(&u->turn))
		timer_start(&u->turn, 0, pump, u);
}


/* Outside ---------------------------------------------------------------- */

int ui_script_line(struct ui_script *u, const char *line, const char *where)
{
	int err;

	/* a line before it failed */
	if (u->ended)
		return 0;

	err = client_submit(u->client, line, strlen(line), where);
	if (err)
		client_refuse(u->client, where, "line-too-long",
			      "the line is longer than 8192 bytes");

	return err;
}


struct client *ui_script_client(struct ui_script *u)
{
	return u ? u->client : NULL;
}


int ui_script_start(struct ui_script *u)
{
	u->started = true;
	again(u);

	return 0;
}


void ui_script_stop(struct ui_script *u)
{
	if (!u)
		return;

	u->stopped = true;
	timer_cancel(&u->turn);
	client_flush(u->client);
	u->in = mem_deref(u->in);
	u->edit = mem_deref(u->edit);
}


bool ui_script_ended(const struct ui_script *u)
{
	return u && u->ended && !client_busy(u->client);
}


bool ui_script_idle(const struct ui_script *u)
{
	return u && !client_busy(u->client) &&
		(!u->in || !input_ready(u->in));
}


int ui_script_exit(const struct ui_script *u)
{
	return u ? u->exit : 0;
}


int ui_script_flush(struct ui_script *u, uint32_t ms)
{
	if (!u)
		return 0;

	if (u->prompted)
		output_write(u->out, "\n", 1, false);
	u->prompted = false;

	output_flush(u->out, ms);
	output_flush(u->err, ms);

	if (u->junit && !u->lost)
		u->lost = junit_write(u->junit);

	return u->lost;
}


static void destructor(void *arg)
{
	struct ui_script *u = arg;

	timer_cancel(&u->turn);
	timer_cancel(&u->gone);
	mem_deref(u->client);
	mem_deref(u->in);
	mem_deref(u->edit);
	mem_deref(u->out);
	mem_deref(u->err);
	mem_deref(u->junit);
}


int ui_script_alloc(struct ui_script **up, struct phone *ph,
		    const struct ui_conf *conf)
{
	static const struct client_h h = {
		.reply_h = reply_handler,
		.line_h = line_handler,
		.event_h = event_handler,
		.idle_h = idle_handler,
	};
	struct ui_script *u;
	struct stat st;
	int err, in_fd;

	if (!up || !conf)
		return EINVAL;

	u = mem_zalloc(sizeof(*u), destructor);
	if (!u)
		return ENOMEM;

	u->conf = *conf;
	u->ph = ph;
	snprintf(u->in_name, sizeof(u->in_name), "%s",
		 conf->in_name ? conf->in_name : "input");

	err = output_alloc(&u->out, conf->out_fd, lost_handler, u);
	if (!err)
		err = output_alloc(&u->err, conf->err_fd, NULL, NULL);
	if (!err && conf->in_fd >= 0 && !fstat(conf->in_fd, &st) &&
	    S_ISDIR(st.st_mode))
		err = EISDIR;
	in_fd = conf->in_fd;
	if (!err && conf->person && in_fd >= 0 && isatty(conf->out_fd))
		(void)edit_alloc(&u->edit, ph, conf->in_fd, u->out,
				 conf->lines, &in_fd);
	if (!err && in_fd >= 0)
		err = input_alloc(&u->in, in_fd, input_handler, u);
	if (!err)
		err = client_alloc(&u->client, ph, &h, u);
	if (!err && conf->junit)
		err = junit_alloc(&u->junit, conf->junit, u->in_name);
	if (err) {
		mem_deref(u);
		return err;
	}

	client_set_json(u->client, conf->json);
	client_events(u->client, conf->json ? EVENT_ALL :
		      conf->quiet ? 0 : types_text);

	*up = u;

	return 0;
}
