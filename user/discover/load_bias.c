// SPDX-License-Identifier: Apache-2.0
#include "discover/load_bias.h"

#include <errno.h>
#include <string.h>

#include "host/process.h"

#define MAX_EXE_MAPPINGS 32

static int of_place(pid_t pid, const struct runtime_place *place, const struct go_binary *binary,
		    uint64_t *ret_bias, struct failure *failure)
{
	if (!go_binary__bias_of_code(binary, place->mapped.start, place->mapped.file_offset,
				     ret_bias))
		return 0;
	/* Of this process alone: others may have mapped the file as it is meant to be. */
	return failure__set(failure, -EPROTO,
			    "process %d does not map %s the way its ELF header says", pid,
			    place->mapped.path);
}

int load_bias__read(const char *proc_root, pid_t pid, const struct runtime_place *place,
		    const struct go_binary *binary, uint64_t *ret_bias, struct failure *failure)
{
	struct process_mapping mappings[MAX_EXE_MAPPINGS];
	int n;

	if (place)
		return of_place(pid, place, binary, ret_bias, failure);
	n = process__exe_mappings(proc_root, pid, mappings, MAX_EXE_MAPPINGS);
	if (n < 0)
		return failure__set(failure, n, "the memory map of process %d cannot be read: %s",
				    pid, strerror(-n));
	for (int i = 0; i < n; i++) {
		if (!go_binary__load_bias(binary, mappings[i].start, mappings[i].file_offset,
					  ret_bias))
			return 0;
	}
	return failure__set(failure, -ENOEXEC,
			    "process %d does not map its executable the way its ELF header says; "
			    "a packed or self-unpacking program cannot be watched",
			    pid);
}
