/**
 * @file test_registration.c  REGISTER against a registrar that says anything
 *
 * The clock runs by hand beside the loop, so that half an hour passes in no
 * time while packets take theirs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "registration.h"
#include "able.h"
#include "../../fake/ident.h"
#include "../../fake/sip_peer.h"


enum {
	WAIT_MS  = 3000,
	QUIET_MS = 60,
	NOTES    = 64,
};

#define URN "urn:uuid:00000000-0000-1000-8000-aabbccddeeff"

static struct rig {
	struct sip_stack *s;
	struct sa addr;              /* UDP                              */
	struct sa tcp;
	struct peer *p, *p2;
	struct sip_creds *creds;
	struct sip_ident *id;
	struct sip_reg *r;
	struct tmr tick;
	uint64_t tick_ms;

	struct sip_reg_status notev[NOTES];
	unsigned notec, read;
	bool free_in_h;
} rig;


/* The clock goes with the real one, and further when a test says so */
static void tick_h(void *arg)
{
	const uint64_t now = tmr_jiffies();
	(void)arg;

	timers_advance(now - rig.tick_ms);
	rig.tick_ms = now;
	tmr_start(&rig.tick, 2, tick_h, NULL);
}


static int setup(void **state)
{
	struct sip_listen_addr la = {.udp = true, .tcp = true};
	const struct sip_stack_conf conf = {
		.user_agent = "test", .addrv = &la, .addrc = 1,
		.resolve_ms = 300, .timeout_ms = 2000,
	};
	const struct sip_stack_h h = {.invite_h = NULL};
	enum sip_transp tp;
	struct sa sa;
	char err[256];
	size_t i;
	(void)state;

	memset(&rig, 0, sizeof(rig));
	clock_fake_start(1000000000000ULL);
	if (libre_init() || timers_open())
		return -1;

	rig.tick_ms = tmr_jiffies();
	tmr_start(&rig.tick, 2, tick_h, NULL);

	(void)sa_set_str(&la.addr, "127.0.0.1", 0);
	if (sip_stack_alloc(&rig.s, &conf, &h, NULL, err, sizeof(err)) ||
	    peer_alloc(&rig.p) || peer_alloc(&rig.p2) ||
	    sip_creds_alloc(&rig.creds, "al", "secret", NULL))
		return -1;

	rig.s->t1_ms = 20;
	for (i = 0; sip_stack_listener(rig.s, i, &sa, &tp); i++) {
		if (tp == SIP_TRANSP_UDP)
			rig.addr = sa;
		else
			rig.tcp = sa;
	}

	return 0;
}


static int teardown(void **state)
{
	(void)state;

	rig.r = mem_deref(rig.r);
	mem_deref(rig.id);
	mem_deref(rig.creds);
	mem_deref(rig.s);
	mem_deref(rig.p);
	mem_deref(rig.p2);
	tmr_cancel(&rig.tick);
	assert_int_equal(timers_count(), 0);
	timers_close();
	libre_close();
	clock_fake_stop();

	return 0;
}


static void reg_h(const struct sip_reg_status *st, void *arg)
{
	(void)arg;

	if (rig.notec < NOTES)
		rig.notev[rig.notec++] = *st;
	if (rig.free_in_h)
		rig.r = mem_deref(rig.r);
}


static bool is_told(void *arg)
{
	(void)arg;

	return rig.notec > rig.read;
}


/* The next thing the user was told */
static const struct sip_reg_status *told(enum sip_reg_state st)
{
	const struct sip_reg_status *n;

	if (!loop_until(is_told, NULL, WAIT_MS))
		fail_msg("nothing told, not %s", sip_reg_state_name(st));

	n = &rig.notev[rig.read++];
	if (n->state != st)
		fail_msg("%s, not %s (%u %s)", sip_reg_state_name(n->state),
			 sip_reg_state_name(st), n->result.code,
			 n->result.reason);

	return n;
}


static void told_nothing(void)
{
	loop_run(QUIET_MS);
	assert_int_equal(rig.notec, rig.read);
}


static const char *peer_host(const struct peer *p)
{
	static char buf[2][80];
	static unsigned n;
	char *s = buf[n++ % 2];

	(void)re_snprintf(s, sizeof(buf[0]), "sip:%J", peer_addr(p));

	return s;
}


/* Registered with the peer as its registrar, unless conf says otherwise */
static void reg_new(const struct sip_reg_conf *more,
		    const struct sip_ident_conf *who)
{
	struct sip_ident_conf ic = {0};
	struct sip_reg_conf conf = {0};

	if (who)
		ic = *who;
	if (more)
		conf = *more;
	if (!ic.aor)
		ic.aor = "sip:al@example.com";
	if (!ic.serverv[0] && !ic.routev[0])
		ic.serverv[0] = peer_host(rig.p);
	ic.creds = rig.creds;

	assert_int_equal(sip_ident_alloc(&rig.id, &ic), 0);
	conf.ident = rig.id;
	assert_int_equal(sip_reg_alloc(&rig.r, rig.s, &conf, reg_h, NULL), 0);
	assert_int_equal(sip_reg_state(rig.r), SIP_REG_OFF);
	sip_reg_start(rig.r);
	assert_int_equal(rig.notec, 0);
}


/* To the next attempt, and not beyond: what follows takes its own time */
static void leap(unsigned flow)
{
	timers_advance(timer_left_ms(&rig.r->flowv[flow].tmr) + 1);
}


static const struct sip_msg *expect(void)
{
	const struct sip_msg *msg = peer_wait(rig.p, "REGISTER", WAIT_MS);

	assert_non_null(msg);

	return msg;
}


static void quiet(void)
{
	loop_run(QUIET_MS);
	assert_int_equal(peer_count(rig.p, "REGISTER"), 0);
}


/* As we told it, with so much time */
static void grant(const struct sip_msg *req, unsigned expires,
		  const char *more)
{
	char contact[512], lines[2048];

	(void)snprintf(contact, sizeof(contact), "%s",
		       msg_header(req, "Contact"));
	*strstr(contact, ";expires=") = '\0';
	(void)snprintf(lines, sizeof(lines), "Contact: %s;expires=%u\r\n%s",
		       contact, expires, more);
	peer_reply(rig.p, req, 200, "t", lines, NULL);
}


