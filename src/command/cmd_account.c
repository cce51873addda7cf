/**
 * @file cmd_account.c  Accounts: list, add, change, remove, choose
 *
 * What is changed counts at once; with --save it is also written into the
 * accounts file, around what its owner wrote there.  Main thread.
 */
#include <stdio.h>
#include "offhook/path.h"
#include "offhook/secret.h"
#include "priv.h"
#include "account.h"


/* Looking ----------------------------------------------------------------- */

static void reply_flow(struct reply *r, const struct sip_reg_status *st)
{
	if (st->server[0])
		reply_str(r, "server", st->server);
	if (st->server[0] && st->tp != SIP_TRANSP_NONE)
		reply_str(r, "transport", transport_name(st->tp));
	if (st->contact[0])
		reply_str(r, "contact", st->contact);
	if (st->expires_s)
		reply_int(r, "expires-ms", 1000 * (int64_t)st->expires_s);
	if (st->next_ms >= 0)
		reply_int(r, "next-ms", st->next_ms);
	if (st->outbound)
		reply_bool(r, "outbound", true);
	if (st->result.code)
		reply_int(r, "code", st->result.code);
	if (st->result.cause != SIP_CAUSE_NONE)
		reply_str(r, "cause", sip_cause_name(st->result.cause));
}


static void reply_mail(struct reply *r, const struct account *a)
{
	struct account_mail mail;

	if (!account_mailbox(&mail, a))
		return;

	if (mail.known) {
		reply_bool(r, "voicemail-waiting", mail.waiting);
		reply_int(r, "voicemail-new", mail.fresh);
		reply_int(r, "voicemail-old", mail.old);
	}
	if (mail.mailbox[0])
		reply_str(r, "voicemail", mail.mailbox);
}


static void reply_account(struct cmd *x, const struct account *a)
{
	const struct account_conf *ac = account_config(a);
	struct sip_reg_status st;

	reply_row(x->reply, "account");
	reply_int(x->reply, "account", account_id(a));
	reply_str(x->reply, "name", ac->name);
	reply_str(x->reply, "aor", ac->aor);
	reply_str(x->reply, "state", account_state(a));
	reply_bool(x->reply, "default", a == ua_account_default(x->ph->ua));
	reply_mail(x->reply, a);
	if (account_registration(&st, a, 0) && st.state != SIP_REG_OFF)
		reply_flow(x->reply, &st);
}


void reply_accounts(struct cmd *x)
{
	const struct account *a;

	reply_list(x->reply, "account");

	for (size_t i = 0; (a = ua_account(x->ph->ua, i)); i++)
		reply_account(x, a);
}


/* A second way to the network has a row of its own */
static void reply_flows(struct cmd *x, const struct account *a)
{
	struct sip_reg_status st;

	if (!account_registration(&st, a, 1))
		return;

	reply_list(x->reply, "flow");
	for (unsigned i = 0; account_registration(&st, a, i); i++) {
		reply_row(x->reply, "flow");
		reply_int(x->reply, "flow", i + 1);
		reply_str(x->reply, "state", sip_reg_state_name(st.state));
		reply_flow(x->reply, &st);
	}
}


void reply_binding(struct reply *r, const struct sip_binding *b)
{
	reply_row(r, "binding");
	reply_str(r, "uri", b->uri);
	reply_int(r, "expires-ms", 1000 * (int64_t)b->expires_s);
	if (b->instance[0])
		reply_str(r, "instance", b->instance);
	if (b->reg_id)
		reply_int(r, "flow", b->reg_id);
	reply_bool(r, "ours", b->ours);
}


static void reply_bindings(struct cmd *x, const struct account *a)
{
	const struct sip_binding *b;

	reply_list(x->reply, "binding");
	for (unsigned i = 0; (b = account_binding(a, 0, i)); i++)
		reply_binding(x->reply, b);
}


static void cmd_accounts(struct cmd *x)
{
	const char *name = cmd_str(x, "account");
	const struct account *a;

	if (cmd_has(x, "fetch")) {
		cmd_fetch(x);
		return;
	}

	if (!name) {
		reply_accounts(x);
		if (!ua_account(x->ph->ua, 0))
			reply_text(x->reply, "no accounts; calls go peer to"
				   " peer");
		return;
	}

	a = ua_account_find(x->ph->ua, name);
	reply_list(x->reply, "account");
	reply_account(x, a);
	reply_flows(x, a);
	reply_bindings(x, a);
}


