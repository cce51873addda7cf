/**
 * @file app/answer_words.c  The words of rules of listen: two tables
 *
 * What is looked at, and what is done.  Every value comes from a file and is
 * checked here.  Const data; main thread.
 */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include "answer_words.h"
#include "offhook/text.h"

enum { FOR_MAX_MS = 3600000 };


int answer_wrong(char *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, UA_ERR, fmt, ap);
	va_end(ap);

	return EINVAL;
}


/* Matchers ------------------------------------------------------------------- */

/* user@host of a URI, or the whole of it, against the pattern */
static bool uri_is(const char *pattern, const char *uri)
{
	char user[128] = "", host[128] = "", who[264];

	if (text_glob(pattern, uri))
		return true;
	if (sip_uri_parts(uri, user, sizeof(user), host, sizeof(host), NULL))
		return false;

	snprintf(who, sizeof(who), "%s@%s", user, host);

	return text_glob(pattern, who) ||
		(!strchr(pattern, '@') && text_glob(pattern, user));
}


static bool is_from(const struct match *m, const struct answer_subject *s)
{
	return uri_is(m->text, s->from);
}


static bool is_to(const struct match *m, const struct answer_subject *s)
{
	return uri_is(m->text, s->to) || uri_is(m->text, s->ruri);
}


static bool is_method(const struct match *m, const struct answer_subject *s)
{
	return !strcasecmp(m->text, s->method);
}


static bool is_header(const struct match *m, const struct answer_subject *s)
{
	char value[1024];

	return s->header_h && !s->header_h(m->name, value, sizeof(value),
					   s->arg) &&
		text_glob(m->text, value);
}


static int take_pattern(struct match *m, const char *value, char *err)
{
	(void)err;
	snprintf(m->text, sizeof(m->text), "%s", value);

	return 0;
}


static int take_method(struct match *m, const char *value, char *err)
{
	if (value[strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
			 "qrstuvwxyz")] || strlen(value) > 30)
		return answer_wrong(err, "method=%.40s is no method such as INVITE",
			     value);

	return take_pattern(m, value, err);
}


/* "Name: pattern", or the name alone: it is there */
static int take_header(struct match *m, const char *value, char *err)
{
	const size_t n = strcspn(value, ":");
	const char *p = value + n + (value[n] ? 1 : 0);

	if (!n || n >= sizeof(m->name) || strcspn(value, " ") < n)
		return answer_wrong(err, "write: header='NAME: PATTERN', or "
			     "header=NAME");

	snprintf(m->name, sizeof(m->name), "%.*s", (int)n, value);
	while (*p == ' ')
		++p;

	return take_pattern(m, value[n] ? p : "*", err);
}


static const struct matcher_row matchers[] = {
	{ { "from", "PATTERN", "who calls: a user, user@host or a URI, * for "
	    "anything" }, is_from, take_pattern },
	{ { "to", "PATTERN", "who is called: To or Request-URI" }, is_to,
	  take_pattern },
	{ { "header", "'NAME: PATTERN'", "a header of the request; its name "
	    "alone: it is there" }, is_header, take_header },
	{ { "method", "METHOD", "INVITE without it; of OPTIONS, MESSAGE, "
	    "SUBSCRIBE, REFER and PUBLISH only code can be chosen" },
	  is_method, take_method },
	{ { "nth", "N", "the N-th of those that all else holds for" },
	  NULL, NULL },
	{ { "every", "N", "each N-th of them" }, NULL, NULL },
};


const struct answer_word *answer_matcher(size_t i)
{
	return i < ARRAY_SIZE(matchers) ? &matchers[i].word : NULL;
}


const struct matcher_row *matcher_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(matchers); i++) {
		if (!strcmp(matchers[i].word.name, name))
			return &matchers[i];
	}

	return NULL;
}


bool match_is_method(const struct match *m)
{
	return m->is == is_method;
}


/* Actions ---------------------------------------------------------------------- */

static int time_of(uint64_t *ms, const char *name, const char *value,
		   uint64_t max, char *err)
{
	if (text_duration(ms, value) || *ms > max)
		return answer_wrong(err, "%s=%.40s is no time such as 10s or 500ms, "
			     "up to an hour", name, value);

	return 0;
}


static int act_answer(struct answer_rule *r, const char *value, char *err)
{
	(void)value;
	(void)err;
	r->code = 200;

	return 0;
}


static int code_of(uint16_t *code, const char *name, const char *value,
		   char *err)
{
	uint32_t n;

	if (text_u32(&n, value, strlen(value), 699) || n < 300)
		return answer_wrong(err, "%s=%.40s; it takes 300 to 699", name,
			     value);
	*code = (uint16_t)n;

	return 0;
}


static int act_code(struct answer_rule *r, const char *value, char *err)
{
	return code_of(&r->code, "code", value, err);
}


static int act_reason(struct answer_rule *r, const char *value, char *err)
{
	if (strlen(value) >= sizeof(r->reason) || !*value)
		return answer_wrong(err, "a reason has 1 to %zu bytes",
			     sizeof(r->reason) - 1);
	snprintf(r->reason, sizeof(r->reason), "%s", value);

	return 0;
}


