/**
 * @file bind.c  Words or JSON into the typed values a row asks for
 *
 * One function checks a value of each type; both ways in use it, so a line
 * and a request mean the same.  What is wrong is told with what would be
 * right.  Handlers receive valid values only.  Main thread.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include "json.h"
#include "priv.h"

enum { VALUE_MAX = 8192, FILE_MAX = 511 };


static void bound_destructor(void *arg)
{
	struct bound *v = arg;

	list_unlink(&v->le);
	mem_deref(v->s);
}


static int wrong(struct cmd *x, const char *token, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int wrong(struct cmd *x, const char *token, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	reply_error(x->reply, token, "%s", text);
	reply_usage(x->reply);

	return EINVAL;
}


static int usage(struct cmd *x, const char *token, const char *what)
{
	struct text_buf b = { .max = 2048 };

	command_usage(&b, x->command);
	wrong(x, token, "%s; usage: %s", what, b.s ? b.s : "");
	text_buf_reset(&b);

	return EINVAL;
}


/* Short and safe to show in a sentence */
static const char *shown(char buf[80], const char *s)
{
	return text_escape(buf, 80, s, strlen(s));
}


/* Choices ---------------------------------------------------------------- */

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


static int bind_choice(struct cmd *x, struct bound *v, const char *s)
{
	const struct command_arg *a = v->arg;
	struct choices c;
	const char *near;
	char show[80];

	choices_split(&c, a->choices);

	for (size_t i = 0; c.v[i]; i++) {
		if (!strcmp(c.v[i], s))
			return 0;
	}

	if (a->max && !text_i64(&v->i, s, a->min, a->max)) {
		v->number = true;
		return 0;
	}

	near = text_nearest(s, choice_h, &c);
	if (near)
		return wrong(x, "bad-argument", "%s is '%s'; did you mean "
			     "'%s'?", a->name, shown(show, s), near);
	if (a->max)
		return wrong(x, "bad-argument", "%s is '%s'; it takes %s or "
			     "a number from %lld to %lld", a->name,
			     shown(show, s), a->choices, (long long)a->min,
			     (long long)a->max);

	return wrong(x, "bad-argument", "%s is '%s'; it takes one of %s",
		     a->name, shown(show, s), a->choices);
}


/* Values ----------------------------------------------------------------- */

static bool has_control(const char *s)
{
	for (; *s; s++) {
		if (iscntrl((unsigned char)*s))
			return true;
	}

	return false;
}


static int bind_number(struct cmd *x, struct bound *v, const char *s)
{
	const struct command_arg *a = v->arg;
	const int64_t min = a->max ? a->min : INT64_MIN;
	const int64_t max = a->max ? a->max : INT64_MAX;
	char show[80];
	int err;

	if (a->type == ARG_DOUBLE) {
		err = text_double(&v->d, s, a->max ? (double)min : -1e12,
				  a->max ? (double)max : 1e12);
		v->i = err ? 0 : (int64_t)v->d;
	}
	else {
		err = text_i64(&v->i, s, min, max);
		v->d = (double)v->i;
	}

	if (!err)
		return 0;

	if (!a->max)
		return wrong(x, "bad-argument", "%s is '%s'; it takes a "
			     "number", a->name, shown(show, s));

	return wrong(x, "bad-argument", "%s is '%s'; it takes a number from "
		     "%lld to %lld", a->name, shown(show, s),
		     (long long)a->min, (long long)a->max);
}


static int bind_time(struct cmd *x, struct bound *v, const char *s)
{
	const struct command_arg *a = v->arg;
	char show[80], min[32], max[32];

	if (text_duration(&v->ms, s))
		return wrong(x, "bad-argument", "%s is '%s'; it takes a time "
			     "such as 10s, 500ms, 2m or 1h", a->name,
			     shown(show, s));

	if (a->max && (v->ms < (uint64_t)a->min ||
		       v->ms > (uint64_t)a->max)) {
		text_duration_print(min, sizeof(min), a->min);
		text_duration_print(max, sizeof(max), a->max);
		return wrong(x, "bad-argument", "%s is '%s'; it takes a time "
			     "from %s to %s", a->name, shown(show, s), min,
			     max);
	}

	return 0;
}


