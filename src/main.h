/**
 * @file main.h  What the files beside main.c share
 */
#ifndef OFFHOOK_MAIN_H
#define OFFHOOK_MAIN_H

#include <signal.h>
#include "offhook/findings.h"
#include "offhook/journal.h"
#include "offhook/timer.h"
#include "offhook/ui.h"

/* args.c: the program's own arguments ------------------------------------ */

struct args {
	char **accounts;         /* -a, copies: argv is overwritten          */
	size_t accountc;
	const char *config_dir;
	const char **sets;       /* NAME=VALUE                               */
	size_t setc;
	const char **lines;      /* -e                                       */
	size_t linec;
	const char *file;
	struct sip_listen_addr *listens;
	size_t listenc;
	const char *audio;       /* NULL: auto                               */
	bool auto_answer;
	uint16_t answer_code;
	bool fresh;              /* --new, or what implies it                */
	bool json, quiet, plain;
	unsigned verbose;
	const char *log;         /* where, NULL: as the option says          */
	const char *log_levels;  /* NULL: the same                           */
	bool trace;
	const char *trace_file;  /* NULL: the log                            */
	const char *junit;       /* NULL: none                               */
	const char *journal;     /* the same                                 */
	bool help, version;
	const char *dump;
	const struct command *command;   /* NULL: none                       */
	int argc;                /* its words                                */
	char **argv;
};

/** @return 0, or EINVAL with what is wrong: a token, and a sentence in text
 *  (UA_ERR bytes) */
int  args_parse(struct args *a, int argc, char *argv[], const char **token,
		char *text);
void args_free(struct args *a);
/** --help; free() */
char *args_help(void);
/** The table as JSON, for the manual and the shells; free() */
char *args_dump(void);

/* main.c ----------------------------------------------------------------- */

enum exit_code { EXIT_USAGE = 2, EXIT_NETWORK = 9 };

struct trace;

struct app {
	struct args args;
	struct phone ph;
	struct ui_script *ui;
	struct tui *tui;         /* NULL: no full-screen phone               */
	struct ui_control *control;
	struct ui_headset *headset;
	struct link *link;       /* to whoever holds a terminal              */
	int holder_fd;           /* of the one that started us, -1: nobody   */
	int lock_fd;             /* says that the control socket is ours     */
	int notify_fd;           /* to a service manager                     */
	uint64_t feed_ms;        /* its watchdog                             */
	struct timer feed;
	struct trace *trace;
	struct hep *hep;
	struct findings *findings;
	struct journal *journal;
	struct metrics_server *monitors;
	struct event_sub *calls, *records, *accounts;
	struct event_sub *course[5];     /* of calls, for the log            */
	struct mqueue *wake;     /* a foreign thread logged                  */
	struct compat_fd signals;
	int signal_fd;
	int out_fd;
	struct timer start, done, trim;
	bool person;             /* at a terminal                            */
	bool screen;             /* the full-screen phone is wanted          */
	unsigned device_lost;    /* a bit for each that is               */
	bool answered;           /* a call was answered in this run          */
	bool registered;         /* as the COMMAND register wants            */
	int register_code;       /* its exit code, once it has failed        */
	bool broken_off;         /* a recording it was started for: no disk  */
	bool ending;
	int code;
};

/* logging.c: where the log goes -------------------------------------------- */

/** Before anything else is there. @return 0 or errno, told */
int  logging_start(struct app *a);
/** The options are known. @return 0 or errno, told */
int  logging_configure(struct app *a);
/** There is a loop and a bus: lines become events. @return 0 or errno */
int  logging_follow(struct app *a);
void logging_leave(struct app *a);

/* setup.c: the phone's parts, in the order of being reachable ------------ */

/** Before there is a front end: what is wrong, as it would say it; on stderr,
 *  and with --json on stdout too */
void fatal(const struct app *a, const char *token, const char *text);
void fatal_file(const struct app *a, const char *file, int err);
/** Which configuration directory; err: CONFIG_ERR bytes */
int  config_dir_find(struct app *a, char *err);
/** Options: the file, then -s. @return 0 or errno, told */
int  config_start(struct app *a);
/** Sound, SIP, accounts, the rule, the front end. @return an exit code */
int  phone_start(struct app *a);

/* place.c: where the phone keeps what it keeps ----------------------------- */

enum { PLACE_NAME = 48 };

/** What the phone is called by its configuration directory: "default" ... */
void place_name(const struct app *a, char buf[PLACE_NAME]);
/** @return 0, ENOENT (no home), EOVERFLOW */
int  place_state_dir(const struct app *a, char *buf, size_t sz);
/** Contacts, history, messages. @return an exit code */
int  place_kept(struct app *a);

