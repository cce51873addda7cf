/**
 * @file automatic.c  Does the caller want the phone to answer by itself?
 *
 * Said in the standard way by Answer-Mode and Priv-Answer-Mode (RFC 5373), and
 * in the ways of the makers of phones by Call-Info (";answer-after=0") and
 * Alert-Info ("info=alert-autoanswer", "Auto Answer", "ring-answer" ...).
 * Whether it is done is decided elsewhere.  Pure.
 */
#include <ctype.h>
#include "priv.h"
#include "caller.h"

enum { AFTER_MAX_S = 3600 };


/* Is it anywhere in there, whatever the case? */
static bool holds(const struct pl *val, const char *word)
{
	const size_t n = strlen(word);

	for (size_t i = 0; i + n <= val->l; i++) {
		if (!strncasecmp(val->p + i, word, n))
			return true;
	}

	return false;
}


static struct pl params_of(const struct pl *val)
{
	const char *gt = memchr(val->p, '>', val->l);
	struct pl pl = *val;
	const char *semi;

	if (gt) {
		pl.l -= (size_t)(gt - pl.p);
		pl.p = gt;
	}

	semi = memchr(pl.p, ';', pl.l);
	if (!semi)
		return (struct pl)PL_INIT;
	pl.l -= (size_t)(semi - pl.p);
	pl.p = semi;

	return pl;
}


static bool after(struct sip_auto_answer *a, const struct pl *params,
		  const char *name)
{
	struct pl v;
	uint32_t s;

	if (!param_find(params, name, &v) || !v.p ||
	    text_u32(&s, v.p, v.l, AFTER_MAX_S))
		return false;

	a->after_ms = 1000 * s;

	return true;
}


static bool call_info_h(const struct pl *val, void *arg)
{
	struct sip_auto_answer *a = arg;
	const struct pl params = params_of(val);

	if (after(a, &params, "answer-after"))
		a->wanted = true;

	return a->wanted;
}


static bool alert_info_h(const struct pl *val, void *arg)
{
	static const char *const words[] = {
		"auto-answer", "autoanswer", "auto answer", "ring-answer",
		"ringanswer", "intercom",
	};
	struct sip_auto_answer *a = arg;
	const struct pl params = params_of(val);

	if (after(a, &params, "answer-after"))
		a->wanted = true;

	for (size_t i = 0; i < ARRAY_SIZE(words) && !a->wanted; i++) {
		if (holds(val, words[i])) {
			a->wanted = true;
			(void)after(a, &params, "delay");
		}
	}

	return a->wanted;
}


static void mode(struct sip_auto_answer *a, const struct sip_msg *msg,
		 const char *name)
{
	const struct sip_hdr *h = header_find_name(msg, name);
	struct pl params;
	size_t n = 0;

	if (!h)
		return;

	while (n < h->val.l && isalpha((unsigned char)h->val.p[n]))
		++n;

	if (text_caseeq(h->val.p, n, "Auto"))
		a->wanted = true;
	else if (text_caseeq(h->val.p, n, "Manual"))
		a->manual = true;
	else
		return;
	a->by_mode = true;

	params = params_of(&h->val);
	if (param_find(&params, "require", NULL))
		a->required = true;
}


void sip_auto_answer_read(struct sip_auto_answer *a, const struct sip_info *in)
{
	if (!a)
		return;

	memset(a, 0, sizeof(*a));
	if (!in || !in->msg)
		return;

	mode(a, in->msg, "Answer-Mode");
	mode(a, in->msg, "Priv-Answer-Mode");
	if (a->wanted || a->manual)
		return;

	(void)header_values(in->msg, "Call-Info", 0, call_info_h, a);
	if (!a->wanted)
		(void)header_values(in->msg, "Alert-Info", 0, alert_info_h,
				    a);
}
