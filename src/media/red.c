/**
 * @file red.c  Redundant audio (RFC 2198): packets before once more
 *
 * Media thread; pure.
 */
#include <string.h>
#include "red.h"


enum {
	MORE = 0x80,             /* another header follows                  */
	HEAD = 4,                /* bytes of a header that is not the last  */
};


unsigned red_read(struct red_block v[RED_BLOCKS], const uint8_t *p,
		  size_t len)
{
	const uint8_t *const end = p + len;
	const uint8_t *body;
	unsigned n = 0;

	while (p < end && *p & MORE) {
		struct red_block *b = &v[n++];

		if (n == RED_BLOCKS || end - p < HEAD)
			return 0;

		b->pt = *p & 0x7f;
		b->back = (uint32_t)p[1] << 6 | p[2] >> 2;
		b->len = (size_t)(p[2] & 3) << 8 | p[3];
		p += HEAD;
	}

	if (p == end)
		return 0;

	v[n].pt = *p++;
	v[n].back = 0;
	body = p;

	for (unsigned i = 0; i < n; i++) {
		if ((size_t)(end - body) < v[i].len)
			return 0;
		v[i].p = body;
		body += v[i].len;
	}
	v[n].p = body;
	v[n].len = (size_t)(end - body);

	return n + 1;
}


size_t red_write(uint8_t *p, size_t size, const struct red_block *v,
		 unsigned n)
{
	uint8_t *const begin = p;
	size_t need = n ? (n - 1) * HEAD + 1 : 0;

	for (unsigned i = 0; i < n; i++) {
		need += v[i].len;
		if (i + 1 < n && (v[i].len > RED_LEN_MAX ||
				  v[i].back > RED_BACK_MAX))
			return 0;
	}
	if (!n || need > size)
		return 0;

	for (unsigned i = 0; i + 1 < n; i++) {
		*p++ = MORE | v[i].pt;
		*p++ = (uint8_t)(v[i].back >> 6);
		*p++ = (uint8_t)(v[i].back << 2 | v[i].len >> 8);
		*p++ = (uint8_t)v[i].len;
	}
	*p++ = v[n - 1].pt & 0x7f;

	for (unsigned i = 0; i < n; i++) {
		memmove(p, v[i].p, v[i].len);
		p += v[i].len;
	}

	return (size_t)(p - begin);
}
