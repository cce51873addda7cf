/**
 * @file follow.c  Many programs that listen to what happens in a phone
 *
 *   follow SOCKET N
 *
 * N clients of its control socket, all with `events on`.  "ready" is printed
 * when each of them has been answered.  For each line `mark` on stdin one
 * JSON object says what has come since the one before: lines, how many of
 * them a second at most, and how long after its time an event was read, in
 * milliseconds.  An event's time has no digits behind the millisecond: what is
 * told here is up to one too much, never too little.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	BUCKETS = 200000,        /* of 10 us: two seconds                    */
	BUFFER  = 1 << 18,
	ROUND   = 64,            /* clients at once                          */
};

struct client {
	int fd;
	bool answered;
	size_t len;
	char *buf;
};

static uint64_t lines, events, bytes;
static uint32_t late[BUCKETS + 1];


static uint64_t wall_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);

	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}


static void fail(const char *what)
{
	fprintf(stderr, "follow: %s: %s\n", what, strerror(errno));
	exit(1);
}


/* "time":"2026-11-21T10:00:00.123Z" */
static uint64_t time_us(const char *line, size_t n)
{
	static const char key[] = "\"time\":\"";
	const char *p = memmem(line, n < 120 ? n : 120, key, sizeof(key) - 1);
	static struct tm last;
	static time_t last_s;
	struct tm tm = { 0 };
	int ms;

	if (!p || sscanf(p + sizeof(key) - 1, "%d-%d-%dT%d:%d:%d.%dZ",
			 &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour,
			 &tm.tm_min, &tm.tm_sec, &ms) != 7)
		return 0;

	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	if (!last_s || tm.tm_sec != last.tm_sec || tm.tm_min != last.tm_min) {
		last = tm;
		last_s = timegm(&tm);
	}

	return (uint64_t)last_s * 1000000 + (uint64_t)ms * 1000;
}


static void line_take(struct client *c, const char *line, size_t n,
		      uint64_t now, bool look)
{
	++lines;
	if (!memcmp(line, "{\"reply\"", 8)) {
		c->answered = true;
		return;
	}
	++events;
	if (!look)
		return;

	const uint64_t at = time_us(line, n);
	const uint64_t d = at && now > at ? (now - at) / 10 : 0;

	++late[d < BUCKETS ? d : BUCKETS];
}


/* One read: all of it came now. Every eighth line is looked at closely, by
 * another one of all clients each time, or we would be what is measured */
static void client_read(struct client *c)
{
	static unsigned turn;
	const ssize_t n = recv(c->fd, c->buf + c->len, BUFFER - c->len,
			       MSG_DONTWAIT);
	const uint64_t now = wall_us();
	char *p = c->buf, *end, *nl;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		fail("a client was let go");

	bytes += (uint64_t)n;
	c->len += (size_t)n;
	end = c->buf + c->len;
	while ((nl = memchr(p, '\n', (size_t)(end - p)))) {
		line_take(c, p, (size_t)(nl - p), now, turn++ % 8 == 0);
		p = nl + 1;
	}

	c->len = (size_t)(end - p);
	if (c->len == BUFFER)
		c->len = 0;
	memmove(c->buf, p, c->len);
}


static double quantile(double q)
{
	uint64_t all = 0, sum = 0;

	for (size_t i = 0; i <= BUCKETS; i++)
		all += late[i];
	for (size_t i = 0; i <= BUCKETS; i++) {
		sum += late[i];
		if (all && (double)sum >= q * (double)all)
			return (double)i / 100.0;
	}

	return 0.0;
}


static void mark(uint64_t *since)
{
	const uint64_t now = wall_us();
	const double s = (double)(now - *since) / 1e6;

	printf("{\"events\": %llu, \"lines_per_s\": %.0f, \"bytes\": %llu, "
	       "\"median_ms\": %.2f, \"p99_ms\": %.2f, \"p999_ms\": %.2f, "
	       "\"most_ms\": %.2f}\n", (unsigned long long)events,
	       (double)lines / s, (unsigned long long)bytes, quantile(0.5),
	       quantile(0.99), quantile(0.999), quantile(1.0));
	fflush(stdout);
	lines = events = bytes = 0;
	memset(late, 0, sizeof(late));
	*since = now;
}


int main(int argc, char *argv[])
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const int n = argc == 3 ? atoi(argv[2]) : 0;
	const int ep = epoll_create1(EPOLL_CLOEXEC);
	struct client *v = calloc((size_t)n + 1, sizeof(*v));
	struct epoll_event ev = { .events = EPOLLIN };
	uint64_t since = wall_us();
	bool ready = false;
	int waiting = n;

	if (n < 1 || !v || strlen(argv[1]) >= sizeof(un.sun_path)) {
		fprintf(stderr, "follow SOCKET N\n");
		return 2;
	}
	strcpy(un.sun_path, argv[1]);

	for (int i = 0; i < n; i++) {
		v[i].fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		v[i].buf = malloc(BUFFER);
		if (v[i].fd < 0 || !v[i].buf ||
		    connect(v[i].fd, (struct sockaddr *)&un, sizeof(un)) ||
		    send(v[i].fd, "events on\n", 10, 0) != 10)
			fail(argv[1]);
		ev.data.ptr = &v[i];
		if (epoll_ctl(ep, EPOLL_CTL_ADD, v[i].fd, &ev))
			fail("epoll");
	}
	ev.data.ptr = NULL;
	if (epoll_ctl(ep, EPOLL_CTL_ADD, STDIN_FILENO, &ev))
		fail("stdin");

	for (;;) {
		struct epoll_event got[ROUND];
		const int k = epoll_wait(ep, got, ROUND, -1);

		for (int i = 0; i < k; i++) {
			struct client *c = got[i].data.ptr;
			char word[64];

			if (c) {
				const bool was = c->answered;

				client_read(c);
				waiting -= c->answered && !was;
			}
			else if (read(STDIN_FILENO, word, sizeof(word)) <= 0)
				return 0;
			else
				mark(&since);
		}

		if (!waiting && !ready) {
			ready = true;
			printf("ready\n");
			fflush(stdout);
			lines = events = bytes = 0;
			since = wall_us();
		}
	}
}
