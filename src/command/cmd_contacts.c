/**
 * @file cmd_contacts.c  Contacts: list, search, add, remove, bring in and out
 *
 * The file is the user's: it is written around what he wrote there.  Main
 * thread.
 */
#include <stdio.h>
#include "offhook/path.h"
#include "kept.h"

enum { FOUND_MAX = 1000, VCARD_MAX = 16 << 20 };


/* How it can be reached, as it told last */
static void reply_lamp(struct reply *r, const struct phone *ph,
		       const struct contact_conf *c)
{
	const struct lamp *l = lamps_find(ph->lamps, c->uri, c->account);

	if (ph->lamps && c->presence)
		reply_str(r, "watch", lamps_watch(ph->lamps, c, false));
	if (ph->lamps && c->lamp)
		reply_str(r, "lamp-watch", lamps_watch(ph->lamps, c, true));
	if (!l)
		return;

	if (l->status[0])
		reply_str(r, "status", l->status);
	if (l->activity[0])
		reply_str(r, "activity", l->activity);
	if (l->note[0])
		reply_str(r, "says", l->note);
	if (l->calls[0])
		reply_str(r, "calls", l->calls);
	if (l->peer[0])
		reply_str(r, "peer", l->peer);
}


static void reply_contact(struct reply *r, const struct phone *ph,
			  const struct contact_conf *c)
{
	reply_row(r, "contact");
	reply_str(r, "name", c->name);
	reply_str(r, "uri", c->uri);
	if (c->account[0])
		reply_str(r, "account", c->account);
	if (c->speed)
		reply_int(r, "speed", c->speed);
	if (c->presence)
		reply_bool(r, "presence", true);
	if (c->lamp)
		reply_bool(r, "lamp", true);
	if (c->ring[0])
		reply_str(r, "ring", c->ring);
	if (c->note[0])
		reply_str(r, "note", c->note);
	reply_lamp(r, ph, c);
}


static bool readable(struct cmd *x)
{
	const char *err = contacts_error(x->ph->contacts);

	if (*err)
		(void)cmd_wrong(x, "bad-config", "%s", err);

	return !*err;
}


void cmd_contacts(struct cmd *x)
{
	const struct contact_conf **v;
	const char *search = cmd_str(x, "search");
	size_t n = contacts_count(x->ph->contacts);

	if (!readable(x))
		return;

	reply_list(x->reply, "contact");

	if (!search) {
		for (size_t i = 0; i < n; i++)
			reply_contact(x->reply, x->ph,
				      contacts_at(x->ph->contacts, i));
		if (!n)
			reply_text(x->reply, "no contacts");
		return;
	}

	v = calloc(FOUND_MAX, sizeof(*v));
	if (!v) {
		cmd_fail(x, ENOMEM, NULL);
		return;
	}

	n = contacts_search(x->ph->contacts, search, v, FOUND_MAX);
	for (size_t i = 0; i < n; i++)
		reply_contact(x->reply, x->ph, v[i]);
	if (!n)
		reply_text(x->reply, "nobody is called so");

	free(v);
}


/* Changing ----------------------------------------------------------------- */

/* Options of the line that are parameters of the file */
static int options_take(struct cmd *x, struct contact_conf *c)
{
	static const char *const names[] = {
		"account", "speed", "ring", "note",
	};
	char err[CONFIG_ERR] = "";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {

		const char *value = cmd_str(x, names[i]);

		if (value && contact_param_set(c, names[i], value, err))
			return cmd_wrong(x, "bad-argument", "%s", err);
	}

	if (cmd_has(x, "presence"))
		c->presence = true;
	if (cmd_has(x, "lamp"))
		c->lamp = true;

	return 0;
}


static void contact_add(struct cmd *x)
{
	const char *name = cmd_str(x, "name"), *uri = cmd_str(x, "uri");
	const struct contact_conf *old;
	struct contact_conf c;
	char err[CONFIG_ERR] = "", value[CONFIG_STR + 8];
	int e;

	if (!name || !uri) {
		(void)cmd_wrong(x, "missing-argument", "'contact add' needs a "
				"name and an address");
		return;
	}
	if (!readable(x))
		return;

	snprintf(value, sizeof(value), "<%.255s>", uri);
	if (contact_parse(&c, name, *uri == '<' ? uri : value, err)) {
		(void)cmd_wrong(x, "bad-argument", "%s", err);
		return;
	}

	/* what was said of it before stays, but for what is said now */
	old = contacts_find(x->ph->contacts, name);
	if (old) {
		struct contact_conf copy = *old;

		memcpy(copy.name, c.name, sizeof(copy.name));
		memcpy(copy.uri, c.uri, sizeof(copy.uri));
		c = copy;
	}

	if (options_take(x, &c))
		return;

	e = contacts_put(x->ph->contacts, &c, 1, err);
	cmd_fail(x, e, err);
}


static void contact_remove(struct cmd *x)
{
	const char *name = cmd_str(x, "name");
	char err[CONFIG_ERR] = "";
	int e;

	if (!name) {
		(void)cmd_wrong(x, "missing-argument", "whom? 'contact "
				"remove' needs a name");
		return;
	}

	e = contacts_remove(x->ph->contacts, name, err);
	if (e == ENOENT)
		reply_error(x->reply, "no-such-contact", "%s", err);
	else
		cmd_fail(x, e, err);
}


static void contact_import(struct cmd *x)
{
	const char *file = cmd_str(x, "name");
	struct contact_conf *v = NULL;
	char err[CONFIG_ERR] = "", *text = NULL;
	size_t n = 0, len = 0;
	int e;

	if (!file) {
		(void)cmd_wrong(x, "missing-argument", "'contact import' "
				"needs a file of vCards");
		return;
	}

	e = path_read(&text, &len, file, VCARD_MAX);
	if (e)
		snprintf(err, sizeof(err), "%.300s: %s", file, strerror(e));
	else
		e = vcard_read(&v, &n, text, len, err);
	if (!e && n)
		e = contacts_put(x->ph->contacts, v, n, err);

	mem_deref(v);
	free(text);

	if (e) {
		cmd_fail(x, e, err);
		return;
	}

	reply_int(x->reply, "imported", (int64_t)n);
}


static void contact_export(struct cmd *x)
{
	struct text_buf b = { .max = VCARD_MAX };
	const size_t n = contacts_count(x->ph->contacts);
	const char *file = cmd_str(x, "name");
	char err[CONFIG_ERR];
	int e;

	if (!file) {
		(void)cmd_wrong(x, "missing-argument", "'contact export' "
				"needs a file to write");
		return;
	}
	if (!readable(x))
		return;

	for (size_t i = 0; i < n; i++)
		vcard_print(&b, contacts_at(x->ph->contacts, i));

	e = b.err ? b.err : path_write(file, b.s ? b.s : "", b.len, 0600);
	text_buf_reset(&b);

	if (e) {
		snprintf(err, sizeof(err), "%.300s: %s", file, strerror(e));
		cmd_fail(x, e, err);
		return;
	}

	reply_int(x->reply, "exported", (int64_t)n);
}


void cmd_contact(struct cmd *x)
{
	const char *what = cmd_str(x, "what");

	if (!strcmp(what, "add"))
		contact_add(x);
	else if (!strcmp(what, "remove"))
		contact_remove(x);
	else if (!strcmp(what, "import"))
		contact_import(x);
	else
		contact_export(x);

	lamps_settle(x->ph->lamps);
}
