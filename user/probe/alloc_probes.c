// SPDX-License-Identifier: Apache-2.0
#include "probe/alloc_probes.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.skel.h"

#include "base/clock.h"
#include "probe/libbpf_text.h"
#include "probe/own_text.h"
#include "probe/slots.h"
#include "probe/trials.h"

struct alloc_probes {
	struct alloc_bpf *skeleton;
	bool uprobe_multi;
};

static int configure(struct alloc_probes *probes, uint32_t ring_bytes)
{
	struct alloc_bpf *skeleton = probes->skeleton;
	int err = bpf_map__set_max_entries(skeleton->maps.gl_allocs, ring_bytes);

	/* Wakes the reader when half full: as much room is left before records are lost. */
	skeleton->rodata->gl_alloc_wakeup_bytes = ring_bytes / 2;
	if (!err && probes->uprobe_multi)
		err = bpf_program__set_expected_attach_type(skeleton->progs.gl_alloc,
							    LINK_UPROBE_MULTI);
	return err;
}

static int load(struct alloc_probes *probes, uint32_t ring_bytes, struct failure *failure)
{
	int err;

	probes->skeleton = alloc_bpf__open();
	if (!probes->skeleton)
		return failure__set(failure, -errno, "cannot open the built-in BPF programs: %s",
				    libbpf_text__get());
	err = configure(probes, ring_bytes);
	if (!err)
		err = alloc_bpf__load(probes->skeleton);
	return libbpf_text__explain(err, ring_bytes, failure);
}

int alloc_probes__new(const struct kernel_features *features, uint32_t ring_bytes,
		      struct alloc_probes **ret_probes, struct failure *failure)
{
	struct alloc_probes *probes;
	int err = kernel__check(features, failure);

	if (err)
		return err;
	probes = calloc(1, sizeof(*probes));
	if (!probes)
		return failure__set(failure, -ENOMEM, "out of memory");
	probes->uprobe_multi = features->uprobe_multi;
	libbpf_text__capture();
	err = load(probes, ring_bytes, failure);
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
	alloc_bpf__destroy(probes->skeleton);
	free(probes);
}

int alloc_probes__ring_fd(const struct alloc_probes *probes)
{
	return bpf_map__fd(probes->skeleton->maps.gl_allocs);
}

int alloc_probes__describe(struct alloc_probes *probes, size_t slot, const struct go_layout *layout,
			   pid_t pid, struct failure *failure)
{
	const struct gl_alloc_counts none = {0};
	struct gl_alloc_target target;
	uint32_t key = (uint32_t)slot;
	int err;

	if (!gl_alloc_target__describe(layout, pid, &target))
		return failure__set(
			failure, -EINVAL,
			"the probes cannot read the goroutines of Go 1.%d: its runtime.g "
			"is laid out in a way they do not know",
			layout->minor);
	err = bpf_map_update_elem(bpf_map__fd(probes->skeleton->maps.gl_alloc_targets), &key,
				  &target, BPF_ANY);
	if (!err)
		err = bpf_map_update_elem(bpf_map__fd(probes->skeleton->maps.gl_alloc_counts), &key,
					  &none, BPF_ANY);
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
			 pid_t pid, const char *path, struct alloc_links *links,
			 struct failure *failure)
{
	struct probe_link_target targets[ALLOC_PLAN_MAX_SITES];
	const struct bpf_program *program = probes->skeleton->progs.gl_alloc;
	int err = 0;

	for (size_t i = 0; i < plan->n; i++)
		targets[i] = (struct probe_link_target){
			.path = path,
			.file_offset = plan->sites[i].site.file_offset,
			.cookie =
				GL_ALLOC_COOKIE(slot, plan->sites[i].kind,
						plan->sites[i].site.guard, plan->sites[i].min_size),
			.pid = pid,
		};
	links->n = 0;
	if (probes->uprobe_multi) {
		err = uprobe_multi_link__create(bpf_program__fd(program), targets, plan->n);
		if (err >= 0) {
			links->links[0] = (struct probe_link){.attached = true, .fd = err};
			links->n = 1;
			return 0;
		}
	}
	for (size_t i = 0; i < plan->n && !err; i++) {
		err = probe_link__attach(&links->links[i], program, &targets[i], false);
		links->n = i + 1;
	}
	if (err)
		alloc_links__detach(links);
	return err ? explain(probes, pid, err, failure) : 0;
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
	uint32_t key = (uint32_t)slot;

	return bpf_map_lookup_elem(bpf_map__fd(probes->skeleton->maps.gl_alloc_counts), &key,
				   ret_counts);
}

/* --- what a hit costs ---------------------------------------------------------------------------- */

#define RUNS	 7
#define HITS	 500
#define USUAL_NS 1500

static bool ignore_record(void *ctx, const void *data, size_t size)
{
	(void)ctx;
	(void)data;
	(void)size;
	return true;
}

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static uint64_t median_time(const struct trial *trial, struct bpf_ring *ring)
{
	/* It stands for a g, and its address for the size of an object. */
	static const uint64_t g[GL_WINDOW_WORDS];
	uint64_t times[RUNS];

	for (size_t i = 0; i < RUNS; i++) {
		uint64_t begin = clock__thread_cpu_ns();

		trial->run(g, HITS);
		times[i] = clock__thread_cpu_ns() - begin;
		bpf_ring__consume(ring, ignore_record, NULL);
	}
	qsort(times, RUNS, sizeof(times[0]), compare);
	return times[RUNS / 2];
}

static int measure(struct alloc_probes *probes, struct bpf_ring *ring, double *ret_ns)
{
	const struct trial trial = trial__get(CALIBRATION_JUMP);
	const struct probe_link_target target = {
		.path = "/proc/self/exe",
		.file_offset = own_text__file_offset(trial.address),
		.cookie = GL_ALLOC_COOKIE(0, GL_ALLOC_CALL, GL_GUARD_NONE, 0),
		.pid = getpid(),
	};
	struct probe_link link = {0};
	uint64_t bare_ns = median_time(&trial, ring), probed_ns;
	int err = probe_link__attach(&link, probes->skeleton->progs.gl_alloc, &target,
				     probes->uprobe_multi);

	if (err)
		return err;
	probed_ns = median_time(&trial, ring);
	probe_link__detach(&link);
	bpf_ring__consume(ring, ignore_record, NULL);
	*ret_ns = (double)(probed_ns - min_of(bare_ns, probed_ns)) / HITS;
	return 0;
}

double alloc_probes__hit_ns(struct alloc_probes *probes, struct bpf_ring *ring)
{
	double ns;

	return measure(probes, ring, &ns) || ns <= 0 ? USUAL_NS : ns;
}
