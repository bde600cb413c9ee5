// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "broker/sandbox.h"
#include "host/pagemap_scan.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/* What the worker does all day, whatever the arguments. */
static const int allowed[] = {
	/* its memory and threads */
	SYS_brk,
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	SYS_futex,
	SYS_set_robust_list,
	SYS_rseq,
	SYS_sched_yield,
	SYS_sched_getaffinity,
	SYS_getcpu,
	SYS_membarrier,
	SYS_exit,
	SYS_exit_group,
	SYS_restart_syscall,
	/* descriptors that it was given, or opened as below */
	SYS_read,
	SYS_write,
	SYS_readv,
	SYS_writev,
	SYS_pread64,
	SYS_pwrite64,
	SYS_lseek,
	SYS_close,
	SYS_dup,
	SYS_dup3,
	SYS_fcntl,
	SYS_fstat,
	SYS_ftruncate,
	SYS_fsync,
	SYS_fdatasync,
	SYS_fchmod,
	SYS_flock,
	SYS_getdents64,
	SYS_sendmsg,
	SYS_recvmsg,
	/* names, of which Landlock and its user decide */
	SYS_statx,
	SYS_newfstatat,
	SYS_readlinkat,
	SYS_faccessat,
	SYS_faccessat2,
	/* waiting, and signals to itself */
	SYS_ppoll,
	SYS_eventfd2,
	SYS_epoll_create1,
	SYS_epoll_ctl,
	SYS_epoll_pwait,
	SYS_timerfd_create,
	SYS_timerfd_settime,
	SYS_signalfd4,
	SYS_nanosleep,
	SYS_clock_nanosleep,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigpending,
	SYS_rt_sigreturn,
	SYS_sigaltstack,
	/* what time it is, who and where it is, and what it has used */
	SYS_clock_gettime,
	SYS_clock_getres,
	SYS_gettimeofday,
	SYS_getpid,
	SYS_getppid,
	SYS_getpgid,
	SYS_gettid,
	SYS_getuid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getegid,
	SYS_getrusage,
	SYS_uname,
	SYS_sysinfo,
	SYS_getcwd,
	SYS_getrandom,
#ifdef SYS_poll /* those that newer architectures have never had */
	SYS_poll,
	SYS_epoll_wait,
	SYS_readlink,
	SYS_access,
	SYS_time,
	SYS_stat,
	SYS_lstat,
	SYS_getrlimit,
	SYS_arch_prctl,
#endif
};

/* What nobody asks for who is what it seems to be: the end. All else that is not allowed is -EPERM. */
static const int deadly[] = {
	SYS_execve,
	SYS_execveat,
	SYS_ptrace,
	SYS_process_vm_readv,
	SYS_process_vm_writev,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_socket,
	SYS_connect,
	SYS_bind,
	SYS_mount,
	SYS_unshare,
	SYS_setns,
	SYS_init_module,
	SYS_finit_module,
	SYS_kexec_load,
	SYS_pidfd_getfd,
	SYS_userfaultfd,
};

/*
 * What the broker has no business with. Some of these its capabilities would allow: to write to other processes
 * (CAP_SYS_PTRACE), to open files by handle (CAP_DAC_READ_SEARCH), to mount (CAP_SYS_ADMIN).
 */
static const int forbidden[] = {
	SYS_execve,
	SYS_execveat,
	SYS_process_vm_writev,
	SYS_process_madvise,
	SYS_pidfd_getfd,
	SYS_pidfd_send_signal,
	SYS_open_by_handle_at,
	SYS_name_to_handle_at,
	SYS_mount,
	SYS_umount2,
	SYS_pivot_root,
	SYS_chroot,
	SYS_open_tree,
	SYS_move_mount,
	SYS_fsopen,
	SYS_fsmount,
	SYS_fspick,
	SYS_unshare,
	SYS_setns,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_kexec_load,
	SYS_reboot,
	SYS_swapon,
	SYS_swapoff,
	SYS_acct,
	SYS_quotactl,
	SYS_syslog,
	SYS_sethostname,
	SYS_setdomainname,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_adjtimex,
	SYS_clock_adjtime,
	SYS_mknodat,
	SYS_fchownat,
	SYS_setxattr,
	SYS_lsetxattr,
	SYS_fsetxattr,
	SYS_setuid,
	SYS_setreuid,
	SYS_setresuid,
	SYS_setgid,
	SYS_setregid,
	SYS_setresgid,
	SYS_setgroups,
	SYS_setfsuid,
	SYS_setfsgid,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_userfaultfd,
	SYS_io_uring_setup,
	SYS_io_uring_enter,
	SYS_io_uring_register,
	SYS_fanotify_init,
	SYS_move_pages,
	SYS_migrate_pages,
	SYS_kcmp,
	SYS_personality,
	SYS_listen,
	SYS_accept,
	SYS_accept4,
	SYS_bind,
#ifdef __x86_64__
	SYS_kexec_file_load,
	SYS_ioperm,
	SYS_iopl,
	SYS_modify_ldt,
	SYS_mknod,
	SYS_chown,
	SYS_lchown,
	SYS_uselib,
	SYS_ustat,
#endif
};

#define MAX_VALUES 8

#ifdef __x86_64__
#define X32_CALLS 0x40000000u /* __X32_SYSCALL_BIT, arch/x86/include/uapi/asm/unistd.h */
#endif

