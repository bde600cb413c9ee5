// SPDX-License-Identifier: Apache-2.0
#include "host/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "host/access.h"
#include "host/capability.h"
#include "host/image_file.h"
#include "host/maps.h"
#include "host/proc_error.h"

#define DELETED_SUFFIX " (deleted)"

/* include/linux/sched.h; part of what user space sees since field 9 of stat is documented. */
#define PF_KTHREAD 0x00200000u

/* One line of /proc/PID/stat: some 300 bytes, 52 numbers of at most 20 digits and a comm. */
#define STAT_MAX_BYTES 2048
/* The head of /proc/PID/status up to Uid; what is long (Groups) comes later. */
#define STATUS_HEAD_BYTES 1024
#define STATUS_BYTES	  8192 /* with room for 600 groups */

/* Field numbers of proc(5), /proc/PID/stat. */
enum stat_field {
	STAT_PARENT = 4,
	STAT_FLAGS = 9,
	STAT_THREADS = 20,
	STAT_START_TIME = 22,
	STAT_RSS = 24,
	STAT_START_CODE = 26,
	STAT_FIELDS, /* as many as are read, plus one */
};

struct proc_stat {
	char comm[64];
	char state;
	uint64_t field[STAT_FIELDS];
};

static int proc_path(char *path, size_t size, const char *proc_root, pid_t pid, const char *leaf)
{
	int n = snprintf(path, size, "%s/%d/%s", proc_root, pid, leaf);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

typedef ssize_t (*read_fn)(const char *path, void *buffer, size_t size);

/* Up to @size - 1 bytes from the start of the file, NUL-terminated. Returns their number. */
static int read_head_by(read_fn read, const char *proc_root, pid_t pid, const char *leaf, char *buf,
			size_t size)
{
	char path[PATH_MAX];
	int err = proc_path(path, sizeof(path), proc_root, pid, leaf);
	ssize_t n = err ? err : read(path, buf, size - 1);

	if (err)
		return err;
	/* -ESRCH: it ended after the open */
	if (n < 0)
		return proc_error((int)-n);
	buf[n] = '\0';
	return (int)n;
}

static int read_head(const char *proc_root, pid_t pid, const char *leaf, char *buf, size_t size)
{
	return read_head_by(access__read_public, proc_root, pid, leaf, buf, size);
}

/*
 * The comm may hold anything, ") R 1" and newlines too, unescaped (fs/proc/array.c do_task_stat).
 * What follows it has no parenthesis: the last one in the line ends it.
 */
static int parse_stat(char *line, struct proc_stat *stat)
{
	char *open_paren = strchr(line, '(');
	char *close_paren = strrchr(line, ')');
	char *p;

	if (!open_paren || !close_paren || close_paren < open_paren)
		return -EPROTO;
	*close_paren = '\0';
	snprintf(stat->comm, sizeof(stat->comm), "%s", open_paren + 1);
	for (p = stat->comm; *p; p++) {
		if (*p == '\n')
			*p = '?';
	}
	p = close_paren + 1;
	if (p[0] != ' ' || !p[1] || p[2] != ' ')
		return -EPROTO;
	stat->state = p[1];
	p += 2;
	for (int f = 4; f < STAT_FIELDS; f++) {
		char *end;

		/* Takes a sign as well: tpgid is -1 without a terminal. */
		stat->field[f] = strtoull(p, &end, 10);
		if (end == p)
			return -EPROTO;
		p = end;
	}
	return 0;
}

static int read_stat_by(read_fn read, const char *proc_root, pid_t pid, struct proc_stat *ret_stat)
{
	char line[STAT_MAX_BYTES];
	int n = read_head_by(read, proc_root, pid, "stat", line, sizeof(line));

	if (n < 0)
		return n;
	/* A full buffer may end before the last parenthesis. */
	if (n == (int)sizeof(line) - 1 || strlen(line) != (size_t)n)
		return -EPROTO;
	return parse_stat(line, ret_stat);
}

static int read_stat(const char *proc_root, pid_t pid, struct proc_stat *ret_stat)
{
	return read_stat_by(access__read_public, proc_root, pid, ret_stat);
}

/* The thread is a zombie or being reaped: no memory, no image, only an exit code to be collected. */
static bool thread_has_ended(const struct proc_stat *stat)
{
	return stat->state == 'Z' || stat->state == 'X' || stat->state == 'x';
}

/* The first thread of a process stays, as a zombie, until the last one has ended. */
static bool has_ended(const struct proc_stat *stat)
{
	return thread_has_ended(stat) && !(stat->state == 'Z' && stat->field[STAT_THREADS] > 1);
}

/* Of thread @tid, which needs no directory of its own to be listed (fs/proc/base.c proc_pid_lookup). */
static bool thread_goes_on(const char *proc_root, pid_t tid)
{
	struct proc_stat stat;

	return !read_stat(proc_root, tid, &stat) && !thread_has_ended(&stat);
}

pid_t process__task(const char *proc_root, pid_t pid)
{
	char path[PATH_MAX];
	pid_t *tids __cleanup_free = NULL;
	struct proc_stat stat;
	size_t n;

	if (read_stat(proc_root, pid, &stat) || !thread_has_ended(&stat) || has_ended(&stat) ||
	    proc_path(path, sizeof(path), proc_root, pid, "task") || access__list(path, &tids, &n))
		return pid;
	for (size_t i = 0; i < n; i++) {
		if (tids[i] && tids[i] != pid && thread_goes_on(proc_root, tids[i]))
			return tids[i];
	}
	return pid;
}

static bool is_kernel_thread(const struct proc_stat *stat)
{
	return stat->field[STAT_FLAGS] & PF_KTHREAD;
}

/* "Uid:" real, effective, saved, file system. The Name line before it has its newlines escaped. */
static int read_uid(const char *proc_root, pid_t pid, uid_t *ret_uid)
{
	char head[STATUS_HEAD_BYTES];
	int n = read_head(proc_root, pid, "status", head, sizeof(head));
	unsigned int real, effective;
	const char *line;

	if (n < 0)
		return n;
	line = strstr(head, "\nUid:");
	if (!line || sscanf(line, "\nUid: %u %u", &real, &effective) != 2)
		return -EPROTO;
	*ret_uid = effective;
	return 0;
}

/* --- the image ---------------------------------------------------------------------------------- */

/* The link's text as the kernel writes it, " (deleted)" included. @text has PATH_MAX bytes. */
static int read_exe_link(const char *proc_root, pid_t pid, char *text)
{
	char path[PATH_MAX];
	int err = proc_path(path, sizeof(path), proc_root, pid, "exe");
	ssize_t n;

	if (err)
		return err;
	n = access__link(path, text, PATH_MAX - 1);
	if (n < 0)
		return (int)n;
	text[n] = '\0';
	return 0;
}

/*
 * Whether the image is really a file called "... (deleted)". No path is followed, which could lead anywhere:
 * a file that has a name left has not been deleted, but where it had several.
 */
static bool suffix_is_name(const char *proc_root, pid_t pid)
{
	char path[PATH_MAX];
	struct statx image;

	return !proc_path(path, sizeof(path), proc_root, pid, "exe") &&
	       !access__stat(path, STATX_NLINK, &image) && image.stx_nlink;
}

static int describe_exe(const char *proc_root, pid_t pid, const struct proc_stat *stat,
			struct process_info *info)
{
	const size_t suffix = strlen(DELETED_SUFFIX);
	size_t length;
	int err;

	if (thread_has_ended(stat))
		pid = process__task(proc_root, pid);
	err = read_exe_link(proc_root, pid, info->exe);
	info->kernel_thread = is_kernel_thread(stat);
	if (err) {
		info->exe[0] = '\0';
		/* Only kernel threads live without an image; others lose it on their way out. */
		if (err == -ENOENT)
			return info->kernel_thread ? 0 : -ESRCH;
		return err == -EACCES || err == -EPERM ? 0 : err;
	}
	length = strlen(info->exe);
	if (length > suffix && !strcmp(info->exe + length - suffix, DELETED_SUFFIX) &&
	    !suffix_is_name(proc_root, pid))
		info->exe[length - suffix] = '\0';
	return 0;
}

/* --- the interface ------------------------------------------------------------------------------ */

static int explain(int err, const char *proc_root, pid_t pid, struct failure *failure)
{
	const int ptrace = CAP_SYS_PTRACE;
	char what[64];

	switch (err) {
	case -ESRCH:
		return failure__set(failure, err, "there is no process %d, or it has ended", pid);
	case -EACCES:
	case -EPERM:
		/*
		 * With hidepid, or inside of a container, reading /proc/PID needs what ptrace(2)
		 * needs.
		 */
		snprintf(what, sizeof(what), "%.40s/%d", proc_root, pid);
		return capability__refused(what, &ptrace, 1, failure);
	case -EPROTO:
		return failure__set(failure, err,
				    "%s/%d says something that cannot be understood; is %s a "
				    "proc file system?",
				    proc_root, pid, proc_root);
	default:
		return failure__set(failure, err, "cannot read %s/%d: %s", proc_root, pid,
				    strerror(-err));
	}
}

int process__read(const char *proc_root, pid_t pid, struct process_info *ret_info,
		  struct failure *failure)
{
	struct process_info info = {.id.pid = pid};
	struct proc_stat stat;
	int err = read_stat(proc_root, pid, &stat);

	if (!err && has_ended(&stat))
		err = -ESRCH;
	if (!err)
		err = read_uid(proc_root, pid, &info.uid);
	if (!err)
		err = describe_exe(proc_root, pid, &stat, &info);
	if (err)
		return explain(err, proc_root, pid, failure);
	memcpy(info.comm, stat.comm, sizeof(info.comm));
	info.id.start_time = stat.field[STAT_START_TIME];
	/* The pid may have been reused between one file and the next. */
	if (!process__same(proc_root, info.id))
		return explain(-ESRCH, proc_root, pid, failure);
	*ret_info = info;
	return 0;
}

int process__identify(const char *proc_root, pid_t pid, struct process_id *ret_id, uid_t *ret_uid)
{
	struct proc_stat stat;
	int err = read_stat(proc_root, pid, &stat);

	if (!err)
		err = read_uid(proc_root, pid, ret_uid);
	if (!err)
		*ret_id = (struct process_id){pid, stat.field[STAT_START_TIME]};
	return err;
}

/* Before Linux 6.2 (fs/proc/fd.c, proc_fd_getattr) the directory does not tell how much is in it. */
static int count_entries(const char *path, uint64_t *ret_count)
{
	pid_t *fds;
	size_t n;
	int err = access__list(path, &fds, &n);

	if (err)
		return proc_error(-err);
	free(fds);
	*ret_count = n;
	return 0;
}

int process__count_files(const char *proc_root, pid_t pid, uint64_t *ret_files)
{
	char path[PATH_MAX];
	struct statx folder;
	int err = proc_path(path, sizeof(path), proc_root, pid, "fd");

	if (!err)
		err = access__stat(path, STATX_SIZE, &folder);
	if (!err && folder.stx_size) {
		*ret_files = folder.stx_size;
		return 0;
	}
	/* An older kernel, or its first thread has ended and has none any more. */
	if (!err)
		err = proc_path(path, sizeof(path), proc_root, process__task(proc_root, pid), "fd");
	return err ? proc_error(-err) : count_entries(path, ret_files);
}

int process__count_threads(const char *proc_root, pid_t pid, uint64_t *ret_threads)
{
	struct proc_stat stat;
	int err = read_stat(proc_root, pid, &stat);

	if (!err)
		*ret_threads = stat.field[STAT_THREADS];
	return err;
}

int process__resident(const char *proc_root, pid_t pid, uint64_t *ret_bytes)
{
	struct proc_stat stat;
	int err = read_stat(proc_root, pid, &stat);

	/* Of whoever has ended in the first thread alone, another one has the memory. */
	if (!err && thread_has_ended(&stat))
		err = read_stat(proc_root, process__task(proc_root, pid), &stat);
	if (!err)
		*ret_bytes = stat.field[STAT_RSS] * (uint64_t)sysconf(_SC_PAGESIZE);
	return err;
}

static int mapped_code(const char *proc_root, pid_t pid, uint64_t *ret_kib)
{
	static const char name[] = "\nVmLib:";
	char text[STATUS_BYTES], *at, *end;
	int n = read_head(proc_root, pid, "status", text, sizeof(text));
	unsigned long long kib;

	if (n < 0)
		return n;
	at = strstr(text, name);
	/* Of whoever has many groups not all fits; of whoever has no memory there is no such line. */
	if (!at)
		return n == STATUS_BYTES - 1 ? -EPROTO : -ESRCH;
	at += strlen(name);
	kib = strtoull(at, &end, 10);
	if (end == at || *end != ' ')
		return -EPROTO;
	*ret_kib = kib;
	return 0;
}

int process__mapped_code(const char *proc_root, pid_t pid, uint64_t *ret_kib)
{
	int err = mapped_code(proc_root, pid, ret_kib);
	pid_t task = err == -ESRCH ? process__task(proc_root, pid) : pid;

	return task == pid ? err : mapped_code(proc_root, task, ret_kib);
}

char process__state(const char *proc_root, pid_t pid)
{
	struct proc_stat stat;

	return read_stat(proc_root, pid, &stat) ? 0 : stat.state;
}

bool process__has_ended(const char *proc_root, pid_t pid, pid_t *ret_parent)
{
	struct proc_stat stat;

	if (read_stat(proc_root, pid, &stat) || !has_ended(&stat))
		return false;
	*ret_parent = (pid_t)stat.field[STAT_PARENT];
	return true;
}

bool process__same(const char *proc_root, struct process_id id)
{
	struct proc_stat stat;

	return !read_stat(proc_root, id.pid, &stat) && !has_ended(&stat) &&
	       stat.field[STAT_START_TIME] == id.start_time;
}

static int explain_exe_refused(pid_t pid, struct failure *failure)
{
	/* CAP_DAC_READ_SEARCH where only the owner may read the file. */
	const int caps[] = {CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH};
	char what[64];

	snprintf(what, sizeof(what), "the executable of process %d", pid);
	return capability__refused(what, caps, ARRAY_SIZE(caps), failure);
}

static int explain_exe(int err, const char *proc_root, pid_t pid, struct failure *failure)
{
	struct proc_stat stat;

	if (err == -ENOENT && !read_stat(proc_root, pid, &stat) && is_kernel_thread(&stat))
		return failure__set(failure, -ENOEXEC,
				    "process %d (%s) is a kernel thread, not a Go program", pid,
				    stat.comm);
	if (err == -ENOENT || err == -ESRCH)
		return explain(-ESRCH, proc_root, pid, failure);
	if (err == -EACCES || err == -EPERM)
		return explain_exe_refused(pid, failure);
	if (err == -ETIMEDOUT)
		return failure__set(
			failure, err,
			"process %d is left alone, since to open what it runs, or to read its "
			"memory, took too long; is that on a file system whose server does "
			"not answer?",
			pid);
	return failure__set(failure, err, "cannot open the executable of process %d: %s", pid,
			    strerror(-err));
}

int process__open_exe(const char *proc_root, pid_t pid, struct failure *failure)
{
	char path[PATH_MAX];
	int fd = proc_path(path, sizeof(path), proc_root, process__task(proc_root, pid), "exe");

	if (!fd)
		fd = access__open(path, O_RDONLY);
	if (fd == -ENOEXEC)
		return failure__set(failure, fd,
				    "the executable of process %d is not a regular file", pid);
	return fd < 0 ? explain_exe(fd, proc_root, pid, failure) : fd;
}

int process__exe_mappings(const char *proc_root, pid_t pid, struct process_mapping *mappings,
			  size_t max)
{
	char path[PATH_MAX], exe[PATH_MAX];
	struct maps_image image = {.path = exe};
	struct proc_stat process;
	struct statx file;
	int err;

	pid = process__task(proc_root, pid);
	/* Where its code begins is told to who may trace it. */
	err = read_stat_by(access__read, proc_root, pid, &process);
	if (!err)
		err = read_exe_link(proc_root, pid, exe);
	if (!err)
		err = proc_path(path, sizeof(path), proc_root, pid, "exe");
	if (err)
		return err == -ENOENT ? -ESRCH : err;
	image.start_code = process.field[STAT_START_CODE];
	if (!access__stat(path, STATX_INO, &file))
		image.inode = file.stx_ino;
	err = proc_path(path, sizeof(path), proc_root, pid, "maps");
	return err ? err : maps__find(path, &image, mappings, max);
}

int process__pidfd(pid_t pid)
{
	return access__pidfd(pid);
}

int64_t process__clock_offset(const char *proc_root, pid_t pid)
{
	char text[256];

	return read_head(proc_root, pid, "timens_offsets", text, sizeof(text)) > 0 ?
		       clock__offset(text) :
		       0;
}

int process__cpu_ns(pid_t pid, uint64_t *ret_ns)
{
	/* MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED), include/linux/posix-timers_types.h */
	clockid_t clock = (clockid_t)(~(unsigned int)pid << 3 | 2);
	struct timespec time;

	if (clock_gettime(clock, &time))
		return errno == EINVAL ? -ESRCH : -errno;
	*ret_ns = (uint64_t)time.tv_sec * NSEC_PER_SEC + (uint64_t)time.tv_nsec;
	return 0;
}
