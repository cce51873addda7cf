/**
 * @file sip/dns.c  What the name service said, and for how long it holds
 *
 * Main thread.  A question is asked once however many wait for it; the answer
 * is kept for as long as it says, an absence too, and what could not be had for
 * a moment, so that a dead name service delays one call and not each.  Who asks
 * has a deadline of his own.  The table is bounded: what was not used for the
 * longest time goes first, what somebody waits for never.
 */
#include <ctype.h>
#include <offhook/random.h>
#include "locate.h"


enum {
	BUCKETS     = 64,
	ENTRIES_MAX = 256,
	ASKED_MAX   = 64,           /* questions under way over the wire    */
	TTL_MAX_S   = 3600,
	TROUBLE_S   = 5,            /* silence and failures                 */
	SERVERS_MS  = 5000,         /* resolv.conf is looked at so often    */
};

struct entry {
	struct le he;               /* names->table                         */
	struct le le;               /* names->lru, the oldest first         */
	struct names *names;
	enum name_type type;
	struct name_answer *answer; /* NULL: none yet                       */
	struct name_query *query;   /* one of these while it is asked for   */
	struct host_query *host;
	bool scripted;              /* by the user, or a test               */
	struct timer tmr;           /* of such an answer                    */
	struct list asks;
	char name[];
};

struct name_ask {
	struct le le;               /* entry->asks                          */
	struct name_answer *answer; /* known already; or silence, if late   */
	struct timer tmr;
	name_h *h;
	void *arg;
};

struct names {
	struct hash *table;
	struct list lru;
	unsigned asked;             /* name_query under way                 */
	struct name_servers given, system;
	uint64_t system_ms;         /* when system was read, 0 never        */
	struct hosts *hosts;        /* getaddrinfo                          */
	struct name_fixed *fixed;   /* what the user has said               */
	name_script_h *script_h;    /* tests                                */
	name_rand_h *rand_h;
	void *arg;
};


/* Entries ----------------------------------------------------------------- */

static void entry_destructor(void *arg)
{
	struct entry *e = arg;

	timer_cancel(&e->tmr);
	hash_unlink(&e->he);
	list_unlink(&e->le);
	mem_deref(e->answer);
	mem_deref(e->query);
	mem_deref(e->host);
}


static bool entry_busy(const struct entry *e)
{
	return e->query || e->host || e->scripted || e->asks.head;
}


struct key {
	enum name_type type;
	const char *name;
};


static bool key_h(struct le *le, void *arg)
{
	const struct entry *e = le->data;
	const struct key *k = arg;

	return e->type == k->type && !strcmp(e->name, k->name);
}


int name_canon(char dst[NAME_LEN], const char *name, size_t len)
{
	size_t i;

	if (len > 1 && name[len - 1] == '.')
		--len;
	if (!len || len >= NAME_LEN)
		return EINVAL;

	for (i = 0; i < len; i++)
		dst[i] = (char)tolower((unsigned char)name[i]);
	dst[len] = '\0';

	return 0;
}


static struct entry *entry_find(struct names *n, enum name_type type,
				const char *canon)
{
	struct key key = {type, canon};
	struct entry *e = list_ledata(hash_lookup(n->table,
						  hash_joaat_str(canon),
						  key_h, &key));

	if (e) {
		list_unlink(&e->le);
		list_append(&n->lru, &e->le, e);
	}

	return e;
}


static bool answer_fresh(const struct entry *e)
{
	return e->answer && clock_ms() < e->answer->until_ms;
}


static void room_make(struct names *n)
{
	struct le *le = list_head(&n->lru);

	while (le && list_count(&n->lru) >= ENTRIES_MAX) {
		struct entry *e = le->data;

		le = le->next;
		if (!entry_busy(e))
			mem_deref(e);
	}
}


static struct entry *entry_new(struct names *n, enum name_type type,
			       const char *canon)
{
	struct entry *e;

	room_make(n);

	e = mem_zalloc(sizeof(*e) + strlen(canon) + 1, entry_destructor);
	if (!e)
		return NULL;

	e->names = n;
	e->type = type;
	strcpy(e->name, canon);
	hash_append(n->table, hash_joaat_str(canon), &e->he, e);
	list_append(&n->lru, &e->le, e);

	return e;
}


/* Whoever waits --------------------------------------------------------- */

static void ask_done(struct name_ask *q, struct name_answer *a)
{
	list_unlink(&q->le);
	timer_cancel(&q->tmr);

	mem_ref(a);
	q->h(a, q->arg);
	mem_deref(a);
}


