/**
 * @file command.c  The table joined, and one line run
 *
 * The rows are in cmd_*.c.  A line becomes a struct cmd: words or a request,
 * values checked against the row, then its function.  A command that waits
 * keeps its struct cmd until cmd_done(); its client owns it.  Main thread;
 * nothing here blocks.
 */
#include <stdio.h>
#include "json.h"
#include "priv.h"

enum { HURRY_MS = 4000 };        /* a `quit` is behind it, see cmd_hurry   */


static const struct command_group *const groups[] = {
	&group_dialling, &group_calls, &group_listening, &group_sound,
	&group_accounts, &group_people, &group_kept,
	&group_scripts, &group_looking, &group_resolving,
	&group_diagnosis, &group_control, &group_phone, &group_screen,
};


const struct command *command_at(size_t i)
{
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
		if (i < groups[g]->n)
			return &groups[g]->v[i];
		i -= groups[g]->n;
	}

	return NULL;
}


const struct command *command_find(const char *name)
{
	const struct command *c;

	if (!name || !*name)
		return NULL;

	for (size_t i = 0; (c = command_at(i)); i++) {
		if (!strcmp(c->name, name) ||
		    (c->alias && !strcmp(c->alias, name)))
			return c;
	}

	return NULL;
}


const char *command_name(const struct command *c)
{
	return c ? c->name : "";
}


const char *command_alias(const struct command *c)
{
	return c && c->alias ? c->alias : "";
}


const char *command_summary(const struct command *c)
{
	return c ? c->summary : "";
}


static const struct command_arg no_args[1];


const struct command_arg *command_args(const struct command *c)
{
	return c->args ? c->args : no_args;
}


const struct command_arg *command_options(const struct command *c)
{
	return c->options ? c->options : no_args;
}


const char *command_group(const struct command *c)
{
	for (size_t g = 0; g < ARRAY_SIZE(groups); g++) {
		if (c >= groups[g]->v && c < groups[g]->v + groups[g]->n)
			return groups[g]->name;
	}

	return "";
}


bool command_lasting(const struct command *c)
{
	return c && c->lasting;
}


bool command_alone(const struct command *c)
{
	return c && c->alone;
}


/* Values ----------------------------------------------------------------- */

const struct bound *cmd_value(const struct cmd *x, const char *name, size_t i)
{
	const struct le *le;

	LIST_FOREACH(&x->values, le) {
		const struct bound *v = le->data;

		if (!strcmp(v->arg->name, name) && !i--)
			return v;
	}

	return NULL;
}


bool cmd_has(const struct cmd *x, const char *name)
{
	return cmd_value(x, name, 0) != NULL;
}


const char *cmd_str(const struct cmd *x, const char *name)
{
	const struct bound *v = cmd_value(x, name, 0);

	return v ? v->s : NULL;
}


int64_t cmd_int(const struct cmd *x, const char *name, int64_t def)
{
	const struct bound *v = cmd_value(x, name, 0);

	return v ? v->i : def;
}


double cmd_double(const struct cmd *x, const char *name, double def)
{
	const struct bound *v = cmd_value(x, name, 0);

	return v ? v->d : def;
}


uint64_t cmd_ms(const struct cmd *x, const char *name, uint64_t def)
{
	const struct bound *v = cmd_value(x, name, 0);

	return v ? v->ms : def;
}


/* Waiting ---------------------------------------------------------------- */

static void timeout(void *arg)
{
	struct cmd *x = arg;

	if (x->late_h)
		x->late_h(x);
	else
		reply_error(x->reply, "timeout", "'%s' took too long",
			    x->command->name);

	cmd_done(x);
}


void cmd_wait(struct cmd *x, uint64_t bound_ms, cmd_late_h *late_h)
{
	x->waiting = x->waited = true;
	x->late_h = late_h;
	timer_start(&x->tmr, bound_ms, timeout, x);
}


void cmd_wait_peer(struct cmd *x, uint64_t bound_ms, cmd_late_h *late_h)
{
	x->yields = true;
	cmd_wait(x, bound_ms, late_h);
}


void cmd_hurry(struct cmd *x)
{
	x->yields = false;
	if (timer_left_ms(&x->tmr) > HURRY_MS)
		timer_start(&x->tmr, HURRY_MS, timeout, x);
}


