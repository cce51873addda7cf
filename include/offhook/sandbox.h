/**
 * @file sandbox.h  What this process gives up for good
 *
 * A phone reads what strangers send.  Whoever takes it over through that may
 * then do what the phone may do; so it gives up what it has no use for.  The
 * system holds it to that (Linux: seccomp, Landlock), and the programs that it
 * starts; nobody gets it back.
 *
 * Main thread.
 */
#ifndef OFFHOOK_SANDBOX_H
#define OFFHOOK_SANDBOX_H

/** As the choices of option sandbox */
enum sandbox {
	SANDBOX_OFF,
	SANDBOX_ON,              /* what no phone needs: tracing others, name-
				    spaces, mounts, modules, more privileges */
	SANDBOX_STRICT,          /* ... nor programs, nor files elsewhere    */
};

/**
 * Files are changed, made and removed below these directories and /dev alone;
 * all may be read.  Before any other thread is started, which would not be
 * held to it.  A directory that is not there is left out.
 * @return 0, ENOSYS: this system cannot (Linux before 5.13, Landlock off)
 */
int sandbox_files(const char *const *dirv, unsigned dirc);

/**
 * System calls that are refused (EPERM) from now on, in all threads; of
 * SANDBOX_STRICT those that start a program, too.
 * @return 0, ENOSYS: this system cannot, or errno
 */
int sandbox_calls(enum sandbox level);

#endif
