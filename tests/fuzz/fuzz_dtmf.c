/**
 * @file fuzz_dtmf.c  Telephone-events in any order, and digits to send
 */
#include "fuzz.h"
#include "priv.h"

static const char known[] = "0123456789*#ABCD!";


static void receive_all(struct bytes *b)
{
	struct dtmf_digit out[2];
	struct dtmf_rx rx;
	uint64_t now = 1000000;

	dtmf_rx_begin(&rx, take(b, 1) & 1 ? 48000 : 8000);
	while (b->left) {
		uint32_t ts = take(b, 4), kind = take(b, 1);
		uint8_t payload[6];
		size_t len = kind & 7 ? 4 : take(b, 1) % sizeof(payload);
		unsigned n;

		for (size_t i = 0; i < sizeof(payload); i++)
			payload[i] = i < len ? (uint8_t)take(b, 1) : 0;
		now += take(b, 2) * 100u;
		n = kind & 128 ? dtmf_rx_poll(&rx, now, out)
			       : dtmf_rx_put(&rx, ts, payload, len, now, out);
		must(n <= 2);
		while (n--)
			must(out[n].digit && strchr(known, out[n].digit));
	}
}


static void send_all(const char *digits)
{
	struct dtmf_tx tx;
	struct dtmf_event ev;
	unsigned steps = 0;
	bool all = false;

	dtmf_tx_begin(&tx, 100, 70, 10);
	tx.clock_hz = 8000;
	if (dtmf_tx_add(&tx, digits))
		return;
	must(strlen(digits) <= DTMF_QUEUE);
	/* a pause is at most 1 s, a digit 170 ms and its end packets */
	while (!all && ++steps < DTMF_QUEUE * 60)
		dtmf_tx_step(&tx, 20, &ev, &all);
	must(all || !*digits);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { data, size };
	char *digits;

	media_thread = THREAD_MAIN | THREAD_MEDIA;
	digits = take_text(&b, take(&b, 1) % 32);
	send_all(digits);
	free(digits);
	receive_all(&b);

	return 0;
}
