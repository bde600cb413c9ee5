/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_PERFETTO_EXECUTION_H
#define GLEAKD_OUTPUT_PERFETTO_EXECUTION_H

/* An execution trace of Go beside what was recorded: tracks below that of its process. */
#include "output/perfetto/packets.h"
#include "output/timeline.h"

/*
 * perfetto_execution__put - collections, stops, the heap; of goroutines those PERFETTO_MAX_LIVES that ran longest, and
 * their regions.
 */
void perfetto_execution__put(struct packets *packets, uint64_t process,
			     const struct timeline_trace *trace);

#endif /* GLEAKD_OUTPUT_PERFETTO_EXECUTION_H */
