/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_LINKS_H
#define GLEAKD_PROBE_LINKS_H

/*
 * Attaches one BPF program to one instruction of one process, in either of the kernel's two ways:
 * uprobe_multi links (Linux 6.6; cheap to detach, no CAP_SYS_ADMIN) or perf-event uprobes. The
 * older tracefs interface is not used: its probes outlive the process that made them.
 */
#include <sys/types.h>

#include "base/common.h"
#include "probe/programs.h"

struct bpf_program;

/* expected_attach_type of a program for uprobe_multi: BPF_TRACE_UPROBE_MULTI, include/uapi/linux/bpf.h. */
#define LINK_UPROBE_MULTI 48

struct probe_link_target {
	const char *path; /* of the executable */
	pid_t pid;
	const struct program_place *places; /* instructions */
	size_t n;			    /* PROGRAM_PLACES_MAX at most, 1 without uprobe_multi */
};

/* uprobe_multi_link__create - @prog_fd was loaded for LINK_UPROBE_MULTI. Returns a link or -errno. */
int uprobe_multi_link__create(int prog_fd, const struct probe_link_target *target) __must_check;

/* An attached probe; all zero means "not attached". */
struct probe_link {
	bool attached;
	int fd; /* of the link; closing it detaches */
};

/* probe_link__attach - errors: -E2BIG too many places; else the kernel's. */
int probe_link__attach(struct probe_link *link, const struct bpf_program *program,
		       const struct probe_link_target *target, bool uprobe_multi) __must_check;

/* probe_link__detach - the probe is gone from the target when this returns. Harmless when not attached. */
void probe_link__detach(struct probe_link *link);

#endif /* GLEAKD_PROBE_LINKS_H */
