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
	FIG_SECURITY, FIG_SUITE, FIG_DIRECTION, FIG_MOS, FIG_LOSS, FIG_JITTER, FIG_DELAY,
	FIG_RTT, FIG_SENT, FIG_RECEIVED, FIG_LOST, FIG_DURATION, FIG_LATE,
	FIG_REORDERED, FIG_DUPLICATE, FIG_DISCARDED, FIG_CONCEALED,
	FIG_LEVEL_IN, FIG_LEVEL_OUT, FIG_REMOTE_LOSS, FIG_REMOTE_JITTER,
	FIG_ONE_WAY, FIG_R_FACTOR, FIG_BURST_RATIO, FIG_REMOTE_MOS,
	FIG_NETWORK, FIG_MIC_DELAY, FIG_SPEAKER_DELAY, FIG_MOUTH_TO_EAR,
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
		"how the sound is protected: none, sdes or dtls" },
	[FIG_SUITE]     = { "suite", "", false,
		"by what, such as AEAD_AES_256_GCM" },
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
	[FIG_LATE]      = { "packets-late", "", true,
		"RTP packets that came after their turn" },
	[FIG_REORDERED] = { "packets-reordered", "", true,
		"RTP packets that came in another order" },
	[FIG_DUPLICATE] = { "packets-duplicate", "", true,
		"RTP packets that came twice" },
	[FIG_DISCARDED] = { "packets-discarded", "", true,
		"RTP packets that were of no use" },
	[FIG_CONCEALED] = { "concealed", "ms", true,
		"sound that had to be made up" },
	[FIG_LEVEL_IN]  = { "level-in", "dBFS", true,
		"loudness of what is heard" },
	[FIG_LEVEL_OUT] = { "level-out", "dBFS", true,
		"loudness of what is sent" },
	[FIG_REMOTE_LOSS] = { "remote-loss", "%", true,
		"packets lost on the way to them, by RTCP" },
	[FIG_REMOTE_JITTER] = { "remote-jitter", "ms", true,
		"jitter that they see, by RTCP" },
	[FIG_ONE_WAY]   = { "one-way", "", false,
		"yes: sound was to come and none did, else no" },
	[FIG_R_FACTOR]  = { "r-factor", "", true,
		"rating of the E-model (G.107), 0 to 93" },
	[FIG_BURST_RATIO] = { "burst-ratio", "", true,
		"losses in a row against those of independent losses" },
	[FIG_REMOTE_MOS] = { "remote-mos", "", true,
		"how good we sound there, if they report it (RFC 3611)" },
	[FIG_NETWORK]   = { "network", "ms", true,
		"the way through the network: half the round trip" },
	[FIG_MIC_DELAY] = { "mic-delay", "ms", true,
		"what the microphone's buffers take" },
	[FIG_SPEAKER_DELAY] = { "speaker-delay", "ms", true,
		"what the loudspeaker's buffers take" },
	[FIG_MOUTH_TO_EAR] = { "mouth-to-ear", "ms", true,
		"microphone, packet, network, buffer, loudspeaker" },
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


static int text_of(const struct call_record *r, enum figure_id id,
		   char *str, size_t sz)
{
	const bool media = r->codec[0];

	switch (id) {

	case FIG_STATE:
		return text_value(str, sz, call_state_name(r->state));
	case FIG_REASON:   return text_value(str, sz, r->result.reason);
	case FIG_CAUSE:    return text_value(str, sz, call_record_cause(r));
	case FIG_PEER:     return text_value(str, sz, r->peer);
	case FIG_CODEC:    return text_value(str, sz, r->codec);
	case FIG_SECURITY: return text_value(str, sz, r->security);
	case FIG_SUITE:    return text_value(str, sz, r->suite);
	case FIG_ONE_WAY:
		return text_value(str, sz, !r->was_active ||
				  !r->stats_known ? NULL :
				  r->media_expected &&
				  !r->stats.packets_received ? "yes" : "no");
	case FIG_DIRECTION:
		return text_value(str, sz, media ? media_dir_name(r->dir) :
				  NULL);
	default:
		return ENOENT;
	}
}


static int number_of(const struct call_record *r, enum figure_id id,
		     double *num)
{
	const struct stream_stats *st = &r->stats;

	switch (id) {

	case FIG_CODE:     return known(num, r->result.code);
	case FIG_DURATION:
		return r->was_active ?
			number(num, (double)r->duration_ms / 1000.0) :
			ENODATA;
	default:
		break;
	}

	if (!r->stats_known)
		return ENODATA;

	switch (id) {

	case FIG_SENT:     return number(num, (double)st->packets_sent);
	case FIG_RECEIVED: return number(num, (double)st->packets_received);
	case FIG_LOST:     return number(num, (double)st->lost);
	case FIG_LOSS:     return number(num, r->loss_pct);
	case FIG_LATE:     return number(num, (double)st->late);
	case FIG_REORDERED: return number(num, (double)st->reordered);
	case FIG_DUPLICATE: return number(num, (double)st->duplicate);
	case FIG_DISCARDED: return number(num, (double)st->discarded);
	case FIG_CONCEALED: return number(num, (double)st->concealed_ms);
	case FIG_LEVEL_OUT: return number(num, st->level_out_dbfs);
	case FIG_REMOTE_LOSS:
		return st->remote_known ?
			number(num, 100.0 * st->remote_loss_256 / 256.0) :
			ENODATA;
	case FIG_REMOTE_JITTER:
		return st->remote_known ?
			number(num, st->remote_jitter_us / 1000.0) : ENODATA;
	case FIG_RTT:      return known(num, st->rtt_us / 1000.0);
	case FIG_NETWORK:  return known(num, st->rtt_us / 2000.0);
	case FIG_MIC_DELAY:
		return st->device ? number(num, st->mic_ms) : ENODATA;
	case FIG_SPEAKER_DELAY:
		return st->device ? number(num, st->speaker_ms) : ENODATA;
	case FIG_REMOTE_MOS:
		return st->xr_known ? known(num, st->xr_mos_cq) : ENODATA;
	default:
		break;
	}

	/* what was never heard has no quality */
	if (!st->packets_received)
		return ENODATA;

	switch (id) {

	case FIG_MOS:      return known(num, r->mos);
	case FIG_R_FACTOR: return number(num, r->r_factor);
	case FIG_BURST_RATIO: return number(num, st->burst_ratio);
	case FIG_JITTER:   return number(num, st->jitter_us / 1000.0);
	case FIG_DELAY:    return number(num, st->delay_ms);
	case FIG_MOUTH_TO_EAR:
		return number(num, media_mouth_to_ear_ms(st));
	case FIG_LEVEL_IN: return number(num, st->level_in_dbfs);
	default:           return ENOENT;
	}
}


