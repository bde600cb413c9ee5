// SPDX-License-Identifier: Apache-2.0
/* What a census does to the records. */
#include "track/tracker_internal.h"

#define HALVE_ENDED_NS (3600 * NSEC_PER_SEC)

void tracker__census_begin(struct tracker *tracker, uint64_t started_ns)
{
	/* A census that never came to its end leaves marks of its epoch, which nobody reads. */
	tracker->epoch++;
	tracker->in_census = true;
	tracker->inexact |= tracker->inexact_now;
	tracker->inexact_now = false;
	tracker->census_ticks = ticks__of(started_ns);
	tracker->creations_lost_before = tracker->creations_lost;
	tracker->refusing = 0;
	/*
	 * What happened since the last complete census began should have been told by events, if
	 * they were attached all that time.
	 */
	tracker->repairs =
		tracker->options.expect_events &&
		(!tracker->n_censuses || tracker->events_since <= tracker->previous_ticks);
	tracker->parks_told = tracker->parks_now;
	tracker->parks_now = false;
}

/* When the wait that @sighting shows began at the latest: the target's GC may know of earlier. */
static uint64_t wait_began(const struct tracker_sighting *sighting, uint64_t born, uint64_t read)
{
	uint64_t since = ticks__of(sighting->waitsince_ns);

	if (!sighting->waitsince_ns || since > read)
		return read;
	/* The GC stamps its own begin, which may lie before the goroutine's (runtime/mgcmark.go). */
	return max_of(since, min_of(born, read));
}

static uint32_t sighted_site(struct tracker *tracker, const struct goroutine *g,
			     const struct tracker_sighting *sighting)
{
	bool blocked = sighting->parked || sighting->in_syscall;
	struct site_key key = {
		.creation_pc = sighting->creation_pc,
		.start_pc = sighting->start_pc,
		.wait_reason = sighting->parked ? sighting->wait_reason : 0,
		.place = blocked ? sighting->place : 0,
	};

	if (g && blocked && !key.place) {
		/* The stack could not be read: the last one is the best guess if the reason fits. */
		const struct site *site = site_table__at(tracker->sites, goroutine__site(g));

		if (site->key.wait_reason == key.wait_reason &&
		    site->key.creation_pc == key.creation_pc && site->key.start_pc == key.start_pc)
			return goroutine__site(g);
	}
	return tracker__site_of(tracker, &key, blocked ? sighting->stack_id : 0);
}

/*
 * Its place and the begin of its park, as the sighting shows them. census_seen() is called for what
 * has run since the last census, or looks so; whether it has, park events know if they flow.
 */
static void merge_parked(struct tracker *tracker, struct goroutine *g,
			 const struct tracker_sighting *sighting, uint64_t read)
{
	uint32_t site = sighted_site(tracker, g, sighting);
	uint64_t began = wait_began(sighting, goroutine__existed_since(g), read);
	bool parked = g->flags & GOROUTINE_PARKED, moved = site != goroutine__site(g);
	bool told = g->flags & GOROUTINE_MOVED;
	bool events_flow = (tracker->parks_told || tracker->parks_now) && !tracker->inexact &&
			   !tracker->inexact_now;

	if (parked && (told || (events_flow && !moved))) {
		/* A park event's time stands; nothing else is as exact. */
	} else if (parked && !moved && began <= goroutine__last_news(g)) {
		/* By the target's GC it was in this wait already when it was last looked at. */
		record__park(tracker, g, min_of(goroutine__parked_since(g), began));
	} else {
		record__unpark(tracker, g, began);
		record__park(tracker, g, began);
	}
	if (moved)
		record__move(tracker, g, site);
	g->flags |= GOROUTINE_SIGHTED;
}

/*
 * It runs, or is in a system call, of which the stack is known though no park began. A running one
 * stays at its site: where it will park next is not known.
 */
static void merge_unparked(struct tracker *tracker, struct goroutine *g,
			   const struct tracker_sighting *sighting, uint64_t read)
{
	uint32_t site;

	record__unpark(tracker, g, read);
	if (!sighting->in_syscall)
		return;
	site = sighted_site(tracker, g, sighting);
	if (site != goroutine__site(g))
		record__move(tracker, g, site);
}

static struct goroutine *adopt(struct tracker *tracker, const struct tracker_sighting *sighting,
			       uint64_t read, uint32_t *ret_handle)
{
	uint32_t site = sighted_site(tracker, NULL, sighting);
	struct goroutine *g = record__add(tracker, sighting->goid, site, read, ret_handle);

	if (!g) {
		tracker->refusing++;
		return NULL;
	}
	/* The last complete census did not see it: it is not older than that. */
	if (sighting->parked)
		goroutine__set_existed_since(g,
					     wait_began(sighting, tracker->previous_ticks, read));
	/* Before the first one: older than the attach, or its creation event is on its way. */
	if (!tracker->n_censuses) {
		if (tracker->restored)
			goroutine__set_existed_since(
				g, min_of(goroutine__existed_since(g),
					  goid_clock__created_at(&tracker->clock, sighting->goid,
								 read)));
		return g;
	}
	record__count_created(tracker, g);
	if (tracker->repairs) {
		g->flags |= GOROUTINE_REPAIRED;
		tracker->repaired++;
		tracker->creations_concluded++;
	}
	return g;
}

/*
 * Whether a goroutine said to be gone by @gone can have been there at @read all the same. An exit
 * event comes before the runtime marks the g as dead (src/runtime/proc.go, goexit0 and gdestroy),
 * and its thread may have to wait in between: that one still looks running, however late it is.
 */
