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

/* --- keyed --------------------------------------------------------------------------------------- */

/* The key and the messages of the authors' own vectors: bytes 0, 1, 2, ... of each. */
static const struct hash_key counting = {{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL}};

/* Of SipHash-1-3, as computed by the authors' reference implementation and by Rust's. */
Test(hash, keyed_is_siphash_1_3)
{
	static const struct {
		size_t size;
		uint64_t hash;
	} vectors[] = {
		{0, 0xabac0158050fc4dcULL},  {1, 0xc9f49bf37d57ca93ULL},
		{7, 0xd3927d989bb11140ULL},  {8, 0x369095118d299a8eULL},
		{9, 0x25a48eb36c063de4ULL},  {15, 0xd320d86d2a519956ULL},
		{16, 0xcc4fdd1a7d908b66ULL}, {63, 0x9d199062b7bbb3a8ULL},
	};
	unsigned char message[64];

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (unsigned char)i;
	hash__set_key(counting);
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		cr_expect_eq(hash__keyed(message, vectors[i].size), vectors[i].hash, "of %zu bytes",
			     vectors[i].size);
}

Test(hash, keyed_word_is_keyed)
{
	const uint64_t words[] = {0, 1, 0x0706050403020100ULL, UINT64_MAX};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		cr_expect_eq(hash__keyed_word(words[i]), hash__keyed(&words[i], sizeof(words[i])));
}

/* A key of nothing but zeroes is what a process would have that drew none. */
Test(hash, key_is_drawn_at_start)
{
	uint64_t drawn = hash__keyed_word(1);

	hash__set_key((struct hash_key){{0, 0}});
	cr_expect_neq(hash__keyed_word(1), drawn);
}

/* Whoever knows hash__mix64() can fill one bucket; under a key the same words spread. */
Test(hash, keyed_spreads_what_was_chosen_to_collide)
{
	unsigned int bucket[256] = {0}, fullest = 0;
	size_t n = 0;

	hash__set_key(counting);
	for (uint64_t word = 0; n < 1024; word++) {
		if (hash__mix64(word) & 0xff)
			continue;
		bucket[hash__keyed_word(word) & 0xff]++;
		n++;
	}
	for (size_t i = 0; i < ARRAY_SIZE(bucket); i++)
		fullest = max_of(fullest, bucket[i]);
	cr_expect_lt(fullest, 20, "%u of 1024 in one bucket of 256", fullest);
}
