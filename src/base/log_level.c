/**
 * @file log_level.c  How much each module says
 *
 * One level for all, and others for the modules that were named.  Any thread
 * asks, main sets; no lock: a line more or less of a moment ago is no harm.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <offhook/log.h>
#include <offhook/text.h>


/* Every LOG_MODULE; a test looks for them in the sources */
static const struct log_module modules[] = {
	{ "answer",   "who is answered by a rule" },
	{ "audio",    "sound cards, files and pipes" },
	{ "base",     "the network of the machine" },
	{ "config",   "options and accounts" },
	{ "contacts", "contacts" },
	{ "control",  "the control socket" },
	{ "devices",  "sound devices of accounts" },
	{ "dialplan", "what becomes of numbers" },
	{ "event",    "events" },
	{ "forward",  "calls that go elsewhere" },
	{ "hooks",    "programs that are run" },
	{ "journal",  "the record of a run" },
	{ "lamps",    "who is on the phone" },
	{ "late",     "libraries that are loaded when needed" },
	{ "link",     "terminals that come and go" },
	{ "log",      "the log itself" },
	{ "main",     "start, end and signals" },
	{ "media",    "RTP, SRTP, jitter, codecs, ICE" },
	{ "metrics",  "figures for monitors" },
	{ "notify",   "the service manager" },
	{ "outbox",   "messages that wait" },
	{ "pcap",     "captures" },
	{ "ringer",   "ringing" },
	{ "seen",     "messages that were read" },
	{ "selftest", "the test of the phone itself" },
	{ "sip",      "transactions, connections, DNS, TLS" },
	{ "store",    "history and messages on the disk" },
	{ "tui",      "the phone on the screen" },
	{ "ua",       "accounts and calls" },
	{ "ui",       "scripts and output" },
};

enum { MODULES = sizeof(modules) / sizeof(modules[0]) };

/* Of each module: 0, as the general one says, or a level of its own plus one */
static atomic_int own[MODULES];
static atomic_int general = LOGL_WARN;
static atomic_int most = LOGL_WARN;      /* of all                           */
static enum log_level base = LOGL_WARN;  /* what -q and -v said              */


const struct log_module *log_module_at(size_t i)
{
	return i < MODULES ? &modules[i] : NULL;
}


static size_t module_index(const char *name)
{
	size_t i = 0;

	while (i < MODULES && strcmp(modules[i].name, name))
		++i;

	return i;
}


static int level_of(size_t i)
{
	const int v = i < MODULES ?
		atomic_load_explicit(&own[i], memory_order_relaxed) : 0;

	return v ? v - 1 : atomic_load_explicit(&general,
						memory_order_relaxed);
}


static void most_find(void)
{
	int max = level_of(MODULES);

	for (size_t i = 0; i < MODULES; i++) {
		if (level_of(i) > max)
			max = level_of(i);
	}

	atomic_store_explicit(&most, max, memory_order_relaxed);
}


static void all_set(enum log_level level)
{
	atomic_store_explicit(&general, (int)level, memory_order_relaxed);
	for (size_t i = 0; i < MODULES; i++)
		atomic_store_explicit(&own[i], 0, memory_order_relaxed);
	most_find();
}


void log_set_level(enum log_level level)
{
	base = level;
	all_set(level);
}


enum log_level log_get_level(void)
{
	return (enum log_level)atomic_load_explicit(&most,
						    memory_order_relaxed);
}


bool log_wanted(const char *module, enum log_level level)
{
	if ((int)level > atomic_load_explicit(&most, memory_order_relaxed))
		return false;

	return (int)level <= level_of(module_index(module));
}


/* Words -------------------------------------------------------------------- */

static const char *module_name(size_t i, const void *arg)
{
	(void)arg;

	return i < MODULES ? modules[i].name : NULL;
}


