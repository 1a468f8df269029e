/* id.c - identifiers from random UUIDs. */
#include "base/id.h"

#include <uuid/uuid.h>

#include "base/text.h"

enum { ID_WIDTH = 22 }; /* 128 bits in base62 */

char *id_new(const char *prefix)
{
	uuid_t uuid;
	char text[ID_WIDTH + 1];

	uuid_generate_random(uuid);
	text_base62(uuid, sizeof(uuid), text, ID_WIDTH);
	return text_printf("%s_%s", prefix, text);
}

char *id_session(const struct env *env)
{
	uuid_t uuid;
	char text[ID_WIDTH + 1];

	uuid_generate_random(uuid);
	text_base62(uuid, sizeof(uuid), text, ID_WIDTH);
	return text_printf("session_%lld_%s", (long long)(env_now_ms(env) / 1000), text);
}
