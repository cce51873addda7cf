/**
 * @file fuzz_script.c  A script: lines, words, variables, what is demanded
 *
 * Each line is run by a client of a phone that has neither calls nor sound,
 * unless it would touch the machine. Every line ends, with a reply that has a
 * token of the table or none; what is queued has its bound.
 */
#include "fuzz.h"
#include "priv.h"


static unsigned replies;


static void reply_h(const struct reply *r, bool failed, void *arg)
{
	(void)failed;
	(void)arg;
	++replies;
	must(reply_ok(r) || (error_find(reply_token(r)) &&
			     *reply_error_text(r)));
}


/* May it be run? No word of it is a command that acts on a phone */
static bool harmless(const char *line, size_t len)
{
	static const char *const may[] = {
		"print", "assert", "if", "repeat", "show", "help", "expect",
		"wait",
	};
	char text[CLIENT_LINE_MAX + 1], *p = text, *word;
	size_t n = 0;

	if (len > CLIENT_LINE_MAX || (len && *line == '{') ||
	    memchr(line, '$', len))
		return false;

	for (size_t i = 0; i < len; i++) {
		if (!strchr("'\"\\-", line[i]) || !line[i])
			text[n++] = line[i];
	}
	text[n] = '\0';

	while ((word = strsep(&p, " \t\r"))) {
		bool is_one = false;

		for (size_t i = 0; i < sizeof(may) / sizeof(*may); i++)
			is_one = is_one || !strcmp(word, may[i]);
		if (!is_one && command_find(word))
			return false;
	}

	return true;
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct client_h h = { .reply_h = reply_h };
	static struct phone ph;
	static bool begun;
	const char *p = (const char *)data, *end = p + size;
	struct client *cl;
	unsigned lines = 0;

	if (!begun) {
		begun = true;
		must(!libre_init() && !timers_open());
		must(!event_bus_alloc(&ph.bus));
		must(!config_alloc(&ph.config));
	}

	must(!client_alloc(&cl, &ph, &h, NULL));
	while (p < end && lines < 100) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		const size_t n = (size_t)((nl ? nl : end) - p);
		struct cmd *x = NULL;

		++lines;
		if (harmless(p, n)) {
			must(!client_submit(cl, p, n, "fuzz") ||
			     n > CLIENT_LINE_MAX);
			must(client_waiting(cl) <= CLIENT_LINES_MAX);
			/* a line that waits for what cannot come */
			client_flush(cl);
		}
		else if (n <= CLIENT_LINE_MAX) {
			must(!cmd_alloc(&x, cl, "fuzz"));
			(void)cmd_take(x, p, n);
			mem_deref(x);
		}
		p += n + 1;
	}
	mem_deref(cl);

	return 0;
}
