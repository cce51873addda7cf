/**
 * @file log_sink.c  Where the lines of the log go
 *
 * stderr, a file that is turned over when it is large, the system's log, or
 * the journal with fields.  Nothing here waits: what its reader does not take,
 * or no disk holds, is counted and told when it goes on.  Main thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include <offhook/clock.h>
#include <offhook/path.h>
#include <offhook/text.h>
#include "log_priv.h"

enum {
	/* each byte of the text at worst a backslash and itself */
	LINE_SIZE = 2 * LOG_TEXT_SIZE + 256,
	PATH_SIZE = 512,
	KEEP_MAX = 100,
};

enum sink { STDERR, FILE_, SYSLOG, JOURNAL };

static struct {
	enum sink sink;
	int fd;                  /* -1: stderr, or no connection             */
	char path[PATH_SIZE];    /* of the file, or of the socket            */
	enum log_format format;
	uint64_t max;            /* bytes of a file, 0: any number           */
	unsigned keep;           /* older ones                               */
	bool torn;               /* the last line was written in part        */
	bool failing;            /* told once, until it goes on              */
	bool stuck;              /* it cannot be turned over; told once      */
	uint64_t refused;        /* lines that were not taken                */
	uint64_t missing;        /* since the start, of those told           */
	char trouble[160];       /* to be told, "" nothing                   */
} out = { .fd = -1, .max = 10 << 20, .keep = 3 };

static log_row_h *row_h;
static void *row_arg;


static void trouble(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));

static void trouble(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(out.trouble, sizeof(out.trouble), fmt, ap);
	va_end(ap);
}


/* A pipe that is ready takes a line whole */
static bool reader_ready(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, 0) == 1 && p.revents & POLLOUT;
}


const char *log_sink_trouble(void)
{
	static char told[sizeof(out.trouble)];

	if (!out.trouble[0])
		return NULL;

	memcpy(told, out.trouble, sizeof(told));
	out.trouble[0] = '\0';
	if (out.sink != STDERR && reader_ready(STDERR_FILENO))
		dprintf(STDERR_FILENO, "offhook: %s\n", told);

	return told;
}


/* Forms -------------------------------------------------------------------- */

/* What stands between quotes in JSON; the text has no controls */
static void json_text(char *dst, size_t sz, const char *src)
{
	size_t n = 0;

	for (; *src && n + 3 < sz; src++) {
		if (*src == '"' || *src == '\\')
			dst[n++] = '\\';
		dst[n++] = *src;
	}
	dst[n] = '\0';
}


static int form_json(char *buf, size_t sz, const struct log_record *rec)
{
	char when[CLOCK_ISO8601_SIZE], text[2 * LOG_TEXT_SIZE];
	char module[2 * LOG_MODULE_SIZE];

	json_text(text, sizeof(text), rec->text);
	json_text(module, sizeof(module), rec->module);

	return snprintf(buf, sz, "{\"time\":\"%s\",\"level\":\"%s\","
			"\"module\":\"%s\",\"text\":\"%s\"}\n",
			clock_iso8601(when, rec->time),
			log_level_name(rec->level), module, text);
}


static int form_text(char *buf, size_t sz, const struct log_record *rec)
{
	char when[CLOCK_ISO8601_SIZE];

	/* someone who only sees warnings on a terminal needs no times */
	if (out.sink == STDERR && log_get_level() <= LOGL_WARN)
		return snprintf(buf, sz, "%s: %s: %s\n",
				log_level_name(rec->level), rec->module,
				rec->text);

	return snprintf(buf, sz, "%s %-5s %s: %s\n",
			clock_iso8601(when, rec->time),
			log_level_name(rec->level), rec->module, rec->text);
}


static int priority(enum log_level level)
{
	switch (level) {

	case LOGL_ERROR: return LOG_ERR;
	case LOGL_WARN:  return LOG_WARNING;
	case LOGL_INFO:  return LOG_INFO;
	case LOGL_DEBUG: return LOG_DEBUG;
	}

	return LOG_INFO;
}


/* As the C library writes it to /dev/log (RFC 3164) */
static int form_syslog(char *buf, size_t sz, const struct log_record *rec)
{
	static const char months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
	};
	const time_t t = (time_t)(rec->time / 1000);
	struct tm tm;

	if (!localtime_r(&t, &tm))
		memset(&tm, 0, sizeof(tm));

	return snprintf(buf, sz, "<%d>%s %2d %02d:%02d:%02d offhook[%d]: "
			"%s: %s", LOG_USER | priority(rec->level),
			months[tm.tm_mon % 12], tm.tm_mday, tm.tm_hour,
			tm.tm_min, tm.tm_sec, (int)getpid(), rec->module,
			rec->text);
}


