/**
 * @file table.c  Every option
 *
 * One row an option; everything that knows options reads it from here.
 * Const data.
 */
#include <stddef.h>
#include <string.h>
#include <offhook/config.h>


#define FIELD(f) .offset = offsetof(struct config, f),			\
		.size = sizeof(((struct config *)0)->f)

static const struct option options[] = {
	{
		.name = "codecs", .type = OPT_LIST, FIELD(codecs),
		.def = "opus,g722,pcmu,pcma,l16",
		.choices = "opus,g722,pcmu,pcma,l16,gsm",
		.summary = "Codecs to offer and accept, the best first",
	},
	{
		.name = "packet-time", .type = OPT_TIME, FIELD(packet_time_ms),
		.def = "20ms", .min = 10, .max = 60,
		.choices = "10ms,20ms,30ms,40ms,50ms,60ms", .unit = "ms",
		.summary = "How much sound one packet carries",
	},
	{
		.name = "media-ports", .type = OPT_PORTS, FIELD(port_min),
		.def = "10000-19999",
		.summary = "UDP ports for sound: two of them for each call",
	},
	{
		.name = "rtp-dscp", .type = OPT_INT, FIELD(rtp_dscp),
		.def = "46", .min = 0, .max = 63,
		.summary = "How the packets of new calls are marked for"
			" routers: 46 is expedited forwarding, 0 none",
	},
	{
		.name = "sip-dscp", .type = OPT_INT, FIELD(sip_dscp),
		.def = "40", .min = 0, .max = 63, .restart = true,
		.summary = "The same for SIP messages: 40 is what RFC 4594"
			" gives to signalling, 0 none",
	},
	{
		.name = "jitter-max", .type = OPT_TIME, FIELD(jitter_max_ms),
		.def = "500ms", .min = 20, .max = 5000, .unit = "ms",
		.summary = "The most that the jitter buffer may delay",
	},
	{
		.name = "jitter-min", .type = OPT_TIME, FIELD(jitter_min_ms),
		.def = "0s", .min = 0, .max = 2000, .unit = "ms",
		.summary = "The least that the jitter buffer delays",
	},
	{
		.name = "rtp-timeout", .type = OPT_TIME, FIELD(rtp_timeout_ms),
		.def = "30s", .min = 0, .max = 86400000, .unit = "ms",
		.summary = "Warn and ask the peer by SIP after so long without a "
			   "packet; 0: never",
	},
	{
		.name = "symmetric-rtp", .type = OPT_BOOL,
		FIELD(symmetric_rtp), .def = "yes",
		.summary = "Send sound where the peer's comes from, which may "
			   "be behind a NAT; no: only where it said",
	},
	{
		.name = "ring-timeout", .type = OPT_TIME,
		FIELD(ring_timeout_ms),
		.def = "2m", .min = 1000, .max = 3600000, .unit = "ms",
		.summary = "How long a call may ring, theirs or ours",
	},
	{
		.name = "sip-timeout", .type = OPT_TIME, FIELD(sip_timeout_ms),
		.def = "32s", .min = 500, .max = 300000, .unit = "ms",
		.summary = "How long to wait for an answer to a request",
	},
	{
		.name = "sip-repeat", .type = OPT_TIME, FIELD(sip_repeat_ms),
		.def = "500ms", .min = 50, .max = 4000, .unit = "ms",
		.restart = true,
		.summary = "T1 of RFC 3261: when a packet without an answer is"
			" sent again first; all is given up after 64 times"
			" that. More on a slow way (satellite), less where all"
			" is near",
	},
	{
		.name = "resolve-timeout", .type = OPT_TIME,
		FIELD(resolve_timeout_ms),
		.def = "10s", .min = 100, .max = 120000, .unit = "ms",
		.summary = "How long to wait for the address of a name",
	},
	{
		.name = "dns-servers", .type = OPT_ADDRS, FIELD(dns_servers),
		.def = "", .max = 4,
		.summary = "Name servers to ask instead of the system's",
		.restart = true,
	},
	{
		.name = "dns-hosts", .type = OPT_STRING, FIELD(dns_hosts),
		.def = "",
		.summary = "NAME=ADDRESS, several with commas: these names lead"
			" there, whatever DNS says",
		.restart = true,
	},
	{
		.name = "enum-domain", .type = OPT_STRING, FIELD(enum_domain),
		.def = "",
		.summary = "Look telephone numbers up here before they are"
			" called (ENUM): e164.arpa; empty: do not",
	},
	{
		.name = "media-security", .type = OPT_ENUM,
		FIELD(media_security),
		.def = "prefer", .choices = "off,prefer,require",
		.summary = "Encrypt sound (SRTP): never, with who can, or no"
			" call without",
	},
	{
		.name = "sdes", .type = OPT_ENUM, FIELD(sdes),
		.def = "secure", .choices = "never,secure,always",
		.summary = "Put the keys for it into SIP messages: never, only"
			" where those are encrypted too, always",
	},
	{
		.name = "tls-verify", .type = OPT_BOOL, FIELD(tls_verify),
		.def = "yes", .restart = true,
		.summary = "Make sure over TLS that a server is who it should"
			" be; no: whoever is on the way can listen",
	},
	{
		.name = "tls-ca", .type = OPT_STRING, FIELD(tls_ca),
		.def = "", .restart = true,
		.summary = "Authorities that are trusted instead of the"
			" system's: a PEM file, or a directory of them",
	},
	{
		.name = "tls-cert", .type = OPT_STRING, FIELD(tls_cert),
		.def = "", .restart = true,
		.summary = "Our certificate with its chain, a PEM file; empty:"
			" one is made for each run in which we listen",
	},
	{
		.name = "tls-key", .type = OPT_STRING, FIELD(tls_key),
		.def = "", .restart = true,
		.summary = "Its key, a PEM file; empty: it is in the same one",
	},
	{
		.name = "tls-pin", .type = OPT_STRING, FIELD(tls_pin),
		.def = "", .restart = true,
		.summary = "SHA-256 of a server's certificate or public key,"
			" several with commas: any other is refused",
	},
	{
		.name = "tls-min", .type = OPT_CHOICE, FIELD(tls_min),
		.def = "1.2", .choices = "1.2,1.3", .restart = true,
		.summary = "The oldest version of TLS that is spoken",
	},
	{
		.name = "tls-keylog", .type = OPT_STRING, FIELD(tls_keylog),
		.def = "", .restart = true,
		.summary = "File that the keys of TLS connections are added"
			" to, for Wireshark; who reads it reads all",
	},
	{
		.name = "dtls", .type = OPT_BOOL, FIELD(dtls),
		.def = "yes",
		.summary = "Agree on keys for it between the phones themselves"
			" (DTLS-SRTP)",
	},
	{
		.name = "ice", .type = OPT_BOOL, FIELD(ice), .def = "no",
		.summary = "Try every way between the phones and take the best"
			" one (ICE): through NATs and by a relay",
	},
	{
		.name = "stun-server", .type = OPT_STRING, FIELD(stun_server),
		.def = "",
		.summary = "HOST[:PORT] that tells our address outside of a"
			" NAT; without a port the name's SRV records say where",
	},
	{
		.name = "turn-server", .type = OPT_STRING, FIELD(turn_server),
		.def = "",
		.summary = "[USER@]HOST[:PORT][;transport=udp|tcp|tls]: a"
			" relay for ICE, where nothing else gets through;"
			" what is not given DNS says",
	},
	{
		.name = "turn-password-file", .type = OPT_STRING,
		FIELD(turn_password_file), .def = "",
		.summary = "File whose first line is the password for it",
	},
	{
		.name = "public-address", .type = OPT_STRING,
		FIELD(public_address), .def = "",
		.summary = "Address that others reach us at, where a router"
			" passes our media-ports on",
	},
	{
		.name = "port-mapping", .type = OPT_ENUM, FIELD(port_mapping),
		.def = "off", .choices = "off,auto,pcp,nat-pmp",
		.summary = "Ask the router to pass the ports of a call on, by"
			" PCP or NAT-PMP",
	},
	{
		.name = "port-mapping-server", .type = OPT_ADDRS,
		FIELD(port_mapping_server), .def = "", .max = 1,
		.summary = "Router to ask for that; empty: the one that"
			" packets leave by",
	},
	{
		.name = "opus-complexity", .type = OPT_INT,
		FIELD(opus_complexity),
		.def = "5", .min = 0, .max = 10,
		.summary = "Effort of the Opus encoder: 0 little, 10 all",
	},
	{
		.name = "opus-bitrate", .type = OPT_INT, FIELD(opus_bitrate),
		.def = "40000", .min = 6000, .max = 510000, .unit = "bit/s",
		.summary = "Bits a second that Opus sends",
	},
	{
		.name = "opus-fec", .type = OPT_BOOL, FIELD(opus_fec),
		.def = "yes",
		.summary = "Opus carries a spare copy against packet loss",
	},
	{
		.name = "opus-dtx", .type = OPT_BOOL, FIELD(opus_dtx),
		.def = "no",
		.summary = "Opus sends next to nothing while nobody speaks",
	},
	{
		.name = "opus-cbr", .type = OPT_BOOL, FIELD(opus_cbr),
		.def = "no",
		.summary = "Opus packets are all of one size, and tell"
			" nothing of what is said to who counts them",
	},
	{
		.name = "opus-stereo", .type = OPT_BOOL, FIELD(opus_stereo),
		.def = "no",
		.summary = "Opus sends both channels of a file that is played,"
			" if the other side wants stereo (music needs an"
			" opus-bitrate of 64000 and more); what it sends in"
			" stereo is heard as one channel here",
	},
	{
		.name = "redundancy", .type = OPT_BOOL, FIELD(redundancy),
		.def = "no",
		.summary = "G.711 and G.722: while the other side misses"
			" packets each goes along with the next once more"
			" (RFC 2198), if it takes that",
	},
	{
		.name = "retransmission", .type = OPT_BOOL,
		FIELD(retransmission), .def = "no",
		.summary = "Calls out offer that lost packets are asked for"
			" once more, both ways (RFC 4585, by RTP/AVPF; who"
			" refuses that is called once more without). Of use on"
			" short ways: the playout delay grows by the round trip"
			" while packets are lost, and above 150 ms nothing is"
			" asked for. Who calls with such an offer always gets"
			" it",
	},
	{
		.name = "comfort-noise", .type = OPT_BOOL,
		FIELD(comfort_noise), .def = "no",
		.summary = "G.711: while nobody speaks only what the silence"
			" sounds like is sent (RFC 3389), if the other side"
			" takes that",
	},
	{
		.name = "audio-rate", .type = OPT_INT, FIELD(audio_rate_hz),
		.def = "16000", .min = 8000, .max = 192000, .unit = "Hz",
		.summary = "Sampling rate of raw sound with --audio pipe:",
		.restart = true,
	},
	{
		.name = "audio-mic", .type = OPT_STRING, FIELD(audio_mic),
		.def = "", .restart = true,
		.summary = "Microphone, by a part of its name (`devices`);"
			" empty: the default; `device` changes it at once",
	},
	{
		.name = "audio-speaker", .type = OPT_STRING,
		FIELD(audio_speaker), .def = "", .restart = true,
		.summary = "The same of the loudspeaker",
	},
	{
		.name = "audio-ring", .type = OPT_STRING, FIELD(audio_ring),
		.def = "", .restart = true,
		.summary = "Device that rings; empty: the loudspeaker",
	},
	{
		.name = "headset", .type = OPT_STRING, FIELD(headset),
		.def = "", .restart = true,
		.summary = "An input device, /dev/input/eventN, whose keys"
			" answer, hang up and mute; empty: none",
	},
	{
		.name = "audio-latency", .type = OPT_TIME,
		FIELD(audio_latency_ms),
		.def = "40ms", .min = 5, .max = 500, .unit = "ms",
		.summary = "What the sound card is asked to buffer",
		.restart = true,
	},
	{
		.name = "echo-cancel", .type = OPT_BOOL, FIELD(echo_cancel),
		.def = "yes",
		.summary = "What the loudspeaker plays does not go back"
			" through the microphone",
	},
	{
		.name = "echo-canceller", .type = OPT_ENUM,
		FIELD(echo_canceller), .def = "speex",
		.choices = "speex,none",
		.summary = "What echo-cancel does it with; none: the limiter"
			" alone is left",
	},
	{
		.name = "echo-limiter", .type = OPT_ENUM,
		FIELD(echo_limiter), .def = "auto", .choices = "off,auto,on",
		.summary = "Turn the microphone down while they speak: never,"
			" where an echo is left that cannot be taken away,"
			" always",
	},
	{
		.name = "noise-suppress", .type = OPT_BOOL,
		FIELD(noise_suppress), .def = "yes",
		.summary = "Steady noise in the room is kept from the other"
			" side",
	},
	{
		.name = "auto-gain", .type = OPT_BOOL, FIELD(auto_gain),
		.def = "no",
		.summary = "Quiet speech is made louder, up to 18 dB, and"
			" loud speech kept below the limit",
	},
	{
		.name = "high-pass", .type = OPT_BOOL, FIELD(high_pass),
		.def = "yes",
		.summary = "Rumble and hum below 90 Hz are taken away",
	},
	{
		.name = "tones", .type = OPT_ENUM, FIELD(tones),
		.def = "auto", .choices = "auto,on,off",
		.summary = "Ringing, ringback, busy and other tones: with a"
			" sound card, always, never",
	},
	{
		.name = "tone-country", .type = OPT_CHOICE,
		FIELD(tone_country), .def = "auto",
		.choices = "auto,itu,ar,at,au,be,br,ca,ch,cn,cz,de,dk,es,fi,"
			"fr,gb,gr,hk,hu,ie,il,in,it,jp,kr,mx,nl,no,nz,pl,pt,"
			"ru,se,sg,tr,tw,us,za",
		.summary = "Whose tones they are; auto: by the locale",
	},
	{
		.name = "tone-files", .type = OPT_STRING, FIELD(tone_files),
		.def = "",
		.summary = "Directory of files that take the place of tones:"
			" ring.wav, ringback.wav, busy.wav, congestion.wav,"
			" waiting.wav",
	},
	{
		.name = "ring-tone", .type = OPT_STRING, FIELD(ring_tone),
		.def = "bell",
		.summary = "What calls ring with: bell, warble, chime, soft,"
			" none, or a sound file (by its path, or its name in"
			" tone-files); the hook `incoming`, a contact (ring)"
			" or an account (ring-tone) may say otherwise",
	},
	{
		.name = "end-tone", .type = OPT_TIME, FIELD(end_tone_ms),
		.def = "3s", .min = 0, .max = 60000, .unit = "ms",
		.summary = "How long a tone says that the other side has"
			" ended the call, or is busy; 0: not",
	},
	{
		.name = "hold-others", .type = OPT_BOOL, FIELD(hold_others),
		.def = "yes",
		.summary = "Talking in one call puts the others on hold",
	},
	{
		.name = "hold-by", .type = OPT_ENUM, FIELD(hold_by),
		.def = "sendonly", .choices = "sendonly,inactive,address",
		.summary = "How the other side is told of hold: it may hear"
			" music, nothing goes either way, or by the address"
			" 0.0.0.0, which old servers know (IPv4 without ICE)",
	},
	{
		.name = "transfers", .type = OPT_ENUM, FIELD(transfers),
		.def = "accept", .choices = "accept,ask,deny",
		.summary = "The other side of a call wants us to call somebody"
			" else: do so, ask with call.transfer, or refuse",
	},
	{
		.name = "transfers-outside", .type = OPT_ENUM,
		FIELD(transfers_outside),
		.def = "ask", .choices = "ask,known,accept,deny",
		.summary = "Somebody who is in no call with us wants us to call"
			" somebody (click to dial): ask with call.transfer; do"
			" so for contacts that a server of the account vouches"
			" for; for everybody; or refuse. Never less strict than"
			" transfers",
	},
	{
		.name = "watchers", .type = OPT_BOOL, FIELD(watchers),
		.def = "no", .restart = true,
		.summary = "Others may subscribe to our presence and to "
			"whether we are on the phone",
	},
	{
		.name = "dtmf-info", .type = OPT_ENUM, FIELD(dtmf_info),
		.def = "relay", .choices = "relay,plain",
		.summary = "How `dtmf --via info` writes a key: with its "
			"duration (application/dtmf-relay), or the key alone",
	},
	{
		.name = "message-reports", .type = OPT_ENUM,
		FIELD(message_reports),
		.def = "yes", .choices = "yes,delivered,no",
		.summary = "Tell who asks for it that a message has arrived and"
			" that it was looked at, only that it has arrived, or"
			" nothing",
	},
	{
		.name = "message-composing", .type = OPT_BOOL,
		FIELD(message_composing),
		.def = "yes",
		.summary = "Tell the other side that you are writing to it,"
			" while you type (RFC 3994)",
	},
	{
		.name = "joins", .type = OPT_ENUM, FIELD(joins),
		.def = "ask", .choices = "ask,accept,deny",
		.summary = "Somebody calls to join a call of ours (Join, RFC"
			" 3911): ring, and be together once it is answered;"
			" answer at once; or refuse",
	},
	{
		.name = "info-packages", .type = OPT_STRING,
		FIELD(info_packages), .def = "", .restart = true,
		.summary = "Packages of INFO (RFC 6086) that the other side may"
			" send, with commas between them: call.info tells what"
			" comes; others are refused (469)",
	},
	{
		.name = "history-info", .type = OPT_BOOL, FIELD(history_info),
		.def = "no",
		.summary = "Our calls begin a history (RFC 7044): who gets them"
			" after they were sent on sees whom we have called."
			" Not those that are anonymous",
	},
	{
		.name = "redirects", .type = OPT_ENUM, FIELD(redirects),
		.def = "follow", .choices = "follow,ask,deny",
		.summary = "A call of ours is sent elsewhere (3xx): go there,"
			" ask with call.redirect, or end it",
	},
	{
		.name = "dnd-code", .type = OPT_ENUM, FIELD(dnd_code),
		.def = "480", .choices = "480,486,600",
		.summary = "Status that callers get while do-not-disturb is"
			" on: unavailable, busy here, busy everywhere",
	},
	{
		.name = "dnd-schedule", .type = OPT_STRING,
		FIELD(dnd_schedule), .def = "",
		.summary = "When do-not-disturb is on by itself:"
			" \"Mon-Fri 22:00-07:00, Sat, Sun\"",
	},
	{
		.name = "call-limit", .type = OPT_TIME, FIELD(call_limit_ms),
		.def = "0s", .min = 0, .max = 604800000, .unit = "ms",
		.summary = "Hang a call up so long after its answer; 0:"
			" never",
	},
	{
		.name = "reliable", .type = OPT_ENUM, FIELD(reliable),
		.def = "supported", .choices = "off,supported,required",
		.summary = "Provisional responses that are confirmed (100rel,"
			" PRACK): with who knows them, never, or no call"
			" without",
	},
	{
		.name = "session-timer", .type = OPT_ENUM,
		FIELD(session_timer),
		.def = "supported", .choices = "off,supported,required",
		.summary = "Make sure now and then that a call is still there"
			" (RFC 4028): with who knows how, never, or always",
	},
	{
		.name = "session-expires", .type = OPT_TIME,
		FIELD(session_expires_ms),
		.def = "30m", .min = 90000, .max = 86400000, .unit = "ms",
		.summary = "How long a call may go without that",
	},
	{
		.name = "session-refresher", .type = OPT_ENUM,
		FIELD(session_refresher),
		.def = "either", .choices = "either,us,them",
		.summary = "Who is to see to it",
	},
	{
		.name = "stranger-limit", .type = OPT_INT,
		FIELD(stranger_limit),
		.def = "600", .min = 0, .max = 100000,
		.summary = "Requests a minute that an address may send, while"
			" we are registered, that is none of our servers; 0:"
			" any number",
	},
	{
		.name = "intercom", .type = OPT_STRING, FIELD(intercom),
		.def = "",
		.summary = "Callers whose wish to be answered at once"
			" (Answer-Mode, Call-Info, Alert-Info) is granted:"
			" addresses with * in them such as"
			" *@office.example, IP addresses, `known`; empty:"
			" nobody",
	},
	{
		.name = "max-calls", .type = OPT_INT, FIELD(max_calls),
		.def = "0", .min = 0, .max = 100000,
		.summary = "Refuse more calls than this; 0: no limit",
	},
	{
		.name = "history-max", .type = OPT_INT, FIELD(history_max),
		.def = "10000", .min = 0, .max = 1000000, .restart = true,
		.summary = "Calls that are kept in the history; 0: none",
	},
	{
		.name = "messages-max", .type = OPT_INT, FIELD(messages_max),
		.def = "10000", .min = 0, .max = 1000000, .restart = true,
		.summary = "Text messages that are kept; 0: none",
	},
	{
		.name = "emergency-numbers", .type = OPT_STRING,
		FIELD(emergency_numbers),
		.def = "112,911",
		.summary = "Numbers that are dialled as they are: no contact"
			" and no rule of the dial plan changes them",
	},
	{
		.name = "hook-deadline", .type = OPT_TIME,
		FIELD(hook_deadline_ms),
		.def = "2s", .min = 100, .max = 60000, .unit = "ms",
		.summary = "How long the hook `incoming` may take to decide",
	},
	{
		.name = "sandbox", .type = OPT_ENUM, FIELD(sandbox),
		.def = "off", .choices = "off,on,strict", .restart = true,
		.summary = "What the phone gives up: nothing, what no phone has"
			" use for (namespaces, tracing, mounts, more"
			" privileges), or programs and files outside of its"
			" directories as well",
	},
	{
		.name = "control", .type = OPT_BOOL, FIELD(control),
		.def = "yes", .restart = true,
		.summary = "Programs of this user may talk to the phone over"
			" its control socket",
	},
	{
		.name = "control-tcp", .type = OPT_STRING, FIELD(control_tcp),
		.def = "", .restart = true,
		.summary = "A port of the loopback address, or ADDR:PORT,"
			" where programs that know the token may too",
	},
	{
		.name = "user-agent", .type = OPT_STRING, FIELD(user_agent),
		.def = "offhook/" OFFHOOK_VERSION,
		.summary = "What the phone calls itself in SIP messages",
		.restart = true,
	},
	{
		.name = "record-layout", .type = OPT_CHOICE,
		FIELD(record_layout),
		.def = "stereo", .choices = "stereo,mixed,them,you",
		.summary = "What a recording holds: you left and them right,"
			" both in one, or one side",
	},
	{
		.name = "record-notes", .type = OPT_BOOL, FIELD(record_notes),
		.def = "no",
		.summary = "Beside each recording a file NAME.json tells who"
			" spoke, when, and how it sounded",
	},
	{
		.name = "record-beep", .type = OPT_TIME, FIELD(record_beep_ms),
		.def = "0s", .min = 0, .max = 600000, .unit = "ms",
		.summary = "How often a beep tells both sides that they are"
			" recorded; 0: never",
	},
	{
		.name = "dtmf-duration", .type = OPT_TIME,
		FIELD(dtmf_duration_ms),
		.def = "100ms", .min = 40, .max = 5000, .unit = "ms",
		.summary = "How long a sent digit sounds",
	},
	{
		.name = "dtmf-pause", .type = OPT_TIME, FIELD(dtmf_pause_ms),
		.def = "70ms", .min = 20, .max = 5000, .unit = "ms",
		.summary = "Silence between sent digits",
	},
	{
		.name = "dtmf-volume", .type = OPT_INT, FIELD(dtmf_volume),
		.def = "-10", .min = -63, .max = 0, .unit = "dBm0",
		.summary = "How loud a gateway is to play the tones of a digit"
			" that goes out as an event",
	},
	{
		.name = "capture-messages", .type = OPT_INT,
		FIELD(capture_messages), .restart = true,
		.def = "2000", .min = 0, .max = 1000000,
		.summary = "How many SIP messages are kept in memory for"
			" `ladder`, the oldest go; 0: none",
	},
	{
		.name = "capture-bytes", .type = OPT_INT,
		FIELD(capture_bytes), .restart = true, .unit = "bytes",
		.def = "4000000", .min = 10000, .max = 1000000000,
		.summary = "How much memory they may take together",
	},
	{
		.name = "log-to", .type = OPT_STRING, FIELD(log_to),
		.def = "", .restart = true,
		.summary = "Where the log goes: a file, journal, syslog or"
			" stderr; --log is stronger. Empty: stderr, or a file"
			" while the phone is on the screen",
	},
	{
		.name = "log-levels", .type = OPT_STRING, FIELD(log_levels),
		.def = "",
		.summary = "How much it tells: error, warn, info or debug for"
			" all, and for single modules, as in"
			" info,sip=debug; empty: as -q and -v say",
	},
	{
		.name = "log-format", .type = OPT_ENUM, FIELD(log_format),
		.def = "text", .choices = "text,json",
		.summary = "Lines for people, or a JSON object each",
	},
	{
		.name = "log-size", .type = OPT_INT, FIELD(log_size),
		.def = "10240", .min = 0, .max = 4194304, .unit = "kB",
		.summary = "A log file that would get larger is renamed to"
			" FILE.1 and begun anew; 0: never",
	},
	{
		.name = "log-keep", .type = OPT_INT, FIELD(log_keep),
		.def = "3", .min = 0, .max = 100,
		.summary = "So many older ones are kept: FILE.1, FILE.2 ...",
	},
	{
		.name = "metrics", .type = OPT_STRING, FIELD(metrics),
		.def = "", .restart = true,
		.summary = "Where monitors find the figures of `metrics`:"
			" http:PORT on loopback, unix:PATH or file:PATH",
	},
	{
		.name = "hep-server", .type = OPT_ADDRS, FIELD(hep_server),
		.def = "", .max = 1, .restart = true,
		.summary = "Send a copy of every SIP message there, by HEP"
			" version 3 over UDP (Homer, port 9060)",
	},
	{
		.name = "quality-report", .type = OPT_STRING,
		FIELD(quality_report), .def = "",
		.summary = "Send reports on how calls sound to this address,"
			" as RFC 6035 says; empty: to nobody",
	},
	{
		.name = "quality-alert", .type = OPT_CHOICE,
		FIELD(quality_alert), .def = "3.6",
		.choices = "off,3.1,3.6,4.0",
		.summary = "A call whose quality (MOS) falls below this is"
			" reported while it runs",
	},
	{
		.name = "quality-interval", .type = OPT_TIME,
		FIELD(quality_interval_ms),
		.def = "0s", .min = 0, .max = 86400000, .unit = "ms",
		.summary = "A call is reported there again and again while it"
			" runs, each time what this long was like (5s or"
			" more); 0: only as it ends",
	},
	{
		.name = "hep-id", .type = OPT_INT, FIELD(hep_id),
		.def = "2001", .min = 0, .max = 4294967295, .restart = true,
		.summary = "Number of this phone there",
	},
	{
		.name = "dtmf-inband", .type = OPT_ENUM, FIELD(dtmf_inband),
		.def = "auto", .choices = "auto,on,off",
		.summary = "Look for keys in the sound: of who cannot send"
			" them otherwise, of everybody, of nobody",
	},
	{
		.name = "call-tones", .type = OPT_ENUM, FIELD(call_tones),
		.def = "early", .choices = "early,on,off",
		.summary = "Tell by call.tone that busy, congestion, dial"
			" tone or a fax is heard from the other side: before"
			" it answers, always, never",
	},
	{
		.name = "mute-warning", .type = OPT_BOOL, FIELD(mute_warning),
		.def = "yes",
		.summary = "Say when you talk while a call is muted",
	},
	{
		.name = "mic-gain", .type = OPT_INT, FIELD(mic_gain_db),
		.def = "0", .min = -60, .max = 30, .unit = "dB",
		.summary = "How much louder the microphone goes into new"
			" calls; `gain` changes one",
	},
	{
		.name = "speaker-gain", .type = OPT_INT,
		FIELD(speaker_gain_db),
		.def = "0", .min = -60, .max = 30, .unit = "dB",
		.summary = "How much louder new calls come out of the"
			" loudspeaker",
	},
	{
		.name = "level-interval", .type = OPT_TIME,
		FIELD(level_interval_ms),
		.def = "1s", .min = 0, .max = 60000, .unit = "ms",
		.summary = "How often call.level tells how loud calls are;"
			" 0: never",
	},
	{
		.name = "hold-music", .type = OPT_STRING, FIELD(hold_music),
		.def = "",
		.summary = "Sound file for whom we hold, again and again;"
			" empty: silence",
	},
	{
		.name = "screen-colours", .type = OPT_ENUM,
		FIELD(screen_colours),
		.def = "auto", .choices = "auto,256,16,8,mono",
		.summary = "Colours of the full-screen phone; auto: what the"
			" terminal has, none with NO_COLOR",
	},
	{
		.name = "screen-background", .type = OPT_ENUM,
		FIELD(screen_background),
		.def = "auto", .choices = "auto,dark,light",
		.summary = "What the colours stand on; auto: the terminal is"
			" asked",
	},
	{
		.name = "screen-signs", .type = OPT_ENUM,
		FIELD(screen_signs),
		.def = "auto", .choices = "auto,unicode,ascii",
		.summary = "What lamps, lines and meters are drawn with; auto:"
			" by the locale",
	},
	{
		.name = "screen-mouse", .type = OPT_BOOL,
		FIELD(screen_mouse),
		.def = "yes",
		.summary = "The mouse works in the full-screen phone (hold"
			" Shift to mark text)",
	},
	{
		.name = "screen-bell", .type = OPT_BOOL, FIELD(screen_bell),
		.def = "yes",
		.summary = "A call that comes in rings the terminal's bell and"
			" shows a notice of the desktop",
	},
};

_Static_assert(offsetof(struct config, port_max) ==
	       offsetof(struct config, port_min) + sizeof(int64_t),
	       "OPT_PORTS writes two neighbours");


const struct option *option_table(size_t *n)
{
	if (n)
		*n = sizeof(options) / sizeof(options[0]);

	return options;
}


const struct option *option_find(const char *name)
{
	size_t n;
	const struct option *o = option_table(&n);

	for (; name && n > 0; n--, o++) {
		if (!strcmp(o->name, name))
			return o;
	}

	return NULL;
}
