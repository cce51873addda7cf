/**
 * @file sip/locate_trail.c  How it was decided where to send
 *
 * Main thread.  A list of steps that grows, bounded; made only when somebody
 * reads it (the command `resolve`, the log at debug).  What came from the
 * name service is in it as it came: who shows it escapes it.
 */
#include <stdarg.h>
#include "locate.h"


enum { STEPS_MAX = 200, STEPS_MIN = 8 };

struct trail {
	unsigned room;
	struct sip_steps *steps;
};


const char *sip_step_kind_name(enum sip_step_kind kind)
{
	static const char *const names[] = {
		[SIP_STEP_NOTE] = "note",
		[SIP_STEP_ANSWER] = "answer",
		[SIP_STEP_RECORD] = "record",
		[SIP_STEP_TARGET] = "target",
	};

	return (unsigned)kind < COUNTOF(names) ? names[kind] : "?";
}


static void ttl_print(char *buf, size_t sz, const struct sip_step *st)
{
	char time[32];

	*buf = '\0';
	if (!st->ttl_known)
		return;

	text_duration_print(time, sizeof(time), 1000ull * st->ttl_s);
	(void)snprintf(buf, sz, " (%s)", time);
}


const char *sip_step_print(char *buf, size_t sz, const struct sip_step *st)
{
	char ttl[48];

	ttl_print(ttl, sizeof(ttl), st);

	switch (st->kind) {

	case SIP_STEP_ANSWER:
		(void)snprintf(buf, sz, "%s %s: %s%s%s", st->type, st->name,
			       st->text, ttl,
			       st->known ? ", known already" : "");
		break;

	case SIP_STEP_RECORD:
		(void)snprintf(buf, sz, "  %s%s", st->text, ttl);
		break;

	case SIP_STEP_TARGET:
		(void)re_snprintf(buf, sz, "-> %s:%J from %j%s%s",
				  sip_transp_name(st->tp), &st->addr,
				  &st->local, *st->text ? ", " : "",
				  st->text);
		break;

	case SIP_STEP_NOTE:
	default:
		(void)snprintf(buf, sz, "%s", st->text);
		break;
	}

	return buf;
}


static void trail_destructor(void *arg)
{
	struct trail *t = arg;

	mem_deref(t->steps);
}


int trail_alloc(struct trail **tp)
{
	struct trail *t;

	t = mem_zalloc(sizeof(*t), trail_destructor);
	if (!t)
		return ENOMEM;

	t->room = STEPS_MIN;
	t->steps = mem_zalloc(sizeof(*t->steps) +
			      t->room * sizeof(t->steps->v[0]), NULL);
	if (!t->steps) {
		mem_deref(t);
		return ENOMEM;
	}

	*tp = t;

	return 0;
}


const struct sip_steps *trail_steps(const struct trail *t)
{
	return t ? t->steps : NULL;
}


static struct sip_step *step_new(struct trail *t, enum sip_step_kind kind)
{
	struct sip_step *st;

	if (!t)
		return NULL;

	if (t->steps->n == t->room && t->room < STEPS_MAX) {
		const unsigned room = t->room * 2 < STEPS_MAX ?
			t->room * 2 : STEPS_MAX;
		struct sip_steps *steps =
			mem_realloc(t->steps, sizeof(*steps) +
				    room * sizeof(steps->v[0]));

		if (steps) {
			t->steps = steps;
			t->room = room;
		}
	}

	if (t->steps->n == t->room) {
		t->steps->cut = true;
		return NULL;
	}

	st = &t->steps->v[t->steps->n++];
	memset(st, 0, sizeof(*st));
	st->kind = kind;

	return st;
}


void trail_note(struct trail *t, const char *fmt, ...)
{
	struct sip_step *st = step_new(t, SIP_STEP_NOTE);
	va_list ap;

	if (!st)
		return;

	va_start(ap, fmt);
	(void)vsnprintf(st->text, sizeof(st->text), fmt, ap);
	va_end(ap);
}


