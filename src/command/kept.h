/**
 * @file command/kept.h  Inside the commands about what the phone keeps:
 * contacts, history, messages
 */
#ifndef OFFHOOK_COMMAND_KEPT_H
#define OFFHOOK_COMMAND_KEPT_H

#include "priv.h"

/* cmd_contacts.c; the rows are in cmd_history.c */
cmd_run_h cmd_contacts, cmd_contact;

#endif
