/**
 * @file peer.c  One connection of the control socket
 *
 * A client of its own: lines in, JSON lines out.  Everything about it is
 * bounded: a line, the lines that wait (more are left in the socket until
 * those have run), what it has not read yet.  Who does not read loses
 * statistics first and is let go, with a word, before the phone would have to
 * keep states back.  Main thread.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include "offhook/text.h"
#include "offhook/timer.h"
#include "json.h"
#include "priv.h"

#define LOG_MODULE "control"
#include "offhook/log.h"

enum {
	BUFFER    = CLIENT_LINE_MAX + 2, /* a line, CR and LF                */
	AHEAD     = 128,                 /* lines that wait                  */
	TURN_READ = 16,                  /* buffers at once, then others     */
	HARD_MAX  = 2 << 20,             /* bytes it has not read            */
	AUTH_MS   = 10000,
	LINGER_MS = 5000,                /* for the last words               */
};

struct peer {
	struct peer_conf conf;
	int in, out;
	struct compat_fd watch;
	bool watched;
	bool trusted;            /* it has shown the token, or need not      */
	enum client_form form;
	bool end;                /* it sends no more                         */
	bool closing;            /* last words go out                        */
	bool skip;               /* inside a line that was too long          */
	struct client *client;
	struct output *output;
	struct timer turn, gone, auth;
	void (*gone_h)(struct peer *p, void *arg);
	void *arg;
	size_t pos, len;
	char buf[BUFFER];
};


static void pump(void *arg);


/* The end ------------------------------------------------------------------ */

static void gone(void *arg)
{
	struct peer *p = arg;

	p->gone_h(p, p->arg);
}


static void watch(struct peer *p, bool on);


static void leave(struct peer *p, uint64_t ms)
{
	watch(p, false);
	timer_cancel(&p->turn);
	timer_cancel(&p->auth);
	timer_start(&p->gone, ms, gone, p);
}


/* Nothing can be told it any more */
static void lost_handler(int err, void *arg)
{
	struct peer *p = arg;
	(void)err;

	p->closing = true;
	leave(p, 0);
}


/* It has heard all there is, or soon will have */
static void linger(void *arg)
{
	struct peer *p = arg;

	if (output_empty(p->output))
		leave(p, 0);
	else
		timer_start(&p->turn, 20, linger, p);
}


static void finish(struct peer *p)
{
	p->closing = true;
	leave(p, LINGER_MS);
	timer_start(&p->turn, 0, linger, p);
}


/* Refuse, and close. Never inside the client's own handlers */
static void close_with(struct peer *p, const char *token, const char *text)
{
	char *json = reply_error_json(token, text);
	struct text_buf b = { 0 };

	if (json)
		text_add(&b, "%s\n", json);
	free(json);
	if (b.s)
		output_cut(p->output, b.s, b.len);
	text_buf_reset(&b);
	client_flush(p->client);
	finish(p);
}


static void too_slow(void *arg)
{
	struct peer *p = arg;

	log_info("a client of the control socket does not read: let go");
	close_with(p, "too-slow", "you do not read what you are told");
}


/* From inside output_write() */
static void full_handler(void *arg)
{
	struct peer *p = arg;

	if (p->closing)
		return;

	p->closing = true;
	client_events(p->client, 0);
	watch(p, false);
	timer_start(&p->turn, 0, too_slow, p);
}


/* What it is told ---------------------------------------------------------- */

static void put(struct peer *p, const char *line, size_t len, bool minor)
{
	if (!p->closing)
		output_write(p->output, line, len, minor);
}


/* json: freed */
static void put_json(struct peer *p, char *json, bool minor)
{
	const size_t n = json ? strlen(json) : 0;
	char *line = json ? realloc(json, n + 2) : NULL;

	if (!line) {
		free(json);
		return;
	}

	memcpy(line + n, "\n", 2);
	put(p, line, n + 1, minor);
	free(line);
}


static void reply_handler(const struct reply *r, bool failed, void *arg)
{
	struct peer *p = arg;
	(void)failed;

	put_json(p, reply_json_form(r, p->form), false);
}


