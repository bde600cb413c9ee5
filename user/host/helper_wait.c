// SPDX-License-Identifier: Apache-2.0
#include "host/helper_wait.h"

static uint64_t grown(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

/*
 * In which it was ready, and had no processor. The kernel counts that when it gets one (kernel/sched/stats.h,
 * sched_info_arrive): of who has none yet, whatever it has not used was spent so.
 */
static uint64_t starved(const struct helper_wait *wait, const struct helper_progress *now,
			uint64_t passed_ns)
{
	uint64_t used_ns = grown(now->cpu_ns, wait->last.cpu_ns);

	if (now->state == 'R')
		return grown(passed_ns, used_ns);
	return grown(now->starved_ns, wait->last.starved_ns);
}

bool helper_wait__step(struct helper_wait *wait, const struct helper_progress *now,
		       uint64_t passed_ns)
{
	uint64_t step_ns = min_of(passed_ns, HELPER_WAIT_STEP_NS);
	uint64_t could_ns = grown(step_ns, starved(wait, now, passed_ns));

	wait->left_ns = grown(wait->left_ns, could_ns);
	wait->most_ns = grown(wait->most_ns, passed_ns);
	wait->last = *now;
	return wait->left_ns && wait->most_ns;
}
