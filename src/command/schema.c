/**
 * @file schema.c  The JSON protocol as a JSON Schema, from the tables
 *
 * What a program may send (a request) and what it is sent (a reply, an event),
 * in the terms of draft 2020-12.  A test holds every line the program prints
 * against it.  Made at build time.  Main thread.
 */
#include <stdio.h>
#include "json.h"
#include "priv.h"
#include "schema.h"


static json_t *typed(const char *type)
{
	json_t *o = json_object();

	json_object_set_new(o, "type", json_string(type));

	return o;
}


static json_t *described(const char *type, const char *text)
{
	json_t *o = typed(type);

	json_object_set_new(o, "description", json_string(text));

	return o;
}


/* With hyphens in the tables, underscores in JSON */
static const char *spelled(char buf[64], const char *name)
{
	snprintf(buf, 64, "%s", name);
	for (char *p = buf; *p; p++)
		*p = *p == '-' ? '_' : *p;

	return buf;
}


static json_t *object_of(json_t *properties, bool others)
{
	json_t *o = typed("object");

	json_object_set_new(o, "properties", properties);
	json_object_set_new(o, "additionalProperties", json_boolean(others));

	return o;
}


static void require(json_t *o, const char *const *names)
{
	json_t *v = json_array();

	for (; *names; names++)
		json_array_append_new(v, json_string(*names));
	json_object_set_new(o, "required", v);
}


static json_t *any_of(const char *a, const char *b, const char *c)
{
	json_t *o = json_object(), *v = json_array();

	json_array_append_new(v, json_string(a));
	json_array_append_new(v, json_string(b));
	if (c)
		json_array_append_new(v, json_string(c));
	json_object_set_new(o, "type", v);

	return o;
}


/* Requests ----------------------------------------------------------------- */

static json_t *value_schema(const struct command_arg *a)
{
	json_t *one, *o, *v;

	switch (a->type) {

	case ARG_NONE:   one = typed("boolean"); break;
	case ARG_CALL:
	case ARG_INT:    one = any_of("integer", "string", NULL); break;
	case ARG_DOUBLE:
	case ARG_TIME:   one = any_of("number", "string", NULL); break;
	case ARG_CHOICE:
		one = any_of("string", "boolean", a->max ? "integer" : NULL);
		break;
	case ARG_WORD:   one = any_of("string", "number", NULL); break;
	default:         one = any_of("string", "integer", NULL); break;
	}

	if (!a->many) {
		json_object_set_new(one, "description",
				    json_string(a->summary));
		return one;
	}

	o = json_object();
	v = json_array();
	json_array_append_new(v, one);
	one = typed("array");
	json_object_set_new(one, "items", json_copy(json_array_get(v, 0)));
	json_array_append_new(v, one);
	json_object_set_new(o, "anyOf", v);
	json_object_set_new(o, "description", json_string(a->summary));

	return o;
}


static json_t *args_schema(const struct command *c)
{
	json_t *p = json_object();
	char name[64];

	for (const struct command_arg *a = command_args(c); a->name; a++)
		json_object_set_new(p, spelled(name, a->name),
				    value_schema(a));
	for (const struct command_arg *a = command_options(c); a->name; a++)
		json_object_set_new(p, spelled(name, a->name),
				    value_schema(a));

	return object_of(p, false);
}


static json_t *request_schema(void)
{
	static const char *const needed[] = { "command", NULL };
	json_t *all = json_array(), *o;
	const struct command *c;

	for (size_t i = 0; (c = command_at(i)); i++) {

		json_t *p = json_object(), *names = json_array();

		json_array_append_new(names, json_string(c->name));
		if (c->alias)
			json_array_append_new(names, json_string(c->alias));
		json_object_set_new(p, "id",
				    any_of("integer", "string", "null"));
		o = described("string", c->summary);
		json_object_set_new(o, "enum", names);
		json_object_set_new(p, "command", o);
		json_object_set_new(p, "args", args_schema(c));
		o = object_of(p, false);
		require(o, needed);
		json_array_append_new(all, o);
	}

	o = json_object();
	json_object_set_new(o, "oneOf", all);

	return o;
}


/* What is told ------------------------------------------------------------- */

