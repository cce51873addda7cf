/**
 * @file flow_secure.c  A flow and the protection of its packets
 *
 * Media thread.  What was negotiated says how keys come about; the packets
 * themselves are srtp.c's.  Without keys nothing goes out and nothing is
 * heard, so there is never a moment in plain.  RTCP that has a port of its
 * own has a handshake of its own (RFC 5764 3); without keys it goes unsent,
 * which spoils the figures and not the call.
 */
#define LOG_MODULE "media"
#include <offhook/log.h>
#include <offhook/random.h>
#include "priv.h"
#include "dtls.h"
#include "nat.h"
#include "srtp.h"


enum {
	SHAKE_US    = 15000000,  /* nobody waits longer for keys            */
	SHAKE_TRIES = 5,         /* after that it is no stranger who errs   */
};

/* How keys are come by (RFC 5763) */
struct shake {
	struct flow *f;
	bool rtcp;               /* of the reports, apart from the sound    */
	struct dtls *d;
	struct sa from;          /* whom it is done with                    */
	bool pinned;
	unsigned tries;
	uint64_t begin_us;       /* 0: not yet                              */
	char why[DTLS_ERR];      /* it last failed, "": it did not          */
	bool told;
};


/* The same key and source must never meet the same number again */
static void source_anew(struct flow *f)
{
	f->tx.ssrc = random_u32();
	f->tx.marker = true;
}


static int secure_sdes(struct flow *f, const struct media_secure *ms)
{
	const struct media_secure *old = &f->plan.secure;
	const bool anew = old->keying == MEDIA_KEYS_SDES && f->tp.shield &&
		memcmp(old->tx, ms->tx, sizeof(ms->tx)) != 0 &&
		shield_rolled(f->tp.shield);
	int err;

	err = shield_key(f->tp.shield, ms->suite, ms->tx, ms->rx, ms->rx_mki,
			 ms->rx_mki_len, clock_us());
	if (!err && anew)
		source_anew(f);

	return err;
}


static void shake_destructor(void *arg)
{
	struct shake *s = arg;

	mem_deref(s->d);
}


/* To who speaks with us, else to who was named */
static void shake_send(const uint8_t *p, size_t len, void *arg)
{
	const struct shake *s = arg;
	struct transport *t = &s->f->tp;
	const struct sa *dst = s->pinned ? &s->from :
		s->rtcp ? &t->peer_rtcp :
		t->latched && !t->fixed ? &t->from : &t->peer;

	if (t->shut)
		return;
	if (nat_rules(t->nat))
		(void)nat_send(t->nat, p, len);
	else if (sa_isset(dst, SA_ALL))
		(void)transport_send_raw(t, s->rtcp, dst, p, len);
}


static int shake_begin(struct shake *s, const struct media_secure *ms)
{
	struct dtls *d;
	int err;

	err = dtls_alloc(&d, s->f->dtls_id, ms->active, &ms->print,
			 shake_send, s);
	if (err)
		return err;

	mem_deref(s->d);
	s->d = d;
	s->pinned = false;

	return 0;
}


static int secure_dtls(struct flow *f, bool rtcp,
		       const struct media_secure *ms)
{
	struct shake **sp = rtcp ? &f->tp.shake_rtcp : &f->tp.shake;
	struct shake *s;
	int err;

	if (*sp && media_secure_equal(ms, &f->plan.secure))
		return 0;
	if (!f->dtls_id)
		return EINVAL;

	s = mem_zalloc(sizeof(*s), shake_destructor);
	if (!s)
		return ENOMEM;

	s->f = f;
	s->rtcp = rtcp;
	err = shake_begin(s, ms);
	if (err) {
		mem_deref(s);
		return err;
	}

	mem_deref(*sp);
	*sp = s;

	return 0;
}


