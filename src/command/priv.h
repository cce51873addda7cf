/**
 * @file command/priv.h  Inside the command module: rows, words, lines
 */
#ifndef OFFHOOK_COMMAND_PRIV_H
#define OFFHOOK_COMMAND_PRIV_H

#include <stdarg.h>
#include "offhook/command.h"
#include "offhook/text.h"
#include "offhook/timer.h"

enum {
	WORDS_MAX = 256,         /* of a line                                */
	TEXT_MAX  = 65536,       /* of a line, variables put in              */
	VAR_MAX   = 8192,        /* a variable's value                       */
	DIGITS_MAX = 256,        /* DTMF kept for `expect dtmf`              */
};

struct cmd;
typedef void (cmd_run_h)(struct cmd *x);

/** One row of the table: data plus one function */
struct command {
	const char *name;
	const char *alias;
	const struct command_arg *args;          /* see ARGS; NULL: none     */
	const struct command_arg *options;
	const char *summary;
	const char *help;
	bool lasting;            /* starts something that lasts              */
	bool alone;              /* works without a listening phone          */
	bool line;               /* its ARG_REST is a line, quotes are kept  */
	cmd_run_h *run;
};

/* A list of struct command_arg as a row has it: only as long as it is, for
 * all of it is written to when the program is loaded */
#define ARGS(...) (const struct command_arg[]){ __VA_ARGS__, { .name = NULL } }

struct command_group {
	const char *name;
	const struct command *v;
	size_t n;
};
extern const struct command_group group_dialling, group_calls,
	group_listening, group_sound, group_accounts, group_people, group_kept,
	group_scripts, group_looking, group_resolving, group_diagnosis,
	group_control, group_phone, group_screen;

/* parse.c: a line into words --------------------------------------------- */

struct words {
	size_t n;
	char *v[WORDS_MAX];
	struct text_buf text;    /* where they are                           */
};

/** Value of `$name`; @return 0, ENOENT (unset), EOVERFLOW */
typedef int (parse_var_h)(const char *name, char *buf, size_t sz, void *arg);

/**
 * @param err  one sentence, UA_ERR bytes
 * @return 0, EINVAL, E2BIG; *token then says which. Free: mem_deref
 */
int words_parse(struct words **wp, const char *line, size_t len,
		parse_var_h *var_h, void *arg, const char **token, char *err);
/** A `-` before the line (and its command): an error does not matter */
bool line_unbound(const char **line, size_t *len);

/* bind.c: words or JSON into typed values -------------------------------- */

struct bound {
	struct le le;
	const struct command_arg *arg;
	char *s;                 /* as given                                 */
	int64_t i;               /* numbers, calls                           */
	double d;
	uint64_t ms;             /* times                                    */
	bool number;             /* ARG_CHOICE: the number it may be too     */
	bool dashes;             /* given as --name                          */
};

/** @return 0, or EINVAL with the reply's error set */
int bind_words(struct cmd *x, const struct words *w, size_t first);
struct json_t;
int bind_json(struct cmd *x, const struct json_t *args);
/** Its help, with the list that "@events@" or "@figures@" in it stands for */
void command_about(struct text_buf *b, const struct command *c);
/** How it is written: "dial TARGET [--play FILE]" */
void command_usage(struct text_buf *b, const struct command *c);
const char *command_arg_word(const struct command_arg *a, char *buf,
			     size_t sz);

/* examples.c -------------------------------------------------------------- */

struct example {
	const char *command, *line, *about;
};
/** The next one of this command behind e, NULL: the first. @return NULL: there
 *  is no more */
const struct example *example_next(const char *command,
				   const struct example *e);

/* check.c ---------------------------------------------------------------- */

/** v->s is what the row asks for, else the error is replied; sets the number
 *  it stands for. @return 0, EINVAL */
int bound_check(struct cmd *x, struct bound *v);
/** "did you mean 'x'?", or what is said when no name is near */
const char *hint_text(char *buf, size_t sz, const char *word,
		      text_name_h *name_h, const void *arg,
		      const char *otherwise);
/** The argument as the user named it: "--for", in a request "for" */
const char *bound_name(const struct cmd *x, const struct bound *v, char *buf,
		       size_t sz);

/* Argument `call` of every command that is about one */
#define THE_CALL							\
	{ .name = "call", .type = ARG_CALL, .optional = true,		\
	  .summary = "its number, Call-ID or other side; without it the "\
		     "selected call" }

