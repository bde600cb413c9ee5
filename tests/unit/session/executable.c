// SPDX-License-Identifier: Apache-2.0
/* Who shares what. */
#include "session/executable.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_go.h"
#include "fake_proc.h"

#define ROOT_USER 0
#define A_USER	  1009

static struct fake_go fake;
static struct executables *executables;

/* The names are asked for elsewhere (fake_symbolizer.c). */
int symbolizer__new(struct go_binary *binary, struct symbolizer **ret_symbolizer)
{
	cr_expect_not_null(binary);
	*ret_symbolizer = NULL;
	return 0;
}

void symbolizer__free(struct symbolizer *symbolizer __maybe_unused)
{
}

static const char *added_module;

int symbolizer__add_module(struct symbolizer *symbolizer __maybe_unused,
			   struct go_binary *binary __maybe_unused, const char *name)
{
	added_module = name;
	return 0;
}

static const struct exe_file *expected; /* NULL: any */

static void set_up(void)
{
	expected = NULL;
	fake_proc__make();
	fake_go__make(&fake, &(struct fake_options){.version = "go1.26.8", .symbols = true});
	fake_exe__put_bytes("server", fake.file, sizeof(fake.file));
	cr_assert_eq(executables__new(&executables), 0);
}

static void tear_down(void)
{
	cr_expect_eq(executables__count(executables), 0);
	executables__free(executables);
	fake_go__release(&fake);
	fake_proc__remove();
}

TestSuite(executable, .init = set_up, .fini = tear_down);

static int take(int pid, const char *exe, uid_t uid, struct executable **ret_program)
{
	const struct process_info process = {.id = {.pid = pid, .start_time = 100}, .uid = uid};
	struct failure failure = {0};
	int err;

	if (exe)
		fake_process__put(&(struct fake_process){
			.pid = pid, .exe = exe, .uid = uid, .start_seconds = 1});
	err = executables__take(executables, fake_proc__root(), &process, NULL, expected,
				ret_program, &failure);
	if (err)
		cr_expect(failure.text[0]);
	return err;
}

Test(executable, is_shared_by_processes_of_one_file)
{
	struct executable *first, *second;

	cr_assert_eq(take(7, "server", ROOT_USER, &first), 0);
	cr_assert_eq(take(8, "server", ROOT_USER, &second), 0);
	cr_expect_eq(first, second);
	executables__put(executables, first);
	cr_expect_eq(executables__count(executables), 1, "the other one still needs it");
	executables__put(executables, second);
	cr_expect_eq(executables__count(executables), 0);
	executables__put(executables, NULL);
}

/* It was another one when somebody decided to watch it. */
Test(executable, that_is_not_the_expected_one_is_refused)
{
	struct executable *first, *second = NULL;
	struct exe_file file;

	cr_assert_eq(take(7, "server", ROOT_USER, &first), 0);
	file = first->file;
	expected = &file;
	fake_exe__put_bytes("other", fake.file, sizeof(fake.file));
	cr_expect_eq(take(8, "other", ROOT_USER, &second), -ESRCH);
	cr_expect_null(second);
	cr_assert_eq(take(9, "server", ROOT_USER, &second), 0);
	cr_expect_eq(first, second);
	executables__put(executables, first);
	executables__put(executables, second);
}

Test(executable, is_not_shared_among_users)
{
	struct executable *roots, *users;

	cr_assert_eq(take(7, "server", ROOT_USER, &roots), 0);
	cr_assert_eq(take(8, "server", A_USER, &users), 0);
	cr_expect_neq(roots, users);
	cr_expect_eq(executables__count(executables), 2);
	executables__put(executables, users);
	executables__put(executables, roots);
}

Test(executable, replaced_in_place_is_another_one)
{
	struct executable *before, *after;

	cr_assert_eq(take(7, "server", ROOT_USER, &before), 0);
	fake_exe__rename("server", "server.old");
	fake_exe__put_bytes("server", fake.file, sizeof(fake.file));
	cr_assert_eq(take(8, "server", ROOT_USER, &after), 0);
	cr_expect_neq(before, after);
	executables__put(executables, before);
	executables__put(executables, after);
}

Test(executable, refused_leaves_nothing)
{
	struct executable *executable = NULL;

	fake_exe__put("script", FAKE_SCRIPT);
	cr_expect_eq(take(7, "script", ROOT_USER, &executable), -ENOEXEC);
	cr_expect_eq(take(9, NULL, ROOT_USER, &executable), -ESRCH);
	cr_expect_null(executable);
}

