/**
 * @file sip/fault_edit.c  A message with a fault in it
 *
 * Works on bytes, not on what a parser makes of them: what comes may be
 * anything, and what goes out shall be wrong.  Pure.
 */
#include <strings.h>
#include "fault.h"


/* xorshift64* */
uint64_t fault_random(uint64_t *rng)
{
	*rng ^= *rng >> 12;
	*rng ^= *rng << 25;
	*rng ^= *rng >> 27;

	return *rng * 0x2545f4914f6cdd1dull;
}


double fault_chance(uint64_t *rng)
{
	return (double)(fault_random(rng) >> 11) / 9007199254740992.0;
}


/* Lines ------------------------------------------------------------------- */

/* The line at p, with its end; n: what is left */
static size_t line_len(const char *p, size_t n)
{
	const char *nl = memchr(p, '\n', n);

	return nl ? (size_t)(nl - p) + 1 : n;
}


/* A header, with the lines that go on with it */
static size_t field_len(const char *p, size_t n)
{
	size_t len = line_len(p, n);

	while (len < n && (p[len] == ' ' || p[len] == '\t'))
		len += line_len(p + len, n - len);

	return len;
}


static bool is_blank(const char *p, size_t n)
{
	return (n == 1 && *p == '\n') ||
		(n == 2 && p[0] == '\r' && p[1] == '\n');
}


static const char *compact_of(const char *name)
{
	static const struct { const char *name, *compact; } v[] = {
		{ "Via", "v" }, { "From", "f" }, { "To", "t" },
		{ "Call-ID", "i" }, { "Contact", "m" },
		{ "Content-Type", "c" }, { "Content-Length", "l" },
		{ "Content-Encoding", "e" }, { "Subject", "s" },
		{ "Supported", "k" }, { "Refer-To", "r" },
		{ "Referred-By", "b" }, { "Event", "o" },
		{ "Allow-Events", "u" }, { "Session-Expires", "x" },
		{ "Accept-Contact", "a" }, { "Reject-Contact", "j" },
		{ "Request-Disposition", "d" }, { "Identity", "y" },
	};

	for (size_t i = 0; i < COUNTOF(v); i++) {
		if (!strcasecmp(v[i].name, name))
			return v[i].compact;
	}

	return "";
}


/* "NAME :" at p? @return bytes up to behind the colon, 0: it is another */
static size_t field_named(const char *p, size_t n, const char *name)
{
	const char *colon = memchr(p, ':', n);
	const char *compact = compact_of(name);
	size_t len = colon ? (size_t)(colon - p) : 0;

	while (len && (p[len - 1] == ' ' || p[len - 1] == '\t'))
		--len;

	if (!len || ((strlen(name) != len || strncasecmp(p, name, len)) &&
		     (strlen(compact) != len || strncasecmp(p, compact, len))))
		return 0;

	return (size_t)(colon - p) + 1;
}


/* What a message is -------------------------------------------------------- */

static void value_copy(char *buf, size_t sz, const char *p, size_t n)
{
	while (n && (*p == ' ' || *p == '\t')) {
		++p;
		--n;
	}
	while (n && (p[n - 1] == '\r' || p[n - 1] == '\n' ||
		     p[n - 1] == ' '))
		--n;

	(void)text_copy(buf, sz, p, n);
}


static void look_field(struct fault_look *l, const char *p, size_t n)
{
	char cseq[80];
	const char *word;
	size_t at;

	at = field_named(p, n, "Call-ID");
	if (at && !l->callid[0])
		value_copy(l->callid, sizeof(l->callid), p + at, n - at);

	at = l->method[0] ? 0 : field_named(p, n, "CSeq");
	if (!at)
		return;

	cseq[0] = '\0';
	value_copy(cseq, sizeof(cseq), p + at, n - at);
	word = strrchr(cseq, ' ');
	if (word)
		(void)text_copy(l->method, sizeof(l->method), word + 1,
				strlen(word + 1));
}


