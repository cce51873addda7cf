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

enum { PEERS_MAX = 200, SIDE = 26, WRITES_MS = 120000 };

struct peer {
	char uri[300];
	char key[300];           /* the same as show_uri() has it            */
	uint32_t hash;           /* of key                                   */
	char who[80];
	bool named;              /* who is a name                            */
	unsigned unread;
};

struct messages_pane {
	struct peer v[PEERS_MAX];
	int n;
	struct found found;      /* message and peer of each that is shown,
				    newest first: index << 16 | peer         */
	struct rows rows;
	int skip;                /* lines scrolled back from the end         */
	char writes[300];        /* who writes just now, as key, "" nobody   */
	uint64_t writes_ms;      /* since it was told last                   */
	char at[300];            /* whose talk is shown, when order changes  */
};

static const struct key_row messages_keys[] = {
	{ "Enter", "screen choose", "write", "Write to this one" },
	{ "c", "screen own call", "call", "Call this one" },
	{ "PageUp", "screen page-up", NULL, "What was said before" },
	{ "PageDown", "screen page-down", NULL, "And after" },
	{ "/", "screen search", "find", "Only talks with a text" },
	{ NULL, NULL, NULL, NULL }
};


static void peer_who(struct tui *t, struct peer *p, const char *name)
{
	const struct contact_conf *c = t->ph->contacts ?
		contacts_by_uri(t->ph->contacts, p->uri) : NULL;
	const char *text = c ? c->name : name;

	p->named = *text;
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
	char key[sizeof(p->v[0].key)];
	uint32_t hash;
	struct peer *peer;

	show_uri(key, sizeof(key), uri);
	hash = hash_joaat_ci(key, strlen(key));
	for (int i = 0; i < p->n; i++) {
		if (p->v[i].hash == hash && !strcasecmp(p->v[i].key, key))
			return &p->v[i];
	}
	if (p->n == PEERS_MAX)
		return NULL;

	peer = &p->v[p->n++];
	memset(peer, 0, sizeof(*peer));
	snprintf(peer->uri, sizeof(peer->uri), "%s", uri);
	snprintf(peer->key, sizeof(peer->key), "%s", key);
	peer->hash = hash;

	return peer;
}


static bool fits(const struct message_record *r, const char *find)
{
	return !find[0] || strcasestr(r->text, find) ||
		strcasestr(r->peer, find) || strcasestr(r->name, find);
}


