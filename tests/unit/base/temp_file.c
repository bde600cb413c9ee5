// SPDX-License-Identifier: Apache-2.0
#include "base/temp_file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "made_tree.h"

static char path[96], other[96];

static void make_folder(void)
{
	const char *folder = made_tree__new();

	snprintf(path, sizeof(path), "%s/file.tmp", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
}

TestSuite(temp_file, .init = make_folder, .fini = made_tree__remove);

static off_t size_of(const char *name)
{
	struct stat st;

	return lstat(name, &st) || !S_ISREG(st.st_mode) ? -1 : st.st_size;
}

Test(temp_file, leftover_gives_way)
{
	struct stat st;
	int fd = -1;

	made_tree__put("file.tmp", "half a li");
	cr_assert_eq(temp_file__create(path, 0600, &fd), 0);
	cr_expect_eq(size_of(path), 0);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	close(fd);
}

Test(temp_file, one_that_is_being_written_stays)
{
	int fd = -1, second = -1;

	cr_assert_eq(temp_file__create(path, 0600, &fd), 0);
	cr_assert_eq(write(fd, "text", 4), 4);
	cr_expect_eq(temp_file__create(path, 0600, &second), -EBUSY);
	cr_expect_eq(second, -1);
	cr_expect_eq(size_of(path), 4);
	close(fd);
	cr_assert_eq(temp_file__create(path, 0600, &second), 0);
	close(second);
}

Test(temp_file, links_and_pipes_give_way_untouched)
{
	int fd = -1;

	made_tree__put("other", "mine");
	cr_assert_eq(symlink(other, path), 0);
	cr_assert_eq(temp_file__create(path, 0600, &fd), 0);
	close(fd);
	cr_expect_eq(size_of(path), 0);
	cr_expect_eq(size_of(other), 4);

	unlink(path);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(temp_file__create(path, 0600, &fd), 0);
	close(fd);
	cr_expect_eq(size_of(path), 0);
}

Test(temp_file, what_cannot_be_replaced)
{
	int fd = -1;

	cr_assert_eq(mkdir(path, 0700), 0);
	cr_expect_lt(temp_file__create(path, 0600, &fd), 0);
	cr_expect_eq(temp_file__create("/no/such/folder/file.tmp", 0600, &fd), -ENOENT);
	cr_expect_eq(fd, -1);
}
