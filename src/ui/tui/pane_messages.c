/**
 * @file pane_messages.c  Messages: who wrote, and the talk with each
 *
 * On the left everybody with whom there were messages, the last one first;
 * on the right what was said.  What is shown counts as read.  Main thread.
 */
#include <stdio.h>
#include "offhook/clock.h"
#include "offhook/text.h"
#include "lists.h"

enum { PEERS_MAX = 200, SIDE = 26 };

struct peer {
	char uri[300];
	char who[80];
	unsigned unread;
	size_t last;             /* index of its last message                */
};

struct messages_pane {
	struct peer v[PEERS_MAX];
	int n;
	uint64_t version;
	bool valid;
	char find[FIND_MAX];
	struct rows rows;
	int skip;                /* lines scrolled back from the end         */
	char at[300];            /* whose talk is shown, when order changes  */
};

static const struct key_row messages_keys[] = {
	{ "Enter", "screen choose", "write", "Write to this one" },
	{ "c", "screen own call", "call", "Call this one" },
	{ "PageUp", "screen page-up", NULL, "What was said before" },
	{ "PageDown", "screen page-down", NULL, "And after" },
	{ "/", "screen line 'screen find '", "find", "Only talks with a text" },
	{ NULL, NULL, NULL, NULL }
};


static void peer_who(struct tui *t, struct peer *p, const char *name)
{
	const struct contact_conf *c = t->ph->contacts ?
		contacts_by_uri(t->ph->contacts, p->uri) : NULL;
	const char *text = c ? c->name : name;

	if (*text)
		text_escape(p->who, sizeof(p->who), text, strlen(text));
	else if (!p->who[0])
		show_uri(p->who, sizeof(p->who), p->uri);
}


static bool same_peer(const char *a, const char *b)
{
	char x[300], y[300];

	return !strcasecmp(show_uri(x, sizeof(x), a),
			   show_uri(y, sizeof(y), b));
}


static struct peer *peer_of(struct messages_pane *p, const char *uri)
{
	for (int i = 0; i < p->n; i++) {
		if (same_peer(p->v[i].uri, uri))
			return &p->v[i];
	}
	if (p->n == PEERS_MAX)
		return NULL;

	memset(&p->v[p->n], 0, sizeof(p->v[0]));
	snprintf(p->v[p->n].uri, sizeof(p->v[0].uri), "%s", uri);

	return &p->v[p->n++];
}


/* Newest first: who is met first wrote last */
static void collect(struct tui *t, struct messages_pane *p)
{
	struct messages *ms = t->ph->messages;
	const size_t count = messages_count(ms);
	const uint64_t version = (uint64_t)messages_version(ms) << 32 | count;
	struct message_record r;

	if (p->valid && p->version == version)
		return;
	p->valid = true;
	p->version = version;
	p->n = 0;

	for (size_t i = count; i-- > 0;) {

		struct peer *peer;

		if (!messages_at(&r, ms, i) ||
		    (p->find[0] && !strcasestr(r.text, p->find) &&
		     !strcasestr(r.peer, p->find) &&
		     !strcasestr(r.name, p->find)))
			continue;

		peer = peer_of(p, r.peer);
		if (!peer)
			continue;
		if (!peer->who[0])
			peer->last = i;
		peer->unread += r.unread;
		peer_who(t, peer, r.outgoing ? "" : r.name);
	}

	/* the same one stays selected, wherever he stands now */
	for (int i = 0; i < p->n && p->at[0]; i++) {
		if (same_peer(p->v[i].uri, p->at))
			p->rows.cur = i;
	}
}


/* One message. @return lines it takes; drawn when y >= 0 or it reaches in */
static int draw_message(const struct area *a, int y,
			const struct message_record *r)
{
	char when[40];
	struct area text;
	int x, n;

	text = area_sub(a, 2, 0, a->w - 3, a->h);
	if (y >= 0 && y < a->h) {
		x = area_text(a, 1, y, r->outgoing ? STYLE_DIM : STYLE_INFO,
			      r->outgoing ? "you" : "they") + 1;
		x = area_text(a, x, y, STYLE_DIM, show_when(
			when, sizeof(when), r->time_ms,
			clock_wall_ms())) + 1;
		if (r->outgoing && !strcmp(r->state, "failed"))
			area_printf(a, x, y, STYLE_BAD, "not delivered%s%s",
				    r->reason[0] ? ": " : "", r->reason);
		else if (r->outgoing)
			area_text(a, x, y, STYLE_DIM, r->state);
	}

	if (y + 1 >= a->h) {
		/* measured where nothing can be seen */
		struct area nowhere = area_sub(a, 0, 0, a->w - 3, 0);

		return 2 + area_wrap(&nowhere, 0, 0, a->w - 3, STYLE_NORMAL,
				     r->text, 0);
	}
	n = y + 1 < 0 ?
		area_wrap(&text, 0, 0, text.w, STYLE_NORMAL, r->text,
			  -(y + 1)) :
		area_wrap(&text, 0, y + 1, text.w, STYLE_NORMAL, r->text, 0);

	return 2 + n;
}


