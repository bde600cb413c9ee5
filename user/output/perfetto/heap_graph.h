/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_PERFETTO_HEAP_GRAPH_H
#define GLEAKD_OUTPUT_PERFETTO_HEAP_GRAPH_H

/*
 * Who holds the heap, as the graph that Perfetto's heap explorer opens. An object of the graph is all objects that
 * stand at one place, with the bytes of them together; what is too small to be told of is one object, too, so
 * that the whole is what is alive.
 */
#include "output/perfetto/packets.h"
#include "output/report.h"

/* perfetto_heap_graph__put - at @time_ns; nothing where nobody looked. @number: the how-manieth of the trace. */
void perfetto_heap_graph__put(struct packets *packets, const struct report_target *target,
			      uint32_t number, uint64_t time_ns);

#endif /* GLEAKD_OUTPUT_PERFETTO_HEAP_GRAPH_H */
