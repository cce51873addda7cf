/**
 * @file hooks.c  Programs of the user's that are run when something happens
 *
 * In the directory `hooks` beside the configuration each is called as the
 * event it is for (call.state, message.received ...); `incoming` is asked
 * about each call that comes and may decide.  A hook never holds up a call:
 * it rings meanwhile, a person may take it, and when the hook's time is over
 * the call goes on as if there were none.  Few run at a time, few wait.  Main
 * thread.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "offhook/app.h"
#include "offhook/clock.h"
#include "offhook/path.h"
#include "offhook/text.h"
#include "process.h"

#define LOG_MODULE "hooks"
#include "offhook/log.h"

enum {
	RUNNING_MAX = 8,
	WAITING_MAX = 64,
	ENV_MAX = 48,
	DEADLINE_MS = 10000,     /* for what only hears of it                */
	LOOK_MS = 50,            /* between two looks at what there is       */
};

struct hooks {
	struct ua *ua;
	const struct config *config;
	struct answer *answer;
	struct ringer *ringer;   /* NULL: nothing rings                      */
	struct event_bus *bus;
	struct event_sub *subs[EVENT_TYPES];
	char *dir;
	struct timespec mtime;   /* of the directory, as it was read         */
	uint64_t looked_ms;
	event_set types;         /* those that have a program                */
	bool decides;            /* there is `incoming`                      */
	event_set told;          /* that they cannot be run, and why         */
	struct list running, waiting;
	uint64_t dropped;
};

/** One that runs, or waits until it may */
struct hook {
	struct le le;
	struct hooks *h;
	struct process *process;
	char name[EVENT_NAME];
	unsigned call;           /* `incoming`: it is asked about this one   */
	char *json;
	char *env[ENV_MAX + 1];
};


static void hook_destructor(void *arg)
{
	struct hook *k = arg;

	list_unlink(&k->le);
	mem_deref(k->process);
	free(k->json);
	for (size_t i = 0; k->env[i]; i++)
		free(k->env[i]);
}


/* The directory ------------------------------------------------------------- */

/* Others could put programs there that run as us */
static bool is_safe(const struct stat *st)
{
	return (st->st_uid == geteuid() || st->st_uid == 0) &&
		!(st->st_mode & (S_IWGRP | S_IWOTH));
}


/* May it be run now? That it may not is told once, until it may */
static bool may_run(struct hooks *h, const char *name, event_set bit)
{
	const char *why = NULL;
	char path[1024];
	struct stat st;

	if (path_join(path, sizeof(path), h->dir, name) || stat(path, &st))
		return false;

	if (!is_safe(&st))
		why = "others may write it";
	else if (access(path, X_OK))
		why = "it is not executable (chmod +x)";

	if (why && !(h->told & bit))
		log_warn("%s is not run: %s", path, why);
	h->told = why ? h->told | bit : h->told & ~bit;

	return !why;
}


static void entry_take(struct hooks *h, const char *name)
{
	const enum event_type type = event_type_find(name);
	const bool decides = !strcmp(name, "incoming");
	char path[1024];
	struct stat st;

	if (type == EVENT_TYPES && !decides)
		return;

	/* whether it may run is looked at when it is to: that can change */
	if (path_join(path, sizeof(path), h->dir, name) || stat(path, &st) ||
	    !S_ISREG(st.st_mode))
		return;

	if (decides)
		h->decides = true;
	else
		h->types |= EVENT_BIT(type);
}


static void event_handler(const struct event *ev, void *arg);


/* With every event of a call, but not for each of a flood of them */
static void directory_read(struct hooks *h)
{
	const uint64_t now = clock_ms();
	struct dirent *de;
	struct stat st;
	DIR *dir = NULL;

	if (!h->dir || (h->looked_ms && now - h->looked_ms < LOOK_MS))
		return;

	h->looked_ms = now;
	if (stat(h->dir, &st))
		memset(&st, 0, sizeof(st));
	if (st.st_mtim.tv_sec == h->mtime.tv_sec &&
	    st.st_mtim.tv_nsec == h->mtime.tv_nsec)
		return;

	h->mtime = st.st_mtim;
	h->types = 0;
	h->decides = false;

	if (st.st_mode && !is_safe(&st))
		log_warn("%s is not run: others may write it", h->dir);
	else if (st.st_mode)
		dir = opendir(h->dir);
	while (dir && (de = readdir(dir)))
		entry_take(h, de->d_name);
	if (dir)
		closedir(dir);

	for (unsigned i = 0; i < EVENT_TYPES; i++) {
		/* calls also remind us to look what there is */
		const bool want = h->types & EVENT_BIT(i) ||
			i == EVENT_CALL_STATE;

		if (!want)
			h->subs[i] = mem_deref(h->subs[i]);
		else if (!h->subs[i])
			(void)event_subscribe_type(&h->subs[i], h->bus,
						   (enum event_type)i,
						   event_handler, h);
	}
}


