/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_GOLANG_GO_STATUS_H
#define GLEAKD_GOLANG_GO_STATUS_H

/*
 * g.atomicstatus without the scan bit (src/runtime/runtime2.go); stable from Go 1.17 to 1.27. What
 * several folders want to know of one is asked here.
 */
#include "base/common.h"

enum go_status {
	GO_STATUS_IDLE = 0,
	GO_STATUS_RUNNABLE = 1,
	GO_STATUS_RUNNING = 2,
	GO_STATUS_SYSCALL = 3,
	GO_STATUS_WAITING = 4,
	GO_STATUS_DEAD = 6,
	GO_STATUS_COPYSTACK = 8,
	GO_STATUS_PREEMPTED = 9,
	GO_STATUS_LEAKED = 10,	   /* 1.26+: waiting, and the runtime's leak profile said so */
	GO_STATUS_DEAD_EXTRA = 11, /* 1.26+: idle extra M of cgo */
	GO_STATUS_SCAN_BIT = 0x1000,
};

/* go_status__of - a status as it is in memory, without the bit of a scan that may be under way. */
static inline uint32_t go_status__of(uint32_t atomicstatus)
{
	return atomicstatus & ~(uint32_t)GO_STATUS_SCAN_BIT;
}

/*
 * go_status__waits - whether it waits for something. A waiting goroutine that has an m still or again
 * runs on that thread's system stack: it is about to park, or the collector uses it.
 */
static inline bool go_status__waits(uint32_t status)
{
	return status == GO_STATUS_WAITING || status == GO_STATUS_LEAKED;
}

/* go_status__lives - whether there is a goroutine in the g. False for a number that is none of these. */
static inline bool go_status__lives(uint32_t status)
{
	switch (status) {
	case GO_STATUS_RUNNABLE:
	case GO_STATUS_RUNNING:
	case GO_STATUS_SYSCALL:
	case GO_STATUS_WAITING:
	case GO_STATUS_COPYSTACK:
	case GO_STATUS_PREEMPTED:
	case GO_STATUS_LEAKED:
		return true;
	default:
		return false;
	}
}

/* go_status__is_free - whether the g waits for its next goroutine. False likewise. */
static inline bool go_status__is_free(uint32_t status)
{
	return status == GO_STATUS_IDLE || status == GO_STATUS_DEAD ||
	       status == GO_STATUS_DEAD_EXTRA;
}

#endif /* GLEAKD_GOLANG_GO_STATUS_H */
