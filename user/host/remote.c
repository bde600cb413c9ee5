// SPDX-License-Identifier: Apache-2.0
/*
 * Scattered reads go out in batches. process_vm_readv(2) stops at the first byte that it cannot
 * read and returns only how many bytes came before. The span that holds that byte is marked and the
 * next call begins behind it, so every bad span costs one call. The cost of a call grows with the
 * number of ranges it names, read or not. Therefore a bad span halves the batch and a good batch
 * doubles it: a list with nothing readable costs one short call per span, and a list with few bad
 * spans about one call per IOV_MAX.
 *
 * For each range the kernel takes the lock of the address space and looks for its pages, which takes
 * as long as copying a kilobyte. So spans that follow one another, with less than that between them, are
 * one range, and what is between them is dropped. That is never a page on which neither of them is.
 */
#include "host/remote.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/bisect.h"
#include "base/cleanup.h"
#include "host/access.h"
#include "host/remote_denied.h"

#define BATCH_MAX_SPANS ACCESS_RANGES_MAX
#define BATCH_MIN_SPANS 8
#define GAP_MAX		1024u /* less than a page */

struct remote_ops {
	int (*read)(struct remote *remote, uint64_t address, void *buffer, size_t size);
	int (*read_spans)(struct remote *remote, struct remote_span *spans, size_t n_spans);
	int (*read_spans_in_place)(struct remote *remote, struct remote_span *spans,
				   size_t n_spans);
	int (*copy_spans)(struct remote *remote, struct remote_span *spans, size_t n_spans);
	enum remote_memory (*memory)(const struct remote *remote);
	void (*release)(struct remote *remote);
};

/*
 * Spans asked for in one call. Ranges are fewer where spans follow one another, here or there, and local
 * ones more by the gaps.
 */
struct batch {
	size_t n_spans;
	size_t n_local;
	size_t n_foreign;
	size_t bytes; /* with the gaps */
	size_t next;  /* index of the first span that is not in this batch */
	size_t index[BATCH_MAX_SPANS];
	uint16_t gap[BATCH_MAX_SPANS]; /* bytes that are read before it for nothing */
	struct iovec local[BATCH_MAX_SPANS];
	struct iovec foreign[BATCH_MAX_SPANS];
	uint8_t dropped[GAP_MAX];
};

struct remote {
	const struct remote_ops *ops;
	uint64_t bytes_read;
	uint64_t calls;

	pid_t pid;
	struct access_memory *memory; /* of a live process */

	struct remote_range *ranges;
	size_t n_ranges;
	bool sorted;
	bool replaced;
};

static bool range_wraps(uint64_t address, uint64_t size)
{
	return size && address + (size - 1) < address;
}

/* --- a live process ----------------------------------------------------------------------------- */

/* Several threads may read (memory_copy.h). */
static void note_read(struct remote *remote, ssize_t n)
{
	__atomic_fetch_add(&remote->calls, 1, __ATOMIC_RELAXED);
	if (n > 0)
		__atomic_fetch_add(&remote->bytes_read, (uint64_t)n, __ATOMIC_RELAXED);
}

static ssize_t vm_read(struct remote *remote, const struct iovec *local, size_t n_local,
		       const struct iovec *foreign, size_t n_foreign)
{
	ssize_t n = access__read_memory(remote->memory, local, n_local, foreign, n_foreign);

	note_read(remote, n);
	return n;
}

static int process_read(struct remote *remote, uint64_t address, void *buffer, size_t size)
{
	size_t done = 0;

	/* A short count means the next byte is unreadable, or that the kernel cut the call. */
	while (done < size) {
		size_t want = min_of(size - done, access__memory_max());
		struct iovec local = {(char *)buffer + done, want};
		struct iovec foreign = {(void *)(uintptr_t)(address + done), want};
		ssize_t n = vm_read(remote, &local, 1, &foreign, 1);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return -EFAULT;
		done += (size_t)n;
	}
	return 0;
}

/* Bytes between the last range and @address; GAP_MAX + 1: that has to be a range of its own. */
static uint64_t gap_before(const struct batch *batch, uint64_t address)
{
	const struct iovec *last;
	uint64_t end;

	if (!batch->n_foreign)
		return GAP_MAX + 1;
	last = &batch->foreign[batch->n_foreign - 1];
	end = (uint64_t)(uintptr_t)last->iov_base + last->iov_len;
	return address < end ? GAP_MAX + 1 : min_of(address - end, (uint64_t)GAP_MAX + 1);
}

