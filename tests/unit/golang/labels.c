// SPDX-License-Identifier: Apache-2.0
/* Sets of labels in fabricated memory, as Go 1.23 (a map) and Go 1.24 (a list) lay them out. */
#include "golang/labels.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASE 0xc000000000ULL
#define SIZE (1u << 20)

#define MAP  23
#define LIST 24

#define BUCKET	 272u
#define OVERFLOW 264u

static uint8_t *memory;
static size_t used;
static struct remote *remote;

static void set_up(void)
{
	struct remote_range range = {BASE, NULL, SIZE};

	memory = calloc(1, SIZE);
	cr_assert_not_null(memory);
	range.data = memory;
	used = 64; /* nothing is at the base itself */
	cr_assert_eq(remote__open_image(&range, 1, &remote), 0);
}

static void tear_down(void)
{
	remote__free(remote);
	free(memory);
}

TestSuite(labels, .init = set_up, .fini = tear_down);

static uint64_t take(size_t size)
{
	uint64_t address = BASE + used;

	used += (size + 7) / 8 * 8;
	cr_assert(used <= SIZE);
	return address;
}

static void poke(uint64_t address, uint64_t value)
{
	memcpy(memory + (address - BASE), &value, sizeof(value));
}

static void poke8(uint64_t address, uint8_t value)
{
	memory[address - BASE] = value;
}

/* The two words of a string at @where. */
static void poke_bytes(uint64_t where, const char *bytes, size_t n)
{
	uint64_t data = n ? take(n) : 0;

	if (n)
		memcpy(memory + (data - BASE), bytes, n);
	poke(where, data);
	poke(where + 8, n);
}

static void poke_string(uint64_t where, const char *text)
{
	poke_bytes(where, text, strlen(text));
}

static struct go_labels *read_labels(int minor, uint64_t address)
{
	struct go_labels *labels = NULL;

	cr_assert_eq(go_labels__read(remote, minor, address, &labels), 0);
	cr_assert_not_null(labels);
	return labels;
}

static void refused(int minor, uint64_t address, int err)
{
	struct go_labels *labels = (void *)&labels;

	cr_assert_eq(go_labels__read(remote, minor, address, &labels), err);
	cr_assert_eq(labels, (void *)&labels, "left as it was");
}

/* --- lists --------------------------------------------------------------------------------------- */

static uint64_t make_list(size_t n)
{
	uint64_t set = take(24);

	poke(set, take(n * 32));
	poke(set + 8, n);
	poke(set + 16, n);
	return set;
}

static uint64_t list_pair(uint64_t set, size_t i)
{
	uint64_t data;

	memcpy(&data, memory + (set - BASE), sizeof(data));
	return data + i * 32;
}

Test(labels, of_a_list)
{
	uint64_t set = make_list(3);
	struct go_labels *labels;

	poke_string(list_pair(set, 0), "request");
	poke_string(list_pair(set, 0) + 16, "/buy");
	poke_string(list_pair(set, 1), "empty");
	poke_string(list_pair(set, 1) + 16, "");
	poke_string(list_pair(set, 2), "tenant");
	poke_string(list_pair(set, 2) + 16, "bl\xc3\xa4u");
	labels = read_labels(LIST, set);
	cr_assert_eq(labels->n, 3);
	cr_assert_not(labels->cut);
	cr_assert_str_eq(labels->items[0].key, "empty", "in the order of the keys");
	cr_assert_str_eq(labels->items[0].value, "");
	cr_assert_str_eq(labels->items[1].value, "/buy");
	cr_assert_str_eq(labels->items[2].key, "tenant");
	cr_assert_str_eq(labels->items[2].value, "bl\xc3\xa4u");
	free(labels);
}

Test(labels, of_an_empty_list)
{
	uint64_t set = take(24); /* all zero, as of pprof.Labels() */
	struct go_labels *labels = read_labels(LIST, set);

	cr_assert_eq(labels->n, 0);
	free(labels);
}

