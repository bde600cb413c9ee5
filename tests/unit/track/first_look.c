// SPDX-License-Identifier: Apache-2.0
/*
 * Whole processes that have run for a while before gleakd comes: what is said of them on the first
 * look, and how that ends when the watch goes on. The GC runs as the process wants it to.
 */
#include <criterion/criterion.h>

#include "track/saved.h"
#include "world.h"

#define HOUR  (60 * MINUTE)
#define SITE  0x1000
#define OTHER 0x2000

enum { PLACE = 1, OTHER_PLACE, IO_PLACE };

/* A process: how it starts, what it does each second, for how long, how often its GC runs. */
struct process {
	const char *name;
	void (*start)(struct world *world);
	void (*each_second)(struct world *world, uint64_t since_start);
	uint64_t runs, collects_every; /* 0: never */
	uint64_t collects_from;	     /* the first collection comes late where little is allocated */
	enum wait_class class;	     /* of the site in question */
	struct site_objects objects; /* what its members turn out to wait on */
	bool until_attach;	     /* it changes nothing any more once gleakd watches */
};

static void live_a_second(struct world *world, const struct process *process, bool watched)
{
	uint64_t since;

	if (watched)
		for (uint64_t step = 0; step < SECOND; step += WORLD_STEP)
			world__step(world);
	else
		world->now += SECOND;
	since = world->now - WORLD_START;
	for (size_t i = world->n_actors; i-- > 0;)
		if (world->actors[i].leaves_at <= world->now)
			world__exit(world, i);
	if (process->each_second && !(watched && process->until_attach))
		process->each_second(world, since);
	if (process->collects_every && since >= process->collects_from &&
	    since % process->collects_every == 0)
		world__collect(world);
}

/* Look, and look again at the same moment once it is known what they wait on: as reports do. */
static void look(struct world *world, const struct process *process, struct watch *watch)
{
	struct watch first = {.place = PLACE};

	world__look(world, &first, 1);
	if (process->objects.looked_at && verdict__is_suspect(first.latest))
		tracker__note_objects(world->tracker, first.view.index, &process->objects);
	world__look(world, watch, 1);
}

static void run_and_look(struct world *world, const struct process *process, struct watch *watch)
{
	world__new(world, false, false);
	if (process->start)
		process->start(world);
	while (world->now < WORLD_START + process->runs)
		live_a_second(world, process, false);
	world__attach(world);
	look(world, process, watch);
}

static void go_on(struct world *world, const struct process *process, struct watch *watch,
		  uint64_t span)
{
	uint64_t end = world->now + span;

	while (world->now < end) {
		live_a_second(world, process, true);
		look(world, process, watch);
	}
}

static uint64_t seconds(uint64_t ns)
{
	return ns / SECOND;
}

/* --- leaks --------------------------------------------------------------------------------------- */

static void senders_at_once(struct world *world)
{
	for (int i = 0; i < 1240; i++)
		world__spawn(world, SITE, PLACE, WAIT_CHAN_SEND, FOREVER);
}

static void one_sender(struct world *world, uint64_t since __maybe_unused)
{
	world__spawn(world, SITE, PLACE, WAIT_CHAN_SEND, FOREVER);
}

Test(first_look, senders_that_nobody_receives_are_stuck)
{
	static const struct site_objects own = {.looked_at = 256, .distinct = 256, .shared_by = 1};
	const struct process processes[] = {
		{.name = "at once",
		 .start = senders_at_once,
		 .runs = 18 * MINUTE,
		 .collects_every = 2 * MINUTE,
		 .objects = own},
		{.name = "one by one",
		 .each_second = one_sender,
		 .runs = 18 * MINUTE,
		 .collects_every = 2 * MINUTE,
		 .objects = own},
		{.name = "one by one, many collections",
		 .each_second = one_sender,
		 .runs = 18 * MINUTE,
		 .collects_every = 3 * SECOND,
		 .objects = own},
	};

	for (size_t i = 0; i < ARRAY_SIZE(processes); i++) {
		struct watch watch = {.place = PLACE};
		struct world world;

		run_and_look(&world, &processes[i], &watch);
		cr_expect_eq(watch.latest, VERDICT_STUCK, "%s: %s, %s", processes[i].name,
			     verdict__name(watch.latest), watch.why);
		cr_expect_gt(watch.view.confidence, 0.9, "%s: %f", processes[i].name,
			     watch.view.confidence);
		world__free(&world);
	}
}

