/**
 * @file fake_pa.c  A PortAudio that a test can arrange
 *
 * Defines the functions of PortAudio that the driver calls; in a program
 * they are found before the library's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "fake_pa.h"


struct fake_pa fake_pa;


void fake_pa_reset(void)
{
	memset(&fake_pa, 0, sizeof(fake_pa));
	fake_pa.def_in = fake_pa.def_out = paNoDevice;
}


void fake_pa_add(const char *name, int in, int out, double rate)
{
	struct fake_device *d = &fake_pa.devices[fake_pa.count++];

	d->name = name;
	d->in   = in;
	d->out  = out;
	d->rate = rate;
}


struct fake_stream *fake_pa_stream(bool is_in)
{
	for (int i = 0; i < FAKE_STREAMS; i++) {
		struct fake_stream *s = &fake_pa.streams[i];

		if (s->open && s->is_in == is_in)
			return s;
	}

	return NULL;
}


void fake_pa_run(bool is_in, const short *in, short *out, unsigned long n)
{
	struct fake_stream *s = fake_pa_stream(is_in);

	assert_non_null(s);
	assert_true(s->started);
	assert_int_equal(paContinue, s->cb(in, out, n, NULL, 0, s->arg));
}


PaError Pa_Initialize(void)
{
	if (fake_pa.init_err)
		return fake_pa.init_err;
	fake_pa.initialised++;
	fake_pa.inits++;
	fake_pa.seen = fake_pa.count;

	return paNoError;
}


PaError Pa_Terminate(void)
{
	assert_true(fake_pa.initialised > 0);
	fake_pa.initialised--;

	return paNoError;
}


const char *Pa_GetErrorText(PaError e)
{
	return e == paDeviceUnavailable ? "Device unavailable" : "some error";
}


const PaHostErrorInfo *Pa_GetLastHostErrorInfo(void)
{
	static const PaHostErrorInfo info = { .errorText = "host says no" };

	return &info;
}


PaHostApiIndex Pa_GetHostApiCount(void)
{
	return 2;
}


const PaHostApiInfo *Pa_GetHostApiInfo(PaHostApiIndex i)
{
	static const PaHostApiInfo info[2] = {
		{ .name = "ALSA" }, { .name = "OSS" }
	};

	return &info[i];
}


PaDeviceIndex Pa_GetDeviceCount(void)
{
	assert_true(fake_pa.initialised > 0);

	return fake_pa.seen;
}


const PaDeviceInfo *Pa_GetDeviceInfo(PaDeviceIndex i)
{
	static PaDeviceInfo info[FAKE_DEVICES];
	const struct fake_device *d;

	if (i < 0 || i >= fake_pa.count)
		return NULL;

	d = &fake_pa.devices[i];
	info[i].name = d->name;
	info[i].maxInputChannels  = d->in;
	info[i].maxOutputChannels = d->out;
	info[i].defaultSampleRate = d->rate > 0 ? d->rate : 48000;
	info[i].defaultLowInputLatency = 0.0087;
	info[i].defaultLowOutputLatency = 0.012;

	return &info[i];
}


PaDeviceIndex Pa_GetDefaultInputDevice(void)
{
	return fake_pa.def_in;
}


PaDeviceIndex Pa_GetDefaultOutputDevice(void)
{
	return fake_pa.def_out;
}


PaError Pa_OpenStream(PaStream **stream, const PaStreamParameters *in,
		      const PaStreamParameters *out, double rate,
		      unsigned long frames, PaStreamFlags flags,
		      PaStreamCallback *cb, void *arg)
{
	const PaStreamParameters *p = in ? in : out;
	const struct fake_device *d = &fake_pa.devices[p->device];
	(void)flags;

	/* one way, a mono microphone, 16 bit */
	assert_true(!in != !out);
	assert_in_range(p->channelCount, 1, in ? 1 : 2);
	assert_int_equal(paInt16, p->sampleFormat);
	assert_true(fake_pa.initialised > 0);
	assert_in_range(p->device, 0, fake_pa.count - 1);

	if (d->rate > 0 && (uint32_t)d->rate != (uint32_t)rate)
		return paInvalidSampleRate;
	if (d->open_err)
		return d->open_err;
	if (d->mono && p->channelCount > 1)
		return paInvalidChannelCount;

	for (int i = 0; i < FAKE_STREAMS; i++) {
		struct fake_stream *s = &fake_pa.streams[i];

		if (s->open)
			continue;
		memset(s, 0, sizeof(*s));
		s->open    = true;
		s->is_in   = in != NULL;
		s->device  = p->device;
		s->channels = p->channelCount;
		s->rate    = rate;
		s->latency = p->suggestedLatency;
		s->frames  = frames;
		s->cb      = cb;
		s->arg     = arg;
		fake_pa.opened++;
		*stream = s;
		return paNoError;
	}

	return paInsufficientMemory;
}


PaError Pa_SetStreamFinishedCallback(PaStream *stream,
				     PaStreamFinishedCallback *h)
{
	((struct fake_stream *)stream)->finished = h;

	return paNoError;
}


PaError Pa_StartStream(PaStream *stream)
{
	struct fake_stream *s = stream;

	assert_true(s->open);
	if (fake_pa.devices[s->device].start_err)
		return fake_pa.devices[s->device].start_err;
	s->started = true;

	return paNoError;
}


PaError Pa_AbortStream(PaStream *stream)
{
	struct fake_stream *s = stream;

	assert_true(s->open);
	if (s->started && s->finished)
		s->finished(s->arg);
	s->started = false;

	return paNoError;
}


PaError Pa_CloseStream(PaStream *stream)
{
	struct fake_stream *s = stream;

	assert_true(s->open);
	s->open = false;
	fake_pa.closed++;

	return paNoError;
}


const PaStreamInfo *Pa_GetStreamInfo(PaStream *stream)
{
	static PaStreamInfo info = { .inputLatency = 0.041,
				     .outputLatency = 0.0625 };
	(void)stream;

	return &info;
}
