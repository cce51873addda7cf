/**
 * @file dialog.c  Dialogs, RFC 3261 chapter 12
 *
 * A dialog is found by its Call-ID and our tag in one hash of the stack; the
 * remote tag tells the branches of a forked INVITE apart.  Before the first
 * response it is a template: no remote tag, the route set is what the user
 * configured.  Each remote tag then gets a fork of its own.
 *
 * Main thread.  A dialog belongs to its user, who ends it before the stack
 * goes; after that it is only a record.
 */
#include <offhook/random.h>
#include "priv.h"
#include "session.h"
#include "ident.h"


enum {
	CALLID_MAX = 512,
	TAG_MAX    = 256,
};


void dialog_end(struct dialog *d)
{
	d->request_h = NULL;
	d->arg = NULL;

	/* subscriptions in it go on */
	if (!list_isempty(&d->usages))
		return;

	if (d->he.list) {
		hash_unlink(&d->he);
		--d->stack->stats.dialogs;
	}

	d->stack = NULL;
}


static void dialog_destructor(void *arg)
{
	struct dialog *d = arg;
	unsigned i;

	dialog_end(d);

	for (i = 0; i < d->routec; i++)
		mem_deref(d->routev[i]);

	mem_deref(d->callid);
	mem_deref(d->ltag);
	mem_deref(d->rtag);
	mem_deref(d->laddr_hdr);
	mem_deref(d->raddr_hdr);
	mem_deref(d->target);
	mem_deref(d->domain);
	mem_deref(d->user);
	mem_deref(d->ident);
	mem_deref(d->digest);
}


static uint32_t dialog_key(const struct pl *callid, const struct pl *ltag)
{
	return hash_joaat_pl(callid) * 31 + hash_joaat_pl(ltag);
}


static void dialog_link(struct dialog *d)
{
	struct pl callid, ltag;

	pl_set_str(&callid, d->callid);
	pl_set_str(&ltag, d->ltag);

	hash_append(d->stack->dialogs, dialog_key(&callid, &ltag), &d->he, d);
	++d->stack->stats.dialogs;
}


/* A tag may be missing (RFC 2543): then it is "" */
static int tag_dup(char **dst, const struct pl *tag)
{
	if (!pl_isset(tag))
		return str_dup(dst, "");

	return route_word_dup(dst, tag, TAG_MAX);
}


static struct dialog *dialog_new(struct sip_stack *s)
{
	struct dialog *d = mem_zalloc(sizeof(*d), dialog_destructor);

	if (d)
		d->stack = s;

	return d;
}


static int hex_dup(char **dst, uint64_t a, uint64_t b)
{
	char buf[33];

	if (b)
		(void)snprintf(buf, sizeof(buf), "%016llx%016llx",
			       (unsigned long long)a, (unsigned long long)b);
	else
		(void)snprintf(buf, sizeof(buf), "%016llx",
			       (unsigned long long)a);

	return str_dup(dst, buf);
}


static int addr_dup(char **dst, const char *name, const char *uri)
{
	struct mbuf *mb = mbuf_alloc(256);
	int err;

	if (!mb)
		return ENOMEM;

	err = header_print_addr(mb, name, uri);
	if (!err) {
		mb->pos = 0;
		err = mbuf_strdup(mb, dst, mb->end);
	}

	mem_deref(mb);

	return err;
}


static bool is_secure(const char *uri)
{
	return !strncasecmp(uri, "sips:", 5);
}


int dialog_alloc_uac(struct dialog **dp, struct sip_stack *s,
		     const char *uri, struct sip_ident *ident)
{
	struct dialog *d;
	struct pl pl;
	char *to = NULL;
	int err;

	if (!dp || !s || !uri || !ident)
		return EINVAL;

	d = dialog_new(s);
	if (!d)
		return ENOMEM;

	d->lseq = random_u16() + 1u;
	d->ident = mem_ref(ident);

	pl_set_str(&pl, uri);
	err = route_uri_strip(&d->target, &pl, false);
	if (err)
		goto out;

	err = route_uri_strip(&to, &pl, true);
	if (err)
		goto out;

	err = hex_dup(&d->callid, random_u64(), random_u64() | 1);
	if (err)
		goto out;

	err = hex_dup(&d->ltag, random_u64(), 0);
	if (err)
		goto out;

	err = addr_dup(&d->raddr_hdr, NULL, to);
	if (err)
		goto out;

	err = addr_dup(&d->laddr_hdr, ident->name, ident->aor);
	if (err)
		goto out;

	err = ident_routes(ident, d->routev, &d->routec, SIP_ROUTES_MAX);
	if (err)
		goto out;

	d->sips = is_secure(d->target);
	d->secure = d->sips ||
		(d->routec && !strncasecmp(d->routev[0], "<sips:", 6));

	dialog_link(d);

 out:
	mem_deref(to);

	if (err)
		mem_deref(d);
	else
		*dp = d;

	return err;
}


