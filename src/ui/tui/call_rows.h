/**
 * @file call_rows.h  A call in a few rows: what home and its own page share
 *
 * Main thread.
 */
#ifndef OFFHOOK_TUI_CALL_ROWS_H
#define OFFHOOK_TUI_CALL_ROWS_H

#include "tui.h"

/** One row: who, state, since when, codec, lock, quality */
void call_row(struct tui *t, const struct area *a, int y, struct call *c,
	      bool selected);
/** Everything about a call, as many rows as there are. @return row below */
int  call_block(struct tui *t, const struct area *a, int y, struct call *c);
/** "srtp", "dtls-srtp": how nobody can listen; NULL: whoever is on the way can */
const char *call_lock(const struct call *c);
/** "REC MUTED CONFERENCE 1". @return column behind */
int  call_flags(const struct area *a, int x, int y, const struct call *c);

/** Where the time between two mouths goes, in ms; EVENT_NONE: not known */
struct budget {
	int64_t net, buffer, packet, device;
	int64_t total;           /* of what is known                         */
};
/** @return false: nothing is known yet */
bool call_budget(struct budget *b, const struct trend *tr, struct call *c);
/** "41 ms = net 18 + buffer 12 + device 11". @return buf */
const char *budget_text(char *buf, size_t sz, const struct budget *b);

/** n columns of the last seconds, newest right */
enum trend_kind { TREND_MOS, TREND_LOSS, TREND_JITTER };
void trend_line(const struct area *a, int x, int y, int n,
		const struct trend *tr, enum trend_kind kind);

#endif
