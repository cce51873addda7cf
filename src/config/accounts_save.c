/**
 * @file accounts_save.c  Writing the accounts file
 *
 * Main thread.  The file is the user's: his comments, his order and the lines
 * that still say what is true stay as they stand; only what has changed is
 * written anew, all at once or not at all.  What was read holds passwords and
 * is wiped.
 */
#include <offhook/compat.h>
#include <offhook/path.h>
#include <offhook/text.h>
#include "priv.h"


enum { LINE_SIZE = 2 * CONF_VALUE + 80 };

struct file {
	const char *path;
	char *text;
	size_t len;
};

/* Where a section stands in the text */
struct section {
	size_t start;              /* its first line, comments above included */
	size_t head;               /* [NAME]                               */
	size_t end;                /* behind its last line                 */
};


static int file_open(struct file *f, const char *path, char *err)
{
	int e;

	memset(f, 0, sizeof(*f));
	f->path = path;

	e = path_read(&f->text, &f->len, path, CONF_FILE_MAX);
	if (e == ENOENT)
		return 0;
	if (e)
		return conf_error(err, e, "cannot read %.200s: %s", path,
				  strerror(e));

	/* a file we cannot read we do not write either */
	return conf_accounts_check(path, f->text, f->len, err);
}


static void file_close(struct file *f)
{
	if (f->text)
		explicit_bzero(f->text, f->len);
	free(f->text);
}


static int file_write(const struct file *f, struct text_buf *out, char *err)
{
	char dir[1024];
	const char *slash = strrchr(f->path, '/');
	int e = out->err;

	if (!e && slash && slash > f->path) {
		e = text_copy(dir, sizeof(dir), f->path,
			      (size_t)(slash - f->path));
		if (!e)
			e = path_mkdirs(dir);
	}
	if (!e)
		e = path_write(f->path, out->s ? out->s : "", out->len, 0600);
	if (e)
		(void)conf_error(err, e, "cannot write %.200s: %s", f->path,
				 strerror(e));

	if (out->s)
		explicit_bzero(out->s, out->len);
	text_buf_reset(out);

	return e;
}


/*
 * Comments right above a section belong to it, blank lines do not: they are
 * between sections.
 */
static bool section_find(struct section *sec, const struct file *f,
			 const char *name)
{
	const char *text = f->text ? f->text : "";
	struct conf_lines l;
	size_t above = 0;          /* where the comments above here begin  */
	bool comments = false, mine = false;
	enum conf_line_type type;

	conf_lines_init(&l, text, f->len);

	while ((type = conf_lines_next(&l)) != CONF_LINE_END) {
		const size_t at = (size_t)(l.raw - text);
		const bool comment = type == CONF_LINE_EMPTY &&
			memchr(l.raw, '#', l.raw_len);

		if (comment && !comments)
			above = at;

		if (type == CONF_LINE_SECTION) {
			if (mine) {
				sec->end = comments ? above : at;
				break;
			}
			mine = !strcmp(l.name, name);
			if (mine) {
				sec->start = comments ? above : at;
				sec->head = at;
				sec->end = f->len;
			}
		}

		comments = comment;
	}

	explicit_bzero(&l, sizeof(l));

	return mine;
}


static int line_add(struct text_buf *out, const char *name, const char *value,
		    const char *comment, size_t comment_len)
{
	char quoted[LINE_SIZE];
	int err;

	err = conf_lines_quote(quoted, sizeof(quoted), value);
	if (err)
		return err;

	text_add(out, "%s = %s", name, quoted);
	text_add_mem(out, comment, comment_len);
	text_add(out, "\n");
	explicit_bzero(quoted, sizeof(quoted));

	return out->err;
}


/* What the account says of a line of its section. seen: a bit for each row */
static int pair_write(struct text_buf *out, const struct account_conf *ac,
		      const struct conf_lines *l, uint64_t *seen)
{
	const struct account_param *prm = conf_param_find(l->name);
	const char *comment = l->raw + l->comment;
	const size_t len = l->raw_len - l->comment;
	char value[CONF_VALUE];
	int err;

	if (!strcmp(l->name, "uri")) {
		if (!strcmp(l->value, ac->aor)) {
			text_add_mem(out, l->raw, (size_t)(l->p - l->raw));
			return out->err;
		}

		/* parameters in it get lines of their own */
		if (strchr(ac->aor, ';')) {
			(void)snprintf(value, sizeof(value), "<%s>", ac->aor);
			return line_add(out, "uri", value, comment, len);
		}
		return line_add(out, "uri", ac->aor, comment, len);
	}

	*seen |= conf_param_bit(prm);
	err = conf_param_text(ac, prm, value, sizeof(value));
	if (err == ENOENT)
		return 0;
	if (!err && !strcmp(value, l->value))
		text_add_mem(out, l->raw, (size_t)(l->p - l->raw));
	else if (!err)
		err = line_add(out, l->name, value, comment, len);
	explicit_bzero(value, sizeof(value));

	return err ? err : out->err;
}


