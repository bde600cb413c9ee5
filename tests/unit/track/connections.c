// SPDX-License-Identifier: Apache-2.0
/*
 * Goroutines that come with connections, on a virtual clock: clients that were forgotten are told from
 * sessions that others opened, and a leak beside connections from those that belong to them.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "world.h"

#define LEAK	0x1000
#define SESSION 0x2000
#define READER	0x3000
#define CLIENT	0x4000

enum { LEAK_PLACE = 1, SESSION_PLACE, READER_PLACE };

struct service {
	void (*before)(struct world *world);
	void (*step)(struct world *world, uint64_t since_attach);
	bool tells_sockets;
};

static void run(struct world *world, const struct mode *mode, const struct service *service,
		uint64_t duration, struct watch *watches, size_t n)
{
	world__new(world, mode->lifecycle, mode->parks);
	world->tells_sockets = service->tells_sockets;
	world->accepted = 3; /* whoever asks for metrics, and the like */
	if (service->before)
		service->before(world);
	world__attach(world);
	while (world->now < world->attached + duration) {
		world__step(world);
		service->step(world, world->now - world->attached);
		if (world__due(world->now - world->attached, SECOND))
			world__look(world, watches, n);
	}
}

static void expect_leak(const char *name, const struct service *service, uint64_t from,
			uint64_t within)
{
	for (size_t i = 0; i < ARRAY_SIZE(world_modes); i++) {
		struct watch watch[] = {{.place = LEAK_PLACE}, {.place = SESSION_PLACE}};
		struct world world;

		run(&world, &world_modes[i], service, within + 30 * SECOND, watch,
		    ARRAY_SIZE(watch));
		cr_expect(
			watch[0].first_leaking > from && watch[0].first_leaking <= within,
			"%s, %s: flagged after %.0fs (0: never), allowed %.0f to %.0fs; now %s: %s",
			name, world_modes[i].name, watch[0].first_leaking / 1e9, from / 1e9,
			within / 1e9, verdict__name(watch[0].latest), watch[0].why);
		cr_expect_eq(watch[0].latest, VERDICT_LEAKING, "%s, %s: now %s", name,
			     world_modes[i].name, verdict__name(watch[0].latest));
		cr_expect(watch[1].worst < VERDICT_STUCK, "%s, %s: healthy site %s", name,
			  world_modes[i].name, verdict__name(watch[1].worst));
		world__free(&world);
	}
}

static void expect_not_flagged_for(const char *name, const struct service *service,
				   uint64_t duration)
{
	for (size_t i = 0; i < ARRAY_SIZE(world_modes); i++) {
		struct watch watch = {.place = SESSION_PLACE};
		struct world world;

		run(&world, &world_modes[i], service, duration, &watch, 1);
		cr_expect_gt(world__count(&world, SESSION_PLACE), 90);
		cr_expect(watch.worst < VERDICT_STUCK, "%s, %s: %s after %.0fs: %s", name,
			  world_modes[i].name, verdict__name(watch.worst),
			  watch.first_leaking / 1e9, watch.why);
		world__free(&world);
	}
}

static void expect_never_flagged(const char *name, const struct service *service)
{
	expect_not_flagged_for(name, service, 10 * MINUTE);
}

/* A reader in a network wait, and another goroutine of the same connection. */
static void connect_one(struct world *world, uint64_t start_pc, uint32_t place, uint64_t stays)
{
	world__spawn(world, READER, READER_PLACE, WAIT_IO, stays);
	world__spawn(world, start_pc, place, WAIT_SELECT, stays);
}

/* --- leaks --- */

static void forget_a_client(struct world *world, uint64_t since)
{
	if (!world__due(since, 3 * SECOND))
		return;
	connect_one(world, LEAK, LEAK_PLACE, FOREVER);
	world->dialled++;
}

Test(connections, forgotten_clients_are_found_within_two_minutes)
{
	static const struct service service = {.step = forget_a_client, .tells_sockets = true};
	static const struct service untold = {.step = forget_a_client};

	expect_leak("clients", &service, 0, 2 * MINUTE);
	expect_leak("clients of nobody knows who", &untold, 10 * MINUTE, 11 * MINUTE);
}

