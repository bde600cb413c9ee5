// SPDX-License-Identifier: Apache-2.0
#include "cli/heap_looks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "session/target_heap.h"
#include "session/target_resources.h"

#define PAUSE_NS (10 * NSEC_PER_SEC)
/* And so many times as long as the last look has taken. */
#define PAUSE_LOOKS 20
/* A heap that takes longer to read, each of so many times, is not looked at any more. */
#define LONG_LOOK_NS (10 * NSEC_PER_SEC)
#define MAX_TRIES    3
/* The search for what leaks may end first, if it does so soon: else it begins anew. */
#define PATIENCE_NS (5 * NSEC_PER_SEC)

/* Of one target, by its place in the session. */
struct looked {
	uint64_t due_ns;
	unsigned int tries; /* that took too long, one after the other */
	bool gave_up;
};

struct heap_looks {
	uint64_t max_memory;
	struct looked *looked;
	size_t capacity;
};

int heap_looks__new(uint64_t max_memory, struct heap_looks **ret_looks)
{
	struct heap_looks *looks = calloc(1, sizeof(*looks));

	if (!looks)
		return -ENOMEM;
	looks->max_memory = max_memory;
	*ret_looks = looks;
	return 0;
}

void heap_looks__free(struct heap_looks *looks)
{
	if (!looks)
		return;
	free(looks->looked);
	free(looks);
}

struct patience {
	struct session *session;
	uint64_t end_ns;
};

/* Events go on to come while the heap is read. */
static bool is_over(void *ctx)
{
	const struct patience *patience = ctx;

	session__drain(patience->session);
	return clock__monotonic_ns() >= patience->end_ns || rounds__end_is_pending();
}

static int look_at(const struct heap_looks *looks, struct looked *looked, struct rounds *rounds,
		   struct target *target, uint64_t now_ns)
{
	struct patience patience = {rounds->session, now_ns + LONG_LOOK_NS};
	const struct target_view_options options = {
		.max_memory = looks->max_memory,
		.keep = true,
		.interrupted = is_over,
		.ctx = &patience,
	};
	struct failure failure = {""};
	int err = target_resources__take(target, &options, &failure);
	uint64_t end_ns = clock__monotonic_ns(), pause_ns = PAUSE_NS;

	if (!err)
		pause_ns = max_of((end_ns - now_ns) * PAUSE_LOOKS, pause_ns);
	looked->due_ns = end_ns + pause_ns;
	if (err == -ENOMEM)
		return failure__set(&rounds->failure, err, "%s", failure.text);
	if (!err)
		looked->tries = 0;
	if (!err || err == -ESRCH ||
	    (err == -EINTR && (rounds__end_is_pending() || ++looked->tries < MAX_TRIES)))
		return 0;
	looked->gave_up = true;
	log_info("who holds the memory of process %d, and what it has open, is not recorded: %s",
		 target__pid(target),
		 err == -EINTR ? "its heap takes longer to read than events can wait" :
				 failure.text);
	return 0;
}

int heap_looks__round(struct heap_looks *looks, struct rounds *rounds, uint64_t now_ns)
{
	size_t n = session__n_targets(rounds->session), before = looks->capacity;
	int err = 0;

	if (!array__reserve(looks->looked, looks->capacity, n + 1))
		return failure__set(&rounds->failure, -ENOMEM, "out of memory");
	memset(&looks->looked[before], 0, (looks->capacity - before) * sizeof(*looks->looked));
	for (size_t i = 0; i < n && !err; i++) {
		struct target *target = session__target(rounds->session, i);
		struct looked *looked = &looks->looked[i];
		bool never = !looked->due_ns;

		if (target__state(target) != TARGET_LIVE || looked->gave_up ||
		    now_ns < looked->due_ns || (rounds->end && !never))
			continue;
		if (target_heap__is_scanning(target) && !never &&
		    now_ns < looked->due_ns + PATIENCE_NS)
			continue;
		err = look_at(looks, looked, rounds, target, clock__monotonic_ns());
	}
	return err;
}
