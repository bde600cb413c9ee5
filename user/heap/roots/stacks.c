// SPDX-License-Identifier: Apache-2.0
#include "heap/roots/stacks.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"

#define WORD	      8u
#define BATCH	      256u
#define BUFFER	      (2u << 20)  /* of stacks read together */
#define MAX_ALONE     (64u << 20) /* a stack that is read as one; larger ones go word by word */
#define CHUNK	      (1u << 20)
#define MAX_STACK     (1ULL << 32)
#define ATTEMPTS      4u
#define REGISTERS_MAX 2112u /* src/runtime/preempt_amd64.go xRegs: 32 of 64 bytes, 8 of 8 */
#define REGISTERS_MIN 512u  /* preempt_arm64.go: 32 of 16 bytes */

struct entry {
	uint64_t address;
	/* What of the stack to read, if the g is still the same then; above 0: the g says it. */
	uint64_t fingerprint, sp;
	uint32_t above;
	uint8_t attempts;
};

struct stack {
	struct entry entry;
	struct heap_g g;
	uint64_t from; /* what is read: [from, stack_hi) */
	uint8_t *copy; /* NULL: nothing, or it is read in chunks */
	bool whole;
	int32_t result;
};

struct heap_stacks {
	const struct heap_runtime *runtime;
	struct heap_stack_scanner *scanner;
	struct heap_mark *mark;
	struct heap_stacks_totals totals;
	const struct heap_thread *threads;
	size_t n_threads;

	struct entry *entries; /* to do, the last first */
	size_t n, capacity;

	struct stack batch[BATCH];
	struct remote_span reads[BATCH];
	uint8_t gs[BATCH][HEAP_G_MAX];
	size_t n_batch;
	uint8_t *buffer;
	size_t buffer_used;
};

int heap_stacks__new(const struct heap_runtime *runtime, struct heap_stack_scanner *scanner,
		     struct heap_mark *mark, struct heap_stacks **ret_stacks)
{
	struct heap_stacks *stacks = calloc(1, sizeof(*stacks));

	if (!stacks)
		return -ENOMEM;
	stacks->runtime = runtime;
	stacks->scanner = scanner;
	stacks->mark = mark;
	stacks->buffer = malloc(BUFFER);
	if (!stacks->buffer) {
		free(stacks);
		return -ENOMEM;
	}
	*ret_stacks = stacks;
	return 0;
}

void heap_stacks__free(struct heap_stacks *stacks)
{
	if (!stacks)
		return;
	free(stacks->entries);
	free(stacks->buffer);
	free(stacks);
}

void heap_stacks__threads(struct heap_stacks *stacks, const struct heap_thread *threads, size_t n)
{
	stacks->threads = threads;
	stacks->n_threads = n;
}

const struct heap_stacks_totals *heap_stacks__totals(const struct heap_stacks *stacks)
{
	return &stacks->totals;
}

static int push(struct heap_stacks *stacks, struct entry entry)
{
	if (!array__reserve(stacks->entries, stacks->capacity, stacks->n + 1))
		return -ENOMEM;
	stacks->entries[stacks->n++] = entry;
	return 0;
}

int heap_stacks__add(struct heap_stacks *stacks, const struct heap_goroutine *goroutine)
{
	return push(stacks, (struct entry){
				    .address = goroutine->address,
				    .fingerprint = goroutine->fingerprint,
				    .sp = goroutine->sp,
				    .above = goroutine->above,
			    });
}

/* --- reading ------------------------------------------------------------------------------------ */

/* All, or only those that have to say where their stacks are. */
static int read_gs(struct heap_stacks *stacks, bool all)
{
	for (size_t i = 0; i < stacks->n_batch; i++) {
		const struct entry *entry = &stacks->batch[i].entry;

		stacks->reads[i] = (struct remote_span){
			.address = entry->address,
			.buffer = stacks->gs[i],
			.size = all || !entry->above ? stacks->runtime->layout->g_sizeof : 0,
		};
	}
	return remote__read_spans(stacks->runtime->remote, stacks->reads, stacks->n_batch);
}

/* src/runtime/proc.go: no stack, or one on which nothing is kept. */
static bool has_no_stack(const struct heap_g *g)
{
	return go_status__is_free(g->status) || (!g->stack_lo && !g->stack_hi);
}

static bool is_sane(const struct heap_g *g)
{
	return g->stack_lo < g->stack_hi && g->stack_hi - g->stack_lo <= MAX_STACK &&
	       g->stack_lo % WORD == 0 && g->stack_hi % WORD == 0;
}

/* Where a running goroutine's stack begins, if one of the threads is on it. */
static uint64_t running_sp(const struct heap_stacks *stacks, const struct heap_g *g)
{
	for (size_t i = 0; i < stacks->n_threads; i++) {
		if (stacks->threads[i].sp > g->stack_lo && stacks->threads[i].sp <= g->stack_hi)
			return stacks->threads[i].sp;
	}
	return 0;
}

