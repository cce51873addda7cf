/**
 * @file rows_sound.h  Rows of the table of options, for table.c alone
 *
 * Sound at this end: devices, what is done to it, tones.
 */
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
		.name = "audio-monitor", .type = OPT_STRING,
		FIELD(audio_monitor), .def = "", .restart = true,
		.summary = "A second loudspeaker that hears the calls as well,"
			" for a colleague or a trainer; empty: none",
	},
	{
		.name = "monitor-hears", .type = OPT_ENUM,
		FIELD(monitor_hears), .def = "them", .choices = "them,both",
		.summary = "What it plays: the other sides, or your microphone"
			" too (with headphones: a loudspeaker in the same room"
			" howls)",
	},
	{
		.name = "audio-channels", .type = OPT_ENUM,
		FIELD(audio_channels), .def = "auto", .choices = "auto,1,2",
		.summary = "Channels of what you hear: two with a loudspeaker"
			" that has them and one with a file, always one, or"
			" two also in OUT.wav of --audio file:; from the next"
			" time that the device is opened",
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
		.more = "Switch it off with a headset, where nothing comes"
			" back, or when the device or the sound server"
			" cancels echo itself: two of them get in each"
			" other's way. It needs some seconds of their speech"
			" to learn the room. `stats` and the page of the call"
			" show how much echo it takes away (erle-db): above"
			" 20 dB it works, near 0 while they speak it does"
			" not.",
	},
	{
		.name = "echo-canceller", .type = OPT_ENUM,
		FIELD(echo_canceller), .def = "speex",
		.choices = "speex,none",
		.summary = "What echo-cancel does it with; none: the limiter"
			" alone is left",
		.more = "speex learns how the room answers, over 200 ms, and"
			" follows a delay that changes. Take none when"
			" another program cancels the echo before offhook"
			" gets it; erle-db is then not told.",
	},
	{
		.name = "echo-limiter", .type = OPT_ENUM,
		FIELD(echo_limiter), .def = "auto", .choices = "off,auto,on",
		.summary = "Turn the microphone down while they speak: never,"
			" where an echo is left that cannot be taken away,"
			" always",
		.more = "It helps where the canceller cannot: a loudspeaker"
			" that is overdriven, a microphone that is carried"
			" about. The price is that you cannot interrupt them"
			" as easily; off if that disturbs, on for a speaker"
			" phone in a bad room. The page of the call says"
			" \"turned down while they speak\" while it is at"
			" work.",
	},
	{
		.name = "noise-suppress", .type = OPT_BOOL,
		FIELD(noise_suppress), .def = "yes",
		.summary = "Steady noise in the room is kept from the other"
			" side",
		.more = "A fan, hiss, a car; not a second voice. Switch it"
			" off for music, for tones that are measured, and"
			" when speech sounds as if under water. Key n on the"
			" page of the call compares with and without. `stats`"
			" and that page show the noise of the room"
			" (noise-dbfs) and how much of it is gone"
			" (noise-less-db): about 12 dB is usual, -60 dBFS and"
			" below is a quiet room.",
	},
	{
		.name = "auto-gain", .type = OPT_BOOL, FIELD(auto_gain),
		.def = "no",
		.summary = "Quiet speech is made louder, up to 18 dB, and"
			" loud speech kept below the limit",
		.more = "For a microphone that is too quiet, or people who"
			" sit at different distances. The gain rises only"
			" while somebody speaks here, so that noise does not"
			" swell in between. Leave it off when the device has"
			" an automatic gain of its own, or when levels are"
			" measured. auto-gain-db in `stats`, and gain on the"
			" page of the call, show what it adds; gain that"
			" stays at 18 dB means a microphone that is turned"
			" down too far.",
	},
	{
		.name = "high-pass", .type = OPT_BOOL, FIELD(high_pass),
		.def = "yes",
		.summary = "Rumble and hum below 90 Hz are taken away",
		.more = "Footsteps, wind and mains hum; no telephone speech"
			" is down there. Switch it off for music or"
			" measurements. noise-dbfs in `stats` is lower by"
			" what it takes away.",
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
