/**
 * @file app/findings_tell.c  After a call that needs it, the event call.finding
 *
 * Main thread.
 */
#include <stdio.h>
#include "offhook/findings.h"

struct findings {
	struct ua *ua;
	struct event_bus *bus;
	const struct capture *c;
	struct event_sub *sub;
};


static void event_handler(const struct event *ev, void *arg)
{
	struct findings *f = arg;
	const struct call_record *r;
	struct finding v[FINDINGS_MAX];
	struct event told;
	size_t n;

	if (strcmp(ev->u.call_state.state, "ended"))
		return;

	r = ua_call_record(f->ua, ev->call);
	if (!r || (!findings_wanted(r) && !findings_doubted(r)))
		return;

	n = findings_of(v, ARRAY_SIZE(v), r, f->c);
	if (!n || (!findings_wanted(r) && strcmp(v->name, FINDING_CUT)))
		return;

	event_init(&told, EVENT_CALL_FINDING);
	told.call = ev->call;
	told.account = ev->account;
	snprintf(told.u.call_finding.finding,
		 sizeof(told.u.call_finding.finding), "%s", v->name);
	snprintf(told.u.call_finding.stage,
		 sizeof(told.u.call_finding.stage), "%s", v->stage);
	findings_print(told.u.call_finding.text,
		       sizeof(told.u.call_finding.text), v, n);
	event_publish(f->bus, &told);
}


static void destructor(void *arg)
{
	struct findings *f = arg;

	mem_deref(f->sub);
}


int findings_start(struct findings **fp, struct ua *ua, struct event_bus *bus,
		   const struct capture *c)
{
	struct findings *f = mem_zalloc(sizeof(*f), destructor);
	int err;

	if (!f)
		return ENOMEM;

	f->ua = ua;
	f->bus = bus;
	f->c = c;

	err = event_subscribe_type(&f->sub, bus, EVENT_CALL_STATE,
				   event_handler, f);
	if (err)
		mem_deref(f);
	else
		*fp = f;

	return err;
}
