/**
 * @file contacts.c  The contacts file: `NAME = URI[;param=value...]`
 *
 * Main thread.  A contact is a value; a file with a wrong line gives none.
 * Writing keeps every line that still says what is true.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <offhook/contact.h>
#include <offhook/path.h>
#include <offhook/text.h>
#include "priv.h"

enum { CONTACTS_MAX = 10000, LINE_SIZE = 2 * CONF_VALUE + 80 };

#define FIELD(f) .offset = offsetof(struct contact_conf, f),		\
		.size = sizeof(((struct contact_conf *)0)->f)

static const struct account_param params[] = {
	{ .name = "account", .type = OPT_STRING, FIELD(account),
	  .summary = "call by way of this account" },
	{ .name = "speed", .type = OPT_INT, FIELD(speed), .min = 0, .max = 99,
	  .summary = "key for speed dialling, 1 to 99; 0: none" },
	{ .name = "presence", .type = OPT_BOOL, FIELD(presence),
	  .summary = "watch whether it can be reached" },
	{ .name = "lamp", .type = OPT_BOOL, FIELD(lamp),
	  .summary = "watch whether it is on the phone" },
	{ .name = "ring", .type = OPT_STRING, FIELD(ring),
	  .summary = "what its calls ring with, as option ring-tone has it" },
	{ .name = "note", .type = OPT_STRING, FIELD(note),
	  .summary = "whatever there is to say of it" },
};

enum { PARAMS = sizeof(params) / sizeof(params[0]) };


const struct account_param *contact_param_table(size_t *n)
{
	if (n)
		*n = PARAMS;

	return params;
}


/* One row as the reader and writer of values know it */
static struct option param_option(const struct account_param *prm)
{
	const struct option o = {
		.name = prm->name, .type = prm->type, .offset = prm->offset,
		.size = prm->size, .min = prm->min, .max = prm->max,
	};

	return o;
}


static const struct account_param *param_find(const char *name)
{
	for (size_t i = 0; i < PARAMS; i++) {
		if (!strcmp(params[i].name, name))
			return &params[i];
	}

	return NULL;
}


static const char *param_name_h(size_t i, const void *arg)
{
	(void)arg;

	return i < PARAMS ? params[i].name : NULL;
}


static const char *shown(char buf[CONF_SHOWN], const char *s)
{
	return text_escape(buf, CONF_SHOWN, s, strlen(s));
}


/* Values ----------------------------------------------------------------- */

static bool has_unsafe(const char *s)
{
	for (; *s; s++) {
		const unsigned char c = (unsigned char)*s;

		if (c < 0x20 || c == 0x7f)
			return true;
	}

	return false;
}


int contact_param_set(struct contact_conf *c, const char *name,
		      const char *value, char *err)
{
	const struct account_param *prm = param_find(name);
	char show[CONF_SHOWN];
	struct option o;

	if (!prm) {
		const char *near = text_nearest(name, param_name_h, NULL);

		return near ?
			conf_error(err, EINVAL, "a contact has no parameter "
				   "'%s'; did you mean '%s'?",
				   shown(show, name), near) :
			conf_error(err, EINVAL, "a contact has no parameter "
				   "'%s'; it has account, speed, presence, "
				   "lamp, ring and note", shown(show, name));
	}

	if (has_unsafe(value) || !text_utf8_valid(value, strlen(value)))
		return conf_error(err, EINVAL, "%s has a character that is "
				  "none of a text", name);

	o = param_option(prm);

	return conf_value_set(&o, c, value, err) ? EINVAL : 0;
}


static int name_check(const char *name, char *err)
{
	const size_t n = strlen(name);
	char show[CONF_SHOWN];

	if (!n || n >= sizeof(((struct contact_conf *)0)->name))
		return conf_error(err, EINVAL, "a contact's name has 1 to 63 "
				  "bytes");

	if (name[0] == '#' || name[0] == '[' || name[0] == ' ' ||
	    name[n - 1] == ' ' || strchr(name, '=') || has_unsafe(name) ||
	    !text_utf8_valid(name, n))
		return conf_error(err, EINVAL, "'%s' cannot be a contact's "
				  "name: it has a '=', begins with '#' or "
				  "'[', or with a blank", shown(show, name));

	if (!strncasecmp(name, "sip:", 4) || !strncasecmp(name, "sips:", 5) ||
	    !strncasecmp(name, "tel:", 4) || strchr(name, '@'))
		return conf_error(err, EINVAL, "'%s' is an address: it cannot "
				  "be a contact's name", shown(show, name));

	return 0;
}


