// SPDX-License-Identifier: Apache-2.0
#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"

const struct mode world_modes[WORLD_MODES] = {
	{"full", true, true},
	{"lifecycle", true, false},
	{"census", false, false},
};

bool world__due(uint64_t since, uint64_t period)
{
	return since / period != (since - WORLD_STEP) / period;
}

void classify_for_test(void *ctx __maybe_unused, uint8_t reason,
		       uint64_t creation_pc __maybe_unused, uint64_t start_pc __maybe_unused,
		       uint32_t stack_id __maybe_unused, struct site_traits *ret_traits)
{
	ret_traits->wait_class = reason <= WAIT_RUNTIME ? (enum wait_class)reason : WAIT_NONE;
}

bool system_for_test(void *ctx __maybe_unused, uint64_t start_pc)
{
	return start_pc == SYSTEM_START_PC;
}

struct tracker *tracker_for_test(bool expect_events)
{
	const struct tracker_options options = {
		.attached_ns = WORLD_START,
		.expect_events = expect_events,
		.classify = classify_for_test,
		.is_system = system_for_test,
	};
	struct tracker *tracker = NULL;

	cr_assert_eq(tracker__new(&options, &tracker), 0);
	return tracker;
}

struct tracker_totals totals_of(const struct tracker *tracker)
{
	struct tracker_totals totals;

	tracker__totals(tracker, &totals);
	return totals;
}

const struct site_view *judge_for_test(struct tracker *tracker, uint64_t min_age_ns,
				       uint64_t now_ns, size_t *ret_n)
{
	const struct tracker_policy policy = {.min_age_ns = min_age_ns};

	cr_assert_eq(tracker__judge(tracker, &policy, now_ns), 0);
	return tracker__sites(tracker, ret_n);
}

bool view_of(struct tracker *tracker, uint64_t start_pc, uint32_t stack_id, uint64_t now_ns,
	     struct site_view *ret_view)
{
	size_t n;
	const struct site_view *sites = judge_for_test(tracker, 10 * SECOND, now_ns, &n);

	for (size_t i = 0; i < n; i++) {
		if (sites[i].start_pc != start_pc || sites[i].stack_id != stack_id)
			continue;
		*ret_view = sites[i];
		return true;
	}
	return false;
}

/* --- */

void world__new(struct world *world, bool lifecycle, bool parks)
{
	*world = (struct world){
		.now = WORLD_START,
		.interval = 2 * SECOND,
		.policy = {.min_age_ns = 10 * SECOND},
		.lifecycle = lifecycle,
		.parks = parks,
		.next_goid = 1,
		.random = 20260801,
	};
}

void world__free(struct world *world)
{
	tracker__free(world->tracker);
	free(world->actors);
	free(world->pending);
}

void world__attach(struct world *world)
{
	struct tracker_options options = {
		.attached_ns = world->now,
		.started_ns = WORLD_START,
		.expect_events = world->lifecycle,
		.classify = classify_for_test,
		.is_system = system_for_test,
	};

	cr_assert_eq(tracker__new(&options, &world->tracker), 0);
	world->attached = world->now;
	world->next_census = world->now;
	world__census(world);
}

uint64_t world__random(struct world *world, uint64_t below)
{
	world->random += 0x9e3779b97f4a7c15ULL;
	return hash__mix64(world->random) % below;
}

static void deliver(struct world *world, const struct event *event)
{
	switch (event->kind) {
	case CREATED:
		tracker__created(world->tracker, event->goid, event->creation_pc, event->start_pc,
				 event->time);
		break;
	case EXITED:
		tracker__exited(world->tracker, event->goid, event->time);
		break;
	case PARKED:
		tracker__parked(world->tracker, event->goid, event->time);
		break;
	}
}

/* Deliver what is due, in no order. */
static void deliver_due(struct world *world)
{
	for (size_t i = world->n_pending; i-- > 0;) {
		struct event event = world->pending[i];

		if (event.due > world->now)
			continue;
		world->pending[i] = world->pending[--world->n_pending];
		deliver(world, &event);
	}
}

/* An event gets through, now or later, or is reported as lost. */
static void tell(struct world *world, enum event_kind kind, const struct actor *actor)
{
	const struct event event = {
		.kind = kind,
		.goid = actor->goid,
		.creation_pc = actor->creation_pc,
		.start_pc = actor->start_pc,
		.time = world->now,
		.due = world->now + (world->lag ? world__random(world, world->lag) : 0),
	};

	if (!world->tracker || !(kind == PARKED ? world->parks : world->lifecycle))
		return;
	if (world__random(world, 100) < world->lose_percent) {
		tracker__lost(world->tracker, 1, kind == CREATED);
		return;
	}
	if (!world->lag) {
		deliver(world, &event);
		return;
	}
	if (world->n_pending == world->pending_allocated) {
		world->pending_allocated = world->pending_allocated * 2 + 1024;
		world->pending =
			realloc(world->pending, world->pending_allocated * sizeof(*world->pending));
		cr_assert(world->pending);
	}
	world->pending[world->n_pending++] = event;
}

