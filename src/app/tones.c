/**
 * @file tones.c  What a telephone sounds like, country by country
 *
 * A const table of frequencies and cadences after Supplement 2 to ITU-T
 * recommendation E.180; where a country leaves a choice the most usual one is
 * here.  Which it is without an option is read from the locale, as the rest
 * of the system does.  Pure but for that; any thread.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "tones.h"


enum {
	PARTS    = 8,
	FADE_MS  = 4,            /* without it each begin is a click         */
	STEADY_MS = 1000,        /* one turn of a tone that does not stop    */
};

#define TONE_LEVEL 4600.0        /* each frequency: -17 dBFS                 */

/** Two frequencies together; of b < 0 the first swells that often a second */
struct pitch {
	int16_t a, b;
};

/** Cadence: ms on, off, on, off ...; none: it does not stop */
struct tone {
	struct pitch pitch;
	uint16_t ms[PARTS];
};

struct country {
	const char *code;
	struct tone v[TONE_RING];
};

#define T(a, b, ...) { { a, b }, { __VA_ARGS__ } }

/* order: ringback, busy, congestion, waiting, dial */
static const struct country countries[] = {
	{ "itu", { T(425, 0, 1000, 4000), T(425, 0, 500, 500),
		   T(425, 0, 250, 250), T(425, 0, 200, 200, 200, 5000),
		   T(425, 0, 0) } },
	{ "ar", { T(425, 0, 1000, 4500), T(425, 0, 300, 200),
		  T(425, 0, 300, 400), T(425, 0, 400, 200, 400, 4000),
		  T(425, 0, 0) } },
	{ "at", { T(420, 0, 1000, 5000), T(420, 0, 400, 400),
		  T(420, 0, 200, 200), T(420, 0, 40, 1950), T(420, 0, 0) } },
	{ "au", { T(413, 438, 400, 200, 400, 2000), T(425, 0, 375, 375),
		  T(425, 0, 375, 375), T(425, 0, 200, 200, 200, 4400),
		  T(413, 438, 0) } },
	{ "be", { T(425, 0, 1000, 3000), T(425, 0, 500, 500),
		  T(425, 0, 167, 167), T(1400, 0, 175, 175, 175, 3500),
		  T(425, 0, 0) } },
	{ "br", { T(425, 0, 1000, 4000), T(425, 0, 250, 250),
		  T(425, 0, 250, 250, 750, 250), T(425, 0, 50, 1000),
		  T(425, 0, 0) } },
	{ "ca", { T(440, 480, 2000, 4000), T(480, 620, 500, 500),
		  T(480, 620, 250, 250), T(440, 0, 300, 10000),
		  T(350, 440, 0) } },
	{ "ch", { T(425, 0, 1000, 4000), T(425, 0, 500, 500),
		  T(425, 0, 200, 200), T(425, 0, 200, 200, 200, 4000),
		  T(425, 0, 0) } },
	{ "cn", { T(450, 0, 1000, 4000), T(450, 0, 350, 350),
		  T(450, 0, 700, 700), T(450, 0, 400, 4000),
		  T(450, 0, 0) } },
	{ "cz", { T(425, 0, 1000, 4000), T(425, 0, 330, 330),
		  T(425, 0, 165, 165), T(425, 0, 330, 9000),
		  T(425, 0, 330, 330, 660, 660) } },
	{ "de", { T(425, 0, 1000, 4000), T(425, 0, 480, 480),
		  T(425, 0, 240, 240), T(425, 0, 200, 200, 200, 5000),
		  T(425, 0, 0) } },
	{ "dk", { T(425, 0, 1000, 4000), T(425, 0, 500, 500),
		  T(425, 0, 200, 200), T(425, 0, 200, 600, 200, 3000),
		  T(425, 0, 0) } },
	{ "es", { T(425, 0, 1500, 3000), T(425, 0, 200, 200),
		  T(425, 0, 200, 200, 200, 200, 200, 600),
		  T(425, 0, 175, 175, 175, 3500), T(425, 0, 0) } },
	{ "fi", { T(425, 0, 1000, 4000), T(425, 0, 300, 300),
		  T(425, 0, 200, 200), T(425, 0, 150, 150, 150, 8000),
		  T(425, 0, 0) } },
	{ "fr", { T(440, 0, 1500, 3500), T(440, 0, 500, 500),
		  T(440, 0, 250, 250), T(440, 0, 300, 10000),
		  T(440, 0, 0) } },
	{ "gb", { T(400, 450, 400, 200, 400, 2000), T(400, 0, 375, 375),
		  T(400, 0, 400, 350, 225, 525), T(400, 0, 100, 4000),
		  T(350, 440, 0) } },
	{ "gr", { T(425, 0, 1000, 4000), T(425, 0, 300, 300),
		  T(425, 0, 200, 200), T(425, 0, 150, 150, 150, 8000),
		  T(425, 0, 200, 300, 700, 800) } },
	{ "hk", { T(440, 480, 400, 200, 400, 3000), T(480, 620, 500, 500),
		  T(480, 620, 250, 250), T(440, 0, 500, 500, 500, 5000),
		  T(350, 440, 0) } },
	{ "hu", { T(425, 0, 1250, 3750), T(425, 0, 300, 300),
		  T(425, 0, 300, 300), T(425, 0, 40, 1960), T(425, 0, 0) } },
	{ "ie", { T(400, 450, 400, 200, 400, 2000), T(425, 0, 500, 500),
		  T(425, 0, 250, 250), T(425, 0, 180, 200, 200, 4500),
		  T(425, 0, 0) } },
	{ "il", { T(400, 0, 1000, 3000), T(400, 0, 500, 500),
		  T(400, 0, 250, 250), T(400, 0, 150, 10000),
		  T(400, 0, 0) } },
	{ "in", { T(400, -25, 400, 200, 400, 2000), T(400, 0, 750, 750),
		  T(400, 0, 250, 250), T(400, 0, 200, 100, 200, 7500),
		  T(400, -25, 0) } },
	{ "it", { T(425, 0, 1000, 4000), T(425, 0, 500, 500),
		  T(425, 0, 200, 200), T(425, 0, 400, 100, 250, 100, 150,
					 14000),
		  T(425, 0, 200, 200, 600, 1000) } },
	{ "jp", { T(400, -16, 1000, 2000), T(400, 0, 500, 500),
		  T(400, 0, 500, 500), T(400, -16, 500, 8000),
		  T(400, 0, 0) } },
	{ "kr", { T(440, 480, 1000, 2000), T(480, 620, 500, 500),
		  T(480, 620, 300, 200), T(350, 440, 250, 250, 250, 3250),
		  T(350, 440, 0) } },
	{ "mx", { T(425, 0, 1000, 4000), T(425, 0, 250, 250),
		  T(425, 0, 250, 250), T(425, 0, 200, 600, 200, 10000),
		  T(425, 0, 0) } },
	{ "nl", { T(425, 0, 1000, 4000), T(425, 0, 500, 500),
		  T(425, 0, 250, 250), T(425, 0, 500, 9500),
		  T(425, 0, 0) } },
	{ "no", { T(425, 0, 1000, 4000), T(425, 0, 500, 500),
		  T(425, 0, 200, 200), T(425, 0, 200, 600, 200, 10000),
		  T(425, 0, 0) } },
	{ "nz", { T(400, 450, 400, 200, 400, 2000), T(400, 0, 500, 500),
		  T(400, 0, 250, 250), T(400, 0, 200, 3000, 200, 5000),
		  T(400, 0, 0) } },
	{ "pl", { T(425, 0, 1000, 4000), T(425, 0, 500, 500),
		  T(425, 0, 500, 500), T(425, 0, 150, 150, 150, 4000),
		  T(425, 0, 0) } },
	{ "pt", { T(425, 0, 1000, 5000), T(425, 0, 500, 500),
		  T(425, 0, 200, 200), T(425, 0, 200, 200, 200, 5000),
		  T(425, 0, 0) } },
	{ "ru", { T(425, 0, 1000, 4000), T(425, 0, 350, 350),
		  T(425, 0, 175, 175), T(425, 0, 200, 5000),
		  T(425, 0, 0) } },
	{ "se", { T(425, 0, 1000, 5000), T(425, 0, 250, 250),
		  T(425, 0, 250, 750), T(425, 0, 200, 500, 200, 5000),
		  T(425, 0, 0) } },
	{ "sg", { T(425, -24, 400, 200, 400, 2000), T(425, 0, 750, 750),
		  T(425, 0, 250, 250), T(425, 0, 300, 200, 300, 3200),
		  T(425, 0, 0) } },
	{ "tr", { T(450, 0, 2000, 4000), T(450, 0, 500, 500),
		  T(450, 0, 200, 200, 200, 200, 200, 200, 600, 200),
		  T(450, 0, 200, 600, 200, 8000), T(450, 0, 0) } },
	{ "tw", { T(440, 480, 1000, 2000), T(480, 620, 500, 500),
		  T(480, 620, 250, 250), T(350, 440, 250, 250, 250, 3250),
		  T(350, 440, 0) } },
	{ "us", { T(440, 480, 2000, 4000), T(480, 620, 500, 500),
		  T(480, 620, 250, 250), T(440, 0, 300, 10000),
		  T(350, 440, 0) } },
	{ "za", { T(400, -33, 400, 200, 400, 2000), T(400, 0, 500, 500),
		  T(400, 0, 250, 250), T(400, -33, 250, 250, 250, 5000),
		  T(400, -33, 0) } },
};

