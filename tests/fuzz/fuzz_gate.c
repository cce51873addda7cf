/**
 * @file fuzz_gate.c  A datagram on its whole way in
 *
 * First what is made of it when libre cannot decode it, then, when libre can,
 * what the listeners of a leg do with it: the gate, the dispatch, an INVITE
 * refused. The leg has no transports, so nothing goes out.
 */
#include "fuzz.h"
#include "priv.h"


static int invite_h(struct sip_call *call, const struct sip_info *in,
		    struct mbuf *offer, void *arg)
{
	(void)call;
	(void)in;
	(void)offer;
	(void)arg;

	return 486;
}


static struct leg *leg_new(void)
{
	static struct sip_stack s = {.h = {.invite_h = invite_h}};
	struct leg *l = NULL;
	struct sa addr;

	must(!libre_init() && !timers_open());
	must(!hash_alloc(&s.dialogs, 16) && !str_dup(&s.user_agent, "f"));
	must(!sa_set_str(&addr, "127.0.0.1", 0));
	must(!leg_alloc(&l, &s, &addr, 16, 16, 16));

	return l;
}


static void undecoded(const char *text, size_t len, const struct sa *src)
{
	struct mbuf *mb = mbuf_alloc(64);
	struct sa dst;

	must(mb);
	if (len)
		(void)salvage_plausible(text, len);
	if (salvage(mb, &dst, text, len, src)) {
		must(sa_cmp(&dst, src, SA_ADDR));
		must(mb->end <= 4096);
		must(!memcmp(mb->buf, "SIP/2.0 ", 8));
	}

	mem_deref(mb);
}


static void decoded(struct leg *l, const uint8_t *data, size_t size,
		    const struct sa *src)
{
	struct mbuf *mb = mbuf_alloc(size + 1);
	struct sip_msg *msg = NULL;

	must(mb && !mbuf_write_mem(mb, data, size));
	mb->pos = 0;
	salvage_elder(mb);
	must(mb->end >= size && mb->end <= mb->size);

	if (!sip_msg_decode(&msg, mb)) {
		msg->src = msg->dst = *src;
		msg->tp = SIP_TRANSP_UDP;

		if (!msg->req)
			(void)sanity_response_ok(msg);
		else if (!sanity_request(msg, l))
			must(uas_request(msg, l));
	}

	mem_deref(msg);
	mem_deref(mb);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct leg *l;
	struct sa src;

	if (!l)
		l = leg_new();

	must(!sa_set_str(&src, "127.0.0.1", 5060));
	undecoded((const char *)data, size, &src);
	decoded(l, data, size, &src);

	return 0;
}
