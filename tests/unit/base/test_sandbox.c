/**
 * @file test_sandbox.c  What is given up is gone, all else goes on
 *
 * Each case is a child: nobody gets it back.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "offhook/sandbox.h"

static char ours[] = "/tmp/offhook-sandbox-XXXXXX";
static char others[] = "/tmp/offhook-elsewhere-XXXXXX";

/* In the child: which line went wrong is its exit code */
#define MUST(x) do { if (!(x)) { _exit(__LINE__ % 250 + 1); } } while (0)


static void in_child(void (*fn)(void))
{
	const pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (!pid) {
		fn();
		_exit(0);
	}

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status))
		fail_msg("line %% 250 = %d", WEXITSTATUS(status) - 1);
}


/* @return the exit code of a program, -1: it was not started */
static int program(void)
{
	const pid_t pid = fork();
	int status = 0;

	if (!pid) {
		execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
		_exit(errno == EPERM ? 200 : 201);
	}

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ?
		WEXITSTATUS(status) : -1;
}


static void *thread(void *arg)
{
	*(int *)arg = unshare(CLONE_NEWNS) ? errno : 0;

	return NULL;
}


static int of_thread(void)
{
	pthread_t t;
	int err = -1;

	if (pthread_create(&t, NULL, thread, &err) || pthread_join(t, NULL))
		return -1;

	return err;
}


static struct {
	pthread_barrier_t entered;
	int err;
} early;


static void *early_thread(void *arg)
{
	(void)arg;
	(void)pthread_barrier_wait(&early.entered);
	early.err = unshare(CLONE_NEWNS) ? errno : 0;

	return NULL;
}


static void on(void)
{
	pthread_t t;

	MUST(!pthread_barrier_init(&early.entered, NULL, 2));
	MUST(!pthread_create(&t, NULL, early_thread, NULL));
	MUST(!sandbox_calls(SANDBOX_ON));
	(void)pthread_barrier_wait(&early.entered);
	MUST(!pthread_join(t, NULL));
	MUST(early.err == EPERM);

	MUST(unshare(CLONE_NEWUSER) && errno == EPERM);
	MUST(mount("x", "/", "tmpfs", 0, NULL) && errno == EPERM);
	MUST(syscall(SYS_bpf, 0, NULL, 0) && errno == EPERM);
	MUST(syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0) &&
	     errno == EPERM);
	MUST(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, 0)
	     == -1 && errno == EPERM);

	/* threads, programs and files as ever */
	MUST(of_thread() == EPERM);
	MUST(program() == 7);
	MUST(open(others, O_RDONLY | O_DIRECTORY) >= 0);
}


static void strict(void)
{
	MUST(program() == 7);
	MUST(!sandbox_calls(SANDBOX_STRICT));
	MUST(program() == 200);
	MUST(unshare(CLONE_NEWNS) && errno == EPERM);
	MUST(of_thread() == EPERM);
}


static bool can_make(const char *dir, const char *name)
{
	char path[200];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	if (fd < 0)
		return false;

	return write(fd, "x", 1) == 1 && !close(fd);
}


static void files(void)
{
	const char *const dirs[] = { ours, "/nowhere/at/all" };
	const char *const none[] = { "/nowhere/at/all" };
	char path[200], path2[200];
	int err;

	MUST(can_make(others, "before"));
	err = sandbox_files(dirs, 2);
	if (err == ENOSYS)
		_exit(0);        /* a kernel without it says so */
	MUST(!err);

	MUST(can_make(ours, "a"));
	MUST(!can_make(others, "b") && errno == EACCES);
	MUST(!can_make(others, "before") && errno == EACCES);
	snprintf(path, sizeof(path), "%s/before", others);
	MUST(open(path, O_RDONLY) >= 0);
	MUST(unlink(path) && errno == EACCES);
	MUST(truncate(path, 0) && errno == EACCES);

	/* as files are written: another one, then its name */
	snprintf(path, sizeof(path), "%s/a", ours);
	snprintf(path2, sizeof(path2), "%s/c", ours);
	MUST(!rename(path, path2));
	MUST(!unlink(path2));
	snprintf(path, sizeof(path), "%s/folder", ours);
	MUST(!mkdir(path, 0700) && can_make(path, "d"));
	MUST(open("/dev/null", O_WRONLY) >= 0);

	/* nothing is got back */
	MUST(!sandbox_files(none, 1));
	MUST(!can_make(ours, "e"));
}


static void off(void)
{
	MUST(!sandbox_calls(SANDBOX_OFF));
	MUST(program() == 7);
}


#define CASE(name)							\
	static void test_##name(void **state)				\
	{								\
		(void)state;						\
		in_child(name);						\
	}

CASE(off)
CASE(on)
CASE(strict)
CASE(files)


static int folders_make(void **state)
{
	(void)state;

	return mkdtemp(ours) && mkdtemp(others) ? 0 : -1;
}


static int folders_remove(void **state)
{
	char line[200];
	(void)state;

	snprintf(line, sizeof(line), "rm -rf %s %s", ours, others);

	return system(line);
}


int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_on),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, folders_make, folders_remove);
}
