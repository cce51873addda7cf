/**
 * @file screen.c  The full-screen phone and its terminal
 *
 * Opens it when a person is at a terminal, gives the shell its terminal back
 * for a while, and sees to it that nothing is printed over it.  Main thread.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include "offhook/log.h"
#include "offhook/path.h"
#include "main.h"

#define LOG_MODULE "main"


static const char *env(const char *name)
{
	const char *s = getenv(name);

	return s && *s ? s : NULL;
}


/* As setlocale() looks for it */
static const char *lang(void)
{
	const char *s = env("LC_ALL");

	s = s ? s : env("LC_CTYPE");

	return s ? s : env("LANG");
}


bool screen_wanted(const struct args *args)
{
	return !args->command && !args->file && !args->json && !args->plain &&
		isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
		tui_term_known(env("TERM"));
}


static void state_file(const struct app *a, char *buf, size_t sz,
		       const char *name)
{
	char dir[400];

	if (place_state_dir(a, dir, sizeof(dir)) || path_mkdirs(dir) ||
	    path_join(buf, sz, dir, name))
		buf[0] = '\0';
}


void screen_lines(const struct app *a, char *buf, size_t sz)
{
	state_file(a, buf, sz, "lines");
}


void screen_log(struct app *a)
{
	char path[512];

	if (!a->screen)
		return;

	if (!a->args.log && !a->ph.config->log_to[0]) {
		state_file(a, path, sizeof(path), "log");
		if (!path[0] || log_open(path))
			(void)log_open("/dev/null");
	}

	(void)dup2(log_fd(), STDOUT_FILENO);
}


static void terminal(const struct app *a, struct tui_terminal *term)
{
	*term = (struct tui_terminal){
		.in_fd = STDIN_FILENO,
		.out_fd = a->out_fd,
		.term = env("TERM"),
		.lang = lang(),
		.colorfgbg = env("COLORFGBG"),
		.no_color = env("NO_COLOR"),
	};
}


static int show(struct app *a, char *err)
{
	struct tui_terminal term;

	terminal(a, &term);

	return tui_start(a->tui, &term, err);
}


/* The shell's turn, until `fg` */
static void suspend(struct app *a)
{
	if (link_held(a)) {
		link_suspend(a);
		return;
	}

	tui_stop(a->tui);
	(void)kill(0, SIGSTOP);
}


static void end_handler(enum tui_end why, void *arg)
{
	struct app *a = arg;

	if (why == TUI_SUSPEND) {
		suspend(a);
		return;
	}

	/* the phone does not need it, if somebody can come back */
	if (link_held(a)) {
		link_lost(a);
		return;
	}

	tui_stop(a->tui);
	app_end(a, 0);
}


void screen_signal(struct app *a, int sig)
{
	char err[UA_ERR] = "";

	if (!a->tui || a->ending)
		return;

	if (sig == SIGWINCH) {
		tui_resized(a->tui);
		return;
	}

	/* whoever stopped us may have left the terminal in other modes */
	tui_stop(a->tui);
	if (show(a, err))
		app_end(a, 0);
}


static int screen_make(struct app *a, char *err)
{
	struct tui_conf conf = { .end_h = end_handler, .arg = a };

	if (path_join(conf.keys, sizeof(conf.keys), a->ph.config_dir, "keys"))
		conf.keys[0] = '\0';
	screen_lines(a, conf.lines, sizeof(conf.lines));

	return tui_alloc(&a->tui, &a->ph, &conf, err);
}


/* The descriptors we were started with keep no terminal: it may be closed */
static void standard_leave(struct app *a)
{
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return;

	(void)dup2(null, STDIN_FILENO);
	(void)dup3(null, a->out_fd, O_CLOEXEC);
	close(null);
}


int screen_show(struct app *a, const struct tui_terminal *term, char *err)
{
	int e;

	if (!a->tui) {
		e = screen_make(a, err);
		if (e)
			return e;
	}

	tui_stop(a->tui);
	e = tui_start(a->tui, term, err);

	/* what libraries print, and what others log, is in the log */
	if (!e && a->screen) {
		standard_leave(a);
		(void)dup2(log_fd(), STDERR_FILENO);
	}

	return e;
}


void screen_hide(struct app *a)
{
	if (a->tui)
		tui_stop(a->tui);
}


int screen_start(struct app *a)
{
	char err[UA_ERR] = "";
	int e;

	e = screen_make(a, err);
	if (e) {
		fatal(a, "bad-config", err[0] ? err : strerror(e));
		return EXIT_USAGE;
	}

	a->person = true;

	/* whoever holds the terminal hands it over */
	if (a->holder_fd >= 0)
		return 0;

	e = show(a, err);
	if (e) {
		fatal(a, "failed", err[0] ? err : strerror(e));
		return 1;
	}

	(void)dup2(log_fd(), STDERR_FILENO);

	return 0;
}


void screen_stop(struct app *a)
{
	tui_stop(a->tui);
	a->tui = mem_deref(a->tui);
}
