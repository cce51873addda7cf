/**
 * @file app/doctor_priv.h  What the files of the doctor share
 *
 * doctor.c: the steps and what is about accounts; doctor_nat.c: NATs and
 * firewalls; doctor_local.c: sound, codecs.
 */
#ifndef OFFHOOK_APP_DOCTOR_PRIV_H
#define OFFHOOK_APP_DOCTOR_PRIV_H

#include "offhook/app.h"
#include "offhook/doctor.h"
#include "offhook/sip_locate.h"
#include "offhook/text.h"
#include "offhook/timer.h"
#include "offhook/worker.h"
#include "stun_nat.h"

enum { DOCTOR_TEXT = 400 };

typedef void (step_h)(struct doctor *d);

struct doctor {
	struct doctor_conf conf;
	doctor_line_h *line_h;
	doctor_done_h *done_h;
	void *arg;

	unsigned step;
	size_t acc;              /* which account the steps are about        */
	bool of_accounts;
	unsigned transport;      /* of the account's server                  */
	bool answered;           /* some transport was                       */
	bool udp_silent;         /* ... but not UDP                          */
	struct timer tmr;        /* the next step, or the bound of one       */

	struct sip_locate *locate;
	struct sip_ident *ident;
	struct sip_req *req;
	uint64_t sent_us;
	struct sa tls_addr;      /* where TLS would go                       */
	struct sa from;          /* our address towards there                */
	bool skew_known;
	int64_t skew_s;

	struct worker *worker;
	struct stun_nat *stun;
	struct sip_helpers *helpers;
	struct sip_helper helperv[SIP_HELPERS];  /* STUN servers             */
	unsigned helperc, helper;
	struct ua_nat *nat;      /* what a call would use                    */
	struct stream *stream;   /* ... as it would                          */
	bool ways_stun, ways_turn, ways_router;
	char turn_name[256];
	struct selftest *selftest;
	unsigned calls, bad;     /* of the self-test                         */
	double delay_ms;         /* ... over the sound card                  */
	bool listed;
	unsigned mics, speakers;
	char device[128];
};

void doctor_tell(struct doctor *d, const char *area, enum doctor_verdict v,
		 const char *advice, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/** This step is through */
void doctor_next(struct doctor *d);
/** For what a worker did not get to do */
void doctor_drop(void *arg);

step_h doctor_nat, doctor_ways, doctor_devices, doctor_selftest;

/** The account that is looked at */
const struct account *doctor_account(const struct doctor *d);

/* doctor_server.c */
void doctor_dns(struct doctor *d);
void doctor_reach(struct doctor *d);       /* one transport, then the next   */
void doctor_tls(struct doctor *d);
void doctor_register(struct doctor *d);

#endif
