/**
 * @file account.c  Accounts: who we are, and to whom we prove it
 *
 * The ua owns its accounts; a call holds a reference.  Towards the network an
 * account is its identity (sip_reg.h).  What an account asks for and this
 * version cannot do is refused here, never ignored.  Main thread.
 */
#include <pwd.h>
#include <strings.h>
#include <unistd.h>
#include "priv.h"
#include "account.h"
#include "caller.h"


static void account_destructor(void *data)
{
	struct account *a = data;

	list_unlink(&a->le);
	mem_deref(a->reg);
	mem_deref(a->ident);
	mem_deref(a->headers);
	mem_deref(a->creds_in);
	mem_deref(a->before);

	/* the password is no longer needed anywhere */
	memset(&a->conf, 0, sizeof(a->conf));
}


/* "proxy.example.com" or a URI as a URI; "" none */
static int make_uri(char *uri, size_t sz, const char *name, const char *value,
		    char *err)
{
	char why[UA_ERR];
	int e;

	*uri = '\0';
	if (!value[0])
		return 0;

	e = sip_uri_check(uri, sz, value, why, sizeof(why));

	return e ? call_error(err, e, "%s: %s", name, why) : 0;
}


/* What this version cannot do */
static int refuse(const struct account_conf *ac, char *err)
{
	char why[CONFIG_ERR];

	/* who adds it runs the command: we cannot wait for it */
	if (ac->password_command[0] && !ac->password[0])
		return call_error(err, EPROTONOSUPPORT,
			"password-command is not run here:"
			" use password-env or password-file.");
	if (ac->dnd[0] && strcasecmp(ac->dnd, "yes") &&
	    strcasecmp(ac->dnd, "no") && schedule_check(ac->dnd, why))
		return call_error(err, EINVAL, "dnd: %.200s.", why);
	if (ac->fallback[0] && !strcmp(ac->fallback, ac->name))
		return call_error(err, EINVAL,
				  "An account is no fallback of itself.");
	if (ac->require_auth && !ac->auth_in_password[0] &&
	    !ac->password[0] && !ac->ha1[0])
		return call_error(err, EINVAL, "require-auth needs a password"
				  " to ask for: auth-in-password.");

	return 0;
}


static int make_parts(struct account *a, char *err)
{
	struct ability ab;
	char uri[UA_URI];
	int e;

	e = sip_uri_check(uri, sizeof(uri), a->conf.aor, err, UA_ERR);
	if (e)
		return e;

	if (strlen(uri) >= sizeof(a->conf.aor))
		return call_error(err, EINVAL, "The address is too long.");
	str_ncpy(a->conf.aor, uri, sizeof(a->conf.aor));

	if (sip_uri_parts(uri, a->user, sizeof(a->user), a->host,
			  sizeof(a->host), &a->port) || !a->user[0])
		return call_error(err, EINVAL,
				  "An account needs a user: sip:USER@HOST.");

	if (!a->conf.name[0]) {
		int n = snprintf(a->conf.name, sizeof(a->conf.name), "%s@%s",
				 a->user, a->host);

		if (n < 0 || (size_t)n >= sizeof(a->conf.name))
			return call_error(err, EINVAL, "The address is too"
				" long for a name: give name=.");
	}

	if (a->conf.codecs[0] && ability_codecs(&ab, a->conf.codecs))
		return call_error(err, EINVAL,
				  "codecs: none of \"%s\" is known.",
				  a->conf.codecs);

	return 0;
}


