/**
 * @file sip/dns_host.c  Addresses by the system's way: getaddrinfo
 *
 * Main thread; host_work_h runs on a worker's and touches nothing but its job.
 * getaddrinfo reads the hosts file and whatever else nsswitch.conf names, and
 * may block for as long as it likes: each of a few workers has a queue, so
 * that one dead domain does not hold up all others.  Threads are made when
 * they are needed.  A job belongs to its worker and comes back even when
 * nobody waits any more.
 *
 * Both families are asked for at once: the system puts them into the order
 * that fits its routes.  But many a router leaves the question for IPv6
 * without an answer, and then getaddrinfo waits for seconds: IPv4 alone is
 * asked for beside it after a moment, and who finds something first is heard
 * (RFC 8305 3).
 */
#include <netdb.h>
#include <sys/socket.h>
#include "locate.h"


enum {
	LANES    = 3,
	FOUND_S  = 30,              /* getaddrinfo tells no TTL             */
	V4_MS    = 300,             /* then IPv4 is asked for alone         */
	ABSENT_S = 10,
};

struct hosts {
	struct worker *lanes[LANES];
	unsigned load[LANES];
};

/* Shared with a worker, which looks at neither query nor hosts */
struct job {
	struct host_query *query;   /* NULL: nobody waits                   */
	struct hosts *hosts;
	unsigned lane;
	int family;
	struct name_answer *answer;
	uint64_t due_ms;            /* later it is not worth doing          */
	int gai, err;
	char name[NAME_LEN];
};

struct host_query {
	struct job *both, *v4;      /* what is under way                    */
	struct hosts *hosts;
	struct timer tmr;
	uint64_t due_ms;
	char name[NAME_LEN];
	name_query_h *h;
	void *arg;
};


/* The worker's thread */
static void host_work_h(void *arg)
{
	struct job *j = arg;
	const struct addrinfo hints = {
		.ai_family   = j->family,
		.ai_socktype = SOCK_DGRAM,
		/* of no use, and no reason to forget IPv6, without IPv4 */
		.ai_flags    = j->family == AF_INET ? AI_ADDRCONFIG : 0,
	};
	struct addrinfo *list = NULL, *ai;

	/* it stood in line for too long */
	if (clock_ms() >= j->due_ms) {
		j->gai = EAI_AGAIN;
		return;
	}

	j->gai = getaddrinfo(j->name, NULL, &hints, &list);
	j->err = errno;

	for (ai = list; ai; ai = ai->ai_next) {
		struct name_rec *rec;
		struct sa sa;

		if (sa_set_sa(&sa, ai->ai_addr))
			continue;

		rec = name_answer_add(j->answer);
		if (!rec)
			continue;

		rec->u.addr = sa;
		rec->ttl_s = NAME_TTL_UNKNOWN;
	}

	if (list)
		freeaddrinfo(list);
}


static void answer_fill(struct name_answer *a, int gai, int err)
{
	a->ttl_s = ABSENT_S;

	switch (gai) {

	case 0:
		a->state = a->n ? NAME_FOUND : NAME_EMPTY;
		a->ttl_s = FOUND_S;
		break;

	case EAI_NONAME:
		a->state = NAME_ABSENT;
		break;

	case EAI_NODATA:
	case EAI_ADDRFAMILY:
		a->state = NAME_EMPTY;
		break;

	case EAI_AGAIN:
		a->state = NAME_SILENT;
		break;

	default:
		a->state = NAME_FAILED;
		(void)snprintf(a->why, sizeof(a->why), "%s",
			       gai == EAI_SYSTEM ? strerror(err) :
			       gai_strerror(gai));
		break;
	}
}


/* Nobody waits for what is still under way */
static void query_stop(struct host_query *q)
{
	timer_cancel(&q->tmr);
	if (q->both)
		q->both->query = NULL;
	if (q->v4)
		q->v4->query = NULL;
	q->both = q->v4 = NULL;
}


