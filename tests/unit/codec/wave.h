/**
 * @file wave.h  Sounds to test codecs with, and how alike two are
 */
#ifndef TEST_CODEC_WAVE_H
#define TEST_CODEC_WAVE_H

#include <stddef.h>
#include <stdint.h>

/** Something like a voice: a pitch that moves, two formants, pauses */
void wave_voice(int16_t *v, size_t n, uint32_t rate_hz);
void wave_sine(int16_t *v, size_t n, uint32_t rate_hz, double hz, double amp);
/** White, reproducible */
void wave_noise(int16_t *v, size_t n, double amp);

/** Power of the reference over that of the difference, in dB */
double wave_snr(const int16_t *ref, const int16_t *got, size_t n);
double wave_rms(const int16_t *v, size_t n);

#endif
