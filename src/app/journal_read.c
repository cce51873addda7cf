/**
 * @file app/journal_read.c  A journal looked at again
 *
 * The file may be anything: every record is checked for what is taken from
 * it, and a record that is none is told; but the last one may be half, for the
 * phone may have died.  Main thread; a file is read in full.
 */
#include <stdio.h>
#include <stdlib.h>
#include "offhook/journal.h"
#include "offhook/path.h"
#include "json.h"

enum {
	JOURNAL_MAX = 64 << 20,
	GAP_MS = 50,             /* less is no pause                         */
	DIGITS_MAX = 64,
};

typedef int (record_h)(const json_t *o, void *arg);


/* text is cut into its lines. @return 0, EINVAL: not a journal */
static int each(char *text, record_h *h, void *arg, char *err)
{
	unsigned n = 0;
	char *p, *next;
	int e = 0;

	for (p = text; *p && !e; p = next) {

		json_t *o;

		next = p + strcspn(p, "\n");
		if (*next)
			*next++ = '\0';
		++n;
		if (!*p)
			continue;

		o = json_loads(p, 0, NULL);
		/* a phone that died has not written its last line to the end */
		if (!o && !*next && n > 1)
			break;
		if (!json_is_object(o) ||
		    (n == 1 && !json_object_get(o, "journal")))
			e = EINVAL;
		else
			e = h(o, arg);
		json_decref(o);
	}

	if (e == EINVAL || !n) {
		snprintf(err, UA_ERR, "line %u is not of a journal (--journal"
			 " FILE)", n ? n : 1);
		e = EINVAL;
	}

	return e;
}


/* The same of a file; others: what else can be wrong with it */
static int each_of(const char *path, record_h *h, void *arg, char *err)
{
	char *text = NULL;
	size_t len;
	int e = path_read(&text, &len, path, JOURNAL_MAX);

	if (!e)
		e = each(text, h, arg, err);
	free(text);

	return e;
}


static const char *str(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}


static int64_t num(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}


/* Messages ---------------------------------------------------------------------- */

static int address(struct sa *sa, const char *s)
{
	char addr[64];
	uint16_t port;

	return text_addr(addr, sizeof(addr), &port, s, strlen(s)) ||
		sa_set_str(sa, addr, port) ? EINVAL : 0;
}


static void note(struct capture *c, const json_t *o, uint64_t time_us)
{
	const char *event = str(o, "event");
	char text[200];

	if (!strcmp(event, "call.dtmf"))
		snprintf(text, sizeof(text), "key %.1s received (%.20s)",
			 str(o, "digit"), str(o, "via"));
	else if (!strcmp(event, "call.media"))
		snprintf(text, sizeof(text), "sound: %.30s, %.20s, to %.60s",
			 str(o, "codec"), str(o, "direction"),
			 str(o, "remote"));
	else if (!strcmp(event, "call.finding"))
		snprintf(text, sizeof(text), "finding: %.40s",
			 str(o, "finding"));
	else
		return;

	capture_note(c, time_us, (unsigned)num(o, "call"), text);
}


struct reading {
	struct capture *c;
	uint64_t time_us;        /* of the last message                      */
};


static int capture_record(const json_t *o, void *arg)
{
	struct reading *r = arg;
	const char *way = str(o, "sip"), *text = str(o, "text");
	const char *tp = str(o, "transport");
	struct sa local, peer;

	if (!*way) {
		if (r->time_us)
			note(r->c, o, r->time_us);
		return 0;
	}

	if (address(&local, str(o, "local")) ||
	    address(&peer, str(o, "remote")) || num(o, "time_us") <= 0)
		return EINVAL;

	r->time_us = (uint64_t)num(o, "time_us");
	capture_sip_at(r->c, r->time_us, !strcmp(way, "sent"),
		       !strcmp(tp, "tls") ? SIP_TRANSP_TLS :
		       !strcmp(tp, "tcp") ? SIP_TRANSP_TCP : SIP_TRANSP_UDP,
		       &local, &peer, text, strlen(text));

	return 0;
}


/* path NULL: text is it */
static int capture_of(struct capture **cp, const char *path, char *text,
		      char *err)
{
	const struct capture_limits lim = { 1000000, JOURNAL_MAX * 2 };
	struct reading r = { NULL, 0 };
	int e;

	err[0] = '\0';
	e = capture_alloc(&r.c, &lim);
	if (!e)
		e = path ? each_of(path, capture_record, &r, err) :
			each(text, capture_record, &r, err);

	if (e)
		mem_deref(r.c);
	else
		*cp = r.c;

	return e;
}


int journal_capture(struct capture **cp, const char *path, char *err)
{
	return capture_of(cp, path, NULL, err);
}


int journal_capture_text(struct capture **cp, char *text, char *err)
{
	return capture_of(cp, NULL, text, err);
}


