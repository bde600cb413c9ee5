// SPDX-License-Identifier: Apache-2.0
#include "probe/calibration_file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sample_calibration.h"

static char parent[64], folder[96], path[128];

static void make_parent(void)
{
	snprintf(parent, sizeof(parent), "/tmp/calibration-XXXXXX");
	cr_assert_not_null(mkdtemp(parent));
	snprintf(folder, sizeof(folder), "%s/gleakd", parent);
	snprintf(path, sizeof(path), "%s/calibration", folder);
}

static void remove_parent(void)
{
	unlink(path);
	rmdir(path);
	rmdir(folder);
	unlink(folder);
	rmdir(parent);
}

TestSuite(calibration_file, .init = make_parent, .fini = remove_parent);

static void write_it(void)
{
	cr_assert_eq(calibration_file__write(folder, &sample_calibration), 0);
}

static int read_it(void)
{
	struct calibration got = {.cold_percent = 77};
	int err = calibration_file__read(folder, &got);

	if (err)
		cr_assert_eq(got.cold_percent, 77, "outputs stay untouched on failure");
	else
		sample_calibration__check(&got);
	return err;
}

Test(calibration_file, is_remembered)
{
	struct stat stat_of_it;

	cr_assert_eq(read_it(), -ENOENT);
	write_it();
	cr_assert_eq(read_it(), 0);
	cr_assert_eq(stat(path, &stat_of_it), 0);
	cr_assert_eq(stat_of_it.st_mode & 077, 0, "nobody else may do anything with it");
	write_it();
	cr_assert_eq(read_it(), 0);
}

Test(calibration_file, what_others_may_write_is_not_believed)
{
	write_it();
	cr_assert_eq(chmod(path, 0620), 0);
	cr_expect_eq(read_it(), -EPERM);
	cr_assert_eq(chmod(path, 0602), 0);
	cr_expect_eq(read_it(), -EPERM);
	cr_assert_eq(chmod(path, 0644), 0);
	cr_expect_eq(read_it(), 0);
	cr_assert_eq(chmod(folder, 0775), 0);
	cr_expect_eq(read_it(), -EPERM);
	cr_expect_eq(calibration_file__write(folder, &sample_calibration), -EPERM);
	cr_assert_eq(chmod(folder, 01777), 0);
	cr_expect_eq(read_it(), -EPERM);
	cr_expect_eq(calibration_file__write(folder, &sample_calibration), -EPERM);
}

Test(calibration_file, what_belongs_to_others_is_not_believed)
{
	if (geteuid() != 0)
		cr_skip_test("needs root");
	write_it();
	cr_assert_eq(chown(path, 65534, 65534), 0);
	cr_expect_eq(read_it(), -EPERM);
	cr_assert_eq(chown(path, 0, 0), 0);
	cr_expect_eq(read_it(), 0);
	cr_assert_eq(chown(folder, 65534, 0), 0);
	cr_expect_eq(read_it(), -EPERM);
	cr_expect_eq(calibration_file__write(folder, &sample_calibration), -EPERM);
}

Test(calibration_file, links_pipes_and_folders_are_no_files)
{
	char elsewhere[128];

	write_it();
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", parent);
	cr_assert_eq(rename(path, elsewhere), 0);
	cr_assert_eq(symlink(elsewhere, path), 0);
	cr_expect_eq(read_it(), -EPROTO);
	write_it();
	cr_expect_eq(read_it(), 0, "a new one takes the link's place");
	unlink(elsewhere);
	unlink(path);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(read_it(), -EPROTO, "and nobody waits");
	unlink(path);
	cr_assert_eq(mkdir(path, 0700), 0);
	cr_expect_eq(read_it(), -EPROTO);
	rmdir(path);
	rmdir(folder);
	cr_assert_eq(symlink(parent, folder), 0);
	cr_expect_lt(read_it(), 0, "nor is a link a folder");
	cr_expect_lt(calibration_file__write(folder, &sample_calibration), 0);
}

Test(calibration_file, contents_that_are_none)
{
	static const char *const bad[] = {"", "\n", "gleakd calibration 1\n", "\177ELF"};
	char *huge = calloc(1, 1 << 20);
	FILE *file;

	cr_assert_not_null(huge);
	write_it();
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		file = fopen(path, "w");
		cr_assert_not_null(file);
		fputs(bad[i], file);
		fclose(file);
		cr_expect_eq(read_it(), -ESTALE, "%zu", i);
	}
	file = fopen(path, "w");
	cr_assert_not_null(file);
	cr_assert_eq(fwrite(huge, 1 << 20, 1, file), 1);
	fclose(file);
	cr_expect_eq(read_it(), -EPROTO);
	free(huge);
}

Test(calibration_file, the_folder)
{
	unsetenv("RUNTIME_DIRECTORY");
	cr_expect_str_eq(calibration_file__folder(), "/run/gleakd");
	setenv("RUNTIME_DIRECTORY", "", 1);
	cr_expect_str_eq(calibration_file__folder(), "/run/gleakd");
	setenv("RUNTIME_DIRECTORY", "/run/other", 1);
	cr_expect_str_eq(calibration_file__folder(), "/run/other");
	setenv("RUNTIME_DIRECTORY", "/run/a:/run/b", 1);
	cr_expect_null(calibration_file__folder());
	setenv("RUNTIME_DIRECTORY", "here", 1);
	cr_expect_null(calibration_file__folder());
}

Test(calibration_file, no_place_for_it)
{
	cr_expect_eq(calibration_file__write("/nowhere/gleakd", &sample_calibration), -ENOENT);
	cr_expect_eq(calibration_file__read("/nowhere/gleakd", &(struct calibration){0}), -ENOENT);
}
