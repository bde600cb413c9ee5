// SPDX-License-Identifier: Apache-2.0
/* What is read of the scheduler, on made-up memory of the oldest and the newest family of layouts. */
#include "observe/scheduler.h"

#include <criterion/criterion.h>
#include <string.h>

#include "census_log.h"

#define P_STRIDE  FAKE_P_SIZE
#define M_OFFSET  4096u /* of the Ms, in the globals */
#define M_STRIDE  256u
#define HISTOGRAM 5120u /* of sched.timeToRun, likewise */

/* Index of the first count of 10.49 ms and more: 2^23 ns and a quarter of that. */
#define EDGE 65

static struct scheduler_look look;

static void set32(struct fixture *f, uint32_t offset, uint32_t value)
{
	memcpy(f->fake->globals + offset, &value, sizeof(value));
}

static void prepare(struct fixture *f)
{
	struct go_layout *layout = &f->fake->layout;

	layout->p_status = 4;
	layout->p_schedtick = 16;
	layout->p_sysmontick_schedtick = 24;
	layout->p_sysmontick_schedwhen = 32;
	layout->p_m = 56;
	layout->m_procid = 72;
	layout->m_curg = 184;
	layout->m_incgo = 200;
	layout->timeHistogram_counts = 0;
	layout->timeHistogram_sizeof = 162 * 8;
	layout->sched_timeToRun = HISTOGRAM - FAKE_SCHED;
	f->fake->runtime.allp = FAKE_GLOBALS + FAKE_ALLP;
	f->fake->runtime.sched = FAKE_GLOBALS + FAKE_SCHED;
	fixture_renew_census(f, &(struct census_options){.stacks = true});
}

/* P @p runs goroutine @index, with the monitor @behind turns behind. */
static void run_on(struct fixture *f, uint32_t p, size_t index, uint32_t behind, uint64_t when)
{
	uint32_t at = FAKE_P + p * P_STRIDE, m = M_OFFSET + p * M_STRIDE;

	fake_global(f->fake, FAKE_PS + p * 8, FAKE_GLOBALS + at);
	set32(f, at + 4, 1);
	set32(f, at + 16, 1009);
	set32(f, at + 24, 1009 - behind);
	fake_global(f->fake, at + 32, when);
	fake_global(f->fake, at + 56, FAKE_GLOBALS + m);
	fake_global(f->fake, m + 72, 4711 + p);
	fake_global(f->fake, m + 184, fake_g_address(f->fake, index));
	fake_set_status(f->fake, index, GO_STATUS_RUNNING);
}

static struct fixture *make(int minor, uint64_t n_ps)
{
	struct fixture *f = fixture_new(minor, 8, NULL);

	prepare(f);
	fake_global(f->fake, FAKE_ALLP, FAKE_GLOBALS + FAKE_PS);
	fake_global(f->fake, FAKE_ALLP + 8, n_ps);
	fake_global(f->fake, FAKE_ALLP + 16, n_ps);
	return f;
}

Test(scheduler, who_runs)
{
	struct fixture *f = make(26, 3);
	size_t a = fake_add(f->fake, 42), b = fake_add(f->fake, 43), c = fake_add(f->fake, 44);

	run_on(f, 0, a, 0, 777);
	run_on(f, 1, b, 1, 777); /* another turn than the one that the monitor knows */
	run_on(f, 2, c, 0, 777);
	fake_set_status(f->fake, c, GO_STATUS_SYSCALL);
	scheduler__look(f->census, true, &look);
	cr_assert(look.running_known);
	cr_expect_eq(look.n_ps, 3);
	cr_assert_eq(look.n_running, 2);
	cr_expect_eq(look.running[0].goid, 42);
	cr_expect_eq(look.running[0].since_ns, 777);
	cr_expect_eq(look.running[1].goid, 43);
	cr_expect_eq(look.running[1].since_ns, 0);
	fixture_free(f);
}

Test(scheduler, waits_of_more_than_10_ms)
{
	struct fixture *f = make(26, 0);

	fake_global(f->fake, HISTOGRAM + (EDGE - 1) * 8, 5); /* 8.39 ms and more */
	fake_global(f->fake, HISTOGRAM + EDGE * 8, 1009);
	fake_global(f->fake, HISTOGRAM + 159 * 8, 13);
	fake_global(f->fake, HISTOGRAM + 160 * 8, 7);  /* of times below zero */
	fake_global(f->fake, HISTOGRAM + 161 * 8, 17); /* past its end */
	scheduler__look(f->census, true, &look);
	cr_expect(look.latencies_known);
	cr_expect_eq(look.over_10ms, 1009 + 13 + 17);
	cr_expect(!look.running_known);
	fixture_free(f);
}

Test(scheduler, what_is_not_there_is_not_known)
{
	struct fixture *f = make(26, UINT64_MAX);

	f->fake->layout.timeHistogram_sizeof = 100;
	scheduler__look(f->census, true, &look);
	cr_expect(!look.latencies_known);
	scheduler__look(f->census, false, &look);
	cr_expect(!look.running_known);
	fake_global(f->fake, FAKE_ALLP, 0x10);
	scheduler__look(f->census, true, &look);
	cr_expect(!look.running_known);
	cr_expect_eq(look.n_running, 0);
	f->fake->layout.p_m = GO_LAYOUT_ABSENT;
	scheduler__look(f->census, true, &look);
	cr_expect(!look.running_known);
	fixture_free(f);
}

Test(scheduler, the_thread_of_an_m)
{
	struct fixture *f = make(26, 1);
	uint64_t tid = 0;
	bool in_c = true;

	run_on(f, 0, fake_add(f->fake, 42), 0, 0);
	cr_assert_eq(scheduler__thread(f->census, FAKE_GLOBALS + M_OFFSET, &tid, &in_c), 0);
	cr_expect_eq(tid, 4711);
	cr_expect(!in_c);
	fake_global(f->fake, M_OFFSET + 200, 1);
	cr_assert_eq(scheduler__thread(f->census, FAKE_GLOBALS + M_OFFSET, &tid, &in_c), 0);
	cr_expect(in_c);
	cr_expect_neq(scheduler__thread(f->census, 0, &tid, &in_c), 0);
	cr_expect_neq(scheduler__thread(f->census, 0x10, &tid, &in_c), 0);
	fixture_free(f);
}
