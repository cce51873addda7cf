/**
 * @file test_dtmf.c  Telephone-events, packet by packet
 */
#include <string.h>
#include "rig.h"


static unsigned put(struct dtmf_rx *d, uint32_t ts, uint8_t event, bool end,
		    uint16_t duration, uint64_t now, struct dtmf_digit *out)
{
	const uint8_t p[4] = {
		event, (uint8_t)(end ? 0x8a : 0x0a),
		(uint8_t)(duration >> 8), (uint8_t)duration
	};

	return dtmf_rx_put(d, ts, p, sizeof(p), now, out);
}


static void test_repeated_digit(void **state)
{
	struct dtmf_digit out[2];
	struct dtmf_rx d;
	(void)state;

	dtmf_rx_begin(&d, 8000);

	/* 5, all its end packets lost, then 5 again */
	assert_int_equal(put(&d, 1000, 5, false, 160, 0, out), 0);
	assert_int_equal(put(&d, 1000, 5, false, 320, 20000, out), 0);
	assert_int_equal(put(&d, 2000, 5, false, 160, 90000, out), 1);
	assert_int_equal(out[0].digit, '5');
	assert_int_equal(out[0].duration_ms, 40);
	assert_int_equal(put(&d, 2000, 5, true, 800, 170000, out), 1);
	assert_int_equal(out[0].digit, '5');
	assert_int_equal(out[0].duration_ms, 100);

	/* the end is repeated, and what was overtaken comes late */
	assert_int_equal(put(&d, 2000, 5, true, 800, 171000, out), 0);
	assert_int_equal(put(&d, 1000, 5, true, 800, 172000, out), 0);
	assert_int_equal(dtmf_rx_poll(&d, 10000000, out), 0);
	assert_int_equal(d.received, 2);
}


static void test_only_an_end(void **state)
{
	struct dtmf_digit out[2];
	struct dtmf_rx d;
	(void)state;

	dtmf_rx_begin(&d, 48000);
	assert_int_equal(put(&d, 7, 11, true, 4800, 0, out), 1);
	assert_int_equal(out[0].digit, '#');
	assert_int_equal(out[0].duration_ms, 100);
}


static void test_ended_by_silence(void **state)
{
	struct dtmf_digit out[2];
	struct dtmf_rx d;
	(void)state;

	dtmf_rx_begin(&d, 8000);
	assert_int_equal(put(&d, 7, 0, false, 400, 1000, out), 0);
	assert_int_equal(dtmf_rx_poll(&d, 100000, out), 0);
	assert_int_equal(dtmf_rx_poll(&d, 200000, out), 1);
	assert_int_equal(out[0].digit, '0');
	assert_int_equal(out[0].duration_ms, 50);
	assert_int_equal(put(&d, 7, 0, true, 800, 210000, out), 0);
}


static void test_two_at_once(void **state)
{
	struct dtmf_digit out[2];
	struct dtmf_rx d;
	(void)state;

	/* the begin of one, then only the end of the next */
	dtmf_rx_begin(&d, 8000);
	assert_int_equal(put(&d, 100, 1, false, 160, 0, out), 0);
	assert_int_equal(put(&d, 2000, 2, true, 800, 200000, out), 2);
	assert_int_equal(out[0].digit, '1');
	assert_int_equal(out[1].digit, '2');
}


static void test_long_digit(void **state)
{
	struct dtmf_digit out[2];
	struct dtmf_rx d;
	(void)state;

	/* longer than 16 bits hold: segments of one digit */
	dtmf_rx_begin(&d, 8000);
	assert_int_equal(put(&d, 0, 9, false, 65535, 0, out), 0);
	assert_int_equal(put(&d, 65535, 9, false, 160, 20000, out), 0);
	assert_int_equal(put(&d, 65535, 9, true, 14465, 90000, out), 1);
	assert_int_equal(out[0].digit, '9');
	assert_int_equal(out[0].duration_ms, 10000);
}


