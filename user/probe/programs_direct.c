// SPDX-License-Identifier: Apache-2.0
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.skel.h"
#include "gleakd.skel.h"

#include "base/clock.h"
#include "base/hash.h"
#include "golang/size_classes.h"
#include "probe/alloc_cost.h"
#include "probe/alloc_draws.h"
#include "probe/calibrate.h"
#include "probe/calibration_file.h"
#include "probe/libbpf_text.h"
#include "probe/links.h"
#include "probe/programs.h"

struct programs {
	enum programs_kind kind;
	/* That of the kind. */
	struct gleakd_bpf *goroutines;
	struct alloc_bpf *allocations;
	const struct bpf_program *programs[PROBE_EVENT_COUNT]; /* or the one for all allocations */
	const struct bpf_map *ring, *targets, *counts;
	uint32_t ring_bytes;
	bool uprobe_multi;
	/* Counts of allocations of one slot, on each processor, while they are read or written. */
	struct gl_alloc_counts *per_cpu;
	size_t n_cpus;
};

/* What a hit costs here, before anybody is hit. False: it could not be found out. */
static bool know_costs(const struct kernel_features *features, struct calibration *calibration)
{
	const char *folder = calibration_file__folder();

	if (folder && !calibration_file__read(folder, calibration))
		return true;
	if (calibrate__run(features, calibration))
		return false;
	/* Where it cannot be remembered, the next one measures again. */
	if (folder)
		(void)!calibration_file__write(folder, calibration);
	return true;
}

static int direct_prepare(struct programs_outlook *ret_outlook, struct failure *failure)
{
	struct programs_outlook outlook = {.calibrated = false};
	int err;

	kernel__probe(&outlook.features);
	err = kernel__check(&outlook.features, failure);
	if (err)
		return err;
	outlook.calibrated = know_costs(&outlook.features, &outlook.calibration);
	*ret_outlook = outlook;
	return 0;
}

/* --- loading ------------------------------------------------------------------------------------- */

static bool valid_ring_size(uint32_t bytes)
{
	return bytes >= (uint32_t)sysconf(_SC_PAGESIZE) && !(bytes & (bytes - 1));
}

static int prepare_programs(const struct programs *programs, struct bpf_map *ring,
			    struct bpf_object *object)
{
	int err = bpf_map__set_max_entries(ring, programs->ring_bytes);
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		if (!err && programs->uprobe_multi)
			err = bpf_program__set_expected_attach_type(program, LINK_UPROBE_MULTI);
	}
	return err;
}

/* Wakes the reader when half full: as much room is left before records are lost. */
static int load_goroutines(struct programs *programs)
{
	struct gleakd_bpf *skeleton = gleakd_bpf__open();
	int err;

	if (!skeleton)
		return -errno;
	programs->goroutines = skeleton;
	programs->ring = skeleton->maps.gl_events;
	programs->targets = skeleton->maps.gl_targets;
	programs->counts = skeleton->maps.gl_losses;
	for (int event = 0; event < PROBE_EVENT_COUNT; event++)
		programs->programs[event] = bpf_object__find_program_by_name(
			skeleton->obj, probe_event__info(event)->program);
	skeleton->rodata->gl_wakeup_bytes = programs->ring_bytes / 2;
	err = prepare_programs(programs, skeleton->maps.gl_events, skeleton->obj);
	return err ? err : gleakd_bpf__load(skeleton);
}

static void set_classes(uint8_t by_words[GL_ALLOC_SMALL_WORDS])
{
	uint8_t class = 1;

	for (size_t words = 1; words < GL_ALLOC_SMALL_WORDS; words++) {
		while (go_class_sizes[class] < words * 8)
			class ++;
		by_words[words] = class;
	}
}

static int load_allocations(struct programs *programs)
{
	int err, n_cpus = libbpf_num_possible_cpus();
	struct alloc_bpf *skeleton;

	if (n_cpus <= 0)
		return n_cpus ? n_cpus : -EIO;
	programs->n_cpus = (size_t)n_cpus;
	programs->per_cpu = calloc(programs->n_cpus, sizeof(*programs->per_cpu));
	if (!programs->per_cpu)
		return -ENOMEM;
	skeleton = alloc_bpf__open();
	if (!skeleton)
		return -errno;
	programs->allocations = skeleton;
	programs->ring = skeleton->maps.gl_allocs;
	programs->targets = skeleton->maps.gl_alloc_targets;
	programs->counts = skeleton->maps.gl_alloc_counts;
	for (int event = 0; event < PROBE_EVENT_COUNT; event++)
		programs->programs[event] = skeleton->progs.gl_alloc;
	skeleton->rodata->gl_alloc_wakeup_bytes = programs->ring_bytes / 2;
	alloc_draws__table((uint32_t *)skeleton->rodata->gl_alloc_gaps);
	set_classes((uint8_t *)skeleton->rodata->gl_size_classes);
	err = prepare_programs(programs, skeleton->maps.gl_allocs, skeleton->obj);
	return err ? err : alloc_bpf__load(skeleton);
}

static int load(struct programs *programs, struct failure *failure)
{
	int err;

	libbpf_text__capture();
	err = programs->kind == PROGRAMS_GOROUTINES ? load_goroutines(programs) :
						      load_allocations(programs);
	return libbpf_text__explain(err, programs->ring_bytes, failure);
}

static void direct_unload(struct programs *programs)
{
	gleakd_bpf__destroy(programs->goroutines);
	alloc_bpf__destroy(programs->allocations);
	free(programs->per_cpu);
	free(programs);
}

static int direct_load(enum programs_kind kind, uint32_t ring_bytes,
		       const struct kernel_features *features, struct programs **ret_programs,
		       struct failure *failure)
{
	struct programs *programs;
	int err = kernel__check(features, failure);

