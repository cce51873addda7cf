/**
 * @file fuzz_line.c  A command line: words, quotes, variables
 *
 * Any line is refused with one sentence or gives words; those, joined again,
 * give the same words.
 */
#include "fuzz.h"
#include "priv.h"


static int var_h(const char *name, char *buf, size_t sz, void *arg)
{
	(void)arg;
	if (name[0] == 'u')
		return ENOENT;
	if (re_snprintf(buf, sz, "<%s>", name) < 0)
		return EOVERFLOW;

	return 0;
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct words *w = NULL, *again = NULL;
	const char *line = (const char *)data, *token = NULL;
	char err[UA_ERR] = "", joined[TEXT_MAX * 4 + 4 * WORDS_MAX];
	size_t len = size;

	line_unbound(&line, &len);
	if (words_parse(&w, line, len, var_h, NULL, &token, err)) {
		must(!w && token && *token && *err);
		return 0;
	}
	must(w->n <= WORDS_MAX);
	if (w->n && !command_join(joined, sizeof(joined), (int)w->n, w->v) &&
	    !words_parse(&again, joined, strlen(joined), var_h, NULL, &token,
			 err)) {
		must(again->n == w->n);
		for (size_t i = 0; i < w->n; i++)
			must(!strcmp(again->v[i], w->v[i]));
	}
	mem_deref(again);
	mem_deref(w);

	return 0;
}
