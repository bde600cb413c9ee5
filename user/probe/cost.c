// SPDX-License-Identifier: Apache-2.0
#include "probe/cost.h"

const char *cost_basis__name(enum cost_basis basis)
{
	static const char *const names[] = {
		[COST_NONE] = "none",
		[COST_ASSUMED] = "assumed",
		[COST_CALIBRATED] = "calibrated",
		[COST_MEASURED] = "measured",
	};

	return (size_t)basis < ARRAY_SIZE(names) ? names[basis] : "unknown";
}
