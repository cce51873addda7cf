/**
 * @file cmd_fault.c  `fault`: a bad network, on purpose
 *
 * Main thread.
 */
#include <stdio.h>
#include <string.h>
#include "priv.h"

static const char *const ways[] = { "in", "out" };


static void reply_counts(struct cmd *x)
{
	struct media_fault_count c[2];

	media_impaired(x->ph->media, c);

	reply_list(x->reply, "way");
	for (unsigned i = 0; i < ARRAY_SIZE(ways); i++) {
		reply_row(x->reply, "way");
		reply_str(x->reply, "way", ways[i]);
		reply_int(x->reply, "packets", (int64_t)c[i].packets);
		reply_int(x->reply, "lost", (int64_t)c[i].lost);
		reply_int(x->reply, "reordered", (int64_t)c[i].reordered);
		reply_int(x->reply, "duplicated", (int64_t)c[i].duplicated);
		reply_int(x->reply, "corrupted", (int64_t)c[i].corrupted);
	}
}


void cmd_fault(struct cmd *x)
{
	const struct media_fault f = {
		.loss_pct = cmd_double(x, "loss", 0.0),
		.burst = cmd_double(x, "burst", 1.0),
		.delay_ms = (unsigned)cmd_ms(x, "delay", 0),
		.jitter_ms = (unsigned)cmd_ms(x, "jitter", 0),
		.reorder_pct = cmd_double(x, "reorder", 0.0),
		.duplicate_pct = cmd_double(x, "duplicate", 0.0),
		.corrupt_pct = cmd_double(x, "corrupt", 0.0),
	};
	const char *what = cmd_str(x, "what");
	const bool both = what && !strcmp(what, "both");

	if (!what) {
		reply_counts(x);
		return;
	}

	if (!strcmp(what, "off")) {
		reply_counts(x);
		cmd_fail(x, media_impair(x->ph->media, NULL, NULL, 0), NULL);
		return;
	}

	cmd_fail(x, media_impair(x->ph->media,
				 both || !strcmp(what, "in") ? &f : NULL,
				 both || !strcmp(what, "out") ? &f : NULL,
				 (uint64_t)cmd_int(x, "seed", 1)), NULL);
}
