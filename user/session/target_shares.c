// SPDX-License-Identifier: Apache-2.0
/* What a target takes of gleakd, and how it is kept from taking more (session/shares.h). */
#include "host/owner.h"
#include "session/target_internal.h"

uid_t target__owner(const struct target *target)
{
	return target->owner;
}

uint64_t target__memory(const struct target *target)
{
	return tracker__memory(target->tracker) + census__memory(target->census) +
	       executable__memory(target->executable);
}

/* Stacks are shared among a user's processes of one program: all of them may be over the limit, or none. */
void target__freeze(struct target *target, bool frozen)
{
	target->frozen = frozen;
	tracker__freeze(target->tracker, frozen);
	census__freeze(target->census, frozen);
	stack_table__freeze(target->executable->stacks, frozen);
}

bool target__is_frozen(const struct target *target)
{
	return target->frozen;
}

uint64_t target__take_cpu(struct target *target)
{
	uint64_t before = target->taken_cpu_ns;

	target->taken_cpu_ns = census__cpu_ns(target->census);
	return target->taken_cpu_ns - before;
}

unsigned int target__stretch(const struct target *target)
{
	return max_of(target->stretch, 1u);
}

void target__set_stretch(struct target *target, unsigned int stretch)
{
	target->stretch = stretch;
	target->rounds_left = min_of(target->rounds_left, stretch - 1);
}

bool target__takes_turn(struct target *target)
{
	if (census__running(target->census))
		return false;
	if (target->rounds_left) {
		target->rounds_left--;
		return false;
	}
	target->rounds_left = target__stretch(target) - 1;
	return true;
}

bool target__census_under_way(const struct target *target)
{
	return target->state == TARGET_LIVE && target->census_open &&
	       (census__running(target->census) || target->still.now);
}
