// SPDX-License-Identifier: Apache-2.0
/* What Perfetto would read of a trace, field by field of its published format. */
#include "output/perfetto/trace.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "trace.pb-c.h"

#define AT(seconds) (1000 * NSEC_PER_SEC + (uint64_t)(seconds)*NSEC_PER_SEC)

static const struct report_frame stack[] = {
	{.function = "main.wait", .file = "wait.go", .line = 11},
	{.function = "main.stay", .file = "serve.go", .line = 7},
};
static const struct report_site report_site = {.id = "0000bbbb",
					       .view = {.goroutines = 13},
					       .stack = stack,
					       .n_stack = 2};
static const struct report_alloc_site place = {.id = "0000cccc",
					       .in_use_bytes = 8192,
					       .stack = &stack[1],
					       .n_stack = 1};
static const struct report_allocations allocations = {.sites = &place, .n_sites = 1};
static struct heap_view_holder holders[] = {
	{.path = (char *)"main.sessions",
	 .step = "main.sessions",
	 .type = (char *)"map[string]*main.session",
	 .objects = 100,
	 .retained_bytes = 9000},
	{.path = (char *)"main.sessions[…]",
	 .step = "[…]",
	 .type = (char *)"*main.session",
	 .depth = 1,
	 .objects = 90,
	 .retained_bytes = 6000},
	{.path = (char *)"main.sessions[…].buf",
	 .step = ".buf",
	 .type = (char *)"struct { a int }",
	 .depth = 2,
	 .objects = 30,
	 .retained_bytes = 1500},
	/* One that skips levels, as a foreign report may. */
	{.path = (char *)"stack of main.serve",
	 .step = "stack of main.serve",
	 .type = (char *)"",
	 .objects = 5,
	 .retained_bytes = 700},
	{.path = (char *)"main.serve.far",
	 .step = ".far",
	 .type = (char *)"int",
	 .depth = 9,
	 .retained_bytes = 900},
};
static const struct heap_view heap = {.memory = {.live_bytes = 10000},
				      .holders = holders,
				      .n_holders = ARRAY_SIZE(holders)};
static const struct report_target report = {.pid = 4242,
					    .comm = "shop",
					    .sites = &report_site,
					    .n_sites = 1,
					    .allocations = &allocations,
					    .heap = &heap};
static const struct timeline_point points[] = {{.time_ns = AT(1), .goroutines = 7},
					       {.time_ns = AT(2), .goroutines = 13}};
static const struct timeline_verdict verdicts[] = {
	{.time_ns = AT(2), .verdict = VERDICT_LEAKING, .why = "they stay"}};
static const struct timeline_site site = {.id = "0000bbbb",
					  .function = "main.serve",
					  .start_function = "main.stay",
					  .wait_reason = "chan receive",
					  .points = points,
					  .n_points = 2,
					  .verdicts = verdicts,
					  .n_verdicts = 1};
static const struct timeline_life lives[] = {
	{.goid = 17, .begin_ns = AT(1), .end_ns = AT(9), .created = true, .ended = true},
	{.goid = 19, .begin_ns = AT(1), .end_ns = AT(5), .site = TIMELINE_NO_SITE},
};
static const struct timeline_park parks[] = {
	{.goid = 17, .begin_ns = AT(2), .end_ns = AT(4), .ended = true},
	{.goid = 17, .begin_ns = AT(3), .end_ns = AT(20), .ended = true},
};
static const struct timeline_memory memory[] = {
	{.time_ns = AT(1),
	 .gc_cycles = 5,
	 .rss = 9000,
	 .heap = 4000,
	 .live = 2000,
	 .goal = 6000,
	 .stacks = 64,
	 .pause_ns = 11000,
	 .counted = true,
	 .marked = true,
	 .timed = true},
	{.time_ns = AT(2), .gc_cycles = 8, .rss = 9001},
};
static const struct timeline_gc gcs[] = {
	{.begin_ns = AT(1), .end_ns = AT(2), .first = 6, .last = 8}};
