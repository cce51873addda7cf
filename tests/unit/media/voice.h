/**
 * @file voice.h  Noise with the rhythm and the colour of speech
 */
#ifndef TEST_VOICE_H
#define TEST_VOICE_H

#include <stddef.h>
#include <stdint.h>

enum { VOICE_HZ = 16000 };

/** From here on the same numbers come again */
void   voice_seed(uint32_t seed);
/** The next one, -1 to 1 */
double voice_random(void);
/** Syllables of 120 to 300 ms, pauses between; -22 dBFS while it sounds */
void   voice_speak(int16_t *v, size_t n, uint32_t seed);

#endif
