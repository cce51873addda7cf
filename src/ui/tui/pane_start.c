/**
 * @file pane_start.c  The first run: how one can be reached, and what next
 *
 * Shown while nothing is configured.  Asks for an account in the command
 * line, one question after the other; the password is not shown, and where
 * it is kept is the user's choice: a file of its own by default, to which
 * the accounts file only refers.  Everything happens through `account add`.
 * Main thread.
 */
#include <ctype.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "offhook/path.h"
#include "offhook/text.h"
#include "tui.h"

enum { ANSWER = 200, FOUND_MAX = 6, TRIES_MAX = 4, STEP_TEXT = 160 };

struct start {
	char aor[ANSWER];        /* "alice@example.com"                      */
	char password[ANSWER];   /* until it is known where it is kept       */
	char command[ANSWER];    /* that prints it                           */
	struct client *runner;   /* which adds the account with it           */
	char wrong[CONFIG_ERR];  /* with the last answer                     */
	bool added;
	char kept[STEP_TEXT];    /* where the password is, in words          */
	bool saved;

	/* how its server is found: what `resolve` told, and what was tried */
	struct client *client;
	bool looking;
	char found[FOUND_MAX][STEP_TEXT];
	int foundc;
	bool lost;               /* there is none                            */
	char tries[TRIES_MAX][STEP_TEXT];
	bool good[TRIES_MAX];
	int tryc;
};

static const struct key_row start_keys[] = {
	{ "n", "screen own account", "account", "Set up an account" },
	{ "e", "screen own echo", "echo test", "Call yourself and hear what "
	  "you say" },
	{ NULL, NULL, NULL, NULL }
};


static struct start *start_of(struct tui *t)
{
	return tui_state(t, &pane_start);
}


static void forget(struct start *s)
{
	explicit_bzero(s->password, sizeof(s->password));
}


static bool file_there(const char *dir, const char *name)
{
	char path[600];

	return !path_join(path, sizeof(path), dir, name) &&
		access(path, F_OK) == 0;
}


bool start_wanted(const struct tui *t)
{
	const char *dir = t->ph->config_dir;

	return !ua_account(t->ph->ua, 0) && !answer_on(t->ph->answer) &&
		dir[0] && !file_there(dir, "accounts") &&
		!file_there(dir, "offhook.conf") &&
		!(t->ph->history && history_count(t->ph->history));
}


/* The account -------------------------------------------------------------- */

/* All but letters and digits, so that it can stand in a parameter */
static void percent(char *buf, size_t sz, const char *s)
{
	size_t at = 0;

	for (; *s && at + 4 < sz; s++) {
		if (isalnum((unsigned char)*s))
			buf[at++] = *s;
		else
			at += (size_t)snprintf(buf + at, 4, "%%%02X",
					       (unsigned char)*s);
	}
	buf[at] = '\0';
}


/* What is new, with words about it, for who looks into the folder later */
static void write_new(const char *dir, const char *name, const char *text)
{
	char path[600];

	if (!file_there(dir, name) &&
	    !path_join(path, sizeof(path), dir, name))
		(void)path_write(path, text, strlen(text), 0600);
}


static int files_prepare(const char *dir, char *why, size_t sz)
{
	static const char accounts[] =
		"# Accounts of offhook: a section each, as in\n"
		"#   [work]\n"
		"#   uri = sip:alice@example.com\n"
		"#   password-file = /home/alice/.config/offhook/password-work"
		"\n"
		"# `offhook help account` and the manual tell all parameters."
		"\n\n";
	char *conf;
	const int e = path_mkdirs(dir);

	if (e) {
		snprintf(why, sz, "%.200s: %s", dir, strerror(e));
		return e;
	}

	write_new(dir, "accounts", accounts);
	conf = config_default_text();
	if (conf)
		write_new(dir, "offhook.conf", conf);
	free(conf);

	return 0;
}