/* A handler that goes on when its client has hung up, and keeps the connection. */
static void forget_a_handler(struct world *world, uint64_t since)
{
	if (!world__due(since, 3 * SECOND))
		return;
	connect_one(world, LEAK, LEAK_PLACE, FOREVER);
	world->hung_up++;
}

Test(connections, handlers_whose_clients_have_gone_are_found_within_two_minutes)
{
	static const struct service service = {.step = forget_a_handler, .tells_sockets = true};

	expect_leak("forgotten handlers", &service, 0, 2 * MINUTE);
}

Test(connections, an_alarm_about_clients_says_whose_they_are)
{
	static const struct service service = {.step = forget_a_client, .tells_sockets = true};
	struct watch watch = {.place = LEAK_PLACE};
	struct world world;
	const struct site_view *sites;
	const char *why = "";
	size_t n;

	run(&world, &world_modes[0], &service, 31 * SECOND, &watch, 1);
	cr_assert_eq(watch.latest, VERDICT_GROWING);
	cr_expect_str_eq(watch.why, "rises with connections or files that the process opened, "
				    "9 of 9 to 10.0.0.5:22");
	world__free(&world);
	run(&world, &world_modes[0], &service, 40 * SECOND, &watch, 1);
	cr_expect_str_eq(watch.why, "rises with connections or files that the process opened, "
				    "13 of 13 to 10.0.0.5:22");
	cr_expect_leq(watch.view.due_ns, 72 * SECOND);
	while (world.now < world.attached + 2 * MINUTE) {
		world__step(&world);
		forget_a_client(&world, world.now - world.attached);
	}
	sites = judge_for_test(world.tracker, 10 * SECOND, world.now, &n);
	for (size_t i = 0; i < n; i++)
		if (sites[i].stack_id == LEAK_PLACE && sites[i].n_why == 3)
			why = sites[i].why[2];
	cr_expect_str_eq(why, "with them came connections or files that the process opened, "
			      "silent since, 39 of 39 to 10.0.0.5:22");
	world__free(&world);
}

/* A hundred connections that live for a minute each, and are replaced all the time. */
static void sessions_of_a_minute(struct world *world, uint64_t since)
{
	if (world__due(since, 6 * WORLD_STEP))
		connect_one(world, SESSION, SESSION_PLACE, MINUTE);
}

static void a_hundred_sessions(struct world *world)
{
	for (uint64_t t = WORLD_STEP; t <= 2 * MINUTE; t += WORLD_STEP) {
		world__step(world);
		sessions_of_a_minute(world, t);
	}
	world->accepted = 103;
}

static void leak_beside_sessions(struct world *world, uint64_t since)
{
	sessions_of_a_minute(world, since);
	if (world__due(since, 10 * SECOND))
		world__spawn(world, LEAK, LEAK_PLACE, WAIT_SELECT, FOREVER);
}

Test(connections, that_are_replaced_hold_up_no_leak_beside_them)
{
	static const struct service service = {
		.before = a_hundred_sessions, .step = leak_beside_sessions, .tells_sockets = true};

	expect_leak("1 per 10 s beside sessions", &service, 0, 110 * SECOND);
}

/* --- one leak at several places --- */

static const struct site_view *view_at(struct world *world, uint32_t place)
{
	size_t n;
	const struct site_view *sites = judge_for_test(world->tracker, 10 * SECOND, world->now, &n);

	for (size_t i = 0; i < n; i++)
		if (sites[i].stack_id == place)
			return &sites[i];
	cr_assert(false, "nobody is at place %u", place);
	return NULL;
}

static void leak_of_any_kind(struct world *world, uint64_t since)
{
	if (world__due(since, 3 * SECOND))
		world__spawn(world, LEAK, LEAK_PLACE, WAIT_CHAN_SEND, FOREVER);
}

