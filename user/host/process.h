/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_PROCESS_H
#define GLEAKD_HOST_PROCESS_H

/*
 * Processes of this host as /proc shows them. The root of /proc is a parameter, so that tests can
 * use recorded trees. A process is a pid with a start time, never a pid alone: pids are reused.
 */
#include <limits.h>
#include <sys/types.h>

#include "base/common.h"
#include "base/failure.h"

#define PROC_ROOT "/proc"

struct process_id {
	pid_t pid;
	uint64_t start_time; /* clock ticks since boot: field 22 of /proc/PID/stat */
};

struct process_info {
	struct process_id id;
	uid_t uid;	    /* effective */
	char comm[64];	    /* any bytes but newlines, which become '?' */
	char exe[PATH_MAX]; /* path of the image without the kernel's " (deleted)"; "" unreadable */
	bool kernel_thread; /* no exe at all */
};

/*
 * process__read - look at @pid. A zombie none of whose threads goes on, or a process so far into its end
 * that it has no image any more, is -ESRCH. An exe link that may not be read is no error: exe is then "".
 * Errors: -ESRCH no such process, -EACCES /proc hides it (hidepid), -EPROTO /proc says something
 * unexpected.
 */
int process__read(const char *proc_root, pid_t pid, struct process_info *ret_info,
		  struct failure *failure) __must_check;

/*
 * process__identify - only who it is, by what the kernel makes up: nothing that it runs or names is looked
 * at. Errors: -ESRCH, -EACCES, -EPROTO.
 */
int process__identify(const char *proc_root, pid_t pid, struct process_id *ret_id,
		      uid_t *ret_uid) __must_check;

/*
 * process__count_files - open file descriptors, sockets among them. -EACCES, -ESRCH; counting stops
 * at a million.
 */
int process__count_files(const char *proc_root, pid_t pid, uint64_t *ret_files) __must_check;

/* process__count_threads - -ESRCH, -EPROTO. */
int process__count_threads(const char *proc_root, pid_t pid, uint64_t *ret_threads) __must_check;

/* process__resident - bytes of it in memory, pages that others share in full. -ESRCH, -EPROTO. */
int process__resident(const char *proc_root, pid_t pid, uint64_t *ret_bytes) __must_check;

/*
 * process__mapped_code - how many KiB of code it has mapped besides that of its executable (VmLib of
 * /proc/PID/status). As long as that stays the same no library was loaded, but by a rare chance.
 * -ESRCH, also when it has no memory any more; -EPROTO.
 */
int process__mapped_code(const char *proc_root, pid_t pid, uint64_t *ret_kib) __must_check;

/*
 * process__state - 'R' it is on a processor or waits for one, 'S' it waits, 'D' it does beyond the reach of signals,
 * and so on as in proc_pid_stat(5); 0: not known.
 */
char process__state(const char *proc_root, pid_t pid);

/* process__has_ended - whether @pid is a zombie, none of whose threads goes on; then who its parent is. */
bool process__has_ended(const char *proc_root, pid_t pid, pid_t *ret_parent);

/* process__same - whether @id still names the running process it named before (not a zombie). */
bool process__same(const char *proc_root, struct process_id id);

/*
 * process__task - the thread by which the memory of @pid is reached: its first one, or when that has ended
 * and others go on (pthread_exit(3) in main), one of those. /proc/PID has no exe, maps and mem then, and
 * process_vm_readv(2) finds none. Functions here that take a pid do so by themselves. @pid when all
 * have ended.
 */
pid_t process__task(const char *proc_root, pid_t pid);

/*
 * process__open_exe - O_RDONLY|O_CLOEXEC descriptor of the running image through /proc/PID/exe:
 * right inside containers and after the file was replaced. Never blocks: what is not a regular file
 * is not opened. The caller closes it.
 * Errors: -ESRCH gone, -EACCES not permitted, -ENOEXEC a kernel thread, or not a regular file.
 */
int process__open_exe(const char *proc_root, pid_t pid, struct failure *failure) __must_check;

/* A mapping of the executable's own file. */
struct process_mapping {
	uint64_t start;
	uint64_t end;
	uint64_t file_offset;
	bool executable;
	bool writable;
};

/*
 * process__exe_mappings - mappings of the running image's file in /proc/PID/maps, lowest address
 * first. To know which file that is, device and inode as maps writes them, the line around the
 * program's first instruction (field 26 of stat) is used if its path is that of the exe link; else
 * a line with that path, preferably with the inode that stat(2) returns. st_dev is not compared:
 * overlayfs and btrfs report another device there than in maps. A program that maps its own file
 * once more, to read its debug data, shows here with that mapping too. Returns the number of
 * mappings stored (at most @max) or -errno: -ESRCH gone, -EACCES not permitted, -EPROTO a line that
 * cannot be read, -E2BIG millions of mappings.
 */
int process__exe_mappings(const char *proc_root, pid_t pid, struct process_mapping *mappings,
			  size_t max) __must_check;

/* process__pidfd - pidfd_open(2): readable when the process ends. -ENOSYS on old kernels. */
int process__pidfd(pid_t pid) __must_check;

/*
 * process__clock_offset - how far its time namespace moves its monotonic clock ahead; 0 where there
 * are no such namespaces, or where it cannot be read.
 */
int64_t process__clock_offset(const char *proc_root, pid_t pid);

/*
 * process__cpu_ns - user and system CPU time that the threads of @pid have used, also those that
 * have ended. From its CPU clock: /proc counts in hundredths of a second. -ESRCH gone.
 */
int process__cpu_ns(pid_t pid, uint64_t *ret_ns) __must_check;

#endif /* GLEAKD_HOST_PROCESS_H */
