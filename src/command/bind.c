/**
 * @file bind.c  Words or JSON into the typed values a row asks for
 *
 * Which value belongs to which argument or option is found out here, whether
 * it is right in check.c.  Handlers receive valid values only.  Main thread.
 */
#include <stdio.h>
#include "json.h"
#include "priv.h"

enum { VALUE_MAX = 8192 };


static void bound_destructor(void *arg)
{
	struct bound *v = arg;

	list_unlink(&v->le);
	mem_deref(v->s);
}


static int usage(struct cmd *x, const char *token, const char *what)
{
	struct text_buf b = { .max = 2048 };

	command_usage(&b, x->command);
	(void)cmd_wrong(x, token, "%s; usage: %s", what, b.s ? b.s : "");
	text_buf_reset(&b);

	return EINVAL;
}


/* Short and safe to show in a sentence */
static const char *shown(char buf[80], const char *s)
{
	return text_escape(buf, 80, s, strlen(s));
}


/* dashes: it was written --name */
static int value_bind(struct cmd *x, const struct command_arg *a, bool dashes,
		      const char *s)
{
	const bool twice = !a->many && cmd_has(x, a->name);
	struct bound *v;
	char name[80];
	int err;

	v = mem_zalloc(sizeof(*v), bound_destructor);
	if (!v || str_dup(&v->s, s)) {
		mem_deref(v);
		cmd_fail(x, ENOMEM, NULL);
		return ENOMEM;
	}

	v->arg = a;
	v->dashes = dashes;
	list_append(&x->values, &v->le, v);

	err = twice ? cmd_wrong(x, "bad-argument", "%s is given twice",
				bound_name(x, v, name, sizeof(name))) :
		bound_check(x, v);
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


static const struct command_arg *any_find(const struct command *c,
					  const char *name)
{
	const struct command_arg *a = arg_find(command_options(c), name);

	return a ? a : arg_find(command_args(c), name);
}


static const char *arg_h(size_t i, const void *arg)
{
	const struct command *c = arg;
	size_t n = 0;

	for (; command_options(c)[n].name; n++) {
		if (n == i)
			return command_options(c)[n].name;
	}

	for (size_t k = 0; command_args(c)[k].name; k++) {
		if (n + k == i)
			return command_args(c)[k].name;
	}

	return NULL;
}


/* written: as the user did, without dashes; name: with hyphens */
static int unknown_arg(struct cmd *x, const char *written, const char *name,
		       bool dashes)
{
	const char *near = text_nearest(name, arg_h, x->command);
	char show[80], what[320], word[80];

	snprintf(what, sizeof(what), "'%s' has no %s%s", x->command->name,
		 dashes ? "--" : "", shown(show, written));

	if (near) {
		const struct bound v = {
			.arg = any_find(x->command, near), .dashes = dashes,
		};

		return cmd_wrong(x, "unknown-option", "%s; did you mean %s?",
				 what, bound_name(x, &v, word, sizeof(word)));
	}

	return usage(x, "unknown-option", what);
}


static int missing(struct cmd *x)
{
	const struct command_arg *a = command_args(x->command);

	for (; a->name; a++) {

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

	a = any_find(x->command, name);
	if (!a)
		return unknown_arg(x, name, name, true);

	if (a->type == ARG_NONE && eq)
		return cmd_wrong(x, "bad-argument", "--%s takes no value",
				 a->name);
	if (a->type == ARG_NONE)
		return value_bind(x, a, true, "");
	if (eq)
		return value_bind(x, a, true, eq + 1);

	if (*i + 1 >= w->n) {
		snprintf(what, sizeof(what), "--%s needs a value", a->name);
		return usage(x, "missing-argument", what);
	}

	return value_bind(x, a, true, w->v[++*i]);
}


static int bind_rest(struct cmd *x, const struct command_arg *a,
		     const struct words *w, size_t i)
{
	struct text_buf b = { .max = TEXT_MAX };
	int err;

	if (x->command->line) {
		/* it is taken apart once more */
		char line[CLIENT_LINE_MAX + 1];

		b.err = command_join(line, sizeof(line), (int)(w->n - i),
				     (char *const *)w->v + i);
		if (!b.err)
			text_add(&b, "%s", line);
	}
	else {
		for (size_t k = i; k < w->n; k++)
			text_add(&b, "%s%s", k > i ? " " : "", w->v[k]);
	}

	err = b.err ? cmd_wrong(x, "line-too-long", "%s is too long",
				a->name) :
		value_bind(x, a, false, b.s ? b.s : "");
	text_buf_reset(&b);

	return err;
}


int bind_words(struct cmd *x, const struct words *w, size_t first)
{
	const struct command_arg *a = command_args(x->command);
	const bool takes_options = command_options(x->command)->name;
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
			err = value_bind(x, a, false, s);
			if (!a->many)
				++a;
		}
	}

	return err ? err : missing(x);
}


