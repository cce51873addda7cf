/**
 * @file utf8.c  Strings of the peer, kept raw but always valid UTF-8
 *
 * What a stranger calls himself goes into events and from there into JSON,
 * so it must be UTF-8; it is escaped only where it is printed.  Pure.
 */
#include "priv.h"


void utf8_copy(char *dst, size_t sz, const char *src)
{
	size_t left = strlen(src), n = 0;
	uint32_t cp;

	/* most is plain ASCII to its end */
	while (left && !(*src & 0x80) && n + 1 < sz) {
		dst[n++] = *src++;
		--left;
	}

	while (left) {
		const size_t len = text_utf8_decode(&cp, src, left);
		const size_t step = len ? len : 1;

		if (n + step >= sz)
			break;

		if (len)
			memcpy(dst + n, src, len);
		else
			dst[n] = '?';

		n += step;
		src += step;
		left -= step;
	}

	dst[n] = '\0';
}


int utf8_dup(char **dst, const char *src, size_t max)
{
	const size_t len = strlen(src);
	const size_t sz = (len < max ? len : max) + 1;
	char *s = mem_zalloc(sz, NULL);

	if (!s)
		return ENOMEM;

	utf8_copy(s, sz, src);
	*dst = s;

	return 0;
}
