/**
 * @file call_look.c  What a screen may ask of a call
 *
 * Nothing here changes anything.  Main thread.
 */
#include "priv.h"


unsigned call_id(const struct call *c)
{
	return c ? c->id : 0;
}


enum call_state call_state(const struct call *c)
{
	return c && !c->ending && !c->finished ? c->state : CALL_ENDED;
}


unsigned call_seen(const struct call *c)
{
	return c ? c->seen : 0;
}


bool call_outgoing(const struct call *c)
{
	return c && c->outgoing;
}


bool call_rung(const struct call *c)
{
	return c && c->rung;
}


bool call_flows(const struct call *c)
{
	return c && c->flows;
}


bool call_replacing(const struct call *c)
{
	return c && !c->outgoing && sip_call_replaces(c->sip);
}


const struct account *call_account(const struct call *c)
{
	return c ? c->acc : NULL;
}


const char *call_sip_id(const struct call *c)
{
	return c && c->sip ? sip_call_id(c->sip) : "";
}


const char *call_peer(const struct call *c)
{
	return c ? c->peer : "";
}


const char *call_peer_name(const struct call *c)
{
	return c && c->name ? c->name : "";
}


bool call_held(const struct call *c)
{
	return c && c->hold;
}


bool call_held_remote(const struct call *c)
{
	return c && c->held_remote;
}


bool call_muted(const struct call *c)
{
	return c && c->muted;
}


bool call_recording(const struct call *c)
{
	return c && c->record.path;
}


bool call_playing(const struct call *c)
{
	return c && c->play.path;
}


uint64_t call_duration_ms(const struct call *c)
{
	if (!c || !c->active_ms)
		return 0;

	return (c->end_ms ? c->end_ms : clock_ms()) - c->active_ms;
}


const struct sip_result *call_result(const struct call *c)
{
	return c ? &c->result : NULL;
}


bool call_was_active(const struct call *c)
{
	return c && c->active_ms;
}


const struct media_plan *call_plan(const struct call *c)
{
	return c ? &c->plan : NULL;
}


int call_stats(struct call *c, struct stream_stats *st)
{
	if (!c || !st)
		return ENOTCONN;

	if (c->last_known) {
		*st = c->last;
		return 0;
	}

	if (!c->stream || !c->started)
		return ENOTCONN;

	return stream_stats(c->stream, st);
}


int call_ways(const struct call *c, struct media_ways *w)
{
	return c && c->stream ? stream_ways(c->stream, w) : ENOENT;
}


double call_mos(struct call *c)
{
	struct stream_stats st;

	if (call_stats(c, &st) || !st.packets_received)
		return 0;

	return media_mos_of(stats_r(&st, c->plan.codec,
				    stats_unheard_pct(&st)));
}


int call_set_name(struct call *c, const char *name)
{
	char *copy = NULL;
	int err;

	if (!c || !name)
		return EINVAL;

	err = utf8_dup(&copy, name, EVENT_TEXT - 1);
	if (err)
		return err;

	mem_deref(c->name);
	c->name = copy;

	return 0;
}


int call_set_ring_tone(struct call *c, const char *tone)
{
	char *copy = NULL;
	int err;

	if (!c || !tone || strlen(tone) >= CONFIG_STR)
		return EINVAL;

	err = utf8_dup(&copy, tone, CONFIG_STR - 1);
	if (err)
		return err;

	mem_deref(c->ring_tone);
	c->ring_tone = copy;

	return 0;
}


const char *call_ring_tone(const struct call *c)
{
	return c && c->ring_tone ? c->ring_tone : "";
}


int call_level(struct call *c, struct stream_level *l)
{
	if (!c || !l || c->state != CALL_ACTIVE || !c->stream || !c->started)
		return ENOTCONN;

	memset(l, 0, sizeof(*l));
	media_levels(c->ua->media, &c->stream, l, 1);

	return l->known ? 0 : EAGAIN;
}
