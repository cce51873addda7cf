/**
 * @file urgent.c  Threads that must run soon when they are woken
 *
 * Any thread.  Real-time priority is not asked for: a thread that goes wrong
 * there (a sound server that died makes some libraries spin) would stop the
 * machine, and most systems refuse it without a daemon's help.
 */
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/types.h>
#include <sys/syscall.h>
#endif
#include <offhook/urgent.h>


enum {
	NICE     = -11,          /* what desktops give to sound servers      */
	SLICE_NS = 500000,       /* a cycle takes less                       */
};


#if defined(__linux__) && defined(SYS_sched_setattr)

/* As the kernel has it (sched_setattr(2)); the C library need not know it */
struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};


static int set(int nice)
{
	const struct attr a = {
		.size = sizeof(a), .nice = nice, .runtime = SLICE_NS
	};

	/* 0: this thread */
	return (int)syscall(SYS_sched_setattr, 0, &a, 0);
}


static int now(void)
{
	return getpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid));
}

#else

static int set(int nice)
{
	(void)nice;

	return -1;
}


static int now(void)
{
	return 0;
}

#endif


enum urgent urgent_thread(void)
{
	const int nice = now();

	/* who was started with a better one keeps it */
	if (nice > NICE && !set(NICE))
		return URGENT_NICE;

	return set(nice) ? URGENT_NO : URGENT_SLICE;
}
