// SPDX-License-Identifier: Apache-2.0
#include "report/heap_profile.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/alloc_groups.h"
#include "session/allocs/target_allocs.h"
#include "session/heap/target_view.h"

#define MAX_INLINE    32
#define TYPE_NAME_MAX 512

/* src/runtime/pprof/protomem.go writeHeapProto: the same, in the same order. */
static const struct pprof_kind kinds[] = {
	{"alloc_objects", "count"},
	{"alloc_space", "bytes"},
	{"inuse_objects", "count"},
	{"inuse_space", "bytes"},
};

struct stack {
	struct pprof_frame frames[PROFILE_MAX_STACK];
	size_t n;
};

static bool begins_with(const char *text, const char *beginning)
{
	return !strncmp(text, beginning, strlen(beginning));
}

static bool is_of_runtime(const char *function)
{
	return begins_with(function, "runtime.") || begins_with(function, "internal/runtime/");
}

/*
 * An inlined call has a pc of its own in the stack, which follows that of the call it is inlined into
 * (src/runtime/traceback.go tracebackPCs), so each stands for its innermost call alone. Wrappers are
 * in no traceback.
 */
static void add_call(struct target *target, struct stack *stack, uint64_t pc)
{
	struct frame call;

	(void)symbolizer__frames(target__symbolizer(target), pc, true, &call, 1);
	if (call.wrapper) {
		if (stack->n)
			stack->frames[stack->n - 1].frame.inlined = false;
		return;
	}
	stack->frames[stack->n++] = (struct pprof_frame){
		.frame = {.function = call.function,
			  .file = call.file,
			  .line = call.line,
			  .inlined = call.inlined,
			  .module = call.module},
		.address = module_pc__address(pc) - 1,
	};
}

/*
 * The runtime's own calls at the inner end say nothing, unless there are no others; where a goroutine
 * begins says nothing either (src/runtime/pprof/protomem.go, proto.go).
 */
static const struct pprof_frame *trim(const struct stack *stack, size_t *ret_n)
{
	size_t begin = 0, end = stack->n;

	while (begin < end && is_of_runtime(stack->frames[begin].frame.function))
		begin++;
	if (begin == end)
		begin = 0;
	if (end > begin + 1 && !strcmp(stack->frames[end - 1].frame.function, "runtime.goexit"))
		end--;
	*ret_n = end - begin;
	return &stack->frames[begin];
}

static int64_t scaled(uint64_t n, double scale)
{
	double value = (double)n * scale;

	return value < (double)INT64_MAX ? (int64_t)value : INT64_MAX;
}

/* @type: NULL or "", it is not known. */
static int add_sample(struct pprof *profile, const int64_t *values, const struct stack *stack,
		      uint64_t bytes, const char *type)
{
	const struct pprof_label labels[] = {
		{.key = "bytes", .number = (int64_t)bytes},
		{.key = "type", .text = type},
	};
	const struct pprof_frame *frames;
	size_t n;

	frames = trim(stack, &n);
	return pprof__add(profile, values, frames, n, labels, type && *type ? 2 : 1);
}

/* --- the runtime's samples ----------------------------------------------------------------------- */

/* What the allocator was told, once the types of the heap have been read. */
static void name_type(struct target *target, const struct heap_samples *samples,
		      const struct heap_sample_bucket *bucket, char text[TYPE_NAME_MAX])
{
	struct heap_paths *paths = target_view__paths(target);
	struct heap_allocation what;

	text[0] = '\0';
	if (!paths || !bucket->n_pcs)
		return;
	what = heap_allocated__of(heap_paths__allocated(paths),
				  heap_samples__stack(samples, bucket), bucket->n_pcs,
				  bucket->size);
	heap_allocated__name(heap_paths__allocated(paths), &what, text, TYPE_NAME_MAX);
}

static int add_bucket(struct target *target, const struct heap_samples *samples,
		      const struct heap_sample_bucket *bucket, struct stack *stack,
		      struct pprof *profile)
{
	double scale = heap_sample__scale(bucket->size, heap_samples__totals(samples)->rate);
	const int64_t values[] = {
		scaled(bucket->allocs, scale),
		scaled(bucket->allocs * bucket->size, scale),
		scaled(bucket->live, scale),
		scaled(bucket->live * bucket->size, scale),
	};
	const uint64_t *pcs = heap_samples__stack(samples, bucket);
	char type[TYPE_NAME_MAX];

	stack->n = 0;
	for (uint32_t i = 0; i < bucket->n_pcs; i++)
		add_call(target, stack, target__module_pc(target, pcs[i]));
	name_type(target, samples, bucket, type);
	return add_sample(profile, values, stack, bucket->size, type);
}

