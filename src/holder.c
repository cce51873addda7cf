/**
 * @file holder.c  The process that holds a terminal for the phone
 *
 * `offhook` at a terminal becomes two processes before any thread starts: the
 * phone, in a session of its own, and this one, which stays between it and
 * the terminal.  It tells of signals and sizes, gives the shell its turn, and
 * puts the terminal back when the phone crashes; when it dies with its
 * terminal the phone goes on.  `offhook attach` is one without the phone.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include "link.h"
#include "main.h"

enum { END_MS = 5000 };

struct holder {
	const struct app *a;
	int fd, signals;
	pid_t pid;               /* of the phone, 0: it was there before     */
	struct termios was;
	int flags;               /* of stdin, as they were                   */
	bool tty;
	bool ended;              /* the phone has said so                    */
	int code;                /* -1: go on                                */
};


static const char *env(const char *name)
{
	const char *s = getenv(name);

	return s ? s : "";
}


static void say(const struct holder *h, char what)
{
	(void)send(h->fd, &what, 1, MSG_NOSIGNAL);
}


/* Our descriptors, and what the screen has to know of the terminal */
static int hello(const struct holder *h)
{
	union {
		char buf[CMSG_SPACE(2 * sizeof(int))];
		struct cmsghdr align;
	} control = { .buf = { 0 } };
	const int fds[2] = { STDIN_FILENO, STDOUT_FILENO };
	char msg[LINK_HEAD + sizeof(struct link_hello)] = { LINK_HELLO };
	struct link_hello hl = { .no_color = *env("NO_COLOR") };
	struct iovec iov = { .iov_base = msg, .iov_len = sizeof(msg) };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
	const char *lang = *env("LC_ALL") ? env("LC_ALL") :
		*env("LC_CTYPE") ? env("LC_CTYPE") : env("LANG");

	snprintf(hl.term, sizeof(hl.term), "%s", env("TERM"));
	snprintf(hl.lang, sizeof(hl.lang), "%s", lang);
	snprintf(hl.colorfgbg, sizeof(hl.colorfgbg), "%s", env("COLORFGBG"));
	memcpy(msg + LINK_HEAD, &hl, sizeof(hl));

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));

	return sendmsg(h->fd, &mh, MSG_NOSIGNAL) < 0 ? errno : 0;
}


/* After a phone that could not do it itself: normal screen, cursor, colours,
 * no mouse, no bracketed paste, and the modes the shell had */
static void terminal_restore(const struct holder *h)
{
	static const char normal[] =
		"\033[?1000l\033[?1002l\033[?1003l\033[?1006l\033[?2004l"
		"\033[?1049l\033[?25h\033[0m\r\n";

	if (!h->tty)
		return;

	(void)tcsetattr(STDIN_FILENO, TCSANOW, &h->was);
	(void)fcntl(STDIN_FILENO, F_SETFL, h->flags);
	(void)!write(STDOUT_FILENO, normal, sizeof(normal) - 1);
}


/* Until it has ended, which it is about to: whoever starts another one next
 * finds no trace. @return false: it goes on */
static bool child_wait(const struct holder *h, int *status)
{
	for (unsigned i = 0; h->pid && i < END_MS / 10; i++) {
		if (waitpid(h->pid, status, WNOHANG) == h->pid)
			return true;
		(void)usleep(10000);
	}

	return false;
}


/* The phone closed without a word */
static void broken(struct holder *h)
{
	char path[600] = "", dir[400];
	int status = 0;

	if (!place_state_dir(h->a, dir, sizeof(dir)))
		snprintf(path, sizeof(path), "; its log is %s/log", dir);

	if (child_wait(h, &status)) {
		/* what kept it from starting it has told itself */
		if (WIFEXITED(status)) {
			h->code = WEXITSTATUS(status);
			return;
		}
		terminal_restore(h);
		h->code = 128 + WTERMSIG(status);
		dprintf(STDERR_FILENO, "offhook: the phone has crashed (%s)"
			"%s\n", strsignal(WTERMSIG(status)), path);
		return;
	}

	h->code = 1;
	terminal_restore(h);
	dprintf(STDERR_FILENO, "offhook: the phone has ended "
		"unexpectedly%s\n", path);
}


