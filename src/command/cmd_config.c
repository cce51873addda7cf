/**
 * @file cmd_config.c  The configuration: check, show, read again, save it
 *
 * What is read again counts at once, and it is told what that changes; values
 * and accounts that this run alone was told stay.  A file with a mistake
 * changes nothing.  Main thread.
 */
#include <stdio.h>
#include "offhook/path.h"
#include "offhook/secret.h"
#include "priv.h"


static int file_of(const struct cmd *x, char *buf, size_t sz, const char *name)
{
	return x->ph->config_dir[0] ?
		path_join(buf, sz, x->ph->config_dir, name) : ENOENT;
}


/* Check -------------------------------------------------------------------- */

static int account_ignore(const struct account_conf *ac, void *arg)
{
	(void)ac;
	(void)arg;

	return 0;
}


static int contact_ignore(const struct contact_conf *c, void *arg)
{
	(void)c;
	(void)arg;

	return 0;
}


static int check_options(const char *path, char *err)
{
	struct config *c = NULL;
	int e = config_alloc(&c);

	if (!e)
		e = config_load(c, path, err);
	mem_deref(c);

	return e;
}


static int check_accounts(const char *path, char *err)
{
	return accounts_load(path, account_ignore, NULL, err);
}


static int check_contacts(const char *path, char *err)
{
	return contacts_load(path, contact_ignore, NULL, err);
}


static int check_dialplan(const char *path, char *err)
{
	struct dialplan *d = NULL;
	const int e = dialplan_load(&d, path, err);

	dialplan_free(d);

	return e;
}


static void config_check(struct cmd *x)
{
	static const struct {
		const char *name;
		int (*check)(const char *path, char *err);
	} files[] = {
		{ "offhook.conf", check_options },
		{ "accounts",     check_accounts },
		{ "contacts",     check_contacts },
		{ "dialplan",     check_dialplan },
	};
	char path[1024], err[CONFIG_ERR] = "";

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {

		int e = file_of(x, path, sizeof(path), files[i].name);

		if (!e)
			e = files[i].check(path, err);
		if (!e)
			continue;

		(void)cmd_wrong(x, "bad-config", "%s",
				err[0] ? err : strerror(e));
		return;
	}

	reply_str(x->reply, "directory", x->ph->config_dir);
	reply_text(x->reply, "the configuration is right");
}


/* Show --------------------------------------------------------------------- */

static const char *origin_text(char *buf, size_t sz, const struct config *c,
			       const char *name)
{
	unsigned line = 0;

	switch (config_origin(c, name, &line)) {

	case CONFIG_DEFAULT:  return "default";
	case CONFIG_ARGUMENT: return "--set";
	case CONFIG_COMMAND:  return "set";
	case CONFIG_FILE:     break;
	}

	snprintf(buf, sz, "offhook.conf:%u", line);

	return buf;
}


/* Is it one of those asked for? All are when none was named */
static bool is_named(const struct cmd *x, const char *name)
{
	const struct bound *v;

	for (size_t i = 0; (v = cmd_value(x, "option", i)); i++) {
		if (!strcmp(v->s, name))
			return true;
	}

	return !cmd_value(x, "option", 0);
}


static void config_show(struct cmd *x)
{
	const struct option *o;
	size_t n;

	reply_str(x->reply, "directory", x->ph->config_dir);
	reply_list(x->reply, "option");

	o = option_table(&n);
	for (size_t i = 0; i < n; i++) {

		char value[1024], from[32];

		if (!is_named(x, o[i].name) ||
		    config_get(x->ph->config, o[i].name, value,
			       sizeof(value)))
			continue;
		reply_row(x->reply, "option");
		reply_str(x->reply, "name", o[i].name);
		reply_str(x->reply, "value", value);
		reply_str(x->reply, "origin", origin_text(from, sizeof(from),
				x->ph->config, o[i].name));
		reply_bool(x->reply, "changed", !o[i].def ||
			   strcmp(value, o[i].def));
	}
}


/* Reload ------------------------------------------------------------------- */

static void change_row(struct cmd *x, const char *what, const char *name,
		       const char *change, const char *old, const char *fresh)
{
	reply_row(x->reply, "change");
	reply_str(x->reply, "what", what);
	reply_str(x->reply, "name", name);
	reply_str(x->reply, "change", change);
	reply_str(x->reply, "old", old);
	reply_str(x->reply, "new", fresh);
}


