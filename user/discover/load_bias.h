/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_DISCOVER_LOAD_BIAS_H
#define GLEAKD_DISCOVER_LOAD_BIAS_H

/* Where a process has its executable in memory. */
#include <sys/types.h>

#include "base/common.h"
#include "base/failure.h"
#include "golang/binary.h"

/*
 * load_bias__read - start address minus link-time address of @binary in process @pid.
 * Errors: as process__exe_mappings(); -ENOEXEC when no mapping fits the ELF header (a packed or
 * self-unpacking program).
 */
int load_bias__read(const char *proc_root, pid_t pid, const struct go_binary *binary,
		    uint64_t *ret_bias, struct failure *failure) __must_check;

#endif /* GLEAKD_DISCOVER_LOAD_BIAS_H */