/* Not all of RFC 3261: who dials it learns the finer points */
static int uri_check(const char *uri, char *err)
{
	char show[CONF_SHOWN];

	if (!*uri)
		return conf_error(err, EINVAL, "there is no address");

	if (strpbrk(uri, " \t<>\"") || has_unsafe(uri))
		return conf_error(err, EINVAL, "'%s' is no address: it has a "
				  "blank, a quote or a bracket in it",
				  shown(show, uri));

	return 0;
}


static int params_read(struct contact_conf *c, const char *p, char *err)
{
	unsigned seen = 0;

	while (*p == ' ' || *p == '\t')
		++p;

	while (*p == ';') {

		const size_t n = strcspn(++p, ";");
		const char *eq = memchr(p, '=', n);
		char name[64], value[CONF_VALUE], show[CONF_SHOWN];
		const struct account_param *prm;
		int e;

		if (!eq || text_copy(name, sizeof(name), p, (size_t)(eq - p)))
			return conf_error(err, EINVAL, "a parameter is "
					  ";name=value");
		e = text_unescape_percent(value, sizeof(value), eq + 1,
					  n - (size_t)(eq - p) - 1);
		if (e)
			return conf_error(err, EINVAL, "the value of '%s' is "
					  "too long or wrongly escaped",
					  shown(show, name));

		prm = param_find(name);
		if (prm && seen & 1u << (prm - params))
			return conf_error(err, EINVAL, "%s is given twice",
					  name);
		if (contact_param_set(c, name, value, err))
			return EINVAL;
		seen |= 1u << (prm - params);
		p += n;
	}

	return *p ? conf_error(err, EINVAL, "behind the address comes "
			       ";name=value") : 0;
}


int contact_parse(struct contact_conf *c, const char *name, const char *value,
		  char *err)
{
	struct contact_conf copy;
	const char *rest, *end;
	int e;

	if (!c || !name || !value)
		return EINVAL;

	memset(&copy, 0, sizeof(copy));

	e = name_check(name, err);
	if (e)
		return e;
	(void)text_copy(copy.name, sizeof(copy.name), name, strlen(name));

	if (*value == '<') {
		++value;
		end = strchr(value, '>');
		if (!end)
			return conf_error(err, EINVAL, "the closing '>' is "
					  "missing");
		rest = end + 1;
	}
	else {
		end = value + strcspn(value, ";");
		rest = end;
		while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
			--end;
	}

	if (text_copy(copy.uri, sizeof(copy.uri), value,
		      (size_t)(end - value)))
		return conf_error(err, EINVAL, "the address is longer than "
				  "%zu bytes", sizeof(copy.uri) - 1);

	e = uri_check(copy.uri, err);
	if (!e)
		e = params_read(&copy, rest, err);
	if (!e)
		*c = copy;

	return e;
}


static void percent_add(struct text_buf *b, const char *s)
{
	for (; *s; s++) {
		const unsigned char ch = (unsigned char)*s;

		if (ch == ';' || ch == '%' || ch == '"' || ch == '#' ||
		    ch == '\\' || (ch == ' ' && !s[1]))
			text_add(b, "%%%02X", ch);
		else
			text_add_mem(b, s, 1);
	}
}


int contact_print(const struct contact_conf *c, char *buf, size_t sz)
{
	const bool bracket = strpbrk(c->uri, ";#") != NULL;
	struct text_buf b = { .max = sz ? sz - 1 : 0 };
	int err;

	text_add(&b, bracket ? "<%s>" : "%s", c->uri);

	for (size_t i = 0; i < PARAMS; i++) {

		const struct option o = param_option(&params[i]);
		char value[CONF_VALUE];

		if (conf_value_get(&o, c, value, sizeof(value)) ||
		    !value[0] ||
		    (o.type == OPT_INT && !strcmp(value, "0")) ||
		    (o.type == OPT_BOOL && !strcmp(value, "no")))
			continue;

		text_add(&b, ";%s=", params[i].name);
		percent_add(&b, value);
	}

	err = b.err ? EOVERFLOW : text_copy(buf, sz, b.s, b.len);
	text_buf_reset(&b);

	return err;
}


/* The file ---------------------------------------------------------------- */

struct found {
	struct contact_conf c;
	unsigned line;
};

struct reader {
	const char *path;
	char *err;
	struct found *v;
	size_t n, cap;
};


static int by_name(const void *a, const void *b)
{
	const struct found *const *x = a, *const *y = b;
	const int d = strcasecmp((*x)->c.name, (*y)->c.name);

	return d ? d : ((*x)->line > (*y)->line) - ((*x)->line < (*y)->line);
}


