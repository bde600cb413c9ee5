/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_SESSION_TARGET_STILL_H
#define GLEAKD_SESSION_TARGET_STILL_H

/*
 * Of a process none of whose threads has run since the last census began, another census would read the same:
 * goroutines, their states and stacks, and what the runtime counts. It is the last one once more then, and nothing is
 * read. A host has many such services: a Go runtime that has nothing to do sleeps, and wakes up once a minute to see
 * whether a collection is due.
 *
 * That nothing has run is told by the kernel's counts of how often each thread has given up its processor. They are
 * asked for only where the processor time of the process is what it was, which is one system call for all others; time
 * alone would not do, since a run of microseconds may be booked as time that the hypervisor has stolen.
 */
#include "session/target.h"

/*
 * target_still__census - when a census is to begin: whether the process has not run since the last one, and the census
 * is done by that. target__census_finish() is still to be called.
 */
bool target_still__census(struct target *target, uint64_t started_ns);

/*
 * target_still__since - whether the process has not run since @read_ns (0: never), as the last census found and its
 * processor time says: for figures that were read then.
 */
bool target_still__since(const struct target *target, uint64_t read_ns);

#endif /* GLEAKD_SESSION_TARGET_STILL_H */
