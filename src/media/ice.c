/**
 * @file ice.c  Finding a way that carries packets (RFC 8445, 7675)
 *
 * Pairs are a candidate of the peer's and one of our addresses or our relay:
 * more ways to send there are not.  The controlling side
 * nominates the best pair that works, once those before it have had their
 * time.  After that checks go on now and then, and a peer that answers none
 * for half a minute has withdrawn its consent: nothing is sent any more.
 */
#define LOG_MODULE "media"
#include <stdlib.h>
#include <offhook/log.h>
#include <offhook/random.h>
#include "ice.h"
#include "stun.h"


enum {
	RTO_US      = 200000,
	TRIES       = 8,
	TA_US       = 20000,
	BETTER_US   = 400000,    /* a way that works waits for a better one */
	CONSENT_US  = 5000000,
	EXPIRE_US   = 30000000,
	AGAIN_US    = 500000,    /* all failed: once more                   */
	CHECK_US    = 30000000,  /* all of it                               */
};

enum pair_state { PAIR_WAITING, PAIR_PROGRESS, PAIR_GOOD, PAIR_FAILED };

struct pair {
	struct sa remote;
	unsigned via;            /* what we send from                       */
	uint64_t priority;
	uint32_t remote_priority;
	enum pair_state state;
	uint8_t tid[STUN_TID];
	bool use;                /* the check says USE-CANDIDATE            */
	bool used;               /* the peer's did (we are controlled)      */
	bool again;              /* once more, since one came from there    */
	unsigned tries;
	uint64_t due_us;
	uint64_t sent_us;        /* the first of these tries                */
	uint32_t rtt_us;
	unsigned checks;
};

struct ice {
	struct media_ice conf;
	struct ice_ours ours;
	bool controlling;
	uint64_t tiebreak;
	struct pair pairs[MEDIA_PAIRS];
	unsigned pairc;
	struct pair *chosen;     /* agreed on                               */
	bool nominating;
	enum ice_state state;
	uint64_t begin_us, good_us;      /* 0: not yet                      */
	uint64_t next_us;        /* of a new check                          */
	uint64_t heard_us;       /* consent                                 */
	uint64_t ask_us;
	ice_send_h *send_h;
	void *arg;
};


static void destructor(void *arg)
{
	struct ice *ice = arg;

	explicit_bzero(&ice->conf, sizeof(ice->conf));
}


uint32_t ice_priority(enum media_cand_type type, unsigned local)
{
	static const uint32_t pref[] = {
		[CAND_HOST] = 126, [CAND_SRFLX] = 100, [CAND_PRFLX] = 110,
		[CAND_RELAY] = 0,
	};

	return pref[type] << 24 | (65535u - local) << 8 | 255;
}


/* Pairs ------------------------------------------------------------------ */

/* As type if it is one of our addresses, each a little below the one before */
static uint32_t our_priority(unsigned via, enum media_cand_type type)
{
	return via == ICE_RELAY ? ice_priority(CAND_RELAY, 0) :
		ice_priority(type, via);
}


static void pair_rank(const struct ice *ice, struct pair *p)
{
	const uint64_t us = our_priority(p->via, CAND_HOST);
	const uint64_t them = p->remote_priority;
	const uint64_t g = ice->controlling ? us : them;
	const uint64_t d = ice->controlling ? them : us;

	p->priority = ((g < d ? g : d) << 32) + 2 * (g > d ? g : d) +
		(g > d ? 1 : 0);
}


static struct pair *pair_find(struct ice *ice, const struct sa *remote,
			      unsigned via)
{
	for (unsigned i = 0; i < ice->pairc; i++) {
		struct pair *p = &ice->pairs[i];

		if (p->via == via && sa_cmp(&p->remote, remote, SA_ALL))
			return p;
	}

	return NULL;
}


/* Could a packet get there at all? */
static bool pair_fits(const struct ice *ice, const struct sa *remote,
		      unsigned via)
{
	const struct sa *ours = &ice->ours.addrv[via];

	return sa_isset(ours, SA_ADDR) && sa_isset(remote, SA_ALL) &&
		sa_af(ours) == sa_af(remote) && (via == ICE_RELAY ||
		 sa_is_linklocal(ours) == sa_is_linklocal(remote));
}


