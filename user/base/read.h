/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_READ_H
#define GLEAKD_BASE_READ_H

#include <sys/types.h>

#include "base/common.h"

/*
 * read__whole - read @fd, which may be a pipe, until its end or until @size bytes. Returns how
 * many, or -errno of read(2). To find out whether a file is longer than a maximum, ask for one byte
 * more.
 */
ssize_t read__whole(int fd, void *buffer, size_t size) __must_check;

/*
 * read__within - read__whole() of a file that was opened with O_NONBLOCK, which may be a FIFO that nobody
 * writes to: -ETIMEDOUT if it has not come to its end after @limit_ns.
 */
ssize_t read__within(int fd, void *buffer, size_t size, uint64_t limit_ns) __must_check;

/* read__at - the same from @offset of a file; 0 for an offset that no file can have. */
ssize_t read__at(int fd, uint64_t offset, void *buffer, size_t size) __must_check;

#endif /* GLEAKD_BASE_READ_H */
