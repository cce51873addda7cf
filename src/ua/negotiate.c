/**
 * @file negotiate.c  Offer and answer (RFC 3264, 6337): what both can do
 *
 * Reading the peer's side, writing ours is in describe.c.  The preference is
 * the offerer's; what we do not speak is refused in its place; the numbers
 * of the peer are used for what we send, ours for what we receive, and we
 * take the peer's for ours whenever they are free.  Pure functions.
 */
#include <strings.h>
#include "offhook/text.h"
#include "negotiate.h"


enum {
	TE_USUAL = 101,          /* the number everyone knows it by         */
	CODE_CODEC = 0x01,
	CODE_TE = 0x40,
};


/* Index in codec_table() */
static unsigned codec_index(const struct codec *c)
{
	const struct codec *const *table = codec_table();

	for (unsigned i = 0; table[i]; i++) {
		if (table[i] == c)
			return i;
	}

	return NEGO_NONE;
}


/* telephone-event goes by clock: the first codec that has it stands for it */
static unsigned clock_index(uint32_t clock_hz)
{
	const struct codec *const *table = codec_table();

	for (unsigned i = 0; table[i]; i++) {
		if (table[i]->clock_hz == clock_hz)
			return i;
	}

	return NEGO_NONE;
}


void nego_init(struct nego *n, uint64_t id)
{
	memset(n, 0, sizeof(*n));
	memset(n->codec_num, NEGO_NONE, sizeof(n->codec_num));
	memset(n->te_num, NEGO_NONE, sizeof(n->te_num));

	n->id = n->version = id;
	n->answer_te = NEGO_NONE;
}


static void lines_free(struct nego_line *linev, unsigned linec)
{
	for (unsigned i = 0; linev && i < linec; i++) {
		mem_deref(linev[i].type);
		mem_deref(linev[i].proto);
		mem_deref(linev[i].fmt);
	}

	mem_deref(linev);
}


void nego_reset(struct nego *n)
{
	lines_free(n->linev, n->linec);
	n->linev = NULL;
	n->linec = n->audio = 0;
}


int ability_codecs(struct ability *ab, const char *list)
{
	ab->codecc = 0;

	while (list && *list && ab->codecc < NEGO_CODECS) {
		const size_t len = strcspn(list, ", ");
		char name[32];

		if (len && !text_copy(name, sizeof(name), list, len)) {
			const struct codec *c = codec_find(name);
			bool have = !c;

			for (unsigned i = 0; i < ab->codecc; i++)
				have = have || ab->codecv[i] == c;
			if (!have)
				ab->codecv[ab->codecc++] = c;
		}

		list += len;
		list += strspn(list, ", ");
	}

	return ab->codecc ? 0 : EINVAL;
}


/*
 * The number under which we receive a codec or telephone-event: the one
 * wished for if it is free or means that already, else the one we have, else
 * the usual one, else any that is free.
 */
static uint8_t number_for(struct nego *n, uint8_t code, uint8_t *have,
			  unsigned wish, unsigned usual)
{
	unsigned num = NEGO_NONE;

	if (wish < 128 && (!n->meaning[wish] || n->meaning[wish] == code))
		num = wish;
	else if (*have != NEGO_NONE)
		return *have;
	else if (usual < 128 && !n->meaning[usual])
		num = usual;

	for (unsigned i = 96; i < 128 && num == NEGO_NONE; i++) {
		if (!n->meaning[i])
			num = i;
	}

	if (num != NEGO_NONE) {
		n->meaning[num] = code;
		*have = (uint8_t)num;
	}

	return (uint8_t)num;
}


uint8_t nego_codec_number(struct nego *n, const struct codec *c,
			  unsigned wish)
{
	const unsigned i = codec_index(c);

	if (i >= COUNT_OF(n->codec_num))
		return NEGO_NONE;

	return number_for(n, (uint8_t)(CODE_CODEC + i), &n->codec_num[i],
			  wish, c->pt >= 0 ? (unsigned)c->pt : NEGO_NONE);
}


uint8_t nego_te_number(struct nego *n, uint32_t clock_hz, unsigned wish)
{
	const unsigned i = clock_index(clock_hz);

	if (i >= COUNT_OF(n->te_num))
		return NEGO_NONE;

	return number_for(n, (uint8_t)(CODE_TE + i), &n->te_num[i], wish,
			  clock_hz == 8000 ? TE_USUAL : NEGO_NONE);
}