/* Beside the accounts, for its owner's eyes only. @return 0 or errno */
static int password_write(struct start *s, const char *dir, char *path,
			  size_t sz)
{
	char name[ANSWER + 16], line[ANSWER + 2];
	size_t n = (size_t)snprintf(name, sizeof(name), "password-%s",
				    s->aor);
	int e;

	for (size_t i = 0; i < n; i++) {
		if (!isalnum((unsigned char)name[i]) &&
		    !strchr("-_.@", name[i]))
			name[i] = '_';
	}

	snprintf(line, sizeof(line), "%s\n", s->password);
	e = path_join(path, sz, dir, name);
	if (!e)
		e = path_write(path, line, strlen(line), 0600);
	explicit_bzero(line, sizeof(line));

	return e;
}


/* where: f file, a accounts file, n nowhere */
static void add(struct tui *t, struct start *s, char where)
{
	const char *dir = t->ph->config_dir;
	char param[3 * ANSWER + 700] = "", path[800], word[3 * ANSWER];
	int e = files_prepare(dir, s->wrong, sizeof(s->wrong));

	if (!e && s->password[0] && where == 'f') {
		e = password_write(s, dir, path, sizeof(path));
		if (e) {
			snprintf(s->wrong, sizeof(s->wrong), "%.300s: %s",
				 path, strerror(e));
		}
		else {
			percent(word, sizeof(word), path);
			snprintf(param, sizeof(param), ";password-file=%s",
				 word);
			snprintf(s->kept, sizeof(s->kept), "The password "
				 "is in %.140s", path);
		}
	}
	else if (!e && s->password[0]) {
		percent(word, sizeof(word), s->password);
		snprintf(param, sizeof(param), ";password=%s", word);
		snprintf(s->kept, sizeof(s->kept), "%s", where == 'a' ?
			 "The password stands there too." : "");
	}

	if (!e) {
		tui_submit(t, "account add 'sip:%s%s'%s", s->aor, param,
			   where == 'n' ? "" : " --save");
		s->saved = where != 'n';
		s->tryc = 0;
		s->added = true;
		tui_show(t, &pane_start);
	}
	else {
		tui_say(t, STYLE_BAD, "%s", s->wrong[0] ? s->wrong :
			strerror(e));
	}

	explicit_bzero(word, sizeof(word));
	explicit_bzero(param, sizeof(param));
	forget(s);
	tui_dirty(t);
}


static void ask_password(struct tui *t);


static void where_handler(const char *answer, void *arg)
{
	struct tui *t = arg;
	struct start *s = start_of(t);
	const char c = answer ? (char)tolower((unsigned char)answer[0]) : 0;

	if (!answer) {
		forget(s);
		return;
	}
	if (c && c != 'f' && c != 'a' && c != 'n') {
		tui_ask(t, "f, a or n? ", "", false, where_handler, t);
		return;
	}

	add(t, s, c ? c : 'f');
}


static void ask_command(struct tui *t, const char *text);


/* The command has told a password, or it is asked for another one */
static void added_handler(const struct reply *r, bool failed, void *arg)
{
	struct tui *t = arg;
	struct start *s = start_of(t);
	(void)failed;

	if (!reply_ok(r)) {
		tui_say(t, STYLE_BAD, "%s", reply_error_text(r));
		ask_command(t, s->command);
		return;
	}

	snprintf(s->kept, sizeof(s->kept), "The password comes from your "
		 "command.");
	s->saved = s->added = true;
	tui_say(t, STYLE_NORMAL, "%s", "");
	tui_show(t, &pane_start);
}


/* The accounts file says by which command the password comes, not what it is */
static void command_handler(const char *answer, void *arg)
{
	static const struct client_h h = { .reply_h = added_handler };
	struct tui *t = arg;
	struct start *s = start_of(t);
	char word[3 * ANSWER], line[4 * ANSWER + 80];

	if (!answer)
		return;
	if (!*answer) {
		add(t, s, 'a');
		return;
	}

	snprintf(s->command, sizeof(s->command), "%s", answer);
	if (files_prepare(t->ph->config_dir, s->wrong, sizeof(s->wrong))) {
		tui_say(t, STYLE_BAD, "%s", s->wrong);
		return;
	}
	if (!s->runner && client_alloc(&s->runner, t->ph, &h, t))
		return;

	s->tryc = 0;
	percent(word, sizeof(word), s->command);
	snprintf(line, sizeof(line), "account add 'sip:%.190s;"
		 "password-command=%s' --save", s->aor, word);
	tui_say(t, STYLE_NORMAL, "The command runs ...");
	client_flush(s->runner);
	(void)client_submit(s->runner, line, strlen(line), NULL);
}


