/* media.c - the sound of a recording, computed where it is read: a second of tone, a second of silence, the other tone on
 * the second channel. Nothing of it is kept. */
#include "recordings.h"

#include <math.h>
#include <string.h>

#include "ulaw.h"

enum { RATE = 8000, WAV_HEAD = 58, MP3_FRAME = 144, MP3_FRAMES_IN_9 = 250, SECONDS_MAX = 14400 };

static size_t seconds_of(const struct sandbox *sandbox, const struct recording *r)
{
	int64_t seconds = recording_seconds(sandbox, r);

	return seconds > SECONDS_MAX ? SECONDS_MAX : (size_t)seconds;
}

/* A frame lasts 36 ms. */
static size_t mp3_frames(size_t seconds)
{
	size_t frames = seconds * MP3_FRAMES_IN_9 / 9;

	return frames ? frames : 1;
}

size_t media_size(const struct sandbox *sandbox, const struct recording *r, bool wav)
{
	size_t seconds = seconds_of(sandbox, r);

	return wav ? WAV_HEAD + seconds * RATE * (size_t)r->channels : mp3_frames(seconds) * MP3_FRAME;
}

static void put(unsigned char *at, unsigned long value, int bytes)
{
	for (; bytes; bytes--, value >>= 8)
		*at++ = (unsigned char)(value & 0xff);
}

static void wav_head(unsigned char *head, size_t data, int channels)
{
	memcpy(head, "RIFF", 4);
	put(head + 4, (unsigned long)(data + WAV_HEAD - 8), 4);
	memcpy(head + 8, "WAVEfmt ", 8);
	put(head + 16, 18, 4);
	put(head + 20, 7, 2); /* µ-law */
	put(head + 22, (unsigned long)channels, 2);
	put(head + 24, RATE, 4);
	put(head + 28, (unsigned long)(RATE * channels), 4);
	put(head + 32, (unsigned long)channels, 2);
	put(head + 34, 8, 2);
	put(head + 36, 0, 2);
	memcpy(head + 38, "fact", 4);
	put(head + 42, 4, 4);
	put(head + 46, (unsigned long)(data / (size_t)channels), 4);
	memcpy(head + 50, "data", 4);
	put(head + 54, (unsigned long)data, 4);
}

static unsigned char sample(size_t index, int channels)
{
	size_t at = index / (size_t)channels;
	bool second = channels == 2 && index % 2;
	double tone = second ? 660 : 440;

	if (((at / RATE) % 2 == 0) == second)
		return ulaw_encode(0);
	return ulaw_encode((int16_t)(8000 * sin(2 * 3.14159265358979 * tone * (double)(at % RATE) / RATE)));
}

void media_read(const struct sandbox *sandbox, const struct recording *r, bool wav, size_t from, size_t len, char *out)
{
	/* MPEG-2 layer III, 32 kbit/s, 16 kHz, mono; the rest of a frame is zero: silence. */
	static const unsigned char frame[4] = { 0xff, 0xf3, 0x48, 0xc4 };
	unsigned char head[WAV_HEAD];

	if (wav)
		wav_head(head, media_size(sandbox, r, true) - WAV_HEAD, r->channels);
	for (size_t i = 0; i < len; i++) {
		size_t at = from + i;

		if (!wav)
			out[i] = (char)(at % MP3_FRAME < 4 ? frame[at % MP3_FRAME] : 0);
		else if (at < WAV_HEAD)
			out[i] = (char)head[at];
		else
			out[i] = (char)sample(at - WAV_HEAD, r->channels);
	}
}
