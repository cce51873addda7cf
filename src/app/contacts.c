/**
 * @file contacts.c  The contacts file as the phone uses it
 *
 * Read when somebody asks, and again when the file has changed; a file with a
 * wrong line leaves the contacts as they were.  Main thread.
 */
#include <stdio.h>
#include <sys/stat.h>
#include "offhook/app.h"
#include "offhook/path.h"
#include "offhook/text.h"

#define LOG_MODULE "contacts"
#include "offhook/log.h"

enum { DIGITS_LEAST = 7 };       /* of a number that is compared by its end */

/** What two addresses of the same one have in common, at least: a list of
 *  thousands is looked through for each name that is shown */
struct mark {
	uint32_t user, digits;   /* hashes; 0: too few digits                */
};

struct contacts {
	char *path;              /* NULL: there is no directory              */
	bool looked;
	struct timespec mtime;   /* of the file that was read                */
	off_t size;
	ino_t ino;
	struct contact_conf *v;
	struct mark *marks;      /* of each; NULL: no memory for them        */
	size_t n, cap;
	unsigned version;
	char error[CONFIG_ERR];
};

struct take {
	struct contact_conf *v;
	size_t n, cap;
};


/* Who somebody is: user and host without what is said of the way there; a
 * number by its last digits, however its country is written */
struct who {
	char user[128], host[128];
	char digits[32];
};


static void who_take(struct who *w, const char *uri)
{
	const char *p = uri, *at, *end;
	size_t n = 0;

	memset(w, 0, sizeof(*w));

	if (!strncasecmp(p, "sip:", 4) || !strncasecmp(p, "tel:", 4))
		p += 4;
	else if (!strncasecmp(p, "sips:", 5))
		p += 5;

	end = p + strcspn(p, ";?>");
	at = memchr(p, '@', (size_t)(end - p));
	if (at) {
		const char *colon = memchr(p, ':', (size_t)(at - p));

		(void)text_copy(w->user, sizeof(w->user), p,
				(size_t)((colon ? colon : at) - p));
		p = at + 1;
		if (*p != '[')
			end = p + strcspn(p, ":;?>");
		(void)text_copy(w->host, sizeof(w->host), p,
				(size_t)(end - p));
	}
	else {
		(void)text_copy(w->user, sizeof(w->user), p,
				(size_t)(end - p));
	}

	for (p = w->user; *p; p++) {
		if (*p >= '0' && *p <= '9') {
			if (n + 1 < sizeof(w->digits))
				w->digits[n++] = *p;
		}
		else if (!strchr("+-. ()/", *p)) {
			n = 0;
			break;
		}
	}
	w->digits[n] = '\0';
}


static struct mark who_mark(const struct who *w)
{
	const size_t n = strlen(w->digits);
	struct mark m = { hash_joaat_str(w->user), 0 };

	if (n >= DIGITS_LEAST)
		m.digits = hash_joaat_str(w->digits + n - DIGITS_LEAST) | 1;

	return m;
}


static bool mark_fits(const struct mark *a, const struct mark *b)
{
	return a->user == b->user || (a->digits && a->digits == b->digits);
}


static int take_handler(const struct contact_conf *c, void *arg)
{
	struct take *t = arg;

	if (t->n == t->cap) {
		const size_t cap = t->cap ? 2 * t->cap : 64;
		struct contact_conf *v = realloc(t->v, cap * sizeof(*v));

		if (!v)
			return ENOMEM;
		t->v = v;
		t->cap = cap;
	}
	t->v[t->n++] = *c;

	return 0;
}


static void marks_make(struct contacts *cs)
{
	struct who w;

	free(cs->marks);
	cs->marks = cs->n ? calloc(cs->n, sizeof(*cs->marks)) : NULL;
	for (size_t i = 0; cs->marks && i < cs->n; i++) {
		who_take(&w, cs->v[i].uri);
		cs->marks[i] = who_mark(&w);
	}
}


static void load(struct contacts *cs)
{
	struct take t = { 0 };
	char err[CONFIG_ERR] = "";
	int e;

	e = contacts_load(cs->path, take_handler, &t, err);
	if (e) {
		snprintf(cs->error, sizeof(cs->error), "%s",
			 err[0] ? err : strerror(e));
		log_warn("%s", cs->error);
		free(t.v);
		return;
	}

	cs->error[0] = '\0';
	free(cs->v);
	cs->v = t.v;
	cs->n = t.n;
	++cs->version;
	marks_make(cs);
}


static void refresh(struct contacts *cs)
{
	struct stat st = { 0 };

	if (!cs->path)
		return;

	/* one that is not there is all zeros, as before the first look */
	if (stat(cs->path, &st))
		memset(&st, 0, sizeof(st));

	if (cs->looked && st.st_ino == cs->ino && st.st_size == cs->size &&
	    st.st_mtim.tv_sec == cs->mtime.tv_sec &&
	    st.st_mtim.tv_nsec == cs->mtime.tv_nsec)
		return;

	cs->looked = true;
	cs->ino = st.st_ino;
	cs->size = st.st_size;
	cs->mtime = st.st_mtim;
	load(cs);
}


/* Looking ------------------------------------------------------------------ */

size_t contacts_count(struct contacts *cs)
{
	if (!cs)
		return 0;

	refresh(cs);

	return cs->n;
}


const struct contact_conf *contacts_at(struct contacts *cs, size_t i)
{
	return cs && i < cs->n ? &cs->v[i] : NULL;
}


