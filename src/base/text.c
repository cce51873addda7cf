/**
 * @file text.c  Numbers, durations, names, safe copies
 *
 * Any thread; no state.  Pure functions: nothing here depends on the locale,
 * allocates or logs.  Every number has its limits in the call, because what
 * wraps on the wire decides who may speak.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <offhook/text.h>


enum {
	DISTANCE_MAX = 64,
	DURATION_DIGITS = 9,    /* of a fraction; more are ignored */
};

#define DURATION_MAX_MS (1000ULL * 3600 * 1000)


static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}


static char to_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}


int text_u32(uint32_t *out, const char *p, size_t len, uint32_t max)
{
	uint64_t v = 0;
	bool large = false;

	if (!out || !p || !len)
		return EINVAL;

	for (size_t i = 0; i < len; i++) {

		if (!is_digit(p[i]))
			return EINVAL;

		v = v * 10 + (uint64_t)(p[i] - '0');
		if (v > max) {
			large = true;
			v = 0;           /* the digits are still checked */
		}
	}

	if (large)
		return ERANGE;

	*out = (uint32_t)v;

	return 0;
}


int text_i64(int64_t *out, const char *s, int64_t min, int64_t max)
{
	const bool neg = s && *s == '-';
	bool large = false;
	uint64_t v = 0;
	int64_t r;

	if (!out || !s)
		return EINVAL;

	s += neg;
	if (!*s)
		return EINVAL;

	for (; *s; s++) {
		uint64_t digit;

		if (!is_digit(*s))
			return EINVAL;

		digit = (uint64_t)(*s - '0');
		if (v > (INT64_MAX - digit) / 10) {
			large = true;
			v = 0;
		}
		v = v * 10 + digit;
	}

	if (large)
		return ERANGE;

	r = neg ? -(int64_t)v : (int64_t)v;
	if (r < min || r > max)
		return ERANGE;

	*out = r;

	return 0;
}


/* Not strtod: it takes the comma of the locale, hex, inf and nan */
int text_double(double *out, const char *s, double min, double max)
{
	const bool neg = s && *s == '-';
	unsigned digits = 0;
	double v = 0, scale = 1;
	bool point = false;

	if (!out || !s)
		return EINVAL;

	for (s += neg; *s; s++) {

		if (*s == '.' && !point) {
			point = true;
			continue;
		}

		if (!is_digit(*s) || ++digits > 300)
			return EINVAL;

		v = v * 10 + (*s - '0');
		if (point)
			scale *= 10;
	}

	if (!digits)
		return EINVAL;

	v = (neg ? -v : v) / scale;
	if (!(v >= min && v <= max))
		return ERANGE;

	*out = v;

	return 0;
}


static int duration_unit(uint64_t *unit, const char *s)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = {
		{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000},
		{"h", 3600000},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {

		if (!strcmp(s, units[i].name)) {
			*unit = units[i].ms;
			return 0;
		}
	}

	return EINVAL;
}


int text_duration(uint64_t *ms, const char *s)
{
	uint64_t whole = 0, frac = 0, scale = 1, unit, v;
	unsigned digits = 0;

	if (!ms || !s)
		return EINVAL;

	for (; is_digit(*s); s++, digits++) {
		/* any unit: this many are too many */
		if (whole <= DURATION_MAX_MS)
			whole = whole * 10 + (uint64_t)(*s - '0');
	}

	if (*s == '.') {
		if (!is_digit(*++s))
			return EINVAL;

		for (unsigned i = 0; is_digit(*s); s++, i++, digits++) {
			if (i >= DURATION_DIGITS)
				continue;
			frac = frac * 10 + (uint64_t)(*s - '0');
			scale *= 10;
		}
	}

	if (!digits || duration_unit(&unit, s))
		return EINVAL;

	if (whole > DURATION_MAX_MS / unit)
		return ERANGE;

	v = whole * unit + (frac * unit + scale / 2) / scale;
	if (v > DURATION_MAX_MS)
		return ERANGE;

	*ms = v;

	return 0;
}


void text_duration_print(char *buf, size_t sz, uint64_t ms)
{
	if (ms % 1000)
		(void)snprintf(buf, sz, "%llums", (unsigned long long)ms);
	else if (!ms || ms % 60000)
		(void)snprintf(buf, sz, "%llus",
			       (unsigned long long)ms / 1000);
	else if (ms % 3600000)
		(void)snprintf(buf, sz, "%llum",
			       (unsigned long long)ms / 60000);
	else
		(void)snprintf(buf, sz, "%lluh",
			       (unsigned long long)ms / 3600000);
}


