/**
 * @file test_call_state.c  The table of states
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "priv.h"


static void names(void **state)
{
	(void)state;

	for (unsigned i = 0; i < CALL_STATES; i++) {
		const char *name = call_state_name((enum call_state)i);

		assert_true(name[0] != '\0' && name[0] != '?');
		assert_int_equal(i, call_state_find(name));
	}

	assert_string_equal("early", call_state_name(CALL_EARLY));
	assert_string_equal("?", call_state_name(CALL_STATES));
	assert_int_equal(CALL_STATES, call_state_find("held"));
	assert_int_equal(CALL_STATES, call_state_find(""));
	assert_int_equal(CALL_STATES, call_state_find(NULL));
}


static void moves(void **state)
{
	/* from the rows to the columns, in the order of the enum */
	static const char *const allowed[CALL_STATES] = {
		[CALL_IDLE]     = ".x..x.x",
		[CALL_CALLING]  = "..xx.xx",
		[CALL_RINGING]  = "...x.xx",
		[CALL_EARLY]    = "..x..xx",
		[CALL_INCOMING] = "...x.xx",
		[CALL_ACTIVE]   = "......x",
		[CALL_ENDED]    = ".......",
	};
	(void)state;

	for (unsigned from = 0; from < CALL_STATES; from++) {
		for (unsigned to = 0; to < CALL_STATES; to++) {
			if ((allowed[from][to] == 'x') !=
			    call_state_allowed((enum call_state)from,
					       (enum call_state)to))
				fail_msg("%s -> %s",
					 call_state_name((enum call_state)
							 from),
					 call_state_name((enum call_state)
							 to));
		}
	}

	assert_false(call_state_allowed(CALL_IDLE, CALL_STATES));
	assert_false(call_state_allowed(CALL_STATES, CALL_ENDED));
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
