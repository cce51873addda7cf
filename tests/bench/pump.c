/**
 * @file pump.c  Many RTP streams from one thread, and what comes back
 *
 * The load of the benchmark: stream i owns the UDP port BASE + 2*i, sends one
 * packet every 20 ms and counts what returns, with the kernel's receive
 * times.  With -d it sends clicks instead of speech and tells how long each
 * took to come back.  With -f it sends nothing: it tells what Opus alone
 * costs.  One thread; commands on stdin, JSON on stdout.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <opus/opus.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	PTIME_MS    = 20,
	PACKET_MAX  = 500,
	HEADER      = 12,
	CLICKS_MAX  = 256,
	CLICK_LEVEL = 16000,
	ONSET       = CLICK_LEVEL * 3 / 10,
	PT_OPUS     = 96,
	STDIN_MARK  = 1 << 30,
};

#define NSEC 1000000000LL

struct packet {
	int len;
	uint8_t data[PACKET_MAX];
	bool loud;                 /* more than near silence                */
	int onset;                 /* sample at which a click begins, -1    */
};

struct stream {
	int fd;
	struct sockaddr_in to;
	bool on;
	uint16_t seq;
	uint32_t ts;
	size_t next;               /* packet to send                        */
	uint64_t tx, rx, loud_tx, loud_rx, lost;
	bool heard;
	uint16_t rx_seq;
	int64_t rx_time, gap;      /* ns                                    */
};

static struct {
	int n, port;
	bool opus, clicks;
	unsigned jitter_ms, seed;
	int rate, spp;             /* samples per packet                    */
	const char *wav;
} conf = { .n = 1, .port = 20000, .rate = 8000, .seed = 1 };

static struct stream *streams;
static struct packet *packets;
static size_t packetc;
static OpusDecoder *decoder;
static int64_t click_tx[CLICKS_MAX], click_rx[CLICKS_MAX];
static size_t click_txc, click_rxc;


static int64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);

	return t.tv_sec * NSEC + t.tv_nsec;
}


static void fail(const char *text)
{
	fprintf(stderr, "pump: %s\n", text);
	exit(1);
}


static uint8_t ulaw(int16_t sample)
{
	int v = sample, sign = 0, exponent = 7;

	if (v < 0) {
		v = -v;
		sign = 0x80;
	}
	if (v > 32635)
		v = 32635;
	v += 132;
	for (int bit = 0x4000; exponent && !(v & bit); bit >>= 1)
		--exponent;

	return (uint8_t)~(sign | exponent << 4 | (v >> (exponent + 3) & 15));
}


static int16_t linear(uint8_t u)
{
	int v;

	u = (uint8_t)~u;
	v = ((u & 15) * 8 + 132) << (u >> 4 & 7);

	return (int16_t)(u & 0x80 ? 132 - v : v - 132);
}


/* 10 ms of 1 kHz every 1.01 s: over time it falls on every packet phase */
static int16_t *make_clicks(size_t *count)
{
	size_t period = (size_t)conf.rate * 101 / 100, n = period * 30;
	int16_t *pcm = calloc(n, sizeof(*pcm));

	for (size_t at = period / 2; pcm && at < n; at += period)
		for (int i = 0; i < conf.rate / 100; i++)
			pcm[at + i] = (int16_t)(CLICK_LEVEL *
				cos(2 * M_PI * 1000 * i / conf.rate));
	*count = n;

	return pcm;
}


static uint32_t le(const uint8_t *p, int n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | p[n];

	return v;
}


static int16_t *load(const char *path, size_t *count)
{
	FILE *f = fopen(path, "rb");
	uint8_t b[40];
	int16_t *pcm = NULL;

	if (!f || fread(b, 1, 12, f) != 12 || memcmp(b, "RIFF", 4))
		fail("not a WAV file");
	while (!pcm && fread(b, 1, 8, f) == 8) {
		uint32_t size = le(b + 4, 4);

		if (!memcmp(b, "fmt ", 4)) {
			if (size > sizeof(b) || fread(b, 1, size, f) != size)
				fail("odd WAV header");
			if (le(b, 2) != 1 || le(b + 2, 2) != 1 ||
			    le(b + 14, 2) != 16 ||
			    (int)le(b + 4, 4) != conf.rate)
				fail("the WAV must be 16 bit mono at the "
				     "codec's rate");
		}
		else if (!memcmp(b, "data", 4)) {
			pcm = calloc(size + 1, 1);
			*count = pcm ? fread(pcm, 1, size, f) / 2 : 0;
		}
		else {
			fseek(f, size + (size & 1), SEEK_CUR);
		}
	}
	fclose(f);
	if (!pcm)
		fail("no sound in the WAV file");

	return pcm;
}


