// SPDX-License-Identifier: Apache-2.0
/* How a census changes the records. */
#include "track/tracker_internal.h"

#define HALVE_ENDED_NS (3600 * NSEC_PER_SEC)

void tracker__census_begin(struct tracker *tracker, uint64_t started_ns)
{
	/*
	 * If the census before was given up, the marks of its epoch are on some records: no harm.
	 */
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

/*
 * When the wait that @sighting shows began: when it was read, or what the target's GC has noted if that is
 * earlier. The goroutine has existed since @existed at the earliest. This is the earliest time of those at
 * which it can have begun (track/collections.h); latest_begin() is the latest.
 */
static uint64_t wait_began(const struct tracker_sighting *sighting, uint64_t existed, uint64_t read)
{
	uint64_t since = ticks__of(sighting->waitsince_ns);

	if (!sighting->waitsince_ns || since > read)
		return read;
	return max_of(since, min_of(existed, read));
}

/*
 * In the first census the earliest time is kept: the first look makes use of it, and puts the latest in its
 * place (tracker__settle_waits()).
 */
static uint64_t latest_begin(const struct tracker *tracker, uint64_t began, uint64_t read)
{
	return tracker->n_censuses ? collections__bound(&tracker->collections, began, read) : began;
}

void tracker__settle_waits(struct tracker *tracker)
{
	uint32_t handle = 0;
	struct goroutine *g;

	while ((g = goroutine_table__next(tracker->goroutines, &handle))) {
		uint64_t since = goroutine__parked_since(g), latest;

		if (!(g->flags & GOROUTINE_PARKED) || g->flags & GOROUTINE_BY_EVENT ||
		    since >= tracker->previous_ticks)
			continue;
		latest = collections__bound(&tracker->collections, since, tracker->parks_ticks);
		if (goroutine__existed_since(g) == since)
			goroutine__set_existed_since(g, latest);
		record__park(tracker, g, latest);
	}
}

void tracker__collected(struct tracker *tracker, uint64_t ended_ns)
{
	collections__note(&tracker->collections, ticks__of(ended_ns));
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
		.call_pc = g && blocked ? tracker__call_of(tracker, g) : 0,
	};

	if (g && blocked && !key.place) {
		/* The stack could not be read: if the reason fits, it is where it was seen last. */
		const struct site *site = site_table__at(tracker->sites, goroutine__site(g));

		if (site->key.wait_reason == key.wait_reason &&
		    site->key.creation_pc == key.creation_pc && site->key.start_pc == key.start_pc)
			return goroutine__site(g);
	}
	return tracker__site_of(tracker, &key, blocked ? sighting->stack_id : 0);
}

/*
 * Moves a parked goroutine to the site where @sighting shows it, and notes when its park began.
 * Sightings are only told of goroutines that seem to have run since the last census; where park
 * events flow, these say whether the goroutine has.
 */
static void merge_parked(struct tracker *tracker, struct goroutine *g,
			 const struct tracker_sighting *sighting, uint64_t read)
{
	uint32_t site = sighted_site(tracker, g, sighting);
	uint64_t began = wait_began(sighting, goroutine__existed_since(g), read);
	uint64_t latest = latest_begin(tracker, began, read);
	bool parked = g->flags & GOROUTINE_PARKED, moved = site != goroutine__site(g);
	bool told = g->flags & GOROUTINE_MOVED;
	bool events_flow = (tracker->parks_told || tracker->parks_now) && !tracker->inexact &&
			   !tracker->inexact_now;

	if (parked && (told || (events_flow && !moved))) {
		/*
		 * A park event has told when the park began, which is more exact than anything
		 * here.
		 */
	} else if (parked && !moved && began <= goroutine__last_news(g)) {
		/* The target's GC knows that this wait had begun when the last census looked. */
		record__park(tracker, g, min_of(goroutine__parked_since(g), latest));
	} else {
		record__unpark(tracker, g, latest);
		record__park(tracker, g, latest);
	}
	if (moved)
		record__move(tracker, g, site);
	g->flags |= GOROUTINE_SIGHTED;
}

/*
 * Ends the park of a goroutine that runs or is in a system call. In a system call its stack tells
 * where it is, so it moves to the site of that place. A running goroutine stays at its site until
 * it is known where it parks next.
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

/*
 * A thread of C that calls into Go gets a goroutine that no go statement made (src/runtime/proc.go,
 * oneNewExtraM), and that is dead again when the thread ends or, before Go 1.21, when the call does. No
 * event tells of either, so none was lost.
 */
static bool is_of_foreign_thread(const struct tracker *tracker, const struct goroutine *g)
{
	const struct site_key *key = &site_table__at(tracker->sites, goroutine__site(g))->key;

	return goroutine__site(g) != SITE_OTHER && !key->creation_pc && !key->start_pc;
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
	/* The last complete census did not see it: it has not existed for longer. */
	if (sighting->parked)
		goroutine__set_existed_since(
			g, latest_begin(tracker,
					wait_began(sighting, tracker->previous_ticks, read), read));
	/* In the first census: it is older than the attach, or its creation event is on its way. */
	if (!tracker->n_censuses) {
		if (tracker->restored)
			goroutine__set_existed_since(
				g, min_of(goroutine__existed_since(g),
					  goid_clock__created_at(&tracker->clock, sighting->goid,
								 read)));
		return g;
	}
	record__count_created(tracker, g);
	if (tracker->repairs && !is_of_foreign_thread(tracker, g)) {
		g->flags |= GOROUTINE_REPAIRED;
		tracker->repaired++;
		tracker->creations_concluded++;
	}
	return g;
}

