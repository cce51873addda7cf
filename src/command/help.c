/**
 * @file help.c  Help and the machine form of the tables
 *
 * Both are read off the rows, so a new command or option is documented by
 * being there; man page and shell completions are made from the dump at
 * build time.  Main thread.
 */
#include <ctype.h>
#include <stdio.h>
#include "json.h"
#include "priv.h"

enum { HELP_INDENT = 26, HELP_COLUMNS = 78 };


static const char *type_name(enum arg_type type)
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


/* How a value is written in a usage line: TARGET, on|off, T */
const char *command_arg_word(const struct command_arg *a, char *buf,
			     size_t sz)
{
	char *p;

	if (a->type == ARG_CHOICE) {
		snprintf(buf, sz, "%s%s", a->choices, a->max ? ",N" : "");
		for (p = buf; *p; p++) {
			if (*p == ',')
				*p = '|';
		}
		return buf;
	}

	snprintf(buf, sz, "%s", a->type == ARG_TIME ? "T" :
		 a->type == ARG_INT ? "N" : a->type == ARG_FILE ? "FILE" :
		 a->type == ARG_DOUBLE ? "HZ" : a->name);
	for (p = buf; *p; p++)
		*p = (char)toupper((unsigned char)*p);

	return buf;
}


void command_usage(struct text_buf *b, const struct command *c)
{
	const struct command_arg *a;
	char word[128];

	text_add(b, "%s", c->name);

	for (a = c->args; a->name; a++)
		text_add(b, " %s%s%s%s", a->optional ? "[" : "",
			 command_arg_word(a, word, sizeof(word)),
			 a->many ? "..." : "", a->optional ? "]" : "");

	for (a = c->options; a->name; a++) {
		text_add(b, " [--%s", a->name);
		if (a->type != ARG_NONE)
			text_add(b, " %s", command_arg_word(a, word,
							    sizeof(word)));
		text_add(b, "]%s", a->many ? "..." : "");
	}
}


/* `s` in lines of HELP_COLUMNS, all but the first indented */
static void wrap(struct text_buf *b, const char *s, size_t column,
		 size_t indent)
{
	while (*s) {

		const size_t n = strcspn(s, " \n");

		if (column > indent && column + 1 + n > HELP_COLUMNS) {
			text_add(b, "\n%*s", (int)indent, "");
			column = indent;
		}
		else if (column > indent) {
			text_add(b, " ");
			++column;
		}

		text_add_mem(b, s, n);
		column += n;
		s += n;

		if (*s == '\n') {
			text_add(b, "\n%*s", (int)indent, "");
			column = indent;
		}
		if (*s)
			++s;
	}
}


/* "  name    what it is" */
static void item(struct text_buf *b, const char *name, const char *what)
{
	text_add(b, "  %-*s", HELP_INDENT - 3, name);
	if (strlen(name) > HELP_INDENT - 4)
		text_add(b, "\n%*s", HELP_INDENT - 1, "");
	text_add(b, " ");
	wrap(b, what, HELP_INDENT, HELP_INDENT);
	text_add(b, "\n");
}


static void help_list(struct text_buf *b)
{
	const struct command *c;
	const char *group = "";

	for (size_t i = 0; (c = command_at(i)); i++) {

		char name[64];

		if (strcmp(group, command_group(c))) {
			group = command_group(c);
			text_add(b, "%s%s\n", i ? "\n" : "", group);
		}

		snprintf(name, sizeof(name), "%s%s%s%s", c->name,
			 c->alias ? " [" : "", c->alias ? c->alias : "",
			 c->alias ? "]" : "");
		item(b, name, c->summary);
	}

	text_add(b, "\n`help COMMAND` tells more about one.\n");
}


static void help_one(struct text_buf *b, const struct command *c)
{
	const struct command_arg *a;
	char word[128], name[224];

	text_add(b, "usage: ");
	{
		struct text_buf u = { .max = 4096 };

		command_usage(&u, c);
		wrap(b, u.s ? u.s : "", 7, 7);
		text_buf_reset(&u);
	}
	text_add(b, "\n\n%s.", c->summary);
	if (c->alias)
		text_add(b, " Alias: %s.", c->alias);
	text_add(b, "\n\n");
	wrap(b, c->help, 0, 0);
	text_add(b, "\n");

	if (c->args[0].name || c->options[0].name)
		text_add(b, "\n");

	for (a = c->args; a->name; a++)
		item(b, command_arg_word(a, word, sizeof(word)), a->summary);

	for (a = c->options; a->name; a++) {
		snprintf(name, sizeof(name), "--%s%s%s", a->name,
			 a->type == ARG_NONE ? "" : " ",
			 a->type == ARG_NONE ? "" :
			 command_arg_word(a, word, sizeof(word)));
		item(b, name, a->summary);
	}
}


char *command_help(const struct command *c)
{
	struct text_buf b = { .max = 1 << 20 };

	if (c)
		help_one(&b, c);
	else
		help_list(&b);

	return b.s;
}


/* Dump ------------------------------------------------------------------- */

static json_t *dump_args(const struct command_arg *a)
{
	json_t *v = json_array();
	char word[128];

	for (; a->name; a++) {

		json_t *o = json_object();

		json_object_set_new(o, "name", json_string(a->name));
		json_object_set_new(o, "type",
				    json_string(type_name(a->type)));
		json_object_set_new(o, "value", json_string(
			a->type == ARG_NONE ? "" :
			command_arg_word(a, word, sizeof(word))));
		json_object_set_new(o, "summary", json_string(a->summary));
		if (a->choices)
			json_object_set_new(o, "choices",
					    json_string(a->choices));
		if (a->max) {
			json_object_set_new(o, "min", json_integer(a->min));
			json_object_set_new(o, "max", json_integer(a->max));
		}
		json_object_set_new(o, "optional", json_boolean(a->optional));
		json_object_set_new(o, "many", json_boolean(a->many));
		json_array_append_new(v, o);
	}

	return v;
}


