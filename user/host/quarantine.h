/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_QUARANTINE_H
#define GLEAKD_HOST_QUARANTINE_H

/*
 * Processes that are left alone for a while, since looking at them took too long; and users, when it was
 * QUARANTINE_STRIKES of their processes. All zero: empty. Owners as host/owner.h has them; what is the
 * host's own is never taken together.
 */
#include <sys/types.h>

#include "base/common.h"
#include "host/process.h"

#define QUARANTINE_MAX	   64
#define QUARANTINE_STRIKES 3

struct quarantine_entry {
	struct process_id id;
	uid_t owner;
	uint64_t until_ns; /* CLOCK_MONOTONIC */
};

struct quarantine {
	struct quarantine_entry entries[QUARANTINE_MAX];
	size_t n; /* beyond QUARANTINE_MAX the oldest are forgotten */
};

void quarantine__put(struct quarantine *quarantine, pid_t pid, uint64_t now_ns);
bool quarantine__has(struct quarantine *quarantine, pid_t pid, uint64_t now_ns);
size_t quarantine__count(struct quarantine *quarantine, uint64_t now_ns);

/* quarantine__resume - what an earlier gleakd knew: until then at the latest, if it still is that process. */
void quarantine__resume(struct quarantine *quarantine, const struct quarantine_entry *entry,
			uint64_t now_ns);

#endif /* GLEAKD_HOST_QUARANTINE_H */
