/**
 * @file fuzz_gate.c  A datagram on its whole way in
 *
 * First what is made of it when libre cannot decode it, then the way of all
 * datagrams: the gate, transactions, the dispatch, an INVITE refused. The leg
 * has no transports, so nothing goes out.
 */
#include "fuzz.h"
#include "conn.h"


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
	must(!ability_alloc(&s));
	must(!transactions_alloc(&s.trans) && !stranss_alloc(&s.stranss) &&
	     !conns_alloc(&s.conns));
	must(!sa_set_str(&addr, "127.0.0.1", 0));
	must(!leg_alloc(&l, &s, &addr));

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

	must(mb && !mbuf_write_mem(mb, data, size));
	mb->pos = 0;
	receive_dgram(l, src, mb);
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
