/**
 * @file args.c  The program's own arguments
 *
 * One table of options serves parsing, --help, the manual and the shells.
 * Everything behind the first word that is no option belongs to COMMAND.
 * Accounts are copied and overwritten in argv at once: their passwords show
 * in the list of processes.  Runs before anything else exists.
 */
#include <stdarg.h>
#include <stdio.h>
#include "offhook/log.h"
#include "offhook/text.h"
#include "main.h"

enum value { NONE, NEEDED, MAYBE };

enum arg_id {
	A_ACCOUNT, A_CONFIG, A_SET, A_EXECUTE, A_FILE, A_LISTEN, A_AUDIO,
	A_AUTO_ANSWER, A_JSON, A_QUIET, A_VERBOSE, A_LOG, A_TRACE, A_JOURNAL, A_JUNIT, A_NEW,
	A_PLAIN, A_DUMP, A_HELP, A_VERSION,
};

static const struct arg_row {
	char letter;             /* 0: none */
	const char *name;
	enum value value;
	const char *value_name;
	const char *summary;
} rows[] = {
	[A_ACCOUNT] = { 'a', "account", NEEDED, "'URI[;param=value...]'",
		"an account for this run; repeatable" },
	[A_CONFIG] = { 'c', "config", NEEDED, "DIR",
		"another configuration directory; it must be there" },
	[A_SET] = { 's', "set", NEEDED, "NAME=VALUE",
		"an option for this run; repeatable" },
	[A_EXECUTE] = { 'e', "execute", NEEDED, "LINE",
		"run this command line after start; repeatable" },
	[A_FILE] = { 'f', "file", NEEDED, "FILE",
		"run a script; - is stdin" },
	[A_LISTEN] = { 'l', "listen", NEEDED, "[udp:|tcp:|tls:]ADDR[:PORT]",
		"where to listen; repeatable. IPv6 in brackets; default: "
		"every usable address" },
	[A_AUDIO] = { 'A', "audio", NEEDED, "SPEC",
		"where sound comes from and goes: auto, portaudio[:NAME], "
		"null, file:IN.wav[,OUT.wav], tone:HZ, silence or "
		"pipe:IN,OUT" },
	[A_AUTO_ANSWER] = { 0, "auto-answer", MAYBE, "CODE",
		"answer every call, or send CODE" },
	[A_JSON] = { 'j', "json", NONE, NULL,
		"replies and events as JSON lines on stdout" },
	[A_QUIET] = { 'q', "quiet", NONE, NULL,
		"no events, and only errors in the log" },
	[A_VERBOSE] = { 'v', "verbose", NONE, NULL,
		"a louder log; twice: for developers" },
	[A_LOG] = { 0, "log", NEEDED, "WHERE|LEVELS",
		"log to a file, journal or syslog instead of stderr; or say "
		"how much, as in sip=debug,media=info; repeatable" },
	[A_TRACE] = { 't', "trace", MAYBE, "FILE",
		"SIP messages as sent and received, into the log or a file" },
	[A_JOURNAL] = { 0, "journal", NEEDED, "FILE",
		"write all lines, events and SIP messages of this run there; "
		"`ladder FILE` and `replay FILE` read it" },
	[A_JUNIT] = { 0, "junit", NEEDED, "FILE",
		"write the result of every line there, as JUnit's XML" },
	[A_PLAIN] = { 0, "plain", NONE, NULL,
		"no full-screen phone on a terminal: a prompt and lines, as "
		"screen readers like them" },
	[A_NEW] = { 0, "new", NONE, NULL,
		"a phone of its own; without it a COMMAND goes to the phone "
		"that runs with the same configuration directory, if there "
		"is one. --account, --listen, --audio, --auto-answer, --set, "
		"--trace and --log imply it" },
	[A_DUMP] = { 0, "dump", NEEDED, "WHAT",
		"print commands, options, accounts, events, figures, errors, "
		"modules or arguments as JSON, the schema of all JSON lines, or the "
		"default config" },
	[A_HELP] = { 'h', "help", NONE, NULL,
		"tell this, or all about COMMAND" },
	[A_VERSION] = { 'V', "version", NONE, NULL, "tell the version" },
};


/* What is wrong: a stable token and a sentence */
struct fault {
	const char *token;
	char *text;              /* UA_ERR bytes */
};


