/* tone.h - tones: WAV files that hold one, and how much of a signal is one. */
#ifndef TEST_SUPPORT_TONE_H
#define TEST_SUPPORT_TONE_H

#include <stdbool.h>
#include <stddef.h>

/** Share of a signal's energy at a frequency, 0 to 1 (Goertzel). Silence gives 0. */
double tone_share(const short *samples, size_t count, double rate, double hz);
/** Write a mono 16-bit WAV of 8000 Hz with one tone. */
bool tone_write_wav(const char *path, double hz, unsigned seconds);
/** Best share of hz among the one-second windows of a mono 16-bit WAV; 0 when there is none. Takes files whose
 * header was never finished. */
double tone_in_wav(const char *path, double hz);

#endif
