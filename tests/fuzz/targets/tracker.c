// SPDX-License-Identifier: Apache-2.0
/*
 * Events and censuses in any order, with gaps, doubles and times that go back, of a few goroutines.
 * Whatever happened, the totals are those of all sites together at every moment, and after one more
 * census exactly the goroutines that it saw are alive: nothing that is gone can look like a leak.
 *
 * The input is one byte of choices, then one for each operation, `operation << 5 | goroutine`, with
 * what the operation takes behind it.
 */
#include "track/tracker.h"

#include <string.h>

#include "fuzz.h"

#define N_GOROUTINES 32 /* ids 1 to 32 */
#define MAX_STEPS    2000
#define START	     (1000 * NSEC_PER_SEC)

enum choice {
	EXPECT_EVENTS = 1 << 0,
	FEW_GOROUTINES = 1 << 1,
	FEW_SITES = 1 << 2,
};

enum operation { CREATED, EXITED, PARKED, SEEN, UNCHANGED, CENSUS, LOST, MODE };

struct world {
	struct tracker *tracker;
	uint64_t now, latest;
	bool in_census, few_sites;
	uint32_t handles[N_GOROUTINES + 1];
};

static void classify(void *ctx, uint8_t reason, uint64_t creation_pc, uint64_t start_pc,
		     uint32_t stack_id, struct site_traits *ret_traits)
{
	(void)ctx;
	(void)creation_pc;
	(void)start_pc;
	ret_traits->wait_class = (enum wait_class)(reason % (WAIT_SYSCALL + 1));
	ret_traits->nature = (enum site_nature)(stack_id % (NATURE_ABANDONED + 1));
}

static bool is_system(void *ctx, uint64_t start_pc)
{
	(void)ctx;
	return start_pc % 4 == 3;
}

/* Whether a goroutine is the runtime's own does not change in its life; all else may. */
static uint64_t start_pc(uint64_t goid, unsigned int which)
{
	return 0x402000 + (which & 3) * 4 + goid % 4;
}

/* --- what must always hold ---------------------------------------------------------------------- */

static void add_site(struct tracker_totals *sum, const struct site_view *site)
{
	fuzz__require(site->parked <= site->goroutines);
	fuzz__require(site->n_why <= SITE_MAX_WHY);
	for (size_t i = 0; i < site->n_why; i++)
		fuzz__require(*site->why[i] != '\0');
	fuzz__require(verdict__name(site->verdict) != NULL);
	if (site->system) {
		sum->system += site->goroutines;
		return;
	}
	sum->alive += site->goroutines;
	sum->parked += site->parked;
	sum->created += site->created;
	sum->exited += site->exited;
}

static struct tracker_totals check(const struct world *world)
{
	const struct tracker_policy policy = {.min_age_ns = 10 * NSEC_PER_SEC};
	struct tracker_totals totals, sum = {0};
	const struct site_view *sites;
	size_t n;

	tracker__totals(world->tracker, &totals);
	fuzz__require(!tracker__judge(world->tracker, &policy, world->now));
	sites = tracker__sites(world->tracker, &n);
	for (size_t i = 0; i < n; i++)
		add_site(&sum, &sites[i]);
	fuzz__require(sum.alive + sum.system == totals.alive + totals.system);
	/* Past the limit, the one site for the rest has the runtime's own and others. */
	if (world->few_sites)
		return totals;
	fuzz__require(sum.alive == totals.alive);
	fuzz__require(sum.parked == totals.parked);
	fuzz__require(sum.created == totals.created);
	fuzz__require(sum.exited == totals.exited);
	return totals;
}

/* --- operations --------------------------------------------------------------------------------- */

/* Forwards most of the time, in steps up to an hour; sometimes back. */
static uint64_t next_time(struct world *world, struct fuzz_input *input)
{
	uint8_t step = fuzz_input__u8(input);

	if (step < 0xf0)
		world->now += (uint64_t)step * step * 65 * NSEC_PER_MSEC;
	else
		world->now -= min_of((step - 0xefU) * NSEC_PER_SEC, world->now - START);
	world->latest = max_of(world->latest, world->now);
	return world->now;
}