static bool is_back(struct departed_entry *gone, const struct tracker_sighting *sighting,
		    uint64_t read)
{
	bool by_event = !(gone->flags & DEPARTED_SWEPT);

	if (gone->ticks >= read || (by_event && !sighting->parked && !sighting->in_syscall))
		return false;
	gone->goid = 0;
	return true;
}

/*
 * Somebody unknown who runs, though events flow and none was lost: most likely one that has told of
 * its exit, was forgotten since and still waits for the processor to take its last steps. Should it
 * be one that no event tells of (iter.Pull creates goroutines without newproc), it will be seen
 * blocked or in the next census that follows a loss.
 */
static bool is_passing(const struct tracker *tracker, const struct tracker_sighting *sighting)
{
	return !sighting->parked && !sighting->in_syscall && tracker->n_censuses &&
	       tracker->repairs && !tracker->inexact && !tracker->inexact_now;
}

uint32_t tracker__census_seen(struct tracker *tracker, const struct tracker_sighting *sighting)
{
	uint64_t read = ticks__of(sighting->read_at_ns);
	struct departed_entry *gone;
	struct goroutine *g;
	uint32_t handle;

	if (!sighting->goid)
		return 0;
	g = goroutine_table__find(tracker->goroutines, sighting->goid, &handle);
	if (g && read < goroutine__last_news(g)) {
		g->epoch = tracker->epoch;
		return 0;
	}
	if (!g) {
		gone = departed__find(tracker->departed, sighting->goid);
		if (gone && !is_back(gone, sighting, read))
			return 0;
		if (!gone && is_passing(tracker, sighting))
			return 0;
		g = adopt(tracker, sighting, read, &handle);
		if (!g)
			return 0;
	}
	if (sighting->parked)
		merge_parked(tracker, g, sighting, read);
	else
		merge_unparked(tracker, g, sighting, read);
	g->flags &= (uint8_t)~GOROUTINE_MOVED;
	g->epoch = tracker->epoch;
	goroutine__set_last_news(g, read);
	return handle;
}

bool tracker__census_unchanged(struct tracker *tracker, uint32_t handle, uint64_t goid,
			       uint64_t read_at_ns)
{
	struct goroutine *g = goroutine_table__at(tracker->goroutines, handle, goid);

	/* Its fingerprint would be the same after a multiple of 256 parks: events know better. */
	if (!g || (g->flags & GOROUTINE_MOVED && ticks__of(read_at_ns) >= goroutine__last_news(g)))
		return false;
	g->epoch = tracker->epoch;
	return true;
}

static void sweep(struct tracker *tracker)
{
	unsigned int flags = DEPARTED_SWEPT | (tracker->repairs ? DEPARTED_REPAIR : 0);
	struct goroutine *g;
	uint32_t handle = 0;

	while ((g = goroutine_table__next(tracker->goroutines, &handle))) {
		if (g->epoch == tracker->epoch || goroutine__last_news(g) >= tracker->census_ticks)
			continue;
		record__exit(tracker, g, handle, tracker->census_ticks, flags);
		tracker->repaired += tracker->repairs;
	}
	goroutine_table__trim(tracker->goroutines);
}

/*
 * Of the creations lost before this census, those that neither it nor an exit accounts for were of
 * goroutines which are gone, exit and all. What was lost before the first census is nobody's: who
 * was there before the attach cannot be told from who was created unseen.
 */
static void conclude_unseen(struct tracker *tracker)
{
	uint64_t known = tracker->creations_concluded + tracker->creations_unseen;
	uint64_t missing =
		tracker->creations_lost_before - min_of(tracker->creations_lost_before, known);
	struct site *site;

	if (!missing)
		return;
	tracker->creations_unseen += missing;
	if (!tracker->n_censuses)
		return;
	site = tracker__unknown_site(tracker);
	site->created += missing;
	site->exited += missing;
	tracker->created += missing;
	tracker->exited += missing;
	tracker->repaired += 2 * missing;
}

/* What is there after the first census may have been there for long. */
static void begin_watch(struct tracker *tracker, uint64_t finished)
{
	tracker->parks_ticks = finished;
	if (!tracker->restored)
		tracker->watch_ticks = finished;
	/* Who was there already has not arrived. */
	for (uint32_t i = 0; i < site_table__end(tracker->sites); i++)
		site_table__at(tracker->sites, i)->arrivals = 0;
}

void tracker__census_end(struct tracker *tracker, uint64_t finished_ns)
{
	uint64_t finished = ticks__of(finished_ns);

	if (!tracker->in_census)
		return;
	sweep(tracker);
	conclude_unseen(tracker);
	tracker->refused_seen = tracker->refusing;
	tracker->refused_since = 0;
	tracker->inexact = tracker->inexact_now;
	tracker->inexact_now = false;
	tracker->in_census = false;
	if (!tracker->n_censuses++)
		begin_watch(tracker, finished);
	else if (tracker->census_ticks > tracker->previous_ticks)
		tracker->interval_ticks = tracker->census_ticks - tracker->previous_ticks;
	tracker->previous_ticks = tracker->census_ticks;
	if (ticks__age_ns(tracker->halved_ticks, finished) >= HALVE_ENDED_NS) {
		site_table__halve_ended(tracker->sites);
		tracker->halved_ticks = finished;
	}
	goid_clock__add(&tracker->clock, tracker->max_goid, tracker->census_ticks);
	site_table__sample(tracker->sites, finished);
}
