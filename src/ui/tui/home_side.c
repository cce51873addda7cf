/**
 * @file home_side.c  Home's accounts, people, messages and news
 *
 * Main thread.
 */
#include <stdio.h>
#include "offhook/clock.h"
#include "offhook/text.h"
#include "home.h"

enum { PEOPLE_MAX = 32 };


/* Accounts, how one is reached -------------------------------------------- */

/* Why it is not registered. @return buf, "" when nobody said why */
static const char *reason_of(char *buf, size_t sz,
			     const struct sip_result *res)
{
	buf[0] = '\0';
	if (res && res->code)
		snprintf(buf, sz, "%u %s", res->code, res->reason);
	else if (res)
		snprintf(buf, sz, "%s", res->reason);

	return buf;
}


/* Below it. @return row below */
static int draw_reason(const struct area *a, int y, int end, const char *why)
{
	struct area part;
	int n;

	if (!*why || y >= end)
		return y;

	part = area_sub(a, 3, y, a->w - 4, end - y < 2 ? 1 : 2);
	n = area_wrap(&part, 0, 0, part.w, STYLE_BAD, why, 0);

	return y + (n < part.h ? n : part.h);
}


/* What waits in its mailbox, in as many words as there is room for */
static int draw_mail(const struct area *a, int x, int y,
		     const struct account *acc)
{
	struct account_mail m;
	char text[64];

	if (!account_mailbox(&m, acc) || !m.waiting)
		return x;

	if (m.fresh)
		snprintf(text, sizeof(text), "%u new voice message%s", m.fresh,
			 m.fresh == 1 ? "" : "s");
	else
		snprintf(text, sizeof(text), "voice messages");

	return area_cut(a, x, y, a->w - x - 1, STYLE_WORK, text) + 1;
}


static int draw_account(struct tui *t, const struct area *a, int y, int end,
			const struct account *acc)
{
	const char *state = account_state(acc);
	const bool failed = !strcmp(state, "failed");
	const bool ok = !strcmp(state, "registered");
	char aor[CONFIG_STR], why[400];
	const bool below = failed && y + 1 < end;
	/* without a row for the reason it stands here, and needs the room */
	const int mid = failed && !below ? a->w * 2 / 5 :
		a->w / 2 < 34 ? a->w / 2 : 34;
	int x;

	reason_of(why, sizeof(why), failed ? account_result(acc) : NULL);

	x = area_text(a, 1, y, failed ? STYLE_BAD : ok ? STYLE_OK :
		      !strcmp(state, "off") ? STYLE_DIM : STYLE_WORK,
		      sign(a->cv, failed ? SIGN_BAD : ok ? SIGN_OK :
			   !strcmp(state, "off") ? SIGN_OFF : SIGN_WORK)) + 1;
	show_uri(aor, sizeof(aor), account_config(acc)->aor);
	x = area_cut(a, x, y, failed && !below ? mid - x - 2 :
		     a->w - x - 16, STYLE_NORMAL, aor) + 2;
	x = x > mid ? x : mid;
	x = area_cut(a, x, y, a->w - x, failed ? STYLE_BAD : STYLE_DIM,
		     !failed ? state : below || !*why ? "not registered" :
		     why) + 1;
	x = draw_mail(a, x, y, acc);
	if (!failed && acc == ua_account_default(t->ph->ua) &&
	    ua_account(t->ph->ua, 1) && x + 9 < a->w)
		area_text(a, x, y, STYLE_DIM, "(default)");

	return below ? draw_reason(a, y + 1, end, why) : y + 1;
}


/* Without an account: others call an address of this machine */
static int draw_reach(struct tui *t, const struct area *a, int y)
{
	const char *user = getenv("USER");
	enum sip_transp tp;
	struct sa sa;
	int x;

	x = area_text(a, 1, y, STYLE_DIM, "no account; you can be called at");
	for (size_t i = 0; ua_listener(t->ph->ua, i, &sa, &tp); i++) {

		char addr[80];

		if (tp != SIP_TRANSP_UDP || re_snprintf(addr, sizeof(addr),
							"%J", &sa) < 0)
			continue;
		if (x + 2 + text_columns(addr) > a->w && x > 4) {
			++y;
			x = 3;
		}
		if (y >= a->h)
			return y;
		x = area_printf(a, x + 1, y, STYLE_INFO, "sip:%s@%s",
				user && *user ? user : "me", addr) + 1;
	}

	return y + 1;
}


static bool is_failed(const struct account *acc)
{
	return !strcmp(account_state(acc), "failed");
}


/* One each, and one for a reason */
static int rows_wanted(const struct tui *t)
{
	const struct account *acc;
	int n = 0;

	for (size_t i = 0; (acc = ua_account(t->ph->ua, i)); i++)
		n += 1 + is_failed(acc);

	return n;
}


bool home_accounts_bad(const struct tui *t)
{
	const struct account *acc;

	for (size_t i = 0; (acc = ua_account(t->ph->ua, i)); i++) {
		if (is_failed(acc))
			return true;
	}

	return false;
}


