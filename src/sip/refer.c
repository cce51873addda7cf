/**
 * @file sip/refer.c  We ask somebody to call (RFC 3515, 3892, 4488)
 *
 * Main thread.  A subscription without refreshes, made by the REFER itself in
 * a dialog of its own or in that of a call.
 */
#include "sub.h"


static int refer_headers(char **hp, const struct sip_refer_conf *c)
{
	struct mbuf *mb = mbuf_alloc(256);
	int err;

	if (!mb)
		return ENOMEM;

	err = mbuf_printf(mb, "Refer-To: <%s>\r\n", c->refer_to);
	if (!err && c->referred_by)
		err = mbuf_printf(mb, "Referred-By: <%s>\r\n",
				  c->referred_by);
	if (!err && c->no_sub)
		err = mbuf_write_str(mb, "Refer-Sub: false\r\n"
				     "Supported: norefersub\r\n");
	if (!err && c->headers)
		err = mbuf_write_str(mb, c->headers);
	if (!err) {
		mb->pos = 0;
		err = mbuf_strdup(mb, hp, mb->end);
	}

	mem_deref(mb);

	return err;
}


static bool angle_ok(const char *uri)
{
	return header_text_ok(uri) && !strpbrk(uri, "<> \t\"");
}


int sip_refer(struct sip_sub **sp, struct sip_stack *s,
	      const struct sip_refer_conf *conf,
	      const struct sip_sub_h *h, void *arg)
{
	struct event_type ev = {.package = PL("refer")};
	struct sip_sub *sub;
	struct suri u;
	int err;

	if (!sp || !s || !conf || !conf->refer_to || !h ||
	    !angle_ok(conf->refer_to) ||
	    (conf->referred_by && !angle_ok(conf->referred_by)) ||
	    (conf->headers && !header_lines_ok(conf->headers)) ||
	    (!conf->call && (!conf->ident || !conf->uri ||
			     suri_parse_str(&u, conf->uri))))
		return EINVAL;
	if (s->closing)
		return ESHUTDOWN;
	if (conf->call && conf->call->phase != PHASE_UP)
		return ENOTCONN;

	err = sub_new(&sub, s, h, arg);
	if (err)
		return err;

	sub->refer = true;
	sub->expires_s = REFER_LIFE_S;
	sub->ident = mem_ref(conf->ident);
	err = sub_dup(&sub->uri, conf->uri);
	if (!err)
		err = sub_dup(&sub->event, "refer");
	if (!err)
		err = refer_headers(&sub->headers, conf);
	if (!err && conf->call)
		err = usage_begin(&sub->use, conf->call->br->dlg, "NOTIFY",
				  &ev, sub_notify_h, sub);
	if (err) {
		mem_deref(sub);
		return err;
	}

	if (conf->call) {
		sub_state_set(sub, SIP_SUB_TRYING, NULL);
		sub_subscribe(sub);
	}
	else {
		sub_begin(sub);
	}

	*sp = sub;

	return 0;
}


/* Reading ------------------------------------------------------------------ */

/* "Replaces=a%3Bb" among the headers of a URI */
static int replaces_take(char *buf, size_t sz, const struct pl *headers)
{
	struct pl rest = *headers, one;
	char raw[1024];
	int err;

	if (rest.l && *rest.p == '?')
		pl_advance(&rest, 1);

	while (rest.l) {
		const char *amp = memchr(rest.p, '&', rest.l);

		one.p = rest.p;
		one.l = amp ? (size_t)(amp - rest.p) : rest.l;
		pl_advance(&rest, (ssize_t)(one.l + (amp ? 1 : 0)));

		if (one.l < 9 || strncasecmp(one.p, "replaces=", 9))
			continue;

		pl_advance(&one, 9);
		err = text_unescape_percent(raw, sizeof(raw), one.p, one.l);
		if (err)
			return err == EOVERFLOW ? err : EBADMSG;
		if (!header_text_ok(raw))
			return EBADMSG;

		return text_copy(buf, sz, raw, strlen(raw));
	}

	return 0;
}


int sip_refer_to_parse(struct sip_refer_to *to, const char *value)
{
	struct addr_parts a;
	struct suri u;
	struct pl pl;
	size_t len;
	int err;

	if (!to || !value)
		return EINVAL;

	memset(to, 0, sizeof(*to));
	strcpy(to->method, "INVITE");

	pl_set_str(&pl, value);
	if (addr_parse(&a, &pl) || suri_parse(&u, &a.uri))
		return EBADMSG;

	len = u.headers.p ? (size_t)(u.headers.p - a.uri.p) : a.uri.l;
	if (u.headers.p && len && a.uri.p[len - 1] == '?')
		--len;
	err = text_copy(to->uri, sizeof(to->uri), a.uri.p, len);
	if (!err && param_find(&u.params, "method", &pl) && pl.l)
		err = text_copy(to->method, sizeof(to->method), pl.p, pl.l);
	if (!err && u.headers.l)
		err = replaces_take(to->replaces, sizeof(to->replaces),
				    &u.headers);

	return err;
}