struct actor *world__spawn(struct world *world, uint64_t start_pc, uint32_t place,
			   enum wait_class class, uint64_t stays)
{
	struct actor *actor;

	if (world->n_actors == world->allocated) {
		world->allocated = world->allocated ? world->allocated * 2 : 1024;
		world->actors = realloc(world->actors, world->allocated * sizeof(*actor));
		cr_assert(world->actors);
	}
	actor = &world->actors[world->n_actors++];
	*actor = (struct actor){
		.goid = world->next_goid++,
		.creation_pc = start_pc + 1,
		.start_pc = start_pc,
		.place = place,
		.class = class,
		.leaves_at = stays == FOREVER ? FOREVER : world->now + stays,
		.changed = true,
	};
	world->created += world->tracker != NULL && start_pc != SYSTEM_START_PC;
	tell(world, CREATED, actor);
	if (place && class != WAIT_SYSCALL)
		world__wake(world, actor);
	return actor;
}

void world__wake(struct world *world, struct actor *actor)
{
	actor->changed = true;
	actor->waitsince_ns = 0;
	tell(world, PARKED, actor);
}

void world__exit(struct world *world, size_t index)
{
	struct actor *actor = &world->actors[index];

	world->exited += world->tracker != NULL && actor->start_pc != SYSTEM_START_PC;
	tell(world, EXITED, actor);
	*actor = world->actors[--world->n_actors];
}

void world__collect(struct world *world)
{
	for (size_t i = 0; i < world->n_actors; i++) {
		struct actor *actor = &world->actors[i];

		if (actor->place && !actor->waitsince_ns)
			actor->waitsince_ns = world->collected;
	}
	world->collected = world->now;
	if (world->n_collections < ARRAY_SIZE(world->collections))
		world->collections[world->n_collections++] = world->now;
}

/* Every connection is an open file. */
static void tell_files(struct world *world)
{
	const struct tracker_sockets sockets = {
		.accepted = world->accepted,
		.dialled = world->dialled,
		.hung_up = world->hung_up,
		.to_peer = world->dialled,
		.peer = "10.0.0.5:22",
	};

	if (!world->accepted && !world->dialled)
		return;
	tracker__note_files(world->tracker, world->accepted + world->dialled + world->hung_up,
			    world->now);
	if (tracker__wants_sockets(world->tracker))
		tracker__note_sockets(world->tracker, world->tells_sockets ? &sockets : NULL,
				      world->now);
}

void world__census(struct world *world)
{
	tracker__census_begin(world->tracker, world->now);
	for (size_t i = 0; i < world->n_collections; i++)
		tracker__collected(world->tracker, world->collections[i]);
	for (size_t i = 0; i < world->n_actors; i++) {
		struct actor *actor = &world->actors[i];
		const struct tracker_sighting sighting = {
			.goid = actor->goid,
			.creation_pc = actor->creation_pc,
			.start_pc = actor->start_pc,
			.waitsince_ns = actor->waitsince_ns,
			.read_at_ns = world->now,
			.stack_id = actor->place,
			.place = actor->place,
			.wait_reason = (uint8_t)actor->class,
			.parked = actor->place && actor->class != WAIT_SYSCALL,
			.in_syscall = actor->class == WAIT_SYSCALL,
		};

		if (!actor->changed && actor->handle && sighting.parked &&
		    tracker__census_unchanged(world->tracker, actor->handle, actor->goid,
					      world->now))
			continue;
		actor->handle = tracker__census_seen(world->tracker, &sighting);
		actor->changed = false;
	}
	tell_files(world);
	tracker__census_end(world->tracker, world->now);
	world->next_census = world->now + world->interval;
}

void world__step(struct world *world)
{
	world->now += WORLD_STEP;
	for (size_t i = world->n_actors; i-- > 0;)
		if (world->actors[i].leaves_at <= world->now)
			world__exit(world, i);
	deliver_due(world);
	if (world->tracker && world->now >= world->next_census)
		world__census(world);
}

static void update_watch(struct watch *watch, const struct site_view *site, uint64_t since)
{
	watch->view = *site;
	snprintf(watch->why, sizeof(watch->why), "%s", site->n_why ? site->why[0] : "");
	watch->latest = site->verdict;
	watch->worst = max_of(watch->worst, site->verdict);
	if (site->verdict != VERDICT_LEAKING)
		return;
	watch->last_leaking = since;
	if (!watch->first_leaking)
		watch->first_leaking = since;
}

void world__look(struct world *world, struct watch *watches, size_t n)
{
	size_t n_sites;
	const struct site_view *sites =
		judge_for_test(world->tracker, world->policy.min_age_ns, world->now, &n_sites);

	for (size_t i = 0; i < n_sites; i++)
		for (size_t j = 0; j < n; j++)
			if (watches[j].place == sites[i].stack_id)
				update_watch(&watches[j], &sites[i], world->now - world->attached);
}

size_t world__count(const struct world *world, uint32_t place)
{
	size_t count = 0;

	for (size_t i = 0; i < world->n_actors; i++)
		count += world->actors[i].place == place;
	return count;
}
