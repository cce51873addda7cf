/**
 * @file sandbox.c  What this process gives up for good
 *
 * A list of what is refused, not of what is allowed: sound servers and the C
 * library's helpers use calls that nobody here knows, and a call that drops
 * because a library was updated serves nobody.  Refused calls fail like those
 * one has no right to; nothing is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <sys/prctl.h>
#ifdef __linux__
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#endif
#include <offhook/sandbox.h>

#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCH AUDIT_ARCH_X86_64
#define FOREIGN 0x40000000u  /* numbers of the x32 ABI begin here        */
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__arm__)
#define ARCH AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCH AUDIT_ARCH_PPC64LE
#endif


#if defined(__linux__) && defined(SYS_seccomp)

static int privileges_none(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? errno : 0;
}

#endif


/* System calls ------------------------------------------------------------- */

#if defined(ARCH) && defined(SYS_seccomp)

/* The leak checker of a test build is a tracer */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TRACED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TRACED 1
#endif
#endif

static const int refused[] = {
	/* into other processes */
#ifndef TRACED
	SYS_ptrace,
#endif
	SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp,
#ifdef SYS_pidfd_getfd
	SYS_pidfd_getfd,
#endif
#ifdef SYS_process_madvise
	SYS_process_madvise,
#endif
	/* rooms of one's own, where one is root */
	SYS_unshare, SYS_setns, SYS_chroot, SYS_pivot_root, SYS_mount,
	SYS_umount2,
#ifdef SYS_open_tree
	SYS_open_tree, SYS_move_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount,
	SYS_fspick,
#endif
#ifdef SYS_mount_setattr
	SYS_mount_setattr,
#endif
	/* the machine itself */
	SYS_reboot, SYS_kexec_load, SYS_init_module, SYS_finit_module,
	SYS_delete_module, SYS_swapon, SYS_swapoff, SYS_sethostname,
	SYS_setdomainname, SYS_settimeofday, SYS_clock_settime, SYS_acct,
	SYS_quotactl, SYS_syslog, SYS_vhangup,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
#ifdef SYS_iopl
	SYS_iopl, SYS_ioperm, SYS_modify_ldt,
#endif
	/* where the kernel has had most of its holes */
	SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_add_key,
	SYS_request_key, SYS_keyctl, SYS_fanotify_init,
	SYS_name_to_handle_at, SYS_open_by_handle_at,
#ifdef SYS_io_uring_setup
	SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
#endif
};

static const int programs[] = { SYS_execve, SYS_execveat };

enum {
	RULES_MAX = 2 * (sizeof(refused) + sizeof(programs)) / sizeof(int) +
		16,
};

/* Namespaces by clone; CLONE_NEWTIME shares its bit with a signal number */
#define NEW_ROOMS (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |	\
		   CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |	\
		   CLONE_NEWNET)

struct rules {
	struct sock_filter v[RULES_MAX];
	unsigned short n;
};


static void rule(struct rules *r, uint16_t code, uint32_t k, uint8_t yes,
		 uint8_t no)
{
	r->v[r->n++] = (struct sock_filter){ code, yes, no, k };
}


static void load(struct rules *r, size_t at)
{
	rule(r, BPF_LD | BPF_W | BPF_ABS, (uint32_t)at, 0, 0);
}


static void fail(struct rules *r, int err)
{
	rule(r, BPF_RET | BPF_K, SECCOMP_RET_ERRNO |
	     ((uint32_t)err & SECCOMP_RET_DATA), 0, 0);
}


static void refuse(struct rules *r, const int *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		rule(r, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)v[i], 0, 1);
		fail(r, EPERM);
	}
}


