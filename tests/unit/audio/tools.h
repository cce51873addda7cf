/**
 * @file tools.h  A folder to work in, sounds to compare
 */
#ifndef TEST_AUDIO_TOOLS_H
#define TEST_AUDIO_TOOLS_H

#include <stddef.h>
#include <stdint.h>

/** cmocka set-up and tear-down: a new folder, removed with what is in it */
int tools_enter(void **state);
int tools_leave(void **state);
/** The path of a file in it; good until the eighth call after */
const char *tools_path(const char *name);

void tools_sine(int16_t *v, size_t n, uint32_t rate_hz, double hz, double amp);
/** Amplitude of one frequency (Goertzel) */
double tools_level(const int16_t *v, size_t n, uint32_t rate_hz, double hz);
/** Places where a steady sine of that frequency is not steady */
unsigned tools_breaks(const int16_t *v, size_t n, uint32_t rate_hz, double hz);
void tools_write(const char *path, const void *p, size_t n);

#endif
