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
#include <sys/signalfd.h>
#include <unistd.h>
#include "offhook/clock.h"
#include "offhook/log.h"
#include "offhook/path.h"
#include "offhook/text.h"
#include "offhook/timer.h"
#include "main.h"

#define LOG_MODULE "main"

enum {
	FILES_MAX = 65536,       /* descriptors, of the process and the loop */
	CLOSE_MS  = 2000,        /* for hanging up at the end                */
	FLUSH_MS  = 2000,        /* for a slow reader of the output          */
	TRIM_MS   = 35000,       /* after a call no transaction is left      */
};

enum exit_code { EXIT_USAGE = 2, EXIT_NETWORK = 9 };

struct app {
	struct args args;
	struct phone ph;
	struct ui_script *ui;
	struct trace *trace;
	struct event_sub *calls;
	struct mqueue *wake;     /* a foreign thread logged                  */
	struct compat_fd signals;
	int signal_fd;
	int out_fd;
	struct timer start, done, trim;
	bool person;             /* at a terminal                            */
	bool device_lost;
	bool answered;           /* a call was answered in this run          */
	bool listened;           /* the rule ran out: calls or until         */
	bool ending;
	int code;
};


/* Before there is a front end; what is wrong, as it would say it */
static void fatal(const char *token, const char *text)
{
	char line[2 * CONFIG_ERR];

	fprintf(stderr, "error: %s: %s\n", token,
		text_escape(line, sizeof(line), text, strlen(text)));
}


static void fatal_file(const char *token, const char *file, int err)
{
	char text[CONFIG_ERR];

	snprintf(text, sizeof(text), "%.400s: %s", file, strerror(err));
	fatal(token, text);
}


/* The end ------------------------------------------------------------------- */

static void app_closed(void *arg)
{
	(void)arg;
	re_cancel();
}


/* Hang up and leave with this code; the first one counts */
static void app_end(struct app *a, int code)
{
	static const struct answer_rule off = { .on = false };

	if (a->ending)
		return;

	a->ending = true;
	a->code = code;
	ui_script_stop(a->ui);

	if (a->ph.answer)
		answer_set(a->ph.answer, &off);

	if (a->ph.ua)
		ua_close(a->ph.ua, CLOSE_MS, app_closed, a);
	else
		app_closed(a);
}


static int script_code(const struct app *a)
{
	return client_failed(ui_script_client(a->ui)) ? 1 : 0;
}


static bool is_command(const struct app *a, const char *name)
{
	return a->args.command &&
		!strcmp(command_name(a->args.command), name);
}


static void quit_handler(int code, void *arg)
{
	struct app *a = arg;

	app_end(a, code >= 0 ? code : script_code(a));
}


/* What a COMMAND that dialled exits with */
static int call_code(const struct app *a)
{
	const unsigned id = client_first_call(ui_script_client(a->ui));
	const struct call_record *r = ua_call_record(a->ph.ua, id);

	return r ? call_record_exit(r) : 1;
}


/* Its call has ended, and is on record by now */
static void dial_done(void *arg)
{
	struct app *a = arg;

	app_end(a, call_code(a));
}


/* All lines were run, or one failed */
static void script_end(bool failed, void *arg)
{
	struct app *a = arg;
	const unsigned id = client_first_call(ui_script_client(a->ui));

	if (failed) {
		app_end(a, a->args.command ? ui_script_exit(a->ui) : 1);
		return;
	}

	if (is_command(a, "dial")) {
		/* else its end will come as an event */
		if (!ua_call(a->ph.ua, id))
			app_end(a, call_code(a));
		return;
	}

	if (a->args.command && !command_lasting(a->args.command)) {
		app_end(a, 0);
		return;
	}

	/* a rule in force goes on without lines */
	if (a->ph.answer && answer_on(a->ph.answer) && !a->listened)
		return;

	app_end(a, is_command(a, "listen") ? answer_exit(a->ph.answer) : 0);
}


static void answer_done(void *arg)
{
	struct app *a = arg;

	a->listened = true;

	if (is_command(a, "listen")) {
		app_end(a, answer_exit(a->ph.answer));
		return;
	}

	/* a script still at work ends it itself */
	if (!a->person && ui_script_idle(a->ui))
		app_end(a, script_code(a));
}


/* Calls --------------------------------------------------------------------- */

/* What a burst of calls took goes back; an idle phone keeps little */
static void trim(void *arg)
{
	(void)arg;
	(void)malloc_trim(0);
}


