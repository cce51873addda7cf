/**
 * @file pcap.h  Captures for other programs: pcapng, HEP
 *
 * What the phone itself sent and received, without any privilege: SIP in
 * clear text with credentials and keys masked, and RTP and RTCP.  Main
 * thread.
 */
#ifndef OFFHOOK_PCAP_H
#define OFFHOOK_PCAP_H

#include "offhook/capture.h"

struct pcap;

struct pcap_conf {
	const char *path;        /* a file, or a pipe somebody reads         */
	bool past;               /* begin with the messages that are kept    */
	bool media;              /* RTP and RTCP too                         */
	bool clear;              /* ... without SRTP                         */
	uint64_t max;            /* bytes of a file, 0: any number           */
	unsigned keep;           /* older ones, FILE.1 the youngest          */
};
/**
 * Write a pcapng file until mem_deref. c and m are borrowed; one with media
 * at a time. A file with media that begins in mid-call has the descriptions
 * of the calls at its head, in messages which are not counted.
 * err: UA_ERR bytes. @return 0 or errno
 */
int  pcap_open(struct pcap **pp, const struct pcap_conf *conf,
	       struct capture *c, struct media *m, char *err);

struct pcap_stats {
	uint64_t messages, packets;      /* written                          */
	uint64_t lost;           /* could not be: nobody took them in time   */
	uint64_t bytes;          /* of all files                             */
	uint64_t files;
	int err;                 /* writing has ended for this reason        */
};
void pcap_stats(struct pcap *p, struct pcap_stats *st);
const char *pcap_path(const struct pcap *p);

/* pcap_frame.c: pure ------------------------------------------------------ */

enum { PCAP_HEAD_MAX = 128 };

/** The IP and UDP headers in front of n bytes. @return bytes of head */
size_t pcap_udp_head(uint8_t head[PCAP_HEAD_MAX], const struct sa *src,
		     const struct sa *dst, const uint8_t *p, size_t n);
/** The same for one piece of a TCP stream */
size_t pcap_tcp_head(uint8_t head[PCAP_HEAD_MAX], const struct sa *src,
		     const struct sa *dst, uint32_t seq, uint32_t ack,
		     const uint8_t *p, size_t n);
/** Tags that say what a dissector sees, for SIP that went through TLS */
size_t pcap_sips_head(uint8_t head[PCAP_HEAD_MAX], const struct sa *src,
		      const struct sa *dst);

/* hep.c: to a Homer server ------------------------------------------------- */

struct hep;
/** Send a copy of every message to that address by HEP version 3 over UDP
 *  until mem_deref; id: of this agent there. @return 0 or errno */
int  hep_open(struct hep **hp, struct capture *c, const struct sa *server,
	      uint32_t id);
/** One message as it goes out. @return bytes, 0: it does not fit */
size_t hep_build(uint8_t *buf, size_t sz, const struct capture_msg *m,
		 uint32_t id);

#endif
