/**
 * @file vq.c  Reports on how a call sounds, sent to a collector (RFC 6035)
 *
 * Option quality-report, or the account's, names who collects them: each call
 * that had sound is reported at its end, while it runs when its quality falls
 * below a limit and when it is good again, when the user asks, and at regular
 * intervals if so wished: then what is told is that of the interval, as far as
 * it is known.  Main thread.
 */
#include <stdio.h>
#include <stdlib.h>
#include "vq.h"


enum {
	REPORTS_MAX = 32,            /* under way at once                   */
	ALERT_MS    = 10000,         /* between two alerts of a call        */
	SETTLE_S    = 5,             /* seconds until the mean means much   */
};

#define WEIGHT   0.2                 /* of a second in the mean             */
#define CRITICAL 3.1                 /* many are dissatisfied (G.107)       */
#define MARGIN   0.2                 /* so much better is good again        */

/** One that is under way */
struct vq {
	struct le le;                /* ua->reports                         */
	struct ua *ua;
	struct sip_req *req;
	struct timer tmr;
	unsigned call, account;
	enum vq_kind kind;
	enum vq_severity severity;
	char to[UA_URI];
};


/* Who collects; NULL: nobody */
static const char *collector(const struct call *c)
{
	const char *own = c->acc ? c->acc->conf.quality_report : "";
	const char *uri = own[0] ? own : c->ua->config->quality_report;

	return uri[0] && strcmp(uri, "off") ? uri : NULL;
}


bool vq_wanted(const struct call *c)
{
	return collector(c) != NULL;
}


/* Sending ---------------------------------------------------------------- */

static void vq_destructor(void *arg)
{
	struct vq *v = arg;

	timer_cancel(&v->tmr);
	list_unlink(&v->le);
	mem_deref(v->req);
}


static void tell(const struct vq *v, const struct sip_result *res)
{
	static const char *const kinds[] = {
		[VQ_END] = "end", [VQ_ASKED] = "asked", [VQ_ALERT] = "alert",
		[VQ_INTERVAL] = "interval",
	};
	static const char *const severities[] = {
		[VQ_CLEAR] = "clear", [VQ_WARNING] = "warning",
		[VQ_CRITICAL] = "critical",
	};
	struct event ev;

	event_init(&ev, EVENT_CALL_REPORT);
	ev.call = v->call;
	ev.account = v->account;
	str_ncpy(ev.u.call_report.report, kinds[v->kind],
		 sizeof(ev.u.call_report.report));
	if (v->kind == VQ_ALERT)
		str_ncpy(ev.u.call_report.severity, severities[v->severity],
			 sizeof(ev.u.call_report.severity));
	utf8_copy(ev.u.call_report.to, sizeof(ev.u.call_report.to), v->to);
	str_ncpy(ev.u.call_report.result, res->code / 100 == 2 ? "sent" :
		 "failed", sizeof(ev.u.call_report.result));
	if (res->code)
		ev.u.call_report.code = res->code;
	utf8_copy(ev.u.call_report.reason, sizeof(ev.u.call_report.reason),
		  res->reason);

	event_publish(v->ua->bus, &ev);
}


static void gone_h(void *arg)
{
	mem_deref(arg);
}


static void resp_h(const struct sip_result *res, const struct sip_info *in,
		   void *arg)
{
	struct vq *v = arg;
	(void)in;

	v->req = mem_deref(v->req);
	if (res->code / 100 != 2)
		log_info("the quality report of call %u was not taken: %u %s",
			 v->call, res->code, res->reason);
	tell(v, res);
	timer_start(&v->tmr, 0, gone_h, v);
}


static int body_make(char **body, const struct vq_report *r)
{
	struct mbuf *mb = mbuf_alloc(2048);
	int err = mb ? vq_print(mb, r) : ENOMEM;

	if (!err) {
		mb->pos = 0;
		err = mbuf_strdup(mb, body, mb->end);
	}
	mem_deref(mb);

	return err;
}


/* As whom: the account, or who we were in the call */
static int ident_of(struct sip_ident **ip, const struct call *c)
{
	if (c->acc) {
		*ip = mem_ref(c->acc->ident);
		return 0;
	}

	return ua_ident(ip, c->ua, NULL, &c->vq.laddr);
}


static int publish(struct vq *v, const struct call *c,
		   const struct vq_report *rep, struct sip_ident *ident)
{
	struct sip_req_conf conf = {
		.method = "PUBLISH", .uri = v->to, .ident = ident,
		.headers = "Event: " VQ_EVENT "\r\n", .ctype = VQ_TYPE,
	};
	struct vq_report r = *rep;
	char *body = NULL;
	int err;

	r.local = sip_ident_aor(ident);
	err = body_make(&body, &r);
	if (!err) {
		conf.body = body;
		err = sip_req_send(&v->req, c->ua->sip, &conf, resp_h, v);
	}
	mem_deref(body);

	return err;
}


