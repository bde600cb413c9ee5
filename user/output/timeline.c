// SPDX-License-Identifier: Apache-2.0
#include "output/timeline.h"

uint64_t timeline__realtime_ns(const struct timeline *timeline, uint64_t monotonic_ns)
{
	const struct timeline_clock *clock = timeline->clocks;

	if (!timeline->n_clocks)
		return 0;
	for (size_t i = 1; i < timeline->n_clocks; i++) {
		if (timeline->clocks[i].monotonic_ns > monotonic_ns)
			break;
		clock = &timeline->clocks[i];
	}
	return clock->realtime_ns + monotonic_ns - clock->monotonic_ns;
}

const struct timeline_target *timeline__find(const struct timeline *timeline,
					     const struct report_target *target)
{
	for (size_t i = 0; timeline && i < timeline->n_targets; i++) {
		if (timeline->targets[i].target == target)
			return &timeline->targets[i];
	}
	return NULL;
}
