/**
 * @file app/identities.c  Many identities from a table, for tests
 *
 * The text of the file is kept and cut into cells in place; an account is
 * made of a line when it is needed.  Whatever a password holds is wiped with
 * the text.  Main thread.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include "offhook/compat.h"
#include "offhook/identities.h"
#include "offhook/path.h"
#include "offhook/text.h"

enum { FILE_MAX = 64 << 20, CELL_MAX = 512 };

enum column_kind { COL_PARAM, COL_USER, COL_URI, COL_WORD };

struct column {
	char name[64];
	enum column_kind kind;
};

struct row {
	uint32_t line;           /* of the file                              */
	uint32_t cell;           /* its first one, in cells                  */
};

struct identities {
	char *path;
	char *text;              /* of the file, cut                         */
	size_t len;
	struct column col[IDENTITIES_COLUMNS];
	size_t cols;
	char sep;
	struct account_conf base;
	bool based;
	struct row *rows;
	size_t n, room;
	uint32_t *cells;         /* where each begins in text                */
	size_t celln, cellroom;
};


static int wrong(char *err, const struct identities *ids, unsigned line,
		 const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static int wrong(char *err, const struct identities *ids, unsigned line,
		 const char *fmt, ...)
{
	char text[CONFIG_ERR];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	snprintf(err, CONFIG_ERR, "%.100s:%u: %.300s", ids->path, line, text);

	return EINVAL;
}


/* Room for one more of size bytes. @return 0, ENOMEM */
static int grow(void **vp, size_t n, size_t *room, size_t size)
{
	void *v;

	if (n < *room)
		return 0;

	v = realloc(*vp, (*room ? 2 * *room : 256) * size);
	if (!v)
		return ENOMEM;

	*vp = v;
	*room = *room ? 2 * *room : 256;

	return 0;
}


/* Cells ------------------------------------------------------------------------ */

struct reader {
	char *p, *end;           /* the text behind what was read            */
	unsigned line;
	bool more;               /* another cell of this line follows        */
	const char *why;         /* what is wrong, NULL nothing              */
};


/* A cell in double quotes, in which "" is one; its text is moved down */
static char *quoted(struct reader *r)
{
	char *start = ++r->p, *to = start;

	for (; r->p < r->end; r->p++) {
		if (*r->p == '"') {
			if (r->p + 1 < r->end && r->p[1] == '"')
				++r->p;
			else
				break;
		}
		if (*r->p == '\n') {
			r->why = "a quote is not closed";
			return NULL;
		}
		*to++ = *r->p;
	}
	if (r->p == r->end) {
		r->why = "a quote is not closed";
		return NULL;
	}

	++r->p;
	*to = '\0';

	return start;
}


/* @return its text, NULL: r->why */
static char *cell_next(struct reader *r, char sep)
{
	char *start, *stop;

	while (r->p < r->end && (*r->p == ' ' || *r->p == '\t'))
		++r->p;

	if (r->p < r->end && *r->p == '"') {
		start = quoted(r);
		if (!start)
			return NULL;
		stop = NULL;
	}
	else {
		start = r->p;
		while (r->p < r->end && *r->p != sep && *r->p != '\n')
			++r->p;
		stop = r->p;
		while (stop > start && (stop[-1] == ' ' || stop[-1] == '\t' ||
					stop[-1] == '\r'))
			--stop;
	}

	while (r->p < r->end && (*r->p == ' ' || *r->p == '\r'))
		++r->p;
	if (r->p < r->end && *r->p != sep && *r->p != '\n') {
		r->why = "behind a quote the cell must end";
		return NULL;
	}

	r->more = r->p < r->end && *r->p == sep;
	if (r->p < r->end)
		++r->p;
	if (stop)
		*stop = '\0';

	if (strlen(start) >= CELL_MAX)
		r->why = "a cell is longer than 511 bytes";
	for (const char *p = start; *p && !r->why; p++) {
		if ((unsigned char)*p < ' ' || *p == 127)
			r->why = "there is a control character in it";
	}

	return r->why ? NULL : start;
}


/* To the next line that is neither empty nor a comment. @return false: end */
static bool line_next(struct reader *r)
{
	while (r->p < r->end) {

		char *nl = memchr(r->p, '\n', (size_t)(r->end - r->p));
		char *p = r->p;

		++r->line;
		while (p < r->end && (*p == ' ' || *p == '\r' || *p == '\t'))
			++p;
		if (p < r->end && *p != '\n' && *p != '#')
			return true;
		r->p = nl ? nl + 1 : r->end;
	}

	return false;
}


/* The first line ---------------------------------------------------------------- */

static const char *param_name(size_t i, const void *arg)
{
	size_t n;
	const struct account_param *v = account_param_table(&n);
	(void)arg;

	return i < n ? v[i].name : i == n ? "user" : i == n + 1 ? "uri" :
		i == n + 2 ? "number" : NULL;
}


static int column_add(struct identities *ids, unsigned line, const char *name,
		      char *err)
{
	struct column *c = &ids->col[ids->cols];
	const char *near;
	char show[64];

	if (ids->cols == IDENTITIES_COLUMNS)
		return wrong(err, ids, line, "there are more than %d columns",
			     IDENTITIES_COLUMNS);

	snprintf(c->name, sizeof(c->name), "%.60s", name);
	for (char *p = c->name; *p; p++) {
		if (*p == '_')
			*p = '-';
	}

	for (size_t i = 0; i < ids->cols; i++) {
		if (!strcmp(ids->col[i].name, c->name))
			return wrong(err, ids, line, "column %s is there "
				     "twice", c->name);
	}

	c->kind = !strcmp(c->name, "user") ? COL_USER :
		!strcmp(c->name, "uri") ? COL_URI :
		!strcmp(c->name, "number") || !strncmp(c->name, "x-", 2) ?
		COL_WORD : COL_PARAM;
	++ids->cols;
	if (c->kind != COL_PARAM)
		return 0;

	for (size_t i = 0; param_name(i, NULL); i++) {
		if (!strcmp(param_name(i, NULL), c->name))
			return 0;
	}

	near = text_nearest(c->name, param_name, NULL);
	text_escape(show, sizeof(show), c->name, strlen(c->name));

	return near ? wrong(err, ids, line, "there is no column '%s'; did you "
			    "mean '%s'?", show, near) :
		wrong(err, ids, line, "there is no column '%s'; there are "
		      "user, uri, number, x-ANYTHING and the parameters of "
		      "accounts", show);
}


static int columns(struct identities *ids, struct reader *r, char *err)
{
	const char *nl, *semi;
	bool has_user = false;

	if (!line_next(r))
		return wrong(err, ids, 1, "the first line names the columns, "
			     "as in user,password");

	/* what a spreadsheet writes where the comma is a decimal point */
	nl = memchr(r->p, '\n', (size_t)(r->end - r->p));
	semi = memchr(r->p, ';', (size_t)((nl ? nl : r->end) - r->p));
	ids->sep = semi ? ';' : ',';

	do {
		const char *s = cell_next(r, ids->sep);
		int e = s ? column_add(ids, r->line, s, err) :
			wrong(err, ids, r->line, "%s", r->why);

		if (e)
			return e;
	} while (r->more);

	for (size_t i = 0; i < ids->cols; i++) {
		has_user = has_user || ids->col[i].kind == COL_URI ||
			(ids->col[i].kind == COL_USER && ids->based);
	}
	if (!has_user)
		return wrong(err, ids, r->line, ids->based ?
			     "there is no column user and none uri" :
			     "without --account there must be a column uri");

	return 0;
}


/* The others -------------------------------------------------------------------- */

static int row_add(struct identities *ids, struct reader *r, char *err)
{
	size_t n = 0;

	if (ids->n == IDENTITIES_MAX) {
		(void)wrong(err, ids, r->line, "there are more than %d "
			    "identities", IDENTITIES_MAX);
		return EFBIG;
	}
	if (grow((void **)&ids->rows, ids->n, &ids->room,
		 sizeof(*ids->rows)))
		return ENOMEM;

	ids->rows[ids->n].line = r->line;
	ids->rows[ids->n].cell = (uint32_t)ids->celln;

	do {
		const char *s = cell_next(r, ids->sep);

		if (!s)
			return wrong(err, ids, r->line, "%s", r->why);
		if (++n > ids->cols)
			break;
		if (grow((void **)&ids->cells, ids->celln, &ids->cellroom,
			 sizeof(*ids->cells)))
			return ENOMEM;
		ids->cells[ids->celln++] = (uint32_t)(s - ids->text);
	} while (r->more);

	if (n != ids->cols)
		return wrong(err, ids, r->line, "there are %s%zu cells for "
			     "%zu columns", n > ids->cols ? "more than " : "",
			     n > ids->cols ? ids->cols : n, ids->cols);
	++ids->n;

	return 0;
}


static const char *cell(const struct identities *ids, size_t i, size_t col)
{
	return ids->text + ids->cells[ids->rows[i].cell + col];
}


static void take_address(struct account_conf *ac,
			 const struct account_conf *made)
{
	memcpy(ac->aor, made->aor, sizeof(ac->aor));
	memcpy(ac->auth_user, made->auth_user, sizeof(ac->auth_user));
}


/* sip:USER@ in the place of the user of the account all are made of */
static int set_user(struct account_conf *ac, const char *user, char *err)
{
	char uri[CONFIG_STR];
	const char *at = strchr(ac->aor, '@');
	const char *scheme = !strncasecmp(ac->aor, "sips:", 5) ? "sips" :
		"sip";
	struct account_conf made;
	int n, e;

	n = snprintf(uri, sizeof(uri), "%s:%s%s", scheme, user, at ? at : "");
	if (n < 0 || (size_t)n >= sizeof(uri) || strpbrk(user, "@;<> ")) {
		snprintf(err, CONFIG_ERR, "'%.60s' is no user", user);
		return EINVAL;
	}

	e = account_parse(&made, uri, err);
	if (!e)
		take_address(ac, &made);

	return e;
}


static int set_cell(struct account_conf *ac, const struct column *c,
		    const char *s, char *err)
{
	struct account_conf made;
	int e;

	if (!*s)
		return 0;

	switch (c->kind) {

	case COL_USER:
		return set_user(ac, s, err);

	case COL_URI:
		if (*s != '<' && strchr(s, ';')) {
			snprintf(err, CONFIG_ERR, "parameters stand in "
				 "columns of their own");
			return EINVAL;
		}
		e = account_parse(&made, s, err);
		if (!e)
			take_address(ac, &made);
		return e;

	case COL_PARAM:
		return account_param_set(ac, c->name, s, err);

	case COL_WORD:
		break;
	}

	return 0;
}


/* Of a row and nothing else, unless it is named */
static void name_it(struct account_conf *ac, size_t i)
{
	const char *user = strchr(ac->aor, ':');
	const size_t n = user ? strcspn(user + 1, "@") : 0;

	if (n && n + 1 < sizeof(ac->name))
		snprintf(ac->name, sizeof(ac->name), "%.*s", (int)n,
			 user + 1);
	else
		snprintf(ac->name, sizeof(ac->name), "identity-%zu", i + 1);
}


int identities_account(struct account_conf *ac, const struct identities *ids,
		       size_t i, char *err)
{
	static const char *const secrets[] = {
		"password", "password-env", "password-file",
		"password-command", "ha1",
	};
	char why[CONFIG_ERR] = "";
	int e = 0;

	*ac = ids->base;
	ac->name[0] = '\0';
	ac->fallback[0] = '\0';
	ac->default_ = false;

	/* whoever has a password of his own has not the one of all */
	for (size_t c = 0; c < ids->cols; c++) {
		for (size_t k = 0; k < ARRAY_SIZE(secrets); k++) {
			if (strcmp(ids->col[c].name, secrets[k]) ||
			    !*cell(ids, i, c))
				continue;
			ac->password[0] = ac->password_env[0] = '\0';
			ac->password_file[0] = ac->ha1[0] = '\0';
			ac->password_command[0] = '\0';
		}
	}

	/* the address first: it says who authenticates, unless others do */
	for (size_t k = 0; k < 2 * ids->cols && !e; k++) {

		const size_t c = k % ids->cols;
		const bool address = ids->col[c].kind == COL_USER ||
			ids->col[c].kind == COL_URI;

		if (address == (k < ids->cols))
			e = set_cell(ac, &ids->col[c], cell(ids, i, c), why);
		if (e)
			(void)wrong(err, ids, ids->rows[i].line, "%s", why);
	}

	if (!e && !strchr(ac->aor, '@'))
		e = wrong(err, ids, ids->rows[i].line, "there is no user");
	if (!e && !ac->name[0])
		name_it(ac, i);
	ac->regist = 0;

	return e;
}


int identities_fill(char *buf, size_t sz, const struct identities *ids,
		    size_t i, const char *text, char *err)
{
	size_t n = 0;

	for (const char *p = text; *p; ) {

		const size_t len = *p == '{' ? strcspn(p, "}") : 0;
		const char *s = p, *what = p;
		size_t c = 0, add = 1;

		if (len && p[len]) {
			while (c < ids->cols &&
			       (strlen(ids->col[c].name) != len - 1 ||
				strncmp(ids->col[c].name, p + 1, len - 1)))
				++c;
			if (c == ids->cols) {
				snprintf(err, CONFIG_ERR, "there is no column "
					 "for %.*s", (int)(len < 60 ? len : 60)
					 + 1, what);
				return ENOENT;
			}
			s = cell(ids, i, c);
			add = strlen(s);
			p += len + 1;
		}
		else {
			++p;
		}

		if (n + add >= sz)
			return EOVERFLOW;
		memcpy(buf + n, s, add);
		n += add;
	}

	buf[n] = '\0';

	return 0;
}


size_t identities_count(const struct identities *ids)
{
	return ids ? ids->n : 0;
}


static void destructor(void *arg)
{
	struct identities *ids = arg;

	if (ids->text)
		explicit_bzero(ids->text, ids->len);
	explicit_bzero(&ids->base, sizeof(ids->base));
	free(ids->text);
	free(ids->rows);
	free(ids->cells);
	mem_deref(ids->path);
}


static int check(struct identities *ids, char *err)
{
	struct account_conf ac;
	int e = 0;

	for (size_t i = 0; i < ids->n && !e; i++)
		e = identities_account(&ac, ids, i, err);
	explicit_bzero(&ac, sizeof(ac));

	return e;
}


/* Takes text, malloc'd; NULL: it is read */
static int load(struct identities **ip, const char *path, char *text,
		size_t len, const struct account_conf *base, char *err)
{
	struct identities *ids = mem_zalloc(sizeof(*ids), destructor);
	struct reader r = { NULL, NULL, 0, false, NULL };
	int e;

	err[0] = '\0';
	if (!ids) {
		free(text);
		return ENOMEM;
	}

	ids->text = text;
	ids->len = len;
	e = str_dup(&ids->path, path);
	if (!e && base) {
		ids->base = *base;
		ids->based = true;
	}
	else if (!e) {
		/* all that an account has of itself */
		e = account_parse(&ids->base, "sip:x@x", err);
		ids->base.aor[0] = '\0';
	}
	if (!e && !text)
		e = path_read(&ids->text, &ids->len, path, FILE_MAX);
	if (!e && memchr(ids->text, '\0', ids->len)) {
		snprintf(err, CONFIG_ERR, "%.200s is no text", path);
		e = EINVAL;
	}
	if (!e) {
		r.p = ids->text + text_bom(ids->text, ids->len);
		r.end = ids->text + ids->len;
		e = columns(ids, &r, err);
	}
	while (!e && line_next(&r))
		e = row_add(ids, &r, err);
	if (!e && !ids->n)
		e = wrong(err, ids, r.line, "there is no identity in it");
	if (!e)
		e = check(ids, err);

	if (e)
		mem_deref(ids);
	else
		*ip = ids;

	return e;
}


int identities_load(struct identities **ip, const char *path,
		    const struct account_conf *base, char *err)
{
	return load(ip, path, NULL, 0, base, err);
}


int identities_read(struct identities **ip, const char *text, size_t len,
		    const struct account_conf *base, char *err)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return ENOMEM;

	memcpy(copy, text, len);
	copy[len] = '\0';

	return load(ip, "text", copy, len, base, err);
}