static void leak_receiver(struct world *world, uint64_t since __maybe_unused)
{
	world__spawn(world, SITE, PLACE, WAIT_CHAN_RECEIVE, FOREVER);
}

static void leak_select_seldom(struct world *world, uint64_t since)
{
	/* What else it does hands goids out, and is gone soon. */
	for (uint64_t i = world__random(world, 10); i > 0; i--)
		world__spawn(world, OTHER, OTHER_PLACE, WAIT_CHAN_RECEIVE, 3 * SECOND);
	if (seconds(since) % 20 == 0)
		world__spawn(world, SITE, PLACE, WAIT_SELECT, FOREVER);
}

static void leak_at_random(struct world *world, uint64_t since __maybe_unused)
{
	if (world__random(world, 7) == 0)
		world__spawn(world, SITE, PLACE, WAIT_WAIT_GROUP, FOREVER);
}

static void leak_forty(struct world *world, uint64_t since __maybe_unused)
{
	for (int i = 0; i < 40; i++)
		world__spawn(world, SITE, PLACE, WAIT_SELECT, FOREVER);
}

static const struct process leaks[] = {
	{.name = "one a second",
	 .each_second = leak_receiver,
	 .runs = 43 * MINUTE,
	 .collects_every = 2 * MINUTE},
	{.name = "one a second for ten minutes",
	 .each_second = leak_receiver,
	 .runs = 11 * MINUTE,
	 .collects_every = 10 * SECOND},
	{.name = "three a minute among others",
	 .each_second = leak_select_seldom,
	 .runs = 2 * HOUR,
	 .collects_every = 30 * SECOND},
	{.name = "at random",
	 .each_second = leak_at_random,
	 .runs = 40 * MINUTE,
	 .collects_every = 2 * MINUTE},
	{.name = "each on its own channel",
	 .each_second = leak_receiver,
	 .runs = 20 * MINUTE,
	 .collects_every = 2 * MINUTE,
	 .objects = {.looked_at = 256, .distinct = 256, .shared_by = 1}},
	{.name = "one a second, first collected late",
	 .each_second = leak_receiver,
	 .runs = 20 * MINUTE,
	 .collects_every = 2 * MINUTE,
	 .collects_from = 9 * MINUTE},
	{.name = "forty a second in a young process",
	 .each_second = leak_forty,
	 .runs = 61 * SECOND,
	 .collects_every = 6 * SECOND},
};

Test(first_look, leaks_are_suspected_and_then_told)
{
	for (size_t i = 0; i < ARRAY_SIZE(leaks); i++) {
		struct watch watch = {.place = PLACE};
		struct world world;

		run_and_look(&world, &leaks[i], &watch);
		cr_expect_eq(watch.latest, VERDICT_SUSPECTED, "%s: %s, %s", leaks[i].name,
			     verdict__name(watch.latest), watch.why);
		watch.worst = VERDICT_ACTIVE;
		while (watch.latest != VERDICT_LEAKING &&
		       world.now < world.attached + 10 * MINUTE) {
			cr_expect_eq(watch.latest, VERDICT_SUSPECTED, "%s: %s after %lu s",
				     leaks[i].name, verdict__name(watch.latest),
				     seconds(world.now - world.attached));
			if (watch.latest != VERDICT_SUSPECTED)
				break;
			go_on(&world, &leaks[i], &watch, SECOND);
		}
		cr_expect_eq(watch.latest, VERDICT_LEAKING, "%s", leaks[i].name);
		world__free(&world);
	}
}

Test(first_look, a_suspicion_that_does_not_go_on_ends)
{
	struct process process = leaks[0];
	struct watch watch = {.place = PLACE};
	struct world world;

	process.until_attach = true;
	run_and_look(&world, &process, &watch);
	cr_expect_eq(watch.latest, VERDICT_SUSPECTED);
	go_on(&world, &process, &watch, MINUTE);
	cr_expect_eq(watch.latest, VERDICT_IDLE, "%s", watch.why);
	cr_expect_eq(watch.worst, VERDICT_SUSPECTED, "never an alarm");
	world__free(&world);
}

Test(first_look, a_restart_of_gleakd_is_no_first_look)
{
	struct watch watch = {.place = PLACE};
	struct saved_process past = {.watch_ticks = 1};
	struct world world;

	world__new(&world, false, false);
	while (world.now < WORLD_START + 43 * MINUTE)
		live_a_second(&world, &leaks[0], false);
	world.tracker = tracker_for_test(false);
	tracker__restore_process(world.tracker, &past);
	world__census(&world);
	world__look(&world, &watch, 1);
	cr_expect_eq(watch.latest, VERDICT_IDLE, "%s", watch.why);
	world__free(&world);
}

