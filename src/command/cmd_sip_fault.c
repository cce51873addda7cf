/**
 * @file cmd_sip_fault.c  `sip-fault`: messages that go wrong, on purpose
 *
 * Main thread.
 */
#include <ctype.h>
#include <stdio.h>
#include "priv.h"

enum { REORDER_MS = 500 };


/* "200", "4xx" or "180-183". @return 0, EINVAL */
static int codes(struct sip_fault *f, const char *s)
{
	const size_t n = strlen(s), dash = strcspn(s, "-");
	uint32_t a, b;

	if (n == 3 && isdigit((unsigned char)*s) &&
	    !strcasecmp(s + 1, "xx")) {
		a = 100 * (uint32_t)(*s - '0');
		b = a + 99;
	}
	else {
		if (text_u32(&a, s, dash, 699))
			return EINVAL;
		b = a;
		if (s[dash] && text_u32(&b, s + dash + 1, n - dash - 1, 699))
			return EINVAL;
	}

	if (a < 100 || b > 699 || a > b)
		return EINVAL;

	f->code_min = (uint16_t)a;
	f->code_max = (uint16_t)b;

	return 0;
}


/* Which messages. @return 0, EINVAL */
static int which(struct cmd *x, struct sip_fault *f)
{
	const char *way = cmd_str(x, "way"), *kind = cmd_str(x, "kind");
	const char *method = cmd_str(x, "method"), *code = cmd_str(x, "code");

	f->in = way && strcmp(way, "out");
	f->out = !way || strcmp(way, "in");
	f->requests = kind && !strcmp(kind, "request");
	f->responses = kind && !f->requests;
	f->nth = (unsigned)cmd_int(x, "nth", 0);
	f->every = (unsigned)cmd_int(x, "every", 0);
	f->times = (unsigned)cmd_int(x, "times", 0);
	f->chance_pct = cmd_double(x, "chance", 100.0);

	for (size_t i = 0; method && method[i]; i++) {
		if (i + 1 >= sizeof(f->method) ||
		    !isalnum((unsigned char)method[i]))
			return cmd_wrong(x, "bad-argument", "--method is no "
					 "method such as INVITE");
		f->method[i] = (char)toupper((unsigned char)method[i]);
	}

	if (code && codes(f, code))
		return cmd_wrong(x, "bad-argument", "--code takes a status "
				 "such as 200, all of a kind, 4xx, or a range, "
				 "180-183");
	if (code && f->requests)
		return cmd_wrong(x, "bad-argument", "a request has no "
				 "--code");

	return 0;
}


/* What is done. @return 0, EINVAL */
static int what(struct cmd *x, struct sip_fault *f)
{
	const char *name = cmd_str(x, "header"), *value = cmd_str(x, "value");
	const bool edit = f->kind >= SIP_FAULT_MANGLE &&
		f->kind <= SIP_FAULT_ADD;
	const bool late = f->kind == SIP_FAULT_DELAY ||
		f->kind == SIP_FAULT_DUPLICATE ||
		f->kind == SIP_FAULT_REORDER;
	const char *kind = sip_fault_name(f->kind);

	if (edit != (name != NULL))
		return cmd_wrong(x, edit ? "missing-argument" :
				 "bad-argument", edit ? "%s which --header?" :
				 "%s takes no --header", kind);
	if (value && (!edit || f->kind == SIP_FAULT_REMOVE))
		return cmd_wrong(x, "bad-argument", "%s takes no --value",
				 kind);
	if (f->kind == SIP_FAULT_ADD && !value)
		return cmd_wrong(x, "missing-argument", "add needs a "
				 "--value");
	if (cmd_has(x, "by") && !late)
		return cmd_wrong(x, "bad-argument", "%s takes no --by", kind);
	if (f->kind == SIP_FAULT_DELAY && !cmd_has(x, "by"))
		return cmd_wrong(x, "missing-argument", "delay --by which "
				 "time?");
	if (cmd_has(x, "bytes") && f->kind != SIP_FAULT_CORRUPT)
		return cmd_wrong(x, "bad-argument", "%s takes no --bytes",
				 kind);
	if ((name && strlen(name) >= sizeof(f->name)) ||
	    (value && strlen(value) >= sizeof(f->value)))
		return cmd_wrong(x, "bad-argument", "a name has at most %zu "
				 "bytes, a value %zu", sizeof(f->name) - 1,
				 sizeof(f->value) - 1);

	f->by_ms = (uint32_t)cmd_ms(x, "by", f->kind == SIP_FAULT_REORDER ?
				    REORDER_MS : 0);
	f->bytes = (unsigned)cmd_int(x, "bytes", 1);
	snprintf(f->name, sizeof(f->name), "%s", name ? name : "");
	snprintf(f->value, sizeof(f->value), "%s", value ? value : "");

	return 0;
}


static void reply_rule(struct reply *r, const struct sip_fault_status *st)
{
	const struct sip_fault *f = &st->fault;
	char code[16] = "";

	if (f->code_max)
		snprintf(code, sizeof(code), f->code_min == f->code_max ?
			 "%u" : "%u-%u", f->code_min, f->code_max);

	reply_row(r, "rule");
	reply_int(r, "rule", st->number);
	reply_str(r, "fault", sip_fault_name(f->kind));
	reply_str(r, "way", f->in && f->out ? "both" : f->in ? "in" : "out");
	if (f->requests != f->responses)
		reply_str(r, "kind", f->requests ? "request" : "response");
	if (f->method[0])
		reply_str(r, "method", f->method);
	if (code[0])
		reply_str(r, "code", code);
	if (f->name[0])
		reply_str(r, "header", f->name);
	reply_int(r, "seen", (int64_t)st->seen);
	reply_int(r, "done", (int64_t)st->done);
}


static void reply_rules(struct cmd *x)
{
	struct sip_fault_status st;

	reply_list(x->reply, "rule");
	for (size_t i = 0; sip_fault_at(&st, ua_sip(x->ph->ua), i); i++)
		reply_rule(x->reply, &st);
}


static void off(struct cmd *x)
{
	const unsigned rule = (unsigned)cmd_int(x, "rule", 0);

	/* what they did, for the last time */
	reply_rules(x);
	if (sip_fault_remove(ua_sip(x->ph->ua), rule))
		reply_error(x->reply, "no-such-rule", "there is no rule %u; "
			    "see 'sip-fault'", rule);
}


void cmd_sip_fault(struct cmd *x)
{
	const char *kind = cmd_str(x, "what");
	struct sip_fault f;
	unsigned number = 0;
	int err;

	if (!kind) {
		reply_rules(x);
		return;
	}
	if (!strcmp(kind, "off")) {
		off(x);
		return;
	}

	memset(&f, 0, sizeof(f));
	f.kind = sip_fault_find(kind);
	if (cmd_has(x, "rule")) {
		(void)cmd_wrong(x, "bad-argument", "only off takes a number");
		return;
	}
	if (which(x, &f) || what(x, &f))
		return;

	err = ua_fault(x->ph->ua, &f, (uint64_t)cmd_int(x, "seed", 0),
		       &number);
	if (err == EINVAL)
		(void)cmd_wrong(x, "bad-argument", "no header can have that "
				"name or value");
	else if (err == ENOSPC)
		reply_error(x->reply, "no-space", "there are %d rules already; "
			    "sip-fault off ends them", SIP_FAULT_RULES);
	else if (err)
		cmd_fail(x, err, NULL);
	else
		reply_int(x->reply, "rule", number);
}
