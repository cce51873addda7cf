/**
 * @file contact.h  The contacts file and the dial plan: `NAME = VALUE` lines
 *
 * Both are the user's files: read whole or not at all, written around what he
 * wrote, his comments and his order kept.  Main thread.
 */
#ifndef OFFHOOK_CONTACT_H
#define OFFHOOK_CONTACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "offhook/config.h"

/* contacts.c ----------------------------------------------------------------- */

/** One contact, by value */
struct contact_conf {
	char name[64];           /* UTF-8, no '='                            */
	char uri[CONFIG_STR];    /* as it is dialled; parameters of its own
				    stand in <> in the file                  */
	char account[64];        /* call by way of it, "" : by rule          */
	int64_t speed;           /* its key, 1..99, 0: none                  */
	bool presence;           /* watch whether it can be reached          */
	bool lamp;               /* watch whether it is on the phone         */
	char ring[CONFIG_STR];   /* what its calls ring with, "" : the usual */
	char note[128];
};

/** The parameters behind the URI, as rows */
const struct account_param *contact_param_table(size_t *n);

/**
 * One line: value is 'URI[;param=value...]', percent-decoded, parameters of
 * the URI itself in <>. err: CONFIG_ERR bytes. @return 0, EINVAL
 */
int  contact_parse(struct contact_conf *c, const char *name,
		   const char *value, char *err);
/** Its value as it stands in the file. @return 0, EOVERFLOW */
int  contact_print(const struct contact_conf *c, char *buf, size_t sz);
/** Like one `;name=value`, not percent-decoded. @return 0, EINVAL */
int  contact_param_set(struct contact_conf *c, const char *name,
		       const char *value, char *err);

typedef int (contact_conf_h)(const struct contact_conf *c, void *arg);
/** A missing file is 0; what h returns but 0 ends it */
int  contacts_load(const char *path, contact_conf_h *h, void *arg, char *err);
/** Put contacts into the file, or change what it says of them, all at once.
 *  @return 0 or errno; a file that cannot be read is not written */
int  contacts_save(const char *path, const struct contact_conf *v, size_t n,
		   char *err);
/** Take one out, with the comments right above it. @return 0, ENOENT ... */
int  contacts_forget(const char *path, const char *name, char *err);

/* dialplan.c ------------------------------------------------------------------ */

struct dialplan;
/** A missing file is an empty plan. err: CONFIG_ERR bytes. @return 0, EINVAL
 *  ... Free: dialplan_free */
int  dialplan_load(struct dialplan **dp, const char *path, char *err);
int  dialplan_parse(struct dialplan **dp, const char *path, const char *text,
		    size_t len, char *err);
void dialplan_free(struct dialplan *d);
/**
 * What becomes of a number by the first rule that fits it. account: "" or to
 * call by way of. line: of the rule. @return false: none fits
 */
bool dialplan_apply(const struct dialplan *d, const char *number, char *buf,
		    size_t sz, const char **account, unsigned *line);

#endif
