/**
 * @file sdp_own.c  A session description that the user has written
 *
 * It goes out as it is: who tests another phone wants to send what is wrong.
 * But he is told what is.  Lines end as they must, and four words are filled
 * in.  Pure.
 */
#include <ctype.h>
#include <stdarg.h>
#include "priv.h"
#include "sdp_own.h"

enum { LINE_MAX_ = 1024, TYPES = 128, DYNAMIC = 96 };

static const char session_order[] = "vosiuepcbtrzka";
static const char media_order[] = "micbka";

struct lint {
	ua_sdp_lint_h *h;
	void *arg;
	unsigned told, line;
	const char *order;          /* of the part we are in                 */
	size_t at;                  /* how far in it                         */
	bool once[128];             /* letters seen in this part             */
	bool session_c, session_dir, session_print;
	/* of the m= line we are in; line 0: none yet */
	unsigned media_line;
	bool refused, rtp, secure, keyed, addressed, dir;
	bool listed[TYPES], mapped[TYPES];
};


static void tell(struct lint *l, unsigned line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void tell(struct lint *l, unsigned line, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	if (l->told >= UA_SDP_FINDINGS)
		return;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	++l->told;
	if (l->h)
		l->h(line, text, l->arg);
}


/* Filling in --------------------------------------------------------------- */

static int word_put(struct mbuf *mb, const char *word, size_t n,
		    const struct sa *rtp)
{
	static const char *const words[] = {
		"{address}", "{family}", "{port}", "{rtcp-port}",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i]) == n && !strncmp(words[i], word, n))
			break;
	}

	switch (i) {

	case 0:
		return mbuf_printf(mb, "%j", rtp);

	case 1:
		return mbuf_write_str(mb, sa_af(rtp) == AF_INET6 ? "IP6" :
				      "IP4");

	case 2:
		return mbuf_printf(mb, "%u", sa_port(rtp));

	case 3:
		return mbuf_printf(mb, "%u", sa_port(rtp) + 1u);

	default:
		return ENOENT;
	}
}


/* @return 0, ENOENT: a word that is none was left as it is; ENOMEM */
static int fill(struct mbuf *mb, const char *text, size_t len,
		const struct sa *rtp)
{
	const char *end = text + len, *close;
	int err = 0, e;

	for (; text < end && err != ENOMEM; text++) {

		close = *text == '{' ? memchr(text, '}', (size_t)(end - text))
			: NULL;
		if (close && !memchr(text, '\n', (size_t)(close - text))) {
			const size_t n = (size_t)(close - text) + 1;

			e = word_put(mb, text, n, rtp);
			if (e == ENOENT) {
				err = ENOENT;
				e = mbuf_write_mem(mb, (const uint8_t *)text,
						   n);
			}
			text = close;
		}
		else if (*text == '\r') {
			e = 0;
		}
		else {
			e = *text == '\n' ? mbuf_write_u8(mb, '\r') : 0;
			if (!e)
				e = mbuf_write_u8(mb, (uint8_t)*text);
		}
		if (e)
			err = ENOMEM;
	}

	/* the last line has its end, too */
	if (!err && len && end[-1] != '\n')
		err = mbuf_write_str(mb, "\r\n");

	return err;
}


int sdp_own_offer(struct mbuf **mbp, const char *text, const struct sa *rtp)
{
	struct mbuf *mb = mbuf_alloc(strlen(text) + 256);
	int err = mb ? fill(mb, text, strlen(text), rtp) : ENOMEM;

	/* what is no word is the user's wish */
	if (err == ENOENT)
		err = 0;
	if (err) {
		mem_deref(mb);
		return err;
	}

	mb->pos = 0;
	*mbp = mb;

	return 0;
}


/* Lines --------------------------------------------------------------------- */

static bool is_static(int pt)
{
	return pt == 0 || (pt >= 3 && pt <= 18 && pt != 17) || pt == 25 ||
		pt == 26 || pt == 28 || (pt >= 31 && pt <= 34);
}


/* "NUMBER rest" of an attribute */
static int payload(const char *value)
{
	char *end;
	long pt = strtol(value, &end, 10);

	return end != value && isspace((unsigned char)*end) && pt >= 0 &&
		pt < TYPES ? (int)pt : -1;
}


/* All of an m= line is known */
static void media_end(struct lint *l)
{
	if (!l->media_line || l->refused)
		return;

	if (!l->addressed && !l->session_c)
		tell(l, l->media_line, "no c= says where its sound goes: it "
		     "needs one, or the session does");
	for (int pt = 0; pt < TYPES && l->rtp; pt++) {
		if (l->listed[pt] && !l->mapped[pt] && !is_static(pt))
			tell(l, l->media_line, "payload type %d has no "
			     "a=rtpmap, so nobody knows what it is", pt);
	}
	if (l->secure && !l->keyed && !l->session_print)
		tell(l, l->media_line, "it is to be encrypted, but there is "
		     "neither a=crypto nor a=fingerprint");
}