Test(labels, too_many_are_cut)
{
	uint64_t set = make_list(GO_LABELS_MAX + 3);
	struct go_labels *labels;
	char key[16];

	for (size_t i = 0; i < GO_LABELS_MAX + 3; i++) {
		snprintf(key, sizeof(key), "key%03zu", i);
		poke_string(list_pair(set, i), key);
	}
	labels = read_labels(LIST, set);
	cr_assert_eq(labels->n, GO_LABELS_MAX);
	cr_assert(labels->cut);
	cr_assert_str_eq(labels->items[GO_LABELS_MAX - 1].key, "key063");
	free(labels);
}

Test(labels, long_texts_are_cut)
{
	uint64_t set = make_list(1);
	char text[GO_LABEL_MAX_TEXT + 2];
	struct go_labels *labels;

	memset(text, 'x', sizeof(text));
	poke_bytes(list_pair(set, 0), text, GO_LABEL_MAX_TEXT);
	poke_bytes(list_pair(set, 0) + 16, text, GO_LABEL_MAX_TEXT + 1);
	labels = read_labels(LIST, set);
	cr_assert_eq(strlen(labels->items[0].key), GO_LABEL_MAX_TEXT);
	cr_assert_eq(strlen(labels->items[0].value), GO_LABEL_MAX_TEXT);
	cr_assert(labels->cut);
	free(labels);
}

Test(labels, a_nul_does_not_end_a_text)
{
	uint64_t set = make_list(1);
	struct go_labels *labels;

	poke_bytes(list_pair(set, 0), "a\0b", 3);
	labels = read_labels(LIST, set);
	cr_assert_str_eq(labels->items[0].key, "a\xff"
					       "b");
	free(labels);
}

Test(labels, hostile_lists)
{
	uint64_t set = make_list(1);

	refused(LIST, 0x10, -EFAULT);
	refused(LIST, BASE + SIZE - 8, -EFAULT);
	refused(LIST, UINT64_MAX - 7, -EFAULT);
	poke(set + 8, 2); /* longer than its array */
	refused(LIST, set, -EPROTO);
	poke(set + 8, UINT64_MAX);
	poke(set + 16, UINT64_MAX);
	poke(set, BASE + SIZE - 32);
	refused(LIST, set, -EFAULT);
	set = make_list(1);
	poke(list_pair(set, 0), UINT64_MAX - 3);
	poke(list_pair(set, 0) + 8, 8);
	refused(LIST, set, -EFAULT);
}

Test(labels, an_endless_text_is_read_as_far_as_it_goes)
{
	uint64_t set = make_list(1);
	struct go_labels *labels;

	poke(list_pair(set, 0), BASE + 1024);
	poke(list_pair(set, 0) + 8, UINT64_MAX);
	labels = read_labels(LIST, set);
	cr_assert_eq(strlen(labels->items[0].key), GO_LABEL_MAX_TEXT);
	cr_assert(labels->cut);
	free(labels);
}

/* --- maps ---------------------------------------------------------------------------------------- */

struct map {
	uint64_t set, header, buckets;
};

static struct map make_map(uint64_t count, uint8_t log2)
{
	struct map map = {take(8), take(48), take(BUCKET << log2)};

	poke(map.set, map.header);
	poke(map.header, count);
	poke8(map.header + 9, log2);
	poke(map.header + 16, map.buckets);
	return map;
}

static void fill_slot(uint64_t bucket, size_t slot, const char *key, const char *value)
{
	poke8(bucket + slot, (uint8_t)(5 + slot * 31));
	poke_string(bucket + 8 + slot * 16, key);
	poke_string(bucket + 136 + slot * 16, value);
}

static void expect(const struct go_labels *labels, const char *const *keys, size_t n)
{
	cr_assert_eq(labels->n, n, "%zu instead of %zu", labels->n, n);
	for (size_t i = 0; i < n; i++)
		cr_assert_str_eq(labels->items[i].key, keys[i]);
}

Test(labels, of_a_map)
{
	static const char *const keys[] = {"a", "b", "c"};
	struct map map = make_map(3, 0);
	struct go_labels *labels;

	fill_slot(map.buckets, 6, "a", "1");
	fill_slot(map.buckets, 0, "c", "3");
	poke8(map.buckets + 1, 1); /* deleted; its words are left behind */
	poke_string(map.buckets + 24, "old");
	fill_slot(map.buckets, 2, "b", "2");
	labels = read_labels(MAP, map.set);
	expect(labels, keys, ARRAY_SIZE(keys));
	cr_assert_str_eq(labels->items[2].value, "3");
	cr_assert_not(labels->cut);
	free(labels);
}

