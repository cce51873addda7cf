/**
 * @file ability.c  What we can do: by the options, the account and the call
 *
 * The one place that knows what goes into our descriptions; how it is agreed
 * with the peer is negotiate.c's.  Main thread.
 */
#include "priv.h"


int ua_ability(struct ability *ab, const struct ua *ua,
	       const struct account *acc)
{
	const struct config *conf = ua->config;
	const char *list = acc && acc->conf.codecs[0] ? acc->conf.codecs
						      : conf->codecs;

	memset(ab, 0, sizeof(*ab));
	sa_init(&ab->rtp, AF_UNSPEC);
	sa_init(&ab->rtcp, AF_UNSPEC);

	ab->dir = MEDIA_SENDRECV;
	ab->param.ptime_ms = (unsigned)conf->packet_time_ms;
	ab->param.bitrate = (int)conf->opus_bitrate;
	ab->param.complexity = (int)conf->opus_complexity;
	ab->param.fec = conf->opus_fec;
	ab->param.dtx = conf->opus_dtx;
	ab->param.cbr = conf->opus_cbr;
	ab->param.stereo = conf->opus_stereo;
	ab->param.stereo_in = conf->opus_stereo &&
		media_channels(ua->media) == 2;
	ab->red = conf->redundancy;
	ab->cn = conf->comfort_noise;
	ab->bundle = acc && acc->conf.webrtc;
	ab->nack = conf->retransmission || ab->bundle;

	return ability_codecs(ab, list);
}


/* Promise none whose library is missing, unless that is all there is */
static void ability_ready(struct ability *ab)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ab->codecc; i++) {
		if (codec_ready(ab->codecv[i]))
			ab->codecv[n++] = ab->codecv[i];
	}

	ab->codecc = n ? n : ab->codecc;
}


void call_ability(struct call *c, const struct sa *rtp,
		  struct ability *ab)
{
	(void)ua_ability(ab, c->ua, c->acc);
	if (c->hold) {
		const int by = c->ua->config->hold_by;

		ab->dir = by == HOLD_BY_INACTIVE ? MEDIA_INACTIVE :
			MEDIA_SENDONLY;
		ab->nowhere = by == HOLD_BY_ADDRESS;
	}
	ab->nack = ab->nack && !c->plain;
	call_wish_apply(c, ab);
	ability_ready(ab);

	ab->rtp = *rtp;
	call_secure_ability(c, ab);
	call_nat_ability(c, ab);
}
