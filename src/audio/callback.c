/**
 * @file callback.c  What runs on PortAudio's threads, all of it
 *
 * Copies samples between PortAudio's buffers and the two rings and wakes the
 * media thread with one 8-byte write.  Never allocates, locks, logs or calls
 * anything else: sound would stop while it waits.  PortAudio's under- and
 * overflow flags say nothing through most of ALSA's plugins, so they are not
 * looked at.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include "priv.h"


enum { SLOPE_UNIT = 1 << 12 };

static const int16_t zeros[480];


static void put_silence(struct ring *r, size_t n)
{
	while (n) {
		const size_t most = sizeof(zeros) / sizeof(zeros[0]);
		const size_t k = n < most ? n : most;

		(void)ring_write(r, zeros, k);
		n -= k;
	}
}


static void wake(const struct callback *cb)
{
	static const uint64_t one = 1;
	const int saved = errno;

	/* full means: it has been woken and has not yet come */
	if (cb->wake_fd >= 0 && write(cb->wake_fd, &one, sizeof(one)) < 0)
		errno = saved;
}


int callback_capture(const void *in, void *out, unsigned long n,
		     const PaStreamCallbackTimeInfo *time,
		     PaStreamCallbackFlags flags, void *arg)
{
	struct callback *cb = arg;
	(void)out;
	(void)time;
	(void)flags;

	/* a full ring refuses and counts: the media thread is too late */
	if (in)
		(void)ring_write(cb->in, in, n * cb->in_channels);
	else
		put_silence(cb->in, n * cb->in_channels);

	atomic_fetch_add_explicit(&cb->captured, 1, memory_order_relaxed);
	wake(cb);

	return paContinue;
}


/* Where sound stops for want of more, or begins again, it does so in 2 ms:
 * a step is a click, and louder than what is missing */
static void slope(int16_t *v, size_t n, int from, int to)
{
	for (size_t i = 0; i < n; i++)
		v[i] = (int16_t)(v[i] * (from + (to - from) * (int)i / (int)n) /
				 SLOPE_UNIT);
}


static size_t less(size_t a, size_t b)
{
	return a < b ? a : b;
}


/*
 * What is missing is played as silence, and what comes late is played after
 * it: so the level in the ring rises by just that much, and the next that is
 * as late is not heard.  n: of all channels.
 */
static size_t playback(struct callback *cb, int16_t *v, size_t n)
{
	size_t got;

	/* The two streams do not tick together: begin with some in hand */
	if (!cb->primed && ring_fill(cb->out) < n + cb->prime)
		return 0;
	cb->primed = true;

	got = ring_read(cb->out, v, n);
	if (cb->dry)
		slope(v, less(got, cb->slope), 0, SLOPE_UNIT);
	if (got < n) {
		const size_t k = less(got, cb->slope);

		slope(v + got - k, k, SLOPE_UNIT, 0);
		if (!cb->dry || got)
			atomic_fetch_add_explicit(&cb->underruns, 1,
						  memory_order_relaxed);
		atomic_fetch_add_explicit(&cb->missed,
					  (n - got) / cb->channels,
					  memory_order_relaxed);
	}
	cb->dry = got < n;

	return got;
}


int callback_playback(const void *in, void *out, unsigned long n,
		      const PaStreamCallbackTimeInfo *time,
		      PaStreamCallbackFlags flags, void *arg)
{
	struct callback *cb = arg;
	int16_t *v = out;
	size_t got;
	(void)in;
	(void)time;
	(void)flags;

	got = playback(cb, v, n * cb->channels);
	memset(v + got, 0, (n * cb->channels - got) * sizeof(*v));

	atomic_fetch_add_explicit(&cb->played, 1, memory_order_relaxed);

	if (!cb->has_in) {
		put_silence(cb->in, n * cb->in_channels);
		wake(cb);
	}

	return paContinue;
}


/* A stream ended: the server died, the device was unplugged, or we closed */
void callback_finished(void *arg)
{
	struct callback *cb = arg;

	atomic_store_explicit(&cb->gone, true, memory_order_relaxed);
}
