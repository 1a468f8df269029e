/* opts.c - taking a caller's options. */
#include "base/opts.h"

#include <string.h>

bool opts_take(void *to, size_t size, const void *from, size_t least)
{
	size_t given = 0;

	if (from)
		memcpy(&given, from, sizeof(given));
	if (given < least)
		return false;
	memset(to, 0, size);
	memcpy(to, from, given < size ? given : size);
	return true;
}