static void ask_command(struct tui *t, const char *text)
{
	tui_ask(t, "A command that prints it (Enter: no password)", text,
		false, command_handler, t);
}


static void password_handler(const char *answer, void *arg)
{
	struct tui *t = arg;
	struct start *s = start_of(t);

	if (!answer)
		return;

	snprintf(s->password, sizeof(s->password), "%s", answer);
	if (!s->password[0]) {
		ask_command(t, "");
		return;
	}
	tui_ask(t, "Keep it: [f]ile of its own, [a]ccounts file, "
		"[n]ot at all?", "f", false, where_handler, t);
}


static void ask_password(struct tui *t)
{
	tui_ask(t, "Password (Enter: none, or by a command)", "", true,
		password_handler, t);
}


/* Where a server was found is told while the password is typed */
static void found_handler(const struct reply *r, bool failed, void *arg)
{
	struct tui *t = arg;
	struct start *s = start_of(t);
	char *text = reply_print(r), *p = text;
	(void)failed;

	s->looking = false;
	s->lost = !reply_ok(r);
	s->foundc = 0;
	while (p && *p) {
		const size_t n = strcspn(p, "\n");

		/* the last ones are the addresses */
		if (s->foundc == FOUND_MAX)
			memmove(s->found[0], s->found[1],
				sizeof(s->found[0]) * (FOUND_MAX - 1));
		else
			++s->foundc;
		snprintf(s->found[s->foundc - 1], STEP_TEXT, "%.*s", (int)n,
			 p);
		p += n + (p[n] == '\n');
	}
	if (s->lost && !s->foundc)
		snprintf(s->found[s->foundc++], STEP_TEXT, "%s",
			 reply_error_text(r));
	free(text);
	tui_dirty(t);
}


static void look_up(struct tui *t, struct start *s)
{
	static const struct client_h h = { .reply_h = found_handler };
	char line[ANSWER + 32];

	s->foundc = 0;
	s->lost = false;
	s->looking = false;
	if (!s->client && client_alloc(&s->client, t->ph, &h, t))
		return;

	client_flush(s->client);
	snprintf(line, sizeof(line), "resolve 'sip:%.190s'", s->aor);
	s->looking = !client_submit(s->client, line, strlen(line), NULL);
}


static void aor_handler(const char *answer, void *arg)
{
	struct tui *t = arg;
	struct start *s = start_of(t);
	char uri[ANSWER + 8];
	struct account_conf ac;

	if (!answer || !*answer)
		return;

	answer += !strncmp(answer, "sip:", 4) ? 4 : 0;
	snprintf(uri, sizeof(uri), "sip:%.190s", answer);
	s->wrong[0] = '\0';

	if (!strchr(answer, '@') || strpbrk(answer, " '\";<>\\$#"))
		snprintf(s->wrong, sizeof(s->wrong), "An address is written "
			 "as in alice@example.com.");
	else if (account_parse(&ac, uri, s->wrong) && !s->wrong[0])
		snprintf(s->wrong, sizeof(s->wrong), "That is no address.");

	if (s->wrong[0]) {
		tui_say(t, STYLE_BAD, "%s", s->wrong);
		tui_ask(t, "Your SIP address", answer, false, aor_handler, t);
		return;
	}

	snprintf(s->aor, sizeof(s->aor), "%.190s", answer);
	s->added = false;
	look_up(t, s);
	ask_password(t);
}


/* The echo test ---------------------------------------------------------- */

static void echo(struct tui *t)
{
	enum sip_transp tp;
	struct sa sa;
	char addr[80];

	for (size_t i = 0; ua_listener(t->ph->ua, i, &sa, &tp); i++) {

		if (tp != SIP_TRANSP_UDP || re_snprintf(addr, sizeof(addr),
							"%J", &sa) < 0)
			continue;
		tui_submit(t, "listen --echo --calls 1");
		tui_submit(t, "dial 'sip:echo@%s'", addr);
		/* not where it listens, but how it goes */
		tui_show(t, pane_at(0));
		return;
	}

	tui_say(t, STYLE_BAD, "The phone listens nowhere by UDP.");
}


