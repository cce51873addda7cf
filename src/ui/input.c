/**
 * @file input.c  Lines in, from a terminal, a pipe or a file
 *
 * A line is taken only when somebody asks for one, so a script's queue stays
 * short and a pipe's writer is held back.  epoll refuses plain files and
 * /dev/null: those are simply read.  The descriptor is watched only while a
 * line is wanted, or the loop would spin.  Main thread.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>
#include "offhook/text.h"
#include "priv.h"

enum { BUFFER = CLIENT_LINE_MAX + 2 };   /* a line, CR and LF */

struct input {
	int fd;
	bool file;               /* never blocks: read when asked            */
	bool watched;
	bool end;                /* nothing more to read                     */
	bool skip;               /* inside a line that was too long          */
	struct compat_fd watch;
	input_h *h;
	void *arg;
	unsigned number;
	size_t pos, len;
	char buf[BUFFER];
};


static void ready(int flags, void *arg);


static void watch(struct input *in, bool on)
{
	if (on == in->watched || in->file)
		return;

	if (!on) {
		compat_fd_close(&in->watch);
		in->watched = false;
	}
	else if (compat_fd_listen(&in->watch, in->fd, FD_READ, ready,
				  in) == 0) {
		in->watched = true;
	}
	else {
		in->file = true;
	}
}


static void ready(int flags, void *arg)
{
	struct input *in = arg;
	(void)flags;

	watch(in, false);
	in->h(in->arg);
}


static bool readable(const struct input *in)
{
	struct pollfd p = { .fd = in->fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}


/* More bytes into the buffer. @return 0, EAGAIN, or errno; sets in->end */
static int fill(struct input *in)
{
	ssize_t n;

	memmove(in->buf, in->buf + in->pos, in->len - in->pos);
	in->len -= in->pos;
	in->pos = 0;

	if (!in->file && !readable(in)) {
		watch(in, true);
		/* refused: it is a file after all */
		if (!in->file)
			return EAGAIN;
	}

	do {
		n = read(in->fd, in->buf + in->len, BUFFER - in->len);
	} while (n < 0 && errno == EINTR);

	if (n < 0 && errno == EAGAIN) {
		watch(in, true);
		return EAGAIN;
	}
	if (n < 0) {
		in->end = true;
		return errno;
	}
	if (n == 0)
		in->end = true;

	in->len += (size_t)n;

	return 0;
}


/* A line in the buffer? The last one may lack its newline */
static bool take(struct input *in, const char **line, size_t *len)
{
	const size_t left = in->len - in->pos;
	const char *p = in->buf + in->pos;
	const char *nl = left ? memchr(p, '\n', left) : NULL;

	if (!nl && (!in->end || !left))
		return false;

	*line = p;
	*len  = nl ? (size_t)(nl - p) : left;
	in->pos += *len + (nl ? 1 : 0);

	if (*len && p[*len - 1] == '\r')
		--*len;

	/* some editors mark the beginning of a file */
	if (!in->number) {
		const size_t n = text_bom(*line, *len);

		*line += n;
		*len  -= n;
	}

	return true;
}


int input_line(struct input *in, const char **line, size_t *len)
{
	for (;;) {

		int err;

		if (take(in, line, len)) {

			if (in->skip) {
				in->skip = false;
				continue;
			}

			++in->number;
			return *len > CLIENT_LINE_MAX ? E2BIG : 0;
		}

		if (in->end)
			return ENODATA;

		if (in->len - in->pos == BUFFER) {

			const bool first = !in->skip;

			in->skip = true;
			in->pos = in->len = 0;
			if (first) {
				++in->number;
				return E2BIG;
			}
		}

		err = fill(in);
		if (err)
			return err;
	}
}


unsigned input_number(const struct input *in)
{
	return in->number;
}


bool input_ready(struct input *in)
{
	const size_t left = in->len - in->pos;

	if (left && memchr(in->buf + in->pos, '\n', left))
		return true;

	return !in->end && (in->file || readable(in));
}


bool input_ended(const struct input *in)
{
	return in->end && in->pos == in->len;
}


static void destructor(void *arg)
{
	struct input *in = arg;

	watch(in, false);
	if (in->fd >= 0)
		close(in->fd);
}


int input_alloc(struct input **ip, int fd, input_h *h, void *arg)
{
	struct input *in = mem_zalloc(sizeof(*in), destructor);

	if (!in)
		return ENOMEM;

	in->fd = fd;
	in->h = h;
	in->arg = arg;
	*ip = in;

	return 0;
}