static const char *const names[TONE_KINDS] = {
	[TONE_RINGBACK]   = "ringback",
	[TONE_BUSY]       = "busy",
	[TONE_CONGESTION] = "congestion",
	[TONE_WAITING]    = "waiting",
	[TONE_DIAL]       = "dial",
	[TONE_RING]       = "ring",
};

enum { NOTES = 6, COUNTRIES = sizeof(countries) / sizeof(countries[0]) };

/** What rings while the country's ringing is on: notes, one after the other,
 *  again and again; they fade away with that time */
struct ringing {
	const char *name;
	uint16_t note_ms, fade_ms;
	struct pitch notes[NOTES];       /* a 0: no more */
};

static const struct ringing ringings[] = {
	/* a bell of two notes */
	{ "bell",   60,  0, { { 587, 0 }, { 740, 0 } } },
	{ "warble", 40,  0, { { 1400, 0 }, { 1060, 0 } } },
	{ "chime",  330, 180, { { 659, 1318 }, { 523, 1046 },
				{ 392, 784 } } },
	{ "soft",   500, 300, { { 440, 880 }, { 554, 1109 } } },
	{ "none",   0,   0, { { 0, 0 } } },
};

enum { RINGINGS = sizeof(ringings) / sizeof(ringings[0]) };


