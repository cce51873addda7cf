/**
 * @file test_path.c  Files: found, read with bounds, replaced whole
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <offhook/path.h>


static char tmp[64];


static const char *in_tmp(const char *file)
{
	static char path[4][256];
	static unsigned i;
	char *p = path[i++ % 4];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", tmp, file);

	return p;
}


static int setup(void **state)
{
	(void)state;

	(void)snprintf(tmp, sizeof(tmp), "/tmp/offhook-path-XXXXXX");

	return mkdtemp(tmp) ? 0 : -1;
}


static int teardown(void **state)
{
	char cmd[128];
	(void)state;

	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", tmp);

	return system(cmd);
}


static unsigned files_in_tmp(void)
{
	DIR *dir = opendir(tmp);
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		++n;
	(void)closedir(dir);

	return n - 2;          /* . and .. */
}


static void test_base(void **state)
{
	char buf[128] = "old";
	(void)state;

	assert_int_equal(setenv("HOME", "/home/u", 1), 0);
	assert_int_equal(setenv("XDG_CONFIG_HOME", "/cfg/", 1), 0);
	(void)unsetenv("XDG_STATE_HOME");
	assert_int_equal(setenv("XDG_RUNTIME_DIR", "relative", 1), 0);

	assert_int_equal(path_base(buf, 128, PATH_CONFIG, "accounts"), 0);
	assert_string_equal(buf, "/cfg/offhook/accounts");
	assert_int_equal(path_base(buf, 128, PATH_STATE, NULL), 0);
	assert_string_equal(buf, "/home/u/.local/state/offhook");

	/* a relative one does not count */
	assert_int_equal(path_base(buf, 128, PATH_RUNTIME, "x.sock"), 0);
	assert_string_equal(buf, "/home/u/.local/state/offhook/x.sock");
	assert_int_equal(setenv("XDG_RUNTIME_DIR", "/run/user/1", 1), 0);
	assert_int_equal(path_base(buf, 128, PATH_RUNTIME, ""), 0);
	assert_string_equal(buf, "/run/user/1/offhook");

	assert_int_equal(path_base(buf, 10, PATH_CONFIG, "accounts"),
			 EOVERFLOW);
	assert_string_equal(buf, "/run/user/1/offhook");

	(void)unsetenv("HOME");
	assert_int_equal(path_base(buf, 128, PATH_STATE, "x"), ENOENT);
	assert_int_equal(path_base(buf, 128, PATH_CONFIG, "x"), 0);
}


static void test_join(void **state)
{
	char buf[8];
	(void)state;

	assert_int_equal(path_join(buf, 8, "/a", "b"), 0);
	assert_string_equal(buf, "/a/b");
	assert_int_equal(path_join(buf, 8, "/a/", "b"), 0);
	assert_string_equal(buf, "/a/b");
	assert_int_equal(path_join(buf, 8, "", "b"), 0);
	assert_string_equal(buf, "b");
	assert_int_equal(path_join(buf, 8, "/abc", "def"), EOVERFLOW);
	assert_int_equal(path_join(buf, 8, "/ab", "def"), 0);
	assert_int_equal(path_join(buf, 8, NULL, "def"), EINVAL);
}


