/**
 * @file ua/fault.c  What goes wrong on purpose: what is told of it
 *
 * The rules for SIP messages are the stack's (sip_fault.h), what happens to
 * packets is the media thread's (media.h).  Main thread.
 */
#include "priv.h"


static unsigned call_of(const struct ua *ua, const char *callid)
{
	struct call *c = NULL;

	while (*callid && (c = ua_call_next(ua, c))) {
		if (!strcmp(call_sip_id(c), callid))
			return call_id(c);
	}

	return 0;
}


static void done_handler(const struct sip_fault_done *d, void *arg)
{
	const struct ua *ua = arg;
	struct event ev;

	event_init(&ev, EVENT_SIP_FAULT);
	ev.call = call_of(ua, d->callid);
	UTF8_PUT(ev.u.sip_fault.fault, sip_fault_name(d->kind));
	UTF8_PUT(ev.u.sip_fault.way, d->tx ? "out" : "in");
	UTF8_PUT(ev.u.sip_fault.method, d->method);
	UTF8_PUT(ev.u.sip_fault.transport, transport_name(d->tp));
	UTF8_PUT(ev.u.sip_fault.header, d->name);
	(void)re_snprintf(ev.u.sip_fault.remote,
			  sizeof(ev.u.sip_fault.remote), "%J", &d->peer);
	ev.u.sip_fault.rule = d->rule;
	if (d->code)
		ev.u.sip_fault.code = d->code;
	event_publish(ua->bus, &ev);
}


void call_fault_event(const struct call *c, const struct stream_event *se)
{
	struct event ev;

	if (!event_wanted(c->ua->bus, EVENT_RTP_FAULT))
		return;

	call_event(&ev, EVENT_RTP_FAULT, c);
	UTF8_PUT(ev.u.rtp_fault.fault, se->fault.name);
	UTF8_PUT(ev.u.rtp_fault.way, se->fault.out ? "out" : "in");
	UTF8_PUT(ev.u.rtp_fault.protocol, se->fault.rtcp ? "rtcp" : "rtp");
	(void)re_snprintf(ev.u.rtp_fault.remote,
			  sizeof(ev.u.rtp_fault.remote), "%J",
			  &se->fault.remote);
	if (se->fault.seq >= 0)
		ev.u.rtp_fault.sequence = se->fault.seq;
	if (se->fault.untold)
		ev.u.rtp_fault.untold = se->fault.untold;
	event_publish(c->ua->bus, &ev);
}


int ua_fault(struct ua *ua, const struct sip_fault *f, uint64_t seed,
	     unsigned *number)
{
	int err = sip_fault_listen(ua->sip, done_handler, ua);

	return err ? err : sip_fault_add(ua->sip, f, seed, number);
}
