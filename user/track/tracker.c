// SPDX-License-Identifier: Apache-2.0
/* What events tell, and what is asked. */
#include "track/tracker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "track/tracker_internal.h"

#define DEFAULT_MAX_GOROUTINES (8u << 20)
#define DEFAULT_MAX_SITES      65536u

int tracker__new(const struct tracker_options *options, struct tracker **ret_tracker)
{
	struct tracker *tracker = calloc(1, sizeof(*tracker));
	size_t max_sites = options->max_sites;

	if (!tracker)
		return -ENOMEM;
	tracker->options = *options;
	if (!options->max_goroutines)
		tracker->options.max_goroutines = DEFAULT_MAX_GOROUTINES;
	tracker->events_since = ticks__of(options->attached_ns);
	tracker->process_ticks = ticks__of(options->started_ns);
	tracker->watch_ticks = tracker->events_since;
	tracker->parks_ticks = tracker->events_since;
	tracker->halved_ticks = tracker->events_since;
	tracker->wants_sockets = true; /* the first look does */
	if (departed__new(&tracker->departed) ||
	    goroutine_table__new(tracker->options.max_goroutines, &tracker->goroutines) ||
	    site_table__new(max_sites ? max_sites : DEFAULT_MAX_SITES, &tracker->sites)) {
		tracker__free(tracker);
		return -ENOMEM;
	}
	*ret_tracker = tracker;
	return 0;
}

void tracker__free(struct tracker *tracker)
{
	if (!tracker)
		return;
	goroutine_table__free(tracker->goroutines);
	site_table__free(tracker->sites);
	departed__free(tracker->departed);
	callers__free(tracker->callers);
	waits__free(tracker->waits);
	site_views__release(&tracker->views);
	history__clear(&tracker->files);
	history__clear(&tracker->accepted);
	free(tracker);
}

void tracker__freeze(struct tracker *tracker, bool frozen)
{
	size_t max = tracker->options.max_goroutines;

	goroutine_table__set_max(tracker->goroutines,
				 frozen ? goroutine_table__count(tracker->goroutines) : max);
	site_table__freeze(tracker->sites, frozen);
}

uint64_t tracker__memory(const struct tracker *tracker)
{
	return goroutine_table__memory(tracker->goroutines) + site_table__memory(tracker->sites) +
	       (tracker->callers ? callers__memory(tracker->callers) : 0) + waits__memory(tracker);
}

void tracker__expect_events(struct tracker *tracker, bool expected, uint64_t now_ns)
{
	if (expected && !tracker->options.expect_events)
		tracker->events_since = ticks__of(now_ns);
	tracker->options.expect_events = expected;
}

/* --- events --- */

/* A census made the record before the creation event came: the event tells what that could not. */
static void created_late(struct tracker *tracker, struct goroutine *g, uint64_t ticks)
{
	if (!(g->flags & GOROUTINE_CREATED)) {
		record__count_created(tracker, g);
	} else if (g->flags & GOROUTINE_REPAIRED) {
		g->flags &= (uint8_t)~GOROUTINE_REPAIRED;
		tracker->repaired--;
		tracker->creations_concluded--;
	} else {
		return; /* the event came twice */
	}
	goroutine__set_existed_since(g, min_of(goroutine__existed_since(g), ticks));
}

struct site *tracker__unknown_site(struct tracker *tracker)
{
	const struct site_key unknown = {0};

	return site_table__at(tracker->sites, tracker__site_of(tracker, &unknown, 0));
}

/*
 * Moves the counts of a goroutine that exited without a record to its origin, now that it is known.
 */
static void give_origin(struct tracker *tracker, struct site *origin, bool counted)
{
	bool system = origin->system;
	struct site *unknown;

	origin->created++;
	origin->exited++;
	tracker->exited -= system;
	tracker->created -= system && counted;
	tracker->created += !system && !counted;
	unknown = tracker__unknown_site(tracker);
	unknown->exited -= unknown->exited > 0;
	unknown->created -= counted && unknown->created > 0;
}

/*
 * The creation event of a goroutine that is gone already, by its exit event or a census. What was
 * concluded of its creation then is corrected.
 */
