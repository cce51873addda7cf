/**
 * @file table.c  Every type of event and its fields
 *
 * One row a type and one line a field: JSON, the manual and `wait` read them
 * from here.  Const data; any thread.
 */
#include <string.h>
#include <offhook/event.h>
#include "priv.h"


#define SIZE(member) sizeof(((struct event *)0)->u.member)
#define STR(n, member, sum)						\
	{.name = n, .type = EVF_STR, .size = SIZE(member),		\
	 .offset = offsetof(struct event, u.member), .summary = sum}
#define INT(n, member, sum)						\
	{.name = n, .type = EVF_INT, .size = SIZE(member),		\
	 .offset = offsetof(struct event, u.member), .summary = sum}
#define DBL(n, member, sum)						\
	{.name = n, .type = EVF_DOUBLE, .size = SIZE(member),		\
	 .offset = offsetof(struct event, u.member), .summary = sum}
#define BOOL(n, member, sum)						\
	{.name = n, .type = EVF_BOOL, .size = SIZE(member),		\
	 .offset = offsetof(struct event, u.member), .summary = sum}

static const struct event_field account_state_fields[] = {
	STR("state", account_state.state, "off, registering, registered, "
	    "refreshing, failed, unregistering"),
	STR("aor", account_state.aor, "the account's address"),
	STR("cause", account_state.cause, "why it failed: auth, timeout, "
	    "transport, resolve, status ..."),
	STR("text", account_state.text, "the same as one sentence"),
	INT("code", account_state.code, "SIP status of the answer"),
	STR("reason", account_state.reason, "its reason phrase"),
	INT("next-ms", account_state.next_ms, "time until the next attempt or "
	    "refresh"),
	STR("server", account_state.server, "address and port it went to"),
	STR("transport", account_state.transport, "and how: udp, tcp, tls"),
	INT("flow", account_state.flow, "which of several ways this is about: "
	    "1, 2"),
	{0}
};

static const struct event_field call_state_fields[] = {
	STR("state", call_state.state, "calling, ringing, early, incoming, "
	    "active, ended"),
	STR("direction", call_state.direction, "in or out"),
	STR("peer", call_state.peer, "URI of the other side"),
	STR("name", call_state.name, "display name of the other side"),
	INT("code", call_state.code, "SIP status that led here; ended: 200 "
	    "after BYE, 487 when cancelled, 0 when no response came"),
	STR("reason", call_state.reason, "its reason phrase, or what else "
	    "went wrong"),
	STR("cause", call_state.cause, "why the call ended: none (it was hung "
	    "up), no-media (so it was, but nothing had been heard), limit "
	    "(call-limit was reached), status, "
	    "cancelled, no-answer, auth, media (no common codec), timeout, "
	    "transport, resolve, protocol, local"),
	STR("by", call_state.by, "who ended it: local, remote"),
	STR("text", call_state.text, "why the call ended, one sentence"),
	INT("duration-ms", call_state.duration_ms,
	    "from answer to end, 0 if it was not answered"),
	INT("setup-ms", call_state.setup_ms, "from INVITE to answer"),
	STR("asserted", call_state.asserted, "incoming: URI of the caller "
	    "as a server of the account vouches for it"),
	STR("asserted-name", call_state.asserted_name, "incoming: its "
	    "display name"),
	STR("privacy", call_state.privacy, "incoming: what the caller wants "
	    "kept private: id, user ..."),
	STR("diverted-by", call_state.diverted_by, "incoming: URI of who has "
	    "sent the call on, the last one"),
	STR("diverted-reason", call_state.diverted_reason, "incoming: why: "
	    "user-busy, no-answer, unconditional ..."),
	STR("first-called", call_state.first_called, "incoming: whom the "
	    "caller called first, when several have sent the call on"),
	STR("attest", call_state.attest, "incoming: A, B or C: what an "
	    "Identity header claims, which nobody has checked; none, "
	    "unreadable"),
	STR("attest-orig", call_state.attest_orig, "incoming: the number it "
	    "is claimed for"),
	STR("attest-dest", call_state.attest_dest, "incoming: the number "
	    "that was called"),
	INT("attest-iat", call_state.attest_iat, "incoming: when it was "
	    "claimed, seconds since 1970"),
	STR("answer-mode", call_state.answer_mode, "incoming: auto: the "
	    "phone is asked to answer by itself; manual: not to; "
	    "active: auto, manual: how the other side has answered"),
	INT("redial-ms", call_state.redial_ms, "calling: the last attempt "
	    "failed with this code, and the next one is so far away"),
	STR("redial-when", call_state.redial_when, "calling: the same, and "
	    "the next one is when the other side is free: free"),
	INT("joins", call_state.joins, "incoming: the call that the caller "
	    "wants to join"),
	{0}
};

