/**
 * @file logging.c  The program's log: where it goes, what else ends there
 *
 * stdout is for replies and events alone, and libraries print what they like:
 * that becomes lines of the log.  The log begins before the options are read
 * and may move when they are.  Main thread.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "offhook/log.h"
#include "offhook/text.h"
#include "main.h"

#define LOG_MODULE "main"


/* Lines as events ---------------------------------------------------------- */

static void wake_handler(int id, void *data, void *arg)
{
	(void)id;
	(void)data;
	(void)arg;
	log_drain();
}


static void wake(void *arg)
{
	(void)mqueue_push(arg, 0, NULL);
}


static void log_event(enum log_level level, const char *module,
		      const char *text, void *arg)
{
	struct app *a = arg;
	struct event ev;

	if (!event_wanted(a->ph.bus, EVENT_LOG))
		return;

	event_init(&ev, EVENT_LOG);
	snprintf(ev.u.log.level, sizeof(ev.u.log.level), "%s",
		 log_level_name(level));
	snprintf(ev.u.log.module, sizeof(ev.u.log.module), "%s", module);
	snprintf(ev.u.log.text, sizeof(ev.u.log.text), "%s", text);
	event_publish(a->ph.bus, &ev);
}


/* The course of calls and registrations: where it is printed anyhow, it is
 * not said twice */
static void course_handler(const struct event *ev, void *arg)
{
	char text[1024];
	(void)arg;

	if (log_fd() == STDERR_FILENO && log_is_plain())
		return;
	if (!log_wanted("ua", LOGL_INFO))
		return;

	event_print(ev, text, sizeof(text));
	log_write(LOGL_INFO, "ua", "%s", text);
}


int logging_follow(struct app *a)
{
	static const enum event_type told[] = {
		EVENT_CALL_STATE, EVENT_CALL_HOLD, EVENT_CALL_TRANSFER,
		EVENT_ACCOUNT_STATE, EVENT_NETWORK_CHANGED,
	};
	int err = mqueue_alloc(&a->wake, wake_handler, a);

	for (size_t i = 0; i < ARRAY_SIZE(told) && !err; i++)
		err = event_subscribe_type(&a->course[i], a->ph.bus, told[i],
					   course_handler, a);
	if (err)
		return err;

	log_set_wake(wake, a->wake);
	log_set_handler(log_event, a);

	return 0;
}


void logging_leave(struct app *a)
{
	for (size_t i = 0; i < ARRAY_SIZE(a->course); i++)
		a->course[i] = mem_deref(a->course[i]);
	log_drain();
	log_set_handler(NULL, NULL);
	log_set_wake(NULL, NULL);
}


/* What others print -------------------------------------------------------- */

static void libre_log(int level, const char *p, size_t len, void *arg)
{
	char line[512];
	(void)level;
	(void)arg;

	if (!log_wanted(LOG_MODULE, LOGL_DEBUG))
		return;

	while (len && (p[len - 1] == '\n' || p[len - 1] == '\r'))
		--len;
	log_debug("libre: %s", text_escape(line, sizeof(line), p, len));
}


/* What libraries print by themselves: libre tells strangers' mistakes so, and
 * a reader who stopped would stop the phone. A failed assertion is no noise */
static ssize_t stray_write(void *cookie, const char *p, size_t len)
{
	const size_t total = len;
	char line[512];
	(void)cookie;

	if (memmem(p, len, "Assertion", 9))
		return write(STDERR_FILENO, p, len);

	while (len && (p[len - 1] == '\n' || p[len - 1] == '\r'))
		--len;
	if (len)
		log_debug("stray: %s", text_escape(line, sizeof(line), p,
						   len));

	return (ssize_t)total;
}


/* stdout is for replies and events alone: descriptor 1 leads to the log from
 * here on, and what is printed through stdio becomes lines of it */
static int stdout_take(struct app *a)
{
	static const cookie_io_functions_t io = { .write = stray_write };
	FILE *f;

	a->out_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (a->out_fd < 0)
		return errno;

	if (dup2(log_fd(), STDOUT_FILENO) < 0)
		return errno;

	f = fopencookie(NULL, "w", io);
	if (!f)
		return errno;

	setvbuf(f, NULL, _IOLBF, BUFSIZ);
	stdout = stderr = f;

	return 0;
}


/* Where -------------------------------------------------------------------- */

/* Is stderr the journal's, as under systemd? Then it may have the fields too */
static bool journal_reads(void)
{
	const char *s = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return s && sscanf(s, "%llu:%llu", &dev, &ino) == 2 &&
		!fstat(STDERR_FILENO, &st) && st.st_dev == dev &&
		st.st_ino == ino;
}


int logging_start(struct app *a)
{
	const struct args *args = &a->args;
	int err;

	log_set_level(args->quiet ? LOGL_ERROR :
		      args->verbose > 1 ? LOGL_DEBUG :
		      args->verbose ? LOGL_INFO : LOGL_WARN);

	a->screen = screen_wanted(args);

	err = log_open(args->log);
	if (err) {
		fatal_file(a, args->log, err);
		return err;
	}
	if (!args->log && journal_reads())
		(void)log_open("journal");

	dbg_init(DBG_WARNING, DBG_NONE);
	dbg_handler_set(libre_log, NULL);

	return stdout_take(a);
}


int logging_configure(struct app *a)
{
	const char *to = a->ph.config->log_to;
	char err[CONFIG_ERR] = "";

	if (a->args.log_levels && config_set(a->ph.config, "log-levels",
					     a->args.log_levels, err)) {
		fatal(a, "bad-argument", err);
		return EINVAL;
	}
	phone_log_conf(a->ph.config);

	if (!a->args.log && *to) {

		const int e = log_open(to);

		if (e) {
			snprintf(err, sizeof(err), "log-to = %.400s: %s", to,
				 strerror(e));
			fatal(a, "bad-config", err);
			return e;
		}
		if (dup2(log_fd(), STDOUT_FILENO) < 0)
			return errno;
	}

	return 0;
}