/* A call goes on without reports: only the log hears of what goes wrong */
static int secure_apart(struct flow *f, const struct media_plan *plan)
{
	int err = 0;

	if (plan->secure.keying != MEDIA_KEYS_DTLS || plan->rtcp_mux ||
	    nat_rules(f->tp.nat)) {
		f->tp.shake_rtcp = mem_deref(f->tp.shake_rtcp);
		f->tp.shield_rtcp = mem_deref(f->tp.shield_rtcp);
		return 0;
	}

	if (!f->tp.shield_rtcp)
		err = shield_alloc(&f->tp.shield_rtcp);
	if (!err)
		err = secure_dtls(f, true, &plan->secure);

	return err;
}


static void shake_tell(struct shake *s, int type, const char *why)
{
	struct flow *f = s->f;
	struct post p = {
		.id = f->id, .type = type,
		.ev.type = (enum stream_event_type)type
	};

	s->told = true;
	if (s->rtcp) {
		if (*why)
			log_info("the reports of a call go unsent: %s", why);
		return;
	}

	if (type == STREAM_SECURED)
		p.ev.suite = dtls_suite(s->d);
	str_ncpy(p.text, why, sizeof(p.text));
	f->eng->post_h(&p, f->eng->post_arg);
}


static void shake_keys(struct flow *f, struct shake *s)
{
	struct shield *shield = s->rtcp ? f->tp.shield_rtcp : f->tp.shield;
	uint8_t tx[MEDIA_KEY_MAX], rx[MEDIA_KEY_MAX];
	const struct media_suite *suite;
	int err;

	err = dtls_keys(s->d, &suite, tx, rx);
	if (!err) {
		const bool rolled = !s->rtcp && shield_ready(shield) &&
			shield_rolled(shield);

		err = shield_key(shield, suite, tx, rx, NULL, 0, clock_us());
		if (!err && rolled)
			source_anew(f);
	}
	explicit_bzero(tx, sizeof(tx));
	explicit_bzero(rx, sizeof(rx));

	if (err)
		shake_tell(s, STREAM_INSECURE, strerror(err));
	else
		shake_tell(s, STREAM_SECURED, "");
}


/* Where it stands. What went wrong may have been a stranger's doing */
static void shake_look(struct flow *f, struct shake *s)
{
	if (s->told)
		return;

	switch (dtls_state(s->d)) {

	case DTLS_DONE:
		shake_keys(f, s);
		break;

	case DTLS_FAILED:
		log_info("media with %s port %u is not protected: %s",
			 address_text(&s->from).s, sa_port(&s->from),
			 dtls_error(s->d));

		str_ncpy(s->why, dtls_error(s->d), sizeof(s->why));
		if (++s->tries < SHAKE_TRIES &&
		    !shake_begin(s, &f->plan.secure)) {
			dtls_start(s->d);
			break;
		}
		shake_tell(s, STREAM_INSECURE, s->why);
		break;

	case DTLS_WAITING:
	case DTLS_SHAKING:
		break;
	}
}


/* Whom the other side has told us of */
static bool is_named(const struct flow *f, const struct shake *s,
		     const struct sa *from)
{
	return s->rtcp ? sa_cmp(from, &f->tp.peer_rtcp, SA_ALL) :
		transport_names(&f->tp, from);
}


/*
 * Is it whom the handshake is with?  Who was named comes before others, and
 * anybody else has to begin or answer a handshake: what is left on the way of
 * an association that had this port before would draw us to where nobody is.
 */
static bool shake_accepts(struct flow *f, struct shake *s,
			  const struct packet *p)
{
	const struct sa *from = p->from;
	const bool named = is_named(f, s, from);

	if (nat_rules(f->tp.nat)) {
		s->from = *from;
		s->pinned = true;
		return named;
	}

	if (f->tp.fixed && !sa_cmp(from, &f->tp.peer, SA_ADDR))
		return false;

	if (!named && !dtls_shakes(p->p, p->len) &&
	    !(s->pinned && sa_cmp(from, &s->from, SA_ALL)))
		return false;

	if (s->pinned && !sa_cmp(from, &s->from, SA_ALL)) {
		if (!named || dtls_state(s->d) == DTLS_DONE ||
		    is_named(f, s, &s->from) ||
		    s->tries + 1 >= SHAKE_TRIES)
			return false;

		/* a stranger was quicker */
		++s->tries;
		if (shake_begin(s, &f->plan.secure))
			return false;
		dtls_start(s->d);
	}

	s->from = *from;
	s->pinned = true;

	return true;
}


