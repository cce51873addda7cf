/**
 * @file sip/fault.h  Inside: messages that go wrong, on purpose
 *
 * fault (rules, what is held back), fault_edit (other bytes).
 */
#ifndef OFFHOOK_SIP_FAULT_PRIV_H
#define OFFHOOK_SIP_FAULT_PRIV_H

#include "offhook/sip_fault.h"
#include "conn.h"

/* fault_edit.c: pure ------------------------------------------------------- */

/** xorshift64*: never 0 */
uint64_t fault_random(uint64_t *rng);
double   fault_chance(uint64_t *rng);            /* 0 <= x < 1               */

/** What a message is, as far as its bytes tell */
struct fault_look {
	bool request;
	char method[SIP_FAULT_METHOD];           /* "" it does not say       */
	uint16_t code;
	char callid[256];
};
void fault_look(struct fault_look *l, const char *p, size_t n);
/** The same message with that fault in it; p..n as it was when there is no
 *  such header. @return 0, ENOMEM */
int  fault_edit(struct mbuf **mbp, const struct sip_fault *f, uint64_t *rng,
		const char *p, size_t n);

/* fault.c ------------------------------------------------------------------- */

/** It is done with: dropped, held back, or gone otherwise than it was.
 *  @return false: send it */
bool fault_send(const struct target *tg, const struct mbuf *mb);
/** @return false: it is to be read now. c NULL: a datagram */
bool fault_receive(struct leg *l, struct conn *c, const struct sa *src,
		   const struct mbuf *mb);
/** stack.c: nothing is held any more */
void fault_stack_gone(struct sip_stack *s);

/* target_way.c, receive.c: past all faults ---------------------------------- */

int  target_put(const struct target *tg, struct mbuf *mb);
void receive_dgram_now(struct leg *l, const struct sa *src, struct mbuf *mb);
void receive_stream_now(struct leg *l, struct conn *c, struct mbuf *mb,
			size_t head);

#endif
