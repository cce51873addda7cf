/**
 * @file test_offer.c  Every way of RFC 6337, and every wrong one
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "priv.h"


enum { STATES = OFFER_STABLE + 1, WAYS = BY_UPDATE_2XX + 1 };

static const char *const names[WAYS] = {
	"INVITE", "1xx", "reliable 1xx", "2xx", "ACK", "PRACK", "2xx PRACK",
	"UPDATE", "2xx UPDATE",
};


/* Table 1 of RFC 6337: an offer in this, its answer in that */
static const struct {
	bool late;             /* an INVITE without an offer was first   */
	bool settled;          /* a session is there already             */
	enum offer_by offer, answer;
} table[] = {
	{false, false, BY_INVITE,  BY_2XX},
	{false, false, BY_INVITE,  BY_1XX_REL},
	{false, true,  BY_INVITE,  BY_2XX},
	{true,  false, BY_2XX,     BY_ACK},
	{true,  true,  BY_2XX,     BY_ACK},
	{true,  false, BY_1XX_REL, BY_PRACK},
	{false, true,  BY_PRACK,   BY_PRACK_2XX},
	{false, true,  BY_UPDATE,  BY_UPDATE_2XX},
};


/* Both sides at once: what one sends the other receives */
static void test_ways(void **state)
{
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(table); i++) {
		struct offer a = {.state = OFFER_NONE}, b = a;
		struct offer *from = &a, *to = &b;

		if (table[i].settled) {
			a.state = b.state = OFFER_STABLE;
			a.agreed = b.agreed = true;
		}

		if (table[i].late) {
			assert_int_equal(offer_send(&a, BY_INVITE, false),
					 MEANS_NOTHING);
			assert_int_equal(offer_recv(&b, BY_INVITE, false),
					 MEANS_NOTHING);
			assert_int_equal(a.state, OFFER_ASKED);
			assert_int_equal(b.state, OFFER_OWED);
			from = &b;
			to = &a;
		}

		assert_int_equal(offer_send(from, table[i].offer, true),
				 MEANS_OFFER);
		assert_int_equal(offer_recv(to, table[i].offer, true),
				 MEANS_OFFER);
		assert_int_equal(from->state, OFFER_LOCAL);
		assert_int_equal(to->state, OFFER_REMOTE);
		assert_true(offer_open(from));

		assert_int_equal(offer_send(to, table[i].answer, true),
				 MEANS_ANSWER);
		assert_int_equal(offer_recv(from, table[i].answer, true),
				 MEANS_ANSWER);
		assert_int_equal(from->state, OFFER_STABLE);
		assert_int_equal(to->state, OFFER_STABLE);
		assert_true(from->agreed && to->agreed);
		assert_false(offer_open(to));
	}
}


static bool is_way(bool late, enum offer_by offer, enum offer_by answer)
{
	size_t i;

	for (i = 0; i < COUNTOF(table); i++) {
		if (table[i].late == late && table[i].offer == offer &&
		    table[i].answer == answer)
			return true;
	}

	return false;
}


/* An offer in one message, an "answer" in any other */
static void test_answers(void **state)
{
	unsigned i, by;
	(void)state;

	for (i = 0; i < COUNTOF(table); i++) {
		for (by = 0; by < WAYS; by++) {
			struct offer o = {.state = OFFER_LOCAL,
					  .by = table[i].offer,
					  .agreed = true};
			enum offer_means m = offer_recv(&o, by, true);

			if (is_way(table[i].late, table[i].offer, by)) {
				assert_int_equal(m, MEANS_ANSWER);
				continue;
			}

			/* a hint, an offer that meets ours, or nothing */
			if (by == BY_1XX && o.by == BY_INVITE)
				assert_int_equal(m, MEANS_PREVIEW);
			else if (by == BY_INVITE || by == BY_PRACK ||
				 by == BY_UPDATE)
				assert_int_equal(m, MEANS_GLARE);
			else
				assert_int_equal(m, MEANS_NOTHING);

			if (o.state != OFFER_LOCAL || o.by != table[i].offer)
				fail_msg("%s moved it", names[by]);
		}
	}
}


/* Offers come where they may, and nowhere else */
static void test_offers(void **state)
{
	unsigned st, by;
	(void)state;

	for (st = 0; st < STATES; st++) {
		for (by = 0; by < WAYS; by++) {
			/* nothing here answers it */
			struct offer o = {.state = st, .by = BY_UPDATE_2XX};
			const bool quiet = st == OFFER_NONE ||
				st == OFFER_STABLE;
			enum offer_means want;

			if (by == BY_INVITE && quiet)
				want = MEANS_OFFER;
			else if ((by == BY_PRACK || by == BY_UPDATE) &&
				 st == OFFER_STABLE)
				want = MEANS_OFFER;
			else if ((by == BY_1XX_REL || by == BY_2XX) &&
				 st == OFFER_ASKED)
				want = MEANS_OFFER;
			else if (by != BY_INVITE && by != BY_PRACK &&
				 by != BY_UPDATE)
				want = MEANS_NOTHING;
			else if (st == OFFER_LOCAL || st == OFFER_ASKED)
				want = MEANS_GLARE;
			else
				want = MEANS_EARLY;

			if (offer_recv(&o, by, true) != want)
				fail_msg("%s in %s", names[by],
					 offer_state_name(st));
			assert_int_equal(o.state, want == MEANS_OFFER ?
					 OFFER_REMOTE : st);
		}
	}
}


