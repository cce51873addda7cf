/**
 * @file hold_music.c  What somebody hears whom we hold
 *
 * Option hold-music: a file that begins again and again.  It gives way to
 * what the user plays, which is told by events; this is not.  Main thread.
 */
#include "priv.h"


static bool wanted(const struct call *c)
{
	return c->hold && c->state == CALL_ACTIVE && !c->play.path &&
		c->ua->config->hold_music[0];
}


static void start(struct call *c)
{
	struct ua *ua = c->ua;
	char why[UA_ERR] = "";
	int err;

	err = ua_sound_load(ua, ua->config->hold_music, why);
	if (!err)
		err = stream_play_two(c->stream, ua->sound, ua->sound_side,
				      ua->soundc, ua->sound_hz, true);
	if (!err) {
		c->music.on = true;
		return;
	}

	/* said once a hold */
	c->music.failed = true;
	log_warn("call %u: no music on hold: %s", c->id,
		 why[0] ? why : strerror(err));
}


void hold_music_stop(struct call *c)
{
	if (!c->music.on)
		return;

	c->music.on = false;
	++c->music.owed;
	stream_play_stop(c->stream);
}


void hold_music_settle(struct call *c)
{
	if (!wanted(c)) {
		hold_music_stop(c);
		c->music.failed = c->music.failed && c->hold;
	}
	else if (!c->music.on && !c->music.failed) {
		start(c);
	}
}


bool hold_music_done(struct call *c)
{
	if (!c->music.owed)
		return false;

	--c->music.owed;

	return true;
}