/* The page --------------------------------------------------------------- */

static int draw_reach(struct tui *t, const struct area *a, int y)
{
	const char *user = getenv("USER");
	enum sip_transp tp;
	struct sa sa;

	for (size_t i = 0; ua_listener(t->ph->ua, i, &sa, &tp) && y < a->h;
	     i++) {

		char addr[80];

		if (tp != SIP_TRANSP_UDP || re_snprintf(addr, sizeof(addr),
							"%J", &sa) < 0)
			continue;
		area_printf(a, 5, y++, STYLE_INFO, "sip:%s@%s",
			    user && *user ? user : "me", addr);
	}

	return y;
}


static int draw_choice(const struct area *a, int y, const char *key,
		       const char *what, const char *about)
{
	int x;

	if (y >= a->h)
		return y;

	x = area_text(a, 3, y, STYLE_NORMAL, "[");
	x = area_text(a, x, y, STYLE_KEY, key);
	x = area_text(a, x, y, STYLE_NORMAL, "] ");
	area_text(a, x, y, STYLE_BOLD, what);
	if (a->w >= 60)
		area_cut(a, 28, y, a->w - 29, STYLE_DIM, about);

	return y + 1;
}


/* How it goes with the account that was set up */
static int draw_account(struct tui *t, const struct area *a, int y)
{
	const struct account *acc = ua_account_default(t->ph->ua);
	const struct sip_result *res = acc ? account_result(acc) : NULL;
	const char *state = acc ? account_state(acc) : "";
	const struct start *s = start_of(t);
	struct sip_reg_status st;
	char text[500], server[300] = "";
	enum style style = STYLE_WORK;

	if (!acc)
		return y;

	if (account_registration(&st, acc, 0) && st.server[0])
		snprintf(server, sizeof(server), " at %.200s over %s",
			 st.server, st.tp == SIP_TRANSP_TLS ? "tls" :
			 st.tp == SIP_TRANSP_TCP ? "tcp" : "udp");

	if (!strcmp(state, "registered")) {
		style = STYLE_OK;
		snprintf(text, sizeof(text), "%s Registered%s. Others reach "
			 "you at %.150s now.", sign(a->cv, SIGN_OK), server,
			 start_of(t)->aor);
	}
	else if (!strcmp(state, "failed")) {
		style = STYLE_BAD;
		snprintf(text, sizeof(text), "%s Not registered%s: %.200s",
			 sign(a->cv, SIGN_BAD), server, res ? res->reason :
			 "");
	}
	else {
		snprintf(text, sizeof(text), "%s %s%s ...", sign(a->cv,
			 SIGN_WORK), state, server);
	}

	y += area_wrap(a, 3, y, a->w - 5, style, text, 0);
	if (s->saved && y < a->h) {
		snprintf(text, sizeof(text), "Written, with comments: "
			 "accounts and offhook.conf in %.200s",
			 t->ph->config_dir);
		y += area_wrap(a, 3, y, a->w - 5, STYLE_DIM, text, 0);
		y += area_wrap(a, 3, y, a->w - 5, STYLE_DIM, s->kept, 0);
	}

	return y + 1;
}


static int draw_steps(const struct area *a, int y, const struct start *s)
{
	area_printf(a, 3, y++, s->lost ? STYLE_BAD : STYLE_NORMAL,
		    s->looking ? "Looking for the server of %s ..." :
		    s->lost ? "The server of %s is not found:" :
		    "The server of %s, as the name service tells:",
		    strchr(s->aor, '@') ? strchr(s->aor, '@') + 1 : s->aor);
	for (int i = a->h > 20 || s->foundc < 2 ? 0 : s->foundc - 2;
	     i < s->foundc && y < a->h; i++)
		area_cut(a, 5, y++, a->w - 6, STYLE_DIM, s->found[i]);
	for (int i = 0; i < s->tryc && y < a->h; i++) {
		area_text(a, 3, y, s->good[i] ? STYLE_OK : STYLE_BAD,
			  sign(a->cv, s->good[i] ? SIGN_OK : SIGN_BAD));
		area_cut(a, 5, y++, a->w - 6, STYLE_NORMAL, s->tries[i]);
	}

	return y + 1;
}


