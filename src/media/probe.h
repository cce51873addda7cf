/**
 * @file probe.h  A test of the sound device: what is played, what comes back
 */
#ifndef OFFHOOK_MEDIA_PROBE_H
#define OFFHOOK_MEDIA_PROBE_H

#include <stdint.h>
#include <offhook/media.h>

enum {
	PROBE_HZ = 8000,         /* about the rate the sweep is looked for at */
	PROBE_STALE_MS = 220,    /* what a sound server still held of before */
	PROBE_QUIET_MS = 400,    /* nothing is played: how loud is the room  */
	PROBE_SWEEP_MS = 100,    /* then a sweep, to be found again,         */
	PROBE_WAIT_MS  = 700,    /*   for so long after its end,             */
	PROBE_TONE_MS  = PROBE_QUIET_MS + PROBE_SWEEP_MS + PROBE_WAIT_MS,
	PROBE_SENT_MAX = 2 * PROBE_HZ * PROBE_SWEEP_MS / 1000,
	PROBE_CAME_MAX = 2 * PROBE_HZ * (PROBE_SWEEP_MS + PROBE_WAIT_MS) /
		1000,
};

/** Of the media thread while it runs; begun with the first block */
struct probe {
	struct media_probe_conf conf;
	uint32_t rate_hz;        /* 0: not begun                             */
	uint64_t heard, said;    /* samples                                  */
	unsigned step;           /* samples that are one when it is looked for */
	/* in blocks of 100 ms: energy at the tone's frequency, all energy */
	double coef, s1, s2, sum;
	uint32_t n;
	double quiet_tone, quiet_all, loud_tone, loud_all, loud_sent;
	unsigned quiet_blocks, loud_blocks;
	/* since the last look */
	double look_in, look_out;
	uint32_t look_in_n, look_out_n;
	int look_peak;
	uint32_t clipped;
	bool alive;              /* a sample that is not 0 was captured      */
	/* the sweep as it went and what came from then on, by step samples */
	double sent_acc, came_acc;
	int16_t sent[PROBE_SENT_MAX], came[PROBE_CAME_MAX];
	size_t sent_n, came_n;
};

void probe_init(struct probe *p, const struct media_probe_conf *conf);
/** What the microphone captured */
void probe_hear(struct probe *p, const int16_t *v, size_t n,
		uint32_t rate_hz);
/** Add what is to be played */
void probe_say(struct probe *p, int16_t *v, size_t n);
/** Look how loud it is, since the last look */
void probe_look(struct probe *p, struct media_probe_look *l);
/** What it was good for; any thread, when it has ended */
void probe_result(const struct probe *p, struct media_probe_result *r);

#endif
