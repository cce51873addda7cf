/**
 * @file rig.h  A stack on loopback, its user, and a raw peer
 *
 * The user writes down what it is told and does what the test set before.
 * Everything is in the one variable `rig`, made new for each test.
 */
#ifndef SIP_RIG_H
#define SIP_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "session.h"
#include "../../fake/sip_peer.h"
#include "able.h"

enum {
	RIG_T1   = 20,               /* ms; 64 of them are 1280         */
	WAIT_MS  = 5000,             /* for what must come              */
	QUIET_MS = 120,              /* for what must not               */
};

/* where the user frees the call, or hangs up */
enum where {
	NOWHERE, IN_OFFER, IN_ANSWER, IN_RESULT, IN_PROGRESS, IN_ESTABLISHED,
	IN_MODIFIED, IN_CLOSED, IN_INVITE, IN_REDIRECT,
};

struct rig {
	struct sip_stack *s;
	struct peer *p;
	struct sa addr;              /* UDP                             */
	struct sa tcp;
	struct sip_call *c;

	/* what the user does */
	int invite_status;           /* returned by invite_h            */
	bool auto_answer;            /* inside invite_h                 */
	struct sip_call_ext ext;     /* of a call that comes ...        */
	bool ext_set;                /* ... if set                      */
	int offer_err, answer_status, result_status;
	enum where free_in, hangup_in;

	/* what it was told */
	unsigned invites, offers, answers, results, previews, progress;
	unsigned established, modified, closed, redirects, forked;
	char redirect[300];          /* where to                        */
	bool redirect_at_once;       /* sip_call_redirect in redirect_h */
	char sdp[1000];              /* last description of the peer's  */
	bool invite_sdp, progress_sdp;
	uint16_t progress_code;
	struct sip_result mod, end;
	bool end_info;
	bool stack_closed;

	/* other requests, outside of calls and inside; NULL: 405 */
	int (*lone_h)(struct sip_rx *rx, const struct sip_info *in);
	int (*inside_h)(struct sip_rx *rx, const struct sip_info *in);
};

extern struct rig rig;

int  rig_setup(void **state);
int  rig_teardown(void **state);
/** A test with both */
#define RIG_TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

/** The same with a clock that timers_advance moves; waiting moves it too */
int  rig_setup_fake(void **state);
int  rig_teardown_fake(void **state);
#define RIG_FAKE_TEST(f) \
	cmocka_unit_test_setup_teardown(f, rig_setup_fake, rig_teardown_fake)

struct mbuf *sdp_make(const char *text);
/** Put another peer in the place of rig.p */
void rig_peer(struct peer *p);
/** Another round: a new peer, which hears nothing that was sent to the last */
void rig_again(void);
/** We call the peer; offer NULL: late */
void rig_call(const char *offer, const struct sip_call_conf *conf);
/** ... which rings with tag "t1" and answers, and gets our ACK */
void rig_call_up(struct peer_dialog *d);
/** The peer calls us, we answer at once, it sends its ACK */
void rig_called_up(struct peer_dialog *d);
/** The peer sends an INVITE and we have taken it */
void rig_called(struct peer_dialog *d, const char *headers, const char *body);
/** The same with a dialog the test has made */
void rig_invite(struct peer_dialog *d, const char *headers, const char *body);
/** The peer's ACK of the INVITE that had this CSeq */
void rig_ack(struct peer_dialog *d, uint32_t cseq, const char *body);
/** Wait until a counter is at least n */
void rig_wait(const unsigned *counter, unsigned n);
/** The user was told the end */
void rig_assert_closed(enum sip_cause cause, uint16_t code, bool remote);
/** Nothing is under way any more */
void rig_wait_idle(void);
/** How many dialogs the stack knows */
unsigned rig_dialogs(void);
/** Such a message comes in time; freed with the peer */
const struct sip_msg *rig_expect(const char *what);
/** Nothing such comes for a while */
void rig_expect_none(const char *what);

#endif
