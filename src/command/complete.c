/**
 * @file complete.c  What may stand at the end of an unfinished line
 *
 * Words are those of parse.c in its plain form: blanks between them, quotes
 * around.  The row of the table says what comes next; what a target may be,
 * the phone knows.  Main thread.
 */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include "priv.h"

enum { WORD = 256, SUGGEST_MAX = 64 };

struct ask {
	const struct phone *ph;
	complete_h *h;
	void *arg;
	const char *word;        /* what is typed of it                      */
	size_t len;
	unsigned n;
};


static void offer(struct ask *a, const char *text, const char *about)
{
	if (a->n >= SUGGEST_MAX)
		return;

	++a->n;
	a->h(text, about ? about : "", a->arg);
}


static void offer_if(struct ask *a, const char *text, const char *about)
{
	if (!strncasecmp(text, a->word, a->len))
		offer(a, text, about);
}


/* Words ------------------------------------------------------------------ */

/* The next word of the line from *at on, without quotes. @return false: the
 * line ends before it is complete, and it begins at *from */
static bool next_word(const char *line, size_t len, size_t *at, size_t *from,
		      char word[WORD])
{
	size_t n = 0;
	char quote = 0;

	while (*at < len && (line[*at] == ' ' || line[*at] == '\t'))
		++*at;
	*from = *at;

	for (; *at < len; ++*at) {
		const char c = line[*at];

		if (quote ? c == quote : c == '\'' || c == '"') {
			quote = quote ? 0 : c;
			continue;
		}
		if (!quote && (c == ' ' || c == '\t'))
			break;
		if (n + 1 < WORD)
			word[n++] = c;
	}
	word[n] = '\0';

	return *at < len;
}


static const struct command_arg *option_of(const struct command *c,
					   const char *word)
{
	for (const struct command_arg *o = command_options(c); o->name; o++) {
		if (!strcmp(o->name, word))
			return o;
	}

	return NULL;
}


/* Values ----------------------------------------------------------------- */

static void offer_commands(struct ask *a)
{
	const struct command *c;

	for (size_t i = 0; (c = command_at(i)); i++) {
		if (c->alias && a->len && !strcmp(c->alias, a->word))
			offer(a, c->name, c->summary);
	}
	for (size_t i = 0; (c = command_at(i)); i++) {
		if (c->alias && a->len && !strcmp(c->alias, a->word))
			continue;
		offer_if(a, c->name, c->summary);
	}
}


static void offer_choices(struct ask *a, const struct command_arg *arg)
{
	char list[256], *p = list, *s;

	snprintf(list, sizeof(list), "%s", arg->choices ? arg->choices : "");
	while ((s = strsep(&p, ",")))
		offer_if(a, s, "");
}


static void offer_calls(struct ask *a)
{
	struct call *c = NULL;
	char id[16], about[400];

	while (a->ph->ua && (c = ua_call_next(a->ph->ua, c))) {
		snprintf(id, sizeof(id), "%u", call_id(c));
		snprintf(about, sizeof(about), "%s %.255s (%s)",
			 call_peer_name(c), call_peer(c),
			 call_state_name(call_state(c)));
		offer_if(a, id, about);
	}
}


static void offer_accounts(struct ask *a)
{
	const struct account *acc;

	for (size_t i = 0; a->ph->ua && (acc = ua_account(a->ph->ua, i));
	     i++) {
		const struct account_conf *ac = account_config(acc);

		offer_if(a, ac->name[0] ? ac->name : ac->aor,
			 account_state(acc));
	}
}


static void offer_options(struct ask *a)
{
	size_t n;
	const struct option *v = option_table(&n);

	for (size_t i = 0; i < n; i++)
		offer_if(a, v[i].name, v[i].summary);
}