size_t text_utf8_decode(uint32_t *cp, const char *p, size_t len)
{
	const unsigned char *u = (const unsigned char *)p;
	uint32_t v, min;
	size_t n;

	if (!len)
		return 0;

	if (u[0] < 0x80) {
		*cp = u[0];
		return 1;
	}
	else if ((u[0] & 0xe0) == 0xc0) {
		n = 2;
		v = u[0] & 0x1f;
		min = 0x80;
	}
	else if ((u[0] & 0xf0) == 0xe0) {
		n = 3;
		v = u[0] & 0x0f;
		min = 0x800;
	}
	else if ((u[0] & 0xf8) == 0xf0) {
		n = 4;
		v = u[0] & 0x07;
		min = 0x10000;
	}
	else {
		return 0;
	}

	if (n > len)
		return 0;

	for (size_t i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (u[i] & 0x3f);
	}

	/* overlong, surrogate, beyond Unicode */
	if (v < min || (v >= 0xd800 && v <= 0xdfff) || v > 0x10ffff)
		return 0;

	*cp = v;

	return n;
}


size_t text_bom(const char *p, size_t len)
{
	return len >= 3 && !memcmp(p, "\xef\xbb\xbf", 3) ? 3 : 0;
}


bool text_utf8_valid(const char *p, size_t len)
{
	uint32_t cp;

	while (len) {
		const size_t n = text_utf8_decode(&cp, p, len);

		if (!n)
			return false;

		p += n;
		len -= n;
	}

	return true;
}


/* What would move the cursor, end a line or turn the reading order round */
bool text_is_unsafe(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp <= 0x9f) ||
		cp == 0x061c || cp == 0x200e || cp == 0x200f ||
		cp == 0x2028 || cp == 0x2029 ||
		(cp >= 0x202a && cp <= 0x202e) ||
		(cp >= 0x2066 && cp <= 0x2069) || cp == 0xfeff;
}


char *text_escape(char *dst, size_t sz, const char *src, size_t len)
{
	static const char dots[] = "...";
	size_t at = 0, keep = 0;   /* keep: where the dots would still fit */

	if (!sz)
		return dst;

	while (len) {
		const char *from = src;
		uint32_t cp;
		size_t n = text_utf8_decode(&cp, src, len);
		size_t step = n;

		if (!n || text_is_unsafe(cp)) {
			from = "?";
			step = n ? n : 1;
			n = 1;
		}

		if (at + n >= sz) {
			at = keep;
			n = sz - 1 - at;
			if (n > sizeof(dots) - 1)
				n = sizeof(dots) - 1;
			memcpy(dst + at, dots, n);
			at += n;
			break;
		}

		memcpy(dst + at, from, n);
		at += n;
		if (at + sizeof(dots) <= sz)
			keep = at;

		src += step;
		len -= step;
	}

	dst[at] = '\0';

	return dst;
}


int text_copy(char *dst, size_t sz, const char *src, size_t len)
{
	if (!dst || (!src && len))
		return EINVAL;

	if (len >= sz)
		return EOVERFLOW;

	/* what follows a NUL would silently be lost to the next reader */
	if (len && memchr(src, '\0', len))
		return EINVAL;

	if (len)
		memmove(dst, src, len);
	dst[len] = '\0';

	return 0;
}


/* The last star is gone back to */
bool text_glob(const char *pat, const char *s)
{
	const char *star = NULL, *from = NULL;

	while (*s) {
		if (*pat == '*') {
			star = ++pat;
			from = s;
		}
		else if (*pat && 0 == strncasecmp(pat, s, 1)) {
			++pat;
			++s;
		}
		else if (star) {
			pat = star;
			s = ++from;
		}
		else {
			return false;
		}
	}

	while (*pat == '*')
		++pat;

	return !*pat;
}


static char *digits(char *p, unsigned n)
{
	if (n > 9)
		p = digits(p, n / 10);
	*p++ = (char)('0' + n % 10);

	return p;
}


size_t text_ipv4(char *buf, uint32_t addr, int32_t port)
{
	char *p = buf;

	for (int shift = 24; shift >= 0; shift -= 8) {
		p = digits(p, addr >> shift & 255);
		*p++ = shift ? '.' : ':';
	}

	if (port < 0)
		--p;
	else
		p = digits(p, (unsigned)port & 65535);
	*p = '\0';

	return (size_t)(p - buf);
}


bool text_caseeq(const char *p, size_t len, const char *s)
{
	for (size_t i = 0; i < len; i++) {
		const char a = p[i], b = s[i];

		if (!b || (a != b && to_lower(a) != to_lower(b)))
			return false;
	}

	return !s[len];
}


