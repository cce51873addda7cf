/**
 * @file cmd_sdp.c  `sdp`: what was offered, and what was made of it
 *
 * Main thread.
 */
#include <string.h>
#include "offhook/agreed.h"
#include "priv.h"


static void row_h(const struct agreed_line *line, void *arg)
{
	struct reply *r = arg;
	char text[1024];
	const size_t n = line->len < sizeof(text) ? line->len :
		sizeof(text) - 1;

	memcpy(text, line->text, n);
	text[n] = '\0';
	reply_row(r, "line");
	reply_str(r, "in", agreed_side_name(line->side));
	reply_int(r, "media", line->media);
	reply_str(r, "text", text);
}


void cmd_sdp(struct cmd *x)
{
	struct text_buf b = { .max = 1 << 20 };
	unsigned id = (unsigned)cmd_int(x, "call", 0);
	struct call_record rec;
	struct agreed a;

	if (!id)
		id = client_selected(x->cl);
	if (!id)
		id = client_about(x->cl);

	if (!ua_call_snapshot(&rec, x->ph->ua, id)) {
		/* it says what is missing */
		(void)cmd_call(x);
		return;
	}

	if (!agreed_find(&a, x->ph->capture, id)) {
		reply_error(x->reply, "wrong-state", "no description of call "
			    "%u is kept%s", id, x->ph->capture ? "" :
			    "; see option capture-messages");
		return;
	}

	if (client_json(x->cl)) {
		reply_int(x->reply, "call", id);
		reply_str(x->reply, "offer-by", a.offer->tx ? "local" :
			  "remote");
		reply_bool(x->reply, "answered", a.answer != NULL);
		reply_list(x->reply, "line");
		agreed_compare(&a, row_h, x->reply);
		return;
	}

	agreed_print(&b, &a);
	if (b.len && b.s[b.len - 1] == '\n')
		b.s[--b.len] = '\0';
	reply_text(x->reply, "%s", b.s ? b.s : "");
	text_buf_reset(&b);
}
