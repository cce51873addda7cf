/**
 * @file confine.c  What the phone gives up, as option sandbox says
 *
 * Files first, before there is another thread; programs once the commands
 * that print passwords have run.  Who asks for that and cannot have it is told
 * so, and there is no phone.  Main thread.
 */
#include <stdio.h>
#include "offhook/log.h"
#include "offhook/path.h"
#include "offhook/sandbox.h"
#include "offhook/text.h"
#include "main.h"

#define LOG_MODULE "main"

enum { DIRS_MAX = 16, DIR_LEN = 1024 };

struct dirs {
	char v[DIRS_MAX][DIR_LEN];
	const char *list[DIRS_MAX];
	unsigned n;
};


static void dir_add(struct dirs *d, const char *dir, size_t len)
{
	if (d->n < DIRS_MAX && !text_copy(d->v[d->n], DIR_LEN, dir, len)) {
		d->list[d->n] = d->v[d->n];
		++d->n;
	}
}


/* The one a file is in that was named at the start */
static void dir_of_add(struct dirs *d, const char *file)
{
	const char *slash;

	if (!file || !*file)
		return;

	slash = strrchr(file, '/');
	if (slash)
		dir_add(d, file, slash == file ? 1 : (size_t)(slash - file));
}


/* It is made before it may not be */
static void base_add(struct dirs *d, enum path_base base)
{
	char dir[DIR_LEN];

	if (!path_base(dir, sizeof(dir), base, NULL) && !path_mkdirs(dir))
		dir_add(d, dir, strlen(dir));
}


static void dirs_find(struct dirs *d, const struct app *a)
{
	const char *tmp = getenv("TMPDIR");
	const struct config *c = a->ph.config;
	const char *const files[] = {
		a->args.log, a->args.trace_file, a->args.junit,
		a->args.journal, c->log_to, c->tls_keylog,
		c->headset,
		strchr(c->metrics, ':') ? strchr(c->metrics, ':') + 1 : NULL,
	};

	d->n = 0;
	base_add(d, PATH_STATE);
	base_add(d, PATH_RUNTIME);
	if (a->ph.config_dir[0] && !path_mkdirs(a->ph.config_dir))
		dir_add(d, a->ph.config_dir, strlen(a->ph.config_dir));
	dir_add(d, ".", 1);
	tmp = tmp && *tmp ? tmp : "/tmp";
	dir_add(d, tmp, strlen(tmp));

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		dir_of_add(d, files[i]);
}


static int refuse(const struct app *a, int err, const char *what)
{
	char text[UA_ERR];

	snprintf(text, sizeof(text), "option sandbox: %s%s%s", what,
		 err == ENOSYS ? "" : ": ", err == ENOSYS ? "" :
		 strerror(err));
	fatal(a, "bad-config", text);

	return EXIT_USAGE;
}


int confine_files(struct app *a)
{
	struct dirs *d;
	int err;

	if (a->ph.config->sandbox != SANDBOX_STRICT)
		return 0;

	d = calloc(1, sizeof(*d));
	if (!d)
		return 1;

	dirs_find(d, a);
	err = sandbox_files(d->list, d->n);
	free(d);

	return err ? refuse(a, err, "this system cannot keep a program to"
			    " some directories (Linux 5.13 with Landlock)") :
		0;
}


int confine_calls(struct app *a)
{
	const int level = a->ph.config->sandbox;
	const int err = sandbox_calls((enum sandbox)level);

	if (err)
		return refuse(a, err, "this system cannot refuse system calls"
			      " (Linux with seccomp)");

	if (level != SANDBOX_OFF)
		log_info("sandbox: %s", level == SANDBOX_STRICT ?
			 "no programs, and files below its own directories"
			 " only" : "nothing a phone has no use for");

	return 0;
}
