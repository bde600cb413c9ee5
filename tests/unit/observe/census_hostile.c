// SPDX-License-Identifier: Apache-2.0
/* A census of memory that is missing, damaged, malicious, or no longer a Go runtime. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "census_log.h"

TestSuite(census_hostile);

#define CALLER (FAKE_MAIN + 0x500)

Test(census_hostile, a_missing_page_costs_only_the_goroutines_on_it)
{
	struct fixture *f = fixture_new(26, 300, NULL);
	struct fake *fake = f->fake;
	size_t hole = 100 * fake->stride, hole_end = hole + 4096, missing = 0;

	for (uint64_t goid = 2; goid <= 300; goid++)
		fake_add_parked(fake, goid, CALLER);
	fake->ranges[2] = (struct remote_range){FAKE_HEAP, fake->heap, hole};
	fake->ranges[4] = (struct remote_range){FAKE_HEAP + hole_end, fake->heap + hole_end,
						300 * fake->stride - hole_end};
	fake->n_ranges = 5;
	fake_open(fake);
	fixture_renew_census(f, &(struct census_options){.stacks = true});
	for (size_t i = 0; i < 300; i++) {
		size_t start = i * fake->stride, end = start + fake->runtime.window_size;

		missing += start < hole_end && end > hole;
	}
	cr_assert_gt(missing, 5u);
	for (int round = 0; round < 2; round++) {
		cr_assert_eq(fixture_run(f, 0), 0);
		cr_assert_eq(fixture_result(f)->unreadable, missing);
		cr_assert_eq(fixture_result(f)->alive, 300 - missing);
		cr_assert_eq(f->log->n_seen, round ? 0 : 300 - missing);
		cr_assert_eq(f->log->n_unchanged, round ? 300 - missing : 0);
	}
	fixture_free(f);
}

Test(census_hostile, a_length_beyond_the_array_is_no_go_runtime)
{
	struct fixture *f = fixture_new(26, 64, NULL);

	fake_length(f->fake, 1ULL << 40);
	cr_assert_eq(fixture_run(f, 0), -EPROTO);
	cr_assert(strstr(f->failure.text, "allgs") != NULL, "%s", f->failure.text);
	cr_assert(!census__running(f->census));
	fixture_free(f);
}

Test(census_hostile, the_maximum_holds_and_the_rest_is_counted)
{
	struct fixture *f =
		fixture_new(26, 64, &(struct census_options){.max_goroutines = 10, .stacks = true});

	for (uint64_t goid = 2; goid <= 30; goid++)
		fake_add_parked(f->fake, goid, CALLER);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(f->log->n_seen, 10u);
	cr_assert_eq(fixture_result(f)->refused, 20u);
	fake_length(f->fake, 1ULL << 40);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(fixture_result(f)->slots, (size_t)1 << 40);
	cr_assert_eq(fixture_result(f)->refused, ((size_t)1 << 40) - 10);
	cr_assert_eq(f->log->n_unchanged, 10u);
	fixture_free(f);
}

Test(census_hostile, frozen_looks_at_those_it_knows)
{
	struct fixture *f = fixture_new(26, 64, &(struct census_options){.stacks = true});

	for (uint64_t goid = 2; goid <= 10; goid++)
		fake_add_parked(f->fake, goid, CALLER);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(f->log->n_seen, 10u);
	census__freeze(f->census, true);
	for (uint64_t goid = 11; goid <= 30; goid++)
		fake_add_parked(f->fake, goid, CALLER);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_expect_eq(fixture_result(f)->alive, 10u);
	cr_expect_eq(fixture_result(f)->refused, 20u);
	census__freeze(f->census, false);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_expect_eq(fixture_result(f)->alive, 30u);
	cr_expect_eq(fixture_result(f)->refused, 0u);
	fixture_free(f);
}

Test(census_hostile, entries_that_are_no_g)
{
	struct fixture *f = fixture_new(26, 64, NULL);
	const uint64_t bad[] = {0, 7, FAKE_HEAP + 3, UINT64_MAX, 1ULL << 63, UINT64_MAX - 7};
	size_t i;

	for (uint64_t goid = 2; goid <= 30; goid++)
		fake_add_parked(f->fake, goid, CALLER);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		fake_entry(f->fake, 5 + i, bad[i]);
	fake_entry(f->fake, 20, 0x1000);		     /* not mapped */
	fake_entry(f->fake, 21, fake_g_address(f->fake, 2)); /* twice */
	for (int round = 0; round < 2; round++) {
		cr_assert_eq(fixture_run(f, 0), 0);
		cr_assert_eq(fixture_result(f)->unreadable, ARRAY_SIZE(bad) + 1);
		cr_assert_eq(fixture_result(f)->alive, 30 - ARRAY_SIZE(bad) - 2);
		cr_assert_eq(f->log->n_seen, round ? 0 : fixture_result(f)->alive);
	}
	fixture_free(f);
}

Test(census_hostile, g_structs_that_overlap)
{
	struct fixture *f = fixture_new(26, 2000, NULL);

	while (f->fake->n < 2000)
		fake_add(f->fake, f->fake->n + 1);
	for (size_t i = 1; i < 2000; i++)
		fake_entry(f->fake, i, FAKE_HEAP + 8 * i);
	memset(f->fake->heap + f->fake->stride, GO_STATUS_WAITING, 2000 * 8);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(fixture_result(f)->slots, 2000u);
	fixture_free(f);
}