int dialog_hide(struct dialog *d)
{
	char *hdr = NULL;
	int err;

	err = addr_dup(&hdr, "Anonymous", "sip:anonymous@anonymous.invalid");
	if (err)
		return err;

	mem_deref(d->laddr_hdr);
	d->laddr_hdr = hdr;
	d->hidden = true;

	return 0;
}


/* What all branches of a template share; the remote side is missing */
static struct dialog *dialog_copy(const struct dialog *tmpl)
{
	struct dialog *d = dialog_new(tmpl->stack);

	if (!d)
		return NULL;

	d->callid    = mem_ref(tmpl->callid);
	d->ltag      = mem_ref(tmpl->ltag);
	d->laddr_hdr = mem_ref(tmpl->laddr_hdr);
	d->ident     = mem_ref(tmpl->ident);
	d->hidden    = tmpl->hidden;
	d->digest    = mem_ref(tmpl->digest);
	d->target    = mem_ref(tmpl->target);
	d->secure    = tmpl->secure;
	d->sips      = tmpl->sips;
	d->lseq      = tmpl->lseq;
	d->request_h = tmpl->request_h;
	d->arg       = tmpl->arg;

	return d;
}


int dialog_fork(struct dialog **dp, const struct dialog *tmpl,
		const struct sip_msg *resp)
{
	struct dialog *d;
	int err;

	if (!dp || !tmpl || !resp || resp->req)
		return EINVAL;

	d = dialog_copy(tmpl);
	if (!d)
		return ENOMEM;

	d->raddr_hdr = mem_ref(tmpl->raddr_hdr);

	err = dialog_update(d, resp, false);
	if (err)
		goto out;

	dialog_link(d);

 out:
	if (err)
		mem_deref(d);
	else
		*dp = d;

	return err;
}


void dialog_bare(struct dialog *d, const struct dialog *tmpl)
{
	route_clear(d);
	mem_deref(d->target);
	d->target = mem_ref(tmpl->target);
	d->flow_pinned = false;
}


int dialog_fork_bare(struct dialog **dp, const struct dialog *tmpl,
		     const struct sip_msg *resp)
{
	struct dialog *d = dialog_copy(tmpl);
	int err;

	if (!d)
		return ENOMEM;

	d->raddr_hdr = mem_ref(tmpl->raddr_hdr);
	err = tag_dup(&d->rtag, &resp->to.tag);
	if (err) {
		mem_deref(d);
		return err;
	}

	dialog_link(d);
	*dp = d;

	return 0;
}


bool dialog_usable(const struct dialog *d)
{
	char *uri = NULL, *hop = NULL;
	struct suri u;
	bool ok;

	if (dialog_uris(d, &uri, &hop))
		return false;

	ok = !suri_parse_str(&u, uri) && !suri_parse_str(&u, hop) && u.sip;

	mem_deref(uri);
	mem_deref(hop);

	return ok;
}


static void pin_incoming(struct dialog *d, struct leg *leg,
			 const struct sip_msg *msg)
{
	struct target way;

	target_back(&way, leg, msg);
	dialog_pin(d, &way, true,
		   header_count(msg, SIP_HDR_VIA, "Via", 'v') == 1);
}


int dialog_fork_request(struct dialog **dp, const struct dialog *tmpl,
			struct leg *leg, const struct sip_msg *req)
{
	struct dialog *d;
	int err;

	if (!dp || !tmpl || !leg || !req || !req->req)
		return EINVAL;

	d = dialog_copy(tmpl);
	if (!d)
		return ENOMEM;

