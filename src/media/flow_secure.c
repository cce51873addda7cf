/**
 * @file flow_secure.c  A flow and the protection of its packets
 *
 * Media thread.  What was negotiated says how keys come about; the packets
 * themselves are srtp.c's.  Without keys nothing goes out and nothing is
 * heard, so there is never a moment in plain.
 */
#include <sys/random.h>
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "priv.h"
#include "srtp.h"


/* The same key and source must never meet the same number again */
static void source_anew(struct flow *f)
{
	uint32_t ssrc;

	if (getrandom(&ssrc, sizeof(ssrc), GRND_NONBLOCK) != sizeof(ssrc))
		ssrc = f->tx.ssrc + 0x9e3779b9u;

	f->tx.ssrc = ssrc;
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


int flow_secure(struct flow *f, const struct media_secure *ms)
{
	int err = 0;

	assert_media();

	/* another way to keys: nothing of the old one may be used */
	if (ms->keying != f->plan.secure.keying)
		f->tp.shield = mem_deref(f->tp.shield);

	if (ms->keying == MEDIA_KEYS_NONE)
		return 0;

	if (!f->tp.shield)
		err = shield_alloc(&f->tp.shield);
	if (!err && ms->keying == MEDIA_KEYS_SDES)
		err = secure_sdes(f, ms);

	return err;
}


bool flow_keyed(const struct flow *f)
{
	return !f->tp.shield || shield_ready(f->tp.shield);
}


bool flow_open(struct flow *f, bool rtcp, struct packet *p)
{
	struct shield *s = f->tp.shield;
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
	struct shield_stats ss;

	if (!f->tp.shield)
		return;

	shield_stats(f->tp.shield, &ss);
	st->forged = ss.forged;
	st->replayed = ss.replayed;
	st->discarded += ss.forged + ss.replayed + ss.malformed;
	st->suite = shield_suite(f->tp.shield);
}
