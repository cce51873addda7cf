/**
 * @file main.h  What main.c, args.c, trace.c and secret.c share
 */
#ifndef OFFHOOK_MAIN_H
#define OFFHOOK_MAIN_H

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
	bool json, quiet;
	unsigned verbose;
	const char *log;
	bool trace;
	const char *trace_file;  /* NULL: the log                            */
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

/* trace.c: SIP messages as sent and received ------------------------------ */

struct trace;
int  trace_alloc(struct trace **tp);                     /* free: mem_deref */
/** path NULL: the log, "": off, else a file to append to */
int  trace_to(struct trace *t, const char *path);
void trace_message(bool tx, enum sip_transp tp, const struct sa *local,
		   const struct sa *peer, const char *text, size_t len,
		   void *arg);

/* secret.c: passwords from a command --------------------------------------- */

/** First line of what the command prints; err: one sentence. Blocks until
 *  it ends, 60 s at most. @return 0 or errno */
int  secret_read(char *buf, size_t sz, const char *command, char *err);

#endif
