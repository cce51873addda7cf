/**
 * @file sip/keep.c  What is kept of a request once it was answered
 *
 * Main thread.  For the 32 s in which a request might come again a transaction
 * keeps its answer.  Where the answer is plain and can be made anew, a hash of
 * the request and the status are enough.
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
	uint32_t life_ms;           /* of each                            */
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
			timer_start(&kp->tmr, kp->life_ms, sweep_h, kp);
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
	s->keep->life_ms = 64 * stack_trans_t1(s);

	k = mem_zalloc(sizeof(*k), kept_destructor);
	if (!k)
		return 0;

	k->key = reply_key(s, msg);
	k->code = code;
	k->due_ms = clock_ms() + s->keep->life_ms;
	if (s->keep->count >= KEEP_MAX)
		kept_free(s->keep, list_ledata(list_head(&s->keep->list)));

	++s->keep->count;
	list_append(&s->keep->list, &k->le, k);
	hash_append(s->keep->ht, (uint32_t)k->key, &k->he, k);

	if (!timer_running(&s->keep->tmr))
		timer_start(&s->keep->tmr, s->keep->life_ms, sweep_h,
			    s->keep);

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