static void test_mkdirs(void **state)
{
	struct stat st;
	(void)state;

	assert_int_equal(path_mkdirs(in_tmp("a/b//c/")), 0);
	assert_int_equal(stat(in_tmp("a/b/c"), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(path_mkdirs(in_tmp("a/b")), 0);

	assert_int_equal(path_write(in_tmp("a/file"), "x", 1, 0600), 0);
	assert_int_equal(path_mkdirs(in_tmp("a/file")), ENOTDIR);
	assert_int_equal(path_mkdirs(in_tmp("a/file/d")), ENOTDIR);
	assert_int_equal(path_mkdirs(""), EINVAL);
}


static void test_write_read(void **state)
{
	char *text = NULL;
	size_t len = 0;
	struct stat st;
	char big[10000];
	mode_t mask;
	(void)state;

	assert_int_equal(path_read(&text, &len, in_tmp("f"), 10), ENOENT);
	assert_null(text);

	assert_int_equal(path_write(in_tmp("f"), "one\0two", 7, 0640), 0);
	assert_int_equal(stat(in_tmp("f"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(path_read(&text, &len, in_tmp("f"), 7), 0);
	assert_int_equal(len, 7);
	assert_memory_equal(text, "one\0two", 8);
	free(text);

	/* an existing one keeps its mode */
	assert_int_equal(chmod(in_tmp("f"), 0604), 0);
	memset(big, 'b', sizeof(big));
	assert_int_equal(path_write(in_tmp("f"), big, sizeof(big), 0600), 0);
	assert_int_equal(stat(in_tmp("f"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);

	assert_int_equal(path_read(&text, NULL, in_tmp("f"), 9999), EFBIG);
	assert_int_equal(path_read(&text, &len, in_tmp("f"), 10000), 0);
	assert_int_equal(len, 10000);
	assert_memory_equal(text, big, 10000);
	assert_int_equal(text[10000], '\0');
	free(text);

	assert_int_equal(path_write(in_tmp("f"), NULL, 0, 0600), 0);
	assert_int_equal(path_read(&text, &len, in_tmp("f"), 0), 0);
	assert_int_equal(len, 0);
	free(text);

	/* a new one as open() would make it, and the umask is as it was */
	mask = umask(027);
	assert_int_equal(path_write(in_tmp("g"), "x", 1, 0666), 0);
	assert_int_equal(umask(mask), 027);
	assert_int_equal(stat(in_tmp("g"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(unlink(in_tmp("g")), 0);

	assert_int_equal(files_in_tmp(), 1);     /* no temporary left */
}


static void test_write_failures(void **state)
{
	char *text = NULL;
	struct stat st;
	(void)state;

	assert_int_equal(path_write(in_tmp("no/f"), "x", 1, 0600), ENOENT);
	assert_int_equal(mkdir(in_tmp("d"), 0700), 0);
	assert_int_equal(path_write(in_tmp("d"), "x", 1, 0600), EISDIR);
	assert_int_equal(path_write(NULL, "x", 1, 0600), EINVAL);

	assert_int_equal(path_write("/dev/null", "x", 1, 0600), EINVAL);

	/* a link stays one */
	assert_int_equal(path_write(in_tmp("real"), "old", 3, 0600), 0);
	assert_int_equal(symlink("real", in_tmp("link")), 0);
	assert_int_equal(path_write(in_tmp("link"), "new", 3, 0600), 0);
	assert_int_equal(lstat(in_tmp("link"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(path_read(&text, NULL, in_tmp("real"), 10), 0);
	assert_string_equal(text, "new");
	free(text);

	assert_int_equal(files_in_tmp(), 3);
}


/* No room, as on a full disk: the old file stays, the temporary does not */
static void test_write_no_room(void **state)
{
	const struct rlimit little = {100, RLIM_INFINITY};
	struct rlimit before;
	char big[1000], *text = NULL;
	(void)state;

	memset(big, 'b', sizeof(big));
	assert_int_equal(path_write(in_tmp("f"), "old", 3, 0600), 0);

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	assert_int_equal(path_write(in_tmp("f"), big, sizeof(big), 0600),
			 EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);

	assert_int_equal(path_read(&text, NULL, in_tmp("f"), 100), 0);
	assert_string_equal(text, "old");
	free(text);
	assert_int_equal(files_in_tmp(), 1);
}


static void test_read_odd_files(void **state)
{
	char *text = NULL;
	size_t len = 7;
	FILE *f;
	char path[32];
	int fd[2];
	(void)state;

	assert_int_equal(path_read(&text, NULL, tmp, 10), EISDIR);

	/* nobody will ever write here: no waiting */
	assert_int_equal(mkfifo(in_tmp("fifo"), 0600), 0);
	assert_int_equal(path_read(&text, &len, in_tmp("fifo"), 10), 0);
	assert_int_equal(len, 0);
	free(text);

	assert_int_equal(path_read(&text, &len, "/dev/null", 10), 0);
	assert_int_equal(len, 0);
	free(text);

	assert_int_equal(path_read(&text, &len, "/dev/zero", 100000), EFBIG);

	/* a pipe that gives its text, as of `<(command)` */
	assert_int_equal(pipe(fd), 0);
	f = fdopen(fd[1], "w");
	assert_non_null(f);
	(void)fputs("secret\n", f);
	(void)fclose(f);
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", fd[0]);
	assert_int_equal(path_read(&text, &len, path, 100), 0);
	assert_string_equal(text, "secret\n");
	free(text);
	(void)close(fd[0]);
}


static void test_sound(void **state)
{
	char buf[256];
	(void)state;

	assert_int_equal(setenv("OFFHOOK_SOUNDS", tmp, 1), 0);
	assert_int_equal(path_write(in_tmp("t.wav"), "x", 1, 0600), 0);
	assert_int_equal(path_sound(buf, sizeof(buf), "t.wav"), 0);
	assert_string_equal(buf, in_tmp("t.wav"));
	assert_int_equal(path_sound(buf, 4, "t.wav"), EOVERFLOW);
	assert_int_equal(path_sound(buf, sizeof(buf), "none.wav"), ENOENT);
	assert_int_equal(path_sound(buf, sizeof(buf), ""), EINVAL);
}


int main(void)
{
#define T(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_base),
		T(test_join),
		T(test_mkdirs),
		T(test_write_read),
		T(test_write_failures),
		T(test_write_no_room),
		T(test_read_odd_files),
		T(test_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