static const struct event_field call_hold_fields[] = {
	BOOL("local", call_hold.local, "we hold the call"),
	BOOL("remote", call_hold.remote, "the other side holds it"),
	INT("code", call_hold.code, "SIP status, when what we wanted was "
	    "refused: local and remote are as before"),
	STR("cause", call_hold.cause, "why it was refused: status, timeout "
	    "..."),
	{0}
};

static const struct event_field call_peer_fields[] = {
	STR("peer", call_peer.peer, "URI of who the other side is now"),
	STR("name", call_peer.name, "display name"),
	BOOL("asserted", call_peer.asserted, "a server of the account says "
	     "so; else the other side itself"),
	{0}
};

static const struct event_field call_finding_fields[] = {
	STR("finding", call_finding.finding, "a stable word: no-response, "
	    "one-way-audio, codec-mismatch ..."),
	STR("stage", call_finding.stage, "where it went wrong"),
	STR("text", call_finding.text, "what was seen, what that usually "
	    "means, what to try"),
	{0}
};

static const struct event_field call_media_fields[] = {
	STR("codec", call_media.codec, "name of the codec"),
	INT("rate", call_media.rate_hz, "sampling rate, Hz"),
	INT("ptime-ms", call_media.ptime_ms, "sound in a packet"),
	STR("security", call_media.security, "how the keys that protect it "
	    "are agreed on: sdes, dtls, or none"),
	STR("suite", call_media.suite, "what protects it, such as "
	    "AEAD_AES_256_GCM; empty: nothing, or not yet"),
	STR("fingerprint", call_media.print, "of the certificate that the "
	    "other side has proven to have, of dtls"),
	STR("fingerprint-own", call_media.print_own, "and of ours, for them "
	    "to compare"),
	STR("path", call_media.path, "what ICE has chosen: direct, relay; "
	    "empty: nothing yet, or no ICE"),
	STR("direction", call_media.direction,
	    "sendrecv, sendonly, recvonly, inactive"),
	STR("local", call_media.local, "our address and port"),
	STR("remote", call_media.remote, "theirs"),
	{0}
};

static const struct event_field call_dtmf_fields[] = {
	STR("digit", call_dtmf.digit, "0 to 9, *, #, A to D"),
	STR("via", call_dtmf.via, "rtp, info, inband"),
	INT("duration-ms", call_dtmf.duration_ms, "how long it was pressed"),
	{0}
};

static const struct event_field call_transfer_fields[] = {
	STR("state", call_transfer.state, "trying, ringing, done, failed; "
	    "asked, accepted, refused when the other side transfers us"),
	STR("by", call_transfer.by, "who transfers: local, remote"),
	STR("from", call_transfer.from, "who asks us to call the target"),
	STR("target", call_transfer.target, "URI to be called"),
	INT("code", call_transfer.code, "SIP status of the new call"),
	STR("reason", call_transfer.reason, "its reason phrase, or what else "
	    "went wrong"),
	STR("cause", call_transfer.cause, "why it failed: status, timeout "
	    "..."),
	INT("new-call", call_transfer.new_call, "number of the call that was "
	    "made for it"),
	{0}
};

static const struct event_field call_info_fields[] = {
	STR("package", call_info.package, "what it belongs to (option "
	    "info-packages)"),
	STR("type", call_info.type, "what the body is"),
	STR("body", call_info.body, "as it came"),
	BOOL("cut", call_info.cut, "it was longer"),
	{0}
};

