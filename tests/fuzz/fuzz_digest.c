/**
 * @file fuzz_digest.c  A challenge from a stranger's server
 */
#include "fuzz.h"
#include "digest.h"

enum { MAX = 8 };


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pl val = { (const char *)data, size };
	struct challenge v[MAX];
	unsigned n = challenge_parse(v, MAX, &val);

	must(n <= MAX);
	for (unsigned i = 0; i < n; i++) {
		const struct pl *p[] = { &v[i].realm, &v[i].nonce,
					 &v[i].opaque, &v[i].algorithm };

		for (size_t k = 0; k < 4; k++) {
			if (!pl_isset(p[k]))
				continue;
			must(p[k]->p >= val.p);
			must(p[k]->p + p[k]->l <= val.p + val.l);
		}
		must(v[i].algo != DIGEST_UNKNOWN);
	}

	return 0;
}
