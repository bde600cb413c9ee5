/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_PERFETTO_TRACE_H
#define GLEAKD_OUTPUT_PERFETTO_TRACE_H

/*
 * A recording as a trace for Perfetto: for each process a track, below it counters of goroutines by site and
 * of memory, cycles of the collector, verdicts, and a track for each of the goroutines that lived longest,
 * whose parks are slices named after what they waited for; and at its end stacks, by goroutines that stand
 * there and by bytes that are in use, and who holds the heap. Times are those of CLOCK_MONOTONIC, which snapshots
 * relate to others.
 */
#include <stdio.h>

#include "output/timeline.h"

/* More tracks than that nobody finds anything in. */
#define PERFETTO_MAX_SITES	100u
#define PERFETTO_MAX_LIVES	300u
#define PERFETTO_MAX_RESOURCES	100u
#define PERFETTO_MAX_ALLOCATORS 50u

/* perfetto__write - -ENOMEM, or the error of writing. */
int perfetto__write(FILE *out, const struct timeline *timeline) __must_check;

/*
 * perfetto__write_report - what of it a report has: stacks and heap of one moment, on the wall clock, which is
 * the only one that it has.
 */
int perfetto__write_report(FILE *out, const struct report *report) __must_check;

#endif /* GLEAKD_OUTPUT_PERFETTO_TRACE_H */
