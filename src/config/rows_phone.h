/**
 * @file rows_phone.h  Rows of the table of options, for table.c alone
 *
 * The phone itself: programs around it, files, monitors, the screen.
 */
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
