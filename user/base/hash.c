// SPDX-License-Identifier: Apache-2.0
/*
 * SipHash (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012) with one round per word and
 * three at the end, the variant that the Linux kernel (lib/siphash.c, hsiphash on 64 bits), Rust and
 * Python use for hash tables.
 */
#include "base/hash.h"

#include <string.h>
#include <sys/auxv.h>

struct sip_state {
	uint64_t v0, v1, v2, v3;
};

static struct hash_key process_key;

/*
 * Sixteen random bytes, which the kernel puts below the stack of every program (fs/binfmt_elf.c
 * create_elf_tables). Taking them cannot fail or block, unlike getrandom(2) on a machine that boots.
 */
static __attribute__((constructor)) void draw_key(void)
{
	const void *random = (const void *)getauxval(AT_RANDOM);

	if (random)
		memcpy(&process_key, random, sizeof(process_key));
}

void hash__set_key(struct hash_key key)
{
	process_key = key;
}

static inline uint64_t rotate_left(uint64_t x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct sip_state *s)
{
	s->v0 += s->v1;
	s->v1 = rotate_left(s->v1, 13) ^ s->v0;
	s->v0 = rotate_left(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate_left(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate_left(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate_left(s->v1, 17) ^ s->v2;
	s->v2 = rotate_left(s->v2, 32);
}

static inline void sip_take(struct sip_state *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

static inline struct sip_state sip_begin(void)
{
	uint64_t k0 = process_key.words[0], k1 = process_key.words[1];

	/* "somepseudorandomlygeneratedbytes" */
	return (struct sip_state){
		.v0 = k0 ^ 0x736f6d6570736575ULL,
		.v1 = k1 ^ 0x646f72616e646f6dULL,
		.v2 = k0 ^ 0x6c7967656e657261ULL,
		.v3 = k1 ^ 0x7465646279746573ULL,
	};
}

/* @rest: the bytes behind the last whole word, and above them the length. */
static inline uint64_t sip_end(struct sip_state *s, uint64_t rest)
{
	sip_take(s, rest);
	s->v2 ^= 0xff;
	sip_round(s);
	sip_round(s);
	sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

uint64_t hash__keyed(const void *data, size_t size)
{
	const unsigned char *p = data, *end = p + size / sizeof(uint64_t) * sizeof(uint64_t);
	struct sip_state state = sip_begin();
	uint64_t word, rest = (uint64_t)size << 56;

	for (; p < end; p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sip_take(&state, word);
	}
	for (size_t i = 0; i < size % sizeof(uint64_t); i++)
		rest |= (uint64_t)p[i] << 8 * i;
	return sip_end(&state, rest);
}

uint64_t hash__keyed_word(uint64_t word)
{
	struct sip_state state = sip_begin();

	sip_take(&state, word);
	return sip_end(&state, (uint64_t)sizeof(word) << 56);
}
