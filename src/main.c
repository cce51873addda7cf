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
#include "offhook/random.h"
#include "offhook/text.h"
#include "main.h"

#define LOG_MODULE "main"

enum {
	FILES_MAX = 65536,       /* descriptors of the process               */
	LOOP_MAX  = 4096,        /* those the loop may watch: libre's table
				    for them is all written at the start     */
	FLUSH_MS  = 2000,        /* for a slow reader of the output          */
};


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

	if (config_start(a) || logging_configure(a))
		return EXIT_USAGE;
	code = confine_files(a);
	if (code)
		return code;
	screen_log(a);

	if (trace_alloc(&a->trace) || event_bus_alloc(&a->ph.bus) ||
	    logging_follow(a) || end_start(a, signals))
		return 1;

	if (a->args.trace && (err = trace_to(a->trace, a->args.trace_file))) {
		fatal_file(a, a->args.trace_file, err);
		return EXIT_USAGE;
	}

	a->ph.quit_h = end_quit;
	a->ph.trace_h = diagnosis_trace;
	a->ph.arg = a;

	code = phone_start(a);
	if (!code)
		code = confine_calls(a);
	if (!code)
		code = control_start(a);
	if (!code && a->ph.config->headset[0])
		(void)ui_headset_alloc(&a->headset, &a->ph,
				       a->ph.config->headset);
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
	a->headset = mem_deref(a->headset);
	control_stop(a);
	notify_stop(a);

	lost = ui_script_flush(a->ui, FLUSH_MS);
	if (lost && !code)
		code = end_output_code(lost);
	a->ui = mem_deref(a->ui);
	a->ph.hooks = mem_deref(a->ph.hooks);
	a->ph.ringer = mem_deref(a->ph.ringer);
	a->ph.devices = mem_deref(a->ph.devices);
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
	logging_leave(a);
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

	if (logging_start(a))
		return EXIT_USAGE;

	random_begin();
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
	random_end();
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
		      "accounts, events, figures, errors, modules, "
		      "arguments, "
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
