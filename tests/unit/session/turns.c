// SPDX-License-Identifier: Apache-2.0
#include "session/turns.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define MAX_THINGS 8
#define SECOND	   NSEC_PER_SEC
#define BUDGET	   (10 * NSEC_PER_MSEC)

struct target {
	bool due, waits;
	int start_error, step_error;
	bool done_at_once;
	unsigned int steps_left; /* once it has begun */
	bool under_way;
	unsigned int asked, started, stepped, ended;
	int error; /* that it ended with */
	uint64_t cpu_ns;
};

static struct target things[MAX_THINGS];
static size_t n_things;
static uint64_t now_ns;
static struct turns turns;

static bool is_due(void *ctx, struct target *thing, uint64_t now)
{
	(void)ctx;
	cr_expect_eq(now, now_ns);
	thing->asked++;
	return thing->due;
}

static int start(void *ctx, struct target *thing)
{
	(void)ctx;
	thing->started++;
	thing->under_way = !thing->start_error && !thing->done_at_once;
	return thing->start_error;
}

static bool is_under_way(const struct target *thing)
{
	return thing->under_way;
}

static bool may_go_on(const struct target *thing)
{
	return !thing->waits;
}

static int step(void *ctx, struct target *thing, uint64_t budget_ns)
{
	(void)ctx;
	cr_expect_eq(budget_ns, BUDGET);
	cr_expect(thing->under_way);
	thing->stepped++;
	if (thing->steps_left && --thing->steps_left)
		return 1;
	thing->under_way = false;
	return thing->step_error;
}

static uint64_t ended(void *ctx, struct target *thing, int err, uint64_t now)
{
	(void)ctx;
	cr_expect_eq(now, now_ns);
	thing->ended++;
	thing->error = err;
	return thing->cpu_ns;
}

static const struct turns_ops ops = {
	.is_due = is_due,
	.start = start,
	.is_under_way = is_under_way,
	.may_go_on = may_go_on,
	.step = step,
	.ended = ended,
};

static bool go(void)
{
	struct target *all[MAX_THINGS];

	for (size_t i = 0; i < n_things; i++)
		all[i] = &things[i];
	return turns__step(&turns, &ops, NULL, (struct turns_targets){all, n_things}, BUDGET,
			   now_ns);
}

static void set_up(void)
{
	memset(things, 0, sizeof(things));
	n_things = 3;
	now_ns = 100 * SECOND;
	turns = (struct turns){.share = 0.5, .ask_again_ns = SECOND / 4};
	for (size_t i = 0; i < n_things; i++)
		things[i] = (struct target){.steps_left = 2};
}

TestSuite(turns, .init = set_up);

Test(turns, nothing_is_due)
{
	cr_expect_not(go());
	cr_expect_not(go());
	cr_expect_eq(things[2].asked, 1, "not again at once");
	now_ns += SECOND / 4;
	cr_expect_not(go());
	cr_expect_eq(things[2].asked, 2);
	n_things = 0;
	now_ns += SECOND;
	cr_expect_not(go(), "there is nothing at all");
}

Test(turns, one_at_a_time_to_its_end)
{
	things[1].due = things[2].due = true;
	cr_expect(go());
	cr_expect_eq(things[1].started, 1);
	cr_expect(go(), "there is more of it");
	cr_expect_eq(things[1].stepped, 1);
	cr_expect_not(go());
	cr_expect_eq(things[1].stepped, 2);
	cr_expect_eq(things[1].ended, 1);
	cr_expect_eq(things[1].error, 0);
	cr_expect_eq(things[2].started, 0);
}

Test(turns, each_in_its_turn)
{
	for (size_t i = 0; i < n_things; i++)
		things[i].due = true;
	for (unsigned int round = 1; round <= 3; round++) {
		for (size_t i = 0; i < n_things; i++) {
			cr_expect(go());
			cr_expect_eq(things[i].started, round, "%zu in round %u", i, round);
			while (go())
				;
			now_ns += SECOND;
		}
	}
}

Test(turns, all_of_it_takes_a_share_of_a_processor)
{
	things[0].due = things[1].due = true;
	things[0].cpu_ns = 3 * SECOND;
	while (go())
		;
	cr_expect_eq(things[0].ended, 1);
	now_ns += 6 * SECOND - 1;
	cr_expect_not(go(), "three seconds of six");
	cr_expect_eq(things[1].started, 0);
	now_ns++;
	cr_expect(go());
	cr_expect_eq(things[1].started, 1);
}

Test(turns, what_cannot_begin_lets_the_next_begin)
{
	things[0].due = things[1].due = true;
	things[0].start_error = -EPERM;
	cr_expect(go());
	cr_expect_eq(things[0].error, -EPERM);
	cr_expect(go());
	cr_expect_eq(things[1].started, 1);
	cr_expect_eq(things[0].started, 1);
}

Test(turns, what_is_done_at_once_is_over)
{
	things[0].due = things[0].done_at_once = true;
	cr_expect_not(go(), "it may be due again");
	cr_expect_eq(things[0].ended, 1);
	cr_expect_eq(things[0].stepped, 0);
}

Test(turns, what_fails_in_between_is_over)
{
	things[0].due = true;
	things[0].steps_left = 0;
	things[0].step_error = -ESRCH;
	cr_expect(go());
	cr_expect_not(go());
	cr_expect_eq(things[0].error, -ESRCH);
	cr_expect_eq(things[0].ended, 1);
}

Test(turns, what_waits_keeps_its_turn)
{
	things[0].due = things[1].due = true;
	cr_expect(go());
	things[0].waits = true;
	for (int i = 0; i < 5; i++)
		cr_expect_not(go());
	cr_expect_eq(things[0].stepped, 0);
	cr_expect_eq(things[1].started, 0, "the other waits for its turn");
	things[0].waits = false;
	cr_expect(go());
	cr_expect_eq(things[0].stepped, 1);
}

Test(turns, what_has_gone_is_not_touched)
{
	things[2].due = true;
	cr_expect(go());
	n_things = 2;
	cr_expect_not(go());
	cr_expect_eq(things[2].stepped, 0);
	cr_expect_eq(things[2].ended, 0);
	/* Another one is where it was, which has not begun. */
	things[2].under_way = false;
	n_things = 3;
	cr_expect(go());
	cr_expect_eq(things[2].started, 2, "it begins like any other");
}

Test(turns, another_in_its_place_is_not_gone_on_with)
{
	things[2].due = true;
	cr_expect(go());
	things[2].under_way = things[2].due = false;
	cr_expect_not(go());
	cr_expect_eq(things[2].stepped, 0);
	cr_expect_eq(things[2].ended, 0);
	things[1].due = true;
	cr_expect(go());
	cr_expect_eq(things[1].started, 1);
}

Test(turns, nothing_begins_before_it_may)
{
	things[0].due = true;
	things[0].steps_left = 2;
	turns.not_before_ns = now_ns + 1;
	cr_expect_not(go());
	cr_expect_eq(things[0].started, 0);
	turns.not_before_ns = now_ns;
	cr_expect(go());
	/* What is under way goes on. */
	turns.not_before_ns = now_ns + 1;
	cr_expect(go());
	cr_expect_eq(things[0].stepped, 1);
}
