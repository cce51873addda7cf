/**
 * @file cmd_info.c  Commands that look: help, status, stats, config
 *
 * Nothing here changes the phone but `trace`.  Main thread.
 */
#include <math.h>
#include <stdio.h>
#include "priv.h"
#include "account.h"


static void cmd_help(struct cmd *x)
{
	const char *name = cmd_str(x, "command");
	const struct command *c = command_find(name);
	const struct option *o = c || !name ? NULL : option_find(name);
	char *text = o ? option_help(o) : command_help(c);

	if (text)
		reply_text(x->reply, "%s", text);
	free(text);
}


static const char *rule_text(const struct answer_rule *rule, char *buf,
			     size_t sz)
{
	if (!rule->on)
		return "off";
	if (rule->code == 200)
		return "on";

	snprintf(buf, sz, "%u", rule->code);

	return buf;
}


static void reply_audio(struct cmd *x)
{
	const struct audio_spec *as = &x->ph->audio;
	char text[1100];

	snprintf(text, sizeof(text), "%s%s%s%s%s", as->driver,
		 as->in[0] || as->out[0] ? ":" : "", as->in,
		 as->out[0] ? "," : "", as->out);
	reply_str(x->reply, "audio", text);
}


/* Whether sound is in time, however much there is to do */
static void reply_pace(struct reply *r, const struct media *m)
{
	struct media_times t;

	if (!m)
		return;

	media_times(m, &t);
	reply_int(r, "media-cycles", (int64_t)t.cycles);
	reply_int(r, "media-missed", (int64_t)t.late);
	reply_double(r, "media-worst-ms", (double)t.most_us / 1000.0);
}


static void cmd_status(struct cmd *x)
{
	struct reply *r = x->reply;
	struct ua *ua = x->ph->ua;
	struct call *c = NULL;
	char text[16];

	reply_str(r, "version", OFFHOOK_VERSION);
	reply_audio(x);
	reply_str(r, "auto-answer", rule_text(answer_get(x->ph->answer),
					      text, sizeof(text)));
	reply_int(r, "finished-calls", answer_finished(x->ph->answer));
	reply_int(r, "selected", client_selected(x->cl));
	reply_pace(r, x->ph->media);
	if (*ringer_tone(x->ph->ringer))
		reply_str(r, "ring-tone", ringer_tone(x->ph->ringer));
	reply_forwards(r, x->ph->forward);

	reply_listeners(r, ua);
	reply_accounts(x);

	reply_list(r, "call");
	while ((c = topic_next_call(ua, c))) {
		reply_row(r, "call");
		reply_call(r, c);
	}
}


/* Stats ------------------------------------------------------------------ */

static double or_nan(bool known, double v)
{
	return known ? v : (double)NAN;
}


