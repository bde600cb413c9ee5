/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_OUTPUT_PERFETTO_PACKETS_H
#define GLEAKD_OUTPUT_PERFETTO_PACKETS_H

/* Packets of a trace, written one by one. An error is kept, and nothing written after it. */
#include <stdio.h>

#include "base/common.h"
#include "trace.pb-c.h"

struct packets {
	FILE *out;
	uint64_t tracks; /* their uuids count up */
	bool began;	 /* the first packet is written */
	int err;
};

enum packet_unit { PACKET_NS = 1, PACKET_COUNT = 2, PACKET_BYTES = 3 };

/* perfetto: protos/perfetto/common/builtin_clock.proto, CLOCK_MONOTONIC */
#define PACKET_CLOCK 3

/* Of all packets that are of no other; of the others, what was interned is forgotten with each. */
#define PACKET_SEQUENCE	      1
#define PACKET_STACK_SEQUENCE 2
#define PACKET_HEAP_SEQUENCE  3 /* and on, one for each graph */

/* TracePacket.sequence_flags */
#define PACKET_CLEARED	   1
#define PACKET_NEEDS_STATE 2

/* packets__put - @packet as the next one. */
void packets__put(struct packets *packets, Gleakd__Perfetto__TracePacket *packet);

/* packets__track, packets__counter - a new track below @parent (0: none). Return its uuid. */
uint64_t packets__process(struct packets *packets, int32_t pid, const char *name);
uint64_t packets__track(struct packets *packets, uint64_t parent, const char *name);
uint64_t packets__counter(struct packets *packets, uint64_t parent, const char *name,
			  enum packet_unit unit);

void packets__value(struct packets *packets, uint64_t track, uint64_t time_ns, uint64_t value);
void packets__slice(struct packets *packets, uint64_t track, uint64_t begin_ns, uint64_t end_ns,
		    const char *name);
/* packets__begin, packets__end - of a slice that has others in it. */
void packets__begin(struct packets *packets, uint64_t track, uint64_t time_ns, const char *name);
void packets__end(struct packets *packets, uint64_t track, uint64_t time_ns);
void packets__instant(struct packets *packets, uint64_t track, uint64_t time_ns, const char *name,
		      const char *why);

#endif /* GLEAKD_OUTPUT_PERFETTO_PACKETS_H */