static int text_of(char *dst, size_t sz, const char *name, const char *value,
		   char *err)
{
	if (!*value || strlen(value) >= sz)
		return answer_wrong(err, "%s= takes 1 to %zu bytes", name, sz - 1);
	snprintf(dst, sz, "%s", value);

	return 0;
}


static int act_redirect(struct answer_rule *r, const char *value, char *err)
{
	char uri[512];

	if (sip_uri_check(uri, sizeof(uri), value, err, UA_ERR))
		return EINVAL;
	r->code = 302;

	return text_of(r->redirect, sizeof(r->redirect), "redirect", value,
		       err);
}


static int act_ring(struct answer_rule *r, const char *value, char *err)
{
	(void)value;
	(void)err;
	r->ring = true;

	return 0;
}


static int act_after(struct answer_rule *r, const char *value, char *err)
{
	return time_of(&r->after_ms, "after", value, FOR_MAX_MS, err);
}


static int act_early(struct answer_rule *r, const char *value, char *err)
{
	(void)value;
	(void)err;
	r->early = true;

	return 0;
}


static int act_for(struct answer_rule *r, const char *value, char *err)
{
	if (time_of(&r->for_ms, "for", value, FOR_MAX_MS, err))
		return EINVAL;

	return r->for_ms ? 0 : answer_wrong(err, "for=0 is no time to talk");
}


static int sound_of(struct answer_rule *r, enum answer_sound sound, char *err)
{
	if (r->sound != ANSWER_DEVICE)
		return answer_wrong(err, "echo, play, tone and silence exclude each "
			     "other");
	r->sound = sound;

	return 0;
}


static int act_echo(struct answer_rule *r, const char *value, char *err)
{
	(void)value;

	return sound_of(r, ANSWER_ECHO, err);
}


static int act_play(struct answer_rule *r, const char *value, char *err)
{
	if (access(value, R_OK))
		return answer_wrong(err, "play=%.100s cannot be read: %s", value,
			     strerror(errno));
	if (sound_of(r, ANSWER_PLAY, err))
		return EINVAL;

	return text_of(r->play, sizeof(r->play), "play", value, err);
}


static int act_tone(struct answer_rule *r, const char *value, char *err)
{
	if (text_double(&r->tone_hz, value, 20.0, 20000.0))
		return answer_wrong(err, "tone=%.40s; a tone has 20 to 20000 Hz",
			     value);

	return sound_of(r, ANSWER_TONE, err);
}


static int act_record(struct answer_rule *r, const char *value, char *err)
{
	return text_of(r->record, sizeof(r->record), "record", value, err);
}


static int act_dtmf(struct answer_rule *r, const char *value, char *err)
{
	if (value[strspn(value, "0123456789*#ABCDabcd,wW")])
		return answer_wrong(err, "dtmf=%.40s; keys are 0-9 * # A-D, with "
			     "',' and 'w' for pauses", value);

	return text_of(r->dtmf, sizeof(r->dtmf), "dtmf", value, err);
}


static int act_transfer(struct answer_rule *r, const char *value, char *err)
{
	return text_of(r->transfer, sizeof(r->transfer), "transfer", value,
		       err);
}


static int act_transfer_after(struct answer_rule *r, const char *value,
			      char *err)
{
	return time_of(&r->transfer_ms, "transfer-after", value, FOR_MAX_MS,
		       err);
}


static int act_refuse_reinvite(struct answer_rule *r, const char *value,
			       char *err)
{
	r->reinvite_code = 488;

	return *value ? code_of(&r->reinvite_code, "refuse-reinvite", value,
				err) : 0;
}


static const struct action_row actions[] = {
	{ { "answer", "", "take it: what is done when nothing else is said" },
	  act_answer, false },
	{ { "code", "CODE", "refuse it, 300 to 699" }, act_code, false },
	{ { "reason", "TEXT", "... with these words" }, act_reason, false },
	{ { "redirect", "URI", "send it there (302)" }, act_redirect, false },
	{ { "ring", "", "ring, and never answer" }, act_ring, false },
	{ { "after", "T", "ring so long first" }, act_after, false },
	{ { "early", "", "let the sound begin meanwhile (183)" }, act_early,
	  false },
	{ { "play", "FILE", "play this sound file" }, act_play, false },
	{ { "echo", "", "send back what is heard" }, act_echo, false },
	{ { "tone", "HZ", "send a tone" }, act_tone, false },
	{ { "record", "FILE", "record it; %n is the call's number" },
	  act_record, false },
	{ { "dtmf", "DIGITS", "send keys once it is answered" }, act_dtmf,
	  false },
	{ { "transfer", "TARGET", "transfer it once it is answered" },
	  act_transfer, false },
	{ { "transfer-after", "T", "... so long after" }, act_transfer_after,
	  false },
	{ { "for", "T", "hang up so long after the answer" }, act_for,
	  false },
	{ { "refuse-reinvite", "CODE", "refuse re-INVITE and UPDATE that "
	    "offer anew, with 488 or this" }, act_refuse_reinvite, true },
};


const struct answer_word *answer_action(size_t i)
{
	return i < ARRAY_SIZE(actions) ? &actions[i].word : NULL;
}


const struct action_row *action_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!strcmp(actions[i].word.name, name))
			return &actions[i];
	}

	return NULL;
}