/* What a COMMAND says while it runs, for people */
static void line_handler(const char *line, void *arg)
{
	struct peer *p = arg;
	struct text_buf b = { 0 };
	json_t *o, *text;
	char *json;

	/* a program that runs for a program says objects */
	if (p->form != CLIENT_PRINT) {
		text_add(&b, "%s\n", line);
		if (b.s)
			put(p, b.s, b.len, false);
		text_buf_reset(&b);
		return;
	}

	text_add_utf8(&b, line, strlen(line));
	text = json_string(b.s ? b.s : "");
	o = json_object();
	json_object_set_new(o, "print", text);
	json = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	text_buf_reset(&b);
	put_json(p, json ? text_json_safe(json) : NULL, false);
}


/* What a COMMAND whose call or registration this is would exit with; -1: it
 * goes on */
static int exit_of(const struct ua *ua, const struct event *ev)
{
	const struct account *a;

	if (ev->type == EVENT_CALL_STATE &&
	    !strcmp(ev->u.call_state.state, "ended")) {
		const struct call_record *r = ua_call_record(ua, ev->call);

		return r ? call_record_exit(r) : 1;
	}

	if (ev->type != EVENT_ACCOUNT_STATE)
		return -1;
	if (!strcmp(ev->u.account_state.state, "registered"))
		return 0;
	if (strcmp(ev->u.account_state.state, "failed"))
		return -1;

	for (size_t i = 0; (a = ua_account(ua, i)); i++) {
		const struct call_record rec = {
			.outgoing = true, .result = *account_result(a),
		};

		if (account_id(a) == ev->account)
			return call_record_exit(&rec);
	}

	return 1;
}


/* The object with what else was asked for; print NULL, code -1: not that */
static char *extended(const char *line, const char *print, int code)
{
	json_t *o = json_loads(line, 0, NULL);
	char *text;

	if (!o)
		return NULL;

	if (print)
		json_object_set_new(o, "print", json_string(print));
	if (code >= 0)
		json_object_set_new(o, "exit", json_integer(code));
	text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(6));
	json_decref(o);

	return text ? text_json_safe(text) : NULL;
}


/* exit: what the client ends with, -1: it goes on */
static void event_tell(struct peer *p, const struct event *ev, int exit)
{
	const bool minor = event_minor(ev->type);
	const char *line;
	char text[4096];
	size_t len;

	line = replay_line(p->conf.replay, ev, &len);
	if (!line)
		return;

	if (p->form == CLIENT_JSON) {
		put(p, line, len, minor);
		return;
	}

	if (p->form == CLIENT_PRINT)
		event_print(ev, text, sizeof(text));
	put_json(p, extended(line, p->form == CLIENT_PRINT ? text : NULL,
			     exit), minor);
}


static void event_handler(const struct event *ev, void *arg)
{
	struct peer *p = arg;

	event_tell(p, ev, p->form == CLIENT_JSON ? -1 :
		   exit_of(p->conf.ph->ua, ev));
}


static int replay_handler(uint64_t since, event_set types, unsigned call,
			  uint64_t *first, void *arg)
{
	struct peer *p = arg;
	struct replay *r = p->conf.replay;
	const struct replay_row *row;
	struct event ev;
	size_t i;

	*first = replay_oldest(r);

	for (row = replay_first(r, since, &i); row; row = replay_next(r, &i)) {

		if (!(types & EVENT_BIT(row->type)) ||
		    (call && row->call && row->call != call))
			continue;

		/* room for half of what it may be behind: it may go on
		   from the last number it has heard */
		if (output_waiting(p->output) > HARD_MAX / 2)
			return ENODATA;
		replay_event(&ev, row);
		event_tell(p, &ev, -1);
	}

	/* the first one that is kept was the first one there was */
	return *first > since && replay_dropped(r) ? ENODATA : 0;
}


static void form_handler(enum client_form form, void *arg)
{
	struct peer *p = arg;

	p->form = form;
	client_set_json(p->client, form != CLIENT_PRINT);
}