/* The journal's own protocol: a field a line, in one datagram */
static int form_journal(char *buf, size_t sz, const struct log_record *rec)
{
	char call[32] = "";
	unsigned id;

	if (sscanf(rec->text, "call %u", &id) == 1)
		snprintf(call, sizeof(call), "OFFHOOK_CALL=%u\n", id);

	return snprintf(buf, sz, "MESSAGE=%s: %s\nPRIORITY=%d\n"
			"SYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=offhook\n"
			"SYSLOG_PID=%d\nOFFHOOK_MODULE=%s\n%s", rec->module,
			rec->text, priority(rec->level), LOG_USER >> 3,
			(int)getpid(), rec->module, call);
}


static int form(char *buf, size_t sz, const struct log_record *rec)
{
	const int n = out.sink == JOURNAL ? form_journal(buf, sz, rec) :
		out.sink == SYSLOG ? form_syslog(buf, sz, rec) :
		out.format == LOG_AS_JSON ? form_json(buf, sz, rec) :
		form_text(buf, sz, rec);

	return n < 0 ? 0 : (size_t)n < sz ? n : (int)sz - 1;
}


/* Sockets ------------------------------------------------------------------ */

static int socket_open(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const size_t n = strlen(out.path);
	int fd, err = 0;

	if (n >= sizeof(un.sun_path))
		return ENAMETOOLONG;
	memcpy(un.sun_path, out.path, n + 1);

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;

	if (connect(fd, (struct sockaddr *)&un, sizeof(un))) {
		err = errno;
		(void)close(fd);
		return err;
	}

	out.fd = fd;

	return 0;
}