static void add_local(struct batch *batch, void *buffer, size_t size)
{
	struct iovec *last = batch->n_local ? &batch->local[batch->n_local - 1] : NULL;

	if (last && (char *)last->iov_base + last->iov_len == (char *)buffer)
		last->iov_len += size;
	else
		batch->local[batch->n_local++] = (struct iovec){buffer, size};
}

/* False: there is no room for it. */
static bool batch_add(struct batch *batch, const struct remote_span *span, size_t index)
{
	uint64_t gap = gap_before(batch, span->address);
	bool joins = gap <= GAP_MAX && batch->n_local + 2 <= BATCH_MAX_SPANS;

	if (batch->n_local == BATCH_MAX_SPANS ||
	    span->size + (joins ? gap : 0) > access__memory_max() - batch->bytes)
		return false;
	if (joins && gap)
		add_local(batch, batch->dropped, (size_t)gap);
	if (joins)
		batch->foreign[batch->n_foreign - 1].iov_len += gap + span->size;
	else
		batch->foreign[batch->n_foreign++] =
			(struct iovec){(void *)(uintptr_t)span->address, span->size};
	add_local(batch, span->buffer, span->size);
	batch->gap[batch->n_spans] = joins ? (uint16_t)gap : 0;
	batch->index[batch->n_spans++] = index;
	batch->bytes += batch->gap[batch->n_spans - 1] + span->size;
	return true;
}

/* Fill the batch from spans[first] on; those that need no call get their result here. */
static void batch_fill(struct batch *batch, struct remote_span *spans, size_t n_spans, size_t first,
		       size_t limit)
{
	size_t i;

	batch->n_spans = 0;
	batch->n_local = 0;
	batch->n_foreign = 0;
	batch->bytes = 0;
	for (i = first; i < n_spans && batch->n_spans < limit; i++) {
		struct remote_span *span = &spans[i];

		span->result = range_wraps(span->address, span->size) ? -EFAULT : 0;
		if (span->result || !span->size)
			continue;
		if (!batch_add(batch, span, i))
			break;
	}
	batch->next = i;
}

/*
 * Results of a batch of which the first @done bytes were read. Returns the index of the span to go
 * on with.
 */
static size_t batch_settle(const struct batch *batch, struct remote_span *spans, size_t done)
{
	for (size_t i = 0; i < batch->n_spans; i++) {
		struct remote_span *span = &spans[batch->index[i]];

		if (done < batch->gap[i] + (size_t)span->size) {
			span->result = -EFAULT;
			return batch->index[i] + 1;
		}
		done -= batch->gap[i] + (size_t)span->size;
	}
	return batch->next;
}

/* The one span at @index, too large for any batch. */
static int read_large_span(struct remote *remote, struct remote_span *span)
{
	int err = process_read(remote, span->address, span->buffer, span->size);

	if (err && err != -EFAULT)
		return err;
	span->result = err;
	return 0;
}

/* One batch per thread and not per process, of which hundreds may be open: no read leaves anything in it. */
static _Thread_local struct batch batch_of_thread;

static int process_read_spans(struct remote *remote, struct remote_span *spans, size_t n_spans)
{
	struct batch *batch = &batch_of_thread;
	size_t limit = BATCH_MAX_SPANS;
	size_t next = 0;

	while (next < n_spans) {
		ssize_t done;

		batch_fill(batch, spans, n_spans, next, limit);
		next = batch->next;
		if (!batch->n_spans) {
			int err = next < n_spans ? read_large_span(remote, &spans[next++]) : 0;

			if (err)
				return err;
			continue;
		}
		done = vm_read(remote, batch->local, batch->n_local, batch->foreign,
			       batch->n_foreign);
		if (done == -EFAULT)
			done = 0;
		if (done < 0)
			return (int)done;
		next = batch_settle(batch, spans, (size_t)done);
		if ((size_t)done < batch->bytes)
			limit = max_of(limit / 2, (size_t)BATCH_MIN_SPANS);
		else
			limit = min_of(limit * 2, (size_t)BATCH_MAX_SPANS);
	}
	return 0;
}

/* All at once and whole, or as ever. */
static int process_read_in_place(struct remote *remote, struct remote_span *spans, size_t n_spans)
{
	struct batch *batch = &batch_of_thread;
	const uint8_t *data;
	ssize_t n;

	batch_fill(batch, spans, n_spans, 0, BATCH_MAX_SPANS);
	if (!batch->n_spans || batch->next < n_spans)
		return process_read_spans(remote, spans, n_spans);
	n = access__read_in_place(remote->memory, batch->foreign, batch->n_foreign, &data);
	if (n < 0 || (size_t)n < batch->bytes)
		return process_read_spans(remote, spans, n_spans);
	note_read(remote, n);
	for (size_t i = 0; i < batch->n_spans; i++) {
		struct remote_span *span = &spans[batch->index[i]];

		data += batch->gap[i];
		span->buffer = (void *)(uintptr_t)data;
		data += span->size;
	}
	return 0;
}

