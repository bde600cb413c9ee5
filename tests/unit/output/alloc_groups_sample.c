// SPDX-License-Identifier: Apache-2.0
#include "sample.h"

const struct report_alloc_groups *sample_alloc_groups(void)
{
	static char labels[] = "tenant=red";
	static const struct report_alloc_group groups[] = {
		{.name = labels,
		 .goid = 18,
		 .goroutines = 3,
		 .created_by = {.function = "main.main", .file = "/src/main.go", .line = 7},
		 .start_function = "main.worker",
		 .alloc_bytes = 1234567890,
		 .alloc_objects = 19290123,
		 .in_use_bytes = 12300000,
		 .in_use_objects = 192188,
		 .relative_error = 0.1,
		 .bytes_per_second = 41152263,
		 .allocated_at = {.function = "main.fill", .file = "/src/fill.go", .line = 22}},
		{.start_function = "", .alloc_bytes = 4096, .alloc_objects = 1, .goroutines = 1},
		{.start_function = "", .unknown = true, .alloc_bytes = 1024, .alloc_objects = 2},
	};
	static const struct report_alloc_groups all = {
		.by = REPORT_ALLOC_BY_GOROUTINE,
		.figures = {.source = ALLOC_SOURCE_SAMPLE_HITS,
			    .rate = 524288,
			    .watched_ns = 30 * NSEC_PER_SEC,
			    .attached_ns = 29 * NSEC_PER_SEC,
			    .windows = 1,
			    .hits = 2378,
			    .lost = 3,
			    .missing = "",
			    .ended = "the process is gone"},
		.in_use_known = true,
		.groups = groups,
		.n_groups = ARRAY_SIZE(groups),
	};

	return &all;
}