static int bind(struct executable *executable)
{
	struct failure failure = {0};
	struct remote *remote;
	int err;

	fake.ranges[0] = (struct remote_range){FAKE_DATA, fake.memory, sizeof(fake.memory)};
	fake.ranges[1] = (struct remote_range){FAKE_HEAP, fake.heap, sizeof(fake.heap)};
	cr_assert_eq(remote__open_image(fake.ranges, ARRAY_SIZE(fake.ranges), &remote), 0);
	err = executable__bind(executable, remote, 0, &failure);
	remote__free(remote);
	return err;
}

Test(executable, names_are_made_when_first_bound)
{
	struct executable *executable;
	struct places *places;

	cr_assert_eq(take(7, "server", ROOT_USER, &executable), 0);
	fake_go__set(&fake, FAKE_ALLGLEN, 0);
	cr_expect_eq(bind(executable), -EAGAIN, "its runtime has not started yet");
	cr_expect_null(executable->places);
	fake_go__set(&fake, FAKE_ALLGLEN, FAKE_N_G);
	cr_assert_eq(bind(executable), 0);
	places = executable->places;
	cr_expect_not_null(places);
	cr_assert_eq(bind(executable), 0);
	cr_expect_eq(executable->places, places);
	executables__put(executables, executable);
}

/* --- plugins -------------------------------------------------------------------------------------- */

/* What process @pid has mapped at @start, as map_files shows it. */
static struct mapped_file map_exe(int pid, uint64_t start, const char *name)
{
	struct mapped_file mapped = {.start = start, .end = start + 0x1000, .inode = start};
	char folder[64], link[128], file[128];

	snprintf(mapped.path, sizeof(mapped.path), "/lib/%s", name);
	snprintf(folder, sizeof(folder), "%s/%d/map_files", fake_proc__root(), pid);
	mkdir(folder, 0755);
	snprintf(link, sizeof(link), "%s/%llx-%llx", folder, (unsigned long long)start,
		 (unsigned long long)start + 0x1000);
	snprintf(file, sizeof(file), "%s/bin/%s", fake_proc__root(), name);
	cr_assert_eq(symlink(file, link), 0);
	return mapped;
}

static uint32_t number_of(struct executable *executable, int pid, const struct mapped_file *mapped)
{
	uint32_t number = 0;

	cr_assert_eq(executable__module(executable, fake_proc__root(), pid, mapped, 0, &number), 0);
	return number;
}

/* --- libraries ------------------------------------------------------------------------------------ */

static int take_place(int pid, const struct runtime_place *place, struct executable **ret_program,
		      struct failure *failure)
{
	const struct process_info process = {.id = {.pid = pid, .start_time = 100}};

	return executables__take(executables, fake_proc__root(), &process, place, NULL, ret_program,
				 failure);
}

Test(executable, of_a_library_is_shared_like_any_other)
{
	struct executable *own, *library, *again;
	struct failure failure = {0};
	struct runtime_place place;

	cr_assert_eq(take(7, "server", ROOT_USER, &own), 0);
	cr_assert_eq(take(8, "server", ROOT_USER, &again), 0);
	executables__put(executables, again);
	fake_exe__put_bytes("libgo.so", fake.file, sizeof(fake.file));
	place = (struct runtime_place){.mapped = map_exe(7, 0x10000, "libgo.so")};
	cr_assert_eq(take_place(7, &place, &library, &failure), 0, "%s", failure.text);
	cr_expect_neq(library, own);
	place = (struct runtime_place){.mapped = map_exe(8, 0x50000, "libgo.so")};
	cr_assert_eq(take_place(8, &place, &again, &failure), 0, "%s", failure.text);
	cr_expect_eq(again, library);
	cr_expect_eq(executables__count(executables), 2);
	executables__put(executables, again);
	executables__put(executables, library);
	executables__put(executables, own);
}