/* The next spans of which one call takes the ranges; returns how many. */
static size_t take_spans(const struct remote_span *spans, size_t n_spans, struct iovec *local,
			 struct iovec *foreign)
{
	size_t n = 0, bytes = 0;

	for (; n < min_of(n_spans, (size_t)ACCESS_COPY_RANGES); n++) {
		if (n && spans[n].size > ACCESS_COPY_MAX - bytes)
			break;
		local[n] = (struct iovec){spans[n].buffer, spans[n].size};
		foreign[n] = (struct iovec){(void *)(uintptr_t)spans[n].address, spans[n].size};
		bytes += spans[n].size;
	}
	return n;
}

static int process_copy_spans(struct remote *remote, struct remote_span *spans, size_t n_spans)
{
	struct iovec local[ACCESS_COPY_RANGES], foreign[ACCESS_COPY_RANGES];

	while (n_spans) {
		size_t n = take_spans(spans, n_spans, local, foreign), i = 0;
		ssize_t done = access__copy_memory(remote->memory, local, foreign, n);

		note_read(remote, done);
		if (done < 0 && done != -EFAULT)
			return (int)done;
		done = max_of(done, (ssize_t)0);
		for (; i < n && done >= (ssize_t)spans[i].size; i++) {
			spans[i].result = 0;
			done -= (ssize_t)spans[i].size;
		}
		if (i < n)
			spans[i++].result = -EFAULT;
		spans += i;
		n_spans -= i;
	}
	return 0;
}

static enum remote_memory process_memory(const struct remote *remote)
{
	int in_use = access__memory_in_use(remote->memory);

	if (in_use < 0)
		return REMOTE_MEMORY_UNKNOWN;
	return in_use ? REMOTE_MEMORY_SAME : REMOTE_MEMORY_GONE;
}

static void process_release(struct remote *remote)
{
	access__close_memory(remote->memory);
}

static const struct remote_ops process_ops = {
	.read = process_read,
	.read_spans = process_read_spans,
	.read_spans_in_place = process_read_in_place,
	.copy_spans = process_copy_spans,
	.memory = process_memory,
	.release = process_release,
};

/*
 * A read of nothing would return before the kernel looks at the process (mm/process_vm_access.c
 * process_vm_rw), so one byte is asked for. Permission is checked before the address: EFAULT is as
 * good an answer as the byte. ESRCH covers zombies and kernel threads, which have no memory.
 */
static int check_access(struct remote *remote, struct failure *failure)
{
	char byte;
	int err = process_read(remote, 0, &byte, 1);

	switch (err) {
	case 0:
	case -EFAULT:
		return 0;
	case -EPERM:
		return remote_denied__explain(remote->pid, failure);
	case -ESRCH:
		return failure__set(failure, err,
				    "process %d has no memory to read: it has ended, or it is a "
				    "kernel thread",
				    remote->pid);
	case -ENOSYS:
		return failure__set(
			failure, -EOPNOTSUPP,
			"this kernel has no process_vm_readv (CONFIG_CROSS_MEMORY_ATTACH); "
			"use one that has");
	default:
		return failure__set(failure, err, "cannot read the memory of process %d: %s",
				    remote->pid, strerror(-err));
	}
}

int remote__open_process(pid_t pid, struct remote **ret_remote, struct failure *failure)
{
	struct remote *remote = calloc(1, sizeof(*remote));
	int err;

	if (!remote)
		return failure__set(failure, -ENOMEM, "out of memory");
	remote->ops = &process_ops;
	remote->pid = pid;
	err = access__open_memory(pid, &remote->memory);
	err = err ? failure__set(failure, err, "cannot read the memory of process %d: %s", pid,
				 strerror(-err)) :
		    check_access(remote, failure);
	if (err) {
		remote__free(remote);
		return err;
	}
	remote->calls = 0;
	remote->bytes_read = 0;
	*ret_remote = remote;
	return 0;
}

/* --- bytes held in memory ------------------------------------------------------------------------ */

static bool holds(const struct remote_range *range, uint64_t address)
{
	return address >= range->address && address - range->address < range->size;
}

/* The last range that begins at @address or before; a copy of a process has thousands. */
static const struct remote_range *find_sorted(const struct remote *remote, uint64_t address)
{
	size_t low = bisect(remote->n_ranges, i, remote->ranges[i].address <= address);

	return low && holds(&remote->ranges[low - 1], address) ? &remote->ranges[low - 1] : NULL;
}

