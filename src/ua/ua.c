/**
 * @file ua.c  The user agent: accounts, calls, the stack below them
 *
 * No globals: two may live in one process.  The ua owns its SIP stack, its
 * accounts and its calls; configuration, event bus and media engine are
 * borrowed.  An idle ua runs no timer.  Main thread.
 */
#include "offhook/worker.h"
#include <offhook/random.h>
#include "priv.h"
#include "account.h"
#include "requests.h"
#include "vq.h"


static void ua_destructor(void *data)
{
	struct ua *ua = data;

	network_flush(ua);
	timer_cancel(&ua->tmr_quality);
	timer_cancel(&ua->tmr_level);
	transfer_flush(ua);
	message_flush(ua);
	vq_flush(ua);
	watch_flush(ua);
	presence_flush(ua);
	timer_cancel(&ua->tmr_over);
	list_flush(&ua->over);
	list_flush(&ua->calls);
	mem_deref(ua->callh);
	mem_deref(ua->sip);
	accounts_flush(ua);
	call_file_forget(ua);
	free(ua->recordv);
}


static void trace_handler(bool tx, enum sip_transp tp,
			  const struct sa *local, const struct sa *peer,
			  const char *text, size_t len, void *arg)
{
	const struct ua *ua = arg;

	ua->trace_h(tx, tp, local, peer, text, len, ua->trace_arg);
}


/* 96 bits of chance, as RFC 7022 4.2 has it */
static void cname_make(struct ua *ua)
{
	size_t len = sizeof(ua->cname) - 1;
	uint8_t v[12];

	random_fill(v, sizeof(v));
	(void)base64_encode(v, sizeof(v), ua->cname, &len);
}


int ua_alloc(struct ua **uap, const struct ua_conf *conf, char *err)
{
	struct sip_stack_h h = {
		.invite_h = incoming_invite,
		.options_h = incoming_options,
		.ability_h = incoming_ability,
		.guard_h = guard_request,
		.request_h = requests_lone,
		.refused_h = account_tls_refused,
	};
	struct sip_stack_conf sc = { 0 };
	struct ability ab;
	struct ua *ua;
	int e;

	if (!uap || !conf || !conf->config || !conf->bus || !conf->media ||
	    !err)
		return EINVAL;

	err[0] = '\0';

	ua = mem_zalloc(sizeof(*ua), ua_destructor);
	if (!ua)
		return call_error(err, ENOMEM, "Out of memory.");

	ua->config = conf->config;
	ua->bus = conf->bus;
	ua->media = conf->media;
	ua->trace_h = conf->trace_h;
	ua->trace_arg = conf->arg;
	ua->device = true;
	cname_make(ua);
	ua->recordv = calloc(UA_RECORDS, sizeof(ua->recordv[0]));
	if (!ua->recordv) {
		e = call_error(err, ENOMEM, "Out of memory.");
		goto out;
	}

	if (ua_ability(&ab, ua, NULL)) {
		e = call_error(err, EINVAL, "Option codecs: none of \"%s\" is"
			       " known.", conf->config->codecs);
		goto out;
	}

	e = hash_alloc(&ua->callh, UA_BUCKETS);
	if (e) {
		call_error(err, e, "Out of memory.");
		goto out;
	}

	sc.user_agent = conf->config->user_agent;
	sc.addrv = conf->addrv;
	sc.addrc = conf->addrc;
	sc.t1_ms = (uint32_t)conf->config->sip_repeat_ms;
	sc.timeout_ms = (uint32_t)conf->config->sip_timeout_ms;
	sc.resolve_ms = (uint32_t)conf->config->resolve_timeout_ms;
	sc.dns_servers = conf->config->dns_servers;
	sc.hosts = conf->config->dns_hosts;
	sc.dscp = (uint8_t)conf->config->sip_dscp;
	sc.max_sessions = 0;          /* max-calls is checked here */
	if (conf->trace_h)
		h.trace_h = trace_handler;

	e = account_tls(&sc.tls, conf->config, NULL, err);
	if (e) {
		/* what is configured is wrong, whatever the system says */
		e = EINVAL;
		goto out;
	}

	e = sip_stack_alloc(&ua->sip, &sc, &h, ua, err, UA_ERR);
	if (e)
		goto out;

	e = requests_init(ua);
	if (!e)
		e = network_watch(ua);
	if (e)
		call_error(err, e, "Out of memory.");

 out:
	mem_deref(sc.tls);
	if (e)
		mem_deref(ua);
	else
		*uap = ua;

	return e;
}


const char *ua_note(const struct ua *ua)
{
	return ua ? sip_stack_note(ua->sip) : "";
}


struct sip_stack *ua_sip(struct ua *ua)
{
	return ua ? ua->sip : NULL;
}


bool ua_listener(const struct ua *ua, size_t i, struct sa *addr,
		 enum sip_transp *tp)
{
	return ua && sip_stack_listener(ua->sip, i, addr, tp);
}


void ua_set_device(struct ua *ua, bool device)
{
	if (ua)
		ua->device = device;
}


void ua_call_ended(struct ua *ua)
{
	if (ua->living)
		return;

	timer_cancel(&ua->tmr_quality);
	timer_cancel(&ua->tmr_level);
	call_file_forget(ua);
}


/* The stack is done or its time is over: what is left ends here */
static void close_handler(void *arg)
{
	struct ua *ua = arg;
	struct sip_result res = { .cause = SIP_CAUSE_NONE };
	struct le *le = list_head(&ua->calls);

	while (le) {
		struct call *c = le->data;

		le = le->next;

		res.cause = c->active_ms ? SIP_CAUSE_NONE
					 : SIP_CAUSE_CANCELLED;
		call_finish(c, &res);
	}

	if (ua->done_h) {
		void (*done)(void *arg) = ua->done_h;

		ua->done_h = NULL;
		done(ua->done_arg);
	}
}


void ua_close(struct ua *ua, uint32_t ms, void (*done)(void *arg), void *arg)
{
	struct le *le;
	char why[UA_ERR];

	if (!ua || ua->closing)
		return;

	ua->closing = true;
	calls_over(ua);
	ua->done_h = done;
	ua->done_arg = arg;
	accounts_close(ua);

	le = list_head(&ua->calls);
	while (le) {
		struct call *c = le->data;

		le = le->next;
		if (call_hangup(c, c->state == CALL_INCOMING ? 480 : 0, NULL,
				why) && !c->finished)
			log_warn("call %u: %s", c->id, why);
	}

	/* while requests can still be sent */
	for (le = list_head(&ua->calls); le; le = le->next)
		vq_end(le->data);

	presence_close(ua);
	watch_close(ua);
	sip_stack_close(ua->sip, ms, close_handler, ua);
}