/* --- healthy ------------------------------------------------------------------------------------- */

static void wake_one_of(struct world *world, uint64_t share)
{
	for (size_t i = 0; i < world->n_actors; i++)
		if (world->actors[i].place == PLACE && world__random(world, share) == 0)
			world__wake(world, &world->actors[i]);
}

static void idle_pool(struct world *world)
{
	for (int i = 0; i < 3000; i++)
		world__spawn(world, SITE, PLACE, WAIT_CHAN_RECEIVE, FOREVER);
}

static void some_get_work(struct world *world, uint64_t since __maybe_unused)
{
	wake_one_of(world, 1000);
}

/* 500, one a second; from then on they wait for work that never comes. */
static void pool_started_one_by_one(struct world *world, uint64_t since)
{
	if (seconds(since) <= 500)
		world__spawn(world, SITE, PLACE, WAIT_CHAN_RECEIVE, FOREVER);
}

/* Each gets a job in its turn, one a second. */
static void round_robin(struct world *world, uint64_t since)
{
	size_t i = seconds(since) % 3000;

	if (i < world->n_actors)
		world__wake(world, &world->actors[i]);
	world__spawn(world, OTHER, OTHER_PLACE, WAIT_CHAN_RECEIVE, SECOND / 2);
}

/* As many as are needed at a time, and ever more seldom more than that. */
static void pool_that_fills_up(struct world *world, uint64_t since)
{
	if (world__random(world, seconds(since) / 100 + 1) == 0)
		world__spawn(world, SITE, PLACE, WAIT_CHAN_RECEIVE, FOREVER);
}

/* A reader in a network wait and a writer with a queue of its own. */
static void connection(struct world *world, uint64_t stays)
{
	world__spawn(world, OTHER, IO_PLACE, WAIT_IO, stays);
	world__spawn(world, SITE, PLACE, WAIT_SELECT, stays);
}

static void connections_that_stay(struct world *world, uint64_t since __maybe_unused)
{
	connection(world, FOREVER);
}

static void many_connections(struct world *world, uint64_t since __maybe_unused)
{
	for (int i = 0; i < 40; i++)
		connection(world, FOREVER);
}

static void large_pool(struct world *world)
{
	for (int i = 0; i < 2500; i++)
		world__spawn(world, SITE, PLACE, WAIT_CHAN_RECEIVE, FOREVER);
}

static void large_pool_starts(struct world *world, uint64_t since)
{
	for (int i = 0; seconds(since) <= 30 && i < 80; i++)
		world__spawn(world, SITE, PLACE, WAIT_CHAN_RECEIVE, FOREVER);
}

static void connections_of_20_minutes(struct world *world, uint64_t since __maybe_unused)
{
	connection(world, 20 * MINUTE);
}

static void subscribers_that_come_and_go(struct world *world, uint64_t since __maybe_unused)
{
	world__spawn(world, SITE, PLACE, WAIT_CHAN_RECEIVE,
		     SECOND + world__random(world, 40 * MINUTE));
}

static void streams_of_ten_minutes(struct world *world, uint64_t since __maybe_unused)
{
	world__spawn(world, SITE, PLACE, WAIT_SELECT, 10 * MINUTE);
}

static void subscribers_at_boot(struct world *world)
{
	for (int i = 0; i < 700; i++)
		world__spawn(world, SITE, PLACE, WAIT_CHAN_RECEIVE, FOREVER);
}

static void tickers_at_boot(struct world *world)
{
	for (int i = 0; i < 300; i++)
		world__spawn(world, SITE, PLACE, WAIT_SELECT, FOREVER);
}

static void all_tick(struct world *world, uint64_t since)
{
	if (seconds(since) % 7 == 0)
		wake_one_of(world, 1);
}

static void tickers_one_by_one(struct world *world, uint64_t since)
{
	world__spawn(world, SITE, PLACE, WAIT_SELECT, FOREVER);
	for (size_t i = 0; i < world->n_actors; i++)
		if ((world->actors[i].goid + seconds(since)) % 300 == 0)
			world__wake(world, &world->actors[i]);
}