static const struct event_field call_redirect_fields[] = {
	STR("state", call_redirect.state, "asked (redirects=ask), followed, "
	    "refused"),
	STR("target", call_redirect.target, "URI it is sent to"),
	INT("code", call_redirect.code, "SIP status that says so"),
	STR("reason", call_redirect.reason, "its reason phrase"),
	{0}
};

static const struct event_field call_update_fields[] = {
	STR("method", call_update.method, "INVITE, UPDATE"),
	INT("code", call_update.code, "SIP status of the answer"),
	STR("reason", call_update.reason, "its reason phrase, or what else "
	    "went wrong"),
	STR("cause", call_update.cause, "why it failed: status, timeout ...; "
	    "empty: it was agreed"),
	{0}
};

static const struct event_field dtmf_done_fields[] = {
	STR("result", dtmf_done.result, "done, lost: the call ended before"),
	INT("sent", dtmf_done.sent, "digits that went out"),
	INT("lost", dtmf_done.lost, "digits that did not"),
	{0}
};

static const struct event_field call_report_fields[] = {
	STR("report", call_report.report, "end, interval (option "
	    "quality-interval), asked (by `report`), alert (quality-alert "
	    "was crossed)"),
	STR("severity", call_report.severity, "of an alert: warning, "
	    "critical, clear (it is good again)"),
	STR("to", call_report.to, "who collects reports"),
	STR("result", call_report.result, "sent, failed"),
	INT("code", call_report.code, "SIP status of the answer"),
	STR("reason", call_report.reason, "its phrase, or what else went "
	    "wrong"),
	{0}
};

static const struct event_field call_quality_fields[] = {
	INT("packets-sent", call_quality.packets_sent, "in this call"),
	INT("packets-received", call_quality.packets_received,
	    "in this call"),
	INT("packets-lost", call_quality.packets_lost, "in this call"),
	DBL("loss-pct", call_quality.loss_pct, "lost in this second"),
	INT("jitter-ms", call_quality.jitter_ms, "variation of arrival"),
	INT("delay-ms", call_quality.delay_ms, "what the buffer adds"),
	INT("target-ms", call_quality.target_ms, "what arrivals call for"),
	INT("late", call_quality.late, "packets after their turn"),
	INT("discarded", call_quality.discarded, "packets of no use"),
	INT("recovered", call_quality.recovered,
	    "packets that a later one brought"),
	INT("concealed-ms", call_quality.concealed_ms, "made up"),
	INT("stretched-ms", call_quality.stretched_ms,
	    "put in to play later"),
	INT("compressed-ms", call_quality.compressed_ms,
	    "left out to play sooner"),
	INT("rtt-ms", call_quality.rtt_ms, "round trip, if RTCP tells"),
	INT("network-ms", call_quality.network_ms, "half of it: the way "
	    "through the network"),
	INT("mic-ms", call_quality.mic_ms, "what the microphone's buffers "
	    "take"),
	INT("speaker-ms", call_quality.speaker_ms, "the same of the "
	    "loudspeaker's"),
	INT("mouth-to-ear-ms", call_quality.mouth_to_ear_ms, "microphone, "
	    "packet, network, buffer and loudspeaker together, as far as "
	    "they are known"),
	DBL("mos", call_quality.mos, "estimated opinion, 1 to 4.5"),
	DBL("r-factor", call_quality.r_factor,
	    "the rating of the E-model (G.107) it stands for, 0 to 93"),
	DBL("remote-mos", call_quality.remote_mos,
	    "how good we sound there, if the peer reports it (RFC 3611)"),
	{0}
};

static const struct event_field call_level_fields[] = {
	DBL("in-dbfs", call_level.in_dbfs, "how loud the other side is"),
	DBL("in-peak-dbfs", call_level.in_peak_dbfs, "its loudest sample"),
	DBL("out-dbfs", call_level.out_dbfs, "how loud what we send is"),
	DBL("out-peak-dbfs", call_level.out_peak_dbfs, "its loudest sample"),
	INT("in-clipped", call_level.in_clipped, "samples of theirs at the "
	    "limit: cut, most likely"),
	INT("out-clipped", call_level.out_clipped, "samples of ours there"),
	DBL("erle-db", call_level.erle_db, "how much of the loudspeaker's "
	    "echo is taken out of the microphone"),
	DBL("noise-dbfs", call_level.noise_dbfs, "how loud the room is while "
	    "nobody speaks, as the microphone has it"),
	DBL("noise-less-db", call_level.noise_less_db, "how much of that the "
	    "noise suppressor keeps from them, as measured"),
	{0}
};

