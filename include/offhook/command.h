/**
 * @file command.h  One command table: everything a user can do is a line
 *
 * Each front end has a client: its own queue of lines, its own selected
 * call.  Lines run in order; a line that waits (`wait`, `sleep`) holds back
 * those behind it without blocking the loop.  Replies go to the client that
 * asked.  Main thread.
 */
#ifndef OFFHOOK_COMMAND_H
#define OFFHOOK_COMMAND_H

#include "offhook/app.h"
#include "offhook/capture.h"
#include "offhook/lamps.h"
#include "offhook/metrics.h"
#include "offhook/pcap.h"

enum screen_verb { SCREEN_VIEW, SCREEN_ACT };

/** What `screen` takes */
#define SCREEN_ACTIONS							\
	"up,down,page-up,page-down,top,bottom,left,right,choose,back,"	\
	"find,search,next,previous,line,hush,redraw,suspend,own"

/** What commands act on; filled by main.c, borrowed */
struct phone {
	struct config *config;
	struct event_bus *bus;
	struct media *media;
	struct ua *ua;
	struct answer *answer;
	struct forward *forward;
	struct ringer *ringer;
	struct devices *devices;         /* NULL: there is no sound card     */
	struct capture *capture;         /* NULL: nothing is kept            */
	struct history *history;
	struct messages *messages;
	struct outbox *outbox;           /* NULL: a command that soon ends   */
	struct contacts *contacts;
	struct lamps *lamps;             /* NULL: nobody is watched          */
	struct numbers *numbers;
	struct hooks *hooks;
	struct metrics *metrics;         /* NULL: nothing is counted         */
	struct pcap *pcap;               /* NULL: no file is written         */
	struct audio_spec audio;
	bool audio_given;        /* by -A, not the default                   */
	char config_dir[512];
	/** Ask the program to end with this code; -1: the usual one */
	void (*quit_h)(int code, void *arg);
	/** Start or stop the trace; path NULL: the log; "" : off */
	int  (*trace_h)(const char *path, void *arg);
	void *arg;
	/** What `view` and `screen` ask of the full-screen phone; NULL: there
	 *  is none. err: one sentence. @return 0, ENOENT: no such page */
	int  (*screen_h)(enum screen_verb verb, const char *what,
			 const char *text, char *err, void *arg);
	void *screen_arg;
	/** Let the terminal go and stay; err: UA_ERR bytes. NULL: it has none */
	int  (*detach_h)(char *err, void *arg);
	void *detach_arg;
};

/** What the engine is told, from the options */
void phone_media_conf(struct media_conf *mc, const struct config *config);
/** Levels, form and size of the log, from the options */
void phone_log_conf(const struct config *config);

/* Replies: records of names and values ----------------------------------- */

enum value_type { VAL_STR, VAL_INT, VAL_DOUBLE, VAL_BOOL };

struct reply;                    /* one command's result, in the making     */

