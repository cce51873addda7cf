/**
 * @file nat_base.c  The addresses of this machine that ICE sends from
 *
 * Media thread.  The first one is the flow's own, which the engine reads.  The
 * others have a socket each, read as something comes: sound takes that way
 * only when no better one works.  Numbers stay with their addresses as long as
 * these are there.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>
#include <offhook/hostaddr.h>
#define LOG_MODULE "media"
#include <offhook/log.h>
#include "nat_priv.h"


static void base_h(int flags, void *arg)
{
	struct base *b = arg;
	struct nat *n = b->n;
	const unsigned no = (unsigned)(b - n->basev);
	struct packet *pv;
	unsigned count;
	(void)flags;

	count = transport_recv(&b->tp, false, n->f->eng->inbox, &pv);
	for (unsigned i = 0; i < count; i++) {
		if (!nat_packet_at(n, no, &pv[i]) && n->f->started)
			flow_arrived(n->f, &pv[i]);
	}
}


static void base_close(struct base *b)
{
	if (b->tp.rtp >= 0)
		compat_fd_close(&b->watch);
	transport_close(&b->tp);
	sa_init(&b->tp.local, AF_UNSPEC);
	sa_init(&b->mapped, AF_UNSPEC);
	b->tries = 0;
}


/* Of two ways out the better one is that of the first address: what is sent
 * from another must not take it, where nobody would know that address */
static void base_bind(const struct base *b)
{
	const struct sa *local = &b->tp.local;
	const bool v6 = sa_af(local) == AF_INET6;
	const uint32_t index = htonl(hostaddr_interface(local));

	if (index)
		(void)setsockopt(b->tp.rtp, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
				 v6 ? IPV6_UNICAST_IF : IP_UNICAST_IF, &index,
				 sizeof(index));
}


static int base_open(struct base *b, const struct sa *addr)
{
	const struct media_conf *mc = &b->n->mc;
	int err = transport_open(&b->tp, addr, mc->port_min, mc->port_max);

	if (err)
		return err;

	/* reports share the port of sound */
	transport_mark(&b->tp, mc->dscp);
	base_bind(b);
	(void)close(b->tp.rtcp);
	b->tp.rtcp = -1;

	err = compat_fd_listen(&b->watch, b->tp.rtp, FD_READ, base_h, b);
	if (err) {
		(void)close(b->tp.rtp);
		b->tp.rtp = -1;
	}

	return err;
}


void nat_bases_init(struct nat *n)
{
	for (unsigned i = 0; i < MEDIA_BASES; i++) {
		struct base *b = &n->basev[i];

		b->n = n;
		b->tp.rtp = b->tp.rtcp = -1;
		sa_init(&b->tp.local, AF_UNSPEC);
		sa_init(&b->mapped, AF_UNSPEC);
	}
}


static bool wanted(const struct media_nat *conf, const struct sa *addr)
{
	for (unsigned i = 0; i < conf->basec; i++) {
		if (sa_cmp(&conf->basev[i], addr, SA_ADDR))
			return true;
	}

	return false;
}


static bool have(const struct nat *n, const struct sa *addr)
{
	for (unsigned i = 0; i < MEDIA_BASES; i++) {
		const struct sa *local = nat_base_local(n, i);

		if (sa_isset(local, SA_ADDR) && sa_cmp(local, addr, SA_ADDR))
			return true;
	}

	return false;
}


static struct base *unused(struct nat *n)
{
	for (unsigned i = 1; i < MEDIA_BASES; i++) {
		if (n->basev[i].tp.rtp < 0)
			return &n->basev[i];
	}

	return NULL;
}


void nat_bases_open(struct nat *n)
{
	const struct media_nat *conf = &n->conf;

	for (unsigned i = 1; i < MEDIA_BASES; i++) {
		struct base *b = &n->basev[i];

		if (b->tp.rtp >= 0 && !wanted(conf, &b->tp.local))
			base_close(b);
	}

	for (unsigned i = 0; i < conf->basec; i++) {
		struct base *b = have(n, &conf->basev[i]) ? NULL : unused(n);
		const int err = b ? base_open(b, &conf->basev[i]) : 0;

		/* it has just gone, or is not ready yet: there are others */
		if (err)
			log_info("ICE does without %s: %s",
				 address_text(&conf->basev[i]).s,
				 strerror(err));
	}
}


void nat_bases_close(struct nat *n)
{
	for (unsigned i = 1; i < MEDIA_BASES; i++)
		base_close(&n->basev[i]);
}


const struct sa *nat_base_local(const struct nat *n, unsigned no)
{
	return no ? &n->basev[no].tp.local : &n->f->tp.local;
}


int nat_base_of(const struct nat *n, int af, int behind)
{
	for (int i = behind + 1; af != AF_UNSPEC && i < MEDIA_BASES; i++) {
		if (sa_af(nat_base_local(n, (unsigned)i)) == af)
			return i;
	}

	return -1;
}


int nat_base_send(struct nat *n, unsigned no, const struct sa *dst,
		  const uint8_t *p, size_t len)
{
	return transport_send_raw(no ? &n->basev[no].tp : &n->f->tp, false,
				  dst, p, len);
}


bool nat_based(const struct nat *n, const struct sa *addrv, unsigned addrc)
{
	unsigned via = 0;
	struct sa dst;

	if (!n->ice || !ice_way(n->ice, &dst, &via) || !via ||
	    via == ICE_RELAY)
		return true;

	for (unsigned i = 0; i < addrc; i++) {
		if (sa_cmp(&addrv[i], nat_base_local(n, via), SA_ADDR))
			return true;
	}

	return false;
}