static void up(unsigned expires)
{
	reg_new(NULL, NULL);
	(void)told(SIP_REG_REGISTERING);
	grant(expect(), expires, "");
	(void)told(SIP_REG_REGISTERED);
}


static void test_plain(void **state)
{
	const struct sip_reg_conf conf = {.expires_s = 1800};
	const struct sip_ident_conf who = {
		.aor = "sip:al@example.com:5070", .name = "Al",
		.headers = "X-Mine: 1\r\n",
	};
	const struct sip_reg_status *n;
	const struct sip_binding *b;
	const struct sip_msg *req;
	char callid[80], want[128];
	uint32_t cseq;
	(void)state;

	reg_new(&conf, &who);
	n = told(SIP_REG_REGISTERING);
	assert_int_equal(n->next_ms, -1);

	req = expect();
	assert_string_equal(msg_ruri(req), peer_host(rig.p));
	assert_string_equal(msg_header(req, "To"),
			    "<sip:al@example.com:5070>");
	assert_non_null(strstr(msg_header(req, "From"),
			       "\"Al\" <sip:al@example.com:5070>;tag="));
	(void)re_snprintf(want, sizeof(want), "<sip:al@%J>;expires=1800",
			  &rig.addr);
	assert_string_equal(msg_header(req, "Contact"), want);
	assert_string_equal(msg_header(req, "Expires"), "1800");
	assert_string_equal(msg_header(req, "Supported"), "path");
	assert_string_equal(msg_header(req, "Allow"), SIP_ALLOW);
	assert_string_equal(msg_header(req, "X-Mine"), "1");
	assert_string_equal(msg_header(req, "Route"), "");
	(void)pl_strcpy(&req->callid, callid, sizeof(callid));
	cseq = req->cseq.num;

	grant(req, 1800, "P-Associated-URI: <sip:al@b>, <sip:+1@b;user=phone>"
	      "\r\n");
	n = told(SIP_REG_REGISTERED);
	assert_int_equal(n->result.code, 200);
	assert_int_equal(n->result.cause, SIP_CAUSE_NONE);
	assert_in_range(n->next_ms, 1440000 - 100, 1620000);
	assert_in_range(n->expires_s, 1799, 1800);
	assert_string_equal(n->server, peer_host(rig.p) + 4);
	assert_int_equal(rig.id->aliasc, 2);
	assert_string_equal(rig.id->aliasv[1], "sip:+1@b;user=phone");

	b = sip_reg_binding(rig.r, 0, 0);
	assert_non_null(b);
	assert_true(b->ours);
	assert_null(sip_reg_binding(rig.r, 0, 1));
	assert_null(sip_reg_binding(rig.r, 1, 0));

	/* half an hour later, and in time */
	timers_advance(1435000);
	quiet();
	leap(0);
	n = told(SIP_REG_REFRESHING);
	assert_int_equal(n->next_ms, -1);
	assert_in_range(n->expires_s, 170, 360);
	req = expect();
	assert_int_equal(pl_strcmp(&req->callid, callid), 0);
	assert_int_equal(req->cseq.num, cseq + 1);
	grant(req, 1800, "");
	(void)told(SIP_REG_REGISTERED);
	assert_int_equal(rig.id->aliasc, 0);
	told_nothing();
}


/* Sooner, at the user's word; twice is once */
static void test_refresh_now(void **state)
{
	(void)state;

	up(3600);
	sip_reg_start(rig.r);
	sip_reg_start(rig.r);
	told(SIP_REG_REFRESHING);
	sip_reg_start(rig.r);
	grant(expect(), 3600, "");
	(void)told(SIP_REG_REGISTERED);
	quiet();
	told_nothing();
}


static void challenge(const struct sip_msg *req, const char *nonce,
		      const char *more)
{
	char lines[256];

	(void)snprintf(lines, sizeof(lines), "WWW-Authenticate: Digest "
		       "realm=\"r\", qop=\"auth\", nonce=\"%s\"%s\r\n", nonce,
		       more);
	peer_reply(rig.p, req, 401, "t", lines, NULL);
}


/* Asked once, then known: stale, nextnonce */
static void test_digest(void **state)
{
	const struct sip_msg *req;
	const char *auth;
	(void)state;

	reg_new(NULL, NULL);
	(void)told(SIP_REG_REGISTERING);
	req = expect();
	assert_string_equal(msg_header(req, "Authorization"), "");
	challenge(req, "n1", "");
	req = expect();
	auth = msg_header(req, "Authorization");
	assert_non_null(strstr(auth, "nonce=\"n1\""));
	assert_non_null(strstr(auth, "uri=\"sip:127.0.0.1:"));
	grant(req, 3600, "Authentication-Info: nextnonce=\"n2\"\r\n");
	(void)told(SIP_REG_REGISTERED);

	sip_reg_start(rig.r);
	(void)told(SIP_REG_REFRESHING);
	req = expect();
	auth = msg_header(req, "Authorization");
	assert_non_null(strstr(auth, "nonce=\"n2\""));
	assert_non_null(strstr(auth, "nc=00000001"));
	challenge(req, "n3", ", stale=true");
	req = expect();
	assert_non_null(strstr(msg_header(req, "Authorization"),
			       "nonce=\"n3\""));
	grant(req, 3600, "");
	(void)told(SIP_REG_REGISTERED);

	/* whoever we call may ask for that realm, and for no other */
	assert_int_equal(rig.id->realmc, 1);
	assert_string_equal(rig.id->realmv[0], "r");

	/* and they leave with it too */
	sip_reg_stop(rig.r, false);
	req = expect();
	assert_non_null(strstr(msg_header(req, "Authorization"),
			       "nonce=\"n3\""));
	assert_non_null(strstr(msg_header(req, "Authorization"),
			       "nc=00000002"));
}