/* What it is to use of sound */
#define THE_SOUND							\
	{ .name = "codecs", .type = ARG_WORD,				\
	  .summary = "these, the best first, in place of option codecs" }, \
	{ .name = "direction", .type = ARG_CHOICE,			\
	  .choices = "sendrecv,sendonly,recvonly,inactive",		\
	  .summary = "which way sound may go" }

/* ... and how it is described */
#define THE_DESCRIPTION							\
	{ .name = "sdp-file", .type = ARG_FILE,				\
	  .summary = "describe the sound as this file does, with "	\
		     "{address}, {family}, {port} and {rtcp-port} "	\
		     "filled in; what is wrong with it is told" }

/* Handlers whose rows are in another file */
cmd_run_h cmd_options, cmd_wait_line, cmd_expect, cmd_assert, cmd_devices,
	cmd_dtmf, cmd_hold, cmd_info, cmd_request, cmd_resume, cmd_selftest,
	cmd_transfer, cmd_redirect, cmd_update, cmd_reinvite,
	cmd_swap, cmd_pickup, cmd_voicemail;
/* cmd_conference.c */
cmd_run_h cmd_conference, cmd_gain, cmd_pan;
/* of cmd_config.c */
cmd_run_h cmd_log;
/* of cmd_script.c */
cmd_run_h cmd_if, cmd_repeat, cmd_run_shell;
/* of cmd_diagnosis.c */
cmd_run_h cmd_ice, cmd_ladder, cmd_sdp, cmd_explain, cmd_pcap, cmd_doctor,
	cmd_fault, cmd_sip_fault;

/* cmd_load.c */
/** Many calls like that one (dial --calls) */
void cmd_load(struct cmd *x, const struct ua_dial *prm);
cmd_run_h cmd_identities;
/* cmd_hear.c */
enum hear_what { HEAR_TONE, HEAR_SPEECH, HEAR_SILENCE, HEAR_NAMED };
/** Wait until that is heard in the call that is meant */
void cmd_hear(struct cmd *x, enum hear_what what, double hz,
	      uint64_t bound_ms);
/** The same of a tone of the network. @return false: there is none of that
 *  name */
bool cmd_hear_named(struct cmd *x, const char *name, uint64_t bound_ms);
/* cmd_expect.c */
/** Is FIGURE OP VALUE so? What is wrong with it is replied. A figure that is
 *  not known has no relation to anything. @return 0, EINVAL */
int  assert_holds(struct cmd *x, const char *expr, bool *ok);
cmd_run_h cmd_device;

/* cmd_headers.c */
enum { CMD_HEADERS_MAX = 4096 };         /* those of the user            */
/** "Name: value" lines of --header; what is wrong is replied. Free with
 *  text_buf_reset. @return 0, EINVAL */
int cmd_headers(struct cmd *x, struct text_buf *b);
/** The selected call if it rings, else one that does; NULL: none */
struct call *cmd_any_ringing(struct cmd *x);
/** cmd_ask.c: keys as INFO */
void cmd_dtmf_info(struct cmd *x, struct call *c);

/* files.c: each replies what is wrong. @return 0 or errno ---------------- */

/** Can it be read? */
int cmd_file_check(struct cmd *x, const char *path);
/** What --sdp-file names, to be freed, or NULL. @return 0; else told */
int  cmd_sdp_read(struct cmd *x, char **sdp);
/** Our next description in this call is what --sdp-file names, NULL: nothing.
 *  @return 0; else told */
int  cmd_sdp_next(struct cmd *x, struct call *c, char **sdp);
/** What is wrong with it, into the reply, behind all else */
void cmd_sdp_lint(struct cmd *x, const char *sdp);
/** Is it a sound file that can be played? */
int cmd_play_check(struct cmd *x, const char *path);
/** Can it be written? A new one is not left behind. numbered: %n stands for
 *  the number of a call */
int cmd_record_check(struct cmd *x, const char *path, bool numbered);

/* cmd_request.c */
struct sip_result;
/** Reply how a request failed, with the exit code of a call that fails so */
void cmd_result(struct cmd *x, const struct sip_result *res);

/* command.c: a command that runs ----------------------------------------- */

typedef void (cmd_event_h)(struct cmd *x, const struct event *ev);
typedef void (cmd_late_h)(struct cmd *x);

