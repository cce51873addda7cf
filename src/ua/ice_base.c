/**
 * @file ice_base.c  Which addresses of this machine ICE may use
 *
 * The one that the call uses anyway comes first; the others are those that the
 * phone listens on, so who has named one has named all.  Which are left out
 * RFC 8445 5.1.1.1 says; the two families take turns (RFC 8421), so that a
 * broken one does not hold the other up.  Pure, but for the last function.
 */
#include "ice.h"
#include "priv.h"


enum { LISTENERS = 64, HOSTADDRS = 64 };


static const uint8_t *in6(const struct sa *sa)
{
	return sa->u.in6.sin6_addr.s6_addr;
}


/* RFC 4291 2.5.5, and site-local addresses (2.5.7), which are no more */
static bool odd(const struct sa *sa)
{
	static const uint8_t zeros[10];
	const uint8_t *p;

	if (sa_af(sa) != AF_INET6)
		return false;

	p = in6(sa);

	return !memcmp(p, zeros, sizeof(zeros)) ||
		(p[0] == 0xfe && (p[1] & 0xc0) == 0xc0);
}


static const struct hostaddr *host(const struct hostaddr *hv, unsigned hc,
				   const struct sa *sa)
{
	for (unsigned i = 0; i < hc; i++) {
		if (sa_cmp(&hv[i].addr, sa, SA_ADDR))
			return &hv[i];
	}

	return NULL;
}


/* There is another of the same prefix by which nobody is known again */
static bool traceable(const struct hostaddr *h, const struct hostaddr *hv,
		      unsigned hc)
{
	for (unsigned i = 0; !h->temporary && i < hc; i++) {
		if (hv[i].temporary && !hv[i].deprecated &&
		    !hv[i].tentative && hv[i].index == h->index &&
		    !memcmp(in6(&hv[i].addr), in6(&h->addr), 8))
			return true;
	}

	return false;
}


static bool usable(const struct sa *sa, const struct hostaddr *hv,
		   unsigned hc)
{
	const struct hostaddr *h;

	if (!sa_isset(sa, SA_ADDR) || sa_is_any(sa) || sa_is_loopback(sa) ||
	    sa_is_linklocal(sa) || odd(sa))
		return false;
	if (sa_af(sa) != AF_INET6)
		return true;

	h = host(hv, hc, sa);

	return !h || (!h->deprecated && !h->tentative &&
		      !traceable(h, hv, hc));
}


static bool listed(const struct sa *v, unsigned n, const struct sa *sa)
{
	for (unsigned i = 0; i < n; i++) {
		if (sa_cmp(&v[i], sa, SA_ADDR))
			return true;
	}

	return false;
}


unsigned ice_bases(struct sa *v, unsigned max, const struct sa *first,
		   const struct sa *av, unsigned ac,
		   const struct hostaddr *hv, unsigned hc)
{
	int af = sa_af(first) == AF_INET6 ? AF_INET : AF_INET6;
	unsigned n = 0;

	/* the peer is on this machine */
	if (sa_is_loopback(first))
		return 0;

	while (n < max) {
		const struct sa *next = NULL;

		for (unsigned i = 0; i < ac; i++) {
			if (sa_cmp(&av[i], first, SA_ADDR) ||
			    listed(v, n, &av[i]) || !usable(&av[i], hv, hc))
				continue;
			if (!next || (sa_af(next) != af &&
				      sa_af(&av[i]) == af))
				next = &av[i];
		}
		if (!next)
			break;

		v[n] = *next;
		sa_set_port(&v[n++], 0);
		af = sa_af(next) == AF_INET6 ? AF_INET : AF_INET6;
	}

	return n;
}


unsigned ua_ice_bases(struct sa *v, unsigned max, const struct ua *ua,
		      const struct sa *first)
{
	struct hostaddr hv[HOSTADDRS];
	struct sa av[LISTENERS], sa;
	enum sip_transp tp;
	unsigned ac = 0;

	if (ua->config->ice_addresses == ICE_ADDRESSES_ONE)
		return 0;

	for (size_t i = 0; ac < LISTENERS &&
	     sip_stack_listener(ua->sip, i, &sa, &tp); i++) {
		if (!listed(av, ac, &sa))
			av[ac++] = sa;
	}

	return ac < 2 ? 0 : ice_bases(v, max, first, av, ac, hv,
				      hostaddr_read(hv, HOSTADDRS));
}
