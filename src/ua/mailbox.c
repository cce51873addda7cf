/**
 * @file mailbox.c  Voice mail: message-summary of the accounts (RFC 3842)
 *
 * An account with mwi=yes subscribes as soon as it is registered, or at once
 * when it does not register, and stays subscribed.  What was told last is kept
 * with the account.  Main thread.
 */
#include "mailbox.h"


static bool ready(const struct account *a)
{
	const enum sip_reg_state st = sip_reg_state(a->reg);

	return !account_registers(a) || st == SIP_REG_REGISTERED ||
		st == SIP_REG_REFRESHING;
}


void mailbox_settle(struct ua *ua)
{
	struct le *le;

	LIST_FOREACH(&ua->accounts, le) {
		struct account *a = le->data;
		const struct ua_subscribe prm = {
			.event = "message-summary", .target = a->conf.aor,
			.account = a->conf.name, .expires_s = 3600,
		};
		char why[UA_ERR];

		if (!a->conf.mwi || a->mwi_watch || a->before || !ready(a))
			continue;

		if (ua_subscribe(&a->mwi_watch, ua, &prm, why))
			log_warn("account %s: voice mail is not watched: %s",
				 a->conf.name, why);
	}
}


void mailbox_leave(struct account *a)
{
	char why[UA_ERR];

	if (a->mwi_watch)
		(void)ua_unsubscribe(a->ua, a->mwi_watch, why);
	a->mwi_watch = 0;
}


void mailbox_told(struct ua *ua, struct account *a, const char *who,
		  const struct mwi_summary *m)
{
	struct event ev;

	event_init(&ev, EVENT_MWI);
	ev.account = a ? a->id : 0;
	UTF8_PUT(ev.u.mwi.who, who);
	ev.u.mwi.waiting = m->waiting;
	ev.u.mwi.fresh = m->fresh;
	ev.u.mwi.old = m->old;
	ev.u.mwi.urgent = m->fresh_urgent;
	UTF8_PUT(ev.u.mwi.mailbox, m->account);

	if (a) {
		a->mail.known = true;
		a->mail.waiting = m->waiting;
		a->mail.fresh = m->fresh;
		a->mail.old = m->old;
		if (m->account[0])
			UTF8_PUT(a->mail.mailbox, m->account);
	}

	event_publish(ua->bus, &ev);
}


int mailbox_notify(struct ua *ua, const struct account *a,
		   struct sip_rx *rx, const struct sip_info *in)
{
	struct mwi_summary m;
	const char *body;
	size_t len = 0;

	/* anybody could light the lamp */
	if (!a || !sip_ident_serves(a->ident, in))
		return 481;

	body = sip_rx_body(rx, &len);
	if (!body || !sip_rx_ctype(rx, "application",
				   "simple-message-summary") ||
	    mwi_parse(&m, body, len))
		return 400;

	mailbox_told(ua, (struct account *)a, a->conf.aor, &m);

	return 200;
}


bool account_mailbox(struct account_mail *mail, const struct account *a)
{
	if (!a || !mail)
		return false;

	*mail = a->mail;
	if (a->conf.voicemail[0])
		str_ncpy(mail->mailbox, a->conf.voicemail,
			 sizeof(mail->mailbox));

	return a->mail.known || mail->mailbox[0];
}
