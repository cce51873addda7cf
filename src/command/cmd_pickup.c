/**
 * @file cmd_pickup.c  `pickup` and `voicemail`: calls made of what was told
 *
 * Main thread.
 */
#include "priv.h"

enum { SLACK_MS = 20000 };

struct picked {
	struct cmd *x;
	struct ua_pickup *pickup;
};


static void picked_destructor(void *arg)
{
	struct picked *p = arg;

	mem_deref(p->pickup);
}


static void picked_handler(unsigned call, int err, const char *text,
			   void *arg)
{
	struct picked *p = arg;
	struct cmd *x = p->x;

	if (err) {
		reply_error(x->reply, err == ENOENT ? "no-call" : "failed",
			    "%s", text);
	}
	else {
		client_dialled(x->cl, call);
		reply_int(x->reply, "call", call);
	}

	cmd_done(x);
}


void cmd_pickup(struct cmd *x)
{
	struct picked *p = cmd_state(x, sizeof(*p), picked_destructor);
	char err[UA_ERR] = "";
	int e;

	if (!p)
		return;
	p->x = x;

	e = ua_pickup(&p->pickup, x->ph->ua, cmd_str(x, "target"),
		      cmd_str(x, "account"), cmd_has(x, "parked") ?
		      UA_PICKUP_PARKED : cmd_has(x, "join") ?
		      UA_PICKUP_JOIN : UA_PICKUP_RINGING, picked_handler, p,
		      err);
	if (e) {
		cmd_fail(x, e, err);
		return;
	}

	cmd_wait(x, (uint64_t)x->ph->config->sip_timeout_ms + SLACK_MS, NULL);
}


/* That account, or the first whose mailbox is known: with something new in
   it if there is one */
static const struct account *mail_account(struct cmd *x,
					  struct account_mail *mail)
{
	const char *name = cmd_str(x, "account");
	const struct account *best = NULL, *a;
	struct account_mail m;

	for (size_t i = 0; (a = ua_account(x->ph->ua, i)); i++) {
		if (name && ua_account_find(x->ph->ua, name) != a)
			continue;
		if (!account_mailbox(&m, a) || !m.mailbox[0])
			continue;
		if (best && !(m.fresh && !mail->fresh))
			continue;
		best = a;
		*mail = m;
	}

	return best;
}


void cmd_voicemail(struct cmd *x)
{
	struct account_mail mail;
	const struct account *a = mail_account(x, &mail);
	struct ua_dial prm = { .target = mail.mailbox };
	char err[UA_ERR] = "";
	unsigned id = 0;
	int e;

	if (!a) {
		reply_error(x->reply, "failed", "no mailbox is known: an "
			    "account names it with voicemail=, or learns it "
			    "with mwi=yes");
		return;
	}

	prm.account = account_config(a)->name;
	e = ua_dial(&id, x->ph->ua, &prm, err);
	if (e) {
		cmd_fail(x, e, err);
		return;
	}

	client_dialled(x->cl, id);
	reply_int(x->reply, "call", id);
	reply_silent(x->reply);
}