/* A refused password is not tried again and again */
static void test_refused(void **state)
{
	const struct sip_reg_status *n;
	const struct sip_msg *req;
	(void)state;

	reg_new(NULL, NULL);
	(void)told(SIP_REG_REGISTERING);
	challenge(expect(), "n1", "");
	challenge(expect(), "n2", "");
	n = told(SIP_REG_FAILED);
	assert_int_equal(n->result.cause, SIP_CAUSE_AUTH);
	assert_int_equal(n->result.code, 401);
	assert_in_range(n->next_ms, 900000 - 100, 1800000);
	quiet();

	/* an attempt of its own: what was learnt is forgotten */
	leap(0);
	(void)told(SIP_REG_REGISTERING);
	req = expect();
	assert_string_equal(msg_header(req, "Authorization"), "");
	peer_reply(rig.p, req, 403, "t", "", NULL);
	n = told(SIP_REG_FAILED);
	assert_int_equal(n->result.code, 403);
	assert_in_range(n->next_ms, 900000 - 100, 1800000);
}


/* RFC 5626 4.5: 30 s times two to the number of failures, half an hour at
 * most, and between half and all of that */
static void test_backoff(void **state)
{
	static const unsigned most_s[] = {
		60, 120, 240, 480, 960, 1800, 1800, 1800,
	};
	const struct sip_reg_status *n;
	bool varied = false;
	int64_t last = 0;
	size_t i;
	(void)state;

	reg_new(NULL, NULL);

	for (i = 0; i < COUNTOF(most_s); i++) {
		(void)told(SIP_REG_REGISTERING);
		peer_reply(rig.p, expect(), 500, "t", "", NULL);
		n = told(SIP_REG_FAILED);
		assert_int_equal(n->result.code, 500);
		assert_int_equal(n->result.cause, SIP_CAUSE_STATUS);
		assert_in_range(n->next_ms, 500 * most_s[i] - 100,
				1000 * most_s[i]);
		varied = varied || (i >= 6 && n->next_ms / 10 != last / 10);
		last = n->next_ms;
		leap(0);
	}
	assert_true(varied);

	/* once it works, a failure is the first one again */
	(void)told(SIP_REG_REGISTERING);
	grant(expect(), 3600, "");
	(void)told(SIP_REG_REGISTERED);
	sip_reg_start(rig.r);
	(void)told(SIP_REG_REFRESHING);
	peer_reply(rig.p, expect(), 503, "t", "", NULL);
	n = told(SIP_REG_FAILED);
	assert_in_range(n->next_ms, 30000 - 100, 60000);
	assert_in_range(n->expires_s, 3500, 3600);   /* still there */
}


static void test_retry_after(void **state)
{
	const struct sip_reg_status *n;
	(void)state;

	reg_new(NULL, NULL);
	(void)told(SIP_REG_REGISTERING);
	peer_reply(rig.p, expect(), 503, "t", "Retry-After: 300 (later)\r\n",
		   NULL);
	n = told(SIP_REG_FAILED);
	assert_int_equal(n->result.retry_after_s, 300);
	assert_in_range(n->next_ms, 300000 - 100, 330000);

	leap(0);
	(void)told(SIP_REG_REGISTERING);
	peer_reply(rig.p, expect(), 486, "t", "Retry-After: 4000000000\r\n",
		   NULL);
	n = told(SIP_REG_FAILED);
	assert_in_range(n->next_ms, 86400000 - 100, 95040000);
}


static void test_no_answer(void **state)
{
	const struct sip_reg_status *n;
	(void)state;

	reg_new(NULL, NULL);
	(void)told(SIP_REG_REGISTERING);
	(void)expect();
	timers_advance(2000);
	n = told(SIP_REG_FAILED);
	assert_int_equal(n->result.cause, SIP_CAUSE_TIMEOUT);
	assert_int_equal(n->result.code, 0);
	assert_in_range(n->next_ms, 30000 - 100, 60000);
	peer_forget(rig.p);

	/* the user does not wait */
	sip_reg_start(rig.r);
	(void)told(SIP_REG_REGISTERING);
	grant(expect(), 60, "");
	(void)told(SIP_REG_REGISTERED);
}


/* 423, and a registrar that never has enough */
static void test_too_brief(void **state)
{
	const struct sip_reg_conf conf = {.expires_s = 60};
	const struct sip_reg_status *n;
	const struct sip_msg *req;
	char line[64];
	unsigned i;
	(void)state;

	reg_new(&conf, NULL);
	(void)told(SIP_REG_REGISTERING);
	peer_reply(rig.p, expect(), 423, "t", "Min-Expires: 120\r\n", NULL);
	req = expect();
	assert_string_equal(msg_header(req, "Expires"), "120");
	assert_non_null(strstr(msg_header(req, "Contact"), ";expires=120"));
	grant(req, 120, "");
	(void)told(SIP_REG_REGISTERED);

	/* it is remembered */
	sip_reg_start(rig.r);
	(void)told(SIP_REG_REFRESHING);
	req = expect();
	assert_string_equal(msg_header(req, "Expires"), "120");
	for (i = 0; i < 5; i++) {
		(void)snprintf(line, sizeof(line), "Min-Expires: %u\r\n",
			       200 + i);
		peer_reply(rig.p, req, 423, "t", line, NULL);
		req = expect();
	}
	peer_reply(rig.p, req, 423, "t", "Min-Expires: 300\r\n", NULL);
	n = told(SIP_REG_FAILED);
	assert_int_equal(n->result.code, 423);

	/* less than we asked for makes no sense */
	sip_reg_start(rig.r);
	(void)told(SIP_REG_REGISTERING);
	peer_reply(rig.p, expect(), 423, "t", "Min-Expires: 1\r\n", NULL);
	(void)told(SIP_REG_FAILED);
	sip_reg_start(rig.r);
	(void)told(SIP_REG_REGISTERING);
	peer_reply(rig.p, expect(), 423, "t", "", NULL);
	(void)told(SIP_REG_FAILED);
}


static void redirect(struct peer *from, const struct sip_msg *req,
		     unsigned code, const struct peer *to)
{
	char line[128];

	(void)snprintf(line, sizeof(line), "Contact: <%s>\r\n",
		       peer_host(to));
	peer_reply(from, req, code, "t", line, NULL);
}


