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

#include "probe/alloc_cost.h"
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

static int load_allocations(struct programs *programs)
{
	struct alloc_bpf *skeleton = alloc_bpf__open();
	int err;

	if (!skeleton)
		return -errno;
	programs->allocations = skeleton;
	programs->ring = skeleton->maps.gl_allocs;
	programs->targets = skeleton->maps.gl_alloc_targets;
	programs->counts = skeleton->maps.gl_alloc_counts;
	for (int event = 0; event < PROBE_EVENT_COUNT; event++)
		programs->programs[event] = skeleton->progs.gl_alloc;
	skeleton->rodata->gl_alloc_wakeup_bytes = programs->ring_bytes / 2;
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

static double direct_hit_ns(struct programs *programs)
{
	return programs->kind == PROGRAMS_ALLOCATIONS ?
		       alloc_cost__measure(programs->programs[0], direct_ring_fd(programs),
					   programs->ring_bytes, programs->uprobe_multi) :
		       0;
}

static int direct_describe(struct programs *programs, size_t slot,
			   const union program_target *target)
{
	const union program_counts none = {.goroutines = {.by_reason = {0}}};
	uint32_t key = (uint32_t)slot;
	int err = bpf_map_update_elem(bpf_map__fd(programs->targets), &key, target, BPF_ANY);

	return err ? err : bpf_map_update_elem(bpf_map__fd(programs->counts), &key, &none, BPF_ANY);
}

static int direct_counts(const struct programs *programs, size_t slot,
			 union program_counts *ret_counts)
{
	uint32_t key = (uint32_t)slot;

	return bpf_map_lookup_elem(bpf_map__fd(programs->counts), &key, ret_counts);
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
	.hit_ns = direct_hit_ns,
	.describe = direct_describe,
	.counts = direct_counts,
	.attach = direct_attach,
};
