/**
 * @file app/line.h  Fields of a JSON line of ours, read with care
 *
 * The files are the user's and may hold anything.
 */
#ifndef OFFHOOK_APP_LINE_H
#define OFFHOOK_APP_LINE_H

#include "json.h"

/** "" when it is not there or no string */
const char *line_str(const json_t *o, const char *name);
/** 0 when it is not there, no integer, or below 0 */
int64_t line_int(const json_t *o, const char *name);
/** Field "time" in ms since the epoch, 0: none */
uint64_t line_time(const json_t *o);
/** s may hold anything: what is no UTF-8 becomes U+FFFD */
void line_set(json_t *o, const char *name, const char *s);

#endif
