/**
 * @file bundle.c  Lines of a description that share one port (RFC 8843)
 *
 * A browser offers all its media over one port and one set of keys, in a
 * group: what belongs to the way there stands at the first line of the group
 * alone, and others may have no port of their own.  Main thread; pure.
 */
#include <string.h>
#include <offhook/text.h>
#include "sdp.h"


static struct pl next_word(struct pl *text)
{
	struct pl w;

	while (text->l && *text->p == ' ')
		pl_advance(text, 1);

	w = *text;
	w.l = 0;
	while (w.l < text->l && w.p[w.l] != ' ')
		++w.l;

	pl_advance(text, (ssize_t)w.l);

	return w;
}


static struct desc_media *find(struct desc *d, const struct pl *mid)
{
	for (unsigned i = 0; i < d->mediac; i++) {
		struct desc_media *m = &d->mediav[i];

		if (pl_isset(&m->mid) && 0 == pl_cmp(&m->mid, mid))
			return m;
	}

	return NULL;
}


/* What belongs to the way is the same for all: a line that has it of its own
 * may go alone, too, if its group is not taken */
static void share(struct desc_media *m, const struct desc_media *first)
{
	if (!m->port && m->bundle_only) {
		m->port = first->port;
		m->addr = first->addr;
		m->rtcp_port = first->rtcp_port;
		m->rtcp_addr = first->rtcp_addr;
	}

	m->rtcp_mux = m->rtcp_mux || first->rtcp_mux;

	if (!pl_isset(&m->ufrag)) {
		m->ufrag = first->ufrag;
		m->pwd = first->pwd;
	}
	if (!m->candc) {
		memcpy(m->candv, first->candv, sizeof(m->candv));
		m->candc = first->candc;
	}
	if (!m->printc) {
		memcpy(m->printv, first->printv, sizeof(m->printv));
		m->printc = first->printc;
	}
	if (!pl_isset(&m->setup))
		m->setup = first->setup;
	if (!m->cryptoc) {
		memcpy(m->cryptov, first->cryptov, sizeof(m->cryptov));
		m->cryptoc = first->cryptoc;
	}
}


void desc_bundle(struct desc *d, const struct pl *groupv, unsigned groupc)
{
	for (unsigned i = 0; i < groupc; i++) {
		const struct desc_media *first = NULL;
		struct pl text = groupv[i], w = next_word(&text);

		if (!text_caseeq(w.p, w.l, "BUNDLE"))
			continue;

		for (w = next_word(&text); w.l; w = next_word(&text)) {
			struct desc_media *m = find(d, &w);

			/* one group is enough for a line */
			if (!m || m->bundled)
				continue;

			if (first)
				share(m, first);
			else
				first = m;

			m->bundled = true;
		}
	}

	/* one port for all is one for reports, too (9.3) */
	for (unsigned i = 0; i < d->mediac; i++) {
		struct desc_media *m = &d->mediav[i];

		m->bundled = m->bundled && m->rtcp_mux && m->port;
	}
}
