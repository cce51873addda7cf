/**
 * @file sip/fault.c  Messages that go wrong, on purpose: rules, what is held
 *
 * Main thread.  Stands where messages leave for a socket or a connection, and
 * where they come from one, so a retransmission is a message like any other.
 * What is held back is a copy, bounded in number.  Who listens is told on a
 * turn of the loop of its own: a fault may strike inside of anything.
 */
#include <strings.h>
#include "fault.h"


enum { HELD_MAX = 4096, TOLD_MAX = 512 };

struct rule {
	struct le le;
	struct sip_fault_status st;
};

/* On its way, later */
struct held {
	struct le le;
	uint64_t due_ms;
	bool tx;
	bool behind;                /* ... or after the next one              */
	struct target tg;           /* tx                                     */
	struct leg *leg;            /* rx                                     */
	struct conn *conn;          /* rx; NULL: a datagram                   */
	struct sa src;
	struct mbuf *mb;
};

struct told {
	struct le le;
	struct sip_fault_done d;
	char method[SIP_FAULT_METHOD], callid[256], name[SIP_FAULT_FIELD];
};

struct faults {
	struct list rules, held, told;
	unsigned heldc, toldc;
	struct timer tmr, tmr_told;
	uint64_t rng;
	unsigned number;            /* of the last rule                       */
	sip_fault_h *h;
	void *arg;
};

/* What becomes of one message */
struct fate {
	bool any, drop, behind;
	unsigned copies;            /* beside the first                       */
	uint32_t by_ms, copy_ms;
	struct mbuf *mb;            /* other bytes; NULL: as it was           */
};


static const char *const names[SIP_FAULT_KINDS] = {
	"drop", "delay", "duplicate", "reorder", "mangle", "remove", "add",
	"corrupt",
};


const char *sip_fault_name(enum sip_fault_kind kind)
{
	return (unsigned)kind < SIP_FAULT_KINDS ? names[kind] : NULL;
}


enum sip_fault_kind sip_fault_find(const char *name)
{
	unsigned i = 0;

	while (i < SIP_FAULT_KINDS && strcmp(names[i], name))
		++i;

	return (enum sip_fault_kind)i;
}


/* Those who listen ---------------------------------------------------------- */

static void told_destructor(void *arg)
{
	struct told *t = arg;

	list_unlink(&t->le);
}


static void tell(void *arg)
{
	struct faults *f = arg;
	struct told *t;

	mem_ref(f);

	while ((t = list_ledata(list_head(&f->told)))) {
		list_unlink(&t->le);
		--f->toldc;
		if (f->h)
			f->h(&t->d, f->arg);
		mem_deref(t);
	}

	mem_deref(f);
}


static void told_add(struct faults *f, const struct rule *r,
		     const struct held *way, const struct fault_look *l)
{
	struct told *t;

	if (!f->h || f->toldc >= TOLD_MAX)
		return;

	t = mem_zalloc(sizeof(*t), told_destructor);
	if (!t)
		return;

	memcpy(t->method, l->method, sizeof(t->method));
	memcpy(t->callid, l->callid, sizeof(t->callid));
	memcpy(t->name, r->st.fault.name, sizeof(t->name));
	t->d.kind = r->st.fault.kind;
	t->d.rule = r->st.number;
	t->d.tx = way->tx;
	t->d.method = t->method;
	t->d.code = l->code;
	t->d.callid = t->callid;
	t->d.name = t->name;
	t->d.tp = way->tx ? way->tg.tp :
		way->conn ? way->conn->tp : SIP_TRANSP_UDP;
	t->d.peer = way->tx ? way->tg.dst : way->src;

	list_append(&f->told, &t->le, t);
	++f->toldc;
	if (!timer_running(&f->tmr_told))
		timer_start(&f->tmr_told, 0, tell, f);
}


/* Which rule is about it? ----------------------------------------------------- */

