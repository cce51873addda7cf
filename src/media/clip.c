/**
 * @file clip.c  A microphone that is too loud
 *
 * What is as loud as can be was louder, and has been cut off: it rattles at
 * the far end, and who speaks does not hear it.  One shout is nobody's fault;
 * two seconds in a row are a level that is set wrong.
 */
#include <stdlib.h>
#include "clip.h"


enum {
	FULL    = 32760,         /* as loud as can be                       */
	SHARE   = 500,           /* one sample of so many is heard          */
	STILL_S = 30,            /* it is not said again for so long        */
};


/* A second is over */
static bool second_end(struct clip *c)
{
	const bool bad = c->cut > c->n / SHARE;
	const bool tell = bad && c->bad && !c->still;

	c->bad = bad;
	c->n = c->cut = 0;
	if (tell)
		c->still = STILL_S;
	else if (c->still)
		--c->still;

	return tell;
}


bool clip_hear(struct clip *c, const int16_t *v, size_t n, uint32_t rate_hz)
{
	for (size_t i = 0; i < n; i++)
		c->cut += abs(v[i]) >= FULL;
	c->n += (uint32_t)n;

	return c->n >= rate_hz && second_end(c);
}