/* A place for it: when there are too many, that of the last in rank of which
 * nobody has asked yet */
static struct pair *pair_place(struct ice *ice, uint64_t priority)
{
	struct pair *last = NULL;

	if (ice->pairc < MEDIA_PAIRS)
		return &ice->pairs[ice->pairc++];

	for (unsigned i = 0; i < ice->pairc; i++) {
		struct pair *p = &ice->pairs[i];

		if (p->state == PAIR_WAITING && !p->checks &&
		    (!last || p->priority < last->priority))
			last = p;
	}

	return last && last->priority < priority ? last : NULL;
}


static struct pair *pair_add(struct ice *ice, const struct sa *remote,
			     unsigned via, uint32_t priority)
{
	struct pair *p = pair_find(ice, remote, via);
	struct pair made = { .remote = *remote, .via = via,
		.remote_priority = priority };

	if (p || !pair_fits(ice, remote, via))
		return p;

	pair_rank(ice, &made);
	p = pair_place(ice, made.priority);
	if (p)
		*p = made;

	return p;
}


static struct pair *best(struct ice *ice, enum pair_state state)
{
	struct pair *b = NULL;

	for (unsigned i = 0; i < ice->pairc; i++) {
		struct pair *p = &ice->pairs[i];

		if (p->state == state && (!b || p->priority > b->priority))
			b = p;
	}

	return b;
}


/* Checks ----------------------------------------------------------------- */

static void check_send(struct ice *ice, struct pair *p)
{
	char user[2 * ICE_UFRAG_MAX];
	struct stun_out o;
	const int n = snprintf(user, sizeof(user), "%s:%s",
			       ice->conf.peer_ufrag, ice->conf.ufrag);

	stunmsg_begin(&o, SM_BINDING, SC_REQUEST, p->tid);
	stunmsg_attr(&o, SA_USERNAME, user, (size_t)n);
	stunmsg_u32(&o, SA_PRIORITY, our_priority(p->via, CAND_PRFLX));
	stunmsg_u64(&o, ice->controlling ? SA_CONTROLLING : SA_CONTROLLED,
		    ice->tiebreak);
	if (p->use)
		stunmsg_attr(&o, SA_USE, NULL, 0);

	++p->checks;
	if (!stunmsg_end(&o, (const uint8_t *)ice->conf.peer_pwd,
			 strlen(ice->conf.peer_pwd), true))
		ice->send_h(&p->remote, p->via, o.p, o.len, ice->arg);
}


static void check_begin(struct ice *ice, struct pair *p, uint64_t now_us)
{
	random_fill(p->tid, sizeof(p->tid));
	if (p->state != PAIR_GOOD)
		p->state = PAIR_PROGRESS;
	p->again = false;
	p->tries = 1;
	p->due_us = now_us + RTO_US;
	p->sent_us = now_us;
	check_send(ice, p);
}


static void choose(struct ice *ice, struct pair *p, uint64_t now_us)
{
	if (ice->chosen == p)
		return;

	ice->chosen = p;
	ice->state = ICE_CHOSEN;
	ice->heard_us = now_us;
	ice->ask_us = now_us + CONSENT_US;
}


static void good(struct ice *ice, struct pair *p, uint64_t now_us)
{
	p->state = PAIR_GOOD;
	p->tries = 0;
	if (!ice->good_us)
		ice->good_us = now_us;
	if (ice->state == ICE_CHECKING || ice->state == ICE_FAILED)
		ice->state = ICE_CONNECTED;

	/* what the controlling side chose, or the better of two it chose */
	if (ice->controlling ? p->use : p->used) {
		if (!ice->chosen || p->priority >= ice->chosen->priority)
			choose(ice, p, now_us);
	}
	if (p == ice->chosen)
		ice->heard_us = now_us;
}


