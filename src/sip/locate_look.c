/**
 * @file sip/locate_look.c  Several questions to the name service at a time
 *
 * Main thread.  They are asked together and end together; the one who asked
 * holds them in a struct of his own.  When some answers are enough the others
 * get a little more time, not all there is.
 */
#include "locate.h"


enum {
	V6_MS       = 50,         /* RFC 8305 3: IPv4 is here, IPv6 may come  */
	GRACE_MS    = 500,
	PATIENCE_MS = 2000,
};


void looks_reset(struct looks *ls)
{
	unsigned i;

	timer_cancel(&ls->tmr);

	for (i = 0; i < ls->n; i++) {
		mem_deref(ls->v[i].ask);
		mem_deref(ls->v[i].answer);
	}

	ls->v = mem_deref(ls->v);
	ls->n = ls->room = ls->pending = 0;
}


int looks_alloc(struct looks *ls, struct sip_stack *s, unsigned room)
{
	looks_reset(ls);

	ls->stack = s;
	ls->grace = false;
	ls->v = mem_zalloc(room * sizeof(*ls->v), NULL);
	if (!ls->v)
		return ENOMEM;

	ls->room = room;

	return 0;
}


void looks_add(struct looks *ls, enum name_type type, unsigned group,
	       const char *name)
{
	struct look *lk;

	if (ls->n == ls->room)
		return;

	lk = &ls->v[ls->n++];
	lk->all = ls;
	lk->type = type;
	lk->group = group;
	(void)text_copy(lk->name, sizeof(lk->name), name, strlen(name));
}


static void enough_h(void *arg)
{
	struct looks *ls = arg;

	ls->h(ls->arg);
}


/* Of a machine that has been found by IPv4 only IPv6 is still asked for: many
 * a router answers every question but that one */
static bool only_v6(const struct looks *ls, const struct look *found)
{
	for (unsigned i = 0; i < ls->n; i++) {
		const struct look *lk = &ls->v[i];

		if (lk->ask && (lk->type != NAME_AAAA ||
				lk->group != found->group))
			return false;
	}

	return found->type == NAME_A;
}


static void look_h(struct name_answer *a, void *arg)
{
	struct look *lk = arg;
	struct looks *ls = lk->all;

	lk->ask = mem_deref(lk->ask);
	lk->answer = mem_ref(a);

	if (!--ls->pending) {
		timer_cancel(&ls->tmr);
		ls->h(ls->arg);
		return;
	}

	if (!ls->grace || a->state != NAME_FOUND)
		return;

	if (!lk->group)
		timer_start(&ls->tmr, only_v6(ls, lk) ? V6_MS : GRACE_MS,
			    enough_h, ls);
	else if (!timer_running(&ls->tmr))
		timer_start(&ls->tmr, PATIENCE_MS, enough_h, ls);
}


int looks_start(struct looks *ls, bool ask, uint32_t ms,
		void (*h)(void *arg), void *arg)
{
	struct names *names = ls->stack->names;
	unsigned i;
	int err;

	ls->h = h;
	ls->arg = arg;

	for (i = 0; i < ls->n; i++) {
		struct look *lk = &ls->v[i];
		struct name_answer *a = names_known(names, lk->type,
						    lk->name);

		if (a) {
			lk->answer = mem_ref(a);
			lk->known = true;
			continue;
		}

		if (!ask)
			return EAGAIN;

		err = names_ask(&lk->ask, names, lk->type, lk->name, ms,
				look_h, lk);
		if (err)
			return err;

		++ls->pending;
	}

	return 0;
}


void looks_tell(const struct looks *ls, struct trail *t)
{
	unsigned i;

	for (i = 0; i < ls->n; i++) {
		const struct look *lk = &ls->v[i];

		if (lk->answer)
			trail_answer(t, lk->name, lk->answer, lk->known);
		else
			trail_note(t, "%s %s: not waited for",
				   name_type_text(lk->type), lk->name);
	}
}
