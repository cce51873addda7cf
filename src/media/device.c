/**
 * @file device.c  The sound device as main sees it: choose, open, lose, find
 *
 * Main thread.  A driver that blocks is opened and closed on a worker; what
 * it opened is lent to the engine through the door.  While there is no device
 * the engine's tick carries the calls, so nothing ever waits for one.  A
 * device that was asked for by name and is gone is tried again every few
 * seconds; one that was only hoped for (auto) with the next call.
 */
#include <semaphore.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#define LOG_MODULE "media"
#include <offhook/log.h>
#include <offhook/urgent.h>
#include <offhook/worker.h>
#include "device.h"


enum {
	RETRY_MS   = 3000,
	LINGER_MS  = 2000,       /* after the last call: it is let go       */
	SERVICE_MS = 50,
	CLOSE_MS   = 500,        /* waited for at the end                   */
	ERR_SIZE   = 256,
};


static void device_open(struct device *d);
static unsigned channels_wanted(const struct device *d);


static void tell(struct device *d, enum media_device_state state,
		 const char *text)
{
	const struct media_device_event ev = {
		.state = state,
		.role = d->kind == DEVICE_RING ? "ring" :
			d->kind == DEVICE_MONITOR ? "monitor" :
			d->info.has_in == d->info.has_out ? "sound" :
			d->info.has_in ? "mic" : "speaker",
		.name = d->info.in_name[0] ? d->info.in_name :
			d->info.out_name[0] ? d->info.out_name :
			d->spec.driver,
		.text = text,
	};

	if (d->h)
		d->h(&ev, d->arg);
}


int device_worker(struct device *d)
{
	return d->m->worker ? 0 : worker_alloc(&d->m->worker, "device");
}


/* The engine's ends ----------------------------------------------------- */

struct loan {
	struct device *d;
	int err;
};


static void attach_h(void *arg)
{
	struct loan *l = arg;
	struct device *d = l->d;

	switch (d->kind) {

	case DEVICE_TALK:
		l->err = engine_attach(d->m->eng, d->drv, d->dev, &d->info,
				       d->wake_fd);
		break;

	case DEVICE_RING:
		l->err = ringer_attach(d->m->eng, d->drv, d->dev, &d->info);
		break;

	case DEVICE_MONITOR:
		l->err = monitor_attach(d->m->eng, d->drv, d->dev, &d->info);
		break;
	}
}


static void detach_h(void *arg)
{
	struct device *d = arg;

	switch (d->kind) {

	case DEVICE_TALK:
		engine_detach(d->m->eng);
		break;

	case DEVICE_RING:
		ringer_detach(d->m->eng);
		break;

	case DEVICE_MONITOR:
		monitor_detach(d->m->eng);
		break;
	}
}


static int device_attach(struct device *d)
{
	struct loan l = { .d = d };

	media_run(d->m, attach_h, &l);
	d->attached = !l.err;

	return l.err;
}


static void device_service(struct device *d)
{
	char text[ERR_SIZE];

	if (d->drv->service(d->dev, text, sizeof(text)))
		tell(d, MEDIA_DEV_BROKEN, text);
}


static void service_h(void *arg)
{
	struct device *d = arg;

	device_service(d);
	timer_start(&d->service, SERVICE_MS, service_h, d);
}


/* Close ----------------------------------------------------------------- */

struct close_job {
	const struct audio_driver *drv;
	struct audio_dev *dev;
	sem_t *done;             /* somebody waits, or NULL                 */
};


static void close_work(void *arg)
{
	struct close_job *j = arg;

	j->drv->close(j->dev);
	if (j->done)
		(void)sem_post(j->done);
}


static void close_done(void *arg)
{
	free(arg);
}


static void dev_close(struct device *d, const struct audio_driver *drv,
		      struct audio_dev *dev, sem_t *done)
{
	struct close_job *j = drv->blocks ? malloc(sizeof(*j)) : NULL;

