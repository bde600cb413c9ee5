// SPDX-License-Identifier: Apache-2.0
#include "host/evidence_store.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "made_tree.h"

/* 2026-11-30 09:45:01 UTC */
#define NOW 1796031901u

static const char *above;
static char folder[96];
static struct evidence_store *store;
static struct failure failure;

static void make_folder(void)
{
	above = made_tree__new();
	snprintf(folder, sizeof(folder), "%s/evidence", above);
	umask(0);
}

static void remove_folder(void)
{
	evidence_store__close(store);
	store = NULL;
	made_tree__remove();
}

TestSuite(evidence_store, .init = make_folder, .fini = remove_folder);

static int open_store(uint32_t items, uint64_t bytes)
{
	const struct evidence_limits limits = {items, bytes};

	evidence_store__close(store);
	store = NULL;
	failure.text[0] = '\0';
	return evidence_store__open(folder, &limits, &store, &failure);
}

/* One about @site, of @size bytes. */
static int keep(uint32_t site, size_t size, uint64_t now, char name[EVIDENCE_NAME_SIZE])
{
	static const char bytes[4096];
	int err = evidence_store__begin(store, 4711, site, now, name);

	if (!err)
		err = evidence_store__append(store, EVIDENCE_REPORT, bytes, size);
	return err ? err : evidence_store__keep(store, name);
}

static struct stat find(const char *name, const char *file)
{
	struct stat found = {.st_size = -1};
	char path[256];

	snprintf(path, sizeof(path), "%s/%s%s%s", folder, name, *file ? "/" : "", file);
	return lstat(path, &found) ? (struct stat){.st_size = -1} : found;
}

static bool is_there(const char *name)
{
	return find(name, "").st_size >= 0;
}

Test(evidence_store, is_private_and_named_by_time_process_and_site)
{
	char name[EVIDENCE_NAME_SIZE];

	cr_assert_eq(open_store(7, 1 << 20), 0, "%s", failure.text);
	cr_expect_eq(find("", "").st_mode & 07777, 0700);
	cr_assert_eq(keep(0xabc, 11, NOW, name), 0);
	cr_expect_str_eq(name, "20261130T094501Z-4711-00000abc");
	cr_expect_eq(find(name, "").st_mode & 07777, 0700);
	cr_expect_eq(find(name, "report.json").st_mode & 07777, 0600);
	cr_expect_eq(find(name, "report.json").st_size, 11);
	cr_expect_not(is_there(".new"));
}

Test(evidence_store, nothing_is_there_before_it_is_whole)
{
	char name[EVIDENCE_NAME_SIZE];

	cr_assert_eq(open_store(7, 1 << 20), 0);
	cr_assert_eq(evidence_store__begin(store, 1, 2, NOW, name), 0);
	cr_assert_eq(evidence_store__append(store, EVIDENCE_HEAP, "half", 4), 0);
	cr_expect_not(is_there("20261130T094501Z-1-00000002"));
	evidence_store__discard(store);
	cr_expect_not(is_there(".new"));
	cr_expect_eq(evidence_store__append(store, EVIDENCE_HEAP, "half", 4), -EBADF);
	cr_expect_eq(evidence_store__keep(store, name), -EBADF);
}

