/**
 * @file session_timer.c  Is the session still there? RFC 4028
 *
 * One side refreshes, by UPDATE or re-INVITE, when half of the interval has
 * passed; when it runs out unrefreshed either side says BYE, a third of the
 * interval but at most 32 s before its end.  Each 2xx to an INVITE or UPDATE
 * settles it anew.  Main thread.
 */
#include "session.h"


enum {
	SE_MIN_S     = 90,          /* RFC 4028 5 */
	SE_DEFAULT_S = 1800,
	BYE_AHEAD_S  = 32,
	RETRY_MS     = 2000,        /* of a refresh that failed */
};

enum who { NOBODY, UAC, UAS };


/* "1800;refresher=uac" */
static bool se_parse(const struct sip_msg *msg, uint32_t *s, enum who *who)
{
	const struct sip_hdr *hdr = header_find_name(msg, "Session-Expires");
	struct pl params, val;
	const char *semi;

	*who = NOBODY;

	if (!hdr || header_u32(msg, "Session-Expires", UINT32_MAX, s))
		return false;

	semi = memchr(hdr->val.p, ';', hdr->val.l);
	if (!semi)
		return true;

	params.p = semi;
	params.l = (size_t)(hdr->val.p + hdr->val.l - semi);
	if (param_find(&params, "refresher", &val)) {
		if (text_caseeq(val.p, val.l, "uac"))
			*who = UAC;
		else if (text_caseeq(val.p, val.l, "uas"))
			*who = UAS;
	}

	return true;
}


static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}


/* The shortest interval that we and whom we heard of accept */
static uint32_t se_min(const struct sip_call *c)
{
	return larger(SE_MIN_S, larger(c->ext.min_session_s, c->se.min_s));
}


/* What we ask for by ourselves, 0: nothing */
static uint32_t se_want(const struct sip_call *c)
{
	uint32_t s = c->ext.session_s;

	if (!s && c->ext.timer == SIP_EXT_REQUIRED)
		s = SE_DEFAULT_S;

	return s ? larger(s, se_min(c)) : 0;
}


static void fire_h(void *arg)
{
	struct sip_call *c = arg;
	struct session_timer *se = &c->se;
	const uint64_t now = clock_ms();

	if (se->ours && now < se->end_ms) {
		timer_start(&se->tmr, se->end_ms - now, fire_h, c);
		c->mod.refresh = true;
		modify_try(c);
		return;
	}

	log_info("call: the session timer has run out");
	reason_default(c, 408, "Session timer expired");
	session_drop(c, SIP_CAUSE_TIMEOUT, 0, NULL);
}


static void start(struct sip_call *c, uint32_t interval_s, bool ours)
{
	struct session_timer *se = &c->se;
	const uint32_t third_s = interval_s / 3;
	const uint32_t ahead_s = third_s < BYE_AHEAD_S ? third_s : BYE_AHEAD_S;
	const uint64_t left_ms = 1000ULL * (interval_s - ahead_s);

	se->on = true;
	se->ours = ours;
	se->interval_s = interval_s;
	se->end_ms = clock_ms() + left_ms;
	c->mod.refresh = false;

	timer_start(&se->tmr, ours ? 500ULL * interval_s : left_ms, fire_h,
		    c);
}


void se_stop(struct sip_call *c)
{
	c->se.on = false;
	c->mod.refresh = false;
	timer_cancel(&c->se.tmr);
}


void se_failed(struct sip_call *c)
{
	struct session_timer *se = &c->se;
	const uint64_t now = clock_ms();
	uint64_t left;

	if (!se->on)
		return;

	left = se->end_ms > now ? se->end_ms - now : 0;
	timer_start(&se->tmr, left < RETRY_MS ? left : left / 4 > RETRY_MS ?
		    left / 4 : RETRY_MS, fire_h, c);
}


static int min_write(struct mbuf *mb, const struct sip_call *c)
{
	const uint32_t min_s = se_min(c);

	return min_s > SE_MIN_S ? mbuf_printf(mb, "Min-SE: %u\r\n", min_s) : 0;
}


