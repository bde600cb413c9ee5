// SPDX-License-Identifier: Apache-2.0
/* What groups keep in memory: only what was read of all of a group, and never 0 for what was not. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "output/prometheus/exposition.h"
#include "output/prometheus/textfile_parts.h"
#include "output/shorten.h"

static bool has_cycles(const struct metrics_group *group)
{
	const struct metrics_memory *memory = &group->memory;

	return memory->runtimes && memory->with_cycles == memory->runtimes;
}

static bool has_stacks(const struct metrics_group *group)
{
	const struct metrics_memory *memory = &group->memory;

	return memory->runtimes && memory->with_stacks == memory->runtimes;
}

static bool has_live(const struct metrics_group *group)
{
	const struct metrics_memory *memory = &group->memory;

	return memory->runtimes && memory->with_live == memory->runtimes;
}

/* Those that were left out have nothing that a scan could confirm. */
static bool has_scan(const struct metrics_group *group)
{
	const struct metrics_memory *memory = &group->memory;

	return memory->scanned > 0;
}

static bool has_goal(const struct metrics_group *group)
{
	const struct metrics_memory *memory = &group->memory;

	return memory->runtimes && memory->with_goal == memory->runtimes;
}

static bool has_pauses(const struct metrics_group *group)
{
	const struct metrics_memory *memory = &group->memory;

	return memory->runtimes && memory->with_pauses == memory->runtimes;
}

static bool has_assists(const struct metrics_group *group)
{
	const struct metrics_memory *memory = &group->memory;

	return memory->runtimes && memory->with_assists == memory->runtimes;
}

static bool has_released(const struct metrics_group *group)
{
	const struct metrics_memory *memory = &group->memory;

	return memory->runtimes && memory->with_released == memory->runtimes;
}

static bool has_resident(const struct metrics_group *group)
{
	const struct metrics_memory *memory = &group->memory;

	return memory->runtimes && memory->with_resident == memory->runtimes;
}

/* Likewise: a process without samples has nothing that is known to grow. */
static bool is_judged(const struct metrics_group *group)
{
	const struct metrics_memory *memory = &group->memory;

	return memory->judged > 0;
}

static uint64_t goal(const struct metrics_group *group)
{
	return group->memory.goal_bytes;
}

static uint64_t released(const struct metrics_group *group)
{
	return group->memory.released_bytes;
}

static uint64_t in_use(const struct metrics_group *group)
{
	return group->memory.in_use_bytes;
}

static uint64_t resident(const struct metrics_group *group)
{
	return group->memory.resident_bytes;
}

static uint64_t allocated_bytes(const struct metrics_group *group)
{
	return group->counts.n[GROUP_ALLOCATED_BYTES];
}

static uint64_t allocated_objects(const struct metrics_group *group)
{
	return group->counts.n[GROUP_ALLOCATED_OBJECTS];
}

