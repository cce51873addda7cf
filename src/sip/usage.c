/**
 * @file sip/usage.c  Uses of a dialog beside its session (RFC 5057)
 *
 * A subscription, ours or the peer's, is a usage: it gets the NOTIFYs or
 * SUBSCRIBEs of its Event and keeps the dialog alive after the call has ended.
 * Main thread.  A usage is a member of its owner, who ends it before it goes.
 */
#include "event.h"


/* The Event header in two. @return false: absent, or no such thing */
bool event_parse(struct event_type *ev, const struct sip_msg *msg)
{
	const struct sip_hdr *h = header_find(msg, SIP_HDR_EVENT, "Event",
					      'o');
	return h && event_parse_text(ev, &h->val);
}


bool event_parse_text(struct event_type *ev, const struct pl *text)
{
	const char *semi = memchr(text->p, ';', text->l);
	struct pl params;
	size_t i;

	memset(ev, 0, sizeof(*ev));
	ev->package = *text;

	if (semi) {
		ev->package.l = (size_t)(semi - text->p);
		params.p = semi;
		params.l = text->l - ev->package.l;
		(void)param_find(&params, "id", &ev->id);
	}

	while (ev->package.l &&
	       strchr(" \t", ev->package.p[ev->package.l - 1]))
		--ev->package.l;

	for (i = 0; i < ev->package.l; i++) {
		const char c = ev->package.p[i];

		if (!isalnum((unsigned char)c) && !strchr("-.!%*_+`'~", c))
			return false;
	}

	return ev->package.l > 0 && ev->package.l < EVENT_PACKAGE_MAX &&
		ev->id.l < EVENT_ID_MAX;
}


int usage_begin(struct usage *u, struct dialog *d, const char *method,
		const struct event_type *ev, usage_h *h, void *arg)
{
	int err;

	if (!u || !d || !d->stack || u->dlg)
		return EINVAL;

	err = text_copy(u->package, sizeof(u->package), ev->package.p,
			ev->package.l);
	if (!err)
		err = text_copy(u->id, sizeof(u->id), ev->id.l ? ev->id.p : "",
				ev->id.l);
	if (err)
		return err;

	u->dlg = mem_ref(d);
	u->method = method;
	u->h = h;
	u->arg = arg;
	list_append(&d->usages, &u->le, u);

	return 0;
}


void usage_end(struct usage *u)
{
	struct dialog *d;

	if (!u || !u->dlg)
		return;

	d = u->dlg;
	list_unlink(&u->le);
	u->dlg = NULL;

	/* nobody is left to speak in it */
	if (!d->request_h && list_isempty(&d->usages))
		dialog_end(d);

	mem_deref(d);
}


/* RFC 6665 8.2.1: byte by byte. The id of the only REFER in a dialog may be
 * there or not (RFC 3515 2.4.6), and some peers leave out any */
static bool usage_match(const struct usage *u, const struct sip_msg *msg,
			const struct event_type *ev)
{
	const bool lax = !strcmp(u->package, "refer") &&
		(!ev->id.l || !*u->id);

	return !pl_strcmp(&msg->met, u->method) &&
		!pl_strcmp(&ev->package, u->package) &&
		(lax || !pl_strcmp(&ev->id, u->id));
}


static int usage_rx_h(struct sip_rx *rx, const struct sip_info *in, void *arg)
{
	struct usage *u = arg;

	return in ? u->h(rx, in, u->arg) : 500;
}


bool usage_request(struct leg *l, struct dialog *d, const struct sip_msg *msg)
{
	struct event_type ev;
	struct le *le;

	if (!d || list_isempty(&d->usages) || !event_parse(&ev, msg))
		return false;

	for (le = list_head(&d->usages); le; le = le->next) {
		struct usage *u = le->data;

		if (!usage_match(u, msg, &ev))
			continue;

		if (dialog_check_seq(d, msg)) {
			(void)stack_reply(l, msg, 500, "CSeq Out Of Order",
					  NULL);
		}
		else {
			/* both are target refresh requests (RFC 6665 4.4.1) */
			dialog_refresh(d, msg);
			rx_dispatch(l, msg, usage_rx_h, u);
		}
		return true;
	}

	return false;
}


void event_stack_gone(struct sip_stack *s)
{
	sub_stack_gone(s);
	notifier_stack_gone(s);
	pub_stack_gone(s);
}
