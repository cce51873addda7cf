/**
 * @file reply.c  Replies as records of names and values
 *
 * A command fills one; how it looks is decided in reply_print.c and
 * reply_json().  What does not fit in memory is left out: a reply never
 * fails.  Main thread.
 */
#include <math.h>
#include <stdio.h>
#include "offhook/clock.h"
#include "json.h"
#include "priv.h"


static void value_destructor(void *arg)
{
	struct reply_value *v = arg;

	list_unlink(&v->le);
	mem_deref(v->s);
}


static void record_destructor(void *arg)
{
	struct reply_record *rec = arg;

	list_unlink(&rec->le);
	list_flush(&rec->values);
}


static void reply_destructor(void *arg)
{
	struct reply *r = arg;

	list_flush(&r->records);
	text_buf_reset(&r->text);
	mem_deref(r->line);
}


static struct reply_record *record_add(struct reply *r, const char *kind,
				       bool head)
{
	struct reply_record *rec;

	rec = mem_zalloc(sizeof(*rec), record_destructor);
	if (!rec)
		return NULL;

	snprintf(rec->kind, sizeof(rec->kind), "%s", kind);
	rec->head = head;
	list_append(&r->records, &rec->le, rec);

	return rec;
}


int reply_alloc(struct reply **rp, const char *where)
{
	struct reply *r = mem_zalloc(sizeof(*r), reply_destructor);

	if (!r)
		return ENOMEM;

	r->exit = -1;
	snprintf(r->id, sizeof(r->id), "null");
	snprintf(r->where, sizeof(r->where), "%s", where ? where : "");

	if (!record_add(r, "", false)) {
		mem_deref(r);
		return ENOMEM;
	}

	*rp = r;

	return 0;
}


void reply_set_id(struct reply *r, const char *id)
{
	snprintf(r->id, sizeof(r->id), "%s", id);
}


void reply_begin(struct reply *r, const char *line, size_t len)
{
	r->begin_ms = clock_ms();
	r->line = mem_alloc(len + 1, NULL);
	if (!r->line)
		return;

	memcpy(r->line, line, len);
	r->line[len] = '\0';
	text_mask(r->line, len);
}


void reply_end(struct reply *r, bool waited)
{
	const size_t n = strlen(r->error);
	char t[32];

	r->took_ms = clock_ms() - r->begin_ms;

	/* what was expected; a bound that was reached says it by itself */
	if (!waited || strstr(r->error, " within ") ||
	    (strcmp(r->token, "expect-failed") &&
	     strcmp(r->token, "call-ended")))
		return;

	text_duration_print(t, sizeof(t), r->took_ms);
	snprintf(r->error + n, sizeof(r->error) - n, ", after %s", t);
}


const char *reply_line(const struct reply *r)
{
	return r->line ? r->line : "";
}


uint64_t reply_took_ms(const struct reply *r)
{
	return r->took_ms;
}


void reply_usage(struct reply *r)
{
	r->usage = true;
}


void reply_silent(struct reply *r)
{
	r->silent = true;
}


void reply_set_exit(struct reply *r, int code)
{
	r->exit = code;
}


void reply_list(struct reply *r, const char *kind)
{
	record_add(r, kind, true);
}


void reply_row(struct reply *r, const char *kind)
{
	record_add(r, kind, false);
}


static struct reply_value *value_add(struct reply *r, const char *name,
				     enum value_type type)
{
	struct reply_record *rec = list_ledata(list_tail(&r->records));
	struct reply_value *v;

	if (!rec || rec->head)
		return NULL;

	v = mem_zalloc(sizeof(*v), value_destructor);
	if (!v)
		return NULL;

	snprintf(v->name, sizeof(v->name), "%s", name);
	v->type = type;
	list_append(&rec->values, &v->le, v);

	return v;
}


void reply_str(struct reply *r, const char *name, const char *s)
{
	struct reply_value *v = value_add(r, name, VAL_STR);

	if (v && str_dup(&v->s, s ? s : ""))
		mem_deref(v);
}


void reply_int(struct reply *r, const char *name, int64_t i)
{
	struct reply_value *v = value_add(r, name, VAL_INT);

	if (v)
		v->i = i;
}


void reply_double(struct reply *r, const char *name, double d)
{
	struct reply_value *v;

	if (!isfinite(d))
		return;

	v = value_add(r, name, VAL_DOUBLE);
	if (v)
		v->d = d;
}


void reply_bool(struct reply *r, const char *name, bool b)
{
	struct reply_value *v = value_add(r, name, VAL_BOOL);

	if (v)
		v->i = b;
}


void reply_text(struct reply *r, const char *fmt, ...)
{
	char line[2048];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);

	if (n < 0)
		return;

	text_add(&r->text, "%s%s", r->text.len ? "\n" : "", line);

	/* a text too long for the line's buffer is taken whole */
	if ((size_t)n >= sizeof(line)) {
		char *whole = NULL;

		va_start(ap, fmt);
		n = vasprintf(&whole, fmt, ap);
		va_end(ap);
		if (n > 0)
			text_add(&r->text, "%s", whole + sizeof(line) - 1);
		if (n >= 0)
			free(whole);
	}
}


