/**
 * @file stream.c  Main's half of a stream
 *
 * Main thread.  Holds what the user of the module asked for and the handler;
 * the sockets, codecs and buffers are the flow's.  Until stream_start the
 * media thread has not heard of the flow and it is set up here without the
 * door, so that a call that is never answered costs it nothing.
 */
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "priv.h"


static void destructor(void *arg)
{
	struct stream *s = arg;

	hash_unlink(&s->le);
	list_unlink(&s->wle);
	mem_deref(s->flow);
	free(s->play_v);
}


int stream_open(struct stream **sp, struct media *m,
		const struct stream_conf *conf,
		stream_event_h *h, void *arg)
{
	struct stream *s;
	int err;

	assert_main();

	if (!sp || !m || !conf)
		return EINVAL;

	s = mem_zalloc(sizeof(*s), destructor);
	if (!s)
		return ENOMEM;

	if (m->stamps < 0)
		m->stamps = stamps_keep();

	s->m = m;
	s->id = ++m->id_last;
	s->h = h;
	s->arg = arg;
	s->te_send = -1;
	s->device = conf->device;
	s->source = conf->device ? SOURCE_DEVICE : SOURCE_SILENCE;

	err = flow_alloc(&s->flow, s->id, conf, &m->conf);
	if (err)
		goto out;

	s->local = s->flow->tp.local;
	s->ssrc = s->flow->tx.ssrc;
	hash_append(m->streams, s->id, &s->le, s);

	if (conf->nat)
		err = stream_nat_open(s, conf->nat);

 out:
	if (err)
		mem_deref(s);
	else
		*sp = s;

	return err;
}


const struct sa *stream_local(const struct stream *s)
{
	return &s->local;
}


uint32_t stream_ssrc(const struct stream *s)
{
	return s->ssrc;
}


void stream_run(struct stream *s, media_fn *fn, void *arg)
{
	assert_main();

	if (s->attached)
		media_run(s->m, fn, arg);
	else
		fn(arg);
}


bool stream_wants_device(const struct stream *s)
{
	const bool soon = s->expect_hz && device_slow(s->m->dev);

	return (s->started || soon) && s->device &&
		s->source == SOURCE_DEVICE;
}


/* In the order of ids, which is nearly that in which they come */
static void want(struct stream *s)
{
	struct le *le = list_tail(&s->m->wanting);

	while (le && ((const struct stream *)le->data)->id > s->id)
		le = le->prev;

	if (le)
		list_insert_after(&s->m->wanting, le, &s->wle, s);
	else
		list_prepend(&s->m->wanting, &s->wle, s);
}


/* Those that want it are listed, so that a call costs the same whatever the
 * others do */
static void look(struct stream *s)
{
	const bool wants = stream_wants_device(s);

	if (wants && !s->wle.list)
		want(s);
	else if (!wants)
		list_unlink(&s->wle);

	media_look(s->m);
}


/* Things that cross the door -------------------------------------------- */

struct job {
	struct stream *s;
	const struct media_plan *plan;
	struct play play;        /* for the flow, from here on               */
	enum stream_source source;
	double hz;
	unsigned no;
	bool on;
	const char *digits;
	struct stream_stats *st;
	int err;
};


static void start_h(void *arg)
{
	struct job *j = arg;
	struct stream *s = j->s;
	struct flow *f = s->flow;

	if (!s->attached)
		flow_attach(f, s->m->eng);

	f->dtls_id = s->m->dtls_id;
	j->err = flow_start(f, j->plan, &s->m->conf);
	if (!j->err && s->conference && !f->member) {
		j->err = room_join(f, s->conference);
		room_gain(f, s->part_db);
	}

	if (j->play.v)
		play_take_over(f, &j->play);
}


void stream_expect(struct stream *s, uint32_t rate_hz)
{
	assert_main();

	s->expect_hz = rate_hz;
	look(s);
}