/* Newest first: who is met first wrote last */
static void collect(struct tui *t, struct messages_pane *p)
{
	struct messages *ms = t->ph->messages;
	const size_t count = messages_count(ms);
	struct message_record r;

	if (!found_begin(&p->found, (uint64_t)messages_version(ms) << 32 |
			 count))
		return;
	p->n = 0;

	for (size_t i = count; i-- > 0;) {

		struct peer *peer;

		if (!messages_at(&r, ms, i) || !fits(&r, p->found.find))
			continue;

		peer = peer_of(p, r.peer);
		if (!peer || !found_add(&p->found, (uint64_t)i << 16 |
					(uint64_t)(peer - p->v)))
			continue;
		peer->unread += r.unread;
		/* a name that came with a message is as good as another */
		if (!peer->named && (!peer->who[0] || !r.outgoing))
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
			const struct message_record *r, const char *who)
{
	char when[40];
	struct area text;
	int x, n;

	text = area_sub(a, 2, 0, a->w - 3, a->h);
	if (y >= 0 && y < a->h) {
		x = area_cut(a, 1, y, a->w / 2, r->outgoing ? STYLE_DIM :
			     STYLE_INFO, r->outgoing ? "you" : who) + 1;
		x = area_text(a, x, y, STYLE_DIM, show_when(
			when, sizeof(when), r->time_ms,
			clock_wall_ms())) + 1;
		if (r->outgoing && !strcmp(r->state, "failed"))
			area_printf(a, x, y, STYLE_BAD, "not delivered%s%s",
				    r->reason[0] ? ": " : "", r->reason);
		else if (r->outgoing && !strcmp(r->state, "stored"))
			area_text(a, x, y, STYLE_WORK, "waits, and is sent "
				  "again later");
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
	const uint64_t who = (uint64_t)(peer - p->v);
	struct message_record r;
	int need = 0, y;
	size_t i, first = 0;
	bool whole = true;

	/* from the end back, until the area is full */
	for (i = 0; i < p->found.n; i++) {
		if ((p->found.v[i] & 0xffff) != who ||
		    !messages_at(&r, ms, (size_t)(p->found.v[i] >> 16)))
			continue;
		need += draw_message(&nowhere, 0, &r, "");
		first = i;
		if (need >= a->h + p->skip) {
			whole = false;
			break;
		}
	}
	if (whole && p->skip > need - a->h)
		p->skip = need > a->h ? need - a->h : 0;

	y = need > a->h ? a->h - need + p->skip : 0;
	for (i = first + 1; i-- > 0 && y < a->h;) {
		if ((p->found.v[i] & 0xffff) == who &&
		    messages_at(&r, ms, (size_t)(p->found.v[i] >> 16)))
			y += draw_message(a, y, &r, peer->who);
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
	int x;

	if (!t->ph->messages) {
		area_text(a, 1, 0, STYLE_DIM, "No messages are kept "
			  "(messages-max is 0).");
		return;
	}

	collect(t, p);
	found_head(a, "MESSAGES", p->n == 1 ? "talk" : "talks", (size_t)p->n,
		  p->found.find);
	left = area_sub(a, 0, 1, side, a->h - 1);
	right = area_sub(a, side + 1, 1, a->w - side - 1, a->h - 1);
	rows_fit(&p->rows, p->n, left.h);
	if (!p->n) {
		area_text(&left, 1, 0, STYLE_DIM, p->found.find[0] ?
			  "None fits." : "None yet.");
		return;
	}

	draw_peers(p, &left);
	peer = &p->v[p->rows.cur];
	if (!same_peer(peer->uri, p->at)) {
		snprintf(p->at, sizeof(p->at), "%s", peer->uri);
		p->skip = 0;
	}
	if (!strcasecmp(peer->key, p->writes) &&
	    clock_ms() - p->writes_ms < WRITES_MS && right.h > 2) {
		--right.h;
		x = area_cut(a, right.x - a->x + 1, a->h - 1, right.w / 2,
			     STYLE_INFO, peer->who) + 1;
		area_text(a, x, a->h - 1, STYLE_DIM, "is writing ...");
	}
	draw_talk(t, p, &right, peer);

	/* it has been looked at; its number goes with the next paint */
	if (peer->unread) {
		messages_seen(t->ph->messages, peer->uri);
		peer->unread = 0;
		tui_dirty(t);
	}
}


static bool messages_act(struct tui *t, void *state, enum act act,
			 const char *text)
{
	struct messages_pane *p = state;
	const int page = p->rows.height > 2 ? p->rows.height - 2 : 1;
	char word[400];

	if (act == ACT_PAGE_UP) {
		p->skip += page;
		return true;
	}
	if (act == ACT_PAGE_DOWN) {
		p->skip = p->skip > page ? p->skip - page : 0;
		return true;
	}
	if (found_act(&p->found, &p->rows, act, text)) {
		p->at[0] = '\0';
		p->skip = 0;
		return true;
	}
	if (p->rows.cur < 0 || p->rows.cur >= p->n ||
	    (act != ACT_CHOOSE && act != ACT_USER))
		return false;

	if (act == ACT_CHOOSE)
		tui_write(t, p->v[p->rows.cur].uri, p->v[p->rows.cur].who);
	else
		tui_submit(t, "dial %s", tui_quote(p->v[p->rows.cur].uri, word,
						   sizeof(word)));

	return true;
}


static bool messages_click(struct tui *t, void *state, int x, int y)
{
	struct messages_pane *p = state;

	if (x > SIDE || !rows_click(t, &pane_messages, state, &p->rows,
				    y - 1))
		return false;
	p->at[0] = '\0';

	return true;
}


/* RFC 3994: somebody writes, or has stopped; what was written ends it too */
static void messages_event(struct tui *t, void *state, const struct event *ev)
{
	struct messages_pane *p = state;
	char who[sizeof(p->writes)];
	(void)t;

	if (!p)
		return;

	if (ev->type == EVENT_MESSAGE_COMPOSING) {
		show_uri(who, sizeof(who), ev->u.message_composing.from);
		if (ev->u.message_composing.active) {
			snprintf(p->writes, sizeof(p->writes), "%s", who);
			p->writes_ms = clock_ms();
		}
		else if (!strcasecmp(who, p->writes)) {
			p->writes[0] = '\0';
		}
	}
	else if (ev->type == EVENT_MESSAGE_RECEIVED &&
		 !strcasecmp(p->writes, show_uri(who, sizeof(who),
						 ev->u.message_received.from))) {
		p->writes[0] = '\0';
	}
}


static void messages_close(struct tui *t, void *state)
{
	struct messages_pane *p = state;
	(void)t;

	found_free(&p->found);
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
	.event = messages_event,
	.close = messages_close,
};