Test(labels, of_an_empty_map)
{
	struct map map = make_map(0, 0);
	struct go_labels *labels;

	poke(map.header + 16, 0); /* no bucket before the first key */
	labels = read_labels(MAP, map.set);
	cr_assert_eq(labels->n, 0);
	free(labels);
}

Test(labels, of_buckets_that_overflow)
{
	static const char *const keys[] = {"a", "b", "c"};
	struct map map = make_map(3, 1);
	uint64_t more = take(BUCKET);
	struct go_labels *labels;

	fill_slot(map.buckets, 0, "a", "");
	fill_slot(map.buckets + BUCKET, 7, "b", "");
	poke(map.buckets + BUCKET + OVERFLOW, more);
	fill_slot(more, 3, "c", "");
	labels = read_labels(MAP, map.set);
	expect(labels, keys, ARRAY_SIZE(keys));
	free(labels);
}

/* Half moved: of the two old buckets the first is in the new array, the second is not yet. */
Test(labels, of_a_map_that_grows)
{
	static const char *const keys[] = {"moved", "not moved"};
	struct map map = make_map(2, 2);
	uint64_t old = take(BUCKET * 2);
	struct go_labels *labels;

	poke(map.header + 24, old);
	fill_slot(map.buckets, 0, "moved", "");
	fill_slot(old, 0, "moved", "");
	poke8(old, 2); /* evacuatedX */
	fill_slot(old + BUCKET, 0, "not moved", "");
	labels = read_labels(MAP, map.set);
	expect(labels, keys, ARRAY_SIZE(keys));
	free(labels);
}

Test(labels, of_a_map_that_grows_to_the_same_size)
{
	static const char *const keys[] = {"here", "there"};
	struct map map = make_map(2, 0);
	uint64_t old = take(BUCKET);
	struct go_labels *labels;

	poke8(map.header + 8, 8); /* sameSizeGrow */
	poke(map.header + 24, old);
	fill_slot(map.buckets, 0, "here", "");
	fill_slot(old, 0, "there", "");
	labels = read_labels(MAP, map.set);
	expect(labels, keys, ARRAY_SIZE(keys));
	free(labels);
}

Test(labels, hostile_maps)
{
	struct map map = make_map(1, 0);
	uint64_t set = take(8);
	struct go_labels *labels;

	refused(MAP, 0x10, -EFAULT);
	poke(set, 0x10);
	refused(MAP, set, -EFAULT);
	poke8(map.header + 9, 63); /* 2^63 buckets */
	refused(MAP, map.set, -EPROTO);
	poke8(map.header + 9, 40);
	poke(map.header + 16, BASE + SIZE - BUCKET); /* all but one outside */
	refused(MAP, map.set, -EFAULT);
	poke8(map.header + 9, 0);
	poke(map.header + 16, 0);
	refused(MAP, map.set, -EPROTO);
	/* A bucket chained to itself. */
	poke(map.header + 16, map.buckets);
	fill_slot(map.buckets, 0, "again", "");
	poke(map.buckets + OVERFLOW, map.buckets);
	labels = read_labels(MAP, map.set);
	cr_assert_eq(labels->n, GO_LABELS_MAX);
	cr_assert(labels->cut);
	free(labels);
}

/* Whatever is there, reading it ends and stays within bounds. */
Test(labels, random_memory)
{
	uint64_t state = 1;

	for (size_t round = 0; round < 2000; round++) {
		struct go_labels *labels = NULL;

		for (size_t i = 0; i < 4096; i += 8) {
			state = state * 6364136223846793005ULL + 1442695040888963407ULL;
			/* Pointers into the memory, small numbers, noise. */
			poke(BASE + i, state >> 62 == 0 ? BASE + (state >> 40) % 4096 / 8 * 8 :
				       state >> 62 == 1 ? (state >> 50) % 70 :
							  state);
		}
		if (!go_labels__read(remote, round % 2 ? MAP : LIST, BASE + round % 64 * 8,
				     &labels))
			cr_assert(labels->n <= GO_LABELS_MAX);
		free(labels);
	}
}
