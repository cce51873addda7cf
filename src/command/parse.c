/**
 * @file parse.c  A command line into words
 *
 * Quotes and backslash as in the shell, comments, variables; nothing else of
 * the shell: no globs, no splitting of what a variable holds.  Pure: values
 * of variables come through a handler.  Lines come from scripts and sockets:
 * every length is bounded.
 */
#include <ctype.h>
#include "priv.h"


struct parse {
	struct words *w;
	const char *p, *end;
	size_t start[WORDS_MAX];   /* of each word in the text; it may move */
	parse_var_h *var_h;
	void *arg;
	const char *token;
	char *err;
};


static void words_destructor(void *arg)
{
	struct words *w = arg;

	text_buf_reset(&w->text);
}


static int fail(struct parse *ps, int err, const char *token,
		const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static int fail(struct parse *ps, int err, const char *token,
		const char *fmt, ...)
{
	va_list ap;

	ps->token = token;
	va_start(ap, fmt);
	vsnprintf(ps->err, UA_ERR, fmt, ap);
	va_end(ap);

	return err;
}


static void put(struct parse *ps, char c)
{
	text_add_mem(&ps->w->text, &c, 1);
}


static bool name_char(char c, bool first, bool field)
{
	if (isalpha((unsigned char)c) || c == '_')
		return true;

	if (first)
		return false;

	return isdigit((unsigned char)c) || (field && c == '-');
}


/* A name after '$': NAME, or NAME.FIELD whose part after the dot may have
 * hyphens. @return its length */
static size_t name_length(const char *p, const char *end)
{
	const char *start = p;
	bool field = false;

	while (p < end) {

		if (name_char(*p, p == start, field)) {
			++p;
		}
		else if (*p == '.' && p > start && p + 1 < end &&
			 isalpha((unsigned char)p[1])) {
			field = true;
			p += 2;
		}
		else {
			break;
		}
	}

	while (field && p > start && p[-1] == '-')
		--p;

	return p - start;
}


/* ps->p is behind the '$' */
static int variable(struct parse *ps)
{
	const bool braces = ps->p < ps->end && *ps->p == '{';
	char name[128], *value;
	size_t n;
	int err;

	if (braces)
		++ps->p;

	n = name_length(ps->p, ps->end);

	if (braces && (!n || ps->p + n >= ps->end || ps->p[n] != '}'))
		return fail(ps, EINVAL, "bad-line",
			    "'${' needs a name and '}', as in ${HOME}");

	if (!n) {
		put(ps, '$');
		return 0;
	}

	if (n >= sizeof(name))
		return fail(ps, EINVAL, "bad-line",
			    "the name of a variable is longer than %zu "
			    "characters", sizeof(name) - 1);

	memcpy(name, ps->p, n);
	name[n] = '\0';
	ps->p += n + (braces ? 1 : 0);

	value = malloc(VAR_MAX);
	if (!value)
		return fail(ps, ENOMEM, "no-memory", "out of memory");

	err = ps->var_h ? ps->var_h(name, value, VAR_MAX, ps->arg) : ENOENT;
	if (!err)
		text_add_mem(&ps->w->text, value, strlen(value));
	free(value);

	if (err == ENOENT && strchr(name, '.') && !braces)
		return fail(ps, EINVAL, "unset-variable",
			    "$%s is not known (a name with a dot is a field "
			    "of an event; for a variable and a dot write "
			    "${%.*s}.)", name,
			    (int)strcspn(name, "."), name);
	if (err == ENOENT)
		return fail(ps, EINVAL, "unset-variable", "$%s is not set",
			    name);
	if (err)
		return fail(ps, E2BIG, "line-too-long",
			    "$%s holds more than %d bytes", name, VAR_MAX - 1);

	return 0;
}


static int single_quotes(struct parse *ps)
{
	const char *q = memchr(ps->p, '\'', ps->end - ps->p);

	if (!q)
		return fail(ps, EINVAL, "bad-line",
			    "a single quote is not closed; one that is "
			    "meant is written \\'");

	text_add_mem(&ps->w->text, ps->p, q - ps->p);
	ps->p = q + 1;

	return 0;
}


static int double_quotes(struct parse *ps)
{
	while (ps->p < ps->end) {

		const char c = *ps->p++;
		int err;

		switch (c) {

		case '"':
			return 0;

		case '\\':
			if (ps->p < ps->end && strchr("\"\\$`", *ps->p))
				put(ps, *ps->p++);
			else
				put(ps, c);
			break;

		case '$':
			err = variable(ps);
			if (err)
				return err;
			break;

		default:
			put(ps, c);
			break;
		}
	}

	return fail(ps, EINVAL, "bad-line", "a double quote is not closed");
}


static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


static int word(struct parse *ps)
{
	struct words *w = ps->w;
	int err = 0;

	if (w->n >= WORDS_MAX)
		return fail(ps, E2BIG, "line-too-long",
			    "more than %d words", WORDS_MAX);

	ps->start[w->n++] = w->text.len;

	while (!err && ps->p < ps->end && !is_space(*ps->p)) {

		const char c = *ps->p++;

		switch (c) {

		case '\'':
			err = single_quotes(ps);
			break;

		case '"':
			err = double_quotes(ps);
			break;

		case '\\':
			if (ps->p == ps->end)
				return fail(ps, EINVAL, "bad-line",
					    "the line ends in a backslash");
			put(ps, *ps->p++);
			break;

		case '$':
			err = variable(ps);
			break;

		default:
			put(ps, c);
			break;
		}
	}

	put(ps, '\0');

	return err;
}


int words_parse(struct words **wp, const char *line, size_t len,
		parse_var_h *var_h, void *arg, const char **token, char *err)
{
	struct parse ps = { .p = line, .end = line + len, .var_h = var_h,
			    .arg = arg, .err = err };
	const char *nul = len ? memchr(line, '\0', len) : NULL;
	int e = 0;

	ps.w = mem_zalloc(sizeof(*ps.w), words_destructor);
	if (!ps.w) {
		*token = "no-memory";
		snprintf(err, UA_ERR, "out of memory");
		return ENOMEM;
	}
	ps.w->text.max = TEXT_MAX;

	if (nul)
		e = fail(&ps, EINVAL, "bad-line",
			 "the line has a NUL byte at column %zu",
			 (size_t)(nul - line) + 1);

	while (!e) {

		while (ps.p < ps.end && is_space(*ps.p))
			++ps.p;

		if (ps.p == ps.end || *ps.p == '#')
			break;

		e = word(&ps);
	}

	if (!e && ps.w->text.err)
		e = fail(&ps, E2BIG, "line-too-long",
			 "with its variables put in the line is longer than "
			 "%d bytes", TEXT_MAX);

	if (e) {
		*token = ps.token;
		mem_deref(ps.w);
		return e;
	}

	for (size_t i = 0; i < ps.w->n; i++)
		ps.w->v[i] = ps.w->text.s + ps.start[i];

	*wp = ps.w;

	return 0;
}


bool line_unbound(const char **line, size_t *len)
{
	const char *p = *line, *end = p + *len;

	while (p < end && is_space(*p))
		++p;

	if (p == end || *p != '-')
		return false;

	*line = p + 1;
	*len  = end - (p + 1);

	return true;
}


/* Quoted so that words_parse gives it back as it is */
static void quote(struct text_buf *b, const char *s)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_-+=.,:;@%/<>*!?&~^|()[]{}";

	if (*s && *s != '{' && s[strspn(s, plain)] == '\0') {
		text_add(b, "%s", s);
		return;
	}

	text_add(b, "'");
	for (; *s; s++) {
		if (*s == '\'')
			text_add(b, "'\\''");
		else
			text_add_mem(b, s, 1);
	}
	text_add(b, "'");
}


int command_join(char *buf, size_t sz, int argc, char *const argv[])
{
	struct text_buf b = { .max = TEXT_MAX };
	int err = 0;

	for (int i = 0; i < argc; i++) {
		if (i)
			text_add(&b, " ");
		quote(&b, argv[i]);
	}

	if (b.err)
		err = b.err;
	else if (b.len >= sz)
		err = E2BIG;
	else
		memcpy(buf, b.s ? b.s : "", b.len + (b.s ? 1 : 0));

	if (!err && !b.s && sz)
		buf[0] = '\0';

	text_buf_reset(&b);

	return err;
}