void cmd_wait_events(struct cmd *x, event_set types, cmd_event_h *h)
{
	x->types = types;
	x->event_h = h;
	client_listen(x->cl);
}


void cmd_done(struct cmd *x)
{
	timer_cancel(&x->tmr);
	x->event_h = NULL;
	x->types = 0;
	x->waiting = false;
	client_command_done(x->cl);
}


void cmd_told(struct cmd *x, const struct event *ev)
{
	if (!x->told)
		x->told = mem_alloc(sizeof(*ev), NULL);
	if (x->told)
		*x->told = *ev;
}


void cmd_line(struct cmd *x, const char *line)
{
	client_line(x->cl, line);
}


/* Errors every handler needs --------------------------------------------- */

void cmd_fail(struct cmd *x, int err, const char *text)
{
	if (!err)
		return;

	reply_error(x->reply, error_token(err), "%s",
		    text && *text ? text : strerror(err));
}


void *cmd_state(struct cmd *x, size_t sz, mem_destroy_h *dh)
{
	void *state = mem_zalloc(sz, dh);

	if (state) {
		mem_deref(x->state);
		x->state = state;
	}
	else {
		cmd_fail(x, ENOMEM, NULL);
	}

	return state;
}


void cmd_missing(struct cmd *x, int err, const char *token, const char *text)
{
	if (err == ENOENT)
		reply_error(x->reply, token, "%s", text);
	else if (err == EPROTONOSUPPORT)
		(void)cmd_wrong(x, "bad-target", "%s", text);
	else
		cmd_fail(x, err, text);
}


int cmd_wrong(struct cmd *x, const char *token, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	reply_verror(x->reply, token, fmt, ap);
	va_end(ap);
	reply_usage(x->reply);

	return EINVAL;
}


/* A call that has ended is over for who commands, though what it was made of
   goes a moment later */
static struct call *living(struct call *c)
{
	return c && call_state(c) != CALL_ENDED ? c : NULL;
}


struct call *cmd_call(struct cmd *x)
{
	unsigned id = (unsigned)cmd_int(x, "call", 0);
	struct call *c;

	if (id) {
		c = living(ua_call(x->ph->ua, id));
		if (!c)
			reply_error(x->reply, "no-such-call",
				    ua_call(x->ph->ua, id) ||
				    ua_call_record(x->ph->ua, id) ?
				    "call %u has ended" :
				    "there is no call %u; see 'calls'", id);
		return c;
	}

	c = living(ua_call(x->ph->ua, client_selected(x->cl)));
	if (!c)
		reply_error(x->reply, "no-call", "there is no call");

	return c;
}


/* One line --------------------------------------------------------------- */

static void cmd_destructor(void *arg)
{
	struct cmd *x = arg;

	timer_cancel(&x->tmr);
	x->state = mem_deref(x->state);
	mem_deref(x->told);
	list_flush(&x->values);
	mem_deref(x->reply);
}


int cmd_alloc(struct cmd **xp, struct client *cl, const char *where)
{
	struct cmd *x = mem_zalloc(sizeof(*x), cmd_destructor);
	int err;

	if (!x)
		return ENOMEM;

	x->cl = cl;
	x->ph = client_phone(cl);
	snprintf(x->where, sizeof(x->where), "%s", where ? where : "");

	err = reply_alloc(&x->reply, where);
	if (err) {
		mem_deref(x);
		return err;
	}

	*xp = x;

	return 0;
}


static const struct command nothing = {
	.name = "", .args = ARGS({ "command", ARG_COMMAND }),
};


static int row_find(struct cmd *x, const char *name)
{
	const struct words w = { .n = 1, .v = { (char *)name } };

	x->command = command_find(name);
	if (x->command) {
		x->reply->command = x->command->name;
		return 0;
	}

	/* the check of an argument of type command says what is near */
	x->command = &nothing;

	return bind_words(x, &w, 0);
}


/* @return is there something to run? */
static bool take_words(struct cmd *x, const char *line, size_t len)
{
	const char *token = "";
	char err[UA_ERR] = "";
	struct words *w;
	bool ready;

	x->unbound = line_unbound(&line, &len);

	if (words_parse(&w, line, len, client_var, x->cl, &token, err)) {
		(void)cmd_wrong(x, token, "%s", err);
		return false;
	}

	ready = w->n && !row_find(x, w->v[0]) && !bind_words(x, w, 1);
	mem_deref(w);

	return ready;
}


