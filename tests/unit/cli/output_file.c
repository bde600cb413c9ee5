// SPDX-License-Identifier: Apache-2.0
#include "cli/output_file.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "made_tree.h"

static char path[96], other[96];

static void make_folder(void)
{
	const char *folder = made_tree__new();

	snprintf(path, sizeof(path), "%s/file", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	umask(022);
}

TestSuite(output_file, .init = make_folder, .fini = made_tree__remove);

static void expect(const char *name, const char *wanted)
{
	char text[64] = "";
	FILE *file = fopen(name, "r");

	cr_assert_not_null(file, "%s is not there", name);
	cr_expect(fread(text, 1, sizeof(text) - 1, file) < sizeof(text));
	cr_expect_str_eq(text, wanted);
	fclose(file);
}

static struct stat stat_of(const char *name)
{
	struct stat found;

	cr_assert_eq(lstat(name, &found), 0, "%s", name);
	return found;
}

static size_t names_in_folder(void)
{
	DIR *dir = opendir(made_tree__path(""));
	size_t n = 0;

	cr_assert_not_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2; /* . and .. */
}

static struct output_file *begin(const char *text)
{
	struct failure failure = {""};
	struct output_file *file;

	cr_assert_eq(output_file__open("--report", path, &file, &failure), 0, "%s", failure.text);
	fputs(text, output_file__out(file));
	return file;
}

static void write_all(const char *text)
{
	struct output_file *file = begin(text);
	struct failure failure = {""};

	cr_assert_eq(output_file__keep(file, &failure), 0, "%s", failure.text);
	output_file__close(file);
}

Test(output_file, what_fails_leaves_nothing)
{
	output_file__close(begin("half"));
	cr_expect_eq(names_in_folder(), 0);
}

Test(output_file, what_fails_leaves_what_was_there)
{
	made_tree__put("file", "something");
	output_file__close(begin("half"));
	expect(path, "something");
	cr_expect_eq(names_in_folder(), 1);
}

Test(output_file, a_new_one_is_for_whom_the_umask_says)
{
	write_all("all");
	expect(path, "all");
	cr_expect_eq(stat_of(path).st_mode & 0777, 0644);
	cr_expect_eq(names_in_folder(), 1);
}

Test(output_file, one_that_was_there_is_for_whom_it_was)
{
	made_tree__put("file", "something longer than what comes");
	cr_assert_eq(chmod(path, 0640), 0);
	write_all("all");
	expect(path, "all");
	cr_expect_eq(stat_of(path).st_mode & 0777, 0640);
	cr_expect_eq(names_in_folder(), 1);
}

/* Until it is whole there is what was there. */
Test(output_file, it_is_replaced_at_once)
{
	struct failure failure = {""};
	struct output_file *file;

	made_tree__put("file", "something");
	file = begin("all");
	fflush(output_file__out(file));
	expect(path, "something");
	cr_assert_eq(output_file__keep(file, &failure), 0);
	expect(path, "all");
	output_file__close(file);
}

Test(output_file, a_link_stays_one)
{
	made_tree__put("other", "something longer than what comes");
	cr_assert_eq(symlink(other, path), 0);
	output_file__close(begin("half"));
	expect(other, "something longer than what comes");
	write_all("all");
	expect(other, "all");
	cr_expect(S_ISLNK(stat_of(path).st_mode));
	cr_expect_eq(names_in_folder(), 2);
}

Test(output_file, several_names_stay_one_file)
{
	made_tree__put("other", "something");
	cr_assert_eq(link(other, path), 0);
	write_all("all");
	expect(other, "all");
	expect(path, "all");
}

Test(output_file, its_owner_stays_its_owner)
{
	if (geteuid())
		cr_skip_test("only root can give files away");
	made_tree__put("file", "something");
	cr_assert_eq(chown(path, 65534, 65534), 0);
	write_all("all");
	expect(path, "all");
	cr_expect_eq(stat_of(path).st_uid, 65534);
	cr_expect_eq(names_in_folder(), 1);
}

Test(output_file, whom_another_writes_is_left_to_it)
{
	struct output_file *first = begin("first"), *second;
	struct failure failure = {""};

	cr_assert_eq(output_file__open("--report", path, &second, &failure), -EBUSY);
	cr_expect_not_null(strstr(failure.text, "another gleakd"), "%s", failure.text);
	cr_assert_eq(output_file__keep(first, &failure), 0);
	output_file__close(first);
	expect(path, "first");
}

Test(output_file, devices_are_written_to)
{
	struct failure failure = {""};
	struct output_file *file;

	cr_assert_eq(symlink("/dev/full", path), 0);
	file = begin("all");
	cr_expect_eq(output_file__keep(file, &failure), -ENOSPC);
	cr_expect_not_null(strstr(failure.text, "No space left"), "%s", failure.text);
	output_file__close(file);
	cr_expect(S_ISCHR(stat_of("/dev/full").st_mode));
}

Test(output_file, what_cannot_be_written)
{
	struct failure failure = {""};
	struct output_file *file;

	cr_expect_eq(output_file__open("--report", made_tree__path(""), &file, &failure), -EISDIR);
	cr_expect_eq(output_file__open("--report", "/no/such/folder/file", &file, &failure),
		     -ENOENT);
	cr_expect_not_null(strstr(failure.text, "--report: /no/such/folder/file: "), "%s",
			   failure.text);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(output_file__open("--report", path, &file, &failure), -ENXIO);
	output_file__close(NULL);
}
