// SPDX-License-Identifier: Apache-2.0
#include "cli/heap_looks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/patience.h"
#include "session/target_heap.h"
#include "session/target_resources.h"

/* A look is followed by a pause of so many times as long as it has taken, if that is longer. */
#define PAUSE_LOOKS 20
/* A heap that takes too long to read so many times is not looked at any more. */
#define MAX_TRIES 3
/* The search for what leaks may end first, if it does so soon: else it begins anew. */
#define PATIENCE_NS (5 * NSEC_PER_SEC)

/* Of one target, by its place in the session. */
struct looked {
	uint64_t due_ns;
	unsigned int tries; /* that took too long, one after the other */
	bool gave_up;
};

struct heap_looks {
	struct heap_looks_options options;
	struct looked *looked;
	size_t capacity;
};

int heap_looks__new(const struct heap_looks_options *options, struct heap_looks **ret_looks)
{
	struct heap_looks *looks = calloc(1, sizeof(*looks));

	if (!looks)
		return -ENOMEM;
	looks->options = *options;
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

static int look_at(const struct heap_looks *looks, struct looked *looked, struct rounds *rounds,
		   struct target *target, uint64_t now_ns)
{
	struct patience patience = {
		.rounds = rounds,
		.end_ns = now_ns + looks->options.max_ns,
		.seconds = true,
	};
	const struct target_view_options options = {
		.max_memory = looks->options.max_memory,
		.keep = true,
		.interrupted = patience__is_over,
		.ctx = &patience,
	};
	struct failure failure = {""};
	int err = target_resources__take(target, &options, &failure);
	uint64_t end_ns = clock__monotonic_ns(), pause_ns = looks->options.pause_ns;

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
	log_info("the heap of process %d is not looked at for who holds it and what is open: %s",
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

		if (never && looks->options.not_at_once) {
			looked->due_ns = now_ns + looks->options.pause_ns;
			continue;
		}
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
