// SPDX-License-Identifier: Apache-2.0
/* Which spans have something pending, in the order in which they are read. */
#include <errno.h>
#include <stdlib.h>

#include "heap/mark/private.h"

static int widen(uint64_t **places, size_t n)
{
	uint64_t *wider = reallocarray(*places, n, sizeof(*wider));

	if (!wider)
		return -ENOMEM;
	*places = wider;
	return 0;
}

int mark__widen_queues(struct heap_mark *mark)
{
	size_t size = mark->queue_size;
	uint32_t *next;

	while (size <= mark->spans->n)
		size = size ? 2 * size : 1024;
	if (size == mark->queue_size)
		return 0;
	next = reallocarray(mark->next_queue, size, sizeof(*next));
	if (!next)
		return -ENOMEM;
	mark->next_queue = next;
	if (widen(&mark->wave, size) || widen(&mark->queue, size))
		return -ENOMEM;
	mark->queue_size = size;
	return 0;
}

void mark__enqueue(struct heap_mark *mark, uint32_t number)
{
	struct heap_span *span = &mark->spans->all[number];

	if (span->flags & HEAP_SPAN_QUEUED)
		return;
	span->flags |= HEAP_SPAN_QUEUED;
	/* It is larger than the table, and each span is in it once. */
	mark->queue[mark->n_queue++] = mark__place(span, number);
}

static int by_address(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

void mark__next_wave(struct heap_mark *mark)
{
	uint64_t *wave = mark->queue;

	mark->queue = mark->wave;
	mark->wave = wave;
	mark->n_wave = mark->n_queue;
	mark->n_queue = mark->wave_at = 0;
	qsort(wave, mark->n_wave, sizeof(*wave), by_address);
}
