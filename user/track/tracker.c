// SPDX-License-Identifier: Apache-2.0
/* The records and the counts that go with them, and how events change both. */
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

/* --- sites --- */

static bool ask_system(const struct tracker *tracker, uint64_t start_pc)
{
	const struct tracker_options *options = &tracker->options;

	return options->is_system && options->is_system(options->ctx, start_pc);
}

/* The site that stands for an origin. It keeps the answer of ask_system() for all its sites. */
static uint32_t origin_site(struct tracker *tracker, uint64_t creation_pc, uint64_t start_pc)
{
	const struct site_key key = {.creation_pc = creation_pc, .start_pc = start_pc};
	bool is_new;
	uint32_t index = site_table__intern(tracker->sites, &key, &is_new);

	if (is_new) {
		site_table__at(tracker->sites, index)->system = ask_system(tracker, start_pc);
		site_table__set_origin(tracker->sites, index, index);
	}
	return index;
}

/*
 * Notes what an example of a stack at the site tells of it, unless that is known. A site that was
 * restored from a state file has none until a member is seen there.
 */
static void note_stack(struct tracker *tracker, struct site *site, uint32_t stack_id)
{
	const struct tracker_options *options = &tracker->options;
	struct site_traits traits = {WAIT_NONE, NATURE_UNKNOWN};

	if (site->stack_id || (!stack_id && site->wait_class != WAIT_NONE))
		return;
	site->stack_id = stack_id;
	if (options->classify)
		options->classify(options->ctx, site->key.wait_reason, site->key.creation_pc,
				  site->key.start_pc, stack_id, &traits);
	site->wait_class = traits.wait_class;
	site->nature = traits.nature;
}

static uint32_t new_site(struct tracker *tracker, const struct site_key *key)
{
	uint32_t origin = origin_site(tracker, key->creation_pc, key->start_pc), index;
	bool system = origin == SITE_OTHER ? ask_system(tracker, key->start_pc) :
					     site_table__at(tracker->sites, origin)->system;
	bool is_new;

	/* Making room for the origin may have recycled the new site, which is still empty. */
	index = site_table__intern(tracker->sites, key, &is_new);
	if (index == SITE_OTHER)
		return index;
	site_table__at(tracker->sites, index)->system = system;
	site_table__set_origin(tracker->sites, index, origin);
	return index;
}

uint32_t tracker__site_of(struct tracker *tracker, const struct site_key *key, uint32_t stack_id)
{
	uint32_t index;
	bool is_new;

	if (!key->wait_reason && !key->place)
		return origin_site(tracker, key->creation_pc, key->start_pc);
	index = site_table__intern(tracker->sites, key, &is_new);
	if (is_new)
		index = new_site(tracker, key);
	if (index != SITE_OTHER)
		note_stack(tracker, site_table__at(tracker->sites, index), stack_id);
	return index;
}

static struct site *site_of(const struct tracker *tracker, const struct goroutine *g)
{
	return site_table__at(tracker->sites, goroutine__site(g));
}

/* The site that counts for all goroutines of @site's go statement. */
static struct site *origin_of(const struct tracker *tracker, const struct site *site)
{
	return site_table__at(tracker->sites, site->origin);
}

/* --- records --- */

static void count_parked(struct tracker *tracker, const struct goroutine *g, int change)
{
	site_of(tracker, g)->parked += (uint32_t)change;
	if (!(g->flags & GOROUTINE_SYSTEM))
		tracker->parked += (uint64_t)(int64_t)change;
}

struct goroutine *record__add(struct tracker *tracker, uint64_t goid, uint32_t site, uint64_t ticks,
			      uint32_t *ret_handle)
{
	struct goroutine *g = goroutine_table__add(tracker->goroutines, goid, ret_handle);
	struct site *at = site_table__at(tracker->sites, site);

	if (!g)
		return NULL;
	goroutine__set_existed_since(g, ticks);
	goroutine__set_last_news(g, ticks);
	goroutine__set_parked_since(g, ticks);
	goroutine__set_site(g, site);
	at->goroutines++;
	at->arrivals++;
	if (!at->first_ticks)
		at->first_ticks = ticks;
	tracker->max_goid = max_of(tracker->max_goid, goid);
	if (at->system) {
		g->flags |= GOROUTINE_SYSTEM;
		tracker->system++;
	}
	return g;
}

void record__count_created(struct tracker *tracker, struct goroutine *g)
{
	struct site *site = site_of(tracker, g);

	g->flags |= GOROUTINE_CREATED;
	site->created++;
	origin_of(tracker, site)->sample_created++;
	if (!(g->flags & GOROUTINE_SYSTEM))
		tracker->created++;
}