/* The file ---------------------------------------------------------------- */

static int file_path(struct cmd *x, char *path, size_t sz)
{
	int err = x->ph->config_dir[0] ?
		path_join(path, sz, x->ph->config_dir, "accounts") : ENOENT;

	if (err)
		reply_error(x->reply, "no-such-file", "there is no"
			    " configuration directory to save into");

	return err;
}


static void save_failed(struct cmd *x, int err, const char *what,
			const char *why)
{
	reply_error(x->reply, error_token(err), "%s, but not in the file: %s",
		    what, why);
}


static void save(struct cmd *x, const struct account *a, const char *what)
{
	char path[1024], err[CONFIG_ERR] = "";
	int e;

	if (!cmd_has(x, "save") || file_path(x, path, sizeof(path)))
		return;

	e = accounts_save(path, account_config(a), err);
	if (e)
		save_failed(x, e, what, err);
}


struct chosen {
	const char *path, *name;
	char *err;
	bool found;
};


static int find_h(const struct account_conf *ac, void *arg)
{
	struct chosen *c = arg;

	c->found = c->found || !strcmp(ac->name, c->name);

	return 0;
}


/* In the file one alone says that it is the default */
static int choose_h(const struct account_conf *ac, void *arg)
{
	struct chosen *c = arg;
	const bool mine = !strcmp(ac->name, c->name);
	struct account_conf copy;
	int e;

	if (ac->default_ == mine)
		return 0;

	copy = *ac;
	copy.default_ = mine;
	e = accounts_save(c->path, &copy, c->err);
	explicit_bzero(&copy, sizeof(copy));

	return e;
}


static void save_choice(struct cmd *x, const struct account *a)
{
	char path[1024], err[CONFIG_ERR] = "";
	struct chosen c = {
		.path = path, .name = account_config(a)->name, .err = err,
	};
	int e;

	if (!cmd_has(x, "save") || file_path(x, path, sizeof(path)))
		return;

	e = accounts_load(path, find_h, &c, err);
	if (!e && !c.found) {
		e = ENOENT;
		snprintf(err, sizeof(err), "it has no account %s", c.name);
	}
	if (!e)
		e = accounts_load(path, choose_h, &c, err);
	if (e)
		save_failed(x, e, "chosen", err);
}


/* Changing ---------------------------------------------------------------- */

/* While a command is asked for the password of one */
struct asking {
	struct cmd *x;
	struct secret *secret;
	struct account_conf ac;
	char name[64];           /* that is changed, "" : it is added        */
};


static void asking_destructor(void *arg)
{
	struct asking *k = arg;

	mem_deref(k->secret);
	explicit_bzero(&k->ac, sizeof(k->ac));
}


static void add_now(struct cmd *x, const struct account_conf *ac)
{
	const struct account *a;
	char err[UA_ERR] = "";
	size_t n = 0;
	int e;

	e = ua_account_add(x->ph->ua, ac, err);
	if (e) {
		reply_error(x->reply, e == EEXIST ? "already" : "bad-account",
			    "%s", err);
		return;
	}

	/* the last one is the one that was added */
	while (ua_account(x->ph->ua, n + 1))
		++n;
	a = ua_account(x->ph->ua, n);

	reply_int(x->reply, "account", account_id(a));
	reply_str(x->reply, "name", account_config(a)->name);
	save(x, a, "added");
}


static void change_now(struct cmd *x, const struct account *a,
		       const struct account_conf *ac)
{
	char err[UA_ERR] = "", name[64];
	int e;

	snprintf(name, sizeof(name), "%s", ac->name);

	e = ua_account_change(x->ph->ua, a, ac, err);
	if (e)
		reply_error(x->reply, "bad-account", "%s", err);
	else
		save(x, ua_account_find(x->ph->ua, name), "changed");
}


static void no_account(struct cmd *x, const char *name)
{
	char show[80];

	(void)cmd_wrong(x, "no-such-account", "there is no account '%s'; see"
			" 'accounts'", text_escape(show, sizeof(show), name,
						   strlen(name)));
}


