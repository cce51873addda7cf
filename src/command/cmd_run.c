/**
 * @file cmd_run.c  `run`: a command of the shell, and the lines behind it wait
 *
 * The child is a group of its own, which a bound ends, or the end of the
 * client.  What it prints is the reply, at most 64 KiB of it.  Main thread;
 * nothing here waits.
 */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "priv.h"

enum {
	RUN_MS   = 60000,
	LOOK_MS  = 20,           /* for its end, once it has closed its output */
	PRINT_MAX = 65536,
};

struct running {
	struct cmd *x;
	pid_t pid;               /* 0: it has ended                          */
	int fd;
	struct compat_fd read;
	struct timer tmr;
	struct text_buf out;
	bool cut;
	uint64_t bound_ms;
};


static void closed(struct running *w)
{
	if (w->fd < 0)
		return;

	compat_fd_close(&w->read);
	close(w->fd);
	w->fd = -1;
}


static void destructor(void *arg)
{
	struct running *w = arg;

	timer_cancel(&w->tmr);
	closed(w);
	if (w->pid) {
		(void)kill(-w->pid, SIGKILL);
		(void)waitpid(w->pid, NULL, 0);
	}
	text_buf_reset(&w->out);
}


static void say(struct running *w)
{
	struct reply *r = w->x->reply;
	size_t n = w->out.len;

	while (n && w->out.s[n - 1] == '\n')
		--n;
	if (n)
		reply_text(r, "%.*s%s", (int)n, w->out.s,
			   w->cut ? "\n..." : "");
}


static void ended(struct running *w, int status)
{
	struct cmd *x = w->x;

	w->pid = 0;
	say(w);

	if (WIFEXITED(status)) {
		reply_int(x->reply, "exit-code", WEXITSTATUS(status));
		if (WEXITSTATUS(status))
			reply_error(x->reply, "failed", "expected exit code "
				    "0, but it is %d", WEXITSTATUS(status));
	}
	else {
		reply_error(x->reply, "failed", "it was ended by signal %d",
			    WTERMSIG(status));
	}

	cmd_done(x);
}


static void look(void *arg)
{
	struct running *w = arg;
	int status;
	const pid_t pid = waitpid(w->pid, &status, WNOHANG);

	if (pid == w->pid)
		ended(w, status);
	else
		timer_start(&w->tmr, LOOK_MS, look, w);
}


static void readable(int flags, void *arg)
{
	struct running *w = arg;
	char buf[4096];
	const ssize_t n = read(w->fd, buf, sizeof(buf));
	(void)flags;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;

	if (n <= 0) {
		closed(w);
		look(w);
		return;
	}

	if (w->out.len + (size_t)n > PRINT_MAX)
		w->cut = true;
	else
		text_add_utf8(&w->out, buf, (size_t)n);
}


static void late(struct cmd *x)
{
	struct running *w = x->state;
	char t[32];

	text_duration_print(t, sizeof(t), w->bound_ms);
	say(w);
	reply_error(x->reply, "timeout", "expected it to end within %s, but "
		    "it still runs", t);
}


/* Its own group, no signal blocked or ignored, nothing of ours open */
static int start(struct running *w, const char *line)
{
	static char sh[] = "sh", c[] = "-c";
	char *argv[] = { sh, c, (char *)line, NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t none, all;
	int pipefd[2], err;

	if (pipe2(pipefd, O_CLOEXEC))
		return errno;

	(void)posix_spawn_file_actions_init(&fa);
	(void)posix_spawnattr_init(&at);
	(void)posix_spawn_file_actions_addopen(&fa, STDIN_FILENO, "/dev/null",
					       O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&fa, pipefd[1], STDOUT_FILENO);
	(void)posix_spawn_file_actions_adddup2(&fa, pipefd[1], STDERR_FILENO);
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawnattr_setsigmask(&at, &none);
	(void)posix_spawnattr_setsigdefault(&at, &all);
	(void)posix_spawnattr_setpgroup(&at, 0);
	(void)posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGMASK |
				       POSIX_SPAWN_SETSIGDEF |
				       POSIX_SPAWN_SETPGROUP);

	err = posix_spawn(&w->pid, "/bin/sh", &fa, &at, argv, environ);
	(void)posix_spawn_file_actions_destroy(&fa);
	(void)posix_spawnattr_destroy(&at);
	close(pipefd[1]);
	if (err) {
		w->pid = 0;
		close(pipefd[0]);
		return err;
	}

	w->fd = pipefd[0];
	(void)fcntl(w->fd, F_SETFL, O_NONBLOCK);

	return compat_fd_listen(&w->read, w->fd, FD_READ, readable, w);
}


void cmd_run_shell(struct cmd *x)
{
	struct running *w = mem_zalloc(sizeof(*w), destructor);
	int err;

	if (!w) {
		cmd_fail(x, ENOMEM, NULL);
		return;
	}

	reply_silent(x->reply);
	w->x = x;
	w->fd = -1;
	w->out.max = PRINT_MAX * 4;
	w->bound_ms = cmd_ms(x, "timeout", RUN_MS);
	x->state = w;

	err = start(w, cmd_str(x, "shell"));
	if (err == EPERM) {
		cmd_fail(x, err, "programs are not started: option sandbox is "
			 "strict");
		return;
	}
	if (err) {
		cmd_fail(x, err, NULL);
		return;
	}

	cmd_wait(x, w->bound_ms, late);
}
