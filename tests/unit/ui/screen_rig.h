/**
 * @file screen_rig.h  The full-screen phone on a canvas, on a phone by hand
 */
#ifndef SCREEN_RIG_H
#define SCREEN_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "../command/fake_ua.h"
#include "tui/tui.h"

struct screen_rig {
	struct phone ph;
	struct tui *t;
	char dir[64];            /* of its files                             */
	char text[300000];
};

/** The parts of a phone; files in ph.config_dir. Then screen_open() */
void screen_setup(struct screen_rig *r);
void screen_open(struct screen_rig *r);
void screen_close(struct screen_rig *r);
/** Of a test whose state is a rig from the heap */
int  screen_teardown(void **state);
/** A file in its directory: FILE *, NULL never */
FILE *screen_file(const struct screen_rig *r, const char *name);
/** Paint. @return all rows; none is wider than the screen */
const char *screen_paint(struct screen_rig *r, int w, int h);
void screen_has(struct screen_rig *r, int w, int h, const char *what);
void screen_hasnt(struct screen_rig *r, int w, int h, const char *what);
void screen_key(struct screen_rig *r, const char *name);
void screen_type(struct screen_rig *r, const char *text);
/** Of the row it stands in, -1: none */
int  screen_row(const struct screen_rig *r, const char *what);

#endif
