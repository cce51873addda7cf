/**
 * @file path.c  Where files are, and writing them whole or not at all
 *
 * Main thread: it touches the disk.  No state.  Nothing is created but by
 * path_mkdirs and path_write, and a failed path_write leaves the old file as
 * it was and no temporary behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <offhook/clock.h>
#include <offhook/path.h>


enum {
	READ_WAIT_MS = 5000,    /* for a pipe: `password-file=<(...)` */
	READ_CHUNK = 4096,
	LOCK_WAIT_MS = 500,     /* T1 of SIP: nobody misses us meanwhile     */
};


int path_join(char *buf, size_t sz, const char *dir, const char *file)
{
	const char *slash;
	int n;

	if (!buf || !dir)
		return EINVAL;

	if (!file || !*file)
		file = slash = "";
	else
		slash = *dir && dir[strlen(dir) - 1] != '/' ? "/" : "";

	n = snprintf(NULL, 0, "%s%s%s", dir, slash, file);
	if (n < 0 || (size_t)n >= sz)
		return EOVERFLOW;

	(void)snprintf(buf, sz, "%s%s%s", dir, slash, file);

	return 0;
}


/* The XDG rules: a variable that is not an absolute path does not count */
static const char *env_dir(const char *name)
{
	const char *dir = getenv(name);

	return dir && dir[0] == '/' ? dir : NULL;
}


int path_base(char *buf, size_t sz, enum path_base base, const char *file)
{
	static const struct {
		const char *env;
		const char *home;    /* when it is not set */
	} bases[] = {
		[PATH_CONFIG]  = {"XDG_CONFIG_HOME", ".config/offhook"},
		[PATH_STATE]   = {"XDG_STATE_HOME", ".local/state/offhook"},
		[PATH_RUNTIME] = {"XDG_RUNTIME_DIR", ".local/state/offhook"},
	};
	const char *root = env_dir(bases[base].env), *sub = "offhook";
	char dir[PATH_MAX];
	int err;

	if (!root) {
		root = env_dir("HOME");
		sub = bases[base].home;
	}

	if (!root)
		return ENOENT;

	err = path_join(dir, sizeof(dir), root, sub);
	if (err)
		return err;

	return path_join(buf, sz, dir, file);
}


static int dir_make(const char *dir)
{
	struct stat st;

	if (!mkdir(dir, 0700))
		return 0;

	if (errno != EEXIST)
		return errno;

	if (stat(dir, &st))
		return errno;

	return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
}


int path_mkdirs(const char *dir)
{
	char path[PATH_MAX];
	int err;

	if (!dir || !*dir)
		return EINVAL;

	err = path_join(path, sizeof(path), dir, NULL);
	if (err)
		return err;

	for (char *p = path + 1; *p; p++) {

		if (*p != '/')
			continue;

		*p = '\0';
		err = dir_make(path);
		*p = '/';
		if (err)
			return err;
	}

	return dir_make(path);
}


static int fd_wait_readable(int fd, uint64_t until_ms)
{
	const uint64_t now = clock_ms();
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	int n;

	n = poll(&pfd, 1, until_ms > now ? (int)(until_ms - now) : 0);
	if (n < 0)
		return errno == EINTR ? 0 : errno;

	return n ? 0 : ETIMEDOUT;
}


static int fd_read_all(char **textp, size_t *lenp, int fd, size_t max)
{
	const uint64_t until = clock_ms() + READ_WAIT_MS;
	size_t len = 0, cap = 0;
	char *text = NULL;
	int err = 0;

	for (;;) {
		ssize_t n;

		if (cap - len < READ_CHUNK + 1) {
			char *grown = realloc(text, cap * 2 + READ_CHUNK + 1);

			if (!grown) {
				err = ENOMEM;
				break;
			}
			text = grown;
			cap = cap * 2 + READ_CHUNK + 1;
		}

		n = read(fd, text + len, READ_CHUNK);
		if (n < 0) {
			err = errno;
			if (err == EINTR || err == EAGAIN)
				err = fd_wait_readable(fd, until);
			if (err)
				break;
			continue;
		}

		if (!n)
			break;

		len += (size_t)n;
		if (len > max) {
			err = EFBIG;
			break;
		}
	}

	if (err) {
		free(text);
		return err;
	}

	text[len] = '\0';
	*textp = text;
	if (lenp)
		*lenp = len;

	return 0;
}


int path_read(char **textp, size_t *lenp, const char *path, size_t max)
{
	int fd, err;

	if (!textp || !path)
		return EINVAL;

	/* non-blocking: opening a pipe nobody writes to must not wait */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return errno;

	err = fd_read_all(textp, lenp, fd, max);
	(void)close(fd);

	return err;
}


static int fd_write_all(int fd, const char *p, size_t len)
{
	while (len) {
		const ssize_t n = write(fd, p, len);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return errno;
		}

		p += n;
		len -= (size_t)n;
	}

	return 0;
}


