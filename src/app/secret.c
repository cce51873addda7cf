/**
 * @file secret.c  A password from a command, while the phone runs
 *
 * Main thread.  What the command has printed is wiped once it was handed on.
 */
#include <signal.h>
#include <stdio.h>
#include "offhook/compat.h"
#include "offhook/config.h"
#include "offhook/secret.h"
#include "offhook/text.h"
#include "process.h"

struct secret {
	struct process *process;
	secret_h *h;
	void *arg;
};


static void destructor(void *arg)
{
	struct secret *s = arg;

	mem_deref(s->process);
}


/* Was it right to end like that? One whose first line is there, and who would
 * have said more, is ended by nobody reading on */
static bool code_fits(int code, bool late, bool line)
{
	return !code || (line && (late || code == 128 + SIGPIPE));
}


static void ended_handler(int code, bool late, const char *out, size_t len,
			  void *arg)
{
	struct secret *s = arg;
	const bool line = memchr(out, '\n', len) != NULL;
	char password[CONFIG_STR] = "", why[SECRET_ERR] = "";
	size_t n = 0;

	while (n < len && out[n] != '\n' && out[n] != '\r')
		++n;

	if (late && !line)
		snprintf(why, sizeof(why), "it took more than %d s",
			 SECRET_MAX_MS / 1000);
	else if (!code_fits(code, late, line))
		snprintf(why, sizeof(why), "it failed with exit code %d",
			 code);
	else if (!n)
		snprintf(why, sizeof(why), "it printed nothing");
	else if (text_copy(password, sizeof(password), out, n))
		snprintf(why, sizeof(why), "its first line is longer than "
			 "%zu bytes, or not text", sizeof(password) - 1);

	s->h(why[0] ? NULL : password, why, s->arg);
	explicit_bzero(password, sizeof(password));
}


int secret_run(struct secret **sp, const char *command, secret_h *h, void *arg)
{
	const struct process_conf conf = {
		.shell = command, .secret = true, .deadline_ms = SECRET_MAX_MS,
	};
	struct secret *s;
	int err;

	if (!sp || !command || !h)
		return EINVAL;

	s = mem_zalloc(sizeof(*s), destructor);
	if (!s)
		return ENOMEM;

	s->h = h;
	s->arg = arg;
	err = process_start(&s->process, &conf, ended_handler, s);
	if (err)
		mem_deref(s);
	else
		*sp = s;

	return err;
}