	if (!drv->blocks) {
		drv->close(dev);
		if (done)
			(void)sem_post(done);
		return;
	}

	if (j) {
		j->drv = drv;
		j->dev = dev;
		j->done = done;
		if (!worker_post(d->m->worker, close_work, close_done,
				 close_done, j))
			return;
		free(j);
	}

	log_warn("the sound device stays open: no memory to close it");
}


static void device_leave(struct device *d, sem_t *done)
{
	timer_cancel(&d->service);
	timer_cancel(&d->linger);
	timer_cancel(&d->retry);

	if (d->attached)
		media_run(d->m, detach_h, d);
	d->attached = false;

	if (d->dev) {
		if (d->drv->service && !d->drv->blocks)
			device_service(d);
		dev_close(d, d->drv, d->dev, done);
	}
	d->dev = NULL;
}


/* Open ------------------------------------------------------------------ */

struct open_job {
	struct device *d;
	unsigned serial;
	const struct audio_driver *drv;
	struct audio_param prm;
	struct audio_dev *dev;
	struct audio_info info;
	uint64_t asked_ms;
	char err[ERR_SIZE];
	int e;
};


static void retry_h(void *arg)
{
	struct device *d = arg;

	if (d->wanted)
		device_open(d);
}


static void linger_h(void *arg)
{
	struct device *d = arg;

	if (d->state == DEVICE_OPEN)
		device_leave(d, NULL);
	d->state = DEVICE_IDLE;
}


static void device_absent(struct device *d, const char *why)
{
	char text[ERR_SIZE + 64];

	memset(&d->info, 0, sizeof(d->info));

	if (d->hoped && !d->was_lost) {
		d->state = DEVICE_ABSENT;
		if (d->absent_told)
			return;
		d->absent_told = true;
		(void)re_snprintf(text, sizeof(text),
				  "%s; calls go on without sound", why);
		tell(d, MEDIA_DEV_NONE, text);
		return;
	}

	d->state = DEVICE_LOST;
	timer_start(&d->retry, RETRY_MS, retry_h, d);

	if (d->was_lost)
		return;

	d->was_lost = true;
	(void)re_snprintf(text, sizeof(text), "%s; calls go on without %s"
			  " until it is there", why,
			  d->kind == DEVICE_MONITOR ? "a monitor" : "sound");
	tell(d, MEDIA_DEV_LOST, text);
}


static void device_opened(struct device *d, struct open_job *j)
{
	char text[2 * AUDIO_NAME + 128];
	int err;

	d->dev = j->dev;
	d->info = j->info;

	err = device_attach(d);
	if (err) {
		dev_close(d, d->drv, d->dev, NULL);
		d->dev = NULL;
		device_absent(d, strerror(err));
		return;
	}

	d->state = DEVICE_OPEN;
	if (d->drv->service)
		timer_start(&d->service, SERVICE_MS, service_h, d);
	if (!d->wanted && d->drv->clock)
		timer_start(&d->linger, LINGER_MS, linger_h, d);

	(void)re_snprintf(text, sizeof(text), "%s: in '%s', out '%s', %u Hz,"
			  " latency %u and %u ms, open after %llu ms",
			  d->drv->name, d->info.has_in ? d->info.in_name : "",
			  d->info.has_out ? d->info.out_name : "",
			  d->info.rate_hz, d->info.in_latency_ms,
			  d->info.out_latency_ms,
			  (unsigned long long)(clock_ms() - j->asked_ms));
	d->was_lost = d->absent_told = false;
	tell(d, MEDIA_DEV_OPEN, text);
}


static void open_work(void *arg)
{
	struct open_job *j = arg;

	/* the threads that a sound card brings are started from here */
	if (j->drv->blocks)
		(void)urgent_thread();

	j->e = j->drv->open(&j->dev, &j->info, &j->prm, j->err,
			    sizeof(j->err));
}


