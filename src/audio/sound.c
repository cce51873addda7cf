/**
 * @file sound.c  Files of sound, by libsndfile
 *
 * Main thread: it touches the disk.  Reading: the whole file at once, mono,
 * bounded, whatever its header claims.  Writing: WAV, FLAC or Opus by the end
 * of the name; a WAV whose header is right after every write, the others in
 * pieces that stand by themselves, so that a crash or a full disk keeps what
 * is there.
 */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sndfile.h>
#include <offhook/compat.h>
#include <offhook/text.h>
#include "priv.h"


enum {
	MINUTES_MAX = 30,
	SAMPLES_MAX = 64 * 1024 * 1024,
	RATE_MIN    = 1000,
	RATE_MAX    = 384000,
	CHANNELS_MAX = 64,
	CHUNK       = 8192,           /* values read at once              */
	FIRST       = 65536,          /* samples of room to begin with    */
	NAME        = 160,            /* of a path as shown in an error   */
	QUALITY     = 5,              /* of resampling                    */
};

/* a RIFF chunk counts in 32 bits */
#define BYTES_MAX 0xfffff000u

struct sound_file {
	SNDFILE *sf;
	int fd;
	char *path;
	unsigned channels;
	bool wav;                     /* counts in 32 bits               */
	uint64_t frames;              /* written */
	int err;                      /* first failure, then nothing more */
};


/* libsndfile closes what it was given when it fails, asked to or not: so it
 * gets a descriptor of its own */
static SNDFILE *sf_open_copy(int fd, int mode, SF_INFO *info)
{
	const int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	return own < 0 ? NULL : sf_open_fd(own, mode, info, SF_TRUE);
}


static const char *shown(char buf[NAME], const char *path)
{
	return text_escape(buf, NAME, path, strlen(path));
}


static int16_t from_float(float v)
{
	const float x = v * 32768.0f;

	if (!(x > -32768.0f))         /* and not-a-number */
		return x != x ? 0 : -32768;

	return x >= 32767.0f ? 32767 : (int16_t)lrintf(x);
}


static int open_file(int *fdp, const char *path, char *err, size_t errsz)
{
	char name[NAME];
	struct stat st;
	int fd, e = 0;

	/* a FIFO would keep us waiting for its writer */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st)) {
		e = errno;
		(void)snprintf(err, errsz, "cannot read %s: %s",
			       shown(name, path), strerror(e));
	}
	else if (!S_ISREG(st.st_mode)) {
		e = EINVAL;
		(void)snprintf(err, errsz, "cannot read %s: it is a %s, not "
			       "a file of sound", shown(name, path),
			       S_ISDIR(st.st_mode) ? "directory" : "device");
	}

	if (!e)
		*fdp = fd;
	else if (fd >= 0)
		(void)close(fd);

	return e;
}


static int grow(int16_t **vp, size_t room)
{
	int16_t *more = realloc(*vp, room * sizeof(*more));

	if (more)
		*vp = more;

	return more ? 0 : ENOMEM;
}


/* Append chunks until the end, averaging the channels. *sidep, when it is
 * wanted: what they differ by, NULL if they do not */
static int read_all(int16_t **vp, int16_t **sidep, size_t *np, SNDFILE *sf,
		    size_t channels, size_t claimed, size_t limit)
{
	float chunk[CHUNK];
	size_t room, n = 0;
	int16_t *v = NULL, *side = NULL;
	bool differ = false;
	int e;

	/* the header may lie: room grows with what is really there */
	room = claimed < FIRST ? claimed + 1 : FIRST;
	e = grow(&v, room);
	if (!e && sidep && channels == 2)
		e = grow(&side, room);

	while (!e) {
		const sf_count_t got = sf_readf_float(sf, chunk,
					(sf_count_t)(CHUNK / channels));

		if (got <= 0)
			break;
		if (n + (size_t)got > limit) {
			e = EFBIG;
			break;
		}
		if (n + (size_t)got > room) {
			while (n + (size_t)got > room)
				room *= 2;
			e = grow(&v, room);
			if (!e && side)
				e = grow(&side, room);
			if (e)
				break;
		}

		for (size_t i = 0; i < (size_t)got; i++) {
			float sum = 0.0f;

			for (size_t k = 0; k < channels; k++)
				sum += chunk[i * channels + k];
			if (side) {
				side[n] = from_float((chunk[i * 2] -
						      chunk[i * 2 + 1]) / 2);
				differ = differ || side[n];
			}
			v[n++] = from_float(sum / (float)channels);
		}
	}

	if (e || !differ) {
		free(side);
		side = NULL;
	}
	if (e) {
		free(v);
		return e;
	}

	*vp = v;
	*np = n;
	if (sidep)
		*sidep = side;

	return 0;
}


