// SPDX-License-Identifier: Apache-2.0
/* The semaphore table of a program without symbols: found when it proves itself, else not. */
#include "golang/semtable.h"

#include <criterion/criterion.h>

#include "fake_go.h"

static struct fake_go fake;

#define SUDOG(i)   (FAKE_HEAP + 0x15000 + (i)*0x100ULL)
#define SEMAPHORES (FAKE_HEAP + 0x17000)

TestSuite(semtable);

static void make(const char *version, bool arm64, bool symbols, uint64_t bias)
{
	fake_go__make(&fake, &(struct fake_options){.version = version,
						    .arm64 = arm64,
						    .symbols = symbols,
						    .bias = bias});
}

static size_t stride(void)
{
	return fake.options.arm64 && fake.layout->minor >= 20 ? 128 : 64;
}

static uint64_t root_of(uint64_t table, uint64_t semaphore)
{
	return table + semaphore / 8 % 251 * stride();
}

/* Worker @i is first, and the only one, to wait on @semaphore. */
static void wait_in(uint64_t table, uint64_t i, uint64_t semaphore)
{
	fake_go__set(&fake, SUDOG(i) + fake.layout->sudog_g, FAKE_G(i));
	fake_go__set(&fake, SUDOG(i) + fake.layout->sudog_elem, semaphore);
	fake_go__set(&fake, root_of(table, semaphore) + 8, SUDOG(i));
	fake_go__set(&fake, root_of(table, semaphore) + 16, 1);
}

/* As the process has it in its memory now. */
static uint64_t shown(void)
{
	struct remote *remote;
	uint64_t table;

	cr_assert_eq(remote__open_image(fake.ranges, ARRAY_SIZE(fake.ranges), &remote), 0);
	table = go_binary__find_semtable(fake.binary, remote, fake.options.bias);
	remote__free(remote);
	return table;
}

static void found(uint64_t address)
{
	uint64_t got;

	cr_assert_eq(fake_go__bind(&fake), 0, "%s", fake.failure.text);
	got = shown();
	cr_assert_eq(got, address, "0x%llx", (unsigned long long)got);
	fake_go__release(&fake);
}

static void three_wait(void)
{
	for (uint64_t i = 1; i <= 3; i++)
		wait_in(FAKE_SEMTABLE, i, SEMAPHORES + 8 * i + 4);
}

Test(semtable, by_its_symbol)
{
	make("go1.26.8", false, true, 0);
	cr_assert_eq(fake_go__bind(&fake), 0, "%s", fake.failure.text);
	cr_expect_eq(go_binary__globals(fake.binary)->semtable, FAKE_SEMTABLE);
	found(FAKE_SEMTABLE);
}

Test(semtable, from_code_of_every_version)
{
	static const char *const versions[] = {"go1.18.10", "go1.19.13", "go1.20.14",
					       "go1.25.7",  "go1.26.8",	 "go1.27.1"};

	for (size_t i = 0; i < 4 * ARRAY_SIZE(versions); i++) {
		make(versions[i / 4], i % 2, false, i & 2 ? 0x555555554000 - FAKE_BASE : 0);
		three_wait();
		found(FAKE_SEMTABLE);
	}
}

/* An empty table proves nothing; later somebody waits, and of another process of the file that says nothing. */
Test(semtable, only_while_somebody_waits_in_that_very_process)
{
	make("go1.26.8", false, false, 0);
	three_wait();
	cr_assert_eq(fake_go__bind(&fake), 0, "%s", fake.failure.text);
	cr_expect_eq(shown(), FAKE_SEMTABLE);
	cr_expect_eq(go_binary__globals(fake.binary)->semtable, 0, "it is kept for nobody else");
	for (uint64_t i = 1; i <= 3; i++) {
		fake_go__set(&fake, root_of(FAKE_SEMTABLE, SEMAPHORES + 8 * i + 4) + 8, 0);
		fake_go__set(&fake, root_of(FAKE_SEMTABLE, SEMAPHORES + 8 * i + 4) + 16, 0);
	}
	cr_expect_eq(shown(), 0);
	three_wait();
	cr_expect_eq(shown(), FAKE_SEMTABLE);
	fake_go__release(&fake);
}

/* One thing is wrong with the second of three. */
static void refuses(uint64_t address, uint64_t value)
{
	make("go1.26.8", false, false, 0);
	three_wait();
	fake_go__set(&fake, address, value);
	found(0);
}

Test(semtable, everybody_in_it_must_fit)
{
	const struct go_layout *l = go_layout__find(26);
	uint64_t root;

	make("go1.26.8", false, false, 0);
	root = root_of(FAKE_SEMTABLE, SEMAPHORES + 16 + 4);
	refuses(SUDOG(2) + l->sudog_elem, SEMAPHORES + 24); /* another bucket's */
	refuses(SUDOG(2) + l->sudog_elem, 0);
	refuses(SUDOG(2) + l->sudog_elem, SEMAPHORES + 16 + 1); /* no uint32 */
	refuses(SUDOG(2) + l->sudog_c, FAKE_HEAP);		/* waits on a channel */
	refuses(SUDOG(2) + l->sudog_g, 0);
	refuses(SUDOG(2) + l->sudog_g, SUDOG(1));
	refuses(SUDOG(2) + l->sudog_g, 0x1000);
	refuses(FAKE_G(2) + l->g_atomicstatus, GO_STATUS_RUNNABLE);
	refuses(FAKE_G(2) + l->g_atomicstatus, GO_STATUS_DEAD);
	refuses(root + 8, 0x1000);
	refuses(root + 8, SUDOG(2) + 1);
	refuses(root + 16, 0); /* has a waiter and counts none */
	refuses(FAKE_SEMTABLE + 16, UINT32_MAX);
}

/* Who is about to queue up is counted before he is there. */
Test(semtable, waiter_that_is_on_its_way)
{
	make("go1.26.8", false, false, 0);
	three_wait();
	fake_go__set(&fake, FAKE_SEMTABLE + 100 * 64 + 16, 1);
	found(FAKE_SEMTABLE);
}

Test(semtable, table_that_bss_has_no_room_for)
{
	make("go1.26.8", false, false, 0);
	three_wait();
	fake_go__set(&fake, FAKE_MODULEDATA + fake.layout->moduledata_ebss,
		     FAKE_SEMTABLE + SEMTABLE_BUCKETS * 64 - 8);
	found(0);
	fake_go__set(&fake, FAKE_MODULEDATA + fake.layout->moduledata_ebss,
		     FAKE_SEMTABLE + SEMTABLE_BUCKETS * 64);
	found(FAKE_SEMTABLE);
}