/* What of the stack is to be read, as its @entry says. */
static void plan_known(struct stack *stack)
{
	stack->g.sp = stack->entry.sp;
	stack->g.stack_hi = stack->entry.sp + stack->entry.above;
	stack->from = stack->entry.sp - WORD;
}

/* The same, by its g. False: nothing. */
static bool plan(struct heap_stacks *stacks, struct stack *stack)
{
	const struct heap_g *g = &stack->g;
	/* On arm64 the word below sp belongs to the frame; no harm elsewhere. */
	uint64_t sp = g->sp - WORD;

	stack->whole = !heap_g__is_off_thread(g) || stack->entry.attempts == ATTEMPTS;
	if (has_no_stack(g))
		return false;
	if (!is_sane(g)) {
		stacks->totals.unreadable++;
		return false;
	}
	if (g->sp % WORD || g->sp <= g->stack_lo || g->sp > g->stack_hi)
		stack->whole = true;
	stack->from = sp;
	if (stack->whole) {
		sp = g->status == GO_STATUS_RUNNING ? running_sp(stacks, g) : 0;
		/* 128 bytes below sp are a leaf function's own (System V ABI, red zone). */
		stack->from =
			sp > g->stack_lo + 128 ? (sp - 128) & ~(uint64_t)(WORD - 1) : g->stack_lo;
	}
	return true;
}

/*
 * Room for what is read of the stack; false: none is left in this batch. One that is larger than all
 * of the buffer is alone.
 */
static bool reserve(struct heap_stacks *stacks, struct stack *stack)
{
	size_t size = (size_t)(stack->g.stack_hi - stack->from);

	stack->copy = NULL;
	if (size > BUFFER)
		return true;
	if (size > BUFFER - stacks->buffer_used)
		return false;
	stack->copy = stacks->buffer + stacks->buffer_used;
	stacks->buffer_used += size;
	return true;
}

/* Takes entries as long as there is room for their stacks, and plans what to read of them. */
static int fill(struct heap_stacks *stacks)
{
	size_t n = min_of(stacks->n, (size_t)BATCH), kept = 0;
	int err;

	for (size_t i = 0; i < n; i++)
		stacks->batch[i] = (struct stack){.entry = stacks->entries[stacks->n - 1 - i]};
	stacks->n_batch = n;
	err = read_gs(stacks, false);
	if (err)
		return err;
	stacks->n -= n;
	stacks->buffer_used = 0;
	for (size_t i = 0; i < n && !err; i++) {
		struct stack stack = stacks->batch[i];

		if (stacks->reads[i].result) {
			stacks->totals.unreadable++;
			continue;
		}
		heap_mark__reveal(stacks->mark, stack.entry.address);
		if (stack.entry.above)
			plan_known(&stack);
		else
			heap_g__decode(stacks->runtime, stacks->gs[i], &stack.g);
		if (!stack.entry.above && !plan(stacks, &stack))
			continue;
		if (reserve(stacks, &stack))
			stacks->batch[kept++] = stack;
		else
			err = push(stacks, stack.entry);
	}
	stacks->n_batch = kept;
	return err;
}

static int read_stacks(struct heap_stacks *stacks)
{
	int err;

	for (size_t i = 0; i < stacks->n_batch; i++) {
		struct stack *stack = &stacks->batch[i];

		stacks->reads[i] = (struct remote_span){
			.address = stack->from,
			.buffer = stack->copy,
			.size = stack->copy ? (uint32_t)(stack->g.stack_hi - stack->from) : 0,
		};
	}
	err = remote__read_spans(stacks->runtime->remote, stacks->reads, stacks->n_batch);
	for (size_t i = 0; i < stacks->n_batch && !err; i++)
		stacks->batch[i].result = stacks->reads[i].result;
	return err;
}

/* --- marking ------------------------------------------------------------------------------------ */

static void guess_words(struct heap_stacks *stacks, uint64_t address, const uint8_t *data,
			size_t size)
{
	heap_mark__words(stacks->mark, address, data, size / WORD, NULL);
}

/* Vector registers of a goroutine that was interrupted: how many there are depends on the machine. */
static void scan_registers(struct heap_stacks *stacks, const struct heap_g *g)
{
	uint8_t data[REGISTERS_MAX];
	size_t size = sizeof(data);

	if (!g->preempted || !g->xregs)
		return;
	if (remote__read(stacks->runtime->remote, g->xregs, data, size)) {
		size = REGISTERS_MIN;
		if (remote__read(stacks->runtime->remote, g->xregs, data, size)) {
			stacks->totals.unreadable++;
			return;
		}
	}
	guess_words(stacks, g->xregs, data, size);
}

