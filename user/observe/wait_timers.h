/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OBSERVE_WAIT_TIMERS_H
#define GLEAKD_OBSERVE_WAIT_TIMERS_H

/*
 * The channels that armed timers will send to, by the timer heaps of the Ps. Before Go 1.23, and where
 * asynctimerchan=1 is in force, a channel does not know its timer; the timer knows the channel: it is
 * the argument of its function (src/time/sleep.go sendTime). From 1.27 on asynctimerchan is gone.
 */
#include "observe/wait_memory.h"
#include "observe/wait_queues.h"

#define WAIT_TIMERS_MAX 16384 /* timers that are looked at, of all Ps together */

struct wait_timers {
	size_t n;
	uint64_t *arguments; /* owned; rising; most are addresses of channels */
};

/* wait_timers__useful - whether channels of this Go version may not know their timers. */
bool wait_timers__useful(const struct wait_runtime *runtime);

/*
 * wait_timers__read - of all Ps, as far as they can be read: the heaps change meanwhile. -ENOMEM, and
 * then there are none.
 */
int wait_timers__read(const struct wait_runtime *runtime, struct wait_memory *memory,
		      struct wait_timers *ret_timers) __must_check;
void wait_timers__clear(struct wait_timers *timers);

/* wait_timers__will_send - whether an armed timer has @channel. */
bool wait_timers__will_send(const struct wait_timers *timers, uint64_t channel);

#endif /* GLEAKD_OBSERVE_WAIT_TIMERS_H */
