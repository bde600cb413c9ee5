// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/read.h"
#include "base/temp_file.h"
#include "host/access_private.h"
#include "host/copy_pair.h"
#include "host/owner.h"
#include "host/pids.h"
#include "host/priority.h"
#include "host/process.h"
#include "host/process_stop.h"
#include "host/users.h"

/* The kernel silently cuts a call at MAX_RW_COUNT, just below 2 GiB (include/linux/fs.h). */
#define MEMORY_MAX (1u << 30)

#define CLEAR_SOFT_DIRTY "4" /* Documentation/filesystems/proc.rst, clear_refs */

/* --- files --------------------------------------------------------------------------------------- */

/*
 * @handle is O_PATH, which opens nothing: the other end of a FIFO or a device does not notice. Opens the
 * inode that was examined, whatever the path leads to by now.
 */
static int open_again(int handle, int flags)
{
	struct statx file;
	char path[64];
	int fd;

	if (statx(handle, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &file))
		return -errno;
	if (!S_ISREG(file.stx_mode))
		return -ENOEXEC;
	snprintf(path, sizeof(path), PROC_ROOT "/self/fd/%d", handle);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int direct_open(const char *path, int flags)
{
	bool whole = !(flags & (O_PATH | O_DIRECTORY));
	int fd = open(path, (whole ? O_PATH : flags) | O_CLOEXEC);
	int again;

	if (fd < 0)
		return -errno;
	if (!whole)
		return fd;
	again = open_again(fd, flags);
	close(fd);
	return again;
}

static int direct_open_below(const char *root, const char *path, int flags)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	int folder __cleanup_close = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd, again;

	if (folder < 0)
		return -errno;
	fd = (int)syscall(SYS_openat2, folder, path, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	if (flags & O_PATH)
		return fd;
	again = open_again(fd, flags);
	close(fd);
	return again;
}

static ssize_t direct_read(const char *path, void *buffer, size_t size)
{
	int fd __cleanup_close = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : read__whole(fd, buffer, size);
}

static ssize_t direct_link(const char *path, char *text, size_t size)
{
	ssize_t n = readlink(path, text, size);

	return n < 0 ? -errno : n;
}

/* DONT_SYNC: cached attributes will do; NFS and FUSE then send nothing to their servers. */
static int direct_stat(const char *path, unsigned int mask, struct statx *ret_stat)
{
	return statx(AT_FDCWD, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, mask, ret_stat) ?
		       -errno :
		       0;
}

static int direct_input(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);

	return fd < 0 ? -errno : fd;
}

/* A FIFO that nobody reads is not waited for (-ENXIO); one that is read may be slow. */
static int open_for_writing(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0666);
	int err = fd < 0 || fcntl(fd, F_SETFL, 0) ? -errno : 0;

	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

static int direct_output(enum access_output step, const char *path)
{
	char *temporary __cleanup_free = NULL;
	int fd, err;

	if (asprintf(&temporary, "%s" TEMP_FILE_SUFFIX, path) < 0) {
		temporary = NULL;
		return -ENOMEM;
	}
	switch (step) {
	case OUTPUT_OPEN:
		return open_for_writing(path);
	case OUTPUT_CREATE:
	case OUTPUT_BESIDE:
		err = temp_file__create(temporary, step == OUTPUT_CREATE ? 0600 : 0666, &fd);
		return err ? err : fd;
	case OUTPUT_REPLACE:
		return rename(temporary, path) ? -errno : 0;
	case OUTPUT_DISCARD:
		return unlink(temporary) ? -errno : 0;
	case OUTPUT_REMOVE:
		return unlink(path) ? -errno : 0;
	case OUTPUT_DATABASE:
		fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
		return fd < 0 ? -errno : fd;
	case OUTPUT_LOOK:
		fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	case OUTPUT_STEPS:
		break;
	}
	return -EINVAL;
}

/* That of this process. */
static struct evidence_store *evidence_store;

static int open_evidence(const struct access_evidence *evidence, struct failure *failure)
{
	evidence_store__close(evidence_store);
	evidence_store = NULL;
	return evidence_store__open(evidence->path, &evidence->limits, &evidence_store, failure);
}

