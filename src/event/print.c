/**
 * @file print.c  An event as one line for a person
 *
 * Main thread.  The line is escaped as a whole at the end, because names,
 * reasons and addresses in it come from the network.
 */
#include <math.h>
#include <string.h>
#include <offhook/event.h>
#include <offhook/text.h>


enum { PRINT_MAX = 8192 };


/* `, text` when there is any */
static void add_part(struct text_buf *b, const char *before, const char *text)
{
	if (text[0])
		text_add(b, "%s%s", before, text);
}


static void print_network(struct text_buf *b, const struct event *ev)
{
	const int64_t ms = ev->u.network_changed.slept_ms;
	char t[32];

	text_add(b, "network changed");
	if (ms != EVENT_NONE) {
		text_duration_print(t, sizeof(t), (uint64_t)ms);
		text_add(b, ", the machine slept for %s", t);
	}
	add_part(b, ", new: ", ev->u.network_changed.added);
	add_part(b, ", gone: ", ev->u.network_changed.removed);
	if (ev->u.network_changed.calls > 0)
		text_add(b, ", calls moved: %lld",
			 (long long)ev->u.network_changed.calls);
}


static void print_fault(struct text_buf *b, const struct event *ev)
{
	text_add(b, "fault %lld: %s", (long long)ev->u.sip_fault.rule,
		 ev->u.sip_fault.fault);
	add_part(b, " ", ev->u.sip_fault.header);
	text_add(b, ", %s", ev->u.sip_fault.way);
	if (ev->u.sip_fault.code != EVENT_NONE)
		text_add(b, " %lld", (long long)ev->u.sip_fault.code);
	add_part(b, " ", ev->u.sip_fault.method);
	add_part(b, ", ", ev->u.sip_fault.transport);
	add_part(b, " ", ev->u.sip_fault.remote);
}


static void print_rtp_fault(struct text_buf *b, const struct event *ev)
{
	text_add(b, "call %u: fault: %s, %s %s", ev->call,
		 ev->u.rtp_fault.fault, ev->u.rtp_fault.way,
		 ev->u.rtp_fault.protocol);
	if (ev->u.rtp_fault.sequence != EVENT_NONE)
		text_add(b, " %lld", (long long)ev->u.rtp_fault.sequence);
	add_part(b, ", ", ev->u.rtp_fault.remote);
	if (ev->u.rtp_fault.untold > 0)
		text_add(b, ", untold before it: %lld",
			 (long long)ev->u.rtp_fault.untold);
}


static void print_account_state(struct text_buf *b, const struct event *ev)
{
	const int64_t ms = ev->u.account_state.next_ms;
	char t[32];

	text_add(b, "account %u %s", ev->account, ev->u.account_state.state);
	add_part(b, ", ", ev->u.account_state.aor);
	if (ev->u.account_state.flow != EVENT_NONE)
		text_add(b, ", way %lld", (long long)ev->u.account_state.flow);
	add_part(b, ": ", ev->u.account_state.text[0] ?
		 ev->u.account_state.text : ev->u.account_state.cause);

	/* whole seconds are enough to wait by */
	if (ev->u.account_state.cause[0] && ms != EVENT_NONE) {
		text_duration_print(t, sizeof(t),
				    (uint64_t)(ms + 999) / 1000 * 1000);
		text_add(b, " Again in %s.", t);
	}
}


/* Who it is as others say, and how the call came here */
static void print_caller(struct text_buf *b, const struct event *ev)
{
	static const struct {
		const char *reason, *words;
	} reasons[] = {
		{ "user-busy", "busy" },
		{ "no-answer", "no answer" },
		{ "unconditional", "always" },
		{ "do-not-disturb", "do not disturb" },
	};
	const char *why = ev->u.call_state.diverted_reason;

	if (ev->u.call_state.asserted[0]) {
		text_add(b, ", vouched for as ");
		if (ev->u.call_state.asserted_name[0])
			text_add(b, "%s ", ev->u.call_state.asserted_name);
		text_add(b, "%s", ev->u.call_state.asserted);
	}

	if (ev->u.call_state.diverted_by[0]) {
		for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]);
		     i++) {
			if (!strcmp(reasons[i].reason, why))
				why = reasons[i].words;
		}
		text_add(b, ", diverted by %s", ev->u.call_state.diverted_by);
		if (why[0])
			text_add(b, " (%s)", why);
	}

	if (ev->u.call_state.joins != EVENT_NONE && ev->u.call_state.joins)
		text_add(b, ", wants to join call %lld",
			 (long long)ev->u.call_state.joins);

	add_part(b, ", privacy wanted: ", ev->u.call_state.privacy);

	if (ev->u.call_state.attest[0]) {
		text_add(b, ", attest %s", ev->u.call_state.attest);
		if (ev->u.call_state.attest_orig[0])
			text_add(b, " for %s", ev->u.call_state.attest_orig);
		text_add(b, " (not checked)");
	}
}


