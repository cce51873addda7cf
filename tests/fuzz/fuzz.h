/**
 * @file fuzz.h  What the fuzz targets share: bytes taken apart
 *
 * Each target is one function that libFuzzer calls with any bytes; what must
 * hold is asserted.  Several values are drawn from one input through a
 * struct bytes.
 */
#ifndef OFFHOOK_FUZZ_H
#define OFFHOOK_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** assert() that no build flag switches off */
#define must(x)								\
	do {								\
		if (!(x)) {						\
			fprintf(stderr, "%s:%d: must hold: %s\n",	\
				__FILE__, __LINE__, #x);		\
			abort();					\
		}							\
	} while (0)

struct bytes {
	const uint8_t *p;
	size_t left;
};

static inline uint32_t take(struct bytes *b, unsigned n)
{
	uint32_t v = 0;

	while (n-- && b->left) {
		v = v << 8 | *b->p++;
		--b->left;
	}

	return v;
}

/** A NUL-terminated copy of at most max bytes; free() */
static inline char *take_text(struct bytes *b, size_t max)
{
	size_t n = b->left < max ? b->left : max;
	char *s = malloc(n + 1);

	must(s);
	memcpy(s, b->p, n);
	s[n] = '\0';
	b->p += n;
	b->left -= n;

	return s;
}

#endif
