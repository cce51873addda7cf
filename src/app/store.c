/**
 * @file store.c  A bounded file of JSON lines that grows at its end
 *
 * The file is the truth: what we append ourselves is read back like what
 * others did, so two phones that share it see the same.  It is read when
 * somebody asks and not before.  Main thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "offhook/clock.h"
#include "offhook/compat.h"
#include "offhook/path.h"
#include "offhook/text.h"
#include "offhook/timer.h"
#include "store.h"

#define LOG_MODULE "store"
#include "offhook/log.h"

enum {
	FILE_MAX_BYTES = 32 << 20,       /* that we read                     */
	TRIM_BYTES     = 16 << 20,       /* then it is shortened             */
	KEPT_MAX       = 256,            /* lines that are not written yet   */
	GATHER_MS      = 100,            /* between two writings at most     */
	PIECE          = 65536,          /* of one writing                   */
};

struct store {
	char *path, *lock;               /* NULL: in memory only             */
	size_t max;
	store_reset_h *reset_h;
	store_line_h *line_h;
	void *arg;

	dev_t dev;                       /* the file as it was read          */
	ino_t ino;
	size_t pos;                      /* what was told of it              */
	size_t lines;
	char *kept[KEPT_MAX];            /* not written, and not yet told    */
	size_t keptc;
	struct timer tmr;
	uint64_t wrote_ms;               /* the last time                    */
	bool warned;
};


static void complain(struct store *s, int err)
{
	if (s->warned)
		return;

	s->warned = true;
	log_warn("%s cannot be written: %s", s->path, strerror(err));
}


/* Both kinds of lock are asked for, never waited for. @return fd, -1 */
static int lock_take(const struct store *s, int how)
{
	const int fd = open(s->lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
			    0600);

	if (fd >= 0 && flock(fd, how | LOCK_NB)) {
		close(fd);
		return -1;
	}

	return fd;
}


static void lock_give(int fd)
{
	if (fd >= 0)
		close(fd);
}


/* Reading ------------------------------------------------------------------ */

static void lines_tell(struct store *s, const char *text, size_t len)
{
	const char *p = text, *end = text + len, *nl;

	while ((nl = memchr(p, '\n', (size_t)(end - p)))) {

		const size_t n = (size_t)(nl - p);

		if (n && n <= STORE_LINE_MAX) {
			++s->lines;
			s->line_h(p, n, s->arg);
		}
		p = nl + 1;
	}

	s->pos += (size_t)(p - text);
}


static int read_from(char **textp, size_t *lenp, int fd, size_t from,
		     size_t size)
{
	const size_t want = size - from;
	size_t len = 0;
	char *text = malloc(want + 1);

	if (!text)
		return ENOMEM;

	while (len < want) {
		const ssize_t n = pread(fd, text + len, want - len,
					(off_t)(from + len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			const int err = errno;

			free(text);
			return err;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}

	*textp = text;
	*lenp = len;

	return 0;
}


static void restart(struct store *s)
{
	s->pos = s->lines = 0;
	s->reset_h(s->arg);
}


static void file_tell(struct store *s)
{
	const int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK |
			    O_NOCTTY);
	char *text = NULL;
	struct stat st;
	size_t len = 0, size;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		if (fd < 0 && errno == ENOENT && s->pos)
			restart(s);
		goto out;
	}

	size = (size_t)st.st_size;
	if (st.st_dev != s->dev || st.st_ino != s->ino || size < s->pos) {
		s->dev = st.st_dev;
		s->ino = st.st_ino;
		restart(s);
		/* an older part of a file that is far too long is let go */
		if (size > FILE_MAX_BYTES)
			s->pos = size - FILE_MAX_BYTES;
	}

	if (size > s->pos && !read_from(&text, &len, fd, s->pos, size))
		lines_tell(s, text, len);

 out:
	free(text);
	if (fd >= 0)
		close(fd);
}


/* The first ones are no longer ours to keep */
static void kept_drop(struct store *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(s->kept[i]);

	s->keptc -= n;
	memmove(s->kept, s->kept + n, s->keptc * sizeof(s->kept[0]));
}


static void kept_tell(struct store *s)
{
	for (size_t i = 0; i < s->keptc; i++)
		s->line_h(s->kept[i], strlen(s->kept[i]), s->arg);

	kept_drop(s, s->keptc);
}


/* The last lines of a text that count */
static const char *tail(const char *text, size_t len, size_t lines,
			size_t bytes)
{
	const char *p = text + len;

	while (p > text) {
		const char *nl = memrchr(text, '\n', (size_t)(p - text - 1));
		const char *start = nl ? nl + 1 : text;

		if (!lines-- || (size_t)(text + len - start) > bytes)
			break;
		p = start;
	}

	return p;
}


/* Shorten the file: a new one takes its place, whole or not at all */
static void trim(struct store *s)
{
	const int lock = lock_take(s, LOCK_EX);
	const char *from;
	char *text = NULL;
	size_t len;
	int err;

	/* somebody writes just now: the next time */
	if (lock < 0)
		return;

	err = path_read(&text, &len, s->path, 4 * (size_t)FILE_MAX_BYTES);
	if (!err) {
		from = tail(text, len, s->max, TRIM_BYTES / 2);
		err = path_write(s->path, from, (size_t)(text + len - from),
				 0600);
		log_debug("%s: shortened from %zu to %zu bytes", s->path, len,
			  (size_t)(text + len - from));
	}
	if (err && err != ENOENT)
		complain(s, err);

	free(text);
	lock_give(lock);
}


