// SPDX-License-Identifier: Apache-2.0
/* What groups keep in memory: only what was read of all of a group, and never 0 for what was not. */
#include <stdio.h>

#include "output/prometheus/exposition.h"
#include "output/prometheus/textfile_parts.h"

struct memory_gauge {
	const char *name, *help;
	enum exposition_type type;
	bool (*known)(const struct metrics_memory *memory);
	uint64_t (*value)(const struct metrics_group *group);
};

static bool has_cycles(const struct metrics_memory *memory)
{
	return memory->runtimes && memory->with_cycles == memory->runtimes;
}

static bool has_stacks(const struct metrics_memory *memory)
{
	return memory->runtimes && memory->with_stacks == memory->runtimes;
}

static bool has_live(const struct metrics_memory *memory)
{
	return memory->runtimes && memory->with_live == memory->runtimes;
}

/* Those that were left out have nothing that a scan could confirm. */
static bool has_scan(const struct metrics_memory *memory)
{
	return memory->scanned > 0;
}

static uint64_t live(const struct metrics_group *group)
{
	return group->memory.live_bytes;
}

static uint64_t stacks(const struct metrics_group *group)
{
	return group->memory.stack_bytes;
}

static uint64_t cycles(const struct metrics_group *group)
{
	return group->counts.n[GROUP_GC_CYCLES];
}

static uint64_t confirmed(const struct metrics_group *group)
{
	return group->memory.confirmed;
}

static uint64_t retained_heap(const struct metrics_group *group)
{
	return group->memory.retained_heap_bytes;
}

static uint64_t retained_stacks(const struct metrics_group *group)
{
	return group->memory.retained_stack_bytes;
}

static const struct memory_gauge gauges[] = {
	{"gleakd_heap_live_bytes",
	 "Bytes of the Go heap that the last garbage collection found to be alive.",
	 EXPOSITION_GAUGE, has_live, live},
	{"gleakd_stack_bytes", "Bytes of goroutines' stacks.", EXPOSITION_GAUGE, has_stacks,
	 stacks},
	{"gleakd_gc_cycles_total", "Garbage collections that the processes have made.",
	 EXPOSITION_COUNTER, has_cycles, cycles},
	{"gleakd_confirmed_goroutines",
	 "Goroutines that wait for what nothing leads to any more, by scans of the heap.",
	 EXPOSITION_GAUGE, has_scan, confirmed},
	{"gleakd_retained_heap_bytes", "Bytes of the heap that would be free without those.",
	 EXPOSITION_GAUGE, has_scan, retained_heap},
	{"gleakd_retained_stack_bytes", "Bytes of stacks that would be free without those.",
	 EXPOSITION_GAUGE, has_scan, retained_stacks},
};

static void put_gauge(FILE *out, const struct metrics *metrics, const struct memory_gauge *gauge)
{
	bool any = false;

	for (size_t g = 0; g < metrics->n_groups; g++) {
		const struct metrics_group *group = &metrics->groups[g];

		if (!gauge->known(&group->memory))
			continue;
		if (!any)
			exposition__family(out, gauge->name, gauge->type, gauge->help);
		any = true;
		exposition__count(out, gauge->name, EXPOSITION_LABELS({"groupname", group->name}),
				  gauge->value(group));
	}
}

void textfile_part__memory(FILE *out, const struct metrics *metrics)
{
	for (size_t i = 0; i < ARRAY_SIZE(gauges); i++)
		put_gauge(out, metrics, &gauges[i]);
}
