/* tone.c - tones in samples and in WAV files. */
#include "tone.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

double tone_share(const short *samples, size_t count, double rate, double hz)
{
	double coefficient = 2 * cos(2 * pi * hz / rate), s1 = 0, s2 = 0, energy = 0;
	for (size_t i = 0; i < count; i++) {
		double s0 = samples[i] + coefficient * s1 - s2;
		s2 = s1;
		s1 = s0;
		energy += (double)samples[i] * samples[i];
	}
	if (count == 0 || energy / (double)count < 100 * 100) {
		return 0; /* -50 dB: noise, not a tone */
	}
	return 2 * (s1 * s1 + s2 * s2 - coefficient * s1 * s2) / ((double)count * energy);
}

static void put32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++) {
		p[i] = (unsigned char)(v >> (8 * i));
	}
}

bool tone_write_wav(const char *path, double hz, unsigned seconds)
{
	unsigned char head[44] = "RIFF....WAVEfmt \x10\0\0\0\x01\0\x01\0....\0\0\0\0\x02\0\x10\0data";
	uint32_t bytes = seconds * 8000 * 2;
	put32(head + 4, 36 + bytes);
	put32(head + 24, 8000);
	put32(head + 28, 16000);
	put32(head + 40, bytes);
	FILE *f = fopen(path, "wb");
	if (!f) {
		return false;
	}
	bool ok = fwrite(head, sizeof(head), 1, f) == 1;
	for (uint32_t i = 0; ok && i < seconds * 8000; i++) {
		int16_t sample = (int16_t)(8000 * sin(2 * pi * hz * i / 8000));
		ok = fwrite(&sample, 2, 1, f) == 1;
	}
	return fclose(f) == 0 && ok;
}

static unsigned char *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	unsigned char *data = NULL;
	if (!f) {
		return NULL;
	}
	if (fseek(f, 0, SEEK_END) == 0 && ftell(f) > 0) {
		*len = (size_t)ftell(f);
		rewind(f);
		data = malloc(*len);
		if (data && fread(data, 1, *len, f) != *len) {
			free(data);
			data = NULL;
		}
	}
	fclose(f);
	return data;
}

double tone_in_wav(const char *path, double hz)
{
	size_t len = 0;
	double best = 0;
	unsigned char *data = read_file(path, &len);
	unsigned char *start = data && len > 44 ? memmem(data, len < 512 ? len : 512, "data", 4) : NULL;
	if (start) {
		uint32_t rate;
		memcpy(&rate, data + 24, sizeof(rate));
		size_t offset = (size_t)(start - data) + 8, count = (len - offset) / 2;
		short *samples = malloc(count * 2 + 2);
		memcpy(samples, data + offset, count * 2);
		for (size_t at = 0; rate > 0 && at + rate <= count; at += rate / 2) {
			double share = tone_share(samples + at, rate, rate, hz);
			best = share > best ? share : best;
		}
		free(samples);
	}
	free(data);
	return best;
}
