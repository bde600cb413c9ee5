// SPDX-License-Identifier: Apache-2.0
#include "observe/census_stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "observe/unwind.h"

/* Between g that are read again: those of a batch may be few of many, and a range more costs no request. */
#define AGAIN_GAP 512

static struct census_window g_window(const struct census_runtime *runtime)
{
	return (struct census_window){runtime->window, runtime->window_size};
}

/* stack_size - bytes in use, 0 when sp is not on the stack. */
static uint64_t stack_size(const struct census_g *g)
{
	if (g->frames < g->stack_lo || g->frames >= g->stack_hi || g->frames % sizeof(uint64_t))
		return 0;
	return g->stack_hi - g->frames;
}

static size_t top_size(const struct census_g *g)
{
	return (size_t)min_of(stack_size(g), (uint64_t)STACK_FIRST_READ);
}

/* same_park - whether nothing says that the goroutine ran, or that its stack moved. */
static bool same_park(const struct census_g *a, const struct census_g *b)
{
	return a->goid == b->goid && a->status == b->status && a->tracking_seq == b->tracking_seq &&
	       a->pc == b->pc && a->sp == b->sp && a->bp == b->bp && a->m == b->m &&
	       a->stack_lo == b->stack_lo && a->stack_hi == b->stack_hi &&
	       a->wait_reason == b->wait_reason;
}

static int by_sp(const void *a, const void *b, void *ctx)
{
	const struct census_parked *parked = ctx;
	uint64_t sp_a = parked[*(const size_t *)a].g.frames;
	uint64_t sp_b = parked[*(const size_t *)b].g.frames;

	return (sp_a > sp_b) - (sp_a < sp_b);
}

/* sort_by_sp - into scratch->order. Goroutines created in a row mostly come in order already. */
static void sort_by_sp(struct census_stacks_scratch *scratch, const struct census_parked *parked,
		       size_t n)
{
	bool sorted = true;

	for (size_t i = 0; i < n; i++) {
		scratch->order[i] = i;
		if (i && parked[i].g.frames < parked[i - 1].g.frames)
			sorted = false;
	}
	if (!sorted)
		qsort_r(scratch->order, n, sizeof(scratch->order[0]), by_sp, (void *)parked);
}

/*
 * plan_tops - ranges for the tops of all stacks, neighbours merged as far as the bytes between them
 * fit: @slack is what the tops themselves leave of the buffer. ends[] counts positions in order[].
 */
static void plan_tops(struct census_stacks_scratch *scratch, const struct census_parked *parked,
		      size_t n)
{
	struct census_gather *gather = &scratch->gather;
	size_t slack = sizeof(scratch->tops);
	uint8_t *next = scratch->tops;

	for (size_t i = 0; i < n; i++)
		slack -= top_size(&parked[i].g);
	gather->n_spans = 0;
	for (size_t i = 0; i < n; i++) {
		const struct census_g *g = &parked[scratch->order[i]].g;
		size_t size = top_size(g);
		struct remote_span *span = &gather->spans[gather->n_spans];
		uint64_t end = gather->n_spans ? span[-1].address + span[-1].size : 0;
		uint64_t gap = g->frames - end;

		if (!size)
			continue;
		if (gather->n_spans && g->frames >= end &&
		    gap <= min_of(slack, (size_t)GATHER_GAP)) {
			slack -= (size_t)gap;
			span--;
			span->size += (uint32_t)(gap + size);
			next += gap;
		} else {
			*span = (struct remote_span){g->frames, next, (uint32_t)size, 0};
			gather->n_spans++;
		}
		next += size;
		gather->ends[gather->n_spans - 1] = i + 1;
	}
}

/* plan_again - all g once more; returns of how many, from the first on, there is room for. */
static size_t plan_again(struct census_stacks *stacks, struct census_stacks_scratch *scratch,
			 const struct census_parked *parked, size_t n)
{
	for (size_t i = 0; i < n; i++)
		scratch->addresses[i] = parked[i].address;
	return census_gather__plan(&scratch->again, scratch->addresses, n,
				   g_window(stacks->runtime), scratch->verify,
				   sizeof(scratch->verify), AGAIN_GAP);
}