static void test_redirected(void **state)
{
	const struct sip_msg *req;
	struct peer *first = rig.p;
	unsigned i;
	(void)state;

	reg_new(NULL, NULL);
	(void)told(SIP_REG_REGISTERING);
	redirect(rig.p, expect(), 302, rig.p2);

	/* the other one may ask who we are, and holds us from now on */
	rig.p = rig.p2;
	req = expect();
	assert_string_equal(msg_ruri(req), peer_host(rig.p2));
	assert_string_equal(msg_header(req, "Route"), "");
	challenge(req, "n1", "");
	req = expect();
	assert_non_null(strstr(msg_header(req, "Authorization"), "\"n1\""));
	grant(req, 3600, "");
	(void)told(SIP_REG_REGISTERED);
	sip_reg_start(rig.r);
	(void)told(SIP_REG_REFRESHING);
	peer_reply(rig.p, expect(), 500, "t", "", NULL);
	(void)told(SIP_REG_FAILED);

	/* after a failure the first one decides anew */
	rig.p = first;
	sip_reg_start(rig.r);
	(void)told(SIP_REG_REGISTERING);
	redirect(rig.p, expect(), 305, rig.p2);
	rig.p = rig.p2;
	req = expect();
	assert_string_equal(msg_ruri(req), peer_host(first));
	assert_non_null(strstr(msg_header(req, "Route"), peer_host(rig.p2)));
	assert_non_null(strstr(msg_header(req, "Route"), ";lr>"));

	/* round and round: it ends */
	peer_reply(rig.p, req, 500, "t", "", NULL);
	(void)told(SIP_REG_FAILED);
	rig.p = first;
	sip_reg_start(rig.r);
	(void)told(SIP_REG_REGISTERING);
	for (i = 0; i < 5; i++) {
		redirect(i % 2 ? rig.p2 : first,
			 peer_wait(i % 2 ? rig.p2 : first, "REGISTER",
				   WAIT_MS), 301, i % 2 ? first : rig.p2);
	}
	redirect(rig.p2, peer_wait(rig.p2, "REGISTER", WAIT_MS), 301, first);
	(void)told(SIP_REG_FAILED);

	/* to itself, to nowhere */
	sip_reg_start(rig.r);
	(void)told(SIP_REG_REGISTERING);
	redirect(rig.p, expect(), 302, rig.p);
	(void)told(SIP_REG_FAILED);
	sip_reg_start(rig.r);
	(void)told(SIP_REG_REGISTERING);
	peer_reply(rig.p, expect(), 302, "t", "Contact: <tel:1>\r\n", NULL);
	(void)told(SIP_REG_FAILED);
	rig.p = first;
}


static void test_unregister(void **state)
{
	const struct sip_msg *req;
	const char *contact;
	(void)state;

	up(3600);

	/* off at once, told later */
	sip_reg_stop(rig.r, false);
	assert_int_equal(rig.notec, rig.read);
	assert_int_equal(sip_reg_state(rig.r), SIP_REG_UNREGISTERING);
	(void)told(SIP_REG_UNREGISTERING);
	req = expect();
	contact = msg_header(req, "Contact");
	assert_non_null(strstr(contact, "<sip:al@127.0.0.1:"));
	assert_non_null(strstr(contact, ";expires=0"));
	assert_string_equal(msg_header(req, "Expires"), "");
	peer_reply(rig.p, req, 200, "t", "X-Contact: none\r\n", NULL);
	(void)told(SIP_REG_OFF);
	assert_null(sip_reg_binding(rig.r, 0, 0));
	timers_advance(7200000);
	quiet();
	told_nothing();

	/* nothing to take away */
	sip_reg_stop(rig.r, false);
	quiet();
	told_nothing();

	/* everybody's */
	sip_reg_stop(rig.r, true);
	(void)told(SIP_REG_UNREGISTERING);
	req = expect();
	assert_string_equal(msg_header(req, "Contact"), "*");
	assert_string_equal(msg_header(req, "Expires"), "0");
	challenge(req, "n", "");
	req = expect();
	assert_string_equal(msg_header(req, "Contact"), "*");
	peer_reply(rig.p, req, 500, "t", "X-Contact: none\r\n", NULL);
	assert_int_equal(told(SIP_REG_OFF)->result.code, 500);

	/* while it registers; and back before it is off */
	sip_reg_start(rig.r);
	(void)told(SIP_REG_REGISTERING);
	(void)expect();
	sip_reg_stop(rig.r, false);
	(void)told(SIP_REG_UNREGISTERING);
	req = expect();
	assert_non_null(strstr(msg_header(req, "Contact"), ";expires=0"));
	sip_reg_start(rig.r);
	challenge(req, "n", "");
	req = expect();
	assert_non_null(strstr(msg_header(req, "Contact"), ";expires=0"));
	peer_reply(rig.p, req, 200, "t", "X-Contact: none\r\n", NULL);
	(void)told(SIP_REG_REGISTERING);
	grant(expect(), 60, "");
	(void)told(SIP_REG_REGISTERED);
}


static void test_abandon(void **state)
{
	(void)state;

	up(3600);
	sip_reg_abandon(rig.r);
	(void)told(SIP_REG_OFF);
	timers_advance(7200000);
	quiet();

	sip_reg_start(rig.r);
	(void)told(SIP_REG_REGISTERING);
	(void)expect();
	sip_reg_abandon(rig.r);
	(void)told(SIP_REG_OFF);
}


/* For no time at all is a failure */
static void test_granted_nothing(void **state)
{
	const struct sip_reg_status *n;
	(void)state;

	reg_new(NULL, NULL);
	(void)told(SIP_REG_REGISTERING);
	grant(expect(), 0, "");
	n = told(SIP_REG_FAILED);
	assert_int_equal(n->result.cause, SIP_CAUSE_PROTOCOL);
}


