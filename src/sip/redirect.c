/**
 * @file redirect.c  An INVITE is sent elsewhere (RFC 3261 8.1.3.4)
 *
 * The Contacts of 3xx responses are tried in the order of their q, each URI
 * once and ten at most; when one fails the next follows, until somebody
 * answers, nobody is left, or a 6xx says that there is no use.  The user may
 * follow, be asked each time, or have nothing of it.  305 names a proxy, not
 * a target.  Headers that a Contact would put into the request are let
 * through by name; credentials stay with the host they were for.  Main
 * thread.
 */
#include "session.h"
#include "ident.h"


enum {
	TARGETS   = 16,              /* waiting to be tried */
	TRIES_MAX = 10,
	Q_MAX     = 1000,
	EXTRA_MAX = 512,
};

struct place {
	struct le le;
	char *uri;
	char *extra;                 /* header lines, NULL: none */
	unsigned q;
	bool proxy;                  /* 305 */
};

struct redirect {
	struct list places;          /* to be tried, best first    */
	struct list tried;
	bool asking;                 /* the user, about the first  */
	struct sip_result res;       /* what led here              */
};

/* Headers that may come with a Contact URI */
static const char *const harmless[] = {
	"Accept-Contact", "Accept-Language", "Call-Info", "Organization",
	"Priority", "Reject-Contact", "Request-Disposition", "Subject",
	"User-to-User",
};


static void place_destructor(void *arg)
{
	struct place *p = arg;

	list_unlink(&p->le);
	mem_deref(p->uri);
	mem_deref(p->extra);
}


static void redirect_destructor(void *arg)
{
	struct redirect *r = arg;

	list_flush(&r->places);
	list_flush(&r->tried);
}


/* "0.7" as 700; what is no q is the best */
static unsigned q_parse(const struct pl *params)
{
	unsigned q = 0, unit = Q_MAX;
	struct pl val;
	size_t i;

	if (!param_find(params, "q", &val) || !val.p)
		return Q_MAX;

	for (i = 0; i < val.l; i++) {
		const char ch = val.p[i];

		if (i == 1 ? ch != '.' : ch < '0' || ch > '9')
			return Q_MAX;
		if (i == 1)
			continue;

		q += (unsigned)(ch - '0') * unit;
		unit /= 10;
	}

	return q < Q_MAX ? q : Q_MAX;
}


static bool is_harmless(const char *name)
{
	size_t i;

	for (i = 0; i < COUNTOF(harmless); i++) {
		if (!strcasecmp(name, harmless[i]))
			return true;
	}

	return false;
}


/* One "name=value" of a URI's headers as a line */
static void extra_add(struct mbuf *mb, const char *p, size_t len)
{
	const char *eq = memchr(p, '=', len);
	char name[64], value[EXTRA_MAX];

	if (!eq ||
	    text_unescape_percent(name, sizeof(name), p, (size_t)(eq - p)) ||
	    text_unescape_percent(value, sizeof(value), eq + 1,
				  (size_t)(p + len - eq - 1)) ||
	    !is_harmless(name) || !header_text_ok(value) ||
	    mb->end + strlen(name) + strlen(value) + 4 > EXTRA_MAX)
		return;

	(void)mbuf_printf(mb, "%s: %s\r\n", name, value);
}


static void extra_take(char **dst, const struct pl *headers)
{
	const char *p = headers->p, *end = p ? p + headers->l : NULL;
	struct mbuf *mb;

	if (!p || p == end)
		return;

	mb = mbuf_alloc(128);
	if (!mb)
		return;

	if (*p == '?')
		++p;

	while (p < end) {
		const char *amp = memchr(p, '&', (size_t)(end - p));
		const char *stop = amp ? amp : end;

		extra_add(mb, p, (size_t)(stop - p));
		p = stop + 1;
	}

	if (mb->end) {
		mb->pos = 0;
		(void)mbuf_strdup(mb, dst, mb->end);
	}

	mem_deref(mb);
}


static bool known(const struct list *places, const char *uri)
{
	const struct le *le;

	for (le = places->head; le; le = le->next) {
		const struct place *p = le->data;

		if (!strcasecmp(p->uri, uri))
			return true;
	}

	return false;
}


static int place_add(struct list *list, char *uri, char *extra, unsigned q,
		     bool proxy)
{
	struct place *p = mem_zalloc(sizeof(*p), place_destructor);
	struct le *le;

	if (!p)
		return ENOMEM;

	p->uri = mem_ref(uri);
	p->extra = mem_ref(extra);
	p->q = q;
	p->proxy = proxy;

	for (le = list->head; le; le = le->next) {
		const struct place *other = le->data;

		if (other->q < q) {
			list_insert_before(list, le, &p->le, p);
			return 0;
		}
	}

	list_append(list, &p->le, p);

	return 0;
}


struct take {
	struct sip_call *call;
	bool proxy, secure;
};


