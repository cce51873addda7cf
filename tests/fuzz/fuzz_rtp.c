/**
 * @file fuzz_rtp.c  RTP and RTCP packets from the network
 */
#include "fuzz.h"
#include "priv.h"
#include "red.h"


static void rtcp(const uint8_t *data, size_t size)
{
	struct report r;

	report_init(&r, "fuzz@192.0.2.1", 0);
	if (!report_read(&r, data, size, 1000, 1700000000000, 2000, 0x1234,
			 0))
		must(!r.malformed);
	must(r.nackn <= COUNT(r.nackv));
	if (r.remote_known)
		must(r.remote_fraction <= 255);
}


/* What some payload types hold: redundancy, comfort noise */
static void payload(const struct rtp *h)
{
	struct red_block v[RED_BLOCKS];
	struct noise z = { .rnd = 1 };
	int16_t out[160];
	const unsigned n = red_read(v, h->payload, h->len);

	must(n <= RED_BLOCKS);
	for (unsigned i = 0; i < n; i++) {
		must(v[i].p >= h->payload);
		must(v[i].p + v[i].len <= h->payload + h->len);
		must(v[i].pt < 128 && v[i].back <= RED_BACK_MAX);
	}

	if (!noise_read(&z, h->payload, h->len))
		return;
	noise_fill(&z, out, 160);
	for (unsigned i = 0; i < NOISE_ORDER; i++)
		must(z.past[i] >= -32767 && z.past[i] <= 32767);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtp h, again;
	uint8_t copy[PACKET_MAX + RTP_HEADER];

	media_thread = THREAD_MAIN | THREAD_MEDIA;
	if (size > PACKET_MAX)
		return 0;
	rtcp(data, size);
	if (rtp_is_rtcp(data, size) || rtp_read(&h, data, size))
		return 0;
	must(h.payload >= data + RTP_HEADER);
	must(h.payload + h.len <= data + size);
	must(h.pt < 128);
	payload(&h);

	/* written without extension and padding it says the same */
	rtp_write(copy, &h);
	memcpy(copy + RTP_HEADER, h.payload, h.len);
	must(!rtp_read(&again, copy, RTP_HEADER + h.len));
	must(again.seq == h.seq && again.ts == h.ts && again.ssrc == h.ssrc);
	must(again.pt == h.pt && again.marker == h.marker &&
	     again.len == h.len);

	return 0;
}