static void heard(struct holder *h)
{
	char msg[LINK_MSG + 1];
	const ssize_t n = recv(h->fd, msg, LINK_MSG, 0);

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		broken(h);
		return;
	}
	msg[n] = '\0';

	switch (msg[0]) {

	case LINK_DETACHED:
		dprintf(STDERR_FILENO, "[detached%s%s: `offhook attach` comes "
			"back, `offhook quit` ends the phone]\n",
			msg[1] ? ", " : "", msg + 1);
		h->code = 0;
		break;

	case LINK_SUSPEND:
		if (h->tty)
			(void)tcsetattr(STDIN_FILENO, TCSANOW, &h->was);
		/* the shell does the same to what a key stops */
		(void)kill(0, SIGSTOP);
		break;

	case LINK_WORD:
		dprintf(STDERR_FILENO, "offhook: %s\n", msg + 1);
		break;

	case LINK_END:
		h->code = atoi(msg + 1) & 0xff;
		h->ended = true;
		break;

	default:
		break;
	}
}


static void signalled(struct holder *h)
{
	struct signalfd_siginfo si;

	if (read(h->signals, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;

	switch ((int)si.ssi_signo) {

	case SIGWINCH: say(h, LINK_SIZE);     break;
	case SIGCONT:  say(h, LINK_CONTINUE); break;
	case SIGHUP:   h->code = 128 + SIGHUP; break;
	case SIGUSR1:  break;        /* the phone's own */
	default:       say(h, LINK_LEAVE);    break;
	}
}


/* A word of the phone's that came right behind its end */
static void last_words(struct holder *h)
{
	struct pollfd p = { .fd = h->fd, .events = POLLIN };
	const int code = h->code;

	while (poll(&p, 1, 50) == 1) {
		char msg[LINK_MSG + 1];
		const ssize_t n = recv(h->fd, msg, LINK_MSG, 0);

		if (n <= 0)
			break;
		msg[n] = '\0';
		if (msg[0] == LINK_WORD)
			dprintf(STDERR_FILENO, "offhook: %s\n", msg + 1);
	}

	h->code = code;
}


static int hold(struct holder *h)
{
	int status = 0;
	sigset_t set;

	end_signals_block(&set);
	h->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	h->tty = !tcgetattr(STDIN_FILENO, &h->was);
	h->flags = fcntl(STDIN_FILENO, F_GETFL);
	h->code = -1;

	if (hello(h))
		broken(h);

	while (h->code < 0) {

		struct pollfd p[] = {
			{ .fd = h->fd, .events = POLLIN },
			{ .fd = h->signals, .events = POLLIN },
		};

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (p[1].revents)
			signalled(h);
		if (p[0].revents && h->code < 0)
			heard(h);
	}

	if (h->code > 0 && h->code < 128)
		last_words(h);
	close(h->fd);
	if (h->ended)
		(void)child_wait(h, &status);
	close(h->signals);

	return h->code < 0 ? 1 : h->code;
}


/* Which phone --------------------------------------------------------------- */

/* @return an exit code, -1: there is none */
static int attach(struct app *a)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct holder h = { .a = a };
	char path[1024], err[CONFIG_ERR] = "";

	if (config_dir_find(a, err) ||
	    control_path(a, path, sizeof(path), ".tty") ||
	    strlen(path) >= sizeof(un.sun_path))
		return -1;

	memcpy(un.sun_path, path, strlen(path) + 1);
	h.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (h.fd < 0)
		return -1;
	if (connect(h.fd, (struct sockaddr *)&un, sizeof(un))) {
		close(h.fd);
		return -1;
	}

	return hold(&h);
}


/* The phone returns -1, and whoever stays what it exits with */
static int fork_phone(struct app *a)
{
	struct holder h = { .a = a };
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -1;

	pid = fork();
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return -1;
	}

	if (pid == 0) {
		/* a session of its own: what happens to the terminal does
		   not happen to the phone */
		(void)setsid();
		close(fds[0]);
		(void)fcntl(fds[1], F_SETFL, O_NONBLOCK);
		a->holder_fd = fds[1];
		return -1;
	}

	close(fds[1]);
	h.fd = fds[0];
	h.pid = pid;

	return hold(&h);
}


int holder_run(struct app *a)
{
	const struct args *args = &a->args;
	const bool asked = args->command &&
		!strcmp(command_name(args->command), "attach");
	int code;

	if (asked && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))) {
		fatal(a, "no-screen", "attach needs a terminal");
		return EXIT_USAGE;
	}

	if (!asked && !screen_wanted(args))
		return -1;

	code = asked || !args->fresh ? attach(a) : -1;
	if (code < 0 && asked) {
		fatal(a, "no-phone", "no phone runs with this configuration; "
		      "`offhook` starts one");
		return 1;
	}

	return code < 0 ? fork_phone(a) : code;
}
