// SPDX-License-Identifier: Apache-2.0
#include "session/target_still.h"

#include "base/clock.h"
#include "base/log.h"
#include "session/goroutines/target_scheduling.h"
#include "session/target_internal.h"

/* Whether it has used any processor time since this was asked for the last time. */
static bool has_computed(struct target *target)
{
	uint64_t before_ns = target->still.cpu_ns;

	if (process__cpu_ns(target->process.id.pid, &target->still.cpu_ns))
		target->still.cpu_ns = 0;
	return !before_ns || target->still.cpu_ns != before_ns;
}

/* Whether it has not run since the last census that read anything began; if it has, the next compares with now. */
static bool has_rested(struct target *target)
{
	struct target_still *still = &target->still;
	const char *proc_root = target->options.proc_root;
	pid_t pid = target->process.id.pid;

	if (has_computed(target)) {
		still->rest_ns = 0;
		return false;
	}
	if (still->rest_ns && process__rests_since(proc_root, pid, &still->rest))
		return true;
	still->rest_ns = clock__monotonic_ns();
	if (process__rest(proc_root, pid, &still->rest))
		still->rest_ns = 0;
	return false;
}

/* A list shows goroutines in full. */
static bool is_to_list(const struct target *target)
{
	return target->options.list_goroutines || target->listing == LISTING_WANTED ||
	       target->listing == LISTING_UNDER_WAY;
}

/* --- a census ------------------------------------------------------------------------------------ */

struct carried {
	struct target *target;
	uint64_t started_ns;
};

static void tell_unchanged(void *ctx, uint64_t goid)
{
	const struct carried *carried = ctx;

	target_scheduling__unchanged(carried->target->scheduling, goid, carried->started_ns);
}

bool target_still__census(struct target *target, uint64_t started_ns)
{
	struct carried carried = {target, started_ns};

	target->still.now = false;
	if (is_to_list(target) || !has_rested(target) || !census__carries_on(target->census) ||
	    !tracker__is_as_censused(target->tracker))
		return false;
	log_debug("pid %d: it has not run since the last census", target->process.id.pid);
	census__carry_on(target->census, started_ns);
	tracker__census_begin(target->tracker, started_ns);
	target_scheduling__begin(target->scheduling);
	tracker__census_all_unchanged(target->tracker, tell_unchanged, &carried);
	target->still.now = true;
	target->census_open = true;
	return true;
}

bool target_still__since(const struct target *target, uint64_t read_ns)
{
	const struct target_still *still = &target->still;
	uint64_t cpu_ns;

	return still->now && read_ns >= still->rest_ns && !target->census_open &&
	       !process__cpu_ns(target->process.id.pid, &cpu_ns) && cpu_ns == still->cpu_ns;
}
