/**
 * @file ack.c  The ACK of a 2xx
 *
 * It is no transaction: it is kept and sent again, byte for byte, when the
 * 2xx comes again.  It carries the credentials of its INVITE and goes by the
 * dialog's routes; when these lead nowhere, to where the INVITE went.  RFC
 * 3261 13.2.2.4 and 22.1.  Main thread.
 */
#include <offhook/random.h>
#include "session.h"
#include "ident.h"


/* 22.1: an ACK repeats the credentials of its INVITE, as they stood there */
static int credentials_write(struct mbuf *mb, const struct mbuf *sent)
{
	static const char *const names[] = {
		"Authorization:", "Proxy-Authorization:",
	};
	const char *p = (const char *)sent->buf, *end = p + sent->end;
	int err = 0;

	while (p < end && *p != '\r' && !err) {
		const char *next = memchr(p, '\n', (size_t)(end - p));
		size_t i;

		next = next ? next + 1 : end;

		for (i = 0; i < COUNTOF(names); i++) {
			const size_t len = strlen(names[i]);

			if ((size_t)(next - p) > len &&
			    !memcmp(p, names[i], len))
				err = mbuf_write_mem(mb, (const uint8_t *)p,
						     (size_t)(next - p));
		}

		p = next;
	}

	return err;
}


void session_sent_shrink(struct sip_call *c)
{
	struct mbuf *mb = c->sent ? mbuf_alloc(256) : NULL;

	if (!mb)
		return;

	if (credentials_write(mb, c->sent)) {
		mem_deref(mb);
		return;
	}

	mbuf_trim(mb);
	mem_deref(c->sent);
	c->sent = mb;
}


/* Written by hand: it is no transaction, and its branch is its own */
static int ack_write(struct mbuf **mbp, struct branch *br,
		     const struct target *tg, const char *uri)
{
	struct mbuf *mb = mbuf_alloc(1024), *sdp = br->ack_sdp;
	const struct sip_stack *s = br->dlg->stack;
	int err;

	if (!mb)
		return ENOMEM;

	err = mbuf_printf(mb, "ACK %s SIP/2.0\r\n"
			  "Via: SIP/2.0/%s %J;branch=z9hG4bK%016llx;rport\r\n"
			  "Max-Forwards: 70\r\n",
			  uri, sip_transp_name(tg->tp),
			  leg_laddr(tg->leg, tg->tp), random_u64());
	if (err)
		goto out;

	err = dialog_head(br->dlg, mb, tg, "ACK", br->ack_cseq, false);
	if (err)
		goto out;

	if (br->call->sent)
		err = credentials_write(mb, br->call->sent);
	if (!err)
		err = mbuf_printf(mb, "User-Agent: %s\r\n", s->user_agent);
	if (!err)
		err = header_sdp(mb, sdp);

 out:
	if (err) {
		mem_deref(mb);
		return err;
	}

	mb->pos = 0;
	*mbp = mb;

	return 0;
}


int branch_ack_again(struct branch *br)
{
	br->ack->pos = 0;

	return target_send(&br->ack_tg, br->ack);
}


static void ack_send(struct branch *br, const struct target_list *tl)
{
	const struct sip_ident *id = br->dlg->ident;
	struct sip_call *c = br->call;
	char *uri = NULL, *hop = NULL, by_hop[256];
	const char *domain = NULL;
	unsigned i;
	int err;

	err = dialog_uris(br->dlg, &uri, &hop);

	if (!err)
		domain = dialog_domain(br->dlg, hop);
	if (!err && !domain)
		domain = target_domain(by_hop, sizeof(by_hop), hop) ? "" :
			by_hop;

	for (i = 0; i < tl->n && tl->v[i].leg && !err; i++) {

		br->ack = mem_deref(br->ack);
		br->ack_tg = tl->v[i];
		if (target_open(&br->ack_tg, ident_tls(id), domain))
			continue;

		err = ack_write(&br->ack, br, &tl->v[i], uri);
		if (err || !branch_ack_again(br))
			break;
	}

	mem_deref(uri);
	mem_deref(hop);

	if (err)
		log_info("call: no ACK: %s", strerror(err));

	br->ack_sdp = mem_deref(br->ack_sdp);
	br->ack_due = false;

	if (br->bye_due)
		branch_bye(br);

	if (br == c->br)
		modify_try(c);
}


/* No way to where the peer says it is: rather where the INVITE went */
static void ack_back(struct branch *br)
{
	const struct target_list tl = {.v = {br->call->flow}, .n = 1};

	br->dlg->flow = br->call->flow;
	ack_send(br, &tl);
}


static void ack_target_h(const struct sip_result *res,
			 const struct target_list *tl, void *arg)
{
	struct branch *br = arg;

	br->ack_query = mem_deref(br->ack_query);

	if (!res && tl->n) {
		br->dlg->flow = tl->v[0];
		ack_send(br, tl);
	}
	else {
		ack_back(br);
	}

	session_check(br->call);
}


void branch_ack(struct branch *br, uint32_t cseq, struct mbuf *sdp)
{
	struct target_list tl;
	struct sip_result res;
	char *uri = NULL, *hop = NULL;
	int err;

	br->ack = mem_deref(br->ack);
	br->ack_query = mem_deref(br->ack_query);
	mem_deref(br->ack_sdp);
	br->ack_sdp = mem_ref(sdp);
	br->ack_cseq = cseq;
	br->ack_due = true;

	err = dialog_uris(br->dlg, &uri, &hop);
	if (!err)
		err = dialog_targets(br->dlg, hop, &tl, &res);
	if (err == ENOENT)
		err = target_find(&br->ack_query, br->dlg->stack, hop, NULL,
				  ack_target_h, br);
	else if (!err)
		ack_send(br, &tl);

	if (err)
		ack_back(br);

	mem_deref(uri);
	mem_deref(hop);
}


/* The credentials follow behind what is written now */
void session_sent(struct sip_call *c, struct mbuf *mb, const struct dialog *d)
{
	if (!d->digest)
		return;

	mem_deref(c->sent);
	c->sent = mem_ref(mb);
}
