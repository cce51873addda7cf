/**
 * @file cmd_ladder.c  `ladder`: who said what to whom, and when
 *
 * For people arrows, for programs one record a message.  Main thread; a file
 * is written in one go.
 */
#include <stdio.h>
#include <string.h>
#include "offhook/clock.h"
#include "offhook/journal.h"
#include "offhook/path.h"
#include "priv.h"

enum { LADDER_MAX = 16 << 20 };


static const char *transport(enum sip_transp tp)
{
	return tp == SIP_TRANSP_TLS ? "tls" :
		tp == SIP_TRANSP_TCP ? "tcp" : "udp";
}


static void reply_message(struct reply *r, const struct capture_msg *m)
{
	char text[400], when[CLOCK_ISO8601_SIZE];

	reply_row(r, "message");
	reply_int(r, "number", (int64_t)m->seq);
	reply_str(r, "time", clock_iso8601(when, m->time_us / 1000));
	if (m->call)
		reply_int(r, "call", m->call);

	if (m->kind == CAPTURE_NOTE) {
		reply_str(r, "note", m->text);
		return;
	}

	reply_str(r, "direction", m->tx ? "sent" : "received");
	reply_str(r, "transport", transport(m->tp));
	(void)re_snprintf(text, sizeof(text), "%J", &m->local);
	reply_str(r, "local", text);
	(void)re_snprintf(text, sizeof(text), "%J", &m->peer);
	reply_str(r, "remote", text);
	reply_str(r, "method", m->method);
	if (m->code) {
		reply_int(r, "code", m->code);
		reply_str(r, "reason", m->reason);
	}
	reply_bool(r, "retransmission", m->again);
	capture_sdp(text, sizeof(text), m);
	if (text[0])
		reply_str(r, "description", text);
}


static void reply_messages(struct cmd *x, const struct capture *c,
			   unsigned call)
{
	const struct capture_msg *m = NULL;

	reply_list(x->reply, "message");
	while ((m = capture_next(c, m))) {
		if (!call || m->call == call)
			reply_message(x->reply, m);
	}
}


/* Of whom, and from where: what is kept, or *file, to be freed.
 * @return 0, EINVAL: told */
static int ladder_what(struct cmd *x, unsigned *call, struct capture **file)
{
	const char *s = cmd_str(x, "what");
	char err[UA_ERR];
	uint32_t id;
	int e;

	*call = 0;

	if (!s) {
		*call = client_selected(x->cl) ? client_selected(x->cl) :
			client_about(x->cl);
		return 0;
	}

	if (!strcmp(s, "all"))
		return 0;

	if (!text_u32(&id, s, strlen(s), INT32_MAX) && id) {
		*call = id;
		return 0;
	}

	e = journal_capture(file, s, err);
	if (!e)
		return 0;

	if (e == ENOENT)
		(void)cmd_wrong(x, "bad-argument", "'%s' is no call's number, "
				"nor `all`, nor a journal; see 'calls'", s);
	else
		cmd_fail(x, e, err);

	return EINVAL;
}


void cmd_ladder(struct cmd *x)
{
	struct text_buf b = { .max = LADDER_MAX };
	const char *file = cmd_str(x, "to");
	struct capture *old = NULL;
	const struct capture *c;
	unsigned call, n;
	int err;

	if (ladder_what(x, &call, &old))
		return;

	c = old ? old : x->ph->capture;
	if (!c) {
		reply_error(x->reply, "wrong-state", "no messages are kept; "
			    "see option capture-messages");
		return;
	}

	n = ladder_print(&b, c, call);
	err = b.err;

	if (!n) {
		if (call)
			reply_text(x->reply, "no message of call %u is kept",
				   call);
		else
			reply_text(x->reply, "no message was sent or received");
	}
	else if (file && !err) {
		err = path_write(file, b.s, b.len, 0600);
		reply_int(x->reply, "messages", n);
		reply_str(x->reply, "file", file);
	}
	else if (client_json(x->cl)) {
		reply_messages(x, c, call);
	}
	else {
		reply_text(x->reply, "%s", b.s);
	}

	cmd_fail(x, err, NULL);
	text_buf_reset(&b);
	mem_deref(old);
}