/** One line in the works; owned by its client until it is done */
struct cmd {
	struct client *cl;
	struct phone *ph;
	const struct command *command;
	struct reply *reply;
	struct list values;      /* struct bound                             */
	bool request;            /* JSON                                     */
	bool unbound;            /* an error does not end the script         */
	bool waiting;            /* the handler returned, it is not done     */
	bool waited;             /* it was not done at once                  */
	bool yields;             /* what it waits for matters to a call only */
	char where[128];
	/* while it waits */
	event_set types;         /* events                                   */
	cmd_event_h *event_h;
	cmd_late_h *late_h;
	struct timer tmr;
	void *state;             /* the command's own, mem_deref             */
	struct event *told;      /* what it waited for, see cmd_told         */
};

bool        cmd_has(const struct cmd *x, const char *name);
const char *cmd_str(const struct cmd *x, const char *name);  /* NULL: none */
int64_t     cmd_int(const struct cmd *x, const char *name, int64_t def);
double      cmd_double(const struct cmd *x, const char *name, double def);
uint64_t    cmd_ms(const struct cmd *x, const char *name, uint64_t def);
const struct bound *cmd_value(const struct cmd *x, const char *name,
			      size_t i);     /* i-th of many, NULL: none */

/**
 * The call a line is about: argument `call`, else the selected one; an error
 * is replied when there is none.
 */
struct call *cmd_call(struct cmd *x);
/** What a line keeps while it runs: zeroed, and gone with the line; takes the
 *  place of what it kept before. @return NULL: no memory, which is replied */
void *cmd_state(struct cmd *x, size_t sz, mem_destroy_h *dh);
/** Reply errno of a ua function with its sentence */
void cmd_fail(struct cmd *x, int err, const char *text);
/** The same of what is about somebody: ENOENT is told under this token, for no
 *  file is meant, EPROTONOSUPPORT is a target that is not spoken here */