void flow_secure_packet(struct flow *f, bool rtcp, const struct packet *p)
{
	struct shake *s = rtcp ? f->tp.shake_rtcp : f->tp.shake;

	if (!s || !shake_accepts(f, s, p)) {
		++f->rx.discarded;
		return;
	}

	flow_prove(f, p->from);
	if (!s->begin_us)
		s->begin_us = p->arrival_us;
	dtls_start(s->d);
	dtls_recv(s->d, p->p, p->len);

	/* it said nothing: who was named is still the one to speak to */
	if (dtls_untouched(s->d))
		s->pinned = false;
	shake_look(f, s);
}


static void shake_tend(struct flow *f, struct shake *s, uint64_t now_us)
{
	if (!s || s->told || f->tp.shut ||
	    (nat_rules(f->tp.nat) && !nat_way(f->tp.nat)))
		return;

	if (!s->begin_us)
		s->begin_us = now_us;

	dtls_start(s->d);
	dtls_poll(s->d);
	shake_look(f, s);

	/* who was refused once need not come a second time */
	if (!s->told && now_us > s->begin_us + SHAKE_US)
		shake_tell(s, STREAM_INSECURE, s->why[0] ? s->why :
			   "the other side does not answer the DTLS"
			   " handshake");
}


void flow_secure_tend(struct flow *f, uint64_t now_us)
{
	shake_tend(f, f->tp.shake, now_us);
	shake_tend(f, f->tp.shake_rtcp, now_us);
}


void flow_secure_end(struct flow *f)
{
	if (f->tp.shake)
		dtls_end(f->tp.shake->d);
	if (f->tp.shake_rtcp)
		dtls_end(f->tp.shake_rtcp->d);
}


int flow_secure(struct flow *f, const struct media_plan *plan)
{
	const struct media_secure *ms = &plan->secure;
	int err;

	assert_media();

	/* another way to keys: nothing of the old one may be used */
	if (ms->keying != f->plan.secure.keying)
		f->tp.shield = mem_deref(f->tp.shield);
	if (ms->keying != MEDIA_KEYS_DTLS)
		f->tp.shake = mem_deref(f->tp.shake);

	err = secure_apart(f, plan);
	if (ms->keying == MEDIA_KEYS_NONE)
		return 0;

	if (!err && !f->tp.shield)
		err = shield_alloc(&f->tp.shield);
	if (!err && ms->keying == MEDIA_KEYS_SDES)
		err = secure_sdes(f, ms);
	if (!err && ms->keying == MEDIA_KEYS_DTLS)
		err = secure_dtls(f, false, ms);

	return err;
}


bool flow_keyed(const struct flow *f)
{
	return (!f->tp.shield || shield_ready(f->tp.shield)) &&
		(!nat_rules(f->tp.nat) || nat_way(f->tp.nat));
}


bool flow_open(struct flow *f, bool rtcp, struct packet *p)
{
	struct shield *s = transport_shield(&f->tp, rtcp);
	int err;

	if (!s)
		return true;

	err = shield_open(s, rtcp, p->p, &p->len, p->arrival_us);
	if (err && err != ENOTCONN) {
		struct shield_stats st;

		shield_stats(s, &st);
		if (st.forged == 1 && !st.replayed)
			log_info("a packet from %s port %u is not protected"
				 " as agreed: it is dropped",
				 address_text(p->from).s, sa_port(p->from));
	}

	return !err;
}


void flow_secure_stats(const struct flow *f, struct stream_stats *st)
{
	const struct shield *const sv[] = { f->tp.shield, f->tp.shield_rtcp };

	if (!f->tp.shield)
		return;

	for (unsigned i = 0; i < COUNT(sv) && sv[i]; i++) {
		struct shield_stats ss;

		shield_stats(sv[i], &ss);
		st->forged += ss.forged;
		st->replayed += ss.replayed;
		st->discarded += ss.forged + ss.replayed + ss.malformed;
	}
	st->suite = shield_suite(f->tp.shield);
}