int se_write(struct mbuf *mb, const struct sip_call *c, bool first)
{
	const struct session_timer *se = &c->se;
	const char *who = "";
	uint32_t s;
	int err;

	if (c->ext.timer == SIP_EXT_OFF)
		return 0;

	if (first) {
		s = se_want(c);
		if (c->ext.refresher == SIP_REFRESHER_US)
			who = ";refresher=uac";
		else if (c->ext.refresher == SIP_REFRESHER_PEER)
			who = ";refresher=uas";
	}
	else {
		s = se->on ? larger(se->interval_s, se_min(c)) : 0;
		who = se->ours ? ";refresher=uac" : ";refresher=uas";
	}

	if (!s)
		return 0;

	err = mbuf_printf(mb, "Session-Expires: %u%s\r\n", s, who);

	return err ? err : min_write(mb, c);
}


void se_response(struct sip_call *c, const struct sip_msg *msg)
{
	const bool first = !c->se.on;
	enum who who;
	uint32_t s;

	if (c->ext.timer == SIP_EXT_OFF)
		return;

	if (se_parse(msg, &s, &who)) {
		start(c, larger(s, SE_MIN_S), who != UAS);
		return;
	}

	/*
	 * The peer knows no timer, or wants none.  Where one is required, and
	 * where we refresh by ourselves anyway, we go on doing so.
	 */
	if (!first && c->se.ours)
		start(c, c->se.interval_s, true);
	else if (first && c->ext.timer == SIP_EXT_REQUIRED)
		start(c, se_want(c), true);
	else
		se_stop(c);
}


bool se_too_small(const struct sip_call *c, const struct sip_msg *msg,
		  uint32_t *min_s)
{
	enum who who;
	uint32_t s;

	*min_s = larger(SE_MIN_S, c->ext.min_session_s);

	/* who knows no timer cannot ask again; a proxy put it there */
	return c->ext.timer != SIP_EXT_OFF && se_parse(msg, &s, &who) &&
		s < *min_s && header_has(msg, "Supported", 'k', "timer");
}


/* The interval for our 2xx, 0: none */
static uint32_t settle(const struct sip_call *c, const struct sip_msg *msg,
		       bool known, enum who *who)
{
	const uint32_t want = se_want(c);
	uint32_t s, min_s = SE_MIN_S;

	(void)header_u32(msg, "Min-SE", UINT32_MAX, &min_s);

	if (se_parse(msg, &s, who)) {
		/* it may become shorter, but not too short for anybody */
		if (want && want < s)
			s = larger(want, min_s < s ? min_s : s);
		return larger(s, SE_MIN_S);
	}

	if (c->se.on)
		return larger(c->se.interval_s, min_s);

	if (!want || (!known && c->ext.timer != SIP_EXT_REQUIRED))
		return 0;

	return larger(want, min_s);
}


int se_accept(struct sip_call *c, const struct sip_msg *msg, char *lines,
	      size_t sz)
{
	const bool known = header_has(msg, "Supported", 'k', "timer") ||
		header_has(msg, "Require", 0, "timer");
	enum who who;
	uint32_t s;
	int n;

	*lines = '\0';

	if (c->ext.timer == SIP_EXT_OFF)
		return 0;

	s = settle(c, msg, known, &who);
	if (!s)
		return 0;

	if (!known)
		who = UAS;
	else if (who == NOBODY && c->se.on)
		who = c->se.ours ? UAS : UAC;
	else if (who == NOBODY)
		who = c->ext.refresher == SIP_REFRESHER_US ? UAS : UAC;

	n = snprintf(lines, sz, "%sSession-Expires: %u;refresher=%s\r\n",
		     known ? "Require: timer\r\n" : "", s,
		     who == UAC ? "uac" : "uas");
	if (n < 0 || (size_t)n >= sz)
		return EOVERFLOW;

	start(c, s, who == UAS);

	return 0;
}


bool se_raise(struct sip_call *c, const struct sip_msg *msg)
{
	uint32_t min_s;

	if (c->ext.timer == SIP_EXT_OFF || !msg ||
	    header_u32(msg, "Min-SE", UINT32_MAX, &min_s))
		return false;

	c->se.min_s = larger(c->se.min_s, min_s);
	if (!c->ext.session_s)
		c->ext.session_s = min_s;

	return true;
}


uint32_t sip_call_timer(const struct sip_call *c, bool *ours)
{
	if (!c || !c->se.on)
		return 0;

	if (ours)
		*ours = c->se.ours;

	return c->se.interval_s;
}