static void test_routes(void **state)
{
	const struct sip_ident_conf who = {
		.aor = "sip:al@example.com",
		.routev = {peer_host(rig.p)},
		.serverv = {"sip:reg.example.com:5071;transport=udp"},
	};
	char line[512], *v[8];
	const struct sip_msg *req;
	unsigned n = 0, i;
	(void)state;

	reg_new(NULL, &who);
	(void)told(SIP_REG_REGISTERING);
	req = expect();
	assert_string_equal(msg_ruri(req), "sip:reg.example.com:5071");
	(void)snprintf(line, sizeof(line), "<%s;lr>", who.routev[0]);
	assert_string_equal(msg_header(req, "Route"), line);

	(void)snprintf(line, sizeof(line), "Service-Route: <%s;lr>,"
		       " <sip:s1.example.com;lr>;x=y\r\n"
		       "Service-Route: <sip:s2.example.com;lr>\r\n",
		       who.routev[0]);
	grant(req, 3600, line);
	(void)told(SIP_REG_REGISTERED);

	/* the proxy is there once; those in the route may challenge */
	assert_int_equal(ident_routes(rig.id, v, &n, COUNTOF(v)), 0);
	assert_int_equal(n, 3);
	assert_string_equal(v[1], "<sip:s1.example.com;lr>;x=y");
	assert_string_equal(v[2], "<sip:s2.example.com;lr>");
	for (i = 0; i < n; i++)
		mem_deref(v[i]);
	assert_ptr_equal(ident_creds(rig.id, "sip:s2.example.com"),
			 rig.creds);

	/* REGISTER itself goes as before; a list with a hole is none */
	sip_reg_start(rig.r);
	(void)told(SIP_REG_REFRESHING);
	req = expect();
	(void)snprintf(line, sizeof(line), "<%s;lr>", who.routev[0]);
	assert_string_equal(msg_header(req, "Route"), line);
	grant(req, 3600, "Service-Route: <sip:s1;lr>, <sip:\r\n");
	(void)told(SIP_REG_REGISTERED);
	n = 0;
	assert_int_equal(ident_routes(rig.id, v, &n, COUNTOF(v)), 0);
	assert_int_equal(n, 1);
	mem_deref(v[0]);
}


/* Without a proxy the Service-Route is the way out */
static void test_service_hop(void **state)
{
	(void)state;

	reg_new(NULL, NULL);
	(void)told(SIP_REG_REGISTERING);
	grant(expect(), 3600, "Service-Route: <sip:s1;transport=tcp;lr>\r\n");
	(void)told(SIP_REG_REGISTERED);
	assert_string_equal(sip_ident_hop(rig.id, "sip:bob@x"),
			    "sip:s1;transport=tcp;lr");

	sip_reg_abandon(rig.r);
	(void)told(SIP_REG_OFF);
	assert_string_equal(sip_ident_hop(rig.id, "sip:bob@x"), "sip:bob@x");
}


static void test_gruu(void **state)
{
	const struct sip_reg_conf conf = {
		.gruu = true, .instance = URN, .q = "0.75",
	};
	const struct sip_msg *req;
	(void)state;

	reg_new(&conf, NULL);
	(void)told(SIP_REG_REGISTERING);
	req = expect();
	assert_string_equal(msg_header(req, "Supported"), "path, gruu");
	assert_non_null(strstr(msg_header(req, "Contact"),
			       ";+sip.instance=\"<" URN ">\";q=0.75;"
			       "expires="));
	peer_reply(rig.p, req, 200, "t", "Contact: <sip:x@h>;expires=60;"
		   "+sip.instance=\"<" URN ">\";pub-gruu=\"sip:al@h;gr=1\";"
		   "temp-gruu=\"sip:tmp@h;gr\"\r\n", NULL);
	(void)told(SIP_REG_REGISTERED);
	assert_string_equal(rig.id->gruu, "sip:al@h;gr=1");
	assert_string_equal(rig.id->temp_gruu, "sip:tmp@h;gr");

	sip_reg_abandon(rig.r);
	(void)told(SIP_REG_OFF);
	assert_null(rig.id->gruu);
}


/* Seen under another address: told so, once, and the old one taken away */
static void test_nat(void **state)
{
	const struct sip_reg_conf conf = {.nat = true};
	const struct sip_msg *req;
	char told_as[512];
	struct le *le;
	struct sa sa;
	unsigned n = 0;
	(void)state;

	(void)sa_set_str(&sa, "198.51.100.7", 40000);
	peer_see(rig.p, &sa);
	reg_new(&conf, NULL);
	(void)told(SIP_REG_REGISTERING);
	req = expect();
	(void)snprintf(told_as, sizeof(told_as), "%s",
		       msg_header(req, "Contact"));
	grant(req, 3600, "");

	req = expect();
	assert_non_null(strstr(msg_header(req, "Contact"),
			       "<sip:al@198.51.100.7:40000>;expires=3600"));
	for (le = req->hdrl.head; le; le = le->next) {
		const struct sip_hdr *hdr = le->data;

		if (hdr->id != SIP_HDR_CONTACT)
			continue;
		++n;
		if (n == 2) {
			*strchr(told_as, ';') = '\0';
			assert_int_equal(hdr->val.l, strlen(told_as) + 10);
			assert_memory_equal(hdr->val.p, told_as,
					    strlen(told_as));
			assert_memory_equal(hdr->val.p + strlen(told_as),
					    ";expires=0", 10);
		}
	}
	assert_int_equal(n, 2);

	/* and if it changes its mind each time, we do not */
	sa_set_port(&sa, 40001);
	peer_see(rig.p, &sa);
	grant(req, 3600, "");
	assert_string_equal(told(SIP_REG_REGISTERED)->contact,
			    "sip:al@198.51.100.7:40000");
	quiet();

	/* it is what calls tell too */
	assert_true(sa_cmp(&rig.id->flowv[0].seen, &sa, SA_ALL));

	/* the next refresh says it, and takes the old one away */
	sip_reg_start(rig.r);
	(void)told(SIP_REG_REFRESHING);
	req = expect();
	assert_non_null(strstr(msg_header(req, "Contact"), ":40001>"));
	grant(req, 3600, "");
	(void)told(SIP_REG_REGISTERED);
	quiet();

	/* no NAT any more */
	peer_see(rig.p, NULL);
	sip_reg_start(rig.r);
	(void)told(SIP_REG_REFRESHING);
	grant(expect(), 3600, "");
	grant(expect(), 3600, "");
	(void)told(SIP_REG_REGISTERED);
	assert_false(sa_isset(&rig.id->flowv[0].seen, SA_ADDR));
}


