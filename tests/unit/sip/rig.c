/**
 * @file rig.c  A stack on loopback, its user, and a raw peer
 */
#include "rig.h"
#include "../../fake/ident.h"


struct rig rig;


struct mbuf *sdp_make(const char *text)
{
	struct mbuf *mb = mbuf_alloc(256);

	(void)mbuf_write_str(mb, text);
	mb->pos = 0;

	return mb;
}


static void sdp_note(struct mbuf *mb)
{
	if (mb)
		(void)re_snprintf(rig.sdp, sizeof(rig.sdp), "%b",
				  mbuf_buf(mb), mbuf_get_left(mb));
	else
		rig.sdp[0] = '\0';

	/* a user reads it: the stack must not rely on the position */
	if (mb)
		mb->pos = mb->end;
}


static void act(enum where where)
{
	if (rig.hangup_in == where)
		sip_call_hangup(rig.c, 0, NULL);
	if (rig.free_in == where)
		rig.c = mem_deref(rig.c);
}


static int offer_h(struct mbuf **sdp, void *arg)
{
	char text[40];
	(void)arg;

	(void)snprintf(text, sizeof(text), "our offer %u\r\n", ++rig.offers);
	if (!rig.offer_err)
		*sdp = sdp_make(text);
	act(IN_OFFER);

	return rig.offer_err;
}


static int answer_h(struct mbuf **answer, struct mbuf *offer, void *arg)
{
	char text[40];
	(void)arg;

	sdp_note(offer);
	(void)snprintf(text, sizeof(text), "our answer %u\r\n",
		       ++rig.answers);
	if (!rig.answer_status)
		*answer = sdp_make(text);
	act(IN_ANSWER);

	return rig.answer_status;
}


static int result_h(struct mbuf *answer, bool early, void *arg)
{
	(void)arg;

	sdp_note(answer);
	if (early)
		++rig.previews;
	else
		++rig.results;
	act(IN_RESULT);

	return rig.result_status;
}


static void progress_h(const struct sip_info *in, bool sdp, void *arg)
{
	(void)arg;

	++rig.progress;
	rig.progress_code = in->code;
	rig.progress_sdp = sdp;
	act(IN_PROGRESS);
}


static void established_h(const struct sip_info *in, void *arg)
{
	(void)in;
	(void)arg;

	++rig.established;
	act(IN_ESTABLISHED);
}


static void modified_h(const struct sip_result *res, void *arg)
{
	(void)arg;

	++rig.modified;
	rig.mod = *res;
	act(IN_MODIFIED);
}


static void closed_h(const struct sip_result *res, const struct sip_info *in,
		     void *arg)
{
	(void)arg;

	++rig.closed;
	rig.end = *res;
	rig.end_info = in != NULL;
	act(IN_CLOSED);
}


static void redirect_h(const char *uri, const struct sip_info *in, void *arg)
{
	(void)in;
	(void)arg;

	++rig.redirects;
	(void)snprintf(rig.redirect, sizeof(rig.redirect), "%s", uri);
	if (rig.redirect_at_once)
		(void)sip_call_redirect(rig.c, true);
	act(IN_REDIRECT);
}


static void forked_h(const struct sip_info *in, void *arg)
{
	(void)in;
	(void)arg;

	++rig.forked;
}


static int inside_h(struct sip_rx *rx, const struct sip_info *in, void *arg)
{
	(void)arg;

	return rig.inside_h ? rig.inside_h(rx, in) : 405;
}


static int lone_h(struct sip_rx *rx, const struct sip_info *in, void *arg)
{
	(void)arg;

	return rig.lone_h ? rig.lone_h(rx, in) : 405;
}


static const struct sip_call_h call_h = {
	.offer_h = offer_h, .answer_h = answer_h, .result_h = result_h,
	.progress_h = progress_h, .established_h = established_h,
	.modified_h = modified_h, .closed_h = closed_h,
	.request_h = inside_h, .redirect_h = redirect_h,
	.forked_h = forked_h,
};


static int invite_h(struct sip_call *call, const struct sip_info *in,
		    struct mbuf *offer, void *arg)
{
	(void)in;
	(void)arg;

	++rig.invites;
	rig.invite_sdp = offer != NULL;
	sdp_note(offer);

	if (rig.invite_status)
		return rig.invite_status;

	if (rig.ext_set) {
		const int status = sip_call_setup(call, &rig.ext);

		if (status)
			return status;
	}

	if (!rig.c) {
		rig.c = mem_ref(call);
		sip_call_attach(call, &call_h, NULL);
	}

	if (rig.auto_answer) {
		struct mbuf *sdp = sdp_make("our session\r\n");

		(void)sip_call_answer(call, sdp);
		mem_deref(sdp);
	}
	act(IN_INVITE);

	return 0;
}


int rig_setup(void **state)
{
	struct sip_listen_addr la = {.udp = true, .tcp = true};
	const struct sip_stack_conf conf = {.addrv = &la, .addrc = 1};
	const struct sip_stack_h h = {
		.invite_h = invite_h, .request_h = lone_h,
	};
	enum sip_transp tp;
	struct sa sa;
	char err[256];
	size_t i;
	(void)state;

	memset(&rig, 0, sizeof(rig));

	if (libre_init() || timers_open() || peer_alloc(&rig.p))
		return -1;

	(void)sa_set_str(&la.addr, "127.0.0.1", 0);
	if (sip_stack_alloc(&rig.s, &conf, &h, NULL, err, sizeof(err))) {
		fprintf(stderr, "%s\n", err);
		return -1;
	}

	rig.s->t1_ms = RIG_T1;

	for (i = 0; sip_stack_listener(rig.s, i, &sa, &tp); i++) {
		if (tp == SIP_TRANSP_UDP)
			rig.addr = sa;
		else
			rig.tcp = sa;
	}

	return 0;
}


