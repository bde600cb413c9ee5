// SPDX-License-Identifier: Apache-2.0
#include "probe/governor.h"

#include <criterion/criterion.h>
#include <string.h>

#define SECOND NSEC_PER_SEC

/* A target as the governor sees it. */
struct service {
	double creations, parks; /* per second */
	double cpu;		 /* cores */
	bool goids_known;
};

static const struct governor_options one_percent = {
	.max_overhead = 0.01,
	.highest = PROBE_MODE_FULL,
	.begin_low = true,
	.ns_per_hit = {500, 500, 500},
};

/* A second of @service, seen through what is attached. */
static enum probe_mode second(struct governor *governor, const struct service *service)
{
	struct governor_tick tick = {
		.elapsed_ns = SECOND,
		.target_cpu_ns = (uint64_t)(service->cpu * 1e9),
		.creations = service->goids_known ? (uint64_t)service->creations : UINT64_MAX,
	};

	if (governor->mode >= PROBE_MODE_LIFECYCLE)
		tick.hits[PROBE_EVENT_CREATE] = tick.hits[PROBE_EVENT_EXIT] =
			(uint64_t)service->creations;
	if (governor->mode == PROBE_MODE_FULL)
		tick.hits[PROBE_EVENT_PARK] = (uint64_t)service->parks;
	return governor__tick(governor, &tick);
}

static enum probe_mode after(struct governor *governor, const struct service *service,
			     unsigned int seconds)
{
	for (unsigned int i = 0; i < seconds; i++)
		second(governor, service);
	return governor->mode;
}

/* How often nanoseconds of hits were above the allowed share, over @seconds. */
static double spent(struct governor *governor, const struct service *service, unsigned int seconds)
{
	double ns = 0;

	for (unsigned int i = 0; i < seconds; i++) {
		if (governor->mode >= PROBE_MODE_LIFECYCLE)
			ns += 2 * service->creations * 500;
		if (governor->mode == PROBE_MODE_FULL)
			ns += service->parks * 500;
		second(governor, service);
	}
	return ns / (seconds * service->cpu * 1e9);
}

Test(governor, a_quiet_service_gets_everything_at_once)
{
	const struct service service = {
		.creations = 50, .parks = 100, .cpu = 0.2, .goids_known = true};
	struct governor governor;

	governor__init(&governor, &one_percent);
	cr_expect_eq(governor.mode, PROBE_MODE_CENSUS);
	cr_expect_neq(governor.reason[0], '\0');
	cr_expect_eq(second(&governor, &service), PROBE_MODE_FULL);
	cr_expect_eq(governor.reason[0], '\0');
}

Test(governor, an_idle_service_is_not_starved)
{
	const struct service service = {
		.creations = 10, .parks = 50, .cpu = 0.0001, .goids_known = true};
	struct governor governor;

	governor__init(&governor, &one_percent);
	cr_expect_eq(after(&governor, &service, 3), PROBE_MODE_FULL);
}

Test(governor, nothing_is_attached_to_a_storm)
{
	const struct service service = {
		.creations = 500000, .parks = 500000, .cpu = 2, .goids_known = true};
	struct governor governor;

	governor__init(&governor, &one_percent);
	cr_expect_eq(after(&governor, &service, 600), PROBE_MODE_CENSUS);
	cr_expect_eq(governor.changes, 0);
	cr_expect_not_null(strstr(governor.reason, "lifecycle would cost"), "%s", governor.reason);
}

Test(governor, parks_are_given_up_first)
{
	struct service service = {
		.creations = 1000, .parks = 2000, .cpu = 0.9, .goids_known = true};
	struct governor governor;

	governor__init(&governor, &one_percent);
	cr_assert_eq(after(&governor, &service, 3), PROBE_MODE_FULL);
	service.parks = 100000;
	cr_expect_eq(second(&governor, &service), PROBE_MODE_LIFECYCLE, "in one tick");
	cr_expect_not_null(strstr(governor.reason, "full would cost"), "%s", governor.reason);
}

