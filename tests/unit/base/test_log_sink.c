/**
 * @file test_log_sink.c  Levels of modules, and where lines go
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include <offhook/log.h>
#include <offhook/path.h>

#define LOG_MODULE "sip"


static char dir[64], path[128];
static unsigned heard;
static char last[1024];


static void heard_h(enum log_level level, const char *module,
		    const char *text, void *arg)
{
	(void)level;
	(void)arg;

	++heard;
	snprintf(last, sizeof(last), "%s: %s", module, text);
}


static int setup(void **state)
{
	(void)state;

	snprintf(dir, sizeof(dir), "/tmp/offhook-sink-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/log", dir);

	heard = 0;
	log_set_level(LOGL_DEBUG);
	log_set_limit(0, 3);
	log_set_format(LOG_AS_TEXT);
	log_set_handler(heard_h, NULL);

	return 0;
}


static int teardown(void **state)
{
	char cmd[128];
	(void)state;

	log_set_handler(NULL, NULL);
	log_close();
	log_set_level(LOGL_WARN);
	log_set_format(LOG_AS_TEXT);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);

	return system(cmd);
}


static char *text_of(const char *file)
{
	char *text = NULL;

	assert_int_equal(path_read(&text, NULL, file, 10000000), 0);

	return text;
}


static void test_levels(void **state)
{
	char text[LOG_LEVELS_SIZE], err[160] = "";
	(void)state;

	assert_int_equal(log_open("/dev/null"), 0);
	log_set_level(LOGL_WARN);

	assert_int_equal(log_levels_set("sip=debug, media=error,info", true,
					err, sizeof(err)), 0);
	log_levels_print(text, sizeof(text));
	assert_string_equal(text, "info,media=error,sip=debug");
	assert_int_equal(log_get_level(), LOGL_DEBUG);
	assert_int_equal(log_level_of("sip"), LOGL_DEBUG);
	assert_true(log_wanted("sip", LOGL_DEBUG));
	assert_false(log_wanted("media", LOGL_WARN));
	assert_true(log_wanted("ua", LOGL_INFO));
	assert_false(log_wanted("ua", LOGL_DEBUG));
	assert_false(log_wanted("nobody", LOGL_DEBUG));

	log_debug("of sip");
	log_write(LOGL_DEBUG, "ua", "of ua");
	log_write(LOGL_WARN, "media", "of media");
	assert_int_equal(heard, 1);
	assert_string_equal(last, "sip: of sip");

	/* one more on top, and all from the beginning */
	assert_int_equal(log_levels_set("ua=Debug", false, NULL, 0), 0);
	assert_true(log_wanted("sip", LOGL_DEBUG));
	assert_int_equal(log_levels_set("", true, NULL, 0), 0);
	log_levels_print(text, sizeof(text));
	assert_string_equal(text, "warn");
	assert_int_equal(log_get_level(), LOGL_WARN);

	/* nothing is half applied */
	assert_int_equal(log_levels_set("debug,spi=info", false, err,
					sizeof(err)), EINVAL);
	assert_non_null(strstr(err, "did you mean sip"));
	assert_int_equal(log_levels_set("sip=loud", false, err, sizeof(err)),
			 EINVAL);
	assert_non_null(strstr(err, "error, warn, info or debug"));
	assert_int_equal(log_levels_check("=", err, sizeof(err)), EINVAL);
	assert_int_equal(log_get_level(), LOGL_WARN);

	/* all of them at once fit into what they are printed to */
	for (size_t i = 0; log_module_at(i); i++) {
		snprintf(text, sizeof(text), "%s=error",
			 log_module_at(i)->name);
		assert_int_equal(log_levels_set(text, false, NULL, 0), 0);
		assert_true(*log_module_at(i)->summary);
	}
	log_levels_print(text, sizeof(text));
	assert_non_null(strstr(text, "ui=error"));
}


static void test_json(void **state)
{
	char *text, *line;
	(void)state;

	assert_int_equal(log_open(path), 0);
	log_set_format(LOG_AS_JSON);
	assert_false(log_is_plain());
	log_warn("a \"quoted\" \\ word\n\x1b[2J and \xc3\xa9");

	text = text_of(path);
	line = strstr(text, "\"level\":");
	assert_non_null(line);
	assert_memory_equal(text, "{\"time\":\"", 9);
	assert_string_equal(line, "\"level\":\"warn\",\"module\":\"sip\","
			    "\"text\":\"a \\\"quoted\\\" \\\\ word?"
			    "?[2J and \xc3\xa9\"}\n");
	free(text);
}


/* Each file within its limit, each line whole, none lost or told twice */
static void test_turned_over(void **state)
{
	const char *const names[] = { "log.3", "log.2", "log.1", "log" };
	unsigned next = 0, expected = 0;
	char file[160];
	struct stat st;
	(void)state;

	assert_int_equal(log_open(path), 0);
	log_set_limit(2000, 3);
	for (unsigned i = 0; i < 130; i++)
		log_info("line %u end", i);

	for (unsigned i = 0; i < 4; i++) {

		char *text, *p;

		snprintf(file, sizeof(file), "%s/%s", dir, names[i]);
		assert_int_equal(stat(file, &st), 0);
		assert_in_range(st.st_size, 1, 2000);
		text = text_of(file);
		for (p = text; *p; p = strchr(p, '\n') + 1) {
			char *at = strstr(p, "line ");

			assert_non_null(at);
			assert_int_equal(sscanf(at, "line %u end\n", &next),
					 1);
			if (expected)
				assert_int_equal(next, expected);
			expected = next + 1;
		}
		free(text);
	}
	assert_int_equal(next, 129);
	snprintf(file, sizeof(file), "%s/log.4", dir);
	assert_int_not_equal(stat(file, &st), 0);

	/* none is kept: the same file from its beginning */
	log_set_limit(500, 0);
	for (unsigned i = 0; i < 20; i++)
		log_info("line %u end", i);
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, 1, 500);
}


