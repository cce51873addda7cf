/**
 * @file app/doctor_tls.h  A server's certificates, in plain words
 */
#ifndef OFFHOOK_APP_DOCTOR_TLS_H
#define OFFHOOK_APP_DOCTOR_TLS_H

#include "offhook/compat.h"
#include "offhook/config.h"
#include "offhook/sip_tls.h"

enum { CHAIN_MAX = 6, CHAIN_TEXT = 320 };

struct tls_probe {
	/* asked */
	struct sa addr;
	char name[256];          /* whom we mean                             */
	char ca[256];            /* "" the system's                          */
	char pin[CONFIG_PINS];   /* "" any                                   */
	bool pin_only;           /* the rest is not verified                 */
	/* found */
	int err;                 /* no connection, no TLS                    */
	enum sip_cert_flaw flaw;
	char why[200];           /* what is wrong, "" nothing                */
	char version[16], cipher[64];
	unsigned count;
	char chain[CHAIN_MAX][CHAIN_TEXT];
	int days_left;           /* of the server's own                      */
};

/** Blocks, 6 s at most: for a worker. Trusts nobody, only looks */
void tls_probe_run(void *arg);
/** Does TCP get through to there? Blocks, 4 s at most: for a worker.
 *  @return 0 or errno */
int  tcp_probe(const struct sa *sa);

#endif
