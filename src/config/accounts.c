/**
 * @file accounts.c  Accounts: the parameters, and -a
 *
 * Main thread.  An account is a value: it is built in a local copy and given
 * away only when all of it is right.  No message, no log line and no printed
 * value ever holds a password.
 */
#include <offhook/compat.h>
#include <offhook/path.h>
#include <offhook/text.h>
#include "priv.h"

enum {
	EXPIRES_DEFAULT = 3600,
	PASSWORD_FILE_MAX = 4096,
};

_Static_assert(sizeof(enum account_callers) == sizeof(int) &&
	       sizeof(((struct account_conf *)0)->regist) == sizeof(int),
	       "an OPT_ENUM and a tristate are ints");


void conf_account_init(struct account_conf *ac)
{
	memset(ac, 0, sizeof(*ac));
	ac->regist = -1;
	ac->sip_outbound = -1;
	ac->tls_verify = -1;
	ac->expires = EXPIRES_DEFAULT;
}


/* One row as the reader and writer of values know it */
static struct option param_option(const struct account_param *prm)
{
	const struct option o = {
		.name = prm->name, .type = prm->type, .offset = prm->offset,
		.size = prm->size, .min = prm->min, .max = prm->max,
		.choices = prm->choices,
	};

	return o;
}


/* Was the password written there, and not read from somewhere? */
bool conf_password_is_literal(const struct account_conf *ac)
{
	return ac->password[0] && !ac->password_env[0] &&
		!ac->password_file[0] && !ac->password_command[0];
}


/* There is one password: two ways to get it contradict each other */
static int password_check(const struct account_conf *ac, const char *name,
			  char *err)
{
	const struct {
		const char *name;
		bool set;
	} sources[] = {
		{"password",         conf_password_is_literal(ac)},
		{"password-env",     ac->password_env[0]},
		{"password-file",    ac->password_file[0]},
		{"password-command", ac->password_command[0]},
		{"ha1",              ac->ha1[0]},
	};
	bool mine = false;

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		mine |= !strcmp(sources[i].name, name);

	if (!mine)
		return 0;

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (sources[i].set && strcmp(sources[i].name, name))
			return conf_error(err, EINVAL, "%s and %s both give"
					  " the password; keep one of them",
					  sources[i].name, name);
	}

	return 0;
}


static int password_set(struct account_conf *ac, const char *source,
			const char *value, size_t len, char *err)
{
	if (!len)
		return conf_error(err, EINVAL, "%s gives an empty password",
				  source);

	if (text_copy(ac->password, sizeof(ac->password), value, len))
		return conf_error(err, EINVAL, "the password of %s is longer"
				  " than %zu bytes, or not text", source,
				  sizeof(ac->password) - 1);

	return 0;
}


static int password_from_env(struct account_conf *ac, char *err)
{
	const char *value = getenv(ac->password_env);

	if (!value) {
		char shown[CONF_SHOWN];

		(void)text_escape(shown, sizeof(shown), ac->password_env,
				  strlen(ac->password_env));
		return conf_error(err, EINVAL, "password-env: the environment"
				  " has no variable %s", shown);
	}

	return password_set(ac, "password-env", value, strlen(value), err);
}


static int password_from_file(struct account_conf *ac, char *err)
{
	char *text = NULL;
	size_t len;
	int e;

	e = path_read(&text, &len, ac->password_file, PASSWORD_FILE_MAX);
	if (e)
		return conf_error(err, EINVAL, "password-file: cannot read"
				  " %.200s: %s", ac->password_file,
				  strerror(e));

	e = password_set(ac, "password-file", text, strcspn(text, "\r\n"),
			 err);

	explicit_bzero(text, len);
	free(text);

	return e;
}


static int ha1_check(const char *ha1, char *err)
{
	const size_t len = strlen(ha1);

	if ((len != 32 && len != 64) ||
	    strspn(ha1, "0123456789abcdefABCDEF") != len)
		return conf_error(err, EINVAL, "ha1 must be 32 hex digits"
				  " (MD5) or 64 (SHA-256)");

	return 0;
}


static int auto_answer_check(const char *value, char *err)
{
	uint32_t code;

	if (!strcmp(value, "yes") || !strcmp(value, "no"))
		return 0;

	if (text_u32(&code, value, strlen(value), 699) || code < 200)
		return conf_error(err, EINVAL, "auto-answer must be yes, no or"
				  " a SIP code from 200 to 699");

	return 0;
}


static int keepalive_check(const char *value, char *err)
{
	uint32_t s;

	if (!strcmp(value, "auto") || !strcmp(value, "off"))
		return 0;

	if (text_u32(&s, value, strlen(value), 3600) || s < 5)
		return conf_error(err, EINVAL, "keepalive must be auto, off or"
				  " seconds from 5 to 3600");

	return 0;
}