static void media_begin(struct lint *l, const char *value)
{
	char type[32], port[16], proto[40], *end;
	int used = 0;
	long n;

	media_end(l);
	memset(l->once, 0, sizeof(l->once));
	memset(l->listed, 0, sizeof(l->listed));
	memset(l->mapped, 0, sizeof(l->mapped));
	l->refused = l->rtp = l->secure = l->keyed = l->addressed = false;
	l->dir = false;
	l->order = media_order;
	l->at = 0;
	l->media_line = l->line;

	if (sscanf(value, "%31s %15s %39s %n", type, port, proto, &used) < 3 ||
	    !value[used]) {
		tell(l, l->line, "m= has a kind, a port, a protocol and "
		     "formats, as in m=audio {port} RTP/AVP 0");
		l->refused = true;
		return;
	}

	n = strtol(port, &end, 10);
	if (*end && *end != '/')
		tell(l, l->line, "the port of m= is no number: %.15s", port);
	else if (n < 0 || n > 65535)
		tell(l, l->line, "the port of m= is from 0 to 65535");
	else if (!n)
		l->refused = true;

	l->rtp = strstr(proto, "RTP/") != NULL;
	l->secure = strstr(proto, "SAVP") != NULL;

	for (value += used; l->rtp && *value; ) {
		n = strtol(value, &end, 10);
		if (end == value || (*end && *end != ' ') || n < 0 ||
		    n >= TYPES) {
			tell(l, l->line, "formats of RTP are numbers from 0 "
			     "to 127");
			return;
		}
		if (l->listed[n])
			tell(l, l->line, "payload type %ld stands there "
			     "twice", n);
		l->listed[n] = true;
		value = end + strspn(end, " ");
	}
}


static void direction(struct lint *l)
{
	bool *seen = l->media_line ? &l->dir : &l->session_dir;

	if (*seen)
		tell(l, l->line, "a second direction: one of sendrecv, "
		     "sendonly, recvonly, inactive is enough");
	*seen = true;
}


static bool is(const char *value, const char *name)
{
	const size_t n = strlen(name);

	return !strncmp(value, name, n) && (!value[n] || value[n] == ':');
}


static void attribute(struct lint *l, const char *value)
{
	static const char *const dirs[] = {
		"sendrecv", "sendonly", "recvonly", "inactive",
	};
	const bool map = is(value, "rtpmap"), fmtp = is(value, "fmtp");
	const char *colon = strchr(value, ':');
	char name[64];
	unsigned hz;
	int pt;

	if (!*value || *value == ':')
		tell(l, l->line, "a= has a name");
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		if (!strcmp(value, dirs[i]))
			direction(l);
	}

	if (is(value, "fingerprint") && !l->media_line)
		l->session_print = true;
	l->keyed = l->keyed || is(value, "fingerprint") || is(value, "crypto");
	if (is(value, "crypto") && !l->secure)
		tell(l, l->line, "a=crypto belongs to RTP/SAVP: with another "
		     "protocol it is not looked at");

	if (!map && !fmtp)
		return;
	if (!l->media_line) {
		tell(l, l->line, "a=%s belongs behind an m= line", map ?
		     "rtpmap" : "fmtp");
		return;
	}

	pt = colon ? payload(colon + 1) : -1;
	if (pt < 0) {
		tell(l, l->line, "a=%s begins with a payload type from 0 to "
		     "127", map ? "rtpmap" : "fmtp");
		return;
	}
	if (!l->listed[pt])
		tell(l, l->line, "payload type %d is not in the m= line", pt);
	if (!map)
		return;
	if (l->mapped[pt])
		tell(l, l->line, "a second a=rtpmap of payload type %d", pt);
	l->mapped[pt] = true;
	if (sscanf(colon + 1, "%*d %63[^/ ]/%u", name, &hz) < 2 || !hz)
		tell(l, l->line, "a=rtpmap names a codec and its rate, as in "
		     "PCMU/8000");
}


static unsigned words(const char *s)
{
	unsigned n = 0;

	while (*(s += strspn(s, " "))) {
		n++;
		s += strcspn(s, " ");
	}

	return n;
}


static void connection(struct lint *l, const char *value)
{
	char net[8], type[8], addr[128];
	struct sa sa;

	if (sscanf(value, "%7s %7s %127[^ /]", net, type, addr) < 3 ||
	    strcmp(net, "IN") || (strcmp(type, "IP4") && strcmp(type, "IP6"))) {
		tell(l, l->line, "c= is as in c=IN IP4 192.0.2.1");
		return;
	}

	if (!sa_set_str(&sa, addr, 0) &&
	    (sa_af(&sa) == AF_INET6) != !strcmp(type, "IP6"))
		tell(l, l->line, "%.40s is no address of %s", addr, type);
	if (l->media_line)
		l->addressed = true;
	else
		l->session_c = true;
}


