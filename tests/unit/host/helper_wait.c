// SPDX-License-Identifier: Apache-2.0
#include "host/helper_wait.h"

#include <criterion/criterion.h>

#define MS NSEC_PER_MSEC

static struct helper_wait waiting;
static struct helper_progress now;

static void begin(void)
{
	waiting = (struct helper_wait){.left_ns = 2000 * MS, .most_ns = 10000 * MS};
	now = (struct helper_progress){.state = 'S'};
}

TestSuite(helper_wait, .init = begin);

/* After how many looks it is given up, 1000 at most; between any two it has used and starved so much. */
static unsigned int looks(uint64_t passed_ms, uint64_t used_ms, uint64_t starved_ms)
{
	for (unsigned int n = 1; n < 1000; n++) {
		now.cpu_ns += used_ms * MS;
		now.starved_ns += starved_ms * MS;
		if (!helper_wait__step(&waiting, &now, passed_ms * MS))
			return n;
	}
	return 1000;
}

Test(helper_wait, who_waits_for_something_has_its_time)
{
	cr_expect_eq(looks(100, 0, 0), 20);
	begin();
	now.state = 'D';
	cr_expect_eq(looks(100, 0, 0), 20);
}

Test(helper_wait, who_works_all_the_time_has_no_more)
{
	now.state = 'R';
	cr_expect_eq(looks(100, 100, 0), 20);
}

Test(helper_wait, who_has_no_processor_has_all_there_is)
{
	now.state = 'R';
	cr_expect_eq(looks(100, 0, 0), 100);
}

Test(helper_wait, who_has_one_now_and_then_has_as_much_more)
{
	cr_expect_eq(looks(100, 5, 50), 40, "half of the time");
	begin();
	now.state = 'R';
	cr_expect_eq(looks(100, 50, 0), 40);
}

Test(helper_wait, who_looks_late_blames_nobody)
{
	cr_expect_eq(looks(300, 0, 0), 20);
	begin();
	cr_expect_eq(looks(1000, 0, 0), 10, "but not for ever");
}

Test(helper_wait, what_is_not_known_counts_against_it)
{
	now.state = 0;
	cr_expect_eq(looks(100, 0, 0), 20);
	begin();
	waiting.last = (struct helper_progress){.cpu_ns = 100 * MS, .starved_ns = 100 * MS};
	cr_expect_eq(looks(100, 0, 0), 20, "also where it was known before");
}