static bool level_find(int *level, const char *p, size_t n)
{
	static const char *const more[] = { "err", "warning", "notice" };
	static const int same[] = { LOGL_ERROR, LOGL_WARN, LOGL_INFO };

	for (int l = LOGL_ERROR; l <= LOGL_DEBUG; l++) {
		if (text_caseeq(p, n, log_level_name((enum log_level)l))) {
			*level = l;
			return true;
		}
	}
	for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
		if (text_caseeq(p, n, more[i])) {
			*level = same[i];
			return true;
		}
	}

	return false;
}


static int wrong(char *err, size_t sz, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int wrong(char *err, size_t sz, const char *fmt, ...)
{
	va_list ap;

	if (err && sz) {
		va_start(ap, fmt);
		(void)vsnprintf(err, sz, fmt, ap);
		va_end(ap);
	}

	return EINVAL;
}


/* "debug" or "sip=debug" */
static int word_read(size_t *module, int *level, const char *p, size_t n,
		     char *err, size_t sz)
{
	const char *eq = memchr(p, '=', n);
	const size_t name_n = eq ? (size_t)(eq - p) : 0;
	char name[32], show[48];
	const char *near;

	text_escape(show, sizeof(show), p, n < 40 ? n : 40);

	*module = MODULES;
	if (eq) {
		if (text_copy(name, sizeof(name), p, name_n))
			name[0] = '\0';
		*module = module_index(name);
	}
	if (eq && *module == MODULES) {
		near = text_nearest(name, module_name, NULL);
		return near ?
			wrong(err, sz, "'%s': no module has this name; did "
			      "you mean %s?", show, near) :
			wrong(err, sz, "'%s': no module has this name; `log` "
			      "lists them all", show);
	}

	p += eq ? name_n + 1 : 0;
	n -= eq ? name_n + 1 : 0;
	if (!level_find(level, p, n))
		return wrong(err, sz, "'%s': a level is error, warn, info or "
			     "debug, as in info,sip=debug", show);

	return 0;
}


/* Which of the words count: those for all come first, wherever they stand */
enum pass { CHECK, FOR_ALL, FOR_ONE };

static int words_read(const char *text, enum pass pass, char *err, size_t sz)
{
	const char *p = text;

	while (p && *p) {

		size_t module, n;
		int level = 0, e;

		p += strspn(p, " ,");
		n = strcspn(p, " ,");
		if (!n)
			break;

		e = word_read(&module, &level, p, n, err, sz);
		if (e)
			return e;

		if (pass == FOR_ALL && module == MODULES)
			all_set((enum log_level)level);
		else if (pass == FOR_ONE && module < MODULES)
			atomic_store_explicit(&own[module], level + 1,
					      memory_order_relaxed);
		p += n;
	}

	return 0;
}


int log_levels_check(const char *text, char *err, size_t sz)
{
	return words_read(text, CHECK, err, sz);
}


int log_levels_set(const char *text, bool afresh, char *err, size_t sz)
{
	const int e = words_read(text, CHECK, err, sz);

	if (e)
		return e;
	if (afresh)
		all_set(base);

	(void)words_read(text, FOR_ALL, NULL, 0);
	(void)words_read(text, FOR_ONE, NULL, 0);
	most_find();

	return 0;
}


enum log_level log_level_of(const char *module)
{
	return (enum log_level)level_of(module_index(module));
}


void log_levels_print(char *buf, size_t sz)
{
	size_t n;

	(void)snprintf(buf, sz, "%s", log_level_name((enum log_level)
						      level_of(MODULES)));

	for (size_t i = 0; i < MODULES; i++) {
		n = strlen(buf);
		if (atomic_load_explicit(&own[i], memory_order_relaxed))
			(void)snprintf(buf + n, sz - n, ",%s=%s",
				       modules[i].name,
				       log_level_name((enum log_level)
						      level_of(i)));
	}
}


const char *log_level_name(enum log_level level)
{
	switch (level) {

	case LOGL_ERROR: return "error";
	case LOGL_WARN:  return "warn";
	case LOGL_INFO:  return "info";
	case LOGL_DEBUG: return "debug";
	}

	return "?";
}