int sound_read_two(int16_t **vp, int16_t **sidep, size_t *np,
		   uint32_t *rate_hz, const char *path, char *err,
		   size_t errsz)
{
	SF_INFO info = {0};
	SNDFILE *sf = NULL;
	char name[NAME];
	size_t limit;
	int fd, e;

	e = open_file(&fd, path, err, errsz);
	if (e)
		return e;

	sf = sf_open_copy(fd, SFM_READ, &info);
	if (!sf && sf_error(NULL) == SF_ERR_SYSTEM) {
		(void)snprintf(err, errsz, "cannot read %s: %s",
			       shown(name, path), sf_strerror(NULL));
		e = EIO;
		goto out;
	}
	if (!sf || info.channels < 1 || info.channels > CHANNELS_MAX ||
	    info.samplerate < RATE_MIN || info.samplerate > RATE_MAX) {
		(void)snprintf(err, errsz, "%s is not a sound file offhook "
			       "can read (WAV, FLAC, Ogg, AIFF, AU)",
			       shown(name, path));
		e = EINVAL;
		goto out;
	}

	limit = (size_t)info.samplerate * 60 * MINUTES_MAX;
	if (limit > SAMPLES_MAX)
		limit = SAMPLES_MAX;

	/* not known: what is there is read until it ends */
	if (info.frames < 0 || info.frames == SF_COUNT_MAX)
		info.frames = 0;
	if ((uint64_t)info.frames > limit)
		e = EFBIG;
	else
		e = read_all(vp, sidep, np, sf, (size_t)info.channels,
			     (size_t)info.frames, limit);
	if (e == EFBIG)
		(void)snprintf(err, errsz, "%s is too long: at most %zu "
			       "minutes can be played",
			       shown(name, path),
			       limit / 60 / (size_t)info.samplerate);
	else if (e)
		(void)snprintf(err, errsz, "%s: %s", shown(name, path),
			       strerror(e));
	else
		*rate_hz = (uint32_t)info.samplerate;

 out:
	if (sf)
		(void)sf_close(sf);
	(void)close(fd);

	return e;
}


int sound_read(int16_t **vp, size_t *np, uint32_t *rate_hz,
	       const char *path, char *err, size_t errsz)
{
	return sound_read_two(vp, NULL, np, rate_hz, path, err, errsz);
}


/* all of it at once, without the delay of the filter */
static int resample_all(int16_t **vp, size_t *np, uint32_t from, uint32_t to)
{
	static const int16_t zeros[256];
	const uint64_t want = ((uint64_t)*np * to + from - 1) / from;
	struct resampler *r = NULL;
	size_t delay, done = 0, used = 0, made = 0;
	int16_t *v = NULL;
	int e;

	if (want > SAMPLES_MAX)
		return EFBIG;

	e = resampler_alloc(&r, from, to, QUALITY);
	if (e)
		return e;

	delay = resampler_delay(r);
	v = malloc(((size_t)want + delay + 1) * sizeof(*v));
	if (!v) {
		e = ENOMEM;
		goto out;
	}

	while (made < want + delay) {
		const bool tail = used >= *np;
		size_t in = tail ? sizeof(zeros) / sizeof(zeros[0])
				 : *np - used;
		size_t out = (size_t)want + delay - made;

		e = resampler_run(r, tail ? zeros : *vp + used, &in,
				  v + made, &out);
		if (e)
			goto out;
		if (!tail)
			used += in;
		made += out;

		/* cannot be, but must not turn for ever */
		if (!in && !out && ++done > 2)
			break;
	}

	memmove(v, v + delay, (made - delay) * sizeof(*v));
	free(*vp);
	*vp = v;
	*np = made - delay;
	v = NULL;

 out:
	free(v);
	mem_deref(r);

	return e;
}


int sound_read_at(int16_t **vp, size_t *np, uint32_t rate_hz,
		  const char *path, char *err, size_t errsz)
{
	char name[NAME];
	int16_t *v = NULL;
	uint32_t rate;
	size_t n;
	int e;

	e = sound_read(&v, &n, &rate, path, err, errsz);
	if (e)
		return e;

	if (rate != rate_hz && n) {
		e = resample_all(&v, &n, rate, rate_hz);
		if (e) {
			free(v);
			(void)snprintf(err, errsz, "%s %s at %u Hz",
				       shown(name, path), e == EFBIG
				       ? "is too long to be played"
				       : "cannot be played",
				       (unsigned)rate_hz);
			return e;
		}
	}

	*vp = v;
	*np = n;

	return 0;
}


/* A file that took no sample is of no use to anybody; a pipe or a device is
 * not ours to remove */
