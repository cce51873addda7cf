/**
 * @file pipe.c  Raw samples from and to other programs
 *
 * Signed 16 bit, little endian, mono, at the rate of the option.  FIFOs and
 * character devices, opened without waiting; who is not there yet or has
 * gone is silence, who comes later is heard.  Main opens (it looks at the
 * file system); the media thread reads and writes what never blocks.  Regular
 * files can block and are refused: that is what the file driver is for.
 *
 * SIGPIPE must be ignored by the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <offhook/log.h>
#include <offhook/text.h>
#include "priv.h"

#define LOG_MODULE "audio"


enum {
	CUSHION_MS = 20,         /* gathered before a stream begins         */
	PATIENCE   = 5,          /* blocks to wait for the cushion          */
	QUEUE_MS   = 250,        /* most that waits for a slow reader       */
	CHUNK      = 1024,       /* samples at once; below PIPE_BUF         */
};

/* one direction */
struct end {
	char path[512];          /* "": none                                */
	atomic_int fd;           /* main opens, media uses; -1: not yet     */
	uint8_t odd;             /* half a sample                           */
	bool has_odd;
};

struct audio_dev {
	struct end in, out;
	uint32_t rate_hz;
	bool flowing;            /* IN has begun                            */
	unsigned waited;         /* blocks, with something there            */
};


/* @return e */
static int refuse(const char *shown, int e, char *err, size_t errsz)
{
	if (e == EINVAL)
		(void)snprintf(err, errsz, "%s is not a pipe: make one with "
			       "mkfifo, or use file:IN.wav,OUT.wav", shown);
	else
		(void)snprintf(err, errsz, "cannot open the pipe %s: %s",
			       shown, strerror(e));

	return e;
}


