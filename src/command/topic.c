/**
 * @file topic.c  What the lines of a client talk about
 *
 * The selected call, the last event of each kind about it and the digits it
 * sent: what `$call.code`, `expect dtmf` and a command without a call's
 * number mean.  Main thread.
 */
#include <stdio.h>
#include "client.h"


/* The call --------------------------------------------------------------- */

static void forget(struct client *cl)
{
	for (size_t i = 0; i < EVENT_TYPES; i++) {
		if (cl->last[i] && cl->last[i]->call)
			cl->last[i] = mem_deref(cl->last[i]);
	}

	cl->digits[0] = '\0';
	cl->over = false;
}


void client_select(struct client *cl, unsigned id)
{
	if (cl->about == id)
		return;

	forget(cl);
	cl->about = id;
}


void client_choose(struct client *cl, unsigned id)
{
	client_select(cl, id);
}


void client_dialled(struct client *cl, unsigned id)
{
	client_select(cl, id);
	if (!cl->first)
		cl->first = id;
}


void topic_keep(struct client *cl, const struct event *ev)
{
	struct event **e = &cl->last[ev->type];

	if (ev->call && ev->call != cl->about)
		return;

	if (!*e)
		*e = mem_alloc(sizeof(**e), NULL);
	if (*e)
		**e = *ev;

	if (ev->type == EVENT_CALL_DTMF) {

		const size_t n = strlen(cl->digits);

		/* the oldest goes */
		if (n == DIGITS_MAX)
			memmove(cl->digits, cl->digits + 1, n);

		snprintf(cl->digits + strlen(cl->digits), 2, "%c",
			 ev->u.call_dtmf.digit[0]);
	}
}


void topic_follow(struct client *cl, const struct event *ev)
{
	if (ev->type == EVENT_CALL_STATE && ev->call != cl->about &&
	    (!strcmp(ev->u.call_state.state, "incoming") ||
	     !strcmp(ev->u.call_state.state, "calling")) &&
	    !ua_call(cl->ph->ua, cl->about))
		client_select(cl, ev->call);
}


unsigned client_about(const struct client *cl)
{
	return cl->about;
}


unsigned client_first_call(const struct client *cl)
{
	return cl ? cl->first : 0;
}


struct call *topic_next_call(const struct ua *ua, const struct call *prev)
{
	struct call *c = (struct call *)prev;

	do {
		c = ua_call_next(ua, c);
	} while (c && call_state(c) == CALL_ENDED);

	return c;
}


/* In conversation, held, anything else */
static int rank(const struct call *c)
{
	return call_state(c) != CALL_ACTIVE ? 0 : call_held(c) ? 1 : 2;
}


/* The call a command means: the one talked about while it lives, else the
 * one in conversation, else any other */
unsigned client_selected(const struct client *cl)
{
	const struct ua *ua = cl->ph->ua;
	struct call *c = NULL, *best = NULL;

	if (!ua)
		return 0;

	if (ua_call(ua, cl->about))
		return cl->about;

	while ((c = topic_next_call(ua, c))) {
		if (!best || rank(c) > rank(best))
			best = c;
	}

	return best ? call_id(best) : 0;
}


const struct event *client_fresh(const struct client *cl)
{
	return cl->fresh;
}


bool client_over(const struct client *cl)
{
	return cl->over;
}


void client_set_over(struct client *cl)
{
	cl->over = true;
}


const char *client_digits(const struct client *cl)
{
	return cl->digits;
}


void client_digits_take(struct client *cl, size_t n)
{
	memmove(cl->digits, cl->digits + n, strlen(cl->digits + n) + 1);
}


const struct event *client_message(const struct client *cl)
{
	const struct event *ev = cl->last[EVENT_MESSAGE_RECEIVED];

	return ev && ev->seq > cl->message ? ev : NULL;
}


void client_message_take(struct client *cl)
{
	const struct event *ev = cl->last[EVENT_MESSAGE_RECEIVED];

	if (ev)
		cl->message = ev->seq;
}


/* Variables -------------------------------------------------------------- */

/* "call.code": the newest event of that kind, or kinds, that has the field */
static int event_var(const struct client *cl, const char *kind, size_t n,
		     const char *field, char *buf, size_t sz)
{
	uint64_t seq = 0;
	int err = ENOENT;

	for (unsigned i = 0; i < EVENT_TYPES; i++) {

		const struct event *ev = cl->last[i];
		const char *name = event_row((enum event_type)i)->name;
		char value[VAR_MAX];

		if (!ev || strncmp(name, kind, n) ||
		    (name[n] && name[n] != '.') || ev->seq < seq)
			continue;

		if (event_field_text(ev, field, value, sizeof(value)))
			continue;

		seq = ev->seq;
		err = snprintf(buf, sz, "%s", value) < (int)sz ?
			0 : EOVERFLOW;
	}

	return err;
}


int client_var(const char *name, char *buf, size_t sz, void *arg)
{
	const struct client *cl = arg;
	const char *dot = strrchr(name, '.');
	const struct figure *f;
	const char *value;
	double num;
	int err;

	if (!dot) {
		value = getenv(name);
		if (!value)
			return ENOENT;
		return snprintf(buf, sz, "%s", value) < (int)sz ?
			0 : EOVERFLOW;
	}

	if (!strcmp(name, "call.call")) {
		snprintf(buf, sz, "%u", cl->about);
		return cl->about ? 0 : ENOENT;
	}

	err = event_var(cl, name, dot - name, dot + 1, buf, sz);
	if (err != ENOENT || strncmp(name, "call.", 5))
		return err;

	f = figure_find(dot + 1);
	if (!f || !cl->about ||
	    figure_get(cl->ph, cl->about, f, &num, buf, sz))
		return ENOENT;

	if (f->number)
		figure_print(buf, sz, num);

	return 0;
}
