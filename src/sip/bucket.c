/**
 * @file sip/bucket.c  How much an address may send
 *
 * A token bucket for each address, in a table of fixed size: where two meet,
 * the one that has been quiet for longer makes way.  The time is an
 * argument.  Pure but for the table.
 */
#include "filter.h"


enum { BURST_MIN = 10, WAYS = 4 };


/* The address without its port: who has many ports is one */
static uint64_t place_of(const struct buckets *b, const struct sa *addr)
{
	uint64_t h = b->key;
	uint8_t raw[16] = {0};
	size_t i;

	if (sa_af(addr) == AF_INET6) {
		sa_in6(addr, raw);
		/* a household has a /64 */
		memset(raw + 8, 0, 8);
	}
	else {
		const uint32_t v = sa_in(addr);

		memcpy(raw, &v, sizeof(v));
	}

	for (i = 0; i < sizeof(raw); i++) {
		h ^= raw[i];
		h *= 0x100000001b3ULL;
		h ^= h >> 29;
	}

	return h;
}


static bool same_sender(const struct sa *a, const struct sa *b)
{
	uint8_t x[16], y[16];

	if (sa_af(a) != sa_af(b))
		return false;
	if (sa_af(a) != AF_INET6)
		return sa_cmp(a, b, SA_ADDR);

	sa_in6(a, x);
	sa_in6(b, y);

	return !memcmp(x, y, 8);
}


static struct bucket *find(struct buckets *b, const struct sa *addr,
			   uint64_t burst, uint64_t now_ms)
{
	const uint64_t at = place_of(b, addr);
	struct bucket *oldest = NULL;
	unsigned i;

	for (i = 0; i < WAYS; i++) {
		struct bucket *v = &b->v[(at + i) % BUCKETS];

		if (sa_isset(&v->addr, SA_ADDR) &&
		    same_sender(&v->addr, addr))
			return v;
		if (!oldest || v->at_ms < oldest->at_ms)
			oldest = v;
	}

	oldest->addr = *addr;
	oldest->at_ms = now_ms;
	oldest->milli = burst;
	oldest->told = false;

	return oldest;
}


enum bucket_verdict bucket_take(struct buckets *b, const struct sa *addr,
				unsigned per_min, uint64_t now_ms)
{
	const uint64_t burst = 1000ULL * (per_min / 4 > BURST_MIN ?
					  per_min / 4 : BURST_MIN);
	struct bucket *v = find(b, addr, burst, now_ms);
	const uint64_t passed = now_ms > v->at_ms ? now_ms - v->at_ms : 0;

	v->milli += passed * per_min / 60;
	if (v->milli > burst)
		v->milli = burst;
	v->at_ms = now_ms;

	if (v->milli >= 1000) {
		v->milli -= 1000;
		v->told = false;
		return BUCKET_FINE;
	}

	if (v->told)
		return BUCKET_OVER;
	v->told = true;

	return BUCKET_FIRST_OVER;
}
