/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_PROCESS_H
#define GLEAKD_HOST_PROCESS_H

/*
 * Processes of this host as /proc tells of them. The root of /proc is a parameter, so that tests
 * run on recorded trees. A process is (pid, start time), never the pid alone: pids are reused.
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
	uid_t uid;	     /* effective */
	char comm[64];	     /* /proc/PID/comm; any bytes, no newline */
	char exe[PATH_MAX];  /* link text of /proc/PID/exe, "" when it may not be read */
	bool exe_deleted;    /* the file was unlinked or replaced since the start */
	bool kernel_thread;  /* no exe at all */
};

/*
 * process__read - look at @pid. A zombie is -ESRCH.
 * Errors: -ESRCH no such process, -EACCES (exe only: then exe is "" and 0 is returned), -EPROTO
 * /proc says something unexpected.
 */
int process__read(const char *proc_root, pid_t pid, struct process_info *ret_info,
		  struct failure *failure) __must_check;

/* process__same - whether @id still names the running process it named before (not a zombie). */
bool process__same(const char *proc_root, struct process_id id);

/*
 * process__open_exe - O_RDONLY|O_CLOEXEC descriptor of the running image through /proc/PID/exe:
 * right inside containers and after the file was replaced. Never blocks (a FIFO or a device as
 * exe is -ENOEXEC). The caller closes it.
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
 * process__exe_mappings - mappings of /proc/PID/maps which show the same device and inode as the
 * image given by @exe_fd... compared by the path text and inode of the maps lines, because st_dev
 * of overlayfs differs from the maps' device. Lowest address first.
 * Returns the number of mappings stored (at most @max) or -errno.
 */
int process__exe_mappings(const char *proc_root, pid_t pid, struct process_mapping *mappings,
			  size_t max) __must_check;

/* process__pidfd - pidfd_open(2): readable when the process ends. -ENOSYS on old kernels. */
int process__pidfd(pid_t pid) __must_check;

/* process__cpu_ns - user+system CPU time the process used, from /proc/PID/stat. */
int process__cpu_ns(const char *proc_root, pid_t pid, uint64_t *ret_ns) __must_check;

#endif /* GLEAKD_HOST_PROCESS_H */
