/**
 * @file call_file.c  Files that play into a call or are recorded from it
 *
 * A file asked for before media flows waits in the call and begins with it;
 * each ends with exactly one event.  Reading is done here, on main; the last
 * file is kept, since many calls play the same one.  Main thread.
 */
#include <sys/stat.h>
#include "priv.h"

enum { QUEUE_MAX = 64 };


static bool is_play(const struct call *c, const struct call_file *f)
{
	return f == &c->play || f == &c->play_old;
}


void call_file_done(struct call *c, struct call_file *f, const char *result,
		    const char *text, int64_t duration_ms)
{
	struct event ev;

	if (!f->path)
		return;
	if (!is_play(c, f))
		recording_note(c, f, result, text, duration_ms);

	call_event(&ev, is_play(c, f) ? EVENT_PLAY_DONE : EVENT_RECORD_DONE,
		   c);
	UTF8_PUT(ev.u.file_done.file, f->path);
	UTF8_PUT(ev.u.file_done.result, result);
	UTF8_PUT(ev.u.file_done.text, text);
	ev.u.file_done.duration_ms = duration_ms;

	f->path = mem_deref(f->path);
	f->begin_ms = 0;
	f->loop = f->mix = false;

	event_publish(c->ua->bus, &ev);
}


static void next_destructor(void *data)
{
	struct call_next *n = data;

	list_unlink(&n->le);
	mem_deref(n->path);
}


void call_file_drop(struct call *c)
{
	list_flush(&c->play_next);
}


/* What cannot be played is told and passed over */
static void play_next(struct call *c)
{
	char why[UA_ERR] = "";

	while (!c->play.path && c->play_next.head) {
		struct call_next *n = c->play_next.head->data;

		c->play.path = mem_ref(n->path);
		c->play.loop = n->loop;
		c->play.mix = n->mix;
		mem_deref(n);

		if (call_file_play(c, why))
			call_file_done(c, &c->play, "error", why, 0);
	}
}


void call_file_event(struct call *c, const struct stream_event *se)
{
	struct call_file *f;

	if (se->type == STREAM_PLAY_DONE && hold_music_done(c))
		return;

	if (se->type == STREAM_PLAY_DONE)
		f = c->play_old.path ? &c->play_old : &c->play;
	else
		f = c->record_old.path ? &c->record_old : &c->record;

	call_file_done(c, f, se->err ? "error" :
		       se->stopped ? "stopped" : "done",
		       se->text ? se->text : "", se->duration_ms);

	if (c->stream && call_living(c)) {
		play_next(c);
		hold_music_settle(c);
	}
}


/* Stopped; its event comes from the stream, and the next may begin now */
static void retire(struct call *c, struct call_file *f,
		   struct call_file *old)
{
	if (!f->begin_ms) {
		call_file_done(c, f, "stopped", "", 0);
		return;
	}

	/* two at once are awaited: tell the older as it stands */
	call_file_done(c, old, "stopped", "",
		       (int64_t)(clock_ms() - old->begin_ms));

	*old = *f;
	memset(f, 0, sizeof(*f));
}


void call_file_stop_play(struct call *c)
{
	call_file_drop(c);
	if (!c->play.path)
		return;

	if (c->play.begin_ms)
		stream_play_stop(c->stream);
	retire(c, &c->play, &c->play_old);
}


static void file_end(struct call *c, struct call_file *f, const char *result)
{
	if (f->begin_ms)
		call_file_done(c, f, result, "",
			       (int64_t)(clock_ms() - f->begin_ms));
	else
		call_file_done(c, f, "error",
			       "The call ended before it began.", 0);
}


void call_file_end(struct call *c)
{
	file_end(c, &c->play_old, "stopped");
	file_end(c, &c->play, "stopped");
	file_end(c, &c->record_old, "stopped");
	file_end(c, &c->record, "done");
}


void call_file_forget(struct ua *ua)
{
	ua->sound_path = mem_deref(ua->sound_path);
	free(ua->sound);
	free(ua->sound_side);
	ua->sound = ua->sound_side = NULL;
	ua->soundc = 0;
}


/* The samples of a file, from the last one if that has not changed */
int ua_sound_load(struct ua *ua, const char *path, char *err)
{
	struct stat st;
	int64_t mtime_ns;
	int16_t *v = NULL, *side = NULL;
	uint32_t hz;
	size_t n;
	int e;

	if (stat(path, &st))
		return call_error(err, errno, "%.150s: %s.", path,
				  strerror(errno));

	mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 +
		st.st_mtim.tv_nsec;

	if (ua->sound_path && 0 == strcmp(ua->sound_path, path) &&
	    ua->sound_mtime_ns == mtime_ns &&
	    ua->sound_size == (int64_t)st.st_size)
		return 0;

	e = sound_read_two(&v, &side, &n, &hz, path, err, UA_ERR);
	if (e)
		return e;

	call_file_forget(ua);
	ua->sound = v;
	ua->sound_side = side;
	ua->soundc = n;
	ua->sound_hz = hz;
	ua->sound_mtime_ns = mtime_ns;
	ua->sound_size = (int64_t)st.st_size;

	/* without its name it is only not found again */
	(void)str_dup(&ua->sound_path, path);

	return 0;
}