/* screen.c: the full-screen phone and its terminal ------------------------ */

/** Are stdin and stdout a terminal where it is wanted and can be? */
bool screen_wanted(const struct args *args);
/** Made when it is needed first. err: UA_ERR bytes. @return 0 or errno */
int  screen_show(struct app *a, const struct tui_terminal *term, char *err);
void screen_hide(struct app *a);
/** The file where typed lines are kept, "": nowhere */
void screen_lines(const struct app *a, char *buf, size_t sz);
/** From here on the log is a file, and nothing is printed over the screen */
void screen_log(struct app *a);
/** @return an exit code */
int  screen_start(struct app *a);
/** Its terminal has changed (SIGWINCH), comes back (SIGCONT) */
void screen_signal(struct app *a, int sig);
void screen_stop(struct app *a);

/* diagnosis.c: what is kept of the messages, and where copies go --------- */

/** ua_conf.trace_h; arg: struct app */
void diagnosis_message(bool tx, enum sip_transp tp, const struct sa *local,
		       const struct sa *peer, const char *text, size_t len,
		       void *arg);
/** Before the first message. @return 0 or errno */
int  diagnosis_start(struct app *a);
/** The user agent is there. @return 0 or errno */
int  diagnosis_follow(struct app *a);
void diagnosis_stop(struct app *a);
/** ui_conf.reply_h */
void diagnosis_reply(const struct reply *r, bool failed, void *arg);
int  diagnosis_trace(const char *path, void *arg);   /* phone.trace_h */

/* confine.c: option sandbox -------------------------------------------------- */

/** Before any thread. @return an exit code */
int  confine_files(struct app *a);
/** Once accounts have their passwords. @return an exit code */
int  confine_calls(struct app *a);

/* control.c: the control socket --------------------------------------------- */

/** Its path, or that of what is beside it: ext ".sock", ".lock" */
int  control_path(const struct app *a, char *buf, size_t sz, const char *ext);
/** For a phone that stays. @return an exit code */
int  control_start(struct app *a);
void control_stop(struct app *a);

/* ctl.c: talking to the phone that runs already ------------------------------ */

/** To the phone of this configuration. @return a descriptor, -1: none runs */
int  ctl_connect(struct app *a);
/** The COMMAND is for that phone: run it there. @return an exit code, -1: it is
 *  not, or there is none */
int  ctl_run(struct app *a);

/* link.c: a terminal that may come and go -------------------------------------- */

int  link_start(struct app *a);
/** Nobody attaches any more; before the loop's end */
void link_stop(struct app *a);
/** The last word, when the terminal is put back: the exit code */
void link_end(struct app *a, int code);
/** Does another process hold our terminal? */
bool link_held(const struct app *a);
/** It gives the shell its turn */
void link_suspend(struct app *a);
/** Its terminal is gone; the phone goes on */
void link_lost(struct app *a);

/* holder.c: the process that holds a terminal --------------------------------- */

/**
 * `attach`; at a terminal the phone that runs, or one in a process of its own.
 * @return an exit code, -1: go on and be the phone
 */
int  holder_run(struct app *a);

/* notify.c: a service manager ------------------------------------------------ */

void notify_start(struct app *a);        /* ready                         */
void notify_stopping(struct app *a);
void notify_stop(struct app *a);

/* end.c: everything that ends the program -------------------------------- */

/** Hang up and leave with this code; the first one counts */
void app_end(struct app *a, int code);
void end_quit(int code, void *arg);      /* phone.quit_h                 */
void end_script(bool failed, void *arg); /* ui_conf.end_h                */
void end_answer(void *arg);              /* answer_done_h                */
void end_output(int err, void *arg);     /* ui_conf.lost_h               */
/** What a phone exits with whose output is lost for this reason */
int  end_output_code(int err);
/** Signals to be taken by the loop; all of them are blocked */
void end_signals_block(sigset_t *set);
/** @return 0 or errno */
int  end_start(struct app *a, const sigset_t *set);
void end_stop(struct app *a);

/* trace.c: SIP messages as sent and received ----------------------------- */

int  trace_alloc(struct trace **tp);                     /* free: mem_deref */
/** path NULL: the log, "": off, else a file to append to */
int  trace_to(struct trace *t, const char *path);
bool trace_on(const struct trace *t);
void trace_message(const struct trace *t, bool tx, enum sip_transp tp,
		   const struct sa *local, const struct sa *peer,
		   const char *text, size_t len);

/* secret.c: passwords from a command ------------------------------------- */

/** First line of what the command prints; err: one sentence. Blocks until
 *  it ends, 60 s at most. @return 0 or errno */
int  secret_read(char *buf, size_t sz, const char *command, char *err);

#endif
