// SPDX-License-Identifier: Apache-2.0
#include "cli/round_limits.h"

#include "host/access_guard.h"

/* Of what gleakd may use of a processor; censuses come first. */
#define HEAP_SHARE   0.25
#define SAMPLE_SHARE 0.1

/* In multiples of the time between looks: how old a process has to be, and how long memory must grow. */
#define SAMPLES_MIN_AGE	   6
#define SAMPLES_MIN_WINDOW 12
/* Between looks, which is --min-age: shorter ones tell nothing more, and longer ones too little. */
#define SAMPLES_LEAST_NS NSEC_PER_SEC
#define SAMPLES_MOST_NS	 (60 * NSEC_PER_SEC)

#define ALLOCS_PART \
	0.2 /* of what probes may cost a target, those on its allocations have at least */
#define ALLOCS_OVERHEAD 0.01 /* where there is no limit */
#define ALLOCS_OF_MANY	4    /* targets at a time */

/* Of what probes may cost a target, those on what it opens have so much while they are attached. */
#define OPENS_PART 0.1

static void set_open_limits(struct rounds *rounds, enum probe_mode mode)
{
	const struct options *options = rounds->options;
	struct open_turns *opens = &rounds->opens;

	opens->wanted = options->processes.n && mode != PROBE_MODE_CENSUS &&
			options->probe_opens != PROBE_OPENS_NEVER;
	opens->options.always = options->probe_opens == PROBE_OPENS_ALWAYS;
	opens->options.part = OPENS_PART;
	opens->options.max_overhead = ALLOCS_OVERHEAD;
}

static void set_alloc_limits(struct rounds *rounds, enum probe_mode mode)
{
	const struct options *options = rounds->options;
	struct alloc_turns *allocs = &rounds->allocs;
	bool many = !options->processes.n;

	allocs->wanted = (options->command == COMMAND_WATCH || options->command == COMMAND_TOP ||
			  options->command == COMMAND_RECORD) &&
			 mode != PROBE_MODE_CENSUS && !options->no_heap;
	allocs->only_growing = many;
	allocs->max_targets = many ? ALLOCS_OF_MANY : OPTION_LIST_MAX;
	/* Who asks for it wants to see what there is. */
	if (options->alloc_by == REPORT_ALLOC_BY_ALL && options->command != COMMAND_RECORD)
		allocs->min_process_age_ns = rounds->samples.min_process_age_ns;
	allocs->options.samples = options__by_who(options);
	allocs->options.who = options->alloc_by != REPORT_ALLOC_BY_ALL;
	allocs->options.part = ALLOCS_PART;
	allocs->options.max_overhead = ALLOCS_OVERHEAD;
	allocs->options.period_ns = rounds->samples.options.period_ns;
	allocs->options.min_window_ns = rounds->samples.options.min_window_ns;
}

static void set_heap_limits(struct rounds *rounds)
{
	const struct options *options = rounds->options;
	uint64_t period_ns = min_of(max_of(options->min_age_ns, (uint64_t)SAMPLES_LEAST_NS),
				    (uint64_t)SAMPLES_MOST_NS);

	rounds->heap.confirm.interval_ns = options->interval_ns;
	rounds->heap.confirm.min_age_ns = options->min_age_ns;
	rounds->samples.options.period_ns = period_ns;
	rounds->samples.options.min_window_ns = period_ns * SAMPLES_MIN_WINDOW;
	/* Whoever sits in front of it wants to see what there is, and of a recording who looks at it later. */
	if (options->command != COMMAND_TOP && options->command != COMMAND_RECORD)
		rounds->samples.min_process_age_ns = period_ns * SAMPLES_MIN_AGE;
	if (options->processes.n)
		return;
	rounds->heap.only_suspects = true;
	rounds->heap.max_share = options->max_self_cpu * HEAP_SHARE;
	rounds->heap.max_heap_bytes = options->max_memory * HEAP_SCAN_PER_MEMORY;
	rounds->samples.options.max_heap_bytes = rounds->heap.max_heap_bytes;
	rounds->samples.max_share = options->max_self_cpu * SAMPLE_SHARE;
}

void round_limits__set(struct rounds *rounds, enum probe_mode mode)
{
	set_heap_limits(rounds);
	set_alloc_limits(rounds, mode);
	set_open_limits(rounds, mode);
}

bool round_limits__may_wait(struct rounds *rounds, uint64_t now_ns)
{
	uint64_t before_ns = min_of(rounds->interval_ns / 2, ACCESS_GUARD_DEADLINE_NS);
	bool soon = now_ns - rounds->round_began_ns + before_ns > rounds->interval_ns;

	if (!rounds->began || rounds->options->once)
		return true;
	/* Rounds that take all of an interval leave no other time than that. */
	if (rounds->under_way || (soon && rounds->waited_round_ns == rounds->round_began_ns))
		return false;
	rounds->waited_round_ns = rounds->round_began_ns;
	return true;
}
