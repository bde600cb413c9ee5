/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_PROCESS_EVENTS_H
#define GLEAKD_HOST_PROCESS_EVENTS_H

/*
 * Processes that execute a program and processes that end, as the kernel tells at the moment (BPF
 * programs on two tracepoints, bpf/processes.bpf.c). In host/ and not in probe/, where the other
 * programs are: it knows processes and nothing of Go.
 *
 * Not the whole truth: needs Linux 5.15 with BTF; records are lost when the reader is late; and
 * processes that fork without executing anything are not told of. Whoever needs all of them looks
 * through /proc now and then.
 */
#include <sys/types.h>

#include "base/common.h"
#include "base/failure.h"

enum process_event_kind {
	PROCESS_EXECUTED, /* runs another program from now on */
	PROCESS_ENDED,	  /* its last thread is ending: /proc may show it for a moment yet */
};

struct process_event {
	enum process_event_kind kind;
	pid_t pid;	  /* as this process sees it; those it cannot see are not told of */
	uint64_t time_ns; /* CLOCK_MONOTONIC */
};

/*
 * Called in the order of the ring buffer, which is that of time but for events of different
 * processors within microseconds. The end of a process with threads may be told more than once.
 */
typedef void (*process_event_fn)(void *ctx, const struct process_event *event);

struct process_events;

/* One storm of 5,000 processes that start and end before the reader comes. */
#define PROCESS_EVENTS_RING_BYTES (256u << 10)

/*
 * process_events__open - load, attach, begin.
 * Errors: -EOPNOTSUPP this kernel cannot do it, -EPERM not permitted, -ENOMEM. With none of them is
 * anything wrong that keeps a caller from looking through /proc instead.
 */
int process_events__open(process_event_fn fn, void *ctx, struct process_events **ret_events,
			 struct failure *failure) __must_check;
void process_events__free(struct process_events *events);

/* process_events__fd - readable when the ring is a quarter full: for epoll. */
int process_events__fd(const struct process_events *events);

/*
 * process_events__consume - what is there now, at most a ringful. Never blocks. To be called when
 * the descriptor is readable and otherwise every second or so: a few events wake nobody.
 * Returns how many there were.
 */
size_t process_events__consume(struct process_events *events);

/*
 * process_events__lost - records that found no room, from the beginning. When it grows, processes
 * have come and gone untold: time to look through /proc.
 */
uint64_t process_events__lost(const struct process_events *events);

/* process_events__malformed - records that made no sense. */
uint64_t process_events__malformed(const struct process_events *events);

#endif /* GLEAKD_HOST_PROCESS_EVENTS_H */
