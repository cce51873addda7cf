/**
 * @file fuzz_body.c  Bodies of events and messages
 *
 * Whatever comes is refused or taken; what was taken can be written, and what
 * we wrote is read again by ourselves.
 */
#include "fuzz.h"
#include "body.h"


static void pidf_try(const char *text, size_t len)
{
	struct mbuf *mb = mbuf_alloc(512);
	struct pidf p, q;

	if (!pidf_parse(&p, text, len)) {
		must(!pidf_print(mb, &p, "t"));
		must(!pidf_parse(&q, (char *)mb->buf, mb->end));
		must(p.open == q.open);
	}
	mem_deref(mb);
}


static void dialog_try(const char *text, size_t len)
{
	struct dialog_info *d = NULL, *e = NULL, *known;
	struct mbuf *mb = mbuf_alloc(512);

	if (!dialog_info_parse(&d, text, len)) {
		must(d->count <= BODY_DIALOGS);
		must(!dialog_info_print(mb, d));
		must(!dialog_info_parse(&e, (char *)mb->buf, mb->end));
		must(e->count == d->count);

		known = mem_zalloc(sizeof(*known), NULL);
		(void)dialog_info_merge(known, d);
		must(known->count <= BODY_DIALOGS);
		mem_deref(known);
	}
	mem_deref(e);
	mem_deref(d);
	mem_deref(mb);
}


static void lines_try(const char *text, size_t len)
{
	struct mbuf *mb = mbuf_alloc(512);
	struct mwi_summary m, n;
	struct sipfrag f;
	struct cpim c;

	if (!mwi_parse(&m, text, len)) {
		must(!mwi_print(mb, &m));
		must(!mwi_parse(&n, (char *)mb->buf, mb->end));
		must(m.fresh == n.fresh && m.waiting == n.waiting);
	}
	if (!sipfrag_parse(&f, text, len))
		must(f.code >= 100 && f.code < 700);
	if (!cpim_parse(&c, text, len))
		must(c.body.p >= text && c.body.p + c.body.l <= text + len);
	mem_deref(mb);
}


static void change_h(const struct conf_member *m, void *arg)
{
	(void)arg;
	must(m->uri[0] && m->state[0]);
}


static void conference_try(const char *text, size_t len)
{
	struct conf_info *c = NULL, *known;

	if (conf_info_parse(&c, text, len))
		return;

	must(c->count <= BODY_MEMBERS);
	known = mem_zalloc(sizeof(*known), NULL);
	(void)conf_info_merge(known, c, change_h, NULL);
	c->news = CONF_FULL;
	c->users_whole = c->users_told = true;
	must(!conf_info_merge(known, c, change_h, NULL));
	must(known->count <= c->count);
	mem_deref(known);
	mem_deref(c);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct reginfo *r = NULL;
	struct composing c;
	struct imdn i;

	pidf_try(text, size);
	dialog_try(text, size);
	lines_try(text, size);
	conference_try(text, size);
	(void)composing_parse(&c, text, size);
	(void)imdn_parse(&i, text, size);
	if (!reginfo_parse(&r, text, size))
		must(r->count <= BODY_CONTACTS);
	mem_deref(r);

	return 0;
}
