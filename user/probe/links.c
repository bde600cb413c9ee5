// SPDX-License-Identifier: Apache-2.0
#include "probe/links.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "probe/kernel.h"

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
	uint64_t offsets[PROGRAM_PLACES_MAX], cookies[PROGRAM_PLACES_MAX];
	struct uprobe_multi_attr attr = {
		.prog_fd = (__u32)prog_fd,
		.attach_type = LINK_UPROBE_MULTI,
		.path = (uintptr_t)target->path,
		.offsets = (uintptr_t)offsets,
		.cookies = (uintptr_t)cookies,
		.count = (__u32)target->n,
		.pid = (__u32)target->pid,
	};
	long fd;

	if (target->n > PROGRAM_PLACES_MAX)
		return -E2BIG;
	for (size_t i = 0; i < target->n; i++) {
		offsets[i] = target->places[i].file_offset;
		cookies[i] = target->places[i].cookie;
	}
	fd = syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	return fd < 0 ? -errno : (int)fd;
}

/* The number by which the kernel knows performance events that are uprobes. */
static int uprobe_pmu(void)
{
	FILE *file __cleanup_fclose = fopen(KERNEL_UPROBE_PMU, "re");
	int type;

	return file && fscanf(file, "%d", &type) == 1 && type >= 0 ? type : -EOPNOTSUPP;
}

/* The link holds the event (kernel/bpf/syscall.c bpf_perf_link_attach), and with it the probe. */
static int attach_perf_event(int prog_fd, const struct probe_link_target *target)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.uprobe_path = (uintptr_t)target->path,
		.probe_offset = target->places->file_offset,
	};
	LIBBPF_OPTS(bpf_link_create_opts, options, .perf_event.bpf_cookie = target->places->cookie);
	int fd, link, type = target->n == 1 ? uprobe_pmu() : -E2BIG;

	if (type < 0)
		return type;
	attr.type = (__u32)type;
	fd = (int)syscall(SYS_perf_event_open, &attr, target->pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	link = bpf_link_create(prog_fd, fd, BPF_PERF_EVENT, &options);
	if (link >= 0 && ioctl(fd, PERF_EVENT_IOC_ENABLE, 0)) {
		int err = -errno;

		close(link);
		link = err;
	}
	close(fd);
	return link;
}

int probe_link__attach(struct probe_link *link, const struct bpf_program *program,
		       const struct probe_link_target *target, bool uprobe_multi)
{
	int prog_fd = bpf_program__fd(program);
	int fd = uprobe_multi ? uprobe_multi_link__create(prog_fd, target) :
				attach_perf_event(prog_fd, target);

	if (fd < 0)
		return fd;
	*link = (struct probe_link){.attached = true, .fd = fd};
	return 0;
}

void probe_link__detach(struct probe_link *link)
{
	if (!link->attached)
		return;
	close(link->fd);
	*link = (struct probe_link){0};
}