/* JSON ------------------------------------------------------------------- */

static int bind_json_one(struct cmd *x, const struct command_arg *a,
			 const char *key, const json_t *j)
{
	char num[64];

	switch (json_typeof(j)) {

	case JSON_STRING:
		if (a->type == ARG_NONE)
			break;
		if (strlen(json_string_value(j)) != json_string_length(j))
			return cmd_wrong(x, "bad-argument", "%s has a NUL",
					 key);
		if (json_string_length(j) > VALUE_MAX)
			return cmd_wrong(x, "bad-argument", "%s is longer "
					 "than %d bytes", key, VALUE_MAX);
		return value_bind(x, a, false, json_string_value(j));

	case JSON_INTEGER:
		if (a->type == ARG_NONE)
			break;
		snprintf(num, sizeof(num), "%lld",
			 (long long)json_integer_value(j));
		return value_bind(x, a, false, num);

	case JSON_REAL:
		if (a->type != ARG_DOUBLE && a->type != ARG_TIME &&
		    a->type != ARG_WORD)
			break;
		snprintf(num, sizeof(num), "%.6f", json_real_value(j));
		return value_bind(x, a, false, num);

	case JSON_TRUE:
	case JSON_FALSE:
		if (a->type == ARG_NONE)
			return json_is_true(j) ?
				value_bind(x, a, false, "") : 0;
		if (a->type == ARG_CHOICE && !strncmp(a->choices, "on,off", 6))
			return value_bind(x, a, false,
					  json_is_true(j) ? "on" : "off");
		break;

	case JSON_NULL:
		return 0;

	default:
		break;
	}

	return cmd_wrong(x, "bad-argument", "%s takes %s", key,
			 a->type == ARG_NONE ? "true or false" :
			 a->many ? "a string or an array of strings" :
			 a->type == ARG_INT || a->type == ARG_DOUBLE ||
			 a->type == ARG_CALL ? "a number" : "a string");
}


static int bind_json_many(struct cmd *x, const struct command_arg *a,
			  const char *key, const json_t *array)
{
	const size_t n = json_array_size(array);
	int err = 0;

	if (n > WORDS_MAX)
		return cmd_wrong(x, "bad-argument", "%s has more than %d "
				 "values", key, WORDS_MAX);

	for (size_t i = 0; i < n && !err; i++)
		err = bind_json_one(x, a, key, json_array_get(array, i));

	return err;
}


int bind_json(struct cmd *x, const json_t *args)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)args, key, value) {

		const struct command_arg *a;
		char name[64];
		int err;

		snprintf(name, sizeof(name), "%s", key);
		for (char *p = name; *p; p++) {
			/* one spelling only: JSON has no hyphens */
			*p = *p == '_' ? '-' : *p == '-' ? '_' : *p;
		}

		a = any_find(x->command, name);
		if (!a)
			return unknown_arg(x, key, name, false);

		err = json_is_array(value) && a->many ?
			bind_json_many(x, a, key, value) :
			bind_json_one(x, a, key, value);
		if (err)
			return err;
	}

	return missing(x);
}
