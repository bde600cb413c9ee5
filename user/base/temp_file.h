/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_TEMP_FILE_H
#define GLEAKD_BASE_TEMP_FILE_H

/*
 * The file that is written before it takes another one's name, which has to be complete at all times.
 * It always has the same name, so that one which a killed gleakd left is found and replaced.
 */
#include "base/common.h"

#define TEMP_FILE_SUFFIX ".tmp"

/*
 * temp_file__create - an empty file @path, mode 0600, locked while it is open; a leftover gives way.
 * No link is followed. -EBUSY: another gleakd is writing it. The caller closes it.
 */
int temp_file__create(const char *path, int *ret_fd) __must_check;

#endif /* GLEAKD_BASE_TEMP_FILE_H */