static int wrong(struct fault *err, const char *token, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int wrong(struct fault *err, const char *token, const char *fmt, ...)
{
	va_list ap;

	err->token = token;
	va_start(ap, fmt);
	vsnprintf(err->text, UA_ERR, fmt, ap);
	va_end(ap);

	return EINVAL;
}


static const char *shown(char buf[64], const char *s)
{
	return text_escape(buf, 64, s, strlen(s));
}


/* -l --------------------------------------------------------------------- */

static int listen_wrong(struct fault *err, const char *text)
{
	char show[64];

	return wrong(err, "bad-argument", "--listen '%s'; it takes "
		     "[udp:|tcp:|tls:]ADDR[:PORT], as in udp:127.0.0.1:5060 or "
		     "[::1]:5060", shown(show, text));
}


static int listen_parse(struct sip_listen_addr *la, const char *text,
			struct fault *err)
{
	const char *p = text, *addr, *rest;
	char host[64];
	uint32_t port = 0;
	size_t n;

	la->udp = la->tcp = true;
	if (!strncasecmp(p, "udp:", 4)) {
		la->tcp = false;
	}
	else if (!strncasecmp(p, "tcp:", 4)) {
		la->udp = false;
	}
	else if (!strncasecmp(p, "tls:", 4)) {
		la->udp = la->tcp = false;
		la->tls = true;
	}
	p += la->udp && la->tcp ? 0 : 4;

	if (*p == '[') {
		addr = p + 1;
		n = strcspn(addr, "]");
		rest = addr + n + (addr[n] ? 1 : 0);
		if (!addr[n])
			return listen_wrong(err, text);
	}
	else {
		addr = p;
		n = strcspn(addr, ":");
		rest = addr + n;
	}

	if (!n || n >= sizeof(host) || (*rest && *rest != ':'))
		return listen_wrong(err, text);
	memcpy(host, addr, n);
	host[n] = '\0';

	if (*rest && (text_u32(&port, rest + 1, strlen(rest + 1), 65535) ||
		      !port))
		return listen_wrong(err, text);

	if (sa_set_str(&la->addr, host, (uint16_t)port))
		return listen_wrong(err, text);

	return 0;
}


/* Two words for one socket; without a port both mean the usual one */
static bool listen_same(const struct sip_listen_addr *a,
			const struct sip_listen_addr *b)
{
	const uint16_t usual = a->tls ? SIP_PORT_TLS : SIP_PORT;
	const uint16_t ap = sa_port(&a->addr), bp = sa_port(&b->addr);

	/* TCP and TLS want the same kind of port */
	return ((a->udp && b->udp) || ((a->tcp || a->tls) &&
				       (b->tcp || b->tls))) &&
		sa_cmp(&a->addr, &b->addr, SA_ADDR) &&
		(ap ? ap : usual) == (bp ? bp : b->tls ? SIP_PORT_TLS :
				      SIP_PORT);
}


static int take_listen(struct args *a, const char *text, struct fault *err)
{
	struct sip_listen_addr *la = &a->listens[a->listenc];
	char show[64];
	int e = listen_parse(la, text, err);

	if (e)
		return e;

	for (size_t i = 0; i < a->listenc; i++) {
		if (listen_same(la, &a->listens[i]))
			return wrong(err, "bad-argument", "--listen %s: that "
				     "address and port are named twice",
				     shown(show, text));
	}

	++a->listenc;

	return 0;
}


/* Values ----------------------------------------------------------------- */

static int take_account(struct args *a, char *value)
{
	char *copy = strdup(value);

	if (!copy)
		return ENOMEM;

	a->accounts[a->accountc++] = copy;
	account_mask_arg(value);

	return 0;
}


static int take_answer(struct args *a, const char *value, struct fault *err)
{
	uint32_t code = 200;
	char show[64];

	if (value && (text_u32(&code, value, strlen(value), 699) ||
		      (code != 200 && code < 300)))
		return wrong(err, "bad-argument", "--auto-answer=%s; 200 "
			     "answers, 300 to 699 refuse",
			     shown(show, value));

	a->auto_answer = true;
	a->answer_code = (uint16_t)code;

	return 0;
}


/* `sip=debug`, `info,media=warn` say how much; the rest says where. A file of
 * such a name is written ./sip=debug */
static int take_log(struct args *a, const char *value, struct fault *err)
{
	char why[160];

	if (!*value)
		return wrong(err, "bad-argument", "--log needs a file, "
			     "journal, syslog, stderr, or levels such as "
			     "info,sip=debug");

	if (!log_levels_check(value, why, sizeof(why))) {
		a->log_levels = value;
		return 0;
	}
	if (strchr(value, '=') && !strchr(value, '/'))
		return wrong(err, "bad-argument", "--log %s", why);

	a->log = value;

	return 0;
}


/* What a phone that runs already cannot be told */
static bool implies_new(enum arg_id id)
{
	return id == A_ACCOUNT || id == A_LISTEN || id == A_AUDIO ||
		id == A_AUTO_ANSWER || id == A_SET || id == A_TRACE ||
		id == A_LOG || id == A_FILE || id == A_JUNIT;
}


static int take(struct args *a, enum arg_id id, char *value, struct fault *err)
{
	a->fresh = a->fresh || implies_new(id);

	switch (id) {

	case A_ACCOUNT: return take_account(a, value);
	case A_CONFIG:  a->config_dir = value; break;
	case A_SET:     a->sets[a->setc++] = value; break;
	case A_EXECUTE: a->lines[a->linec++] = value; break;
	case A_FILE:    a->file = value; break;
	case A_LISTEN:  return take_listen(a, value, err);
	case A_AUDIO:   a->audio = value; break;
	case A_AUTO_ANSWER: return take_answer(a, value, err);
	case A_JSON:    a->json = true; break;
	case A_QUIET:   a->quiet = true; break;
	case A_VERBOSE: ++a->verbose; break;
	case A_LOG:     return take_log(a, value, err);
	case A_TRACE:   a->trace = true; a->trace_file = value; break;
	case A_JOURNAL: a->journal = value; break;
	case A_JUNIT:   a->junit = value; break;
	case A_PLAIN:   a->plain = true; break;
	case A_NEW:     a->fresh = true; break;
	case A_DUMP:    a->dump = value; break;
	case A_HELP:    a->help = true; break;
	case A_VERSION: a->version = true; break;
	}

	return 0;
}


static const char *row_name(size_t i, const void *arg)
{
	(void)arg;

	return i < ARRAY_SIZE(rows) ? rows[i].name : NULL;
}


static int unknown(struct fault *err, const char *name)
{
	const char *near = text_nearest(name, row_name, NULL);
	char show[64];

	return near ?
		wrong(err, "unknown-option", "there is no option --%s; did "
		      "you mean --%s?", shown(show, name), near) :
		wrong(err, "unknown-option", "there is no option --%s; see "
		      "offhook --help", shown(show, name));
}


/* "--name[=value]", value perhaps the next word */
static int long_option(struct args *a, int *i, int argc, char *argv[],
		       struct fault *err)
{
	char *s = argv[*i] + 2, *eq = strchr(s, '=');
	const size_t n = eq ? (size_t)(eq - s) : strlen(s);
	char name[64], *value = eq ? eq + 1 : NULL;
	size_t id;

	snprintf(name, sizeof(name), "%.*s", (int)(n < 63 ? n : 63), s);

	for (id = 0; id < ARRAY_SIZE(rows); id++) {
		if (!strcmp(rows[id].name, name))
			break;
	}
	if (id == ARRAY_SIZE(rows))
		return unknown(err, name);

	if (rows[id].value == NONE && value)
		return wrong(err, "bad-argument", "--%s takes no value",
			     name);

	if (rows[id].value == NEEDED && !value) {
		if (*i + 1 >= argc)
			return wrong(err, "missing-argument", "--%s needs "
				     "%s", name, rows[id].value_name);
		value = argv[++*i];
	}

	return take(a, (enum arg_id)id, value, err);
}


/* "-vvj", "-a VALUE", "-aVALUE", "-tFILE" */
static int short_options(struct args *a, int *i, int argc, char *argv[],
			 struct fault *err)
{
	for (char *s = argv[*i] + 1; *s; s++) {

		char *value = NULL;
		size_t id;
		int e;

		for (id = 0; id < ARRAY_SIZE(rows); id++) {
			if (rows[id].letter == *s)
				break;
		}
		if (id == ARRAY_SIZE(rows)) {
			char c[2] = { *s, '\0' }, show[64];

			return wrong(err, "unknown-option", "there is no "
				     "option -%s; see offhook --help",
				     shown(show, c));
		}

		if (rows[id].value != NONE && s[1]) {
			/* the help writes -t[=FILE]: both ways are meant */
			value = s + 1 + (s[1] == '=' &&
					 rows[id].value == MAYBE);
		}
		else if (rows[id].value == NEEDED) {
			if (*i + 1 >= argc)
				return wrong(err, "missing-argument", "-%c "
					     "needs %s", *s,
					     rows[id].value_name);
			value = argv[++*i];
		}

		e = take(a, (enum arg_id)id, value, err);
		if (e || value)
			return e;
	}

	return 0;
}


static const char *command_h(size_t i, const void *arg)
{
	const struct command *c = command_at(i);
	(void)arg;

	return c ? command_name(c) : NULL;
}


static int take_command(struct args *a, int argc, char *argv[], struct fault *err)
{
	const char *near;
	char show[64];

	a->command = command_find(argv[0]);
	a->argc = argc;
	a->argv = argv;
	if (a->command) {
		/* as well behind it as before it */
		a->help = a->help || (argc == 2 && (
				!strcmp(argv[1], "--help") ||
				!strcmp(argv[1], "-h")));
		return 0;
	}

	near = text_nearest(argv[0], command_h, NULL);

	return near ?
		wrong(err, "unknown-command", "there is no command '%s'; did "
		      "you mean '%s'?", shown(show, argv[0]), near) :
		wrong(err, "unknown-command", "there is no command '%s'; see "
		      "offhook help", shown(show, argv[0]));
}


int args_parse(struct args *a, int argc, char *argv[], const char **token,
	       char *text)
{
	struct fault fault = { .token = "", .text = text }, *err = &fault;
	const size_t n = (size_t)argc + 1;
	int e = 0, i;

	memset(a, 0, sizeof(*a));
	a->accounts = calloc(n, sizeof(*a->accounts));
	a->sets     = calloc(n, sizeof(*a->sets));
	a->lines    = calloc(n, sizeof(*a->lines));
	a->listens  = calloc(n, sizeof(*a->listens));
	if (!a->accounts || !a->sets || !a->lines || !a->listens)
		e = ENOMEM;

	for (i = 1; i < argc && !e; i++) {

		char *s = argv[i];

		if (s[0] != '-' || !s[1])
			break;
		if (!strcmp(s, "--")) {
			++i;
			break;
		}

		e = s[1] == '-' ? long_option(a, &i, argc, argv, err) :
			short_options(a, &i, argc, argv, err);
	}

	if (!e && i < argc)
		e = take_command(a, argc - i, argv + i, err);

	if (!e && a->command && a->file)
		e = wrong(err, "bad-argument", "give a COMMAND or --file, "
			  "not both");
	if (e == ENOMEM)
		(void)wrong(err, "no-memory", "out of memory");

	*token = fault.token;

	return e;
}


void args_free(struct args *a)
{
	for (size_t i = 0; i < a->accountc; i++) {
		explicit_bzero(a->accounts[i], strlen(a->accounts[i]));
		free(a->accounts[i]);
	}

	free(a->accounts);
	free(a->sets);
	free(a->lines);
	free(a->listens);
	memset(a, 0, sizeof(*a));
}


/* Help ------------------------------------------------------------------- */

static void usage_of(const struct arg_row *row, char *buf, size_t sz)
{
	const char letter[] = { '-', row->letter, ',', ' ', '\0' };

	snprintf(buf, sz, "%s--%s%s%s%s", row->letter ? letter : "    ",
		 row->name, row->value == MAYBE ? "[=" :
		 row->value == NEEDED ? " " : "",
		 row->value_name ? row->value_name : "",
		 row->value == MAYBE ? "]" : "");
}


/* In lines of a terminal, indented */
static void add_summary(struct text_buf *b, const char *s)
{
	size_t column = 0;

	for (const char *end; *s; s = end + (*end ? 1 : 0)) {

		const size_t n = strcspn(s, " ");

		end = s + n;
		if (!column || column + 1 + n > 78) {
			text_add(b, "%s       ", column ? "\n" : "");
			column = 7;
		}
		text_add(b, " %.*s", (int)n, s);
		column += 1 + n;
	}

	text_add(b, "\n");
}


char *args_help(void)
{
	struct text_buf b = { .max = 1 << 20 };
	char *list;

	text_add(&b, "usage:\n"
		 "  offhook [options]                 full-screen phone on a "
		 "terminal,\n"
		 "                                    else commands from "
		 "stdin\n"
		 "  offhook [options] COMMAND [args]  run one command, exit "
		 "with its outcome\n"
		 "  offhook [options] -f FILE         commands from a file\n"
		 "\noptions:\n");

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {

		char name[80];

		usage_of(&rows[i], name, sizeof(name));
		text_add(&b, "  %s\n", name);
		add_summary(&b, rows[i].summary);
	}

	text_add(&b, "\ncommands:\n\n");
	list = command_help(NULL);
	text_add(&b, "%s", list ? list : "");
	free(list);

	return b.s;
}


/* No string of the table has anything that JSON would escape */
char *args_dump(void)
{
	struct text_buf b = { .max = 1 << 20 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {

		const char letter[] = { rows[i].letter, '\0' };
		char name[80];

		usage_of(&rows[i], name, sizeof(name));
		text_add(&b, "%s{\"name\": \"%s\", \"letter\": \"%s\", "
			 "\"value\": \"%s\", \"usage\": \"%s\", "
			 "\"summary\": \"%s\"}", i ? ",\n " : "[",
			 rows[i].name, letter,
			 rows[i].value_name ? rows[i].value_name : "",
			 name + strspn(name, " "), rows[i].summary);
	}

	text_add(&b, "]\n");

	return b.s;
}
