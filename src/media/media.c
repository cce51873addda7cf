/**
 * @file media.c  The media thread, the door to it and the way back
 *
 * Main pushes a function through the door and waits until the media thread
 * has run it; that thread waits for nobody, so this cannot lock up.  The
 * other way the media thread leaves posts in a list and wakes main once;
 * a stream is named by its number there, since it may be gone when main
 * looks.
 */
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>
#define LOG_MODULE "media"
#include <offhook/log.h>
#include <offhook/urgent.h>
#include <offhook/worker.h>
#include "dtls.h"
#include "priv.h"


enum {
	POSTS_MAX = 65536,       /* waiting; more means that main is dead   */
	FDS_MAX = 1024,          /* few are watched, and they come first    */
	DOOR_S = 1, DOOR_TRIES = 30,
	STREAM_BUCKETS = 64,
};

_Thread_local unsigned media_thread;

struct link {
	struct media *m;
	pthread_t thread;
	bool running;
	int err;                 /* of its start                            */
	sem_t done;              /* the door: fn has run                    */
	struct mqueue *in;       /* the door                                */
	media_fn *fn;
	void *arg;
	struct mqueue *out;      /* wakes main                              */
	_Atomic(struct post *) posts;    /* newest first                    */
	atomic_uint post_count;
	atomic_uint post_lost;
};


/* The way back ---------------------------------------------------------- */

void media_post(struct media *m, const struct post *p)
{
	struct link *l = m->link;
	struct post *post, *first;

	if (atomic_load(&l->post_count) >= POSTS_MAX ||
	    !(post = malloc(sizeof(*post)))) {
		atomic_fetch_add(&l->post_lost, 1);
		return;
	}

	*post = *p;
	atomic_fetch_add(&l->post_count, 1);

	/* once it is in the list it is main's: not looked at again */
	first = atomic_load(&l->posts);
	do {
		post->next = first;
	} while (!atomic_compare_exchange_weak(&l->posts, &first, post));

	/* one message for all that wait: the pipe cannot fill up */
	if (!first)
		(void)mqueue_push(l->out, 0, NULL);
}


static struct post *posts_take(struct link *l)
{
	struct post *p = atomic_exchange(&l->posts, NULL), *first = NULL;

	while (p) {
		struct post *next = p->next;

		atomic_fetch_sub(&l->post_count, 1);
		p->next = first;
		first = p;
		p = next;
	}

	return first;
}


static bool id_h(struct le *le, void *arg)
{
	const struct stream *s = le->data;

	return s->id == *(const uint32_t *)arg;
}


static void posts_h(int id, void *data, void *arg)
{
	struct media *m = arg;
	struct post *p = posts_take(m->link), *next;
	const unsigned lost = atomic_exchange(&m->link->post_lost, 0);
	(void)id;
	(void)data;

	if (lost)
		log_warn("%u messages of the media thread were lost", lost);

	/* a handler may close any stream, and may free m */
	mem_ref(m);

	for (; p; p = next) {
		struct stream *s;

		next = p->next;

		s = list_ledata(hash_lookup(m->streams, p->id, id_h, &p->id));
		if (s)
			stream_handle(s, p);
		else if (p->type == POST_DEVICE_LOST)
			device_lost(m->dev);
		else if (p->type == POST_RINGER_LOST)
			device_lost(m->ring);
		else if (p->type == POST_MONITOR_LOST)
			device_lost(m->monitor);
		else if (p->type == POST_SOUND_DONE)
			local_done(m, p->serial);

		free(p);
	}

	mem_deref(m);
}


static void engine_post(const struct post *p, void *arg)
{
	media_post(arg, p);
}


/* The door -------------------------------------------------------------- */

static void door_h(int id, void *data, void *arg)
{
	struct link *l = arg;
	(void)id;
	(void)data;

	if (l->fn)
		l->fn(l->arg);
	else
		re_cancel();

	(void)sem_post(&l->done);
}


static void door_wait(struct link *l)
{
	for (unsigned i = 0; i < DOOR_TRIES; i++) {
		struct timespec ts;

		(void)clock_gettime(CLOCK_REALTIME, &ts);
		ts.tv_sec += DOOR_S;

		/* a signal, a step of the wall clock or a stopped process
		 * may end one wait early: so there are several */
		if (!sem_timedwait(&l->done, &ts))
			return;
	}

	log_error("the media thread does not answer");
	abort();
}


