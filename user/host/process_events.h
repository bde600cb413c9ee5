/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_HOST_PROCESS_EVENTS_H
#define GLEAKD_HOST_PROCESS_EVENTS_H

/*
 * Tells which processes execute a program and which end, at the moment they do (BPF programs on two
 * tracepoints, bpf/processes.bpf.c). It is in host/ and not in probe/ with the other programs,
 * because it knows nothing of Go.
 *
 * It does not tell everything: it needs Linux 5.15 with BTF, records are lost when the reader is
 * late, and a process that forks and executes nothing is not reported. To find all processes, sweep
 * /proc now and then.
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
	pid_t pid;	  /* in our pid namespace; processes outside of it are not reported */
	uint64_t time_ns; /* CLOCK_MONOTONIC */
};

/*
 * Called in the order of the ring buffer, which is the order of time, except for events that
 * different processors record within microseconds. The end of a process with several threads may be
 * reported more than once.
 */
typedef void (*process_event_fn)(void *ctx, const struct process_event *event);

struct process_events;

/* One storm of 5,000 processes that start and end before the reader comes. */
#define PROCESS_EVENTS_RING_BYTES (256u << 10)

/*
 * process_events__open - load the programs and attach them. Errors: -EOPNOTSUPP this kernel cannot
 * do it, -EPERM not permitted, -ENOMEM. After any of them the caller can still sweep /proc.
 */
int process_events__open(process_event_fn fn, void *ctx, struct process_events **ret_events,
			 struct failure *failure) __must_check;
void process_events__free(struct process_events *events);

/* process_events__fd - readable when the ring is a quarter full: for epoll. */
int process_events__fd(const struct process_events *events);

/*
 * process_events__consume - read what is there now, at most one ringful. Never blocks. Call it when
 * the descriptor is readable, and every second or so, because a few events do not wake the reader.
 * Returns how many events there were.
 */
size_t process_events__consume(struct process_events *events);

/*
 * process_events__lost - records that found no room since the start. When the number grows,
 * processes came and went unreported: sweep /proc.
 */
uint64_t process_events__lost(const struct process_events *events);

/* process_events__malformed - records that made no sense. */
uint64_t process_events__malformed(const struct process_events *events);

#endif /* GLEAKD_HOST_PROCESS_EVENTS_H */
