/**
 * @file wire.h  What the loads of the benchmark share: sockets, G.711, commands
 *
 * pump.c and speech.c are one file each to the compiler, and this is the part
 * they have in common: streams on loopback ports of their own, driven by one
 * thread that is told on stdin where each goes.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	PTIME_MS   = 20,
	PAYLOAD_MAX = 500,          /* payload                               */
	HEADER     = 12,
	PT_OPUS    = 96,
	STDIN_MARK = 1 << 30,      /* among the numbers of streams          */
};

#define NSEC 1000000000LL


static inline void fail(const char *text)
{
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, text);
	exit(1);
}


static inline int64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);

	return t.tv_sec * NSEC + t.tv_nsec;
}


/* G.711 -------------------------------------------------------------------- */

static inline uint8_t ulaw(int16_t sample)
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


static inline int16_t linear(uint8_t u)
{
	int v;

	u = (uint8_t)~u;
	v = ((u & 15) * 8 + 132) << (u >> 4 & 7);

	return (int16_t)(u & 0x80 ? 132 - v : v - 132);
}


/* WAV ---------------------------------------------------------------------- */

static inline uint32_t wav_number(const uint8_t *p, int n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | p[n];

	return v;
}


/** The samples of a file of 16 bit mono at that rate; free() */
static inline int16_t *wav_load(const char *path, int rate, size_t *count)
{
	FILE *f = fopen(path, "rb");
	uint8_t b[40];
	int16_t *pcm = NULL;

	if (!f || fread(b, 1, 12, f) != 12 || memcmp(b, "RIFF", 4))
		fail("not a WAV file");
	while (!pcm && fread(b, 1, 8, f) == 8) {
		const uint32_t size = wav_number(b + 4, 4);

		if (!memcmp(b, "fmt ", 4)) {
			if (size > sizeof(b) || fread(b, 1, size, f) != size)
				fail("odd WAV header");
			if (wav_number(b, 2) != 1 ||
			    wav_number(b + 2, 2) != 1 ||
			    wav_number(b + 14, 2) != 16 ||
			    (int)wav_number(b + 4, 4) != rate)
				fail("the WAV must be 16 bit mono at the "
				     "codec's rate");
		}
		else if (!memcmp(b, "data", 4)) {
			pcm = calloc((size_t)size + 1, 1);
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


/* RTP over loopback -------------------------------------------------------- */

/** A socket on that port, watched as number i */
static inline int wire_open(int port, int epoll, int i)
{
	const struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event ev = { .events = EPOLLIN,
				  .data.u32 = (uint32_t)i };
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	if (fd < 0 || bind(fd, (const void *)&a, sizeof(a)))
		fail(strerror(errno));
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);

	return fd;
}


/** The fixed header of a packet */
static inline void wire_header(uint8_t b[HEADER], int pt, bool marker,
			       uint16_t seq, uint32_t ts, uint32_t ssrc)
{
	b[0] = 0x80;
	b[1] = (uint8_t)(pt | (marker ? 0x80 : 0));
	seq = htons(seq);
	ts = htonl(ts);
	ssrc = htonl(ssrc);
	memcpy(b + 2, &seq, 2);
	memcpy(b + 4, &ts, 4);
	memcpy(b + 8, &ssrc, 4);
}


/* Commands ----------------------------------------------------------------- */

/**
 * Lines that have come on stdin: `to STREAM IP PORT` is told as that, any
 * other by its text with i -1. @return false at the end of input
 */
typedef void (wire_command_h)(int i, const struct sockaddr_in *to,
			      const char *line);

static inline bool wire_commands(int streams, wire_command_h *h)
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
		struct sockaddr_in to = { .sin_family = AF_INET };
		char ip[64];
		int i, port;

		*end++ = '\0';
		if (sscanf(buf, "to %d %63s %d", &i, ip, &port) == 3 &&
		    i >= 0 && i < streams) {
			to.sin_port = htons((uint16_t)port);
			inet_pton(AF_INET, ip, &to.sin_addr);
			h(i, &to, buf);
		}
		else {
			h(-1, &to, buf);
		}
		len -= (size_t)(end - buf);
		memmove(buf, end, len + 1);
	}

	return true;
}


/** Wait so long, ns, and take what has come: receive_h of each stream that
 *  can be read. @return false at the end of input */
static inline bool wire_wait(int epoll, int64_t ns, int streams,
			     void (*receive_h)(int i), wire_command_h *h)
{
	struct epoll_event ev[64];
	const struct timespec wait = { .tv_nsec = ns > 0 ? ns : 0 };
	const int n = epoll_pwait2(epoll, ev, 64, &wait, NULL);

	for (int k = 0; k < n; k++) {
		if (ev[k].data.u32 != STDIN_MARK)
			receive_h((int)ev[k].data.u32);
		else if (!wire_commands(streams, h))
			return false;
	}

	return true;
}


/** Stdin is watched, and whoever started us may begin */
static inline void wire_ready(int epoll)
{
	struct epoll_event in = { .events = EPOLLIN,
				  .data.u32 = STDIN_MARK };

	epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &in);
	puts("ready");
	fflush(stdout);
}

#endif