Test(evidence_store, half_of_one_gives_way)
{
	char name[EVIDENCE_NAME_SIZE], path[128];

	cr_assert_eq(open_store(7, 1 << 20), 0);
	evidence_store__close(store);
	store = NULL;
	snprintf(path, sizeof(path), "%s/.new", folder);
	cr_assert_eq(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/.new/report.json", folder);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	cr_assert_eq(open_store(7, 1 << 20), 0);
	cr_expect_not(is_there(".new"));
	cr_expect_eq(keep(1, 1, NOW, name), 0);
}

Test(evidence_store, once_an_hour_whoever_asks)
{
	char name[EVIDENCE_NAME_SIZE], again[EVIDENCE_NAME_SIZE] = "";

	cr_assert_eq(open_store(7, 1 << 20), 0);
	cr_assert_eq(keep(1, 1, NOW, name), 0);
	cr_expect_eq(keep(1, 1, NOW + 3599, again), -EEXIST);
	cr_expect_str_eq(again, name);
	cr_assert_eq(open_store(7, 1 << 20), 0);
	cr_expect_eq(keep(1, 1, NOW + 3599, again), -EEXIST, "by another gleakd");
	cr_expect_str_eq(again, name);
	cr_expect_eq(keep(2, 1, NOW, again), 0, "another site");
	cr_expect_eq(keep(1, 1, NOW + 3600, again), 0);
}

Test(evidence_store, the_oldest_go_first)
{
	char names[5][EVIDENCE_NAME_SIZE];

	cr_assert_eq(open_store(3, 1 << 20), 0);
	for (uint32_t i = 0; i < 5; i++)
		cr_assert_eq(keep(i, 1, NOW + i, names[i]), 0);
	for (uint32_t i = 0; i < 5; i++)
		cr_expect_eq(is_there(names[i]), i >= 2, "%u", i);
	cr_assert_eq(open_store(1, 1 << 20), 0);
	for (uint32_t i = 0; i < 5; i++)
		cr_expect_eq(is_there(names[i]), i == 4, "after it was opened with less: %u", i);
}

Test(evidence_store, all_of_them_have_a_size)
{
	char names[3][EVIDENCE_NAME_SIZE];

	cr_assert_eq(open_store(7, 5000), 0);
	cr_assert_eq(keep(0, 2000, NOW, names[0]), 0);
	cr_assert_eq(keep(1, 2000, NOW + 1, names[1]), 0);
	cr_assert_eq(keep(2, 2000, NOW + 2, names[2]), 0);
	cr_expect_not(is_there(names[0]));
	cr_expect(is_there(names[1]));
	cr_assert_eq(open_store(7, 3000), 0);
	cr_expect_not(is_there(names[1]));
	cr_expect(is_there(names[2]));
	cr_assert_eq(evidence_store__begin(store, 1, 2, NOW, names[0]), 0);
	cr_expect_eq(evidence_store__append(store, EVIDENCE_HEAP, names, 3001), -EFBIG);
}

Test(evidence_store, what_is_not_its_own_stays)
{
	static const char *const others[] = {"notes",
					     "20261130T094501Z-4711-00000ABC",
					     "20261130T094501Z-4711-abc",
					     "20261330T094501Z-4711-00000abc",
					     "20261130T094501Z-0-00000abc",
					     "20261130T094501Z-4711-00000abc-1",
					     "20261130T094501Z-4711-00000abc-2x"};
	char name[EVIDENCE_NAME_SIZE], path[256];

	cr_assert_eq(open_store(1, 1 << 20), 0);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, others[i]);
		cr_assert_eq(mkdir(path, 0700), 0);
	}
	cr_assert_eq(keep(1, 1, NOW, name), 0);
	snprintf(path, sizeof(path), "%s/%s/notes", folder, name);
	close(open(path, O_WRONLY | O_CREAT, 0600));
	cr_assert_eq(open_store(1, 1 << 20), 0);
	cr_assert_eq(keep(2, 1, NOW + 1, name), 0);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		cr_expect(is_there(others[i]), "%s", others[i]);
	cr_expect_eq(access(path, F_OK), 0, "what somebody else has put there");
}

Test(evidence_store, links_are_not_followed)
{
	char name[EVIDENCE_NAME_SIZE], path[256], elsewhere[96], file[128];

	cr_assert_eq(open_store(1, 1 << 20), 0);
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", above);
	snprintf(file, sizeof(file), "%s/report.json", elsewhere);
	cr_assert_eq(mkdir(elsewhere, 0700), 0);
	close(open(file, O_WRONLY | O_CREAT, 0600));
	/* In the place of one that is to go, of the new one, and of its final name. */
	snprintf(path, sizeof(path), "%s/20200101T000000Z-1-00000001", folder);
	cr_assert_eq(symlink(elsewhere, path), 0);
	snprintf(path, sizeof(path), "%s/20261130T094501Z-4711-00000001", folder);
	cr_assert_eq(symlink(elsewhere, path), 0);
	cr_assert_eq(open_store(1, 1 << 20), 0);
	cr_expect_eq(access(file, F_OK), 0);
	cr_assert_eq(keep(1, 1, NOW + 3600, name), 0);
	snprintf(path, sizeof(path), "%s/.new", folder);
	cr_assert_eq(symlink(elsewhere, path), 0);
	cr_expect_lt(keep(2, 1, NOW, name), 0);
	cr_expect_eq(access(file, F_OK), 0);
}

Test(evidence_store, a_folder_that_others_write_to_is_refused)
{
	cr_assert_eq(mkdir(folder, 0777), 0);
	cr_expect_eq(open_store(1, 1 << 20), -EPERM);
	cr_expect_not_null(strstr(failure.text, "others than gleakd may write there"));
	cr_assert_eq(chmod(folder, 0755), 0);
	cr_expect_eq(open_store(1, 1 << 20), 0);
}

Test(evidence_store, a_link_or_a_file_is_no_folder)
{
	cr_assert_eq(symlink(above, folder), 0);
	cr_expect_lt(open_store(1, 1 << 20), 0);
	cr_expect_not_null(strstr(failure.text, folder), "%s", failure.text);
	unlink(folder);
	close(open(folder, O_WRONLY | O_CREAT, 0600));
	cr_expect_eq(open_store(1, 1 << 20), -ENOTDIR);
	unlink(folder);
	snprintf(folder, sizeof(folder), "%s/not/there", above);
	cr_expect_eq(open_store(1, 1 << 20), -ENOENT);
}

Test(evidence_store, one_gleakd_at_a_time)
{
	const struct evidence_limits limits = {1, 1 << 20};
	struct evidence_store *other;

	cr_assert_eq(open_store(1, 1 << 20), 0);
	cr_expect_eq(evidence_store__open(folder, &limits, &other, &failure), -EBUSY);
	cr_expect_not_null(strstr(failure.text, "another gleakd"));
}