static int socket_write(const char *p, size_t len)
{
	/* whoever listens there may have been started anew */
	for (int i = 0; i < 2; i++) {

		if (out.fd < 0) {
			const int err = socket_open();

			if (err)
				return err;
		}

		if (send(out.fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return 0;
		if (errno == EAGAIN || errno == EMSGSIZE || errno == EINTR)
			return errno;

		(void)close(out.fd);
		out.fd = -1;
	}

	return ECONNREFUSED;
}


/* Files -------------------------------------------------------------------- */

static int file_open(const char *path)
{
	return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC |
		    O_NOCTTY, 0600);
}


/* Stray output goes where the log goes: also after that has moved */
static void stray_move(const struct stat *old, int fd)
{
	for (int i = STDOUT_FILENO; i <= STDERR_FILENO; i++) {

		struct stat st;

		if (!fstat(i, &st) && st.st_dev == old->st_dev &&
		    st.st_ino == old->st_ino)
			(void)dup2(fd, i);
	}
}


static int file_reopen(void)
{
	struct stat old;
	const int fd = file_open(out.path);

	if (fd < 0)
		return errno;

	if (!fstat(out.fd, &old))
		stray_move(&old, fd);
	(void)close(out.fd);
	out.fd = fd;
	out.torn = false;

	return 0;
}


static int file_turn(void)
{
	int err;

	if (!out.keep)
		return ftruncate(out.fd, 0) ? errno : 0;

	err = path_turn(out.path, out.keep);

	return err ? err : file_reopen();
}


static void file_limit(size_t len)
{
	struct stat st, named;
	int err;

	if (!out.max || out.stuck || fstat(out.fd, &st) ||
	    !S_ISREG(st.st_mode) || !st.st_size ||
	    (uint64_t)st.st_size + len <= out.max)
		return;

	/* another phone has done it, or somebody's logrotate */
	if (!stat(out.path, &named) && (named.st_ino != st.st_ino ||
					named.st_dev != st.st_dev))
		err = file_reopen();
	else
		err = file_turn();
	if (!err)
		return;

	out.stuck = true;
	trouble("%.100s grows on, it cannot be renamed: %s", out.path,
		strerror(err));
}


static int fd_write(int fd, const char *p, size_t len)
{
	while (len) {
		const ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : EIO;

		p += n;
		len -= (size_t)n;
		out.torn = len > 0;
	}

	return 0;
}


void log_set_row(log_row_h *h, void *arg)
{
	row_h = h;
	row_arg = arg;
}


/* Who takes it away may have to say something, too */
void log_row(bool before)
{
	static bool inside;

	if (!row_h || inside || out.sink != STDERR)
		return;

	inside = true;
	row_h(before, row_arg);
	inside = false;
}


static int file_write(const char *p, size_t len)
{
	int err = 0, fd;

	if (out.sink == FILE_)
		file_limit(len);

	/* it may be another one now */
	fd = log_fd();
	if (!reader_ready(fd))
		return EAGAIN;

	log_row(true);
	/* what a full disk has cut off is a line of its own */
	if (out.torn)
		err = fd_write(fd, "\n", 1);
	if (!err)
		err = fd_write(fd, p, len);
	log_row(false);

	return err;
}


/* Lines -------------------------------------------------------------------- */

static int line_write(const struct log_record *rec)
{
	char line[LINE_SIZE];
	const int n = form(line, sizeof(line), rec);

	if (out.sink == SYSLOG || out.sink == JOURNAL)
		return socket_write(line, (size_t)n);

	/* one that was too long ends all the same */
	if (n > 0 && line[n - 1] != '\n')
		line[n - 1] = '\n';

	return file_write(line, (size_t)n);
}


/* That it goes on, and what is not there */
static bool missing_tell(uint64_t time)
{
	struct log_record rec = {
		.time = time, .level = LOGL_WARN, .module = "log",
	};

	snprintf(rec.text, sizeof(rec.text), "%llu lines are missing, they "
		 "were not taken", (unsigned long long)out.refused);
	if (line_write(&rec))
		return false;

	out.missing += out.refused;
	out.refused = 0;

	return true;
}


void log_sink_write(const struct log_record *rec)
{
	int err;

	err = out.refused && !missing_tell(rec->time) ? EAGAIN :
		line_write(rec);
	if (!err) {
		out.failing = false;
		return;
	}

	++out.refused;

	/* a reader who is slow is told when he reads; a disk that is full, or
	   a log that is gone, concerns whoever sees the phone */
	if (err == EAGAIN || err == EINTR || out.failing ||
	    out.sink == STDERR)
		return;

	out.failing = true;
	trouble("cannot write the log %.80s: %s", out.path, strerror(err));
}


/* Outside ------------------------------------------------------------------ */

/* "journal" or "journal:PATH". @return the path, NULL: not that word */
static const char *word(const char *where, const char *name,
			const char *usual)
{
	const size_t n = strlen(name);

	if (strncmp(where, name, n) || (where[n] && where[n] != ':'))
		return NULL;

	return where[n] && where[n + 1] ? where + n + 1 : usual;
}


int log_open(const char *where)
{
	enum sink sink = STDERR;
	const char *path = "";
	int fd = -1;

	if (where && strcmp(where, "stderr")) {

		const char *sys = word(where, "syslog", "/dev/log");
		const char *jnl = word(where, "journal",
				       "/run/systemd/journal/socket");

		sink = sys ? SYSLOG : jnl ? JOURNAL : FILE_;
		path = sys ? sys : jnl ? jnl : where;
		if (strlen(path) >= sizeof(out.path))
			return ENAMETOOLONG;
	}

	if (sink == FILE_) {
		fd = file_open(path);
		if (fd < 0)
			return errno;
	}
	else if (sink != STDERR && access(path, W_OK)) {
		return errno;
	}

	log_close();
	out.sink = sink;
	out.fd = fd;
	snprintf(out.path, sizeof(out.path), "%s", path);
	out.failing = out.stuck = out.torn = false;
	out.refused = out.missing = 0;

	return 0;
}


void log_close(void)
{
	log_drain();

	if (out.fd >= 0)
		(void)close(out.fd);
	out.fd = -1;
	out.sink = STDERR;
	out.path[0] = '\0';
}


int log_reopen(void)
{
	log_drain();
	out.stuck = false;

	return out.sink == FILE_ ? file_reopen() : 0;
}


int log_fd(void)
{
	return out.sink == FILE_ ? out.fd : STDERR_FILENO;
}


bool log_is_plain(void)
{
	return out.format == LOG_AS_TEXT && (out.sink == STDERR ||
					  out.sink == FILE_);
}


void log_set_format(enum log_format format)
{
	out.format = format;
}


void log_set_limit(uint64_t bytes, unsigned keep)
{
	out.max = bytes;
	out.keep = keep < KEEP_MAX ? keep : KEEP_MAX;
	out.stuck = false;
}


void log_where(char *buf, size_t sz)
{
	snprintf(buf, sz, "%s%s%s", out.sink == SYSLOG ? "syslog:" :
		 out.sink == JOURNAL ? "journal:" : "",
		 out.sink == STDERR ? "stderr" : "", out.path);
}


uint64_t log_missing(void)
{
	return out.missing + out.refused;
}
