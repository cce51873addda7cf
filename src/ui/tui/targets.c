/**
 * @file targets.c  Whom one may call, by what is typed of it
 *
 * People one has called from here before; each once, the last one first.
 * Main thread.
 */
#include <stdio.h>
#include "tui.h"

enum { TARGETS_MAX = 12 };


/* The target of "dial X ...". @return false: the line dialled nobody */
static bool dialled(char *buf, size_t sz, const char *line)
{
	size_t n;

	if (!strncmp(line, "dial ", 5))
		line += 5;
	else if (!strncmp(line, "d ", 2))
		line += 2;
	else
		return false;

	line += strspn(line, " ");
	n = strcspn(line, " ");
	if (!n || *line == '-' || *line == '\'' || *line == '"')
		return false;
	snprintf(buf, sz, "%.*s", (int)n, line);

	return true;
}


void targets_offer(struct tui *t, const char *typed, complete_h *h,
		   void *h_arg)
{
	char seen[TARGETS_MAX][200], who[200];
	const char *line;
	size_t n = 0;

	for (size_t i = 0; n < TARGETS_MAX && (line = line_kept(t->line, i));
	     i++) {
		bool twice = false;

		if (!dialled(who, sizeof(who), line) ||
		    !strcasestr(who, typed))
			continue;
		for (size_t k = 0; k < n; k++)
			twice = twice || !strcmp(seen[k], who);
		if (twice)
			continue;

		snprintf(seen[n++], sizeof(seen[0]), "%s", who);
		h(who, "called before", h_arg);
	}
}
