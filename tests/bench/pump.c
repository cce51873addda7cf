/**
 * @file pump.c  Many RTP streams from one thread, and what comes back
 *
 * The load of the benchmark: stream i owns the UDP port BASE + 2*i, sends one
 * packet every 20 ms and counts what returns, with the kernel's receive
 * times.  With -d it sends clicks instead of speech and tells how long each
 * took to come back.  With -f it sends nothing: it tells what Opus alone
 * costs, at a stretch, and for -n calls whose packets come every 20 ms.  One
 * thread; commands on stdin, JSON on stdout.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <opus/opus.h>
#include <math.h>
#include <sys/resource.h>
#include "wire.h"

enum {
	CLICKS_MAX  = 256,
	CLICK_LEVEL = 16000,
	ONSET       = CLICK_LEVEL * 3 / 10,
};

struct packet {
	int len;
	uint8_t data[PAYLOAD_MAX];
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
				   : wav_load(conf.wav, conf.rate, &count);
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

	pcm = wav_load(conf.wav, conf.rate, &count);
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

	printf("{\"encode_ms\": %.3f, \"decode_ms\": %.3f, ",
	       (double)(coded - begin) / 1e6 * 1000 / PTIME_MS / packetc,
	       (double)(end - coded) / 1e6 * 1000 / PTIME_MS / packetc);
	free(pcm);
}


/* What that many calls cannot do for less: each has coders of its own, which
 * the others push out of the cache, as sleep does */
static void codec_turns(int complexity)
{
	enum { TICKS = 4 * 1000 / PTIME_MS };
	const int64_t ptime = PTIME_MS * 1000000LL;
	OpusEncoder **enc = calloc(conf.n, sizeof(*enc));
	OpusDecoder **dec = calloc(conf.n, sizeof(*dec));
	int16_t out[48000 * PTIME_MS / 1000];
	int64_t began, due;
	uint8_t b[PAYLOAD_MAX];
	int err = 0;

	for (int i = 0; enc && dec && i < conf.n && !err; i++) {
		enc[i] = opus_encoder_create(48000, 1, OPUS_APPLICATION_VOIP,
					     &err);
		if (!err)
			dec[i] = opus_decoder_create(48000, 1, &err);
		if (!err) {
			opus_encoder_ctl(enc[i], OPUS_SET_BITRATE(28000));
			opus_encoder_ctl(enc[i],
					 OPUS_SET_COMPLEXITY(complexity));
		}
	}
	if (err || !enc || !dec)
		fail("no Opus");

	began = now(CLOCK_PROCESS_CPUTIME_ID);
	due = now(CLOCK_MONOTONIC);
	for (size_t k = 0; k < TICKS; k++) {
		struct timespec t;

		for (int i = 0; i < conf.n; i++) {
			const struct packet *p =
				&packets[(k + (size_t)i * 7919) % packetc];

			if (opus_decode(dec[i], p->data, p->len, out,
					conf.spp, 0) != conf.spp ||
			    opus_encode(enc[i], out, conf.spp, b,
					sizeof(b)) < 0)
				fail("Opus does not take its own");
		}
		due += ptime;
		t.tv_sec = due / NSEC;
		t.tv_nsec = due % NSEC;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	}

	printf("\"turns_ms\": %.3f}\n",
	       (double)(now(CLOCK_PROCESS_CPUTIME_ID) - began) / 1e6 * 1000 /
	       PTIME_MS / TICKS / conf.n);
}


static void open_streams(int epoll)
{
	const struct rlimit files = { 8192, 8192 };
	const int one = 1, size = 1 << 18;

	setrlimit(RLIMIT_NOFILE, &files);
	streams = calloc(conf.n, sizeof(*streams));
	for (int i = 0; i < conf.n; i++) {
		struct stream *s = &streams[i];

		s->fd = wire_open(conf.port + 2 * i, epoll, i);
		setsockopt(s->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one,
			   sizeof(one));
		setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
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


static void send_packet(int i, int64_t due)
{
	struct stream *s = &streams[i];
	const struct packet *p = &packets[s->next];
	uint8_t b[HEADER + PAYLOAD_MAX];

	wire_header(b, conf.opus ? PT_OPUS : 0, !s->tx, s->seq, s->ts,
		    0x0ff00000u + (uint32_t)i);
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


static void receive(int i)
{
	struct stream *s = &streams[i];
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


static void command(int i, const struct sockaddr_in *to, const char *line)
{
	if (i >= 0) {
		streams[i].to = *to;
		streams[i].on = true;
	}
	else if (!strcmp(line, "mark")) {
		report();
	}
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

	do {
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
	} while (wire_wait(epoll, go - now(CLOCK_MONOTONIC), conf.n, receive,
			   command));
}


int main(int argc, char *argv[])
{
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
			     "-f COMPLEXITY [-n CALLS] -w FILE.wav");
		}
	}
	if (conf.n < 1 || (!conf.wav && !conf.clicks))
		fail("-n, and -w or -d");
	if (conf.opus || complexity >= 0)
		conf.rate = 48000;
	conf.spp = conf.rate * PTIME_MS / 1000;
	if (complexity >= 0) {
		codec_floor(complexity);
		codec_turns(complexity);
		return 0;
	}
	prepare();
	open_streams(epoll);
	wire_ready(epoll);
	run(epoll);

	return 0;
}
