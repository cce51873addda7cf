/**
 * @file fault.c  Make the n-th call of a function fail
 *
 * A function defined here comes before the one of a shared library, for that
 * library too, since it calls its own through the linkage table.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "offhook/compat.h"
#include "offhook/media.h"
#include "fault.h"

static const char *_Atomic wanted;
static atomic_uint left;
static atomic_bool ours_only, reached;
static __thread bool exempt;

extern const char __executable_start, etext;


void fault_set(const char *name, unsigned n, enum fault_from from)
{
	ours_only = from == FAULT_OURS;
	reached = false;
	left = n;
	wanted = name;
}


bool fault_clear(void)
{
	wanted = NULL;

	return reached;
}


void fault_exempt(bool on)
{
	exempt = on;
}


static bool due(const char *name, const void *caller)
{
	const char *want = wanted;

	if (exempt || !want || strcmp(want, name) ||
	    (ours_only && ((uintptr_t)caller < (uintptr_t)&__executable_start ||
			   (uintptr_t)caller > (uintptr_t)&etext)))
		return false;

	/* it alone: later ones find zero and count past it */
	if (atomic_fetch_sub(&left, 1) != 1)
		return false;

	reached = true;

	return true;
}


#define DUE(name) due(name, __builtin_return_address(0))

/* One of a shared library: ours is found first */
#define BEFORE(type, name, params, args, failed)			\
	type name params						\
	{								\
		static type (*_Atomic real) params;			\
									\
		if (!real)						\
			*(void **)&real = dlsym(RTLD_NEXT, #name);	\
									\
		return DUE(#name) ? (failed) : real args;		\
	}

/* One that the linker leads here */
#define WRAP(type, name, params, args, failed)				\
	type __real_##name params;					\
	type __wrap_##name params;					\
	type __wrap_##name params					\
	{								\
		return DUE(#name) ? (failed) : __real_##name args;	\
	}


BEFORE(void *, mem_alloc, (size_t size, mem_destroy_h *dh), (size, dh), NULL)
BEFORE(void *, mem_zalloc, (size_t size, mem_destroy_h *dh), (size, dh), NULL)
BEFORE(void *, mem_realloc, (void *data, size_t size), (data, size), NULL)
BEFORE(int, mbuf_resize, (struct mbuf *mb, size_t size), (mb, size), ENOMEM)
BEFORE(int, socket, (int domain, int type, int protocol),
       (domain, type, protocol), (errno = EMFILE, -1))

WRAP(void *, malloc, (size_t n), (n), NULL)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), NULL)
WRAP(void *, realloc, (void *p, size_t n), (p, n), NULL)
WRAP(char *, strdup, (const char *s), (s), NULL)
WRAP(int, stream_open, (struct stream **sp, struct media *m,
			const struct stream_conf *conf, stream_event_h *h,
			void *arg), (sp, m, conf, h, arg), ENOMEM)