/* Running ------------------------------------------------------------------- */

static void env_add(struct hook *k, size_t *n, const char *name,
		    const char *value)
{
	char text[EVENT_BODY + 80];
	const int len = snprintf(text, sizeof(text), "OFFHOOK_%s=%s", name,
				 value);

	if (*n >= ENV_MAX || len < 0)
		return;

	/* the name as the shell has it */
	for (char *p = text; *p && *p != '='; p++)
		*p = isalnum((unsigned char)*p) ?
			(char)toupper((unsigned char)*p) : '_';

	k->env[*n] = strdup(text);
	if (k->env[*n])
		++*n;
}


static void env_make(struct hook *k, const struct event *ev)
{
	static const char *const common[] = { "event", "time", "call",
		"account" };
	const struct event_row *row = event_row(ev->type);
	char value[EVENT_BODY];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(common); i++) {
		if (!event_field_text(ev, common[i], value, sizeof(value)))
			env_add(k, &n, common[i], value);
	}
	for (const struct event_field *f = row->fields; f->name; f++) {
		if (!event_field_text(ev, f->name, value, sizeof(value)))
			env_add(k, &n, f->name, value);
	}
}


static void next(struct hooks *h);
static void decided(struct hooks *h, unsigned call, const char *out,
		    size_t len);


static void ended_handler(int code, bool late, const char *out, size_t len,
			  void *arg)
{
	struct hook *k = arg;
	struct hooks *h = k->h;
	const unsigned call = k->call;

	if (late)
		log_warn("hook %s took too long and was ended", k->name);
	else if (code)
		log_warn("hook %s failed with exit code %d", k->name, code);
	else
		log_debug("hook %s is done", k->name);

	if (call)
		decided(h, call, out, code || late ? 0 : len);

	mem_deref(k);
	next(h);
}


static int run(struct hook *k)
{
	struct hooks *h = k->h;
	const char *json = k->json ? k->json : "{}\n";
	struct process_conf conf = {
		.env = k->env, .input = json, .len = strlen(json),
		.deadline_ms = k->call ? (uint64_t)h->config->hook_deadline_ms
			: DEADLINE_MS,
	};
	char path[1024];
	int err;

	err = path_join(path, sizeof(path), h->dir, k->name);
	conf.path = path;
	if (!err)
		err = process_start(&k->process, &conf, ended_handler, k);
	if (err) {
		log_warn("hook %s cannot be run: %s", k->name, strerror(err));
		return err;
	}

	list_append(&h->running, &k->le, k);

	return 0;
}


/* One that waits gets its turn */
static void next(struct hooks *h)
{
	while (h->waiting.head && list_count(&h->running) < RUNNING_MAX) {

		struct hook *k = h->waiting.head->data;
		const unsigned call = k->call;

		list_unlink(&k->le);
		if (!run(k))
			continue;
		mem_deref(k);
		if (call)
			decided(h, call, "", 0);
	}

	if (!h->waiting.head && h->dropped) {
		log_warn("%llu hooks were not run: too many at once",
			 (unsigned long long)h->dropped);
		h->dropped = 0;
	}
}


/* @return 0: it runs or will */
static int start(struct hooks *h, const char *name, unsigned call,
		 const struct event *ev)
{
	const bool later = list_count(&h->running) >= RUNNING_MAX;
	struct hook *k;
	char *json;
	int err;

	/* one that decides may wait, but not behind many */
	if (later && list_count(&h->waiting) >= WAITING_MAX) {
		++h->dropped;
		return ENOSPC;
	}

	k = mem_zalloc(sizeof(*k), hook_destructor);
	if (!k)
		return ENOMEM;

	k->h = h;
	k->call = call;
	snprintf(k->name, sizeof(k->name), "%s", name);
	json = event_json(ev);
	k->json = json ? realloc(json, strlen(json) + 2) : NULL;
	if (!k->json)
		free(json);
	else
		strcat(k->json, "\n");
	env_make(k, ev);

	if (later) {
		list_append(&h->waiting, &k->le, k);
		return 0;
	}

	err = run(k);
	if (err)
		mem_deref(k);

	return err;
}


static void event_handler(const struct event *ev, void *arg)
{
	struct hooks *h = arg;

	directory_read(h);
	if (h->types & EVENT_BIT(ev->type) &&
	    may_run(h, event_row(ev->type)->name, EVENT_BIT(ev->type)))
		(void)start(h, event_row(ev->type)->name, 0, ev);
}


/* Calls that come ------------------------------------------------------------ */

/* "reject 486 Busy": @return what is behind the word, NULL: another word */
static const char *behind(const char *line, const char *word)
{
	const size_t n = strlen(word);

	if (strncmp(line, word, n) || (line[n] && line[n] != ' '))
		return NULL;

	return line + n + strspn(line + n, " ");
}


