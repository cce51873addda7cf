/**
 * @file fuzz_rules.c  Lines of rules, and what they say about a call
 *
 * A line is refused with one sentence, or it is a rule that decides about
 * calls without ever leaving its bounds.
 */
#include "fuzz.h"
#include "offhook/answer_rules.h"


static int header_h(const char *name, char *buf, size_t sz, void *arg)
{
	(void)arg;
	if (name[0] == 'n')
		return ENOENT;
	snprintf(buf, sz, "%s value", name);

	return 0;
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const methods[] = { "INVITE", "MESSAGE" };
	const char *p = (const char *)data, *end = p + size;
	struct answer_rules *r = NULL;
	size_t rules = 0;

	must(!answer_rules_alloc(&r));
	while (p < end && rules < 200) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const char *stop = nl ? nl : end;
		char err[UA_ERR];

		if (answer_rules_line(r, p, (size_t)(stop - p), err))
			must(*err && answer_rules_count(r) == rules);
		else
			must(answer_rules_count(r) <= rules + 1);
		rules = answer_rules_count(r);
		p = stop + 1;
	}

	for (size_t i = 0; i < 4; i++) {
		const struct answer_subject s = {
			.method = methods[i & 1], .from = "sip:bob@example.com",
			.to = "sip:me@h", .ruri = "sip:x@h",
			.header_h = header_h,
		};
		const struct answer_rule *a = answer_rules_find(r, &s);

		must(!a || (a->code >= 200 && a->code < 700));
		must(!a || !(i & 1) || a->code >= 300);
	}
	for (size_t i = 0; i < rules; i++) {
		const char *text;
		uint64_t hits;

		must(answer_rules_at(r, i, &text, &hits) && *text);
		must(hits <= 4);
	}
	mem_deref(r);

	return 0;
}