static void open_done(void *arg)
{
	struct open_job *j = arg;
	struct device *d = j->d;

	if (j->serial != d->serial) {
		/* another was chosen meanwhile */
		if (!j->e)
			dev_close(d, j->drv, j->dev, NULL);
	}
	else if (j->e) {
		if (!j->err[0])
			(void)re_snprintf(j->err, sizeof(j->err), "%s",
					  strerror(j->e));
		device_absent(d, j->err);
	}
	else {
		device_opened(d, j);
	}

	free(j);
}


static void open_drop(void *arg)
{
	free(arg);
}


static uint32_t rate_of(uint32_t rate_hz)
{
	return rate_hz ? rate_hz : CODEC_RATE_MAX_HZ;
}


static void device_open(struct device *d)
{
	struct open_job *j = calloc(1, sizeof(*j));
	int err = j ? 0 : ENOMEM;

	if (err)
		goto out;

	j->d = d;
	j->asked_ms = clock_ms();
	j->serial = d->serial;
	j->drv = d->drv;
	(void)strcpy(j->prm.in, d->spec.in);
	(void)strcpy(j->prm.out, d->spec.out);
	j->prm.rate_hz = d->asked_hz = rate_of(d->rate_hz);
	j->prm.pipe_rate_hz = d->m->conf.pipe_rate_hz;
	j->prm.latency_ms = d->m->conf.latency_ms;
	j->prm.channels = channels_wanted(d);
	j->prm.in_channels = d->m->conf.two_mics && d->drv->read_two ? 2 : 1;
	j->prm.wake_fd = d->kind == DEVICE_TALK ? d->wake_fd : -1;
	j->prm.out_only = d->kind != DEVICE_TALK;

	d->state = DEVICE_OPENING;
	if (!d->drv->blocks) {
		open_work(j);
		open_done(j);
		return;
	}

	if (!d->was_lost)
		tell(d, MEDIA_DEV_OPENING, "");

	err = device_worker(d);
	if (!err)
		err = worker_post(d->m->worker, open_work, open_done, open_drop,
				  j);

 out:
	if (err) {
		free(j);
		device_absent(d, strerror(err));
	}
}


/* Inside the module ----------------------------------------------------- */

/* The worker, but not for ever */
static void await(sem_t *done)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += CLOSE_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		++until.tv_sec;
	}
	(void)sem_timedwait(done, &until);
}


static void rest_work(void *arg)
{
	sem_t *done = arg;

	for (const struct audio_driver *const *p = audio_table(); *p; p++) {
		if ((*p)->rest)
			(*p)->rest();
	}
	(void)sem_post(done);
}


void device_rest(struct media *m)
{
	sem_t *done = m->worker ? malloc(sizeof(*done)) : NULL;

	if (!done)
		return;

	/* it may outlive us: the worker frees it */
	(void)sem_init(done, 0, 0);
	if (worker_post(m->worker, rest_work, open_drop, open_drop, done))
		free(done);
	else
		await(done);
}


static void destructor(void *arg)
{
	struct device *d = arg;
	sem_t done;

	(void)sem_init(&done, 0, 0);

	if (d->dev) {
		device_leave(d, &done);

		/* a device that is closed by half can keep the card busy */
		await(&done);
	}

	timer_cancel(&d->retry);
	timer_cancel(&d->linger);
	timer_cancel(&d->service);

	if (d->wake_fd >= 0)
		(void)close(d->wake_fd);
}


int device_alloc(struct device **dp, struct media *m, enum device_kind kind,
		 media_device_h *h, void *arg)
{
	struct device *d;

	d = mem_zalloc(sizeof(*d), destructor);
	if (!d)
		return ENOMEM;

	d->m = m;
	d->kind = kind;
	d->h = h;
	d->arg = arg;
	(void)strcpy(d->spec.driver, "null");

	/* made early: the loop watches low descriptors only */
	d->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (d->wake_fd < 0) {
		const int err = errno;

		mem_deref(d);
		return err;
	}

	*dp = d;

	return 0;
}


