/**
 * @file random.c  Numbers that nobody can guess
 *
 * A call needs a dozen, a few bytes each, and asking for each costs more than
 * the bytes.  So each thread takes as much at a time as the system gives
 * without being interrupted; what has been handed out is wiped.  No process
 * goes on with a copy of it: whoever forks here becomes another program.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <offhook/compat.h>
#include <offhook/random.h>


enum {
	POOL = 256,          /* getrandom(2): so many come whole         */
	END_S = 2,
};

static _Thread_local struct {
	uint8_t v[POOL];
	size_t left;
} pool;


static void system_fill(uint8_t *p, size_t n)
{
	while (n) {
		const ssize_t got = getrandom(p, n < POOL ? n : POOL, 0);

		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
		else if (errno != EINTR) {
			/* a jail without that call: OpenSSL has other ways */
			rand_bytes(p, n);
			return;
		}
	}
}


void random_fill(void *p, size_t n)
{
	uint8_t *from;

	if (n > POOL / 2) {
		system_fill(p, n);
		return;
	}

	if (pool.left < n) {
		system_fill(pool.v, POOL);
		pool.left = POOL;
	}

	from = pool.v + POOL - pool.left;
	memcpy(p, from, n);
	explicit_bzero(from, n);
	pool.left -= n;
}


/*
 * libre takes a number for each message that it reads, and asks OpenSSL, which
 * takes longer for it than for the rest of the header.  A program's own
 * function comes before a library's of that name.
 */
uint64_t rand_u64(void)
{
	return random_u64();
}


uint16_t random_u16(void)
{
	uint16_t v;

	random_fill(&v, sizeof(v));

	return v;
}


uint32_t random_u32(void)
{
	uint32_t v;

	random_fill(&v, sizeof(v));

	return v;
}


uint64_t random_u64(void)
{
	uint64_t v;

	random_fill(&v, sizeof(v));

	return v;
}


static pthread_t beginner;
static bool begun;


static void *begin_h(void *arg)
{
	uint8_t v;

	rand_bytes(&v, sizeof(v));

	return arg;
}


void random_begin(void)
{
	if (!begun)
		begun = !pthread_create(&beginner, NULL, begin_h, NULL);
}


void random_end(void)
{
	struct timespec ts;

	if (!begun)
		return;

	begun = false;
	(void)clock_gettime(CLOCK_REALTIME, &ts);
	ts.tv_sec += END_S;

	/* a machine that has no chance yet: it ends when it has some */
	if (pthread_timedjoin_np(beginner, NULL, &ts))
		(void)pthread_detach(beginner);
}