static const struct event_field call_progress_fields[] = {
	INT("code", call_progress.code, "provisional SIP status: 180, 183 "
	    "..."),
	STR("reason", call_progress.reason, "its phrase"),
	BOOL("sound", call_progress.sound, "something of the other side has "
	     "been heard"),
	{0}
};

static const struct event_field call_forked_fields[] = {
	STR("contact", call_forked.contact, "URI of the other one, as it says"),
	{0}
};

static const struct event_field call_conference_fields[] = {
	STR("state", call_conference.state, "joined, left"),
	INT("conference", call_conference.conference, "its number"),
	INT("members", call_conference.members, "calls in it now"),
	{0}
};

static const struct event_field call_place_fields[] = {
	INT("place", call_place.place, "-100 at the very left, 0 in the "
	    "middle, 100 at the very right"),
	{0}
};

static const struct event_field message_received_fields[] = {
	STR("from", message_received.from, "URI of the sender"),
	STR("name", message_received.name, "its display name"),
	STR("to", message_received.to, "whom it is for"),
	STR("type", message_received.type, "what the text is, text/plain"),
	STR("text", message_received.text, "the text"),
	BOOL("cut", message_received.cut, "it was longer"),
	{0}
};

static const struct event_field message_sent_fields[] = {
	INT("id", message_sent.id, "number of the message"),
	STR("to", message_sent.to, "URI it is for"),
	STR("result", message_sent.result, "sent, failed; stored: it is "
	    "sent again later; delivered, displayed when a report tells"),
	INT("code", message_sent.code, "SIP status"),
	STR("reason", message_sent.reason, "its reason phrase, or what else "
	    "went wrong"),
	STR("cause", message_sent.cause, "why it failed: status, timeout, "
	    "transport, resolve, auth, local"),
	STR("text", message_sent.text, "the text"),
	{0}
};

static const struct event_field message_composing_fields[] = {
	STR("from", message_composing.from, "URI of who writes"),
	BOOL("active", message_composing.active, "begins, or has stopped"),
	{0}
};

static const struct event_field subscription_state_fields[] = {
	INT("subscription", subscription_state.subscription, "its number"),
	STR("package", subscription_state.package, "event package"),
	STR("target", subscription_state.target, "URI of who is watched"),
	STR("state", subscription_state.state, "trying, pending, active, "
	    "waiting (for another try), ended"),
	INT("code", subscription_state.code, "SIP status, of a refusal"),
	STR("reason", subscription_state.reason, "the notifier's reason, or "
	    "what went wrong"),
	STR("cause", subscription_state.cause, "why: status, timeout, "
	    "transport, resolve, auth ..."),
	INT("next-ms", subscription_state.next_ms, "until the refresh or the "
	    "next try"),
	{0}
};

static const struct event_field subscription_notify_fields[] = {
	INT("subscription", subscription_notify.subscription, "its number"),
	STR("package", subscription_notify.package, "event package"),
	STR("type", subscription_notify.type, "what the body is"),
	STR("body", subscription_notify.body, "as it came"),
	BOOL("cut", subscription_notify.cut, "it was longer"),
	{0}
};

static const struct event_field presence_fields[] = {
	STR("who", presence.who, "URI of the person"),
	STR("status", presence.status, "open, closed"),
	STR("activity", presence.activity, "away, busy, on-the-phone ..."),
	STR("note", presence.note, "what the person says"),
	STR("contact", presence.contact, "where to call"),
	{0}
};

static const struct event_field dialog_fields[] = {
	STR("who", dialog.who, "URI of the phone"),
	STR("state", dialog.state, "free, ringing, busy"),
	INT("count", dialog.count, "its calls"),
	STR("peer", dialog.peer, "URI of the other side of one"),
	STR("direction", dialog.direction, "of that call: in, out"),
	{0}
};

