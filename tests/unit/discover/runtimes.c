// SPDX-License-Identifier: Apache-2.0
/* On a tree made by fake_proc.c: process 7, whose root is a folder with libraries in it. */
#include "discover/runtimes.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_proc.h"

#define PID 7

static struct exe_cache *files;
static struct runtimes *found;
static FILE *maps;
static uint64_t next_address;

static const char *inside(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%d/%s", fake_proc__root(), PID, name);
	return path;
}

static void put_library(const char *name, enum fake_exe kind)
{
	char from[PATH_MAX], to[64];

	fake_exe__put(name, kind);
	snprintf(from, sizeof(from), "%s/bin/%s", fake_proc__root(), name);
	snprintf(to, sizeof(to), "container/%s", name);
	cr_assert_eq(link(from, inside(to)), 0);
}

/* In the order of the calls, which is that of the addresses. */
static void map(const char *name, const char *protection)
{
	char path[64];
	struct stat file;

	snprintf(path, sizeof(path), "container/%s", name);
	cr_assert_eq(stat(inside(path), &file), 0);
	next_address += 0x10000;
	fprintf(maps, "%lx-%lx %s 00000000 00:00 %lu   /%s\n", (unsigned long)next_address,
		(unsigned long)next_address + 0x1000, protection, (unsigned long)file.st_ino, name);
}

static void execute(const char *name)
{
	char exe[PATH_MAX];

	snprintf(exe, sizeof(exe), "%s/bin/%s", fake_proc__root(), name);
	unlink(inside("exe"));
	cr_assert_eq(symlink(exe, inside("exe")), 0);
}

static void set_up(void)
{
	fake_proc__make();
	fake_exe__put("python", FAKE_C);
	fake_process__put(&(struct fake_process){.pid = PID, .exe = "python"});
	cr_assert_eq(mkdir(inside("container"), 0755), 0);
	cr_assert_eq(symlink("container", inside("root")), 0);
	put_library("libc.so", FAKE_C);
	put_library("libgo.so", FAKE_GO);
	put_library("codec.so", FAKE_GO);
	cr_assert_eq(exe_cache__new(16, &files), 0);
	next_address = 0x7f0000000000;
	maps = fopen(inside("maps"), "w");
	cr_assert_not_null(maps);
}

static void tear_down(void)
{
	free(found);
	exe_cache__free(files);
	fake_proc__remove();
}

TestSuite(runtimes, .init = set_up, .fini = tear_down);

static void find(void)
{
	fflush(maps);
	free(found);
	cr_assert_eq(runtimes__find(fake_proc__root(), PID, files, &found), 0);
}

Test(runtimes, are_those_made_by_go_in_the_order_of_their_names)
{
	map("libgo.so", "r-xp");
	map("libc.so", "r-xp");
	map("codec.so", "r-xp");
	find();
	cr_assert_eq(found->n, 2);
	cr_expect_str_eq(found->places[0].mapped.path, "/codec.so");
	cr_expect_str_eq(found->places[1].mapped.path, "/libgo.so");
	cr_expect_eq(found->places[1].mapped.start, 0x7f0000010000);
	cr_expect_neq(found->places[0].file.file.inode, 0);
	cr_expect_eq(found->opened, 3);
	cr_expect_eq(found->refused, 0);
	cr_expect_eq(found->not_opened, 0);
}

Test(runtimes, every_file_is_opened_once)
{
	map("libgo.so", "r-xp");
	map("libc.so", "r-xp");
	map("libgo.so", "r-xp");
	find();
	cr_expect_eq(found->opened, 2);
	cr_expect_eq(found->n, 2, "mapped twice: the runtime may be in either");
	find();
	cr_expect_eq(found->opened, 0);
	cr_expect_eq(found->n, 2);
}

Test(runtimes, need_code)
{
	map("libgo.so", "r--p");
	map("libgo.so", "rw-p");
	find();
	cr_expect_eq(found->n, 0);
	cr_expect_eq(found->opened, 0, "a file that is only read is none of our business");
}

