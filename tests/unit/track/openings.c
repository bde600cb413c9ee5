// SPDX-License-Identifier: Apache-2.0
#include "track/openings.h"

#include <criterion/criterion.h>

#define FILES	 (1u << OPEN_FINALIZER)
#define CONTEXTS (1u << OPEN_CONTEXT)
#define ADDRESS	 0xc000012340

static struct openings *openings;

static void setup(void)
{
	cr_assert_eq(openings__new(&openings), 0);
}

static void teardown(void)
{
	openings__free(openings);
}

static void note(enum open_function function, uint64_t object, uint32_t opener)
{
	cr_assert_eq(openings__note(openings, function, object, opener), 0);
}

TestSuite(openings, .init = setup, .fini = teardown);

Test(openings, the_last_one_is_found)
{
	cr_expect(openings__is_empty(openings));
	note(OPEN_FINALIZER, ADDRESS, 3);
	note(OPEN_FINALIZER, ADDRESS, 5);
	note(OPEN_FINALIZER, ADDRESS + 8, 7);
	cr_expect_eq(openings__find(openings, FILES, ADDRESS), 5);
	cr_expect_eq(openings__find(openings, FILES, ADDRESS + 8), 7);
	cr_expect_eq(openings__find(openings, FILES, ADDRESS + 16), 0);
	cr_expect_not(openings__is_empty(openings));
}

Test(openings, what_one_function_has_told_is_not_for_others)
{
	note(OPEN_FINALIZER, ADDRESS, 3);
	cr_expect_eq(openings__find(openings, CONTEXTS, ADDRESS), 0);
	note(OPEN_CONTEXT, ADDRESS, 5);
	cr_expect_eq(openings__find(openings, FILES, ADDRESS), 3);
	cr_expect_eq(openings__find(openings, CONTEXTS, ADDRESS), 5);
	cr_expect_eq(openings__find(openings, FILES | CONTEXTS, ADDRESS), 5);
	cr_expect_eq(openings__find(openings, 0, ADDRESS), 0);
}

Test(openings, an_address_is_forgotten_at_the_second_look)
{
	note(OPEN_FINALIZER, ADDRESS, 3);
	openings__next(openings);
	cr_expect_eq(openings__find(openings, FILES, ADDRESS), 3);
	note(OPEN_FINALIZER, ADDRESS + 8, 5);
	openings__next(openings);
	cr_expect_eq(openings__find(openings, FILES, ADDRESS), 0);
	cr_expect_eq(openings__find(openings, FILES, ADDRESS + 8), 5);
	openings__next(openings);
	cr_expect(openings__is_empty(openings));
}

Test(openings, more_than_fit_are_counted)
{
	for (uint64_t i = 0; i < OPENINGS_MAX + 13; i++)
		note(OPEN_CONTEXT, ADDRESS + 64 * i, 3);
	cr_expect_eq(openings__refused(openings), 13);
	cr_expect_eq(openings__find(openings, CONTEXTS, ADDRESS), 3);
	/* One that is known takes no more room. */
	note(OPEN_CONTEXT, ADDRESS, 5);
	cr_expect_eq(openings__find(openings, CONTEXTS, ADDRESS), 5);
	cr_expect_eq(openings__refused(openings), 13);
}

/* But for what no call opens one by one. */
static bool is_opened(enum resource_kind kind)
{
	return kind != RESOURCE_POOL && kind != RESOURCE_SEMAPHORE && kind != RESOURCE_DEFER &&
	       kind != RESOURCE_REQUEST;
}

Test(openings, each_kind_that_is_opened_is_known_by_something)
{
	for (enum resource_kind kind = 0; kind < RESOURCE_KINDS; kind++) {
		unsigned int ways = openings__of_itself(kind) | openings__of_what_it_leads_to(kind);

		cr_expect_eq(ways != 0, is_opened(kind), "%s", resource_kind__name(kind));
	}
	cr_expect_eq(openings__of_itself(RESOURCE_KINDS), 0);
	cr_expect_eq(openings__of_what_it_leads_to(RESOURCE_KINDS), 0);
}

Test(openings, timers_are_known_by_the_object_around_them)
{
	cr_expect_eq(open_function__object(OPEN_TIMER, ADDRESS, 22), ADDRESS - 8);
	cr_expect_eq(open_function__object(OPEN_TIMER, ADDRESS, 23), ADDRESS - 16);
	cr_expect_eq(open_function__object(OPEN_CONTEXT, ADDRESS, 23), ADDRESS);
}
