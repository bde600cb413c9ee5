// SPDX-License-Identifier: Apache-2.0
#include "probe/links.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The head of union bpf_attr for BPF_LINK_CREATE with BPF_TRACE_UPROBE_MULTI
 * (include/uapi/linux/bpf.h, Linux 6.6). Repeated here because distributions whose kernel has it
 * ship older headers and an older libbpf.
 */
struct uprobe_multi_attr {
	__u32 prog_fd;
	__u32 target_fd;
	__u32 attach_type;
	__u32 link_flags;
	__aligned_u64 path;
	__aligned_u64 offsets;
	__aligned_u64 ref_ctr_offsets;
	__aligned_u64 cookies;
	__u32 count;
	__u32 flags;
	__u32 pid;
	__u32 padding;
};

_Static_assert(offsetof(struct uprobe_multi_attr, path) == 16, "kernel ABI");
_Static_assert(offsetof(struct uprobe_multi_attr, cookies) == 40, "kernel ABI");
_Static_assert(offsetof(struct uprobe_multi_attr, pid) == 56, "kernel ABI");
_Static_assert(sizeof(struct uprobe_multi_attr) == 64, "kernel ABI");

int uprobe_multi_link__create(int prog_fd, const struct probe_link_target *target)
{
	struct uprobe_multi_attr attr = {
		.prog_fd = (__u32)prog_fd,
		.attach_type = LINK_UPROBE_MULTI,
		.path = (uintptr_t)target->path,
		.offsets = (uintptr_t)&target->file_offset,
		.cookies = (uintptr_t)&target->cookie,
		.count = 1,
		.pid = (__u32)target->pid,
	};
	long fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));

	return fd < 0 ? -errno : (int)fd;
}

static int attach_perf_event(struct probe_link *link, const struct bpf_program *program,
			     const struct probe_link_target *target)
{
	LIBBPF_OPTS(bpf_uprobe_opts, options, .bpf_cookie = target->cookie);
	struct bpf_link *bpf;

	bpf = bpf_program__attach_uprobe_opts(program, target->pid, target->path,
					      target->file_offset, &options);
	if (!bpf)
		return -errno;
	link->bpf = bpf;
	return 0;
}

int probe_link__attach(struct probe_link *link, const struct bpf_program *program,
		       const struct probe_link_target *target, bool uprobe_multi)
{
	int err;

	if (uprobe_multi) {
		err = uprobe_multi_link__create(bpf_program__fd(program), target);
		if (err >= 0)
			link->fd = err;
	} else {
		err = attach_perf_event(link, program, target);
	}
	if (err < 0)
		return err;
	link->attached = true;
	return 0;
}

void probe_link__detach(struct probe_link *link)
{
	if (!link->attached)
		return;
	if (link->bpf)
		bpf_link__destroy(link->bpf);
	else
		close(link->fd);
	*link = (struct probe_link){0};
}