static int q_check(const char *value, char *err)
{
	if (!text_is_qvalue(value))
		return conf_error(err, EINVAL, "contact-q must be from 0.0 to"
				  " 1.0, with three digits behind the point at"
				  " most");

	return 0;
}


/* One line, so that nobody writes a message of his own */
static int header_check(const char *value, char *err)
{
	const size_t n = strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz0123456789"
				"-.!%*_+`'~");

	for (const char *p = value; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return conf_error(err, EINVAL, "header has a control"
					  " character");
	}

	if (!n || value[n] != ':')
		return conf_error(err, EINVAL, "header must be NAME: VALUE");

	return 0;
}


static bool is_server(const char *name)
{
	return !strcmp(name, "registrar") || !strcmp(name, "registrar2") ||
		!strcmp(name, "outbound") || !strcmp(name, "outbound2");
}


static int server_check(struct account_conf *ac, const char *name, char *err)
{
	const struct account_param *prm = conf_param_find(name);
	char *value = (char *)ac + prm->offset;

	return conf_server_parse(value, prm->size, name, value, err);
}


/* What the type of the value does not say */
static int param_check(struct account_conf *ac, const char *name, char *err)
{
	if (!strcmp(name, "password-env"))
		return password_from_env(ac, err);

	if (!strcmp(name, "password-file"))
		return password_from_file(ac, err);

	/* what another command printed is no longer it */
	if (!strcmp(name, "password-command")) {
		explicit_bzero(ac->password, sizeof(ac->password));
		return 0;
	}

	if (!strcmp(name, "ha1"))
		return ha1_check(ac->ha1, err);

	if (!strcmp(name, "auto-answer"))
		return auto_answer_check(ac->auto_answer, err);

	if (!strcmp(name, "keepalive"))
		return keepalive_check(ac->keepalive, err);

	if (!strcmp(name, "contact-q"))
		return q_check(ac->contact_q, err);

	if (!strcmp(name, "header"))
		return header_check(ac->header, err);

	if (!strcmp(name, "quality-report"))
		return conf_collector_check(ac->quality_report, err);

	if (is_server(name))
		return server_check(ac, name, err);

	return 0;
}


int account_param_set(struct account_conf *ac, const char *name,
		      const char *value, char *err)
{
	const struct account_param *prm;
	struct account_conf copy;
	struct option o;
	int e;

	if (!ac || !name || !value)
		return conf_error(err, EINVAL, "a parameter needs a name and"
				  " a value");

	prm = conf_param_find(name);
	if (!prm)
		return conf_param_unknown(err, name, false);

	if (!*value)
		return conf_error(err, EINVAL, "%s has no value", name);

	e = password_check(ac, name, err);
	if (e)
		return e;

	copy = *ac;
	o = param_option(prm);

	/* a password is only hashed, so it may hold anything; and it must
	   not be shown in what the others are told */
	if (!strcmp(name, "password"))
		e = password_set(&copy, name, value, strlen(value), err);
	else if (prm->secret && strlen(value) >= prm->size)
		e = conf_error(err, EINVAL, "%s is too long", name);
	else
		e = conf_value_set(&o, &copy, value, err);

	if (!e)
		e = param_check(&copy, name, err);
	if (!e)
		*ac = copy;

	explicit_bzero(&copy, sizeof(copy));

	return e ? EINVAL : 0;
}


/* Is it what an account has that nobody has said anything about? */
static bool is_default(const struct account_conf *ac,
		       const struct account_param *prm)
{
	const char *value = (const char *)ac + prm->offset;
	struct account_conf none;

	conf_account_init(&none);

	return !memcmp(value, (const char *)&none + prm->offset,
		       prm->type == OPT_BOOL || prm->type == OPT_INT ||
		       prm->type == OPT_TIME || prm->type == OPT_ENUM ?
		       prm->size : 1);
}


int conf_param_text(const struct account_conf *ac,
		    const struct account_param *prm, char *buf, size_t sz)
{
	const struct option o = param_option(prm);
	char user[sizeof(ac->auth_user)], aor[sizeof(ac->aor)];
	const char *rest;

	if (!strcmp(prm->name, "name") || is_default(ac, prm) ||
	    (!strcmp(prm->name, "password") &&
	     !conf_password_is_literal(ac)))
		return ENOENT;

	/* the address says it already */
	if (!strcmp(prm->name, "auth-user") &&
	    !conf_aor_parse(aor, sizeof(aor), user, sizeof(user), &rest,
			    ac->aor, NULL) && !strcmp(user, ac->auth_user))
		return ENOENT;

	return conf_value_get(&o, ac, buf, sz);
}


