// SPDX-License-Identifier: Apache-2.0
#include "host/process_events.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "processes.skel.h"

#include "../../bpf/process_abi.h"
#include "host/capability.h"

#define BTF_PATH "/sys/kernel/btf/vmlinux"

/* Header before each record: BPF_RINGBUF_HDR_SZ. */
#define RECORD_BYTES (8 + sizeof(struct gl_process_event))

struct process_events {
	struct processes_bpf *skeleton;
	struct ring_buffer *ring;
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
static int on_record(void *ctx, void *data, size_t size)
{
	struct process_events *events = ctx;
	struct process_event event;

	if (decode(data, size, &event))
		events->fn(events->ctx, &event);
	else
		events->malformed++;
	return ++events->batch < PROCESS_EVENTS_RING_BYTES / RECORD_BYTES ? 0 : -ECANCELED;
}

size_t process_events__consume(struct process_events *events)
{
	events->batch = 0;
	/* Errors are only our own, from on_record(). */
	(void)ring_buffer__consume(events->ring);
	return events->batch;
}

/* --- begin and end ------------------------------------------------------------------------------- */

/*
 * libbpf prints to stderr what it is not allowed to do or cannot do. That is expected here, and not
 * worth a message.
 */
static int load_quietly(struct processes_bpf *skeleton)
{
	libbpf_print_fn_t print = libbpf_set_print(NULL);
	int err = processes_bpf__load(skeleton);

	if (!err)
		err = processes_bpf__attach(skeleton);
	libbpf_set_print(print);
	return err;
}

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

/* Makes the programs record the pids of our own pid namespace. */
static int configure(struct processes_bpf *skeleton)
{
	struct stat namespace;

	if (stat("/proc/self/ns/pid", &namespace))
		return -errno;
	skeleton->rodata->gl_pid_ns_inode = (__u32) namespace.st_ino;
	skeleton->rodata->gl_process_wakeup_bytes = PROCESS_EVENTS_RING_BYTES / 4;
	return bpf_map__set_max_entries(skeleton->maps.gl_process_events,
					PROCESS_EVENTS_RING_BYTES);
}

static int open_ring(struct process_events *events)
{
	int fd = bpf_map__fd(events->skeleton->maps.gl_process_events);

	events->ring = ring_buffer__new(fd, on_record, events, NULL);
	return events->ring ? 0 : -ENOMEM;
}

static int start(struct process_events *events)
{
	int err;

	if (access(BTF_PATH, R_OK))
		return -ENOENT;
	events->skeleton = processes_bpf__open();
	if (!events->skeleton)
		return -errno;
	err = configure(events->skeleton);
	if (!err)
		err = load_quietly(events->skeleton);
	return err ? err : open_ring(events);
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
	ring_buffer__free(events->ring);
	processes_bpf__destroy(events->skeleton);
	free(events);
}

int process_events__fd(const struct process_events *events)
{
	return ring_buffer__epoll_fd(events->ring);
}

uint64_t process_events__lost(const struct process_events *events)
{
	return __atomic_load_n(&events->skeleton->bss->gl_process_lost, __ATOMIC_RELAXED);
}

uint64_t process_events__malformed(const struct process_events *events)
{
	return events->malformed;
}
