/**
 * @file cmd_ask.c  `request` and `info`: one request by hand, and its answer
 *
 * Main thread; the line waits for the final answer and shows it.  Keys as
 * INFO go the same way.
 */
#include <stdio.h>
#include "priv.h"

enum { SLACK_MS = 15000, BODY_SHOWN = 4096 };

struct asked {
	struct cmd *x;
	struct ua_ask *ask;
	bool keys;
};


static void asked_destructor(void *arg)
{
	struct asked *a = arg;

	mem_deref(a->ask);
}


/* The body, as far as it is text and not too long */
static void body_show(struct reply *r, const struct sip_info *in)
{
	struct text_buf b = { .max = BODY_SHOWN };
	const struct mbuf *mb = in->msg->mb;
	size_t len = mbuf_get_left(mb);
	char type[128];

	if (!len)
		return;
	if (!sip_info_header(in, "Content-Type", type, sizeof(type)))
		reply_str(r, "type", type);
	if (len >= BODY_SHOWN / 3)
		len = BODY_SHOWN / 3;

	text_add_utf8(&b, (const char *)mbuf_buf(mb), len);
	if (!b.err && b.s)
		reply_str(r, "body", b.s);
	text_buf_reset(&b);
}


static void answer_handler(const struct sip_result *res,
			   const struct sip_info *in, unsigned keys,
			   void *arg)
{
	const struct call_record rec = { .outgoing = true, .result = *res };
	struct asked *a = arg;
	struct cmd *x = a->x;

	if (a->keys)
		reply_int(x->reply, "sent", keys);
	if (res->code)
		reply_int(x->reply, "code", res->code);
	if (res->reason[0])
		reply_str(x->reply, "reason", res->reason);
	if (in && !a->keys)
		body_show(x->reply, in);

	if (res->code / 100 != 2) {
		reply_set_exit(x->reply, call_record_exit(&rec));
		if (res->code)
			reply_error(x->reply, "refused", "the answer is %u "
				    "%s", res->code, res->reason);
		else
			reply_error(x->reply, res->cause == SIP_CAUSE_TIMEOUT
				    ? "timeout" : "network", "%s",
				    res->reason);
	}

	cmd_done(x);
}


static struct asked *asked_new(struct cmd *x)
{
	struct asked *a = cmd_state(x, sizeof(*a), asked_destructor);

	if (!a)
		return NULL;

	a->x = x;

	return a;
}


static void ask(struct cmd *x, const char *method, const char *target,
		unsigned call)
{
	struct text_buf headers = { .max = CMD_HEADERS_MAX };
	struct ua_ask_prm prm = {
		.method = method, .target = target, .call = call,
		.account = cmd_str(x, "account"),
		.ctype = cmd_str(x, "type"), .body = cmd_str(x, "body"),
		.anonymous = cmd_has(x, "anonymous"),
		.about = (unsigned)cmd_int(x, "about", 0),
	};
	char err[UA_ERR] = "";
	struct asked *a;
	int e;

	if (cmd_headers(x, &headers))
		goto out;
	prm.headers = headers.s;

	a = asked_new(x);
	if (!a)
		goto out;

	e = ua_ask(&a->ask, x->ph->ua, &prm, answer_handler, a, err);
	if (e) {
		cmd_missing(x, e, "no-such-account", err);
		goto out;
	}

	cmd_wait(x, (uint64_t)x->ph->config->sip_timeout_ms + SLACK_MS, NULL);

 out:
	text_buf_reset(&headers);
}


void cmd_request(struct cmd *x)
{
	const unsigned call = (unsigned)cmd_int(x, "call", 0);
	const char *target = cmd_str(x, "target");
	const char *method = cmd_str(x, "method");

	if (!*method || method[strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789"
				      "-.!%*_+`'~")]) {
		(void)cmd_wrong(x, "bad-argument", "a method is one word of "
				"letters, such as OPTIONS");
		return;
	}
	if (!target == !call) {
		(void)cmd_wrong(x, "missing-argument", "give a target, or "
				"--call");
		return;
	}

	ask(x, method, target, call);
}


void cmd_info(struct cmd *x)
{
	const struct call *c = cmd_call(x);

	if (c)
		ask(x, "INFO", NULL, call_id(c));
}


void cmd_dtmf_info(struct cmd *x, struct call *c)
{
	struct asked *a = asked_new(x);
	char err[UA_ERR] = "";
	int e;

	if (!a)
		return;

	a->keys = true;
	e = call_dtmf_info(&a->ask, c, cmd_str(x, "digits"),
			   (unsigned)cmd_ms(x, "for", 0), answer_handler,
			   a, err);
	if (e) {
		cmd_fail(x, e, err);
		return;
	}

	cmd_wait(x, (uint64_t)x->ph->config->sip_timeout_ms * 2 + SLACK_MS,
		 NULL);
}