void media_run(struct media *m, media_fn *fn, void *arg)
{
	struct link *l = m->link;

	assert_main();

	l->fn = fn;
	l->arg = arg;

	if (mqueue_push(l->in, 0, NULL))
		abort();

	door_wait(l);
}


static int loop_open(struct link *l)
{
	int err;

	err = re_thread_init();
	if (err)
		return err;

	err = fd_setsize(FDS_MAX);
	if (err)
		return err;

	err = timers_open();
	if (err)
		return err;

	err = mqueue_alloc(&l->in, door_h, l);
	if (err)
		return err;

	return engine_alloc(&l->m->eng, engine_post, l->m);
}


static void urgent_tell(const char *name)
{
	static const char *const how[] = {
		[URGENT_NO]    = "as any other",
		[URGENT_SLICE] = "with short slices",
		[URGENT_NICE]  = "with short slices and before others",
	};

	log_debug("the %s thread runs %s", name, how[urgent_thread()]);
}


static void *thread_h(void *arg)
{
	struct link *l = arg;

	media_thread = THREAD_MEDIA;
	urgent_tell("media");

	l->err = loop_open(l);
	(void)sem_post(&l->done);

	if (!l->err)
		(void)re_main(NULL);

	l->m->eng = mem_deref(l->m->eng);
	l->in = mem_deref(l->in);
	timers_close();
	re_thread_close();

	return NULL;
}


static void link_destructor(void *arg)
{
	struct link *l = arg;
	struct post *p, *next;

	if (l->running) {
		if (!l->err)
			media_run(l->m, NULL, NULL);
		(void)pthread_join(l->thread, NULL);
	}

	mem_deref(l->out);
	for (p = posts_take(l); p; p = next) {
		next = p->next;
		free(p);
	}
	(void)sem_destroy(&l->done);
}


static int link_open(struct media *m)
{
	sigset_t all, old;
	struct link *l;
	int err;

	l = mem_zalloc(sizeof(*l), link_destructor);
	if (!l)
		return ENOMEM;

	m->link = l;
	l->m = m;
	(void)sem_init(&l->done, 0, 0);

	err = mqueue_alloc(&l->out, posts_h, m);
	if (err)
		return err;

	/* signals are main's: a new thread inherits the mask */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&l->thread, NULL, thread_h, l);
	(void)pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return err;

	l->running = true;
	(void)pthread_setname_np(l->thread, "media");
	door_wait(l);

	return l->err;
}


/* Public ---------------------------------------------------------------- */

static void destructor(void *arg)
{
	struct media *m = arg;

	assert_main();

	media_probe_end(m, NULL);
	timer_cancel(&m->sniff_tmr);
	m->ring = mem_deref(m->ring);
	m->monitor = mem_deref(m->monitor);
	m->dev = mem_deref(m->dev);
	device_rest(m);
	m->worker = mem_deref(m->worker);
	m->link = mem_deref(m->link);
	mem_deref(m->sniff);
	mem_deref(m->streams);
	mem_deref(m->dtls_id);
	if (m->stamps >= 0)
		(void)close(m->stamps);
}


int media_print(struct media *m, struct media_print *print)
{
	int err = 0;

	assert_main();

	if (!m->dtls_id)
		err = dtls_id_alloc(&m->dtls_id);
	if (!err)
		dtls_id_print(m->dtls_id, print);

	return err;
}


static void room_h(void *arg)
{
	struct media *m = arg;

	engine_room(m->eng, &m->conf.room);
	m->eng->monitor.both = m->conf.monitor_both;
}


static void configure_h(void *arg)
{
	const struct media *m = arg;
	struct le *le;

	room_h(arg);
	for (le = m->eng->flows.head; le; le = le->next) {
		struct flow *f = le->data;

		receive_limit(&f->rx, &m->conf);
	}
}


