/**
 * @file sip/locate_order.c  In which order: SRV and NAPTR records
 *
 * Pure functions; chance is an argument.
 */
#include "locate.h"


/*
 * RFC 2782: of one priority, one record after the other is drawn, each with a
 * chance as its weight is to the sum of those left.  Weight 0 stands first in
 * the running sum: it has a small chance, not none.
 */
static void draw(unsigned *order, const struct name_rec *v, unsigned n,
		 order_rand_h *randh, void *arg)
{
	unsigned i, k;

	for (i = 0; i + 1 < n; i++) {
		uint64_t sum = 0, run = 0, point;
		unsigned zero, pick = i;

		/* those without weight to the front, others as they are */
		zero = i;
		for (k = i; k < n; k++) {
			const unsigned at = order[k];

			sum += v[at].u.srv.weight;
			if (v[at].u.srv.weight)
				continue;

			memmove(&order[zero + 1], &order[zero],
				(k - zero) * sizeof(*order));
			order[zero++] = at;
		}

		point = randh(arg) % (sum + 1);

		for (k = i; k < n; k++) {
			run += v[order[k]].u.srv.weight;
			if (run >= point) {
				pick = k;
				break;
			}
		}

		k = order[pick];
		memmove(&order[i + 1], &order[i],
			(pick - i) * sizeof(*order));
		order[i] = k;
	}
}


void order_srv(unsigned *order, const struct name_rec *v, unsigned n,
	       order_rand_h *randh, void *arg)
{
	unsigned i, k;

	/* by priority, else in the order of the answer */
	for (i = 0; i < n; i++) {
		for (k = i; k > 0; k--) {
			if (v[order[k - 1]].u.srv.priority <=
			    v[i].u.srv.priority)
				break;
			order[k] = order[k - 1];
		}
		order[k] = i;
	}

	for (i = 0; i < n; i = k) {

		for (k = i + 1; k < n; k++) {
			if (v[order[k]].u.srv.priority !=
			    v[order[i]].u.srv.priority)
				break;
		}

		draw(&order[i], v, k - i, randh, arg);
	}
}


bool order_naptr_service(enum sip_transp *tp, const char *service)
{
	static const struct {
		const char *name;
		enum sip_transp tp;
	} v[] = {
		{"SIP+D2U", SIP_TRANSP_UDP},
		{"SIP+D2T", SIP_TRANSP_TCP},
		{"SIPS+D2T", SIP_TRANSP_TLS},
	};
	size_t i;

	for (i = 0; i < COUNTOF(v); i++) {
		if (text_caseeq(service, strlen(service), v[i].name)) {
			*tp = v[i].tp;
			return true;
		}
	}

	return false;
}


static bool naptr_fits(const struct name_naptr *na, order_usable_h *usableh,
		       void *arg)
{
	enum sip_transp tp;

	return text_caseeq(na->flags, strlen(na->flags), "s") &&
		!*na->regexp && *na->replace &&
		order_naptr_service(&tp, na->service) && usableh(tp, arg);
}


/* RFC 3403 4.1: once a rule fits, those of a higher order are out; it has not
   when there is nothing behind it, and then the next one is looked for */
unsigned order_naptr(unsigned *order, const struct name_rec *v, unsigned n,
		     int above, order_usable_h *usableh, void *arg)
{
	uint16_t lowest = UINT16_MAX;
	unsigned i, k, count = 0;
	bool any = false;

	for (i = 0; i < n; i++) {
		if (v[i].u.naptr.order > above &&
		    naptr_fits(&v[i].u.naptr, usableh, arg) &&
		    (!any || v[i].u.naptr.order < lowest)) {
			lowest = v[i].u.naptr.order;
			any = true;
		}
	}

	for (i = 0; any && i < n; i++) {

		if (v[i].u.naptr.order != lowest ||
		    !naptr_fits(&v[i].u.naptr, usableh, arg))
			continue;

		for (k = count++; k > 0; k--) {
			if (v[order[k - 1]].u.naptr.pref <= v[i].u.naptr.pref)
				break;
			order[k] = order[k - 1];
		}
		order[k] = i;
	}

	return count;
}