static int direct_evidence(const struct access_evidence *evidence, struct failure *failure)
{
	struct evidence_store *store = evidence_store;

	if (evidence->step == EVIDENCE_OPEN)
		return open_evidence(evidence, failure);
	if (!store)
		return -EBADF;
	switch (evidence->step) {
	case EVIDENCE_BEGIN:
		return evidence_store__begin(store, evidence->pid, evidence->site,
					     clock__realtime_ns() / NSEC_PER_SEC, evidence->name);
	case EVIDENCE_APPEND:
		return evidence_store__append(store, evidence->file, evidence->bytes,
					      evidence->size);
	case EVIDENCE_KEEP:
		return evidence_store__keep(store, evidence->name);
	case EVIDENCE_DISCARD:
		evidence_store__discard(store);
		return 0;
	case EVIDENCE_CLOSE:
		evidence_store__close(store);
		evidence_store = NULL;
		return 0;
	case EVIDENCE_OPEN:
	case EVIDENCE_STEPS:
		break;
	}
	return -EINVAL;
}

static ssize_t direct_user_name(uid_t uid, char *name, size_t size)
{
	const struct passwd *entry = users__find(NULL, uid);
	size_t length = entry ? min_of(strlen(entry->pw_name), size) : 0;

	if (!entry)
		return -ENOENT;
	memcpy(name, entry->pw_name, length);
	return (ssize_t)length;
}

static int64_t direct_user_id(const char *name)
{
	const struct passwd *entry = users__find(name, 0);

	return entry ? (int64_t)entry->pw_uid : -ENOENT;
}

static void direct_usage(struct access_usage *ret_usage, bool whole __maybe_unused)
{
	*ret_usage = (struct access_usage){.cpu_seconds = 0};
}

static int direct_pidfd(pid_t pid)
{
	long fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : (int)fd;
}

/* The beginning is enough, or would be; what is longer is somebody's joke. */
#define ENVIRONMENT_MAX (256u << 10)

static ssize_t direct_hostname(const char *proc_root, pid_t pid, char *name, size_t size)
{
	static const char key[] = "HOSTNAME=";
	char *text __cleanup_free = malloc(ENVIRONMENT_MAX + 1);
	char path[PATH_MAX];
	ssize_t n;

	if (!text)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/%d/environ", proc_root, pid);
	n = direct_read(path, text, ENVIRONMENT_MAX);
	if (n < 0)
		return n;
	text[n] = '\0';
	for (size_t at = 0; at < (size_t)n; at += strlen(text + at) + 1) {
		size_t length;

		if (strncmp(text + at, key, strlen(key)) != 0)
			continue;
		length = strlen(text + at + strlen(key));
		memcpy(name, text + at + strlen(key), min_of(length, size));
		return (ssize_t)min_of(length, size);
	}
	return -ENOENT;
}

