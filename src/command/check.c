/**
 * @file check.c  One value against the row that asks for it
 *
 * A word of a line and a value of a request come here alike, so both mean
 * the same.  What is wrong is told with what would be right, under the name
 * the user wrote.  Values come from scripts and sockets: each has a limit.
 * Main thread.
 */
#include <ctype.h>
#include <stdio.h>
#include "priv.h"

enum { FILE_MAX = 511, TARGET_MAX = 255 };


/* Short and safe to show in a sentence */
static const char *shown(char buf[80], const char *s)
{
	return text_escape(buf, 80, s, strlen(s));
}


const char *hint_text(char *buf, size_t sz, const char *word,
		      text_name_h *name_h, const void *arg,
		      const char *otherwise)
{
	const char *near = text_nearest(word, name_h, arg);

	if (near)
		snprintf(buf, sz, "did you mean '%s'?", near);
	else
		snprintf(buf, sz, "%s", otherwise);

	return buf;
}


const char *bound_name(const struct cmd *x, const struct bound *v, char *buf,
		       size_t sz)
{
	snprintf(buf, sz, "%s%s", v->dashes ? "--" : "", v->arg->name);

	for (char *p = buf; x->request && *p; p++) {
		if (*p == '-')
			*p = '_';
	}

	return buf;
}


