/**
 * @file ua/account.h  Inside accounts
 *
 * account.c makes, finds, changes and removes them; register.c lets them
 * register and tells how it goes; guard.c is who may call them; instance.c
 * is who this phone is among those of the same user.
 */
#ifndef OFFHOOK_UA_ACCOUNT_H
#define OFFHOOK_UA_ACCOUNT_H

#include "offhook/ua.h"
#include "offhook/timer.h"

/** What the user wants, beside what the account says */
enum account_wish { WISH_NONE, WISH_ON, WISH_OFF };

struct account {
	struct le le;                /* ua->accounts, or ->leaving           */
	struct ua *ua;               /* NULL: it is gone                     */
	unsigned id;
	struct account_conf conf;
	char user[128], host[128];   /* of the AOR                           */
	uint16_t port;               /* 0: none                              */
	struct sip_ident *ident;     /* towards the network                  */
	char *headers;               /* with {words}, for calls; or NULL     */
	struct sip_creds *creds_in;  /* what callers must know, or NULL      */
	struct sip_reg *reg;         /* NULL: never registered               */
	enum account_wish wish;
	bool failed;                 /* since it was last registered         */
	struct sip_result result;    /* of its last attempt                  */
	unsigned mwi_watch;          /* subscription to its voice mail       */
	struct account_mail mail;    /* as told last                         */
	struct account *before;      /* of the same name, leaves first: ours
				       is the binding that stays            */
};

/* account.c */
/** Whose request this is: by Request-URI, To, alias, GRUU, catch-all; NULL:
 *  nobody's */
const struct account *account_match(const struct ua *ua,
				    const struct sip_info *in);
/** Has it anything to answer a challenge with? */
bool account_secret(const struct account *a);
/** "sip:user@host" of a person without an account */
int  account_anonymous(char *buf, size_t sz, const struct ua *ua,
		       const struct sa *laddr);

/* account_tls.c */
/** Whom to trust, by the options and by what the account says; *tp NULL: all
 *  is as usual for the stack. ac NULL: for the stack itself. @return 0, or
 *  errno with one sentence in err */
int  account_tls(struct sip_tls **tp, const struct config *c,
		 const struct account_conf *ac, char *err);

void account_tls_refused(const struct sip_refusal *r, void *arg);

/* register.c */
/** Who should register does, soon; after anything has changed */
void accounts_settle(struct ua *ua);
/** It leaves: unregisters if it must, and is freed then */
void account_leave(struct account *a);
/** The ua closes: take away what we have at registrars */
void accounts_close(struct ua *ua);
/** The ua goes: all of them at once, without a word */
void accounts_flush(struct ua *ua);
/** The account that serves in its place now: itself, or its fallback */
const struct account *account_serving(const struct account *a);

/* guard.c */
/** What callers must know. @return 0, EINVAL, ENOMEM */
int  guard_make(struct account *a);
void guard_request(const struct sip_info *in, struct sip_guard *g, void *arg);

/* instance.c */
/** "urn:uuid:...", the same at each start */
int  instance_get(char *buf, size_t sz);

#endif