/* nat=off: whatever they see */
static void test_nat_off(void **state)
{
	struct sa sa;
	(void)state;

	(void)sa_set_str(&sa, "198.51.100.7", 40000);
	peer_see(rig.p, &sa);
	up(3600);
	quiet();
	assert_false(sa_isset(&rig.id->flowv[0].seen, SA_ADDR));
}


struct raws {
	const struct peer *p;
	unsigned n;
};


static bool raws_came(void *arg)
{
	const struct raws *w = arg;
	unsigned n;

	(void)peer_raw(w->p, NULL, &n);

	return n >= w->n;
}


static void expect_raws(const struct peer *p, unsigned n)
{
	struct raws w = {.p = p, .n = n};

	assert_true(loop_until(raws_came, &w, WAIT_MS));
}


static unsigned raws(const struct peer *p)
{
	unsigned n;

	(void)peer_raw(p, NULL, &n);

	return n;
}


/* Go on in small steps until the next one has come. @return after so long */
static unsigned step_to_raw(const struct peer *p, unsigned most_ms)
{
	const unsigned n = raws(p);
	unsigned ms;

	for (ms = 0; ms < most_ms && raws(p) == n; ms += 500) {
		timers_advance(500);
		loop_run(1);
	}
	expect_raws(p, n + 1);

	return ms;
}


static void test_keepalive(void **state)
{
	const struct sip_reg_conf nat = {.nat = true};
	const struct sip_reg_conf on = {
		.keep = SIP_REG_KEEP_ON, .keepalive_s = 10,
	};
	struct sa sa;
	size_t len;
	(void)state;

	/* no NAT, nothing to keep open */
	reg_new(&nat, NULL);
	(void)told(SIP_REG_REGISTERING);
	grant(expect(), 3600, "");
	(void)told(SIP_REG_REGISTERED);
	timers_advance(60000);
	loop_run(QUIET_MS);
	assert_int_equal(raws(rig.p), 0);

	/* behind one: before half a minute is over */
	(void)sa_set_str(&sa, "198.51.100.7", 40000);
	peer_see(rig.p, &sa);
	sip_reg_start(rig.r);
	(void)told(SIP_REG_REFRESHING);
	grant(expect(), 3600, "");
	grant(expect(), 3600, "");
	(void)told(SIP_REG_REGISTERED);
	timers_advance(29000);
	expect_raws(rig.p, 1);
	assert_memory_equal(peer_raw(rig.p, &len, NULL), "\r\n\r\n", 4);
	assert_int_equal(len, 4);
	timers_advance(29000);
	expect_raws(rig.p, 2);

	/* none is sent for who has left */
	sip_reg_abandon(rig.r);
	(void)told(SIP_REG_OFF);
	timers_advance(60000);
	loop_run(QUIET_MS);
	assert_int_equal(raws(rig.p), 2);
	rig.r = mem_deref(rig.r);
	rig.id = mem_deref(rig.id);
	peer_see(rig.p, NULL);

	/* because the user wants it */
	rig.notec = rig.read = 0;
	reg_new(&on, NULL);
	(void)told(SIP_REG_REGISTERING);
	grant(expect(), 3600, "");
	(void)told(SIP_REG_REGISTERED);
	timers_advance(10000);
	expect_raws(rig.p, 3);
}


static void stun_answer(struct peer *p, const char *addr, uint16_t port,
			uint16_t type)
{
	uint8_t m[32] = {1, 1, 0, 12};
	size_t len;
	const uint8_t *req = peer_raw(p, &len, NULL);
	struct sa sa;

	assert_int_equal(len, 20);
	assert_memory_equal(req, "\0\1\0\0\x21\x12\xa4\x42", 8);
	memcpy(m + 4, req + 4, 16);
	(void)sa_set_str(&sa, addr, port);
	m[0] = (uint8_t)(type >> 8);
	m[1] = (uint8_t)type;
	m[21] = 0x20;
	m[23] = 8;
	m[25] = 1;
	m[26] = (uint8_t)(port >> 8) ^ 0x21;
	m[27] = (uint8_t)port ^ 0x12;
	m[28] = (uint8_t)(sa_in(&sa) >> 24) ^ 0x21;
	m[29] = (uint8_t)(sa_in(&sa) >> 16) ^ 0x12;
	m[30] = (uint8_t)(sa_in(&sa) >> 8) ^ 0xa4;
	m[31] = (uint8_t)sa_in(&sa) ^ 0x42;

	peer_send(p, &rig.addr, (char *)m, sizeof(m));
}


#define OUTBOUND "Require: outbound\r\nFlow-Timer: 100\r\n"

/* RFC 5626 on UDP: STUN keeps the flow, and tells when it is another */
static void test_outbound_udp(void **state)
{
	const struct sip_reg_conf conf = {
		.outbound = true, .instance = URN, .nat = true,
	};
	const struct sip_reg_status *n;
	const struct sip_msg *req;
	unsigned sent, i;
	(void)state;

	reg_new(&conf, NULL);
	(void)told(SIP_REG_REGISTERING);
	req = expect();
	assert_string_equal(msg_header(req, "Supported"), "path, outbound");
	assert_non_null(strstr(msg_header(req, "Contact"), ";+sip.instance=\""
			       "<" URN ">\";reg-id=1;expires="));
	grant(req, 3600, OUTBOUND);
	n = told(SIP_REG_REGISTERED);
	assert_true(n->outbound);
	assert_true(rig.id->flowv[0].ob);

	/* as the server's timer says, 80 to 100 % of it */
	rig.s->t1_ms = SIP_T1_MS;
	assert_in_range(step_to_raw(rig.p, 101000), 79000, 101000);
	stun_answer(rig.p, "198.51.100.7", 1000, 0x0101);
	loop_run(QUIET_MS);
	assert_in_range(step_to_raw(rig.p, 101000), 79000, 101000);
	stun_answer(rig.p, "198.51.100.7", 1000, 0x0101);
	told_nothing();

	/* the NAT has forgotten us: register at once */
	(void)step_to_raw(rig.p, 101000);
	stun_answer(rig.p, "198.51.100.7", 1001, 0x0101);
	n = told(SIP_REG_FAILED);
	assert_int_equal(n->result.cause, SIP_CAUSE_TRANSPORT);
	assert_in_range(n->next_ms, 0, 1);
	(void)told(SIP_REG_REGISTERING);
	grant(expect(), 3600, OUTBOUND);
	(void)told(SIP_REG_REGISTERED);

	/* no answer: asked seven times, then lost */
	sent = raws(rig.p);
	(void)step_to_raw(rig.p, 101000);
	for (i = 0; i < 90 && rig.notec == rig.read; i++) {
		timers_advance(500);
		loop_run(1);
	}
	(void)told(SIP_REG_FAILED);
	assert_int_equal(raws(rig.p), sent + 7);
	(void)told(SIP_REG_REGISTERING);
	grant(expect(), 3600, OUTBOUND);
	(void)told(SIP_REG_REGISTERED);

	/* lost as soon as it stood: that one counts */
	(void)step_to_raw(rig.p, 101000);
	rig.r->flowv[0].begun_ms = clock_ms();
	stun_answer(rig.p, "198.51.100.7", 1, 0x0111);
	n = told(SIP_REG_FAILED);
	assert_in_range(n->next_ms, 30000 - 100, 60000);
}


