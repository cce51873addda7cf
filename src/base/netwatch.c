/**
 * @file netwatch.c  The machine's addresses and ways change, or it was asleep
 *
 * Main thread.  Two descriptors in the poll: a netlink socket, and a timer on
 * the wall clock that is cancelled when that clock jumps.  It jumps after
 * sleep, and when somebody sets it: whether it was sleep is seen by how far
 * CLOCK_BOOTTIME has gone ahead of CLOCK_MONOTONIC, which stands still then.
 */
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <offhook/compat.h>
#include <offhook/netwatch.h>
#include <offhook/timer.h>

#define LOG_MODULE "base"
#include <offhook/log.h>


enum {
	SETTLE_MS  = 250,           /* quiet for so long ...                */
	SETTLE_MAX = 2000,          /* ... or told all the same             */
	ASLEEP_MS  = 2000,          /* less is no sleep                     */
	READS_MAX  = 32,
};

struct netwatch {
	int nl, clock;              /* -1: none                             */
	struct compat_fd nlw, clockw;
	bool nl_on, clock_on;       /* in the poll                          */
	uint64_t ahead_ms;          /* BOOTTIME before MONOTONIC            */
	bool fake;
	unsigned what;              /* to be told                           */
	uint64_t slept_ms;
	uint64_t since_ms;          /* of the first of them                 */
	struct timer tmr;
	netwatch_h *h;
	void *arg;
};


static uint64_t ms_of(clockid_t id)
{
	struct timespec ts = {0};

	(void)clock_gettime(id, &ts);

	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}


static uint64_t ahead(void)
{
	const uint64_t mono = ms_of(CLOCK_MONOTONIC);
	const uint64_t boot = ms_of(CLOCK_BOOTTIME);

	return boot > mono ? boot - mono : 0;
}


static void settled_h(void *arg)
{
	struct netwatch *n = arg;
	const unsigned what = n->what;
	const uint64_t slept_ms = n->slept_ms;

	n->what = 0;
	n->slept_ms = 0;

	if (what)
		n->h(what, slept_ms, n->arg);
}


static void note(struct netwatch *n, unsigned what)
{
	const uint64_t now = ms_of(CLOCK_MONOTONIC);
	uint64_t wait = SETTLE_MS;

	if (!n->what)
		n->since_ms = now;
	if (now - n->since_ms + wait > SETTLE_MAX)
		wait = now - n->since_ms < SETTLE_MAX ?
			SETTLE_MAX - (now - n->since_ms) : 0;

	n->what |= what;
	timer_start(&n->tmr, wait, settled_h, n);
}


/* Addresses and routes ------------------------------------------------------- */

static unsigned address_look(const struct nlmsghdr *m)
{
	const struct ifaddrmsg *ifa = NLMSG_DATA(m);

	if (m->nlmsg_len < NLMSG_LENGTH(sizeof(*ifa)))
		return 0;

	/* one that is not ready yet comes again */
	return ifa->ifa_flags & IFA_F_TENTATIVE ? 0 : NETWATCH_ADDRESSES;
}


static unsigned route_look(const struct nlmsghdr *m)
{
	const struct rtmsg *rt = NLMSG_DATA(m);

	if (m->nlmsg_len < NLMSG_LENGTH(sizeof(*rt)) ||
	    rt->rtm_flags & RTM_F_CLONED ||
	    rt->rtm_table == RT_TABLE_LOCAL)
		return 0;

	return NETWATCH_ROUTES;
}


static unsigned look(const void *buf, size_t len)
{
	const struct nlmsghdr *m = buf;
	unsigned what = 0;

	for (; NLMSG_OK(m, len); m = NLMSG_NEXT(m, len)) {

		switch (m->nlmsg_type) {

		case RTM_NEWADDR:
		case RTM_DELADDR:
			what |= address_look(m);
			break;

		case RTM_NEWROUTE:
		case RTM_DELROUTE:
			what |= route_look(m);
			break;
		}
	}

	return what;
}


