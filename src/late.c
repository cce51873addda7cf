/**
 * @file late.c  Sound libraries, loaded when they are first needed
 *
 * PortAudio, libsndfile and spandsp bring thirty libraries with them, and
 * linking those takes longer than everything else a start does.  The
 * functions we use of them are defined here: the first call loads the
 * library and finds the real one.  So the rest of the program calls them as
 * always, and the option `late` decides whether this file is there.  Any
 * thread; a library that cannot be loaded is told once and its functions
 * fail.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <portaudio.h>
#include <sndfile.h>
#ifdef HAVE_SPANDSP
#include <spandsp/telephony.h>
#include <spandsp/g722.h>
#endif
#include "offhook/log.h"

#define LOG_MODULE "late"

struct library {
	const char *name;
	int flags;
	_Atomic(void *) handle;
	atomic_bool missing;     /* said once */
};

/* what PortAudio brings must be found by name: its noise is turned off */
static struct library portaudio = { "libportaudio.so.2", RTLD_GLOBAL };
static struct library sndfile   = { "libsndfile.so.1", 0 };
#ifdef HAVE_SPANDSP
static struct library spandsp   = { "libspandsp.so.2", 0 };
#endif


static void *library_open(struct library *lib)
{
	void *h = atomic_load(&lib->handle);

	if (h)
		return h;

	/* by two threads at once it is the same handle */
	h = dlopen(lib->name, RTLD_LAZY | lib->flags);
	if (h)
		atomic_store(&lib->handle, h);
	else if (!atomic_exchange(&lib->missing, true))
		log_warn("%s", dlerror());

	return h;
}


static void *late(_Atomic(void *) *at, struct library *lib, const char *name)
{
	void *p = atomic_load(at), *h;

	if (p)
		return p;

	h = library_open(lib);
	p = h ? dlsym(h, name) : NULL;
	if (p)
		atomic_store(at, p);

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
     "PortAudio is not installed")
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
#endif
