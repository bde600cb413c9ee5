/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_QUARANTINE_H
#define GLEAKD_HOST_QUARANTINE_H

/*
 * Processes that are left alone for a while, since looking at them took too long; and users, when it was
 * QUARANTINE_STRIKES of their processes. All zero: empty. Owners as host/owner.h has them; what is the
 * host's own is not taken together, unless QUARANTINE_HOST_WAITS of those who looked at it wait still.
 *
 * While somebody waits still the while begins anew: else a user could have some more of them wait each time that it is
 * over, until there is nobody left to look at anything.
 */
#include <sys/types.h>

#include "base/common.h"
#include "host/process.h"

#define QUARANTINE_MAX	   64
#define QUARANTINE_STRIKES 3
/* Half of those who may wait: ACCESS_GUARD_LEFT_BEHIND. */
#define QUARANTINE_HOST_WAITS 16

struct quarantine_entry {
	struct process_id id;
	uid_t owner;
	uint64_t until_ns; /* CLOCK_MONOTONIC */
	uint32_t waits;	   /* so many who looked at it do */
};

struct quarantine {
	struct quarantine_entry entries[QUARANTINE_MAX];
	size_t n; /* beyond QUARANTINE_MAX the oldest are forgotten */
};

/* quarantine__put - returns which process that is now. */
struct process_id quarantine__put(struct quarantine *quarantine, pid_t pid, uint64_t now_ns);

/* quarantine__waits - somebody who looked at @id, which has just been put there, waits still; _answered: no longer. */
void quarantine__waits(struct quarantine *quarantine, struct process_id id);
void quarantine__answered(struct quarantine *quarantine, struct process_id id, uint64_t now_ns);

bool quarantine__has(struct quarantine *quarantine, pid_t pid, uint64_t now_ns);
size_t quarantine__count(struct quarantine *quarantine, uint64_t now_ns);

/* quarantine__resume - what an earlier gleakd knew: until then at the latest, if it still is that process. */
void quarantine__resume(struct quarantine *quarantine, const struct quarantine_entry *entry,
			uint64_t now_ns);

#endif /* GLEAKD_HOST_QUARANTINE_H */