/* What is printed by others goes where the log goes, before and after */
static void test_reopen(void **state)
{
	const int was = dup(STDOUT_FILENO);
	char other[160], *text;
	(void)state;

	assert_int_equal(log_open(path), 0);
	fflush(stdout);
	assert_int_equal(dup2(log_fd(), STDOUT_FILENO), STDOUT_FILENO);

	log_info("one");
	snprintf(other, sizeof(other), "%s/old", dir);
	assert_int_equal(rename(path, other), 0);
	log_info("two");
	assert_int_equal(log_reopen(), 0);
	log_info("three");
	assert_int_equal(write(STDOUT_FILENO, "stray\n", 6), 6);
	assert_int_equal(dup2(was, STDOUT_FILENO), STDOUT_FILENO);
	close(was);

	text = text_of(other);
	assert_non_null(strstr(text, "two\n"));
	assert_null(strstr(text, "three"));
	free(text);
	text = text_of(path);
	assert_non_null(strstr(text, "three\nstray\n"));
	free(text);

	/* what cannot be opened leaves the old one */
	assert_int_equal(chmod(dir, 0), 0);
	if (geteuid())
		assert_int_not_equal(log_reopen(), 0);
	assert_int_equal(chmod(dir, 0700), 0);
	log_info("four");
	text = text_of(path);
	assert_non_null(strstr(text, "four\n"));
	free(text);
}


/* A disk that is full within a line, then has room again */
static void test_full(void **state)
{
	struct rlimit was, lim;
	char *text;
	(void)state;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(log_open(path), 0);
	log_info("before");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	lim = was;
	lim.rlim_cur = 60;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &lim), 0);
	heard = 0;
	for (unsigned i = 0; i < 10; i++)
		log_info("full %u", i);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);

	/* ten lines, and once that it does not go */
	assert_int_equal(heard, 11);
	assert_int_equal(log_missing(), 10);
	log_info("after");

	text = text_of(path);
	assert_non_null(strstr(text, "\n20"));
	assert_non_null(strstr(text, "log: 10 lines are missing, they were "
			       "not taken\n"));
	assert_non_null(strstr(text, "sip: after\n"));
	for (char *p = text, *nl; *p; p = nl + 1) {
		nl = strchr(p, '\n');
		assert_non_null(nl);
		/* what was cut is a line, and no other begins in it */
		assert_memory_equal(p, "20", 2);
		assert_true(nl - p < 120);
	}
	free(text);
	assert_int_equal(log_missing(), 10);
}


static int listener(const char *name)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct timeval tv = { .tv_sec = 10 };
	const int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s/%s", dir, name);
	(void)unlink(un.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv,
				    sizeof(tv)), 0);

	return fd;
}


static const char *take(int fd)
{
	static char buf[4096];
	const ssize_t n = recv(fd, buf, sizeof(buf) - 1, 0);

	assert_true(n > 0);
	buf[n] = '\0';

	return buf;
}


static void test_journal(void **state)
{
	char where[160], want[64];
	const char *s;
	int fd;
	(void)state;

	snprintf(where, sizeof(where), "journal:%s/j", dir);
	assert_int_equal(log_open(where), ENOENT);
	fd = listener("j");
	assert_int_equal(log_open(where), 0);
	log_warn("call 7: gone");

	s = take(fd);
	assert_memory_equal(s, "MESSAGE=sip: call 7: gone\nPRIORITY=4\n", 37);
	snprintf(want, sizeof(want), "\nSYSLOG_PID=%d\n", (int)getpid());
	assert_non_null(strstr(s, want));
	assert_non_null(strstr(s, "\nSYSLOG_IDENTIFIER=offhook\n"));
	assert_non_null(strstr(s, "\nOFFHOOK_MODULE=sip\nOFFHOOK_CALL=7\n"));

	/* a value never begins a field */
	log_error("a\nPRIORITY=0\nX=y");
	s = take(fd);
	assert_memory_equal(s, "MESSAGE=sip: a?PRIORITY=0?X=y\nPRIORITY=3\n",
			    41);

	/* it is started anew */
	close(fd);
	heard = 0;
	log_info("nobody");
	log_info("still nobody");
	assert_int_equal(heard, 3);
	fd = listener("j");
	log_info("somebody");
	assert_non_null(strstr(take(fd), "2 lines are missing"));
	assert_non_null(strstr(take(fd), "MESSAGE=sip: somebody\n"));

	/* a reader who does not read is not waited for */
	for (unsigned i = 0; i < 5000; i++)
		log_info("much");
	assert_true(log_missing() > 2);
	close(fd);
}


static void test_syslog(void **state)
{
	char where[160], want[64];
	const char *s;
	int fd;
	(void)state;

	fd = listener("s");
	snprintf(where, sizeof(where), "syslog:%s/s", dir);
	assert_int_equal(log_open(where), 0);
	log_info("hello");

	s = take(fd);
	assert_memory_equal(s, "<14>", 4);
	snprintf(want, sizeof(want), " offhook[%d]: sip: hello",
		 (int)getpid());
	assert_string_equal(s + 4 + strlen("Nov 30 02:00:00"), want);
	log_where(want, sizeof(want));
	assert_string_equal(want, where);
	close(fd);
}


int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_levels),
		T(test_json),
		T(test_turned_over),
		T(test_reopen),
		T(test_full),
		T(test_journal),
		T(test_syslog),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