void fault_look(struct fault_look *l, const char *p, size_t n)
{
	static const char version[] = "SIP/2.0 ";
	const size_t v = sizeof(version) - 1;
	size_t len = line_len(p, n), i;

	memset(l, 0, sizeof(*l));

	if (len > v + 3 && !memcmp(p, version, v)) {
		for (i = v; i < v + 3 && p[i] >= '0' && p[i] <= '9'; i++)
			l->code = (uint16_t)(10 * l->code + p[i] - '0');
	}
	else {
		l->request = true;
		i = 0;
		while (i < len && p[i] != ' ')
			++i;
		(void)text_copy(l->method, sizeof(l->method), p, i);
	}

	for (p += len, n -= len; n; p += len, n -= len) {
		len = field_len(p, n);
		if (is_blank(p, len))
			break;
		look_field(l, p, len);
	}
}


/* Other bytes ---------------------------------------------------------------- */

static int put(struct mbuf *mb, const char *p, size_t n)
{
	return mbuf_write_mem(mb, (const uint8_t *)p, n);
}


/* What no parser expects, and no control characters: a line stays a line */
static int put_noise(struct mbuf *mb, uint64_t *rng)
{
	const unsigned n = 1 + (unsigned)(fault_random(rng) % 24);
	int err = 0;

	for (unsigned i = 0; i < n && !err; i++)
		err = mbuf_write_u8(mb, (uint8_t)('!' + (fault_random(rng) >>
							 32) % ('~' - '!')));

	return err;
}


static int put_value(struct mbuf *mb, const struct sip_fault *f,
		     uint64_t *rng)
{
	int err = f->value[0] ? put(mb, f->value, strlen(f->value)) :
		put_noise(mb, rng);

	return err ? err : put(mb, "\r\n", 2);
}


/* One header. *found: one was mangled already; *at: how far it came */
static int edit_field(struct mbuf *mb, const struct sip_fault *f,
		      uint64_t *rng, const char *p, size_t n, bool *found)
{
	const size_t at = field_named(p, n, f->name);
	int err;

	if (!at || f->kind == SIP_FAULT_ADD || (f->kind == SIP_FAULT_MANGLE &&
						*found))
		return put(mb, p, n);

	*found = true;
	if (f->kind == SIP_FAULT_REMOVE)
		return 0;

	err = put(mb, p, at);
	if (!err)
		err = put(mb, " ", 1);

	return err ? err : put_value(mb, f, rng);
}


static int edit_fields(struct mbuf *mb, const struct sip_fault *f,
		       uint64_t *rng, const char *p, size_t n)
{
	const bool first = !strcasecmp(f->name, SIP_FAULT_START_LINE);
	size_t len = line_len(p, n);
	bool found = first;
	int err = 0;

	if (!first)
		err = put(mb, p, len);
	else if (f->kind == SIP_FAULT_MANGLE)
		err = put_value(mb, f, rng);

	for (p += len, n -= len; n && !err; p += len, n -= len) {

		len = field_len(p, n);
		if (is_blank(p, len))
			break;
		err = edit_field(mb, f, rng, p, len, &found);
	}

	if (!err && f->kind == SIP_FAULT_ADD) {
		err = mbuf_printf(mb, "%s: ", f->name);
		if (!err)
			err = put_value(mb, f, rng);
	}

	/* the blank line, and the body */
	return err ? err : put(mb, p, n);
}


static int corrupt(struct mbuf *mb, const struct sip_fault *f, uint64_t *rng,
		   const char *p, size_t n)
{
	int err = put(mb, p, n);

	for (unsigned i = 0; i < f->bytes && n && !err; i++) {

		uint8_t *b = &mb->buf[(size_t)(fault_chance(rng) * (double)n)];

		/* another one for certain */
		*b ^= (uint8_t)(1 + fault_random(rng) % 255);
	}

	return err;
}


int fault_edit(struct mbuf **mbp, const struct sip_fault *f, uint64_t *rng,
	       const char *p, size_t n)
{
	/* one byte more than it needs: room to mend what an elder sends */
	struct mbuf *mb = mbuf_alloc(n + sizeof(f->name) + sizeof(f->value) +
				     16);
	int err;

	if (!mb)
		return ENOMEM;

	switch (f->kind) {

	case SIP_FAULT_MANGLE:
	case SIP_FAULT_REMOVE:
	case SIP_FAULT_ADD:
		err = edit_fields(mb, f, rng, p, n);
		break;

	case SIP_FAULT_CORRUPT:
		err = corrupt(mb, f, rng, p, n);
		break;

	default:
		err = put(mb, p, n);
		break;
	}

	mb->pos = 0;
	if (err)
		mem_deref(mb);
	else
		*mbp = mb;

	return err;
}
