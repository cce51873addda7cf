/**
 * @file notify.c  What a service manager wants to know
 *
 * The protocol of sd_notify: datagrams to the socket that the environment
 * names.  While the loop turns, the watchdog is fed; a phone that hangs is
 * not.  Main thread; never blocks.
 */
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "offhook/log.h"
#include "offhook/text.h"
#include "main.h"

#define LOG_MODULE "notify"


static void say(const struct app *a, const char *text)
{
	if (a->notify_fd >= 0)
		(void)send(a->notify_fd, text, strlen(text),
			   MSG_DONTWAIT | MSG_NOSIGNAL);
}


static void feed(void *arg)
{
	struct app *a = arg;

	say(a, "WATCHDOG=1");
	timer_start(&a->feed, a->feed_ms, feed, a);
}


/* Is the watchdog for us? */
static uint64_t watchdog_ms(void)
{
	const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t n;

	if (pid && (text_i64(&n, pid, 1, INT32_MAX) || n != getpid()))
		return 0;
	if (!us || text_i64(&n, us, 1000, INT64_MAX / 2))
		return 0;

	return (uint64_t)n / 2000;
}


void notify_start(struct app *a)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	const size_t n = path ? strlen(path) : 0;

	a->notify_fd = -1;

	if (!n || n >= sizeof(un.sun_path) || !strchr("/@", *path))
		return;

	memcpy(un.sun_path, path, n);
	if (*path == '@')
		un.sun_path[0] = '\0';

	a->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (a->notify_fd >= 0 &&
	    connect(a->notify_fd, (struct sockaddr *)&un,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n))) {
		log_info("the service manager cannot be told: %s",
			 strerror(errno));
		close(a->notify_fd);
		a->notify_fd = -1;
	}

	/* what we start is not the service */
	unsetenv("NOTIFY_SOCKET");

	say(a, "READY=1\nSTATUS=Listening");
	a->feed_ms = watchdog_ms();
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	if (a->notify_fd >= 0 && a->feed_ms)
		feed(a);
}


void notify_stopping(struct app *a)
{
	say(a, "STOPPING=1");
}


void notify_stop(struct app *a)
{
	timer_cancel(&a->feed);
	if (a->notify_fd >= 0)
		close(a->notify_fd);
	a->notify_fd = -1;
}
