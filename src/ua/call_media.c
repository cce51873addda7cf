/**
 * @file call_media.c  A call and its stream
 *
 * The stream is opened for the port that goes into our description and
 * started when both have agreed.  Held by us the peer hears silence at once,
 * whatever the signalling does; a file that plays goes on, so music on hold
 * is `play` and `hold`.  Every function here that calls stream_* goes through
 * the door to the media thread, so nothing is asked twice.  Main thread.
 */
#include "priv.h"
#include "vq.h"


static void count_expected(struct call *c, bool expect)
{
	const uint64_t now = clock_ms();

	if (c->recv_from_ms)
		c->recv_ms += now - c->recv_from_ms;

	c->recv_from_ms = expect ? now : 0;
}


static bool expects(const struct call *c)
{
	return c->stream && c->started && c->state == CALL_ACTIVE &&
		(c->plan.dir & MEDIA_RECVONLY);
}


static void stream_handler(const struct stream_event *se, void *arg)
{
	struct call *c = arg;

	switch (se->type) {

	case STREAM_FIRST_PACKET:
		log_debug("call %u: media flows", c->id);
		c->flows = true;
		call_event_progress(c, NULL);
		break;

	case STREAM_TIMEOUT:
		if (expects(c))
			call_silence(c, true);
		break;

	case STREAM_RESUMED:
		call_silence(c, false);
		break;

	case STREAM_DTMF:
		call_digits_heard(c, se);
		break;

	case STREAM_DTMF_SENT:
		call_digits_sent(c, se->count);
		break;

	case STREAM_PLAY_DONE:
	case STREAM_RECORD_DONE:
		call_file_event(c, se);
		break;

	case STREAM_TONE:
		call_tone_event(c, se->tone);
		break;

	case STREAM_FAULT:
		call_fault_event(c, se);
		break;

	case STREAM_TALK:
		call_talk(c, se->talks);
		break;

	case STREAM_CLIPPED:
		call_event_clipped(c);
		break;

	case STREAM_MOVED:
		call_event_moved(c, &se->from, &se->was);
		break;

	case STREAM_SECURED:
		c->suite = se->suite;
		log_info("call %u: protected by %s", c->id, c->suite->name);
		call_event_media(c);
		break;

	case STREAM_INSECURE:
		call_secure_failed(c, se->text);
		break;

	case STREAM_GATHERED:
		call_nat_gathered(c);
		break;

	case STREAM_WAY:
		log_info("call %u: its sound goes to %s", c->id, se->text);
		c->path = se->relayed ? "relay" : "direct";
		call_event_media(c);
		break;

	case STREAM_NO_WAY:
		call_nat_lost(c, se->text);
		break;

	case STREAM_REMOTE_BYE:
		break;
	}
}


int call_media_open(struct call *c, const struct sa *laddr)
{
	return call_media_open_with(c, laddr, NULL);
}


int call_media_open_with(struct call *c, const struct sa *laddr,
			 const struct media_nat *nat)
{
	const struct config *conf = c->ua->config;
	const struct stream_conf sc = {
		.local = *laddr,
		.device = c->source == SOURCE_DEVICE,
		.fixed_peer = !conf->symmetric_rtp,
		.timeout_ms = (unsigned)conf->rtp_timeout_ms,
		.dtmf_ms = (uint32_t)conf->dtmf_duration_ms,
		.dtmf_pause_ms = (uint32_t)conf->dtmf_pause_ms,
		.dtmf_volume = (unsigned)-conf->dtmf_volume,
		.nat = nat,
	};

	if (c->stream)
		return 0;

	c->source_told = sc.device ? SOURCE_DEVICE : SOURCE_SILENCE;

	return stream_open(&c->stream, c->ua->media, &sc, stream_handler, c);
}


void call_media_hold_tell(struct call *c, bool held)
{
	/* what we want is agreed once no re-INVITE of ours is open */
	const bool local = c->mod_busy ? c->hold_told : c->hold;

	if (local == c->hold_told && held == c->held_remote)
		return;

	c->hold_told = local;
	c->held_remote = held;
	call_event_hold(c, NULL);
}


