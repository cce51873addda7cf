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