static void idle_handler(void *arg)
{
	struct peer *p = arg;

	if (!p->closing && !timer_running(&p->turn))
		timer_start(&p->turn, 0, pump, p);
}


/* What it says ------------------------------------------------------------- */

/* The same time whatever is wrong with it */
static bool token_is(const char *want, const char *s, size_t len)
{
	const size_t n = strlen(want);
	unsigned char diff = n != len;

	for (size_t i = 0; i < n; i++)
		diff |= (unsigned char)(want[i] ^ (i < len ? s[i] : 0));

	return !diff;
}


/* The first line over TCP: `auth TOKEN`, or the request of that name */
static bool token_shown(const struct peer *p, const char *line, size_t len,
			json_t **id)
{
	const char *token = NULL;
	bool ok = false;
	json_t *o;

	*id = NULL;

	if (len > 5 && !memcmp(line, "auth ", 5))
		return token_is(p->conf.token, line + 5, len - 5);

	o = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_string(json_object_get(o, "command")) &&
	    !strcmp(json_string_value(json_object_get(o, "command")), "auth"))
		token = json_string_value(json_object_get(
				json_object_get(o, "args"), "token"));
	if (token && token_is(p->conf.token, token, strlen(token))) {
		ok = true;
		*id = json_incref(json_object_get(o, "id"));
	}
	json_decref(o);

	return ok;
}


static void auth_line(struct peer *p, const char *line, size_t len)
{
	json_t *id = NULL, *o;

	if (!token_shown(p, line, len, &id)) {
		log_warn("a client of the control socket has a wrong token");
		close_with(p, "no-access", "this is not the token");
		return;
	}

	p->trusted = true;
	timer_cancel(&p->auth);
	o = json_object();
	json_object_set_new(o, "reply", id ? id : json_null());
	json_object_set_new(o, "ok", json_true());
	put_json(p, json_dumps(o, JSON_COMPACT), false);
	json_decref(o);
}


static void auth_late(void *arg)
{
	close_with(arg, "timeout", "the token was not shown in time");
}


static void line_take(struct peer *p, const char *line, size_t len)
{
	int err;

	if (len && line[len - 1] == '\r')
		--len;

	if (!p->trusted) {
		auth_line(p, line, len);
		return;
	}

	err = len > CLIENT_LINE_MAX ? E2BIG :
		client_submit(p->client, line, len, NULL);
	if (err == E2BIG)
		client_refuse(p->client, NULL, "line-too-long",
			      "the line is longer than 8192 bytes");
	else if (err)
		client_refuse(p->client, NULL, error_token(err),
			      strerror(err));
}


/* Its error must not overtake the replies of those before it */
static bool too_long_yet(const struct peer *p, const char *nl)
{
	const size_t n = nl ? (size_t)(nl - p->buf) - p->pos :
		p->len - p->pos;

	return p->trusted && !p->skip && n > CLIENT_LINE_MAX + 1 &&
		client_busy(p->client);
}


/* Lines in the buffer, as many as may wait. @return false: enough for now */
static bool lines_take(struct peer *p)
{
	while (!p->closing && client_waiting(p->client) < AHEAD) {

		const char *line = p->buf + p->pos;
		const size_t left = p->len - p->pos;
		const char *nl = left ? memchr(line, '\n', left) : NULL;

		if (too_long_yet(p, nl))
			return false;
		if (!nl && !(p->end && left))
			return true;

		p->pos += nl ? (size_t)(nl - line) + 1 : left;
		if (p->skip)
			p->skip = false;
		else
			line_take(p, line, nl ? (size_t)(nl - line) : left);
	}

	return false;
}


/* @return false: nothing now, or never again */
static bool fill(struct peer *p)
{
	ssize_t n;

	if (p->pos) {
		memmove(p->buf, p->buf + p->pos, p->len - p->pos);
		p->len -= p->pos;
		p->pos = 0;
	}

	/* a line that does not fit: told once, and the rest of it skipped */
	if (p->len == BUFFER) {
		if (!p->skip)
			line_take(p, p->buf, p->len);
		p->skip = true;
		p->len = 0;
	}

	n = recv(p->in, p->buf + p->len, BUFFER - p->len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		p->end = true;
		return false;
	}

	p->len += (size_t)n;

	return true;
}


