/**
 * @file ua/body_dialog.c  Who is on the phone: dialog-info (RFC 4235)
 *
 * Pure functions over the small XML tree.
 */
#include "body_priv.h"


static void identity_parse(char *uri, size_t urisz, char *name, size_t namesz,
			   const struct xml *side)
{
	const struct xml *id = xml_child(side, "identity");

	if (!id)
		return;

	body_copy_str(uri, urisz, id->text);
	if (name)
		body_copy_str(name, namesz, xml_attr(id, "display"));
}


static void entry_parse(struct dialog_entry *e, const struct xml *x)
{
	const struct xml *state = xml_child(x, "state");
	const struct xml *remote = xml_child(x, "remote");
	const struct xml *local = xml_child(x, "local");

	body_copy_str(e->id, sizeof(e->id), xml_attr(x, "id"));
	body_copy_str(e->callid, sizeof(e->callid), xml_attr(x, "call-id"));
	body_copy_str(e->local_tag, sizeof(e->local_tag),
		      xml_attr(x, "local-tag"));
	body_copy_str(e->remote_tag, sizeof(e->remote_tag),
		      xml_attr(x, "remote-tag"));
	e->initiator = !strcmp(xml_attr(x, "direction"), "initiator");

	body_copy_str(e->state, sizeof(e->state), state ? state->text : "");
	body_copy_str(e->event, sizeof(e->event), xml_attr(state, "event"));
	e->code = (uint16_t)body_u32(xml_attr(state, "code"), 699);

	identity_parse(e->local_uri, sizeof(e->local_uri), NULL, 0, local);
	identity_parse(e->remote_uri, sizeof(e->remote_uri), e->remote_name,
		       sizeof(e->remote_name), remote);
	body_copy_str(e->remote_target, sizeof(e->remote_target),
		      xml_attr(xml_child(remote, "target"), "uri"));
}


int dialog_info_parse(struct dialog_info **dp, const char *text, size_t len)
{
	const struct xml *root, *x;
	struct dialog_info *d;
	const char *version;
	int err;

	err = xml_parse(&root, text, len);
	if (err)
		return err;

	d = mem_zalloc(sizeof(*d), NULL);
	version = xml_attr(root, "version");
	if (!d || strcmp(root->name, "dialog-info") ||
	    text_u32(&d->version, version, strlen(version), UINT32_MAX)) {
		err = d ? EBADMSG : ENOMEM;
		goto out;
	}

	d->full = !strcmp(xml_attr(root, "state"), "full");
	body_copy_str(d->entity, sizeof(d->entity), xml_attr(root, "entity"));

	for (x = xml_child(root, "dialog"); x && d->count < BODY_DIALOGS;
	     x = xml_again(x))
		entry_parse(&d->v[d->count++], x);

 out:
	mem_deref((void *)root);
	if (err)
		mem_deref(d);
	else
		*dp = d;

	return err;
}


/* ' name="value"', left out when there is none */
static int attr_print(struct mbuf *mb, const char *name, const char *val)
{
	int err;

	if (!*val)
		return 0;

	err = mbuf_printf(mb, " %s=\"", name);
	if (!err)
		err = xml_print(mb, val);
	if (!err)
		err = mbuf_write_str(mb, "\"");

	return err;
}


static int side_print(struct mbuf *mb, const char *side, const char *uri,
		      const char *name, const char *target)
{
	int err = 0;

	if (!*uri)
		return 0;

	err |= mbuf_printf(mb, "<%s><identity", side);
	err |= attr_print(mb, "display", name);
	err |= mbuf_write_str(mb, ">");
	err |= xml_print(mb, uri);
	err |= mbuf_write_str(mb, "</identity>");
	if (*target) {
		err |= mbuf_write_str(mb, "<target");
		err |= attr_print(mb, "uri", target);
		err |= mbuf_write_str(mb, "/>");
	}
	err |= mbuf_printf(mb, "</%s>\r\n", side);

	return err;
}


static int entry_print(struct mbuf *mb, const struct dialog_entry *e)
{
	int err = 0;

	err |= mbuf_write_str(mb, "<dialog");
	err |= attr_print(mb, "id", e->id);
	err |= attr_print(mb, "call-id", e->callid);
	err |= attr_print(mb, "local-tag", e->local_tag);
	err |= attr_print(mb, "remote-tag", e->remote_tag);
	err |= attr_print(mb, "direction",
			  e->initiator ? "initiator" : "recipient");
	err |= mbuf_write_str(mb, ">\r\n<state");
	err |= attr_print(mb, "event", e->event);
	if (e->code)
		err |= mbuf_printf(mb, " code=\"%u\"", e->code);
	err |= mbuf_write_str(mb, ">");
	err |= xml_print(mb, e->state);
	err |= mbuf_write_str(mb, "</state>\r\n");
	err |= side_print(mb, "local", e->local_uri, "", "");
	err |= side_print(mb, "remote", e->remote_uri, e->remote_name,
			  e->remote_target);
	err |= mbuf_write_str(mb, "</dialog>\r\n");

	return err;
}


int dialog_info_print(struct mbuf *mb, const struct dialog_info *d)
{
	unsigned i;
	int err = 0;

	err |= mbuf_printf(mb, XML_HEAD "<dialog-info "
			   "xmlns=\"urn:ietf:params:xml:ns:dialog-info\" "
			   "version=\"%u\" state=\"%s\"", d->version,
			   d->full ? "full" : "partial");
	err |= attr_print(mb, "entity", d->entity);
	err |= mbuf_write_str(mb, ">\r\n");
	for (i = 0; i < d->count; i++)
		err |= entry_print(mb, &d->v[i]);
	err |= mbuf_write_str(mb, "</dialog-info>\r\n");

	return err ? ENOMEM : 0;
}


static void entry_drop(struct dialog_info *d, unsigned i)
{
	--d->count;
	memmove(&d->v[i], &d->v[i + 1], (d->count - i) * sizeof(d->v[0]));
}


static unsigned entry_find(const struct dialog_info *d, const char *id)
{
	unsigned i;

	for (i = 0; i < d->count && strcmp(d->v[i].id, id); i++)
		;

	return i;
}


int dialog_info_merge(struct dialog_info *known,
		      const struct dialog_info *news)
{
	unsigned i, k;

	if (!news->full) {
		if (news->version <= known->version)
			return EALREADY;
		if (news->version != known->version + 1)
			return ENOENT;
	}
	else {
		known->count = 0;
	}

	known->version = news->version;
	known->full = true;
	memcpy(known->entity, news->entity, sizeof(known->entity));

	for (i = 0; i < news->count; i++) {
		k = entry_find(known, news->v[i].id);

		if (!strcmp(news->v[i].state, "terminated")) {
			if (k < known->count)
				entry_drop(known, k);
			continue;
		}
		if (k == BODY_DIALOGS)
			continue;
		if (k == known->count)
			++known->count;
		known->v[k] = news->v[i];
	}

	return 0;
}