static bool meant(const struct sip_fault *f, bool tx,
		  const struct fault_look *l)
{
	const bool both = f->requests == f->responses;

	if (!(tx ? f->out : f->in) ||
	    (!both && f->requests != l->request) ||
	    (f->method[0] && strcmp(f->method, l->method)))
		return false;

	return !f->code_max || (!l->request && l->code >= f->code_min &&
				l->code <= f->code_max);
}


static bool strikes(struct faults *f, struct rule *r)
{
	const struct sip_fault *sf = &r->st.fault;

	++r->st.seen;

	return (!sf->times || r->st.done < sf->times) &&
		(!sf->nth || r->st.seen == sf->nth) &&
		(!sf->every || r->st.seen % sf->every == 0) &&
		(sf->chance_pct >= 100.0 ||
		 fault_chance(&f->rng) * 100.0 < sf->chance_pct);
}


static void fate_add(struct faults *f, struct fate *fate,
		     const struct sip_fault *sf, const struct mbuf *orig)
{
	const struct mbuf *now = fate->mb ? fate->mb : orig;
	struct mbuf *mb = NULL;

	fate->any = true;

	switch (sf->kind) {

	case SIP_FAULT_DROP:
		fate->drop = true;
		break;

	case SIP_FAULT_DELAY:
		fate->by_ms += sf->by_ms;
		break;

	case SIP_FAULT_DUPLICATE:
		++fate->copies;
		fate->copy_ms = sf->by_ms;
		break;

	case SIP_FAULT_REORDER:
		fate->behind = true;
		fate->by_ms += sf->by_ms;
		break;

	default:
		/* without memory it stays as it was */
		if (!fault_edit(&mb, sf, &f->rng,
				(const char *)mbuf_buf(now),
				mbuf_get_left(now))) {
			mem_deref(fate->mb);
			fate->mb = mb;
		}
		break;
	}
}


static void judge(struct faults *f, struct fate *fate, const struct held *way,
		  const struct mbuf *mb)
{
	struct fault_look l;
	struct le *le;

	memset(fate, 0, sizeof(*fate));
	fault_look(&l, (const char *)mbuf_buf(mb), mbuf_get_left(mb));

	for (le = list_head(&f->rules); le && !fate->drop; le = le->next) {
		struct rule *r = le->data;

		if (!meant(&r->st.fault, way->tx, &l) || !strikes(f, r))
			continue;

		++r->st.done;
		fate_add(f, fate, &r->st.fault, mb);
		told_add(f, r, way, &l);
	}
}


/* On its way -------------------------------------------------------------------- */

static void held_destructor(void *arg)
{
	struct held *h = arg;

	list_unlink(&h->le);
	mem_deref(h->conn);
	mem_deref(h->mb);
}


/* Where the body begins, if it says so */
static size_t head_len(const struct mbuf *mb)
{
	const char *p = (const char *)mbuf_buf(mb);
	const size_t n = mbuf_get_left(mb);
	const char *end = memmem(p, n, "\r\n\r\n", 4);

	return end ? (size_t)(end - p) + 4 : n;
}


/* To the socket, or up */
static void pass(const struct held *h, struct mbuf *mb)
{
	struct conn *c = h->conn;

	if (h->tx) {
		(void)target_put(&h->tg, mb);
	}
	else if (!c) {
		receive_dgram_now(h->leg, &h->src, mb);
	}
	else if (c->leg && c->state != CONN_GONE) {
		receive_stream_now(c->leg, c, mb, head_len(mb));
	}
}


static void due_h(void *arg);

static void due_next(struct faults *f)
{
	const struct held *h = list_ledata(list_head(&f->held));
	const uint64_t now = clock_ms();

	if (h)
		timer_start(&f->tmr, h->due_ms > now ? h->due_ms - now : 0,
			    due_h, f);
	else
		timer_cancel(&f->tmr);
}


static void held_pass(struct faults *f, struct held *h)
{
	list_unlink(&h->le);
	--f->heldc;
	pass(h, h->mb);
	mem_deref(h);
}


