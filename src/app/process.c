/**
 * @file process.c  A program of the user's, run beside the phone
 *
 * A process group of its own, so that all it has started goes with it.  Its
 * end is told by a pidfd, so no signal handler is needed and nobody else's
 * child is taken.  Main thread.
 */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "offhook/compat.h"
#include "offhook/log.h"
#include "offhook/timer.h"
#include "process.h"

enum {
	LOOK_MS = 20,            /* where there is no pidfd                  */
	LEAVE_MS = 1000,         /* for a secret one, once its line is there */
	READS_MAX = 64,          /* at a time: others want a turn            */
	INPUT_MAX = 32 << 10,    /* a pipe holds 64                          */
};

extern char **environ;

struct process {
	pid_t pid;               /* 0: it was waited for                     */
	int pidfd, out;
	struct compat_fd end_watch, out_watch;
	bool end_watched, out_watched;
	bool late, ended, secret;
	int code;
	struct timer deadline, look;
	process_h *h;
	void *arg;
	size_t len;
	char buf[PROCESS_OUTPUT];
};


static void out_close(struct process *p)
{
	if (p->out_watched)
		compat_fd_close(&p->out_watch);
	p->out_watched = false;
	if (p->out >= 0)
		close(p->out);
	p->out = -1;
}


static void end_close(struct process *p)
{
	timer_cancel(&p->look);
	if (p->end_watched)
		compat_fd_close(&p->end_watch);
	p->end_watched = false;
	if (p->pidfd >= 0)
		close(p->pidfd);
	p->pidfd = -1;
}


/* What is there now. @return false: it says no more */
static bool collect(struct process *p)
{
	char drop[1024];

	for (int i = 0; i < READS_MAX; i++) {
		const size_t room = sizeof(p->buf) - p->len;
		const ssize_t n = room ?
			read(p->out, p->buf + p->len, room) :
			read(p->out, drop, sizeof(drop));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		if (n == 0)
			return false;
		if (room)
			p->len += (size_t)n;
	}

	return true;
}


static void done(struct process *p)
{
	timer_cancel(&p->deadline);
	if (p->out >= 0)
		(void)collect(p);
	out_close(p);
	end_close(p);

	p->h(p->code, p->late, p->buf, p->len, p->arg);
}


static void late(void *arg)
{
	struct process *p = arg;

	p->late = true;
	if (p->pid)
		(void)kill(-p->pid, SIGKILL);
	/* its end is told like any other */
}


static void out_handler(int flags, void *arg)
{
	struct process *p = arg;
	(void)flags;

	if (!collect(p)) {
		out_close(p);
	}
	else if (p->secret && (p->len == sizeof(p->buf) ||
			       memchr(p->buf, '\n', p->len))) {
		out_close(p);
		timer_start(&p->deadline, LEAVE_MS, late, p);
	}
}


/* @return false: it lives */
static bool reap(struct process *p)
{
	int status = 0;

	if (!p->pid)
		return true;
	if (waitpid(p->pid, &status, WNOHANG) != p->pid)
		return false;

	/* what it left running in its group goes too */
	(void)kill(-p->pid, SIGKILL);
	p->pid = 0;
	p->code = WIFEXITED(status) ? WEXITSTATUS(status) :
		128 + WTERMSIG(status);

	return true;
}


static void end_handler(int flags, void *arg)
{
	struct process *p = arg;
	(void)flags;

	if (reap(p))
		done(p);
}


static void look(void *arg)
{
	struct process *p = arg;

	if (reap(p))
		done(p);
	else
		timer_start(&p->look, LOOK_MS, look, p);
}


static void destructor(void *arg)
{
	struct process *p = arg;

	timer_cancel(&p->deadline);
	if (p->pid) {
		(void)kill(-p->pid, SIGKILL);
		(void)waitpid(p->pid, NULL, 0);
	}
	out_close(p);
	end_close(p);
	if (p->secret)
		explicit_bzero(p->buf, sizeof(p->buf));
}


