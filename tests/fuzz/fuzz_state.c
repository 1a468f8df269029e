/* fuzz_state.c - a call's stored state, from which it is taken up after a crash: refused, or a call that can be saved again
 * and that ends like any other. */
#include "fuzz.h"

#include "fake_net.h"
#include "fake_phones.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	if (!text)
		return 0;
	fake_net_reset();
	fake_phones_open();
	if (fake_phones_restore(text) == NXV_OK) {
		if (!fake_phones_crash())
			abort(); /* what was restored cannot be saved */
		fake_net_pass(5000, 100);
		fake_phones_answer('a', 200, 0, "", "\n$0");
		fake_phones_answer('b', 200, 0, "", "\n$1");
		fake_phones_request('a', "BYE", 0, "");
	}
	fake_phones_close();
	free(text);
	return 0;
}
