/**
 * @file figures.c  What can be asked of a call: `assert`, `$call.x`, rows
 *
 * One row per figure; a living call is asked itself, an ended one through
 * its record, so that a script may judge a call after its end.  Main thread.
 */
#include <math.h>
#include <stdio.h>
#include "priv.h"

enum figure_id {
	FIG_STATE, FIG_CODE, FIG_REASON, FIG_CAUSE, FIG_PEER, FIG_CODEC,
	FIG_SECURITY, FIG_DIRECTION, FIG_MOS, FIG_LOSS, FIG_JITTER, FIG_DELAY,
	FIG_RTT, FIG_SENT, FIG_RECEIVED, FIG_LOST, FIG_DURATION,
};

static const struct figure figures[] = {
	[FIG_STATE]     = { "state", "", false,
		"calling, ringing, early, incoming, active or ended" },
	[FIG_CODE]      = { "code", "", true, "SIP status" },
	[FIG_REASON]    = { "reason", "", false, "reason phrase" },
	[FIG_CAUSE]     = { "cause", "", false,
		"why it ended, a stable word" },
	[FIG_PEER]      = { "peer", "", false, "URI of the other side" },
	[FIG_CODEC]     = { "codec", "", false, "codec agreed" },
	[FIG_SECURITY]  = { "security", "", false,
		"protection of the media" },
	[FIG_DIRECTION] = { "direction", "", false,
		"sendrecv, sendonly, recvonly or inactive" },
	[FIG_MOS]       = { "mos", "", true,
		"estimate of listening quality, 1 to 4.5" },
	[FIG_LOSS]      = { "loss", "%", true, "packets lost" },
	[FIG_JITTER]    = { "jitter", "ms", true, "interarrival jitter" },
	[FIG_DELAY]     = { "delay", "ms", true, "playout delay" },
	[FIG_RTT]       = { "rtt", "ms", true, "round trip, by RTCP" },
	[FIG_SENT]      = { "packets-sent", "", true, "RTP packets sent" },
	[FIG_RECEIVED]  = { "packets-received", "", true,
		"RTP packets received" },
	[FIG_LOST]      = { "packets-lost", "", true,
		"RTP packets that never came" },
	[FIG_DURATION]  = { "duration", "s", true, "time since the answer" },
};


const struct figure *figure_at(size_t i)
{
	return i < ARRAY_SIZE(figures) ? &figures[i] : NULL;
}


const struct figure *figure_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
		if (!strcmp(figures[i].name, name))
			return &figures[i];
	}

	return NULL;
}


static int text_value(char *str, size_t sz, const char *s)
{
	if (!s || !*s)
		return ENODATA;

	snprintf(str, sz, "%s", s);

	return 0;
}


static int number(double *num, double v)
{
	if (!isfinite(v))
		return ENODATA;

	*num = v;

	return 0;
}


/* 0 stands for "not known" */
static int known(double *num, double v)
{
	return v > 0.0 ? number(num, v) : ENODATA;
}


static double loss_pct(const struct stream_stats *st)
{
	const uint64_t all = st->packets_received + st->lost;

	return all ? 100.0 * (double)st->lost / (double)all : 0.0;
}


static int result_get(const struct sip_result *res, enum figure_id id,
		      double *num, char *str, size_t sz)
{
	switch (id) {

	case FIG_CODE:   return known(num, res->code);
	case FIG_REASON: return text_value(str, sz, res->reason);
	case FIG_CAUSE:
		return text_value(str, sz, sip_cause_name(res->cause));
	default:
		return ENOENT;
	}
}


static int stats_get(const struct stream_stats *st, enum figure_id id,
		     double *num)
{
	switch (id) {

	case FIG_LOSS:     return number(num, loss_pct(st));
	case FIG_JITTER:   return number(num, st->jitter_us / 1000.0);
	case FIG_DELAY:    return number(num, st->delay_ms);
	case FIG_RTT:      return known(num, st->rtt_us / 1000.0);
	case FIG_SENT:     return number(num, (double)st->packets_sent);
	case FIG_RECEIVED: return number(num, (double)st->packets_received);
	case FIG_LOST:     return number(num, (double)st->lost);
	default:           return ENOENT;
	}
}


