/**
 * @file dsp.h  The room: echo, noise, level of what the microphone captures
 *
 * Media thread.  Between the sound device and the flows, in steps of 10 ms.
 */
#ifndef MEDIA_DSP_H
#define MEDIA_DSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <offhook/media.h>

struct dsp;

/** @return 0, EINVAL (a rate that is not one of 10 ms blocks), ENOMEM */
int  dsp_alloc(struct dsp **dp, uint32_t rate_hz,
	       const struct media_room *conf);           /* free: mem_deref */
/** What has been switched off is forgotten, what is new learns */
void dsp_configure(struct dsp *d, const struct media_room *conf);
struct canceller;
/** The same, with a canceller that need not be in the table; it stays */
void dsp_configure_with(struct dsp *d, const struct media_room *conf,
			const struct canceller *how);
/** These are to be played, behind those before */
void dsp_played(struct dsp *d, const int16_t *v, size_t n);
/** So many samples of silence came between them, since the device began */
void dsp_missed(struct dsp *d, size_t missed);
/**
 * These were captured, 10 ms of them; they are put right in place.  delay:
 * samples given to dsp_played that had not been heard in the room when the
 * last of these was captured.
 */
void dsp_captured(struct dsp *d, int16_t *v, size_t n, size_t delay);
void dsp_figures(const struct dsp *d, struct media_room_figures *f);

#endif