static void offer_files(struct ask *a)
{
	char dir[WORD] = ".", path[2 * WORD + 256], name[WORD + 256];
	const char *slash = strrchr(a->word, '/');
	const char *tail = slash ? slash + 1 : a->word;
	struct dirent *de;
	struct stat st;
	DIR *d;

	if (slash)
		snprintf(dir, sizeof(dir), "%.*s",
			 (int)(slash - a->word + 1), a->word);

	d = opendir(dir);
	for (unsigned n = 0; d && n < 4096 && (de = readdir(d)); n++) {

		if ((de->d_name[0] == '.' && *tail != '.') ||
		    strncmp(de->d_name, tail, strlen(tail)) ||
		    strpbrk(de->d_name, " '\"\\$\n"))
			continue;

		snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
		if (stat(path, &st))
			continue;
		snprintf(name, sizeof(name), "%s%s%s", slash ? dir : "",
			 de->d_name, S_ISDIR(st.st_mode) ? "/" : "");
		offer(a, name, S_ISDIR(st.st_mode) ? "folder" : "");
	}
	if (d)
		(void)closedir(d);
}


static void offer_value(struct ask *a, const struct command_arg *arg,
			target_h *targets, void *targets_arg)
{
	switch (arg->type) {

	case ARG_COMMAND: offer_commands(a); break;
	case ARG_CALL:    offer_calls(a); break;
	case ARG_ACCOUNT: offer_accounts(a); break;
	case ARG_OPTION:  offer_options(a); break;
	case ARG_CHOICE:  offer_choices(a, arg); break;
	case ARG_FILE:    offer_files(a); break;
	case ARG_TARGET:
		if (targets)
			targets(a->word, a->h, a->arg, targets_arg);
		break;
	default:
		break;
	}
}


static void expect_arg(char *buf, const struct command_arg *a)
{
	char word[64];

	snprintf(buf, COMPLETE_EXPECTS, "%s: %s%s",
		 command_arg_word(a, word, sizeof(word)),
		 a->summary ? a->summary : "",
		 a->optional ? " (or nothing)" : "");
}


void command_complete(const struct phone *ph, const char *line, size_t len,
		      size_t *from, char *expects, target_h *targets,
		      void *targets_arg, complete_h *h, void *arg)
{
	const struct command_arg *option = NULL, *a;
	const struct command *c;
	char word[WORD], name[WORD + 2];
	struct ask ask = { .ph = ph, .h = h, .arg = arg };
	size_t at = 0, given = 0;
	bool whole;

	expects[0] = '\0';
	if (len && line[0] == '-')
		at = 1;

	whole = next_word(line, len, &at, from, word);
	ask.word = word;
	ask.len = strlen(word);
	if (!whole) {
		offer_commands(&ask);
		return;
	}

	c = command_find(word);
	if (!c) {
		snprintf(expects, COMPLETE_EXPECTS, "there is no command "
			 "'%.40s'", word);
		*from = len;
		return;
	}

	while (next_word(line, len, &at, from, word)) {
		if (option && option->type != ARG_NONE) {
			option = NULL;
			continue;
		}
		option = !strncmp(word, "--", 2) ? option_of(c, word + 2) :
			NULL;
		if (!option && strncmp(word, "--", 2))
			++given;
		if (option && option->type == ARG_NONE)
			option = NULL;
	}
	ask.len = strlen(word);

	if (option) {
		expect_arg(expects, option);
		offer_value(&ask, option, targets, targets_arg);
		return;
	}

	if (word[0] == '-') {
		for (a = command_options(c); a->name; a++) {
			snprintf(name, sizeof(name), "--%s", a->name);
			offer_if(&ask, name, a->summary);
		}
		return;
	}

	for (a = command_args(c); a->name && given && !a->many &&
	     a->type != ARG_REST; a++)
		--given;

	if (a->name) {
		expect_arg(expects, a);
		offer_value(&ask, a, targets, targets_arg);
	}
	else if (!word[0]) {
		snprintf(expects, COMPLETE_EXPECTS, "%s",
			 command_options(c)->name ? "Enter, or -- for options" :
			 "Enter");
	}
}