/* The rename itself lives in the directory; best effort, not all allow it */
static void dir_sync(const char *path)
{
	char dir[PATH_MAX];
	char *slash;
	int fd;

	(void)snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	if (!slash)
		(void)snprintf(dir, sizeof(dir), ".");
	else
		slash[slash == dir] = '\0';

	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;

	(void)fsync(fd);
	(void)close(fd);
}


/* As open() would make it */
static unsigned masked(unsigned mode)
{
	const mode_t mask = umask(077);

	(void)umask(mask);

	return mode & ~(unsigned)mask;
}


int path_write(const char *path, const char *text, size_t len, unsigned mode)
{
	char target[PATH_MAX], temp[PATH_MAX + 8];
	struct stat st;
	int fd, err;

	if (!path || (!text && len))
		return EINVAL;

	/* a link stays a link: it is what it points to that is replaced */
	if (!realpath(path, target)) {
		if (errno != ENOENT)
			return errno;

		err = path_join(target, sizeof(target), path, NULL);
		if (err)
			return err;
	}

	if (!stat(target, &st)) {
		if (!S_ISREG(st.st_mode))
			return S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
		mode = st.st_mode & 07777;
	}
	else if (mode == 0666) {
		mode = masked(mode);
	}

	(void)snprintf(temp, sizeof(temp), "%s.XXXXXX", target);
	fd = mkostemp(temp, O_CLOEXEC);
	if (fd < 0)
		return errno;

	err = fd_write_all(fd, text, len);
	if (!err && fchmod(fd, (mode_t)mode))
		err = errno;
	if (!err && fsync(fd))
		err = errno;
	if (close(fd) && !err)
		err = errno;
	if (!err && rename(temp, target))
		err = errno;

	if (err)
		(void)unlink(temp);
	else
		dir_sync(target);

	return err;
}


int path_turn(const char *path, unsigned keep)
{
	char from[PATH_MAX], to[PATH_MAX];

	if (!keep)
		return unlink(path) && errno != ENOENT ? errno : 0;

	for (unsigned i = keep; i > 0; i--) {

		if (snprintf(to, sizeof(to), "%s.%u", path, i) >=
		    (int)sizeof(to))
			return ENAMETOOLONG;
		if (i > 1)
			(void)snprintf(from, sizeof(from), "%s.%u", path,
				       i - 1);
		if (rename(i > 1 ? from : path, to) && errno != ENOENT)
			return errno;
	}

	return 0;
}


/*
 * The first byte of the lock is the turn to wait for it.  A phone with much to
 * write lets go and comes back within microseconds, and who looks now and
 * then finds it locked every time: now it finds somebody before it.
 * @return is it ours? Where the file system has no such locks, too
 */
static bool turn_take(int fd, bool mine)
{
	struct flock turn = { .l_type = F_WRLCK, .l_len = 1 };

	return mine || !fcntl(fd, F_OFD_SETLK, &turn) ||
		(errno != EAGAIN && errno != EACCES);
}


static void turn_give(int fd)
{
	struct flock turn = { .l_type = F_UNLCK, .l_len = 1 };

	(void)fcntl(fd, F_OFD_SETLK, &turn);
}


int path_lock(int *fdp, const char *path)
{
	bool mine = false;
	const uint64_t until = clock_ms() + LOCK_WAIT_MS;
	const char *slash = path ? strrchr(path, '/') : NULL;
	const struct timespec pause = { .tv_nsec = 2000000 };
	char lock[PATH_MAX];
	int fd;

	*fdp = -1;
	if (snprintf(lock, sizeof(lock), "%.*s.lock", slash ?
		     (int)(slash + 1 - path) : 0, path ? path : "") >=
	    (int)sizeof(lock))
		return 0;

	fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return 0;

	while (!(mine = turn_take(fd, mine)) || flock(fd, LOCK_EX | LOCK_NB)) {

		if ((mine && errno != EWOULDBLOCK) || clock_ms() >= until) {
			const bool held = !mine || errno == EWOULDBLOCK;

			(void)close(fd);
			return held ? EBUSY : 0;
		}
		(void)nanosleep(&pause, NULL);
	}

	turn_give(fd);
	*fdp = fd;

	return 0;
}


void path_unlock(int fd)
{
	/* the file stays: another phone may have it open */
	if (fd >= 0)
		(void)close(fd);
}


int path_sound(char *buf, size_t sz, const char *file)
{
	const char *const dirs[] = {
		getenv("OFFHOOK_SOUNDS"), OFFHOOK_SOUNDS, OFFHOOK_SOURCE_SOUNDS
	};

	if (!buf || !file || !*file)
		return EINVAL;

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		char path[PATH_MAX];
		int err;

		if (!dirs[i] || !*dirs[i])
			continue;

		err = path_join(path, sizeof(path), dirs[i], file);
		if (err)
			return err;

		if (!access(path, R_OK))
			return path_join(buf, sz, path, NULL);
	}

	return ENOENT;
}