static void reply_stats(struct reply *r, const struct stream_stats *st)
{
	const uint64_t all = st->packets_received + st->lost;
	char text[80];

	reply_int(r, "packets-sent", (int64_t)st->packets_sent);
	reply_int(r, "packets-received", (int64_t)st->packets_received);
	reply_int(r, "packets-lost", (int64_t)st->lost);
	reply_int(r, "packets-late", (int64_t)st->late);
	reply_int(r, "packets-duplicate", (int64_t)st->duplicate);
	reply_int(r, "packets-reordered", (int64_t)st->reordered);
	reply_int(r, "packets-discarded", (int64_t)st->discarded);
	reply_int(r, "packets-recovered", (int64_t)st->recovered);
	reply_int(r, "packets-asked", (int64_t)st->asked);
	reply_int(r, "packets-resent", (int64_t)st->resent);
	reply_int(r, "bytes-sent", (int64_t)st->bytes_sent);
	reply_int(r, "bytes-received", (int64_t)st->bytes_received);
	reply_double(r, "loss-pct", all ? 100.0 * (double)st->lost /
		     (double)all : 0.0);
	reply_double(r, "jitter-ms", st->jitter_us / 1000.0);
	reply_double(r, "delay-ms", st->delay_ms);
	reply_double(r, "delay-target-ms", st->delay_target_ms);
	reply_double(r, "delay-min-ms", or_nan(st->delay_max_ms > 0,
					       st->delay_min_ms));
	reply_double(r, "delay-max-ms", or_nan(st->delay_max_ms > 0,
					       st->delay_max_ms));
	if (st->packets_received && st->dscp >= 0)
		reply_int(r, "dscp", st->dscp);
	reply_double(r, "rtt-ms", or_nan(st->rtt_us > 0,
					 st->rtt_us / 1000.0));
	reply_double(r, "network-ms", or_nan(st->rtt_us > 0,
					     st->rtt_us / 2000.0));
	reply_double(r, "packet-ms", or_nan(st->packet_ms > 0,
					    st->packet_ms));
	reply_double(r, "mic-ms", or_nan(st->device, st->mic_ms));
	reply_double(r, "speaker-ms", or_nan(st->device, st->speaker_ms));
	reply_double(r, "mouth-to-ear-ms",
		     or_nan(st->packets_received > 0,
			    media_mouth_to_ear_ms(st)));
	reply_int(r, "concealed-ms", (int64_t)st->concealed_ms);
	reply_int(r, "stretched-ms", (int64_t)st->stretched_ms);
	reply_int(r, "compressed-ms", (int64_t)st->compressed_ms);
	reply_int(r, "skipped-ms", (int64_t)st->skipped_ms);
	reply_int(r, "resyncs", st->resyncs);
	reply_double(r, "remote-loss-pct",
		     or_nan(st->remote_known,
			    100.0 * st->remote_loss_256 / 256.0));
	reply_double(r, "remote-jitter-ms",
		     or_nan(st->remote_known,
			    st->remote_jitter_us / 1000.0));
	reply_double(r, "burst-pct", st->burst_pct);
	reply_double(r, "burst-ms", st->burst_ms);
	reply_double(r, "gap-pct", st->gap_pct);
	reply_double(r, "gap-ms", st->gap_ms);
	reply_double(r, "burst-ratio", st->burst_ratio);
	if (st->xr_known) {
		reply_double(r, "remote-r-factor",
			     or_nan(st->xr_r > 0.0, st->xr_r));
		reply_double(r, "remote-mos",
			     or_nan(st->xr_mos_cq > 0.0, st->xr_mos_cq));
		reply_double(r, "remote-discard-pct", st->xr_discard_pct);
		reply_double(r, "remote-end-delay-ms", st->xr_end_delay_ms);
	}
	reply_double(r, "level-in-dbfs",
		     or_nan(st->packets_received > 0, st->level_in_dbfs));
	reply_double(r, "level-out-dbfs",
		     or_nan(st->packets_sent > 0, st->level_out_dbfs));
	if (st->suite || st->forged || st->replayed) {
		reply_int(r, "forged", (int64_t)st->forged);
		reply_int(r, "replayed", (int64_t)st->replayed);
	}
	reply_int(r, "dtmf-sent", (int64_t)st->dtmf_sent);
	reply_int(r, "dtmf-received", (int64_t)st->dtmf_received);

	if (sa_isset(&st->remote, SA_ALL) &&
	    re_snprintf(text, sizeof(text), "%J", &st->remote) > 0)
		reply_str(r, "remote", text);
}


/* Of the microphone that a living call has */
static void reply_room(struct reply *r, struct media *media)
{
	struct media_room_figures f;

	media_room_look(media, &f);
	if (!f.running)
		return;

	reply_double(r, "noise-dbfs", f.noise_dbfs);
	reply_double(r, "noise-less-db", f.noise_less_db);
	reply_double(r, "erle-db", f.erle_db);
	reply_double(r, "auto-gain-db", or_nan(f.agc, f.agc_db));
}


static void stats_ended(struct reply *r, const struct call_record *rec)
{
	reply_int(r, "call", rec->id);
	reply_str(r, "state", "ended");
	reply_str(r, "direction", rec->outgoing ? "out" : "in");
	reply_str(r, "peer", rec->peer);
	if (rec->was_active)
		reply_int(r, "duration-ms", (int64_t)rec->duration_ms);
	if (rec->codec[0])
		reply_str(r, "codec", rec->codec);
	if (rec->security[0])
		reply_str(r, "security", rec->security);
	if (rec->suite[0])
		reply_str(r, "suite", rec->suite);

	if (!rec->stats_known) {
		reply_text(r, "there was no media");
		return;
	}

	reply_stats(r, &rec->stats);
	reply_double(r, "mos", or_nan(rec->mos > 0.0, rec->mos));
	reply_double(r, "r-factor", rec->r_factor);
}


