/**
 * @file codec.c  The array of codecs and how one is found in it
 *
 * Constant data; any thread.
 */
#include <strings.h>
#include "priv.h"


/* in default order of preference */
static const struct codec *const table[] = {
	&codec_opus,
#ifdef HAVE_SPANDSP
	&codec_g722,
#endif
	&codec_pcmu,
	&codec_pcma,
	&codec_l16,
#ifdef HAVE_SPANDSP
	&codec_gsm,
#endif
	NULL
};


const struct codec *const *codec_table(void)
{
	return table;
}


const struct codec *codec_find(const char *name)
{
	if (!name)
		return NULL;

	for (size_t i = 0; table[i]; i++) {
		if (0 == strcasecmp(table[i]->name, name))
			return table[i];
	}

	return NULL;
}


bool codec_ready(const struct codec *c)
{
	return !c->ready || c->ready();
}


const struct codec *codec_find_sdp(const char *name, uint32_t clock_hz,
				   unsigned channels)
{
	if (!name)
		return NULL;

	for (size_t i = 0; table[i]; i++) {
		const struct codec *c = table[i];

		if (c->clock_hz == clock_hz &&
		    (!channels || c->sdp_channels == channels) &&
		    0 == strcasecmp(c->sdp_name, name))
			return c;
	}

	return NULL;
}


const struct codec *codec_find_pt(int pt)
{
	if (pt < 0)
		return NULL;

	for (size_t i = 0; table[i]; i++) {
		if (table[i]->pt == pt)
			return table[i];
	}

	return NULL;
}


unsigned codec_ptime(const struct codec *c, unsigned want_ms)
{
	if (!want_ms)
		want_ms = 20;
	if (want_ms > c->ptime_max_ms)
		want_ms = c->ptime_max_ms;

	/* opus has no 30, 50, ..., and GSM no 10 either */
	if (want_ms < c->ptime_step_ms)
		return c->ptime_min_ms ? c->ptime_min_ms : 10;

	return want_ms - want_ms % c->ptime_step_ms;
}
