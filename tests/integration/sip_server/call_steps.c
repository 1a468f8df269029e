/* call_steps.c - see call_steps.h. */
#include "call_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

bool call_ring(struct call *call, const char *from, const char *headers)
{
	char uri[160];
	message *ringing;

	call->invite = call->answer = NULL;
	snprintf(uri, sizeof(uri), "sip:%s@%s", client_name(call->b), FIXTURE_DOMAIN);
	client_dial(call->a, uri, from, headers);
	call->invite = client_expect(call->b, "INVITE", 3000);
	if (!call->invite)
		return false;
	client_reply(call->b, call->invite, 180, "Ringing");
	ringing = client_expect(call->a, "180", 3000);
	snprintf(call->id, sizeof(call->id), "%s", client_call_id(call->a));
	return ringing != NULL;
}

void call_answer(struct call *call)
{
	client_reply(call->b, call->invite, 200, "OK");
	call->answer = client_expect(call->a, "200", 3000);
	assert_non_null(call->answer);
	client_in_call(call->a, "ACK", call->answer, NULL, "X-Nexus-Session: forged\r\n");
	assert_non_null(client_expect(call->b, "ACK", 3000));
}

bool call_up(struct call *call, const char *from, const char *headers)
{
	if (!call_ring(call, from, headers))
		return false;
	call_answer(call);
	return true;
}

static void expect_bye(struct client *c, int timeout_ms)
{
	message *bye = client_expect(c, "BYE", timeout_ms);

	assert_non_null(bye);
	client_reply(c, bye, 200, "OK");
}

void call_expect_both_byes(struct call *call, int timeout_ms)
{
	expect_bye(call->b, timeout_ms);
	expect_bye(call->a, 1000);
}

void call_hangup(struct call *call, bool by_caller)
{
	struct client *from = by_caller ? call->a : call->b, *to = by_caller ? call->b : call->a;

	if (by_caller)
		client_in_call(from, "BYE", call->answer, NULL, "X-Nexus-Session: forged\r\n");
	else
		client_in_call_back(from, "BYE", call->invite, "X-Nexus-Session: forged\r\n");
	expect_bye(to, 3000);
	assert_non_null(client_expect(from, "200", 3000));
}