static int find_onset(const int16_t *v, int n)
{
	for (int i = 0; i < n; i++)
		if (abs(v[i]) > ONSET)
			return i;

	return -1;
}


/* Everything is encoded before the first packet goes out */
static void prepare(void)
{
	size_t count = 0;
	int16_t *pcm = conf.clicks ? make_clicks(&count)
				   : load(conf.wav, &count);
	OpusEncoder *enc = NULL;
	int err = 0;

	packetc = count / conf.spp;
	packets = calloc(packetc, sizeof(*packets));
	if (!pcm || !packetc || !packets)
		fail("nothing to send");
	if (conf.opus) {
		enc = opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP,
					  &err);
		decoder = opus_decoder_create(48000, 1, &err);
		if (!enc || !decoder)
			fail("no Opus");
		opus_encoder_ctl(enc, OPUS_SET_BITRATE(28000));
	}
	for (size_t i = 0; i < packetc; i++) {
		const int16_t *v = pcm + i * conf.spp;
		struct packet *p = &packets[i];
		double power = 0;

		if (enc)
			p->len = opus_encode(enc, v, conf.spp, p->data,
					     sizeof(p->data));
		else
			for (p->len = 0; p->len < conf.spp; p->len++)
				p->data[p->len] = ulaw(v[p->len]);
		for (int k = 0; k < conf.spp; k++)
			power += (double)v[k] * v[k];
		p->loud = sqrt(power / conf.spp) > 300;
		p->onset = conf.clicks ? find_onset(v, conf.spp) : -1;
	}
	if (enc)
		opus_encoder_destroy(enc);
	free(pcm);
}


/* No phone can code and decode this speech for less */
static void codec_floor(int complexity)
{
	int16_t *pcm, out[48000 * PTIME_MS / 1000];
	OpusEncoder *enc;
	int64_t begin, coded, end;
	size_t count;
	int err;

	pcm = load(conf.wav, &count);
	packetc = count / conf.spp;
	packets = calloc(packetc, sizeof(*packets));
	enc = opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP, &err);
	decoder = opus_decoder_create(48000, 1, &err);
	if (!packets || !packetc || !enc || !decoder)
		fail("no Opus");
	opus_encoder_ctl(enc, OPUS_SET_BITRATE(28000));
	opus_encoder_ctl(enc, OPUS_SET_COMPLEXITY(complexity));

	begin = now(CLOCK_PROCESS_CPUTIME_ID);
	for (size_t i = 0; i < packetc; i++)
		packets[i].len = opus_encode(enc, pcm + i * conf.spp,
					     conf.spp, packets[i].data,
					     sizeof(packets[i].data));
	coded = now(CLOCK_PROCESS_CPUTIME_ID);
	for (size_t i = 0; i < packetc; i++) {
		if (opus_decode(decoder, packets[i].data, packets[i].len,
				out, conf.spp, 0) != conf.spp)
			fail("Opus does not decode its own");
	}
	end = now(CLOCK_PROCESS_CPUTIME_ID);

	printf("{\"encode_ms\": %.3f, \"decode_ms\": %.3f}\n",
	       (double)(coded - begin) / 1e6 * 1000 / PTIME_MS / packetc,
	       (double)(end - coded) / 1e6 * 1000 / PTIME_MS / packetc);
	free(pcm);
}


static void open_streams(int epoll)
{
	const struct rlimit files = { 8192, 8192 };
	const int one = 1, size = 1 << 18;

	setrlimit(RLIMIT_NOFILE, &files);
	streams = calloc(conf.n, sizeof(*streams));
	for (int i = 0; i < conf.n; i++) {
		struct stream *s = &streams[i];
		struct sockaddr_in a = { .sin_family = AF_INET,
			.sin_port = htons((uint16_t)(conf.port + 2 * i)),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		struct epoll_event ev = { .events = EPOLLIN,
					  .data.u32 = (uint32_t)i };

		s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (s->fd < 0 || bind(s->fd, (void *)&a, sizeof(a)))
			fail(strerror(errno));
		setsockopt(s->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one,
			   sizeof(one));
		setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
		epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &ev);
		s->next = conf.clicks ? 0 : (size_t)i * 7919 % packetc;
		s->seq = (uint16_t)(i * 31);
	}
}


/* A click may lie in two packets, and have an echo */
static void note_click(int64_t *v, size_t *n, int64_t t)
{
	if (*n < CLICKS_MAX && (!*n || t - v[*n - 1] > NSEC / 2))
		v[(*n)++] = t;
}


static void put32(uint8_t *p, uint32_t v)
{
	v = htonl(v);
	memcpy(p, &v, 4);
}


