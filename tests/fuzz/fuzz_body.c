/* fuzz_body.c - request bodies of every kind. */
#include "fuzz.h"

#include <nexusvoip/wire.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int kind = NXV_BODY_NONE; kind <= NXV_BODY_CALL; kind++) {
		struct nxv_body *body = NULL;
		struct nxv_problems problems = { 0 };
		struct nxv_error err = NXV_ERROR_INIT;
		nxv_status status = nxv_body_parse((nxv_body_kind)kind, (const char *)data, size, &body, &problems, &err);

		/* Input is good, or it is the client's fault: never ours. */
		if (status != NXV_OK && status != NXV_E_INVALID)
			abort();
		if ((status == NXV_OK) != (body != NULL) || problems.count > 16)
			abort();
		nxv_body_free(body);
	}
	return 0;
}
