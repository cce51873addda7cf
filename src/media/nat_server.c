/**
 * @file nat_server.c  The servers a flow asks on its way through NATs
 *
 * Media thread.  A STUN server is asked where we are seen, a relay for a port
 * of its own.  One that does not answer, or refuses, gives way to the next of
 * its kind as long as nobody was told what there is.
 */
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "nat_priv.h"


enum {
	STUN_RTO_US = 200000,
	STUN_TRIES  = 6,
	OTHERS_US   = 500000,    /* one is answered: the others have so long */
	NEXT_TRIES  = 3,         /* unanswered so often: the next server    */
	NEXT_US     = 1300000,   /* the same of a relay                     */
	REDIRECTS   = 2,         /* a relay may send us on so often         */
	KEEP_US     = 15000000,  /* a NAT forgets after thirty seconds      */
};


/* The STUN server -------------------------------------------------------- */

/* Each address that has the server's family */
static bool asked(const struct nat *n, unsigned no)
{
	return sa_isset(&n->conf.stun, SA_ALL) &&
		sa_af(nat_base_local(n, no)) == sa_af(&n->conf.stun);
}


static void base_ask(struct nat *n, unsigned no, uint64_t now_us)
{
	struct base *b = &n->basev[no];

	stunmsg_begin(&b->ask, SM_BINDING, SC_REQUEST, NULL);
	(void)stunmsg_end(&b->ask, NULL, 0, true);
	b->tries = 1;
	b->due_us = now_us + STUN_RTO_US;
	b->keep_us = now_us + KEEP_US;
	(void)nat_base_send(n, no, &n->conf.stun, b->ask.p, b->ask.len);
}


void nat_ask(struct nat *n, uint64_t now_us)
{
	n->mapped_us = 0;
	for (unsigned i = 0; i < MEDIA_BASES; i++) {
		n->basev[i].tries = 0;
		sa_init(&n->basev[i].mapped, AF_UNSPEC);
		if (asked(n, i))
			base_ask(n, i, now_us);
	}
}


bool nat_asks(const struct nat *n, uint64_t now_us)
{
	/* which has no way out would hold the others up */
	if (n->mapped_us && now_us > n->mapped_us + OTHERS_US)
		return false;

	for (unsigned i = 0; i < MEDIA_BASES; i++) {
		if (n->basev[i].tries &&
		    !sa_isset(&n->basev[i].mapped, SA_ALL))
			return true;
	}

	return false;
}


/* The one that failed goes to the end, should all be asked again.
 * @return true: there is another one to be asked */
static bool stun_other(struct nat *n)
{
	struct media_server *v = n->conf.stunv;
	const struct sa failed = n->conf.stun;

	if (n->stun_next == n->conf.stunc || n->mapped_us)
		return false;

	++n->stun_next;
	n->conf.stun = v[0].addr;
	memmove(v, v + 1, (n->conf.stunc - 1) * sizeof(*v));
	v[n->conf.stunc - 1].addr = failed;
	n->more_us += NEXT_US;

	return true;
}


static void base_tick(struct nat *n, unsigned no, uint64_t now_us)
{
	struct base *b = &n->basev[no];

	/* the way stays open, and if it has moved that is known; others than
	 * our own are of no use once ICE has chosen */
	if (!b->tries && now_us > b->keep_us) {
		if (!no || !n->ice || ice_state(n->ice) != ICE_CHOSEN)
			base_ask(n, no, now_us);
	}
	else if (b->tries >= NEXT_TRIES && now_us > b->due_us &&
		 stun_other(n)) {
		nat_ask(n, now_us);
	}
	else if (b->tries == STUN_TRIES && now_us > b->due_us) {
		b->tries = 0;
	}
	else if (b->tries && now_us > b->due_us) {
		b->due_us = now_us + ((uint64_t)STUN_RTO_US << b->tries);
		++b->tries;
		(void)nat_base_send(n, no, &n->conf.stun, b->ask.p,
				    b->ask.len);
	}
}