static int set_params(struct cmd *x, struct account_conf *ac)
{
	char err[CONFIG_ERR] = "", name[64];
	size_t i;

	for (i = 0; cmd_value(x, "param", i); i++) {
		const char *s = cmd_value(x, "param", i)->s;
		const char *eq = strchr(s, '=');

		snprintf(name, sizeof(name), "%.*s",
			 (int)(eq ? eq - s : 0), s);
		if (!eq || account_param_set(ac, name, eq + 1, err))
			return cmd_wrong(x, "bad-argument", "%s", eq ? err :
					 "a parameter is NAME=VALUE");
	}

	return i ? 0 : cmd_wrong(x, "missing-argument", "write: account set"
				 " NAME PARAMETER=VALUE ...");
}


/* It may have been changed, or be gone, while the command ran */
static void change_then(struct asking *k, const char *password)
{
	const struct account *a = ua_account_find(k->x->ph->ua, k->name);

	if (!a) {
		no_account(k->x, k->name);
		return;
	}

	k->ac = *account_config(a);
	if (set_params(k->x, &k->ac))
		return;
	snprintf(k->ac.password, sizeof(k->ac.password), "%s", password);
	change_now(k->x, a, &k->ac);
}


static void secret_handler(const char *password, const char *why, void *arg)
{
	struct asking *k = arg;
	struct cmd *x = k->x;

	if (!password) {
		reply_error(x->reply, "bad-account", "password-command: %s",
			    why);
	}
	else if (k->name[0]) {
		change_then(k, password);
	}
	else {
		snprintf(k->ac.password, sizeof(k->ac.password), "%s",
			 password);
		add_now(x, &k->ac);
	}

	cmd_done(x);
}


/* The line waits for it, the phone does not */
static void ask(struct cmd *x, const struct account_conf *ac, const char *name)
{
	struct asking *k = cmd_state(x, sizeof(*k), asking_destructor);
	int e;

	if (!k)
		return;

	k->x = x;
	k->ac = *ac;
	snprintf(k->name, sizeof(k->name), "%s", name);

	e = secret_run(&k->secret, ac->password_command, secret_handler, k);
	if (e)
		cmd_fail(x, e, NULL);
	else
		cmd_wait(x, SECRET_WAIT_MS, NULL);
}


static void add(struct cmd *x)
{
	char err[CONFIG_ERR] = "";
	struct account_conf ac;

	if (cmd_value(x, "param", 0)) {
		(void)cmd_wrong(x, "too-many-arguments", "parameters stand"
				" right behind the address: ;NAME=VALUE");
		return;
	}

	if (account_parse(&ac, cmd_str(x, "account"), err))
		(void)cmd_wrong(x, "bad-account", "%s", err);
	else if (ac.password_command[0])
		ask(x, &ac, "");
	else
		add_now(x, &ac);

	explicit_bzero(&ac, sizeof(ac));
}


static void set(struct cmd *x, const struct account *a)
{
	struct account_conf ac = *account_config(a);
	char name[64];

	snprintf(name, sizeof(name), "%s", ac.name);

	if (!set_params(x, &ac)) {
		if (ac.password_command[0] && !ac.password[0])
			ask(x, &ac, name);
		else
			change_now(x, a, &ac);
	}

	explicit_bzero(&ac, sizeof(ac));
}


static void take_off(struct cmd *x, const struct account *a)
{
	char path[1024], err[CONFIG_ERR] = "", name[64];
	int e;

	snprintf(name, sizeof(name), "%s", account_config(a)->name);

	e = ua_account_remove(x->ph->ua, a, err);
	if (e) {
		cmd_fail(x, e, err);
		return;
	}

	if (!cmd_has(x, "save") || file_path(x, path, sizeof(path)))
		return;

	e = accounts_forget(path, name, err);
	if (e)
		save_failed(x, e, "removed", err);
}


static void cmd_account(struct cmd *x)
{
	const char *what = cmd_str(x, "action");
	const char *name = cmd_str(x, "account");
	const struct account *a;

	if (!strcmp(what, "add")) {
		add(x);
		return;
	}

	a = ua_account_find(x->ph->ua, name);
	if (!a) {
		no_account(x, name);
		return;
	}

	if (!strcmp(what, "set")) {
		set(x, a);
	}
	else if (cmd_value(x, "param", 0)) {
		(void)cmd_wrong(x, "too-many-arguments", "account %s takes the"
				" name of one account", what);
	}
	else if (!strcmp(what, "remove")) {
		take_off(x, a);
	}
	else {
		(void)ua_account_use(x->ph->ua, a);
		save_choice(x, a);
	}
}


