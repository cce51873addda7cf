/**
 * @file tone.c  A steady tone as the source; what is to be heard is dropped
 *
 * Opened and closed on main, the rest on the media thread.  The phase goes
 * on from block to block, so that a listener can tell a lost sample.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <offhook/text.h>
#include "priv.h"


#define LEVEL 8231.0             /* -12 dBFS */

struct audio_dev {
	double step;             /* radians a sample      */
	double phase;            /* of the next, 0..2 pi  */
};


static int tone_open(struct audio_dev **devp, struct audio_info *info,
		     const struct audio_param *prm, char *err, size_t errsz)
{
	struct audio_dev *dev;
	double hz;

	if (!prm->rate_hz || text_double(&hz, prm->in, 20.0, 20000.0)) {
		(void)snprintf(err, errsz, "tone wants a frequency in Hz "
			       "from 20 to 20000");
		return EINVAL;
	}
	if (hz * 2 >= prm->rate_hz) {
		(void)snprintf(err, errsz, "a tone of %g Hz cannot be had at "
			       "%u samples a second; at most %u Hz", hz,
			       (unsigned)prm->rate_hz,
			       (unsigned)prm->rate_hz / 2 - 1);
		return EINVAL;
	}

	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return ENOMEM;

	dev->step = 2 * M_PI * hz / prm->rate_hz;

	memset(info, 0, sizeof(*info));
	info->rate_hz = prm->rate_hz;
	info->has_in  = true;
	(void)snprintf(info->in_name, sizeof(info->in_name), "tone %g Hz",
		       hz);
	(void)snprintf(info->out_name, sizeof(info->out_name), "null");

	*devp = dev;

	return 0;
}


static size_t tone_read(struct audio_dev *dev, int16_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		v[i] = (int16_t)lrint(LEVEL * sin(dev->phase));
		dev->phase += dev->step;
		if (dev->phase >= 2 * M_PI)
			dev->phase -= 2 * M_PI;
	}

	return n;
}


static size_t tone_write(struct audio_dev *dev, const int16_t *v, size_t n)
{
	(void)dev;
	(void)v;

	return n;
}


static size_t tone_fill(const struct audio_dev *dev)
{
	(void)dev;

	return 0;
}


static bool tone_alive(const struct audio_dev *dev)
{
	(void)dev;

	return true;
}


static void tone_close(struct audio_dev *dev)
{
	free(dev);
}


const struct audio_driver audio_tone = {
	.name = "tone",
	.summary = "a tone of so many Hz as the source, nothing out",
	.open = tone_open, .read = tone_read, .write = tone_write,
	.in_fill = tone_fill, .out_fill = tone_fill, .alive = tone_alive,
	.close = tone_close,
};
