/**
 * @file sip/binding.c  What a registrar says it holds
 *
 * Pure functions.  The 2xx to a REGISTER lists all bindings of the address,
 * other phones' too, each as its server cares to write it: which one is ours
 * decides how long we are reachable.  It is known by instance and reg-id
 * (RFC 5626), by the URI (RFC 3261 19.1.4), by its user part alone (a NAT on
 * the way has rewritten it), or because there is no other.
 */
#include "registration.h"


enum { FIELD_MAX = 512 };

struct reader {
	struct binding_list *list;
	const struct binding_ask *ask;
	struct suri self;
	uint32_t otherwise;         /* without a parameter expires            */
	unsigned total;

	/* the best match so far */
	unsigned rank;
	unsigned same_rank;
	unsigned best;              /* index in v, or BINDINGS_MAX            */
	uint32_t expires_s;
	struct pl params;
};

enum { RANK_NONE, RANK_ONLY, RANK_USER, RANK_URI, RANK_INSTANCE };


/* A parameter's value without the quotes some put around it */
static bool param_value(const struct pl *params, const char *name,
			struct pl *val)
{
	if (!param_find(params, name, val) || !val->p)
		return false;

	if (val->l >= 2 && val->p[0] == '"' && val->p[val->l - 1] == '"') {
		++val->p;
		val->l -= 2;
	}

	return true;
}


/* Malformed values count as absent; too large ones as large */
static uint32_t seconds(const struct pl *val, uint32_t otherwise)
{
	uint32_t s;

	switch (text_u32(&s, val->p, val->l, UINT32_MAX)) {

	case 0:      break;
	case ERANGE: s = EXPIRES_MAX; break;
	default:     return otherwise;
	}

	return s > EXPIRES_MAX ? EXPIRES_MAX : s;
}


/* +sip.instance="<urn:...>" without quotes and brackets */
static bool instance_find(const struct pl *params, struct pl *val)
{
	if (!param_value(params, "+sip.instance", val))
		return false;

	if (val->l >= 2 && val->p[0] == '<' && val->p[val->l - 1] == '>') {
		++val->p;
		val->l -= 2;
	}

	return val->l > 0;
}


static unsigned rank_of(const struct reader *r, const struct addr_parts *a,
			const struct suri *u)
{
	const struct binding_ask *ask = r->ask;
	struct pl inst, id;
	uint32_t reg_id = 0;

	if (ask->instance && instance_find(&a->params, &inst) &&
	    text_caseeq(inst.p, inst.l, ask->instance)) {

		if (param_value(&a->params, "reg-id", &id))
			(void)text_u32(&reg_id, id.p, id.l, INT32_MAX);
		if (reg_id == ask->reg_id || !reg_id)
			return RANK_INSTANCE;
		return RANK_NONE;
	}

	if (suri_equal(u, &r->self))
		return RANK_URI;

	return u->user.p && r->self.user.p &&
		!pl_cmp(&u->user, &r->self.user) ? RANK_USER : RANK_ONLY;
}


static void copy_pl(char *dst, size_t sz, const struct pl *pl)
{
	if (text_copy(dst, sz, pl->p, pl->l))
		*dst = '\0';
}


static bool contact_h(const struct pl *val, void *arg)
{
	struct reader *r = arg;
	struct binding_list *l = r->list;
	struct sip_binding *b = NULL;
	struct addr_parts a;
	struct suri u;
	struct pl pl;
	uint32_t s = r->otherwise;
	unsigned rank;

	if (addr_parse(&a, val) || suri_parse(&u, &a.uri))
		return false;

	++r->total;
	if (param_find(&a.params, "expires", NULL))
		s = param_value(&a.params, "expires", &pl) ?
			seconds(&pl, r->otherwise) : r->otherwise;

	if (l->n < BINDINGS_MAX) {
		b = &l->v[l->n++];
		copy_pl(b->uri, sizeof(b->uri), &a.uri);
		b->expires_s = s;
		if (instance_find(&a.params, &pl))
			copy_pl(b->instance, sizeof(b->instance), &pl);
		if (param_value(&a.params, "reg-id", &pl))
			(void)text_u32(&b->reg_id, pl.p, pl.l, INT32_MAX);
	}
	else {
		++l->more;
	}

	rank = rank_of(r, &a, &u);
	if (rank < r->rank || rank == RANK_NONE)
		return false;

	if (rank > r->rank)
		r->same_rank = 0;
	r->rank = rank;

	/* of several that may be ours it is the freshest one */
	if (r->same_rank++ && s <= r->expires_s)
		return false;

	r->best = b ? l->n - 1 : BINDINGS_MAX;
	r->expires_s = s;
	r->params = a.params;

	return false;
}


/* A GRUU as a URI that may stand in a Contact */
static void gruu_read(char *dst, size_t sz, const struct pl *params,
		      const char *name)
{
	struct suri u;
	struct pl val;

	*dst = '\0';
	if (param_value(params, name, &val) && !suri_parse(&u, &val) && u.sip)
		copy_pl(dst, sz, &val);
}


void binding_read(struct binding_list *l, const struct sip_msg *msg,
		  const struct binding_ask *ask)
{
	struct reader r = {
		.list = l, .ask = ask, .best = BINDINGS_MAX,
		.otherwise = ask->expires_s,
	};
	const struct sip_hdr *hdr;

	memset(l, 0, sizeof(*l));
	(void)suri_parse_str(&r.self, ask->uri ? ask->uri : "");

	hdr = header_find(msg, SIP_HDR_EXPIRES, "Expires", 0);
	if (hdr)
		r.otherwise = seconds(&hdr->val, ask->expires_s);

	(void)header_values(msg, "Contact", 'm', contact_h, &r);

	/* by its user part, or by nothing at all: only when there is no
	   doubt which one it is */
	l->listed = r.rank >= RANK_URI ||
		(r.rank == RANK_USER && r.same_rank == 1) ||
		(r.rank == RANK_ONLY && r.total == 1);
	if (!ask->uri)
		l->listed = false;

	l->expires_s = r.same_rank ? r.expires_s : r.otherwise;
	if (!l->listed)
		return;

	if (r.best < BINDINGS_MAX)
		l->v[r.best].ours = true;
	gruu_read(l->gruu, sizeof(l->gruu), &r.params, "pub-gruu");
	gruu_read(l->temp_gruu, sizeof(l->temp_gruu), &r.params, "temp-gruu");
}
