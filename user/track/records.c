// SPDX-License-Identifier: Apache-2.0
/* The records of goroutines, and the sites and totals that they count for. */
#include "track/tracker_internal.h"

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
