/**
 * @file timer.c  Timers of one loop thread
 *
 * Each thread that calls timers_open has a heap of its own, so nothing here
 * is shared and nothing is locked; a timer never leaves its thread.  The heap
 * is a pairing heap threaded through the timers themselves: starting one
 * allocates nothing and cannot fail.  Timers due at the same time fire in the
 * order they were started.
 *
 * The timerfd is set again only when the earliest due time moves forward.  A
 * cancelled timer leaves it as it is: at worst the loop wakes once for
 * nothing, and timers that are restarted over and over cost no system call.
 */
#include <assert.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <offhook/compat.h>
#include <offhook/clock.h>
#include <offhook/timer.h>


struct timers {
	struct timer *root;      /* the earliest, NULL: none runs           */
	uint64_t seq;            /* of the last timer started               */
	uint64_t armed_ns;       /* when the timerfd fires, 0: it does not  */
	uint64_t firing_ns;      /* time of the dispatch under way, or 0    */
	unsigned count;          /* running                                 */
	int fd;                  /* timerfd, -1 with a fake clock           */
	bool open;
	struct compat_fd watch;
};

static _Thread_local struct timers self;


static bool timer_before(const struct timer *a, const struct timer *b)
{
	if (a->due_ns != b->due_ns)
		return a->due_ns < b->due_ns;

	return a->seq < b->seq;
}


/* Join two heaps; both roots are without siblings. @return the new root */
static struct timer *heap_meld(struct timer *a, struct timer *b)
{
	if (!a)
		return b;
	if (!b)
		return a;

	if (timer_before(b, a)) {
		struct timer *t = a;

		a = b;
		b = t;
	}

	b->next = a->child;
	if (b->next)
		b->next->prev = b;
	b->prev = a;
	a->child = b;

	return a;
}


/*
 * Join a list of siblings into one heap: in pairs from the left, then the
 * pairs from the right, which is what bounds the cost.  No recursion: a list
 * may be as long as there are timers.
 */
static struct timer *heap_meld_list(struct timer *first)
{
	struct timer *pairs = NULL, *root = NULL;

	while (first) {
		struct timer *a = first, *b = a->next;

		first = b ? b->next : NULL;

		a->next = a->prev = NULL;
		if (b)
			b->next = b->prev = NULL;

		a = heap_meld(a, b);
		a->next = pairs;
		pairs = a;
	}

	while (pairs) {
		struct timer *a = pairs;

		pairs = a->next;
		a->next = NULL;
		root = heap_meld(a, root);
	}

	return root;
}


static void heap_remove(struct timer *t)
{
	struct timer *rest = heap_meld_list(t->child);

	if (t == self.root) {
		self.root = rest;
	}
	else {
		if (t->prev->child == t)
			t->prev->child = t->next;
		else
			t->prev->next = t->next;
		if (t->next)
			t->next->prev = t->prev;

		self.root = heap_meld(self.root, rest);
	}

	t->child = t->next = t->prev = NULL;
	t->owner = NULL;
	--self.count;
}


static void timerfd_arm(uint64_t due_ns)
{
	const struct itimerspec its = {
		.it_value = {
			.tv_sec  = (time_t)(due_ns / 1000000000ULL),
			.tv_nsec = (long)(due_ns % 1000000000ULL),
		},
	};

	self.armed_ns = due_ns;

	if (self.fd >= 0)
		(void)timerfd_settime(self.fd, TFD_TIMER_ABSTIME, &its, NULL);
}


static void timerfd_h(int flags, void *arg)
{
	const uint64_t last = self.seq;
	(void)flags;
	(void)arg;

	self.firing_ns = clock_ns();

	/*
	 * What a handler starts now fires on the next turn of the loop, so
	 * that a timer which restarts itself cannot keep sockets waiting.
	 */
	while (self.root && self.root->due_ns <= self.firing_ns &&
	       self.root->seq <= last) {

		struct timer *t = self.root;

		heap_remove(t);
		t->h(t->arg);

		/* a handler may have closed the timers of its thread */
		if (!self.open)
			return;
	}

	self.firing_ns = 0;

	/* setting it, even to never, also makes it unreadable again */
	timerfd_arm(self.root ? self.root->due_ns : 0);
}


int timers_open(void)
{
	int err;

	if (self.open)
		return EALREADY;

	memset(&self, 0, sizeof(self));
	self.fd = -1;

	if (!clock_fake_now()) {
		self.fd = timerfd_create(CLOCK_MONOTONIC,
					 TFD_NONBLOCK | TFD_CLOEXEC);
		if (self.fd < 0)
			return errno;

		err = compat_fd_listen(&self.watch, self.fd, FD_READ,
				       timerfd_h, NULL);
		if (err) {
			(void)close(self.fd);
			self.fd = -1;
			return err;
		}
	}

	self.open = true;

	return 0;
}


void timers_close(void)
{
	if (!self.open)
		return;

	while (self.root)
		heap_remove(self.root);

	if (self.fd >= 0) {
		compat_fd_close(&self.watch);
		(void)close(self.fd);
	}

	memset(&self, 0, sizeof(self));
}


void timer_start_ns(struct timer *t, uint64_t due_ns, timer_h *h, void *arg)
{
	assert(self.open && h);

	timer_cancel(t);

	/*
	 * During a dispatch a time that has passed counts as the time of the
	 * dispatch: it queues up behind what was due already.  Zero would
	 * mean never to the timerfd.
	 */
	if (due_ns < self.firing_ns)
		due_ns = self.firing_ns;
	if (!due_ns)
		due_ns = 1;

	t->due_ns = due_ns;
	t->seq = ++self.seq;
	t->h = h;
	t->arg = arg;
	t->owner = &self;

	self.root = heap_meld(self.root, t);
	++self.count;

	if (self.root == t && !self.firing_ns &&
	    (!self.armed_ns || due_ns < self.armed_ns))
		timerfd_arm(due_ns);
}


void timer_start(struct timer *t, uint64_t delay_ms, timer_h *h, void *arg)
{
	const uint64_t now = clock_ns();
	uint64_t due = UINT64_MAX;

	if (delay_ms < (UINT64_MAX - now) / 1000000)
		due = now + delay_ms * 1000000;

	timer_start_ns(t, due, h, arg);
}


void timer_cancel(struct timer *t)
{
	if (!t || !t->owner)
		return;

	assert(t->owner == &self);
	heap_remove(t);
}


bool timer_running(const struct timer *t)
{
	return t && t->owner;
}


uint64_t timer_left_ms(const struct timer *t)
{
	uint64_t now;

	if (!timer_running(t))
		return 0;

	now = clock_ns();

	return t->due_ns > now ? (t->due_ns - now + 999999) / 1000000 : 0;
}


void timers_advance(uint64_t ms)
{
	const uint64_t end = clock_fake_now() + ms * 1000000;

	assert(clock_fake_now() && self.open);

	while (self.root && self.root->due_ns <= end) {
		struct timer *t = self.root;

		if (t->due_ns > clock_fake_now())
			clock_fake_set(t->due_ns);

		heap_remove(t);
		t->h(t->arg);

		if (!self.open)
			return;
	}

	clock_fake_set(end);
}


unsigned timers_count(void)
{
	return self.count;
}