int home_accounts(struct tui *t, const struct area *a, int y, bool title,
		  int most)
{
	const struct account *acc;
	const int end = y + title + most < a->h ? y + title + most : a->h;
	const bool short_of = rows_wanted(t) > end - y - title;

	if (title)
		area_text(a, 1, y++, STYLE_TITLE, "ACCOUNTS");
	if (!ua_account(t->ph->ua, 0))
		return draw_reach(t, a, y);

	/* where not all have room those come first that need a hand */
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; y < end &&
			     (acc = ua_account(t->ph->ua, i)); i++) {
			if (pass == (short_of && !is_failed(acc)))
				y = draw_account(t, a, y, end, acc);
		}
	}

	return y;
}


/* What happened ---------------------------------------------------------- */

void home_news(const struct tui *t, const struct area *a)
{
	const struct news *n;
	char clock[16];

	for (int y = 0; y < a->h && (n = tui_news(t, (size_t)y)); y++) {

		int x = 3;

		show_clock(clock, sizeof(clock), n->time, false);
		x = area_text(a, x, y, STYLE_DIM, clock) + 2;
		if (n->sign < SIGNS)
			area_text(a, x, y, n->style == STYLE_ALERT ?
				  STYLE_BOLD : n->style, sign(a->cv, n->sign));
		area_cut(a, x + 2, y, a->w - x - 2, n->style == STYLE_ALERT ||
			 n->style == STYLE_OK || n->style == STYLE_WORK ?
			 STYLE_NORMAL : n->style, n->text);
	}
}


/* People ------------------------------------------------------------------ */

/* Who is watched and can be reached or is on the phone, then the first of the
 * file: as many as there may be rows */
static void people_collect(struct tui *t, struct home_side *s)
{
	struct contacts *cs = t->ph->contacts;
	const size_t n = contacts_count(cs);
	const struct contact_conf *c;

	if (!found_begin(&s->people, (uint64_t)contacts_version(cs) << 32 |
			 people_version(t)))
		return;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < n && s->people.n < PEOPLE_MAX; i++) {

			const char *word;
			enum style st;
			bool lit;

			c = contacts_at(cs, i);
			lit = c && people_lamp(t, c->uri, &st, &word) !=
				SIGN_DOT;
			if (lit == !pass && !found_add(&s->people, i))
				return;
		}
	}
}


void home_people(struct tui *t, struct home_side *s, const struct area *a)
{
	struct contacts *cs = t->ph->contacts;
	const int mid = a->w * 6 / 10;

	area_text(a, 1, 0, STYLE_TITLE, "PEOPLE");
	if (!cs || !contacts_count(cs)) {
		area_cut(a, 3, 1, a->w - 4, STYLE_DIM, "No contacts yet: P "
			 "shows the page, + adds one.");
		return;
	}

	people_collect(t, s);
	for (int y = 1; y < a->h && (size_t)y <= s->people.n; y++) {

		const struct contact_conf *c = contacts_at(
			cs, (size_t)s->people.v[y - 1]);
		const char *word;
		enum style st;
		enum sign sg;

		if (!c)
			break;
		sg = people_lamp(t, c->uri, &st, &word);
		area_text(a, 3, y, st, sign(a->cv, sg));
		area_cut(a, 5, y, mid - 6, STYLE_NORMAL, c->name);
		area_cut(a, mid, y, a->w - mid - 1, st, word);
	}
}


/* Messages ---------------------------------------------------------------- */

void home_messages(struct tui *t, struct home_side *s, const struct area *a)
{
	struct messages *ms = t->ph->messages;
	const size_t n = ms ? messages_count(ms) : 0;
	const uint64_t now = clock_wall_ms(), version = (uint64_t)
		(ms ? messages_version(ms) : 0) << 32 | n;
	struct message_record r;
	char who[128], when[40], text[240];
	int x;

	if (s->unread_version != version) {
		s->unread_version = version;
		s->unread = ms ? messages_unread(ms, NULL) : 0;
	}

	x = area_text(a, 1, 0, STYLE_TITLE, "MESSAGES");
	if (s->unread)
		area_printf(a, x + 2, 0, STYLE_WORK, "%u unread", s->unread);
	if (!n) {
		area_cut(a, 3, 1, a->w - 4, STYLE_DIM, "None yet: m writes "
			 "one.");
		return;
	}

	for (int y = 1; y < a->h && (size_t)y <= n; y++) {

		int end;

		if (!messages_at(&r, ms, n - (size_t)y))
			break;
		end = area_right(a, a->w - 1, y, STYLE_DIM, show_when(
			when, sizeof(when), r.time_ms, now));
		tui_who(t, who, sizeof(who), r.peer, r.name);
		x = area_text(a, 3, y, STYLE_DIM, r.outgoing ? "to " : "");
		x = area_cut(a, x, y, (end - x) / 2, r.unread ? STYLE_BOLD :
			     STYLE_INFO, who);
		x = area_text(a, x, y, STYLE_DIM, ": ");
		/* its lines in one */
		snprintf(text, sizeof(text), "%s", r.text);
		for (char *p = text; (p = strpbrk(p, "\r\n\t"));)
			*p = ' ';
		area_cut(a, x, y, end - x - 1, r.unread ? STYLE_BOLD :
			 STYLE_NORMAL, text);
	}
}