static int bind_call(struct cmd *x, struct bound *v, const char *s)
{
	char show[80];
	uint32_t id;

	if (text_u32(&id, s, strlen(s), INT32_MAX) || !id)
		return wrong(x, "bad-argument", "'%s' is no call's number; "
			     "see 'calls'", shown(show, s));

	v->i = id;

	return 0;
}


static int bind_account(struct cmd *x, const char *s)
{
	char show[80];

	if (!x->ph->ua || ua_account_find(x->ph->ua, s))
		return 0;

	return wrong(x, "no-such-account", "there is no account '%s'; see "
		     "'accounts'", shown(show, s));
}


static int bind_option(struct cmd *x, const char *s)
{
	const char *near;
	char show[80], name[64];

	/* set takes NAME=VALUE in one word too */
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(s, "="), s);

	if (option_find(name))
		return 0;

	near = text_nearest(name, option_h, NULL);

	return near ?
		wrong(x, "unknown-option", "there is no option '%s'; did you "
		      "mean '%s'?", shown(show, name), near) :
		wrong(x, "unknown-option", "there is no option '%s'; see "
		      "'show'", shown(show, name));
}


static int bind_command(struct cmd *x, const char *s)
{
	const char *near;
	char show[80];

	if (command_find(s))
		return 0;

	near = text_nearest(s, command_h, NULL);

	return near ?
		wrong(x, "unknown-command", "there is no command '%s'; did "
		      "you mean '%s'?", shown(show, s), near) :
		wrong(x, "unknown-command", "there is no command '%s'; see "
		      "'help'", shown(show, s));
}


static int bind_digits(struct cmd *x, const char *s)
{
	const size_t ok = strspn(s, "0123456789*#ABCDabcd,wW");

	if (!*s || strlen(s) > DIGITS_MAX)
		return wrong(x, "bad-argument", "digits: 1 to %d of 0-9 * # "
			     "A-D, with ',' and 'w' for pauses", DIGITS_MAX);

	if (s[ok]) {
		char c[2] = { s[ok], '\0' }, show[80];

		return wrong(x, "bad-argument", "digits: '%s' is no key; it "
			     "takes 0-9 * # A-D, with ',' and 'w' for pauses",
			     shown(show, c));
	}

	return 0;
}


static int bind_text(struct cmd *x, const struct command_arg *a,
		     const char *s)
{
	const size_t max = a->type == ARG_FILE ? FILE_MAX :
		a->type == ARG_TARGET || a->type == ARG_DEVICE ? 255 :
		TEXT_MAX;

	if (!*s && a->type != ARG_WORD && a->type != ARG_REST)
		return wrong(x, "bad-argument", "%s is empty", a->name);

	if (strlen(s) > max)
		return wrong(x, "bad-argument", "%s is longer than %zu bytes",
			     a->name, max);

	if (a->type == ARG_TARGET && has_control(s))
		return wrong(x, "bad-argument", "%s has a control character",
			     a->name);

	return 0;
}


static int value_check(struct cmd *x, struct bound *v, const char *s)
{
	switch (v->arg->type) {

	case ARG_NONE:    return 0;
	case ARG_CALL:    return bind_call(x, v, s);
	case ARG_ACCOUNT: return bind_account(x, s);
	case ARG_TIME:    return bind_time(x, v, s);
	case ARG_OPTION:  return bind_option(x, s);
	case ARG_COMMAND: return bind_command(x, s);
	case ARG_CHOICE:  return bind_choice(x, v, s);
	case ARG_INT:
	case ARG_DOUBLE:  return bind_number(x, v, s);
	case ARG_DIGITS:  return bind_digits(x, s);
	case ARG_TARGET:
	case ARG_DEVICE:
	case ARG_FILE:
	case ARG_WORD:
	case ARG_REST:    return bind_text(x, v->arg, s);
	}

	return 0;
}


