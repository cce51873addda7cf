/**
 * @file dump.c  The machine form of the tables
 *
 * Man page, shell completions and tests are made from it, so what is a row is
 * documented.  A dump that memory is too short for lacks values; it runs at
 * build time.  Main thread.
 */
#include "offhook/log.h"
#include "json.h"
#include "priv.h"
#include "schema.h"


static void set(json_t *o, const char *name, const char *value)
{
	json_object_set_new(o, name, json_string(value ? value : ""));
}


static void set_limits(json_t *o, int64_t min, int64_t max)
{
	json_object_set_new(o, "min", json_integer(min));
	json_object_set_new(o, "max", json_integer(max));
}


/* Another object of the list, with what all of them have */
static json_t *add(json_t *list, const char *name, const char *summary)
{
	json_t *o = json_object();

	set(o, "name", name);
	set(o, "summary", summary);
	json_array_append_new(list, o);

	return o;
}


/* Commands --------------------------------------------------------------- */

static const char *arg_type_text(enum arg_type type)
{
	static const char *const names[] = {
		[ARG_NONE]    = "flag",
		[ARG_CALL]    = "call",
		[ARG_TARGET]  = "target",
		[ARG_ACCOUNT] = "account",
		[ARG_TIME]    = "time",
		[ARG_DEVICE]  = "device",
		[ARG_OPTION]  = "option",
		[ARG_CHOICE]  = "choice",
		[ARG_INT]     = "int",
		[ARG_DOUBLE]  = "number",
		[ARG_FILE]    = "file",
		[ARG_WORD]    = "word",
		[ARG_DIGITS]  = "digits",
		[ARG_REST]    = "text",
		[ARG_COMMAND] = "command",
	};

	return (size_t)type < ARRAY_SIZE(names) ? names[type] : "";
}


static json_t *dump_args(const struct command_arg *a)
{
	json_t *v = json_array();
	char word[128];

	for (; a->name; a++) {

		json_t *o = add(v, a->name, a->summary);

		set(o, "type", arg_type_text(a->type));
		set(o, "value", a->type == ARG_NONE ? "" :
		    command_arg_word(a, word, sizeof(word)));
		if (a->choices)
			set(o, "choices", a->choices);
		if (a->max)
			set_limits(o, a->min, a->max);
		json_object_set_new(o, "optional", json_boolean(a->optional));
		json_object_set_new(o, "many", json_boolean(a->many));
	}

	return v;
}


static json_t *dump_examples(const char *command)
{
	const struct example *e = NULL;
	json_t *v = json_array();

	while ((e = example_next(command, e))) {
		json_t *o = json_object();

		set(o, "line", e->line);
		set(o, "about", e->about);
		json_array_append_new(v, o);
	}

	return v;
}


static void dump_commands(json_t *v)
{
	const struct command *c;

	for (size_t i = 0; (c = command_at(i)); i++) {

		struct text_buf usage = { .max = 4096 };
		struct text_buf about = { .max = 4096 };
		struct text_buf errors = { .max = 4096 };
		const struct result_row *result = result_find(c->name);
		json_t *o = add(v, c->name, c->summary);

		command_usage(&usage, c);
		command_about(&about, c);
		set(o, "alias", command_alias(c));
		set(o, "group", command_group(c));
		set(o, "help", about.s);
		set(o, "usage", usage.s);
		json_object_set_new(o, "args", dump_args(command_args(c)));
		json_object_set_new(o, "options", dump_args(command_options(c)));
		json_object_set_new(o, "examples", dump_examples(c->name));
		if (result) {
			result_errors(&errors, result);
			set(o, "reply", result->fields);
			set(o, "errors", errors.s ? errors.s : "");
			set(o, "any-errors", result_any_line());
			set(o, "exit", result->cause ? "cause" : "usual");
		}
		text_buf_reset(&usage);
		text_buf_reset(&about);
		text_buf_reset(&errors);
	}
}


/* Settings --------------------------------------------------------------- */

static const char *option_type_text(enum option_type type)
{
	static const char *const names[] = {
		[OPT_BOOL] = "bool", [OPT_INT] = "int", [OPT_TIME] = "time",
		[OPT_CHOICE] = "choice", [OPT_STRING] = "string",
		[OPT_LIST] = "list", [OPT_PORTS] = "ports",
		[OPT_ENUM] = "choice", [OPT_ADDRS] = "addresses",
	};

	return (size_t)type < ARRAY_SIZE(names) ? names[type] : "";
}


static void dump_options(json_t *v)
{
	size_t n;
	const struct option *opt = option_table(&n);

	for (; n--; opt++) {

		json_t *o = add(v, opt->name, opt->summary);

		set(o, "more", opt->more);
		set(o, "type", option_type_text(opt->type));
		set(o, "default", opt->def);
		set(o, "choices", opt->choices);
		set(o, "unit", opt->unit);
		set_limits(o, opt->min, opt->max);
		json_object_set_new(o, "restart", json_boolean(opt->restart));
	}
}


static void dump_accounts(json_t *v)
{
	size_t n;
	const struct account_param *p = account_param_table(&n);

	for (; n--; p++) {

		json_t *o = add(v, p->name, p->summary);

		set(o, "type", option_type_text(p->type));
		set(o, "choices", p->choices);
	}
}


/* What is told ----------------------------------------------------------- */

static void dump_events(json_t *v)
{
	static const char *const types[] = {
		[EVF_STR] = "string", [EVF_INT] = "int",
		[EVF_DOUBLE] = "number", [EVF_BOOL] = "bool",
	};

	for (unsigned i = 0; i < EVENT_TYPES; i++) {

		const struct event_row *row = event_row((enum event_type)i);
		json_t *fields = json_array();

		for (const struct event_field *f = row->fields; f->name; f++)
			set(add(fields, f->name, f->summary), "type",
			    types[f->type]);

		json_object_set_new(add(v, row->name, row->summary),
				    "fields", fields);
	}
}


static void dump_figures(json_t *v)
{
	const struct figure *f;

	for (size_t i = 0; (f = figure_at(i)); i++) {

		json_t *o = add(v, f->name, f->summary);

		set(o, "unit", f->unit);
		set(o, "type", f->number ? "number" : "string");
	}
}


static void dump_errors(json_t *v)
{
	const struct error_row *row;

	for (size_t i = 0; (row = error_at(i)); i++)
		(void)add(v, row->token, row->summary);
}


static void dump_modules(json_t *v)
{
	const struct log_module *m;

	for (size_t i = 0; (m = log_module_at(i)); i++)
		json_array_append_new(v, json_pack("{ss ss}", "name", m->name,
						   "summary", m->summary));
}


char *command_dump(const char *what)
{
	static const struct { const char *name; void (*h)(json_t *v); } t[] = {
		{ "commands", dump_commands },
		{ "options",  dump_options  },
		{ "accounts", dump_accounts },
		{ "events",   dump_events   },
		{ "figures",  dump_figures  },
		{ "errors",   dump_errors   },
		{ "modules",  dump_modules  },
	};

	if (!strcmp(what, "config"))
		return config_default_text();
	if (!strcmp(what, "schema"))
		return schema_dump();

	for (size_t i = 0; i < ARRAY_SIZE(t); i++) {

		json_t *v;
		char *text;

		if (strcmp(what, t[i].name))
			continue;

		v = json_array();
		t[i].h(v);
		text = json_dumps(v, JSON_INDENT(1));
		json_decref(v);

		return text;
	}

	return NULL;
}
