/**
 * @file ua/body_conference.c  Who is in a conference: conference-info (RFC 4575)
 *
 * Pure functions over the small XML tree.
 */
#include "body_priv.h"


/* Where several devices of one are in it, the one that hears most counts */
static unsigned rank(const char *status)
{
	static const char *const words[] = {
		"disconnected", "disconnecting", "pending", "dialing-out",
		"dialing-in", "alerting", "on-hold", "muted-via-focus",
		"connected",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcmp(status, words[i]))
			return i + 1;
	}

	return 0;
}


static enum conf_news news_of(const struct xml *x)
{
	const char *state = xml_attr(x, "state");

	/* 4.1: what does not say is whole */
	return !strcmp(state, "deleted") ? CONF_DELETED :
		!strcmp(state, "partial") ? CONF_PARTIAL : CONF_FULL;
}


static void member_parse(struct conf_member *m, const struct xml *x)
{
	const struct xml *e = xml_child(x, "endpoint");

	body_copy_str(m->uri, sizeof(m->uri), xml_attr(x, "entity"));
	body_copy_str(m->name, sizeof(m->name), xml_text(x, "display-text"));
	m->news = news_of(x);

	for (; e; e = xml_again(e)) {

		const char *status = news_of(e) == CONF_DELETED ?
			"disconnected" : xml_text(e, "status");

		if (*status && (!m->state[0] ||
				rank(status) > rank(m->state)))
			body_copy_str(m->state, sizeof(m->state), status);
	}
}


int conf_info_parse(struct conf_info **cp, const char *text, size_t len)
{
	const struct xml *root, *users, *x;
	struct conf_info *c;
	const char *version;
	int err;

	err = xml_parse(&root, text, len);
	if (err)
		return err;

	c = mem_zalloc(sizeof(*c), NULL);
	version = xml_attr(root, "version");
	if (!c || strcmp(root->name, "conference-info") ||
	    (*version && text_u32(&c->version, version, strlen(version),
				  UINT32_MAX))) {
		err = c ? EBADMSG : ENOMEM;
		goto out;
	}

	c->news = news_of(root);
	body_copy_str(c->entity, sizeof(c->entity), xml_attr(root, "entity"));
	x = xml_child(root, "conference-description");
	body_copy_str(c->subject, sizeof(c->subject), !x ? "" :
		      *xml_text(x, "subject") ? xml_text(x, "subject") :
		      xml_text(x, "display-text"));

	users = xml_child(root, "users");
	c->users_told = users != NULL;
	c->users_whole = users && news_of(users) == CONF_FULL;
	for (x = users ? xml_child(users, "user") : NULL;
	     x && c->count < BODY_MEMBERS; x = xml_again(x)) {

		struct conf_member *m = &c->v[c->count];

		member_parse(m, x);
		if (m->uri[0])
			++c->count;
		else
			memset(m, 0, sizeof(*m));
	}

 out:
	mem_deref((void *)root);
	if (err)
		mem_deref(c);
	else
		*cp = c;

	return err;
}


static unsigned member_find(const struct conf_info *c, const char *uri)
{
	unsigned i;

	for (i = 0; i < c->count && strcmp(c->v[i].uri, uri); i++)
		;

	return i;
}


static bool is_out(const struct conf_member *m)
{
	return m->news == CONF_DELETED || !strcmp(m->state, "disconnected");
}


static void member_leave(struct conf_info *c, unsigned i, conf_change_h *h,
			 void *arg)
{
	struct conf_member gone = c->v[i];

	--c->count;
	memmove(&c->v[i], &c->v[i + 1], (c->count - i) * sizeof(c->v[0]));
	str_ncpy(gone.state, "left", sizeof(gone.state));
	h(&gone, arg);
}


static void member_take(struct conf_info *c, const struct conf_member *m,
			conf_change_h *h, void *arg)
{
	const unsigned i = member_find(c, m->uri);
	struct conf_member *k = &c->v[i];
	struct conf_member before;

	if (is_out(m)) {
		if (i < c->count)
			member_leave(c, i, h, arg);
		return;
	}
	if (i == BODY_MEMBERS)
		return;

	memset(&before, 0, sizeof(before));
	if (i < c->count)
		before = *k;
	else
		++c->count;

	*k = *m;
	/* what a part does not tell is as it was */
	if (m->news == CONF_PARTIAL) {
		if (!m->name[0])
			str_ncpy(k->name, before.name, sizeof(k->name));
		if (!m->state[0])
			str_ncpy(k->state, before.state, sizeof(k->state));
	}
	if (!k->state[0])
		str_ncpy(k->state, "connected", sizeof(k->state));

	if (strcmp(k->name, before.name) || strcmp(k->state, before.state))
		h(k, arg);
}


int conf_info_merge(struct conf_info *known, const struct conf_info *news,
		    conf_change_h *h, void *arg)
{
	/* 4.4: what is old says nothing new, what is missing is asked for */
	if (news->news == CONF_PARTIAL) {
		if (news->version <= known->version)
			return EALREADY;
		if (news->version != known->version + 1)
			return ENOENT;
	}

	known->version = news->version;
	known->news = news->news;
	if (news->entity[0])
		str_ncpy(known->entity, news->entity, sizeof(known->entity));
	if (news->subject[0])
		str_ncpy(known->subject, news->subject,
			 sizeof(known->subject));

	/* who is not in a whole list has left */
	for (unsigned i = known->count; i-- > 0;) {
		if (news->news == CONF_DELETED ||
		    (news->users_whole && member_find(news, known->v[i].uri) ==
		     news->count) ||
		    (news->news == CONF_FULL && !news->users_told))
			member_leave(known, i, h, arg);
	}

	for (unsigned i = 0; news->news != CONF_DELETED && i < news->count;
	     i++)
		member_take(known, &news->v[i], h, arg);

	return 0;
}
