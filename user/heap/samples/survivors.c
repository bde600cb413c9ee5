// SPDX-License-Identifier: Apache-2.0
#include "heap/samples/survivors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "heap/spans/spans.h"

#define MSPAN_IN_USE 1u /* src/runtime/mheap.go mSpanInUse */
#define CYCLE	     2u /* by which a collection raises sweepgen */

struct check {
	const struct heap_runtime *runtime;
	struct survivor *all;
	size_t n;
	uint32_t sweepgen;
	struct remote_span reads[SURVIVORS_MAX];
	size_t of[SURVIVORS_MAX], n_reads;
	uint8_t mspans[SURVIVORS_MAX][HEAP_MSPAN_MAX];
	uint8_t bits[SURVIVORS_MAX];
};

int survivors__sweepgen(const struct heap_runtime *runtime, uint32_t *ret_sweepgen)
{
	return remote__read(runtime->remote, runtime->mheap + runtime->layout->mheap_sweepgen,
			    ret_sweepgen, sizeof(*ret_sweepgen));
}

static void add_read(struct check *check, size_t i, uint64_t address, void *buffer, uint32_t size)
{
	check->of[check->n_reads] = i;
	check->reads[check->n_reads++] = (struct remote_span){
		.address = address,
		.buffer = buffer,
		.size = size,
	};
}

static int read_all(struct check *check)
{
	return check->n_reads ?
		       remote__read_spans(check->runtime->remote, check->reads, check->n_reads) :
		       0;
}

static int read_mspans(struct check *check)
{
	check->n_reads = 0;
	for (size_t i = 0; i < check->n; i++) {
		check->all[i].fate = SURVIVOR_SAME;
		check->all[i].missed = check->sweepgen - check->all[i].sweepgen > CYCLE;
		if (check->all[i].sweepgen != check->sweepgen)
			add_read(check, i, check->all[i].mspan, check->mspans[i],
				 check->runtime->layout->mspan_sizeof);
	}
	return read_all(check);
}

/* mspan.sweepgen of one that is swept: that of the heap, or three more while it is some processor's. */
static bool is_swept(uint32_t sweepgen, uint32_t of_heap)
{
	return sweepgen == of_heap || sweepgen == of_heap + 3;
}

/* Its bits are read where they count. */
static int read_bits(struct check *check)
{
	const struct go_layout *l = check->runtime->layout;
	size_t n = check->n_reads;

	check->n_reads = 0;
	for (size_t k = 0; k < n; k++) {
		size_t i = check->of[k];
		struct survivor *survivor = &check->all[i];
		const uint8_t *mspan = check->mspans[i];

		if (check->reads[k].result ||
		    bytes__u64(mspan, l->mspan_startAddr) != survivor->base ||
		    mspan[l->mspan_state] != MSPAN_IN_USE)
			survivor->fate = SURVIVOR_DEAD;
		else if (is_swept(bytes__u32(mspan, l->mspan_sweepgen), check->sweepgen))
			add_read(check, i,
				 bytes__u64(mspan, l->mspan_allocBits) + survivor->index / 8,
				 &check->bits[i], 1);
	}
	return read_all(check);
}

static void decide(struct check *check)
{
	for (size_t k = 0; k < check->n_reads; k++) {
		struct survivor *survivor = &check->all[check->of[k]];
		bool bit = check->bits[check->of[k]] >> survivor->index % 8 & 1;

		if (check->reads[k].result)
			continue;
		survivor->fate = bit ? SURVIVOR_STAYED : SURVIVOR_DEAD;
		survivor->sweepgen = check->sweepgen;
	}
}

/* Another collection has marked meanwhile: nothing of it counts. */
static void take_back(struct check *check, const uint32_t *before)
{
	for (size_t i = 0; i < check->n; i++) {
		check->all[i].fate = SURVIVOR_SAME;
		check->all[i].sweepgen = before[i];
	}
}

static int run(struct check *check)
{
	uint32_t before[SURVIVORS_MAX] = {0}, after;
	int err = survivors__sweepgen(check->runtime, &check->sweepgen);

	for (size_t i = 0; i < check->n; i++)
		before[i] = check->all[i].sweepgen;
	if (!err)
		err = read_mspans(check);
	if (!err)
		err = read_bits(check);
	if (!err)
		err = survivors__sweepgen(check->runtime, &after);
	if (err)
		return err;
	decide(check);
	if (after != check->sweepgen)
		take_back(check, before);
	return 0;
}

int survivors__check(const struct heap_runtime *runtime, struct survivor *all, size_t n)
{
	struct check *check;
	int err;

	if (n > SURVIVORS_MAX || runtime->layout->mspan_sizeof > HEAP_MSPAN_MAX)
		return -EINVAL;
	check = malloc(sizeof(*check));
	if (!check)
		return -ENOMEM;
	check->runtime = runtime;
	check->all = all;
	check->n = n;
	err = run(check);
	free(check);
	return err;
}