void nat_ask_tick(struct nat *n, uint64_t now_us)
{
	for (unsigned i = 0; i < MEDIA_BASES; i++) {
		if (asked(n, i))
			base_tick(n, i, now_us);
	}
}


bool nat_answered(struct nat *n, unsigned base, const uint8_t *p, size_t len)
{
	struct base *b = &n->basev[base];
	struct stun_in m;

	if (!b->tries || memcmp(p + 8, b->ask.p + 8, STUN_TID) ||
	    stunmsg_read(&m, p, len) || m.cls != SC_SUCCESS)
		return false;

	b->tries = 0;
	if (sa_isset(&m.mapped, SA_ALL)) {
		b->mapped = m.mapped;
		if (!n->mapped_us)
			n->mapped_us = clock_us();
	}

	return true;
}


/* Relays ----------------------------------------------------------------- */

static void relay_begin(struct nat *n)
{
	n->turn = mem_deref(n->turn);
	n->turn_told = n->turn_checked = false;
	n->turn_us = clock_us();
	if (n->conf.relay != RELAY_NONE &&
	    turn_alloc(&n->turn, &n->conf, nat_relay_out, nat_relayed_h, n))
		n->turn = NULL;
}


/* The next one; the one that failed goes to the end */
static void relay_rotate(struct media_nat *conf)
{
	struct media_server *v = conf->turnv, failed = {
		.addr = conf->turn, .relay = conf->relay,
	};

	str_ncpy(failed.host, conf->turn_host, sizeof(failed.host));
	conf->turn = v[0].addr;
	conf->relay = v[0].relay;
	str_ncpy(conf->turn_host, v[0].host, sizeof(conf->turn_host));
	memmove(v, v + 1, (conf->turnc - 1) * sizeof(*v));
	v[conf->turnc - 1] = failed;
}


/* From the same socket it would be refused a second time: is it there yet? */
void nat_relay_again(struct nat *n)
{
	if (!n->turn || turn_state(n->turn) || n->moved) {
		relay_begin(n);
		return;
	}

	n->turn_told = false;
	n->turn_checked = true;
	n->turn_us = clock_us();
	turn_check(n->turn);
}


/* Is there another address of ours to ask it from? */
static int relay_base(const struct nat *n)
{
	return n->conf.relay != RELAY_UDP ? -1 :
		nat_base_of(n, sa_af(&n->conf.turn), (int)n->turn_base);
}


/* The one that failed sends us to another, or there is another by name, or it
 * cannot be reached from that address of ours */
static bool relay_other(struct nat *n)
{
	const struct sa *alt = n->turn ? turn_alternate(n->turn) : NULL;
	const int base = relay_base(n);

	if (n->told)
		return false;

	if (alt && sa_isset(alt, SA_ALL) && n->redirects < REDIRECTS) {
		++n->redirects;
		n->conf.turn = *alt;
	}
	else if (n->turn_next < n->conf.turnc) {
		++n->turn_next;
		relay_rotate(&n->conf);
	}
	else if (base >= 0) {
		n->turn_base = (unsigned)base;
	}
	else {
		return false;
	}

	n->more_us += NEXT_US;
	relay_begin(n);

	return true;
}


void nat_relay_look(struct nat *n, uint64_t now_us)
{
	const int state = n->turn ? turn_state(n->turn) : 0;
	char why[TURN_ERR];

	if (!state || n->turn_told)
		return;

	if (state != EAGAIN && n->turn_checked) {
		/* it has forgotten us, or its connection is gone */
		relay_begin(n);
	}
	else if (state != EAGAIN) {
		str_ncpy(why, turn_error(n->turn), sizeof(why));
		if (!relay_other(n)) {
			n->turn_told = true;
			log_warn("%s", why);
		}
		else {
			log_info("%s: the next one is asked", why);
		}
	}
	else if (now_us > n->turn_us + NEXT_US &&
		 (n->turn_next < n->conf.turnc || relay_base(n) >= 0) &&
		 relay_other(n)) {
		log_info("the TURN server does not answer: the next one is"
			 " asked");
	}
}