/* Opening it here would make the other side think we are there */
static int check_end(const char *path, bool in, char *err, size_t errsz)
{
	char shown[128];
	struct stat st;
	int e = 0;

	if (!path[0])
		return 0;

	if (stat(path, &st) || access(path, in ? R_OK : W_OK))
		e = errno;
	else if (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
		e = EINVAL;

	return e ? refuse(text_escape(shown, sizeof(shown), path,
				      strlen(path)), e, err, errsz) : 0;
}


static int pipe_check(const struct audio_spec *as, char *err, size_t errsz)
{
	const int e = check_end(as->in, true, err, errsz);

	return e ? e : check_end(as->out, false, err, errsz);
}


/*
 * @return 0, also when there is nobody yet, or what can never be right
 */
static int try_open(struct end *end, bool in, uint32_t rate_hz)
{
	struct stat st;
	int fd;

	if (!end->path[0] || atomic_load(&end->fd) >= 0)
		return 0;

	/* not there yet, or a FIFO nobody reads: later */
	fd = open(end->path, (in ? O_RDONLY : O_WRONLY) | O_NONBLOCK |
		  O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return errno == ENOENT || errno == ENXIO ? 0 : errno;

	if (fstat(fd, &st) || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		(void)close(fd);
		return EINVAL;
	}

#ifdef F_SETPIPE_SZ
	/* what lies in the pipe is delay; the kernel rounds up to a page */
	if (!in)
		(void)fcntl(fd, F_SETPIPE_SZ,
			    (int)(rate_hz / 1000 * QUEUE_MS * 2));
#endif

	/* nothing of the end but fd is shared between the threads */
	atomic_store(&end->fd, fd);

	return 0;
}


static int end_open(struct end *end, const char *path, bool in,
		    uint32_t rate_hz, char *err, size_t errsz)
{
	char shown[128];
	int e;

	atomic_init(&end->fd, -1);
	e = text_copy(end->path, sizeof(end->path), path, strlen(path));
	if (!e)
		e = try_open(end, in, rate_hz);

	text_escape(shown, sizeof(shown), path, strlen(path));
	if (e)
		return refuse(shown, e, err, errsz);

	if (end->path[0] && atomic_load(&end->fd) < 0)
		log_info("%s: nobody there yet, %s", shown,
			 in ? "silence until then" : "nothing is written "
			 "until then");

	return 0;
}


static void end_close(struct end *end)
{
	const int fd = atomic_load(&end->fd);

	if (fd >= 0)
		(void)close(fd);
}


static void name(char dst[AUDIO_NAME], const char *path)
{
	const char *p = path[0] ? path : "null";

	text_escape(dst, AUDIO_NAME, p, strlen(p));
}


static int pipe_open(struct audio_dev **devp, struct audio_info *info,
		     const struct audio_param *prm, char *err, size_t errsz)
{
	const uint32_t rate = prm->pipe_rate_hz;
	struct audio_dev *dev;
	int e;

	if ((!prm->in[0] && !prm->out[0]) || rate < 8000 || rate > 48000) {
		(void)snprintf(err, errsz, "pipe wants pipe:IN,OUT and a "
			       "rate from 8000 to 48000 Hz");
		return EINVAL;
	}

	dev = calloc(1, sizeof(*dev));
	if (!dev) {
		(void)snprintf(err, errsz, "no memory for the pipes");
		return ENOMEM;
	}

	dev->rate_hz = rate;
	atomic_init(&dev->out.fd, -1);

	e = end_open(&dev->in, prm->in, true, rate, err, errsz);
	if (!e)
		e = end_open(&dev->out, prm->out, false, rate, err, errsz);
	if (e) {
		end_close(&dev->in);
		end_close(&dev->out);
		free(dev);
		return e;
	}

	memset(info, 0, sizeof(*info));
	info->rate_hz = rate;
	info->has_in  = prm->in[0];
	info->has_out = prm->out[0];
	name(info->in_name, prm->in);
	name(info->out_name, prm->out);

	*devp = dev;

	return 0;
}


static size_t available(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) || n < 0 ? 0 : (size_t)n / 2;
}


/* at most n samples that are there now */
static size_t take(struct end *end, int fd, int16_t *v, size_t n)
{
	uint8_t b[2 * CHUNK];
	size_t made = 0;

	while (made < n) {
		const size_t want = n - made < CHUNK ? n - made : CHUNK;
		const size_t had = end->has_odd;
		ssize_t got;
		size_t k;

		b[0] = end->odd;
		got = read(fd, b + had, 2 * want - had);
		if (got <= 0)            /* nobody, nothing or an error */
			break;

		k = (had + (size_t)got) / 2;
		for (size_t i = 0; i < k; i++)
			v[made + i] = (int16_t)(uint16_t)(b[2 * i] |
						b[2 * i + 1] << 8);
		made += k;

		end->has_odd = (had + (size_t)got) % 2;
		if (end->has_odd)
			end->odd = b[2 * k];
		if (k < want)
			break;
	}

	return made;
}


static size_t pipe_read(struct audio_dev *dev, int16_t *v, size_t n)
{
	const int fd = atomic_load(&dev->in.fd);
	size_t got = 0;

	if (fd < 0)
		goto out;

	/* A writer in real time is never quite steady: let it get a little
	 * ahead. One that has ended with less than that is not kept waiting
	 * for ever. */
	if (!dev->flowing) {
		const size_t there = available(fd);

		if (there && dev->waited++ >= PATIENCE)
			dev->flowing = true;
		if (there >= n + dev->rate_hz / 1000 * CUSHION_MS)
			dev->flowing = true;
	}

	/* a device that cannot tell how much it has is asked */
	if (dev->flowing || !available(fd)) {
		got = take(&dev->in, fd, v, n);
		dev->flowing = got == n;
		dev->waited  = 0;
	}

 out:
	memset(v + got, 0, (n - got) * sizeof(*v));

	return n;
}


static size_t pipe_write(struct audio_dev *dev, const int16_t *v, size_t n)
{
	const int fd = atomic_load(&dev->out.fd);
	struct end *end = &dev->out;
	uint8_t b[2 * CHUNK + 1];

	/* what a slow reader has no room for is dropped */
	for (size_t done = 0; fd >= 0 && done < n; done += CHUNK) {
		const size_t k = n - done < CHUNK ? n - done : CHUNK;
		const size_t had = end->has_odd, len = had + 2 * k;
		ssize_t put;

		b[0] = end->odd;
		for (size_t i = 0; i < k; i++) {
			const uint16_t u = (uint16_t)v[done + i];

			b[had + 2 * i]     = (uint8_t)u;
			b[had + 2 * i + 1] = (uint8_t)(u >> 8);
		}

		put = write(fd, b, len);
		if (put <= 0)
			break;

		/* never leave the reader in the middle of a sample */
		end->has_odd = (put - (ssize_t)had) % 2 != 0;
		if (end->has_odd)
			end->odd = b[put];
	}

	return n;
}


static size_t pipe_in_fill(const struct audio_dev *dev)
{
	const int fd = atomic_load(&dev->in.fd);

	return fd < 0 ? 0 : available(fd);
}


static size_t pipe_out_fill(const struct audio_dev *dev)
{
	(void)dev;

	return 0;
}


static bool pipe_alive(const struct audio_dev *dev)
{
	(void)dev;

	return true;
}


/* who was not there may have come */
static int pipe_service(struct audio_dev *dev, char *err, size_t errsz)
{
	(void)err;
	(void)errsz;

	(void)try_open(&dev->in, true, dev->rate_hz);
	(void)try_open(&dev->out, false, dev->rate_hz);

	return 0;
}


static void pipe_close(struct audio_dev *dev)
{
	end_close(&dev->in);
	end_close(&dev->out);
	free(dev);
}


const struct audio_driver audio_pipe = {
	.name = "pipe",
	.summary = "raw 16-bit samples from and to FIFOs",
	.check = pipe_check, .open = pipe_open, .read = pipe_read, .write = pipe_write,
	.in_fill = pipe_in_fill, .out_fill = pipe_out_fill,
	.alive = pipe_alive, .service = pipe_service, .close = pipe_close,
};
