/**
 * @file cmd_pcap.c  `pcap`: a capture file for other programs
 *
 * Main thread.
 */
#include <string.h>
#include "priv.h"


static void reply_pcap(struct reply *r, struct pcap *p)
{
	struct pcap_stats st;

	pcap_stats(p, &st);
	reply_str(r, "file", pcap_path(p));
	reply_int(r, "messages", (int64_t)st.messages);
	reply_int(r, "packets", (int64_t)st.packets);
	reply_int(r, "lost", (int64_t)st.lost);
	reply_int(r, "bytes", (int64_t)st.bytes);
	reply_int(r, "files", (int64_t)st.files);
	if (st.err)
		reply_str(r, "broken-off", strerror(st.err));
}


static void pcap_stop(struct cmd *x)
{
	struct phone *ph = x->ph;
	struct pcap_stats st;

	pcap_stats(ph->pcap, &st);
	reply_pcap(x->reply, ph->pcap);
	ph->pcap = mem_deref(ph->pcap);
	cmd_fail(x, st.err, NULL);
}


void cmd_pcap(struct cmd *x)
{
	struct phone *ph = x->ph;
	const char *to = cmd_str(x, "to");
	const struct pcap_conf conf = {
		.path = to,
		.past = cmd_has(x, "past"),
		.media = !cmd_has(x, "sip-only"),
		.clear = cmd_has(x, "decrypt"),
		.max = (uint64_t)cmd_int(x, "size", 0) << 10,
		.keep = (unsigned)cmd_int(x, "keep", 1),
	};
	char err[UA_ERR];

	if (!to || !strcmp(to, "stop")) {
		if (!ph->pcap)
			reply_error(x->reply, "wrong-state", "nothing is "
				    "being captured");
		else if (to)
			pcap_stop(x);
		else
			reply_pcap(x->reply, ph->pcap);
		return;
	}

	if (!ph->capture) {
		reply_error(x->reply, "wrong-state", "no messages are kept; "
			    "see option capture-messages");
		return;
	}

	if (ph->pcap) {
		reply_error(x->reply, "already", "it goes to %s already; "
			    "`pcap stop` ends that", pcap_path(ph->pcap));
		return;
	}

	cmd_fail(x, pcap_open(&ph->pcap, &conf, ph->capture, ph->media, err),
		 err);
}
