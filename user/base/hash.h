/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GLEAKD_BASE_HASH_H
#define GLEAKD_BASE_HASH_H

/*
 * Hashes for tables in memory, and for names that must be the same in every run. A process that
 * chooses the keys of a table can choose keys that collide, unless the hash is keyed: tables whose
 * keys come from a target use hash__keyed().
 */
#include "base/common.h"

struct hash_key {
	uint64_t words[2];
};

/*
 * hash__keyed - SipHash-1-3 of @size bytes under a key that each gleakd process draws when it
 * starts. The result differs from run to run: nothing that is shown, sorted or written to a file
 * may depend on it.
 */
uint64_t hash__keyed(const void *data, size_t size);

/* hash__keyed_word - the same as hash__keyed(&word, sizeof(word)). */
uint64_t hash__keyed_word(uint64_t word);

/* hash__set_key - for tests that want the same in every run; before any table is made. */
void hash__set_key(struct hash_key key);

/* hash__mix64 - the finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection on 64 bits. */
static inline uint64_t hash__mix64(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* hash__combine - fold one more word into a running hash; start with any constant. */
static inline uint64_t hash__combine(uint64_t hash, uint64_t word)
{
	return hash__mix64(hash ^ word) + 0x9e3779b97f4a7c15ULL;
}

/* hash__bytes - FNV-1a, 64 bits: stable across runs and machines, used for site ids. */
static inline uint64_t hash__bytes(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * 0x100000001b3ULL;
	return hash;
}

#define HASH_FNV_BASIS 0xcbf29ce484222325ULL

#endif /* GLEAKD_BASE_HASH_H */
