/**
 * @file fake/media.c  A media engine without sound, threads and sockets
 *
 * Implements media.h for tests of what lies above it.  Streams get ports in
 * order; digits sent to the port of another stream arrive there on the next
 * turn of the loop, so two user agents in one process can talk.
 */
#include <math.h>
#include <sys/stat.h>
#include "offhook/timer.h"
#include "media.h"


enum { QUEUE = 300 };

struct media {
	int unused;
};

struct stream {
	struct le le;
	struct sa local;
	struct stream_conf conf;
	stream_event_h *h;
	void *arg;
	struct media_plan plan;
	unsigned starts;
	uint32_t expect_hz;
	unsigned given;              /* characters to stream_dtmf            */
	enum stream_source source;
	double hz;
	bool muted, playing, loop, paused, mix, listens, tones, talk;
	uint32_t beep_ms, dtmf_ms;
	unsigned conference;
	double part_db, mic_db, speaker_db;
	int place;
	char *record;
	struct stream_stats stats;
	struct stream_event queue[QUEUE];
	unsigned queued;
	struct timer tmr;
};

static struct list streams;
static uint16_t next_port = 20000;
static unsigned doors;
static unsigned prints;
static int open_err, start_err;
static bool digits_stuck;
static size_t sounds[MEDIA_OUTS];
static char devices[MEDIA_ROLES][128];
static unsigned device_sets;


const char *media_dir_name(enum media_dir dir)
{
	static const char *const names[] = {
		"inactive", "recvonly", "sendonly", "sendrecv"
	};

	return (unsigned)dir < 4 ? names[dir] : "?";
}


int media_alloc(struct media **mp, const struct media_conf *conf,
		media_device_h *h, void *arg)
{
	(void)conf;
	(void)h;
	(void)arg;

	*mp = mem_zalloc(sizeof(**mp), NULL);

	return *mp ? 0 : ENOMEM;
}


static void queue_handler(void *arg)
{
	struct stream *s = arg;
	struct stream_event v[QUEUE];
	const unsigned n = s->queued;
	struct stream *alive = mem_ref(s);

	memcpy(v, s->queue, n * sizeof(v[0]));
	s->queued = 0;

	for (unsigned i = 0; i < n && s->le.list; i++)
		s->h(&v[i], s->arg);

	mem_deref(alive);
}


static void post(struct stream *s, const struct stream_event *ev)
{
	if (s->queued < QUEUE)
		s->queue[s->queued++] = *ev;

	timer_start(&s->tmr, 0, queue_handler, s);
}


static void stream_destructor(void *arg)
{
	struct stream *s = arg;

	timer_cancel(&s->tmr);
	mem_deref(s->record);
}


int stream_open(struct stream **sp, struct media *m,
		const struct stream_conf *conf, stream_event_h *h, void *arg)
{
	struct stream *s;
	int err = open_err;
	(void)m;

	open_err = 0;
	if (err)
		return err;

	s = mem_zalloc(sizeof(*s), stream_destructor);
	if (!s)
		return ENOMEM;

	++doors;
	s->local = conf->local;
	sa_set_port(&s->local, next_port);
	next_port = (uint16_t)(next_port + 2);
	s->conf = *conf;
	s->h = h;
	s->arg = arg;
	s->source = conf->device ? SOURCE_DEVICE : SOURCE_SILENCE;
	s->stats.packets_sent = s->stats.packets_received = 100;
	list_append(&streams, &s->le, s);

	*sp = s;

	return 0;
}


const struct sa *stream_local(const struct stream *s)
{
	return &s->local;
}


uint32_t stream_ssrc(const struct stream *s)
{
	(void)s;

	return 0x12345678;
}


int stream_move(struct stream *s, const struct sa *local)
{
	++doors;
	s->local = *local;
	sa_set_port(&s->local, next_port);
	next_port = (uint16_t)(next_port + 2);

	return 0;
}


int stream_start(struct stream *s, const struct media_plan *plan)
{
	const int err = start_err;

	++doors;
	start_err = 0;
	if (err)
		return err;

	if (!plan->codec || !plan->cname[0])
		return EINVAL;

	s->plan = *plan;
	++s->starts;

	return 0;
}


