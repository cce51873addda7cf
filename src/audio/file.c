/**
 * @file file.c  WAV files instead of a sound card
 *
 * Opened, serviced and closed on main, which alone touches the disk; read
 * and write on the media thread.  IN is in memory before the first block is
 * asked for; OUT goes through a ring that main empties.  A disk that is full
 * or too slow costs sound in the file, never the call.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <offhook/compat.h>
#include <offhook/log.h>
#include <offhook/text.h>
#include "priv.h"

#define LOG_MODULE "audio"


enum { PIECE = 480 };

struct audio_dev {
	int16_t *v;              /* IN, NULL: none                          */
	size_t n;                /* samples in it                           */
	size_t pos;              /* the next; media                         */
	struct ring *ring;       /* media -> main, NULL: no OUT             */
	struct sound_file *out;  /* main                                    */
	bool failed;             /* OUT cannot be written any more; main    */
	uint32_t rate_hz;
	unsigned channels;       /* of OUT, by turns in the ring            */
	char out_name[AUDIO_NAME];
};


static void file_close(struct audio_dev *dev);


static const char *base(const char *path)
{
	const char *p = strrchr(path, '/');

	return p && p[1] ? p + 1 : path;
}


static void show(char dst[AUDIO_NAME], const char *path)
{
	const char *name = path[0] ? base(path) : "null";

	text_escape(dst, AUDIO_NAME, name, strlen(name));
}


/* Would OUT be written? It is made for that and taken away again */
static int check_out(const char *path, char *err, size_t errsz)
{
	char shown[AUDIO_NAME];
	struct stat st;
	bool there, odd = false;
	int fd, e = 0;

	there = !lstat(path, &st);

	/* a FIFO would keep us waiting for its reader */
	fd = open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		  0666);
	if (fd < 0 || fstat(fd, &st))
		e = errno;
	else
		odd = !S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode);

	if (e || odd)
		(void)snprintf(err, errsz, "cannot write %s: %s",
			       text_escape(shown, sizeof(shown), path,
					   strlen(path)),
			       odd || e == ENXIO ? "it is no file" :
			       strerror(e));
	if (fd >= 0) {
		(void)close(fd);
		if (!there)
			(void)unlink(path);
	}

	return odd ? EINVAL : e;
}


static int file_check(const struct audio_spec *as, char *err, size_t errsz)
{
	int16_t *v = NULL;
	uint32_t rate_hz;
	size_t n;
	int e = 0;

	if (as->in[0])
		e = sound_read(&v, &n, &rate_hz, as->in, err, errsz);
	if (!e && as->out[0])
		e = check_out(as->out, err, errsz);
	free(v);

	return e;
}


static int file_open(struct audio_dev **devp, struct audio_info *info,
		     const struct audio_param *prm, char *err, size_t errsz)
{
	struct audio_dev *dev;
	int e = 0;

	if (!prm->rate_hz || (!prm->in[0] && !prm->out[0])) {
		(void)snprintf(err, errsz, "file wants IN.wav, OUT.wav or "
			       "both: file:IN.wav,OUT.wav");
		return EINVAL;
	}

	dev = calloc(1, sizeof(*dev));
	if (!dev) {
		e = ENOMEM;
		goto out;
	}

	dev->rate_hz = prm->rate_hz;
	dev->channels = prm->channels == 2 ? 2 : 1;

	if (prm->in[0]) {
		e = sound_read_at(&dev->v, &dev->n, prm->rate_hz, prm->in,
				  err, errsz);
		if (e)
			goto out;
	}

	if (prm->out[0]) {
		/* main may be busy for a second */
		e = ring_alloc(&dev->ring, prm->rate_hz * dev->channels);
		if (e)
			goto out;
		e = sound_open_write(&dev->out, prm->out, prm->rate_hz,
				     dev->channels, err, errsz);
		if (e)
			goto out;
	}

	memset(info, 0, sizeof(*info));
	info->rate_hz = prm->rate_hz;
	info->has_in  = dev->v != NULL;
	info->has_out = dev->out != NULL;
	info->channels = dev->channels;
	show(info->in_name, prm->in);
	show(info->out_name, prm->out);
	show(dev->out_name, prm->out);

	*devp = dev;

 out:
	if (e == ENOMEM)
		(void)snprintf(err, errsz, "no memory for the file");
	if (e && dev)
		file_close(dev);

	return e;
}


static size_t file_read(struct audio_dev *dev, int16_t *v, size_t n)
{
	const size_t left = dev->n - dev->pos, k = n < left ? n : left;

	if (k)
		memcpy(v, dev->v + dev->pos, k * sizeof(*v));
	if (k < n)
		memset(v + k, 0, (n - k) * sizeof(*v));
	dev->pos += k;

	return n;
}


static size_t file_write_two(struct audio_dev *dev, const int16_t *v,
			     const int16_t *side, size_t n)
{
	int16_t both[2 * PIECE];

	for (size_t i = 0; dev->ring && i < n; i += PIECE) {
		const size_t k = n - i < PIECE ? n - i : PIECE;

		/* the ring counts what it refuses */
		frames_make(both, v + i, side ? side + i : NULL, k);
		(void)ring_write(dev->ring, both, 2 * k);
	}

	return n;
}


static size_t file_write(struct audio_dev *dev, const int16_t *v, size_t n)
{
	if (dev->channels == 2)
		return file_write_two(dev, v, NULL, n);

	/* the same here */
	if (dev->ring)
		(void)ring_write(dev->ring, v, n);

	return n;
}


static size_t file_in_fill(const struct audio_dev *dev)
{
	return dev->n - dev->pos;
}


static size_t file_out_fill(const struct audio_dev *dev)
{
	(void)dev;

	return 0;
}


static bool file_alive(const struct audio_dev *dev)
{
	(void)dev;

	return true;
}


static int file_service(struct audio_dev *dev, char *err, size_t errsz)
{
	int16_t v[4096];
	int e = 0;
	size_t n;

	while (dev->ring &&
	       (n = ring_read(dev->ring, v, sizeof(v) / sizeof(v[0])))) {

		if (dev->failed)
			continue;

		e = sound_write(dev->out, v, n / dev->channels);
		if (e) {
			dev->failed = true;
			(void)snprintf(err, errsz, "%s: %s; the file ends "
				       "after %.1f s, the call goes on",
				       dev->out_name, strerror(e),
				       (double)sound_frames(dev->out) /
				       dev->rate_hz);
		}
	}

	return e;
}


static void file_close(struct audio_dev *dev)
{
	if (dev->out) {
		const uint64_t lost = ring_refused(dev->ring);

		if (lost)
			log_warn("%s: %.1f s are missing: the disk was too "
				 "slow", dev->out_name,
				 (double)lost / dev->channels / dev->rate_hz);
	}

	mem_deref(dev->out);
	ring_free(dev->ring);
	free(dev->v);
	free(dev);
}


const struct audio_driver audio_file = {
	.name = "file",
	.summary = "sound files: IN.wav is played once, OUT.wav is written",
	.check = file_check, .open = file_open, .read = file_read,
	.write = file_write, .write_two = file_write_two,
	.in_fill = file_in_fill, .out_fill = file_out_fill,
	.alive = file_alive, .service = file_service, .close = file_close,
};
