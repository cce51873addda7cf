/**
 * @file sip/locate_addr.c  The addresses of the machines found
 *
 * Main thread, no state of its own.  Each machine has a name, a port and a
 * transport; its addresses keep the order in which the system, which knows
 * its routes, gives them.
 */
#include "locate.h"


void hop_add(struct hops *hs, enum sip_transp tp, bool named,
	     const char *host, uint16_t port)
{
	struct hop *hop;

	if (hs->n == HOPS_MAX)
		return;

	hop = &hs->v[hs->n++];
	hop->tp = tp;
	hop->named = named;
	hop->port = port;
	(void)text_copy(hop->host, sizeof(hop->host), host, strlen(host));
}


bool hop_is_local(const char *host)
{
	const char *dot = strrchr(host, '.');

	return !dot || !strcasecmp(dot, ".local") ||
		!strcasecmp(dot, ".localhost");
}


int hops_ask(const struct hops *hs, struct looks *ls, struct sip_stack *s)
{
	const bool dns = names_by_dns(s->names);
	unsigned i;
	int err;

	err = looks_alloc(ls, s, 2 * HOPS_MAX);
	if (err)
		return err;

	ls->grace = true;

	for (i = 0; i < hs->n; i++) {
		const char *host = hs->v[i].host;
		struct sa sa;

		if (!sa_set_str(&sa, host, 0))
			continue;

		if (dns && !hop_is_local(host)) {
			looks_add(ls, NAME_AAAA, i, host);
			looks_add(ls, NAME_A, i, host);
		}
		else {
			looks_add(ls, NAME_HOST, i, host);
		}
	}

	return 0;
}


/* Why there is no address at all: the worst that was said */
static void none(const struct looks *ls, const struct way *w,
		 struct sip_result *res)
{
	enum name_state worst = NAME_EMPTY;
	const struct look *at = NULL;
	char name[128];
	unsigned i;

	for (i = 0; i < ls->n; i++) {
		const struct look *lk = &ls->v[i];
		const enum name_state st = lk->answer ? lk->answer->state :
			NAME_SILENT;

		if (st >= worst) {
			worst = st;
			at = lk;
		}
	}

	if (!at) {
		(void)way_unreachable(res, w);
		return;
	}

	(void)snprintf(name, sizeof(name), "%.60s", at->name);
	if (!text_caseeq(at->name, strlen(at->name), w->host))
		(void)snprintf(name, sizeof(name), "%.40s (for %.40s)",
			       at->name, w->host);

	switch (worst) {

	case NAME_ABSENT:
		(void)way_fail(res, SIP_CAUSE_RESOLVE, ENOENT,
			       "there is no such name: %s", name);
		break;

	case NAME_SILENT:
		(void)way_fail(res, SIP_CAUSE_RESOLVE, ETIMEDOUT,
			       "no answer from the name service: %s", name);
		break;

	case NAME_FAILED:
		(void)way_fail(res, SIP_CAUSE_RESOLVE, EIO,
			       "the name service fails (%.30s): %s",
			       at->answer ? at->answer->why : "", name);
		break;

	default:
		(void)way_fail(res, SIP_CAUSE_RESOLVE, ENOENT,
			       "this name has no address: %s", name);
		break;
	}
}


static bool hop_take(const struct hop *hop, unsigned i,
		     const struct looks *ls, struct sip_stack *s,
		     struct target_list *tl)
{
	bool lost = false;
	unsigned k, m;
	struct sa sa;

	if (!sa_set_str(&sa, hop->host, 0))
		return !way_target_add(tl, s, hop->tp, hop->named, &sa,
				       hop->port);

	for (k = 0; k < ls->n; k++) {
		const struct name_answer *a = ls->v[k].answer;

		for (m = 0; ls->v[k].group == i && a && m < a->n; m++) {
			if (!way_target_add(tl, s, hop->tp, hop->named,
					    &a->v[m].u.addr, hop->port))
				lost = true;
		}
	}

	return lost;
}


void hops_take(const struct hops *hs, const struct looks *ls,
	       const struct way *w, struct target_list *tl,
	       struct sip_result *res)
{
	bool lost = false;
	unsigned i;

	for (i = 0; i < hs->n; i++) {
		if (hop_take(&hs->v[i], i, ls, ls->stack, tl))
			lost = true;
	}

	if (tl->n)
		return;

	if (lost)
		(void)way_unreachable(res, w);
	else
		none(ls, w, res);
}