int call_file_play(struct call *c, char *err)
{
	struct ua *ua = c->ua;
	int e;

	e = ua_sound_load(ua, c->play.path, err);
	if (e)
		return e;

	hold_music_stop(c);
	stream_play_mix(c->stream, c->play.mix);
	e = stream_play_two(c->stream, ua->sound, ua->sound_side, ua->soundc,
			    ua->sound_hz, c->play.loop);
	if (e)
		return call_error(err, e, "%.150s cannot be played: %s.",
				  c->play.path, strerror(e));

	c->play.begin_ms = clock_ms();

	return 0;
}


static enum record_layout layout(const struct config *conf)
{
	static const char *const names[] = {
		[RECORD_STEREO] = "stereo", [RECORD_MIXED] = "mixed",
		[RECORD_THEM] = "them", [RECORD_YOU] = "you",
	};

	for (unsigned i = 0; i < COUNT_OF(names); i++) {
		if (0 == strcmp(conf->record_layout, names[i]))
			return (enum record_layout)i;
	}

	return RECORD_STEREO;
}


int call_file_record(struct call *c, char *err)
{
	int e;

	err[0] = '\0';

	stream_beep(c->stream, (uint32_t)c->ua->config->record_beep_ms);
	e = stream_record(c->stream, c->record.path, layout(c->ua->config),
			  err, UA_ERR);
	if (e)
		return err[0] ? e : call_error(err, e, "%.150s: %s.",
					       c->record.path, strerror(e));

	c->record.begin_ms = clock_ms();
	c->record.wall_ms = clock_wall_ms();

	return 0;
}


static int queue_add(struct call *c, const char *file, bool loop, bool mix,
		     char *err)
{
	struct call_next *n;

	if (list_count(&c->play_next) >= QUEUE_MAX)
		return call_error(err, ENOSPC, "Call %u: %d files wait"
				  " already.", c->id, QUEUE_MAX);

	n = mem_zalloc(sizeof(*n), next_destructor);
	if (!n || str_dup(&n->path, file)) {
		mem_deref(n);
		return call_error(err, ENOMEM, "Out of memory.");
	}

	n->loop = loop;
	n->mix = mix;
	list_append(&c->play_next, &n->le, n);

	return 0;
}


int call_play(struct call *c, const char *file, bool loop, char *err)
{
	return call_play_as(c, file, loop, false, false, err);
}


int call_play_as(struct call *c, const char *file, bool loop, bool queue,
		 bool mix, char *err)
{
	int e;

	if (!call_living(c))
		return call_error(err, ENOTCONN, "The call has ended.");
	if (c->play.path && queue) {
		e = ua_sound_load(c->ua, file, err);
		return e ? e : queue_add(c, file, loop, mix, err);
	}
	if (c->play.path)
		return call_error(err, EALREADY, "Call %u plays %.150s"
				  " already: stop it first.", c->id,
				  c->play.path);

	/* a file that cannot be read is said at once */
	e = ua_sound_load(c->ua, file, err);
	if (e)
		return e;

	if (str_dup(&c->play.path, file))
		return call_error(err, ENOMEM, "Out of memory.");
	c->play.loop = loop;
	c->play.mix = mix;
	c->play.begin_ms = 0;

	if (!c->started || c->state != CALL_ACTIVE)
		return 0;

	e = call_file_play(c, err);
	if (e)
		c->play.path = mem_deref(c->play.path);

	return e;
}


int call_record(struct call *c, const char *file, char *err)
{
	char path[1024];
	int e;

	if (!call_living(c))
		return call_error(err, ENOTCONN, "The call has ended.");
	if (c->record.path)
		return call_error(err, EALREADY, "Call %u is recorded to"
				  " %.150s already: stop it first.", c->id,
				  c->record.path);

	if (recording_name(path, sizeof(path), c, file))
		return call_error(err, ENAMETOOLONG, "The name of the"
				  " recording is too long.");
	if (str_dup(&c->record.path, path))
		return call_error(err, ENOMEM, "Out of memory.");
	c->record.begin_ms = 0;

	if (!c->started)
		return 0;

	e = call_file_record(c, err);
	if (e)
		c->record.path = mem_deref(c->record.path);

	return e;
}


int call_record_pause(struct call *c, bool pause, char *err)
{
	if (!call_living(c) || !c->record.path || !c->record.begin_ms)
		return call_error(err, ENOTCONN, "Call %u is not recorded.",
				  c ? c->id : 0);

	stream_record_pause(c->stream, pause);

	return 0;
}


int call_record_stop(struct call *c, char *err)
{
	if (!call_living(c) || !c->record.path)
		return call_error(err, ENOTCONN, "Call %u is not recorded.",
				  c ? c->id : 0);

	if (c->record.begin_ms)
		stream_record_stop(c->stream);
	retire(c, &c->record, &c->record_old);

	return 0;
}
