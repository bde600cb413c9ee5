// SPDX-License-Identifier: Apache-2.0
/*
 * What candidates wait on. Channels, and from Go 1.26 on everything else, is in the list of sudogs
 * that begins at g.waiting: read a link of many goroutines at a time. The list of one that has woken
 * meanwhile belongs to somebody else or ends in nothing; such a goroutine is no candidate. Where it looks like its
 * own all the same, its fingerprint is another by the end of the scan.
 */
#include <errno.h>
#include <stdlib.h>

#include "heap/goroutines/goroutines.h"

#include "base/array.h"
#include "base/bytes.h"

#define BATCH	      1024u
#define SUDOG_MAX     128    /* bytes; 104 in the largest version */
#define MAX_CASES     65536u /* of a select: selectgo numbers them with 16 bits */
#define MAX_WAITS     (1u << 24)
#define FIRST_WAITING 26 /* sema.go and notifyListWait set g.waiting from Go 1.26 on */

int heap_waits__add(struct heap_goroutines *goroutines, struct heap_goroutine *g, uint64_t object,
		    uint64_t sudog)
{
	if (goroutines->n_waits >= MAX_WAITS)
		return -ENOMEM;
	if (!array__reserve(goroutines->waits, goroutines->waits_capacity, goroutines->n_waits + 1))
		return -ENOMEM;
	if (!g->n_waits++)
		g->first_wait = (uint32_t)goroutines->n_waits;
	goroutines->waits[goroutines->n_waits++] = (struct heap_wait){object, sudog};
	return 0;
}

void heap_waits__drop(struct heap_goroutines *goroutines, struct heap_goroutine *g)
{
	if (!g->candidate)
		return;
	g->candidate = false;
	g->reached_by = HEAP_ROOT_MOVED;
	goroutines->n_candidates--;
	goroutines->waits_unknown++;
}

/* One goroutine whose list is being read. */
struct list {
	struct heap_goroutine *g;
	uint64_t next; /* sudog */
	bool by_channel;
};

static const struct wait_class_facts *facts_of(const struct heap_goroutine *g)
{
	return wait_class__facts((enum wait_class)g->wait_class);
}

static int take(struct heap_goroutines *goroutines, struct list *list, const uint8_t *sudog)
{
	const struct go_layout *l = goroutines->runtime->layout;
	uint64_t object = bytes__u64(sudog, list->by_channel ? l->sudog_c : l->sudog_elem);
	uint64_t at = list->next;

	if (bytes__u64(sudog, l->sudog_g) != list->g->address || !object) {
		heap_waits__drop(goroutines, list->g);
		list->next = 0;
		return 0;
	}
	/* Waits for a lock have a waitlink to others that wait for it. */
	list->next = list->by_channel ? bytes__u64(sudog, l->sudog_waitlink) : 0;
	return heap_waits__add(goroutines, list->g, object, at);
}

/* Follows one list to its end, so that the waits of a goroutine come one after another. */
static int follow(struct heap_goroutines *goroutines, struct list *list, const uint8_t *first)
{
	const struct heap_runtime *runtime = goroutines->runtime;
	uint8_t sudog[SUDOG_MAX];
	int err = take(goroutines, list, first);

	for (size_t i = 0; !err && list->next; i++) {
		if (i == MAX_CASES || remote__read(runtime->remote, list->next, sudog,
						   runtime->layout->sudog_sizeof)) {
			heap_waits__drop(goroutines, list->g);
			return 0;
		}
		err = take(goroutines, list, sudog);
	}
	return err;
}

struct batch {
	struct remote_span reads[BATCH];
	struct list lists[BATCH];
	size_t n;
	uint8_t data[BATCH * SUDOG_MAX];
};

static int read_batch(struct heap_goroutines *goroutines, struct batch *batch)
{
	uint32_t size = goroutines->runtime->layout->sudog_sizeof;
	int err;

	for (size_t i = 0; i < batch->n; i++)
		batch->reads[i] = (struct remote_span){
			.address = batch->lists[i].next,
			.buffer = batch->data + i * SUDOG_MAX,
			.size = size,
		};
	err = remote__read_spans(goroutines->runtime->remote, batch->reads, batch->n);
	for (size_t i = 0; i < batch->n && !err; i++) {
		if (batch->reads[i].result || !batch->lists[i].next)
			heap_waits__drop(goroutines, batch->lists[i].g);
		else
			err = follow(goroutines, &batch->lists[i], batch->data + i * SUDOG_MAX);
	}
	return err;
}

static bool has_list(const struct heap_goroutines *goroutines, const struct heap_goroutine *g)
{
	return g->candidate && !facts_of(g)->for_ever &&
	       (facts_of(g)->on == WAIT_ON_CHANNELS ||
		goroutines->runtime->layout->minor >= FIRST_WAITING);
}

static int read_lists(struct heap_goroutines *goroutines, struct batch *batch)
{
	int err = 0;

	for (size_t i = 0; i < goroutines->n && !err; i++) {
		struct heap_goroutine *g = &goroutines->all[i];

		if (has_list(goroutines, g))
			batch->lists[batch->n++] = (struct list){
				.g = g,
				.next = g->waiting,
				.by_channel = facts_of(g)->on == WAIT_ON_CHANNELS,
			};
		if (batch->n == BATCH || (batch->n && i + 1 == goroutines->n)) {
			err = read_batch(goroutines, batch);
			batch->n = 0;
		}
	}
	return err;
}

int heap_waits__read(struct heap_goroutines *goroutines)
{
	struct batch *batch;
	int err;

	if (goroutines->runtime->layout->sudog_sizeof > SUDOG_MAX)
		return -EFAULT;
	batch = calloc(1, sizeof(*batch));
	if (!batch)
		return -ENOMEM;
	err = read_lists(goroutines, batch);
	free(batch);
	if (!err && goroutines->runtime->layout->minor < FIRST_WAITING)
		err = heap_waits__semaphores(goroutines);
	if (!err && goroutines->runtime->layout->minor < FIRST_WAITING)
		err = heap_waits__conds(goroutines);
	/* Nobody is unreachable for want of a list. */
	for (size_t i = 0; i < goroutines->n && !err; i++) {
		if (!facts_of(&goroutines->all[i])->for_ever && !goroutines->all[i].n_waits)
			heap_waits__drop(goroutines, &goroutines->all[i]);
	}
	return err;
}
