/**
 * @file rt.c  Was something called that must not be in a sound callback?
 *
 * The linker sends the calls here (--wrap); each is noted when this thread
 * is in a callback and then done all the same, so that the test can go on
 * and say what it was.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <sys/types.h>
#include "rt.h"


static __thread bool inside;
static __thread const char *culprit;
static __thread unsigned wakes;


void rt_enter(void)
{
	inside  = true;
	culprit = NULL;
	wakes   = 0;
}


const char *rt_leave(void)
{
	inside = false;

	return culprit;
}


unsigned rt_wakes(void)
{
	return wakes;
}


static void note(const char *name)
{
	if (inside && !culprit)
		culprit = name;
}


#define WRAP(type, name, params, args)					\
	type __real_##name params;					\
	type __wrap_##name params;					\
	type __wrap_##name params					\
	{								\
		note(#name);						\
		return __real_##name args;				\
	}

WRAP(void *, malloc, (size_t n), (n))
WRAP(void *, calloc, (size_t n, size_t k), (n, k))
WRAP(void *, realloc, (void *p, size_t n), (p, n))
WRAP(int, posix_memalign, (void **p, size_t a, size_t n), (p, a, n))
WRAP(void *, mem_alloc, (size_t n, void (*h)(void *)), (n, h))
WRAP(void *, mem_zalloc, (size_t n, void (*h)(void *)), (n, h))
WRAP(void *, mem_deref, (void *p), (p))
WRAP(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n))
WRAP(int, close, (int fd), (fd))
WRAP(int, pthread_mutex_lock, (pthread_mutex_t *m), (m))
WRAP(int, pthread_cond_wait, (pthread_cond_t *c, pthread_mutex_t *m), (c, m))
WRAP(int, nanosleep, (const struct timespec *a, struct timespec *b), (a, b))
WRAP(int, clock_gettime, (clockid_t c, struct timespec *t), (c, t))


void __real_free(void *p);
void __wrap_free(void *p);
void __wrap_free(void *p)
{
	note("free");
	__real_free(p);
}


ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n)
{
	if (inside && n == sizeof(uint64_t) && !wakes)
		wakes++;
	else
		note("write");

	return __real_write(fd, p, n);
}


void __wrap_log_write(int level, const char *module, const char *fmt, ...);
void __wrap_log_write(int level, const char *module, const char *fmt, ...)
{
	(void)level;
	(void)module;
	(void)fmt;
	note("log_write");
}


int __wrap_ioctl(int fd, unsigned long req, ...);
int __real_ioctl(int fd, unsigned long req, ...);
int __wrap_ioctl(int fd, unsigned long req, ...)
{
	va_list ap;
	void *arg;

	note("ioctl");
	va_start(ap, req);
	arg = va_arg(ap, void *);
	va_end(ap);

	return __real_ioctl(fd, req, arg);
}
