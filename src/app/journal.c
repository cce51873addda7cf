/**
 * @file app/journal.c  One file that has all of a run: lines, events, messages
 *
 * Each record is one write; a disk that is full ends the journal, with one
 * line in the log, and not the phone.  Main thread.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "offhook/clock.h"
#include "offhook/journal.h"
#include "json.h"

#define LOG_MODULE "journal"
#include "offhook/log.h"

struct journal {
	struct event_sub *sub;
	struct capture_tap *tap;
	char *path;
	int fd;
};


/* Takes text: malloc'd, without the end of its line */
static void put(struct journal *j, char *text)
{
	const size_t n = text ? strlen(text) : 0;
	ssize_t w = 0;

	if (n && j->fd >= 0) {
		text[n] = '\n';
		w = write(j->fd, text, n + 1);
	}

	if (w < 0 || (n && j->fd >= 0 && (size_t)w != n + 1)) {
		log_warn("the journal %s ends here: %s", j->path,
			 w < 0 ? strerror(errno) : "the disk is full");
		close(j->fd);
		j->fd = -1;
	}

	free(text);
}


static void put_json(struct journal *j, json_t *o)
{
	if (o)
		put(j, json_dumps(o, JSON_COMPACT));
	json_decref(o);
}


/* Text from outside as JSON has it: what is no UTF-8 is replaced */
static json_t *string(const char *p, size_t n)
{
	struct text_buf b = { .max = 1 << 20 };
	json_t *s;

	text_add_utf8(&b, p, n);
	s = json_stringn(b.s ? b.s : "", b.len);
	text_buf_reset(&b);

	return s;
}


static json_t *now(void)
{
	char when[CLOCK_ISO8601_SIZE];

	return json_string(clock_iso8601(when, clock_wall_ms()));
}


void journal_line(struct journal *j, const char *line, bool ok,
		  const char *error, uint64_t took_ms)
{
	json_t *o;

	if (!j || j->fd < 0)
		return;

	o = json_pack("{s:o, s:o, s:b, s:I}", "line",
		      string(line, strlen(line)), "time", now(), "ok",
		      (int)ok, "took_ms", (json_int_t)took_ms);
	if (o && !ok)
		(void)json_object_set_new(o, "error",
					  string(error, strlen(error)));
	put_json(j, o);
}


static void event_handler(const struct event *ev, void *arg)
{
	struct journal *j = arg;

	/* what comes each second would hide what matters; faults were asked
	   for */
	if (event_minor(ev->type) && ev->type != EVENT_CALL_QUALITY &&
	    ev->type != EVENT_RTP_FAULT)
		return;

	/* as the socket has it; its end is where the line's will be */
	put(j, event_json(ev));
}


static void message_handler(const struct capture_msg *m, void *arg)
{
	struct journal *j = arg;
	char local[80], peer[80];

	if (m->kind != CAPTURE_SIP || j->fd < 0)
		return;

	(void)re_snprintf(local, sizeof(local), "%J", &m->local);
	(void)re_snprintf(peer, sizeof(peer), "%J", &m->peer);
	put_json(j, json_pack("{s:s, s:I, s:s, s:s, s:s, s:I, s:o}", "sip",
			      m->tx ? "sent" : "received", "time_us",
			      (json_int_t)m->time_us, "transport",
			      transport_name(m->tp), "local", local, "remote",
			      peer, "call", (json_int_t)m->call, "text",
			      string(m->text, m->len)));
}


static void destructor(void *arg)
{
	struct journal *j = arg;

	mem_deref(j->sub);
	mem_deref(j->tap);
	if (j->fd >= 0)
		close(j->fd);
	mem_deref(j->path);
}


int journal_open(struct journal **jp, const char *path,
		 struct event_bus *bus, struct capture *c)
{
	struct journal *j = mem_zalloc(sizeof(*j), destructor);
	int err;

	if (!j)
		return ENOMEM;

	j->fd = -1;
	err = str_dup(&j->path, path);
	if (!err) {
		j->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND |
			     O_CLOEXEC | O_NOCTTY, 0600);
		if (j->fd < 0)
			err = errno;
	}
	if (!err)
		put_json(j, json_pack("{s:s, s:o}", "journal", OFFHOOK_VERSION,
				      "time", now()));
	if (!err)
		err = event_subscribe(&j->sub, bus, event_handler, j);
	if (!err && c)
		err = capture_listen(&j->tap, c, message_handler, j);

	if (err)
		mem_deref(j);
	else
		*jp = j;

	return err;
}
