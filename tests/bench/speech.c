/**
 * @file speech.c  Speech over bad networks, and what comes back of it
 *
 * Stream i owns the UDP port BASE + 2*i and a network of its own, given with
 * -i: what it does to packet k depends on the seed and on k alone, so every
 * phone meets the same.  The speech is sent once; what the phone sends back,
 * on a good way, is written to DIR/i.wav, placed by its time stamps.  One
 * thread; commands on stdin, JSON on stdout.
 */
#define _GNU_SOURCE
#include "load.h"

enum {
	STREAMS    = 32,
};

struct stream {
	int fd;
	struct net net;
	struct sockaddr_in to;
	bool on, heard;
	struct doom fate;
	int next;
	int64_t begin;             /* ns                                    */
	uint32_t ts;               /* the first that came back ...          */
	int64_t came;              /* ... and when                          */
	int16_t *v;
	size_t n, max;
	OpusDecoder *dec;
};

static struct stream streams[STREAMS];
static int streamc, base_port = 20000;
static struct load load;
static const char *dir = ".";
static int64_t started;
static int out_rate = 8000;


static void stream_open(const char *text, int epoll)
{
	struct stream *s = &streams[streamc];

	if (streamc >= STREAMS)
		fail("too many streams");
	net_read(&s->net, text);

	s->fd = wire_open(base_port + 2 * streamc, epoll, streamc);
	++streamc;
}


static void send_due(struct stream *s)
{
	const struct doom *f = &s->fate;

	while (s->on && s->next < f->n &&
	       s->begin + f->due[s->next].at <= now(CLOCK_REALTIME)) {
		uint8_t b[HEADER + 2 * PAYLOAD_MAX];
		const size_t n = load_write(&load, f->due[s->next++].k,
					    0x5eec0000u + (uint32_t)
					    (s - streams), b);

		(void)sendto(s->fd, b, n, 0, (void *)&s->to, sizeof(s->to));
	}
}


static void heard(struct stream *s, const uint8_t *b, ssize_t n)
{
	uint32_t ts;
	int16_t v[5760];
	size_t at;
	int got = (int)n - HEADER;

	memcpy(&ts, b + 4, 4);
	ts = ntohl(ts);
	if (!s->heard) {
		s->heard = true;
		s->ts = ts;
		s->came = now(CLOCK_REALTIME);
	}

	if (load.opus)
		got = opus_decode(s->dec, b + HEADER, got, v, 5760, 0);
	else
		for (int i = 0; i < got; i++)
			v[i] = linear(b[HEADER + i]);

	at = (size_t)((uint64_t)(ts - s->ts) * (uint64_t)out_rate /
		      (uint64_t)load.rate);
	if (got <= 0 || at + (size_t)got > s->max)
		return;
	memcpy(s->v + at, v, (size_t)got * sizeof(*v));
	if (at + (size_t)got > s->n)
		s->n = at + (size_t)got;
}


static void receive(int i)
{
	struct stream *s = &streams[i];
	uint8_t b[2048];
	ssize_t n;

	while ((n = recv(s->fd, b, sizeof(b), 0)) > 0 ||
	       (n < 0 && errno == ECONNREFUSED)) {
		if (n > HEADER && b[0] == 0x80 &&
		    (b[1] & 127) == (load.opus ? PT_OPUS : 0))
			heard(s, b, n);
	}
}


static void save(const struct stream *s, int i)
{
	const uint32_t bytes = (uint32_t)(2 * s->n), hz = (uint32_t)out_rate;
	const uint32_t head[11] = { 0x46464952, 36 + bytes, 0x45564157,
		0x20746d66, 16, 1 | 1 << 16, hz, 2 * hz, 2 | 16 << 16,
		0x61746164, bytes };
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%d.wav", dir, i);
	f = fopen(path, "wb");
	if (!f || fwrite(head, 44, 1, f) != 1 ||
	    fwrite(s->v, 2, s->n, f) != s->n || fclose(f))
		fail("cannot write");
}


static void command(int i, const struct sockaddr_in *to, const char *line)
{
	struct stream *s;
	(void)line;

	if (i < 0)
		return;

	/* each at another phase of the phone's clock */
	s = &streams[i];
	s->to = *to;
	s->begin = started + (i + 1) * 7 * MSEC / 3;
	while (s->begin < now(CLOCK_REALTIME))
		s->begin += PTIME_MS * MSEC;
	s->on = true;
}


static void run(int epoll)
{
	const int64_t length = (load.n * PTIME_MS + AFTER_MS) * MSEC;

	started = now(CLOCK_REALTIME);
	for (;;) {
		int over = 0;

		for (int i = 0; i < streamc; i++) {
			send_due(&streams[i]);
			over += streams[i].on &&
				now(CLOCK_REALTIME) > streams[i].begin + length;
		}
		if (over == streamc)
			break;

		if (!wire_wait(epoll, MSEC, streamc, receive, command))
			exit(1);
	}

	putchar('[');
	for (int i = 0; i < streamc; i++) {
		const struct stream *s = &streams[i];

		save(s, i);
		printf("%s{\"lost_pct\": %.2f, \"offset_ms\": %.2f}",
		       i ? ", " : "", 100.0 * s->fate.lost / load.n,
		       s->heard ? (double)(s->came - s->begin) / MSEC : 0);
	}
	puts("]");
}


int main(int argc, char *argv[])
{
	const char *wav = NULL, *nets[STREAMS];
	int opt, err, netc = 0, epoll = epoll_create1(0);
	bool opus = false;
	int back = 0, fec = 0;

	while ((opt = getopt(argc, argv, "p:w:c:F:o:i:r:")) != -1) {
		switch (opt) {
		case 'p': base_port = atoi(optarg); break;
		case 'w': wav = optarg; break;
		case 'c':
			opus = !strncmp(optarg, "opus", 4);
			break;
		case 'r': back = atoi(optarg); break;
		case 'F': fec = atoi(optarg); break;
		case 'o': dir = optarg; break;
		case 'i':
			if (netc < STREAMS)
				nets[netc++] = optarg;
			break;
		default:
			fail("-w FILE.wav -i loss=%,burst=N,jitter=MS,spike=%"
			     ",reorder=%,dup=%,until=S,seed=N ... "
			     "[-p PORT] [-c pcmu|opus] [-F LOSS] [-r BACK] "
			     "[-o DIR]");
		}
	}
	if (!wav || !netc)
		fail("-w and -i");
	load_init(&load, opus);
	load.back = back;
	load.fec = fec;
	out_rate = opus ? 16000 : 8000;
	load_read(&load, wav);

	for (int i = 0; i < netc; i++) {
		struct stream *s = &streams[i];

		stream_open(nets[i], epoll);
		net_plan(&s->fate, &s->net, load.n);
		s->max = (size_t)(load.n * PTIME_MS + 10 * AFTER_MS) *
			(size_t)out_rate / 1000;
		s->v = calloc(s->max, sizeof(*s->v));
		s->dec = opus ? opus_decoder_create(out_rate, 1, &err) : NULL;
		if (!s->fate.due || !s->v || (opus && !s->dec))
			fail("no memory");
	}
	wire_ready(epoll);
	run(epoll);

	return 0;
}
