/**
 * @file cmd_explain.c  `explain`: why a call failed or was poor
 *
 * Main thread.
 */
#include <stdio.h>
#include "offhook/findings.h"
#include "priv.h"


void cmd_explain(struct cmd *x)
{
	unsigned id = (unsigned)cmd_int(x, "call", 0);
	struct finding v[FINDINGS_MAX];
	struct call_record r;
	char text[EVENT_BODY];
	size_t n;

	if (!id)
		id = client_selected(x->cl);
	if (!id)
		id = client_about(x->cl);

	if (!ua_call_snapshot(&r, x->ph->ua, id)) {
		/* it says what is missing */
		(void)cmd_call(x);
		return;
	}

	n = findings_of(v, ARRAY_SIZE(v), &r, x->ph->capture);
	findings_print(text, sizeof(text), v, n);

	if (client_json(x->cl)) {
		reply_int(x->reply, "call", id);
		reply_str(x->reply, "summary", r.text);
		reply_list(x->reply, "finding");
		for (size_t i = 0; i < n; i++) {
			reply_row(x->reply, "finding");
			reply_str(x->reply, "name", v[i].name);
			reply_str(x->reply, "stage", v[i].stage);
			reply_str(x->reply, "seen", v[i].seen);
			reply_str(x->reply, "usually", v[i].usually);
			reply_str(x->reply, "advice", v[i].advice);
		}
		return;
	}

	reply_text(x->reply, "%s %s", r.text, n ? text :
		   "Nothing is known to be wrong with it.");
}