static int living_get(struct call *c, enum figure_id id, double *num,
		      char *str, size_t sz)
{
	const struct media_plan *plan = call_plan(c);
	const bool media = plan && plan->codec;
	struct stream_stats st;

	switch (id) {

	case FIG_STATE:
		return text_value(str, sz, call_state_name(call_state(c)));
	case FIG_CODE:
	case FIG_REASON:
	case FIG_CAUSE:
		return result_get(call_result(c), id, num, str, sz);
	case FIG_PEER:
		return text_value(str, sz, call_peer(c));
	case FIG_CODEC:
		return text_value(str, sz, media ? plan->codec->name : NULL);
	case FIG_SECURITY:
		return text_value(str, sz, media ? "none" : NULL);
	case FIG_DIRECTION:
		return text_value(str, sz, media ?
				  media_dir_name(plan->dir) : NULL);
	case FIG_MOS:
		return known(num, call_mos(c));
	case FIG_DURATION:
		return call_was_active(c) ?
			number(num, (double)call_duration_ms(c) / 1000.0) :
			ENODATA;
	default:
		if (call_stats(c, &st))
			return ENODATA;
		return stats_get(&st, id, num);
	}
}


static int ended_get(const struct call_record *r, enum figure_id id,
		     double *num, char *str, size_t sz)
{
	switch (id) {

	case FIG_STATE:    return text_value(str, sz, "ended");
	case FIG_CODE:
	case FIG_REASON:   return result_get(&r->result, id, num, str, sz);
	case FIG_CAUSE:    return text_value(str, sz, call_record_cause(r));
	case FIG_PEER:     return text_value(str, sz, r->peer);
	case FIG_CODEC:    return text_value(str, sz, r->codec);
	case FIG_SECURITY:
		return text_value(str, sz, r->codec[0] ? "none" : NULL);
	case FIG_MOS:      return known(num, r->mos);
	case FIG_LOSS:     return number(num, r->loss_pct);
	case FIG_JITTER:   return number(num, r->jitter_ms);
	case FIG_DELAY:    return number(num, r->delay_ms);
	case FIG_SENT:     return number(num, (double)r->packets_sent);
	case FIG_RECEIVED: return number(num, (double)r->packets_received);
	case FIG_DURATION:
		return r->was_active ?
			number(num, (double)r->duration_ms / 1000.0) :
			ENODATA;
	default:
		return ENODATA;
	}
}


int figure_get(const struct phone *ph, unsigned id, const struct figure *f,
	       double *num, char *str, size_t sz)
{
	const enum figure_id fid = (enum figure_id)(f - figures);
	const struct call_record *r;
	struct call *c;

	c = ua_call(ph->ua, id);
	if (c)
		return living_get(c, fid, num, str, sz);

	r = ua_call_record(ph->ua, id);

	return r ? ended_get(r, fid, num, str, sz) : ENOENT;
}


void figure_print(char *buf, size_t sz, double num)
{
	char *p;

	snprintf(buf, sz, "%.3f", num);

	p = buf + strlen(buf);
	while (p > buf && p[-1] == '0')
		*--p = '\0';
	if (p > buf && p[-1] == '.')
		*--p = '\0';
}


void reply_call(struct reply *r, struct call *c)
{
	const struct media_plan *plan = call_plan(c);
	const struct account *a = call_account(c);

	reply_int(r, "call", call_id(c));
	reply_str(r, "state", call_state_name(call_state(c)));
	reply_str(r, "direction", call_outgoing(c) ? "out" : "in");
	reply_str(r, "peer", call_peer(c));
	reply_str(r, "name", call_peer_name(c));
	if (a)
		reply_int(r, "account", account_id(a));
	reply_bool(r, "held", call_held(c));
	reply_bool(r, "held-remote", call_held_remote(c));
	reply_bool(r, "muted", call_muted(c));
	if (call_was_active(c))
		reply_int(r, "duration-ms", (int64_t)call_duration_ms(c));
	if (plan && plan->codec) {
		reply_str(r, "codec", plan->codec->name);
		reply_str(r, "media", media_dir_name(plan->dir));
	}
}
