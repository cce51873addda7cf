/**
 * @file cmd_selftest.c  `selftest`: lines for people, one reply for programs
 *
 * A person sees each call as it is done; with --json the figures of all are
 * rows of the reply.  Main thread.
 */
#include <stdio.h>
#include "priv.h"

struct test_hold {
	struct selftest *st;
	struct cmd *x;
	bool started;
	unsigned calls, failed;
	char note[UA_ERR];       /* why it could not start                   */
};


static void destructor(void *arg)
{
	struct test_hold *h = arg;

	h->x = NULL;
	mem_deref(h->st);
}


static void line_handler(const char *line, void *arg)
{
	struct test_hold *h = arg;

	if (!h->started) {
		snprintf(h->note, sizeof(h->note), "%s", line);
	}
	else if (h->x && client_json(h->x->cl)) {
		reply_row(h->x->reply, "note");
		reply_str(h->x->reply, "text", line);
	}
	else if (h->x) {
		cmd_line(h->x, line);
	}
}


static void result_handler(const struct selftest_result *res, void *arg)
{
	struct test_hold *h = arg;
	struct reply *r;

	if (!h->x)
		return;

	++h->calls;
	h->failed += !res->pass;

	r = h->x->reply;
	reply_row(r, "call");
	reply_str(r, "sip", res->sip);
	reply_str(r, "codec", res->codec);
	reply_bool(r, "pass", res->pass);
	reply_str(r, "text", res->text);
	reply_int(r, "setup-ms", (int64_t)res->setup_ms);
	reply_double(r, "delay-ms", res->delay_ms);
	reply_double(r, "level-db", res->level_db);
	reply_int(r, "gaps", res->gaps);
	reply_double(r, "gap-ms", res->gap_ms);
	reply_double(r, "moved-ms", res->moved_ms);
	reply_double(r, "similarity", res->similarity);
	reply_double(r, "mos", res->mos);
	reply_bool(r, "digits", res->digits);
	reply_bool(r, "hold", res->hold);
}


static void done_handler(bool ok, void *arg)
{
	struct test_hold *h = arg;

	if (!h->x)
		return;

	if (!ok && h->failed)
		reply_error(h->x->reply, "selftest-failed", "%u of %u calls "
			    "failed", h->failed, h->calls);
	else if (!ok)
		reply_error(h->x->reply, "selftest-failed", "the self-test "
			    "failed");
	cmd_done(h->x);
}


void cmd_selftest(struct cmd *x)
{
	const struct phone *ph = x->ph;
	const char *audio = cmd_str(x, "audio");
	const struct selftest_conf conf = {
		.config = ph->config,
		.use_device = audio ? !strcmp(audio, "auto") :
			ph->audio_given &&
			(!strcmp(ph->audio.driver, "auto") ||
			 !strcmp(ph->audio.driver, "portaudio")),
		.speech = cmd_str(x, "speech"),
		.result_h = client_json(x->cl) ? result_handler : NULL,
	};
	struct test_hold *h;
	int err;

	if (conf.speech && cmd_file_check(x, conf.speech))
		return;

	h = cmd_state(x, sizeof(*h), destructor);
	if (!h)
		return;

	h->x = x;
	cmd_wait(x, 600000, NULL);

	if (conf.result_h)
		reply_list(x->reply, "call");

	err = selftest_start(&h->st, &conf, line_handler, done_handler, h);
	h->started = true;
	if (err) {
		cmd_fail(x, err, h->note);
		cmd_done(x);
	}
}
