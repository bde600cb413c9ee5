// SPDX-License-Identifier: Apache-2.0
#include "host/priority.h"

void priority__first(struct priority *priority)
{
	const struct sched_param lowest = {.sched_priority = 1};

	if (priority->first)
		return;
	priority->policy = sched_getscheduler(0);
	priority->first = priority->policy >= 0 && !sched_getparam(0, &priority->param) &&
			  !sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &lowest);
}

void priority__as_before(struct priority *priority)
{
	if (priority->first)
		(void)sched_setscheduler(0, priority->policy, &priority->param);
	priority->first = false;
}