/* Two of one name: which is meant? */
static int twice_check(const struct reader *r)
{
	const struct found **s;
	char show[CONF_SHOWN];
	int err = 0;

	if (r->n < 2)
		return 0;

	s = calloc(r->n, sizeof(*s));
	if (!s)
		return ENOMEM;

	for (size_t i = 0; i < r->n; i++)
		s[i] = &r->v[i];
	qsort(s, r->n, sizeof(*s), by_name);

	for (size_t i = 1; i < r->n && !err; i++) {
		if (!strcasecmp(s[i]->c.name, s[i - 1]->c.name))
			err = conf_error(r->err, EINVAL, "%.200s:%u: %s is in "
					 "line %u already", r->path,
					 s[i]->line,
					 shown(show, s[i]->c.name),
					 s[i - 1]->line);
	}

	free(s);

	return err;
}


static int pair_read(struct reader *r, const struct conf_lines *l)
{
	char why[CONFIG_ERR] = "";

	if (r->n >= CONTACTS_MAX)
		return conf_error(r->err, EFBIG, "%.200s: more than %d "
				  "contacts", r->path, CONTACTS_MAX);

	if (r->n == r->cap) {
		const size_t cap = r->cap ? 2 * r->cap : 64;
		struct found *v = realloc(r->v, cap * sizeof(*v));

		if (!v)
			return ENOMEM;
		r->v = v;
		r->cap = cap;
	}

	if (contact_parse(&r->v[r->n].c, l->name, l->value, why))
		return conf_error(r->err, EINVAL, "%.200s:%u: %.200s",
				  r->path, l->line, why);

	r->v[r->n++].line = l->line;

	return 0;
}


static int parse(struct reader *r, const char *text, size_t len)
{
	enum conf_line_type type;
	struct conf_lines l;
	int err = 0;

	conf_lines_init(&l, text, len);

	while (!err && (type = conf_lines_next(&l)) != CONF_LINE_END) {

		if (type == CONF_LINE_PAIR)
			err = pair_read(r, &l);
		else if (type == CONF_LINE_SECTION)
			err = conf_error(r->err, EINVAL, "%.200s:%u: there "
					 "are no sections here", r->path,
					 l.line);
		else if (type == CONF_LINE_BAD)
			err = conf_error(r->err, EINVAL, "%.200s:%u: %s",
					 r->path, l.line, l.value);
	}

	return err ? err : twice_check(r);
}


/* @return 0, ENOENT: there is none, and nothing is said of that */
static int file_read(char **textp, size_t *lenp, const char *path, char *err)
{
	const int e = path_read(textp, lenp, path, CONF_FILE_MAX);

	if (e && e != ENOENT)
		return conf_error(err, e, "cannot read %.200s: %s", path,
				  strerror(e));

	return e;
}


int contacts_load(const char *path, contact_conf_h *h, void *arg, char *err)
{
	struct reader r = { .path = path, .err = err };
	char *text = NULL;
	size_t len = 0;
	int e;

	if (!path || !h)
		return EINVAL;

	e = file_read(&text, &len, path, err);
	if (e)
		return e == ENOENT ? 0 : e;

	e = parse(&r, text, len);
	for (size_t i = 0; i < r.n && !e; i++)
		e = h(&r.v[i].c, arg);

	free(r.v);
	free(text);

	return e;
}


/* Writing ------------------------------------------------------------------ */

static int line_add(struct text_buf *out, const struct contact_conf *c,
		    const char *comment, size_t len)
{
	char value[CONF_VALUE], quoted[LINE_SIZE];
	int err;

	err = contact_print(c, value, sizeof(value));
	if (!err)
		err = conf_lines_quote(quoted, sizeof(quoted), value);
	if (err)
		return err;

	text_add(out, "%s = %s", c->name, quoted);
	text_add_mem(out, comment, len);
	text_add(out, "\n");

	return out->err;
}


static size_t index_of(const struct contact_conf *v, size_t n,
		       const char *name)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!strcasecmp(v[i].name, name))
			break;
	}

	return i;
}


/* Does the file say it already? */
static bool same(const struct contact_conf *a, const struct contact_conf *b)
{
	char x[CONF_VALUE], y[CONF_VALUE];

	return !strcmp(a->name, b->name) &&
		!contact_print(a, x, sizeof(x)) &&
		!contact_print(b, y, sizeof(y)) && !strcmp(x, y);
}