int stream_start(struct stream *s, const struct media_plan *plan)
{
	struct job j = { .s = s, .plan = plan };
	const uint32_t was_hz = s->rate_hz;
	int err;

	assert_main();

	if (!plan)
		return EINVAL;

	if (plan->secure.keying == MEDIA_KEYS_DTLS) {
		struct media_print print;

		err = media_print(s->m, &print);
		if (err)
			return err;
	}

	if (plan->codec)
		s->rate_hz = plan->codec->rate_hz;

	if (s->playing && s->rate_hz != was_hz) {
		err = play_make(&j.play, s);
		if (err)
			log_warn("the file cannot be played on: %s",
				 strerror(err));
	}
	if (s->rec && s->rate_hz != was_hz)
		record_rate(s->rec, s->rate_hz);

	media_run(s->m, start_h, &j);
	s->attached = true;

	if (j.err)
		return j.err;

	s->started = plan->codec != NULL;
	s->expect_hz = 0;
	s->te_send = plan->te_send;
	look(s);

	return 0;
}


/* Every call has this once: not worth a wake-up, a cycle comes soon */
void stream_prove(struct stream *s)
{
	assert_main();

	atomic_store_explicit(&s->flow->vouched, true, memory_order_relaxed);
}


static void close_h(void *arg)
{
	struct job *j = arg;

	if (j->st)
		flow_stats(j->s->flow, j->st);
	flow_close(j->s->flow);
}


void stream_end(struct stream *s, struct stream_stats *st)
{
	struct job j = { .s = s, .st = st };
	struct media *m;

	if (!s)
		return;

	assert_main();
	m = s->m;

	if (s->rec)
		record_end(s->rec, 0, false);
	if (s->attached)
		media_run(m, close_h, &j);
	else if (st)
		flow_stats(s->flow, st);

	mem_deref(s);
	media_look(m);
}


void stream_close(struct stream *s)
{
	stream_end(s, NULL);
}


static void source_h(void *arg)
{
	struct job *j = arg;

	flow_set_source(j->s->flow, j->source, j->hz);
}


int stream_set_source(struct stream *s, enum stream_source src, double hz)
{
	struct job j = { .s = s, .source = src, .hz = hz };

	assert_main();

	if (src == SOURCE_TONE && !(hz >= 1.0 && hz <= 20000.0))
		return EINVAL;

	stream_run(s, source_h, &j);
	s->source = src;
	look(s);

	return 0;
}


enum stream_source stream_source(const struct stream *s)
{
	return s->source;
}


static void mute_h(void *arg)
{
	struct job *j = arg;

	j->s->flow->muted = j->on;
}


void stream_mute(struct stream *s, bool mute)
{
	struct job j = { .s = s, .on = mute };

	stream_run(s, mute_h, &j);
}


static void conference_h(void *arg)
{
	struct job *j = arg;
	struct flow *f = j->s->flow;

	j->err = room_join(f, j->no);
	if (!j->err)
		room_gain(f, j->s->part_db);
}


int stream_conference(struct stream *s, unsigned no)
{
	struct job j = { .s = s, .no = no };

	assert_main();

	/* what the media thread does not know yet joins when it does */
	s->conference = no;
	if (s->attached)
		media_run(s->m, conference_h, &j);
	if (j.err)
		s->conference = 0;

	return j.err;
}


static void gain_h(void *arg)
{
	struct job *j = arg;
	const struct stream *s = j->s;
	struct flow *f = s->flow;

	room_gain(f, s->part_db);
	gain_set(&f->mic_gain, s->mic_db);
	gain_set(&f->spk_gain, s->speaker_db);
	pan_set(&f->pan, s->place);
}


void stream_part(struct stream *s, double db)
{
	struct job j = { .s = s };

	s->part_db = db;
	stream_run(s, gain_h, &j);
}