static int rest_write(struct text_buf *out, const struct account_conf *ac,
		      uint64_t seen)
{
	size_t n;
	const struct account_param *prm = account_param_table(&n);
	char value[CONF_VALUE];
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		if (seen & conf_param_bit(&prm[i]))
			continue;

		err = conf_param_text(ac, &prm[i], value, sizeof(value));
		if (!err)
			err = line_add(out, prm[i].name, value, "", 0);
		else if (err == ENOENT)
			err = 0;
	}

	explicit_bzero(value, sizeof(value));

	return err;
}


/* The section's own lines; blank ones at its end stay behind it */
static int section_write(struct text_buf *out, const struct account_conf *ac,
			 const struct file *f, const struct section *sec)
{
	size_t last = sec->head;
	struct conf_lines l;
	uint64_t seen = 0;
	int err = 0;

	conf_lines_init(&l, f->text, f->len);
	while (conf_lines_next(&l) != CONF_LINE_END) {
		const size_t at = (size_t)(l.p - f->text);

		if (at > sec->end)
			break;
		if (at > sec->head && strspn(l.raw, " \t") < l.raw_len)
			last = at;
	}

	conf_lines_init(&l, f->text, f->len);
	while (!err) {
		const enum conf_line_type type = conf_lines_next(&l);

		if (type == CONF_LINE_END || (size_t)(l.p - f->text) > last)
			break;
		if ((size_t)(l.raw - f->text) < sec->head)
			continue;

		if (type == CONF_LINE_PAIR)
			err = pair_write(out, ac, &l, &seen);
		else
			text_add_mem(out, l.raw, (size_t)(l.p - l.raw));

		/* the last line of a file may lack its end */
		if (out->len && out->s[out->len - 1] != '\n')
			text_add(out, "\n");
	}

	explicit_bzero(&l, sizeof(l));

	if (!err)
		err = rest_write(out, ac, seen);
	text_add_mem(out, f->text + last, sec->end - last);

	return err ? err : out->err;
}


static int section_new(struct text_buf *out, const struct account_conf *ac)
{
	int err;

	if (out->len && out->s[out->len - 1] != '\n')
		text_add(out, "\n");
	text_add(out, out->len ? "\n[%s]\n" : "[%s]\n", ac->name);

	/* parameters of the address itself stay in it */
	text_add(out, strchr(ac->aor, ';') ? "uri = <%s>\n" : "uri = %s\n",
		 ac->aor);
	err = rest_write(out, ac, 0);

	return err ? err : out->err;
}


int accounts_save(const char *path, const struct account_conf *ac, char *err)
{
	struct text_buf out = {.max = 2 * CONF_FILE_MAX};
	struct section sec;
	struct file f = { .text = NULL };
	int lock = -1, e;

	if (!path || !ac)
		return EINVAL;

	if (!ac->name[0] || strpbrk(ac->name, "[]"))
		return conf_error(err, EINVAL, "an account in the file needs a"
				  " name without brackets");

	e = conf_lock(&lock, path, err);
	if (!e)
		e = file_open(&f, path, err);
	if (e)
		goto out;

	if (section_find(&sec, &f, ac->name)) {
		text_add_mem(&out, f.text, sec.head);
		e = section_write(&out, ac, &f, &sec);
		text_add_mem(&out, f.text + sec.end, f.len - sec.end);
	}
	else {
		text_add_mem(&out, f.text ? f.text : "", f.len);
		e = section_new(&out, ac);
	}

	if (e)
		(void)conf_error(err, e, "cannot write account %s: %s",
				 ac->name, strerror(e));
	else
		e = file_write(&f, &out, err);

 out:
	if (out.s)
		explicit_bzero(out.s, out.len);
	text_buf_reset(&out);
	file_close(&f);
	path_unlock(lock);

	return e;
}


int accounts_forget(const char *path, const char *name, char *err)
{
	struct text_buf out = {.max = 2 * CONF_FILE_MAX};
	struct section sec;
	struct file f = { .text = NULL };
	int lock = -1, e;

	if (!path || !name)
		return EINVAL;

	e = conf_lock(&lock, path, err);
	if (!e)
		e = file_open(&f, path, err);
	if (e)
		goto out;

	if (!section_find(&sec, &f, name)) {
		e = conf_error(err, ENOENT, "%.200s has no account %.64s",
			       path, name);
		goto out;
	}

	text_add_mem(&out, f.text, sec.start);
	text_add_mem(&out, f.text + sec.end, f.len - sec.end);
	e = file_write(&f, &out, err);

 out:
	file_close(&f);
	path_unlock(lock);

	return e;
}
