/**
 * @file call_recording.c  What a recording is called, and what it is
 *
 * A name may be a template; beside the file a note in JSON says who spoke
 * with whom, when, and how it sounded (option record-notes).  Main thread: it
 * touches the disk.
 */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include "json.h"
#include "priv.h"


/* Harmless in the name of a file, whatever it is called by the network */
static void add_safe(struct text_buf *b, const char *s, size_t n)
{
	static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@+-_.";

	for (size_t i = 0; i < n; i++)
		text_add(b, "%c", s[i] && strchr(safe, s[i]) &&
			 !(s[i] == '.' && !b->len) ? s[i] : '_');
}


static void add_peer(struct text_buf *b, const char *uri)
{
	const char *p = strchr(uri, ':');

	p = p ? p + 1 : uri;
	add_safe(b, p, strcspn(p, ";?>"));
}


/* By the clock on the wall here */
static void add_time(struct text_buf *b, bool date)
{
	const time_t now = time(NULL);
	char text[32] = "";
	struct tm tm;

	if (localtime_r(&now, &tm))
		(void)(date ? strftime(text, sizeof(text), "%Y%m%d", &tm) :
		       strftime(text, sizeof(text), "%H%M%S", &tm));
	text_add(b, "%s", text);
}


int recording_name(char *buf, size_t sz, const struct call *c,
		   const char *name)
{
	struct text_buf b = { .max = sz - 1 };
	int err;

	for (; *name; name++) {
		if (*name != '%') {
			text_add(&b, "%c", *name);
			continue;
		}

		switch (*++name) {

		case 'n': text_add(&b, "%u", c->id); break;
		case 'd': add_time(&b, true); break;
		case 't': add_time(&b, false); break;
		case 'p': add_peer(&b, c->peer); break;
		case '%': text_add(&b, "%%"); break;
		default:
			/* nothing of ours: it stands as it is */
			text_add(&b, "%%");
			--name;
			break;
		}
	}

	err = b.err || !b.s ? EOVERFLOW : text_copy(buf, sz, b.s, b.len);
	text_buf_reset(&b);

	return err;
}


static json_t *quality(struct call *c)
{
	struct stream_stats st;
	json_t *o = json_object();
	double loss;

	if (!o || call_stats(c, &st))
		return o;

	(void)json_object_set_new(o, "packets_sent",
				  json_integer((json_int_t)st.packets_sent));
	(void)json_object_set_new(o, "packets_received",
		json_integer((json_int_t)st.packets_received));
	(void)json_object_set_new(o, "packets_lost",
				  json_integer((json_int_t)st.lost));
	(void)json_object_set_new(o, "jitter_ms",
		json_integer((json_int_t)st.jitter_us / 1000));

	loss = stats_loss_pct(&st);
	if (isfinite(loss))
		(void)json_object_set_new(o, "loss_pct", json_real(loss));
	if (st.packets_received)
		(void)json_object_set_new(o, "mos", json_real(media_mos_of(
			stats_r(&st, c->plan.codec,
				stats_unheard_pct(&st)))));

	return o;
}


static json_t *note(struct call *c, const struct call_file *f,
		    const char *result, const char *text, int64_t duration_ms)
{
	char from[CLOCK_ISO8601_SIZE], to[CLOCK_ISO8601_SIZE];

	return json_pack("{ss ss ss ss si ss ss ss ss sI ss ss so}",
		"file", f->path, "result", result, "text", text,
		"layout", c->ua->config->record_layout,
		"call", (int)c->id, "direction", c->outgoing ? "out" : "in",
		"peer", c->peer, "name", c->name ? c->name : "",
		"codec", c->plan.codec ? c->plan.codec->name : "",
		"duration_ms", (json_int_t)duration_ms,
		"begin", clock_iso8601(from, f->wall_ms),
		"end", clock_iso8601(to, clock_wall_ms()),
		"quality", quality(c));
}


void recording_note(const struct call *c, const struct call_file *f,
		    const char *result, const char *text, int64_t duration_ms)
{
	char path[1100], temp[1110], *line = NULL;
	int fd = -1, err = 0;
	json_t *o;

	if (!c->ua->config->record_notes || !f->wall_ms)
		return;

	/* the figures are asked through the door, which takes no const */
	o = note((struct call *)c, f, result, text, duration_ms);
	if (o)
		line = json_dumps(o, JSON_INDENT(1));
	json_decref(o);
	if (!line)
		return;

	/* whole or not there; a disk that is slow is not waited for here */
	(void)snprintf(path, sizeof(path), "%s.json", f->path);
	(void)snprintf(temp, sizeof(temp), "%s.part", path);
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK |
		  O_NOCTTY, 0666);
	if (fd < 0)
		err = errno;
	else if (dprintf(fd, "%s\n", line) < 0 || close(fd) ||
		 rename(temp, path))
		err = errno;

	if (err)
		log_warn("call %u: no note beside the recording: %s", c->id,
			 strerror(err));
	free(line);
}
