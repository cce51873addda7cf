/**
 * @file fuzz_jitter.c  Packets at any time, in any order, with any stamps
 *
 * However they come, asking ends: the buffer gives what is wanted in a
 * bounded number of pieces, and holds a bounded number of packets.
 */
#include "fuzz.h"
#include "jitter.h"
#include "offhook/compat.h"

enum { CLOCK = 8000, FRAME = 160 };


static void play(struct jitter *j, uint64_t now, uint32_t want, bool quiet)
{
	unsigned pieces = 0;

	while (want && ++pieces < 1000) {
		struct jitter_frame f = { .dur = 0 };
		enum jitter_get got = jitter_get(j, now, want, quiet, &f);
		uint32_t n;

		must(f.dur);
		if (got == JITTER_PACKET)
			must(f.payload && f.skip < f.dur);
		else
			must(f.dur <= CLOCK);
		n = f.dur - f.skip;
		if (f.pace.tempo == TEMPO_FASTER && n > 1) {
			const uint32_t cut = f.pace.room < n ? f.pace.room
							     : n - 1;

			must(got == JITTER_PACKET && f.pace.room);
			n -= cut;
			jitter_retimed(j, now, -(int32_t)cut);
		}
		if (f.pace.tempo == TEMPO_SLOWER) {
			must(got == JITTER_PACKET);
			n += f.pace.room % FRAME;
			jitter_retimed(j, now, (int32_t)(f.pace.room % FRAME));
		}
		want -= n < want ? n : want;
	}
	must(!want);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct jitter_conf conf = { CLOCK, 0, 200 };
	struct bytes b = { data, size };
	struct jitter *j = NULL;
	uint64_t now = 1000000;
	uint16_t seq = 65530;
	uint32_t ts = 0xffffff00;
	uint8_t payload[FRAME] = { 0 };

	must(!jitter_alloc(&j, &conf));
	while (b.left) {
		uint32_t op = take(&b, 1);

		switch (op >> 5) {
		case 0: now += (op & 31) * 10000; break;
		case 1: play(j, now, FRAME, op & 1); now += 20000; break;
		case 2: seq += op & 31; ts += (op & 31) * FRAME; break;
		case 3: seq -= op & 31; ts -= (op & 31) * FRAME; break;
		case 4: ts += take(&b, 4); break;
		case 5:
			if (op & 1)
				jitter_mark(j, seq++);
			else
				jitter_fill(j, (uint16_t)(seq - (op & 3)),
					    ts - (op & 31) * FRAME, FRAME,
					    0, payload, 1 + (op & 31));
			break;
		case 6:
			jitter_set_extra(j, (op & 31) * 40, op, op & 1);
			jitter_set_block(j, (op & 7) * 80);
			if (!(op & 31))
				jitter_reset(j, 0);
			break;
		default:
			jitter_put(j, now, seq++, ts,
				   op & 1 ? FRAME : (op & 31) * 40 + 1,
				   (uint8_t)(op & 3), payload, op & 31);
			ts += FRAME;
		}
		must(jitter_count(j) < 1000);
	}
	mem_deref(j);

	return 0;
}
