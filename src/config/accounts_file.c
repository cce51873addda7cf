/**
 * @file accounts_file.c  The accounts file
 *
 * Main thread.  The whole file is read and checked before the first account
 * is handed on, so a wrong line changes nothing.  What was read is wiped
 * afterwards: it holds passwords.
 */
#include <sys/stat.h>
#include <offhook/compat.h>
#include <offhook/log.h>
#include <offhook/path.h>
#include <offhook/text.h>
#include "priv.h"

#define LOG_MODULE "config"


enum {
	PARAMS_MAX = 64,
	ACCOUNTS_MAX = 1000,
};

struct reader {
	const char *path;
	char *err;
	struct list accounts;      /* of struct entry                  */
	struct entry *entry;       /* the section being read           */
};

struct pair {
	unsigned line;
	char name[64];
	char value[CONF_VALUE];
};

struct entry {
	struct le le;
	unsigned line;
	struct account_conf ac;
	struct pair pairs[PARAMS_MAX];
	size_t n;
};


static void entry_destructor(void *arg)
{
	struct entry *e = arg;

	list_unlink(&e->le);
	explicit_bzero(&e->ac, sizeof(e->ac));
	explicit_bzero(e->pairs, sizeof(e->pairs));
}


static int __attribute__((format(printf, 3, 4)))
file_error(const struct reader *r, unsigned line, const char *fmt, ...)
{
	char why[CONFIG_ERR];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);

	return conf_error(r->err, EINVAL, "%.200s line %u: %s", r->path, line,
			  why);
}


static int section_begin(struct reader *r, const struct conf_lines *l)
{
	struct le *le;
	struct entry *e;

	LIST_FOREACH(&r->accounts, le) {
		e = le->data;
		if (!strcmp(e->ac.name, l->name))
			return file_error(r, l->line, "[%s] was already begun"
					  " in line %u", l->name, e->line);
	}

	if (list_count(&r->accounts) >= ACCOUNTS_MAX)
		return file_error(r, l->line, "more than %d accounts",
				  ACCOUNTS_MAX);

	e = mem_zalloc(sizeof(*e), entry_destructor);
	if (!e)
		return conf_error(r->err, ENOMEM, "%s", strerror(ENOMEM));

	e->line = l->line;
	conf_account_init(&e->ac);
	list_append(&r->accounts, &e->le, e);
	r->entry = e;

	if (account_param_set(&e->ac, "name", l->name, NULL)) {
		char shown[CONF_SHOWN];

		(void)text_escape(shown, sizeof(shown), l->name,
				  strlen(l->name));
		return file_error(r, l->line, "[%s] is not a name", shown);
	}

	return 0;
}


static int pair_add(struct reader *r, const struct conf_lines *l)
{
	struct entry *e = r->entry;
	struct pair *pair;

	if (!e)
		return file_error(r, l->line, "before the parameters of an"
				  " account stands its name: [NAME]");

	if (strcmp(l->name, "uri") && !conf_param_find(l->name)) {
		char why[CONFIG_ERR];

		(void)conf_param_unknown(why, l->name, true);
		return file_error(r, l->line, "%s", why);
	}

	if (!strcmp(l->name, "name"))
		return file_error(r, l->line, "the name of an account is"
				  " that of its section: [NAME]");

	for (size_t i = 0; i < e->n; i++) {
		if (!strcmp(e->pairs[i].name, l->name))
			return file_error(r, l->line, "%s was already set in"
					  " line %u", l->name,
					  e->pairs[i].line);
	}

	if (e->n >= PARAMS_MAX)
		return file_error(r, l->line, "too many parameters");

	pair = &e->pairs[e->n++];
	pair->line = l->line;
	memcpy(pair->name, l->name, sizeof(pair->name));
	memcpy(pair->value, l->value, sizeof(pair->value));

	return 0;
}


/* The address first, wherever it stands: it brings parameters of its own */
static int section_end(struct reader *r, struct entry *e)
{
	char why[CONFIG_ERR];
	const struct pair *uri = NULL;
	uint64_t seen = 1;       /* the name, from the section */

	for (size_t i = 0; i < e->n; i++) {
		if (!strcmp(e->pairs[i].name, "uri"))
			uri = &e->pairs[i];
	}

	if (!uri)
		return file_error(r, e->line, "[%s] has no uri; it needs a"
				  " line like uri = sip:alice@example.com",
				  e->ac.name);

	if (conf_account_read(&e->ac, &seen, uri->value, why))
		return file_error(r, uri->line, "%s", why);

	for (size_t i = 0; i < e->n; i++) {
		const struct pair *p = &e->pairs[i];
		const struct account_param *prm;

		if (p == uri)
			continue;

		prm = conf_param_find(p->name);
		if (seen & conf_param_bit(prm))
			return file_error(r, p->line, "%s is given in the uri"
					  " too", p->name);

		if (account_param_set(&e->ac, p->name, p->value, why))
			return file_error(r, p->line, "%s", why);
	}

	return 0;
}


static int file_parse(struct reader *r, const char *text, size_t len)
{
	enum conf_line_type type;
	struct conf_lines l;
	struct le *le;
	int err = 0;

	conf_lines_init(&l, text, len);

	while (!err && (type = conf_lines_next(&l)) != CONF_LINE_END) {

		if (type == CONF_LINE_SECTION)
			err = section_begin(r, &l);
		else if (type == CONF_LINE_PAIR)
			err = pair_add(r, &l);
		else if (type == CONF_LINE_BAD)
			err = file_error(r, l.line, "%s", l.value);
	}

	LIST_FOREACH(&r->accounts, le) {
		if (!err)
			err = section_end(r, le->data);
	}

	explicit_bzero(&l, sizeof(l));

	return err;
}


/* A password that others can read deserves a word, not a refusal */
static void file_mode_check(const struct reader *r)
{
	struct stat st;
	struct le *le;

	if (stat(r->path, &st) || !S_ISREG(st.st_mode) ||
	    !(st.st_mode & (S_IRGRP | S_IROTH)))
		return;

	LIST_FOREACH(&r->accounts, le) {
		const struct entry *e = le->data;

		if (conf_password_is_literal(&e->ac) || e->ac.ha1[0]) {
			log_warn("%s holds passwords and others may read it;"
				 " chmod 600 keeps it private", r->path);
			return;
		}
	}
}


int conf_accounts_check(const char *path, const char *text, size_t len,
			char *err)
{
	struct reader r = {.path = path, .err = err};
	int e = file_parse(&r, text, len);

	list_flush(&r.accounts);

	return e;
}


int accounts_load(const char *path, account_conf_h *h, void *arg, char *err)
{
	struct reader r = {.path = path, .err = err};
	char *text = NULL;
	size_t len = 0;
	struct le *le;
	int e;

	if (!path || !h)
		return EINVAL;

	e = path_read(&text, &len, path, CONF_FILE_MAX);
	if (e == ENOENT)
		return 0;
	if (e)
		return conf_error(err, e, "cannot read %.200s: %s", path,
				  strerror(e));

	e = file_parse(&r, text, len);
	if (e)
		goto out;

	file_mode_check(&r);

	LIST_FOREACH(&r.accounts, le) {
		struct entry *entry = le->data;

		entry->ac.from_file = true;
		e = h(&entry->ac, arg);
		if (e)
			break;
	}

 out:
	list_flush(&r.accounts);
	explicit_bzero(text, len);
	free(text);

	return e;
}
