/**
 * @file portaudio.c  The sound card, by PortAudio
 *
 * Two one-way streams, never a duplex one: through the plugins of today's
 * desktops one duplex stream breaks up the sound, two do not.  The capture
 * stream is the clock; without a microphone the playback stream is.
 *
 * list, open and close run on the device thread, which alone calls PortAudio
 * (it takes its time and is not thread-safe); read, write, fill and alive on
 * the media thread; service on main.  They share the two rings and atomics.
 * What the callbacks do is in callback.c.
 * Which devices there are is known to pa_devices.c.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <offhook/clock.h>
#include <offhook/log.h>
#include <offhook/text.h>
#include "pa.h"

#define LOG_MODULE "audio"


enum {
	LATENCY_MS  = 40,        /* suggested; less breaks up under load    */
	PRIME_MS    = 15,        /* speaker: in hand before it begins       */
	SLOPE_MS    = 2,         /* it falls silent, and begins again       */
	SPARE_LUMPS = 2,
	SPEAKER_MS  = 100,       /* speaker: more is refused                */
	MIC_MS      = 100,       /* microphone: the media thread may be late */
	STALL_MS    = 3000,      /* no callback for so long: it is gone     */
	RATES       = 5,
	PIECE       = 480,
};

struct audio_dev {
	struct callback cb;
	PaStream *in, *out;      /* device thread                           */
	size_t cap;              /* samples the speaker may hold, of one
				    channel                                 */
	bool reading;            /* media has begun to read                 */

	/* watchdog, main */
	unsigned captured, played, underruns;
	uint64_t moved_ms;       /* when a callback was last seen; 0: never */
};

/* one direction while it is being opened */
struct side {
	bool in;
	PaDeviceIndex index;     /* paNoDevice: none                        */
	unsigned channels;       /* wanted, then had                        */
	PaStream *stream;
	PaError err;
};


/*
 * ALSA keeps as much as is asked for, but takes and gives it in lumps, as
 * PortAudio has it a fourth of that at least; a lump is delay on both sides.
 * One block each is best. Whoever knows no ALSA has no such function.
 */
static void lumps(unsigned latency_ms)
{
	union {
		void *sym;
		void (*periods)(int n);
	} u;

	u.sym = dlsym(RTLD_DEFAULT, "PaAlsa_SetNumPeriods");
	if (u.sym)
		u.periods((int)(latency_ms / AUDIO_BLOCK_MS) + SPARE_LUMPS);
}


/* As many channels as are wanted, if it has them */
static unsigned channels_of(const struct side *s, unsigned wanted)
{
	const PaDeviceInfo *d = pa_device(s->index);

	return wanted > 1 && d && pa_channels(d, s->in) > 1 ? 2 : 1;
}


static void open_side(struct side *s, struct callback *cb, uint32_t rate_hz,
		      unsigned latency_ms)
{
	PaStreamParameters p = {
		.device = s->index,
		.channelCount = (int)s->channels,
		.sampleFormat = paInt16,
		.suggestedLatency = latency_ms / 1000.0,
	};

	s->err = paNoError;
	if (s->index == paNoDevice)
		return;

	s->err = Pa_OpenStream(&s->stream, s->in ? &p : NULL,
			       s->in ? NULL : &p, rate_hz,
			       rate_hz * AUDIO_BLOCK_MS / 1000, paNoFlag,
			       s->in ? callback_capture : callback_playback,
			       cb);
	if (s->err == paNoError)
		s->err = Pa_SetStreamFinishedCallback(s->stream,
						      callback_finished);
}


static void close_side(PaStream **sp)
{
	if (*sp) {
		(void)Pa_AbortStream(*sp);
		(void)Pa_CloseStream(*sp);
	}
	*sp = NULL;
}


/* the wanted rate, then the devices' own, then the usual two */
static void list_rates(uint32_t rates[RATES], uint32_t wanted,
		       const struct side *in, const struct side *out)
{
	const PaDeviceInfo *i = pa_device(in->index);
	const PaDeviceInfo *o = pa_device(out->index);

	rates[0] = wanted;
	rates[1] = i ? (uint32_t)i->defaultSampleRate : 48000;
	rates[2] = o ? (uint32_t)o->defaultSampleRate : 48000;
	rates[3] = 48000;
	rates[4] = 44100;
}


/*
 * Both at the first rate that both take. When one of them fails for another
 * reason (taken by somebody else, say) the other is still better than none.
 * @return the rate, or 0
 */
static uint32_t open_sides(struct side *in, struct side *out,
			   struct callback *cb, uint32_t wanted,
			   unsigned latency_ms)
{
	uint32_t rates[RATES];

	list_rates(rates, wanted, in, out);

	for (int i = 0; i < RATES; i++) {
		bool again = false;

		for (int k = 0; k < i; k++)
			again = again || rates[k] == rates[i];
		if (again || rates[i] < 8000 || rates[i] > 192000)
			continue;

		open_side(in, cb, rates[i], latency_ms);
		open_side(out, cb, rates[i], latency_ms);

		if (in->err != paInvalidSampleRate &&
		    out->err != paInvalidSampleRate) {
			if (in->err)
				close_side(&in->stream);
			if (out->err)
				close_side(&out->stream);
			return in->stream || out->stream ? rates[i] : 0;
		}

		close_side(&in->stream);
		close_side(&out->stream);
	}

	return 0;
}


