/**
 * @file null.c  No device: silence in, nothing out
 *
 * `null` stands in for a sound card that is not there, `silence` is a source
 * one may ask for; they do the same.  Without a clock of their own they are
 * read and written from the engine's timer, so their clock is perfect.
 * Opened and closed on main, the rest on the media thread.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "priv.h"


/* There is no state, but a device must have an address */
struct audio_dev {
	char unused;
};


static int open_as(struct audio_dev **devp, struct audio_info *info,
		   const struct audio_param *prm, const char *name, bool in)
{
	static struct audio_dev nothing;

	memset(info, 0, sizeof(*info));
	info->rate_hz = prm->rate_hz;
	info->has_in  = in;
	(void)snprintf(info->in_name, sizeof(info->in_name), "%s", name);
	(void)snprintf(info->out_name, sizeof(info->out_name), "null");

	*devp = &nothing;

	return 0;
}


static int null_open(struct audio_dev **devp, struct audio_info *info,
		     const struct audio_param *prm, char *err, size_t errsz)
{
	(void)err;
	(void)errsz;

	return open_as(devp, info, prm, "null", false);
}


static int silence_open(struct audio_dev **devp, struct audio_info *info,
			const struct audio_param *prm,
			char *err, size_t errsz)
{
	(void)err;
	(void)errsz;

	return open_as(devp, info, prm, "silence", true);
}


static size_t null_read(struct audio_dev *dev, int16_t *v, size_t n)
{
	(void)dev;
	memset(v, 0, n * sizeof(*v));

	return n;
}


static size_t null_write(struct audio_dev *dev, const int16_t *v, size_t n)
{
	(void)dev;
	(void)v;

	return n;
}


static size_t null_fill(const struct audio_dev *dev)
{
	(void)dev;

	return 0;
}


static bool null_alive(const struct audio_dev *dev)
{
	(void)dev;

	return true;
}


static void null_close(struct audio_dev *dev)
{
	(void)dev;
}


const struct audio_driver audio_null = {
	.name = "null",
	.summary = "no device: silence in, nothing out",
	.open = null_open, .read = null_read, .write = null_write,
	.in_fill = null_fill, .out_fill = null_fill, .alive = null_alive,
	.close = null_close,
};

const struct audio_driver audio_silence = {
	.name = "silence",
	.summary = "silence as the source, nothing out",
	.open = silence_open, .read = null_read, .write = null_write,
	.in_fill = null_fill, .out_fill = null_fill, .alive = null_alive,
	.close = null_close,
};