/* The better ones have had their chance: take the best that works */
static void nominate(struct ice *ice, uint64_t now_us)
{
	struct pair *p = best(ice, PAIR_GOOD);
	bool better = false;

	if (!p || !ice->controlling || ice->chosen || ice->nominating)
		return;

	for (unsigned i = 0; i < ice->pairc; i++) {
		const struct pair *q = &ice->pairs[i];

		if (q->priority > p->priority && q->state < PAIR_GOOD)
			better = true;
	}
	if (better && now_us < ice->good_us + BETTER_US)
		return;

	ice->nominating = true;
	p->use = true;
	check_begin(ice, p, now_us);
}


static void switch_role(struct ice *ice, bool controlling)
{
	ice->controlling = controlling;
	ice->nominating = false;
	for (unsigned i = 0; i < ice->pairc; i++) {
		ice->pairs[i].use = false;
		pair_rank(ice, &ice->pairs[i]);
	}
}


/* What comes ------------------------------------------------------------- */

static void reply(struct ice *ice, const struct stun_in *m,
		  const struct sa *from, unsigned via, unsigned error)
{
	struct stun_out o;

	stunmsg_begin(&o, SM_BINDING, error ? SC_ERROR : SC_SUCCESS, m->tid);
	if (error)
		stunmsg_error(&o, error, error == 487 ? "Role Conflict" :
			      "Bad Request");
	else
		stunmsg_addr(&o, SA_XOR_MAPPED, from);

	if (!stunmsg_end(&o, (const uint8_t *)ice->conf.pwd,
			 strlen(ice->conf.pwd), true))
		ice->send_h(from, via, o.p, o.len, ice->arg);
}


/* "ours:theirs" */
static bool user_ok(const struct ice *ice, const struct pl *user)
{
	const size_t n = strlen(ice->conf.ufrag);

	return user->l > n && user->p[n] == ':' &&
		!memcmp(user->p, ice->conf.ufrag, n);
}


/* @return false: 487 was said, they change */
static bool role_ok(struct ice *ice, const struct stun_in *m)
{
	const bool conflict = ice->controlling ? m->controlling :
		m->controlled;
	const bool ours = ice->tiebreak >= m->tiebreak;

	if (!conflict)
		return true;
	if (ice->controlling == ours)
		return false;

	switch_role(ice, !ice->controlling);

	return true;
}


static void asked(struct ice *ice, const struct stun_in *m,
		  const struct sa *from, unsigned via, uint64_t now_us)
{
	struct pair *p;

	/* who does not know our password is nobody */
	if (!user_ok(ice, &m->user) ||
	    stunmsg_check(m, (const uint8_t *)ice->conf.pwd,
			  strlen(ice->conf.pwd)))
		return;

	if (!m->has_priority || m->unknown) {
		reply(ice, m, from, via, 400);
		return;
	}
	if (!role_ok(ice, m)) {
		reply(ice, m, from, via, 487);
		return;
	}

	reply(ice, m, from, via, 0);

	p = pair_add(ice, from, via, m->priority);
	if (!p)
		return;

	if (m->use && !ice->controlling) {
		p->used = true;
		if (p->state == PAIR_GOOD && (!ice->chosen ||
		    p->priority >= ice->chosen->priority))
			choose(ice, p, now_us);
	}
	if (p->state == PAIR_WAITING || p->state == PAIR_FAILED) {
		p->state = PAIR_WAITING;
		p->again = true;
	}
}