static void test_overtaken(void **state)
{
	struct dtmf_digit out[2];
	struct dtmf_rx d;
	(void)state;

	dtmf_rx_begin(&d, 8000);
	assert_int_equal(put(&d, 5000, 2, false, 160, 0, out), 0);
	assert_int_equal(put(&d, 3000, 1, true, 800, 10, out), 1);
	assert_int_equal(out[0].digit, '1');
	assert_int_equal(put(&d, 5000, 2, true, 800, 20, out), 1);
	assert_int_equal(out[0].digit, '2');
}


static void test_not_digits(void **state)
{
	struct dtmf_digit out[2];
	struct dtmf_rx d;
	(void)state;

	dtmf_rx_begin(&d, 8000);
	assert_int_equal(put(&d, 1, 17, true, 800, 0, out), 0);
	assert_int_equal(put(&d, 2, 255, true, 800, 0, out), 0);
	assert_int_equal(dtmf_rx_put(&d, 3, (const uint8_t *)"\1\2\3", 3, 0,
				     out), 0);
	assert_int_equal(dtmf_rx_poll(&d, 10000000, out), 0);
}


static void test_send(void **state)
{
	struct dtmf_tx d;
	struct dtmf_event ev;
	unsigned ends = 0, packets = 0;
	uint16_t last = 0;
	bool all;
	(void)state;

	dtmf_tx_begin(&d, 100, 70, 10);
	d.clock_hz = 48000;
	assert_int_equal(dtmf_tx_add(&d, "a"), 0);

	for (unsigned i = 0; i < 7; i++) {
		const enum dtmf_step step = dtmf_tx_step(&d, 20, &ev, &all);
		const uint16_t dur = (uint16_t)(ev.payload[2] << 8 |
						ev.payload[3]);

		assert_int_equal(step, i ? DTMF_PACKET : DTMF_FIRST);
		assert_int_equal(ev.marker, !i);
		assert_int_equal(ev.payload[0], 12);
		assert_true(dur >= last);
		last = dur;
		++packets;
		ends += ev.payload[1] >> 7;

		/* told with the last packet, once */
		assert_int_equal(all, i == 6);
	}
	assert_int_equal(ends, 3);
	assert_int_equal(last, 4800);

	assert_int_equal(d.sent, 1);
	assert_int_equal(d.taken, 1);

	/* the pause has begun with the first end, and the next one keeps it */
	assert_int_equal(dtmf_tx_add(&d, "1"), 0);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(dtmf_tx_step(&d, 20, &ev, &all), DTMF_SOUND);
		assert_false(all);
	}
	assert_int_equal(dtmf_tx_step(&d, 20, &ev, &all), DTMF_FIRST);
}


/* Five seconds at 48 kHz do not fit into sixteen bits: what the sender says of
 * them, the receiver hears as one digit (RFC 4733 2.5.1.3) */
/* Each is as long as was said before it was added */
static void test_durations(void **state)
{
	static const unsigned want[] = { 100, 2000, 40, 10000 };
	struct dtmf_digit out[2];
	struct dtmf_tx tx;
	struct dtmf_rx rx;
	uint32_t ts = 0;
	unsigned n = 0;
	bool all = false;
	(void)state;

	dtmf_tx_begin(&tx, 100, 70, 10);
	dtmf_rx_begin(&rx, 8000);
	assert_int_equal(dtmf_tx_add(&tx, "1"), 0);
	dtmf_tx_duration(&tx, 2000);
	assert_int_equal(dtmf_tx_add(&tx, "2"), 0);
	dtmf_tx_duration(&tx, 0);
	assert_int_equal(dtmf_tx_add(&tx, "3"), 0);
	dtmf_tx_duration(&tx, UINT32_MAX);
	assert_int_equal(dtmf_tx_add(&tx, "#"), 0);

	for (unsigned i = 0; !all; i++) {
		struct dtmf_event ev;
		const enum dtmf_step step = dtmf_tx_step(&tx, 20, &ev, &all);

		assert_true(i < 1000);
		if (step == DTMF_SOUND)
			continue;
		if (step == DTMF_FIRST)
			ts = i * 160;
		ts += ev.ahead;
		if (!dtmf_rx_put(&rx, ts, ev.payload, 4, i * 20000ull, out))
			continue;
		assert_true(n < 4);
		assert_int_equal(out[0].duration_ms, want[n++]);
	}
	assert_int_equal(n, 4);
}