static void due_h(void *arg)
{
	struct faults *f = arg;
	const uint64_t now = clock_ms();
	struct held *h;

	mem_ref(f);

	while ((h = list_ledata(list_head(&f->held))) && h->due_ms <= now)
		held_pass(f, h);
	due_next(f);

	mem_deref(f);
}


static bool later(const struct le *le, const struct held *h)
{
	return ((const struct held *)le->data)->due_ms > h->due_ms;
}


/* @return false: there are too many, or no memory */
static bool hold(struct faults *f, const struct held *way,
		 const struct mbuf *mb, uint32_t by_ms, bool behind)
{
	const size_t n = mbuf_get_left(mb);
	struct held *h;
	struct le *le;

	if (f->heldc >= HELD_MAX)
		return false;

	h = mem_zalloc(sizeof(*h), held_destructor);
	if (!h)
		return false;

	*h = *way;
	memset(&h->le, 0, sizeof(h->le));
	h->conn = mem_ref(way->conn);
	h->behind = behind;
	h->due_ms = clock_ms() + by_ms;
	/* and a byte to mend what an elder sends */
	h->mb = mbuf_alloc(n + 1);
	if (!h->mb || mbuf_write_mem(h->mb, mbuf_buf(mb), n)) {
		mem_deref(h);
		return false;
	}
	h->mb->pos = 0;

	for (le = f->held.tail; le && later(le, h); le = le->prev)
		;
	if (le)
		list_insert_after(&f->held, le, &h->le, h);
	else
		list_prepend(&f->held, &h->le, h);
	++f->heldc;
	due_next(f);

	return true;
}


/* One of that way has gone: those that were to go behind it */
static void behind_pass(struct faults *f, bool tx)
{
	struct le *le = list_head(&f->held);

	while (le) {
		struct held *h = le->data;

		le = le->next;
		if (h->behind && h->tx == tx) {
			h->due_ms = 0;
			list_unlink(&h->le);
			list_prepend(&f->held, &h->le, h);
		}
	}

	due_next(f);
}


static bool has_behind(const struct faults *f, bool tx)
{
	for (const struct le *le = list_head(&f->held); le; le = le->next) {
		const struct held *h = le->data;

		if (h->behind && h->tx == tx)
			return true;
	}

	return false;
}


/* @return false: nothing is to happen to it */
static bool through(struct faults *f, const struct held *way,
		    const struct mbuf *orig)
{
	const bool behind = f->heldc && has_behind(f, way->tx);
	struct mbuf *mb;
	struct fate fate;

	judge(f, &fate, way, orig);
	if (!fate.any && !behind)
		return false;

	if (fate.drop) {
		mem_deref(fate.mb);
		return true;
	}

	mem_ref(f);
	mb = fate.mb ? fate.mb : mem_ref((void *)orig);

	for (unsigned i = 0; i < fate.copies; i++)
		(void)hold(f, way, mb, fate.by_ms + (i + 1) * fate.copy_ms,
			   false);

	if ((!fate.by_ms && !fate.behind) ||
	    !hold(f, way, mb, fate.by_ms, fate.behind))
		pass(way, mb);
	if (behind)
		behind_pass(f, way->tx);

	mem_deref(mb);
	mem_deref(f);

	return true;
}


bool fault_send(const struct target *tg, const struct mbuf *mb)
{
	struct faults *f = tg->leg ? tg->leg->stack->faults : NULL;
	const struct held way = { .tx = true, .tg = *tg };

	return f && f->rules.head && through(f, &way, mb);
}


bool fault_receive(struct leg *l, struct conn *c, const struct sa *src,
		   const struct mbuf *mb)
{
	struct faults *f = l->stack->faults;
	const struct held way = { .leg = l, .conn = c, .src = *src };

	return f && f->rules.head && through(f, &way, mb);
}


/* Rules ---------------------------------------------------------------------------- */

static void rule_destructor(void *arg)
{
	struct rule *r = arg;

	list_unlink(&r->le);
}