/* The executable has a way of its own, unless that is ld.so: then the program is among the rest. */
Test(runtimes, are_beside_the_executable)
{
	put_library("server", FAKE_GO);
	execute("server");
	map("server", "r-xp");
	map("libgo.so", "r-xp");
	find();
	cr_assert_eq(found->n, 1);
	cr_expect_str_eq(found->places[0].mapped.path, "/libgo.so");

	put_library("ld.so", FAKE_C);
	execute("ld.so");
	find();
	cr_assert_eq(found->n, 2);
	cr_expect_str_eq(found->places[1].mapped.path, "/server");
}

Test(runtimes, what_was_refused_is_not_found_again)
{
	map("libgo.so", "r-xp");
	map("codec.so", "r-xp");
	find();
	cr_assert_eq(found->n, 2);
	runtimes__refuse(files, &found->places[0], PID);
	find();
	cr_assert_eq(found->n, 1);
	cr_expect_str_eq(found->places[0].mapped.path, "/libgo.so");
}

Test(runtimes, another_file_by_the_same_name_is_looked_at)
{
	map("libc.so", "r-xp");
	find();
	cr_assert_eq(found->n, 0);
	cr_assert_eq(unlink(inside("container/libc.so")), 0);
	put_library("libc.so", FAKE_GO);
	rewind(maps);
	map("libc.so", "r-xp");
	find();
	cr_expect_eq(found->n, 1);
}

/* Removed since, and no way to it: its process's memory cannot be read either. */
Test(runtimes, a_file_out_of_reach_is_counted)
{
	map("libgo.so", "r-xp");
	cr_assert_eq(unlink(inside("container/libgo.so")), 0);
	find();
	cr_expect_eq(found->n, 0);
	cr_expect_eq(found->not_opened, 1);
}

Test(runtimes, are_limited)
{
	for (int i = 0; i < RUNTIMES_MAX + 3; i++)
		map("libgo.so", "r-xp");
	find();
	cr_expect_eq(found->n, RUNTIMES_MAX);
	cr_expect_eq(found->refused, 3);
}

Test(runtimes, a_process_that_is_gone)
{
	cr_expect_eq(runtimes__find(fake_proc__root(), PID + 1, files, &found), -ESRCH);
	cr_expect_null(found);
}

Test(runtimes, fingerprint_is_of_what_code_is_run_from)
{
	uint64_t before, after;

	map("libc.so", "r-xp");
	fflush(maps);
	cr_assert_eq(runtimes__fingerprint(fake_proc__root(), PID, &before), 0);
	find();
	cr_expect_eq(found->fingerprint, before);
	map("libgo.so", "r--p");
	fflush(maps);
	cr_assert_eq(runtimes__fingerprint(fake_proc__root(), PID, &after), 0);
	cr_expect_eq(after, before, "no code");
	map("libgo.so", "r-xp");
	fflush(maps);
	cr_assert_eq(runtimes__fingerprint(fake_proc__root(), PID, &after), 0);
	cr_expect_neq(after, before);
	cr_expect_neq(runtimes__fingerprint(fake_proc__root(), PID + 1, &after), 0);
}

Test(runtimes, that_cannot_be_watched_are_named)
{
	map("libgo.so", "r-xp");
	map("codec.so", "r-xp");
	find();
	cr_expect_eq(found->unsupported_with, 0);
	runtimes__refuse(files, &found->places[1], 4711);
	find();
	cr_expect_eq(found->n, 1);
	cr_expect_eq(found->unsupported_with, 4711);
	cr_expect_str_eq(found->unsupported, "/libgo.so");
}

Test(runtimes, one_thread_alone_runs_none)
{
	struct failure failure = {""};

	cr_expect_eq(runtimes__check_threads(fake_proc__root(), PID, &failure), -EAGAIN);
	cr_expect(strstr(failure.text, "fork()"), "%s", failure.text);
	cr_expect_eq(runtimes__check_threads(fake_proc__root(), PID + 1, &failure), 0,
		     "whoever is gone is told so by others");
}
