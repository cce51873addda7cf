/**
 * @file cmd_ice.c  `ice`: the ways that were looked for, pair by pair
 *
 * Main thread.
 */
#include <math.h>
#include "priv.h"


static void reply_addr(struct reply *r, const char *name, const struct sa *sa)
{
	char text[80];

	if (sa_isset(sa, SA_ALL) && re_snprintf(text, sizeof(text), "%J",
						sa) > 0)
		reply_str(r, name, text);
}


void cmd_ice(struct cmd *x)
{
	struct call *c = cmd_call(x);
	struct media_ways w;

	if (!c)
		return;

	if (call_ways(c, &w)) {
		reply_error(x->reply, "wrong-state", "call %u does not use ICE:"
			    " option ice says whether it is offered, and the"
			    " other side must know it", call_id(c));
		return;
	}

	reply_int(x->reply, "call", call_id(c));
	reply_str(x->reply, "ice", w.state);
	reply_str(x->reply, "role", w.controlling ? "controlling" :
		  "controlled");
	reply_list(x->reply, "pair");

	for (unsigned i = 0; i < w.pairc; i++) {
		const struct media_pair *p = &w.pairv[i];

		reply_row(x->reply, "pair");
		reply_str(x->reply, "state", p->state);
		reply_bool(x->reply, "chosen", p->chosen);
		reply_bool(x->reply, "nominated", p->nominated);
		reply_str(x->reply, "local-type",
			  media_cand_name(p->local_type));
		reply_addr(x->reply, "local", &p->local);
		reply_str(x->reply, "remote-type",
			  media_cand_name(p->remote_type));
		reply_addr(x->reply, "remote", &p->remote);
		reply_int(x->reply, "checks", p->checks);
		reply_double(x->reply, "rtt-ms", p->rtt_us ?
			     p->rtt_us / 1000.0 : (double)NAN);
	}
}