/** A list of rows, empty so far; JSON: an array named KINDs */
void reply_list(struct reply *r, const char *kind);
/** New record (a row); without it values belong to the reply itself */
void reply_row(struct reply *r, const char *kind);       /* "call", "device" */
void reply_str(struct reply *r, const char *name, const char *v);
void reply_int(struct reply *r, const char *name, int64_t v);
/** NAN: left out. JSON: a name in -ms is a whole number */
void reply_double(struct reply *r, const char *name, double v);
void reply_bool(struct reply *r, const char *name, bool v);
/** A line for people only (help text); JSON: "text" */
void reply_text(struct reply *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** Ends in an error: a stable token and a sentence; the first one counts */
void reply_error(struct reply *r, const char *token, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** What a COMMAND of the shell exits with, when 0 and 1 say too little */
void reply_set_exit(struct reply *r, int code);

bool reply_ok(const struct reply *r);
const char *reply_token(const struct reply *r);
const char *reply_error_text(const struct reply *r);
/** Where the line came from, "FILE:LINE", or "" */
const char *reply_where(const struct reply *r);
/** The line itself, with secrets masked, or ""; and how long it took */
const char *reply_line(const struct reply *r);
uint64_t reply_took_ms(const struct reply *r);
/** Exit code of a COMMAND: 0, 2 wrong usage, 1 else, or what was set */
int reply_exit(const struct reply *r);
/** For people: values, columns, then text; "" when there is nothing to say.
 *  Escaped for a terminal. free() */
char *reply_print(const struct reply *r);
/** One JSON line without newline: {"reply":id,"ok":...}. free() */
char *reply_json(const struct reply *r);
/** What a JSON line holds beside the fields: nothing; "exit", what a COMMAND
 *  would exit with; that, and "print", what a person would read */
enum client_form { CLIENT_JSON = 0, CLIENT_EXIT, CLIENT_PRINT };
char *reply_json_form(const struct reply *r, enum client_form form);
/** What is wrong before there is a client, as the reply to a bare line */
char *reply_error_json(const char *token, const char *text);

/* Error tokens ----------------------------------------------------------- */

/** One a meaning, stable: programs branch on them */
struct error_row {
	const char *token;       /* "no-such-file"                           */
	const char *summary;
};
const struct error_row *error_at(size_t i);              /* NULL ends it */
const struct error_row *error_find(const char *token);   /* NULL: none   */
/** The token an errno is told under */
const char *error_token(int err);

/* Clients ---------------------------------------------------------------- */

struct client;

/** Handlers may submit lines and deref the client */
struct client_h {
	/** A line or request is done. failed: with an error, and no '-' before
	 *  it says that this does not matter */
	void (*reply_h)(const struct reply *r, bool failed, void *arg);
	/** A line of a command that talks while it runs (selftest) */
	void (*line_h)(const char *line, void *arg);
	/** Events of the types asked for; may be NULL */
	void (*event_h)(const struct event *ev, void *arg);
	/** The queue ran empty */
	void (*idle_h)(void *arg);
	/** `events on --since`: tell again of these, from that number on.
	 *  first: the oldest there is. @return 0, ENODATA: not all are kept.
	 *  NULL: it cannot */
	int (*replay_h)(uint64_t since, event_set types, unsigned call,
			uint64_t *first, void *arg);
	/** `output`: what replies and events hold; NULL: it cannot choose */
	void (*form_h)(enum client_form form, void *arg);
};

enum { CLIENT_LINE_MAX = 8192, CLIENT_LINES_MAX = 10000 };

int  client_alloc(struct client **cp, struct phone *ph,
		  const struct client_h *h, void *arg);  /* free: mem_deref */
/**
 * Append a line: a command line, or a JSON request when it starts with '{'.
 * An idle client runs it at once.
 * @param where "FILE:LINE" for errors, or NULL
 * @return 0, ENOSPC (CLIENT_LINES_MAX wait), E2BIG (over CLIENT_LINE_MAX)
 */
int  client_submit(struct client *cl, const char *line, size_t len,
		   const char *where);
/** Run a line that could not even be submitted: its error is replied */
void client_refuse(struct client *cl, const char *where, const char *token,
		   const char *text);
/** Forget what is queued and stop what waits (a failed script) */
void client_flush(struct client *cl);
bool client_busy(const struct client *cl);
/** Its line waits for what a `quit` need not wait for: who has more lines
 *  submits them, a few at most */
bool client_yields(const struct client *cl);
/** Lines that wait behind the one that runs */
size_t client_waiting(const struct client *cl);
/** Which events event_h hears */
void client_events(struct client *cl, event_set types);
/** Is it told of any event? */
bool client_hears(const struct client *cl);
/** Replies of commands that talk while they run are JSON objects */
void client_set_json(struct client *cl, bool json);
/** Did a line fail so far? As reply_h's failed */
bool client_failed(const struct client *cl);
unsigned client_selected(const struct client *cl);       /* call id, 0 none */
/** From now on this call is meant when none is named */
void client_choose(struct client *cl, unsigned id);
/** First call this client started, 0 none */
unsigned client_first_call(const struct client *cl);

/* The table -------------------------------------------------------------- */

/** ARG_NONE: an option without a value */
enum arg_type {
	ARG_NONE = 0, ARG_CALL, ARG_TARGET, ARG_ACCOUNT, ARG_TIME, ARG_DEVICE,
	ARG_OPTION, ARG_CHOICE, ARG_INT, ARG_DOUBLE, ARG_FILE, ARG_WORD,
	ARG_DIGITS, ARG_REST, ARG_COMMAND,
};

struct command_arg {
	const char *name;
	enum arg_type type;
	const char *choices;     /* ARG_CHOICE: "on,off"                     */
	int64_t min, max;        /* numbers; of a choice: they do as well    */
	bool optional;
	bool many;               /* may be given again and again             */
	const char *summary;
	const char *word;        /* what stands for it in the usage, NULL: as
				    its type says                            */
};

struct command;
struct option;
const struct command *command_find(const char *name);    /* or alias */
const struct command *command_at(size_t i);              /* NULL ends it */
const char *command_name(const struct command *c);
const char *command_alias(const struct command *c);      /* or ""           */
const char *command_group(const struct command *c);
const char *command_summary(const struct command *c);
/** A name ends them */
const struct command_arg *command_args(const struct command *c);
const struct command_arg *command_options(const struct command *c);
/** As a COMMAND of the shell: it runs until what it started has ended */
bool command_lasting(const struct command *c);
/** It needs no listening phone: phone.ua may be NULL */
bool command_alone(const struct command *c);
enum { COMPLETE_EXPECTS = 160 };

typedef void (complete_h)(const char *text, const char *about, void *arg);
/** Offer whom one may call, by what is typed of it: contacts, history */
typedef void (target_h)(const char *typed, complete_h *h, void *h_arg,
			void *arg);
/**
 * What may stand at the end of an unfinished line, offered in order.
 * @param from     where the word begins that would be replaced
 * @param expects  what is expected there, COMPLETE_EXPECTS bytes, or ""
 * @param targets  NULL: targets are not known
 */
void command_complete(const struct phone *ph, const char *line, size_t len,
		      size_t *from, char *expects, target_h *targets,
		      void *targets_arg, complete_h *h, void *arg);
/**
 * Somebody writes this line, key by key; or has given it up. One that is a
 * message is told to whom it is for (ua_typing).
 */
void command_typing(const struct phone *ph, const char *line, bool goes_on);
/** Whole help of a command, or the list (NULL); free() */
char *command_help(const struct command *c);
/** All about an option, wrapped; caller frees */
char *option_help(const struct option *o);
/**
 * Machine form of the tables, JSON: commands, options, events, accounts,
 * figures, errors; schema: the JSON protocol; or config, the commented
 * default file. free(); NULL: no such
 */
char *command_dump(const char *what);
/** Join words of argv into one line, quoted so that parsing gives them back */
int  command_join(char *buf, size_t sz, int argc, char *const argv[]);

#endif
