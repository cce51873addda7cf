/**
 * @file fake_sound.c  What commands ask of the sound of calls
 */
#include <stdio.h>
#include "fake_ua.h"


static unsigned place[32];       /* conference of each call                 */


int ua_conference(unsigned *nop, struct ua *ua, struct call *const *cv,
		  size_t n, char *err)
{
	char text[128] = "";
	(void)ua;
	(void)err;

	for (size_t i = 0; i < n; i++) {
		place[call_id(cv[i])] = 1;
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 " %u", call_id(cv[i]));
	}

	asked("ua_conference%s", text);
	*nop = 1;

	return 0;
}


int call_conference_leave(struct call *c, char *err)
{
	(void)err;
	asked("call_conference_leave %u", call_id(c));
	place[call_id(c)] = 0;

	return 0;
}


unsigned call_conference(const struct call *c)
{
	return place[call_id(c)];
}


int call_part(struct call *c, double db, bool mute, char *err)
{
	(void)err;
	asked("call_part %u %.1f %d", call_id(c), db, mute);

	return 0;
}


double call_part_db(const struct call *c, bool *mute)
{
	(void)c;
	*mute = false;

	return 0.0;
}


int call_gain(struct call *c, bool mic, double db, char *err)
{
	(void)err;
	asked("call_gain %u %s %.1f", call_id(c), mic ? "mic" : "speaker",
	      db);

	return 0;
}


double call_gain_db(const struct call *c, bool mic)
{
	(void)c;

	return mic ? 3.0 : -6.0;
}


void media_times(const struct media *m, struct media_times *t)
{
	(void)m;
	memset(t, 0, sizeof(*t));
}