static void send_packet(int i, int64_t due)
{
	struct stream *s = &streams[i];
	const struct packet *p = &packets[s->next];
	uint8_t b[HEADER + PACKET_MAX] = { 0x80 };

	b[1] = (uint8_t)((conf.opus ? PT_OPUS : 0) | (s->tx ? 0 : 0x80));
	b[2] = (uint8_t)(s->seq >> 8);
	b[3] = (uint8_t)s->seq;
	put32(b + 4, s->ts);
	put32(b + 8, 0x0ff00000u + (uint32_t)i);
	memcpy(b + HEADER, p->data, p->len);

	if (sendto(s->fd, b, HEADER + p->len, 0, (void *)&s->to,
		   sizeof(s->to)) > 0) {
		++s->tx;
		s->loud_tx += p->loud;
	}
	if (p->onset >= 0)
		note_click(click_tx, &click_txc,
			   due + p->onset * NSEC / conf.rate);
	++s->seq;
	s->ts += conf.spp;
	s->next = (s->next + 1) % packetc;
}


static void listen_in(struct stream *s, const uint8_t *p, int n, int64_t t)
{
	int16_t v[5760];
	double power = 0;
	int at;

	if (conf.opus) {
		/* decoding all would cost more than the load itself */
		if (!conf.clicks)
			return;
		n = opus_decode(decoder, p, n, v, 5760, 0);
	}
	else {
		for (int i = 0; i < n && i < 5760; i++)
			v[i] = linear(p[i]);
	}
	if (n <= 0)
		return;
	for (int i = 0; i < n; i++)
		power += (double)v[i] * v[i];
	s->loud_rx += sqrt(power / n) > 300;
	at = conf.clicks ? find_onset(v, n) : -1;
	if (at >= 0)
		note_click(click_rx, &click_rxc, t + at * NSEC / conf.rate);
}


static int64_t stamp(struct msghdr *m)
{
	struct timespec ts;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET ||
		    c->cmsg_type != SO_TIMESTAMPNS)
			continue;
		memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		return ts.tv_sec * NSEC + ts.tv_nsec;
	}

	return now(CLOCK_REALTIME);
}


static void receive(struct stream *s)
{
	uint8_t b[2048];
	char control[128];

	for (;;) {
		struct iovec v = { b, sizeof(b) };
		struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1,
				    .msg_control = control,
				    .msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(s->fd, &m, 0);
		int64_t t;
		int16_t step;
		int head;

		if (n < 0 && errno == ECONNREFUSED)
			continue;
		if (n < 0)
			return;
		head = HEADER + 4 * (b[0] & 15);
		if (n <= head || b[0] >> 6 != 2 ||
		    (b[1] & 127) != (conf.opus ? PT_OPUS : 0))
			continue;
		t = stamp(&m);
		++s->rx;
		step = (int16_t)((b[2] << 8 | b[3]) - s->rx_seq);
		if (s->heard && step > 0) {
			s->lost += (uint64_t)step - 1;
			if (t - s->rx_time > s->gap)
				s->gap = t - s->rx_time;
		}
		if (!s->heard || step > 0) {
			s->rx_seq = (uint16_t)(b[2] << 8 | b[3]);
			s->rx_time = t;
		}
		s->heard = true;
		listen_in(s, b + head, (int)n - head, t);
	}
}


static void report_clicks(void)
{
	const char *comma = "";
	size_t k = 0;

	printf(",\"clicks\":%zu,\"delays_ms\":[", click_txc);
	for (size_t i = 0; i < click_txc; i++) {
		while (k < click_rxc && click_rx[k] < click_tx[i])
			++k;
		if (k == click_rxc)
			break;
		if (click_rx[k] - click_tx[i] > NSEC * 9 / 10)
			continue;
		printf("%s%.2f", comma, (click_rx[k] - click_tx[i]) / 1e6);
		comma = ",";
	}
	putchar(']');
}


/* Counts since the last report */
static void report(void)
{
	uint64_t tx = 0, rx = 0, ltx = 0, lrx = 0, lost = 0, least = ~0ull;
	int64_t gap = 0;
	int on = 0;

	for (int i = 0; i < conf.n; i++) {
		struct stream *s = &streams[i];

		if (!s->on)
			continue;
		++on;
		tx += s->tx;
		rx += s->rx;
		ltx += s->loud_tx;
		lrx += s->loud_rx;
		lost += s->lost;
		if (s->rx < least)
			least = s->rx;
		if (s->gap > gap)
			gap = s->gap;
		s->rx = s->loud_tx = s->loud_rx = s->lost = 0;
		s->tx = 0;
		s->gap = 0;
	}
	printf("{\"streams\":%d,\"tx\":%" PRIu64 ",\"rx\":%" PRIu64
	       ",\"loud_tx\":%" PRIu64 ",\"loud_rx\":%" PRIu64
	       ",\"lost\":%" PRIu64 ",\"least_rx\":%" PRIu64
	       ",\"gap_ms\":%.1f", on, tx, rx, ltx, lrx, lost,
	       on ? least : 0, gap / 1e6);
	if (conf.clicks)
		report_clicks();
	puts("}");
	fflush(stdout);
}


