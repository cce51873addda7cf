/**
 * @file negotiate.c  Offer and answer (RFC 3264, 6337): what both can do
 *
 * Reading the peer's side: its lines, addresses and directions; what its
 * formats mean is in formats.c, writing ours in describe.c.  The preference
 * is the offerer's; what we do not speak is refused in its place.  Pure
 * functions.
 */
#include "offhook/text.h"
#include "ice.h"
#include "keys.h"


void nego_init(struct nego *n, uint64_t id)
{
	memset(n, 0, sizeof(*n));
	memset(n->codec_num, NEGO_NONE, sizeof(n->codec_num));
	memset(n->te_num, NEGO_NONE, sizeof(n->te_num));
	memset(n->red_num, NEGO_NONE, sizeof(n->red_num));

	n->id = n->version = id;
}


static void lines_free(struct nego_line *linev, unsigned linec)
{
	for (unsigned i = 0; linev && i < linec; i++) {
		mem_deref(linev[i].type);
		mem_deref(linev[i].proto);
		mem_deref(linev[i].fmt);
		mem_deref(linev[i].mid);
	}

	mem_deref(linev);
}


void nego_reset(struct nego *n)
{
	lines_free(n->linev, n->linec);
	n->linev = NULL;
	n->linec = n->audio = 0;
	n->bundled = false;
	explicit_bzero(n->key, sizeof(n->key));
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


static bool line_reachable(const struct desc_media *m,
			   const struct ability *ab)
{
	return 0 == pl_strcasecmp(&m->type, "audio") && m->port &&
		proto_known(&m->proto) && desc_addr_given(&m->addr) &&
		sa_af(&m->addr) == sa_af(&ab->rtp);
}


/* Does it ask for what it has missed? Only where the profile knows of that
 * (RFC 4585 4.2) */
static bool wants_nack(const struct desc_media *m, uint8_t pt)
{
	if (!proto_feedback(&m->proto))
		return false;

	return m->nack_all ||
		(pt < 128 && m->nack_pt[pt / 64] >> pt % 64 & 1);
}


/* One line of the peer into a plan. keyed: only if there will be keys.
 * @return false: unusable */
static bool take_line(struct media_plan *plan, bool *held, struct nego *n,
		      const struct ability *ab, const struct desc *d,
		      const struct desc_media *m, bool offer, bool keyed)
{
	if (!line_reachable(m, ab) ||
	    !nego_take_codecs(plan, n, ab, m, offer) ||
	    !nego_take_keys(plan, n, ab, m, offer) ||
	    (keyed && plan->secure.keying == MEDIA_KEYS_NONE))
		return false;

	nego_take_events(plan, n, m, offer);
	nego_take_extras(plan, n, ab, m, offer);
	take_addresses(plan, m);
	plan->rtcp_mux = m->rtcp_mux;
	plan->rtcp_rsize = m->rtcp_rsize;
	plan->xr = m->xr;
	plan->nack = wants_nack(m, plan->pt_send);

	nego_take_ice(plan, n, ab, m, d->ice_lite, offer);
	plan->dir = take_direction(held, m, ab->dir);

	n->bundled = m->bundled;
	n->answer_dir = plan->dir;
	n->answer_mux = m->rtcp_mux;
	n->answer_rsize = m->rtcp_rsize;
	n->answer_xr = m->xr;
	n->answer_nack = plan->nack;
	n->answer_nack_all = m->nack_all;
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
		if (!err && pl_isset(&m->mid))
			err = pl_strdup(&linev[i].mid, &m->mid);
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
	    take_line(&p, &h, &next, ab, d, &d->mediav[n->audio], true, false))
		next.audio = n->audio;

	/* of several the first that will be protected, else the first */
	for (unsigned i = 0; i < 2 * d->mediac; i++) {
		const struct desc_media *m = &d->mediav[i % d->mediac];

		wanted = wanted || m->port;

		if (next.audio == d->mediac &&
		    take_line(&p, &h, &next, ab, d, m, true, i < d->mediac))
			next.audio = i % d->mediac;
	}

	if (next.audio == d->mediac) {
		if (wanted) {
			n->insecure = next.insecure;
			err = 488;
			goto out;
		}
		plan_none(&p);
		next.bundled = false;
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
	    !take_line(&p, &h, &next, ab, d, &d->mediav[n->audio], false,
		       false)) {
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
	    a->te_also_count != b->te_also_count ||
	    a->also_count != b->also_count || a->dir != b->dir ||
	    a->red_send != b->red_send || a->red_recv != b->red_recv ||
	    a->cn_send != b->cn_send || a->cn_recv != b->cn_recv ||
	    a->rtcp_mux != b->rtcp_mux ||
	    a->rtcp_rsize != b->rtcp_rsize || a->xr != b->xr ||
	    a->nack != b->nack ||
	    a->unproven != b->unproven ||
	    !sa_cmp(&a->rtp, &b->rtp, SA_ALL) ||
	    !sa_cmp(&a->rtcp, &b->rtcp, SA_ALL) ||
	    !media_secure_equal(&a->secure, &b->secure) ||
	    !media_ice_equal(&a->ice, &b->ice))
		return false;

	for (unsigned i = 0; i < a->also_count; i++) {
		if (a->also_recv[i] != b->also_recv[i] ||
		    a->also_codec[i] != b->also_codec[i])
			return false;
	}

	for (unsigned i = 0; i < a->te_also_count; i++) {
		if (a->te_also[i].pt != b->te_also[i].pt ||
		    a->te_also[i].clock_hz != b->te_also[i].clock_hz)
			return false;
	}

	return a->param.ptime_ms == b->param.ptime_ms &&
		a->param.bitrate == b->param.bitrate &&
		a->param.complexity == b->param.complexity &&
		a->param.fec == b->param.fec && a->param.dtx == b->param.dtx &&
		a->param.cbr == b->param.cbr &&
		a->param.stereo == b->param.stereo &&
		a->param.max_rate_hz == b->param.max_rate_hz;
}