static int value_bind(struct cmd *x, const struct command_arg *a,
		      const char *s)
{
	struct bound *v;
	int err;

	if (!a->many && cmd_has(x, a->name))
		return wrong(x, "bad-argument", "%s is given twice", a->name);

	v = mem_zalloc(sizeof(*v), bound_destructor);
	if (!v || str_dup(&v->s, s)) {
		mem_deref(v);
		reply_error(x->reply, "no-memory", "out of memory");
		return ENOMEM;
	}

	v->arg = a;
	list_append(&x->values, &v->le, v);

	err = value_check(x, v, s);
	if (err)
		mem_deref(v);

	return err;
}


static const struct command_arg *arg_find(const struct command_arg *v,
					  const char *name)
{
	for (; v->name; v++) {
		if (!strcmp(v->name, name))
			return v;
	}

	return NULL;
}


struct arg_names {
	const struct command *command;
};


static const char *arg_h(size_t i, const void *arg)
{
	const struct command *c = ((const struct arg_names *)arg)->command;
	size_t n = 0;

	for (; c->options[n].name; n++) {
		if (n == i)
			return c->options[n].name;
	}

	for (size_t k = 0; c->args[k].name; k++) {
		if (n + k == i)
			return c->args[k].name;
	}

	return NULL;
}


static int unknown_arg(struct cmd *x, const char *name, const char *dashes)
{
	const struct arg_names names = { x->command };
	const char *near = text_nearest(name, arg_h, &names);
	char show[80], what[320];

	if (near)
		return wrong(x, "unknown-option", "'%s' has no %s%s; did you "
			     "mean %s%s?", x->command->name, dashes,
			     shown(show, name), dashes, near);

	snprintf(what, sizeof(what), "'%s' has no %s%s", x->command->name,
		 dashes, shown(show, name));

	return usage(x, "unknown-option", what);
}


static int missing(struct cmd *x)
{
	for (const struct command_arg *a = x->command->args; a->name; a++) {

		char what[160];

		if (a->optional || cmd_has(x, a->name))
			continue;

		snprintf(what, sizeof(what), "'%s' needs %s%s",
			 x->command->name,
			 strchr("aeiou", a->name[0]) ? "an " : "a ", a->name);

		return usage(x, "missing-argument", what);
	}

	return 0;
}


/* Words ------------------------------------------------------------------ */

/* "--name", "--name value", "--name=value" at w->v[*i] */
static int bind_option_word(struct cmd *x, const struct words *w, size_t *i)
{
	const char *p = w->v[*i] + 2;
	const char *eq = strchr(p, '=');
	const struct command_arg *a;
	char name[64], what[160];

	snprintf(name, sizeof(name), "%.*s",
		 (int)(eq ? eq - p : (ptrdiff_t)strlen(p)), p);

	a = arg_find(x->command->options, name);
	if (!a)
		a = arg_find(x->command->args, name);
	if (!a)
		return unknown_arg(x, name, "--");

	if (a->type == ARG_NONE) {
		if (eq)
			return wrong(x, "bad-argument", "--%s takes no value",
				     a->name);
		return value_bind(x, a, "");
	}

	if (eq)
		return value_bind(x, a, eq + 1);

	if (*i + 1 >= w->n) {
		snprintf(what, sizeof(what), "--%s needs a value", a->name);
		return usage(x, "missing-argument", what);
	}

	return value_bind(x, a, w->v[++*i]);
}


static int bind_rest(struct cmd *x, const struct command_arg *a,
		     const struct words *w, size_t i)
{
	struct text_buf b = { .max = TEXT_MAX };
	int err;

	for (size_t k = i; k < w->n; k++)
		text_add(&b, "%s%s", k > i ? " " : "", w->v[k]);

	err = b.err ? wrong(x, "line-too-long", "%s is too long", a->name) :
		value_bind(x, a, b.s ? b.s : "");
	text_buf_reset(&b);

	return err;
}