static void change_handler(const struct option *o, const char *old,
			   const char *fresh, bool kept, void *arg)
{
	change_row(arg, "option", o->name, kept ? "kept for this run" :
		   o->restart ? "from the next start" : "changed", old,
		   fresh);
}


struct wanted {
	struct account_conf *v;
	size_t n, cap;
};


static int wanted_handler(const struct account_conf *ac, void *arg)
{
	struct wanted *w = arg;

	if (w->n == w->cap) {
		const size_t cap = w->cap ? 2 * w->cap : 8;
		struct account_conf *v = mem_zalloc(cap * sizeof(*v), NULL);

		if (!v)
			return ENOMEM;
		if (w->n)
			memcpy(v, w->v, w->n * sizeof(*v));
		if (w->v)
			explicit_bzero(w->v, w->n * sizeof(*w->v));
		mem_deref(w->v);
		w->v = v;
		w->cap = cap;
	}
	w->v[w->n++] = *ac;

	return 0;
}


static const struct account *account_named(const struct ua *ua,
					   const char *name)
{
	const struct account *a;

	for (size_t i = 0; (a = ua_account(ua, i)); i++) {
		if (!strcmp(account_config(a)->name, name))
			return a;
	}

	return NULL;
}


static bool account_same(const struct account_conf *a,
			 const struct account_conf *b)
{
	size_t n;
	const struct account_param *p = account_param_table(&n);

	if (strcmp(a->aor, b->aor) || strcmp(a->password, b->password) ||
	    strcmp(a->ha1, b->ha1) ||
	    strcmp(a->auth_in_password, b->auth_in_password))
		return false;

	for (size_t i = 0; i < n; i++) {

		char x[1024] = "", y[1024] = "";

		(void)account_param_get(a, p[i].name, x, sizeof(x));
		(void)account_param_get(b, p[i].name, y, sizeof(y));
		if (strcmp(x, y))
			return false;
	}

	return true;
}


/* One of the file, against what there is */
static void account_reload(struct cmd *x, const struct account_conf *ac)
{
	const struct account *a = account_named(x->ph->ua, ac->name);
	char err[UA_ERR] = "";
	int e;

	if (!a)
		e = ua_account_add(x->ph->ua, ac, err);
	else if (account_same(account_config(a), ac))
		return;
	else
		e = ua_account_change(x->ph->ua, a, ac, err);

	change_row(x, "account", ac->name, e ? err : a ? "changed" : "added",
		   "", ac->aor);
}


/* Is there no password yet? What the same command has told once counts: it
 * may have asked a person */
static bool secret_wanted(const struct cmd *x, struct account_conf *ac)
{
	const struct account *a = account_named(x->ph->ua, ac->name);

	if (!ac->password_command[0] || ac->password[0])
		return false;

	if (a && !strcmp(account_config(a)->password_command,
			 ac->password_command))
		memcpy(ac->password, account_config(a)->password,
		       sizeof(ac->password));

	return !ac->password[0];
}


static bool is_wanted(const struct wanted *w, const char *name)
{
	for (size_t i = 0; i < w->n; i++) {
		if (!strcmp(w->v[i].name, name))
			return true;
	}

	return false;
}


/* Those that are no longer in the file, but were */
static void accounts_drop(struct cmd *x, const struct wanted *w)
{
	const struct account *a;
	size_t i = 0;

	while ((a = ua_account(x->ph->ua, i))) {

		const struct account_conf *ac = account_config(a);
		char err[UA_ERR] = "", name[64], aor[CONFIG_STR];

		if (!ac->from_file || is_wanted(w, ac->name)) {
			++i;
			continue;
		}

		snprintf(name, sizeof(name), "%s", ac->name);
		snprintf(aor, sizeof(aor), "%s", ac->aor);
		if (ua_account_remove(x->ph->ua, a, err))
			++i;
		change_row(x, "account", name, err[0] ? err : "removed", aor,
			   "");
	}
}


/* The accounts of the file, one after the other */
struct reloading {
	struct cmd *x;
	struct wanted w;
	size_t i;
	struct secret *secret;
};