int media_alloc(struct media **mp, const struct media_conf *conf,
		media_device_h *h, void *arg)
{
	struct media *m;
	int err;

	if (!mp || !conf)
		return EINVAL;

	m = mem_zalloc(sizeof(*m), destructor);
	if (!m)
		return ENOMEM;

	media_thread |= THREAD_MAIN;
	m->conf = *conf;
	m->stamps = -1;

	err = hash_alloc(&m->streams, STREAM_BUCKETS);
	if (err)
		goto out;

	err = link_open(m);
	if (err)
		goto out;

	media_run(m, room_h, m);
	err = device_alloc(&m->dev, m, DEVICE_TALK, h, arg);
	if (!err)
		err = device_alloc(&m->ring, m, DEVICE_RING, h, arg);
	if (!err)
		err = device_alloc(&m->monitor, m, DEVICE_MONITOR, h, arg);

 out:
	if (err)
		mem_deref(m);
	else
		*mp = m;

	return err;
}


void media_configure(struct media *m, const struct media_conf *conf)
{
	assert_main();
	m->conf = *conf;
	media_run(m, configure_h, m);
}


struct room_look {
	struct media *m;
	struct media_room_figures *f;
};


static void room_look_h(void *arg)
{
	struct room_look *l = arg;

	if (l->m->eng->dsp)
		dsp_figures(l->m->eng->dsp, l->f);
}


void media_room_look(struct media *m, struct media_room_figures *f)
{
	struct room_look l = { .m = m, .f = f };

	assert_main();
	memset(f, 0, sizeof(*f));
	f->erle_db = f->noise_dbfs = f->noise_less_db = NAN;
	media_run(m, room_look_h, &l);
}


int media_set_audio(struct media *m, const struct audio_spec *spec,
		    char *err, size_t errsz)
{
	assert_main();

	return device_set(m->dev, spec, err, errsz);
}


unsigned media_channels(const struct media *m)
{
	assert_main();

	return device_channels(m->dev);
}


static bool is_card(const struct audio_spec *as)
{
	return !strcmp(as->driver, "auto") || !strcmp(as->driver, "portaudio");
}


static struct device *of_role(const struct media *m, enum media_role role)
{
	return role == MEDIA_ROLE_RING ? m->ring :
		role == MEDIA_ROLE_MONITOR ? m->monitor : m->dev;
}


int media_set_device(struct media *m, enum media_role role, const char *name,
		     char *err, size_t errsz)
{
	struct device *d = of_role(m, role);
	struct audio_spec as = *device_spec(d);

	assert_main();

	if (strlen(name) >= sizeof(as.in)) {
		(void)re_snprintf(err, errsz, "the name is too long");
		return EINVAL;
	}

	if (d != m->dev) {
		(void)strcpy(as.driver, *name ? "portaudio" : "null");
		(void)strcpy(as.out, name);
		return device_set(d, &as, err, errsz);
	}

	if (!is_card(&as)) {
		(void)re_snprintf(err, errsz, "sound does not come from a"
				  " sound card now (--audio %s): there is no"
				  " device to choose", as.driver);
		return ENOTSUP;
	}

	(void)strcpy(role == MEDIA_ROLE_MIC ? as.in : as.out, name);
	(void)strcpy(as.driver, as.in[0] || as.out[0] ? "portaudio" : "auto");

	return device_set(m->dev, &as, err, errsz);
}


const char *media_device(const struct media *m, enum media_role role)
{
	const struct audio_spec *as = device_spec(of_role(m, role));

	return role == MEDIA_ROLE_MIC ? as->in : as->out;
}


int media_list_devices(struct media *m, media_list_h *h,
		       media_list_done_h *done, void *arg)
{
	assert_main();

	return device_list(m->dev, h, done, arg);
}


void media_look(struct media *m)
{
	const struct stream *newest = list_ledata(list_tail(&m->wanting));
	bool wanted = newest || m->probe;
	uint32_t rate_hz = 0;

	for (unsigned i = 0; i < COUNT(m->sounds); i++)
		wanted = wanted || m->sounds[i];
	if (newest)
		rate_hz = newest->started ? newest->rate_hz :
			newest->expect_hz;
	device_want(m->dev, wanted, rate_hz);
	device_want(m->ring, m->sounds[MEDIA_RING] != 0, 0);
	device_want(m->monitor, newest != NULL, newest ? newest->rate_hz : 0);
}


const char *media_dir_name(enum media_dir dir)
{
	switch (dir) {

	case MEDIA_INACTIVE: return "inactive";
	case MEDIA_RECVONLY: return "recvonly";
	case MEDIA_SENDONLY: return "sendonly";
	case MEDIA_SENDRECV: return "sendrecv";
	}

	return "?";
}
