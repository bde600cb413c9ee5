// SPDX-License-Identifier: Apache-2.0
/* The census's parts on their own: sorted slots, planning of reads, ids issued. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "fake_runtime.h"
#include "observe/census_gather.h"
#include "observe/census_slots.h"

TestSuite(census_slots);
TestSuite(census_gather);
TestSuite(census_goids);

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Every address carries a fingerprint and a handle that can be told from it. */
static void mark(struct census_slots *slots)
{
	for (size_t i = 0; i < slots->n; i++) {
		slots->fingerprints[i] = hash__mix64(slots->addresses[i]);
		slots->handles[i] = (uint32_t)slots->fingerprints[i];
	}
}

Test(census_slots, stay_sorted_and_keep_their_marks)
{
	enum { ROUNDS = 20, EACH = 1000 };
	struct census_slots slots = {0};
	static uint64_t all[ROUNDS * EACH], fresh[EACH], scratch[EACH];
	size_t n = 0, distinct = 0;

	for (uint64_t round = 0; round < ROUNDS; round++) {
		size_t old = slots.n, unmarked = 0;

		for (uint64_t i = 0; i < EACH; i++) {
			/* Few bits: many doubles, within a round and with earlier ones. */
			fresh[i] = hash__mix64(round * EACH + i) & 0xfff8;
			fresh[i] += 0xc000000000;
			all[n++] = fresh[i];
		}
		cr_assert_eq(census_slots__add(&slots, fresh, EACH, scratch), 0);
		for (size_t i = 0; i < slots.n; i++) {
			cr_assert(!i || slots.addresses[i - 1] < slots.addresses[i]);
			if (!slots.fingerprints[i]) {
				cr_assert_eq(slots.handles[i], 0u);
				unmarked++;
				continue;
			}
			cr_assert_eq(slots.fingerprints[i], hash__mix64(slots.addresses[i]));
			cr_assert_eq(slots.handles[i], (uint32_t)slots.fingerprints[i]);
		}
		cr_assert_eq(unmarked, slots.n - old);
		mark(&slots);
	}
	qsort(all, n, sizeof(all[0]), compare);
	for (size_t i = 0; i < n; i++) {
		if (i && all[i] == all[i - 1])
			continue;
		cr_assert_eq(slots.addresses[distinct], all[i]);
		distinct++;
	}
	cr_assert_eq(slots.n, distinct);
	census_slots__free(&slots);
	cr_assert_eq(slots.n, 0u);
}

Test(census_slots, nothing_to_add)
{
	struct census_slots slots = {0};
	uint64_t one = 64, scratch;

	cr_assert_eq(census_slots__add(&slots, &one, 0, &scratch), 0);
	cr_assert_eq(slots.n, 0u);
	cr_assert_eq(census_slots__add(&slots, &one, 1, &scratch), 0);
	cr_assert_eq(census_slots__add(&slots, &one, 1, &scratch), 0);
	cr_assert_eq(slots.n, 1u);
	census_slots__free(&slots);
	census_slots__free(&slots);
}

static struct census_gather gather;
static uint8_t buffer[64 << 10];

Test(census_gather, neighbours_share_a_range)
{
	const struct census_window window = {16, 100};
	const uint64_t addresses[] = {0x1000, 0x1200, 0x1000 + GATHER_GAP + 0x200,
				      0x1000 + 2 * GATHER_GAP + 0x1000};

	cr_assert_eq(census_gather__plan(&gather, addresses, 4, window, buffer, sizeof(buffer),
					 GATHER_GAP),
		     4u);
	cr_assert_eq(gather.n_spans, 2u);
	cr_assert_eq(gather.spans[0].address, 0x1010u);
	cr_assert_eq(gather.spans[0].size, GATHER_GAP + 0x200u + 100);
	cr_assert_eq(gather.ends[0], 3u);
	cr_assert_eq(gather.spans[1].size, 100u);
	cr_assert_eq(gather.ends[1], 4u);
	cr_assert_eq((uint8_t *)gather.spans[1].buffer, buffer + gather.spans[0].size);
	cr_assert_eq(census_gather__at(&gather, 0, 0x1200, window), buffer + 0x200);
	cr_assert_eq(census_gather__plan(&gather, addresses, 4, window, buffer, sizeof(buffer),
					 GATHER_APART),
		     4u);
	cr_assert_eq(gather.n_spans, 4u);
}

Test(census_gather, never_more_than_the_buffer)
{
	const struct census_window window = {0, 320};
	static uint64_t addresses[5000];
	size_t strides[] = {8, 320, 480, 8192};

	for (size_t k = 0; k < ARRAY_SIZE(strides); k++) {
		for (int merge = 0; merge < 2; merge++) {
			size_t used = 0, placed;

			for (size_t i = 0; i < 5000; i++)
				addresses[i] = 0xc000000000 + i * strides[k];
			placed = census_gather__plan(&gather, addresses, 5000, window, buffer,
						     sizeof(buffer),
						     merge ? GATHER_GAP : GATHER_APART);
			cr_assert_gt(placed, 100u);
			cr_assert_leq(gather.n_spans, (size_t)GATHER_SPANS);
			for (size_t s = 0; s < gather.n_spans; s++) {
				cr_assert_eq((uint8_t *)gather.spans[s].buffer, buffer + used);
				used += gather.spans[s].size;
			}
			cr_assert_leq(used, sizeof(buffer));
			cr_assert_eq(gather.ends[gather.n_spans - 1], placed);
		}
	}
}