static void reloading_destructor(void *arg)
{
	struct reloading *g = arg;

	mem_deref(g->secret);
	if (g->w.v)
		explicit_bzero(g->w.v, g->w.n * sizeof(*g->w.v));
	mem_deref(g->w.v);
}


static void reload_end(struct cmd *x)
{
	char path[1024], err[CONFIG_ERR] = "";

	if (*contacts_error(x->ph->contacts))
		change_row(x, "contacts", "", contacts_error(x->ph->contacts),
			   "", "");
	if (!file_of(x, path, sizeof(path), "dialplan") &&
	    check_dialplan(path, err))
		change_row(x, "dialplan", "", err, "", "");

	if (!x->reply->records.tail ||
	    ((struct reply_record *)x->reply->records.tail->data)->head)
		reply_text(x->reply, "nothing has changed");
}


static void reload_accounts(struct reloading *g);


static void no_secret(struct reloading *g, const char *why)
{
	const struct account_conf *ac = &g->w.v[g->i++];
	char text[SECRET_ERR + 40];

	snprintf(text, sizeof(text), "not %s: password-command: %s",
		 account_named(g->x->ph->ua, ac->name) ? "changed" : "added",
		 why);
	change_row(g->x, "account", ac->name, text, "", ac->aor);
}


static void secret_handler(const char *password, const char *why, void *arg)
{
	struct reloading *g = arg;
	struct account_conf *ac = &g->w.v[g->i];

	g->secret = mem_deref(g->secret);
	if (password) {
		snprintf(ac->password, sizeof(ac->password), "%s", password);
		account_reload(g->x, ac);
		++g->i;
	}
	else {
		no_secret(g, why);
	}

	reload_accounts(g);
}


static void reload_accounts(struct reloading *g)
{
	struct cmd *x = g->x;

	while (g->i < g->w.n) {

		struct account_conf *ac = &g->w.v[g->i];
		int e;

		if (!secret_wanted(x, ac)) {
			account_reload(x, ac);
			++g->i;
			continue;
		}

		e = secret_run(&g->secret, ac->password_command,
			       secret_handler, g);
		if (!e) {
			cmd_wait(x, SECRET_WAIT_MS, NULL);
			return;
		}
		no_secret(g, strerror(e));
	}

	reload_end(x);
	if (x->waiting)
		cmd_done(x);
}


static void config_reload_all(struct cmd *x)
{
	struct reloading *g = cmd_state(x, sizeof(*g), reloading_destructor);
	char path[1024], err[CONFIG_ERR] = "";
	struct media_conf mc;
	int e;

	if (!g)
		return;
	g->x = x;

	/* both are read before either counts */
	e = file_of(x, path, sizeof(path), "accounts");
	if (!e)
		e = accounts_load(path, wanted_handler, &g->w, err);
	if (!e)
		e = file_of(x, path, sizeof(path), "offhook.conf");
	if (!e) {
		reply_list(x->reply, "change");
		e = config_reload(x->ph->config, path, change_handler, x,
				  err);
	}
	if (e) {
		(void)cmd_wrong(x, "bad-config", "%s",
				err[0] ? err : strerror(e));
		return;
	}

	if (x->ph->media) {
		phone_media_conf(&mc, x->ph->config);
		media_configure(x->ph->media, &mc);
	}
	phone_log_conf(x->ph->config);

	if (!x->ph->ua) {
		reload_end(x);
		return;
	}

	accounts_drop(x, &g->w);
	reload_accounts(g);
}


/* Save --------------------------------------------------------------------- */

/* The value in force into what the file says; *same: it says so already */
static int keep(struct config *c, const struct cmd *x, const char *name,
		bool *same, char *err)
{
	char now[CONFIG_STR], was[CONFIG_STR];
	int e = config_get(x->ph->config, name, now, sizeof(now));

	if (!e)
		e = config_get(c, name, was, sizeof(was));
	if (e)
		return e;

	*same = !strcmp(now, was);

	return *same ? 0 : config_set(c, name, now, err);
}