Test(census_hostile, a_goroutine_without_id_is_none)
{
	struct fixture *f = fixture_new(26, 8, NULL);

	fake_add_parked(f->fake, 0, CALLER);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(fixture_result(f)->alive, 1u);
	cr_assert_eq(fixture_result(f)->unreadable, 1u);
	fixture_free(f);
}

static void expect_failure(struct fixture *f, int err)
{
	cr_assert_eq(fixture_run(f, 0), err);
	cr_assert(strstr(f->failure.text, err == -ESTALE ? "another program" : "overwritten"), "%s",
		  f->failure.text);
	cr_assert(!census__running(f->census));
	cr_assert_eq(fixture_result(f)->alive, 2u, "the last complete census stays");
}

static struct fixture *two_goroutines(void)
{
	struct fixture *f = fixture_new(26, 8, NULL);

	fake_add_parked(f->fake, 2, CALLER);
	cr_assert_eq(fixture_run(f, 0), 0);
	return f;
}

/* Whatever the memory holds then, which may be the same program again. */
Test(census_hostile, exec_replaces_the_memory)
{
	struct fixture *f = two_goroutines();

	remote__replace_image(f->fake->runtime.remote);
	expect_failure(f, -ESTALE);
	fake_global(f->fake, FAKE_ALLGPTR, 0x7f0000000000);
	expect_failure(f, -ESTALE);
	fixture_free(f);
}

/* The process may have overwritten it: that is no end of it. */
Test(census_hostile, globals_that_become_nonsense)
{
	struct fixture *f = two_goroutines();

	fake_length(f->fake, 1);
	expect_failure(f, -EPROTO);
	fake_length(f->fake, 2);
	fake_global(f->fake, FAKE_ALLGPTR, 0);
	expect_failure(f, -EPROTO);
	fake_add_parked(f->fake, 3, CALLER);
	fake_global(f->fake, FAKE_ALLGPTR, 0x7f0000000000);
	expect_failure(f, -EPROTO);
	fake_global(f->fake, FAKE_ALLGPTR, FAKE_ARRAY);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(fixture_result(f)->alive, 3u, "it is watched on when it has become sane");
	fixture_free(f);
}

/*
 * main may end with runtime.Goexit, and a library's runtime.main returns: its g is dead for a while,
 * and another goroutine's later.
 */
Test(census_hostile, the_first_goroutine_is_like_any_other)
{
	struct fixture *f = two_goroutines();

	fake_set_status(f->fake, 0, GO_STATUS_DEAD);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(fixture_result(f)->alive, 1u);
	fake_set_status(f->fake, 0, GO_STATUS_WAITING);
	fake_set64(f->fake, 0, f->fake->layout.g_goid, 77);
	fake_set64(f->fake, 0, f->fake->layout.g_startpc, FAKE_MAIN + 0x1000 + f->fake->bias);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(fixture_result(f)->alive, 2u);
	cr_assert_not_null(fixture_seen(f, 77));
	cr_assert_neq(fixture_seen(f, 77)->creation_pc, 0u);
	fixture_free(f);
}

/* After exec all goroutines are missing, and must not be taken for exited. */
Test(census_hostile, exec_during_a_census_spoils_it)
{
	struct fixture *f = two_goroutines();
	struct failure failure = {""};

	fake_add_parked(f->fake, 3, CALLER);
	f->log->n_seen = 0;
	cr_assert_eq(census__start(f->census, &failure), 0);
	cr_assert_eq(census__step(f->census, 1, &failure), 1);
	remote__replace_image(f->fake->runtime.remote);
	cr_expect_eq(census__step(f->census, 0, &failure), -ESRCH);
	cr_expect_not(census__running(f->census));
	cr_expect_eq(f->log->n_seen, 0u);
	fixture_free(f);
}

Test(census_hostile, a_layout_without_a_needed_field)
{
	struct fixture *f = fixture_new(26, 4, NULL);
	struct go_layout layout = f->fake->layout;
	struct census_runtime runtime = f->fake->runtime;

	runtime.layout = &layout;
	cr_assert_eq(census_runtime__set_window(&runtime, &f->failure), 0);
	layout.g_trackingSeq = GO_LAYOUT_ABSENT;
	cr_assert_eq(census_runtime__set_window(&runtime, &f->failure), -EPROTO);
	cr_assert(strstr(f->failure.text, "g_trackingSeq") != NULL);
	layout.g_trackingSeq = 5000;
	cr_assert_eq(census_runtime__set_window(&runtime, NULL), -EPROTO);
	layout.g_trackingSeq = 455;
	cr_assert_eq(census_runtime__set_window(&runtime, NULL), -EPROTO, "past the end of a g");
	fixture_free(f);
}

/* Memory ran out in the middle of a census: it ends with what is known by then, and says so. */
Test(census_hostile, frozen_under_way)
{
	struct fixture *f = fixture_new(26, 300, NULL);
	int more;

	for (uint64_t goid = 2; goid <= 100; goid++)
		fake_add_parked(f->fake, goid, CALLER);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(fixture_result(f)->alive, 100);
	for (uint64_t goid = 101; goid <= 300; goid++)
		fake_add_parked(f->fake, goid, CALLER);
	cr_assert_eq(census__start(f->census, &f->failure), 0);
	census__freeze(f->census, true);
	do
		more = census__step(f->census, 1, &f->failure);
	while (more == 1);
	cr_assert_eq(more, 0);
	cr_expect_eq(fixture_result(f)->alive, 100);
	cr_expect_eq(fixture_result(f)->refused, 200);
	census__freeze(f->census, false);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_expect_eq(fixture_result(f)->alive, 300);
	cr_expect_eq(fixture_result(f)->refused, 0);
	fixture_free(f);
}
