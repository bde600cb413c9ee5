// SPDX-License-Identifier: Apache-2.0
#include "probe/kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "host/capability.h"
#include "probe/links.h"

#define BTF_PATH "/sys/kernel/btf/vmlinux"

/* A program that does nothing, for links of uprobe_multi; -errno when the kernel has none. */
static int load_empty_program(void)
{
	const struct bpf_insn instructions[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = LINK_UPROBE_MULTI);

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, "gl_empty", "Dual BSD/GPL", instructions,
			     ARRAY_SIZE(instructions), &options);
}

static int refused_link(int prog_fd, pid_t pid)
{
	const struct program_place place = {0};
	const struct probe_link_target target = {.path = "/", .pid = pid, .places = &place, .n = 1};
	int fd = uprobe_multi_link__create(prog_fd, &target);

	if (fd >= 0)
		close(fd);
	return fd;
}

/*
 * Kernels that filtered uprobe_multi links by thread instead of by process do not look at the pid
 * before the path; those that were fixed do (Linux 6.10 and stable releases, commit 46ba0e49b642).
 * A directory can never be probed, so neither attempt leaves anything behind.
 */
static bool probe_uprobe_multi(int prog_fd)
{
	return refused_link(prog_fd, 0) == -EBADF && refused_link(prog_fd, -1) == -EINVAL;
}

void kernel__probe(struct kernel_features *ret_features)
{
	struct kernel_features features = {0};
	__cleanup_close int prog_fd = -1;

	features.btf = access(BTF_PATH, R_OK) == 0;
	features.ring_buffer = libbpf_probe_bpf_map_type(BPF_MAP_TYPE_RINGBUF, NULL) == 1;
	features.attach_cookie = libbpf_probe_bpf_helper(BPF_PROG_TYPE_KPROBE,
							 BPF_FUNC_get_attach_cookie, NULL) == 1;
	features.uprobe_pmu = access(KERNEL_UPROBE_PMU, R_OK) == 0;
	prog_fd = load_empty_program();
	features.uprobe_multi = prog_fd >= 0 && probe_uprobe_multi(prog_fd);
	*ret_features = features;
}

/* CAP_SYS_ADMIN includes the newer, narrower capabilities (include/linux/capability.h). */
static int check_capabilities(const struct kernel_features *features, struct failure *failure)
{
	const int wanted[] = {CAP_BPF, CAP_PERFMON};
	char missing[64];

	if (capability__has(CAP_SYS_ADMIN))
		return 0;
	if (capability__missing(wanted, ARRAY_SIZE(wanted), missing, sizeof(missing)))
		return failure__set(
			failure, -EPERM,
			"loading probes needs %s, which this process does not have; %s, or "
			"watch without probes (--mode census)",
			missing, capability__advice());
	if (!features->uprobe_multi)
		return failure__set(
			failure, -EPERM,
			"this kernel has no usable uprobe_multi links (Linux 6.10), and "
			"its older uprobes need CAP_SYS_ADMIN; %s, or watch without "
			"probes (--mode census)",
			capability__advice());
	return 0;
}

int kernel__check(const struct kernel_features *features, struct failure *failure)
{
	int err = check_capabilities(features, failure);

	if (err)
		return err;
	if (!features->btf)
		return failure__set(failure, -EOPNOTSUPP,
				    "cannot read " BTF_PATH ": the kernel was built without "
				    "CONFIG_DEBUG_INFO_BTF, or /sys is not mounted here; use "
				    "another kernel or mount it, or watch without probes "
				    "(--mode census)");
	if (!features->ring_buffer)
		return failure__set(failure, -EOPNOTSUPP,
				    "this kernel has no BPF ring buffer (Linux 5.8, "
				    "CONFIG_BPF_SYSCALL): use a newer one, or watch without probes "
				    "(--mode census)");
	if (!features->attach_cookie)
		return failure__set(failure, -EOPNOTSUPP,
				    "this kernel has no attach cookies for uprobes (Linux 5.15, "
				    "CONFIG_BPF_EVENTS): use a newer one, or watch without probes "
				    "(--mode census)");
	if (!features->uprobe_multi && !features->uprobe_pmu)
		return failure__set(
			failure, -EOPNOTSUPP,
			"this kernel has no uprobes: " KERNEL_UPROBE_PMU " is missing; the kernel "
			"was built without CONFIG_UPROBE_EVENTS, or /sys is not mounted "
			"here; use another kernel or mount it, or watch without probes "
			"(--mode census)");
	return 0;
}
