/**
 * @file identities.h  Many identities from a table, for tests
 *
 * A CSV file (RFC 4180): the first line names the columns, each other line is
 * an account.  Columns are `user`, which stands in the address of the account
 * that the file is used with, or `uri`, which is all of it; any parameter of
 * accounts (password, auth-user, display-name, registrar ...); and `number`,
 * and whatever else begins with x-, for {number} in a target.  A cell that is
 * empty says nothing.  Main thread; a file is read in full.
 */
#ifndef OFFHOOK_IDENTITIES_H
#define OFFHOOK_IDENTITIES_H

#include "offhook/config.h"

enum { IDENTITIES_MAX = 100000, IDENTITIES_COLUMNS = 32 };

struct identities;

/**
 * Every line is checked. base: what all of them have, or NULL. err: one
 * sentence with the line, CONFIG_ERR bytes. @return 0, EINVAL, EFBIG, ENOENT
 * ...; free: mem_deref
 */
int  identities_load(struct identities **ip, const char *path,
		     const struct account_conf *base, char *err);
/** The same of the text of one */
int  identities_read(struct identities **ip, const char *text, size_t len,
		     const struct account_conf *base, char *err);
size_t identities_count(const struct identities *ids);
/** The i-th as an account that does not register by itself; its name is that
 *  of column name, else its user. @return 0, EINVAL */
int  identities_account(struct account_conf *ac, const struct identities *ids,
			size_t i, char *err);
/** text with each {COLUMN} filled in from the i-th. @return 0, ENOENT (there
 *  is no such column; err names it), EOVERFLOW */
int  identities_fill(char *buf, size_t sz, const struct identities *ids,
		     size_t i, const char *text, char *err);

#endif
