// SPDX-License-Identifier: Apache-2.0
#include "broker/watch.h"

#include <string.h>
#include <sys/syscall.h>

/*
 * Whether it waits for a file, in the same call as before: a file that is long is read in many. FUSE lets readers wait
 * so that signals reach them (fs/fuse/dev.c request_wait_answer).
 */
static bool waits(const struct worker_doing *before, const struct worker_doing *now)
{
	int64_t number = now->call.number;

	return !memcmp(&before->call, &now->call, offsetof(struct task_call, switches)) &&
	       (now->state == 'D' || number == SYS_read || number == SYS_pread64);
}

enum worker_state worker_watch__look(struct worker_watch *watch, const struct worker_doing *now)
{
	struct worker_doing before = watch->last;

	watch->last = *now;
	if (now->requests != before.requests || !watch->begun) {
		watch->begun = true;
		watch->cpu_ns = now->cpu_ns;
		watch->seconds = 0;
		return WORKER_WORKS;
	}
	watch->seconds = waits(&before, now) ? watch->seconds + 1 : 0;
	if (watch->seconds >= WORKER_STUCK_SECONDS)
		return WORKER_IS_STUCK;
	return now->cpu_ns - watch->cpu_ns >= WORKER_SPIN_SECONDS * NSEC_PER_SEC ? WORKER_SPINS :
										   WORKER_WORKS;
}
