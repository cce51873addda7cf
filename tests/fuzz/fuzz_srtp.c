/**
 * @file fuzz_srtp.c  Protected packets from the network
 *
 * Packets as they come, and good ones that were changed on the way: what was
 * not made with the key is never opened, leaves its bytes alone, and what was
 * is still opened afterwards.
 */
#include "fuzz.h"
#include "bytes.h"
#include "priv.h"
#include "transform.h"


struct pkt {
	uint8_t p[PACKET_MAX + TRANSFORM_ROOM];
	size_t len;
};


static void forged(struct transform *t, bool rtcp, const struct pkt *k)
{
	struct pkt got = *k;

	must(transform_open(t, rtcp, got.p, &got.len));
	must(got.len == k->len);
	must(!memcmp(got.p, k->p, k->len));
}


static void changed(struct transform *out, struct transform *in, bool rtcp,
		    struct bytes *b)
{
	struct pkt plain, good, bad;

	plain.len = 12 + take(b, 1) % 200;
	memset(plain.p, (int)take(b, 1), plain.len);
	plain.p[0] = 0x80;
	if (rtcp)
		plain.p[0] = 0x81;
	good = plain;
	if (transform_seal(out, rtcp, good.p, &good.len))
		return;
	must(good.len <= plain.len + TRANSFORM_ROOM);

	bad = good;
	for (unsigned n = take(b, 1) % 4 + 1; n; n--)
		bad.p[take(b, 1) % bad.len] ^= (uint8_t)take(b, 1);
	if (memcmp(bad.p, good.p, good.len))
		forged(in, rtcp, &bad);

	must(!transform_open(in, rtcp, good.p, &good.len));
	must(good.len == plain.len && !memcmp(good.p, plain.p, plain.len));
}


static struct transform *keyed(const struct media_suite *s, uint8_t with,
			       bool out)
{
	uint8_t key[MEDIA_KEY_MAX];
	struct transform *t;

	memset(key, with, sizeof(key));
	must(!transform_alloc(&t, s, key, out));

	return t;
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { data, size };
	const uint32_t how = take(&b, 1);
	const struct media_suite *s =
		&media_suite_table()[how % MEDIA_SUITES];
	const bool rtcp = how & 0x80;
	struct transform *in, *out, *strange;

	/* libFuzzer watches what we compare, and so learns good packets: those
	 * of a key of their own */
	strange = keyed(s, 0x5a, false);
	in = keyed(s, 0xa5, false);
	out = keyed(s, 0xa5, true);
	if (how & 0x40)
		transform_expect(strange, take(&b, 4), take(&b, 4));

	for (unsigned n = 0; n < 16 && b.left; n++) {
		const size_t len = take(&b, 2) % (PACKET_MAX + 1);
		struct pkt k = { .len = len < b.left ? len : b.left };

		memcpy(k.p, b.p, k.len);
		b.p += k.len;
		b.left -= k.len;
		forged(strange, rtcp, &k);
	}
	b = (struct bytes){ data, size };
	changed(out, in, rtcp, &b);

	mem_deref(strange);
	mem_deref(in);
	mem_deref(out);

	return 0;
}
