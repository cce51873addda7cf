/**
 * @file record.c  A recording on disk
 *
 * Main thread.  Owns the file and the ring; the media thread has a tap on
 * loan that fills the ring.  A timer empties it.  A disk that fails ends the
 * recording with one sentence, and nothing else: the call goes on.
 */
#include <stdatomic.h>
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "priv.h"


enum {
	DRAIN_MS = 100,
	RING_MS  = 2000,
	CHUNK    = 4096,         /* samples at once                         */
	RATE_HZ  = 8000,         /* until the codec is known                */
	PATH_SIZE = 1024,
};

struct record {
	struct stream *s;
	struct sound_file *file;
	struct tap tap;
	struct timer timer;
	unsigned channels;
	char path[PATH_SIZE];
};


static void destructor(void *arg)
{
	struct record *r = arg;

	timer_cancel(&r->timer);
	tap_release(&r->tap);
	mem_deref(r->file);
	if (r->tap.ring)
		ring_free(r->tap.ring);
}


/* On the media thread, or before it knows the flow */
static void tap_on_h(void *arg)
{
	struct record *r = arg;

	r->s->flow->tap = &r->tap;
}


static void tap_off_h(void *arg)
{
	struct record *r = arg;

	r->s->flow->tap = NULL;
	tap_release(&r->tap);
}


/* Empty the ring into the file */
static int drain(struct record *r)
{
	int16_t v[CHUNK];
	size_t n;

	/* bounded by what is there now: the other side goes on writing */
	for (size_t left = ring_fill(r->tap.ring); left >= r->channels;
	     left -= n) {
		int err;

		n = left < CHUNK ? left : CHUNK;
		n -= n % r->channels;
		n = ring_read(r->tap.ring, v, n);
		if (!n)
			break;

		err = sound_write(r->file, v, n / r->channels);
		if (err)
			return err;
	}

	return 0;
}


static void drain_h(void *arg)
{
	struct record *r = arg;
	const int err = drain(r);

	if (err)
		record_end(r, err, true);
	else
		timer_start(&r->timer, DRAIN_MS, drain_h, r);
}


int record_start(struct record **rp, struct stream *s, const char *path,
		 enum record_layout layout, char *err, size_t errsz)
{
	struct record *r;
	uint32_t rate_hz = s->rate_hz ? s->rate_hz : RATE_HZ;
	int e;

	if (strlen(path) >= PATH_SIZE) {
		(void)re_snprintf(err, errsz, "the path is too long");
		return ENAMETOOLONG;
	}

	r = mem_zalloc(sizeof(*r), destructor);
	if (!r) {
		(void)re_snprintf(err, errsz, "no memory");
		return ENOMEM;
	}

	r->s = s;
	r->channels = layout == RECORD_STEREO ? 2 : 1;
	r->tap.layout = layout;
	r->tap.rate_hz = rate_hz;
	(void)strcpy(r->path, path);

	/* room for the fastest, as the rate may not be known yet */
	e = ring_alloc(&r->tap.ring, (size_t)(s->rate_hz ? s->rate_hz
				: CODEC_RATE_MAX_HZ) / 1000 * RING_MS *
		       r->channels);
	if (e) {
		(void)re_snprintf(err, errsz, "no memory");
		goto out;
	}

	/* the last that can fail, so that no file is left without a use */
	e = sound_open_write(&r->file, path, rate_hz, r->channels, err,
			     errsz);
	if (e)
		goto out;

	stream_run(s, tap_on_h, r);
	timer_start(&r->timer, DRAIN_MS, drain_h, r);

 out:
	if (e)
		mem_deref(r);
	else
		*rp = r;

	return e;
}


struct pause {
	struct record *r;
	bool on;
};


static void pause_h(void *arg)
{
	const struct pause *p = arg;

	p->r->tap.paused = p->on;
}


void record_pause(struct record *r, bool pause)
{
	struct pause p = { .r = r, .on = pause };

	stream_run(r->s, pause_h, &p);
}


void record_rate(struct record *r, uint32_t rate_hz)
{
	struct sound_file *file = NULL;
	char err[256];
	int e;

	/* what has been written decides; the tap resamples from then on */
	if (r->tap.rate_hz == rate_hz || r->s->attached)
		return;

	r->file = mem_deref(r->file);

	e = sound_open_write(&file, r->path, rate_hz, r->channels, err,
			     sizeof(err));
	if (e) {
		record_end(r, e, true);
		return;
	}

	r->file = file;
	r->tap.rate_hz = rate_hz;
}


void record_end(struct record *r, int err, bool tell)
{
	struct stream *s = r->s;
	struct post p = {
		.id = s->id, .type = STREAM_RECORD_DONE,
		.ev = { .type = STREAM_RECORD_DONE, .err = err,
			.stopped = !err }
	};
	uint64_t dropped;

	stream_run(s, tap_off_h, r);
	s->rec = NULL;

	if (!err)
		p.ev.err = err = drain(r);
	if (err)
		(void)re_snprintf(p.text, sizeof(p.text),
				  "the recording ended early: %s",
				  strerror(err));

	dropped = atomic_load(&r->tap.dropped);
	if (dropped)
		log_warn("the recording lacks %llu samples: the disk was"
			 " too slow", (unsigned long long)dropped);

	if (r->file)
		p.ev.duration_ms = (unsigned)(sound_frames(r->file) * 1000 /
					      r->tap.rate_hz);
	if (tell)
		media_post(s->m, &p);

	mem_deref(r);
}
