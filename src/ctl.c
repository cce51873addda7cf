/**
 * @file ctl.c  `offhook COMMAND` and `offhook ctl` while a phone is running
 *
 * The line goes to that phone over its control socket; what comes back is
 * printed here, and its outcome is the exit code, as if the phone were this
 * process.  No phone is started: this is a plain program that waits in poll.
 * A command that starts something stays until that has ended; a signal ends
 * it, as it would in a phone of one's own.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "offhook/clock.h"
#include "offhook/text.h"
#include "json.h"
#include "main.h"

enum {
	FIRST_MS = 5000,         /* until the phone says anything            */
	LINE_MAX_BYTES = 64 << 20,
	HELD_MAX = 64,           /* events told before the reply             */
};

enum lasts { LASTS_NOT = 0, LASTS_CALL, LASTS_REGISTER, LASTS_LISTEN };

struct ctl {
	const struct app *a;
	int fd, signals;
	bool json;
	bool follow;
	enum lasts lasts;
	unsigned replies;        /* those to come before ours                */
	bool replied;
	bool interrupted;
	bool asked;              /* whether `listen` still is in force       */
	long call;
	int code;                /* -1: go on                                */
	char *held[HELD_MAX];
	size_t heldc;
	struct text_buf in;
};


/* Which phone -------------------------------------------------------------- */

/* These are about this process, or need no phone */
static bool is_local(const struct command *c)
{
	static const char *const names[] = {
		"help", "selftest", "doctor", "attach", "replay", "ctl",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!strcmp(command_name(c), names[i]))
			return true;
	}

	return false;
}


int ctl_connect(struct app *a)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	char path[1024], err[CONFIG_ERR] = "";
	int fd;

	if (config_dir_find(a, err) ||
	    control_path(a, path, sizeof(path), ".sock") ||
	    strlen(path) >= sizeof(un.sun_path))
		return -1;

	memcpy(un.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&un, sizeof(un))) {
		close(fd);
		return -1;
	}

	return fd;
}


/* What is said ------------------------------------------------------------- */

static int send_all(int fd, const char *p, size_t len)
{
	while (len) {
		const ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		p += n;
		len -= (size_t)n;
	}

	return 0;
}


static int say(const struct ctl *c, const char *line)
{
	struct text_buf b = { 0 };
	int err;

	text_add(&b, "%s\n", line);
	err = b.err ? b.err : send_all(c->fd, b.s, b.len);
	text_buf_reset(&b);

	return err;
}


static const struct command_arg *find(const struct command_arg *v,
				      const char *name, size_t n)
{
	for (; v->name; v++) {
		if (strlen(v->name) == n && !memcmp(v->name, name, n))
			return v;
	}

	return NULL;
}


/* A file means the same in the phone's own folder. @return word, or buf */
static char *absolute(char *word, char *buf, size_t sz)
{
	static const char *const words[] = { "on", "off", "stop", "-", "" };
	char cwd[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcmp(word, words[i]))
			return word;
	}

	if (*word == '/' || !getcwd(cwd, sizeof(cwd)) ||
	    snprintf(buf, sz, "%s/%s", cwd, word) >= (int)sz)
		return word;

	return buf;
}


/* Words of a command, files among them made absolute. @return as
 * command_join() */
static int line_make(char *line, size_t sz, const struct command *c, int argc,
		     char *const argv[])
{
	char (*paths)[PATH_MAX + 64] = calloc((size_t)argc + 1,
					      sizeof(*paths));
	char **words = calloc((size_t)argc + 1, sizeof(*words));
	const struct command_arg *a = c ? command_args(c) : NULL;
	int err = words && paths ? 0 : ENOMEM;

	for (int i = 0; i < argc && !err; i++) {

		char *w = argv[i], *eq = strchr(w, '=');
		const struct command_arg *o = NULL;

		words[i] = w;
		if (!i || !c)
			continue;

		if (!strncmp(w, "--", 2) && w[2]) {
			o = find(command_options(c), w + 2,
				 eq ? (size_t)(eq - w - 2) : strlen(w + 2));
			if (!o || o->type == ARG_NONE)
				continue;
			if (eq && o->type == ARG_FILE && eq[1] != '/' &&
			    eq[1]) {
				char buf[PATH_MAX];

				snprintf(paths[i], sizeof(paths[i]), "%.*s%s",
					 (int)(eq + 1 - w), w,
					 absolute(eq + 1, buf, sizeof(buf)));
				words[i] = paths[i];
			}
			else if (!eq && i + 1 < argc) {
				++i;
				words[i] = o->type == ARG_FILE ?
					absolute(argv[i], paths[i],
						 sizeof(paths[i])) : argv[i];
			}
			continue;
		}

		if (a && a->name && a->type == ARG_FILE)
			words[i] = absolute(w, paths[i], sizeof(paths[i]));
		if (a && a->name && !a->many && a->type != ARG_REST)
			++a;
	}

	if (!err)
		err = command_join(line, sz, argc, words);

	free(words);
	free(paths);

	return err;
}