static void stack_closed_h(void *arg)
{
	(void)arg;
	rig.stack_closed = true;
}


static bool stack_closed(void *arg)
{
	(void)arg;

	return rig.stack_closed;
}


int rig_teardown(void **state)
{
	(void)state;

	rig.c = mem_deref(rig.c);
	sip_stack_close(rig.s, 100, stack_closed_h, NULL);
	assert_true(loop_until(stack_closed, NULL, WAIT_MS));
	rig.s = mem_deref(rig.s);
	rig.p = mem_deref(rig.p);

	assert_int_equal(timers_count(), 0);
	timers_close();
	libre_close();

	return 0;
}


int rig_setup_fake(void **state)
{
	clock_fake_start(1000000000ULL);
	loop_moves_clock(true);

	return rig_setup(state);
}


int rig_teardown_fake(void **state)
{
	const int err = rig_teardown(state);

	loop_moves_clock(false);
	clock_fake_stop();

	return err;
}


unsigned rig_dialogs(void)
{
	struct sip_stack_stats st;

	sip_stack_stats(rig.s, &st);

	return st.dialogs;
}


struct count {
	const unsigned *counter;
	unsigned n;
};


static bool counted(void *arg)
{
	const struct count *count = arg;

	return *count->counter >= count->n;
}


void rig_wait(const unsigned *counter, unsigned n)
{
	struct count count = {.counter = counter, .n = n};

	assert_true(loop_until(counted, &count, WAIT_MS));
}


void rig_assert_closed(enum sip_cause cause, uint16_t code, bool remote)
{
	rig_wait(&rig.closed, 1);
	assert_string_equal(sip_cause_name(rig.end.cause),
			    sip_cause_name(cause));
	assert_int_equal(rig.end.code, code);
	assert_int_equal(rig.end.remote, remote);
}


static bool idle(void *arg)
{
	(void)arg;

	return list_isempty(&rig.s->calls) && list_isempty(&rig.s->reqs);
}


void rig_wait_idle(void)
{
	assert_true(loop_until(idle, NULL, WAIT_MS));
	assert_int_equal(rig.s->stats.sessions, 0);
	assert_int_equal(rig.closed, 1);
}


const struct sip_msg *rig_expect(const char *what)
{
	const struct sip_msg *msg = peer_wait(rig.p, what, WAIT_MS);

	assert_non_null(msg);

	return msg;
}


void rig_expect_none(const char *what)
{
	loop_run(QUIET_MS);
	assert_int_equal(peer_count(rig.p, what), 0);
}


void rig_peer(struct peer *p)
{
	mem_deref(rig.p);
	rig.p = p;
}


/* On a busy machine what was sent again may come when its round is over */
void rig_again(void)
{
	struct peer *p;

	assert_int_equal(peer_alloc(&p), 0);
	rig_peer(p);
}


void rig_call(const char *offer, const struct sip_call_conf *more)
{
	struct sip_call_conf conf = {0};
	struct mbuf *sdp = offer ? sdp_make(offer) : NULL;
	struct sip_ident *us = ident_make(.aor = "sip:us@example.com");

	if (more)
		conf = *more;
	if (!conf.uri)
		conf.uri = peer_uri(rig.p);
	if (!conf.ident)
		conf.ident = us;

	assert_int_equal(sip_call_connect(&rig.c, rig.s, &conf, sdp, &call_h,
					  NULL), 0);
	mem_deref(us);
	mem_deref(sdp);
}


void rig_call_up(struct peer_dialog *d)
{
	const struct sip_msg *inv;

	rig_call("our session\r\n", NULL);
	inv = rig_expect("INVITE");
	peer_reply(rig.p, inv, 180, "t1", "", NULL);
	peer_reply(rig.p, inv, 200, "t1", "", "their session\r\n");
	(void)rig_expect("ACK");
	rig_wait(&rig.established, 1);
	peer_dialog_uas(d, rig.p, inv, "t1");
}


void rig_called(struct peer_dialog *d, const char *headers, const char *body)
{
	peer_dialog_uac(d, rig.p, &rig.addr);
	rig_invite(d, headers, body);
}


void rig_invite(struct peer_dialog *d, const char *headers, const char *body)
{
	const unsigned n = rig.invites + 1;

	peer_request(rig.p, d, "INVITE", headers, body);
	rig_wait(&rig.invites, n);
}


void rig_ack(struct peer_dialog *d, uint32_t cseq, const char *body)
{
	const uint32_t now = d->cseq;

	d->cseq = cseq;
	peer_request(rig.p, d, "ACK", "", body);
	d->cseq = now;
}


void rig_called_up(struct peer_dialog *d)
{
	rig.auto_answer = true;
	rig_called(d, "", "their session\r\n");
	peer_dialog_take(d, rig_expect("200 INVITE"));
	peer_request(rig.p, d, "ACK", "", NULL);
	rig_wait(&rig.established, 1);
}