static const struct event_field mwi_fields[] = {
	STR("who", mwi.who, "URI of the account"),
	BOOL("waiting", mwi.waiting, "messages wait"),
	INT("new", mwi.fresh, "voice messages not heard yet"),
	INT("old", mwi.old, "voice messages heard"),
	INT("urgent", mwi.urgent, "new ones that are urgent"),
	STR("mailbox", mwi.mailbox, "URI to call for them"),
	{0}
};

static const struct event_field registration_fields[] = {
	STR("aor", registration.aor, "the address"),
	STR("contact", registration.contact, "URI of a device"),
	STR("state", registration.state, "active, terminated"),
	STR("why", registration.why, "registered, refreshed, expired ..."),
	INT("expires", registration.expires_s, "seconds it is good for"),
	{0}
};

static const struct event_field conference_fields[] = {
	STR("room", conference.room, "the conference, as it is watched"),
	STR("subject", conference.subject, "what it is about"),
	STR("who", conference.who, "URI of a member"),
	STR("name", conference.name, "his name"),
	STR("state", conference.state, "connected, on-hold, alerting, "
	    "muted-via-focus ...; left"),
	INT("count", conference.count, "members that are there now"),
	{0}
};

static const struct event_field publication_state_fields[] = {
	STR("aor", publication_state.aor, "whose presence"),
	STR("state", publication_state.state, "published, off, failed"),
	INT("code", publication_state.code, "SIP status"),
	STR("reason", publication_state.reason, "its phrase, or what else "
	    "went wrong"),
	STR("cause", publication_state.cause, "why it failed"),
	INT("next-ms", publication_state.next_ms, "until the refresh or the "
	    "next try"),
	{0}
};

static const struct event_field file_done_fields[] = {
	STR("file", file_done.file, "the file"),
	STR("result", file_done.result, "done, stopped, error"),
	STR("text", file_done.text, "what went wrong"),
	INT("duration-ms", file_done.duration_ms, "sound played or recorded"),
	{0}
};

static const struct event_field call_tone_fields[] = {
	STR("tone", call_tone.tone, "dial, ringback, busy, congestion, sit "
	    "(the three that say that a number cannot be reached), fax"),
	{0}
};

static const struct event_field call_unheard_fields[] = {
	STR("peer", call_unheard.peer, "who does not hear it"),
	{0}
};

static const struct event_field call_clipped_fields[] = {
	STR("peer", call_unheard.peer, "who hears it"),
	{0}
};

static const struct event_field call_moved_fields[] = {
	STR("from", call_moved.from, "address and port that its sound comes "
	    "from now"),
	STR("was", call_moved.was, "that it came from before"),
	{0}
};

static const struct event_field device_level_fields[] = {
	DBL("mic-dbfs", device_level.mic_dbfs, "how loud the microphone is"),
	DBL("mic-peak-dbfs", device_level.mic_peak_dbfs,
	    "its loudest sample"),
	DBL("speaker-dbfs", device_level.speaker_dbfs,
	    "how loud the loudspeaker is"),
	INT("clipped", device_level.clipped, "samples of the microphone at "
	    "the limit, so far"),
	{0}
};

static const struct event_field device_fields[] = {
	STR("device", device.device, "its name"),
	STR("role", device.role, "mic, speaker, sound (both of them), ring or "
	    "monitor"),
	STR("text", device.text, "what happened"),
	{0}
};

static const struct event_field log_fields[] = {
	STR("level", log.level, "error, warn, info, debug"),
	STR("module", log.module, "who says it"),
	STR("text", log.text, "the line"),
	{0}
};

static const struct event_field network_changed_fields[] = {
	STR("cause", network_changed.cause, "addresses, routes, resume"),
	STR("added", network_changed.added, "addresses that are new, with "
	    "blanks between them"),
	STR("removed", network_changed.removed, "addresses that are gone"),
	INT("calls", network_changed.calls, "how many calls are moved to "
	    "another address"),
	INT("slept-ms", network_changed.slept_ms, "resume: how long the "
	    "machine slept"),
	{0}
};

