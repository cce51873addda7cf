/**
 * @file help.c  Help, for people
 *
 * It is read off the rows, so a new command or option is documented by being
 * there.  Main thread.
 */
#include <ctype.h>
#include <stdio.h>
#include "offhook/answer_rules.h"
#include "priv.h"

enum { HELP_INDENT = 26, HELP_COLUMNS = 78 };


/* How a value is written in a usage line: TARGET, on|off, T */
/* Too many to stand in a line: then the summary tells them */
static bool choices_long(const struct command_arg *a)
{
	return a->choices && strlen(a->choices) > 60;
}


const char *command_arg_word(const struct command_arg *a, char *buf,
			     size_t sz)
{
	char *p;

	if (a->type == ARG_CHOICE && !choices_long(a)) {
		snprintf(buf, sz, "%s%s", a->choices, a->max ? ",N" : "");
		for (p = buf; *p; p++) {
			if (*p == ',')
				*p = '|';
		}
		return buf;
	}

	snprintf(buf, sz, "%s", a->word ? a->word :
		 a->type == ARG_TIME ? "T" : a->type == ARG_FILE ? "FILE" :
		 a->type == ARG_INT || a->type == ARG_DOUBLE ? "N" : a->name);
	for (p = buf; *p; p++)
		*p = (char)toupper((unsigned char)*p);

	return buf;
}


void command_usage(struct text_buf *b, const struct command *c)
{
	const struct command_arg *a;
	char word[128];

	text_add(b, "%s", c->name);

	for (a = command_args(c); a->name; a++)
		text_add(b, " %s%s%s%s", a->optional ? "[" : "",
			 command_arg_word(a, word, sizeof(word)),
			 a->many ? "..." : "", a->optional ? "]" : "");

	for (a = command_options(c); a->name; a++) {
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


static const char *event_item(size_t i, char *buf, size_t sz)
{
	(void)buf;
	(void)sz;

	return i < EVENT_TYPES ? event_row((enum event_type)i)->name : NULL;
}


static const char *figure_item(size_t i, char *buf, size_t sz)
{
	const struct figure *f = figure_at(i);

	if (!f || !f->unit[0])
		return f ? f->name : NULL;

	snprintf(buf, sz, "%s (%s)", f->name, f->unit);

	return buf;
}


static const char *word_item(const struct answer_word *w, char *buf, size_t sz)
{
	if (w)
		snprintf(buf, sz, "%s%s%s: %s", w->name, w->value[0] ? "=" :
			 "", w->value, w->summary);

	return w ? buf : NULL;
}


static const char *matcher_item(size_t i, char *buf, size_t sz)
{
	return word_item(answer_matcher(i), buf, sz);
}


static const char *action_item(size_t i, char *buf, size_t sz)
{
	return word_item(answer_action(i), buf, sz);
}


/* What stands in the place of marks in a help text */
static const struct list_mark {
	const char *mark, *between;
	const char *(*item)(size_t i, char *buf, size_t sz);
} marks[] = {
	{ "@events@", ", ", event_item }, { "@figures@", ", ", figure_item },
	{ "@matchers@", "; ", matcher_item },
	{ "@actions@", "; ", action_item },
};


static const struct list_mark *mark_next(const char *s, const char **at)
{
	const struct list_mark *next = NULL;

	for (size_t k = 0; k < ARRAY_SIZE(marks); k++) {

		const char *p = strstr(s, marks[k].mark);

		if (p && (!next || p < *at)) {
			next = &marks[k];
			*at = p;
		}
	}

	return next;
}


void command_about(struct text_buf *b, const struct command *c)
{
	const char *s = c->help, *at = NULL, *name;
	const struct list_mark *m;
	char buf[256];

	while ((m = mark_next(s, &at))) {
		text_add_mem(b, s, (size_t)(at - s));
		for (size_t i = 0; (name = m->item(i, buf, sizeof(buf))); i++)
			text_add(b, "%s%s", i ? m->between : "", name);
		s = at + strlen(m->mark);
	}

	text_add(b, "%s", s);
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


/* "what it is: this, that" */
static void arg_item(struct text_buf *b, const struct command_arg *a,
		     const char *name)
{
	struct text_buf t = { .max = 2048 };

	text_add(&t, "%s", a->summary);
	for (const char *p = choices_long(a) ? a->choices : ""; *p; p++) {
		if (p == a->choices)
			text_add(&t, ": ");
		text_add(&t, "%c%s", *p, *p == ',' ? " " : "");
	}

	item(b, name, t.s ? t.s : "");
	text_buf_reset(&t);
}


static void help_examples(struct text_buf *b, const struct command *c)
{
	const struct example *e = example_next(c->name, NULL);

	text_add(b, "%s", e ? "\nExamples:\n" : "");
	for (; e; e = example_next(c->name, e))
		text_add(b, "  %s\n      %s\n", e->line, e->about);
}


static void help_one(struct text_buf *b, const struct command *c)
{
	const struct command_arg *a;
	struct text_buf t = { .max = 4096 };
	char word[128], name[224];

	command_usage(&t, c);
	text_add(b, "usage: ");
	wrap(b, t.s ? t.s : "", 7, 7);
	text_buf_reset(&t);

	text_add(b, "\n\n%s.", c->summary);
	if (c->alias)
		text_add(b, " Alias: %s.", c->alias);

	t.max = 4096;
	command_about(&t, c);
	text_add(b, "\n\n");
	wrap(b, t.s ? t.s : "", 0, 0);
	text_buf_reset(&t);
	text_add(b, "\n");

	if (command_args(c)->name || command_options(c)->name)
		text_add(b, "\n");

	for (a = command_args(c); a->name; a++)
		arg_item(b, a, command_arg_word(a, word, sizeof(word)));

	for (a = command_options(c); a->name; a++) {
		snprintf(name, sizeof(name), "--%s%s%s", a->name,
			 a->type == ARG_NONE ? "" : " ",
			 a->type == ARG_NONE ? "" :
			 command_arg_word(a, word, sizeof(word)));
		arg_item(b, a, name);
	}

	help_examples(b, c);
}


char *option_help(const struct option *o)
{
	struct text_buf b = { .max = 1 << 16 }, t = { .max = 4096 };

	text_add(&b, "option %s, default %s", o->name, *o->def ? o->def :
		 "empty");
	if (o->choices)
		text_add(&b, "; %s of %s", o->type == OPT_LIST ? "some" :
			 "one", o->choices);
	else if (o->min || o->max)
		text_add(&b, "; %lld to %lld%s%s", (long long)o->min,
			 (long long)o->max, o->unit ? " " : "",
			 o->unit ? o->unit : "");
	text_add(&b, "\n\n");
	text_add(&t, "%s.", o->summary);
	if (o->more)
		text_add(&t, " %s", o->more);
	if (o->restart)
		text_add(&t, " It takes effect at the next start.");
	wrap(&b, t.s ? t.s : "", 0, 0);
	text_buf_reset(&t);
	text_add(&b, "\n");

	return b.s;
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
