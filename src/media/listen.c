/**
 * @file listen.c  Somebody expects to hear something
 *
 * Main's half of ear.c, callprog.c and talk.c: what listens is made here and
 * lent through the door.
 */
#include "callprog.h"
#include "priv.h"

struct job {
	struct stream *s;
	struct ear *ear;         /* to be taken, or what was there           */
	struct callprog *prog;   /* the same                                 */
	struct talk *talk;       /* and again                                */
	struct stream_heard *h;
	bool there;
};


static void swap_h(void *arg)
{
	struct job *j = arg;
	struct flow *f = j->s->flow;
	struct ear *old = f->ear;

	f->ear = j->ear;
	j->ear = old;
}


int stream_listen(struct stream *s, bool on, double hz)
{
	struct job j = { .s = s };

	assert_main();

	if (on) {
		j.ear = mem_zalloc(sizeof(*j.ear), NULL);
		if (!j.ear)
			return ENOMEM;
		ear_init(j.ear, hz);
	}

	stream_run(s, swap_h, &j);
	mem_deref(j.ear);

	return 0;
}


static void heard_h(void *arg)
{
	struct job *j = arg;
	const struct ear *e = j->s->flow->ear;

	j->there = e != NULL;
	if (e)
		*j->h = e->heard;
}


int stream_heard(struct stream *s, struct stream_heard *h)
{
	struct job j = { .s = s, .h = h };

	assert_main();
	stream_run(s, heard_h, &j);

	return j.there ? 0 : ENOTCONN;
}


static void prog_h(void *arg)
{
	struct job *j = arg;
	struct flow *f = j->s->flow;
	struct callprog *old = f->prog;

	f->prog = j->prog;
	j->prog = old;
}


int stream_tones(struct stream *s, bool on)
{
	struct job j = { .s = s };

	assert_main();

	if (on) {
		j.prog = mem_zalloc(sizeof(*j.prog), NULL);
		if (!j.prog)
			return ENOMEM;
	}

	stream_run(s, prog_h, &j);
	mem_deref(j.prog);

	return 0;
}


static void talk_h(void *arg)
{
	struct job *j = arg;
	struct flow *f = j->s->flow;
	struct talk *old = f->talk;

	f->talk = j->talk;
	j->talk = old;
}


int stream_talk(struct stream *s, bool on)
{
	struct job j = { .s = s };

	assert_main();

	if (on) {
		j.talk = mem_zalloc(sizeof(*j.talk), NULL);
		if (!j.talk)
			return ENOMEM;
		talk_init(j.talk);
	}

	stream_run(s, talk_h, &j);
	mem_deref(j.talk);

	return 0;
}