static void netlink_h(int flags, void *arg)
{
	_Alignas(8) uint8_t buf[16384];
	struct netwatch *n = arg;
	unsigned what = 0, i;
	(void)flags;

	for (i = 0; i < READS_MAX; i++) {
		struct sockaddr_nl from = {0};
		socklen_t fromlen = sizeof(from);
		const ssize_t len = recvfrom(n->nl, buf, sizeof(buf), 0,
					     (struct sockaddr *)&from,
					     &fromlen);

		if (len < 0 && errno == ENOBUFS) {
			/* there was more than the kernel would keep */
			what |= NETWATCH_ADDRESSES | NETWATCH_ROUTES;
			continue;
		}
		if (len <= 0)
			break;

		/* the kernel's only */
		if (!from.nl_pid)
			what |= look(buf, (size_t)len);
	}

	if (what)
		note(n, what);
}


static int netlink_open(struct netwatch *n)
{
	const struct sockaddr_nl sa = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
	};
	int err;

	n->nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       NETLINK_ROUTE);
	if (n->nl < 0)
		return errno;
	if (bind(n->nl, (const struct sockaddr *)&sa, sizeof(sa)))
		return errno;

	err = compat_fd_listen(&n->nlw, n->nl, FD_READ, netlink_h, n);
	n->nl_on = !err;

	return err;
}


/* Sleep ---------------------------------------------------------------------- */

static void ahead_look(struct netwatch *n, uint64_t ms)
{
	const uint64_t before = n->ahead_ms;

	n->ahead_ms = ms;
	if (ms < before + ASLEEP_MS)
		return;

	n->slept_ms += ms - before;
	note(n, NETWATCH_RESUME);
}


/* Far away: all it is for is to be cancelled */
static int clock_arm(struct netwatch *n)
{
	const struct itimerspec its = {
		.it_value = {.tv_sec = (time_t)(ms_of(CLOCK_REALTIME) / 1000 +
						10ULL * 365 * 86400)},
	};

	return timerfd_settime(n->clock, TFD_TIMER_ABSTIME |
			       TFD_TIMER_CANCEL_ON_SET, &its, NULL) ?
		errno : 0;
}


static void clock_h(int flags, void *arg)
{
	struct netwatch *n = arg;
	uint64_t times;
	(void)flags;

	if (read(n->clock, &times, sizeof(times)) < 0 && errno == EAGAIN)
		return;

	(void)clock_arm(n);
	if (!n->fake)
		ahead_look(n, ahead());
}


static int clock_open(struct netwatch *n)
{
	int err;

	n->clock = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (n->clock < 0)
		return errno;

	err = clock_arm(n);
	if (!err)
		err = compat_fd_listen(&n->clockw, n->clock, FD_READ,
				       clock_h, n);
	n->clock_on = !err;

	return err;
}


void netwatch_fake_ahead(struct netwatch *n, uint64_t ahead_ms)
{
	if (!n->fake)
		n->ahead_ms = 0;
	n->fake = true;
	ahead_look(n, ahead_ms);
}


static void destructor(void *arg)
{
	struct netwatch *n = arg;

	timer_cancel(&n->tmr);
	if (n->nl_on)
		compat_fd_close(&n->nlw);
	if (n->clock_on)
		compat_fd_close(&n->clockw);
	if (n->nl >= 0)
		(void)close(n->nl);
	if (n->clock >= 0)
		(void)close(n->clock);
}


int netwatch_alloc(struct netwatch **np, netwatch_h *h, void *arg)
{
	struct netwatch *n;
	int err;

	if (!np || !h)
		return EINVAL;

	n = mem_zalloc(sizeof(*n), destructor);
	if (!n)
		return ENOMEM;

	n->nl = n->clock = -1;
	n->h = h;
	n->arg = arg;
	n->ahead_ms = ahead();

	err = netlink_open(n);
	if (err) {
		mem_deref(n);
		return err;
	}

	/* where there is no such timer sleep is not noticed */
	if (clock_open(n))
		log_info("sleep of the machine is not noticed");

	*np = n;

	return 0;
}
