/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_RECORD_GO_TRACE_H
#define GLEAKD_RECORD_GO_TRACE_H

/*
 * Reads an execution trace that a Go program has made of itself (runtime/trace, go test -trace, a flight
 * recorder), to be laid over a recording of the same process: since Go 1.25 it says what its clock was by
 * CLOCK_MONOTONIC. It is foreign data.
 */
#include "base/failure.h"
#include "output/timeline.h"

#define GO_TRACE_MAX_BYTES	((size_t)1 << 30)
#define GO_TRACE_MAX_EVENTS	((size_t)4 << 20) /* of one generation, which is a second or so */
#define GO_TRACE_MAX_STATES	((size_t)2 << 20)
#define GO_TRACE_MAX_GOROUTINES ((size_t)1 << 20)
#define GO_TRACE_MAX_SPANS	((size_t)1 << 18) /* regions, collections and stops, each */
#define GO_TRACE_MAX_LEVELS	((size_t)1 << 18) /* of each series */

struct go_trace;

/*
 * go_trace__open - the file at @path, made by a process whose clock is @offset_ns ahead of the
 * host's. Errors in words: those of open(2); -EPROTO it is no trace, or damaged; -EOPNOTSUPP of a
 * version of Go that tells no clock, or of one that is not known yet; -E2BIG; -ENODATA nothing is
 * in it; -ENOMEM.
 */
int go_trace__open(const char *path, int64_t offset_ns, struct go_trace **ret_trace,
		   struct failure *failure) __must_check;

/* go_trace__open_bytes - the same of a file in memory, which is called @path. */
int go_trace__open_bytes(const void *bytes, size_t size, const char *path, int64_t offset_ns,
			 struct go_trace **ret_trace, struct failure *failure) __must_check;
void go_trace__free(struct go_trace *trace);

/* go_trace__timeline - valid until the trace is freed. */
const struct timeline_trace *go_trace__timeline(const struct go_trace *trace);

/* Goroutines of which both saw the beginning. */
struct go_trace_births {
	uint64_t agree, differ;
};

/*
 * go_trace__check - -EINVAL in words where it was made in another boot than @timeline, on another host, or by another
 * process than its first target: then the goroutines of the same numbers were created at other times. *@ret_births
 * has how many say so; where there are none nothing tells.
 */
int go_trace__check(const struct go_trace *trace, const struct timeline *timeline, const char *path,
		    struct go_trace_births *ret_births, struct failure *failure) __must_check;

#endif /* GLEAKD_RECORD_GO_TRACE_H */