static void answered(struct ice *ice, const struct stun_in *m,
		     const struct sa *from, unsigned via, uint64_t now_us)
{
	struct pair *p = NULL;

	for (unsigned i = 0; i < ice->pairc && !p; i++) {
		if (ice->pairs[i].tries &&
		    !memcmp(ice->pairs[i].tid, m->tid, STUN_TID))
			p = &ice->pairs[i];
	}
	if (!p || stunmsg_check(m, (const uint8_t *)ice->conf.peer_pwd,
				strlen(ice->conf.peer_pwd)))
		return;

	if (m->cls == SC_ERROR) {
		if (m->error == 487) {
			switch_role(ice, !ice->controlling);
			p->state = PAIR_WAITING;
			p->again = true;
		}
		else if (p->state != PAIR_GOOD) {
			p->state = PAIR_FAILED;
		}
		p->tries = 0;
		return;
	}

	/* it must come from where we sent to (RFC 8445 7.2.5.2.1) */
	if (p->via != via || !sa_cmp(&p->remote, from, SA_ALL)) {
		if (p->state != PAIR_GOOD)
			p->state = PAIR_FAILED;
		p->tries = 0;
		return;
	}

	/* of one that was said again nobody knows which is answered */
	if (p->tries == 1 && now_us > p->sent_us)
		p->rtt_us = (uint32_t)(now_us - p->sent_us);
	good(ice, p, now_us);
}


bool ice_recv(struct ice *ice, const struct sa *from, unsigned via,
	      const uint8_t *b, size_t len, uint64_t now_us)
{
	struct stun_in m;

	if (stunmsg_read(&m, b, len) || m.method != SM_BINDING)
		return false;

	switch (m.cls) {

	case SC_REQUEST:
		asked(ice, &m, from, via, now_us);
		break;

	case SC_SUCCESS:
	case SC_ERROR:
		answered(ice, &m, from, via, now_us);
		break;

	case SC_INDICATION:
		break;
	}

	return true;
}


/* Time ------------------------------------------------------------------- */

static void checks_again(struct ice *ice, uint64_t now_us)
{
	for (unsigned i = 0; i < ice->pairc; i++) {
		struct pair *p = &ice->pairs[i];

		if (!p->tries || now_us < p->due_us)
			continue;

		if (p->tries == TRIES) {
			p->tries = 0;
			if (p->state != PAIR_GOOD)
				p->state = PAIR_FAILED;
			else if (p->use && p != ice->chosen) {
				/* the nomination was not heard: does it
				 * work at all? */
				p->state = PAIR_WAITING;
				p->use = ice->nominating = false;
			}
			continue;
		}

		p->due_us = now_us + ((uint64_t)RTO_US <<
				      (p->tries < 3 ? p->tries : 3));
		++p->tries;
		check_send(ice, p);
	}
}


static void check_next(struct ice *ice, uint64_t now_us)
{
	struct pair *p = NULL;

	if (now_us < ice->next_us)
		return;

	for (unsigned i = 0; i < ice->pairc; i++) {
		struct pair *q = &ice->pairs[i];

		if (q->state == PAIR_WAITING &&
		    (!p || (q->again && !p->again) ||
		     (q->again == p->again && q->priority > p->priority)))
			p = q;
	}

	if (p) {
		check_begin(ice, p, now_us);
		ice->next_us = now_us + TA_US;
	}
	else if (!best(ice, PAIR_PROGRESS) && !best(ice, PAIR_GOOD)) {
		/* it may have been the network's fault */
		for (unsigned i = 0; i < ice->pairc; i++)
			ice->pairs[i].state = PAIR_WAITING;
		ice->next_us = now_us + AGAIN_US;
	}
}


static void consent(struct ice *ice, uint64_t now_us)
{
	struct pair *p = ice->chosen;

	if (now_us > ice->heard_us + EXPIRE_US) {
		ice->state = ICE_LOST;
		return;
	}
	if (now_us < ice->ask_us)
		return;

	/* 0.8 to 1.2 of the interval, so that not all ask at once */
	ice->ask_us = now_us + CONSENT_US * 4 / 5 +
		random_u32() % (CONSENT_US * 2 / 5);
	check_begin(ice, p, now_us);
}


void ice_tick(struct ice *ice, uint64_t now_us)
{
	if (!ice->begin_us)
		ice->begin_us = now_us;

	if (ice->state == ICE_LOST)
		return;

	checks_again(ice, now_us);
	if (ice->chosen) {
		consent(ice, now_us);
		return;
	}

	check_next(ice, now_us);
	nominate(ice, now_us);

	if (ice->state == ICE_CHECKING &&
	    now_us > ice->begin_us + CHECK_US)
		ice->state = ICE_FAILED;
}


