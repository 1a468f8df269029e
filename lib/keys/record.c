/* record.c - the records and words of keys.h: freeing them, and permissions as text. */
#include <nexusvoip/keys.h>

#include "base/error.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	unsigned bit;
	const char *name;
} permissions[] = {
	{ NXV_PERM_CALL, "call" },
	{ NXV_PERM_SIP, "sip" },
	{ NXV_PERM_RECORDING, "recording" },
	{ NXV_PERM_ADMIN, "admin" },
};
enum { PERMISSION_COUNT = sizeof(permissions) / sizeof(*permissions) };

const char *nxv_permission_name(unsigned bit)
{
	for (size_t i = 0; i < PERMISSION_COUNT; i++) {
		if (permissions[i].bit == bit)
			return permissions[i].name;
	}
	return NULL;
}

static unsigned bit_of(const char *word, size_t len)
{
	for (size_t i = 0; i < PERMISSION_COUNT; i++) {
		if (strlen(permissions[i].name) == len && !memcmp(permissions[i].name, word, len))
			return permissions[i].bit;
	}
	return 0;
}

nxv_status nxv_permissions_parse(const char *text, unsigned *out, struct nxv_error *err)
{
	unsigned bits = 0;

	*out = 0;
	if (!text)
		return error_field(err, "permissions", "name at least one of call, sip, recording, admin");
	for (const char *word = text;;) {
		size_t len = strcspn(word, ",");
		unsigned bit = bit_of(word, len);

		if (!bit) {
			char shown[24] = "";

			text_copy(shown, len < sizeof(shown) ? len + 1 : sizeof(shown), word);
			return error_field(err, "permissions",
				"\"%s\" is no permission: use call, sip, recording or admin, separated by commas",
				text_is_label(shown, sizeof(shown)) ? shown : "");
		}
		bits |= bit;
		if (!word[len])
			break;
		word += len + 1;
	}
	*out = bits;
	return NXV_OK;
}

void nxv_key_free(struct nxv_key *key)
{
	if (!key)
		return;
	free(key->id);
	text_wipe_free(key->secret);
	free(key->prefix);
	free(key->user_id);
	free(key->name);
	free(key);
}

void nxv_key_page_free(struct nxv_key_page *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->count; i++)
		nxv_key_free(list->items[i]);
	free(list->items);
	free(list->next_cursor);
	free(list);
}
