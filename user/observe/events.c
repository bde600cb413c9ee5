// SPDX-License-Identifier: Apache-2.0
#include "observe/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/ring_keeper.h"

struct event_reader {
	struct ring_keeper *ring;
	int fd;
	event_fn fn;
	void *ctx;
	size_t ring_records; /* the most that fit the ring at one time */
	size_t batch;	     /* records of the consume() under way */
	uint64_t consumed;
	uint64_t malformed;
};

/* A creation with the stack of its creator. */
static bool decode_called(const void *data, size_t size, event_fn fn, void *ctx)
{
	struct gl_event_called record;

	if (size < sizeof(record))
		return false;
	memcpy(&record, data, sizeof(record));
	if (record.create.head.n_pcs > GL_CREATOR_STACK)
		return false;
	fn(ctx, &record.create.head, &record.create, &record.creator, NULL);
	return true;
}

static bool decode_wake(const void *data, size_t size, event_fn fn, void *ctx)
{
	struct gl_event_wake record;

	if (size < sizeof(record))
		return false;
	memcpy(&record, data, sizeof(record));
	if (record.head.n_pcs > GL_WAKE_STACK)
		return false;
	fn(ctx, &record.head, NULL, NULL, &record);
	return true;
}

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
		if (record.head.n_pcs)
			return decode_called(data, size, fn, ctx);
		memcpy(&record, data, sizeof(record));
		fn(ctx, &record.head, &record, NULL, NULL);
		return true;
	case PROBE_EVENT_EXIT:
	case PROBE_EVENT_PARK:
		fn(ctx, &record.head, NULL, NULL, NULL);
		return true;
	case PROBE_EVENT_WAKE:
		return decode_wake(data, size, fn, ctx);
	default:
		return false;
	}
}

/* A busy target can produce as fast as we consume: the round ends after one ringful. */
static bool on_record(void *ctx, const void *data, size_t size)
{
	struct event_reader *reader = ctx;

	if (!event_record__decode(data, size, reader->fn, reader->ctx))
		reader->malformed++;
	return ++reader->batch < reader->ring_records;
}

int event_reader__new(int ring_fd, size_t ring_bytes, event_fn fn, void *ctx,
		      struct event_reader **ret_reader)
{
	struct event_reader *reader = calloc(1, sizeof(*reader));
	int err;

	if (!reader)
		return -ENOMEM;
	reader->fn = fn;
	reader->ctx = ctx;
	reader->fd = ring_fd;
	reader->ring_records = ring_bytes / (BPF_RING_HEADER_BYTES + sizeof(struct gl_event));
	err = ring_keeper__new(ring_fd, ring_bytes, &reader->ring);
	if (err) {
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
	ring_keeper__free(reader->ring);
	free(reader);
}

int event_reader__epoll_fd(const struct event_reader *reader)
{
	return reader->fd;
}

size_t event_reader__consume(struct event_reader *reader)
{
	reader->batch = 0;
	ring_keeper__consume(reader->ring, on_record, reader);
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
