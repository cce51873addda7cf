/**
 * @file command/account.h  Inside the commands about accounts
 *
 * cmd_account.c lists and changes them and has the rows, cmd_register.c lets
 * them register.
 */
#ifndef OFFHOOK_COMMAND_ACCOUNT_H
#define OFFHOOK_COMMAND_ACCOUNT_H

#include "priv.h"

/* cmd_account.c */
void reply_accounts(struct cmd *x);              /* a row for each           */
void reply_binding(struct reply *r, const struct sip_binding *b);

/* cmd_register.c */
cmd_run_h cmd_register, cmd_unregister;
/** `accounts --fetch`: waits for the registrar's answer */
void cmd_fetch(struct cmd *x);
/** `wait registered`: name NULL: all that should be */
void cmd_wait_registered(struct cmd *x, const char *name, uint64_t bound_ms);

#endif
