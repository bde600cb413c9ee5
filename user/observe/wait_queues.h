/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_WAIT_QUEUES_H
#define GLEAKD_OBSERVE_WAIT_QUEUES_H

/*
 * The structs in which the runtime keeps what waits on what: sudog, hchan, semaRoot, notifyList
 * (src/runtime/runtime2.go, chan.go, sema.go). Addresses are the target's. Every walk along a list
 * is bounded and checks each step, because the target changes the lists meanwhile.
 */
#include "base/common.h"
#include "golang/layout.h"
#include "observe/wait_memory.h"

struct wait_timers;

struct wait_runtime {
	const struct go_layout *layout;
	uint64_t allp; /* 0: unknown */
	/* that are armed, where channels may not know; NULL: none */
	const struct wait_timers *timers;
	uint64_t semtable; /* 0: unknown */
	size_t semtable_stride;
};

struct wait_sudog {
	uint64_t g, next, prev, elem, waitlink, channel;
};

struct wait_channel {
	uint64_t length, capacity;
	uint16_t value_bytes;	     /* of what it carries; 0: it is a mere signal */
	uint64_t receivers, senders; /* first sudog of each queue */
	bool closed;
	bool timer; /* of a timer that is armed */
};

/* A count of waiters; @more: there are more than were counted. */
struct wait_count {
	uint32_t n;
	bool more;
};

/*
 * wait_queues__usable - whether the layout has every field that is needed, at an offset that makes
 * sense.
 */
bool wait_queues__usable(const struct go_layout *layout);

/* Errors of all: as wait_memory__read(), and -EINVAL for what cannot be such a thing. */
int wait_queues__sudog(const struct wait_runtime *runtime, struct wait_memory *memory,
		       uint64_t address, struct wait_sudog *ret_sudog) __must_check;
int wait_queues__channel(const struct wait_runtime *runtime, struct wait_memory *memory,
			 uint64_t address, struct wait_channel *ret_channel) __must_check;

/* wait_queues__count_channel - what waits on @channel in the queue that begins with @first. */
struct wait_count wait_queues__count_channel(const struct wait_runtime *runtime,
					     struct wait_memory *memory, uint64_t channel,
					     uint64_t first, uint32_t limit);

/* wait_queues__count_semaphore - what waits on the semaphore word at @semaphore. */
struct wait_count wait_queues__count_semaphore(const struct wait_runtime *runtime,
					       struct wait_memory *memory, uint64_t semaphore,
					       uint32_t limit);

/*
 * wait_queues__count_notify_list - what waits on the sync.Cond whose notifyList is at @list.
 * @ret_found: whether @g is among those counted.
 */
struct wait_count wait_queues__count_notify_list(const struct wait_runtime *runtime,
						 struct wait_memory *memory, uint64_t list,
						 uint64_t g, uint32_t limit, bool *ret_found);

#endif /* GLEAKD_OBSERVE_WAIT_QUEUES_H */