static void discard(const struct sound_file *f)
{
	struct stat ours, there;

	if (f->path && !fstat(f->fd, &ours) && S_ISREG(ours.st_mode) &&
	    !lstat(f->path, &there) && ours.st_dev == there.st_dev &&
	    ours.st_ino == there.st_ino)
		(void)unlink(f->path);
}


static void destructor(void *data)
{
	struct sound_file *f = data;

	if (f->sf)
		(void)sf_close(f->sf);
	if (f->fd >= 0) {
		if (f->err && !f->frames)
			discard(f);
		(void)close(f->fd);
	}
	mem_deref(f->path);
}


/* What is written, by the end of the name; else it is a WAV */
static const struct form {
	const char *ext;
	int format;
	bool wav;
} forms[] = {
	{ ".wav",  SF_FORMAT_WAV | SF_FORMAT_PCM_16, true },
	{ ".flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, false },
	{ ".opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, false },
	{ ".ogg",  SF_FORMAT_OGG | SF_FORMAT_OPUS, false },
};


/* A WAV that is called so would be played by nobody */
static const char *const others[] = {
	".mp3", ".m4a", ".mp4", ".aac", ".wma", ".amr", ".webm", ".aif",
	".aiff", ".au", ".caf", ".gsm", ".raw", ".pcm", ".g722",
};


static const char *form_of_others(const char *path)
{
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(others) / sizeof(*others); i++) {
		if (!strcasecmp(dot, others[i]))
			return others[i];
	}

	return NULL;
}


static const struct form *form_of(const char *path)
{
	const size_t n = strlen(path);

	for (size_t i = 1; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const size_t k = strlen(forms[i].ext);

		if (n > k && !strcasecmp(path + n - k, forms[i].ext))
			return &forms[i];
	}

	return &forms[0];
}


int sound_open_write(struct sound_file **fp, const char *path,
		     uint32_t rate_hz, unsigned channels,
		     char *err, size_t errsz)
{
	const struct form *form;
	SF_INFO info = {0};
	const char *why = NULL;
	struct sound_file *f;
	char name[NAME];
	int e = 0;

	if (!fp || !path || rate_hz < RATE_MIN || rate_hz > RATE_MAX ||
	    channels < 1 || channels > 2) {
		(void)snprintf(err, errsz, "a WAV has 1 or 2 channels and "
			       "%d to %d samples a second", RATE_MIN,
			       RATE_MAX);
		return EINVAL;
	}

	if (form_of_others(path)) {
		(void)snprintf(err, errsz, "cannot write %s: what is written "
			       "is .wav, .flac, .opus or .ogg, not %s",
			       shown(name, path), form_of_others(path));
		return EINVAL;
	}

	f = mem_zalloc(sizeof(*f), destructor);
	if (!f)
		return ENOMEM;

	form = form_of(path);
	f->channels = channels;
	f->wav = form->wav;
	(void)str_dup(&f->path, path);
	f->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC |
		     O_NONBLOCK | O_NOCTTY, 0666);
	if (f->fd < 0) {
		e = errno;
		goto out;
	}

	info.samplerate = (int)rate_hz;
	info.channels   = (int)channels;
	info.format     = form->format;

	errno = 0;
	f->sf = sf_open_copy(f->fd, SFM_WRITE, &info);
	if (!f->sf) {
		e = errno ? errno : EIO;
		why = errno ? NULL : sf_strerror(NULL);
		goto out;
	}

	(void)sf_command(f->sf, SFC_SET_UPDATE_HEADER_AUTO, NULL, SF_TRUE);

 out:
	if (e) {
		(void)snprintf(err, errsz, "cannot write %s: %s",
			       shown(name, path), why ? why : strerror(e));
		f->err = e;
		mem_deref(f);
	}
	else {
		*fp = f;
	}

	return e;
}


/* Its name, or the folder it was in, was taken away: who looks for it will
 * not find it, so nobody must think that it goes on */
static bool gone(const struct sound_file *f)
{
	struct stat st;

	return !fstat(f->fd, &st) && S_ISREG(st.st_mode) && !st.st_nlink;
}


int sound_write(struct sound_file *f, const int16_t *v, size_t frames)
{
	sf_count_t put;

	if (f->err)
		return f->err;
	if (!frames)
		return 0;

	if (f->wav && (f->frames + frames) * f->channels * sizeof(*v) >
	    BYTES_MAX) {
		f->err = EFBIG;
		return f->err;
	}

	errno = 0;
	put = sf_writef_short(f->sf, v, (sf_count_t)frames);
	if (put > 0)
		f->frames += (uint64_t)put;
	if (put < (sf_count_t)frames || sf_error(f->sf))
		f->err = errno ? errno : EIO;
	if (!f->err && gone(f))
		f->err = ENOENT;

	return f->err;
}


uint64_t sound_frames(const struct sound_file *f)
{
	return f->frames;
}
