/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_ACCESS_H
#define GLEAKD_HOST_ACCESS_H

/*
 * The one way to everything that takes privileges and belongs to others: files of /proc/PID, what they
 * lead to, memory, threads. Whoever holds the privileges does it itself (access_direct); whoever has
 * given them up asks one that holds them (broker/client.h). All functions may be called by any thread,
 * but for stopping.
 *
 * Every path is one of the proc file system, "/proc/PID/maps", or one that the user named. Errors
 * are -errno, as the system call says them.
 */
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/common.h"
#include "base/failure.h"
#include "host/evidence_store.h"
#include "host/process_programs.h"
#include "host/quarantine.h"

struct process_stop;
struct access_memory;

/* Ranges and bytes of one call of access__copy_memory(). */
#define ACCESS_COPY_RANGES 64
#define ACCESS_COPY_MAX	   (64u << 20)

/* What is done with a file that the user named for output. */
enum access_output {
	/* These make a descriptor: */
	OUTPUT_OPEN,   /* for writing, made if need be, as it is */
	OUTPUT_CREATE, /* empty, under the name with TEMP_FILE_SUFFIX, see temp_file__create() */
	OUTPUT_BESIDE, /* likewise, for whoever a new file of this user is for (umask) */
	OUTPUT_DATABASE, /* for reading and writing, made for its user alone if need be, and no link */
	OUTPUT_LOOK,	 /* one that only names it (O_PATH) */
	/* And these do not: */
	OUTPUT_REPLACE, /* the real one by that of OUTPUT_CREATE or OUTPUT_BESIDE */
	OUTPUT_DISCARD, /* that */
	OUTPUT_REMOVE,	/* the real one */
	OUTPUT_STEPS,
};

enum access_evidence_step {
	EVIDENCE_OPEN, /* path, limits; one is open at a time */
	EVIDENCE_CLOSE,
	EVIDENCE_BEGIN,	 /* pid, site, name */
	EVIDENCE_APPEND, /* file, bytes, size */
	EVIDENCE_KEEP,	 /* name */
	EVIDENCE_DISCARD,
	EVIDENCE_STEPS,
};

/* One step of what host/evidence_store.h does. */
struct access_evidence {
	enum access_evidence_step step;
	const char *path;
	struct evidence_limits limits;
	pid_t pid;
	uint32_t site;
	enum evidence_file file;
	const void *bytes;
	size_t size; /* ACCESS_EVIDENCE_PART at most */
	char *name;  /* EVIDENCE_NAME_SIZE bytes, written; "": there is none */
};

#define ACCESS_EVIDENCE_PART ((size_t)1 << 20)

/* What somebody who acts on behalf of this process uses for it. */
struct access_usage {
	double cpu_seconds;
	uint64_t resident_bytes;
	uint64_t bpf_bytes;
	uint64_t missed_deadlines; /* host/access_guard.h */
};

/* The most that access__read() returns: a control group's path has no limit, and is read to here. */
#define ACCESS_READ_MAX (64u << 10)
/* Ranges in one call of access__read_memory(): UIO_MAXIOV of include/uapi/linux/uio.h. */
#define ACCESS_RANGES_MAX 1024

