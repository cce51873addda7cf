/**
 * @file fuzz_http.c  What a monitor, or anybody, sends to where the figures are
 *
 * In pieces, over its socket: whoever ends a request with an empty line gets
 * one answer and the end, everybody else the end alone, in a bounded time.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "fuzz.h"
#include "offhook/compat.h"
#include "offhook/log.h"
#include "offhook/metrics.h"
#include "offhook/timer.h"

enum { TURNS = 20000 };

static struct metrics *metrics;
static struct metrics_server *server;
static char dir[] = "/tmp/fuzz-http-XXXXXX", where[64];
static char got[1 << 20];
static size_t got_n;
static struct timer turn;
static struct bytes in;
static int fd;
static unsigned turns;


static void step(void *arg)
{
	size_t n = take(&in, 1) + 1;
	ssize_t r;
	(void)arg;

	if (n > in.left)
		n = in.left;
	if (n)
		r = send(fd, in.p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		r = shutdown(fd, SHUT_WR);
	in.p += n;
	in.left -= n;

	while ((r = recv(fd, got + got_n, sizeof(got) - 1 - got_n,
			 MSG_DONTWAIT)) > 0)
		got_n += (size_t)r;

	must(++turns < TURNS);
	if (r == 0 || (errno != EAGAIN && errno != EINTR))
		re_cancel();
	else
		timer_start(&turn, 0, step, NULL);
}


static void leave(void)
{
	mem_deref(server);
	(void)rmdir(dir);
}


static void start(void)
{
	struct event_bus *bus;
	char err[UA_ERR];

	must(!libre_init() && !timers_open() && !event_bus_alloc(&bus));
	must(mkdtemp(dir));
	snprintf(where, sizeof(where), "unix:%s/s", dir);
	log_set_level(LOGL_ERROR);
	must(!metrics_alloc(&metrics, NULL, NULL, bus));
	must(!metrics_serve(&server, metrics, where, err));
	atexit(leave);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (!metrics)
		start();

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(fd >= 0);
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", where + 5);
	must(!connect(fd, (struct sockaddr *)&un, sizeof(un)));

	in = (struct bytes){ .p = data, .left = size };
	got_n = 0;
	turns = 0;
	timer_start(&turn, 0, step, NULL);
	(void)re_main(NULL);
	timer_cancel(&turn);
	close(fd);

	got[got_n] = '\0';
	if (got_n) {
		must(!memcmp(got, "HTTP/1.1 200 OK\r\n", 17));
		must(strstr(got, "\r\n\r\n# TYPE "));
		must(got_n > 6 && !strcmp(got + got_n - 6, "# EOF\n"));
	}

	return 0;
}