static const struct event_field tls_refused_fields[] = {
	STR("domain", tls_refused.domain, "who was meant"),
	STR("server", tls_refused.server, "address and port that were called"),
	STR("subject", tls_refused.subject, "whom the certificate is for"),
	STR("issuer", tls_refused.issuer, "who has signed it"),
	STR("text", tls_refused.text, "what is wrong with it"),
	{0}
};

static const struct event_field rtp_fault_fields[] = {
	STR("fault", rtp_fault.fault, "drop, reorder, duplicate, corrupt"),
	STR("way", rtp_fault.way, "in or out"),
	STR("protocol", rtp_fault.protocol, "rtp or rtcp"),
	INT("sequence", rtp_fault.sequence, "number of the packet, of RTP"),
	STR("remote", rtp_fault.remote, "address and port it goes to or "
	    "comes from"),
	INT("untold", rtp_fault.untold, "faults before it, of all calls, that "
	    "were more than 50 a second and were not told"),
	{0}
};

static const struct event_field sip_fault_fields[] = {
	STR("fault", sip_fault.fault, "drop, delay, duplicate, reorder, "
	    "mangle, remove, add, corrupt"),
	STR("way", sip_fault.way, "in or out"),
	STR("method", sip_fault.method, "of the request, or of that which is "
	    "answered"),
	INT("code", sip_fault.code, "SIP status of a response"),
	INT("rule", sip_fault.rule, "number of the rule (sip-fault)"),
	STR("header", sip_fault.header, "the header that the rule names"),
	STR("remote", sip_fault.remote, "address and port it goes to or "
	    "comes from"),
	STR("transport", sip_fault.transport, "udp, tcp or tls"),
	{0}
};

