/**
 * @file fuzzy.c  How well a text fits what somebody typed
 *
 * Letters are compared without case and accents, so that `muller` finds
 * Müller.  Pure; any thread.
 */
#include <string.h>
#include "offhook/app.h"
#include "offhook/text.h"

enum {
	TEXT_MAX = 256,          /* characters that are looked at            */
	START = 40,              /* the text begins so                       */
	WORD = 20,               /* a word does                              */
	RUN = 10,                /* right behind the one before              */
	GAP_MAX = 15,
};


/* Small letter without its accent, for the scripts whose case is simple */
static uint32_t fold(uint32_t c)
{
	static const char latin[] =
		"aaaaaaaceeeeiiiidnooooo*ouuuuyps"
		"aaaaaaaceeeeiiiidnooooo/ouuuuypy";
	static const char extended[] =
		"aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiii"
		"iiiijjkkkllllllllllnnnnnnnnnoooooooorrrrrrssssss"
		"ssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

	if (c >= 'A' && c <= 'Z')
		return c + 32;
	if (c >= 0xc0 && c <= 0xff && c != 0xd7 && c != 0xf7)
		return (uint32_t)latin[c - 0xc0];
	if (c >= 0x100 && c <= 0x17f)
		return (uint32_t)extended[c - 0x100];
	if (c >= 0x391 && c <= 0x3a9)
		return c + 32;
	if (c >= 0x410 && c <= 0x42f)
		return c + 32;
	if (c >= 0x400 && c <= 0x40f)
		return c + 80;

	return c;
}


static size_t unpack(uint32_t v[TEXT_MAX], const char *s)
{
	size_t n = 0, len = strlen(s);

	while (len && n < TEXT_MAX) {
		uint32_t c;
		size_t k = text_utf8_decode(&c, s, len);

		if (!k) {
			c = 0xfffd;
			k = 1;
		}
		v[n++] = fold(c);
		s += k;
		len -= k;
	}

	return n;
}


static bool is_letter(uint32_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c > 0x7f;
}


static bool is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}


/* What people write between the digits of a number */
static bool is_gap(uint32_t c)
{
	return c && c < 0x7f && strchr(" -./()", (int)c);
}


/*
 * Where the last of typed[i] and the digits that follow it stands in the
 * text when typed[i] stands at p; len: it does not.  Digits that were typed
 * together are part of a number, and somebody who looks for 4417 does not
 * mean 04 11 97: they stand together, however the number is grouped.
 */
static size_t digits_end(const uint32_t *typed, size_t n, size_t i,
			 const uint32_t *text, size_t len, size_t p)
{
	while (p < len && text[p] == typed[i]) {

		if (++i == n || !is_digit(typed[i - 1]) || !is_digit(typed[i]))
			return p;

		do ++p; while (p < len && is_gap(text[p]));
	}

	return len;
}


/* Of the letters from text[at] on, which fits typed[0] */
static int score_at(const uint32_t *typed, size_t n, const uint32_t *text,
		    size_t len, size_t at)
{
	int score = !at ? START : !is_letter(text[at - 1]) ? WORD : 0;
	size_t last = at;

	if (digits_end(typed, n, 0, text, len, at) == len)
		return -1;

	for (size_t i = 1; i < n; i++) {

		const bool together = is_digit(typed[i - 1]) &&
			is_digit(typed[i]);
		size_t p = last + 1;

		while (p < len && (text[p] != typed[i] ||
				   (!together && digits_end(typed, n, i, text,
							    len, p) == len)))
			++p;
		if (p == len)
			return -1;

		if (together || p == last + 1)
			score += RUN;
		else if (!is_letter(text[p - 1]))
			score += WORD / 3;
		else
			score -= (int)(p - last - 1 < GAP_MAX ? p - last - 1 :
				       GAP_MAX);
		last = p;
	}

	/* a shorter text is more of what was meant */
	score += 2 * (int)n - (int)(len / 16);

	return score > 0 ? score : 0;
}


int fuzzy_score(const char *typed, const char *text)
{
	uint32_t a[TEXT_MAX], b[TEXT_MAX];
	size_t n, len;
	int best = -1;

	if (!typed || !text)
		return -1;
	if (!*typed)
		return 0;

	n = unpack(a, typed);
	len = unpack(b, text);

	for (size_t at = 0; at < len; at++) {

		const int score = b[at] == a[0] ?
			score_at(a, n, b, len, at) : -1;

		if (score > best)
			best = score;
	}

	return best;
}