/* The first hop knows nothing of it: without, then */
static void test_outbound_refused(void **state)
{
	const struct sip_reg_conf conf = {.outbound = true, .instance = URN};
	const struct sip_msg *req;
	(void)state;

	reg_new(&conf, NULL);
	(void)told(SIP_REG_REGISTERING);
	peer_reply(rig.p, expect(), 439, "t", "", NULL);
	req = expect();
	assert_null(strstr(msg_header(req, "Contact"), "reg-id"));
	assert_null(strstr(msg_header(req, "Supported"), "outbound"));
	grant(req, 3600, OUTBOUND);
	assert_false(told(SIP_REG_REGISTERED)->outbound);
}


/* Two proxies: two flows, the first one is used while it stands */
static void test_two_flows(void **state)
{
	const struct sip_reg_conf conf = {.outbound = true, .instance = URN};
	const struct sip_ident_conf who = {
		.aor = "sip:al@example.com",
		.routev = {peer_host(rig.p), peer_host(rig.p2)},
	};
	const struct sip_reg_status *n;
	const struct sip_msg *one, *two;
	(void)state;

	reg_new(&conf, &who);
	assert_int_equal(told(SIP_REG_REGISTERING)->flow, 0);
	assert_int_equal(told(SIP_REG_REGISTERING)->flow, 1);
	one = expect();
	two = peer_wait(rig.p2, "REGISTER", WAIT_MS);
	assert_non_null(two);
	assert_string_equal(msg_ruri(one), "sip:example.com");
	assert_non_null(strstr(msg_header(one, "Contact"), ";reg-id=1;"));
	assert_non_null(strstr(msg_header(two, "Contact"), ";reg-id=2;"));
	assert_int_not_equal(pl_cmp(&one->callid, &two->callid), 0);

	/* the second is there first */
	peer_reply(rig.p2, two, 200, "t", "Contact: <sip:q@h>;+sip.instance="
		   "\"<" URN ">\";reg-id=2;expires=600\r\n", NULL);
	assert_int_equal(told(SIP_REG_REGISTERED)->flow, 1);
	assert_int_equal(rig.id->flow, 1);
	assert_int_equal(sip_reg_state(rig.r), SIP_REG_REGISTERED);

	/* with one that stands the other has more time */
	peer_reply(rig.p, one, 500, "t", "", NULL);
	n = told(SIP_REG_FAILED);
	assert_int_equal(n->flow, 0);
	assert_in_range(n->next_ms, 90000 - 100, 180000);
	assert_int_equal(sip_reg_state(rig.r), SIP_REG_REGISTERED);

	leap(0);
	(void)told(SIP_REG_REGISTERING);
	grant(expect(), 600, "");
	(void)told(SIP_REG_REGISTERED);
	assert_int_equal(rig.id->flow, 0);

	/* both leave; nobody speaks for others twice */
	sip_reg_stop(rig.r, true);
	(void)told(SIP_REG_UNREGISTERING);
	(void)told(SIP_REG_UNREGISTERING);
	one = expect();
	two = peer_wait(rig.p2, "REGISTER", WAIT_MS);
	assert_string_equal(msg_header(one, "Contact"), "*");
	assert_non_null(strstr(msg_header(two, "Contact"), "reg-id=2;"
			       "expires=0"));
}


/* A connection: watched, and found again when it closes behind a NAT */
static void test_connection(void **state)
{
	const struct sip_reg_conf conf = {.nat = true};
	struct sip_ident_conf who = {.aor = "sip:al@example.com",
				     .transport = "tcp"};
	const struct sip_reg_status *n;
	const struct sip_msg *req;
	struct sa sa;
	(void)state;

	mem_deref(rig.p);
	assert_int_equal(peer_alloc_tcp(&rig.p, NULL), 0);
	who.serverv[0] = peer_host(rig.p);

	/* our port is another one, which is no NAT */
	(void)sa_set_str(&sa, "127.0.0.1", 40000);
	peer_see(rig.p, &sa);
	reg_new(&conf, &who);
	(void)told(SIP_REG_REGISTERING);
	req = expect();
	assert_non_null(strstr(msg_header(req, "Contact"),
			       ";transport=tcp>;expires="));
	grant(req, 3600, "");
	(void)told(SIP_REG_REGISTERED);
	quiet();
	timers_advance(200000);
	loop_run(QUIET_MS);
	assert_int_equal(raws(rig.p), 0);

	/* without one the server may close it: it can call us */
	peer_drop(rig.p);
	told_nothing();
	quiet();

	/* behind one we ask to be called on the connection */
	(void)sa_set_str(&sa, "198.51.100.7", 40001);
	peer_see(rig.p, &sa);
	sip_reg_start(rig.r);
	(void)told(SIP_REG_REFRESHING);
	grant(expect(), 3600, "");
	req = expect();
	assert_int_equal(peer_accepted(rig.p), 2);
	assert_non_null(strstr(msg_header(req, "Contact"),
			       "<sip:al@198.51.100.7:40001;transport=tcp>"));
	grant(req, 3600, "");
	(void)told(SIP_REG_REGISTERED);
	timers_advance(120000);
	expect_raws(rig.p, 1);

	peer_drop(rig.p);
	n = told(SIP_REG_FAILED);
	assert_int_equal(n->result.cause, SIP_CAUSE_TRANSPORT);
	assert_in_range(n->next_ms, 0, 1);
	(void)told(SIP_REG_REGISTERING);
	req = expect();
	assert_int_equal(peer_accepted(rig.p), 3);
	grant(req, 3600, "");
	grant(expect(), 3600, "");
	(void)told(SIP_REG_REGISTERED);
}