static bool hung_up(const struct peer *p)
{
	struct pollfd pfd = { .fd = p->in };

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & (POLLHUP | POLLERR));
}


static void pump(void *arg)
{
	struct peer *p = arg;
	bool more = true, room = true;

	for (unsigned n = 0; !p->closing && !p->end && room && more; n++) {

		room = lines_take(p);
		if (!room || p->closing)
			break;

		/* others are to have their turn */
		if (n == TURN_READ) {
			timer_start(&p->turn, 0, pump, p);
			return;
		}
		more = fill(p);
	}

	if (p->end && !p->closing)
		room = lines_take(p);
	if (p->closing)
		return;

	/* enough for now: idle_handler() goes on, or it has ended */
	watch(p, room && !p->end);

	if (p->end && p->pos == p->len && !client_busy(p->client)) {
		/* half closed it may still want to hear of events */
		if (!client_hears(p->client) || hung_up(p))
			finish(p);
	}
}


static void ready(int flags, void *arg)
{
	(void)flags;
	pump(arg);
}


static void watch(struct peer *p, bool on)
{
	if (on == p->watched)
		return;

	if (on)
		p->watched = !compat_fd_listen(&p->watch, p->in, FD_READ,
					       ready, p);
	else
		compat_fd_close(&p->watch);

	if (!on)
		p->watched = false;
}


/* Outside ------------------------------------------------------------------ */

void peer_stop(struct peer *p, uint32_t ms)
{
	if (!p->closing) {
		p->closing = true;
		client_flush(p->client);
		client_events(p->client, 0);
	}

	watch(p, false);
	timer_cancel(&p->turn);
	timer_cancel(&p->auth);
	timer_cancel(&p->gone);
	output_flush(p->output, ms);
}


void peer_turn_away(int fd, const char *token, const char *text)
{
	char *json = reply_error_json(token, text);

	if (json) {
		(void)send(fd, json, strlen(json),
			   MSG_DONTWAIT | MSG_NOSIGNAL);
		(void)send(fd, "\n", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	free(json);
	close(fd);
}


static void destructor(void *arg)
{
	struct peer *p = arg;

	watch(p, false);
	timer_cancel(&p->turn);
	timer_cancel(&p->gone);
	timer_cancel(&p->auth);
	mem_deref(p->client);
	mem_deref(p->output);
	if (p->out >= 0)
		close(p->out);
	if (p->in >= 0)
		close(p->in);
}


int peer_alloc(struct peer **pp, const struct peer_conf *conf, int fd,
	       void (*gone_h)(struct peer *p, void *arg), void *arg)
{
	static const struct client_h h = {
		.reply_h = reply_handler,
		.line_h = line_handler,
		.event_h = event_handler,
		.idle_h = idle_handler,
		.replay_h = replay_handler,
		.form_h = form_handler,
	};
	struct peer *p = mem_zalloc(sizeof(*p), destructor);
	int err;

	if (!p) {
		close(fd);
		return ENOMEM;
	}

	p->conf = *conf;
	p->in = fd;
	p->out = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	p->gone_h = gone_h;
	p->arg = arg;
	p->trusted = !conf->token;

	err = p->out < 0 ? errno :
		output_alloc(&p->output, p->out, lost_handler, p);
	if (!err)
		err = client_alloc(&p->client, conf->ph, &h, p);
	if (err) {
		mem_deref(p);
		return err;
	}

	output_limit(p->output, HARD_MAX, full_handler);
	client_set_json(p->client, true);
	client_events(p->client, 0);
	if (!p->trusted)
		timer_start(&p->auth, AUTH_MS, auth_late, p);
	timer_start(&p->turn, 0, pump, p);

	*pp = p;

	return 0;
}