static void see(struct world *world, uint64_t goid, struct fuzz_input *input)
{
	uint8_t bits = fuzz_input__u8(input), place = fuzz_input__u8(input);
	const struct tracker_sighting sighting = {
		.goid = goid,
		.creation_pc = 0x401000 + (place & 3),
		.start_pc = start_pc(goid, place >> 2),
		.waitsince_ns = bits & 1 ? world->now / 2 : 0,
		.read_at_ns = next_time(world, input),
		.stack_id = place >> 4 & 3,
		.place = place >> 4 & 3,
		.wait_reason = bits >> 3,
		.parked = bits & 2,
		.in_syscall = bits & 4,
	};

	world->handles[goid] = tracker__census_seen(world->tracker, &sighting);
}

static void turn_census(struct world *world, struct fuzz_input *input)
{
	uint64_t time = next_time(world, input);

	if (world->in_census)
		tracker__census_end(world->tracker, time);
	else
		tracker__census_begin(world->tracker, time);
	world->in_census = !world->in_census;
}

static void step(struct world *world, struct fuzz_input *input)
{
	uint8_t head = fuzz_input__u8(input), n;
	uint64_t goid = head % N_GOROUTINES + 1;

	switch ((enum operation)(head >> 5)) {
	case CREATED:
		n = fuzz_input__u8(input);
		tracker__created(world->tracker, goid, 0x401000 + (n & 3), start_pc(goid, n >> 2),
				 next_time(world, input));
		break;
	case EXITED:
		tracker__exited(world->tracker, goid, next_time(world, input));
		break;
	case PARKED:
		(void)fuzz_input__u8(input); /* inputs that are kept have it */
		tracker__parked(world->tracker, goid, next_time(world, input));
		break;
	case SEEN:
		if (world->in_census)
			see(world, goid, input);
		break;
	case UNCHANGED:
		if (world->in_census && world->handles[goid] &&
		    !tracker__census_unchanged(world->tracker, world->handles[goid], goid,
					       next_time(world, input)))
			see(world, goid, input);
		break;
	case CENSUS:
		turn_census(world, input);
		break;
	case LOST:
		n = fuzz_input__u8(input);
		tracker__lost(world->tracker, n, n & head);
		break;
	case MODE:
		tracker__expect_events(world->tracker, head & 1, next_time(world, input));
		break;
	}
}

/*
 * One more census, later than everything else, that sees every other goroutine, parked: one whose
 * exit was told may look running for a while.
 */
static void last_census(struct world *world, bool limited)
{
	static const uint8_t parked[] = {2};
	struct tracker_totals totals;

	if (world->in_census)
		tracker__census_end(world->tracker, world->latest);
	world->now = world->latest + NSEC_PER_SEC;
	world->latest = world->now;
	tracker__census_begin(world->tracker, world->now++);
	for (uint64_t goid = 1; goid <= N_GOROUTINES; goid += 2)
		see(world, goid, &(struct fuzz_input){parked, sizeof(parked)});
	tracker__census_end(world->tracker, ++world->now);
	totals = check(world);
	fuzz__require(!totals.inexact);
	if (limited)
		fuzz__require(totals.alive + totals.system <= N_GOROUTINES / 2);
	else
		fuzz__require(totals.alive + totals.system == N_GOROUTINES / 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};
	uint8_t choices = fuzz_input__u8(&input);
	bool limited = choices & FEW_GOROUTINES;
	const struct tracker_options options = {
		.max_goroutines = limited ? 12 : 1000,
		.max_sites = choices & FEW_SITES ? 4 : 1000,
		.attached_ns = START,
		.expect_events = choices & EXPECT_EVENTS,
		.classify = classify,
		.is_system = is_system,
	};
	struct world world = {
		.now = START,
		.latest = START,
		.few_sites = choices & FEW_SITES,
	};

	fuzz__require(!tracker__new(&options, &world.tracker));
	for (int i = 0; i < MAX_STEPS && input.left; i++) {
		step(&world, &input);
		if (i % 16 == 15)
			check(&world);
	}
	check(&world);
	last_census(&world, limited);
	tracker__free(world.tracker);
	return 0;
}