const char *tone_name(enum tone_kind kind)
{
	return (unsigned)kind < TONE_KINDS ? names[kind] : "?";
}


enum tone_kind tone_find(const char *name)
{
	unsigned i;

	for (i = 0; name && i < TONE_KINDS; i++) {
		if (!strcmp(names[i], name))
			break;
	}

	return (enum tone_kind)i;
}


const char *tone_country(size_t i)
{
	return i < COUNTRIES ? countries[i].code : NULL;
}


static const struct country *country_find(const char *code, size_t len)
{
	for (size_t i = 0; i < COUNTRIES; i++) {
		if (strlen(countries[i].code) == len &&
		    !strncasecmp(countries[i].code, code, len))
			return &countries[i];
	}

	return NULL;
}


/* "de_AT.UTF-8": at; what says none is the recommendation itself */
static const struct country *country_local(void)
{
	static const char *const vars[] = {
		"LC_ALL", "LC_TELEPHONE", "LANG"
	};
	const struct country *c = NULL;

	for (size_t i = 0; i < sizeof(vars) / sizeof(vars[0]); i++) {
		const char *s = getenv(vars[i]);
		const char *at = s ? strchr(s, '_') : NULL;

		if (!s || !*s)
			continue;
		if (at)
			c = country_find(at + 1, strcspn(at + 1, ".@"));
		break;
	}

	return c ? c : &countries[0];
}


