/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_PROCESS_PROGRAMS_H
#define GLEAKD_HOST_PROCESS_PROGRAMS_H

/* The BPF programs that tell of processes: the part of process_events.h that takes privileges. */
#include "base/common.h"

enum process_program_fd {
	PROCESS_PROGRAM_RING,
	PROCESS_PROGRAM_COUNTERS, /* mapped: how many records were lost */
	PROCESS_PROGRAM_EXEC,	  /* the links */
	PROCESS_PROGRAM_EXIT,
	PROCESS_PROGRAM_FDS,
};

/* When all are closed, the programs are gone. */
struct process_programs {
	int fds[PROCESS_PROGRAM_FDS];
};

#define PROCESS_PROGRAMS_NONE            \
	(struct process_programs)        \
	{                                \
		.fds = {-1, -1, -1, -1}, \
	}

/* process_programs__load - and attach. -ENOENT no BTF, or what the kernel said. */
int process_programs__load(struct process_programs *ret_programs) __must_check;
void process_programs__close(struct process_programs *programs);

#endif /* GLEAKD_HOST_PROCESS_PROGRAMS_H */