static const struct remote_range *find_range(const struct remote *remote, uint64_t address)
{
	if (remote->sorted)
		return find_sorted(remote, address);
	for (size_t i = 0; i < remote->n_ranges; i++) {
		if (holds(&remote->ranges[i], address))
			return &remote->ranges[i];
	}
	return NULL;
}

/* In order, and none begins within another. */
static bool are_sorted(const struct remote_range *ranges, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (ranges[i].address < ranges[i - 1].address ||
		    holds(&ranges[i - 1], ranges[i].address))
			return false;
	}
	return true;
}

static int image_read(struct remote *remote, uint64_t address, void *buffer, size_t size)
{
	size_t done = 0;

	if (remote->replaced)
		return -ESRCH;
	remote->calls++;
	/* As with mappings, a read may go over from one range into the next. */
	while (done < size) {
		const struct remote_range *range = find_range(remote, address + done);
		size_t skip, n;

		if (!range)
			return -EFAULT;
		skip = address + done - range->address;
		n = min_of(range->size - skip, size - done);
		memcpy((char *)buffer + done, (const char *)range->data + skip, n);
		done += n;
		remote->bytes_read += n;
	}
	return 0;
}

static int image_read_spans(struct remote *remote, struct remote_span *spans, size_t n_spans)
{
	if (remote->replaced)
		return -ESRCH;
	for (size_t i = 0; i < n_spans; i++)
		spans[i].result =
			remote__read(remote, spans[i].address, spans[i].buffer, spans[i].size);
	return 0;
}

static void image_release(struct remote *remote)
{
	free(remote->ranges);
}

static enum remote_memory image_memory(const struct remote *remote)
{
	return remote->replaced ? REMOTE_MEMORY_GONE : REMOTE_MEMORY_SAME;
}

void remote__replace_image(struct remote *remote)
{
	remote->replaced = true;
}

static const struct remote_ops image_ops = {
	.read = image_read,
	.read_spans = image_read_spans,
	.read_spans_in_place = image_read_spans,
	.copy_spans = image_read_spans,
	.memory = image_memory,
	.release = image_release,
};

int remote__open_image(const struct remote_range *ranges, size_t n_ranges,
		       struct remote **ret_remote)
{
	struct remote *remote = calloc(1, sizeof(*remote));

	if (!remote)
		return -ENOMEM;
	remote->ops = &image_ops;
	/* One more than needed: calloc(0) may return NULL. */
	remote->ranges = calloc(n_ranges + 1, sizeof(*ranges));
	if (!remote->ranges) {
		remote__free(remote);
		return -ENOMEM;
	}
	if (n_ranges)
		memcpy(remote->ranges, ranges, n_ranges * sizeof(*ranges));
	remote->n_ranges = n_ranges;
	remote->sorted = are_sorted(ranges, n_ranges);
	*ret_remote = remote;
	return 0;
}

/* --- both ---------------------------------------------------------------------------------------- */

void remote__free(struct remote *remote)
{
	if (!remote)
		return;
	remote->ops->release(remote);
	free(remote);
}

enum remote_memory remote__memory(const struct remote *remote)
{
	return remote->ops->memory(remote);
}

int remote__read(struct remote *remote, uint64_t address, void *buffer, size_t size)
{
	if (range_wraps(address, size))
		return -EFAULT;
	return remote->ops->read(remote, address, buffer, size);
}

int remote__read_u64(struct remote *remote, uint64_t address, uint64_t *ret_value)
{
	uint8_t bytes[8];
	uint64_t value = 0;
	int err = remote__read(remote, address, bytes, sizeof(bytes));

	if (err)
		return err;
	for (int i = 7; i >= 0; i--)
		value = value << 8 | bytes[i];
	*ret_value = value;
	return 0;
}

int remote__read_spans(struct remote *remote, struct remote_span *spans, size_t n_spans)
{
	return remote->ops->read_spans(remote, spans, n_spans);
}

int remote__read_spans_in_place(struct remote *remote, struct remote_span *spans, size_t n_spans)
{
	return remote->ops->read_spans_in_place(remote, spans, n_spans);
}

int remote__copy_spans(struct remote *remote, struct remote_span *spans, size_t n_spans)
{
	return remote->ops->copy_spans(remote, spans, n_spans);
}

uint64_t remote__bytes_read(const struct remote *remote)
{
	return remote->bytes_read;
}

uint64_t remote__calls(const struct remote *remote)
{
	return remote->calls;
}