	d->rseq = req->cseq.num;
	d->rseq_set = true;

	err = tag_dup(&d->rtag, &req->from.tag);
	if (!err)
		err = route_value_dup(&d->raddr_hdr, &req->from.val, true);
	if (!err)
		err = route_take_set(d, req);
	if (err) {
		mem_deref(d);
		return err;
	}

	(void)route_take_target(d, req);
	pin_incoming(d, leg, req);
	dialog_link(d);

	*dp = d;

	return 0;
}


int dialog_alloc_uas(struct dialog **dp, struct leg *leg,
		     const struct sip_msg *msg)
{
	struct dialog *d;
	int err;

	if (!dp || !leg || !msg || !msg->req)
		return EINVAL;

	d = dialog_new(leg->stack);
	if (!d)
		return ENOMEM;

	d->lseq = random_u16() + 1u;
	d->rseq = msg->cseq.num;
	d->rseq_set = true;

	err = route_word_dup(&d->callid, &msg->callid, CALLID_MAX);
	if (err)
		goto out;

	err = hex_dup(&d->ltag, msg->tag, 0);
	if (err)
		goto out;

	err = tag_dup(&d->rtag, &msg->from.tag);
	if (err)
		goto out;

	err = route_value_dup(&d->laddr_hdr, &msg->to.val, true);
	if (err)
		goto out;

	err = route_value_dup(&d->raddr_hdr, &msg->from.val, true);
	if (err)
		goto out;

	if (pl_isset(&msg->uri.user)) {
		err = route_word_dup(&d->user, &msg->uri.user, SIP_URI_MAX);
		if (err)
			goto out;
	}

	err = route_take_set(d, msg);
	if (err)
		goto out;

	err = route_take_target(d, msg);
	if (err) {
		err = err == ENOMEM ? ENOMEM : EBADMSG;
		goto out;
	}

	d->secure = target_secure(msg);
	d->sips = text_caseeq(msg->uri.scheme.p, msg->uri.scheme.l, "sips");
	pin_incoming(d, leg, msg);
	dialog_link(d);

 out:
	if (err)
		mem_deref(d);
	else
		*dp = d;

	return err;
}


/*
 * A peer that leaves out its Contact or tag in a response (RFC 2543) is taken
 * as reached by the Request-URI of the INVITE and known by an empty tag.
 */
int dialog_update(struct dialog *d, const struct sip_msg *msg, bool final)
{
	char *rtag = NULL, *raddr = NULL;
	int err;

	if (!d || !msg || msg->req)
		return EINVAL;

	err = tag_dup(&rtag, &msg->to.tag);
	if (err)
		goto out;

	err = route_value_dup(&raddr, &msg->to.val, true);
	if (err)
		goto out;

	/* a 1xx may be bare; only one with the routes fixes them early */
	if (final || !d->rtag ||
	    header_find(msg, SIP_HDR_RECORD_ROUTE, "Record-Route", 0)) {
		err = route_take_set(d, msg);
		if (err)
			goto out;
	}

	(void)route_take_target(d, msg);

	mem_deref(d->rtag);
	d->rtag = mem_ref(rtag);
	mem_deref(d->raddr_hdr);
	d->raddr_hdr = mem_ref(raddr);

 out:
	mem_deref(rtag);
	mem_deref(raddr);

	return err;
}


/* Call-ID and our tag are right */
static bool dialog_match_half(const struct dialog *d,
			      const struct sip_msg *msg)
{
	const struct pl *ltag = msg->req ? &msg->to.tag : &msg->from.tag;

	return !pl_strcmp(&msg->callid, d->callid) &&
		!pl_strcmp(ltag, d->ltag);
}


bool dialog_match(const struct dialog *d, const struct sip_msg *msg)
{
	const struct pl *rtag;

	if (!d || !msg || !d->rtag || !dialog_match_half(d, msg))
		return false;

	rtag = msg->req ? &msg->from.tag : &msg->to.tag;

	return pl_isset(rtag) ? !pl_strcmp(rtag, d->rtag) : !d->rtag[0];
}


static bool match_h(struct le *le, void *arg)
{
	return dialog_match(le->data, arg);
}