static const struct event_row rows[EVENT_TYPES] = {
	[EVENT_ACCOUNT_STATE] = {"account.state",
		"An account registered, failed or was taken off",
		account_state_fields},
	[EVENT_CALL_STATE] = {"call.state",
		"A call began, rang, was answered or ended",
		call_state_fields},
	[EVENT_CALL_HOLD] = {"call.hold",
		"One side put the call on hold or took it back, or could not",
		call_hold_fields},
	[EVENT_CALL_PEER] = {"call.peer",
		"The other side of a call is somebody else now, or has a name",
		call_peer_fields},
	[EVENT_CALL_MEDIA] = {"call.media",
		"What was agreed for the sound of a call",
		call_media_fields},
	[EVENT_CALL_DTMF] = {"call.dtmf",
		"The other side pressed a key",
		call_dtmf_fields},
	[EVENT_CALL_TRANSFER] = {"call.transfer",
		"A call is handed over, by us or by the other side",
		call_transfer_fields},
	[EVENT_CALL_INFO] = {"call.info",
		"The other side sent something in an INFO request",
		call_info_fields},
	[EVENT_CALL_REDIRECT] = {"call.redirect",
		"A call of ours is sent elsewhere",
		call_redirect_fields},
	[EVENT_CALL_UPDATE] = {"call.update",
		"What became of `update` or `reinvite`",
		call_update_fields},
	[EVENT_CALL_FINDING] = {"call.finding",
		"Why a call failed, or was poor, in plain words",
		call_finding_fields},
	[EVENT_CALL_QUALITY] = {"call.quality",
		"How the call sounds, each second",
		call_quality_fields},
	[EVENT_CALL_REPORT] = {"call.report",
		"A report on how a call sounds was sent, or could not be",
		call_report_fields},
	[EVENT_CALL_LEVEL] = {"call.level",
		"How loud the call is, now and then (option level-interval)",
		call_level_fields},
	[EVENT_CALL_PROGRESS] = {"call.progress",
		"A provisional response came, or the first sound",
		call_progress_fields},
	[EVENT_CALL_FORKED] = {"call.forked",
		"A call of ours rang in several places, and was answered in"
		" another one as well: that one is hung up",
		call_forked_fields},
	[EVENT_CALL_CONFERENCE] = {"call.conference",
		"A call came into a conference or went out of it",
		call_conference_fields},
	[EVENT_CALL_PLACE] = {"call.place",
		"A call is heard from another place between left and right",
		call_place_fields},
	[EVENT_DTMF_DONE] = {"dtmf.done",
		"The digits given so far are out",
		dtmf_done_fields},
	[EVENT_MESSAGE_RECEIVED] = {"message.received",
		"A text message came",
		message_received_fields},
	[EVENT_MESSAGE_SENT] = {"message.sent",
		"What became of a text message of ours",
		message_sent_fields},
	[EVENT_MESSAGE_COMPOSING] = {"message.composing",
		"Somebody writes a message to us",
		message_composing_fields},
	[EVENT_SUBSCRIPTION_STATE] = {"subscription.state",
		"A subscription of ours began, is active or ended",
		subscription_state_fields},
	[EVENT_SUBSCRIPTION_NOTIFY] = {"subscription.notify",
		"What we watch has told something, as it came",
		subscription_notify_fields},
	[EVENT_PRESENCE] = {"presence",
		"Whether somebody we watch can be reached",
		presence_fields},
	[EVENT_DIALOG] = {"dialog",
		"Whether a phone we watch is in use",
		dialog_fields},
	[EVENT_MWI] = {"mwi",
		"Voice messages wait, or no longer",
		mwi_fields},
	[EVENT_REGISTRATION] = {"registration",
		"A device of an address we watch came or went",
		registration_fields},
	[EVENT_CONFERENCE] = {"conference",
		"Somebody came into a conference of a server that we watch, "
		"or left it",
		conference_fields},
	[EVENT_PUBLICATION_STATE] = {"publication.state",
		"Our presence was published, or could not be",
		publication_state_fields},
	[EVENT_PLAY_DONE] = {"play.done",
		"A file has been played",
		file_done_fields},
	[EVENT_RECORD_DONE] = {"record.done",
		"A recording is complete",
		file_done_fields},
	[EVENT_DEVICE_LOST] = {"device.lost",
		"A sound device failed or went away",
		device_fields},
	[EVENT_DEVICE_FOUND] = {"device.found",
		"A sound device is in use (again)",
		device_fields},
	[EVENT_CALL_TONE] = {"call.tone",
		"A tone of the network is heard (option call-tones)",
		call_tone_fields},
	[EVENT_CALL_UNHEARD] = {"call.unheard",
		"The call is muted, and you talk into the microphone: once, "
		"until you pause (option mute-warning)",
		call_unheard_fields},
	[EVENT_CALL_MOVED] = {"call.moved",
		"The sound of a call comes from elsewhere, though nobody has "
		"said so: ours goes there from now on (option symmetric-rtp)",
		call_moved_fields},
	[EVENT_CALL_CLIPPED] = {"call.clipped",
		"Our microphone is too loud: what it takes is cut off at the "
		"limit, and rattles; told twice a minute at most",
		call_clipped_fields},
	[EVENT_DEVICE_LEVEL] = {"device.level",
		"How loud the devices are while `devices test` runs",
		device_level_fields},
	[EVENT_NETWORK_CHANGED] = {"network.changed",
		"The machine has other addresses or ways, or was asleep: who "
		"is registered registers again, calls are moved",
		network_changed_fields},
	[EVENT_TLS_REFUSED] = {"tls.refused",
		"A server's certificate was refused: nothing was sent to it",
		tls_refused_fields},
	[EVENT_SIP_FAULT] = {"sip.fault",
		"A SIP message was made to go wrong (sip-fault)",
		sip_fault_fields},
	[EVENT_RTP_FAULT] = {"rtp.fault",
		"A packet of sound was made to go wrong (fault)",
		rtp_fault_fields},
	[EVENT_LOG] = {"log",
		"A line of the log",
		log_fields},
};


const struct event_row *event_row(enum event_type type)
{
	return (unsigned)type < EVENT_TYPES ? &rows[type] : NULL;
}


enum event_type event_type_find(const char *name)
{
	unsigned i;

	for (i = 0; name && i < EVENT_TYPES; i++) {
		if (!strcmp(rows[i].name, name))
			return (enum event_type)i;
	}

	return EVENT_TYPES;
}