static void print_call_state(struct text_buf *b, const struct event *ev)
{
	char took[32];

	text_add(b, "call %u %s", ev->call, ev->u.call_state.state);
	add_part(b, ", ", ev->u.call_state.name);
	add_part(b, ev->u.call_state.name[0] ? " " : ", ",
		 ev->u.call_state.peer);

	/* how it ended, once */
	if (ev->u.call_state.text[0]) {
		text_add(b, ": %s", ev->u.call_state.text);
		return;
	}

	print_caller(b, ev);

	if (ev->u.call_state.code != EVENT_NONE) {
		text_add(b, ", %lld", (long long)ev->u.call_state.code);
		add_part(b, " ", ev->u.call_state.reason);
	}

	if (ev->u.call_state.duration_ms != EVENT_NONE &&
	    ev->u.call_state.duration_ms >= 0) {
		text_duration_print(took, sizeof(took), (uint64_t)
				    ev->u.call_state.duration_ms / 1000 *
				    1000);
		text_add(b, " after %s", took);
	}
}


static void print_call_hold(struct text_buf *b, const struct event *ev)
{
	static const char *const who[2][2] = {
		{"off hold", "held by the other side"},
		{"on hold", "on hold, and held by the other side"},
	};

	text_add(b, "call %u %s", ev->call,
		 who[ev->u.call_hold.local][ev->u.call_hold.remote]);

	if (!ev->u.call_hold.cause[0])
		return;

	text_add(b, " as before: the change was refused");
	if (ev->u.call_hold.code != EVENT_NONE)
		text_add(b, " (%lld)", (long long)ev->u.call_hold.code);
	else
		text_add(b, " (%s)", ev->u.call_hold.cause);
}


static void print_call_peer(struct text_buf *b, const struct event *ev)
{
	const bool named = ev->u.call_peer.name[0];

	text_add(b, "call %u is with %s%s%s%s now%s", ev->call,
		 ev->u.call_peer.name, named ? " <" : "",
		 ev->u.call_peer.peer, named ? ">" : "",
		 ev->u.call_peer.asserted ? ", the server says" : "");
}


static void print_call_redirect(struct text_buf *b, const struct event *ev)
{
	text_add(b, "call %u redirect %s", ev->call,
		 ev->u.call_redirect.state);
	add_part(b, ": ", ev->u.call_redirect.target);

	if (ev->u.call_redirect.code != EVENT_NONE) {
		text_add(b, ", %lld", (long long)ev->u.call_redirect.code);
		add_part(b, " ", ev->u.call_redirect.reason);
	}
}


static void print_call_update(struct text_buf *b, const struct event *ev)
{
	text_add(b, "call %u %s %s", ev->call, ev->u.call_update.method,
		 ev->u.call_update.cause[0] ? "failed" : "agreed");

	if (ev->u.call_update.code != EVENT_NONE)
		text_add(b, ", %lld", (long long)ev->u.call_update.code);
	if (ev->u.call_update.cause[0])
		add_part(b, ev->u.call_update.code != EVENT_NONE ? " " : ", ",
			 ev->u.call_update.reason);
}


static void print_call_media(struct text_buf *b, const struct event *ev)
{
	text_add(b, "call %u media: %s", ev->call, ev->u.call_media.codec);

	if (ev->u.call_media.rate_hz != EVENT_NONE)
		text_add(b, " %lld Hz", (long long)ev->u.call_media.rate_hz);
	if (ev->u.call_media.ptime_ms != EVENT_NONE)
		text_add(b, " %lld ms", (long long)ev->u.call_media.ptime_ms);

	add_part(b, ", ", ev->u.call_media.direction);
	add_part(b, ", security ", ev->u.call_media.security);
	add_part(b, ", ", ev->u.call_media.local);
	add_part(b, " to ", ev->u.call_media.remote);
}


static void add_double(struct text_buf *b, const char *name, double v,
		       const char *unit)
{
	if (isfinite(v))
		text_add(b, ", %s %.1f%s", name, v, unit);
}


static void add_ms(struct text_buf *b, const char *name, int64_t ms)
{
	if (ms != EVENT_NONE)
		text_add(b, ", %s %lld ms", name, (long long)ms);
}


