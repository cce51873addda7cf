/**
 * @file ui.h  Ways to type lines and see events
 *
 * script.c: lines from stdin, a file, -e or the shell's COMMAND, printed as
 * text or as JSON lines.  Main thread.
 */
#ifndef OFFHOOK_UI_H
#define OFFHOOK_UI_H

#include "offhook/command.h"

struct ui_conf {
	int in_fd;               /* lines are read from here; -1: none       */
	int out_fd;              /* replies and events                       */
	bool json;
	bool quiet;
	bool commands;           /* stop the script at a failed line         */
	/**
	 * All input has been run (end of file and queue empty), or a line
	 * failed. failed: exit code 1 is due
	 */
	void (*end_h)(bool failed, void *arg);
	void *arg;
};

struct ui_script;
int  ui_script_alloc(struct ui_script **up, struct phone *ph,
		     const struct ui_conf *conf);         /* free: mem_deref */
/** Lines before the input (-e, COMMAND) */
int  ui_script_line(struct ui_script *u, const char *line);
struct client *ui_script_client(struct ui_script *u);
/** Begin: run queued lines, then read in_fd */
int  ui_script_start(struct ui_script *u);

#endif
