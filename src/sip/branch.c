/**
 * @file branch.c  The dialogs of a call
 *
 * The first INVITE may be forked on its way: each remote tag in a response is
 * a branch with a dialog of its own.  As callee there is one.  A branch is
 * owned by its call and goes with it, or when another one needs its place.
 * Main thread.
 */
#include "session.h"
#include "ident.h"


static void branch_destructor(void *arg)
{
	struct branch *br = arg;
	struct sip_call *c = br->call;

	if (c->told_br == br)
		c->told_br = NULL;
	if (c->update_br == br) {
		c->update_br = NULL;
		c->update = mem_deref(c->update);
	}

	list_unlink(&br->le);
	list_flush(&br->pracks);
	mem_deref(br->ack_query);
	mem_deref(br->bye);
	mem_deref(br->remote);
	mem_deref(br->ack);
	mem_deref(br->ack_sdp);
	dialog_end(br->dlg);
	mem_deref(br->dlg);
}


int branch_alloc(struct branch **bp, struct sip_call *c, struct dialog *d)
{
	struct branch *br = mem_zalloc(sizeof(*br), branch_destructor);

	if (!br)
		return ENOMEM;

	br->call = c;
	br->dlg = d;
	br->offer = c->tmpl_offer;
	d->request_h = session_request;
	d->arg = br;
	list_append(&c->branches, &br->le, br);

	*bp = br;

	return 0;
}


struct branch *branch_find(const struct sip_call *c,
			   const struct sip_msg *msg)
{
	struct le *le;

	for (le = c->branches.head; le; le = le->next) {
		struct branch *br = le->data;

		if (dialog_match(br->dlg, msg))
			return br;
	}

	return NULL;
}


/* Room for one more: an early one that has not answered makes way for a 2xx */
static bool branch_room(struct sip_call *c, bool final)
{
	struct le *le;

	if (list_count(&c->branches) < SIP_BRANCHES)
		return true;

	for (le = c->branches.head; final && le; le = le->next) {
		struct branch *br = le->data;

		if (br == c->br || br->ack || br->ack_due || br->bye)
			continue;

		mem_deref(br);
		return true;
	}

	return false;
}


void branch_forget(struct branch *br)
{
	struct sip_call *c = br->call;

	if (br != c->br && !br->ack && !br->ack_due && !br->bye)
		mem_deref(br);
}


/* Is this where the INVITE went, by name or by address? */
static bool hop_same(const struct sip_call *c, const char *hop)
{
	struct suri a, b;
	struct sa sa;

	if (suri_parse_str(&a, hop) || suri_parse_str(&b, c->hop))
		return false;

	if (a.host.l == b.host.l && !pl_casecmp(&a.host, &b.host))
		return true;

	return !sa_set(&sa, &a.host, 0) && sa_cmp(&sa, &c->flow.dst, SA_ADDR);
}


/*
 * Where requests of the branch go.  When it is where the INVITE went no name
 * is looked up a second time; when it is not, our credentials are not for
 * whoever is there: a callee may call itself a proxy and ask for them.
 */
static void branch_flow(struct branch *br)
{
	const struct sip_call *c = br->call;
	struct dialog *d = br->dlg;
	char *uri = NULL, *hop = NULL;

	if (!c->flow.leg || dialog_uris(d, &uri, &hop))
		return;

	dialog_pin(d, &c->flow, false, false);

	if (!d->flow_pinned && !strcmp(hop, c->hop))
		d->flow = c->flow;

	mem_deref(d->digest);
	d->digest = hop_same(c, hop) ? mem_ref(c->tmpl->digest) : NULL;

	mem_deref(uri);
	mem_deref(hop);
}


struct branch *branch_get(struct sip_call *c, const struct sip_msg *msg,
			  bool final)
{
	struct branch *br = branch_find(c, msg);
	struct dialog *d;

	if (br) {
		if (dialog_update(br->dlg, msg, final)) {
			log_debug("call: odd response in a dialog");
			if (final)
				return NULL;
		}
		branch_flow(br);
		return br;
	}

	if (!branch_room(c, final) || dialog_fork(&d, c->tmpl, msg))
		return NULL;

	if (branch_alloc(&br, c, d)) {
		mem_deref(d);
		return NULL;
	}

	branch_flow(br);

	return br;
}


/* Where the INVITE went is the only place we know */
struct branch *branch_stray(struct sip_call *c, const struct sip_msg *msg)
{
	struct branch *br = branch_find(c, msg);
	struct dialog *d;

	if (br) {
		dialog_bare(br->dlg, c->tmpl);
		br->dlg->flow = c->flow;
		return br;
	}

	if (!branch_room(c, true) || dialog_fork_bare(&d, c->tmpl, msg))
		return NULL;

	if (branch_alloc(&br, c, d)) {
		mem_deref(d);
		return NULL;
	}

	d->flow = c->flow;

	return br;
}


void branch_remote(struct branch *br, struct mbuf *sdp, bool offer)
{
	struct mbuf *copy = mbuf_alloc(mbuf_get_left(sdp) + 1);

	br->call->told_br = br;
	br->remote_offer = offer;

	if (!copy)
		return;

	if (mbuf_write_mem(copy, mbuf_buf(sdp), mbuf_get_left(sdp))) {
		mem_deref(copy);
		return;
	}

	copy->pos = 0;
	mem_deref(br->remote);
	br->remote = copy;
}


int branch_request_arg(struct request **rp, struct branch *br,
		       const char *method, struct mbuf *sdp,
		       request_head_h *head_h, request_resp_h *resp_h,
		       void *arg)
{
	struct dialog *d = br->dlg;
	struct request_conf conf = {
		.method = method,
		.digest = d->digest,
		.tls    = ident_tls(d->ident),
		.ctype  = sdp ? SIP_ACCEPT : NULL,
		.body   = sdp,
	};
	struct sip_result res;
	struct target_list tl;
	char *uri = NULL, *hop = NULL;
	int err;

	err = dialog_uris(d, &uri, &hop);
	if (err)
		return err;

	conf.uri = uri;
	conf.hop = hop;
	conf.domain = dialog_domain(d, hop);
	if (!dialog_targets(d, hop, &tl, &res))
		conf.targets = &tl;

	err = request_send(rp, d->stack, &conf, head_h, resp_h, arg);

	mem_deref(uri);
	mem_deref(hop);

	return err;
}


int branch_request(struct request **rp, struct branch *br,
		   const char *method, struct mbuf *sdp,
		   request_head_h *head_h, request_resp_h *resp_h)
{
	return branch_request_arg(rp, br, method, sdp, head_h, resp_h, br);
}
