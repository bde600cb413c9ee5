// SPDX-License-Identifier: Apache-2.0
/* Walking the slots of a census: handles and where their g structs are. */
#include <criterion/criterion.h>

#include "census_log.h"
#include "host/access.h"

#define CALLER (FAKE_MAIN + 0x500)

struct visits {
	uint32_t handles[8];
	uint64_t addresses[8];
	size_t n, stop_after;
};

static bool visit(void *ctx, uint32_t handle, uint64_t g_address)
{
	struct visits *visits = ctx;

	visits->handles[visits->n] = handle;
	visits->addresses[visits->n++] = g_address;
	return visits->n != visits->stop_after;
}

/* allgs has them in another order than their addresses are in. */
static struct fixture *three(void)
{
	struct fixture *f = fixture_new(26, 4, NULL);

	for (uint64_t goid = 42; goid < 45; goid++)
		fake_add_parked(f->fake, goid, CALLER);
	fake_entry(f->fake, 1, fake_g_address(f->fake, 3));
	fake_entry(f->fake, 3, fake_g_address(f->fake, 1));
	cr_assert_eq(fixture_run(f, 0), 0);
	return f;
}

Test(census_visit, all_in_order_of_address)
{
	struct fixture *f = three();
	struct visits visits = {0};

	census__slots(f->census, visit, &visits);
	cr_assert_eq(visits.n, 4);
	for (size_t i = 0; i < 4; i++) {
		cr_assert_eq(visits.addresses[i], fake_g_address(f->fake, i));
		cr_assert_eq(f->log->goid_of[visits.handles[i] - 1],
			     fake_get64(f->fake, i, f->fake->layout.g_goid));
	}
	fixture_free(f);
}

Test(census_visit, none_of_those_that_are_gone)
{
	struct fixture *f = three();
	struct visits visits = {0};

	fake_set_status(f->fake, 2, GO_STATUS_DEAD);
	cr_assert_eq(fixture_run(f, 0), 0);
	census__slots(f->census, visit, &visits);
	cr_assert_eq(visits.n, 3);
	for (size_t i = 0; i < visits.n; i++)
		cr_assert_neq(visits.addresses[i], fake_g_address(f->fake, 2));
	fixture_free(f);
}

Test(census_visit, stops_when_told)
{
	struct fixture *f = three();
	struct visits visits = {.stop_after = 2};

	census__slots(f->census, visit, &visits);
	cr_assert_eq(visits.n, 2);
	fixture_free(f);
}

static uint64_t never_twice_the_same(void)
{
	static uint64_t n;

	return ++n;
}

/* What is looked at where it was read to is gone as soon as anything else is read: here each time. */
Test(census_visit, what_is_gone_is_read_again)
{
	struct fixture *f = fixture_new(26, 64, NULL);
	struct access_ops asks = access_direct;

	asks.asked = never_twice_the_same;
	access__use(&asks);
	for (uint64_t goid = 42; goid < 82; goid++)
		fake_add_parked(f->fake, goid, CALLER);
	cr_assert_eq(fixture_run(f, 0), 0);
	cr_assert_eq(f->log->n_seen, 41);
	fake_ran(f->fake, 7);
	fake_ran(f->fake, 30);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(fixture_run(f, 0), 0);
		cr_expect_eq(fixture_result(f)->alive, 41);
		cr_expect_eq(f->log->n_seen, i ? 0 : 2);
		cr_expect_eq(f->log->n_unchanged, i ? 41 : 39);
		for (uint64_t goid = 42; i && goid < 82; goid++)
			cr_expect(fixture_unchanged(f, goid), "%llu", (unsigned long long)goid);
	}
	access__use(&access_direct);
	fixture_free(f);
}