/* Ours, and what it is told beside that; free() */
static char **env_join(char *const *more, bool secret)
{
	size_t n = 0, m = 0;
	char **v;

	while (environ[n])
		++n;
	while (more && more[m])
		++m;

	v = calloc(n + m + 1, sizeof(*v));
	if (!v)
		return NULL;

	n = 0;
	for (char **e = environ; *e; e++) {
		/* gpg has its agent ask at that terminal */
		if (!secret || strncmp(*e, "GPG_TTY=", 8))
			v[n++] = *e;
	}
	if (m)
		memcpy(v + n, more, m * sizeof(*v));

	return v;
}


static int spawn(struct process *p, const struct process_conf *conf, int in,
		 int out)
{
	const char *path = conf->shell ? "/bin/sh" : conf->path;
	const char *name = strrchr(path, '/');
	char *const argv[] = { (char *)(name ? name + 1 : path),
		conf->shell ? "-c" : NULL, (char *)conf->shell, NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, ignored;
	char **env = env_join(conf->env, conf->secret);
	int err;

	if (!env)
		return ENOMEM;

	err = posix_spawn_file_actions_init(&fa);
	if (err) {
		free(env);
		return err;
	}
	err = posix_spawnattr_init(&attr);
	if (err)
		goto out;

	/* what we block and ignore is not for it */
	sigemptyset(&none);
	sigemptyset(&ignored);
	sigaddset(&ignored, SIGPIPE);
	sigaddset(&ignored, SIGXFSZ);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &ignored);
	posix_spawnattr_setpgroup(&attr, 0);
	/* a session is a group of its own, too */
	posix_spawnattr_setflags(&attr, (short)(POSIX_SPAWN_SETSIGMASK |
				 POSIX_SPAWN_SETSIGDEF | (conf->secret ?
				 POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP)));
	posix_spawn_file_actions_adddup2(&fa, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&fa, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&fa, log_fd(), STDERR_FILENO);

	err = posix_spawn(&p->pid, path, &fa, &attr, argv, env);
	if (err)
		p->pid = 0;
	posix_spawnattr_destroy(&attr);

 out:
	posix_spawn_file_actions_destroy(&fa);
	free(env);

	return err;
}


static int watch(struct process *p)
{
	int err;

	(void)fcntl(p->out, F_SETFL, O_NONBLOCK);
	err = compat_fd_listen(&p->out_watch, p->out, FD_READ, out_handler, p);
	if (err)
		return err;
	p->out_watched = true;

	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (p->pidfd >= 0) {
		(void)fcntl(p->pidfd, F_SETFD, FD_CLOEXEC);
		p->end_watched = !compat_fd_listen(&p->end_watch, p->pidfd,
						   FD_READ, end_handler, p);
	}
	if (!p->end_watched)
		timer_start(&p->look, LOOK_MS, look, p);

	return 0;
}


int process_start(struct process **pp, const struct process_conf *conf,
		  process_h *h, void *arg)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err = 0;
	struct process *p;

	if (!pp || !conf || !h || conf->len > INPUT_MAX)
		return EINVAL;

	p = mem_zalloc(sizeof(*p), destructor);
	if (!p)
		return ENOMEM;

	p->pidfd = p->out = -1;
	p->h = h;
	p->arg = arg;
	p->secret = conf->secret;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		err = errno;
	if (!err)
		err = spawn(p, conf, in[0], out[1]);

	/* an empty pipe takes it all, whoever reads it */
	if (!err && conf->len &&
	    write(in[1], conf->input, conf->len) != (ssize_t)conf->len)
		log_write(LOGL_INFO, "hooks", "its input was not taken");

	for (size_t i = 0; i < 2; i++) {
		if (in[i] >= 0)
			close(in[i]);
	}
	if (out[1] >= 0)
		close(out[1]);
	p->out = out[0];

	if (!err)
		err = watch(p);
	if (err) {
		mem_deref(p);
		return err;
	}

	timer_start(&p->deadline, conf->deadline_ms, late, p);
	*pp = p;

	return 0;
}