/* A script ------------------------------------------------------------------------- */

struct writing {
	struct text_buf *b;
	uint64_t last_ms;        /* time of day of what was written last     */
	char digits[DIGITS_MAX + 1];
	char state[16];          /* the call's, not yet demanded             */
	int64_t code;
	char cause[32];
};


/* "....T10:00:00.123Z" as ms of the day */
static uint64_t time_of(const json_t *o)
{
	unsigned h, m, s, ms;

	if (sscanf(str(o, "time"), "%*u-%*u-%*uT%2u:%2u:%2u.%3uZ", &h, &m, &s,
		   &ms) != 4)
		return 0;

	return ((h * 60ull + m) * 60 + s) * 1000 + ms;
}


/* How it ended, once that has been waited for */
static void demand_end(struct writing *w)
{
	if (!strcmp(w->state, "ended")) {
		text_add(w->b, "assert cause = %s\n", w->cause);
		if (w->code > 0)
			text_add(w->b, "assert code = %lld\n",
				 (long long)w->code);
	}

	w->state[0] = '\0';
}


static void demand(struct writing *w)
{
	if (w->digits[0])
		text_add(w->b, "expect dtmf '%s' within 30s\n", w->digits);
	w->digits[0] = '\0';

	if (!w->state[0])
		return;

	text_add(w->b, "wait call %s 60s\n", w->state);
	demand_end(w);
}


static void pause(struct writing *w, uint64_t t)
{
	const uint64_t day = 24ull * 3600 * 1000;
	uint64_t gap;

	if (!t)
		return;

	gap = w->last_ms ? (t + day - w->last_ms) % day : 0;
	if (gap > GAP_MS && gap < day / 2)
		text_add(w->b, "sleep %llums\n", (unsigned long long)gap);
	w->last_ms = t;
}


static bool is_command(const char *line, const char *name)
{
	const size_t n = strlen(name);

	line += *line == '-';

	return !strncmp(line, name, n) && (!line[n] || line[n] == ' ');
}


static void write_line(struct writing *w, const json_t *o)
{
	const char *line = str(o, "line");
	const uint64_t end = time_of(o);
	const uint64_t took = (uint64_t)num(o, "took_ms");
	static const char *const waits[] = {
		"wait", "expect", "assert", "sleep", "if", "repeat", "source",
	};

	if (!*line || line[strcspn(line, "\r\n")])
		return;

	/* these make lines of their own, or demand by themselves */
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		if (is_command(line, waits[i])) {
			if (i == 1)
				w->digits[0] = '\0';
			if (i < 4)
				text_add(w->b, "%s\n", line);
			if (i == 0)
				demand_end(w);
			w->last_ms = end;
			return;
		}
	}

	demand(w);
	pause(w, end > took ? end - took : end);
	text_add(w->b, "%s%s\n", json_is_true(json_object_get(o, "ok")) ||
		 *line == '-' ? "" : "-", line);
	w->last_ms = end;
}


static int script_record(const json_t *o, void *arg)
{
	struct writing *w = arg;
	const char *event = str(o, "event"), *state = str(o, "state");

	if (json_object_get(o, "line")) {
		write_line(w, o);
		return 0;
	}

	if (!strcmp(event, "call.dtmf")) {
		const size_t n = strlen(w->digits);

		if (n < DIGITS_MAX && strlen(str(o, "digit")) == 1 &&
		    strchr("0123456789*#ABCD", *str(o, "digit")))
			snprintf(w->digits + n, 2, "%s", str(o, "digit"));
		w->last_ms = time_of(o);
	}
	else if (!strcmp(event, "call.state") &&
		 (!strcmp(state, "incoming") || !strcmp(state, "active") ||
		  !strcmp(state, "ended"))) {

		/* what came between is demanded in its order */
		demand(w);
		snprintf(w->state, sizeof(w->state), "%s", state);
		snprintf(w->cause, sizeof(w->cause), "%.*s", (int)
			 strspn(str(o, "cause"),
				"abcdefghijklmnopqrstuvwxyz-") % 32,
			 str(o, "cause"));
		w->code = num(o, "code");
		w->last_ms = time_of(o);
	}

	return 0;
}


static int script_of(struct text_buf *b, const char *path, char *text,
		     char *err)
{
	struct writing w = { .b = b };
	int e;

	err[0] = '\0';
	text_add(b, "# made from a journal: the same lines, and what came of "
		 "them\n");
	e = path ? each_of(path, script_record, &w, err) :
		each(text, script_record, &w, err);
	if (!e)
		demand(&w);

	return e ? e : b->err;
}


int journal_script(struct text_buf *b, const char *path, char *err)
{
	return script_of(b, path, NULL, err);
}


int journal_script_text(struct text_buf *b, char *text, char *err)
{
	return script_of(b, NULL, text, err);
}
