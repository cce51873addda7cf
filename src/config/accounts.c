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

#define FIELD(f) .offset = offsetof(struct account_conf, f),		\
		.size = sizeof(((struct account_conf *)0)->f)

static const struct account_param params[] = {
	{
		.name = "name", .type = OPT_STRING, FIELD(name),
		.summary = "What you call the account",
	},
	{
		.name = "display-name", .type = OPT_STRING,
		FIELD(display_name),
		.summary = "What others see as your name",
	},
	{
		.name = "password", .type = OPT_STRING, FIELD(password),
		.summary = "The password itself", .secret = true,
	},
	{
		.name = "password-env", .type = OPT_STRING,
		FIELD(password_env),
		.summary = "Environment variable that holds the password",
	},
	{
		.name = "password-file", .type = OPT_STRING,
		FIELD(password_file),
		.summary = "File whose first line is the password",
	},
	{
		.name = "password-command", .type = OPT_STRING,
		FIELD(password_command),
		.summary = "Shell command that prints the password",
	},
	{
		.name = "ha1", .type = OPT_STRING, FIELD(ha1),
		.summary = "Hash of user, realm and password, in its place",
		.secret = true,
	},
	{
		.name = "auth-user", .type = OPT_STRING, FIELD(auth_user),
		.summary = "User name for authentication, if another",
	},
	{
		.name = "registrar", .type = OPT_STRING, FIELD(registrar),
		.summary = "Server to register with, if not the domain",
	},
	{
		.name = "outbound", .type = OPT_STRING, FIELD(outbound),
		.summary = "Server that all requests go through",
	},
	{
		.name = "transport", .type = OPT_CHOICE, FIELD(transport),
		.choices = "udp,tcp,tls",
		.summary = "How to reach the server",
	},
	{
		.name = "expires", .type = OPT_INT, FIELD(expires),
		.min = 10, .max = 604800,
		.summary = "Seconds that a registration is asked to last",
	},
	{
		.name = "register", .type = OPT_BOOL, FIELD(regist),
		.summary = "Register; without it: if there is a password or"
			" a registrar",
	},
	{
		.name = "catch-all", .type = OPT_BOOL, FIELD(catch_all),
		.summary = "Take calls to unknown users",
	},
	{
		.name = "auto-answer", .type = OPT_STRING, FIELD(auto_answer),
		.summary = "Answer by itself: yes, no, or a code to send",
	},
	{
		.name = "media-security", .type = OPT_ENUM,
		FIELD(media_security), .choices = "off,prefer,require",
		.summary = "Encrypt sound",
	},
	{
		.name = "codecs", .type = OPT_LIST, FIELD(codecs),
		.choices = "opus,g722,pcmu,pcma,l16",
		.summary = "Codecs of this account, the best first",
	},
	{
		.name = "reliable", .type = OPT_ENUM, FIELD(reliable),
		.choices = "off,supported,required",
		.summary = "Reliable provisional responses",
	},
};

_Static_assert(sizeof(params) / sizeof(params[0]) <= 32,
	       "the parameters given are bits of a word");
_Static_assert(sizeof(enum account_policy) == sizeof(int) &&
	       sizeof(((struct account_conf *)0)->regist) == sizeof(int),
	       "an OPT_ENUM and a tristate are ints");


const struct account_param *account_param_table(size_t *n)
{
	if (n)
		*n = sizeof(params) / sizeof(params[0]);

	return params;
}


/* In the file the address is a parameter too */
static const char *param_name(size_t i, const void *arg)
{
	const size_t n = sizeof(params) / sizeof(params[0]);
	const bool *file = arg;

	return i < n ? params[i].name : i == n && *file ? "uri" : NULL;
}


const struct account_param *conf_param_find(const char *name)
{
	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		if (!strcmp(params[i].name, name))
			return &params[i];
	}

	return NULL;
}


/* The secret whose name begins this one, or NULL */
static const char *secret_before(const char *name)
{
	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		const size_t n = strlen(params[i].name);

		if (params[i].secret && strlen(name) > n &&
		    text_caseeq(name, n, params[i].name))
			return params[i].name;
	}

	return NULL;
}


int conf_param_unknown(char *err, const char *name, bool file)
{
	const char *near = text_nearest(name, param_name, &file);
	const char *secret = secret_before(name);
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
	char shown[CONF_SHOWN];

	/* a slip of the finger must not show the password behind it */
	if (secret && near && (strchr("-_", name[strlen(secret)]) ||
			       text_distance(name, near) <= 2) &&
	    strcmp(near, secret))
		return conf_error(err, EINVAL, "an account has no such"
				  " parameter; did you mean %s?", near);
	if (secret)
		return conf_error(err, EINVAL, "behind %s comes \"=\" and then"
				  " its value", secret);

	(void)text_escape(shown, sizeof(shown), name, len ? len : 1);

	return conf_error(err, EINVAL, "an account has no parameter \"%s\""
			  "%s%s%s", shown, near ? "; did you mean " : "",
			  near ? near : "", near ? "?" : "");
}


void conf_account_init(struct account_conf *ac)
{
	memset(ac, 0, sizeof(*ac));
	ac->regist = -1;
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


/* What the type of the value does not say */
static int param_check(struct account_conf *ac, const char *name, char *err)
{
	if (!strcmp(name, "password-env"))
		return password_from_env(ac, err);

	if (!strcmp(name, "password-file"))
		return password_from_file(ac, err);

	if (!strcmp(name, "ha1"))
		return ha1_check(ac->ha1, err);

	if (!strcmp(name, "auto-answer"))
		return auto_answer_check(ac->auto_answer, err);

	if (!strcmp(name, "registrar"))
		return conf_server_parse(ac->registrar, sizeof(ac->registrar),
					 name, ac->registrar, err);

	if (!strcmp(name, "outbound"))
		return conf_server_parse(ac->outbound, sizeof(ac->outbound),
					 name, ac->outbound, err);

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
	    prm->type != OPT_ENUM && !*((const char *)ac + prm->offset))
		return ENOENT;

	if (!strcmp(name, "register") && ac->regist < 0)
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
static int param_parse(struct account_conf *ac, uint32_t *seen,
		       const char **pp, char *err)
{
	char name[32], value[CONFIG_STR];
	const struct account_param *prm;
	const char *p = *pp + 1, *end;
	size_t n = strcspn(p, "=; \t");
	uint32_t bit;
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

	bit = 1u << (prm - params);
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
	if (*p == '<' && (prm->offset ==
			  offsetof(struct account_conf, registrar) ||
			  prm->offset ==
			  offsetof(struct account_conf, outbound))) {
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


int conf_account_read(struct account_conf *ac, uint32_t *seen,
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
	uint32_t seen = 0;
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
	static const char *const secrets[] = {";password=", ";ha1="};

	if (!arg)
		return;

	for (char *p = arg; *p; p++) {
		for (size_t i = 0; i < 2; i++) {
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