/* Who we are towards the network */
static int make_ident(struct account *a, char *err)
{
	const struct account_conf *ac = &a->conf;
	const struct {
		const char *name, *value;
	} v[] = {
		{ "outbound",   ac->outbound },
		{ "outbound2",  ac->outbound2 },
		{ "registrar",  ac->registrar },
		{ "registrar2", ac->registrar2 },
	};
	char uri[COUNT_OF(v)][UA_URI], *plain = NULL;
	struct sip_ident_conf conf = {
		.aor       = ac->aor,
		.name      = ac->display_name,
		.transport = ac->transport,
		.user      = ac->contact_user,
		.routev    = { uri[0], uri[1] },
		.serverv   = { uri[2], uri[3] },
	};
	int e = 0;

	for (size_t i = 0; i < COUNT_OF(v) && !e; i++)
		e = make_uri(uri[i], sizeof(uri[i]), v[i].name, v[i].value,
			     err);
	if (e)
		return e;

	e = extra_split(&plain, &a->headers, ac->header, err);
	if (e)
		return e;
	conf.headers = plain;

	if (account_secret(a)) {
		e = sip_creds_alloc(&conf.creds, ac->auth_user[0] ?
				    ac->auth_user : a->user, ac->password,
				    ac->ha1);
		if (e) {
			mem_deref(plain);
			return call_error(err, e, "The credentials cannot be"
					  " used: %s.", strerror(e));
		}
	}

	e = account_tls(&conf.tls, a->ua->config, ac, err);
	if (e) {
		mem_deref(plain);
		mem_deref(conf.creds);
		return e;
	}

	e = sip_ident_alloc(&a->ident, &conf);
	mem_deref(conf.creds);
	mem_deref(conf.tls);
	mem_deref(plain);

	return e ? call_error(err, e, "The account cannot be used: %s.",
			      strerror(e)) : 0;
}


static int account_make(struct account **ap, struct ua *ua,
			const struct account_conf *ac, char *err)
{
	struct account *a;
	int e;

	a = mem_zalloc(sizeof(*a), account_destructor);
	if (!a)
		return call_error(err, ENOMEM, "Out of memory.");

	a->ua = ua;
	a->conf = *ac;

	e = refuse(ac, err);
	if (!e)
		e = make_parts(a, err);
	if (!e)
		e = make_ident(a, err);
	if (!e && guard_make(a))
		e = call_error(err, EINVAL, "What callers must know cannot"
			       " be used: auth-in-user, auth-in-password.");

	if (e)
		mem_deref(a);
	else
		*ap = a;

	return e;
}


int ua_account_add(struct ua *ua, const struct account_conf *ac, char *err)
{
	struct account *a = NULL;
	int e;

	if (!ua || !ac || !err)
		return EINVAL;

	err[0] = '\0';

	e = account_make(&a, ua, ac, err);
	if (e)
		return e;

	if (ua_account_find(ua, a->conf.name)) {
		e = call_error(err, EEXIST, "There is an account %s already.",
			       a->conf.name);
		mem_deref(a);
		return e;
	}

	a->id = ++ua->next_account;
	list_append(&ua->accounts, &a->le, a);
	accounts_settle(ua);

	return 0;
}


int ua_account_change(struct ua *ua, const struct account *acc,
		      const struct account_conf *ac, char *err)
{
	struct account *old = (struct account *)acc, *a = NULL;
	int e;

	if (!ua || !acc || !ac || !err)
		return EINVAL;

	err[0] = '\0';

	e = account_make(&a, ua, ac, err);
	if (e)
		return e;

	if (strcmp(a->conf.name, acc->conf.name)) {
		e = call_error(err, EINVAL, "The name of an account stays:"
			       " remove it and add another.");
		mem_deref(a);
		return e;
	}

	/* in its place; it registers when the old binding is gone, because
	   both may be the same to the registrar */
	a->id = old->id;
	a->wish = old->wish;
	a->before = mem_ref(old);
	list_insert_after(&ua->accounts, &old->le, &a->le, a);
	account_leave(old);

	return 0;
}


int ua_account_remove(struct ua *ua, const struct account *acc, char *err)
{
	struct account *a = (struct account *)acc;

	if (!ua || !a || !err)
		return EINVAL;

	account_leave(a);
	accounts_settle(ua);

	return 0;
}


int ua_account_use(struct ua *ua, const struct account *a)
{
	if (!ua || !a)
		return EINVAL;

	ua->default_account = a->id;

	return 0;
}


const struct account *ua_account(const struct ua *ua, size_t i)
{
	struct le *le = ua ? list_head(&ua->accounts) : NULL;

	while (le && i--)
		le = le->next;

	return le ? le->data : NULL;
}


const struct account *ua_account_next(const struct ua *ua,
				      const struct account *prev)
{
	const struct le *le = prev ? prev->le.next :
		ua ? list_head(&ua->accounts) : NULL;

	return le ? le->data : NULL;
}


const struct account *ua_account_id(const struct ua *ua, unsigned id)
{
	const struct account *a = NULL;

	while (id && (a = ua_account_next(ua, a))) {
		if (a->id == id)
			return a;
	}

	return NULL;
}


