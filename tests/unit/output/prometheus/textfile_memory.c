// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "rendered.h"
#include "sample.h"
#include "sample_resources.h"

static const struct textfile_options options = {.version = "1.2.3",
						.revision = "0123456789ab",
						.libbpf = "1.1.2",
						.arch = "x86_64"};

static char *render(struct report_target *targets, size_t n)
{
	const struct report report = {.targets = targets, .n_targets = n};

	return rendered(&report, &options);
}

static struct report_target make_target(pid_t pid, const char *group)
{
	return (struct report_target){
		.pid = pid,
		.start_time_seconds = 1767320000,
		.group = group,
		.exe = "/bin/x",
		.counters_known = true,
		.counters = {.gc_cycles = 7,
			     .counted = true,
			     .stack_bytes = 4096,
			     .marked = true,
			     .live_bytes = 1009,
			     .heap_bytes = 81920,
			     .total_bytes = 1 << 20,
			     .total_objects = 4099,
			     .has_goal = true,
			     .goal_bytes = 4 << 20,
			     .timed = true,
			     .pause_ns = 1500 * NSEC_PER_MSEC,
			     .returned = true,
			     .released_bytes = 3 << 20,
			     .assisted = true,
			     .assist_ns = 250 * NSEC_PER_MSEC},
		.resident_bytes = 65536,
	};
}

static void expect(struct report_target *targets, size_t n, const char *line, bool there)
{
	char *text = render(targets, n);

	cr_expect_eq(strstr(text, line) != NULL, there, "%s in:\n%s", line, text);
	free(text);
}

Test(textfile_memory, of_a_group_it_is_the_sum)
{
	struct report_target targets[] = {make_target(17, "shop"), make_target(19, "shop")};

	expect(targets, 2, "\ngleakd_heap_live_bytes{groupname=\"shop\"} 2018\n", true);
	expect(targets, 2, "\ngleakd_stack_bytes{groupname=\"shop\"} 8192\n", true);
	expect(targets, 2, "\ngleakd_gc_cycles_total{groupname=\"shop\"} 14\n", true);
	expect(targets, 2, "\ngleakd_gc_pause_seconds_total{groupname=\"shop\"} 3\n", true);
	expect(targets, 2, "\ngleakd_gc_assist_last_seconds{groupname=\"shop\"} 0.5\n", true);
	expect(targets, 2, "\ngleakd_heap_released_bytes{groupname=\"shop\"} 6291456\n", true);
	expect(targets, 2, "\ngleakd_heap_goal_bytes{groupname=\"shop\"} 8388608\n", true);
	expect(targets, 2, "\ngleakd_heap_in_use_bytes{groupname=\"shop\"} 163840\n", true);
	expect(targets, 2, "\ngleakd_resident_memory_bytes{groupname=\"shop\"} 131072\n", true);
	expect(targets, 2, "\ngleakd_allocated_bytes_total{groupname=\"shop\"} 2097152\n", true);
	expect(targets, 2, "\ngleakd_allocated_objects_total{groupname=\"shop\"} 8198\n", true);
}

/* Its memory is that of both. */
Test(textfile_memory, a_process_with_two_runtimes_is_one)
{
	struct report_target targets[] = {make_target(17, "shop"), make_target(17, "shop")};

	targets[1].another = true;
	targets[1].resident_bytes = 0;
	expect(targets, 2, "\ngleakd_resident_memory_bytes{groupname=\"shop\"} 65536\n", true);
	expect(targets, 2, "\ngleakd_stack_bytes{groupname=\"shop\"} 8192\n", true);
}

Test(textfile_memory, a_goal_that_a_memory_limit_makes_is_not_known)
{
	struct report_target targets[] = {make_target(17, "shop"), make_target(19, "shop")};

	targets[1].counters.has_goal = false;
	targets[1].counters.timed = false;
	expect(targets, 2, "gleakd_heap_goal_bytes", false);
	expect(targets, 2, "gleakd_gc_pause_seconds_total", false);
	expect(targets, 2, "\ngleakd_heap_in_use_bytes{groupname=\"shop\"} 163840\n", true);
}

