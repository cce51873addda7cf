/**
 * @file log.c  Logging
 *
 * The main thread (the one the process began with) writes.  Every other
 * thread formats into a record on its own stack and copies it into a bounded
 * ring of many writers and one reader: main drains it.  A foreign thread never
 * waits and never touches the file; when the ring is full the line is counted
 * and lost.  Not for the sound callback.
 *
 * A slot's turn says whose it is: lap * SLOTS when free for writing in that
 * lap, one more when it holds a record.  It is counted from the slot's own
 * index, so that zeroed memory is an empty ring.
 */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <offhook/clock.h>
#include <offhook/log.h>
#include <offhook/text.h>
#include "log_priv.h"


enum {
	SLOTS = 256,         /* a power of two */
};

struct slot {
	atomic_size_t turn;
	struct log_record rec;
};

static struct {
	struct slot slots[SLOTS];
	atomic_size_t head;         /* next to be written           */
	size_t tail;                /* next to be read, main only   */
	atomic_uint lost;           /* lines that found it full     */
	atomic_bool pending;        /* main has been woken          */
} ring;

static void (*_Atomic wake_h)(void *arg);
static void *_Atomic wake_arg;

/* main only */
static bool in_handler;
static log_h *handler;
static void *handler_arg;


static bool thread_is_main(void)
{
	static _Thread_local enum { UNKNOWN, MAIN, OTHER } which;

	if (which == UNKNOWN)
		which = gettid() == getpid() ? MAIN : OTHER;

	return which == MAIN;
}


/* A handler that logs would hear itself for ever */
static void tell(enum log_level level, const char *module, const char *text)
{
	if (!handler || in_handler)
		return;

	in_handler = true;
	handler(level, module, text, handler_arg);
	in_handler = false;
}


static void record_write(const struct log_record *rec)
{
	const char *trouble;

	log_sink_write(rec);
	tell(rec->level, rec->module, rec->text);

	/* once, to whoever may see it elsewhere */
	trouble = log_sink_trouble();
	if (trouble)
		tell(LOGL_ERROR, "log", trouble);
}


static void __attribute__((format(printf, 4, 0)))
record_vformat(struct log_record *rec, enum log_level level,
	       const char *module, const char *fmt, va_list ap)
{
	char text[2 * LOG_TEXT_SIZE];

	(void)vsnprintf(text, sizeof(text), fmt, ap);

	rec->time = clock_wall_ms();
	rec->level = level;
	(void)text_escape(rec->module, sizeof(rec->module), module,
			  strlen(module));
	(void)text_escape(rec->text, sizeof(rec->text), text, strlen(text));
}


static void __attribute__((format(printf, 4, 5)))
record_format(struct log_record *rec, enum log_level level,
	      const char *module, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record_vformat(rec, level, module, fmt, ap);
	va_end(ap);
}


static void ring_push(const struct log_record *rec)
{
	size_t head = atomic_load_explicit(&ring.head, memory_order_relaxed);
	struct slot *slot;

	for (;;) {
		size_t turn, mine;

		slot = &ring.slots[head % SLOTS];
		mine = head - head % SLOTS;
		turn = atomic_load_explicit(&slot->turn,
					    memory_order_acquire);

		if (turn == mine) {
			if (atomic_compare_exchange_weak_explicit(
				    &ring.head, &head, head + 1,
				    memory_order_relaxed,
				    memory_order_relaxed))
				break;
		}
		else if ((ptrdiff_t)(turn - mine) < 0) {
			/* not read since the last lap */
			atomic_fetch_add(&ring.lost, 1);
			return;
		}
		else {
			head = atomic_load_explicit(&ring.head,
						    memory_order_relaxed);
		}
	}

	slot->rec = *rec;
	atomic_store_explicit(&slot->turn, head - head % SLOTS + 1,
			      memory_order_release);
}


static bool ring_pop(struct log_record *rec)
{
	struct slot *slot = &ring.slots[ring.tail % SLOTS];
	const size_t lap = ring.tail - ring.tail % SLOTS;

	if (atomic_load_explicit(&slot->turn, memory_order_acquire) != lap + 1)
		return false;

	*rec = slot->rec;
	atomic_store_explicit(&slot->turn, lap + SLOTS, memory_order_release);
	++ring.tail;

	return true;
}


void log_drain(void)
{
	struct log_record rec;
	unsigned lost;

	/*
	 * Cleared before reading: who publishes after our last look finds it
	 * clear and wakes us again.
	 */
	if (!atomic_exchange(&ring.pending, false))
		return;

	/* at most one lap, or busy writers could hold main here */
	for (unsigned i = 0; i < SLOTS; i++) {
		if (!ring_pop(&rec))
			break;
		record_write(&rec);
	}

	lost = atomic_exchange(&ring.lost, 0);
	if (lost) {
		record_format(&rec, LOGL_WARN, "log",
			      "%u lines of other threads were lost, they came"
			      " faster than they could be written", lost);
		record_write(&rec);
	}
}


void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
	void (*wake)(void *arg);
	struct log_record rec;
	va_list ap;

	if (!log_wanted(module, level))
		return;

	va_start(ap, fmt);
	record_vformat(&rec, level, module, fmt, ap);
	va_end(ap);

	if (thread_is_main()) {
		log_drain();         /* what came before stands before */
		record_write(&rec);
		return;
	}

	ring_push(&rec);

	if (atomic_exchange(&ring.pending, true))
		return;

	wake = atomic_load(&wake_h);
	if (wake)
		wake(atomic_load(&wake_arg));
}


void log_note(const char *module, const char *fmt, ...)
{
	struct log_record rec;
	va_list ap;

	va_start(ap, fmt);
	record_vformat(&rec, LOGL_INFO, module, fmt, ap);
	va_end(ap);

	log_drain();
	log_sink_write(&rec);
}


void log_set_handler(log_h *h, void *arg)
{
	handler = h;
	handler_arg = arg;
}


void log_set_wake(void (*wake)(void *arg), void *arg)
{
	atomic_store(&wake_h, NULL);
	atomic_store(&wake_arg, arg);
	atomic_store(&wake_h, wake);
}
