// SPDX-License-Identifier: Apache-2.0
#include "sample_scheduling.h"

#include <stdio.h>

static struct report_held held(const struct report_site *site)
{
	struct report_held held = {.at = site};

	snprintf(held.site, sizeof(held.site), "%s", site->id);
	return held;
}

struct report_scheduling sample_scheduling(const struct report_site *sites)
{
	struct report_scheduling scheduling = {
		.view =
			{
				.latencies_known = true,
				.over_10ms = 1009,
				.over_10ms_new = 58,
				.since_ns = 5 * NSEC_PER_SEC,
				.late = {{18, 230 * NSEC_PER_MSEC, true, false, false},
					 {19, 5 * NSEC_PER_SEC, false, true, false},
					 {23, 130 * NSEC_PER_MSEC, false, false, true}},
				.n_late = 3,
				.more_late = 10,
				.hogs = {{7, 3 * NSEC_PER_SEC, true, 1},
					 {8, 15 * NSEC_PER_SEC, false, 3}},
				.n_hogs = 2,
				.stuck = {{{.goid = 21, .tid = 4713}, 120 * NSEC_PER_SEC},
					  {{.goid = 22, .tid = 4714, .in_c = true},
					   19 * NSEC_PER_SEC}},
				.n_stuck = 2,
				.more_stuck = 3,
				.processors = 4,
				.cpu = {.run_delay_known = true,
					.throttled_known = true,
					.stolen_known = true,
					.run_delay_ns = 13 * NSEC_PER_MSEC,
					.stolen_ns = 17 * NSEC_PER_MSEC,
					.host_processors = 8},
				.in_calls = 388,
				.locked = 3,
				.rise = {12, 400, 120 * NSEC_PER_SEC},
				.left_out = 17,
			},
		.looked_at = 256,
		.groups = {{"read", "files below /mnt/\x1b[31mx", false, 250},
			   {"futex", "", true, 6}},
		.n_groups = 2,
	};

	scheduling.late[0] = held(&sites[0]);
	scheduling.hogs[0] = held(&sites[1]);
	scheduling.stuck[0] = held(&sites[0]);
	snprintf(scheduling.stuck[0].call, REPORT_CALL_SIZE, "read(3: /run/fifo)");
	snprintf(scheduling.stuck[1].call, REPORT_CALL_SIZE, "openat(\"/mnt/\x1b[31mx\")");
	return scheduling;
}
