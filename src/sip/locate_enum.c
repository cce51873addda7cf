/**
 * @file sip/locate_enum.c  A telephone number as a SIP address, RFC 6116
 *
 * Main thread.  The digits, last one first, are a name below the ENUM domain;
 * its NAPTR records say what the number is to be.  Of those for calls by SIP
 * (E2U+sip) the first one that makes a good URI counts.  Records that lead to
 * other records are not followed.  What comes is a stranger's word: it is a
 * SIP URI or it is nothing.
 */
#include "locate.h"


enum { DIGITS_MAX = 24 };           /* E.164 has 15                         */

struct sip_enum {
	struct sip_stack *stack;
	struct name_ask *ask;
	struct trail *trail;
	bool known;
	char number[DIGITS_MAX + 2]; /* "+441632960083"                     */
	char name[NAME_LEN];
	sip_enum_h *h;
	void *arg;
};


/* "E2U+sip" among others: "E2U+voice:tel+sip" */
static bool for_sip(const char *service)
{
	const char *p = service;

	if (strncasecmp(p, "E2U+", 4))
		return false;

	for (p += 4; *p; p += *p == '+') {
		const size_t n = strcspn(p, "+");

		if (text_caseeq(p, n, "sip"))
			return true;
		p += n;
	}

	return false;
}


static bool uri_ok(const char *uri)
{
	struct suri u;

	return !suri_parse_str(&u, uri) && u.sip && !u.headers.l;
}


/* One record. @return true: it says where */
static bool record_use(struct sip_enum *e, const struct name_naptr *na,
		       char *uri, size_t sz)
{
	int err;

	if (!for_sip(na->service))
		return false;

	if (strcasecmp(na->flags, "u") || !*na->regexp) {
		trail_note(e->trail, "a rule that leads to others is not "
			   "followed");
		return false;
	}

	err = rewrite(uri, sz, na->regexp, e->number);
	if (err) {
		trail_note(e->trail, "%s: %s", na->regexp, err == ENOENT ?
			   "does not fit the number" : err == E2BIG ?
			   "too much work" : "malformed");
		return false;
	}

	if (!uri_ok(uri)) {
		trail_note(e->trail, "%s is no SIP address", uri);
		return false;
	}

	return true;
}


static bool before(const struct name_naptr *a, const struct name_naptr *b)
{
	return a->order != b->order ? a->order < b->order :
		a->pref < b->pref;
}


static bool choose(struct sip_enum *e, const struct name_answer *a,
		   char *uri, size_t sz)
{
	unsigned order[NAME_RECS_MAX], i, k;

	for (i = 0; i < a->n; i++) {
		for (k = i; k > 0 && before(&a->v[i].u.naptr,
					    &a->v[order[k - 1]].u.naptr); k--)
			order[k] = order[k - 1];
		order[k] = i;
	}

	for (i = 0; i < a->n; i++) {
		if (record_use(e, &a->v[order[i]].u.naptr, uri, sz))
			return true;
	}

	return false;
}


static void answer_h(struct name_answer *a, void *arg)
{
	struct sip_enum *e = arg;
	struct sip_result res = {.cause = SIP_CAUSE_NONE};
	char uri[512];
	bool found;

	e->ask = mem_deref(e->ask);

	trail_answer(e->trail, e->name, a, e->known);
	found = choose(e, a, uri, sizeof(uri));

	if (found)
		trail_note(e->trail, "%s is %s", e->number, uri);
	else if (a->state == NAME_SILENT || a->state == NAME_FAILED)
		(void)way_fail(&res, SIP_CAUSE_RESOLVE, a->state ==
			       NAME_SILENT ? ETIMEDOUT : EIO,
			       "no answer from the name service about "
			       "the number %s", e->number);
	else
		(void)way_fail(&res, SIP_CAUSE_NONE, ENOENT,
			       "the number %s is not listed for SIP",
			       e->number);

	if (!found)
		trail_note(e->trail, "%s", res.reason);
	if (log_wanted(LOG_MODULE, LOGL_DEBUG))
		trail_log(e->trail);

	/* its owner may let go inside */
	mem_ref(e);
	e->h(found ? uri : NULL, found ? NULL : &res, trail_steps(e->trail),
	     e->arg);
	mem_deref(e);
}


static int number_read(char number[DIGITS_MAX + 2], const char *text)
{
	size_t n;

	text += *text == '+';
	n = strspn(text, "0123456789");
	if (!n || n > DIGITS_MAX || text[n])
		return EINVAL;

	number[0] = '+';
	strcpy(number + 1, text);

	return 0;
}


static int name_make(char name[NAME_LEN], const char *number,
		     const char *domain)
{
	size_t n = 0, i;

	if (strlen(domain) + 2 * strlen(number) >= NAME_LEN)
		return EINVAL;

	for (i = strlen(number); i > 1; i--) {
		name[n++] = number[i - 1];
		name[n++] = '.';
	}
	strcpy(name + n, domain);

	return name_ok(name) ? 0 : EINVAL;
}


static void enum_destructor(void *arg)
{
	struct sip_enum *e = arg;

	mem_deref(e->ask);
	mem_deref(e->trail);
}


int sip_enum_find(struct sip_enum **ep, struct sip_stack *s,
		  const char *number, const char *domain, sip_enum_h *h,
		  void *arg)
{
	struct sip_enum *e;
	int err;

	if (!ep || !s || !number || !domain || !*domain || !h)
		return EINVAL;

	e = mem_zalloc(sizeof(*e), enum_destructor);
	if (!e)
		return ENOMEM;

	e->stack = s;
	e->h = h;
	e->arg = arg;

	err = number_read(e->number, number);
	if (!err)
		err = name_make(e->name, e->number, domain);
	if (!err)
		err = trail_alloc(&e->trail);
	if (!err)
		e->known = names_known(s->names, NAME_NAPTR, e->name);
	if (!err)
		err = names_ask(&e->ask, s->names, NAME_NAPTR, e->name,
				s->resolve_ms, answer_h, e);
	if (err)
		mem_deref(e);
	else
		*ep = e;

	return err;
}
