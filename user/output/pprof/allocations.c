// SPDX-License-Identifier: Apache-2.0
#include "output/pprof/allocations.h"

#include <errno.h>
#include <stdlib.h>

/* As the runtime's own has them (src/runtime/pprof/protomem.go writeHeapProto). */
static const struct pprof_kind kinds[] = {
	{"alloc_objects", "count"},
	{"alloc_space", "bytes"},
	{"inuse_objects", "count"},
	{"inuse_space", "bytes"},
};
#define KINDS_OF_ALLOCATED 2

static int64_t value_of(uint64_t n)
{
	return (int64_t)min_of(n, (uint64_t)INT64_MAX);
}

static int add_site(struct pprof *profile, const struct report_alloc_site *site)
{
	const int64_t values[] = {
		value_of(site->alloc_objects),
		value_of(site->alloc_bytes),
		value_of(site->in_use_objects),
		value_of(site->in_use_bytes),
	};
	bool judged = site->judgement.verdict != ALLOC_NOT_JUDGED;
	const struct report_frame *stack = site->n_stack ? site->stack : &site->allocated_at;
	size_t n = site->n_stack ? site->n_stack : 1, n_labels = 1;
	struct pprof_frame *frames = calloc(n, sizeof(*frames));
	struct pprof_label labels[3] = {{.key = "site", .text = site->id}};
	int err;

	if (!frames)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		frames[i].frame = stack[i];
	if (*report__text(site->type))
		labels[n_labels++] = (struct pprof_label){.key = "type", .text = site->type};
	if (judged)
		labels[n_labels++] = (struct pprof_label){
			.key = "verdict", .text = alloc_verdict__name(site->judgement.verdict)};
	err = pprof__add(profile, values, frames, n, labels, n_labels);
	free(frames);
	return err;
}

int allocations_profile__make(const struct report_target *target, uint64_t realtime_ns,
			      struct pprof **ret_profile, struct failure *failure)
{
	const struct report_allocations *allocations = target->allocations;
	bool in_use = allocations && allocations->in_use_known;
	const struct pprof_options options = {
		.kinds = kinds,
		.n_kinds = in_use ? ARRAY_SIZE(kinds) : KINDS_OF_ALLOCATED,
		.shown = in_use ? "inuse_space" : "alloc_space",
		.period_kind = {"space", "bytes"},
		.period = allocations ? value_of(allocations->rate) : 0,
		.time_ns = realtime_ns,
		.binary = target->exe,
		.build_id = report__text(target->build_id),
	};
	struct pprof *profile;
	int err;

	if (!allocations || !allocations->n_sites)
		return failure__set(
			failure, -ENODATA,
			"where process %d allocates is not in it%s%s; gleakd heap PROCESS "
			"--json tells it of a process that runs",
			target->pid, allocations && *report__text(allocations->missing) ? ": " : "",
			allocations ? report__text(allocations->missing) : "");
	err = pprof__new(&options, &profile);
	if (err)
		return err;
	for (size_t i = 0; i < allocations->n_sites && !err; i++)
		err = add_site(profile, &allocations->sites[i]);
	if (err)
		pprof__free(profile);
	else
		*ret_profile = profile;
	return err;
}