static void print_call_quality(struct text_buf *b, const struct event *ev)
{
	text_add(b, "call %u quality", ev->call);

	if (ev->u.call_quality.packets_received != EVENT_NONE)
		text_add(b, ", %lld packets received",
			 (long long)ev->u.call_quality.packets_received);

	add_double(b, "loss", ev->u.call_quality.loss_pct, " %");
	add_ms(b, "jitter", ev->u.call_quality.jitter_ms);
	add_ms(b, "delay", ev->u.call_quality.delay_ms);
	add_ms(b, "round trip", ev->u.call_quality.rtt_ms);
	add_double(b, "MOS", ev->u.call_quality.mos, "");
}


static void print_call_level(struct text_buf *b, const struct event *ev)
{
	const int64_t in = ev->u.call_level.in_clipped;
	const int64_t out = ev->u.call_level.out_clipped;

	text_add(b, "call %u level", ev->call);
	add_double(b, "they", ev->u.call_level.in_dbfs, " dBFS");
	add_double(b, "we", ev->u.call_level.out_dbfs, " dBFS");
	add_double(b, "echo less by", ev->u.call_level.erle_db, " dB");
	add_double(b, "noise", ev->u.call_level.noise_dbfs, " dBFS");
	add_double(b, "noise less by", ev->u.call_level.noise_less_db, " dB");
	if ((in != EVENT_NONE && in > 0) || (out != EVENT_NONE && out > 0))
		text_add(b, ", too loud: samples are cut");
}


static void print_place(struct text_buf *b, const struct event *ev)
{
	const long long at = ev->u.call_place.place;

	if (at)
		text_add(b, "call %u is heard from the %s, %lld %%", ev->call,
			 at < 0 ? "left" : "right", at < 0 ? -at : at);
	else
		text_add(b, "call %u is heard from the middle", ev->call);
}


static void print_conference(struct text_buf *b, const struct event *ev)
{
	text_add(b, "call %u %s conference %lld, %lld calls in it", ev->call,
		 ev->u.call_conference.state,
		 (long long)ev->u.call_conference.conference,
		 (long long)ev->u.call_conference.members);
}


static void print_call_transfer(struct text_buf *b, const struct event *ev)
{
	const char *state = ev->u.call_transfer.state;

	if (ev->call)
		text_add(b, "call %u ", ev->call);
	else
		text_add(b, "%s ", ev->u.call_transfer.from);
	if (!strcmp(ev->u.call_transfer.by, "remote"))
		text_add(b, !strcmp(state, "asked") ?
			 "asks us to call" : "sends us to");
	else
		text_add(b, "transferred to");
	text_add(b, " %s: %s", ev->u.call_transfer.target, state);

	if (ev->u.call_transfer.new_call != EVENT_NONE)
		text_add(b, ", by call %lld",
			 (long long)ev->u.call_transfer.new_call);
	if (ev->u.call_transfer.code != EVENT_NONE)
		text_add(b, ", %lld", (long long)ev->u.call_transfer.code);
	add_part(b, ev->u.call_transfer.code != EVENT_NONE ? " " : ", ",
		 ev->u.call_transfer.reason);
}


static void print_message_sent(struct text_buf *b, const struct event *ev)
{
	text_add(b, "message %lld to %s %s",
		 (long long)ev->u.message_sent.id, ev->u.message_sent.to,
		 ev->u.message_sent.result);
	if (strcmp(ev->u.message_sent.result, "failed"))
		return;
	if (ev->u.message_sent.code != EVENT_NONE)
		text_add(b, ": %lld", (long long)ev->u.message_sent.code);
	add_part(b, ev->u.message_sent.code != EVENT_NONE ? " " : ": ",
		 ev->u.message_sent.reason);
}


static void print_subscription(struct text_buf *b, const struct event *ev)
{
	text_add(b, "subscription %lld to %s of %s %s",
		 (long long)ev->u.subscription_state.subscription,
		 ev->u.subscription_state.package,
		 ev->u.subscription_state.target,
		 ev->u.subscription_state.state);
	if (ev->u.subscription_state.code != EVENT_NONE)
		text_add(b, ", %lld",
			 (long long)ev->u.subscription_state.code);
	add_part(b, ev->u.subscription_state.code != EVENT_NONE ? " " : ", ",
		 ev->u.subscription_state.reason);
}


static void print_presence(struct text_buf *b, const struct event *ev)
{
	text_add(b, "%s %s", ev->u.presence.who, ev->u.presence.status);
	add_part(b, ", ", ev->u.presence.activity);
	add_part(b, ": ", ev->u.presence.note);
}