static void record(struct sip_step *st, enum name_type type,
		   const struct name_rec *rec)
{
	const struct name_naptr *na = &rec->u.naptr;
	const struct name_srv *srv = &rec->u.srv;

	switch (type) {

	case NAME_SRV:
		(void)snprintf(st->text, sizeof(st->text),
			       "priority %u weight %u %.253s:%u",
			       srv->priority, srv->weight,
			       *srv->target ? srv->target : ".", srv->port);
		break;

	case NAME_NAPTR:
		(void)snprintf(st->text, sizeof(st->text),
			       "order %u preference %u \"%s\" \"%s\" %.*s",
			       na->order, na->pref, na->flags, na->service,
			       200, *na->regexp ? na->regexp :
			       *na->replace ? na->replace : ".");
		break;

	default:
		(void)re_snprintf(st->text, sizeof(st->text), "%j",
				  &rec->u.addr);
		break;
	}

	st->ttl_known = rec->ttl_s != NAME_TTL_UNKNOWN;
	st->ttl_s = st->ttl_known ? rec->ttl_s : 0;
}


void trail_answer(struct trail *t, const char *name,
		  const struct name_answer *a, bool known)
{
	const uint64_t now = clock_ms();
	struct sip_step *st = step_new(t, SIP_STEP_ANSWER);
	unsigned i;

	if (!st)
		return;

	(void)snprintf(st->type, sizeof(st->type), "%s",
		       name_type_text(a->type));
	(void)snprintf(st->name, sizeof(st->name), "%s", name);
	st->known = known;

	if (a->until_ms > now) {
		st->ttl_known = true;
		st->ttl_s = (uint32_t)((a->until_ms - now + 999) / 1000);
	}

	switch (a->state) {

	case NAME_FOUND:
		(void)snprintf(st->text, sizeof(st->text), "%u record%s%s",
			       a->n, a->n == 1 ? "" : "s",
			       a->more ? ", and more than are used" : "");
		break;

	case NAME_EMPTY:
		(void)snprintf(st->text, sizeof(st->text), "no such record");
		break;

	case NAME_ABSENT:
		(void)snprintf(st->text, sizeof(st->text), "no such name");
		break;

	case NAME_SILENT:
		(void)snprintf(st->text, sizeof(st->text), "no answer%s%s",
			       *a->why ? ": " : "", a->why);
		break;

	case NAME_FAILED:
		(void)snprintf(st->text, sizeof(st->text), "%s", a->why);
		break;
	}

	for (i = 0; i < a->n; i++) {
		st = step_new(t, SIP_STEP_RECORD);
		if (!st)
			return;
		(void)snprintf(st->type, sizeof(st->type), "%s",
			       name_type_text(a->type));
		(void)snprintf(st->name, sizeof(st->name), "%s", name);
		record(st, a->type, &a->v[i]);
	}
}


void trail_targets(struct trail *t, struct sip_stack *s,
		   const struct target_list *tl)
{
	unsigned i;

	for (i = 0; i < tl->n; i++) {
		const struct target *tg = &tl->v[i];
		struct sip_step *st = step_new(t, SIP_STEP_TARGET);
		const char *why = "";

		if (!st)
			return;

		st->tp = tg->tp;
		st->addr = tg->dst;
		st->local = tg->leg->addr;
		st->dead = dead_is(s->deads, tg->tp, &tg->dst, &st->dead_s,
				   &why);
		if (st->dead)
			(void)snprintf(st->text, sizeof(st->text), "tried last"
				       " for %u s: %s", st->dead_s, why);
	}
}


void trail_log(const struct trail *t)
{
	char line[700];
	unsigned i;

	for (i = 0; t && i < t->steps->n; i++)
		log_debug("%s", sip_step_print(line, sizeof(line),
					       &t->steps->v[i]));
}
