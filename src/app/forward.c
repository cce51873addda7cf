/**
 * @file forward.c  Do not disturb, and calls that are sent elsewhere
 *
 * A subscriber of the event bus, before the one that answers: in the moment a
 * call comes it is refused, sent elsewhere, or left to ring for a while and
 * then sent elsewhere.  A call that comes in place of one of ours (Replaces)
 * is nobody new and is let alone.  Calls are known by their numbers.  Main
 * thread.
 */
#include <strings.h>
#include <time.h>
#include "offhook/app.h"
#include "offhook/clock.h"
#include "offhook/text.h"
#include "offhook/timer.h"

#define LOG_MODULE "forward"
#include "offhook/log.h"


struct forward {
	struct ua *ua;
	const struct config *config;
	struct event_sub *sub;
	bool dnd;
	char *target[FORWARD_KINDS]; /* NULL: off                            */
	uint64_t after_ms;
	struct list ringing;         /* struct ringing                       */
};

/** A call that will be sent elsewhere when nobody answers */
struct ringing {
	struct le le;
	struct forward *f;
	unsigned id;
	struct timer tmr;
};


static const struct {
	const char *name, *reason;   /* of RFC 5806 4                        */
} kinds[FORWARD_KINDS] = {
	[FORWARD_ALWAYS]   = { "always",   "unconditional" },
	[FORWARD_BUSY]     = { "busy",     "user-busy" },
	[FORWARD_NOANSWER] = { "noanswer", "no-answer" },
};


static void ringing_destructor(void *data)
{
	struct ringing *r = data;

	timer_cancel(&r->tmr);
	list_unlink(&r->le);
}


static void forward_destructor(void *data)
{
	struct forward *f = data;

	mem_deref(f->sub);
	list_flush(&f->ringing);
	for (size_t i = 0; i < ARRAY_SIZE(f->target); i++)
		mem_deref(f->target[i]);
}


static uint16_t dnd_code(int choice)
{
	static const uint16_t codes[] = {
		[DND_480] = 480, [DND_486] = 486, [DND_600] = 600,
	};
	const unsigned i = (unsigned)choice;

	return i < ARRAY_SIZE(codes) ? codes[i] : 480;
}


static bool scheduled(const char *text)
{
	const time_t now = (time_t)(clock_wall_ms() / 1000);
	struct tm tm;

	return text[0] && localtime_r(&now, &tm) && schedule_on(text, &tm);
}


/* Status for a call to this account that is not to disturb, 0: it may */
static uint16_t undisturbed(const struct forward *f,
			    const struct account *acc)
{
	const struct account_conf *ac = acc ? account_config(acc) : NULL;

	if (f->dnd || scheduled(f->config->dnd_schedule))
		return dnd_code(f->config->dnd_code);

	if (!ac || !ac->dnd[0] || !strcasecmp(ac->dnd, "no"))
		return 0;

	return !strcasecmp(ac->dnd, "yes") || scheduled(ac->dnd) ?
		dnd_code(ac->dnd_code) : 0;
}


static void divert(struct forward *f, struct call *c, enum forward_kind kind)
{
	char why[UA_ERR];

	if (call_divert(c, f->target[kind], kinds[kind].reason, why))
		log_warn("call %u: not sent elsewhere: %s", call_id(c), why);
	else
		log_info("call %u: sent elsewhere (%s)", call_id(c),
			 kinds[kind].reason);
}


/* Do we talk already? */
static bool busy(const struct forward *f, const struct call *c)
{
	const struct call *other = NULL;

	while ((other = ua_call_next(f->ua, other))) {
		if (other != c && call_state(other) == CALL_ACTIVE)
			return true;
	}

	return false;
}


static void late_handler(void *arg)
{
	struct ringing *r = arg;
	struct forward *f = r->f;
	struct call *c = ua_call(f->ua, r->id);

	mem_deref(r);

	if (c && call_state(c) == CALL_INCOMING &&
	    f->target[FORWARD_NOANSWER])
		divert(f, c, FORWARD_NOANSWER);
}