static void call_handler(const struct event *ev, void *arg)
{
	struct app *a = arg;
	const char *state = ev->u.call_state.state;

	if (!strcmp(state, "active")) {
		a->answered = true;
		return;
	}

	if (strcmp(state, "ended"))
		return;

	timer_start(&a->trim, TRIM_MS, trim, a);

	if (is_command(a, "dial") &&
	    ev->call == client_first_call(ui_script_client(a->ui)))
		timer_start(&a->done, 0, dial_done, a);
}


/* Signals ------------------------------------------------------------------- */

static int signal_code(const struct app *a, int sig)
{
	const bool listening = is_command(a, "listen") ||
		(!a->args.command && a->ph.answer &&
		 answer_on(a->ph.answer));

	if (a->answered || listening || a->person)
		return 0;

	return 128 + sig;
}


static void signal_handler(int flags, void *arg)
{
	struct app *a = arg;
	struct signalfd_siginfo si;
	(void)flags;

	if (read(a->signal_fd, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;

	if (a->ending)
		_exit(128 + (int)si.ssi_signo);

	log_info("signal %u: leaving", si.ssi_signo);
	app_end(a, signal_code(a, (int)si.ssi_signo));
}


static int signals_open(struct app *a, const sigset_t *set)
{
	a->signal_fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (a->signal_fd < 0)
		return errno;

	return compat_fd_listen(&a->signals, a->signal_fd, FD_READ,
				signal_handler, a);
}


static void signals_block(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigprocmask(SIG_BLOCK, set, NULL);

	(void)signal(SIGPIPE, SIG_IGN);
}


/* Logging ------------------------------------------------------------------- */

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


/* stdout is for replies and events alone: libre prints to fd 1 by itself, so
 * that leads to the log from here on */
static int stdout_take(struct app *a)
{
	a->out_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (a->out_fd < 0)
		return errno;

	return dup2(log_fd(), STDOUT_FILENO) < 0 ? errno : 0;
}


static int log_start(struct app *a)
{
	const struct args *args = &a->args;
	int err;

	log_set_level(args->quiet ? LOGL_ERROR :
		      args->verbose > 1 ? LOGL_DEBUG :
		      args->verbose ? LOGL_INFO : LOGL_WARN);

	err = log_open(args->log);
	if (err) {
		fatal_file("no-log", args->log, err);
		return err;
	}

	dbg_init(DBG_WARNING, DBG_NONE);
	dbg_handler_set(libre_log, NULL);

	return stdout_take(a);
}


/* Configuration ------------------------------------------------------------- */

static int account_add(const struct account_conf *ac, void *arg)
{
	struct app *a = arg;
	struct account_conf full = *ac;
	char err[UA_ERR] = "";
	int e = 0;

	if (ac->password_command[0] && !ac->password[0])
		e = secret_read(full.password, sizeof(full.password),
				ac->password_command, err);
	if (!e)
		e = ua_account_add(a->ph.ua, &full, err);

	explicit_bzero(full.password, sizeof(full.password));

	if (e)
		fatal("bad-account", err[0] ? err : strerror(e));

	return e;
}


static int accounts_start(struct app *a)
{
	char path[1024], err[CONFIG_ERR] = "";
	int e = 0;

	for (size_t i = 0; i < a->args.accountc && !e; i++) {

		struct account_conf ac;

		e = account_parse(&ac, a->args.accounts[i], err);
		if (!e)
			e = account_add(&ac, a);
		explicit_bzero(&ac, sizeof(ac));
	}

	if (!e && a->ph.config_dir[0]) {
		e = path_join(path, sizeof(path), a->ph.config_dir,
			      "accounts");
		if (!e)
			e = accounts_load(path, account_add, a, err);
	}

	/* account_add() told its own */
	if (e && err[0])
		fatal("bad-account", err);

	return e;
}


static int config_start(struct app *a)
{
	char path[1024], err[CONFIG_ERR] = "";
	int e;

	e = config_alloc(&a->ph.config);
	if (e)
		return e;

	if (a->args.config_dir)
		e = text_copy(a->ph.config_dir, sizeof(a->ph.config_dir),
			      a->args.config_dir, strlen(a->args.config_dir));
	else if (path_base(a->ph.config_dir, sizeof(a->ph.config_dir),
			   PATH_CONFIG, NULL))
		a->ph.config_dir[0] = '\0';
	if (e)
		return e;

	if (a->ph.config_dir[0]) {
		e = path_join(path, sizeof(path), a->ph.config_dir,
			      "offhook.conf");
		if (!e)
			e = config_load(a->ph.config, path, err);
	}

	for (size_t i = 0; i < a->args.setc && !e; i++) {

		const char *s = a->args.sets[i], *eq = strchr(s, '=');
		char name[64];

		if (!eq) {
			snprintf(err, sizeof(err), "--set takes NAME=VALUE");
			e = EINVAL;
			break;
		}
		snprintf(name, sizeof(name), "%.*s", (int)(eq - s), s);
		e = config_set(a->ph.config, name, eq + 1, err);
	}

	if (e)
		fatal("bad-config", err[0] ? err : strerror(e));

	return e;
}


/* Start --------------------------------------------------------------------- */

static void device_handler(const struct media_device_event *de, void *arg)
{
	struct app *a = arg;
	const bool lost = de->state == MEDIA_DEV_LOST;
	struct event ev;

	/* no device by choice has nothing to say */
	if (de->text && *de->text)
		log_write(de->state == MEDIA_DEV_NONE || lost ? LOGL_WARN :
			  LOGL_INFO, LOG_MODULE, "%s", de->text);

	if (!lost && !(a->device_lost && de->state == MEDIA_DEV_OPEN))
		return;

	a->device_lost = lost;

	event_init(&ev, lost ? EVENT_DEVICE_LOST : EVENT_DEVICE_FOUND);
	snprintf(ev.u.device.device, sizeof(ev.u.device.device), "%s",
		 de->name ? de->name : "");
	snprintf(ev.u.device.role, sizeof(ev.u.device.role), "%s",
		 de->role ? de->role : "");
	snprintf(ev.u.device.text, sizeof(ev.u.device.text), "%s",
		 de->text ? de->text : "");
	event_publish(a->ph.bus, &ev);
}


static int trace_handler(const char *path, void *arg)
{
	struct app *a = arg;

	return trace_to(a->trace, path);
}


/* @return an exit code */
static int sound_start(struct app *a)
{
	struct media_conf mc;
	char err[UA_ERR] = "";
	int e;

	e = audio_spec_parse(&a->ph.audio, a->args.audio ? a->args.audio :
			     "auto", err, sizeof(err));
	a->ph.audio_given = a->args.audio != NULL;

	if (!e) {
		phone_media_conf(&mc, a->ph.config);
		e = media_alloc(&a->ph.media, &mc, device_handler, a);
	}
	if (!e)
		e = media_set_audio(a->ph.media, &a->ph.audio, err,
				    sizeof(err));
	if (e)
		fatal("bad-audio", err[0] ? err : strerror(e));

	return e ? EXIT_USAGE : 0;
}


/* @return an exit code */
static int ua_start(struct app *a)
{
	struct ua_conf uc = {
		.config = a->ph.config,
		.bus = a->ph.bus,
		.media = a->ph.media,
		.addrv = a->args.listens,
		.addrc = a->args.listenc,
		.trace_h = trace_message,
		.arg = a->trace,
	};
	char err[UA_ERR] = "";
	int e;

	e = ua_alloc(&a->ph.ua, &uc, err);
	if (e) {
		fatal(e == EADDRINUSE ? "port-taken" : "no-network",
		      err[0] ? err : strerror(e));
		return e == EINVAL ? EXIT_USAGE : EXIT_NETWORK;
	}

	if (accounts_start(a))
		return EXIT_USAGE;

	if (answer_alloc(&a->ph.answer, a->ph.ua, a->ph.bus, answer_done, a))
		return 1;

	if (ua_note(a->ph.ua)[0])
		log_warn("%s", ua_note(a->ph.ua));

	if (a->args.auto_answer) {
		const struct answer_rule rule = {
			.on = true, .code = a->args.answer_code,
		};

		answer_set(a->ph.answer, &rule);
	}

	return 0;
}


/* Where lines come from. @return an exit code */
static int input_open(struct app *a, struct ui_conf *uc)
{
	const char *file = a->args.file;

	uc->in_fd = -1;
	if (a->args.command)
		return 0;

	if (file && strcmp(file, "-")) {
		uc->in_name = file;
		uc->in_fd = open(file, O_RDONLY | O_CLOEXEC);
		if (uc->in_fd < 0) {
			fatal_file("no-such-file", file, errno);
			return EXIT_USAGE;
		}
		return 0;
	}

	uc->in_name = "stdin";
	uc->in_fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	a->person = !file && !a->args.json && isatty(STDIN_FILENO) &&
		isatty(a->out_fd);

	return 0;
}


static int ui_start(struct app *a)
{
	struct ui_conf uc = {
		.out_fd = a->out_fd,
		.err_fd = STDERR_FILENO,
		.json = a->args.json,
		.quiet = a->args.quiet,
		.end_h = script_end,
		.arg = a,
	};
	int code = input_open(a, &uc);

	if (code)
		return code;

	uc.person = a->person;

	return ui_script_alloc(&a->ui, &a->ph, &uc) ? 1 : 0;
}


/* The first lines, from inside the loop */
static void lines_start(void *arg)
{
	struct app *a = arg;
	char line[CLIENT_LINE_MAX + 1];

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
	int code;

	if (config_start(a))
		return EXIT_USAGE;

	if (signals_open(a, signals) ||
	    mqueue_alloc(&a->wake, wake_handler, a) ||
	    trace_alloc(&a->trace) || event_bus_alloc(&a->ph.bus))
		return 1;

	log_set_wake(wake, a->wake);
	log_set_handler(log_event, a);

	if (a->args.trace) {

		int err = trace_to(a->trace, a->args.trace_file);

		if (err) {
			fatal_file("no-trace", a->args.trace_file, err);
			return EXIT_USAGE;
		}
	}

	a->ph.quit_h = quit_handler;
	a->ph.trace_h = trace_handler;
	a->ph.arg = a;

	code = sound_start(a);
	if (!code && !(a->args.command && command_alone(a->args.command)))
		code = ua_start(a);
	if (!code && event_subscribe_type(&a->calls, a->ph.bus,
					  EVENT_CALL_STATE, call_handler, a))
		code = 1;
	if (!code)
		code = ui_start(a);

	timer_start(&a->start, 0, lines_start, a);

	return code;
}


static void app_stop(struct app *a)
{
	timer_cancel(&a->start);
	timer_cancel(&a->done);
	timer_cancel(&a->trim);

	ui_script_flush(a->ui, FLUSH_MS);
	a->ui = mem_deref(a->ui);
	a->calls = mem_deref(a->calls);
	a->ph.answer = mem_deref(a->ph.answer);
	a->ph.ua = mem_deref(a->ph.ua);
	a->ph.media = mem_deref(a->ph.media);
	log_drain();
	log_set_handler(NULL, NULL);
	log_set_wake(NULL, NULL);
	a->ph.bus = mem_deref(a->ph.bus);
	a->trace = mem_deref(a->trace);
	a->wake = mem_deref(a->wake);
	a->ph.config = mem_deref(a->ph.config);

	if (a->signal_fd >= 0) {
		compat_fd_close(&a->signals);
		close(a->signal_fd);
	}
}


/* The process --------------------------------------------------------------- */

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
	struct rlimit rl;
	int err;

	err = libre_init();
	if (err)
		return err;

	/* the loop's table is indexed by descriptor */
	if (getrlimit(RLIMIT_NOFILE, &rl) || rl.rlim_cur > FILES_MAX)
		rl.rlim_cur = FILES_MAX;
	err = fd_setsize((int)rl.rlim_cur);

	return err ? err : timers_open();
}


static int run(struct app *a)
{
	sigset_t signals;
	int code, err;

	signals_block(&signals);
	files_standard();
	files_raise();

	/* few threads allocate, and little: two arenas are enough */
	(void)mallopt(M_ARENA_MAX, 2);

	if (log_start(a))
		return EXIT_USAGE;

	err = loops();
	if (err) {
		fatal("failed", strerror(err));
		return 1;
	}

	code = app_start(a, &signals);
	if (!code) {
		err = re_main(NULL);
		code = err && !a->ending ? 1 : a->code;
	}

	app_stop(a);
	timers_close();
	libre_close();
	log_close();

	return code;
}


/* --help, --version, --dump: @return an exit code, -1: none of them */
static int tell(const struct args *args)
{
	char *text;

	if (args->version) {
		printf("offhook %s (libre %s)\n", OFFHOOK_VERSION,
		       compat_re_version());
		return 0;
	}

	if (!args->help && !args->dump)
		return -1;

	text = args->help ? (args->command ? command_help(args->command) :
			     args_help()) :
		!strcmp(args->dump, "arguments") ? args_dump() :
		command_dump(args->dump);
	if (!text) {
		fatal("bad-argument", "--dump takes commands, options, "
		      "accounts, events, figures, arguments or config");
		return EXIT_USAGE;
	}

	fputs(text, stdout);
	if (*text && text[strlen(text) - 1] != '\n')
		fputc('\n', stdout);
	free(text);

	return fflush(stdout) ? 1 : 0;
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

	if (args_parse(&a->args, argc, argv, &token, err)) {
		fatal(token, err);
		code = EXIT_USAGE;
	}
	else {
		code = tell(&a->args);
		if (code < 0)
			code = run(a);
	}

	args_free(&a->args);
	free(a);

	return code;
}
