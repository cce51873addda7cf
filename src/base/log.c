/**
 * @file log.c  Logging
 *
 * The main thread (the one the process began with) writes, a line with one
 * system call.  Every other thread formats into a record on its own stack and
 * copies it into a bounded ring of many writers and one reader: main drains
 * it.  A foreign thread never waits and never touches the file; when the ring
 * is full the line is counted and lost.  Main does not wait for the reader of
 * the log either (a pipe nobody empties, a stopped terminal): what he does
 * not take is counted and told later.  Not for the sound callback.
 *
 * A slot's turn says whose it is: lap * SLOTS when free for writing in that
 * lap, one more when it holds a record.  It is counted from the slot's own
 * index, so that zeroed memory is an empty ring.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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


enum {
	SLOTS = 256,         /* a power of two */
	MODULE_SIZE = 16,
	TEXT_SIZE = 480,
};

struct record {
	uint64_t time;              /* wall ms */
	enum log_level level;
	char module[MODULE_SIZE];
	char text[TEXT_SIZE];       /* escaped */
};

struct slot {
	atomic_size_t turn;
	struct record rec;
};

static struct {
	struct slot slots[SLOTS];
	atomic_size_t head;         /* next to be written           */
	size_t tail;                /* next to be read, main only   */
	atomic_uint lost;           /* lines that found it full     */
	atomic_bool pending;        /* main has been woken          */
} ring;

static atomic_int log_level = LOGL_WARN;

static void (*_Atomic wake_h)(void *arg);
static void *_Atomic wake_arg;

/* main only */
static int file_fd = -1;            /* -1: stderr */
static bool file_failed;            /* said once  */
static uint64_t refused;            /* lines its reader did not take */
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


static void fd_write(int fd, const char *p, size_t len)
{
	while (len) {
		const ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;

		if (n <= 0) {
			if (fd != STDERR_FILENO && !file_failed) {
				static const char msg[] =
					"offhook: cannot write the log file\n";

				file_failed = true;
				fd_write(STDERR_FILENO, msg, sizeof(msg) - 1);
			}
			return;
		}

		p += n;
		len -= (size_t)n;
	}
}


/* A pipe that is ready takes a line whole */
static bool reader_ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && p.revents & POLLOUT;
}


static void line_write(const char *line, size_t len)
{
	const int fd = log_fd();
	char told[96];
	int n;

	if (!reader_ready(fd)) {
		++refused;
		return;
	}

	if (refused) {
		n = snprintf(told, sizeof(told), "warn: log: %llu lines are "
			     "missing, they were not taken\n",
			     (unsigned long long)refused);
		refused = 0;
		fd_write(fd, told, (size_t)n);
	}

	fd_write(fd, line, len);
}


static void record_write(const struct record *rec)
{
	char line[TEXT_SIZE + 80], when[CLOCK_ISO8601_SIZE];
	int len;

	/* someone who only sees warnings on a terminal needs no times */
	if (file_fd < 0 && log_get_level() <= LOGL_WARN)
		len = snprintf(line, sizeof(line), "%s: %s: %s\n",
			       log_level_name(rec->level), rec->module,
			       rec->text);
	else
		len = snprintf(line, sizeof(line), "%s %-5s %s: %s\n",
			       clock_iso8601(when, rec->time),
			       log_level_name(rec->level), rec->module,
			       rec->text);

	if (len > 0 && (size_t)len < sizeof(line))
		line_write(line, (size_t)len);

	/* a handler that logs would hear itself for ever */
	if (handler && !in_handler) {
		in_handler = true;
		handler(rec->level, rec->module, rec->text, handler_arg);
		in_handler = false;
	}
}


static void __attribute__((format(printf, 4, 0)))
record_vformat(struct record *rec, enum log_level level, const char *module,
	       const char *fmt, va_list ap)
{
	char text[2 * TEXT_SIZE];

	(void)vsnprintf(text, sizeof(text), fmt, ap);

	rec->time = clock_wall_ms();
	rec->level = level;
	(void)text_escape(rec->module, sizeof(rec->module), module,
			  strlen(module));
	(void)text_escape(rec->text, sizeof(rec->text), text, strlen(text));
}


static void __attribute__((format(printf, 4, 5)))
record_format(struct record *rec, enum log_level level, const char *module,
	      const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record_vformat(rec, level, module, fmt, ap);
	va_end(ap);
}


static void ring_push(const struct record *rec)
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


static bool ring_pop(struct record *rec)
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
	struct record rec;
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
	struct record rec;
	va_list ap;

	if (level > log_get_level())
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


int log_open(const char *path)
{
	int fd = -1;

	if (path) {
		fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
			  O_NOCTTY, 0600);
		if (fd < 0)
			return errno;
	}

	log_close();
	file_fd = fd;
	file_failed = false;

	return 0;
}


void log_close(void)
{
	log_drain();

	if (file_fd >= 0)
		(void)close(file_fd);
	file_fd = -1;
}


int log_fd(void)
{
	return file_fd >= 0 ? file_fd : STDERR_FILENO;
}


void log_set_level(enum log_level level)
{
	atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}


enum log_level log_get_level(void)
{
	return (enum log_level)atomic_load_explicit(&log_level,
						    memory_order_relaxed);
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


const char *log_level_name(enum log_level level)
{
	switch (level) {

	case LOGL_ERROR: return "error";
	case LOGL_WARN:  return "warn";
	case LOGL_INFO:  return "info";
	case LOGL_DEBUG: return "debug";
	}

	return "?";
}
