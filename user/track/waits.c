// SPDX-License-Identifier: Apache-2.0
/* Waits of goroutines for each other, each from its park to its wake. */
#include <stdlib.h>

#include "track/tracker_internal.h"

/* It has been woken since. */
#define AWAKE UINT64_MAX

/* Of the goroutine whose record has the same handle. */
struct began {
	uint64_t goid;
	uint64_t ns; /* monotonic; 0: not known */
};

struct waits {
	struct began *began; /* by handle */
	uint32_t n;
	uint64_t since_ns;
	uint64_t missed;
};

void waits__free(struct waits *waits)
{
	if (!waits)
		return;
	free(waits->began);
	free(waits);
}

uint64_t waits__memory(const struct tracker *tracker)
{
	const struct waits *waits = tracker->waits;

	return waits ? sizeof(*waits) + waits->n * sizeof(waits->began[0]) : 0;
}

void tracker__trace_waits(struct tracker *tracker, bool traced, uint64_t now_ns)
{
	if (traced == (tracker->waits != NULL))
		return;
	waits__free(tracker->waits);
	tracker->waits = traced ? calloc(1, sizeof(*tracker->waits)) : NULL;
	if (!tracker->waits)
		return;
	tracker->waits->since_ns = max_of(now_ns, (uint64_t)1);
	for (uint32_t i = 0; i < site_table__end(tracker->sites); i++) {
		struct site *site = site_table__at(tracker->sites, i);

		site->waits = site->wait_ns = 0;
	}
}

uint64_t tracker__waits_since(const struct tracker *tracker)
{
	return tracker->waits ? tracker->waits->since_ns : 0;
}

uint64_t tracker__waits_missed(const struct tracker *tracker)
{
	return tracker->waits ? tracker->waits->missed : 0;
}

/* What is kept for @handle, of whatever goroutine; NULL: there is no memory. */
static struct began *slot_of(struct waits *waits, uint32_t handle)
{
	uint32_t n = waits->n;
	struct began *grown;

	if (handle < n)
		return &waits->began[handle];
	n = min_of(max_of(handle + 1, n * 2), (uint32_t)GOROUTINE_MAX_HANDLE + 1);
	grown = reallocarray(waits->began, n, sizeof(*grown));
	if (!grown)
		return NULL;
	for (uint32_t i = waits->n; i < n; i++)
		grown[i] = (struct began){0};
	waits->began = grown;
	waits->n = n;
	return &grown[handle];
}

void tracker__wait_began(struct tracker *tracker, uint64_t goid, uint64_t time_ns)
{
	struct began *slot;
	uint32_t handle;

	if (!tracker->waits || !goroutine_table__find(tracker->goroutines, goid, &handle))
		return;
	slot = slot_of(tracker->waits, handle);
	if (slot)
		*slot = (struct began){goid, time_ns};
}

/*
 * When a wait began of which nothing is kept: with the tracing, where the goroutine is older. Others parked, and
 * that was not told.
 */
static uint64_t began_unseen(const struct tracker *tracker, const struct goroutine *g)
{
	uint64_t since_ns = tracker->waits->since_ns;

	if (!(g->flags & GOROUTINE_CREATED))
		return since_ns;
	return goroutine__existed_since(g) <= ticks__of(since_ns) ? since_ns : 0;
}

/* When the wait of the goroutine behind @handle began; 0: not known. It is awake from now on. */
static uint64_t take(struct tracker *tracker, const struct goroutine *g, uint32_t handle)
{
	struct began *slot = slot_of(tracker->waits, handle);
	uint64_t goid = goroutine__goid(g), ns;

	if (!slot)
		return 0;
	ns = slot->goid == goid ? slot->ns : began_unseen(tracker, g);
	*slot = (struct began){goid, AWAKE};
	return ns == AWAKE ? 0 : ns;
}

void tracker__wait_ended(struct tracker *tracker, const struct tracker_wait *wait)
{
	struct site_key key = {
		.creation_pc = wait->creation_pc,
		.start_pc = wait->start_pc,
		.place = wait->place,
		.wait_reason = wait->wait_reason,
	};
	const struct goroutine *g;
	uint64_t began_ns = 0;
	struct site *site;
	uint32_t handle;

	if (!tracker->waits)
		return;
	g = goroutine_table__find(tracker->goroutines, wait->goid, &handle);
	if (g) {
		key.call_pc = tracker__call_of(tracker, g);
		began_ns = take(tracker, g, handle);
	}
	if (!began_ns || wait->ended_ns < began_ns) {
		tracker->waits->missed++;
		return;
	}
	site = site_table__at(tracker->sites, tracker__site_of(tracker, &key, wait->stack_id));
	site->waits++;
	site->wait_ns += wait->ended_ns - began_ns;
}

uint64_t waits__of(const struct tracker *tracker, uint32_t handle, const struct goroutine *g,
		   uint64_t now)
{
	const struct waits *waits = tracker->waits;
	uint64_t began_ns, now_ns = now << TICK_SHIFT;

	/* One that has parked since the census waits where that has not seen it. */
	if (!waits || g->flags & GOROUTINE_MOVED)
		return 0;
	if (handle < waits->n && waits->began[handle].goid == goroutine__goid(g))
		began_ns = waits->began[handle].ns;
	else
		began_ns = began_unseen(tracker, g);
	return began_ns && began_ns < now_ns ? now_ns - began_ns : 0;
}
