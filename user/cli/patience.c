// SPDX-License-Identifier: Apache-2.0
#include "cli/patience.h"

#include "base/clock.h"

bool patience__is_over(void *ctx)
{
	const struct patience *patience = ctx;
	struct rounds *rounds = patience->rounds;
	uint64_t now_ns = clock__monotonic_ns();

	if (rounds__meanwhile(rounds) && patience->seconds && rounds->ops->second)
		rounds->ops->second(rounds->ctx, now_ns);
	return now_ns >= patience->end_ns || rounds->err ||
	       (!patience->unto_end && rounds__end_is_pending());
}