struct access_ops {
	int (*open)(const char *path, int flags);
	int (*open_below)(const char *root, const char *path, int flags);
	ssize_t (*read)(const char *path, void *buffer, size_t size);
	ssize_t (*link)(const char *path, char *text, size_t size);
	int (*stat)(const char *path, unsigned int mask, struct statx *ret_stat);
	int (*list)(const char *path, pid_t **ret_numbers, size_t *ret_n);
	int (*open_memory)(pid_t pid, struct access_memory **ret_memory);
	ssize_t (*read_memory)(struct access_memory *memory, const struct iovec *local,
			       size_t n_local, const struct iovec *foreign, size_t n_foreign);
	/* NULL: always into a buffer. */
	ssize_t (*read_in_place)(struct access_memory *memory, const struct iovec *foreign,
				 size_t n_foreign, const uint8_t **ret_data);
	int (*share)(size_t size, void **ret_data);
	void (*unshare)(void *data, size_t size);
	ssize_t (*copy_memory)(struct access_memory *memory, const struct iovec *local,
			       const struct iovec *foreign, size_t n);
	int (*memory_in_use)(const struct access_memory *memory);
	void (*close_memory)(struct access_memory *memory);
	int (*pidfd)(pid_t pid);
	uid_t (*owner)(const char *proc_root, pid_t pid, uid_t uid);
	ssize_t (*hostname)(const char *proc_root, pid_t pid, char *name, size_t size);
	int (*input)(const char *path, int flags);
	int (*output)(enum access_output step, const char *path);
	int (*evidence)(const struct access_evidence *evidence, struct failure *failure);
	ssize_t (*user_name)(uid_t uid, char *name, size_t size);
	int64_t (*user_id)(const char *name);
	void (*usage)(struct access_usage *ret_usage, bool whole);
	int (*follow)(struct process_programs *ret_programs);
	int (*mark_pages)(pid_t pid);
	int (*hold)(const char *proc_root, pid_t pid, uint64_t limit_ns,
		    struct process_stop **ret_stop, struct failure *failure);
	uint64_t (*release)(struct process_stop *stop);
	void (*come_first)(bool first);
	size_t (*quarantined)(struct quarantine_entry *entries, size_t max);
	void (*quarantine)(const struct quarantine_entry *entry);
	uint64_t (*asked)(void); /* NULL: nobody is */
	size_t memory_max;	 /* bytes of one call of read_memory */
	bool one_at_a_time;	 /* several threads only wait for one another */
	bool asks_another; /* what takes no privileges is sooner done by this process itself */
};

/* With the privileges of this process. */
extern const struct access_ops access_direct;

/* access__use - from now on, for the whole process. @ops outlives it. */
void access__use(const struct access_ops *ops);

/*
 * access__open - a descriptor of the file @path, close-on-exec. @flags: O_RDONLY, O_PATH, O_DIRECTORY,
 * O_NONBLOCK. What a symbolic link of /proc leads to is opened only if it is a regular file.
 */
int access__open(const char *path, int flags) __must_check;

/*
 * access__open_below - as access__open(), @path as whoever has directory @root for root sees it: no link
 * leads out of it.
 */
int access__open_below(const char *root, const char *path, int flags) __must_check;

/*
 * access__read - the first @size bytes, ACCESS_READ_MAX at most, of a file whose text the kernel makes
 * up when it is read. Returns how many.
 */
ssize_t access__read(const char *path, void *buffer, size_t size) __must_check;

/*
 * access__read_public - the same of a file that anybody may read, and that tells everybody the same of what matters
 * here; /proc/PID/stat tells only who may trace a process where its code is. Nobody is asked for it where /proc
 * is not kept from this process (hidepid=).
 */
ssize_t access__read_public(const char *path, void *buffer, size_t size) __must_check;

/* access__link - the text of a link, without a NUL. Returns its length, @size at most. */
ssize_t access__link(const char *path, char *text, size_t size) __must_check;

/* access__stat - what is cached of the file that @path leads to (AT_STATX_DONT_SYNC). */
int access__stat(const char *path, unsigned int mask, struct statx *ret_stat) __must_check;

/*
 * access__list - names in directory @path that are numbers (pids, threads, descriptors), in rising order.
 * The caller frees them. Errors: -E2BIG more than PIDS_MAX; -ENOMEM.
 */
int access__list(const char *path, pid_t **ret_numbers, size_t *ret_n) __must_check;

/*
 * access__open_memory - of process @pid. Reading may still not be permitted. -ENOMEM. close takes NULL.
 */
int access__open_memory(pid_t pid, struct access_memory **ret_memory) __must_check;
void access__close_memory(struct access_memory *memory);

/* access__read_memory - as process_vm_readv(2), and access__memory_max() bytes at most. */
ssize_t access__read_memory(struct access_memory *memory, const struct iovec *local, size_t n_local,
			    const struct iovec *foreign, size_t n_foreign) __must_check;
size_t access__memory_max(void);

/* access__scatter - @n bytes that were read at @from, to where they belong: for whoever implements read_memory. */
void access__scatter(const void *from, size_t n, const struct iovec *local, size_t n_local);

