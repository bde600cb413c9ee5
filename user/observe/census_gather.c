// SPDX-License-Identifier: Apache-2.0
#include "observe/census_gather.h"

/* extend - make the last span reach over a window that ends at @end; false when it must not. */
static bool extend(struct census_gather *gather, uint64_t start, uint64_t end, size_t room,
		   uint32_t gap)
{
	struct remote_span *span;
	uint64_t span_end;

	if (!gather->n_spans)
		return false;
	span = &gather->spans[gather->n_spans - 1];
	span_end = span->address + span->size;
	if (start > span_end && start - span_end > gap)
		return false;
	if (end <= span_end)
		return true;
	if (end - span_end > room)
		return false;
	span->size += (uint32_t)(end - span_end);
	return true;
}

size_t census_gather__plan(struct census_gather *gather, const uint64_t *addresses, size_t n,
			   struct census_window window, uint8_t *buffer, size_t capacity,
			   uint32_t gap)
{
	size_t used = 0, i;

	gather->n_spans = 0;
	for (i = 0; i < n; i++) {
		uint64_t start = addresses[i] + window.offset;
		uint64_t end = start + window.size;
		struct remote_span *span = &gather->spans[gather->n_spans];

		if (gap != GATHER_APART && extend(gather, start, end, capacity - used, gap)) {
			span--;
		} else {
			if (gather->n_spans == GATHER_SPANS || capacity - used < window.size)
				break;
			*span = (struct remote_span){start, buffer + used, window.size, 0};
			gather->n_spans++;
		}
		used = (size_t)((uint8_t *)span->buffer - buffer) + span->size;
		gather->ends[gather->n_spans - 1] = i + 1;
	}
	return i;
}