/* The reader waits for the network, the keeper wakes up all the time: alone, neither is accused. */
static void forget_a_whole_client(struct world *world, uint64_t since)
{
	for (size_t i = 0; i < world->n_actors && world__due(since, 2 * SECOND); i++)
		if (world->actors[i].place == SESSION_PLACE)
			world__wake(world, &world->actors[i]);
	leak_of_any_kind(world, since);
	if (!world__due(since, 3 * SECOND))
		return;
	world__spawn(world, READER, READER_PLACE, WAIT_IO, FOREVER);
	world__spawn(world, SESSION, SESSION_PLACE, WAIT_SELECT, FOREVER);
	world__spawn(world, SESSION, SESSION_PLACE, WAIT_SELECT, FOREVER);
	world->dialled++;
}

Test(connections, all_that_was_created_with_a_leak_is_one_finding)
{
	static const struct service service = {.step = forget_a_whole_client,
					       .tells_sockets = true};
	struct watch watch = {.place = LEAK_PLACE};
	const struct site_view *reader, *keeper;
	struct world world;
	uint32_t bundle;

	run(&world, &world_modes[0], &service, MINUTE, &watch, 1);
	cr_assert_eq(watch.latest, VERDICT_LEAKING);
	bundle = view_at(&world, LEAK_PLACE)->bundle;
	cr_expect_neq(bundle, 0);
	reader = view_at(&world, READER_PLACE);
	cr_expect_eq(reader->verdict, VERDICT_LEAKING, "%s", verdict__name(reader->verdict));
	cr_expect_eq(reader->bundle, bundle);
	cr_expect_gt(reader->confidence, 0.5);
	cr_expect_str_eq(reader->why[0],
			 "each was created together with goroutines that leak: they are one "
			 "finding");
	keeper = view_at(&world, SESSION_PLACE);
	cr_expect_eq(keeper->verdict, VERDICT_LEAKING, "%s", verdict__name(keeper->verdict));
	cr_expect_eq(keeper->bundle, bundle);
	world__free(&world);
}

/* A goroutine is forgotten for each client, whose connection is none the worse for it. */
static void forget_one_per_websocket(struct world *world, uint64_t since)
{
	leak_of_any_kind(world, since);
	if (!world__due(since, 3 * SECOND))
		return;
	connect_one(world, SESSION, SESSION_PLACE, FOREVER);
	world->accepted++;
}

Test(connections, what_is_there_for_others_is_not_accused_with_a_leak)
{
	static const struct service service = {.step = forget_one_per_websocket,
					       .tells_sockets = true};
	static const struct service untold = {.step = forget_one_per_websocket};

	expect_leak("one per websocket", &service, 0, MINUTE);
	expect_leak("one per websocket, of nobody knows who", &untold, 0, MINUTE);
	for (size_t i = 0; i < ARRAY_SIZE(world_modes); i++) {
		struct watch watch = {.place = READER_PLACE};
		struct world world;

		run(&world, &world_modes[i], &service, 2 * MINUTE, &watch, 1);
		cr_expect_eq(watch.worst, VERDICT_IDLE, "%s: %s", world_modes[i].name,
			     verdict__name(watch.worst));
		world__free(&world);
	}
}

/* As many a minute, at other times. */
static void two_leaks(struct world *world, uint64_t since)
{
	leak_of_any_kind(world, since);
	if (world__due(since + SECOND + world__random(world, 5) * WORLD_STEP, 3 * SECOND))
		world__spawn(world, SESSION, SESSION_PLACE, WAIT_CHAN_SEND, FOREVER);
}

Test(connections, two_leaks_are_two_findings)
{
	static const struct service service = {.step = two_leaks};

	for (size_t i = 0; i < ARRAY_SIZE(world_modes); i++) {
		struct watch watch[] = {{.place = LEAK_PLACE}, {.place = SESSION_PLACE}};
		struct world world;

		run(&world, &world_modes[i], &service, MINUTE, watch, ARRAY_SIZE(watch));
		cr_expect_eq(watch[0].latest, VERDICT_LEAKING);
		cr_expect_eq(watch[1].latest, VERDICT_LEAKING);
		cr_expect_eq(watch[0].view.bundle, 0, "%s", world_modes[i].name);
		cr_expect_eq(watch[1].view.bundle, 0, "%s", world_modes[i].name);
		world__free(&world);
	}
}