/*
 * What a format of the peer means. A static number whose rtpmap says
 * something else is ambiguous and not used; but G722/16000 is an old mistake
 * that everyone knows (RFC 3551 4.5.2).
 */
static const struct codec *format_codec(const struct desc_format *f)
{
	const struct codec *fixed = codec_find_pt(f->pt), *c;
	char name[32];

	/* 72 to 76 are RTCP's (RFC 3551 6) */
	if (f->pt < 0 || (f->pt >= 72 && f->pt <= 76))
		return NULL;
	if (!pl_isset(&f->name))
		return fixed;
	if (text_copy(name, sizeof(name), f->name.p, f->name.l))
		return NULL;

	c = codec_find_sdp(name, f->clock_hz, f->channels);
	if (!fixed)
		return c;

	if (fixed->pt == 9 && f->clock_hz == 16000 &&
	    0 == strcasecmp(name, fixed->sdp_name))
		return fixed;

	return c == fixed ? fixed : NULL;
}


static uint32_t format_te(const struct desc_format *f)
{
	return f->pt >= 0 && pl_isset(&f->name) && f->channels <= 1 &&
		text_caseeq(f->name.p, f->name.l, "telephone-event")
			? f->clock_hz : 0;
}


static bool able(const struct ability *ab, const struct codec *c)
{
	for (unsigned i = 0; c && i < ab->codecc; i++) {
		if (ab->codecv[i] == c)
			return true;
	}

	return false;
}


/* The peer's fmtp on top of our wishes. @return false: cannot be spoken */
static bool take_fmtp(struct codec_param *prm, const struct codec *c,
		      const struct ability *ab, const struct desc_format *f)
{
	char fmtp[512];

	*prm = ab->param;
	if (!c->fmtp_parse)
		return true;

	/* longer than anything sensible: as if there were none */
	if (!pl_isset(&f->fmtp) ||
	    text_copy(fmtp, sizeof(fmtp), f->fmtp.p, f->fmtp.l))
		return !c->fmtp_parse(prm, NULL);

	return !c->fmtp_parse(prm, fmtp);
}


/* What we send: the packet time the peer asks for, within its limit */
static unsigned take_ptime(const struct codec *c, const struct ability *ab,
			   const struct desc_media *m)
{
	unsigned want = m->ptime_ms >= 10 ? m->ptime_ms : ab->param.ptime_ms;

	if (m->maxptime_ms >= 10 && want > m->maxptime_ms)
		want = m->maxptime_ms;

	return codec_ptime(c, want);
}


static void take_addresses(struct media_plan *plan,
			   const struct desc_media *m)
{
	const struct sa *rtcp = desc_addr_given(&m->rtcp_addr) ?
		&m->rtcp_addr : &m->addr;
	unsigned port = m->rtcp_port ? m->rtcp_port : m->port + 1u;

	plan->rtp = m->addr;
	sa_set_port(&plan->rtp, m->port);

	if (m->rtcp_mux) {
		rtcp = &m->addr;
		port = m->port;
	}

	/* reports cross even on hold, but not to nowhere */
	sa_init(&plan->rtcp, AF_UNSPEC);
	if (port <= 65535 && sa_af(rtcp) == sa_af(&m->addr) &&
	    !sa_is_any(rtcp)) {
		plan->rtcp = *rtcp;
		sa_set_port(&plan->rtcp, (uint16_t)port);
	}
}


/* What the peer leaves us to do; 0.0.0.0 is how hold was said in RFC 2543 */
static enum media_dir take_direction(bool *held, const struct desc_media *m,
				     enum media_dir want)
{
	unsigned dir = MEDIA_INACTIVE;

	if (m->dir & MEDIA_SENDONLY)
		dir |= MEDIA_RECVONLY;
	if ((m->dir & MEDIA_RECVONLY) && !sa_is_any(&m->addr))
		dir |= MEDIA_SENDONLY;

	if (held)
		*held = !(dir & MEDIA_SENDONLY);

	return (enum media_dir)(dir & (unsigned)want);
}


static bool proto_ok(const struct pl *proto)
{
	return 0 == pl_strcasecmp(proto, "RTP/AVP") ||
		0 == pl_strcasecmp(proto, "RTP/AVPF");
}


