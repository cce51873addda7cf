/**
 * @file ua/vq.h  Reports on how a call sounds, for a collector (RFC 6035)
 *
 * vq_body.c writes them, vq.c decides when and sends them.  Main thread.
 */
#ifndef OFFHOOK_UA_VQ_H
#define OFFHOOK_UA_VQ_H

#include "priv.h"

enum vq_kind { VQ_END, VQ_ASKED, VQ_ALERT, VQ_INTERVAL };
enum vq_severity { VQ_CLEAR, VQ_WARNING, VQ_CRITICAL };

/** What a report tells; borrowed */
struct vq_report {
	enum vq_kind kind;
	enum vq_severity severity;       /* of an alert                      */
	const char *callid;
	const char *local_tag, *remote_tag;      /* "" not known             */
	const char *local, *remote;      /* URIs                             */
	bool outgoing;
	const char *agent;               /* what we are, for its groups      */
	const struct media_plan *plan;
	const struct stream_stats *st;
	struct sa laddr;                 /* of our media                     */
	uint32_t ssrc;
	uint64_t begin_ms, end_ms;       /* wall clock                       */
	unsigned buffer_max_ms;
};

#define VQ_EVENT "vq-rtcpxr"
#define VQ_TYPE  "application/vq-rtcpxr"

/** Pure. @return 0, ENOMEM */
int  vq_print(struct mbuf *mb, const struct vq_report *r);

/** Remember what is gone once its stream is closed */
void vq_where(struct call *c);
/** Does anybody want to know of that call? */
bool vq_wanted(const struct call *c);
/** A second has passed and this was its MOS, 0: not known */
void vq_look(struct call *c, double mos, const struct stream_stats *st);
/** It is over; once */
void vq_end(struct call *c);
void vq_flush(struct ua *ua);

#endif
