/**
 * @file config.c  The options: set, show, load, save
 *
 * Main thread.  Every change is made on a copy and checked as a whole, then
 * copied back: nothing is half-applied.  Saving rewrites only the values that
 * differ and leaves the rest of the file as its owner wrote it.
 */
#include <assert.h>
#include <offhook/compat.h>
#include <offhook/log.h>
#include <offhook/path.h>
#include <offhook/text.h>
#include "priv.h"


enum {
	OPTIONS_MAX = CONFIG_OPTIONS,
	QUALITY_INTERVAL_MIN_MS = 5000,
	LINE_SIZE = 2 * CONF_VALUE + 128,
	COLUMNS = 78,            /* of a comment                            */
};


static const char *option_name(size_t i, const void *arg)
{
	size_t n;
	const struct option *o = option_table(&n);
	(void)arg;

	return i < n ? o[i].name : NULL;
}


static int unknown_option(char *err, const char *name)
{
	const char *near = text_nearest(name, option_name, NULL);
	char shown[CONF_SHOWN];

	(void)text_escape(shown, sizeof(shown), name, strlen(name));

	if (near)
		return conf_error(err, ENOENT, "there is no option \"%s\";"
				  " did you mean %s?", shown, near);

	return conf_error(err, ENOENT, "there is no option \"%s\"; `show`"
			  " lists them all", shown);
}


/* What no row can check alone */
static int config_check(const struct config *c, char *err)
{
	char why[160];

	if (c->jitter_min_ms > c->jitter_max_ms)
		return conf_error(err, EINVAL, "jitter-min (%lldms) must not"
				  " be greater than jitter-max (%lldms)",
				  (long long)c->jitter_min_ms,
				  (long long)c->jitter_max_ms);

	if (c->quality_interval_ms &&
	    c->quality_interval_ms < QUALITY_INTERVAL_MIN_MS)
		return conf_error(err, ERANGE, "quality-interval is 0, or %ds"
				  " and more", QUALITY_INTERVAL_MIN_MS / 1000);

	if (log_levels_check(c->log_levels, why, sizeof(why)))
		return conf_error(err, EINVAL, "log-levels: %s", why);

	return conf_collector_check(c->quality_report, err);
}


int config_alloc(struct config **cp)
{
	size_t n;
	const struct option *o = option_table(&n);
	struct config *c;

	if (!cp)
		return EINVAL;

	assert(n <= OPTIONS_MAX);

	c = mem_zalloc(sizeof(*c), NULL);
	if (!c)
		return ENOMEM;

	c->setting = CONFIG_COMMAND;

	for (size_t i = 0; i < n; i++) {
		const int err = conf_value_set(&o[i], c, o[i].def, NULL);

		/* only memory can be short: a test reads every default */
		if (err) {
			mem_deref(c);
			return err;
		}
	}

	*cp = c;

	return 0;
}


int config_set(struct config *c, const char *name, const char *value,
	       char *err)
{
	const struct option *o;
	struct config copy;
	int e;

	if (!c || !name || !value)
		return conf_error(err, EINVAL, "an option needs a name and a"
				  " value");

	o = option_find(name);
	if (!o)
		return unknown_option(err, name);

	copy = *c;

	e = conf_value_set(o, &copy, value, err);
	if (!e)
		e = config_check(&copy, err);
	if (e)
		return e;

	copy.origin[o - option_table(NULL)] = (uint8_t)c->setting;
	copy.line[o - option_table(NULL)] = 0;
	*c = copy;

	return 0;
}


enum config_origin config_origin(const struct config *c, const char *name,
				 unsigned *line)
{
	const struct option *o = option_find(name);
	const size_t i = o ? (size_t)(o - option_table(NULL)) : 0;

	if (line)
		*line = c && o ? c->line[i] : 0;

	return c && o ? (enum config_origin)c->origin[i] : CONFIG_DEFAULT;
}


void config_set_origin(struct config *c, enum config_origin origin)
{
	if (c)
		c->setting = origin;
}


int config_get(const struct config *c, const char *name, char *buf, size_t sz)
{
	const struct option *o = option_find(name);

	if (!c || !buf)
		return EINVAL;

	return o ? conf_value_get(o, c, buf, sz) : ENOENT;
}


/* Prefix what went wrong with where */
static int line_error(char *err, int code, const char *path, unsigned line,
		      const char *why)
{
	return conf_error(err, code, "%.200s line %u: %s", path, line, why);
}


/*
 * Read all lines into c.  lines[i] becomes the line that sets option i, or 0.
 */
