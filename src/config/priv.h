/**
 * @file config/priv.h  What the files of this module share
 */
#ifndef OFFHOOK_CONFIG_PRIV_H
#define OFFHOOK_CONFIG_PRIV_H

#include <offhook/config.h>

enum {
	CONF_FILE_MAX = 1 << 20,   /* bytes of a file we read              */
	CONF_VALUE = 512,          /* bytes of a value in a file, NUL incl. */
	CONF_SHOWN = 64,           /* bytes of outside text in a message   */
};

/** Say what is wrong: err has CONFIG_ERR bytes or is NULL. @return code */
int conf_error(char *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** path_lock(), and what to say when another phone has it */
int conf_lock(int *fdp, const char *path, char *err);

/* value.c: one value of either table, read and written by its type */

/** base: the struct the row's offset is in; untouched on failure */
int conf_value_set(const struct option *o, void *base, const char *value,
		   char *err);
/** @return 0, EOVERFLOW */
int conf_value_get(const struct option *o, const void *base,
		   char *buf, size_t sz);
/** What would be right, for messages and the manual: "yes or no" */
void conf_value_describe(const struct option *o, char *buf, size_t sz);

/* lines.c: `name = value` lines, `[section]` and `#` comments */

enum conf_line_type {
	CONF_LINE_END,
	CONF_LINE_EMPTY,           /* blank or a comment                   */
	CONF_LINE_SECTION,         /* name                                 */
	CONF_LINE_PAIR,            /* name and value                       */
	CONF_LINE_BAD,             /* value says what is wrong             */
};

struct conf_lines {
	const char *p;             /* what is left                         */
	const char *end;
	unsigned line;             /* number of the last one, from 1       */
	bool plain;                /* a line in brackets is no section     */

	/* the last line */
	const char *raw;           /* as it stands, without its newline    */
	size_t raw_len;
	size_t comment;            /* where in raw a comment behind a value
				      begins, blanks included; or raw_len  */
	char name[64];
	char value[CONF_VALUE];
};

void conf_lines_init(struct conf_lines *l, const char *text, size_t len);
enum conf_line_type conf_lines_next(struct conf_lines *l);
/** Quoted where it must be, so that reading it gives the same. @return 0,
    EOVERFLOW */
int  conf_lines_quote(char *buf, size_t sz, const char *value);

/* accounts_table.c */

const struct account_param *conf_param_find(const char *name);
/** Say what is near; file: of the accounts file, which has `uri` too. Shows
 *  nothing of a name that may have a password in it. @return EINVAL */
int  conf_param_unknown(char *err, const char *name, bool file);
/** Its bit in a word of those that were given */
uint64_t conf_param_bit(const struct account_param *prm);

/* accounts.c */

void conf_account_init(struct account_conf *ac);
/** As it is written into the file. @return 0, ENOENT: not at all; EOVERFLOW */
int  conf_param_text(const struct account_conf *ac,
		     const struct account_param *prm, char *buf, size_t sz);
/** Was the password written there, and not read from somewhere? */
bool conf_password_is_literal(const struct account_conf *ac);
/**
 * The address and the parameters behind it into ac, which a failure leaves
 * half-filled. seen: a bit for each row of the table that was given
 */
int  conf_account_read(struct account_conf *ac, uint64_t *seen,
		       const char *text, char *err);

/* accounts_file.c */

/** Is the whole file right? err says what is not. @return 0, EINVAL ... */
int  conf_accounts_check(const char *path, const char *text, size_t len,
			 char *err);

/* uri.c: the addresses of accounts */

/**
 * `sip:user@host:port`, or what is in <>, at the start of text.
 * @param aor   the URI, without <>
 * @param user  its user part, decoded
 * @param rest  what follows
 */
int conf_aor_parse(char *aor, size_t aor_sz, char *user, size_t user_sz,
		   const char **rest, const char *text, char *err);
/** A server: a SIP URI (in <> or not) or host[:port]; uri is a SIP URI */
int conf_server_parse(char *uri, size_t sz, const char *name,
		      const char *value, char *err);
/** Whom quality reports go to: a SIP URI, "off" or "" */
int conf_collector_check(const char *value, char *err);

#endif