static const struct timeline_resource_point open_points[] = {{.time_ns = AT(1), .outstanding = 5},
							     {.time_ns = AT(2), .outstanding = 11}};
static const struct timeline_resource resource = {.kind = RESOURCE_FILE,
						  .held_by = "main.logs[…]",
						  .points = open_points,
						  .n_points = 2};
static const struct timeline_allocator_point allocated[] = {{.time_ns = AT(1), .bytes = 4096},
							    {.time_ns = AT(2), .bytes = 7777}};
static const struct timeline_allocator allocators[] = {{.by = "goroutine",
							.goid = 17,
							.start_function = "main.fill",
							.points = allocated,
							.n_points = 2},
						       {.by = "label", .name = "tenant=red"},
						       {.by = "label"}};
static const struct timeline_clock clocks[] = {
	{.monotonic_ns = AT(0), .realtime_ns = 1700 * NSEC_PER_SEC, .boottime_ns = AT(500)}};

struct read_trace {
	Gleakd__Perfetto__Trace *trace;
	size_t types[5]; /* of events */
};

/* @timeline, or the report alone. */
static struct read_trace read_back(const struct timeline *timeline)
{
	const struct report alone = {
		.realtime_ns = 1700 * NSEC_PER_SEC, .targets = &report, .n_targets = 1};
	struct read_trace read = {0};
	char *bytes = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&bytes, &size);

	cr_assert_not_null(out);
	cr_assert_eq(
		timeline ? perfetto__write(out, timeline) : perfetto__write_report(out, &alone), 0);
	fclose(out);
	read.trace = gleakd__perfetto__trace__unpack(NULL, size, (const uint8_t *)bytes);
	cr_assert_not_null(read.trace);
	free(bytes);
	for (size_t i = 0; i < read.trace->n_packet; i++) {
		if (read.trace->packet[i]->track_event)
			read.types[read.trace->packet[i]->track_event->type % 5]++;
	}
	return read;
}

static struct read_trace written(void)
{
	const struct timeline_target target = {.target = &report,
					       .pid = 4242,
					       .comm = "shop",
					       .sites = &site,
					       .n_sites = 1,
					       .lives = lives,
					       .n_lives = 2,
					       .parks = parks,
					       .n_parks = 2,
					       .memory = memory,
					       .n_memory = 2,
					       .gcs = gcs,
					       .n_gcs = 1,
					       .allocators = allocators,
					       .n_allocators = ARRAY_SIZE(allocators),
					       .resources = &resource,
					       .n_resources = 1};
	const struct timeline timeline = {.begin_ns = AT(0),
					  .end_ns = AT(30),
					  .clocks = clocks,
					  .n_clocks = 1,
					  .targets = &target,
					  .n_targets = 1};

	return read_back(&timeline);
}

static uint64_t track_named(const Gleakd__Perfetto__Trace *trace, const char *name)
{
	for (size_t i = 0; i < trace->n_packet; i++) {
		const Gleakd__Perfetto__TrackDescriptor *track = trace->packet[i]->track_descriptor;

		if (track && !strcmp(track->name, name))
			return track->uuid;
	}
	cr_assert_fail("no track '%s'", name);
	return 0;
}

