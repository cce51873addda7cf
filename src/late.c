/**
 * @file late.c  Sound libraries, loaded when they are first needed
 *
 * PortAudio, libsndfile and spandsp bring twenty libraries with them, and
 * linking those takes longer than everything else a start does: the figures
 * stand in meson_options.txt.  The functions we use of them are defined here:
 * the first call loads the library and finds the real one.  So the rest of
 * the program calls them as always, and the option `late` decides whether
 * this file is there.  Any thread.  When a library cannot be loaded its
 * functions fail, and those that tell why tell that; nothing is tried twice.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <portaudio.h>
#include <sndfile.h>
#ifdef HAVE_SPANDSP
#include <spandsp/telephony.h>
#include <spandsp/g722.h>
#include <spandsp/gsm0610.h>
#endif
#include "offhook/log.h"

#define LOG_MODULE "late"

struct library {
	const char *name;
	int flags;
	const char *loss;        /* said here when nobody else can           */
	void *handle;
	char why[200];           /* it cannot be used, "": it can            */
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* what PortAudio brings must be found by name: its noise is turned off */
static struct library portaudio = { "libportaudio.so.2", RTLD_GLOBAL, NULL,
				    NULL, "" };
static struct library sndfile = { "libsndfile.so.1", 0, NULL, NULL, "" };
#ifdef HAVE_SPANDSP
static struct library spandsp = { "libspandsp.so.2", 0,
				  "G.722 and GSM are left out", NULL, "" };
#endif


static void *library_find(struct library *lib, const char *name)
{
	void *p = NULL;

	(void)pthread_mutex_lock(&mutex);

	if (!lib->handle && !lib->why[0])
		lib->handle = dlopen(lib->name, RTLD_LAZY | lib->flags);
	if (lib->handle)
		p = dlsym(lib->handle, name);

	if (!p && !lib->why[0]) {
		const char *why = dlerror();

		(void)snprintf(lib->why, sizeof(lib->why), "%s",
			       why ? why : lib->name);
		if (lib->loss)
			log_warn("%s: %s", lib->loss, lib->why);
	}

	(void)pthread_mutex_unlock(&mutex);

	return p;
}


static void *late(_Atomic(void *) *at, struct library *lib, const char *name)
{
	void *p = atomic_load(at);

	if (!p) {
		p = library_find(lib, name);
		atomic_store(at, p);
	}

	return p;
}


#define LATE(lib, type, name, params, args, otherwise)			\
	type name params						\
	{								\
		static _Atomic(void *) at;				\
		union {							\
			void *p;					\
			type (*h) params;				\
		} u = { .p = late(&at, &lib, #name) };			\
									\
		return u.p ? u.h args : (otherwise);			\
	}


LATE(portaudio, PaError, Pa_Initialize, (void), (), paHostApiNotFound)
LATE(portaudio, PaError, Pa_Terminate, (void), (), paNotInitialized)
LATE(portaudio, const char *, Pa_GetErrorText, (PaError e), (e),
     portaudio.why)
LATE(portaudio, const PaHostErrorInfo *, Pa_GetLastHostErrorInfo, (void), (),
     NULL)
LATE(portaudio, PaHostApiIndex, Pa_GetHostApiCount, (void), (), 0)
LATE(portaudio, const PaHostApiInfo *, Pa_GetHostApiInfo,
     (PaHostApiIndex i), (i), NULL)
LATE(portaudio, PaDeviceIndex, Pa_GetDeviceCount, (void), (), 0)
LATE(portaudio, PaDeviceIndex, Pa_GetDefaultInputDevice, (void), (),
     paNoDevice)
LATE(portaudio, PaDeviceIndex, Pa_GetDefaultOutputDevice, (void), (),
     paNoDevice)
LATE(portaudio, const PaDeviceInfo *, Pa_GetDeviceInfo, (PaDeviceIndex i),
     (i), NULL)
LATE(portaudio, PaError, Pa_OpenStream,
     (PaStream **s, const PaStreamParameters *in,
      const PaStreamParameters *out, double rate, unsigned long frames,
      PaStreamFlags flags, PaStreamCallback *h, void *arg),
     (s, in, out, rate, frames, flags, h, arg), paNotInitialized)
LATE(portaudio, PaError, Pa_CloseStream, (PaStream *s), (s),
     paNotInitialized)
LATE(portaudio, PaError, Pa_SetStreamFinishedCallback,
     (PaStream *s, PaStreamFinishedCallback *h), (s, h), paNotInitialized)
LATE(portaudio, PaError, Pa_StartStream, (PaStream *s), (s),
     paNotInitialized)
LATE(portaudio, PaError, Pa_AbortStream, (PaStream *s), (s),
     paNotInitialized)
LATE(portaudio, const PaStreamInfo *, Pa_GetStreamInfo, (PaStream *s), (s),
     NULL)

LATE(sndfile, SNDFILE *, sf_open_fd,
     (int fd, int mode, SF_INFO *info, int close_desc),
     (fd, mode, info, close_desc), NULL)
LATE(sndfile, int, sf_close, (SNDFILE *sf), (sf), SF_ERR_SYSTEM)
LATE(sndfile, int, sf_error, (SNDFILE *sf), (sf), SF_ERR_SYSTEM)
LATE(sndfile, const char *, sf_strerror, (SNDFILE *sf), (sf), sndfile.why)
LATE(sndfile, int, sf_command, (SNDFILE *sf, int cmd, void *data, int size),
     (sf, cmd, data, size), 0)
LATE(sndfile, sf_count_t, sf_readf_float,
     (SNDFILE *sf, float *v, sf_count_t n), (sf, v, n), 0)
LATE(sndfile, sf_count_t, sf_writef_short,
     (SNDFILE *sf, const short *v, sf_count_t n), (sf, v, n), 0)

#ifdef HAVE_SPANDSP
LATE(spandsp, g722_encode_state_t *, g722_encode_init,
     (g722_encode_state_t *s, int rate, int options), (s, rate, options),
     NULL)
LATE(spandsp, int, g722_encode_free, (g722_encode_state_t *s), (s), -1)
LATE(spandsp, int, g722_encode,
     (g722_encode_state_t *s, uint8_t *to, const int16_t *v, int n),
     (s, to, v, n), 0)
LATE(spandsp, g722_decode_state_t *, g722_decode_init,
     (g722_decode_state_t *s, int rate, int options), (s, rate, options),
     NULL)
LATE(spandsp, int, g722_decode_free, (g722_decode_state_t *s), (s), -1)
LATE(spandsp, int, g722_decode,
     (g722_decode_state_t *s, int16_t *v, const uint8_t *from, int n),
     (s, v, from, n), 0)
LATE(spandsp, gsm0610_state_t *, gsm0610_init,
     (gsm0610_state_t *s, int packing), (s, packing), NULL)
LATE(spandsp, int, gsm0610_free, (gsm0610_state_t *s), (s), -1)
LATE(spandsp, int, gsm0610_encode,
     (gsm0610_state_t *s, uint8_t *to, const int16_t *v, int n),
     (s, to, v, n), 0)
LATE(spandsp, int, gsm0610_decode,
     (gsm0610_state_t *s, int16_t *v, const uint8_t *from, int n),
     (s, v, from, n), 0)
#endif