/* @return false at the end of input */
static bool command(void)
{
	static char buf[256];
	static size_t len;
	ssize_t n = read(0, buf + len, sizeof(buf) - 1 - len);
	char *end;

	if (n <= 0)
		return false;
	len += (size_t)n;
	buf[len] = '\0';
	while ((end = strchr(buf, '\n'))) {
		char ip[64];
		int i, port;

		*end++ = '\0';
		if (sscanf(buf, "to %d %63s %d", &i, ip, &port) == 3 &&
		    i >= 0 && i < conf.n) {
			struct sockaddr_in *to = &streams[i].to;

			to->sin_family = AF_INET;
			to->sin_port = htons((uint16_t)port);
			inet_pton(AF_INET, ip, &to->sin_addr);
			streams[i].on = true;
		}
		else if (!strcmp(buf, "mark")) {
			report();
		}
		len -= (size_t)(end - buf);
		memmove(buf, end, len + 1);
	}

	return true;
}


/* Jitter that keeps the order, as a queue on the way makes it; stream 0 */
static int64_t jitter(void)
{
	static uint64_t state;

	if (!conf.jitter_ms)
		return 0;
	if (!state)
		state = conf.seed * 2654435761u + 1;
	state = state * 6364136223846793005u + 1442695040888963407u;

	return (int64_t)((state >> 33) % (conf.jitter_ms * 1000 + 1)) * 1000;
}


static void run(int epoll)
{
	const int64_t ptime = PTIME_MS * 1000000LL, step = ptime / conf.n;
	const int64_t wall = now(CLOCK_REALTIME) - now(CLOCK_MONOTONIC);
	int64_t slot = now(CLOCK_MONOTONIC), go = slot + jitter();
	int i = 0;

	for (;;) {
		struct epoll_event ev[64];
		struct timespec wait = { 0 };
		int64_t left;
		int n;

		while (go <= now(CLOCK_MONOTONIC)) {
			int64_t last = go;

			if (streams[i].on)
				send_packet(i, slot + wall);
			slot += ++i == conf.n ? ptime - step * (conf.n - 1)
					      : step;
			i %= conf.n;
			go = slot + jitter();
			if (go < last)
				go = last;
		}
		left = go - now(CLOCK_MONOTONIC);
		wait.tv_nsec = left > 0 ? left : 0;
		n = epoll_pwait2(epoll, ev, 64, &wait, NULL);
		for (int k = 0; k < n; k++) {
			if (ev[k].data.u32 != STDIN_MARK)
				receive(&streams[ev[k].data.u32]);
			else if (!command())
				return;
		}
	}
}


int main(int argc, char *argv[])
{
	struct epoll_event in = { .events = EPOLLIN,
				  .data.u32 = STDIN_MARK };
	int opt, complexity = -1, epoll = epoll_create1(0);

	while ((opt = getopt(argc, argv, "n:p:w:c:j:s:f:d")) != -1) {
		switch (opt) {
		case 'n': conf.n = atoi(optarg); break;
		case 'p': conf.port = atoi(optarg); break;
		case 'w': conf.wav = optarg; break;
		case 'c': conf.opus = !strcmp(optarg, "opus"); break;
		case 'j': conf.jitter_ms = (unsigned)atoi(optarg); break;
		case 's': conf.seed = (unsigned)atoi(optarg); break;
		case 'f': complexity = atoi(optarg); break;
		case 'd': conf.clicks = true; break;
		default:
			fail("-n STREAMS -p PORT (-w FILE.wav | -d) "
			     "[-c pcmu|opus] [-j JITTER_MS] [-s SEED], or "
			     "-f COMPLEXITY -w FILE.wav");
		}
	}
	if (conf.n < 1 || (!conf.wav && !conf.clicks))
		fail("-n, and -w or -d");
	if (conf.opus || complexity >= 0)
		conf.rate = 48000;
	conf.spp = conf.rate * PTIME_MS / 1000;
	if (complexity >= 0) {
		codec_floor(complexity);
		return 0;
	}
	prepare();
	open_streams(epoll);
	epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &in);
	puts("ready");
	fflush(stdout);
	run(epoll);

	return 0;
}
