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
#include <opus/opus.h>
#include "wire.h"

enum {
	PT_RED     = 121,
	STREAMS    = 32,
	SPARED     = 50,           /* packets that nothing happens to       */
	AFTER_MS   = 1500,         /* listened to beyond the end            */
};

#define MSEC 1000000LL

struct packet {
	int len;
	uint8_t data[PACKET_MAX];
};

struct due {
	int64_t at;                /* ns, from the begin                    */
	int k;
};

struct net {
	double loss, burst;        /* %, mean length of a run               */
	double jitter, spike;      /* ms, % that begin a stall of so much   */
	double reorder, dup;       /* %                                     */
	double until;              /* s, 0: to the end                      */
	unsigned seed;
};

struct stream {
	int fd;
	struct net net;
	struct sockaddr_in to;
	bool on, heard;
	struct due *due;
	int dues, next, lost;
	int64_t begin;             /* ns                                    */
	uint32_t ts;               /* the first that came back ...          */
	int64_t came;              /* ... and when                          */
	int16_t *v;
	size_t n, max;
	OpusDecoder *dec;
};

static struct stream streams[STREAMS];
static int streamc, base_port = 20000, fec, bitrate = 28000;
static bool opus;
static int back;                 /* RFC 2198: each packet once more in the one
				    so much later, 0: not               */
static const char *dir = ".";
static struct packet *packets;
static int64_t started;
static int packetc, rate = 8000, out_rate = 8000, spp;


/* xorshift, 0..1 */
static double draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;

	return (double)(*state >> 11) / 9007199254740992.0;
}


static void prepare(const char *path)
{
	OpusEncoder *enc = NULL;
	size_t count = 0;
	int16_t *v = wav_load(path, rate, &count);
	int err;

	packetc = (int)(count / (size_t)spp);
	if (packetc < AFTER_MS / PTIME_MS)
		fail("no speech");

	if (opus) {
		enc = opus_encoder_create(rate, 1, OPUS_APPLICATION_VOIP,
					  &err);
		if (!enc)
			fail("no Opus");
		opus_encoder_ctl(enc, OPUS_SET_BITRATE(bitrate));
		opus_encoder_ctl(enc, OPUS_SET_INBAND_FEC(fec > 0));
		opus_encoder_ctl(enc, OPUS_SET_PACKET_LOSS_PERC(fec));
	}

	packets = calloc((size_t)packetc, sizeof(*packets));
	for (int i = 0; packets && i < packetc; i++) {
		struct packet *p = &packets[i];

		if (enc)
			p->len = opus_encode(enc, v + i * spp, spp, p->data,
					     PACKET_MAX);
		else
			for (p->len = 0; p->len < spp; p->len++)
				p->data[p->len] = ulaw(v[i * spp + p->len]);
		if (p->len <= 0)
			fail("cannot encode");
	}
	free(v);
}


static int by_time(const void *a, const void *b)
{
	const struct due *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at ? 1 : x->k - y->k;
}


/* What the network does to every packet */
static void plan(struct stream *s)
{
	const struct net *n = &s->net;
	const double leave = 1 / (n->burst < 1 ? 1 : n->burst);
	const double loss = n->loss / 100;
	const double enter = leave * loss / (1 - loss);
	uint64_t state = n->seed * 0x9e3779b97f4a7c15ULL + 1;
	double stall = 0, last = 0;
	bool bad = false;

	s->due = calloc(2 * (size_t)packetc, sizeof(*s->due));
	for (int k = 0; s->due && k < packetc; k++) {
		const double sent = k * PTIME_MS;
		double u[4], at = sent;

		for (int i = 0; i < 4; i++)
			u[i] = draw(&state);
		if (k < SPARED || (n->until > 0 && sent > 1000 * n->until)) {
			s->due[s->dues++] = (struct due){ (int64_t)
				((at < last ? last : at) * MSEC), k };
			continue;
		}

		bad = n->burst <= 1 ? u[0] < loss
			: bad ? u[0] >= leave : u[0] < enter;
		if (bad) {
			++s->lost;
			continue;
		}

		if (n->spike > 0) {
			stall = u[1] < n->spike / 100 ? n->jitter
				: stall > PTIME_MS ? stall - PTIME_MS : 0;
			at += stall;
		}
		else {
			at += u[1] * n->jitter;
		}

		/* a queue keeps the order, unless it is to be lost */
		if (u[2] < n->reorder / 100)
			at += 30;
		else
			last = at = at < last ? last : at;

		s->due[s->dues++] = (struct due){ (int64_t)(at * MSEC), k };
		if (u[3] < n->dup / 100)
			s->due[s->dues++] = (struct due){
				(int64_t)((at + 1) * MSEC), k };
	}
	qsort(s->due, (size_t)s->dues, sizeof(*s->due), by_time);
}