void reply_verror(struct reply *r, const char *token, const char *fmt,
		  va_list ap)
{
	size_t n;

	if (r->token[0])
		return;

	snprintf(r->token, sizeof(r->token), "%s", token);
	vsnprintf(r->error, sizeof(r->error), fmt, ap);

	/* a sentence of somebody else's: something may follow it in the line */
	n = strlen(r->error);
	if (n > 1 && r->error[n - 1] == '.' && r->error[n - 2] != '.')
		r->error[n - 1] = '\0';
}


void reply_error(struct reply *r, const char *token, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	reply_verror(r, token, fmt, ap);
	va_end(ap);
}


bool reply_ok(const struct reply *r)
{
	return r && !r->token[0];
}


const char *reply_token(const struct reply *r)
{
	return r ? r->token : "";
}


const char *reply_error_text(const struct reply *r)
{
	return r ? r->error : "";
}


const char *reply_where(const struct reply *r)
{
	return r ? r->where : "";
}


int reply_exit(const struct reply *r)
{
	if (!r)
		return 1;

	if (r->exit >= 0)
		return r->exit;

	return reply_ok(r) ? 0 : (r->usage ? 2 : 1);
}


/* JSON ------------------------------------------------------------------- */

/* As events have it: what is no UTF-8 becomes U+FFFD */
static json_t *json_text(const char *s)
{
	struct text_buf b = { .max = 16 << 20 };
	json_t *j;

	text_add_utf8(&b, s, strlen(s));
	j = b.err ? NULL : json_string(b.s ? b.s : "");
	text_buf_reset(&b);

	return j;
}


static void json_name(char *buf, size_t sz, const char *name)
{
	snprintf(buf, sz, "%s", name);

	for (; *buf; buf++) {
		if (*buf == '-')
			*buf = '_';
	}
}


/* A time is a whole number of milliseconds, whatever it was measured in */
static bool is_ms(const char *name)
{
	const size_t n = strlen(name);

	return n > 3 && !strcmp(name + n - 3, "-ms");
}


static json_t *json_value(const struct reply_value *v)
{
	switch (v->type) {

	case VAL_INT:    return json_integer(v->i);
	case VAL_BOOL:   return json_boolean(v->i);
	case VAL_DOUBLE:
		return is_ms(v->name) ? json_integer((json_int_t)round(v->d)) :
			json_real(round(v->d * 1000.0) / 1000.0);
	case VAL_STR:    return json_text(v->s);
	}

	return NULL;
}


static void json_values(json_t *o, const struct list *values)
{
	const struct le *le;

	LIST_FOREACH(values, le) {

		const struct reply_value *v = le->data;
		char name[sizeof(v->name)];

		json_name(name, sizeof(name), v->name);
		json_object_set_new(o, name, json_value(v));
	}
}


static void json_record(json_t *o, const struct reply_record *rec)
{
	char name[sizeof(rec->kind) + 2];
	json_t *rows, *row;

	if (!rec->kind[0]) {
		json_values(o, &rec->values);
		return;
	}

	json_name(name, sizeof(name) - 1, rec->kind);
	strcat(name, "s");

	rows = json_object_get(o, name);
	if (!rows) {
		rows = json_array();
		json_object_set_new(o, name, rows);
	}

	if (rec->head)
		return;

	row = json_object();
	json_values(row, &rec->values);
	json_array_append_new(rows, row);
}


char *reply_error_json(const char *token, const char *text)
{
	struct reply *r = NULL;
	char *json;

	if (reply_alloc(&r, NULL))
		return NULL;

	reply_error(r, token, "%s", text);
	json = reply_json(r);
	mem_deref(r);

	return json;
}


static json_t *reply_object(const struct reply *r)
{
	const struct le *le;
	json_t *o, *id;

	o = json_object();
	if (!o)
		return NULL;

	id = json_loads(r->id, JSON_DECODE_ANY, NULL);
	json_object_set_new(o, "reply", id ? id : json_null());
	json_object_set_new(o, "ok", json_boolean(reply_ok(r)));

	if (!reply_ok(r)) {
		json_object_set_new(o, "error", json_string(r->token));
		json_object_set_new(o, "text", json_text(r->error));
		if (r->where[0])
			json_object_set_new(o, "where", json_text(r->where));
	}

	LIST_FOREACH(&r->records, le)
		json_record(o, le->data);

	if (reply_ok(r) && r->text.len)
		json_object_set_new(o, "text", json_text(r->text.s));

	return o;
}


static char *object_print(json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(9));

	json_decref(o);

	return text ? text_json_safe(text) : NULL;
}


char *reply_json_form(const struct reply *r, enum client_form form)
{
	json_t *o = r ? reply_object(r) : NULL;
	char *print;

	if (!o)
		return NULL;

	if (form == CLIENT_PRINT) {
		print = reply_print(r);
		if (print)
			json_object_set_new(o, "print", json_text(print));
		free(print);
	}
	if (form != CLIENT_JSON)
		json_object_set_new(o, "exit", json_integer(reply_exit(r)));

	return object_print(o);
}


char *reply_json(const struct reply *r)
{
	return reply_json_form(r, CLIENT_JSON);
}
