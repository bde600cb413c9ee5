/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_TEMP_FILE_H
#define GLEAKD_BASE_TEMP_FILE_H

/*
 * A file is written under another name and then renamed, so that the real one is complete at all
 * times. The temporary name is always the same: the file that a killed gleakd left behind is found
 * and replaced.
 */
#include <sys/types.h>

#include "base/common.h"

#define TEMP_FILE_SUFFIX ".tmp"

/*
 * temp_file__create - create an empty file @path of @mode, as far as the umask allows, and lock it while it is open;
 * replace one that was left behind. No link is followed. -EBUSY: another gleakd is writing it. The caller
 * closes it.
 */
int temp_file__create(const char *path, mode_t mode, int *ret_fd) __must_check;

#endif /* GLEAKD_BASE_TEMP_FILE_H */
