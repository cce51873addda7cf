/**
 * @file app/stun_nat.h  What a NAT in between does: RFC 5780
 *
 * Main thread.
 */
#ifndef OFFHOOK_APP_STUN_NAT_H
#define OFFHOOK_APP_STUN_NAT_H

#include "offhook/compat.h"

enum nat_kind {
	NAT_UNKNOWN = 0,         /* the server cannot tell                   */
	NAT_INDEPENDENT,         /* of whom we talk to                       */
	NAT_ADDRESS,             /* depends on the address                   */
	NAT_ADDRESS_PORT,        /* depends on address and port              */
};
/** "unknown", "endpoint-independent", "address-dependent" ... */
const char *nat_kind_name(enum nat_kind kind);

struct nat_result {
	int err;                 /* 0, or ETIMEDOUT: no answer                */
	struct sa local, mapped;
	bool behind;             /* mapped is another address than local     */
	enum nat_kind mapping;   /* when it is behind one                    */
	enum nat_kind filtering;
	uint32_t rtt_us;
};

struct stun_nat;
typedef void (stun_nat_h)(const struct nat_result *res, void *arg);
/** done once, never from inside, after 12 s at most. mem_deref gives up.
 *  @return 0 or errno */
int  stun_nat_start(struct stun_nat **np, const struct sa *server,
		    stun_nat_h *done_h, void *arg);

/** One answer taken apart; addresses that are missing are unset. Pure.
 *  @return 0, EBADMSG, EPROTO: it is an error response */
int  stun_answer_read(const uint8_t *p, size_t len, const uint8_t tid[12],
		      struct sa *mapped, struct sa *other);

#endif
