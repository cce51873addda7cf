/**
 * @file end.c  Everything that ends the program, and with which code
 *
 * A signal, the last line of a script, the end of a COMMAND's call, a rule
 * that ran out, `quit`: each leads to app_end(), which hangs up and stops
 * the loop when that is done.  Main thread, inside the loop.
 */
#include <malloc.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "offhook/log.h"
#include "main.h"

#define LOG_MODULE "main"

enum {
	CLOSE_MS = 2000,         /* for hanging up                           */
	TRIM_MS  = 35000,        /* after a call no transaction is left      */
};


/* The end ---------------------------------------------------------------- */

static void app_closed(void *arg)
{
	(void)arg;
	re_cancel();
}


void app_end(struct app *a, int code)
{
	static const struct answer_rule off = { .on = false };

	if (a->ending)
		return;

	a->ending = true;
	a->code = code;
	notify_stopping(a);
	ui_script_stop(a->ui);
	tui_stop(a->tui);

	if (a->ph.answer)
		answer_set(a->ph.answer, &off);

	if (a->ph.ua)
		ua_close(a->ph.ua, CLOSE_MS, app_closed, a);
	else
		app_closed(a);
}


static int script_code(const struct app *a)
{
	/* a person's mistakes were told to him */
	return !a->person && a->ui &&
		client_failed(ui_script_client(a->ui)) ? 1 : 0;
}


static bool is_command(const struct app *a, const char *name)
{
	return a->args.command &&
		!strcmp(command_name(a->args.command), name);
}


void end_quit(int code, void *arg)
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
void end_script(bool failed, void *arg)
{
	struct app *a = arg;
	const unsigned id = client_first_call(ui_script_client(a->ui));

	if (failed && !a->person) {
		app_end(a, a->args.command ? ui_script_exit(a->ui) : 1);
		return;
	}

	/* until a signal or the first failure */
	if (is_command(a, "register"))
		return;

	if (is_command(a, "dial")) {
		/* many calls: the line has told, and was not wrong */
		if (!id) {
			app_end(a, 0);
			return;
		}
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
	if (a->ph.answer && answer_on(a->ph.answer))
		return;

	app_end(a, is_command(a, "listen") ? answer_exit(a->ph.answer) : 0);
}


void end_answer(void *arg)
{
	struct app *a = arg;

	if (is_command(a, "listen")) {
		app_end(a, answer_exit(a->ph.answer));
		return;
	}

	/* a script still at work ends it itself */
	if (!a->person && ui_script_idle(a->ui))
		app_end(a, script_code(a));
}


/* A reader who closed his end, as `head` does, is no failure to tell */
int end_output_code(int err)
{
	return err == EPIPE ? 128 + SIGPIPE : 1;
}


void end_output(int err, void *arg)
{
	app_end(arg, end_output_code(err));
}


/* Calls ------------------------------------------------------------------ */

/* What a burst of calls took goes back; an idle phone keeps little. Not while
 * somebody talks: it holds up every thread that allocates */
static void trim(void *arg)
{
	const struct app *a = arg;

	if (!ua_call_count(a->ph.ua))
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


static void register_done(void *arg)
{
	struct app *a = arg;

	app_end(a, a->register_code);
}


/* What a COMMAND that registers is for; the phone itself goes on trying */
static void account_handler(const struct event *ev, void *arg)
{
	struct app *a = arg;
	const char *state = ev->u.account_state.state;
	const struct account *acc = NULL;

	if (!is_command(a, "register"))
		return;

	for (size_t i = 0; (acc = ua_account(a->ph.ua, i)); i++) {
		if (account_id(acc) == ev->account)
			break;
	}

	if (!strcmp(state, "registered")) {
		a->registered = true;
	}
	else if (!strcmp(state, "failed") && acc &&
		 !timer_running(&a->done)) {
		const struct call_record rec = {
			.outgoing = true, .result = *account_result(acc),
		};

		a->registered = false;
		a->register_code = call_record_exit(&rec);
		timer_start(&a->done, 0, register_done, a);
	}
}


/* Who gave one COMMAND has no other way to hear of it than the exit code */
static void record_handler(const struct event *ev, void *arg)
{
	struct app *a = arg;

	if (a->args.command && !strcmp(ev->u.file_done.result, "error"))
		a->broken_off = true;
}


/* Signals ---------------------------------------------------------------- */

static int signal_code(const struct app *a, int sig)
{
	const bool listening = is_command(a, "listen") ||
		(!a->args.command && a->ph.answer &&
		 answer_on(a->ph.answer));

	if (a->answered || listening || a->person || a->registered)
		return 0;

	return 128 + sig;
}


/* Somebody has renamed the file of the log */
static void log_again(void)
{
	const int err = log_reopen();

	if (err)
		log_warn("the log cannot be opened anew: %s", strerror(err));
	else
		log_info("the log was opened anew");
}


static void signal_handler(int flags, void *arg)
{
	struct app *a = arg;
	struct signalfd_siginfo si;
	(void)flags;

	if (read(a->signal_fd, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;

	if (si.ssi_signo == SIGWINCH || si.ssi_signo == SIGCONT) {
		screen_signal(a, (int)si.ssi_signo);
		return;
	}

	if (si.ssi_signo == SIGUSR1) {
		log_again();
		return;
	}

	if (a->ending) {
		tui_restore();
		_exit(128 + (int)si.ssi_signo);
	}

	log_info("signal %u: leaving", si.ssi_signo);
	app_end(a, signal_code(a, (int)si.ssi_signo));
}


int end_start(struct app *a, const sigset_t *set)
{
	int err;

	a->signal_fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (a->signal_fd < 0)
		return errno;

	err = compat_fd_listen(&a->signals, a->signal_fd, FD_READ,
			       signal_handler, a);
	if (err) {
		close(a->signal_fd);
		a->signal_fd = -1;
		return err;
	}

	err = event_subscribe_type(&a->calls, a->ph.bus, EVENT_CALL_STATE,
				   call_handler, a);
	if (!err)
		err = event_subscribe_type(&a->accounts, a->ph.bus,
					   EVENT_ACCOUNT_STATE,
					   account_handler, a);
	if (err)
		return err;

	return event_subscribe_type(&a->records, a->ph.bus, EVENT_RECORD_DONE,
				    record_handler, a);
}


void end_stop(struct app *a)
{
	timer_cancel(&a->done);
	timer_cancel(&a->trim);
	a->calls = mem_deref(a->calls);
	a->records = mem_deref(a->records);
	a->accounts = mem_deref(a->accounts);

	if (a->signal_fd >= 0) {
		compat_fd_close(&a->signals);
		close(a->signal_fd);
		a->signal_fd = -1;
	}
}


void end_signals_block(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGWINCH);
	sigaddset(set, SIGCONT);
	sigprocmask(SIG_BLOCK, set, NULL);

	/* a write says itself that there is no reader, or too much written */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
}
