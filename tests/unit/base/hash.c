// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <criterion/criterion.h>
#include <string.h>

/* Test vectors of the FNV authors (draft-eastlake-fnv): 64-bit FNV-1a. */
Test(hash, bytes_is_fnv_1a)
{
	cr_expect_eq(hash__bytes(HASH_FNV_BASIS, "", 0), 0xcbf29ce484222325ULL);
	cr_expect_eq(hash__bytes(HASH_FNV_BASIS, "a", 1), 0xaf63dc4c8601ec8cULL);
	cr_expect_eq(hash__bytes(HASH_FNV_BASIS, "foobar", 6), 0x85944171f73967e8ULL);
}

Test(hash, bytes_continues_where_it_stopped)
{
	uint64_t foo = hash__bytes(HASH_FNV_BASIS, "foo", 3);

	cr_expect_eq(hash__bytes(foo, "bar", 3), hash__bytes(HASH_FNV_BASIS, "foobar", 6));
}

/* SplitMix64 with seed 0 gives this first: mix64 of the golden gamma. */
Test(hash, mix64_is_splitmix)
{
	cr_expect_eq(hash__mix64(0x9e3779b97f4a7c15ULL), 0xe220a8397b1dcdafULL);
	cr_expect_eq(hash__mix64(0), 0);
}

Test(hash, mix64_spreads_neighbours)
{
	unsigned int bucket[256] = {0};

	for (uint64_t i = 0; i < 256 * 64; i++)
		bucket[hash__mix64(i) & 0xff]++;
	for (size_t i = 0; i < 256; i++)
		cr_assert(bucket[i] > 24 && bucket[i] < 120, "bucket %zu has %u of 64", i,
			  bucket[i]);
}

Test(hash, combine_depends_on_the_order)
{
	cr_expect_neq(hash__combine(hash__combine(1, 2), 3), hash__combine(hash__combine(1, 3), 2));
	cr_expect_neq(hash__combine(0, 0), 0);
}
