// SPDX-License-Identifier: Apache-2.0
/*
 * Before Go 1.26 a goroutine that waits for a lock or WaitGroup does not say for which: it is in
 * runtime.semtable, whose sudogs are a treap by address in each bucket, and of the same address a
 * list (src/runtime/sema.go). All of it is walked once.
 */
#include <errno.h>
#include <stdlib.h>

#include "golang/semtable.h"
#include "base/array.h"
#include "base/bytes.h"
#include "heap/goroutines/goroutines.h"

#define WORD	  8u
#define BATCH	  1024u
#define SUDOG_MAX 128

struct waiter {
	uint64_t g, semaphore, sudog;
};

struct walk {
	const struct heap_runtime *runtime;
	struct waiter *all; /* those from `done` on have only a sudog yet */
	size_t n, done, capacity, max;
	struct remote_span reads[BATCH];
	uint8_t data[BATCH * SUDOG_MAX];
};

/* What is beyond the maximum is not followed: nobody waits twice, so it is no table. */
static int push(struct walk *walk, uint64_t sudog)
{
	if (!sudog || sudog % WORD || walk->n == walk->max)
		return 0;
	if (!array__reserve(walk->all, walk->capacity, walk->n + 1))
		return -ENOMEM;
	walk->all[walk->n++] = (struct waiter){.sudog = sudog};
	return 0;
}

static int read_roots(struct walk *walk)
{
	const struct heap_runtime *runtime = walk->runtime;
	size_t stride = runtime->arch->cache_line(runtime->layout->minor);
	uint8_t *table = malloc(stride * SEMTABLE_BUCKETS);
	int err = table ? remote__read(runtime->remote, runtime->semtable, table,
				       stride * SEMTABLE_BUCKETS) :
			  -ENOMEM;

	for (size_t i = 0; i < SEMTABLE_BUCKETS && !err; i++)
		err = push(walk, bytes__u64(table, i * stride + SEMTABLE_TREAP));
	free(table);
	return err;
}

static int take(struct walk *walk, struct waiter *waiter, const uint8_t *sudog)
{
	const struct go_layout *l = walk->runtime->layout;
	const uint32_t links[] = {l->sudog_prev, l->sudog_next, l->sudog_waitlink};
	int err = 0;

	waiter->g = bytes__u64(sudog, l->sudog_g);
	waiter->semaphore = bytes__u64(sudog, l->sudog_elem);
	for (size_t i = 0; i < ARRAY_SIZE(links) && !err; i++)
		err = push(walk, bytes__u64(sudog, links[i]));
	return err;
}

/* Those that are known by address only. */
static int read_waiters(struct walk *walk)
{
	size_t first = walk->done, n = min_of(walk->n - first, (size_t)BATCH);
	int err;

	for (size_t i = 0; i < n; i++)
		walk->reads[i] = (struct remote_span){
			.address = walk->all[first + i].sudog,
			.buffer = walk->data + i * SUDOG_MAX,
			.size = walk->runtime->layout->sudog_sizeof,
		};
	err = remote__read_spans(walk->runtime->remote, walk->reads, n);
	for (size_t i = 0; i < n && !err; i++) {
		struct waiter waiter = walk->all[first + i];

		if (!walk->reads[i].result)
			err = take(walk, &waiter, walk->data + i * SUDOG_MAX);
		walk->all[first + i] = waiter;
	}
	walk->done += n;
	return err;
}

static int by_g(const void *a, const void *b)
{
	const struct waiter *x = a, *y = b;

	return x->g < y->g ? -1 : x->g > y->g;
}

static bool is_semaphore_wait(const struct heap_goroutine *g)
{
	return g->candidate &&
	       wait_class__facts((enum wait_class)g->wait_class)->on == WAIT_ON_SEMAPHORE;
}

static int attach(struct heap_goroutines *goroutines, struct walk *walk)
{
	int err = 0;

	if (walk->n)
		qsort(walk->all, walk->n, sizeof(walk->all[0]), by_g);
	for (size_t i = 0; i < goroutines->n && !err; i++) {
		struct heap_goroutine *g = &goroutines->all[i];
		const struct waiter key = {.g = g->address};
		const struct waiter *found;

		if (!is_semaphore_wait(g))
			continue;
		found = walk->n ? bsearch(&key, walk->all, walk->n, sizeof(walk->all[0]), by_g) :
				  NULL;
		if (found && found->semaphore)
			err = heap_waits__add(goroutines, g, found->semaphore, found->sudog);
		else
			heap_waits__drop(goroutines, g);
	}
	return err;
}

int heap_waits__semaphores(struct heap_goroutines *goroutines)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	int err = 0;

	if (!walk)
		return -ENOMEM;
	walk->runtime = goroutines->runtime;
	walk->max = goroutines->n + SEMTABLE_BUCKETS;
	if (walk->runtime->semtable)
		err = read_roots(walk);
	while (!err && walk->done < walk->n)
		err = read_waiters(walk);
	if (!err)
		err = attach(goroutines, walk);
	free(walk->all);
	free(walk);
	return err;
}