/* Callers of errgroup.Group.Go with a limit, while each task takes ten minutes. */
static void errgroup_callers(struct world *world, uint64_t since)
{
	if (seconds(since) % 600 != 1)
		return;
	for (size_t i = world->n_actors; i-- > 0;)
		world__exit(world, i);
	for (int i = 0; i < 17; i++)
		world__spawn(world, SITE, PLACE, WAIT_CHAN_SEND, FOREVER);
}

static void twenty_generators(struct world *world)
{
	for (int i = 0; i < 20; i++)
		world__spawn(world, SITE, PLACE, WAIT_CHAN_SEND, FOREVER);
}

static void one_is_asked_each_minute(struct world *world, uint64_t since)
{
	if (seconds(since) % 60 == 0)
		world__wake(world, &world->actors[seconds(since) / 60 % 20]);
	world__spawn(world, OTHER, OTHER_PLACE, WAIT_CHAN_RECEIVE, SECOND / 2);
}

static void lock_convoy_begins(struct world *world)
{
	for (int i = 0; i < 30; i++)
		world__spawn(world, SITE, PLACE, WAIT_LOCK, FOREVER);
}

static void take_turns(struct world *world, uint64_t since)
{
	if (seconds(since) % 5 == 0)
		world__wake(world, &world->actors[seconds(since) / 5 % 30]);
	world__spawn(world, OTHER, OTHER_PLACE, WAIT_CHAN_RECEIVE, SECOND / 2);
}

static const struct process healthy[] = {
	{.name = "an idle pool of thousands",
	 .start = idle_pool,
	 .runs = HOUR,
	 .collects_every = 2 * MINUTE,
	 .objects = {.looked_at = 256, .distinct = 256, .shared_by = 1}},
	{.name = "a pool of thousands, some get work",
	 .start = idle_pool,
	 .each_second = some_get_work,
	 .runs = HOUR,
	 .collects_every = MINUTE,
	 .objects = {.looked_at = 256, .distinct = 256, .shared_by = 1}},
	{.name = "a pool by turns",
	 .start = idle_pool,
	 .each_second = round_robin,
	 .runs = 100 * MINUTE,
	 .collects_every = MINUTE},
	{.name = "a pool by turns, in the first round",
	 .start = idle_pool,
	 .each_second = round_robin,
	 .runs = 40 * MINUTE,
	 .collects_every = MINUTE},
	{.name = "500 workers started one by one",
	 .each_second = pool_started_one_by_one,
	 .runs = 30 * MINUTE,
	 .collects_every = 2 * MINUTE},
	{.name = "500 workers just started one by one",
	 .each_second = pool_started_one_by_one,
	 .runs = 12 * MINUTE,
	 .collects_every = 10 * SECOND},
	{.name = "a pool that fills up",
	 .each_second = pool_that_fills_up,
	 .runs = 2 * HOUR,
	 .collects_every = 2 * MINUTE},
	{.name = "connections that stay",
	 .each_second = connections_that_stay,
	 .runs = HOUR,
	 .collects_every = 2 * MINUTE},
	{.name = "connections of 20 minutes",
	 .each_second = connections_of_20_minutes,
	 .runs = 2 * HOUR,
	 .collects_every = 2 * MINUTE},
	{.name = "subscribers that come and go",
	 .each_second = subscribers_that_come_and_go,
	 .runs = 3 * HOUR,
	 .collects_every = 2 * MINUTE},
	{.name = "streams of ten minutes",
	 .each_second = streams_of_ten_minutes,
	 .runs = HOUR,
	 .collects_every = MINUTE},
	{.name = "subscribers from the beginning",
	 .start = subscribers_at_boot,
	 .runs = HOUR,
	 .collects_every = 2 * MINUTE},
	{.name = "tickers from the beginning",
	 .start = tickers_at_boot,
	 .each_second = all_tick,
	 .runs = HOUR,
	 .collects_every = 2 * MINUTE},
	{.name = "tickers one by one",
	 .each_second = tickers_one_by_one,
	 .runs = HOUR,
	 .collects_every = 2 * MINUTE},
	{.name = "callers of a limited errgroup",
	 .each_second = errgroup_callers,
	 .runs = 89 * MINUTE,
	 .collects_every = 20 * SECOND,
	 .objects = {.looked_at = 17,
		     .distinct = 17,
		     .shared_by = 1,
		     .queue = true,
		     .with_buffer = 17}},
	{.name = "generators that are asked by turns",
	 .start = twenty_generators,
	 .each_second = one_is_asked_each_minute,
	 .runs = 47 * MINUTE,
	 .collects_every = MINUTE},
	{.name = "a lock convoy",
	 .start = lock_convoy_begins,
	 .each_second = take_turns,
	 .runs = 17 * MINUTE,
	 .collects_every = SECOND},
	{.name = "a leak without a GC", .each_second = leak_receiver, .runs = HOUR},
	{.name = "an idle pool, first collected late",
	 .start = idle_pool,
	 .runs = HOUR,
	 .collects_every = 2 * MINUTE,
	 .collects_from = 29 * MINUTE},
	{.name = "500 workers one by one, first collected late",
	 .each_second = pool_started_one_by_one,
	 .runs = 30 * MINUTE,
	 .collects_every = 2 * MINUTE,
	 .collects_from = 10 * MINUTE},
	{.name = "a pool that fills up, first collected late",
	 .each_second = pool_that_fills_up,
	 .runs = 2 * HOUR,
	 .collects_every = 2 * MINUTE,
	 .collects_from = HOUR},
	{.name = "subscribers that come and go, first collected late",
	 .each_second = subscribers_that_come_and_go,
	 .runs = 100 * MINUTE,
	 .collects_every = 2 * MINUTE,
	 .collects_from = 45 * MINUTE},
	{.name = "connections that stay, first collected late",
	 .each_second = connections_that_stay,
	 .runs = HOUR,
	 .collects_every = 2 * MINUTE,
	 .collects_from = 20 * MINUTE},
	{.name = "many connections of a young server",
	 .each_second = many_connections,
	 .runs = 61 * SECOND,
	 .collects_every = 6 * SECOND},
	{.name = "a large pool of a young process",
	 .start = large_pool,
	 .runs = 61 * SECOND,
	 .collects_every = 6 * SECOND},
	{.name = "a large pool that starts in half a minute",
	 .each_second = large_pool_starts,
	 .runs = 61 * SECOND,
	 .collects_every = 6 * SECOND},
};