static int bad(struct cmd *x, const struct bound *v, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "--for is 'x'; " and what it takes */
static int bad(struct cmd *x, const struct bound *v, const char *fmt, ...)
{
	char name[80], show[80], takes[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(takes, sizeof(takes), fmt, ap);
	va_end(ap);

	return cmd_wrong(x, "bad-argument", "%s is '%s'; %s",
			 bound_name(x, v, name, sizeof(name)),
			 shown(show, v->s), takes);
}


/* Names to choose from ---------------------------------------------------- */

struct choices {
	char text[256];
	const char *v[24];
};


static void choices_split(struct choices *c, const char *list)
{
	char *p = c->text;
	size_t n = 0;

	snprintf(c->text, sizeof(c->text), "%s", list);

	while (p && n + 1 < ARRAY_SIZE(c->v))
		c->v[n++] = strsep(&p, ",");

	c->v[n] = NULL;
}


static const char *choice_h(size_t i, const void *arg)
{
	return ((const struct choices *)arg)->v[i];
}


static const char *option_h(size_t i, const void *arg)
{
	size_t n;
	const struct option *v = option_table(&n);
	(void)arg;

	return i < n ? v[i].name : NULL;
}


static const char *command_h(size_t i, const void *arg)
{
	const struct command *c = command_at(i);
	(void)arg;

	return c ? c->name : NULL;
}


static int check_choice(struct cmd *x, struct bound *v)
{
	const struct command_arg *a = v->arg;
	char takes[320], hint[320];
	struct choices c;

	choices_split(&c, a->choices);

	for (size_t i = 0; c.v[i]; i++) {
		if (!strcmp(c.v[i], v->s))
			return 0;
	}

	if (a->max && !text_i64(&v->i, v->s, a->min, a->max)) {
		v->number = true;
		return 0;
	}

	if (a->max)
		snprintf(takes, sizeof(takes), "it takes %s or a number from "
			 "%lld to %lld", a->choices, (long long)a->min,
			 (long long)a->max);
	else
		snprintf(takes, sizeof(takes), "it takes %s%s",
			 strchr(a->choices, ',') ? "one of " : "",
			 a->choices);

	return bad(x, v, "%s", hint_text(hint, sizeof(hint), v->s, choice_h,
					 &c, takes));
}


static int check_account(struct cmd *x, const char *s)
{
	char show[80];

	if (!x->ph->ua || ua_account_find(x->ph->ua, s))
		return 0;

	return cmd_wrong(x, "no-such-account", "there is no account '%s'; "
			 "see 'accounts'", shown(show, s));
}


static int check_option(struct cmd *x, const struct bound *v)
{
	char name[64], show[80], hint[128];

	/* where a value follows, NAME=VALUE is one word for both */
	snprintf(name, sizeof(name), "%.*s", v->arg[1].name ?
		 (int)strcspn(v->s, "=") : (int)strlen(v->s), v->s);

	if (option_find(name))
		return 0;

	return cmd_wrong(x, "unknown-option", "there is no option '%s'; %s",
			 shown(show, name),
			 hint_text(hint, sizeof(hint), name, option_h, NULL,
				   "see 'show'"));
}


static int check_command(struct cmd *x, const char *s)
{
	char show[80], hint[128];

	/* `help` knows options, too; what is run is a command */
	if (command_find(s) || (x->command->name[0] && option_find(s)))
		return 0;

	return cmd_wrong(x, "unknown-command", "there is no command '%s'; %s",
			 shown(show, s),
			 hint_text(hint, sizeof(hint), s, command_h, NULL,
				   "see 'help'"));
}


/* Numbers ----------------------------------------------------------------- */

static int check_number(struct cmd *x, struct bound *v)
{
	const struct command_arg *a = v->arg;
	const int64_t min = a->max ? a->min : INT64_MIN;
	const int64_t max = a->max ? a->max : INT64_MAX;
	int err;

	if (a->type == ARG_DOUBLE) {
		err = text_double(&v->d, v->s, a->max ? (double)min : -1e12,
				  a->max ? (double)max : 1e12);
		v->i = err ? 0 : (int64_t)v->d;
	}
	else {
		err = text_i64(&v->i, v->s, min, max);
		v->d = (double)v->i;
	}

	if (!err)
		return 0;

	if (!a->max)
		return bad(x, v, "it takes a number");

	return bad(x, v, "it takes a number from %lld to %lld",
		   (long long)a->min, (long long)a->max);
}


static int check_time(struct cmd *x, struct bound *v)
{
	const struct command_arg *a = v->arg;
	char min[32], max[32];

	if (text_duration(&v->ms, v->s))
		return bad(x, v, "it takes a time such as 10s, 500ms, 2m or "
			   "1h");

	if (a->max && (v->ms < (uint64_t)a->min ||
		       v->ms > (uint64_t)a->max)) {
		text_duration_print(min, sizeof(min), (uint64_t)a->min);
		text_duration_print(max, sizeof(max), (uint64_t)a->max);
		return bad(x, v, "it takes a time from %s to %s", min, max);
	}

	return 0;
}


/* The whole URI of its peer, the user in it, or the name that is shown */
static bool peer_is(const struct call *c, const char *s)
{
	const char *uri = call_peer(c), *user = strchr(uri, ':');
	const size_t n = user ? strcspn(++user, "@;?") : 0;

	return !strcasecmp(uri, s) || !strcasecmp(call_peer_name(c), s) ||
		(n == strlen(s) && user[n] == '@' && !strncmp(user, s, n));
}


/* By its Call-ID, or by a peer who is in no other call. @return how many */
static unsigned call_named(uint32_t *id, const struct ua *ua, const char *s)
{
	struct call *c = NULL;
	unsigned n = 0;

	while (*s && ua && (c = ua_call_next(ua, c))) {

		if (call_state(c) == CALL_ENDED)
			continue;
		if (!strcmp(call_sip_id(c), s)) {
			*id = call_id(c);
			return 1;
		}
		if (peer_is(c, s)) {
			*id = call_id(c);
			++n;
		}
	}

	return n;
}


static int check_call(struct cmd *x, struct bound *v)
{
	const struct ua *ua = x->ph->ua;
	uint32_t id = 0, named = 0;
	unsigned n = 0;
	char show[80];

	if (text_u32(&id, v->s, strlen(v->s), INT32_MAX))
		id = 0;

	/* a number of ours means that call, also when it is over */
	if (!id || (!ua_call(ua, id) && !ua_call_record(ua, id)))
		n = call_named(&named, ua, v->s);

	if (n > 1)
		return cmd_wrong(x, "bad-argument", "there are %u calls with "
				 "'%s': say which one by its number; see "
				 "'calls'", n, shown(show, v->s));
	if (n == 1)
		id = named;
	if (!id)
		return cmd_wrong(x, "bad-argument", "'%s' is no call's "
				 "number, Call-ID or other side; see 'calls'",
				 shown(show, v->s));

	v->i = id;

	return 0;
}


/* Text -------------------------------------------------------------------- */

static int check_digits(struct cmd *x, const char *s)
{
	const size_t ok = strspn(s, "0123456789*#ABCDabcd!,wW");

	if (!*s || strlen(s) > DIGITS_MAX)
		return cmd_wrong(x, "bad-argument", "digits: 1 to %d of 0-9 "
				 "* # A-D, with ',' and 'w' for pauses",
				 DIGITS_MAX);

	if (s[ok]) {
		char c[2] = { s[ok], '\0' }, show[80];

		return cmd_wrong(x, "bad-argument", "digits: '%s' is no key; "
				 "it takes 0-9 * # A-D, with ',' and 'w' for "
				 "pauses", shown(show, c));
	}

	return 0;
}


static bool has_control(const char *s)
{
	for (; *s; s++) {
		if (iscntrl((unsigned char)*s))
			return true;
	}

	return false;
}


static int check_text(struct cmd *x, const struct bound *v)
{
	const enum arg_type type = v->arg->type;
	const size_t max = type == ARG_FILE ? FILE_MAX :
		type == ARG_TARGET || type == ARG_DEVICE ? TARGET_MAX :
		TEXT_MAX;
	char name[80];

	(void)bound_name(x, v, name, sizeof(name));

	if (!*v->s && type != ARG_WORD && type != ARG_REST)
		return cmd_wrong(x, "bad-argument", "%s is empty", name);

	if (strlen(v->s) > max)
		return cmd_wrong(x, "bad-argument", "%s is longer than %zu "
				 "bytes", name, max);

	if (type == ARG_TARGET && has_control(v->s))
		return cmd_wrong(x, "bad-argument", "%s has a control "
				 "character", name);

	return 0;
}


int bound_check(struct cmd *x, struct bound *v)
{
	switch (v->arg->type) {

	case ARG_NONE:    return 0;
	case ARG_CALL:    return check_call(x, v);
	case ARG_ACCOUNT: return check_account(x, v->s);
	case ARG_TIME:    return check_time(x, v);
	case ARG_OPTION:  return check_option(x, v);
	case ARG_COMMAND: return check_command(x, v->s);
	case ARG_CHOICE:  return check_choice(x, v);
	case ARG_INT:
	case ARG_DOUBLE:  return check_number(x, v);
	case ARG_DIGITS:  return check_digits(x, v->s);
	case ARG_TARGET:
	case ARG_DEVICE:
	case ARG_FILE:
	case ARG_WORD:
	case ARG_REST:    return check_text(x, v);
	}

	return 0;
}