/* Writing ------------------------------------------------------------------ */

/* Does the file end within a line that a crash cut off? */
static bool torn(int fd, off_t size)
{
	char c;

	return size > 0 && pread(fd, &c, 1, size - 1) == 1 && c != '\n';
}


/* As many lines as fit into one writing. @return how many */
static size_t piece_make(struct text_buf *b, const struct store *s, bool torn)
{
	size_t i;

	if (torn)
		text_add(b, "\n");
	for (i = 0; i < s->keptc && b->len < PIECE; i++)
		text_add(b, "%s\n", s->kept[i]);

	return i;
}


static size_t lines_count(const char *p, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += p[i] == '\n';

	return n;
}


/* In one piece, so that lines of two phones do not mix. A writing that was
 * cut off has written the lines before the cut. */
static int append(struct store *s, bool *large)
{
	struct text_buf b = { .max = PIECE + STORE_LINE_MAX + 2 };
	struct stat st;
	bool cut = false;
	size_t lines;
	ssize_t n;
	int fd, err = 0;

	fd = open(s->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC |
		  O_NONBLOCK | O_NOCTTY, 0600);
	if (fd < 0)
		return errno;

	if (fstat(fd, &st))
		err = errno;
	else if (!S_ISREG(st.st_mode))
		err = EINVAL;
	if (err)
		goto out;

	cut = torn(fd, st.st_size);
	lines = piece_make(&b, s, cut);
	if (b.err) {
		err = b.err;
		goto out;
	}

	n = write(fd, b.s, b.len);
	if (n != (ssize_t)b.len) {
		err = n < 0 ? errno : ENOSPC;
		lines = n > 0 ? lines_count(b.s, (size_t)n) : 0;
		lines -= lines && cut;
	}
	kept_drop(s, lines);
	*large = st.st_size > TRIM_BYTES;

 out:
	text_buf_reset(&b);
	close(fd);

	return err;
}


static int dir_make(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[1024];

	if (!slash || slash == path)
		return 0;

	if (text_copy(dir, sizeof(dir), path, (size_t)(slash - path)))
		return ENAMETOOLONG;

	return path_mkdirs(dir);
}


/* What waits to be written. @return errno of what could not be */
static int kept_write(struct store *s)
{
	bool large = false;
	int lock, err = 0;

	if (!s->keptc)
		return 0;

	lock = lock_take(s, LOCK_SH);
	if (lock < 0 && errno == ENOENT && !dir_make(s->path))
		lock = lock_take(s, LOCK_SH);

	/* whoever holds it is shortening the file: a line would be lost */
	if (lock < 0)
		err = errno;

	while (s->keptc && !err)
		err = append(s, &large);
	lock_give(lock);

	if (!err && large)
		trim(s);

	return err;
}


static void write_now(struct store *s)
{
	int err;

	timer_cancel(&s->tmr);
	if (!s->keptc)
		return;

	err = kept_write(s);
	s->wrote_ms = clock_ms();
	if (!err)
		s->warned = false;
	else if (err != EWOULDBLOCK)
		complain(s, err);
}


static void gather_handler(void *arg)
{
	write_now(arg);
}


/* At once, but lines that come close together are written together: opening
 * a file and locking it costs more than a line */
static void write_soon(struct store *s)
{
	const uint64_t gone = clock_ms() - s->wrote_ms;

	if (!s->wrote_ms || gone >= GATHER_MS)
		write_now(s);
	else if (!timer_running(&s->tmr))
		timer_start(&s->tmr, GATHER_MS - gone, gather_handler, s);
}


void store_add(struct store *s, const char *line)
{
	char *copy;

	if (!s || !line || strlen(line) > STORE_LINE_MAX ||
	    strchr(line, '\n'))
		return;

	if (s->keptc == KEPT_MAX && s->path)
		write_now(s);
	if (s->keptc == KEPT_MAX)
		kept_tell(s);

	copy = strdup(line);
	if (!copy)
		return;

	s->kept[s->keptc++] = copy;
	if (s->path)
		write_soon(s);
}


void store_refresh(struct store *s)
{
	if (!s)
		return;

	if (s->path) {
		write_now(s);
		file_tell(s);
		if (s->lines > s->max + s->max / 4 + 16) {
			trim(s);
			file_tell(s);
		}
	}

	kept_tell(s);
}


int store_clear(struct store *s)
{
	int err = 0;

	if (!s)
		return EINVAL;

	timer_cancel(&s->tmr);
	kept_drop(s, s->keptc);

	if (s->path && unlink(s->path) && errno != ENOENT)
		err = errno;
	if (!err)
		restart(s);

	return err;
}


static void destructor(void *arg)
{
	struct store *s = arg;

	if (timer_running(&s->tmr))
		write_now(s);
	kept_drop(s, s->keptc);
	mem_deref(s->path);
	mem_deref(s->lock);
}


int store_alloc(struct store **sp, const char *path, size_t max,
		store_reset_h *reset_h, store_line_h *line_h, void *arg)
{
	struct store *s;
	int err = 0;

	if (!sp || !reset_h || !line_h)
		return EINVAL;

	s = mem_zalloc(sizeof(*s), destructor);
	if (!s)
		return ENOMEM;

	s->max = max;
	s->reset_h = reset_h;
	s->line_h = line_h;
	s->arg = arg;

	if (path) {
		err = str_dup(&s->path, path);
		if (!err)
			err = re_sdprintf(&s->lock, "%s.lock", path);
	}
	if (err) {
		mem_deref(s);
		return err;
	}

	*sp = s;

	return 0;
}