static void test_missing(void **state)
{
	static const struct {
		enum offer_by offer, bare;
		enum offer_means means;
	} v[] = {
		{BY_INVITE,  BY_1XX,        MEANS_NOTHING},
		{BY_INVITE,  BY_1XX_REL,    MEANS_NOTHING},
		{BY_INVITE,  BY_2XX,        MEANS_MISSING},
		{BY_2XX,     BY_ACK,        MEANS_MISSING},
		{BY_1XX_REL, BY_PRACK,      MEANS_MISSING},
		{BY_PRACK,   BY_PRACK_2XX,  MEANS_MISSING},
		{BY_UPDATE,  BY_UPDATE_2XX, MEANS_MISSING},
		/* of something else */
		{BY_UPDATE,  BY_PRACK,      MEANS_NOTHING},
		{BY_UPDATE,  BY_2XX,        MEANS_NOTHING},
		{BY_INVITE,  BY_PRACK,      MEANS_NOTHING},
		{BY_INVITE,  BY_UPDATE,     MEANS_NOTHING},
		{BY_INVITE,  BY_UPDATE_2XX, MEANS_NOTHING},
	};
	struct offer o;
	size_t i;
	(void)state;

	for (i = 0; i < COUNTOF(v); i++) {
		o = (struct offer){.state = OFFER_LOCAL, .by = v[i].offer};
		assert_int_equal(offer_recv(&o, v[i].bare, false),
				 v[i].means);
		assert_int_equal(o.state, OFFER_LOCAL);

		o = (struct offer){.state = OFFER_REMOTE, .by = v[i].offer};
		assert_int_equal(offer_send(&o, v[i].bare, false),
				 v[i].means);
		assert_int_equal(o.state, OFFER_REMOTE);
	}

	/* an offer was asked for */
	o = (struct offer){.state = OFFER_ASKED};
	assert_int_equal(offer_recv(&o, BY_1XX_REL, false), MEANS_NOTHING);
	assert_int_equal(offer_recv(&o, BY_2XX, false), MEANS_MISSING);
	assert_int_equal(o.state, OFFER_ASKED);
}


static void test_cancel(void **state)
{
	unsigned st;
	(void)state;

	for (st = 0; st < STATES; st++) {
		struct offer o = {.state = st};

		offer_cancel(&o);
		assert_int_equal(o.state, OFFER_NONE);
		o.state = st;
		o.agreed = true;
		offer_cancel(&o);
		assert_int_equal(o.state, OFFER_STABLE);
		assert_string_not_equal(offer_state_name(st), "?");
	}

	assert_int_equal(offer_status(MEANS_GLARE), 491);
	assert_int_equal(offer_status(MEANS_EARLY), 500);
	assert_int_equal(offer_status(MEANS_MISSING), 400);
	assert_int_equal(offer_status(MEANS_OFFER), 0);
	assert_int_equal(offer_status(MEANS_PREVIEW), 0);
}


/* Before a reliable 1xx, any number of hints; after it none counts */
static void test_preview(void **state)
{
	struct offer o = {.state = OFFER_NONE};
	(void)state;

	(void)offer_send(&o, BY_INVITE, true);
	assert_int_equal(offer_recv(&o, BY_1XX, true), MEANS_PREVIEW);
	assert_int_equal(offer_recv(&o, BY_1XX, true), MEANS_PREVIEW);
	assert_int_equal(o.state, OFFER_LOCAL);
	assert_int_equal(offer_recv(&o, BY_1XX_REL, true), MEANS_ANSWER);
	assert_int_equal(offer_recv(&o, BY_1XX, true), MEANS_NOTHING);
	assert_int_equal(offer_recv(&o, BY_1XX_REL, true), MEANS_NOTHING);
	assert_int_equal(offer_recv(&o, BY_2XX, true), MEANS_NOTHING);
	assert_int_equal(offer_recv(&o, BY_2XX, false), MEANS_NOTHING);
	assert_int_equal(o.state, OFFER_STABLE);

	/* an unreliable one never carries an offer */
	o = (struct offer){.state = OFFER_NONE};
	(void)offer_send(&o, BY_INVITE, false);
	assert_int_equal(offer_recv(&o, BY_1XX, true), MEANS_NOTHING);
	assert_int_equal(o.state, OFFER_ASKED);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ways),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_offers),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_preview),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