/*
 * Whether a goroutine that has been recorded as gone was there after all when it was read. An exit
 * event comes before the runtime marks the g as dead (src/runtime/proc.go, goexit0 and gdestroy),
 * and the thread may lose its processor in between. So a goroutine whose exit was told may still be
 * seen running, at any later time; if it is seen blocked, it is alive.
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
 * Whether a goroutine without a record is most likely on its way out: it runs, although events flow
 * and none was lost, so that its creation would have been told. Its exit has been told, its entry
 * among the departed has been overwritten since, and its thread still waits for a processor to
 * finish it. It gets no record. If it was a goroutine whose creation no event tells (iter.Pull
 * makes some without newproc), it gets one as soon as a census sees it blocked, or follows a loss
 * of events.
 */
static bool is_on_its_way_out(const struct tracker *tracker,
			      const struct tracker_sighting *sighting)
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
	if (sighting->waitsince_ns && ticks__of(sighting->waitsince_ns) <= read)
		collections__note(&tracker->collections, ticks__of(sighting->waitsince_ns));
	g = goroutine_table__find(tracker->goroutines, sighting->goid, &handle);
	if (g && read < goroutine__last_news(g)) {
		g->epoch = tracker->epoch;
		return 0;
	}
	if (!g) {
		gone = departed__find(tracker->departed, sighting->goid);
		if (gone && !is_back(gone, sighting, read))
			return 0;
		if (!gone && is_on_its_way_out(tracker, sighting))
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

	/*
	 * After a multiple of 256 parks its fingerprint is the same; a park event has told of one.
	 */
	if (!g || (g->flags & GOROUTINE_MOVED && ticks__of(read_at_ns) >= goroutine__last_news(g)))
		return false;
	g->epoch = tracker->epoch;
	return true;
}

bool tracker__is_as_censused(const struct tracker *tracker)
{
	uint32_t handle = 0;
	struct goroutine *g;

	if (!tracker->n_censuses || tracker->in_census || tracker->inexact ||
	    tracker->inexact_now || tracker->refused_seen || tracker->refused_since)
		return false;
	while ((g = goroutine_table__next(tracker->goroutines, &handle))) {
		if (g->epoch != tracker->epoch || g->flags & GOROUTINE_MOVED)
			return false;
	}
	return true;
}

void tracker__census_all_unchanged(struct tracker *tracker, void (*each)(void *ctx, uint64_t goid),
				   void *ctx)
{
	uint32_t handle = 0;
	struct goroutine *g;

	while ((g = goroutine_table__next(tracker->goroutines, &handle))) {
		g->epoch = tracker->epoch;
		each(ctx, goroutine__goid(g));
	}
}

uint32_t tracker__census_told(const struct tracker *tracker, uint64_t goid)
{
	uint32_t handle;
	const struct goroutine *g = goroutine_table__find(tracker->goroutines, goid, &handle);

	return g && g->epoch == tracker->epoch ? handle : 0;
}

static void sweep(struct tracker *tracker)
{
	struct goroutine *g;
	uint32_t handle = 0;
	bool repairs;

	while ((g = goroutine_table__next(tracker->goroutines, &handle))) {
		if (g->epoch == tracker->epoch || goroutine__last_news(g) >= tracker->census_ticks)
			continue;
		repairs = tracker->repairs && !is_of_foreign_thread(tracker, g);
		record__exit(tracker, g, handle, tracker->census_ticks,
			     DEPARTED_SWEPT | (repairs ? DEPARTED_REPAIR : 0));
		tracker->repaired += repairs;
	}
	goroutine_table__trim(tracker->goroutines);
}

/*
 * Counts goroutines whose creation was lost and that are gone: those that neither this census nor
 * an exit event accounts for. Their exits are lost as well. Nothing can be said of losses before
 * the first census, since what it sees may be older than the attach or created unseen.
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

/* The watch begins with the end of the first census: how old what it saw is, is not known. */
static void begin_watch(struct tracker *tracker, uint64_t finished)
{
	tracker->parks_ticks = finished;
	if (!tracker->restored)
		tracker->watch_ticks = finished;
	/* Goroutines that were there already have not arrived. */
	for (uint32_t i = 0; i < site_table__end(tracker->sites); i++)
		site_table__at(tracker->sites, i)->arrivals = 0;
}

/*
 * As many as are parked at a moment have been so since the moment before, on average: sums of that are right
 * whoever came and went in between.
 */
static void add_waits(struct tracker *tracker)
{
	uint64_t since_ns = ticks__age_ns(tracker->previous_ticks, tracker->census_ticks);

	for (uint32_t i = 0; i < site_table__end(tracker->sites); i++) {
		struct site *site = site_table__at(tracker->sites, i);

		site->waited_ns += site->parked * since_ns;
	}
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
	if (tracker->n_censuses)
		add_waits(tracker);
	if (!tracker->n_censuses++)
		begin_watch(tracker, finished);
	else if (tracker->census_ticks > tracker->previous_ticks)
		tracker->interval_ticks = tracker->census_ticks - tracker->previous_ticks;
	tracker->previous_ticks = tracker->census_ticks;
	if (ticks__age_ns(tracker->halved_ticks, finished) >= HALVE_ENDED_NS) {
		site_table__halve_ended(tracker->sites);
		if (tracker->callers)
			callers__halve_ended(tracker->callers);
		tracker->halved_ticks = finished;
	}
	goid_clock__add(&tracker->clock, tracker->max_goid, tracker->census_ticks);
	apart__cut(tracker);
	site_table__sample(tracker->sites, finished);
}
