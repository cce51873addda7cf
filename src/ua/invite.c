/**
 * @file ua/invite.c  What the INVITE of a call that rings here says
 *
 * It is kept until the call is answered or over: rules look at its headers,
 * at once or when somebody who may decide has had his time.  Main thread.
 */
#include "priv.h"


int call_invite_take(struct call *c, const struct sip_info *in)
{
	char ruri[UA_URI];
	int err;

	(void)re_snprintf(ruri, sizeof(ruri), "sip:%s%s%s", in->ruri_user,
			  in->ruri_user[0] ? "@" : "", in->ruri_host);

	err = utf8_dup(&c->invite.to, in->to_uri, UA_URI);
	if (!err)
		err = utf8_dup(&c->invite.ruri, ruri, UA_URI);
	c->invite.msg = mem_ref((void *)in->msg);

	return err;
}


void call_invite_drop(struct call *c)
{
	c->invite.msg = mem_deref(c->invite.msg);
	c->invite.to = mem_deref(c->invite.to);
	c->invite.ruri = mem_deref(c->invite.ruri);
}


const char *call_to(const struct call *c)
{
	return c && c->invite.to ? c->invite.to : "";
}


const char *call_ruri(const struct call *c)
{
	return c && c->invite.ruri ? c->invite.ruri : "";
}


int call_invite_header(const struct call *c, const char *name, char *buf,
		       size_t sz)
{
	const struct sip_info in = { .msg = c ? c->invite.msg : NULL };

	return in.msg ? sip_info_header(&in, name, buf, sz) : ENOENT;
}


/* Rules ------------------------------------------------------------------------ */

void call_refuse_offers(struct call *c, uint16_t code)
{
	if (c)
		c->refuse_offers = code;
}


void ua_set_judge(struct ua *ua, ua_judge_h *h, void *arg)
{
	if (!ua)
		return;

	ua->judge_h = h;
	ua->judge_arg = arg;
}


uint16_t ua_judge(const struct ua *ua, const struct sip_info *in)
{
	return ua->judge_h && strcmp(in->method, "INVITE") ?
		ua->judge_h(in, ua->judge_arg) : 0;
}