const struct contact_conf *contacts_find(struct contacts *cs,
					 const char *name)
{
	const size_t n = contacts_count(cs);

	for (size_t i = 0; name && i < n; i++) {
		if (!str_casecmp(cs->v[i].name, name))
			return &cs->v[i];
	}

	return NULL;
}


const struct contact_conf *contacts_by_speed(struct contacts *cs,
					     int64_t speed)
{
	const size_t n = contacts_count(cs);

	for (size_t i = 0; speed > 0 && i < n; i++) {
		if (cs->v[i].speed == speed)
			return &cs->v[i];
	}

	return NULL;
}


static bool who_same(const struct who *a, const struct who *b)
{
	const size_t na = strlen(a->digits), nb = strlen(b->digits);
	const size_t n = na < nb ? na : nb;

	if (a->host[0] && b->host[0] && !str_casecmp(a->host, b->host))
		return !strcmp(a->user, b->user);

	/* a national number is the end of the international one */
	if (n >= DIGITS_LEAST) {
		const char *x = a->digits, *y = b->digits;
		const size_t k = n > DIGITS_LEAST + 2 ? n - 1 : n;

		return !strcmp(x + na - k, y + nb - k);
	}

	return !(a->host[0] && b->host[0]) && a->user[0] &&
		!strcmp(a->user, b->user);
}


const struct contact_conf *contacts_by_uri(struct contacts *cs,
					   const char *uri)
{
	const size_t n = contacts_count(cs);
	struct who a, b;
	struct mark m;

	if (!uri || !*uri || !n)
		return NULL;

	who_take(&a, uri);
	m = who_mark(&a);

	for (size_t i = 0; i < n; i++) {
		if (cs->marks && !mark_fits(&cs->marks[i], &m))
			continue;
		who_take(&b, cs->v[i].uri);
		if (who_same(&a, &b))
			return &cs->v[i];
	}

	return NULL;
}


struct rated {
	int score;
	size_t i;
};


static int by_score(const void *a, const void *b)
{
	const struct rated *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? 1 : -1;

	return (x->i > y->i) - (x->i < y->i);
}


static int contact_score(const struct contact_conf *c, const char *text)
{
	const int name = fuzzy_score(text, c->name);
	const int uri = fuzzy_score(text, c->uri);
	const int note = c->note[0] ? fuzzy_score(text, c->note) : -1;
	int best = name >= 0 ? name + 5 : -1;

	if (uri > best)
		best = uri;
	if (note >= 0 && note / 2 > best)
		best = note / 2;

	return best;
}


size_t contacts_search(struct contacts *cs, const char *text,
		       const struct contact_conf **v, size_t max)
{
	const size_t n = contacts_count(cs);
	struct rated *r = n ? calloc(n, sizeof(*r)) : NULL;
	size_t found = 0;

	if (!r || !text || !v) {
		free(r);
		return 0;
	}

	for (size_t i = 0; i < n; i++) {
		const int score = contact_score(&cs->v[i], text);

		if (score >= 0)
			r[found++] = (struct rated){ score, i };
	}

	qsort(r, found, sizeof(*r), by_score);
	if (found > max)
		found = max;
	for (size_t i = 0; i < found; i++)
		v[i] = &cs->v[r[i].i];

	free(r);

	return found;
}


const char *contacts_error(struct contacts *cs)
{
	(void)contacts_count(cs);

	return cs ? cs->error : "";
}


unsigned contacts_version(struct contacts *cs)
{
	(void)contacts_count(cs);

	return cs ? cs->version : 0;
}


/* For the phone ------------------------------------------------------------ */

bool contacts_lookup(struct ua_lookup *l, const char *text, void *arg)
{
	const struct contact_conf *c = contacts_find(arg, text);

	if (!c)
		return false;

	snprintf(l->text, sizeof(l->text), "%s", c->uri);
	snprintf(l->account, sizeof(l->account), "%s", c->account);

	return true;
}


bool contacts_known(const char *uri, void *arg)
{
	return contacts_by_uri(arg, uri) != NULL;
}


/* Writing ------------------------------------------------------------------ */

static int no_directory(char *err)
{
	snprintf(err, CONFIG_ERR, "there is no configuration directory");

	return ENOENT;
}


int contacts_put(struct contacts *cs, const struct contact_conf *v, size_t n,
		 char *err)
{
	int e;

	if (!cs || !err)
		return EINVAL;

	e = cs->path ? contacts_save(cs->path, v, n, err) :
		no_directory(err);
	if (!e)
		cs->looked = false;

	return e;
}


int contacts_remove(struct contacts *cs, const char *name, char *err)
{
	int e;

	if (!cs || !err)
		return EINVAL;

	e = cs->path ? contacts_forget(cs->path, name, err) :
		no_directory(err);
	if (!e)
		cs->looked = false;

	return e;
}


static void destructor(void *arg)
{
	struct contacts *cs = arg;

	free(cs->v);
	free(cs->marks);
	mem_deref(cs->path);
}


const char *contacts_path(const struct contacts *cs)
{
	return cs->path;
}


int contacts_alloc(struct contacts **cp, const char *dir)
{
	char path[1024];
	struct contacts *cs;
	int err = 0;

	if (!cp)
		return EINVAL;

	cs = mem_zalloc(sizeof(*cs), destructor);
	if (!cs)
		return ENOMEM;

	if (dir && *dir) {
		err = path_join(path, sizeof(path), dir, "contacts");
		if (!err)
			err = str_dup(&cs->path, path);
	}

	if (err)
		mem_deref(cs);
	else
		*cp = cs;

	return err;
}
