/* ulaw.h - G.711 µ-law, sample by sample. */
#ifndef NEXUS_SANDBOX_ULAW_H
#define NEXUS_SANDBOX_ULAW_H

#include <stdint.h>

static inline uint8_t ulaw_encode(int16_t sample)
{
	int sign = sample < 0 ? 0x80 : 0, level = sample < 0 ? -(int)sample : sample, exponent = 7;

	level = (level > 32635 ? 32635 : level) + 132;
	for (int mask = 0x4000; exponent > 0 && !(level & mask); mask >>= 1)
		exponent--;
	return (uint8_t)~(sign | exponent << 4 | (level >> (exponent + 3) & 0x0f));
}

static inline int16_t ulaw_decode(uint8_t code)
{
	int bits = (uint8_t)~code, level = (((bits & 0x0f) << 3) + 132) << (bits >> 4 & 7);

	return (int16_t)(bits & 0x80 ? 132 - level : level - 132);
}

#endif