/* Where the copies of the tops are by now; NULL: one could not be read. */
static void find_copies(struct census_stacks_scratch *scratch, const struct census_parked *parked,
			size_t n)
{
	const struct census_gather *tops = &scratch->gather;
	size_t i = 0;

	for (size_t s = 0; s < tops->n_spans; s++) {
		const struct remote_span *span = &scratch->spans[s];

		for (; i < tops->ends[s]; i++) {
			size_t index = scratch->order[i];
			const struct census_g *g = &parked[index].g;

			scratch->copies[index] = NULL;
			if (top_size(g) && !span->result)
				scratch->copies[index] =
					(uint8_t *)span->buffer + (g->frames - span->address);
		}
	}
	for (; i < n; i++)
		scratch->copies[scratch->order[i]] = NULL;
}

/*
 * read_both - the kernel reads ranges in their order: each g is read after its stack, by the same call where all fit
 * one. What was read is there until something else is.
 */
static int read_both(struct census_stacks *stacks, struct census_stacks_scratch *scratch,
		     const struct census_parked *parked, size_t n)
{
	struct census_gather *tops = &scratch->gather, *again = &scratch->again;
	struct remote_span *spans = scratch->spans;
	int err;

	memcpy(spans, tops->spans, tops->n_spans * sizeof(*spans));
	memcpy(spans + tops->n_spans, again->spans, again->n_spans * sizeof(*spans));
	err = remote__read_spans_in_place(stacks->runtime->remote, spans,
					  tops->n_spans + again->n_spans);
	if (err)
		return err;
	memcpy(again->spans, spans + tops->n_spans, again->n_spans * sizeof(*spans));
	find_copies(scratch, parked, n);
	return 0;
}

/* verify - same[i] tells which did not change while its stack was read. */
static void verify(const struct census_stacks *stacks, struct census_stacks_scratch *scratch,
		   const struct census_parked *parked)
{
	const struct census_gather *again = &scratch->again;
	struct census_window window = g_window(stacks->runtime);
	size_t i = 0;

	for (size_t s = 0; s < again->n_spans; s++) {
		for (; i < again->ends[s]; i++) {
			struct census_g now;

			scratch->same[i] = false;
			if (again->spans[s].result)
				continue;
			census_runtime__decode(
				stacks->runtime,
				census_gather__at(again, s, scratch->addresses[i], window), &now);
			scratch->same[i] = same_park(&parked[i].g, &now);
		}
	}
}

/* intern - the id of a stack that is known to be whole. */
static uint32_t intern(struct census_stacks *stacks, const uint64_t *pcs, size_t depth)
{
	depth = min_of(depth, (size_t)STACK_MAX_DEPTH);
	if (depth != stacks->last_depth ||
	    memcmp(pcs, stacks->last_pcs, depth * sizeof(pcs[0])) != 0) {
		stacks->last_id = stack_table__intern(stacks->table, pcs, depth);
		stacks->last_depth = depth;
		memcpy(stacks->last_pcs, pcs, depth * sizeof(pcs[0]));
	}
	return stacks->last_id;
}

/*
 * walk - from a copy of the first @size bytes above sp. Every goroutine's first frame returns to
 * the runtime.goexit (newproc1) of the module whose newproc made it, which like the runtime's own
 * tracebacks is left out. A chain that ends earlier is one the frame pointers do not cover, e.g. in
 * a callback from C; its inner part is as true, unless that is nothing but the function which
 * parked. With @ret_more, a walk that would need more than the copy sets it and interns nothing;
 * without, the stack is cut there.
 */