int figure_get(const struct phone *ph, unsigned id, const struct figure *f,
	       double *num, char *str, size_t sz)
{
	const enum figure_id fid = (enum figure_id)(f - figures);
	struct call_record r;

	if (!ua_call_snapshot(&r, ph->ua, id))
		return ENOENT;

	return f->number ? number_of(&r, fid, num) :
		text_of(&r, fid, str, sz);
}


/* Headers ------------------------------------------------------------------ */

static const struct {
	const char *name;        /* before the dot                           */
	bool tx, response;
} messages[] = {
	{ "request", false, false }, { "response", false, true },
	{ "sent-request", true, false }, { "sent-response", true, true },
};


bool message_figure_named(const char *name)
{
	const char *dot = strchr(name, '.');

	if (!strcmp(name, "registration"))
		return true;

	for (size_t i = 0; dot && dot[1] && i < ARRAY_SIZE(messages); i++) {
		if (strlen(messages[i].name) == (size_t)(dot - name) &&
		    !strncmp(messages[i].name, name, (size_t)(dot - name)))
			return true;
	}

	return false;
}


int message_figure(const struct phone *ph, unsigned call, const char *name,
		   char *str, size_t sz)
{
	const size_t n = strcspn(name, ".");
	const struct account *a = ua_account_default(ph->ua);
	const struct capture_msg *m = NULL;
	size_t i = 0;

	/* of the account that a new call takes */
	if (!strcmp(name, "registration"))
		return text_value(str, sz, a ? account_state(a) : NULL);

	while (strlen(messages[i].name) != n ||
	       strncmp(messages[i].name, name, n)) {
		if (++i == ARRAY_SIZE(messages))
			return ENODATA;
	}

	while ((m = capture_prev(ph->capture, m))) {

		if (m->kind != CAPTURE_SIP || m->tx != messages[i].tx ||
		    !m->code == messages[i].response ||
		    !strcmp(m->method, "ACK") ||
		    (call && m->call != call))
			continue;

		return capture_header(str, sz, m, name + n + 1, 0) ?
			ENODATA : 0;
	}

	return ENODATA;
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


/* What its INVITE told of the caller */
static void reply_caller(struct reply *r, const struct call *c)
{
	const struct sip_caller *t = call_caller(c);
	const struct sip_passport *p;

	if (!t)
		return;

	if (t->asserted.uri[0])
		reply_str(r, "asserted", t->asserted.uri);
	if (t->asserted.name[0])
		reply_str(r, "asserted-name", t->asserted.name);
	if (t->privacy[0])
		reply_str(r, "privacy", t->privacy);
	if (t->divertc) {
		reply_str(r, "diverted-by", t->divertv[0].by.uri);
		reply_str(r, "diverted-reason", t->divertv[0].reason);
	}

	p = &t->passport;
	if (!p->readable)
		return;
	reply_str(r, "attest", p->attest[0] ? p->attest : "none");
	reply_str(r, "attest-orig", p->orig);
	reply_str(r, "attest-dest", p->dest);
	reply_int(r, "attest-iat", (int64_t)p->iat_s);
}


void reply_call(struct reply *r, struct call *c)
{
	const struct media_plan *plan = call_plan(c);
	const struct account *a = call_account(c);
	char theirs[CALL_PRINT], ours[CALL_PRINT];
	const struct sip_party *now = call_peer_now(c);

	reply_int(r, "call", call_id(c));
	reply_str(r, "state", call_state_name(call_state(c)));
	reply_str(r, "direction", call_outgoing(c) ? "out" : "in");
	reply_str(r, "peer", call_peer(c));
	reply_str(r, "name", call_peer_name(c));
	if (now) {
		reply_str(r, "peer-now", now->uri);
		reply_str(r, "name-now", now->name);
	}
	if (a)
		reply_int(r, "account", account_id(a));
	reply_caller(r, c);
	reply_bool(r, "held", call_held(c));
	reply_bool(r, "held-remote", call_held_remote(c));
	reply_bool(r, "muted", call_muted(c));
	if (call_conference(c))
		reply_int(r, "conference", call_conference(c));
	if (call_was_active(c))
		reply_int(r, "duration-ms", (int64_t)call_duration_ms(c));
	if (plan && plan->codec) {
		reply_str(r, "codec", plan->codec->name);
		reply_str(r, "media", media_dir_name(plan->dir));
		reply_str(r, "security", call_security(c));
		if (call_suite(c)[0])
			reply_str(r, "suite", call_suite(c));
		if (call_prints(c, theirs, ours)) {
			reply_str(r, "fingerprint", theirs);
			reply_str(r, "fingerprint-own", ours);
		}
	}
}