/* Ten series of a group, whatever it does; one place is one, in however many processes. */
Test(textfile_memory, places_where_memory_grows)
{
	struct report_target targets[] = {make_target(17, "shop"), make_target(19, "shop")};
	struct report_alloc_site sites[12] = {0};
	struct report_allocations allocations = {.sites = sites, .n_sites = ARRAY_SIZE(sites)};

	for (size_t i = 0; i < ARRAY_SIZE(sites); i++) {
		snprintf(sites[i].id, sizeof(sites[i].id), "%08zx", i);
		sites[i].in_use_bytes = 1000 + i;
		sites[i].allocated_at = (struct report_frame){
			.function = "main.put", .file = "/src/cache.go", .line = 17};
	}
	targets[0].allocations = targets[1].allocations = &allocations;
	expect(targets, 2, "gleakd_growing_memory_places", false);
	for (size_t i = 0; i < ARRAY_SIZE(sites); i++)
		sites[i].judgement.verdict = ALLOC_STEADY;
	expect(targets, 2, "\ngleakd_growing_memory_places{groupname=\"shop\"} 0\n", true);
	sites[0].judgement.verdict = ALLOC_GROWING;
	expect(targets, 2, "\ngleakd_growing_memory_places{groupname=\"shop\"} 1\n", true);
	expect(targets, 2,
	       "\ngleakd_growing_memory_place_bytes{groupname=\"shop\",site=\"00000000\","
	       "function=\"main.put\",allocated_at=\"cache.go:17\"} 2000\n",
	       true);
	for (size_t i = 0; i < ARRAY_SIZE(sites); i++)
		sites[i].judgement.verdict = ALLOC_GROWING;
	expect(targets, 1, "\ngleakd_growing_memory_places{groupname=\"shop\"} 12\n", true);
	expect(targets, 1, "site=\"00000009\"", true);
	expect(targets, 1, "site=\"0000000a\"", false);
}

Test(textfile_memory, what_is_open_by_kind)
{
	struct report_target targets[] = {make_target(17, "shop"), make_target(19, "shop")};

	expect(targets, 2, "gleakd_open_resources", false);
	targets[0].resources = targets[1].resources = sample_resources();
	expect(targets, 1, "\ngleakd_open_resources{groupname=\"shop\",kind=\"file\"} 63\n", true);
	expect(targets, 2, "\ngleakd_open_resources{groupname=\"shop\",kind=\"file\"} 126\n", true);
	expect(targets, 2, "\ngleakd_open_resources{groupname=\"shop\",kind=\"net.Conn\"} 34\n",
	       true);
	expect(targets, 2, "\ngleakd_open_resources{groupname=\"shop\",kind=\"sql.Tx\"} 0\n", true);
}

/* All that there is of memory: tests/e2e/cases_prometheus.py holds the dashboard against it. */
Test(textfile_memory, all_of_it)
{
	struct report_alloc_site site = {
		.id = "00ff00ff",
		.in_use_bytes = 1009,
		.judgement.verdict = ALLOC_GROWING,
		.allocated_at = {.function = "main.put", .file = "/src/cache.go", .line = 17},
	};
	struct report_allocations allocations = {.sites = &site, .n_sites = 1};
	struct report_target target = make_target(17, "shop");
	char *text;

	target.allocations = &allocations;
	target.resources = sample_resources();
	target.heap_scanned = true;
	text = render(&target, 1);
	sample__golden("memory.prom", text);
	free(text);
}

/* A sum without one of them would look as if that had given its memory back. */
Test(textfile_memory, what_is_not_known_of_one_is_not_there)
{
	struct report_target targets[] = {make_target(17, "shop"), make_target(19, "shop"),
					  make_target(23, "bank")};

	targets[1].counters_known = false;
	expect(targets, 3, "gleakd_heap_live_bytes{groupname=\"shop\"}", false);
	expect(targets, 3, "gleakd_stack_bytes{groupname=\"shop\"}", false);
	expect(targets, 3, "gleakd_gc_cycles_total{groupname=\"shop\"}", false);
	expect(targets, 3, "\ngleakd_stack_bytes{groupname=\"bank\"} 4096\n", true);
	targets[1].counters_known = true;
	targets[1].counters.marked = false;
	expect(targets, 3, "gleakd_heap_live_bytes{groupname=\"shop\"}", false);
	expect(targets, 3, "\ngleakd_stack_bytes{groupname=\"shop\"} 8192\n", true);
	/* One that has ended keeps nothing. */
	targets[1].exited_target = true;
	expect(targets, 3, "\ngleakd_heap_live_bytes{groupname=\"shop\"} 1009\n", true);
}

Test(textfile_memory, what_is_confirmed_needs_a_scan)
{
	struct report_site site = {.id = "00ff00ff"};
	struct report_target target = make_target(17, "shop");

	target.sites = &site;
	target.n_sites = 1;
	expect(&target, 1, "gleakd_confirmed_goroutines", false);
	target.heap_scanned = true;
	expect(&target, 1, "\ngleakd_confirmed_goroutines{groupname=\"shop\"} 0\n", true);
	site.view.proof =
		(struct site_proof){.goroutines = 41, .heap_bytes = 640, .stack_bytes = 83968};
	expect(&target, 1, "\ngleakd_confirmed_goroutines{groupname=\"shop\"} 41\n", true);
	expect(&target, 1, "\ngleakd_retained_heap_bytes{groupname=\"shop\"} 640\n", true);
	expect(&target, 1, "\ngleakd_retained_stack_bytes{groupname=\"shop\"} 83968\n", true);
}