/*
 * Whether a goroutine is the runtime's own follows from its site. That changes when the start pc
 * was read while the runtime wrote it, and is read again.
 */
static void record__set_system(struct tracker *tracker, struct goroutine *g, bool system)
{
	bool parked = g->flags & GOROUTINE_PARKED, created = g->flags & GOROUTINE_CREATED;

	if (system == !!(g->flags & GOROUTINE_SYSTEM))
		return;
	g->flags ^= GOROUTINE_SYSTEM;
	if (system) {
		tracker->system++;
		tracker->parked -= parked;
		tracker->created -= created;
	} else {
		tracker->system--;
		tracker->parked += parked;
		tracker->created += created;
	}
}

void record__move(struct tracker *tracker, struct goroutine *g, uint32_t to)
{
	struct site *from_site = site_of(tracker, g);
	struct site *to_site = site_table__at(tracker->sites, to);
	bool parked = g->flags & GOROUTINE_PARKED, created = g->flags & GOROUTINE_CREATED;

	from_site->goroutines--;
	from_site->departures++;
	from_site->parked -= parked;
	from_site->created -= created;
	to_site->goroutines++;
	to_site->arrivals++;
	if (!to_site->first_ticks)
		to_site->first_ticks = tracker->census_ticks;
	to_site->parked += parked;
	to_site->created += created;
	goroutine__set_site(g, to);
	record__set_system(tracker, g, to_site->system);
}

/* Shorter runs tell nothing: they are the rule. */
static void count_run(struct site *site, const struct goroutine *g, uint64_t ended)
{
	uint64_t length = ticks__age_ns(goroutine__parked_since(g), ended);

	if (length >= NSEC_PER_SEC)
		length_histogram__add(&site->ended_runs, length);
}

void record__park(struct tracker *tracker, struct goroutine *g, uint64_t since)
{
	if (!(g->flags & GOROUTINE_PARKED)) {
		count_run(site_of(tracker, g), g, since);
		g->flags |= GOROUTINE_PARKED;
		count_parked(tracker, g, 1);
	}
	goroutine__set_parked_since(g, since);
}

void record__unpark(struct tracker *tracker, struct goroutine *g, uint64_t ticks)
{
	struct site *site = site_of(tracker, g);
	uint64_t length = ticks__age_ns(goroutine__parked_since(g), ticks);

	if (!(g->flags & GOROUTINE_PARKED))
		return;
	lives__unparked(tracker, g, ticks);
	apart__park_ended(tracker, g, length);
	length_histogram__add(&site->ended_parks, length);
	site->left_ticks = max_of(site->left_ticks, ticks);
	count_parked(tracker, g, -1);
	g->flags &= (uint8_t) ~(GOROUTINE_PARKED | GOROUTINE_BY_EVENT);
	goroutine__set_parked_since(g, ticks);
}

static void count_lifetime(struct tracker *tracker, uint64_t ns)
{
	static const uint64_t bounds[] = TRACKER_LIFETIME_NS;
	size_t i = 0;

	while (i < ARRAY_SIZE(bounds) && ns > bounds[i])
		i++;
	tracker->lifetimes[i]++;
	tracker->lifetime_seconds += (double)ns / NSEC_PER_SEC;
}

void record__exit(struct tracker *tracker, struct goroutine *g, uint32_t handle, uint64_t ticks,
		  unsigned int flags)
{
	struct site *site = site_of(tracker, g), *origin = origin_of(tracker, site);

	if (!(g->flags & GOROUTINE_CREATED))
		flags |= DEPARTED_UNCOUNTED;
	else if (g->flags & GOROUTINE_REPAIRED)
		flags |= DEPARTED_CONCLUDED;
	record__unpark(tracker, g, ticks);
	lives__ended(tracker, g, ticks);
	if (origin->called)
		callers__exited(tracker->callers, goroutine__goid(g),
				ticks__age_ns(goroutine__existed_since(g), ticks));
	site->goroutines--;
	site->departures++;
	site->exited++;
	origin->sample_exited++;
	length_histogram__add(&origin->ended_lives,
			      ticks__age_ns(goroutine__existed_since(g), ticks));
	if (g->flags & GOROUTINE_SYSTEM) {
		tracker->system--;
	} else {
		tracker->exited++;
		if (g->flags & GOROUTINE_CREATED)
			count_lifetime(tracker, ticks__age_ns(goroutine__existed_since(g), ticks));
	}
	departed__add(tracker->departed, goroutine__goid(g), ticks, flags);
	goroutine_table__remove(tracker->goroutines, handle);
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
	index = origin_site(tracker, creation_pc, start_pc);
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
