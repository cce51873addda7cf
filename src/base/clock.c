/**
 * @file clock.c  Time
 *
 * Any thread.  The only state is the fake time of tests, one atomic word:
 * 0 means that the clock is real.  Never sleeps and never locks.
 */
#include <stdatomic.h>
#include <time.h>
#include <offhook/clock.h>


enum { MS_A_DAY = 86400000 };

/* 9999-12-31T23:59:59.999Z: a later time does not fit the format */
#define WALL_LAST 253402300799999ULL

static atomic_uint_least64_t fake_ns;


static uint64_t clock_read(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);

	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}


uint64_t clock_ns(void)
{
	const uint64_t ns = atomic_load_explicit(&fake_ns,
						 memory_order_relaxed);

	return ns ? ns : clock_read(CLOCK_MONOTONIC);
}


uint64_t clock_us(void)
{
	return clock_ns() / 1000;
}


uint64_t clock_ms(void)
{
	return clock_ns() / 1000000;
}


uint64_t clock_wall_ms(void)
{
	return clock_read(CLOCK_REALTIME) / 1000000;
}


uint64_t clock_wall_us(void)
{
	return clock_read(CLOCK_REALTIME) / 1000;
}


/*
 * Days since 1970 to year, month and day, with years that begin in March so
 * that the leap day is the last of its year.  By hand because gmtime_r reads
 * the time zone files under a lock.
 */
static void civil_from_days(unsigned days, unsigned *year, unsigned *month,
			    unsigned *day)
{
	const unsigned z = days + 719468;        /* since 0000-03-01 */
	const unsigned era = z / 146097;         /* of 400 years     */
	const unsigned doe = z % 146097;
	const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096)
		/ 365;
	const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	const unsigned mp = (5 * doy + 2) / 153; /* 0: March */

	*day = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = era * 400 + yoe + (*month <= 2);
}


static char *put_number(char *p, unsigned v, unsigned width)
{
	for (unsigned i = width; i > 0; i--) {
		p[i - 1] = (char)('0' + v % 10);
		v /= 10;
	}

	return p + width;
}


const char *clock_iso8601(char buf[CLOCK_ISO8601_SIZE], uint64_t wall_ms)
{
	unsigned year, month, day, ms;
	char *p = buf;

	if (wall_ms > WALL_LAST)
		wall_ms = WALL_LAST;

	civil_from_days((unsigned)(wall_ms / MS_A_DAY), &year, &month, &day);
	ms = (unsigned)(wall_ms % MS_A_DAY);

	p = put_number(p, year, 4);
	*p++ = '-';
	p = put_number(p, month, 2);
	*p++ = '-';
	p = put_number(p, day, 2);
	*p++ = 'T';
	p = put_number(p, ms / 3600000, 2);
	*p++ = ':';
	p = put_number(p, ms / 60000 % 60, 2);
	*p++ = ':';
	p = put_number(p, ms / 1000 % 60, 2);
	*p++ = '.';
	p = put_number(p, ms % 1000, 3);
	*p++ = 'Z';
	*p = '\0';

	return buf;
}


void clock_fake_start(uint64_t ns)
{
	atomic_store(&fake_ns, ns ? ns : 1);
}


void clock_fake_set(uint64_t ns)
{
	clock_fake_start(ns);
}


void clock_fake_stop(void)
{
	atomic_store(&fake_ns, 0);
}


uint64_t clock_fake_now(void)
{
	return atomic_load(&fake_ns);
}
