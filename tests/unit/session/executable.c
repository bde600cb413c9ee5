// SPDX-License-Identifier: Apache-2.0
/* Who shares what. */
#include "session/executable.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

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

static void set_up(void)
{
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
	err = executables__take(executables, fake_proc__root(), &process, ret_program, &failure);
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