static bool match_template_h(struct le *le, void *arg)
{
	const struct dialog *d = le->data;

	return !d->rtag && dialog_match_half(d, arg);
}


static struct dialog *lookup(struct sip_stack *s, const struct sip_msg *msg,
			     list_apply_h *h)
{
	const struct pl *ltag;

	if (!s || !msg)
		return NULL;

	ltag = msg->req ? &msg->to.tag : &msg->from.tag;
	if (!pl_isset(ltag))
		return NULL;

	return list_ledata(hash_lookup(s->dialogs,
				       dialog_key(&msg->callid, ltag),
				       h, (void *)msg));
}


struct dialog *dialog_find(struct sip_stack *s, const struct sip_msg *msg)
{
	return lookup(s, msg, match_h);
}


struct dialog *dialog_find_template(struct sip_stack *s,
				    const struct sip_msg *msg)
{
	return lookup(s, msg, match_template_h);
}


int dialog_check_seq(struct dialog *d, const struct sip_msg *msg)
{
	if (d->rseq_set && msg->cseq.num < d->rseq)
		return EPROTO;

	d->rseq = msg->cseq.num;
	d->rseq_set = true;

	return 0;
}


void dialog_refresh(struct dialog *d, const struct sip_msg *msg)
{
	if (!d || !msg || route_take_target(d, msg) || d->routec)
		return;

	/* the same one by the same connection, wherever it says it is now */
	if (d->flow_pinned && msg->tp == d->flow.tp &&
	    sa_cmp(&msg->src, &d->flow.dst, SA_ALL))
		return;

	d->flow_pinned = false;
	d->flow.leg = NULL;
}


int dialog_rename_us(struct dialog *d)
{
	char *hdr = NULL;
	struct addr_parts a;
	struct suri was, now;
	struct pl pl;
	int err;

	if (d->hidden || !d->ident || !d->ident->aor)
		return EACCES;

	pl_set_str(&pl, d->laddr_hdr);
	if (!addr_parse(&a, &pl) && !suri_parse(&was, &a.uri) &&
	    !suri_parse_str(&now, d->ident->aor) && suri_equal(&was, &now))
		return EALREADY;

	err = addr_dup(&hdr, d->ident->name, d->ident->aor);
	if (err)
		return err;

	mem_deref(d->laddr_hdr);
	d->laddr_hdr = hdr;

	return 0;
}


void dialog_rename(struct dialog *d, const struct sip_msg *msg)
{
	char *addr;

	if (route_value_dup(&addr, &msg->from.val, true))
		return;

	mem_deref(d->raddr_hdr);
	d->raddr_hdr = addr;
}


int dialog_head(struct dialog *d, struct mbuf *mb, const struct target *tg,
		const char *method, uint32_t cseq, bool contact)
{
	const bool strict = d->routec && !route_loose(d->routev[0]);
	unsigned i;
	int err = 0;

	for (i = strict ? 1 : 0; i < d->routec && !err; i++)
		err = mbuf_printf(mb, "Route: %s\r\n", d->routev[i]);
	if (strict && !err)
		err = mbuf_printf(mb, "Route: <%s>\r\n", d->target);
	if (err)
		return err;

	err = mbuf_printf(mb, "From: %s;tag=%s\r\nTo: %s%s%s\r\n"
			  "Call-ID: %s\r\nCSeq: %u %s\r\n",
			  d->laddr_hdr, d->ltag, d->raddr_hdr,
			  d->rtag && d->rtag[0] ? ";tag=" : "",
			  d->rtag && d->rtag[0] ? d->rtag : "",
			  d->callid, cseq, method);
	if (err || !contact)
		return err;

	return dialog_contact(d, mb, tg->leg, tg->tp);
}


int dialog_contact(const struct dialog *d, struct mbuf *mb,
		   const struct leg *leg, enum sip_transp tp)
{
	int err = mbuf_write_str(mb, "Contact: ");

	if (!err)
		err = !d->ident ?
			leg_contact(mb, leg, tp, d->user, d->secure) :
			d->hidden ?
			ident_contact_hidden(mb, d->ident, leg, tp,
					     d->secure) :
			ident_contact(mb, d->ident, leg, tp, d->secure);
	if (!err)
		err = mbuf_write_str(mb, "\r\n");

	return err;
}
