// SPDX-License-Identifier: Apache-2.0
/* Goroutines as a profile: what was written, unpacked again. */
#include "output/pprof/goroutines.h"

#include <criterion/criterion.h>
#include <string.h>

#include "pprof_read_back.h"

static const struct report_frame stack[] = {
	{.function = "example.org/shop/cart.(*Store).Load",
	 .file = "/shop/store.go",
	 .line = 42,
	 .inlined = true},
	{.function = "main.fetch", .file = "/shop/main.go", .line = 17},
};
static const struct report_place fetch = {.site = "0123abcd",
					  .start_function = "main.fetch",
					  .stack = stack,
					  .n_stack = 2};
static const struct report_place running = {.site = "4567cdef", .start_function = "main.main"};
static const struct report_labels blue = {1, false, {{"tenant", "blue"}}};

static struct report_goroutine waits(uint64_t goid, const struct report_labels *labels)
{
	return (struct report_goroutine){
		.goid = goid,
		.state = "chan receive",
		.parked = true,
		.waiting_ns = 7 * NSEC_PER_SEC,
		.labels = labels,
		.place = &fetch,
	};
}

static Gleakd__Pprof__Profile *written(const struct report_goroutine *goroutines, size_t n)
{
	struct report_site site = {.id = "0123abcd"};
	struct report_target target = {
		.exe = "/usr/bin/shop",
		.sites = &site,
		.n_sites = 1,
		.goroutine_list = goroutines,
		.n_goroutine_list = n,
	};
	struct pprof *profile;

	site.view.verdict = VERDICT_STUCK;
	cr_assert_eq(goroutines_profile__make(&target, 1767323045678000000, &profile), 0);
	return pprof__read_back(profile);
}

static const Gleakd__Pprof__Sample *sample_of(const Gleakd__Pprof__Profile *profile,
					      const char *key, const char *value)
{
	for (size_t i = 0; i < profile->n_sample; i++) {
		if (!strcmp(pprof__label(profile, profile->sample[i], key), value))
			return profile->sample[i];
	}
	cr_assert_fail("no sample with %s=%s", key, value);
	return NULL;
}

Test(goroutines_profile, those_that_differ_in_nothing_are_one_sample)
{
	const struct report_goroutine goroutines[] = {
		{.goid = 1, .state = "running", .place = &running},
		waits(17, NULL),
		waits(18, &blue),
		waits(19, NULL),
		waits(20, &blue),
		waits(21, NULL),
	};
	Gleakd__Pprof__Profile *profile = written(goroutines, ARRAY_SIZE(goroutines));
	const Gleakd__Pprof__Sample *sample = sample_of(profile, "tenant", "blue");

	cr_assert_eq(profile->n_sample, 3);
	cr_expect_eq(sample->value[0], 2);
	cr_expect_eq(sample->value[1], 14000000000);
	cr_expect_eq(sample->n_location_id, 1, "the inlined call is at the same place");
	cr_expect_str_eq(pprof__label(profile, sample, "state"), "waiting");
	cr_expect_str_eq(pprof__label(profile, sample, "reason"), "chan receive");
	cr_expect_str_eq(pprof__label(profile, sample, "verdict"), "stuck");
	sample = sample_of(profile, "state", "running");
	cr_expect_eq(sample->value[0], 1);
	cr_expect_str_eq(pprof__label(profile, sample, "reason"), "");
	cr_expect_str_eq(pprof__label(profile, sample, "verdict"), "", "its site is not known");
	gleakd__pprof__profile__free_unpacked(profile, NULL);
}

Test(goroutines_profile, none)
{
	Gleakd__Pprof__Profile *profile = written(NULL, 0);

	cr_expect_eq(profile->n_sample, 0);
	cr_expect_eq(profile->n_sample_type, 2);
	gleakd__pprof__profile__free_unpacked(profile, NULL);
}
