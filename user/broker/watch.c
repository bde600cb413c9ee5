// SPDX-License-Identifier: Apache-2.0
#include "broker/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

/* FUSE lets readers wait so that signals reach them (fs/fuse/dev.c request_wait_answer). */
static bool is_reading(const char *call)
{
	int number;

	return sscanf(call, "%d ", &number) == 1 && (number == SYS_read || number == SYS_pread64);
}

/* Whether it is the last one still: a file that is long is read in many. */
static bool note_call(struct worker_watch *watch, const char *call)
{
	bool is_same = !strncmp(watch->call, call, sizeof(watch->call) - 1);

	snprintf(watch->call, sizeof(watch->call), "%s", call);
	return is_same;
}

enum worker_state worker_watch__look(struct worker_watch *watch, const char *stat, const char *call,
				     uint64_t requests, uint64_t ticks_per_second)
{
	/* Behind its name, which it may choose (proc_pid_stat(5)): state, and the times as 14th and 15th. */
	const char *rest = strrchr(stat, ')');
	uint64_t user, system;
	bool is_same;
	char state;

	if (!rest ||
	    sscanf(rest + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
		   &state, &user, &system) != 3)
		return WORKER_WORKS;
	if (requests != watch->requests || !watch->begun) {
		*watch = (struct worker_watch){
			.begun = true,
			.requests = requests,
			.ticks = user + system,
		};
		note_call(watch, call);
		return WORKER_WORKS;
	}
	is_same = note_call(watch, call);
	watch->seconds = is_same && (state == 'D' || is_reading(call)) ? watch->seconds + 1 : 0;
	if (watch->seconds >= WORKER_STUCK_SECONDS)
		return WORKER_IS_STUCK;
	return user + system - watch->ticks >= WORKER_SPIN_SECONDS * ticks_per_second ?
		       WORKER_SPINS :
		       WORKER_WORKS;
}
