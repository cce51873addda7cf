/**
 * @file ui.h  Ways to type lines and see events
 *
 * script.c: lines from stdin, a file, -e or the shell's COMMAND, printed as
 * text or as JSON lines.  tui/: the full-screen phone.  Main thread.
 */
#ifndef OFFHOOK_UI_H
#define OFFHOOK_UI_H

#include "offhook/command.h"

struct ui_conf {
	int in_fd;               /* lines are read from here, closed with
				    the script; -1: none                     */
	const char *in_name;     /* for errors: "stdin", a file              */
	int out_fd;              /* replies and events, borrowed             */
	int err_fd;              /* errors for people, borrowed              */
	/** Of each line, after it was told; may be NULL */
	void (*reply_h)(const struct reply *r, bool failed, void *arg);
	const char *junit;       /* results go there as XML, NULL: nowhere   */
	bool json;
	bool quiet;              /* no events for people                     */
	bool person;             /* in_fd and out_fd are a terminal: a prompt,
				    with editing, history, completion        */
	const char *lines;       /* of a person: where typed lines are kept,
				    NULL: nowhere                            */
	bool keep;               /* a failed line does not end it: a person,
				    or a program that reads the replies      */
	/**
	 * All input has been run (end of file and queue empty), or a line
	 * failed. Called once, from the loop, never from ui_script_*
	 */
	void (*end_h)(bool failed, void *arg);
	/**
	 * Replies and events cannot be written any more: EPIPE (the reader
	 * is gone, which it knows), or another errno, told on err_fd. Called
	 * once, from the loop
	 */
	void (*lost_h)(int err, void *arg);
	void *arg;
};

struct ui_script;
/** @return 0, EISDIR (in_fd is a directory), ENOMEM */
int  ui_script_alloc(struct ui_script **up, struct phone *ph,
		     const struct ui_conf *conf);         /* free: mem_deref */
/** Lines before the input (-e, COMMAND), before ui_script_start() */
int  ui_script_line(struct ui_script *u, const char *line,
		    const char *where);
struct client *ui_script_client(struct ui_script *u);
/** Begin: run queued lines, then read in_fd */
int  ui_script_start(struct ui_script *u);
/** Stop: nothing more is read or run; output goes on */
void ui_script_stop(struct ui_script *u);
/** All input was run and no line waits */
bool ui_script_ended(const struct ui_script *u);
/** No line waits and none can be read at once */
bool ui_script_idle(const struct ui_script *u);
/** What the first failed line exits with as a COMMAND, 0: none failed */
int  ui_script_exit(const struct ui_script *u);
/** Write what is still to be written, waiting at most ms for the reader.
 *  @return 0, or why the output is lost, as lost_h was told or would be */
int  ui_script_flush(struct ui_script *u, uint32_t ms);

/* tui/: the full-screen phone --------------------------------------------- */

enum tui_end {
	TUI_LOST,                /* its terminal is gone (a dead ssh)        */
	TUI_SUSPEND,             /* the user wants the shell back for a while:
				    tui_stop(), and tui_start() to go on     */
};

struct tui_conf {
	char keys[512];          /* file of the user's keys, "" none         */
	char lines[512];         /* where typed lines are kept, "" nowhere   */
	/** The terminal is gone, or to be left. Called from the loop */
	void (*end_h)(enum tui_end why, void *arg);
	void *arg;
};

/** One terminal: its descriptors are borrowed while it is used */
struct tui_terminal {
	int in_fd, out_fd;
	const char *term;        /* TERM                                     */
	const char *lang;        /* LC_ALL, LC_CTYPE or LANG: UTF-8?         */
	const char *colorfgbg;   /* COLORFGBG: "15;0"                        */
	bool no_color;           /* NO_COLOR is set                          */
};

struct tui;
/**
 * The full-screen phone, without a terminal yet: it hears what happens, and
 * keeps what panes know while no terminal is there. Free: mem_deref. err: one
 * sentence, UA_ERR bytes. @return 0 or errno (a wrong file of keys: EINVAL)
 */
int  tui_alloc(struct tui **tp, struct phone *ph, const struct tui_conf *conf,
	       char *err);
/** Show it there, until tui_stop(); may be called again and again, also
 *  while calls go on. err: one sentence, UA_ERR bytes. @return 0, EBUSY (it is
 *  shown already), ENOTTY, ENOENT (such a terminal is not known) ... */
int  tui_start(struct tui *t, const struct tui_terminal *term, char *err);
/** The terminal is put back as it was */
void tui_stop(struct tui *t);
bool tui_running(const struct tui *t);
/** Its terminal has another size (SIGWINCH) */
void tui_resized(struct tui *t);
/** Run a line before the user can type one (-e) */
void tui_run(struct tui *t, const char *line);
struct client *tui_client(struct tui *t);
/** Would tui_start() take this TERM? */
bool tui_term_known(const char *term);
/** Put the terminal back, from a signal handler or before _exit() */
void tui_restore(void);

/* control.c: programs that talk to the phone over a socket ----------------- */

enum { CONTROL_CLIENTS_MAX = 200 };

struct ui_control_conf {
	const char *path;                /* Unix socket, made with mode 0600  */
	/** Over TCP too, for who knows the token (at least 16 bytes) */
	const struct sa *tcp;            /* NULL: no                         */
	const char *token;
};

struct ui_control;
/**
 * Whatever stands at that path is taken away: the caller holds the lock that
 * says nobody else lives there. err: one sentence, UA_ERR bytes.
 * @return 0 or errno. Free: mem_deref
 */
int  ui_control_alloc(struct ui_control **cp, struct phone *ph,
		      const struct ui_control_conf *conf, char *err);
/** Where it listens over TCP. @return false: it does not */
bool ui_control_tcp(const struct ui_control *c, struct sa *sa);
unsigned ui_control_clients(const struct ui_control *c);
/** The phone ends: no more lines are taken; what was said goes out */
void ui_control_stop(struct ui_control *c);

/* headset.c: the keys of a headset -------------------------------------------- */

struct ui_headset;
/**
 * @param path an input device of Linux, /dev/input/eventN. When it cannot be
 *             read, or goes, that is told in the log and it is tried again
 * @return 0, ENOMEM, ENOSYS (not Linux), EOVERFLOW. Free: mem_deref
 */
int  ui_headset_alloc(struct ui_headset **hp, struct phone *ph,
		      const char *path);

#endif
