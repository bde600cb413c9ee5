/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_READ_WHOLE_H
#define GLEAKD_BASE_READ_WHOLE_H

#include <sys/types.h>

#include "base/common.h"

/*
 * read_whole - all of @fd, which may be a pipe, into @buffer of @max + 1 bytes. Its length, or
 * @max + 1 when it is longer; -errno of read(2).
 */
ssize_t read_whole(int fd, char *buffer, size_t max) __must_check;

#endif /* GLEAKD_BASE_READ_WHOLE_H */
