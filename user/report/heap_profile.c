// SPDX-License-Identifier: Apache-2.0
#include "report/heap_profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static int add_bucket(struct target *target, const struct heap_samples *samples,
		      const struct heap_sample_bucket *bucket, struct stack *stack,
		      struct pprof *profile)
{
	double scale = heap_sample__scale(bucket->size, heap_samples__totals(samples)->rate);
	const struct pprof_label size = {.key = "bytes", .number = (int64_t)bucket->size};
	const int64_t values[] = {
		scaled(bucket->allocs, scale),
		scaled(bucket->allocs * bucket->size, scale),
		scaled(bucket->live, scale),
		scaled(bucket->live * bucket->size, scale),
	};
	const uint64_t *pcs = heap_samples__stack(samples, bucket);
	const struct pprof_frame *frames;
	size_t n;

	stack->n = 0;
	for (uint32_t i = 0; i < bucket->n_pcs; i++)
		add_call(target, stack, target__module_pc(target, pcs[i]));
	frames = trim(stack, &n);
	return pprof__add(profile, values, frames, n, &size, 1);
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

int heap_profile__make(struct target *target, uint64_t realtime_ns, struct pprof **ret_profile,
		       struct failure *failure)
{
	const struct target_samples *samples = target_samples__get(target);
	const struct pprof_options options = {
		.kinds = kinds,
		.n_kinds = ARRAY_SIZE(kinds),
		.shown = "inuse_space",
		.period_kind = {"space", "bytes"},
		.period = samples && samples->last ?
				  (int64_t)heap_samples__totals(samples->last)->rate :
				  0,
		.time_ns = realtime_ns,
		.binary = target__process(target)->exe,
		.build_id = go_binary__build_id(target__binary(target)),
	};
	struct pprof *profile;
	int err;

	if (!samples || !samples->last)
		return failure__set(failure, -ENODATA, "process %d has no memory profile: %s",
				    target__pid(target),
				    samples ? samples->missing.text : "it was not read");
	err = pprof__new(&options, &profile);
	if (!err) {
		err = add_all(target, samples->last, profile);
		if (err)
			pprof__free(profile);
	}
	if (err)
		return failure__set(failure, err, "the profile of process %d: %s",
				    target__pid(target), strerror(-err));
	*ret_profile = profile;
	return 0;
}