void stream_expect(struct stream *s, uint32_t rate_hz)
{
	s->expect_hz = rate_hz;
}


uint32_t fake_expected_hz(const struct stream *s)
{
	return s->expect_hz;
}


void stream_prove(struct stream *s)
{
	s->plan.unproven = false;
}


void stream_end(struct stream *s, struct stream_stats *st)
{
	if (st)
		*st = s->stats;
	stream_close(s);
}


void stream_close(struct stream *s)
{
	++doors;
	list_unlink(&s->le);
	timer_cancel(&s->tmr);
	mem_deref(s);
}


void stream_gathered(struct stream *s, struct media_gathered *g)
{
	(void)s;
	memset(g, 0, sizeof(*g));
	sa_init(&g->mapped, AF_UNSPEC);
	sa_init(&g->mapped_rtcp, AF_UNSPEC);
}


int stream_ways(struct stream *s, struct media_ways *w)
{
	(void)s;
	(void)w;

	return ENOENT;
}


bool stream_regather(struct stream *s, const struct sa *gateway,
		     const struct sa *basev, unsigned basec)
{
	(void)s;
	(void)gateway;
	(void)basev;
	(void)basec;

	return false;
}


bool stream_based(struct stream *s, const struct sa *basev, unsigned basec)
{
	(void)s;
	(void)basev;
	(void)basec;

	return true;
}


int media_print(struct media *m, struct media_print *print)
{
	(void)m;
	(void)print;
	++prints;

	return ENOTSUP;
}


unsigned fake_prints(void)
{
	return prints;
}


int stream_set_source(struct stream *s, enum stream_source src, double hz)
{
	++doors;
	s->source = src;
	s->hz = hz;

	return 0;
}


int stream_play_two(struct stream *s, const int16_t *v, const int16_t *side,
		    size_t n, uint32_t rate_hz, bool loop)
{
	(void)side;
	++doors;
	s->loop = loop;
	if (!v || !n || !rate_hz)
		return EINVAL;
	if (s->playing)
		return EALREADY;

	s->playing = true;

	return 0;
}


void stream_play_stop(struct stream *s)
{
	const struct stream_event ev = {
		.type = STREAM_PLAY_DONE, .stopped = true, .text = "",
		.duration_ms = 100,
	};

	++doors;
	if (s->playing)
		post(s, &ev);
	s->playing = false;
}


int stream_record(struct stream *s, const char *path,
		  enum record_layout layout, char *err, size_t errsz)
{
	(void)layout;

	++doors;
	if (0 == strncmp(path, "/nowhere/", 9)) {
		(void)re_snprintf(err, errsz, "There is no such folder.");
		return ENOENT;
	}
	if (s->record)
		return EALREADY;

	return str_dup(&s->record, path);
}


void stream_record_stop(struct stream *s)
{
	const struct stream_event ev = {
		.type = STREAM_RECORD_DONE, .stopped = true, .text = "",
		.duration_ms = 200,
	};

	++doors;
	if (s->record)
		post(s, &ev);
	s->record = mem_deref(s->record);
}


void stream_dtmf_duration(struct stream *s, uint32_t ms)
{
	++doors;
	s->dtmf_ms = ms;
}


int stream_dtmf_band(struct stream *s, const char *digits)
{
	++doors;
	(void)s;
	(void)digits;

	return 0;
}


void stream_dtmf_listen(struct stream *s, bool on)
{
	++doors;
	s->listens = on;
}


int stream_listen(struct stream *s, bool on, double hz)
{
	(void)s;
	(void)on;
	(void)hz;

	return 0;
}


int stream_heard(struct stream *s, struct stream_heard *h)
{
	(void)s;
	(void)h;

	return ENOTCONN;
}


int stream_tones(struct stream *s, bool on)
{
	++doors;
	s->tones = on;

	return 0;
}