static void reject(struct call *c, const char *rest, char *why)
{
	const size_t n = strcspn(rest, " ");
	uint32_t code = 486;
	const char *reason = rest + n + strspn(rest + n, " ");

	if (n && (text_u32(&code, rest, n, 699) || code < 300)) {
		snprintf(why, UA_ERR, "reject takes a code from 300 to 699");
		return;
	}

	(void)call_reject(c, (uint16_t)code, *reason ? reason : NULL, why);
}


static void tone(struct hooks *h, struct call *c, const char *name, char *why)
{
	if (!*name || call_set_ring_tone(c, name))
		snprintf(why, UA_ERR, "a ring tone is one word of option "
			 "ring-tone, or a file");
	else
		ringer_look(h->ringer);
}


/* @return true: it is settled, no rule is asked any more */
static bool act(struct hooks *h, struct call *c, const char *line)
{
	char why[UA_ERR] = "", show[160];
	const char *rest;
	bool settled = true;

	if ((rest = behind(line, "answer"))) {
		(void)call_answer(c, why);
	}
	else if ((rest = behind(line, "reject"))) {
		reject(c, rest, why);
	}
	else if ((rest = behind(line, "redirect"))) {
		(void)call_redirect(c, rest, why);
	}
	else if ((rest = behind(line, "ring"))) {
		/* a person is to decide, not a rule */
		if (*rest)
			tone(h, c, rest, why);
		(void)call_ring(c);
	}
	else if ((rest = behind(line, "tone"))) {
		tone(h, c, rest, why);
		settled = false;
	}
	else if ((rest = behind(line, "name"))) {
		(void)call_set_name(c, rest);
		settled = false;
	}
	else {
		text_escape(show, sizeof(show), line, strlen(line));
		snprintf(why, sizeof(why), "'%.100s' is none of answer, "
			 "reject, redirect, ring, tone and name", show);
		settled = false;
	}

	if (why[0])
		log_warn("hook incoming, call %u: %s", call_id(c), why);

	/* what could not be done leaves the call to the others */
	return settled && !why[0];
}


static void decided(struct hooks *h, unsigned call, const char *out,
		    size_t len)
{
	const char *p = out, *end = out + len;
	bool settled = false;
	struct call *c;

	while (p < end && !settled) {

		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const size_t n = (size_t)((nl ? nl : end) - p);
		char line[512];

		c = ua_call(h->ua, call);
		if (!c || call_state(c) != CALL_INCOMING)
			return;

		if (n && (text_copy(line, sizeof(line), p,
				    p[n - 1] == '\r' ? n - 1 : n) ||
			  !text_utf8_valid(line, strlen(line)))) {
			log_warn("hook incoming, call %u: what it says is no "
				 "text", call);
			break;
		}
		if (n && line[0])
			settled = act(h, c, line);
		p += n + 1;
	}

	if (!settled)
		answer_consider(h->answer, call);
}


/* The rules that answer ask: is somebody else asked first? */
static bool gate_handler(const struct event *ev, void *arg)
{
	struct hooks *h = arg;
	struct call *c;

	directory_read(h);
	if (!h->decides || !may_run(h, "incoming", EVENT_BIT(EVENT_TYPES)))
		return false;

	c = ua_call(h->ua, ev->call);
	if (!c || call_state(c) != CALL_INCOMING)
		return false;

	if (start(h, "incoming", ev->call, ev))
		return false;

	(void)call_ring(c);

	return true;
}


/* Outside -------------------------------------------------------------------- */

void hooks_set_ringer(struct hooks *h, struct ringer *r)
{
	if (h)
		h->ringer = r;
}


unsigned hooks_running(const struct hooks *h)
{
	return h ? list_count(&h->running) : 0;
}


static void destructor(void *arg)
{
	struct hooks *h = arg;

	if (h->answer)
		answer_set_gate(h->answer, NULL, NULL);
	for (unsigned i = 0; i < EVENT_TYPES; i++)
		mem_deref(h->subs[i]);
	list_flush(&h->waiting);
	list_flush(&h->running);
	mem_deref(h->dir);
}


int hooks_alloc(struct hooks **hp, struct ua *ua, struct event_bus *bus,
		const struct config *config, struct answer *answer,
		const char *dir)
{
	char path[1024];
	struct hooks *h;
	int err = 0;

	if (!hp || !ua || !bus || !config || !answer)
		return EINVAL;

	h = mem_zalloc(sizeof(*h), destructor);
	if (!h)
		return ENOMEM;

	h->ua = ua;
	h->bus = bus;
	h->config = config;
	h->answer = answer;

	if (dir && *dir) {
		err = path_join(path, sizeof(path), dir, "hooks");
		if (!err)
			err = str_dup(&h->dir, path);
	}
	if (err) {
		mem_deref(h);
		return err;
	}

	answer_set_gate(answer, gate_handler, h);
	h->mtime.tv_nsec = -1;
	directory_read(h);
	*hp = h;

	return 0;
}
