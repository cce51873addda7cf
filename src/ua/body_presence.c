/**
 * @file ua/body_presence.c  PIDF, composing, delivery reports, registrations
 *
 * Pure functions over the small XML tree.
 */
#include "body_priv.h"


/* Activities we know by name (RFC 4480 3.2); others are shown as they are */
static void activity_parse(struct pidf *p, const struct xml *person)
{
	const struct xml *act = xml_child(person, "activities");
	const struct xml *x;

	for (x = act ? act->child : NULL; x && !*p->activity; x = x->next) {
		if (!strcmp(x->name, "note"))
			continue;
		body_copy_str(p->activity, sizeof(p->activity),
			      !strcmp(x->name, "other") ? x->text : x->name);
	}

	if (!*p->note)
		body_copy_str(p->note, sizeof(p->note),
			      xml_text(person, "note"));
}


/* The contact with the highest priority among the open tuples counts */
static void tuple_parse(struct pidf *p, const struct xml *tuple, double *best)
{
	const struct xml *contact = xml_child(tuple, "contact");
	const char *basic = xml_text(xml_child(tuple, "status"), "basic");
	const char *note = xml_text(tuple, "note");
	const bool open = text_caseeq(basic, strlen(basic), "open");
	double q = 0.5;

	if (!*p->note)
		body_copy_str(p->note, sizeof(p->note), note);
	if (!open)
		return;

	(void)text_double(&q, xml_attr(contact, "priority"), 0, 1);
	p->open = true;

	if (contact && q > *best) {
		*best = q;
		body_copy_str(p->contact, sizeof(p->contact), contact->text);
	}
}


int pidf_parse(struct pidf *p, const char *text, size_t len)
{
	const struct xml *root, *x;
	double best = -1;
	int err;

	memset(p, 0, sizeof(*p));

	err = xml_parse(&root, text, len);
	if (err)
		return err;

	if (strcmp(root->name, "presence")) {
		err = EBADMSG;
		goto out;
	}

	body_copy_str(p->entity, sizeof(p->entity), xml_attr(root, "entity"));
	body_copy_str(p->note, sizeof(p->note), xml_text(root, "note"));

	for (x = xml_child(root, "tuple"); x; x = xml_again(x))
		tuple_parse(p, x, &best);
	for (x = xml_child(root, "person"); x; x = xml_again(x))
		activity_parse(p, x);

 out:
	mem_deref((void *)root);

	return err;
}


static bool token_ok(const char *s)
{
	const char *p;

	for (p = s; *p; p++) {
		if (!(*p >= 'a' && *p <= 'z') && *p != '-')
			return false;
	}

	return p != s;
}


int pidf_print(struct mbuf *mb, const struct pidf *p, const char *id)
{
	int err;

	err = mbuf_write_str(mb, XML_HEAD
		"<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" "
		"xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" "
		"xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" "
		"entity=\"");
	err |= xml_print(mb, p->entity);
	err |= mbuf_write_str(mb, "\">\r\n<tuple id=\"");
	err |= xml_print(mb, id);
	err |= mbuf_printf(mb, "\">\r\n<status><basic>%s</basic></status>"
			   "\r\n", p->open ? "open" : "closed");
	if (*p->contact)
		err |= body_element(mb, "contact", p->contact);
	if (*p->note)
		err |= body_element(mb, "note", p->note);
	err |= mbuf_write_str(mb, "</tuple>\r\n");
	if (token_ok(p->activity))
		err |= mbuf_printf(mb, "<dm:person id=\"p%s\">"
				   "<rpid:activities><rpid:%s/>"
				   "</rpid:activities></dm:person>\r\n", id,
				   p->activity);
	err |= mbuf_write_str(mb, "</presence>\r\n");

	return err ? ENOMEM : 0;
}


/* Composing ---------------------------------------------------------------- */

int composing_parse(struct composing *c, const char *text, size_t len)
{
	const struct xml *root;
	const char *state;
	int err;

	memset(c, 0, sizeof(*c));

	err = xml_parse(&root, text, len);
	if (err)
		return err;

	state = xml_text(root, "state");
	if (strcmp(root->name, "isComposing") || !*state) {
		err = EBADMSG;
	}
	else {
		c->active = text_caseeq(state, strlen(state), "active");
		c->refresh_s = body_u32(xml_text(root, "refresh"), 86400);
	}

	mem_deref((void *)root);

	return err;
}