static void describe(char *dst, const struct side *s)
{
	const PaDeviceInfo *d = s->stream ? pa_device(s->index) : NULL;
	const char *name = d ? d->name : "none";

	text_escape(dst, AUDIO_NAME, name, strlen(name));
}


static void explain(const struct side *s, char *err, size_t errsz)
{
	const PaHostErrorInfo *host = Pa_GetLastHostErrorInfo();
	const PaDeviceInfo *d = pa_device(s->index);
	const char *why = s->err == paUnanticipatedHostError && host
		? host->errorText : Pa_GetErrorText(s->err);
	char name[AUDIO_NAME], text[96];

	text_escape(name, sizeof(name), d ? d->name : "?",
		    d ? strlen(d->name) : 1);
	text_escape(text, sizeof(text), why, strlen(why));
	(void)snprintf(err, errsz, "cannot open the sound device '%s' to %s: "
		       "%s", name, s->in ? "record" : "play", text);
}


static int open_found(struct audio_dev **devp, struct audio_info *info,
		      const struct audio_param *prm, char *err, size_t errsz)
{
	struct side in  = { .in = true,  .index = paNoDevice };
	struct side out = { .in = false, .index = paNoDevice };
	const unsigned latency_ms = prm->latency_ms ? prm->latency_ms :
		LATENCY_MS;
	const PaStreamInfo *si, *so;
	struct audio_dev *dev = NULL;
	uint32_t rate;
	int e;

	e = pa_initialise(err, errsz);
	if (e)
		return e;

	e = pa_choose(&in.index, &out.index, prm, err, errsz);
	if (e)
		goto out;

	dev = calloc(1, sizeof(*dev));
	if (!dev) {
		e = ENOMEM;
		goto out;
	}

	in.channels = channels_of(&in, prm->in_channels);
	out.channels = channels_of(&out, prm->channels);

	lumps(latency_ms);
	rate = open_sides(&in, &out, &dev->cb, prm->rate_hz, latency_ms);
	if ((out.channels > 1 && !out.stream && out.index != paNoDevice) ||
	    (in.channels > 1 && !in.stream && in.index != paNoDevice)) {
		/* it has two only by its own account */
		close_side(&in.stream);
		close_side(&out.stream);
		in.channels = out.channels = 1;
		rate = open_sides(&in, &out, &dev->cb, prm->rate_hz,
				  latency_ms);
	}
	if (!rate) {
		explain(in.err ? &in : &out, err, errsz);
		e = EIO;
		goto out;
	}

	dev->cb.wake_fd = prm->wake_fd;
	dev->cb.has_in  = in.stream != NULL;
	dev->cb.channels = out.channels;
	dev->cb.in_channels = in.channels;
	dev->cb.prime   = rate * PRIME_MS / 1000 * out.channels;
	dev->cb.slope   = rate * SLOPE_MS / 1000 * out.channels;
	dev->cap        = rate * SPEAKER_MS / 1000;

	e = ring_alloc(&dev->cb.in, rate * MIC_MS / 1000 * in.channels);
	if (!e)
		e = ring_alloc(&dev->cb.out, dev->cap * out.channels);
	if (e)
		goto out;

	/* from here on the callbacks run */
	if (out.stream)
		out.err = Pa_StartStream(out.stream);
	if (in.stream)
		in.err = Pa_StartStream(in.stream);
	if ((out.stream && out.err) || (in.stream && in.err)) {
		explain(in.stream && in.err ? &in : &out, err, errsz);
		e = EIO;
		goto out;
	}

	memset(info, 0, sizeof(*info));
	si = in.stream ? Pa_GetStreamInfo(in.stream) : NULL;
	so = out.stream ? Pa_GetStreamInfo(out.stream) : NULL;
	info->rate_hz = rate;
	info->has_in  = in.stream != NULL;
	info->has_out = out.stream != NULL;
	info->channels = out.channels;
	info->in_channels = in.channels;
	info->in_latency_ms  = si ? pa_to_ms(si->inputLatency) : 0;
	info->out_latency_ms = so ? pa_to_ms(so->outputLatency) : 0;
	describe(info->in_name, &in);
	describe(info->out_name, &out);

	dev->in  = in.stream;
	dev->out = out.stream;
	*devp = dev;
	pa_use(true);

 out:
	if (e) {
		if (e == ENOMEM)
			(void)snprintf(err, errsz, "no memory for sound");
		close_side(&in.stream);
		close_side(&out.stream);
		if (dev) {
			ring_free(dev->cb.in);
			ring_free(dev->cb.out);
		}
		free(dev);
	}

	return e;
}


static void pa_close(struct audio_dev *dev)
{
	/* when this returns no callback runs any more */
	close_side(&dev->in);
	close_side(&dev->out);
	pa_use(false);

	ring_free(dev->cb.in);
	ring_free(dev->cb.out);
	free(dev);
}


