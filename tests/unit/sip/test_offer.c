/**
 * @file test_offer.c  Every state meets every event
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "priv.h"


static const struct row {
	enum offer_state from;
	enum offer_event ev;
	int err;                    /* expected; then the state stays */
	enum offer_state to;        /* never agreed before            */
	enum offer_state to_agreed; /* agreed before                  */
} rows[] = {
	{OFFER_NONE, OFFER_EV_SEND_OFFER, 0, OFFER_LOCAL, OFFER_LOCAL},
	{OFFER_NONE, OFFER_EV_RECV_OFFER, 0, OFFER_REMOTE, OFFER_REMOTE},
	{OFFER_NONE, OFFER_EV_SEND_ANSWER, EPROTO, OFFER_NONE, OFFER_NONE},
	{OFFER_NONE, OFFER_EV_RECV_ANSWER, EPROTO, OFFER_NONE, OFFER_NONE},
	{OFFER_NONE, OFFER_EV_CANCEL, 0, OFFER_NONE, OFFER_STABLE},

	{OFFER_LOCAL, OFFER_EV_SEND_OFFER, EPROTO, OFFER_LOCAL, OFFER_LOCAL},
	{OFFER_LOCAL, OFFER_EV_RECV_OFFER, EALREADY, OFFER_LOCAL, OFFER_LOCAL},
	{OFFER_LOCAL, OFFER_EV_SEND_ANSWER, EPROTO, OFFER_LOCAL, OFFER_LOCAL},
	{OFFER_LOCAL, OFFER_EV_RECV_ANSWER, 0, OFFER_STABLE, OFFER_STABLE},
	{OFFER_LOCAL, OFFER_EV_CANCEL, 0, OFFER_NONE, OFFER_STABLE},

	{OFFER_REMOTE, OFFER_EV_SEND_OFFER, EPROTO, OFFER_REMOTE,
	 OFFER_REMOTE},
	{OFFER_REMOTE, OFFER_EV_RECV_OFFER, EPROTO, OFFER_REMOTE,
	 OFFER_REMOTE},
	{OFFER_REMOTE, OFFER_EV_SEND_ANSWER, 0, OFFER_STABLE, OFFER_STABLE},
	{OFFER_REMOTE, OFFER_EV_RECV_ANSWER, EPROTO, OFFER_REMOTE,
	 OFFER_REMOTE},
	{OFFER_REMOTE, OFFER_EV_CANCEL, 0, OFFER_NONE, OFFER_STABLE},

	{OFFER_STABLE, OFFER_EV_SEND_OFFER, 0, OFFER_LOCAL, OFFER_LOCAL},
	{OFFER_STABLE, OFFER_EV_RECV_OFFER, 0, OFFER_REMOTE, OFFER_REMOTE},
	{OFFER_STABLE, OFFER_EV_SEND_ANSWER, EPROTO, OFFER_STABLE,
	 OFFER_STABLE},
	{OFFER_STABLE, OFFER_EV_RECV_ANSWER, EPROTO, OFFER_STABLE,
	 OFFER_STABLE},
	{OFFER_STABLE, OFFER_EV_CANCEL, 0, OFFER_NONE, OFFER_STABLE},
};


static void test_all_moves(void **state)
{
	bool seen[OFFER_STABLE + 1][OFFER_EV_CANCEL + 1] = {{false}};
	size_t i;
	int agreed;
	(void)state;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];

		assert_false(seen[r->from][r->ev]);
		seen[r->from][r->ev] = true;

		for (agreed = 0; agreed < 2; agreed++) {
			struct offer o = {.state = r->from,
					  .agreed = agreed};
			const enum offer_state to = agreed ? r->to_agreed :
				r->to;

			assert_int_equal(offer_step(&o, r->ev), r->err);
			assert_int_equal(o.state, r->err ? r->from : to);
			assert_int_equal(o.agreed, agreed ||
					 (!r->err && to == OFFER_STABLE));
		}
	}

	assert_int_equal(i, (OFFER_STABLE + 1) * (OFFER_EV_CANCEL + 1));
}


static void test_nonsense(void **state)
{
	struct offer o = {.state = OFFER_STABLE, .agreed = true};
	(void)state;

	assert_int_equal(offer_step(&o, (enum offer_event)99), EINVAL);
	assert_int_equal(o.state, OFFER_STABLE);

	o.state = (enum offer_state)99;
	assert_int_equal(offer_step(&o, OFFER_EV_CANCEL), EINVAL);
}


static void test_refused_reoffer(void **state)
{
	struct offer o = {.state = OFFER_NONE};
	(void)state;

	assert_int_equal(offer_step(&o, OFFER_EV_RECV_OFFER), 0);
	assert_int_equal(offer_step(&o, OFFER_EV_SEND_ANSWER), 0);
	assert_int_equal(offer_step(&o, OFFER_EV_SEND_OFFER), 0);
	assert_int_equal(offer_step(&o, OFFER_EV_RECV_OFFER), EALREADY);
	assert_int_equal(offer_step(&o, OFFER_EV_CANCEL), 0);
	assert_string_equal(offer_state_name(o.state), "stable");
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_moves),
		cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_refused_reoffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
