/**
 * @file secret.h  A password from a command, while the phone runs
 *
 * pass, gpg, a keyring.  Nothing waits for it.  The command gets no terminal:
 * there may be a screen on ours, and somebody may be typing there.  So one
 * that can only ask there fails, one that asks in a window of its own may.
 * Main thread.
 */
#ifndef OFFHOOK_SECRET_H
#define OFFHOOK_SECRET_H

enum {
	SECRET_ERR = 200,
	SECRET_MAX_MS = 60000,           /* for the command                  */
	SECRET_WAIT_MS = 90000,          /* by then it was told for certain  */
};

struct secret;

/** Once, from the loop. password: the first line of what it printed, gone
 *  when the handler returns; NULL: why says in one sentence what went wrong */
typedef void (secret_h)(const char *password, const char *why, void *arg);

/**
 * Run it by the shell, for 60 s at most; it may go on for a second once its
 * first line is there. h is not called before this returns, and may free it.
 * @return 0 or errno. mem_deref ends the command, without a word
 */
int secret_run(struct secret **sp, const char *command, secret_h *h,
	       void *arg);

#endif
