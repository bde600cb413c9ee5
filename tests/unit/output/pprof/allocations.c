// SPDX-License-Identifier: Apache-2.0
/* Places that allocate as a profile: what was written, unpacked again. */
#include "output/pprof/allocations.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../pprof_read_back.h"

static const struct report_frame stack[] = {
	{.function = "main.newNode", .file = "/shop/node.go", .line = 42, .inlined = true},
	{.function = "main.fill", .file = "/shop/main.go", .line = 17},
};
static const struct report_alloc_site sites[] = {
	{.id = "0123abcd",
	 .in_use_bytes = 1009,
	 .in_use_objects = 11,
	 .alloc_bytes = 10007,
	 .alloc_objects = 13,
	 .judgement = {.verdict = ALLOC_GROWING},
	 .type = (char *)"main.node",
	 .allocated_at = {.function = "main.fill", .file = "/shop/main.go", .line = 17},
	 .stack = stack,
	 .n_stack = 2},
	{.id = "4567cdef",
	 .in_use_bytes = UINT64_MAX,
	 .allocated_at = {.function = "main.other", .file = "/shop/main.go", .line = 23}},
};

static Gleakd__Pprof__Profile *written(bool in_use_known)
{
	const struct report_allocations allocations = {
		.rate = 524288, .in_use_known = in_use_known, .sites = sites, .n_sites = 2};
	const struct report_target target = {.exe = "/usr/bin/shop", .allocations = &allocations};
	struct failure failure = {""};
	struct pprof *profile;

	cr_assert_eq(allocations_profile__make(&target, 1767323045678000000, &profile, &failure),
		     0);
	return pprof__read_back(profile);
}

Test(allocations_profile, has_what_the_runtimes_own_has)
{
	static const char *const types[] = {"alloc_objects", "alloc_space", "inuse_objects",
					    "inuse_space"};
	Gleakd__Pprof__Profile *profile = written(true);
	const Gleakd__Pprof__Sample *sample = profile->sample[0];

	cr_assert_eq(profile->n_sample_type, 4);
	for (size_t i = 0; i < 4; i++)
		cr_expect_str_eq(pprof__string(profile, profile->sample_type[i]->type), types[i]);
	cr_expect_str_eq(pprof__string(profile, profile->default_sample_type), "inuse_space");
	cr_expect_eq(profile->period, 524288);
	cr_assert_eq(profile->n_sample, 2);
	cr_expect_eq(sample->value[0], 13);
	cr_expect_eq(sample->value[1], 10007);
	cr_expect_eq(sample->value[2], 11);
	cr_expect_eq(sample->value[3], 1009);
	cr_expect_eq(sample->n_location_id, 1, "the inlined call is at the same place");
	cr_expect_str_eq(pprof__label(profile, sample, "type"), "main.node");
	cr_expect_str_eq(pprof__label(profile, sample, "verdict"), "growing");
	cr_expect_str_eq(pprof__label(profile, sample, "site"), "0123abcd");
	sample = profile->sample[1];
	cr_expect_eq(sample->value[3], INT64_MAX);
	cr_expect_eq(sample->n_location_id, 1, "without a stack it is where the report says");
	cr_expect_str_eq(pprof__label(profile, sample, "type"), "");
	cr_expect_str_eq(pprof__label(profile, sample, "verdict"), "");
	gleakd__pprof__profile__free_unpacked(profile, NULL);
}

Test(allocations_profile, of_what_is_in_use_nothing_where_it_is_not_known)
{
	Gleakd__Pprof__Profile *profile = written(false);

	cr_assert_eq(profile->n_sample_type, 2);
	cr_expect_eq(profile->sample[0]->n_value, 2);
	cr_expect_str_eq(pprof__string(profile, profile->default_sample_type), "alloc_space");
	gleakd__pprof__profile__free_unpacked(profile, NULL);
}

Test(allocations_profile, none_is_an_error_that_says_why)
{
	const struct report_allocations missing = {.missing = "it does not sample itself"};
	struct report_target target = {.pid = 4242, .allocations = &missing};
	struct failure failure = {""};
	struct pprof *profile;

	cr_expect_eq(allocations_profile__make(&target, 0, &profile, &failure), -ENODATA);
	cr_expect_not_null(strstr(failure.text, "4242"));
	cr_expect_not_null(strstr(failure.text, "it does not sample itself"));
	target.allocations = NULL;
	cr_expect_eq(allocations_profile__make(&target, 0, &profile, &failure), -ENODATA);
}
