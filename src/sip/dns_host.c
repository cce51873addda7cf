/**
 * @file sip/dns_host.c  Addresses by the system's way: getaddrinfo
 *
 * Main thread; host_work_h runs on a worker's and touches nothing but its job.
 * getaddrinfo reads the hosts file and whatever else nsswitch.conf names, and
 * may block for as long as it likes: each of a few workers has a queue, so
 * that one dead domain does not hold up all others.  Threads are made when
 * they are needed.  A job belongs to its worker and comes back even when
 * nobody waits any more.
 */
#include <netdb.h>
#include <sys/socket.h>
#include "locate.h"


enum {
	LANES    = 3,
	FOUND_S  = 30,              /* getaddrinfo tells no TTL             */
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
	struct name_answer *answer;
	uint64_t due_ms;            /* later it is not worth doing          */
	int gai, err;
	char name[NAME_LEN];
};

struct host_query {
	struct job *job;
	name_query_h *h;
	void *arg;
};


/* The worker's thread */
static void host_work_h(void *arg)
{
	const struct addrinfo hints = {
		.ai_family   = AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
	};
	struct addrinfo *list = NULL, *ai;
	struct job *j = arg;

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


static void done_h(void *arg)
{
	struct job *j = arg;
	struct host_query *q = j->query;

	--j->hosts->load[j->lane];

	if (q) {
		q->job = NULL;
		answer_fill(j->answer, j->gai, j->err);
		q->h(j->answer, q->arg);
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
	struct host_query *q = arg;

	if (q->job)
		q->job->query = NULL;
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


int host_query_start(struct host_query **qp, struct hosts *hs,
		     const char *name, uint32_t ms, name_query_h *h,
		     void *arg)
{
	struct host_query *q = NULL;
	struct job *j;
	int err;

	if (!qp || !hs || !name || !h)
		return EINVAL;

	j = mem_zalloc(sizeof(*j), job_destructor);
	if (!j)
		return ENOMEM;

	j->hosts = hs;
	j->due_ms = clock_ms() + ms;

	err = text_copy(j->name, sizeof(j->name), name, strlen(name));
	if (!err)
		err = name_answer_alloc(&j->answer, NAME_HOST);
	if (err)
		goto out;

	q = mem_zalloc(sizeof(*q), query_destructor);
	if (!q) {
		err = ENOMEM;
		goto out;
	}

	err = lane_pick(hs, &j->lane);
	if (!err)
		err = worker_post(hs->lanes[j->lane], host_work_h, done_h,
				  drop_h, j);

 out:
	if (err) {
		mem_deref(q);
		mem_deref(j);
		return err;
	}

	++hs->load[j->lane];
	j->query = q;
	q->job = j;
	q->h = h;
	q->arg = arg;
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
