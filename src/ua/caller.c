/**
 * @file caller.c  Who calls us, as the INVITE and the network tell
 *
 * What only a server can know (P-Asserted-Identity, Remote-Party-ID) is
 * believed from the servers of the account and from nobody else (RFC 3325 5):
 * from a stranger it is dropped here, once.  What was diverted, and what a
 * PASSporT claims, is kept as told.  Main thread.
 */
#include "priv.h"
#include "caller.h"


static void caller_destructor(void *data)
{
	struct caller *k = data;

	mem_deref(k->earlier);
}


int caller_take(struct call *c, const struct sip_info *in)
{
	struct caller *k = mem_zalloc(sizeof(*k), caller_destructor);
	bool told;
	int err;

	if (!k)
		return ENOMEM;

	told = sip_caller_read(&k->told, in);
	sip_auto_answer_read(&k->answer, in);
	c->vouched = c->acc && sip_ident_serves(c->acc->ident, in);
	c->src = in->src;

	if (!c->vouched && (k->told.asserted.uri[0] ||
			    k->told.remote.uri[0])) {
		log_info("call %u: an identity is asserted by a stranger,"
			 " not believed", c->id);
		memset(&k->told.asserted, 0, sizeof(k->told.asserted));
		memset(&k->told.remote, 0, sizeof(k->told.remote));
		k->told.asserted_tel[0] = '\0';
	}

	/* what came before P-Asserted-Identity says the same */
	if (!k->told.asserted.uri[0] && k->told.remote.uri[0] &&
	    k->told.remote_screened)
		k->told.asserted = k->told.remote;

	err = sip_diversion_lines(&k->earlier, in);

	/* most calls tell nothing, and most phones have many calls */
	if (err || (!told && !k->earlier && !k->answer.wanted &&
		    !k->answer.manual))
		mem_deref(k);
	else
		c->caller = k;

	return err == EOVERFLOW ? 0 : err;
}


/* user and host: the rest says how to get there */
static bool same_person(const char *a, const char *b)
{
	char user[2][128], host[2][128];

	if (sip_uri_parts(a, user[0], sizeof(user[0]), host[0],
			  sizeof(host[0]), NULL) ||
	    sip_uri_parts(b, user[1], sizeof(user[1]), host[1],
			  sizeof(host[1]), NULL))
		return !strcmp(a, b);

	return !strcmp(user[0], user[1]) && !strcasecmp(host[0], host[1]);
}


static bool asserts(const struct sip_info *in)
{
	char one[2];

	return sip_info_header(in, "P-Asserted-Identity", one, sizeof(one)) !=
		ENOENT ||
		sip_info_header(in, "Remote-Party-ID", one, sizeof(one)) !=
		ENOENT;
}


/* A request says it in its From; a server may know better, and of a response
 * too. @return false: nothing that could be believed */
static bool party_read(struct sip_party *p, bool *asserted,
		       const struct call *c, const struct sip_info *in)
{
	struct sip_caller told;

	*asserted = asserts(in) && c->acc &&
		sip_ident_serves(c->acc->ident, in) &&
		sip_caller_read(&told, in);
	if (*asserted && told.asserted.uri[0])
		*p = told.asserted;
	else if (*asserted && told.remote.uri[0] && told.remote_screened)
		*p = told.remote;
	else
		*asserted = false;
	if (*asserted)
		return true;
	if (in->code)
		return false;

	UTF8_PUT(p->uri, in->from_uri);
	UTF8_PUT(p->name, in->from_name);

	return p->uri[0] != '\0';
}


