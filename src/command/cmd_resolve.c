/**
 * @file cmd_resolve.c  resolve: where would it be sent, and why
 *
 * Asks as a call would ask and tells each step: people get lines, programs
 * rows.  A number is looked up first where a call would do that.  Main
 * thread; the line waits for the answer.
 */
#include <stdio.h>
#include "offhook/sip_locate.h"
#include "priv.h"

enum { BOUND_MS = 300000 };      /* the stack's own bound comes before    */

struct resolve {
	struct cmd *x;
	struct sip_enum *enm;
	struct sip_locate *locate;
	struct sip_ident *ident;
	char uri[512];           /* "" : the number must be listed        */
};


static void resolve_destructor(void *arg)
{
	struct resolve *r = arg;

	mem_deref(r->enm);
	mem_deref(r->locate);
	mem_deref(r->ident);
}


static void reply_target(struct cmd *x, const struct sip_step *st)
{
	char addr[64];

	reply_row(x->reply, "target");
	reply_str(x->reply, "transport", transport_name(st->tp));
	(void)re_snprintf(addr, sizeof(addr), "%j", &st->addr);
	reply_str(x->reply, "address", addr);
	reply_int(x->reply, "port", sa_port(&st->addr));
	(void)re_snprintf(addr, sizeof(addr), "%j", &st->local);
	reply_str(x->reply, "local", addr);
	reply_bool(x->reply, "dead", st->dead);
	if (st->dead)
		reply_int(x->reply, "dead-ms", 1000ll * st->dead_s);
}


static void reply_step(struct cmd *x, const struct sip_step *st)
{
	reply_row(x->reply, "step");
	reply_str(x->reply, "step", sip_step_kind_name(st->kind));
	if (st->type[0])
		reply_str(x->reply, "type", st->type);
	if (st->name[0])
		reply_str(x->reply, "name", st->name);
	reply_str(x->reply, "text", st->text);
	if (st->kind == SIP_STEP_ANSWER)
		reply_bool(x->reply, "known", st->known);
	if (st->ttl_known)
		reply_int(x->reply, "ttl-ms", 1000ll * st->ttl_s);
}


static void reply_steps(struct cmd *x, const struct sip_steps *steps)
{
	char line[700];

	reply_list(x->reply, "step");
	for (unsigned i = 0; i < steps->n; i++) {
		const struct sip_step *st = &steps->v[i];

		if (st->kind != SIP_STEP_TARGET)
			reply_step(x, st);

		(void)sip_step_print(line, sizeof(line), st);
		reply_text(x->reply, "%s", line);
	}

	if (steps->cut)
		reply_text(x->reply, "and more");

	reply_list(x->reply, "target");
	for (unsigned i = 0; i < steps->n; i++) {
		if (steps->v[i].kind == SIP_STEP_TARGET)
			reply_target(x, &steps->v[i]);
	}
}


static void locate_handler(const struct sip_result *err,
			   const struct sip_steps *steps, void *arg)
{
	struct resolve *r = arg;
	struct cmd *x = r->x;

	reply_steps(x, steps);
	reply_silent(x->reply);
	if (err)
		cmd_result(x, err);

	cmd_done(x);
}


static int locate(struct resolve *r)
{
	struct cmd *x = r->x;
	const struct sip_locate_conf conf = {
		.uri = r->uri,
		.ident = r->ident,
		.transport = cmd_str(x, "transport"),
		.fresh = cmd_has(x, "fresh"),
	};

	return sip_locate(&r->locate, ua_sip(x->ph->ua), &conf,
			  locate_handler, r);
}


static void enum_handler(const char *uri, const struct sip_result *err,
			 const struct sip_steps *steps, void *arg)
{
	struct resolve *r = arg;
	struct cmd *x = r->x;
	struct sip_result res;
	int e;

	r->enm = mem_deref(r->enm);

	if (uri)
		snprintf(r->uri, sizeof(r->uri), "%s", uri);
	if (r->uri[0])
		reply_str(x->reply, "uri", r->uri);
	reply_steps(x, steps);

	if (!r->uri[0]) {
		res = *err;
		if (res.cause == SIP_CAUSE_NONE)
			res.cause = SIP_CAUSE_RESOLVE;
		cmd_result(x, &res);
		cmd_done(x);
		return;
	}

	e = locate(r);
	if (e) {
		cmd_fail(x, e, NULL);
		cmd_done(x);
	}
}


static void cmd_resolve(struct cmd *x)
{
	const struct account *a = NULL;
	char err[UA_ERR] = "", number[32];
	struct ua *ua = x->ph->ua;
	struct resolve *r;
	bool look_up;
	int e;

	r = cmd_state(x, sizeof(*r), resolve_destructor);
	if (!r)
		return;

	r->x = x;

	a = cmd_str(x, "account") ? ua_account_find(ua, cmd_str(x, "account"))
		: ua_account_default(ua);

	e = ua_target(r->uri, sizeof(r->uri), ua, cmd_str(x, "target"), a,
		      err);
	look_up = ua_enum_number(number, sizeof(number), ua,
				 cmd_str(x, "target"));
	if (e)
		r->uri[0] = '\0';
	if (e && (!look_up || a)) {
		(void)cmd_wrong(x, "bad-target", "%s", err);
		return;
	}

	if (a)
		(void)ua_ident(&r->ident, ua, a, NULL);

	cmd_wait(x, BOUND_MS, NULL);

	if (look_up) {
		e = sip_enum_find(&r->enm, ua_sip(ua), number,
				  x->ph->config->enum_domain, enum_handler,
				  r);
	}
	else {
		reply_str(x->reply, "uri", r->uri);
		e = locate(r);
	}
	if (e) {
		cmd_fail(x, e, NULL);
		cmd_done(x);
	}
}


static const struct command rows[] = {
	{
		.name = "resolve",
		.args = ARGS(
			{ .name = "target", .type = ARG_TARGET,
			  .summary = "whom, as in dial" }
		),
		.options = ARGS(
			{ .name = "transport", .type = ARG_CHOICE,
			  .choices = "udp,tcp,tls",
			  .summary = "over this one only" },
			{ .name = "account", .type = ARG_ACCOUNT,
			  .summary = "by way of this account" },
			{ .name = "fresh", .type = ARG_NONE,
			  .summary = "forget what is known of names" }
		),
		.summary = "Tell where a request would be sent, and why",
		.help = "Asks the name service as a call would: what was "
			"asked, what came and for how long it holds, what "
			"was chosen, and last the addresses in the order in "
			"which they would be tried. One that did not answer "
			"lately is tried last for a while. With option "
			"enum-domain a telephone number is looked up first.",
		.run = cmd_resolve,
	},
};

const struct command_group group_resolving = {
	"looking", rows, ARRAY_SIZE(rows)
};
