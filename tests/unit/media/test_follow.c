/**
 * @file test_follow.c  A tick that follows a peer, and two that follow each
 *                      other
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "follow.h"


#define BEGIN 1000000000LL

enum { STEP = 20000000, MINUTES = 10, TICKS = MINUTES * 60 * 50 };

struct phone {
	struct follow follow;
	int64_t tick;            /* ns on the true clock                     */
	int64_t sent;            /* its last packet                          */
	double ppm;              /* its clock runs so much too fast          */
	unsigned ticks;
	bool follows;
};


/* A packet of 20 ms comes with each tick of the other: how long ago? */
static void tick(struct phone *p, const struct phone *other)
{
	const int64_t spare = (p->tick - other->sent) / 1000;
	int64_t step = STEP;

	if (p->follows)
		step += follow_step(&p->follow, (uint64_t)p->tick,
				    spare < 1 ? 1 : spare, spare);
	p->sent = p->tick;
	p->tick += (int64_t)llrint((double)step / (1 + p->ppm / 1e6));
	++p->ticks;
}


static void run(struct phone *a, struct phone *b)
{
	while (a->ticks < TICKS && b->ticks < TICKS) {
		if (a->tick < b->tick)
			tick(a, b);
		else
			tick(b, a);
	}
}


/* How far it is from where its own clock would have it, ms */
static double ahead(const struct phone *p)
{
	return ((double)p->ticks * STEP / (1 + p->ppm / 1e6) -
		(double)(p->tick - BEGIN)) / 1e6;
}


/* Another clock, as far off as clocks are: followed, and close to */
static void test_clock(void **state)
{
	static const double ppm[] = { 0, 200, -200, 400, -400 };
	(void)state;

	for (size_t i = 0; i < sizeof(ppm) / sizeof(ppm[0]); i++) {
		struct phone a = { .tick = BEGIN, .follows = true };
		struct phone b = { .tick = BEGIN + 13000000, .ppm = ppm[i] };
		double behind;

		run(&a, &b);
		assert_false(a.follow.off);
		behind = (double)(a.tick - b.sent) / 1e6;
		behind -= 20 * floor(behind / 20);
		assert_true(behind > 2 && behind < 6);
	}
}


/* Two that follow each other are both in time, and one of them is close */
static void test_each_other(void **state)
{
	(void)state;

	for (int ms = 0; ms < 20; ms++) {
		struct phone a = { .tick = BEGIN, .follows = true };
		struct phone b = {
			.tick = BEGIN + ms * 1000000, .follows = true
		};
		double behind[2];

		run(&a, &b);
		assert_true(fabs(ahead(&a)) < 16);
		assert_true(fabs(ahead(&b)) < 16);

		behind[0] = fmod((double)(a.tick - b.sent) / 1e6 + 200, 20);
		behind[1] = fmod((double)(b.tick - a.sent) / 1e6 + 200, 20);
		assert_true(fmin(behind[0], behind[1]) < 10.1);
	}
}


/* No clock at all: it is let go */
static void test_too_fast(void **state)
{
	struct phone a = { .tick = BEGIN, .follows = true };
	struct phone b = { .tick = BEGIN + 13000000, .ppm = 2000 };
	(void)state;

	run(&a, &b);
	assert_true(a.follow.off);
	assert_true(fabs(ahead(&a)) < 60);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_each_other),
		cmocka_unit_test(test_too_fast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
