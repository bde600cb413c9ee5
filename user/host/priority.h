/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_PRIORITY_H
#define GLEAKD_HOST_PRIORITY_H

/* To come before everybody else on a processor, for moments in which somebody waits for gleakd. */
#include <sched.h>
#include <sys/types.h>

#include "base/common.h"

/* All zero: as it was. */
struct priority {
	pid_t thread;
	int policy; /* before */
	struct sched_param param;
	bool first;
};

/*
 * priority__first - of @thread alone, 0 this one: threads that it makes are ordinary ones. Where that is not permitted
 * (CAP_SYS_NICE) nothing changes.
 */
void priority__first(struct priority *priority, pid_t thread);

/* priority__as_before - harmless when it is. */
void priority__as_before(struct priority *priority);

#endif /* GLEAKD_HOST_PRIORITY_H */