/* What is heard ------------------------------------------------------------ */

static void print(const char *text, int fd)
{
	const size_t n = strlen(text);

	if (n)
		dprintf(fd, "%s%s", text, text[n - 1] == '\n' ? "" : "\n");
}


static const char *str(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}


static void show_event(const struct ctl *c, const char *line, const json_t *o)
{
	print(c->json ? line : str(o, "print"), STDOUT_FILENO);
}


/* An event of the call or account that the COMMAND is about */
static void concerns(struct ctl *c, const char *line, const json_t *o)
{
	const json_t *code = json_object_get(o, "exit");
	const long call = (long)json_integer_value(json_object_get(o, "call"));

	if (c->lasts == LASTS_CALL && call != c->call)
		return;

	if (!c->follow && c->lasts == LASTS_NOT)
		return;

	show_event(c, line, o);

	if (c->lasts == LASTS_CALL && code &&
	    !strcmp(str(o, "event"), "call.state"))
		c->code = (int)json_integer_value(code);
	if (c->lasts == LASTS_REGISTER && code)
		c->code = (int)json_integer_value(code);

	/* is the rule still in force? */
	if (c->lasts == LASTS_LISTEN && !strcmp(str(o, "state"), "ended")) {
		c->asked = true;
		(void)say(c, "status");
	}
}


static void show_reply(const struct ctl *c, const char *line, const json_t *o)
{
	char text[2048];

	if (c->json) {
		print(line, STDOUT_FILENO);
		return;
	}

	print(str(o, "print"), STDOUT_FILENO);
	if (!json_is_true(json_object_get(o, "ok")))
		dprintf(STDERR_FILENO, "error: %s: %s\n", str(o, "error"),
			text_escape(text, sizeof(text), str(o, "text"),
				    strlen(str(o, "text"))));
}


static void hang_up(const struct ctl *c)
{
	char line[64];

	snprintf(line, sizeof(line), "hangup %ld", c->call);
	(void)say(c, line);
}


static void reply(struct ctl *c, const char *line, const json_t *o)
{
	const bool ok = json_is_true(json_object_get(o, "ok"));
	const int code = (int)json_integer_value(json_object_get(o, "exit"));

	if (c->replies) {
		--c->replies;
		if (!ok) {
			show_reply(c, line, o);
			c->code = code ? code : 1;
		}
		return;
	}

	if (c->asked) {
		c->asked = false;
		if (!strcmp(str(o, "auto_answer"), "off"))
			c->code = 0;
		return;
	}

	if (c->interrupted && c->replied)
		return;

	c->replied = true;
	show_reply(c, line, o);

	if (!ok || (c->lasts == LASTS_NOT && !c->follow)) {
		c->code = code;
		return;
	}

	c->call = (long)json_integer_value(json_object_get(o, "call"));
	if (c->interrupted)
		hang_up(c);
	for (size_t i = 0; i < c->heldc && c->code < 0; i++) {
		json_t *ev = json_loads(c->held[i], 0, NULL);

		concerns(c, c->held[i], ev);
		json_decref(ev);
	}
}


static void heard(struct ctl *c, const char *line)
{
	json_t *o = json_loads(line, 0, NULL);

	if (json_object_get(o, "reply")) {
		reply(c, line, o);
	}
	else if (json_object_get(o, "event")) {
		if (c->replied || c->follow)
			concerns(c, line, o);
		else if (c->heldc < HELD_MAX)
			c->held[c->heldc++] = strdup(line);
	}
	else if (*str(o, "print")) {
		/* what a command says while it runs */
		print(str(o, "print"), STDOUT_FILENO);
	}
	else if (!o || c->json) {
		print(line, STDOUT_FILENO);
	}

	json_decref(o);
}