int device_set(struct device *d, const struct audio_spec *spec,
	       char *err, size_t errsz)
{
	const bool hoped = !strcmp(spec->driver, "auto");
	const struct audio_driver *drv;
	bool wanted = d->wanted;
	int e;

	drv = audio_driver_find(hoped ? "portaudio" : spec->driver);
	if (!drv) {
		(void)re_snprintf(err, errsz, "no sound driver '%s'",
				  spec->driver);
		return EINVAL;
	}

	/* what can be known before the first call should be said now */
	e = drv->check ? drv->check(spec, err, errsz) : 0;
	if (e)
		return e;

	device_leave(d, NULL);
	++d->serial;

	d->spec = *spec;
	d->hoped = hoped;
	d->state = DEVICE_IDLE;
	d->wanted = false;
	d->was_lost = d->absent_told = false;
	memset(&d->info, 0, sizeof(d->info));

	/* null is the tick alone, at no cost */
	d->drv = strcmp(drv->name, "null") ? drv : NULL;
	if (!d->drv)
		tell(d, MEDIA_DEV_NONE, "");

	device_want(d, wanted, d->rate_hz);

	return 0;
}


const struct audio_spec *device_spec(const struct device *d)
{
	return &d->spec;
}


bool device_slow(const struct device *d)
{
	return d->drv && d->drv->blocks;
}


void device_want(struct device *d, bool wanted, uint32_t rate_hz)
{
	const bool was = d->wanted;

	d->wanted = wanted;
	/* what the last call had says nothing of the next */
	if (rate_hz || (wanted && !was))
		d->rate_hz = rate_hz;
	if (!d->drv || was == wanted)
		return;

	if (wanted) {
		timer_cancel(&d->linger);
		/* still open, but for less than this call has */
		if (d->state == DEVICE_OPEN && d->drv->clock &&
		    d->asked_hz < rate_of(rate_hz)) {
			device_leave(d, NULL);
			d->state = DEVICE_IDLE;
		}
		if (d->state == DEVICE_IDLE || d->state == DEVICE_ABSENT ||
		    (d->state == DEVICE_LOST && !timer_running(&d->retry)))
			device_open(d);
		return;
	}

	timer_cancel(&d->retry);

	/* the microphone is for calls; a file goes on where it was */
	if (d->state == DEVICE_OPEN && d->drv->clock)
		timer_start(&d->linger, LINGER_MS, linger_h, d);
	else if (d->state == DEVICE_ABSENT)
		d->state = DEVICE_IDLE;
}


int device_ready(const struct device *d, struct audio_info *info)
{
	*info = d->info;

	if (!d->drv || d->state == DEVICE_ABSENT || d->state == DEVICE_LOST)
		return ENODEV;

	return d->state == DEVICE_OPEN ? 0 : EAGAIN;
}


/* As many as it may be asked for */
static unsigned channels_wanted(const struct device *d)
{
	if (d->kind != DEVICE_TALK)
		return 1;
	if (d->m->conf.channels)
		return d->m->conf.channels;

	return d->drv && d->drv->clock ? 2 : 1;
}


unsigned device_channels(const struct device *d)
{
	if (d->state == DEVICE_OPEN)
		return d->info.channels == 2 ? 2 : 1;

	return d->drv && d->drv->write_two ? channels_wanted(d) : 1;
}


void device_lost(struct device *d)
{
	/* it may have been closed in the same moment */
	if (d->state != DEVICE_OPEN)
		return;

	d->attached = false;
	device_leave(d, NULL);
	d->state = DEVICE_LOST;
	d->was_lost = true;
	tell(d, MEDIA_DEV_LOST, d->kind == DEVICE_MONITOR ?
	     "the monitor is gone; calls go on without it until it is back" :
	     "the sound device is gone; calls go on without sound"
	     " until it is back");

	memset(&d->info, 0, sizeof(d->info));
	if (d->wanted)
		timer_start(&d->retry, RETRY_MS, retry_h, d);
}