static void rules_write(struct rules *r, enum sandbox level)
{
	r->n = 0;

	/* numbers mean something else in programs of another kind */
	load(r, offsetof(struct seccomp_data, arch));
	rule(r, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	fail(r, EPERM);

	load(r, offsetof(struct seccomp_data, nr));
#ifdef FOREIGN
	rule(r, BPF_JMP | BPF_JGE | BPF_K, FOREIGN, 0, 1);
	fail(r, EPERM);
#endif

	refuse(r, refused, sizeof(refused) / sizeof(*refused));
	if (level == SANDBOX_STRICT)
		refuse(r, programs, sizeof(programs) / sizeof(*programs));

	/* its flags are in memory, where no filter sees them: without it the
	 * C library takes clone */
#ifdef SYS_clone3
	rule(r, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
	fail(r, ENOSYS);
#endif
	rule(r, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3);
	load(r, offsetof(struct seccomp_data, args[0]) +
	     (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0));
	rule(r, BPF_JMP | BPF_JSET | BPF_K, (uint32_t)NEW_ROOMS, 0, 1);
	fail(r, EPERM);

	rule(r, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
}


int sandbox_calls(enum sandbox level)
{
	struct rules r;
	struct sock_fprog prog = { .filter = r.v };
	int err;

	if (level == SANDBOX_OFF)
		return 0;

	rules_write(&r, level);
	prog.len = r.n;

	err = privileges_none();
	if (err)
		return err;

	if (!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		     SECCOMP_FILTER_FLAG_TSYNC, &prog))
		return 0;

	/* EINVAL: the kernel was built without filters */
	return errno == EINVAL ? ENOSYS : errno;
}

#else

int sandbox_calls(enum sandbox level)
{
	return level == SANDBOX_OFF ? 0 : ENOSYS;
}

#endif


/* Files -------------------------------------------------------------------- */

#if defined(__linux__) && defined(SYS_landlock_create_ruleset)

/* As the kernel has it (landlock(7)), whatever the headers know */
struct handled {
	uint64_t fs;
};

struct beneath {
	uint64_t fs;
	int32_t dir;
} __attribute__((packed));

enum { RULE_BENEATH = 1, ASK_VERSION = 1 };

#define WRITE    (1ull << 1)
#define REMOVE   (1ull << 4 | 1ull << 5)
#define MAKE     (1ull << 7 | 1ull << 8 | 1ull << 9 | 1ull << 10 | 1ull << 12)
#define DEVICES  (1ull << 6 | 1ull << 11)
#define REFER    (1ull << 13)     /* to another directory: version 2        */
#define TRUNCATE (1ull << 14)     /* version 3                              */


static int beneath(int set, const char *dir, uint64_t rights)
{
	struct beneath b = { .fs = rights };
	int err = 0;

	b.dir = open(dir, O_PATH | O_CLOEXEC | O_DIRECTORY);
	if (b.dir < 0)
		return 0;

	if (syscall(SYS_landlock_add_rule, set, RULE_BENEATH, &b, 0))
		err = errno;
	close(b.dir);

	return err;
}


int sandbox_files(const char *const *dirv, unsigned dirc)
{
	const long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
				     ASK_VERSION);
	const uint64_t more = (version > 1 ? REFER : 0) |
		(version > 2 ? TRUNCATE : 0);
	const struct handled h = { .fs = WRITE | REMOVE | MAKE | DEVICES |
		more };
	int set, err;

	if (version < 1)
		return ENOSYS;

	err = privileges_none();
	if (err)
		return err;

	set = (int)syscall(SYS_landlock_create_ruleset, &h, sizeof(h), 0);
	if (set < 0)
		return errno;

	/* devices of sound and terminals; a sound server's shared memory */
	err = beneath(set, "/dev", WRITE | (more & TRUNCATE));
	if (!err)
		err = beneath(set, "/dev/shm", WRITE | REMOVE | MAKE | more);
	for (unsigned i = 0; i < dirc && !err; i++)
		err = beneath(set, dirv[i], WRITE | REMOVE | MAKE | more);

	if (!err && syscall(SYS_landlock_restrict_self, set, 0))
		err = errno;
	close(set);

	return err;
}

#else

int sandbox_files(const char *const *dirv, unsigned dirc)
{
	(void)dirv;
	(void)dirc;

	return ENOSYS;
}

#endif