static void ask_destructor(void *arg)
{
	struct name_ask *q = arg;

	list_unlink(&q->le);
	timer_cancel(&q->tmr);
	mem_deref(q->answer);
}


/* With what was known when he asked, or with silence */
static void ask_own_h(void *arg)
{
	struct name_ask *q = arg;

	ask_done(q, q->answer);
}


static uint32_t keep_s(const struct name_answer *a)
{
	switch (a->state) {

	case NAME_FOUND:
	case NAME_EMPTY:
	case NAME_ABSENT:
		return a->ttl_s < TTL_MAX_S ? a->ttl_s : TTL_MAX_S;

	default:
		return TROUBLE_S;
	}
}


/* Its records only, which are few */
static struct name_answer *answer_trim(struct name_answer *a)
{
	const size_t sz = sizeof(*a) + a->n * sizeof(a->v[0]);
	struct name_answer *copy = mem_alloc(sz, NULL);

	if (!copy)
		return mem_ref(a);

	memcpy(copy, a, sz);
	copy->room = copy->n;

	return copy;
}


/* The answer came: it is kept, and told to all who wait for it now */
static void entry_answer(struct entry *e, struct name_answer *a)
{
	struct name_answer *kept = answer_trim(a);
	struct list asks;
	struct name_ask *q;

	kept->until_ms = clock_ms() + 1000ull * keep_s(kept);
	mem_deref(e->answer);
	e->answer = mem_ref(kept);

	/* handlers may ask again, let go of others, or of the stack and with
	   it of e: it is not touched any more */
	list_init(&asks);
	while ((q = list_ledata(list_head(&e->asks)))) {
		list_unlink(&q->le);
		list_append(&asks, &q->le, q);
	}

	while ((q = list_ledata(list_head(&asks))))
		ask_done(q, kept);

	mem_deref(kept);
}


/* By DNS ------------------------------------------------------------------ */

static void query_h(struct name_answer *a, void *arg)
{
	struct entry *e = arg;

	e->query = mem_deref(e->query);
	--e->names->asked;
	entry_answer(e, a);
}


static const struct name_servers *servers(struct names *n)
{
	const uint64_t now = clock_ms();

	if (n->given.n)
		return &n->given;

	if (!n->system_ms || now - n->system_ms > SERVERS_MS) {
		name_servers_system(&n->system);
		n->system_ms = now ? now : 1;
	}

	return &n->system;
}


static int query_post(struct entry *e, uint32_t ms)
{
	struct names *n = e->names;
	int err;

	if (n->asked >= ASKED_MAX)
		return EAGAIN;

	err = name_query_start(&e->query, servers(n), e->type, e->name, ms,
			       query_h, e);
	if (!err)
		++n->asked;

	return err;
}


/* By the system ------------------------------------------------------------ */

static void host_h(struct name_answer *a, void *arg)
{
	struct entry *e = arg;

	e->host = mem_deref(e->host);
	entry_answer(e, a);
}


/* By the user ---------------------------------------------------------------- */

static void fixed_h(void *arg)
{
	struct entry *e = arg;
	struct name_answer *a = NULL;

	e->scripted = false;
	if (name_answer_alloc(&a, e->type))
		return;

	name_fixed_answer(a, e->names->fixed, e->name);
	entry_answer(e, a);
	mem_deref(a);
}


/* By a test ---------------------------------------------------------------- */

static void script_done_h(void *arg)
{
	struct entry *e = arg;
	struct name_answer *a = NULL;

	if (name_answer_alloc(&a, e->type))
		return;

	/* else never: those who wait have their deadlines */
	if (e->names->script_h(a, e->name, e->names->arg)) {
		e->scripted = false;
		entry_answer(e, a);
	}

	mem_deref(a);
}


/* Ask and tell -------------------------------------------------------------- */

static int entry_ask(struct entry *e, uint32_t ms)
{
	if (e->names->script_h) {
		e->scripted = true;
		timer_start(&e->tmr, 0, script_done_h, e);
		return 0;
	}

	if (name_fixed_has(e->names->fixed, e->type, e->name)) {
		e->scripted = true;
		timer_start(&e->tmr, 0, fixed_h, e);
		return 0;
	}

	return e->type == NAME_HOST ?
		host_query_start(&e->host, e->names->hosts, e->name, ms,
				 host_h, e) : query_post(e, ms);
}