Test(perfetto, clocks_and_sequences)
{
	struct read_trace read = written();
	const Gleakd__Perfetto__ClockSnapshot *snapshot = read.trace->packet[0]->clock_snapshot;

	cr_assert_not_null(snapshot);
	cr_assert_eq(snapshot->n_clocks, 3);
	cr_expect_eq(snapshot->clocks[1]->clock_id, 3);
	cr_expect_eq(snapshot->clocks[1]->timestamp, AT(0));
	cr_expect_eq(snapshot->clocks[2]->clock_id, 6);
	cr_expect_eq(snapshot->clocks[2]->timestamp, AT(500));
	cr_expect_eq(read.trace->packet[0]->sequence_flags, 1);
	for (size_t i = 0; i < read.trace->n_packet; i++) {
		const Gleakd__Perfetto__TracePacket *packet = read.trace->packet[i];

		cr_assert(packet->has_trusted_packet_sequence_id);
		cr_assert_eq(packet->has_timestamp_clock_id, packet->has_timestamp);
		cr_assert(!packet->has_timestamp || packet->timestamp_clock_id == 3);
	}
	gleakd__perfetto__trace__free_unpacked(read.trace, NULL);
}

Test(perfetto, counters)
{
	struct read_trace read = written();
	uint64_t track = track_named(read.trace, "0000bbbb main.stay [chan receive]");
	int64_t values[2] = {0};
	size_t n = 0;

	for (size_t i = 0; i < read.trace->n_packet; i++) {
		const Gleakd__Perfetto__TrackEvent *event = read.trace->packet[i]->track_event;

		if (event && event->track_uuid == track && n < 2)
			values[n++] = event->counter_value;
	}
	cr_expect_eq(values[0], 7);
	cr_expect_eq(values[1], 13);
	track_named(read.trace, "RSS");
	track_named(read.trace, "heap at which the next GC ends");
	track_named(read.trace, "open file main.logs[…]");
	track_named(read.trace, "allocated so far by goroutine 17 main.fill");
	track_named(read.trace, "allocated so far by tenant=red");
	track_named(read.trace, "allocated so far by others");
	/* Two points of a site, two of files and of who allocates; RSS and heap twice, what is not known once. */
	cr_expect_eq(read.types[4], 2 + 2 + 2 + 2 * 2 + 4);
	cr_expect_eq(read.types[3], 1, "verdicts");
	gleakd__perfetto__trace__free_unpacked(read.trace, NULL);
}

Test(perfetto, slices_are_nested)
{
	struct read_trace read = written();
	uint64_t track = track_named(read.trace, "goroutine 17 main.stay"), last = 0;
	int depth = 0, deepest = 0, parked = 0;

	cr_expect_eq(read.types[1], read.types[2], "each that begins ends");
	for (size_t i = 0; i < read.trace->n_packet; i++) {
		const Gleakd__Perfetto__TracePacket *packet = read.trace->packet[i];
		const Gleakd__Perfetto__TrackEvent *event = packet->track_event;

		if (!event || event->track_uuid != track)
			continue;
		cr_expect_geq(packet->timestamp, last);
		last = packet->timestamp;
		depth += event->type == 1 ? 1 : -1;
		deepest = max_of(deepest, depth);
		parked += event->name && !strcmp(event->name, "chan receive");
	}
	cr_expect_eq(depth, 0);
	cr_expect_eq(deepest, 2);
	cr_expect_eq(parked, 2);
	cr_expect_eq(last, AT(9), "a park ends with its goroutine");
	track_named(read.trace, "GC");
	gleakd__perfetto__trace__free_unpacked(read.trace, NULL);
}

Test(perfetto, stacks_by_goroutines_and_bytes)
{
	struct read_trace read = written();
	uint64_t weights[2] = {0};
	uint32_t units[2] = {0};
	size_t n = 0;

	for (size_t i = 0; i < read.trace->n_packet; i++) {
		const Gleakd__Perfetto__StackSample *sample = read.trace->packet[i]->stack_sample;
		const Gleakd__Perfetto__InternedData *data = read.trace->packet[i]->interned_data;

		if (!sample)
			continue;
		cr_assert_lt(n, 2);
		cr_expect_eq(sample->task_context->pid, 4242);
		cr_expect_eq(sample->callstack->n_frame_ids, data->n_frames);
		/* The outermost comes first. */
		cr_expect(!memcmp(data->function_names[0]->str.data, "main.stay", 9));
		units[n] = sample->primary_descriptor->unit;
		weights[n++] = sample->primary_weight;
	}
	cr_assert_eq(n, 2);
	cr_expect_eq(units[0], 9);
	cr_expect_eq(weights[0], 13);
	cr_expect_eq(units[1], 4);
	cr_expect_eq(weights[1], 8192);
	gleakd__perfetto__trace__free_unpacked(read.trace, NULL);
}