static int direct_mark_pages(pid_t pid)
{
	int fd __cleanup_close = -1;
	char path[64];

	snprintf(path, sizeof(path), PROC_ROOT "/%d/clear_refs", pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return write(fd, CLEAR_SOFT_DIRTY, 1) == 1 ? 0 : -EIO;
}

static void direct_come_first(bool first)
{
	static struct priority priority;

	if (first)
		priority__first(&priority, getpid());
	else
		priority__as_before(&priority);
}

static size_t direct_quarantined(struct quarantine_entry *entries __maybe_unused,
				 size_t max __maybe_unused)
{
	return 0;
}

static void direct_quarantine(const struct quarantine_entry *entry __maybe_unused)
{
}

/* --- memory -------------------------------------------------------------------------------------- */

/* What it runs, by what is cached of it. */
static int identify(pid_t task, struct statx *ret_exe)
{
	char path[64];

	snprintf(path, sizeof(path), PROC_ROOT "/%d/exe", task);
	return direct_stat(path, STATX_INO, ret_exe);
}

static int direct_open_memory(pid_t pid, struct access_memory **ret_memory)
{
	struct access_memory *memory = calloc(1, sizeof(*memory));
	char path[64];

	if (!memory)
		return -ENOMEM;
	memory->pid = pid;
	/* First: what is opened then is of this process, or is over. */
	memory->pidfd = direct_pidfd(pid);
	memory->task = process__task(PROC_ROOT, pid);
	snprintf(path, sizeof(path), PROC_ROOT "/%d/mem", memory->task);
	memory->fd = open(path, O_RDONLY | O_CLOEXEC);
	memory->known = !identify(memory->task, &memory->exe);
	*ret_memory = memory;
	return 0;
}

static void direct_close_memory(struct access_memory *memory)
{
	if (memory->fd >= 0)
		close(memory->fd);
	if (memory->pidfd >= 0)
		close(memory->pidfd);
	free(memory);
}

bool access_memory__is_over(const struct access_memory *memory)
{
	struct pollfd end = {.fd = memory->pidfd, .events = POLLIN};

	return memory->pidfd == -ESRCH || (memory->pidfd >= 0 && poll(&end, 1, 0) == 1);
}

/*
 * The descriptor of /proc/PID/mem belongs to the address space and not to the process
 * (fs/proc/base.c mem_open). Once no process uses that any more, reads return 0 (mem_rw,
 * mmget_not_zero). Nothing is mapped at the address, so a space in use returns EIO.
 */
static int direct_memory_in_use(const struct access_memory *memory)
{
	char byte;
	ssize_t n;

	if (memory->fd < 0)
		return -EACCES;
	do
		n = pread(memory->fd, &byte, 1, 0);
	while (n < 0 && errno == EINTR);
	return n != 0;
}

/*
 * Whether what was read came from the program that was opened. Who executes another in between has another
 * address space; where somebody else keeps the old one in use (CLONE_VM), another executable.
 */
static bool is_same_program(const struct access_memory *memory, pid_t task)
{
	struct statx now;

	if (!direct_memory_in_use(memory))
		return false;
	if (!memory->known)
		return true;
	/* The thread may have ended since. */
	if (identify(task, &now) && identify(process__task(PROC_ROOT, memory->pid), &now))
		return false;
	return now.stx_ino == memory->exe.stx_ino &&
	       now.stx_dev_major == memory->exe.stx_dev_major &&
	       now.stx_dev_minor == memory->exe.stx_dev_minor;
}

typedef ssize_t (*read_fn)(pid_t task, const struct iovec *local, size_t n_local,
			   const struct iovec *foreign, size_t n_foreign);

static ssize_t read_by(read_fn fn, struct access_memory *memory, const struct iovec *local,
		       size_t n_local, const struct iovec *foreign, size_t n_foreign)
{
	/* Several threads may read (memory_copy.h). */
	pid_t task = __atomic_load_n(&memory->task, __ATOMIC_RELAXED);
	ssize_t n;

	if (access_memory__is_over(memory))
		return -ESRCH;
	n = fn(task, local, n_local, foreign, n_foreign);
	if (n == -ESRCH) {
		/* The thread has ended; others may go on. */
		task = process__task(PROC_ROOT, memory->pid);
		__atomic_store_n(&memory->task, task, __ATOMIC_RELAXED);
		n = fn(task, local, n_local, foreign, n_foreign);
	}
	if (n < 0)
		return n;
	return is_same_program(memory, task) ? n : -ESRCH;
}

static ssize_t read_at_once(pid_t task, const struct iovec *local, size_t n_local,
			    const struct iovec *foreign, size_t n_foreign)
{
	ssize_t n = process_vm_readv(task, local, n_local, foreign, n_foreign, 0);

	return n < 0 ? -errno : n;
}

static ssize_t direct_read_memory(struct access_memory *memory, const struct iovec *local,
				  size_t n_local, const struct iovec *foreign, size_t n_foreign)
{
	return read_by(read_at_once, memory, local, n_local, foreign, n_foreign);
}

static ssize_t read_side_by_side(pid_t task, const struct iovec *local,
				 size_t n_local __maybe_unused, const struct iovec *foreign,
				 size_t n_foreign)
{
	return copy_pair__read(task, local, foreign, n_foreign);
}

static int direct_share(size_t size, void **ret_data)
{
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (data == MAP_FAILED)
		return -ENOMEM;
	*ret_data = data;
	return 0;
}

static void direct_unshare(void *data, size_t size)
{
	munmap(data, size);
}

static ssize_t direct_copy_memory(struct access_memory *memory, const struct iovec *local,
				  const struct iovec *foreign, size_t n)
{
	return read_by(read_side_by_side, memory, local, n, foreign, n);
}

const struct access_ops access_direct = {
	.open = direct_open,
	.open_below = direct_open_below,
	.read = direct_read,
	.link = direct_link,
	.stat = direct_stat,
	.list = pids__list,
	.open_memory = direct_open_memory,
	.read_memory = direct_read_memory,
	.share = direct_share,
	.unshare = direct_unshare,
	.copy_memory = direct_copy_memory,
	.memory_in_use = direct_memory_in_use,
	.close_memory = direct_close_memory,
	.pidfd = direct_pidfd,
	.owner = owner__of,
	.hostname = direct_hostname,
	.input = direct_input,
	.output = direct_output,
	.evidence = direct_evidence,
	.usage = direct_usage,
	.user_name = direct_user_name,
	.user_id = direct_user_id,
	.follow = process_programs__load,
	.mark_pages = direct_mark_pages,
	.hold = process_stop__hold,
	.release = process_stop__release,
	.come_first = direct_come_first,
	.quarantined = direct_quarantined,
	.quarantine = direct_quarantine,
	.memory_max = MEMORY_MAX,
};