static json_t *dump_commands(void)
{
	json_t *v = json_array();
	const struct command *c;

	for (size_t i = 0; (c = command_at(i)); i++) {

		struct text_buf b = { .max = 4096 };
		json_t *o = json_object();

		command_usage(&b, c);
		json_object_set_new(o, "name", json_string(c->name));
		json_object_set_new(o, "alias",
				    json_string(command_alias(c)));
		json_object_set_new(o, "group",
				    json_string(command_group(c)));
		json_object_set_new(o, "summary", json_string(c->summary));
		json_object_set_new(o, "help", json_string(c->help));
		json_object_set_new(o, "usage", json_string(b.s));
		json_object_set_new(o, "args", dump_args(c->args));
		json_object_set_new(o, "options", dump_args(c->options));
		json_array_append_new(v, o);
		text_buf_reset(&b);
	}

	return v;
}


static const char *option_type_text(enum option_type type)
{
	static const char *const names[] = {
		[OPT_BOOL] = "bool", [OPT_INT] = "int", [OPT_TIME] = "time",
		[OPT_CHOICE] = "choice", [OPT_STRING] = "string",
		[OPT_LIST] = "list", [OPT_PORTS] = "ports",
	};

	return (size_t)type < ARRAY_SIZE(names) ? names[type] : "";
}


static json_t *dump_options(void)
{
	json_t *v = json_array();
	const struct option *opt;
	size_t n;

	opt = option_table(&n);

	for (size_t i = 0; i < n; i++) {

		json_t *o = json_object();

		json_object_set_new(o, "name", json_string(opt[i].name));
		json_object_set_new(o, "type", json_string(
			option_type_text(opt[i].type)));
		json_object_set_new(o, "default", json_string(
			opt[i].def ? opt[i].def : ""));
		json_object_set_new(o, "choices", json_string(
			opt[i].choices ? opt[i].choices : ""));
		json_object_set_new(o, "unit", json_string(
			opt[i].unit ? opt[i].unit : ""));
		json_object_set_new(o, "min", json_integer(opt[i].min));
		json_object_set_new(o, "max", json_integer(opt[i].max));
		json_object_set_new(o, "restart",
				    json_boolean(opt[i].restart));
		json_object_set_new(o, "summary",
				    json_string(opt[i].summary));
		json_array_append_new(v, o);
	}

	return v;
}


static json_t *dump_accounts(void)
{
	json_t *v = json_array();
	const struct account_param *p;
	size_t n;

	p = account_param_table(&n);

	for (size_t i = 0; i < n; i++) {

		json_t *o = json_object();

		json_object_set_new(o, "name", json_string(p[i].name));
		json_object_set_new(o, "type", json_string(
			option_type_text(p[i].type)));
		json_object_set_new(o, "choices", json_string(
			p[i].choices ? p[i].choices : ""));
		json_object_set_new(o, "summary", json_string(p[i].summary));
		json_array_append_new(v, o);
	}

	return v;
}


static json_t *dump_events(void)
{
	static const char *const types[] = {
		[EVF_STR] = "string", [EVF_INT] = "int",
		[EVF_DOUBLE] = "number", [EVF_BOOL] = "bool",
	};
	json_t *v = json_array();

	for (unsigned i = 0; i < EVENT_TYPES; i++) {

		const struct event_row *row = event_row((enum event_type)i);
		json_t *o = json_object(), *fields = json_array();

		for (const struct event_field *f = row->fields; f->name; f++) {

			json_t *fo = json_object();

			json_object_set_new(fo, "name", json_string(f->name));
			json_object_set_new(fo, "type",
					    json_string(types[f->type]));
			json_object_set_new(fo, "summary",
					    json_string(f->summary));
			json_array_append_new(fields, fo);
		}

		json_object_set_new(o, "name", json_string(row->name));
		json_object_set_new(o, "summary", json_string(row->summary));
		json_object_set_new(o, "fields", fields);
		json_array_append_new(v, o);
	}

	return v;
}


static json_t *dump_figures(void)
{
	json_t *v = json_array();
	const struct figure *f;

	for (size_t i = 0; (f = figure_at(i)); i++) {

		json_t *o = json_object();

		json_object_set_new(o, "name", json_string(f->name));
		json_object_set_new(o, "unit", json_string(f->unit));
		json_object_set_new(o, "type", json_string(
			f->number ? "number" : "string"));
		json_object_set_new(o, "summary", json_string(f->summary));
		json_array_append_new(v, o);
	}

	return v;
}


static json_t *dump_errors(void)
{
	json_t *v = json_array();
	const struct error_row *row;

	for (size_t i = 0; (row = error_at(i)); i++) {

		json_t *o = json_object();

		json_object_set_new(o, "name", json_string(row->token));
		json_object_set_new(o, "summary", json_string(row->summary));
		json_array_append_new(v, o);
	}

	return v;
}


char *command_dump(const char *what)
{
	static const struct { const char *name; json_t *(*h)(void); } v[] = {
		{ "commands", dump_commands },
		{ "options",  dump_options  },
		{ "accounts", dump_accounts },
		{ "events",   dump_events   },
		{ "figures",  dump_figures  },
		{ "errors",   dump_errors   },
	};

	if (!strcmp(what, "config"))
		return config_default_text();

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {

		json_t *o;
		char *text;

		if (strcmp(what, v[i].name))
			continue;

		o = v[i].h();
		text = json_dumps(o, JSON_INDENT(1));
		json_decref(o);

		return text;
	}

	return NULL;
}
