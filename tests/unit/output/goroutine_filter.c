// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "output/goroutine_filter.h"

static const struct report_frame stack[] = {
	{.function = "time.Sleep", .file = "/usr/local/go/src/runtime/time.go", .line = 363},
	{.function = "example.org/shop/cart.(*Store).Load",
	 .file = "/home/build/shop/cart/store.go",
	 .line = 42},
};
static const struct report_place loading = {
	.site = "0123abcd",
	.created_by = {.function = "main.serve", .file = "/home/build/shop/main.go", .line = 9},
	.start_function = "main.fetch",
	.stack = stack,
	.n_stack = ARRAY_SIZE(stack),
};
static const struct report_place elsewhere = {
	.site = "4567cdef",
	.created_by = {.function = "", .file = ""},
	.start_function = "main.main",
};

static const struct report_labels labels = {2, false, {{"path", "/cart/7"}, {"tenant", "blue"}}};

static struct report_goroutine sleeper(void)
{
	return (struct report_goroutine){
		.goid = 17,
		.state = "sleep",
		.parked = true,
		.waiting_ns = 90 * NSEC_PER_SEC,
		.labels = &labels,
		.place = &loading,
	};
}

static bool wants(struct goroutine_wanted wanted, struct report_goroutine goroutine)
{
	struct goroutine_filter *filter;
	struct failure failure = {"no words"};
	bool answer;

	cr_assert_eq(goroutine_filter__new(&wanted, &filter, &failure), 0, "%s", failure.text);
	answer = goroutine_filter__wants(filter, &goroutine);
	/* What was found out of a place is kept, and stays true. */
	cr_expect_eq(goroutine_filter__wants(filter, &goroutine), answer);
	goroutine_filter__free(filter);
	return answer;
}

static bool in_state(unsigned int states, const char *state, bool parked)
{
	struct report_goroutine goroutine = sleeper();

	goroutine.state = state;
	goroutine.parked = parked;
	return wants((struct goroutine_wanted){.states = states}, goroutine);
}

Test(goroutine_filter, without_conditions_all_are_wanted)
{
	cr_expect(wants((struct goroutine_wanted){0}, sleeper()));
}

Test(goroutine_filter, states)
{
	const unsigned int waiting = 1 << GOROUTINE_WAITING, running = 1 << GOROUTINE_RUNNING;
	const unsigned int runnable = 1 << GOROUTINE_RUNNABLE, syscall = 1 << GOROUTINE_SYSCALL;

	cr_expect(in_state(waiting, "chan receive", true));
	cr_expect(in_state(waiting | syscall, "chan receive", true));
	cr_expect_not(in_state(running | runnable | syscall, "chan receive", true));
	cr_expect(in_state(running, "running", false));
	cr_expect(in_state(runnable, "runnable", false));
	cr_expect(in_state(runnable, "preempted", false));
	cr_expect(in_state(syscall, "syscall", false));
	cr_expect_not(in_state(waiting, "syscall", false));
}

Test(goroutine_filter, reasons_in_part_or_by_pattern)
{
	cr_expect(wants((struct goroutine_wanted){.reason = "sl"}, sleeper()));
	cr_expect(wants((struct goroutine_wanted){.reason = "s*p"}, sleeper()));
	cr_expect_not(wants((struct goroutine_wanted){.reason = "chan"}, sleeper()));
	cr_expect_not(wants((struct goroutine_wanted){.reason = "l*p"}, sleeper()));
}

Test(goroutine_filter, functions_of_stack_and_creation)
{
	struct report_goroutine other = sleeper();

	other.place = &elsewhere;
	cr_expect(wants((struct goroutine_wanted){.func = "Store"}, sleeper()));
	cr_expect(wants((struct goroutine_wanted){.func = "main.serve"}, sleeper()));
	cr_expect(wants((struct goroutine_wanted){.func = "main.fe*"}, sleeper()));
	cr_expect(wants((struct goroutine_wanted){.func = "store.go:42"}, sleeper()));
	cr_expect(wants((struct goroutine_wanted){.func = "0123abcd"}, sleeper()));
	cr_expect_not(wants((struct goroutine_wanted){.func = "Store"}, other));
	cr_expect(wants((struct goroutine_wanted){.func = "main.main"}, other));
}