Test(first_look, healthy_processes_are_not_even_suspected)
{
	for (size_t i = 0; i < ARRAY_SIZE(healthy); i++) {
		struct watch watch = {.place = PLACE};
		struct world world;

		run_and_look(&world, &healthy[i], &watch);
		cr_expect_leq(watch.worst, VERDICT_IDLE, "%s: %s, %s", healthy[i].name,
			      verdict__name(watch.worst), watch.why);
		cr_expect_gt(watch.view.goroutines, 0, "%s: nothing there", healthy[i].name);
		world__free(&world);
	}
}

/* At any age of the process, not only at one that was chosen, and in the watch that follows. */
Test(first_look, by_turns_at_any_moment)
{
	static const struct process *const by_turns[] = {&healthy[2], &healthy[15], &healthy[16]};

	for (size_t i = 0; i < ARRAY_SIZE(by_turns); i++) {
		for (uint64_t minute = 10; minute < 50; minute += 3) {
			struct process process = *by_turns[i];
			struct watch watch = {.place = PLACE};
			struct world world;

			process.runs = minute * MINUTE;
			process.collects_every = minute % 2 ? 2 * MINUTE : SECOND;
			run_and_look(&world, &process, &watch);
			if (i > 0)
				go_on(&world, &process, &watch, 90 * SECOND);
			cr_expect_leq(watch.worst, VERDICT_IDLE, "%s after %lu min: %s, %s",
				      process.name, minute, verdict__name(watch.worst), watch.why);
			world__free(&world);
		}
	}
}

/*
 * What comes one by one for as long as the process runs and never leaves looks like a leak on one
 * look. It is no more than suspected, and not for long once it stops.
 */
Test(first_look, what_one_look_cannot_tell_is_no_alarm)
{
	struct process process = {.name = "tenants",
				  .each_second = leak_select_seldom,
				  .runs = 2 * HOUR,
				  .collects_every = MINUTE,
				  .until_attach = true};
	struct watch watch = {.place = PLACE};
	struct world world;

	run_and_look(&world, &process, &watch);
	cr_expect_eq(watch.latest, VERDICT_SUSPECTED, "%s: %s", verdict__name(watch.latest),
		     watch.why);
	go_on(&world, &process, &watch, 6 * MINUTE);
	cr_expect_lt(watch.worst, VERDICT_STUCK, "%s", verdict__name(watch.worst));
	cr_expect_eq(watch.latest, VERDICT_IDLE, "%s: %s", verdict__name(watch.latest), watch.why);
	world__free(&world);
}
