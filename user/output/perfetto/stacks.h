/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_PERFETTO_STACKS_H
#define GLEAKD_OUTPUT_PERFETTO_STACKS_H

/* Stacks at the end of a recording, each weighted by what stands for it. */
#include "output/perfetto/packets.h"
#include "output/timeline.h"

/* perfetto_stacks__put - of its sites by goroutines, of its allocations by bytes in use, at @time_ns. */
void perfetto_stacks__put(struct packets *packets, const struct timeline_target *target,
			  uint64_t time_ns);

#endif /* GLEAKD_OUTPUT_PERFETTO_STACKS_H */