static bool line_reachable(const struct desc_media *m,
			   const struct ability *ab)
{
	return 0 == pl_strcasecmp(&m->type, "audio") && m->port &&
		proto_ok(&m->proto) && desc_addr_given(&m->addr) &&
		sa_af(&m->addr) == sa_af(&ab->rtp);
}


/*
 * The codecs of a line that we speak, each once, in the line's order; the
 * first becomes the plan's. The line's numbers are what the peer wants to
 * receive. @return false: none
 */
static bool take_codecs(struct media_plan *plan, struct nego *n,
			const struct ability *ab, const struct desc_media *m,
			bool offer)
{
	plan->codec = NULL;
	plan->also_count = 0;
	n->answer_codecc = 0;

	for (unsigned i = 0; i < m->fmtc; i++) {
		const struct desc_format *f = &m->fmtv[i];
		const struct codec *c = format_codec(f);
		struct codec_param prm;
		bool have = false;
		uint8_t num;

		/* an answer may leave out what our offer has said */
		if (!offer && !c && f->pt >= 0 && !pl_isset(&f->name)) {
			const unsigned code = n->meaning[f->pt];

			if (code >= CODE_CODEC && code < CODE_TE)
				c = codec_table()[code - CODE_CODEC];
		}

		for (unsigned k = 0; k < n->answer_codecc; k++)
			have = have || n->answer_codec[k] == c;

		if (have || !able(ab, c) || !take_fmtp(&prm, c, ab, f))
			continue;

		num = nego_codec_number(n, c, offer ? (unsigned)f->pt
						    : NEGO_NONE);
		if (num == NEGO_NONE)
			continue;

		n->answer_codec[n->answer_codecc] = c;
		n->answer_num[n->answer_codecc++] = num;

		if (!plan->codec) {
			plan->codec = c;
			plan->param = prm;
			plan->param.ptime_ms = take_ptime(c, ab, m);
			plan->pt_send = (uint8_t)f->pt;
			plan->pt_recv = num;
		}
		else if (plan->also_count < COUNT_OF(plan->also_recv)) {
			plan->also_recv[plan->also_count] = num;
			plan->also_codec[plan->also_count++] = c;
		}
	}

	return plan->codec != NULL;
}


/* One telephone-event: with the clock of the codec, else the first we know */
static void take_te(struct media_plan *plan, struct nego *n,
		    const struct desc_media *m, bool offer)
{
	const struct desc_format *best = NULL;

	plan->te_send = plan->te_recv = -1;
	plan->te_clock_hz = 0;
	n->answer_te = NEGO_NONE;

	for (unsigned i = 0; i < m->fmtc; i++) {
		const struct desc_format *f = &m->fmtv[i];
		const uint32_t hz = format_te(f);
		const unsigned k = hz ? clock_index(hz) : NEGO_NONE;

		/* an answer may only take what was offered */
		if (k >= COUNT_OF(n->te_num) ||
		    (!offer && n->te_num[k] == NEGO_NONE))
			continue;
		if (!best || (hz == plan->codec->clock_hz &&
			      best->clock_hz != hz))
			best = f;
	}

	if (best) {
		n->answer_te = nego_te_number(n, best->clock_hz,
					      offer ? (unsigned)best->pt
						    : NEGO_NONE);
		if (n->answer_te == NEGO_NONE)
			return;

		n->answer_te_hz = best->clock_hz;
		plan->te_clock_hz = best->clock_hz;
		plan->te_send = best->pt;
		plan->te_recv = n->answer_te;
	}
}


/* One line of the peer into a plan. @return false: unusable */
static bool take_line(struct media_plan *plan, bool *held, struct nego *n,
		      const struct ability *ab, const struct desc_media *m,
		      bool offer)
{
	if (!line_reachable(m, ab) || !take_codecs(plan, n, ab, m, offer))
		return false;

	take_te(plan, n, m, offer);
	take_addresses(plan, m);
	plan->rtcp_mux = m->rtcp_mux;
	plan->dir = take_direction(held, m, ab->dir);

	n->answer_dir = plan->dir;
	n->answer_mux = m->rtcp_mux;
	n->answer_ptime_ms = plan->param.ptime_ms;

	return true;
}