/* The agent -------------------------------------------------------------- */

int ice_alloc(struct ice **ip, const struct media_ice *conf,
	      const struct ice_ours *ours, ice_send_h *h, void *arg)
{
	struct ice *ice = mem_zalloc(sizeof(*ice), destructor);

	if (!ice)
		return ENOMEM;

	ice->conf = *conf;
	ice->ours = *ours;
	ice->controlling = conf->controlling;
	ice->tiebreak = (uint64_t)random_u32() << 32 | random_u32();
	ice->send_h = h;
	ice->arg = arg;

	for (unsigned i = 0; i < conf->candc; i++) {
		const struct media_cand *c = &conf->candv[i];

		for (unsigned via = 0; via < ICE_VIAS; via++)
			(void)pair_add(ice, &c->addr, via, c->priority);
	}

	*ip = ice;

	return 0;
}


void ice_moved(struct ice *ice)
{
	ice->ask_us = 0;
}


enum ice_state ice_state(const struct ice *ice)
{
	return ice->state;
}


bool ice_way(const struct ice *ice, struct sa *dst, unsigned *via)
{
	const struct pair *p = ice->chosen;

	if (ice->state == ICE_LOST)
		return false;
	if (!p)
		p = best((struct ice *)ice, PAIR_GOOD);
	if (!p)
		return false;

	*dst = p->remote;
	*via = p->via;

	return true;
}


bool ice_knows(const struct ice *ice, const struct sa *from)
{
	for (unsigned i = 0; i < ice->pairc; i++) {
		if (sa_cmp(&ice->pairs[i].remote, from, SA_ALL))
			return true;
	}

	return false;
}


static enum media_cand_type remote_type(const struct ice *ice,
					const struct sa *sa)
{
	for (unsigned i = 0; i < ice->conf.candc; i++) {
		if (sa_cmp(&ice->conf.candv[i].addr, sa, SA_ALL))
			return ice->conf.candv[i].type;
	}

	return CAND_PRFLX;
}


static int by_priority(const void *a, const void *b)
{
	const struct pair *const *p = a, *const *q = b;

	return (*p)->priority > (*q)->priority ? -1 :
		(*p)->priority < (*q)->priority;
}


void ice_ways(const struct ice *ice, struct media_ways *w,
	      unsigned viav[MEDIA_PAIRS])
{
	static const char *const states[] = {
		[ICE_CHECKING] = "checking", [ICE_CONNECTED] = "connected",
		[ICE_CHOSEN] = "chosen", [ICE_FAILED] = "failed",
		[ICE_LOST] = "lost",
	};
	static const char *const pairs[] = {
		[PAIR_WAITING] = "waiting", [PAIR_PROGRESS] = "checking",
		[PAIR_GOOD] = "works", [PAIR_FAILED] = "failed",
	};
	const struct pair *v[MEDIA_PAIRS];

	memset(w, 0, sizeof(*w));
	w->state = states[ice->state];
	w->controlling = ice->controlling;
	w->pairc = ice->pairc;
	for (unsigned i = 0; i < ice->pairc; i++)
		v[i] = &ice->pairs[i];
	qsort(v, ice->pairc, sizeof(v[0]), by_priority);

	for (unsigned i = 0; i < ice->pairc; i++) {
		struct media_pair *p = &w->pairv[i];

		p->state = pairs[v[i]->state];
		viav[i] = v[i]->via;
		p->local_type = v[i]->via == ICE_RELAY ? CAND_RELAY :
			CAND_HOST;
		p->remote_type = remote_type(ice, &v[i]->remote);
		p->remote = v[i]->remote;
		p->nominated = v[i]->use || v[i]->used;
		p->chosen = v[i] == ice->chosen;
		p->checks = v[i]->checks;
		p->rtt_us = v[i]->rtt_us;
	}
}


const struct sa *ice_remote(const struct ice *ice, unsigned i)
{
	return i < ice->pairc ? &ice->pairs[i].remote : NULL;
}