static struct {
	unsigned n, calls;
	struct sip_result res;
	struct sip_binding v[4];
} got;


static void fetch_h(const struct sip_result *res, const struct sip_binding *v,
		    unsigned n, void *arg)
{
	(void)arg;

	++got.calls;
	got.n = n;
	got.res = *res;
	if (v)
		memcpy(got.v, v, n * sizeof(*v));
}


static bool is_fetched(void *arg)
{
	return got.calls >= *(unsigned *)arg;
}


static void test_fetch(void **state)
{
	struct sip_reg_query *q = NULL;
	const struct sip_msg *req;
	unsigned n = 1;
	(void)state;

	memset(&got, 0, sizeof(got));
	rig.id = ident_make(.aor = "sip:al@example.com", .creds = rig.creds,
			    .serverv = {peer_host(rig.p)});
	assert_int_equal(sip_reg_fetch(&q, rig.s, rig.id, fetch_h, NULL), 0);
	req = expect();
	assert_string_equal(msg_header(req, "Contact"), "");
	assert_string_equal(msg_header(req, "Expires"), "");
	assert_string_equal(msg_header(req, "To"), "<sip:al@example.com>");
	challenge(req, "n", "");
	peer_reply(rig.p, expect(), 200, "t", "Contact: <sip:a@h1>;expires=5,"
		   " <sip:a@h2>;expires=6\r\n", NULL);
	assert_true(loop_until(is_fetched, &n, WAIT_MS));
	assert_int_equal(got.n, 2);
	assert_string_equal(got.v[1].uri, "sip:a@h2");
	assert_false(got.v[0].ours);
	mem_deref(q);

	assert_int_equal(sip_reg_fetch(&q, rig.s, rig.id, fetch_h, NULL), 0);
	peer_reply(rig.p, expect(), 404, "t", "", NULL);
	n = 2;
	assert_true(loop_until(is_fetched, &n, WAIT_MS));
	assert_int_equal(got.res.code, 404);
	mem_deref(q);

	/* nobody wants to know any more */
	assert_int_equal(sip_reg_fetch(&q, rig.s, rig.id, fetch_h, NULL), 0);
	req = expect();
	mem_deref(q);
	peer_reply(rig.p, req, 200, "t", "X-Contact: 1\r\n", NULL);
	loop_run(QUIET_MS);
	assert_int_equal(got.calls, 2);
}


/* Let go of inside, or with the stack gone first */
static void test_freed(void **state)
{
	(void)state;

	rig.free_in_h = true;
	reg_new(NULL, NULL);
	(void)told(SIP_REG_REGISTERING);
	assert_null(rig.r);
	rig.id = mem_deref(rig.id);
	(void)expect();
	told_nothing();

	rig.free_in_h = false;
	rig.notec = rig.read = 0;
	up(3600);
	registration_stack_gone(rig.s);
	sip_reg_start(rig.r);
	sip_reg_stop(rig.r, true);
	timers_advance(7200000);
	quiet();
}


/* Whoever closes the stack waits for us to leave */
static void closed_h(void *arg)
{
	*(bool *)arg = true;
}


static bool is_set(void *arg)
{
	return *(bool *)arg;
}


static void test_closing(void **state)
{
	const struct sip_msg *req;
	bool closed = false;
	(void)state;

	up(3600);
	sip_reg_stop(rig.r, false);
	sip_stack_close(rig.s, 2000, closed_h, &closed);
	(void)told(SIP_REG_UNREGISTERING);
	req = expect();
	assert_false(closed);
	peer_reply(rig.p, req, 200, "t", "X-Contact: none\r\n", NULL);
	(void)told(SIP_REG_OFF);
	assert_true(loop_until(is_set, &closed, WAIT_MS));

	/* and nobody begins */
	sip_reg_start(rig.r);
	quiet();
}


static void test_bad_conf(void **state)
{
	struct sip_reg_conf conf = {.gruu = true};
	(void)state;

	rig.id = ident_make(.aor = "sip:al@example.com");
	assert_int_equal(sip_reg_alloc(&rig.r, rig.s, &conf, reg_h, NULL),
			 EINVAL);
	conf.ident = rig.id;
	assert_int_equal(sip_reg_alloc(&rig.r, rig.s, &conf, reg_h, NULL),
			 EINVAL);
	conf.instance = "a\"b";
	assert_int_equal(sip_reg_alloc(&rig.r, rig.s, &conf, reg_h, NULL),
			 EINVAL);
	conf.instance = URN;
	conf.q = "0.5;x";
	assert_int_equal(sip_reg_alloc(&rig.r, rig.s, &conf, reg_h, NULL),
			 EINVAL);
	assert_null(rig.r);
	assert_int_equal(sip_reg_state(NULL), SIP_REG_OFF);
	assert_string_equal(sip_reg_state_name(SIP_REG_STATES), "?");
}


#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_plain),
		TEST(test_refresh_now),
		TEST(test_digest),
		TEST(test_refused),
		TEST(test_backoff),
		TEST(test_retry_after),
		TEST(test_no_answer),
		TEST(test_too_brief),
		TEST(test_redirected),
		TEST(test_unregister),
		TEST(test_abandon),
		TEST(test_granted_nothing),
		TEST(test_routes),
		TEST(test_service_hop),
		TEST(test_gruu),
		TEST(test_nat),
		TEST(test_nat_off),
		TEST(test_keepalive),
		TEST(test_outbound_udp),
		TEST(test_outbound_refused),
		TEST(test_two_flows),
		TEST(test_connection),
		TEST(test_fetch),
		TEST(test_freed),
		TEST(test_closing),
		TEST(test_bad_conf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
