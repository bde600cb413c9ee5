// SPDX-License-Identifier: Apache-2.0
#include "host/process_events.h"

#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../../bpf/process_abi.h"
#include "host/access.h"
#include "host/bpf_ring.h"
#include "host/capability.h"

#define RECORD_BYTES (BPF_RING_HEADER_BYTES + sizeof(struct gl_process_event))

struct process_events {
	struct process_programs programs;
	struct bpf_ring *ring;
	const uint64_t *lost; /* gl_process_lost, the only variable of its section */
	process_event_fn fn;
	void *ctx;
	size_t batch; /* records of the consume() under way */
	uint64_t malformed;
};

/* --- records ------------------------------------------------------------------------------------- */

static bool decode(const void *data, size_t size, struct process_event *event)
{
	struct gl_process_event record;

	if (size < sizeof(record))
		return false;
	memcpy(&record, data, sizeof(record));
	if (record.kind != GL_PROCESS_EXEC && record.kind != GL_PROCESS_EXIT)
		return false;
	*event = (struct process_event){
		.kind = record.kind == GL_PROCESS_EXEC ? PROCESS_EXECUTED : PROCESS_ENDED,
		.pid = (pid_t)record.pid,
		.time_ns = record.time_ns,
	};
	return event->pid > 0;
}

/*
 * A round ends after one ringful, as in observe/events.c: a storm of events must not hold the
 * caller up.
 */
static bool on_record(void *ctx, const void *data, size_t size)
{
	struct process_events *events = ctx;
	struct process_event event;

	if (decode(data, size, &event))
		events->fn(events->ctx, &event);
	else
		events->malformed++;
	return ++events->batch < PROCESS_EVENTS_RING_BYTES / RECORD_BYTES;
}

size_t process_events__consume(struct process_events *events)
{
	events->batch = 0;
	bpf_ring__consume(events->ring, on_record, events);
	return events->batch;
}

/* --- begin and end ------------------------------------------------------------------------------- */

static int explain(int err, struct failure *failure)
{
	switch (err) {
	case -EPERM:
	case -EACCES:
		return failure__set(
			failure, -EPERM,
			"not allowed to follow processes with BPF, which needs CAP_BPF and "
			"CAP_PERFMON (%s); new ones are found by looking through /proc "
			"instead",
			capability__advice());
	case -ENOMEM:
		return failure__set(
			failure, err,
			"no memory for the ring buffer of process events; new processes "
			"are found by looking through /proc instead");
	default:
		return failure__set(
			failure, -EOPNOTSUPP,
			"this kernel does not tell of processes (%s; it needs Linux 5.15 "
			"with CONFIG_DEBUG_INFO_BTF and CONFIG_BPF_EVENTS); new ones are "
			"found by looking through /proc instead",
			strerror(-err));
	}
}

static int start(struct process_events *events)
{
	void *counters;
	int err = access__follow(&events->programs);

	if (err)
		return err;
	err = bpf_ring__new(events->programs.fds[PROCESS_PROGRAM_RING], PROCESS_EVENTS_RING_BYTES,
			    &events->ring);
	if (err)
		return err;
	counters = mmap(NULL, sizeof(*events->lost), PROT_READ, MAP_SHARED,
			events->programs.fds[PROCESS_PROGRAM_COUNTERS], 0);
	if (counters == MAP_FAILED)
		return -errno;
	events->lost = counters;
	return 0;
}

int process_events__open(process_event_fn fn, void *ctx, struct process_events **ret_events,
			 struct failure *failure)
{
	struct process_events *events = calloc(1, sizeof(*events));
	int err;

	if (!events)
		return explain(-ENOMEM, failure);
	events->fn = fn;
	events->ctx = ctx;
	events->programs = PROCESS_PROGRAMS_NONE;
	err = start(events);
	if (err) {
		process_events__free(events);
		return explain(err, failure);
	}
	*ret_events = events;
	return 0;
}

void process_events__free(struct process_events *events)
{
	if (!events)
		return;
	bpf_ring__free(events->ring);
	if (events->lost)
		munmap((void *)(uintptr_t)events->lost, sizeof(*events->lost));
	process_programs__close(&events->programs);
	free(events);
}

int process_events__fd(const struct process_events *events)
{
	return events->programs.fds[PROCESS_PROGRAM_RING];
}

uint64_t process_events__lost(const struct process_events *events)
{
	return __atomic_load_n(events->lost, __ATOMIC_RELAXED);
}

uint64_t process_events__malformed(const struct process_events *events)
{
	return events->malformed;
}