Test(executable, a_library_that_is_none_or_out_of_reach)
{
	struct executable *executable = NULL;
	struct runtime_place place = {.mapped = {.start = 0x1000, .inode = 7, .path = "/gone"}};
	struct failure failure = {0};
	char root[PATH_MAX];

	fake_process__put(&(struct fake_process){.pid = 7, .exe = "server", .start_seconds = 1});
	snprintf(root, sizeof(root), "%s/7/root", fake_proc__root());
	cr_assert_eq(symlink(".", root), 0);
	cr_expect_eq(take_place(7, &place, &executable, &failure), -ESTALE);
	cr_expect(strstr(failure.text, "/gone"), "%s", failure.text);
	fake_exe__put("libc.so", FAKE_C);
	place.mapped = map_exe(7, 0x10000, "libc.so");
	cr_expect_eq(take_place(7, &place, &executable, &failure), -ENOEXEC);
	cr_expect_null(executable);
}

Test(executable, a_plugin_has_one_number_in_all_processes)
{
	struct executable *executable, *same;
	struct mapped_file one, other;

	cr_assert_eq(take(7, "server", ROOT_USER, &executable), 0);
	cr_assert_eq(take(8, "server", ROOT_USER, &same), 0);
	fake_exe__put_bytes("one.so", fake.file, sizeof(fake.file));
	fake_exe__put_bytes("other.so", fake.file, sizeof(fake.file));
	one = map_exe(7, 0x10000, "one.so");
	other = map_exe(7, 0x20000, "other.so");
	cr_expect_eq(number_of(executable, 7, &one), 1);
	cr_expect_str_eq(added_module, "one.so");
	cr_expect_eq(number_of(executable, 7, &other), 2);
	cr_expect_eq(number_of(executable, 7, &one), 1);
	/* Loaded in another order, at other addresses. */
	other = map_exe(8, 0x30000, "other.so");
	one = map_exe(8, 0x40000, "one.so");
	cr_expect_eq(number_of(executable, 8, &other), 2);
	cr_expect_eq(number_of(executable, 8, &one), 1);
	cr_expect_eq(executable->n_modules, 2);
	cr_expect_not_null(executable->modules[1]->binary);
	executables__put(executables, executable);
	executables__put(executables, same);
}

Test(executable, a_plugin_is_read_once_more_for_whom_it_does_not_fit)
{
	struct executable *executable;
	struct mapped_file one, other;
	uint32_t number = 0;

	cr_assert_eq(take(7, "server", ROOT_USER, &executable), 0);
	fake_exe__put_bytes("one.so", fake.file, sizeof(fake.file));
	fake_exe__put_bytes("other.so", fake.file, sizeof(fake.file));
	one = map_exe(7, 0x10000, "one.so");
	other = map_exe(7, 0x20000, "other.so");
	cr_expect_eq(number_of(executable, 7, &one), 1);
	cr_expect_eq(number_of(executable, 7, &other), 2);
	for (uint32_t i = 1; i < EXECUTABLE_MODULE_TRIES; i++) {
		cr_assert_eq(executable__module(executable, fake_proc__root(), 7, &one, number + 1,
						&number),
			     0);
		cr_expect_eq(number, i + 2);
	}
	cr_expect_eq(executable__module(executable, fake_proc__root(), 7, &one, number, &number),
		     -ENOSPC, "it ends");
	cr_expect_eq(number, EXECUTABLE_MODULE_TRIES + 1, "untouched on failure");
	cr_expect_eq(executable__module(executable, fake_proc__root(), 7, &one, 1, &number), 0);
	cr_expect_eq(number, 3, "that of whoever came before");
	cr_expect_eq(number_of(executable, 7, &one), 1);
	cr_expect_eq(number_of(executable, 7, &other), 2);
	executables__put(executables, executable);
}

Test(executable, a_plugin_that_cannot_be_read_is_one_too)
{
	struct mapped_file gone = {
		.start = 1, .end = 2, .inode = 17, .path = "/lib/gone.so", .removed = true};
	struct executable *executable;
	struct mapped_file script;

	cr_assert_eq(take(7, "server", ROOT_USER, &executable), 0);
	cr_expect_eq(number_of(executable, 7, &gone), 1);
	cr_expect_str_eq(added_module, "gone.so");
	cr_expect_null(executable->modules[0]->binary);
	cr_expect(executable->modules[0]->reason.text[0]);
	cr_expect_eq(number_of(executable, 7, &gone), 1);
	fake_exe__put("script", FAKE_SCRIPT);
	script = map_exe(7, 0x10000, "script");
	cr_expect_eq(number_of(executable, 7, &script), 2);
	cr_expect_null(executable->modules[1]->binary);
	executables__put(executables, executable);
}
