// SPDX-License-Identifier: Apache-2.0
#include "observe/alloc_records.h"

#include <string.h>

/* No object is larger: GO_HEAP_BITS of user/heap. */
#define MAX_SIZE (1ULL << 48)

/*
 * From Linux 6.11 on the kernel names the caller at a `push %rbp` under a uprobe
 * (arch/x86/events/core.c is_uprobe_at_func_entry), which the program has done already. No function
 * that called itself returns to where it calls the allocator.
 */
static void drop_twin(struct gl_alloc *record)
{
	if (record->n_pcs < 2 || record->pcs[0] != record->pcs[1])
		return;
	record->n_pcs--;
	memmove(&record->pcs[1], &record->pcs[2],
		(size_t)(record->n_pcs - 1) * sizeof(record->pcs[0]));
}

bool alloc_record__decode(const void *data, size_t size, alloc_record_fn fn, void *ctx)
{
	struct gl_alloc record;

	if (size < sizeof(record))
		return false;
	memcpy(&record, data, sizeof(record));
	if (record.kind >= GL_ALLOC_KINDS || record.slot >= GL_ALLOC_MAX_TARGETS || !record.n_pcs ||
	    record.n_pcs > GL_ALLOC_STACK || !record.size || record.size > MAX_SIZE ||
	    record.gap > GL_ALLOC_MAX_GAP)
		return false;
	drop_twin(&record);
	fn(ctx, &record);
	return true;
}
