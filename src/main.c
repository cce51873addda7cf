/**
 * @file main.c  Wires the phone together: start, run, stop in reverse
 *
 * The order of starting is that of being reachable: SIP listens first, sound
 * comes when it is first needed.  One struct app owns everything; everything
 * ends through app_end(), once, inside the loop.  Main thread.
 */
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
#include "offhook/log.h"
#include "offhook/text.h"
#include "main.h"

#define LOG_MODULE "main"

enum {
	FILES_MAX = 65536,       /* descriptors of the process               */
	LOOP_MAX  = 4096,        /* those the loop may watch: libre's table
				    for them is all written at the start     */
	FLUSH_MS  = 2000,        /* for a slow reader of the output          */
};


/* Logging ---------------------------------------------------------------- */

static void wake_handler(int id, void *data, void *arg)
{
	(void)id;
	(void)data;
	(void)arg;
	log_drain();
}


static void wake(void *arg)
{
	(void)mqueue_push(arg, 0, NULL);
}


static void log_event(enum log_level level, const char *module,
		      const char *text, void *arg)
{
	struct app *a = arg;
	struct event ev;

	if (level > log_get_level() || !event_wanted(a->ph.bus, EVENT_LOG))
		return;

	event_init(&ev, EVENT_LOG);
	snprintf(ev.u.log.level, sizeof(ev.u.log.level), "%s",
		 log_level_name(level));
	snprintf(ev.u.log.module, sizeof(ev.u.log.module), "%s", module);
	snprintf(ev.u.log.text, sizeof(ev.u.log.text), "%s", text);
	event_publish(a->ph.bus, &ev);
}


static void libre_log(int level, const char *p, size_t len, void *arg)
{
	char line[512];
	(void)level;
	(void)arg;

	if (log_get_level() < LOGL_DEBUG)
		return;

	while (len && (p[len - 1] == '\n' || p[len - 1] == '\r'))
		--len;
	log_debug("libre: %s", text_escape(line, sizeof(line), p, len));
}


/* What libraries print by themselves: libre tells strangers' mistakes so, and
 * a reader who stopped would stop the phone. A failed assertion is no noise */
static ssize_t stray_write(void *cookie, const char *p, size_t len)
{
	const size_t total = len;
	char line[512];
	(void)cookie;

	if (memmem(p, len, "Assertion", 9))
		return write(STDERR_FILENO, p, len);

	while (len && (p[len - 1] == '\n' || p[len - 1] == '\r'))
		--len;
	if (len)
		log_debug("stray: %s", text_escape(line, sizeof(line), p,
						   len));

	return (ssize_t)total;
}


/* stdout is for replies and events alone: descriptor 1 leads to the log from
 * here on, and what is printed through stdio becomes lines of it */
static int stdout_take(struct app *a)
{
	static const cookie_io_functions_t io = { .write = stray_write };
	FILE *f;

	a->out_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (a->out_fd < 0)
		return errno;

	if (dup2(log_fd(), STDOUT_FILENO) < 0)
		return errno;

	f = fopencookie(NULL, "w", io);
	if (!f)
		return errno;

	setvbuf(f, NULL, _IOLBF, BUFSIZ);
	stdout = stderr = f;

	return 0;
}


static int log_start(struct app *a)
{
	const struct args *args = &a->args;
	int err;

	log_set_level(args->quiet ? LOGL_ERROR :
		      args->verbose > 1 ? LOGL_DEBUG :
		      args->verbose ? LOGL_INFO : LOGL_WARN);

	a->screen = screen_wanted(args);

	err = log_open(args->log);
	if (err) {
		fatal_file(a, args->log, err);
		return err;
	}

	dbg_init(DBG_WARNING, DBG_NONE);
	dbg_handler_set(libre_log, NULL);

	return stdout_take(a);
}


/* Start ------------------------------------------------------------------ */

/* The first lines, from inside the loop */
static void lines_start(void *arg)
{
	struct app *a = arg;
	char line[CLIENT_LINE_MAX + 1];

	if (a->tui) {
		for (size_t i = 0; i < a->args.linec; i++)
			tui_run(a->tui, a->args.lines[i]);
		return;
	}

	if (a->person)
		dprintf(a->out_fd, "offhook %s: `dial WHOM` calls, `help` "
			"tells more, `quit` leaves\n", OFFHOOK_VERSION);

	for (size_t i = 0; i < a->args.linec; i++)
		(void)ui_script_line(a->ui, a->args.lines[i], "--execute");

	if (a->args.command) {
		if (command_join(line, sizeof(line), a->args.argc,
				 a->args.argv))
			client_refuse(ui_script_client(a->ui), NULL,
				      "line-too-long", "the command is "
				      "longer than 8192 bytes");
		else
			(void)ui_script_line(a->ui, line, NULL);
	}

	(void)ui_script_start(a->ui);
}


/* @return an exit code */
static int app_start(struct app *a, const sigset_t *signals)
{
	int code, err;

	if (config_start(a))
		return EXIT_USAGE;
	screen_log(a);

	if (trace_alloc(&a->trace) || event_bus_alloc(&a->ph.bus) ||
	    mqueue_alloc(&a->wake, wake_handler, a) || end_start(a, signals))
		return 1;

	log_set_wake(wake, a->wake);
	log_set_handler(log_event, a);

	if (a->args.trace && (err = trace_to(a->trace, a->args.trace_file))) {
		fatal_file(a, a->args.trace_file, err);
		return EXIT_USAGE;
	}

	a->ph.quit_h = end_quit;
	a->ph.trace_h = diagnosis_trace;
	a->ph.arg = a;

	code = phone_start(a);
	if (!code)
		code = control_start(a);
	if (!code && link_start(a))
		code = 1;
	if (!code)
		notify_start(a);
	timer_start(&a->start, 0, lines_start, a);

	return code;
}


