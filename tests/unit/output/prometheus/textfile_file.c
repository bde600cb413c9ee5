// SPDX-License-Identifier: Apache-2.0
#include "output/prometheus/textfile.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sample.h"

static const struct textfile_options options = {.version = "1"};

static char directory[] = "/tmp/gleakd-textfile-XXXXXX";
static char path[64], temp[80];
static struct sample sample;

static void open_directory(void)
{
	cr_assert_not_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/gleakd.prom", directory);
	snprintf(temp, sizeof(temp), "%s.tmp", path);
	sample__leaks(&sample);
}

static void close_directory(void)
{
	/* One of them may be a directory. */
	remove(temp);
	remove(path);
	cr_expect_eq(rmdir(directory), 0, "something is left in %s", directory);
}

TestSuite(textfile_file, .init = open_directory, .fini = close_directory);

static int replace(struct failure *failure)
{
	return textfile__replace(path, &sample.report, &options, failure);
}

static size_t entries(void)
{
	DIR *dir = opendir(directory);
	size_t n = 0;

	cr_assert_not_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	cr_assert_not_null(file);
	fputs(text, file);
	cr_assert_eq(fclose(file), 0);
}

static void expect_file(const char *name, const char *wanted)
{
	char got[64] = "";
	FILE *file = fopen(name, "r");

	cr_assert_not_null(file, "no %s", name);
	cr_expect(fgets(got, sizeof(got), file));
	fclose(file);
	cr_expect_eq(strncmp(got, wanted, strlen(wanted)), 0, "%s holds %s", name, got);
}

#define NEW "# HELP gleakd_build_info "

Test(textfile_file, is_what_is_rendered_for_everybody_to_read)
{
	struct sample_stream stream;
	struct stat st;
	char *got;
	FILE *file;

	umask(077);
	cr_assert_eq(replace(NULL), 0);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0644);
	cr_expect_eq(entries(), 1);
	sample__open(&stream);
	cr_assert_eq(textfile__render(stream.file, &sample.report, &options), 0);
	got = calloc(1, (size_t)st.st_size + 1);
	file = fopen(path, "r");
	cr_assert(got && file);
	cr_expect_eq(fread(got, 1, (size_t)st.st_size, file), (size_t)st.st_size);
	cr_expect_str_eq(got, sample__added(&stream));
	fclose(file);
	free(got);
	sample__close(&stream);
}

/* A reader that has the old one open goes on reading it. */
Test(textfile_file, is_replaced_at_once)
{
	char got[8] = "";
	int fd;

	write_file(path, "old\n");
	fd = open(path, O_RDONLY);
	cr_assert_eq(replace(NULL), 0);
	cr_expect_eq(read(fd, got, sizeof(got)), 4);
	cr_expect_str_eq(got, "old\n");
	close(fd);
	expect_file(path, NEW);
	cr_expect_eq(entries(), 1);
}

Test(textfile_file, leftover_of_a_killed_one_is_cleaned_up)
{
	write_file(temp, "half a li");
	cr_assert_eq(chmod(temp, 0400), 0);
	cr_assert_eq(replace(NULL), 0);
	expect_file(path, NEW);
	cr_expect_eq(entries(), 1);
}

Test(textfile_file, no_link_is_followed)
{
	char victim[64];

	snprintf(victim, sizeof(victim), "%s/victim", directory);
	write_file(victim, "precious\n");
	cr_assert_eq(symlink(victim, temp), 0);
	cr_assert_eq(replace(NULL), 0);
	expect_file(victim, "precious\n");
	expect_file(path, NEW);
	unlink(victim);
}

Test(textfile_file, nothing_is_waited_for)
{
	cr_assert_eq(mkfifo(temp, 0600), 0);
	alarm(10);
	cr_assert_eq(replace(NULL), 0);
	expect_file(path, NEW);
	cr_expect_eq(entries(), 1);
}

Test(textfile_file, two_writers_do_not_disturb_one_another)
{
	struct failure failure = {""};
	int fd = open(temp, O_WRONLY | O_CREAT, 0600);

	write_file(path, "old\n");
	cr_assert_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	cr_expect_eq(replace(&failure), -EBUSY);
	cr_expect_not_null(strstr(failure.text, "another gleakd"), "%s", failure.text);
	cr_expect_eq(access(temp, F_OK), 0);
	expect_file(path, "old\n");
	close(fd);
	cr_expect_eq(replace(&failure), 0);
	expect_file(path, NEW);
}

Test(textfile_file, no_room_leaves_the_old_one_as_it_is)
{
	const struct rlimit small = {100, RLIM_INFINITY},
			    unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct failure failure = {""};

	write_file(path, "old\n");
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	cr_expect_eq(replace(&failure), -EFBIG);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &unlimited), 0);
	cr_expect_not_null(strstr(failure.text, "make room"), "%s", failure.text);
	expect_file(path, "old\n");
	cr_expect_eq(entries(), 1);
}

Test(textfile_file, missing_directory)
{
	struct failure failure = {""};

	cr_expect_eq(
		textfile__replace("/nonexistent/gleakd.prom", &sample.report, &options, &failure),
		-ENOENT);
	cr_expect_not_null(strstr(failure.text, "/nonexistent/gleakd.prom"), "%s", failure.text);
	cr_expect_not_null(strstr(failure.text, "create its directory"), "%s", failure.text);
}

Test(textfile_file, directories_in_the_way)
{
	struct failure failure = {""};

	cr_assert_eq(mkdir(path, 0700), 0);
	cr_expect_eq(replace(&failure), -EISDIR);
	cr_expect_not_null(strstr(failure.text, "has to be a file"), "%s", failure.text);
	cr_expect_eq(entries(), 1, "the new file is left");
	cr_assert_eq(rmdir(path), 0);
	cr_assert_eq(mkdir(temp, 0700), 0);
	cr_expect_eq(replace(&failure), -EISDIR);
	cr_expect_eq(entries(), 1);
}

Test(textfile_file, removed_at_an_orderly_end)
{
	struct failure failure = {""};

	cr_assert_eq(replace(NULL), 0);
	cr_expect_eq(textfile__remove(path, &failure), 0);
	cr_expect_eq(entries(), 0);
	cr_expect_eq(textfile__remove(path, &failure), 0);
	cr_expect_eq(textfile__remove("/nonexistent/gleakd.prom", &failure), 0);
	cr_expect_eq(textfile__remove(directory, &failure), -EISDIR);
	cr_expect_not_null(strstr(failure.text, directory), "%s", failure.text);
}

Test(textfile_file, only_names_that_are_read)
{
	static const char *const good[] = {"gleakd.prom", "/a/b/gleakd.prom", "./.g.prom"};
	static const char *const bad[] = {"", "gleakd", "a.prom/", "gleakd.prom.txt", "prom"};
	struct failure failure = {""};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		cr_expect_eq(textfile__check_path(good[i], &failure), 0, "%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		failure.text[0] = '\0';
		cr_expect_eq(textfile__check_path(bad[i], &failure), -EINVAL, "%s", bad[i]);
		cr_expect_not_null(strstr(failure.text, "end in .prom"), "%s", failure.text);
	}
}