static void print_dialog(struct text_buf *b, const struct event *ev)
{
	text_add(b, "%s is %s", ev->u.dialog.who, ev->u.dialog.state);
	if (ev->u.dialog.peer[0])
		text_add(b, ", %s %s", !strcmp(ev->u.dialog.direction, "in") ?
			 "called by" : "calling", ev->u.dialog.peer);
}


static void print_mwi(struct text_buf *b, const struct event *ev)
{
	if (!ev->u.mwi.waiting)
		text_add(b, "no messages wait for %s", ev->u.mwi.who);
	else
		text_add(b, "%lld new messages for %s, %lld old",
			 (long long)ev->u.mwi.fresh, ev->u.mwi.who,
			 (long long)ev->u.mwi.old);
}


static void print_publication(struct text_buf *b, const struct event *ev)
{
	text_add(b, "presence of %s %s", ev->u.publication_state.aor,
		 ev->u.publication_state.state);
	if (ev->u.publication_state.cause[0])
		add_part(b, ": ", ev->u.publication_state.reason);
}


static void print_report(struct text_buf *b, const struct event *ev)
{
	text_add(b, "call %u quality report (%s%s%s) %s", ev->call,
		 ev->u.call_report.report,
		 ev->u.call_report.severity[0] ? ", " : "",
		 ev->u.call_report.severity, ev->u.call_report.result);
	if (strcmp(ev->u.call_report.result, "sent"))
		add_part(b, ": ", ev->u.call_report.reason);
}


static void print_dtmf_done(struct text_buf *b, const struct event *ev)
{
	const long long sent = (long long)ev->u.dtmf_done.sent;
	const long long lost = (long long)ev->u.dtmf_done.lost;

	text_add(b, "call %u digits: %lld sent", ev->call,
		 sent > 0 ? sent : 0);
	if (lost > 0)
		text_add(b, ", %lld lost: the call ended before", lost);
}


static void print_file_done(struct text_buf *b, const struct event *ev)
{
	text_add(b, "call %u %s %s: %s", ev->call,
		 ev->type == EVENT_PLAY_DONE ? "playing" : "recording",
		 ev->u.file_done.file, ev->u.file_done.result);
	add_part(b, ", ", ev->u.file_done.text);
}


static void print_device(struct text_buf *b, const struct event *ev)
{
	text_add(b, "%s %s %s", ev->u.device.role, ev->u.device.device,
		 ev->type == EVENT_DEVICE_LOST ? "lost" : "found");
	add_part(b, ": ", ev->u.device.text);
}