/* Into offhook.conf: the options named, or all that `set` has changed */
static void config_keep(struct cmd *x)
{
	char path[1024] = "", err[CONFIG_ERR] = "";
	const bool named = cmd_value(x, "option", 0) != NULL;
	size_t n, count = 0;
	const struct option *o = option_table(&n);
	struct config *c = NULL;
	const char *name;
	int e;

	e = file_of(x, path, sizeof(path), "offhook.conf");
	if (e)
		snprintf(err, sizeof(err), "there is no configuration "
			 "directory");
	if (!e)
		e = config_alloc(&c);
	if (!e)
		e = config_load(c, path, err);

	reply_list(x->reply, "option");
	for (size_t i = 0; !e && (named ? cmd_value(x, "option", i) != NULL :
				  i < n); i++) {
		bool same = false;

		name = named ? cmd_value(x, "option", i)->s : o[i].name;
		if (!named && config_origin(x->ph->config, name, NULL) !=
		    CONFIG_COMMAND)
			continue;
		e = option_find(name) ? keep(c, x, name, &same, err) : ENOENT;
		if (e || same)
			continue;
		++count;
		reply_row(x->reply, "option");
		reply_str(x->reply, "name", name);
		if (!config_get(x->ph->config, name, err, sizeof(err)))
			reply_str(x->reply, "value", err);
		err[0] = '\0';
	}

	if (!e && count)
		e = config_save(c, path, err);
	mem_deref(c);

	if (e == EINVAL || e == ERANGE || e == ENOENT)
		(void)cmd_wrong(x, "bad-config", "%s", err[0] ? err :
				strerror(e));
	else if (e)
		reply_error(x->reply, error_token(e), "%s", err[0] ? err :
			    strerror(e));
	else if (!count)
		reply_text(x->reply, "nothing to save: %s says so already",
			   path);
	else
		reply_text(x->reply, "%zu option%s saved in %s", count,
			   count == 1 ? "" : "s", path);
	reply_silent(x->reply);
}


static void cmd_config(struct cmd *x)
{
	const char *what = cmd_str(x, "what");

	if (cmd_value(x, "option", 0) && strcmp(what, "save") &&
	    strcmp(what, "show")) {
		(void)cmd_wrong(x, "too-many-arguments", "options are named "
				"for `config show` and `config save` only");
		return;
	}

	if (!strcmp(what, "save"))
		config_keep(x);
	else if (!strcmp(what, "check"))
		config_check(x);
	else if (!strcmp(what, "reload"))
		config_reload_all(x);
	else
		config_show(x);
}


static const struct command rows_phone[] = {
	{
		.name = "config",
		.args = ARGS(
			{ .name = "what", .type = ARG_CHOICE,
			  .choices = "check,show,reload,save",
			  .summary = "check the files, show what is in force, "
				     "read them again, or write what was set" },
			{ .name = "option", .type = ARG_OPTION,
			  .optional = true, .many = true,
			  .summary = "of show and save: only these" }
		),
		.summary = "Check, show, reload or save the configuration",
		.help = "`config check` reads the files of the configuration "
			"directory and says what is wrong in which line; "
			"nothing is changed. `config show` tells what is in "
			"force, of all options or of those named, and where "
			"each value comes from: default, a line of the file, "
			"--set, or `set`. `config reload` reads options and "
			"accounts again and tells what that changes: nothing "
			"when there is a mistake in one of them. What this "
			"run was told by --set, `set` and --account stays. "
			"A password-command runs for accounts that are new, or "
			"have another one now. "
			"`config save` writes into offhook.conf what `set` "
			"has changed in this run, or the options named as "
			"they are in force; the rest of the file, and its "
			"comments, stay as they are.",
		.alone = true,
		.run = cmd_config,
	},
	{
		.name = "log",
		.args = ARGS(
			{ .name = "what", .type = ARG_WORD, .optional = true,
			  .summary = "levels, as in info,sip=debug; reopen, "
				     "for a file that was renamed; or "
				     "default, as the options say" }
		),
		.summary = "Say how much the log tells of what, and where",
		.help = "A level is error, warn, info or debug; alone it is "
			"for all, behind the name of a module and = for that "
			"one. It counts at once, until the end; options "
			"log-levels, log-format, log-size and log-keep say "
			"it for good. SIGUSR1 opens the file anew as `log "
			"reopen` does. Without an argument: what is in force, "
			"where lines go, how many were not taken, and all "
			"modules.",
		.alone = true,
		.run = cmd_log,
	},
};

const struct command_group group_phone = {
	"the phone itself", rows_phone, ARRAY_SIZE(rows_phone)
};
