// SPDX-License-Identifier: Apache-2.0
/* Who shares what. */
#include "session/program.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "fake_go.h"
#include "fake_proc.h"

#define ROOT_USER 0
#define A_USER	  1009

static struct fake_go fake;
static struct programs *programs;

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
	cr_assert_eq(programs__new(&programs), 0);
}

static void tear_down(void)
{
	cr_expect_eq(programs__count(programs), 0);
	programs__free(programs);
	fake_go__release(&fake);
	fake_proc__remove();
}

TestSuite(program, .init = set_up, .fini = tear_down);

static int take(int pid, const char *exe, uid_t uid, struct program **ret_program)
{
	const struct process_info process = {.id = {.pid = pid, .start_time = 100}, .uid = uid};
	struct failure failure = {0};
	int err;

	if (exe)
		fake_process__put(&(struct fake_process){
			.pid = pid, .exe = exe, .uid = uid, .start_seconds = 1});
	err = programs__take(programs, fake_proc__root(), &process, ret_program, &failure);
	if (err)
		cr_expect(failure.text[0]);
	return err;
}

Test(program, is_shared_by_processes_of_one_file)
{
	struct program *first, *second;

	cr_assert_eq(take(7, "server", ROOT_USER, &first), 0);
	cr_assert_eq(take(8, "server", ROOT_USER, &second), 0);
	cr_expect_eq(first, second);
	programs__put(programs, first);
	cr_expect_eq(programs__count(programs), 1, "the other one still needs it");
	programs__put(programs, second);
	cr_expect_eq(programs__count(programs), 0);
	programs__put(programs, NULL);
}

Test(program, is_not_shared_among_users)
{
	struct program *roots, *users;

	cr_assert_eq(take(7, "server", ROOT_USER, &roots), 0);
	cr_assert_eq(take(8, "server", A_USER, &users), 0);
	cr_expect_neq(roots, users);
	cr_expect_eq(programs__count(programs), 2);
	programs__put(programs, users);
	programs__put(programs, roots);
}

Test(program, replaced_in_place_is_another_one)
{
	struct program *before, *after;

	cr_assert_eq(take(7, "server", ROOT_USER, &before), 0);
	fake_exe__rename("server", "server.old");
	fake_exe__put_bytes("server", fake.file, sizeof(fake.file));
	cr_assert_eq(take(8, "server", ROOT_USER, &after), 0);
	cr_expect_neq(before, after);
	programs__put(programs, before);
	programs__put(programs, after);
}

Test(program, refused_leaves_nothing)
{
	struct program *program = NULL;

	fake_exe__put("script", FAKE_SCRIPT);
	cr_expect_eq(take(7, "script", ROOT_USER, &program), -ENOEXEC);
	cr_expect_eq(take(9, NULL, ROOT_USER, &program), -ESRCH);
	cr_expect_null(program);
}

static int bind(struct program *program)
{
	struct failure failure = {0};
	struct remote *remote;
	int err;

	fake.ranges[0] = (struct remote_range){FAKE_DATA, fake.memory, sizeof(fake.memory)};
	fake.ranges[1] = (struct remote_range){FAKE_HEAP, fake.heap, sizeof(fake.heap)};
	cr_assert_eq(remote__open_image(fake.ranges, ARRAY_SIZE(fake.ranges), &remote), 0);
	err = program__bind(program, remote, 0, &failure);
	remote__free(remote);
	return err;
}

Test(program, names_are_made_when_first_bound)
{
	struct program *program;
	struct places *places;

	cr_assert_eq(take(7, "server", ROOT_USER, &program), 0);
	fake_go__set(&fake, FAKE_ALLGLEN, 0);
	cr_expect_eq(bind(program), -EAGAIN, "its runtime has not started yet");
	cr_expect_null(program->places);
	fake_go__set(&fake, FAKE_ALLGLEN, FAKE_N_G);
	cr_assert_eq(bind(program), 0);
	places = program->places;
	cr_expect_not_null(places);
	cr_assert_eq(bind(program), 0);
	cr_expect_eq(program->places, places);
	programs__put(programs, program);
}
