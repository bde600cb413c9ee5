// SPDX-License-Identifier: Apache-2.0
/* What is said to be out of reach, held against the growth test itself. */
#include "track/reach.h"

#include <criterion/criterion.h>
#include <math.h>

#include "track/verdict.h"

#define SECOND NSEC_PER_SEC

/* Whether a steady leak of that rate, which began with the watch or before, is found at its end. */
static bool is_found(double per_second, uint64_t min_age_ns, uint64_t resolution_ns,
		     uint64_t watched_ns)
{
	struct age_histogram ages = {{0}};
	struct length_histogram nobody = {{0}};
	struct evidence evidence = {
		.wait_class = WAIT_CHAN_SEND,
		.park_ages = &ages,
		.ended_parks = &nobody,
		.ended_lives = &nobody,
		.min_age_ns = min_age_ns,
		.watched_ns = watched_ns,
		.lives_watched_ns = watched_ns,
		.parks_resolution_ns = resolution_ns,
		.lives_resolution_ns = resolution_ns,
	};
	uint64_t gap_ns = (uint64_t)((double)SECOND / per_second);
	struct growth growth;

	for (uint64_t age = gap_ns / 2; age < watched_ns; age += gap_ns)
		age_histogram__add(&ages, age);
	return growth__test(&evidence, &growth);
}

static const uint64_t min_ages[] = {SECOND, 2 * SECOND, 10 * SECOND, 60 * SECOND};
static const uint64_t resolutions[] = {0, SECOND / 2, 2 * SECOND, 10 * SECOND};

Test(reach, slower_leaks_are_not_found_and_somewhat_faster_ones_are)
{
	for (size_t a = 0; a < ARRAY_SIZE(min_ages); a++) {
		for (size_t r = 0; r < ARRAY_SIZE(resolutions); r++) {
			uint64_t least = reach__least_watch_ns(min_ages[a], resolutions[r]);

			for (uint64_t watched = least; watched < 8 * least; watched += least / 3) {
				double slowest = reach__slowest_per_second(min_ages[a],
									   resolutions[r], watched);

				cr_assert(isfinite(slowest));
				cr_expect_not(is_found(slowest * 0.85, min_ages[a], resolutions[r],
						       watched),
					      "%zu %zu %.1f s", a, r, (double)watched / SECOND);
				cr_expect(is_found(slowest * 1.6, min_ages[a], resolutions[r],
						   watched),
					  "%zu %zu %.1f s", a, r, (double)watched / SECOND);
			}
		}
	}
}

/* Too short for anything but a flood; that one is found. */
Test(reach, in_a_shorter_watch_only_floods_are_found)
{
	for (size_t a = 0; a < ARRAY_SIZE(min_ages); a++) {
		uint64_t least = reach__least_watch_ns(min_ages[a], 0);
		uint64_t watched = least - least / 10;
		double slowest = reach__slowest_per_second(min_ages[a], 0, watched);

		cr_expect_geq(slowest * (double)(watched - min_ages[a]) / SECOND, 299);
		cr_expect_not(is_found(slowest * 0.85, min_ages[a], 0, watched), "%zu", a);
		cr_expect(is_found(slowest * 1.6, min_ages[a], 0, watched), "%zu", a);
	}
}

Test(reach, nothing_is_found_within_min_age)
{
	cr_expect(isinf(reach__slowest_per_second(10 * SECOND, 0, 8 * SECOND)));
	cr_expect(isinf(reach__slowest_per_second(10 * SECOND, 0, 10 * SECOND)));
	cr_expect(isinf(reach__slowest_per_second(10 * SECOND, 0, 17 * SECOND)));
	cr_expect_not(is_found(1000, 10 * SECOND, 0, 17 * SECOND));
}

/* As docs/verdicts.md has it. */
Test(reach, figures)
{
	cr_expect_eq(reach__least_watch_ns(10 * SECOND, 0), 26 * SECOND);
	cr_expect_eq(reach__least_watch_ns(10 * SECOND, 10 * SECOND), 50 * SECOND);
	cr_expect_float_eq(reach__slowest_per_second(10 * SECOND, 0, 26 * SECOND), 0.5, 1e-9);
	cr_expect_float_eq(reach__slowest_per_second(10 * SECOND, 0, 90 * SECOND), 0.1, 1e-9);
	cr_expect_float_eq(reach__slowest_per_second(10 * SECOND, 0, 20 * SECOND), 30, 1e-9);
}
