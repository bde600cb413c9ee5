// SPDX-License-Identifier: Apache-2.0
#include "discover/look_shares.h"

#include <criterion/criterion.h>

#define BUSY  1000
#define QUIET 1001
#define COST  (10 * NSEC_PER_MSEC)

static struct look_shares shares;
static uint64_t now;

static void begin(void)
{
	/* Of one processor a hundredth: what takes 10 ms is paid after a second. */
	look_shares__limit(&shares, 0.01);
	now = 1000 * NSEC_PER_SEC;
}

TestSuite(look_shares, .init = begin);

static bool may(uid_t owner)
{
	return look_shares__turn(&shares, owner, now) <= now;
}

Test(look_shares, who_has_paid_may_again)
{
	cr_expect(may(BUSY));
	look_shares__pay(&shares, BUSY, COST, now);
	cr_expect_not(may(BUSY));
	now += NSEC_PER_SEC - 1;
	cr_expect_not(may(BUSY));
	now++;
	cr_expect(may(BUSY));
}

Test(look_shares, nobody_waits_for_somebody_elses_processes)
{
	look_shares__pay(&shares, BUSY, 1000 * COST, now);
	cr_expect(may(QUIET));
	cr_expect(may(0), "nor the host's own");
	look_shares__pay(&shares, 0, 1000 * COST, now);
	cr_expect(may(0));
}

Test(look_shares, of_many_each_gets_a_turn_of_its_own)
{
	uint64_t last;

	look_shares__pay(&shares, BUSY, COST, now);
	last = look_shares__turn(&shares, BUSY, now);
	cr_expect_eq(last, now + NSEC_PER_SEC);
	for (int i = 0; i < 50; i++) {
		uint64_t turn = look_shares__turn(&shares, BUSY, now);

		cr_expect_eq(turn, last + NSEC_PER_SEC);
		last = turn;
	}
	for (int i = 0; i < 1000; i++)
		last = look_shares__turn(&shares, BUSY, now);
	cr_expect_eq(last, now + LOOK_SHARES_WAIT_NS, "nor for longer than that");
}

Test(look_shares, one_large_executable_is_not_all_paid)
{
	look_shares__pay(&shares, BUSY, 10 * NSEC_PER_SEC, now);
	now += 10 * NSEC_PER_SEC;
	cr_expect(may(BUSY));
}

Test(look_shares, without_a_limit_nobody_waits)
{
	look_shares__limit(&shares, 0);
	look_shares__pay(&shares, BUSY, 1000 * COST, now);
	cr_expect(may(BUSY));
	cr_expect_eq(shares.n, 0);
}

Test(look_shares, more_users_than_there_is_room_for)
{
	look_shares__pay(&shares, BUSY, 5 * COST, now);
	for (uid_t user = 2000; user < 2000 + 2 * LOOK_SHARES_MAX; user++)
		look_shares__pay(&shares, user, COST, now);
	cr_expect_eq(shares.n, (size_t)LOOK_SHARES_MAX);
	cr_expect_not(may(BUSY), "who has to wait longest is not forgotten");
}

Test(look_shares, who_has_held_up_others_waits_without_a_limit_too)
{
	struct look_shares none = {0};

	cr_expect_eq(look_shares__turn(&none, BUSY, now), now);
	cr_expect_not(look_shares__any(&none));
	look_shares__hold(&none, 0, now + NSEC_PER_SEC);
	cr_expect_not(look_shares__any(&none), "the host's own");
	look_shares__hold(&none, BUSY, now + NSEC_PER_SEC);
	cr_expect(look_shares__any(&none));
	cr_expect_eq(look_shares__turn(&none, BUSY, now), now + NSEC_PER_SEC);
	cr_expect_eq(look_shares__turn(&none, QUIET, now), now);
	now += NSEC_PER_SEC;
	cr_expect_eq(look_shares__turn(&none, BUSY, now), now);
}