static void start_draw(struct tui *t, void *state, const struct area *a)
{
	const struct start *s = state;
	int y = a->h > 14;

	area_text(a, 1, y, STYLE_TITLE, "WELCOME");
	y += 1 + (a->h > 10);

	if (s->added)
		y = draw_account(t, a, y);
	if (s->aor[0] && (s->looking || s->foundc || s->tryc))
		y = draw_steps(a, y, s);

	if (!s->added) {
		area_text(a, 3, y++, STYLE_NORMAL, ua_account(t->ph->ua, 0) ?
			  "This machine can be called at" :
			  "Without an account you can call and be called at");
		y = draw_reach(t, a, y);
		y += a->h > 10;
	}

	y = draw_choice(a, y, "e", "Echo test", "hear what you say, in a call to "
			"yourself");
	y = draw_choice(a, y, "n", s->added ? "Another account" :
			"Set up an account", "your address at a provider or "
			"your company");
	y = draw_choice(a, y, "d", "Call somebody", "a SIP address, or a host "
			"on your network");
	y = draw_choice(a, y, "g", "Go to the phone", "Home: accounts, calls, "
			"what happened");
	draw_choice(a, y, "?", "Help", "what all keys do");
}


static bool start_act(struct tui *t, void *state, enum act act,
		      const char *text)
{
	struct start *s = state;

	if (act == ACT_CHOOSE) {
		tui_show(t, pane_at(0));
		return true;
	}
	if (act != ACT_USER)
		return false;

	if (!strcmp(text, "account")) {
		s->wrong[0] = '\0';
		tui_ask(t, "Your SIP address", "", false, aor_handler, t);
	}
	else if (!strcmp(text, "echo")) {
		echo(t);
	}

	return true;
}


/* Each address and transport that was tried, and what came of it */
static void tried(struct start *s, const struct event *ev)
{
	const char *state = ev->u.account_state.state;
	const bool good = !strcmp(state, "registered");

	if (!s->added || (!good && strcmp(state, "failed")))
		return;

	if (s->tryc == TRIES_MAX) {
		memmove(s->tries[0], s->tries[1],
			sizeof(s->tries[0]) * (TRIES_MAX - 1));
		memmove(s->good, s->good + 1, TRIES_MAX - 1);
		--s->tryc;
	}
	s->good[s->tryc] = good;
	snprintf(s->tries[s->tryc++], STEP_TEXT, "%.60s %.8s: %.80s",
		 ev->u.account_state.server[0] ? ev->u.account_state.server :
		 "no server", ev->u.account_state.transport, good ?
		 "registered" : ev->u.account_state.text);
}


/* A call is what the phone is for: it shows it */
static void start_event(struct tui *t, void *state, const struct event *ev)
{
	if (state && ev->type == EVENT_ACCOUNT_STATE)
		tried(state, ev);
	if (t->pane == &pane_start && ev->type == EVENT_CALL_STATE &&
	    strcmp(ev->u.call_state.state, "ended"))
		tui_show(t, pane_at(0));
}


static void start_close(struct tui *t, void *state)
{
	struct start *s = state;
	(void)t;

	forget(s);
	s->client = mem_deref(s->client);
	s->runner = mem_deref(s->runner);
}


const struct pane pane_start = {
	.name = "start", .title = "Start",
	.summary = "the first steps: echo test, account",
	.min_w = 30, .min_h = 4,
	.state = sizeof(struct start),
	.keys = start_keys,
	.help = "An account is your address at a provider or a company's "
		"phone system. Its server is found by the name behind the @, "
		"the way there (TLS, TCP, UDP) as well. The password is kept "
		"in a file of its own that only you can read, unless you "
		"choose otherwise; the accounts file says where.",
	.draw = start_draw,
	.act = start_act,
	.event = start_event,
	.close = start_close,
};