void caller_named(struct call *c, const struct sip_info *in)
{
	const char *uri = c->now ? c->now->uri : c->peer;
	const char *name = c->now ? c->now->name : call_peer_name(c);
	struct sip_party p;
	struct event ev;
	bool asserted;

	if (!party_read(&p, &asserted, c, in))
		return;

	/* it has only left its name out */
	if (same_person(p.uri, uri) && (!p.name[0] || !strcmp(p.name, name)))
		return;

	if (!c->now)
		c->now = mem_zalloc(sizeof(*c->now), NULL);
	if (!c->now)
		return;

	*c->now = p;
	log_info("call %u: the other side is %s%s%s now", c->id, p.name,
		 p.name[0] ? " " : "", p.uri);

	call_event(&ev, EVENT_CALL_PEER, c);
	UTF8_PUT(ev.u.call_peer.peer, p.uri);
	UTF8_PUT(ev.u.call_peer.name, p.name);
	ev.u.call_peer.asserted = asserted;
	event_publish(c->ua->bus, &ev);
}


void caller_tell(struct call *c)
{
	const struct account_conf *a = c->acc ? &c->acc->conf : NULL;
	int err;

	if (!a || !a->tell_who_answers || a->anonymous || c->outgoing)
		return;

	err = sip_call_rename(c->sip);
	if (!err)
		err = call_reoffer_by(c, sip_call_can_update(c->sip) ?
				      SIP_MODIFY_UPDATE : SIP_MODIFY_AUTO,
				      sip_call_can_update(c->sip));
	if (err && err != EALREADY)
		log_info("call %u: the caller is not told whom he has"
			 " reached: %s", c->id, err == ENOTSUP ?
			 "his phone does not understand that" :
			 strerror(err));
}


void caller_event(struct event *ev, const struct call *c)
{
	const struct sip_caller *t = call_caller(c);
	const struct sip_passport *p;

	if (!t)
		return;

	UTF8_PUT(ev->u.call_state.asserted, t->asserted.uri);
	UTF8_PUT(ev->u.call_state.asserted_name, t->asserted.name);
	UTF8_PUT(ev->u.call_state.privacy, t->privacy);

	if (t->divertc) {
		UTF8_PUT(ev->u.call_state.diverted_by,
			 t->divertv[0].by.uri);
		UTF8_PUT(ev->u.call_state.diverted_reason,
			 t->divertv[0].reason);
		if (t->divertc > 1)
			UTF8_PUT(ev->u.call_state.first_called,
				 t->divertv[t->divertc - 1].by.uri);
	}

	p = &t->passport;
	if (p->there)
		UTF8_PUT(ev->u.call_state.attest, !p->readable ?
			 "unreadable" : p->attest[0] ? p->attest : "none");
	if (p->readable) {
		UTF8_PUT(ev->u.call_state.attest_orig, p->orig);
		UTF8_PUT(ev->u.call_state.attest_dest, p->dest);
		if (p->iat_s)
			ev->u.call_state.attest_iat = (int64_t)p->iat_s;
	}

	if (c->caller->answer.wanted || c->caller->answer.manual)
		UTF8_PUT(ev->u.call_state.answer_mode,
			 c->caller->answer.wanted ? "auto" : "manual");
}


const struct sip_caller *call_caller(const struct call *c)
{
	return c && c->caller ? &c->caller->told : NULL;
}


void call_answer_wish(struct sip_auto_answer *a, const struct call *c)
{
	if (c && c->caller)
		*a = c->caller->answer;
	else
		memset(a, 0, sizeof(*a));
}


const char *call_identity(const struct call *c)
{
	const struct sip_caller *t = call_caller(c);

	return t && t->asserted.uri[0] ? t->asserted.uri : call_peer(c);
}


const struct sip_party *call_peer_now(const struct call *c)
{
	return c ? c->now : NULL;
}


bool call_vouched(const struct call *c)
{
	return c && c->vouched;
}


const struct sa *call_source(const struct call *c)
{
	return c && sa_isset(&c->src, SA_ADDR) ? &c->src : NULL;
}


bool call_known(const struct call *c)
{
	return c && c->ua->known_h &&
		c->ua->known_h(call_identity(c), c->ua->known_arg);
}
