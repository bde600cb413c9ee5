// SPDX-License-Identifier: Apache-2.0
#include "discover/exe_cache.h"

#include <criterion/criterion.h>

static struct exe_file file(uint64_t inode)
{
	return (struct exe_file){
		.file = {.device = 5, .inode = inode}, .size = 100, .changed_seconds = 7};
}

static void put(struct exe_cache *cache, struct exe_file exe, enum exe_verdict verdict)
{
	exe_cache__put(cache, &exe, (struct exe_knowledge){.verdict = verdict});
}

static int verdict(struct exe_cache *cache, struct exe_file exe)
{
	struct exe_knowledge knowledge = {.verdict = EXE_GO};

	return exe_cache__get(cache, &exe, &knowledge) ? (int)knowledge.verdict : -1;
}

static struct exe_cache *make(size_t max)
{
	struct exe_cache *cache;

	cr_assert_eq(exe_cache__new(max, &cache), 0);
	return cache;
}

Test(exe_cache, keeps_what_was_put)
{
	struct exe_cache *cache = make(1000);

	cr_expect_eq(verdict(cache, file(1)), -1);
	for (uint64_t i = 0; i < 1000; i++)
		put(cache, file(i), i % 3 ? EXE_NOT_GO : EXE_UNSUPPORTED);
	for (uint64_t i = 0; i < 1000; i++)
		cr_assert_eq(verdict(cache, file(i)), i % 3 ? EXE_NOT_GO : EXE_UNSUPPORTED);
	put(cache, file(3), EXE_GO);
	cr_expect_eq(verdict(cache, file(3)), EXE_GO, "newer knowledge replaces older");
	cr_expect_eq(exe_cache__count(cache), 1000);
	cr_expect_eq(exe_cache__evicted(cache), 0);
	exe_cache__free(cache);
}

Test(exe_cache, any_change_of_the_file_counts)
{
	struct exe_cache *cache = make(10);
	struct exe_file changed[5];

	put(cache, file(1), EXE_NOT_GO);
	for (size_t i = 0; i < ARRAY_SIZE(changed); i++)
		changed[i] = file(1);
	changed[0].file.device++;
	changed[1].file.inode++;
	changed[2].size++;
	changed[3].changed_seconds++;
	changed[4].changed_nanoseconds++;
	for (size_t i = 0; i < ARRAY_SIZE(changed); i++)
		cr_expect_eq(verdict(cache, changed[i]), -1, "%zu", i);
	cr_expect_eq(verdict(cache, file(1)), EXE_NOT_GO);
	put(cache, changed[2], EXE_GO);
	cr_expect_eq(verdict(cache, changed[2]), EXE_GO);
	cr_expect_eq(verdict(cache, file(1)), -1, "the file is what it is now");
	cr_expect_eq(exe_cache__count(cache), 1);
	exe_cache__free(cache);
}

Test(exe_cache, what_is_asked_for_stays)
{
	struct exe_cache *cache = make(8);

	put(cache, file(0), EXE_UNSUPPORTED);
	for (uint64_t i = 1; i < 1000; i++) {
		cr_assert_eq(verdict(cache, file(0)), EXE_UNSUPPORTED, "after %d others", (int)i);
		put(cache, file(i), EXE_NOT_GO);
		cr_assert_leq(exe_cache__count(cache), 8);
	}
	cr_expect_eq(exe_cache__evicted(cache), 1000 - 8);
	cr_expect_eq(verdict(cache, file(999)), EXE_NOT_GO);
	cr_expect_eq(verdict(cache, file(1)), -1);
	exe_cache__free(cache);
}

Test(exe_cache, of_one)
{
	struct exe_cache *cache = make(0);

	put(cache, file(1), EXE_GO);
	cr_expect_eq(verdict(cache, file(1)), EXE_GO);
	put(cache, file(2), EXE_NOT_GO);
	cr_expect_eq(verdict(cache, file(1)), -1);
	cr_expect_eq(verdict(cache, file(2)), EXE_NOT_GO);
	exe_cache__free(cache);
	exe_cache__free(NULL);
}
