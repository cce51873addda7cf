/**
 * @file prack.c  Reliable provisional responses, as caller (RFC 3262)
 *
 * Each branch of a forked INVITE counts its own.  The first one may have any
 * number, each next one must be one more: copies and what came too early are
 * not looked at.  Ours to do is the PRACK; it carries the answer when the 1xx
 * brought an offer.  What becomes of a PRACK is of no importance here: when
 * it is lost for good the callee gives up the call.  Main thread.
 */
#include "session.h"


enum { RSEQ_MAX = 0x7fffffff };

struct prack {
	struct le le;               /* branch->pracks                      */
	struct branch *br;
	struct request *req;
	uint32_t rseq, cseq;
};


static void prack_destructor(void *arg)
{
	struct prack *p = arg;

	list_unlink(&p->le);
	mem_deref(p->req);
}


bool prack_asked(const struct sip_msg *msg, uint32_t *rseq)
{
	return header_has(msg, "Require", 0, "100rel") &&
		!header_u32(msg, "RSeq", RSEQ_MAX, rseq) && *rseq;
}


bool prack_order(struct branch *br, uint32_t rseq)
{
	if (br->rseq_set && rseq != br->rseq + 1)
		return false;

	br->rseq = rseq;
	br->rseq_set = true;

	return true;
}


static int prack_head_h(struct mbuf *mb, const struct target *tg, void *arg)
{
	const struct prack *p = arg;
	struct dialog *d = p->br->dlg;
	int err;

	err = dialog_head(d, mb, tg, "PRACK", ++d->lseq, false);
	if (!err)
		err = mbuf_printf(mb, "RAck: %u %u INVITE\r\n", p->rseq,
				  p->cseq);

	return err;
}


static void prack_resp_h(bool final, const struct sip_result *res,
			 const struct sip_msg *msg, void *arg)
{
	struct prack *p = arg;
	struct branch *br = p->br;
	struct sip_call *c = br->call;
	(void)res;

	if (!final)
		return;

	if (!msg || msg->scode >= 300)
		log_info("call: PRACK %u: %u", p->rseq, msg ? msg->scode : 0);

	mem_deref(p);
	modify_try(c);
}


void prack_send(struct branch *br, const struct sip_msg *msg, uint32_t rseq,
		struct mbuf *sdp)
{
	struct prack *p = mem_zalloc(sizeof(*p), prack_destructor);
	int err;

	if (!p)
		return;

	p->br = br;
	p->rseq = rseq;
	p->cseq = msg->cseq.num;
	list_append(&br->pracks, &p->le, p);

	err = branch_request_arg(&p->req, br, "PRACK", sdp, prack_head_h,
				 prack_resp_h, p);
	if (err) {
		log_info("call: no PRACK: %s", strerror(err));
		mem_deref(p);
	}
}