static enum census_stack_state walk(struct census_stacks *stacks, const struct census_g *g,
				    const uint8_t *copy, size_t size, uint32_t *ret_id,
				    bool *ret_more)
{
	const struct census_runtime *runtime = stacks->runtime;
	const struct unwind_input in = {
		.pc = g->pc,
		.sp = g->sp,
		.bp = g->bp,
		.stack_lo = g->stack_lo,
		.stack_hi = g->stack_hi,
		.copy = copy,
		.copy_address = g->frames,
		.copy_size = size,
		.modules = runtime->modules,
		.bp_valid = g->bp_valid,
		.uses_lr = runtime->uses_lr,
		.lr = g->lr,
	};
	uint64_t pcs[STACK_MAX_DEPTH + 1], more = 0;
	size_t depth = unwind__walk(&in, pcs, ARRAY_SIZE(pcs), &more);

	if (more && ret_more) {
		*ret_more = true;
		return CENSUS_STACK_FAILED;
	}
	if (depth && module_map__is_goexit(runtime->modules, pcs[depth - 1])) {
		*ret_id = intern(stacks, pcs, depth - 1);
		return CENSUS_STACK_READ;
	}
	if (depth < 2)
		return CENSUS_STACK_FAILED;
	*ret_id = intern(stacks, pcs, depth);
	return depth > STACK_MAX_DEPTH || more ? CENSUS_STACK_READ : CENSUS_STACK_PARTIAL;
}

/* read_deep - one goroutine alone, with as much of its stack as is ever read. */
static enum census_stack_state read_deep(struct census_stacks *stacks,
					 struct census_stacks_scratch *scratch,
					 const struct census_parked *parked, uint32_t *ret_id)
{
	const struct census_runtime *runtime = stacks->runtime;
	size_t size = (size_t)min_of(stack_size(&parked->g), (uint64_t)sizeof(scratch->deep));
	struct census_g again;

	if (!size || remote__read(runtime->remote, parked->g.frames, scratch->deep, size) ||
	    remote__read(runtime->remote, parked->address + runtime->window, scratch->verify,
			 runtime->window_size))
		return CENSUS_STACK_FAILED;
	census_runtime__decode(runtime, scratch->verify, &again);
	if (!same_park(&parked->g, &again))
		return CENSUS_STACK_FAILED;
	return walk(stacks, &parked->g, scratch->deep, size, ret_id, NULL);
}

/* Of all whose g stayed the same; nothing else is read meanwhile. */
static void walk_all(struct census_stacks *stacks, struct census_stacks_scratch *scratch,
		     const struct census_parked *parked, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct census_walked *walked = &scratch->walked[i];
		const struct census_g *g = &parked[i].g;

		*walked = (struct census_walked){CENSUS_STACK_FAILED, STACK_ID_NONE, false};
		if (scratch->same[i] && scratch->copies[i])
			walked->state = walk(stacks, g, scratch->copies[i], top_size(g),
					     &walked->id, &walked->more);
		else
			walked->more = scratch->same[i];
	}
}

/* As many as there is room for; returns how many. */
static int read_some(struct census_stacks *stacks, struct census_stacks_scratch *scratch,
		     const struct census_parked *parked, size_t n, census_stack_fn fn, void *ctx)
{
	int err;

	n = plan_again(stacks, scratch, parked, n);
	sort_by_sp(scratch, parked, n);
	plan_tops(scratch, parked, n);
	err = read_both(stacks, scratch, parked, n);
	if (err)
		return err;
	verify(stacks, scratch, parked);
	walk_all(stacks, scratch, parked, n);
	for (size_t i = 0; i < n; i++) {
		struct census_walked walked = scratch->walked[i];

		if (walked.more)
			walked.state = read_deep(stacks, scratch, &parked[i], &walked.id);
		fn(ctx, &parked[i], walked.state == CENSUS_STACK_FAILED ? STACK_ID_NONE : walked.id,
		   walked.state);
	}
	return (int)n;
}

int census_stacks__read(struct census_stacks *stacks, struct census_stacks_scratch *scratch,
			const struct census_parked *parked, size_t n, census_stack_fn fn, void *ctx)
{
	while (n) {
		int done = read_some(stacks, scratch, parked, n, fn, ctx);

		if (done < 0)
			return done;
		parked += done;
		n -= (size_t)done;
	}
	return 0;
}