struct name_answer *names_known(struct names *n, enum name_type type,
				const char *name)
{
	char canon[NAME_LEN];
	struct entry *e;

	if (!n || !name || name_canon(canon, name, strlen(name)))
		return NULL;

	e = entry_find(n, type, canon);

	return e && answer_fresh(e) ? e->answer : NULL;
}


int names_ask(struct name_ask **ap, struct names *n, enum name_type type,
	      const char *name, uint32_t ms, name_h *h, void *arg)
{
	char canon[NAME_LEN];
	struct name_ask *q;
	struct entry *e;
	int err = 0;

	if (!ap || !n || !name || !h || name_canon(canon, name, strlen(name)))
		return EINVAL;

	e = entry_find(n, type, canon);
	if (!e)
		e = entry_new(n, type, canon);

	q = mem_zalloc(sizeof(*q), ask_destructor);
	if (!e || !q) {
		mem_deref(q);
		return ENOMEM;
	}

	q->h = h;
	q->arg = arg;

	if (answer_fresh(e)) {
		q->answer = mem_ref(e->answer);
		timer_start(&q->tmr, 0, ask_own_h, q);
	}
	else {
		q->answer = mem_zalloc(sizeof(*q->answer), NULL);
		if (!q->answer)
			err = ENOMEM;
		else if (!e->query && !e->host && !e->scripted)
			err = entry_ask(e, ms);

		if (!err) {
			q->answer->type = type;
			q->answer->state = NAME_SILENT;
			list_append(&e->asks, &q->le, q);
			timer_start(&q->tmr, ms, ask_own_h, q);
		}
	}

	if (err)
		mem_deref(q);
	else
		*ap = q;

	return err;
}


void names_forget(struct names *n)
{
	struct le *le = n ? list_head(&n->lru) : NULL;

	while (le) {
		struct entry *e = le->data;

		le = le->next;
		if (entry_busy(e))
			e->answer = mem_deref(e->answer);
		else
			mem_deref(e);
	}
}


bool names_by_dns(const struct names *n)
{
	return n->given.n > 0;
}


int sip_dns_servers_check(const char *list, char *err, size_t errsz)
{
	struct name_servers ns;
	const char *bad = "";
	char shown[64];

	if (!name_servers_parse(&ns, list, &bad))
		return 0;

	(void)text_escape(shown, sizeof(shown), bad, strcspn(bad, ", \t"));
	(void)snprintf(err, errsz, "name servers are up to %d addresses with "
		       "commas between them, each ADDR or ADDR:PORT, IPv6 in "
		       "brackets; not %s", NAME_SERVERS, shown);

	return EINVAL;
}


int sip_stack_set_dns(struct sip_stack *s, const char *list)
{
	struct name_servers ns;
	const char *bad;

	if (!s || name_servers_parse(&ns, list, &bad))
		return EINVAL;

	s->names->given = ns;
	names_forget(s->names);

	return 0;
}


int sip_stack_set_hosts(struct sip_stack *s, const char *list)
{
	struct name_fixed *f = NULL;
	const char *bad;
	int err;

	if (!s)
		return EINVAL;

	err = name_fixed_parse(&f, list, &bad);
	if (err)
		return err;

	mem_deref(s->names->fixed);
	s->names->fixed = f;
	names_forget(s->names);

	return 0;
}


uint32_t names_rand(struct names *n)
{
	return n->rand_h ? n->rand_h(n->arg) : random_u32();
}


void names_script(struct names *n, name_script_h *h, name_rand_h *randh,
		  void *arg)
{
	n->script_h = h;
	n->rand_h = randh;
	n->arg = arg;
}


static void names_destructor(void *arg)
{
	struct names *n = arg;
	struct entry *e;

	while ((e = list_ledata(list_head(&n->lru)))) {
		struct name_ask *q;

		while ((q = list_ledata(list_head(&e->asks)))) {
			list_unlink(&q->le);
			timer_cancel(&q->tmr);
		}
		mem_deref(e);
	}

	mem_deref(n->hosts);
	mem_deref(n->fixed);
	mem_deref(n->table);
}


int names_alloc(struct names **np, const struct name_servers *given)
{
	struct names *n;
	int err;

	if (!np)
		return EINVAL;

	n = mem_zalloc(sizeof(*n), names_destructor);
	if (!n)
		return ENOMEM;

	if (given)
		n->given = *given;

	err = hash_alloc(&n->table, BUCKETS);
	if (!err)
		err = hosts_alloc(&n->hosts);
	if (err)
		mem_deref(n);
	else
		*np = n;

	return err;
}