int composing_print(struct mbuf *mb, const struct composing *c)
{
	int err;

	err = mbuf_printf(mb, XML_HEAD "<isComposing "
			  "xmlns=\"urn:ietf:params:xml:ns:im-iscomposing\">"
			  "\r\n<state>%s</state>\r\n",
			  c->active ? "active" : "idle");
	if (!err)
		err = mbuf_write_str(mb, "<contenttype>text/plain"
				     "</contenttype>\r\n");
	if (!err && c->active && c->refresh_s)
		err = mbuf_printf(mb, "<refresh>%u</refresh>\r\n",
				  c->refresh_s);
	if (!err)
		err = mbuf_write_str(mb, "</isComposing>\r\n");

	return err;
}


/* Delivery reports --------------------------------------------------------- */

/* <display-notification><status><displayed/></status></...>, and the same
 * for delivery and processing */
int imdn_parse(struct imdn *i, const char *text, size_t len)
{
	static const char *const kinds[] = {
		"delivery-notification", "display-notification",
		"processing-notification",
	};
	const struct xml *root, *status = NULL;
	unsigned k;
	int err;

	memset(i, 0, sizeof(*i));

	err = xml_parse(&root, text, len);
	if (err)
		return err;

	for (k = 0; k < sizeof(kinds) / sizeof(*kinds) && !status; k++)
		status = xml_child(xml_child(root, kinds[k]), "status");

	body_copy_str(i->message_id, sizeof(i->message_id),
		      xml_text(root, "message-id"));
	body_copy_str(i->recipient, sizeof(i->recipient),
		      xml_text(root, "recipient-uri"));
	body_copy_str(i->original, sizeof(i->original),
		      xml_text(root, "original-recipient-uri"));
	if (status && status->child)
		body_copy_str(i->status, sizeof(i->status),
			      status->child->name);

	if (strcmp(root->name, "imdn") || !*i->message_id || !*i->status)
		err = EBADMSG;

	mem_deref((void *)root);

	return err;
}


int imdn_print(struct mbuf *mb, const struct imdn *i, const char *date)
{
	const char *kind = !strcmp(i->status, "displayed") ? "display" :
		!strcmp(i->status, "processed") ||
		!strcmp(i->status, "stored") ? "processing" : "delivery";
	int err;

	if (!token_ok(i->status))
		return EINVAL;

	err = mbuf_write_str(mb, XML_HEAD
			     "<imdn xmlns=\"urn:ietf:params:xml:ns:imdn\">"
			     "\r\n");
	err |= body_element(mb, "message-id", i->message_id);
	err |= body_element(mb, "datetime", date);
	if (*i->recipient)
		err |= body_element(mb, "recipient-uri", i->recipient);
	if (*i->original)
		err |= body_element(mb, "original-recipient-uri",
				    i->original);
	err |= mbuf_printf(mb, "<%s-notification><status><%s/></status>"
			   "</%s-notification>\r\n</imdn>\r\n", kind,
			   i->status, kind);

	return err ? ENOMEM : 0;
}


/* Registrations ------------------------------------------------------------ */

static void contact_parse(struct reginfo_contact *c, const struct xml *x)
{
	body_copy_str(c->uri, sizeof(c->uri), xml_text(x, "uri"));
	body_copy_str(c->name, sizeof(c->name), xml_text(x, "display-name"));
	body_copy_str(c->state, sizeof(c->state), xml_attr(x, "state"));
	body_copy_str(c->event, sizeof(c->event), xml_attr(x, "event"));
	c->expires_s = body_u32(xml_attr(x, "expires"), UINT32_MAX);
}


int reginfo_parse(struct reginfo **rp, const char *text, size_t len)
{
	const struct xml *root, *reg, *x;
	struct reginfo *r;
	int err;

	err = xml_parse(&root, text, len);
	if (err)
		return err;

	r = mem_zalloc(sizeof(*r), NULL);
	reg = xml_child(root, "registration");
	if (!r || !reg || strcmp(root->name, "reginfo")) {
		err = r ? EBADMSG : ENOMEM;
		goto out;
	}

	r->version = body_u32(xml_attr(root, "version"), UINT32_MAX);
	r->full = !strcmp(xml_attr(root, "state"), "full");
	body_copy_str(r->aor, sizeof(r->aor), xml_attr(reg, "aor"));
	body_copy_str(r->state, sizeof(r->state), xml_attr(reg, "state"));

	for (x = xml_child(reg, "contact"); x && r->count < BODY_CONTACTS;
	     x = xml_again(x))
		contact_parse(&r->v[r->count++], x);

 out:
	mem_deref((void *)root);
	if (err)
		mem_deref(r);
	else
		*rp = r;

	return err;
}