static int config_parse(struct config *c, unsigned lines[OPTIONS_MAX],
			const char *path, const char *text, size_t len,
			char *err)
{
	size_t n;
	const struct option *table = option_table(&n);
	enum conf_line_type type;
	struct conf_lines l;
	char why[CONFIG_ERR];
	int e;

	memset(lines, 0, OPTIONS_MAX * sizeof(lines[0]));
	conf_lines_init(&l, text, len);

	while ((type = conf_lines_next(&l)) != CONF_LINE_END) {
		const struct option *o;
		unsigned *seen;

		if (type == CONF_LINE_EMPTY)
			continue;

		if (type == CONF_LINE_BAD)
			return line_error(err, EINVAL, path, l.line, l.value);

		if (type == CONF_LINE_SECTION)
			return line_error(err, EINVAL, path, l.line,
					  "options have no sections; accounts"
					  " belong in the file `accounts`");

		o = option_find(l.name);
		if (!o) {
			(void)unknown_option(why, l.name);
			return line_error(err, ENOENT, path, l.line, why);
		}

		seen = &lines[o - table];
		if (*seen)
			return conf_error(err, EINVAL, "%.200s line %u: %s"
					  " was already set in line %u",
					  path, l.line, o->name, *seen);
		*seen = l.line;

		e = conf_value_set(o, c, l.value, why);
		if (e)
			return line_error(err, e, path, l.line, why);
	}

	e = config_check(c, why);
	if (e)
		return conf_error(err, e, "%.200s: %s", path, why);

	return 0;
}


static int file_read(char **textp, size_t *lenp, const char *path, char *err)
{
	const int e = path_read(textp, lenp, path, CONF_FILE_MAX);

	if (e == EFBIG)
		return conf_error(err, e, "%.200s is larger than 1 MiB: this"
				  " is not a configuration file", path);
	if (e)
		return conf_error(err, e, "cannot read %.200s: %s", path,
				  strerror(e));

	return 0;
}


int config_load(struct config *c, const char *path, char *err)
{
	unsigned lines[OPTIONS_MAX];
	struct config copy;
	char *text = NULL;
	size_t len;
	int e;

	if (!c || !path)
		return EINVAL;

	e = file_read(&text, &len, path, err);
	if (e)
		return e == ENOENT ? 0 : e;

	copy = *c;

	e = config_parse(&copy, lines, path, text, len, err);
	for (size_t i = 0; i < OPTIONS_MAX && !e; i++) {
		if (lines[i]) {
			copy.origin[i] = CONFIG_FILE;
			copy.line[i] = lines[i];
		}
	}
	if (!e)
		*c = copy;

	free(text);

	return e;
}


static int option_line(char *buf, size_t sz, const struct option *o,
		       const struct config *c)
{
	char value[CONF_VALUE], quoted[2 * CONF_VALUE];
	int err;

	err = conf_value_get(o, c, value, sizeof(value));
	if (err)
		return err;

	err = conf_lines_quote(quoted, sizeof(quoted), value);
	if (err)
		return err;

	(void)snprintf(buf, sz, "%s = %s", o->name, quoted);

	return 0;
}


/* Does the option have the same value in both? */
static bool option_same(const struct option *o, const struct config *a,
			const struct config *b)
{
	char va[CONF_VALUE], vb[CONF_VALUE];

	return !conf_value_get(o, a, va, sizeof(va)) &&
		!conf_value_get(o, b, vb, sizeof(vb)) && !strcmp(va, vb);
}


/* Is it for the file?  What c has from an older state of the file, or from
 * nobody, is not: another phone may have written since. */
static bool to_write(const struct option *o, const struct config *c,
		     const struct config *old)
{
	const enum config_origin from = c->origin[o - option_table(NULL)];

	return from != CONFIG_DEFAULT && from != CONFIG_FILE &&
		!option_same(o, c, old);
}


/* The text of the file with the values of c; old: what the file says now */
static int config_merge(struct text_buf *out, const struct config *c,
			const struct config *old,
			const unsigned lines[OPTIONS_MAX],
			const char *text, size_t len)
{
	size_t n;
	const struct option *o = option_table(&n);
	char line[LINE_SIZE];
	struct conf_lines l;
	int err;

	conf_lines_init(&l, text, len);
	text_add_mem(out, text, (size_t)(l.p - text));    /* byte order mark */

	for (;;) {
		const enum conf_line_type type = conf_lines_next(&l);
		const struct option *set;

		if (type == CONF_LINE_END)
			break;

		set = type == CONF_LINE_PAIR ? option_find(l.name) : NULL;
		if (!set || !to_write(set, c, old)) {
			text_add_mem(out, l.raw, (size_t)(l.p - l.raw));
			continue;
		}

		err = option_line(line, sizeof(line), set, c);
		if (err)
			return err;

		text_add(out, "%s", line);
		text_add_mem(out, l.raw + l.comment,
			     (size_t)(l.p - l.raw) - l.comment);
	}

	for (size_t i = 0; i < n; i++) {

		if (lines[i] || !to_write(&o[i], c, old))
			continue;

		err = option_line(line, sizeof(line), &o[i], c);
		if (err)
			return err;

		if (out->len && out->s[out->len - 1] != '\n')
			text_add(out, "\n");
		text_add(out, "%s\n", line);
	}

	return out->err;
}


