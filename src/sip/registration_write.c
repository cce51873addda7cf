/**
 * @file sip/registration_write.c  The lines of a REGISTER
 *
 * Who, where, for how long, and what we understand of the answer.  Main
 * thread.
 */
#include <strings.h>
#include "registration.h"
#include "conn.h"


int reg_way_head(struct reg_way *w, struct mbuf *mb)
{
	struct suri u;
	int err = 0;

	if (w->proxied)
		err = mbuf_printf(mb, "Route: <%s%s>\r\n", w->hop,
				  !suri_parse_str(&u, w->hop) &&
				  param_find(&u.params, "lr", NULL) ?
				  "" : ";lr");
	if (!err)
		err = mbuf_write_str(mb, "From: ");
	if (!err)
		err = header_print_addr(mb, w->id->name, w->id->aor);
	if (!err)
		err = mbuf_printf(mb, ";tag=%s\r\nTo: <%s>\r\n"
				  "Call-ID: %s\r\nCSeq: %u REGISTER\r\n",
				  w->tag, w->id->aor, w->callid, ++w->cseq);

	return err;
}


static bool is_sips(const char *uri)
{
	return !strncasecmp(uri, "sips:", 5);
}


int reg_address(char *buf, size_t sz, const struct reg_flow *f,
		   const struct target *tg)
{
	struct mbuf *mb = mbuf_alloc(128);
	int err;

	if (!mb)
		return ENOMEM;

	err = ident_address(mb, f->reg->id, f->way.flow, tg->leg, tg->tp,
			    is_sips(f->way.uri) || is_sips(f->way.hop) ||
			    is_sips(f->reg->id->aor));
	if (!err)
		err = text_copy(buf, sz, (const char *)mb->buf, mb->end);
	mem_deref(mb);

	return err;
}


static int contact_write(struct reg_flow *f, struct mbuf *mb,
			 const struct target *tg)
{
	const struct sip_reg *r = f->reg;
	const unsigned flow = f->way.flow;
	const bool outbound = r->outbound && !f->plain;
	int err;

	err = reg_address(f->contact, sizeof(f->contact), f, tg);
	if (err)
		return err;

	/* what is taken away is what they have */
	if (f->goal == GOAL_REMOVE && f->bound[0])
		str_ncpy(f->contact, f->bound, sizeof(f->contact));

	err = mbuf_printf(mb, "Contact: <%s>", f->contact);
	if (!err && r->instance)
		err = mbuf_printf(mb, ";+sip.instance=\"<%s>\"", r->instance);
	if (!err && outbound)
		err = mbuf_printf(mb, ";reg-id=%u", flow + 1);
	if (!err && *r->q)
		err = mbuf_printf(mb, ";q=%s", r->q);
	if (!err)
		err = mbuf_printf(mb, ";expires=%u\r\n",
				  f->goal == GOAL_REGISTER ? f->asked_s : 0);

	/* where we were: the registrar of RFC 5626 knows that by itself */
	if (!err && f->bound[0] && strcmp(f->bound, f->contact) && !outbound)
		err = mbuf_printf(mb, "Contact: <%s>;expires=0\r\n",
				  f->bound);

	return err;
}


/*
 * Over TLS the server reaches us by our connection: it need not take the
 * certificate of our listener, which as a rule nobody has signed.  Contact
 * names the connection's own address, so it finds it again.  Who has a
 * certificate may be called.
 */
static void seen_as_conn(struct reg_flow *f, const struct target *tg)
{
	struct ident_flow *idf = &f->reg->id->flowv[f->way.flow];
	const struct conn *c = conn_find(f->reg->stack, tg->flow);
	const struct sip_tls *t;

	/* what the server has said since counts more */
	if (!c || !c->pipe || f->seen_conn == c->id)
		return;
	f->seen_conn = c->id;

	t = tlspipe_tls(c->pipe);
	if (t->cert)
		return;

	idf->tp = tg->tp;
	idf->local = *leg_laddr(tg->leg, tg->tp);
	idf->seen = c->laddr;
}


int reg_head_h(struct mbuf *mb, const struct target *tg, void *arg)
{
	struct reg_flow *f = arg;
	const struct sip_reg *r = f->reg;
	int err;

	f->tg = *tg;
	if (tg->tp == SIP_TRANSP_TLS && r->nat)
		seen_as_conn(f, tg);

	err = reg_way_head(&f->way, mb);
	if (!err && f->goal == GOAL_REMOVE_ALL)
		err = mbuf_write_str(mb, "Contact: *\r\nExpires: 0\r\n");
	else if (!err)
		err = contact_write(f, mb, tg);
	if (!err && f->goal == GOAL_REGISTER)
		err = mbuf_printf(mb, "Expires: %u\r\n", f->asked_s);
	if (!err)
		err = mbuf_printf(mb, "Supported: path%s%s\r\n",
				  r->outbound && !f->plain ? ", outbound" :
				  "", r->gruu ? ", gruu" : "");
	if (!err)
		err = ability_write(mb, r->stack, AB_ALLOW);
	if (!err && r->id->headers)
		err = mbuf_write_str(mb, r->id->headers);

	return err;
}
