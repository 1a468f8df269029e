/* tone.c - makes a WAV file with a tone, and measures how loud given tones are in one (Goertzel's algorithm); the demo
 * proves with it that each phone heard the other. A file that is still being written may be measured too.
 * Usage: tone make FILE HZ SECONDS | tone level FILE HZ... */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = 8000, HEADER = 44, MAX_SAMPLES = RATE * 600 };
static const double PI = 3.14159265358979323846;

static void put(uint8_t *at, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get(const uint8_t *at, int bytes)
{
	uint32_t value = 0;

	for (int i = 0; i < bytes; i++)
		value |= (uint32_t)at[i] << (8 * i);
	return value;
}

static int make(const char *path, double hz, double seconds)
{
	uint8_t header[HEADER] = "RIFF....WAVEfmt ";
	uint32_t samples = (uint32_t)(seconds * RATE);
	FILE *file = fopen(path, "wb");

	if (file == NULL) {
		perror(path);
		return 1;
	}
	put(header + 4, 36 + samples * 2, 4);
	put(header + 16, 16, 4); /* size of the format chunk: PCM, one channel, 16 bits */
	put(header + 20, 1, 2);
	put(header + 22, 1, 2);
	put(header + 24, RATE, 4);
	put(header + 28, RATE * 2, 4);
	put(header + 32, 2, 2);
	put(header + 34, 16, 2);
	memcpy(header + 36, "data", 4);
	put(header + 40, samples * 2, 4);
	fwrite(header, 1, sizeof(header), file);
	for (uint32_t i = 0; i < samples; i++) {
		uint8_t sample[2];

		put(sample, (uint32_t)(int32_t)(8000 * sin(2 * PI * hz * i / RATE)), 2);
		fwrite(sample, 1, sizeof(sample), file);
	}
	return fclose(file) == 0 ? 0 : 1;
}

/* Mean power of one frequency, in dB below a full-scale tone. */
static double level(const int16_t *samples, size_t count, double rate, double hz)
{
	double c = 2 * cos(2 * PI * hz / rate), s1 = 0, s2 = 0, power;

	for (size_t i = 0; i < count; i++) {
		double s = samples[i] / 32768.0 + c * s1 - s2;

		s2 = s1;
		s1 = s;
	}
	power = (s1 * s1 + s2 * s2 - c * s1 * s2) / ((double)count * (double)count / 4);
	return 10 * log10(power + 1e-12);
}

/* Read 16-bit PCM; the declared length is ignored, since a recorder writes it last. */
static int16_t *load(const char *path, size_t *count, double *rate)
{
	uint8_t head[12], chunk[8], format[16];
	int16_t *samples = NULL;
	FILE *file = fopen(path, "rb");
	uint32_t size;

	*count = 0;
	if (file == NULL || fread(head, 1, sizeof(head), file) != sizeof(head) || memcmp(head + 8, "WAVE", 4) != 0)
		goto out;
	while (fread(chunk, 1, sizeof(chunk), file) == sizeof(chunk) && memcmp(chunk, "data", 4) != 0) {
		size = get(chunk + 4, 4);
		if (memcmp(chunk, "fmt ", 4) == 0) {
			if (size < sizeof(format) || fread(format, 1, sizeof(format), file) != sizeof(format))
				goto out;
			if (get(format + 2, 2) != 1 || get(format + 14, 2) != 16)
				goto out;
			*rate = get(format + 4, 4);
			size -= sizeof(format);
		}
		if (fseek(file, (long)size, SEEK_CUR) != 0)
			goto out;
	}
	samples = malloc(MAX_SAMPLES * sizeof(*samples));
	if (samples != NULL)
		*count = fread(samples, sizeof(*samples), MAX_SAMPLES, file);
out:
	if (file != NULL)
		fclose(file);
	return samples;
}

int main(int argc, char **argv)
{
	double rate = RATE;
	int16_t *samples;
	size_t count;

	if (argc == 5 && strcmp(argv[1], "make") == 0)
		return make(argv[2], atof(argv[3]), atof(argv[4]));
	if (argc < 4 || strcmp(argv[1], "level") != 0) {
		fprintf(stderr, "usage: tone make FILE HZ SECONDS | tone level FILE HZ...\n");
		return 2;
	}
	samples = load(argv[2], &count, &rate);
	if (samples == NULL || count < (size_t)rate / 4) {
		fprintf(stderr, "tone: %s holds no quarter second of 16-bit mono sound\n", argv[2]);
		free(samples);
		return 1;
	}
	for (int i = 3; i < argc; i++)
		printf("%s %.1f\n", argv[i], level(samples, count, rate, atof(argv[i])));
	free(samples);
	return 0;
}