static int pa_open(struct audio_dev **devp, struct audio_info *info,
		   const struct audio_param *prm, char *err, size_t errsz)
{
	const bool old = pa_is_old();
	struct audio_dev *dev = NULL;
	int e;

	if (prm->rate_hz < 8000 || prm->rate_hz > 192000) {
		(void)snprintf(err, errsz, "no sound device runs at %u Hz",
			       (unsigned)prm->rate_hz);
		return EINVAL;
	}

	e = open_found(&dev, info, prm, err, errsz);
	if (old && (e || !info->has_out || (!info->has_in && !prm->out_only))) {
		/* there may be others by now */
		if (!e)
			pa_close(dev);
		pa_forget();
		e = open_found(&dev, info, prm, err, errsz);
	}
	if (!e)
		*devp = dev;

	return e;
}


/* What was captured before anybody listened is old; n: of all channels */
static void reading(struct audio_dev *dev, size_t n)
{
	const size_t fill = ring_fill(dev->cb.in);

	if (!dev->reading && fill > n)
		(void)ring_drop(dev->cb.in, fill - n);
	dev->reading = true;
}


static size_t pa_read_two(struct audio_dev *dev, int16_t *left, int16_t *right,
			  size_t n)
{
	int16_t both[2 * PIECE];
	size_t done = 0;

	if (dev->cb.in_channels != 2)
		return 0;

	reading(dev, 2 * n);
	while (done < n) {
		const size_t k = n - done < PIECE ? n - done : PIECE;
		const size_t got = ring_read(dev->cb.in, both, 2 * k) / 2;

		for (size_t i = 0; i < got; i++) {
			left[done + i] = both[2 * i];
			right[done + i] = both[2 * i + 1];
		}
		done += got;
		if (got < k)
			break;
	}

	return done;
}


static size_t pa_read(struct audio_dev *dev, int16_t *v, size_t n)
{
	reading(dev, n);

	return ring_read(dev->cb.in, v, n);
}


static size_t pa_out_fill(const struct audio_dev *dev)
{
	return ring_fill(dev->cb.out) / dev->cb.channels;
}


static size_t pa_write_two(struct audio_dev *dev, const int16_t *v,
			   const int16_t *side, size_t n)
{
	int16_t both[2 * PIECE];
	size_t fill, done = 0;

	if (!dev->out)
		return n;

	fill = pa_out_fill(dev);
	if (fill >= dev->cap)
		return 0;
	if (n > dev->cap - fill)
		n = dev->cap - fill;
	if (dev->cb.channels == 1)
		return ring_write(dev->cb.out, v, n);

	while (done < n) {
		const size_t k = n - done < PIECE ? n - done : PIECE;

		frames_make(both, v + done, side ? side + done : NULL, k);
		if (ring_write(dev->cb.out, both, 2 * k) < 2 * k)
			break;
		done += k;
	}

	return done;
}


static size_t pa_write(struct audio_dev *dev, const int16_t *v, size_t n)
{
	return pa_write_two(dev, v, NULL, n);
}


static size_t pa_in_fill(const struct audio_dev *dev)
{
	return ring_fill(dev->cb.in) / dev->cb.in_channels;
}


static size_t pa_missed(const struct audio_dev *dev)
{
	return atomic_load_explicit(&dev->cb.missed, memory_order_relaxed);
}


static bool pa_alive(const struct audio_dev *dev)
{
	return !atomic_load_explicit(&dev->cb.gone, memory_order_relaxed);
}


/* Some sound systems just stop calling when they die */
static int pa_service(struct audio_dev *dev, char *err, size_t errsz)
{
	const unsigned captured = atomic_load(&dev->cb.captured);
	const unsigned played = atomic_load(&dev->cb.played);
	const unsigned underruns = atomic_load(&dev->cb.underruns);
	const uint64_t now = clock_ms();
	(void)err;
	(void)errsz;

	if (!dev->moved_ms ||
	    ((!dev->in || captured != dev->captured) &&
	     (!dev->out || played != dev->played))) {
		dev->captured = captured;
		dev->played   = played;
		dev->moved_ms = now;
	}
	else if (now - dev->moved_ms > STALL_MS && pa_alive(dev)) {
		log_warn("the sound device has stood still for %d s",
			 STALL_MS / 1000);
		atomic_store(&dev->cb.gone, true);
	}

	if (underruns != dev->underruns) {
		log_debug("the loudspeaker ran dry %u times",
			  underruns - dev->underruns);
		dev->underruns = underruns;
	}

	return 0;
}


const struct audio_driver audio_portaudio = {
	.name = "portaudio",
	.summary = "the sound card (the default one, or by a part of its name)",
	.clock = true, .blocks = true,
	.list = pa_list, .open = pa_open, .read = pa_read, .write = pa_write,
	.write_two = pa_write_two, .read_two = pa_read_two,
	.in_fill = pa_in_fill, .out_fill = pa_out_fill, .missed = pa_missed,
	.alive = pa_alive, .service = pa_service, .close = pa_close,
	.rest = pa_forget,
};
