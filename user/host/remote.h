/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_REMOTE_H
#define GLEAKD_HOST_REMOTE_H

/*
 * Memory of another process, read-only. Two backends behind one interface: a live process
 * (process_vm_readv(2)), and byte ranges held in memory, which are copies or made up by tests and
 * fuzz targets. Reading never stops the target and never writes to it; two reads are not consistent
 * with each other.
 */
#include <sys/types.h>

#include "base/common.h"
#include "base/failure.h"

struct remote;

/* One range of a scattered read. @result is 0, or -EFAULT when any byte was unreadable. */
struct remote_span {
	uint64_t address;
	void *buffer;
	uint32_t size;
	int32_t result;
};

/* A stretch of known memory for remote__open_image(). */
struct remote_range {
	uint64_t address;
	const void *data;
	size_t size;
};

/*
 * remote__open_process - read from @pid. Verifies at once that reading is permitted.
 * Errors: -ESRCH gone, -EPERM (the failure names the missing capability), -ENOMEM.
 */
int remote__open_process(pid_t pid, struct remote **ret_remote,
			 struct failure *failure) __must_check;

/* remote__open_image - read from @n_ranges ranges, which must outlive the result. */
int remote__open_image(const struct remote_range *ranges, size_t n_ranges,
		       struct remote **ret_remote) __must_check;

void remote__free(struct remote *remote);

enum remote_memory {
	REMOTE_MEMORY_SAME,
	REMOTE_MEMORY_GONE,    /* the process has ended, or executes another program */
	REMOTE_MEMORY_UNKNOWN, /* the kernel did not tell */
};

/*
 * remote__memory - whether the process still has the address space that was opened. Each execve(2)
 * gives it a new one, even when it executes the same file again; nothing else that a program does
 * to its memory makes it another.
 */
enum remote_memory remote__memory(const struct remote *remote);

/*
 * remote__replace_image - from now on remote__memory() says of this image that its memory is gone;
 * reading it goes on working.
 */
void remote__replace_image(struct remote *remote);

/* remote__read - all of @size bytes or an error: -EFAULT unmapped, -ESRCH process gone. */
int remote__read(struct remote *remote, uint64_t address, void *buffer, size_t size) __must_check;

/* remote__read_u64 - one little-endian word. */
int remote__read_u64(struct remote *remote, uint64_t address, uint64_t *ret_value) __must_check;

/*
 * remote__read_spans - read many ranges with as few system calls as the kernel allows (IOV_MAX
 * ranges a call). Sets the result of every span; an unreadable one does not keep those behind it
 * from being read. Returns 0 when the process could be asked at all, else -ESRCH or -EPERM.
 */
int remote__read_spans(struct remote *remote, struct remote_span *spans,
		       size_t n_spans) __must_check;

/*
 * remote__read_spans_in_place - as remote__read_spans(), and where another process reads for this
 * one nothing is copied to here: the buffers are then others than they were, in memory that stays
 * as it is for as long as access__asked() (host/access.h) does. So a buffer that was planned for
 * need not be touched.
 */
int remote__read_spans_in_place(struct remote *remote, struct remote_span *spans,
				size_t n_spans) __must_check;

/*
 * remote__copy_spans - the same for a few large ones, at most ACCESS_COPY_MAX bytes each, whose buffers are in
 * memory of access__share() (host/access.h).
 */
int remote__copy_spans(struct remote *remote, struct remote_span *spans,
		       size_t n_spans) __must_check;

/* remote__bytes_read / remote__calls - totals since opening, for self-metrics. */
uint64_t remote__bytes_read(const struct remote *remote);
uint64_t remote__calls(const struct remote *remote);

#endif /* GLEAKD_HOST_REMOTE_H */