static void print_exit(json_t *p)
{
	json_object_set_new(p, "print", described("string", "with `output "
			    "print`: what a person would read"));
	json_object_set_new(p, "exit", described("integer", "with `output "
			    "exit`: what a COMMAND would exit with"));
}


static json_t *reply_schema(void)
{
	static const char *const yes[] = { "reply", "ok", NULL };
	static const char *const no[] = {
		"reply", "ok", "error", "text", NULL,
	};
	json_t *both = json_array(), *tokens = json_array(), *p, *o;
	const struct error_row *row;

	p = json_object();
	json_object_set_new(p, "reply", any_of("integer", "string", "null"));
	o = json_object();
	json_object_set_new(o, "const", json_true());
	json_object_set_new(p, "ok", o);
	json_object_set_new(p, "text", described("string", "for people"));
	print_exit(p);
	o = object_of(p, true);
	require(o, yes);
	json_array_append_new(both, o);

	for (size_t i = 0; (row = error_at(i)); i++)
		json_array_append_new(tokens, json_string(row->token));

	p = json_object();
	json_object_set_new(p, "reply", any_of("integer", "string", "null"));
	o = json_object();
	json_object_set_new(o, "const", json_false());
	json_object_set_new(p, "ok", o);
	o = typed("string");
	json_object_set_new(o, "enum", tokens);
	json_object_set_new(p, "error", o);
	json_object_set_new(p, "text", described("string", "one sentence"));
	json_object_set_new(p, "where", described("string", "FILE:LINE"));
	print_exit(p);
	o = object_of(p, true);
	require(o, no);
	json_array_append_new(both, o);

	o = json_object();
	json_object_set_new(o, "oneOf", both);

	return o;
}


static json_t *event_schema(void)
{
	static const char *const types[] = {
		[EVF_STR] = "string", [EVF_INT] = "integer",
		[EVF_DOUBLE] = "number", [EVF_BOOL] = "boolean",
	};
	static const char *const needed[] = { "event", "seq", "time", NULL };
	json_t *all = json_array(), *o;

	for (unsigned i = 0; i < EVENT_TYPES; i++) {

		const struct event_row *row = event_row((enum event_type)i);
		json_t *p = json_object();
		char name[64];

		o = described("string", row->summary);
		json_object_set_new(o, "const", json_string(row->name));
		json_object_set_new(p, "event", o);
		json_object_set_new(p, "seq", typed("integer"));
		o = typed("string");
		json_object_set_new(o, "pattern", json_string("^[0-9]{4}-[0-9]"
				"{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
				"\\.[0-9]{3}Z$"));
		json_object_set_new(p, "time", o);
		json_object_set_new(p, "call", typed("integer"));
		json_object_set_new(p, "account", typed("integer"));
		for (const struct event_field *f = row->fields; f->name; f++)
			json_object_set_new(p, spelled(name, f->name),
					    described(types[f->type],
						      f->summary));
		print_exit(p);
		o = object_of(p, false);
		require(o, needed);
		json_array_append_new(all, o);
	}

	o = json_object();
	json_object_set_new(o, "oneOf", all);

	return o;
}


char *schema_dump(void)
{
	json_t *o = json_object(), *defs = json_object(), *v = json_array();
	static const char *const refs[] = { "reply", "event" };
	char *text;

	json_object_set_new(o, "$schema", json_string("https://json-schema."
			    "org/draft/2020-12/schema"));
	json_object_set_new(o, "title", json_string("offhook " OFFHOOK_VERSION
			    ": a line the phone says"));
	json_object_set_new(o, "description", json_string("A line that is said "
			    "to it is $defs/request, or a bare command "
			    "line."));

	for (size_t i = 0; i < ARRAY_SIZE(refs); i++) {
		json_t *ref = json_object();
		char text_ref[32];

		snprintf(text_ref, sizeof(text_ref), "#/$defs/%s", refs[i]);
		json_object_set_new(ref, "$ref", json_string(text_ref));
		json_array_append_new(v, ref);
	}
	json_object_set_new(o, "anyOf", v);

	json_object_set_new(defs, "request", request_schema());
	json_object_set_new(defs, "reply", reply_schema());
	json_object_set_new(defs, "event", event_schema());
	json_object_set_new(o, "$defs", defs);

	text = json_dumps(o, JSON_INDENT(1));
	json_decref(o);

	return text;
}