static void stream_open(const char *text, int epoll)
{
	static const char *const keys[] = { "loss", "burst", "jitter",
		"spike", "reorder", "dup", "until", "seed", NULL };
	struct stream *s = &streams[streamc];
	double *const to[] = { &s->net.loss, &s->net.burst, &s->net.jitter,
		&s->net.spike, &s->net.reorder, &s->net.dup, &s->net.until };
	char *copy = strdup(text), *at = copy, *value;
	int k;

	if (streamc >= STREAMS)
		fail("too many streams");
	while (at && (k = getsubopt(&at, (char *const *)keys, &value)) >= 0) {
		if (k < 7)
			*to[k] = atof(value ? value : "0");
		else
			s->net.seed = (unsigned)atoi(value ? value : "1");
	}
	free(copy);

	s->fd = wire_open(base_port + 2 * streamc, epoll, streamc);
	++streamc;
}


static void send_due(struct stream *s)
{
	while (s->on && s->next < s->dues &&
	       s->begin + s->due[s->next].at <= now(CLOCK_REALTIME)) {
		const int k = s->due[s->next++].k;
		const struct packet *p = &packets[k];
		uint8_t b[HEADER + 2 * PACKET_MAX];
		int at = HEADER;

		const bool red = back && k >= back;

		wire_header(b, red ? PT_RED : opus ? PT_OPUS : 0, !k,
			    (uint16_t)(65000 + k), (uint32_t)(k * spp),
			    0x5eec0000u + (uint32_t)(s - streams));
		if (red) {
			/* the one before, by its time and length, then this */
			const struct packet *was = p - back;
			const int ago = back * spp, pt = opus ? PT_OPUS : 0;

			b[at++] = (uint8_t)(0x80 | pt);
			b[at++] = (uint8_t)(ago >> 6);
			b[at++] = (uint8_t)(ago << 2 | was->len >> 8);
			b[at++] = (uint8_t)was->len;
			b[at++] = (uint8_t)pt;
			memcpy(b + at, was->data, (size_t)was->len);
			at += was->len;
		}
		memcpy(b + at, p->data, (size_t)p->len);
		(void)sendto(s->fd, b, (size_t)(at + p->len), 0,
			     (void *)&s->to, sizeof(s->to));
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

	if (opus)
		got = opus_decode(s->dec, b + HEADER, got, v, 5760, 0);
	else
		for (int i = 0; i < got; i++)
			v[i] = linear(b[HEADER + i]);

	at = (size_t)((uint64_t)(ts - s->ts) * (uint64_t)out_rate /
		      (uint64_t)rate);
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
		    (b[1] & 127) == (opus ? PT_OPUS : 0))
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
	const int64_t length = (packetc * PTIME_MS + AFTER_MS) * MSEC;

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
		       i ? ", " : "", 100.0 * s->lost / packetc,
		       s->heard ? (double)(s->came - s->begin) / MSEC : 0);
	}
	puts("]");
}


int main(int argc, char *argv[])
{
	const char *wav = NULL, *nets[STREAMS];
	int opt, err, netc = 0, epoll = epoll_create1(0);

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
	if (opus) {
		rate = 48000;
		out_rate = 16000;
	}
	spp = rate * PTIME_MS / 1000;
	prepare(wav);

	for (int i = 0; i < netc; i++) {
		struct stream *s = &streams[i];

		stream_open(nets[i], epoll);
		plan(s);
		s->max = (size_t)(packetc * PTIME_MS + 10 * AFTER_MS) *
			(size_t)out_rate / 1000;
		s->v = calloc(s->max, sizeof(*s->v));
		s->dec = opus ? opus_decoder_create(out_rate, 1, &err) : NULL;
		if (!s->due || !s->v || (opus && !s->dec))
			fail("no memory");
	}
	wire_ready(epoll);
	run(epoll);

	return 0;
}