static uint64_t growing(const struct metrics_group *group)
{
	return group->memory.n_growing + group->memory.growing_omitted;
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

static const struct textfile_gauge gauges[] = {
	{"gleakd_heap_live_bytes",
	 "Bytes of the Go heap that the last garbage collection found to be alive.",
	 EXPOSITION_GAUGE, has_live, live},
	{"gleakd_heap_goal_bytes", "Bytes of the Go heap at which the next collection is to end.",
	 EXPOSITION_GAUGE, has_goal, goal},
	{"gleakd_heap_in_use_bytes", "Bytes of the Go heap in spans that are in use.",
	 EXPOSITION_GAUGE, has_cycles, in_use},
	{"gleakd_heap_released_bytes", "Bytes of the Go heap that were given back to the system.",
	 EXPOSITION_GAUGE, has_released, released},
	{"gleakd_resident_memory_bytes", "Memory of the processes that is resident.",
	 EXPOSITION_GAUGE, has_resident, resident},
	{"gleakd_allocated_bytes_total", "Bytes that the processes have allocated on the Go heap.",
	 EXPOSITION_COUNTER, has_stacks, allocated_bytes},
	{"gleakd_allocated_objects_total", "Objects that they have allocated there.",
	 EXPOSITION_COUNTER, has_stacks, allocated_objects},
	{"gleakd_stack_bytes", "Bytes of goroutines' stacks.", EXPOSITION_GAUGE, has_stacks,
	 stacks},
	{"gleakd_gc_cycles_total", "Garbage collections that the processes have made.",
	 EXPOSITION_COUNTER, has_cycles, cycles},
	{"gleakd_growing_memory_places",
	 "Places in the code that allocate memory which stays, and more and more of it.",
	 EXPOSITION_GAUGE, is_judged, growing},
	{"gleakd_confirmed_goroutines",
	 "Goroutines that wait for what nothing leads to any more, by scans of the heap.",
	 EXPOSITION_GAUGE, has_scan, confirmed},
	{"gleakd_retained_heap_bytes", "Bytes of the heap that would be free without those.",
	 EXPOSITION_GAUGE, has_scan, retained_heap},
	{"gleakd_retained_stack_bytes", "Bytes of stacks that would be free without those.",
	 EXPOSITION_GAUGE, has_scan, retained_stacks},
};

static uint64_t pause_ns(const struct metrics_group *group)
{
	return group->counts.n[GROUP_GC_PAUSE_NS];
}

static uint64_t assist_ns(const struct metrics_group *group)
{
	return group->memory.assist_ns;
}

/* Not gauges of those above: they are in seconds. */
static const struct textfile_gauge times[] = {
	{"gleakd_gc_pause_seconds_total", "Time for which collections have stopped the processes.",
	 EXPOSITION_COUNTER, has_pauses, pause_ns},
	{"gleakd_gc_assist_last_seconds",
	 "Time that goroutines have spent on the collection under way, or on the last one.",
	 EXPOSITION_GAUGE, has_assists, assist_ns},
};

static void put_time(FILE *out, const struct metrics *metrics, const struct textfile_gauge *time)
{
	bool any = false;

	for (size_t g = 0; g < metrics->n_groups; g++) {
		const struct metrics_group *group = &metrics->groups[g];

		if (!time->known(group))
			continue;
		if (!any)
			exposition__family(out, time->name, time->type, time->help);
		any = true;
		exposition__number(out, time->name, EXPOSITION_LABELS({"groupname", group->name}),
				   report__seconds(time->value(group)));
	}
}

static void put_open(FILE *out, const struct metrics *metrics)
{
	static const char name[] = "gleakd_open_resources";
	bool any = false;

	for (size_t g = 0; g < metrics->n_groups; g++) {
		const struct metrics_group *group = &metrics->groups[g];

		for (enum resource_kind k = 0; k < RESOURCE_KINDS && group->memory.looked_at; k++) {
			if (!any)
				exposition__family(
					out, name, EXPOSITION_GAUGE,
					"Files, connections, contexts, ... that are open, "
					"by the last look at the heap.");
			any = true;
			exposition__count(out, name,
					  EXPOSITION_LABELS({"groupname", group->name},
							    {"kind", resource_kind__name(k)}),
					  group->memory.open[k]);
		}
	}
}

static int put_place(FILE *out, const char *name, const struct metrics_group *group,
		     const struct metrics_growing *place)
{
	const struct report_frame *at = &place->site->allocated_at;
	char *function = shorten__function(report__text(at->function), TEXTFILE_MAX_FUNCTION);
	char *location = textfile_part__location(at);
	int err = function && location ? 0 : -ENOMEM;

	if (!err)
		exposition__count(
			out, name,
			EXPOSITION_LABELS({"groupname", group->name}, {"site", place->site->id},
					  {"function", function}, {"allocated_at", location}),
			place->in_use_bytes);
	free(function);
	free(location);
	return err;
}

/* Ten of a group at most, so that their number has a limit. */
static int put_places(FILE *out, const struct metrics *metrics)
{
	static const char name[] = "gleakd_growing_memory_place_bytes";
	bool any = false;
	int err = 0;

	for (size_t g = 0; g < metrics->n_groups; g++) {
		const struct metrics_group *group = &metrics->groups[g];

		for (size_t i = 0; i < group->memory.n_growing && !err; i++) {
			if (!any)
				exposition__family(out, name, EXPOSITION_GAUGE,
						   "Bytes in use that were allocated at one of "
						   "them, by samples.");
			any = true;
			err = put_place(out, name, group, &group->memory.growing[i]);
		}
	}
	return err;
}

int textfile_part__memory(FILE *out, const struct metrics *metrics)
{
	textfile_part__gauges(out, metrics, gauges, ARRAY_SIZE(gauges));
	for (size_t i = 0; i < ARRAY_SIZE(times); i++)
		put_time(out, metrics, &times[i]);
	put_open(out, metrics);
	return put_places(out, metrics);
}
