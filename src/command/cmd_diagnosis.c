/**
 * @file cmd_diagnosis.c  Commands that say why: rows
 *
 * Most functions are in files of their own.  Main thread.
 */
#include "offhook/journal.h"
#include "offhook/path.h"
#include "priv.h"


static void cmd_replay(struct cmd *x)
{
	struct text_buf b = { .max = 16 << 20 };
	const char *to = cmd_str(x, "to");
	char err[UA_ERR];
	int e;

	e = journal_script(&b, cmd_str(x, "file"), err);
	if (!e && to)
		e = path_write(to, b.s, b.len, 0600);
	else if (!e)
		reply_text(x->reply, "%s", b.s);

	cmd_fail(x, e, err);
	text_buf_reset(&b);
}


static void cmd_metrics(struct cmd *x)
{
	struct text_buf b = { .max = 1 << 20 };

	if (!x->ph->metrics) {
		reply_error(x->reply, "wrong-state", "nothing is counted");
		return;
	}

	metrics_print(&b, x->ph->metrics);
	reply_text(x->reply, "%s", b.s ? b.s : "");
	text_buf_reset(&b);
}


static const struct command rows[] = {
	{
		.name = "ladder",
		.args = ARGS(
			{ .name = "what", .type = ARG_WORD, .optional = true,
			  .summary = "a call's number, all, or a journal's "
				     "file; without it the selected call" }
		),
		.options = ARGS(
			{ .name = "to", .type = ARG_FILE,
			  .summary = "write it there" }
		),
		.summary = "Draw who said what to whom in SIP, and when",
		.help = "One line a message, with an arrow from us or to us, "
			"the seconds since the first, session descriptions "
			"in short, retransmissions dotted, and what became "
			"of the sound and of keys. Of calls that have ended "
			"too, as long as the messages are kept (options "
			"capture-messages, capture-bytes). `all` has "
			"registrations and the rest as well. With --json "
			"one record a message.",
		.run = cmd_ladder,
	},
	{
		.name = "sdp",
		.args = ARGS(THE_CALL),
		.summary = "Compare what was offered in a call with the "
			"answer",
		.help = "Both descriptions of the sound, line by line: what "
			"stands in both, with - what was only offered, with "
			"+ what was only answered. The last that was agreed "
			"on; of calls that have ended too, as long as the "
			"messages are kept. `ladder` shows when it was said.",
		.run = cmd_sdp,
	},
	{
		.name = "explain",
		.args = ARGS(THE_CALL),
		.summary = "Say why a call failed or was poor",
		.help = "In plain words: at which stage, what was seen, what "
			"it usually means, what to try. Of the last call "
			"without a number. The same is told by call.finding "
			"after each call that needs it.",
		.run = cmd_explain,
	},
	{
		.name = "ice",
		.args = ARGS(THE_CALL),
		.summary = "Show the ways through NATs that were looked for",
		.help = "With ICE (RFC 8445) each pair of an address of ours "
			"and one of theirs is checked; the best that works "
			"carries the sound. One line a pair, the best first: "
			"waiting, checking, works or failed, how often it was "
			"checked, how long an answer took, and which is "
			"chosen.",
		.run = cmd_ice,
	},
	{
		.name = "doctor",
		.options = ARGS(
			{ .name = "account", .type = ARG_ACCOUNT,
			  .summary = "only this one" },
			{ .name = "stun", .type = ARG_WORD,
			  .summary = "ask that STUN server about a NAT" },
			{ .name = "quick", .type = ARG_NONE,
			  .summary = "no calls to oneself" }
		),
		.summary = "Look whether everything is well",
		.help = "Configuration, clock, and for each account the name "
			"of its server, an answer by UDP, TCP and TLS, the "
			"certificates, registration; then the NAT (RFC 5780, "
			"with --stun or option stun-server), whether UDP is "
			"blocked, what a relay and the router would give a "
			"call, sound devices, and a call to oneself "
			"with each codec, over the sound card too when --audio "
			"is auto. Each line passes, warns or fails, and says "
			"what to do next. Fails when one of them does.",
		.run = cmd_doctor,
	},
	{
		.name = "metrics",
		.summary = "Print figures for monitors",
		.help = "OpenMetrics text: registrations, calls by cause, "
			"set-up time, listening quality, loss, the process. "
			"Option metrics serves the same to a monitor: "
			"http:PORT, unix:PATH (HTTP there too) or file:PATH.",
		.run = cmd_metrics,
	},
	{
		.name = "replay",
		.args = ARGS(
			{ .name = "file", .type = ARG_FILE,
			  .summary = "a journal (--journal FILE)" }
		),
		.options = ARGS(
			{ .name = "to", .type = ARG_FILE,
			  .summary = "write the script there" }
		),
		.summary = "Make a script of a run that was recorded",
		.help = "The same lines at the same distance; each state that "
			"a call came to is waited for, keys that came are "
			"expected, and how calls ended is demanded. Passwords "
			"are masked in a journal: put them in again.",
		.alone = true,
		.run = cmd_replay,
	},
	{
		.name = "fault",
		.args = ARGS(
			{ .name = "what", .type = ARG_CHOICE, .optional = true,
			  .choices = "in,out,both,off",
			  .summary = "which way the sound goes badly; without "
				     "it what has been done" }
		),
		.options = ARGS(
			{ .name = "loss", .type = ARG_DOUBLE,
			  .word = "PERCENT", .min = 0,
			  .max = 100, .summary = "per cent that are lost" },
			{ .name = "burst", .type = ARG_DOUBLE, .min = 1,
			  .max = 1000, .summary = "so many in a row, on an "
						  "average" },
			{ .name = "delay", .type = ARG_TIME, .max = 10000,
			  .summary = "all come so much later" },
			{ .name = "jitter", .type = ARG_TIME, .max = 10000,
			  .summary = "... and up to so much more" },
			{ .name = "reorder", .type = ARG_DOUBLE,
			  .word = "PERCENT", .min = 0,
			  .max = 100, .summary = "per cent that come after "
						 "the next" },
			{ .name = "duplicate", .type = ARG_DOUBLE,
			  .word = "PERCENT", .min = 0,
			  .max = 100, .summary = "per cent that come twice" },
			{ .name = "corrupt", .type = ARG_DOUBLE,
			  .word = "PERCENT", .min = 0,
			  .max = 100, .summary = "per cent with a wrong bit" },
			{ .name = "seed", .type = ARG_INT, .min = 1,
			  .max = 4294967295, .summary = "the same faults each "
							"time, 1 without" }
		),
		.summary = "Make the network bad, to test the other side",
		.help = "RTP and RTCP of all calls are lost, delayed, "
			"reordered, doubled or damaged by chance, the same "
			"each time with the same --seed. Each but a delay is "
			"told as rtp.fault, 50 a second at most. `fault` alone "
			"counts, `fault off` ends it.",
		.run = cmd_fault,
	},
	{
		.name = "sip-fault",
		.args = ARGS(
			{ .name = "what", .type = ARG_CHOICE, .optional = true,
			  .choices = "drop,delay,duplicate,reorder,mangle,"
				     "remove,add,corrupt,off",
			  .summary = "what becomes of the message; without it "
				     "the rules and what they did" },
			{ .name = "rule", .type = ARG_INT, .optional = true,
			  .min = 1, .max = 4294967295,
			  .summary = "off: only this one" }
		),
		.options = ARGS(
			{ .name = "way", .type = ARG_CHOICE,
			  .choices = "in,out,both",
			  .summary = "of messages that come, or go, out "
				     "without it" },
			{ .name = "kind", .type = ARG_CHOICE,
			  .choices = "request,response",
			  .summary = "only of these" },
			{ .name = "method", .type = ARG_WORD,
			  .summary = "only of this one, and its responses" },
			{ .name = "code", .type = ARG_WORD,
			  .summary = "only of responses with that status: "
				     "200, 4xx or 180-183" },
			{ .name = "nth", .type = ARG_INT, .min = 1,
			  .max = 1000000000,
			  .summary = "only the one that comes so-manieth" },
			{ .name = "every", .type = ARG_INT, .min = 1,
			  .max = 1000000000,
			  .summary = "only each so-manieth" },
			{ .name = "chance", .type = ARG_DOUBLE,
			  .word = "PERCENT", .min = 0,
			  .max = 100, .summary = "only so many per cent" },
			{ .name = "times", .type = ARG_INT, .min = 1,
			  .max = 1000000000,
			  .summary = "no more than so often" },
			{ .name = "by", .type = ARG_TIME, .min = 0,
			  .max = 60000,
			  .summary = "delay: so much later; duplicate: the "
				     "second one; reorder: if none follows, "
				     "500ms without it" },
			{ .name = "header", .type = ARG_WORD,
			  .summary = "mangle, remove, add: its name; mangle: "
				     "start-line too" },
			{ .name = "value", .type = ARG_WORD,
			  .summary = "mangle, add: what stands there then; "
				     "mangle without it: noise" },
			{ .name = "bytes", .type = ARG_INT, .min = 1,
			  .max = 64,
			  .summary = "corrupt: so many are other ones, 1 "
				     "without" },
			{ .name = "seed", .type = ARG_INT, .min = 1,
			  .max = 4294967295,
			  .summary = "the same chances each time" }
		),
		.summary = "Make SIP messages go wrong, to test the other side",
		.help = "One more rule: every message that it is about is "
			"lost, comes late, twice, behind the next, or "
			"otherwise than it was. `sip-fault drop --code 200 "
			"--method INVITE --nth 1` loses the first 200 of a "
			"call, `sip-fault mangle --header Contact --value "
			"'<sip:x@192.0.2.1>' --kind request` breaks the way "
			"back. All rules act, in order; retransmissions count "
			"as messages, keep-alives do not. Each message is told "
			"as sip.fault. `sip-fault` alone lists the rules, "
			"`sip-fault off` ends them; what is held back then "
			"goes on. `fault` does the same to sound.",
		.run = cmd_sip_fault,
	},
	{
		.name = "pcap",
		.args = ARGS(
			{ .name = "to", .type = ARG_FILE, .optional = true,
			  .summary = "a file, or a pipe that somebody reads; "
				     "stop ends it; without it how it goes" }
		),
		.options = ARGS(
			{ .name = "past", .type = ARG_NONE,
			  .summary = "begin with the messages that are kept" },
			{ .name = "sip-only", .type = ARG_NONE,
			  .summary = "no RTP and RTCP" },
			{ .name = "decrypt", .type = ARG_NONE,
			  .summary = "RTP and RTCP without SRTP" },
			{ .name = "size", .type = ARG_INT, .min = 16,
			  .max = 67108864, .summary = "kB after which the "
			  "file becomes FILE.1 and a new one is begun" },
			{ .name = "keep", .type = ARG_INT, .min = 0,
			  .max = 1000, .summary = "so many older ones, 1 "
						  "without" }
		),
		.summary = "Capture SIP and sound into a file for Wireshark",
		.help = "A pcapng file of what this phone sends and receives; "
			"no privilege is needed. SIP is in clear text, also "
			"what goes through TLS, with passwords and keys "
			"masked. RTP and RTCP are as on the wire, or with "
			"--decrypt as they are under SRTP. The file is "
			"written as it comes; it may be a named pipe that "
			"wireshark -k -i reads. With --size a capture can go "
			"on for ever: the last so many files are kept, and "
			"each can be read alone. A file that begins in the "
			"middle of a call begins with the descriptions by "
			"which its sound is read.",
		.run = cmd_pcap,
	},
};

const struct command_group group_diagnosis = {
	"diagnosis", rows, ARRAY_SIZE(rows)
};
