/**
 * @file show.c  Values as people read them
 *
 * Pure, but for the time zone.  Main thread.
 */
#include <math.h>
#include <stdio.h>
#include <time.h>
#include "offhook/text.h"
#include "pane.h"


const char *show_uri(char *buf, size_t sz, const char *uri)
{
	const char *end, *semi;
	size_t n;

	if (!strncasecmp(uri, "sip:", 4) || !strncasecmp(uri, "tel:", 4))
		uri += 4;
	else if (!strncasecmp(uri, "sips:", 5))
		uri += 5;

	/* parameters say nothing of who it is */
	end = uri + strlen(uri);
	semi = strpbrk(uri, ";?");
	n = (size_t)((semi ? semi : end) - uri);
	text_escape(buf, sz, uri, n);

	return buf;
}


const char *show_duration(char *buf, size_t sz, uint64_t ms)
{
	const unsigned long long s = ms / 1000;

	if (s >= 3600)
		snprintf(buf, sz, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60,
			 s % 60);
	else
		snprintf(buf, sz, "%llu:%02llu", s / 60, s % 60);

	return buf;
}


const char *show_clock(char *buf, size_t sz, uint64_t wall_ms, bool seconds)
{
	const time_t t = (time_t)(wall_ms / 1000);
	struct tm tm;

	if (!localtime_r(&t, &tm) ||
	    !strftime(buf, sz, seconds ? "%H:%M:%S" : "%H:%M", &tm))
		buf[0] = '\0';

	return buf;
}


/* Days since some Monday's midnight, as the wall shows them here */
static long day_of(const struct tm *tm)
{
	struct tm noon = *tm;

	/* noon exists on every day, whatever the clocks do at night */
	noon.tm_hour = 12;
	noon.tm_min = noon.tm_sec = 0;
	noon.tm_isdst = -1;

	return (long)(timegm(&noon) / 86400);
}


const char *show_when(char *buf, size_t sz, uint64_t wall_ms,
		      uint64_t now_ms)
{
	const time_t t = (time_t)(wall_ms / 1000);
	const time_t now = (time_t)(now_ms / 1000);
	struct tm a, b;
	long days;
	size_t n;

	buf[0] = '\0';
	if (!localtime_r(&t, &a) || !localtime_r(&now, &b))
		return buf;

	days = day_of(&b) - day_of(&a);
	if (days == 1) {
		snprintf(buf, sz, "yesterday");
		return buf;
	}

	n = !days ? strftime(buf, sz, "%H:%M", &a) :
		days > 1 && days < 7 ? strftime(buf, sz, "%a", &a) :
		a.tm_year == b.tm_year ? strftime(buf, sz, "%d %b", &a) :
		strftime(buf, sz, "%Y-%m-%d", &a);
	if (!n)
		buf[0] = '\0';

	return buf;
}


const char *show_mos(double mos, enum style *st)
{
	if (!(mos > 0)) {
		*st = STYLE_DIM;
		return "";
	}

	*st = mos >= 3.8 ? STYLE_OK : mos >= 3.1 ? STYLE_WORK : STYLE_BAD;

	return mos >= 4.0 ? "good" : mos >= 3.6 ? "fair" :
		mos >= 3.1 ? "poor" : "bad";
}


const char *show_state(const struct call *c, enum style *st)
{
	*st = STYLE_WORK;

	switch (call_state(c)) {

	case CALL_IDLE:     return "STARTING";
	case CALL_CALLING:  return "CALLING";
	case CALL_RINGING:  return "RINGING";
	case CALL_EARLY:    return call_outgoing(c) ? "EARLY MEDIA" :
		"INCOMING";
	case CALL_INCOMING: *st = STYLE_ALERT; return "INCOMING";
	case CALL_ACTIVE:   break;
	case CALL_ENDED:
	case CALL_STATES:   *st = STYLE_DIM; return "ENDED";
	}

	if (call_held(c))
		return call_held_remote(c) ? "HELD by both" : "HELD by us";
	if (call_held_remote(c))
		return "HELD by them";

	*st = STYLE_OK;

	return "ACTIVE";
}


void show_levels(const struct area *a, int x, int y, int n, const int8_t *v,
		 unsigned count)
{
	for (int i = 0; i < n; i++) {

		const unsigned back = (unsigned)(n - i);
		int db = -96, eighths;

		if (back <= count && back <= TREND_LEVELS)
			db = v[(count - back) % TREND_LEVELS];

		/* speech is between -45 and -10; a line where nothing is */
		eighths = db <= -58 ? 0 : (db + 58) * 8 / 50 + 1;
		area_text(a, x + i, y, eighths ? STYLE_METER : STYLE_RULE,
			  block(a->cv, eighths ? eighths : 1));
	}
}


const char *show_level(char *buf, size_t sz, int dbfs)
{
	if (dbfs <= -70)
		snprintf(buf, sz, "silent");
	else
		snprintf(buf, sz, "%3d dB", dbfs);

	return buf;
}


const char *tui_quote(const char *word, char *buf, size_t sz)
{
	size_t at = 0;

	if (sz < 3)
		return "";

	buf[at++] = '\'';
	for (; *word && at + 6 < sz; word++) {
		if (*word == '\'') {
			memcpy(buf + at, "'\\''", 4);
			at += 4;
		}
		else if ((unsigned char)*word >= 0x20) {
			buf[at++] = *word;
		}
	}
	buf[at++] = '\'';
	buf[at] = '\0';

	return buf;
}