static void test_segments(void **state)
{
	struct dtmf_digit out[2];
	struct dtmf_tx tx;
	struct dtmf_rx rx;
	uint32_t ts = 1000, last_ts = 1000;
	unsigned segments = 1, digits = 0;
	bool all = false;
	(void)state;

	dtmf_tx_begin(&tx, 5000, 70, 33);
	tx.clock_hz = 48000;
	dtmf_rx_begin(&rx, 48000);
	assert_int_equal(dtmf_tx_add(&tx, "7"), 0);

	for (unsigned i = 0; !all; i++) {
		struct dtmf_event ev;
		const enum dtmf_step step = dtmf_tx_step(&tx, 20, &ev, &all);
		uint64_t units;

		assert_true(i < 300);
		assert_int_equal(step, i ? DTMF_PACKET : DTMF_FIRST);
		assert_int_equal(ev.marker, !i);
		assert_int_equal(ev.payload[1] & 0x3f, 33);
		ts += ev.ahead;
		segments += ts != last_ts;
		last_ts = ts;

		/* wherever it stands, the end of what is said is now */
		units = ts - 1000 + (ev.payload[2] << 8 | ev.payload[3]);
		assert_int_equal(units, 960 * (i + 1 < 250 ? i + 1 : 250));

		/* some get lost, the first of a segment too */
		if (i % 4 == 1 || ev.ahead)
			continue;
		digits += dtmf_rx_put(&rx, ts, ev.payload, 4, i * 20000ull,
				      out);
	}

	assert_int_equal(segments, 4);
	assert_int_equal(digits, 1);
	assert_int_equal(out[0].digit, '7');
	assert_int_equal(out[0].duration_ms, 5000);
}


static void test_queue(void **state)
{
	struct dtmf_tx d;
	struct dtmf_event ev;
	char many[DTMF_QUEUE + 2];
	unsigned steps = 0;
	bool all = false;
	(void)state;

	assert_int_equal(dtmf_check("0123456789*#ABCDabcd,wW"), 0);
	assert_int_equal(dtmf_check(""), EINVAL);
	assert_int_equal(dtmf_check(NULL), EINVAL);
	assert_int_equal(dtmf_check("12x"), EINVAL);
	assert_int_equal(dtmf_check("1 2"), EINVAL);
	assert_int_equal(dtmf_check("\xb2"), EINVAL);

	memset(many, '1', sizeof(many));
	many[DTMF_QUEUE + 1] = '\0';
	dtmf_tx_begin(&d, 100, 70, 10);
	assert_int_equal(dtmf_tx_add(&d, many), ENOSPC);
	many[DTMF_QUEUE] = '\0';
	assert_int_equal(dtmf_tx_add(&d, many), 0);
	assert_int_equal(dtmf_tx_add(&d, "1"), ENOSPC);

	/* pauses are pauses */
	dtmf_tx_begin(&d, 100, 70, 10);
	assert_int_equal(dtmf_tx_add(&d, ",w"), 0);
	while (!all) {
		assert_int_equal(dtmf_tx_step(&d, 20, &ev, &all), DTMF_SOUND);
		assert_true(++steps < 1000);
	}
	assert_in_range(steps, 75, 78);
	assert_int_equal(d.sent, 0);
	assert_int_equal(d.taken, 2);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repeated_digit),
		cmocka_unit_test(test_only_an_end),
		cmocka_unit_test(test_ended_by_silence),
		cmocka_unit_test(test_two_at_once),
		cmocka_unit_test(test_long_digit),
		cmocka_unit_test(test_overtaken),
		cmocka_unit_test(test_not_digits),
		cmocka_unit_test(test_send),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