static struct heap_stack stack_of(const struct heap_stacks *stacks, const struct stack *stack,
				  const uint8_t *copy)
{
	const struct heap_g *g = &stack->g;

	return (struct heap_stack){
		.lo = g->stack_lo,
		.hi = g->stack_hi,
		.pc = g->pc,
		.sp = g->sp,
		.lr = g->lr,
		.ctxt = g->ctxt,
		.panic = g->panic,
		.defer = g->defer,
		.goid = g->goid,
		.startpc = g->startpc,
		.copy = copy,
		.from = stack->from,
		.again = heap_mark__is_again(stacks->mark),
	};
}

/* In chunks: nothing of it is kept. */
static int scan_in_chunks(struct heap_stacks *stacks, const struct stack *stack)
{
	const struct heap_stack scanned = stack_of(stacks, stack, NULL);
	struct heap_stack_contents inside = heap_stack__contents(&scanned, stacks->runtime->bias);
	uint64_t at = stack->from;
	int err = 0;

	heap_mark__inside(stacks->mark, &inside.contents);

	while (at < stack->g.stack_hi && !err) {
		size_t size = (size_t)min_of(stack->g.stack_hi - at, (uint64_t)CHUNK);

		err = remote__read(stacks->runtime->remote, at, stacks->buffer, size);
		if (!err)
			guess_words(stacks, at, stacks->buffer, size);
		at += size;
	}
	heap_mark__inside(stacks->mark, NULL);
	return err;
}

/* A stack with maps that does not fit the buffer. */
static int scan_alone(struct heap_stacks *stacks, struct stack *stack)
{
	size_t size = (size_t)(stack->g.stack_hi - stack->from);
	uint8_t *copy = size <= MAX_ALONE && !stack->whole ? malloc(size) : NULL;
	struct heap_stack scanned;
	int err;

	if (!copy) {
		stacks->totals.whole++;
		return scan_in_chunks(stacks, stack);
	}
	err = remote__read(stacks->runtime->remote, stack->from, copy, size);
	scanned = stack_of(stacks, stack, copy);
	if (!err)
		err = heap_stack_scanner__scan(stacks->scanner, &scanned);
	free(copy);
	return err;
}

static int scan_copied(struct heap_stacks *stacks, const struct stack *stack)
{
	const struct heap_stack scanned = stack_of(stacks, stack, stack->copy);
	struct heap_stack_contents inside;

	if (!stack->whole)
		return heap_stack_scanner__scan(stacks->scanner, &scanned);
	stacks->totals.whole++;
	inside = heap_stack__contents(&scanned, stacks->runtime->bias);
	heap_mark__inside(stacks->mark, &inside.contents);
	guess_words(stacks, stack->from, stack->copy, (size_t)(stack->g.stack_hi - stack->from));
	heap_mark__guess(stacks->mark, 0, stack->g.ctxt);
	heap_mark__inside(stacks->mark, NULL);
	return 0;
}

/* Whether the stack is the one that the g spoke of: it did not run, nor was its stack moved. */
static bool is_whole(const struct stack *stack, const struct heap_g *after)
{
	const struct heap_g *g = &stack->g;

	if (stack->entry.above)
		return stack->entry.fingerprint == after->fingerprint && !after->m &&
		       g->sp == after->sp && g->stack_hi == after->stack_hi && is_sane(after);
	return g->stack_lo == after->stack_lo && g->stack_hi == after->stack_hi &&
	       (stack->whole || (g->fingerprint == after->fingerprint && g->m == after->m &&
				 g->defer == after->defer && g->panic == after->panic));
}

static int settle(struct heap_stacks *stacks, size_t i)
{
	struct stack *stack = &stacks->batch[i];
	struct heap_g after;
	int err;

	heap_g__decode(stacks->runtime, stacks->gs[i], &after);
	if (stack->result || !is_whole(stack, &after)) {
		stacks->totals.torn++;
		stack->entry.above = 0;
		if (stack->entry.attempts++ < ATTEMPTS)
			return push(stacks, stack->entry);
		stacks->totals.unreadable++;
		return 0;
	}
	if (stack->entry.above)
		stack->g = after;
	stacks->totals.bytes += stack->g.stack_hi - stack->from;
	stacks->totals.allocated += stack->g.stack_hi - stack->g.stack_lo;
	scan_registers(stacks, &stack->g);
	err = stack->copy ? scan_copied(stacks, stack) : scan_alone(stacks, stack);
	if (err == -EFAULT) {
		stacks->totals.unreadable++;
		err = 0;
	}
	return err;
}

int heap_stacks__step(struct heap_stacks *stacks, uint64_t budget_ns)
{
	uint64_t end = clock__monotonic_ns() + budget_ns;

	while (stacks->n) {
		int err = fill(stacks);

		if (!err)
			err = read_stacks(stacks);
		if (!err)
			err = read_gs(stacks, true);
		for (size_t i = 0; i < stacks->n_batch && !err; i++)
			err = settle(stacks, i);
		if (err)
			return err;
		if (budget_ns && clock__monotonic_ns() >= end)
			break;
	}
	return stacks->n != 0;
}
