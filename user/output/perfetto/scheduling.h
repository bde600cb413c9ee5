/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_PERFETTO_SCHEDULING_H
#define GLEAKD_OUTPUT_PERFETTO_SCHEDULING_H

/* What was held up, below the track of its process: counters, and a slice for each call that a thread stayed in. */
#include "output/perfetto/packets.h"
#include "output/timeline.h"

void perfetto_scheduling__put(struct packets *packets, uint64_t process,
			      const struct timeline_target *target);

#endif /* GLEAKD_OUTPUT_PERFETTO_SCHEDULING_H */
