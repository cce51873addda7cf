/**
 * @file info.h  What this kind of terminal can do, from terminfo
 *
 * Main thread; one at a time.
 */
#ifndef OFFHOOK_TUI_INFO_H
#define OFFHOOK_TUI_INFO_H

#include "canvas.h"

struct info;

enum info_cap {
	INFO_CLEAR, INFO_SHOW, INFO_HIDE, INFO_ENTER, INFO_LEAVE,
	INFO_KEYPAD_ON, INFO_KEYPAD_OFF, INFO_RESET,
	INFO_CAPS
};

/** colours: no more than these, -1: as many as it has. err: one sentence, 256
 *  bytes. @return 0, ENOENT, ENOMEM */
int  info_alloc(struct info **ip, const char *name, int fd, int colours,
		char *err);
/** Is its background light? Until told: dark */
void info_set_light(struct info *i, bool light);
void info_free(struct info *i);
/** "" when it cannot do that */
const char *info_cap(const struct info *i, enum info_cap cap);
/** @return buf */
const char *info_move(const struct info *i, char *buf, size_t sz, int x,
		      int y);
/** Everything that turns this style on, whatever was on before */
const char *info_style(const struct info *i, enum style st);
/** Does it understand what xterm does: titles, mouse, marked pastes? */
bool info_xterm(const struct info *i);
/** 0, 8, 16 or 256 */
int  info_colours(const struct info *i);

#endif
