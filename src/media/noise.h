/**
 * @file noise.h  Silence: when there is some, and what is heard of it
 *
 * Comfort noise (RFC 3389) for codecs at 8 kHz.  Pure; media thread.
 */
#ifndef OFFHOOK_MEDIA_NOISE_H
#define OFFHOOK_MEDIA_NOISE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	NOISE_ORDER = 8,         /* of its spectrum; more in a packet is cut */
	NOISE_BYTES = 1 + NOISE_ORDER,
	NOISE_HZ    = 8000,
};

/** What the microphone brings */
struct vad {
	double floor;            /* mean square of what is always there     */
	double sum[NOISE_ORDER + 1];  /* its autocorrelation, averaged      */
	unsigned calm_ms;        /* since somebody spoke                    */
	unsigned sent_ms;        /* since the noise was told                */
	bool silent;
};

enum vad_step {
	VAD_SPEECH,              /* send it                                 */
	VAD_TELL,                /* send what the noise is like             */
	VAD_NOTHING,             /* send nothing                            */
};

/** A packet's worth of samples. With VAD_TELL: NOISE_BYTES into payload */
enum vad_step vad_step(struct vad *d, const int16_t *v, size_t n,
		       uint8_t *payload);
/** Nothing has been heard yet */
void vad_begin(struct vad *d);

/** What the peer's silence sounds like; once told it stays so */
struct noise {
	bool on;
	float gain;              /* of the excitation                       */
	float a[NOISE_ORDER];    /* 1 + sum a[i] z^-(i+1)                   */
	float past[NOISE_ORDER]; /* newest first                            */
	uint32_t rnd;
};

/** A packet of comfort noise came. @return false: malformed */
bool noise_read(struct noise *z, const uint8_t *p, size_t len);
void noise_fill(struct noise *z, int16_t *v, size_t n);

#endif