void stream_place(struct stream *s, int percent)
{
	struct job j = { .s = s };

	s->place = percent;
	stream_run(s, gain_h, &j);
}


void stream_gain(struct stream *s, double mic_db, double speaker_db)
{
	struct job j = { .s = s };

	s->mic_db = mic_db;
	s->speaker_db = speaker_db;
	stream_run(s, gain_h, &j);
}


static void dtmf_h(void *arg)
{
	struct job *j = arg;

	struct dtmf_tx *d = &j->s->flow->tx.dtmf;

	j->err = j->on ? dtmf_tx_add_band(d, j->digits)
		       : dtmf_tx_add(d, j->digits);
}


static void duration_h(void *arg)
{
	const struct job *j = arg;

	dtmf_tx_duration(&j->s->flow->tx.dtmf, j->no);
}


void stream_dtmf_duration(struct stream *s, uint32_t ms)
{
	struct job j = { .s = s, .no = ms };

	assert_main();
	stream_run(s, duration_h, &j);
}


int stream_dtmf_band(struct stream *s, const char *digits)
{
	struct job j = { .s = s, .digits = digits, .on = true };
	int err;

	assert_main();

	err = dtmf_check(digits);
	if (err)
		return err;
	if (strchr(digits, '!'))
		return EINVAL;
	if (!s->started)
		return ENOTSUP;

	media_run(s->m, dtmf_h, &j);

	return j.err;
}


static void listen_h(void *arg)
{
	const struct job *j = arg;

	j->s->flow->band_wanted = j->on;
}


void stream_dtmf_listen(struct stream *s, bool on)
{
	struct job j = { .s = s, .on = on };

	assert_main();
	stream_run(s, listen_h, &j);
}


int stream_dtmf(struct stream *s, const char *digits)
{
	struct job j = { .s = s, .digits = digits };
	int err;

	assert_main();

	err = dtmf_check(digits);
	if (err)
		return err;

	if (!s->started || s->te_send < 0)
		return ENOTSUP;

	media_run(s->m, dtmf_h, &j);

	return j.err;
}


static void stats_h(void *arg)
{
	struct job *j = arg;

	flow_stats(j->s->flow, j->st);
}


int stream_stats(struct stream *s, struct stream_stats *st)
{
	struct job j = { .s = s, .st = st };

	assert_main();

	if (!st)
		return EINVAL;

	stream_run(s, stats_h, &j);

	return 0;
}


/* Recording ------------------------------------------------------------- */

int stream_record(struct stream *s, const char *path,
		  enum record_layout layout, char *err, size_t errsz)
{
	assert_main();

	if (s->rec) {
		(void)re_snprintf(err, errsz, "this call is being recorded");
		return EALREADY;
	}

	return record_start(&s->rec, s, path, layout, err, errsz);
}


void stream_record_stop(struct stream *s)
{
	assert_main();

	if (s->rec)
		record_end(s->rec, 0, true);
}


static void beep_h(void *arg)
{
	const struct stream *s = arg;

	s->flow->beep.every_ms = s->beep_ms;
}


void stream_beep(struct stream *s, uint32_t every_ms)
{
	assert_main();

	s->beep_ms = every_ms;
	stream_run(s, beep_h, s);
}


void stream_record_pause(struct stream *s, bool pause)
{
	assert_main();

	if (s->rec)
		record_pause(s->rec, pause);
}


bool stream_recording(const struct stream *s)
{
	return s->rec;
}


/* What the media thread tells ------------------------------------------- */

void stream_handle(struct stream *s, const struct post *p)
{
	struct stream_event ev = p->ev;

	assert_main();
	ev.text = p->text;

	if (p->type == STREAM_PLAY_DONE && p->serial == s->play_serial) {
		s->playing = false;
		free(s->play_v);
		s->play_v = s->play_side = NULL;
	}

	/* the last thing here: the handler may close the stream */
	if (s->h)
		s->h(&ev, s->arg);
}
