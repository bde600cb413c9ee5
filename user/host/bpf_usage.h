/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_BPF_USAGE_H
#define GLEAKD_HOST_BPF_USAGE_H

/* gleakd's open descriptors, and the kernel memory that its BPF objects use. */
#include "base/common.h"

#define BPF_USAGE_MAX_FDS (1u << 20)

struct bpf_usage {
	uint64_t bytes; /* of maps and programs, as the kernel accounts for them */
	uint64_t links;
	uint64_t fds; /* of any kind */
};

/*
 * bpf_usage__read - @proc_root/self/fd and fdinfo, without descriptor @except (-1: none). What cannot be
 * read counts as nothing.
 */
struct bpf_usage bpf_usage__read(const char *proc_root, int except);

#endif /* GLEAKD_HOST_BPF_USAGE_H */