const struct account *ua_account_find(const struct ua *ua, const char *name)
{
	struct le *le;

	if (!ua || !name)
		return NULL;

	LIST_FOREACH(&ua->accounts, le) {
		const struct account *a = le->data;
		const char *aor = a->conf.aor;

		if (0 == strcmp(a->conf.name, name) ||
		    0 == strcasecmp(aor, name) ||
		    (0 == strncasecmp(aor, "sip:", 4) &&
		     0 == strcasecmp(aor + 4, name)))
			return a;
	}

	return NULL;
}


/* The one that was chosen, the one that says so, the first */
static const struct account *choice(const struct ua *ua)
{
	const struct account *said = NULL;
	struct le *le;

	LIST_FOREACH(&ua->accounts, le) {
		const struct account *a = le->data;

		if (a->id == ua->default_account)
			return a;
		if (a->conf.default_ && !said)
			said = a;
	}

	return said ? said : ua_account(ua, 0);
}


const struct account *ua_account_default(const struct ua *ua)
{
	return ua ? account_serving(choice(ua)) : NULL;
}


unsigned account_id(const struct account *a)
{
	return a ? a->id : 0;
}


const struct account_conf *account_config(const struct account *a)
{
	return a ? &a->conf : NULL;
}


bool account_secret(const struct account *a)
{
	return a && (a->conf.password[0] || a->conf.ha1[0]);
}


const struct account *account_match(const struct ua *ua,
				    const struct sip_info *in)
{
	const struct account *best = NULL, *any = NULL;
	unsigned best_score = 0;
	struct le *le;

	LIST_FOREACH(&ua->accounts, le) {
		const struct account *a = le->data;
		const unsigned score = sip_ident_match(a->ident, in);

		if (score > best_score) {
			best_score = score;
			best = a;
		}

		if (a->conf.catch_all && !any)
			any = a;
	}

	return best ? best : any;
}


/* Asked once: it reads a file, and a call waits for it */
static const char *login_name(void)
{
	static char name[64];

	if (!name[0]) {
		const struct passwd *pw = getpwuid(getuid());

		str_ncpy(name, pw && pw->pw_name[0] ? pw->pw_name : "offhook",
			 sizeof(name));
	}

	return name;
}


int account_anonymous(char *buf, size_t sz, const struct ua *ua,
		      const struct sa *laddr)
{
	const char *user = getenv("USER");
	char clean[64], addr[64];
	enum sip_transp tp;
	uint16_t port = 0;
	struct sa sa;
	size_t n = 0;
	int r;

	if (!user || !user[0])
		user = login_name();

	for (; *user && n < sizeof(clean) - 1; user++) {
		const unsigned char c = (unsigned char)*user;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || strchr("-_.", c))
			clean[n++] = (char)c;
	}
	clean[n] = '\0';

	/* the port we are reached at, unless it is the usual one */
	for (size_t i = 0; sip_stack_listener(ua->sip, i, &sa, &tp); i++) {
		if (sa_cmp(&sa, laddr, SA_ADDR)) {
			port = sa_port(&sa);
			break;
		}
	}

	r = sa_ntop(laddr, addr, sizeof(addr));
	if (r)
		return r;

	r = re_snprintf(buf, sz, sa_af(laddr) == AF_INET6 ?
			"sip:%s@[%s]" : "sip:%s@%s", n ? clean : "offhook",
			addr);
	if (r < 0 || (size_t)r + 8 >= sz)
		return EOVERFLOW;

	if (port && port != SIP_PORT)
		(void)snprintf(buf + r, sz - (size_t)r, ":%u", port);

	return 0;
}


int ua_ident(struct sip_ident **ip, const struct ua *ua,
	     const struct account *a, const struct sa *laddr)
{
	struct sip_ident_conf conf = { 0 };
	char aor[UA_URI];
	int err;

	if (!ip || !ua || (!a && !laddr))
		return EINVAL;

	if (a) {
		*ip = mem_ref(a->ident);
		return 0;
	}

	err = account_anonymous(aor, sizeof(aor), ua, laddr);
	if (err)
		return err;

	conf.aor = aor;

	return sip_ident_alloc(ip, &conf);
}