/* id, command and args, and nothing else */
static int request_check(struct cmd *x, json_t *o, const char **name,
			 json_t **args)
{
	const char *key;
	json_t *value;

	json_object_foreach(o, key, value) {

		if (!strcmp(key, "id")) {

			char *id = json_dumps(value, JSON_ENCODE_ANY |
					      JSON_COMPACT);
			const bool good = id && strlen(id) < 160 &&
				(json_is_integer(value) ||
				 json_is_string(value) ||
				 json_is_null(value));

			if (good)
				reply_set_id(x->reply, id);
			free(id);
			if (good)
				continue;

			reply_error(x->reply, "bad-request", "id is a number "
				    "or a short string");
			return EINVAL;
		}

		if (!strcmp(key, "command") && json_is_string(value) &&
		    strlen(json_string_value(value)) ==
		    json_string_length(value)) {
			*name = json_string_value(value);
		}
		else if (!strcmp(key, "args") && json_is_object(value)) {
			*args = value;
		}
		else if (!strcmp(key, "command") || !strcmp(key, "args")) {
			reply_error(x->reply, "bad-request", "%s is %s", key,
				    *key == 'c' ? "a string" : "an object");
			return EINVAL;
		}
		else {
			char show[80];

			reply_error(x->reply, "bad-request", "a request has "
				    "id, command and args, no '%s'",
				    text_escape(show, sizeof(show), key,
						strlen(key)));
			return EINVAL;
		}
	}

	if (!*name) {
		reply_error(x->reply, "bad-request", "a request needs a "
			    "command, as in {\"id\":1,\"command\":\"calls\"}");
		return EINVAL;
	}

	return 0;
}


static bool take_request(struct cmd *x, const char *line, size_t len)
{
	const char *name = NULL;
	json_t *o, *args = NULL;
	json_error_t je;
	bool ready = false;

	x->request = true;

	o = json_loadb(line, len, JSON_REJECT_DUPLICATES, &je);
	if (!o) {
		char show[160];

		reply_error(x->reply, "bad-request", "not JSON: %s (at byte "
			    "%d)", text_escape(show, sizeof(show), je.text,
					       strlen(je.text)), je.position);
		return false;
	}

	if (!request_check(x, o, &name, &args) && !row_find(x, name)) {

		json_t *none = args ? NULL : json_object();

		ready = !bind_json(x, args ? args : none);
		json_decref(none);
	}

	json_decref(o);

	return ready;
}


bool cmd_take(struct cmd *x, const char *line, size_t len)
{
	size_t i = 0;

	reply_begin(x->reply, line, len);

	while (i < len && (line[i] == ' ' || line[i] == '\t'))
		++i;

	return i < len && line[i] == '{' ?
		take_request(x, line + i, len - i) :
		take_words(x, line, len);
}


void cmd_run(struct cmd *x, const char *line, size_t len)
{
	if (cmd_take(x, line, len))
		x->command->run(x);
}


void phone_media_conf(struct media_conf *mc, const struct config *config)
{
	memset(mc, 0, sizeof(*mc));
	mc->port_min      = (uint16_t)config->port_min;
	mc->port_max      = (uint16_t)config->port_max;
	mc->dscp          = (uint8_t)config->rtp_dscp;
	mc->room.echo     = config->echo_cancel;
	mc->room.noise    = config->noise_suppress;
	mc->room.agc      = config->auto_gain;
	mc->room.high_pass = config->high_pass;
	mc->room.canceller = (enum media_canceller)config->echo_canceller;
	mc->room.limiter  = (enum media_limiter)config->echo_limiter;
	mc->latency_ms    = (unsigned)config->audio_latency_ms;
	mc->channels      = (unsigned)config->audio_channels;
	mc->two_mics      = config->opus_stereo;
	mc->monitor_both  = config->monitor_hears;
	mc->pipe_rate_hz  = (uint32_t)config->audio_rate_hz;
	mc->jitter_min_ms = (unsigned)config->jitter_min_ms;
	mc->jitter_max_ms = (unsigned)config->jitter_max_ms;
}
