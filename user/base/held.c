// SPDX-License-Identifier: Apache-2.0
#include "base/held.h"

#include "base/clock.h"

static struct {
	enum held_by by;
	uint64_t began_ns;
	struct loop_hold longest;
} now;

const char *held_by__name(enum held_by by)
{
	static const char *const names[HELD_BY_COUNT] = {
		[HELD_BY_NOTHING] = "nothing", [HELD_BY_OTHERS] = "others",
		[HELD_BY_EVENTS] = "events",   [HELD_BY_PROCESSES] = "processes",
		[HELD_BY_PROBES] = "probes",   [HELD_BY_CENSUS] = "census",
		[HELD_BY_HEAP] = "heap",       [HELD_BY_REPORT] = "report",
	};

	return (unsigned int)by < HELD_BY_COUNT ? names[by] : names[HELD_BY_OTHERS];
}

void held__by(enum held_by by)
{
	uint64_t now_ns = clock__monotonic_ns();

	if (now.by != HELD_BY_NOTHING && now_ns - now.began_ns > now.longest.ns)
		now.longest = (struct loop_hold){now_ns - now.began_ns, now.by};
	now.by = by;
	now.began_ns = now_ns;
}

struct loop_hold held__take(void)
{
	struct loop_hold longest = now.longest;

	now.longest = (struct loop_hold){.ns = 0};
	return longest;
}
