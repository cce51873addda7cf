/**
 * @file pa_devices.c  The sound cards there are, as PortAudio has them
 *
 * Device thread, which alone calls PortAudio: it takes its time, and is not
 * thread-safe.
 *
 * PortAudio looks for devices when it is initialised.  It stays so, and looks
 * again when there is reason to: for a list, and when a device cannot be had;
 * so what was plugged in is found as soon as nothing is open.  Never while a
 * stream is open: ending it would take the stream along, and its list stays as
 * it was until then, whatever has been unplugged.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <offhook/log.h>
#include <offhook/text.h>
#include "pa.h"

#define LOG_MODULE "audio"


static void alsa_quiet(const char *file, int line, const char *func, int e,
		       const char *fmt, ...)
{
	(void)file;
	(void)line;
	(void)func;
	(void)e;
	(void)fmt;
}


static void jack_quiet(const char *msg)
{
	(void)msg;
}


/*
 * While PortAudio looks for devices ALSA and JACK write some hundred lines
 * to stderr. Both are in the process when PortAudio is; their handlers may be called
 * on the sound threads, so they do nothing at all.
 */
static void quiet_hosts(void)
{
	union {
		void *sym;
		int (*alsa)(void (*h)(const char *, int, const char *, int,
				      const char *, ...));
		void (*jack)(void (*h)(const char *));
	} u;

	u.sym = dlsym(RTLD_DEFAULT, "snd_lib_error_set_handler");
	if (u.sym)
		(void)u.alsa(alsa_quiet);

	u.sym = dlsym(RTLD_DEFAULT, "jack_set_error_function");
	if (u.sym)
		u.jack(jack_quiet);

	u.sym = dlsym(RTLD_DEFAULT, "jack_set_info_function");
	if (u.sym)
		u.jack(jack_quiet);
}


/* Device thread */
static struct {
	bool up;                 /* initialised                             */
	unsigned users;          /* devices that are open                   */
} pa;


void pa_use(bool open)
{
	if (open)
		++pa.users;
	else if (pa.users)
		--pa.users;
}


bool pa_is_old(void)
{
	return pa.up && !pa.users;
}


int pa_initialise(char *err, size_t errsz)
{
	PaError e;

	if (pa.up)
		return 0;

	/* whatever it brings must be there to be made quiet */
	(void)Pa_GetErrorText(paNoError);
	quiet_hosts();
	e = Pa_Initialize();
	pa.up = e == paNoError;
	if (pa.up)
		return 0;

	(void)snprintf(err, errsz, "PortAudio does not start: %s",
		       Pa_GetErrorText(e));

	return e == paInsufficientMemory ? ENOMEM : ENODEV;
}


/* It looks for devices anew */
void pa_forget(void)
{
	if (pa.up && !pa.users) {
		(void)Pa_Terminate();
		pa.up = false;
	}
}


/* A device that went while PortAudio looked may be left without a name */
const PaDeviceInfo *pa_device(PaDeviceIndex i)
{
	const PaDeviceInfo *d = i >= 0 && i < Pa_GetDeviceCount() ?
		Pa_GetDeviceInfo(i) : NULL;

	return d && d->name ? d : NULL;
}


int pa_channels(const PaDeviceInfo *d, bool in)
{
	return in ? d->maxInputChannels : d->maxOutputChannels;
}


/* exactly this name, else one that contains it; case does not matter */
static PaDeviceIndex find(const char *name, bool in)
{
	PaDeviceIndex part = paNoDevice;

	for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount(); i++) {
		const PaDeviceInfo *d = pa_device(i);

		if (!d || pa_channels(d, in) < 1)
			continue;
		if (0 == strcasecmp(d->name, name))
			return i;
		if (part == paNoDevice && strcasestr(d->name, name))
			part = i;
	}

	return part;
}


static PaDeviceIndex default_of(bool in)
{
	return in ? Pa_GetDefaultInputDevice() : Pa_GetDefaultOutputDevice();
}


static int no_device(char *err, size_t errsz)
{
	char apis[128] = "";

	for (PaHostApiIndex i = 0; i < Pa_GetHostApiCount(); i++) {
		const PaHostApiInfo *a = Pa_GetHostApiInfo(i);
		const size_t n = strlen(apis);

		if (a)
			(void)snprintf(apis + n, sizeof(apis) - n, "%s%s",
				       n ? ", " : "", a->name);
	}

	(void)snprintf(err, errsz, "no sound device (%s: none)",
		       apis[0] ? apis : "no sound system");

	return ENODEV;
}


/*
 * A name that fits nothing is an error; one that fits only a loudspeaker
 * leaves the microphone to the default, and the other way round.
 */
int pa_choose(PaDeviceIndex *in, PaDeviceIndex *out,
	      const struct audio_param *prm, char *err, size_t errsz)
{
	PaDeviceIndex *sides[2] = { in, out };

	for (int i = 0; i < 2; i++) {
		const bool is_in = i == 0;
		const char *name = is_in ? prm->in : prm->out;
		char shown[128];

		if (is_in && prm->out_only)
			continue;

		*sides[i] = name[0] ? find(name, is_in)
					  : default_of(is_in);
		if (!name[0] || *sides[i] != paNoDevice)
			continue;

		if (find(name, !is_in) != paNoDevice) {
			*sides[i] = default_of(is_in);
			continue;
		}
		if (Pa_GetDeviceCount() < 1)
			break;

		text_escape(shown, sizeof(shown), name, strlen(name));
		(void)snprintf(err, errsz, "no sound device is called '%s'; "
			       "'devices' lists those there are", shown);
		return ENODEV;
	}

	if (*in == paNoDevice && *out == paNoDevice)
		return no_device(err, errsz);

	return 0;
}


unsigned pa_to_ms(double s)
{
	return s > 0 && s < 60 ? (unsigned)(s * 1000 + 0.5) : 0;
}


static unsigned count(int channels_max)
{
	return channels_max > 0 ? (unsigned)channels_max : 0;
}


int pa_list(audio_list_h *h, void *arg)
{
	char err[256];
	int e;

	pa_forget();
	e = pa_initialise(err, sizeof(err));
	if (e) {
		log_warn("%s", err);
		return e;
	}

	for (PaDeviceIndex i = 0; i < Pa_GetDeviceCount(); i++) {
		const PaDeviceInfo *d = pa_device(i);
		char name[AUDIO_NAME];
		struct audio_listed al;

		if (!d)
			continue;

		text_escape(name, sizeof(name), d->name, strlen(d->name));
		al = (struct audio_listed) {
			.name = name,
			.in_channels = count(d->maxInputChannels),
			.out_channels = count(d->maxOutputChannels),
			.rate_hz = (uint32_t)d->defaultSampleRate,
			.in_latency_ms = pa_to_ms(d->defaultLowInputLatency),
			.out_latency_ms = pa_to_ms(d->defaultLowOutputLatency),
			.default_in = i == default_of(true),
			.default_out = i == default_of(false),
		};
		h(&al, arg);
	}

	return 0;
}