static bool media_changed(const struct media_plan *a,
			  const struct media_plan *b)
{
	return a->codec != b->codec || a->dir != b->dir ||
		a->param.ptime_ms != b->param.ptime_ms ||
		!media_secure_equal(&a->secure, &b->secure) ||
		!sa_cmp(&a->rtp, &b->rtp, SA_ALL);
}


/* The mic of somebody who holds is never heard */
static enum stream_source source_now(const struct call *c)
{
	return c->hold ? SOURCE_SILENCE : c->source;
}


/* What we send; a stream that does not run yet is told without the door */
static void settle_source(struct call *c)
{
	const enum stream_source src = source_now(c);
	int err = 0;

	if (src != c->source_told ||
	    (src == SOURCE_TONE && c->tone_hz != c->tone_told_hz))
		err = stream_set_source(c->stream, src, c->tone_hz);

	if (err) {
		log_warn("call %u: %s", c->id, strerror(err));
	}
	else {
		c->source_told = src;
		c->tone_told_hz = c->tone_hz;
	}

	if (c->muted != c->muted_told) {
		stream_mute(c->stream, c->muted);
		c->muted_told = c->muted;
	}
	call_talk_settle(c);
}


/* Keys are looked for in the sound of who cannot tell them otherwise */
static void settle_keys(struct call *c, const struct media_plan *plan)
{
	const int policy = c->ua->config->dtmf_inband;
	const bool want = policy == INBAND_ON ||
		(policy == INBAND_AUTO && plan->te_recv < 0);

	if (want == c->band_told)
		return;

	stream_dtmf_listen(c->stream, want);
	c->band_told = want;
}


int call_media_apply(struct call *c, const struct media_plan *plan, bool held)
{
	struct media_plan next = *plan;
	const bool first = !c->started;
	bool changed;
	int err;

	if (!next.codec) {
		if (first)
			return 0;

		/* the line was taken away: rest until it comes back */
		next = c->plan;
		next.dir = MEDIA_INACTIVE;
	}

	str_ncpy(next.cname, c->ua->cname, sizeof(next.cname));
	next.unproven = !c->outgoing && !c->proven;

	call_secure_changed(c, &next);
	if (!media_secure_equal(&c->plan.secure, &next.secure))
		c->suite = NULL;
	changed = first || media_changed(&c->plan, &next);
	/* before it runs this needs no visit to the media thread */
	if (first) {
		settle_source(c);
		settle_keys(c, &next);
	}

	if (first || !plan_equal(&c->plan, &next)) {
		err = stream_start(c->stream, &next);
		if (err) {
			log_warn("call %u: media cannot start: %s", c->id,
				 strerror(err));
			return err;
		}
		c->plan = next;
		c->started = true;
	}

	call_media_settle(c);
	if (changed)
		call_event_media(c);
	call_media_hold_tell(c, held);

	return 0;
}


void call_media_prove(struct call *c)
{
	if (c->outgoing || c->proven)
		return;

	c->proven = true;
	if (!c->started || !c->stream || !c->plan.unproven)
		return;

	c->plan.unproven = false;
	stream_prove(c->stream);
}


void call_media_settle(struct call *c)
{
	char why[UA_ERR];

	if (!c->stream || !c->started)
		return;

	count_expected(c, expects(c));
	settle_source(c);
	settle_keys(c, &c->plan);
	(void)call_tones_settle(c);
	conference_settle(c);
	hold_music_settle(c);

	if (c->record.path && !c->record.begin_ms) {
		if (call_file_record(c, why))
			call_file_done(c, &c->record, "error", why, 0);
	}

	/* nobody hears a file before the answer, but in early sound of ours */
	if (c->play.path && !c->play.begin_ms && (c->state == CALL_ACTIVE ||
						  c->early)) {
		if (call_file_play(c, why))
			call_file_done(c, &c->play, "error", why, 0);
	}
}


void call_media_close(struct call *c)
{
	struct stream *s = c->stream;

	if (s) {
		count_expected(c, false);
		c->media_expected = c->recv_ms >= EXPECT_MS;
		vq_where(c);
		c->stream = NULL;
		stream_end(s, c->started ? &c->last : NULL);
		c->last_known = c->started;
	}

	call_digits_end(c);
	call_file_end(c);
}
