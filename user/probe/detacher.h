/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_PROBE_DETACHER_H
#define GLEAKD_PROBE_DETACHER_H

/*
 * Detaches probes in threads of its own. The kernel waits for a grace period before a uprobe is
 * gone (kernel/events/uprobes.c uprobe_unregister_sync), 40 to 150 ms each. In the loop that would
 * be ten seconds for a SIGTERM with fifty targets, and a tenth of a second without reading the ring
 * buffer for each process that ends. Threads that wait at the same time wait for the same grace
 * period.
 */
#include "base/common.h"
#include "probe/links.h"
#include "probe/plan.h"

struct detacher;

/* What one attachment holds; the detacher takes it over. */
struct detachment {
	struct probe_link links[PROBE_EVENT_COUNT];
	pid_t pid;
	bool gives_slot; /* @slot may be used again when all of @links are gone */
	size_t slot;
};

int detacher__new(struct detacher **ret_detacher) __must_check;
/* detacher__free - waits until everything that was taken over is detached. */
void detacher__free(struct detacher *detacher);

/*
 * detacher__take - take @detachment over and return at once. Without memory or threads it detaches
 * before it returns.
 */
void detacher__take(struct detacher *detacher, const struct detachment *detachment);

/* detacher__slot - a slot that can be used again; false: none for now. */
bool detacher__slot(struct detacher *detacher, size_t *ret_slot);

/* detacher__wait - wait until no probe of process @pid is left, 0: of any process. */
void detacher__wait(struct detacher *detacher, pid_t pid);

#endif /* GLEAKD_PROBE_DETACHER_H */
