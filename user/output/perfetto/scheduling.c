// SPDX-License-Identifier: Apache-2.0
#include "output/perfetto/scheduling.h"

#include <inttypes.h>

static void put_points(struct packets *packets, uint64_t process,
		       const struct timeline_target *target)
{
	uint64_t over = packets__counter(packets, process, "latency_over_10ms", PACKET_COUNT);
	uint64_t late = packets__counter(packets, process, "late goroutines", PACKET_COUNT);
	uint64_t hogs = packets__counter(packets, process, "keep a processor", PACKET_COUNT);
	uint64_t throttled = packets__counter(packets, process, "throttled", PACKET_NS);
	uint64_t delay =
		packets__counter(packets, process, "threads without a processor", PACKET_NS);
	uint64_t stolen = packets__counter(packets, process, "stolen from this machine", PACKET_NS);
	uint64_t in_calls = packets__counter(packets, process, "threads in calls", PACKET_COUNT);
	uint64_t locked = packets__counter(packets, process, "locked goroutines", PACKET_COUNT);

	for (size_t i = 0; i < target->n_scheduling; i++) {
		const struct timeline_scheduling *at = &target->scheduling[i];

		if (at->latencies_known)
			packets__value(packets, over, at->time_ns, at->over_10ms);
		packets__value(packets, late, at->time_ns, at->late);
		packets__value(packets, hogs, at->time_ns, at->hogs);
		packets__value(packets, throttled, at->time_ns, at->throttled_ns);
		packets__value(packets, delay, at->time_ns, at->run_delay_ns);
		packets__value(packets, stolen, at->time_ns, at->stolen_ns);
		packets__value(packets, in_calls, at->time_ns, at->in_calls);
		packets__value(packets, locked, at->time_ns, at->locked);
	}
}

/* A track for each: two of one thread may overlap by the time between two censuses. */
static void put_calls(struct packets *packets, uint64_t process,
		      const struct timeline_target *target)
{
	uint64_t parent = packets__track(packets, process, "threads that stay in a call");

	for (size_t i = 0; i < target->n_calls; i++) {
		const struct timeline_call *call = &target->calls[i];
		char name[96];

		snprintf(name, sizeof(name), "thread %" PRIu64 ", goroutine %" PRIu64 "%s",
			 call->thread, call->goid, call->in_c ? ", in C" : "");
		packets__slice(packets, packets__track(packets, parent, name), call->begin_ns,
			       call->end_ns, call->call);
	}
}

void perfetto_scheduling__put(struct packets *packets, uint64_t process,
			      const struct timeline_target *target)
{
	if (target->n_scheduling)
		put_points(packets, process, target);
	if (target->n_calls)
		put_calls(packets, process, target);
}