/*
 * access__read_in_place - the same, without a copy into a buffer: the bytes, one range behind the
 * other, are at *@ret_data, as long as access__asked() stays what it is then. Only the main thread
 * asks for what is left there. -EOPNOTSUPP.
 */
ssize_t access__read_in_place(struct access_memory *memory, const struct iovec *foreign,
			      size_t n_foreign, const uint8_t **ret_data) __must_check;

/* access__asked - how often another process was asked for something. */
uint64_t access__asked(void);

/* access__is_one_at_a_time - whether it is no use to read memory by several threads. */
bool access__is_one_at_a_time(void);

/*
 * access__share - @size bytes of memory, zeros, that whoever reads for this process writes to as well; once
 * at a time. Errors: -ENOMEM; -EOPNOTSUPP there is none such. unshare takes NULL.
 */
int access__share(size_t size, void **ret_data) __must_check;
void access__unshare(void *data, size_t size);

/*
 * access__copy_memory - as access__read_memory(), range by range, into memory of access__share(), with no
 * further copy on the way. At most ACCESS_COPY_RANGES, of ACCESS_COPY_MAX bytes together.
 */
ssize_t access__copy_memory(struct access_memory *memory, const struct iovec *local,
			    const struct iovec *foreign, size_t n) __must_check;

/*
 * access__memory_in_use - 1: the process still has the address space that was opened; 0: nobody has it
 * any more; -EACCES: the kernel does not tell.
 */
int access__memory_in_use(const struct access_memory *memory) __must_check;

/* access__owner - what owner__of() says. */
uid_t access__owner(const char *proc_root, pid_t pid, uid_t uid);

/*
 * access__hostname - $HOSTNAME of the environment that @pid began with, without a NUL, at most @size
 * bytes. Returns its length. -ENOENT.
 */
ssize_t access__hostname(const char *proc_root, pid_t pid, char *name, size_t size) __must_check;

/* access__pidfd - readable when process @pid ends. */
int access__pidfd(pid_t pid) __must_check;

/*
 * access__input - open a file that the user named, for reading. @flags: O_NONBLOCK, O_NOCTTY, O_NOFOLLOW;
 * the first of them always, as nobody may be writing to a FIFO.
 */
int access__input(const char *path, int flags) __must_check;

/* access__output - one step; the path is the one that the user named. Returns a descriptor, or 0. */
int access__output(enum access_output step, const char *path) __must_check;

/*
 * access__evidence - one step; what is not of it is 0. Errors as those of evidence_store__open() and so on,
 * in words only those of EVIDENCE_OPEN; -EBADF nothing is open.
 */
int access__evidence(const struct access_evidence *evidence, struct failure *failure) __must_check;

/*
 * access__user_name - as the system's databases have it, which may be on other machines, without a NUL, at
 * most @size bytes. Returns its length. -ENOENT.
 */
ssize_t access__user_name(uid_t uid, char *name, size_t size) __must_check;

/* access__user_id - of the user called @name. -ENOENT. */
int64_t access__user_id(const char *name) __must_check;

/* access__usage - zeros where nobody does. Unless @whole only processor time, which is soon told. */
void access__usage(struct access_usage *ret_usage, bool whole);

/* access__follow - what process_programs__load() says; the caller closes them. */
int access__follow(struct process_programs *ret_programs) __must_check;

/* access__mark_pages - the kernel marks, in pagemap, which pages @pid writes from now on (soft-dirty). */
int access__mark_pages(pid_t pid) __must_check;

/*
 * access__come_first - the main thread of this process before everybody else on a processor, or as before
 * (priority.h).
 */
void access__come_first(bool first);

/* access__hold, access__release - what process_stop.h says of its own. */
int access__hold(const char *proc_root, pid_t pid, uint64_t limit_ns,
		 struct process_stop **ret_stop, struct failure *failure) __must_check;
uint64_t access__release(struct process_stop *stop);

/*
 * access__quarantined - processes that are left alone since they held somebody up (host/access_guard.h).
 * Returns how many, @max at most.
 */
size_t access__quarantined(struct quarantine_entry *entries, size_t max);

/* access__quarantine - leave this one alone, as an earlier gleakd did: quarantine__resume(). */
void access__quarantine(const struct quarantine_entry *entry);

#endif /* GLEAKD_HOST_ACCESS_H */