void cmd_missing(struct cmd *x, int err, const char *token, const char *text);
/** The line itself is wrong: reply that. @return EINVAL */
int  cmd_wrong(struct cmd *x, const char *token, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * The line is not done when the handler returns: cmd_done() ends it, or
 * late_h after the bound (NULL: error "timeout").
 */
void cmd_wait(struct cmd *x, uint64_t bound_ms, cmd_late_h *late_h);
void cmd_wait_events(struct cmd *x, event_set types, cmd_event_h *h);
/** The same as cmd_wait, for what the other side of a call is to agree to: of
 *  no use to a `quit` right behind it, which waits a short time only */
void cmd_wait_peer(struct cmd *x, uint64_t bound_ms, cmd_late_h *late_h);
/** There is a `quit` behind it: let it wait no longer than that */
void cmd_hurry(struct cmd *x);
/** x must not be touched afterwards */
void cmd_done(struct cmd *x);
/** This event made the line done: a `wait EVENT` right behind it, written for
 *  a command that does not wait, is true at once */
void cmd_told(struct cmd *x, const struct event *ev);
/** A line while it runs */
void cmd_line(struct cmd *x, const char *line);

int  cmd_alloc(struct cmd **xp, struct client *cl, const char *where);
/** Make words or a request of the line and check it: x->command and values.
 *  @return false: there is nothing to run, the reply says why */
bool cmd_take(struct cmd *x, const char *line, size_t len);
/** Make words or a request of the line, check it and run it. The reply holds
 *  what went wrong. x->waiting afterwards: it is not done */
void cmd_run(struct cmd *x, const char *line, size_t len);

/* queue.c, topic.c ------------------------------------------------------- */

struct phone *client_phone(struct client *cl);
bool client_json(const struct client *cl);
/** Next call that has not ended, from the first one (prev NULL) */
struct call *topic_next_call(const struct ua *ua, const struct call *prev);
/** This client dialled: select the call, remember the first one */
void client_dialled(struct client *cl, unsigned id);
void client_select(struct client *cl, unsigned id);
/** The call that scripts talk about, living or ended; 0 none */
unsigned client_about(const struct client *cl);
/** The event that made the line before done, or NULL */
const struct event *client_fresh(const struct client *cl);
/** `wait call ended` was told of the end of the call it is about */
bool client_over(const struct client *cl);
void client_set_over(struct client *cl);
const char *client_digits(const struct client *cl);
void client_digits_take(struct client *cl, size_t n);
/** The last message.received that no line was about yet, or NULL */
const struct event *client_message(const struct client *cl);
void client_message_take(struct client *cl);
/** Put lines before all others (source); takes nothing when it fails */
int  client_insert(struct client *cl, const char *text, size_t len,
		   const char *file, char *err);
/** The same for lines that stand where another one does */
int  client_insert_at(struct client *cl, const char *text, size_t len,
		      const char *where, char *err);
parse_var_h client_var;          /* arg: struct client */
/** cmd.types changed */
void client_listen(struct client *cl);
void client_command_done(struct client *cl);
void client_line(struct client *cl, const char *line);

/* reply.c ---------------------------------------------------------------- */

/** id: JSON text of the request's id, NULL: a bare line */
int  reply_alloc(struct reply **rp, const char *where);
void reply_set_id(struct reply *r, const char *id);
void reply_usage(struct reply *r);       /* the error is wrong usage */
void reply_verror(struct reply *r, const char *token, const char *fmt,
		  va_list ap) __attribute__((format(printf, 3, 0)));
void reply_silent(struct reply *r);      /* values are for programs only */
/** It begins: what line it is */
void reply_begin(struct reply *r, const char *line, size_t len);
/** It is done; waited: an error says after how long */
void reply_end(struct reply *r, bool waited);

struct reply_value {
	struct le le;
	char name[32];
	enum value_type type;
	char *s;
	int64_t i;
	double d;
};

struct reply_record {
	struct le le;
	char kind[32];           /* "" : the reply itself                    */
	bool head;               /* only says that there is such a list      */
	struct list values;
};

struct reply {
	struct list records;     /* first: the reply itself                  */
	char id[160];            /* JSON text                                */
	char where[128];
	const char *command;     /* its name, NULL: there is none of it      */
	char *line;              /* as it was given, secrets masked          */
	uint64_t begin_ms, took_ms;
	char token[32];          /* "" : no error                            */
	char error[1024];
	int exit;                /* -1: by the error                         */
	bool usage;
	bool silent;             /* people see the event instead             */
	struct text_buf text;
};

/** Where others reach us (listen, status) */
void reply_listeners(struct reply *r, const struct ua *ua);
/** What becomes of calls by rule (status) */
void reply_forwards(struct reply *r, const struct forward *f);

/* figures.c: what `assert` and `$call.x` ask of a call ------------------- */

struct figure {
	const char *name;
	const char *unit;        /* "" none                                  */
	bool number;
	const char *summary;
};
const struct figure *figure_at(size_t i);                /* NULL ends it */
const struct figure *figure_find(const char *name);
/** Of a call living or ended. @return 0, ENOENT (no such call, no such
 *  figure), ENODATA (not known) */
int figure_get(const struct phone *ph, unsigned id, const struct figure *f,
	       double *num, char *str, size_t sz);
/** "registration"; "request.NAME", "response.NAME": a header of the last one of that call that
 *  came; "sent-request.NAME", "sent-response.NAME": that went */
bool message_figure_named(const char *name);
/** @return 0, ENODATA: there is no such message, or header, kept */
int  message_figure(const struct phone *ph, unsigned call, const char *name,
		    char *str, size_t sz);
/** A figure's number, as short as it is true to a thousandth */
void figure_print(char *buf, size_t sz, double num);
/** Values of a living call into the reply (calls, status, stats) */
void reply_call(struct reply *r, struct call *c);

/* results.c: what commands reply ------------------------------------------- */

struct result_row {
	const char *command;
	const char *fields;      /* "call calls[call peer]"; "*": any        */
	unsigned groups;         /* of errors                                */
	const char *errors;      /* tokens, with blanks between them         */
	bool cause;              /* its exit code is the cause of a call     */
};
const struct result_row *result_at(size_t i);            /* NULL ends it */
const struct result_row *result_find(const char *command);
/** Its tokens, beside those of any line */
void result_errors(struct text_buf *b, const struct result_row *row);
const char *result_any_line(void);
/** Does it hold only what is told of this command? why: what not */
bool result_fits(const struct reply *r, const char *command, char *why,
		 size_t sz);

/* errors.c --------------------------------------------------------------- */

/** Token of a request that failed */
const char *result_token(const struct sip_result *res);

#endif