bool text_is_qvalue(const char *s)
{
	const size_t n = strlen(s);
	const bool one = s[0] == '1';

	return (one || s[0] == '0') && n <= 5 && (n < 2 || s[1] == '.') &&
		(n < 3 || strspn(s + 2, one ? "0" : "0123456789") == n - 2);
}


static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';

	c = to_lower(c);

	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


/* @return the next character, percent-decoded, and step past it; 0: bad */
static char percent_next(const char **src, size_t *len)
{
	char c = (*src)[0];
	size_t n = 1;

	if (c == '%') {
		int hi, lo;

		if (*len < 3)
			return '\0';

		hi = hex_digit((*src)[1]);
		lo = hex_digit((*src)[2]);
		if (hi < 0 || lo < 0)
			return '\0';

		c = (char)(hi << 4 | lo);
		n = 3;
	}

	*src += n;
	*len -= n;

	return c;
}


int text_addr(char *addr, size_t sz, uint16_t *port, const char *p,
	      size_t len)
{
	const char *colon = NULL, *close = NULL;
	unsigned colons = 0;
	uint32_t num = 0;
	size_t n = len, i;

	for (i = 0; i < len; i++) {
		if (p[i] == ':') {
			colon = p + i;
			++colons;
		}
		else if (p[i] == ']') {
			close = p + i;
		}
	}

	if (colon && (close ? colon > close : colons == 1)) {
		n = (size_t)(colon - p);
		if (text_u32(&num, colon + 1, len - n - 1, 65535) || !num)
			return EINVAL;
	}

	if (close) {
		if (n < 2 || *p != '[' || close != p + n - 1)
			return EINVAL;
		++p;
		n -= 2;
	}

	if (!n || text_copy(addr, sz, p, n))
		return EINVAL;

	*port = (uint16_t)num;

	return 0;
}


int text_unescape_percent(char *dst, size_t sz, const char *src, size_t len)
{
	const char *p = src;
	size_t left = len, n = 0;

	if (!dst || (!src && len))
		return EINVAL;

	/* all is checked before anything is written */
	for (; left; n++) {
		if (!percent_next(&p, &left))
			return EINVAL;
	}

	if (n >= sz)
		return EOVERFLOW;

	for (n = 0; len; n++)
		dst[n] = percent_next(&src, &len);
	dst[n] = '\0';

	return 0;
}


unsigned text_distance(const char *a, const char *b)
{
	const size_t la = strnlen(a, DISTANCE_MAX);
	const size_t lb = strnlen(b, DISTANCE_MAX);
	unsigned rows[3][DISTANCE_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned)j;

	for (size_t i = 1; i <= la; i++) {
		unsigned *spare = before;

		before = last;
		last = row;
		row = spare;
		row[0] = (unsigned)i;

		for (size_t j = 1; j <= lb; j++) {
			const char ca = to_lower(a[i - 1]);
			const char cb = to_lower(b[j - 1]);
			unsigned d = last[j - 1] + (ca != cb);

			if (d > last[j] + 1)
				d = last[j] + 1;
			if (d > row[j - 1] + 1)
				d = row[j - 1] + 1;

			/* two neighbours changed places */
			if (i > 1 && j > 1 && ca == to_lower(b[j - 2]) &&
			    cb == to_lower(a[i - 2]) && d > before[j - 2] + 1)
				d = before[j - 2] + 1;

			row[j] = d;
		}
	}

	return row[lb];
}


const char *text_nearest(const char *word, text_name_h *name_h,
			 const void *arg)
{
	const size_t len = word ? strlen(word) : 0;
	const char *best = NULL, *name;
	unsigned best_d = 1 + (unsigned)(len / 3);   /* beyond: no likeness */

	if (!len || len > DISTANCE_MAX)
		return NULL;

	for (size_t i = 0; (name = name_h(i, arg)); i++) {
		unsigned d = text_distance(word, name);

		/* the beginning of a name is as good as a slip */
		if (len >= 3 && d > 1 && !strncmp(word, name, len))
			d = 1;

		if (d >= len || d > best_d || (best && d == best_d))
			continue;

		best = name;
		best_d = d;
	}

	return best;
}


bool text_number(char *buf, size_t sz, const char *s)
{
	size_t n = 0;

	if (!*s || !strchr("+(0123456789*#", *s))
		return false;

	for (const char *p = s; *p; p++) {
		if (strchr("-. ()/", *p))
			continue;
		if (!strchr("0123456789*#", *p) && !(*p == '+' && p == s))
			return false;
		if (n + 1 >= sz)
			return false;
		buf[n++] = *p;
	}
	buf[n] = '\0';

	return n > 0;
}
