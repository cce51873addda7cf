/**
 * @file app/process.h  A program of the user's, run beside the phone
 *
 * Nothing waits for it: what it is told fits into a pipe, what it says is
 * collected as it comes, and when its time is over it and what it started are
 * killed.  Main thread.
 */
#ifndef OFFHOOK_APP_PROCESS_H
#define OFFHOOK_APP_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROCESS_OUTPUT = 4096 };

struct process;
struct process_conf {
	const char *path;        /* its name is the last part                */
	const char *shell;       /* or a line of the shell in its place      */
	char *const *env;        /* NAME=VALUE beside our own, NULL ends it  */
	const char *input;       /* on its stdin, at most 32 KiB             */
	size_t len;
	uint64_t deadline_ms;
	bool secret;             /* see below                                */
};

/*
 * What a secret one says first is a password: it is wiped in the end, and
 * nothing behind the first line is read; from then on it has a second.  It
 * gets no terminal to ask at, as there may be a screen on ours.
 */

/**
 * Once, from the loop: it has ended, or was killed. exit: its code, 128 + the
 * signal. late: its time was over. out: the first PROCESS_OUTPUT bytes it said
 */
typedef void (process_h)(int code, bool late, const char *out, size_t len,
			 void *arg);

/** @return 0 or errno. mem_deref kills it, without a word */
int process_start(struct process **pp, const struct process_conf *conf,
		  process_h *h, void *arg);

#endif
