/* fuzz_sdp.c - session descriptions from phones, through every edit that third-party call control makes. */
#include "fuzz.h"

#include "sip/originator/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sdp_origin origin = { .id = 1, .version = 2, .ip6 = size % 2, .address = size % 2 ? "::1" : "127.0.0.1" };
	char *sdp = fuzz_text(data, size), *relayed, *held, *again, *refused;

	if (!sdp)
		return 0;
	relayed = sdp_text_relay(sdp, &origin, NULL);
	held = sdp_text_relay(sdp, &origin, "inactive");
	refused = sdp_text_refuse(sdp, &origin);
	again = relayed ? sdp_text_relay(relayed, &origin, NULL) : NULL;
	if (relayed && again && !sdp_text_same(relayed, again))
		abort(); /* an edit that changes nothing must change nothing */
	if (refused && sdp_text_usable(refused))
		abort(); /* a refusal that offers media */
	if (held)
		(void)sdp_text_settled(sdp, held, relayed ? relayed : "");
	free(again);
	free(refused);
	free(held);
	free(relayed);
	free(sdp);
	return 0;
}
