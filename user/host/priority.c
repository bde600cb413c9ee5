// SPDX-License-Identifier: Apache-2.0
#include "host/priority.h"

void priority__first(struct priority *priority, pid_t thread)
{
	const struct sched_param lowest = {.sched_priority = 1};

	if (priority->first)
		return;
	priority->thread = thread;
	priority->policy = sched_getscheduler(thread);
	priority->first = priority->policy >= 0 && !sched_getparam(thread, &priority->param) &&
			  !sched_setscheduler(thread, SCHED_FIFO | SCHED_RESET_ON_FORK, &lowest);
}

void priority__as_before(struct priority *priority)
{
	if (priority->first)
		(void)sched_setscheduler(priority->thread, priority->policy, &priority->param);
	priority->first = false;
}
