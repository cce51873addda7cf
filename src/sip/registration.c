/**
 * @file sip/registration.c  An address-of-record and its registrar
 *
 * One struct sip_reg has a flow for each outbound proxy or registrar of its
 * identity; each registers by itself (registration_flow.c).  Requests of the
 * account go by the first flow that stands.  The user is told on turns of
 * the loop of their own and may let go of everything then.  Main thread.
 */
#include "registration.h"


enum { EXPIRES_USUAL = 3600 };


const char *sip_reg_state_name(enum sip_reg_state st)
{
	static const char *const names[SIP_REG_STATES] = {
		[SIP_REG_OFF]           = "off",
		[SIP_REG_REGISTERING]   = "registering",
		[SIP_REG_REGISTERED]    = "registered",
		[SIP_REG_REFRESHING]    = "refreshing",
		[SIP_REG_FAILED]        = "failed",
		[SIP_REG_UNREGISTERING] = "unregistering",
	};

	return st < SIP_REG_STATES ? names[st] : "?";
}


static bool is_up(const struct reg_flow *f)
{
	return f->state == SIP_REG_REGISTERED ||
		f->state == SIP_REG_REFRESHING;
}


bool reg_other_up(const struct reg_flow *f)
{
	const struct sip_reg *r = f->reg;
	unsigned i;

	for (i = 0; i < r->flowc; i++) {
		if (&r->flowv[i] != f && is_up(&r->flowv[i]))
			return true;
	}

	return false;
}


/* Requests go by the first flow that stands, or stay where they went */
static void flow_choose(struct sip_reg *r)
{
	unsigned i;

	for (i = 0; i < r->flowc; i++) {
		if (is_up(&r->flowv[i])) {
			r->id->flow = i;
			return;
		}
	}
}


static void status_fill(struct sip_reg_status *st, const struct reg_flow *f)
{
	const uint64_t now = clock_ms();

	memset(st, 0, sizeof(*st));
	st->flow = f->way.flow;
	st->state = f->state;
	st->result = f->result;
	st->next_ms = timer_running(&f->tmr) ?
		(int64_t)timer_left_ms(&f->tmr) : -1;
	st->outbound = f->reg->id->flowv[f->way.flow].ob;
	if (f->bound_until_ms > now)
		st->expires_s = (uint32_t)((f->bound_until_ms - now) / 1000);
	st->tp = SIP_TRANSP_NONE;
	if (f->tg.leg) {
		(void)re_snprintf(st->server, sizeof(st->server), "%J",
				  &f->tg.dst);
		st->tp = f->tg.tp;
	}
	str_ncpy(st->contact, f->bound, sizeof(st->contact));
}


void reg_tell(struct reg_flow *f)
{
	struct sip_reg *r = f->reg;
	struct sip_reg_status st;

	flow_choose(r);
	status_fill(&st, f);

	mem_ref(r);
	if (r->h)
		r->h(&st, r->arg);
	mem_deref(r);
}


static void reg_destructor(void *arg)
{
	struct sip_reg *r = arg;
	unsigned i;

	list_unlink(&r->le);

	for (i = 0; i < r->flowc; i++) {
		reg_flow_halt(&r->flowv[i]);
		mem_deref(r->flowv[i].digest);
		reg_way_reset(&r->flowv[i].way);
	}

	mem_deref(r->id);
	mem_deref(r->instance);
}


/* It goes between quotes and brackets */
static bool instance_ok(const char *s)
{
	struct sip_binding *b;
	const size_t len = strlen(s);

	return len && len < sizeof(b->instance) &&
		strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		       "abcdefghijklmnopqrstuvwxyz0123456789"
		       ":-._+%") == len;
}


int sip_reg_alloc(struct sip_reg **rp, struct sip_stack *s,
		  const struct sip_reg_conf *conf, sip_reg_h *h, void *arg)
{
	struct sip_reg *r;
	int err = 0;

	if (!rp || !s || !conf || !conf->ident ||
	    (conf->instance && !instance_ok(conf->instance)) ||
	    (conf->q && *conf->q && !text_is_qvalue(conf->q)) ||
	    ((conf->outbound || conf->gruu) && !conf->instance))
		return EINVAL;

	r = mem_zalloc(sizeof(*r), reg_destructor);
	if (!r)
		return ENOMEM;

	r->stack = s;
	r->id = mem_ref(conf->ident);
	r->expires_s = conf->expires_s ? conf->expires_s : EXPIRES_USUAL;
	r->keepalive_s = conf->keepalive_s;
	r->keep = conf->keep;
	r->outbound = conf->outbound;
	r->gruu = conf->gruu;
	r->nat = conf->nat;
	str_ncpy(r->q, conf->q ? conf->q : "", sizeof(r->q));
	r->h = h;
	r->arg = arg;

	if (conf->outbound || conf->gruu)
		err = str_dup(&r->instance, conf->instance);

	while (!err && r->flowc < conf->ident->flowc) {
		struct reg_flow *f = &r->flowv[r->flowc];

		f->reg = r;
		f->asked_s = r->expires_s;
		err = reg_way_init(&f->way, r->id, r->flowc++);
	}

	if (err) {
		mem_deref(r);
		return err;
	}

	list_append(&s->regs, &r->le, r);
	*rp = r;

	return 0;
}


void sip_reg_start(struct sip_reg *r)
{
	unsigned i;

	for (i = 0; r && r->stack && i < r->flowc; i++)
		reg_flow_start(&r->flowv[i]);
}


void sip_reg_stop(struct sip_reg *r, bool all)
{
	unsigned i;

	/* once is enough for everybody's */
	for (i = 0; r && r->stack && i < r->flowc; i++)
		reg_flow_stop(&r->flowv[i], all && !i);
}


void sip_reg_abandon(struct sip_reg *r)
{
	unsigned i;

	for (i = 0; r && i < r->flowc; i++)
		reg_flow_off(&r->flowv[i]);
}


bool sip_reg_moved(struct sip_reg *r, bool must)
{
	bool any = false;
	unsigned i;

	for (i = 0; r && r->stack && i < r->flowc; i++)
		any |= reg_flow_moved(&r->flowv[i], must);

	return any;
}


enum sip_reg_state sip_reg_state(const struct sip_reg *r)
{
	static const enum sip_reg_state order[] = {
		SIP_REG_REGISTERED, SIP_REG_REFRESHING, SIP_REG_REGISTERING,
		SIP_REG_UNREGISTERING, SIP_REG_FAILED,
	};
	size_t k;
	unsigned i;

	for (k = 0; r && k < COUNTOF(order); k++) {
		for (i = 0; i < r->flowc; i++) {
			if (r->flowv[i].state == order[k])
				return order[k];
		}
	}

	return SIP_REG_OFF;
}


bool sip_reg_status(struct sip_reg_status *st, const struct sip_reg *r,
		    unsigned flow)
{
	if (!r || flow >= r->flowc)
		return false;

	status_fill(st, &r->flowv[flow]);

	return true;
}


const struct sip_binding *sip_reg_binding(const struct sip_reg *r,
					  unsigned flow, unsigned i)
{
	return r && flow < r->flowc && i < r->flowv[flow].list.n ?
		&r->flowv[flow].list.v[i] : NULL;
}


void registration_stack_gone(struct sip_stack *s)
{
	struct sip_reg *r;
	unsigned i;

	while ((r = list_ledata(list_head(&s->regs)))) {

		list_unlink(&r->le);
		r->stack = NULL;
		r->h = NULL;
		for (i = 0; i < r->flowc; i++)
			reg_flow_halt(&r->flowv[i]);
	}
}