static int merge(struct text_buf *out, const char *text, size_t len,
		 const struct contact_conf *v, size_t n, bool *done)
{
	enum conf_line_type type;
	struct conf_lines l;
	int err = 0;

	conf_lines_init(&l, text, len);

	while (!err && (type = conf_lines_next(&l)) != CONF_LINE_END) {

		struct contact_conf old;
		size_t i = n;

		if (type == CONF_LINE_PAIR &&
		    !contact_parse(&old, l.name, l.value, NULL))
			i = index_of(v, n, old.name);

		if (i < n && !same(&old, &v[i]))
			err = line_add(out, &v[i], l.raw + l.comment,
				       l.raw_len - l.comment);
		else
			text_add_mem(out, l.raw, (size_t)(l.p - l.raw));
		if (i < n)
			done[i] = true;
	}

	if (out->len && out->s[out->len - 1] != '\n')
		text_add(out, "\n");

	for (size_t i = 0; i < n && !err; i++) {
		if (!done[i])
			err = line_add(out, &v[i], "", 0);
	}

	return err ? err : out->err;
}


static int file_write(const char *path, struct text_buf *out, char *err)
{
	const char *slash = strrchr(path, '/');
	char dir[1024];
	int e = out->err;

	if (!e && slash && slash > path) {
		e = text_copy(dir, sizeof(dir), path, (size_t)(slash - path));
		if (!e)
			e = path_mkdirs(dir);
	}
	if (!e)
		e = path_write(path, out->s ? out->s : "", out->len, 0600);
	if (e)
		(void)conf_error(err, e, "cannot write %.200s: %s", path,
				 strerror(e));

	return e;
}


/* The file as it stands, which must be right: else it is not written */
static int file_take(char **textp, size_t *lenp, const char *path, char *err)
{
	struct reader r = { .path = path, .err = err };
	int e;

	e = file_read(textp, lenp, path, err);
	if (e)
		return e == ENOENT ? 0 : e;

	e = parse(&r, *textp, *lenp);
	free(r.v);

	return e;
}


int contacts_save(const char *path, const struct contact_conf *v, size_t n,
		  char *err)
{
	struct text_buf out = { .max = CONF_FILE_MAX };
	char *text = NULL, value[CONF_VALUE];
	bool *done = NULL;
	size_t len = 0;
	int lock = -1, e = 0;

	if (!path || (!v && n))
		return EINVAL;

	for (size_t i = 0; i < n && !e; i++) {
		struct contact_conf again;

		e = contact_print(&v[i], value, sizeof(value));
		if (e)
			e = conf_error(err, e, "the contact is too long");
		else
			e = contact_parse(&again, v[i].name, value, err);
	}
	if (!e)
		e = conf_lock(&lock, path, err);
	if (!e)
		e = file_take(&text, &len, path, err);
	if (e)
		goto out;

	done = calloc(n + 1, sizeof(*done));
	e = done ? merge(&out, text ? text : "", len, v, n, done) : ENOMEM;
	if (e)
		(void)conf_error(err, e, "cannot write %.200s: %s", path,
				 e == EOVERFLOW ? "too many contacts" :
				 strerror(e));
	else
		e = file_write(path, &out, err);

 out:
	free(done);
	free(text);
	text_buf_reset(&out);
	path_unlock(lock);

	return e;
}


int contacts_forget(const char *path, const char *name, char *err)
{
	struct text_buf out = { .max = CONF_FILE_MAX };
	size_t above = 0, len = 0;
	char *text = NULL, show[CONF_SHOWN];
	enum conf_line_type type;
	struct conf_lines l;
	bool found = false;
	int lock = -1, e;

	if (!path || !name)
		return EINVAL;

	e = conf_lock(&lock, path, err);
	if (!e)
		e = file_take(&text, &len, path, err);
	if (e)
		goto out;

	conf_lines_init(&l, text ? text : "", len);

	while ((type = conf_lines_next(&l)) != CONF_LINE_END) {

		const bool comment = type == CONF_LINE_EMPTY &&
			memchr(l.raw, '#', l.raw_len);

		if (type == CONF_LINE_PAIR && !strcasecmp(l.name, name)) {
			found = true;
			out.len = above;
			if (out.s)
				out.s[above] = '\0';
			continue;
		}

		text_add_mem(&out, l.raw, (size_t)(l.p - l.raw));
		if (!comment)
			above = out.len;
	}

	e = found ? file_write(path, &out, err) :
		conf_error(err, ENOENT, "there is no contact '%s'",
			   shown(show, name));

 out:
	free(text);
	text_buf_reset(&out);
	path_unlock(lock);

	return e;
}