/* --- healthy --- */

/* One every three seconds, for five minutes. */
static bool arrives(uint64_t since)
{
	return since <= 5 * MINUTE && world__due(since, 3 * SECOND);
}

static void websockets(struct world *world, uint64_t since)
{
	if (!arrives(since))
		return;
	connect_one(world, SESSION, SESSION_PLACE, FOREVER);
	world->accepted++;
}

static void more_websockets(struct world *world, uint64_t since)
{
	if (!world__due(since, 3 * SECOND))
		return;
	connect_one(world, SESSION, SESSION_PLACE, FOREVER);
	world->accepted++;
}

static void proxied_websockets(struct world *world, uint64_t since)
{
	if (!arrives(since))
		return;
	websockets(world, since);
	world__spawn(world, READER, READER_PLACE, WAIT_IO, FOREVER);
	world->dialled++;
}

/* Others' demand comes through connections that the process opened: it drives them. */
static void load_generator(struct world *world, uint64_t since)
{
	for (size_t i = 0; i < world->n_actors && world__due(since, 5 * SECOND); i++)
		if (world->actors[i].place == READER_PLACE)
			world__wake(world, &world->actors[i]);
	if (!arrives(since))
		return;
	connect_one(world, SESSION, SESSION_PLACE, FOREVER);
	world->dialled++;
}

Test(connections, that_others_open_are_no_leak)
{
	expect_never_flagged("websockets",
			     &(struct service){.step = websockets, .tells_sockets = true});
	expect_not_flagged_for("a morning's websockets",
			       &(struct service){.step = more_websockets, .tells_sockets = true},
			       20 * MINUTE);
	expect_never_flagged("a proxy",
			     &(struct service){.step = proxied_websockets, .tells_sockets = true});
}

Test(connections, that_are_in_use_are_no_leak)
{
	expect_never_flagged("a load generator",
			     &(struct service){.step = load_generator, .tells_sockets = true});
}

/* As many accepted connections end as clients are opened: their sum stays the same. */
static void load_moves(struct world *world, uint64_t since)
{
	websockets(world, since);
	if (!arrives(since))
		return;
	world->dialled--;
	for (size_t i = 0; i < world->n_actors; i++) {
		if (world->actors[i].start_pc != CLIENT)
			continue;
		world__exit(world, i);
		return;
	}
}

static void many_clients(struct world *world)
{
	for (world->dialled = 0; world->dialled < 200; world->dialled++)
		world__spawn(world, CLIENT, READER_PLACE, WAIT_IO, FOREVER);
}

/* Requests become fewer, and streams that stay open more: the sum of what others opened is the same. */
static void requests_become_streams(struct world *world, uint64_t since)
{
	uint64_t accepted = world->accepted;

	load_moves(world, since);
	world->accepted = accepted;
}

static void many_requests(struct world *world)
{
	many_clients(world);
	world->accepted = world->dialled;
	world->dialled = 0;
}

/* The same through a proxy, which opens a connection for each. */
static void proxied_requests_become_streams(struct world *world, uint64_t since)
{
	requests_become_streams(world, since);
	if (!arrives(since))
		return;
	world__spawn(world, READER, READER_PLACE, WAIT_IO, FOREVER);
	world->dialled += 2;
}

Test(connections, that_take_the_place_of_others_still_come)
{
	expect_never_flagged("load that moves", &(struct service){.before = many_clients,
								  .step = load_moves,
								  .tells_sockets = true});
	expect_never_flagged("load that moves, of nobody knows who",
			     &(struct service){.before = many_clients, .step = load_moves});
	expect_never_flagged("streams in the place of requests",
			     &(struct service){.before = many_requests,
					       .step = requests_become_streams,
					       .tells_sockets = true});
	expect_never_flagged("streams through a proxy",
			     &(struct service){.before = many_requests,
					       .step = proxied_requests_become_streams,
					       .tells_sockets = true});
}