int media_set_audio(struct media *m, const struct audio_spec *spec,
		    char *err, size_t errsz)
{
	(void)m;
	(void)err;
	(void)errsz;

	++device_sets;
	str_ncpy(devices[MEDIA_ROLE_MIC], spec->in, sizeof(devices[0]));
	str_ncpy(devices[MEDIA_ROLE_SPEAKER], spec->out, sizeof(devices[0]));

	return 0;
}


int media_set_device(struct media *m, enum media_role role, const char *name,
		     char *err, size_t errsz)
{
	(void)m;
	(void)err;
	(void)errsz;

	++device_sets;
	str_ncpy(devices[role], name, sizeof(devices[role]));

	return 0;
}


unsigned media_channels(const struct media *m)
{
	(void)m;

	return 2;
}


const char *media_device(const struct media *m, enum media_role role)
{
	(void)m;

	return devices[role];
}


unsigned fake_device_sets(void)
{
	const unsigned n = device_sets;

	device_sets = 0;

	return n;
}


int stream_talk(struct stream *s, bool on)
{
	++doors;
	s->talk = on;

	return 0;
}


bool fake_talk(const struct stream *s)
{
	return s->talk;
}


bool fake_tones(const struct stream *s)
{
	return s->tones;
}


void stream_record_pause(struct stream *s, bool pause)
{
	++doors;
	s->paused = pause;
}


void stream_beep(struct stream *s, uint32_t every_ms)
{
	s->beep_ms = every_ms;
}


void stream_play_mix(struct stream *s, bool mix)
{
	s->mix = mix;
}


int stream_conference(struct stream *s, unsigned no)
{
	++doors;
	s->conference = no;

	return 0;
}


void stream_part(struct stream *s, double db)
{
	++doors;
	s->part_db = db;
}


void stream_place(struct stream *s, int percent)
{
	++doors;
	s->place = percent;
}


void stream_gain(struct stream *s, double mic_db, double speaker_db)
{
	++doors;
	s->mic_db = mic_db;
	s->speaker_db = speaker_db;
}


int media_sound(struct media *m, enum media_out out, const int16_t *v,
		size_t n, uint32_t rate_hz, unsigned times)
{
	(void)m;
	(void)rate_hz;
	(void)times;

	if (!v || !n)
		return EINVAL;
	sounds[out] = n;

	return 0;
}


void media_hush(struct media *m, enum media_out out)
{
	(void)m;
	sounds[out] = 0;
}


void media_room_look(struct media *m, struct media_room_figures *f)
{
	(void)m;

	memset(f, 0, sizeof(*f));
	f->running = true;
	f->erle_db = 30.0;
	f->noise_dbfs = -62.0;
	f->noise_less_db = 12.0;
}


void media_levels(struct media *m, struct stream *const *sv,
		  struct stream_level *lv, size_t n)
{
	(void)m;

	++doors;
	for (size_t i = 0; i < n; i++) {
		memset(&lv[i], 0, sizeof(lv[i]));
		lv[i].known = true;
		lv[i].in_dbfs = -20.0;
		lv[i].out_dbfs = sv[i]->muted ? -120.0 : -30.0;
		lv[i].out_clipped = 3;
	}
}


void stream_mute(struct stream *s, bool mute)
{
	++doors;
	s->muted = mute;
}


int stream_dtmf(struct stream *s, const char *digits)
{
	struct le *le;

	++doors;
	if (s->plan.te_send < 0)
		return ENOTSUP;

	s->given += (unsigned)strlen(digits);

	for (; *digits; digits++) {
		const struct stream_event ev = {
			.type = STREAM_DTMF, .digit = *digits,
			.duration_ms = s->dtmf_ms, .text = "",
		};

		for (le = streams.head; le; le = le->next) {
			struct stream *peer = le->data;

			if (peer != s && sa_cmp(&peer->local, &s->plan.rtp,
						SA_ALL) &&
			    peer->starts && peer->plan.te_recv ==
			    s->plan.te_send)
				post(peer, &ev);
		}
	}

	if (!digits_stuck) {
		const struct stream_event ev = {
			.type = STREAM_DTMF_SENT, .count = s->given,
			.text = "",
		};

		post(s, &ev);
	}

	return 0;
}