int account_param_get(const struct account_conf *ac, const char *name,
		      char *buf, size_t sz)
{
	const struct account_param *prm;
	struct option o;

	if (!ac || !name || !buf)
		return EINVAL;

	prm = conf_param_find(name);
	if (!prm)
		return ENOENT;

	/* strings, choices and lists: empty is not said */
	if (prm->type != OPT_BOOL && prm->type != OPT_INT &&
	    prm->type != OPT_TIME && prm->type != OPT_ENUM && !*((const char *)ac + prm->offset))
		return ENOENT;

	/* a tristate that is not said */
	if (prm->type == OPT_BOOL && prm->size == sizeof(int) &&
	    *(const int *)((const char *)ac + prm->offset) < 0)
		return ENOENT;

	if (!strcmp(name, "password") && !conf_password_is_literal(ac))
		return ENOENT;

	if (prm->secret)
		return text_copy(buf, sz, "***", 3);

	o = param_option(prm);

	return conf_value_get(&o, ac, buf, sz);
}


/*
 * One `;name=value` or `;name`, at *pp.  A server may stand in <>, and then
 * the semicolons in it are its own.
 */
static int param_parse(struct account_conf *ac, uint64_t *seen,
		       const char **pp, char *err)
{
	char name[32], value[CONFIG_STR];
	const struct account_param *prm;
	const char *p = *pp + 1, *end;
	size_t n = strcspn(p, "=; \t");
	uint64_t bit;
	int e;

	if (!n) {
		*pp = p + strspn(p, " \t");
		if (!**pp || **pp == ';')
			return 0;      /* `;;` or one at the end */
		return conf_error(err, EINVAL, "behind a ; stands a parameter:"
				  " NAME=VALUE");
	}

	if (text_copy(name, sizeof(name), p, n))
		return conf_error(err, EINVAL, "the name of a parameter is"
				  " too long");

	prm = conf_param_find(name);
	if (!prm)
		return conf_param_unknown(err, name, false);

	bit = conf_param_bit(prm);
	if (*seen & bit)
		return conf_error(err, EINVAL, "%s is given twice", name);
	*seen |= bit;

	p += n;
	if (*p != '=') {
		if (prm->type != OPT_BOOL || (*p && *p != ';'))
			return conf_error(err, EINVAL, "%s needs a value:"
					  " %s=VALUE", name, name);
		*pp = p;
		return account_param_set(ac, name, "yes", err);
	}

	++p;
	end = p + strcspn(p, ";");
	if (*p == '<' && is_server(name)) {
		const char *close = strchr(p, '>');

		if (close)
			end = close + 1 + strcspn(close + 1, ";");
	}

	switch (text_unescape_percent(value, sizeof(value), p,
				      (size_t)(end - p))) {

	case 0:
		break;

	case EOVERFLOW:
		return conf_error(err, EINVAL, "the value of %s is longer than"
				  " %zu bytes", name, sizeof(value) - 1);

	default:
		return conf_error(err, EINVAL, "in the value of %s a %% is not"
				  " followed by two hex digits; a %% itself is"
				  " %%25", name);
	}

	*pp = end;

	e = account_param_set(ac, name, value, err);
	explicit_bzero(value, sizeof(value));

	return e;
}


int conf_account_read(struct account_conf *ac, uint64_t *seen,
			const char *text, char *err)
{
	char user[sizeof(ac->auth_user)];
	const char *p;
	int e;

	e = conf_aor_parse(ac->aor, sizeof(ac->aor), user, sizeof(user), &p,
			   text, err);
	if (e)
		return e;

	while (*p) {
		if (*p != ';')
			return conf_error(err, EINVAL, "behind the account's"
					  " address come parameters:"
					  " ;NAME=VALUE");

		e = param_parse(ac, seen, &p, err);
		if (e)
			return e;
	}

	/* through the checks: what was %XX in the address may be anything */
	if (!ac->auth_user[0])
		return account_param_set(ac, "auth-user", user, err);

	return 0;
}


int account_parse(struct account_conf *ac, const char *text, char *err)
{
	struct account_conf copy;
	uint64_t seen = 0;
	int e;

	if (!ac || !text)
		return EINVAL;

	conf_account_init(&copy);

	e = conf_account_read(&copy, &seen, text, err);
	if (!e)
		*ac = copy;

	explicit_bzero(&copy, sizeof(copy));

	return e ? EINVAL : 0;
}


void account_mask_arg(char *arg)
{
	static const char *const secrets[] = {
		";password=", ";ha1=", ";auth-in-password=",
	};

	if (!arg)
		return;

	for (char *p = arg; *p; p++) {
		for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]);
		     i++) {
			const size_t n = strlen(secrets[i]);
			size_t len;

			if (strlen(p) < n || !text_caseeq(p, n, secrets[i]))
				continue;

			len = strcspn(p + n, ";");
			memset(p + n, 'x', len);
		}
	}

	text_mask(arg, strlen(arg));
}