Test(governor, down_at_once_to_what_fits)
{
	struct service service = {
		.creations = 1000, .parks = 2000, .cpu = 0.9, .goids_known = true};
	struct governor governor;

	governor__init(&governor, &one_percent);
	cr_assert_eq(after(&governor, &service, 3), PROBE_MODE_FULL);
	service.creations = 100000;
	cr_expect_eq(second(&governor, &service), PROBE_MODE_CENSUS);
}

Test(governor, back_up_when_the_load_is_gone)
{
	const struct service quiet = {
		.creations = 100, .parks = 200, .cpu = 0.5, .goids_known = true};
	const struct service busy = {
		.creations = 90000, .parks = 90000, .cpu = 1.5, .goids_known = true};
	struct governor governor;

	governor__init(&governor, &one_percent);
	after(&governor, &quiet, 3);
	cr_assert_eq(after(&governor, &busy, 60), PROBE_MODE_CENSUS);
	cr_expect_eq(second(&governor, &quiet), PROBE_MODE_CENSUS, "not at once");
	cr_expect_eq(after(&governor, &quiet, 30), PROBE_MODE_FULL);
}

/* A load that looks harmless from outside whenever nothing is attached: creations cannot be seen. */
Test(governor, no_flapping_and_the_budget_is_kept_over_time)
{
	const struct service service = {
		.creations = 100, .parks = 60000, .cpu = 1, .goids_known = true};
	struct governor governor;
	double share;

	governor__init(&governor, &one_percent);
	share = spent(&governor, &service, 3600);
	cr_expect_lt(share, 0.01, "%.4f of its CPU time", share);
	cr_expect_leq(governor.changes, 12, "%lu changes in an hour", governor.changes);
	cr_expect_eq(governor.mode, PROBE_MODE_LIFECYCLE);
}

Test(governor, swinging_load_does_not_flap)
{
	const struct service low = {
		.creations = 500, .parks = 500, .cpu = 0.5, .goids_known = true};
	const struct service high = {
		.creations = 30000, .parks = 30000, .cpu = 1, .goids_known = true};
	struct governor governor;

	governor__init(&governor, &one_percent);
	for (int minute = 0; minute < 240; minute++)
		after(&governor, minute % 2 ? &high : &low, 30);
	cr_expect_leq(governor.changes, 24, "%lu changes in two hours", governor.changes);
}

Test(governor, creations_not_known_keep_it_in_census)
{
	const struct service service = {.creations = 5, .parks = 5, .cpu = 0.5};
	struct governor governor;

	governor__init(&governor, &one_percent);
	cr_expect_eq(after(&governor, &service, 100), PROBE_MODE_CENSUS);
}

Test(governor, no_limit_means_all_that_works)
{
	const struct service service = {.creations = 1e6, .parks = 1e6, .cpu = 2};
	struct governor_options options = one_percent;
	struct governor governor;

	options.max_overhead = 0;
	options.highest = PROBE_MODE_LIFECYCLE;
	governor__init(&governor, &options);
	cr_expect_eq(governor.mode, PROBE_MODE_LIFECYCLE);
	cr_expect_eq(after(&governor, &service, 100), PROBE_MODE_LIFECYCLE);
	cr_expect_eq(governor.reason[0], '\0');
}

Test(governor, never_above_what_works)
{
	const struct service service = {
		.creations = 5, .parks = 5, .cpu = 0.5, .goids_known = true};
	struct governor_options options = one_percent;
	struct governor governor;

	options.highest = PROBE_MODE_LIFECYCLE;
	governor__init(&governor, &options);
	cr_expect_eq(after(&governor, &service, 100), PROBE_MODE_LIFECYCLE);
	options.highest = PROBE_MODE_CENSUS;
	governor__init(&governor, &options);
	cr_expect_eq(after(&governor, &service, 100), PROBE_MODE_CENSUS);
	cr_expect_eq(governor.reason[0], '\0');
}
