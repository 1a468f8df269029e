/* fuzz_text.c - small texts from outside: times, keys, addresses, permissions, engine requests and answers. */
#include "fuzz.h"

#include <nexusvoip/keys.h>
#include <nexusvoip/wire.h>

#include "base/text.h"
#include "engine/request.h"
#include "keys/token.h"
#include "sip/manager_text.h"

static void on_answer(void *arg, nxv_status status, const struct nxv_error *err, const char *text)
{
	(void)arg, (void)status, (void)err, (void)text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), host[64], back[32];
	struct nxv_registration_list *contacts = NULL;
	struct nxv_sip_health *health = NULL;
	struct request *req = NULL;
	unsigned permissions;
	uint16_t port;
	int64_t ms, again;

	if (!text)
		return 0;
	if (nxv_time_parse(text, &ms, NULL) == NXV_OK) {
		nxv_time_format(ms, back);
		if (nxv_time_parse(back, &again, NULL) != NXV_OK || again != ms)
			abort(); /* a time we took must survive the way out and in again */
	}
	(void)token_valid(text);
	(void)text_hostport(text, host, sizeof(host), &port);
	(void)text_is_label(text, 100);
	(void)nxv_permissions_parse(text, &permissions, NULL);
	if (request_parse(text, on_answer, NULL, &req, NULL) == NXV_OK)
		request_answer(req, NXV_OK, NULL, NULL);
	(void)sip_health_read(text, &health, NULL);
	(void)sip_contacts_read(text, &contacts, NULL);
	nxv_sip_health_free(health);
	nxv_registration_list_free(contacts);
	free(text);
	return 0;
}
