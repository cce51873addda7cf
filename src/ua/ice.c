/**
 * @file ice.c  ICE in descriptions (RFC 8839)
 *
 * Candidates of the only component there is: reports share the port of
 * sound.  Names of hosts are left out, since nobody looks them up in the
 * middle of a call.  Pure functions.
 */
#include <stdio.h>
#include "offhook/text.h"
#include "ice.h"


enum { PORT_DISCARD = 9 };


static struct pl word(struct pl *pl)
{
	struct pl w;

	while (pl->l && *pl->p == ' ')
		pl_advance(pl, 1);
	w.p = pl->p;
	w.l = 0;
	while (pl->l && *pl->p != ' ') {
		++w.l;
		pl_advance(pl, 1);
	}

	return w;
}


static int read_addr(struct sa *sa, const struct pl *host,
		     const struct pl *port)
{
	char text[64];
	uint32_t v;

	if (text_u32(&v, port->p, port->l, 65535) || !v ||
	    text_copy(text, sizeof(text), host->p, host->l))
		return EBADMSG;

	return sa_set_str(sa, text, (uint16_t)v) ? ENOTSUP : 0;
}


static int read_type(enum media_cand_type *type, const struct pl *pl)
{
	for (unsigned i = CAND_HOST; i <= CAND_RELAY; i++) {
		if (text_caseeq(pl->p, pl->l,
				media_cand_name((enum media_cand_type)i))) {
			*type = (enum media_cand_type)i;
			return 0;
		}
	}

	return ENOTSUP;
}


/* foundation component transport priority address port "typ" type ... */
int cand_read(struct media_cand *c, const char *p, size_t len)
{
	struct pl pl = { p, len };
	struct pl found = word(&pl), comp = word(&pl), tp = word(&pl);
	struct pl prio = word(&pl), host = word(&pl), port = word(&pl);
	struct pl typ = word(&pl), type = word(&pl);
	uint32_t component;
	int err;

	memset(c, 0, sizeof(*c));
	sa_init(&c->addr, AF_UNSPEC);
	sa_init(&c->base, AF_UNSPEC);

	if (!found.l || found.l > 32 || !type.l ||
	    !text_caseeq(typ.p, typ.l, "typ") ||
	    text_u32(&component, comp.p, comp.l, 256) || !component ||
	    text_u32(&c->priority, prio.p, prio.l, INT32_MAX) || !c->priority)
		return EBADMSG;

	if (component != 1 || !text_caseeq(tp.p, tp.l, "UDP"))
		return ENOTSUP;

	err = read_addr(&c->addr, &host, &port);

	return err ? err : read_type(&c->type, &type);
}


int cand_print(char *buf, size_t sz, const struct media_cand *c)
{
	char addr[64], base[64] = "";
	int n;

	if (sa_ntop(&c->addr, addr, sizeof(addr)) ||
	    (sa_isset(&c->base, SA_ADDR) &&
	     sa_ntop(&c->base, base, sizeof(base))))
		return EOVERFLOW;

	n = snprintf(buf, sz, "%u 1 UDP %u %s %u typ %s", c->type + 1u +
		     (CAND_RELAY + 1u) * c->path, c->priority, addr, sa_port(&c->addr),
		     media_cand_name(c->type));
	if (n > 0 && (size_t)n < sz && base[0])
		n += snprintf(buf + n, sz - (size_t)n, " raddr %s rport %u",
			      base, sa_port(&c->base));

	return n < 0 || (size_t)n >= sz ? EOVERFLOW : 0;
}


void nego_ice_names(const struct nego *n, char *ufrag, char *pwd)
{
	const char turn = (char)('a' + n->ice_turn % 26);

	(void)snprintf(ufrag, ICE_UFRAG_MAX, "%s%c", n->ice_ufrag, turn);
	(void)snprintf(pwd, ICE_PWD_MAX, "%s%c", n->ice_pwd, turn);
}


/* Of the characters that are allowed (RFC 8839 5.4) */
static bool name_ok(const struct pl *pl, size_t min, size_t max)
{
	if (pl->l < min || pl->l >= max)
		return false;

	for (size_t i = 0; i < pl->l; i++) {
		const char c = pl->p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || c == '+' || c == '/'))
			return false;
	}

	return true;
}


/*
 * RFC 8839 4.2.5: where the sound would go without ICE must be one of the
 * candidates, or somebody in between has written another address.  Nothing can
 * be said of a line that is on hold, has no address yet (port 9), or names
 * hosts.
 */
static bool mismatch(const struct desc_media *m)
{
	struct media_cand c;
	struct sa dst = m->addr;
	bool any = false;

	sa_set_port(&dst, m->port);
	if (sa_is_any(&dst) || m->port == PORT_DISCARD)
		return false;

	for (unsigned i = 0; i < m->candc; i++) {
		if (cand_read(&c, m->candv[i].p, m->candv[i].l))
			continue;
		if (sa_cmp(&c.addr, &dst, SA_ALL))
			return false;
		any = true;
	}

	return any;
}


void nego_take_ice(struct media_plan *plan, struct nego *n,
		   const struct ability *ab, const struct desc_media *m,
		   bool lite, bool offer)
{
	struct media_ice *ice = &plan->ice;
	char peer[ICE_UFRAG_MAX];
	bool same;

	memset(ice, 0, sizeof(*ice));
	n->ice_on = n->ice_mismatch = false;

	if (!ab->ice.on || !name_ok(&m->ufrag, 4, ICE_UFRAG_MAX) ||
	    !name_ok(&m->pwd, 22, ICE_PWD_MAX))
		return;

	/* they have seen it in our offer, or we see it in theirs */
	n->ice_mismatch = mismatch(m);
	if (n->ice_mismatch || (m->ice_mismatch && !offer))
		return;

	(void)text_copy(peer, sizeof(peer), m->ufrag.p, m->ufrag.l);
	same = !strcmp(peer, n->ice_peer);

	/* they begin anew, and so do we */
	if (!same && n->ice_peer[0] && offer)
		++n->ice_turn;
	if (!same)
		n->ice_controlling = lite || !offer;
	str_ncpy(n->ice_peer, peer, sizeof(n->ice_peer));

	ice->on = n->ice_on = true;
	ice->controlling = n->ice_controlling;
	nego_ice_names(n, ice->ufrag, ice->pwd);
	str_ncpy(ice->peer_ufrag, peer, sizeof(ice->peer_ufrag));
	(void)text_copy(ice->peer_pwd, sizeof(ice->peer_pwd), m->pwd.p,
			m->pwd.l);

	for (unsigned i = 0; i < m->candc && ice->candc < ICE_CANDS; i++) {
		struct media_cand *c = &ice->candv[ice->candc];

		/* of either family: which of them we have is not known yet */
		if (!cand_read(c, m->candv[i].p, m->candv[i].l))
			++ice->candc;
	}
}
