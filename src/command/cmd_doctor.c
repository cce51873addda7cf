/**
 * @file cmd_doctor.c  `doctor`: lines for people, rows for programs
 *
 * Main thread; the line waits until every step is through.
 */
#include <stdio.h>
#include "offhook/doctor.h"
#include "priv.h"

enum { BOUND_MS = 600000 };

struct visit {
	struct cmd *x;
	struct doctor *d;
	unsigned count[4];       /* by verdict                               */
};


static void destructor(void *arg)
{
	struct visit *v = arg;

	mem_deref(v->d);
}


static void line_handler(const struct doctor_line *l, void *arg)
{
	struct visit *v = arg;
	struct cmd *x = v->x;
	char line[1200];

	++v->count[l->verdict];

	if (client_json(x->cl)) {
		reply_row(x->reply, "check");
		reply_str(x->reply, "area", l->area);
		reply_str(x->reply, "verdict",
			  doctor_verdict_name(l->verdict));
		reply_str(x->reply, "text", l->text);
		if (l->advice[0])
			reply_str(x->reply, "advice", l->advice);
		return;
	}

	snprintf(line, sizeof(line), "%-5s %-13s %s%s%s",
		 l->verdict == DOCTOR_NOTE ? "" :
		 doctor_verdict_name(l->verdict), l->area, l->text,
		 l->advice[0] ? "\n                      -> " : "",
		 l->advice);
	cmd_line(x, line);
}


static void done_handler(void *arg)
{
	struct visit *v = arg;
	struct cmd *x = v->x;

	if (v->count[DOCTOR_FAIL])
		reply_error(x->reply, "doctor-failed", "%u of %u checks "
			    "failed, %u have a warning", v->count[DOCTOR_FAIL],
			    v->count[DOCTOR_FAIL] + v->count[DOCTOR_WARN] +
			    v->count[DOCTOR_PASS], v->count[DOCTOR_WARN]);
	else
		reply_text(x->reply, "%u checks passed, %u have a warning",
			   v->count[DOCTOR_PASS], v->count[DOCTOR_WARN]);

	cmd_done(x);
}


void cmd_doctor(struct cmd *x)
{
	struct phone *ph = x->ph;
	const struct doctor_conf conf = {
		.ua = ph->ua, .media = ph->media, .config = ph->config,
		.config_dir = ph->config_dir,
		.account = cmd_str(x, "account"),
		.stun = cmd_str(x, "stun"),
		.quick = cmd_has(x, "quick"),
		.use_device = !strcmp(ph->audio.driver, "auto") ||
			!strcmp(ph->audio.driver, "portaudio"),
	};
	struct visit *v = cmd_state(x, sizeof(*v), destructor);
	int err;

	if (!v)
		return;

	v->x = x;
	reply_list(x->reply, "check");

	cmd_wait(x, BOUND_MS, NULL);

	err = doctor_start(&v->d, &conf, line_handler, done_handler, v);
	if (err) {
		cmd_fail(x, err, NULL);
		cmd_done(x);
	}
}
