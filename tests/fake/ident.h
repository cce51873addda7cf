/**
 * @file fake/ident.h  Identities for tests, in one line
 */
#ifndef FAKE_IDENT_H
#define FAKE_IDENT_H

#include <stdlib.h>
#include "offhook/sip_reg.h"

/** ident_make(.aor = "sip:us@example.com", ...); free with mem_deref */
#define ident_make(...) ident_make_(&(struct sip_ident_conf){__VA_ARGS__})

static inline struct sip_ident *ident_make_(const struct sip_ident_conf *conf)
{
	struct sip_ident *id = NULL;

	if (sip_ident_alloc(&id, conf))
		abort();

	return id;
}

#endif