	if (err)
		return err;
	if (!valid_ring_size(ring_bytes))
		return failure__set(
			failure, -EINVAL,
			"ring buffer of %u bytes: must be a power of two and at least a "
			"page",
			ring_bytes);
	programs = calloc(1, sizeof(*programs));
	if (!programs)
		return failure__set(failure, -ENOMEM, "out of memory");
	programs->kind = kind;
	programs->ring_bytes = ring_bytes;
	programs->uprobe_multi = features->uprobe_multi;
	err = load(programs, failure);
	if (err) {
		direct_unload(programs);
		return err;
	}
	*ret_programs = programs;
	return 0;
}

/* --- in use -------------------------------------------------------------------------------------- */

static int direct_ring_fd(const struct programs *programs)
{
	return bpf_map__fd(programs->ring);
}

static int direct_counts_fd(const struct programs *programs)
{
	return bpf_map__fd(programs->counts);
}

/* Of allocations to and from programs->per_cpu, else @counts. */
static int write_counts(const struct programs *programs, size_t slot,
			const union program_counts *counts)
{
	const void *value = programs->per_cpu ? (const void *)programs->per_cpu : counts;
	uint32_t key = (uint32_t)slot;

	return bpf_map_update_elem(bpf_map__fd(programs->counts), &key, value, BPF_ANY);
}

static int read_counts(const struct programs *programs, size_t slot, union program_counts *counts)
{
	void *value = programs->per_cpu ? (void *)programs->per_cpu : counts;
	uint32_t key = (uint32_t)slot;

	return bpf_map_lookup_elem(bpf_map__fd(programs->counts), &key, value);
}

static int direct_describe(struct programs *programs, size_t slot,
			   const union program_target *target)
{
	const union program_counts none = {.goroutines = {.by_reason = {0}}};
	uint32_t key = (uint32_t)slot;
	int err = bpf_map_update_elem(bpf_map__fd(programs->targets), &key, target, BPF_ANY);

	for (size_t i = 0; i < programs->n_cpus; i++)
		programs->per_cpu[i] = none.allocations;
	return err ? err : write_counts(programs, slot, &none);
}

static int direct_counts(const struct programs *programs, size_t slot,
			 union program_counts *ret_counts)
{
	union program_counts counts = {.goroutines = {.by_reason = {0}}};
	int err = read_counts(programs, slot, &counts);

	if (err)
		return err;
	for (size_t i = 0; i < programs->n_cpus; i++) {
		counts.allocations.hits += programs->per_cpu[i].hits;
		counts.allocations.amount += programs->per_cpu[i].amount;
		counts.allocations.lost += programs->per_cpu[i].lost;
		counts.allocations.skipped += programs->per_cpu[i].skipped;
		counts.allocations.gap = max_of(counts.allocations.gap, programs->per_cpu[i].gap);
	}
	*ret_counts = counts;
	return 0;
}

/* Each processor begins somewhere else: AT_RANDOM and the clock say where. */
static int direct_draw(struct programs *programs, size_t slot, uint64_t gap)
{
	int err = programs->per_cpu && gap <= GL_ALLOC_MAX_GAP ? read_counts(programs, slot, NULL) :
								 -EINVAL;

	if (err)
		return err;
	for (size_t i = 0; i < programs->n_cpus; i++) {
		const uint64_t moment[] = {clock__monotonic_ns(), i};

		programs->per_cpu[i].gap = gap;
		programs->per_cpu[i].left =
			alloc_draws__first(gap, hash__keyed(moment, sizeof(moment)));
	}
	return write_counts(programs, slot, NULL);
}

/* Slot 0 is nobody's yet. The first gap is longer than all hits that are measured. */
static int direct_hit_cost(struct programs *programs, struct alloc_cost *ret_cost)
{
	struct alloc_trial trial = {.ring_bytes = programs->ring_bytes,
				    .uprobe_multi = programs->uprobe_multi};
	struct alloc_cost cost;
	int err;

	if (!programs->per_cpu)
		return -EINVAL;
	for (size_t i = 0; i < programs->n_cpus; i++)
		programs->per_cpu[i] = (struct gl_alloc_counts){.gap = 1, .left = INT64_MAX};
	trial.program = programs->programs[0];
	trial.ring_fd = direct_ring_fd(programs);
	err = write_counts(programs, 0, NULL);
	if (!err)
		err = alloc_cost__measure(&trial, &cost.hit_ns);
	if (!err)
		err = direct_draw(programs, 0, 0);
	if (!err)
		err = alloc_cost__measure(&trial, &cost.record_ns);
	if (err)
		return err;
	if (cost.record_ns <= cost.hit_ns)
		return -ENODATA;
	cost.record_ns -= cost.hit_ns;
	*ret_cost = cost;
	return 0;
}

static int direct_attach(struct programs *programs, const struct program_site *site,
			 const struct program_place *places, size_t n)
{
	struct probe_link link = {.fd = -1};
	char path[64];
	const struct probe_link_target target = {
		.path = path,
		.pid = site->pid,
		.places = places,
		.n = n,
	};
	int err;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", site->exe_fd);
	err = probe_link__attach(&link, programs->programs[site->event], &target,
				 programs->uprobe_multi);
	return err ? err : link.fd;
}

const struct programs_ops programs_direct = {
	.prepare = direct_prepare,
	.load = direct_load,
	.unload = direct_unload,
	.ring_fd = direct_ring_fd,
	.counts_fd = direct_counts_fd,
	.hit_cost = direct_hit_cost,
	.describe = direct_describe,
	.counts = direct_counts,
	.draw = direct_draw,
	.attach = direct_attach,
};
