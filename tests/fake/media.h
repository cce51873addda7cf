/**
 * @file fake/media.h  What a test may see and do of the fake media engine
 */
#ifndef OFFHOOK_FAKE_MEDIA_H
#define OFFHOOK_FAKE_MEDIA_H

#include "offhook/media.h"

/** The i-th open stream, oldest first; NULL: no such */
struct stream *fake_stream(size_t i);
/** Does it look for tones of the network? */
bool fake_tones(const struct stream *s);
/** Does it look for a voice while it is muted? */
bool fake_talk(const struct stream *s);
size_t fake_stream_count(void);
/** What it was last told to do; NULL: not started */
const struct media_plan *fake_plan(const struct stream *s);
unsigned fake_starts(const struct stream *s);
/** The rate it may begin with; 0: nothing was said */
uint32_t fake_expected_hz(const struct stream *s);
enum stream_source fake_source(const struct stream *s);
double fake_tone_hz(const struct stream *s);
bool fake_muted(const struct stream *s);
bool fake_device(const struct stream *s);
bool fake_playing(const struct stream *s, bool *loop);
/** Samples of what is heard beside the calls, 0: nothing */
size_t fake_sound(enum media_out out);
unsigned fake_conference(const struct stream *s);
double fake_part(const struct stream *s);
double fake_gain(const struct stream *s, bool mic);
int fake_place(const struct stream *s);
const char *fake_recording(const struct stream *s);      /* path or NULL */

/** Deliver an event now */
void fake_event(struct stream *s, const struct stream_event *ev);
/** The file that plays ends */
void fake_play_end(struct stream *s);
/** Figures from now on */
void fake_stats(struct stream *s, const struct stream_stats *st);

/** The next stream_open (stream_start) fails with err, once */
void fake_fail_open(int err);
void fake_fail_start(int err);
/** Digits given from now on never say that they are out */
void fake_digits_stuck(bool stuck);
/** How often a device was chosen since the last call */
unsigned fake_device_sets(void);
/** How often the door was used since the last call */
unsigned fake_doors(void);
/** How often our certificate was asked for */
unsigned fake_prints(void);

#endif
