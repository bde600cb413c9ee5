// SPDX-License-Identifier: Apache-2.0
#include "probe/calibration.h"

static const char *const names[CALIBRATION_KINDS] = {
	[CALIBRATION_CALL] = "call",
	[CALIBRATION_JUMP] = "jump",
	[CALIBRATION_BRANCH] = "branch",
	[CALIBRATION_PUSH] = "push",
	[CALIBRATION_SINGLE_STEP] = "single-step",
};

const char *calibration_kind__name(enum calibration_kind kind)
{
	return (size_t)kind < ARRAY_SIZE(names) ? names[kind] : "unknown";
}

/* One trap each, and little besides: the mean of all is steadier than any of them. */
static uint64_t emulated_ns(const struct calibration *calibration)
{
	uint64_t sum = 0, n = 0;

	for (enum calibration_kind kind = CALIBRATION_JUMP; kind <= CALIBRATION_PUSH; kind++) {
		sum += calibration->ns[kind];
		n += calibration->ns[kind] > 0;
	}
	return n ? sum / n : 0;
}

uint64_t calibration__ns(const struct calibration *calibration, enum probe_event event,
			 const struct probe_site *site)
{
	uint32_t percent = max_of(calibration->cold_percent, 100u);

	if (!site->present)
		return 0;
	/* What a single step needs beyond a trap does not come from caches. */
	if (site->class == PROBE_CLASS_SINGLE_STEP)
		return calibration->ns[CALIBRATION_SINGLE_STEP];
	/* Reading a stack takes about as long as the trap. */
	if (event == PROBE_EVENT_WAKE)
		return emulated_ns(calibration) * 2 * percent / 100;
	/* Creations are seen at calls, and have more to tell. */
	if (event == PROBE_EVENT_CREATE)
		return calibration->ns[CALIBRATION_CALL] * percent / 100;
	return emulated_ns(calibration) * percent / 100;
}
