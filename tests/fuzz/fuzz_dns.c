/**
 * @file fuzz_dns.c  What a name service says, and a rule that rewrites a number
 *
 * The first byte says which: an answer to a question of each kind, a list of
 * name servers, or the rule.
 */
#include "fuzz.h"
#include "locate.h"


static void answer(struct bytes *b, enum name_type type)
{
	struct name_answer *a = NULL;
	enum name_verdict v;

	must(!name_answer_alloc(&a, type));
	v = name_answer_read(a, b->p, b->left, 0x1234, "_sip._udp.x.org");

	must(a->n <= a->room);
	must(v != NAME_V_DONE || a->state == NAME_FOUND ||
	     a->state == NAME_EMPTY || a->state == NAME_ABSENT);
	must((v == NAME_V_DONE && a->state == NAME_FOUND) == (a->n > 0));

	for (unsigned i = 0; i < a->n; i++) {
		const struct name_rec *r = &a->v[i];

		if (type == NAME_SRV)
			must(!*r->u.srv.target || name_ok(r->u.srv.target));
		if (type == NAME_NAPTR) {
			const struct name_naptr *na = &r->u.naptr;

			must(!*na->replace || name_ok(na->replace));
			must(text_utf8_valid(na->regexp, strlen(na->regexp)));
			must(strlen(na->service) < sizeof(na->service));
		}
	}

	mem_deref(a);
}


static void rule(struct bytes *b)
{
	char dst[128], *regexp;
	int err;

	regexp = take_text(b, 300);
	memset(dst, 'x', sizeof(dst));
	err = rewrite(dst, sizeof(dst), regexp, "+441632960083");
	must(err || memchr(dst, '\0', sizeof(dst)));
	free(regexp);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum name_type types[] = {
		NAME_A, NAME_AAAA, NAME_SRV, NAME_NAPTR,
	};
	struct bytes b = {data, size};
	const uint32_t what = take(&b, 1) % (COUNTOF(types) + 2);
	struct name_servers ns;
	const char *bad;
	char *list;

	if (what < COUNTOF(types)) {
		answer(&b, types[what]);
	}
	else if (what == COUNTOF(types)) {
		rule(&b);
	}
	else {
		list = take_text(&b, 300);
		if (!name_servers_parse(&ns, list, &bad))
			must(ns.n <= NAME_SERVERS);
		free(list);
	}

	return 0;
}
