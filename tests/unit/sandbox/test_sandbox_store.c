/* test_sandbox_store.c - calls are kept, found, and forgotten in the end: those that live never, the others oldest first. */
#include "sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct call *ended(struct sandbox *sandbox, struct call *parent)
{
	struct call *call = call_new(sandbox, "+999200", "+12025550123", parent);

	assert_non_null(call);
	call->status = CALL_COMPLETED;
	return call;
}

static void the_oldest_that_ended_is_forgotten_with_its_children_let_go(void **state)
{
	struct sandbox sandbox = { 0 };
	char parent_sid[SID_SIZE], child_sid[SID_SIZE];
	struct call *parent, *child;

	(void)state;
	parent = call_new(&sandbox, "sip:a@b", "+12025550123", NULL);
	child = call_new(&sandbox, "+999102", "+12025550123", parent);
	memcpy(parent_sid, parent->sid, sizeof(parent_sid));
	memcpy(child_sid, child->sid, sizeof(child_sid));
	for (int i = 0; i < CALLS_KEPT; i++)
		(void)ended(&sandbox, NULL);
	assert_ptr_equal(call_by_sid(&sandbox, parent_sid), parent); /* it lives */
	parent->status = CALL_COMPLETED;
	(void)ended(&sandbox, NULL);
	assert_ptr_equal(call_by_sid(&sandbox, parent_sid), parent); /* its child lives */
	child->status = CALL_COMPLETED;
	(void)ended(&sandbox, NULL);
	assert_null(call_by_sid(&sandbox, parent_sid));
	assert_ptr_equal(call_by_sid(&sandbox, child_sid), child);
	assert_null(child->parent);
	assert_string_equal(child->parent_sid, parent_sid);
	(void)ended(&sandbox, NULL);
	assert_null(call_by_sid(&sandbox, child_sid));
	assert_int_equal(sandbox.creates, CALLS_KEPT + 4);
	store_clear(&sandbox);
}

static void a_recording_is_found_by_its_sid(void **state)
{
	struct sandbox sandbox = { 0 };
	struct call *call = ended(&sandbox, NULL);
	struct recording *first = recording_new(&sandbox, call), *second = recording_new(&sandbox, call);

	(void)state;
	assert_ptr_equal(recording_by_sid(&sandbox, first->sid), first);
	assert_ptr_equal(recording_by_sid(&sandbox, second->sid), second);
	assert_null(recording_by_sid(&sandbox, call->sid));
	assert_string_equal(first->call_sid, call->sid);
	store_clear(&sandbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_that_ended_is_forgotten_with_its_children_let_go),
		cmocka_unit_test(a_recording_is_found_by_its_sid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