/* @return code, or what it becomes when nobody can be told */
static int app_stop(struct app *a, int code)
{
	int lost;

	timer_cancel(&a->start);
	end_stop(a);
	screen_stop(a);
	link_stop(a);
	control_stop(a);
	notify_stop(a);

	lost = ui_script_flush(a->ui, FLUSH_MS);
	if (lost && !code)
		code = end_output_code(lost);
	a->ui = mem_deref(a->ui);
	a->ph.ringer = mem_deref(a->ph.ringer);
	a->ph.hooks = mem_deref(a->ph.hooks);
	a->ph.answer = mem_deref(a->ph.answer);
	a->ph.forward = mem_deref(a->ph.forward);
	a->ph.history = mem_deref(a->ph.history);
	a->ph.outbox = mem_deref(a->ph.outbox);
	a->ph.messages = mem_deref(a->ph.messages);
	a->ph.lamps = mem_deref(a->ph.lamps);
	a->ph.ua = mem_deref(a->ph.ua);
	diagnosis_stop(a);
	a->ph.numbers = mem_deref(a->ph.numbers);
	a->ph.contacts = mem_deref(a->ph.contacts);
	a->ph.media = mem_deref(a->ph.media);
	log_drain();
	log_set_handler(NULL, NULL);
	log_set_wake(NULL, NULL);
	a->ph.bus = mem_deref(a->ph.bus);
	a->trace = mem_deref(a->trace);
	a->wake = mem_deref(a->wake);
	a->ph.config = mem_deref(a->ph.config);

	return code;
}


/* The process ------------------------------------------------------------ */

static void files_raise(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) || rl.rlim_cur >= FILES_MAX)
		return;

	rl.rlim_cur = rl.rlim_max < FILES_MAX ? rl.rlim_max : FILES_MAX;
	(void)setrlimit(RLIMIT_NOFILE, &rl);
}


/* Closed standard descriptors would be taken by sockets */
static void files_standard(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {

		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null", O_RDWR) != fd)
			_exit(1);
	}
}


static int loops(void)
{
	int err;

	err = libre_init();
	if (err)
		return err;

	/* indexed by descriptor; those of RTP are read without it */
	err = fd_setsize(LOOP_MAX);

	return err ? err : timers_open();
}


static int run(struct app *a)
{
	sigset_t signals;
	int code, err;

	end_signals_block(&signals);
	files_standard();
	files_raise();

	/* few threads allocate, and little: two arenas are enough */
	(void)mallopt(M_ARENA_MAX, 2);

	if (log_start(a))
		return EXIT_USAGE;

	err = loops();
	if (err) {
		fatal(a, "failed", strerror(err));
		return 1;
	}

	code = app_start(a, &signals);
	if (!code) {
		err = re_main(NULL);
		code = err && !a->ending ? 1 : a->code;
	}

	code = app_stop(a, code);
	if (!code && a->broken_off)
		code = 1;
	timers_close();
	libre_close();
	log_close();

	return code;
}


/* @return an exit code */
static int told(const struct app *a)
{
	char text[UA_ERR];

	if (!fflush(stdout) && !ferror(stdout))
		return 0;

	snprintf(text, sizeof(text), "the output cannot be written: %s",
		 strerror(errno));
	fatal(a, "no-output", text);

	return 1;
}


/* --help, --version, --dump: @return an exit code, -1: none of them */
static int tell(const struct app *a)
{
	const struct args *args = &a->args;
	char *text;

	if (args->version) {
		printf("offhook %s (libre %s)\n", OFFHOOK_VERSION,
		       compat_re_version());
		return told(a);
	}

	if (!args->help && !args->dump)
		return -1;

	text = args->help ? (args->command ? command_help(args->command) :
			     args_help()) :
		!strcmp(args->dump, "arguments") ? args_dump() :
		command_dump(args->dump);
	if (!text) {
		fatal(a, "bad-argument", "--dump takes commands, options, "
		      "accounts, events, figures, errors, arguments, "
		      "schema or config");
		return EXIT_USAGE;
	}

	printf("%s%s", text, *text && text[strlen(text) - 1] != '\n' ?
	       "\n" : "");
	free(text);

	return told(a);
}


int main(int argc, char *argv[])
{
	struct app *a = calloc(1, sizeof(*a));
	const char *token = "";
	char err[UA_ERR] = "";
	int code;

	if (!a)
		return 1;

	a->signal_fd = -1;
	a->out_fd = -1;
	a->lock_fd = -1;
	a->holder_fd = -1;
	a->notify_fd = -1;

	if (args_parse(&a->args, argc, argv, &token, err)) {
		fatal(a, token, err);
		code = EXIT_USAGE;
	}
	else {
		code = tell(a);
		if (code < 0)
			code = ctl_run(a);
		if (code < 0)
			code = holder_run(a);
		if (code < 0) {
			code = run(a);
			link_end(a, code);
		}
	}

	args_free(&a->args);
	free(a);

	return code;
}
