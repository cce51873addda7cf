/**
 * @file cmd_request.c  Requests without a call: options
 *
 * The target is looked up first, so that From names an address the answer
 * can find its way back to.  Main thread; the line waits for the answer.
 */
#include <stdio.h>
#include "offhook/clock.h"
#include "priv.h"

struct request {
	struct cmd *x;
	struct sip_target *target;
	struct sip_req *req;
	struct sip_ident *ident;         /* NULL before it is known  */
	uint64_t start_us;
	uint32_t timeout_ms;
	char uri[256];
};


static void request_destructor(void *arg)
{
	struct request *r = arg;

	mem_deref(r->target);
	mem_deref(r->req);
	mem_deref(r->ident);
}


/* As a call would end with it; what was said of it is for programs only */
void cmd_result(struct cmd *x, const struct sip_result *res)
{
	const struct call_record rec = { .outgoing = true, .result = *res };

	reply_silent(x->reply);
	reply_set_exit(x->reply, call_record_exit(&rec));

	if (res->code)
		reply_error(x->reply, result_token(res), "the answer is %u%s %s",
			    res->code, res->cause == SIP_CAUSE_AUTH ? ":" :
			    "", res->reason);
	else
		reply_error(x->reply, result_token(res), "%s", res->reason[0] ?
			    res->reason : "no answer of any kind");
}


static void answer_header(struct cmd *x, const struct sip_info *in,
			  const char *name, const char *field)
{
	char text[512];

	if (in && !sip_info_header(in, name, text, sizeof(text)))
		reply_str(x->reply, field, text);
}


static void req_handler(const struct sip_result *res,
			const struct sip_info *in, void *arg)
{
	struct request *r = arg;
	struct cmd *x = r->x;

	r->req = mem_deref(r->req);

	if (res->code)
		reply_int(x->reply, "code", res->code);
	if (res->reason[0])
		reply_str(x->reply, "reason", res->reason);

	if (res->code / 100 == 2) {
		reply_double(x->reply, "time-ms",
			     (double)(clock_us() - r->start_us) / 1000.0);
		answer_header(x, in, "Allow", "allow");
		answer_header(x, in, "Supported", "supported");
		answer_header(x, in, "Accept", "accept");
		if (in && in->user_agent[0])
			reply_str(x->reply, "user-agent", in->user_agent);
		else
			answer_header(x, in, "Server", "user-agent");
	}
	else {
		cmd_result(x, res);
	}

	cmd_done(x);
}


static void target_handler(const struct sip_result *err,
			   const struct sa *laddr, void *arg)
{
	struct request *r = arg;
	struct cmd *x = r->x;
	struct sip_req_conf conf = {
		.method = "OPTIONS",
		.uri = r->uri,
		.timeout_ms = r->timeout_ms,
		.headers = "Accept: application/sdp\r\n",
	};
	int e = 0;

	r->target = mem_deref(r->target);

	if (err) {
		cmd_result(x, err);
		cmd_done(x);
		return;
	}

	if (!r->ident)
		e = ua_ident(&r->ident, x->ph->ua, NULL, laddr);

	conf.ident = r->ident;
	r->start_us = clock_us();

	if (!e)
		e = sip_req_send(&r->req, ua_sip(x->ph->ua), &conf,
				 req_handler, r);
	if (e) {
		cmd_fail(x, e, NULL);
		cmd_done(x);
	}
}


void cmd_options(struct cmd *x)
{
	const struct account *a = ua_account_default(x->ph->ua);
	struct request *r;
	char err[UA_ERR] = "";
	int e;

	r = cmd_state(x, sizeof(*r), request_destructor);
	if (!r)
		return;

	r->x = x;
	r->timeout_ms = (uint32_t)cmd_ms(x, "timeout", 0);

	e = ua_target(r->uri, sizeof(r->uri), x->ph->ua,
		      cmd_str(x, "target"), a, err);
	if (e) {
		(void)cmd_wrong(x, "bad-target", "%s", err);
		return;
	}

	if (a)
		(void)ua_ident(&r->ident, x->ph->ua, a, NULL);

	cmd_wait(x, 60000, NULL);

	e = sip_target_find(&r->target, ua_sip(x->ph->ua), r->uri, r->ident,
			    target_handler, r);
	if (e) {
		cmd_fail(x, e, NULL);
		cmd_done(x);
	}
}