/* Of a living call, or of one that ended */
static void cmd_stats(struct cmd *x)
{
	const struct call_record *rec;
	struct call_record now;
	struct stream_stats st;
	unsigned id = (unsigned)cmd_int(x, "call", 0);
	struct call *c;
	double mos;

	if (!id)
		id = client_selected(x->cl);
	if (!id)
		id = client_about(x->cl);

	c = ua_call(x->ph->ua, id);
	rec = c ? NULL : ua_call_record(x->ph->ua, id);

	if (rec) {
		stats_ended(x->reply, rec);
		return;
	}

	if (!c) {
		/* it says what is missing */
		(void)cmd_call(x);
		return;
	}

	reply_call(x->reply, c);

	if (call_stats(c, &st)) {
		reply_text(x->reply, "no media yet");
		return;
	}

	reply_stats(x->reply, &st);
	if (st.device)
		reply_room(x->reply, x->ph->media);
	mos = call_mos(c);
	reply_double(x->reply, "mos", or_nan(mos > 0.0, mos));
	if (ua_call_snapshot(&now, x->ph->ua, call_id(c)))
		reply_double(x->reply, "r-factor", now.r_factor);
}


static void cmd_report(struct cmd *x)
{
	struct call *c = cmd_call(x);
	char err[UA_ERR] = "";

	if (c)
		cmd_missing(x, call_report(c, err), "wrong-state", err);
}


/* The phone itself ------------------------------------------------------- */

static void cmd_trace(struct cmd *x)
{
	const char *to = cmd_str(x, "to");
	int err;

	if (!x->ph->trace_h) {
		cmd_fail(x, ENOTSUP, "there is nothing to trace");
		return;
	}

	err = x->ph->trace_h(!strcmp(to, "on") ? NULL :
			     !strcmp(to, "off") ? "" : to, x->ph->arg);
	cmd_fail(x, err, NULL);
}


/* Rows ------------------------------------------------------------------- */

static const struct command rows_looking[] = {
	{
		.name = "help",
		.args = ARGS(
			{ .name = "command", .type = ARG_COMMAND,
			  .optional = true,
			  .summary = "one command, or an option" }
		),
		.summary = "Tell what commands there are",
		.help = "Without a command the list of all, else all about "
			"one; and so of an option, as in `help echo-cancel`: "
			"what it does, when to change it, how to see that it "
			"works.",
		.alone = true,
		.run = cmd_help,
	},
	{
		.name = "status",
		.summary = "Show the whole state",
		.help = "Where the phone listens, accounts, calls, sound. "
			"media-missed counts the turns of the sound engine "
			"that began 10 ms late or later.",
		.run = cmd_status,
	},
	{
		.name = "stats",
		.args = ARGS(THE_CALL),
		.summary = "Show the figures of a call",
		.help = "Packets, loss, jitter, delay and quality; of the "
			"last call too, after its end.",
		.run = cmd_stats,
	},
	{
		.name = "report",
		.args = ARGS(THE_CALL),
		.summary = "Send a report on how a call sounds, now",
		.help = "To whom the option quality-report names, as RFC 6035 "
			"says. One is sent at the end of each call by itself, "
			"each quality-interval while it runs, and when its "
			"quality falls below quality-alert. The event "
			"call.report tells whether it was taken.",
		.run = cmd_report,
	},
	{
		.name = "trace",
		.args = ARGS(
			{ .name = "to", .type = ARG_FILE,
			  .summary = "on (into the log), off, or a file" }
		),
		.summary = "Show SIP messages as sent and received",
		.help = "With credentials masked. A file is appended to.",
		.run = cmd_trace,
	},
	{
		.name = "selftest",
		.options = ARGS(
			{ .name = "audio", .type = ARG_CHOICE,
			  .choices = "auto,null",
			  .summary = "auto: the sound card too" },
			{ .name = "speech", .type = ARG_FILE,
			  .summary = "a sound file to say, instead of the "
				     "one that comes along" }
		),
		.summary = "Make a real call to oneself and judge it",
		.help = "Two phones in this process call each other over "
			"loopback, with every codec: speech is played, "
			"recorded at the far end and compared, keys are "
			"sent, the call is held and resumed. Exit code 0 "
			"only when the speech arrived whole and every key "
			"was right. With --json the figures of all calls "
			"are in the reply.",
		.alone = true,
		.run = cmd_selftest,
	},
};

const struct command_group group_looking = {
	"looking", rows_looking, ARRAY_SIZE(rows_looking)
};