static const struct command rows[] = {
	{
		.name = "accounts",
		.args = ARGS(
			{ .name = "account", .type = ARG_ACCOUNT,
			  .optional = true,
			  .summary = "one, with its bindings" }
		),
		.options = ARGS(
			{ .name = "fetch", .type = ARG_NONE,
			  .summary = "ask the registrar what it holds" }
		),
		.summary = "List accounts",
		.help = "With their state, the server they are registered "
			"with and the time until the next refresh or attempt. "
			"Calls go out as the default one unless `dial "
			"--account` names another. Bindings are the ways to "
			"reach an address, those of other phones among them.",
		.run = cmd_accounts,
	},
	{
		.name = "account",
		.args = ARGS(
			{ .name = "action", .type = ARG_CHOICE,
			  .choices = "add,set,remove,use",
			  .summary = "what to do" },
			{ .name = "account", .type = ARG_WORD,
			  .summary = "add: URI[;PARAMETER=VALUE...]; else its "
				     "name" },
			{ .name = "param", .type = ARG_WORD, .optional = true,
			  .many = true,
			  .summary = "set: PARAMETER=VALUE ..." }
		),
		.options = ARGS(
			{ .name = "save", .type = ARG_NONE,
			  .summary = "write it into the accounts file too" }
		),
		.summary = "Add, change, remove or choose an account",
		.help = "It counts at once, and calls go on. `account use` "
			"names the default one. With --save the accounts file "
			"says so from now on; what its owner wrote there "
			"stays. A password-command is run by the shell, "
			"without a terminal; it has 60 s, and the line waits "
			"for the password it prints.",
		.run = cmd_account,
	},
	{
		.name = "register",
		.args = ARGS(
			{ .name = "account", .type = ARG_ACCOUNT,
			  .optional = true,
			  .summary = "without it: all that have a registrar or "
				     "a password" }
		),
		.summary = "Register now",
		.help = "To begin, to refresh, or to try again before its "
			"time. As a COMMAND of the shell it stays registered "
			"until a signal or the first failure, and leaves "
			"then.",
		.lasting = true,
		.run = cmd_register,
	},
	{
		.name = "identities",
		.args = ARGS(
			{ .name = "file", .type = ARG_FILE,
			  .summary = "a CSV file" }
		),
		.options = ARGS(
			{ .name = "account", .type = ARG_ACCOUNT,
			  .summary = "what all have that the file does not "
				     "say, and the domain of column user" },
			{ .name = "rate", .type = ARG_DOUBLE, .min = 0,
			  .max = 1000,
			  .summary = "begin so many a second, 10 without" },
			{ .name = "first", .type = ARG_INT, .min = 1,
			  .max = 10000,
			  .summary = "only the first so many" },
			{ .name = "for", .type = ARG_TIME, .min = 1,
			  .max = 3600000000,
			  .summary = "all leave again so long after" }
		),
		.summary = "Register many accounts from a table",
		.help = "The first line of the file names the columns: `user` "
			"or `uri`, `number` (for dial --identities), x-NAME "
			"for what {x-NAME} shall stand for, and any parameter "
			"of accounts, such as password, auth-user, "
			"display-name. Each other line is an account; it goes "
			"by its column name, or its user. At most 100000 "
			"lines, of which 10000 register at once. The line ends "
			"when each has its answer, with a table and the times "
			"it took; those that registered stay, and can be "
			"called, and call, like any account.",
		.run = cmd_identities,
	},
	{
		.name = "unregister",
		.args = ARGS(
			{ .name = "account", .type = ARG_ACCOUNT,
			  .optional = true, .summary = "without it: all" }
		),
		.options = ARGS(
			{ .name = "all", .type = ARG_NONE,
			  .summary = "take the bindings of other phones away "
				     "too" }
		),
		.summary = "No longer be registered",
		.help = "Until `register`. Calls by way of the registrar no "
			"longer reach us.",
		.run = cmd_unregister,
	},
};

const struct command_group group_accounts = {
	"accounts", rows, ARRAY_SIZE(rows)
};
