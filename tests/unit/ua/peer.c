/**
 * @file peer.c  A bare SIP stack that does with SDP what the test says
 */
#include "rig.h"
#include "fake/ident.h"


struct peer carol;


static struct mbuf *sdp_make(const char *text)
{
	struct mbuf *mb = mbuf_alloc(512);

	assert_non_null(mb);
	assert_int_equal(0, mbuf_write_str(mb, text));
	mb->pos = 0;

	return mb;
}


static void sdp_note(struct mbuf *mb)
{
	(void)re_snprintf(carol.sdp, sizeof(carol.sdp), "%b", mbuf_buf(mb),
			  mbuf_get_left(mb));
}


static int offer_handler(struct mbuf **sdp, void *arg)
{
	(void)arg;

	*sdp = sdp_make(carol.answer);

	return 0;
}


static int answer_handler(struct mbuf **answer, struct mbuf *offer, void *arg)
{
	(void)arg;

	sdp_note(offer);
	++carol.offers;
	if (carol.reoffer_status)
		return carol.reoffer_status;

	*answer = sdp_make(carol.answer);

	return 0;
}


static int result_handler(struct mbuf *answer, bool early, void *arg)
{
	(void)early;
	(void)arg;

	sdp_note(answer);
	++carol.results;

	return 0;
}


static void established_handler(const struct sip_info *in, void *arg)
{
	(void)arg;

	++carol.established;
	++carol.outcomes;
	carol.outcome = in->code ? in->code : 200;
	carol.up = true;
}


static void closed_handler(const struct sip_result *res,
			   const struct sip_info *in, void *arg)
{
	(void)in;
	(void)arg;

	++carol.closed;
	if (!carol.up) {
		++carol.outcomes;
		carol.outcome = res->code;
	}
	carol.up = false;
}


static const struct sip_call_h handlers = {
	.offer_h = offer_handler, .answer_h = answer_handler,
	.result_h = result_handler, .established_h = established_handler,
	.closed_h = closed_handler,
};


static int invite_handler(struct sip_call *call, const struct sip_info *in,
			  struct mbuf *offer, void *arg)
{
	/* early and final descriptions may differ here */
	static const struct sip_call_ext ext = {.rel100 = SIP_EXT_OFF};
	struct mbuf *mb;
	(void)in;
	(void)arg;

	if (offer)
		sdp_note(offer);
	++carol.offers;

	assert_int_equal(0, sip_call_setup(call, &ext));
	carol.call = mem_ref(call);
	sip_call_attach(call, &handlers, NULL);

	if (carol.early) {
		mb = sdp_make(carol.early);
		assert_int_equal(0, sip_call_ring(call, 183, NULL, mb));
		mem_deref(mb);
	}
	if (carol.ring)
		assert_int_equal(0, sip_call_ring(call, 180, NULL, NULL));
	if (carol.answer) {
		mb = sdp_make(carol.answer);
		assert_int_equal(0, sip_call_answer(call, mb));
		mem_deref(mb);
	}

	return 0;
}


void peer_start(void)
{
	const struct sip_stack_h h = { .invite_h = invite_handler };
	struct sip_listen_addr la = { .udp = true };
	struct sip_stack_conf conf = {
		.user_agent = "carol", .addrv = &la, .addrc = 1,
		.timeout_ms = 800,
	};
	enum sip_transp tp;
	char err[256];

	memset(&carol, 0, sizeof(carol));
	assert_int_equal(0, sa_set_str(&la.addr, "127.0.0.1", 0));
	if (sip_stack_alloc(&carol.sip, &conf, &h, NULL, err, sizeof(err)))
		fail_msg("%s", err);
	assert_true(sip_stack_listener(carol.sip, 0, &carol.addr, &tp));
	(void)re_snprintf(carol.uri, sizeof(carol.uri), "sip:carol@%J",
			  &carol.addr);
}


void peer_stop(void)
{
	carol.call = mem_deref(carol.call);
	carol.sip = mem_deref(carol.sip);
}


void peer_call(struct phone *p, const char *offer)
{
	const struct sip_call_conf conf = {
		.uri = p->uri,
		.ident = ident_make(.aor = carol.uri, .name = "Carol \xff"),
		.ring_ms = 5000,
	};
	struct mbuf *mb = offer ? sdp_make(offer) : NULL;

	carol.up = false;
	assert_int_equal(0, sip_call_connect(&carol.call, carol.sip, &conf,
					     mb, &handlers, NULL));
	mem_deref(conf.ident);
	mem_deref(mb);
}