static void created_after_exit(struct tracker *tracker, struct departed_entry *gone, uint32_t index)
{
	bool counted = !(gone->flags & DEPARTED_UNCOUNTED);
	struct site *site = site_table__at(tracker->sites, index);

	if (gone->flags & DEPARTED_CONCLUDED) {
		tracker->repaired--;
		tracker->creations_concluded--;
	}
	if (gone->flags & DEPARTED_ORPHAN) {
		give_origin(tracker, site, counted);
	} else if (!counted) {
		site->created++;
		tracker->created += !site->system;
	}
	gone->flags &= DEPARTED_SWEPT | DEPARTED_REPAIR;
}

void tracker__created(struct tracker *tracker, uint64_t goid, uint64_t creation_pc,
		      uint64_t start_pc, uint64_t time_ns)
{
	const struct site_key origin = {.creation_pc = creation_pc, .start_pc = start_pc};
	uint64_t ticks = ticks__of(time_ns);
	struct departed_entry *gone;
	struct goroutine *g;
	uint32_t handle, index;
	struct site *site;

	if (!goid)
		return;
	g = goroutine_table__find(tracker->goroutines, goid, &handle);
	if (g) {
		created_late(tracker, g, ticks);
		return;
	}
	index = tracker__site_of(tracker, &origin, 0);
	gone = departed__find(tracker->departed, goid);
	if (gone) {
		created_after_exit(tracker, gone, index);
		return;
	}
	g = record__add(tracker, goid, index, ticks, &handle);
	if (g) {
		record__count_created(tracker, g);
		return;
	}
	site = site_table__at(tracker->sites, index);
	site->created++;
	tracker->created += !site->system;
	tracker->refused_since++;
}

/*
 * The exit of a goroutine without a record. Before the first census the goroutine may be older than
 * the attach, or its creation event is on its way. After the first census it was created since, and
 * its creation event was lost or is late.
 */
static void exited_orphan(struct tracker *tracker, uint64_t goid, uint64_t ticks)
{
	bool refused = tracker->refused_seen || tracker->refused_since;
	bool counted = tracker->n_censuses && !refused;
	bool repair = counted && tracker->options.expect_events &&
		      tracker->events_since <= tracker->previous_ticks;
	struct site *site = tracker__unknown_site(tracker);

	site->exited++;
	tracker->exited++;
	site->created += counted;
	tracker->created += counted;
	tracker->repaired += repair;
	tracker->creations_concluded += repair;
	departed__add(tracker->departed, goid, ticks,
		      DEPARTED_ORPHAN | (counted ? 0 : DEPARTED_UNCOUNTED) |
			      (repair ? DEPARTED_CONCLUDED : 0));
}

static void exited_unknown(struct tracker *tracker, uint64_t goid, uint64_t ticks)
{
	struct departed_entry *gone = departed__find(tracker->departed, goid);

	if (!gone) {
		exited_orphan(tracker, goid, ticks);
	} else if (gone->flags & DEPARTED_SWEPT) {
		/*
		 * The event was not lost: it is later than the census that did not see the
		 * goroutine.
		 */
		tracker->repaired -= gone->flags & DEPARTED_REPAIR ? 1 : 0;
		gone->flags &= ~(unsigned int)(DEPARTED_SWEPT | DEPARTED_REPAIR);
	}
}

void tracker__exited(struct tracker *tracker, uint64_t goid, uint64_t time_ns)
{
	uint32_t handle;
	struct goroutine *g = goroutine_table__find(tracker->goroutines, goid, &handle);

	if (g)
		record__exit(tracker, g, handle, ticks__of(time_ns), 0);
	else if (goid)
		exited_unknown(tracker, goid, ticks__of(time_ns));
}

/*
 * A park event does not tell where: the goroutine stays at the site where the last census has put
 * it, until the next one reads its stack. Parks of goroutines without a record are ignored: such a
 * goroutine is older than the attach and will be seen by the first census, or it is gone.
 */
