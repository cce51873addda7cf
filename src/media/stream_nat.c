/**
 * @file stream_nat.c  Where a stream is: its servers, and another address
 *
 * Main thread; main's half of nat.c, and of the sockets that change when the
 * machine moves to another network.
 */
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "nat.h"
#include "priv.h"


struct nat_job {
	struct stream *s;
	const struct media_nat *conf;
	struct media_gathered *g;
	int err;
};


static void nat_h(void *arg)
{
	struct nat_job *j = arg;

	flow_attach(j->s->flow, j->s->m->eng);
	j->err = nat_alloc(&j->s->flow->tp.nat, j->s->flow, j->conf,
			   &j->s->m->conf);
}


static void gathered_h(void *arg)
{
	struct nat_job *j = arg;

	if (j->s->flow->tp.nat)
		nat_gathered(j->s->flow->tp.nat, j->g);
}


int stream_nat_open(struct stream *s, const struct media_nat *conf)
{
	struct nat_job j = { .s = s, .conf = conf };

	media_run(s->m, nat_h, &j);
	s->attached = true;

	return j.err;
}


void stream_gathered(struct stream *s, struct media_gathered *g)
{
	struct nat_job j = { .s = s, .g = g };

	memset(g, 0, sizeof(*g));
	sa_init(&g->mapped, AF_UNSPEC);
	sa_init(&g->mapped_rtcp, AF_UNSPEC);
	stream_run(s, gathered_h, &j);
}


struct ways {
	struct stream *s;
	struct media_ways *w;
	bool known;
};


static void ways_h(void *arg)
{
	struct ways *j = arg;

	j->known = nat_ways(j->s->flow->tp.nat, j->w);
}


int stream_ways(struct stream *s, struct media_ways *w)
{
	struct ways j = { .s = s, .w = w };

	assert_main();
	stream_run(s, ways_h, &j);

	return j.known ? 0 : ENOENT;
}


struct regather {
	struct stream *s;
	const struct sa *gateway, *basev;
	unsigned basec;
	bool asks;
};


static void regather_h(void *arg)
{
	struct regather *j = arg;
	struct nat *n = j->s->flow->tp.nat;

	j->asks = n && nat_again(n, j->gateway, j->basev, j->basec);
}


bool stream_regather(struct stream *s, const struct sa *gateway,
		     const struct sa *basev, unsigned basec)
{
	struct regather j = { .s = s, .gateway = gateway, .basev = basev,
		.basec = basec };

	assert_main();
	stream_run(s, regather_h, &j);

	return j.asks;
}


static void based_h(void *arg)
{
	struct regather *j = arg;
	const struct nat *n = j->s->flow->tp.nat;

	j->asks = !n || nat_based(n, j->basev, j->basec);
}


bool stream_based(struct stream *s, const struct sa *basev, unsigned basec)
{
	struct regather j = { .s = s, .basev = basev, .basec = basec };

	assert_main();
	stream_run(s, based_h, &j);

	return j.asks;
}


struct move {
	struct transport *tp;
	int rtp, rtcp;
	struct sa local;
};


static void move_sockets(void *arg)
{
	struct move *mv = arg;
	struct transport *tp = mv->tp;
	const int rtp = tp->rtp, rtcp = tp->rtcp;

	if (tp->nat)
		nat_leave(tp->nat);
	tp->rtp = mv->rtp;
	tp->rtcp = mv->rtcp;
	tp->local = mv->local;
	mv->rtp = rtp;
	mv->rtcp = rtcp;
	if (tp->nat)
		nat_arrive(tp->nat);
}


int stream_move(struct stream *s, const struct sa *local)
{
	struct transport fresh;
	struct move mv;
	int err;

	assert_main();

	if (!s || !local)
		return EINVAL;

	memset(&fresh, 0, sizeof(fresh));
	err = transport_open(&fresh, local, s->m->conf.port_min,
			     s->m->conf.port_max);
	if (err)
		return err;

	transport_mark(&fresh, s->m->conf.dscp);
	mv.tp = &s->flow->tp;
	mv.rtp = fresh.rtp;
	mv.rtcp = fresh.rtcp;
	mv.local = fresh.local;
	stream_run(s, move_sockets, &mv);

	/* the old ones, which nobody reads any more */
	fresh.rtp = mv.rtp;
	fresh.rtcp = mv.rtcp;
	transport_close(&fresh);
	s->local = mv.local;

	return 0;
}