/* st: how it sounds. @return 0, ENOTCONN: there is nothing to tell */
static int report(struct call *c, enum vq_kind kind, enum vq_severity sev,
		  const struct stream_stats *st)
{
	const char *uri = collector(c);
	const uint64_t now = clock_ms(), wall = clock_wall_ms();
	struct vq_report r = {
		.kind = kind, .severity = sev, .remote = c->peer,
		.outgoing = c->outgoing, .agent = c->ua->config->user_agent,
		.plan = &c->plan, .st = st, .ssrc = c->vq.ssrc,
		.laddr = c->vq.laddr,
		.callid = sip_call_id(c->sip),
		.local_tag = c->vq.ltag ? c->vq.ltag : "",
		.remote_tag = c->vq.rtag ? c->vq.rtag : "",
		.buffer_max_ms = (unsigned)c->ua->config->jitter_max_ms,
	};
	struct sip_ident *ident = NULL;
	struct vq *v;
	int err;

	if (!uri || !c->active_ms || !c->plan.codec || !c->sip)
		return ENOTCONN;
	if (list_count(&c->ua->reports) >= REPORTS_MAX)
		return EAGAIN;

	v = mem_zalloc(sizeof(*v), vq_destructor);
	if (!v)
		return ENOMEM;

	v->ua = c->ua;
	v->call = c->id;
	v->account = c->acc ? c->acc->id : 0;
	v->kind = kind;
	v->severity = sev;
	str_ncpy(v->to, uri, sizeof(v->to));
	list_append(&c->ua->reports, &v->le, v);

	r.begin_ms = wall - (now - (kind == VQ_INTERVAL ? c->vq.mark.ms :
				    c->active_ms));
	r.end_ms = wall - (c->end_ms ? now - c->end_ms : 0);

	err = ident_of(&ident, c);
	if (!err)
		err = publish(v, c, &r, ident);
	mem_deref(ident);
	if (err) {
		log_warn("call %u: its quality report cannot be sent: %s",
			 c->id, strerror(err));
		mem_deref(v);
	}

	return err;
}


/* When ------------------------------------------------------------------- */

void vq_where(struct call *c)
{
	struct sip_dialog_id id;
	char target[UA_URI];

	if (!c->stream || !vq_wanted(c))
		return;

	c->vq.laddr = *stream_local(c->stream);
	c->vq.ssrc = stream_ssrc(c->stream);

	/* once it is over nobody knows its dialog any more */
	if (!c->vq.ltag && c->sip &&
	    !sip_call_dialog(&id, target, sizeof(target), c->sip) &&
	    id.rtag[0]) {
		(void)str_dup(&c->vq.ltag, id.ltag);
		(void)str_dup(&c->vq.rtag, id.rtag);
	}
}


/* What was lost and is found again was lost before */
static uint64_t since(uint64_t now, uint64_t then)
{
	return now > then ? now - then : 0;
}


static void mark(struct call_vq_mark *m, const struct stream_stats *st)
{
	m->ms = clock_ms();
	m->received = st->packets_received;
	m->lost = st->lost;
	m->late = st->late;
	m->sent = st->packets_sent;
	m->remote_lost = st->remote_lost;
}


/* The figures since the last time; what only the whole call has is left out */
static void interval_look(struct call *c, const struct stream_stats *st)
{
	const uint64_t every = (uint64_t)c->ua->config->quality_interval_ms;
	struct call_vq_mark *m = &c->vq.mark;
	struct stream_stats part = *st;

	/* the interval may be new in mid-call */
	if (!every) {
		m->ms = 0;
		return;
	}
	if (!m->ms) {
		mark(m, st);
		return;
	}
	if (clock_ms() - m->ms < every)
		return;

	part.packets_received = since(st->packets_received, m->received);
	part.lost = since(st->lost, m->lost);
	part.late = since(st->late, m->late);
	part.packets_sent = since(st->packets_sent, m->sent);
	part.remote_lost = since(st->remote_lost, m->remote_lost);
	part.burst_ratio = 1.0;
	part.xr_known = false;

	(void)report(c, VQ_INTERVAL, VQ_CLEAR, &part);
	mark(m, st);
}


void vq_look(struct call *c, double mos, const struct stream_stats *st)
{
	const double limit = strtod(c->ua->config->quality_alert, NULL);
	const uint64_t now = clock_ms();
	struct call_vq *v = &c->vq;
	enum vq_severity sev;

	/* on hold, and in silence, nothing is known */
	if (!vq_wanted(c))
		return;
	vq_where(c);
	interval_look(c, st);
	if (!(mos > 0.0) || !(limit > 0.0))
		return;

	v->mos = v->seconds++ ? v->mos + WEIGHT * (mos - v->mos) : mos;
	if (v->seconds < SETTLE_S)
		return;

	sev = v->mos < CRITICAL && limit > CRITICAL ? VQ_CRITICAL :
		v->mos < limit ? VQ_WARNING : VQ_CLEAR;
	if (sev < (enum vq_severity)v->severity && v->mos <
	    (v->severity == VQ_CRITICAL ? CRITICAL : limit) + MARGIN)
		return;
	if (sev == (enum vq_severity)v->severity ||
	    (v->told_ms && now - v->told_ms < ALERT_MS))
		return;

	v->severity = sev;
	v->told_ms = now;
	(void)report(c, VQ_ALERT, sev, st);
}


void vq_end(struct call *c)
{
	struct stream_stats st;

	if (c->vq.ended || !c->active_ms || !vq_wanted(c))
		return;

	c->vq.ended = true;
	vq_where(c);
	if (!call_stats(c, &st))
		(void)report(c, VQ_END, VQ_CLEAR, &st);
}


int call_report(struct call *c, char *err)
{
	struct stream_stats st;
	int e;

	if (!err)
		return EINVAL;
	if (!call_living(c))
		return call_gone(c, err);
	if (!vq_wanted(c))
		return call_error(err, ENOENT, "Nobody collects reports:"
				  " option quality-report, or that of an"
				  " account, names who does.");
	if (!c->active_ms || call_stats(c, &st))
		return call_error(err, ENOTCONN, "Call %u has no sound yet.",
				  c->id);

	vq_where(c);
	e = report(c, VQ_ASKED, VQ_CLEAR, &st);

	return e ? call_error(err, e, "The report of call %u cannot be sent:"
			      " %s.", c->id, strerror(e)) : 0;
}


void vq_flush(struct ua *ua)
{
	list_flush(&ua->reports);
}