/* One has come back. @return is it what there is to tell? That there is no
 * such name is for both families to say */
static bool query_over(struct host_query *q, const struct job *j)
{
	const enum name_state st = j->answer->state;
	const bool both = q->both == j;

	if (both)
		q->both = NULL;
	else
		q->v4 = NULL;

	return st == NAME_FOUND || (!q->both && !q->v4) ||
		(both && (st == NAME_ABSENT || st == NAME_EMPTY));
}


static void done_h(void *arg)
{
	struct job *j = arg;
	struct host_query *q = j->query;

	--j->hosts->load[j->lane];

	if (q) {
		answer_fill(j->answer, j->gai, j->err);
		if (query_over(q, j)) {
			query_stop(q);
			q->h(j->answer, q->arg);
		}
	}

	mem_deref(j);
}


/* Perhaps on the worker's own thread, when all else is gone */
static void drop_h(void *arg)
{
	mem_deref(arg);
}


static void job_destructor(void *arg)
{
	struct job *j = arg;

	mem_deref(j->answer);
}


static void query_destructor(void *arg)
{
	query_stop(arg);
}


/* The lane with the least in it */
static int lane_pick(struct hosts *hs, unsigned *lane)
{
	unsigned i, best = 0;

	for (i = 1; i < LANES && hs->load[best]; i++) {
		if (hs->load[i] < hs->load[best])
			best = i;
	}

	*lane = best;

	return hs->lanes[best] ? 0 : worker_alloc(&hs->lanes[best],
						  "resolve");
}


/* @param lane  what lane_pick() chose */
static int job_start(struct job **jp, struct host_query *q, int family,
		     unsigned lane)
{
	struct job *j = mem_zalloc(sizeof(*j), job_destructor);
	int err;

	if (!j)
		return ENOMEM;

	j->hosts = q->hosts;
	j->lane = lane;
	j->family = family;
	j->due_ms = q->due_ms;
	memcpy(j->name, q->name, sizeof(j->name));

	err = name_answer_alloc(&j->answer, NAME_HOST);
	if (!err)
		err = worker_post(q->hosts->lanes[lane], host_work_h, done_h,
				  drop_h, j);
	if (err) {
		mem_deref(j);
		return err;
	}

	++q->hosts->load[lane];
	j->query = q;
	*jp = j;

	return 0;
}


/* Only where nobody else would have to wait for it */
static void v4_h(void *arg)
{
	struct host_query *q = arg;
	unsigned lane;

	if (!lane_pick(q->hosts, &lane) && !q->hosts->load[lane])
		(void)job_start(&q->v4, q, AF_INET, lane);
}


int host_query_start(struct host_query **qp, struct hosts *hs,
		     const char *name, uint32_t ms, name_query_h *h,
		     void *arg)
{
	struct host_query *q;
	unsigned lane;
	int err;

	if (!qp || !hs || !name || !h)
		return EINVAL;

	q = mem_zalloc(sizeof(*q), query_destructor);
	if (!q)
		return ENOMEM;

	q->hosts = hs;
	q->due_ms = clock_ms() + ms;
	q->h = h;
	q->arg = arg;

	err = text_copy(q->name, sizeof(q->name), name, strlen(name));
	if (!err)
		err = lane_pick(hs, &lane);
	if (!err)
		err = job_start(&q->both, q, AF_UNSPEC, lane);
	if (err) {
		mem_deref(q);
		return err;
	}

	timer_start(&q->tmr, V4_MS, v4_h, q);
	*qp = q;

	return 0;
}


static void hosts_destructor(void *arg)
{
	struct hosts *hs = arg;
	unsigned i;

	for (i = 0; i < LANES; i++)
		mem_deref(hs->lanes[i]);
}


int hosts_alloc(struct hosts **hp)
{
	struct hosts *hs = mem_zalloc(sizeof(*hs), hosts_destructor);

	if (!hs)
		return ENOMEM;

	*hp = hs;

	return 0;
}