static const Gleakd__Perfetto__HeapGraph *graph_of(const Gleakd__Perfetto__Trace *trace)
{
	for (size_t i = 0; i < trace->n_packet; i++) {
		if (trace->packet[i]->heap_graph)
			return trace->packet[i]->heap_graph;
	}
	cr_assert_fail("no heap graph");
	return NULL;
}

Test(perfetto, who_holds_the_heap_is_a_graph)
{
	struct read_trace read = written();
	const Gleakd__Perfetto__HeapGraph *graph = graph_of(read.trace);
	const Gleakd__Perfetto__HeapGraphObject *top = graph->objects[0];
	uint64_t bytes = 0;

	cr_expect_eq(graph->pid, 4242);
	cr_expect_eq(graph->index, 0);
	cr_expect_not(graph->continued);
	cr_assert_eq(graph->n_objects, ARRAY_SIZE(holders) + 1);
	for (size_t i = 0; i < graph->n_objects; i++) {
		bytes += graph->objects[i]->self_size;
		cr_assert_eq(graph->objects[i]->n_reference_object_id,
			     graph->objects[i]->n_reference_field_id);
		cr_assert_eq(graph->types[graph->objects[i]->type_id - 1]->id,
			     graph->objects[i]->type_id);
	}
	/* What its children keep is theirs; the last keeps more than what it hangs from says. */
	cr_expect_eq(top->self_size, 9000 - 6000);
	cr_expect_eq(graph->objects[3]->self_size, 0);
	cr_expect_eq(graph->objects[5]->self_size, 10000 - 9000 - 700);
	cr_expect_eq(bytes, 10000 + 900 - 700);
	cr_assert_eq(top->n_reference_object_id, 1);
	cr_expect_eq(top->reference_object_id[0], graph->objects[1]->id);
	cr_expect(!memcmp(graph->field_names[top->reference_field_id[0] - 1]->str.data,
			  "*main.session […]", strlen("*main.session […]")));
	/* A blank would end the type. */
	cr_expect(!memcmp(graph->field_names[2]->str.data, "struct_{_a_int_} .buf", 21));
	cr_expect_str_eq(graph->types[0]->class_name, "map[string]*main.session");
	cr_assert_eq(graph->n_roots, 3);
	cr_expect_eq(graph->roots[0]->root_type, 5);
	cr_expect_eq(graph->roots[0]->object_ids[0], top->id);
	cr_expect_eq(graph->roots[1]->root_type, 3, "a stack");
	cr_expect_eq(graph->roots[2]->object_ids[0], graph->objects[5]->id);
	gleakd__perfetto__trace__free_unpacked(read.trace, NULL);
}

Test(perfetto, of_a_report_the_one_moment)
{
	struct read_trace read = read_back(NULL);
	size_t samples = 0;

	cr_expect_eq(graph_of(read.trace)->n_objects, ARRAY_SIZE(holders) + 1);
	for (size_t i = 0; i < read.trace->n_packet; i++) {
		const Gleakd__Perfetto__TracePacket *packet = read.trace->packet[i];

		samples += packet->stack_sample != NULL;
		cr_expect(!packet->has_timestamp || packet->timestamp == 1700 * NSEC_PER_SEC);
	}
	cr_expect_eq(samples, 2);
	cr_expect_eq(read.trace->packet[0]->clock_snapshot->n_clocks, 3);
	gleakd__perfetto__trace__free_unpacked(read.trace, NULL);
}
