// SPDX-License-Identifier: Apache-2.0
/*
 * Where a stopped target's threads are. A thread that has a P may be anywhere in the runtime, on its
 * system stack, with the only reference to something there or in a register. One without a P cannot
 * hold any: the collector does not wait for such threads either (src/runtime/proc.go, entersyscall).
 */
#include <errno.h>

#include "heap/scan/private.h"

#define WORD	  8u
#define MAX_STACK (64u << 20) /* of a thread */
#define CHUNK	  65536u

struct system_stack {
	uint64_t lo, hi;
};

/* Of the g at @address. */
static int read_stack(struct heap_scan *scan, uint64_t address, struct system_stack *ret)
{
	const struct go_layout *l = scan->runtime->layout;
	int err = remote__read_u64(scan->runtime->remote, address + l->g_stack_lo, &ret->lo);

	return err ? err :
		     remote__read_u64(scan->runtime->remote, address + l->g_stack_hi, &ret->hi);
}

static int guess_words(struct heap_scan *scan, uint64_t from, uint64_t to)
{
	uint8_t data[CHUNK];

	if (to - from > MAX_STACK)
		return -EFAULT;
	while (from < to) {
		size_t size = (size_t)min_of(to - from, (uint64_t)CHUNK);
		int err = remote__read(scan->runtime->remote, from, data, size);

		if (err)
			return err;
		heap_mark__words(scan->mark, from, data, size / WORD, NULL);
		from += size;
	}
	return 0;
}

static const struct heap_thread *thread_on(const struct heap_scan *scan,
					   const struct system_stack *stack)
{
	for (size_t i = 0; i < scan->options.n_threads; i++) {
		const struct heap_thread *thread = &scan->options.threads[i];

		if (thread->sp > stack->lo && thread->sp <= stack->hi)
			return thread;
	}
	return NULL;
}

/* The system stack of the M at @m, and its signal stack, where nobody should be. */
static int scan_machine(struct heap_scan *scan, uint64_t m)
{
	const struct go_layout *l = scan->runtime->layout;
	const struct heap_thread *thread;
	struct system_stack stack;
	uint64_t g0, gsignal;
	int err = remote__read_u64(scan->runtime->remote, m + l->m_g0, &g0);

	if (!err)
		err = remote__read_u64(scan->runtime->remote, m + l->m_gsignal, &gsignal);
	if (!err)
		err = read_stack(scan, g0, &stack);
	if (err)
		return err;
	thread = thread_on(scan, &stack);
	if (thread) {
		err = guess_words(scan, thread->sp & ~(uint64_t)(WORD - 1), stack.hi);
		if (err)
			return err;
	}
	/* What the handler interrupted cannot be told; the target has to be stopped again. */
	if (gsignal && !read_stack(scan, gsignal, &stack) && thread_on(scan, &stack))
		return -EFAULT;
	return 0;
}

static int scan_machines(struct heap_scan *scan)
{
	size_t n;
	const uint64_t *processors = heap_roots__list(scan->roots, &n);

	if (!scan->runtime->allp)
		return -EFAULT;
	for (size_t i = 0; i < n; i++) {
		uint64_t m;
		int err = remote__read_u64(scan->runtime->remote,
					   processors[i] + scan->runtime->layout->p_m, &m);

		if (!err && m)
			err = scan_machine(scan, m);
		if (err)
			return err;
	}
	return 0;
}

int scan_threads__mark(struct heap_scan *scan)
{
	int err;

	for (size_t t = 0; t < scan->options.n_threads; t++) {
		const struct heap_thread *thread = &scan->options.threads[t];

		for (size_t i = 0; i < thread->n_registers; i++)
			heap_mark__guess(scan->mark, 0, thread->registers[i]);
	}
	if (!scan->options.exact)
		return 0;
	err = scan_machines(scan);
	if (err != -EFAULT)
		return err;
	scan->threads_unknown++;
	return 0;
}