int bind_words(struct cmd *x, const struct words *w, size_t first)
{
	const struct command_arg *a = x->command->args;
	const bool takes_options = x->command->options[0].name;
	bool options = true;
	int err = 0;

	for (size_t i = first; i < w->n && !err; i++) {

		const char *s = w->v[i];

		/* given by name before */
		while (a->name && !a->many && cmd_has(x, a->name))
			++a;

		if (options && !strcmp(s, "--")) {
			options = false;
		}
		else if (options && !strncmp(s, "--", 2) &&
			 (takes_options || a->type != ARG_REST)) {
			err = bind_option_word(x, w, &i);
		}
		else if (!a->name) {
			char what[160], show[80];

			snprintf(what, sizeof(what), "'%s' does not take "
				 "'%s'", x->command->name, shown(show, s));
			err = usage(x, "too-many-arguments", what);
		}
		else if (a->type == ARG_REST) {
			err = bind_rest(x, a, w, i);
			break;
		}
		else {
			err = value_bind(x, a, s);
			if (!a->many)
				++a;
		}
	}

	return err ? err : missing(x);
}


/* JSON ------------------------------------------------------------------- */

static int bind_json_one(struct cmd *x, const struct command_arg *a,
			 const json_t *j)
{
	char num[64];

	switch (json_typeof(j)) {

	case JSON_STRING:
		if (a->type == ARG_NONE)
			break;
		if (strlen(json_string_value(j)) != json_string_length(j))
			return wrong(x, "bad-argument", "%s has a NUL",
				     a->name);
		if (json_string_length(j) > VALUE_MAX)
			return wrong(x, "bad-argument", "%s is longer than %d "
				     "bytes", a->name, VALUE_MAX);
		return value_bind(x, a, json_string_value(j));

	case JSON_INTEGER:
		if (a->type == ARG_NONE)
			break;
		snprintf(num, sizeof(num), "%lld",
			 (long long)json_integer_value(j));
		return value_bind(x, a, num);

	case JSON_REAL:
		if (a->type != ARG_DOUBLE && a->type != ARG_TIME &&
		    a->type != ARG_WORD)
			break;
		snprintf(num, sizeof(num), "%.6f", json_real_value(j));
		return value_bind(x, a, num);

	case JSON_TRUE:
	case JSON_FALSE:
		if (a->type == ARG_NONE)
			return json_is_true(j) ? value_bind(x, a, "") : 0;
		if (a->type == ARG_CHOICE && !strncmp(a->choices, "on,off", 6))
			return value_bind(x, a,
					  json_is_true(j) ? "on" : "off");
		break;

	case JSON_NULL:
		return 0;

	default:
		break;
	}

	return wrong(x, "bad-argument", "%s takes %s", a->name,
		     a->type == ARG_NONE ? "true or false" :
		     a->many ? "a string or an array of strings" :
		     a->type == ARG_INT || a->type == ARG_DOUBLE ||
		     a->type == ARG_CALL ? "a number" : "a string");
}


int bind_json(struct cmd *x, const json_t *args)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)args, key, value) {

		const struct command_arg *a;
		char name[64];
		int err = 0;

		snprintf(name, sizeof(name), "%s", key);
		for (char *p = name; *p; p++) {
			/* one spelling only: JSON has no hyphens */
			*p = *p == '_' ? '-' : *p == '-' ? '_' : *p;
		}

		a = arg_find(x->command->args, name);
		if (!a)
			a = arg_find(x->command->options, name);
		if (!a)
			return unknown_arg(x, name, "");

		if (json_is_array(value) && a->many) {

			const size_t n = json_array_size(value);

			if (n > WORDS_MAX)
				return wrong(x, "bad-argument", "%s has more "
					     "than %d values", a->name,
					     WORDS_MAX);

			for (size_t i = 0; i < n && !err; i++)
				err = bind_json_one(x, a,
						    json_array_get(value, i));
		}
		else {
			err = bind_json_one(x, a, value);
		}

		if (err)
			return err;
	}

	return missing(x);
}
