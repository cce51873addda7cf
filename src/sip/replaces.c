/**
 * @file replaces.c  Which call a header means: Replaces, Join, Target-Dialog
 *
 * A dialog is named by Call-ID and tags (RFC 3891, 3911, 4538).  What such a
 * name may be used for is the user's to decide, with one exception: the rules
 * by which an INVITE with Replaces is refused before anybody is asked.  Main
 * thread.
 */
#include "session.h"


static int take(char *dst, size_t sz, const struct pl *pl)
{
	size_t i;

	for (i = 0; i < pl->l; i++) {
		if ((uint8_t)pl->p[i] <= ' ' || pl->p[i] == 0x7f)
			return EBADMSG;
	}

	return pl->l ? text_copy(dst, sz, pl->p, pl->l) : EBADMSG;
}


/* A tag of 0 stands for none (RFC 2543) */
static int take_tag(char *dst, size_t sz, const struct pl *params,
		    const char *name)
{
	struct pl val;

	if (!param_find(params, name, &val) || !val.p)
		return EBADMSG;

	if (val.l == 1 && *val.p == '0') {
		*dst = '\0';
		return 0;
	}

	return take(dst, sz, &val);
}


static int id_parse(struct sip_dialog_id *id, const struct pl *value,
		    bool target_dialog)
{
	struct pl callid = *value, params = PL_INIT;
	const char *semi = memchr(value->p, ';', value->l);
	int err;

	memset(id, 0, sizeof(*id));

	if (!semi)
		return EBADMSG;

	callid.l = (size_t)(semi - callid.p);
	while (callid.l && (callid.p[callid.l - 1] == ' ' ||
			    callid.p[callid.l - 1] == '\t'))
		--callid.l;
	params.p = semi;
	params.l = (size_t)(value->p + value->l - semi);

	err = take(id->callid, sizeof(id->callid), &callid);
	if (!err)
		err = take_tag(id->ltag, sizeof(id->ltag), &params,
			       target_dialog ? "remote-tag" : "to-tag");
	if (!err)
		err = take_tag(id->rtag, sizeof(id->rtag), &params,
			       target_dialog ? "local-tag" : "from-tag");

	id->early_only = param_find(&params, "early-only", NULL);
	id->either_way = target_dialog;

	return err;
}


int sip_dialog_id_parse(struct sip_dialog_id *id, const char *value,
			bool target_dialog)
{
	struct pl pl;

	if (!id || !value)
		return EINVAL;

	pl_set_str(&pl, value);
	while (pl.l && (*pl.p == ' ' || *pl.p == '\t')) {
		++pl.p;
		--pl.l;
	}

	return id_parse(id, &pl, target_dialog);
}


static bool tags_are(const struct dialog *d, const char *ltag,
		     const char *rtag)
{
	return !strcmp(d->ltag, ltag) && d->rtag && !strcmp(d->rtag, rtag);
}


static struct branch *find_in(const struct list *calls,
			      const struct sip_dialog_id *id)
{
	const struct le *le, *be;

	for (le = calls->head; le; le = le->next) {
		const struct sip_call *c = le->data;

		if (!c->callid || strcmp(c->callid, id->callid))
			continue;

		for (be = c->branches.head; be; be = be->next) {
			struct branch *br = be->data;

			if (tags_are(br->dlg, id->ltag, id->rtag) ||
			    (id->either_way &&
			     tags_are(br->dlg, id->rtag, id->ltag)))
				return br;
		}
	}

	return NULL;
}


static struct branch *find(const struct sip_stack *s,
			   const struct sip_dialog_id *id)
{
	struct branch *br = find_in(&s->calls, id);

	return br ? br : find_in(&s->lingering, id);
}


struct sip_call *sip_call_find(struct sip_stack *s,
			       const struct sip_dialog_id *id)
{
	const struct branch *br = s && id ? find(s, id) : NULL;

	return br ? br->call : NULL;
}


int sip_call_replaces_value(const struct sip_call *c, char *buf, size_t sz)
{
	const struct branch *br;
	const struct dialog *d;
	int n;

	if (!c || !buf)
		return EINVAL;

	br = c->br ? c->br : c->told_br;
	if (!br || session_down(c))
		return ENOTCONN;

	/* as the one who gets the INVITE sees it */
	d = br->dlg;
	n = snprintf(buf, sz, "%s;to-tag=%s;from-tag=%s", d->callid,
		     d->rtag && *d->rtag ? d->rtag : "0",
		     *d->ltag ? d->ltag : "0");

	return n < 0 || (size_t)n >= sz ? EOVERFLOW : 0;
}


int sip_call_dialog(struct sip_dialog_id *id, char *target, size_t sz,
		    const struct sip_call *c)
{
	const struct branch *br = !c ? NULL : c->br ? c->br : c->told_br;
	const struct dialog *d;
	int err;

	if (!id || !target)
		return EINVAL;
	if (!br || session_down(c))
		return ENOTCONN;

	memset(id, 0, sizeof(*id));
	d = br->dlg;
	err = text_copy(id->callid, sizeof(id->callid), d->callid,
			strlen(d->callid));
	if (!err)
		err = text_copy(id->ltag, sizeof(id->ltag), d->ltag,
				strlen(d->ltag));
	if (!err && d->rtag)
		err = text_copy(id->rtag, sizeof(id->rtag), d->rtag,
				strlen(d->rtag));
	if (!err)
		err = text_copy(target, sz, d->target ? d->target : "",
				d->target ? strlen(d->target) : 0);

	return err;
}


struct header {
	struct sip_dialog_id id;
	unsigned n;
	int err;
};


static bool header_h(const struct pl *val, void *arg)
{
	struct header *h = arg;

	h->err = id_parse(&h->id, val, false);

	return ++h->n > 1;
}


uint16_t replaces_check(struct sip_call **cp, struct sip_stack *s,
			const struct sip_msg *msg)
{
	struct header h = {.n = 0};
	struct sip_call *c;
	struct branch *br;

	*cp = NULL;

	/* unknown to us, it says nothing */
	if (!sip_stack_is_able(s, SIP_AB_OPTION, "replaces"))
		return 0;

	(void)header_values(msg, "Replaces", 0, header_h, &h);
	if (!h.n)
		return 0;

	if (h.n > 1 || h.err || header_find_name(msg, "Join"))
		return 400;

	br = find(s, &h.id);
	if (!br)
		return 481;

	c = br->call;
	if (session_down(c))
		return 603;

	switch (c->phase) {

	case PHASE_CALLING:
		break;

	/* an early dialog of somebody else's making is not ours to give */
	case PHASE_INCOMING:
		return 481;

	default:
		if (br != c->br)
			return 481;
		if (h.id.early_only)
			return 486;
		break;
	}

	*cp = c;

	return 0;
}


uint16_t join_check(struct sip_call **cp, struct sip_stack *s,
		    const struct sip_msg *msg)
{
	struct header h = {.n = 0};
	struct branch *br;

	*cp = NULL;

	if (!sip_stack_is_able(s, SIP_AB_OPTION, "join"))
		return 0;

	(void)header_values(msg, "Join", 0, header_h, &h);
	if (!h.n)
		return 0;
	if (h.n > 1 || h.err)
		return 400;

	br = find(s, &h.id);
	if (!br)
		return 481;
	if (session_down(br->call))
		return 603;

	/* an early dialog that somebody else began has nobody to join */
	if (br->call->phase == PHASE_INCOMING)
		return 481;
	if (br->call->phase != PHASE_CALLING && br != br->call->br)
		return 481;

	*cp = br->call;

	return 0;
}