int stream_stats(struct stream *s, struct stream_stats *st)
{
	++doors;
	*st = s->stats;

	return 0;
}


void media_times(const struct media *m, struct media_times *t)
{
	(void)m;
	memset(t, 0, sizeof(*t));
}


void media_stats(struct media *m, struct stream *const *sv,
		 struct stream_stats *stv, size_t n)
{
	(void)m;

	++doors;
	for (size_t i = 0; i < n; i++)
		stv[i] = sv[i]->stats;
}


double media_r(const struct codec *codec, double loss_pct, double burst_ratio,
	       double delay_ms)
{
	(void)burst_ratio;
	(void)delay_ms;

	return codec ? loss_pct > 0 ? 60.0 : 93.0 : NAN;
}


double media_mouth_to_ear_ms(const struct stream_stats *st)
{
	return st->mic_ms + st->packet_ms + st->rtt_us / 2000.0 +
		st->delay_ms + st->speaker_ms;
}


double media_mos_of(double r)
{
	return r > 90 ? 4.4 : r > 0 ? 3.0 : 0;
}


int sound_read_at(int16_t **vp, size_t *np, uint32_t rate_hz,
		  const char *path, char *err, size_t errsz)
{
	return sound_read(vp, np, &rate_hz, path, err, errsz);
}


int sound_read(int16_t **vp, size_t *np, uint32_t *rate_hz,
	       const char *path, char *err, size_t errsz)
{
	struct stat st;

	if (stat(path, &st)) {
		(void)re_snprintf(err, errsz, "%s: not there.", path);
		return ENOENT;
	}

	*np = 800;
	*vp = calloc(*np, sizeof(**vp));
	*rate_hz = 8000;

	return *vp ? 0 : ENOMEM;
}


int sound_read_two(int16_t **vp, int16_t **sidep, size_t *np,
		   uint32_t *rate_hz, const char *path, char *err,
		   size_t errsz)
{
	*sidep = NULL;

	return sound_read(vp, np, rate_hz, path, err, errsz);
}


/* For the test -------------------------------------------------------------- */

struct stream *fake_stream(size_t i)
{
	struct le *le = streams.head;

	while (le && i--)
		le = le->next;

	return le ? le->data : NULL;
}


size_t fake_stream_count(void)
{
	return list_count(&streams);
}


const struct media_plan *fake_plan(const struct stream *s)
{
	return s->starts ? &s->plan : NULL;
}


unsigned fake_starts(const struct stream *s)
{
	return s->starts;
}


enum stream_source fake_source(const struct stream *s)
{
	return s->source;
}


double fake_tone_hz(const struct stream *s)
{
	return s->hz;
}


bool fake_muted(const struct stream *s)
{
	return s->muted;
}


bool fake_playing(const struct stream *s, bool *loop)
{
	*loop = s->loop;

	return s->playing;
}


size_t fake_sound(enum media_out out)
{
	return sounds[out];
}


unsigned fake_conference(const struct stream *s)
{
	return s->conference;
}


double fake_part(const struct stream *s)
{
	return s->part_db;
}


int fake_place(const struct stream *s)
{
	return s->place;
}


double fake_gain(const struct stream *s, bool mic)
{
	return mic ? s->mic_db : s->speaker_db;
}


bool fake_device(const struct stream *s)
{
	return s->conf.device;
}


const char *fake_recording(const struct stream *s)
{
	return s->record;
}


void fake_event(struct stream *s, const struct stream_event *ev)
{
	s->h(ev, s->arg);
}


void fake_play_end(struct stream *s)
{
	const struct stream_event ev = {
		.type = STREAM_PLAY_DONE, .text = "", .duration_ms = 100,
	};

	s->playing = false;
	s->h(&ev, s->arg);
}


void fake_stats(struct stream *s, const struct stream_stats *st)
{
	s->stats = *st;
}


void fake_fail_open(int err)
{
	open_err = err;
}


void fake_fail_start(int err)
{
	start_err = err;
}


void fake_digits_stuck(bool stuck)
{
	digits_stuck = stuck;
}


unsigned fake_doors(void)
{
	const unsigned n = doors;

	doors = 0;

	return n;
}
