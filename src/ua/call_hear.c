/**
 * @file call_hear.c  What is to be heard in a call, for who expects it
 *
 * Main thread.
 */
#include "priv.h"


int call_listen(struct call *c, bool on, double hz)
{
	if (!c || !c->stream)
		return ENOTCONN;

	return stream_listen(c->stream, on, hz);
}


int call_heard(struct call *c, struct stream_heard *h)
{
	if (!c || !c->stream)
		return ENOTCONN;

	return stream_heard(c->stream, h);
}
