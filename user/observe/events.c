// SPDX-License-Identifier: Apache-2.0
#include "observe/events.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Header before each record, and the multiple that records are rounded up to: BPF_RINGBUF_HDR_SZ. */
#define RING_HEADER_BYTES 8

struct event_reader {
	struct ring_buffer *ring;
	event_fn fn;
	void *ctx;
	size_t ring_records; /* the most that fit the ring at one time */
	size_t batch;	     /* records of the consume() under way */
	uint64_t consumed;
	uint64_t malformed;
};

/*
 * The record is copied: a fuzz target hands in bytes that need not be aligned, and copying 40 bytes
 * costs less than a branch on the alignment.
 */
bool event_record__decode(const void *data, size_t size, event_fn fn, void *ctx)
{
	struct gl_event_create record;

	if (size < sizeof(record.head))
		return false;
	memcpy(&record.head, data, sizeof(record.head));
	/* Goroutine ids begin at 1; 0 is a scheduler stack (src/runtime/proc.go, g0). */
	if (!record.head.goid)
		return false;
	switch (record.head.kind) {
	case PROBE_EVENT_CREATE:
		if (size < sizeof(record))
			return false;
		memcpy(&record, data, sizeof(record));
		fn(ctx, &record.head, &record);
		return true;
	case PROBE_EVENT_EXIT:
	case PROBE_EVENT_PARK:
		fn(ctx, &record.head, NULL);
		return true;
	default:
		return false;
	}
}

/*
 * libbpf goes on as long as records arrive, and a busy target can produce as fast as we consume. So
 * the round ends after one ringful; libbpf has moved past this record when it sees the error.
 */
static int on_record(void *ctx, void *data, size_t size)
{
	struct event_reader *reader = ctx;

	if (!event_record__decode(data, size, reader->fn, reader->ctx))
		reader->malformed++;
	return ++reader->batch < reader->ring_records ? 0 : -ECANCELED;
}

int event_reader__new(int ring_fd, event_fn fn, void *ctx, struct event_reader **ret_reader)
{
	struct bpf_map_info info = {0};
	__u32 info_size = sizeof(info);
	struct event_reader *reader;
	int err;

	if (bpf_obj_get_info_by_fd(ring_fd, &info, &info_size))
		return -errno;
	if (info.type != BPF_MAP_TYPE_RINGBUF)
		return -EINVAL;
	reader = calloc(1, sizeof(*reader));
	if (!reader)
		return -ENOMEM;
	reader->fn = fn;
	reader->ctx = ctx;
	reader->ring_records = info.max_entries / (RING_HEADER_BYTES + sizeof(struct gl_event));
	reader->ring = ring_buffer__new(ring_fd, on_record, reader, NULL);
	if (!reader->ring) {
		err = errno ? -errno : -ENOMEM;
		event_reader__free(reader);
		return err;
	}
	*ret_reader = reader;
	return 0;
}

void event_reader__free(struct event_reader *reader)
{
	if (!reader)
		return;
	ring_buffer__free(reader->ring);
	free(reader);
}

int event_reader__epoll_fd(const struct event_reader *reader)
{
	return ring_buffer__epoll_fd(reader->ring);
}

size_t event_reader__consume(struct event_reader *reader)
{
	reader->batch = 0;
	/* Errors are only our own, from on_record(). */
	(void)ring_buffer__consume(reader->ring);
	reader->consumed += reader->batch;
	return reader->batch;
}

uint64_t event_reader__consumed(const struct event_reader *reader)
{
	return reader->consumed;
}

uint64_t event_reader__malformed(const struct event_reader *reader)
{
	return reader->malformed;
}