Test(census_gather, at_most_one_call_of_ranges)
{
	static uint64_t addresses[2000];
	static uint8_t small[2000 * 8];
	const struct census_window window = {0, 8};

	for (size_t i = 0; i < 2000; i++)
		addresses[i] = 0x1000 + i * 3 * GATHER_GAP;
	cr_assert_eq(census_gather__plan(&gather, addresses, 2000, window, small, sizeof(small),
					 GATHER_GAP),
		     (size_t)GATHER_SPANS);
}

/* GOMAXPROCS 3 of 4 Ps ever made; the last entry of allp's capacity was never used. */
static struct fake *with_ps(void)
{
	struct fake *fake = fake_new(26, 4);
	const uint64_t caches[][2] = {{17, 33}, {40, 49}, {65, 65}, {50, 52}};

	fake->runtime.sched = FAKE_GLOBALS + FAKE_SCHED;
	fake->runtime.allp = FAKE_GLOBALS + FAKE_ALLP;
	fake_global(fake, FAKE_SCHED, 64);
	fake_global(fake, FAKE_ALLP, FAKE_GLOBALS + FAKE_PS);
	fake_global(fake, FAKE_ALLP + 8, 3);
	fake_global(fake, FAKE_ALLP + 16, 5);
	for (uint32_t i = 0; i < 4; i++) {
		uint32_t p = FAKE_P + i * FAKE_P_SIZE;

		fake_global(fake, FAKE_PS + 8 * i, FAKE_GLOBALS + p);
		fake_global(fake, p + fake->layout.p_goidcache, caches[i][0]);
		fake_global(fake, p + fake->layout.p_goidcacheend, caches[i][1]);
	}
	return fake;
}

Test(census_goids, unused_ids_of_all_ps_are_subtracted)
{
	struct fake *fake = with_ps();

	cr_assert_eq(census_runtime__goids_issued(&fake->runtime), 64u - 16 - 9 - 0 - 2);
	fake_free(fake);
}

/* Where the Ps are is looked up once, and again when there are others. */
Test(census_goids, ps_that_are_known)
{
	struct fake *fake = with_ps();
	struct census_runtime *runtime = &fake->runtime;
	uint64_t calls, first;

	cr_assert_eq(census_runtime__goids_issued(runtime), 64u - 16 - 9 - 0 - 2);
	first = remote__calls(runtime->remote);
	fake_global(fake, FAKE_SCHED, 80);
	fake_global(fake, FAKE_P + fake->layout.p_goidcache, 20);
	cr_assert_eq(census_runtime__goids_issued(runtime), 80u - 13 - 9 - 0 - 2);
	/* An image counts a call for each range: goidgen twice, the slice, four Ps; not the list of Ps. */
	calls = remote__calls(runtime->remote) - first;
	cr_expect_eq(calls, 7u);
	fake_global(fake, FAKE_PS + 8 * 4, FAKE_GLOBALS + FAKE_P + 4 * FAKE_P_SIZE);
	fake_global(fake, FAKE_ALLP + 8, 5);
	fake_global(fake, FAKE_P + 4 * FAKE_P_SIZE + fake->layout.p_goidcache, 70);
	fake_global(fake, FAKE_P + 4 * FAKE_P_SIZE + fake->layout.p_goidcacheend, 75);
	cr_assert_eq(census_runtime__goids_issued(runtime), 80u - 13 - 9 - 0 - 2 - 5);
	fake_free(fake);
}

/* More Ps than are read at once, nearly all of them out of use. */
Test(census_goids, many_ps)
{
	struct fake *fake = with_ps();
	uint32_t p = FAKE_P + 5 * FAKE_P_SIZE;

	fake_global(fake, FAKE_ALLP + 16, 70);
	fake_global(fake, FAKE_PS + 8 * 69, FAKE_GLOBALS + p);
	fake_global(fake, p + fake->layout.p_goidcache, 50);
	fake_global(fake, p + fake->layout.p_goidcacheend, 53);
	cr_assert_eq(census_runtime__goids_issued(&fake->runtime), 64u - 16 - 9 - 0 - 2 - 3);
	fake_free(fake);
}

Test(census_goids, unknown_when_anything_is_odd)
{
	struct fake *fake = with_ps();
	struct census_runtime *runtime = &fake->runtime;

	runtime->sched = 0;
	cr_assert_eq(census_runtime__goids_issued(runtime), 0u);
	runtime->sched = FAKE_GLOBALS + FAKE_SCHED;
	runtime->allp = 0;
	cr_assert_eq(census_runtime__goids_issued(runtime), 0u);
	runtime->allp = FAKE_GLOBALS + FAKE_ALLP;
	fake_global(fake, FAKE_ALLP + 16, 1ULL << 40);
	cr_assert_eq(census_runtime__goids_issued(runtime), 0u);
	fake_global(fake, FAKE_ALLP + 16, 0);
	cr_assert_eq(census_runtime__goids_issued(runtime), 0u);
	fake_global(fake, FAKE_ALLP + 16, 5);
	fake_global(fake, FAKE_PS + 8, 0x10); /* not mapped */
	cr_assert_eq(census_runtime__goids_issued(runtime), 0u);
	fake_global(fake, FAKE_PS + 8, 0);
	cr_assert_eq(census_runtime__goids_issued(runtime), 64u - 16 - 2);
	fake_global(fake, FAKE_P + fake->layout.p_goidcacheend, 1000); /* more than a batch */
	cr_assert_eq(census_runtime__goids_issued(runtime), 0u);
	fake_free(fake);
}

Test(census_goids, more_unused_than_issued)
{
	struct fake *fake = with_ps();

	fake_global(fake, FAKE_SCHED, 20);
	cr_assert_eq(census_runtime__goids_issued(&fake->runtime), 0u);
	fake_free(fake);
}
