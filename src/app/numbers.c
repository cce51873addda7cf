/**
 * @file numbers.c  What was typed: a contact's name, a number by the dial plan
 *
 * A name becomes the contact's address; what is a number then, typed or of a
 * contact, goes through the dial plan.  The file `dialplan` beside the
 * configuration is read when it is needed, and again when it has changed; a
 * wrong one leaves the plan as it was.  Main thread.
 */
#include <stdio.h>
#include <sys/stat.h>
#include "offhook/app.h"
#include "offhook/path.h"
#include "offhook/text.h"

#define LOG_MODULE "dialplan"
#include "offhook/log.h"

struct numbers {
	struct contacts *contacts;
	const struct config *config;
	char *path;              /* NULL: there is no directory              */
	struct dialplan *plan;
	bool looked;
	struct timespec mtime;
	off_t size;
	char error[CONFIG_ERR];
};


static void refresh(struct numbers *n)
{
	struct dialplan *fresh = NULL;
	struct stat st = { 0 };

	if (!n->path)
		return;
	if (stat(n->path, &st))
		memset(&st, 0, sizeof(st));
	if (n->looked && st.st_size == n->size &&
	    st.st_mtim.tv_sec == n->mtime.tv_sec &&
	    st.st_mtim.tv_nsec == n->mtime.tv_nsec)
		return;

	n->looked = true;
	n->size = st.st_size;
	n->mtime = st.st_mtim;
	n->error[0] = '\0';

	if (dialplan_load(&fresh, n->path, n->error)) {
		log_warn("%s", n->error);
		return;
	}

	dialplan_free(n->plan);
	n->plan = fresh;
}


static bool is_address(const char *s)
{
	struct sa sa;

	return !sa_set_str(&sa, s, 0);
}


bool numbers_lookup(struct ua_lookup *l, const char *text, void *arg)
{
	struct numbers *n = arg;
	const bool known = contacts_lookup(l, text, n->contacts);
	const char *dialled = known ? l->text : text;
	const char *account;
	char number[128], out[128];
	unsigned line;

	if (is_address(dialled) ||
	    !text_number(number, sizeof(number), dialled) ||
	    ua_emergency(n->config, number))
		return known;

	refresh(n);
	if (!dialplan_apply(n->plan, number, out, sizeof(out), &account,
			    &line))
		return known;

	log_info("%s is dialled as %s (line %u of the dial plan)", number,
		 out, line);
	snprintf(l->text, sizeof(l->text), "%s", out);
	if (*account && !l->account[0])
		snprintf(l->account, sizeof(l->account), "%s", account);

	return true;
}


const char *numbers_error(struct numbers *n)
{
	if (!n)
		return "";

	refresh(n);

	return n->error;
}


static void destructor(void *arg)
{
	struct numbers *n = arg;

	dialplan_free(n->plan);
	mem_deref(n->path);
}


int numbers_alloc(struct numbers **np, struct contacts *contacts,
		  const struct config *config, const char *dir)
{
	char path[1024];
	struct numbers *n;
	int err = 0;

	if (!np || !config)
		return EINVAL;

	n = mem_zalloc(sizeof(*n), destructor);
	if (!n)
		return ENOMEM;

	n->contacts = contacts;
	n->config = config;
	if (dir && *dir) {
		err = path_join(path, sizeof(path), dir, "dialplan");
		if (!err)
			err = str_dup(&n->path, path);
	}

	if (err)
		mem_deref(n);
	else
		*np = n;

	return err;
}