static void value_look(struct lint *l, char letter, const char *value)
{
	switch (letter) {

	case 'v':
		if (strcmp(value, "0"))
			tell(l, l->line, "the version is 0: v=0");
		break;

	case 'o':
		if (words(value) != 6)
			tell(l, l->line, "o= has six words, as in o=- 1 1 IN "
			     "IP4 192.0.2.1");
		break;

	case 's':
		if (!*value)
			tell(l, l->line, "a session without a name is s=-");
		break;

	case 't':
		if (words(value) != 2)
			tell(l, l->line, "t= has two numbers, as in t=0 0");
		break;

	case 'c':
		connection(l, value);
		break;

	case 'a':
		attribute(l, value);
		break;

	default:
		break;
	}
}


static void line_look(struct lint *l, const char *line)
{
	const char letter = *line;
	const char *place;

	if (!letter) {
		tell(l, l->line, "an empty line: many take it for the end");
		return;
	}
	if (line[1] != '=' || !islower((unsigned char)letter)) {
		tell(l, l->line, "a line is a letter, = and a value, without "
		     "blanks before them");
		return;
	}
	if (line[2] == ' ')
		tell(l, l->line, "no blank may follow %c=", letter);

	if (letter == 'm') {
		media_begin(l, line + 2);
		return;
	}

	place = strchr(l->order, letter);
	if (!place) {
		tell(l, l->line, strchr(session_order, letter) ?
		     "%c= belongs before the first m= line" :
		     "no line begins with %c=", letter);
		return;
	}
	if ((size_t)(place - l->order) < l->at)
		tell(l, l->line, "%c= belongs before %c=", letter,
		     l->order[l->at]);
	else
		l->at = (size_t)(place - l->order);

	if (l->once[(uint8_t)letter] && strchr("vosiuzk", letter))
		tell(l, l->line, "a second %c=", letter);
	l->once[(uint8_t)letter] = true;

	value_look(l, letter, line + 2);
}


static void session_look(struct lint *l)
{
	static const char needed[] = "vost";

	for (const char *p = needed; *p; p++) {
		if (!l->once[(uint8_t)*p])
			tell(l, l->line, "%c= is missing: it must be there "
			     "before the first m= line", *p);
	}
}


static void lines_look(struct lint *l, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		const size_t n = (size_t)((nl ? nl : end) - text);
		char line[LINE_MAX_];

		++l->line;
		if (n >= sizeof(line) || memchr(text, '\0', n)) {
			tell(l, l->line, "no line of a description is like "
			     "that: too long, or with a NUL in it");
		}
		else {
			memcpy(line, text, n);
			line[n - (n && line[n - 1] == '\r')] = '\0';
			if (*line == 'm' && !l->media_line)
				session_look(l);
			line_look(l, line);
		}
		text += n + (nl != NULL);
	}
}


unsigned ua_sdp_lint(const char *text, size_t len, ua_sdp_lint_h *h,
		     void *arg)
{
	struct lint l = { .h = h, .arg = arg, .order = session_order };
	struct mbuf *mb;
	struct sa rtp;

	if (!text || !len) {
		tell(&l, 0, "there is nothing in it");
		return l.told;
	}
	if (len > UA_SDP_MAX) {
		tell(&l, 0, "it is too long: at most %u bytes", UA_SDP_MAX);
		return l.told;
	}

	mb = mbuf_alloc(len + 256);
	if (!mb)
		return 0;

	(void)sa_set_str(&rtp, "192.0.2.1", 40000);
	if (fill(mb, text, len, &rtp) == ENOENT)
		tell(&l, 0, "the words to fill in are {address}, {family}, "
		     "{port} and {rtcp-port}");

	lines_look(&l, (const char *)mb->buf, mb->end);
	if (!l.media_line) {
		session_look(&l);
		tell(&l, 0, "no m= line: no sound is asked for");
	}
	media_end(&l);
	if (!memmem(text, len, "{port}", 6) && l.media_line)
		tell(&l, 0, "{port} is not in it: sound that comes goes "
		     "elsewhere");

	mem_deref(mb);

	return l.told;
}


static void warn_h(unsigned line, const char *text, void *arg)
{
	const unsigned call = *(const unsigned *)arg;

	if (line)
		log_warn("call %u: line %u of its description: %s", call, line,
			 text);
	else
		log_warn("call %u: its description: %s", call, text);
}


void sdp_own_warn(unsigned call, const char *text)
{
	(void)ua_sdp_lint(text, strlen(text), warn_h, &call);
}
