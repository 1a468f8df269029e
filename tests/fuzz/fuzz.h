/* fuzz.h - what every fuzz target defines. */
#ifndef NXV_TESTS_FUZZ_FUZZ_H
#define NXV_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** The input as text. @return [owned]; NULL when memory ran out. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (text) {
		if (size)
			memcpy(text, data, size);
		text[size] = '\0';
	}
	return text;
}

#endif