Test(goroutine_filter, places_are_told_apart)
{
	struct goroutine_wanted wanted = {.func = "Store"};
	struct report_goroutine here = sleeper(), there = sleeper();
	struct goroutine_filter *filter;

	there.place = &elsewhere;
	cr_assert_eq(goroutine_filter__new(&wanted, &filter, NULL), 0);
	for (int i = 0; i < 3; i++) {
		cr_expect(goroutine_filter__wants(filter, &here));
		cr_expect_not(goroutine_filter__wants(filter, &there));
	}
	goroutine_filter__free(filter);
}

Test(goroutine_filter, how_long_they_wait)
{
	cr_expect(wants((struct goroutine_wanted){.min_age_ns = 90 * NSEC_PER_SEC}, sleeper()));
	cr_expect_not(
		wants((struct goroutine_wanted){.min_age_ns = 90 * NSEC_PER_SEC + 1}, sleeper()));
}

static bool labelled(const char *first, const char *second)
{
	const char *const texts[] = {first, second};

	return wants((struct goroutine_wanted){.labels = texts, .n_labels = second ? 2 : 1},
		     sleeper());
}

Test(goroutine_filter, labels)
{
	struct report_goroutine none = sleeper();
	const char *const tenant[] = {"tenant"};

	cr_expect(labelled("tenant", NULL));
	cr_expect(labelled("tenant=blue", NULL));
	cr_expect(labelled("path=/cart/*", "tenant=b*"));
	cr_expect_not(labelled("path=/cart/*", "tenant=red"));
	cr_expect_not(labelled("tenant=", NULL));
	cr_expect_not(labelled("tenan", NULL));
	cr_expect_not(labelled("tenants", NULL));
	none.labels = NULL;
	cr_expect_not(wants((struct goroutine_wanted){.labels = tenant, .n_labels = 1}, none));
}

static bool numbered(const char *first, const char *second)
{
	const char *const texts[] = {first, second};

	return wants((struct goroutine_wanted){.goids = texts, .n_goids = second ? 2 : 1},
		     sleeper());
}

Test(goroutine_filter, numbers)
{
	cr_expect(numbered("17", NULL));
	cr_expect(numbered("1", "17"));
	cr_expect(numbered("11-17", NULL));
	cr_expect(numbered("17-18446744073709551615", NULL));
	cr_expect_not(numbered("18-20", "1-16"));
}

static const char *fault(struct goroutine_wanted wanted)
{
	static struct failure failure;
	struct goroutine_filter *filter = NULL;

	cr_assert_eq(goroutine_filter__new(&wanted, &filter, &failure), -EINVAL);
	return failure.text;
}

Test(goroutine_filter, what_makes_no_sense_is_told_with_the_option)
{
	static const char *const bad_goids[] = {"",    "x",   "-3", "3-", "3-x",
						"7-3", "3 4", "0x", " 3", "18446744073709551616"};
	const char *const no_key[] = {"=blue"}, *const stars[] = {"k=*1*2*3*4*5*6*7*8*9"};

	for (size_t i = 0; i < ARRAY_SIZE(bad_goids); i++)
		cr_expect_eq(strncmp(fault((struct goroutine_wanted){.goids = &bad_goids[i],
								     .n_goids = 1}),
				     "--goid: ", 8),
			     0, "%s", bad_goids[i]);
	cr_expect(strstr(fault((struct goroutine_wanted){.labels = no_key, .n_labels = 1}),
			 "--label"));
	cr_expect(strstr(fault((struct goroutine_wanted){.labels = stars, .n_labels = 1}),
			 "--label"));
	cr_expect(strstr(fault((struct goroutine_wanted){.reason = stars[0]}), "--reason"));
	cr_expect(strstr(fault((struct goroutine_wanted){.func = stars[0]}), "--func"));
}