void event_print(const struct event *ev, char *buf, size_t sz)
{
	struct text_buf b = {.max = PRINT_MAX};

	if (!ev || !buf || !sz)
		return;

	switch (ev->type) {

	case EVENT_ACCOUNT_STATE:
		print_account_state(&b, ev);
		break;

	case EVENT_CALL_STATE:
		print_call_state(&b, ev);
		break;

	case EVENT_CALL_HOLD:
		print_call_hold(&b, ev);
		break;

	case EVENT_CALL_PEER:
		print_call_peer(&b, ev);
		break;

	case EVENT_CALL_MEDIA:
		print_call_media(&b, ev);
		break;

	case EVENT_CALL_TONE:
		text_add(&b, "call %u hears %s", ev->call,
			 ev->u.call_tone.tone);
		break;

	case EVENT_CALL_UNHEARD:
		text_add(&b, "call %u is muted, and you are talking: `unmute`"
			 " lets them hear you", ev->call);
		break;

	case EVENT_CALL_CLIPPED:
		text_add(&b, "call %u: your microphone is too loud, what they"
			 " hear is cut: turn it down, or `gain mic -6`",
			 ev->call);
		break;

	case EVENT_CALL_MOVED:
		text_add(&b, "call %u: its sound comes from %s now, not from"
			 " %s", ev->call, ev->u.call_moved.from,
			 ev->u.call_moved.was);
		break;

	case EVENT_CALL_DTMF:
		text_add(&b, "call %u digit %s", ev->call,
			 ev->u.call_dtmf.digit);
		break;

	case EVENT_CALL_TRANSFER:
		print_call_transfer(&b, ev);
		break;

	case EVENT_CALL_INFO:
		text_add(&b, "call %u info: %s", ev->call,
			 ev->u.call_info.body);
		break;

	case EVENT_CALL_REDIRECT:
		print_call_redirect(&b, ev);
		break;

	case EVENT_CALL_UPDATE:
		print_call_update(&b, ev);
		break;

	case EVENT_CALL_QUALITY:
		print_call_quality(&b, ev);
		break;

	case EVENT_CALL_LEVEL:
		print_call_level(&b, ev);
		break;

	case EVENT_CALL_PROGRESS:
		text_add(&b, "call %u", ev->call);
		if (ev->u.call_progress.code != EVENT_NONE)
			text_add(&b, " %lld %s", (long long)
				 ev->u.call_progress.code,
				 ev->u.call_progress.reason);
		text_add(&b, ", %s", ev->u.call_progress.sound ? "sound" :
			 "no sound yet");
		break;

	case EVENT_CALL_FORKED:
		text_add(&b, "call %u was answered in another place too, which "
			 "is hung up: %s", ev->call,
			 ev->u.call_forked.contact);
		break;

	case EVENT_CALL_CONFERENCE:
		print_conference(&b, ev);
		break;

	case EVENT_CALL_PLACE:
		print_place(&b, ev);
		break;

	case EVENT_DTMF_DONE:
		print_dtmf_done(&b, ev);
		break;

	case EVENT_MESSAGE_RECEIVED:
		text_add(&b, "message from %s: %s",
			 ev->u.message_received.name[0] ?
			 ev->u.message_received.name :
			 ev->u.message_received.from,
			 ev->u.message_received.text);
		break;

	case EVENT_MESSAGE_SENT:
		print_message_sent(&b, ev);
		break;

	case EVENT_MESSAGE_COMPOSING:
		text_add(&b, "%s %s", ev->u.message_composing.from,
			 ev->u.message_composing.active ? "is writing" :
			 "has stopped writing");
		break;

	case EVENT_SUBSCRIPTION_STATE:
		print_subscription(&b, ev);
		break;

	case EVENT_SUBSCRIPTION_NOTIFY:
		text_add(&b, "subscription %lld: %s",
			 (long long)ev->u.subscription_notify.subscription,
			 ev->u.subscription_notify.body);
		break;

	case EVENT_PRESENCE:
		print_presence(&b, ev);
		break;

	case EVENT_DIALOG:
		print_dialog(&b, ev);
		break;

	case EVENT_MWI:
		print_mwi(&b, ev);
		break;

	case EVENT_REGISTRATION:
		text_add(&b, "%s at %s: %s", ev->u.registration.aor,
			 ev->u.registration.contact,
			 ev->u.registration.state);
		add_part(&b, ", ", ev->u.registration.why);
		break;

	case EVENT_CONFERENCE:
		text_add(&b, "%s: %s %s, %lld there", ev->u.conference.room,
			 ev->u.conference.name[0] ? ev->u.conference.name :
			 ev->u.conference.who, ev->u.conference.state,
			 (long long)ev->u.conference.count);
		break;

	case EVENT_PUBLICATION_STATE:
		print_publication(&b, ev);
		break;

	case EVENT_CALL_REPORT:
		print_report(&b, ev);
		break;

	case EVENT_PLAY_DONE:
	case EVENT_RECORD_DONE:
		print_file_done(&b, ev);
		break;

	case EVENT_NETWORK_CHANGED:
		print_network(&b, ev);
		break;

	case EVENT_CALL_FINDING:
		text_add(&b, "call %u: %s", ev->call, ev->u.call_finding.text);
		break;

	case EVENT_TLS_REFUSED:
		text_add(&b, "the certificate of %s is refused: %s; subject "
			 "%s, issuer %s (%s)", ev->u.tls_refused.domain,
			 ev->u.tls_refused.text, ev->u.tls_refused.subject,
			 ev->u.tls_refused.issuer, ev->u.tls_refused.server);
		break;

	case EVENT_SIP_FAULT:
		print_fault(&b, ev);
		break;

	case EVENT_RTP_FAULT:
		print_rtp_fault(&b, ev);
		break;

	case EVENT_DEVICE_LOST:
	case EVENT_DEVICE_FOUND:
		print_device(&b, ev);
		break;

	case EVENT_DEVICE_LEVEL:
		text_add(&b, "devices");
		add_double(&b, "microphone", ev->u.device_level.mic_dbfs,
			   " dBFS");
		add_double(&b, "loudspeaker",
			   ev->u.device_level.speaker_dbfs, " dBFS");
		break;

	case EVENT_LOG:
		text_add(&b, "%s: %s: %s", ev->u.log.level, ev->u.log.module,
			 ev->u.log.text);
		break;

	case EVENT_TYPES:
		break;
	}

	(void)text_escape(buf, sz, b.s ? b.s : "", b.len);
	text_buf_reset(&b);
}
