/**
 * @file priv.h  The drivers device.c lists, and PortAudio's callbacks
 *
 * Each driver keeps its own struct audio_dev.
 */
#ifndef OFFHOOK_AUDIO_PRIV_H
#define OFFHOOK_AUDIO_PRIV_H

#include <stdatomic.h>
#include <portaudio.h>
#include <offhook/audio.h>
#include <offhook/ring.h>

extern const struct audio_driver audio_portaudio;
extern const struct audio_driver audio_file;
extern const struct audio_driver audio_pipe;
extern const struct audio_driver audio_tone;
extern const struct audio_driver audio_silence;
extern const struct audio_driver audio_null;

/** Left and right by turns: twice n samples. side NULL: they are alike */
void frames_make(int16_t *out, const int16_t *v, const int16_t *side,
		 size_t n);

/*
 * What the callbacks of one PortAudio device see.  Each ring has one end in
 * a callback thread and the other in the media thread; the two callbacks may
 * run on different threads.
 */
struct callback {
	struct ring *in;         /* microphone: capture writes, media reads */
	struct ring *out;        /* speaker: media writes, playback reads   */
	int wake_fd;             /* 8 bytes after each block, or -1         */
	bool has_in;             /* else playback is the clock and puts     */
				 /* silence into the microphone's ring      */
	unsigned channels;       /* of the speaker; in its ring by turns    */
	unsigned in_channels;    /* the same of the microphone              */
	size_t prime;            /* speaker: begin with so much in hand     */
	size_t slope;            /* samples in which it falls silent; these
				    two of all channels together            */
	bool primed, dry;        /* playback only: has begun; had too few   */
	atomic_uint captured;    /* blocks so far; main looks whether they  */
	atomic_uint played;      /* still move                              */
	atomic_uint underruns;   /* speaker ran dry while playing           */
	atomic_size_t missed;    /* samples of silence played for want of
				    others, of one channel, in all                          */
	atomic_bool gone;        /* a stream has ended by itself            */
};

/* callback */
int  callback_capture(const void *in, void *out, unsigned long n,
		      const PaStreamCallbackTimeInfo *time,
		      PaStreamCallbackFlags flags, void *arg);
int  callback_playback(const void *in, void *out, unsigned long n,
		       const PaStreamCallbackTimeInfo *time,
		       PaStreamCallbackFlags flags, void *arg);
void callback_finished(void *arg);

#endif