static bool contact_h(const struct pl *val, void *arg)
{
	const struct take *t = arg;
	struct redirect *r = t->call->redirect;
	char *uri = NULL, *extra = NULL;
	struct addr_parts a;
	struct pl expires;
	struct suri u;

	if (list_count(&r->places) >= TARGETS)
		return true;

	/* a call that was to be secure stays so */
	if (addr_parse(&a, val) || suri_parse(&u, &a.uri) || !u.sip ||
	    (t->secure && !u.sips))
		return false;

	/* it has expired already */
	if (param_find(&a.params, "expires", &expires) && expires.l == 1 &&
	    *expires.p == '0')
		return false;

	if (route_uri_strip(&uri, &a.uri, false))
		return false;

	if (!known(&r->tried, uri) && !known(&r->places, uri)) {
		extra_take(&extra, &u.headers);
		(void)place_add(&r->places, uri, extra, q_parse(&a.params),
				t->proxy);
	}

	mem_deref(uri);
	mem_deref(extra);

	return false;
}


static int take_contacts(struct sip_call *c, const struct sip_msg *msg)
{
	struct take t = {.call = c, .proxy = msg->scode == 305};
	struct suri u;

	if (!c->redirect) {
		c->redirect = mem_zalloc(sizeof(*c->redirect),
					 redirect_destructor);
		if (!c->redirect)
			return ENOMEM;

		/* where it began */
		(void)place_add(&c->redirect->tried, c->tmpl->target, NULL, 0,
				false);
	}

	t.secure = !suri_parse_str(&u, c->tmpl->target) && u.sips;
	(void)header_values(msg, "Contact", 'm', contact_h, &t);

	return 0;
}


/* Aim at the first place in the list, which is then one of the tried */
static int aim(struct sip_call *c)
{
	struct redirect *r = c->redirect;
	struct place *p = list_ledata(list_head(&r->places));
	struct dialog *d = c->tmpl;
	char *uri = NULL, *hop = NULL;
	int err = 0;

	list_unlink(&p->le);
	list_append(&r->tried, &p->le, p);
	r->asking = false;

	mem_deref(c->extra);
	c->extra = mem_ref(p->extra);

	if (p->proxy) {
		struct suri u;

		route_clear(d);
		err = suri_parse_str(&u, p->uri);
		if (!err)
			err = re_sdprintf(&d->routev[0], "<%s%s>", p->uri,
					  param_find(&u.params, "lr", NULL) ?
					  "" : ";lr");
		if (!err)
			d->routec = 1;
	}
	else {
		mem_deref(d->target);
		d->target = mem_ref(p->uri);
	}

	if (!err)
		err = dialog_uris(d, &uri, &hop);
	if (err)
		return err;

	/* our credentials are not for everybody */
	if (!ident_creds(d->ident, hop))
		d->digest = mem_deref(d->digest);
	else if (!d->digest)
		(void)ident_digest(&d->digest, d->ident, hop);

	mem_deref(uri);
	mem_deref(hop);

	return invite_start(c);
}


/* @return false: there is nobody left to try */
static bool next(struct sip_call *c, const struct sip_msg *msg)
{
	struct redirect *r = c->redirect;
	const struct place *p;

	while ((p = list_ledata(list_head(&r->places)))) {

		if (list_count(&r->tried) > TRIES_MAX)
			return false;

		r->asking = c->redirection == SIP_REDIRECT_ASK;

		if (c->h.redirect_h) {
			char *uri = mem_ref(p->uri);
			struct sip_info in;

			if (msg)
				sip_info_fill(&in, msg);
			c->h.redirect_h(uri, msg ? &in : NULL, c->arg);
			mem_deref(uri);
		}
		else if (r->asking) {
			return false;
		}

		/* decided, hung up, or still to be decided */
		if (c->phase != PHASE_CALLING || c->invite || r->asking)
			return true;

		if (c->redirection == SIP_REDIRECT_FOLLOW && !aim(c))
			return true;
		if (c->redirection == SIP_REDIRECT_ASK)
			return true;
	}

	return false;
}


bool redirect_failure(struct sip_call *c, const struct sip_result *res,
		      const struct sip_msg *msg)
{
	const uint16_t code = msg ? msg->scode : 0;

	if (c->redirection == SIP_REDIRECT_DENY)
		return false;

	if (code >= 300 && code <= 399 && code != 380 &&
	    take_contacts(c, msg))
		return false;

	if (!c->redirect || code >= 600)
		return false;

	c->redirect->res = *res;

	return next(c, msg);
}


int sip_call_redirect(struct sip_call *c, bool follow)
{
	int err;

	if (!c || c->phase != PHASE_CALLING || !c->redirect ||
	    !c->redirect->asking)
		return ENOTCONN;

	if (!follow) {
		c->redirect->asking = false;
		session_closed_later(c, &c->redirect->res);
		return 0;
	}

	err = aim(c);
	if (err)
		session_closed_later(c, &c->redirect->res);

	return 0;
}
