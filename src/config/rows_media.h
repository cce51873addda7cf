/**
 * @file rows_media.h  Rows of the table of options, for table.c alone
 *
 * What goes over the wire: codecs, ports, keys, ways through NATs.
 */
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
		.name = "ice-addresses", .type = OPT_ENUM,
		FIELD(ice_addresses), .def = "all", .choices = "all,one",
		.summary = "Addresses of this machine that ICE tries, and so"
			" tells the other side: all that the phone listens on,"
			" or only the one that the call uses anyway",
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
		.summary = "Opus sends both channels of a file that is played"
			" and of a microphone that has two (from the next time"
			" that it is opened; without automatic gain),"
			" if the other side wants stereo (music needs an"
			" opus-bitrate of 64000 and more), and asks for two"
			" where audio-channels lets them be heard; who sends"
			" two unasked is heard in stereo, too",
	},
	{
		.name = "redundancy", .type = OPT_BOOL, FIELD(redundancy),
		.def = "no",
		.summary = "While the other side misses packets each goes along"
			" with a later one once more (RFC 2198), if it takes"
			" that: G.711, G.722, and Opus when more is missed than"
			" its own copies (opus-fec) mend; that costs as much"
			" again, and some packets of delay there",
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