static double sample(const struct pitch *p, size_t i)
{
	const double t = 2.0 * M_PI * (double)i / TONE_RATE_HZ;
	double v = sin(t * p->a);

	if (p->b > 0)
		v += sin(t * p->b);
	else if (p->b < 0)
		v *= 0.5 + 0.5 * cos(t * p->b);

	return v * TONE_LEVEL;
}


/* n samples of it, with soft edges unless it goes on */
static void sound(int16_t *v, size_t n, const struct pitch *p, bool steady)
{
	const size_t fade = TONE_RATE_HZ / 1000 * FADE_MS;

	for (size_t i = 0; i < n; i++) {
		double x = sample(p, i);

		if (!steady && i < fade)
			x *= (double)i / (double)fade;
		if (!steady && n - i < fade)
			x *= (double)(n - i) / (double)fade;
		v[i] = (int16_t)lrint(x);
	}
}


static void fade(int16_t *v, size_t n, unsigned ms)
{
	const double each = exp(-1.0 / (TONE_RATE_HZ / 1000.0 * ms));
	double by = 1.0;

	for (size_t i = 0; i < n; i++) {
		v[i] = (int16_t)lrint(v[i] * by);
		by *= each;
	}
}


static void ring(int16_t *v, size_t n, const struct ringing *r)
{
	const size_t note = (size_t)(TONE_RATE_HZ / 1000) * r->note_ms;
	size_t notes = 0;

	while (notes < NOTES && r->notes[notes].a)
		++notes;

	for (size_t i = 0, k = 0; notes && i < n; i += note, k++) {
		const size_t len = n - i < note ? n - i : note;

		sound(v + i, len, &r->notes[k % notes], false);
		if (r->fade_ms)
			fade(v + i, len, r->fade_ms);
	}
}


/* rings: what is heard in place of the tone, NULL: the tone */
static int make(int16_t **vp, size_t *np, enum tone_kind kind,
		const char *country, const struct ringing *rings)
{
	const struct country *c = !strcmp(country, "auto") ?
		country_local() : country_find(country, strlen(country));
	const struct tone *t;
	size_t n = 0, at = 0;
	int16_t *v;

	if (!c || (unsigned)kind >= TONE_KINDS)
		return ENOENT;

	t = &c->v[kind == TONE_RING ? TONE_RINGBACK : kind];

	for (unsigned i = 0; i < PARTS; i++)
		n += t->ms[i];
	n = (n ? n : STEADY_MS) * (TONE_RATE_HZ / 1000);

	v = calloc(n, sizeof(*v));
	if (!v)
		return ENOMEM;

	if (!t->ms[0])
		sound(v, n, &t->pitch, true);

	for (unsigned i = 0; i < PARTS; i++) {
		const size_t k = t->ms[i] * (size_t)(TONE_RATE_HZ / 1000);

		if (i % 2 == 0 && k && rings)
			ring(v + at, k, rings);
		else if (i % 2 == 0 && k)
			sound(v + at, k, &t->pitch, false);
		at += k;
	}

	*vp = v;
	*np = n;

	return 0;
}


int tone_make(int16_t **vp, size_t *np, enum tone_kind kind,
	      const char *country)
{
	return make(vp, np, kind, country, kind == TONE_RING ? &ringings[0] :
		    NULL);
}


const char *tone_ring_name(size_t i)
{
	return i < RINGINGS ? ringings[i].name : NULL;
}


int tone_make_ring(int16_t **vp, size_t *np, const char *name,
		   const char *country)
{
	for (size_t i = 0; i < RINGINGS; i++) {
		if (!strcmp(ringings[i].name, name))
			return make(vp, np, TONE_RING, country, &ringings[i]);
	}

	return ENOENT;
}
