/**
 * @file fuzz_socket.c  One connection of the control socket, in pieces
 *
 * Lines of any length cut anywhere: each has its one answer, in order, those
 * that are too long an error, and what comes back is JSON.  Without the token,
 * which nobody can guess, no line of any kind runs: the only answers are the
 * refusal, and silence.
 */
#include <fcntl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include "fuzz.h"
#include "json.h"
#include "priv.h"
#include "offhook/clock.h"
#include "offhook/log.h"
#include "offhook/timer.h"

enum { LINES = 24, ALL = LINES * 12000, LONG_MS = 8000 };

static struct phone ph;
static struct replay *replay;
static char token[65];
static char got[1 << 20];
static size_t got_n;
static bool gone;
static uint64_t began_ms;
static struct timer turn;
static int ours;
static const char *out;
static size_t out_n;
static struct bytes cuts;


static void gone_handler(struct peer *p, void *arg)
{
	(void)arg;
	gone = true;
	mem_deref(p);
	re_cancel();
}


/* A piece in, what there is out; then the phone's turn */
static void step(void *arg)
{
	struct peer *p = arg;
	size_t n = cuts.left ? take(&cuts, 2) + 1 : 4096;
	ssize_t r;

	while ((r = recv(ours, got + got_n, sizeof(got) - got_n,
			 MSG_DONTWAIT)) > 0)
		got_n += (size_t)r;

	if (n > out_n)
		n = out_n;
	if (n) {
		r = send(ours, out, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (r > 0) {
			out += r;
			out_n -= (size_t)r;
		}
		else if (errno != EAGAIN) {
			out_n = 0;
		}
	}
	if (!out_n)
		(void)shutdown(ours, SHUT_WR);

	must(clock_ms() - began_ms < LONG_MS);
	timer_start(&turn, out_n ? 0 : 1, step, p);
}


static void converse(const char *text, size_t n, bool trusted)
{
	struct peer_conf conf = { .ph = &ph, .replay = replay,
				  .token = trusted ? NULL : token };
	struct peer *p = NULL;
	int fds[2];

	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
			 SOCK_CLOEXEC, 0, fds));
	ours = fds[1];
	out = text;
	out_n = n;
	got_n = 0;
	gone = false;
	began_ms = clock_ms();

	must(!peer_alloc(&p, &conf, fds[0], gone_handler, NULL));
	timer_start(&turn, 0, step, p);
	(void)re_main(NULL);
	timer_cancel(&turn);
	must(gone);

	for (ssize_t r = 1; r > 0; got_n += r > 0 ? (size_t)r : 0)
		r = recv(ours, got + got_n, sizeof(got) - got_n,
			 MSG_DONTWAIT);
	close(ours);
}


/* The next reply; NULL: there is none */
static json_t *reply_next(const char **p)
{
	const char *nl = memchr(*p, '\n', (size_t)(got + got_n - *p));
	json_t *o;

	if (!nl) {
		must(*p == got + got_n);
		return NULL;
	}

	o = json_loadb(*p, (size_t)(nl - *p), 0, NULL);
	must(json_is_object(o) && json_object_get(o, "reply"));
	*p = nl + 1;

	return o;
}


/* "print xxx" of these lengths, cut anywhere */
static void framing(struct bytes *b)
{
	static char text[ALL];
	size_t len[LINES], lines = 0, n = 0;
	const char *p = got;
	json_t *o;

	while (b->left > 2 && lines < LINES) {

		const uint32_t v = take(b, 2);
		const size_t size = v % 3 ? v / 3 % 300 : v / 3 % 11000;

		if (size > 0 && size < 7)
			continue;
		memset(text + n, 'x', size);
		if (size)
			memcpy(text + n, "print x", 7);
		n += size;
		if (v & 0x4000)
			text[n++] = '\r';
		text[n++] = '\n';
		len[lines++] = size;
	}

	cuts = *b;
	converse(text, n, true);

	for (size_t i = 0; i < lines; i++) {

		if (!len[i])
			continue;

		o = reply_next(&p);
		must(o);
		if (len[i] > CLIENT_LINE_MAX)
			must(!strcmp(json_string_value(json_object_get(o,
					"error")), "line-too-long"));
		else
			must(json_is_true(json_object_get(o, "ok")) &&
			     json_string_length(json_object_get(o, "text")) ==
			     len[i] - 6);
		json_decref(o);
	}
	must(!reply_next(&p));
}


static void stranger(struct bytes *b)
{
	const char *p = got;
	json_t *o;

	cuts = *b;
	converse((const char *)b->p, b->left, false);

	o = reply_next(&p);
	must(!o || !strcmp(json_string_value(json_object_get(o, "error")),
			   "no-access"));
	json_decref(o);
	must(!reply_next(&p));
}


static void start(void)
{
	unsigned char v[32];

	must(!libre_init() && !timers_open());
	must(!event_bus_alloc(&ph.bus) && !config_alloc(&ph.config));
	must(!replay_alloc(&replay, ph.bus));
	must(getrandom(v, sizeof(v), 0) == (ssize_t)sizeof(v));
	for (size_t i = 0; i < sizeof(v); i++)
		snprintf(token + 2 * i, 3, "%02x", v[i]);
	log_set_level(LOGL_ERROR);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { .p = data, .left = size };

	if (!token[0])
		start();

	if (take(&b, 1) & 1)
		stranger(&b);
	else
		framing(&b);

	return 0;
}