void tracker__parked(struct tracker *tracker, uint64_t goid, uint64_t time_ns)
{
	uint32_t handle;
	struct goroutine *g = goroutine_table__find(tracker->goroutines, goid, &handle);
	uint64_t ticks = ticks__of(time_ns);

	tracker->parks_now = true;
	if (!g)
		return;
	if (ticks < goroutine__last_news(g)) {
		/*
		 * A census, or an event of a later time, has told of the goroutine already. If it
		 * is parked by that, this may be when the park began.
		 */
		if (g->flags & GOROUTINE_PARKED &&
		    (!(g->flags & GOROUTINE_BY_EVENT) || ticks > goroutine__parked_since(g))) {
			record__park(tracker, g, ticks);
			g->flags |= GOROUTINE_BY_EVENT;
		}
		return;
	}
	record__unpark(tracker, g, ticks);
	record__park(tracker, g, ticks);
	goroutine__set_last_news(g, ticks);
	g->flags |= GOROUTINE_MOVED | GOROUTINE_BY_EVENT;
	site_table__at(tracker->sites, goroutine__site(g))->parks++;
}

void tracker__lost(struct tracker *tracker, uint64_t events, uint64_t creations)
{
	if (!events)
		return;
	tracker->lost += events;
	tracker->creations_lost += creations;
	if (tracker->in_census)
		tracker->inexact_now = true;
	else
		tracker->inexact = true;
}

void tracker__totals(const struct tracker *tracker, struct tracker_totals *ret_totals)
{
	*ret_totals = (struct tracker_totals){
		.alive = goroutine_table__count(tracker->goroutines) - tracker->system,
		.system = tracker->system,
		.parked = tracker->parked,
		.created = tracker->created,
		.exited = tracker->exited,
		.lost = tracker->lost,
		.repaired = tracker->repaired,
		.refused = tracker->refused_seen + tracker->refused_since,
		.sites = site_table__count(tracker->sites),
		.lifetime_seconds = tracker->lifetime_seconds,
		.inexact = tracker->inexact || tracker->inexact_now,
	};
	memcpy(ret_totals->lifetimes, tracker->lifetimes, sizeof(tracker->lifetimes));
}

bool tracker__site_of_handle(const struct tracker *tracker, uint32_t handle, uint32_t *ret_site,
			     uint64_t *ret_goid)
{
	const struct goroutine *g = goroutine_table__peek(tracker->goroutines, handle);

	if (!g)
		return false;
	*ret_site = goroutine__site(g);
	*ret_goid = goroutine__goid(g);
	return true;
}

void tracker__unseen(struct tracker *tracker, uint64_t goroutines)
{
	struct site *site = tracker__unknown_site(tracker);

	site->created += goroutines;
	site->exited += goroutines;
	tracker->created += goroutines;
	tracker->exited += goroutines;
}

uint64_t tracker__max_goid(const struct tracker *tracker)
{
	return tracker->max_goid;
}

bool tracker__find(const struct tracker *tracker, uint64_t goid, uint32_t *ret_site,
		   uint64_t *ret_parked_since_ns)
{
	uint32_t handle;
	const struct goroutine *g = goroutine_table__find(tracker->goroutines, goid, &handle);

	if (!g)
		return false;
	*ret_site = goroutine__site(g);
	*ret_parked_since_ns =
		g->flags & GOROUTINE_PARKED ? goroutine__parked_since(g) << TICK_SHIFT : 0;
	return true;
}

enum wait_class tracker__waits_in(const struct tracker *tracker, uint32_t index)
{
	return index < site_table__end(tracker->sites) ?
		       site_table__at(tracker->sites, index)->wait_class :
		       WAIT_NONE;
}

void tracker__forget_proofs(struct tracker *tracker)
{
	for (uint32_t i = 0; i < site_table__end(tracker->sites); i++)
		site_table__at(tracker->sites, i)->proof = (struct site_proof){0};
}

void tracker__note_proof(struct tracker *tracker, uint32_t index, const struct site_proof *proof)
{
	if (index < site_table__end(tracker->sites))
		site_table__at(tracker->sites, index)->proof = *proof;
}

void tracker__note_objects(struct tracker *tracker, uint32_t index,
			   const struct site_objects *objects)
{
	if (index < site_table__end(tracker->sites))
		site_table__at(tracker->sites, index)->objects = *objects;
}
