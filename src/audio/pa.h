/**
 * @file pa.h  PortAudio: which devices there are, and that one of them is open
 *
 * Device thread, all of it.
 */
#ifndef OFFHOOK_AUDIO_PA_H
#define OFFHOOK_AUDIO_PA_H

#include "priv.h"

/** Unless it is. @return 0, ENODEV or ENOMEM with what is wrong in err */
int  pa_initialise(char *err, size_t errsz);
/** It looks for devices anew when it is next initialised; nothing while one
 *  is open */
void pa_forget(void);
/** One is open, or is so no more */
void pa_use(bool open);
/** It has looked some time ago, and may look again */
bool pa_is_old(void);

/** NULL: there is none of that number */
const PaDeviceInfo *pa_device(PaDeviceIndex i);
int  pa_channels(const PaDeviceInfo *d, bool in);
/**
 * By name, or the default ones; paNoDevice: there is none, or none is wanted.
 * @return 0, or ENODEV with what is wrong in err
 */
int  pa_choose(PaDeviceIndex *in, PaDeviceIndex *out,
	       const struct audio_param *prm, char *err, size_t errsz);
/** Of the driver */
int  pa_list(audio_list_h *h, void *arg);
/** PortAudio's seconds; what makes no sense is 0 */
unsigned pa_to_ms(double s);

#endif