static int dir_make(const char *path)
{
	char dir[1024];
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return 0;

	if (text_copy(dir, sizeof(dir), path, (size_t)(slash - path)))
		return ENAMETOOLONG;

	return path_mkdirs(dir);
}


/* One option of a file that was read anew */
static int option_reload(struct config *c, const struct config *fresh,
			 size_t i, config_change_h *h, void *arg)
{
	const struct option *o = &option_table(NULL)[i];
	const bool kept = c->origin[i] == CONFIG_ARGUMENT ||
		c->origin[i] == CONFIG_COMMAND;
	char old[CONF_VALUE], value[CONF_VALUE];
	int e;

	e = conf_value_get(o, c, old, sizeof(old));
	if (!e)
		e = conf_value_get(o, fresh, value, sizeof(value));
	if (e)
		return e;

	/* nothing is said of it in the file: this run may have its way */
	if (kept && fresh->origin[i] == CONFIG_DEFAULT)
		return 0;

	if (strcmp(old, value)) {
		if (h)
			h(o, old, value, kept, arg);
		if (!kept)
			e = conf_value_set(o, c, value, NULL);
	}
	if (!kept && !e) {
		c->origin[i] = fresh->origin[i];
		c->line[i] = fresh->line[i];
	}

	return e;
}


int config_reload(struct config *c, const char *path, config_change_h *h,
		  void *arg, char *err)
{
	struct config *fresh = NULL, copy;
	size_t n;
	int e;

	if (!c || !path)
		return EINVAL;

	e = config_alloc(&fresh);
	if (!e)
		e = config_load(fresh, path, err);

	(void)option_table(&n);
	copy = *c;
	for (size_t i = 0; i < n && !e; i++)
		e = option_reload(&copy, fresh, i, NULL, NULL);
	if (!e)
		e = config_check(&copy, err);

	/* it is right as a whole: now for good */
	for (size_t i = 0; i < n && !e; i++)
		e = option_reload(c, fresh, i, h, arg);

	mem_deref(fresh);

	return e;
}


int config_save(const struct config *c, const char *path, char *err)
{
	unsigned lines[OPTIONS_MAX];
	struct text_buf out = {.max = 2 * CONF_FILE_MAX};
	struct config *old = NULL;
	char *text = NULL;
	size_t len = 0;
	int lock = -1, e;

	if (!c || !path)
		return EINVAL;

	e = config_alloc(&old);
	if (e)
		return conf_error(err, e, "%s", strerror(e));

	e = conf_lock(&lock, path, err);
	if (!e)
		e = file_read(&text, &len, path, err);
	if (e && e != ENOENT)
		goto out;

	/* a file we cannot read we do not write either */
	e = config_parse(old, lines, path, text ? text : "", len, err);
	if (e)
		goto out;

	e = config_merge(&out, c, old, lines, text ? text : "", len);
	if (!e)
		e = dir_make(path);
	if (!e)
		e = path_write(path, out.s ? out.s : "", out.len, 0600);
	if (e)
		(void)conf_error(err, e, "cannot write %.200s: %s", path,
				 strerror(e));

 out:
	free(text);
	text_buf_reset(&out);
	mem_deref(old);
	path_unlock(lock);

	return e;
}


/* In lines of comment */
static void add_more(struct text_buf *b, const char *s)
{
	size_t column = 0;

	while (s && *s) {
		const size_t n = strcspn(s, " ");

		if (!column || column + 1 + n > COLUMNS) {
			text_add(b, column ? "\n# " : "# ");
			column = 1;
		}
		else {
			text_add(b, " ");
		}
		text_add_mem(b, s, n);
		column += 1 + n;
		s += n;
		s += *s == ' ';
	}
	text_add(b, column ? "\n" : "");
}


char *config_default_text(void)
{
	size_t n;
	const struct option *o = option_table(&n);
	struct text_buf b = {0};
	char want[256];

	text_add(&b, "# offhook.conf: options of offhook\n#\n"
		 "# Every line here is a comment that shows a default: take"
		 " away its `#` and\n# change it. A value with a ` #` in it"
		 " stands in double quotes.\n");

	for (size_t i = 0; i < n; i++) {
		conf_value_describe(&o[i], want, sizeof(want));
		text_add(&b, "\n# %s:\n#   %s%s\n", o[i].summary, want,
			 o[i].restart ? " (from the next start)" : "");
		add_more(&b, o[i].more);
		text_add(&b, "# %s = %s\n", o[i].name, o[i].def);
	}

	if (b.err)
		text_buf_reset(&b);

	return b.s;
}