/* Lines that have come. @return false: the phone is gone */
static bool take(struct ctl *c)
{
	char buf[65536];
	ssize_t n;
	char *p, *nl;

	do {
		n = recv(c->fd, buf, sizeof(buf), 0);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;

	c->in.max = LINE_MAX_BYTES;
	text_add_mem(&c->in, buf, (size_t)n);
	if (c->in.err)
		return false;

	for (p = c->in.s; (nl = memchr(p, '\n', (size_t)(c->in.s + c->in.len -
							 p))); p = nl + 1) {
		*nl = '\0';
		if (c->code < 0)
			heard(c, p);
	}

	c->in.len = (size_t)(c->in.s + c->in.len - p);
	memmove(c->in.s, p, c->in.len + 1);

	return true;
}


/* Waiting ------------------------------------------------------------------ */

/* As in a phone of one's own: what was started ends */
static void interrupt(struct ctl *c)
{
	struct signalfd_siginfo si;
	int sig;

	if (read(c->signals, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;

	sig = (int)si.ssi_signo;

	/* the phone's, and a window that changes its size */
	if (sig == SIGWINCH || sig == SIGCONT || sig == SIGUSR1)
		return;

	if (c->follow || c->lasts == LASTS_LISTEN) {
		if (c->lasts == LASTS_LISTEN)
			(void)say(c, "auto-answer off");
		c->code = 0;
	}
	else if (c->lasts == LASTS_CALL && !c->interrupted) {
		/* else as soon as its number is known */
		if (c->call)
			hang_up(c);
	}
	else {
		c->code = 128 + sig;
	}

	c->interrupted = true;
}


static int run(struct ctl *c)
{
	const uint64_t first = clock_ms() + FIRST_MS;
	bool heard_any = false;
	sigset_t set;

	end_signals_block(&set);
	c->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);

	while (c->code < 0) {

		struct pollfd p[] = {
			{ .fd = c->fd, .events = POLLIN },
			{ .fd = c->signals, .events = POLLIN },
		};
		const uint64_t now = clock_ms();
		const int ms = heard_any ? -1 :
			now < first ? (int)(first - now) : 0;
		const int n = poll(p, 2, ms);

		if (n < 0 && errno != EINTR)
			break;
		if (n == 0) {
			fatal(c->a, "timeout", "the phone that runs does not "
			      "answer; --new starts another one");
			c->code = 1;
			break;
		}
		if (p[1].revents)
			interrupt(c);
		if (p[0].revents) {
			heard_any = true;
			if (!take(c))
				break;
		}
	}

	if (c->code < 0 && !c->follow)
		fatal(c->a, "no-phone", "the phone has ended");

	if (c->signals >= 0)
		close(c->signals);
	for (size_t i = 0; i < c->heldc; i++)
		free(c->held[i]);
	text_buf_reset(&c->in);

	return c->code >= 0 ? c->code : c->follow ? 0 : 1;
}


/* Requests from stdin as they are, what comes back to stdout */
static int pass_through(int fd)
{
	bool in = true;

	for (;;) {
		struct pollfd p[] = {
			{ .fd = fd, .events = POLLIN },
			{ .fd = in ? STDIN_FILENO : -1, .events = POLLIN },
		};
		char buf[16384];
		ssize_t n;

		if (poll(p, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return 1;
		}

		if (p[0].revents) {
			n = recv(fd, buf, sizeof(buf), 0);
			if (n <= 0)
				return n < 0 || in ? 1 : 0;
			for (ssize_t k = 0, w; k < n; k += w) {
				w = write(STDOUT_FILENO, buf + k,
					  (size_t)(n - k));
				if (w <= 0)
					return end_output_code(errno);
			}
		}

		if (p[1].revents) {
			n = read(STDIN_FILENO, buf, sizeof(buf));
			if (n <= 0) {
				in = false;
				(void)shutdown(fd, SHUT_WR);
			}
			else if (send_all(fd, buf, (size_t)n)) {
				in = false;
			}
		}
	}
}


/* Commands ----------------------------------------------------------------- */

static enum lasts lasts(const struct command *c)
{
	const char *name = command_name(c);

	return !strcmp(name, "dial") || !strcmp(name, "redial") ? LASTS_CALL :
		!strcmp(name, "register") ? LASTS_REGISTER :
		!strcmp(name, "listen") ? LASTS_LISTEN : LASTS_NOT;
}


static void prepare(struct ctl *c, const char *line)
{
	++c->replies;
	(void)say(c, line);
}


/* What comes before the line of a command */
static void begin(struct ctl *c, const struct command *cmd)
{
	c->lasts = lasts(cmd);
	prepare(c, c->json ? "output exit" : "output print");
	if (c->lasts != LASTS_NOT)
		prepare(c, c->lasts == LASTS_REGISTER ?
			"events on account" :
			"events on call play record dtmf message "
			"-call.quality -call.level");

	for (size_t i = 0; i < c->a->args.linec; i++)
		prepare(c, c->a->args.lines[i]);
}


static int too_long(const struct ctl *c)
{
	fatal(c->a, "line-too-long", "the command is longer than 8192 bytes");

	return EXIT_USAGE;
}


/* One line: the words of argv, the first of them a command */
static int run_words(struct ctl *c, const struct command *cmd, int argc,
		     char *const argv[])
{
	char line[CLIENT_LINE_MAX + 1];

	begin(c, cmd);
	if (line_make(line, sizeof(line), cmd, argc, argv))
		return too_long(c);

	(void)say(c, line);

	return run(c);
}


/* A line in one word, or a request: as it stands */
static int run_line(struct ctl *c, const char *line)
{
	const size_t n = strcspn(line, " \t");
	char name[64] = "";

	if (strlen(line) > CLIENT_LINE_MAX)
		return too_long(c);
	if (strchr(line, '\n')) {
		fatal(c->a, "bad-line", "one line at a time; many go to the "
		      "standard input of `offhook ctl`");
		return EXIT_USAGE;
	}

	if (n < sizeof(name))
		memcpy(name, line, n);
	/* who asks in JSON is answered so */
	c->json = c->json || *line == '{';
	begin(c, command_find(name));
	(void)say(c, line);

	return run(c);
}


static int follow(struct ctl *c, const char *filter, const char *since)
{
	char line[1024];

	c->follow = true;
	prepare(c, c->json ? "output exit" : "output print");
	snprintf(line, sizeof(line), "events on%s%.20s %.900s", since ?
		 " --since " : "", since ? since : "", filter ? filter :
		 c->json ? "" : "-call.quality -call.level -log");
	prepare(c, line);

	return run(c);
}


/* `offhook ctl [--follow] [--filter F] [--since N] [LINE]` */
static int run_ctl(struct ctl *c)
{
	const struct args *args = &c->a->args;
	const char *filter = NULL, *since = NULL;
	bool follows = false;
	int i;

	for (i = 1; i < args->argc && !strncmp(args->argv[i], "--", 2); i++) {

		const char *w = args->argv[i] + 2;
		const bool value = i + 1 < args->argc;

		if (!strcmp(w, "follow"))
			follows = true;
		else if (!strcmp(w, "filter") && value)
			filter = args->argv[++i];
		else if (!strncmp(w, "filter=", 7))
			filter = w + 7;
		else if (!strcmp(w, "since") && value)
			since = args->argv[++i];
		else if (!strncmp(w, "since=", 6))
			since = w + 6;
		else {
			fatal(c->a, "unknown-option", "usage: offhook ctl "
			      "[--follow] [--filter EVENTS] [--since N] "
			      "[COMMAND [args]]");
			return EXIT_USAGE;
		}
	}

	if (follows)
		return follow(c, filter, since);

	if (i == args->argc)
		return pass_through(c->fd);

	if (i + 1 == args->argc && (args->argv[i][0] == '{' ||
				    strpbrk(args->argv[i], " \t\n")))
		return run_line(c, args->argv[i]);

	/* what is no command the phone says itself */
	return run_words(c, command_find(args->argv[i]), args->argc - i,
			 args->argv + i);
}


int ctl_run(struct app *a)
{
	const struct args *args = &a->args;
	const bool is_ctl = args->command &&
		!strcmp(command_name(args->command), "ctl");
	struct ctl c = { .a = a, .json = args->json, .code = -1 };
	int code;

	if (!args->command || (!is_ctl && (args->fresh ||
					   is_local(args->command))))
		return -1;

	c.fd = ctl_connect(a);
	if (c.fd < 0 && !is_ctl)
		return -1;
	if (c.fd < 0) {
		fatal(a, "no-phone", "no phone runs with this configuration; "
		      "`offhook` starts one");
		return 1;
	}

	code = is_ctl ? run_ctl(&c) :
		run_words(&c, args->command, args->argc, args->argv);
	close(c.fd);

	return code;
}
