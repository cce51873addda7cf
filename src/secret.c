/**
 * @file secret.c  Passwords from a command: pass, gpg, a keyring
 *
 * Runs before the phone listens, for accounts that ask for it, so it may
 * block: the command may want to talk to the person at the terminal.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "offhook/clock.h"
#include "main.h"

enum {
	BOUND_MS = 60000,        /* until its first line                     */
	LEAVE_MS = 1000,         /* from then on, until it is ended          */
};

extern char **environ;


static int start(pid_t *pid, int out, const char *command)
{
	char *const argv[] = { "sh", "-c", (char *)command, NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none, ignored;
	int err;

	err = posix_spawn_file_actions_init(&fa);
	if (err)
		return err;

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
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
				 POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_adddup2(&fa, out, STDOUT_FILENO);

	err = posix_spawn(pid, "/bin/sh", &fa, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);

 out:
	posix_spawn_file_actions_destroy(&fa);

	return err;
}


/* Up to the end of the first line, or of the output */
static int collect(int fd, char *buf, size_t sz)
{
	const uint64_t end = clock_ms() + BOUND_MS;
	size_t len = 0;

	for (;;) {

		struct pollfd p = { .fd = fd, .events = POLLIN };
		const uint64_t now = clock_ms();
		ssize_t n;

		if (now >= end || poll(&p, 1, (int)(end - now)) != 1)
			return ETIMEDOUT;

		n = read(fd, buf + len, sz - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;

		len += (size_t)n;
		buf[len] = '\0';

		if (n == 0 || strchr(buf, '\n'))
			break;
		if (len == sz - 1)
			return EOVERFLOW;
	}

	buf[strcspn(buf, "\r\n")] = '\0';

	return *buf ? 0 : ENODATA;
}


int secret_read(char *buf, size_t sz, const char *command, char *err)
{
	int fds[2], e, status = 0;
	bool late = false;
	pid_t pid;

	buf[0] = '\0';

	if (pipe2(fds, O_CLOEXEC)) {
		snprintf(err, UA_ERR, "password-command: %s",
			 strerror(errno));
		return errno;
	}

	e = start(&pid, fds[1], command);
	close(fds[1]);
	if (e) {
		snprintf(err, UA_ERR, "password-command: %s", strerror(e));
		close(fds[0]);
		return e;
	}

	e = collect(fds[0], buf, sz);
	close(fds[0]);

	/* it has said what it had to: it may take a moment to leave */
	for (unsigned ms = 0; waitpid(pid, &status, WNOHANG) != pid; ms++) {

		if (e || ms >= LEAVE_MS) {
			(void)kill(pid, SIGKILL);
			while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
				;
			late = !e;
			break;
		}
		(void)usleep(1000);
	}

	/* one that would have said more is no failure */
	if (!e && !late && !(WIFEXITED(status) &&
		    (WEXITSTATUS(status) == 0 ||
		     WEXITSTATUS(status) == 128 + SIGPIPE)) &&
	    !(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE))
		e = ECHILD;

	if (e)
		snprintf(err, UA_ERR, "password-command: %s",
			 e == ENODATA ? "it printed nothing" :
			 e == ETIMEDOUT ? "it took more than 60 s" :
			 e == EOVERFLOW ? "its first line is too long" :
			 e == ECHILD ? "it failed" : strerror(e));

	return e;
}
