/**
 * @file filewatch.c  A file that others change
 *
 * Main thread.  The folder is watched, not the file: who writes with care puts
 * a new one in its place.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <offhook/compat.h>
#include <offhook/filewatch.h>


enum {
	CHANGES = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE,
	READS_MAX = 16,              /* at a time: the rest waits            */
};

struct filewatch {
	int fd;
	struct compat_fd w;
	bool on;                     /* in the poll                          */
	char *name;                  /* in its folder                        */
	filewatch_h *h;
	void *arg;
};


static void destructor(void *arg)
{
	struct filewatch *w = arg;

	if (w->on)
		compat_fd_close(&w->w);
	if (w->fd >= 0)
		(void)close(w->fd);
	mem_deref(w->name);
}


/* Is it among what has changed? What was lost may have been ours */
static bool changed(const struct filewatch *w, const char *p, size_t n)
{
	while (n >= sizeof(struct inotify_event)) {

		struct inotify_event ev;
		size_t all;

		memcpy(&ev, p, sizeof(ev));
		all = sizeof(ev) + ev.len;
		if (ev.mask & IN_Q_OVERFLOW)
			return true;
		if (all > n)
			return false;
		if (ev.len && ev.mask & CHANGES &&
		    !strncmp(p + sizeof(ev), w->name, ev.len))
			return true;

		p += all;
		n -= all;
	}

	return false;
}


static void read_handler(int flags, void *arg)
{
	struct filewatch *w = arg;
	bool ours = false;
	char buf[4096];
	(void)flags;

	for (unsigned i = 0; i < READS_MAX; i++) {

		const ssize_t n = read(w->fd, buf, sizeof(buf));

		if (n <= 0)
			break;
		ours = ours || changed(w, buf, (size_t)n);
	}

	/* the last thing: he may let go of us */
	if (ours)
		w->h(w->arg);
}


int filewatch_alloc(struct filewatch **wp, const char *path, filewatch_h *h,
		    void *arg)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	struct filewatch *w;
	char *dir = NULL;
	int err;

	if (!wp || !path || !h)
		return EINVAL;

	w = mem_zalloc(sizeof(*w), destructor);
	if (!w)
		return ENOMEM;

	w->h = h;
	w->arg = arg;
	w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	err = w->fd < 0 ? errno : str_dup(&w->name, slash ? slash + 1 : path);
	if (!err) {
		dir = slash ? strndup(path, (size_t)(slash - path) + 1) :
			strdup(".");
		err = !dir ? ENOMEM :
			inotify_add_watch(w->fd, dir, CHANGES | IN_ONLYDIR) < 0
			? errno : 0;
	}
	if (!err) {
		err = compat_fd_listen(&w->w, w->fd, FD_READ, read_handler, w);
		w->on = !err;
	}

	free(dir);
	if (err)
		mem_deref(w);
	else
		*wp = w;

	return err;
}
