/**
 * @file rows_calls.h  Rows of the table of options, for table.c alone
 *
 * Calls: what is done with them, and who may do it.
 */
	{
		.name = "hold-others", .type = OPT_BOOL, FIELD(hold_others),
		.def = "yes",
		.summary = "Talking in one call puts the others on hold",
	},
	{
		.name = "conference-spread", .type = OPT_BOOL,
		FIELD(conference_spread), .def = "no",
		.summary = "Those in a conference are heard side by side from"
			" left to right, if the loudspeaker has two channels;"
			" `pan` puts one elsewhere",
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