/* Keep the lines of an offer, so that answer and later offers match them */
static int lines_copy(struct nego_line **linevp, const struct desc *d)
{
	struct nego_line *linev;
	int err = 0;

	linev = mem_zalloc((d->mediac + 1) * sizeof(*linev), NULL);
	if (!linev)
		return ENOMEM;

	for (unsigned i = 0; i < d->mediac && !err; i++) {
		const struct desc_media *m = &d->mediav[i];

		err = pl_strdup(&linev[i].type, &m->type);
		if (!err)
			err = pl_strdup(&linev[i].proto, &m->proto);
		if (!err)
			err = pl_strdup(&linev[i].fmt, &m->fmtv[0].id);
	}

	if (err)
		lines_free(linev, d->mediac);
	else
		*linevp = linev;

	return err;
}


static int status_of(int err)
{
	return err == ENOMEM ? 500 : 400;
}


static void plan_none(struct media_plan *plan)
{
	memset(plan, 0, sizeof(*plan));
	sa_init(&plan->rtp, AF_UNSPEC);
	sa_init(&plan->rtcp, AF_UNSPEC);
	plan->te_send = plan->te_recv = -1;
}


int nego_take(struct media_plan *plan, bool *held, struct nego *n,
	      const struct ability *ab, const char *text, size_t len)
{
	struct nego next = *n;
	struct nego_line *linev = NULL;
	struct media_plan p;
	struct desc *d = NULL;
	bool wanted = false;
	bool h = false;
	int err;

	err = desc_read(&d, text, len);
	if (err)
		return status_of(err);

	plan_none(&p);
	next.audio = d->mediac;

	/* A line never leaves a session (RFC 3264 8) */
	if (n->linec > d->mediac) {
		err = 400;
		goto out;
	}

	/* the line that is ours already, then the first that will do */
	if (n->audio < n->linec &&
	    take_line(&p, &h, &next, ab, &d->mediav[n->audio], true))
		next.audio = n->audio;

	for (unsigned i = 0; i < d->mediac; i++) {
		wanted = wanted || d->mediav[i].port;

		if (next.audio == d->mediac &&
		    take_line(&p, &h, &next, ab, &d->mediav[i], true))
			next.audio = i;
	}

	if (next.audio == d->mediac) {
		if (wanted) {
			err = 488;
			goto out;
		}
		plan_none(&p);
	}

	if (lines_copy(&linev, d)) {
		err = 500;
		goto out;
	}

	nego_reset(n);
	next.linev = linev;
	next.linec = d->mediac;
	*n = next;

	*plan = p;
	if (held)
		*held = h;

 out:
	mem_deref(d);

	return err;
}


int nego_result(struct media_plan *plan, bool *held, struct nego *n,
		const struct ability *ab, const char *text, size_t len)
{
	struct nego next = *n;
	struct media_plan p;
	struct desc *d = NULL;
	bool h = false;
	int err;

	err = desc_read(&d, text, len);
	if (err)
		return status_of(err);

	plan_none(&p);

	/* Lines beyond those we offered do not concern us; ours must be there
	 * and of use */
	if (n->audio >= d->mediac ||
	    !take_line(&p, &h, &next, ab, &d->mediav[n->audio], false)) {
		err = 488;
		goto out;
	}

	*n = next;
	*plan = p;
	if (held)
		*held = h;

 out:
	mem_deref(d);

	return err;
}


bool plan_equal(const struct media_plan *a, const struct media_plan *b)
{
	if (a->codec != b->codec || a->pt_send != b->pt_send ||
	    a->pt_recv != b->pt_recv || a->te_send != b->te_send ||
	    a->te_recv != b->te_recv || a->te_clock_hz != b->te_clock_hz ||
	    a->also_count != b->also_count || a->dir != b->dir ||
	    a->rtcp_mux != b->rtcp_mux ||
	    !sa_cmp(&a->rtp, &b->rtp, SA_ALL) ||
	    !sa_cmp(&a->rtcp, &b->rtcp, SA_ALL))
		return false;

	for (unsigned i = 0; i < a->also_count; i++) {
		if (a->also_recv[i] != b->also_recv[i] ||
		    a->also_codec[i] != b->also_codec[i])
			return false;
	}

	return a->param.ptime_ms == b->param.ptime_ms &&
		a->param.bitrate == b->param.bitrate &&
		a->param.complexity == b->param.complexity &&
		a->param.fec == b->param.fec && a->param.dtx == b->param.dtx &&
		a->param.cbr == b->param.cbr &&
		a->param.max_rate_hz == b->param.max_rate_hz;
}
