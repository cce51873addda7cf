/**
 * @file sip/keep.c  What is kept of a request once it was answered
 *
 * Main thread.  libre keeps a request whole, with a small object for each of
 * its headers, for the 32 s in which it might come again: ten kilobytes a
 * call.  Here an INVITE whose ACK has come shrinks to the few words that tell
 * a copy of it on another way (RFC 3261 8.2.2.2), and a request answered
 * without a transaction to a hash.
 */
#include "priv.h"


enum {
	KEEP_BUCKETS = 1024,
	KEEP_MAX     = 65536,       /* beyond it the oldest are forgotten */
};

struct kept {
	struct le le;               /* list, oldest first                  */
	struct le he;
	uint64_t key;
	uint64_t due_ms;
	uint16_t code;
};

struct keep {
	struct hash *ht;
	struct list list;
	unsigned count;             /* of the list                        */
	struct timer tmr;
};


static void kept_destructor(void *arg)
{
	struct kept *k = arg;

	list_unlink(&k->le);
	hash_unlink(&k->he);
}


static void keep_destructor(void *arg)
{
	struct keep *kp = arg;

	timer_cancel(&kp->tmr);
	list_flush(&kp->list);
	mem_deref(kp->ht);
}


static int keep_alloc(struct keep **kpp)
{
	struct keep *kp = mem_zalloc(sizeof(*kp), keep_destructor);
	int err;

	if (!kp)
		return ENOMEM;

	err = hash_alloc(&kp->ht, KEEP_BUCKETS);
	if (err)
		mem_deref(kp);
	else
		*kpp = kp;

	return err;
}


static void kept_free(struct keep *kp, struct kept *k)
{
	--kp->count;
	mem_deref(k);
}


/* A whole batch at a time: an idle phone is woken once after its last call */
static void sweep_h(void *arg)
{
	struct keep *kp = arg;
	const uint64_t now = clock_ms();
	struct kept *k;

	while ((k = list_ledata(list_head(&kp->list)))) {

		if (k->due_ms > now) {
			timer_start(&kp->tmr, SIP_64T1_MS, sweep_h, kp);
			return;
		}

		kept_free(kp, k);
	}
}


int keep_reply(struct leg *l, const struct sip_msg *msg, uint16_t code)
{
	struct sip_stack *s = l->stack;
	struct kept *k;
	int err;

	err = stack_reply(l, msg, code, NULL, NULL);
	if (err || msg->tp != SIP_TRANSP_UDP)
		return err;

	if (!s->keep && keep_alloc(&s->keep))
		return 0;

	k = mem_zalloc(sizeof(*k), kept_destructor);
	if (!k)
		return 0;

	k->key = reply_key(s, msg);
	k->code = code;
	k->due_ms = clock_ms() + SIP_64T1_MS;
	if (s->keep->count >= KEEP_MAX)
		kept_free(s->keep, list_ledata(list_head(&s->keep->list)));

	++s->keep->count;
	list_append(&s->keep->list, &k->le, k);
	hash_append(s->keep->ht, (uint32_t)k->key, &k->he, k);

	if (!timer_running(&s->keep->tmr))
		timer_start(&s->keep->tmr, SIP_64T1_MS, sweep_h, s->keep);

	return 0;
}


static bool key_h(struct le *le, void *arg)
{
	const struct kept *k = le->data;

	return k->key == *(const uint64_t *)arg;
}


bool keep_repeat(struct leg *l, const struct sip_msg *msg)
{
	struct sip_stack *s = l->stack;
	const struct kept *k;
	uint64_t key;

	if (!s->keep || msg->tp != SIP_TRANSP_UDP)
		return false;

	key = reply_key(s, msg);
	k = list_ledata(hash_lookup(s->keep->ht, (uint32_t)key, key_h, &key));
	if (!k)
		return false;

	(void)stack_reply(l, msg, k->code, NULL, NULL);

	return true;
}


/* Copy a word; there is room for it, so the buffer does not move */
static struct pl word(struct mbuf *mb, const struct pl *pl)
{
	struct pl to = PL_INIT;

	if (pl->p) {
		to.p = (const char *)mbuf_buf(mb);
		to.l = pl->l;
		(void)mbuf_write_pl(mb, pl);
	}

	return to;
}


void keep_slim(struct sip_msg *msg, struct mbuf *resp)
{
	struct pl tag;
	struct mbuf *mb;

	if (!msg)
		return;

	mb = mbuf_alloc(msg->from.tag.l + msg->cseq.met.l + msg->callid.l +
			msg->ruri.l + 1);
	if (!mb)
		return;

	tag = word(mb, &msg->from.tag);
	msg->cseq.met = word(mb, &msg->cseq.met);
	msg->callid = word(mb, &msg->callid);
	msg->ruri = word(mb, &msg->ruri);

	list_flush(&msg->hdrl);
	hash_flush(msg->hdrht);
	msg->hdrht = mem_deref(msg->hdrht);

	/*
	 * Nothing may point into what goes now.  Without its branch the
	 * transaction matches nothing more: what comes with it again is a
	 * late copy, which is refused as one on another way, or the next
	 * request of a peer whose branches are all alike, which is served.
	 */
	memset(&msg->via, 0, sizeof(msg->via));
	memset(&msg->from, 0, sizeof(msg->from));
	memset(&msg->to, 0, sizeof(msg->to));
	memset(&msg->uri, 0, sizeof(msg->uri));
	memset(&msg->ctyp, 0, sizeof(msg->ctyp));
	msg->met = msg->ver = msg->reason = (struct pl)PL_INIT;
	msg->maxfwd = msg->expires = msg->clen = (struct pl)PL_INIT;
	msg->from.tag = tag;

	mem_deref(msg->mb);
	msg->mb = mb;

	/* libre sends nothing more in this state */
	if (resp)
		mbuf_reset(resp);
}
