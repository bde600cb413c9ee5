// SPDX-License-Identifier: Apache-2.0
/* Whose processes are looked at when there is not time for all: trees of fake_proc.c, as in discovery.c. */
#include <errno.h>
#include <string.h>

#include "discovery_steps.h"
#include "fake_proc.h"

static bool attached[1000];
static int n_attached, n_deaf;

static uint64_t boottime(void)
{
	return 1000 * NSEC_PER_SEC;
}

/* Whoever looks at these gets no answer. */
static pid_t deaf_from = 1000;
static uint64_t clock_ns;

static uint64_t time_ns(void)
{
	return clock_ns;
}

static int attach(void *ctx __maybe_unused, pid_t pid,
		  const struct process_origin *origin __maybe_unused,
		  struct failure *failure __maybe_unused)
{
	if (pid >= deaf_from) {
		clock_ns += 2 * NSEC_PER_SEC;
		n_deaf++;
		return -ETIMEDOUT;
	}
	attached[pid] = true;
	n_attached++;
	return 0;
}

static void detach(void *ctx __maybe_unused, pid_t pid)
{
	attached[pid] = false;
}

/* On the processor that looking takes, not on the clock. */
static uint64_t cpu_ns;

static uint64_t cpu(void)
{
	cpu_ns += 5 * NSEC_PER_MSEC;
	return cpu_ns;
}

static void begin(void)
{
	static const struct discovery_ops ops = {.attach = attach, .detach = detach};
	const struct discovery_options options = {
		.proc_root = fake_proc__root(),
		.min_age_ns = DISCOVERY_DEFAULT_MIN_AGE,
		.boottime = boottime,
		.cpu = cpu,
		.clock = time_ns,
	};
	struct failure failure = {""};

	cr_assert_eq(discovery__new(&options, &ops, NULL, &d, &failure), 0, "%s", failure.text);
}

static void make(void)
{
	fake_proc__make();
	fake_exe__put("server", FAKE_GO);
}

static void unmake(void)
{
	discovery__free(d);
	fake_proc__remove();
}

TestSuite(discovery_looks, .init = make, .fini = unmake);

Test(discovery_looks, where_time_is_short_users_wait_for_their_own_processes)
{
	begin();
	sweep(10);
	discovery__limit_looks(d, 0.01);
	for (int pid = 100; pid < 140; pid++) {
		fake_process__put(&(struct fake_process){
			.pid = pid, .exe = "server", .uid = 1000, .start_seconds = 1});
		discovery__exec(d, pid, at(20));
	}
	fake_process__put(&(struct fake_process){
		.pid = 200, .exe = "server", .uid = 1001, .start_seconds = 1});
	discovery__exec(d, 200, at(20));
	fake_process__put(&(struct fake_process){.pid = 300, .exe = "server", .start_seconds = 1});
	discovery__exec(d, 300, at(20));
	tick(22);
	cr_expect(attached[200] && attached[300], "another user's, and root's");
	cr_expect_eq(n_attached, 3, "and one of his");
	tick(22.5);
	cr_expect_eq(n_attached, 3);
	for (int second = 23; second <= 62; second++)
		tick(second);
	cr_expect_eq(n_attached, 42, "in the end all");
	discovery__limit_looks(d, 0);
	fake_process__put(&(struct fake_process){
		.pid = 400, .exe = "server", .uid = 1000, .start_seconds = 1});
	discovery__exec(d, 400, at(61));
	tick(63);
	cr_expect(attached[400], "as before");
}

Test(discovery_looks, of_a_user_whose_files_do_not_answer_others_come_later)
{
	begin();
	sweep(10);
	deaf_from = 500;
	for (int pid = 500; pid < 505; pid++) {
		fake_process__put(&(struct fake_process){
			.pid = pid, .exe = "server", .uid = 1000, .start_seconds = 1});
		discovery__exec(d, pid, at(20));
	}
	fake_process__put(&(struct fake_process){
		.pid = 200, .exe = "server", .uid = 1001, .start_seconds = 1});
	discovery__exec(d, 200, at(21));
	tick(23.5);
	cr_expect_eq(n_deaf, 1, "the first of his was looked at");
	cr_expect(attached[200], "and then another user's");
	for (int second = 24; second <= 62; second++)
		tick(second);
	cr_expect_geq(n_deaf, 5, "in the end all");
}