/* Allowed if argument @argument, of which the bits of @mask count, is one of @values. */
struct condition {
	int call;
	unsigned int argument;
	uint32_t mask;
	size_t n_values;
	uint32_t values[MAX_VALUES];
	int error; /* otherwise */
};

#define MAX_INSTRUCTIONS 512

struct filter {
	struct sock_filter code[MAX_INSTRUCTIONS];
	unsigned short n;
};

static void put(struct filter *filter, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	if (filter->n < MAX_INSTRUCTIONS)
		filter->code[filter->n] =
			(struct sock_filter){.code = code, .jt = yes, .jf = no, .k = k};
	filter->n++;
}

static void load(struct filter *filter, size_t offset)
{
	put(filter, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void end_if_equal(struct filter *filter, uint32_t value, uint32_t end)
{
	put(filter, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
	put(filter, BPF_RET | BPF_K, end, 0, 0);
}

static void put_condition(struct filter *filter, const struct condition *condition)
{
	/* One word, mask, two for each value, the end. */
	put(filter, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)condition->call, 0,
	    (uint8_t)(3 + 2 * condition->n_values));
	/* The low half, on the machines that there are. */
	load(filter, offsetof(struct seccomp_data, args) + condition->argument * sizeof(__u64));
	put(filter, BPF_ALU | BPF_AND | BPF_K, condition->mask, 0, 0);
	for (size_t i = 0; i < condition->n_values; i++)
		end_if_equal(filter, condition->values[i], SECCOMP_RET_ALLOW);
	put(filter, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)condition->error, 0, 0);
}

static void put_conditions(struct filter *filter)
{
	const struct condition conditions[] = {
		/* Files are opened for reading alone, and nothing is made. */
		{SYS_openat,
		 2,
		 O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY),
		 1,
		 {O_RDONLY},
		 EACCES},
		/* No new code. */
		{SYS_mmap, 2, PROT_EXEC, 1, {0}, EPERM},
		{SYS_mprotect, 2, PROT_EXEC, 1, {0}, EPERM},
		/* Threads, not processes. glibc tries clone3 first, whose flags no filter can see. */
		{SYS_clone, 0, CLONE_THREAD, 1, {CLONE_THREAD}, EPERM},
		{SYS_clone3, 0, 0, 0, {0}, ENOSYS},
		/*
		 * The terminal's modes, width and job, what waits in a pipe; not what is typed into it. Which pages
		 * a process has.
		 */
		{SYS_ioctl,
		 1,
		 UINT32_MAX,
		 8,
		 {TCGETS, TCSETS, TCSETSW, TCSETSF, TIOCGPGRP, TIOCGWINSZ, FIONREAD, PAGEMAP_SCAN},
		 ENOTTY},
		/* To itself. */
		{SYS_tgkill, 0, UINT32_MAX, 1, {(uint32_t)getpid()}, EPERM},
		{SYS_prlimit64, 0, UINT32_MAX, 1, {0}, EPERM},
		{SYS_prctl, 0, UINT32_MAX, 1, {PR_SET_NAME}, EPERM},
	};

	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
		put_condition(filter, &conditions[i]);
}

/* Calls of another architecture are the end. */
static void begin(struct filter *filter)
{
	load(filter, offsetof(struct seccomp_data, arch));
	put(filter, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
	put(filter, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
	load(filter, offsetof(struct seccomp_data, nr));
}

static int install(struct filter *filter, bool *ret_done)
{
	struct sock_fprog program = {.filter = filter->code, .len = filter->n};

	*ret_done = false;
	if (filter->n > MAX_INSTRUCTIONS)
		return -E2BIG;
	if (!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)) {
		*ret_done = true;
		return 0;
	}
	/* A kernel without it (CONFIG_SECCOMP_FILTER). */
	return errno == ENOSYS || errno == EINVAL ? 0 : -errno;
}

int sandbox__forbid(bool stops, bool *ret_done)
{
	/* To the service manager, and to whoever knows the names of users. */
	const struct condition local = {SYS_socket, 0, UINT32_MAX, 1, {AF_UNIX}, EAFNOSUPPORT};
	struct filter filter = {.n = 0};

	*ret_done = false;
	begin(&filter);
#ifdef __x86_64__
	/* The other numbering of the same calls (arch/x86/entry/syscalls/syscall_64.tbl, x32). */
	put(&filter, BPF_JMP | BPF_JGE | BPF_K, X32_CALLS, 0, 1);
	put(&filter, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
#endif
	for (size_t i = 0; i < ARRAY_SIZE(forbidden); i++)
		end_if_equal(&filter, (uint32_t)forbidden[i], SECCOMP_RET_ERRNO | EPERM);
	if (!stops)
		end_if_equal(&filter, SYS_ptrace, SECCOMP_RET_ERRNO | EPERM);
	put_condition(&filter, &local);
	put(&filter, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	/* So that one without privileges may take from itself, too. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return install(&filter, ret_done);
}

int sandbox__restrict_calls(bool *ret_done)
{
	struct filter filter = {.n = 0};

	begin(&filter);
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		end_if_equal(&filter, (uint32_t)allowed[i], SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
		end_if_equal(&filter, (uint32_t)deadly[i], SECCOMP_RET_KILL_PROCESS);
	put_conditions(&filter);
	put(&filter, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
	return install(&filter, ret_done);
}
