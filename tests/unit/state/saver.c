// SPDX-License-Identifier: Apache-2.0
#include "state/saver.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define LONG (60 * NSEC_PER_SEC)

static const struct runtime_id process = {.process = {.pid = 4242, .start_time = 777}};

static struct state_writer *state_for(const char *path)
{
	struct saved_process memory = {.created = 5};
	struct state_writer *writer;

	cr_assert_eq(state_writer__begin(path, &writer), 0);
	cr_assert_eq(state_writer__process(writer, &process, &memory), 0);
	return writer;
}

static struct state_saver *new_saver(int (*commit)(struct state_writer *, struct failure *))
{
	struct state_saver *saver = NULL;

	cr_assert_eq(state_saver__new(commit, &saver), 0);
	return saver;
}

static bool no_site(void *ctx, const struct saved_site *site)
{
	return ctx && site;
}

Test(state_saver, saved_in_the_background)
{
	char folder[] = "/tmp/gleakd-saver-XXXXXX", path[64];
	struct state_saver *saver = new_saver(state_writer__commit);
	struct failure failure = {""};
	struct state_file *file;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/state", folder);
	cr_expect_eq(state_saver__reap(saver, LONG, &failure), 0, "nothing was started");
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(state_saver__start(saver, state_for(path), &failure), 0);
		cr_assert_eq(state_saver__reap(saver, LONG, &failure), 1, "%s", failure.text);
		cr_expect_eq(state_saver__reap(saver, 0, &failure), 0, "told already");
	}
	state_saver__free(saver);
	cr_assert_eq(state_file__open(path, &file, &failure), 0, "%s", failure.text);
	cr_expect_eq(state_file__find(file, &process, no_site, NULL)->created, 5);
	state_file__close(file);
	cr_expect_eq(unlink(path), 0);
	cr_expect_eq(rmdir(folder), 0, "nothing but the file is left");
}

Test(state_saver, failures_are_told_once_and_do_not_last)
{
	struct state_saver *saver = new_saver(state_writer__commit);
	struct failure failure = {""};

	for (int i = 0; i < 2; i++) {
		cr_assert_eq(state_saver__start(saver, state_for("/nonexistent/state"), &failure),
			     0);
		cr_expect_eq(state_saver__reap(saver, LONG, &failure), -ENOENT);
		cr_expect_not_null(strstr(failure.text, "/nonexistent/state"));
		failure.text[0] = '\0';
		cr_expect_eq(state_saver__reap(saver, LONG, &failure), 0);
		cr_expect_str_empty(failure.text);
	}
	state_saver__free(saver);
}

/* --- a disk that takes its time ----------------------------------------------------------------- */

static sem_t go_on, reached;
static sigset_t mask_of_thread;

static int slow_commit(struct state_writer *writer, struct failure *failure)
{
	pthread_sigmask(SIG_SETMASK, NULL, &mask_of_thread);
	state_writer__abort(writer);
	sem_post(&reached);
	sem_wait(&go_on);
	return failure__set(failure, -EIO, "the disk is broken");
}

static struct state_saver *start_slow_one(void)
{
	struct state_saver *saver = new_saver(slow_commit);
	struct failure failure;

	sem_init(&go_on, 0, 0);
	sem_init(&reached, 0, 0);
	cr_assert_eq(state_saver__start(saver, state_for("slow"), &failure), 0);
	sem_wait(&reached);
	return saver;
}

Test(state_saver, one_at_a_time)
{
	struct state_saver *saver = start_slow_one();
	struct failure failure = {""};

	cr_expect_eq(state_saver__reap(saver, 0, &failure), -EINPROGRESS);
	cr_expect_eq(state_saver__start(saver, state_for("other"), &failure), -EBUSY);
	cr_expect_eq(state_saver__reap(saver, NSEC_PER_MSEC, &failure), -EINPROGRESS,
		     "the limit is kept");
	sem_post(&go_on);
	cr_expect_eq(state_saver__reap(saver, LONG, &failure), -EIO);
	cr_expect_str_eq(failure.text, "the disk is broken");
	state_saver__free(saver);
}

/* They belong to the loop, which waits for them with signalfd(2). */
Test(state_saver, signals_are_not_for_the_thread)
{
	struct state_saver *saver = start_slow_one();
	struct failure failure;
	sigset_t mine;

	cr_expect(sigismember(&mask_of_thread, SIGTERM) && sigismember(&mask_of_thread, SIGHUP));
	pthread_sigmask(SIG_SETMASK, NULL, &mine);
	cr_expect_not(sigismember(&mine, SIGTERM), "the caller's mask is as it was");
	sem_post(&go_on);
	cr_expect_eq(state_saver__reap(saver, LONG, &failure), -EIO);
	state_saver__free(saver);
}

static size_t count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	size_t n = 0;

	cr_assert_not_null(tasks);
	while (readdir(tasks))
		n++;
	closedir(tasks);
	return n;
}

/* What the thread holds is freed by itself then: AddressSanitizer would tell. */
Test(state_saver, nobody_waits_for_ever)
{
	size_t before = count_threads();
	struct state_saver *saver = start_slow_one();
	uint64_t begin = clock__monotonic_ns();

	cr_expect_eq(count_threads(), before + 1);
	state_saver__free(saver);
	sem_post(&go_on);
	while (count_threads() > before && clock__monotonic_ns() - begin < LONG)
		sched_yield();
	cr_expect_eq(count_threads(), before);
}

Test(state_saver, over_before_it_is_abandoned)
{
	size_t before = count_threads();
	struct state_saver *saver = start_slow_one();
	uint64_t begin = clock__monotonic_ns();

	sem_post(&go_on);
	while (count_threads() > before && clock__monotonic_ns() - begin < LONG)
		sched_yield();
	cr_expect_eq(count_threads(), before);
	state_saver__free(saver);
	state_saver__free(NULL);
}
