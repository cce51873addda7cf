/**
 * @file call_event.c  What a call tells: its events
 *
 * The one place where a call becomes values for others; who tells and when is
 * decided elsewhere.  Main thread.
 */
#include "priv.h"
#include "caller.h"


struct event *call_event(struct event *ev, enum event_type type,
			 const struct call *c)
{
	event_init(ev, type);
	ev->call = c->id;
	ev->account = c->acc ? c->acc->id : 0;

	return ev;
}


void call_event_state(const struct call *c)
{
	const bool ended = c->state == CALL_ENDED;
	struct event ev;

	call_event(&ev, EVENT_CALL_STATE, c);
	UTF8_PUT(ev.u.call_state.state, call_state_name(c->state));
	UTF8_PUT(ev.u.call_state.direction, c->outgoing ? "out" : "in");
	UTF8_PUT(ev.u.call_state.peer, c->peer);
	UTF8_PUT(ev.u.call_state.name, c->name ? c->name : "");
	UTF8_PUT(ev.u.call_state.reason, c->result.reason);
	if (c->result.code || ended)
		ev.u.call_state.code = c->result.code;

	if (c->state == CALL_INCOMING)
		caller_event(&ev, c);
	if (c->redial.waits && c->redial.vigil)
		UTF8_PUT(ev.u.call_state.redial_when, "free");
	else if (c->redial.waits)
		ev.u.call_state.redial_ms = c->redial.after_ms;
	if (c->state == CALL_INCOMING && c->joins)
		ev.u.call_state.joins = c->joins;

	if (c->state == CALL_ACTIVE && c->outgoing && c->answered_by)
		UTF8_PUT(ev.u.call_state.answer_mode, c->answered_by);
	if (c->state == CALL_ACTIVE && c->begin_ms)
		ev.u.call_state.setup_ms =
			(int64_t)(c->active_ms - c->begin_ms);

	if (ended) {
		const struct call_record *r = ua_call_record(c->ua, c->id);

		UTF8_PUT(ev.u.call_state.cause, call_record_cause(r));
		UTF8_PUT(ev.u.call_state.by,
			 c->result.remote ? "remote" : "local");
		UTF8_PUT(ev.u.call_state.text, r ? r->text : "");
		ev.u.call_state.duration_ms = (int64_t)call_duration_ms(c);
	}

	event_publish(c->ua->bus, &ev);
}


void call_event_hold(const struct call *c, const struct sip_result *res)
{
	struct event ev;

	call_event(&ev, EVENT_CALL_HOLD, c);
	ev.u.call_hold.local = c->hold_told;
	ev.u.call_hold.remote = c->held_remote;
	if (res) {
		UTF8_PUT(ev.u.call_hold.cause, sip_cause_name(res->cause));
		if (res->code)
			ev.u.call_hold.code = res->code;
	}

	log_info("call %u: %s by us, %s by the peer", c->id,
		 c->hold_told ? "held" : "not held",
		 c->held_remote ? "held" : "not held");

	event_publish(c->ua->bus, &ev);
}


void call_event_progress(const struct call *c, const struct sip_info *in)
{
	struct event ev;

	call_event(&ev, EVENT_CALL_PROGRESS, c);
	if (in) {
		ev.u.call_progress.code = in->code;
		UTF8_PUT(ev.u.call_progress.reason, in->reason);
	}
	ev.u.call_progress.sound = c->flows;
	event_publish(c->ua->bus, &ev);
}


void call_event_forked(const struct call *c, const struct sip_info *in)
{
	struct event ev;

	call_event(&ev, EVENT_CALL_FORKED, c);
	UTF8_PUT(ev.u.call_forked.contact, in->contact);
	log_info("call %u: somebody else has answered too, and is hung up",
		 c->id);
	event_publish(c->ua->bus, &ev);
}


static void address_print(char *buf, size_t sz, const struct sa *sa)
{
	if (sa_af(sa) == AF_INET && sa_isset(sa, SA_ADDR) && sz >= TEXT_IPV4)
		(void)text_ipv4(buf, sa_in(sa), sa_port(sa));
	else if (!sa_isset(sa, SA_ADDR) || re_snprintf(buf, sz, "%J", sa) < 0)
		buf[0] = '\0';
}


void call_event_clipped(const struct call *c)
{
	struct event ev;

	call_event(&ev, EVENT_CALL_CLIPPED, c);
	UTF8_PUT(ev.u.call_unheard.peer, c->peer);
	event_publish(c->ua->bus, &ev);
}


/* To whoever watches, and into the log: it may be a NAT that has forgotten, or
 * somebody who would like to be heard */
void call_event_moved(const struct call *c, const struct sa *from,
		      const struct sa *was)
{
	struct event ev;

	call_event(&ev, EVENT_CALL_MOVED, c);
	address_print(ev.u.call_moved.from, sizeof(ev.u.call_moved.from),
		      from);
	address_print(ev.u.call_moved.was, sizeof(ev.u.call_moved.was), was);
	log_warn("call %u: its sound comes from %s now, not from %s", c->id,
		 ev.u.call_moved.from, ev.u.call_moved.was);
	event_publish(c->ua->bus, &ev);
}


void call_event_media(const struct call *c)
{
	const struct media_plan *p = &c->plan;
	struct event ev;

	call_event(&ev, EVENT_CALL_MEDIA, c);
	UTF8_PUT(ev.u.call_media.codec, p->codec->name);
	ev.u.call_media.rate_hz = p->codec->rate_hz;
	ev.u.call_media.ptime_ms = p->param.ptime_ms;
	UTF8_PUT(ev.u.call_media.security, call_security(c));
	UTF8_PUT(ev.u.call_media.suite, call_suite(c));
	(void)call_prints(c, ev.u.call_media.print, ev.u.call_media.print_own);
	UTF8_PUT(ev.u.call_media.path, c->path ? c->path : "");
	UTF8_PUT(ev.u.call_media.direction, media_dir_name(p->dir));
	address_print(ev.u.call_media.local, sizeof(ev.u.call_media.local),
		      stream_local(c->stream));
	address_print(ev.u.call_media.remote, sizeof(ev.u.call_media.remote),
		      &p->rtp);

	event_publish(c->ua->bus, &ev);
}