static void ring(struct forward *f, unsigned id)
{
	struct ringing *r;

	r = mem_zalloc(sizeof(*r), ringing_destructor);
	if (!r)
		return;

	r->f = f;
	r->id = id;
	list_append(&f->ringing, &r->le, r);
	timer_start(&r->tmr, f->after_ms, late_handler, r);
}


static void incoming(struct forward *f, struct call *c)
{
	const uint16_t refuse = undisturbed(f, call_account(c));
	char why[UA_ERR];

	if (call_state(c) != CALL_INCOMING || call_replacing(c))
		return;

	if (f->target[FORWARD_ALWAYS]) {
		divert(f, c, FORWARD_ALWAYS);
	}
	else if (refuse) {
		if (call_reject(c, refuse, NULL, why))
			log_warn("%s", why);
	}
	else if (f->target[FORWARD_BUSY] && busy(f, c)) {
		divert(f, c, FORWARD_BUSY);
	}
	else if (f->target[FORWARD_NOANSWER]) {
		ring(f, call_id(c));
	}
}


static void forget(struct forward *f, unsigned id)
{
	struct le *le;

	LIST_FOREACH(&f->ringing, le) {
		struct ringing *r = le->data;

		if (r->id == id) {
			mem_deref(r);
			return;
		}
	}
}


static void event_handler(const struct event *ev, void *arg)
{
	struct forward *f = arg;

	if (call_state_find(ev->u.call_state.state) == CALL_INCOMING)
		incoming(f, ua_call(f->ua, ev->call));
	else
		forget(f, ev->call);
}


int forward_alloc(struct forward **fp, struct ua *ua, struct event_bus *bus,
		  const struct config *config)
{
	struct forward *f;
	int err;

	if (!fp || !ua || !bus || !config)
		return EINVAL;

	f = mem_zalloc(sizeof(*f), forward_destructor);
	if (!f)
		return ENOMEM;

	f->ua = ua;
	f->config = config;

	err = event_subscribe_type(&f->sub, bus, EVENT_CALL_STATE,
				   event_handler, f);
	if (err)
		mem_deref(f);
	else
		*fp = f;

	return err;
}


void forward_set_dnd(struct forward *f, bool on)
{
	if (f)
		f->dnd = on;
}


bool forward_dnd(const struct forward *f)
{
	return f && f->dnd;
}


const char *forward_name(enum forward_kind kind)
{
	return (unsigned)kind < FORWARD_KINDS ? kinds[kind].name : "";
}


enum forward_kind forward_find(const char *name)
{
	unsigned i;

	for (i = 0; i < FORWARD_KINDS; i++) {
		if (name && !str_casecmp(kinds[i].name, name))
			break;
	}

	return (enum forward_kind)i;
}


int forward_set(struct forward *f, enum forward_kind kind,
		const char *target, uint64_t after_ms, char *err)
{
	char uri[512], *text = NULL;
	int e;

	if (!f || (unsigned)kind >= FORWARD_KINDS)
		return EINVAL;

	if (target) {
		/* now: a caller is no one to be told that it is wrong */
		e = ua_target(uri, sizeof(uri), f->ua, target,
			      ua_account_default(f->ua), err);
		if (!e)
			e = str_dup(&text, target);
		if (e)
			return e;
	}

	mem_deref(f->target[kind]);
	f->target[kind] = text;

	if (kind == FORWARD_NOANSWER) {
		f->after_ms = after_ms;
		if (!text)
			list_flush(&f->ringing);
	}

	return 0;
}


const char *forward_target(const struct forward *f, enum forward_kind kind)
{
	return f && (unsigned)kind < FORWARD_KINDS && f->target[kind] ?
		f->target[kind] : "";
}


uint64_t forward_after_ms(const struct forward *f)
{
	return f ? f->after_ms : 0;
}
