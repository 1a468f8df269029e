/* fake_phones.h - the SIP server and both phones of a call, as an originator on the fake network sees them; and what must
 * be true of everything that it sends and tells. */
#ifndef NXV_TESTS_FUZZ_FAKE_PHONES_H
#define NXV_TESTS_FUZZ_FAKE_PHONES_H

#include "sip/originator/originator.h"

#define FAKE_SESSION "session_1"

struct fake_leg;

/** A new originator, no call yet. */
void fake_phones_open(void);
struct carrier *fake_phones_carrier(void);
nxv_status fake_phones_place(void);
nxv_status fake_phones_restore(const char *state);
/** End the call from inside the nth event from now. */
void fake_phones_end_at(unsigned nth);
/** Answer the nth newest request to this leg ('a', 'b'). lines: header lines, an empty one, a body; all may be missing. */
void fake_phones_answer(char leg, unsigned code, unsigned nth, const char *tag, const char *lines);
/** A request of this leg's phone; cseq 0: the next one. */
void fake_phones_request(char leg, const char *method, unsigned cseq, const char *lines);
/** A datagram as it is. From anybody but the proxy it must have no effect at all. */
void fake_phones_deliver(const char *text, bool stranger);
/** The last datagram once more. */
void fake_phones_repeat(void);
/** A crash: what was saved is taken up by another originator. False: nothing was saved, or the call is over. */
bool fake_phones_crash(void);
/** End whatever is left and see that it ends, then close. */
void fake_phones_close(void);

#endif