/* The end of the talk at the bottom, or skip lines before it */
static void draw_talk(struct tui *t, struct messages_pane *p,
		      const struct area *a, const struct peer *peer)
{
	struct messages *ms = t->ph->messages;
	const struct area nowhere = area_sub(a, 0, 0, a->w, 0);
	struct message_record r;
	int need = 0, y;
	size_t i, first = 0;
	bool whole = true;

	/* from the end back, until the area is full */
	for (i = peer->last + 1; i-- > 0;) {
		if (!messages_at(&r, ms, i) || !same_peer(r.peer, peer->uri))
			continue;
		need += draw_message(&nowhere, 0, &r);
		first = i;
		if (need >= a->h + p->skip) {
			whole = false;
			break;
		}
	}
	if (whole && p->skip > need - a->h)
		p->skip = need > a->h ? need - a->h : 0;

	y = need > a->h ? a->h - need + p->skip : 0;
	for (i = first; i <= peer->last && y < a->h; i++) {
		if (messages_at(&r, ms, i) && same_peer(r.peer, peer->uri))
			y += draw_message(a, y, &r);
	}
}


static void draw_peers(struct messages_pane *p, const struct area *a)
{
	char buf[24];

	for (int y = 0; y < a->h; y++) {

		const int i = rows_at(&p->rows, y);
		const struct peer *peer = i < 0 ? NULL : &p->v[i];
		int x = a->w - 1;

		if (!peer)
			break;
		if (peer->unread) {
			snprintf(buf, sizeof(buf), "%u", peer->unread);
			x = area_right(a, x, y, STYLE_ALERT, buf);
		}
		area_cut(a, 1, y, x - 2, peer->unread ? STYLE_BOLD :
			 STYLE_NORMAL, peer->who);
		if (i == p->rows.cur)
			area_paint(a, 0, y, a->w, STYLE_SELECTED);
	}
	rows_marks(&p->rows, a);
}


static void messages_draw(struct tui *t, void *state, const struct area *a)
{
	struct messages_pane *p = state;
	const int side = a->w >= 60 ? SIDE : a->w / 3;
	struct area left, right;
	struct peer *peer;

	if (!t->ph->messages) {
		area_text(a, 1, 0, STYLE_DIM, "No messages are kept "
			  "(messages-max is 0).");
		return;
	}

	collect(t, p);
	found_head(a, "MESSAGES", p->n == 1 ? "talk" : "talks", (size_t)p->n,
		  p->find);
	left = area_sub(a, 0, 1, side, a->h - 1);
	right = area_sub(a, side + 1, 1, a->w - side - 1, a->h - 1);
	rows_fit(&p->rows, p->n, left.h);
	if (!p->n) {
		area_text(&left, 1, 0, STYLE_DIM, p->find[0] ?
			  "None fits." : "None yet.");
		return;
	}

	draw_peers(p, &left);
	peer = &p->v[p->rows.cur];
	if (!same_peer(peer->uri, p->at)) {
		snprintf(p->at, sizeof(p->at), "%s", peer->uri);
		p->skip = 0;
	}
	draw_talk(t, p, &right, peer);

	/* it has been looked at; its number goes with the next paint */
	if (peer->unread) {
		messages_seen(t->ph->messages, peer->uri);
		peer->unread = 0;
	}
}


static bool messages_act(struct tui *t, void *state, enum act act,
			 const char *text)
{
	struct messages_pane *p = state;
	const int page = p->rows.height > 2 ? p->rows.height - 2 : 1;
	char word[400], line[420];

	switch (act) {

	case ACT_FIND:
		snprintf(p->find, sizeof(p->find), "%s", text);
		p->valid = false;
		p->at[0] = '\0';
		p->rows.cur = 0;
		return true;

	case ACT_BACK:
		if (!p->find[0])
			return false;
		p->find[0] = '\0';
		p->valid = false;
		return true;

	case ACT_PAGE_UP:
		p->skip += page;
		return true;

	case ACT_PAGE_DOWN:
		p->skip = p->skip > page ? p->skip - page : 0;
		return true;

	default:
		break;
	}

	if (rows_act(&p->rows, act)) {
		p->at[0] = '\0';
		p->skip = 0;
		return true;
	}
	if (p->rows.cur < 0 || p->rows.cur >= p->n ||
	    (act != ACT_CHOOSE && act != ACT_USER))
		return false;

	tui_quote(p->v[p->rows.cur].uri, word, sizeof(word));
	if (act == ACT_USER) {
		tui_submit(t, "dial %s", word);
		return true;
	}
	snprintf(line, sizeof(line), "message %s ", word);
	tui_line(t, line);

	return true;
}


static bool messages_click(struct tui *t, void *state, int x, int y)
{
	struct messages_pane *p = state;
	const int i = x <= SIDE ? rows_at(&p->rows, y - 1) : -1;
	(void)t;

	if (i < 0)
		return false;

	p->rows.cur = i;
	p->at[0] = '\0';

	return true;
}


const struct pane pane_messages = {
	.name = "messages", .title = "Messages",
	.summary = "who wrote, and what was said",
	.min_w = 36, .min_h = 3,
	.state = sizeof(struct messages_pane),
	.keys = messages_keys,
	.help = "Up and Down choose with whom, PageUp and PageDown go through "
		"what was said. What is shown counts as read.",
	.draw = messages_draw,
	.act = messages_act,
	.click = messages_click,
};
