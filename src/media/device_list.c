/**
 * @file device_list.c  The devices there are, and which of them are ours
 *
 * Main thread; the drivers are asked on the worker.
 */
#include <offhook/worker.h>
#include "device.h"


enum { LIST_MAX = 256 };

struct list_job {
	media_list_h *h;
	media_list_done_h *done;
	void *arg;
	int err;
	const char *driver;      /* being asked                             */
	const struct media *m;
	unsigned count;
	struct media_listed v[LIST_MAX];
	char names[LIST_MAX][AUDIO_NAME];
};


static void list_h(const struct audio_listed *al, void *arg)
{
	struct list_job *j = arg;

	if (j->count >= LIST_MAX)
		return;

	j->v[j->count].driver = j->driver;
	j->v[j->count].dev = *al;
	(void)strncpy(j->names[j->count], al->name, AUDIO_NAME - 1);
	j->v[j->count].dev.name = j->names[j->count];
	++j->count;
}


/* Which one a name means: as the driver takes it, that very name, else the
 * first that has it as a part. @return j->count: none */
static unsigned meant(const struct list_job *j, const char *name, bool in)
{
	unsigned part = j->count;

	for (unsigned i = 0; i < j->count; i++) {
		const struct audio_listed *al = &j->v[i].dev;

		if (!(in ? al->in_channels : al->out_channels))
			continue;
		if (!*name ? (in ? al->default_in : al->default_out) :
		    !strcasecmp(al->name, name))
			return i;
		if (part == j->count && *name && strcasestr(al->name, name))
			part = i;
	}

	return part;
}


/* What is open is what was opened, whatever is chosen for the next call */
static void mark_open(struct list_job *j, const struct device *d)
{
	if (d->state != DEVICE_OPEN || !d->drv->list)
		return;

	for (unsigned i = 0; i < j->count; i++) {
		struct media_listed *ml = &j->v[i];
		const bool in = d->info.has_in && ml->dev.in_channels &&
			!strcmp(d->info.in_name, ml->dev.name);
		const bool out = d->info.has_out && ml->dev.out_channels &&
			!strcmp(d->info.out_name, ml->dev.name);

		ml->open = ml->open || in || out;
		if (in)
			ml->dev.in_latency_ms = d->info.in_latency_ms;
		if (out)
			ml->dev.out_latency_ms = d->info.out_latency_ms;
	}
}


static void mark(struct list_job *j)
{
	const struct device *d = j->m->dev, *ring = j->m->ring;
	const struct device *monitor = j->m->monitor;
	unsigned i;

	mark_open(j, d);
	mark_open(j, ring);
	mark_open(j, monitor);
	if (monitor->drv) {
		i = meant(j, monitor->spec.out, false);
		if (i < j->count)
			j->v[i].monitor = true;
	}
	if (!d->drv || !d->drv->list)
		return;

	i = meant(j, d->spec.in, true);
	if (i < j->count)
		j->v[i].mic = true;
	i = meant(j, d->spec.out, false);
	if (i < j->count)
		j->v[i].speaker = true;
	if (ring->drv)
		i = meant(j, ring->spec.out, false);
	if (i < j->count)
		j->v[i].ring = true;
}


static void list_drop(void *arg)
{
	free(arg);
}


static void list_work(void *arg)
{
	struct list_job *j = arg;

	for (const struct audio_driver *const *p = audio_table(); *p; p++) {

		if (!(*p)->list)
			continue;

		j->driver = (*p)->name;
		j->err = (*p)->list(list_h, j);
	}
}


static void list_done(void *arg)
{
	struct list_job *j = arg;

	mark(j);
	for (unsigned i = 0; i < j->count; i++)
		j->h(&j->v[i], j->arg);

	j->done(j->count ? 0 : j->err, j->arg);
	free(j);
}


int device_list(struct device *d, media_list_h *h, media_list_done_h *done,
		void *arg)
{
	struct list_job *j;
	int err;

	if (!h || !done)
		return EINVAL;

	err = device_worker(d);
	if (err)
		return err;

	j = calloc(1, sizeof(*j));
	if (!j)
		return ENOMEM;

	j->m = d->m;
	j->h = h;
	j->done = done;
	j->arg = arg;

	err = worker_post(d->m->worker, list_work, list_done, list_drop, j);
	if (err)
		free(j);

	return err;
}
