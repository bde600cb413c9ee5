/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_DISCOVER_LOAD_BIAS_H
#define GLEAKD_DISCOVER_LOAD_BIAS_H

/* Where a process has its executable, or a library, in memory. */
#include <sys/types.h>

#include "base/common.h"
#include "base/failure.h"
#include "discover/runtimes.h"
#include "golang/binary.h"

/*
 * load_bias__read - start address minus link-time address in process @pid of @binary, its executable, or
 * what it has at @place if that is not NULL. Errors: as process__exe_mappings(); -ENOEXEC when no mapping
 * fits the ELF header (a packed or self-unpacking program), -EPROTO when that at @place does not.
 */
int load_bias__read(const char *proc_root, pid_t pid, const struct runtime_place *place,
		    const struct go_binary *binary, uint64_t *ret_bias,
		    struct failure *failure) __must_check;

#endif /* GLEAKD_DISCOVER_LOAD_BIAS_H */