static void faults_destructor(void *arg)
{
	struct faults *f = arg;

	timer_cancel(&f->tmr);
	timer_cancel(&f->tmr_told);
	list_flush(&f->rules);
	list_flush(&f->held);
	list_flush(&f->told);
}


static struct faults *faults_get(struct sip_stack *s)
{
	if (!s->faults)
		s->faults = mem_zalloc(sizeof(*s->faults), faults_destructor);
	if (s->faults && !s->faults->rng)
		s->faults->rng = 0x9e3779b97f4a7c15ull;

	return s->faults;
}


/* Small seeds are far apart (splitmix64) */
static uint64_t spread(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	x ^= x >> 31;

	return x ? x : 1;
}


static bool name_ok(const char *name)
{
	for (const char *p = name; *p; p++) {
		if (*p <= ' ' || *p >= 127 || *p == ':')
			return false;
	}

	return *name;
}


static bool rule_ok(const struct sip_fault *f)
{
	const bool edits = f->kind >= SIP_FAULT_MANGLE &&
		f->kind <= SIP_FAULT_ADD;

	return f->kind < SIP_FAULT_KINDS && (f->in || f->out) &&
		f->chance_pct >= 0.0 && f->chance_pct <= 100.0 &&
		f->by_ms <= SIP_FAULT_BY_MS && f->code_min <= f->code_max &&
		!(f->code_max && f->requests) && f->bytes <= SIP_FAULT_BYTES &&
		(!edits || (name_ok(f->name) && header_text_ok(f->value))) &&
		(f->kind == SIP_FAULT_MANGLE || !edits ||
		 strcasecmp(f->name, SIP_FAULT_START_LINE));
}


int sip_fault_add(struct sip_stack *s, const struct sip_fault *f,
		  uint64_t seed, unsigned *number)
{
	struct faults *fs;
	struct rule *r;

	if (!s || !f || !rule_ok(f))
		return EINVAL;

	fs = faults_get(s);
	if (!fs)
		return ENOMEM;
	if (list_count(&fs->rules) >= SIP_FAULT_RULES)
		return ENOSPC;

	r = mem_zalloc(sizeof(*r), rule_destructor);
	if (!r)
		return ENOMEM;

	if (seed)
		fs->rng = spread(seed);
	r->st.fault = *f;
	r->st.number = ++fs->number;
	list_append(&fs->rules, &r->le, r);
	if (number)
		*number = r->st.number;

	return 0;
}


int sip_fault_remove(struct sip_stack *s, unsigned number)
{
	struct faults *f = s ? s->faults : NULL;
	struct le *le = f ? list_head(&f->rules) : NULL;
	bool any = !number;

	while (le) {
		struct rule *r = le->data;

		le = le->next;
		if (number && r->st.number != number)
			continue;
		mem_deref(r);
		any = true;
	}

	/* what waits goes, but not from inside of whoever says so */
	if (f && !f->rules.head) {
		for (le = list_head(&f->held); le; le = le->next)
			((struct held *)le->data)->due_ms = 0;
		due_next(f);
	}

	return any ? 0 : ENOENT;
}


bool sip_fault_at(struct sip_fault_status *st, const struct sip_stack *s,
		  size_t i)
{
	const struct le *le = s && s->faults ? list_head(&s->faults->rules) :
		NULL;

	while (le && i--)
		le = le->next;
	if (le)
		*st = ((const struct rule *)le->data)->st;

	return le != NULL;
}


int sip_fault_listen(struct sip_stack *s, sip_fault_h *h, void *arg)
{
	struct faults *f = s ? faults_get(s) : NULL;

	if (!f)
		return s ? ENOMEM : EINVAL;

	f->h = h;
	f->arg = arg;

	return 0;
}


void fault_stack_gone(struct sip_stack *s)
{
	struct faults *f = s->faults;

	if (!f)
		return;

	/* somebody further up may hold it still */
	f->h = NULL;
	timer_cancel(&f->tmr);
	list_flush(&f->rules);
	list_flush(&f->held);
	f->heldc = 0;
	s->faults = mem_deref(f);
}
