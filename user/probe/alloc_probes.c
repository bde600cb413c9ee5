// SPDX-License-Identifier: Apache-2.0
#include "probe/alloc_probes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where it cannot be measured. */
static const struct alloc_cost usual_cost = {.hit_ns = 700, .record_ns = 1500};

struct alloc_probes {
	struct programs *programs;
	bool uprobe_multi;
};

int alloc_probes__new(enum programs_kind kind, const struct kernel_features *features,
		      uint32_t ring_bytes, struct alloc_probes **ret_probes,
		      struct failure *failure)
{
	struct alloc_probes *probes = calloc(1, sizeof(*probes));
	int err;

	if (!probes)
		return failure__set(failure, -ENOMEM, "out of memory");
	probes->uprobe_multi = features->uprobe_multi;
	err = programs__load(kind, ring_bytes, features, &probes->programs, failure);
	if (err) {
		alloc_probes__free(probes);
		return err;
	}
	*ret_probes = probes;
	return 0;
}

void alloc_probes__free(struct alloc_probes *probes)
{
	if (!probes)
		return;
	programs__unload(probes->programs);
	free(probes);
}

int alloc_probes__ring_fd(const struct alloc_probes *probes)
{
	return programs__ring_fd(probes->programs);
}

int alloc_probes__describe(struct alloc_probes *probes, size_t slot, const struct go_layout *layout,
			   pid_t pid, const struct alloc_recording *recording,
			   struct failure *failure)
{
	union program_target target;
	int err;

	if (!gl_alloc_target__describe(layout, pid, recording, &target.allocations))
		return failure__set(
			failure, -EINVAL,
			"the probes cannot read the goroutines of Go 1.%d: its runtime.g "
			"is laid out in a way they do not know",
			layout->minor);
	err = programs__describe(probes->programs, slot, &target);
	return err ? failure__set(failure, err, "cannot write the BPF maps: %s", strerror(-err)) :
		     0;
}

static int explain(const struct alloc_probes *probes, pid_t pid, int err, struct failure *failure)
{
	switch (err) {
	case -ENOENT:
	case -ESRCH:
		return failure__set(failure, -ESRCH, "process %d is gone", pid);
	case -EPERM:
	case -EACCES:
		return failure__set(
			failure, -EPERM,
			"not allowed to probe process %d: needs CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE%s",
			pid,
			probes->uprobe_multi ?
				"" :
				", and on this kernel CAP_SYS_ADMIN (its uprobes are perf events)");
	default:
		return failure__set(failure, err, "cannot probe the allocator of process %d: %s",
				    pid, strerror(-err));
	}
}

int alloc_probes__attach(struct alloc_probes *probes, size_t slot, const struct alloc_plan *plan,
			 pid_t pid, int exe_fd, struct alloc_links *links, struct failure *failure)
{
	const struct program_site site = {.pid = pid, .exe_fd = exe_fd};
	struct program_place places[ALLOC_PLAN_MAX_SITES];
	size_t at_once = probes->uprobe_multi ? plan->n : 1;
	int fd = 0;

	for (size_t i = 0; i < plan->n; i++)
		places[i] = (struct program_place){
			.file_offset = plan->sites[i].site.file_offset,
			.cookie =
				GL_ALLOC_COOKIE(slot, plan->sites[i].kind,
						plan->sites[i].site.guard, plan->sites[i].min_size),
		};
	links->n = 0;
	for (size_t i = 0; i < plan->n && fd >= 0; i += at_once) {
		fd = programs__attach(probes->programs, &site, &places[i], at_once);
		if (fd >= 0)
			links->links[links->n++] = (struct probe_link){.attached = true, .fd = fd};
	}
	if (fd >= 0)
		return 0;
	alloc_links__detach(links);
	return explain(probes, pid, fd, failure);
}

void alloc_links__detach(struct alloc_links *links)
{
	for (size_t i = 0; i < links->n; i++)
		probe_link__detach(&links->links[i]);
	links->n = 0;
}

int alloc_probes__counts(const struct alloc_probes *probes, size_t slot,
			 struct gl_alloc_counts *ret_counts)
{
	union program_counts counts;
	int err = programs__counts(probes->programs, slot, &counts);

	if (!err)
		*ret_counts = counts.allocations;
	return err;
}

int alloc_probes__draw(struct alloc_probes *probes, size_t slot, uint64_t gap)
{
	return programs__draw(probes->programs, slot, gap);
}

struct alloc_cost alloc_probes__cost(struct alloc_probes *probes)
{
	struct alloc_cost cost;

	return programs__hit_cost(probes->programs, &cost) ? usual_cost : cost;
}