static int add_all(struct target *target, const struct heap_samples *samples, struct pprof *profile)
{
	struct stack *stack = malloc(sizeof(*stack));
	const struct heap_sample_bucket *all;
	int err = stack ? 0 : -ENOMEM;
	size_t n;

	all = heap_samples__buckets(samples, &n);
	for (size_t i = 0; i < n && !err; i++)
		err = add_bucket(target, samples, &all[i], stack, profile);
	free(stack);
	return err;
}

/* --- what probes have seen ----------------------------------------------------------------------- */

/* Calls that are not inlined: each stands for all that are inlined into it. */
static void add_calls(struct target *target, struct stack *stack, uint64_t pc)
{
	struct frame calls[MAX_INLINE];
	size_t n = symbolizer__frames(target__symbolizer(target), pc, true, calls, MAX_INLINE);

	for (size_t i = 0; i < n && stack->n < PROFILE_MAX_STACK; i++) {
		if (calls[i].wrapper)
			continue;
		stack->frames[stack->n++] = (struct pprof_frame){
			.frame = {.function = calls[i].function,
				  .file = calls[i].file,
				  .line = calls[i].line,
				  .inlined = calls[i].inlined,
				  .module = calls[i].module},
			.address = module_pc__address(pc) - 1,
		};
	}
}

static int64_t rounded(double value)
{
	return value < (double)INT64_MAX ? (int64_t)llround(value) : INT64_MAX;
}

static int add_entry(struct target *target, const struct alloc_flow_entry *entry,
		     const struct alloc_figures *figures, struct stack *stack,
		     struct pprof *profile)
{
	struct alloc_share share = alloc_share__of(entry, figures);
	const int64_t values[] = {
		rounded(share.objects),
		rounded(share.bytes),
		rounded(share.in_use_objects),
		rounded(share.in_use_bytes),
	};
	const struct heap_allocation what = target_allocs__what(target, entry);
	char type[TYPE_NAME_MAX];
	const uint64_t *pcs;
	size_t n;

	stack->n = 0;
	target_allocs__name_type(target, &what, type, sizeof(type));
	pcs = stack_table__get(target_allocs__stacks(target), entry->stack, &n);
	for (size_t i = 0; i < n; i++)
		add_calls(target, stack, pcs[i]);
	return add_sample(profile, values, stack, entry->bytes, *type ? type : NULL);
}

/* Whether that is what the report tells of places, as well. */
static bool is_by_probes(const struct target *target, struct alloc_figures *figures)
{
	const struct target_samples *samples = target_samples__get(target);

	if (!target_allocs__figures(target, figures) || !figures->windows)
		return false;
	return figures->source == ALLOC_SOURCE_ALL ||
	       (figures->source == ALLOC_SOURCE_WINDOWS && (!samples || !samples->last));
}

static int add_seen(struct target *target, const struct alloc_figures *figures,
		    struct pprof *profile)
{
	struct stack *stack = malloc(sizeof(*stack));
	const struct alloc_flow_entry *all;
	int err = stack ? 0 : -ENOMEM;
	size_t n;

	all = alloc_flow__entries(target_allocs__flow(target), &n);
	for (size_t i = 0; i < n && !err; i++)
		err = add_entry(target, &all[i], figures, stack, profile);
	free(stack);
	return err;
}

/* ------------------------------------------------------------------------------------------------- */

static int nothing_known(const struct target *target, struct failure *failure)
{
	const struct target_samples *samples = target_samples__get(target);
	struct alloc_figures figures;

	return failure__set(failure, -ENODATA, "process %d has no memory profile: %s%s",
			    target__pid(target),
			    samples ? samples->missing.text : "it was not read",
			    target_allocs__figures(target, &figures) ?
				    "; no allocation was seen" :
				    "; with --duration 30s its allocations are watched, and the "
				    "profile is of these");
}

int heap_profile__make(struct target *target, uint64_t realtime_ns, struct pprof **ret_profile,
		       struct failure *failure)
{
	struct alloc_figures figures;
	bool seen = is_by_probes(target, &figures);
	const struct target_samples *samples = target_samples__get(target);
	const struct pprof_options options = {
		.kinds = kinds,
		.n_kinds = ARRAY_SIZE(kinds),
		.shown = "inuse_space",
		.period_kind = {"space", "bytes"},
		.period = !seen && samples && samples->last ?
				  (int64_t)heap_samples__totals(samples->last)->rate :
				  0,
		.duration_ns = seen ? figures.watched_ns : 0,
		.time_ns = realtime_ns,
		.binary = target__process(target)->exe,
		.build_id = go_binary__build_id(target__binary(target)),
	};
	struct pprof *profile;
	int err;

	if (!seen && (!samples || !samples->last))
		return nothing_known(target, failure);
	err = pprof__new(&options, &profile);
	if (!err) {
		err = seen ? add_seen(target, &figures, profile) :
			     add_all(target, samples->last, profile);
		if (err)
			pprof__free(profile);
	}
	if (err)
		return failure__set(failure, err, "the profile of process %d: %s",
				    target__pid(target), strerror(-err));
	*ret_profile = profile;
	return 0;
}
